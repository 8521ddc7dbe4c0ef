/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler of the send queues: who has a turn, and for how long. Owns
 * Mlx5Port.sqs and tx_budget.
 */
#ifndef HW_NET_MLX5_SCHED_H
#define HW_NET_MLX5_SCHED_H

#include "types.h"

void mlx5_sched_init(Mlx5Port *port);
/* All queues are gone by now. A packet in the net layer's queue stays there. */
void mlx5_sched_reset(Mlx5Port *port);
void mlx5_sched_finalize(Mlx5Port *port);
/* A new queue, not running yet: what a gate lets go of it comes here. */
void mlx5_sched_join(Mlx5Sq *sq);
/* Gives @sq a turn: something may be posted, or is to be flushed. */
void mlx5_sched_queue(Mlx5Sq *sq);
/*
 * Forgets all that is under way of @sq, which is about to die or begins anew:
 * its turn, its half-sent packet, what waits at gates.
 */
void mlx5_sched_forget(Mlx5Sq *sq);

#endif
