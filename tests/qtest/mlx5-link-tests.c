/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the cable's two ends: link partners, MAC control frames, PAUSE, and
 * the time that sending takes. Owns no state.
 */
#include "mlx5-rig.h"
#include "libqos/pci-pc.h"
#include "mlx5-tests.h"

enum {
    REG_PTYS = 0x5004,
    REG_PAOS = 0x5006,
    REG_PFCC = 0x5007,
    REG_PPCNT = 0x5008,
    REG_PPLM = 0x5023,
    REG_PDDR = 0x5031,
};

enum { UP = 1, DOWN = 2 };

static void access_reg(Drv *d, uint16_t reg, bool write, uint8_t *data,
                       uint32_t len)
{
    MLX5_SET(port_reg, data, local_port, 1);
    g_assert_cmphex(drv_access_reg(d, reg, write, data, len).status, ==, 0);
}

/* ---------------------------------------------------------- MAC control --- */

#define QUANTUM_BITS 512
#define SPEED 100 /* bits per nanosecond */

/* A MAC control frame; PAUSE if @opcode is 1. */
static void control_frame(uint8_t frame[60], uint16_t opcode, uint16_t quanta)
{
    static const uint8_t head[] = {
        0x01, 0x80, 0xc2, 0x00, 0x00, 0x01, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55,
        0x88, 0x08,
    };

    memset(frame, 0, 60);
    memcpy(frame, head, sizeof(head));
    stw_be_p(frame + 14, opcode);
    stw_be_p(frame + 16, quanta);
}

static void set_pause(Drv *d, bool rx)
{
    uint8_t reg[32] = { 0 };

    MLX5_SET(pfcc_reg, reg, pprx, rx);
    access_reg(d, REG_PFCC, true, reg, sizeof(reg));
}

#define EXPECT_802_3(set, field, want)                                      \
    g_assert_cmpuint(MLX5_GET64(eth_802_3_cntrs_grp_data_layout, set,       \
                                field), ==, want)

/* Both directions, in the IEEE 802.3 group. Without pprx all are delivered. */
static void test_mac_control(void)
{
    uint8_t pause[60], other[60], tagged[64], reg[256] = { 0 }, cqe[64];
    RxRig r;
    DrvCq cq;
    DrvSq sq;

    control_frame(pause, 1, 0xffff);
    control_frame(other, 0x0101, 0);
    memcpy(tagged, pause, 12);
    stl_be_p(tagged + 12, 0x81000000);
    memcpy(tagged + 16, pause + 12, 48);
    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 8);
    drv_wire_send(r.d, pause, sizeof(pause));
    drv_wire_send(r.d, other, sizeof(other));
    drv_wire_send(r.d, other, sizeof(other));
    drv_wire_send(r.d, tagged, sizeof(tagged)); /* is none to a MAC */
    drv_cq_wait(r.d, &r.cq, cqe);
    drv_cq_wait(r.d, &r.cq, cqe);
    drv_cq_wait(r.d, &r.cq, cqe);
    drv_cq_wait(r.d, &r.cq, cqe);
    drv_cq_create(r.d, &cq, 4, r.eq.eqn);
    drv_sq_create(r.d, &sq, 4, &cq, drv_tis_create(r.d));
    drv_sq_send(r.d, &sq, other, sizeof(other), 0);
    drv_sq_send(r.d, &sq, pause, sizeof(pause), 0);
    drv_sq_send(r.d, &sq, tagged, sizeof(tagged), 0);
    drv_sq_ring(r.d, &sq);
    expect_frame(r.d, other, sizeof(other));
    expect_frame(r.d, pause, sizeof(pause));
    expect_frame(r.d, tagged, sizeof(tagged));
    access_reg(r.d, REG_PPCNT, false, reg, sizeof(reg));
    EXPECT_802_3(reg + 8, a_frames_received_ok, 4);
    EXPECT_802_3(reg + 8, a_mac_control_frames_received, 3);
    EXPECT_802_3(reg + 8, a_pause_mac_ctrl_frames_received, 1);
    EXPECT_802_3(reg + 8, a_unsupported_opcodes_received, 2);
    EXPECT_802_3(reg + 8, a_mac_control_frames_transmitted, 2);
    EXPECT_802_3(reg + 8, a_pause_mac_ctrl_frames_transmitted, 1);
    drv_stop(r.d);
}

