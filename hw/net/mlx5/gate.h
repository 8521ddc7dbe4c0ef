/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gates: what a waiter waits for, and what releases it.
 *
 * A gate opens at a time, when packets have arrived, by its name, or with the
 * end of its owner (a number). Its Mlx5Waiter is called back in a bottom half,
 * never from inside the code that opened the gate. A gate knows nothing else
 * about its waiter.
 *
 * Owns Mlx5Gates and Mlx5Gate. The waiter frees its gates.
 */
#ifndef HW_NET_MLX5_GATE_H
#define HW_NET_MLX5_GATE_H

#include "qemu/queue.h"

#define MLX5_GATE_NAME_MAX 64

struct Mlx5Function;
typedef struct Mlx5Gates Mlx5Gates;
typedef struct Mlx5Gate Mlx5Gate;

/* A waiter, at any number of gates. All zero: at none. */
typedef struct Mlx5Waiter Mlx5Waiter;
struct Mlx5Waiter {
    /*
     * Called when at least one of its gates is open. Does up to *@budget things
     * and subtracts them. Returns false when some are left, to be called again.
     */
    bool (*go_on)(Mlx5Waiter *waiter, unsigned *budget);
    Mlx5Gates *ready; /* those that will call it, or NULL */
    QTAILQ_ENTRY(Mlx5Waiter) next;
};

/* What opens a new gate. Without a time and packets: its name only. */
typedef struct Mlx5GateSpec {
    uint32_t owner;
    const char *name; /* up to MLX5_GATE_NAME_MAX bytes of it */
    int64_t ms;       /* 0: not for a time */
    int64_t packets;  /* 0: not for packets; else that many... */
    int64_t tirn;     /* ...through this TIR, or through all if negative */
} Mlx5GateSpec;

Mlx5Gates *mlx5_gates_new(struct Mlx5Function *fn);
/* All gates must have been freed. */
void mlx5_gates_free(Mlx5Gates *gates);

/* Memory of one gate, for mlx5_memory_room(). */
size_t mlx5_gate_memory(void);
/* Returns a closed gate, or NULL without memory: then nothing waits. */
Mlx5Gate *mlx5_gate_new(Mlx5Gates *gates, const Mlx5GateSpec *spec,
                        Mlx5Waiter *waiter);
/* NULL is allowed. */
void mlx5_gate_free(Mlx5Gate *gate);
bool mlx5_gate_is_open(const Mlx5Gate *gate);

/* Opens gates of @owner (0: all) named @name (NULL: all); returns how many. */
uint32_t mlx5_gates_open(Mlx5Gates *gates, uint32_t owner, const char *name);
/* Returns how many gates of @owner are closed. */
uint32_t mlx5_gates_waiting(const Mlx5Gates *gates, uint32_t owner);
/* A packet has been delivered through TIR @tirn. */
void mlx5_gates_packet(Mlx5Gates *gates, uint32_t tirn);

/* The waiter is no longer called; it must have freed its gates. */
void mlx5_waiter_forget(Mlx5Waiter *waiter);

#endif
