/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the non-volatile configuration, register MNVDA: what each item
 * says, what can be set, and what outlives which reset. Owns no state.
 */
#include "mlx5-drv.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-tests.h"

#define REG_MNVDA 0x9024
#define HEADER 12
#define ROOM 256
#define MNVDA (HEADER + ROOM) /* what the driver passes, in and out */

enum { NEXT = 0, CURRENT = 1, DEFAULT = 2 };

enum {
    GLOBAL_PCI_CONF = 0x80,
    GLOBAL_PCI_CAP = 0x81,
    SW_OFFLOAD_CONFIG = 0x10a,
    SW_OFFLOAD_CAP = 0x10b,
    SW_ACCELERATE_CONF = 0x11d,
    PF_PCI_CONF = 0x3000080,
};

/* All there are, as the driver knows their lengths. */
static const struct {
    uint32_t type;
    uint32_t size;
    bool cap;
} items[] = {
    { GLOBAL_PCI_CONF, 12, false },  { GLOBAL_PCI_CAP, 20, true },
    { SW_OFFLOAD_CONFIG, 8, false }, { SW_OFFLOAD_CAP, 4, true },
    { SW_ACCELERATE_CONF, 8, false }, { PF_PCI_CONF, 16, false },
};

typedef struct Nv {
    uint8_t reg[MNVDA];
    uint8_t *data;
} Nv;

static void nv_header(Nv *nv, uint32_t type, uint32_t length, unsigned mode)
{
    memset(nv->reg, 0, sizeof(nv->reg));
    nv->data = nv->reg + HEADER;
    MLX5_SET(config_item, nv->reg, type, type);
    MLX5_SET(config_item, nv->reg, length, length);
    MLX5_SET(config_item, nv->reg, access_mode, mode);
}

static uint32_t item_size(uint32_t type)
{
    unsigned i;

    for (i = 0; items[i].type != type; i++) {
        g_assert_cmpuint(i, <, G_N_ELEMENTS(items));
    }
    return items[i].size;
}

static void nv_read(Drv *d, Nv *nv, uint32_t type, unsigned mode)
{
    nv_header(nv, type, item_size(type), mode);
    g_assert_cmphex(drv_access_reg(d, REG_MNVDA, false, nv->reg, MNVDA).status,
                    ==, 0);
    g_assert_cmphex(MLX5_GET(config_item, nv->reg, type), ==, type);
    g_assert_cmpuint(MLX5_GET(config_item, nv->reg, length), ==,
                     item_size(type));
    g_assert_cmpuint(MLX5_GET(config_item, nv->reg, access_mode), ==, mode);
}

/* Writes back what nv_read() of NV_NEXT has left, as the driver does. */
static void nv_write_ok(Drv *d, Nv *nv)
{
    g_assert_cmphex(drv_access_reg(d, REG_MNVDA, true, nv->reg, MNVDA).status,
                    ==, 0);
}

static void nv_fails(Drv *d, Nv *nv, bool write, Mlx5Syndrome syn)
{
    uint8_t copy[MNVDA];
    DrvResult r;

    memcpy(copy, nv->reg, sizeof(copy));
    r = drv_access_reg(d, REG_MNVDA, write, copy, sizeof(copy));
    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_PARAM);
    g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE + syn);
}

static unsigned cqe_compression(Drv *d, unsigned mode)
{
    Nv nv;

    nv_read(d, &nv, SW_OFFLOAD_CONFIG, mode);
    return MLX5_GET(nv_sw_offload_conf, nv.data, cqe_compression);
}

static unsigned swp_l4_csum_mode(Drv *d, unsigned mode)
{
    Nv nv;

    nv_read(d, &nv, SW_ACCELERATE_CONF, mode);
    return MLX5_GET(nv_sw_accelerate_conf, nv.data, swp_l4_csum_mode);
}

static void set_cqe_compression(Drv *d, unsigned value)
{
    Nv nv;

    nv_read(d, &nv, SW_OFFLOAD_CONFIG, NEXT);
    MLX5_SET(nv_sw_offload_conf, nv.data, cqe_compression, value);
    nv_write_ok(d, &nv);
}