/* Nothing has come from the device up to now. */
static void expect_silence(Drv *d)
{
    drv_settle(d);
    g_assert_false(drv_wire_readable(d));
}

/* With pprx the MAC keeps PAUSE to itself, and is silent as long as asked. */
static void test_pause(void)
{
    const int64_t ns = 0xffff * QUANTUM_BITS / SPEED;
    uint8_t pause[60], resume[60], other[60], frame[100] = { 0x02 }, cqe[64];
    RxRig r;
    DrvCq cq;
    DrvSq sq;

    control_frame(pause, 1, 0xffff);
    control_frame(resume, 1, 0);
    control_frame(other, 2, 0xffff);
    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 4);
    drv_cq_create(r.d, &cq, 4, r.eq.eqn);
    drv_sq_create(r.d, &sq, 4, &cq, drv_tis_create(r.d));
    set_pause(r.d, true);

    drv_wire_send(r.d, pause, sizeof(pause));
    DRV_WAIT(drv_counter(r.d, "rx_pause") == 1);
    drv_sq_send(r.d, &sq, frame, sizeof(frame), 0);
    drv_sq_ring(r.d, &sq);
    qtest_clock_step(r.d->qts, ns - 1);
    expect_silence(r.d);
    qtest_clock_step(r.d->qts, 1);
    expect_frame(r.d, frame, sizeof(frame));

    /* A PAUSE of no time ends one; others are for software. */
    drv_wire_send(r.d, pause, sizeof(pause));
    drv_wire_send(r.d, other, sizeof(other));
    drv_cq_wait(r.d, &r.cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, sizeof(other));
    drv_sq_send(r.d, &sq, frame, sizeof(frame), 0);
    drv_sq_ring(r.d, &sq);
    expect_silence(r.d);
    drv_wire_send(r.d, resume, sizeof(resume));
    expect_frame(r.d, frame, sizeof(frame));

    /* Also if it is addressed to the MAC, but not if to somebody else. */
    memcpy(pause, ((uint8_t[])DRV_MAC), 6);
    drv_wire_send(r.d, pause, sizeof(pause));
    DRV_WAIT(drv_counter(r.d, "rx_pause") == 4);
    pause[5]++;
    drv_wire_send(r.d, pause, sizeof(pause));
    drv_cq_wait(r.d, &r.cq, cqe);
    g_assert_false(drv_cq_peek(r.d, &r.cq, cqe));

    g_assert_cmpuint(drv_counter(r.d, "rx_unicast_packets"), ==, 2);
    drv_stop(r.d);
}

/* ------------------------------------------------------------ line rate --- */

/* Of 980 bytes: with FCS, preamble and gap 1004 are on the line. */
#define FRAME_LEN 980
#define FRAME_NS (1004 * 8)

/* A frame leaves when the line is free, and is complete when it has left. */
static void test_line_rate(void)
{
    uint8_t frame[FRAME_LEN] = { 0x02 };
    uint16_t index[3];
    uint8_t cqe[64];
    unsigned i;
    TxRig t;

    tx_rig_with(&t, 6, ",line-rate=1000");
    for (i = 0; i < 3; i++) {
        frame[20] = i;
        index[i] = drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    }
    drv_sq_ring(t.d, &t.sq);
    for (i = 0; i < 3; i++) {
        frame[20] = i;
        expect_frame(t.d, frame, sizeof(frame));
        expect_silence(t.d);
        g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
        qtest_clock_step(t.d->qts, FRAME_NS - 1);
        expect_silence(t.d);
        g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
        qtest_clock_step(t.d->qts, 1);
        drv_sq_expect(t.d, &t.sq, index[i]);
    }
    /* A line that was idle takes the next frame at once, and only one. */
    qtest_clock_step(t.d->qts, 100 * FRAME_NS);
    drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, sizeof(frame));
    expect_silence(t.d);
    drv_stop(t.d);
}

