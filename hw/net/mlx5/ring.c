/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queue buffers in guest memory, for EQ, CQ, SQ and RQ: 2^n entries in a list
 * of pages. Owns only the page list.
 */
#include "qemu/osdep.h"
#include "memory.h"
#include "ring.h"

/* A ring with more pages is refused before anything is allocated. */
#define MLX5_RING_MAX_PAGES (1u << 16)

Mlx5Syndrome mlx5_ring_init(Mlx5Ring *ring, unsigned log_size,
                            unsigned log_stride, unsigned log_page,
                            unsigned page_offset, const uint8_t *pas,
                            size_t pas_len)
{
    unsigned log_bytes = log_size + log_stride;
    uint64_t npages;
    uint32_t i;

    memset(ring, 0, sizeof(*ring));
    log_page += MLX5_PAGE_SHIFT;
    /* log_page_size has 5 bits; 2^30 is far beyond any real page size. */
    if (log_page > 30 || log_stride > log_page ||
        page_offset * 64 >= (1u << log_page) ||
        page_offset * 64 % (1u << log_stride)) {
        return MLX5_SYN_RING_PAGE_SIZE;
    }
    if (log_bytes > 31) {
        return MLX5_SYN_RING_TOO_LARGE;
    }
    npages = DIV_ROUND_UP((1ull << log_bytes) + page_offset * 64,
                          1ull << log_page);
    if (npages > MLX5_RING_MAX_PAGES) {
        return MLX5_SYN_RING_TOO_LARGE;
    }
    if (npages * 8 > pas_len) {
        return MLX5_SYN_RING_PAS_MISSING;
    }
    ring->pages = g_new(uint64_t, npages);
    for (i = 0; i < npages; i++) {
        ring->pages[i] = mlx5_ld64(pas + i * 8);
        if (ring->pages[i] & (MLX5_PAGE_SIZE - 1)) {
            mlx5_ring_free(ring);
            return MLX5_SYN_RING_PAS_UNALIGNED;
        }
    }
    ring->npages = npages;
    ring->offset = page_offset * 64;
    ring->log_page = log_page;
    ring->log_stride = log_stride;
    ring->log_size = log_size;
    return MLX5_OK;
}

void mlx5_ring_free(Mlx5Ring *ring)
{
    g_free(ring->pages);
    ring->pages = NULL;
    ring->npages = 0;
}

size_t mlx5_ring_memory(const Mlx5Ring *ring)
{
    return mlx5_memory_of(ring->npages * sizeof(ring->pages[0]));
}

uint64_t mlx5_ring_addr(const Mlx5Ring *ring, uint32_t index)
{
    uint64_t byte = ring->offset +
        ((uint64_t)(index & (mlx5_ring_size(ring) - 1)) << ring->log_stride);

    return ring->pages[byte >> ring->log_page] +
           (byte & ((1ull << ring->log_page) - 1));
}