static void set_swp_l4_csum_mode(Drv *d, unsigned value)
{
    Nv nv;

    nv_read(d, &nv, SW_ACCELERATE_CONF, NEXT);
    MLX5_SET(nv_sw_accelerate_conf, nv.data, swp_l4_csum_mode, value);
    nv_write_ok(d, &nv);
}

/* ------------------------------------------------------------------ items */

/* Each says in all three forms what the device has: none of all this. */
static void test_items(void)
{
    Drv *d = drv_start_up("");
    uint8_t expected[ROOM];
    unsigned i, mode;
    Nv nv;

    for (i = 0; i < G_N_ELEMENTS(items); i++) {
        memset(expected, 0, sizeof(expected));
        if (items[i].type == GLOBAL_PCI_CAP) {
            MLX5_SET(nv_global_pci_cap, expected, max_vfs_per_pf_valid, 1);
        }
        for (mode = NEXT; mode <= DEFAULT; mode++) {
            nv_read(d, &nv, items[i].type, mode);
            g_assert_cmpmem(nv.data, ROOM, expected, ROOM);
        }
    }
    drv_stop(d);
}

/*
 * A tool offers the room that it has, or just enough; a write names the exact
 * length. The command must be as long as the header says.
 */
static void test_lengths(void)
{
    Drv *d = drv_start_up("");
    DrvResult r;
    unsigned i;
    Nv nv;

    for (i = 0; i < G_N_ELEMENTS(items); i++) {
        uint32_t size = items[i].size;

        nv_header(&nv, items[i].type, ROOM, NEXT);
        g_assert_cmphex(drv_access_reg(d, REG_MNVDA, false, nv.reg,
                                       MNVDA).status, ==, 0);
        g_assert_cmpuint(MLX5_GET(config_item, nv.reg, length), ==, size);
        nv_header(&nv, items[i].type, size, NEXT);
        g_assert_cmphex(drv_access_reg(d, REG_MNVDA, false, nv.reg,
                                       HEADER + size).status, ==, 0);
        nv_header(&nv, items[i].type, size, NEXT);
        r = drv_access_reg(d, REG_MNVDA, false, nv.reg, HEADER + size - 4);
        g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE +
                        MLX5_SYN_REG_TOO_SHORT);
        nv_header(&nv, items[i].type, size - 1, NEXT);
        nv_fails(d, &nv, false, MLX5_SYN_NV_LENGTH);
        nv_header(&nv, items[i].type, 0, NEXT);
        nv_fails(d, &nv, false, MLX5_SYN_NV_LENGTH);
        if (!items[i].cap) {
            nv_header(&nv, items[i].type, size + 4, NEXT);
            nv_fails(d, &nv, true, MLX5_SYN_NV_LENGTH);
            nv_header(&nv, items[i].type, size - 4, NEXT);
            nv_fails(d, &nv, true, MLX5_SYN_NV_LENGTH);
        }
    }
    nv_header(&nv, SW_OFFLOAD_CONFIG, 511, NEXT);
    r = drv_access_reg(d, REG_MNVDA, false, nv.reg, MNVDA);
    g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE +
                    MLX5_SYN_REG_TOO_SHORT);
    r = drv_access_reg(d, REG_MNVDA, false, nv.reg, HEADER - 4);
    g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE +
                    MLX5_SYN_REG_TOO_SHORT);
    drv_stop(d);
}

/* ----------------------------------------------------------------- resets */

static void flr(Drv *d)
{
    uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);

    qpci_config_writew(d->pci, cap + PCI_EXP_DEVCTL,
                       qpci_config_readw(d->pci, cap + PCI_EXP_DEVCTL) |
                       PCI_EXP_DEVCTL_BCR_FLR);
}

static void hot_reset(Drv *d)
{
    QPCIDevice *port = qpci_device_find(d->bus, QPCI_DEVFN(DRV_PORT_SLOT, 0));
    uint16_t ctl = qpci_config_readw(port, PCI_BRIDGE_CONTROL);

    qpci_config_writew(port, PCI_BRIDGE_CONTROL,
                       ctl | PCI_BRIDGE_CTL_BUS_RESET);
    qpci_config_writew(port, PCI_BRIDGE_CONTROL,
                       ctl & ~PCI_BRIDGE_CTL_BUS_RESET);
    g_free(port);
}

