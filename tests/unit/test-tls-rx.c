/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the RX tracker, rows by number: setup, start, packets in order, old
 * and lost ones during offload, and posts. test-tls-rx-resync.c tests the
 * search for a header and resynchronisation; test-tls-rx-more.c tests the
 * knobs, the record log, segmentation and hostile input.
 */
#include <string.h>

#include "tls-rx-bench.h"

static GRand *rng;

#define TRACKING_STATES(s)  for (int s = OFFLOAD; s <= AUTH; s++)
#define ALL_STATES(s)       for (int s = NONE; s < MLX5_TLS_RX_STATES; s++)

/* R1: without static params, key and SET_PSV everything passes */
static void test_r1(void)
{
    uint8_t image[64];
    Rx t;

    rx_new(&t, rng);
    rx_pkt(&t, 0, 500, F0, 1, NONE);
    WHY(&t, NO_CTX);
    rx_static(&t, 40, 0);
    rx_pkt(&t, 0, 500, F0, 1, NONE);
    WHY(&t, NO_CTX);
    rx_check_psv(&t, 0, 0, 0, 0, 0);

    mlx5_tls_rx_clear(&t.rx);
    mlx5_tls_rx_init(&t.rx, t.engine, 1);
    g_assert_cmpint(rx_psv(&t, t.base), ==, MLX5_TLS_REASON_NO_CTX);
    rx_pkt(&t, 0, 500, F0, 1, NONE);

    ref_static_image(image, &t.st->keys, 40, 0);
    mlx5_tls_rx_set_static(&t.rx, image, NULL, NULL);
    g_assert_cmpint(rx_psv(&t, t.base), ==, MLX5_TLS_REASON_NO_KEY);
    rx_pkt(&t, 0, 500, F0, 1, NONE);
    WHY(&t, NO_KEY);

    image[0] ^= 0x40;
    mlx5_tls_rx_set_static(&t.rx, image, t.key, NULL);
    g_assert_cmpint(rx_psv(&t, t.base), ==, MLX5_TLS_REASON_NO_CTX);
    rx_pkt(&t, 0, 500, F0, 1, NONE);
    rx_free(&t);
}

/* R2: before the anchor, not too far */
static void test_r2(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_start(&t, t.base + 500);
    rx_pkt(&t, 0, 100, F0, 2, START);
    WHY(&t, BEFORE_ANCHOR);
    rx_pkt(&t, 400, 500, F0, 2, START);
    rx_pkt(&t, 499, 500, F0, 2, START);
    rx_check_psv(&t, 0, 0, t.base + 500, 0, 0);
    /*
     * its end lies tolerance - 1 bytes before the anchor: the last that will do
     */
    rx_bytes(&t, t.base + 500 - ((1 << 24) - 1) - 100, t.st->wire->data, NULL,
             100, F0, 2, START);
    rx_pkt(&t, 0, 30, F0, 2, START);
    g_assert_cmpuint(HITS(&t, 4), ==, 0);
    rx_free(&t);
}

/* R3: the anchor lies in the packet, at every place of it */
static void test_r3(void)
{
    Rx t;

    rx_new(&t, rng);
    for (size_t before = 0; before < 40; before++) {
        for (size_t behind = 1; behind < 200; behind++) {
            size_t anchor = OFF(&t, 2);

            rx_static(&t, 42, 0);
            rx_psv(&t, t.base + anchor);
            rx_pkt(&t, anchor - before, anchor + behind, before ? F0 : F1, 3,
                   OFFLOAD);
            if (before) {
                WHY(&t, BEFORE_ANCHOR);
            }
            rx_pkt(&t, anchor + behind, END(&t), F1, 5, OFFLOAD);
        }
    }
    /* a bad tag in the first packet */
    rx_static(&t, 42, 0);
    rx_psv(&t, t.base + OFF(&t, 2));
    rx_pkt_flip(&t, OFF(&t, 2), OFF(&t, 3) + 9, OFF(&t, 3) - 1, F3, 3, OFFLOAD);
    rx_pkt(&t, OFF(&t, 3) + 9, OFF(&t, 4), F0, 5, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4), END(&t), F1, 5, OFFLOAD);
    rx_static(&t, 42, 0);
    rx_psv(&t, t.base + OFF(&t, 2));
    rx_pkt_flip(&t, OFF(&t, 2) - 1, OFF(&t, 3) + 9, OFF(&t, 3) - 1, F0, 3,
                OFFLOAD);
    WHY(&t, BAD_TAG);
    /* no header at the anchor: R10 in the same packet */
    rx_static(&t, 42, 0);
    rx_psv(&t, t.base + OFF(&t, 2) + 7);
    rx_pkt(&t, OFF(&t, 2) + 7, OFF(&t, 3) + 2, F0, 3, SEARCH);
    g_assert_true(rx_took(&t, 10));
    WHY(&t, BAD_HEADER);
    rx_free(&t);
}

