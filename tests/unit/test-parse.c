/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/parse: packets of the Linux stack (net-vectors.h), packets
 * built field by field (frame.h), every truncation of both, malformed headers,
 * and noise. Owns no state.
 */
#include <glib.h>
#include <string.h>

#include "parse.h"
#include "frame.h"
#include "net-vectors.h"

typedef struct Known {
    const char *name;
    const uint8_t *data;
    size_t len;
    Mlx5L3Type l3_type;
    uint8_t ip_proto;
    bool is_frag;
    Mlx5L4Type l4_type;
    uint32_t l3_off;
    uint32_t l4_off;
    uint32_t payload_off;
    uint32_t payload_len;
    uint16_t sport;         /* 0: not known beforehand */
    uint16_t dport;
    uint16_t tcp_flags;
    bool l3_ok;
    bool l4_ok;
    uint8_t cqe_l4;
} Known;

static const Known known[] = {
    { "SYN v4", tcp_v4_syn, sizeof(tcp_v4_syn), MLX5_L3_IPV4, 6, false,
      MLX5_L4_TCP, 14, 34, 74, 0, 0, 4433, 0x002, true, true, 1 },
    { "data v4", tcp_v4_data, sizeof(tcp_v4_data), MLX5_L3_IPV4, 6, false,
      MLX5_L4_TCP, 14, 34, 66, 33, 4433, 0, 0x018, true, true, 4 },
    { "SYN v6", tcp_v6_syn, sizeof(tcp_v6_syn), MLX5_L3_IPV6, 6, false,
      MLX5_L4_TCP, 14, 54, 94, 0, 0, 4433, 0x002, true, true, 1 },
    { "data v6", tcp_v6_data, sizeof(tcp_v6_data), MLX5_L3_IPV6, 6, false,
      MLX5_L4_TCP, 14, 54, 86, 33, 4433, 0, 0x018, true, true, 4 },
    { "UDP v4", udp_v4, sizeof(udp_v4), MLX5_L3_IPV4, 17, false, MLX5_L4_UDP,
      14, 34, 42, 45, 5001, 4434, 0, true, true, 2 },
    { "UDP v6", udp_v6, sizeof(udp_v6), MLX5_L3_IPV6, 17, false, MLX5_L4_UDP,
      14, 54, 62, 45, 5001, 4434, 0, true, true, 2 },
    { "UDP no checksum", udp_v4_nocsum, sizeof(udp_v4_nocsum), MLX5_L3_IPV4, 17,
      false, MLX5_L4_UDP, 14, 34, 42, 11, 0, 4434, 0, true, true, 2 },
    { "first fragment", udp_v4_frag_0, sizeof(udp_v4_frag_0), MLX5_L3_IPV4, 17,
      true, MLX5_L4_UDP, 14, 34, 42, 96, 5002, 4434, 0, true, false, 0 },
    { "last fragment", udp_v4_frag_1, sizeof(udp_v4_frag_1), MLX5_L3_IPV4, 17,
      true, MLX5_L4_NONE, 14, 0, 0, 0, 0, 0, 0, true, false, 0 },
    { "MLD", mld_v6, sizeof(mld_v6), MLX5_L3_IPV6, 58, false, MLX5_L4_NONE, 14,
      62, 0, 0, 0, 0, 0, true, false, 0 },
    { "VLAN", gso_vlan_0, sizeof(gso_vlan_0), MLX5_L3_IPV4, 6, false,
      MLX5_L4_TCP, 18, 38, 58, 64, 40000, 443, 0x090, true, true, 4 },
};

