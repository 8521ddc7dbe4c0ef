/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tests of the checker: for each reason a device that is broken in just that way, and that
 * it is silent when all is well. The contexts are the engine's own; what is wrong is done
 * to what they return. That it is silent for whatever a good device does is what
 * test-tls-random.c shows with random streams.
 */
#include <glib.h>
#include <string.h>

#include "tls-ref.h"
#include "tls-strict-bench.h"
#include "tls_rx.h"
#include "tls_tx.h"

#define ID  0x77u
#define DEK 0x123456u       /* of ref_static_image() */
#define SQ  3u

static GRand *rng;

typedef struct Rig {
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKey *key;
    Mlx5TlsTx tx;
    Mlx5TlsRx rx;
    StrictBench strict;
    uint32_t base;
} Rig;

static void rig_new(Rig *t, bool v13)
{
    static const size_t len[] = { 100, 0, 1000, 1, 300, 2000 };
    RefKeys k;

    memset(t, 0, sizeof(*t));
    ref_keys_random(&k, rng, v13, v13 ? 32 : 16);
    t->st = ref_stream_new(&k, 7);
    t->st->quiet = true;
    for (size_t i = 0; i < G_N_ELEMENTS(len); i++) {
        ref_stream_add(t->st, rng, 23, len[i] + v13);
    }
    t->engine = ref_engine_new(8);
    t->key = ref_engine_key(&k);
    t->base = 0xffffff00;
    mlx5_tls_tx_init(&t->tx, t->engine, ID);
    mlx5_tls_rx_init(&t->rx, t->engine, ID);
    strict_bench_init(&t->strict, t->engine, true);
    mlx5_tls_strict_add(t->strict.s, MLX5_TLS_DIR_TX, ID);
    mlx5_tls_strict_add(t->strict.s, MLX5_TLS_DIR_RX, ID);
    mlx5_tls_strict_dek_load(t->strict.s, DEK, t->key);
}

static void rig_free(Rig *t)
{
    strict_bench_clear(&t->strict);
    mlx5_tls_tx_clear(&t->tx);
    mlx5_tls_rx_clear(&t->rx);
    mlx5_tls_key_unref(t->key);
    ref_engine_free(t->engine);
    ref_stream_free(t->st);
}

#define OFF(t, i)   (ref_rec((t)->st, (i))->off)
#define TEXT(t, i)  (ref_rec((t)->st, (i))->text_off)
#define END(t, i)   (OFF(t, i) + ref_rec((t)->st, (i))->len)

/* What was reported since the last call is this reason alone, at least once; or nothing. */
static void said(Rig *t, int reason)
{
    StrictBench *b = &t->strict;

    if (reason < 0) {
        g_assert_cmpstr(b->last, ==, NULL);
    } else {
        if (b->count[reason] == 0 || b->count[reason] != b->total) {
            g_error("%s expected, last of %u: %s", mlx5_strict_reason_name(reason),
                    b->total, b->last ? b->last : "nothing");
        }
    }
    memset(b->count, 0, sizeof(b->count));
    b->total = 0;
    g_clear_pointer(&b->last, g_free);
}

#define NOTHING (-1)

/* ---- TX ---------------------------------------------------------------------- */

static void tx_static(Rig *t, unsigned rec, bool fence)
{
    uint8_t image[64];

    ref_static_image(image, &t->st->keys, ref_rec(t->st, rec)->number, 0);
    mlx5_tls_strict_wqe(t->strict.s, SQ, fence);
    mlx5_tls_tx_set_static(&t->tx, image, t->key);
    mlx5_tls_strict_static(t->strict.s, MLX5_TLS_DIR_TX, ID, image, t->key);
}

static void tx_psv(Rig *t, bool fence)
{
    uint8_t image[12];

    ref_progress_image(image, 0);
    mlx5_tls_strict_wqe(t->strict.s, SQ, fence);
    mlx5_tls_tx_set_progress(&t->tx, image);
    mlx5_tls_strict_progress(t->strict.s, MLX5_TLS_DIR_TX, ID, image);
}

static void tx_nop(Rig *t, bool fence)
{
    mlx5_tls_strict_wqe(t->strict.s, SQ, fence);
}

