/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of TLS reception: in-place decryption compared with libcrypto's
 * records, CQE flags, results of GET_PSV, and resynchronisation. Rows (R1, R2
 * ...) are those of the RX tracker in docs. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "mlx5-tls-rx-rig.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qapi/error.h"

/* ------------------------------------------------------------- in order --- */

static void test_one_each(void)
{
    static const size_t sizes[] = {
        0, 1, 15, 16, 17, 31, 32, 33, 100, 1000, 1400,
    };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        TlsRx t;

        tls_rx(&t, kind, kind);
        rx_expect_state(&t, START, NO_OFFLOAD);
        for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
            size_t at = rx_record(&t, sizes[i]);

            rx_pass(&t, at, t.wire->len - at, DECRYPTED);
        }
        rx_expect_state(&t, TRACKING, OFFLOAD);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_decrypted"), ==, i);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_records"), ==, i);
        rx_stop(&t);
    }
}

static void test_stream(void)
{
    static const size_t sizes[] = { 0, 1, 7, 40, 300, 1400, 5000, 16384 };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        size_t at, n;
        TlsRx t;

        tls_rx(&t, kind, 20 + kind);
        for (i = 0; i < 40; i++) {
            rx_record(&t, sizes[i % G_N_ELEMENTS(sizes)]);
        }
        for (at = 0, i = 0; at < t.wire->len; at += n, i++) {
            n = MIN(1 + (i * 397) % 1400, t.wire->len - at);
            rx_pass(&t, at, n, DECRYPTED);
        }
        rx_stop(&t);
    }
}

static void test_split(void)
{
    unsigned kind;

    for (kind = 0; kind < 2; kind++) {
        size_t cut, len;
        TlsRx t;

        tls_rx(&t, kind, 5);
        len = tls_record_len(&t.c, 40);
        for (cut = 1; cut < len; cut++) {
            size_t at = rx_record(&t, 40);

            rx_pass(&t, at, cut, DECRYPTED);
            rx_pass(&t, at + cut, len - cut, DECRYPTED);
        }
        rx_stop(&t);
    }
}

/* As the driver makes it: through the RQ table of one channel. */
static void test_indirect(void)
{
    const DrvRq *rq;
    g_autofree uint8_t *in = NULL;
    uint32_t len;
    size_t at;
    TlsRx t;

    rx_bare(&t, 0, 1, false);
    drv_unsteer(t.d, &t.st);
    drv_cmd_id_ok(t.d, OP_DESTROY_TIR, t.tirn);
    rq = &t.rq;
    in = drv_tir_cmd(t.d, 0, &len);
    MLX5_SET(tirc, in + 0x20, disp_type, 1);
    MLX5_SET(tirc, in + 0x20, indirect_table, drv_rqt_create(t.d, &rq, 1));
    MLX5_SET(tirc, in + 0x20, tls_en, 1);
    MLX5_SET(tirc, in + 0x20, rx_hash_fn, 1);
    MLX5_SET(tirc, in + 0x20, self_lb_block, 3);
    t.tirn = drv_create(t.d, in, len);
    drv_steer_all(t.d, &t.st, t.tirn, 0);
    rx_post_static(&t, t.c.rec_no, 0);
    rx_post_progress(&t, t.seq0);
    at = rx_record(&t, 500);
    rx_pass(&t, at, t.wire->len, DECRYPTED);
    rx_stop(&t);
}

static void test_vlan(void)
{
    unsigned strip;

    for (strip = 0; strip < 2; strip++) {
        FrameSpec s, bare;
        Frame f, want;
        size_t at;
        TlsRx t;

        rx_bare(&t, 1, 2, strip);
        rx_post_static(&t, t.c.rec_no, 0);
        rx_post_progress(&t, t.seq0);
        at = rx_record(&t, 300);
        bare = s = rx_segment(&t, at, t.wire->len);
        s.n_vlan = 1;
        s.tpid[0] = 0x8100;
        s.tci[0] = 0x123;
        f = frame_build(&s);
        want = frame_build(strip ? &bare : &s);
        drv_wire_send(t.d, f.data, f.len);
        rx_expect(&t, &want, t.plain->data, t.plain->len, DECRYPTED);
        frame_free(&f);
        frame_free(&want);
        rx_stop(&t);
    }
}

