/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions of a send queue: written at once, or kept back while an earlier
 * one of the same queue waits at a gate (gate.h), since they are in order.
 *
 * Owns Mlx5Sq.held. Callers ask for it only when it is not NULL: a queue of
 * which nothing waits is as if there were no gates.
 */
#ifndef HW_NET_MLX5_SQ_CQE_H
#define HW_NET_MLX5_SQ_CQE_H

#include "engine/fault_rule.h"
#include "mlx5.h"

/* What waits of one send queue. */
struct Mlx5SqHeld {
    GQueue kept; /* CQEs, and gates for those behind them */
    unsigned n_cqes;
    /* of the WQE at cc, sq_fault.c: */
    Mlx5Gate *before;         /* where it waits to be executed, or NULL */
    bool asked;               /* the rules were asked about it, and said: */
    Mlx5FaultVerdict verdict;
};

/*
 * @wqe, the one at cc, is over: @opcode is MLX5_CQE_REQ, or MLX5_CQE_REQ_ERR
 * with wqe->syndrome.
 */
void mlx5_sq_cqe(Mlx5Sq *sq, const Mlx5Wqe *wqe, uint8_t opcode);

/* @sq->held, made if there was none. */
Mlx5SqHeld *mlx5_sq_held(Mlx5Sq *sq);
/* The CQEs of @sq from here on wait behind @gate, which it owns now. */
void mlx5_sq_held_behind(Mlx5Sq *sq, Mlx5Gate *gate);
/*
 * Has @sq as many CQEs kept back as it is long, or is there no memory for more?
 * Then it must not go on: no driver that waits for its completions posts so
 * much.
 */
bool mlx5_sq_held_full(const Mlx5Sq *sq);
/*
 * Writes what no gate keeps back any more, at most *@budget of it. Returns
 * false when some is left.
 */
bool mlx5_sq_held_drain(Mlx5Sq *sq, unsigned *budget);
/* Frees @sq->held if nothing waits; it may be NULL. */
void mlx5_sq_held_tidy(Mlx5Sq *sq);
/* @sq dies or is reset: nobody waits for its CQEs. */
void mlx5_sq_held_forget(Mlx5Sq *sq);

#endif
