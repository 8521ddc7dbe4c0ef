/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of fault injection: rules as properties, faults of commands and of send
 * queues in general. mlx5-fault-tls-tests.c has those of TLS WQEs. Owns no
 * state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"

#define MS 1000000

/* ----------------------------------------------------------- properties --- */

static void test_rules(void)
{
    static const struct {
        const char *property;
        const char *value;
        const char *words; /* that the error must have */
    } refused[] = {
        { "fault", "", "expected rules, ACTION SUBJECT" },
        { "fault", "explode cmd=NOP", "or log), got 'explode'" },
        { "fault", "log cmd=any; fail cmd=NIP", "QUERY_HCA_CAP" },
        { "fault", "fail cmd=NIP", "SYNC_CRYPTO" },
        { "fault-clear", "", "expected all" },
        { "fault-clear", "0", "expected all" },
        { "fault-clear", "3", "expected all" },
        { "fault-clear", "one", "expected all" },
        { "fault-help", "x", "" },
        { "faults", "x", "" },
    };
    Drv *d = drv_start(",fault='log cmd=NOP;hold wqe=GET_PSV name=x'");
    QDict *rsp;
    unsigned i;

    g_assert_cmpuint(fault_count(d), ==, 2);
    for (i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *error = fault_set(d, refused[i].property,
                                           refused[i].value);

        g_test_message("%s", error);
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error, refused[i].words));
        g_assert_cmpuint(fault_count(d), ==, 2);
    }
    g_assert_cmpstr(fault_rule(d, 0).rule, ==, "log cmd=NOP");
    g_assert_cmpstr(fault_rule(d, 1).rule, ==, "hold wqe=GET_PSV name=x");
    g_assert_cmpuint(fault_rule(d, 1).id, ==, 2);
    fault_expect(d, 0, 0, 0, 0);
    fault_do(d, "fault-clear", "1");
    g_assert_cmpuint(fault_count(d), ==, 1);
    fault_add(d, "log wqe=any;log cmd=any");
    g_assert_cmpuint(fault_count(d), ==, 3);
    g_assert_cmpuint(fault_rule(d, 2).id, ==, 4);
    rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': {'path': %s, "
                    "'property': 'fault'}}", DRV_QOM_PATH);
    g_assert_cmpstr(qdict_get_str(rsp, "return"), ==,
                    "hold wqe=GET_PSV name=x; log wqe=any; log cmd=any");
    qobject_unref(rsp);
    rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': {'path': %s, "
                    "'property': 'fault-help'}}", DRV_QOM_PATH);
    g_assert_nonnull(strstr(qdict_get_str(rsp, "return"), "CREATE_TIS"));
    qobject_unref(rsp);
    fault_clear(d);
    g_assert_cmpuint(fault_count(d), ==, 0);
    /* Without rules and without anything that waits, both do nothing. */
    fault_clear(d);
    fault_release(d, "", 0);
    drv_cmdq_init(d);
    drv_stop(d);
}

/* ------------------------------------------------------------- commands --- */

static void pd_cmd(uint8_t in[16])
{
    memset(in, 0, 16);
    MLX5_SET(cmd_in, in, opcode, OP_ALLOC_PD);
}

static void test_cmd_fail(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16], out[16];
    uint64_t pds = drv_objects(d, "pd");
    DrvResult r;

    pd_cmd(in);
    fault_add(d, "fail cmd=ALLOC_PD,ALLOC_UAR status=0x8 syndrome=0xabcdef01 "
              "count=1 after=1");
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    r = drv_cmd(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, ==, 8);
    g_assert_cmphex(r.syndrome, ==, 0xabcdef01);
    g_assert_cmphex(MLX5_GET(cmd_id, out, id), ==, 0);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpuint(drv_objects(d, "pd"), ==, pds + 2);
    fault_expect(d, 0, 3, 1, 0);
    /* others never met it */
    drv_cmd_id_ok(d, OP_NOP, 0);
    fault_expect(d, 0, 3, 1, 0);
    fault_clear(d);
    drv_stop(d);
}

