/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of striding receive queues: strides and completions, packets that do
 * not fit, the linked list, reset, errors; and random WQEs. Own no state.
 */
#include "mlx5-fault.h"
#include "mlx5-fuzz.h"
#include "mlx5-mkey-rig.h"
#include "mlx5-stride-rig.h"
#include "mlx5-tls-rx-rig.h"
#include "mlx5-tests.h"

#define WQ (CTX + 0x30)
#define NOWHERE (1ull << 40) /* an address without memory */

/* A UDP packet of @len bytes in all, with its own contents. */
static Frame packet(unsigned len)
{
    FrameSpec spec = rig_spec(4, 17, len - 42);

    spec.sport = g_test_rand_int_range(1, 65536);
    return frame_build(&spec);
}

/*
 * The next CQE must be for a packet that is @f, in @n strides from @at on of
 * WQE @wqe.
 */
static void expect_at(Stride *s, const Frame *f, unsigned wqe, unsigned at,
                      unsigned n)
{
    uint8_t cqe[64];
    g_autofree uint8_t *got = g_malloc(f->len);

    drv_cq_wait(s->d, &s->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, s->rq.rqn);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, filler), ==, 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, n);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, f->len);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, at);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l4_ok), ==, 1);
    drv_read(s->d, stride_buf_of(s, wqe) + ((uint64_t)at << s->log_size), got,
             f->len);
    g_assert_cmpmem(got, f->len, f->data, f->len);
}

static void expect_filler(Stride *s, unsigned wqe, unsigned at, unsigned n)
{
    uint8_t cqe[64];

    drv_cq_wait(s->d, &s->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, filler), ==, 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, n);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, at);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, s->rq.rqn);
}

static void expect_error(Stride *s, uint8_t syndrome, unsigned wqe,
                         unsigned strides)
{
    uint8_t cqe[64];

    drv_cq_wait(s->d, &s->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, syndrome);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, strides);
}

/*
 * Packets of all lengths, over many rounds of the ring, whose list is in
 * another order each time, as the driver's is when buffers come back late.
 */
static void test_random(void)
{
    enum { LOG_WQES = 3, WQES = 1 << LOG_WQES, LOG_N = 4, LOG_SIZE = 8,
           N = 1 << LOG_N };
    unsigned wqe = 0, used = 0, i, done, packets = 0, fillers = 0;
    Stride s;

    stride_rig(&s, LOG_WQES, LOG_N, LOG_SIZE, false, "");
    /* The last WQE of the list is not posted: its link is not known yet. */
    stride_post(&s, WQES - 1);
    for (i = 0; i < 400; i++) {
        Frame f = packet(g_test_rand_bit() ? 60 :
                         g_test_rand_int_range(60, RIG_MAX_FRAME));
        unsigned n = DIV_ROUND_UP(f.len, 1 << LOG_SIZE);

        drv_wire_send(s.d, f.data, f.len);
        done = WQES;
        if (used + n > N) {
            expect_filler(&s, wqe, used, N - used);
            fillers++;
            done = wqe;
            wqe = s.next[wqe];
            used = 0;
        }
        expect_at(&s, &f, wqe, used, n);
        packets++;
        used += n;
        if (used == N) {
            g_assert_cmpuint(done, ==, WQES);
            done = wqe;
            wqe = s.next[wqe];
            used = 0;
        }
        if (done != WQES) {
            /* At the end of the list, so another one can be posted. */
            stride_put_link(&s, s.last, done);
            s.last = done;
            stride_post(&s, 1);
        }
        frame_free(&f);
    }
    g_test_message("%u packets, %u fillers", packets, fillers);
    g_assert_cmpuint(fillers, >, 20);
    drv_stop(s.d);
}

/* The sizes that drivers choose, and the smallest and the largest of all. */
static void test_sizes(void)
{
    static const struct {
        uint8_t log_n, log_size;
    } sizes[] = {
        { 7, 11 }, { 6, 12 }, { 10, 8 }, { 3, 6 }, { 3, 13 }, { 16, 6 },
    };
    unsigned i, at;

    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        unsigned n = 1u << sizes[i].log_n, size = 1u << sizes[i].log_size;
        unsigned len = MIN(size + 1, 400), take = DIV_ROUND_UP(len, size);
        Stride s;

        g_test_message("2^%u strides of 2^%u", sizes[i].log_n,
                       sizes[i].log_size);
        stride_rig(&s, 1, sizes[i].log_n, sizes[i].log_size, false, "");
        stride_post(&s, 1);
        for (at = 0; at + take <= n && at < 40 * take; at += take) {
            Frame f = packet(len);

            drv_wire_send(s.d, f.data, f.len);
            expect_at(&s, &f, 0, at, take);
            frame_free(&f);
        }
        drv_stop(s.d);
    }
}

