/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the checker, receive side; see test-tls-strict.c. */
#include <glib.h>
#include <string.h>

#include "tls-strict-rig.h"

static GRand *rng;

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

/* The stream's bytes [from, to) as they are on the wire. */
static void rx_wire(Rig *t, Delivery *d, size_t from, size_t to)
{
    d->len = to - from;
    d->seq = t->base + from;
    d->wire = g_memdup2(t->st->wire->data + from, d->len);
}

static void rx_arrive(Rig *t, Delivery *d)
{
    d->got = g_memdup2(d->wire, d->len);
    mlx5_tls_rx_packet(&t->rx, d->seq, d->got, d->len, &d->res);
    d->candidate = d->res.candidate;
}

/*
 * Stream bytes [from, to); flip: a byte of the stream that was changed on the
 * wire.
 */
static void rx_take(Rig *t, Delivery *d, size_t from, size_t to, size_t flip)
{
    rx_wire(t, d, from, to);
    if (flip) {
        d->wire[flip - from] ^= 1;
    }
    rx_arrive(t, d);
}

static void rx_give(Rig *t, Delivery *d)
{
    mlx5_tls_strict_rx_packet(t->strict.s, ID, d->seq, d->wire, d->got, d->len,
                              d->res.flag, d->candidate,
                              d->res.hw_resync_tcp_sn);
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

            rig_new(&t, rng, v13);
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

/*
 * Loss of a header, candidate, approval, one record authenticated, decryption.
 */
static void test_rx_silent_resync(void)
{
    Rig t;

    rig_new(&t, rng, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    rx_pass(&t, OFF(&t, 1) + 2, TEXT(&t, 2) + 100, MLX5_TLS_FLAG_RESYNC);
    rx_static(&t, ref_rec(t.st, 2)->number, t.base + OFF(&t, 2));
    rx_pass(&t, TEXT(&t, 2) + 100, TEXT(&t, 4) + 10,
            MLX5_TLS_FLAG_NOT_DECRYPTED);
    rx_pass(&t, TEXT(&t, 4) + 10, TEXT(&t, 5) + 10, MLX5_TLS_FLAG_DECRYPTED);
    rx_pass(&t, TEXT(&t, 5) + 10, END(&t, 5), MLX5_TLS_FLAG_DECRYPTED);
    rig_free(&t);
}

/* Stream bytes [from, to), those before `old` sent again as other ones. */
static void rx_pass_other(Rig *t, size_t from, size_t old, size_t to,
                          Mlx5TlsFlag flag)
{
    Delivery d;

    rx_wire(t, &d, from, to);
    for (size_t i = from; i < old; i++) {
        d.wire[i - from] ^= 0xff;
    }
    rx_arrive(t, &d);
    g_assert_cmpint(d.res.flag, ==, flag);
    rx_give(t, &d);
    said(t, NOTHING);
}

/*
 * A header of which the first bytes came before, and come again as other bytes:
 * it counts as it came first, and lies in this packet. In the search, behind a
 * header that could not be asked about, and where the software is asked again.
 */
static void test_rx_silent_other_bytes(void)
{
    for (size_t cut = 1; cut < 5; cut++) {
        Rig t;

        rig_new(&t, rng, false);
        rx_start(&t, 0);
        rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
        rx_pass(&t, OFF(&t, 1) + 2, OFF(&t, 2) + cut,
                MLX5_TLS_FLAG_NOT_DECRYPTED);
        rx_pass_other(&t, OFF(&t, 2) - 10, OFF(&t, 2) + cut, TEXT(&t, 2) + 50,
                      MLX5_TLS_FLAG_RESYNC);
        g_assert_cmpuint(t.rx.hw_resync, ==, t.base + OFF(&t, 2));
        /* the chain that begins there is followed as any other */
        rx_pass(&t, TEXT(&t, 2) + 50, OFF(&t, 3) + cut,
                MLX5_TLS_FLAG_NOT_DECRYPTED);
        rx_static(&t, ref_rec(t.st, 2)->number, t.base + OFF(&t, 2));
        rx_pass(&t, OFF(&t, 3) + cut, OFF(&t, 4), MLX5_TLS_FLAG_NOT_DECRYPTED);
        rx_pass(&t, OFF(&t, 4), END(&t, 5), MLX5_TLS_FLAG_DECRYPTED);
        rig_free(&t);

        rig_new(&t, rng, false);
        rx_start(&t, 0);
        rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
        rx_pass(&t, OFF(&t, 1) + 2, OFF(&t, 2) + 3,
                MLX5_TLS_FLAG_NOT_DECRYPTED);
        rx_pass(&t, OFF(&t, 2) + 3, OFF(&t, 3) + cut,
                MLX5_TLS_FLAG_NOT_DECRYPTED);
        g_assert_cmpint(t.rx.state, ==, MLX5_TLS_RX_LINK);
        rx_pass_other(&t, OFF(&t, 3) - 7, OFF(&t, 3) + cut, TEXT(&t, 4),
                      MLX5_TLS_FLAG_RESYNC);
        rig_free(&t);

        rig_new(&t, rng, false);
        mlx5_tls_engine_knobs(t.engine)->resync_repeat =
            MLX5_TLS_RESYNC_REPEAT_RECORDS;
        mlx5_tls_engine_knobs(t.engine)->resync_repeat_records = 1;
        rx_start(&t, 0);
        rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
        rx_pass(&t, OFF(&t, 1) + 2, OFF(&t, 3) + cut, MLX5_TLS_FLAG_RESYNC);
        rx_pass_other(&t, OFF(&t, 3) - 7, OFF(&t, 3) + cut, TEXT(&t, 3),
                      MLX5_TLS_FLAG_RESYNC);
        g_assert_cmpuint(t.rx.hw_resync, ==, t.base + OFF(&t, 3));
        rig_free(&t);
    }
}

static void test_rx_altered(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, rng, false);
    rx_start(&t, 0);
    rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
    /* in a packet with a wrong tag nothing is what it should be: see below */
    rx_take(&t, &d, 30, END(&t, 0), END(&t, 0) - 1);
    g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_ERROR);
    memset(d.got, 0, d.len);
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

/*
 * Flag 3: for each value of rx-error-bytes what the engine delivers is right,
 * and what it delivers with another value is not, nor is it with one byte
 * changed.
 */
static void test_rx_error(void)
{
    for (int kind = 0; kind < 3 * 3 * 2; kind++) {
        Mlx5TlsErrorBytes value = kind % 3, believed = kind / 3 % 3;
        bool v13 = kind / 9;
        Mlx5TlsKnobs *knobs;
        size_t from, to;
        Delivery d;
        Rig t;

        rig_new(&t, rng, v13);
        knobs = mlx5_tls_engine_knobs(t.engine);
        from = TEXT(&t, 2) + 300;
        to = TEXT(&t, 4) + 100;
        rx_start(&t, 0);
        rx_pass(&t, 0, from, MLX5_TLS_FLAG_DECRYPTED);
        /*
         * the rest of record 2, which was shown and is good; 3, damaged; a part
         * of 4
         */
        knobs->rx_error_bytes = value;
        rx_take(&t, &d, from, to, END(&t, 3) - 1);
        g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_ERROR);
        knobs->rx_error_bytes = believed;
        rx_give(&t, &d);
        said(&t, value == believed ? NOTHING : MLX5_STRICT_RX_ALTERED);
        if (value == believed) {
            rx_pass(&t, to, END(&t, 4), value == MLX5_TLS_ERROR_RECORD ?
                    MLX5_TLS_FLAG_NOT_DECRYPTED : MLX5_TLS_FLAG_DECRYPTED);
            rx_pass(&t, END(&t, 4), END(&t, 5), MLX5_TLS_FLAG_DECRYPTED);
        }
        /* each byte, when all others are right */
        for (size_t i = 0; value == believed && i < to - from; i += 7) {
            rx_start(&t, 0);
            rx_pass(&t, 0, from, MLX5_TLS_FLAG_DECRYPTED);
            rx_take(&t, &d, from, to, END(&t, 3) - 1);
            d.got[i] ^= 0x40;
            rx_give(&t, &d);
            said(&t, MLX5_STRICT_RX_ALTERED);
        }
        rig_free(&t);
    }
}

