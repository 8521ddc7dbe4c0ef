/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tests of the RX tracker: every row of its table by number. The knobs, the record log,
 * cuts and hostile input are in test-tls-rx-more.c.
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
    /* its end lies tolerance - 1 bytes before the anchor: the last that will do */
    rx_bytes(&t, t.base + 500 - ((1 << 24) - 1) - 100, t.st->wire->data, NULL, 100, F0, 2,
             START);
    rx_pkt(&t, 0, 30, F0, 2, START);
    g_assert_cmpuint(t.rx.stats.losses, ==, 0);
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
            rx_pkt(&t, anchor - before, anchor + behind, before ? F0 : F1, 3, OFFLOAD);
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
    rx_pkt(&t, OFF(&t, 3) + 9, END(&t), F1, 5, OFFLOAD);
    rx_static(&t, 42, 0);
    rx_psv(&t, t.base + OFF(&t, 2));
    rx_pkt_flip(&t, OFF(&t, 2) - 1, OFF(&t, 3) + 9, OFF(&t, 3) - 1, F0, 3, OFFLOAD);
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
    g_assert_cmpuint(t.rx.stats.losses, ==, 9);
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

/* R5: a bad tag gives flag 3 to the packet it ends in, and the next record is fine */
static void test_r5_bad_tag(void)
{
    Rx t;

    rx_new(&t, rng);
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
            g_autofree uint8_t *buf = g_memdup2(t.st->wire->data + OFF(&t, 2), 100);
            g_autofree uint8_t *out = g_memdup2(t.st->clear->data + OFF(&t, 2), 100);
            size_t at = flip - OFF(&t, 2);

            buf[at] ^= 1;
            out[at] ^= 1;
            if (at < 13) {
                continue;       /* the nonce: all that follows is rubbish */
            }
            rx_bytes(&t, t.base + OFF(&t, 2), buf, out, 100, F1, 5, OFFLOAD);
            rx_pkt(&t, OFF(&t, 2) + 100, OFF(&t, 3) - 1, F1, 5, OFFLOAD);
            rx_pkt(&t, OFF(&t, 3) - 1, OFF(&t, 5), F3, 5, OFFLOAD);
            g_assert_cmpuint(t.rx.stats.records_bad_tag, >, 0);
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
    g_assert_cmpuint(t.rx.stats.records_bad_tag, ==, 9);
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
        rx_bytes(&t, t.base + pos - 0x40000000, t.st->wire->data, NULL, 100, F0, 6, s);
        g_assert_cmpuint(t.rx.stats.old, ==, 4);
        before.stats = t.rx.stats;
        g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        rx_free(&t);
    }
}

/* R7: a packet that brings some bytes again is not decrypted, but the stream goes on */
static void test_r7(void)
{
    TRACKING_STATES(s) {
        for (size_t n = 1; n < 300; n += 3) {
            size_t pos;
            Rx t;

            rx_new(&t, rng);
            pos = rx_to_state(&t, s);
            rx_pkt(&t, pos - 50, pos + n, F0, 7, s == AUTH && pos + n >= OFF(&t, 6) ?
                   OFFLOAD : s);
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
    g_assert_cmpuint(t.rx.stats.records_bad_tag, ==, 1);
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
        size_t pos = rx_to_state(&t, OFFLOAD), e = s + ref_rand_range(rng, 1, 400);

        /* the packet behind the hole is never decrypted, the ones after it are */
        rx_pkt(&t, s, e, F0, 8, OFFLOAD);
        WHY(&t, GAP);
        g_assert_cmpuint(t.rx.stats.gaps, ==, s - pos);
        if (e < next) {
            rx_pkt(&t, e, next, F0, 5, OFFLOAD);
            WHY(&t, SKIPPED_RECORD);
            rx_pkt(&t, next, END(&t), F1, 5, OFFLOAD);
        } else {
            rx_pkt(&t, e, END(&t), F1, 5, OFFLOAD);
        }
    }
    /* the tail of the skipped record and the next one in one packet: all or nothing */
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
    g_assert_cmpuint(t.rx.stats.losses, ==, 0);
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
                rx_pkt(&t, OFF(&t, 4) + 100, bad + cut, before, s == OFFLOAD ? 5 : 29, s);
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
                rx_pkt(&t, OFF(&t, 4) + 100, bad + cut, before, s == OFFLOAD ? 5 : 29, s);
                rx_pkt_flip(&t, bad + cut, END(&t), bad + byte, F2, s == OFFLOAD ? 5 : 29,
                            CAND);
                g_assert_true(rx_took(&t, 10));
                g_assert_true(rx_took(&t, 12));
                g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 6)));
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
    g_assert_cmphex(t.rx.next_hdr, ==, (uint32_t)(t.base + OFF(&t, 5) + 6 + 40));

    /* the same in two packets: it began in the earlier one, so it is only followed */
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
        before.stats = t.rx.stats;
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
        g_assert_cmpuint(t.rx.stats.candidates, ==, 1);
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