/* Without room packets wait; what is not refilled is dropped and counted. */
static void test_no_room(void)
{
    Frame f = packet(600), small = packet(100);
    uint8_t in[32] = { 0 }, out[256];
    Stride s;

    /* 8 strides: packets take 3, 3, and the rest is too short. */
    stride_rig(&s, 2, 3, 8, false, "");
    drv_wire_send(s.d, f.data, f.len); /* never had a WQE: dropped */
    drv_settle(s.d);
    DRV_WAIT(drv_counter(s.d, "rx_out_of_buffer") == 1);
    stride_post(&s, 1);
    drv_wire_send(s.d, f.data, f.len);
    expect_at(&s, &f, 0, 0, 3);
    drv_wire_send(s.d, f.data, f.len);
    expect_at(&s, &f, 0, 3, 3);
    drv_wire_send(s.d, f.data, f.len); /* waits */
    DRV_WAIT(drv_counter(s.d, "rx_held") > 0);
    drv_settle(s.d);
    g_assert_false(drv_cq_peek(s.d, &s.cq, out));
    stride_post(&s, 1);
    drv_cq_arm(s.d, &s.cq, false);
    expect_filler(&s, 0, 6, 2);
    expect_at(&s, &f, 1, 0, 3);
    /* A short one still fits where a long one does not. */
    drv_wire_send(s.d, f.data, f.len);
    expect_at(&s, &f, 1, 3, 3);
    drv_wire_send(s.d, small.data, small.len);
    expect_at(&s, &small, 1, 6, 1);
    drv_wire_send(s.d, small.data, small.len);
    expect_at(&s, &small, 1, 7, 1);
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_Q_COUNTER);
    MLX5_SET(query_q_counter_in, in, counter_set_id, s.counter);
    drv_cmd_ok(s.d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(query_q_counter_out, out, out_of_buffer), ==, 1);
    frame_free(&f);
    frame_free(&small);
    drv_stop(s.d);
}

/* At the limit of a stride it is the length without the tag that counts. */
static void test_vlan(void)
{
    FrameSpec spec = rig_spec(4, 17, 256 - 42);
    uint8_t cqe[64];
    Stride s;
    Frame f;

    spec.n_vlan = 1;
    spec.tpid[0] = 0x8100;
    spec.tci[0] = 0x123;
    f = frame_build(&spec);
    g_assert_cmpuint(f.len, ==, 260);
    stride_rig(&s, 1, 3, 8, true, "");
    stride_post(&s, 1);
    for (unsigned i = 0; i < 8; i++) {
        drv_wire_send(s.d, f.data, f.len);
        drv_cq_wait(s.d, &s.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, cv), ==, 1);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, vlan_info), ==, 0x123);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, 256);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, 1);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
    }
    frame_free(&f);
    drv_stop(s.d);
}

/*
 * A packet longer than a WQE, or than the buffer that it says it has, fails
 * with a length error and uses the WQE up; the queue goes on with the next.
 */
static void test_too_long(void)
{
    Frame f = packet(1400), ok = packet(400);
    Stride s;

    stride_rig(&s, 3, 3, 6, false, ""); /* 512 bytes */
    stride_post(&s, 7);
    drv_wire_send(s.d, f.data, f.len);
    expect_error(&s, SYN_LEN, 0, 8);
    drv_wire_send(s.d, ok.data, ok.len);
    expect_at(&s, &ok, 1, 0, 7);
    drv_wire_send(s.d, f.data, f.len); /* with strides left */
    expect_error(&s, SYN_LEN, 1, 1);
    stride_put_seg(&s, 2, s.d->lkey, stride_buf_of(&s, 2), 399);
    drv_wire_send(s.d, ok.data, ok.len);
    expect_error(&s, SYN_LEN, 2, 8);
    drv_wire_send(s.d, ok.data, ok.len);
    expect_at(&s, &ok, 3, 0, 7);
    g_assert_cmphex(drv_rq_state(s.d, &s.rq), ==, DRV_RDY);
    frame_free(&f);
    frame_free(&ok);
    drv_stop(s.d);
}

