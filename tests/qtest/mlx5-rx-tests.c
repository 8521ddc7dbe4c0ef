/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of reception: data, CQE fields, scattering, and packets that cannot be
 * delivered. Frames and checksums come from tests/unit/frame.h, which is
 * independent of the device. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define EVENTS_PORT (1ull << EVENT_PORT_CHANGE)

/* l4_l3_hdr_type[3:2] and [6:4]; not the values of rss_hash_type */
enum { L3_NONE = 0, L3_IPV6 = 1, L3_IPV4 = 2 };
enum { L4_NONE = 0, L4_TCP_NO_ACK = 1, L4_UDP = 2, L4_TCP_ACK = 3,
       L4_TCP_ACK_DATA = 4 };

/* Takes the next CQE: good, of @n bytes, for WQE @index. */
static void expect_cqe(RxRig *r, uint16_t index, size_t n, uint8_t cqe[64])
{
    drv_cq_wait(r->d, &r->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, r->rq.rqn);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, n);
    /* Without LRO, IPsec, tunnels and TLS there is nothing here. */
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), <=, 1);
    g_assert_cmphex(MLX5_GET(cqe, cqe, ft_metadata), ==, 0);
    g_assert_cmphex(MLX5_GET(cqe, cqe, format), ==, 0);
    g_assert_cmphex(cqe[0], ==, 0);
}

static void expect_data(RxRig *r, uint16_t index, const uint8_t *frame,
                        size_t len)
{
    g_autofree uint8_t *buf = g_malloc(RX_RIG_BUF);

    drv_read(r->d, rx_rig_buf(r, index), buf, RX_RIG_BUF);
    g_assert_cmpmem(buf, len, frame, len);
}

static void test_basic(void)
{
    static const size_t sizes[] = { 14, 60, 61, 64, 100, 1514, 1518 };
    uint8_t frame[RIG_MAX_FRAME], cqe[64];
    unsigned i, j;
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 16);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (j = 0; j < sizes[i]; j++) {
            frame[j] = j * 7 + i;
        }
        frame[0] &= ~1;
        drv_wire_send(r.d, frame, sizes[i]);
        expect_cqe(&r, i, sizes[i], cqe);
        expect_data(&r, i, frame, sizes[i]);
        g_assert_cmphex(MLX5_GET(cqe, cqe, flow_tag), ==, 0);
    }
    g_assert_cmpuint(drv_counter(r.d, "rx_unicast_packets"), ==, i);
    drv_stop(r.d);
}

static void test_flow_tag(void)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    RxRig r;

    rx_rig(&r, "", false, 0xabcdef);
    rx_rig_fill(&r, 1);
    drv_wire_send(r.d, f.data, f.len);
    expect_cqe(&r, 0, f.len, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, flow_tag), ==, 0xabcdef);
    frame_free(&f);
    drv_stop(r.d);
}

/* Checksum and header types of all kinds of packets. */
static void test_cqe_fields(void)
{
    unsigned i;
    RxRig r;

    rx_rig(&r, "", false, 0);
    for (i = 0; i < 400; i++) {
        FrameSpec s = frame_random_spec();
        uint8_t l3 = L3_NONE, l4 = L4_NONE, cqe[64];
        bool whole = s.frag == FRAME_WHOLE;
        Frame f;

        s.udp_no_csum = false;
        f = frame_build(&s);
        if (f.len < 60) {
            frame_free(&f);
            continue;
        }
        if (s.ip) {
            l3 = s.ip == 4 ? L3_IPV4 : L3_IPV6;
        }
        if (s.ip && whole && s.proto == 17) {
            l4 = L4_UDP;
        } else if (s.ip && whole && s.proto == 6) {
            l4 = !(s.tcp_flags & 0x10) ? L4_TCP_NO_ACK :
                 s.payload_len ? L4_TCP_ACK_DATA : L4_TCP_ACK;
        }
        rx_rig_fill(&r, 1);
        drv_wire_send(r.d, f.data, f.len);
        expect_cqe(&r, r.rq.pc - 1, f.len, cqe);
        expect_data(&r, r.rq.pc - 1, f.data, f.len);
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(f.data + 14, f.len - 14));
        g_assert_cmphex(MLX5_GET(cqe, cqe, l2_ok), ==, 1);
        g_assert_cmphex(MLX5_GET(cqe, cqe, l3_ok), ==, s.ip != 0);
        g_assert_cmphex(MLX5_GET(cqe, cqe, l4_ok), ==, l4 != L4_NONE);
        g_assert_cmphex(MLX5_GET(cqe, cqe, cv), ==, 0);
        g_assert_cmphex(MLX5_GET(cqe, cqe, l3_hdr_type), ==, l3);
        if (whole) {
            g_assert_cmphex(MLX5_GET(cqe, cqe, l4_hdr_type), ==, l4);
        }
        frame_free(&f);
    }
    drv_stop(r.d);
}

