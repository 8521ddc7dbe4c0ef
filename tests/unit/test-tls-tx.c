/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the TX context: every row of its table by number, every segmentation
 * of a record, the driver's way of going back to an earlier byte, hostile
 * input, the record log.
 */
#include <glib.h>
#include <string.h>

#include "tls-ref.h"
#include "tls_tx.h"

static GRand *rng;

typedef struct Tx {
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKey *key;
    Mlx5TlsTx tx;
    uint32_t base;          /* sequence number of the stream's first byte */
    Mlx5TlsTxResult res;    /* of the last call */
    GArray *log;            /* of Mlx5TlsRecordEvent */
} Tx;

static void log_record(void *opaque, const Mlx5TlsRecordEvent *ev)
{
    g_array_append_vals(opaque, ev, 1);
}

static void tx_new_stream(Tx *t, bool v13, size_t key_len, uint64_t first,
                          uint32_t base)
{
    RefKeys k;

    memset(t, 0, sizeof(*t));
    ref_keys_random(&k, rng, v13, key_len);
    t->st = ref_stream_new(&k, first);
    t->engine = ref_engine_new(8);
    t->key = ref_engine_key(&k);
    t->base = base;
    t->log = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    mlx5_tls_tx_init(&t->tx, t->engine, 0x77);
    mlx5_tls_engine_set_record_log(t->engine, log_record, t->log);
}

/*
 * Five records of TLS 1.2, AES-128: 100, 0, 1000, 1 and 300 bytes, numbers from
 * 7.
 */
static void tx_new(Tx *t)
{
    static const size_t len[] = { 100, 0, 1000, 1, 300 };

    tx_new_stream(t, false, 16, 7, 0xfffffff0);
    for (size_t i = 0; i < G_N_ELEMENTS(len); i++) {
        ref_stream_add(t->st, rng, 20 + i % 4, len[i]);
    }
}

static void tx_free(Tx *t)
{
    mlx5_tls_tx_clear(&t->tx);
    mlx5_tls_key_unref(t->key);
    ref_engine_free(t->engine);
    ref_stream_free(t->st);
    g_array_unref(t->log);
}

static Mlx5TlsReason tx_static(Tx *t, uint64_t number)
{
    uint8_t image[64];

    ref_static_image(image, &t->st->keys, number, 0);
    return mlx5_tls_tx_set_static(&t->tx, image, t->key);
}

static Mlx5TlsReason tx_psv(Tx *t)
{
    uint8_t image[12];

    ref_progress_image(image, 0);
    return mlx5_tls_tx_set_progress(&t->tx, image);
}

static void tx_start(Tx *t, uint64_t number)
{
    g_assert_cmpint(tx_static(t, number), ==, MLX5_TLS_REASON_NONE);
    g_assert_cmpint(tx_psv(t), ==, MLX5_TLS_REASON_NONE);
    g_assert_cmpint(t->tx.state, ==, MLX5_TLS_TX_START);
}

/*
 * Send stream bytes [from, to) at any sequence number; check row, state and all
 * bytes.
 */
static void tx_send_at(Tx *t, uint32_t seq, size_t from, size_t to,
                       unsigned row)
{
    g_autofree uint8_t *buf = g_memdup2(t->st->tx->data + from, to - from);

    mlx5_tls_tx_packet(&t->tx, seq, buf, to - from, &t->res);
    g_assert_cmpuint(t->res.row, ==, row);
    g_assert_cmpint(t->res.state_after, ==, t->tx.state);
    if (t->res.verdict == MLX5_TLS_TX_SEND) {
        ref_assert_equal(buf, t->st->wire->data + from, to - from, "sent");
    } else {
        ref_assert_equal(buf, t->st->tx->data + from, to - from, "dropped");
        g_assert_cmpint(t->res.reason, !=, MLX5_TLS_REASON_NONE);
    }
}

static void tx_send(Tx *t, size_t from, size_t to, unsigned row)
{
    tx_send_at(t, t->base + from, from, to, row);
}

static void tx_dump(Tx *t, size_t from, size_t to, unsigned row)
{
    g_autofree uint8_t *buf = g_memdup2(t->st->tx->data + from, to - from);

    mlx5_tls_tx_dump(&t->tx, buf, to - from, &t->res);
    ref_assert_equal(buf, t->st->tx->data + from, to - from, "dumped");
    g_assert_cmpuint(t->res.row, ==, row);
    g_assert_cmpint(t->res.verdict, ==, MLX5_TLS_TX_DROP);
    g_assert_cmpint(t->res.state_after, ==, t->tx.state);
}