static void test_known(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        const Known *k = &known[i];
        uint8_t *frame = dup_exact(k->data, k->len);
        const uint8_t *payload;
        Mlx5Packet p;
        uint32_t n;

        g_test_message("%s", k->name);
        mlx5_parse(frame, k->len, &p);
        g_assert_cmpuint(p.len, ==, k->len);
        g_assert_cmpint(p.l3_type, ==, k->l3_type);
        g_assert_cmpuint(p.ip_proto, ==, k->ip_proto);
        g_assert_cmpint(p.is_frag, ==, k->is_frag);
        g_assert_cmpint(p.l4_type, ==, k->l4_type);
        g_assert_cmpuint(p.l2_len, ==, k->l3_off);
        g_assert_cmpuint(p.l3_off, ==, k->l3_off);
        g_assert_cmpuint(p.l4_off, ==, k->l4_off);
        g_assert_cmpuint(p.payload_off, ==, k->payload_off);
        g_assert_cmpuint(p.payload_len, ==, k->payload_len);
        g_assert_cmpuint(p.l3_end, ==, k->len);
        g_assert_false(p.l3_truncated);
        if (k->sport) {
            g_assert_cmpuint(p.sport, ==, k->sport);
        }
        if (k->dport) {
            g_assert_cmpuint(p.dport, ==, k->dport);
        }
        g_assert_cmphex(p.tcp_flags, ==, k->tcp_flags);
        g_assert_cmphex(mlx5_packet_cqe_hdr_type(&p), ==, k->cqe_l4 << 4 |
                        (k->l3_type ? 3 - k->l3_type : 0) << 2);
        g_assert_false(p.csum_checked);
        mlx5_packet_check_csum(&p, frame);
        g_assert_true(p.csum_checked);
        g_assert_cmpint(p.l3_ok, ==, k->l3_ok);
        g_assert_cmpint(p.l4_ok, ==, k->l4_ok);
        /* Checked once, whatever becomes of the bytes. */
        frame[k->l3_off] ^= 0xff;
        mlx5_packet_check_csum(&p, frame);
        g_assert_cmpint(p.l3_ok, ==, k->l3_ok);
        frame[k->l3_off] ^= 0xff;
        payload = mlx5_packet_tcp_payload(&p, frame, &n);
        if (k->cqe_l4 == 4) {
            g_assert_true(payload == frame + k->payload_off);
            g_assert_cmpuint(n, ==, k->payload_len);
        } else {
            g_assert_null(payload);
            g_assert_cmpuint(n, ==, 0);
        }
        g_free(frame);
    }
    g_assert_true(
        !memcmp(tcp_v4_data + 66, "THE QUICK BROWN FOX JUMPS OVER IT", 33));
}

static Mlx5L4Type l4_of(uint8_t proto)
{
    switch (proto) {
    case 6:
        return MLX5_L4_TCP;
    case 17:
        return MLX5_L4_UDP;
    case 50:
        return MLX5_L4_ESP;
    case 51:
        return MLX5_L4_AH;
    default:
        return MLX5_L4_NONE;
    }
}

