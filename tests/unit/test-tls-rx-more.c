/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the RX context beyond single rows: knobs, every segmentation of a
 * record, sequence number wrap, partially decrypted records, record log,
 * hostile input, many contexts.
 */
#include <string.h>

#include "tls-rx-bench.h"

static GRand *rng;

/* ---- cuts, wrap, versions ------------------------------------------------ */

/*
 * Records of 17, 0 (1.2) and 40 bytes in three packets, cut at every two
 * places.
 */
static void test_cuts(void)
{
    for (int c = 0; c < 4; c++) {
        Rx t;

        rx_new_stream(&t, rng, c & 1, c & 2 ? 32 : 16, UINT64_MAX, 0xffffffb0);
        ref_stream_add(t.st, rng, 23, 17);
        if (!(c & 1)) {
            ref_stream_add(t.st, rng, 22, 0);
        }
        ref_stream_add(t.st, rng, 23, 40);
        for (size_t a = 1; a < END(&t); a++) {
            for (size_t b = a; b < END(&t); b++) {
                rx_start(&t, t.base);
                rx_pkt(&t, 0, a, F1, 3, OFFLOAD);
                if (b > a) {
                    rx_pkt(&t, a, b, F1, 5, OFFLOAD);
                }
                rx_pkt(&t, b, END(&t), F1, 5, OFFLOAD);
            }
        }
        rx_free(&t);
    }
}

/*
 * The sequence number wraps at every byte of a record, in every row that
 * compares it.
 */
static void test_wrap(void)
{
    Rx t;

    rx_new(&t, rng);
    for (size_t wrap = 0; wrap < END(&t); wrap++) {
        t.base = -(uint32_t)wrap;
        rx_to_state(&t, OFFLOAD);
        rx_pkt(&t, OFF(&t, 4) + 50, OFF(&t, 4) + 120, F0, 7, OFFLOAD);
        rx_pkt(&t, OFF(&t, 4) + 20, OFF(&t, 4) + 120, F0, 6, OFFLOAD);
        rx_pkt(&t, OFF(&t, 4) + 120, OFF(&t, 4) + 130, F1, 5, OFFLOAD);
        rx_pkt(&t, OFF(&t, 5) - 7, OFF(&t, 5) + 3, F0, 8, OFFLOAD);
        rx_pkt(&t, OFF(&t, 5) + 3, OFF(&t, 6) - 4, F1, 5, OFFLOAD);
        rx_pkt(&t, OFF(&t, 6) + 4, OFF(&t, 7) + 60, F2, 9, CAND);
        rx_pkt(&t, OFF(&t, 7) + 60, OFF(&t, 8), F0, 29, CAND);
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        rx_pkt(&t, OFF(&t, 8), OFF(&t, 9), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 9), END(&t), F1, 5, OFFLOAD);
        /* before the anchor, over it, beyond it */
        rx_static(&t, 41, 0);
        rx_psv(&t, t.base + OFF(&t, 1));
        rx_pkt(&t, 0, 90, F0, 2, START);
        rx_pkt(&t, 90, OFF(&t, 2) + 2, F0, 3, OFFLOAD);
        rx_psv(&t, t.base + OFF(&t, 1));
        rx_pkt(&t, OFF(&t, 1) + 1, OFF(&t, 2) + 5, F2, 4, CAND);
    }
    rx_free(&t);
}

static void test_versions(void)
{
    for (int c = 0; c < 4; c++) {
        Rx t;

        rx_new_stream(&t, rng, c & 1, c & 2 ? 32 : 16, 1ull << 63,
                      g_rand_int(rng));
        for (int i = 0; i < 40; i++) {
            ref_stream_add(t.st, rng, c & 1 ? 23 : 20 + i % 4,
                           i % 8 ? ref_rand_range(rng, 1, 2000) : 16384);
        }
        rx_start(&t, t.base);
        rx_pkt(&t, 0, 65536, F1, 3, OFFLOAD);
        rx_pkt(&t, 65536, 65537, F1, 5, OFFLOAD);
        rx_pkt(&t, 65537, OFF(&t, 30) + 5, F1, 5, OFFLOAD);
        /* lose a header, come back */
        rx_pkt(&t, OFF(&t, 31) + 1, OFF(&t, 33), F2, 9, CAND);
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        rx_pkt(&t, OFF(&t, 33), OFF(&t, 34), F0, 29, OFFLOAD);
        rx_pkt(&t, OFF(&t, 34), END(&t), F1, 5, OFFLOAD);
        rx_free(&t);
    }
}

