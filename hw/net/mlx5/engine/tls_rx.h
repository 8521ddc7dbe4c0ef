/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RX context of a TIR with tls_en: follows the record stream of a TCP
 * connection and decides for each packet whether to deliver it decrypted.
 *
 * Owns the tracker, the record number, the open record. Called by the device
 * for UMR, SET_PSV and GET_PSV WQEs, and for every TCP packet with payload that
 * is steered to the TIR (good checksums, not a fragment, without Ethernet
 * padding). It never buffers, reorders or drops packets, and calls back only
 * the record log.
 *
 * Memory per context: struct Mlx5TlsRx (under 600 bytes, statistics included)
 * and references to up to two keys. No cipher context, no buffer; see
 * tls_record.h.
 *
 * The rows, R1 to R35, are named below, defined as data in tls_rx_table.c and
 * explained in docs/tls-rows.md. N is the sequence number of the next record
 * header, P the packet.
 *
 * With auth-stage=off, R18 leads to OFFLOAD; with bad-tag-action=search, a bad
 * tag in R5 leads to SEARCH. TRACKING means OFFLOAD, CAND or AUTH. GET_PSV
 * reports START/NO_OFFLOAD in NONE and START, SEARCHING/NO_OFFLOAD in SEARCH
 * and LINK, TRACKING with OFFLOAD, NO_OFFLOAD and AUTHENTICATION in the others.
 *
 * A packet gets flag 3 only if it would have been delivered decrypted up to the
 * wrong tag (R5, or R3 starting at the anchor, with no bytes of a SKIP record
 * before). A packet with flag 3 never gets flag 2: if tracking is lost in it,
 * the search continues in the next one.
 *
 * Contents of a packet with flag 3 (rx-error-bytes). "Transformed" payload has
 * the key stream applied to it, as with flag 1; all other bytes are as on the
 * wire.
 *
 *  wire    nothing is transformed.
 *  packet  transformed up to its end, or to where tracking was lost.
 *  record  the rest of the record that was open when P began is transformed, if
 *          a packet with an earlier byte of the record or its header had flag
 *          1. This does not depend on whether its own tag is the wrong one.
 *          Records that begin in P are not transformed, here or in later
 *          packets (R35).
 *
 * With `record`, software can always recover the ciphertext, since the flags of
 * packets tell what was done to each record: flag 1, transformed; flag 3,
 * transformed if another packet with bytes of the record had flag 1; flags 0
 * and 2, unchanged. This is needed for changing keys in a running stream:
 * records of the new key look like wrong tags until there is a new context. See
 * docs/tls-rekey.md.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_RX_H
#define HW_NET_MLX5_ENGINE_TLS_RX_H

#include "tls_engine.h"
#include "tls_record.h"
#include "tls_setup.h"

typedef enum Mlx5TlsRxState {
    MLX5_TLS_RX_NONE = 0,       /* no SET_PSV with valid static params and key
                                 * yet */
    MLX5_TLS_RX_START,
    MLX5_TLS_RX_OFFLOAD,        /* TRACKING / OFFLOAD */
    MLX5_TLS_RX_CAND,           /* TRACKING / NO_OFFLOAD: candidate, not
                                 * approved */
    MLX5_TLS_RX_AUTH,           /* TRACKING / AUTHENTICATION */
    MLX5_TLS_RX_SEARCH,         /* SEARCHING / NO_OFFLOAD */
    MLX5_TLS_RX_LINK,           /* reported like SEARCH; see R30 */
    MLX5_TLS_RX_STATES
} Mlx5TlsRxState;

/*
 * X(number, name, description). The numbers are used in traces, the property
 * tls-rows, the tests and docs/tls-rows.md.
 */
