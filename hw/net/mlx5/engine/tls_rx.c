/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RX tracker of a TIR. See tls_rx.h for the rows, ownership and callers; the
 * rows are defined as data in tls_rx_table.c, their actions here.
 *
 * A packet is handled in three steps: compare its position with the expected
 * one (one event, one row), follow the record stream through its bytes
 * (headers, tags and patterns are events too), then determine the flag and
 * decrypt if it is 1, or according to rx-error-bytes if it is 3. The packet is
 * not changed before its flag is known.
 */
#include "secret.h"
#include "tls_rx_table.h"

#include <string.h>

/* A packet (or post) being processed. */
typedef struct Work {
    Mlx5TlsRx *rx;
    const Mlx5TlsKnobs *knobs;
    const uint8_t *p;
    size_t len;
    uint32_t seq;           /* of p[0] */
    size_t off;             /* next byte to follow */
    bool stale;             /* has no new byte: leaves the context unchanged */
    bool in_order;          /* to be delivered decrypted, if possible */
    bool decryptable;       /* no undecryptable byte so far */
    bool tag_failed;        /* a tag failed in an in_order packet */
    bool reason_final;      /* res->reason is the cause: keep it */
    bool raise;             /* flag 2 */
    uint32_t hdr_sn;        /* header event: start of the header */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t hdr_before;     /* its bytes in earlier packets */
    size_t hdr_off;         /* its first byte in this packet */
    GArray *spans;
    bool carried;           /* starts in a record of a packet with flag 1 */
    bool first_over;        /* the record open at its start has ended */
    guint first_spans;      /* number of spans of that record */
    Mlx5TlsRxResult *res;
} Work;

typedef void RxActionFn(Work *w);

static RxActionFn *const actions[RX_ACTIONS];

#define R(name)     MLX5_TLS_REASON_##name
#define OFFLOAD     MLX5_TLS_RX_OFFLOAD
#define CAND        MLX5_TLS_RX_CAND
#define SEARCH      MLX5_TLS_RX_SEARCH
#define LINK        MLX5_TLS_RX_LINK

/* ---- sequence numbers ---------------------------------------------------- */

/* a is before b, by at most half the number space */
static bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static uint32_t seq_at(const Work *w, size_t off)
{
    return w->seq + (uint32_t)off;
}

/* ---- taking a cell ------------------------------------------------------- */

static void take(Work *w, RxEvent event)
{
    const RxCell *cell = mlx5_tls_rx_cell(w->rx->state, event);

    if (cell->row) {
        mlx5_tls_engine_count_row(w->rx->engine, MLX5_TLS_DIR_RX, cell->row);
        w->res->rows |= MLX5_TLS_RX_ROW_BIT(cell->row);
        if (w->res->row == 0) {
            w->res->row = cell->row;
        }
    }
    if (cell->reason != R(NONE) && !w->reason_final) {
        w->res->reason = cell->reason;
    }
    if (cell->next != MLX5_TLS_RX_SAME) {
        w->rx->state = cell->next;
    }
    actions[cell->action](w);
}

static void act_none(Work *w)
{
    (void)w;
}

static void act_to_none(Work *w);

/* No such cell, so the packet is left unchanged. */
static void act_refuse(Work *w)
{
    act_to_none(w);
    w->rx->setup.why_not = R(NO_ROW);
    w->res->reason = R(NO_ROW);
    w->reason_final = true;
    w->decryptable = false;
    w->stale = true;
    w->off = w->len;
}

/* ---- records ------------------------------------------------------------- */

/* Ends the open record: reports and closes it. */
static void record_over(Mlx5TlsRx *rx, Mlx5TlsRecordEnd end)
{
    if (mlx5_tls_engine_logging(rx->engine)) {
        Mlx5TlsRecordEvent ev = {
            .dir = MLX5_TLS_DIR_RX,
            .id = rx->id,
            .number = rx->rec_number,
            .number_known = rx->rec_numbered,
            .tcp_sn = rx->rec_sn,
            .tcp_sn_known = true,
            .len = rx->next_hdr - rx->rec_sn,
            .type = rx->rec_type,
            .mode = rx->mode,
            .end = end,
            .decrypted = rx->rec_decrypted,
            .not_decrypted = rx->rec_not_decrypted,
        };

        /* the current packet's flag and states are added when known */
        g_array_append_val(mlx5_tls_engine_events(rx->engine), ev);
    }
    mlx5_tls_record_close(&rx->rec);
    rx->rec_open = false;
    rx->rec_decrypted = false;
    rx->rec_not_decrypted = false;
}