/*
 * A record that begins in a packet with flag 3 is not decrypted, however it is
 * cut.
 */
static void test_rx_error_begun(void)
{
    static const int cuts[] = { 1, 3, 5, 13, 60 };

    for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        size_t cut;
        Delivery d;
        Rig t;

        rig_new(&t, rng, false);
        cut = OFF(&t, 4) + cuts[i];
        for (int lie = 0; lie < 3; lie++) {
            rx_start(&t, 0);
            rx_pass(&t, 0, OFF(&t, 3), MLX5_TLS_FLAG_DECRYPTED);
            rx_take(&t, &d, OFF(&t, 3), cut, END(&t, 3) - 1);
            g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_ERROR);
            rx_give(&t, &d);
            rx_take(&t, &d, cut, END(&t, 4), 0);
            g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_NOT_DECRYPTED);
            if (lie == 1) {
                d.res.flag = MLX5_TLS_FLAG_DECRYPTED;
            } else if (lie == 2) {
                d.wire[d.len - 1] ^= 1;
                d.got[d.len - 1] ^= 1;
                d.res.flag = MLX5_TLS_FLAG_ERROR;
            }
            rx_give(&t, &d);
            said(&t, lie == 1 ? MLX5_STRICT_RX_UNTRACKED :
                     lie == 2 ? MLX5_STRICT_RX_FLAG : NOTHING);
            rx_pass(&t, END(&t, 4), END(&t, 5), MLX5_TLS_FLAG_DECRYPTED);
        }
        rig_free(&t);
    }
}

