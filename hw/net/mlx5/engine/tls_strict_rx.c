/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receive side of the checker: follows the records received from the wire,
 * decrypts them with libcrypto alone, and compares the result with the
 * delivered bytes and flag. See tls_strict.h.
 *
 * It never loses its position earlier than the tracker: its statements about
 * bytes are true, while the tracker may know less.
 */
#include "tls_strict_priv.h"

/* Findings about a packet. */
typedef struct Look {
    const char *why_not;    /* why not all bytes can be decrypted */
    bool tag_bad;           /* a tag that ends in it is wrong, the first
                             * problem in it */
    bool shown;             /* starts in a record of a packet with flag 1, */
    size_t shown_end;       /* exclusive end of that record */
} Look;

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void mlx5_strict_rx_start(Mlx5TlsStrict *s, StrictContext *c,
                          const Mlx5TlsProgressParams *p)
{
    c->place = c->running ? RX_ANCHOR : RX_NOWHERE;
    memset(&c->came, 0, sizeof(c->came));
    c->proved = true;
    c->follow = false;
    c->shown = false;
    c->begun_in_error = false;
    c->next_hdr = p->next_record_tcp_sn;
    if (mlx5_tls_engine_knobs(s->engine)->start_anchor_from_static &&
        !c->next_hdr) {
        c->next_hdr = c->run.p.resync_tcp_sn;
    }
}

/*
 * Checks whether the post approves the candidate. If so, records have numbers
 * from now on.
 */
void mlx5_strict_rx_static(Mlx5TlsStrict *s, StrictContext *c)
{
    if (c->place != RX_CHAIN || !c->posted.ok ||
        c->posted.p.resync_tcp_sn != c->hw_resync) {
        return;
    }
    mlx5_strict_run(c, &c->posted);
    c->rec_no = c->posted.p.initial_record_number + c->hw_off + 1;
    c->place = RX_SYNC;
    c->proved = mlx5_tls_engine_knobs(s->engine)->auth_stage_off;
}

static void lose(StrictContext *c)
{
    c->place = RX_NOWHERE;
    memset(&c->rec, 0, sizeof(c->rec));
    c->shown = false;
    c->begun_in_error = false;
}

/* A complete header was read; it starts at c->next_hdr. */
static void header(Mlx5TlsStrict *s, StrictContext *c)
{
    bool numbered = c->place == RX_SYNC;

    if (!mlx5_strict_record_begin(&c->rec, &c->run, numbered ? c->rec_no : 0)) {
        lose(c);
        return;
    }
    c->next_hdr += MLX5_TLS_HDR_LEN + c->rec.len;
    c->follow = numbered && !c->begun_in_error;
    c->trusted = numbered && c->proved;
    if (numbered) {
        c->rec_no++;
    } else {
        c->hw_off++;
    }
    if (c->follow && !c->rec.nonce_len) {
        mlx5_strict_cipher_begin(s, c, false);
    }
}

/* Processes the end of a record that was followed. */
static void record_end(Mlx5TlsStrict *s, StrictContext *c, Look *look)
{
    const Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(s->engine);

    if (mlx5_gcm_whole_end(c->gcm, c->rec.tag)) {
        c->proved = true;
        return;
    }
    if (c->trusted) {
        look->tag_bad |= !look->why_not;
    }
    if (!c->trusted || knobs->bad_tag_action == MLX5_TLS_BAD_TAG_SEARCH) {
        lose(c);    /* the approved number is wrong; or bad-tag-action=search */
    }
}