/* Opens the record of the accepted header in w->hdr; N becomes its end. */
static void record_begin(Work *w, Mlx5TlsRecordMode mode, bool numbered)
{
    Mlx5TlsRx *rx = w->rx;

    rx->rec_open = true;
    rx->mode = mode;
    rx->rec_sn = w->hdr_sn;
    rx->rec_type = w->hdr[0];
    rx->rec_numbered = numbered;
    rx->next_hdr = w->hdr_sn + MLX5_TLS_HDR_LEN + mlx5_tls_header_body(w->hdr);
    if (numbered) {
        rx->rec_number = rx->setup.rec_no++;
        mlx5_tls_record_open(&rx->rec, mlx5_tls_engine_gcm(rx->engine),
                             &rx->setup.run, rx->rec_number, w->hdr);
    }
}

/* Bytes of the open record are missing: only its length remains usable. */
static void record_spoil(Mlx5TlsRx *rx)
{
    if (rx->mode != MLX5_TLS_RECORD_SKIP) {
        mlx5_tls_record_close(&rx->rec);
        rx->mode = MLX5_TLS_RECORD_SKIP;
        mlx5_tls_engine_counters(rx->engine)->rx_skipped++;
    }
    rx->rec_not_decrypted = true;
}

static void act_open_decrypt(Work *w)
{
    record_begin(w, MLX5_TLS_RECORD_DECRYPT, true);
    w->res->records++;
    if (w->rx->hdr_skip) {
        w->rx->hdr_skip = false;
        record_spoil(w->rx);
    }
}

static void act_open_auth(Work *w)
{
    record_begin(w, MLX5_TLS_RECORD_AUTHONLY, true);
    w->res->records++;
}

static void act_count(Work *w)
{
    record_begin(w, MLX5_TLS_RECORD_SKIP, false);
    w->rx->hw_off++;
    w->res->records++;
}

static void act_link(Work *w)
{
    record_begin(w, MLX5_TLS_RECORD_SKIP, false);
}

static void become_candidate(Work *w)
{
    Mlx5TlsRx *rx = w->rx;

    record_begin(w, MLX5_TLS_RECORD_SKIP, false);
    rx->hw_resync = w->hdr_sn;
    rx->hw_off = 0;
    rx->repeat_due = false;
    w->res->candidate = true;
    w->res->hw_resync_tcp_sn = w->hdr_sn;
}

static void act_candidate(Work *w)
{
    become_candidate(w);
    w->raise |= w->knobs->rx_resync_flag_at != MLX5_TLS_RESYNC_AT_LOSS;
}

static void act_repeat(Work *w)
{
    become_candidate(w);
    w->res->records++;
    w->raise = true;
}

static void act_good_tag(Work *w)
{
    mlx5_tls_engine_counters(w->rx->engine)->rx_tag_ok++;
}

static void act_bad_tag(Work *w)
{
    mlx5_tls_engine_counters(w->rx->engine)->rx_tag_bad++;
    w->tag_failed |= w->in_order && w->decryptable;
    w->reason_final = true;
}

static void act_skip_begun(Work *w)
{
    if (w->rx->rec_open) {
        record_spoil(w->rx);
    } else {
        w->rx->hdr_skip = true;
    }
}

/* ---- losing track, searching --------------------------------------------- */

static void forget_stream(Mlx5TlsRx *rx)
{
    if (rx->rec_open) {
        rx->rec_not_decrypted = true;
        record_over(rx, MLX5_TLS_RECORD_END_LOST);
    }
    rx->hdr_fill = 0;
    rx->hdr_skip = false;
    rx->rec_decrypted = false;
    rx->rec_not_decrypted = false;
    rx->carry_len = 0;
}

static void lose(Work *w)
{
    forget_stream(w->rx);
    w->rx->owe_resync |=
        w->knobs->rx_resync_flag_at != MLX5_TLS_RESYNC_AT_MAGIC;
    w->decryptable = false;
    w->reason_final = true;
}

