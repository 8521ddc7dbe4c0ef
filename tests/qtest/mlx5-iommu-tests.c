/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests behind an IOMMU (intel-iommu): the device's addresses are translated
 * each time, and those that are not mapped, or not for writing, fault and do
 * no more harm than memory that is not there. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

/* What q35 has it at, and its registers that are used here. */
#define DMAR 0xfed90000u
enum {
    DMAR_GCMD = 0x18,
    DMAR_GSTS = 0x1c,
    DMAR_RTADDR = 0x20,
    DMAR_CCMD = 0x28,
    DMAR_FSTS = 0x34,
    DMAR_IOTLB = 0xf8,
    DMAR_FRCD = 0x220,
};
#define GCMD_TE (1u << 31)
#define GCMD_SRTP (1u << 30)
#define CCMD_ALL (1ull << 63 | 1ull << 61)
#define IOTLB_ALL (1ull << 63 | 1ull << 60)
#define FSTS_OVERFLOW 1u
#define FRCD_FAULT (1ull << 63)
#define FRCD_READ (1ull << 62)
#define FRCD_SID 0xffffull

#define PAGE 4096u
#define RAM (128u << 20) /* of a machine for which nothing else is said */
enum { READ = 1, WRITE = 2 };

/* A device whose accesses are translated, page by page; at first all of memory
 * to itself. */
typedef struct Iommu {
    Drv *d;
    uint64_t leaf;    /* an entry of 8 bytes for each page of memory */
    uint64_t context; /* the device's context entry */
} Iommu;

static void put(Iommu *io, uint64_t addr, uint64_t v)
{
    v = cpu_to_le64(v);
    drv_write(io->d, addr, &v, sizeof(v));
}

static uint64_t dmar_readq(Iommu *io, uint32_t reg)
{
    return qtest_readq(io->d->qts, DMAR + reg);
}

/* What was translated before is forgotten. */
static void flush(Iommu *io)
{
    qtest_writeq(io->d->qts, DMAR + DMAR_CCMD, CCMD_ALL);
    qtest_writeq(io->d->qts, DMAR + DMAR_IOTLB, IOTLB_ALL);
}

/* Page @from is from now on page @to, for what @perm allows; 0: for nothing. */
static void map(Iommu *io, uint64_t from, uint64_t to, unsigned perm)
{
    put(io, io->leaf + from / PAGE * 8, perm ? to | perm : 0);
    flush(io);
}

static void unmap(Iommu *io, uint64_t page)
{
    map(io, page, 0, 0);
}

static void map_back(Iommu *io, uint64_t page)
{
    map(io, page, page, READ | WRITE);
}

static void command(Iommu *io, uint32_t bit)
{
    qtest_writel(io->d->qts, DMAR + DMAR_GCMD, bit);
    DRV_WAIT(qtest_readl(io->d->qts, DMAR + DMAR_GSTS) & bit);
}

/* @d, which has just been started, behind the IOMMU from now on. */
static void translate(Iommu *io, Drv *d)
{
    enum { PAGES = RAM / PAGE, PER_TABLE = PAGE / 8 };
    g_autofree uint64_t *entry = g_new(uint64_t, PAGES);
    uint64_t root, context, upper, middle;
    unsigned i;

    io->d = d;
    root = drv_mem(d, PAGE);
    context = drv_mem(d, PAGE);
    upper = drv_mem(d, PAGE);
    middle = drv_mem(d, PAGE);
    io->leaf = drv_mem(d, PAGES * 8);
    io->context = context + (d->devfn & 0xff) * 16;
    for (i = 0; i < PAGES; i++) {
        entry[i] = cpu_to_le64((uint64_t)i * PAGE | READ | WRITE);
    }
    drv_write(d, io->leaf, entry, PAGES * 8);
    for (i = 0; i < PAGES / PER_TABLE; i++) {
        put(io, middle + i * 8, (io->leaf + i * PAGE) | READ | WRITE);
    }
    put(io, upper, middle | READ | WRITE);
    /* Domain 1, tables of three levels. */
    put(io, io->context, upper | 1);
    put(io, io->context + 8, 1 << 8 | 1);
    put(io, root + (d->devfn >> 8) * 16, context | 1);
    qtest_writeq(d->qts, DMAR + DMAR_RTADDR, root);
    command(io, GCMD_SRTP);
    flush(io);
    command(io, GCMD_TE);
}

