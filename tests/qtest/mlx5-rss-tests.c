/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of receive side scaling over four queues, against the hash values that
 * Microsoft published ("Verifying the RSS Hash Calculation"). Owns no state.
 */
#include <arpa/inet.h>
#include "mlx5-rig.h"
#include "mlx5-tests.h"

enum { QUEUES = 4 };

/* rx_hash_fn */
enum { FN_NONE = 0, FN_XOR8 = 1, FN_TOEPLITZ = 2 };
/* selected_fields */
enum { SRC_IP = 1, DST_IP = 2, SPORT = 4, DPORT = 8 };
/* modify_tir_in.bitmask */
#define MODIFY_TIR_HASH 4

static const uint8_t key[40] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d,
    0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4,
    0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b,
    0xbe, 0xac, 0x01, 0xfa,
};

static const struct {
    int ip;
    const char *dst;
    uint16_t dport;
    const char *src;
    uint16_t sport;
    uint32_t hash_ip;
    uint32_t hash_tcp;
} published[] = {
    { 4, "161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2,
      0x51ccc178 },
    { 4, "65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a,
      0xc626b0ea },
    { 4, "12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de,
      0x5c2b394a },
    { 4, "209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176,
      0xafc7327f },
    { 4, "202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5,
      0x10e828a2 },
    { 6, "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794,
      0x2cc18cd5, 0x40207d3d },
    { 6, "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230,
      0x0f0c461c, 0xdde51bbf },
    { 6, "fe80::200:f8ff:fe21:67cf", 38024,
      "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x4b61e985, 0x02d1feef },
};

typedef struct Rss {
    Drv *d;
    DrvEq eq;
    DrvCq cq[QUEUES];
    DrvRq rq[QUEUES];
    uint32_t rqt;
    uint32_t tir;
    uint8_t tirc[240];
    DrvSteering st;
} Rss;

static void fill(Rss *r, unsigned q)
{
    DrvSeg seg = { .addr = drv_mem(r->d, 2048), .len = 2048 };

    drv_rq_post(r->d, &r->rq[q], &seg, 1);
    drv_rq_publish(r->d, &r->rq[q]);
}

static void set_hash(uint8_t *tirc, unsigned fn, bool symmetric, bool v6,
                     bool udp, uint32_t fields)
{
    MLX5_SET(tirc, tirc, rx_hash_fn, fn);
    MLX5_SET(tirc, tirc, rx_hash_symmetric, symmetric);
    MLX5_SET(tirc, tirc, rx_hash_field_selector_outer,
             (uint32_t)v6 << 31 | (uint32_t)udp << 30 | fields);
    memcpy(tirc + 0x28, key, sizeof(key));
}

/* Four queues behind one TIR that hashes as @fn says. */
static void rss_rig(Rss *r, unsigned fn, bool symmetric, bool v6,
                    uint32_t fields)
{
    const DrvRq *list[QUEUES];
    g_autofree uint8_t *in = NULL;
    uint32_t len;
    unsigned q, i;

    r->d = drv_start_up("");
    drv_eq_create(r->d, &r->eq, 6, 0, 0);
    for (q = 0; q < QUEUES; q++) {
        drv_cq_create(r->d, &r->cq[q], 6, r->eq.eqn);
        drv_rq_create(r->d, &r->rq[q], 6, 4, &r->cq[q], 0, false);
        for (i = 0; i < 40; i++) {
            fill(r, q);
        }
        list[q] = &r->rq[q];
    }
    r->rqt = drv_rqt_create(r->d, list, QUEUES);
    in = drv_tir_cmd(r->d, 0, &len);
    MLX5_SET(tirc, in + 0x20, disp_type, 1);
    MLX5_SET(tirc, in + 0x20, indirect_table, r->rqt);
    set_hash(in + 0x20, fn, symmetric, v6, false, fields);
    memcpy(r->tirc, in + 0x20, sizeof(r->tirc));
    r->tir = drv_create(r->d, in, len);
    drv_steer_all(r->d, &r->st, r->tir, 0);
}

/* Sends it and returns the queue it came to; @cqe is its CQE. */
static unsigned pass(Rss *r, const FrameSpec *s, uint8_t cqe[64])
{
    Frame f = frame_build(s);
    unsigned q = 0;

    drv_wire_send(r->d, f.data, f.len);
    DRV_WAIT(drv_cq_poll(r->d, &r->cq[q = (q + 1) % QUEUES], cqe));
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, r->rq[q].rqn);
    frame_free(&f);
    return q;
}