/* Success is said, nothing is done; the object that is named selects. */
static void test_cmd_swallow(void)
{
    Drv *d = drv_start_up("");
    uint32_t a = drv_alloc(d, OP_ALLOC_PD), b = drv_alloc(d, OP_ALLOC_PD);
    g_autofree char *rule = g_strdup_printf("swallow cmd=DEALLOC_PD id=%u", a);
    uint64_t pds = drv_objects(d, "pd");

    fault_add(d, rule);
    drv_cmd_id_ok(d, OP_DEALLOC_PD, a);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, pds);
    drv_cmd_id_ok(d, OP_DEALLOC_PD, b);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, pds - 1);
    fault_expect(d, 0, 1, 1, 0);
    fault_clear(d);
    drv_cmd_id_ok(d, OP_DEALLOC_PD, a);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, pds - 2);
    drv_stop(d);
}

/* Held before or after it is executed; others pass. Polled and by event. */
static void test_cmd_hold(void)
{
    unsigned execution, by_event;

    for (execution = 0; execution < 2; execution++) {
        for (by_event = 0; by_event < 2; by_event++) {
            Drv *d = drv_start_up("");
            uint64_t pds;
            uint8_t in[16], out[16], eqe[64];
            DrvCmd c;
            DrvEq eq;

            if (by_event) {
                drv_eq_create(d, &eq, 6, 0, 1ull << EVENT_CMD);
            }
            fault_add(d, execution ?
                      "hold cmd=ALLOC_PD at=execution name=a" :
                      "hold cmd=ALLOC_PD name=a");
            pds = drv_objects(d, "pd");
            pd_cmd(in);
            drv_cmd_post(d, &c, 5, in, sizeof(in), sizeof(out));
            drv_cmd_ring(d, 1u << 5);
            DRV_WAIT(fault_rule(d, 0).waiting == 1);
            /* Ringing again does not help it. */
            drv_cmd_ring(d, 1u << 5);
            drv_settle(d);
            g_assert_cmpuint(drv_objects(d, "pd"), ==, pds + !execution);
            g_assert_false(drv_cmd_done(d, &c));
            g_assert_false(by_event && drv_eq_poll(d, &eq, eqe));
            drv_cmd_id_ok(d, OP_NOP, 0);
            if (by_event) {
                drv_eq_wait(d, &eq, eqe);
                g_assert_cmphex(MLX5_GET(eqe_cmd, eqe,
                                         command_completion_vector), ==, 1);
            }
            fault_release(d, "b", 0);
            drv_settle(d);
            g_assert_false(drv_cmd_done(d, &c));
            fault_release(d, "a", 1);
            g_assert_cmphex(drv_cmd_finish(d, &c, out).status, ==, 0);
            g_assert_cmphex(MLX5_GET(cmd_id, out, id), !=, 0);
            g_assert_cmpuint(drv_objects(d, "pd"), ==, pds + 1);
            if (by_event) {
                drv_eq_wait(d, &eq, eqe);
                g_assert_cmphex(MLX5_GET(eqe_cmd, eqe,
                                         command_completion_vector), ==,
                                1u << 5);
            }
            fault_expect(d, 0, 1, 1, 0);
            fault_clear(d);
            drv_stop(d);
        }
    }
}

/* A failure may be late, too; clearing the rules ends the wait. */
static void test_cmd_hold_fail(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16], out[16];
    DrvResult r;
    DrvCmd c;

    fault_add(d, "hold cmd=ALLOC_PD at=execution;"
              "fail cmd=ALLOC_PD status=0x9");
    pd_cmd(in);
    drv_cmd_post(d, &c, 1, in, sizeof(in), sizeof(out));
    drv_cmd_ring(d, 1u << 1);
    DRV_WAIT(fault_rule(d, 0).waiting == 1);
    drv_settle(d);
    g_assert_false(drv_cmd_done(d, &c));
    fault_clear(d);
    r = drv_cmd_finish(d, &c, out);
    g_assert_cmphex(r.status, ==, 9);
    drv_stop(d);
}

