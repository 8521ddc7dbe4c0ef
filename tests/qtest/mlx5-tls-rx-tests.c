/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of TLS reception: decryption in place against libcrypto's records,
 * the flags of the CQE, GET_PSV's answer, and resynchronisation. Rows named
 * here (R1, R2 ...) are those of the RX tracker in docs. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qapi/error.h"

/* cqe.tls_offload */
enum { NOT_DECRYPTED = 0, DECRYPTED = 1, RESYNC = 2, ERROR = 3 };
/* record_tracker_state and auth_state */
enum { START = 0, TRACKING = 1, SEARCHING = 2 };
enum { NO_OFFLOAD = 0, OFFLOAD = 1, AUTHENTICATION = 2 };

typedef struct TlsRx {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    DrvCq sq_cq;
    DrvSq sq; /* for control WQEs */
    DrvSteering st;
    TlsConn c;
    uint32_t dek;
    uint32_t tirn;
    uint64_t buf;
    uint64_t psv;
    GByteArray *wire;  /* the stream as it travels */
    GByteArray *plain; /* and as a decrypting device delivers it */
    uint32_t seq0;     /* of its first byte */
    uint16_t cc;       /* next WQE to come back */
} TlsRx;

enum { LOG_RQ = 6, BUF = 2048 };

#define MS 1000000 /* in ns */

static void fill(TlsRx *t, unsigned n)
{
    while (n--) {
        unsigned slot = t->rq.pc & ((1u << LOG_RQ) - 1);
        DrvSeg seg = { .addr = t->buf + slot * BUF, .len = BUF };

        drv_rq_post(t->d, &t->rq, &seg, 1);
    }
    drv_rq_publish(t->d, &t->rq);
}

/* Static params; in TRACKING an approval of @resync_tcp_sn. */
static void post_static(TlsRx *t, uint64_t rec_no, uint32_t resync_tcp_sn)
{
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = t->c;
    uint16_t index;
    DrvWqe w;

    c.rec_no = rec_no;
    tls_static(p, &c, t->dek, resync_tcp_sn);
    drv_wqe_static(&w, &t->sq, true, t->tirn, p, false, true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

static void post_progress(TlsRx *t, uint32_t next_record_tcp_sn)
{
    uint16_t index;
    DrvWqe w;

    drv_wqe_set_psv(&w, &t->sq, true, t->tirn, next_record_tcp_sn, false,
                    true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

/* Everything but parameters. */
static void rx_bare(TlsRx *t, unsigned kind, unsigned n, bool vlan_strip)
{
    memset(t, 0, sizeof(*t));
    t->d = drv_start_up("");
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, LOG_RQ, t->eq.eqn);
    drv_cq_create(t->d, &t->sq_cq, 6, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, 6, &t->sq_cq, 0);
    drv_rq_create(t->d, &t->rq, LOG_RQ, 4, &t->cq, 0, vlan_strip);
    t->buf = drv_mem(t->d, BUF << LOG_RQ);
    t->psv = drv_mem(t->d, 64);
    tls_conn(&t->c, kind, n);
    t->seq0 = t->c.seq;
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tirn = drv_tir_tls(t->d, t->rq.rqn);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
    t->wire = g_byte_array_new();
    t->plain = g_byte_array_new();
    fill(t, 1 << LOG_RQ);
}

/* Ready for the record that begins at t->seq0. */
static void tls_rx(TlsRx *t, unsigned kind, unsigned n)
{
    rx_bare(t, kind, n, false);
    post_static(t, t->c.rec_no, 0);
    post_progress(t, t->seq0);
}

static void rx_stop(TlsRx *t)
{
    g_byte_array_unref(t->wire);
    g_byte_array_unref(t->plain);
    drv_stop(t->d);
}

/* Appends a record with @n bytes of plaintext; returns where it begins. */
static size_t record(TlsRx *t, size_t n)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    size_t at = t->wire->len, len;

    tls_pattern(&t->c, n, clear, t->wire);
    len = clear->len;
    /* Header, nonce and tag are delivered as they came. */
    memcpy(clear->data + len - TLS_TAG, t->wire->data + at + len - TLS_TAG,
           TLS_TAG);
    g_byte_array_append(t->plain, clear->data, len);
    return at;
}

static FrameSpec segment(TlsRx *t, size_t at, size_t n)
{
    FrameSpec s = rig_spec(4, 6, n);

    s.seq = t->seq0 + at;
    s.payload = t->wire->data + at;
    s.tcp_opt_len = 12;
    return s;
}

/*
 * Takes the next packet off the queue: @flag, and the frame @want with @n
 * bytes of payload, which is @payload.
 */
static void expect_packet(TlsRx *t, const Frame *want, const uint8_t *payload,
                          size_t n, unsigned flag)
{
    g_autofree uint8_t *frame = g_memdup2(want->data, want->len);
    uint8_t buf[BUF], cqe[64];

    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, t->cc);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, flag);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, outer_l3_tunneled), ==, 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, want->len);
    if (flag != NOT_DECRYPTED) {
        /* The driver then goes by these alone: they are of the wire. */
        g_assert_true(MLX5_GET(cqe, cqe, l3_ok));
        g_assert_true(MLX5_GET(cqe, cqe, l4_ok));
    } else {
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(want->data + 14, want->len - 14));
    }
    if (n) {
        memcpy(frame + want->payload, payload, n);
    }
    drv_read(t->d, t->buf + (t->cc & ((1u << LOG_RQ) - 1)) * BUF, buf,
             want->len);
    g_assert_cmpmem(buf, want->len, frame, want->len);
    t->cc++;
    fill(t, 1);
}

