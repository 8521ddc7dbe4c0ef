/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the power states: in D3hot the function decodes nothing and
 * initiates nothing, whatever work is pending, and in D0 it continues. Owns no
 * state.
 */
#include "mlx5-fault.h"
#include "mlx5-rig.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-tests.h"

enum { D0 = 0, D3HOT = 3 };

static void set_state(Drv *d, unsigned state)
{
    uint8_t pm = qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0);

    qpci_config_writew(d->pci, pm + PCI_PM_CTRL, state);
    g_assert_cmphex(qpci_config_readw(d->pci, pm + PCI_PM_CTRL), ==,
                    PCI_PM_CTRL_NO_SOFT_RESET | state);
}

static void set_link(Drv *d, bool up)
{
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'net0', 'up': %i}}", up);
}

/* Nothing is decoded; afterwards everything is as it was, objects too. */
static void check_bars(Drv *d)
{
    uint32_t rev = drv_reg_read(d, ISEG_FW_REV);
    uint64_t objects;

    drv_cmdq_init(d);
    drv_hca_up(d);
    objects = drv_objects_total(d);
    set_state(d, D3HOT);
    g_assert_cmphex(drv_reg_read(d, ISEG_FW_REV), !=, rev);
    g_assert_cmphex(qpci_config_readw(d->pci, PCI_DEVICE_ID), ==, 0x101d);
    drv_reg_write(d, ISEG_CMDQ_ADDR_H, 0x12345678);
    set_state(d, D0);
    g_assert_cmphex(drv_reg_read(d, ISEG_FW_REV), ==, rev);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_H), ==, 0);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L) & 0xfffff000, ==,
                    d->cmdq);
    g_assert_cmpuint(drv_objects_total(d), ==, objects);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_stop(d);
}

static void test_bars(void)
{
    Drv *d;

    check_bars(drv_start(""));
    check_bars(drv_start_behind_port(""));
    /* Without PCI Express there is power management too. */
    d = drv_start_unplugged();
    drv_plug(d, "hold");
    check_bars(d);
}

/* D1 and D2 are not there; from D3hot the way leads to D0. */
static void test_states(void)
{
    Drv *d = drv_start("");
    uint8_t pm = qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0);
    unsigned to;

    for (to = 1; to < 3; to++) {
        qpci_config_writew(d->pci, pm + PCI_PM_CTRL, to);
        g_assert_cmphex(qpci_config_readw(d->pci, pm + PCI_PM_CTRL) & 3, ==,
                        D0);
    }
    set_state(d, D3HOT);
    for (to = 1; to < 3; to++) {
        qpci_config_writew(d->pci, pm + PCI_PM_CTRL, to);
        g_assert_cmphex(qpci_config_readw(d->pci, pm + PCI_PM_CTRL) & 3, ==,
                        D3HOT);
    }
    set_state(d, D0);
    drv_stop(d);
}

/* A queue in the middle of its work, the backend full and empty again. */
static void test_send(void)
{
    enum { N = 64, LEN = 1000, ROOM = 4096 };
    uint8_t frame[LEN] = { 0x02 };
    unsigned i, done, sent = 0;
    uint64_t counted;
    uint8_t cqe[64];
    TxRig t;

    t.d = drv_start_up_narrow("", ROOM);
    drv_eq_create(t.d, &t.eq, 6, 0, 0);
    drv_cq_create(t.d, &t.cq, 7, t.eq.eqn);
    drv_sq_create(t.d, &t.sq, 7, &t.cq, 0);
    for (i = 0; i < N; i++) {
        frame[20] = i;
        drv_sq_send(t.d, &t.sq, frame, LEN, 0);
    }
    drv_sq_ring(t.d, &t.sq);
    DRV_WAIT(drv_counter(t.d, "tx_blocked") > 0);
    drv_settle(t.d);
    for (done = 0; drv_cq_poll(t.d, &t.cq, cqe); done++) {
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, done);
    }
    counted = drv_counter(t.d, "tx_unicast_packets");
    g_assert_cmpuint(counted, <, N);
    set_state(t.d, D3HOT);
    /* What the backend has it sends. There it ends. */
    while (sent < counted) {
        frame[20] = sent++;
        expect_frame(t.d, frame, LEN);
    }
    drv_settle(t.d);
    g_assert_false(drv_wire_readable(t.d));
    g_assert_cmpuint(drv_counter(t.d, "tx_unicast_packets"), ==, counted);
    g_assert_false(drv_cq_poll(t.d, &t.cq, cqe));
    set_state(t.d, D0);
    while (sent < N) {
        frame[20] = sent++;
        expect_frame(t.d, frame, LEN);
    }
    while (done < N) {
        drv_sq_expect(t.d, &t.sq, done++);
    }
    g_assert_false(drv_wire_readable(t.d));
    drv_stop(t.d);
}

