/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the RX tracker, rows by number: the search for a header, the
 * candidate, its approval, the authentication of one record. The other rows are
 * in test-tls-rx.c.
 */
#include <string.h>

#include "tls-rx-bench.h"

static GRand *rng;

/* R11: old packets while searching */
static void test_r11(void)
{
    for (int s = SEARCH; s <= LINK; s++) {
        Mlx5TlsRx before;
        size_t pos;
        Rx t;

        rx_new(&t, rng);
        pos = rx_to_state(&t, s);
        before = t.rx;
        rx_pkt(&t, pos - 1, pos, F0, 11, s);
        WHY(&t, OLD);
        rx_pkt(&t, 0, pos, F0, 11, s);
        g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        rx_free(&t);
    }
}

/* R12: a header, at every place of a packet */
static void test_r12(void)
{
    for (size_t before = 0; before < 200; before++) {
        size_t x, pos;
        Rx t;

        rx_new(&t, rng);
        pos = rx_to_state(&t, SEARCH);
        x = OFF(&t, 5);
        rx_pkt(&t, pos, x - before, F0, 13, SEARCH);
        rx_pkt(&t, x - before, x + 5 + before % 7, F2, 12, CAND);
        g_assert_cmphex(t.res.hw_resync_tcp_sn, ==, (uint32_t)(t.base + x));
        rx_check_psv(&t, 1, 0, t.base + OFF(&t, 6), t.base + x, 0);
        g_assert_cmpuint(HITS(&t, 12), ==, 1);
        rx_free(&t);
    }
}

/* R12, R14: more headers than a driver's log holds in the packet with flag 2 */
static void test_r12_chain(void)
{
    Rx t;

    rx_new_stream(&t, rng, false, 16, 40, -500);
    for (int i = 0; i < 40; i++) {
        ref_stream_add(t.st, rng, 23, i);
    }
    rx_start(&t, t.base - 10);
    rx_pkt(&t, 1, END(&t), F2, 4, CAND);
    g_assert_true(rx_took(&t, 14));
    g_assert_cmpuint(t.res.records, ==, 38);
    rx_check_psv(&t, 1, 0, t.base + END(&t), t.base + OFF(&t, 1), 38);
    rx_free(&t);
}

/* R13: no header; what is contiguous with it */
static void test_r13(void)
{
    size_t pos, x;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, SEARCH);
    x = OFF(&t, 5);
    /* 4 of its 5 bytes, then a hole: not a header */
    rx_pkt(&t, pos, x + 4, F0, 13, SEARCH);
    WHY(&t, SEARCHING);
    rx_pkt(&t, x + 5, x + 60, F0, 13, SEARCH);
    /* an overlapping packet brings its last byte */
    pos = rx_to_state(&t, SEARCH);
    rx_pkt(&t, pos, x + 4, F0, 13, SEARCH);
    rx_pkt(&t, x - 10, x + 5, F2, 12, CAND);
    pos = rx_to_state(&t, SEARCH);
    rx_pkt(&t, pos, x + 4, F0, 13, SEARCH);
    rx_pkt(&t, x + 1, x + 5, F0, 30, LINK);
    rx_free(&t);
}

/*
 * R14: valid headers behind the candidate are counted, flag 2 is not repeated
 */
static void test_r14(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, CAND);
    for (unsigned i = 5; i < 10; i++) {
        /* the header in two pieces, as it may come */
        size_t to = OFF(&t, i) + 2;

        rx_pkt(&t, pos, to, F0, 29, CAND);
        WHY(&t, UNANSWERED);
        g_assert_false(rx_took(&t, 14));
        pos = to;
        rx_pkt(&t, pos, pos + 50, F0, 29, CAND);
        g_assert_true(rx_took(&t, 14));
        pos += 50;
        g_assert_cmpuint(t.rx.hw_off, ==, 2 + i - 4);
        g_assert_cmpuint(t.res.records, ==, 1);
    }
    rx_check_psv(&t, 1, 0, t.base + END(&t), t.base + OFF(&t, 2), 7);
    g_assert_cmpuint(HITS(&t, 12), ==, 1);
    rx_free(&t);
}