/* TLS 1.3 knows one content type on the wire; others are no headers. */
static void test_13_types(void)
{
    Rx t;

    rx_new_stream(&t, rng, true, 16, 1, 1000);
    for (int i = 0; i < 3; i++) {
        ref_stream_add(t.st, rng, 23, 100);
    }
    rx_start(&t, t.base);
    rx_pkt(&t, 0, OFF(&t, 1), F1, 3, OFFLOAD);
    t.st->wire->data[OFF(&t, 1)] = 22;
    rx_pkt(&t, OFF(&t, 1), OFF(&t, 2) + 5, F2, 5, CAND);
    g_assert_true(rx_took(&t, 10));
    g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 2)));
    rx_free(&t);
}

/* ---- partially decrypted records ----------------------------------------- */

/*
 * Record 8 (500 bytes) in four packets, E for not decrypted, D for decrypted:
 * all the patterns that software has to put together again.
 */
static void test_mixed_records(void)
{
    size_t p[5];
    Rx t;

    rx_new(&t, rng);
    for (int i = 0; i < 4; i++) {
        p[i] = OFF(&t, 8) + 130 * i;
    }
    p[4] = OFF(&t, 9);

    /* D D D D */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, p[0], F1, 3, OFFLOAD);
    for (int i = 0; i < 4; i++) {
        rx_pkt(&t, p[i], p[i + 1], F1, 5, OFFLOAD);
    }
    /*
     * E D D D, tag verified: the first comes with bytes that were seen before
     */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, p[0], F1, 3, OFFLOAD);
    rx_pkt(&t, p[0] - 10, p[1], F0, 7, OFFLOAD);
    for (int i = 1; i < 4; i++) {
        rx_pkt(&t, p[i], p[i + 1], F1, 5, OFFLOAD);
    }
    /* D D E E: a hole between the second and the third */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, p[0], F1, 3, OFFLOAD);
    rx_pkt(&t, p[0], p[1], F1, 5, OFFLOAD);
    rx_pkt(&t, p[1], p[2], F1, 5, OFFLOAD);
    rx_pkt(&t, p[2] + 1, p[3], F0, 8, OFFLOAD);
    rx_pkt(&t, p[3], p[4], F0, 5, OFFLOAD);
    /* E D E E */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, p[0], F1, 3, OFFLOAD);
    rx_pkt(&t, p[0] - 1, p[1], F0, 7, OFFLOAD);
    rx_pkt(&t, p[1], p[2], F1, 5, OFFLOAD);
    rx_pkt(&t, p[3], p[4], F0, 8, OFFLOAD);
    /* D D D X: authentication failure in the last */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, p[0], F1, 3, OFFLOAD);
    for (int i = 0; i < 3; i++) {
        rx_pkt(&t, p[i], p[i + 1], F1, 5, OFFLOAD);
    }
    rx_pkt_error(&t, p[3], p[4], p[4] - 1, p[3], p[4], 5, OFFLOAD);
    rx_pkt(&t, p[4], END(&t), F1, 5, OFFLOAD);
    rx_free(&t);
}

/* A good and a bad record end in one packet: nothing of it is decrypted. */
static void test_bad_among_good(void)
{
    Rx t;

    rx_new(&t, rng);
    for (unsigned bad = 0; bad < 9; bad++) {
        rx_start(&t, t.base);
        rx_pkt_flip(&t, 0, OFF(&t, 9), OFF(&t, bad + 1) - 3, F3, 3, OFFLOAD);
        rx_pkt(&t, OFF(&t, 9), END(&t), F1, 5, OFFLOAD);
    }
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 9);
    rx_free(&t);
}

/* ---- knobs --------------------------------------------------------------- */

