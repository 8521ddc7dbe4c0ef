/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of errors in transmission: invalid WQEs, queues in error and their
 * recovery, missing memory, and a full backend. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

/* Not RAM, and nothing else either. */
#define NOWHERE 0x7f0000000000ull

/* ------------------------------------------------------ malformed WQEs --- */

static void bad_ds_zero(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, ds, 0);
}

static void bad_ds_posted(TxRig *t, DrvWqe *w)
{
    /* Five blocks; four are posted, with what follows. */
    MLX5_SET(wqe_ctrl, w->b, ds, 20);
}

static void bad_sqn(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, sqn, t->sq.sqn + 1);
}

static void bad_opcode(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, opcode, 0x7f);
}

static void bad_opcode_rdma(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, opcode, 0x08); /* RDMA_WRITE */
}

static void bad_no_eth(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, ds, 1);
}

static void bad_no_data(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, ds, 2);
}

static void bad_lkey(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, lkey, 0x12345600);
}

static void bad_lkey_low(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, lkey, t->d->lkey ^ 1);
}

/* A key of another protection domain. */
static void bad_lkey_pd(TxRig *t, DrvWqe *w)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_mkey_cmd(t->d, 7, &len);

    MLX5_SET(mkc, in + 16, pd, drv_alloc(t->d, OP_ALLOC_PD));
    MLX5_SET(wqe_data, w->b + 32, lkey, drv_create(t->d, in, len) << 8 | 7);
}

static void bad_addr(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, addr, NOWHERE);
}

static void bad_addr_wrap(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, addr, UINT64_MAX - 8);
}

static void bad_count_zero(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, byte_count, 0);
}

static void bad_count_huge(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, byte_count, 0x7fffffff);
}

static void bad_too_short(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, byte_count, 13);
}

static void bad_inline_hdr(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_eth, w->b + 16, inline_hdr_sz, 0x3ff);
}

static void bad_inline_data(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, is_inline, 1);
    MLX5_SET(wqe_data, w->b + 32, byte_count, 13);
}

static void bad_inline_data_huge(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_data, w->b + 32, is_inline, 1);
    MLX5_SET(wqe_data, w->b + 32, byte_count, 0x7fffffff);
}

static void bad_lso_no_hdr(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, opcode, WQE_LSO);
    MLX5_SET(wqe_eth, w->b + 16, mss, 100);
}

/* An LSO that would be good but for what the caller spoils. */
static void make_lso(TxRig *t, DrvWqe *w, unsigned mss, unsigned hdr_cut)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint64_t addr = drv_mem(t->d, 4096);

    drv_wqe(w, &t->sq, WQE_LSO, true);
    drv_wqe_eth(w, ETH_L3_CSUM | ETH_L4_CSUM, mss, f.data,
                f.payload - hdr_cut);
    drv_wqe_data(w, t->d->lkey, addr, 1000);
    MLX5_SET(wqe_ctrl, w->b, ds, w->ds);
    frame_free(&f);
}

static void bad_lso_mss(TxRig *t, DrvWqe *w)
{
    make_lso(t, w, 0, 0);
}

static void bad_lso_hdr(TxRig *t, DrvWqe *w)
{
    make_lso(t, w, 100, 1);
}

static void bad_mpsw_hdr(TxRig *t, DrvWqe *w)
{
    MLX5_SET(wqe_ctrl, w->b, opcode, WQE_ENHANCED_MPSW);
    MLX5_SET(wqe_eth, w->b + 16, inline_hdr_sz, 2);
}

