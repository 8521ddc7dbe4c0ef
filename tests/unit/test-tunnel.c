/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of what the engine makes of packets in tunnels: parser, checksums,
 * segmentation, RSS, steering. Second opinion: tunnel-frame.h. Owns no state.
 */
#include <glib.h>
#include <string.h>

#include "csum.h"
#include "rss.h"
#include "segment.h"
#include "tunnel-frame.h"
#include "steering-util.h"

static const Mlx5VxlanPorts ports = { .n = 2, .port = { 8472, 4789 } };

/* Calls @test for each kind, outer IP, inner IP, inner protocol. */
static void for_each(void (*test)(TunnelKind kind, const FrameSpec *outer,
                                  const FrameSpec *inner))
{
    unsigned kind, i;

    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        for (i = 0; i < 8; i++) {
            FrameSpec outer = tunnel_outer(i & 1 ? 6 : 4);
            FrameSpec inner = tunnel_inner(i & 2 ? 6 : 4, i & 4 ? 17 : 6, 100);

            g_test_message("kind %u, IPv%d over IPv%d, protocol %u", kind,
                           inner.ip, outer.ip, inner.proto);
            test(kind, &outer, &inner);
        }
    }
}

static bool parse(const TunnelFrame *t, Mlx5Packet *outer, Mlx5Packet *inner)
{
    mlx5_parse(t->f.data, t->f.len, outer);
    return mlx5_packet_may_tunnel(outer, &ports) &&
           mlx5_parse_inner(t->f.data, t->f.len, outer, &ports, inner);
}

/* --------------------------------------------------------------- parser --- */

/* The inner packet is the one that it is by itself, at another place. */
static void check_same(const TunnelFrame *t, const Mlx5Packet *got)
{
    Mlx5Packet want;

    mlx5_parse(t->inner.data, t->inner.len, &want);
    want.len = t->f.len;
    want.l2_off = t->has_l2 ? t->shift : t->shift + want.l3_off;
    want.l3_off += t->shift;
    want.l3_end += t->shift;
    want.src_ip_off += t->shift;
    want.dst_ip_off += t->shift;
    want.pseudo_dst_off += t->shift;
    want.l4_off += t->shift;
    want.payload_off += t->shift;
    if (!t->has_l2) {
        want.l2_len = 0;
    }
    g_assert_cmpmem(got, sizeof(*got), &want, sizeof(want));
}

static void parse_one(TunnelKind kind, const FrameSpec *outer,
                      const FrameSpec *inner)
{
    TunnelFrame t = tunnel_build(kind, outer, inner);
    Mlx5Packet out, in;
    size_t len;

    g_assert_true(parse(&t, &out, &in));
    check_same(&t, &in);
    /* Of less than all, nothing is read that is not there. */
    for (len = 0; len < t.f.len; len++) {
        uint8_t *part = dup_exact(t.f.data, len);

        mlx5_parse(part, len, &out);
        if (mlx5_parse_inner(part, len, &out, &ports, &in)) {
            g_assert_cmpuint(in.l2_off, <=, len);
            g_assert_cmpuint(in.l3_end, <=, len);
            g_assert_cmpuint(in.payload_off + in.payload_len, <=, len);
        }
        g_free(part);
    }
    tunnel_free(&t);
}

static void test_parse(void)
{
    for_each(parse_one);
}

/* Changes byte @at of layer 4 of such a packet; is it still a tunnel? */
static bool still_tunnel(TunnelKind kind, size_t at, uint8_t v)
{
    FrameSpec outer = tunnel_outer(4), inner = tunnel_inner(4, 6, 10);
    TunnelFrame t = tunnel_build(kind, &outer, &inner);
    Mlx5Packet out, in;
    bool is;

    g_assert_true(parse(&t, &out, &in));
    t.f.data[t.f.l4 + at] = v;
    is = parse(&t, &out, &in);
    tunnel_free(&t);
    return is;
}