#define IOMMU " -device intel-iommu,intremap=off,aw-bits=39"

static void start(Iommu *io)
{
    translate(io, drv_start(IOMMU));
    drv_cmdq_init(io->d);
    drv_hca_up(io->d);
}

/* Takes the fault that there must have been: the device, the page, the way. */
static void expect_fault(Iommu *io, uint64_t page, unsigned access)
{
    uint64_t what, where;

    DRV_WAIT(dmar_readq(io, DMAR_FRCD + 8) & FRCD_FAULT);
    what = dmar_readq(io, DMAR_FRCD + 8);
    where = dmar_readq(io, DMAR_FRCD);
    g_assert_cmphex(what & FRCD_SID, ==, io->d->devfn);
    g_assert_cmphex(where, ==, page);
    g_assert_cmphex(what & FRCD_READ, ==, access == READ ? FRCD_READ : 0);
    /* The one record there is; what came after it was only noted. */
    qtest_writeq(io->d->qts, DMAR + DMAR_FRCD + 8, FRCD_FAULT);
    qtest_writel(io->d->qts, DMAR + DMAR_FSTS, FSTS_OVERFLOW);
}

static void expect_no_fault(Iommu *io)
{
    g_assert_cmphex(dmar_readq(io, DMAR_FRCD + 8) & FRCD_FAULT, ==, 0);
}