/*
 * A bad key, address or link stops the queue. After reset it starts with WQE 0
 * and its first stride, like a new one.
 */
static void test_errors(void)
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        Frame f = packet(400);
        Stride s;

        stride_rig(&s, 2, 3, 8, false, "");
        stride_post(&s, 3);
        drv_wire_send(s.d, f.data, f.len);
        expect_at(&s, &f, 0, 0, 2);
        switch (i) {
        case 0:
            stride_put_seg(&s, 1, s.d->lkey ^ 1, stride_buf_of(&s, 1), 2048);
            break;
        case 1:
            stride_put_seg(&s, 1, s.d->lkey, 0x7f0000000000, 2048);
            break;
        case 2:
            stride_put_seg(&s, 1, 0x100, 0, 2048);
            break;
        case 3: /* read with the WQE: of the one after it */
            stride_put_link(&s, 1, 4);
            break;
        }
        for (unsigned at = 2; at < 8; at += 2) {
            drv_wire_send(s.d, f.data, f.len);
            expect_at(&s, &f, 0, at, 2);
        }
        for (unsigned at = 0; i == 3 && at < 8; at += 2) {
            drv_wire_send(s.d, f.data, f.len);
            expect_at(&s, &f, 1, at, 2);
        }
        drv_wire_send(s.d, f.data, f.len);
        expect_error(&s, SYN_PROT, i == 3 ? 4 : 1, 8);
        g_assert_cmphex(drv_rq_state(s.d, &s.rq), ==, DRV_ERR);
        drv_wire_send(s.d, f.data, f.len); /* lost */
        DRV_WAIT(drv_counter(s.d, "rx_no_queue") == 1);
        g_assert_cmphex(drv_rq_modify(s.d, &s.rq, DRV_ERR, DRV_RST).status, ==,
                        0);
        stride_put_ring(&s);
        s.rq.pc = 0;
        stride_post(&s, 2);
        g_assert_cmphex(drv_rq_modify(s.d, &s.rq, DRV_RST, DRV_RDY).status, ==,
                        0);
        drv_wire_send(s.d, f.data, f.len);
        expect_at(&s, &f, 0, 0, 2);
        frame_free(&f);
        drv_stop(s.d);
    }
}

/*
 * A fault rule fails the rest of the open WQE, and stops the queue or, with a
 * length error, does not.
 */
static void test_fault(void)
{
    Frame f = packet(400);
    Stride s;

    stride_rig(&s, 3, 3, 8, false, "");
    stride_post(&s, 7);
    fault_add(s.d, "error packet syndrome=1 nth=2,3;error packet nth=2");
    drv_wire_send(s.d, f.data, f.len);
    expect_at(&s, &f, 0, 0, 2);
    drv_wire_send(s.d, f.data, f.len);
    expect_error(&s, SYN_LEN, 0, 6);
    drv_wire_send(s.d, f.data, f.len); /* a WQE that was not open */
    expect_error(&s, SYN_LEN, 1, 8);
    g_assert_cmphex(drv_rq_state(s.d, &s.rq), ==, DRV_RDY);
    drv_wire_send(s.d, f.data, f.len); /* the second that no rule took */
    expect_error(&s, SYN_PROT, 2, 8);
    g_assert_cmphex(drv_rq_state(s.d, &s.rq), ==, DRV_ERR);
    fault_expect(s.d, 0, 4, 2, 0);
    fault_expect(s.d, 1, 2, 1, 0);
    fault_clear(s.d);
    frame_free(&f);
    drv_stop(s.d);
}

/* What CREATE_RQ refuses, also where it is switched off. */
static void test_refused(void)
{
    static const struct {
        uint16_t bit, width;
        unsigned value;
    } rows[] = {
#define ROW(field, v) \
        { WQ * 8 + MLX5_BIT_wq_##field, MLX5_WIDTH_wq_##field, v }
        ROW(log_wqe_num_of_strides, 8), /* 2, then 4 strides */
        ROW(log_wqe_num_of_strides, 9),
        ROW(log_wq_stride, 4),
        ROW(log_wq_stride, 6),
    };
    Drv *d = drv_start_up("");
    uint8_t *in;
    uint32_t len;
    unsigned i;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 6, eq.eqn);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        in = stride_cmd(d, &rq, 2, 4, 8, &cq, 0, false, &len);
        mlx5_prm_set(in, rows[i].bit, rows[i].width, rows[i].value);
        drv_cmd_fails(d, in, len, 16, MLX5_STATUS_BAD_PARAM,
                      MLX5_SYN_WQ_BAD_STRIDE);
        g_free(in);
    }
    drv_stop(d);
    d = drv_start_up(",striding-rq=off");
    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 6, eq.eqn);
    in = stride_cmd(d, &rq, 2, 4, 8, &cq, 0, false, &len);
    drv_cmd_fails(d, in, len, 16, MLX5_STATUS_BAD_PARAM, MLX5_SYN_WQ_BAD_TYPE);
    g_free(in);
    drv_stop(d);
}