/* R15: a false candidate is dropped when its chain breaks */
static void test_r15(void)
{
    static const uint8_t fake[] = { 23, 3, 3, 0, 30 };
    size_t x, pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, SEARCH);
    x = OFF(&t, 5);
    memcpy(t.st->wire->data + pos + 20, fake, 5);
    /* broken in the same packet, nothing else in it */
    rx_pkt(&t, pos, pos + 100, F2, 12, SEARCH);
    g_assert_true(rx_took(&t, 15));
    g_assert_true(rx_took(&t, 13));
    WHY(&t, BAD_HEADER);
    rx_check_psv(&t, 2, 0, t.rx.next_hdr, t.base + pos + 20, 0);
    /* the true one */
    rx_pkt(&t, pos + 100, x + 50, F2, 12, CAND);

    /* the true one begins one byte behind the place where the chain breaks */
    rx_to_state(&t, SEARCH);
    memcpy(t.st->wire->data + pos + 55, fake, 5);
    t.st->wire->data[pos + 54] = 0;
    t.st->wire->data[pos + 23] = 0;
    t.st->wire->data[pos + 24] = 29;
    rx_pkt(&t, pos, pos + 60, F2, 12, CAND);
    g_assert_true(rx_took(&t, 15));
    g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + pos + 55));
    memset(t.st->wire->data + pos + 54, 0, 6);
    t.st->wire->data[pos + 24] = 30;

    /* the true one in the same packet: the answer of GET_PSV names it */
    pos = rx_to_state(&t, SEARCH);
    rx_pkt(&t, pos, x + 50, F2, 12, CAND);
    g_assert_true(rx_took(&t, 15));
    rx_check_psv(&t, 1, 0, t.base + OFF(&t, 6), t.base + x, 0);

    /* the chain breaks in a later packet, which then asks for the true one */
    pos = rx_to_state(&t, SEARCH);
    rx_pkt(&t, pos, pos + 40, F2, 12, CAND);
    rx_pkt(&t, pos + 40, x + 50, F2, 29, CAND);
    g_assert_true(rx_took(&t, 15));
    rx_check_psv(&t, 1, 0, t.base + OFF(&t, 6), t.base + x, 0);
    rx_free(&t);
}

/* R16: a hole within a record does not hurt a candidate */
static void test_r16(void)
{
    Rx t;

    rx_new(&t, rng);
    for (size_t s = OFF(&t, 4) + 101; s <= OFF(&t, 5); s += 3) {
        rx_to_state(&t, CAND);
        rx_pkt(&t, s, OFF(&t, 5) + 20, F0, 16, CAND);
        WHY(&t, GAP);
        g_assert_cmpuint(t.rx.hw_off, ==, 3);
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        rx_pkt(&t, OFF(&t, 5) + 20, OFF(&t, 7), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 7), END(&t), F1, 5, OFFLOAD);
    }
    rx_free(&t);
}

/* R17: a lost header does */
static void test_r17(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_to_state(&t, CAND);
    rx_pkt(&t, OFF(&t, 5) + 1, OFF(&t, 6), F0, 17, SEARCH);
    g_assert_true(rx_took(&t, 13));
    g_assert_false(rx_took(&t, 15));
    WHY(&t, HEADER_LOST);
    rx_to_state(&t, CAND);
    rx_pkt(&t, OFF(&t, 5) + 1, OFF(&t, 6) + 40, F2, 17, CAND);
    g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 6)));
    g_assert_cmpuint(t.rx.hw_off, ==, 0);
    rx_free(&t);
}