/* Sends @n bytes of the stream from @at; they must come back so. */
static void pass(TlsRx *t, size_t at, size_t n, unsigned flag)
{
    FrameSpec s = segment(t, at, n);
    Frame f = frame_build(&s);

    drv_wire_send(t->d, f.data, f.len);
    expect_packet(t, &f, (flag == DECRYPTED ? t->plain : t->wire)->data + at,
                  n, flag);
    frame_free(&f);
}

/* GET_PSV; checks that the rest of its 64 bytes is zero. */
static void get_psv(TlsRx *t, uint8_t params[12])
{
    uint8_t image[64];
    uint16_t index;
    unsigned i;
    DrvWqe w;

    qtest_memset(t->d->qts, t->psv, 0xcc, 64);
    drv_wqe_get_psv(&w, &t->sq, t->tirn, t->d->lkey, t->psv);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
    drv_read(t->d, t->psv, image, 64);
    g_assert_cmphex(mlx5_ld32(image), ==, t->tirn);
    for (i = 16; i < 64; i++) {
        g_assert_cmphex(image[i], ==, 0);
    }
    memcpy(params, image + 4, 12);
}

static void expect_state(TlsRx *t, unsigned tracker, unsigned auth)
{
    uint8_t p[12];

    get_psv(t, p);
    g_assert_cmpuint(MLX5_GET(tls_progress_params, p, record_tracker_state),
                     ==, tracker);
    g_assert_cmpuint(MLX5_GET(tls_progress_params, p, auth_state), ==, auth);
}

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
        expect_state(&t, START, NO_OFFLOAD);
        for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
            size_t at = record(&t, sizes[i]);

            pass(&t, at, t.wire->len - at, DECRYPTED);
        }
        expect_state(&t, TRACKING, OFFLOAD);
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
            record(&t, sizes[i % G_N_ELEMENTS(sizes)]);
        }
        for (at = 0, i = 0; at < t.wire->len; at += n, i++) {
            n = MIN(1 + (i * 397) % 1400, t.wire->len - at);
            pass(&t, at, n, DECRYPTED);
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
            size_t at = record(&t, 40);

            pass(&t, at, cut, DECRYPTED);
            pass(&t, at + cut, len - cut, DECRYPTED);
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
    post_static(&t, t.c.rec_no, 0);
    post_progress(&t, t.seq0);
    at = record(&t, 500);
    pass(&t, at, t.wire->len, DECRYPTED);
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
        post_static(&t, t.c.rec_no, 0);
        post_progress(&t, t.seq0);
        at = record(&t, 300);
        bare = s = segment(&t, at, t.wire->len);
        s.n_vlan = 1;
        s.tpid[0] = 0x8100;
        s.tci[0] = 0x123;
        f = frame_build(&s);
        want = frame_build(strip ? &bare : &s);
        drv_wire_send(t.d, f.data, f.len);
        expect_packet(&t, &want, t.plain->data, t.plain->len, DECRYPTED);
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
    at = record(&t, 100);
    pass(&t, at, t.wire->len, NOT_DECRYPTED);
    t.dek++;
    post_static(&t, t.c.rec_no, 0);
    post_progress(&t, t.seq0 + t.wire->len);
    at = record(&t, 100);
    pass(&t, at, t.wire->len - at, NOT_DECRYPTED);
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
        at = record(&t, 100);
        pass(&t, at, t.wire->len - at, DECRYPTED);
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
    at = record(&t, 200);
    pass(&t, at, 50, DECRYPTED);
    /* a pure ACK */
    pass(&t, 50, 0, NOT_DECRYPTED);
    /* a segment with a bad checksum */
    s = segment(&t, 50, 60);
    f = frame_build(&s);
    f.data[f.l4 + 16] ^= 1;
    drv_wire_send(t.d, f.data, f.len);
    drv_cq_wait(t.d, &t.cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, NOT_DECRYPTED);
    g_assert_false(MLX5_GET(cqe, cqe, l4_ok));
    drv_read(t.d, t.buf + t.cc++ * BUF, buf, f.len);
    g_assert_cmpmem(buf, f.len, f.data, f.len);
    fill(&t, 1);
    frame_free(&f);
    /* UDP on the same ports, and a fragment */
    s = segment(&t, 50, 60);
    s.proto = 17;
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    expect_packet(&t, &f, t.wire->data + 50, 60, NOT_DECRYPTED);
    frame_free(&f);
    s = segment(&t, 50, 60);
    s.frag = FRAME_FIRST_FRAG;
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    expect_packet(&t, &f, t.wire->data + 50, 60, NOT_DECRYPTED);
    frame_free(&f);
    /* It has not been impressed. */
    pass(&t, 50, t.wire->len - 50, DECRYPTED);
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
    at = record(&t, 200);
    pass(&t, at, 100, DECRYPTED);
    /* an empty queue, as if just refilled and used up */
    g_assert_cmphex(drv_rq_modify(t.d, &t.rq, DRV_RDY, DRV_RST).status, ==,
                    0);
    t.rq.pc = t.cc = 0;
    drv_rq_publish(t.d, &t.rq);
    g_assert_cmphex(drv_rq_modify(t.d, &t.rq, DRV_RST, DRV_RDY).status, ==,
                    0);
    fill(&t, 1);
    s = segment(&t, 0, 0);
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    expect_packet(&t, &f, NULL, 0, NOT_DECRYPTED); /* fills one more */
    drv_wire_send(t.d, f.data, f.len);
    DRV_WAIT(drv_cq_poll(t.d, &t.cq, (uint8_t[64]) { 0 }));
    t.cc++;
    frame_free(&f);
    s = segment(&t, 100, t.wire->len - 100);
    f = frame_build(&s);
    drv_wire_send(t.d, f.data, f.len);
    DRV_WAIT(drv_counter(t.d, "rx_held") > 0);
    for (i = 0; i < 5; i++) {
        drv_cq_arm(t.d, &t.cq, false); /* try again: still none */
        qtest_clock_step(t.d->qts, 2 * 1000 * 1000);
    }
    fill(&t, 1);
    drv_cq_arm(t.d, &t.cq, false);
    expect_packet(&t, &f, t.plain->data + 100, t.wire->len - 100, DECRYPTED);
    frame_free(&f);
    at = record(&t, 100);
    pass(&t, at, t.wire->len - at, DECRYPTED);
    rx_stop(&t);
}