/* ------------------------------------------------------------- random --- */

/* Starts a queue again that an error has stopped. */
static void restart_sq(Drv *d, DrvSq *sq)
{
    sq->pc = 0;
    drv_write32(d, sq->dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(d, sq, DRV_ERR, DRV_RST).status, ==, 0);
    g_assert_cmphex(drv_sq_modify(d, sq, DRV_RST, DRV_RDY).status, ==, 0);
}

/* Makes @n keys of random modes, that UMR WQEs may change. */
static void random_keys(Drv *d, uint32_t *lkey, unsigned n)
{
    unsigned i, j;

    for (i = 0; i < n; i++) {
        unsigned octowords = 1 + pick(40);
        uint32_t len;
        uint8_t *in = key_cmd(d, 1 + pick(3), 12, often() ? 0 : pick(10000),
                              octowords * 4096, octowords, &len);

        MLX5_SET(mkc, in + 0x10, free, !often());
        MLX5_SET(mkc, in + 0x10, length64, !often());
        for (j = 0; j < octowords; j++) {
            key_klm(in + KEY_LIST, j, pick(5000),
                    often() && i ? lkey[pick(i)] : d->lkey, pick(1 << 19));
        }
        lkey[i] = key_make(d, in, len);
    }
}

/* Something like a UMR WQE; its list, too, leads anywhere. */
static void random_umr(Drv *d, DrvSq *sq, const uint32_t *lkey, unsigned n)
{
    unsigned ow = often() ? pick(40) : pick(0x10000), i;
    DrvWqe w;
    uint8_t *ctrl = w.b + 0x10;

    drv_wqe(&w, sq, WQE_UMR, true);
    random_dwords(w.b + 16, sizeof(w.b) - 16);
    MLX5_SET(wqe_ctrl, w.b, imm, lkey[pick(n)]);
    MLX5_SET(wqe_umr_ctrl, ctrl, flags, (often() ? 0x90 : pick(256)));
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_octowords, ow);
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset, often() ? pick(40) :
             pick(0x10000));
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset_47_16, often() ? 0 : pick(3));
    MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, often() ? 1ull << 29 :
             (uint64_t)g_test_rand_int() << pick(20));
    MLX5_SET(mkc, w.b + 0x40, free, !often());
    for (i = 0; i < 40; i++) {
        key_klm(w.b + 0x80, i, pick(5000), often() ? d->lkey : lkey[pick(n)],
                often() ? pick(1 << 19) : NOWHERE + g_test_rand_int());
    }
    w.ds = often() ? 8 + MIN(ow, 40) : 1 + pick(63);
    drv_sq_put(d, sq, &w);
}