#define END(t)      ((t)->st->wire->len)
#define OFF(t, i)   (ref_rec((t)->st, (i))->off)
/* A counter of the engine. */
#define COUNT(t, member)    (mlx5_tls_engine_counters((t)->engine)->member)

/*
 * Bring a fresh context to a state. *pos: how much of the stream it has then
 * taken.
 */
static void tx_to_state(Tx *t, Mlx5TlsTxState state, size_t *pos)
{
    static uint8_t rubbish[5];
    Mlx5TlsTxResult res;

    *pos = 0;
    if (state == MLX5_TLS_TX_INVALID) {
        return;
    }
    tx_start(t, t->st->first_number);
    switch (state) {
    case MLX5_TLS_TX_ACTIVE:
        *pos = 60;
        tx_dump(t, 0, 60, 3);
        break;
    case MLX5_TLS_TX_ACTIVE_SEQ:
        *pos = 60;
        tx_send(t, 0, 60, 4);
        break;
    case MLX5_TLS_TX_BROKEN:
        mlx5_tls_tx_packet(&t->tx, t->base, rubbish, sizeof(rubbish), &res);
        break;
    default:
        break;
    }
    g_assert_cmpint(t->tx.state, ==, state);
}

#define FOR_STATES(s) for (int s = 0; s < MLX5_TLS_TX_STATES; s++)

/* ---- rows ---------------------------------------------------------------- */

/* TX1: static params change nothing before SET_PSV, whatever they say */
static void test_tx1(void)
{
    FOR_STATES(s) {
        uint8_t other[64], raw[16] = { 9 };
        Mlx5TlsKey *key = mlx5_tls_key_new(raw, 16);
        RefKeys k;
        size_t pos;
        Tx t;

        tx_new(&t);
        tx_to_state(&t, s, &pos);
        ref_keys_random(&k, rng, true, 16);
        ref_static_image(other, &k, 99, 0);
        g_assert_cmpint(mlx5_tls_tx_set_static(&t.tx, other, key), ==,
                        MLX5_TLS_REASON_NONE);
        g_assert_cmpint(t.tx.state, ==, s);
        g_assert_cmpint(mlx5_tls_tx_set_static(&t.tx, other, NULL), ==,
                        MLX5_TLS_REASON_NO_KEY);
        other[0] = 0;
        g_assert_cmpint(mlx5_tls_tx_set_static(&t.tx, other, key), ==,
                        MLX5_TLS_REASON_BAD_PARAMS);
        g_assert_cmpint(t.tx.state, ==, s);
        mlx5_tls_key_unref(key);
        if (s == MLX5_TLS_TX_START) {
            tx_send(&t, 0, END(&t), 4);
        } else if (s == MLX5_TLS_TX_ACTIVE) {
            tx_send(&t, pos, END(&t), 5);
        } else if (s == MLX5_TLS_TX_ACTIVE_SEQ) {
            tx_send(&t, pos, END(&t), 7);
        }
        tx_free(&t);
    }
}

/*
 * TX2: SET_PSV begins anew from any state, at the record of the static params
 */
static void test_tx2(void)
{
    FOR_STATES(s) {
        size_t pos;
        Tx t;

        tx_new(&t);
        tx_to_state(&t, s, &pos);
        for (unsigned i = 0; i < t.st->recs->len; i++) {
            tx_start(&t, 7 + i);
            g_assert_false(mlx5_tls_record_is_open(&t.tx.rec));
            tx_send(&t, OFF(&t, i), END(&t), 4);
            /* leave it inside a header, a nonce, a payload, a tag */
            tx_start(&t, 7 + i);
            tx_send(&t, OFF(&t, i), OFF(&t, i) + 3 + 7 * i, 4);
        }
        /* static params still there: SET_PSV alone does it, too */
        g_assert_cmpint(tx_psv(&t), ==, MLX5_TLS_REASON_NONE);
        tx_send(&t, OFF(&t, 4), END(&t), 4);
        tx_free(&t);
    }
}