/* ------------------------------------------------ not for the context --- */

/* R1: without parameters, or without a key, all passes as it is. */
static void test_no_params(void)
{
    size_t at;
    TlsRx t;

    rx_bare(&t, 0, 1, false);
    at = rx_record(&t, 100);
    rx_pass(&t, at, t.wire->len, NOT_DECRYPTED);
    t.dek++;
    rx_post_static(&t, t.c.rec_no, 0);
    rx_post_progress(&t, t.seq0 + t.wire->len);
    at = rx_record(&t, 100);
    rx_pass(&t, at, t.wire->len - at, NOT_DECRYPTED);
    rx_stop(&t);
}

/* SET_PSV with other codes than START is refused: the context goes on. */
static void test_set_psv_refused(void)
{
    unsigned code;
    size_t at;
    TlsRx t;

    tls_rx(&t, 0, 1);
    for (code = 1; code < 4; code++) {
        uint16_t index;
        DrvWqe w;

        drv_wqe_set_psv(&w, &t.sq, true, t.tirn, t.seq0 + 7, false, true);
        MLX5_SET(tls_progress_params, w.b + 20, record_tracker_state, code);
        index = drv_sq_put(t.d, &t.sq, &w);
        drv_sq_ring(t.d, &t.sq);
        drv_sq_expect(t.d, &t.sq, index);
        at = rx_record(&t, 100);
        rx_pass(&t, at, t.wire->len - at, DECRYPTED);
    }
    rx_stop(&t);
}

/* ACKs, and segments that TCP will drop, go past the context. */
static void test_bystanders(void)
{
    FrameSpec s;
    uint8_t buf[BUF], cqe[64];
    size_t at;
    Frame f;
    TlsRx t;

    tls_rx(&t, 0, 1);
    at = rx_record(&t, 200);
    rx_pass(&t, at, 50, DECRYPTED);
    /* a pure ACK */
    rx_pass(&t, 50, 0, NOT_DECRYPTED);
    /* a segment with a bad checksum */
    s = rx_segment(&t, 50, 60);
    f = frame_build(&s);
    f.data[f.l4 + 16] ^= 1;
    drv_wire_send(t.d, f.data, f.len);
    drv_cq_wait(t.d, &t.cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, NOT_DECRYPTED);
    g_assert_false(MLX5_GET(cqe, cqe, l4_ok));
    drv_read(t.d, t.buf + t.cc++ * BUF, buf, f.len);
    g_assert_cmpmem(buf, f.len, f.data, f.len);
    rx_fill(&t, 1);
    frame_free(&f);
    /* UDP on the same ports, and a fragment */
    s = rx_segment(&t, 50, 60);
    s.proto = 17;
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    rx_expect(&t, &f, t.wire->data + 50, 60, NOT_DECRYPTED);
    frame_free(&f);
    s = rx_segment(&t, 50, 60);
    s.frag = FRAME_FIRST_FRAG;
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    rx_expect(&t, &f, t.wire->data + 50, 60, NOT_DECRYPTED);
    frame_free(&f);
    /* It has not been impressed. */
    rx_pass(&t, 50, t.wire->len - 50, DECRYPTED);
    rx_stop(&t);
}