/* Follows the packet's bytes from off on. */
static void walk(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *wire,
                 size_t off, size_t len, Look *look)
{
    StrictRecord *r = &c->rec;

    while (off < len && c->place != RX_NOWHERE) {
        StrictKind kind = KIND_HEADER;
        size_t n = MLX5_TLS_HDR_LEN - r->hdr_fill;

        if (r->hdr_fill == MLX5_TLS_HDR_LEN) {
            kind = mlx5_strict_record_next(r, &n);
        }
        n = MIN(n, len - off);
        if (kind == KIND_HEADER) {
            if (c->place != RX_SYNC || !c->proved) {
                look->why_not =
                    "the record's number is not known, or not proved";
            }
            mlx5_strict_bytes_run(&s->rx, off, n, kind, c->rec_no);
            memcpy(r->hdr + r->hdr_fill, wire + off, n);
            r->hdr_fill += n;
            off += n;
            if (r->hdr_fill == MLX5_TLS_HDR_LEN) {
                header(s, c);
            }
            continue;
        }
        if (c->begun_in_error) {
            look->why_not = "a record that begins in a packet with flag 3";
        } else if (!c->follow) {
            look->why_not = "a record that was not followed from its start";
        } else if (!c->trusted) {
            look->why_not = "a record before the approved number was proved";
        }
        mlx5_strict_bytes_run(&s->rx, off, n, c->follow ? kind : KIND_UNTRACKED,
                              r->number);
        if (kind == KIND_NONCE) {
            mlx5_strict_record_nonce(r, wire + off, n);
            if (c->follow && r->pos + n == r->nonce_len) {
                mlx5_strict_cipher_begin(s, c, false);
            }
        } else if (kind == KIND_TEXT && c->follow) {
            mlx5_gcm_whole_text(c->gcm, s->rx.bytes->data + off, wire + off, n);
        } else if (kind == KIND_TAG && c->follow) {
            memcpy(r->tag + (r->pos - (r->len - MLX5_TLS_TAG_LEN)), wire + off,
                   n);
        }
        r->pos += n;
        off += n;
        if (r->pos == r->len) {
            r->hdr_fill = 0;
            look->shown_end = MIN(look->shown_end, off);
            c->shown = false;
            c->begun_in_error = false;
            if (c->follow) {
                record_end(s, c, look);
            }
        }
    }
    if (off < len) {
        look->why_not = "no valid header where one must be";
        mlx5_strict_bytes_run(&s->rx, off, len - off, KIND_UNTRACKED, 0);
    }
}

/*
 * Bytes up to seq are missing. Keeps the position unless header bytes are among
 * them.
 */
static void hole(StrictContext *c, uint32_t seq)
{
    StrictRecord *r = &c->rec;
    bool in_record = r->hdr_fill == MLX5_TLS_HDR_LEN;

    if (!in_record || before(c->next_hdr, seq)) {
        lose(c);
        return;
    }
    c->follow = false;
    if (seq == c->next_hdr) {
        r->hdr_fill = 0;
        c->shown = false;
        c->begun_in_error = false;
    } else {
        r->pos = r->len - (c->next_hdr - seq);
    }
}

/* Records the new bytes of a processed packet as received. */
static void remember(StrictCame *k, uint32_t seq, const uint8_t *wire,
                     size_t len)
{
    uint32_t end = seq + (uint32_t)len;
    uint8_t all[2 * sizeof(k->last)];
    size_t n;

    if (!k->known || before(k->upto, seq)) {
        k->len = 0;             /* earlier bytes are not adjacent */
        k->upto = seq;
    }
    n = MIN(end - k->upto, sizeof(k->last));
    memcpy(all, k->last, k->len);
    memcpy(all + k->len, wire + (len - n), n);
    n += k->len;
    k->len = MIN(n, sizeof(k->last));
    memcpy(k->last, all + (n - k->len), k->len);
    k->upto = end;
    k->known = true;
}

/*
 * Gets the header that would start at `at`, a byte in the packet, with its
 * bytes as first received, since a retransmission may differ. Its last byte
 * must be new.
 */
static bool header_at(const StrictCame *before_it, uint32_t seq,
                      const uint8_t *wire, size_t len, uint32_t at,
                      uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    if (before(at, seq) || at - seq + MLX5_TLS_HDR_LEN > len) {
        return false;
    }
    for (uint32_t x = at; x != at + MLX5_TLS_HDR_LEN; x++) {
        if (before_it->known && before(x, before_it->upto)) {
            uint32_t back = before_it->upto - x;

            if (back > before_it->len) {
                return false;
            }
            hdr[x - at] = before_it->last[before_it->len - back];
        } else {
            hdr[x - at] = wire[x - seq];
        }
    }
    return true;
}

/*
 * For a packet without the anchor: returns whether tracking is lost before it
 * started.
 */
static bool start_missed(Mlx5TlsStrict *s, const StrictContext *c, uint32_t seq,
                         uint32_t end)
{
    return before(c->next_hdr, seq) ||
           c->next_hdr - end >=
               mlx5_tls_engine_knobs(s->engine)->start_order_tolerance;
}