/* syndrome 0: any of the local ones will do */
static const struct {
    const char *name;
    void (*spoil)(TxRig *t, DrvWqe *w);
    uint8_t syndrome;
} malformed[] = {
    { "ds-zero", bad_ds_zero, SYN_QP_OP },
    { "ds-above-posted", bad_ds_posted, SYN_QP_OP },
    { "sqn", bad_sqn, SYN_QP_OP },
    { "opcode", bad_opcode, SYN_QP_OP },
    { "opcode-rdma", bad_opcode_rdma, SYN_QP_OP },
    { "no-eth-segment", bad_no_eth, 0 },
    { "no-data", bad_no_data, 0 },
    { "lkey", bad_lkey, SYN_PROT },
    { "lkey-low-byte", bad_lkey_low, SYN_PROT },
    { "lkey-of-other-pd", bad_lkey_pd, SYN_PROT },
    { "address", bad_addr, SYN_PROT },
    { "address-wraps", bad_addr_wrap, SYN_PROT },
    { "byte-count-zero", bad_count_zero, SYN_LEN },
    { "byte-count-huge", bad_count_huge, SYN_LEN },
    { "no-whole-header", bad_too_short, SYN_LEN },
    { "inline-header", bad_inline_hdr, SYN_LEN },
    { "inline-data", bad_inline_data, SYN_LEN },
    { "inline-data-huge", bad_inline_data_huge, SYN_LEN },
    { "lso-without-header", bad_lso_no_hdr, SYN_LEN },
    { "lso-mss-zero", bad_lso_mss, 0 },
    { "lso-header-cut", bad_lso_hdr, 0 },
    { "mpsw-inline-header", bad_mpsw_hdr, 0 },
};

/* ERR to RST to RDY, as the driver does, from the beginning of the ring. */
static void recover(TxRig *t)
{
    g_assert_cmpuint(drv_sq_state(t->d, &t->sq), ==, DRV_ERR);
    g_assert_cmphex(drv_sq_modify(t->d, &t->sq, DRV_ERR, DRV_RST).status, ==,
                    0);
    t->sq.pc = 0;
    drv_write32(t->d, t->sq.dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(t->d, &t->sq, DRV_RST, DRV_RDY).status, ==,
                    0);
}

/* A frame that tells which one it is. */
static void numbered(uint8_t frame[64], unsigned n)
{
    memset(frame, 0, 64);
    frame[0] = 0x02;
    frame[20] = n >> 8;
    frame[21] = n;
}

static uint16_t send_numbered(TxRig *t, DrvSq *sq, unsigned n)
{
    uint8_t frame[64];

    numbered(frame, n);
    return drv_sq_send(t->d, sq, frame, sizeof(frame), 0);
}

static void expect_numbered(Drv *d, unsigned n)
{
    uint8_t frame[64];

    numbered(frame, n);
    expect_frame(d, frame, sizeof(frame));
}

/* Takes an error CQE of any syndrome but flush when @syndrome is 0. */
static void expect_bad(TxRig *t, uint16_t index, uint8_t syndrome)
{
    uint8_t cqe[64];

    if (syndrome) {
        drv_sq_expect_error(t->d, &t->sq, index, syndrome);
        return;
    }
    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ_ERR);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), !=, 0);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), !=, SYN_FLUSH);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
}

/*
 * A good WQE, a bad one, three more good ones: the first is sent, the bad one
 * and those behind it come back with errors, in order; after recovery the
 * queue works again and nothing of the lost ones shows up.
 */