static void test_cmd_delay(void)
{
    unsigned execution;

    for (execution = 0; execution < 2; execution++) {
        Drv *d = drv_start_up("");
        uint8_t in[16], out[16];
        DrvCmd c;

        fault_add(d, execution ? "delay cmd=any ms=50 count=1 at=execution" :
                                 "delay cmd=any ms=50 count=1");
        pd_cmd(in);
        drv_cmd_post(d, &c, 0, in, sizeof(in), sizeof(out));
        drv_cmd_ring(d, 1);
        DRV_WAIT(fault_rule(d, 0).waiting == 1);
        qtest_clock_step(d->qts, 49 * MS);
        drv_settle(d);
        g_assert_false(drv_cmd_done(d, &c));
        qtest_clock_step(d->qts, 2 * MS);
        g_assert_cmphex(drv_cmd_finish(d, &c, out).status, ==, 0);
        fault_expect(d, 0, 1, 1, 0);
        drv_stop(d);
    }
}

/* ---------------------------------------------------------- send queues --- */

typedef struct Rig {
    Drv *d;
    DrvEq eq;
    DrvCq cq[2];
    DrvSq sq[2];
} Rig;

#define RIG_LOG 4

static void rig(Rig *r)
{
    unsigned i;

    r->d = drv_start_up("");
    drv_eq_create(r->d, &r->eq, 6, 0, 0);
    for (i = 0; i < 2; i++) {
        drv_cq_create(r->d, &r->cq[i], RIG_LOG + 2, r->eq.eqn);
        drv_sq_create(r->d, &r->sq[i], RIG_LOG, &r->cq[i],
                      drv_tis_create(r->d));
    }
}

/* Posts a frame that has @n in it; it asks for a CQE. */
static uint16_t post(Rig *r, unsigned q, uint8_t n)
{
    uint8_t frame[64] = { 0x02, 1, 2, 3, 4, 5, 0x02, 6, 7, 8, 9, n, 0x88, 0xb5,
                          n };
    uint16_t index = drv_sq_send(r->d, &r->sq[q], frame, sizeof(frame), 0);

    drv_sq_ring(r->d, &r->sq[q]);
    return index;
}

static void arrives(Rig *r, uint8_t n)
{
    uint8_t buf[DRV_MAX_FRAME];

    drv_wire_recv(r->d, buf);
    g_assert_cmphex(buf[14], ==, n);
}

static void no_cqe(Rig *r, unsigned q)
{
    uint8_t cqe[64];

    drv_settle(r->d);
    g_assert_false(drv_cq_peek(r->d, &r->cq[q], cqe));
}

/*
 * A completion that is held holds all behind it in its queue, packets go on,
 * and so does the other queue.
 */
static void test_hold(void)
{
    uint16_t first[4], other;
    g_autofree char *rule = NULL;
    unsigned i;
    Rig r;

    rig(&r);
    rule = g_strdup_printf("hold wqe=SEND sqn=%u nth=2 name=x", r.sq[0].sqn);
    fault_add(r.d, rule);
    first[0] = post(&r, 0, 0);
    arrives(&r, 0);
    drv_sq_expect(r.d, &r.sq[0], first[0]);
    for (i = 1; i < 4; i++) {
        first[i] = post(&r, 0, i);
        arrives(&r, i);
    }
    no_cqe(&r, 0);
    other = post(&r, 1, 9);
    arrives(&r, 9);
    drv_sq_expect(r.d, &r.sq[1], other);
    no_cqe(&r, 0);
    fault_expect(r.d, 0, 4, 1, 1);
    fault_release(r.d, "x", 1);
    for (i = 1; i < 4; i++) {
        drv_sq_expect(r.d, &r.sq[0], first[i]);
    }
    /* It is as before. */
    first[0] = post(&r, 0, 5);
    arrives(&r, 5);
    drv_sq_expect(r.d, &r.sq[0], first[0]);
    fault_expect(r.d, 0, 5, 1, 0);
    drv_stop(r.d);
}