static FrameSpec vector_spec(unsigned i, uint8_t proto, bool swapped)
{
    FrameSpec s = rig_spec(published[i].ip, proto, 40);
    int family = s.ip == 4 ? AF_INET : AF_INET6;

    inet_pton(family, published[i].src, swapped ? s.dst_ip : s.src_ip);
    inet_pton(family, published[i].dst, swapped ? s.src_ip : s.dst_ip);
    s.sport = swapped ? published[i].dport : published[i].sport;
    s.dport = swapped ? published[i].sport : published[i].dport;
    return s;
}

static void toeplitz(bool v6, bool ports)
{
    uint32_t fields = SRC_IP | DST_IP | (ports ? SPORT | DPORT : 0);
    unsigned i, q;
    Rss r;

    rss_rig(&r, FN_TOEPLITZ, false, v6, fields);
    for (i = 0; i < G_N_ELEMENTS(published); i++) {
        uint32_t hash = ports ? published[i].hash_tcp : published[i].hash_ip;
        uint8_t cqe[64];
        FrameSpec s;

        if ((published[i].ip == 6) != v6) {
            continue;
        }
        s = vector_spec(i, 6, false);
        q = pass(&r, &s, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, rss_hash_result), ==, hash);
        g_assert_cmpuint(q, ==, hash % QUEUES);
        /* [3:2] IPv4 1, IPv6 2; [7:6] TCP 1 */
        g_assert_cmphex(MLX5_GET(cqe, cqe, rss_hash_type), ==,
                        (v6 ? 2 : 1) << 2 | ports << 6);
    }
    drv_stop(r.d);
}

static void test_toeplitz_ip4(void)
{
    toeplitz(false, false);
}

static void test_toeplitz_tcp4(void)
{
    toeplitz(false, true);
}

static void test_toeplitz_ip6(void)
{
    toeplitz(true, false);
}

static void test_toeplitz_tcp6(void)
{
    toeplitz(true, true);
}

/* Both directions of a connection have one hash and one queue. */
static void test_symmetric(void)
{
    unsigned i, spread = 0;
    Rss r;

    rss_rig(&r, FN_TOEPLITZ, true, false, SRC_IP | DST_IP | SPORT | DPORT);
    for (i = 0; i < 16; i++) {
        uint8_t there[64], back[64];
        FrameSpec s = vector_spec(i % 5, 6, false);
        FrameSpec t = vector_spec(i % 5, 6, true);
        unsigned q;

        s.sport += i;
        t.dport += i;
        q = pass(&r, &s, there);
        g_assert_cmpuint(pass(&r, &t, back), ==, q);
        g_assert_cmphex(MLX5_GET(cqe, there, rss_hash_result), ==,
                        MLX5_GET(cqe, back, rss_hash_result));
        spread |= 1u << q;
    }
    /* and not all connections the same */
    g_assert_cmpuint(spread & (spread - 1), !=, 0);
    drv_stop(r.d);
}

/* Without a hash function all goes to the first queue. */
static void test_none(void)
{
    unsigned i;
    Rss r;

    rss_rig(&r, FN_NONE, false, false, 0);
    for (i = 0; i < 10; i++) {
        FrameSpec s = vector_spec(i % 5, 6, false);
        uint8_t cqe[64];

        s.sport += i;
        g_assert_cmpuint(pass(&r, &s, cqe), ==, 0);
        g_assert_cmphex(MLX5_GET(cqe, cqe, rss_hash_type), ==, 0);
    }
    drv_stop(r.d);
}