/* A command whose time to end comes in D3hot ends in D0, with its event. */
static void test_command(void)
{
    static const char *const at[] = { "completion", "execution" };
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 }, eqe[64];
    unsigned i;
    DrvCmd c;
    DrvEq eq;

    drv_msix_init(d);
    drv_eq_create(d, &eq, 6, 3, 1ull << EVENT_CMD);
    while (drv_eq_poll(d, &eq, eqe)) {
        continue;
    }
    drv_eq_update(d, &eq, true);
    for (i = 0; i < G_N_ELEMENTS(at); i++) {
        g_autofree char *rule = g_strdup_printf("hold cmd=NOP name=x at=%s",
                                                at[i]);

        fault_add(d, rule);
        MLX5_SET(cmd_in, in, opcode, OP_NOP);
        drv_cmd_post(d, &c, 0, in, sizeof(in), 16);
        drv_cmd_ring(d, 1);
        drv_settle(d);
        g_assert_false(drv_cmd_done(d, &c));
        set_state(d, D3HOT);
        fault_release(d, "x", 1);
        drv_settle(d);
        g_assert_false(drv_cmd_done(d, &c));
        g_assert_false(drv_eq_poll(d, &eq, eqe));
        g_assert_false(drv_msix_fired(d, 3));
        set_state(d, D0);
        g_assert_cmphex(drv_cmd_finish(d, &c, NULL).status, ==, 0);
        drv_eq_wait(d, &eq, eqe);
        DRV_WAIT(drv_msix_fired(d, 3));
        drv_eq_update(d, &eq, true);
        fault_clear(d);
    }
    drv_stop(d);
}

/* Frames find nobody, and queue and memory stay as they are. */
static void test_receive(void)
{
    FrameSpec s = rig_spec(4, 17, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64], got[RX_RIG_BUF];
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 2);
    set_state(r.d, D3HOT);
    drv_wire_send(r.d, f.data, f.len);
    DRV_WAIT(drv_counter(r.d, "rx_asleep") == 1);
    g_assert_false(drv_cq_poll(r.d, &r.cq, cqe));
    drv_read(r.d, rx_rig_buf(&r, 0), got, f.len);
    g_assert_cmphex(got[12], ==, 0);
    set_state(r.d, D0);
    drv_settle(r.d);
    g_assert_false(drv_cq_poll(r.d, &r.cq, cqe));
    drv_wire_send(r.d, f.data, f.len);
    drv_cq_wait(r.d, &r.cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, 0);
    drv_read(r.d, rx_rig_buf(&r, 0), got, f.len);
    g_assert_cmpmem(got, f.len, f.data, f.len);
    frame_free(&f);
    drv_stop(r.d);
}

/* The cable is pulled: the driver hears of it when it has woken us up. */
static void test_link(void)
{
    Drv *d = drv_start_up("");
    uint8_t eqe[64];
    DrvEq eq;

    drv_eq_create(d, &eq, 6, 0, 1ull << EVENT_PORT_CHANGE);
    set_state(d, D3HOT);
    set_link(d, false);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    set_state(d, D0);
    drv_eq_wait(d, &eq, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_sub_type), ==, 1);
    /* There and back again is no news. */
    set_state(d, D3HOT);
    set_link(d, true);
    set_link(d, false);
    set_state(d, D0);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    set_link(d, true);
    drv_eq_wait(d, &eq, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_sub_type), ==, 4);
    drv_stop(d);
}

/* An interrupt that is unmasked in D3hot comes in D0, once. */
static void test_interrupt(void)
{
    Drv *d = drv_start_up("");
    uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_MSIX, 0);
    uint16_t ctl;
    DrvEq eq;

    drv_msix_init(d);
    ctl = qpci_config_readw(d->pci, cap + PCI_MSIX_FLAGS);
    drv_eq_create(d, &eq, 6, 3, 1ull << EVENT_CMD);
    qpci_config_writew(d->pci, cap + PCI_MSIX_FLAGS,
                       ctl | PCI_MSIX_FLAGS_MASKALL);
    drv_eq_update(d, &eq, true);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    set_state(d, D3HOT);
    qpci_config_writew(d->pci, cap + PCI_MSIX_FLAGS, ctl);
    /* Nor does the bus master bit let anything out. */
    qpci_config_writew(d->pci, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    set_state(d, D0);
    DRV_WAIT(drv_msix_fired(d, 3));
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 3));
    drv_stop(d);
}

/* A reset wakes up, and nothing of what slept is left. */
static void test_reset(void)
{
    Drv *d = drv_start_up("");
    uint8_t exp = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
    uint8_t pm = qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0);
    unsigned i;

    for (i = 0; i < 2; i++) {
        set_state(d, D3HOT);
        if (i) {
            qtest_system_reset(d->qts);
        } else {
            qpci_config_writew(d->pci, exp + PCI_EXP_DEVCTL,
                               PCI_EXP_DEVCTL_BCR_FLR);
        }
        g_assert_cmphex(qpci_config_readw(d->pci, pm + PCI_PM_CTRL), ==,
                        PCI_PM_CTRL_NO_SOFT_RESET);
        g_assert_cmpuint(drv_objects_total(d), ==, 0);
        drv_map(d);
        drv_cmdq_init(d);
        drv_hca_up(d);
    }
    drv_stop(d);
}

void mlx5_power_tests(void)
{
    qtest_add_func("mlx5-ktls/power/bars", test_bars);
    qtest_add_func("mlx5-ktls/power/states", test_states);
    qtest_add_func("mlx5-ktls/power/send", test_send);
    qtest_add_func("mlx5-ktls/power/command", test_command);
    qtest_add_func("mlx5-ktls/power/receive", test_receive);
    qtest_add_func("mlx5-ktls/power/link", test_link);
    qtest_add_func("mlx5-ktls/power/interrupt", test_interrupt);
    qtest_add_func("mlx5-ktls/power/reset", test_reset);
}
