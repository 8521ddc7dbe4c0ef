/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain data of the TLS engine: the two parameter images posted by the driver,
 * the codes reported by the device, and the knobs for unknown silicon
 * behaviour.
 *
 * Owns no state. Needs only GLib, no QEMU header.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_TYPES_H
#define HW_NET_MLX5_ENGINE_TLS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#include "hw/net/mlx5/prm_obj.h"

/* ---- sizes of the TLS record layer (RFC 5246, 5288, 8446) ---------------- */

#define MLX5_TLS_HDR_LEN        5u  /* type, version, length */
#define MLX5_TLS_NONCE_LEN      8u  /* explicit nonce on the wire, TLS 1.2
                                     * only */
#define MLX5_TLS_TAG_LEN        16u
#define MLX5_TLS_IV_LEN         12u /* gcm_iv || implicit_iv, or gcm_iv ||
                                     * nonce */
#define MLX5_TLS_MAX_PLAIN      16384u

/* A longer payload is refused, to keep sequence numbers comparable. */
#define MLX5_TLS_MAX_PAYLOAD    (16u << 20)

/* ---- the images ---------------------------------------------------------- */

#define MLX5_TLS_STATIC_PARAMS_LEN      64
#define MLX5_TLS_PROGRESS_PARAMS_LEN    12

/*
 * The layouts are the lists MLX5_PRM_tls_static_params and
 * MLX5_PRM_tls_progress_params of prm_obj.h; the structs have the same fields.
 */
#define MLX5_TLS_FIELD_MEMBER_64(st, name, off, width)  uint64_t name;
#define MLX5_TLS_FIELD_MEMBER_32(st, name, off, width)  uint32_t name;

/* tls_static_params, decoded. */
typedef struct Mlx5TlsStaticParams {
    MLX5_PRM_tls_static_params(MLX5_TLS_FIELD_MEMBER_64)
} Mlx5TlsStaticParams;

/* tls_progress_params, decoded. */
typedef struct Mlx5TlsProgressParams {
    MLX5_PRM_tls_progress_params(MLX5_TLS_FIELD_MEMBER_32)
} Mlx5TlsProgressParams;

/* tls_static_params.tls_version */
#define MLX5_TLS_VERSION_1_2    2
#define MLX5_TLS_VERSION_1_3    3

/* tls_static_params.encryption_standard */
#define MLX5_TLS_ENCRYPTION_STANDARD_TLS    1

/* tls_progress_params.record_tracker_state */
#define MLX5_TLS_TRACKER_START      0
#define MLX5_TLS_TRACKER_TRACKING   1
#define MLX5_TLS_TRACKER_SEARCHING  2

/* tls_progress_params.auth_state */
#define MLX5_TLS_AUTH_NO_OFFLOAD        0
#define MLX5_TLS_AUTH_OFFLOAD           1
#define MLX5_TLS_AUTH_AUTHENTICATION    2

/*
 * Convert image to struct and back. Reserved bits are ignored and written as 0.
 */
void mlx5_tls_static_params_decode(
    Mlx5TlsStaticParams *p, const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN]);
void mlx5_tls_static_params_encode(const Mlx5TlsStaticParams *p,
                                   uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN]);
void mlx5_tls_progress_params_decode(
    Mlx5TlsProgressParams *p,
    const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);
void mlx5_tls_progress_params_encode(
    const Mlx5TlsProgressParams *p,
    uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);

/* ---- what both directions report ----------------------------------------- */

/* CQE field tls_offload (mlx5_cqe64 byte 0, bits [4:3]). */
typedef enum Mlx5TlsFlag {
    MLX5_TLS_FLAG_NOT_DECRYPTED = 0,
    MLX5_TLS_FLAG_DECRYPTED = 1,
    MLX5_TLS_FLAG_RESYNC = 2,
    MLX5_TLS_FLAG_ERROR = 3,
} Mlx5TlsFlag;

/*
 * Reasons why a packet was dropped (TX) or not delivered decrypted (RX), or why
 * a post had no effect. mlx5_tls_reason_str() has a sentence for each. Zero is
 * a refusal.
 */
