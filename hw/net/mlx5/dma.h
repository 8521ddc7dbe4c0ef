/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory. dma.c is the only file that accesses it, through the address
 * space of the PCI function. Data segments of WQEs go through mkey.h.
 */
#ifndef HW_NET_MLX5_DMA_H
#define HW_NET_MLX5_DMA_H

#include "types.h"

/* Both return false, after tracing it, if the address does not reach memory. */
bool mlx5_dma_read(Mlx5Function *fn, uint64_t addr, void *buf, size_t len);
bool mlx5_dma_write(Mlx5Function *fn, uint64_t addr, const void *buf,
                    size_t len);
/*
 * Publishes a 64-byte EQE or CQE: the body, a write barrier, then the last
 * byte, which holds the owner bit. All payload must have been written before.
 */
bool mlx5_dma_publish(Mlx5Function *fn, uint64_t addr, const uint8_t *entry);
/* The same for an entry that drivers find valid by byte @last. */
bool mlx5_dma_publish_by(Mlx5Function *fn, uint64_t addr, const uint8_t *entry,
                         unsigned last);
/* Reads a big-endian doorbell record, ordered before later reads. */
bool mlx5_dma_read_dbr(Mlx5Function *fn, uint64_t addr, uint32_t *val);

#endif