/* TX3: START, DUMP */
static void test_tx3(void)
{
    Tx t;

    tx_new(&t);
    tx_start(&t, 7);
    tx_dump(&t, 0, 77, 3);
    g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_NONE);
    g_assert_cmpint(t.res.state_before, ==, MLX5_TLS_TX_START);
    g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_ACTIVE);
    g_assert_cmpuint(COUNT(&t, tx_dumps), ==, 1);
    g_assert_cmpuint(COUNT(&t, tx_dump_bytes), ==, 77);
    g_assert_cmpuint(COUNT(&t, tx_packets), ==, 0);
    tx_free(&t);
}

/* TX4: START, packet: any sequence number will do */
static void test_tx4(void)
{
    Tx t;

    tx_new(&t);
    for (int i = 0; i < 10; i++) {
        uint32_t seq = g_rand_int(rng);

        tx_start(&t, 7);
        tx_send_at(&t, seq, 0, 150, 4);
        g_assert_false(t.res.exp_known);
        g_assert_cmpuint(t.res.records, ==, 1);
        g_assert_cmpint(t.res.state_before, ==, MLX5_TLS_TX_START);
        g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_ACTIVE_SEQ);
        g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_NONE);
        tx_send_at(&t, seq + 150, 150, END(&t), 7);
    }
    tx_free(&t);
}

/* TX5: ACTIVE without a sequence number, packet */
static void test_tx5(void)
{
    Tx t;

    tx_new(&t);
    for (size_t d = 1; d < END(&t); d += 3) {
        tx_start(&t, 7);
        tx_dump(&t, 0, d, 3);
        tx_send(&t, d, END(&t), 5);
        g_assert_cmpint(t.res.state_before, ==, MLX5_TLS_TX_ACTIVE);
        g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_ACTIVE_SEQ);
        g_assert_cmphex(t.tx.exp_seq, ==, (uint32_t)(t.base + END(&t)));
    }
    tx_free(&t);
}

/* TX6: ACTIVE without a sequence number, more DUMPs */
static void test_tx6(void)
{
    Tx t;

    tx_new(&t);
    tx_start(&t, 7);
    tx_dump(&t, 0, 1, 3);
    for (size_t d = 1; d < 1200; d++) {
        tx_dump(&t, d, d + 1, 6);
        g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_ACTIVE);
    }
    tx_send(&t, 1200, END(&t), 5);
    g_assert_cmpuint(COUNT(&t, tx_dumps), ==, 1200);
    tx_free(&t);
}

/* TX7: in sequence, across the wrap of the sequence number */
static void test_tx7(void)
{
    Tx t;

    tx_new(&t);
    tx_start(&t, 7);
    tx_send(&t, 0, 1, 4);
    for (size_t pos = 1; pos < END(&t); ) {
        size_t n = ref_rand_range(rng, 1, 40);

        n = MIN(n, END(&t) - pos);
        tx_send(&t, pos, pos + n, 7);
        g_assert_true(t.res.exp_known);
        g_assert_cmphex(t.res.exp_seq, ==, (uint32_t)(t.base + pos));
        pos += n;
    }
    g_assert_cmpuint(COUNT(&t, tx_records), ==, 5);
    g_assert_cmpuint(COUNT(&t, tx_bytes), ==, END(&t));
    tx_free(&t);
}

/* TX8: out of sequence: dropped, context unchanged; tx-seq-check */
static void test_tx8(void)
{
    static const int32_t off[] = {
        1, -1, 60, -60, 100000, INT32_MAX, INT32_MIN
    };
    Mlx5TlsTx before;
    Tx t;

    tx_new(&t);
    tx_start(&t, 7);
    tx_send(&t, 0, 60, 4);
    for (size_t i = 0; i < G_N_ELEMENTS(off); i++) {
        before = t.tx;
        tx_send_at(&t, t.base + 60 + off[i], 60, 90, 8);
        g_assert_cmpint(t.res.verdict, ==, MLX5_TLS_TX_DROP);
        g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_SEQ_MISMATCH);
        g_assert_cmphex(t.res.exp_seq, ==, (uint32_t)(t.base + 60));
        g_assert_cmpuint(COUNT(&t, tx_seq_mismatch), ==, i + 1);
        g_assert_cmpmem(&before, sizeof(before), &t.tx, sizeof(t.tx));
    }
    mlx5_tls_engine_knobs(t.engine)->tx_seq_check = MLX5_TLS_TX_SEQ_ERROR_CQE;
    tx_send_at(&t, t.base + 61, 60, 90, 8);
    g_assert_cmpint(t.res.verdict, ==, MLX5_TLS_TX_ERROR_CQE);
    g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_SEQ_MISMATCH);
    /* the stream goes on */
    tx_send(&t, 60, 200, 7);
    g_assert_cmpuint(COUNT(&t, tx_seq_mismatch), ==, G_N_ELEMENTS(off) + 1);

    /*
     * ignore: takes the bytes for the next of the stream and follows the number
     */
    mlx5_tls_engine_knobs(t.engine)->tx_seq_check = MLX5_TLS_TX_SEQ_IGNORE;
    tx_send_at(&t, 0x12345678, 200, 300, 8);
    g_assert_cmpint(t.res.verdict, ==, MLX5_TLS_TX_SEND);
    g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_SEQ_MISMATCH);
    tx_send_at(&t, 0x12345678 + 100, 300, END(&t), 7);
    tx_free(&t);
}

