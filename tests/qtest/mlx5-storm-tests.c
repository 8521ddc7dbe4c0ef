/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything concurrently: commands, WQEs, TLS streams in both directions,
 * frames, doorbells, faults, knobs, interrupt messages aimed at registers,
 * resets, sleep and unplugging, without waiting between one and the next. The
 * wire is narrow and mostly full, so that packets are partly sent when
 * something happens. The device may handle all of it in any way, but it must
 * survive, answer register accesses in time (the watchdog of mlx5-drv.c), and
 * afterwards work with a driver. Owns no state.
 *
 * MLX5_STORM_SECONDS in the environment sets the duration.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "mlx5-fault.h"
#include "mlx5-fuzz.h"
#include "mlx5-tests.h"
#include <poll.h>

#define PORT_DEVFN QPCI_DEVFN(DRV_PORT_SLOT, 0)
#define NIC_DEVFN (1 << 8)
#define ROUND 300 /* steps between two times that a driver takes over */
#define ROUNDS 8  /* unless MLX5_STORM_SECONDS says otherwise */
#define LOG_Q 6
#define N_TIS 3
#define N_SQ 2
#define N_EQ 3
#define PAGE 4096

/* A TLS stream as the test makes it; records are remembered for approvals. */
typedef struct Stream {
    TlsConn c;
    GByteArray *bytes; /* made and not yet sent, from c.seq on */
    uint32_t seq;
    uint32_t rec_seq[8];
    uint64_t rec_no[8];
    unsigned n_recs;
} Stream;

typedef struct Storm {
    Drv *d;
    DrvEq eq[N_EQ];
    DrvCq cq[N_SQ], rq_cq;
    DrvSq sq[N_SQ];
    DrvRq rq;
    DrvSteering st;
    uint32_t dek;
    uint32_t tisn[N_TIS];
    uint32_t tirn;
    uint64_t mem; /* pages: WQEs' data and received packets */
    Stream tx[N_TIS], rx;
    GByteArray *past; /* a segment that was sent, to send again */
    uint32_t past_seq;
    uint64_t steps, rounds;
    uint64_t encrypted, received; /* segments that contexts have worked on */
} Storm;

/* -------------------------------------------------------------- streams --- */

static void stream_start(Stream *s, unsigned kind, unsigned n)
{
    tls_conn(&s->c, kind, n);
    s->seq = s->c.seq;
    s->n_recs = 0;
    if (!s->bytes) {
        s->bytes = g_byte_array_new();
    }
    g_byte_array_set_size(s->bytes, 0);
}

/* Takes the next @n bytes at most of the stream, new records as needed. */
static size_t stream_take(Stream *s, bool wire, uint8_t *buf, size_t n)
{
    while (s->bytes->len < n) {
        unsigned i = s->n_recs++ % G_N_ELEMENTS(s->rec_no);

        s->rec_no[i] = s->c.rec_no;
        s->rec_seq[i] = s->seq + s->bytes->len;
        tls_pattern(&s->c, pick(often() ? 600 : 4000), wire ? NULL : s->bytes,
                    wire ? s->bytes : NULL);
    }
    memcpy(buf, s->bytes->data, n);
    g_byte_array_remove_range(s->bytes, 0, n);
    s->seq += n;
    return n;
}

/* --------------------------------------------------------------- queues --- */

/* Of the two the last one has random WQEs, too, so it mostly is in error. */
static DrvSq *any_sq(Storm *s)
{
    return &s->sq[often() ? 0 : pick(N_SQ)];
}

static void put(Storm *s, DrvSq *sq, DrvWqe *w)
{
    drv_sq_put(s->d, sq, w);
    if (often()) {
        drv_sq_ring(s->d, sq);
    }
}

static void params(Storm *s, bool tir, unsigned i)
{
    Stream *t = tir ? &s->rx : &s->tx[i];
    uint32_t num = tir ? s->tirn : s->tisn[i];
    uint8_t p[TLS_STATIC_LEN];
    DrvSq *sq = any_sq(s);
    DrvWqe w;

    stream_start(t, pick(TLS_KINDS), g_test_rand_int());
    if (!often()) {
        t->c.version = pick(2) ? TLS_1_2 : TLS_1_3;
    }
    tls_static(p, &t->c, s->dek + pick(2), 0);
    drv_wqe_static(&w, sq, tir, num, p, pick(2), pick(2));
    put(s, sq, &w);
    drv_wqe_set_psv(&w, sq, tir, num, t->seq, pick(2), pick(2));
    put(s, sq, &w);
}