/* What the builder put in is what the parser finds. */
static void check_spec(const FrameSpec *s, const Frame *f)
{
    bool has_l4 = s->ip && s->frag != FRAME_LATER_FRAG;
    Mlx5L4Type l4 = has_l4 ? l4_of(s->proto) : MLX5_L4_NONE;
    bool ports = l4 == MLX5_L4_TCP || l4 == MLX5_L4_UDP;
    bool spi = l4 == MLX5_L4_ESP || l4 == MLX5_L4_AH;
    size_t alen = s->ip == 4 ? 4 : 16;
    Mlx5Packet p;
    unsigned i;

    mlx5_parse(f->data, f->len, &p);
    g_assert_cmpuint(p.len, ==, f->len);
    g_assert_cmpuint(p.l2_len, ==, f->l3);
    g_assert_cmpuint(p.n_vlan, ==, s->n_vlan);
    for (i = 0; i < s->n_vlan; i++) {
        g_assert_cmphex(p.vlan_tpid[i], ==, s->tpid[i]);
        g_assert_cmphex(p.vlan_tci[i], ==, s->tci[i]);
    }
    g_assert_cmphex(p.ethertype, ==, s->ip == 4 ? 0x0800 : s->ip == 6 ? 0x86dd
                    : s->ethertype);
    g_assert_cmpint(p.is_multicast, ==, s->dst_mac[0] & 1);
    g_assert_false(p.is_broadcast);
    g_assert_cmpint(p.l3_type, ==,
                    s->ip == 4 ? MLX5_L3_IPV4 :
                    s->ip == 6 ? MLX5_L3_IPV6 :
                                 MLX5_L3_NONE);
    if (s->ip) {
        g_assert_cmpuint(p.l3_hdr_len, ==, f->l4 - f->l3);
        g_assert_cmpuint(p.l3_len, ==, f->l3_end - f->l3);
        g_assert_cmpuint(p.l3_end, ==, f->l3_end);
        g_assert_false(p.l3_truncated);
        g_assert_cmpint(p.ip_ce, ==, (s->tos & 3) == 3);
        g_assert_cmpuint(p.ip_proto, ==, s->proto);
        g_assert_cmpmem(f->data + p.src_ip_off, alen, s->src_ip, alen);
        g_assert_cmpmem(f->data + p.dst_ip_off, alen, s->dst_ip, alen);
        g_assert_cmpuint(p.pseudo_dst_off, ==, p.dst_ip_off);
        g_assert_cmpint(p.is_frag, ==, s->frag != FRAME_WHOLE);
        g_assert_cmpint(p.is_first_frag, ==, s->frag == FRAME_FIRST_FRAG);
    }
    g_assert_cmpint(p.l4_type, ==, l4);
    g_assert_cmpuint(p.l4_off, ==, has_l4 ? f->l4 : 0);
    g_assert_cmpuint(p.payload_off, ==, l4 ? f->payload : 0);
    g_assert_cmpuint(p.payload_len, ==, l4 ? s->payload_len : 0);
    g_assert_cmpuint(p.sport, ==, ports ? s->sport : 0);
    g_assert_cmpuint(p.dport, ==, ports ? s->dport : 0);
    g_assert_cmpuint(p.spi, ==, spi ? s->spi : 0);
    g_assert_cmpuint(p.tcp_seq, ==, l4 == MLX5_L4_TCP ? s->seq : 0);
    g_assert_cmpuint(p.tcp_ack, ==, l4 == MLX5_L4_TCP ? s->ack : 0);
    g_assert_cmphex(p.tcp_flags, ==, l4 == MLX5_L4_TCP ? s->tcp_flags : 0);

    mlx5_packet_check_csum(&p, f->data);
    g_assert_cmpint(p.l3_ok, ==, s->ip != 0);
    g_assert_cmpint(p.l4_ok, ==, ports && s->frag == FRAME_WHOLE &&
                    !(s->proto == 17 && s->ip == 6 && s->udp_no_csum));
}

/* What may be said about any bytes at all. */
static void check_sane(const Mlx5Packet *p, size_t len)
{
    g_assert_cmpuint(p->len, ==, len);
    g_assert_cmpuint(p->l2_len, <=, len);
    g_assert_true(p->l2_len == 0 || p->l2_len == 14 + 4u * p->n_vlan);
    if (p->l3_type) {
        g_assert_cmpuint(p->l3_off + p->l3_hdr_len, <=, p->l3_end);
        g_assert_cmpuint(p->l3_end, <=, len);
        g_assert_cmpint(p->l3_truncated, ==, p->l3_off + p->l3_len > len);
        g_assert_cmpuint(p->src_ip_off + (p->l3_type == MLX5_L3_IPV4 ? 4 : 16),
                         <=, len);
        g_assert_cmpuint(p->pseudo_dst_off, >=, p->dst_ip_off);
        g_assert_cmpuint(
            p->pseudo_dst_off + (p->l3_type == MLX5_L3_IPV4 ? 4 : 16), <=, len);
    } else {
        g_assert_cmpuint(p->l4_off, ==, 0);
    }
    if (p->l4_type) {
        g_assert_cmpuint(p->l4_off, ==, p->l3_off + p->l3_hdr_len);
        g_assert_cmpuint(p->payload_off, >=, p->l4_off + 8);
        g_assert_cmpuint(p->payload_off + p->payload_len, ==, p->l3_end);
        g_assert_true(!p->is_frag || p->is_first_frag);
    } else {
        g_assert_cmpuint(p->payload_len, ==, 0);
    }
}

/*
 * A frame cut short: layers that are still whole read as before, the others are
 * not there, and no byte behind the end is read (the address sanitizer's part).
 */
