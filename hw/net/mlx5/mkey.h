/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys: what lets a queue's WQEs name guest memory.
 *
 * A data segment (PRM wqe_data: byte_count, lkey, addr) is only ever copied by
 * mlx5_sg_read() and mlx5_sg_write(), which ask whether the key allows it. An
 * address is a bus address as it stands: keys are of physical memory, all of it
 * (access_mode PA, length64). Keys that translate would be resolved here.
 */
#ifndef HW_NET_MLX5_MKEY_H
#define HW_NET_MLX5_MKEY_H

#include "mlx5.h"

/*
 * Copy @len bytes from, or to, @addr in guest memory for a queue of protection
 * domain @pd. False, and nothing of it is to be relied on, if @lkey is no key
 * (number and mkey_7_0) of that domain, does not allow to write (lw), or if
 * the address does not reach memory, which is traced. Whoever asks completes
 * its WQE with MLX5_CQE_SYN_LOCAL_PROT then.
 */
bool mlx5_sg_read(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                  uint64_t addr, void *buf, size_t len);
bool mlx5_sg_write(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   uint64_t addr, const void *buf, size_t len);

#endif