#define MLX5_TLS_RX_ROWS(X)                                                   \
    X(1, NO_CONTEXT, "NONE, packet: pass")                                    \
    X(2, BEFORE_ANCHOR, "START, packet before the anchor: pass")              \
    X(3, ANCHOR, "START, anchor in the packet: parse from there")             \
    X(4, LATE_START, "START, packet beyond the anchor: search")               \
    X(5, IN_ORDER, "OFFLOAD, in order: decrypt")                              \
    X(6, OLD, "TRACKING, old packet: pass")                                   \
    X(7, OVERLAP, "TRACKING, overlapping packet: pass, follow the new bytes") \
    X(8, HOLE, "OFFLOAD, hole in a record: skip that record")                 \
    X(9, HEADER_LOST, "OFFLOAD, header lost: search")                         \
    X(10, BAD_HEADER, "OFFLOAD or AUTH, bad header: search")                  \
    X(11, SEARCH_OLD, "SEARCHING, old packet: pass")                          \
    X(12, CANDIDATE, "SEARCHING, header found: candidate")                    \
    X(13, NOT_FOUND, "SEARCHING, no header found")                            \
    X(14, COUNT, "candidate, valid header follows: count it")                 \
    X(15, FALSE_CANDIDATE, "candidate, bad header follows: search")           \
    X(16, CAND_HOLE, "candidate, hole in a record: follow")                   \
    X(17, CAND_HEADER_LOST, "candidate, header lost: search")                 \
    X(18, APPROVED, "candidate approved")                                     \
    X(19, STALE, "approval of another candidate: store")                      \
    X(20, AUTH_HEADER, "AUTH, next header: authenticate that record")         \
    X(21, AUTH_GOOD, "AUTH, tag is good: offload from the next record on")    \
    X(22, AUTH_BAD, "AUTH, tag is bad: search")                               \
    X(23, AUTH_HOLE, "AUTH, hole in a record: authenticate the next one")     \
    X(24, AUTH_HEADER_LOST, "AUTH, header lost: search")                      \
    X(25, STATIC, "static params: store")                                     \
    X(26, SET_PSV, "SET_PSV START: reset")                                    \
    X(27, GET_PSV, "GET_PSV: snapshot")                                       \
    X(28, DESTROY, "destroyed")                                               \
    X(29, FOLLOW, "candidate or AUTH, in order: follow")                      \
    X(30, CUT_HEADER,                                                         \
      "SEARCHING, header that began in an earlier packet: follow it silently")\
    X(31, LINK, "SEARCHING, following a header silently")                     \
    X(32, LINK_BROKEN,                                                        \
      "SEARCHING, the header followed silently was none: search")             \
    X(33, REPEAT, "candidate unanswered: this header is the new candidate")   \
    X(34, PSV_REFUSED, "SET_PSV with other codes: refused")                   \
    X(35, SKIP_BEGUN,                                                         \
      "OFFLOAD, wrong tag: skip the record that begins in this packet")

typedef enum Mlx5TlsRxRow {
    MLX5_TLS_RX_ROW_NONE = 0,
#define MLX5_TLS_RX_ROW_ENUM(number, name, text) \
    MLX5_TLS_RX_ROW_##name = number,
    MLX5_TLS_RX_ROWS(MLX5_TLS_RX_ROW_ENUM)
#undef MLX5_TLS_RX_ROW_ENUM
    MLX5_TLS_RX_ROW_END
} Mlx5TlsRxRow;

#define MLX5_TLS_RX_ROW_BIT(row)    (UINT64_C(1) << (row))

/*
 * The result for a packet, as needed for the CQE, counters, traces and the log.
 */
typedef struct Mlx5TlsRxResult {
    Mlx5TlsFlag flag;
    Mlx5TlsReason reason;       /* reason for a flag other than 1 */
    uint8_t row;                /* the packet's row; 0 if it is empty or too
                                 * long */
    uint64_t rows;              /* MLX5_TLS_RX_ROW_BIT() of all rows taken */
    Mlx5TlsRxState state_before;
    Mlx5TlsRxState state_after;
    uint32_t records;           /* headers in sync (OFFLOAD, CAND, AUTH) */
    bool candidate;             /* a header in it became the candidate: R12,
                                 * R33 */
    uint32_t hw_resync_tcp_sn;  /* of the last candidate */
} Mlx5TlsRxResult;