static void check_truncated(const uint8_t *data, size_t len,
                            const Mlx5Packet *full)
{
    size_t cut;

    for (cut = 0; cut < len; cut++) {
        uint8_t *frame = dup_exact(data, cut);
        Mlx5Packet p;

        mlx5_parse(frame, cut, &p);
        check_sane(&p, cut);
        g_assert_cmpint(p.l2_len != 0, ==, cut >= 14);
        if (cut >= full->l2_len) {
            g_assert_cmpuint(p.ethertype, ==, full->ethertype);
        }
        if (p.l3_type) {
            g_assert_cmpint(p.l3_type, ==, full->l3_type);
            g_assert_cmpint(p.l3_truncated, ==, cut < full->l3_end);
        }
        if (full->l3_type == MLX5_L3_IPV4) {
            g_assert_cmpint(p.l3_type != 0, ==,
                            cut >= full->l3_off + full->l3_hdr_len);
        } else if (full->l3_type == MLX5_L3_IPV6) {
            g_assert_cmpint(p.l3_type != 0, ==, cut >= full->l3_off + 40);
        }
        g_assert_cmpint(p.l4_type, ==, cut >= full->payload_off ? full->l4_type
                        : MLX5_L4_NONE);
        mlx5_packet_check_csum(&p, frame);
        g_assert_cmpint(p.l4_ok, ==, full->l4_ok && cut >= full->l3_end);
        g_free(frame);
    }
}

static void test_built(void)
{
    unsigned round;

    for (round = 0; round < 20000; round++) {
        FrameSpec s = frame_random_spec();
        Frame f = frame_build(&s);

        check_spec(&s, &f);
        frame_free(&f);
    }
}

static void test_truncated(void)
{
    unsigned round;
    Mlx5Packet p;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(known); i++) {
        mlx5_parse(known[i].data, known[i].len, &p);
        mlx5_packet_check_csum(&p, known[i].data);
        check_truncated(known[i].data, known[i].len, &p);
    }
    for (round = 0; round < 300; round++) {
        FrameSpec s = frame_random_spec();
        Frame f = frame_build(&s);

        mlx5_parse(f.data, f.len, &p);
        mlx5_packet_check_csum(&p, f.data);
        check_truncated(f.data, f.len, &p);
        frame_free(&f);
    }
}

/* Good packets with bytes changed, and nothing but noise. */
static void test_noise(void)
{
    unsigned round;

    for (round = 0; round < 100000; round++) {
        FrameSpec s = frame_random_spec();
        Frame f = frame_build(&s);
        unsigned changes = (unsigned)frame_pick(1, 2, 3, 8, 40);
        size_t len = (size_t)g_test_rand_int_range(0, (int)f.len + 1);
        uint8_t *frame = dup_exact(f.data, len);
        Mlx5Packet p;

        while (changes-- && len) {
            size_t at = (size_t)g_test_rand_int_range(0, (int)MIN(len, 100));

            frame[at] =
                (uint8_t)frame_pick(0, 1, 4, 6, 17, 43, 44, 60, 0x45, 0x60,
                                    0x81, 0xff, g_test_rand_int() & 0xff);
        }
        mlx5_parse(frame, len, &p);
        check_sane(&p, len);
        mlx5_packet_check_csum(&p, frame);
        mlx5_packet_cqe_hdr_type(&p);
        mlx5_parse_headers(frame, len, &p);
        g_assert_cmpuint(p.len, ==, len);
        g_free(frame);
        frame_free(&f);
    }
}

/* One byte changed in an otherwise good packet, and what is left of it. */
typedef struct Malformed {
    const char *what;
    const uint8_t *data;
    size_t len;
    size_t at;
    uint8_t value;
    Mlx5L3Type l3_type;
    Mlx5L4Type l4_type;
    bool truncated;
} Malformed;

#define BAD(what, v, at, value, l3, l4, truncated) \
    { what, v, sizeof(v), at, value, l3, l4, truncated }