/* R4: the first packet lies beyond the anchor, or far before it */
static void test_r4(void)
{
    static const uint32_t anchor[] = { 1, 100, 0x7fffffff };
    Rx t;

    rx_new(&t, rng);
    for (size_t i = 0; i < G_N_ELEMENTS(anchor); i++) {
        /* no header in it */
        rx_start(&t, t.base + 20 - anchor[i]);
        rx_pkt(&t, 20, 100, F0, 4, SEARCH);
        WHY(&t, LATE_START);
        g_assert_true(rx_took(&t, 13));
        /* a header in it */
        rx_start(&t, t.base + 20 - anchor[i]);
        rx_pkt(&t, 20, 160, F2, 4, CAND);
        WHY(&t, LATE_START);
        g_assert_true(rx_took(&t, 12));
        g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 1)));
    }
    /* before the anchor, but out of the window */
    rx_start(&t, t.base + 100 + (1 << 24));
    rx_pkt(&t, 20, 100, F0, 4, SEARCH);
    /* an anchor of 0 that means nothing is no better */
    rx_start(&t, 0);
    rx_bytes(&t, 0x20000000, t.st->wire->data, NULL, 300, F2, 4, CAND);
    rx_start(&t, 0);
    rx_bytes(&t, 0xe0000000, t.st->wire->data, NULL, 300, F2, 4, CAND);
    g_assert_cmpuint(HITS(&t, 4), ==, 9);
    rx_free(&t);
}

/* R5: in order */
static void test_r5(void)
{
    Rx t;

    rx_new(&t, rng);
    for (size_t first = 1; first < END(&t); first++) {
        rx_start(&t, t.base);
        rx_pkt(&t, 0, first, F1, 3, OFFLOAD);
        rx_pkt(&t, first, END(&t), F1, 5, OFFLOAD);
        rx_check_psv(&t, 1, 1, t.base + END(&t), 0, 0);
    }
    rx_start(&t, t.base);
    rx_pkt(&t, 0, 1, F1, 3, OFFLOAD);
    for (size_t pos = 1; pos < END(&t); pos++) {
        rx_pkt(&t, pos, pos + 1, F1, 5, OFFLOAD);
    }
    rx_free(&t);
}

/*
 * R5: a bad tag gives flag 3 to the packet it ends in, and the records behind
 * that packet are fine. test-tls-rx-error.c has the other values of
 * rx-error-bytes.
 */
