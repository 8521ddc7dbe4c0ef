/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a send queue executes: the one table of WQEs, and one of them decoded.
 * wqe.c decodes and dispatches; handlers are in tx.c (packets) and tls_wqe.c
 * (TLS control), named after the WQE. docs/adding-a-wqe.md walks through it.
 */
#ifndef HW_NET_MLX5_WQE_H
#define HW_NET_MLX5_WQE_H

#include "hw/net/mlx5/prm_queue.h"
#include "engine/fault_rule.h"
#include "engine/secret.h"
#include "engine/tls_types.h"

#define MLX5_WQEBB 64
#define MLX5_MAX_WQEBBS 16 /* longest WQE, in 64-byte blocks */
#define MLX5_WQE_UNIT 16   /* of lengths and of the segments in a WQE */

typedef struct Mlx5Sq Mlx5Sq;
typedef struct Mlx5Tis Mlx5Tis;
typedef struct Mlx5Tir Mlx5Tir;
typedef struct Mlx5WqeDesc Mlx5WqeDesc;

/* The result of a WQE. */
typedef enum Mlx5TxResult {
    MLX5_TX_ERROR = 0, /* bad; wqe->syndrome says how */
    MLX5_TX_DONE,      /* it is finished, its CQE may be written */
    MLX5_TX_BLOCKED,   /* the backend is full; call mlx5_tx_continue() later */
    MLX5_TX_MORE,      /* port->tx_budget is used up; the same */
    MLX5_TX_WAIT,      /* a fault holds it; its queue gets a turn later */
} Mlx5TxResult;

/*
 * One WQE: a copy, which the driver can no longer change, and its decoded
 * control segment. There is one at a time, port->wqe.
 */
typedef struct Mlx5Wqe {
    uint64_t serial; /* increments over all queues, from 1 */
    const Mlx5WqeDesc *desc; /* its row, NULL: none */
    uint8_t opcode;
    uint8_t opc_mod;
    uint8_t ds;       /* its length in units of 16 bytes */
    uint8_t bbs;      /* the same in blocks of the ring */
    bool ce;          /* it gets a CQE however it ends */
    uint8_t syndrome; /* of MLX5_TX_ERROR, an MLX5_CQE_SYN_* */
    /* its subject, as its row says: */
    Mlx5TlsDir dir;   /* a TIS (TX) or a TIR (RX), */
    bool subject;     /* if any, */
    uint32_t num;     /* by its number; of a packet 0 is none */
    /* and found, with a TLS context, while it is begun; else NULL, and why: */
    Mlx5Tis *tis;
    Mlx5Tir *tir;
    const char *missing;
    Mlx5FaultVerdict fault; /* of the rules; hits = 0: none, ignore it */
    uint8_t bytes[MLX5_MAX_WQEBBS * MLX5_WQEBB]; /* ds of them, times 16 */
} Mlx5Wqe;

typedef Mlx5TxResult Mlx5WqeHandler(Mlx5Sq *sq, Mlx5Wqe *wqe);

/* The subject of a WQE. */
typedef enum Mlx5WqeSubject {
    MLX5_WQE_OF_NONE = 0,
    MLX5_WQE_OF_TIS,
    /*
     * opc_mod selects, and tells this use of the opcode from others that are
     * not known here, as does the length.
     */
    MLX5_WQE_OF_MOD,
} Mlx5WqeSubject;

/* wqe_ctrl.opc_mod of MLX5_WQE_OF_MOD */
enum { MLX5_OPC_MOD_TIS = 1, MLX5_OPC_MOD_TIR = 2 };

/* Where a WQE has the number of its subject: three bytes from here. */
#define MLX5_WQE_AT(segment, layout, field, byte) \
    ((segment) + MLX5_BIT_##layout##_##field / 8 + (byte))
#define MLX5_WQE_NUM_CTRL MLX5_WQE_AT(0, wqe_ctrl, tis_tir_num, 0)
#define MLX5_WQE_NUM_SET_PSV MLX5_WQE_AT(0x10, wqe_set_psv, tis_tir_num, 0)
#define MLX5_WQE_NUM_GET_PSV MLX5_WQE_AT(0x10, wqe_get_psv, psv_index_0, 1)

/*
 * X(opcode, NAME, handler, ds, subject, num, fault, frames), by opcode: ds is
 * the required length, in units of 16 bytes, or 0 if the handler checks it; num
 * is where the subject's number is (MLX5_WQE_NUM_*); fault is its name in fault
 * rules (MLX5_FAULT_WQE_*); frames: does it send any?
 */
#define MLX5_WQES(X)                                                     \
    X(0x00, NOP, nop, 0, NONE, CTRL, NOP, false)                         \
    X(0x0a, SEND, send, 0, TIS, CTRL, SEND, true)                        \
    X(0x0e, LSO, lso, 0, TIS, CTRL, LSO, true)                           \
    X(0x20, SET_PSV, set_psv, 2, MOD, SET_PSV, SET_PSV, false)           \
    X(0x21, GET_PSV, get_psv, 4, MOD, GET_PSV, GET_PSV, false)           \
    X(0x23, DUMP, dump, 2, TIS, CTRL, DUMP, false)                       \
    X(0x25, UMR, umr, 12, MOD, CTRL, UMR_STATIC, false)                  \
    X(0x29, ENHANCED_MPSW, enhanced_mpsw, 0, TIS, CTRL, SEND, true)

enum {
#define MLX5_WQE_OPCODE(op, NAME, handler, ds, subject, num, fault, frames) \
    MLX5_WQE_##NAME = op,
    MLX5_WQES(MLX5_WQE_OPCODE)
#undef MLX5_WQE_OPCODE
};

#define MLX5_WQE_HANDLER(op, NAME, handler, ds, subject, num, fault, frames) \
    Mlx5WqeHandler mlx5_wqe_##handler;
MLX5_WQES(MLX5_WQE_HANDLER)
#undef MLX5_WQE_HANDLER

struct Mlx5WqeDesc {
    Mlx5WqeHandler *handler;
    uint8_t ds;
    uint8_t subject; /* Mlx5WqeSubject */
    uint8_t num;
    bool frames;
    unsigned fault;
};

static inline Mlx5TxResult mlx5_wqe_bad(Mlx5Wqe *wqe, uint8_t syndrome)
{
    wqe->syndrome = syndrome;
    return MLX5_TX_ERROR;
}

/*
 * Copies the WQE at sq->cc and decodes it. Returns false if it cannot be read,
 * or its control segment is wrong; wqe->syndrome says how, and bbs how far to
 * advance.
 */
bool mlx5_wqe_fetch(Mlx5Wqe *wqe, Mlx5Sq *sq);
/*
 * Reads only what a CQE needs of the WQE at sq->cc, which is not executed.
 * Returns false if it cannot be read.
 */
bool mlx5_wqe_peek(Mlx5Wqe *wqe, Mlx5Sq *sq);
/* Executes it, unless a fault rule prevents that. */
Mlx5TxResult mlx5_wqe_execute(Mlx5Sq *sq, Mlx5Wqe *wqe);
/* Erases the copy, which may have plaintext and IVs. */
static inline void mlx5_wqe_erase(Mlx5Wqe *wqe)
{
    mlx5_secret_erase(wqe->bytes, MIN(wqe->ds * MLX5_WQE_UNIT,
                                      sizeof(wqe->bytes)));
    wqe->ds = 0;
}

#endif
