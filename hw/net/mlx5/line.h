/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the next frame may leave: not while the backend is full, not while the
 * line is busy with the last one (property line-rate), and not while the link
 * partner has asked for a pause (IEEE 802.3 annex 31B). Owns Mlx5Port.tx_wait
 * and the line's timer. The send queues stop while there is a reason to wait,
 * and MLX5_WAKE_TX starts them when the last one is gone.
 */
#ifndef HW_NET_MLX5_LINE_H
#define HW_NET_MLX5_LINE_H

#include "types.h"

/* Reasons to wait, bits of Mlx5Port.tx_wait. */
enum {
    MLX5_WAIT_BACKEND = 1 << 0, /* it is full, and calls when it is not */
    MLX5_WAIT_LINE = 1 << 1,    /* the line is busy, or paused */
};

/* Most that the property line-rate allows, in Mb/s. */
#define MLX5_LINE_RATE_MAX 400000

void mlx5_line_init(Mlx5Port *port);
void mlx5_line_reset(Mlx5Port *port);
void mlx5_line_finalize(Mlx5Port *port);
/* @reason (one bit) to wait has come, or gone. */
void mlx5_line_wait(Mlx5Port *port, unsigned reason);
void mlx5_line_go(Mlx5Port *port, unsigned reason);
/*
 * With line-rate set: a frame begins that takes @octets of the line, with
 * preamble and interframe gap. The next one waits for its end.
 */
void mlx5_line_frame(Mlx5Port *port, size_t octets);
/*
 * Nothing is left to be sent: what comes next does not follow at once upon the
 * last frame.
 */
void mlx5_line_idle(Mlx5Port *port);
/*
 * A PAUSE frame has come: nothing leaves for @quanta times 512 bits at the
 * line's rate, 0 ends a pause.
 */
void mlx5_line_pause(Mlx5Port *port, uint16_t quanta);

#endif