/* What a driver would answer to a flag RESYNC, or nearly. */
static void approve(Storm *s)
{
    unsigned n = MIN(s->rx.n_recs, G_N_ELEMENTS(s->rx.rec_no));
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = s->rx.c;
    DrvSq *sq = any_sq(s);
    unsigned i;
    DrvWqe w;

    drv_wqe_get_psv(&w, sq, s->tirn, s->d->lkey, s->mem + 64 * pick(8));
    put(s, sq, &w);
    if (n) {
        i = pick(n);
        c.rec_no = s->rx.rec_no[i] + (often() ? 0 : 1);
        tls_static(p, &c, s->dek, s->rx.rec_seq[i]);
        drv_wqe_static(&w, sq, true, s->tirn, p, false, pick(2));
        put(s, sq, &w);
    }
}

/* The next bytes of a stream to send, as SEND, LSO or DUMP. */
static void send_tls(Storm *s)
{
    unsigned i = pick(N_TIS), kind = pick(8);
    FrameSpec f = rig_spec(often() ? 4 : 6, 6, 0);
    uint64_t at = s->mem + pick(4) * PAGE;
    DrvSq *sq = any_sq(s);
    uint8_t payload[3000];
    Frame frame;
    DrvWqe w;

    f.dst_mac[5] ^= often(); /* else it is our own, and the frame comes back */
    f.seq = s->tx[i].seq + (often() || often() ? 0 : pick(100));
    f.payload_len = stream_take(&s->tx[i], false, payload,
                                1 + pick(kind ? 3000 : 1000));
    f.payload = payload;
    if (!kind) {
        drv_write(s->d, at, payload, f.payload_len);
        drv_wqe_dump(&w, sq, s->tisn[i], s->d->lkey, at, f.payload_len,
                     pick(2));
        put(s, sq, &w);
        return;
    }
    frame = frame_build(&f);
    drv_write(s->d, at, frame.data, frame.len);
    drv_wqe(&w, sq, kind < 6 ? WQE_LSO : WQE_SEND, pick(2));
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, s->tisn[i]);
    if (kind < 6) {
        drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 1 + pick(700), frame.data,
                    frame.payload);
        drv_wqe_data(&w, s->d->lkey, at + frame.payload, f.payload_len);
    } else {
        drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, NULL, 0);
        drv_wqe_data(&w, s->d->lkey, at, frame.len);
    }
    put(s, sq, &w);
    frame_free(&frame);
}

static void send_random(Storm *s)
{
    DrvSq *sq = &s->sq[N_SQ - 1];
    uint8_t wqe[64];
    unsigned n;

    for (n = 1 + pick(8); n; n--) {
        random_wqe(wqe, s->d, sq->sqn, s->mem);
        drv_write(s->d, sq->buf + (sq->pc++ & ((1u << LOG_Q) - 1)) * 64, wqe,
                  64);
    }
    drv_sq_ring(s->d, sq);
}

/* A queue begins anew, from whichever state it is in; nobody waits for it. */
static void revive(Storm *s)
{
    static const unsigned steps[][2] = {
        { DRV_ERR, DRV_RST }, { DRV_RDY, DRV_RST }, { DRV_RST, DRV_RDY },
    };
    DrvSq *sq = &s->sq[often() ? N_SQ - 1 : pick(N_SQ)];
    unsigned i;
    DrvCmd c;

    sq->pc = 0;
    drv_write32(s->d, sq->dbr + 4, 0);
    for (i = 0; i < G_N_ELEMENTS(steps); i++) {
        uint8_t in[272] = { 0 };

        MLX5_SET(cmd_in, in, opcode, OP_MODIFY_SQ);
        MLX5_SET(modify_sq_in, in, sqn, sq->sqn);
        MLX5_SET(modify_sq_in, in, sq_state, steps[i][0]);
        MLX5_SET(sqc, in + 0x20, state, steps[i][1]);
        drv_cmd_post(s->d, &c, i, in, sizeof(in), 16);
    }
    drv_cmd_ring(s->d, (1u << G_N_ELEMENTS(steps)) - 1);
}

