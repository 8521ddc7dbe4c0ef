/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the gateway in configuration space (vendor specific capability) and
 * of the spaces behind it: semaphores, CR space, commands of tools (ICMD), and
 * through them the flash. Owns no state.
 */
#include <zlib.h>

#include "mlx5-drv.h"
#include "hw/net/mlx5/prm_flash.h"
#include "hw/net/mlx5/prm_icmd.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-tests.h"

#define VSC 0xc0 /* where the card has it */
enum { VSC_CTRL = 4, VSC_COUNTER = 8, VSC_SEM = 0xc, VSC_ADDR = 0x10,
       VSC_DATA = 0x14, VSC_SIZE = 0x18 };

#define CTRL_STATUS(ctrl) ((ctrl) >> 29)
#define CTRL_SIZE_VALID (1u << 28)
#define CTRL_WHY(ctrl) ((ctrl) >> 24 & 0xf)
#define FLAG (1u << 31)
#define FAILED (1u << 30)
#define ADDR_MASK 0x3fffffffu
#define OUT_OF_RANGE 3
#define BAD_ACCESS 0xbadacce5u

enum { SPACE_ICMD_EXT = 1, SPACE_CR = 2, SPACE_ICMD = 3, SPACE_SCAN = 7,
       SPACE_SEM = 0xa };

#define CR_HW_ID 0xf0014
#define HW_ID_CX6DX 0x212

enum { ICMD_CTRL = 0, ICMD_SIZE = 0x1000, ICMD_SYNDROME = 0x1008,
       ICMD_MAILBOX = 0x100000 };
#define ICMD_OPCODE_QUERY_CAP 0x8400
#define ICMD_OPCODE_REG 0x9001
#define REG_DATA (MLX5_OPERATION_TLV_SIZE + MLX5_REG_TLV_SIZE)

enum { REG_MLOCK = 0x402d, REG_PMTU = 0x5003, REG_MFPA = 0x9010,
       REG_MFBA = 0x9011, REG_MGIR = 0x9020, REG_MNVQC = 0x9030,
       REG_MCAM = 0x907f };

#define FLASH_SIZE (32u << 20)
#define MFBA_DATA 0xc

/* ------------------------------------------------------------ helpers --- */

static uint32_t get(Drv *d, unsigned reg)
{
    return qpci_config_readl(d->pci, VSC + reg);
}

static void set(Drv *d, unsigned reg, uint32_t val)
{
    qpci_config_writel(d->pci, VSC + reg, val);
}

/* Selects a space that must exist; returns its size. */
static uint32_t space(Drv *d, unsigned number)
{
    uint32_t ctrl;

    set(d, VSC_CTRL, number);
    ctrl = get(d, VSC_CTRL);
    g_assert_cmphex(ctrl & 0xffff, ==, number);
    g_assert_cmphex(CTRL_STATUS(ctrl), !=, 0);
    g_assert_cmphex(ctrl & CTRL_SIZE_VALID, !=, 0);
    return get(d, VSC_ADDR) & ADDR_MASK;
}

/* Reads as the driver does, and says whether there was something to read. */
static bool try_read(Drv *d, uint32_t addr, uint32_t *val)
{
    uint32_t after;

    set(d, VSC_ADDR, addr);
    after = get(d, VSC_ADDR);
    g_assert_cmphex(after & FLAG, !=, 0);
    *val = get(d, VSC_DATA);
    if (after & FAILED) {
        g_assert_cmphex(*val, ==, BAD_ACCESS);
        g_assert_cmphex(CTRL_WHY(get(d, VSC_CTRL)), ==, OUT_OF_RANGE);
    } else {
        g_assert_cmphex(CTRL_WHY(get(d, VSC_CTRL)), ==, 0);
    }
    return !(after & FAILED);
}

static uint32_t gw_read(Drv *d, uint32_t addr)
{
    uint32_t val;

    g_assert_true(try_read(d, addr, &val));
    return val;
}

static bool try_write(Drv *d, uint32_t addr, uint32_t val)
{
    uint32_t after;

    set(d, VSC_DATA, val);
    set(d, VSC_ADDR, addr | FLAG);
    after = get(d, VSC_ADDR);
    g_assert_cmphex(after & FLAG, ==, 0);
    g_assert_cmphex(CTRL_WHY(get(d, VSC_CTRL)), ==,
                    after & FAILED ? OUT_OF_RANGE : 0);
    return !(after & FAILED);
}

/* Gives a command and returns its status; the mailbox is as it is. */
static unsigned icmd(Drv *d, unsigned opcode, uint32_t flags)
{
    g_assert_true(try_write(d, ICMD_CTRL, opcode << 16 | flags | 1));
    DRV_WAIT(!(gw_read(d, ICMD_CTRL) & 1));
    g_assert_cmphex(gw_read(d, ICMD_CTRL) >> 16, ==, opcode);
    return gw_read(d, ICMD_CTRL) >> 8 & 0xff;
}