static void test_malformed(const void *opaque)
{
    unsigned row = GPOINTER_TO_UINT(opaque), i;
    uint16_t index[5];
    uint64_t addr;
    TxRig t;
    DrvWqe w;

    tx_rig(&t, 6);
    addr = drv_mem(t.d, 64);
    index[0] = send_numbered(&t, &t.sq, 1);
    drv_wqe(&w, &t.sq, WQE_SEND, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    drv_wqe_data(&w, t.d->lkey, addr, 64);
    index[1] = drv_sq_put(t.d, &t.sq, &w);
    malformed[row].spoil(&t, &w);
    MLX5_SET(wqe_ctrl, w.b, wqe_index, index[1]);
    drv_write(t.d, t.sq.buf + index[1] * 64, w.b, 64);
    for (i = DIV_ROUND_UP(w.ds, 4); i > 1; i--) {
        /* It has become longer than it was. */
        drv_write(t.d, t.sq.buf + (index[1] + i - 1) * 64,
                  w.b + (i - 1) * 64, 64);
        t.sq.pc++;
    }
    for (i = 2; i < 5; i++) {
        index[i] = send_numbered(&t, &t.sq, i);
    }
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect(t.d, &t.sq, index[0]);
    expect_numbered(t.d, 1);
    expect_bad(&t, index[1], malformed[row].syndrome);
    if (t.sq.pc == 5) {
        for (i = 2; i < 5; i++) {
            drv_sq_expect_error(t.d, &t.sq, index[i], SYN_FLUSH);
        }
    } else {
        /* Where the bad one ends only the device knows: all is flushed. */
        uint8_t cqe[64];

        do {
            drv_cq_wait(t.d, &t.cq, cqe);
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ_ERR);
            g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_FLUSH);
        } while (MLX5_GET(cqe, cqe, wqe_counter) != index[4]);
    }
    g_assert_cmpuint(drv_counter(t.d, "tx_wqe_error"), ==, 1);
    recover(&t);
    for (i = 0; i < 10; i++) {
        uint16_t at = send_numbered(&t, &t.sq, 100 + i);

        g_assert_cmpuint(at, ==, i);
        drv_sq_ring(t.d, &t.sq);
        expect_numbered(t.d, 100 + i);
        drv_sq_expect(t.d, &t.sq, at);
    }
    drv_stop(t.d);
}

/* What is posted to a queue in error comes back flushed. */
static void test_post_in_error(void)
{
    uint16_t index;
    uint8_t cqe[64];
    TxRig t;

    tx_rig(&t, 6);
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_RDY, DRV_ERR).status, ==,
                    0);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    index = send_numbered(&t, &t.sq, 1);
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect_error(t.d, &t.sq, index, SYN_FLUSH);
    recover(&t);
    index = send_numbered(&t, &t.sq, 2);
    drv_sq_ring(t.d, &t.sq);
    expect_numbered(t.d, 2);
    drv_sq_expect(t.d, &t.sq, index);
    drv_stop(t.d);
}

/* A queue that is not ready executes nothing. */
static void test_post_in_reset(void)
{
    uint16_t index;
    uint8_t cqe[64];
    TxRig t;

    tx_rig(&t, 6);
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_RDY, DRV_RST).status, ==,
                    0);
    index = send_numbered(&t, &t.sq, 1);
    drv_sq_ring(t.d, &t.sq);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    g_assert_false(drv_wire_readable(t.d));
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_RST, DRV_RDY).status, ==,
                    0);
    drv_sq_ring(t.d, &t.sq);
    expect_numbered(t.d, 1);
    drv_sq_expect(t.d, &t.sq, index);
    drv_stop(t.d);
}

/* A counter that runs ahead of the ring is not believed. */
static void test_dbr_overrun(void)
{
    uint16_t index, pc;
    uint8_t cqe[64];
    TxRig t;

    tx_rig(&t, 4);
    index = send_numbered(&t, &t.sq, 1);
    pc = t.sq.pc;
    t.sq.pc = 17;
    drv_sq_ring(t.d, &t.sq);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    t.sq.pc = 0xffff;
    drv_sq_ring(t.d, &t.sq);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    t.sq.pc = pc;
    drv_sq_ring(t.d, &t.sq);
    expect_numbered(t.d, 1);
    drv_sq_expect(t.d, &t.sq, index);
    drv_stop(t.d);
}

