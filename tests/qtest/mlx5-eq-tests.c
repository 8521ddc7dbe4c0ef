/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of event and completion queues: owner bits, arming, interrupts, full
 * queues. The entries come from NOPs, both commands and send queue WQEs. Owns
 * no state.
 */
#include "mlx5-drv.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-tests.h"

#define CMD_EVENTS (1ull << EVENT_CMD)
#define ERROR_EVENTS (1ull << EVENT_CQ_ERROR)

/* ---------------------------------------------------------------- EQ --- */

/* An armed EQ for command events, nothing on it. */
static void cmd_eq(Drv *d, DrvEq *eq, unsigned log_size, unsigned intr)
{
    uint8_t eqe[64];

    drv_eq_create(d, eq, log_size, intr, CMD_EVENTS);
    drv_eq_update(d, eq, true);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, eq, eqe));
}

static void nop(Drv *d)
{
    drv_cmd_id_ok(d, OP_NOP, 0);
}

static void test_eq_wrap(void)
{
    /* Less than a page, and several pages. */
    static const unsigned sizes[] = { 0, 1, 2, 6, 8 };
    Drv *d = drv_start_up("");
    unsigned i, n;

    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint8_t eqe[64];
        DrvEq eq;

        cmd_eq(d, &eq, sizes[i], 0);
        for (n = 0; n < (3u << sizes[i]) + 1; n++) {
            nop(d);
            drv_eq_wait(d, &eq, eqe);
            g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_CMD);
            g_assert_cmphex(MLX5_GET(eqe_cmd, eqe, command_completion_vector),
                            ==, 1);
            drv_eq_update(d, &eq, n & 1);
        }
        drv_settle(d);
        g_assert_false(drv_eq_poll(d, &eq, eqe));
        drv_cmd_id_ok(d, OP_DESTROY_EQ, eq.eqn);
    }
    drv_stop(d);
}

/* Entries that the driver has not taken are never written over. */
static void test_eq_full(void)
{
    Drv *d = drv_start_up("");
    uint8_t eqe[64], before[256], after[256];
    unsigned i;
    DrvEq eq;

    cmd_eq(d, &eq, 2, 0);
    for (i = 0; i < 4; i++) {
        nop(d);
    }
    drv_settle(d);
    drv_read(d, eq.buf, before, sizeof(before));
    for (i = 0; i < 20; i++) {
        nop(d);
    }
    drv_settle(d);
    drv_read(d, eq.buf, after, sizeof(after));
    g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
    for (i = 0; i < 4; i++) {
        g_assert_true(drv_eq_poll(d, &eq, eqe));
    }
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    /* With room again, events come again. */
    drv_eq_update(d, &eq, true);
    nop(d);
    drv_eq_wait(d, &eq, eqe);
    drv_stop(d);
}

static void test_eq_arm(void)
{
    Drv *d = drv_start_up("");
    uint8_t eqe[64];
    DrvEq eq;

    drv_msix_init(d);
    cmd_eq(d, &eq, 6, 3);
    g_assert_false(drv_msix_fired(d, 3));
    /* Armed before: the event interrupts, once. */
    nop(d);
    DRV_WAIT(drv_msix_fired(d, 3));
    nop(d);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    /* Armed after: what the driver has not seen interrupts at once. */
    drv_eq_wait(d, &eq, eqe);
    drv_eq_update(d, &eq, true);
    DRV_WAIT(drv_msix_fired(d, 3));
    /* Armed with nothing unseen: nothing, until the next event. */
    drv_eq_wait(d, &eq, eqe);
    drv_eq_update(d, &eq, true);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    nop(d);
    DRV_WAIT(drv_msix_fired(d, 3));
    /* The other doorbell tells the index and does not arm. */
    drv_eq_wait(d, &eq, eqe);
    drv_eq_update(d, &eq, false);
    nop(d);
    drv_eq_wait(d, &eq, eqe);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    /* No other vector has been used. */
    g_assert_false(drv_msix_fired(d, 0));
    g_assert_false(drv_msix_fired(d, 2));
    g_assert_false(drv_msix_fired(d, 4));
    drv_stop(d);
}

/*
 * Each EQ that asked for an event gets it, on its own vector or a shared one.
 */
