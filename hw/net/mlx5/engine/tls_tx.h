/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TX context of a TIS with tls_en: encrypts the record stream sent by the
 * driver.
 *
 * Owns the state machine, the expected sequence number, the record number and
 * the open record. Called by the device: UMR and SET_PSV WQEs set it up,
 * SEND/LSO payload and DUMP run through it in WQE order. It never transmits or
 * blocks, and calls back only the record log.
 *
 * Memory per context: struct Mlx5TlsTx (about 300 bytes) and references to up
 * to two keys. No cipher context, no buffer; see gcm.h. Its engine has the
 * counters.
 *
 * The rows are named below, defined as data in tls_tx_table.c and explained in
 * docs/tls-rows.md.
 *
 * In ACTIVE the expected sequence number is unknown, in ACTIVE_SEQ it is known.
 * Key, version and IV in use are those of the last SET_PSV: posting static
 * params alone has no effect on later packets.
 *
 * Zero means refusal: for a state and event that are not listed, or an invalid
 * state, no row is taken, the packet is dropped and the context becomes BROKEN;
 * a zeroed result says DROP.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_TX_H
#define HW_NET_MLX5_ENGINE_TLS_TX_H

#include "tls_engine.h"
#include "tls_record.h"
#include "tls_setup.h"

typedef enum Mlx5TlsTxState {
    MLX5_TLS_TX_INVALID = 0,
    MLX5_TLS_TX_START,
    MLX5_TLS_TX_ACTIVE,
    MLX5_TLS_TX_ACTIVE_SEQ,
    MLX5_TLS_TX_BROKEN,
    MLX5_TLS_TX_STATES
} Mlx5TlsTxState;

/* X(number, name, description), as in MLX5_TLS_RX_ROWS. */
#define MLX5_TLS_TX_ROWS(X)                                                   \
    X(1, STATIC, "static params stored")                                      \
    X(2, SET_PSV,                                                             \
      "SET_PSV START: reset, record number from the static params")           \
    X(3, START_DUMP, "START, DUMP: feed")                                     \
    X(4, START_PACKET, "START, packet: encrypt")                              \
    X(5, ACTIVE_PACKET, "ACTIVE, packet: encrypt, sequence now known")        \
    X(6, ACTIVE_DUMP, "ACTIVE, DUMP: feed")                                   \
    X(7, IN_SEQUENCE, "ACTIVE, packet in sequence: encrypt")                  \
    X(8, OUT_OF_SEQUENCE, "ACTIVE, packet out of sequence: drop")             \
    X(9, SEQ_DUMP, "ACTIVE, DUMP: feed, expect what follows it")              \
    X(10, INVALID_PACKET, "INVALID, packet: drop")                            \
    X(11, INVALID_DUMP, "INVALID, DUMP: ignore")                              \
    X(12, BAD_HEADER, "bad record header: drop the packet, wait for SET_PSV") \
    X(13, UNUSABLE,                                                           \
      "SET_PSV START without good static params or key: INVALID")             \
    X(14, PSV_REFUSED, "SET_PSV with other codes: refused")                   \
    X(15, EMPTY, "no payload: nothing to do")                                 \
    X(16, BROKEN_PACKET, "BROKEN, packet: drop")                              \
    X(17, BROKEN_DUMP, "BROKEN, DUMP: ignore")

typedef enum Mlx5TlsTxRow {
    MLX5_TLS_TX_ROW_NONE = 0,   /* no such cell: refused */
#define MLX5_TLS_TX_ROW_ENUM(number, name, text) \
    MLX5_TLS_TX_ROW_##name = number,
    MLX5_TLS_TX_ROWS(MLX5_TLS_TX_ROW_ENUM)
#undef MLX5_TLS_TX_ROW_ENUM
    MLX5_TLS_TX_ROW_END
} Mlx5TlsTxRow;