/* Rings and records in memory that is not there. */
static void test_no_memory(void)
{
    TxRig t;
    DrvSq sq;
    DrvCq cq;
    uint32_t len;
    uint8_t *in;
    DrvWqe w;

    tx_rig(&t, 6);
    /* the doorbell record */
    in = drv_sq_cmd(t.d, &sq, 4, &t.cq, 0, &len);
    MLX5_SET(wq, in + 0x50, dbr_addr, NOWHERE);
    sq.sqn = drv_create(t.d, in, len);
    g_free(in);
    g_assert_cmphex(drv_sq_modify(t.d, &sq, DRV_RST, DRV_RDY).status, ==, 0);
    drv_wqe(&w, &sq, WQE_NOP, true);
    drv_sq_put(t.d, &sq, &w);
    drv_sq_ring(t.d, &sq);
    drv_settle(t.d);
    drv_cmd_id_ok(t.d, OP_DESTROY_SQ, sq.sqn);
    /* the ring itself: the WQE cannot be read */
    in = drv_sq_cmd(t.d, &sq, 4, &t.cq, 0, &len);
    mlx5_st64(in + 0x110, NOWHERE);
    sq.sqn = drv_create(t.d, in, len);
    g_free(in);
    g_assert_cmphex(drv_sq_modify(t.d, &sq, DRV_RST, DRV_RDY).status, ==, 0);
    drv_wqe(&w, &sq, WQE_NOP, true);
    drv_sq_put(t.d, &sq, &w);
    drv_sq_ring(t.d, &sq);
    drv_sq_expect_error(t.d, &sq, 0, SYN_PROT);
    drv_cmd_id_ok(t.d, OP_DESTROY_SQ, sq.sqn);
    /* the completion queue, and then the event queue */
    in = drv_cq_cmd(t.d, &cq, 4, t.eq.eqn, &len);
    mlx5_st64(in + 0x110, NOWHERE);
    MLX5_SET(cqc, in + 0x10, dbr_addr, NOWHERE + 4096);
    cq.cqn = drv_create(t.d, in, len);
    g_free(in);
    drv_sq_create(t.d, &sq, 4, &cq, 0);
    send_numbered(&t, &sq, 9);
    drv_cq_arm(t.d, &cq, false);
    drv_sq_ring(t.d, &sq);
    expect_numbered(t.d, 9);
    in = drv_eq_cmd(t.d, &t.eq, 4, 0, 1ull << EVENT_CMD, &len);
    mlx5_st64(in + 0x110, NOWHERE);
    t.eq.eqn = drv_create(t.d, in, len);
    g_free(in);
    drv_eq_update(t.d, &t.eq, true);
    drv_cmd_id_ok(t.d, OP_NOP, 0);
    /* The device has survived all of it. */
    send_numbered(&t, &t.sq, 10);
    drv_sq_ring(t.d, &t.sq);
    expect_numbered(t.d, 10);
    drv_stop(t.d);
}

/* --------------------------------------------------------- full backend --- */

enum { NARROW = 4096 };

/* As tx_rig(), with a backend that is full after a few frames. */
static void narrow_rig(TxRig *t, unsigned log_size)
{
    t->d = drv_start_up_narrow("", NARROW);
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, log_size, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, log_size, &t->cq, 0);
}

/* Reads nothing until the device has nowhere to put another frame. */
static void wait_blocked(Drv *d)
{
    DRV_WAIT(drv_counter(d, "tx_blocked") > 0);
    drv_settle(d);
}

static void test_blocked(void)
{
    enum { N = 500 };
    unsigned i, done;
    uint8_t cqe[64];
    TxRig t;

    narrow_rig(&t, 9);
    for (i = 0; i < N; i++) {
        send_numbered(&t, &t.sq, i);
    }
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    /* Some are done; the others wait, and are neither lost nor completed. */
    for (done = 0; drv_cq_poll(t.d, &t.cq, cqe); done++) {
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, done);
    }
    g_assert_cmpuint(done, <, N);
    for (i = 0; i < N; i++) {
        expect_numbered(t.d, i);
    }
    for (i = done; i < N; i++) {
        drv_sq_expect(t.d, &t.sq, i);
    }
    drv_stop(t.d);
}

