/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys, which let the WQEs of a queue refer to guest memory.
 *
 * All access to data segments (PRM wqe_data: byte_count, lkey, addr) goes
 * through mlx5_sg_read() and mlx5_sg_write(), which check that the key permits
 * it. Addresses are bus addresses, since keys cover all physical memory
 * (access_mode PA, length64). Keys with translation would be resolved here.
 */
#ifndef HW_NET_MLX5_MKEY_H
#define HW_NET_MLX5_MKEY_H

#include "object.h"

/* lkey of a data segment that ends a receive WQE's list early */
#define MLX5_TERMINATE_SCATTER_LKEY 0x100u

typedef struct Mlx5Mkey {
    Mlx5Object obj;
    Mlx5Pd *pd;
    uint8_t key; /* mkey_7_0 */
    bool local_write;
    uint8_t mkc[64]; /* as created, for QUERY_MKEY */
} Mlx5Mkey;

/*
 * Copy @len bytes from, or to, @addr in guest memory for a queue of protection
 * domain @pd. Return false, with undefined contents, if @lkey (number and
 * mkey_7_0) is not a key of that domain, does not permit local writes (lw), or
 * if the address does not reach memory, which is traced. The caller then
 * completes its WQE with MLX5_CQE_SYN_LOCAL_PROT.
 */
bool mlx5_sg_read(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                  uint64_t addr, void *buf, size_t len);
bool mlx5_sg_write(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   uint64_t addr, const void *buf, size_t len);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_mkey_destroy(void *obj);

#endif