static void test_r5_bad_tag(void)
{
    Rx t;

    rx_new(&t, rng);
    t.knobs->rx_error_bytes = MLX5_TLS_ERROR_WIRE;
    for (size_t flip = OFF(&t, 2) + 5; flip < OFF(&t, 3); flip++) {
        rx_start(&t, t.base);
        rx_pkt(&t, 0, OFF(&t, 2), F1, 3, OFFLOAD);
        rx_pkt_flip(&t, OFF(&t, 2), OFF(&t, 3) + 2, flip, F3, 5, OFFLOAD);
        WHY(&t, BAD_TAG);
        rx_pkt(&t, OFF(&t, 3) + 2, END(&t), F1, 5, OFFLOAD);
        /* the packets before it were delivered decrypted already */
        rx_start(&t, t.base);
        rx_pkt(&t, 0, OFF(&t, 2), F1, 3, OFFLOAD);
        if (flip < OFF(&t, 2) + 100) {
            g_autofree uint8_t *buf =
                g_memdup2(t.st->wire->data + OFF(&t, 2), 100);
            g_autofree uint8_t *out =
                g_memdup2(t.st->clear->data + OFF(&t, 2), 100);
            size_t at = flip - OFF(&t, 2);

            buf[at] ^= 1;
            out[at] ^= 1;
            if (at < 13) {
                continue;       /* the nonce: all that follows is rubbish */
            }
            rx_bytes(&t, t.base + OFF(&t, 2), buf, out, 100, F1, 5, OFFLOAD);
            rx_pkt(&t, OFF(&t, 2) + 100, OFF(&t, 3) - 1, F1, 5, OFFLOAD);
            rx_pkt(&t, OFF(&t, 3) - 1, OFF(&t, 5), F3, 5, OFFLOAD);
            g_assert_cmpuint(COUNT(&t, rx_tag_bad), >, 0);
            rx_pkt(&t, OFF(&t, 5), END(&t), F1, 5, OFFLOAD);
        }
    }
    rx_free(&t);
}

/* R5: a wrong record number is a bad tag in every record */
static void test_r5_wrong_number(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_static(&t, 41, 0);
    rx_psv(&t, t.base);
    rx_pkt(&t, 0, OFF(&t, 1), F3, 3, OFFLOAD);
    for (unsigned i = 1; i < 9; i++) {
        rx_pkt(&t, OFF(&t, i), OFF(&t, i + 1), F3, 5, OFFLOAD);
    }
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 9);
    rx_free(&t);
}

/* R6: old packets in the tracking states, keepalive probes among them */
static void test_r6(void)
{
    TRACKING_STATES(s) {
        Mlx5TlsRx before;
        size_t pos;
        Rx t;

        rx_new(&t, rng);
        pos = rx_to_state(&t, s);
        before = t.rx;
        rx_pkt(&t, pos - 1, pos, F0, 6, s);
        WHY(&t, OLD);
        rx_pkt(&t, 0, pos, F0, 6, s);
        rx_pkt(&t, 10, 20, F0, 6, s);
        rx_bytes(&t, t.base + pos - 0x40000000, t.st->wire->data, NULL, 100, F0,
                 6, s);
        g_assert_cmpuint(HITS(&t, 6), ==, 4);
        g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        rx_free(&t);
    }
}

/*
 * R7: a packet that brings some bytes again is not decrypted, but the stream
 * goes on
 */
static void test_r7(void)
{
    TRACKING_STATES(s) {
        for (size_t n = 1; n < 300; n += 3) {
            size_t pos;
            Rx t;

            rx_new(&t, rng);
            pos = rx_to_state(&t, s);
            rx_pkt(&t, pos - 50, pos + n, F0, 7,
                   s == AUTH && pos + n >= OFF(&t, 6) ? OFFLOAD : s);
            WHY(&t, OVERLAP);
            g_assert_cmphex(t.rx.exp, ==, (uint32_t)(t.base + pos + n));
            if (s == OFFLOAD) {
                /* the same record, still decrypted and verified */
                rx_pkt(&t, pos + n, END(&t), F1, 5, OFFLOAD);
            }
            rx_free(&t);
        }
    }
}

/* R7, bad tag in it: not flag 3, the packet was not to be decrypted */
static void test_r7_bad_tag(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, OFFLOAD);
    rx_pkt_flip(&t, pos - 1, OFF(&t, 6), OFF(&t, 5) - 1, F0, 7, OFFLOAD);
    WHY(&t, BAD_TAG);
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 1);
    rx_pkt(&t, OFF(&t, 6), END(&t), F1, 5, OFFLOAD);
    rx_free(&t);
}

