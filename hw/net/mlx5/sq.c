/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Send queues: CREATE/MODIFY/DESTROY/QUERY_SQ and their doorbell (driver:
 * en_main.c, en/reporter_tx.c). Owns Mlx5Sq. sched.c takes the posted WQEs.
 */
#include "qemu/osdep.h"
#include "cmd.h"
#include "cq.h"
#include "err.h"
#include "memory.h"
#include "object.h"
#include "ring.h"
#include "sched.h"
#include "sq.h"
#include "tir.h"
#include "trace.h"
#include "wq.h"

#define LOG_SQ_STRIDE 6
/*
 * Memory used per queue by the strict=on checker, which may be switched on
 * later.
 */
#define SQ_CHECKER (MLX5_MEMORY_ENTRY + mlx5_memory_of(sizeof(uint64_t)))

void mlx5_sq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t sqn)
{
    Mlx5Sq *sq = mlx5_object_get(fn, MLX5_OBJ_SQ, sqn);

    if (!sq) {
        mlx5_err_doorbell_unknown(fn, "sq", sqn);
    } else if (sq->uar->obj.id != page) {
        mlx5_err_doorbell_foreign(fn, "sq", sqn, page, sq->uar->obj.id);
    } else {
        mlx5_sched_queue(sq);
    }
}

/* ------------------------------------------------------------- commands --- */

void mlx5_sq_destroy(void *obj)
{
    Mlx5Sq *sq = obj;

    mlx5_sched_forget(sq);
    mlx5_object_unref(sq->uar);
    mlx5_object_unref(sq->cq);
    mlx5_object_unref(sq->tis);
    mlx5_object_unref(sq->pd);
    mlx5_ring_free(&sq->ring);
}

/* Checks that @sqc describes a supported kind of queue. */
static Mlx5Syndrome check_sqc(const uint8_t *sqc)
{
    if (MLX5_GET(sqc, sqc, hairpin)) {
        return MLX5_SYN_WQ_HAIRPIN;
    }
    if (MLX5_GET(sqc, sqc, state) != MLX5_Q_RST) {
        return MLX5_SYN_WQ_BAD_STATE;
    }
    if (MLX5_GET(sqc, sqc, tis_lst_sz) > 1) {
        return MLX5_SYN_SQ_BAD_TIS_LIST;
    }
    return MLX5_OK;
}

/*
 * Finds the objects that @sqc refers to; *@tis may be NULL. Takes no
 * references.
 */
static Mlx5Syndrome find_of_sqc(Mlx5Cmd *cmd, const uint8_t *sqc, Mlx5Cq **cq,
                                Mlx5Tis **tis, Mlx5Uar **uar)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *wq = sqc + MLX5_WQ_IN_CTX;
    Mlx5Syndrome syn;

    *tis = NULL;
    syn = mlx5_object_find(fn, MLX5_OBJ_CQ, MLX5_GET(sqc, sqc, cqn), cmd->uid,
                           cq);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(sqc, sqc, tis_lst_sz)) {
        syn = mlx5_object_find(fn, MLX5_OBJ_TIS, MLX5_GET(sqc, sqc, tis_num_0),
                               cmd->uid, tis);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    return mlx5_object_find(fn, MLX5_OBJ_UAR, MLX5_GET(wq, wq, uar_page),
                            cmd->uid, uar);
}

Mlx5Syndrome mlx5_cmd_create_sq(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *sqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    Mlx5Syndrome syn = check_sqc(sqc);
    uint64_t dbr;
    Mlx5Ring ring;
    Mlx5Uar *uar;
    Mlx5Tis *tis;
    Mlx5Sq *sq;
    Mlx5Cq *cq;
    Mlx5Pd *pd;

    if (syn == MLX5_OK) {
        syn = find_of_sqc(cmd, sqc, &cq, &tis, &uar);
    }
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_wq_init(cmd, MLX5_WQ_CYCLIC, LOG_SQ_STRIDE, LOG_SQ_STRIDE, &ring,
                       &dbr, &pd);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_SQ, sizeof(*sq),
                             mlx5_ring_memory(&ring) + SQ_CHECKER, cmd->uid,
                             &sq);
    if (syn != MLX5_OK) {
        mlx5_ring_free(&ring);
        return syn;
    }
    sq->ring = ring;
    sq->dbr_addr = dbr;
    sq->uar = uar;
    mlx5_object_ref(uar);
    sq->cq = cq;
    mlx5_object_ref(cq);
    if (pd) {
        sq->pd = pd;
        mlx5_object_ref(pd);
    }
    if (tis) {
        sq->tis = tis;
        mlx5_object_ref(tis);
    }
    mlx5_sched_join(sq);
    sq->state = MLX5_Q_RST;
    memcpy(sq->sqc, sqc, sizeof(sq->sqc));
    MLX5_SET(cmd_id, cmd->out, id, sq->obj.id);
    trace_mlx5_create_wq(mlx5_id(fn), "sq", sq->obj.id, ring.log_size,
                         ring.log_stride, cq->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_sq(Mlx5Cmd *cmd)
{
    const uint8_t *sqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    uint32_t to = MLX5_GET(sqc, sqc, state);
    Mlx5Syndrome syn;
    Mlx5Sq *sq;

    if (MLX5_GET64(modify_sq_in, cmd->in, modify_bitmask)) {
        return MLX5_SYN_MODIFY_NOTHING_KNOWN; /* rate limits: no such cap */
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_SQ,
                           MLX5_GET(modify_sq_in, cmd->in, sqn), cmd->uid, &sq);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(modify_sq_in, cmd->in, sq_state) != sq->state) {
        return MLX5_SYN_WQ_STATE_MISMATCH;
    }
    if (!mlx5_wq_transition_ok(sq->state, to)) {
        return MLX5_SYN_WQ_BAD_STATE;
    }
    trace_mlx5_wq_state(mlx5_id(cmd->fn), "sq", sq->obj.id, sq->state, to);
    if (to == MLX5_Q_RST || sq->state == MLX5_Q_RST) {
        mlx5_sched_forget(sq);
        sq->pc = 0;
        sq->cc = 0;
    }
    sq->state = to;
    if (to == MLX5_Q_ERR) {
        mlx5_sched_queue(sq); /* flush posted WQEs */
    }
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_sq(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_SQ,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_sq(Mlx5Cmd *cmd)
{
    uint8_t *sqc = cmd->out + MLX5_WQ_CTX_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Sq *sq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_SQ,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &sq);
    if (syn != MLX5_OK) {
        return syn;
    }
    memcpy(sqc, sq->sqc, sizeof(sq->sqc));
    MLX5_SET(sqc, sqc, state, sq->state);
    return MLX5_OK;
}