/* Copies @len bytes to or from the mailbox at @at. */
static void mailbox_write(Drv *d, uint32_t at, const uint8_t *buf, size_t len)
{
    size_t i;

    for (i = 0; i < len; i += 4) {
        g_assert_true(try_write(d, ICMD_MAILBOX + at + i, mlx5_ld32(buf + i)));
    }
}

static void mailbox_read(Drv *d, uint32_t at, uint8_t *buf, size_t len)
{
    size_t i;

    for (i = 0; i < len; i += 4) {
        mlx5_st32(buf + i, gw_read(d, ICMD_MAILBOX + at + i));
    }
}

/* Accesses a register as tools do; returns the status of its TLV. */
static unsigned reg(Drv *d, uint16_t id, unsigned method, uint8_t *data,
                    size_t len)
{
    uint8_t head[REG_DATA] = { 0 };

    MLX5_SET(operation_tlv, head, type, MLX5_TLV_OPERATION);
    MLX5_SET(operation_tlv, head, len, MLX5_OPERATION_TLV_SIZE / 4);
    MLX5_SET(operation_tlv, head, register_id, id);
    MLX5_SET(operation_tlv, head, method, method);
    MLX5_SET(reg_tlv, head + MLX5_OPERATION_TLV_SIZE, type, MLX5_TLV_REG);
    MLX5_SET(reg_tlv, head + MLX5_OPERATION_TLV_SIZE, len,
             (MLX5_REG_TLV_SIZE + len) / 4);
    mailbox_write(d, 0, head, sizeof(head));
    mailbox_write(d, REG_DATA, data, len);
    g_assert_cmphex(icmd(d, ICMD_OPCODE_REG, 0), ==, 0);
    mailbox_read(d, 0, head, sizeof(head));
    g_assert_cmphex(MLX5_GET(operation_tlv, head, r), ==, 1);
    mailbox_read(d, REG_DATA, data, len);
    return MLX5_GET(operation_tlv, head, status);
}

/* ------------------------------------------------------------ gateway --- */

static void test_capability(void)
{
    Drv *d = drv_start("");
    uint32_t head = qpci_config_readl(d->pci, VSC), a, b;

    g_assert_cmphex(qpci_find_capability(d->pci, PCI_CAP_ID_VNDR, 0), ==, VSC);
    g_assert_cmphex(head >> 16 & 0xff, ==, VSC_SIZE);
    g_assert_cmphex(head >> 24, ==, 0); /* functional */
    /* A ticket is never given twice, nor is it "free". */
    a = get(d, VSC_COUNTER);
    b = get(d, VSC_COUNTER);
    g_assert_cmphex(a, !=, 0);
    g_assert_cmphex(b, !=, a);
    /* The header cannot be written. */
    qpci_config_writel(d->pci, VSC, 0xffffffff);
    g_assert_cmphex(qpci_config_readl(d->pci, VSC), ==, head);
    drv_stop(d);
}

static void test_semaphore(void)
{
    Drv *d = drv_start("");
    uint32_t a = get(d, VSC_COUNTER), b = get(d, VSC_COUNTER);

    g_assert_cmphex(get(d, VSC_SEM), ==, 0);
    set(d, VSC_SEM, a);
    g_assert_cmphex(get(d, VSC_SEM), ==, a);
    /* Who comes later does not read back his own ticket. */
    set(d, VSC_SEM, b);
    g_assert_cmphex(get(d, VSC_SEM), ==, a);
    set(d, VSC_SEM, 0);
    set(d, VSC_SEM, b);
    g_assert_cmphex(get(d, VSC_SEM), ==, b);
    drv_stop(d);
}

/* Bytes of registers can be read, but only whole registers written. */
static void test_access_sizes(void)
{
    Drv *d = drv_start("");

    space(d, SPACE_CR);
    gw_read(d, CR_HW_ID);
    g_assert_cmphex(qpci_config_readw(d->pci, VSC + VSC_DATA), ==, HW_ID_CX6DX);
    g_assert_cmphex(qpci_config_readb(d->pci, VSC + VSC_DATA + 1), ==,
                    HW_ID_CX6DX >> 8);
    g_assert_cmphex(qpci_config_readb(d->pci, VSC + VSC_ADDR + 3) & 0x80, ==,
                    0x80);
    qpci_config_writew(d->pci, VSC + VSC_CTRL, SPACE_SEM);
    g_assert_cmphex(get(d, VSC_CTRL) & 0xffff, ==, SPACE_CR);
    qpci_config_writeb(d->pci, VSC + VSC_SEM, 1);
    g_assert_cmphex(get(d, VSC_SEM), ==, 0);
    qpci_config_writew(d->pci, VSC + VSC_DATA + 2, 1);
    g_assert_cmphex(get(d, VSC_DATA), ==, HW_ID_CX6DX);
    drv_stop(d);
}