/* R8: bytes of a record are lost, the next header is not */
static void test_r8(void)
{
    size_t next;
    Rx t;

    rx_new(&t, rng);
    next = OFF(&t, 5);
    for (size_t s = OFF(&t, 4) + 101; s <= next; s++) {
        size_t pos = rx_to_state(&t, OFFLOAD),
               e = s + ref_rand_range(rng, 1, 400);

        /*
         * the packet behind the hole is never decrypted, the ones after it are
         */
        rx_pkt(&t, s, e, F0, 8, OFFLOAD);
        WHY(&t, GAP);
        g_assert_cmpuint(HITS(&t, 8), ==, s - pos);
        if (e < next) {
            rx_pkt(&t, e, next, F0, 5, OFFLOAD);
            WHY(&t, SKIPPED_RECORD);
            rx_pkt(&t, next, END(&t), F1, 5, OFFLOAD);
        } else {
            rx_pkt(&t, e, END(&t), F1, 5, OFFLOAD);
        }
    }
    /*
     * the tail of the skipped record and the next one in one packet: all or
     * nothing
     */
    rx_to_state(&t, OFFLOAD);
    rx_pkt(&t, next - 20, next - 10, F0, 8, OFFLOAD);
    rx_pkt(&t, next - 10, next + 30, F0, 5, OFFLOAD);
    WHY(&t, SKIPPED_RECORD);
    rx_pkt(&t, next + 30, END(&t), F1, 5, OFFLOAD);
    /* two holes in one record */
    rx_to_state(&t, OFFLOAD);
    rx_pkt(&t, next - 40, next - 30, F0, 8, OFFLOAD);
    rx_pkt(&t, next - 20, next - 10, F0, 8, OFFLOAD);
    rx_pkt(&t, next - 10, next, F0, 5, OFFLOAD);
    rx_pkt(&t, next, END(&t), F1, 5, OFFLOAD);
    g_assert_cmpuint(HITS(&t, 9), ==, 0);
    rx_free(&t);
}

/* R9: a header is lost, wholly or in part */
static void test_r9(void)
{
    Rx t;

    rx_new(&t, rng);
    /* seen up to e, going on at s */
    for (size_t e = OFF(&t, 5) - 3; e < OFF(&t, 5) + 5; e++) {
        for (size_t s = OFF(&t, 5) + 1; s < OFF(&t, 5) + 9; s++) {
            if (s <= e) {
                continue;
            }
            rx_start(&t, t.base);
            rx_pkt(&t, 0, e, F1, 3, OFFLOAD);
            rx_pkt(&t, s, OFF(&t, 6), F0, 9, SEARCH);
            WHY(&t, HEADER_LOST);
            rx_start(&t, t.base);
            rx_pkt(&t, 0, e, F1, 3, OFFLOAD);
            rx_pkt(&t, s, OFF(&t, 6) + 5, F2, 9, CAND);
            WHY(&t, HEADER_LOST);
            rx_check_psv(&t, 1, 0, t.base + OFF(&t, 7), t.base + OFF(&t, 6), 0);
        }
    }
    rx_free(&t);
}

/* R10: a bad header where one must be, in OFFLOAD and AUTH */
static void test_r10(void)
{
    for (int s = OFFLOAD; s <= AUTH; s += AUTH - OFFLOAD) {
        for (size_t byte = 0; byte < 3; byte++) {
            for (size_t cut = 0; cut <= byte; cut++) {
                Mlx5TlsFlag before = s == OFFLOAD ? F1 : F0;
                size_t bad;
                Rx t;

                rx_new(&t, rng);
                bad = OFF(&t, 5);
                rx_to_state(&t, s);
                rx_pkt(&t, OFF(&t, 4) + 100, bad + cut, before,
                       s == OFFLOAD ? 5 : 29, s);
                /* no other header in the packet */
                rx_pkt_flip(&t, bad + cut, OFF(&t, 6), bad + byte, F0,
                            s == OFFLOAD ? 5 : 29, SEARCH);
                g_assert_true(rx_took(&t, 10));
                g_assert_true(rx_took(&t, 13));
                WHY(&t, BAD_HEADER);
                /* the next one is found as if nothing had been */
                rx_pkt(&t, OFF(&t, 6), END(&t), F2, 12, CAND);
                rx_free(&t);

                rx_new(&t, rng);
                rx_to_state(&t, s);
                rx_pkt(&t, OFF(&t, 4) + 100, bad + cut, before,
                       s == OFFLOAD ? 5 : 29, s);
                rx_pkt_flip(&t, bad + cut, END(&t), bad + byte, F2,
                            s == OFFLOAD ? 5 : 29, CAND);
                g_assert_true(rx_took(&t, 10));
                g_assert_true(rx_took(&t, 12));
                g_assert_cmphex(t.rx.hw_resync, ==,
                                (uint32_t)(t.base + OFF(&t, 6)));
                rx_free(&t);
            }
        }
    }
}