/* WQEs that lead anywhere, through keys that do, and links that do. */
static void test_fuzz(void)
{
    enum { KEYS = 16 };
    uint8_t cqe[64];
    uint32_t lkey[KEYS], len;
    unsigned i;
    uint8_t *in;
    DrvCq cq;
    DrvSq sq;
    Stride s;

    stride_rig(&s, 3, 4, 8, false, ",rx-no-buffer=drop");
    drv_cq_create(s.d, &cq, 8, s.eq.eqn);
    in = drv_sq_cmd(s.d, &sq, 8, &cq, 0, &len);
    MLX5_SET(sqc, in + CTX, reg_umr, 1);
    sq.sqn = drv_create(s.d, in, len);
    g_free(in);
    g_assert_cmphex(drv_sq_modify(s.d, &sq, DRV_RST, DRV_RDY).status, ==, 0);
    random_keys(s.d, lkey, KEYS);
    for (i = 0; i < 1500; i++) {
        Frame f = packet(60 + pick(RIG_MAX_FRAME - 60));

        random_umr(s.d, &sq, lkey, KEYS);
        drv_sq_ring(s.d, &sq);
        stride_put_seg(&s, pick(8), often() ? lkey[pick(KEYS)] : s.d->lkey,
                       often() ? pick(100000) : NOWHERE + g_test_rand_int(),
                       often() ? 4096 : pick(5000));
        stride_put_link(&s, pick(8), pick(often() ? 8 : 10));
        stride_post(&s, pick(2));
        drv_wire_send(s.d, f.data, f.len);
        drv_settle(s.d);
        while (drv_cq_poll(s.d, &cq, cqe) || drv_cq_poll(s.d, &s.cq, cqe)) {
            continue;
        }
        if (drv_sq_state(s.d, &sq) == DRV_ERR) {
            restart_sq(s.d, &sq);
        }
        if (drv_rq_state(s.d, &s.rq) == DRV_ERR || i % 300 == 299) {
            drv_rq_modify(s.d, &s.rq, drv_rq_state(s.d, &s.rq), DRV_RST);
            s.rq.pc = 0;
            stride_post(&s, 7);
            g_assert_cmphex(drv_rq_modify(s.d, &s.rq, DRV_RST,
                                          DRV_RDY).status, ==, 0);
        }
        frame_free(&f);
    }
    /* Whatever has happened, it works. */
    drv_rq_modify(s.d, &s.rq, drv_rq_state(s.d, &s.rq), DRV_RST);
    stride_put_ring(&s);
    s.rq.pc = 0;
    stride_post(&s, 1);
    drv_rq_modify(s.d, &s.rq, DRV_RST, DRV_RDY);
    {
        Frame f = packet(1000);

        drv_wire_send(s.d, f.data, f.len);
        drv_cq_wait(s.d, &s.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        frame_free(&f);
    }
    drv_watch(s.d, "random UMR and striding WQEs", DRV_ACCESS_LIMIT);
    drv_stop(s.d);
}

/* Records are decrypted into strides, and their CQEs say so. */
static void test_tls(void)
{
    enum { MSS = 1400 };
    size_t at = 0;
    unsigned stride = 0, wqe = 0;
    Stride s;
    TlsRx t = { 0 };

    stride_rig(&s, 3, 4, 11, false, "");
    stride_post(&s, 7);
    t.d = s.d;
    drv_cq_create(t.d, &t.sq_cq, 6, s.eq.eqn);
    drv_sq_create(t.d, &t.sq, 6, &t.sq_cq, 0);
    tls_conn(&t.c, 0, 1);
    t.seq0 = t.c.seq;
    t.dek = drv_dek_create(t.d, t.c.key, t.c.key_len);
    t.tirn = drv_tir_tls(t.d, s.rq.rqn);
    drv_unsteer(s.d, &s.st);
    drv_steer_all(t.d, &s.st, t.tirn, 0);
    t.wire = g_byte_array_new();
    t.plain = g_byte_array_new();
    rx_post_static(&t, t.c.rec_no, 0);
    rx_post_progress(&t, t.seq0);
    rx_record(&t, 16384);
    rx_record(&t, 9000);
    while (at < t.wire->len) {
        size_t n = MIN(MSS, t.wire->len - at);
        FrameSpec spec = rx_segment(&t, at, n);
        Frame f = frame_build(&spec);
        uint8_t cqe[64], got[RIG_MAX_FRAME];

        drv_wire_send(s.d, f.data, f.len);
        drv_cq_wait(s.d, &s.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, DECRYPTED);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, stride);
        drv_read(s.d, stride_buf_of(&s, wqe) + (stride << 11), got, f.len);
        g_assert_cmpmem(got + f.len - n, n, t.plain->data + at, n);
        if (++stride == 16) {
            stride = 0;
            wqe++;
        }
        at += n;
        frame_free(&f);
    }
    g_assert_cmpuint(wqe, >, 0);
    rx_stop(&t);
}

void mlx5_stride_tests(void)
{
    qtest_add_func("mlx5-ktls/stride/random", test_random);
    qtest_add_func("mlx5-ktls/stride/sizes", test_sizes);
    qtest_add_func("mlx5-ktls/stride/no-room", test_no_room);
    qtest_add_func("mlx5-ktls/stride/vlan", test_vlan);
    qtest_add_func("mlx5-ktls/stride/too-long", test_too_long);
    qtest_add_func("mlx5-ktls/stride/errors", test_errors);
    qtest_add_func("mlx5-ktls/stride/fault", test_fault);
    qtest_add_func("mlx5-ktls/stride/refused", test_refused);
    qtest_add_func("mlx5-ktls/stride/tls", test_tls);
    qtest_add_func("mlx5-ktls/stride/fuzz", test_fuzz);
}
