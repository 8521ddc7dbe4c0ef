/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of transmission: the frames sent for valid WQEs, and the order of
 * completion. Frames and checksums come from tests/unit/frame.h, which is
 * independent of the device. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define TCP_FIN 0x001
#define TCP_PSH 0x008
#define TCP_ACK 0x010
#define TCP_CWR 0x080

static void test_nop(void)
{
    TxRig t;
    uint16_t last = 0;
    uint8_t cqe[64];
    unsigned i;
    DrvWqe w;

    tx_rig(&t, 6);
    for (i = 0; i < 20; i++) {
        drv_wqe(&w, &t.sq, WQE_NOP, i == 19);
        last = drv_sq_put(t.d, &t.sq, &w);
    }
    drv_sq_ring(t.d, &t.sq);
    /* Only the one that asked for it has a CQE. */
    drv_sq_expect(t.d, &t.sq, last);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    drv_stop(t.d);
}

static void test_send(void)
{
    static const size_t sizes[] = { 60, 61, 64, 65, 128, 1513, 1514, 1518 };
    uint8_t frame[RIG_MAX_FRAME];
    unsigned i, j;
    TxRig t;

    tx_rig(&t, 6);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint16_t index;

        for (j = 0; j < sizes[i]; j++) {
            frame[j] = j * 7 + i;
        }
        index = drv_sq_send(t.d, &t.sq, frame, sizes[i], 0);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, frame, sizes[i]);
        drv_sq_expect(t.d, &t.sq, index);
    }
    drv_stop(t.d);
}

static void test_pad(void)
{
    static const size_t sizes[] = { 14, 15, 42, 59 };
    uint8_t frame[60];
    unsigned i;
    TxRig t;

    tx_rig(&t, 6);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        memset(frame, 0, sizeof(frame));
        memset(frame, 0xa0 + i, sizes[i]);
        frame[0] = 0x02; /* not a multicast */
        drv_sq_send(t.d, &t.sq, frame, sizes[i], 0);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, frame, sizeof(frame));
    }
    g_assert_cmpuint(drv_counter(t.d, "tx_unicast_packets"), ==, 4);
    drv_stop(t.d);
}

/* Longer than the MTU: not on the wire, counted, and the WQE is done. */
static void test_too_long(void)
{
    uint8_t frame[RIG_MAX_FRAME + 1] = { 0x02 };
    uint16_t index;
    TxRig t;

    tx_rig(&t, 6);
    index = drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect(t.d, &t.sq, index);
    g_assert_cmpuint(drv_counter(t.d, "tx_too_long"), ==, 1);
    drv_sq_send(t.d, &t.sq, frame, 64, 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, 64);
    drv_stop(t.d);
}

static void test_jumbo(void)
{
    g_autofree uint8_t *frame = g_malloc0(10000);
    uint8_t pmtu[16] = { 0 };
    TxRig t;
    unsigned i;

    tx_rig(&t, 6);
    for (i = 1; i < 10000; i++) {
        frame[i] = i ^ i >> 8;
    }
    MLX5_SET(port_reg, pmtu, local_port, 1);
    g_assert_cmphex(drv_access_reg(t.d, 0x5003, false, pmtu, 16).status, ==,
                    0);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, pmtu, max_mtu), ==, 9978 + 22);
    MLX5_SET(pmtu_reg, pmtu, admin_mtu, 9978 + 22);
    g_assert_cmphex(drv_access_reg(t.d, 0x5003, true, pmtu, 16).status, ==,
                    0);
    drv_sq_send(t.d, &t.sq, frame, 9978 + 18, 0);
    drv_sq_send(t.d, &t.sq, frame, 9014, 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, 9978 + 18);
    expect_frame(t.d, frame, 9014);
    drv_stop(t.d);
}