/* A packet that waits for a WQE is decrypted once, when it is delivered. */
static void test_held(void)
{
    FrameSpec s;
    size_t at;
    Frame f;
    TlsRx t;
    unsigned i;

    tls_rx(&t, 0, 1);
    at = rx_record(&t, 200);
    rx_pass(&t, at, 100, DECRYPTED);
    /* an empty queue, as if just refilled and used up */
    g_assert_cmphex(drv_rq_modify(t.d, &t.rq, DRV_RDY, DRV_RST).status, ==,
                    0);
    t.rq.pc = t.cc = 0;
    drv_rq_publish(t.d, &t.rq);
    g_assert_cmphex(drv_rq_modify(t.d, &t.rq, DRV_RST, DRV_RDY).status, ==,
                    0);
    rx_fill(&t, 1);
    s = rx_segment(&t, 0, 0);
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    rx_expect(&t, &f, NULL, 0, NOT_DECRYPTED); /* fills one more */
    drv_wire_send(t.d, f.data, f.len);
    DRV_WAIT(drv_cq_poll(t.d, &t.cq, (uint8_t[64]) { 0 }));
    t.cc++;
    frame_free(&f);
    s = rx_segment(&t, 100, t.wire->len - 100);
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    DRV_WAIT(drv_counter(t.d, "rx_held") > 0);
    for (i = 0; i < 5; i++) {
        drv_cq_arm(t.d, &t.cq, false); /* try again: still none */
        qtest_clock_step(t.d->qts, 2 * 1000 * 1000);
    }
    rx_fill(&t, 1);
    drv_cq_arm(t.d, &t.cq, false);
    rx_expect(&t, &f, t.plain->data + 100, t.wire->len - 100, DECRYPTED);
    frame_free(&f);
    at = rx_record(&t, 100);
    rx_pass(&t, at, t.wire->len - at, DECRYPTED);
    rx_stop(&t);
}

/* --------------------------------------------------------- bad records --- */

/* R5: the packet in which the tag ends gets flag 3. */
static void test_bad_tag(void)
{
    unsigned kind;

    for (kind = 0; kind < 2; kind++) {
        size_t at;
        TlsRx t;

        tls_rx(&t, kind, 1);
        at = rx_record(&t, 100);
        rx_pass(&t, at, t.wire->len - at, DECRYPTED);
        at = rx_record(&t, 100);
        t.wire->data[at + 60] ^= 1;
        rx_pass(&t, at, t.wire->len - at, ERROR);
        /* The next record is another matter. */
        at = rx_record(&t, 100);
        rx_pass(&t, at, t.wire->len - at, DECRYPTED);
        /* in two packets: the first was good as far as anyone could tell */
        at = rx_record(&t, 100);
        t.wire->data[t.wire->len - 1] ^= 1;
        t.plain->data[t.plain->len - 1] ^= 1;
        rx_pass(&t, at, 70, DECRYPTED);
        rx_pass_as(&t, at + 70, t.wire->len - at - 70, ERROR,
                   t.plain->data + at + 70);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_error"), ==, 2);
        rx_stop(&t);
    }
}

/*
 * What a packet with flag 3 holds, for each value of rx-error-bytes: it has the
 * rest of a record, damaged, of which a packet was decrypted, a whole record,
 * and the beginning of a third.
 */
static void test_error_bytes(void)
{
    static const char *const values[] = { "record", "packet", "wire" };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        TlsRx t;

        tls_rx(&t, kind, 30 + kind);
        for (i = 0; i < 2 * G_N_ELEMENTS(values); i++) {
            const char *value = values[i % G_N_ELEMENTS(values)];
            bool by_record = !strcmp(value, "record");
            size_t a = rx_record(&t, 400), b = rx_record(&t, 50);
            size_t c = rx_record(&t, 300), d = rx_record(&t, 100);
            size_t from = a + 200, to = c + 100, clear = from;
            g_autofree uint8_t *want = NULL;

            fault_do(t.d, "rx-error-bytes", value);
            t.wire->data[b - 1] ^= 1;
            t.plain->data[b - 1] ^= 1;
            if (by_record) {
                clear = b;
            } else if (!strcmp(value, "packet")) {
                clear = to;
            }
            want = g_memdup2(t.wire->data + from, to - from);
            memcpy(want, t.plain->data + from, clear - from);
            rx_pass(&t, a, 200, DECRYPTED);
            rx_pass_as(&t, from, to - from, ERROR, want);
            rx_pass(&t, to, d - to, by_record ? NOT_DECRYPTED : DECRYPTED);
            rx_pass(&t, d, t.wire->len - d, DECRYPTED);
        }
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_error"), ==, i);
        rx_stop(&t);
    }
}