/* ------------------------------------------------------------- the wire --- */

static void to_device(Storm *s, const void *frame, size_t len)
{
    struct pollfd p = { .fd = s->d->wire, .events = POLLOUT };

    /* With a frame held for want of a WQE it reads nothing. */
    if (poll(&p, 1, 0) == 1) {
        drv_wire_send(s->d, frame, len);
    }
}

static void from_device(Storm *s)
{
    unsigned n = pick(20);
    uint8_t buf[DRV_MAX_FRAME];

    while (n-- && drv_wire_readable(s->d)) {
        drv_wire_recv(s->d, buf);
    }
}

/* The next segment of the stream that arrives, late, twice, torn or never. */
static void receive_tls(Storm *s)
{
    FrameSpec f = rig_spec(4, 6, 0);
    uint8_t payload[1400];
    Frame frame;

    f.payload = payload;
    if (often() || !s->past->len) {
        f.seq = s->rx.seq;
        f.payload_len = stream_take(&s->rx, true, payload, 1 + pick(1400));
        g_byte_array_set_size(s->past, 0);
        g_byte_array_append(s->past, payload, f.payload_len);
        s->past_seq = f.seq;
        if (!pick(16)) {
            return; /* lost */
        }
    } else {
        unsigned skip = pick(s->past->len);

        f.seq = s->past_seq + skip;
        f.payload_len = s->past->len - skip;
        memcpy(payload, s->past->data + skip, f.payload_len);
    }
    if (!pick(16)) {
        payload[pick(f.payload_len)] ^= 1 << pick(8);
    }
    frame = frame_build(&f);
    to_device(s, frame.data, frame.len);
    frame_free(&frame);
}

static void receive_random(Storm *s)
{
    FrameSpec f = frame_random_spec();
    Frame frame = frame_build(&f);

    if (frame.len >= 14 && frame.len <= 1518) {
        frame.data[pick(frame.len)] ^= pick(256);
        to_device(s, frame.data, frame.len);
    }
    frame_free(&frame);
}

static void refill(Storm *s)
{
    unsigned n = pick(16);

    while (n--) {
        DrvSeg seg = {
            .addr = s->mem + (4 + pick(4)) * PAGE,
            .len = often() ? 2048 : pick(2048),
        };

        drv_rq_post(s->d, &s->rq, &seg, 1);
    }
    if (often()) {
        drv_rq_publish(s->d, &s->rq);
    }
}

/* ------------------------------------------------------------ registers --- */

static void command(Storm *s)
{
    uint8_t in[1040];
    unsigned n = 1 + pick(6), slot = pick(DRV_CMD_SLOTS);
    uint32_t slots = 0;
    DrvCmd c;

    while (n--) {
        uint32_t len = random_command(in, sizeof(in));

        slot = (slot + 1) % DRV_CMD_SLOTS;
        drv_cmd_post(s->d, &c, slot, in, len, often() ? 16 : 272);
        slots |= 1u << slot;
    }
    drv_cmd_ring(s->d, often() ? slots : g_test_rand_int());
}

/* One write over all doorbells of a page: they ring in one turn of QEMU. */
static void doorbells(Storm *s)
{
    uint8_t page[0x808 - 0x20];

    memset(page, 0, sizeof(page));
    mlx5_st32(page + 4, s->cq[pick(N_SQ)].cqn);
    mlx5_st32(page + 0x20, s->eq[pick(N_EQ)].eqn << 24);
    mlx5_st32(page + 0x800 - 0x20 + 4, any_sq(s)->sqn << 8);
    qpci_memwrite(s->d->pci, s->d->bar0, s->d->uar * PAGE + 0x20, page,
                  sizeof(page));
}

/* Now and then a driver loses count of what it has seen. */
static void arm_cq(Storm *s, DrvCq *cq)
{
    uint8_t cqe[64];

    while (drv_cq_poll(s->d, cq, cqe)) {
        continue;
    }
    cq->ci += !pick(64);
    drv_cq_arm(s->d, cq, false);
}