/* --------------------------------------------------------- bad records --- */

/* R5: the packet in which the tag ends gets flag 3, and the wire's bytes. */
static void test_bad_tag(void)
{
    unsigned kind;

    for (kind = 0; kind < 2; kind++) {
        size_t at;
        TlsRx t;

        tls_rx(&t, kind, 1);
        at = record(&t, 100);
        pass(&t, at, t.wire->len - at, DECRYPTED);
        at = record(&t, 100);
        t.wire->data[at + 60] ^= 1;
        pass(&t, at, t.wire->len - at, ERROR);
        /* The next record is another matter. */
        at = record(&t, 100);
        pass(&t, at, t.wire->len - at, DECRYPTED);
        /* in two packets: the first was good as far as anyone could tell */
        at = record(&t, 100);
        t.wire->data[t.wire->len - 1] ^= 1;
        pass(&t, at, 70, DECRYPTED);
        pass(&t, at + 70, t.wire->len - at - 70, ERROR);
        g_assert_cmpuint(drv_counter(t.d, "tls_rx_error"), ==, 2);
        rx_stop(&t);
    }
}

/* ---------------------------------------------------------- out of order --- */

/* R6: what has been seen before passes, the context stays where it is. */
static void test_old(void)
{
    size_t at, n;
    TlsRx t;

    tls_rx(&t, 0, 1);
    at = record(&t, 300);
    n = t.wire->len;
    pass(&t, at, 200, DECRYPTED);
    pass(&t, at, 200, NOT_DECRYPTED);
    pass(&t, at + 50, 100, NOT_DECRYPTED);
    pass(&t, at + 200, n - 200, DECRYPTED);
    pass(&t, at, n, NOT_DECRYPTED);
    at = record(&t, 100);
    pass(&t, at, t.wire->len - at, DECRYPTED);
    rx_stop(&t);
}

