/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameter images, reasons as text, knobs by name. Owns no state; callable by
 * anyone.
 */
#include "tls_types.h"

/* ---- images -------------------------------------------------------------- */

#define DECODE(st, name, off, width) \
    p->name = mlx5_prm_get(image, (off), (width));
#define ENCODE(st, name, off, width) \
    mlx5_prm_set(image, (off), (width), p->name);

void mlx5_tls_static_params_decode(
    Mlx5TlsStaticParams *p, const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN])
{
    MLX5_PRM_tls_static_params(DECODE)
}

void mlx5_tls_static_params_encode(const Mlx5TlsStaticParams *p,
                                   uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN])
{
    memset(image, 0, MLX5_TLS_STATIC_PARAMS_LEN);
    MLX5_PRM_tls_static_params(ENCODE)
}

void mlx5_tls_progress_params_decode(
    Mlx5TlsProgressParams *p, const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    MLX5_PRM_tls_progress_params(DECODE)
}

void mlx5_tls_progress_params_encode(
    const Mlx5TlsProgressParams *p, uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    memset(image, 0, MLX5_TLS_PROGRESS_PARAMS_LEN);
    MLX5_PRM_tls_progress_params(ENCODE)
}

bool mlx5_tls_static_params_ok(const Mlx5TlsStaticParams *p,
                               const Mlx5TlsKnobs *knobs)
{
    if (p->tls_version != MLX5_TLS_VERSION_1_2 &&
        p->tls_version != MLX5_TLS_VERSION_1_3) {
        return false;
    }
    return knobs->lax_params ||
           (p->const_2 == 2 && p->const_1 == 1 &&
            p->encryption_standard == MLX5_TLS_ENCRYPTION_STANDARD_TLS);
}

bool mlx5_tls_progress_params_ok(const Mlx5TlsProgressParams *p,
                                 const Mlx5TlsKnobs *knobs)
{
    return knobs->lax_params ||
           (p->record_tracker_state == MLX5_TLS_TRACKER_START &&
            p->auth_state == MLX5_TLS_AUTH_NO_OFFLOAD);
}

/* ---- reasons ------------------------------------------------------------- */

static const char *const reasons[MLX5_TLS_REASON_MAX] = {
    [MLX5_TLS_REASON_NO_ROW] = "context is in a state that cannot be",
    [MLX5_TLS_REASON_NONE] = "as it should be",
    [MLX5_TLS_REASON_EMPTY] = "no payload",
    [MLX5_TLS_REASON_TOO_LONG] = "payload longer than 16 MiB",
    [MLX5_TLS_REASON_NO_CTX] = "no good static params and SET_PSV yet",
    [MLX5_TLS_REASON_NO_KEY] = "dek_index names no usable key",
    [MLX5_TLS_REASON_BAD_PARAMS] =
        "a parameter has a value that is not allowed",
    [MLX5_TLS_REASON_BROKEN] =
        "context met a bad record header and waits for SET_PSV",
    [MLX5_TLS_REASON_SEQ_MISMATCH] = "sequence number is not the expected one",
    [MLX5_TLS_REASON_BAD_HEADER] = "no valid record header where one must be",
    [MLX5_TLS_REASON_BEFORE_ANCHOR] =
        "payload begins before next_record_tcp_sn",
    [MLX5_TLS_REASON_LATE_START] =
        "first packet lies beyond next_record_tcp_sn",
    [MLX5_TLS_REASON_OLD] = "all bytes were seen before",
    [MLX5_TLS_REASON_OVERLAP] = "begins with bytes that were seen before",
    [MLX5_TLS_REASON_GAP] = "bytes of a record are missing before it",
    [MLX5_TLS_REASON_HEADER_LOST] = "a record header is missing before it",
    [MLX5_TLS_REASON_SKIPPED_RECORD] =
        "carries bytes of a record that was given up",
    [MLX5_TLS_REASON_SEARCHING] = "searching for a record header",
    [MLX5_TLS_REASON_UNANSWERED] = "candidate header waits for approval",
    [MLX5_TLS_REASON_AUTHENTICATING] =
        "approved, first record not authenticated yet",
    [MLX5_TLS_REASON_AUTH_FAILED] =
        "approved record number does not authenticate",
    [MLX5_TLS_REASON_BAD_TAG] = "authentication failure",
    [MLX5_TLS_REASON_STALE] = "approval does not name the present candidate",
};

