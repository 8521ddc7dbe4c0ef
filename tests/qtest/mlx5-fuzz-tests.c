/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests with input unlike that of any driver: random commands, queue entries,
 * WQEs, frames and register accesses. The device may refuse commands, drop
 * packets and stop queues; it must answer each command, and work again
 * afterwards. The numbers come from GLib's test seed, which is printed and can
 * be set with --seed. Owns no state.
 */
#include "mlx5-fuzz.h"
#include "mlx5-tls.h"
#include "mlx5-tests.h"

/* What a machine under fuzz has, so that numbers are right now and then. */
typedef struct Fuzz {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;
    DrvSteering st;
    uint64_t mem; /* a page for data */
    uint32_t dek;
    uint32_t tisn; /* with a TLS context that is running, as has the TIR */
    uint32_t tirn;
} Fuzz;

/* Static params and progress, for the TIS and for the TIR. */
static void fuzz_contexts(Fuzz *z, const TlsConn *c)
{
    uint8_t p[TLS_STATIC_LEN];
    unsigned tir;
    DrvWqe w;

    tls_static(p, c, z->dek, 0);
    for (tir = 0; tir < 2; tir++) {
        uint32_t num = tir ? z->tirn : z->tisn;

        drv_wqe_static(&w, &z->sq, tir, num, p, false, false);
        drv_sq_put(z->d, &z->sq, &w);
        drv_wqe_set_psv(&w, &z->sq, tir, num, c->seq, true, false);
        drv_sq_put(z->d, &z->sq, &w);
    }
}

static void fuzz_objects(Fuzz *z)
{
    Drv *d = z->d;
    const DrvRq *rq = &z->rq;
    DrvSeg seg = { .len = 2048 };
    TlsConn c;
    unsigned i;

    tls_conn(&c, 0, 0);
    drv_eq_create(d, &z->eq, 6, 0, 1ull << EVENT_CMD | 1ull << EVENT_CQ_ERROR);
    drv_cq_create(d, &z->cq, 8, z->eq.eqn);
    drv_sq_create(d, &z->sq, 6, &z->cq, drv_tis_create(d));
    drv_rq_create(d, &z->rq, 4, 6, &z->cq, drv_alloc(d, OP_ALLOC_Q_COUNTER),
                  true);
    drv_rqt_create(d, &rq, 1);
    z->dek = drv_dek_create(d, c.key, c.key_len);
    z->tisn = drv_tis_tls(d);
    z->tirn = drv_tir_tls(d, z->rq.rqn);
    drv_steer_all(d, &z->st, z->tirn, 1);
    z->mem = drv_mem(d, 4096);
    seg.addr = z->mem;
    for (i = 0; i < 8; i++) {
        drv_rq_post(d, &z->rq, &seg, 1);
    }
    drv_rq_publish(d, &z->rq);
    fuzz_contexts(z, &c);
}

static void fuzz_start(Fuzz *z, const char *props)
{
    z->d = drv_start_up(props);
    drv_msix_init(z->d);
    fuzz_objects(z);
}

/*
 * Whatever has happened: after a reset a driver comes up, sends and receives.
 * Frees all memory that tests have left.
 */
static void fuzz_check(Fuzz *z)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t buf[DRV_MAX_FRAME], cqe[64];
    uint16_t index;
    size_t n;

    qtest_system_reset(z->d->qts);
    g_assert_cmpuint(drv_objects_total(z->d), ==, 0);
    alloc_destroy(&z->d->alloc);
    alloc_init(&z->d->alloc, ALLOC_NO_FLAGS, 1 << 20, 64 << 20, 4096);
    qtest_memset(z->d->qts, 1 << 20, 0, 63 << 20);
    drv_map(z->d);
    drv_cmdq_init(z->d);
    drv_hca_up(z->d);
    fuzz_objects(z);
    f.data[5] ^= 1; /* not our own address */
    index = drv_sq_send(z->d, &z->sq, f.data, f.len, 0);
    drv_sq_ring(z->d, &z->sq);
    drv_sq_expect(z->d, &z->sq, index);
    do {
        n = drv_wire_recv(z->d, buf); /* what the fuzz has sent comes first */
    } while (n != f.len || memcmp(buf, f.data, n));
    drv_wire_send(z->d, f.data, f.len);
    do {
        drv_cq_wait(z->d, &z->cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        drv_read(z->d, z->mem, buf, f.len);
    } while (memcmp(buf, f.data, f.len));
    frame_free(&f);
}

/* What the device has sent must not fill the socket up. */
static void drain(Drv *d)
{
    uint8_t buf[DRV_MAX_FRAME];

    while (drv_wire_readable(d)) {
        drv_wire_recv(d, buf);
    }
}

