/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code shared by the SQ and RQ commands: the work queue context and the states.
 */
#ifndef HW_NET_MLX5_WQ_H
#define HW_NET_MLX5_WQ_H

#include "cmd.h"
#include "object.h"
#include "ring.h"

/* Queue states, sqc.state and rqc.state. */
enum {
    MLX5_Q_RST = 0,
    MLX5_Q_RDY = 1,
    MLX5_Q_ERR = 3,
};

#define MLX5_WQ_CTX_OFFSET 0x20 /* of sqc and rqc in their commands */
#define MLX5_WQ_IN_CTX 0x30     /* of wq in sqc and rqc */
#define MLX5_WQ_PAS_OFFSET 0x110

/* wq.wq_type */
enum {
    MLX5_WQ_LIST = 0,
    MLX5_WQ_CYCLIC = 1,
    MLX5_WQ_STRIDING_LIST = 2,
};

/*
 * Checks the wq of a CREATE_SQ or CREATE_RQ, which must be of @type, and sets
 * up its ring. Strides must be within 2^min_stride..2^max_stride bytes.
 */
Mlx5Syndrome mlx5_wq_init(Mlx5Cmd *cmd, unsigned type,
                          unsigned min_stride, unsigned max_stride,
                          Mlx5Ring *ring, uint64_t *dbr_addr, Mlx5Pd **pd);

/* Returns whether the PRM allows a MODIFY from state @from to @to. */
bool mlx5_wq_transition_ok(unsigned from, unsigned to);

#endif