/* One frame from inline header, memory in pieces, and inline data. */
static void test_pieces(void)
{
    static const struct {
        unsigned hdr;
        unsigned piece[4]; /* 0: none */
        bool inl[4];
    } rows[] = {
        { 0, { 100 }, { false } },
        { 14, { 86 }, { false } },
        { 2, { 98 }, { false } },
        { 18, { 1, 81 }, { false, false } },
        { 54, { 7, 9, 11, 19 }, { false } },
        { 0, { 60, 40 }, { true, false } },
        { 14, { 12, 44, 30 }, { true, true, false } },
        { 0, { 100 }, { true } },
        { 66, { 1, 1, 1, 31 }, { false, true, false, true } },
        { 100, { 0 }, { false } },
    };
    uint8_t frame[100];
    unsigned i, j;
    TxRig t;

    tx_rig(&t, 6);
    for (j = 0; j < sizeof(frame); j++) {
        frame[j] = j * 3 + 2;
    }
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned at = rows[i].hdr;
        uint16_t index;
        DrvWqe w;

        drv_wqe(&w, &t.sq, WQE_SEND, true);
        drv_wqe_eth(&w, 0, 0, frame, rows[i].hdr);
        for (j = 0; j < 4 && rows[i].piece[j]; j++) {
            unsigned n = rows[i].piece[j];

            if (rows[i].inl[j]) {
                uint8_t *seg = w.b + w.ds * 16;

                MLX5_SET(wqe_data, seg, is_inline, 1);
                MLX5_SET(wqe_data, seg, byte_count, n);
                memcpy(seg + 4, frame + at, n);
                w.ds += DIV_ROUND_UP(4 + n, 16);
            } else {
                uint64_t addr = drv_mem(t.d, 4096) + 4096 - n;

                drv_write(t.d, addr, frame + at, n);
                drv_wqe_data(&w, t.d->lkey, addr, n);
            }
            at += n;
        }
        g_assert_cmpuint(at, ==, sizeof(frame));
        index = drv_sq_put(t.d, &t.sq, &w);
        drv_sq_ring(t.d, &t.sq);
        g_test_message("row %u", i);
        expect_frame(t.d, frame, sizeof(frame));
        drv_sq_expect(t.d, &t.sq, index);
    }
    drv_stop(t.d);
}

/* -------------------------------------------------------- checksums --- */

/*
 * Fills the checksum fields as the kernel hands them over: the IPv4 one is
 * garbage, that of TCP or UDP has the sum of the pseudo header.
 */
static void spoil_csum(const FrameSpec *s, const Frame *f, uint8_t *frame)
{
    uint32_t l4_len = f->l3_end - f->l4;
    uint32_t sum = naive_pseudo(s->src_ip, s->dst_ip, s->ip == 4 ? 4 : 16,
                                s->proto, l4_len);

    if (s->ip == 4) {
        frame[f->l3 + 10] ^= 0x5a;
        frame[f->l3 + 11] ^= 0xa5;
    }
    if (s->proto == 6) {
        frame[f->l4 + 16] = sum >> 8;
        frame[f->l4 + 17] = sum;
    } else if (s->proto == 17) {
        frame[f->l4 + 6] = sum >> 8;
        frame[f->l4 + 7] = sum;
    }
}

static void test_csum(void)
{
    unsigned i, done = 0;
    TxRig t;

    tx_rig(&t, 6);
    for (i = 0; done < 300; i++) {
        FrameSpec s = frame_random_spec();
        g_autofree uint8_t *sent = NULL;
        uint16_t index;
        Frame f;

        s.udp_no_csum = false;
        s.pad = 0;
        if (!s.ip || s.frag != FRAME_WHOLE || (s.proto != 6 && s.proto != 17)) {
            continue;
        }
        f = frame_build(&s);
        if (f.len < 60) {
            frame_free(&f);
            continue;
        }
        sent = g_memdup2(f.data, f.len);
        spoil_csum(&s, &f, sent);
        index = drv_sq_send(t.d, &t.sq, sent, f.len,
                            ETH_L3_CSUM | ETH_L4_CSUM);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, f.data, f.len);
        drv_sq_expect(t.d, &t.sq, index);
        frame_free(&f);
        done++;
    }
    drv_stop(t.d);
}