/* TX9: DUMP with the sequence number known: what follows it is expected */
static void test_tx9(void)
{
    Tx t;

    tx_new(&t);
    for (size_t d = 61; d < END(&t); d += 7) {
        tx_start(&t, 7);
        tx_send(&t, 0, 60, 4);
        tx_dump(&t, 60, d, 9);
        g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_ACTIVE_SEQ);
        g_assert_cmphex(t.tx.exp_seq, ==, (uint32_t)(t.base + d));
        tx_send_at(&t, t.base + d - 1, d, END(&t), 8);
        tx_send(&t, d, END(&t), 7);
    }
    tx_free(&t);
}

/* TX10, TX11: nothing leaves an INVALID context; TX13: how it stays INVALID */
static void test_tx10_11_13(void)
{
    uint8_t image[64];
    Tx t;

    tx_new(&t);
    for (int i = 0; i < 4; i++) {
        Mlx5TlsReason why =
            i == 2 ? MLX5_TLS_REASON_NO_KEY : MLX5_TLS_REASON_NO_CTX;

        ref_static_image(image, &t.st->keys, 7, 0);
        switch (i) {
        case 0:     /* nothing at all */
            break;
        case 1:     /* SET_PSV without static params */
            g_assert_cmpint(tx_psv(&t), ==, why);
            break;
        case 2:     /* no key */
            g_assert_cmpint(mlx5_tls_tx_set_static(&t.tx, image, NULL), ==,
                            why);
            g_assert_cmpint(tx_psv(&t), ==, why);
            break;
        case 3:     /* unknown version */
            image[0] = 0x91;
            g_assert_cmpint(mlx5_tls_tx_set_static(&t.tx, image, t.key), ==,
                            MLX5_TLS_REASON_BAD_PARAMS);
            g_assert_cmpint(tx_psv(&t), ==, why);
            break;
        }
        g_assert_cmpint(t.tx.state, ==, MLX5_TLS_TX_INVALID);
        tx_send(&t, 0, 100, 10);
        g_assert_cmpint(t.res.verdict, ==, MLX5_TLS_TX_DROP);
        g_assert_cmpint(t.res.reason, ==, why);
        tx_dump(&t, 0, 100, 11);
        g_assert_cmpint(t.res.reason, ==, why);
        g_assert_cmpuint(COUNT(&t, tx_no_ctx), ==, i + 1);
        g_assert_cmpuint(COUNT(&t, tx_dump_ignored), ==, i + 1);
    }
    /* static params alone are not enough */
    tx_static(&t, 7);
    tx_send(&t, 0, 100, 10);
    /* a running context that loses its key at SET_PSV stops */
    tx_psv(&t);
    tx_send(&t, 0, 100, 4);
    ref_static_image(image, &t.st->keys, 7, 0);
    mlx5_tls_tx_set_static(&t.tx, image, NULL);
    tx_send(&t, 100, 110, 7);
    g_assert_cmpint(tx_psv(&t), ==, MLX5_TLS_REASON_NO_KEY);
    g_assert_null(t.tx.setup.run.key);
    tx_send(&t, 110, 120, 10);
    tx_free(&t);
}