/* As NAPI does: takes all that there is, then waits for more. */
static void arm(Storm *s)
{
    uint8_t eqe[64];
    unsigned i;

    for (i = 0; i < N_SQ; i++) {
        arm_cq(s, &s->cq[i]);
    }
    arm_cq(s, &s->rq_cq);
    for (i = 0; i < N_EQ; i++) {
        while (drv_eq_poll(s->d, &s->eq[i], eqe)) {
            continue;
        }
        s->eq[i].ci += !pick(64);
        drv_eq_update(s->d, &s->eq[i], true);
    }
}

static unsigned cap(unsigned devfn, unsigned id)
{
    /* As cfgspace.c has them, and QEMU's root port. */
    return id == PCI_CAP_ID_EXP && devfn == PORT_DEVFN ? 0x54 :
           id == PCI_CAP_ID_EXP ? 0x60 : 0x40;
}

/* An interrupt message goes where it should not. */
static void aim(Storm *s)
{
    QPCIDevice *pci = s->d->pci;
    uint64_t off = pci->msix_table_off + pick(N_EQ) * PCI_MSIX_ENTRY_SIZE;
    uint64_t addr;
    uint32_t data;

    switch (pick(8)) {
    case 0: /* function level reset */
        addr = drv_ecam(NIC_DEVFN, cap(NIC_DEVFN, PCI_CAP_ID_EXP) +
                        PCI_EXP_DEVCTL);
        data = 0x8000;
        break;
    case 1: /* reset of the bus, until the next round */
        addr = drv_ecam(PORT_DEVFN, PCI_INTERRUPT_LINE);
        data = PCI_BRIDGE_CTL_BUS_RESET << 16;
        break;
    case 2: /* power off: unplugs */
        addr = drv_ecam(PORT_DEVFN, cap(PORT_DEVFN, PCI_CAP_ID_EXP) +
                        PCI_EXP_SLTCTL);
        data = PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PIC;
        break;
    case 3: /* D3hot */
        addr = drv_ecam(NIC_DEVFN, cap(NIC_DEVFN, PCI_CAP_ID_PM) +
                        PCI_PM_CTRL);
        data = 3;
        break;
    case 4: /* command register: no bus master, no memory */
        addr = drv_ecam(NIC_DEVFN, PCI_COMMAND);
        data = pick(8);
        break;
    case 5: /* our own doorbells */
        addr = s->d->bar0.addr + s->d->uar * PAGE + 0x800;
        data = any_sq(s)->sqn;
        break;
    case 6: /* our own MSI-X table */
        addr = pci->msix_table_bar.addr + off;
        data = g_test_rand_int();
        break;
    default:
        addr = s->mem;
        data = g_test_rand_int();
        break;
    }
    qpci_io_writel(pci, pci->msix_table_bar, off + PCI_MSIX_ENTRY_LOWER_ADDR,
                   addr);
    qpci_io_writel(pci, pci->msix_table_bar, off + PCI_MSIX_ENTRY_DATA, data);
    qpci_io_writel(pci, pci->msix_table_bar, off + PCI_MSIX_ENTRY_VECTOR_CTRL,
                   !often());
}

/* ----------------------------------------------------- from the outside --- */

static void strict(Drv *d, bool on)
{
    qtest_qmp_assert_success(d->qts, "{'execute': 'qom-set', 'arguments': "
                             "{'path': %s, 'property': 'strict', 'value': %i}}",
                             DRV_QOM_PATH, on);
}

static void knob(Storm *s)
{
    static const char *const knobs[][2] = {
        { "search-pattern", "strict" }, { "search-pattern", "magic-only" },
        { "bad-tag-action", "search" }, { "bad-tag-action", "continue" },
        { "resync-repeat", "never" }, { "resync-repeat", "3" },
        { "resync-repeat", "timeout" }, { "auth-stage", "on" },
        { "auth-stage", "off" }, { "tx-seq-check", "drop" },
        { "tx-seq-check", "error-cqe" }, { "tx-seq-check", "ignore" },
        { "rx-resync-flag-at", "loss" }, { "rx-resync-flag-at", "magic" },
        { "record-log", "/dev/null" }, { "record-log", "" },
    };
    static const char *const faults[] = {
        "hold wqe=GET_PSV name=a", "hold wqe=SEND name=b count=3",
        "delay wqe=UMR packets=2 count=2", "delay cmd=CREATE_TIS ms=1",
        "fail cmd=CREATE_CQ count=2", "hold cmd=NOP name=a count=2",
    };
    unsigned n = pick(G_N_ELEMENTS(knobs) + 9);
    g_autofree char *error = NULL;

    if (n == G_N_ELEMENTS(knobs)) {
        strict(s->d, often());
    } else if (n < G_N_ELEMENTS(knobs)) {
        error = fault_set(s->d, knobs[n][0], knobs[n][1]);
    } else if (often()) {
        error = fault_set(s->d, "fault", faults[pick(G_N_ELEMENTS(faults))]);
    } else {
        error = fault_set(s->d, pick(2) ? "fault-release" : "fault-clear",
                          pick(2) ? "a" : "all");
    }
}