/* Locates the packet in the stream, and follows its new bytes. */
static Look look_at(Mlx5TlsStrict *s, StrictContext *c, uint32_t seq,
                    const uint8_t *wire, size_t len)
{
    uint32_t end = seq + (uint32_t)len;
    Look look = { .shown = c->shown, .shown_end = len };
    size_t off = 0;

    if (c->place == RX_ANCHOR && !before(c->next_hdr, seq) &&
        c->next_hdr - seq < len) {
        off = c->next_hdr - seq;
        look.why_not = off ? "bytes before the start" : NULL;
        c->place = RX_SYNC;
    } else if (c->place == RX_ANCHOR) {
        look.why_not = "the start has not been reached";
        if (!start_missed(s, c, seq, end)) {
            return look;
        }
        lose(c);
    } else if (!c->came.known) {
        look.why_not = "there was no start";
        return look;
    } else if (!before(c->came.upto, end)) {
        look.why_not = "all of it was there before";
        return look;
    } else if (before(seq, c->came.upto)) {
        off = c->came.upto - seq;
        look.why_not = "some of it was there before";
    } else if (seq != c->came.upto) {
        look.why_not = "behind a hole";
        hole(c, seq);
    }
    remember(&c->came, seq, wire, len);
    if (c->place == RX_NOWHERE) {
        look.why_not = "the place in the stream is not known";
        return look;
    }
    mlx5_strict_bytes_run(&s->rx, 0, off, KIND_UNTRACKED, 0);
    walk(s, c, wire, off, len, &look);
    return look;
}

/*
 * The tracker reports a candidate in this packet; before_it is the state of the
 * stream before the packet. Follows the chain from there.
 */
static bool candidate_begin(Mlx5TlsStrict *s, StrictContext *c,
                            const StrictCame *before_it, uint32_t seq,
                            const uint8_t *wire, size_t len, uint32_t at)
{
    const Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(s->engine);
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    Look none = { NULL };
    StrictRecord *r = &c->rec;

    if (!c->running || !header_at(before_it, seq, wire, len, at, hdr)) {
        return false;
    }
    lose(c);
    memcpy(r->hdr, hdr, sizeof(hdr));
    c->place = RX_CHAIN;
    c->follow = false;
    c->hw_resync = at;
    c->hw_off = 0;
    if (!mlx5_strict_record_begin(r, &c->run, 0)) {
        if (knobs->search_pattern != MLX5_TLS_SEARCH_MAGIC_ONLY ||
            r->hdr[1] != 3 || r->hdr[2] != 3) {
            lose(c);
            return false;
        }
        /* any length, since nothing else is used */
        r->len = (uint32_t)r->hdr[3] << 8 | r->hdr[4];
        r->pos = 0;
    }
    c->next_hdr = at + MLX5_TLS_HDR_LEN + r->len;
    r->hdr_fill = MLX5_TLS_HDR_LEN;
    walk(s, c, wire, at - seq + MLX5_TLS_HDR_LEN, len, &none);
    return true;
}

/* With flag 1: checks all bytes. */
static void check_bytes(Mlx5TlsStrict *s, StrictContext *c, uint32_t seq,
                        const uint8_t *wire, const uint8_t *delivered)
{
    for (size_t i = 0; i < s->rx.runs->len; i++) {
        const StrictRun *run = &g_array_index(s->rx.runs, StrictRun, i);
        bool text = run->kind == KIND_TEXT;
        const uint8_t *want = text ? s->rx.bytes->data : wire;

        if (run->kind != KIND_UNTRACKED &&
            memcmp(delivered + run->off, want + run->off, run->len) != 0) {
            mlx5_tls_strict_violation(
                s, text ? MLX5_STRICT_RX_PAYLOAD : MLX5_STRICT_RX_FRAMING,
                "tir 0x%x seq 0x%x record %" G_GUINT64_FORMAT, c->id,
                seq + (uint32_t)run->off, run->number);
            return;
        }
    }
}

/*
 * With flag 3: transformed bytes must be the plaintext, all others those of the
 * wire. Gives up the record that begins in the packet.
 */