static void test_flag_at_loss(void)
{
    size_t pos;
    Rx t;

    rx_new(&t, rng);
    t.knobs->rx_resync_flag_at = MLX5_TLS_RESYNC_AT_LOSS;
    rx_start(&t, t.base);
    rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 20, OFF(&t, 4) + 100, F2, 9, SEARCH);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5) + 20, F0, 12, CAND);
    pos = OFF(&t, 5) + 20;
    g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
    rx_pkt(&t, pos, OFF(&t, 7), F0, 29, OFFLOAD);
    /* loss and candidate in one packet */
    rx_pkt(&t, OFF(&t, 7) + 5, OFF(&t, 8) + 5, F2, 9, CAND);
    /* late start */
    rx_start(&t, t.base - 100);
    rx_pkt(&t, 10, 20, F2, 4, SEARCH);
    rx_pkt(&t, 20, 30, F0, 13, SEARCH);
    rx_free(&t);
}

static void test_flag_at_both(void)
{
    Rx t;

    rx_new(&t, rng);
    t.knobs->rx_resync_flag_at = MLX5_TLS_RESYNC_AT_BOTH;
    rx_start(&t, t.base);
    rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 20, OFF(&t, 4) + 100, F2, 9, SEARCH);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 4) + 120, F0, 13, SEARCH);
    rx_pkt(&t, OFF(&t, 4) + 120, OFF(&t, 5) + 20, F2, 12, CAND);
    rx_pkt(&t, OFF(&t, 5) + 20, END(&t), F0, 29, CAND);
    rx_free(&t);
}

/*
 * A packet has one flag: 3 goes before 2, which is then raised by the next new
 * packet.
 */
static void test_bad_tag_search(void)
{
    Rx t;

    rx_new(&t, rng);
    t.knobs->bad_tag_action = MLX5_TLS_BAD_TAG_SEARCH;
    t.knobs->rx_error_bytes = MLX5_TLS_ERROR_WIRE;
    for (int at = MLX5_TLS_RESYNC_AT_MAGIC; at <= MLX5_TLS_RESYNC_AT_BOTH;
         at++) {
        bool loss = at != MLX5_TLS_RESYNC_AT_MAGIC;

        t.knobs->rx_resync_flag_at = at;
        rx_start(&t, t.base);
        rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
        rx_pkt_flip(&t, 30, OFF(&t, 2) - 10, OFF(&t, 1) - 1, F3, 5, SEARCH);
        WHY(&t, BAD_TAG);
        g_assert_true(rx_took(&t, 13));
        g_assert_false(rx_took(&t, 12));
        rx_pkt(&t, 0, 30, F0, 11, SEARCH);
        rx_pkt(&t, OFF(&t, 2) - 10, OFF(&t, 2) - 5, loss ? F2 : F0, 13, SEARCH);
        rx_pkt(&t, OFF(&t, 2) - 5, OFF(&t, 3),
               at == MLX5_TLS_RESYNC_AT_LOSS ? F0 : F2, 12, CAND);
    }
    /* a header that begins in the packet with flag 3 */
    rx_start(&t, t.base);
    rx_pkt_flip(&t, 0, OFF(&t, 1) + 3, OFF(&t, 1) - 1, F3, 3, SEARCH);
    rx_pkt(&t, OFF(&t, 1) + 3, OFF(&t, 2), F2, 30, LINK);
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 4);
    /* in a packet that is not decrypted anyway flag 2 is free */
    t.knobs->rx_resync_flag_at = MLX5_TLS_RESYNC_AT_MAGIC;
    rx_start(&t, t.base);
    rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
    rx_pkt_flip(&t, 29, OFF(&t, 2) - 10, OFF(&t, 1) - 1, F2, 7, CAND);
    g_assert_cmphex(t.rx.hw_resync, ==, (uint32_t)(t.base + OFF(&t, 1)));
    rx_free(&t);
}

static void test_auth_stage_off(void)
{
    Rx t;

    rx_new(&t, rng);
    t.knobs->auth_stage_off = true;
    for (size_t at = OFF(&t, 4) + 100; at <= OFF(&t, 5); at++) {
        size_t pos = rx_to_state(&t, CAND);

        if (at > pos) {
            rx_pkt(&t, pos, at, F0, 29, CAND);
        }
        g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        STATE(&t, OFFLOAD);
        if (at < OFF(&t, 5)) {
            rx_pkt(&t, at, OFF(&t, 5), F0, 5, OFFLOAD);
            WHY(&t, SKIPPED_RECORD);
        }
        rx_pkt(&t, OFF(&t, 5), END(&t), F1, 5, OFFLOAD);
    }
    /* a wrong number is now an authentication failure on the wire */
    rx_to_state(&t, CAND);
    rx_static(&t, 1, t.rx.hw_resync);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5), F0, 5, OFFLOAD);
    rx_pkt(&t, OFF(&t, 5), OFF(&t, 6), F3, 5, OFFLOAD);
    rx_free(&t);
}

