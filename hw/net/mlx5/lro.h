/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large receive offload: holds packets that may be joined with what follows
 * them in the same batch (driver: en_main.c, set_feature_lro). engine/lro.h has
 * the rules. Owns Mlx5Port.lro, and Mlx5Rq.held and flush.
 */
#ifndef HW_NET_MLX5_LRO_H
#define HW_NET_MLX5_LRO_H

#include "engine/parse.h"
#include "rq.h"
#include "tir.h"

void mlx5_lro_init(Mlx5Port *port);
/* No queue is left, so nothing is held. */
void mlx5_lro_finalize(Mlx5Port *port);
/* Drops all that is held, and returns how many frames that were. */
uint64_t mlx5_lro_drop(Mlx5Port *port);

void mlx5_lro_make_room_now(Mlx5Rq *rq);
/*
 * Before a packet for @rq is accepted: what is held for it keeps a WQE each,
 * and the packet finds another; or else all that is held is delivered.
 */
static inline void mlx5_lro_make_room(Mlx5Rq *rq)
{
    if (unlikely(rq->held)) {
        mlx5_lro_make_room_now(rq);
    }
}

bool mlx5_lro_receive_now(Mlx5Rq *rq, const Mlx5Tir *tir, const Mlx5Packet *pkt,
                          const uint8_t *frame, const uint8_t *cqe);
/*
 * Takes the packet if it is held or joined, and otherwise delivers what must
 * not be overtaken by it. Its checksums have been verified; @cqe is what it is
 * delivered with if it stays alone. Returns false if it is to be delivered now.
 */
static inline bool mlx5_lro_receive(Mlx5Rq *rq, const Mlx5Tir *tir,
                                    const Mlx5Packet *pkt, const uint8_t *frame,
                                    const uint8_t *cqe)
{
    return unlikely(tir->lro || rq->held) &&
           mlx5_lro_receive_now(rq, tir, pkt, frame, cqe);
}

#endif
