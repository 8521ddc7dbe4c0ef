/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on WQEs: a WQE may fail, be dropped or changed, or have its execution
 * or completion deferred. See fault.h. Called by wqe.c; deferred work is in
 * Mlx5Sq.held (sq_cqe.h).
 */
#include "qemu/osdep.h"
#include "fault.h"
#include "sq.h"
#include "sq_cqe.h"
#include "tir.h"
#include "tls.h"
#include "tls_wqe.h"

/* Returns the kinds of a WQE for rules, MLX5_FAULT_WQE_*. */
static unsigned kind_of(const Mlx5Wqe *wqe)
{
    const Mlx5WqeDesc *desc = wqe->desc;
    unsigned kind;

    if (!desc || (desc->subject == MLX5_WQE_OF_MOD && wqe->ds != desc->ds)) {
        return MLX5_FAULT_WQE_OTHER;
    }
    kind = desc->fault;
    if (kind == MLX5_FAULT_WQE_UMR_STATIC && wqe->tir &&
        mlx5_tls_rx_state(wqe->tir->tls) > MLX5_TLS_RX_START) {
        kind |= MLX5_FAULT_WQE_APPROVAL;
    }
    return kind;
}

static Mlx5FaultEvent event_of(const Mlx5Sq *sq, const Mlx5Wqe *wqe)
{
    Mlx5FaultEvent e = mlx5_fault_event_of(MLX5_FAULT_ON_WQE, kind_of(wqe));
    bool tx = wqe->dir == MLX5_TLS_DIR_TX;

    e.number[MLX5_FAULT_SQN] = sq->obj.id;
    if (wqe->subject) {
        e.number[tx ? MLX5_FAULT_TISN : MLX5_FAULT_TIRN] = wqe->num;
    }
    return e;
}

/* Applies the rules' changes to the parameters in a WQE. */
static void change_params(Mlx5Wqe *wqe, unsigned kind)
{
    const Mlx5FaultVerdict *v = &wqe->fault;
    uint8_t *p;

    if (kind & MLX5_FAULT_WQE_UMR_STATIC) {
        p = wqe->bytes + MLX5_UMR_STATIC_OFFSET;
        mlx5_st64(p + MLX5_BIT_tls_static_params_initial_record_number / 8,
                  MLX5_GET64(tls_static_params, p, initial_record_number) +
                  v->record_add);
        MLX5_SET(tls_static_params, p, resync_tcp_sn,
                 MLX5_GET(tls_static_params, p, resync_tcp_sn) + v->seq_add);
    } else if (kind & MLX5_FAULT_WQE_SET_PSV) {
        p = wqe->bytes + MLX5_SET_PSV_PARAMS_OFFSET;
        MLX5_SET(tls_progress_params, p, next_record_tcp_sn,
                 MLX5_GET(tls_progress_params, p, next_record_tcp_sn) +
                 v->seq_add);
    }
}

/* Creates the gate requested by @wait; returns NULL if none. */
static Mlx5Gate *gate_for(Mlx5Sq *sq, const Mlx5FaultWait *wait,
                          const Mlx5FaultEvent *e)
{
    return wait->rule ? mlx5_fault_gate(sq->obj.fn->dev->faults, wait,
                                        e->number[MLX5_FAULT_TIRN],
                                        &sq->waiter) : NULL;
}

bool mlx5_fault_wqe(Mlx5Sq *sq, Mlx5Wqe *wqe, Mlx5TxResult *res)
{
    const Mlx5FaultWhat what = {
        .kind = "sq", .num = sq->obj.id, .at = sq->cc,
    };
    Mlx5FaultVerdict *v = &wqe->fault;
    Mlx5SqHeld *held = sq->held;
    Mlx5FaultEvent e;
    Mlx5Gate *gate;

    *res = MLX5_TX_WAIT;
    if (held && held->before && !mlx5_gate_is_open(held->before)) {
        return false;
    }
    e = event_of(sq, wqe);
    if (held && held->asked) {
        *v = held->verdict;
        held->asked = false;
        g_clear_pointer(&held->before, mlx5_gate_free);
        mlx5_sq_held_tidy(sq);
    } else {
        mlx5_fault_event(sq->obj.fn->dev->faults, &e, &what, v);
        if (!v->hits) {
            return true;
        }
        gate = gate_for(sq, &v->before, &e);
        if (gate) {
            held = mlx5_sq_held(sq);
            held->before = gate;
            held->asked = true;
            held->verdict = *v;
            return false;
        }
    }
    gate = gate_for(sq, &v->after, &e);
    if (gate) {
        mlx5_sq_held_behind(sq, gate);
    }
    if (v->fail) {
        *res = mlx5_wqe_bad(wqe, v->syndrome);
        return false;
    }
    if (v->swallow) {
        *res = MLX5_TX_DONE;
        return false;
    }
    change_params(wqe, e.kinds);
    return true;
}

void mlx5_fault_get_psv(const Mlx5Wqe *wqe, uint8_t *params)
{
    const Mlx5FaultVerdict *v = &wqe->fault;

    if (!v->hits) {
        return;
    }
    if (v->state) {
        MLX5_SET(tls_progress_params, params, record_tracker_state,
                 v->tracker);
        MLX5_SET(tls_progress_params, params, auth_state, v->auth);
    }
    MLX5_SET(tls_progress_params, params, hw_resync_tcp_sn,
             MLX5_GET(tls_progress_params, params, hw_resync_tcp_sn) +
             v->seq_add);
}