static void test_eq_several(void)
{
    static const unsigned vector[] = { 5, 0, 5 };
    Drv *d = drv_start_up("");
    uint8_t eqe[64];
    DrvEq eq[3], other;
    unsigned i;

    drv_msix_init(d);
    for (i = 0; i < 3; i++) {
        drv_eq_create(d, &eq[i], 4, vector[i], CMD_EVENTS);
    }
    drv_eq_create(d, &other, 4, 1, ERROR_EVENTS);
    drv_eq_update(d, &other, true);
    for (i = 0; i < 3; i++) {
        while (drv_eq_poll(d, &eq[i], eqe)) {
            continue; /* of the CREATE_EQs that came after it */
        }
        drv_eq_update(d, &eq[i], true);
    }
    drv_settle(d);
    drv_msix_fired(d, 5);
    drv_msix_fired(d, 0);
    nop(d);
    for (i = 0; i < 3; i++) {
        drv_eq_wait(d, &eq[i], eqe);
    }
    DRV_WAIT(drv_msix_fired(d, 5));
    DRV_WAIT(drv_msix_fired(d, 0));
    g_assert_false(drv_eq_poll(d, &other, eqe));
    g_assert_false(drv_msix_fired(d, 1));
    drv_stop(d);
}

/* A masked vector pends, and fires when it is unmasked. */
static void test_eq_masked(void)
{
    Drv *d = drv_start_up("");
    uint64_t ctrl;
    DrvEq eq;

    drv_msix_init(d);
    ctrl = d->pci->msix_table_off + 2 * PCI_MSIX_ENTRY_SIZE +
           PCI_MSIX_ENTRY_VECTOR_CTRL;
    cmd_eq(d, &eq, 4, 2);
    qpci_io_writel(d->pci, d->pci->msix_table_bar, ctrl, 1);
    nop(d);
    DRV_WAIT(qpci_msix_pending(d->pci, 2));
    g_assert_false(drv_msix_fired(d, 2));
    qpci_io_writel(d->pci, d->pci->msix_table_bar, ctrl, 0);
    g_assert_false(qpci_msix_pending(d->pci, 2));
    g_assert_true(drv_msix_fired(d, 2));
    drv_stop(d);
}

/* ---------------------------------------------------------------- CQ --- */

typedef struct Cqs {
    DrvEq events; /* asynchronous ones, vector 0 */
    DrvEq eq;     /* completions, vector 1 */
    DrvCq cq;
    DrvSq sq;
} Cqs;

static void make_cq(Drv *d, Cqs *c, unsigned log_size)
{
    drv_msix_init(d);
    drv_eq_create(d, &c->events, 4, 0, ERROR_EVENTS);
    drv_eq_update(d, &c->events, true);
    drv_eq_create(d, &c->eq, 6, 1, 0);
    drv_eq_update(d, &c->eq, true);
    drv_cq_create(d, &c->cq, log_size, c->eq.eqn);
    drv_sq_create(d, &c->sq, 6, &c->cq, 0);
}

/* Makes the send queue write @n CQEs. */
static void complete(Drv *d, Cqs *c, unsigned n)
{
    DrvWqe w;

    while (n--) {
        drv_wqe(&w, &c->sq, WQE_NOP, true);
        drv_sq_put(d, &c->sq, &w);
    }
    drv_sq_ring(d, &c->sq);
}

static void test_cq_wrap(void)
{
    static const unsigned sizes[] = { 0, 1, 3, 7 };
    unsigned i, n;

    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Drv *d = drv_start_up("");
        uint8_t cqe[64];
        Cqs c;

        make_cq(d, &c, sizes[i]);
        for (n = 0; n < (3u << sizes[i]) + 1; n++) {
            complete(d, &c, 1);
            drv_cq_wait(d, &c.cq, cqe);
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ);
            g_assert_cmphex(MLX5_GET(cqe, cqe, s_wqe_opcode), ==, WQE_NOP);
            g_assert_cmpuint(MLX5_GET(cqe, cqe, sqn), ==, c.sq.sqn);
            g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, n);
        }
        drv_settle(d);
        g_assert_false(drv_cq_peek(d, &c.cq, cqe));
        drv_stop(d);
    }
}

/* The next EQE must say that the CQ has something. */
static void expect_comp(Drv *d, Cqs *c)
{
    uint8_t eqe[64];

    drv_eq_wait(d, &c->eq, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_COMP);
    g_assert_cmpuint(MLX5_GET(eqe_comp, eqe, cqn), ==, c->cq.cqn);
    DRV_WAIT(drv_msix_fired(d, 1));
    drv_eq_update(d, &c->eq, true);
}

static void expect_no_comp(Drv *d, Cqs *c)
{
    uint8_t eqe[64];

    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &c->eq, eqe));
    g_assert_false(drv_msix_fired(d, 1));
}

