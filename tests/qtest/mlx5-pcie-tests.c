/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the capabilities in configuration space: the PCI Express and AER
 * registers, injected errors and their propagation to the root port, and the
 * effect of each kind of reset. Owns no state.
 */
#include "mlx5-fault.h"
#include "qemu/host-utils.h"
#include "hw/pci/pci_regs.h"
#include "hw/pci/pcie_regs.h"
#include "mlx5-tests.h"

#define CAP_AER 0x100
#define ECAM 0xb0000000u
#define MCH_PCIEXBAR 0x60
#define REQUESTER 0x0100 /* bus 1, device 0 */

/* The device behind a root port, both with their extended registers. */
typedef struct Rig {
    Drv *d;
    QPCIDevice *port;
    uint8_t exp;      /* the device's capability */
    uint8_t port_exp; /* the port's */
} Rig;

static void open_ecam(Rig *r)
{
    QPCIDevice *host = qpci_device_find(r->d->bus, QPCI_DEVFN(0, 0));

    qpci_config_writel(host, MCH_PCIEXBAR, ECAM | 1);
    g_free(host);
}

static void rig_start(Rig *r, int bytes)
{
    r->d = drv_start_behind_port_narrow("", bytes);
    r->port = qpci_device_find(r->d->bus, QPCI_DEVFN(DRV_PORT_SLOT, 0));
    g_assert_nonnull(r->port);
    r->exp = qpci_find_capability(r->d->pci, PCI_CAP_ID_EXP, 0);
    r->port_exp = qpci_find_capability(r->port, PCI_CAP_ID_EXP, 0);
    open_ecam(r);
}

static void rig_stop(Rig *r)
{
    g_free(r->port);
    drv_stop(r->d);
}

static uint64_t nic_reg(unsigned off)
{
    return ECAM + (1u << 20) + off;
}

static uint64_t port_reg(unsigned off)
{
    return ECAM + (DRV_PORT_SLOT << 15) + off;
}

static uint32_t nic_read(Rig *r, unsigned off)
{
    return qtest_readl(r->d->qts, nic_reg(off));
}

static void nic_write(Rig *r, unsigned off, uint32_t v)
{
    qtest_writel(r->d->qts, nic_reg(off), v);
}

static uint16_t nic_readw(Rig *r, unsigned off)
{
    return qtest_readw(r->d->qts, nic_reg(off));
}

static void nic_writew(Rig *r, unsigned off, uint16_t v)
{
    qtest_writew(r->d->qts, nic_reg(off), v);
}

static uint32_t root_status(Rig *r)
{
    return qtest_readl(r->d->qts, port_reg(CAP_AER + PCI_ERR_ROOT_STATUS)) &
           PCI_ERR_ROOT_STATUS_REPORT_MASK;
}

/* ------------------------------------------------------------ registers --- */

/* As lspci shows a ConnectX-6 Dx, and nothing beyond what is there. */
static void test_announced(void)
{
    Rig r;
    uint8_t pm;
    uint32_t v;

    rig_start(&r, 0);
    pm = qpci_find_capability(r.d->pci, PCI_CAP_ID_PM, 0);
    g_assert_cmphex(nic_readw(&r, pm + PCI_PM_PMC), ==, 3);
    g_assert_cmphex(nic_readw(&r, pm + PCI_PM_CTRL), ==,
                    PCI_PM_CTRL_NO_SOFT_RESET);
    v = nic_read(&r, r.exp + PCI_EXP_DEVCAP);
    g_assert_cmpuint(v & PCI_EXP_DEVCAP_PAYLOAD, ==, 2);
    g_assert_cmphex(v & PCI_EXP_DEVCAP_L0S, ==, PCI_EXP_DEVCAP_L0S);
    g_assert_cmphex(v & PCI_EXP_DEVCAP_L1, ==, PCI_EXP_DEVCAP_L1);
    g_assert_cmphex(v & PCI_EXP_DEVCAP_RBER, !=, 0);
    g_assert_cmphex(v & PCI_EXP_DEVCAP_FLR, !=, 0);
    v = nic_read(&r, r.exp + PCI_EXP_LNKCAP);
    g_assert_cmphex(v & PCI_EXP_LNKCAP_ASPMS, ==, 0);
    g_assert_cmphex(v & 1u << 22, !=, 0); /* ASPM is optional */
    g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVCTL), ==,
                    PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
                    PCI_EXP_DEVCTL_READRQ_512B);
    g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==, 0);
    g_assert_cmpuint(nic_readw(&r, r.exp + PCI_EXP_LNKCTL2) &
                     PCI_EXP_LNKCTL2_TLS, ==, 4);
    g_assert_cmphex(nic_read(&r, CAP_AER) & 0xffff, ==, PCI_EXT_CAP_ID_ERR);
    /* One header is logged, not several. */
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_CAP) & PCI_ERR_CAP_MHRC,
                    ==, 0);
    rig_stop(&r);
}