static void test_magic_only(void)
{
    uint8_t zeros[400] = { 0 };
    uint32_t seq;
    Rx t;

    rx_new(&t, rng);
    t.knobs->search_pattern = MLX5_TLS_SEARCH_MAGIC_ONLY;
    rx_to_state(&t, SEARCH);
    seq = t.rx.exp;
    /* type 0x99, length 7: no header but for the magic */
    memcpy(zeros + 100, "\x99\x03\x03\x00\x07", 5);
    rx_bytes(&t, seq, zeros, NULL, 108, F2, 12, CAND);
    rx_check_psv(&t, 1, 0, seq + 112, seq + 100, 0);
    rx_bytes(&t, seq + 108, zeros + 108, NULL, 20, F0, 29, SEARCH);
    g_assert_true(rx_took(&t, 15));
    /* length 0: the next header follows at once */
    rx_to_state(&t, SEARCH);
    memcpy(zeros + 100, "\x99\x03\x03\x00\x00\x17\x03\x03\x00\x40", 10);
    rx_bytes(&t, seq, zeros, NULL, 105, F2, 12, CAND);
    rx_bytes(&t, seq + 105, zeros + 105, NULL, 5, F0, 29, CAND);
    g_assert_cmpuint(t.rx.hw_off, ==, 1);
    rx_to_state(&t, SEARCH);
    rx_bytes(&t, seq, zeros, NULL, 200, F2, 12, SEARCH);
    /* the same, cut */
    rx_to_state(&t, SEARCH);
    rx_bytes(&t, seq, zeros, NULL, 103, F0, 13, SEARCH);
    rx_bytes(&t, seq + 103, zeros + 103, NULL, 7, F2, 30, CAND);
    g_assert_cmphex(t.rx.hw_resync, ==, seq + 105);
    /*
     * a bad length in the header at N: for this search it is a header all the
     * same
     */
    for (size_t cut = 1; cut < 5; cut++) {
        static const uint8_t h[5] = { 23, 3, 3, 0x40, 0xff };

        rx_to_state(&t, OFFLOAD);
        rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 5), F1, 5, OFFLOAD);
        rx_bytes(&t, t.rx.exp, h, h, cut, F1, 5, OFFLOAD);
        rx_bytes(&t, t.rx.exp, h + cut, NULL, 5 - cut, F0, 5, LINK);
        g_assert_true(rx_took(&t, 10));
        g_assert_true(rx_took(&t, 30));
        g_assert_cmphex(t.rx.next_hdr, ==,
                        (uint32_t)(t.base + OFF(&t, 5) + 5 + 0x40ff));
    }
    /* 03 03 03 03 all over: terminates, one flag */
    memset(zeros + 1, 3, sizeof(zeros) - 1);
    rx_to_state(&t, SEARCH);
    rx_bytes(&t, seq, zeros, NULL, sizeof(zeros), F2, 12, CAND);
    g_assert_cmphex(t.rx.hw_resync, ==, seq);
    /* strict sees nothing in it */
    t.knobs->search_pattern = MLX5_TLS_SEARCH_STRICT;
    rx_to_state(&t, SEARCH);
    rx_bytes(&t, seq, zeros, NULL, sizeof(zeros), F0, 13, SEARCH);
    rx_free(&t);
}

