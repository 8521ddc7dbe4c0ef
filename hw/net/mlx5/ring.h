/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue buffers in guest memory, as queue contexts describe them (PRM: wq, cqc,
 * eqc). An Mlx5Ring owns its list of pages.
 */
#ifndef HW_NET_MLX5_RING_H
#define HW_NET_MLX5_RING_H

#include "types.h"

/* A queue's buffer in guest memory: entries of 2^log_stride bytes in pages. */
typedef struct Mlx5Ring {
    uint64_t *pages;
    uint32_t npages;
    uint32_t offset; /* of entry 0 in the first page, bytes */
    uint8_t log_page;
    uint8_t log_stride;
    uint8_t log_size;
} Mlx5Ring;

/*
 * Sets up a ring; @pas is the command's list of page addresses, @pas_len bytes
 * long. Free it with mlx5_ring_free().
 */
Mlx5Syndrome mlx5_ring_init(Mlx5Ring *ring, unsigned log_size,
                            unsigned log_stride, unsigned log_page,
                            unsigned page_offset, const uint8_t *pas,
                            size_t pas_len);
void mlx5_ring_free(Mlx5Ring *ring);
/* Returns the memory use of a ring, for mlx5_object_create(). */
size_t mlx5_ring_memory(const Mlx5Ring *ring);
/* Returns the bus address of entry @index (modulo the size). */
uint64_t mlx5_ring_addr(const Mlx5Ring *ring, uint32_t index);
static inline uint32_t mlx5_ring_size(const Mlx5Ring *ring)
{
    return 1u << ring->log_size;
}

#endif