/* Only what is asked for is filled in. */
static void test_csum_flags(void)
{
    TxRig t;
    unsigned ip, proto, flags;

    tx_rig(&t, 6);
    for (ip = 4; ip <= 6; ip += 2) {
        for (proto = 6; proto <= 17; proto += 11) {
            for (flags = 0; flags < 4; flags++) {
                FrameSpec s = rig_spec(ip, proto, 33);
                Frame f = frame_build(&s);
                g_autofree uint8_t *want = g_memdup2(f.data, f.len);
                g_autofree uint8_t *sent = g_memdup2(f.data, f.len);

                spoil_csum(&s, &f, sent);
                memcpy(want, sent, f.len);
                if (flags & 1) {
                    memcpy(want + f.l3, f.data + f.l3, f.l4 - f.l3);
                }
                if (flags & 2) {
                    memcpy(want + f.l4, f.data + f.l4, f.len - f.l4);
                }
                drv_sq_send(t.d, &t.sq, sent, f.len,
                            (flags & 1 ? ETH_L3_CSUM : 0) |
                            (flags & 2 ? ETH_L4_CSUM : 0));
                drv_sq_ring(t.d, &t.sq);
                expect_frame(t.d, want, f.len);
                frame_free(&f);
            }
        }
    }
    drv_stop(t.d);
}

/* A UDP checksum that comes out as zero is sent as 0xffff. */
static void test_csum_udp_zero(void)
{
    FrameSpec s = rig_spec(4, 17, 40);
    uint8_t payload[40] = { 0 };
    uint16_t sum;
    TxRig t;
    Frame f;

    s.payload = payload;
    f = frame_build(&s);
    /* What the checksum is without payload, as payload, makes it zero. */
    sum = f.data[f.l4 + 6] << 8 | f.data[f.l4 + 7];
    frame_free(&f);
    payload[0] = sum >> 8;
    payload[1] = sum;
    f = frame_build(&s);
    g_assert_cmphex(f.data[f.l4 + 6], ==, 0xff);
    g_assert_cmphex(f.data[f.l4 + 7], ==, 0xff);
    tx_rig(&t, 6);
    {
        g_autofree uint8_t *sent = g_memdup2(f.data, f.len);

        spoil_csum(&s, &f, sent);
        drv_sq_send(t.d, &t.sq, sent, f.len, ETH_L3_CSUM | ETH_L4_CSUM);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, f.data, f.len);
    }
    frame_free(&f);
    drv_stop(t.d);
}

/* The flags on what has no such checksum change nothing. */
static void test_csum_other(void)
{
    TxRig t;
    unsigned i;

    tx_rig(&t, 6);
    for (i = 0; i < 3; i++) {
        FrameSpec s = rig_spec(i == 1 ? 4 : i == 2 ? 6 : 0,
                               i == 1 ? 1 : 17, 64);
        Frame f;

        s.ethertype = 0x0806;
        s.frag = i == 2 ? FRAME_LATER_FRAG : FRAME_WHOLE;
        f = frame_build(&s);
        drv_sq_send(t.d, &t.sq, f.data, f.len, ETH_L3_CSUM | ETH_L4_CSUM);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, f.data, f.len);
        frame_free(&f);
    }
    drv_stop(t.d);
}

/* -------------------------------------------------------------- LSO --- */

/*
 * Sends @s as one LSO, cut into frames of @mss bytes. Each must be what a
 * host would have sent without LSO.
 */
