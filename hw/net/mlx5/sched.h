/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler of the send queues: decides which queue runs, and for how long.
 * Owns Mlx5Port.sqs and tx_budget.
 */
#ifndef HW_NET_MLX5_SCHED_H
#define HW_NET_MLX5_SCHED_H

#include "types.h"

void mlx5_sched_init(Mlx5Port *port);
/*
 * All queues must have been destroyed. A packet in the net layer's queue stays
 * there.
 */
void mlx5_sched_reset(Mlx5Port *port);
void mlx5_sched_finalize(Mlx5Port *port);
/* Registers a new queue, not running yet, for callbacks from gates. */
void mlx5_sched_join(Mlx5Sq *sq);
/* Schedules @sq: WQEs may have been posted, or must be flushed. */
void mlx5_sched_queue(Mlx5Sq *sq);
/*
 * Drops all outstanding work of @sq, which is about to be destroyed or reset:
 * its place in the schedule, a partly sent packet, deferred work.
 */
void mlx5_sched_forget(Mlx5Sq *sq);

#endif
