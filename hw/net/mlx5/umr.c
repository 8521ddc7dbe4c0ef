/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Control WQEs of TLS: UMR with static params, SET_PSV, GET_PSV, DUMP (driver:
 * en_accel/ktls_utils.h, ktls_txrx.c, ktls_tx.c, ktls_rx.c). Owns no state.
 *
 * WQEs of a queue are executed one after the other and in full, so a fence has
 * nothing to wait for. A WQE for a TIS or TIR that is gone, or not for this
 * queue (mlx5_tls_tis()), completes without error: drivers may still have some
 * queued when they destroy the object, and no driver recovers from an error on
 * these queues.
 */
#include "qemu/osdep.h"
#include "fault.h"
#include "tap.h"
#include "tls.h"
#include "trace.h"
#include "umr.h"

#define UMR_FLAG_INLINE 0x80
#define UMR_STATIC_OCTOWORDS (MLX5_TLS_STATIC_PARAMS_LEN / 16)

/* A GET_PSV answer is a tis_tir_num and the params, in a unit of 64 bytes. */
#define GET_PSV_UNIT 64

static Mlx5TxResult bad_wqe(uint8_t *syndrome)
{
    *syndrome = MLX5_CQE_SYN_LOCAL_QP_OP;
    return MLX5_TX_ERROR;
}