/* A wrong checksum shows in its bit, and the packet comes all the same. */
static void test_bad_csum(void)
{
    static const struct {
        uint8_t ip;
        uint8_t proto;
        bool l3; /* spoil this one, else layer 4 */
    } rows[] = {
        { 4, 6, false },  { 4, 17, false }, { 6, 6, false },
        { 6, 17, false }, { 4, 6, true },   { 4, 17, true },
    };
    uint8_t cqe[64];
    unsigned i;
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 8);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        FrameSpec s = rig_spec(rows[i].ip, rows[i].proto, 77);
        Frame f = frame_build(&s);

        f.data[rows[i].l3 ? f.l3 + 10 : f.payload] ^= 0x10;
        drv_wire_send(r.d, f.data, f.len);
        expect_cqe(&r, i, f.len, cqe);
        expect_data(&r, i, f.data, f.len);
        g_assert_cmphex(MLX5_GET(cqe, cqe, l3_ok), ==, !rows[i].l3);
        if (!rows[i].l3) {
            /* Behind a bad IP header anything may be said of layer 4. */
            g_assert_cmphex(MLX5_GET(cqe, cqe, l4_ok), ==, 0);
        }
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(f.data + 14, f.len - 14));
        frame_free(&f);
    }
    drv_stop(r.d);
}

/* A C-tag is taken off when the queue says so; an S-tag never. */
static void test_vlan(void)
{
    unsigned strip, n, svlan;

    for (strip = 0; strip < 2; strip++) {
        RxRig r;

        rx_rig(&r, "", strip, 0);
        for (n = 0; n <= 2; n++) {
            for (svlan = 0; svlan < 2; svlan++) {
                FrameSpec s = rig_spec(4, 6, 100), left;
                bool take = strip && n && !svlan;
                uint8_t cqe[64];
                Frame f, want;

                s.n_vlan = n;
                s.tpid[0] = svlan ? 0x88a8 : 0x8100;
                s.tci[0] = 0x6abc;
                s.tpid[1] = 0x8100;
                s.tci[1] = 0x2def;
                f = frame_build(&s);
                left = s;
                if (take) {
                    left.n_vlan--;
                    left.tpid[0] = s.tpid[1];
                    left.tci[0] = s.tci[1];
                }
                want = frame_build(&left);
                rx_rig_fill(&r, 1);
                drv_wire_send(r.d, f.data, f.len);
                expect_cqe(&r, r.rq.pc - 1, want.len, cqe);
                expect_data(&r, r.rq.pc - 1, want.data, want.len);
                g_assert_cmphex(MLX5_GET(cqe, cqe, cv), ==, take);
                if (take) {
                    g_assert_cmphex(MLX5_GET(cqe, cqe, vlan_info), ==,
                                    0x6abc);
                }
                /* What is left of the tags is summed, what is gone is not. */
                g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                                naive_sum(want.data + 14, want.len - 14));
                g_assert_true(MLX5_GET(cqe, cqe, l4_ok));
                frame_free(&f);
                frame_free(&want);
            }
        }
        drv_stop(r.d);
    }
}

/* ---------------------------------------------------------- scattering --- */

/*
 * WQEs of up to four fragments: each gets its part, and not a byte behind it
 * is touched.
 */