/* MODIFY_RQT points the buckets elsewhere, as the driver does at open. */
static void test_modify_rqt(void)
{
    g_autofree uint8_t *in = NULL;
    const DrvRq *list[QUEUES];
    uint32_t len;
    unsigned i;
    Rss r;

    rss_rig(&r, FN_TOEPLITZ, false, false, SRC_IP | DST_IP | SPORT | DPORT);
    for (i = 0; i < QUEUES; i++) {
        list[i] = &r.rq[QUEUES - 1 - i];
    }
    in = drv_rqt_cmd(r.d, list, QUEUES, &len);
    MLX5_SET(cmd_in, in, opcode, 0x917);
    MLX5_SET(modify_rqt_in, in, rqtn, r.rqt);
    MLX5_SET(modify_rqt_in, in, rqn_list, 1);
    drv_cmd_ok(r.d, in, len, NULL, 16);
    for (i = 0; i < 5; i++) {
        FrameSpec s = vector_spec(i, 6, false);
        uint8_t cqe[64];

        g_assert_cmpuint(pass(&r, &s, cqe), ==,
                         QUEUES - 1 - published[i].hash_tcp % QUEUES);
    }
    /* One bucket left: all to its queue. */
    MLX5_SET(rqtc, in + 0x20, rqt_actual_size, 1);
    drv_cmd_ok(r.d, in, len, NULL, 16);
    for (i = 0; i < 5; i++) {
        FrameSpec s = vector_spec(i, 6, false);
        uint8_t cqe[64];

        g_assert_cmpuint(pass(&r, &s, cqe), ==, QUEUES - 1);
    }
    /* A queue that is not there changes nothing. */
    MLX5_SET(rqtc, in + 0x20, rqt_actual_size, 4);
    MLX5_SET(rq_num, in + 0x110, rq_num, 999);
    drv_cmd_fails(r.d, in, len, 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_RQ);
    {
        FrameSpec s = vector_spec(0, 6, false);
        uint8_t cqe[64];

        g_assert_cmpuint(pass(&r, &s, cqe), ==, QUEUES - 1);
    }
    drv_stop(r.d);
}

/* MODIFY_TIR changes what is hashed. */
static void test_modify_tir(void)
{
    uint8_t in[272] = { 0 };
    unsigned i;
    Rss r;

    rss_rig(&r, FN_TOEPLITZ, false, false, SRC_IP | DST_IP);
    MLX5_SET(cmd_in, in, opcode, 0x901);
    MLX5_SET(modify_tir_in, in, tirn, r.tir);
    MLX5_SET(modify_tir_in, in, bitmask, MODIFY_TIR_HASH);
    memcpy(in + 0x20, r.tirc, sizeof(r.tirc));
    set_hash(in + 0x20, FN_TOEPLITZ, false, false, false,
             SRC_IP | DST_IP | SPORT | DPORT);
    drv_cmd_ok(r.d, in, sizeof(in), NULL, 16);
    for (i = 0; i < 5; i++) {
        FrameSpec s = vector_spec(i, 6, false);
        uint8_t cqe[64];

        pass(&r, &s, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, rss_hash_result), ==,
                        published[i].hash_tcp);
    }
    MLX5_SET(modify_tir_in, in, bitmask, 1ull << 40);
    drv_cmd_fails(r.d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_MODIFY_NOTHING_KNOWN);
    drv_stop(r.d);
}

void mlx5_rss_tests(void)
{
    qtest_add_func("mlx5-ktls/rss/toeplitz-ip4", test_toeplitz_ip4);
    qtest_add_func("mlx5-ktls/rss/toeplitz-tcp4", test_toeplitz_tcp4);
    qtest_add_func("mlx5-ktls/rss/toeplitz-ip6", test_toeplitz_ip6);
    qtest_add_func("mlx5-ktls/rss/toeplitz-tcp6", test_toeplitz_tcp6);
    qtest_add_func("mlx5-ktls/rss/symmetric", test_symmetric);
    qtest_add_func("mlx5-ktls/rss/none", test_none);
    qtest_add_func("mlx5-ktls/rss/modify-rqt", test_modify_rqt);
    qtest_add_func("mlx5-ktls/rss/modify-tir", test_modify_tir);
}
