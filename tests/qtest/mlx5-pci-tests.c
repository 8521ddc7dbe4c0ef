/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of configuration space, the initialization segment, and the state after
 * a function level reset and a system reset. Owns no state.
 */
#include "mlx5-tls.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-tests.h"

#define BAR0_SIZE (32u << 20)
#define BAD_ACCESS 0xbadacce5u
#define FIRST_UAR 4

static void test_ids(void)
{
    Drv *d = drv_start("");

    g_assert_cmphex(qpci_config_readw(d->pci, PCI_VENDOR_ID), ==, 0x15b3);
    g_assert_cmphex(qpci_config_readw(d->pci, PCI_DEVICE_ID), ==, 0x101d);
    g_assert_cmphex(qpci_config_readw(d->pci, PCI_CLASS_DEVICE), ==, 0x0200);
    g_assert_cmphex(qpci_config_readb(d->pci, PCI_CLASS_PROG), ==, 0);
    g_assert_cmphex(qpci_config_readw(d->pci, PCI_SUBSYSTEM_VENDOR_ID), ==,
                    0x15b3);
    drv_stop(d);
}

static void test_bar0(void)
{
    Drv *d = drv_start("");
    uint64_t size;
    uint32_t bar;

    qpci_iomap(d->pci, 0, &size);
    g_assert_cmpuint(size, ==, BAR0_SIZE);
    bar = qpci_config_readl(d->pci, PCI_BASE_ADDRESS_0);
    g_assert_cmphex(bar & PCI_BASE_ADDRESS_SPACE, ==,
                    PCI_BASE_ADDRESS_SPACE_MEMORY);
    g_assert_cmphex(bar & PCI_BASE_ADDRESS_MEM_TYPE_MASK, ==,
                    PCI_BASE_ADDRESS_MEM_TYPE_64);
    g_assert_cmphex(bar & PCI_BASE_ADDRESS_MEM_PREFETCH, !=, 0);
    drv_stop(d);
}

static void test_msix(void)
{
    static const struct {
        const char *props;
        unsigned vectors;
    } rows[] = { { "", 64 }, { ",vectors=2", 2 }, { ",vectors=256", 256 } };
    unsigned i;
    uint8_t cap;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start(rows[i].props);

        g_assert_cmpuint(qpci_msix_table_size(d->pci), ==, rows[i].vectors);
        qpci_msix_enable(d->pci);
        /* Nothing pends, and vectors come up masked. */
        g_assert_false(qpci_msix_pending(d->pci, rows[i].vectors - 1));
        g_assert_true(qpci_msix_masked(d->pci, rows[i].vectors - 1));
        /* Where published dumps of such cards have them, both in BAR 0. */
        cap = qpci_find_capability(d->pci, PCI_CAP_ID_MSIX, 0);
        g_assert_cmphex(cap, ==, 0x9c);
        g_assert_cmphex(qpci_config_readl(d->pci, cap + PCI_MSIX_TABLE), ==,
                        0x2000);
        g_assert_cmphex(qpci_config_readl(d->pci, cap + PCI_MSIX_PBA), ==,
                        0x3000);
        drv_stop(d);
    }
}

static void test_express(void)
{
    Drv *d = drv_start("");
    uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
    uint32_t lnkcap;
    uint16_t lnksta;

    g_assert_cmphex(cap, !=, 0);
    lnkcap = qpci_config_readl(d->pci, cap + PCI_EXP_LNKCAP);
    lnksta = qpci_config_readw(d->pci, cap + PCI_EXP_LNKSTA);
    g_assert_cmpuint(lnkcap & PCI_EXP_LNKCAP_SLS, ==, 4); /* 16 GT/s */
    g_assert_cmpuint((lnkcap & PCI_EXP_LNKCAP_MLW) >> 4, ==, 16);
    g_assert_cmpuint(lnksta & PCI_EXP_LNKSTA_CLS, ==, 4);
    g_assert_cmpuint((lnksta & PCI_EXP_LNKSTA_NLW) >> 4, ==, 16);
    g_assert_cmphex(qpci_config_readl(d->pci, cap + PCI_EXP_DEVCAP) &
                    PCI_EXP_DEVCAP_FLR, !=, 0);
    g_assert_cmphex(qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0), !=, 0);
    g_assert_cmphex(qpci_find_capability(d->pci, PCI_CAP_ID_VPD, 0), ==, 0x48);
    drv_stop(d);
}

