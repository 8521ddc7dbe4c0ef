/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a frame is passed through parser, checksums, segmentation, RSS
 * and VLAN helpers, and invariants that hold for any bytes are checked. Input:
 * the frame; its first two bytes, which the code under test ignores, also
 * select variants. Owns no state.
 */
#include <string.h>

#include "csum.h"
#include "rss.h"
#include "segment.h"
#include "fuzz.h"
#include "../unit/net-vectors.h"

/* TCP over IPv4 with five bytes, in VXLAN, in GRE with a key, in IP. */
static const uint8_t in_vxlan[] = {
    0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x5f, 0x00, 0x01, 0x40, 0x00, 0x40, 0x11,
    0x26, 0x8b, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0xc3, 0x50,
    0x12, 0xb5, 0x00, 0x4b, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x64, 0x00, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x02, 0x11, 0x22, 0x33,
    0x44, 0x55, 0x08, 0x00, 0x45, 0x00, 0x00, 0x2d, 0x00, 0x01, 0x40, 0x00,
    0x40, 0x06, 0x26, 0xc8, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02,
    0x9c, 0x40, 0x01, 0xbb, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02,
    0x50, 0x18, 0x00, 0x64, 0x00, 0x00, 0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c,
    0x6f,
};

static const uint8_t in_gre[] = {
    0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x49, 0x00, 0x01, 0x40, 0x00, 0x40, 0x2f,
    0x26, 0x83, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0x20, 0x00,
    0x08, 0x00, 0xfe, 0xed, 0xbe, 0xef, 0x45, 0x00, 0x00, 0x2d, 0x00, 0x01,
    0x40, 0x00, 0x40, 0x06, 0x26, 0xc8, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00,
    0x00, 0x02, 0x9c, 0x40, 0x01, 0xbb, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
    0x00, 0x02, 0x50, 0x18, 0x00, 0x64, 0x00, 0x00, 0x00, 0x00, 0x68, 0x65,
    0x6c, 0x6c, 0x6f,
};

static const uint8_t in_ip[] = {
    0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55,
    0x08, 0x00, 0x45, 0x00, 0x00, 0x41, 0x00, 0x01, 0x40, 0x00, 0x40, 0x04,
    0x26, 0xb6, 0x0a, 0x00, 0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0x45, 0x00,
    0x00, 0x2d, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x26, 0xc8, 0x0a, 0x00,
    0x00, 0x01, 0x0a, 0x00, 0x00, 0x02, 0x9c, 0x40, 0x01, 0xbb, 0x00, 0x00,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x50, 0x18, 0x00, 0x64, 0x00, 0x00,
    0x00, 0x00, 0x68, 0x65, 0x6c, 0x6c, 0x6f,
};

#define SEED(v) { v, sizeof(v) }

const FuzzSeed fuzz_seeds[] = {
    SEED(tcp_v4_syn), SEED(tcp_v4_data), SEED(tcp_v6_syn), SEED(tcp_v6_data),
    SEED(udp_v4), SEED(udp_v6), SEED(udp_v4_nocsum), SEED(udp_v4_frag_0),
    SEED(udp_v4_frag_1), SEED(mld_v6), SEED(gso_vlan_0), SEED(gso_tcp6_0),
    SEED(gso_udp6_0), SEED(gso_tcp4_hdr), SEED(in_vxlan), SEED(in_gre),
    SEED(in_ip),
};
const size_t fuzz_n_seeds = sizeof(fuzz_seeds) / sizeof(fuzz_seeds[0]);

static void check_packet(const Mlx5Packet *p, size_t len)
{
    uint32_t alen = p->l3_type == MLX5_L3_IPV4 ? 4 : 16;

    FUZZ_CHECK(p->len == len && p->l2_off + p->l2_len <= len);
    if (p->l3_type) {
        FUZZ_CHECK(p->l3_off == p->l2_off + p->l2_len);
        FUZZ_CHECK(p->l3_off + p->l3_hdr_len <= p->l3_end && p->l3_end <= len);
        FUZZ_CHECK(p->src_ip_off + alen <= len &&
                   p->pseudo_dst_off + alen <= len);
    }
    if (p->l4_type) {
        FUZZ_CHECK(p->l3_type && p->l4_off >= p->l3_off + 20);
        FUZZ_CHECK(p->payload_off > p->l4_off);
        FUZZ_CHECK(p->payload_off + p->payload_len == p->l3_end);
    }
    FUZZ_CHECK(!p->l4_ok || (p->l3_ok && !p->is_frag && !p->l3_truncated));
}