/* R18, R20, R21: approved at every byte of the stream after the candidate */
static void test_r18_20_21(void)
{
    Rx t;

    rx_new(&t, rng);
    for (size_t at = OFF(&t, 1) + 5; at <= OFF(&t, 7); at++) {
        unsigned next = 2;

        rx_start(&t, t.base - 50);
        rx_pkt(&t, 3, OFF(&t, 1) + 5, F2, 4, CAND);
        for (size_t pos = OFF(&t, 1) + 5; pos < at; pos++) {
            rx_pkt(&t, pos, pos + 1, F0, 29, CAND);
        }
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        STATE(&t, AUTH);
        /* a header that had come in part counts as not come */
        while (OFF(&t, next) + 5 <= at) {
            next++;
        }
        g_assert_cmpuint(t.rx.setup.rec_no, ==, 40 + next);
        for (size_t pos = at; pos < OFF(&t, next + 1); pos++) {
            bool last = pos + 1 == OFF(&t, next + 1);

            rx_pkt(&t, pos, pos + 1, F0, 29, last ? OFFLOAD : AUTH);
            WHY(&t, AUTHENTICATING);
            g_assert_cmpint(rx_took(&t, 20), ==, pos == OFF(&t, next) + 4);
            g_assert_cmpint(rx_took(&t, 21), ==, last);
        }
        rx_check_psv(&t, 1, 1, t.base + OFF(&t, next + 1), t.base + OFF(&t, 1),
                     next - 2);
        rx_pkt(&t, OFF(&t, next + 1), END(&t), F1, 5, OFFLOAD);
        g_assert_cmpuint(t.rx.setup.rec_no, ==, 50);
    }
    rx_free(&t);
}

/*
 * R21: what follows in the packet is in sync, but the packet is not decrypted
 */
static void test_r21_same_packet(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, AUTH);
    rx_pkt(&t, pos, OFF(&t, 6) + 40, F0, 29, OFFLOAD);
    WHY(&t, AUTHENTICATING);
    g_assert_true(rx_took(&t, 21));
    /* the rest of that record is: a partially decrypted record */
    rx_pkt(&t, OFF(&t, 6) + 40, END(&t), F1, 5, OFFLOAD);
    g_assert_cmpuint(HITS(&t, 21), ==, 1);
    rx_free(&t);
}

/* R19: an approval that names another sequence number is only stored */
static void test_r19(void)
{
    Mlx5TlsReason why;
    uint8_t image[64];
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, CAND);
    g_assert_cmpint(rx_static(&t, 999, t.base + OFF(&t, 1)), ==,
                    MLX5_TLS_RX_STATIC_STALE);
    STATE(&t, CAND);
    g_assert_cmpuint(HITS(&t, 19), ==, 1);
    rx_pkt(&t, pos, OFF(&t, 5) + 20, F0, 29, CAND);
    g_assert_cmpuint(t.rx.hw_off, ==, 3);
    /* an approval that cannot be used: no key, or params that make no sense */
    ref_static_image(image, &t.st->keys, 42, t.rx.hw_resync);
    g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image, NULL, &why), ==,
                    MLX5_TLS_RX_STATIC_REFUSED);
    g_assert_cmpint(why, ==, MLX5_TLS_REASON_NO_KEY);
    image[0] = 0;
    g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image, t.key, &why), ==,
                    MLX5_TLS_RX_STATIC_REFUSED);
    g_assert_cmpint(why, ==, MLX5_TLS_REASON_BAD_PARAMS);
    ref_static_image(image, &t.st->keys, 42, t.rx.hw_resync + 1);
    g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image, t.key, &why), ==,
                    MLX5_TLS_RX_STATIC_STALE);
    g_assert_cmpint(why, ==, MLX5_TLS_REASON_STALE);
    g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image, NULL, &why), ==,
                    MLX5_TLS_RX_STATIC_STALE);
    g_assert_cmpint(why, ==, MLX5_TLS_REASON_NO_KEY);
    STATE(&t, CAND);
    g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
    rx_pkt(&t, OFF(&t, 5) + 20, OFF(&t, 7), F0, 29, OFFLOAD);
    rx_pkt(&t, OFF(&t, 7), END(&t), F1, 5, OFFLOAD);
    rx_free(&t);
}