/* --------------------------------------------------------- out of order --- */

/* R6: what has been seen before passes, the context stays where it is. */
static void test_old(void)
{
    size_t at, n;
    TlsRx t;

    tls_rx(&t, 0, 1);
    at = rx_record(&t, 300);
    n = t.wire->len;
    rx_pass(&t, at, 200, DECRYPTED);
    rx_pass(&t, at, 200, NOT_DECRYPTED);
    rx_pass(&t, at + 50, 100, NOT_DECRYPTED);
    rx_pass(&t, at + 200, n - 200, DECRYPTED);
    rx_pass(&t, at, n, NOT_DECRYPTED);
    at = rx_record(&t, 100);
    rx_pass(&t, at, t.wire->len - at, DECRYPTED);
    rx_stop(&t);
}

/* R8: a hole inside a record costs that record and no more. */
static void test_gap_in_record(void)
{
    size_t a, b;
    TlsRx t;

    tls_rx(&t, 0, 1);
    a = rx_record(&t, 1000);
    b = rx_record(&t, 300);
    rx_record(&t, 300);
    rx_pass(&t, a, 200, DECRYPTED);
    /* 200 bytes are lost */
    rx_pass(&t, a + 400, 300, NOT_DECRYPTED);
    rx_pass(&t, a + 700, b - a - 700 + 100, NOT_DECRYPTED);
    rx_pass(&t, b + 100, t.wire->len - b - 100, DECRYPTED);
    rx_expect_state(&t, TRACKING, OFFLOAD);
    g_assert_cmpuint(drv_counter(t.d, "tls_rx_resync"), ==, 0);
    rx_stop(&t);
}

/* R2, R3: what comes before the anchor passes, then it begins. */
static void test_before_anchor(void)
{
    size_t at;
    TlsRx t;

    rx_bare(&t, 0, 1, false);
    rx_record(&t, 100);
    rx_record(&t, 100);
    at = rx_record(&t, 200);
    t.c.rec_no--;
    rx_post_static(&t, t.c.rec_no, 0);
    t.c.rec_no++;
    rx_post_progress(&t, t.seq0 + at);
    rx_pass(&t, 0, 100, NOT_DECRYPTED);
    rx_expect_state(&t, START, NO_OFFLOAD);
    /* up to the middle of the first record: seen, not decrypted */
    rx_pass(&t, 100, at - 100 + 50, NOT_DECRYPTED);
    rx_expect_state(&t, TRACKING, OFFLOAD);
    rx_pass(&t, at + 50, t.wire->len - at - 50, DECRYPTED);
    rx_stop(&t);
}

/* --------------------------------------------------------------- resync --- */

/*
 * R9, R12, R14, R18..R21: a header is lost; the device finds the next one and
 * asks; the driver confirms it; a record is authenticated; it goes on.
 */