/* R10: the true header begins within the bytes that make a bad one */
static void test_r10_header_in_header(void)
{
    static const uint8_t bytes[] = { 23, 23, 3, 3, 0, 40 };
    Rx t;

    rx_new(&t, rng);
    rx_to_state(&t, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5), F1, 5, OFFLOAD);
    rx_bytes(&t, t.base + OFF(&t, 5), bytes, NULL, 6, F2, 5, CAND);
    g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 5) + 1));
    g_assert_cmphex(t.rx.next_hdr, ==,
                    (uint32_t)(t.base + OFF(&t, 5) + 6 + 40));

    /*
     * the same in two packets: it began in the earlier one, so it is only
     * followed
     */
    rx_to_state(&t, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5), F1, 5, OFFLOAD);
    rx_bytes(&t, t.base + OFF(&t, 5), bytes, bytes, 1, F1, 5, OFFLOAD);
    rx_bytes(&t, t.base + OFF(&t, 5) + 1, bytes + 1, NULL, 5, F2, 5, CAND);
    rx_to_state(&t, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5), F1, 5, OFFLOAD);
    rx_bytes(&t, t.base + OFF(&t, 5), bytes, NULL, 3, F0, 5, SEARCH);
    rx_bytes(&t, t.base + OFF(&t, 5) + 3, bytes + 3, NULL, 3, F0, 30, LINK);
    rx_free(&t);
}

/* R25: elsewhere a static post is stored and nothing else, whatever it says */
static void test_r25(void)
{
    ALL_STATES(s) {
        uint8_t image[64];
        Mlx5TlsRx before;
        Mlx5TlsReason why;
        RefKeys k;
        size_t pos;
        Rx t;

        if (s == CAND) {
            continue;
        }
        rx_new(&t, rng);
        pos = rx_to_state(&t, s);
        before = t.rx;
        ref_keys_random(&k, rng, true, 16);
        ref_static_image(image, &k, 12345, t.rx.hw_resync);
        for (int i = 0; i < 3; i++) {
            image[0] = i == 1 ? 0 : image[0];
            g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image,
                                                   i < 2 ? t.key : NULL, &why),
                            ==, MLX5_TLS_RX_STATIC_STORED);
            g_assert_cmpint(why, ==, i ? MLX5_TLS_REASON_BAD_PARAMS :
                                         MLX5_TLS_REASON_NONE);
            before.setup.params = t.rx.setup.params;
            before.setup.key = t.rx.setup.key;
            before.setup.static_ok = t.rx.setup.static_ok;
            g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        }
        if (s == OFFLOAD) {
            rx_pkt(&t, pos, END(&t), F1, 5, OFFLOAD);
        } else if (s == START) {
            rx_pkt(&t, 0, END(&t), F1, 3, OFFLOAD);
        } else if (s == AUTH) {
            rx_pkt(&t, pos, OFF(&t, 6), F0, 29, OFFLOAD);
            rx_pkt(&t, OFF(&t, 6), END(&t), F1, 5, OFFLOAD);
        }
        rx_free(&t);
    }
}

/* R26: SET_PSV starts anew from any state */
static void test_r26(void)
{
    ALL_STATES(s) {
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        rx_static(&t, 43, 0);
        g_assert_cmpint(rx_psv(&t, t.base + OFF(&t, 3)), ==,
                        MLX5_TLS_REASON_NONE);
        STATE(&t, START);
        rx_check_psv(&t, 0, 0, t.base + OFF(&t, 3), 0, 0);
        g_assert_false(mlx5_tls_record_is_open(&t.rx.rec));
        rx_pkt(&t, OFF(&t, 3), END(&t), F1, 3, OFFLOAD);
        /* and to NONE, if the key is gone */
        rx_to_state(&t, s);
        t.rx.setup.static_ok = false;
        g_assert_cmpint(rx_psv(&t, t.base), ==, MLX5_TLS_REASON_NO_CTX);
        STATE(&t, NONE);
        g_assert_null(t.rx.setup.run.key);
        rx_pkt(&t, OFF(&t, 3), END(&t), F0, 1, NONE);
        rx_free(&t);
    }
}

