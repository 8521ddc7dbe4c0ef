/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixed workloads for the device, measured from outside: `lab bench` runs QEMU
 * under callgrind while this program drives it, and divides by the number of
 * packets that it prints.
 *
 *     mlx5-ktls-bench SCENARIO BURSTS
 *
 * brings up a device, lets it send or receive BURSTS bursts of packets, each
 * after the previous one has been completed and consumed, and prints "packets
 * N". Every burst must arrive complete, so that no path that drops packets is
 * measured. Without arguments it prints the names of the scenarios.
 *
 * Owns the QEMU process. Uses the qtests' small driver.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "libqtest.h"
#include "mlx5-ktls/mlx5-mkey-rig.h"
#include "mlx5-ktls/mlx5-stride-rig.h"
#include "mlx5-ktls/mlx5-tls-rx-rig.h"
#include "mlx5-ktls/mlx5-tls-tx-rig.h"

#define SMALL 64           /* bytes of a small frame */
#define MSS 1448           /* TCP payload of a full frame with timestamps */
#define FULL_BURST 32      /* full frames: they fit into the wire's socket */
#define SMALL_BURST 64     /* small ones, and the length of the queues */
#define LOG_BURST 6
#define RECORD 16384
#define RECORDS 2          /* in a burst */

typedef struct Scenario {
    const char *name;
    unsigned (*run)(unsigned bursts); /* the number of packets */
} Scenario;

/* Receives @n frames from the wire. */
static void drain(Drv *d, unsigned n)
{
    uint8_t frame[DRV_MAX_FRAME];

    while (n--) {
        drv_wire_recv(d, frame);
    }
}

/* ----------------------------------------------------------- sending --- */

/*
 * Addresses a frame to another host: one to the port's own address would be
 * processed twice.
 */
static FrameSpec to_peer(FrameSpec s)
{
    s.dst_mac[5] ^= 1;
    return s;
}

/* Posts @n bytes at @seq as one LSO for TIS @tisn and rings. */
static uint16_t send_lso(TlsTx *t, uint32_t tisn, uint32_t seq,
                         const uint8_t *payload, size_t n)
{
    FrameSpec s = to_peer(spec_at(seq, payload, n));
    Frame f = frame_build(&s);
    uint16_t index;
    DrvWqe w;

    g_assert_cmpuint(n, <=, TLS_TX_MEM);
    drv_write(t->d, t->mem, payload, n);
    drv_wqe(&w, t->sq, WQE_LSO, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, MSS, f.data, f.payload);
    drv_wqe_data(&w, t->d->lkey, t->mem, n);
    index = drv_sq_put(t->d, t->sq, &w);
    drv_sq_ring(t->d, t->sq);
    frame_free(&f);
    return index;
}

static unsigned send_frames(unsigned bursts, unsigned n, unsigned payload)
{
    FrameSpec s = to_peer(rig_spec(4, payload < MSS ? 17 : 6, payload));
    Frame f = frame_build(&s);
    unsigned burst, i;
    uint64_t mem;
    TxRig t;

    tx_rig(&t, LOG_BURST + 1);
    mem = drv_mem(t.d, f.len);
    drv_write(t.d, mem, f.data, f.len);
    for (burst = 0; burst < bursts; burst++) {
        uint16_t index = 0;

        for (i = 0; i < n; i++) {
            DrvWqe w;

            drv_wqe(&w, &t.sq, WQE_SEND, i == n - 1);
            drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, f.data, 18);
            drv_wqe_data(&w, t.d->lkey, mem + 18, f.len - 18);
            index = drv_sq_put(t.d, &t.sq, &w);
        }
        drv_sq_ring(t.d, &t.sq);
        drain(t.d, n);
        drv_sq_expect(t.d, &t.sq, index);
    }
    frame_free(&f);
    drv_stop(t.d);
    return bursts * n;
}

static unsigned tx_small(unsigned bursts)
{
    return send_frames(bursts, SMALL_BURST / 2, SMALL - 14 - 20 - 8);
}