/* A timer that was late is made up for, but not a stop of seconds. */
static void test_line_rate_late(void)
{
    uint8_t frame[FRAME_LEN] = { 0x02 };
    unsigned i;
    TxRig t;

    tx_rig_with(&t, 10, ",line-rate=1000");
    for (i = 0; i < 400; i++) {
        drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    }
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, sizeof(frame));
    expect_silence(t.d);
    qtest_clock_step(t.d->qts, 3 * FRAME_NS + FRAME_NS / 2);
    for (i = 0; i < 3; i++) {
        expect_frame(t.d, frame, sizeof(frame));
    }
    expect_silence(t.d);
    qtest_clock_step(t.d->qts, 1000000000);
    /* 1 ms is what is made up for. */
    for (i = 0; i < 1000000 / FRAME_NS + 1; i++) {
        expect_frame(t.d, frame, sizeof(frame));
    }
    expect_silence(t.d);
    drv_stop(t.d);
}

/* The frames of an LSO take their time one by one. */
static void test_line_rate_lso(void)
{
    FrameSpec s = rig_spec(4, 6, 2 * 926);
    uint8_t cqe[64], got[DRV_MAX_FRAME];
    Frame f = frame_build(&s);
    uint64_t mem;
    DrvWqe w;
    TxRig t;

    tx_rig_with(&t, 6, ",line-rate=1000");
    mem = drv_mem(t.d, 4096);
    drv_write(t.d, mem, f.data + f.payload, 2 * 926);
    drv_wqe(&w, &t.sq, WQE_LSO, true);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 926, f.data,
                f.payload);
    drv_wqe_data(&w, t.d->lkey, mem, 2 * 926);
    drv_sq_put(t.d, &t.sq, &w);
    drv_sq_ring(t.d, &t.sq);
    g_assert_cmpuint(drv_wire_recv(t.d, got), ==, FRAME_LEN);
    qtest_clock_step(t.d->qts, FRAME_NS - 1);
    expect_silence(t.d);
    qtest_clock_step(t.d->qts, 1);
    g_assert_cmpuint(drv_wire_recv(t.d, got), ==, FRAME_LEN);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    qtest_clock_step(t.d->qts, FRAME_NS);
    drv_sq_expect(t.d, &t.sq, 0);
    frame_free(&f);
    drv_stop(t.d);
}

/* -------------------------------------------------------- link partners --- */

#define OTHER_SLOT 5
#define OTHER_PATH "/machine/peripheral/other"

/* What a Drv keeps of the device that it drives. */
typedef struct End {
    const char *path;
    QPCIDevice *pci;
    int devfn;
    QPCIBar bar0;
    uint64_t cmdq;
    uint8_t token;
    uint32_t uar, pd, td, lkey;
} End;

/* Has @d drive the device of @e, and *@e be what it drove before. */
static void swap_ends(Drv *d, End *e)
{
    End now = {
        .path = d->path, .pci = d->pci, .devfn = d->devfn, .bar0 = d->bar0,
        .cmdq = d->cmdq, .token = d->token, .uar = d->uar, .pd = d->pd,
        .td = d->td, .lkey = d->lkey,
    };

    d->path = e->path;
    d->pci = e->pci;
    d->devfn = e->devfn;
    d->bar0 = e->bar0;
    d->cmdq = e->cmdq;
    d->token = e->token;
    d->uar = e->uar;
    d->pd = e->pd;
    d->td = e->td;
    d->lkey = e->lkey;
    *e = now;
}