static void test_start_knobs(void)
{
    const uint8_t zero = 0;
    Rx t;

    rx_new(&t, rng);
    t.knobs->start_order_tolerance = 50;
    rx_start(&t, t.base + OFF(&t, 2));
    rx_pkt(&t, 0, OFF(&t, 2) - 49, F0, 2, START);
    rx_pkt(&t, 0, OFF(&t, 2) - 50, F2, 4, CAND);
    /* both ends of what it may be */
    t.knobs->start_order_tolerance = 1;
    rx_start(&t, t.base + OFF(&t, 2));
    rx_pkt(&t, 0, OFF(&t, 2), F0, 2, START);
    rx_pkt(&t, 0, OFF(&t, 2) - 1, F2, 4, CAND);
    t.knobs->start_order_tolerance = INT32_MAX;
    rx_start(&t, t.base);
    rx_bytes(&t, t.base - INT32_MAX, &zero, NULL, 1, F0, 2, START);
    rx_bytes(&t, t.base - INT32_MAX - 1, &zero, NULL, 1, F0, 4, SEARCH);

    /* an anchor of 0 and the true one in the static params */
    rx_static(&t, 42, t.base + OFF(&t, 2));
    rx_psv(&t, 0);
    rx_check_psv(&t, 0, 0, 0, 0, 0);
    t.knobs->start_anchor_from_static = true;
    rx_psv(&t, 0);
    rx_check_psv(&t, 0, 0, t.base + OFF(&t, 2), 0, 0);
    rx_pkt(&t, OFF(&t, 2), END(&t), F1, 3, OFFLOAD);
    /* SET_PSV's own wins if it has one */
    rx_static(&t, 43, t.base + OFF(&t, 2));
    rx_psv(&t, t.base + OFF(&t, 3));
    rx_pkt(&t, OFF(&t, 3), END(&t), F1, 3, OFFLOAD);
    rx_free(&t);
}

/* ---- hostile input ------------------------------------------------------- */

static void test_lengths(void)
{
    for (int s = NONE; s < MLX5_TLS_RX_STATES; s++) {
        Mlx5TlsRx before;
        uint8_t byte = 0x5a;
        Rx t;

        rx_new(&t, rng);
        rx_to_state(&t, s);
        before = t.rx;
        rx_bytes(&t, t.rx.exp, &byte, NULL, 0, F0, 0, s);
        WHY(&t, EMPTY);
        rx_bytes(&t, t.rx.exp + 1000, &byte, NULL, 0, F0, 0, s);
        mlx5_tls_rx_packet(&t.rx, t.rx.exp, &byte, MLX5_TLS_MAX_PAYLOAD + 1,
                           &t.res);
        WHY(&t, TOO_LONG);
        g_assert_cmpint(t.res.flag, ==, F0);
        mlx5_tls_rx_packet(&t.rx, t.rx.exp, &byte, SIZE_MAX, &t.res);
        WHY(&t, TOO_LONG);
        g_assert_cmpuint(byte, ==, 0x5a);
        g_assert_cmpmem(&before, sizeof(before), &t.rx, sizeof(t.rx));
        rx_free(&t);
    }
}

/*
 * The longest payload that is taken, made of the shortest and of the longest
 * records.
 */
static void test_longest(void)
{
    Rx t;

    rx_new_stream(&t, rng, false, 16, 1, 12345);
    while (END(&t) < MLX5_TLS_MAX_PAYLOAD) {
        ref_stream_add(t.st, rng, 23, END(&t) < 300000 ? 0 : 16384);
    }
    rx_start(&t, t.base);
    rx_pkt(&t, 0, MLX5_TLS_MAX_PAYLOAD, F1, 3, OFFLOAD);
    rx_start(&t, t.base - 1);
    rx_pkt(&t, 1, MLX5_TLS_MAX_PAYLOAD, F2, 4, CAND);
    rx_free(&t);
}

/*
 * Any bytes at any place: no crash, no hang, no byte changed with flag 0 and 2.
 */
