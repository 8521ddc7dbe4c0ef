/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of packets without a receive WQE: held for a while until the driver has
 * refilled, finally dropped and counted. Only tests advance the virtual clock.
 * Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define MS 1000000ll

static void numbered(uint8_t frame[64], unsigned n)
{
    memset(frame, 0, 64);
    frame[0] = 0x02;
    frame[20] = n;
}

static void send_numbered(RxRig *r, unsigned n)
{
    uint8_t frame[64];

    numbered(frame, n);
    drv_wire_send(r->d, frame, sizeof(frame));
}

/* The next CQE is for WQE @index and frame @n. */
static void expect_numbered(RxRig *r, uint16_t index, unsigned n)
{
    uint8_t frame[64], buf[64], cqe[64];

    drv_cq_wait(r->d, &r->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
    numbered(frame, n);
    drv_read(r->d, rx_rig_buf(r, index), buf, sizeof(buf));
    g_assert_cmpmem(buf, sizeof(buf), frame, sizeof(frame));
}

/* out_of_buffer of the rig's counter set; @clear resets it. */
static uint32_t out_of_buffer(RxRig *r, bool clear)
{
    uint8_t in[32] = { 0 }, out[256];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_Q_COUNTER);
    MLX5_SET(query_q_counter_in, in, clear, clear);
    MLX5_SET(query_q_counter_in, in, counter_set_id, r->counter);
    drv_cmd_ok(r->d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(query_q_counter_out, out, out_of_buffer);
}

/* One WQE, two frames: the first is received, the second waits. */
static void start_holding(RxRig *r, const char *props)
{
    rx_rig(r, props, false, 0);
    rx_rig_fill(r, 1);
    send_numbered(r, 0);
    expect_numbered(r, 0, 0);
    send_numbered(r, 1);
    DRV_WAIT(drv_counter(r->d, "rx_held") > 0);
}

static void expect_nothing(RxRig *r)
{
    uint8_t cqe[64];

    drv_settle(r->d);
    g_assert_false(drv_cq_peek(r->d, &r->cq, cqe));
}

/*
 * The driver refills, which no register sees, and arms its CQ, which one does.
 */
static void test_arm(void)
{
    RxRig r;
    unsigned i;

    start_holding(&r, "");
    for (i = 2; i < 6; i++) {
        send_numbered(&r, i);
    }
    expect_nothing(&r);
    rx_rig_fill(&r, 2);
    expect_nothing(&r);
    drv_cq_arm(r.d, &r.cq, false);
    expect_numbered(&r, 1, 1);
    expect_numbered(&r, 2, 2);
    expect_nothing(&r);
    rx_rig_fill(&r, 3);
    drv_cq_arm(r.d, &r.cq, false);
    for (i = 3; i < 6; i++) {
        expect_numbered(&r, i, i);
    }
    g_assert_cmpuint(out_of_buffer(&r, false), ==, 0);
    drv_stop(r.d);
}

/* A driver that polls and never arms: a timer looks again. */
static void test_timer(void)
{
    RxRig r;

    start_holding(&r, "");
    rx_rig_fill(&r, 1);
    expect_nothing(&r);
    qtest_clock_step(r.d->qts, 2 * MS);
    expect_numbered(&r, 1, 1);
    g_assert_cmpuint(out_of_buffer(&r, false), ==, 0);
    drv_stop(r.d);
}

/* Arming without a refill changes nothing: the packet is kept, once. */
static void test_arm_without_refill(void)
{
    unsigned i;
    RxRig r;

    start_holding(&r, "");
    for (i = 0; i < 10; i++) {
        drv_cq_arm(r.d, &r.cq, false);
        expect_nothing(&r);
    }
    rx_rig_fill(&r, 2);
    drv_cq_arm(r.d, &r.cq, false);
    expect_numbered(&r, 1, 1);
    expect_nothing(&r);
    drv_stop(r.d);
}

static void test_give_up(void)
{
    RxRig r;

    start_holding(&r, "");
    /* 1 s by default: not before ... */
    qtest_clock_step(r.d->qts, 998 * MS);
    g_assert_cmpuint(out_of_buffer(&r, false), ==, 0);
    /* ... but then. */
    qtest_clock_step(r.d->qts, 5 * MS);
    DRV_WAIT(out_of_buffer(&r, false) == 1);
    g_assert_cmpuint(drv_counter(r.d, "rx_out_of_buffer"), ==, 1);
    /* The driver is gone, so it seems: the next ones do not wait. */
    send_numbered(&r, 2);
    send_numbered(&r, 3);
    DRV_WAIT(out_of_buffer(&r, false) == 3);
    /* It comes back: from now on packets are received, and kept, again. */
    rx_rig_fill(&r, 1);
    send_numbered(&r, 4);
    expect_numbered(&r, 1, 4);
    send_numbered(&r, 5);
    expect_nothing(&r);
    rx_rig_fill(&r, 1);
    drv_cq_arm(r.d, &r.cq, false);
    expect_numbered(&r, 2, 5);
    g_assert_cmpuint(out_of_buffer(&r, true), ==, 3);
    g_assert_cmpuint(out_of_buffer(&r, false), ==, 0);
    drv_stop(r.d);
}

/*
 * It holds for the time that was asked for, at both ends of the range and about
 * where milliseconds in nanoseconds need more than 32 bits.
 */
static void test_hold_ms(void)
{
    static const unsigned ms[] = { 1, 2000, 4294, 4295, 60000 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(ms); i++) {
        g_autofree char *props = g_strdup_printf(",rx-hold-ms=%u", ms[i]);
        RxRig r;

        start_holding(&r, props);
        qtest_clock_step(r.d->qts, ms[i] * MS - 1);
        expect_nothing(&r);
        g_assert_cmpuint(out_of_buffer(&r, false), ==, 0);
        /* The timer looks once a millisecond. */
        qtest_clock_step(r.d->qts, 1 * MS);
        DRV_WAIT(out_of_buffer(&r, false) == 1);
        drv_stop(r.d);
    }
}

/* No time at all is the same as dropping. */
static void test_hold_ms_zero(void)
{
    RxRig r;

    rx_rig(&r, ",rx-hold-ms=0", false, 0);
    rx_rig_fill(&r, 1);
    send_numbered(&r, 0);
    send_numbered(&r, 1);
    expect_numbered(&r, 0, 0);
    qtest_clock_step(r.d->qts, 2 * MS);
    DRV_WAIT(out_of_buffer(&r, false) == 1);
    drv_stop(r.d);
}

static void test_drop(void)
{
    unsigned i;
    RxRig r;

    rx_rig(&r, ",rx-no-buffer=drop", false, 0);
    rx_rig_fill(&r, 2);
    for (i = 0; i < 5; i++) {
        send_numbered(&r, i);
    }
    DRV_WAIT(out_of_buffer(&r, false) == 3);
    expect_numbered(&r, 0, 0);
    expect_numbered(&r, 1, 1);
    g_assert_cmpuint(drv_counter(r.d, "rx_held"), ==, 0);
    rx_rig_fill(&r, 1);
    send_numbered(&r, 9);
    expect_numbered(&r, 2, 9);
    drv_stop(r.d);
}

/* A queue that never had a WQE is the driver's drop queue. */
static void test_never_filled(void)
{
    RxRig r;

    rx_rig(&r, "", false, 0);
    send_numbered(&r, 0);
    send_numbered(&r, 1);
    DRV_WAIT(out_of_buffer(&r, false) == 2);
    g_assert_cmpuint(drv_counter(r.d, "rx_held"), ==, 0);
    rx_rig_fill(&r, 1);
    send_numbered(&r, 2);
    expect_numbered(&r, 0, 2);
    drv_stop(r.d);
}

/*
 * While a packet is kept the queue, the steering or the whole device goes
 * away; the packet goes where a new one would go then.
 */
static void test_teardown(void)
{
    uint8_t frame[64], buf[64], cqe[64];
    DrvSeg seg = { .len = 2048 };
    DrvRq other;
    RxRig r;

    /* steered to another queue */
    start_holding(&r, "");
    drv_unsteer(r.d, &r.st);
    drv_rq_create(r.d, &other, 4, 4, &r.cq, 0, false);
    seg.addr = drv_mem(r.d, 2048);
    drv_rq_post(r.d, &other, &seg, 1);
    drv_rq_publish(r.d, &other);
    drv_steer_all(r.d, &r.st, drv_tir_direct(r.d, other.rqn), 0);
    drv_cq_arm(r.d, &r.cq, false);
    drv_cq_wait(r.d, &r.cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, other.rqn);
    numbered(frame, 1);
    drv_read(r.d, seg.addr, buf, sizeof(buf));
    g_assert_cmpmem(buf, 64, frame, 64);
    drv_stop(r.d);

    /* the queue destroyed */
    start_holding(&r, "");
    drv_unsteer(r.d, &r.st);
    drv_cmd_id_ok(r.d, OP_DESTROY_TIR, r.tir);
    drv_cmd_id_ok(r.d, OP_DESTROY_RQ, r.rq.rqn);
    qtest_clock_step(r.d->qts, 5 * MS);
    DRV_WAIT(drv_counter(r.d, "rx_steer_miss") == 1);
    drv_stop(r.d);

    /* reset */
    start_holding(&r, "");
    qtest_system_reset(r.d->qts);
    drv_map(r.d);
    drv_cmdq_init(r.d);
    drv_hca_up(r.d);
    qtest_clock_step(r.d->qts, 1000 * MS);
    drv_stop(r.d);
}

void mlx5_rx_hold_tests(void)
{
    qtest_add_func("mlx5-ktls/rx-hold/arm", test_arm);
    qtest_add_func("mlx5-ktls/rx-hold/timer", test_timer);
    qtest_add_func("mlx5-ktls/rx-hold/arm-without-refill",
                   test_arm_without_refill);
    qtest_add_func("mlx5-ktls/rx-hold/give-up", test_give_up);
    qtest_add_func("mlx5-ktls/rx-hold/hold-ms", test_hold_ms);
    qtest_add_func("mlx5-ktls/rx-hold/hold-ms-zero", test_hold_ms_zero);
    qtest_add_func("mlx5-ktls/rx-hold/drop", test_drop);
    qtest_add_func("mlx5-ktls/rx-hold/never-filled", test_never_filled);
    qtest_add_func("mlx5-ktls/rx-hold/teardown", test_teardown);
}