/* What only looks like a tunnel. */
static void test_no_tunnel(void)
{
    FrameSpec tcp = tunnel_inner(4, 6, 10), outer = tunnel_outer(4);
    FrameSpec inner = tunnel_inner(4, 6, 10);
    Mlx5Packet out, in;
    TunnelFrame t;
    Frame f;

    g_assert_false(still_tunnel(TUNNEL_VXLAN, 3, 0));   /* another port */
    g_assert_false(still_tunnel(TUNNEL_VXLAN, 8, 0));   /* no VNI */
    g_assert_true(still_tunnel(TUNNEL_VXLAN, 9, 1));    /* reserved */
    g_assert_false(still_tunnel(TUNNEL_GRE, 1, 1));     /* version 1: PPTP */
    g_assert_false(still_tunnel(TUNNEL_GRE, 0, 0x40));  /* routing */
    g_assert_false(still_tunnel(TUNNEL_GRE, 2, 0x88));  /* carries MPLS */
    /* TCP to that port */
    tcp.dport = TUNNEL_VXLAN_PORT;
    f = frame_build(&tcp);
    mlx5_parse(f.data, f.len, &out);
    g_assert_false(mlx5_packet_may_tunnel(&out, &ports));
    g_assert_false(mlx5_parse_inner(f.data, f.len, &out, &ports, &in));
    frame_free(&f);
    /* fragments */
    outer.frag = FRAME_FIRST_FRAG;
    t = tunnel_build(TUNNEL_IP, &outer, &inner);
    g_assert_false(parse(&t, &out, &in));
    tunnel_free(&t);
    outer.frag = FRAME_LATER_FRAG;
    t = tunnel_build(TUNNEL_IP, &outer, &inner);
    g_assert_false(parse(&t, &out, &in));
    tunnel_free(&t);
}

/* The inner packet ends where the outer one does, whatever it says itself. */
static void test_confined(void)
{
    FrameSpec outer = tunnel_outer(4), inner = tunnel_inner(4, 6, 100);
    TunnelFrame t;
    Mlx5Packet out, in;

    outer.pad = 50;
    t = tunnel_build(TUNNEL_IP, &outer, &inner);
    t.f.data[t.f.payload + 3] += 20;
    g_assert_true(parse(&t, &out, &in));
    g_assert_true(in.l3_truncated);
    g_assert_cmpuint(in.l3_end, ==, t.f.l3_end);
    tunnel_free(&t);
}

/* ------------------------------------------------------ software parser --- */

/* GENEVE with an option, which only the WQE's offsets make known. */
static void swp_one(TunnelKind kind, const FrameSpec *outer,
                    const FrameSpec *inner)
{
    TunnelFrame t = tunnel_build(kind, outer, inner);
    Mlx5Packet out, in;
    Mlx5Swp swp = {
        .outer_l3_offset = t.f.l3 / 2,
        .inner_l3_offset = (t.inner.l3 + t.shift) / 2,
        .inner_l4_offset = (t.inner.l4 + t.shift) / 2,
        .flags = (outer->ip == 6 ? MLX5_SWP_OUTER_L3_IPV6 : 0) |
                 (inner->ip == 6 ? MLX5_SWP_INNER_L3_IPV6 : 0) |
                 (inner->proto == 17 ? MLX5_SWP_INNER_L4_UDP : 0),
    };
    Mlx5Packet was;

    mlx5_parse(t.f.data, t.f.len, &out);
    swp.outer_l4_offset = out.l4_type == MLX5_L4_UDP ? t.f.l4 / 2 : 0;
    swp.flags |= out.l4_type == MLX5_L4_UDP ? MLX5_SWP_OUTER_L4_UDP : 0;
    was = out;
    g_assert_true(mlx5_parse_swp(t.f.data, t.f.len, &swp, &out, &in));
    g_assert_cmpmem(&out, sizeof(out), &was, sizeof(was));
    g_assert_cmpuint(in.l3_off, ==, t.inner.l3 + t.shift);
    g_assert_cmpuint(in.l4_off, ==, t.inner.l4 + t.shift);
    g_assert_cmpuint(in.payload_off, ==, t.inner.payload + t.shift);
    g_assert_cmpuint(in.l3_end, ==, t.inner.l3_end + t.shift);
    g_assert_cmpuint(in.l4_type, ==,
                     inner->proto == 6 ? MLX5_L4_TCP : MLX5_L4_UDP);
    /* Offsets that lead nowhere are refused. */
    swp.inner_l3_offset++;
    g_assert_false(mlx5_parse_swp(t.f.data, t.f.len, &swp, &out, &in));
    swp.inner_l3_offset = 255;
    g_assert_false(mlx5_parse_swp(t.f.data, t.f.len, &swp, &out, &in));
    swp.inner_l3_offset = (t.inner.l3 + t.shift) / 2;
    swp.inner_l4_offset = swp.inner_l3_offset + 5;
    g_assert_false(mlx5_parse_swp(t.f.data, t.f.len, &swp, &out, &in));
    swp.inner_l4_offset = 255;
    g_assert_false(mlx5_parse_swp(t.f.data, t.f.len, &swp, &out, &in));
    tunnel_free(&t);
}