/* A SEND of @len bytes at @addr, whatever is there; asks for a CQE. */
static uint16_t send_at(TxRig *t, uint64_t addr, uint32_t len)
{
    DrvWqe w;
    uint16_t index;

    drv_wqe(&w, &t->sq, WQE_SEND, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    drv_wqe_data(&w, t->d->lkey, addr, len);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    return index;
}

static void tx_queues(TxRig *t, Drv *d)
{
    t->d = d;
    drv_eq_create(d, &t->eq, 6, 0, 0);
    drv_cq_create(d, &t->cq, 6, t->eq.eqn);
    drv_sq_create(d, &t->sq, 6, &t->cq, drv_tis_create(d));
}

/* ---------------------------------------------------------- translation --- */

static void check_translated(Iommu *io)
{
    enum { LEN = 1000, BEFORE = 300 };
    uint64_t buf = drv_mem(io->d, 2 * PAGE);
    uint64_t first = drv_mem(io->d, PAGE), second = drv_mem(io->d, 3 * PAGE);
    uint8_t frame[LEN], other[LEN];
    TxRig t;

    tx_queues(&t, io->d);
    memset(frame, 0x11, LEN);
    memset(other, 0x22, LEN);
    frame[0] = other[0] = 0x02;
    /* Two pages in a row for the device, which in memory are far apart. */
    drv_write(io->d, buf + PAGE - BEFORE, other, LEN);
    drv_write(io->d, first + PAGE - BEFORE, frame, BEFORE);
    drv_write(io->d, second, frame + BEFORE, LEN - BEFORE);
    map(io, buf, first, READ);
    map(io, buf + PAGE, second, READ);
    drv_sq_expect(io->d, &t.sq, send_at(&t, buf + PAGE - BEFORE, LEN));
    expect_frame(io->d, frame, LEN);
    map_back(io, buf);
    map_back(io, buf + PAGE);
    drv_sq_expect(io->d, &t.sq, send_at(&t, buf + PAGE - BEFORE, LEN));
    expect_frame(io->d, other, LEN);
    expect_no_fault(io);
    drv_stop(io->d);
}

/* What the device sends comes from where the tables say, page by page. */
static void test_send(void)
{
    Iommu io;

    start(&io);
    check_translated(&io);
}

/* Behind a port the function has another number to the IOMMU. */
static void test_behind_port(void)
{
    Iommu io;

    translate(&io, drv_start_behind_port(IOMMU));
    drv_cmdq_init(io.d);
    drv_hca_up(io.d);
    check_translated(&io);
}

static void rx_queues(RxRig *r, Drv *d)
{
    r->d = d;
    drv_eq_create(d, &r->eq, 6, 0, 0);
    drv_cq_create(d, &r->cq, RX_RIG_LOG + 2, r->eq.eqn);
    drv_rq_create(d, &r->rq, RX_RIG_LOG, 4, &r->cq, 0, false);
    drv_steer_all(d, &r->st, drv_tir_direct(d, r->rq.rqn), 0);
    r->buf = drv_mem(d, RX_RIG_BUF << RX_RIG_LOG);
}

/* The CQE of WQE @index: good, or (@good) not. */
static void expect_received(RxRig *r, unsigned index, bool good)
{
    uint8_t cqe[64];

    drv_cq_wait(r->d, &r->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==,
                    good ? CQE_RESP : CQE_RESP_ERR);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
}

/*
 * What it receives goes to where the tables say; into a page that it may only
 * read nothing goes, and the queue is in error as with memory that is not
 * there.
 */
static void test_receive(void)
{
    enum { LEN = 200 };
    uint8_t frame[LEN] = { 0x02 }, got[LEN], nothing[LEN] = { 0 };
    uint64_t elsewhere;
    RxRig r;
    Iommu io;

    start(&io);
    rx_queues(&r, io.d);
    elsewhere = drv_mem(io.d, PAGE);
    memset(frame + 12, 0x5a, LEN - 12);
    map(&io, r.buf, elsewhere, WRITE);
    rx_rig_fill(&r, 1);
    drv_wire_send(io.d, frame, LEN);
    expect_received(&r, 0, true);
    drv_read(io.d, elsewhere, got, LEN);
    g_assert_cmpmem(got, LEN, frame, LEN);
    drv_read(io.d, r.buf, got, LEN);
    g_assert_cmpmem(got, LEN, nothing, LEN);
    expect_no_fault(&io);

    drv_write(io.d, elsewhere, nothing, LEN);
    map(&io, r.buf, elsewhere, READ);
    rx_rig_fill(&r, 1);                 /* in the same page */
    drv_wire_send(io.d, frame, LEN);
    expect_fault(&io, r.buf, WRITE);
    expect_received(&r, 1, false);
    g_assert_cmpuint(drv_rq_state(io.d, &r.rq), ==, DRV_ERR);
    drv_read(io.d, elsewhere + RX_RIG_BUF, got, LEN);
    g_assert_cmpmem(got, LEN, nothing, LEN);
    drv_stop(io.d);
}

/* --------------------------------------------------------------- faults --- */

/* Payload that is not mapped: the WQE is in error; mapped again, it is sent. */
static void test_payload(void)
{
    enum { LEN = 64 };
    uint8_t frame[LEN] = { 0x02 };
    uint64_t buf;
    TxRig t;
    Iommu io;

    start(&io);
    tx_queues(&t, io.d);
    buf = drv_mem(io.d, PAGE);
    drv_write(io.d, buf, frame, LEN);
    unmap(&io, buf);
    drv_sq_expect_error(io.d, &t.sq, send_at(&t, buf, LEN), SYN_PROT);
    expect_fault(&io, buf, READ);
    g_assert_false(drv_wire_readable(io.d));
    map_back(&io, buf);
    g_assert_cmphex(drv_sq_modify(io.d, &t.sq, DRV_ERR, DRV_RST).status, ==, 0);
    t.sq.pc = 0;
    drv_write32(io.d, t.sq.dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(io.d, &t.sq, DRV_RST, DRV_RDY).status, ==, 0);
    drv_sq_expect(io.d, &t.sq, send_at(&t, buf, LEN));
    expect_frame(io.d, frame, LEN);
    expect_no_fault(&io);
    drv_stop(io.d);
}

/* The device is in order: taken down and up again, it sends a frame. */
static void check_alive(Iommu *io)
{
    enum { LEN = 64 };
    uint8_t frame[LEN] = { 0x02, 0x99 };
    uint64_t buf = drv_mem(io->d, PAGE);
    TxRig t;

    drv_hca_down(io->d);
    drv_hca_up(io->d);
    tx_queues(&t, io->d);
    drv_write(io->d, buf, frame, LEN);
    drv_sq_expect(io->d, &t.sq, send_at(&t, buf, LEN));
    expect_frame(io->d, frame, LEN);
    expect_no_fault(io);
    drv_stop(io->d);
}

enum Part { RING, DOORBELL, COMPLETIONS, EVENTS };

/*
 * One of the structures that the driver keeps in memory is not mapped when the
 * device needs it; nothing else comes of it than a fault.
 */
static void test_structure(const void *opaque)
{
    enum { LEN = 64 };
    enum Part part = GPOINTER_TO_UINT(opaque);
    uint8_t frame[LEN] = { 0x02 };
    uint64_t buf, page;
    TxRig t;
    Iommu io;

    start(&io);
    tx_queues(&t, io.d);
    buf = drv_mem(io.d, PAGE);
    drv_write(io.d, buf, frame, LEN);
    drv_cq_arm(io.d, &t.cq, false);
    page = (part == RING ? t.sq.buf : part == DOORBELL ? t.sq.dbr
            : part == COMPLETIONS ? t.cq.buf : t.eq.buf) & -(uint64_t)PAGE;
    unmap(&io, page);
    send_at(&t, buf, LEN);
    expect_fault(&io, page, part < COMPLETIONS ? READ : WRITE);
    drv_settle(io.d);
    if (part >= COMPLETIONS) {
        /* What could be done was: the frame had left before. */
        expect_frame(io.d, frame, LEN);
    }
    g_assert_false(drv_wire_readable(io.d));
    map_back(&io, page);
    check_alive(&io);
}

/* The command queue is not mapped when its doorbell rings. */
static void test_commands(void)
{
    DrvCmd c;
    uint8_t nop[16] = { OP_NOP >> 8, OP_NOP & 0xff };
    Iommu io;

    start(&io);
    drv_cmd_post(io.d, &c, 0, nop, sizeof(nop), 16);
    unmap(&io, io.d->cmdq);
    drv_cmd_ring(io.d, 1);
    expect_fault(&io, io.d->cmdq, READ);
    drv_settle(io.d);
    g_assert_false(drv_cmd_done(io.d, &c));
    map_back(&io, io.d->cmdq);
    drv_cmd_ring(io.d, 1);
    g_assert_cmphex(drv_cmd_finish(io.d, &c, NULL).status, ==, 0);
    check_alive(&io);
}

/* The driver's domain is gone, as after a crash, and everything rings. */
static void test_no_domain(void)
{
    enum { LEN = 64 };
    uint8_t frame[LEN] = { 0x02 };
    uint64_t buf;
    RxRig r;
    TxRig t;
    Iommu io;

    start(&io);
    rx_queues(&r, io.d);
    tx_queues(&t, io.d);
    buf = drv_mem(io.d, PAGE);
    rx_rig_fill(&r, 4);
    put(&io, io.context, 0);
    flush(&io);
    send_at(&t, buf, LEN);
    drv_wire_send(io.d, frame, LEN);
    drv_cmd_ring(io.d, UINT32_MAX);
    DRV_WAIT(dmar_readq(&io, DMAR_FRCD + 8) & FRCD_FAULT);
    drv_settle(io.d);
    g_assert_false(drv_wire_readable(io.d));
    drv_quit(io.d);
}

void mlx5_iommu_tests(void)
{
    qtest_add_func("mlx5-ktls/iommu/send", test_send);
    qtest_add_func("mlx5-ktls/iommu/behind-port", test_behind_port);
    qtest_add_func("mlx5-ktls/iommu/receive", test_receive);
    qtest_add_func("mlx5-ktls/iommu/unmapped/payload", test_payload);
    qtest_add_data_func("mlx5-ktls/iommu/unmapped/ring",
                        GUINT_TO_POINTER(RING), test_structure);
    qtest_add_data_func("mlx5-ktls/iommu/unmapped/doorbell-record",
                        GUINT_TO_POINTER(DOORBELL), test_structure);
    qtest_add_data_func("mlx5-ktls/iommu/unmapped/completions",
                        GUINT_TO_POINTER(COMPLETIONS), test_structure);
    qtest_add_data_func("mlx5-ktls/iommu/unmapped/events",
                        GUINT_TO_POINTER(EVENTS), test_structure);
    qtest_add_func("mlx5-ktls/iommu/unmapped/commands", test_commands);
    qtest_add_func("mlx5-ktls/iommu/unmapped/everything", test_no_domain);
}