/* As the first packet of a connection is preceded. */
static void tx_start(Rig *t, unsigned rec)
{
    tx_static(t, rec, true);
    tx_psv(t, true);
    tx_nop(t, true);
}

/* at: a byte of the payload */
typedef void Break(uint8_t *payload, const uint8_t *plain, size_t len, size_t at);

/* Send stream bytes [from, to) in frames of 500; broken in between, if at all. */
static void tx_send_with(Rig *t, size_t from, size_t to, Break *how, size_t at)
{
    size_t len = to - from;
    const uint8_t *plain = t->st->tx->data + from;
    g_autofree uint8_t *buf = g_memdup2(plain, len);
    uint32_t seq = t->base + from;
    Mlx5TlsTxResult res;

    mlx5_tls_strict_wqe(t->strict.s, SQ, false);
    mlx5_tls_strict_tx_plain(t->strict.s, ID, buf, len);
    mlx5_tls_tx_packet(&t->tx, seq, buf, len, &res);
    if (res.verdict != MLX5_TLS_TX_SEND) {
        return;
    }
    mlx5_tls_strict_tx_passed(t->strict.s, ID, seq);
    if (how) {
        how(buf, plain, len, at);
    }
    for (size_t off = 0; off < len; off += 500) {
        mlx5_tls_strict_tx_frame(t->strict.s, ID, true, seq + off, buf + off,
                                 MIN(500, len - off));
    }
}

static void tx_send(Rig *t, size_t from, size_t to)
{
    tx_send_with(t, from, to, NULL, 0);
}

static void tx_dump(Rig *t, size_t from, size_t to, bool fence)
{
    Mlx5TlsTxResult res;

    mlx5_tls_strict_wqe(t->strict.s, SQ, fence);
    mlx5_tls_tx_dump(&t->tx, t->st->tx->data + from, to - from, &res);
    mlx5_tls_strict_tx_dump(t->strict.s, ID, t->st->tx->data + from, to - from,
                            res.reason == MLX5_TLS_REASON_NONE);
}

static void break_not_encrypted(uint8_t *payload, const uint8_t *plain, size_t len,
                                size_t at)
{
    (void)at;
    memcpy(payload, plain, len);
}

static void break_flip(uint8_t *payload, const uint8_t *plain, size_t len, size_t at)
{
    g_assert_cmpuint(at, <, len);
    (void)plain;
    payload[at] ^= 0x40;
}

/* Good traffic of any cut, with retransmissions, and then each thing that can break. */
static void test_tx_silent(void)
{
    for (int v13 = 0; v13 < 2; v13++) {
        Rig t;

        for (size_t cut = 1; cut < 700; cut += cut < 60 ? 1 : 37) {
            rig_new(&t, v13);
            tx_start(&t, 0);
            for (size_t pos = 0; pos < END(&t, 5); pos += cut) {
                tx_send(&t, pos, MIN(pos + cut, END(&t, 5)));
            }
            said(&t, NOTHING);
            /* back into record 2, and on */
            tx_start(&t, 2);
            tx_dump(&t, OFF(&t, 2), OFF(&t, 2) + cut, false);
            tx_send(&t, OFF(&t, 2) + cut, END(&t, 5));
            said(&t, NOTHING);
            rig_free(&t);
        }
    }
}

static void test_tx_plaintext(void)
{
    Rig t;

    rig_new(&t, false);
    tx_start(&t, 0);
    /* payload alone, so that no tag is in it */
    tx_send(&t, 0, TEXT(&t, 2));
    tx_send_with(&t, TEXT(&t, 2), TEXT(&t, 2) + 900, break_not_encrypted, 0);
    said(&t, MLX5_STRICT_TX_PLAINTEXT);
    tx_send_with(&t, TEXT(&t, 2) + 900, TEXT(&t, 2) + 916, break_not_encrypted, 0);
    said(&t, MLX5_STRICT_TX_PLAINTEXT);
    tx_send(&t, TEXT(&t, 2) + 916, END(&t, 5));
    said(&t, NOTHING);
    rig_free(&t);
}

