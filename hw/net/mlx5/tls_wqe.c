/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS control WQEs: UMR with static params, SET_PSV, GET_PSV, DUMP (driver:
 * en_accel/ktls_utils.h, ktls_txrx.c, ktls_tx.c, ktls_rx.c). Owns no state.
 * None of them ever returns MLX5_TX_BLOCKED.
 *
 * WQEs of a queue are executed completely and one after the other, so a fence
 * needs no action. A WQE whose TIS or TIR has been destroyed, or may not be
 * used by this queue (mlx5_tls_tis()), completes without error: drivers may
 * still have some queued when they destroy the object, and no driver recovers
 * from errors on these queues.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cq.h"
#include "dek.h"
#include "err.h"
#include "fault.h"
#include "mkey.h"
#include "sq.h"
#include "tap.h"
#include "tir.h"
#include "tls.h"
#include "tls_wqe.h"
#include "trace.h"

#define UMR_FLAG_INLINE 0x80
#define UMR_STATIC_OCTOWORDS (MLX5_TLS_STATIC_PARAMS_LEN / 16)

/*
 * The result of GET_PSV is a tis_tir_num and the params, in a unit of 64 bytes.
 */
#define GET_PSV_UNIT 64

/* Returns the subject of a WQE, for the trace. */
static const char *subject_name(const Mlx5Wqe *wqe)
{
    return wqe->dir == MLX5_TLS_DIR_TX ? "tis" : "tir";
}

/*
 * Returns the key that @params name, if they may: @pd is that of the TIS. A
 * cipher that is not announced has none.
 */
static Mlx5TlsKey *find_key(Mlx5Sq *sq, const uint8_t *params, const Mlx5Pd *pd)
{
    unsigned version = MLX5_GET(tls_static_params, params, tls_version);
    uint32_t dek = MLX5_GET(tls_static_params, params, dek_index);
    Mlx5TlsKey *key = mlx5_dek_use(sq, dek, pd);

    if (key && !mlx5_cap_cipher(sq->obj.fn, version, mlx5_tls_key_bits(key))) {
        mlx5_err_dek(sq->obj.fn, dek, "is for a cipher that is not announced");
        return NULL;
    }
    return key;
}

Mlx5TxResult mlx5_wqe_umr(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *umr = wqe->bytes + MLX5_UMR_CTRL_OFFSET;
    const uint8_t *params = wqe->bytes + MLX5_UMR_STATIC_OFFSET;
    uint32_t dek = MLX5_GET(tls_static_params, params, dek_index);
    const char *done = wqe->missing;
    Mlx5TlsKey *key = NULL;
    Mlx5TlsReason why;

    if (MLX5_GET(wqe_umr_ctrl, umr, flags) != UMR_FLAG_INLINE ||
        MLX5_GET(wqe_umr_ctrl, umr, bsf_octowords) != UMR_STATIC_OCTOWORDS ||
        MLX5_GET64(wqe_umr_ctrl, umr, mkey_mask)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    if (wqe->tis) {
        key = find_key(sq, params, wqe->tis->pd);
        why = mlx5_tls_tx_set_static(wqe->tis->tls, params, key);
        done = mlx5_tls_reason_str(why);
    } else if (wqe->tir) {
        key = find_key(sq, params, NULL);
        mlx5_tls_rx_set_static(wqe->tir->tls, params, key, &why);
        done = mlx5_tls_reason_str(why);
    }
    if (wqe->tis || wqe->tir) {
        mlx5_tap_static_params(fn, wqe->dir, wqe->num, params, key, done);
    }
    trace_mlx5_tls_static(mlx5_id(fn), subject_name(wqe), wqe->num,
                          dek,
                          MLX5_GET64(tls_static_params, params,
                                     initial_record_number),
                          MLX5_GET(tls_static_params, params, resync_tcp_sn),
                          done);
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_wqe_set_psv(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *params = wqe->bytes + MLX5_SET_PSV_PARAMS_OFFSET;
    const char *done = wqe->missing;

    if (wqe->tis) {
        done = mlx5_tls_reason_str(mlx5_tls_tx_set_progress(wqe->tis->tls,
                                                            params));
    } else if (wqe->tir) {
        done = mlx5_tls_reason_str(mlx5_tls_rx_set_progress(wqe->tir->tls,
                                                            params));
    }
    if (wqe->tis || wqe->tir) {
        mlx5_tap_progress_params(fn, wqe->dir, wqe->num, params, done);
    }
    trace_mlx5_tls_set_psv(mlx5_id(fn), subject_name(wqe), wqe->num,
                           MLX5_GET(tls_progress_params, params,
                                    next_record_tcp_sn), done);
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_wqe_get_psv(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    const uint8_t *seg = wqe->bytes + MLX5_GET_PSV_OFFSET;
    uint64_t va = MLX5_GET64(wqe_get_psv, seg, va);
    uint8_t answer[GET_PSV_UNIT] = { 0 };
    uint8_t *params = answer + 4;

    if (wqe->dir != MLX5_TLS_DIR_RX ||
        MLX5_GET(wqe_get_psv, seg, num_psv) != 1) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    mlx5_st32(answer, wqe->num);
    if (wqe->tir) {
        mlx5_tls_rx_get_progress(wqe->tir->tls, params);
    } else {
        trace_mlx5_tls_get_psv_none(mlx5_id(fn), wqe->num, wqe->missing);
    }
    if (fn->faults) {
        mlx5_fault_get_psv(wqe, params);
    }
    if (va & (GET_PSV_UNIT - 1) ||
        !mlx5_sg_write(fn, MLX5_GET(wqe_get_psv, seg, l_key), sq->pd, va,
                       answer, sizeof(answer))) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_PROT);
    }
    if (wqe->tir) {
        mlx5_tap_get_psv(fn, wqe->num, params);
    }
    trace_mlx5_tls_get_psv(mlx5_id(fn), wqe->num,
                           MLX5_GET(tls_progress_params, params,
                                    record_tracker_state),
                           MLX5_GET(tls_progress_params, params, auth_state),
                           MLX5_GET(tls_progress_params, params,
                                    hw_resync_tcp_sn));
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_wqe_dump(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5TxPacket *tx = &fn->port->tx;
    const uint8_t *seg = wqe->bytes + MLX5_DUMP_DATA_OFFSET;
    uint32_t n = MLX5_GET(wqe_data, seg, byte_count);

    if (MLX5_GET(wqe_data, seg, is_inline)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    if (!n || n > fn->port->oper_mtu) {
        /* silicon accepts at most the MTU per DUMP; drivers split */
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_LENGTH);
    }
    tx->plain = n; /* erased when the WQE ends */
    if (!mlx5_sg_read(fn, MLX5_GET(wqe_data, seg, lkey), sq->pd,
                      MLX5_GET64(wqe_data, seg, addr), tx->buf, n)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_PROT);
    }
    mlx5_tls_dump(sq, wqe, tx->buf, n);
    return MLX5_TX_DONE;
}