static void test_noise(void)
{
    for (int round = 0; round < 200; round++) {
        Rx t;

        rx_new_stream(&t, rng, round & 1, 16, 0, 0);
        t.knobs->search_pattern = round >> 1 & 1;
        t.knobs->bad_tag_action = round >> 2 & 1;
        t.knobs->rx_resync_flag_at = round % 3;
        t.knobs->rx_error_bytes = round / 3 % 3;
        t.knobs->auth_stage_off = round >> 3 & 1;
        t.knobs->resync_repeat = round % 2;
        t.knobs->resync_repeat_records = 3;
        rx_start(&t, 0);
        for (int i = 0; i < 200; i++) {
            size_t len = ref_rand_range(rng, 1, 300);
            g_autofree uint8_t *bytes = g_malloc(len), *buf = NULL;
            uint32_t seq = t.rx.exp + ref_rand_range(rng, 0, 40) - 20;

            for (size_t k = 0; k < len; k++) {
                /* mostly what headers are made of */
                bytes[k] =
                    "\x17\x03\x03\x00\x16\x30\x40"[ref_rand_range(rng, 0, 6)];
            }
            buf = g_memdup2(bytes, len);
            if (t.rx.state == CAND && ref_rand_range(rng, 0, 3) == 0) {
                g_assert_cmpint(rx_static(&t, i, t.rx.hw_resync), ==,
                                MLX5_TLS_RX_STATIC_APPROVED);
            }
            mlx5_tls_rx_packet(&t.rx,
                               ref_rand_range(rng, 0, 9) ? t.rx.exp : seq, buf,
                               len, &t.res);
            if (t.res.flag == F0 || t.res.flag == F2 || (t.res.flag == F3 &&
                t.knobs->rx_error_bytes == MLX5_TLS_ERROR_WIRE)) {
                ref_assert_equal(buf, bytes, len, "noise");
            }
        }
        rx_free(&t);
    }
}

/* ---- record log ---------------------------------------------------------- */

static const Mlx5TlsRecordEvent *log_at(const Rx *t, unsigned i)
{
    g_assert_cmpuint(i, <, t->log->len);
    return &g_array_index(t->log, Mlx5TlsRecordEvent, i);
}

static void check_log(const Rx *t, unsigned at, unsigned record,
                      Mlx5TlsRecordMode mode, Mlx5TlsRecordEnd end,
                      bool number_known, bool dec, bool not_dec)
{
    const Mlx5TlsRecordEvent *ev = log_at(t, at);
    const RefRecord *r = ref_rec(t->st, record);

    g_assert_cmpint(ev->dir, ==, MLX5_TLS_DIR_RX);
    g_assert_cmphex(ev->id, ==, 0x55);
    g_assert_cmphex(ev->tcp_sn, ==, (uint32_t)(t->base + r->off));
    g_assert_true(ev->tcp_sn_known);
    g_assert_cmpuint(ev->len, ==, r->len);
    g_assert_cmpuint(ev->type, ==, r->type);
    g_assert_cmpint(ev->mode, ==, mode);
    g_assert_cmpint(ev->end, ==, end);
    g_assert_cmpint(ev->number_known, ==, number_known);
    if (number_known) {
        g_assert_cmpuint(ev->number, ==, r->number);
    }
    g_assert_cmpint(ev->decrypted, ==, dec);
    g_assert_cmpint(ev->not_decrypted, ==, not_dec);
}

#define DEC     MLX5_TLS_RECORD_DECRYPT
#define AUTHO   MLX5_TLS_RECORD_AUTHONLY
#define SKIP    MLX5_TLS_RECORD_SKIP
#define OK      MLX5_TLS_RECORD_END_TAG_OK
#define BAD     MLX5_TLS_RECORD_END_TAG_BAD
#define DONE    MLX5_TLS_RECORD_END_DONE
#define LOST    MLX5_TLS_RECORD_END_LOST