static void test_tx_ciphertext(void)
{
    size_t at[3];
    Rig t;

    rig_new(&t, false);
    tx_start(&t, 0);
    /* first and last byte of the payload, and one of the tag */
    at[0] = TEXT(&t, 2);
    at[1] = END(&t, 2) - 17;
    at[2] = END(&t, 2) - 3;
    for (int i = 0; i < 3; i++) {
        tx_send_with(&t, OFF(&t, 0), END(&t, 2), break_flip, at[i]);
        said(&t, MLX5_STRICT_TX_CIPHERTEXT);
        tx_start(&t, 0);
    }
    rig_free(&t);
}

static void break_placeholder(uint8_t *payload, const uint8_t *plain, size_t len,
                              size_t at)
{
    memcpy(payload + at, plain + at, len - at);
}

static void test_tx_placeholder(void)
{
    Rig t;

    rig_new(&t, true);
    tx_start(&t, 0);
    tx_send_with(&t, 0, END(&t, 0), break_placeholder, END(&t, 0) - 16);
    said(&t, MLX5_STRICT_TX_CIPHERTEXT);
    rig_free(&t);
}

static void test_tx_header(void)
{
    Rig t;

    rig_new(&t, false);
    for (size_t at = 0; at < 13; at++) {
        tx_start(&t, 0);
        tx_send_with(&t, 0, END(&t, 0), break_flip, at);
        said(&t, MLX5_STRICT_TX_HEADER);
    }
    rig_free(&t);
}

static void test_tx_bypass(void)
{
    Mlx5TlsStrict *s;
    uint8_t buf[50] = { 0 };
    Rig t;

    rig_new(&t, false);
    s = t.strict.s;
    /* nothing was handed in */
    mlx5_tls_strict_wqe(s, SQ, false);
    mlx5_tls_strict_tx_frame(s, ID, true, t.base, buf, sizeof(buf));
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* but not encrypted, because the packet was dropped */
    mlx5_tls_strict_tx_plain(s, ID, buf, sizeof(buf));
    mlx5_tls_strict_tx_frame(s, ID, true, t.base, buf, sizeof(buf));
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* the context never got parameters */
    mlx5_tls_strict_tx_plain(s, ID, buf, sizeof(buf));
    mlx5_tls_strict_tx_passed(s, ID, t.base);
    mlx5_tls_strict_tx_frame(s, ID, true, t.base, buf, sizeof(buf));
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* no TIS of that number */
    mlx5_tls_strict_tx_frame(s, ID + 1, true, t.base, buf, sizeof(buf));
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* more than what was handed in, or from elsewhere, or no TCP */
    tx_start(&t, 0);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    mlx5_tls_strict_tx_frame(s, ID, true, t.base + 1, buf, sizeof(buf));
    said(&t, MLX5_STRICT_TX_BYPASS);
    mlx5_tls_strict_tx_frame(s, ID, true, t.base - 1, buf, 1);
    said(&t, MLX5_STRICT_TX_BYPASS);
    mlx5_tls_strict_tx_frame(s, ID, false, 0, NULL, 0);
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* the frames of one WQE end with it */
    tx_nop(&t, false);
    mlx5_tls_strict_tx_frame(s, ID, true, t.base, buf, 1);
    said(&t, MLX5_STRICT_TX_BYPASS);
    /* without payload there is nothing to protect */
    mlx5_tls_strict_tx_frame(s, ID, true, t.base, NULL, 0);
    said(&t, NOTHING);
    /* what was there before the checker is left alone */
    strict_bench_clear(&t.strict);
    strict_bench_init(&t.strict, t.engine, false);
    mlx5_tls_strict_tx_frame(t.strict.s, ID, true, t.base, buf, sizeof(buf));
    said(&t, NOTHING);
    rig_free(&t);
}

static void test_tx_sequence(void)
{
    Rig t;

    rig_new(&t, false);
    mlx5_tls_engine_knobs(t.engine)->tx_seq_check = MLX5_TLS_TX_SEQ_IGNORE;
    tx_start(&t, 0);
    tx_send(&t, 0, END(&t, 0));
    said(&t, NOTHING);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    said(&t, MLX5_STRICT_TX_SEQUENCE);
    rig_free(&t);
}

/* The driver hands in something else for bytes that it sent before. */
static void reuse(Rig *t, size_t change, size_t from, size_t to, int reason)
{
    uint8_t *byte = &t->st->tx->data[change];

    tx_start(t, 2);
    tx_send(t, OFF(t, 2), END(t, 2));
    said(t, NOTHING);
    *byte ^= 1;
    tx_start(t, 2);
    if (from != OFF(t, 2)) {
        tx_dump(t, OFF(t, 2), from, false);
    }
    tx_send(t, from, to);
    said(t, reason);
    *byte ^= 1;
}

