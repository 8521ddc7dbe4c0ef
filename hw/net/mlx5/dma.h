/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory. dma.c is the only file that touches it, through the PCI
 * function's own address space. Data segments of WQEs go through mkey.h.
 */
#ifndef HW_NET_MLX5_DMA_H
#define HW_NET_MLX5_DMA_H

#include "types.h"

/* Both return false, traced, when the address does not reach memory. */
bool mlx5_dma_read(Mlx5Function *fn, uint64_t addr, void *buf, size_t len);
bool mlx5_dma_write(Mlx5Function *fn, uint64_t addr, const void *buf,
                    size_t len);
/*
 * Publishes a 64-byte EQE or CQE: body, write barrier, then the last byte
 * (which holds the owner bit) alone. All payload was written before.
 */
bool mlx5_dma_publish(Mlx5Function *fn, uint64_t addr, const uint8_t *entry);
/* Reads a big-endian doorbell record, then orders later reads after it. */
bool mlx5_dma_read_dbr(Mlx5Function *fn, uint64_t addr, uint32_t *val);

#endif
