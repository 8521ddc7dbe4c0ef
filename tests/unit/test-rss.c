/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/rss: Microsoft's published Toeplitz vectors ("Verifying the
 * RSS Hash Calculation"), a bit-by-bit Toeplitz, and the selection of fields by
 * type of packet. Owns no state.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

#include "rss.h"
#include "frame.h"

/* The key of the published vectors. */
static const uint8_t ms_key[MLX5_RSS_KEY_LEN] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
    0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
    0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
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
    { 4, "161.142.100.80", 1766, "66.9.149.187", 2794, 0x323e8fc2, 0x51ccc178 },
    { 4, "65.69.140.83", 4739, "199.92.111.2", 14230, 0xd718262a, 0xc626b0ea },
    { 4, "12.22.207.184", 38024, "24.19.198.95", 12898, 0xd2d0a5de,
      0x5c2b394a },
    { 4, "209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xafc7327f },
    { 4, "202.188.127.2", 1303, "153.39.163.191", 44251, 0x5d1809c5,
      0x10e828a2 },
    { 6, "3ffe:2501:200:3::1", 1766, "3ffe:2501:200:1fff::7", 2794, 0x2cc18cd5,
      0x40207d3d },
    { 6, "ff02::1", 4739, "3ffe:501:8::260:97ff:fe40:efab", 14230, 0x0f0c461c,
      0xdde51bbf },
    { 6, "fe80::200:f8ff:fe21:67cf", 38024,
      "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 44251, 0x4b61e985, 0x02d1feef },
};

enum {
    SEL_IP = MLX5_HASH_FIELD_SEL_SRC_IP | MLX5_HASH_FIELD_SEL_DST_IP,
    SEL_PORTS = MLX5_HASH_FIELD_SEL_L4_SPORT | MLX5_HASH_FIELD_SEL_L4_DPORT,
};

static Mlx5RssParams params(int ip, uint8_t proto, uint32_t fields)
{
    Mlx5RssParams p = {
        .rx_hash_fn = MLX5_RX_HASH_FN_TOEPLITZ,
        .l3_prot_type = ip == 6,
        .l4_prot_type = proto == 17,
        .selected_fields = fields,
    };

    memcpy(p.rx_hash_toeplitz_key, ms_key, sizeof(ms_key));
    return p;
}

static Mlx5RssResult hash_frame(const Mlx5RssParams *p, const FrameSpec *s)
{
    Frame f = frame_build(s);
    Mlx5RssResult r;
    Mlx5Packet pkt;

    mlx5_parse(f.data, f.len, &pkt);
    mlx5_rss_hash(p, &pkt, f.data, &r);
    frame_free(&f);
    return r;
}

static void test_published(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(published); i++) {
        int family = published[i].ip == 4 ? AF_INET : AF_INET6;
        FrameSpec s = {
            .ip = published[i].ip, .proto = 6, .sport = published[i].sport,
            .dport = published[i].dport, .payload_len = 3,
        };
        uint8_t l3 = published[i].ip == 4 ? 1 : 2;
        Mlx5RssParams p;
        Mlx5RssResult r;

        g_assert_cmpint(inet_pton(family, published[i].src, s.src_ip), ==, 1);
        g_assert_cmpint(inet_pton(family, published[i].dst, s.dst_ip), ==, 1);
        p = params(s.ip, 6, SEL_IP);
        r = hash_frame(&p, &s);
        g_assert_cmphex(r.rx_hash_result, ==, published[i].hash_ip);
        g_assert_cmphex(r.rss_hash_type, ==, l3 << 2);
        p = params(s.ip, 6, SEL_IP | SEL_PORTS);
        r = hash_frame(&p, &s);
        g_assert_cmphex(r.rx_hash_result, ==, published[i].hash_tcp);
        g_assert_cmphex(r.rss_hash_type, ==, 1 << 6 | l3 << 2);

        /* The same fields of a UDP packet, and within VLAN tags. */
        s.proto = 17;
        s.n_vlan = 2;
        s.tpid[0] = 0x88a8;
        s.tpid[1] = 0x8100;
        p = params(s.ip, 17, SEL_IP | SEL_PORTS);
        r = hash_frame(&p, &s);
        g_assert_cmphex(r.rx_hash_result, ==, published[i].hash_tcp);
        g_assert_cmphex(r.rss_hash_type, ==, 2 << 6 | l3 << 2);
    }
}

/* One bit after the other, shifting the whole key. */
static uint32_t naive_toeplitz(const uint8_t *key, const uint8_t *input,
                               size_t len)
{
    uint8_t k[MLX5_RSS_KEY_LEN];
    uint32_t hash = 0;
    size_t i, j;
    int bit;

    memcpy(k, key, sizeof(k));
    for (i = 0; i < len; i++) {
        for (bit = 7; bit >= 0; bit--) {
            if (input[i] >> bit & 1) {
                hash ^= (uint32_t)k[0] << 24 | k[1] << 16 | k[2] << 8 | k[3];
            }
            for (j = 0; j < sizeof(k); j++) {
                k[j] = (uint8_t)(k[j] << 1 |
                                 (j + 1 < sizeof(k) ? k[j + 1] >> 7 : 0));
            }
        }
    }
    return hash;
}