const char *mlx5_tls_reason_str(unsigned reason)
{
    return reason < MLX5_TLS_REASON_MAX ? reasons[reason] :
                                          "unknown reason number";
}

/* ---- knobs --------------------------------------------------------------- */

/* In a knob's word list: a number, stored at number_at. */
#define NUMBER  "#"

typedef enum KnobKind {
    KNOB_ENUM,          /* index of the word, stored as unsigned int */
    KNOB_BOOL,          /* the same, stored as bool */
    KNOB_NUMBER,        /* only a number */
} KnobKind;

typedef struct Knob {
    const char *name;
    KnobKind kind;
    size_t at;              /* offset of the word's index in Mlx5TlsKnobs */
    const char *words[3];
    size_t number_at;       /* offset of the number, a uint32_t */
    uint32_t max;           /* numbers are 1..max */
} Knob;

#define AT(member)  offsetof(Mlx5TlsKnobs, member)

static const Knob knob_table[] = {
    { "tx-seq-check", KNOB_ENUM, AT(tx_seq_check),
      { "drop", "error-cqe", "ignore" }, 0, 0 },
    { "rx-resync-flag-at", KNOB_ENUM, AT(rx_resync_flag_at),
      { "magic", "loss", "both" }, 0, 0 },
    { "resync-repeat", KNOB_ENUM, AT(resync_repeat),
      { "never", NUMBER, "timeout" }, AT(resync_repeat_records), 0xffffff },
    { "bad-tag-action", KNOB_ENUM, AT(bad_tag_action),
      { "continue", "search" }, 0, 0 },
    { "rx-error-bytes", KNOB_ENUM, AT(rx_error_bytes),
      { "record", "packet", "wire" }, 0, 0 },
    { "search-pattern", KNOB_ENUM, AT(search_pattern),
      { "strict", "magic-only" }, 0, 0 },
    { "auth-stage", KNOB_BOOL, AT(auth_stage_off), { "on", "off" }, 0, 0 },
    { "start-order-tolerance", KNOB_NUMBER, 0,
      { NUMBER }, AT(start_order_tolerance), INT32_MAX },
    { "start-anchor-from-static", KNOB_BOOL, AT(start_anchor_from_static),
      { "off", "on" }, 0, 0 },
    { "lax-params", KNOB_BOOL, AT(lax_params), { "off", "on" }, 0, 0 },
};

G_STATIC_ASSERT(sizeof(Mlx5TlsTxSeqCheck) == sizeof(unsigned) &&
                sizeof(Mlx5TlsResyncFlagAt) == sizeof(unsigned) &&
                sizeof(Mlx5TlsResyncRepeat) == sizeof(unsigned) &&
                sizeof(Mlx5TlsBadTagAction) == sizeof(unsigned) &&
                sizeof(Mlx5TlsErrorBytes) == sizeof(unsigned) &&
                sizeof(Mlx5TlsSearchPattern) == sizeof(unsigned));

static const Knob *knob_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(knob_table); i++) {
        if (g_str_equal(knob_table[i].name, name)) {
            return &knob_table[i];
        }
    }
    return NULL;
}

/* "drop, error-cqe or ignore" */
static char *knob_allowed(const Knob *k)
{
    GString *s = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(k->words) && k->words[i]; i++) {
        bool last = i + 1 == G_N_ELEMENTS(k->words) || !k->words[i + 1];

        g_string_append(s, i == 0 ? "" : last ? " or " : ", ");
        if (g_str_equal(k->words[i], NUMBER)) {
            g_string_append_printf(s, "a number from 1 to %u", k->max);
        } else {
            g_string_append(s, k->words[i]);
        }
    }
    return g_string_free(s, FALSE);
}