static void test_tx_nonce_reuse(void)
{
    size_t text, end;
    Rig t;

    rig_new(&t, false);
    text = TEXT(&t, 2);
    end = END(&t, 2);
    /* the whole record again, changed at its begin, in the middle, at its end */
    reuse(&t, text, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, text + 500, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, end - 17, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    /* a part of it, which ends before the tag: changed in it, or in what was dumped */
    reuse(&t, text + 301, text + 300, text + 310, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, text + 20, text + 300, text + 310, MLX5_STRICT_TX_NONCE_REUSE);
    /* the change is in what is not encrypted again, or in the tag's place */
    reuse(&t, text + 400, text + 300, text + 310, NOTHING);
    reuse(&t, end - 5, OFF(&t, 2), end, NOTHING);
    /* the same bytes as another record: the nonce came with them, the number did not */
    tx_start(&t, 3);
    tx_send(&t, OFF(&t, 2), end);
    said(&t, MLX5_STRICT_TX_NONCE_REUSE);
    rig_free(&t);

    /* TLS 1.3: the nonce is made of the number */
    rig_new(&t, true);
    reuse(&t, TEXT(&t, 2) + 77, OFF(&t, 2), END(&t, 2), MLX5_STRICT_TX_NONCE_REUSE);
    tx_start(&t, 2);
    tx_send(&t, OFF(&t, 3), END(&t, 3));
    said(&t, MLX5_STRICT_TX_NONCE_REUSE);
    rig_free(&t);
}

/* A key loaded anew is another key, even if its bytes are the same. */
static void test_tx_nonce_other_key(void)
{
    Mlx5TlsKey *key;
    Rig t;

    rig_new(&t, false);
    tx_start(&t, 2);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    key = ref_engine_key(&t.st->keys);
    mlx5_tls_key_unref(t.key);
    t.key = key;
    mlx5_tls_strict_dek_sync(t.strict.s);
    mlx5_tls_strict_dek_load(t.strict.s, DEK, key);
    t.st->tx->data[TEXT(&t, 2)] ^= 1;
    tx_start(&t, 2);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    said(&t, NOTHING);
    rig_free(&t);
}

/* What is forgotten, and when: bytes after 8 MiB, and then the tag is still known. */
static void test_tx_nonce_window(void)
{
    static const size_t size = 16384;
    RefStream *st;
    RefKeys k;
    Rig t;

    rig_new(&t, false);
    k = t.st->keys;
    ref_stream_free(t.st);
    st = t.st = ref_stream_new(&k, 0);
    for (unsigned i = 0; i < 2; i++) {
        ref_stream_add(st, rng, 23, size);
    }
    tx_start(&t, 0);
    tx_send(&t, 0, END(&t, 0));
    /* as many others as fit: record 1 again and again, with other nonces */
    for (unsigned i = 0; i < MLX5_STRICT_SENT_BYTES / size; i++) {
        mlx5_st32(st->tx->data + OFF(&t, 1) + 5, i);
        tx_start(&t, 1);
        tx_send(&t, OFF(&t, 1), END(&t, 1));
    }
    said(&t, NOTHING);
    st->tx->data[TEXT(&t, 0) + 5] ^= 1;
    tx_start(&t, 0);
    tx_send(&t, 0, END(&t, 0) - 17);
    said(&t, NOTHING);
    tx_send(&t, END(&t, 0) - 17, END(&t, 0));
    said(&t, MLX5_STRICT_TX_NONCE_REUSE);
    /* the last but one is known by its bytes */
    st->tx->data[TEXT(&t, 1) + 5] ^= 1;
    tx_start(&t, 1);
    tx_send(&t, OFF(&t, 1), TEXT(&t, 1) + 20);
    said(&t, MLX5_STRICT_TX_NONCE_REUSE);
    rig_free(&t);
}

/* ---- fences ------------------------------------------------------------------ */

static void test_fence_data(void)
{
    Mlx5TlsStrict *s;
    Rig t;

    rig_new(&t, false);
    s = t.strict.s;
    tx_static(&t, 0, false);
    tx_psv(&t, true);
    tx_nop(&t, false);
    tx_send(&t, 0, 50);
    said(&t, MLX5_STRICT_FENCE_DATA);
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    tx_dump(&t, 0, 20, false);
    said(&t, MLX5_STRICT_FENCE_DATA);
    /* a fence on the DUMP or the packet itself, or a CQE before it */
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    tx_dump(&t, 0, 20, true);
    tx_send(&t, 20, 50);
    said(&t, NOTHING);
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    mlx5_tls_strict_cqe(s, SQ);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    /* a fence on another queue settles nothing, the end of the queue does */
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    mlx5_tls_strict_wqe(s, SQ + 1, true);
    mlx5_tls_strict_tx_plain(s, ID, t.st->tx->data, 50);
    said(&t, MLX5_STRICT_FENCE_DATA);
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    mlx5_tls_strict_sq_gone(s, SQ);
    mlx5_tls_strict_wqe(s, SQ + 1, false);
    mlx5_tls_strict_tx_plain(s, ID, t.st->tx->data, 50);
    said(&t, NOTHING);
    rig_free(&t);
}

/* The three sequences of the Linux driver, and those of others: silence. */
static void test_fence_known(void)
{
    Rig t;

    rig_new(&t, false);
    /* Linux: first packet, on a TIS that nothing was sent on */
    tx_static(&t, 0, false);
    tx_psv(&t, true);
    tx_nop(&t, true);
    tx_send(&t, 0, 50);
    /* Linux: back to another record, by DUMPs */
    tx_static(&t, 2, true);
    tx_psv(&t, false);
    tx_nop(&t, true);
    tx_dump(&t, OFF(&t, 2), TEXT(&t, 2) + 100, false);
    tx_dump(&t, TEXT(&t, 2) + 100, TEXT(&t, 2) + 200, false);
    tx_send(&t, TEXT(&t, 2) + 200, END(&t, 2));
    /* Linux: back to the record that the last parameters were for */
    tx_psv(&t, true);
    tx_nop(&t, true);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    /* others: the first DUMP has the fence */
    tx_static(&t, 2, true);
    tx_psv(&t, false);
    tx_dump(&t, OFF(&t, 2), TEXT(&t, 2), true);
    tx_send(&t, TEXT(&t, 2), END(&t, 2));
    said(&t, NOTHING);
    /* Linux: first packet of another connection on that TIS, all data completed */
    mlx5_tls_strict_cqe(t.strict.s, SQ);
    tx_static(&t, 0, false);
    tx_psv(&t, true);
    tx_nop(&t, true);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    rig_free(&t);
}

static void test_fence_params(void)
{
    Rig t;

    rig_new(&t, false);
    tx_start(&t, 0);
    tx_send(&t, 0, 50);
    tx_static(&t, 0, false);
    said(&t, MLX5_STRICT_FENCE_PARAMS);
    tx_psv(&t, false);
    tx_nop(&t, true);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    tx_psv(&t, false);
    said(&t, MLX5_STRICT_FENCE_PARAMS);
    rig_free(&t);
}

/* ---- keys -------------------------------------------------------------------- */

static void test_dek_unsynced(void)
{
    Mlx5TlsStrict *s;
    Mlx5TlsKey *old, *new;
    Rig t;

    rig_new(&t, false);
    s = t.strict.s;
    old = t.key;
    new = ref_engine_key(&t.st->keys);
    /* loaded twice before it is used: nobody has seen the first */
    mlx5_tls_strict_dek_load(s, DEK, new);
    mlx5_tls_strict_dek_load(s, DEK, old);
    tx_static(&t, 0, true);
    said(&t, NOTHING);
    mlx5_tls_strict_dek_load(s, DEK, new);
    /* whichever of the two the device takes */
    tx_static(&t, 0, true);
    said(&t, MLX5_STRICT_DEK_UNSYNCED);
    t.key = new;
    tx_static(&t, 0, true);
    said(&t, MLX5_STRICT_DEK_UNSYNCED);
    mlx5_tls_strict_dek_sync(s);
    tx_static(&t, 0, true);
    said(&t, NOTHING);
    /* a device that goes on with the old key after SYNC_CRYPTO */
    t.key = old;
    tx_static(&t, 0, true);
    said(&t, MLX5_STRICT_DEK_UNSYNCED);
    /* a DEK that is made anew under the number of one that was destroyed */
    mlx5_tls_strict_dek_gone(s, DEK);
    mlx5_tls_strict_dek_load(s, DEK, old);
    tx_static(&t, 0, true);
    said(&t, NOTHING);
    mlx5_tls_key_unref(new);
    rig_free(&t);
}

static void test_dek_stale(void)
{
    Mlx5TlsKey *new;
    Rig t;

    rig_new(&t, false);
    new = ref_engine_key(&t.st->keys);
    tx_start(&t, 0);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    mlx5_tls_strict_dek_load(t.strict.s, DEK, new);
    tx_send(&t, 50, 60);
    said(&t, MLX5_STRICT_DEK_STALE);
    tx_send(&t, 60, 70);
    said(&t, NOTHING);          /* once is enough */
    mlx5_tls_strict_dek_load(t.strict.s, DEK, t.key);
    tx_start(&t, 0);
    mlx5_tls_strict_dek_gone(t.strict.s, DEK);
    tx_send(&t, 0, 10);
    said(&t, MLX5_STRICT_DEK_STALE);
    mlx5_tls_key_unref(new);
    rig_free(&t);
}

/* ---- RX ---------------------------------------------------------------------- */

static void rx_static(Rig *t, uint64_t number, uint32_t resync)
{
    uint8_t image[64];

    ref_static_image(image, &t->st->keys, number, resync);
    mlx5_tls_rx_set_static(&t->rx, image, t->key, NULL);
    mlx5_tls_strict_static(t->strict.s, MLX5_TLS_DIR_RX, ID, image, t->key);
}

static void rx_start(Rig *t, uint32_t anchor)
{
    uint8_t image[12];

    rx_static(t, 7, 0);
    ref_progress_image(image, t->base + anchor);
    mlx5_tls_rx_set_progress(&t->rx, image);
    mlx5_tls_strict_progress(t->strict.s, MLX5_TLS_DIR_RX, ID, image);
}

/* What a packet becomes on its way through the device. */
typedef struct Delivery {
    uint8_t *wire, *got;
    size_t len;
    uint32_t seq;
    Mlx5TlsRxResult res;
    bool candidate;
} Delivery;

/* Stream bytes [from, to); flip: a byte of the stream that was changed on the wire. */
static void rx_take(Rig *t, Delivery *d, size_t from, size_t to, size_t flip)
{
    d->len = to - from;
    d->seq = t->base + from;
    d->wire = g_memdup2(t->st->wire->data + from, d->len);
    if (flip) {
        d->wire[flip - from] ^= 1;
    }
    d->got = g_memdup2(d->wire, d->len);
    mlx5_tls_rx_packet(&t->rx, d->seq, d->got, d->len, &d->res);
    d->candidate = d->res.rows & (MLX5_TLS_RX_ROW_BIT(12) | MLX5_TLS_RX_ROW_BIT(33));
}

static void rx_give(Rig *t, Delivery *d)
{
    mlx5_tls_strict_rx_packet(t->strict.s, ID, d->seq, d->wire, d->got, d->len, d->res.flag,
                              d->candidate, d->res.hw_resync_tcp_sn);
    g_free(d->wire);
    g_free(d->got);
}

static void rx_pass(Rig *t, size_t from, size_t to, Mlx5TlsFlag flag)
{
    Delivery d;

    rx_take(t, &d, from, to, 0);
    g_assert_cmpint(d.res.flag, ==, flag);
    rx_give(t, &d);
    said(t, NOTHING);
}

static void test_rx_silent(void)
{
    for (int v13 = 0; v13 < 2; v13++) {
        for (size_t cut = 1; cut < 700; cut += cut < 60 ? 1 : 37) {
            Delivery d;
            Rig t;

            rig_new(&t, v13);
            rx_start(&t, 0);
            for (size_t pos = 0; pos < END(&t, 5); pos += cut) {
                rx_take(&t, &d, pos, MIN(pos + cut, END(&t, 5)), 0);
                g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_DECRYPTED);
                rx_give(&t, &d);
            }
            said(&t, NOTHING);
            /* and again: all of it is old */
            rx_pass(&t, 0, END(&t, 5), MLX5_TLS_FLAG_NOT_DECRYPTED);
            rig_free(&t);
        }
    }
}

