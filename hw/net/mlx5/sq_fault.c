/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What faults do to WQEs: they fail, are swallowed, are changed, or wait before
 * they are executed or with their completion. See fault.h. Called by the
 * scheduler of the send queues; what waits is in Mlx5Sq.held (sq_cqe.h).
 */
#include "qemu/osdep.h"
#include "fault.h"
#include "sq_cqe.h"
#include "tls.h"
#include "umr.h"

/* What the WQE in port->tx is, and whom it is about. */
static void describe_wqe(Mlx5Sq *sq, Mlx5FaultEvent *e)
{
    Mlx5Function *fn = sq->obj.fn;
    const Mlx5TxPacket *tx = &fn->port->tx;
    uint32_t num = MLX5_GET(wqe_ctrl, tx->wqe, tis_tir_num);
    uint8_t mod = MLX5_GET(wqe_ctrl, tx->wqe, opc_mod);
    bool by_mod = false;

    memset(e, 0, sizeof(*e));
    e->wqe = MLX5_FAULT_WQE_OTHER;
    e->sqn = sq->obj.id;
    e->tisn = -1;
    e->tirn = -1;
    switch (sq->wqe_opcode) {
    case MLX5_WQE_NOP:
        e->wqe = MLX5_FAULT_WQE_NOP;
        break;
    case MLX5_WQE_LSO:
        e->wqe = MLX5_FAULT_WQE_SEND | MLX5_FAULT_WQE_LSO;
        e->tisn = num;
        break;
    case MLX5_WQE_SEND:
    case MLX5_WQE_ENHANCED_MPSW:
        e->wqe = MLX5_FAULT_WQE_SEND;
        e->tisn = num;
        break;
    case MLX5_WQE_DUMP:
        e->wqe = MLX5_FAULT_WQE_DUMP;
        e->tisn = num;
        break;
    case MLX5_WQE_UMR:
        if (tx->ds == MLX5_UMR_DS) {
            e->wqe = MLX5_FAULT_WQE_UMR_STATIC;
            by_mod = true;
        }
        break;
    case MLX5_WQE_SET_PSV:
        if (tx->ds == MLX5_SET_PSV_DS) {
            e->wqe = MLX5_FAULT_WQE_SET_PSV;
            num = MLX5_GET(wqe_set_psv, tx->wqe + MLX5_SET_PSV_OFFSET,
                           tis_tir_num);
            by_mod = true;
        }
        break;
    case MLX5_WQE_GET_PSV:
        if (tx->ds == MLX5_GET_PSV_DS) {
            e->wqe = MLX5_FAULT_WQE_GET_PSV;
            num = MLX5_GET(wqe_get_psv, tx->wqe + MLX5_GET_PSV_OFFSET,
                           psv_index_0) & 0xffffff;
            by_mod = true;
        }
        break;
    }
    if (by_mod && mod == MLX5_OPC_MOD_TIS) {
        e->tisn = num;
    } else if (by_mod && mod == MLX5_OPC_MOD_TIR) {
        e->tirn = num;
    }
    if (e->wqe == MLX5_FAULT_WQE_UMR_STATIC && e->tirn >= 0) {
        Mlx5Tir *tir = mlx5_object_get(fn, MLX5_OBJ_TIR, num);

        if (tir && tir->tls &&
            mlx5_tls_rx_state(tir->tls) > MLX5_TLS_RX_START) {
            e->wqe |= MLX5_FAULT_WQE_APPROVAL;
        }
    }
}

/* Adds what rules say to the parameters that a WQE carries. */
static void change_params(Mlx5TxPacket *tx, unsigned kind,
                          const Mlx5FaultVerdict *v)
{
    uint8_t *p;

    if (kind & MLX5_FAULT_WQE_UMR_STATIC) {
        p = tx->wqe + MLX5_UMR_STATIC_OFFSET;
        mlx5_st64(p + MLX5_BIT_tls_static_params_initial_record_number / 8,
                  MLX5_GET64(tls_static_params, p, initial_record_number) +
                  v->record_add);
        MLX5_SET(tls_static_params, p, resync_tcp_sn,
                 MLX5_GET(tls_static_params, p, resync_tcp_sn) + v->seq_add);
    } else if (kind & MLX5_FAULT_WQE_SET_PSV) {
        p = tx->wqe + MLX5_SET_PSV_PARAMS_OFFSET;
        MLX5_SET(tls_progress_params, p, next_record_tcp_sn,
                 MLX5_GET(tls_progress_params, p, next_record_tcp_sn) +
                 v->seq_add);
    }
}

Mlx5FaultDo mlx5_fault_wqe(Mlx5Sq *sq, uint8_t *cqe_syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5Faults *f = fn->dev->faults;
    const Mlx5FaultWhat what = {
        .kind = "sq", .num = sq->obj.id, .at = sq->cc,
    };
    Mlx5FaultVerdict *v = &f->wqe_now;
    Mlx5SqHeld *held = sq->held;
    Mlx5FaultEvent e;
    Mlx5Gate *gate;

    if (held && held->before && !mlx5_gate_is_open(held->before)) {
        return MLX5_FAULT_DO_WAIT;
    }
    describe_wqe(sq, &e);
    if (held && held->asked) {
        *v = held->verdict;
        held->asked = false;
        g_clear_pointer(&held->before, mlx5_gate_free);
        mlx5_sq_held_tidy(sq);
    } else {
        mlx5_fault_event(f, &e, &what, v);
        if (!v->hits) {
            return MLX5_FAULT_DO_EXECUTE;
        }
        gate = v->before.rule ?
               mlx5_fault_gate(f, &v->before, e.tirn, &sq->waiter) : NULL;
        if (gate) {
            held = mlx5_sq_held(sq);
            held->before = gate;
            held->asked = true;
            held->verdict = *v;
            return MLX5_FAULT_DO_WAIT;
        }
    }
    gate = v->after.rule ?
           mlx5_fault_gate(f, &v->after, e.tirn, &sq->waiter) : NULL;
    if (gate) {
        mlx5_sq_held_behind(sq, gate);
    }
    if (v->fail) {
        *cqe_syndrome = v->syndrome;
        return MLX5_FAULT_DO_ERROR;
    }
    if (v->swallow) {
        return MLX5_FAULT_DO_NOTHING;
    }
    change_params(&fn->port->tx, e.wqe, v);
    return MLX5_FAULT_DO_EXECUTE;
}

void mlx5_fault_get_psv(Mlx5Function *fn, uint8_t *params)
{
    const Mlx5FaultVerdict *v = &fn->faults->wqe_now;

    if (v->state) {
        MLX5_SET(tls_progress_params, params, record_tracker_state,
                 v->tracker);
        MLX5_SET(tls_progress_params, params, auth_state, v->auth);
    }
    MLX5_SET(tls_progress_params, params, hw_resync_tcp_sn,
             MLX5_GET(tls_progress_params, params, hw_resync_tcp_sn) +
             v->seq_add);
}