static void test_rx_payload(void)
{
    Delivery d;
    Rig t;

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
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
    /*
     * behind a hole, in the record with the hole and in a packet that has its
     * end
     */
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
    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
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

    rig_new(&t, rng, false);
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
    /*
     * a header here, but what came first in its place was none; and one that is
     * old
     */
    for (int i = 0; i < 2; i++) {
        rx_start(&t, 0);
        rx_pass(&t, 0, 30, MLX5_TLS_FLAG_DECRYPTED);
        if (i) {
            rx_pass(&t, OFF(&t, 1) + 2, OFF(&t, 2) + 5, MLX5_TLS_FLAG_RESYNC);
        } else {
            rx_pass_other(&t, OFF(&t, 1) + 2, OFF(&t, 2) + 3, OFF(&t, 2) + 3,
                          MLX5_TLS_FLAG_NOT_DECRYPTED);
        }
        rx_take(&t, &d, OFF(&t, 2) - 10, TEXT(&t, 2) + 50, 0);
        g_assert_cmpint(d.res.flag, ==, MLX5_TLS_FLAG_NOT_DECRYPTED);
        d.res.flag = MLX5_TLS_FLAG_RESYNC;
        d.res.hw_resync_tcp_sn = t.base + OFF(&t, 2);
        d.candidate = true;
        rx_give(&t, &d);
        said(&t, MLX5_STRICT_RX_RESYNC);
    }
    rig_free(&t);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    g_test_add_func("/tls/strict/rx-silent", test_rx_silent);
    g_test_add_func("/tls/strict/rx-silent-resync", test_rx_silent_resync);
    g_test_add_func("/tls/strict/rx-silent-other-bytes",
                    test_rx_silent_other_bytes);
    g_test_add_func("/tls/strict/rx-altered", test_rx_altered);
    g_test_add_func("/tls/strict/rx-error", test_rx_error);
    g_test_add_func("/tls/strict/rx-error-begun", test_rx_error_begun);
    g_test_add_func("/tls/strict/rx-payload", test_rx_payload);
    g_test_add_func("/tls/strict/rx-framing", test_rx_framing);
    g_test_add_func("/tls/strict/rx-untracked", test_rx_untracked);
    g_test_add_func("/tls/strict/rx-flag", test_rx_flag);
    g_test_add_func("/tls/strict/rx-resync", test_rx_resync);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