/*
 * Checks that filled-in checksums are accepted, and are the same for one piece
 * or two.
 */
static void check_fill(const uint8_t *frame, size_t len, size_t cut)
{
    uint8_t *a = malloc(len + 1), *b = malloc(cut + 1);
    struct iovec rest = { (void *)(frame + cut), len - cut };
    Mlx5CsumDone whole, pieces;
    Mlx5Packet p;

    FUZZ_CHECK(a && b);
    memcpy(a, frame, len);
    memcpy(b, frame, cut);
    whole = mlx5_csum_fill(a, len, true, true);
    pieces = mlx5_csum_fill_iov(b, cut, &rest, 1, true, true);
    mlx5_parse(a, len, &p);
    mlx5_packet_check_csum(&p, a);
    FUZZ_CHECK(!(whole & MLX5_ETH_WQE_L3_CSUM) || p.l3_ok);
    FUZZ_CHECK(!(whole & MLX5_ETH_WQE_L4_CSUM) || p.l4_ok || !p.l3_ok);
    FUZZ_CHECK(!(pieces & ~whole));
    if (pieces == whole) {
        FUZZ_CHECK(!memcmp(a, b, cut) &&
                   !memcmp(a + cut, frame + cut, len - cut));
    }
    free(a);
    free(b);
}

static void check_vlan(const uint8_t *frame, size_t len)
{
    uint8_t *buf = malloc(len + MLX5_VLAN_HLEN);
    size_t n;

    FUZZ_CHECK(buf);
    memcpy(buf, frame, len);
    n = mlx5_vlan_insert(buf, len, len + MLX5_VLAN_HLEN, MLX5_ETH_P_8021Q,
                         0x6123);
    FUZZ_CHECK(n == (len < MLX5_ETH_HLEN ? 0 : len + MLX5_VLAN_HLEN));
    if (n) {
        FUZZ_CHECK(!memcmp(buf, frame, 12));
        FUZZ_CHECK(!memcmp(buf + 12, "\x81\x00\x61\x23", MLX5_VLAN_HLEN));
        FUZZ_CHECK(!memcmp(buf + 12 + MLX5_VLAN_HLEN, frame + 12, len - 12));
    }
    free(buf);
}

/*
 * Checks that every segment is a complete packet with good checksums, and
 * nothing is lost.
 */