static void test_resync(void)
{
    unsigned kind;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        size_t at[12];
        uint64_t no[12];
        unsigned i;
        TlsRx t;

        tls_rx(&t, kind, 30 + kind);
        for (i = 0; i < 12; i++) {
            no[i] = t.c.rec_no;
            at[i] = rx_record(&t, 200 + i);
        }
        rx_pass(&t, at[0], at[1] - at[0], DECRYPTED);
        /* Lost: all of record 1 and the header of 2. */
        rx_pass(&t, at[2] + 100, 50, NOT_DECRYPTED);
        rx_expect_state(&t, SEARCHING, NO_OFFLOAD);
        /* The header of 3 is in here. */
        rx_pass(&t, at[2] + 150, at[3] - at[2] - 150 + 40, RESYNC);
        rx_expect_psv(&t, t.seq0 + at[3], 0x40000000);
        rx_pass(&t, at[3] + 40, at[4] - at[3] - 40, NOT_DECRYPTED);
        rx_pass(&t, at[4], at[5] - at[4], NOT_DECRYPTED);
        rx_pass(&t, at[5], at[6] - at[5], NOT_DECRYPTED);
        rx_pass(&t, at[6], at[7] - at[6], NOT_DECRYPTED);
        rx_expect_psv(&t, t.seq0 + at[3], 0x40000003);
        /* Approval of something else: R19. */
        rx_post_static(&t, no[2], t.seq0 + at[2]);
        rx_expect_psv(&t, t.seq0 + at[3], 0x40000003);
        rx_post_static(&t, no[3], t.seq0 + at[3]);
        rx_expect_psv(&t, t.seq0 + at[3], 0x60000003);
        rx_pass(&t, at[7], at[8] - at[7], NOT_DECRYPTED);
        rx_expect_state(&t, TRACKING, OFFLOAD);
        rx_pass(&t, at[8], at[9] - at[8], DECRYPTED);
        /* Too late for another approval: R25. */
        rx_post_static(&t, no[4], t.seq0 + at[4]);
        rx_pass(&t, at[9], at[10] - at[9], DECRYPTED);
        /* and once more */
        rx_pass(&t, at[11], 5, RESYNC);
        rx_expect_psv(&t, t.seq0 + at[11], 0x40000000);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_resync"), ==, 2);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_error"), ==, 0);
        rx_stop(&t);
    }
}

/* R22: the driver was wrong about the number: no error, search again. */
static void test_wrong_number(void)
{
    size_t at[8];
    uint64_t no[8];
    unsigned i;
    TlsRx t;

    tls_rx(&t, 1, 3);
    for (i = 0; i < 8; i++) {
        no[i] = t.c.rec_no;
        at[i] = rx_record(&t, 200);
    }
    rx_pass(&t, at[0], at[1] - at[0], DECRYPTED);
    rx_pass(&t, at[2], at[3] - at[2], RESYNC);
    rx_post_static(&t, no[2] + 1, t.seq0 + at[2]);
    rx_expect_state(&t, TRACKING, AUTHENTICATION);
    rx_pass(&t, at[3], at[4] - at[3], NOT_DECRYPTED);
    rx_expect_state(&t, SEARCHING, NO_OFFLOAD);
    rx_pass(&t, at[4], at[5] - at[4], RESYNC);
    rx_post_static(&t, no[4], t.seq0 + at[4]);
    rx_pass(&t, at[5], at[6] - at[5], NOT_DECRYPTED);
    rx_pass(&t, at[6], at[7] - at[6], DECRYPTED);
    g_assert_cmpuint(drv_counter(t.d, "tls_rx_error"), ==, 0);
    rx_stop(&t);
}

/* R4: the steering rule came late; the first packet is beyond the anchor. */
static void test_late_rule(void)
{
    size_t at[5];
    uint64_t no[5];
    unsigned i;
    TlsRx t;

    tls_rx(&t, 0, 4);
    for (i = 0; i < 5; i++) {
        no[i] = t.c.rec_no;
        at[i] = rx_record(&t, 300);
    }
    rx_pass(&t, at[1] + 10, 100, NOT_DECRYPTED);
    rx_expect_state(&t, SEARCHING, NO_OFFLOAD);
    rx_pass(&t, at[1] + 110, at[2] - at[1] - 110 + 20, RESYNC);
    rx_post_static(&t, no[2], t.seq0 + at[2]);
    rx_pass(&t, at[2] + 20, at[3] - at[2] - 20, NOT_DECRYPTED);
    rx_pass(&t, at[3], at[4] - at[3], NOT_DECRYPTED);
    rx_pass(&t, at[4], t.wire->len - at[4], DECRYPTED);
    rx_stop(&t);
}