static void test_fragments(void)
{
    enum { FRAG = 200, N = 4 };
    static const size_t sizes[] = {
        60, 199, 200, 201, 399, 400, 401, 799, 800,
    };
    uint8_t frame[N * FRAG], buf[N * (FRAG + 56)], cqe[64];
    unsigned i, j;
    RxRig r;
    DrvRq rq;

    rx_rig(&r, "", false, 0);
    drv_unsteer(r.d, &r.st);
    drv_rq_create(r.d, &rq, 4, 6, &r.cq, 0, false);
    drv_steer_all(r.d, &r.st, drv_tir_direct(r.d, rq.rqn), 0);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        DrvSeg seg[N];
        size_t left = sizes[i];

        qtest_memset(r.d->qts, r.buf, 0xcc, sizeof(buf));
        for (j = 0; j < N; j++) {
            seg[j] = (DrvSeg) { .addr = r.buf + j * (FRAG + 56),
                                .len = FRAG };
        }
        drv_rq_post(r.d, &rq, seg, N);
        drv_rq_publish(r.d, &rq);
        for (j = 0; j < sizes[i]; j++) {
            frame[j] = j * 3 + i;
        }
        frame[0] = 0x02;
        drv_wire_send(r.d, frame, sizes[i]);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, rq.rqn);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, sizes[i]);
        drv_read(r.d, r.buf, buf, sizeof(buf));
        for (j = 0; j < N; j++) {
            size_t n = MIN(left, FRAG), k;
            uint8_t *part = buf + j * (FRAG + 56);

            g_assert_cmpmem(part, n, frame + j * FRAG, n);
            for (k = n; k < FRAG + 56; k++) {
                g_assert_cmphex(part[k], ==, 0xcc);
            }
            left -= n;
        }
    }
    drv_stop(r.d);
}

/* A packet longer than its WQE: an error, nothing behind the buffer. */
static void test_overrun(void)
{
    uint8_t frame[200] = { 0x02 }, buf[256], cqe[64];
    unsigned i;
    RxRig r;

    rx_rig(&r, "", false, 0);
    for (i = 0; i < 4; i++) {
        DrvSeg seg = { .addr = r.buf, .len = i == 3 ? 200 : 199 - i * 100 };

        if (!seg.len || seg.len > 200) {
            seg.len = 1;
        }
        qtest_memset(r.d->qts, r.buf, 0xcc, sizeof(buf));
        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, frame, sizeof(frame));
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, r.rq.rqn);
        drv_read(r.d, r.buf, buf, sizeof(buf));
        g_assert_cmphex(buf[seg.len], ==, 0xcc);
        g_assert_cmphex(buf[255], ==, 0xcc);
        if (i < 3) {
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
            g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_LEN);
        } else {
            /* The driver does not recover from this one: it must not stop. */
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        }
    }
    g_assert_cmpuint(drv_counter(r.d, "rx_wqe_error"), ==, 3);
    g_assert_cmpuint(drv_rq_state(r.d, &r.rq), ==, DRV_RDY);
    drv_stop(r.d);
}

/*
 * A list that ends before the WQE does, with a segment of no bytes and any
 * key: what does not fit is the same error as above, not one of the key.
 */
static void test_short_list(void)
{
    uint8_t frame[300] = { 0x02 }, cqe[64];
    unsigned i;
    RxRig r;
    DrvRq rq;

    rx_rig(&r, "", false, 0);
    drv_unsteer(r.d, &r.st);
    drv_rq_create(r.d, &rq, 4, 6, &r.cq, 0, false);
    drv_steer_all(r.d, &r.st, drv_tir_direct(r.d, rq.rqn), 0);
    qtest_memset(r.d->qts, r.buf, 0xcc, 1024);
    for (i = 0; i < 4; i++) {
        DrvSeg seg[2] = {
            { .addr = r.buf, .len = 100 },
            { .addr = r.buf + 512, .len = 100 },
        };

        /* two segments, one, none; and two, for a packet that fits */
        drv_rq_post(r.d, &rq, seg, i < 3 ? 2 - i : 2);
        drv_rq_publish(r.d, &rq);
        drv_wire_send(r.d, frame, i < 3 ? 300 : 200);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
        if (i < 3) {
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
            g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_LEN);
        } else {
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        }
        g_assert_cmphex(drv_read32(r.d, r.buf + 100), ==, 0xcccccccc);
        g_assert_cmphex(drv_read32(r.d, r.buf + 612), ==, 0xcccccccc);
    }
    g_assert_cmpuint(drv_rq_state(r.d, &rq), ==, DRV_RDY);
    drv_stop(r.d);
}

