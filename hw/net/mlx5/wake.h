/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wake-ups. Data flows one way through the files of the device. A file that
 * must notify one above it (the backend accepts frames again, the driver may
 * have refilled a queue, a gate has opened) does not call it but schedules its
 * bottom half, which runs when all current work has returned. Several wake-ups
 * before it runs count as one.
 *
 * Owns the bottom halves in Mlx5Function.wake, one per receiver.
 */
#ifndef HW_NET_MLX5_WAKE_H
#define HW_NET_MLX5_WAKE_H

struct Mlx5Function;

typedef enum Mlx5Wake {
    MLX5_WAKE_CMD = 1 << 0,    /* cmd.c: a command has arrived */
    MLX5_WAKE_TX = 1 << 1,     /* sched.c: a send queue may continue */
    MLX5_WAKE_NOTIFY = 1 << 2, /* eq.c: events must be signalled */
    MLX5_WAKE_GATES = 1 << 3,  /* gate.c: a gate is open */
    MLX5_WAKE_RX = 1 << 4,     /* rx.c: a receive queue may have a WQE */
    MLX5_WAKE_KEYS = 1 << 5,   /* dek.c: keys are no longer used */
    MLX5_WAKE_LINK = 1 << 6,   /* port.c: the link partner has changed */
    MLX5_WAKE_ICMD = 1 << 7,   /* icmd.c: a tool has given a command */
    MLX5_WAKE_LRO = 1 << 8,    /* lro.c: a batch of packets may be over */
} Mlx5Wake;

#define MLX5_WAKE__COUNT 9

/*
 * Adds receiver @who; @run is called with @opaque as a piece of work (work.h).
 */
void mlx5_wake_add(struct Mlx5Function *fn, Mlx5Wake who,
                   void (*run)(void *opaque), void *opaque);
/* Removes receiver @who. */
void mlx5_wake_remove(struct Mlx5Function *fn, Mlx5Wake who);
/* Wakes all receivers in @who (a mask); missing ones are ignored. */
void mlx5_wake(struct Mlx5Function *fn, unsigned who);
/* Cancels a wake-up of receivers in @who that have not run yet. */
void mlx5_wake_cancel(struct Mlx5Function *fn, Mlx5Wake who);

#endif
