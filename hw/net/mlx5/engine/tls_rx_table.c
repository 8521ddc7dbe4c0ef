/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rows of the RX tracker, as data: state and event to row number, next state, reason
 * and action. tls_rx.h lists them in words, tls_rx.c walks them. Owns no state.
 */
#include "tls_rx_table.h"

#define R(name)     MLX5_TLS_REASON_##name
#define OFFLOAD     MLX5_TLS_RX_OFFLOAD
#define CAND        MLX5_TLS_RX_CAND
#define AUTH        MLX5_TLS_RX_AUTH
#define SEARCH      MLX5_TLS_RX_SEARCH
#define LINK        MLX5_TLS_RX_LINK

#define STORE_CELLS                                                                     \
    [EV_STATIC] = { 25, RX_SAME, R(NONE), ACT_NONE }

#define PSV_CELLS                                                                       \
    [EV_START] = { 26, MLX5_TLS_RX_START, R(NONE), ACT_RESET },                         \
    [EV_START_UNUSABLE] = { 26, MLX5_TLS_RX_NONE, R(NO_CTX), ACT_TO_NONE },             \
    [EV_PSV_OTHER] = { 34, RX_SAME, R(BAD_PARAMS), ACT_NONE }

static const RxCell machine[MLX5_TLS_RX_STATES][RX_EVENTS] = {
    [MLX5_TLS_RX_NONE] = {
        [EV_ANY] = { 1, RX_SAME, R(NO_CTX), ACT_PASS },
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_START] = {
        [EV_BEFORE] = { 2, RX_SAME, R(BEFORE_ANCHOR), ACT_PASS },
        [EV_ANCHOR] = { 3, OFFLOAD, R(NONE), ACT_ANCHOR },
        [EV_FAR] = { 4, SEARCH, R(LATE_START), ACT_LOSE_ALL },
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_OFFLOAD] = {
        [EV_IN] = { 5, RX_SAME, R(NONE), ACT_DECRYPT },
        [EV_OLD] = { 6, RX_SAME, R(OLD), ACT_PASS },
        [EV_OVL] = { 7, RX_SAME, R(OVERLAP), ACT_OVERLAP },
        [EV_GAP] = { 8, RX_SAME, R(GAP), ACT_HOLE },
        [EV_GAP_HEADER] = { 9, SEARCH, R(HEADER_LOST), ACT_LOSE_ALL },
        [EV_HEADER] = { 0, RX_SAME, R(NONE), ACT_OPEN_DECRYPT },
        [EV_HEADER_BAD] = { 10, SEARCH, R(BAD_HEADER), ACT_LOSE_HEADER },
        [EV_TAG_OK] = { 0, RX_SAME, R(NONE), ACT_GOOD_TAG },
        [EV_TAG_BAD] = { 0, RX_SAME, R(BAD_TAG), ACT_BAD_TAG },
        [EV_TAG_BAD_LOSE] = { 0, SEARCH, R(BAD_TAG), ACT_BAD_TAG_LOSE },
        [EV_RECORD_END] = { 0, RX_SAME, R(NONE), ACT_NONE },
        [EV_ERROR_OPEN] = { 35, RX_SAME, R(NONE), ACT_SKIP_BEGUN },
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_CAND] = {
        [EV_IN] = { 29, RX_SAME, R(UNANSWERED), ACT_FOLLOW },
        [EV_OLD] = { 6, RX_SAME, R(OLD), ACT_PASS },
        [EV_OVL] = { 7, RX_SAME, R(OVERLAP), ACT_OVERLAP },
        [EV_GAP] = { 16, RX_SAME, R(GAP), ACT_HOLE },
        [EV_GAP_HEADER] = { 17, SEARCH, R(HEADER_LOST), ACT_LOSE_ALL },
        [EV_HEADER] = { 14, RX_SAME, R(NONE), ACT_COUNT },
        [EV_HEADER_REPEAT] = { 33, RX_SAME, R(NONE), ACT_REPEAT },
        [EV_HEADER_BAD] = { 15, SEARCH, R(BAD_HEADER), ACT_LOSE_HEADER },
        [EV_RECORD_END] = { 0, RX_SAME, R(NONE), ACT_NONE },
        [EV_STATIC] = { 19, RX_SAME, R(STALE), ACT_STALE },
        [EV_STATIC_MATCH] = { 18, AUTH, R(NONE), ACT_APPROVE },
        [EV_STATIC_MATCH_OFF] = { 18, OFFLOAD, R(NONE), ACT_APPROVE },
        PSV_CELLS,
    },
    [MLX5_TLS_RX_AUTH] = {
        [EV_IN] = { 29, RX_SAME, R(AUTHENTICATING), ACT_FOLLOW },
        [EV_OLD] = { 6, RX_SAME, R(OLD), ACT_PASS },
        [EV_OVL] = { 7, RX_SAME, R(OVERLAP), ACT_OVERLAP },
        [EV_GAP] = { 23, RX_SAME, R(GAP), ACT_HOLE },
        [EV_GAP_HEADER] = { 24, SEARCH, R(HEADER_LOST), ACT_LOSE_ALL },
        [EV_HEADER] = { 20, RX_SAME, R(NONE), ACT_OPEN_AUTH },
        [EV_HEADER_BAD] = { 10, SEARCH, R(BAD_HEADER), ACT_LOSE_HEADER },
        [EV_TAG_OK] = { 21, OFFLOAD, R(NONE), ACT_AUTH_GOOD },
        [EV_TAG_BAD] = { 22, SEARCH, R(AUTH_FAILED), ACT_AUTH_BAD },
        [EV_RECORD_END] = { 0, RX_SAME, R(NONE), ACT_NONE },
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_SEARCH] = {
        [EV_IN] = { 0, RX_SAME, R(SEARCHING), ACT_SEARCH_ON },
        [EV_OLD] = { 11, RX_SAME, R(OLD), ACT_PASS },
        [EV_OVL] = { 0, RX_SAME, R(SEARCHING), ACT_SEARCH_ON },
        [EV_GAP_HEADER] = { 0, RX_SAME, R(SEARCHING), ACT_SEARCH_NEW },
        [EV_FOUND] = { 12, CAND, R(NONE), ACT_CANDIDATE },
        [EV_FOUND_CUT] = { 30, LINK, R(NONE), ACT_LINK },
        [EV_NOT_FOUND] = { 13, RX_SAME, R(NONE), ACT_NOT_FOUND },
        STORE_CELLS, PSV_CELLS,
    },
    [MLX5_TLS_RX_LINK] = {
        [EV_IN] = { 31, RX_SAME, R(SEARCHING), ACT_FOLLOW },
        [EV_OLD] = { 11, RX_SAME, R(OLD), ACT_PASS },
        [EV_OVL] = { 31, RX_SAME, R(SEARCHING), ACT_OVERLAP },
        [EV_GAP] = { 31, RX_SAME, R(SEARCHING), ACT_HOLE },
        [EV_GAP_HEADER] = { 32, SEARCH, R(SEARCHING), ACT_UNLINK_ALL },
        [EV_HEADER] = { 12, CAND, R(NONE), ACT_CANDIDATE },
        [EV_HEADER_CUT] = { 31, RX_SAME, R(NONE), ACT_LINK },
        [EV_HEADER_BAD] = { 32, SEARCH, R(NONE), ACT_UNLINK_HEADER },
        [EV_RECORD_END] = { 0, RX_SAME, R(NONE), ACT_NONE },
        STORE_CELLS, PSV_CELLS,
    },
};