static void test_swp(void)
{
    for_each(swp_one);
}

/* ------------------------------------------------------------ checksums --- */

static void csum_one(TunnelKind kind, const FrameSpec *outer,
                     const FrameSpec *inner)
{
    TunnelFrame t = tunnel_build(kind, outer, inner);
    size_t l3 = t.inner.l3 + t.shift, l4 = t.inner.l4 + t.shift;
    size_t at = l4 + (inner->proto == 6 ? 16 : 6);
    uint8_t *was = dup_exact(t.f.data, t.f.len);
    Mlx5CsumDone want = MLX5_ETH_WQE_L4_CSUM;
    Mlx5Packet out, in;

    g_assert_true(parse(&t, &out, &in));
    mlx5_packet_check_csum(&out, t.f.data);
    mlx5_packet_check_csum(&in, t.f.data);
    g_assert_true(out.l3_ok && in.l3_ok && in.l4_ok);
    g_assert_true(mlx5_packet_tunnel_csum_ok(&out, t.f.data));
    /* Filled in, they are what they were. */
    t.f.data[at] ^= 0x5a;
    if (inner->ip == 4) {
        t.f.data[l3 + 10] ^= 0xa5;
        want |= MLX5_ETH_WQE_L3_CSUM;
    }
    g_assert_true(parse(&t, &out, &in));
    g_assert_cmphex(mlx5_csum_fill_packet(t.f.data, &in, true, true), ==, want);
    g_assert_cmpmem(t.f.data, t.f.len, was, t.f.len);
    /* A wrong byte inside is found by each checksum that covers it. */
    t.f.data[t.f.l3_end - 1] ^= 1;
    g_assert_true(parse(&t, &out, &in));
    mlx5_packet_check_csum(&out, t.f.data);
    mlx5_packet_check_csum(&in, t.f.data);
    g_assert_true(in.l3_ok && !in.l4_ok);
    g_assert_cmpint(mlx5_packet_tunnel_csum_ok(&out, t.f.data), ==,
                    kind != TUNNEL_VXLAN_CSUM && kind != TUNNEL_GRE_FULL);
    g_free(was);
    tunnel_free(&t);
}

static void test_csum(void)
{
    for_each(csum_one);
}

/* --------------------------------------------------------- segmentation --- */

#define MSS 96
#define BURST (3 * MSS + 10)