/*
 * R22: a wrong record number is found out, without flag 3 and without
 * decrypting
 */
static void test_r22(void)
{
    static const uint64_t wrong[] = { 41, 43, 0, UINT64_MAX };
    Rx t;

    rx_new(&t, rng);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        size_t pos = rx_to_state(&t, CAND);

        g_assert_cmpint(rx_static(&t, wrong[i], t.rx.hw_resync), ==,
                        MLX5_TLS_RX_STATIC_APPROVED);
        rx_pkt(&t, pos, OFF(&t, 6) - 1, F0, 29, AUTH);
        rx_pkt(&t, OFF(&t, 6) - 1, OFF(&t, 6), F0, 29, SEARCH);
        WHY(&t, AUTH_FAILED);
        g_assert_true(rx_took(&t, 22));
        rx_check_psv(&t, 2, 0, t.rx.next_hdr, t.base + OFF(&t, 2), 2);
        /* the next header asks again, and with the right number all is well */
        rx_pkt(&t, OFF(&t, 6), OFF(&t, 7), F2, 12, CAND);
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        rx_pkt(&t, OFF(&t, 7), OFF(&t, 8), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 8), END(&t), F1, 5, OFFLOAD);

        /* the next header in the same packet */
        pos = rx_to_state(&t, CAND);
        rx_static(&t, wrong[i], t.rx.hw_resync);
        rx_pkt(&t, pos, OFF(&t, 7) + 9, F2, 29, CAND);
        g_assert_true(rx_took(&t, 22));
        g_assert_true(rx_took(&t, 12));
        WHY(&t, AUTH_FAILED);
        g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 6)));
        g_assert_cmpuint(t.rx.hw_off, ==, 1);
    }
    g_assert_cmpuint(HITS(&t, 22), ==, 2 * G_N_ELEMENTS(wrong));
    g_assert_cmpuint(COUNT(&t, rx_packets[3]), ==, 0);
    rx_free(&t);
}

/* R23: a hole in the record to be authenticated: the next one will do */
static void test_r23(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    for (size_t s = OFF(&t, 5) + 51; s <= OFF(&t, 6); s++) {
        pos = rx_to_state(&t, AUTH);
        rx_pkt(&t, pos, OFF(&t, 5) + 50, F0, 29, AUTH);
        rx_pkt(&t, s, OFF(&t, 6) + 20, F0, 23, AUTH);
        WHY(&t, GAP);
        g_assert_cmpuint(COUNT(&t, rx_skipped), ==, s - OFF(&t, 5) - 50);
        rx_pkt(&t, OFF(&t, 6) + 20, OFF(&t, 7), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 7), END(&t), F1, 5, OFFLOAD);
    }
    /*
     * before the record to be authenticated has begun there is nothing to spoil
     */
    pos = rx_to_state(&t, AUTH);
    rx_pkt(&t, pos + 10, OFF(&t, 6), F0, 23, OFFLOAD);
    g_assert_true(rx_took(&t, 21));
    rx_pkt(&t, OFF(&t, 6), END(&t), F1, 5, OFFLOAD);
    rx_free(&t);
}

/* R24: a lost header in AUTH */
static void test_r24(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_to_state(&t, AUTH);
    rx_pkt(&t, OFF(&t, 5) + 1, OFF(&t, 6), F0, 24, SEARCH);
    WHY(&t, HEADER_LOST);
    rx_to_state(&t, AUTH);
    rx_pkt(&t, OFF(&t, 5) + 1, OFF(&t, 6) + 20, F2, 24, CAND);
    rx_free(&t);
}

/* R29: candidate and AUTH in order, no header in the packet */
static void test_r29(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, CAND);
    rx_pkt(&t, pos, pos + 10, F0, 29, CAND);
    WHY(&t, UNANSWERED);
    pos = rx_to_state(&t, AUTH);
    rx_pkt(&t, pos, pos + 10, F0, 29, AUTH);
    WHY(&t, AUTHENTICATING);
    rx_free(&t);
}

