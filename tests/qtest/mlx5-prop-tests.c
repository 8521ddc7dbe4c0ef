/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the device as a QEMU object: properties and their limits, plug and
 * unplug, more than one device. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"

/* Tries to plug a device with one property set; the error, or NULL. */
static char *plug_error(QTestState *qts, const char *name, const char *text,
                        int64_t number)
{
    QDict *args = qdict_new(), *rsp, *error;
    char *desc = NULL;

    qdict_put_str(args, "driver", "mlx5-ktls");
    qdict_put_str(args, "id", "nic");
    qdict_put_str(args, "bus", "rp0");
    if (text) {
        qdict_put_str(args, name, text);
    } else {
        qdict_put_int(args, name, number);
    }
    rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': %p}", args);
    error = qdict_get_qdict(rsp, "error");
    if (error) {
        desc = g_strdup(qdict_get_str(error, "desc"));
    }
    qobject_unref(rsp);
    return desc;
}

static void test_refused(void)
{
    static const struct {
        const char *name;
        const char *text;
        int64_t number;
        const char *expected; /* what the message must say is right */
    } rows[] = {
        { "profile", "cx5", 0, "cx6dx, cx7, bf2 or bf3" },
        { "profile", "", 0, "cx6dx, cx7, bf2 or bf3" },
        { "caps", "/nonexistent/caps", 0, "/nonexistent/caps" },
        { "vectors", NULL, 0, "2..256" },
        { "vectors", NULL, 1, "2..256" },
        { "vectors", NULL, 257, "2..256" },
        { "vectors", "many", 0, NULL },
        { "rx-no-buffer", "keep", 0, "hold or drop" },
        { "rx-no-buffer", "", 0, "hold or drop" },
        { "rx-hold-ms", NULL, 60001, "0..60000" },
        { "rx-hold-ms", NULL, -1, NULL },
        { "log-max-tis", NULL, 3, "4..20" },
        { "log-max-tis", NULL, 21, "4..20" },
        { "log-max-tir", NULL, 5, "6..20" },
        { "log-max-tir", NULL, 21, "6..20" },
        { "log-max-dek", NULL, 0, "1..20" },
        { "log-max-dek", NULL, 21, "1..20" },
        { "log-dek-max-alloc", NULL, 99, "log-max-dek=17" },
        { "tls-tx", "perhaps", 0, NULL },
        { "tx-seq-check", "maybe", 0, "drop" },
        { "search-pattern", "", 0, "strict" },
        { "record-log", "/nonexistent/log", 0, "/nonexistent/log" },
        { "fault", "drop wqe=SEND", 0, "got 'drop'" },
        { "fill-reserved", "ones", 0, "zero, random or random:SEED" },
        { "mac", "52:54", 0, NULL },
        { "no-such-property", NULL, 1, NULL },
    };
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device pcie-root-port,id=rp0,slot=1");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *desc = plug_error(qts, rows[i].name, rows[i].text,
                                           rows[i].number);

        g_assert_nonnull(desc);
        g_test_message("%s", desc);
        g_assert_nonnull(strstr(desc, rows[i].name));
        if (rows[i].expected) {
            g_assert_nonnull(strstr(desc, rows[i].expected));
        }
    }
    /* None of them has left something half plugged. */
    {
        g_autofree char *desc = plug_error(qts, "vectors", NULL, 2);

        g_assert_null(desc);
    }
    qtest_quit(qts);
}

/* Each property is described where -device help looks. */
static void test_described(void)
{
    /* QEMU's own for NICs come first, its descriptions are not our affair. */
    static const char *const names[] = {
        "mac", "netdev", "bootindex", "profile", "caps", "capabilities",
        "vectors", "rx-no-buffer", "rx-hold-ms",
        "striding-rq", "lro", "cqe-compression", "line-rate", "link-partner",
        "log-max-tis", "log-max-tir", "log-max-dek", "log-dek-max-alloc",
        "tls-tx", "tls-rx", "record-log", "capture", "objects", "counters",
        "tx-seq-check", "rx-resync-flag-at", "auth-stage", "resync-repeat",
        "bad-tag-action", "rx-error-bytes", "search-pattern",
        "fill-reserved", "fault", "faults", "fault-release", "fault-clear",
        "fault-help",
    };
    QTestState *qts = qtest_init("-machine none");
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-list-properties', "
                           "'arguments': {'typename': 'mlx5-ktls'}}");
    QList *list = qdict_get_qlist(rsp, "return");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        const QListEntry *e;
        bool found = false;

        QLIST_FOREACH_ENTRY(list, e) {
            QDict *p = qobject_to(QDict, qlist_entry_obj(e));

            if (!strcmp(qdict_get_str(p, "name"), names[i])) {
                g_assert_true(i < 3 || qdict_get_try_str(p, "description"));
                found = true;
            }
        }
        g_test_message("%s", names[i]);
        g_assert_true(found);
    }
    qobject_unref(rsp);
    qtest_quit(qts);
}