static void test_log(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_start(&t, t.base);
    /* 0: whole; 1: header cut, first packet decrypted, second not */
    rx_pkt(&t, 0, OFF(&t, 1) + 2, F1, 3, OFFLOAD);
    check_log(&t, 0, 0, DEC, OK, true, true, false);
    g_assert_cmpint(log_at(&t, 0)->state_before, ==, START);
    g_assert_cmpint(log_at(&t, 0)->state_after, ==, OFFLOAD);
    rx_pkt(&t, OFF(&t, 1) + 1, OFF(&t, 2), F0, 7, OFFLOAD);
    check_log(&t, 1, 1, DEC, OK, true, true, true);
    /* 2: bad tag; 3: in the same packet */
    rx_pkt_flip(&t, OFF(&t, 2), OFF(&t, 4), OFF(&t, 3) - 1, F3, 5, OFFLOAD);
    check_log(&t, 2, 2, DEC, BAD, true, false, true);
    check_log(&t, 3, 3, DEC, OK, true, false, true);
    /* 4: a hole; 5: begins in the packet behind it */
    rx_pkt(&t, OFF(&t, 4), OFF(&t, 4) + 50, F1, 5, OFFLOAD);
    rx_pkt(&t, OFF(&t, 4) + 60, OFF(&t, 5) + 20, F0, 8, OFFLOAD);
    check_log(&t, 4, 4, SKIP, DONE, true, true, true);
    rx_pkt(&t, OFF(&t, 5) + 20, OFF(&t, 6) - 20, F1, 5, OFFLOAD);
    /* 5 is lost with the header of 6; 7 is the candidate */
    rx_pkt(&t, OFF(&t, 6) + 1, OFF(&t, 7) + 20, F2, 9, CAND);
    check_log(&t, 5, 5, DEC, LOST, true, true, true);
    g_assert_cmpint(log_at(&t, 5)->state_before, ==, OFFLOAD);
    g_assert_cmpint(log_at(&t, 5)->state_after, ==, CAND);
    g_assert_cmpint(rx_approve(&t), ==, MLX5_TLS_RX_STATIC_APPROVED);
    rx_pkt(&t, OFF(&t, 7) + 20, OFF(&t, 8) + 20, F0, 29, AUTH);
    check_log(&t, 6, 7, SKIP, DONE, false, false, true);
    rx_pkt(&t, OFF(&t, 8) + 20, OFF(&t, 9) + 30, F0, 29, OFFLOAD);
    check_log(&t, 7, 8, AUTHO, OK, true, false, true);
    rx_pkt(&t, OFF(&t, 9) + 30, END(&t), F1, 5, OFFLOAD);
    check_log(&t, 8, 9, DEC, OK, true, true, true);
    g_assert_cmpuint(t.log->len, ==, 9);
    /* an open record when the context starts anew */
    rx_start(&t, t.base);
    rx_pkt(&t, 0, 60, F1, 3, OFFLOAD);
    rx_start(&t, t.base);
    check_log(&t, 9, 0, DEC, LOST, true, true, true);
    /* a failed authentication */
    rx_to_state(&t, CAND);
    rx_static(&t, 99, t.rx.hw_resync);
    g_array_set_size(t.log, 0);
    rx_pkt(&t, OFF(&t, 4) + 100, OFF(&t, 6), F0, 29, SEARCH);
    check_log(&t, 0, 4, SKIP, DONE, false, false, true);
    g_assert_cmpint(log_at(&t, 1)->end, ==, BAD);
    g_assert_cmpint(log_at(&t, 1)->mode, ==, AUTHO);
    /* switched off it says nothing */
    mlx5_tls_engine_set_record_log(t.engine, NULL, NULL);
    g_array_set_size(t.log, 0);
    rx_start(&t, t.base);
    rx_pkt(&t, 0, END(&t), F1, 3, OFFLOAD);
    g_assert_cmpuint(t.log->len, ==, 0);
    rx_free(&t);
}

static void test_stats(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_start(&t, t.base);
    rx_pkt(&t, 0, OFF(&t, 2), F1, 3, OFFLOAD);
    rx_pkt(&t, 0, 10, F0, 6, OFFLOAD);
    rx_pkt_flip(&t, OFF(&t, 2), OFF(&t, 3), OFF(&t, 3) - 1, F3, 5, OFFLOAD);
    rx_pkt(&t, OFF(&t, 3) + 6, OFF(&t, 5), F2, 9, CAND);
    rx_approve(&t);
    rx_pkt(&t, OFF(&t, 5), OFF(&t, 6), F0, 29, OFFLOAD);
    rx_pkt(&t, OFF(&t, 6), OFF(&t, 8), F1, 5, OFFLOAD);
    g_assert_cmpuint(COUNT(&t, rx_packets[0]), ==, 2);
    g_assert_cmpuint(COUNT(&t, rx_packets[1]), ==, 2);
    g_assert_cmpuint(COUNT(&t, rx_packets[2]), ==, 1);
    g_assert_cmpuint(COUNT(&t, rx_packets[3]), ==, 1);
    g_assert_cmpuint(COUNT(&t, rx_decrypted_bytes), ==,
                     OFF(&t, 2) + OFF(&t, 8) - OFF(&t, 6));
    /* headers 0, 1 and 2; 5, to be authenticated; 6 and 7 */
    g_assert_cmpuint(COUNT(&t, rx_records), ==, 6);
    g_assert_cmpuint(COUNT(&t, rx_tag_ok), ==, 4);
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 1);
    g_assert_cmpuint(COUNT(&t, rx_skipped), ==, 0);
    for (unsigned row = 1; row < MLX5_TLS_RX_ROW_END; row++) {
        static const uint8_t hits[MLX5_TLS_RX_ROW_END] = {
            [3] = 1, [5] = 2, [6] = 1, [9] = 1, [12] = 1, [18] = 1, [20] = 1,
            [21] = 1, [25] = 1, [26] = 1, [27] = 1, [29] = 1,
        };

        g_assert_cmpuint(HITS(&t, row), ==, hits[row]);
    }
    rx_free(&t);
}