static void system_reset(Drv *d)
{
    qtest_system_reset(d->qts);
    drv_port_setup(d);
}

static void bring_up(Drv *d)
{
    drv_map(d);
    drv_cmdq_init(d);
    drv_hca_up(d);
}

/*
 * What is written is read back at once, is in force from the next reset of the
 * machine on and no sooner, and does not touch the factory settings.
 */
static void test_resets(void)
{
    static void (*const soft[])(Drv *d) = { drv_hca_down, flr, hot_reset };
    Drv *d = drv_start_behind_port("");
    unsigned i;

    bring_up(d);
    set_cqe_compression(d, 1);
    set_swp_l4_csum_mode(d, 1);
    for (i = 0; i < G_N_ELEMENTS(soft); i++) {
        g_assert_cmpuint(cqe_compression(d, NEXT), ==, 1);
        g_assert_cmpuint(cqe_compression(d, CURRENT), ==, 0);
        g_assert_cmpuint(swp_l4_csum_mode(d, NEXT), ==, 1);
        g_assert_cmpuint(swp_l4_csum_mode(d, CURRENT), ==, 0);
        soft[i](d);
        bring_up(d);
    }
    system_reset(d);
    bring_up(d);
    g_assert_cmpuint(cqe_compression(d, NEXT), ==, 1);
    g_assert_cmpuint(cqe_compression(d, CURRENT), ==, 1);
    g_assert_cmpuint(cqe_compression(d, DEFAULT), ==, 0);
    g_assert_cmpuint(swp_l4_csum_mode(d, CURRENT), ==, 1);
    g_assert_cmpuint(swp_l4_csum_mode(d, DEFAULT), ==, 0);
    /* One item is taken back, the other stays. */
    set_cqe_compression(d, 0);
    g_assert_cmpuint(cqe_compression(d, NEXT), ==, 0);
    g_assert_cmpuint(cqe_compression(d, CURRENT), ==, 1);
    system_reset(d);
    bring_up(d);
    g_assert_cmpuint(cqe_compression(d, CURRENT), ==, 0);
    g_assert_cmpuint(swp_l4_csum_mode(d, CURRENT), ==, 1);
    drv_stop(d);
}

/* A card that is taken out takes its configuration along. */
static void test_unplug(void)
{
    Drv *d = drv_start_unplugged();

    drv_plug(d, "hold");
    bring_up(d);
    set_cqe_compression(d, 1);
    drv_unplug(d);
    drv_plug(d, "hold");
    bring_up(d);
    g_assert_cmpuint(cqe_compression(d, NEXT), ==, 0);
    drv_stop(d);
}

/* ---------------------------------------------------------------- refused */

static void test_unknown(void)
{
    /* Near what there is: another index, class, host or function. */
    static const uint32_t types[] = {
        0, 1, 0x7f, 0x82, 0x109, 0x10c, 0x1000080, 0x300010a, 0x3000480,
        0x3040080, 0x7000080, 0xffffffff,
    };
    Drv *d = drv_start_up("");
    unsigned i;
    Nv nv;

    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        nv_header(&nv, types[i], 12, NEXT);
        nv_fails(d, &nv, false, MLX5_SYN_NV_UNKNOWN);
        nv_fails(d, &nv, true, MLX5_SYN_NV_UNKNOWN);
    }
    drv_stop(d);
}