/* R26: SET_PSV starts all over, with another key if so posted. */
static void test_restart(void)
{
    unsigned i;
    TlsRx t;

    tls_rx(&t, 0, 0);
    for (i = 1; i < 6; i++) {
        size_t at = rx_record(&t, 200);

        rx_pass(&t, at, 100, DECRYPTED);
        drv_dek_destroy(t.d, t.dek);
        tls_conn(&t.c, i % TLS_KINDS, 60 + i);
        t.dek = drv_dek_create(t.d, t.c.key, t.c.key_len);
        g_byte_array_set_size(t.wire, 0);
        g_byte_array_set_size(t.plain, 0);
        t.seq0 = t.c.seq;
        rx_post_static(&t, t.c.rec_no, 0);
        rx_post_progress(&t, t.seq0);
        rx_expect_psv(&t, 0, 0);
    }
    rx_stop(&t);
}

/*
 * R33 after a time without an answer. It begins with the candidate, on
 * whichever packet flag 2 is.
 */
static void test_resync_timeout(void)
{
    static const struct {
        const char *props;
        int64_t ms;
        bool at_loss;
    } rows[] = {
        { "", 100, false },
        { "", 100, true },
        /* both ends of the property's range */
        { ",resync-timeout-ms=0", 0, false },
        { ",resync-timeout-ms=3600000", 3600000, false },
    };
    unsigned row;

    for (row = 0; row < G_N_ELEMENTS(rows); row++) {
        bool at_loss = rows[row].at_loss;
        size_t at[8];
        unsigned i;
        TlsRx t;

        rx_bare_with(&t, 0, 50, false, rows[row].props);
        rx_post_static(&t, t.c.rec_no, 0);
        rx_post_progress(&t, t.seq0);
        fault_do(t.d, "resync-repeat", "timeout");
        fault_do(t.d, "rx-resync-flag-at", at_loss ? "loss" : "magic");
        for (i = 0; i < 8; i++) {
            at[i] = rx_record(&t, 200);
        }
        rx_pass(&t, at[0], at[1] - at[0], DECRYPTED);
        rx_pass(&t, at[2] + 100, 50, at_loss ? RESYNC : NOT_DECRYPTED);
        /* nobody waits for an answer while there is no question */
        qtest_clock_step(t.d->qts, 3 * rows[row].ms * MS + 1);
        rx_pass(&t, at[2] + 150, at[3] - at[2] - 150 + 40,
                at_loss ? NOT_DECRYPTED : RESYNC);
        rx_expect_psv(&t, t.seq0 + at[3], 0x40000000);
        qtest_clock_step(t.d->qts, MAX(rows[row].ms - 1, 1) * MS);
        rx_pass(&t, at[3] + 40, at[5] - at[3] - 40,
                rows[row].ms ? NOT_DECRYPTED : RESYNC);
        rx_expect_psv(&t, t.seq0 + (rows[row].ms ? at[3] : at[4]),
                      rows[row].ms ? 0x40000001 : 0x40000000);
        qtest_clock_step(t.d->qts, 2 * MS);
        rx_pass(&t, at[5], at[6] - at[5], RESYNC);
        rx_expect_psv(&t, t.seq0 + at[5], 0x40000000);
        rx_stop(&t);
    }
}