static unsigned tx_full(unsigned bursts)
{
    return send_frames(bursts, FULL_BURST, MSS);
}

static unsigned tx_lso(unsigned bursts)
{
    g_autofree uint8_t *payload = g_malloc0(FULL_BURST * MSS);
    unsigned burst;
    TlsTx t;

    tls_tx(&t, 0, 1);
    for (burst = 0; burst < bursts; burst++) {
        uint16_t index = send_lso(&t, 0, 1000, payload, FULL_BURST * MSS);

        drain(t.d, FULL_BURST);
        drv_sq_expect(t.d, t.sq, index);
    }
    drv_stop(t.d);
    return bursts * FULL_BURST;
}

/*
 * The next frame from the wire must have MSS bytes of payload, equal to
 * @payload.
 */
static void expect_payload(Drv *d, const uint8_t *payload)
{
    uint8_t frame[DRV_MAX_FRAME];
    size_t n = drv_wire_recv(d, frame);

    g_assert_cmpuint(n, >, MSS);
    g_assert_cmpmem(frame + n - MSS, MSS, payload, MSS);
}

/* Records of 16 KiB, TLS 1.2 with AES-128: one LSO a burst. */
static unsigned tx_tls(unsigned bursts)
{
    unsigned burst, packets = 0;
    TlsTx t;

    tls_tx(&t, 0, 1);
    for (burst = 0; burst < bursts; burst++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();
        unsigned i, frames;
        uint16_t index;

        for (i = 0; i < RECORDS; i++) {
            tls_pattern(&t.c, RECORD, clear, wire);
        }
        frames = DIV_ROUND_UP(clear->len, MSS);
        index = send_lso(&t, t.tisn, t.c.seq, clear->data, clear->len);
        expect_payload(t.d, wire->data);
        drain(t.d, frames - 1);
        drv_sq_expect(t.d, t.sq, index);
        t.c.seq += clear->len;
        packets += frames;
    }
    drv_stop(t.d);
    return packets;
}

/* --------------------------------------------------------- receiving --- */

/* Sends @n copies of the frame of @s at once. */
static void burst_in(Drv *d, const FrameSpec *s, unsigned n)
{
    Frame f = frame_build(s);

    while (n--) {
        drv_wire_send(d, f.data, f.len);
    }
    frame_free(&f);
}

/* Consumes @n packets of the queue, whose CQEs must have the TLS flag @flag. */
static void packets_in(TlsRx *t, unsigned n, unsigned flag)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        uint8_t cqe[64];

        drv_cq_wait(t->d, &t->cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, flag);
    }
    rx_fill(t, n);
}

static unsigned receive_frames(unsigned bursts, unsigned n, unsigned payload)
{
    FrameSpec s = rig_spec(4, payload < MSS ? 17 : 6, payload);
    unsigned burst;
    TlsRx t;

    rx_bare(&t, 0, 1, false);
    /* To a TIR without TLS. */
    drv_unsteer(t.d, &t.st);
    drv_steer_all(t.d, &t.st, drv_tir_direct(t.d, t.rq.rqn), 0);
    for (burst = 0; burst < bursts; burst++) {
        burst_in(t.d, &s, n);
        packets_in(&t, n, NOT_DECRYPTED);
    }
    rx_stop(&t);
    return bursts * n;
}

static unsigned rx_small(unsigned bursts)
{
    return receive_frames(bursts, SMALL_BURST, SMALL - 14 - 20 - 8);
}

static unsigned rx_full(unsigned bursts)
{
    return receive_frames(bursts, FULL_BURST, MSS);
}

/*
 * As a driver has it: 128 strides of 2 KiB in a WQE, in the pages of one memory
 * key. A used WQE is posted again.
 */
