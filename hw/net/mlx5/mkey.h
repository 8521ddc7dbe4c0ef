/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys, which let the WQEs of a queue refer to guest memory.
 *
 * All access to data segments (PRM wqe_data: byte_count, lkey, addr) goes
 * through mlx5_sg_read() and mlx5_sg_write(). They check that the key permits
 * it and translate the address, if the key is not for all physical memory: the
 * one place that does. Keys are made by command, and changed by WQE (umr.c).
 */
#ifndef HW_NET_MLX5_MKEY_H
#define HW_NET_MLX5_MKEY_H

#include "object.h"
#include "xlt.h"

/* lkey of a data segment that ends a receive WQE's list early */
#define MLX5_TERMINATE_SCATTER_LKEY 0x100u
#define MLX5_MKC_LEN 64
/* Places that one access may be scattered over: MTTs, KLMs, KSMs. */
#define MLX5_SG_MAX_PIECES 256

struct Mlx5Mkey {
    Mlx5Object obj;
    Mlx5Pd *pd;
    uint8_t key; /* mkey_7_0 */
    bool free;   /* translates nothing until a UMR WQE takes it into use */
    bool local_read;
    bool local_write;
    bool umr; /* UMR WQEs may change it */
    uint64_t start; /* the first address that it covers, */
    uint64_t len;   /* and how many bytes; UINT64_MAX with length64 */
    Mlx5Xlt xlt;
    uint8_t mkc[MLX5_MKC_LEN]; /* as it is now, for QUERY_MKEY */
};

/*
 * Copy @len bytes from, or to, @addr in guest memory for a queue of protection
 * domain @pd. Return false, with undefined contents, if @lkey (number and
 * mkey_7_0) is not a key in use of that domain, does not permit local reads
 * (lr) or writes (lw), does not cover the bytes, or if an address does not
 * reach memory; this is traced. A key may refer to pieces of other keys of the
 * domain, but these not to others again, and the bytes may be in at most
 * MLX5_SG_MAX_PIECES places. The caller then completes its WQE with
 * MLX5_CQE_SYN_LOCAL_PROT.
 */
bool mlx5_sg_read(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                  uint64_t addr, void *buf, size_t len);
bool mlx5_sg_write(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   uint64_t addr, const void *buf, size_t len);

/* Returns the key with number and mkey_7_0 @lkey, or NULL. */
Mlx5Mkey *mlx5_mkey_find(Mlx5Function *fn, uint32_t lkey);
/* Returns whether start_addr and len of @mkc describe a range of addresses. */
bool mlx5_mkc_range_ok(const uint8_t *mkc);
/* Replaces the context; the caller has checked it. The mode stays. */
void mlx5_mkey_set(Mlx5Mkey *mkey, const uint8_t *mkc, Mlx5Pd *pd);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_mkey_destroy(void *obj);

#endif
