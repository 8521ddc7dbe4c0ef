/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code shared by the SQ and RQ commands; see wq.h. Owns no state. */
#include "qemu/osdep.h"
#include "caps.h"
#include "object.h"
#include "ring.h"
#include "wq.h"

Mlx5Syndrome mlx5_wq_init(Mlx5Cmd *cmd, unsigned type,
                          unsigned min_stride, unsigned max_stride,
                          Mlx5Ring *ring, uint64_t *dbr_addr, Mlx5Pd **pd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *wq = cmd->in + MLX5_WQ_CTX_OFFSET + MLX5_WQ_IN_CTX;
    unsigned log_stride = MLX5_GET(wq, wq, log_wq_stride);
    Mlx5Syndrome syn;

    if (MLX5_GET(wq, wq, wq_type) != type) {
        return MLX5_SYN_WQ_BAD_TYPE;
    }
    if (MLX5_GET(wq, wq, dbr_umem_valid) || MLX5_GET(wq, wq, wq_umem_valid)) {
        return MLX5_SYN_UMEM_UNSUPPORTED;
    }
    if (log_stride < min_stride || log_stride > max_stride) {
        return MLX5_SYN_WQ_BAD_STRIDE;
    }
    if (MLX5_GET(wq, wq, log_wq_sz) > MLX5_CAP_GEN(fn, log_max_wq_sz)) {
        return MLX5_SYN_RING_TOO_LARGE;
    }
    *dbr_addr = MLX5_GET64(wq, wq, dbr_addr);
    if (*dbr_addr & 7) {
        return MLX5_SYN_DBR_UNALIGNED;
    }
    /* A queue without PD cannot use memory keys; the drop RQ needs none. */
    *pd = NULL;
    if (MLX5_GET(wq, wq, pd)) {
        syn = mlx5_object_find(fn, MLX5_OBJ_PD, MLX5_GET(wq, wq, pd),
                               cmd->uid, pd);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    return mlx5_ring_init(ring, MLX5_GET(wq, wq, log_wq_sz), log_stride,
                          MLX5_GET(wq, wq, log_wq_pg_sz),
                          MLX5_GET(wq, wq, page_offset),
                          cmd->in + MLX5_WQ_PAS_OFFSET,
                          cmd->in_len - MLX5_WQ_PAS_OFFSET);
}

bool mlx5_wq_transition_ok(unsigned from, unsigned to)
{
    static const uint8_t allowed[][2] = {
        { MLX5_Q_RST, MLX5_Q_RST }, { MLX5_Q_RST, MLX5_Q_RDY },
        { MLX5_Q_RDY, MLX5_Q_RDY }, { MLX5_Q_RDY, MLX5_Q_ERR },
        { MLX5_Q_RDY, MLX5_Q_RST }, { MLX5_Q_ERR, MLX5_Q_RST },
        { MLX5_Q_ERR, MLX5_Q_ERR },
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(allowed); i++) {
        if (allowed[i][0] == from && allowed[i][1] == to) {
            return true;
        }
    }
    return false;
}