/*
 * Starts a search that includes the bytes of the bad header; those from earlier
 * packets are used as carry.
 */
static void search_bad_header(Work *w)
{
    Mlx5TlsRx *rx = w->rx;

    memcpy(rx->carry, w->hdr, w->hdr_before);
    rx->carry_len = w->hdr_before;
    w->off = w->hdr_off;
}

static void act_lose_all(Work *w)
{
    lose(w);
}

static void act_lose_header(Work *w)
{
    lose(w);
    search_bad_header(w);
}

static void act_unlink_all(Work *w)
{
    forget_stream(w->rx);
}

static void act_unlink_header(Work *w)
{
    forget_stream(w->rx);
    search_bad_header(w);
}

static void act_bad_tag_lose(Work *w)
{
    act_bad_tag(w);
    lose(w);
}

static void act_not_found(Work *w)
{
    Mlx5TlsRx *rx = w->rx;
    size_t n = MIN(w->len - w->off, sizeof(rx->carry));
    size_t keep = MIN(sizeof(rx->carry) - n, rx->carry_len);

    memmove(rx->carry, rx->carry + rx->carry_len - keep, keep);
    memcpy(rx->carry + keep, w->p + w->len - n, n);
    rx->carry_len = keep + n;
    w->off = w->len;
}

static bool pattern_at(const Work *w, const uint8_t *b)
{
    if (w->knobs->search_pattern == MLX5_TLS_SEARCH_MAGIC_ONLY) {
        return b[1] == 3 && b[2] == 3;
    }
    return b[1] == 3 &&
           mlx5_tls_header_check(w->rx->setup.run.tls_version, b,
                                 MLX5_TLS_HDR_LEN) == MLX5_TLS_HEADER_OK;
}

/*
 * SEARCH: looks for a header from w->off on, starting with those that begin in
 * the carry.
 */
static void search(Work *w)
{
    Mlx5TlsRx *rx = w->rx;
    uint8_t join[2 * sizeof(rx->carry)];
    size_t joined = MIN(w->len - w->off, sizeof(rx->carry));

    if (w->tag_failed) {
        /* flag 3 excludes flag 2: continue in the next packet */
        take(w, RX_EV_NOT_FOUND);
        return;
    }
    memcpy(join, rx->carry, rx->carry_len);
    memcpy(join + rx->carry_len, w->p + w->off, joined);
    joined += rx->carry_len;
    for (size_t i = 0; i < rx->carry_len && i + MLX5_TLS_HDR_LEN <= joined;
         i++) {
        if (pattern_at(w, join + i)) {
            memcpy(w->hdr, join + i, MLX5_TLS_HDR_LEN);
            w->hdr_sn = seq_at(w, w->off) - (uint32_t)(rx->carry_len - i);
            w->off += i + MLX5_TLS_HDR_LEN - rx->carry_len;
            take(w,
                 seq_before(w->hdr_sn, w->seq) ? RX_EV_FOUND_CUT : RX_EV_FOUND);
            return;
        }
    }
    for (size_t i = w->off; i + MLX5_TLS_HDR_LEN <= w->len; i++) {
        if (pattern_at(w, w->p + i)) {
            memcpy(w->hdr, w->p + i, MLX5_TLS_HDR_LEN);
            w->hdr_sn = seq_at(w, i);
            w->off = i + MLX5_TLS_HDR_LEN;
            take(w, RX_EV_FOUND);
            return;
        }
    }
    take(w, RX_EV_NOT_FOUND);
}

/* ---- following the stream ------------------------------------------------ */