/* R14: valid headers behind the candidate are counted, flag 2 is not repeated */
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
    g_assert_cmpuint(t.rx.stats.candidates, ==, 1);
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
        g_assert_cmpuint(t.rx.rec_no, ==, 40 + next);
        for (size_t pos = at; pos < OFF(&t, next + 1); pos++) {
            bool last = pos + 1 == OFF(&t, next + 1);

            rx_pkt(&t, pos, pos + 1, F0, 29, last ? OFFLOAD : AUTH);
            WHY(&t, AUTHENTICATING);
            g_assert_cmpint(rx_took(&t, 20), ==, pos == OFF(&t, next) + 4);
            g_assert_cmpint(rx_took(&t, 21), ==, last);
        }
        rx_check_psv(&t, 1, 1, t.base + OFF(&t, next + 1), t.base + OFF(&t, 1), next - 2);
        rx_pkt(&t, OFF(&t, next + 1), END(&t), F1, 5, OFFLOAD);
        g_assert_cmpuint(t.rx.rec_no, ==, 50);
    }
    rx_free(&t);
}

/* R21: what follows in the packet is in sync, but the packet is not decrypted */
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
    g_assert_cmpuint(t.rx.stats.auth_ok, ==, 1);
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
    g_assert_cmpuint(t.rx.stats.approvals_stale, ==, 1);
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