/* One per TIR. All members are private; embed it and do not move it. */
typedef struct Mlx5TlsRx {
    Mlx5TlsEngine *engine;
    uint32_t id;
    uint8_t state;              /* Mlx5TlsRxState */
    uint8_t mode;               /* Mlx5TlsRecordMode of the open record */
    uint8_t hdr_fill;           /* bytes read of the header at N, 0..4 */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t carry[MLX5_TLS_HDR_LEN - 1];    /* SEARCH: the last bytes before
                                             * exp */
    uint8_t carry_len;
    bool rec_open;              /* exp is in a record that ends at N */
    bool hdr_skip;              /* R35: skip the record of the header at N */
    bool rec_numbered;
    bool rec_decrypted, rec_not_decrypted;  /* flags of its packets */
    bool owe_resync;            /* flag 2 due for a loss (rx-resync-flag-at) */
    bool repeat_due;            /* resync-repeat=timeout: timed out */
    uint32_t rec_sn;            /* open record: sequence number of its
                                 * header, */
    uint8_t rec_type;           /* its type */
    uint64_t rec_number;        /* and number */
    uint32_t next_hdr;          /* N; the anchor in START */
    uint32_t exp;               /* next sequence number expected, not in
                                 * START */
    uint32_t hw_resync;
    uint64_t hw_off;
    Mlx5TlsSetup setup;         /* in use since SET_PSV or R18 */
    Mlx5TlsRecord rec;          /* open in DECRYPT and AUTHONLY records */
} Mlx5TlsRx;

/* @id: the TIR number, for the record log only. State NONE. */
void mlx5_tls_rx_init(Mlx5TlsRx *rx, Mlx5TlsEngine *engine, uint32_t id);

/* R28: releases the keys and zeroes everything. Allowed on a zeroed struct. */
void mlx5_tls_rx_clear(Mlx5TlsRx *rx);

typedef enum Mlx5TlsRxStatic {
    MLX5_TLS_RX_STATIC_STORED = 0,  /* R25 */
    MLX5_TLS_RX_STATIC_APPROVED,    /* R18 */
    MLX5_TLS_RX_STATIC_STALE,       /* R19 */
    MLX5_TLS_RX_STATIC_REFUSED,     /* as R19, since params or key are bad */
} Mlx5TlsRxStatic;

/*
 * UMR static params. @image: tls_static_params of the WQE. @key: the key of
 * dek_index or NULL; the context takes its own reference. *reason (may be NULL)
 * receives NONE, STALE, NO_KEY or BAD_PARAMS.
 */
Mlx5TlsRxStatic
mlx5_tls_rx_set_static(Mlx5TlsRx *rx,
                       const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                       Mlx5TlsKey *key, Mlx5TlsReason *reason);

/*
 * SET_PSV (R26, R34). Returns NONE if the context is now in START, NO_CTX or
 * NO_KEY if it is in NONE, BAD_PARAMS if the SET_PSV was refused.
 */
Mlx5TlsReason
mlx5_tls_rx_set_progress(Mlx5TlsRx *rx,
                         const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);

/* GET_PSV (R27): writes the 12 bytes after tis_tir_num. No side effects. */
void mlx5_tls_rx_get_progress(const Mlx5TlsRx *rx,
                              uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);

/*
 * Processes a packet; seq is the sequence number of payload[0]. With flag 1 the
 * payload has been decrypted in place (header, nonce and tag bytes as on the
 * wire), with flags 0 and 2 it is unchanged. See above for flag 3.
 */
void mlx5_tls_rx_packet(Mlx5TlsRx *rx, uint32_t seq, uint8_t *payload,
                        size_t len, Mlx5TlsRxResult *res);

/*
 * For resync-repeat=timeout: called when the candidate has timed out. In CAND,
 * the next complete header becomes the candidate (R33). Returns whether that is
 * now due.
 */
bool mlx5_tls_rx_resync_timeout(Mlx5TlsRx *rx);

static inline Mlx5TlsRxState mlx5_tls_rx_state(const Mlx5TlsRx *rx)
{
    return (Mlx5TlsRxState)rx->state;
}

/* Returns whether a record with a known number is open, with that number. */
static inline bool mlx5_tls_rx_open(const Mlx5TlsRx *rx, uint64_t *number)
{
    *number = rx->rec_number;
    return rx->rec_open && rx->rec_numbered;
}

/*
 * Returns the text of a row ("R8: OFFLOAD, hole in a record: skip it") or
 * state.
 */
const char *mlx5_tls_rx_row_str(unsigned row);
const char *mlx5_tls_rx_state_str(unsigned state);

#endif