/* Loss of a header, candidate, approval, one record authenticated, decryption. */
static void test_rx_silent_resync(void)
{
    Rig t;

    rig_new(&t, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    rx_pass(&t, OFF(&t, 1) + 2, TEXT(&t, 2) + 100, MLX5_TLS_FLAG_RESYNC);
    rx_static(&t, ref_rec(t.st, 2)->number, t.base + OFF(&t, 2));
    rx_pass(&t, TEXT(&t, 2) + 100, TEXT(&t, 4) + 10, MLX5_TLS_FLAG_NOT_DECRYPTED);
    rx_pass(&t, TEXT(&t, 4) + 10, TEXT(&t, 5) + 10, MLX5_TLS_FLAG_DECRYPTED);
    rx_pass(&t, TEXT(&t, 5) + 10, END(&t, 5), MLX5_TLS_FLAG_DECRYPTED);
    rig_free(&t);
}

static void test_rx_altered(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    /* a packet with a wrong tag, decrypted all the same */
    rx_take(&t, &d, 30, END(&t, 0), END(&t, 0) - 1);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_ERROR);
    memcpy(d.got, t.st->clear->data + 30, 10);
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_ALTERED);
    /* one byte of a packet that was there before */
    rx_take(&t, &d, 0, 30, 0);
    d.got[0] ^= 1;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_ALTERED);
    /* decrypted, but the flag says no */
    rx_take(&t, &d, END(&t, 0), TEXT(&t, 2) + 50, 0);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_DECRYPTED);
    d.res.flag = MLX5_TLS_FLAG_NOT_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_ALTERED);
    rig_free(&t);
}