/* The header of record 2 is xx 03 03 04 00. */
static const struct {
    uint8_t at, value;      /* byte of the header */
    uint8_t shows;          /* byte with which it is seen to be bad */
    const char *what;
} bad_headers[] = {
    { 0, 19, 0, "type 19" }, { 0, 24, 0, "type 24" }, { 0, 0, 0, "type 0" },
    { 1, 2, 1, "version 2.3" }, { 2, 4, 2, "version 3.4" },
    { 3, 0x41, 3, "length 0x4100" }, { 3, 0xff, 3, "length 0xff00" },
    { 3, 0, 4, "length 0" }, { 3, 0x40, 4, "length 0x40.." },
};

/* TX12: a bad header drops the whole packet; TX16, TX17: and all that follow */
static void test_tx12_16_17(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_headers); i++) {
        for (int s = MLX5_TLS_TX_START; s <= MLX5_TLS_TX_ACTIVE_SEQ; s++) {
            for (int dump = 0; dump < 2; dump++) {
                size_t pos, bad;
                Tx t;

                tx_new(&t);
                tx_to_state(&t, s, &pos);
                bad = OFF(&t, 2) + bad_headers[i].at;
                t.st->tx->data[bad] = bad_headers[i].value;
                if (bad_headers[i].value == 0x40) {
                    /* one more than the longest record: 16384 + 24 */
                    t.st->tx->data[bad + 1] = 25;
                }
                if (dump) {
                    tx_dump(&t, pos, bad + 300, 12);
                } else {
                    tx_send(&t, pos, bad + 300, 12);
                }
                g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_BAD_HEADER);
                g_assert_cmpint(t.res.state_after, ==, MLX5_TLS_TX_BROKEN);
                g_assert_false(mlx5_tls_record_is_open(&t.tx.rec));
                g_assert_cmpuint(t.res.records, ==, 0);
                g_assert_cmpuint(t.log->len, ==, 0);
                tx_send(&t, bad + 300, bad + 301, 16);
                g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_BROKEN);
                tx_dump(&t, bad + 300, bad + 301, 17);
                g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_BROKEN);
                g_assert_cmpuint(COUNT(&t, tx_bad_header), ==, dump ? 1 : 2);
                tx_static(&t, 7);
                tx_send(&t, 0, 10, 16);
                tx_start(&t, 7);
                tx_send(&t, 0, bad - 4, 4);
                tx_free(&t);
            }
        }
    }
}

/* TX12: not one byte more than a good beginning of a header leaves */
static void test_tx12_cut(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_headers); i++) {
        size_t bad;
        Tx t;

        tx_new(&t);
        tx_start(&t, 7);
        bad = OFF(&t, 2) + bad_headers[i].at;
        t.st->tx->data[bad] = bad_headers[i].value;
        if (bad_headers[i].value == 0x40) {
            t.st->tx->data[bad + 1] = 25;
        }
        bad = OFF(&t, 2) + bad_headers[i].shows;
        /* what goes out up to there is what came in: header bytes */
        memcpy(t.st->wire->data + OFF(&t, 2), t.st->tx->data + OFF(&t, 2), 5);
        tx_send(&t, 0, 10, 4);
        for (size_t pos = 10; pos < bad; pos++) {
            tx_send(&t, pos, pos + 1, 7);
        }
        tx_send(&t, bad, bad + 1, 12);
        tx_free(&t);
    }
}

/* TX14: SET_PSV with other codes */
static void test_tx14(void)
{
    FOR_STATES(s) {
        uint8_t image[12] = { 0 };
        Mlx5TlsTx before;
        size_t pos;
        Tx t;

        tx_new(&t);
        tx_to_state(&t, s, &pos);
        for (unsigned code = 1; code < 16; code++) {
            before = t.tx;
            image[8] = code << 4;
            g_assert_cmpint(mlx5_tls_tx_set_progress(&t.tx, image), ==,
                            MLX5_TLS_REASON_BAD_PARAMS);
            g_assert_cmpmem(&before, sizeof(before), &t.tx, sizeof(t.tx));
        }
        mlx5_tls_engine_knobs(t.engine)->lax_params = true;
        tx_static(&t, 7);
        g_assert_cmpint(mlx5_tls_tx_set_progress(&t.tx, image), ==,
                        MLX5_TLS_REASON_NONE);
        tx_send(&t, 0, END(&t), 4);
        tx_free(&t);
    }
}

