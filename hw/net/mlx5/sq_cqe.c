/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completions of a send queue; see sq_cqe.h. */
#include "qemu/osdep.h"
#include "clock.h"
#include "cq.h"
#include "memory.h"
#include "ring.h"
#include "sq.h"
#include "sq_cqe.h"
#include "tap.h"

/* A list entry: a CQE, or a gate for the entries after it. */
typedef struct Kept {
    Mlx5Gate *gate;
    uint8_t cqe[64];
    uint64_t serial; /* of its WQE */
} Kept;

/* For mlx5_memory_charge(), each with its list node. */
#define KEPT_MEMORY (mlx5_memory_of(sizeof(Kept)) + \
                     mlx5_memory_of(sizeof(GList)))
#define HELD_MEMORY (mlx5_memory_of(sizeof(Mlx5SqHeld)))

/* Upper bound per WQE: two gates, one of them in the list, and a CQE. */
static size_t wqe_memory(void)
{
    return HELD_MEMORY + 2 * (mlx5_gate_memory() + KEPT_MEMORY);
}

/* Writes a CQE for the WQE with this serial number. */
static void post(Mlx5Sq *sq, uint8_t cqe[64], uint64_t serial)
{
    if (mlx5_cq_post(sq->cq, cqe)) {
        mlx5_tap_sq_cqe(sq->obj.fn, sq, cqe, serial);
    }
}

/* Holds @cqe if necessary. Returns whether it did. */
static bool keep(Mlx5Sq *sq, const uint8_t cqe[64], uint64_t serial)
{
    Mlx5SqHeld *held = sq->held;
    Kept *k;

    if (!held || g_queue_is_empty(&held->kept)) {
        return false;
    }
    k = g_new0(Kept, 1);
    memcpy(k->cqe, cqe, sizeof(k->cqe));
    k->serial = serial;
    mlx5_memory_take(sq->obj.fn, KEPT_MEMORY);
    g_queue_push_tail(&held->kept, k);
    held->n_cqes++;
    return true;
}

void mlx5_sq_cqe(Mlx5Sq *sq, const Mlx5Wqe *wqe, uint8_t opcode)
{
    uint8_t cqe[64] = { 0 };

    MLX5_SET(cqe, cqe, opcode, opcode);
    MLX5_SET(cqe, cqe, s_wqe_opcode, wqe->opcode);
    MLX5_SET(cqe, cqe, sqn, sq->obj.id);
    MLX5_SET(cqe, cqe, wqe_counter, sq->cc);
    /* Error syndromes overlap the end of the timestamp of a good CQE. */
    if (opcode == MLX5_CQE_REQ) {
        MLX5_SET(cqe, cqe, timestamp, mlx5_clock_ns(sq->obj.fn));
    } else {
        MLX5_SET(cqe, cqe, syndrome, wqe->syndrome);
    }
    if (!keep(sq, cqe, wqe->serial)) {
        post(sq, cqe, wqe->serial);
    }
}

/* --------------------------------------------------------- what is kept --- */

Mlx5SqHeld *mlx5_sq_held(Mlx5Sq *sq)
{
    if (!sq->held) {
        sq->held = g_new0(Mlx5SqHeld, 1);
        g_queue_init(&sq->held->kept);
        mlx5_memory_take(sq->obj.fn, HELD_MEMORY);
    }
    return sq->held;
}

void mlx5_sq_held_behind(Mlx5Sq *sq, Mlx5Gate *gate)
{
    Kept *k = g_new0(Kept, 1);

    k->gate = gate;
    mlx5_memory_take(sq->obj.fn, KEPT_MEMORY);
    g_queue_push_tail(&mlx5_sq_held(sq)->kept, k);
}

static void kept_free(void *opaque)
{
    Kept *k = opaque;

    mlx5_gate_free(k->gate);
    g_free(k);
}

void mlx5_sq_held_forget(Mlx5Sq *sq)
{
    Mlx5SqHeld *held = sq->held;

    mlx5_memory_give(sq->obj.fn,
                     HELD_MEMORY + held->kept.length * KEPT_MEMORY);
    g_queue_clear_full(&held->kept, kept_free);
    mlx5_gate_free(held->before);
    g_free(held);
    sq->held = NULL;
    mlx5_waiter_forget(&sq->waiter);
}

void mlx5_sq_held_tidy(Mlx5Sq *sq)
{
    Mlx5SqHeld *held = sq->held;

    if (held && g_queue_is_empty(&held->kept) && !held->before &&
        !held->asked) {
        mlx5_sq_held_forget(sq);
    }
}

bool mlx5_sq_held_full(const Mlx5Sq *sq)
{
    const Mlx5SqHeld *held = sq->held;
    uint32_t size = mlx5_ring_size(&sq->ring);

    /*
     * A WQE adds at most a gate and a CQE. If memory is short, the queue waits
     * only while something is held: releasing that restarts it.
     */
    return held->n_cqes >= size || held->kept.length >= 2 * size ||
           (held->kept.length &&
            !mlx5_memory_room(sq->obj.fn, wqe_memory()));
}

bool mlx5_sq_held_drain(Mlx5Sq *sq, unsigned *budget)
{
    Mlx5SqHeld *held = sq->held;
    Kept *k;

    while ((k = g_queue_peek_head(&held->kept))) {
        if (k->gate && !mlx5_gate_is_open(k->gate)) {
            break;
        }
        if (!*budget) {
            return false;
        }
        --*budget;
        g_queue_pop_head(&held->kept);
        mlx5_memory_give(sq->obj.fn, KEPT_MEMORY);
        if (!k->gate) {
            held->n_cqes--;
            post(sq, k->cqe, k->serial);
        }
        kept_free(k);
    }
    return true;
}