/* Many at once, each WQE a burst of frames: it goes on in the middle. */
static void test_blocked_lso(void)
{
    enum { N = 8, MSS = 1000, TOTAL = 20000 };
    FrameSpec s = rig_spec(4, 6, TOTAL);
    g_autofree uint8_t *payload = g_malloc(TOTAL);
    unsigned i, at, k;
    uint64_t mem;
    Frame f;
    TxRig t;

    narrow_rig(&t, 6);
    mem = drv_mem(t.d, TOTAL);
    for (i = 0; i < TOTAL; i++) {
        payload[i] = i * 11 + (i >> 7);
    }
    drv_write(t.d, mem, payload, TOTAL);
    s.payload = payload;
    f = frame_build(&s);
    for (i = 0; i < N; i++) {
        DrvWqe w;

        drv_wqe(&w, &t.sq, i % 2 ? WQE_LSO : WQE_NOP, true);
        if (i % 2) {
            drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, MSS, f.data,
                        f.payload);
            drv_wqe_data(&w, t.d->lkey, mem, TOTAL);
        }
        drv_sq_put(t.d, &t.sq, &w);
    }
    frame_free(&f);
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    for (i = 1; i < N; i += 2) {
        for (at = 0, k = 0; at < TOTAL; at += MSS, k++) {
            FrameSpec part = s;

            part.payload = payload + at;
            part.payload_len = MSS;
            part.seq += at;
            part.ip_id += k;
            f = frame_build(&part);
            expect_frame(t.d, f.data, f.len);
            frame_free(&f);
        }
    }
    for (i = 0, k = 0; i < N; i++) {
        drv_sq_expect(t.d, &t.sq, k);
        k += i % 2 ? 2 : 1;
    }
    drv_stop(t.d);
}

static void test_blocked_mpsw(void)
{
    enum { N = 30, LEN = 1000 };
    uint8_t frame[LEN] = { 0x02 };
    unsigned i;
    DrvWqe w;
    TxRig t;

    narrow_rig(&t, 6);
    drv_wqe(&w, &t.sq, WQE_ENHANCED_MPSW, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    for (i = 0; i < N; i++) {
        uint64_t addr = drv_mem(t.d, LEN);

        frame[20] = i;
        drv_write(t.d, addr, frame, LEN);
        drv_wqe_data(&w, t.d->lkey, addr, LEN);
    }
    drv_sq_put(t.d, &t.sq, &w);
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    for (i = 0; i < N; i++) {
        frame[20] = i;
        expect_frame(t.d, frame, LEN);
    }
    drv_sq_expect(t.d, &t.sq, 0);
    drv_stop(t.d);
}

/* Another queue, and commands, while one queue is stuck. */
static void test_blocked_others(void)
{
    enum { N = 200 };
    uint8_t buf[DRV_MAX_FRAME], cqe[64];
    unsigned i, next = 0;
    bool marker = false;
    DrvCq cq;
    DrvSq sq;
    TxRig t;

    narrow_rig(&t, 8);
    drv_cq_create(t.d, &cq, 4, t.eq.eqn);
    drv_sq_create(t.d, &sq, 4, &cq, 0);
    for (i = 0; i < N; i++) {
        send_numbered(&t, &t.sq, i);
    }
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    send_numbered(&t, &sq, 0x7777);
    drv_sq_ring(t.d, &sq);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &cq, cqe));
    drv_cmd_id_ok(t.d, OP_NOP, 0);
    for (i = 0; i <= N; i++) {
        g_assert_cmpuint(drv_wire_recv(t.d, buf), ==, 64);
        if (buf[20] == 0x77) {
            g_assert_false(marker);
            marker = true;
        } else {
            g_assert_cmpuint(buf[20] << 8 | buf[21], ==, next++);
        }
    }
    g_assert_true(marker);
    drv_sq_expect(t.d, &sq, 0);
    for (i = 0; i < N; i++) {
        drv_sq_expect(t.d, &t.sq, i);
    }
    drv_stop(t.d);
}