static void lso(TxRig *t, FrameSpec s, unsigned mss)
{
    unsigned total = s.payload_len, at, n = DIV_ROUND_UP(total, mss), i;
    g_autofree uint8_t *payload = g_malloc(total);
    uint64_t mem = drv_mem(t->d, total + 1);
    uint16_t index;
    Frame whole;
    DrvWqe w;

    for (at = 0; at < total; at++) {
        payload[at] = at * 5 + (at >> 8) + 3;
    }
    s.payload = payload;
    /* Odd, so that nothing is aligned. */
    drv_write(t->d, mem + 1, payload, total);
    whole = frame_build(&s);
    drv_wqe(&w, &t->sq, WQE_LSO, true);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, mss, whole.data,
                whole.payload);
    /* In two pieces that have nothing to do with the segments. */
    drv_wqe_data(&w, t->d->lkey, mem + 1, total / 3);
    drv_wqe_data(&w, t->d->lkey, mem + 1 + total / 3, total - total / 3);
    frame_free(&whole);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    for (i = 0, at = 0; i < n; i++, at += mss) {
        FrameSpec part = s;
        Frame f;

        part.payload = payload + at;
        part.payload_len = MIN(mss, total - at);
        part.seq += at;
        part.ip_id += i;
        if (i) {
            part.tcp_flags &= ~TCP_CWR;
        }
        if (i + 1 < n) {
            part.tcp_flags &= ~(TCP_FIN | TCP_PSH);
        }
        f = frame_build(&part);
        expect_frame(t->d, f.data, f.len);
        frame_free(&f);
    }
    drv_sq_expect(t->d, &t->sq, index);
}

static void test_lso(void)
{
    static const unsigned totals[] = { 100, 1000, 1400, 1401, 2800, 10000 };
    static const unsigned mss[] = { 100, 536, 1400 };
    unsigned i, j, ip;
    TxRig t;

    tx_rig(&t, 6);
    for (ip = 4; ip <= 6; ip += 2) {
        for (i = 0; i < G_N_ELEMENTS(totals); i++) {
            for (j = 0; j < G_N_ELEMENTS(mss); j++) {
                FrameSpec s = rig_spec(ip, 6, totals[i]);

                s.tcp_flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
                s.tcp_opt_len = i % 2 ? 12 : 0;
                lso(&t, s, mss[j]);
            }
        }
    }
    drv_stop(t.d);
}

/* The longest that drivers send, in one WQE. */
static void test_lso_64k(void)
{
    FrameSpec s = rig_spec(4, 6, 65160);
    TxRig t;

    tx_rig(&t, 6);
    s.tcp_opt_len = 12;
    lso(&t, s, 1448);
    s.ip = 6;
    lso(&t, s, 1428);
    /* tagged inline by the driver */
    s.n_vlan = 1;
    s.tpid[0] = 0x8100;
    s.tci[0] = 0x2123;
    lso(&t, s, 1428);
    drv_stop(t.d);
}

static void test_lso_udp(void)
{
    TxRig t;

    tx_rig(&t, 6);
    lso(&t, rig_spec(4, 17, 5000), 1200);
    lso(&t, rig_spec(6, 17, 5000), 1200);
    drv_stop(t.d);
}

/* ------------------------------------------------------ VLAN, MPSW --- */

static void test_vlan_insert(void)
{
    TxRig t;
    unsigned svlan;

    tx_rig(&t, 6);
    for (svlan = 0; svlan < 2; svlan++) {
        FrameSpec s = rig_spec(4, 6, 100);
        Frame bare = frame_build(&s), tagged;
        g_autofree uint8_t *sent = g_memdup2(bare.data, bare.len);
        uint64_t addr = drv_mem(t.d, bare.len);
        uint16_t index;
        DrvWqe w;

        spoil_csum(&s, &bare, sent);
        s.n_vlan = 1;
        s.tpid[0] = svlan ? 0x88a8 : 0x8100;
        s.tci[0] = 0x6abc;
        tagged = frame_build(&s);
        drv_write(t.d, addr, sent, bare.len);
        drv_wqe(&w, &t.sq, WQE_SEND, true);
        drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, NULL, 0);
        MLX5_SET(wqe_eth, w.b + 16, insert_en, 1);
        MLX5_SET(wqe_eth, w.b + 16, insert_svlan, svlan);
        MLX5_SET(wqe_eth, w.b + 16, vlan_tci, 0x6abc);
        drv_wqe_data(&w, t.d->lkey, addr, bare.len);
        index = drv_sq_put(t.d, &t.sq, &w);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, tagged.data, tagged.len);
        drv_sq_expect(t.d, &t.sq, index);
        frame_free(&bare);
        frame_free(&tagged);
    }
    drv_stop(t.d);
}