static void test_iseg_power_on(void)
{
    Drv *d = drv_start("");
    uint32_t rev = drv_reg_read(d, ISEG_FW_REV);
    uint32_t l;

    g_assert_cmpuint(rev & 0xffff, ==, 22); /* ConnectX-6 Dx firmware */
    g_assert_cmpuint(rev >> 16, >, 0);
    g_assert_cmpuint(drv_reg_read(d, ISEG_CMDIF_REV) >> 16, ==, 5);
    g_assert_cmphex(drv_reg_read(d, ISEG_HEALTH_FW_VER), !=, 0xffffffff);
    g_assert_cmphex(drv_reg_read(d, ISEG_HEALTH_FW_VER), !=, 0);
    /* Not initializing, no firmware reset, no embedded CPU. */
    g_assert_cmphex(drv_reg_read(d, ISEG_INITIALIZING) & 0xc0800000, ==, 0);
    /* 0: the driver keeps its own time limits and does not read DTOR. */
    g_assert_cmphex(drv_reg_read(d, ISEG_CMD_Q_INIT_TO), ==, 0);
    /* rfr_severity, synd and ext_synd: healthy */
    g_assert_cmphex(drv_reg_read(d, 0x238), ==, 0);
    g_assert_cmphex(drv_reg_read(d, 0x23c), ==, 0);
    l = drv_reg_read(d, ISEG_CMDQ_ADDR_L);
    g_assert_cmpuint(l >> 4 & 0xf, ==, 5); /* log_cmdq_size */
    g_assert_cmpuint(l & 0xf, ==, 6);      /* log_stride */
    g_assert_cmpuint(l >> 8 & 7, ==, 0);   /* full driver */
    g_assert_cmphex(l & 0xfffff000, ==, 0);
    drv_stop(d);
}

/* The driver reads the geometry in the dword that it later writes. */
static void test_iseg_cmdq_address(void)
{
    Drv *d = drv_start("");
    uint32_t l;

    drv_reg_write(d, ISEG_CMDQ_ADDR_H, 0x12345678);
    drv_reg_write(d, ISEG_CMDQ_ADDR_L, 0x9abcd000);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_H), ==, 0x12345678);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L), ==, 0x9abcd056);
    /* As the driver sets the interface state: read, change, write. */
    l = drv_reg_read(d, ISEG_CMDQ_ADDR_L);
    drv_reg_write(d, ISEG_CMDQ_ADDR_L, (l & 0xfffff8ff) | 1 << 8);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L), ==, 0x9abcd156);
    /* The low byte cannot be written. */
    drv_reg_write(d, ISEG_CMDQ_ADDR_L, 0x9abcd0ff);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L), ==, 0x9abcd056);
    drv_stop(d);
}

static void test_iseg_clocks(void)
{
    Drv *d = drv_start("");
    uint32_t before, after;
    uint64_t t0, t1;
    unsigned i;

    /* The driver polls every 2 s; while it waits for recovery, every 50 ms. */
    before = drv_reg_read(d, ISEG_HEALTH_COUNTER);
    for (i = 0; i < 40; i++) {
        qtest_clock_step(d->qts, 50 * 1000 * 1000);
        after = drv_reg_read(d, ISEG_HEALTH_COUNTER);
        g_assert_cmpuint(after, !=, before);
        before = after;
    }
    t0 = (uint64_t)drv_reg_read(d, ISEG_TIMER_H) << 32 |
         drv_reg_read(d, ISEG_TIMER_L);
    qtest_clock_step(d->qts, 5ll * 1000 * 1000 * 1000);
    t1 = (uint64_t)drv_reg_read(d, ISEG_TIMER_H) << 32 |
         drv_reg_read(d, ISEG_TIMER_L);
    g_assert_cmpuint(t1 - t0, ==, 5ull * 1000 * 1000 * 1000);
    drv_stop(d);
}

