/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of QUERY_VNIC_ENV: each counter is increased by its cause, and by
 * nothing else. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define OP_QUERY_VNIC_ENV 0x76f
#define OP_MODIFY_VPORT_STATE 0x751
#define CMD_EVENTS (1ull << EVENT_CMD)

/* Reads a counter, and what the others of the structure add up to. */
typedef struct Env {
    uint8_t bytes[512];
} Env;

static void query(Drv *d, Env *e)
{
    uint8_t in[16] = { 0 }, out[16 + sizeof(e->bytes)];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_VNIC_ENV);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    memcpy(e->bytes, out + 16, sizeof(e->bytes));
}

/* The counter @field is @n, and no other has moved since @before. */
#define EXPECT_ENV(d, before, field, n)                                       \
    do {                                                                      \
        Env now_, want_ = *(before);                                          \
        query((d), &now_);                                                    \
        MLX5_SET(vnic_diagnostic_statistics, want_.bytes, field, (n));        \
        g_assert_cmpuint(                                                     \
            MLX5_GET64(vnic_diagnostic_statistics, now_.bytes, field), ==,    \
            (n));                                                             \
        g_assert_cmpmem(now_.bytes, sizeof(now_.bytes), want_.bytes,          \
                        sizeof(want_.bytes));                                 \
        *(before) = now_;                                                     \
    } while (0)

static void expect_zero(Drv *d, Env *e)
{
    static const Env zero;

    query(d, e);
    g_assert_cmpmem(e->bytes, sizeof(e->bytes), zero.bytes,
                    sizeof(zero.bytes));
}

/* All are zero after INIT_HCA, again after a teardown; each is announced. */
static void test_start(void)
{
    uint8_t in[16] = { 0 }, page[DRV_CAP_PAGE];
    Drv *d = drv_start_up("");
    Env e;

    expect_zero(d, &e);
    drv_query_cap(d, 0, false, page);
#define ANNOUNCED(cap) g_assert_true(MLX5_GET(cmd_hca_cap, page, cap))
    ANNOUNCED(vnic_env_queue_counters);
    ANNOUNCED(vnic_env_cq_overrun);
    ANNOUNCED(vnic_env_cnt_steering_fail);
    ANNOUNCED(nic_receive_steering_discard);
    ANNOUNCED(receive_discard_vport_down);
    ANNOUNCED(transmit_discard_vport_down);
    ANNOUNCED(eq_overrun_count);
    ANNOUNCED(invalid_command_count);
    ANNOUNCED(quota_exceeded_count);
    ANNOUNCED(eth_wqe_too_small);
#undef ANNOUNCED
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_VNIC_ENV);
    MLX5_SET(cmd_in, in, op_mod, 1);
    drv_cmd_fails(d, in, sizeof(in), 528, MLX5_STATUS_BAD_OP,
                  MLX5_SYN_BAD_OP_MOD);
    MLX5_SET(cmd_in, in, op_mod, 0);
    MLX5_SET(vport_cmd_in, in, vport_number, 1);
    drv_cmd_fails(d, in, sizeof(in), 528, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_OTHER_VPORT);
    EXPECT_ENV(d, &e, invalid_command, 2);
    drv_hca_down(d);
    drv_hca_up(d);
    expect_zero(d, &e);
    drv_stop(d);
}

/* Refused commands, those for which there is no room told apart. */
static void test_commands(void)
{
    Drv *d = drv_start_up(",log-max-tis=4");
    uint8_t in[16] = { 0 };
    unsigned i;
    Env e;

    expect_zero(d, &e);
    for (i = 0; i < 16; i++) {
        drv_tis_create(d);
    }
    EXPECT_ENV(d, &e, invalid_command, 0);
    for (i = 1; i <= 3; i++) {
        uint32_t len;
        g_autofree uint8_t *tis = drv_tis_cmd(d, &len);

        g_assert_cmphex(drv_cmd(d, tis, len, NULL, 16).status, ==,
                        MLX5_STATUS_EXCEED_LIM);
        EXPECT_ENV(d, &e, quota_exceeded_command, i);
    }
    MLX5_SET(cmd_in, in, opcode, 0xfff);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_OP,
                  MLX5_SYN_UNKNOWN_OPCODE);
    EXPECT_ENV(d, &e, invalid_command, 1);
    drv_cmd_id_fails(d, OP_DESTROY_CQ, 77, MLX5_STATUS_BAD_RES,
                     MLX5_SYN_NO_SUCH_CQ);
    EXPECT_ENV(d, &e, invalid_command, 2);
    drv_stop(d);
}

/* Frames that no entry takes, and the other counters' clear does not matter. */
static void test_miss(void)
{
    uint8_t frame[60] = { 2 }, in[32] = { 0 };
    Drv *d = drv_start_up("");
    Env e;

    expect_zero(d, &e);
    drv_wire_send(d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(d, "rx_steer_miss") == 1);
    EXPECT_ENV(d, &e, nic_receive_steering_discard, 1);
    MLX5_SET(cmd_in, in, opcode, 0x770);
    MLX5_SET(query_vport_counter_in, in, clear, 1);
    drv_cmd_ok(d, in, sizeof(in), NULL, 528);
    drv_wire_send(d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(d, "rx_steer_miss") == 1);
    EXPECT_ENV(d, &e, nic_receive_steering_discard, 2);
    drv_stop(d);
}