/* Many packets in one WQE, one CQE for all. */
static void test_mpsw(void)
{
    enum { N = 20 };
    uint8_t cqe[64];
    uint16_t index;
    Frame f[N];
    DrvWqe w;
    TxRig t;
    unsigned i;

    tx_rig(&t, 6);
    drv_wqe(&w, &t.sq, WQE_ENHANCED_MPSW, true);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, NULL, 0);
    for (i = 0; i < N; i++) {
        FrameSpec s = rig_spec(i % 3 ? 4 : 6, i % 2 ? 6 : 17, 30 + i * 37);
        g_autofree uint8_t *sent = NULL;
        uint64_t addr;

        f[i] = frame_build(&s);
        sent = g_memdup2(f[i].data, f[i].len);
        spoil_csum(&s, &f[i], sent);
        addr = drv_mem(t.d, f[i].len);
        drv_write(t.d, addr, sent, f[i].len);
        drv_wqe_data(&w, t.d->lkey, addr, f[i].len);
    }
    index = drv_sq_put(t.d, &t.sq, &w);
    drv_sq_ring(t.d, &t.sq);
    for (i = 0; i < N; i++) {
        expect_frame(t.d, f[i].data, f[i].len);
        frame_free(&f[i]);
    }
    drv_sq_expect(t.d, &t.sq, index);
    drv_settle(t.d);
    g_assert_false(drv_cq_peek(t.d, &t.cq, cqe));
    drv_stop(t.d);
}