static void follow_record(Work *w)
{
    Mlx5TlsRx *rx = w->rx;
    Mlx5TlsRecordMode mode = rx->mode;
    size_t left = rx->next_hdr - seq_at(w, w->off);
    size_t n = MIN(left, w->len - w->off);
    bool tag_ok;

    if (mode != MLX5_TLS_RECORD_SKIP) {
        mlx5_tls_record_hash(&rx->rec, w->p + w->off, n,
                             w->in_order ? w->spans : NULL, w->off);
    }
    w->decryptable &= mode == MLX5_TLS_RECORD_DECRYPT;
    w->off += n;
    if (n < left) {
        return;
    }
    if (!w->first_over) {
        w->first_over = true;
        w->first_spans = w->spans ? w->spans->len : 0;
    }
    if (mode == MLX5_TLS_RECORD_SKIP) {
        record_over(rx, MLX5_TLS_RECORD_END_DONE);
        take(w, RX_EV_RECORD_END);
        return;
    }
    tag_ok = mlx5_tls_record_tag_ok(&rx->rec);
    record_over(rx, tag_ok ? MLX5_TLS_RECORD_END_TAG_OK :
                             MLX5_TLS_RECORD_END_TAG_BAD);
    if (tag_ok) {
        take(w, RX_EV_TAG_OK);
    } else if (rx->state == OFFLOAD &&
               w->knobs->bad_tag_action == MLX5_TLS_BAD_TAG_SEARCH) {
        take(w, RX_EV_TAG_BAD_LOSE);
    } else {
        take(w, RX_EV_TAG_BAD);
    }
}

/* CAND: returns whether to ask again, with the header in w->hdr. */
static bool repeat_due(const Work *w)
{
    if (w->knobs->resync_repeat == MLX5_TLS_RESYNC_REPEAT_RECORDS) {
        return w->rx->hw_off + 1 >= w->knobs->resync_repeat_records;
    }
    return w->rx->repeat_due;
}

static void follow_header(Work *w)
{
    Mlx5TlsRx *rx = w->rx;
    size_t n = MIN(MLX5_TLS_HDR_LEN - rx->hdr_fill, w->len - w->off);
    Mlx5TlsHeader check;

    memcpy(rx->hdr + rx->hdr_fill, w->p + w->off, n);
    w->hdr_before = rx->hdr_fill;
    w->hdr_off = w->off;
    w->hdr_sn = rx->next_hdr;
    rx->hdr_fill += n;
    w->off += n;
    memcpy(w->hdr, rx->hdr, sizeof(w->hdr));
    check =
        mlx5_tls_header_check(rx->setup.run.tls_version, rx->hdr, rx->hdr_fill);
    if (check == MLX5_TLS_HEADER_PARTIAL) {
        return;
    }
    rx->hdr_fill = 0;
    if (check == MLX5_TLS_HEADER_BAD) {
        take(w, RX_EV_HEADER_BAD);
    } else if (rx->state == LINK && seq_before(w->hdr_sn, w->seq)) {
        take(w, RX_EV_HEADER_CUT);
    } else if (rx->state == CAND && !seq_before(w->hdr_sn, w->seq) &&
               repeat_due(w)) {
        take(w, RX_EV_HEADER_REPEAT);
    } else {
        take(w, RX_EV_HEADER);
    }
}

/*
 * Each iteration consumes bytes or closes a record, except when tracking is
 * lost, which leads to search().
 */
static void follow(Work *w)
{
    while (w->off < w->len) {
        if (w->rx->state == SEARCH) {
            search(w);
        } else if (w->rx->rec_open) {
            follow_record(w);
        } else {
            follow_header(w);
        }
    }
}

/* ---- packets ------------------------------------------------------------- */

static RxEvent classify(const Work *w)
{
    const Mlx5TlsRx *rx = w->rx;
    uint32_t s = w->seq, e = s + (uint32_t)w->len;

    switch (rx->state) {
    case MLX5_TLS_RX_NONE:
        return RX_EV_ANY;
    case MLX5_TLS_RX_START:
        if (seq_before(rx->next_hdr, s)) {
            return RX_EV_FAR;
        }
        if (rx->next_hdr - s < w->len) {
            return RX_EV_ANCHOR;
        }
        return rx->next_hdr - e < w->knobs->start_order_tolerance ?
                   RX_EV_BEFORE :
                   RX_EV_FAR;
    default:
        if (!seq_before(rx->exp, e)) {
            return RX_EV_OLD;
        }
        if (s == rx->exp) {
            return RX_EV_IN;
        }
        if (seq_before(s, rx->exp)) {
            return RX_EV_OVL;
        }
        return rx->state == SEARCH || seq_before(rx->next_hdr, s) ?
               RX_EV_GAP_HEADER : RX_EV_GAP;
    }
}