/* What there is to read: whole lines, all of them JSON. Returns how many. */
static unsigned read_log(int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char buf[65536];
    unsigned n = 0;
    ssize_t got;
    char **lines;

    while ((got = read(fd, buf, sizeof(buf))) > 0) {
        g_string_append_len(text, buf, got);
    }
    if (!text->len) {
        return 0;
    }
    g_assert_cmpint(text->str[text->len - 1], ==, '\n');
    lines = g_strsplit(text->str, "\n", -1);
    for (n = 0; *lines[n]; n++) {
        QObject *line = qobject_from_json(lines[n], &error_abort);
        QDict *dict = qobject_to(QDict, line);

        g_assert_cmpstr(qdict_get_str(dict, "verdict"), ==, "decrypted");
        qobject_unref(line);
    }
    g_assert_null(lines[n + 1]);
    g_strfreev(lines);
    return n;
}

/*
 * The record log into a FIFO: without a reader it is refused, and one that does
 * not read stops nothing; lines are lost then, whole ones.
 */
static void test_record_log(void)
{
    enum { PACKETS = 60, EACH = 25 };
    g_autofree char *dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *error = NULL;
    unsigned i, j, n;
    TlsRx t;
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    tls_rx(&t, 0, 60);
    error = fault_set(t.d, "record-log", path);
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error, "cannot be opened"));
    fd = open(path, O_RDONLY | O_NONBLOCK);
    g_assert_cmpint(fd, >=, 0);
    fault_do(t.d, "record-log", path);
    for (i = 0; i < PACKETS; i++) {
        size_t at = t.wire->len;

        for (j = 0; j < EACH; j++) {
            rx_record(&t, 20);
        }
        rx_pass(&t, at, t.wire->len - at, DECRYPTED);
    }
    n = read_log(fd);
    g_test_message("%u of %u lines", n, PACKETS * EACH);
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <, PACKETS * EACH);
    n = rx_record(&t, 100);
    rx_pass(&t, n, t.wire->len - n, DECRYPTED);
    g_assert_cmpuint(read_log(fd), ==, 1);
    fault_do(t.d, "record-log", "");
    n = rx_record(&t, 100);
    rx_pass(&t, n, t.wire->len - n, DECRYPTED);
    g_assert_cmpuint(read_log(fd), ==, 0);
    close(fd);
    unlink(path);
    rmdir(dir);
    rx_stop(&t);
}

void mlx5_tls_rx_tests(void)
{
    qtest_add_func("mlx5-ktls/tls-rx/one-each", test_one_each);
    qtest_add_func("mlx5-ktls/tls-rx/stream", test_stream);
    qtest_add_func("mlx5-ktls/tls-rx/split", test_split);
    qtest_add_func("mlx5-ktls/tls-rx/indirect", test_indirect);
    qtest_add_func("mlx5-ktls/tls-rx/vlan", test_vlan);
    qtest_add_func("mlx5-ktls/tls-rx/no-params", test_no_params);
    qtest_add_func("mlx5-ktls/tls-rx/set-psv-refused", test_set_psv_refused);
    qtest_add_func("mlx5-ktls/tls-rx/bystanders", test_bystanders);
    qtest_add_func("mlx5-ktls/tls-rx/held", test_held);
    qtest_add_func("mlx5-ktls/tls-rx/bad-tag", test_bad_tag);
    qtest_add_func("mlx5-ktls/tls-rx/error-bytes", test_error_bytes);
    qtest_add_func("mlx5-ktls/tls-rx/old", test_old);
    qtest_add_func("mlx5-ktls/tls-rx/gap-in-record", test_gap_in_record);
    qtest_add_func("mlx5-ktls/tls-rx/before-anchor", test_before_anchor);
    qtest_add_func("mlx5-ktls/tls-rx/resync", test_resync);
    qtest_add_func("mlx5-ktls/tls-rx/resync-timeout", test_resync_timeout);
    qtest_add_func("mlx5-ktls/tls-rx/record-log", test_record_log);
    qtest_add_func("mlx5-ktls/tls-rx/wrong-number", test_wrong_number);
    qtest_add_func("mlx5-ktls/tls-rx/late-rule", test_late_rule);
    qtest_add_func("mlx5-ktls/tls-rx/restart", test_restart);
}