/* Small packets are copied into the WQE. */
static void test_mpsw_inline(void)
{
    uint8_t frame[3][60];
    uint16_t index;
    unsigned i;
    DrvWqe w;
    TxRig t;

    tx_rig(&t, 6);
    drv_wqe(&w, &t.sq, WQE_ENHANCED_MPSW, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    for (i = 0; i < 3; i++) {
        uint8_t *seg = w.b + w.ds * 16;

        memset(frame[i], 0x10 * (i + 1), 60);
        MLX5_SET(wqe_data, seg, is_inline, 1);
        MLX5_SET(wqe_data, seg, byte_count, 60);
        memcpy(seg + 4, frame[i], 60);
        w.ds += 4;
    }
    index = drv_sq_put(t.d, &t.sq, &w);
    drv_sq_ring(t.d, &t.sq);
    for (i = 0; i < 3; i++) {
        expect_frame(t.d, frame[i], 60);
    }
    drv_sq_expect(t.d, &t.sq, index);
    drv_stop(t.d);
}

/* ---------------------------------------------------- rings, queues --- */

/* WQEs of one to three blocks go over the edge of a small ring. */
static void test_ring_wrap(void)
{
    uint8_t frame[200];
    unsigned i, j;
    TxRig t;

    tx_rig(&t, 2);
    for (i = 0; i < 100; i++) {
        unsigned hdr = (i % 3) * 64; /* inline header makes the WQE longer */
        uint64_t addr = drv_mem(t.d, sizeof(frame));
        uint16_t index;
        DrvWqe w;

        for (j = 0; j < sizeof(frame); j++) {
            frame[j] = i + j;
        }
        frame[0] = 0x02;
        drv_write(t.d, addr, frame + hdr, sizeof(frame) - hdr);
        drv_wqe(&w, &t.sq, WQE_SEND, true);
        drv_wqe_eth(&w, 0, 0, frame, hdr);
        drv_wqe_data(&w, t.d->lkey, addr, sizeof(frame) - hdr);
        g_assert_cmpuint(DIV_ROUND_UP(w.ds, 4), ==, 1 + i % 3);
        index = drv_sq_put(t.d, &t.sq, &w);
        drv_sq_ring(t.d, &t.sq);
        expect_frame(t.d, frame, sizeof(frame));
        drv_sq_expect(t.d, &t.sq, index);
        guest_free(&t.d->alloc, addr);
    }
    drv_stop(t.d);
}

/* The 16-bit counter wraps; the whole ring is posted at once each time. */
static void test_counter_wrap(void)
{
    enum { LOG = 10, SIZE = 1 << LOG };
    TxRig t;
    unsigned i;
    DrvWqe w;

    tx_rig(&t, LOG);
    for (i = 0; i < SIZE; i++) {
        drv_wqe(&w, &t.sq, WQE_NOP, i == SIZE - 1);
        drv_sq_put(t.d, &t.sq, &w);
    }
    for (i = 0; i < 65536 / SIZE + 3; i++) {
        t.sq.pc = (i + 1) * SIZE;
        drv_sq_ring(t.d, &t.sq);
        drv_sq_expect(t.d, &t.sq, t.sq.pc - 1);
    }
    drv_stop(t.d);
}

/* More than a batch, a CQE each: all come, in order. */
static void test_burst(void)
{
    enum { N = 1000 };
    uint8_t frame[64] = { 0x02 };
    unsigned i;
    TxRig t;

    tx_rig(&t, 10);
    for (i = 0; i < N; i++) {
        frame[20] = i >> 8;
        frame[21] = i;
        drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    }
    drv_sq_ring(t.d, &t.sq);
    for (i = 0; i < N; i++) {
        frame[20] = i >> 8;
        frame[21] = i;
        expect_frame(t.d, frame, sizeof(frame));
        drv_sq_expect(t.d, &t.sq, i);
    }
    drv_stop(t.d);
}

/* Several queues at once: each keeps its order, none is left out. */
static void test_several_queues(void)
{
    enum { Q = 4, N = 200 };
    uint8_t frame[64] = { 0x02 }, buf[DRV_MAX_FRAME];
    unsigned i, q, next[Q] = { 0 };
    DrvCq cq[Q];
    DrvSq sq[Q];
    TxRig t;

    tx_rig(&t, 4);
    for (q = 0; q < Q; q++) {
        drv_cq_create(t.d, &cq[q], 8, t.eq.eqn);
        drv_sq_create(t.d, &sq[q], 8, &cq[q], 0);
        for (i = 0; i < N; i++) {
            frame[20] = q;
            frame[21] = i;
            drv_sq_send(t.d, &sq[q], frame, sizeof(frame), 0);
        }
    }
    for (q = 0; q < Q; q++) {
        drv_sq_ring(t.d, &sq[q]);
    }
    for (i = 0; i < Q * N; i++) {
        g_assert_cmpuint(drv_wire_recv(t.d, buf), ==, sizeof(frame));
        q = buf[20];
        g_assert_cmpuint(q, <, Q);
        g_assert_cmpuint(buf[21], ==, next[q]++);
    }
    for (q = 0; q < Q; q++) {
        for (i = 0; i < N; i++) {
            drv_sq_expect(t.d, &sq[q], i);
        }
    }
    drv_stop(t.d);
}

/* ------------------------------------------------- link and counters --- */

static void test_link_down(void)
{
    uint8_t frame[64] = { 0x02 };
    uint16_t index;
    TxRig t;

    tx_rig(&t, 6);
    qtest_qmp_assert_success(t.d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'nic', 'up': false}}");
    index = drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect(t.d, &t.sq, index);
    g_assert_cmpuint(drv_counter(t.d, "tx_link_down"), ==, 1);
    qtest_qmp_assert_success(t.d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'nic', 'up': true}}");
    frame[20] = 1;
    drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, sizeof(frame));
    drv_stop(t.d);
}