static void outside(Storm *s)
{
    Drv *d = s->d;

    switch (pick(6)) {
    case 0:
        qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments':"
                                 "{'name': 'net0', 'up': %i}}", often());
        break;
    case 1:
        qtest_writel(d->qts, drv_ecam(NIC_DEVFN, cap(NIC_DEVFN, PCI_CAP_ID_PM) +
                                      PCI_PM_CTRL), often() ? 0 : 3);
        break;
    case 2:
        if (!pick(4)) {
            qtest_writel(d->qts, drv_ecam(NIC_DEVFN,
                                          cap(NIC_DEVFN, PCI_CAP_ID_EXP) +
                                          PCI_EXP_DEVCTL), 0x8000);
        }
        break;
    default:
        qtest_clock_step(d->qts, pick(3000000));
        break;
    }
}

/* --------------------------------------------------------------- rounds --- */

static void take_over(Storm *s)
{
    DrvSeg seg = { .len = 2048 };
    Drv *d = s->d;
    unsigned i;

    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_msix_init(d);
    for (i = 0; i < N_EQ; i++) {
        drv_eq_create(d, &s->eq[i], 6, i, i ? 0 : 1ull << EVENT_CMD);
    }
    for (i = 0; i < N_SQ; i++) {
        drv_cq_create(d, &s->cq[i], LOG_Q, s->eq[1].eqn);
        drv_sq_create(d, &s->sq[i], LOG_Q, &s->cq[i], drv_tis_create(d));
    }
    drv_cq_create(d, &s->rq_cq, LOG_Q, s->eq[2].eqn);
    drv_rq_create(d, &s->rq, LOG_Q, 4, &s->rq_cq, 0, true);
    for (i = 0; i < N_TIS; i++) {
        s->tisn[i] = drv_tis_tls(d);
    }
    s->tirn = drv_tir_tls(d, s->rq.rqn);
    drv_steer_all(d, &s->st, s->tirn, 1);
    stream_start(&s->rx, 0, 0);
    s->dek = drv_dek_create(d, s->rx.c.key, s->rx.c.key_len);
    drv_dek_create(d, s->rx.c.key, s->rx.c.key_len);
    s->mem = drv_mem(d, 8 * PAGE);
    seg.addr = s->mem + 4 * PAGE;
    for (i = 0; i < 32; i++) {
        drv_rq_post(d, &s->rq, &seg, 1);
    }
    drv_rq_publish(d, &s->rq);
    for (i = 0; i < N_TIS; i++) {
        params(s, false, i);
    }
    params(s, true, 0);
}

static bool plugged(Drv *d)
{
    return qtest_readl(d->qts, drv_ecam(NIC_DEVFN, 0)) != UINT32_MAX;
}

/*
 * The end of a round: what was unplugged comes back, everything is reset, and
 * one frame each way shows that a driver finds the device well.
 */