static const Malformed malformed[] = {
    BAD("IPv4 of version 5", tcp_v4_data, 14, 0x55, MLX5_L3_NONE, MLX5_L4_NONE,
        false),
    BAD("IPv4 of version 6", tcp_v4_data, 14, 0x65, MLX5_L3_NONE, MLX5_L4_NONE,
        false),
    BAD("ihl 4", tcp_v4_data, 14, 0x44, MLX5_L3_NONE, MLX5_L4_NONE, false),
    BAD("ihl 0", tcp_v4_data, 14, 0x40, MLX5_L3_NONE, MLX5_L4_NONE, false),
    BAD("ihl of more than a short packet has", udp_v4_nocsum, 14, 0x4f,
        MLX5_L3_NONE, MLX5_L4_NONE, false),
    BAD("total length 19", tcp_v4_data, 17, 19, MLX5_L3_NONE, MLX5_L4_NONE,
        false),
    BAD("total length 20", tcp_v4_data, 17, 20, MLX5_L3_IPV4, MLX5_L4_NONE,
        false),
    BAD("total length cuts TCP options", tcp_v4_data, 17, 51, MLX5_L3_IPV4,
        MLX5_L4_NONE, false),
    BAD("total length cuts nothing but payload", tcp_v4_data, 17, 52,
        MLX5_L3_IPV4, MLX5_L4_TCP, false),
    BAD("total length beyond the frame", tcp_v4_data, 16, 0x7f, MLX5_L3_IPV4,
        MLX5_L4_TCP, true),
    BAD("TCP data offset 4", tcp_v4_data, 34 + 12, 0x40, MLX5_L3_IPV4,
        MLX5_L4_NONE, false),
    BAD("TCP data offset 0", tcp_v4_data, 34 + 12, 0x00, MLX5_L3_IPV4,
        MLX5_L4_NONE, false),
    BAD("TCP data offset beyond the packet", tcp_v4_syn, 34 + 12, 0xf0,
        MLX5_L3_IPV4, MLX5_L4_NONE, false),
    BAD("IPv6 of version 4", tcp_v6_data, 14, 0x46, MLX5_L3_NONE, MLX5_L4_NONE,
        false),
    BAD("IPv6 payload length 7", udp_v6, 19, 7, MLX5_L3_IPV6, MLX5_L4_NONE,
        false),
    BAD("IPv6 payload length 8", udp_v6, 19, 8, MLX5_L3_IPV6, MLX5_L4_UDP,
        false),
    BAD("IPv6 payload length beyond the frame", udp_v6, 18, 1, MLX5_L3_IPV6,
        MLX5_L4_UDP, true),
    BAD("IPv6 options longer than the packet", mld_v6, 14 + 40 + 1, 0xff,
        MLX5_L3_IPV6, MLX5_L4_NONE, false),
    BAD("IPv6 no next header", tcp_v6_data, 20, 59, MLX5_L3_IPV6, MLX5_L4_NONE,
        false),
};

static void test_malformed(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(malformed); i++) {
        const Malformed *m = &malformed[i];
        uint8_t *frame = dup_exact(m->data, m->len);
        Mlx5Packet p;

        g_test_message("%s", m->what);
        frame[m->at] = m->value;
        mlx5_parse(frame, m->len, &p);
        check_sane(&p, m->len);
        g_assert_cmpint(p.l3_type, ==, m->l3_type);
        g_assert_cmpint(p.l4_type, ==, m->l4_type);
        g_assert_cmpint(p.l3_truncated, ==, m->truncated);
        mlx5_packet_check_csum(&p, frame);
        g_assert_false(p.l4_ok);
        g_free(frame);
    }
}

/*
 * A chain of extension headers ends at the named limit, whatever it goes on
 * with.
 */
static void test_ext_limit(void)
{
    unsigned n;

    for (n = 6; n <= 12; n++) {
        GByteArray *b = g_byte_array_new();
        Mlx5Packet p;
        unsigned i;

        frame_put(b, 6, 0x0211223344);
        frame_put(b, 6, 0x0255667788);
        frame_put(b, 2, 0x86dd);
        frame_put(b, 4, 0x60000000);
        frame_put(b, 2, n * 8 + 8);
        frame_put(b, 2, 60 << 8 | 64);
        for (i = 0; i < 32; i++) {
            frame_put(b, 1, i);
        }
        for (i = 0; i < n; i++) {
            frame_put(b, 8, (uint64_t)(i + 1 < n ? 60 : 17) << 56);
        }
        frame_put(b, 8, 0x0001000200080000);
        mlx5_parse(b->data, b->len, &p);
        g_assert_cmpint(p.l3_type, ==, MLX5_L3_IPV6);
        g_assert_cmpint(p.l4_type, ==,
                        n <= MLX5_PARSE_MAX_EXT_HDRS ? MLX5_L4_UDP :
                                                       MLX5_L4_NONE);
        g_byte_array_free(b, TRUE);
    }
}

/*
 * An IPv6 fragment header with offset 0 and nothing to follow is a whole
 * packet.
 */