/* Each writable field takes all its bits, alone. */
static void test_writable(void)
{
    static const struct {
        bool word;          /* of 16 bits, in the PCI Express capability */
        unsigned off;
        uint32_t mask;
    } rows[] = {
        { true, PCI_EXP_DEVCTL, 0xf | PCI_EXP_DEVCTL_RELAX_EN |
          PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_EXT_TAG |
          PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ },
        { true, PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_RCB | PCI_EXP_LNKCTL_CCC |
          PCI_EXP_LNKCTL_ES },
        { true, PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS },
        { false, CAP_AER + PCI_ERR_UNCOR_MASK, PCI_ERR_UNC_SUPPORTED },
        { false, CAP_AER + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_SUPPORTED },
        { false, CAP_AER + PCI_ERR_COR_MASK, PCI_ERR_COR_SUPPORTED },
    };
    Rig r;
    unsigned i, bit;

    rig_start(&r, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool word = rows[i].word;
        unsigned off = rows[i].off + (word ? r.exp : 0);
        uint32_t was = word ? nic_readw(&r, off) : nic_read(&r, off);

        for (bit = 0; bit < (word ? 16 : 32); bit++) {
            uint32_t v = 1u << bit, fixed = was & ~rows[i].mask;

            if (word && rows[i].off == PCI_EXP_DEVCTL &&
                v == PCI_EXP_DEVCTL_BCR_FLR) {
                continue;
            }
            if (word) {
                nic_writew(&r, off, v);
                v = nic_readw(&r, off);
            } else {
                nic_write(&r, off, v);
                v = nic_read(&r, off);
            }
            g_assert_cmphex(v, ==, ((1u << bit) & rows[i].mask) | fixed);
        }
    }
    rig_stop(&r);
}

/* The port above says that its link is up, before and after a reset. */
static void test_link_active(void)
{
    Rig r;

    rig_start(&r, 0);
    g_assert_cmphex(qpci_config_readl(r.port, r.port_exp + PCI_EXP_LNKCAP) &
                    PCI_EXP_LNKCAP_DLLLARC, !=, 0);
    g_assert_cmphex(qpci_config_readw(r.port, r.port_exp + PCI_EXP_LNKSTA) &
                    PCI_EXP_LNKSTA_DLLLA, !=, 0);
    qtest_system_reset(r.d->qts);
    g_assert_cmphex(qpci_config_readw(r.port, r.port_exp + PCI_EXP_LNKSTA) &
                    PCI_EXP_LNKSTA_DLLLA, !=, 0);
    drv_port_setup(r.d);
    rig_stop(&r);
}

/* --------------------------------------------------------------- errors --- */

/* @what as the monitor's command takes it: an error, and a header if wanted. */
static void inject(Rig *r, const char *what)
{
    g_autofree char *out = qtest_hmp(r->d->qts, "pcie_aer_inject_error nic %s",
                                     what);

    g_assert_true(g_str_has_prefix(out, "OK"));
}

/* What a kernel does that takes errors over: it enables them all the way. */
static void enable_errors(Rig *r)
{
    QPCIDevice *port = r->port;

    nic_writew(r, r->exp + PCI_EXP_DEVCTL, 0xf);
    qpci_config_writew(port, r->port_exp + PCI_EXP_DEVCTL, 0xf);
    qpci_config_writew(port, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_SERR);
    qtest_writel(r->d->qts, port_reg(CAP_AER + PCI_ERR_ROOT_COMMAND),
                 PCI_ERR_ROOT_CMD_EN_MASK);
}