/* Two gates in one queue: each opens by itself, the order stays. */
static void test_two_gates(void)
{
    uint16_t index[4];
    unsigned i;
    Rig r;

    rig(&r);
    fault_add(r.d, "hold wqe=SEND nth=1 name=a; hold wqe=SEND nth=3 name=b");
    for (i = 0; i < 4; i++) {
        index[i] = post(&r, 0, i);
        arrives(&r, i);
    }
    /* The later one first: nothing comes yet. */
    fault_release(r.d, "b", 1);
    no_cqe(&r, 0);
    fault_release(r.d, "a", 1);
    for (i = 0; i < 4; i++) {
        drv_sq_expect(r.d, &r.sq[0], index[i]);
    }
    /* And the other way round. */
    fault_clear(r.d);
    fault_add(r.d, "hold wqe=SEND nth=1 name=a; hold wqe=SEND nth=3 name=b");
    for (i = 0; i < 4; i++) {
        index[i] = post(&r, 0, i);
        arrives(&r, i);
    }
    fault_release(r.d, "a", 1);
    drv_sq_expect(r.d, &r.sq[0], index[0]);
    drv_sq_expect(r.d, &r.sq[0], index[1]);
    no_cqe(&r, 0);
    fault_release(r.d, "", 1);
    drv_sq_expect(r.d, &r.sq[0], index[2]);
    drv_sq_expect(r.d, &r.sq[0], index[3]);
    drv_stop(r.d);
}

/*
 * A WQE without a CQE of its own holds the one that covers it. At execution,
 * nothing behind it is executed either, and it is executed once.
 */
static void test_hold_execution(void)
{
    uint16_t index, other;
    DrvWqe w;
    Rig r;

    rig(&r);
    fault_add(r.d, "hold wqe=NOP name=c");
    drv_wqe(&w, &r.sq[0], WQE_NOP, false);
    drv_sq_put(r.d, &r.sq[0], &w);
    index = post(&r, 0, 1);
    arrives(&r, 1);
    no_cqe(&r, 0);
    fault_release(r.d, "c", 1);
    drv_sq_expect(r.d, &r.sq[0], index);

    fault_clear(r.d);
    fault_add(r.d, "hold wqe=SEND count=1 at=execution");
    index = post(&r, 0, 2);
    DRV_WAIT(fault_rule(r.d, 0).waiting == 1);
    post(&r, 0, 3);
    other = post(&r, 1, 4);
    arrives(&r, 4);
    drv_sq_expect(r.d, &r.sq[1], other);
    no_cqe(&r, 0);
    fault_release(r.d, "", 1);
    arrives(&r, 2);
    arrives(&r, 3);
    drv_sq_expect(r.d, &r.sq[0], index);
    drv_sq_expect(r.d, &r.sq[0], index + 1);
    fault_expect(r.d, 0, 3, 1, 0);
    drv_stop(r.d);
}

/* A driver that goes on without completions is stopped by the device. */
static void test_full(void)
{
    unsigned size = 1u << RIG_LOG, i;
    Rig r;

    rig(&r);
    fault_add(r.d, "hold wqe=SEND count=1 name=x");
    for (i = 0; i < size; i++) {
        g_assert_cmpuint(post(&r, 0, i), ==, i);
        arrives(&r, i);
    }
    /* As many again, in the places of the first. */
    for (; i < 2 * size; i++) {
        post(&r, 0, i);
    }
    drv_settle(r.d);
    g_assert_false(drv_wire_readable(r.d));
    no_cqe(&r, 0);
    fault_release(r.d, "x", 1);
    for (i = 0; i < 2 * size; i++) {
        if (i >= size) {
            arrives(&r, i);
        }
        drv_sq_expect(r.d, &r.sq[0], i);
    }
    drv_stop(r.d);
}

