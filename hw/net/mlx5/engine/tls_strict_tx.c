/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transmit side of the checker: encrypts the driver's payload again, with
 * libcrypto alone, and compares every frame sent with the result. See
 * tls_strict.h.
 */
#include "tls_strict_priv.h"

void mlx5_strict_tx_start(StrictContext *c)
{
    c->exp_known = false;
    c->reuse_said = false;
}

/* Consumes bytes of a record header; a complete header begins a record. */
static void take_header(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *data,
                        size_t len)
{
    StrictRecord *r = &c->rec;

    memcpy(r->hdr + r->hdr_fill, data, len);
    r->hdr_fill += len;
    if (r->hdr_fill < MLX5_TLS_HDR_LEN) {
        return;
    }
    c->reuse_said = false;
    if (!mlx5_strict_record_begin(r, &c->run, c->rec_no++)) {
        c->running = false;
    } else if (!r->nonce_len) {
        mlx5_strict_cipher_begin(s, c, true);
    }
}

/*
 * Consumes the next bytes of the stream; s->tx receives their expected form on
 * the wire and their kinds. Nothing is known after an invalid header.
 */
static void feed(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *data,
                 size_t len)
{
    StrictRecord *r = &c->rec;
    size_t off = 0;
    uint8_t *out;

    g_array_set_size(s->tx.runs, 0);
    g_byte_array_set_size(s->tx.bytes, len);
    out = s->tx.bytes->data;
    while (off < len && c->running) {
        StrictKind kind = KIND_HEADER;
        size_t n = MLX5_TLS_HDR_LEN - r->hdr_fill;

        if (r->hdr_fill == MLX5_TLS_HDR_LEN) {
            kind = mlx5_strict_record_next(r, &n);
        }
        n = MIN(n, len - off);
        mlx5_strict_bytes_run(&s->tx, off, n, kind,
                              kind == KIND_HEADER ? c->rec_no : r->number);
        switch (kind) {
        case KIND_UNTRACKED:
            break;
        case KIND_HEADER:
            memcpy(out + off, data + off, n);
            take_header(s, c, data + off, n);
            break;
        case KIND_NONCE:
            memcpy(out + off, data + off, n);
            mlx5_strict_record_nonce(r, data + off, n);
            if (r->pos + n == r->nonce_len) {
                mlx5_strict_cipher_begin(s, c, true);
            }
            break;
        case KIND_TEXT:
            mlx5_gcm_whole_text(c->gcm, out + off, data + off, n);
            mlx5_strict_sent(s, c, out + off, r->pos - r->nonce_len, n);
            break;
        case KIND_TAG:
            memcpy(out + off, r->tag + (r->pos - (r->len - MLX5_TLS_TAG_LEN)),
                   n);
            break;
        }
        off += n;
        if (kind == KIND_HEADER) {
            continue;
        }
        r->pos += n;
        if (r->pos == r->len - MLX5_TLS_TAG_LEN) {
            mlx5_gcm_whole_end(c->gcm, r->tag);
            mlx5_strict_sent(s, c, NULL, r->pos - r->nonce_len, 0);
        } else if (r->pos == r->len) {
            r->hdr_fill = 0;
        }
    }
    mlx5_strict_bytes_run(&s->tx, off, len - off, KIND_UNTRACKED, 0);
}

void mlx5_tls_strict_tx_plain(Mlx5TlsStrict *s, uint32_t tisn,
                              const uint8_t *data, size_t len)
{
    StrictContext *c = mlx5_strict_context(s, MLX5_TLS_DIR_TX, tisn);

    if (len) {
        mlx5_secret_empty_bytes(s->plain);
        g_byte_array_set_size(s->plain, len);
        memcpy(s->plain->data, data, len);
        s->have_plain = true;
        if (c) {
            mlx5_strict_order_data(s, c, "data");
        }
    }
}

