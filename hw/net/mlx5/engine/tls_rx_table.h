/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to tls_rx_table.c (the rows, as data) and tls_rx.c (the code they
 * refer to). Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_RX_TABLE_H
#define HW_NET_MLX5_ENGINE_TLS_RX_TABLE_H

#include "tls_rx.h"

typedef enum RxEvent {
    /* a packet, by its position in the stream */
    RX_EV_ANY = 0,         /* no position to compare with */
    RX_EV_BEFORE,          /* START: ends shortly before the anchor */
    RX_EV_ANCHOR,          /* START: contains the anchor */
    RX_EV_FAR,             /* START: after the anchor, or far before it */
    RX_EV_IN,
    RX_EV_OLD,
    RX_EV_OVL,
    RX_EV_GAP,             /* bytes are missing, but not the next header */
    RX_EV_GAP_HEADER,      /* bytes are missing, including a header */
    /* within a packet */
    RX_EV_HEADER,          /* valid header at N */
    RX_EV_HEADER_CUT,      /* as above, but started in an earlier packet (LINK
                            * only) */
    RX_EV_HEADER_REPEAT,   /* as RX_EV_HEADER, with resync-repeat due (CAND
                            * only) */
    RX_EV_HEADER_BAD,
    RX_EV_TAG_OK,          /* DECRYPT or AUTHONLY record ended */
    RX_EV_TAG_BAD,
    RX_EV_TAG_BAD_LOSE,    /* as above, with bad-tag-action=search (OFFLOAD
                            * only) */
    RX_EV_RECORD_END,      /* SKIP record ended */
    RX_EV_FOUND,           /* search: header in this packet */
    RX_EV_FOUND_CUT,       /* search: header begun in an earlier packet */
    RX_EV_NOT_FOUND,
    /* after a packet */
    RX_EV_ERROR_OPEN,      /* it gets flag 3 and a record begins in it
                            * (rx-error-bytes=record) */
    /* control */
    RX_EV_STATIC,
    RX_EV_STATIC_MATCH,    /* resync_tcp_sn is the candidate's (CAND only) */
    RX_EV_STATIC_MATCH_OFF, /* as above, with auth-stage=off */
    RX_EV_START,
    RX_EV_START_UNUSABLE,
    RX_EV_PSV_OTHER,
    RX_EVENTS
} RxEvent;

typedef enum RxAction {
    RX_ACT_REFUSE = 0,         /* no such cell: drop all state, deliver
                                * unchanged */
    RX_ACT_NONE,
    RX_ACT_PASS,               /* nothing new: leave the context unchanged */
    RX_ACT_ANCHOR,             /* follow from the anchor on */
    RX_ACT_DECRYPT,            /* follow from the first byte; flag 1 is
                                * possible */
    RX_ACT_FOLLOW,             /* follow from the first byte */
    RX_ACT_OVERLAP,            /* follow from the first new byte */
    RX_ACT_HOLE,               /* the open record has a hole; follow from the
                                * first byte */
    RX_ACT_LOSE_ALL,           /* tracking is lost, search from here */
    RX_ACT_LOSE_HEADER,        /* the same, search from the bad header */
    RX_ACT_UNLINK_ALL,         /* as RX_ACT_LOSE_ALL, but without tracking to
                                * lose */
    RX_ACT_UNLINK_HEADER,      /* as RX_ACT_LOSE_HEADER, likewise */
    RX_ACT_SEARCH_ON,          /* search from the first new byte, in sequence */
    RX_ACT_SEARCH_NEW,         /* search from the first byte, after a gap */
    RX_ACT_OPEN_DECRYPT,       /* open the record, to be decrypted */
    RX_ACT_OPEN_AUTH,          /* open the record, to be authenticated only */
    RX_ACT_COUNT,              /* open the record, count it (CAND) */
    RX_ACT_CANDIDATE,          /* open the record as candidate, ask software */
    RX_ACT_REPEAT,             /* the same, since software did not answer */
    RX_ACT_LINK,               /* open the record, nothing else */
    RX_ACT_SKIP_BEGUN,         /* skip the open record, or that of the open
                                * header */
    RX_ACT_GOOD_TAG,
    RX_ACT_BAD_TAG,            /* count; flag 3 if flag 1 was still possible */
    RX_ACT_BAD_TAG_LOSE,       /* the same, and tracking is lost */
    RX_ACT_NOT_FOUND,          /* keep the last bytes */
    RX_ACT_APPROVE,            /* adopt the static params */
    RX_ACT_RESET,              /* restart from the static params */
    RX_ACT_TO_NONE,            /* drop all state */
    RX_ACTIONS
} RxAction;

#define MLX5_TLS_RX_SAME MLX5_TLS_RX_STATES

typedef struct RxCell {
    uint8_t row;            /* NONE: part of a preceding row */
    uint8_t next;           /* Mlx5TlsRxState or MLX5_TLS_RX_SAME */
    uint8_t reason;         /* Mlx5TlsReason if the packet is not decrypted */
    uint8_t action;         /* RxAction, runs in the next state */
} RxCell;

/*
 * Returns the cell for a state and an event. Pairs that do not occur (the
 * comments on the events say where each is raised) have no entry: they are all
 * zero, which refuses and leads to NONE. So do invalid state and event numbers.
 */
const RxCell *mlx5_tls_rx_cell(unsigned state, unsigned event);

/* The name of a state, and its values in GET_PSV. */
typedef struct RxStateInfo {
    const char *name;
    uint8_t tracker;        /* tls_progress_params.record_tracker_state */
    uint8_t auth;           /* tls_progress_params.auth_state */
} RxStateInfo;

/* Returns the info of a state; that of NONE for an invalid number. */
const RxStateInfo *mlx5_tls_rx_state_info(unsigned state);

#endif