static void root_clear(Rig *r)
{
    qtest_writel(r->d->qts, port_reg(CAP_AER + PCI_ERR_ROOT_STATUS),
                 PCI_ERR_ROOT_STATUS_REPORT_MASK);
    g_assert_cmphex(root_status(r), ==, 0);
}

static void test_correctable(void)
{
    Rig r;

    rig_start(&r, 0);
    enable_errors(&r);
    inject(&r, "BAD_TLP");
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_STATUS), ==,
                    PCI_ERR_COR_BAD_TLP);
    g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==,
                    PCI_EXP_DEVSTA_CED);
    g_assert_cmphex(root_status(&r), ==, PCI_ERR_ROOT_COR_RCV);
    g_assert_cmphex(qtest_readw(r.d->qts,
                                port_reg(CAP_AER + PCI_ERR_ROOT_ERR_SRC)),
                    ==, REQUESTER);
    /* A second kind beside the first; writing 1 clears what is written. */
    inject(&r, "REP_TIMER");
    nic_write(&r, CAP_AER + PCI_ERR_COR_STATUS, PCI_ERR_COR_BAD_TLP);
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_STATUS), ==,
                    PCI_ERR_COR_REP_TIMER);
    nic_write(&r, CAP_AER + PCI_ERR_COR_STATUS, PCI_ERR_COR_REP_TIMER);
    nic_writew(&r, r.exp + PCI_EXP_DEVSTA, PCI_EXP_DEVSTA_CED);
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_STATUS), ==, 0);
    g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==, 0);
    rig_stop(&r);
}

static void expect_header(Rig *r, const uint32_t header[4])
{
    unsigned i;

    for (i = 0; i < 4; i++) {
        /* The first byte of the packet is the highest of the first word. */
        g_assert_cmphex(bswap32(nic_read(r, CAP_AER + PCI_ERR_HEADER_LOG +
                                            i * 4)), ==, header[i]);
    }
}

static void test_uncorrectable(void)
{
    static const struct {
        const char *what;
        uint32_t bit;
        bool fatal;
    } rows[] = {
        { "COMP_TIME", PCI_ERR_UNC_COMP_TIME, false },
        { "POISON_TLP", PCI_ERR_UNC_POISON_TLP, false },
        { "DLP", PCI_ERR_UNC_DLP, true },
        { "MALF_TLP", PCI_ERR_UNC_MALF_TLP, true },
    };
    static const uint32_t none[4] = { 0 };
    uint32_t header[4] = { 0x4a000001, 0x01000004, 0x00001234, 0xdeadbeef };
    unsigned i;
    Rig r;

    rig_start(&r, 0);
    enable_errors(&r);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *what = NULL;

        header[3] += i;
        what = g_strdup_printf("%s 0x%x 0x%x 0x%x 0x%x", rows[i].what,
                               header[0], header[1], header[2], header[3]);
        inject(&r, what);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_UNCOR_STATUS), ==,
                        rows[i].bit);
        g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==,
                        rows[i].fatal ? PCI_EXP_DEVSTA_FED :
                                        PCI_EXP_DEVSTA_NFED);
        g_assert_cmpuint(PCI_ERR_CAP_FEP(nic_read(&r, CAP_AER + PCI_ERR_CAP)),
                         ==, ctz32(rows[i].bit));
        expect_header(&r, header);
        g_assert_cmphex(root_status(&r), ==, PCI_ERR_ROOT_UNCOR_RCV |
                        (rows[i].fatal ? PCI_ERR_ROOT_FATAL_RCV |
                                         PCI_ERR_ROOT_FIRST_FATAL :
                                         PCI_ERR_ROOT_NONFATAL_RCV));
        g_assert_cmphex(qtest_readw(r.d->qts, port_reg(CAP_AER +
                                    PCI_ERR_ROOT_ERR_SRC + 2)), ==, REQUESTER);
        /* With the bit of the first error the log goes. */
        nic_write(&r, CAP_AER + PCI_ERR_UNCOR_STATUS, rows[i].bit);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_UNCOR_STATUS), ==, 0);
        expect_header(&r, none);
        nic_writew(&r, r.exp + PCI_EXP_DEVSTA, 0xf);
        g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==, 0);
        root_clear(&r);
    }
    /* What is fatal is the guest's choice. */
    nic_write(&r, CAP_AER + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_COMP_TIME);
    inject(&r, "COMP_TIME");
    g_assert_cmphex(root_status(&r) & PCI_ERR_ROOT_FATAL_RCV, !=, 0);
    rig_stop(&r);
}

