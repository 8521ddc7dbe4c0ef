/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tls_tx_table.c (data only) and tls_tx.c (the code behind it) share.
 * Nobody else includes it but tests. Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_TX_TABLE_H
#define HW_NET_MLX5_ENGINE_TLS_TX_TABLE_H

#include "tls_tx.h"

typedef enum TxEvent {
    TX_EV_PACKET = 0,       /* sequence number not known, or as expected */
    TX_EV_PACKET_OTHER,     /* not the sequence number expected */
    TX_EV_DUMP,
    TX_EV_EMPTY,            /* packet or DUMP without a byte */
    TX_EV_BAD_HEADER,       /* a packet or DUMP would bring a bad header */
    TX_EV_STATIC,
    TX_EV_START,            /* SET_PSV START, static params and key are good */
    TX_EV_START_UNUSABLE,   /* SET_PSV START without them */
    TX_EV_PSV_OTHER,        /* SET_PSV with other codes */
    TX_EVENTS
} TxEvent;

typedef enum TxAction {
    TX_ACT_REFUSE = 0,      /* no such cell: forget the stream; BROKEN */
    TX_ACT_NONE,            /* leave the context as it is */
    TX_ACT_FEED_START,      /* feed; the packet's end is the next sequence
                             * number */
    TX_ACT_FEED,            /* feed; expect the bytes behind them */
    TX_ACT_FEED_BLIND,      /* feed; the sequence number stays unknown */
    TX_ACT_SEQ_CHECK,       /* what tx-seq-check says */
    TX_ACT_BREAK,           /* forget the stream */
    TX_ACT_RUN,             /* begin again with the static params */
    TX_ACT_STOP,            /* begin again with nothing */
} TxAction;

#define MLX5_TLS_TX_SAME MLX5_TLS_TX_STATES

typedef struct TxCell {
    uint8_t row;
    uint8_t next;           /* Mlx5TlsTxState or MLX5_TLS_TX_SAME */
    uint8_t verdict;        /* Mlx5TlsTxVerdict */
    uint8_t reason;         /* Mlx5TlsReason */
    uint8_t action;         /* TxAction */
} TxCell;

/*
 * State and event to cell. Cells without an entry belong to pairs that do not
 * come up: they are all zero, which refuses, and so do numbers that are no
 * state or event at all.
 */
const TxCell *mlx5_tls_tx_cell(unsigned state, unsigned event);

#endif
