/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completions of a send queue: written at once, or held while an earlier one of
 * the same queue waits at a gate (gate.h), since they must stay in order.
 *
 * Owns Mlx5Sq.held. Callers only call in when it is not NULL: a queue that
 * holds nothing behaves as if there were no gates.
 */
#ifndef HW_NET_MLX5_SQ_CQE_H
#define HW_NET_MLX5_SQ_CQE_H

#include "engine/fault_rule.h"
#include "mlx5.h"

/* What one send queue holds. */
struct Mlx5SqHeld {
    GQueue kept; /* CQEs, and gates for those behind them */
    unsigned n_cqes;
    /* of the WQE at cc, sq_fault.c: */
    Mlx5Gate *before;         /* gate of its execution, or NULL */
    bool asked;               /* the rules were tried on it, and said: */
    Mlx5FaultVerdict verdict;
};

/*
 * Completes @wqe, the one at cc: @opcode is MLX5_CQE_REQ, or MLX5_CQE_REQ_ERR
 * with wqe->syndrome.
 */
void mlx5_sq_cqe(Mlx5Sq *sq, const Mlx5Wqe *wqe, uint8_t opcode);

/* Returns @sq->held, allocated if necessary. */
Mlx5SqHeld *mlx5_sq_held(Mlx5Sq *sq);
/* Holds the next CQEs of @sq behind @gate, which it owns now. */
void mlx5_sq_held_behind(Mlx5Sq *sq, Mlx5Gate *gate);
/*
 * True when held CQEs fill @sq's ring, or when there is no memory for more.
 * Then the queue must stop: no driver that waits for its completions posts so
 * much.
 */
bool mlx5_sq_held_full(const Mlx5Sq *sq);
/*
 * Writes CQEs that no gate holds any more, at most *@budget. Returns false when
 * some are left.
 */
bool mlx5_sq_held_drain(Mlx5Sq *sq, unsigned *budget);
/* Frees @sq->held if nothing waits; it may be NULL. */
void mlx5_sq_held_tidy(Mlx5Sq *sq);
/* Drops all that is held, when @sq is destroyed or reset. */
void mlx5_sq_held_forget(Mlx5Sq *sq);

#endif