typedef enum Mlx5TlsReason {
    MLX5_TLS_REASON_NO_ROW = 0,     /* state or event without a row */
    MLX5_TLS_REASON_NONE,           /* success: encrypted, decrypted, stored */
    MLX5_TLS_REASON_EMPTY,          /* no payload */
    MLX5_TLS_REASON_TOO_LONG,       /* payload over MLX5_TLS_MAX_PAYLOAD */
    MLX5_TLS_REASON_NO_CTX,         /* no static params or SET_PSV yet, or
                                     * bad ones */
    MLX5_TLS_REASON_NO_KEY,         /* static params without usable DEK */
    MLX5_TLS_REASON_BAD_PARAMS,     /* image has an unsupported value */
    MLX5_TLS_REASON_BROKEN,         /* after a bad header; waits for SET_PSV */
    MLX5_TLS_REASON_SEQ_MISMATCH,   /* TX: not the expected sequence number */
    MLX5_TLS_REASON_BAD_HEADER,     /* no valid record header where one must
                                     * be found */
    MLX5_TLS_REASON_BEFORE_ANCHOR,  /* RX: starts before next_record_tcp_sn */
    MLX5_TLS_REASON_LATE_START,     /* RX: first packet is after the anchor */
    MLX5_TLS_REASON_OLD,            /* RX: no new bytes */
    MLX5_TLS_REASON_OVERLAP,        /* RX: some bytes are not new */
    MLX5_TLS_REASON_GAP,            /* RX: record bytes missing before it */
    MLX5_TLS_REASON_HEADER_LOST,    /* RX: record header missing before it */
    MLX5_TLS_REASON_SKIPPED_RECORD, /* RX: has bytes of a SKIP record */
    MLX5_TLS_REASON_SEARCHING,      /* RX: looking for a header */
    MLX5_TLS_REASON_UNANSWERED,     /* RX: candidate not yet approved */
    MLX5_TLS_REASON_AUTHENTICATING, /* RX: approved, tag not verified yet */
    MLX5_TLS_REASON_AUTH_FAILED,    /* RX: approved with wrong record number */
    MLX5_TLS_REASON_BAD_TAG,        /* RX: authentication failure */
    MLX5_TLS_REASON_STALE,          /* RX: approval of no current candidate */
    MLX5_TLS_REASON_MAX
} Mlx5TlsReason;

/*
 * Returns one sentence, static and never NULL, also for numbers out of range.
 */
const char *mlx5_tls_reason_str(unsigned reason);

/* ---- knobs --------------------------------------------------------------- */

typedef enum Mlx5TlsTxSeqCheck {
    MLX5_TLS_TX_SEQ_DROP = 0,       /* default */
    MLX5_TLS_TX_SEQ_ERROR_CQE,
    MLX5_TLS_TX_SEQ_IGNORE,         /* encrypt with the current state: shows the
                                     * damage */
} Mlx5TlsTxSeqCheck;

typedef enum Mlx5TlsResyncFlagAt {
    MLX5_TLS_RESYNC_AT_MAGIC = 0,   /* default: the packet that holds the
                                     * candidate */
    MLX5_TLS_RESYNC_AT_LOSS,        /* the packet where tracking was lost */
    MLX5_TLS_RESYNC_AT_BOTH,
} Mlx5TlsResyncFlagAt;

typedef enum Mlx5TlsResyncRepeat {
    MLX5_TLS_RESYNC_REPEAT_NEVER = 0,   /* default */
    MLX5_TLS_RESYNC_REPEAT_RECORDS,     /* after resync_repeat_records
                                         * headers */
    MLX5_TLS_RESYNC_REPEAT_TIMEOUT,     /* after mlx5_tls_rx_resync_timeout() */
} Mlx5TlsResyncRepeat;

typedef enum Mlx5TlsBadTagAction {
    MLX5_TLS_BAD_TAG_CONTINUE = 0,  /* default: stay in sync, count the
                                     * record */
    MLX5_TLS_BAD_TAG_SEARCH,        /* stop tracking, search for a header */
} Mlx5TlsBadTagAction;

/* Contents of a packet with flag 3; tls_rx.h has the rules. */
typedef enum Mlx5TlsErrorBytes {
    MLX5_TLS_ERROR_RECORD = 0,      /* default: the record that was being
                                     * delivered */
    MLX5_TLS_ERROR_PACKET,          /* everything, as with flag 1 */
    MLX5_TLS_ERROR_WIRE,            /* as on the wire */
} Mlx5TlsErrorBytes;

typedef enum Mlx5TlsSearchPattern {
    MLX5_TLS_SEARCH_STRICT = 0,     /* default: type, version and length must be
                                     * valid */
    MLX5_TLS_SEARCH_MAGIC_ONLY,     /* 03 03 as version is enough */
} Mlx5TlsSearchPattern;

/*
 * By default all zero except start_order_tolerance; see mlx5_tls_knobs_init().
 */
typedef struct Mlx5TlsKnobs {
    Mlx5TlsTxSeqCheck tx_seq_check;
    Mlx5TlsResyncFlagAt rx_resync_flag_at;
    Mlx5TlsResyncRepeat resync_repeat;
    /* headers without approval before the flag is raised again, 1..2^24-1 */
    uint32_t resync_repeat_records;
    Mlx5TlsBadTagAction bad_tag_action;
    Mlx5TlsErrorBytes rx_error_bytes;
    Mlx5TlsSearchPattern search_pattern;
    /*
     * true: approval leads straight to OFFLOAD, without authenticating a record
     */
    bool auth_stage_off;
    /*
     * START: how many bytes before the anchor a packet may be, 1..2^31-1;
     * default 2^24
     */
    uint32_t start_order_tolerance;
    /*
     * RX SET_PSV with next_record_tcp_sn 0 and resync_tcp_sn not 0: use the
     * latter as anchor (as posted by FreeBSD).
     */
    bool start_anchor_from_static;
    /*
     * Accept wrong values in the fixed fields of the images (const_1, const_2,
     * encryption_standard) and SET_PSV with codes other than START/NO_OFFLOAD.
     */
    bool lax_params;
} Mlx5TlsKnobs;

