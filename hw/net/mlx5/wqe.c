/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WQEs of send queues: copies them from the ring, decodes them by table and
 * dispatches to their handlers; see wqe.h. Called by sched.c.
 */
#include "qemu/osdep.h"
#include "cq.h"
#include "dma.h"
#include "err.h"
#include "fault.h"
#include "ring.h"
#include "sq.h"
#include "tap.h"
#include "tls.h"
#include "wqe.h"

static const Mlx5WqeDesc descs[] = {
#define MLX5_WQE_ROW(op, NAME, handler_, ds_, subject_, num_, fault_, frames_) \
    [op] = { .handler = mlx5_wqe_##handler_, .ds = ds_,                        \
             .subject = MLX5_WQE_OF_##subject_, .num = MLX5_WQE_NUM_##num_,    \
             .fault = MLX5_FAULT_WQE_##fault_ |                                \
                      (frames_ ? MLX5_FAULT_WQE_SEND : 0),                     \
             .frames = frames_ },
    MLX5_WQES(MLX5_WQE_ROW)
#undef MLX5_WQE_ROW
};

/* Decodes the control segment except for the subject. */
static void decode(Mlx5Wqe *wqe)
{
    unsigned row;

    wqe->opcode = MLX5_GET(wqe_ctrl, wqe->bytes, opcode);
    wqe->opc_mod = MLX5_GET(wqe_ctrl, wqe->bytes, opc_mod);
    wqe->ce = MLX5_GET(wqe_ctrl, wqe->bytes, ce) >= 2;
    wqe->ds = MLX5_GET(wqe_ctrl, wqe->bytes, ds);
    wqe->bbs = DIV_ROUND_UP(wqe->ds * MLX5_WQE_UNIT, MLX5_WQEBB);
    row = wqe->opcode == MLX5_WQE_UMR && !wqe->opc_mod ? MLX5_WQE_UMR_KEY :
                                                         wqe->opcode;
    wqe->desc = NULL;
    if (row < ARRAY_SIZE(descs) && descs[row].handler) {
        wqe->desc = &descs[row];
    }
}

/* Finds the subject of the WQE; the only place that looks up its TIS or TIR. */
static void find_subject(Mlx5Wqe *wqe, const Mlx5Sq *sq)
{
    const Mlx5WqeDesc *desc = wqe->desc;
    const uint8_t *num;

    wqe->tis = NULL;
    wqe->tir = NULL;
    wqe->subject = false;
    wqe->num = 0;
    if (!desc || desc->subject == MLX5_WQE_OF_NONE) {
        return;
    }
    wqe->dir = MLX5_TLS_DIR_TX;
    if (desc->subject == MLX5_WQE_OF_MOD) {
        if (wqe->ds != desc->ds || (wqe->opc_mod != MLX5_OPC_MOD_TIS &&
                                    wqe->opc_mod != MLX5_OPC_MOD_TIR)) {
            return;
        }
        wqe->dir = wqe->opc_mod == MLX5_OPC_MOD_TIS ? MLX5_TLS_DIR_TX :
                                                      MLX5_TLS_DIR_RX;
    }
    wqe->subject = true;
    num = wqe->bytes + desc->num;
    wqe->num = num[0] << 16 | num[1] << 8 | num[2];
    if (wqe->dir == MLX5_TLS_DIR_RX) {
        wqe->tir = mlx5_tls_tir(sq, wqe->num, &wqe->missing);
    } else if (wqe->num || !desc->frames) {
        wqe->tis = mlx5_tls_tis(sq, wqe->num, &wqe->missing);
    }
}

/* Sets up a WQE that cannot be read or is malformed. */
static bool unreadable(Mlx5Wqe *wqe, uint8_t syndrome)
{
    wqe->bbs = 1;
    wqe->syndrome = syndrome;
    return false;
}

bool mlx5_wqe_fetch(Mlx5Wqe *wqe, Mlx5Sq *sq)
{
    Mlx5Function *fn = sq->obj.fn;
    uint16_t posted = sq->pc - sq->cc;
    unsigned i;

    wqe->serial++;
    wqe->opcode = 0;
    wqe->ce = true;
    wqe->fault.hits = 0;
    if (!mlx5_dma_read(fn, mlx5_ring_addr(&sq->ring, sq->cc), wqe->bytes,
                       MLX5_WQEBB)) {
        return unreadable(wqe, MLX5_CQE_SYN_LOCAL_PROT);
    }
    decode(wqe);
    if (!wqe->ds || wqe->bbs > MIN(posted, fn->max_wqebbs) ||
        MLX5_GET(wqe_ctrl, wqe->bytes, sqn) != sq->obj.id) {
        return unreadable(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    for (i = 1; i < wqe->bbs; i++) {
        if (!mlx5_dma_read(fn, mlx5_ring_addr(&sq->ring, sq->cc + i),
                           wqe->bytes + i * MLX5_WQEBB, MLX5_WQEBB)) {
            wqe->syndrome = MLX5_CQE_SYN_LOCAL_PROT;
            return false;
        }
    }
    find_subject(wqe, sq);
    return true;
}

bool mlx5_wqe_peek(Mlx5Wqe *wqe, Mlx5Sq *sq)
{
    uint16_t posted = sq->pc - sq->cc;

    if (!mlx5_dma_read(sq->obj.fn, mlx5_ring_addr(&sq->ring, sq->cc),
                       wqe->bytes, MLX5_WQE_UNIT)) {
        return false;
    }
    decode(wqe);
    wqe->ds = 1; /* the part that has been copied */
    wqe->bbs = MIN(MAX(wqe->bbs, 1), posted);
    return true;
}

/* Returns whether the WQE conforms to its table row. */
static bool well_formed(const Mlx5Wqe *wqe)
{
    return wqe->desc && (!wqe->desc->ds || wqe->ds == wqe->desc->ds) &&
           (wqe->subject || wqe->desc->subject != MLX5_WQE_OF_MOD);
}

Mlx5TxResult mlx5_wqe_execute(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5TxResult res;

    if ((fn->faults || sq->held) && !mlx5_fault_wqe(sq, wqe, &res)) {
        return res;
    }
    mlx5_tap_wqe_begin(fn, sq);
    if (!wqe->desc) {
        mlx5_err_wqe_opcode(fn, sq->obj.id, sq->cc, wqe->opcode);
    }
    if (!well_formed(wqe)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    res = wqe->desc->handler(sq, wqe);
    /* The driver may destroy them before the remaining frames are sent. */
    wqe->tis = NULL;
    wqe->tir = NULL;
    return res;
}

Mlx5TxResult mlx5_wqe_nop(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    return MLX5_TX_DONE;
}