/* TX15: nothing to encrypt is nothing to protect */
static void test_tx15(void)
{
    FOR_STATES(s) {
        Mlx5TlsTx before;
        size_t pos;
        Tx t;

        tx_new(&t);
        tx_to_state(&t, s, &pos);
        before = t.tx;
        tx_send_at(&t, 12345, 0, 0, 15);
        g_assert_cmpint(t.res.verdict, ==, MLX5_TLS_TX_SEND);
        g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_EMPTY);
        tx_dump(&t, 0, 0, 15);
        g_assert_cmpint(t.res.reason, ==, MLX5_TLS_REASON_EMPTY);
        g_assert_cmpmem(&before, sizeof(before), &t.tx, sizeof(t.tx));
        tx_free(&t);
    }
}

/* ---- cuts ---------------------------------------------------------------- */

/*
 * Records of 17, 0 (1.2) and 40 bytes in three packets, cut at every two
 * places.
 */
static void test_cuts(void)
{
    for (int c = 0; c < 4; c++) {
        Tx t;

        tx_new_stream(&t, c & 1, c & 2 ? 32 : 16, UINT64_MAX, 0xffffffb0);
        ref_stream_add(t.st, rng, 23, 17);
        if (!(c & 1)) {
            ref_stream_add(t.st, rng, 22, 0);
        }
        ref_stream_add(t.st, rng, 23, 40);
        mlx5_tls_engine_set_record_log(t.engine, NULL, NULL);
        for (size_t a = 1; a < END(&t); a++) {
            for (size_t b = a; b < END(&t); b++) {
                tx_start(&t, UINT64_MAX);
                tx_send(&t, 0, a, 4);
                tx_send(&t, a, b, a == b ? 15 : 7);
                tx_send(&t, b, END(&t), 7);
            }
        }
        g_assert_cmpuint(t.log->len, ==, 0);
        tx_free(&t);
    }
}

/* 64 KiB and more in one WQE, records of all sizes up to the largest. */
static void test_large(void)
{
    for (int c = 0; c < 4; c++) {
        Tx t;

        tx_new_stream(&t, c & 1, c & 2 ? 32 : 16, 0, g_rand_int(rng));
        while (END(&t) < 300000) {
            ref_stream_add(t.st, rng, 23,
                           ref_rand_range(rng, 1, 4) == 1 ?
                               16384 :
                               ref_rand_range(rng, 1, 16384));
        }
        tx_start(&t, 0);
        tx_send(&t, 0, 65536, 4);
        tx_send(&t, 65536, 131072, 7);
        tx_send(&t, 131072, END(&t), 7);
        g_assert_cmpuint(COUNT(&t, tx_records), ==, t.st->recs->len);
        tx_free(&t);
    }
}

static void test_too_long(void)
{
    FOR_STATES(s) {
        Mlx5TlsTx before;
        Mlx5TlsTxResult res;
        uint8_t byte = 0;
        size_t pos;
        Tx t;

        tx_new(&t);
        tx_to_state(&t, s, &pos);
        before = t.tx;
        mlx5_tls_tx_packet(&t.tx, t.base + pos, &byte, MLX5_TLS_MAX_PAYLOAD + 1,
                           &res);
        g_assert_cmpint(res.verdict, ==, MLX5_TLS_TX_DROP);
        g_assert_cmpint(res.reason, ==, MLX5_TLS_REASON_TOO_LONG);
        mlx5_tls_tx_dump(&t.tx, &byte, SIZE_MAX, &res);
        g_assert_cmpint(res.reason, ==, MLX5_TLS_REASON_TOO_LONG);
        g_assert_cmpuint(COUNT(&t, tx_drop_unmarkable), ==, 1);
        g_assert_cmpuint(COUNT(&t, tx_dump_ignored), ==, 1);
        g_assert_cmpmem(&before, sizeof(before), &t.tx, sizeof(t.tx));
        tx_free(&t);
    }
}

/* ---- the driver's resync ------------------------------------------------- */

/*
 * A packet that begins at byte d of a record is sent again: static params of
 * the record, SET_PSV, DUMP of what is before the packet in pieces, the packet,
 * and back to the end.
 */