/* A WQE that cannot be used: error CQE, queue in error, recovery. */
static void test_bad_wqe(void)
{
    static const struct {
        uint64_t addr;
        uint32_t lkey;
    } rows[] = { { 0, 0x77777700 }, { 0x7f0000000000, 0 }, { UINT64_MAX, 0 } };
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    unsigned i;
    RxRig r;

    rx_rig(&r, "", false, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        DrvSeg seg = {
            .addr = rows[i].addr ? rows[i].addr : r.buf,
            .len = 2048,
            .lkey = rows[i].lkey,
        };

        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, f.data, f.len);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
        g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_PROT);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, 0);
        g_assert_cmpuint(drv_rq_state(r.d, &r.rq), ==, DRV_ERR);
        /* In error it takes nothing. */
        drv_wire_send(r.d, f.data, f.len);
        DRV_WAIT(drv_counter(r.d, "rx_no_queue") == i + 1);
        g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_ERR, DRV_RST).status,
                        ==, 0);
        r.rq.pc = 0;
        drv_rq_publish(r.d, &r.rq);
        g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_RST, DRV_RDY).status,
                        ==, 0);
        rx_rig_fill(&r, 1);
        drv_wire_send(r.d, f.data, f.len);
        expect_cqe(&r, 0, f.len, cqe);
        expect_data(&r, 0, f.data, f.len);
        /* Back to an empty queue that starts at 0. */
        g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_RDY, DRV_RST).status,
                        ==, 0);
        r.rq.pc = 0;
        drv_rq_publish(r.d, &r.rq);
        g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_RST, DRV_RDY).status,
                        ==, 0);
    }
    frame_free(&f);
    drv_stop(r.d);
}

/* A key that does not allow writing, and one of another PD. */
static void test_bad_key(void)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    unsigned i;

    for (i = 0; i < 2; i++) {
        uint32_t len;
        g_autofree uint8_t *in = NULL;
        DrvSeg seg = { .len = 2048 };
        RxRig r;

        rx_rig(&r, "", false, 0);
        in = drv_mkey_cmd(r.d, 3, &len);
        if (i) {
            MLX5_SET(mkc, in + 16, lw, 0);
        } else {
            MLX5_SET(mkc, in + 16, pd, drv_alloc(r.d, OP_ALLOC_PD));
        }
        seg.lkey = drv_create(r.d, in, len) << 8 | 3;
        seg.addr = r.buf;
        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, f.data, f.len);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
        g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_PROT);
        drv_stop(r.d);
    }
    frame_free(&f);
}

/* The ring goes round, and its 16-bit counter too. */
static void test_counter_wrap(void)
{
    enum { LOG = 8, SIZE = 1 << LOG, LAPS = 65536 / SIZE + 2 };
    uint8_t frame[64] = { 0x02 }, cqe[64];
    unsigned lap, i;
    RxRig r;
    DrvRq rq;
    DrvCq cq;

    rx_rig(&r, "", false, 0);
    drv_unsteer(r.d, &r.st);
    drv_cq_create(r.d, &cq, LOG, r.eq.eqn);
    drv_rq_create(r.d, &rq, LOG, 4, &cq, 0, false);
    drv_steer_all(r.d, &r.st, drv_tir_direct(r.d, rq.rqn), 0);
    for (i = 0; i < SIZE; i++) {
        DrvSeg seg = { .addr = r.buf, .len = 64 };

        drv_rq_post(r.d, &rq, &seg, 1);
    }
    for (lap = 0; lap < LAPS; lap++) {
        rq.pc = (lap + 1) * SIZE;
        drv_rq_publish(r.d, &rq);
        for (i = 0; i < SIZE; i++) {
            drv_wire_send(r.d, frame, sizeof(frame));
        }
        /* Look at the last one of the lap only. */
        cq.ci += SIZE - 1;
        drv_cq_wait(r.d, &cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==,
                         (uint16_t)(rq.pc - 1));
    }
    g_assert_cmpuint(drv_counter(r.d, "rx_unicast_packets"), ==,
                     LAPS * SIZE);
    drv_stop(r.d);
}

/* -------------------------------------------------------- where it goes --- */

static void test_no_destination(void)
{
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 2);
    drv_unsteer(r.d, &r.st);
    drv_wire_send(r.d, f.data, f.len);
    DRV_WAIT(drv_counter(r.d, "rx_steer_miss") == 1);
    drv_steer_all(r.d, &r.st, r.tir, 0);
    g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_RDY, DRV_RST).status, ==,
                    0);
    drv_wire_send(r.d, f.data, f.len);
    DRV_WAIT(drv_counter(r.d, "rx_no_queue") == 1);
    g_assert_cmphex(drv_rq_modify(r.d, &r.rq, DRV_RST, DRV_RDY).status, ==,
                    0);
    g_assert_false(drv_cq_peek(r.d, &r.cq, cqe));
    drv_wire_send(r.d, f.data, f.len);
    expect_cqe(&r, 0, f.len, cqe);
    frame_free(&f);
    drv_stop(r.d);
}