static void strides(Stride *s)
{
    enum { LOG_WQES = 2, LOG_N = 7, LOG_SIZE = 11, PAGE = 4096 };
    unsigned pages, i;
    size_t len;
    uint32_t lkey, cmd_len;
    uint8_t *in;

    stride_rig(s, LOG_WQES, LOG_N, LOG_SIZE, false, "");
    len = stride_buf_size(s) << LOG_WQES;
    pages = len / PAGE;
    in = key_cmd(s->d, KEY_MTT, 12, 0, len, pages / 2, &cmd_len);
    for (i = 0; i < pages; i++) {
        key_mtt(in + KEY_LIST, i, s->buf + i * PAGE);
    }
    lkey = key_make(s->d, in, cmd_len);
    for (i = 0; i < 1 << LOG_WQES; i++) {
        stride_put_seg(s, i, lkey, i * stride_buf_size(s),
                       1 << (LOG_N + LOG_SIZE));
        stride_put_link(s, i, (i + 1) % (1 << LOG_WQES));
    }
    stride_post(s, 1 << LOG_WQES);
}

static unsigned receive_strides(unsigned bursts, unsigned n, unsigned payload)
{
    FrameSpec f = rig_spec(4, payload < MSS ? 17 : 6, payload);
    unsigned burst, i;
    Stride s;

    strides(&s);
    for (burst = 0; burst < bursts; burst++) {
        burst_in(s.d, &f, n);
        for (i = 0; i < n; i++) {
            uint8_t cqe[64];

            drv_cq_wait(s.d, &s.cq, cqe);
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
            g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, 1);
            if (MLX5_GET(cqe, cqe, wqe_counter) == (1u << s.log_n) - 1) {
                stride_post(&s, 1);
            }
        }
    }
    drv_stop(s.d);
    return bursts * n;
}

static unsigned rx_small_strides(unsigned bursts)
{
    return receive_strides(bursts, SMALL_BURST, SMALL - 14 - 20 - 8);
}

static unsigned rx_full_strides(unsigned bursts)
{
    return receive_strides(bursts, FULL_BURST, MSS);
}

static unsigned rx_tls(unsigned bursts)
{
    unsigned burst, packets = 0;
    size_t at = 0;
    TlsRx t;

    tls_rx(&t, 0, 1);
    for (burst = 0; burst < bursts; burst++) {
        unsigned i, n = 0;

        for (i = 0; i < RECORDS; i++) {
            rx_record(&t, RECORD);
        }
        while (at < t.wire->len) {
            size_t len = MIN(MSS, t.wire->len - at);
            FrameSpec s = rx_segment(&t, at, len);

            burst_in(t.d, &s, 1);
            at += len;
            n++;
        }
        packets_in(&t, n, DECRYPTED);
        packets += n;
    }
    rx_stop(&t);
    return packets;
}

static const Scenario scenarios[] = {
    { "tx-small", tx_small },
    { "tx-full", tx_full },
    { "tx-lso", tx_lso },
    { "tx-tls", tx_tls },
    { "rx-small", rx_small },
    { "rx-full", rx_full },
    { "rx-small-strides", rx_small_strides },
    { "rx-full-strides", rx_full_strides },
    { "rx-tls", rx_tls },
};

int main(int argc, char **argv)
{
    uint64_t bursts;
    size_t i;

    if (argc == 1) {
        for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
            puts(scenarios[i].name);
        }
        return 0;
    }
    g_test_init(&argc, &argv, NULL);
    drv_access_limit = G_MAXDOUBLE;
    if (argc != 3 || qemu_strtou64(argv[2], NULL, 10, &bursts) || !bursts ||
        bursts > 100000) {
        fprintf(stderr, "expected SCENARIO and a number of bursts, 1 to "
                "100000\n");
        return 2;
    }
    for (i = 0; i < ARRAY_SIZE(scenarios); i++) {
        if (!strcmp(argv[1], scenarios[i].name)) {
            printf("packets %u\n", scenarios[i].run(bursts));
            return 0;
        }
    }
    fprintf(stderr, "scenario '%s' does not exist; without arguments this "
            "program lists them\n", argv[1]);
    return 2;
}