/* Two devices that are each other's link partners, both up; @d drives "nic". */
static Drv *start_pair(End *other)
{
    Drv *d = drv_start_up(",link-partner=other "
                          "-netdev hubport,id=net1,hubid=1 "
                          "-device mlx5-ktls,id=other,netdev=net1,bus=pcie.0,"
                          "addr=" stringify(OTHER_SLOT) ",link-partner=nic");

    *other = (End) {
        .path = OTHER_PATH, .devfn = QPCI_DEVFN(OTHER_SLOT, 0),
    };
    swap_ends(d, other);
    drv_map(d);
    drv_cmdq_init(d);
    drv_hca_up(d);
    swap_ends(d, other);
    return d;
}

static void stop_pair(Drv *d, End *other)
{
    swap_ends(d, other);
    drv_hca_down(d);
    g_free(d->pci);
    d->pci = NULL;
    swap_ends(d, other);
    drv_stop(d);
}

static unsigned oper_status(Drv *d)
{
    uint8_t reg[16] = { 0 };

    access_reg(d, REG_PAOS, false, reg, sizeof(reg));
    return MLX5_GET(paos_reg, reg, oper_status);
}

static void set_admin(Drv *d, unsigned state)
{
    uint8_t reg[16] = { 0 };

    MLX5_SET(paos_reg, reg, admin_status, state);
    MLX5_SET(paos_reg, reg, ase, 1);
    access_reg(d, REG_PAOS, true, reg, sizeof(reg));
}

/* Why the link is down, as PDDR has it. */
static unsigned opcode(Drv *d)
{
    uint8_t reg[256] = { 0 };

    MLX5_SET(pddr_reg, reg, page_select, 1);
    access_reg(d, REG_PDDR, false, reg, sizeof(reg));
    return MLX5_GET(pddr_troubleshooting_page, reg + 8, status_opcode);
}

/* What the port is doing, as PDDR has it: phy_mngr_fsm_state. */
static unsigned port_state(Drv *d)
{
    uint8_t reg[256] = { 0 };

    access_reg(d, REG_PDDR, false, reg, sizeof(reg));
    g_assert_cmpuint(MLX5_GET(pddr_operation_info_page, reg + 8, proto_active),
                     ==, 4);
    return MLX5_GET(pddr_operation_info_page, reg + 8, phy_mngr_fsm_state);
}

/* Waits until this end has that state, and the other end that one. */
static void expect_ends(Drv *d, End *other, unsigned here, unsigned there)
{
    unsigned i;

    for (i = 0; i < 2; i++) {
        unsigned want = i ? there : here;

        DRV_WAIT(oper_status(d) == (want ? DOWN : UP));
        g_assert_cmpuint(opcode(d), ==, want);
        /* active, closed by command, or polling for a partner */
        g_assert_cmpuint(port_state(d), ==, want == 0 ? 3 : want == 1 ? 0 : 2);
        swap_ends(d, other);
    }
}

/* Bits of ext_eth_proto_* */
enum {
    MODE_10G = 1 << 4,
    MODE_40G = 1 << 5,
    MODE_25G = 1 << 6,
    MODE_100G = 1 << 9,
    ALL_MODES = 0x2f2,
};

static void set_modes(Drv *d, uint32_t modes, bool an_disable)
{
    uint8_t reg[64] = { 0 };

    MLX5_SET(ptys_reg, reg, proto_mask, 4);
    MLX5_SET(ptys_reg, reg, ext_eth_proto_admin, modes);
    MLX5_SET(ptys_reg, reg, an_disable_admin, an_disable);
    access_reg(d, REG_PTYS, true, reg, sizeof(reg));
}

static void expect_mode(Drv *d, uint32_t mode, uint32_t partner)
{
    uint8_t reg[64] = { 0 };

    MLX5_SET(ptys_reg, reg, proto_mask, 4);
    access_reg(d, REG_PTYS, false, reg, sizeof(reg));
    g_assert_cmphex(MLX5_GET(ptys_reg, reg, ext_eth_proto_oper), ==, mode);
    g_assert_cmphex(MLX5_GET(ptys_reg, reg, eth_proto_lp_advertise), ==,
                    partner);
}