static void test_toeplitz_lengths(void)
{
    unsigned round;
    size_t len;

    for (round = 0; round < 200; round++) {
        uint8_t key[MLX5_RSS_KEY_LEN], input[48];

        frame_random_bytes(key, sizeof(key));
        frame_random_bytes(input, sizeof(input));
        for (len = 0; len <= MLX5_RSS_MAX_INPUT; len++) {
            uint8_t *exact = dup_exact(input, len);

            g_assert_cmphex(mlx5_rss_toeplitz(key, exact, len), ==,
                            naive_toeplitz(key, exact, len));
            g_free(exact);
        }
        g_assert_cmphex(mlx5_rss_toeplitz(key, input, 48), ==,
                        naive_toeplitz(key, input, MLX5_RSS_MAX_INPUT));
    }
}

static void put_pair(GByteArray *in, const uint8_t *src, const uint8_t *dst,
                     guint n, bool want_src, bool want_dst, bool symmetric)
{
    guint i;

    if (symmetric && want_src && want_dst) {
        for (i = 0; i < n; i++) {
            frame_put(in, 1, src[i] | dst[i]);
        }
        for (i = 0; i < n; i++) {
            frame_put(in, 1, src[i] ^ dst[i]);
        }
        return;
    }
    g_byte_array_append(in, src, want_src ? n : 0);
    g_byte_array_append(in, dst, want_dst ? n : 0);
}

/* Every packet under every selection, against the fields it was built from. */
static void test_fields(void)
{
    unsigned round, hashed = 0;

    for (round = 0; round < 20000; round++) {
        FrameSpec s = frame_random_spec();
        uint32_t sel = (uint32_t)g_test_rand_int_range(0, 32);
        uint8_t proto = (uint8_t)frame_pick(6, 17);
        Mlx5RssParams p = params(frame_pick(4, 6), proto, sel);
        bool l3 = (p.l3_prot_type ? 6 : 4) == s.ip;
        bool l4 = l3 && s.frag == FRAME_WHOLE;
        GByteArray *in = g_byte_array_new();
        uint8_t ports[4] = { (uint8_t)(s.sport >> 8), (uint8_t)s.sport,
                             (uint8_t)(s.dport >> 8), (uint8_t)s.dport };
        unsigned type3 = 0, type4 = 0;
        Mlx5RssResult r;

        p.rx_hash_symmetric = frame_pick(0, 1);
        if (l3 && (sel & SEL_IP)) {
            put_pair(in, s.src_ip, s.dst_ip, s.ip == 4 ? 4 : 16, sel & 1,
                     sel & 2, p.rx_hash_symmetric);
            type3 = s.ip == 4 ? 1 : 2;
        }
        if (l4 && (sel & SEL_PORTS) && s.proto == proto) {
            put_pair(in, ports, ports + 2, 2, sel & 4, sel & 8,
                     p.rx_hash_symmetric);
            type4 = proto == 6 ? 1 : 2;
        } else if (l4 && (sel & 16) && (s.proto == 50 || s.proto == 51)) {
            frame_put(in, 4, s.spi);
            type4 = 3;
        }
        r = hash_frame(&p, &s);
        g_assert_cmphex(r.rss_hash_type, ==, type4 << 6 | type3 << 2);
        g_assert_cmphex(r.rx_hash_result, ==,
                        naive_toeplitz(ms_key, in->data, in->len));
        hashed += in->len > 0;
        g_byte_array_free(in, TRUE);
    }
    g_assert_cmpuint(hashed, >, 1000);
}

/*
 * Both directions of a flow meet under rx_hash_symmetric, and not without it.
 */
static void test_symmetric(void)
{
    unsigned round, differ = 0;

    for (round = 0; round < 500; round++) {
        FrameSpec s = { .ip = frame_pick(4, 6),
                        .proto = (uint8_t)frame_pick(6, 17) };
        FrameSpec back;
        Mlx5RssParams p = params(s.ip, s.proto, SEL_IP | SEL_PORTS);

        frame_random_bytes(s.src_ip, 16);
        frame_random_bytes(s.dst_ip, 16);
        s.sport = (uint16_t)g_test_rand_int();
        s.dport = (uint16_t)g_test_rand_int();
        back = s;
        memcpy(back.src_ip, s.dst_ip, 16);
        memcpy(back.dst_ip, s.src_ip, 16);
        back.sport = s.dport;
        back.dport = s.sport;
        differ += hash_frame(&p, &s).rx_hash_result !=
                  hash_frame(&p, &back).rx_hash_result;
        p.rx_hash_symmetric = true;
        g_assert_cmphex(hash_frame(&p, &s).rx_hash_result, ==,
                        hash_frame(&p, &back).rx_hash_result);
        /* Another flow of the same two hosts is another flow. */
        back.sport ^= 1;
        g_assert_cmphex(hash_frame(&p, &s).rx_hash_result, !=,
                        hash_frame(&p, &back).rx_hash_result);
    }
    g_assert_cmpuint(differ, >, 490);
}