/* Cuts the burst into frames, each of which is built by itself. */
static void segment_one(TunnelKind kind, const FrameSpec *outer,
                        const FrameSpec *inner)
{
    uint8_t payload[BURST];
    FrameSpec in = *inner, out = *outer;
    Mlx5Packet outer_pkt, inner_pkt;
    struct iovec iov[2];
    TunnelFrame t;
    Mlx5Segment s;
    unsigned i;
    size_t hdr_len, n;

    frame_random_bytes(payload, sizeof(payload));
    /* The checksum of UDP and GRE outside is for frames of one MSS. */
    in.payload = payload;
    in.payload_len = MSS;
    in.tcp_flags &= ~8;
    t = tunnel_build(kind, &out, &in);
    hdr_len = t.inner.payload + t.shift;
    /* Lengths and inner sums are stale. */
    frame_random_bytes(t.f.data + t.f.l3 + (outer->ip == 4 ? 2 : 4), 2);
    frame_random_bytes(t.f.data + t.shift + t.inner.l3 + (in.ip == 4 ? 2 : 4),
                       2);
    t.f.data[t.shift + t.inner.l4 + (in.proto == 6 ? 13 : 5)] =
        inner->tcp_flags;
    mlx5_parse_headers(t.f.data, hdr_len, &outer_pkt);
    g_assert_true(mlx5_parse_inner(t.f.data, hdr_len, &outer_pkt, &ports,
                                   &inner_pkt));
    g_assert_cmpint(mlx5_segment_init_inner(&s, t.f.data, hdr_len, &outer_pkt,
                                            &inner_pkt, BURST, MSS), ==,
                    MLX5_SEGMENT_OK);
    for (i = 0; i < 4; i++) {
        TunnelFrame want;
        uint8_t got[1024];

        in.payload = payload + i * MSS;
        in.payload_len = i < 3 ? MSS : 10;
        in.seq = inner->seq + i * MSS;
        in.ip_id = inner->ip_id + i;
        in.tcp_flags = i < 3 ? inner->tcp_flags & ~8 : inner->tcp_flags;
        out.ip_id = outer->ip_id + i;
        want = tunnel_build(kind, &out, &in);
        n = mlx5_segment_next(&s, payload, iov);
        g_assert_cmpuint(n, ==, want.f.len);
        memcpy(got, iov[0].iov_base, iov[0].iov_len);
        memcpy(got + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
        if (kind == TUNNEL_VXLAN_CSUM) {
            size_t at = want.f.l4 + 6;

            /* As it was in the header, so wrong for the short one. */
            g_assert_cmpmem(got + at, 2, t.f.data + at, 2);
            memcpy(want.f.data + at, got + at, 2);
        } else if (kind == TUNNEL_GRE_FULL) {
            memcpy(want.f.data + want.f.l4 + 4, t.f.data + t.f.l4 + 4, 2);
        }
        g_assert_cmpmem(got, n, want.f.data, want.f.len);
        tunnel_free(&want);
    }
    g_assert_true(mlx5_segment_done(&s));
    tunnel_free(&t);
}

static void test_segment(void)
{
    for_each(segment_one);
}

/* Of equal segments the checksum outside, made for one, is right in all. */
static void partial_one(TunnelKind kind, const FrameSpec *outer,
                        const FrameSpec *inner)
{
    uint8_t payload[3 * MSS], got[1024];
    Mlx5Packet outer_pkt, inner_pkt;
    FrameSpec in = *inner;
    struct iovec iov[2];
    TunnelFrame t;
    Mlx5Segment s;
    size_t hdr_len, n;

    frame_random_bytes(payload, sizeof(payload));
    in.payload = payload;
    in.payload_len = MSS;
    t = tunnel_build(kind, outer, &in);
    hdr_len = t.inner.payload + t.shift;
    mlx5_parse_headers(t.f.data, hdr_len, &outer_pkt);
    g_assert_true(mlx5_parse_inner(t.f.data, hdr_len, &outer_pkt, &ports,
                                   &inner_pkt));
    g_assert_cmpint(mlx5_segment_init_inner(&s, t.f.data, hdr_len, &outer_pkt,
                                            &inner_pkt, sizeof(payload), MSS),
                    ==, MLX5_SEGMENT_OK);
    while ((n = mlx5_segment_next(&s, payload, iov))) {
        memcpy(got, iov[0].iov_base, iov[0].iov_len);
        memcpy(got + iov[0].iov_len, iov[1].iov_base, iov[1].iov_len);
        mlx5_parse(got, n, &outer_pkt);
        g_assert_true(mlx5_parse_inner(got, n, &outer_pkt, &ports,
                                       &inner_pkt));
        mlx5_packet_check_csum(&outer_pkt, got);
        mlx5_packet_check_csum(&inner_pkt, got);
        g_assert_true(outer_pkt.l3_ok && inner_pkt.l3_ok && inner_pkt.l4_ok);
        g_assert_true(mlx5_packet_tunnel_csum_ok(&outer_pkt, got));
    }
    tunnel_free(&t);
}

static void test_partial(void)
{
    for_each(partial_one);
}

static void test_segment_errors(void)
{
    FrameSpec outer = tunnel_outer(4), inner = tunnel_inner(4, 6, 0);
    TunnelFrame t = tunnel_build(TUNNEL_VXLAN, &outer, &inner);
    Mlx5Packet out, in;
    Mlx5Segment s;

    mlx5_parse_headers(t.f.data, t.f.len, &out);
    g_assert_true(mlx5_parse_inner(t.f.data, t.f.len, &out, &ports, &in));
#define EXPECT(err, o, i, payload, mss)                                     \
    g_assert_cmpint(mlx5_segment_init_inner(&s, t.f.data, t.f.len, o, i,    \
                                            payload, mss), ==,              \
                    MLX5_SEGMENT_##err)
    EXPECT(OK, &out, &in, 100, 10);
    EXPECT(MSS_ZERO, &out, &in, 100, 0);
    EXPECT(PAYLOAD_TOO_LONG, &out, &in, MLX5_SEGMENT_MAX_PAYLOAD + 1, 10);
    /* What the inner IP packet could hold, the outer one cannot. */
    EXPECT(OK, &out, &in, 100000, 65535 - 20 - 8 - 8 - 14 - 20 - 32);
    EXPECT(MSS_TOO_BIG, &out, &in, 100000, 65536 - 20 - 8 - 8 - 14 - 20 - 32);
    in.l4_type = MLX5_L4_ESP;
    EXPECT(HDR_NOT_L4, &out, &in, 100, 10);
    in.is_frag = true;
    EXPECT(HDR_FRAGMENT, &out, &in, 100, 10);
    in.l3_type = MLX5_L3_NONE;
    EXPECT(HDR_NOT_IP, &out, &in, 100, 10);
    tunnel_free(&t);
}

/* ------------------------------------------------------------- steering --- */

/* The second section of a fte_match_param. */
static void set_inner(Param *p, Field f, uint32_t v)
{
    unsigned i;

    for (i = 0; i < fields[f].width; i++) {
        set_bit(p, MLX5_FTE_MATCH_INNER_OFFSET * 8 + fields[f].at + i,
                v >> (fields[f].width - 1 - i) & 1);
    }
}

/* A root table as the driver's inner TTC: version with protocol, alone, any. */
static Mlx5Steering *inner_ttc(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    Mlx5FlowTableAttr attr = { .log_size = 4 };
    uint32_t table, group[3], i;

    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &table), ==, OK);
    g_assert_cmpint(mlx5_steering_root_set(st, table), ==, OK);
    for (i = 0; i < 3; i++) {
        Param mask = { 0 };
        Mlx5FlowGroupAttr g = {
            .start_flow_index = i * 4,
            .end_flow_index = i * 4 + 3,
            .match_criteria_enable = i < 2 ? MLX5_MATCH_INNER_HEADERS : 0,
            .match_criteria = mask.b,
        };

        set_inner(&mask, IP_VERSION, i < 2 ? 0xf : 0);
        set_inner(&mask, IP_PROTOCOL, i < 1 ? 0xff : 0);
        g_assert_cmpint(mlx5_steering_group_create(st, table, &g, &group[i]),
                        ==, OK);
    }
    for (i = 0; i < 7; i++) {
        /* 4 and 6 with TCP and UDP, 4, 6, any */
        unsigned g = i < 4 ? 0 : i < 6 ? 1 : 2;
        Param value = { 0 };
        Mlx5FlowDestination dest = {
            .type = MLX5_FLOW_DESTINATION_TYPE_TIR, .id = 100 + i,
        };
        Mlx5FteAttr fte = {
            .group_id = group[g],
            .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST,
            .destination_list_size = 1,
            .destination = &dest,
            .match_value = value.b,
        };

        set_inner(&value, IP_VERSION, i & 1 ? 6 : 4);
        set_inner(&value, IP_PROTOCOL, i & 2 ? 17 : 6);
        g_assert_cmpint(mlx5_steering_fte_set(st, table, g * 4 +
                                              (g == 0 ? i : g == 1 ? i - 4 : 0),
                                              &fte), ==, OK);
    }
    return st;
}