/* What would promise something that the device does not have. */
static void test_values(void)
{
    Drv *d = drv_start_up("");
    Nv nv, was;

#define REFUSED(type, st, field, value, syn)                 \
    do {                                                     \
        nv_read(d, &nv, type, NEXT);                         \
        was = nv;                                            \
        MLX5_SET(st, nv.data, field, value);                 \
        nv_fails(d, &nv, true, MLX5_SYN_##syn);              \
        nv_read(d, &nv, type, NEXT);                         \
        g_assert_cmpmem(nv.reg, MNVDA, was.reg, MNVDA);      \
    } while (0)
    REFUSED(GLOBAL_PCI_CONF, nv_global_pci_conf, sriov_en, 1,
            REG_UNSUPPORTED_FIELD);
    REFUSED(GLOBAL_PCI_CONF, nv_global_pci_conf, total_vfs, 1,
            REG_UNSUPPORTED_FIELD);
    REFUSED(GLOBAL_PCI_CONF, nv_global_pci_conf, per_pf_num_sf, 1,
            REG_UNSUPPORTED_FIELD);
    REFUSED(PF_PCI_CONF, nv_pf_pci_conf, total_sf, 1, REG_UNSUPPORTED_FIELD);
    REFUSED(PF_PCI_CONF, nv_pf_pci_conf, total_vf, 0x8000,
            REG_UNSUPPORTED_FIELD);
    REFUSED(SW_OFFLOAD_CONFIG, nv_sw_offload_conf, uctx_en, 1,
            REG_UNSUPPORTED_FIELD);
    REFUSED(SW_OFFLOAD_CONFIG, nv_sw_offload_conf, cqe_compression, 2,
            REG_BAD_VALUE);
    REFUSED(SW_ACCELERATE_CONF, nv_sw_accelerate_conf, swp_l4_csum_mode, 2,
            REG_BAD_VALUE);
#undef REFUSED
    /* No virtual function is a valid number of them. */
    nv_read(d, &nv, GLOBAL_PCI_CONF, NEXT);
    MLX5_SET(nv_global_pci_conf, nv.data, sriov_valid, 1);
    nv_write_ok(d, &nv);
    nv_read(d, &nv, GLOBAL_PCI_CONF, NEXT);
    g_assert_cmpuint(MLX5_GET(nv_global_pci_conf, nv.data, sriov_valid), ==, 1);
    nv_read(d, &nv, PF_PCI_CONF, NEXT);
    nv_write_ok(d, &nv);

    nv_read(d, &nv, GLOBAL_PCI_CAP, NEXT);
    nv_fails(d, &nv, true, MLX5_SYN_NV_READ_ONLY);
    nv_read(d, &nv, SW_OFFLOAD_CAP, NEXT);
    nv_fails(d, &nv, true, MLX5_SYN_NV_READ_ONLY);
    drv_stop(d);
}

static void test_headers(void)
{
    Drv *d = drv_start_up("");
    Nv nv;

    nv_header(&nv, SW_OFFLOAD_CONFIG, 8, 3);
    nv_fails(d, &nv, false, MLX5_SYN_REG_BAD_VALUE);
    nv_fails(d, &nv, true, MLX5_SYN_REG_BAD_VALUE);
    nv_header(&nv, SW_OFFLOAD_CONFIG, 8, CURRENT);
    nv_fails(d, &nv, true, MLX5_SYN_REG_BAD_VALUE);
    nv_header(&nv, SW_OFFLOAD_CONFIG, 8, DEFAULT);
    nv_fails(d, &nv, true, MLX5_SYN_REG_BAD_VALUE);
    nv_header(&nv, SW_OFFLOAD_CONFIG, 8, NEXT);
    MLX5_SET(config_item, nv.reg, version, 1);
    nv_fails(d, &nv, true, MLX5_SYN_REG_BAD_VALUE);
    nv_header(&nv, SW_OFFLOAD_CONFIG, 8, NEXT);
    MLX5_SET(config_item, nv.reg, host_id_valid, 1);
    nv_fails(d, &nv, true, MLX5_SYN_REG_UNSUPPORTED_FIELD);
    drv_stop(d);
}

void mlx5_nv_tests(void)
{
    qtest_add_func("mlx5-ktls/nv/items", test_items);
    qtest_add_func("mlx5-ktls/nv/lengths", test_lengths);
    qtest_add_func("mlx5-ktls/nv/resets", test_resets);
    qtest_add_func("mlx5-ktls/nv/unplug", test_unplug);
    qtest_add_func("mlx5-ktls/nv/unknown", test_unknown);
    qtest_add_func("mlx5-ktls/nv/values", test_values);
    qtest_add_func("mlx5-ktls/nv/headers", test_headers);
}