void mlx5_tls_strict_tx_passed(Mlx5TlsStrict *s, uint32_t tisn, uint32_t seq)
{
    StrictContext *c = mlx5_strict_context(s, MLX5_TLS_DIR_TX, tisn);

    if (!c || !s->have_plain) {
        return;     /* frames sent now have not passed the context */
    }
    if (c->exp_known && seq != c->exp) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_TX_SEQUENCE,
                                  "tis 0x%x seq 0x%x, stands at 0x%x", tisn,
                                  seq, c->exp);
    }
    if (c->running) {
        mlx5_strict_check_key(s, MLX5_TLS_DIR_TX, c);
    }
    feed(s, c, s->plain->data, s->plain->len);
    c->exp_known = true;
    c->exp = seq + s->plain->len;
    s->passed = true;
    s->passed_id = tisn;
    s->passed_seq = seq;
}

void mlx5_tls_strict_tx_dump(Mlx5TlsStrict *s, uint32_t tisn,
                             const uint8_t *data, size_t len, bool taken)
{
    StrictContext *c = mlx5_strict_context(s, MLX5_TLS_DIR_TX, tisn);

    if (!c || !len) {
        return;
    }
    mlx5_strict_order_data(s, c, "DUMP");
    if (taken) {
        feed(s, c, data, len);
        c->exp += len;
    }
}

/*
 * Returns what is wrong with bytes [from, to) of the payload, all in one run.
 */
static Mlx5StrictReason wrong_how(const Mlx5TlsStrict *s, StrictKind kind,
                                  const uint8_t *got, size_t from, size_t to)
{
    size_t n = MIN(to - from, 16);

    switch (kind) {
    case KIND_HEADER:
    case KIND_NONCE:
        return MLX5_STRICT_TX_HEADER;
    case KIND_TEXT:
        return memcmp(got, s->plain->data + from, n) == 0 ?
                   MLX5_STRICT_TX_PLAINTEXT :
                   MLX5_STRICT_TX_CIPHERTEXT;
    case KIND_TAG:
        return MLX5_STRICT_TX_CIPHERTEXT;
    default:
        return MLX5_STRICT_TX_BYPASS;
    }
}

void mlx5_tls_strict_tx_frame(Mlx5TlsStrict *s, uint32_t tisn, bool tcp,
                              uint32_t seq, const uint8_t *payload, size_t len)
{
    const GByteArray *want = s->tx.bytes;
    uint32_t said = 0;
    size_t base, i;

    if (!mlx5_strict_context(s, MLX5_TLS_DIR_TX, tisn) && !s->whole) {
        return;
    }
    if (tcp && !len) {
        return;     /* nothing to protect */
    }
    base = seq - s->passed_seq;
    if (!tcp || !s->passed || s->passed_id != tisn || base > want->len ||
        len > want->len - base) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_TX_BYPASS,
                                  "tis 0x%x seq 0x%x +%zu%s", tisn, seq, len,
                                  tcp ? "" : ", no TCP segment");
        return;
    }
    for (i = 0; i < s->tx.runs->len; i++) {
        const StrictRun *run = &g_array_index(s->tx.runs, StrictRun, i);
        size_t from = MAX(run->off, base),
               to = MIN(run->off + run->len, base + len);
        Mlx5StrictReason why;

        if (from >= to || (run->kind != KIND_UNTRACKED &&
                           memcmp(payload + (from - base), want->data + from,
                                  to - from) == 0)) {
            continue;
        }
        while (run->kind != KIND_UNTRACKED &&
               payload[from - base] == want->data[from]) {
            from++;
        }
        why = wrong_how(s, run->kind, payload + (from - base), from, to);
        if (!(said & 1u << why)) {
            said |= 1u << why;
            mlx5_tls_strict_violation(
                s, why, "tis 0x%x seq 0x%x record %" G_GUINT64_FORMAT, tisn,
                s->passed_seq + (uint32_t)from, run->number);
        }
    }
}