/* The same by WQEs that ask for no CQE: nothing else bounds what waits. */
static void test_full_of_gates(void)
{
    unsigned size = 1u << RIG_LOG, i;
    uint16_t last = 0;
    Rig r;

    rig(&r);
    fault_add(r.d, "hold wqe=NOP name=x");
    for (i = 0; i < 3 * size; i++) {
        DrvWqe w;

        drv_wqe(&w, &r.sq[0], WQE_NOP, i == 3 * size - 1);
        last = drv_sq_put(r.d, &r.sq[0], &w);
        if (i % size == size - 1) {
            drv_sq_ring(r.d, &r.sq[0]);
            drv_settle(r.d);
        }
    }
    fault_expect(r.d, 0, 2 * size, 2 * size, 2 * size);
    fault_release(r.d, "x", 2 * size);
    DRV_WAIT(fault_rule(r.d, 0).matches == 3 * size);
    no_cqe(&r, 0);
    fault_clear(r.d);
    drv_sq_expect(r.d, &r.sq[0], last);
    drv_stop(r.d);
}

static void test_delay(void)
{
    uint16_t index;
    Rig r;

    rig(&r);
    fault_add(r.d, "delay wqe=SEND ms=20 count=1");
    index = post(&r, 0, 1);
    arrives(&r, 1);
    qtest_clock_step(r.d->qts, 19 * MS);
    no_cqe(&r, 0);
    qtest_clock_step(r.d->qts, 2 * MS);
    drv_sq_expect(r.d, &r.sq[0], index);
    fault_expect(r.d, 0, 1, 1, 0);
    /* At execution, and let go before its time. */
    fault_clear(r.d);
    fault_add(r.d, "delay wqe=SEND ms=1000 count=1 at=execution");
    index = post(&r, 0, 2);
    DRV_WAIT(fault_rule(r.d, 0).waiting == 1);
    drv_settle(r.d);
    g_assert_false(drv_wire_readable(r.d));
    fault_clear(r.d);
    arrives(&r, 2);
    drv_sq_expect(r.d, &r.sq[0], index);
    /* Its time is forgotten with it. */
    qtest_clock_step(r.d->qts, 2000 * MS);
    no_cqe(&r, 0);
    drv_stop(r.d);
}

static void test_swallow(void)
{
    uint16_t index;
    Rig r;

    rig(&r);
    fault_add(r.d, "swallow wqe=SEND nth=2 tisn=0");
    index = post(&r, 0, 1);
    post(&r, 0, 2);
    post(&r, 0, 3);
    arrives(&r, 1);
    arrives(&r, 3);
    drv_sq_expect(r.d, &r.sq[0], index);
    drv_sq_expect(r.d, &r.sq[0], index + 1);
    drv_sq_expect(r.d, &r.sq[0], index + 2);
    fault_expect(r.d, 0, 3, 1, 0);
    drv_stop(r.d);
}

/* The queue stops in error and flushes; after a reset it works. */
static void test_error(void)
{
    uint16_t index;
    Rig r;

    rig(&r);
    fault_add(r.d, "error wqe=SEND syndrome=0x22 nth=2");
    index = post(&r, 0, 1);
    arrives(&r, 1);
    drv_sq_expect(r.d, &r.sq[0], index);
    index = post(&r, 0, 2);
    drv_sq_expect_error(r.d, &r.sq[0], index, 0x22);
    g_assert_cmpuint(drv_sq_state(r.d, &r.sq[0]), ==, DRV_ERR);
    index = post(&r, 0, 3);
    drv_sq_expect_error(r.d, &r.sq[0], index, SYN_FLUSH);
    g_assert_false(drv_wire_readable(r.d));
    drv_stop(r.d);
}