/* A tool or driver asks for each space whether it exists. */
static void test_spaces(void)
{
    static const unsigned there[] = {
        SPACE_ICMD_EXT, SPACE_CR, SPACE_ICMD, SPACE_SCAN, SPACE_SEM,
    };
    static const unsigned more[] = {
        0x101, 0x102, 0x103, 0x107, 0x10a, 0x8002, 0xffff,
    };
    Drv *d = drv_start("");
    unsigned n, i, found = 0;
    uint32_t val;

    for (n = 0; n < 0x40 + G_N_ELEMENTS(more); n++) {
        unsigned number = n < 0x40 ? n : more[n - 0x40];
        bool is = false;

        for (i = 0; i < G_N_ELEMENTS(there); i++) {
            is |= there[i] == number;
        }
        set(d, VSC_CTRL, number);
        g_assert_cmphex(CTRL_STATUS(get(d, VSC_CTRL)) != 0, ==, is);
        if (!is) {
            g_assert_false(try_read(d, 0, &val));
            g_assert_false(try_write(d, 0, 1));
        }
        found += is;
    }
    g_assert_cmpuint(found, ==, G_N_ELEMENTS(there));
    drv_stop(d);
}

/* ----------------------------------------------------------- CR space --- */

static void test_cr(void)
{
    static const uint32_t nothing[] = {
        0, 0xf0010, 0xf0015, 0xf0016, 0xf0018, 0xffffc, 0x100000, ADDR_MASK,
    };
    Drv *d = drv_start("");
    uint32_t val;
    unsigned i;

    g_assert_cmphex(space(d, SPACE_CR), ==, 0x100000);
    g_assert_cmphex(gw_read(d, CR_HW_ID), ==, HW_ID_CX6DX);
    for (i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_assert_false(try_read(d, nothing[i], &val));
        g_assert_false(try_write(d, nothing[i], 0));
    }
    /* Nothing can be written, and what fails changes nothing. */
    g_assert_false(try_write(d, CR_HW_ID, 0));
    g_assert_cmphex(gw_read(d, CR_HW_ID), ==, HW_ID_CX6DX);
    drv_stop(d);
}

/* As the driver's crdump: each read says where to read next. */
static void test_scan(void)
{
    Drv *d = drv_start("");
    uint32_t size = space(d, SPACE_SCAN), at = 0, next;
    bool seen = false;
    unsigned reads = 0;

    while (at < size) {
        set(d, VSC_ADDR, at);
        next = get(d, VSC_ADDR);
        g_assert_cmphex(next & FLAG, !=, 0);
        next &= ADDR_MASK;
        g_assert_cmphex(next, >, at);
        if (at == CR_HW_ID) {
            seen = true;
            g_assert_cmphex(get(d, VSC_DATA), ==, HW_ID_CX6DX);
        }
        at = next;
        reads++;
    }
    g_assert_cmphex(at, ==, size);
    g_assert_true(seen);
    g_assert_cmpuint(reads, <, 100);
    drv_stop(d);
}

/* --------------------------------------------------------- semaphores --- */

static void test_semaphores(void)
{
    static const uint32_t there[] = { 0, 0x20, 0xfc };
    static const uint32_t nothing[] = { 1, 0xfe, 0x100, ADDR_MASK - 3 };
    Drv *d = drv_start("");
    uint32_t val;
    unsigned i;

    g_assert_cmphex(space(d, SPACE_SEM), ==, 0x100);
    for (i = 0; i < G_N_ELEMENTS(there); i++) {
        g_assert_cmphex(gw_read(d, there[i]), ==, 0);
        g_assert_true(try_write(d, there[i], 0x1234));
        g_assert_cmphex(gw_read(d, there[i]), ==, 0x1234);
        g_assert_true(try_write(d, there[i], 0x5678));
        g_assert_cmphex(gw_read(d, there[i]), ==, 0x1234);
        g_assert_cmphex(gw_read(d, 0x24), ==, 0); /* others are not taken */
        g_assert_true(try_write(d, there[i], 0));
        g_assert_cmphex(gw_read(d, there[i]), ==, 0);
    }
    for (i = 0; i < G_N_ELEMENTS(nothing); i++) {
        g_assert_false(try_read(d, nothing[i], &val));
        g_assert_false(try_write(d, nothing[i], 1));
    }
    drv_stop(d);
}

/* --------------------------------------------------------------- ICMD --- */