/* ---- many contexts ------------------------------------------------------- */

static void test_many_contexts(void)
{
    enum { N = 200 };
    g_autofree Rx *t = g_new0(Rx, N);
    Mlx5TlsEngine *engine = ref_engine_new(2);
    Mlx5GcmStats stats;

    g_assert_cmpuint(sizeof(Mlx5TlsRx), <=, 400);
    for (int i = 0; i < N; i++) {
        rx_new_stream(&t[i], rng, i & 1, i & 2 ? 32 : 16, i, g_rand_int(rng));
        ref_stream_add(t[i].st, rng, 23, 300);
        mlx5_tls_rx_init(&t[i].rx, engine, i);
        rx_start(&t[i], t[i].base);
    }
    for (size_t pos = 0; pos < 300; pos += 50) {
        for (int i = 0; i < N; i++) {
            rx_pkt(&t[i], pos, pos + 50, F1, pos ? 5 : 3, OFFLOAD);
        }
    }
    for (int i = 0; i < N; i++) {
        rx_pkt(&t[i], 300, END(&t[i]), F1, 5, OFFLOAD);
    }
    g_assert_cmpuint(mlx5_tls_engine_counters(engine)->rx_tag_ok, ==, N);
    stats = *mlx5_gcm_pool_stats(mlx5_tls_engine_gcm(engine));
    g_assert_cmpuint(stats.slots, ==, 2);
    g_assert_cmpuint(stats.saves, >=, 5 * N);
    for (int i = 0; i < N; i++) {
        rx_free(&t[i]);
    }
    ref_engine_free(engine);
}

static void test_texts(void)
{
    for (unsigned i = 1; i < MLX5_TLS_RX_ROW_END; i++) {
        g_autofree char *prefix = g_strdup_printf("R%u: ", i);

        g_assert_true(g_str_has_prefix(mlx5_tls_rx_row_str(i), prefix));
    }
    g_assert_cmpstr(mlx5_tls_rx_row_str(0), ==, "no row");
    g_assert_cmpstr(mlx5_tls_rx_row_str(MLX5_TLS_RX_ROW_END), ==, "no row");
    g_assert_cmpstr(mlx5_tls_rx_state_str(LINK), ==, "LINK");
    g_assert_cmpstr(mlx5_tls_rx_state_str(MLX5_TLS_RX_STATES), ==,
                    "unknown state");
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    ref_test_add("/tls/rx/cuts", test_cuts);
    ref_test_add("/tls/rx/wrap", test_wrap);
    ref_test_add("/tls/rx/versions", test_versions);
    ref_test_add("/tls/rx/1.3-types", test_13_types);
    ref_test_add("/tls/rx/mixed-records", test_mixed_records);
    ref_test_add("/tls/rx/bad-among-good", test_bad_among_good);
    ref_test_add("/tls/rx/knob/flag-at-loss", test_flag_at_loss);
    ref_test_add("/tls/rx/knob/flag-at-both", test_flag_at_both);
    ref_test_add("/tls/rx/knob/bad-tag-search", test_bad_tag_search);
    ref_test_add("/tls/rx/knob/auth-stage-off", test_auth_stage_off);
    ref_test_add("/tls/rx/knob/magic-only", test_magic_only);
    ref_test_add("/tls/rx/knob/start", test_start_knobs);
    ref_test_add("/tls/rx/lengths", test_lengths);
    ref_test_add("/tls/rx/longest", test_longest);
    ref_test_add("/tls/rx/noise", test_noise);
    ref_test_add("/tls/rx/log", test_log);
    ref_test_add("/tls/rx/stats", test_stats);
    ref_test_add("/tls/rx/many-contexts", test_many_contexts);
    ref_test_add("/tls/rx/texts", test_texts);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