/* R8: a hole inside a record costs that record and no more. */
static void test_gap_in_record(void)
{
    size_t a, b;
    TlsRx t;

    tls_rx(&t, 0, 1);
    a = record(&t, 1000);
    b = record(&t, 300);
    record(&t, 300);
    pass(&t, a, 200, DECRYPTED);
    /* 200 bytes are lost */
    pass(&t, a + 400, 300, NOT_DECRYPTED);
    pass(&t, a + 700, b - a - 700 + 100, NOT_DECRYPTED);
    pass(&t, b + 100, t.wire->len - b - 100, DECRYPTED);
    expect_state(&t, TRACKING, OFFLOAD);
    g_assert_cmpuint(drv_counter(t.d, "tls_rx_resync"), ==, 0);
    rx_stop(&t);
}

/* R2, R3: what comes before the anchor passes, then it begins. */
static void test_before_anchor(void)
{
    size_t at;
    TlsRx t;

    rx_bare(&t, 0, 1, false);
    record(&t, 100);
    record(&t, 100);
    at = record(&t, 200);
    t.c.rec_no--;
    post_static(&t, t.c.rec_no, 0);
    t.c.rec_no++;
    post_progress(&t, t.seq0 + at);
    pass(&t, 0, 100, NOT_DECRYPTED);
    expect_state(&t, START, NO_OFFLOAD);
    /* up to the middle of the first record: seen, not decrypted */
    pass(&t, 100, at - 100 + 50, NOT_DECRYPTED);
    expect_state(&t, TRACKING, OFFLOAD);
    pass(&t, at + 50, t.wire->len - at - 50, DECRYPTED);
    rx_stop(&t);
}

/* --------------------------------------------------------------- resync --- */

/* The whole of hw_resync_tcp_sn and hw_offset_record_number, as golden. */
static void expect_psv(TlsRx *t, uint32_t hw_resync, uint32_t dword)
{
    uint8_t p[12];

    get_psv(t, p);
    g_assert_cmphex(mlx5_ld32(p + 4), ==, hw_resync);
    g_assert_cmphex(mlx5_ld32(p + 8), ==, dword);
}

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
            at[i] = record(&t, 200 + i);
        }
        pass(&t, at[0], at[1] - at[0], DECRYPTED);
        /* Lost: all of record 1 and the header of 2. */
        pass(&t, at[2] + 100, 50, NOT_DECRYPTED);
        expect_state(&t, SEARCHING, NO_OFFLOAD);
        /* The header of 3 is in here. */
        pass(&t, at[2] + 150, at[3] - at[2] - 150 + 40, RESYNC);
        expect_psv(&t, t.seq0 + at[3], 0x40000000);
        pass(&t, at[3] + 40, at[4] - at[3] - 40, NOT_DECRYPTED);
        pass(&t, at[4], at[5] - at[4], NOT_DECRYPTED);
        pass(&t, at[5], at[6] - at[5], NOT_DECRYPTED);
        pass(&t, at[6], at[7] - at[6], NOT_DECRYPTED);
        expect_psv(&t, t.seq0 + at[3], 0x40000003);
        /* Approval of something else: R19. */
        post_static(&t, no[2], t.seq0 + at[2]);
        expect_psv(&t, t.seq0 + at[3], 0x40000003);
        post_static(&t, no[3], t.seq0 + at[3]);
        expect_psv(&t, t.seq0 + at[3], 0x60000003);
        pass(&t, at[7], at[8] - at[7], NOT_DECRYPTED);
        expect_state(&t, TRACKING, OFFLOAD);
        pass(&t, at[8], at[9] - at[8], DECRYPTED);
        /* Too late for another approval: R25. */
        post_static(&t, no[4], t.seq0 + at[4]);
        pass(&t, at[9], at[10] - at[9], DECRYPTED);
        /* and once more */
        pass(&t, at[11], 5, RESYNC);
        expect_psv(&t, t.seq0 + at[11], 0x40000000);
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
        at[i] = record(&t, 200);
    }
    pass(&t, at[0], at[1] - at[0], DECRYPTED);
    pass(&t, at[2], at[3] - at[2], RESYNC);
    post_static(&t, no[2] + 1, t.seq0 + at[2]);
    expect_state(&t, TRACKING, AUTHENTICATION);
    pass(&t, at[3], at[4] - at[3], NOT_DECRYPTED);
    expect_state(&t, SEARCHING, NO_OFFLOAD);
    pass(&t, at[4], at[5] - at[4], RESYNC);
    post_static(&t, no[4], t.seq0 + at[4]);
    pass(&t, at[5], at[6] - at[5], NOT_DECRYPTED);
    pass(&t, at[6], at[7] - at[6], DECRYPTED);
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
        at[i] = record(&t, 300);
    }
    pass(&t, at[1] + 10, 100, NOT_DECRYPTED);
    expect_state(&t, SEARCHING, NO_OFFLOAD);
    pass(&t, at[1] + 110, at[2] - at[1] - 110 + 20, RESYNC);
    post_static(&t, no[2], t.seq0 + at[2]);
    pass(&t, at[2] + 20, at[3] - at[2] - 20, NOT_DECRYPTED);
    pass(&t, at[3], at[4] - at[3], NOT_DECRYPTED);
    pass(&t, at[4], t.wire->len - at[4], DECRYPTED);
    rx_stop(&t);
}

