/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tls_rx_table.c (the rows, data only) and tls_rx.c (the code they name)
 * share. Nobody else includes it. Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_RX_TABLE_H
#define HW_NET_MLX5_ENGINE_TLS_RX_TABLE_H

#include "tls_rx.h"

typedef enum RxEvent {
    /* a packet, by its place in the stream */
    RX_EV_ANY = 0,         /* no place to compare it with */
    RX_EV_BEFORE,          /* START: ends before the anchor, near */
    RX_EV_ANCHOR,          /* START: the anchor lies in it */
    RX_EV_FAR,             /* START: behind the anchor, or far before it */
    RX_EV_IN,
    RX_EV_OLD,
    RX_EV_OVL,
    RX_EV_GAP,             /* bytes are missing, the next header is not among
                            * them */
    RX_EV_GAP_HEADER,      /* bytes are missing, and with them a header */
    /* within a packet */
    RX_EV_HEADER,          /* valid header at N */
    RX_EV_HEADER_CUT,      /* the same, but it began in an earlier packet (LINK
                            * only) */
    RX_EV_HEADER_REPEAT,   /* the same, and resync-repeat is due (CAND only) */
    RX_EV_HEADER_BAD,
    RX_EV_TAG_OK,          /* DECRYPT or AUTHONLY record ended */
    RX_EV_TAG_BAD,
    RX_EV_TAG_BAD_LOSE,    /* the same, with bad-tag-action=search (OFFLOAD
                            * only) */
    RX_EV_RECORD_END,      /* SKIP record ended */
    RX_EV_FOUND,           /* search: header in this packet */
    RX_EV_FOUND_CUT,       /* search: header that began in an earlier packet */
    RX_EV_NOT_FOUND,
    /* behind a packet */
    RX_EV_ERROR_OPEN,      /* it gets flag 3, a record begins in it
                            * (rx-error-bytes=record) */
    /* control */
    RX_EV_STATIC,
    RX_EV_STATIC_MATCH,    /* its resync_tcp_sn is that of the candidate (CAND
                            * only) */
    RX_EV_STATIC_MATCH_OFF, /* the same, with auth-stage=off */
    RX_EV_START,
    RX_EV_START_UNUSABLE,
    RX_EV_PSV_OTHER,
    RX_EVENTS
} RxEvent;

typedef enum RxAction {
    RX_ACT_REFUSE = 0,         /* no such cell: forget everything, deliver as it
                                * came */
    RX_ACT_NONE,
    RX_ACT_PASS,               /* bring nothing new: leave the context alone */
    RX_ACT_ANCHOR,             /* follow from the anchor on */
    RX_ACT_DECRYPT,            /* follow from the first byte; flag 1 is
                                * possible */
    RX_ACT_FOLLOW,             /* follow from the first byte */
    RX_ACT_OVERLAP,            /* follow from the first new byte */
    RX_ACT_HOLE,               /* the open record has a hole; follow from the
                                * first byte */
    RX_ACT_LOSE_ALL,           /* tracking is lost, search from here on */
    RX_ACT_LOSE_HEADER,        /* the same, search from the bad header on */
    RX_ACT_UNLINK_ALL,         /* as RX_ACT_LOSE_ALL, but there was nothing
                                * tracked to lose */
    RX_ACT_UNLINK_HEADER,      /* as RX_ACT_LOSE_HEADER, likewise */
    RX_ACT_SEARCH_ON,          /* search from the first new byte, what is before
                                * is known */
    RX_ACT_SEARCH_NEW,         /* search from the first byte, what is before is
                                * missing */
    RX_ACT_OPEN_DECRYPT,       /* open the record, to be decrypted */
    RX_ACT_OPEN_AUTH,          /* open the record, to be authenticated only */
    RX_ACT_COUNT,              /* open the record as one more after the
                                * candidate */
    RX_ACT_CANDIDATE,          /* open the record as candidate, ask the
                                * software */
    RX_ACT_REPEAT,             /* the same, because it did not answer */
    RX_ACT_LINK,               /* open the record, nothing else */
    RX_ACT_SKIP_BEGUN,         /* the open record, or that of the open header,
                                * is skipped */
    RX_ACT_GOOD_TAG,
    RX_ACT_BAD_TAG,            /* count; flag 3 if flag 1 was possible so far */
    RX_ACT_BAD_TAG_LOSE,       /* the same, and tracking is lost */
    RX_ACT_NOT_FOUND,          /* keep the last bytes */
    RX_ACT_APPROVE,            /* take over the static params */
    RX_ACT_RESET,              /* start anew from the static params */
    RX_ACT_TO_NONE,            /* forget everything */
    RX_ACTIONS
} RxAction;

#define MLX5_TLS_RX_SAME MLX5_TLS_RX_STATES

typedef struct RxCell {
    uint8_t row;            /* NONE: part of what came before */
    uint8_t next;           /* Mlx5TlsRxState or MLX5_TLS_RX_SAME */
    uint8_t reason;         /* Mlx5TlsReason for a packet that is not
                             * decrypted */
    uint8_t action;         /* RxAction, runs in the next state */
} RxCell;

/*
 * State and event to cell. Cells without an entry belong to pairs that do not
 * come up (the comments at the events say where each is raised): they are all
 * zero, which refuses and leads to NONE, and so do numbers that are no state or
 * event at all.
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

#endif