/* The queue, or the whole device, goes away while it is stuck. */
static void test_blocked_destroy(void)
{
    enum { N = 200 };
    uint8_t buf[DRV_MAX_FRAME];
    unsigned i, got;
    TxRig t;
    DrvCq cq;
    DrvSq sq;

    narrow_rig(&t, 8);
    for (i = 0; i < N; i++) {
        send_numbered(&t, &t.sq, i);
    }
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    drv_cmd_id_ok(t.d, OP_DESTROY_SQ, t.sq.sqn);
    drv_cmd_id_ok(t.d, OP_DESTROY_CQ, t.cq.cqn);
    /* A new queue takes over where the wire is free again. */
    drv_cq_create(t.d, &cq, 4, t.eq.eqn);
    drv_sq_create(t.d, &sq, 4, &cq, 0);
    send_numbered(&t, &sq, 0x7777);
    drv_sq_ring(t.d, &sq);
    for (got = 0;; got++) {
        g_assert_cmpuint(drv_wire_recv(t.d, buf), ==, 64);
        if (buf[20] == 0x77) {
            break;
        }
        g_assert_cmpuint(buf[20] << 8 | buf[21], ==, got);
    }
    g_assert_cmpuint(got, <, N);
    drv_sq_expect(t.d, &sq, 0);
    drv_stop(t.d);
}

static void test_blocked_reset(void)
{
    enum { N = 200 };
    uint8_t buf[DRV_MAX_FRAME];
    unsigned i;
    TxRig t;

    narrow_rig(&t, 8);
    for (i = 0; i < N; i++) {
        send_numbered(&t, &t.sq, i);
    }
    drv_sq_ring(t.d, &t.sq);
    wait_blocked(t.d);
    qtest_system_reset(t.d->qts);
    g_assert_cmpuint(drv_objects_total(t.d), ==, 0);
    drv_map(t.d);
    drv_cmdq_init(t.d);
    drv_hca_up(t.d);
    drv_eq_create(t.d, &t.eq, 6, 0, 0);
    drv_cq_create(t.d, &t.cq, 4, t.eq.eqn);
    drv_sq_create(t.d, &t.sq, 4, &t.cq, 0);
    send_numbered(&t, &t.sq, 0x7777);
    drv_sq_ring(t.d, &t.sq);
    do {
        g_assert_cmpuint(drv_wire_recv(t.d, buf), ==, 64);
    } while (buf[20] != 0x77);
    drv_sq_expect(t.d, &t.sq, 0);
    drv_stop(t.d);
}

void mlx5_tx_error_tests(void)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autofree char *name = g_strdup_printf("mlx5-ktls/tx-malformed/%s",
                                                malformed[i].name);

        qtest_add_data_func(name, GUINT_TO_POINTER(i), test_malformed);
    }
    qtest_add_func("mlx5-ktls/tx-error/post-in-error", test_post_in_error);
    qtest_add_func("mlx5-ktls/tx-error/post-in-reset", test_post_in_reset);
    qtest_add_func("mlx5-ktls/tx-error/dbr-overrun", test_dbr_overrun);
    qtest_add_func("mlx5-ktls/tx-error/no-memory", test_no_memory);
    qtest_add_func("mlx5-ktls/tx-blocked/in-order", test_blocked);
    qtest_add_func("mlx5-ktls/tx-blocked/lso", test_blocked_lso);
    qtest_add_func("mlx5-ktls/tx-blocked/mpsw", test_blocked_mpsw);
    qtest_add_func("mlx5-ktls/tx-blocked/others", test_blocked_others);
    qtest_add_func("mlx5-ktls/tx-blocked/destroy", test_blocked_destroy);
    qtest_add_func("mlx5-ktls/tx-blocked/reset", test_blocked_reset);
}