/* Packets longer than their WQE are no error of the queue; a bad key is. */
static void test_receive_queue(void)
{
    uint8_t frame[200] = { 2 }, cqe[64];
    DrvSeg seg;
    unsigned i;
    RxRig r;
    Env e;

    rx_rig(&r, "", false, 0);
    query(r.d, &e);
    seg = (DrvSeg) { .addr = r.buf, .len = 199 };
    for (i = 1; i <= 2; i++) {
        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, frame, sizeof(frame));
        drv_cq_wait(r.d, &r.cq, cqe);
        EXPECT_ENV(r.d, &e, eth_wqe_too_small, i);
    }
    seg = (DrvSeg) { .addr = r.buf, .len = 200, .lkey = 0xdead00 };
    drv_rq_post(r.d, &r.rq, &seg, 1);
    drv_rq_publish(r.d, &r.rq);
    drv_wire_send(r.d, frame, sizeof(frame));
    drv_cq_wait(r.d, &r.cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_PROT);
    EXPECT_ENV(r.d, &e, total_error_queues, 1);
    drv_stop(r.d);
}

static void test_send_queue(void)
{
    DrvWqe w;
    TxRig t;
    Env e;

    tx_rig(&t, 6);
    query(t.d, &e);
    drv_wqe(&w, &t.sq, 0x7f, true);
    drv_sq_put(t.d, &t.sq, &w);
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect_error(t.d, &t.sq, 0, SYN_QP_OP);
    EXPECT_ENV(t.d, &e, total_error_queues, 1);
    /* A driver that stops a queue itself has made no error. */
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_ERR, DRV_RST).status, ==, 0);
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_RST, DRV_RDY).status, ==, 0);
    g_assert_cmphex(drv_sq_modify(t.d, &t.sq, DRV_RDY, DRV_ERR).status, ==, 0);
    EXPECT_ENV(t.d, &e, total_error_queues, 1);
    drv_stop(t.d);
}

static void nops(Drv *d, DrvSq *sq, unsigned n)
{
    DrvWqe w;

    while (n--) {
        drv_wqe(&w, sq, WQE_NOP, true);
        drv_sq_put(d, sq, &w);
    }
    drv_sq_ring(d, sq);
}

/* Queues without room: a CQ once, EQs for each event that is lost. */
static void test_overruns(void)
{
    Drv *d = drv_start_up("");
    DrvEq comp, async;
    unsigned i;
    DrvCq cq;
    DrvSq sq;
    Env e;

    drv_eq_create(d, &comp, 0, 1, 0);
    drv_cq_create(d, &cq, 3, comp.eqn);
    drv_sq_create(d, &sq, 6, &cq, drv_tis_create(d));
    query(d, &e);
    for (i = 0; i < 4; i++) {
        drv_cq_arm(d, &cq, false);
        nops(d, &sq, 1);
        drv_settle(d);
        EXPECT_ENV(d, &e, comp_eq_overrun, i);
    }
    nops(d, &sq, 4); /* the CQ has eight, four are there */
    drv_settle(d);
    EXPECT_ENV(d, &e, cq_overrun, 0);
    nops(d, &sq, 3);
    drv_settle(d);
    EXPECT_ENV(d, &e, cq_overrun, 1);
    /* One entry, so of the events of four commands, this query's too, ... */
    drv_eq_create(d, &async, 0, 0, CMD_EVENTS);
    query(d, &e);
    g_assert_cmpuint(MLX5_GET(vnic_diagnostic_statistics, e.bytes,
                              async_eq_overrun), ==, 0);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_settle(d);
    /* ... two are lost before this one is answered. */
    EXPECT_ENV(d, &e, async_eq_overrun, 2);
    drv_stop(d);
}

/* Sends a frame, whatever becomes of it. */
static void send_one(TxRig *t, const uint8_t *frame)
{
    uint16_t index = drv_sq_send(t->d, &t->sq, frame, 60, 0);

    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

static void vport_state(Drv *d, unsigned state)
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_MODIFY_VPORT_STATE);
    MLX5_SET(modify_vport_state_in, in, admin_state, state);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

/* Frames for a vport that is down, the port being up; and the other way. */
static void test_vport_down(void)
{
    uint8_t frame[60] = { 2 }, paos[16] = { 0 };
    TxRig t;
    Env e;

    tx_rig(&t, 6);
    query(t.d, &e);
    vport_state(t.d, 0);
    drv_wire_send(t.d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(t.d, "rx_link_down") == 1);
    EXPECT_ENV(t.d, &e, receive_discard_vport_down, 1);
    send_one(&t, frame);
    EXPECT_ENV(t.d, &e, transmit_discard_vport_down, 1);
    vport_state(t.d, 2);
    MLX5_SET(port_reg, paos, local_port, 1);
    MLX5_SET(paos_reg, paos, admin_status, 2);
    MLX5_SET(paos_reg, paos, ase, 1);
    g_assert_cmphex(drv_access_reg(t.d, 0x5006, true, paos, 16).status, ==, 0);
    send_one(&t, frame);
    g_assert_cmpuint(drv_counter(t.d, "tx_link_down"), ==, 2);
    EXPECT_ENV(t.d, &e, transmit_discard_vport_down, 1);
    drv_stop(t.d);
}

void mlx5_vnic_tests(void)
{
    qtest_add_func("mlx5-ktls/vnic/start", test_start);
    qtest_add_func("mlx5-ktls/vnic/commands", test_commands);
    qtest_add_func("mlx5-ktls/vnic/miss", test_miss);
    qtest_add_func("mlx5-ktls/vnic/receive-queue", test_receive_queue);
    qtest_add_func("mlx5-ktls/vnic/send-queue", test_send_queue);
    qtest_add_func("mlx5-ktls/vnic/overruns", test_overruns);
    qtest_add_func("mlx5-ktls/vnic/vport-down", test_vport_down);
}