/* ------------------------------------------------------------ commands --- */

static void test_commands(void)
{
    uint8_t in[1040];
    unsigned i;
    Fuzz z;

    fuzz_start(&z, "");
    for (i = 0; i < 6000; i++) {
        uint32_t len = random_command(in, sizeof(in));
        uint32_t out = often() ? pick(3) ? 16 : 272 : 8 + pick(600);

        drv_cmd(z.d, in, len, NULL, out);
        if (i % 1500 == 1499) {
            fuzz_check(&z);
        }
    }
    drv_stop(z.d);
}

/* Entries of the command queue themselves, mailboxes that may not be any. */
static void test_entries(void)
{
    uint8_t entry[DRV_CMD_ENTRY], box[576];
    unsigned i, slot;
    uint64_t boxes;
    DrvCmd c;
    Fuzz z;

    fuzz_start(&z, "");
    boxes = drv_mem(z.d, 16 * DRV_MAILBOX);
    for (i = 0; i < 3000; i++) {
        uint32_t slots = 0;

        for (slot = 0; slot < 4; slot++) {
            uint8_t token = pick(3);
            uint64_t at = boxes + pick(16) * DRV_MAILBOX;

            random_dwords(box, sizeof(box));
            MLX5_SET(cmd_mailbox, box, token, token);
            MLX5_SET(cmd_mailbox, box, next,
                     often() ? boxes + pick(16) * DRV_MAILBOX : mlx5_ld64(box));
            drv_write(z.d, at, box, sizeof(box));
            random_dwords(entry, sizeof(entry));
            MLX5_SET(cmd_queue_entry, entry, type, often() ? 7 : pick(256));
            MLX5_SET(cmd_queue_entry, entry, token, token);
            if (often()) {
                MLX5_SET(cmd_queue_entry, entry, input_length, pick(2000));
                MLX5_SET(cmd_queue_entry, entry, output_length, pick(2000));
                MLX5_SET(cmd_queue_entry, entry, input_mailbox_pointer, at);
                MLX5_SET(cmd_queue_entry, entry, output_mailbox_pointer,
                         boxes + pick(16) * DRV_MAILBOX);
                MLX5_SET(cmd_in, entry + 16, opcode,
                         random_opcode());
            }
            MLX5_SET(cmd_queue_entry, entry, ownership, 1);
            drv_write(z.d, drv_cmd_entry(z.d, slot), entry, sizeof(entry));
            slots |= 1u << slot;
        }
        drv_cmd_ring(z.d, slots);
        for (slot = 0; slot < 4; slot++) {
            c.slot = slot;
            DRV_WAIT(drv_cmd_done(z.d, &c));
        }
        if (i % 1000 == 999) {
            fuzz_check(&z);
            boxes = drv_mem(z.d, 16 * DRV_MAILBOX);
        }
    }
    drv_stop(z.d);
}

/* -------------------------------------------------------------- queues --- */

static void test_wqes(void)
{
    uint8_t cqe[64];
    unsigned i, n;
    Fuzz z;

    fuzz_start(&z, "");
    for (i = 0; i < 1500; i++) {
        unsigned size = 1u << z.sq.log_size;

        n = 1 + pick(8);
        while (n--) {
            uint8_t wqe[64];

            random_wqe(wqe, z.d, z.sq.sqn, z.mem);
            drv_write(z.d, z.sq.buf + (z.sq.pc++ & (size - 1)) * 64, wqe, 64);
        }
        drv_sq_ring(z.d, &z.sq);
        drv_settle(z.d);
        drain(z.d);
        while (drv_cq_poll(z.d, &z.cq, cqe)) {
            continue;
        }
        if (drv_sq_state(z.d, &z.sq) == DRV_ERR) {
            g_assert_cmphex(drv_sq_modify(z.d, &z.sq, DRV_ERR,
                                          DRV_RST).status, ==, 0);
            z.sq.pc = 0;
            drv_write32(z.d, z.sq.dbr + 4, 0);
            g_assert_cmphex(drv_sq_modify(z.d, &z.sq, DRV_RST,
                                          DRV_RDY).status, ==, 0);
        }
        if (i % 500 == 499) {
            fuzz_check(&z);
        }
    }
    drv_stop(z.d);
}