static uint32_t tir_of(const Mlx5Steering *st, const Mlx5Packet *outer,
                       const Mlx5Packet *inner, const uint8_t *frame)
{
    Mlx5SteeringResult way;

    mlx5_steering_lookup_inner(st, outer, inner, frame, &way);
    g_assert_cmpint(way.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(way.n_tirs, ==, 1);
    return way.tir[0].tirn;
}

static void test_steering(void)
{
    Mlx5Steering *st = inner_ttc();
    unsigned kind, i;

    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        for (i = 0; i < 6; i++) {
            FrameSpec outer = tunnel_outer(i & 1 ? 4 : 6);
            FrameSpec inner = tunnel_inner(i & 1 ? 6 : 4, i > 3 ? 50 :
                                           i & 2 ? 17 : 6, 20);
            TunnelFrame t = tunnel_build(kind, &outer, &inner);
            Mlx5Packet out, in;

            g_assert_true(parse(&t, &out, &in));
            g_assert_cmpuint(tir_of(st, &out, &in, t.f.data), ==, 100 + i);
            /* The same without a look inside, and as a packet of its own. */
            g_assert_cmpuint(tir_of(st, &out, NULL, t.f.data), ==, 106);
            mlx5_parse(t.inner.data, t.inner.len, &in);
            g_assert_cmpuint(tir_of(st, &in, NULL, t.inner.data), ==, 106);
            tunnel_free(&t);
        }
    }
    mlx5_steering_free(st);
}

