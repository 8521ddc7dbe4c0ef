/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the checker, transmit side: for each reason a device broken in
 * exactly that way, and no reports for a correct one. The contexts are the
 * engine's own; their results are modified. test-tls-random.c shows with random
 * streams that there are no reports for a correct device. The receive side is
 * in test-tls-strict-rx.c.
 */
#include <glib.h>
#include <string.h>

#include "tls-strict-rig.h"

#define SQ  3u

static GRand *rng;

static void tx_static(Rig *t, unsigned rec, bool fence)
{
    uint8_t image[64];

    ref_static_image(image, &t->st->keys, ref_rec(t->st, rec)->number, 0);
    strict_bench_wqe(&t->strict, SQ, fence);
    mlx5_tls_tx_set_static(&t->tx, image, t->key);
    mlx5_tls_strict_static(t->strict.s, MLX5_TLS_DIR_TX, ID, image, t->key);
}

static void tx_psv(Rig *t, bool fence)
{
    uint8_t image[12];

    ref_progress_image(image, 0);
    strict_bench_wqe(&t->strict, SQ, fence);
    mlx5_tls_tx_set_progress(&t->tx, image);
    mlx5_tls_strict_progress(t->strict.s, MLX5_TLS_DIR_TX, ID, image);
}

static void tx_nop(Rig *t, bool fence)
{
    strict_bench_wqe(&t->strict, SQ, fence);
}

/* As the first packet of a connection is preceded. */
static void tx_start(Rig *t, unsigned rec)
{
    tx_static(t, rec, true);
    tx_psv(t, true);
    tx_nop(t, true);
}

/* at: a byte of the payload */
typedef void Break(uint8_t *payload, const uint8_t *plain, size_t len,
                   size_t at);

/*
 * Send stream bytes [from, to) in frames of 500; broken in between, if at all.
 */
static void tx_send_with(Rig *t, size_t from, size_t to, Break *how, size_t at)
{
    size_t len = to - from;
    const uint8_t *plain = t->st->tx->data + from;
    g_autofree uint8_t *buf = g_memdup2(plain, len);
    uint32_t seq = t->base + from;
    Mlx5TlsTxResult res;

    strict_bench_wqe(&t->strict, SQ, false);
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

    strict_bench_wqe(&t->strict, SQ, fence);
    mlx5_tls_tx_dump(&t->tx, t->st->tx->data + from, to - from, &res);
    mlx5_tls_strict_tx_dump(t->strict.s, ID, t->st->tx->data + from, to - from,
                            res.reason == MLX5_TLS_REASON_NONE);
}

static void break_not_encrypted(uint8_t *payload, const uint8_t *plain,
                                size_t len, size_t at)
{
    (void)at;
    memcpy(payload, plain, len);
}

static void break_flip(uint8_t *payload, const uint8_t *plain, size_t len,
                       size_t at)
{
    g_assert_cmpuint(at, <, len);
    (void)plain;
    payload[at] ^= 0x40;
}

/*
 * Good traffic of any cut, with retransmissions, and then each thing that can
 * break.
 */