/* R22: a wrong record number is found out, without flag 3 and without decrypting */
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
    g_assert_cmpuint(t.rx.stats.auth_bad, ==, 2 * G_N_ELEMENTS(wrong));
    g_assert_cmpuint(t.rx.stats.flags[3], ==, 0);
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
        g_assert_cmpuint(t.rx.stats.records_skipped, ==, s - OFF(&t, 5) - 50);
        rx_pkt(&t, OFF(&t, 6) + 20, OFF(&t, 7), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 7), END(&t), F1, 5, OFFLOAD);
    }
    /* before the record to be authenticated has begun there is nothing to spoil */
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
            g_assert_cmpint(mlx5_tls_rx_set_static(&t.rx, image, i < 2 ? t.key : NULL,
                                                   &why), ==, MLX5_TLS_RX_STATIC_STORED);
            g_assert_cmpint(why, ==, i ? MLX5_TLS_REASON_BAD_PARAMS :
                                         MLX5_TLS_REASON_NONE);
            before.params = t.rx.params;
            before.params_key = t.rx.params_key;
            before.static_ok = t.rx.static_ok;
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
        g_assert_cmpint(rx_psv(&t, t.base + OFF(&t, 3)), ==, MLX5_TLS_REASON_NONE);
        STATE(&t, START);
        rx_check_psv(&t, 0, 0, t.base + OFF(&t, 3), 0, 0);
        g_assert_false(mlx5_tls_record_is_open(&t.rx.rec));
        rx_pkt(&t, OFF(&t, 3), END(&t), F1, 3, OFFLOAD);
        /* and to NONE, if the key is gone */
        rx_to_state(&t, s);
        t.rx.static_ok = false;
        g_assert_cmpint(rx_psv(&t, t.base), ==, MLX5_TLS_REASON_NO_CTX);
        STATE(&t, NONE);
        g_assert_null(t.rx.run.key);
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
        [NONE] = { 0, 0 }, [START] = { 0, 0 }, [OFFLOAD] = { 1, 1 }, [CAND] = { 1, 0 },
        [AUTH] = { 1, 2 }, [SEARCH] = { 2, 0 }, [LINK] = { 2, 0 },
    };

    ALL_STATES(s) {
        uint32_t next;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        next = s == NONE ? 0 : s == START ? t.base : s == SEARCH ? t.base + OFF(&t, 1) :
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
        Mlx5TlsEngineStats stats;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        mlx5_tls_rx_clear(&t.rx);
        g_assert_cmpmem(&zero, sizeof(zero), &t.rx, sizeof(t.rx));
        mlx5_tls_engine_get_stats(t.engine, &stats);
        g_assert_cmpuint(stats.attached, ==, 0);
        mlx5_tls_rx_clear(&t.rx);
        /* the next owner of the number sees nothing of it */
        mlx5_tls_rx_init(&t.rx, t.engine, 0x55);
        rx_pkt(&t, 0, 100, F0, 1, NONE);
        rx_free(&t);
    }
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
            g_assert_cmpuint(t.rx.stats.losses, ==, 1);
            pos = rx_to_state(&t, LINK);
            rx_pkt(&t, pos, x + cut, F0, 31, LINK);
            rx_pkt_flip(&t, x + cut, OFF(&t, 6) + 20, x + byte, F2, 31, CAND);
            g_assert_true(rx_took(&t, 32));
            g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 6)));
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

            rx_pkt(&t, OFF(&t, i - 1) + 5, OFF(&t, i) + 5, again ? F2 : F0, 29, CAND);
            g_assert_cmpint(rx_took(&t, 33), ==, again);
            g_assert_cmpuint(t.rx.hw_off, ==, (i - 1) % n);
            if (again) {
                g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, i)));
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
    g_assert_false(mlx5_tls_rx_resync_timeout(&t.rx));  /* resync-repeat=never */
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
    g_assert_cmpuint(t.rx.stats.candidates, ==, 2);
    /* an answer takes it back, other states know no timeout */
    rx_to_state(&t, CAND);
    g_assert_true(mlx5_tls_rx_resync_timeout(&t.rx));
    rx_approve(&t);
    g_assert_false(mlx5_tls_rx_resync_timeout(&t.rx));
    rx_free(&t);
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
        g_assert_cmpint(mlx5_tls_rx_set_progress(&t.rx, image), ==, MLX5_TLS_REASON_NONE);
        STATE(&t, START);
        rx_free(&t);
    }
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    g_test_add_func("/tls/rx/R1-no-context", test_r1);
    g_test_add_func("/tls/rx/R2-before-anchor", test_r2);
    g_test_add_func("/tls/rx/R3-anchor", test_r3);
    g_test_add_func("/tls/rx/R4-late-start", test_r4);
    g_test_add_func("/tls/rx/R5-in-order", test_r5);
    g_test_add_func("/tls/rx/R5-bad-tag", test_r5_bad_tag);
    g_test_add_func("/tls/rx/R5-wrong-number", test_r5_wrong_number);
    g_test_add_func("/tls/rx/R6-old", test_r6);
    g_test_add_func("/tls/rx/R7-overlap", test_r7);
    g_test_add_func("/tls/rx/R7-bad-tag", test_r7_bad_tag);
    g_test_add_func("/tls/rx/R8-hole", test_r8);
    g_test_add_func("/tls/rx/R9-header-lost", test_r9);
    g_test_add_func("/tls/rx/R10-bad-header", test_r10);
    g_test_add_func("/tls/rx/R10-header-in-header", test_r10_header_in_header);
    g_test_add_func("/tls/rx/R11-old-in-search", test_r11);
    g_test_add_func("/tls/rx/R12-candidate", test_r12);
    g_test_add_func("/tls/rx/R12-R14-chain", test_r12_chain);
    g_test_add_func("/tls/rx/R13-no-header", test_r13);
    g_test_add_func("/tls/rx/R14-count", test_r14);
    g_test_add_func("/tls/rx/R15-false-candidate", test_r15);
    g_test_add_func("/tls/rx/R16-candidate-hole", test_r16);
    g_test_add_func("/tls/rx/R17-candidate-header-lost", test_r17);
    g_test_add_func("/tls/rx/R18-R20-R21-approved", test_r18_20_21);
    g_test_add_func("/tls/rx/R21-same-packet", test_r21_same_packet);
    g_test_add_func("/tls/rx/R19-stale-approval", test_r19);
    g_test_add_func("/tls/rx/R22-wrong-number", test_r22);
    g_test_add_func("/tls/rx/R23-auth-hole", test_r23);
    g_test_add_func("/tls/rx/R24-auth-header-lost", test_r24);
    g_test_add_func("/tls/rx/R25-static-stored", test_r25);
    g_test_add_func("/tls/rx/R26-set-psv", test_r26);
    g_test_add_func("/tls/rx/R27-get-psv", test_r27);
    g_test_add_func("/tls/rx/R28-destroy", test_r28);
    g_test_add_func("/tls/rx/R29-follow", test_r29);
    g_test_add_func("/tls/rx/R30-R31-cut-header", test_r30_31);
    g_test_add_func("/tls/rx/R32-link-breaks", test_r32);
    g_test_add_func("/tls/rx/R33-repeat-records", test_r33_records);
    g_test_add_func("/tls/rx/R33-repeat-timeout", test_r33_timeout);
    g_test_add_func("/tls/rx/R34-set-psv-refused", test_r34);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