/* Frames from before there is a driver go nowhere and do no harm. */
static void test_before_init(void)
{
    Drv *d = drv_start("");
    uint8_t frame[64] = { 0x02 };
    unsigned i;

    for (i = 0; i < 10; i++) {
        drv_wire_send(d, frame, sizeof(frame));
    }
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_wire_send(d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(d, "rx_steer_miss") >= 1);
    drv_stop(d);
}

static void test_too_long(void)
{
    uint8_t frame[RIG_MAX_FRAME + 1] = { 0x02 }, cqe[64];
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 4);
    drv_wire_send(r.d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(r.d, "rx_too_long") == 1);
    drv_wire_send(r.d, frame, 13);
    DRV_WAIT(drv_counter(r.d, "rx_too_short") == 1);
    drv_wire_send(r.d, frame, RIG_MAX_FRAME);
    expect_cqe(&r, 0, RIG_MAX_FRAME, cqe);
    drv_stop(r.d);
}

static unsigned vport_state(Drv *d)
{
    uint8_t in[16] = { 0 }, out[16];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_VPORT_STATE);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(query_vport_state_out, out, state);
}

static void expect_port_event(Drv *d, DrvEq *eq, unsigned sub_type)
{
    uint8_t eqe[64];

    drv_eq_wait(d, eq, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_PORT_CHANGE);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_sub_type), ==, sub_type);
    g_assert_cmphex(eqe[0x28], ==, 0x10); /* port 1, in the high nibble */
    DRV_WAIT(drv_msix_fired(d, 2));
    drv_eq_update(d, eq, true);
}

static void set_link(Drv *d, bool up)
{
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'nic', 'up': %i}}", up);
}

static void write_paos(Drv *d, unsigned admin)
{
    uint8_t paos[16] = { 0 };

    MLX5_SET(port_reg, paos, local_port, 1);
    MLX5_SET(paos_reg, paos, admin_status, admin);
    MLX5_SET(paos_reg, paos, ase, 1);
    g_assert_cmphex(drv_access_reg(d, 0x5006, true, paos, 16).status, ==, 0);
}

static void test_link(void)
{
    enum { DOWN = 1, ACTIVE = 4 };
    uint8_t frame[64] = { 0x02 }, cqe[64], eqe[64];
    DrvEq async;
    RxRig r;

    rx_rig(&r, "", false, 0);
    rx_rig_fill(&r, 8);
    drv_msix_init(r.d);
    drv_eq_create(r.d, &async, 6, 2, EVENTS_PORT);
    drv_eq_update(r.d, &async, true);
    g_assert_cmpuint(vport_state(r.d), ==, 1);

    set_link(r.d, false);
    expect_port_event(r.d, &async, DOWN);
    g_assert_cmpuint(vport_state(r.d), ==, 0);
    drv_wire_send(r.d, frame, sizeof(frame));
    /* QEMU's net layer, or the device: somebody drops it. */
    drv_settle(r.d);
    g_assert_false(drv_cq_peek(r.d, &r.cq, cqe));
    set_link(r.d, true);
    expect_port_event(r.d, &async, ACTIVE);
    g_assert_cmpuint(vport_state(r.d), ==, 1);
    frame[20] = 1;
    drv_wire_send(r.d, frame, sizeof(frame));
    expect_cqe(&r, 0, sizeof(frame), cqe);
    expect_data(&r, 0, frame, sizeof(frame));

    /* The driver's side: ip link set down and up. */
    write_paos(r.d, 2);
    expect_port_event(r.d, &async, DOWN);
    g_assert_cmpuint(vport_state(r.d), ==, 0);
    drv_wire_send(r.d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(r.d, "rx_link_down") >= 1);
    write_paos(r.d, 1);
    expect_port_event(r.d, &async, ACTIVE);
    frame[20] = 2;
    drv_wire_send(r.d, frame, sizeof(frame));
    expect_cqe(&r, 1, sizeof(frame), cqe);
    expect_data(&r, 1, frame, sizeof(frame));
    /* What does not change anything is no event. */
    write_paos(r.d, 1);
    drv_settle(r.d);
    g_assert_false(drv_eq_poll(r.d, &async, eqe));
    drv_stop(r.d);
}

/*
 * What we send to our own address comes back when the TIR allows it, and only
 * then; all else goes to the wire.
 */
