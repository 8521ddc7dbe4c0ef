/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * What tls_rx_table.c (the rows, data only) and tls_rx.c (the code they name) share.
 * Nobody else includes it. Owns no state.
 */
#ifndef MLX5_ENGINE_TLS_RX_TABLE_H
#define MLX5_ENGINE_TLS_RX_TABLE_H

#include "tls_rx.h"

typedef enum RxEvent {
    /* a packet, by its place in the stream */
    EV_ANY = 0,         /* no place to compare it with */
    EV_BEFORE,          /* START: ends before the anchor, near */
    EV_ANCHOR,          /* START: the anchor lies in it */
    EV_FAR,             /* START: behind the anchor, or far before it */
    EV_IN,
    EV_OLD,
    EV_OVL,
    EV_GAP,             /* bytes are missing, the next header is not among them */
    EV_GAP_HEADER,      /* bytes are missing, and with them a header */
    /* within a packet */
    EV_HEADER,          /* valid header at N */
    EV_HEADER_CUT,      /* the same, but it began in an earlier packet (LINK only) */
    EV_HEADER_REPEAT,   /* the same, and resync-repeat is due (CAND only) */
    EV_HEADER_BAD,
    EV_TAG_OK,          /* DECRYPT or AUTHONLY record ended */
    EV_TAG_BAD,
    EV_TAG_BAD_LOSE,    /* the same, with bad-tag-action=search (OFFLOAD only) */
    EV_RECORD_END,      /* SKIP record ended */
    EV_FOUND,           /* search: header in this packet */
    EV_FOUND_CUT,       /* search: header that began in an earlier packet */
    EV_NOT_FOUND,
    /* behind a packet */
    EV_ERROR_OPEN,      /* it gets flag 3, a record begins in it (rx-error-bytes=record) */
    /* control */
    EV_STATIC,
    EV_STATIC_MATCH,    /* its resync_tcp_sn is that of the candidate (CAND only) */
    EV_STATIC_MATCH_OFF, /* the same, with auth-stage=off */
    EV_START,
    EV_START_UNUSABLE,
    EV_PSV_OTHER,
    RX_EVENTS
} RxEvent;

typedef enum RxAction {
    ACT_REFUSE = 0,         /* no such cell: forget everything, deliver as it came */
    ACT_NONE,
    ACT_PASS,               /* bring nothing new: leave the context alone */
    ACT_ANCHOR,             /* follow from the anchor on */
    ACT_DECRYPT,            /* follow from the first byte; flag 1 is possible */
    ACT_FOLLOW,             /* follow from the first byte */
    ACT_OVERLAP,            /* follow from the first new byte */
    ACT_HOLE,               /* the open record has a hole; follow from the first byte */
    ACT_LOSE_ALL,           /* tracking is lost, search from the first byte */
    ACT_LOSE_HEADER,        /* the same, search from the bad header on */
    ACT_UNLINK_ALL,         /* as ACT_LOSE_ALL, but there was nothing tracked to lose */
    ACT_UNLINK_HEADER,      /* as ACT_LOSE_HEADER, likewise */
    ACT_SEARCH_ON,          /* search from the first new byte, what is before is known */
    ACT_SEARCH_NEW,         /* search from the first byte, what is before is missing */
    ACT_OPEN_DECRYPT,       /* open the record, to be decrypted */
    ACT_OPEN_AUTH,          /* open the record, to be authenticated only */
    ACT_COUNT,              /* open the record as one more after the candidate */
    ACT_CANDIDATE,          /* open the record as candidate, ask the software */
    ACT_REPEAT,             /* the same, because it did not answer */
    ACT_LINK,               /* open the record, nothing else */
    ACT_SKIP_BEGUN,         /* the open record, or that of the open header, is skipped */
    ACT_GOOD_TAG,
    ACT_BAD_TAG,            /* count; flag 3 if flag 1 was possible so far */
    ACT_BAD_TAG_LOSE,       /* the same, and tracking is lost */
    ACT_AUTH_GOOD,
    ACT_AUTH_BAD,           /* tracking is lost, search behind the record */
    ACT_NOT_FOUND,          /* keep the last bytes */
    ACT_APPROVE,            /* take over the static params */
    ACT_STALE,
    ACT_RESET,              /* start anew from the static params */
    ACT_TO_NONE,            /* forget everything */
    RX_ACTIONS
} RxAction;

#define RX_SAME     MLX5_TLS_RX_STATES

typedef struct RxCell {
    uint8_t row;            /* 0: not a row of its own, part of what came before */
    uint8_t next;           /* Mlx5TlsRxState or RX_SAME */
    uint8_t reason;         /* Mlx5TlsReason for a packet that is not decrypted */
    uint8_t action;         /* RxAction, runs in the next state */
} RxCell;

/*
 * State and event to cell. Cells without an entry belong to pairs that do not come up (the
 * comments at the events say where each is raised): they are all zero, which refuses and
 * leads to NONE, and so do numbers that are no state or event at all.
 */
const RxCell *mlx5_tls_rx_cell(unsigned state, unsigned event);

/* What GET_PSV reports in a state, and its name. */
typedef struct RxStateInfo {
    const char *name;
    uint8_t tracker;        /* tls_progress_params.record_tracker_state */
    uint8_t auth;           /* tls_progress_params.auth_state */
} RxStateInfo;

/* That of NONE for a number that is no state. */
const RxStateInfo *mlx5_tls_rx_state_info(unsigned state);

#endif /* MLX5_ENGINE_TLS_RX_TABLE_H */
