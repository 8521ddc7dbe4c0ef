/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions of a send queue: written at once, or held while an earlier one of
 * the same queue is deferred by a gate (gate.h), to keep them in order.
 *
 * Owns Mlx5Sq.held, which callers check for NULL first: a queue without held
 * completions behaves as if there were no gates.
 */
#ifndef HW_NET_MLX5_SQ_CQE_H
#define HW_NET_MLX5_SQ_CQE_H

#include "engine/fault_rule.h"
#include "mlx5.h"

/* The held completions of a send queue. */
struct Mlx5SqHeld {
    GQueue kept; /* CQEs, and the gates that later ones wait for */
    unsigned n_cqes;
    /* for the WQE at cc, sq_fault.c: */
    Mlx5Gate *before;         /* defers its execution, or NULL */
    bool asked;               /* the rules were tried, with this verdict: */
    Mlx5FaultVerdict verdict;
};

/*
 * Completes @wqe, which is the WQE at cc. @opcode is MLX5_CQE_REQ, or
 * MLX5_CQE_REQ_ERR with wqe->syndrome.
 */
void mlx5_sq_cqe(Mlx5Sq *sq, const Mlx5Wqe *wqe, uint8_t opcode);

/* Returns @sq->held, allocated if necessary. */
Mlx5SqHeld *mlx5_sq_held(Mlx5Sq *sq);
/*
 * Holds the following CQEs of @sq until @gate opens; takes ownership of @gate.
 */
void mlx5_sq_held_behind(Mlx5Sq *sq, Mlx5Gate *gate);
/*
 * Returns true when held CQEs fill @sq's ring, or memory for more is short. The
 * queue must then stop; a driver that waits for its completions never posts
 * that much.
 */
bool mlx5_sq_held_full(const Mlx5Sq *sq);
/*
 * Writes held CQEs whose gates have opened, at most *@budget. Returns false if
 * some are left.
 */
bool mlx5_sq_held_drain(Mlx5Sq *sq, unsigned *budget);
/* Frees @sq->held if nothing is held; it may be NULL. */
void mlx5_sq_held_tidy(Mlx5Sq *sq);
/* Drops all held completions when @sq is destroyed or reset. */
void mlx5_sq_held_forget(Mlx5Sq *sq);

#endif