static void test_icmd_window(void)
{
    Drv *d = drv_start("");
    uint32_t size, val;

    space(d, SPACE_ICMD);
    size = gw_read(d, ICMD_SIZE);
    g_assert_cmpuint(size, >=, REG_DATA + MFBA_DATA + 256);
    g_assert_cmpuint(size % 4, ==, 0);
    g_assert_cmphex(gw_read(d, ICMD_SYNDROME), ==, 0);
    /* The mailbox, both ends. */
    g_assert_true(try_write(d, ICMD_MAILBOX, 0x01020304));
    g_assert_true(try_write(d, ICMD_MAILBOX + size - 4, 0x05060708));
    g_assert_cmphex(gw_read(d, ICMD_MAILBOX), ==, 0x01020304);
    g_assert_cmphex(gw_read(d, ICMD_MAILBOX + size - 4), ==, 0x05060708);
    g_assert_false(try_read(d, ICMD_MAILBOX + size, &val));
    g_assert_false(try_write(d, ICMD_MAILBOX + size, 0));
    g_assert_false(try_read(d, ICMD_MAILBOX - 4, &val));
    g_assert_false(try_write(d, ICMD_MAILBOX - 4, 0));
    g_assert_false(try_read(d, ICMD_MAILBOX + 2, &val));
    g_assert_false(try_write(d, ICMD_MAILBOX + 2, 0));
    /* What the device says cannot be written. */
    g_assert_false(try_write(d, ICMD_SIZE, 4));
    g_assert_false(try_write(d, ICMD_SYNDROME, 4));
    g_assert_true(try_write(d, ICMD_CTRL, 0x12340000 | 0xff00));
    g_assert_cmphex(gw_read(d, ICMD_CTRL), ==, 0x12340000);
    /* Both spaces show the same window. */
    space(d, SPACE_ICMD_EXT);
    g_assert_cmphex(gw_read(d, ICMD_MAILBOX), ==, 0x01020304);
    drv_stop(d);
}

static void test_icmd_refused(void)
{
    Drv *d = drv_start("");
    uint8_t head[REG_DATA] = { 0 }, tlv[REG_DATA];
    unsigned words, i;

    space(d, SPACE_ICMD);
    g_assert_cmphex(icmd(d, 0x1234, 0), ==, 1); /* invalid opcode */
    g_assert_cmphex(icmd(d, ICMD_OPCODE_REG, 2), ==, 4); /* external mailbox */
    MLX5_SET(operation_tlv, head, type, MLX5_TLV_OPERATION);
    MLX5_SET(operation_tlv, head, len, MLX5_OPERATION_TLV_SIZE / 4);
    MLX5_SET(operation_tlv, head, register_id, REG_MGIR);
    MLX5_SET(operation_tlv, head, method, MLX5_REG_QUERY);
    MLX5_SET(reg_tlv, head + MLX5_OPERATION_TLV_SIZE, type, MLX5_TLV_REG);
    words = (gw_read(d, ICMD_SIZE) - REG_DATA + MLX5_REG_TLV_SIZE) / 4;
    for (i = 0; i < 6; i++) {
        uint8_t *rt = tlv + MLX5_OPERATION_TLV_SIZE;
        unsigned expected = 3; /* unknown TLV */

        memcpy(tlv, head, sizeof(tlv));
        MLX5_SET(reg_tlv, rt, len, words);
        switch (i) {
        case 0:
            MLX5_SET(operation_tlv, tlv, type, 2);
            break;
        case 1:
            MLX5_SET(operation_tlv, tlv, len, 5);
            break;
        case 2:
            MLX5_SET(reg_tlv, rt, type, 4);
            break;
        case 3:
            MLX5_SET(reg_tlv, rt, len, words + 1); /* beyond the mailbox */
            break;
        case 4:
            MLX5_SET(reg_tlv, rt, len, 0);
            break;
        case 5:
            MLX5_SET(operation_tlv, tlv, method, 3);
            expected = 6; /* method not supported */
            break;
        }
        mailbox_write(d, 0, tlv, sizeof(tlv));
        g_assert_cmphex(icmd(d, ICMD_OPCODE_REG, 0), ==, 0);
        mailbox_read(d, 0, tlv, sizeof(tlv));
        g_assert_cmphex(MLX5_GET(operation_tlv, tlv, status), ==, expected);
    }
    /* The longest that fits is accepted. */
    MLX5_SET(reg_tlv, head + MLX5_OPERATION_TLV_SIZE, len, words);
    mailbox_write(d, 0, head, sizeof(head));
    g_assert_cmphex(icmd(d, ICMD_OPCODE_REG, 0), ==, 0);
    mailbox_read(d, 0, head, sizeof(head));
    g_assert_cmphex(MLX5_GET(operation_tlv, head, status), ==, 0);
    drv_stop(d);
}