static const char *const row_text[MLX5_TLS_RX_ROWS + 1] = {
    [1] = "R1: NONE, packet: pass",
    [2] = "R2: START, packet before the anchor: pass",
    [3] = "R3: START, anchor in the packet: parse from there",
    [4] = "R4: START, packet beyond the anchor: search",
    [5] = "R5: OFFLOAD, in order: decrypt",
    [6] = "R6: TRACKING, old packet: pass",
    [7] = "R7: TRACKING, overlapping packet: pass, follow the new bytes",
    [8] = "R8: OFFLOAD, hole in a record: skip that record",
    [9] = "R9: OFFLOAD, header lost: search",
    [10] = "R10: OFFLOAD or AUTH, bad header: search",
    [11] = "R11: SEARCHING, old packet: pass",
    [12] = "R12: SEARCHING, header found: candidate",
    [13] = "R13: SEARCHING, no header found",
    [14] = "R14: candidate, valid header follows: count it",
    [15] = "R15: candidate, bad header follows: search",
    [16] = "R16: candidate, hole in a record: follow",
    [17] = "R17: candidate, header lost: search",
    [18] = "R18: candidate approved",
    [19] = "R19: approval of another candidate: store",
    [20] = "R20: AUTH, next header: authenticate that record",
    [21] = "R21: AUTH, tag is good: offload from the next record on",
    [22] = "R22: AUTH, tag is bad: search",
    [23] = "R23: AUTH, hole in a record: authenticate the next one",
    [24] = "R24: AUTH, header lost: search",
    [25] = "R25: static params: store",
    [26] = "R26: SET_PSV START: reset",
    [27] = "R27: GET_PSV: snapshot",
    [28] = "R28: destroyed",
    [29] = "R29: candidate or AUTH, in order: follow",
    [30] = "R30: SEARCHING, header that began in an earlier packet: follow it silently",
    [31] = "R31: SEARCHING, following a header silently",
    [32] = "R32: SEARCHING, the header followed silently was none: search",
    [33] = "R33: candidate unanswered: this header is the new candidate",
    [34] = "R34: SET_PSV with other codes: refused",
    [35] = "R35: OFFLOAD, wrong tag: skip the record that begins in this packet",
};

static const RxStateInfo states[MLX5_TLS_RX_STATES] = {
    [MLX5_TLS_RX_NONE] = { "NONE", MLX5_TLS_TRACKER_START, MLX5_TLS_AUTH_NO_OFFLOAD },
    [MLX5_TLS_RX_START] = { "START", MLX5_TLS_TRACKER_START, MLX5_TLS_AUTH_NO_OFFLOAD },
    [OFFLOAD] = { "OFFLOAD", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_OFFLOAD },
    [CAND] = { "CAND", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_NO_OFFLOAD },
    [AUTH] = { "AUTH", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_AUTHENTICATION },
    [SEARCH] = { "SEARCH", MLX5_TLS_TRACKER_SEARCHING, MLX5_TLS_AUTH_NO_OFFLOAD },
    [LINK] = { "LINK", MLX5_TLS_TRACKER_SEARCHING, MLX5_TLS_AUTH_NO_OFFLOAD },
};

const RxCell *mlx5_tls_rx_cell(unsigned state, unsigned event)
{
    static const RxCell none;

    return state < MLX5_TLS_RX_STATES && event < RX_EVENTS ? &machine[state][event] :
                                                             &none;
}

const RxStateInfo *mlx5_tls_rx_state_info(unsigned state)
{
    return &states[state < MLX5_TLS_RX_STATES ? state : MLX5_TLS_RX_NONE];
}

const char *mlx5_tls_rx_row_str(unsigned row)
{
    return row >= 1 && row <= MLX5_TLS_RX_ROWS ? row_text[row] : "no row";
}

const char *mlx5_tls_rx_state_str(unsigned state)
{
    return state < MLX5_TLS_RX_STATES ? states[state].name : "unknown state";
}