static void test_atomic_fragment(void)
{
    FrameSpec s = {
        .ip = 6,
        .proto = 6,
        .payload_len = 5,
        .frag = FRAME_FIRST_FRAG,
        .sport = 1,
    };
    Frame f = frame_build(&s);
    Mlx5Packet p;

    f.data[f.l3 + 40 + 3] = 0;
    mlx5_parse(f.data, f.len, &p);
    g_assert_false(p.is_frag);
    g_assert_cmpint(p.l4_type, ==, MLX5_L4_TCP);
    g_assert_cmphex(mlx5_packet_cqe_hdr_type(&p), ==, 1 << 4 | 1 << 2);
    frame_free(&f);
}

/* Each single bit error under a checksum is seen, and only there. */
static void test_bit_errors(void)
{
    static const size_t which[] = { 1, 3, 4, 5, 10 };   /* of known[] */
    size_t w, at;
    unsigned bit;

    for (w = 0; w < G_N_ELEMENTS(which); w++) {
        const Known *k = &known[which[w]];
        size_t len = k->len + 6;
        uint8_t *frame = g_malloc(len);

        for (at = 0; at < len; at++) {
            for (bit = 0; bit < 8; bit++) {
                bool ip_addr, in_ipv4, in_l4;
                Mlx5Packet p;

                memcpy(frame, k->data, k->len);
                memset(frame + k->len, 0x33, 6);
                frame[at] ^= 1 << bit;
                mlx5_parse(frame, len, &p);
                mlx5_packet_check_csum(&p, frame);
                in_ipv4 = k->l3_type == MLX5_L3_IPV4 && at >= k->l3_off &&
                          at < k->l4_off;
                ip_addr = k->l3_type == MLX5_L3_IPV6 && at >= k->l3_off + 8 &&
                          at < k->l4_off;
                in_l4 = at >= k->l4_off && at < k->len;
                if (at >= k->len || at < 12) {
                    g_assert_true(p.l3_ok && p.l4_ok);
                } else if (in_ipv4) {
                    g_assert_false(p.l3_ok || p.l4_ok);
                } else if (in_l4 || ip_addr) {
                    g_assert_true(p.l3_ok);
                    g_assert_false(p.l4_ok);
                }
            }
        }
        g_free(frame);
    }
}

static void test_udp_checksum_zero(void)
{
    FrameSpec s = { .proto = 17, .udp_no_csum = true, .payload_len = 9 };

    for (s.ip = 4; s.ip <= 6; s.ip += 2) {
        Frame f = frame_build(&s);
        Mlx5Packet p;

        mlx5_parse(f.data, f.len, &p);
        mlx5_packet_check_csum(&p, f.data);
        g_assert_true(p.l3_ok);
        g_assert_cmpint(p.l4_ok, ==, s.ip == 4);
        frame_free(&f);
    }
}

static void test_cqe_hdr_type(void)
{
    static const struct {
        uint8_t proto;
        uint16_t flags;
        unsigned payload_len;
        FrameFrag frag;
        uint8_t l4;
    } rows[] = {
        { 6, MLX5_TCP_SYN, 0, FRAME_WHOLE, 1 },
        { 6, MLX5_TCP_PSH, 10, FRAME_WHOLE, 1 },
        { 6, MLX5_TCP_ACK, 0, FRAME_WHOLE, 3 },
        { 6, MLX5_TCP_ACK | MLX5_TCP_FIN, 0, FRAME_WHOLE, 3 },
        { 6, MLX5_TCP_ACK, 1, FRAME_WHOLE, 4 },
        { 6, MLX5_TCP_ACK, 16, FRAME_FIRST_FRAG, 0 },
        { 6, MLX5_TCP_ACK, 16, FRAME_LATER_FRAG, 0 },
        { 17, 0, 3, FRAME_WHOLE, 2 },
        { 17, 0, 16, FRAME_FIRST_FRAG, 0 },
        { 1, 0, 3, FRAME_WHOLE, 0 },
        { 50, 0, 3, FRAME_WHOLE, 0 },
    };
    size_t i;
    int ip;

    for (ip = 4; ip <= 6; ip += 2) {
        for (i = 0; i < G_N_ELEMENTS(rows); i++) {
            FrameSpec s = {
                .ip = ip,
                .proto = rows[i].proto,
                .tcp_flags = rows[i].flags,
                .payload_len = rows[i].payload_len,
                .frag = rows[i].frag,
                .pad = 9,
            };
            Frame f = frame_build(&s);
            Mlx5Packet p;

            mlx5_parse(f.data, f.len, &p);
            g_assert_cmphex(mlx5_packet_cqe_hdr_type(&p), ==,
                            rows[i].l4 << 4 | (ip == 4 ? 2 : 1) << 2);
            frame_free(&f);
        }
    }
}