/* What tools may rely on, and which configuration items they may set. */
static void test_icmd_caps(void)
{
    static const struct {
        uint32_t type;
        bool rd, wr;
    } items[] = {
        { 0x80, true, true }, { 0x81, true, false }, { 0, false, false },
        { 0x10a, true, true }, { 0x3000080, true, true }, { ~0u, false, false },
    };
    Drv *d = drv_start("");
    uint8_t m[8] = { 0 };
    unsigned i;

    space(d, SPACE_ICMD);
    mailbox_write(d, 0, m, sizeof(m));
    g_assert_cmphex(icmd(d, ICMD_OPCODE_QUERY_CAP, 0), ==, 0);
    mailbox_read(d, 0, m, sizeof(m));
    g_assert_cmpuint(MLX5_GET(icmd_query_cap_general, m,
                              allow_icmd_access_reg_on_all_registers), ==, 1);
    g_assert_cmpuint(MLX5_GET(icmd_query_cap_general, m, nv_access), ==, 1);
    memset(m, 0, sizeof(m));
    MLX5_SET(icmd_query_cap_in, m, capability_group, 1);
    mailbox_write(d, 0, m, sizeof(m));
    g_assert_cmphex(icmd(d, ICMD_OPCODE_QUERY_CAP, 0), ==, 4);
    for (i = 0; i < G_N_ELEMENTS(items); i++) {
        memset(m, 0, sizeof(m));
        MLX5_SET(mnvqc, m, type, items[i].type);
        g_assert_cmphex(reg(d, REG_MNVQC, MLX5_REG_QUERY, m, 8), ==, 0);
        g_assert_cmpuint(MLX5_GET(mnvqc, m, support_rd), ==, items[i].rd);
        g_assert_cmpuint(MLX5_GET(mnvqc, m, support_wr), ==, items[i].wr);
    }
    drv_stop(d);
}

/* Registers are those of ACCESS_REG, with the same answers. */
static void test_icmd_registers(void)
{
    Drv *d = drv_start("");
    uint8_t pmtu[16] = { 0 }, mcam[0x48] = { 0 }, big[0x48] = { 0 };
    static const uint8_t unlocked[16];
    uint8_t lock[16] = { 0 };

    space(d, SPACE_ICMD);
    MLX5_SET(port_reg, pmtu, local_port, 1);
    g_assert_cmphex(reg(d, REG_PMTU, MLX5_REG_QUERY, pmtu, 16), ==, 0);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, pmtu, max_mtu), ==, 10000);
    MLX5_SET(pmtu_reg, pmtu, admin_mtu, 9022);
    g_assert_cmphex(reg(d, REG_PMTU, MLX5_REG_WRITE, pmtu, 16), ==, 0);
    g_assert_cmphex(reg(d, REG_PMTU, MLX5_REG_QUERY, pmtu, 16), ==, 0);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, pmtu, oper_mtu), ==, 9022);
    MLX5_SET(pmtu_reg, pmtu, admin_mtu, 0xffff);
    g_assert_cmphex(reg(d, REG_PMTU, MLX5_REG_WRITE, pmtu, 16), ==, 7);
    g_assert_cmphex(reg(d, REG_PMTU, MLX5_REG_QUERY, pmtu, 12), ==, 0x24);
    g_assert_cmphex(reg(d, 0x1234, MLX5_REG_QUERY, pmtu, 16), ==, 4);
    g_assert_cmphex(reg(d, REG_MGIR, MLX5_REG_WRITE, big, 0x48), ==, 6);
    g_assert_cmphex(reg(d, REG_MLOCK, MLX5_REG_WRITE, lock, 16), ==, 6);
    memset(lock, 0xff, 16);
    g_assert_cmphex(reg(d, REG_MLOCK, MLX5_REG_QUERY, lock, 16), ==, 0);
    g_assert_cmpmem(lock, 16, unlocked, 16);
    /* The tools' way and the driver's. */
    g_assert_cmphex(reg(d, REG_MCAM, MLX5_REG_QUERY, mcam, 0x48), ==, 0);
    drv_cmdq_init(d);
    drv_hca_up(d);
    g_assert_cmphex(drv_access_reg(d, REG_MCAM, false, big, 0x48).status, ==,
                    0);
    g_assert_cmpmem(mcam, 0x48, big, 0x48);
    drv_stop(d);
}

/* ------------------------------------------------------ what it is --- */

/* One version and one board, wherever one looks. */
static void check_identity(Drv *d)
{
    uint8_t mgir[0xa0] = { 0 }, out[272], in[16] = { 0 };
    uint32_t rev, sub;

    space(d, SPACE_ICMD);
    g_assert_cmphex(reg(d, REG_MGIR, MLX5_REG_QUERY, mgir, 0xa0), ==, 0);
    rev = drv_reg_read(d, ISEG_FW_REV);
    sub = drv_reg_read(d, ISEG_CMDIF_REV) & 0xffff;
    g_assert_cmpuint(MLX5_GET(mgir, mgir, extended_major), ==, rev & 0xffff);
    g_assert_cmpuint(MLX5_GET(mgir, mgir, extended_minor), ==, rev >> 16);
    g_assert_cmpuint(MLX5_GET(mgir, mgir, extended_sub_minor), ==, sub);
    g_assert_cmphex(MLX5_GET(mgir, mgir, device_id), ==,
                    qpci_config_readw(d->pci, PCI_DEVICE_ID));
    space(d, SPACE_CR);
    g_assert_cmphex(MLX5_GET(mgir, mgir, hw_dev_id), ==,
                    gw_read(d, CR_HW_ID) & 0xffff);
    drv_cmdq_init(d);
    drv_hca_up(d);
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_ADAPTER);
    g_assert_cmphex(drv_cmd(d, in, sizeof(in), out, sizeof(out)).status, ==, 0);
    g_assert_cmpmem(mgir + MLX5_BIT_mgir_psid / 8, 16, out + 0x100, 16);
}