/* What is held of a queue dies with it, error CQEs and flushed ones too. */
static void test_queue_reset(void)
{
    uint16_t index;
    Rig r;

    rig(&r);
    fault_add(r.d, "hold wqe=SEND nth=1 name=x; error wqe=SEND nth=2;"
              "hold wqe=SEND nth=2 at=execution"); /* not asked of the error */
    post(&r, 0, 1);
    arrives(&r, 1);
    post(&r, 0, 2);
    post(&r, 0, 3);
    no_cqe(&r, 0);
    fault_expect(r.d, 0, 2, 1, 1);
    g_assert_cmphex(drv_sq_modify(r.d, &r.sq[0], DRV_ERR, DRV_RST).status, ==,
                    0);
    fault_expect(r.d, 0, 2, 1, 0);
    fault_release(r.d, "", 0);
    no_cqe(&r, 0);
    r.sq[0].pc = 0;
    drv_write32(r.d, r.sq[0].dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(r.d, &r.sq[0], DRV_RST, DRV_RDY).status, ==,
                    0);
    index = post(&r, 0, 4);
    DRV_WAIT(fault_rule(r.d, 2).waiting == 1);
    g_assert_cmphex(drv_sq_modify(r.d, &r.sq[0], DRV_RDY, DRV_RST).status, ==,
                    0);
    fault_expect(r.d, 2, 2, 1, 0);
    g_assert_false(drv_wire_readable(r.d));
    r.sq[0].pc = 0;
    drv_write32(r.d, r.sq[0].dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(r.d, &r.sq[0], DRV_RST, DRV_RDY).status, ==,
                    0);
    index = post(&r, 0, 5);
    arrives(&r, 5);
    drv_sq_expect(r.d, &r.sq[0], index);
    /* destroyed with something held */
    fault_clear(r.d);
    fault_add(r.d, "hold wqe=any");
    post(&r, 0, 6);
    arrives(&r, 6);
    fault_expect(r.d, 0, 1, 1, 1);
    drv_cmd_id_ok(r.d, OP_DESTROY_SQ, r.sq[0].sqn);
    fault_expect(r.d, 0, 1, 1, 0);
    drv_stop(r.d);
}

/* ----------------------------------------------------------------- ends --- */

/* Holds one thing of each kind. */
static void hold_all(Rig *r, DrvCmd *before, DrvCmd *after)
{
    uint8_t in[16];

    fault_add(r->d, "hold wqe=SEND nth=1; hold wqe=SEND nth=2 at=execution;"
              "hold cmd=ALLOC_PD nth=1; hold cmd=ALLOC_PD nth=2 at=execution;"
              "delay wqe=NOP ms=10");
    post(r, 0, 1);
    arrives(r, 1);
    post(r, 0, 2);
    DRV_WAIT(fault_rule(r->d, 1).waiting == 1);
    pd_cmd(in);
    drv_cmd_post(r->d, after, 4, in, 16, 16);
    drv_cmd_ring(r->d, 1u << 4);
    DRV_WAIT(fault_rule(r->d, 2).waiting == 1);
    drv_cmd_post(r->d, before, 6, in, 16, 16);
    drv_cmd_ring(r->d, 1u << 6);
    DRV_WAIT(fault_rule(r->d, 3).waiting == 1);
}