static void expect_port_event(Drv *d, DrvEq *eq, unsigned sub_type)
{
    uint8_t eqe[64];

    drv_eq_wait(d, eq, eqe);
    g_assert_cmpuint(MLX5_GET(eqe, eqe, event_type), ==, EVENT_PORT_CHANGE);
    g_assert_cmpuint(MLX5_GET(eqe, eqe, event_sub_type), ==, sub_type);
    drv_eq_update(d, eq, false);
}

/* What one end does, the other sees, hears of, and explains. */
static void test_partner(void)
{
    uint8_t eqe[64];
    unsigned i;
    End other;
    DrvEq eq;
    Drv *d = start_pair(&other);

    expect_ends(d, &other, 0, 0);
    drv_eq_create(d, &eq, 6, 0, 1ull << EVENT_PORT_CHANGE);
    for (i = 0; i < 2; i++) {
        swap_ends(d, &other);
        set_admin(d, DOWN);
        swap_ends(d, &other);
        expect_ends(d, &other, 2, 1);
        expect_port_event(d, &eq, 1);
        swap_ends(d, &other);
        set_admin(d, UP);
        swap_ends(d, &other);
        expect_ends(d, &other, 0, 0);
        expect_port_event(d, &eq, 4);
    }
    g_assert_cmpuint(drv_counter(d, "link_down_events"), ==, 2);
    /* The cable, which both ends lose. */
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'other', 'up': false}}");
    expect_ends(d, &other, 2, 1024);
    expect_port_event(d, &eq, 1);
    /* Its own state comes first. */
    set_admin(d, DOWN);
    expect_ends(d, &other, 1, 1024);
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'other', 'up': true}}");
    expect_ends(d, &other, 1, 2);
    set_admin(d, UP);
    expect_ends(d, &other, 0, 0);
    expect_port_event(d, &eq, 4);
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    stop_pair(d, &other);
}

/* Autonegotiation finds the fastest common mode; forced modes must be equal. */
static void test_partner_modes(void)
{
    End other;
    Drv *d = start_pair(&other);

    expect_ends(d, &other, 0, 0);
    set_modes(d, MODE_10G | MODE_25G, false);
    expect_ends(d, &other, 0, 0);
    swap_ends(d, &other);
    expect_mode(d, MODE_25G, MODE_10G | MODE_25G);
    set_modes(d, MODE_10G | MODE_100G, false);
    swap_ends(d, &other);
    expect_ends(d, &other, 0, 0);
    expect_mode(d, MODE_10G, MODE_10G | MODE_100G);
    set_modes(d, MODE_25G, false);
    expect_ends(d, &other, 39, 39);
    set_modes(d, MODE_25G, true);
    expect_ends(d, &other, 36, 39);
    swap_ends(d, &other);
    set_modes(d, MODE_10G, true);
    swap_ends(d, &other);
    expect_ends(d, &other, 36, 36);
    /* One end that negotiates finds the forced mode of the other. */
    swap_ends(d, &other);
    set_modes(d, MODE_10G | MODE_25G | MODE_100G, false);
    swap_ends(d, &other);
    expect_ends(d, &other, 0, 0);
    swap_ends(d, &other);
    expect_mode(d, MODE_25G, MODE_25G);
    swap_ends(d, &other);
    set_admin(d, DOWN);
    expect_ends(d, &other, 1, 2);
    stop_pair(d, &other);
}

/* ------------------------------------------------------------------ FEC --- */

enum { FEC_NONE = 1, FEC_FIRECODE = 2, FEC_RS = 4 };

/* Allows FEC codes, 0 for any, in each class of link modes. */
static DrvResult try_fec(Drv *d, unsigned g100, unsigned g50, unsigned g25,
                         unsigned g10_40)
{
    uint8_t reg[0x30] = { 0 };

    MLX5_SET(port_reg, reg, local_port, 1);
    MLX5_SET(pplm_reg, reg, fec_override_admin_100g, g100);
    MLX5_SET(pplm_reg, reg, fec_override_admin_50g, g50);
    MLX5_SET(pplm_reg, reg, fec_override_admin_25g, g25);
    MLX5_SET(pplm_reg, reg, fec_override_admin_10g_40g, g10_40);
    return drv_access_reg(d, REG_PPLM, true, reg, sizeof(reg));
}