/* All fragments of a datagram hash alike, by their addresses. */
static void test_fragments(void)
{
    FrameSpec s = { .proto = 17,
                    .sport = 1000,
                    .dport = 2000,
                    .payload_len = 16,
                    .src_ip = { 1, 2, 3, 4, 5 },
                    .dst_ip = { 9, 8, 7, 6, 5 } };

    for (s.ip = 4; s.ip <= 6; s.ip += 2) {
        Mlx5RssParams p = params(s.ip, 17, SEL_IP | SEL_PORTS);
        Mlx5RssParams ip_only = params(s.ip, 17, SEL_IP);
        Mlx5RssResult whole, first, later;

        s.frag = FRAME_WHOLE;
        whole = hash_frame(&ip_only, &s);
        s.frag = FRAME_FIRST_FRAG;
        first = hash_frame(&p, &s);
        s.frag = FRAME_LATER_FRAG;
        later = hash_frame(&p, &s);
        g_assert_cmphex(first.rx_hash_result, ==, whole.rx_hash_result);
        g_assert_cmphex(later.rx_hash_result, ==, whole.rx_hash_result);
        g_assert_cmphex(first.rss_hash_type, ==, s.ip == 4 ? 0x04 : 0x08);
        g_assert_cmphex(later.rss_hash_type, ==, s.ip == 4 ? 0x04 : 0x08);
    }
}

static void test_xor8(void)
{
    FrameSpec s = { .ip = 4, .proto = 6, .sport = 0x0102, .dport = 0x0408,
                    .src_ip = { 0x10, 0, 0, 0 }, .dst_ip = { 0, 0, 0x20, 0 } };
    Mlx5RssParams p = params(4, 6, SEL_IP | SEL_PORTS);
    Mlx5RssResult r;

    p.rx_hash_fn = MLX5_RX_HASH_FN_INVERTED_XOR8;
    r = hash_frame(&p, &s);
    /* 0x3f, back to front. */
    g_assert_cmphex(r.rx_hash_result, ==, 0xfc);
    g_assert_cmphex(r.rss_hash_type, ==, 0x44);
    p.selected_fields = MLX5_HASH_FIELD_SEL_L4_SPORT;
    r = hash_frame(&p, &s);
    g_assert_cmphex(r.rx_hash_result, ==, 0xc0);
    p.selected_fields = 0;
    r = hash_frame(&p, &s);
    g_assert_cmphex(r.rx_hash_result | r.rss_hash_type, ==, 0);
    p.selected_fields = SEL_IP;
    p.rx_hash_fn = MLX5_RX_HASH_FN_NONE;
    r = hash_frame(&p, &s);
    g_assert_cmphex(r.rx_hash_result | r.rss_hash_type, ==, 0);
}

static void test_check(void)
{
    Mlx5RssParams p = params(4, 6, SEL_IP | SEL_PORTS);
    unsigned i;

    g_assert_cmpint(mlx5_rss_check(&p), ==, MLX5_RSS_OK);
    p.selected_fields = SEL_IP | MLX5_HASH_FIELD_SEL_IPSEC_SPI;
    g_assert_cmpint(mlx5_rss_check(&p), ==, MLX5_RSS_OK);
    p.selected_fields |= MLX5_HASH_FIELD_SEL_L4_DPORT;
    g_assert_cmpint(mlx5_rss_check(&p), ==, MLX5_RSS_PORTS_AND_SPI);
    p.selected_fields = 0x20;
    g_assert_cmpint(mlx5_rss_check(&p), ==, MLX5_RSS_BAD_FIELDS);
    p.selected_fields = 0;
    for (i = 0; i < 16; i++) {
        p.rx_hash_fn = (uint8_t)i;
        g_assert_cmpint(mlx5_rss_check(&p), ==,
                        i <= 2 ? MLX5_RSS_OK : MLX5_RSS_BAD_FN);
    }
    for (i = 0; i < MLX5_RSS_N_ERRORS; i++) {
        g_assert_cmpstr(mlx5_rss_strerror((Mlx5RssError)i), !=,
                        "unknown RSS error");
    }
}

static void test_bucket(void)
{
    g_assert_cmpuint(mlx5_rss_bucket(0x12345678, 128), ==, 0x78);
    g_assert_cmpuint(mlx5_rss_bucket(0xffffffff, 1), ==, 0);
    g_assert_cmpuint(mlx5_rss_bucket(0xffffffff, 256), ==, 255);
    g_assert_cmpuint(mlx5_rss_bucket(1000, 3), ==, 1);
    g_assert_cmpuint(mlx5_rss_bucket(1000, 0), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rss/published", test_published);
    g_test_add_func("/rss/toeplitz-lengths", test_toeplitz_lengths);
    g_test_add_func("/rss/fields", test_fields);
    g_test_add_func("/rss/symmetric", test_symmetric);
    g_test_add_func("/rss/fragments", test_fragments);
    g_test_add_func("/rss/xor8", test_xor8);
    g_test_add_func("/rss/check", test_check);
    g_test_add_func("/rss/bucket", test_bucket);
    return g_test_run();
}