static void test_rx_payload(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    rx_start(&t, 0);
    /* flag 1 for bytes that were not decrypted */
    rx_take(&t, &d, 0, TEXT(&t, 0) + 20, 0);
    memcpy(d.got, d.wire, d.len);
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_PAYLOAD);
    /* one byte is wrong, the last of the payload */
    rx_take(&t, &d, TEXT(&t, 0) + 20, END(&t, 0), 0);
    d.got[d.len - 17] ^= 0x80;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_PAYLOAD);
    rig_free(&t);
}

static void test_rx_framing(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    for (size_t at = 0; at < 29; at++) {
        rx_start(&t, 0);
        rx_take(&t, &d, 0, END(&t, 0), 0);
        /* header and nonce, and then the tag */
        d.got[at < 13 ? at : d.len - 29 + at] ^= 4;
        rx_give(&t, &d);
        said(&t, MLX5_STRICT_RX_FRAMING);
    }
    rig_free(&t);
}

static void test_rx_untracked(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    /* before there were parameters */
    rx_take(&t, &d, 0, 30, 0);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    /* before the anchor */
    rx_start(&t, 10);
    rx_take(&t, &d, 0, 10, 0);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    /* behind a hole, in the record with the hole and in a packet that has its end */
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    rx_take(&t, &d, 40, 50, 0);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    rx_take(&t, &d, 50, TEXT(&t, 2) + 10, 0);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_NOT_DECRYPTED);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    rx_pass(&t, TEXT(&t, 2) + 10, END(&t, 2), MLX5_TLS_FLAG_DECRYPTED);
    /* the second time */
    rx_take(&t, &d, TEXT(&t, 2) + 10, END(&t, 2), 0);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    rig_free(&t);

    /* after approval, but before a record was authenticated */
    rig_new(&t, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    rx_pass(&t, OFF(&t, 1) + 2, TEXT(&t, 2) + 100, MLX5_TLS_FLAG_RESYNC);
    rx_static(&t, ref_rec(t.st, 2)->number, t.base + OFF(&t, 2));
    rx_pass(&t, TEXT(&t, 2) + 100, OFF(&t, 3), MLX5_TLS_FLAG_NOT_DECRYPTED);
    rx_take(&t, &d, OFF(&t, 3), TEXT(&t, 3) + 1, 0);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_UNTRACKED);
    rig_free(&t);
}