/* A reset forgets what is held and keeps the rules. */
static void test_reset(void)
{
    unsigned flr;

    for (flr = 0; flr < 2; flr++) {
        DrvCmd before, after;
        unsigned i;
        Rig r;

        rig(&r);
        hold_all(&r, &before, &after);
        if (flr) {
            uint8_t cap = qpci_find_capability(r.d->pci, PCI_CAP_ID_EXP, 0);
            uint16_t ctl = qpci_config_readw(r.d->pci, cap + PCI_EXP_DEVCTL);

            qpci_config_writew(r.d->pci, cap + PCI_EXP_DEVCTL,
                               ctl | PCI_EXP_DEVCTL_BCR_FLR);
        } else {
            qtest_system_reset(r.d->qts);
        }
        g_assert_cmpuint(drv_objects_total(r.d), ==, 0);
        g_assert_cmpuint(fault_count(r.d), ==, 5);
        for (i = 0; i < 5; i++) {
            g_assert_cmpuint(fault_rule(r.d, i).waiting, ==, 0);
        }
        fault_release(r.d, "", 0);
        g_assert_false(drv_cmd_done(r.d, &before));
        g_assert_false(drv_cmd_done(r.d, &after));
        /* A new driver meets the rules, which have counted on. */
        drv_map(r.d);
        drv_cmdq_init(r.d);
        drv_hca_up(r.d);
        fault_expect(r.d, 3, 3, 1, 0);
        drv_stop(r.d);
    }
}

/* A driver that takes another command queue gets nothing from the old one. */
static void test_new_queue(void)
{
    DrvCmd before, after;
    uint64_t old;
    Rig r;

    rig(&r);
    hold_all(&r, &before, &after);
    old = r.d->cmdq;
    drv_cmdq_init(r.d);
    g_assert_cmphex(r.d->cmdq, !=, old);
    fault_do(r.d, "fault-clear", "3");
    fault_do(r.d, "fault-clear", "4");
    drv_settle(r.d);
    drv_cmd_id_ok(r.d, OP_NOP, 0);
    g_assert_cmphex(drv_read32(r.d, old + 4 * DRV_CMD_ENTRY + 0x3c) & 1, ==, 1);
    g_assert_cmphex(drv_read32(r.d, old + 6 * DRV_CMD_ENTRY + 0x3c) & 1, ==, 1);
    fault_clear(r.d);
    drv_stop(r.d);
}

/* A driver that is loaded again may be given the same page for its queue. */
static void test_same_queue(void)
{
    DrvCmd before, after;
    uint8_t in[16];
    DrvCmd c;
    Rig r;

    rig(&r);
    hold_all(&r, &before, &after);
    qtest_memset(r.d->qts, r.d->cmdq, 0, 4096);
    drv_reg_write(r.d, ISEG_CMDQ_ADDR_H, r.d->cmdq >> 32);
    drv_reg_write(r.d, ISEG_CMDQ_ADDR_L, r.d->cmdq);
    /* its commands are executed, in the slots of those that wait, too */
    pd_cmd(in);
    drv_cmd_post(r.d, &c, 4, in, 16, 16);
    drv_cmd_ring(r.d, 1u << 4);
    g_assert_cmphex(drv_cmd_finish(r.d, &c, NULL).status, ==, 0);
    drv_cmd_post(r.d, &c, 6, in, 16, 16);
    fault_clear(r.d);
    drv_settle(r.d);
    /* not rung yet, and what waited there completes nothing */
    g_assert_false(drv_cmd_done(r.d, &c));
    drv_cmd_ring(r.d, 1u << 6);
    g_assert_cmphex(drv_cmd_finish(r.d, &c, NULL).status, ==, 0);
    drv_stop(r.d);
}

static gpointer wake_later(gpointer pid)
{
    /*
     * Until the test's next request is in QEMU's socket; if it is not, less is
     * tested.
     */
    g_usleep(100 * 1000);
    kill(GPOINTER_TO_INT(pid), SIGCONT);
    return NULL;
}