static void test_unimplemented(void)
{
    static const uint32_t uar[] = { 0x0, 0x20, 0x40, 0x48, 0x800, 0xffc };
    Drv *d = drv_start("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(uar); i++) {
        g_assert_cmphex(drv_reg_read(d, FIRST_UAR * 4096 + uar[i]), ==,
                        BAD_ACCESS);
        g_assert_cmphex(drv_reg_read(d, BAR0_SIZE - 4096 + uar[i]), ==,
                        BAD_ACCESS);
    }
    /* Behind the MSI-X table of 64 vectors, and behind its pending bits. */
    g_assert_cmphex(drv_reg_read(d, 0x2400), ==, BAD_ACCESS);
    g_assert_cmphex(drv_reg_read(d, 0x3008), ==, BAD_ACCESS);
    /* Reserved places inside the segment read as zero. */
    g_assert_cmphex(drv_reg_read(d, 0x01c), ==, 0);
    g_assert_cmphex(drv_reg_read(d, 0x1b8), ==, 0);
    g_assert_cmphex(drv_reg_read(d, 0x1ffc), ==, 0);
    drv_stop(d);
}

/* Registers are big-endian at every access size. */
static void test_access_sizes(void)
{
    Drv *d = drv_start("");
    uint32_t v = drv_reg_read(d, ISEG_CMDIF_REV);
    uint64_t q = bswap64(qpci_io_readq(d->pci, d->bar0, ISEG_FW_REV));

    g_assert_cmphex(q, ==,
                    (uint64_t)drv_reg_read(d, ISEG_FW_REV) << 32 | v);
    g_assert_cmphex(qpci_io_readb(d->pci, d->bar0, 4), ==, v >> 24);
    g_assert_cmphex(qpci_io_readb(d->pci, d->bar0, 5), ==, v >> 16 & 0xff);
    g_assert_cmphex(qpci_io_readb(d->pci, d->bar0, 7), ==, v & 0xff);
    g_assert_cmphex(bswap16(qpci_io_readw(d->pci, d->bar0, 4)), ==, v >> 16);
    g_assert_cmphex(bswap16(qpci_io_readw(d->pci, d->bar0, 6)), ==,
                    v & 0xffff);
    drv_stop(d);
}

/* Without the bus master bit no byte of memory is read or written. */
static void test_no_bus_master(void)
{
    Drv *d = drv_start("");
    uint8_t in[16] = { 0 };
    uint16_t cmd;
    DrvResult r;
    DrvCmd c;

    drv_cmdq_init(d);
    cmd = qpci_config_readw(d->pci, PCI_COMMAND);
    qpci_config_writew(d->pci, PCI_COMMAND, cmd & ~PCI_COMMAND_MASTER);
    MLX5_SET(cmd_in, in, opcode, OP_ENABLE_HCA);
    drv_cmd_post(d, &c, 0, in, sizeof(in), 16);
    drv_cmd_ring(d, 1);
    drv_settle(d);
    g_assert_false(drv_cmd_done(d, &c));
    qpci_config_writew(d->pci, PCI_COMMAND, cmd);
    /* Nothing has been done behind our back: it can still be enabled. */
    drv_cmd_ring(d, 1);
    r = drv_cmd_finish(d, &c, NULL);
    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, ==, 0);
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    drv_stop(d);
}

/* -------------------------------------------------------------- resets --- */