static void test_rx_flag(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    rx_start(&t, 0);
    /* error, but the tag is good, or there is none */
    rx_take(&t, &d, 0, 30, 0);
    memcpy(d.got, d.wire, d.len);
    d.res.flag = MLX5_TLS_FLAG_ERROR;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_FLAG);
    rx_take(&t, &d, 30, END(&t, 0), 0);
    memcpy(d.got, d.wire, d.len);
    d.res.flag = MLX5_TLS_FLAG_ERROR;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_FLAG);
    /* decrypted, but the tag is wrong */
    rx_take(&t, &d, OFF(&t, 1), END(&t, 2), TEXT(&t, 2) + 3);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_ERROR);
    d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_FLAG);
    rig_free(&t);
}

static void test_rx_resync(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    /* flag 2 in the middle of a record */
    rx_take(&t, &d, 30, 50, 0);
    memcpy(d.got, d.wire, d.len);
    d.res.flag = MLX5_TLS_FLAG_RESYNC;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_RESYNC);
    /* a candidate that is not told */
    rx_take(&t, &d, OFF(&t, 1) + 2, TEXT(&t, 2) + 100, 0);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_RESYNC);
    d.res.flag = MLX5_TLS_FLAG_NOT_DECRYPTED;
    rx_give(&t, &d);
    said(&t, MLX5_STRICT_RX_RESYNC);
    /* no header where it should be; none in this packet */
    for (int i = 0; i < 2; i++) {
        rx_start(&t, 0);
        rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
        rx_take(&t, &d, OFF(&t, 1) + 2, TEXT(&t, 2) + 100, 0);
        d.res.hw_resync_tcp_sn += i ? -(int)OFF(&t, 2) : 1;
        rx_give(&t, &d);
        said(&t, MLX5_STRICT_RX_RESYNC);
    }
    rig_free(&t);
}

