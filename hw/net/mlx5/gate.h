/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gates, which hold back deferred work until a condition is met.
 *
 * A gate opens after a time, after a number of packets, by its name, or when
 * its owner (identified by a number) ends. Its Mlx5Waiter is then called back
 * in a bottom half, never from inside the code that opened the gate. A gate
 * knows nothing else about its waiter.
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

/* A waiter, at any number of gates. All zero means none. */
typedef struct Mlx5Waiter Mlx5Waiter;
struct Mlx5Waiter {
    /*
     * Called when at least one gate is open. Processes up to *@budget items and
     * subtracts their number from it. Returns false if some are left, to be
     * called again.
     */
    bool (*go_on)(Mlx5Waiter *waiter, unsigned *budget);
    Mlx5Gates *ready; /* the gates that will call it, or NULL */
    QTAILQ_ENTRY(Mlx5Waiter) next;
};

/*
 * Conditions that open a new gate. With neither time nor packets, only its name
 * opens it.
 */
typedef struct Mlx5GateSpec {
    uint32_t owner;
    const char *name; /* truncated to MLX5_GATE_NAME_MAX bytes */
    int64_t ms;       /* 0: no time */
    int64_t packets;  /* 0: no packets; else this many... */
    int64_t tirn;     /* ...through this TIR, or any if negative */
} Mlx5GateSpec;

Mlx5Gates *mlx5_gates_new(struct Mlx5Function *fn);
/* All gates must have been freed. */
void mlx5_gates_free(Mlx5Gates *gates);

/* Returns the memory use of one gate, for mlx5_memory_room(). */
size_t mlx5_gate_memory(void);
/* Returns a closed gate, or NULL if memory is short: then nothing waits. */
Mlx5Gate *mlx5_gate_new(Mlx5Gates *gates, const Mlx5GateSpec *spec,
                        Mlx5Waiter *waiter);
/* NULL is allowed. */
void mlx5_gate_free(Mlx5Gate *gate);
bool mlx5_gate_is_open(const Mlx5Gate *gate);

/*
 * Opens the gates of @owner (0: any) named @name (NULL: any). Returns how many.
 */
uint32_t mlx5_gates_open(Mlx5Gates *gates, uint32_t owner, const char *name);
/* Returns the number of closed gates of @owner. */
uint32_t mlx5_gates_waiting(const Mlx5Gates *gates, uint32_t owner);
/* Reports a packet delivered through TIR @tirn. */
void mlx5_gates_packet(Mlx5Gates *gates, uint32_t tirn);

/* Stops callbacks to @waiter, which must have freed its gates. */
void mlx5_waiter_forget(Mlx5Waiter *waiter);

#endif