static void test_resync_every_offset(void)
{
    for (int c = 0; c < 4; c++) {
        Tx t;

        tx_new_stream(&t, c & 1, c & 2 ? 32 : 16, 41, 0xfffffe00);
        for (int i = 0; i < 6; i++) {
            ref_stream_add(t.st, rng, 23, 150 + i);
        }
        tx_start(&t, 41);
        tx_send(&t, 0, END(&t), 4);
        for (size_t from = 0; from < END(&t); from++) {
            size_t to = from + ref_rand_range(rng, 1, 300);
            size_t piece = ref_rand_range(rng, 1, 100);
            unsigned i = 0, row = 3;

            to = MIN(to, END(&t));
            while (i + 1 < t.st->recs->len && OFF(&t, i + 1) <= from) {
                i++;
            }
            tx_start(&t, 41 + i);
            for (size_t d = OFF(&t, i); d < from; d += piece, row = 6) {
                tx_dump(&t, d, MIN(d + piece, from), row);
            }
            tx_send(&t, from, to, row == 3 ? 4 : 5);
            if (to < END(&t)) {
                tx_send(&t, to, END(&t), 7);
            }
        }
        tx_free(&t);
    }
}

/* ---- record log ---------------------------------------------------------- */

static void test_log(void)
{
    const Mlx5TlsRecordEvent *ev;
    Tx t;

    tx_new(&t);
    tx_start(&t, 7);
    tx_dump(&t, 0, 50, 3);                      /* in record 0 */
    tx_send(&t, 50, OFF(&t, 2) + 3, 5);         /* into the header of record
                                                 * 2 */
    tx_dump(&t, OFF(&t, 2) + 3, OFF(&t, 3), 9);
    tx_send(&t, OFF(&t, 3), END(&t), 7);
    g_assert_cmpuint(t.log->len, ==, 5);
    for (unsigned i = 0; i < 5; i++) {
        const RefRecord *r = ref_rec(t.st, i);

        ev = &g_array_index(t.log, Mlx5TlsRecordEvent, i);
        g_assert_cmpint(ev->dir, ==, MLX5_TLS_DIR_TX);
        g_assert_cmphex(ev->id, ==, 0x77);
        g_assert_true(ev->number_known);
        g_assert_cmpuint(ev->number, ==, 7 + i);
        g_assert_cmpint(ev->tcp_sn_known, ==, i > 0);
        if (i > 0) {
            g_assert_cmphex(ev->tcp_sn, ==, (uint32_t)(t.base + r->off));
        }
        g_assert_cmpuint(ev->len, ==, r->len);
        g_assert_cmpuint(ev->type, ==, r->type);
        g_assert_cmpint(ev->mode, ==, MLX5_TLS_RECORD_ENCRYPT);
        g_assert_cmpint(ev->end, ==, MLX5_TLS_RECORD_END_DONE);
        g_assert_cmpint(ev->dumped, ==, i == 0 || i == 2);
        g_assert_true(ev->sent);
        g_assert_cmpmem(ev->tag, 16, t.st->wire->data + r->off + r->len - 16,
                        16);
        g_assert_cmpint(ev->state_before, ==, i < 2 ? MLX5_TLS_TX_ACTIVE :
                                                      MLX5_TLS_TX_ACTIVE_SEQ);
        g_assert_cmpint(ev->state_after, ==, MLX5_TLS_TX_ACTIVE_SEQ);
    }
    /* a record that is only dumped */
    tx_start(&t, 7);
    tx_dump(&t, 0, OFF(&t, 1), 3);
    ev = &g_array_index(t.log, Mlx5TlsRecordEvent, 5);
    g_assert_true(ev->dumped);
    g_assert_false(ev->sent);
    tx_free(&t);
}

/* ---- life ---------------------------------------------------------------- */

static void test_clear(void)
{
    static const Mlx5TlsTx zero;
    Mlx5TlsTx fresh;
    Tx t;

    g_assert_cmpuint(sizeof(Mlx5TlsTx), <=, 320);
    tx_new(&t);
    fresh = t.tx;
    tx_start(&t, 7);
    tx_send(&t, 0, 50, 4);
    mlx5_tls_tx_clear(&t.tx);
    g_assert_cmpmem(&zero, sizeof(zero), &t.tx, sizeof(t.tx));
    mlx5_tls_tx_clear(&t.tx);
    mlx5_tls_tx_init(&t.tx, t.engine, fresh.id);
    g_assert_cmpmem(&fresh, sizeof(fresh), &t.tx, sizeof(t.tx));
    tx_send(&t, 50, 60, 10);
    tx_start(&t, 7);
    tx_send(&t, 0, END(&t), 4);
    tx_free(&t);
}

/*
 * Many contexts on two cipher contexts, each in the middle of a record all the
 * time.
 */