static void recover(Storm *s)
{
    uint64_t slot = drv_ecam(PORT_DEVFN, cap(PORT_DEVFN, PCI_CAP_ID_EXP) +
                             PCI_EXP_SLTCTL);
    FrameSpec spec = rig_spec(4, 17, 100);
    Frame f = frame_build(&spec);
    uint8_t buf[DRV_MAX_FRAME];
    Drv *d = s->d;
    uint16_t index;
    size_t n;

    if (plugged(d)) {
        s->encrypted += drv_counter(d, "tls_tx_packets");
        s->received += drv_counter(d, "tls_rx_not_decrypted") +
                       drv_counter(d, "tls_rx_decrypted") +
                       drv_counter(d, "tls_rx_resync") +
                       drv_counter(d, "tls_rx_error");
    }
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments':"
                             "{'name': 'net0', 'up': true}}");
    qtest_system_reset(d->qts);
    drv_settle(d);
    while (drv_wire_readable(d)) {
        /* behind what fills the socket the backend may keep one more */
        drv_wire_recv(d, buf);
        drv_settle(d);
    }
    drv_native_setup(d);
    if (!plugged(d)) {
        qtest_qmp_device_add(d->qts, "mlx5-ktls", "nic", "{'netdev': 'net0', "
                             "'bus': 'rp0', 'strict': true, 'mac': " "%s}",
                             DRV_MAC_STR);
        qtest_writel(d->qts, slot, PCI_EXP_SLTCTL_PWR_IND_ON);
    }
    fault_clear(d);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    alloc_destroy(&d->alloc);
    alloc_init(&d->alloc, ALLOC_NO_FLAGS, 1 << 20, 16 << 20, 4096);
    qtest_memset(d->qts, 1 << 20, 0, 15 << 20);
    d->bus->mmio_alloc_ptr = 0xe0000000;
    drv_map(d);
    take_over(s);
    f.data[5] ^= 1; /* not our own address */
    index = drv_sq_send(d, &s->sq[0], f.data, f.len, 0);
    drv_sq_ring(d, &s->sq[0]);
    do {
        drv_cq_wait(d, &s->cq[0], buf);
    } while (MLX5_GET(cqe, buf, wqe_counter) != index);
    g_assert_cmphex(MLX5_GET(cqe, buf, opcode), ==, CQE_REQ);
    do {
        n = drv_wire_recv(d, buf);
    } while (n != f.len || memcmp(buf, f.data, n));
    frame_free(&f);
    s->rounds++;
}

static void step(Storm *s)
{
    static void (*const what[])(Storm *) = {
        send_tls, send_tls, send_tls, send_tls, send_tls, send_tls, send_tls,
        send_tls, receive_tls, receive_tls, receive_tls, receive_tls,
        receive_tls, receive_tls, receive_tls, receive_tls, send_random,
        receive_random, refill, refill, approve, command, doorbells, doorbells,
        arm, arm, revive, from_device, from_device, knob, outside,
    };
    unsigned n = pick(100);

    if (!n) {
        aim(s);
    } else if (n < 4) {
        params(s, pick(2), pick(N_TIS));
    } else {
        what[pick(G_N_ELEMENTS(what))](s);
    }
    s->steps++;
}

/*
 * Another round, after @round of them? It is chance how many packets a context
 * takes, and a test of nothing if there are none: rarely it needs some more.
 */
static bool again(const Storm *s, unsigned round, gint64 end)
{
    if (end) {
        return g_get_monotonic_time() < end;
    }
    return round < ROUNDS ||
           (round < 4 * ROUNDS && (!s->encrypted || !s->received));
}

static void test_all(void)
{
    const char *text = getenv("MLX5_STORM_SECONDS");
    gint64 begun = g_get_monotonic_time();
    gint64 end = text ? begun + atoi(text) * G_TIME_SPAN_SECOND : 0;
    unsigned i, round;
    double seconds;
    Storm s = {
        .d = drv_start_behind_port_native("net0", ""),
        .past = g_byte_array_new(),
    };

    strict(s.d, true);
    take_over(&s);
    for (round = 0; again(&s, round, end); round++) {
        for (i = 0; i < ROUND && plugged(s.d); i++) {
            step(&s);
        }
        recover(&s);
    }
    seconds = (g_get_monotonic_time() - begun) / 1e6;
    g_test_message("%" PRIu64 " steps in %" PRIu64 " rounds, %.0f a second; "
                   "TLS contexts encrypted %" PRIu64 " packets and received %"
                   PRIu64, s.steps, s.rounds, s.steps / seconds, s.encrypted,
                   s.received);
    g_assert_cmpuint(s.encrypted, >, 0);
    g_assert_cmpuint(s.received, >, 0);
    g_byte_array_unref(s.past);
    g_byte_array_unref(s.rx.bytes);
    for (i = 0; i < N_TIS; i++) {
        g_byte_array_unref(s.tx[i].bytes);
    }
    drv_stop(s.d);
}

void mlx5_storm_tests(void)
{
    qtest_add_func("mlx5-ktls/storm/all", test_all);
}
