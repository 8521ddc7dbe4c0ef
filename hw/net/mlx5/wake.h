/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wake-ups. Data goes one way through the files of the device; who has news for
 * somebody above (the backend takes frames again, the driver may have refilled a
 * queue, a gate has opened) calls nobody, but leaves a note: a bottom half of
 * whoever is to wake up is scheduled, and runs when all that is at work now has
 * returned. Several notes before it runs are one.
 *
 * Owns the bottom halves in Mlx5Function.wake, one for each who can be woken.
 */
#ifndef HW_NET_MLX5_WAKE_H
#define HW_NET_MLX5_WAKE_H

struct Mlx5Function;

typedef enum Mlx5Wake {
    MLX5_WAKE_CMD = 1 << 0,    /* cmd.c: a command is there */
    MLX5_WAKE_TX = 1 << 1,     /* sched.c: a send queue may go on */
    MLX5_WAKE_NOTIFY = 1 << 2, /* eq.c: something is to be announced */
    MLX5_WAKE_GATES = 1 << 3,  /* gate.c: a gate is open */
    MLX5_WAKE_RX = 1 << 4,     /* rx.c: a receive queue may have a WQE */
    MLX5_WAKE_KEYS = 1 << 5,   /* dek.c: keys are used no more */
} Mlx5Wake;

#define MLX5_WAKE__COUNT 6

/* @run, with @opaque, is what wakes up at @who: a piece of work (work.h). */
void mlx5_wake_add(struct Mlx5Function *fn, Mlx5Wake who,
                   void (*run)(void *opaque), void *opaque);
/* It does not exist any more. */
void mlx5_wake_remove(struct Mlx5Function *fn, Mlx5Wake who);
/* Wakes all in @who, an OR; those that do not exist sleep on. */
void mlx5_wake(struct Mlx5Function *fn, unsigned who);
/* Takes back a note that has not been heard yet. */
void mlx5_wake_cancel(struct Mlx5Function *fn, Mlx5Wake who);

#endif