/* ------------------------------------------------------------------ RSS --- */

/* The inner packet has the hash that it has by itself. */
static void rss_one(TunnelKind kind, const FrameSpec *outer,
                    const FrameSpec *inner)
{
    Mlx5RssParams p = {
        .rx_hash_fn = MLX5_RX_HASH_FN_TOEPLITZ,
        .l3_prot_type = inner->ip == 6,
        .l4_prot_type = inner->proto == 17,
        .selected_fields = 0xf,
        .rx_hash_toeplitz_key = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
    };
    TunnelFrame t = tunnel_build(kind, outer, inner);
    Mlx5RssResult got, want;
    Mlx5Packet out, in, alone;

    g_assert_true(parse(&t, &out, &in));
    mlx5_parse(t.inner.data, t.inner.len, &alone);
    mlx5_rss_hash(&p, &alone, t.inner.data, &want);
    mlx5_rss_hash(&p, &in, t.f.data, &got);
    g_assert_cmphex(got.rx_hash_result, ==, want.rx_hash_result);
    g_assert_cmphex(got.rss_hash_type, ==, want.rss_hash_type);
    g_assert_cmphex(got.rss_hash_type, !=, 0);
    tunnel_free(&t);
}

static void test_rss(void)
{
    for_each(rss_one);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tunnel/parse", test_parse);
    g_test_add_func("/tunnel/no-tunnel", test_no_tunnel);
    g_test_add_func("/tunnel/confined", test_confined);
    g_test_add_func("/tunnel/swp", test_swp);
    g_test_add_func("/tunnel/csum", test_csum);
    g_test_add_func("/tunnel/segment", test_segment);
    g_test_add_func("/tunnel/partial", test_partial);
    g_test_add_func("/tunnel/segment-errors", test_segment_errors);
    g_test_add_func("/tunnel/steering", test_steering);
    g_test_add_func("/tunnel/rss", test_rss);
    return g_test_run();
}