static void test_counters(void)
{
    static const uint8_t first[] = { 0x02, 0x33, 0xff };
    uint8_t frame[100], in[32] = { 0 }, out[528];
    unsigned i, j;
    TxRig t;

    tx_rig(&t, 6);
    for (i = 0; i < 3; i++) {
        memset(frame, 0xff, sizeof(frame));
        frame[0] = first[i];
        for (j = 0; j <= i; j++) {
            drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
            drv_sq_ring(t.d, &t.sq);
            expect_frame(t.d, frame, sizeof(frame));
        }
    }
    g_assert_cmpuint(drv_counter(t.d, "tx_unicast_packets"), ==, 1);
    g_assert_cmpuint(drv_counter(t.d, "tx_multicast_packets"), ==, 2);
    g_assert_cmpuint(drv_counter(t.d, "tx_broadcast_packets"), ==, 3);
    MLX5_SET(cmd_in, in, opcode, 0x770);
    drv_cmd_ok(t.d, in, sizeof(in), out, sizeof(out));
#define COUNTER(f) MLX5_GET64(query_vport_counter_out, out, f)
    g_assert_cmpuint(COUNTER(transmitted_eth_unicast_packets), ==, 1);
    g_assert_cmpuint(COUNTER(transmitted_eth_unicast_octets), ==, 100);
    g_assert_cmpuint(COUNTER(transmitted_eth_multicast_packets), ==, 2);
    g_assert_cmpuint(COUNTER(transmitted_eth_multicast_octets), ==, 200);
    g_assert_cmpuint(COUNTER(transmitted_eth_broadcast_packets), ==, 3);
    g_assert_cmpuint(COUNTER(transmit_errors_packets), ==, 0);
    g_assert_cmpuint(COUNTER(received_eth_unicast_packets), ==, 0);
#undef COUNTER
    drv_stop(t.d);
}

void mlx5_tx_tests(void)
{
    qtest_add_func("mlx5-ktls/tx/nop", test_nop);
    qtest_add_func("mlx5-ktls/tx/send", test_send);
    qtest_add_func("mlx5-ktls/tx/pad", test_pad);
    qtest_add_func("mlx5-ktls/tx/too-long", test_too_long);
    qtest_add_func("mlx5-ktls/tx/jumbo", test_jumbo);
    qtest_add_func("mlx5-ktls/tx/pieces", test_pieces);
    qtest_add_func("mlx5-ktls/tx/csum", test_csum);
    qtest_add_func("mlx5-ktls/tx/csum-flags", test_csum_flags);
    qtest_add_func("mlx5-ktls/tx/csum-udp-zero", test_csum_udp_zero);
    qtest_add_func("mlx5-ktls/tx/csum-other", test_csum_other);
    qtest_add_func("mlx5-ktls/tx/lso", test_lso);
    qtest_add_func("mlx5-ktls/tx/lso-64k", test_lso_64k);
    qtest_add_func("mlx5-ktls/tx/lso-udp", test_lso_udp);
    qtest_add_func("mlx5-ktls/tx/vlan-insert", test_vlan_insert);
    qtest_add_func("mlx5-ktls/tx/mpsw", test_mpsw);
    qtest_add_func("mlx5-ktls/tx/mpsw-inline", test_mpsw_inline);
    qtest_add_func("mlx5-ktls/tx/ring-wrap", test_ring_wrap);
    qtest_add_func("mlx5-ktls/tx/counter-wrap", test_counter_wrap);
    qtest_add_func("mlx5-ktls/tx/burst", test_burst);
    qtest_add_func("mlx5-ktls/tx/several-queues", test_several_queues);
    qtest_add_func("mlx5-ktls/tx/link-down", test_link_down);
    qtest_add_func("mlx5-ktls/tx/counters", test_counters);
}