/* A wait ends and the device goes in the same turn of QEMU's main loop. */
static void test_unplug_at_release(void)
{
    Drv *d = drv_start_unplugged();
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    pid_t pid = qtest_pid(d->qts);
    unsigned i;

    for (i = 0; i < 5; i++) {
        DrvSeg seg;
        DrvSteering st;
        GThread *thread;
        DrvWqe w;
        DrvEq eq;
        DrvCq cq;
        DrvSq sq;
        DrvRq rq;

        drv_plug(d, "drop");
        drv_cmdq_init(d);
        drv_hca_up(d);
        drv_eq_create(d, &eq, 6, 0, 0);
        drv_cq_create(d, &cq, 4, eq.eqn);
        drv_sq_create(d, &sq, 4, &cq, 0);
        drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
        drv_steer_all(d, &st, drv_tir_direct(d, rq.rqn), 0);
        seg = (DrvSeg){ .addr = drv_mem(d, 2048), .len = 2048 };
        drv_rq_post(d, &rq, &seg, 1);
        drv_rq_publish(d, &rq);
        fault_add(d, "delay wqe=NOP packets=1");
        drv_wqe(&w, &sq, WQE_NOP, true);
        drv_sq_put(d, &sq, &w);
        drv_sq_ring(d, &sq);
        DRV_WAIT(fault_rule(d, 0).waiting == 1);
        kill(pid, SIGSTOP);
        drv_wire_send(d, f.data, f.len);
        thread = g_thread_new("wake", wake_later, GINT_TO_POINTER(pid));
        drv_eject(d);
        g_thread_join(thread);
        drv_settle(d);
    }
    frame_free(&f);
    drv_plug(d, "hold");
    drv_stop(d);
}

/* Unplugged with everything held; a bad rule plugs nothing. */
static void test_unplug(void)
{
    Drv *d = drv_start_unplugged();
    unsigned i;

    for (i = 0; i < 2; i++) {
        DrvCmd before, after;
        Rig r = { .d = d };

        drv_plug(d, "hold");
        drv_cmdq_init(d);
        drv_hca_up(d);
        drv_eq_create(d, &r.eq, 6, 0, 0);
        drv_cq_create(d, &r.cq[0], RIG_LOG, r.eq.eqn);
        drv_sq_create(d, &r.sq[0], RIG_LOG, &r.cq[0], 0);
        hold_all(&r, &before, &after);
        drv_unplug(d);
        qtest_clock_step(d->qts, 100 * MS);
        drv_settle(d);
    }
    drv_plug(d, "hold");
    g_assert_cmpuint(fault_count(d), ==, 0);
    drv_stop(d);
}

void mlx5_fault_tests(void)
{
    qtest_add_func("mlx5-ktls/fault/rules", test_rules);
    qtest_add_func("mlx5-ktls/fault/cmd-fail", test_cmd_fail);
    qtest_add_func("mlx5-ktls/fault/cmd-swallow", test_cmd_swallow);
    qtest_add_func("mlx5-ktls/fault/cmd-hold", test_cmd_hold);
    qtest_add_func("mlx5-ktls/fault/cmd-hold-fail", test_cmd_hold_fail);
    qtest_add_func("mlx5-ktls/fault/cmd-delay", test_cmd_delay);
    qtest_add_func("mlx5-ktls/fault/hold", test_hold);
    qtest_add_func("mlx5-ktls/fault/two-gates", test_two_gates);
    qtest_add_func("mlx5-ktls/fault/hold-execution", test_hold_execution);
    qtest_add_func("mlx5-ktls/fault/full", test_full);
    qtest_add_func("mlx5-ktls/fault/full-of-gates", test_full_of_gates);
    qtest_add_func("mlx5-ktls/fault/delay", test_delay);
    qtest_add_func("mlx5-ktls/fault/swallow", test_swallow);
    qtest_add_func("mlx5-ktls/fault/error", test_error);
    qtest_add_func("mlx5-ktls/fault/queue-reset", test_queue_reset);
    qtest_add_func("mlx5-ktls/fault/reset", test_reset);
    qtest_add_func("mlx5-ktls/fault/new-queue", test_new_queue);
    qtest_add_func("mlx5-ktls/fault/same-queue", test_same_queue);
    qtest_add_func("mlx5-ktls/fault/unplug", test_unplug);
    qtest_add_func("mlx5-ktls/fault/unplug-at-release", test_unplug_at_release);
}