/* TLS contexts in both directions, one of them with parameters. */
static void make_tls(Drv *d, DrvSq *sq, DrvRq *rq)
{
    uint8_t p[TLS_STATIC_LEN];
    uint16_t index;
    TlsConn c;
    DrvWqe w;

    tls_conn(&c, 2, 0);
    tls_static(p, &c, drv_dek_create(d, c.key, c.key_len), 0);
    drv_tis_tls(d);
    drv_wqe_static(&w, sq, true, drv_tir_tls(d, rq->rqn), p, false, true);
    index = drv_sq_put(d, sq, &w);
    drv_sq_ring(d, sq);
    drv_sq_expect(d, sq, index);
}

/* Something of each kind, so that a reset has something to take away. */
static void make_objects(Drv *d)
{
    DrvSteering st;
    const DrvRq *rqp;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_sq_create(d, &sq, 4, &cq, drv_tis_create(d));
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    rqp = &rq;
    drv_rqt_create(d, &rqp, 1);
    drv_steer_all(d, &st, drv_tir_direct(d, rq.rqn), 0);
    make_tls(d, &sq, &rq);
    g_assert_cmpuint(drv_objects(d, "sq"), ==, 1);
    g_assert_cmpuint(drv_objects(d, "flow_entry"), ==, 1);
    g_assert_cmpuint(drv_objects(d, "dek"), ==, 1);
}

static void test_flr(void)
{
    Drv *d = drv_start_up("");
    uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
    uint16_t ctl;

    make_objects(d);
    ctl = qpci_config_readw(d->pci, cap + PCI_EXP_DEVCTL);
    qpci_config_writew(d->pci, cap + PCI_EXP_DEVCTL,
                       ctl | PCI_EXP_DEVCTL_BCR_FLR);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    /* The bit reads as zero; BARs and command are cleared. */
    g_assert_cmphex(qpci_config_readw(d->pci, cap + PCI_EXP_DEVCTL) &
                    PCI_EXP_DEVCTL_BCR_FLR, ==, 0);
    g_assert_cmphex(qpci_config_readw(d->pci, PCI_COMMAND) &
                    PCI_COMMAND_MASTER, ==, 0);
    drv_map(d);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_H), ==, 0);
    g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L) & 0xfffff000, ==, 0);
    /* A driver that is bound finds its interface disabled. */
    g_assert_cmpuint(drv_reg_read(d, ISEG_CMDQ_ADDR_L) >> 8 & 7, ==, 1);
    /* And starts anew as after power-on. */
    drv_cmdq_init(d);
    g_assert_cmpuint(drv_reg_read(d, ISEG_CMDQ_ADDR_L) >> 8 & 7, ==, 0);
    drv_hca_up(d);
    make_objects(d);
    drv_stop(d);
}

static void test_system_reset(void)
{
    Drv *d = drv_start_up("");
    uint32_t i;

    for (i = 0; i < 3; i++) {
        make_objects(d);
        qtest_system_reset(d->qts);
        g_assert_cmpuint(drv_objects_total(d), ==, 0);
        drv_map(d);
        g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L), ==, 0x56);
        drv_cmdq_init(d);
        drv_hca_up(d);
    }
    drv_stop(d);
}

/* A doorbell that rang just before the reset does no harm after it. */
static void test_reset_with_work_pending(void)
{
    Drv *d = drv_start_up("");
    uint8_t frame[64] = { 0 };
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    unsigned i;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 6, eq.eqn);
    drv_sq_create(d, &sq, 6, &cq, 0);
    for (i = 0; i < 32; i++) {
        drv_sq_send(d, &sq, frame, sizeof(frame), 0);
    }
    drv_sq_ring(d, &sq);
    drv_cmd_ring(d, 0xffffffff);
    qtest_system_reset(d->qts);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    drv_map(d);
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_stop(d);
}

/* Reads a dword of the vital product data, as a host does. */
static uint32_t vpd_read(Drv *d, uint8_t cap, uint16_t at)
{
    qpci_config_writew(d->pci, cap + PCI_VPD_ADDR, at);
    g_assert_cmphex(qpci_config_readw(d->pci, cap + PCI_VPD_ADDR), ==,
                    at | PCI_VPD_ADDR_F);
    return qpci_config_readl(d->pci, cap + PCI_VPD_DATA);
}