static void check_segments(const uint8_t *frame, size_t len, size_t hdr_len,
                           uint32_t mss)
{
    uint32_t payload_len = (uint32_t)(len - hdr_len), at = 0;
    struct iovec iov[2];
    Mlx5Segment s;
    size_t n;

    if (mlx5_segment_init(&s, frame, hdr_len, payload_len, mss) !=
        MLX5_SEGMENT_OK) {
        return;
    }
    while ((n = mlx5_segment_next(&s, frame + hdr_len, iov))) {
        uint8_t *out = malloc(n);
        Mlx5Packet p;

        FUZZ_CHECK(out && n == iov[0].iov_len + iov[1].iov_len);
        FUZZ_CHECK(iov[1].iov_len <= mss);
        memcpy(out, iov[0].iov_base, iov[0].iov_len);
        if (iov[1].iov_len) {
            memcpy(out + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
        }
        mlx5_parse(out, n, &p);
        mlx5_packet_check_csum(&p, out);
        FUZZ_CHECK(p.l3_ok && p.l4_ok && p.l3_end == n);
        FUZZ_CHECK(p.payload_len == iov[1].iov_len);
        at += p.payload_len;
        free(out);
    }
    FUZZ_CHECK(at == payload_len);
}

/* The packet in a tunnel, as the parser or as a WQE's offsets find it. */
static void check_inner(const uint8_t *frame, size_t len, size_t hdr_len,
                        uint32_t mss)
{
    Mlx5VxlanPorts ports = { .n = 2, .port = { 8472, 4789 } };
    uint8_t *a = malloc(len + 1);
    Mlx5Swp swp = { 7, 17, 25, 35, (uint8_t)mss };
    Mlx5Packet outer, inner;
    struct iovec iov[2];
    Mlx5Segment s;
    size_t n;

    FUZZ_CHECK(a);
    memcpy(a, frame, len);
    mlx5_parse(a, len, &outer);
    if (mlx5_parse_inner(a, len, &outer, &ports, &inner)) {
        FUZZ_CHECK(inner.l2_off >= outer.l3_off + 20);
        FUZZ_CHECK(!inner.l3_type || inner.l3_end <= outer.l3_end);
        check_packet(&inner, len);
        mlx5_csum_fill_packet(a, &inner, true, true);
        mlx5_packet_check_csum(&inner, a);
        FUZZ_CHECK(!inner.l3_type || inner.l3_ok);
        mlx5_packet_check_csum(&outer, a);
        mlx5_packet_tunnel_csum_ok(&outer, a);
    }
    if (mlx5_parse_swp(a, len, &swp, &outer, &inner)) {
        FUZZ_CHECK(inner.l3_off == 50 && inner.l4_off == 70);
        FUZZ_CHECK(inner.payload_off + inner.payload_len <= len);
        mlx5_csum_fill_packet(a, &inner, true, true);
    }
    memcpy(a, frame, len);
    mlx5_parse_headers(a, hdr_len, &outer);
    if (mlx5_parse_inner(a, hdr_len, &outer, &ports, &inner) &&
        mlx5_segment_init_inner(&s, a, hdr_len, &outer, &inner,
                                (uint32_t)(len - hdr_len), mss) ==
        MLX5_SEGMENT_OK) {
        while ((n = mlx5_segment_next(&s, a + hdr_len, iov))) {
            FUZZ_CHECK(n == iov[0].iov_len + iov[1].iov_len);
            FUZZ_CHECK(iov[1].iov_len <= mss);
        }
    }
    free(a);
}

static void check_rss(const Mlx5Packet *p, const uint8_t *frame, uint8_t choice)
{
    Mlx5RssParams params = {
        .rx_hash_fn = choice % 3,
        .rx_hash_symmetric = choice & 0x10,
        .l3_prot_type = choice >> 5 & 1,
        .l4_prot_type = choice >> 6 & 1,
        .selected_fields = choice & 0x80 ? 0x13 : choice & 0xf,
        .rx_hash_toeplitz_key = { 1, 2, 3, 4, 5, 6, 7, 8, 9 },
    };
    Mlx5RssResult r;

    FUZZ_CHECK(mlx5_rss_check(&params) == MLX5_RSS_OK);
    mlx5_rss_hash(&params, p, frame, &r);
    FUZZ_CHECK(!(r.rss_hash_type & 0x33));
    FUZZ_CHECK(r.rss_hash_type || !r.rx_hash_result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *frame = data;
    size_t len = size, cut;
    Mlx5Packet p;

    if (size < 2) {
        return 0;
    }
    cut = (data[0] << 8 | data[1]) % (len + 1);

    mlx5_parse(frame, len, &p);
    check_packet(&p, len);
    mlx5_packet_check_csum(&p, frame);
    check_packet(&p, len);
    FUZZ_CHECK((mlx5_packet_cqe_hdr_type(&p) & 0x83) == 0);
    mlx5_csum_cqe_full(frame, len);
    check_rss(&p, frame, data[0]);
    check_fill(frame, len, cut);
    check_vlan(frame, len);
    check_segments(frame, len, cut, data[1]);
    check_inner(frame, len, cut, data[1]);
    if (p.l4_type) {
        check_segments(frame, len, p.payload_off, 1u + data[0]);
        check_fill(frame, len, p.payload_off);
    }
    mlx5_parse_prefix(frame, cut, len, &p);
    check_packet(&p, len);
    mlx5_parse_headers(frame, len, &p);
    check_packet(&p, len);
    return 0;
}