void mlx5_tls_knobs_init(Mlx5TlsKnobs *knobs);

/*
 * Sets a knob by its user-visible name, that of the device property:
 *   tx-seq-check=drop|error-cqe|ignore
 *   rx-resync-flag-at=magic|loss|both
 *   resync-repeat=never|timeout|<N>        (N: records, 1..16777215)
 *   bad-tag-action=continue|search
 *   rx-error-bytes=record|packet|wire
 *   search-pattern=strict|magic-only
 *   auth-stage=on|off
 *   start-order-tolerance=<bytes>          (1..2147483647)
 *   start-anchor-from-static=on|off
 *   lax-params=on|off
 * Returns NULL, or an error message (to be g_free()d) with the wrong token and
 * the allowed values; the knobs are then unchanged.
 */
char *mlx5_tls_knobs_parse(Mlx5TlsKnobs *knobs, const char *name,
                           const char *value);

/* Returns a knob's value as text, to be g_free()d; NULL for an unknown name. */
char *mlx5_tls_knobs_print(const Mlx5TlsKnobs *knobs, const char *name);

/* Returns the i-th knob's name, or NULL past the end. */
const char *mlx5_tls_knobs_name(unsigned i);

/*
 * Check for values that a context accepts: fixed fields, known versions, START
 * only.
 */
bool mlx5_tls_static_params_ok(const Mlx5TlsStaticParams *p,
                               const Mlx5TlsKnobs *knobs);
bool mlx5_tls_progress_params_ok(const Mlx5TlsProgressParams *p,
                                 const Mlx5TlsKnobs *knobs);

/* ---- record log ---------------------------------------------------------- */

typedef enum Mlx5TlsDir {
    MLX5_TLS_DIR_TX = 0,
    MLX5_TLS_DIR_RX = 1,
} Mlx5TlsDir;

/* How a record was processed. */
typedef enum Mlx5TlsRecordMode {
    MLX5_TLS_RECORD_SKIP = 0,       /* RX: only its length is used */
    MLX5_TLS_RECORD_AUTHONLY,       /* RX: tag verified, bytes never changed */
    MLX5_TLS_RECORD_DECRYPT,        /* RX in sync: bytes count for flag 1 */
    MLX5_TLS_RECORD_ENCRYPT,        /* TX */
} Mlx5TlsRecordMode;

typedef enum Mlx5TlsRecordEnd {
    MLX5_TLS_RECORD_END_DONE = 0,   /* last byte passed; SKIP: tag unchecked */
    MLX5_TLS_RECORD_END_TAG_OK,
    MLX5_TLS_RECORD_END_TAG_BAD,
    MLX5_TLS_RECORD_END_LOST,       /* tracking was lost in it, end not seen */
} Mlx5TlsRecordEnd;

/* An entry of the record log, reported when a record ends. */
typedef struct Mlx5TlsRecordEvent {
    Mlx5TlsDir dir;
    uint32_t id;            /* as given to init: tisn or tirn */
    uint64_t number;        /* record number, if number_known */
    bool number_known;
    uint32_t tcp_sn;        /* sequence number of the header, if tcp_sn_known */
    bool tcp_sn_known;
    uint32_t len;           /* of the record, header included */
    uint8_t type;           /* content type byte of the header */
    Mlx5TlsRecordMode mode;
    Mlx5TlsRecordEnd end;
    /*
     * RX: some packet with bytes of it was delivered with / without flag 1;
     * both set is what Linux calls a partially decrypted record. TX: some bytes
     * of it were sent to the wire (clear is always false) / were passed by
     * DUMP.
     */
    bool decrypted;
    bool not_decrypted;
    bool sent;
    bool dumped;
    /*
     * TX: the computed tag. Different tags for the same (key, number) mean that
     * a nonce was reused for other plaintext. RX: all zero.
     */
    uint8_t tag[MLX5_TLS_TAG_LEN];
    uint8_t state_before;   /* at the start of the packet; direction's own
                             * enum */
    uint8_t state_after;    /* at the end of the packet */
    /* TX: bytes of the packet's or DUMP's payload up to its end; RX: 0 */
    uint32_t end_off;
} Mlx5TlsRecordEvent;

/*
 * Return the words of the record log for an event: how the record was
 * processed, how it ended, how its bytes were sent or delivered.
 */
const char *mlx5_tls_record_mode_str(const Mlx5TlsRecordEvent *event);
const char *mlx5_tls_record_end_str(const Mlx5TlsRecordEvent *event);
const char *mlx5_tls_record_verdict_str(const Mlx5TlsRecordEvent *event);

typedef void Mlx5TlsRecordLogFn(void *opaque, const Mlx5TlsRecordEvent *event);

#endif