/* R30, R31, R12: a header cut across packets is followed to one that is not */
static void test_r30_31(void)
{
    for (unsigned cut = 1; cut < 5; cut++) {
        for (unsigned pieces = 0; pieces < 2; pieces++) {
            size_t pos, x;
            Rx t;

            rx_new(&t, rng);
            pos = rx_to_state(&t, SEARCH);
            x = OFF(&t, 5);
            rx_pkt(&t, pos, x + cut, F0, 13, SEARCH);
            pos = x + cut;
            if (pieces) {
                /* byte by byte */
                for (; pos < x + 4; pos++) {
                    rx_pkt(&t, pos, pos + 1, F0, 13, SEARCH);
                }
            }
            rx_pkt(&t, pos, OFF(&t, 6) - 20, F0, 30, LINK);
            WHY(&t, SEARCHING);
            rx_check_psv(&t, 2, 0, t.base + OFF(&t, 6), 0, 0);
            rx_pkt(&t, OFF(&t, 6) - 20, OFF(&t, 6) - 10, F0, 31, LINK);
            /* overlap, hole */
            rx_pkt(&t, OFF(&t, 6) - 15, OFF(&t, 6) - 7, F0, 31, LINK);
            rx_pkt(&t, OFF(&t, 6) - 5, OFF(&t, 6) + cut, F0, 31, LINK);
            /* the next header is cut as well */
            rx_pkt(&t, OFF(&t, 6) + cut, OFF(&t, 7), F0, 31, LINK);
            rx_check_psv(&t, 2, 0, t.base + OFF(&t, 7), 0, 0);
            rx_pkt(&t, OFF(&t, 7), OFF(&t, 7) + 30, F2, 31, CAND);
            g_assert_true(rx_took(&t, 12));
            rx_check_psv(&t, 1, 0, t.base + OFF(&t, 8), t.base + OFF(&t, 7), 0);
            g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
            rx_pkt(&t, OFF(&t, 7) + 30, OFF(&t, 9), F0, 29, OFFLOAD);
            rx_pkt(&t, OFF(&t, 9), END(&t), F1, 5, OFFLOAD);
            rx_free(&t);
        }
    }
}

/* R32: the header followed silently was none, or the next one is lost */
static void test_r32(void)
{
    for (size_t byte = 0; byte < 3; byte++) {
        for (size_t cut = 0; cut <= byte; cut++) {
            size_t pos, x;
            Rx t;

            rx_new(&t, rng);
            pos = rx_to_state(&t, LINK);
            x = OFF(&t, 5);
            rx_pkt(&t, pos, x + cut, F0, 31, LINK);
            rx_pkt_flip(&t, x + cut, OFF(&t, 6), x + byte, F0, 31, SEARCH);
            g_assert_true(rx_took(&t, 32));
            g_assert_cmpuint(HITS(&t, 9), ==, 1);
            pos = rx_to_state(&t, LINK);
            rx_pkt(&t, pos, x + cut, F0, 31, LINK);
            rx_pkt_flip(&t, x + cut, OFF(&t, 6) + 20, x + byte, F2, 31, CAND);
            g_assert_true(rx_took(&t, 32));
            g_assert_cmphex(t.rx.hw_resync, ==,
                            (uint32_t)(t.base + OFF(&t, 6)));
            pos = rx_to_state(&t, LINK);
            rx_pkt(&t, x + 1, OFF(&t, 6), F0, 32, SEARCH);
            WHY(&t, SEARCHING);
            pos = rx_to_state(&t, LINK);
            rx_pkt(&t, x + 1, OFF(&t, 6) + 20, F2, 32, CAND);
            rx_free(&t);
        }
    }
}