/* The data are well-formed, their checksum is right, nothing can be written. */
static void test_vpd(void)
{
    static const struct {
        const char *props, *product;
    } rows[] = {
        { "", "ConnectX-6 Dx class" }, { ",profile=bf3", "BlueField-3 class" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start(rows[i].props);
        uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_VPD, 0);
        uint8_t vpd[256], sum = 0;
        size_t at, end, n, field;
        bool serial = false;

        for (at = 0; at < sizeof(vpd); at += 4) {
            stl_le_p(vpd + at, vpd_read(d, cap, at));
        }
        g_assert_cmphex(vpd[0], ==, 0x82);
        n = lduw_le_p(vpd + 1);
        g_assert_cmpuint(n, >, strlen(rows[i].product));
        g_assert_cmpmem(vpd + 3, strlen(rows[i].product), rows[i].product,
                        strlen(rows[i].product));
        at = 3 + n;
        g_assert_cmphex(vpd[at], ==, 0x90);
        end = at + 3 + lduw_le_p(vpd + at + 1);
        g_assert_cmpuint(end, <, sizeof(vpd));
        for (field = at + 3; field < end; field += 3 + vpd[field + 2]) {
            if (!memcmp(vpd + field, "SN", 2)) {
                g_assert_cmpmem(vpd + field + 3, vpd[field + 2],
                                "QEM525400123456", 15);
                serial = true;
            }
            if (!memcmp(vpd + field, "RV", 2)) {
                for (at = 0; at <= field + 3; at++) {
                    sum += vpd[at];
                }
                g_assert_cmphex(sum, ==, 0);
                g_assert_cmpuint(field + 3 + vpd[field + 2], ==, end);
            }
        }
        g_assert_true(serial);
        g_assert_cmphex(vpd[end], ==, 0x78);
        /* behind the end, up to the highest address */
        g_assert_cmphex(vpd_read(d, cap, 0x7ffc), ==, 0);
        /* a write is over at once, and has no effect */
        qpci_config_writel(d->pci, cap + PCI_VPD_DATA, 0x12345678);
        qpci_config_writew(d->pci, cap + PCI_VPD_ADDR, PCI_VPD_ADDR_F);
        g_assert_cmphex(qpci_config_readw(d->pci, cap + PCI_VPD_ADDR), ==, 0);
        g_assert_cmphex(vpd_read(d, cap, 0), ==, ldl_le_p(vpd));
        drv_stop(d);
    }
}

void mlx5_pci_tests(void)
{
    qtest_add_func("mlx5-ktls/pci/ids", test_ids);
    qtest_add_func("mlx5-ktls/pci/bar0", test_bar0);
    qtest_add_func("mlx5-ktls/pci/msix", test_msix);
    qtest_add_func("mlx5-ktls/pci/express", test_express);
    qtest_add_func("mlx5-ktls/pci/no-bus-master", test_no_bus_master);
    qtest_add_func("mlx5-ktls/pci/flr", test_flr);
    qtest_add_func("mlx5-ktls/pci/system-reset", test_system_reset);
    qtest_add_func("mlx5-ktls/pci/reset-with-work-pending",
                   test_reset_with_work_pending);
    qtest_add_func("mlx5-ktls/iseg/power-on", test_iseg_power_on);
    qtest_add_func("mlx5-ktls/iseg/cmdq-address", test_iseg_cmdq_address);
    qtest_add_func("mlx5-ktls/iseg/clocks", test_iseg_clocks);
    qtest_add_func("mlx5-ktls/iseg/unimplemented", test_unimplemented);
    qtest_add_func("mlx5-ktls/iseg/access-sizes", test_access_sizes);
    qtest_add_func("mlx5-ktls/pci/vpd", test_vpd);
}