/* What is masked, or not enabled, is noted and goes no further. */
static void test_masked(void)
{
    Rig r;

    rig_start(&r, 0);
    enable_errors(&r);
    nic_write(&r, CAP_AER + PCI_ERR_COR_MASK, PCI_ERR_COR_BAD_TLP);
    inject(&r, "BAD_TLP");
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_STATUS), ==,
                    PCI_ERR_COR_BAD_TLP);
    nic_write(&r, CAP_AER + PCI_ERR_UNCOR_MASK, PCI_ERR_UNC_DLP);
    inject(&r, "DLP");
    g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_UNCOR_STATUS), ==,
                    PCI_ERR_UNC_DLP);
    g_assert_cmphex(root_status(&r), ==, 0);
    nic_write(&r, CAP_AER + PCI_ERR_COR_MASK, 0);
    nic_write(&r, CAP_AER + PCI_ERR_UNCOR_MASK, 0);
    nic_writew(&r, r.exp + PCI_EXP_DEVCTL, 0);
    inject(&r, "BAD_TLP");
    inject(&r, "DLP");
    inject(&r, "COMP_TIME");
    g_assert_cmphex(root_status(&r), ==, 0);
    /* One of the three is enough for its own. */
    nic_writew(&r, r.exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_NFERE);
    inject(&r, "DLP");
    g_assert_cmphex(root_status(&r), ==, 0);
    inject(&r, "COMP_TIME");
    g_assert_cmphex(root_status(&r), ==,
                    PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV);
    rig_stop(&r);
}

/* --------------------------------------------------------------- resets --- */

static void hot_reset(Rig *r)
{
    uint16_t ctl = qpci_config_readw(r->port, PCI_BRIDGE_CONTROL);

    qpci_config_writew(r->port, PCI_BRIDGE_CONTROL,
                       ctl | PCI_BRIDGE_CTL_BUS_RESET);
    qpci_config_writew(r->port, PCI_BRIDGE_CONTROL,
                       ctl & ~PCI_BRIDGE_CTL_BUS_RESET);
}

static void flr(Rig *r)
{
    nic_writew(r, r->exp + PCI_EXP_DEVCTL,
               nic_readw(r, r->exp + PCI_EXP_DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
}

static void system_reset(Rig *r)
{
    qtest_system_reset(r->d->qts);
    drv_port_setup(r->d);
    open_ecam(r);
}

enum { FUNCTION, HOT, POWER, KINDS };
static void (*const reset[KINDS])(Rig *r) = { flr, hot_reset, system_reset };

/* Sticky registers outlive all but a reset of the machine. */
static void test_reset_registers(void)
{
    const uint16_t dfl = PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN |
                         PCI_EXP_DEVCTL_READRQ_512B;
    const uint32_t header[4] = { 1, 2, 3, 4 }, none[4] = { 0 };
    unsigned kind;
    Rig r;

    rig_start(&r, 0);
    for (kind = 0; kind < KINDS; kind++) {
        bool sticky = kind != POWER;

        enable_errors(&r);
        nic_write(&r, CAP_AER + PCI_ERR_COR_MASK, 0);
        nic_write(&r, CAP_AER + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_COMP_TIME);
        nic_writew(&r, r.exp + PCI_EXP_LNKCTL2, 2);
        nic_writew(&r, r.exp + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_CCC);
        nic_writew(&r, r.exp + PCI_EXP_DEVCTL,
                   0xf | PCI_EXP_DEVCTL_PAYLOAD_256B);
        inject(&r, "BAD_TLP");
        inject(&r, "POISON_TLP 1 2 3 4");
        reset[kind](&r);
        g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVCTL), ==, dfl |
                        (kind == FUNCTION ? PCI_EXP_DEVCTL_PAYLOAD_256B : 0));
        g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_LNKCTL), ==,
                        kind == FUNCTION ? PCI_EXP_LNKCTL_CCC : 0);
        g_assert_cmphex(nic_readw(&r, r.exp + PCI_EXP_DEVSTA), ==, 0);
        g_assert_cmpuint(nic_readw(&r, r.exp + PCI_EXP_LNKCTL2) &
                         PCI_EXP_LNKCTL2_TLS, ==, sticky ? 2 : 4);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_STATUS), ==,
                        sticky ? PCI_ERR_COR_BAD_TLP : 0);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_UNCOR_STATUS), ==,
                        sticky ? PCI_ERR_UNC_POISON_TLP : 0);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_COR_MASK), ==,
                        sticky ? 0 : PCI_ERR_COR_MASK_DEFAULT);
        g_assert_cmphex(nic_read(&r, CAP_AER + PCI_ERR_UNCOR_SEVER), ==,
                        sticky ? PCI_ERR_UNC_COMP_TIME :
                                 PCI_ERR_UNC_SEVERITY_DEFAULT);
        expect_header(&r, sticky ? header : none);
        nic_write(&r, CAP_AER + PCI_ERR_COR_STATUS, 0xffffffff);
        nic_write(&r, CAP_AER + PCI_ERR_UNCOR_STATUS, 0xffffffff);
    }
    rig_stop(&r);
}