static void set_fec(Drv *d, unsigned g100, unsigned g50, unsigned g25,
                    unsigned g10_40)
{
    g_assert_cmphex(try_fec(d, g100, g50, g25, g10_40).status, ==, 0);
}

/* The code in use at each end, 0 for a link that is down. */
static void expect_fec(Drv *d, End *other, unsigned active)
{
    uint8_t reg[0x30] = { 0 };
    unsigned i;

    for (i = 0; i < 2; i++) {
        access_reg(d, REG_PPLM, false, reg, sizeof(reg));
        g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_mode_active), ==, active);
        swap_ends(d, other);
    }
}

/* The strongest code that both ends allow; without one the mode is out. */
static void test_fec(void)
{
    uint8_t reg[0x30] = { 0 };
    End other;
    Drv *d = start_pair(&other);

    expect_ends(d, &other, 0, 0);
    expect_fec(d, &other, FEC_RS);
    access_reg(d, REG_PPLM, false, reg, sizeof(reg));
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_cap_100g), ==,
                    FEC_NONE | FEC_RS);
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_cap_25g), ==,
                    FEC_NONE | FEC_FIRECODE | FEC_RS);
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_cap_10g_40g), ==,
                    FEC_NONE | FEC_FIRECODE);
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_cap_56g), ==, 0);

    set_fec(d, FEC_NONE, FEC_NONE, FEC_NONE, FEC_NONE);
    expect_ends(d, &other, 0, 0);
    expect_fec(d, &other, FEC_NONE);
    memset(reg, 0, sizeof(reg));
    access_reg(d, REG_PPLM, false, reg, sizeof(reg));
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_admin_50g), ==,
                    FEC_NONE);

    /* Of what is left, 40 Gb/s is the fastest for which both can agree. */
    swap_ends(d, &other);
    set_fec(d, FEC_RS, FEC_RS, FEC_RS, 0);
    expect_ends(d, &other, 0, 0);
    expect_fec(d, &other, FEC_NONE);
    expect_mode(d, MODE_40G, ALL_MODES);
    set_modes(d, MODE_25G | MODE_100G, false);
    expect_ends(d, &other, 39, 39);
    expect_fec(d, &other, 0);
    set_fec(d, FEC_RS, 0, FEC_FIRECODE, 0);
    swap_ends(d, &other);
    set_fec(d, FEC_NONE, 0, FEC_FIRECODE | FEC_RS, 0);
    expect_ends(d, &other, 0, 0);
    expect_fec(d, &other, FEC_FIRECODE);
    expect_mode(d, MODE_25G, MODE_25G | MODE_100G);
    stop_pair(d, &other);
}

/* A code that no mode of the class can have is refused; all is as before. */
static void test_fec_bad(void)
{
    Drv *d = drv_start_up("");
    uint8_t reg[0x30] = { 0 };

    set_fec(d, FEC_RS, 0, FEC_FIRECODE, 0);
    g_assert_cmphex(try_fec(d, FEC_NONE, 0, 0, FEC_RS).status, !=, 0);
    g_assert_cmphex(try_fec(d, FEC_FIRECODE, 0, 0, 0).status, !=, 0);
    MLX5_SET(port_reg, reg, local_port, 1);
    MLX5_SET(pplm_reg, reg, fec_override_admin_56g, FEC_NONE);
    g_assert_cmphex(drv_access_reg(d, REG_PPLM, true, reg, sizeof(reg)).status,
                    !=, 0);
    memset(reg, 0, sizeof(reg));
    access_reg(d, REG_PPLM, false, reg, sizeof(reg));
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_admin_100g), ==,
                    FEC_RS);
    g_assert_cmphex(MLX5_GET(pplm_reg, reg, fec_override_admin_25g), ==,
                    FEC_FIRECODE);
    drv_stop(d);
}