/* R27: GET_PSV in every state */
static void test_r27(void)
{
    static const struct {
        uint32_t tracker, auth;
    } want[] = {
        [NONE] = { 0, 0 }, [START] = { 0, 0 }, [OFFLOAD] = { 1, 1 },
        [CAND] = { 1, 0 }, [AUTH] = { 1, 2 },  [SEARCH] = { 2, 0 },
        [LINK] = { 2, 0 },
    };

    ALL_STATES(s) {
        uint32_t next;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        next = s == NONE   ? 0 :
               s == START  ? t.base :
               s == SEARCH ? t.base + OFF(&t, 1) :
                             t.base + OFF(&t, 5);
        rx_check_psv(&t, want[s].tracker, want[s].auth, next,
                     s == CAND || s == AUTH ? t.base + OFF(&t, 2) : 0,
                     s == CAND || s == AUTH ? 2 : 0);
        rx_free(&t);
    }
}

/* R28: the end of a context in every state */
static void test_r28(void)
{
    static const Mlx5TlsRx zero;

    ALL_STATES(s) {
        Mlx5GcmStats stats;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        mlx5_tls_rx_clear(&t.rx);
        g_assert_cmpmem(&zero, sizeof(zero), &t.rx, sizeof(t.rx));
        stats = *mlx5_gcm_pool_stats(mlx5_tls_engine_gcm(t.engine));
        g_assert_cmpuint(stats.attached, ==, 0);
        mlx5_tls_rx_clear(&t.rx);
        /* the next owner of the number sees nothing of it */
        mlx5_tls_rx_init(&t.rx, t.engine, 0x55);
        rx_pkt(&t, 0, 100, F0, 1, NONE);
        rx_free(&t);
    }
}

/* R34: SET_PSV with other codes is refused in every state */
static void test_r34(void)
{
    ALL_STATES(s) {
        uint8_t image[12] = { 0 };
        Mlx5TlsRx before;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        before = t.rx;
        for (unsigned code = 1; code < 16; code++) {
            image[8] = code << 4;
            g_assert_cmpint(mlx5_tls_rx_set_progress(&t.rx, image), ==,
                            MLX5_TLS_REASON_BAD_PARAMS);
            g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        }
        t.knobs->lax_params = true;
        rx_static(&t, 40, 0);
        g_assert_cmpint(mlx5_tls_rx_set_progress(&t.rx, image), ==,
                        MLX5_TLS_REASON_NONE);
        STATE(&t, START);
        rx_free(&t);
    }
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    ref_test_add("/tls/rx/R1-no-context", test_r1);
    ref_test_add("/tls/rx/R2-before-anchor", test_r2);
    ref_test_add("/tls/rx/R3-anchor", test_r3);
    ref_test_add("/tls/rx/R4-late-start", test_r4);
    ref_test_add("/tls/rx/R5-in-order", test_r5);
    ref_test_add("/tls/rx/R5-bad-tag", test_r5_bad_tag);
    ref_test_add("/tls/rx/R5-wrong-number", test_r5_wrong_number);
    ref_test_add("/tls/rx/R6-old", test_r6);
    ref_test_add("/tls/rx/R7-overlap", test_r7);
    ref_test_add("/tls/rx/R7-bad-tag", test_r7_bad_tag);
    ref_test_add("/tls/rx/R8-hole", test_r8);
    ref_test_add("/tls/rx/R9-header-lost", test_r9);
    ref_test_add("/tls/rx/R10-bad-header", test_r10);
    ref_test_add("/tls/rx/R10-header-in-header", test_r10_header_in_header);
    ref_test_add("/tls/rx/R25-static-stored", test_r25);
    ref_test_add("/tls/rx/R26-set-psv", test_r26);
    ref_test_add("/tls/rx/R27-get-psv", test_r27);
    ref_test_add("/tls/rx/R28-destroy", test_r28);
    ref_test_add("/tls/rx/R34-set-psv-refused", test_r34);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