/* The MAC is the one given; without one every device has its own. */
static void test_mac(void)
{
    static const uint8_t mac[6] = DRV_MAC;
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 }, out[272];

    MLX5_SET(cmd_in, in, opcode, 0x754);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpmem(out + 0x106, 6, mac, 6);
    drv_stop(d);
}

/* Receives one frame and sends one. */
static void use(Drv *d)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    DrvSeg seg = { .addr = drv_mem(d, 2048), .len = 2048 };
    DrvSteering st;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;

    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_eq_create(d, &eq, 6, 0, 1ull << EVENT_CMD);
    drv_eq_update(d, &eq, true);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_sq_create(d, &sq, 4, &cq, 0);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    drv_steer_all(d, &st, drv_tir_direct(d, rq.rqn), 0);
    drv_rq_post(d, &rq, &seg, 1);
    drv_rq_publish(d, &rq);
    drv_wire_send(d, f.data, f.len);
    drv_cq_wait(d, &cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    drv_sq_send(d, &sq, f.data, f.len, 0);
    drv_sq_ring(d, &sq);
    expect_frame(d, f.data, f.len);
    drv_sq_expect(d, &sq, 0);
    /* A second packet finds no WQE; it is on hold now, or dropped. */
    drv_wire_send(d, f.data, f.len);
    DRV_WAIT(drv_counter(d, "rx_held") + drv_counter(d, "rx_out_of_buffer"));
    frame_free(&f);
}

/* In and out with everything still in use, again and again. */
static void test_hotplug(void)
{
    Drv *d = drv_start_unplugged();
    unsigned i;

    for (i = 0; i < 4; i++) {
        drv_plug(d, i % 2 ? "hold" : "drop");
        use(d);
        drv_unplug(d);
        drv_settle(d);
    }
    /* A packet that was on hold is the first that the last one gets. */
    drv_plug(d, "hold");
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_stop(d);
}

/* Plugs the device in and brings it up, with one send queue. */
static void plug_up(Drv *d, DrvEq *eq, DrvCq *cq, DrvSq *sq)
{
    drv_plug(d, "hold");
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_eq_create(d, eq, 6, 0, 0);
    drv_cq_create(d, cq, 6, eq->eqn);
    drv_sq_create(d, sq, 6, cq, 0);
}

/*
 * The device goes while the backend has a frame that it could not take, and
 * perhaps a part of it is on the wire. It arrives whole, and so does what the
 * next device sends.
 */
static void test_unplug_blocked(void)
{
    Drv *d = drv_start_unplugged_narrow(4096);
    unsigned round, i;

    for (round = 0; round < 3; round++) {
        uint8_t frame[1514] = { 0x02 };
        unsigned sent = 0;
        DrvEq eq;
        DrvCq cq;
        DrvSq sq;

        plug_up(d, &eq, &cq, &sq);
        /* short ones behind long ones: no two devices agree on a length */
        drv_sq_send(d, &sq, frame, 60, 0);
        for (i = 1; i < 30; i++) {
            frame[20] = i;
            drv_sq_send(d, &sq, frame, sizeof(frame) - i, 0);
        }
        drv_sq_ring(d, &sq);
        DRV_WAIT(drv_counter(d, "tx_blocked") > 0);
        sent = drv_counter(d, "tx_unicast_packets");
        g_assert_cmpuint(sent, <, 30);
        drv_unplug(d);
        for (i = 0; i < sent; i++) {
            frame[20] = i;
            expect_frame(d, frame, i ? sizeof(frame) - i : 60);
        }
        drv_settle(d);
        g_assert_false(drv_wire_readable(d));
    }
    drv_plug(d, "hold");
    use(d);
    drv_stop(d);
}

