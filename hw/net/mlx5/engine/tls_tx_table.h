/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What tls_tx_table.c (the rows, data only) and tls_tx.c (the code behind them) share.
 * Nobody else includes it but tests. Owns no state.
 */
#ifndef MLX5_ENGINE_TLS_TX_TABLE_H
#define MLX5_ENGINE_TLS_TX_TABLE_H

#include "tls_tx.h"

typedef enum TxEvent {
    TX_EV_PACKET = 0,       /* sequence number not known, or as expected */
    TX_EV_PACKET_OTHER,     /* not the sequence number expected */
    TX_EV_DUMP,
    TX_EV_EMPTY,            /* packet or DUMP without a byte */
    TX_EV_BAD_HEADER,       /* a packet or DUMP would bring a bad header */
    TX_EV_STATIC,
    TX_EV_START,            /* SET_PSV START, static params and key are good */
    TX_EV_START_UNUSABLE,  /* SET_PSV START without them */
    TX_EV_PSV_OTHER,        /* SET_PSV with other codes */
    TX_EVENTS
} TxEvent;

typedef enum TxAction {
    TX_ACT_REFUSE = 0,      /* no such cell: forget the stream */
    TX_ACT_NONE,            /* leave the context as it is */
    TX_ACT_FEED_START,      /* feed; the packet's end is the next sequence number */
    TX_ACT_FEED,            /* feed; expect the bytes behind them */
    TX_ACT_FEED_BLIND,      /* feed; the sequence number stays unknown */
    TX_ACT_SEQ_CHECK,       /* what tx-seq-check says */
    TX_ACT_BREAK,           /* forget the stream */
    TX_ACT_RESET,           /* from the static params, or to INVALID */
} TxAction;

#define TX_SAME MLX5_TLS_TX_STATES

typedef struct TxRow {
    TxAction action;
    uint8_t next;           /* Mlx5TlsTxState or TX_SAME */
    Mlx5TlsTxVerdict verdict;
    Mlx5TlsReason reason;
    const char *text;
} TxRow;

/*
 * State and event to a row's number: 0, which refuses, for all pairs that do not come up
 * and for numbers that are no state or event at all.
 */
uint8_t mlx5_tls_tx_cell(unsigned state, unsigned event);

/* By row number. Row 0 sends nothing, takes nothing in, and ends in BROKEN. */
extern const TxRow mlx5_tls_tx_rows[MLX5_TLS_TX_ROWS + 1];

#endif /* MLX5_ENGINE_TLS_TX_TABLE_H */
