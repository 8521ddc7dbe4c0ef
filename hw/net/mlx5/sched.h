/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler of the send queues: whose turn it is, and for how long. Owns
 * Mlx5Port.sqs and tx_budget.
 */
#ifndef HW_NET_MLX5_SCHED_H
#define HW_NET_MLX5_SCHED_H

#include "types.h"

void mlx5_sched_init(Mlx5Port *port);
/* All queues must be gone. A packet in the net layer's queue stays there. */
void mlx5_sched_reset(Mlx5Port *port);
void mlx5_sched_finalize(Mlx5Port *port);
/* Adds a new queue, not running yet: what a gate releases of it comes here. */
void mlx5_sched_join(Mlx5Sq *sq);
/* Gives @sq a turn: something may have been posted, or must be flushed. */
void mlx5_sched_queue(Mlx5Sq *sq);
/*
 * Drops everything outstanding of @sq, which is about to be destroyed or reset:
 * its turn, its partly sent packet, what waits at gates.
 */
void mlx5_sched_forget(Mlx5Sq *sq);

#endif
