/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to tls_tx_table.c (the rows, as data), tls_tx.c (the code they refer
 * to) and tests. Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_TX_TABLE_H
#define HW_NET_MLX5_ENGINE_TLS_TX_TABLE_H

#include "tls_tx.h"

typedef enum TxEvent {
    TX_EV_PACKET = 0,       /* sequence number not known, or as expected */
    TX_EV_PACKET_OTHER,     /* not the expected sequence number */
    TX_EV_DUMP,
    TX_EV_EMPTY,            /* empty packet or DUMP */
    TX_EV_BAD_HEADER,       /* a packet or DUMP has a bad header */
    TX_EV_STATIC,
    TX_EV_START,            /* SET_PSV START, valid static params and key */
    TX_EV_START_UNUSABLE,   /* SET_PSV START without them */
    TX_EV_PSV_OTHER,        /* SET_PSV with other values */
    TX_EVENTS
} TxEvent;

typedef enum TxAction {
    TX_ACT_REFUSE = 0,      /* no such cell: drop the state; BROKEN */
    TX_ACT_NONE,            /* leave the context unchanged */
    TX_ACT_FEED_START,      /* feed; take the sequence number from the packet */
    TX_ACT_FEED,            /* feed; advance the sequence number */
    TX_ACT_FEED_BLIND,      /* feed; sequence number stays unknown */
    TX_ACT_SEQ_CHECK,       /* as tx-seq-check says */
    TX_ACT_BREAK,           /* drop the state */
    TX_ACT_RUN,             /* restart with the static params */
    TX_ACT_STOP,            /* restart without parameters */
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
 * Returns the cell for a state and an event. Pairs that do not occur have no
 * entry: they are all zero, which refuses. So do invalid state and event
 * numbers.
 */
const TxCell *mlx5_tls_tx_cell(unsigned state, unsigned event);

#endif