Mlx5TxResult mlx5_umr_wqe(Mlx5Sq *sq, uint8_t *syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *wqe = fn->port->tx.wqe;
    const uint8_t *umr = wqe + MLX5_UMR_CTRL_OFFSET;
    const uint8_t *params = wqe + MLX5_UMR_STATIC_OFFSET;
    uint32_t num = MLX5_GET(wqe_ctrl, wqe, tis_tir_num);
    uint8_t mod = MLX5_GET(wqe_ctrl, wqe, opc_mod);
    bool tx = mod == MLX5_OPC_MOD_TIS;
    Mlx5TlsKey *key = NULL;
    const char *done;
    Mlx5TlsReason why;
    Mlx5Tis *tis = NULL;
    Mlx5Tir *tir = NULL;
    uint32_t dek;

    if (mod != MLX5_OPC_MOD_TIS && mod != MLX5_OPC_MOD_TIR) {
        return bad_wqe(syndrome); /* memory key UMRs: no such capability */
    }
    if (fn->port->tx.ds != MLX5_UMR_DS ||
        MLX5_GET(wqe_umr_ctrl, umr, flags) != UMR_FLAG_INLINE ||
        MLX5_GET(wqe_umr_ctrl, umr, bsf_octowords) != UMR_STATIC_OCTOWORDS ||
        MLX5_GET64(wqe_umr_ctrl, umr, mkey_mask)) {
        return bad_wqe(syndrome);
    }
    dek = MLX5_GET(tls_static_params, params, dek_index);
    if (tx && (tis = mlx5_tls_tis(sq, num, &done))) {
        key = mlx5_dek_use(sq, dek, tis->pd);
        why = mlx5_tls_tx_set_static(tis->tls, params, key);
        done = mlx5_tls_reason_str(why);
    } else if (!tx && (tir = mlx5_tls_tir(sq, num, &done))) {
        key = mlx5_dek_use(sq, dek, NULL);
        mlx5_tls_rx_set_static(tir->tls, params, key, &why);
        done = mlx5_tls_reason_str(why);
    }
    if (tis || tir) {
        mlx5_tap_static_params(fn, tx ? MLX5_TLS_DIR_TX : MLX5_TLS_DIR_RX, num,
                               params, key);
    }
    trace_mlx5_tls_static(DEVICE(fn->dev)->id, tx ? "tis" : "tir", num, dek,
                          MLX5_GET64(tls_static_params, params,
                                     initial_record_number),
                          MLX5_GET(tls_static_params, params, resync_tcp_sn),
                          done);
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_set_psv_wqe(Mlx5Sq *sq, uint8_t *syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *wqe = fn->port->tx.wqe;
    const uint8_t *params = wqe + MLX5_SET_PSV_PARAMS_OFFSET;
    uint8_t mod = MLX5_GET(wqe_ctrl, wqe, opc_mod);
    bool tx = mod == MLX5_OPC_MOD_TIS;
    Mlx5TlsReason why;
    Mlx5Tis *tis = NULL;
    Mlx5Tir *tir = NULL;
    const char *done;
    uint32_t num;

    if ((mod != MLX5_OPC_MOD_TIS && mod != MLX5_OPC_MOD_TIR) ||
        fn->port->tx.ds != MLX5_SET_PSV_DS) {
        return bad_wqe(syndrome);
    }
    num = MLX5_GET(wqe_set_psv, wqe + MLX5_SET_PSV_OFFSET, tis_tir_num);
    if (tx && (tis = mlx5_tls_tis(sq, num, &done))) {
        why = mlx5_tls_tx_set_progress(tis->tls, params);
        done = mlx5_tls_reason_str(why);
    } else if (!tx && (tir = mlx5_tls_tir(sq, num, &done))) {
        why = mlx5_tls_rx_set_progress(tir->tls, params);
        done = mlx5_tls_reason_str(why);
    }
    if (tis || tir) {
        mlx5_tap_progress_params(fn, tx ? MLX5_TLS_DIR_TX : MLX5_TLS_DIR_RX,
                                 num, params);
    }
    trace_mlx5_tls_set_psv(DEVICE(fn->dev)->id, tx ? "tis" : "tir", num,
                           MLX5_GET(tls_progress_params, params,
                                    next_record_tcp_sn), done);
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_get_psv_wqe(Mlx5Sq *sq, uint8_t *syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *wqe = fn->port->tx.wqe;
    const uint8_t *seg = wqe + MLX5_GET_PSV_OFFSET;
    uint8_t answer[GET_PSV_UNIT] = { 0 };
    const char *why;
    uint64_t va;
    uint32_t tirn;
    Mlx5Tir *tir;

    if (MLX5_GET(wqe_ctrl, wqe, opc_mod) != MLX5_OPC_MOD_TIR ||
        fn->port->tx.ds != MLX5_GET_PSV_DS ||
        MLX5_GET(wqe_get_psv, seg, num_psv) != 1) {
        return bad_wqe(syndrome);
    }
    va = MLX5_GET64(wqe_get_psv, seg, va);
    tirn = MLX5_GET(wqe_get_psv, seg, psv_index_0) & 0xffffff;
    tir = mlx5_tls_tir(sq, tirn, &why);
    mlx5_st32(answer, tirn);
    if (tir) {
        mlx5_tls_rx_get_progress(tir->tls, answer + 4);
    } else {
        trace_mlx5_tls_get_psv_none(DEVICE(fn->dev)->id, tirn, why);
    }
    if (fn->faults) {
        mlx5_fault_get_psv(fn, answer + 4);
    }
    if (va & (GET_PSV_UNIT - 1) ||
        !mlx5_mkey_usable(fn, MLX5_GET(wqe_get_psv, seg, l_key), sq->pd,
                          true) ||
        !mlx5_dma_write(fn, va, answer, sizeof(answer))) {
        *syndrome = MLX5_CQE_SYN_LOCAL_PROT;
        return MLX5_TX_ERROR;
    }
    trace_mlx5_tls_get_psv(DEVICE(fn->dev)->id, tirn,
                           MLX5_GET(tls_progress_params, answer + 4,
                                    record_tracker_state),
                           MLX5_GET(tls_progress_params, answer + 4,
                                    auth_state),
                           MLX5_GET(tls_progress_params, answer + 4,
                                    hw_resync_tcp_sn));
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_dump_wqe(Mlx5Sq *sq, uint8_t *syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5TxPacket *tx = &fn->port->tx;
    const uint8_t *seg = tx->wqe + MLX5_DUMP_DATA_OFFSET;
    uint32_t n;

    if (tx->ds != MLX5_DUMP_DS || MLX5_GET(wqe_data, seg, is_inline)) {
        return bad_wqe(syndrome);
    }
    n = MLX5_GET(wqe_data, seg, byte_count);
    if (!n || n > fn->port->oper_mtu) {
        /* silicon takes no more than the MTU per DUMP; drivers split */
        *syndrome = MLX5_CQE_SYN_LOCAL_LENGTH;
        return MLX5_TX_ERROR;
    }
    tx->plain = n; /* erased when the WQE is over */
    if (!mlx5_mkey_usable(fn, MLX5_GET(wqe_data, seg, lkey), sq->pd, false) ||
        !mlx5_dma_read(fn, MLX5_GET64(wqe_data, seg, addr), tx->buf, n)) {
        *syndrome = MLX5_CQE_SYN_LOCAL_PROT;
        return MLX5_TX_ERROR;
    }
    mlx5_tls_dump(sq, MLX5_GET(wqe_ctrl, tx->wqe, tis_tir_num), tx->buf, n);
    return MLX5_TX_DONE;
}
