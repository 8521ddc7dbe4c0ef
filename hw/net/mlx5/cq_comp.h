/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing of CQEs to their ring, each for itself or compressed (driver: en_rx.c
 * mlx5e_decompress_cqe). Called by cq.c, and by what makes held CQEs visible.
 *
 * A CQ with cqe_comp_en holds the CQEs of packets that are alike, and writes
 * them as one session: the first in full, the title, and of each 8 bytes, a
 * mini CQE. A session ends with the burst of packets, or when a CQE does not
 * fit into it.
 */
#ifndef HW_NET_MLX5_CQ_COMP_H
#define HW_NET_MLX5_CQ_COMP_H

#include "cq.h"

/* cqe_compression_max_num: CQEs of a session, the title included. */
#define MLX5_CQ_COMP_MAX 64

/* cqc.mini_cqe_res_format */
enum {
    MLX5_MINI_CQE_HASH = 0,
    MLX5_MINI_CQE_CSUM = 1,
    MLX5_MINI_CQE_CSUM_STRIDX = 3,
};
/* cqc.cqe_compression_layout */
enum {
    MLX5_CQ_COMP_BASIC = 0,
    MLX5_CQ_COMP_ENHANCED = 1,
};

/* Creates the state of a CQ with cqe_comp_en; to be freed with g_free(). */
Mlx5CqComp *mlx5_cq_comp_new(const uint8_t *cqc);
/* Bytes of memory that it takes. */
size_t mlx5_cq_comp_memory(void);

/* How many CQEs are held; each is sure to have its entry in the ring. */
unsigned mlx5_cq_held(const Mlx5Cq *cq);
/*
 * Returns whether @cqe can be held with those that are; if not, they must be
 * flushed before it is written.
 */
bool mlx5_cq_comp_fits(const Mlx5Cq *cq, const uint8_t *cqe);
/*
 * Holds @cqe, which fits, or writes it at once if nothing will ever be
 * compressed with it. There must be room for it. Returns false if it is lost.
 */
bool mlx5_cq_comp_add(Mlx5Cq *cq, uint8_t *cqe);
/* Writes what is held. */
void mlx5_cq_flush(Mlx5Cq *cq);
/* Writes @cqe to the next entry, for which there must be room. */
bool mlx5_cq_write(Mlx5Cq *cq, uint8_t *cqe);

#endif