typedef enum Mlx5TlsTxVerdict {
    MLX5_TLS_TX_DROP = 0,       /* send nothing, complete successfully */
    MLX5_TLS_TX_ERROR_CQE,      /* send nothing, complete in error
                                 * (tx-seq-check) */
    MLX5_TLS_TX_SEND,           /* payload is encrypted (or empty): send it */
} Mlx5TlsTxVerdict;

/* The result of a call, as needed for a trace and the log. */
typedef struct Mlx5TlsTxResult {
    Mlx5TlsTxVerdict verdict;
    Mlx5TlsReason reason;
    uint8_t row;                /* Mlx5TlsTxRow; NONE also if too long */
    Mlx5TlsTxState state_before;
    Mlx5TlsTxState state_after;
    bool exp_known;             /* before the call: */
    uint32_t exp_seq;           /* the expected sequence number */
    uint32_t records;           /* records completed by these bytes */
} Mlx5TlsTxResult;

/* One per TIS. All members are private; embed it and do not move it. */
typedef struct Mlx5TlsTx {
    Mlx5TlsEngine *engine;
    uint32_t id;
    uint8_t state;              /* Mlx5TlsTxState */
    uint8_t hdr_fill;           /* bytes read of the next header, 0..4 */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    bool rec_sent, rec_dumped;  /* how the open record's bytes came */
    bool rec_sn_known;
    uint32_t rec_sn;            /* of the open record's header */
    uint32_t exp_seq;           /* valid in ACTIVE_SEQ */
    Mlx5TlsSetup setup;
    Mlx5TlsRecord rec;
} Mlx5TlsTx;

/* @id: the TIS number, for the record log only. State INVALID. */
void mlx5_tls_tx_init(Mlx5TlsTx *tx, Mlx5TlsEngine *engine, uint32_t id);

/*
 * Ends the context: releases the keys and zeroes everything. Init makes it
 * usable again; a recycled TIS does not need that, since SET_PSV resets
 * everything. Allowed on a zeroed struct.
 */
void mlx5_tls_tx_clear(Mlx5TlsTx *tx);

/*
 * UMR static params (TX1). @image: tls_static_params of the WQE. @key: the key
 * of dek_index or NULL; the context takes its own reference. Returns NONE,
 * NO_KEY (stored; SET_PSV will leave the context INVALID) or BAD_PARAMS (stored
 * as unusable, likewise).
 */
Mlx5TlsReason
mlx5_tls_tx_set_static(Mlx5TlsTx *tx,
                       const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                       Mlx5TlsKey *key);

/*
 * SET_PSV (TX2, TX13, TX14). @image: tls_progress_params. Returns NONE if the
 * context is now in START; NO_CTX, NO_KEY or BAD_PARAMS if it is INVALID or
 * (TX14) unchanged.
 */
Mlx5TlsReason
mlx5_tls_tx_set_progress(Mlx5TlsTx *tx,
                         const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);

/*
 * Processes the whole TCP payload of a SEND or LSO WQE, before segmentation;
 * @seq is the sequence number of its first byte. With MLX5_TLS_TX_SEND the
 * payload has been encrypted in place. On a drop it is still plaintext and must
 * not be sent.
 */
void mlx5_tls_tx_packet(Mlx5TlsTx *tx, uint32_t seq, uint8_t *payload,
                        size_t len, Mlx5TlsTxResult *res);

/*
 * DUMP: processes stream bytes without sending them. The verdict is always
 * MLX5_TLS_TX_DROP; reason NONE means that they were accepted.
 */
void mlx5_tls_tx_dump(Mlx5TlsTx *tx, const uint8_t *data, size_t len,
                      Mlx5TlsTxResult *res);

/* Returns whether a record is open, with its number. */
static inline bool mlx5_tls_tx_open(const Mlx5TlsTx *tx, uint64_t *number)
{
    *number = tx->rec.s.number;
    return mlx5_tls_record_is_open(&tx->rec);
}

/*
 * Return the text of a row ("TX8: ACTIVE, packet out of sequence: drop") or
 * state.
 */
const char *mlx5_tls_tx_row_str(unsigned row);
const char *mlx5_tls_tx_state_str(unsigned state);

#endif
