/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TX context as data: maps state and event to row, next state, verdict,
 * reason and action. tls_tx.h names the rows, tls_tx.c executes them. Owns no
 * state.
 */
#include "tls_tx_table.h"

/* Row, next state, verdict, reason and action of a cell. */
#define C(row, next, verdict, reason, action) \
    { MLX5_TLS_TX_ROW_##row, MLX5_TLS_TX_##next, MLX5_TLS_TX_##verdict, \
      MLX5_TLS_REASON_##reason, TX_ACT_##action }

#define CONTROL_CELLS \
    [TX_EV_EMPTY] = C(EMPTY, SAME, SEND, EMPTY, NONE), \
    [TX_EV_STATIC] = C(STATIC, SAME, DROP, NONE, NONE), \
    [TX_EV_START] = C(SET_PSV, START, DROP, NONE, RUN), \
    [TX_EV_START_UNUSABLE] = C(UNUSABLE, INVALID, DROP, NO_CTX, STOP), \
    [TX_EV_PSV_OTHER] = C(PSV_REFUSED, SAME, DROP, BAD_PARAMS, NONE)

/*
 * Only ACTIVE_SEQ has an expected sequence number, and only contexts that
 * accept bytes check headers.
 */
static const TxCell machine[MLX5_TLS_TX_STATES][TX_EVENTS] = {
    [MLX5_TLS_TX_INVALID] = {
        [TX_EV_PACKET] = C(INVALID_PACKET, SAME, DROP, NO_CTX, NONE),
        [TX_EV_DUMP] = C(INVALID_DUMP, SAME, DROP, NO_CTX, NONE),
        CONTROL_CELLS,
    },
    [MLX5_TLS_TX_START] = {
        [TX_EV_PACKET] = C(START_PACKET, ACTIVE_SEQ, SEND, NONE, FEED_START),
        [TX_EV_DUMP] = C(START_DUMP, ACTIVE, DROP, NONE, FEED_BLIND),
        [TX_EV_BAD_HEADER] = C(BAD_HEADER, BROKEN, DROP, BAD_HEADER, BREAK),
        CONTROL_CELLS,
    },
    [MLX5_TLS_TX_ACTIVE] = {
        [TX_EV_PACKET] = C(ACTIVE_PACKET, ACTIVE_SEQ, SEND, NONE, FEED_START),
        [TX_EV_DUMP] = C(ACTIVE_DUMP, SAME, DROP, NONE, FEED_BLIND),
        [TX_EV_BAD_HEADER] = C(BAD_HEADER, BROKEN, DROP, BAD_HEADER, BREAK),
        CONTROL_CELLS,
    },
    [MLX5_TLS_TX_ACTIVE_SEQ] = {
        [TX_EV_PACKET] = C(IN_SEQUENCE, SAME, SEND, NONE, FEED),
        [TX_EV_PACKET_OTHER] = C(OUT_OF_SEQUENCE, SAME, DROP, SEQ_MISMATCH,
                                 SEQ_CHECK),
        [TX_EV_DUMP] = C(SEQ_DUMP, SAME, DROP, NONE, FEED),
        [TX_EV_BAD_HEADER] = C(BAD_HEADER, BROKEN, DROP, BAD_HEADER, BREAK),
        CONTROL_CELLS,
    },
    [MLX5_TLS_TX_BROKEN] = {
        [TX_EV_PACKET] = C(BROKEN_PACKET, SAME, DROP, BROKEN, NONE),
        [TX_EV_DUMP] = C(BROKEN_DUMP, SAME, DROP, BROKEN, NONE),
        CONTROL_CELLS,
    },
};

static const char *const row_text[] = {
    "no row",
#define TEXT(number, name, text) [number] = "TX" #number ": " text,
    MLX5_TLS_TX_ROWS(TEXT)
#undef TEXT
};

static const char *const states[MLX5_TLS_TX_STATES] = {
    [MLX5_TLS_TX_INVALID] = "INVALID",
    [MLX5_TLS_TX_START] = "START",
    [MLX5_TLS_TX_ACTIVE] = "ACTIVE",
    [MLX5_TLS_TX_ACTIVE_SEQ] = "ACTIVE_SEQ",
    [MLX5_TLS_TX_BROKEN] = "BROKEN",
};

const TxCell *mlx5_tls_tx_cell(unsigned state, unsigned event)
{
    static const TxCell none;

    return state < MLX5_TLS_TX_STATES && event < TX_EVENTS
           ? &machine[state][event] : &none;
}

const char *mlx5_tls_tx_row_str(unsigned row)
{
    return row_text[row < MLX5_TLS_TX_ROW_END ? row : MLX5_TLS_TX_ROW_NONE];
}

const char *mlx5_tls_tx_state_str(unsigned state)
{
    return state < MLX5_TLS_TX_STATES ? states[state] : "unknown state";
}