static void cable(Drv *d, bool in)
{
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments':"
                             "{'name': 'net0', 'up': %i}}", in);
}

/*
 * The cable was pulled meanwhile and put back, so that one more frame waits
 * behind the first. Both arrive, and nobody is told who is not there any more.
 */
static void test_unplug_cable(void)
{
    Drv *d = drv_start_unplugged_narrow(4096);
    uint8_t frame[1514] = { 0x02 };
    unsigned i, sent;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;

    plug_up(d, &eq, &cq, &sq);
    for (i = 0; i < 30; i++) {
        frame[20] = i;
        drv_sq_send(d, &sq, frame, sizeof(frame) - i, 0);
    }
    drv_sq_ring(d, &sq);
    DRV_WAIT(drv_counter(d, "tx_blocked") == 1);
    sent = drv_counter(d, "tx_unicast_packets");
    cable(d, false);
    DRV_WAIT(drv_counter(d, "tx_link_down") == 30 - sent);
    cable(d, true);
    frame[20] = 99;
    drv_sq_send(d, &sq, frame, 700, 0);
    drv_sq_ring(d, &sq);
    DRV_WAIT(drv_counter(d, "tx_blocked") == 2);
    drv_unplug(d);
    for (i = 0; i < sent; i++) {
        frame[20] = i;
        expect_frame(d, frame, sizeof(frame) - i);
    }
    frame[20] = 99;
    expect_frame(d, frame, 700);
    drv_settle(d);
    g_assert_false(drv_wire_readable(d));
    drv_plug(d, "hold");
    use(d);
    drv_stop(d);
}

static void test_unplug_bare(void)
{
    Drv *d = drv_start_unplugged();
    unsigned i;

    for (i = 0; i < 4; i++) {
        drv_plug(d, "hold");
        drv_unplug(d);
    }
    drv_plug(d, "hold");
    drv_stop(d);
}

/* Several in one machine, without a backend or with one each. */
static void test_several(void)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-netdev hubport,id=n0,hubid=0 "
                                 "-netdev hubport,id=n1,hubid=0 "
                                 "-device mlx5-ktls,id=a,netdev=n0 "
                                 "-device mlx5-ktls,id=b,netdev=n1 "
                                 "-device mlx5-ktls,id=c");
    static const char *const ids[] = { "a", "b", "c" };
    char *mac[3];
    unsigned i;

    for (i = 0; i < 3; i++) {
        g_autofree char *path = g_strdup_printf("/machine/peripheral/%s",
                                                ids[i]);
        QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-get', 'arguments': "
                               "{'path': %s, 'property': 'mac'}}", path);

        mac[i] = g_strdup(qdict_get_str(rsp, "return"));
        qobject_unref(rsp);
    }
    g_assert_cmpstr(mac[0], !=, mac[1]);
    g_assert_cmpstr(mac[1], !=, mac[2]);
    for (i = 0; i < 3; i++) {
        g_free(mac[i]);
    }
    qtest_quit(qts);
}

/* It says that it cannot be migrated, instead of losing its state. */
static void test_unmigratable(void)
{
    Drv *d = drv_start("");
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'migrate', 'arguments': "
                           "{'uri': 'exec:cat > /dev/null'}}");

    g_assert_true(qdict_haskey(rsp, "error"));
    g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                          "desc"), "mlx5-ktls"));
    qobject_unref(rsp);
    drv_stop(d);
}

void mlx5_prop_tests(void)
{
    qtest_add_func("mlx5-ktls/prop/refused", test_refused);
    qtest_add_func("mlx5-ktls/prop/described", test_described);
    qtest_add_func("mlx5-ktls/prop/mac", test_mac);
    qtest_add_func("mlx5-ktls/prop/hotplug", test_hotplug);
    qtest_add_func("mlx5-ktls/prop/unplug-blocked", test_unplug_blocked);
    qtest_add_func("mlx5-ktls/prop/unplug-cable", test_unplug_cable);
    qtest_add_func("mlx5-ktls/prop/unplug-bare", test_unplug_bare);
    qtest_add_func("mlx5-ktls/prop/several", test_several);
    qtest_add_func("mlx5-ktls/prop/unmigratable", test_unmigratable);
}