/* PPCNT, the physical layer's statistics. */
static void read_statistics(Drv *d, uint64_t *ms, uint64_t *bits)
{
    uint8_t reg[256] = { 0 }, *set = reg + 8;

    MLX5_SET(ppcnt_reg, reg, grp, 0x16);
    access_reg(d, REG_PPCNT, false, reg, sizeof(reg));
    *ms = MLX5_GET64(phys_layer_statistical_cntrs, set, time_since_last_clear);
    *bits = MLX5_GET64(phys_layer_statistical_cntrs, set, phy_received_bits);
    g_assert_cmpuint(MLX5_GET64(phys_layer_statistical_cntrs, set,
                                phy_corrected_bits), ==, 0);
}

/* A link that is up receives all the time, at its speed. */
static void test_line_bits(void)
{
    Drv *d = drv_start_up("");
    uint64_t ms, bits, ms_before, bits_before;

    read_statistics(d, &ms_before, &bits_before);
    qtest_clock_step(d->qts, 3000000);
    read_statistics(d, &ms, &bits);
    g_assert_cmpuint(ms - ms_before, ==, 3);
    g_assert_cmpuint(bits - bits_before, ==, 300000000);
    set_modes(d, MODE_10G, false);
    qtest_clock_step(d->qts, 1000000);
    read_statistics(d, &ms, &bits);
    g_assert_cmpuint(bits - bits_before, ==, 310000000);
    set_admin(d, DOWN);
    qtest_clock_step(d->qts, 1000000);
    read_statistics(d, &ms, &bits);
    g_assert_cmpuint(ms - ms_before, ==, 5);
    g_assert_cmpuint(bits - bits_before, ==, 310000000);
    drv_stop(d);
}

/* A partner that is unplugged, and one that comes, are seen as well. */
static void test_partner_unplug(void)
{
    Drv *d = drv_start_unplugged();
    unsigned i;

    qtest_qmp_assert_success(d->qts, "{'execute': 'netdev_add', 'arguments': "
                             "{'type': 'hubport', 'id': 'net1', 'hubid': 1}}");
    qtest_qmp_device_add(d->qts, "mlx5-ktls", "nic", "{'netdev': 'net0', "
                         "'addr': %s, 'mac': %s, 'link-partner': 'other'}",
                         stringify(DRV_PCI_SLOT), DRV_MAC_STR);
    drv_map(d);
    drv_cmdq_init(d);
    drv_hca_up(d);
    g_assert_cmpuint(opcode(d), ==, 2);
    for (i = 0; i < 2; i++) {
        qtest_qmp_device_add(d->qts, "mlx5-ktls", "other", "{'netdev': 'net1', "
                             "'addr': %s, 'link-partner': 'nic'}",
                             stringify(OTHER_SLOT));
        DRV_WAIT(oper_status(d) == UP);
        qpci_unplug_acpi_device_test(d->qts, "other", OTHER_SLOT);
        DRV_WAIT(oper_status(d) == DOWN);
        g_assert_cmpuint(opcode(d), ==, 2);
    }
    drv_stop(d);
}

void mlx5_link_tests(void)
{
    qtest_add_func("mlx5-ktls/link/mac-control", test_mac_control);
    qtest_add_func("mlx5-ktls/link/pause", test_pause);
    qtest_add_func("mlx5-ktls/link/line-rate", test_line_rate);
    qtest_add_func("mlx5-ktls/link/line-rate-late", test_line_rate_late);
    qtest_add_func("mlx5-ktls/link/line-rate-lso", test_line_rate_lso);
    qtest_add_func("mlx5-ktls/link/partner", test_partner);
    qtest_add_func("mlx5-ktls/link/partner-modes", test_partner_modes);
    qtest_add_func("mlx5-ktls/link/fec", test_fec);
    qtest_add_func("mlx5-ktls/link/fec-bad", test_fec_bad);
    qtest_add_func("mlx5-ktls/link/line-bits", test_line_bits);
    qtest_add_func("mlx5-ktls/link/partner-unplug", test_partner_unplug);
}
