/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gates: what makes somebody wait, and lets it go on.
 *
 * A gate opens at its time, when packets have arrived, by its name, or with the
 * end of whatever made it (its owner, a number). Whoever waits gives it an
 * Mlx5Waiter; that is called back in a bottom half, never from inside what
 * opened the gate. A gate knows nothing else about those who wait.
 *
 * Owns Mlx5Gates and Mlx5Gate. A gate is freed by whoever waits at it.
 */
#ifndef HW_NET_MLX5_GATE_H
#define HW_NET_MLX5_GATE_H

#include "qemu/queue.h"

#define MLX5_GATE_NAME_MAX 64

struct Mlx5Function;
typedef struct Mlx5Gates Mlx5Gates;
typedef struct Mlx5Gate Mlx5Gate;

/* Somebody who waits, at any number of gates. All zero: at none. */
typedef struct Mlx5Waiter Mlx5Waiter;
struct Mlx5Waiter {
    /*
     * At least one of its gates is open. It may do as many things as *@budget
     * says, and takes them off. False: some are left, it is called again.
     */
    bool (*go_on)(Mlx5Waiter *waiter, unsigned *budget);
    Mlx5Gates *ready; /* which are to call it, or NULL */
    QTAILQ_ENTRY(Mlx5Waiter) next;
};

/* What a new gate waits for. Without a time and packets: for its name only. */
typedef struct Mlx5GateSpec {
    uint32_t owner;
    const char *name; /* up to MLX5_GATE_NAME_MAX bytes of it */
    int64_t ms;       /* 0: not for a time */
    int64_t packets;  /* 0: not for packets; else that many... */
    int64_t tirn;     /* ...through this TIR, or through all if negative */
} Mlx5GateSpec;

Mlx5Gates *mlx5_gates_new(struct Mlx5Function *fn);
/* All gates are gone by now. */
void mlx5_gates_free(Mlx5Gates *gates);

/* What one gate takes, for mlx5_memory_room(). */
size_t mlx5_gate_memory(void);
/* A closed gate, or NULL if there is no memory for it: then nothing waits. */
Mlx5Gate *mlx5_gate_new(Mlx5Gates *gates, const Mlx5GateSpec *spec,
                        Mlx5Waiter *waiter);
/* NULL is allowed. */
void mlx5_gate_free(Mlx5Gate *gate);
bool mlx5_gate_is_open(const Mlx5Gate *gate);

/* Opens the gates of @owner (0: of all) named @name (NULL: all). How many? */
uint32_t mlx5_gates_open(Mlx5Gates *gates, uint32_t owner, const char *name);
/* How many gates of @owner are closed? */
uint32_t mlx5_gates_waiting(const Mlx5Gates *gates, uint32_t owner);
/* A packet has been delivered through TIR @tirn. */
void mlx5_gates_packet(Mlx5Gates *gates, uint32_t tirn);

/* Who waited is called no more, and must have freed its gates. */
void mlx5_waiter_forget(Mlx5Waiter *waiter);

#endif