static void test_tx_silent(void)
{
    for (int v13 = 0; v13 < 2; v13++) {
        Rig t;

        for (size_t cut = 1; cut < 700; cut += cut < 60 ? 1 : 37) {
            rig_new(&t, rng, v13);
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

    rig_new(&t, rng, false);
    tx_start(&t, 0);
    /* payload alone, so that no tag is in it */
    tx_send(&t, 0, TEXT(&t, 2));
    tx_send_with(&t, TEXT(&t, 2), TEXT(&t, 2) + 900, break_not_encrypted, 0);
    said(&t, MLX5_STRICT_TX_PLAINTEXT);
    tx_send_with(&t, TEXT(&t, 2) + 900, TEXT(&t, 2) + 916, break_not_encrypted,
                 0);
    said(&t, MLX5_STRICT_TX_PLAINTEXT);
    tx_send(&t, TEXT(&t, 2) + 916, END(&t, 5));
    said(&t, NOTHING);
    rig_free(&t);
}

static void test_tx_ciphertext(void)
{
    size_t at[3];
    Rig t;

    rig_new(&t, rng, false);
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

static void break_placeholder(uint8_t *payload, const uint8_t *plain,
                              size_t len, size_t at)
{
    memcpy(payload + at, plain + at, len - at);
}

static void test_tx_placeholder(void)
{
    Rig t;

    rig_new(&t, rng, true);
    tx_start(&t, 0);
    tx_send_with(&t, 0, END(&t, 0), break_placeholder, END(&t, 0) - 16);
    said(&t, MLX5_STRICT_TX_CIPHERTEXT);
    rig_free(&t);
}

static void test_tx_header(void)
{
    Rig t;

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
    s = t.strict.s;
    /* nothing was handed in */
    strict_bench_wqe(&t.strict, SQ, false);
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

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
    text = TEXT(&t, 2);
    end = END(&t, 2);
    /*
     * the whole record again, changed at its begin, in the middle, at its end
     */
    reuse(&t, text, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, text + 500, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, end - 17, OFF(&t, 2), end, MLX5_STRICT_TX_NONCE_REUSE);
    /*
     * a part of it, which ends before the tag: changed in it, or in what was
     * dumped
     */
    reuse(&t, text + 301, text + 300, text + 310, MLX5_STRICT_TX_NONCE_REUSE);
    reuse(&t, text + 20, text + 300, text + 310, MLX5_STRICT_TX_NONCE_REUSE);
    /* the change is in what is not encrypted again, or in the tag's place */
    reuse(&t, text + 400, text + 300, text + 310, NOTHING);
    reuse(&t, end - 5, OFF(&t, 2), end, NOTHING);
    /*
     * the same bytes as another record: the nonce came with them, the number
     * did not
     */
    tx_start(&t, 3);
    tx_send(&t, OFF(&t, 2), end);
    said(&t, MLX5_STRICT_TX_NONCE_REUSE);
    rig_free(&t);

    /* TLS 1.3: the nonce is made of the number */
    rig_new(&t, rng, true);
    reuse(&t, TEXT(&t, 2) + 77, OFF(&t, 2), END(&t, 2),
          MLX5_STRICT_TX_NONCE_REUSE);
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

    rig_new(&t, rng, false);
    tx_start(&t, 2);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    key = ref_engine_key(&t.st->keys);
    mlx5_tls_key_unref(t.key);
    t.key = key;
    mlx5_tls_strict_dek_sync(t.strict.s);
    g_assert_cmpuint(mlx5_tls_strict_sent(t.strict.s), >, 0);
    mlx5_tls_strict_dek_load(t.strict.s, DEK, key);
    /* what was sent with the old one goes with it: its nonces are secrets */
    g_assert_cmpuint(mlx5_tls_strict_sent(t.strict.s), ==, 0);
    t.st->tx->data[TEXT(&t, 2)] ^= 1;
    tx_start(&t, 2);
    tx_send(&t, OFF(&t, 2), END(&t, 2));
    said(&t, NOTHING);
    rig_free(&t);
}

/* Memory is bounded, too, when records have no bytes to count. */
static void test_tx_nonce_memory(void)
{
    unsigned bound = MLX5_STRICT_SENT_BYTES / 64 + MLX5_STRICT_SENT_TAGS;
    RefStream *st;
    Rig t;

    rig_new(&t, rng, false);
    st = t.st;
    for (unsigned i = 0; i < bound + bound / 2; i++) {
        mlx5_st32(st->tx->data + OFF(&t, 1) + 5, i);
        tx_start(&t, 1);
        tx_send(&t, OFF(&t, 1), END(&t, 1));
    }
    said(&t, NOTHING);
    g_assert_cmpuint(mlx5_tls_strict_sent(t.strict.s), >,
                     MLX5_STRICT_SENT_TAGS);
    g_assert_cmpuint(mlx5_tls_strict_sent(t.strict.s), <=, bound);
    rig_free(&t);
}

/*
 * What is forgotten, and when: bytes after 8 MiB, and then the tag is still
 * known.
 */
static void test_tx_nonce_window(void)
{
    static const size_t size = 16384;
    RefStream *st;
    RefKeys k;
    Rig t;

    rig_new(&t, rng, false);
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

/* ---- fences -------------------------------------------------------------- */

static void test_fence_data(void)
{
    Mlx5TlsStrict *s;
    Rig t;

    rig_new(&t, rng, false);
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
    strict_bench_cqe(&t.strict, SQ);
    tx_send(&t, 0, 50);
    said(&t, NOTHING);
    /* a fence on another queue settles nothing, the end of the queue does */
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    strict_bench_wqe(&t.strict, SQ + 1, true);
    mlx5_tls_strict_tx_plain(s, ID, t.st->tx->data, 50);
    said(&t, MLX5_STRICT_FENCE_DATA);
    tx_static(&t, 0, true);
    tx_psv(&t, false);
    mlx5_tls_strict_sq_gone(s, SQ);
    strict_bench_wqe(&t.strict, SQ + 1, false);
    mlx5_tls_strict_tx_plain(s, ID, t.st->tx->data, 50);
    said(&t, NOTHING);
    rig_free(&t);
}

/* The three sequences of the Linux driver, and those of others: silence. */
static void test_fence_known(void)
{
    Rig t;

    rig_new(&t, rng, false);
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
    /*
     * Linux: first packet of another connection on that TIS, all data completed
     */
    strict_bench_cqe(&t.strict, SQ);
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

    rig_new(&t, rng, false);
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

/* ---- keys ---------------------------------------------------------------- */

static void test_dek_unsynced(void)
{
    Mlx5TlsStrict *s;
    Mlx5TlsKey *old, *new;
    Rig t;

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
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

/* ---- names --------------------------------------------------------------- */

static void test_names(void)
{
    for (unsigned i = 0; i < MLX5_STRICT_REASONS; i++) {
        g_assert_true(g_str_has_prefix(mlx5_strict_reason_name(i), "tx_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "rx_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "dek_") ||
                      g_str_has_prefix(mlx5_strict_reason_name(i), "fence_"));
        g_assert_cmpuint(strlen(mlx5_strict_reason_str(i)), >, 20);
    }
    g_assert_cmpstr(mlx5_strict_reason_name(MLX5_STRICT_REASONS), ==,
                    "unknown");
    g_assert_cmpstr(mlx5_strict_reason_str(MLX5_STRICT_REASONS), ==,
                    "no such reason");
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
    g_test_add_func("/tls/strict/tx-nonce-memory", test_tx_nonce_memory);
    g_test_add_func("/tls/strict/tx-nonce-window", test_tx_nonce_window);
    g_test_add_func("/tls/strict/fence-known", test_fence_known);
    g_test_add_func("/tls/strict/fence-data", test_fence_data);
    g_test_add_func("/tls/strict/fence-params", test_fence_params);
    g_test_add_func("/tls/strict/dek-unsynced", test_dek_unsynced);
    g_test_add_func("/tls/strict/dek-stale", test_dek_stale);
    g_test_add_func("/tls/strict/names", test_names);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