static void act_pass(Work *w)
{
    w->stale = true;
}

static void act_anchor(Work *w)
{
    w->off = w->rx->next_hdr - w->seq;
    if (w->off == 0) {
        w->in_order = true;
    } else {
        w->res->reason = R(BEFORE_ANCHOR);
    }
}

static void act_decrypt(Work *w)
{
    w->in_order = true;
}

static void act_follow(Work *w)
{
    w->off = 0;
}

static void act_overlap(Work *w)
{
    w->off = w->rx->exp - w->seq;
}

static void act_hole(Work *w)
{
    record_spoil(w->rx);
}

static void act_search_on(Work *w)
{
    w->off = w->rx->exp - w->seq;
}

static void act_search_new(Work *w)
{
    w->rx->carry_len = 0;
}

/* Completes the record events of a packet and reports them. */
static void report(Work *w)
{
    GArray *events = mlx5_tls_engine_events(w->rx->engine);

    for (guint i = 0; i < events->len; i++) {
        Mlx5TlsRecordEvent *ev = &g_array_index(events, Mlx5TlsRecordEvent, i);

        ev->decrypted |= w->res->flag == MLX5_TLS_FLAG_DECRYPTED;
        ev->not_decrypted |= w->res->flag != MLX5_TLS_FLAG_DECRYPTED;
        ev->state_before = w->res->state_before;
        ev->state_after = w->res->state_after;
    }
    mlx5_tls_engine_flush_events(w->rx->engine);
}

static void spans_apply(Work *w, uint8_t *payload)
{
    mlx5_gcm_spans_apply(mlx5_tls_engine_gcm(w->rx->engine),
                         w->rx->setup.run.key, payload, w->spans);
}

/* Flag 3: transforms the payload according to rx-error-bytes. */
static void apply_error(Work *w, uint8_t *payload)
{
    Mlx5TlsRx *rx = w->rx;

    switch (w->knobs->rx_error_bytes) {
    case MLX5_TLS_ERROR_WIRE:
        return;
    case MLX5_TLS_ERROR_PACKET:
        break;
    default:
        /*
         * the first record is over, since a tag was reached; erase the spans
         * that will not be decrypted
         */
        if (!w->carried) {
            w->first_spans = 0;
        }
        mlx5_secret_erase(&g_array_index(w->spans, Mlx5GcmSpan, w->first_spans),
                          (w->spans->len - w->first_spans) *
                              sizeof(Mlx5GcmSpan));
        g_array_set_size(w->spans, w->first_spans);
        if (rx->state == OFFLOAD && (rx->rec_open || rx->hdr_fill)) {
            take(w, RX_EV_ERROR_OPEN);
        }
        break;
    }
    spans_apply(w, payload);
}

static void count(const Work *w)
{
    Mlx5TlsCounters *c = mlx5_tls_engine_counters(w->rx->engine);

    c->rx_packets[w->res->flag]++;
    if (w->res->flag == MLX5_TLS_FLAG_DECRYPTED) {
        c->rx_decrypted_bytes += w->len;
    }
    c->rx_records += w->res->records;
}

static void conclude(Work *w, uint8_t *payload)
{
    Mlx5TlsRx *rx = w->rx;
    Mlx5TlsRxResult *res = w->res;

    res->state_after = rx->state;
    if (w->tag_failed) {
        res->flag = MLX5_TLS_FLAG_ERROR;
        apply_error(w, payload);
    } else if (w->in_order && w->decryptable) {
        spans_apply(w, payload);
        res->flag = MLX5_TLS_FLAG_DECRYPTED;
    } else {
        if (w->raise || (rx->owe_resync && !w->stale)) {
            res->flag = MLX5_TLS_FLAG_RESYNC;
            rx->owe_resync = false;
        }
        if (res->reason == R(NONE)) {
            res->reason = R(SKIPPED_RECORD);
        }
    }
    mlx5_secret_empty_array(w->spans);
    if (!w->stale) {
        rx->exp = w->seq + (uint32_t)w->len;
        if (rx->rec_open || rx->hdr_fill) {
            rx->rec_decrypted |= res->flag == MLX5_TLS_FLAG_DECRYPTED;
            rx->rec_not_decrypted |= res->flag != MLX5_TLS_FLAG_DECRYPTED;
        }
    }
    count(w);
    report(w);
}