/*
 * Each kind takes a function from under its driver, with a frame half out, a
 * command that waits and an event that is due, and gives it to the next one.
 */
static void test_reset_live(void)
{
    enum { N = 64, LEN = 1000, ROOM = 4096 };
    uint8_t frame[LEN] = { 0x02 }, buf[DRV_MAX_FRAME];
    uint8_t in[16] = { 0 };
    unsigned kind, i;
    uint64_t blocked;
    DrvCmd c;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    Rig r;

    rig_start(&r, ROOM);
    for (kind = 0; kind < KINDS; kind++) {
        drv_cmdq_init(r.d);
        drv_hca_up(r.d);
        fault_add(r.d, "hold cmd=NOP name=x");
        drv_eq_create(r.d, &eq, 6, 0, 1ull << EVENT_CMD);
        drv_cq_create(r.d, &cq, 7, eq.eqn);
        drv_sq_create(r.d, &sq, 7, &cq, 0);
        blocked = drv_counter(r.d, "tx_blocked");
        for (i = 0; i < N; i++) {
            drv_sq_send(r.d, &sq, frame, LEN, 0);
        }
        drv_sq_ring(r.d, &sq);
        DRV_WAIT(drv_counter(r.d, "tx_blocked") > blocked);
        MLX5_SET(cmd_in, in, opcode, OP_NOP);
        drv_cmd_post(r.d, &c, 0, in, sizeof(in), 16);
        drv_cmd_ring(r.d, 1);
        drv_settle(r.d);
        reset[kind](&r);
        g_assert_cmpuint(drv_objects_total(r.d), ==, 0);
        g_assert_cmphex(nic_readw(&r, PCI_COMMAND) & PCI_COMMAND_MASTER, ==, 0);
        drv_map(r.d);
        /* Whoever was bound finds out; after power-on nobody was. */
        g_assert_cmpuint(drv_reg_read(r.d, ISEG_CMDQ_ADDR_L) >> 8 & 7, ==,
                         kind == POWER ? 0 : 1);
        g_assert_cmphex(drv_reg_read(r.d, ISEG_CMDQ_ADDR_H), ==, 0);
        fault_release(r.d, "x", 0);
        drv_settle(r.d);
        g_assert_false(drv_cmd_done(r.d, &c));
        while (drv_wire_readable(r.d)) {
            drv_wire_recv(r.d, buf);
            drv_settle(r.d);
        }
        fault_clear(r.d);
    }
    drv_cmdq_init(r.d);
    drv_hca_up(r.d);
    rig_stop(&r);
}

void mlx5_pcie_tests(void)
{
    qtest_add_func("mlx5-ktls/pcie/announced", test_announced);
    qtest_add_func("mlx5-ktls/pcie/writable", test_writable);
    qtest_add_func("mlx5-ktls/pcie/link-active", test_link_active);
    qtest_add_func("mlx5-ktls/pcie/aer-correctable", test_correctable);
    qtest_add_func("mlx5-ktls/pcie/aer-uncorrectable", test_uncorrectable);
    qtest_add_func("mlx5-ktls/pcie/aer-masked", test_masked);
    qtest_add_func("mlx5-ktls/pcie/reset-registers", test_reset_registers);
    qtest_add_func("mlx5-ktls/pcie/reset-live", test_reset_live);
}