static void test_identity(void)
{
    Drv *d = drv_start("");

    check_identity(d);
    drv_stop(d);
}

/* Reads @len bytes of flash; returns the status. */
static unsigned flash(Drv *d, uint32_t addr, uint8_t *buf, unsigned len)
{
    uint8_t mfba[MFBA_DATA + 256 + 8] = { 0 };
    unsigned status, i;

    MLX5_SET(mfba, mfba, address, addr);
    MLX5_SET(mfba, mfba, size, len);
    status = reg(d, REG_MFBA, MLX5_REG_QUERY, mfba,
                 MFBA_DATA + ROUND_UP(MIN(len, 260), 4));
    for (i = 0; !status && i < len; i += 4) {
        uint32_t v = mlx5_ld32(mfba + MFBA_DATA + i);

        stl_le_p(buf + i, v);
    }
    return status;
}

static void test_flash(void)
{
    static const struct {
        uint32_t addr;
        unsigned len, status;
    } rows[] = {
        { 0, 4, 0 }, { 0, 256, 0 }, { FLASH_SIZE - 256, 256, 0 },
        { FLASH_SIZE - 4, 4, 0 }, { 0x800000, 256, 0 },
        { 0, 0, 7 }, { 0, 2, 7 }, { 0, 254, 7 }, { 0, 260, 7 },
        { 0, 508, 0x24 },
        { FLASH_SIZE, 4, 7 }, { FLASH_SIZE - 4, 8, 7 }, { 0xfffffffc, 4, 7 },
        { 0xfffffffc, 256, 7 },
    };
    uint8_t buf[256], mfpa[0x20] = { 0 }, mfba[0x110] = { 0 };
    Drv *d = drv_start("");
    unsigned i;

    space(d, SPACE_ICMD);
    g_assert_cmphex(reg(d, REG_MFPA, MLX5_REG_QUERY, mfpa, 0x20), ==, 0);
    g_assert_cmpuint(MLX5_GET(mfpa, mfpa, flash_num), ==, 1);
    /* density, as the power of 2 that is the size */
    g_assert_cmpuint(1u << (MLX5_GET(mfpa, mfpa, jedec_id) >> 16), ==,
                     FLASH_SIZE);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmphex(flash(d, rows[i].addr, buf, rows[i].len), ==,
                        rows[i].status);
    }
    g_assert_cmphex(flash(d, 0, buf, 16), ==, 0);
    g_assert_cmphex(mlx5_ld32(buf), ==, 0x4d544657); /* "MTFW" */
    g_assert_cmphex(flash(d, 0x800000, buf, 4), ==, 0);
    g_assert_cmphex(mlx5_ld32(buf), ==, 0xffffffff); /* erased */
    /* No second chip, and no writing. */
    MLX5_SET(mfpa, mfpa, fs, 1);
    g_assert_cmphex(reg(d, REG_MFPA, MLX5_REG_QUERY, mfpa, 0x20), ==, 7);
    MLX5_SET(mfba, mfba, size, 4);
    MLX5_SET(mfba, mfba, fs, 1);
    g_assert_cmphex(reg(d, REG_MFBA, MLX5_REG_QUERY, mfba, 0x10), ==, 7);
    MLX5_SET(mfba, mfba, fs, 0);
    g_assert_cmphex(reg(d, REG_MFBA, MLX5_REG_WRITE, mfba, 0x10), ==, 6);
    g_assert_cmphex(reg(d, 0x9012, MLX5_REG_WRITE, mfba, 0x10), ==, 4);
    drv_stop(d);
}

/* Reads and unpacks the configuration in the flash. */
static char *flash_ini(Drv *d)
{
    enum { ITOC = 0x1000, ENTRY = 0x20, DBG_FW_INI = 0x30, END = 0xff };
    uint8_t entry[ENTRY], packed[4096];
    uLongf len = 65536;
    char *text = g_malloc0(len);
    uint32_t at, size, i;

    space(d, SPACE_ICMD);
    for (at = ITOC + ENTRY;; at += ENTRY) {
        g_assert_cmphex(flash(d, at, entry, ENTRY), ==, 0);
        g_assert_cmphex(MLX5_GET(itoc_entry, entry, type), !=, END);
        if (MLX5_GET(itoc_entry, entry, type) == DBG_FW_INI) {
            break;
        }
    }
    at = MLX5_GET(itoc_entry, entry, flash_addr) * 4;
    size = MLX5_GET(itoc_entry, entry, size) * 4;
    g_assert_cmpuint(size, <=, sizeof(packed));
    for (i = 0; i < size; i += 4) {
        g_assert_cmphex(flash(d, at + i, packed + i, 4), ==, 0);
    }
    g_assert_cmpint(uncompress((Bytef *)text, &len, packed, size), ==, Z_OK);
    return text;
}