/* ---- names ------------------------------------------------------------------- */

static void test_names(void)
{
    for (unsigned i = 0; i < MLX5_STRICT_REASONS; i++) {
        g_assert_true(g_str_has_prefix(mlx5_strict_reason_name(i), "tx_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "rx_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "dek_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "fence_"));
        g_assert_cmpuint(strlen(mlx5_strict_reason_str(i)), >, 20);
    }
    g_assert_cmpstr(mlx5_strict_reason_name(MLX5_STRICT_REASONS), ==, "unknown");
    g_assert_cmpstr(mlx5_strict_reason_str(MLX5_STRICT_REASONS), ==, "no such reason");
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    g_test_add_func("/tls/strict/tx-silent", test_tx_silent);
    g_test_add_func("/tls/strict/tx-bypass", test_tx_bypass);
    g_test_add_func("/tls/strict/tx-plaintext", test_tx_plaintext);
    g_test_add_func("/tls/strict/tx-ciphertext", test_tx_ciphertext);
    g_test_add_func("/tls/strict/tx-placeholder", test_tx_placeholder);
    g_test_add_func("/tls/strict/tx-header", test_tx_header);
    g_test_add_func("/tls/strict/tx-sequence", test_tx_sequence);
    g_test_add_func("/tls/strict/tx-nonce-reuse", test_tx_nonce_reuse);
    g_test_add_func("/tls/strict/tx-nonce-other-key", test_tx_nonce_other_key);
    g_test_add_func("/tls/strict/tx-nonce-window", test_tx_nonce_window);
    g_test_add_func("/tls/strict/fence-known", test_fence_known);
    g_test_add_func("/tls/strict/fence-data", test_fence_data);
    g_test_add_func("/tls/strict/fence-params", test_fence_params);
    g_test_add_func("/tls/strict/dek-unsynced", test_dek_unsynced);
    g_test_add_func("/tls/strict/dek-stale", test_dek_stale);
    g_test_add_func("/tls/strict/rx-silent", test_rx_silent);
    g_test_add_func("/tls/strict/rx-silent-resync", test_rx_silent_resync);
    g_test_add_func("/tls/strict/rx-altered", test_rx_altered);
    g_test_add_func("/tls/strict/rx-payload", test_rx_payload);
    g_test_add_func("/tls/strict/rx-framing", test_rx_framing);
    g_test_add_func("/tls/strict/rx-untracked", test_rx_untracked);
    g_test_add_func("/tls/strict/rx-flag", test_rx_flag);
    g_test_add_func("/tls/strict/rx-resync", test_rx_resync);
    g_test_add_func("/tls/strict/names", test_names);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