void mlx5_tls_rx_packet(Mlx5TlsRx *rx, uint32_t seq, uint8_t *payload,
                        size_t len, Mlx5TlsRxResult *res)
{
    Work w = {
        .rx = rx,
        .knobs = mlx5_tls_engine_knobs(rx->engine),
        .p = payload,
        .len = len,
        .seq = seq,
        .decryptable = true,
        .carried = rx->rec_decrypted,
        .spans = mlx5_tls_engine_spans(rx->engine),
        .res = res,
    };

    *res = (Mlx5TlsRxResult) {
        .flag = MLX5_TLS_FLAG_NOT_DECRYPTED,
        .reason = R(NONE),
        .state_before = rx->state,
        .state_after = rx->state,
        .hw_resync_tcp_sn = rx->hw_resync,
    };
    if (len == 0 || len > MLX5_TLS_MAX_PAYLOAD) {
        res->reason = len ? R(TOO_LONG) : R(EMPTY);
        return;
    }
    take(&w, classify(&w));
    if (rx->state == MLX5_TLS_RX_NONE) {
        res->reason = rx->setup.why_not;
    }
    if (!w.stale) {
        follow(&w);
    }
    conclude(&w, payload);
}

/* ---- control ------------------------------------------------------------- */

static void act_approve(Work *w)
{
    Mlx5TlsRx *rx = w->rx;

    mlx5_tls_setup_run(&rx->setup, rx->hw_off + 1);
    rx->repeat_due = false;
}

static void act_reset(Work *w)
{
    Mlx5TlsRx *rx = w->rx;

    forget_stream(rx);
    mlx5_tls_setup_run(&rx->setup, 0);
    rx->hw_resync = 0;
    rx->hw_off = 0;
    rx->owe_resync = false;
    rx->repeat_due = false;
}

static void act_to_none(Work *w)
{
    forget_stream(w->rx);
    mlx5_tls_setup_stop(&w->rx->setup);
}

static RxActionFn *const actions[RX_ACTIONS] = {
    [RX_ACT_REFUSE] = act_refuse,
    [RX_ACT_NONE] = act_none,
    [RX_ACT_PASS] = act_pass,
    [RX_ACT_ANCHOR] = act_anchor,
    [RX_ACT_DECRYPT] = act_decrypt,
    [RX_ACT_FOLLOW] = act_follow,
    [RX_ACT_OVERLAP] = act_overlap,
    [RX_ACT_HOLE] = act_hole,
    [RX_ACT_LOSE_ALL] = act_lose_all,
    [RX_ACT_LOSE_HEADER] = act_lose_header,
    [RX_ACT_UNLINK_ALL] = act_unlink_all,
    [RX_ACT_UNLINK_HEADER] = act_unlink_header,
    [RX_ACT_SEARCH_ON] = act_search_on,
    [RX_ACT_SEARCH_NEW] = act_search_new,
    [RX_ACT_OPEN_DECRYPT] = act_open_decrypt,
    [RX_ACT_OPEN_AUTH] = act_open_auth,
    [RX_ACT_COUNT] = act_count,
    [RX_ACT_CANDIDATE] = act_candidate,
    [RX_ACT_REPEAT] = act_repeat,
    [RX_ACT_LINK] = act_link,
    [RX_ACT_SKIP_BEGUN] = act_skip_begun,
    [RX_ACT_GOOD_TAG] = act_good_tag,
    [RX_ACT_BAD_TAG] = act_bad_tag,
    [RX_ACT_BAD_TAG_LOSE] = act_bad_tag_lose,
    [RX_ACT_NOT_FOUND] = act_not_found,
    [RX_ACT_APPROVE] = act_approve,
    [RX_ACT_RESET] = act_reset,
    [RX_ACT_TO_NONE] = act_to_none,
};

static void control(Mlx5TlsRx *rx, RxEvent event)
{
    Mlx5TlsRxResult res = { .reason = R(NONE), .state_before = rx->state };
    Work w = { .rx = rx,
               .knobs = mlx5_tls_engine_knobs(rx->engine),
               .res = &res };

    take(&w, event);
    res.state_after = rx->state;
    report(&w);
}