/* What the flash says of TLS is what the device does. */
static void test_flash_crypto(void)
{
    static const struct {
        const char *props, *expected;
    } rows[] = {
        { "", "; Crypto Enabled;" },
        { ",tls-tx=off", "; Crypto Enabled;" },
        { ",tls-tx=off,tls-rx=off", "; Crypto Disabled;" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start(rows[i].props);
        g_autofree char *ini = flash_ini(d);

        g_assert_nonnull(strstr(ini, rows[i].expected));
        g_assert_nonnull(strstr(ini, "base_mac = 525400123456\n"));
        drv_stop(d);
    }
}

/*
 * Each profile is the same card wherever one asks: on the bus, in CR space, in
 * registers and commands, and in the flash.
 */
static void test_profiles(void)
{
    static const struct {
        const char *name, *ini, *description;
        uint16_t device;
        uint32_t hw; /* with its revision above */
        unsigned fw_major, link;
    } rows[] = {
        { "", "PSID = QEM0000000001\n", "ConnectX-6 Dx class", 0x101d,
          0x000212, 22, 4 },
        { ",profile=cx6dx", "PSID = QEM0000000001\n", "ConnectX-6 Dx class",
          0x101d, 0x000212, 22, 4 },
        { ",profile=cx7", "PSID = QEM0000000002\n", "ConnectX-7 class",
          0x1021, 0x000218, 28, 5 },
        { ",profile=bf2", "PSID = QEM0000000003\n", "BlueField-2 class",
          0xa2d6, 0x010214, 24, 4 },
        { ",profile=bf3", "PSID = QEM0000000004\n", "BlueField-3 class",
          0xa2dc, 0x01021c, 32, 5 },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_behind_port(rows[i].name);
        uint8_t exp = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
        g_autofree char *ini = flash_ini(d);
        g_autofree char *device = g_strdup_printf("pci_device_id = 0x%04x\n",
                                                  rows[i].device);
        g_autofree char *fw = g_strdup_printf("fw_version = %u.39.0001\n",
                                              rows[i].fw_major);

        g_test_message("%s", rows[i].name);
        g_assert_cmphex(qpci_config_readw(d->pci, PCI_DEVICE_ID), ==,
                        rows[i].device);
        g_assert_cmphex(qpci_config_readb(d->pci, PCI_REVISION_ID), ==,
                        rows[i].hw >> 16);
        /* the link is as fast as the port above allows: 16 GT/s */
        g_assert_cmpuint(qpci_config_readl(d->pci, exp + PCI_EXP_LNKCAP) &
                         PCI_EXP_LNKCAP_SLS, ==, rows[i].link);
        g_assert_cmpuint(qpci_config_readw(d->pci, exp + PCI_EXP_LNKSTA) &
                         PCI_EXP_LNKSTA_CLS, ==, 4);
        space(d, SPACE_CR);
        g_assert_cmphex(gw_read(d, CR_HW_ID), ==, rows[i].hw);
        g_assert_cmpuint(drv_reg_read(d, ISEG_FW_REV) & 0xffff, ==,
                         rows[i].fw_major);
        g_assert_cmpuint(drv_reg_read(d, ISEG_HEALTH_FW_VER) >> 24, ==,
                         rows[i].fw_major);
        g_assert_nonnull(strstr(ini, rows[i].ini));
        g_assert_nonnull(strstr(ini, rows[i].description));
        g_assert_nonnull(strstr(ini, device));
        g_assert_nonnull(strstr(ini, fw));
        check_identity(d);
        drv_stop(d);
    }
}

/* ------------------------------------------------------------- resets --- */

static void take_all(Drv *d)
{
    set(d, VSC_SEM, get(d, VSC_COUNTER));
    space(d, SPACE_SEM);
    g_assert_true(try_write(d, 0x20, 0x1234));
    space(d, SPACE_ICMD);
    g_assert_true(try_write(d, ICMD_MAILBOX, 0x1234));
    g_assert_true(try_write(d, ICMD_CTRL, 0x1234 << 16));
}

static void expect_free(Drv *d)
{
    g_assert_cmphex(get(d, VSC_SEM), ==, 0);
    g_assert_cmphex(get(d, VSC_CTRL) & 0xffff, ==, 0);
    g_assert_cmphex(get(d, VSC_DATA), ==, 0);
    space(d, SPACE_SEM);
    g_assert_cmphex(gw_read(d, 0x20), ==, 0);
    space(d, SPACE_ICMD);
    g_assert_cmphex(gw_read(d, ICMD_MAILBOX), ==, 0);
    g_assert_cmphex(gw_read(d, ICMD_CTRL), ==, 0);
}

/* Whoever holds a semaphore when the function is reset is gone. */
static void test_reset(void)
{
    Drv *d = drv_start("");
    uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);

    take_all(d);
    qpci_config_writew(d->pci, cap + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
    expect_free(d);
    take_all(d);
    qtest_system_reset(d->qts);
    expect_free(d);
    drv_map(d);
    drv_stop(d);
}

/* In D3hot nothing is executed, so there are no spaces; in D0 all is there. */
static void test_asleep(void)
{
    Drv *d = drv_start("");
    uint8_t pm = qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0);
    uint32_t val;

    take_all(d);
    qpci_config_writew(d->pci, pm + PCI_PM_CTRL, 3);
    g_assert_cmphex(CTRL_STATUS(get(d, VSC_CTRL)), ==, 0);
    g_assert_false(try_read(d, ICMD_MAILBOX, &val));
    g_assert_false(try_write(d, ICMD_CTRL, 0x9001 << 16 | 1));
    set(d, VSC_CTRL, SPACE_CR);
    g_assert_cmphex(CTRL_STATUS(get(d, VSC_CTRL)), ==, 0);
    qpci_config_writew(d->pci, pm + PCI_PM_CTRL, 0);
    space(d, SPACE_ICMD);
    g_assert_cmphex(gw_read(d, ICMD_MAILBOX), ==, 0x1234);
    g_assert_cmphex(gw_read(d, ICMD_CTRL), ==, 0x1234 << 16);
    drv_stop(d);
}