static void test_many_contexts(void)
{
    enum { N = 200 };
    g_autofree Tx *t = g_new0(Tx, N);
    g_autofree Mlx5TlsTx *tx = g_new0(Mlx5TlsTx, N);
    Mlx5TlsEngine *engine = ref_engine_new(2);
    Mlx5GcmStats stats;

    for (int i = 0; i < N; i++) {
        uint8_t image[64], psv[12];

        tx_new_stream(&t[i], i & 1, i & 2 ? 32 : 16, i, i);
        ref_stream_add(t[i].st, rng, 23, 300);
        mlx5_tls_tx_init(&tx[i], engine, i);
        ref_static_image(image, &t[i].st->keys, i, 0);
        ref_progress_image(psv, 0);
        mlx5_tls_tx_set_static(&tx[i], image, t[i].key);
        mlx5_tls_tx_set_progress(&tx[i], psv);
    }
    for (size_t pos = 0; pos < 300; pos += 50) {
        for (int i = 0; i < N; i++) {
            g_autofree uint8_t *buf = g_memdup2(t[i].st->tx->data + pos, 50);
            Mlx5TlsTxResult res;

            mlx5_tls_tx_packet(&tx[i], i + pos, buf, 50, &res);
            g_assert_cmpint(res.verdict, ==, MLX5_TLS_TX_SEND);
            ref_assert_equal(buf, t[i].st->wire->data + pos, 50, "one of many");
        }
    }
    stats = *mlx5_gcm_pool_stats(mlx5_tls_engine_gcm(engine));
    g_assert_cmpuint(stats.slots, ==, 2);
    g_assert_cmpuint(stats.saves, >=, 4 * N);
    for (int i = 0; i < N; i++) {
        mlx5_tls_tx_clear(&tx[i]);
        tx_free(&t[i]);
    }
    ref_engine_free(engine);
}

static void test_texts(void)
{
    for (unsigned i = 1; i < MLX5_TLS_TX_ROW_END; i++) {
        g_autofree char *prefix = g_strdup_printf("TX%u: ", i);

        g_assert_true(g_str_has_prefix(mlx5_tls_tx_row_str(i), prefix));
    }
    g_assert_cmpstr(mlx5_tls_tx_row_str(0), ==, "no row");
    g_assert_cmpstr(mlx5_tls_tx_row_str(MLX5_TLS_TX_ROW_END), ==, "no row");
    g_assert_cmpstr(mlx5_tls_tx_state_str(MLX5_TLS_TX_ACTIVE_SEQ), ==,
                    "ACTIVE_SEQ");
    g_assert_cmpstr(mlx5_tls_tx_state_str(MLX5_TLS_TX_STATES), ==,
                    "unknown state");
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    ref_test_add("/tls/tx/TX1-static", test_tx1);
    ref_test_add("/tls/tx/TX2-set-psv", test_tx2);
    ref_test_add("/tls/tx/TX3-start-dump", test_tx3);
    ref_test_add("/tls/tx/TX4-start-packet", test_tx4);
    ref_test_add("/tls/tx/TX5-active-packet", test_tx5);
    ref_test_add("/tls/tx/TX6-active-dump", test_tx6);
    ref_test_add("/tls/tx/TX7-in-sequence", test_tx7);
    ref_test_add("/tls/tx/TX8-out-of-sequence", test_tx8);
    ref_test_add("/tls/tx/TX9-dump-advances", test_tx9);
    ref_test_add("/tls/tx/TX10-TX11-TX13-invalid", test_tx10_11_13);
    ref_test_add("/tls/tx/TX12-TX16-TX17-bad-header", test_tx12_16_17);
    ref_test_add("/tls/tx/TX12-bad-header-cut", test_tx12_cut);
    ref_test_add("/tls/tx/TX14-set-psv-refused", test_tx14);
    ref_test_add("/tls/tx/TX15-empty", test_tx15);
    ref_test_add("/tls/tx/cuts", test_cuts);
    ref_test_add("/tls/tx/large", test_large);
    ref_test_add("/tls/tx/too-long", test_too_long);
    ref_test_add("/tls/tx/resync-every-offset", test_resync_every_offset);
    ref_test_add("/tls/tx/log", test_log);
    ref_test_add("/tls/tx/reset-clear", test_clear);
    ref_test_add("/tls/tx/many-contexts", test_many_contexts);
    ref_test_add("/tls/tx/texts", test_texts);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
