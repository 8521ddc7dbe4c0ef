/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work queue entries of send queues: the table of opcodes, and the decoded
 * form. wqe.c decodes and dispatches; the handlers, named after their opcode,
 * are in tx.c (packets), tls_wqe.c (TLS control) and umr.c (memory keys).
 * docs/adding-a-wqe.md is a walk-through.
 */
#ifndef HW_NET_MLX5_WQE_H
#define HW_NET_MLX5_WQE_H

#include "hw/net/mlx5/prm_queue.h"
#include "engine/fault_rule.h"
#include "engine/secret.h"
#include "engine/tls_types.h"

#define MLX5_WQEBB 64
#define MLX5_MAX_WQEBBS 16 /* the longest WQE, in 64-byte blocks */
#define MLX5_WQE_UNIT 16   /* unit of lengths and segments, in bytes */

typedef struct Mlx5Sq Mlx5Sq;
typedef struct Mlx5Tis Mlx5Tis;
typedef struct Mlx5Tir Mlx5Tir;
typedef struct Mlx5WqeDesc Mlx5WqeDesc;

/* The result of a WQE. */
typedef enum Mlx5TxResult {
    MLX5_TX_ERROR = 0, /* failed with wqe->syndrome */
    MLX5_TX_DONE,      /* finished; its CQE may be written */
    MLX5_TX_BLOCKED,   /* the backend is full; call mlx5_tx_continue() later */
    MLX5_TX_MORE,      /* port->tx_budget is used up; as above */
    MLX5_TX_WAIT,      /* deferred by a fault; its queue runs again later */
} Mlx5TxResult;

/*
 * A WQE: a copy, which the driver can no longer change, with its decoded
 * control segment. There is only one at a time, port->wqe.
 */
typedef struct Mlx5Wqe {
    uint64_t serial; /* counts up over all queues, from 1 */
    const Mlx5WqeDesc *desc; /* its table row, NULL: none */
    uint8_t opcode;
    uint8_t opc_mod;
    uint8_t ds;       /* its length in units of 16 bytes */
    uint8_t bbs;      /* its length in blocks of the ring */
    bool ce;          /* a CQE is requested even on success */
    uint8_t syndrome; /* for MLX5_TX_ERROR: MLX5_CQE_SYN_* */
    /* its subject, as its row defines: */
    Mlx5TlsDir dir;   /* a TIS (TX) or a TIR (RX), */
    bool subject;     /* if any, */
    uint32_t num;     /* by its number; 0 of a packet: none */
    /* as found, with a TLS context, when it is begun; else NULL, and why: */
    Mlx5Tis *tis;
    Mlx5Tir *tir;
    const char *missing;
    Mlx5FaultVerdict fault; /* of the fault rules; hits = 0: none, ignore it */
    uint8_t bytes[MLX5_MAX_WQEBBS * MLX5_WQEBB]; /* ds * 16 of them are valid */
} Mlx5Wqe;

typedef Mlx5TxResult Mlx5WqeHandler(Mlx5Sq *sq, Mlx5Wqe *wqe);

/* Kinds of subject a WQE can have. */
typedef enum Mlx5WqeSubject {
    MLX5_WQE_OF_NONE = 0,
    MLX5_WQE_OF_TIS,
    /*
     * TIS or TIR, selected by opc_mod. Together with the length, opc_mod
     * distinguishes this use of the opcode from others that are not supported.
     */
    MLX5_WQE_OF_MOD,
} Mlx5WqeSubject;

/* wqe_ctrl.opc_mod of MLX5_WQE_OF_MOD */
enum { MLX5_OPC_MOD_TIS = 1, MLX5_OPC_MOD_TIR = 2 };

/* Byte offset of the subject's number, 3 bytes, in a WQE. */
#define MLX5_WQE_AT(segment, layout, field, byte) \
    ((segment) + MLX5_BIT_##layout##_##field / 8 + (byte))
#define MLX5_WQE_NUM_CTRL MLX5_WQE_AT(0, wqe_ctrl, tis_tir_num, 0)
#define MLX5_WQE_NUM_SET_PSV MLX5_WQE_AT(0x10, wqe_set_psv, tis_tir_num, 0)
#define MLX5_WQE_NUM_GET_PSV MLX5_WQE_AT(0x10, wqe_get_psv, psv_index_0, 1)

/*
 * X(opcode, NAME, handler, ds, subject, num, fault, frames), sorted by opcode:
 * ds is the required length in units of 16 bytes, or 0 if the handler checks
 * it; num locates the subject's number (MLX5_WQE_NUM_*); fault is its kind in
 * fault rules (MLX5_FAULT_WQE_*); frames says whether it sends any. 0x125 is
 * opcode 0x25 with opc_mod 0, which has nothing to do with TLS.
 */
#define MLX5_WQES(X)                                                     \
    X(0x00, NOP, nop, 0, NONE, CTRL, NOP, false)                         \
    X(0x0a, SEND, send, 0, TIS, CTRL, SEND, true)                        \
    X(0x0e, LSO, lso, 0, TIS, CTRL, LSO, true)                           \
    X(0x20, SET_PSV, set_psv, 2, MOD, SET_PSV, SET_PSV, false)           \
    X(0x21, GET_PSV, get_psv, 4, MOD, GET_PSV, GET_PSV, false)           \
    X(0x23, DUMP, dump, 2, TIS, CTRL, DUMP, false)                       \
    X(0x25, UMR, umr, 12, MOD, CTRL, UMR_STATIC, false)                  \
    X(0x29, ENHANCED_MPSW, enhanced_mpsw, 0, TIS, CTRL, SEND, true)      \
    X(0x125, UMR_KEY, umr_key, 0, NONE, CTRL, UMR_KEY, false)

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
 * Copies the WQE at sq->cc and decodes it. Returns false if it cannot be read
 * or its control segment is invalid; wqe->syndrome is set, and bbs says how far
 * to advance.
 */
bool mlx5_wqe_fetch(Mlx5Wqe *wqe, Mlx5Sq *sq);
/*
 * Reads from the WQE at sq->cc only what its CQE needs; it is not executed.
 * Returns false if it cannot be read.
 */
bool mlx5_wqe_peek(Mlx5Wqe *wqe, Mlx5Sq *sq);
/* Executes a WQE, unless a fault rule prevents it. */
Mlx5TxResult mlx5_wqe_execute(Mlx5Sq *sq, Mlx5Wqe *wqe);
/* Erases the copy, which may contain plaintext and IVs. */
static inline void mlx5_wqe_erase(Mlx5Wqe *wqe)
{
    mlx5_secret_erase(wqe->bytes, MIN(wqe->ds * MLX5_WQE_UNIT,
                                      sizeof(wqe->bytes)));
    wqe->ds = 0;
}

#endif