/* Any sequence of writes leaves a gateway that works. */
static void test_random(void)
{
    static const uint32_t places[] = {
        0, 4, 0x20, 0xfc, 0x1000, 0x100000, 0x100010, 0x10030c, 0x100310,
        CR_HW_ID,
    };
    Drv *d = drv_start("");
    unsigned i;

    for (i = 0; i < 4000; i++) {
        uint32_t val = g_test_rand_int();
        unsigned off = g_test_rand_int_range(0, VSC_SIZE / 4) * 4;

        switch (g_test_rand_int_range(0, 6)) {
        case 0:
            set(d, VSC_CTRL, val % 12);
            break;
        case 1:
            set(d, VSC_ADDR, places[val % G_N_ELEMENTS(places)] |
                (val & (FLAG | FAILED)));
            break;
        case 2:
            set(d, VSC_DATA, ICMD_OPCODE_REG << 16 | 1);
            break;
        case 3:
            qpci_config_writeb(d->pci, VSC + off + val % 4, val >> 8);
            break;
        case 4:
            qpci_config_readw(d->pci, VSC + off + val % 2 * 2);
            break;
        default:
            qpci_config_writel(d->pci, VSC + off, val);
            break;
        }
    }
    space(d, SPACE_ICMD);
    DRV_WAIT(!(gw_read(d, ICMD_CTRL) & 1));
    set(d, VSC_SEM, 0);
    set(d, VSC_SEM, 7);
    g_assert_cmphex(get(d, VSC_SEM), ==, 7);
    space(d, SPACE_CR);
    g_assert_cmphex(gw_read(d, CR_HW_ID), ==, HW_ID_CX6DX);
    drv_stop(d);
}

void mlx5_vsc_tests(void)
{
    qtest_add_func("mlx5-ktls/vsc/capability", test_capability);
    qtest_add_func("mlx5-ktls/vsc/semaphore", test_semaphore);
    qtest_add_func("mlx5-ktls/vsc/access-sizes", test_access_sizes);
    qtest_add_func("mlx5-ktls/vsc/spaces", test_spaces);
    qtest_add_func("mlx5-ktls/vsc/cr-space", test_cr);
    qtest_add_func("mlx5-ktls/vsc/scan", test_scan);
    qtest_add_func("mlx5-ktls/vsc/semaphores", test_semaphores);
    qtest_add_func("mlx5-ktls/vsc/icmd-window", test_icmd_window);
    qtest_add_func("mlx5-ktls/vsc/icmd-refused", test_icmd_refused);
    qtest_add_func("mlx5-ktls/vsc/icmd-caps", test_icmd_caps);
    qtest_add_func("mlx5-ktls/vsc/icmd-registers", test_icmd_registers);
    qtest_add_func("mlx5-ktls/vsc/identity", test_identity);
    qtest_add_func("mlx5-ktls/vsc/flash", test_flash);
    qtest_add_func("mlx5-ktls/vsc/flash-crypto", test_flash_crypto);
    qtest_add_func("mlx5-ktls/vsc/profiles", test_profiles);
    qtest_add_func("mlx5-ktls/vsc/reset", test_reset);
    qtest_add_func("mlx5-ktls/vsc/asleep", test_asleep);
    qtest_add_func("mlx5-ktls/vsc/random", test_random);
}