static void test_cq_arm(void)
{
    Drv *d = drv_start_up("");
    uint8_t cqe[64];
    Cqs c;

    make_cq(d, &c, 6);
    /* Never armed: no event. */
    complete(d, &c, 1);
    drv_cq_wait(d, &c.cq, cqe);
    expect_no_comp(d, &c);
    /* Armed with all seen: the next CQE gives one event, and only it. */
    drv_cq_arm(d, &c.cq, false);
    expect_no_comp(d, &c);
    complete(d, &c, 1);
    expect_comp(d, &c);
    complete(d, &c, 1);
    drv_cq_wait(d, &c.cq, cqe);
    expect_no_comp(d, &c);
    /* One CQE unseen: arming announces it at once. */
    drv_cq_arm(d, &c.cq, false);
    expect_comp(d, &c);
    drv_cq_wait(d, &c.cq, cqe);
    drv_cq_arm(d, &c.cq, false);
    expect_no_comp(d, &c);
    /* A batch is announced once. */
    complete(d, &c, 10);
    expect_comp(d, &c);
    expect_no_comp(d, &c);
    drv_stop(d);
}

/* On a 32-bit host the doorbell comes in two halves. */
static void test_cq_arm_halves(void)
{
    Drv *d = drv_start_up("");
    uint32_t at;
    Cqs c;

    make_cq(d, &c, 6);
    at = c.cq.uar * 4096 + 0x20;
    complete(d, &c, 1);
    expect_no_comp(d, &c);
    drv_reg_write(d, at, 0);
    expect_no_comp(d, &c);
    drv_reg_write(d, at + 4, c.cq.cqn);
    expect_comp(d, &c);
    drv_stop(d);
}

static void test_cq_solicited(void)
{
    Drv *d = drv_start_up("");
    uint8_t cqe[64];
    DrvWqe w;
    Cqs c;

    make_cq(d, &c, 6);
    drv_cq_arm(d, &c.cq, true);
    complete(d, &c, 2);
    drv_cq_wait(d, &c.cq, cqe);
    drv_cq_wait(d, &c.cq, cqe);
    expect_no_comp(d, &c);
    /* An error is always worth an event. */
    drv_wqe(&w, &c.sq, 0x7f, true);
    drv_sq_put(d, &c.sq, &w);
    drv_sq_ring(d, &c.sq);
    expect_comp(d, &c);
    drv_cq_wait(d, &c.cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ_ERR);
    drv_stop(d);
}

static unsigned cq_status(Drv *d, DrvCq *cq)
{
    uint8_t in[16] = { 0 }, out[272];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_CQ);
    MLX5_SET(cmd_id, in, id, cq->cqn);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(cqc, out + 0x10, status);
}

/* A full CQ: an event, and nothing is written over. */
static void test_cq_overrun(void)
{
    Drv *d = drv_start_up("");
    uint8_t before[256], after[256], eqe[64];
    unsigned i;
    Cqs c;

    make_cq(d, &c, 2);
    complete(d, &c, 4);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &c.events, eqe));
    g_assert_cmphex(cq_status(d, &c.cq), ==, 0);
    drv_read(d, c.cq.buf, before, sizeof(before));
    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(MLX5_GET(cqe, before + i * 64, wqe_counter), ==, i);
    }
    complete(d, &c, 3);
    drv_eq_wait(d, &c.events, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_CQ_ERROR);
    g_assert_cmpuint(MLX5_GET(eqe_cq_error, eqe, cqn), ==, c.cq.cqn);
    g_assert_cmphex(MLX5_GET(eqe_cq_error, eqe, syndrome), ==, 1);
    DRV_WAIT(drv_msix_fired(d, 0));
    drv_read(d, c.cq.buf, after, sizeof(after));
    g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
    g_assert_cmphex(cq_status(d, &c.cq), ==, 9);
    /* One event tells it all. */
    complete(d, &c, 3);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &c.events, eqe));
    drv_stop(d);
}

/* The consumer index in memory alone makes room, no doorbell is needed. */
static void test_cq_set_ci(void)
{
    Drv *d = drv_start_up("");
    uint8_t cqe[64], eqe[64];
    unsigned i;
    Cqs c;

    make_cq(d, &c, 2);
    for (i = 0; i < 40; i++) {
        complete(d, &c, 4);
        drv_cq_wait(d, &c.cq, cqe);
        drv_cq_wait(d, &c.cq, cqe);
        drv_cq_wait(d, &c.cq, cqe);
        drv_cq_wait(d, &c.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i * 4 + 3);
    }
    g_assert_false(drv_eq_poll(d, &c.events, eqe));
    drv_stop(d);
}