Mlx5TlsRxStatic
mlx5_tls_rx_set_static(Mlx5TlsRx *rx,
                       const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                       Mlx5TlsKey *key, Mlx5TlsReason *reason)
{
    const Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(rx->engine);
    Mlx5TlsRxStatic ret = MLX5_TLS_RX_STATIC_STORED;
    Mlx5TlsReason why;
    bool match;

    why = mlx5_tls_setup_static(&rx->setup, knobs, image, key);
    match = rx->state == CAND &&
            rx->setup.params.resync_tcp_sn == rx->hw_resync;
    if (match && why == R(NONE)) {
        control(rx, knobs->auth_stage_off ? RX_EV_STATIC_MATCH_OFF :
                                            RX_EV_STATIC_MATCH);
        ret = MLX5_TLS_RX_STATIC_APPROVED;
    } else {
        if (match) {
            ret = MLX5_TLS_RX_STATIC_REFUSED;
        } else if (rx->state == CAND) {
            ret = MLX5_TLS_RX_STATIC_STALE;
            why = why != R(NONE) ? why : R(STALE);
        }
        control(rx, RX_EV_STATIC);
    }
    if (reason) {
        *reason = why;
    }
    return ret;
}

Mlx5TlsReason
mlx5_tls_rx_set_progress(Mlx5TlsRx *rx,
                         const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    const Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(rx->engine);
    Mlx5TlsProgressParams progress;

    switch (mlx5_tls_setup_start(&rx->setup, knobs, image, &progress)) {
    case R(NONE):
        control(rx, RX_EV_START);
        break;
    case R(BAD_PARAMS):
        control(rx, RX_EV_PSV_OTHER);
        return R(BAD_PARAMS);
    default:
        control(rx, RX_EV_START_UNUSABLE);
        break;
    }
    if (rx->state != MLX5_TLS_RX_START) {
        return rx->setup.why_not;
    }
    rx->next_hdr = progress.next_record_tcp_sn;
    if (knobs->start_anchor_from_static && rx->next_hdr == 0) {
        rx->next_hdr = rx->setup.params.resync_tcp_sn;
    }
    return R(NONE);
}

void mlx5_tls_rx_get_progress(const Mlx5TlsRx *rx,
                              uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    Mlx5TlsProgressParams progress = { 0 };

    mlx5_tls_engine_count_row(rx->engine, MLX5_TLS_DIR_RX,
                              MLX5_TLS_RX_ROW_GET_PSV);
    if (rx->state != MLX5_TLS_RX_NONE && rx->state < MLX5_TLS_RX_STATES) {
        progress = (Mlx5TlsProgressParams) {
            .next_record_tcp_sn = rx->next_hdr,
            .hw_resync_tcp_sn = rx->hw_resync,
            .record_tracker_state = mlx5_tls_rx_state_info(rx->state)->tracker,
            .auth_state = mlx5_tls_rx_state_info(rx->state)->auth,
            .hw_offset_record_number = rx->hw_off,
        };
    }
    mlx5_tls_progress_params_encode(&progress, image);
}

bool mlx5_tls_rx_resync_timeout(Mlx5TlsRx *rx)
{
    if (rx->state == CAND && mlx5_tls_engine_knobs(rx->engine)->resync_repeat ==
        MLX5_TLS_RESYNC_REPEAT_TIMEOUT) {
        rx->repeat_due = true;
    }
    return rx->repeat_due;
}

void mlx5_tls_rx_init(Mlx5TlsRx *rx, Mlx5TlsEngine *engine, uint32_t id)
{
    memset(rx, 0, sizeof(*rx));
    rx->engine = engine;
    rx->id = id;
    mlx5_tls_setup_init(&rx->setup);
}

void mlx5_tls_rx_clear(Mlx5TlsRx *rx)
{
    if (rx->engine) {
        mlx5_tls_engine_count_row(rx->engine, MLX5_TLS_DIR_RX,
                                  MLX5_TLS_RX_ROW_DESTROY);
    }
    mlx5_tls_record_close(&rx->rec);
    mlx5_tls_setup_clear(&rx->setup);
    mlx5_secret_erase(rx, sizeof(*rx));
}