static void check_error(Mlx5TlsStrict *s, StrictContext *c, uint32_t seq,
                        const uint8_t *wire, const uint8_t *delivered,
                        size_t len, const Look *look)
{
    Mlx5TlsErrorBytes holds = mlx5_tls_engine_knobs(s->engine)->rx_error_bytes;
    size_t end = 0;         /* end of the runs, which cover everything in
                             * order */
    bool right = true;

    for (guint i = 0; i < s->rx.runs->len; i++) {
        const StrictRun *run = &g_array_index(s->rx.runs, StrictRun, i);
        bool transformed = run->kind == KIND_TEXT &&
                           (holds == MLX5_TLS_ERROR_PACKET ||
                            (holds == MLX5_TLS_ERROR_RECORD && look->shown &&
                             run->off < look->shown_end));
        const uint8_t *want = transformed ? s->rx.bytes->data : wire;

        right &= run->off == end &&
                 memcmp(delivered + run->off, want + run->off, run->len) == 0;
        end = run->off + run->len;
    }
    if (!right || end != len) {
        mlx5_tls_strict_violation(
            s, MLX5_STRICT_RX_ALTERED,
            "tir 0x%x seq 0x%x +%zu: flag 3, not what rx-error-bytes "
            "makes of it",
            c->id, seq, len);
    }
    if (holds == MLX5_TLS_ERROR_RECORD && c->rec.hdr_fill) {
        c->follow = false;
        c->begun_in_error = true;
    }
}

void mlx5_tls_strict_rx_packet(Mlx5TlsStrict *s, uint32_t tirn, uint32_t seq,
                               const uint8_t *wire, const uint8_t *delivered,
                               size_t len, Mlx5TlsFlag flag, bool candidate,
                               uint32_t hw_resync_tcp_sn)
{
    StrictContext *c = mlx5_strict_context(s, MLX5_TLS_DIR_RX, tirn);
    Mlx5TlsResyncFlagAt at =
        mlx5_tls_engine_knobs(s->engine)->rx_resync_flag_at;
    StrictCame before_it;
    Look look;

    if (!c) {
        return;
    }
    before_it = c->came;
    mlx5_strict_bytes_set(&s->rx, wire, len);
    look = look_at(s, c, seq, wire, len);
    if (flag == MLX5_TLS_FLAG_DECRYPTED) {
        if (look.why_not) {
            mlx5_tls_strict_violation(s, MLX5_STRICT_RX_UNTRACKED,
                                      "tir 0x%x seq 0x%x +%zu: %s", tirn, seq,
                                      len, look.why_not);
        } else if (look.tag_bad) {
            mlx5_tls_strict_violation(
                s, MLX5_STRICT_RX_FLAG,
                "tir 0x%x seq 0x%x +%zu: flag 1, a wrong tag", tirn, seq, len);
        } else {
            check_bytes(s, c, seq, wire, delivered);
            mlx5_strict_check_key(s, MLX5_TLS_DIR_RX, c);
        }
        c->shown |= c->rec.hdr_fill != 0;
    } else if (flag == MLX5_TLS_FLAG_ERROR && look.tag_bad) {
        check_error(s, c, seq, wire, delivered, len, &look);
    } else if (memcmp(wire, delivered, len) != 0) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_RX_ALTERED,
                                  "tir 0x%x seq 0x%x +%zu flag %d", tirn, seq,
                                  len, flag);
    }
    if (flag == MLX5_TLS_FLAG_ERROR && !look.tag_bad) {
        mlx5_tls_strict_violation(
            s, MLX5_STRICT_RX_FLAG,
            "tir 0x%x seq 0x%x +%zu: flag 3, no wrong tag", tirn, seq, len);
    }
    if (candidate && !candidate_begin(s, c, &before_it, seq, wire, len,
                                      hw_resync_tcp_sn)) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_RX_RESYNC,
                                  "tir 0x%x seq 0x%x +%zu: no header at 0x%x",
                                  tirn, seq, len, hw_resync_tcp_sn);
    }
    if (candidate != (flag == MLX5_TLS_FLAG_RESYNC) &&
        (at == MLX5_TLS_RESYNC_AT_MAGIC ||
         (candidate && at == MLX5_TLS_RESYNC_AT_BOTH))) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_RX_RESYNC,
                                  "tir 0x%x seq 0x%x +%zu: %s", tirn, seq, len,
                                  candidate ? "a candidate without flag 2" :
                                              "flag 2 without a candidate");
    }
    mlx5_secret_empty_bytes(s->rx.bytes);
}