static void knob_store_index(const Knob *k, Mlx5TlsKnobs *knobs, unsigned index)
{
    if (k->kind == KNOB_BOOL) {
        G_STRUCT_MEMBER(bool, knobs, k->at) = index != 0;
    } else if (k->kind == KNOB_ENUM) {
        G_STRUCT_MEMBER(unsigned, knobs, k->at) = index;
    }
}

char *mlx5_tls_knobs_parse(Mlx5TlsKnobs *knobs, const char *name,
                           const char *value)
{
    const Knob *k = knob_find(name);
    g_autofree char *allowed = NULL;
    guint64 number;

    if (!k) {
        GString *names = g_string_new(NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(knob_table); i++) {
            g_string_append_printf(names, "%s%s", i ? ", " : "",
                                   knob_table[i].name);
        }
        g_string_prepend(names, "': expected one of ");
        g_string_prepend(names, name);
        g_string_prepend(names, "unknown setting '");
        return g_string_free(names, FALSE);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(k->words) && k->words[i]; i++) {
        if (!g_str_equal(k->words[i], NUMBER)) {
            if (g_str_equal(k->words[i], value)) {
                knob_store_index(k, knobs, i);
                return NULL;
            }
        } else if (g_ascii_string_to_unsigned(value, 10, 1, k->max, &number,
                                              NULL)) {
            knob_store_index(k, knobs, i);
            G_STRUCT_MEMBER(uint32_t, knobs, k->number_at) = number;
            return NULL;
        }
    }
    allowed = knob_allowed(k);
    return g_strdup_printf("%s: unknown value '%s', expected %s", name, value,
                           allowed);
}

char *mlx5_tls_knobs_print(const Mlx5TlsKnobs *knobs, const char *name)
{
    const Knob *k = knob_find(name);
    unsigned index = 0;

    if (!k) {
        return NULL;
    }
    if (k->kind == KNOB_BOOL) {
        index = G_STRUCT_MEMBER(bool, knobs, k->at);
    } else if (k->kind == KNOB_ENUM) {
        index = G_STRUCT_MEMBER(unsigned, knobs, k->at);
    }
    if (g_str_equal(k->words[index], NUMBER)) {
        return g_strdup_printf("%u",
                               G_STRUCT_MEMBER(uint32_t, knobs, k->number_at));
    }
    return g_strdup(k->words[index]);
}

const char *mlx5_tls_knobs_name(unsigned i)
{
    return i < G_N_ELEMENTS(knob_table) ? knob_table[i].name : NULL;
}

void mlx5_tls_knobs_init(Mlx5TlsKnobs *knobs)
{
    *knobs = (Mlx5TlsKnobs) {
        .start_order_tolerance = 1u << 24,
    };
}

/* ---- record log ---------------------------------------------------------- */

const char *mlx5_tls_record_mode_str(const Mlx5TlsRecordEvent *event)
{
    static const char *const names[] = {
        [MLX5_TLS_RECORD_SKIP] = "skip",
        [MLX5_TLS_RECORD_AUTHONLY] = "authenticate",
        [MLX5_TLS_RECORD_DECRYPT] = "decrypt",
        [MLX5_TLS_RECORD_ENCRYPT] = "encrypt",
    };

    return names[event->mode];
}

const char *mlx5_tls_record_end_str(const Mlx5TlsRecordEvent *event)
{
    static const char *const names[] = {
        [MLX5_TLS_RECORD_END_DONE] = "done",
        [MLX5_TLS_RECORD_END_TAG_OK] = "tag-ok",
        [MLX5_TLS_RECORD_END_TAG_BAD] = "tag-bad",
        [MLX5_TLS_RECORD_END_LOST] = "lost",
    };

    return names[event->end];
}

const char *mlx5_tls_record_verdict_str(const Mlx5TlsRecordEvent *event)
{
    if (event->dir == MLX5_TLS_DIR_TX) {
        return event->sent && event->dumped ? "sent-and-dumped" :
               event->sent ? "sent" : "dumped";
    }
    return event->decrypted && event->not_decrypted ? "partly-decrypted" :
           event->decrypted ? "decrypted" : "not-decrypted";
}