static void test_addresses(void)
{
    static const struct {
        uint8_t mac[6];
        bool multicast, broadcast;
    } rows[] = {
        { { 0x02, 0xff, 0xff, 0xff, 0xff, 0xff }, false, false },
        { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0x01 }, true, false },
        { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe }, true, false },
        { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, true, true },
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        FrameSpec s = { .ethertype = 0x0806, .payload_len = 4 };
        Mlx5Packet p;
        Frame f;

        memcpy(s.dst_mac, rows[i].mac, 6);
        f = frame_build(&s);
        mlx5_parse(f.data, f.len, &p);
        g_assert_cmpint(p.is_multicast, ==, rows[i].multicast);
        g_assert_cmpint(p.is_broadcast, ==, rows[i].broadcast);
        frame_free(&f);
    }
}

/* Inline headers of an LSO WQE: the IP length says nothing. */
static void test_headers(void)
{
    unsigned round;

    for (round = 0; round < 5000; round++) {
        FrameSpec s = frame_random_spec();
        uint16_t lie =
            (uint16_t)frame_pick(0, 1, 0xffff, g_test_rand_int() & 0xffff);
        Mlx5Packet p;
        Frame f;

        s.ip = frame_pick(4, 6);
        s.proto = (uint8_t)frame_pick(6, 17);
        s.frag = FRAME_WHOLE;
        s.payload_len = 0;
        s.pad = 0;
        f = frame_build(&s);
        f.data[f.l3 + (s.ip == 4 ? 2 : 4)] = (uint8_t)(lie >> 8);
        f.data[f.l3 + (s.ip == 4 ? 3 : 5)] = (uint8_t)lie;
        mlx5_parse_headers(f.data, f.len, &p);
        g_assert_cmpint(p.l4_type, ==, l4_of(s.proto));
        g_assert_cmpuint(p.l4_off, ==, f.l4);
        g_assert_cmpuint(p.payload_off, ==, f.len);
        g_assert_cmpuint(p.payload_len, ==, 0);
        g_assert_cmpuint(p.l3_end, ==, f.len);
        g_assert_false(p.l3_truncated);
        frame_free(&f);
    }
}

/*
 * Headers here, payload elsewhere: judged by the whole length, read up to
 * `have`.
 */
static void test_prefix(void)
{
    size_t have;

    for (have = 0; have <= sizeof(tcp_v4_data); have++) {
        uint8_t *frame = dup_exact(tcp_v4_data, have);
        Mlx5Packet p;

        mlx5_parse_prefix(frame, have, sizeof(tcp_v4_data), &p);
        g_assert_cmpuint(p.len, ==, sizeof(tcp_v4_data));
        g_assert_cmpint(p.l4_type, ==, have >= 66 ? MLX5_L4_TCP : MLX5_L4_NONE);
        g_assert_cmpint(p.l3_type, ==,
                        have >= 34 ? MLX5_L3_IPV4 : MLX5_L3_NONE);
        g_assert_cmpuint(p.payload_len, ==, have >= 66 ? 33 : 0);
        g_assert_false(p.l3_truncated);
        g_free(frame);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/parse/known", test_known);
    g_test_add_func("/parse/built", test_built);
    g_test_add_func("/parse/truncated", test_truncated);
    g_test_add_func("/parse/noise", test_noise);
    g_test_add_func("/parse/malformed", test_malformed);
    g_test_add_func("/parse/ext-limit", test_ext_limit);
    g_test_add_func("/parse/atomic-fragment", test_atomic_fragment);
    g_test_add_func("/parse/addresses", test_addresses);
    g_test_add_func("/parse/headers", test_headers);
    g_test_add_func("/parse/prefix", test_prefix);
    g_test_add_func("/parse/cqe-hdr-type", test_cqe_hdr_type);
    g_test_add_func("/parse/csum/bit-errors", test_bit_errors);
    g_test_add_func("/parse/csum/udp-zero", test_udp_checksum_zero);
    return g_test_run();
}
