/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of the TX context, as data: what each does, and which one a state and an event
 * lead to. tls_tx.h lists them in words, tls_tx.c walks them. Owns no state.
 */
#include "tls_tx_table.h"

const TxRow mlx5_tls_tx_rows[MLX5_TLS_TX_ROWS + 1] = {
    [0] = { TX_ACT_REFUSE, MLX5_TLS_TX_BROKEN, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NO_ROW,
            "no row" },
    [1] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NONE,
            "TX1: static params stored" },
    [2] = { TX_ACT_RESET, MLX5_TLS_TX_START, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NONE,
            "TX2: SET_PSV START: reset, record number from the static params" },
    [3] = { TX_ACT_FEED_BLIND, MLX5_TLS_TX_ACTIVE, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NONE,
            "TX3: START, DUMP: feed" },
    [4] = { TX_ACT_FEED_START, MLX5_TLS_TX_ACTIVE_SEQ, MLX5_TLS_TX_SEND,
            MLX5_TLS_REASON_NONE, "TX4: START, packet: encrypt" },
    [5] = { TX_ACT_FEED_START, MLX5_TLS_TX_ACTIVE_SEQ, MLX5_TLS_TX_SEND,
            MLX5_TLS_REASON_NONE, "TX5: ACTIVE, packet: encrypt, sequence now known" },
    [6] = { TX_ACT_FEED_BLIND, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NONE,
            "TX6: ACTIVE, DUMP: feed" },
    [7] = { TX_ACT_FEED, TX_SAME, MLX5_TLS_TX_SEND, MLX5_TLS_REASON_NONE,
            "TX7: ACTIVE, packet in sequence: encrypt" },
    [8] = { TX_ACT_SEQ_CHECK, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_SEQ_MISMATCH,
            "TX8: ACTIVE, packet out of sequence: drop" },
    [9] = { TX_ACT_FEED, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NONE,
            "TX9: ACTIVE, DUMP: feed, expect what follows it" },
    [10] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NO_CTX,
             "TX10: INVALID, packet: drop" },
    [11] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NO_CTX,
             "TX11: INVALID, DUMP: ignore" },
    [12] = { TX_ACT_BREAK, MLX5_TLS_TX_BROKEN, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_BAD_HEADER,
             "TX12: bad record header: drop the packet, wait for SET_PSV" },
    [13] = { TX_ACT_RESET, MLX5_TLS_TX_INVALID, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_NO_CTX,
             "TX13: SET_PSV START without good static params or key: INVALID" },
    [14] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_BAD_PARAMS,
             "TX14: SET_PSV with other codes: refused" },
    [15] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_SEND, MLX5_TLS_REASON_EMPTY,
             "TX15: no payload: nothing to do" },
    [16] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_BROKEN,
             "TX16: BROKEN, packet: drop" },
    [17] = { TX_ACT_NONE, TX_SAME, MLX5_TLS_TX_DROP, MLX5_TLS_REASON_BROKEN,
             "TX17: BROKEN, DUMP: ignore" },
};

#define CONTROL_ROWS                                            \
    [TX_EV_EMPTY] = 15, [TX_EV_STATIC] = 1, [TX_EV_START] = 2,  \
    [TX_EV_START_UNUSABLE] = 13, [TX_EV_PSV_OTHER] = 14

/*
 * State and event to row. There are no zeros (row 0 refuses) among the pairs that can come up: only
 * ACTIVE_SEQ has an expectation to miss, and only contexts that feed look at headers.
 */
static const uint8_t machine[MLX5_TLS_TX_STATES][TX_EVENTS] = {
    [MLX5_TLS_TX_INVALID] = { CONTROL_ROWS, [TX_EV_PACKET] = 10, [TX_EV_DUMP] = 11 },
    [MLX5_TLS_TX_START] = { CONTROL_ROWS, [TX_EV_PACKET] = 4, [TX_EV_DUMP] = 3,
                            [TX_EV_BAD_HEADER] = 12 },
    [MLX5_TLS_TX_ACTIVE] = { CONTROL_ROWS, [TX_EV_PACKET] = 5, [TX_EV_DUMP] = 6,
                             [TX_EV_BAD_HEADER] = 12 },
    [MLX5_TLS_TX_ACTIVE_SEQ] = { CONTROL_ROWS, [TX_EV_PACKET] = 7, [TX_EV_PACKET_OTHER] = 8,
                                 [TX_EV_DUMP] = 9, [TX_EV_BAD_HEADER] = 12 },
    [MLX5_TLS_TX_BROKEN] = { CONTROL_ROWS, [TX_EV_PACKET] = 16, [TX_EV_DUMP] = 17 },
};

static const char *const states[MLX5_TLS_TX_STATES] = {
    [MLX5_TLS_TX_INVALID] = "INVALID",
    [MLX5_TLS_TX_START] = "START",
    [MLX5_TLS_TX_ACTIVE] = "ACTIVE",
    [MLX5_TLS_TX_ACTIVE_SEQ] = "ACTIVE_SEQ",
    [MLX5_TLS_TX_BROKEN] = "BROKEN",
};

uint8_t mlx5_tls_tx_cell(unsigned state, unsigned event)
{
    return state < MLX5_TLS_TX_STATES && event < TX_EVENTS ? machine[state][event] : 0;
}

const char *mlx5_tls_tx_row_str(unsigned row)
{
    return mlx5_tls_tx_rows[row <= MLX5_TLS_TX_ROWS ? row : 0].text;
}

const char *mlx5_tls_tx_state_str(unsigned state)
{
    return state < MLX5_TLS_TX_STATES ? states[state] : "unknown state";
}
