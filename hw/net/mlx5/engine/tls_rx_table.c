/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RX tracker as data: maps state and event to row, next state, reason and
 * action. tls_rx.h names the rows, tls_rx.c executes them. Owns no state.
 */
#include "tls_rx_table.h"

/* Row, next state, reason and action of a cell. */
#define C(row, next, reason, action) \
    { MLX5_TLS_RX_ROW_##row, MLX5_TLS_RX_##next, MLX5_TLS_REASON_##reason, \
      RX_ACT_##action }

#define STORE_CELLS \
    [RX_EV_STATIC] = C(STATIC, SAME, NONE, NONE)

#define PSV_CELLS \
    [RX_EV_START] = C(SET_PSV, START, NONE, RESET), \
    [RX_EV_START_UNUSABLE] = C(SET_PSV, NONE, NO_CTX, TO_NONE), \
    [RX_EV_PSV_OTHER] = C(PSV_REFUSED, SAME, BAD_PARAMS, NONE)

static const RxCell machine[MLX5_TLS_RX_STATES][RX_EVENTS] = {
    [MLX5_TLS_RX_NONE] = {
        [RX_EV_ANY] = C(NO_CONTEXT, SAME, NO_CTX, PASS),
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_START] = {
        [RX_EV_BEFORE] = C(BEFORE_ANCHOR, SAME, BEFORE_ANCHOR, PASS),
        [RX_EV_ANCHOR] = C(ANCHOR, OFFLOAD, NONE, ANCHOR),
        [RX_EV_FAR] = C(LATE_START, SEARCH, LATE_START, LOSE_ALL),
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_OFFLOAD] = {
        [RX_EV_IN] = C(IN_ORDER, SAME, NONE, DECRYPT),
        [RX_EV_OLD] = C(OLD, SAME, OLD, PASS),
        [RX_EV_OVL] = C(OVERLAP, SAME, OVERLAP, OVERLAP),
        [RX_EV_GAP] = C(HOLE, SAME, GAP, HOLE),
        [RX_EV_GAP_HEADER] = C(HEADER_LOST, SEARCH, HEADER_LOST, LOSE_ALL),
        [RX_EV_HEADER] = C(NONE, SAME, NONE, OPEN_DECRYPT),
        [RX_EV_HEADER_BAD] = C(BAD_HEADER, SEARCH, BAD_HEADER, LOSE_HEADER),
        [RX_EV_TAG_OK] = C(NONE, SAME, NONE, GOOD_TAG),
        [RX_EV_TAG_BAD] = C(NONE, SAME, BAD_TAG, BAD_TAG),
        [RX_EV_TAG_BAD_LOSE] = C(NONE, SEARCH, BAD_TAG, BAD_TAG_LOSE),
        [RX_EV_RECORD_END] = C(NONE, SAME, NONE, NONE),
        [RX_EV_ERROR_OPEN] = C(SKIP_BEGUN, SAME, NONE, SKIP_BEGUN),
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_CAND] = {
        [RX_EV_IN] = C(FOLLOW, SAME, UNANSWERED, FOLLOW),
        [RX_EV_OLD] = C(OLD, SAME, OLD, PASS),
        [RX_EV_OVL] = C(OVERLAP, SAME, OVERLAP, OVERLAP),
        [RX_EV_GAP] = C(CAND_HOLE, SAME, GAP, HOLE),
        [RX_EV_GAP_HEADER] = C(CAND_HEADER_LOST, SEARCH, HEADER_LOST, LOSE_ALL),
        [RX_EV_HEADER] = C(COUNT, SAME, NONE, COUNT),
        [RX_EV_HEADER_REPEAT] = C(REPEAT, SAME, NONE, REPEAT),
        [RX_EV_HEADER_BAD] = C(FALSE_CANDIDATE, SEARCH, BAD_HEADER,
                               LOSE_HEADER),
        [RX_EV_RECORD_END] = C(NONE, SAME, NONE, NONE),
        [RX_EV_STATIC] = C(STALE, SAME, STALE, NONE),
        [RX_EV_STATIC_MATCH] = C(APPROVED, AUTH, NONE, APPROVE),
        [RX_EV_STATIC_MATCH_OFF] = C(APPROVED, OFFLOAD, NONE, APPROVE),
        PSV_CELLS,
    },
    [MLX5_TLS_RX_AUTH] = {
        [RX_EV_IN] = C(FOLLOW, SAME, AUTHENTICATING, FOLLOW),
        [RX_EV_OLD] = C(OLD, SAME, OLD, PASS),
        [RX_EV_OVL] = C(OVERLAP, SAME, OVERLAP, OVERLAP),
        [RX_EV_GAP] = C(AUTH_HOLE, SAME, GAP, HOLE),
        [RX_EV_GAP_HEADER] = C(AUTH_HEADER_LOST, SEARCH, HEADER_LOST, LOSE_ALL),
        [RX_EV_HEADER] = C(AUTH_HEADER, SAME, NONE, OPEN_AUTH),
        [RX_EV_HEADER_BAD] = C(BAD_HEADER, SEARCH, BAD_HEADER, LOSE_HEADER),
        [RX_EV_TAG_OK] = C(AUTH_GOOD, OFFLOAD, NONE, NONE),
        [RX_EV_TAG_BAD] = C(AUTH_BAD, SEARCH, AUTH_FAILED, LOSE_ALL),
        [RX_EV_RECORD_END] = C(NONE, SAME, NONE, NONE),
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_SEARCH] = {
        [RX_EV_IN] = C(NONE, SAME, SEARCHING, SEARCH_ON),
        [RX_EV_OLD] = C(SEARCH_OLD, SAME, OLD, PASS),
        [RX_EV_OVL] = C(NONE, SAME, SEARCHING, SEARCH_ON),
        [RX_EV_GAP_HEADER] = C(NONE, SAME, SEARCHING, SEARCH_NEW),
        [RX_EV_FOUND] = C(CANDIDATE, CAND, NONE, CANDIDATE),
        [RX_EV_FOUND_CUT] = C(CUT_HEADER, LINK, NONE, LINK),
        [RX_EV_NOT_FOUND] = C(NOT_FOUND, SAME, NONE, NOT_FOUND),
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_LINK] = {
        [RX_EV_IN] = C(LINK, SAME, SEARCHING, FOLLOW),
        [RX_EV_OLD] = C(SEARCH_OLD, SAME, OLD, PASS),
        [RX_EV_OVL] = C(LINK, SAME, SEARCHING, OVERLAP),
        [RX_EV_GAP] = C(LINK, SAME, SEARCHING, HOLE),
        [RX_EV_GAP_HEADER] = C(LINK_BROKEN, SEARCH, SEARCHING, UNLINK_ALL),
        [RX_EV_HEADER] = C(CANDIDATE, CAND, NONE, CANDIDATE),
        [RX_EV_HEADER_CUT] = C(LINK, SAME, NONE, LINK),
        [RX_EV_HEADER_BAD] = C(LINK_BROKEN, SEARCH, NONE, UNLINK_HEADER),
        [RX_EV_RECORD_END] = C(NONE, SAME, NONE, NONE),
        STORE_CELLS, PSV_CELLS,
    },
};

static const char *const row_text[] = {
    "no row",
#define TEXT(number, name, text) [number] = "R" #number ": " text,
    MLX5_TLS_RX_ROWS(TEXT)
#undef TEXT
};

#define INFO(name, tracker, auth) \
    [MLX5_TLS_RX_##name] = { #name, MLX5_TLS_TRACKER_##tracker, \
                             MLX5_TLS_AUTH_##auth }

static const RxStateInfo states[MLX5_TLS_RX_STATES] = {
    INFO(NONE, START, NO_OFFLOAD),
    INFO(START, START, NO_OFFLOAD),
    INFO(OFFLOAD, TRACKING, OFFLOAD),
    INFO(CAND, TRACKING, NO_OFFLOAD),
    INFO(AUTH, TRACKING, AUTHENTICATION),
    INFO(SEARCH, SEARCHING, NO_OFFLOAD),
    INFO(LINK, SEARCHING, NO_OFFLOAD),
};

const RxCell *mlx5_tls_rx_cell(unsigned state, unsigned event)
{
    static const RxCell none;

    return state < MLX5_TLS_RX_STATES && event < RX_EVENTS
           ? &machine[state][event] : &none;
}

const RxStateInfo *mlx5_tls_rx_state_info(unsigned state)
{
    return &states[state < MLX5_TLS_RX_STATES ? state : MLX5_TLS_RX_NONE];
}

const char *mlx5_tls_rx_row_str(unsigned row)
{
    return row_text[row < MLX5_TLS_RX_ROW_END ? row : MLX5_TLS_RX_ROW_NONE];
}

const char *mlx5_tls_rx_state_str(unsigned state)
{
    return state < MLX5_TLS_RX_STATES ? states[state].name : "unknown state";
}