/* R26: SET_PSV starts all over, with another key if so posted. */
static void test_restart(void)
{
    unsigned i;
    TlsRx t;

    tls_rx(&t, 0, 0);
    for (i = 1; i < 6; i++) {
        size_t at = record(&t, 200);

        pass(&t, at, 100, DECRYPTED);
        drv_dek_destroy(t.d, t.dek);
        tls_conn(&t.c, i % TLS_KINDS, 60 + i);
        t.dek = drv_dek_create(t.d, t.c.key, t.c.key_len);
        g_byte_array_set_size(t.wire, 0);
        g_byte_array_set_size(t.plain, 0);
        t.seq0 = t.c.seq;
        post_static(&t, t.c.rec_no, 0);
        post_progress(&t, t.seq0);
        expect_psv(&t, 0, 0);
    }
    rx_stop(&t);
}

/*
 * R33 after a time without an answer. It begins with the candidate, on whichever
 * packet flag 2 is.
 */
static void test_resync_timeout(void)
{
    unsigned at_loss;

    for (at_loss = 0; at_loss < 2; at_loss++) {
        size_t at[8];
        unsigned i;
        TlsRx t;

        tls_rx(&t, 0, 50);
        fault_do(t.d, "resync-repeat", "timeout");
        fault_do(t.d, "rx-resync-flag-at", at_loss ? "loss" : "magic");
        for (i = 0; i < 8; i++) {
            at[i] = record(&t, 200);
        }
        pass(&t, at[0], at[1] - at[0], DECRYPTED);
        pass(&t, at[2] + 100, 50, at_loss ? RESYNC : NOT_DECRYPTED);
        /* nobody waits for an answer while there is no question */
        qtest_clock_step(t.d->qts, 300 * MS);
        pass(&t, at[2] + 150, at[3] - at[2] - 150 + 40,
             at_loss ? NOT_DECRYPTED : RESYNC);
        expect_psv(&t, t.seq0 + at[3], 0x40000000);
        qtest_clock_step(t.d->qts, 99 * MS);
        pass(&t, at[3] + 40, at[5] - at[3] - 40, NOT_DECRYPTED);
        expect_psv(&t, t.seq0 + at[3], 0x40000001);
        qtest_clock_step(t.d->qts, 2 * MS);
        pass(&t, at[5], at[6] - at[5], RESYNC);
        expect_psv(&t, t.seq0 + at[5], 0x40000000);
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
            record(&t, 20);
        }
        pass(&t, at, t.wire->len - at, DECRYPTED);
    }
    n = read_log(fd);
    g_test_message("%u of %u lines", n, PACKETS * EACH);
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <, PACKETS * EACH);
    n = record(&t, 100);
    pass(&t, n, t.wire->len - n, DECRYPTED);
    g_assert_cmpuint(read_log(fd), ==, 1);
    fault_do(t.d, "record-log", "");
    n = record(&t, 100);
    pass(&t, n, t.wire->len - n, DECRYPTED);
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