/* Receive WQEs that lead anywhere, and frames that are anything. */
static void test_receive(void)
{
    uint8_t cqe[64];
    unsigned i, n;
    Fuzz z;

    fuzz_start(&z, ",rx-no-buffer=drop");
    for (i = 0; i < 1500; i++) {
        uint8_t frame[1518], wqe[64];
        size_t len = 14 + pick(sizeof(frame) - 13);
        unsigned size = 1u << z.rq.log_size;

        for (n = pick(4); n; n--) {
            unsigned seg;

            random_dwords(wqe, sizeof(wqe));
            for (seg = 0; seg < 4 && often(); seg++) {
                uint8_t *p = wqe + seg * 16;

                MLX5_SET(wqe_data, p, is_inline, 1);
                MLX5_SET(wqe_data, p, byte_count, pick(2000));
                MLX5_SET(wqe_data, p, lkey, z.d->lkey);
                MLX5_SET(wqe_data, p, addr, often() ? z.mem + pick(4096) :
                         mlx5_ld64(p + 8));
            }
            drv_write(z.d, z.rq.buf + ((z.rq.pc++ & (size - 1)) << 6), wqe,
                      64);
        }
        drv_rq_publish(z.d, &z.rq);
        if (often()) {
            FrameSpec s = frame_random_spec();
            Frame f = frame_build(&s);

            /* a good one with a few bytes spoiled */
            len = MAX(14, MIN(f.len, sizeof(frame)));
            memset(frame, 0, sizeof(frame));
            memcpy(frame, f.data, MIN(f.len, sizeof(frame)));
            frame_free(&f);
            for (n = pick(4); n; n--) {
                frame[pick(len)] = g_test_rand_int();
            }
            len -= often() ? 0 : pick(len - 13);
        } else {
            random_dwords(frame, sizeof(frame));
        }
        drv_wire_send(z.d, frame, len);
        drv_settle(z.d);
        while (drv_cq_poll(z.d, &z.cq, cqe)) {
            continue;
        }
        if (drv_rq_state(z.d, &z.rq) == DRV_ERR) {
            g_assert_cmphex(drv_rq_modify(z.d, &z.rq, DRV_ERR,
                                          DRV_RST).status, ==, 0);
            z.rq.pc = 0;
            drv_rq_publish(z.d, &z.rq);
            g_assert_cmphex(drv_rq_modify(z.d, &z.rq, DRV_RST,
                                          DRV_RDY).status, ==, 0);
        }
        if (i % 500 == 499) {
            fuzz_check(&z);
        }
    }
    drv_stop(z.d);
}

/* ----------------------------------------------------------------- TLS --- */

enum { SECRET = 0x50 };

/* Reads all frames; none may show 16 bytes of plaintext in a row. */
static unsigned expect_no_secret(Drv *d)
{
    uint8_t buf[DRV_MAX_FRAME];
    unsigned frames = 0;

    while (drv_wire_readable(d)) {
        size_t n = drv_wire_recv(d, buf), i, run = 0;

        for (i = 0; i < n; i++) {
            run = buf[i] == SECRET ? run + 1 : 0;
            g_assert_cmpuint(run, <, 16);
        }
        frames++;
    }
    return frames;
}

/* One step of a host that has lost its mind. */
static void random_tls_step(Fuzz *z, TlsConn *c, GByteArray *clear)
{
    FrameSpec s = rig_spec(often() ? 4 : 6, often() ? 6 : 17, 0);
    size_t at = often() ? 0 : pick(clear->len);
    size_t n = MIN(1 + pick(1400), clear->len - at);
    unsigned mss = often() ? 0 : pick(700);
    DrvWqe w;
    Frame f;

    switch (pick(8)) {
    case 0:
        c->rec_no = pick(5);
        c->version = often() ? TLS_1_2 : TLS_1_3;
        fuzz_contexts(z, c);
        return;
    case 1:
        drv_write(z->d, z->mem, clear->data + at, n);
        drv_wqe_dump(&w, &z->sq, z->tisn, z->d->lkey, z->mem, n, pick(2));
        drv_sq_put(z->d, &z->sq, &w);
        return;
    case 2:
        drv_wqe_get_psv(&w, &z->sq, z->tirn, z->d->lkey, z->mem + 64 * pick(8));
        drv_sq_put(z->d, &z->sq, &w);
        return;
    default:
        break;
    }
    if (often()) {
        s.dst_mac[5] ^= 1; /* else it is our own, and the frame comes back */
    }
    s.payload = clear->data + at;
    s.payload_len = n;
    s.seq = often() ? c->seq : c->seq + pick(100);
    f = frame_build(&s);
    drv_write(z->d, z->mem, f.data, f.len);
    drv_wqe(&w, &z->sq, mss ? WQE_LSO : WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, z->tisn);
    if (mss) {
        drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, mss, f.data, f.payload);
        drv_wqe_data(&w, z->d->lkey, z->mem + f.payload, n);
    } else {
        drv_wqe_eth(&w, often() ? ETH_L3_CSUM | ETH_L4_CSUM : 0, 0, NULL, 0);
        drv_wqe_data(&w, z->d->lkey, z->mem, f.len);
    }
    drv_sq_put(z->d, &z->sq, &w);
    c->seq += n;
    frame_free(&f);
}