/* R33: an unanswered candidate is replaced, if resync-repeat says so */
static void test_r33_records(void)
{
    for (unsigned n = 1; n < 5; n++) {
        Rx t;

        rx_new(&t, rng);
        t.knobs->resync_repeat = MLX5_TLS_RESYNC_REPEAT_RECORDS;
        t.knobs->resync_repeat_records = n;
        rx_start(&t, t.base - 50);
        rx_pkt(&t, 3, OFF(&t, 1) + 5, F2, 4, CAND);
        for (unsigned i = 2; i < 10; i++) {
            bool again = (i - 1) % n == 0;

            rx_pkt(&t, OFF(&t, i - 1) + 5, OFF(&t, i) + 5, again ? F2 : F0, 29,
                   CAND);
            g_assert_cmpint(rx_took(&t, 33), ==, again);
            g_assert_cmpuint(t.rx.hw_off, ==, (i - 1) % n);
            if (again) {
                g_assert_cmphex(t.rx.hw_resync, ==,
                                (uint32_t)(t.base + OFF(&t, i)));
            }
        }
        rx_free(&t);
    }
}

static void test_r33_timeout(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    pos = rx_to_state(&t, CAND);
    /* resync-repeat=never */
    g_assert_false(mlx5_tls_rx_resync_timeout(&t.rx));
    t.knobs->resync_repeat = MLX5_TLS_RESYNC_REPEAT_TIMEOUT;
    rx_pkt(&t, pos, OFF(&t, 5) + 30, F0, 29, CAND);
    g_assert_true(mlx5_tls_rx_resync_timeout(&t.rx));
    g_assert_true(mlx5_tls_rx_resync_timeout(&t.rx));
    /* a header that began in an earlier packet cannot be it */
    rx_pkt(&t, OFF(&t, 5) + 30, OFF(&t, 6) + 1, F0, 29, CAND);
    rx_pkt(&t, OFF(&t, 6) + 1, OFF(&t, 7), F0, 29, CAND);
    g_assert_true(rx_took(&t, 14));
    rx_pkt(&t, OFF(&t, 7), OFF(&t, 7) + 9, F2, 29, CAND);
    g_assert_true(rx_took(&t, 33));
    rx_check_psv(&t, 1, 0, t.base + OFF(&t, 8), t.base + OFF(&t, 7), 0);
    /* once per timeout */
    rx_pkt(&t, OFF(&t, 7) + 9, END(&t), F0, 29, CAND);
    g_assert_cmpuint(HITS(&t, 12) + HITS(&t, 33), ==, 2);
    /* an answer takes it back, other states know no timeout */
    rx_to_state(&t, CAND);
    g_assert_true(mlx5_tls_rx_resync_timeout(&t.rx));
    rx_approve(&t);
    g_assert_false(mlx5_tls_rx_resync_timeout(&t.rx));
    rx_free(&t);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    ref_test_add("/tls/rx/R11-old-in-search", test_r11);
    ref_test_add("/tls/rx/R12-candidate", test_r12);
    ref_test_add("/tls/rx/R12-R14-chain", test_r12_chain);
    ref_test_add("/tls/rx/R13-no-header", test_r13);
    ref_test_add("/tls/rx/R14-count", test_r14);
    ref_test_add("/tls/rx/R15-false-candidate", test_r15);
    ref_test_add("/tls/rx/R16-candidate-hole", test_r16);
    ref_test_add("/tls/rx/R17-candidate-header-lost", test_r17);
    ref_test_add("/tls/rx/R18-R20-R21-approved", test_r18_20_21);
    ref_test_add("/tls/rx/R21-same-packet", test_r21_same_packet);
    ref_test_add("/tls/rx/R19-stale-approval", test_r19);
    ref_test_add("/tls/rx/R22-wrong-number", test_r22);
    ref_test_add("/tls/rx/R23-auth-hole", test_r23);
    ref_test_add("/tls/rx/R24-auth-header-lost", test_r24);
    ref_test_add("/tls/rx/R29-follow", test_r29);
    ref_test_add("/tls/rx/R30-R31-cut-header", test_r30_31);
    ref_test_add("/tls/rx/R32-link-breaks", test_r32);
    ref_test_add("/tls/rx/R33-repeat-records", test_r33_records);
    ref_test_add("/tls/rx/R33-repeat-timeout", test_r33_timeout);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