static void test_loop_back(void)
{
    static const uint8_t mac[6] = DRV_MAC;
    uint8_t in[272] = { 0 }, cqe[64];
    FrameSpec s = rig_spec(4, 17, 100);
    Frame own, other;
    unsigned uc;
    DrvCq cq;
    DrvSq sq;
    RxRig r;

    own = frame_build(&s);
    s.dst_mac[5] ^= 1;
    other = frame_build(&s);
    rx_rig(&r, "", false, 0x1234);
    drv_cq_create(r.d, &cq, 6, r.eq.eqn);
    drv_sq_create(r.d, &sq, 6, &cq, drv_tis_create(r.d));
    rx_rig_fill(&r, 1);
    MLX5_SET(cmd_in, in, opcode, 0x901);
    MLX5_SET(modify_tir_in, in, tirn, r.tir);
    MLX5_SET(modify_tir_in, in, self_lb_en, 1);
    /* bit 1 is that of multicasts */
    for (uc = 0; uc < 4; uc++) {
        uint16_t index;

        MLX5_SET(tirc, in + 0x20, self_lb_block, uc);
        drv_cmd_ok(r.d, in, sizeof(in), NULL, 16);
        drv_sq_send(r.d, &sq, other.data, other.len, 0);
        index = drv_sq_send(r.d, &sq, own.data, own.len, 0);
        drv_sq_ring(r.d, &sq);
        expect_frame(r.d, other.data, other.len);
        drv_sq_expect(r.d, &sq, index - 1);
        drv_sq_expect(r.d, &sq, index);
        if (uc & 1) {
            expect_cqe(&r, uc / 2, own.len, cqe);
            expect_data(&r, uc / 2, own.data, own.len);
            g_assert_cmphex(MLX5_GET(cqe, cqe, flow_tag), ==, 0x1234);
            g_assert_cmphex(MLX5_GET(cqe, cqe, l4_ok), ==, 1);
            rx_rig_fill(&r, 1);
        } else {
            expect_frame(r.d, own.data, own.len);
        }
        drv_settle(r.d);
        g_assert_false(drv_wire_readable(r.d));
        g_assert_false(drv_cq_peek(r.d, &r.cq, cqe));
    }
    /* of the port, not of the vport */
    g_assert_cmpuint(drv_counter(r.d, "rx_unicast_packets"), ==, 0);
    g_assert_cmpuint(drv_counter(r.d, "tx_unicast_packets"), ==, 6);

    /* no WQE: nobody is there to refill while we send, so it is dropped */
    drv_sq_send(r.d, &sq, own.data, own.len, 0);
    drv_sq_send(r.d, &sq, own.data, own.len, 0);
    drv_sq_ring(r.d, &sq);
    expect_cqe(&r, 2, own.len, cqe);
    DRV_WAIT(drv_counter(r.d, "rx_out_of_buffer") == 1);
    /* the steering decides, as for all that arrives */
    rx_rig_fill(&r, 1);
    drv_unsteer(r.d, &r.st);
    drv_sq_send(r.d, &sq, own.data, own.len, 0);
    drv_sq_ring(r.d, &sq);
    expect_frame(r.d, own.data, own.len);
    g_assert_cmpmem(own.data, 6, mac, 6);
    frame_free(&own);
    frame_free(&other);
    drv_stop(r.d);
}

void mlx5_rx_tests(void)
{
    qtest_add_func("mlx5-ktls/rx/basic", test_basic);
    qtest_add_func("mlx5-ktls/rx/flow-tag", test_flow_tag);
    qtest_add_func("mlx5-ktls/rx/cqe-fields", test_cqe_fields);
    qtest_add_func("mlx5-ktls/rx/bad-csum", test_bad_csum);
    qtest_add_func("mlx5-ktls/rx/vlan", test_vlan);
    qtest_add_func("mlx5-ktls/rx/fragments", test_fragments);
    qtest_add_func("mlx5-ktls/rx/overrun", test_overrun);
    qtest_add_func("mlx5-ktls/rx/short-list", test_short_list);
    qtest_add_func("mlx5-ktls/rx/bad-wqe", test_bad_wqe);
    qtest_add_func("mlx5-ktls/rx/bad-key", test_bad_key);
    qtest_add_func("mlx5-ktls/rx/counter-wrap", test_counter_wrap);
    qtest_add_func("mlx5-ktls/rx/no-destination", test_no_destination);
    qtest_add_func("mlx5-ktls/rx/before-init", test_before_init);
    qtest_add_func("mlx5-ktls/rx/too-long", test_too_long);
    qtest_add_func("mlx5-ktls/rx/link", test_link);
    qtest_add_func("mlx5-ktls/rx/loop-back", test_loop_back);
}