/*
 * Marked packets in any order, with and without parameters, records that are
 * not any: what leaves is encrypted or does not leave.
 */
static void test_no_plaintext(void)
{
    uint8_t plain[2000], cqe[64];
    unsigned i, sent = 0;
    uint16_t back = 0;
    DrvSeg seg = { .len = 2048 };
    TlsConn c;
    Fuzz z;

    memset(plain, SECRET, sizeof(plain));
    fuzz_start(&z, "");
    seg.addr = drv_mem(z.d, 2048);
    tls_conn(&c, 0, 0);
    for (i = 0; i < 3000; i++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        unsigned n = 1 + pick(3);

        while (n--) {
            tls_record(&c, REC_DATA, plain, pick(sizeof(plain)), clear, NULL);
        }
        if (!often()) {
            clear->data[pick(MIN(clear->len, 20))] ^= 1 << pick(8);
        }
        random_tls_step(&z, &c, clear);
        drv_sq_ring(z.d, &z.sq);
        drv_settle(z.d);
        sent += expect_no_secret(z.d);
        while (drv_cq_poll(z.d, &z.cq, cqe)) {
            unsigned opcode = MLX5_GET(cqe, cqe, opcode);

            g_assert_true(opcode == CQE_REQ || opcode == CQE_RESP);
            back += opcode == CQE_RESP;
        }
        while (back && z.rq.pc < back + 8) {
            drv_rq_post(z.d, &z.rq, &seg, 1);
        }
        drv_rq_publish(z.d, &z.rq);
    }
    g_test_message("%u frames, %u came back", sent, back);
    g_assert_cmpuint(back, >, 10);
    g_assert_cmpuint(sent, >, 100);
    fuzz_check(&z);
    drv_stop(z.d);
}

/* ----------------------------------------------------------- registers --- */

static uint32_t random_offset(Fuzz *z)
{
    static const uint16_t doorbells[] = {
        0x20, 0x24, 0x40, 0x44, 0x48, 0x800, 0x804, 0x900, 0xa00, 0xffc,
    };

    switch (pick(4)) {
    case 0:
        return pick(0x2000);
    case 1:
        return pick(32u << 20);
    default:
        return z->d->uar * 4096 + doorbells[pick(G_N_ELEMENTS(doorbells))];
    }
}

static void test_mmio(void)
{
    unsigned i;
    Fuzz z;

    fuzz_start(&z, "");
    for (i = 0; i < 20000; i++) {
        uint32_t off = random_offset(&z);
        unsigned size = 1u << pick(4);
        uint8_t val[8];

        if (off + size > (32u << 20)) {
            continue;
        }
        random_dwords(val, sizeof(val));
        if (pick(2)) {
            qpci_memread(z.d->pci, z.d->bar0, off, val, size);
        } else {
            qpci_memwrite(z.d->pci, z.d->bar0, off, val, size);
        }
        if (i % 256 == 255) {
            drain(z.d);
        }
        if (i % 5000 == 4999) {
            fuzz_check(&z);
        }
    }
    drv_stop(z.d);
}

/* Configuration space, BARs moving under the device's feet. */
static void test_config(void)
{
    unsigned i;
    Fuzz z;

    fuzz_start(&z, "");
    for (i = 0; i < 3000; i++) {
        uint8_t off = pick(256);
        uint32_t val = g_test_rand_int();

        switch (pick(3)) {
        case 0:
            qpci_config_writeb(z.d->pci, off, val);
            break;
        case 1:
            qpci_config_writew(z.d->pci, off & ~1, val);
            break;
        default:
            qpci_config_writel(z.d->pci, off & ~3, val);
            break;
        }
        qpci_config_readl(z.d->pci, off & ~3);
        if (i % 1000 == 999) {
            fuzz_check(&z);
        }
    }
    drv_stop(z.d);
}

void mlx5_fuzz_tests(void)
{
    qtest_add_func("mlx5-ktls/fuzz/commands", test_commands);
    qtest_add_func("mlx5-ktls/fuzz/entries", test_entries);
    qtest_add_func("mlx5-ktls/fuzz/wqes", test_wqes);
    qtest_add_func("mlx5-ktls/fuzz/receive", test_receive);
    qtest_add_func("mlx5-ktls/fuzz/no-plaintext", test_no_plaintext);
    qtest_add_func("mlx5-ktls/fuzz/mmio", test_mmio);
    qtest_add_func("mlx5-ktls/fuzz/config", test_config);
}