/* Doorbells for numbers and pages that nobody has are ignored. */
static void test_doorbell_strays(void)
{
    Drv *d = drv_start_up("");
    uint32_t page, off;
    uint8_t cqe[64];
    Cqs c;

    make_cq(d, &c, 4);
    for (page = 3; page < 8192; page += 907) {
        for (off = 0; off < 4096; off += 0x20) {
            drv_reg_write(d, page * 4096 + off, 0xffffffff);
            drv_reg_write64(d, page * 4096 + off, ~0ull);
        }
    }
    /* A page that is not allocated passes nothing on. */
    c.sq.uar = 100;
    complete(d, &c, 1);
    drv_settle(d);
    g_assert_false(drv_cq_peek(d, &c.cq, cqe));
    c.sq.uar = d->uar;
    drv_sq_ring(d, &c.sq);
    drv_sq_expect(d, &c.sq, 0);
    drv_stop(d);
}

/* Either register of the queue's page, and either buffer, rings. */
static void test_doorbell_registers(void)
{
    static const uint32_t off[] = { 0x800, 0x900, 0xa00, 0xb00 };
    Drv *d = drv_start_up("");
    uint32_t i;
    Cqs c;
    DrvWqe w;

    make_cq(d, &c, 4);
    for (i = 0; i < 2 * G_N_ELEMENTS(off); i++) {
        uint32_t at = d->uar * 4096 + off[i / 2];
        uint16_t index;

        drv_wqe(&w, &c.sq, WQE_NOP, true);
        index = drv_sq_put(d, &c.sq, &w);
        drv_write32(d, c.sq.dbr + 4, c.sq.pc);
        if (i % 3) {
            drv_reg_write64(d, at, mlx5_ld64(w.b));
        } else {
            /* as two halves */
            drv_reg_write(d, at, mlx5_ld32(w.b));
            drv_reg_write(d, at + 4, mlx5_ld32(w.b + 4));
        }
        drv_sq_expect(d, &c.sq, index);
    }
    drv_stop(d);
}

static void test_cq_moderation(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[272] = { 0 }, out[272];
    Cqs c;

    make_cq(d, &c, 4);
    MLX5_SET(cmd_in, in, opcode, 0x403);
    MLX5_SET(cmd_id, in, id, c.cq.cqn);
    MLX5_SET(modify_cq_in, in, modify_field_select, 0x13);
    MLX5_SET(cqc, in + 0x10, cq_period, 16);
    MLX5_SET(cqc, in + 0x10, cq_max_count, 64);
    MLX5_SET(cqc, in + 0x10, cq_period_mode, 1);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    memset(out, 0, sizeof(out));
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_CQ);
    drv_cmd_ok(d, in, 16, out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(cqc, out + 0x10, cq_period), ==, 16);
    g_assert_cmpuint(MLX5_GET(cqc, out + 0x10, cq_max_count), ==, 64);
    g_assert_cmpuint(MLX5_GET(cqc, out + 0x10, cq_period_mode), ==, 1);
    /* Moderated or not, an event comes without further traffic. */
    drv_cq_arm(d, &c.cq, false);
    complete(d, &c, 1);
    expect_comp(d, &c);
    /* What cannot be modified is refused. */
    MLX5_SET(cmd_in, in, opcode, 0x403);
    MLX5_SET(modify_cq_in, in, modify_field_select, 0x100);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_MODIFY_NOTHING_KNOWN);
    drv_stop(d);
}

void mlx5_eq_tests(void)
{
    qtest_add_func("mlx5-ktls/eq/wrap", test_eq_wrap);
    qtest_add_func("mlx5-ktls/eq/full", test_eq_full);
    qtest_add_func("mlx5-ktls/eq/arm", test_eq_arm);
    qtest_add_func("mlx5-ktls/eq/several", test_eq_several);
    qtest_add_func("mlx5-ktls/eq/masked", test_eq_masked);
    qtest_add_func("mlx5-ktls/cq/wrap", test_cq_wrap);
    qtest_add_func("mlx5-ktls/cq/arm", test_cq_arm);
    qtest_add_func("mlx5-ktls/cq/arm-halves", test_cq_arm_halves);
    qtest_add_func("mlx5-ktls/cq/solicited", test_cq_solicited);
    qtest_add_func("mlx5-ktls/cq/overrun", test_cq_overrun);
    qtest_add_func("mlx5-ktls/cq/set-ci", test_cq_set_ci);
    qtest_add_func("mlx5-ktls/cq/moderation", test_cq_moderation);
    qtest_add_func("mlx5-ktls/doorbell/strays", test_doorbell_strays);
    qtest_add_func("mlx5-ktls/doorbell/registers", test_doorbell_registers);
}
