/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of stateless tunnel offloads: VXLAN ports, checksums and segmentation
 * of inner packets, what receive completions say of them, inner steering and
 * RSS. Each byte on the wire is compared with frames of tunnel-frame.h. Owns no
 * state.
 */
#include "mlx5-rig.h"
#include "unit/tunnel-frame.h"
#include "mlx5-tests.h"

enum {
    OP_ADD_VXLAN_UDP_DPORT = 0x827,
    OP_DELETE_VXLAN_UDP_DPORT = 0x828,
};

enum { L3_INNER = 0x10, L4_INNER = 0x20 };
/* What the driver asks for, of a packet in a tunnel. */
#define CS_TUNNEL (ETH_L3_CSUM | L3_INNER | L4_INNER)

/* Each combination of outer IP, inner IP and inner protocol. */
enum { COMBINATIONS = 8 };

static FrameSpec outer_of(unsigned i)
{
    return tunnel_outer(i & 1 ? 6 : 4);
}

static FrameSpec inner_of(unsigned i, unsigned len)
{
    return tunnel_inner(i & 2 ? 6 : 4, i & 4 ? 17 : 6, len);
}

/* ---------------------------------------------------------- VXLAN ports --- */

static void port_cmd(uint8_t in[16], uint16_t opcode, uint16_t port)
{
    memset(in, 0, 16);
    MLX5_SET(cmd_in, in, opcode, opcode);
    MLX5_SET(vxlan_udp_dport_in, in, vxlan_udp_port, port);
}

static void port_ok(Drv *d, uint16_t opcode, uint16_t port)
{
    uint8_t in[16];

    port_cmd(in, opcode, port);
    drv_cmd_ok(d, in, sizeof(in), NULL, 8);
}

static void port_fails(Drv *d, uint16_t opcode, uint16_t port,
                       Mlx5Status status, Mlx5Syndrome syn)
{
    uint8_t in[16];

    port_cmd(in, opcode, port);
    drv_cmd_fails(d, in, sizeof(in), 16, status, syn);
}

static void test_ports(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16], page[DRV_CAP_PAGE];
    uint16_t max, port;

    drv_query_cap(d, 1, false, page);
    max = MLX5_GET(per_protocol_networking_offload_caps, page,
                   max_vxlan_udp_ports);
    /* 4789 is there, and may be added nevertheless, as drivers do. */
    port_ok(d, OP_ADD_VXLAN_UDP_DPORT, 4789);
    for (port = 1; port < max; port++) {
        port_ok(d, OP_ADD_VXLAN_UDP_DPORT, port);
    }
    port_fails(d, OP_ADD_VXLAN_UDP_DPORT, port, MLX5_STATUS_EXCEED_LIM,
               MLX5_SYN_VXLAN_PORT_LIMIT);
    port_ok(d, OP_DELETE_VXLAN_UDP_DPORT, 4789);
    port_fails(d, OP_DELETE_VXLAN_UDP_DPORT, 4789, MLX5_STATUS_BAD_RES,
               MLX5_SYN_NO_SUCH_VXLAN_PORT);
    port_ok(d, OP_ADD_VXLAN_UDP_DPORT, port);
    port_fails(d, OP_ADD_VXLAN_UDP_DPORT, 0, MLX5_STATUS_BAD_PARAM,
               MLX5_SYN_VXLAN_PORT_0);
    port_cmd(in, OP_ADD_VXLAN_UDP_DPORT, 1);
    MLX5_SET(cmd_in, in, op_mod, 1);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_OP,
                  MLX5_SYN_BAD_OP_MOD);
    port_cmd(in, OP_DELETE_VXLAN_UDP_DPORT, 1);
    MLX5_SET(cmd_in, in, op_mod, 1);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_OP,
                  MLX5_SYN_BAD_OP_MOD);
    /* The next driver finds 4789 alone. */
    drv_hca_down(d);
    drv_hca_up(d);
    port_ok(d, OP_DELETE_VXLAN_UDP_DPORT, 4789);
    port_fails(d, OP_DELETE_VXLAN_UDP_DPORT, 1, MLX5_STATUS_BAD_RES,
               MLX5_SYN_NO_SUCH_VXLAN_PORT);
    drv_stop(d);
}

/* --------------------------------------------------------- transmission --- */

/* Where the checksum of the inner layer 4 is in the frame. */
static size_t inner_csum(const TunnelFrame *t, const FrameSpec *inner)
{
    return t->inner.l4 + t->shift + (inner->proto == 6 ? 16 : 6);
}

/* SEND: all that is asked for is filled in, the rest stays. */
static void test_tx_csum(void)
{
    unsigned kind, i;
    TxRig t;

    tx_rig(&t, 8);
    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        for (i = 0; i < COMBINATIONS; i++) {
            FrameSpec outer = outer_of(i), inner = inner_of(i, 200);
            TunnelFrame f = tunnel_build(kind, &outer, &inner);
            g_autofree uint8_t *want = dup_exact(f.f.data, f.f.len);

            f.f.data[inner_csum(&f, &inner)] ^= 0x5a;
            if (outer.ip == 4) {
                f.f.data[f.f.l3 + 10] ^= 0x5a;
            }
            if (inner.ip == 4) {
                f.f.data[f.inner.l3 + f.shift + 10] ^= 0x5a;
            }
            drv_sq_send(t.d, &t.sq, f.f.data, f.f.len, CS_TUNNEL);
            drv_sq_ring(t.d, &t.sq);
            expect_frame(t.d, want, f.f.len);
            tunnel_free(&f);
        }
    }
    drv_stop(t.d);
}

/* The outer checksum of UDP, too, is filled in if asked for: it comes last. */
static void test_tx_outer_csum(void)
{
    FrameSpec outer = outer_of(0), inner = inner_of(0, 100);
    TunnelFrame f = tunnel_build(TUNNEL_VXLAN_CSUM, &outer, &inner);
    g_autofree uint8_t *want = dup_exact(f.f.data, f.f.len);
    TxRig t;

    tx_rig(&t, 6);
    f.f.data[f.f.l4 + 6] ^= 0x11;
    f.f.data[inner_csum(&f, &inner)] ^= 0x5a;
    drv_sq_send(t.d, &t.sq, f.f.data, f.f.len, CS_TUNNEL | ETH_L4_CSUM);
    /* Without a word about inner headers they stay as they are. */
    drv_sq_send(t.d, &t.sq, f.f.data, f.f.len, ETH_L3_CSUM);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, want, f.f.len);
    expect_frame(t.d, f.f.data, f.f.len);
    tunnel_free(&f);
    drv_stop(t.d);
}

#define MSS 200
#define BURST (2 * MSS + 60)

/* An LSO of @f's header with BURST bytes at @mem. */
static uint16_t put_lso(TxRig *t, DrvSq *sq, const TunnelFrame *f,
                        uint8_t cs_flags, uint64_t mem, DrvWqe *w)
{
    drv_wqe(w, sq, WQE_LSO, true);
    drv_wqe_eth(w, cs_flags, MSS, f->f.data, f->inner.payload + f->shift);
    drv_wqe_data(w, t->d->lkey, mem, BURST);
    return drv_sq_put(t->d, sq, w);
}

/* The three frames that BURST bytes of @payload make. */
static void expect_segments(Drv *d, unsigned kind, const FrameSpec *outer,
                            const FrameSpec *inner, const uint8_t *payload,
                            const TunnelFrame *hdr)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        FrameSpec out = *outer, in = *inner;
        TunnelFrame want;

        out.ip_id += i;
        in.ip_id += i;
        in.seq += i * MSS;
        in.payload = payload + i * MSS;
        in.payload_len = i < 2 ? MSS : BURST - 2 * MSS;
        in.tcp_flags = i < 2 ? inner->tcp_flags & ~9 : inner->tcp_flags;
        want = tunnel_build(kind, &out, &in);
        /* Checksums of UDP and GRE outside are the driver's. */
        if (kind == TUNNEL_VXLAN_CSUM) {
            memcpy(want.f.data + want.f.l4 + 6, hdr->f.data + hdr->f.l4 + 6, 2);
        } else if (kind == TUNNEL_GRE_FULL) {
            memcpy(want.f.data + want.f.l4 + 4, hdr->f.data + hdr->f.l4 + 4, 2);
        }
        expect_frame(d, want.f.data, want.f.len);
        tunnel_free(&want);
    }
}

static void test_tx_lso(void)
{
    uint8_t payload[BURST];
    unsigned kind, i;
    uint64_t mem;
    DrvWqe w;
    TxRig t;

    tx_rig(&t, 9);
    frame_random_bytes(payload, sizeof(payload));
    mem = drv_mem(t.d, 4096);
    drv_write(t.d, mem, payload, sizeof(payload));
    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        for (i = 0; i < COMBINATIONS; i++) {
            FrameSpec outer = outer_of(i), inner = inner_of(i, MSS);
            TunnelFrame f = tunnel_build(kind, &outer, &inner);
            uint16_t index = put_lso(&t, &t.sq, &f, CS_TUNNEL, mem, &w);

            drv_sq_ring(t.d, &t.sq);
            expect_segments(t.d, kind, &outer, &inner, payload, &f);
            drv_sq_expect(t.d, &t.sq, index);
            tunnel_free(&f);
        }
    }
    drv_stop(t.d);
}

/* A tunnel to a port that nobody has added is none. */
static void test_tx_lso_port(void)
{
    FrameSpec outer = outer_of(0), inner = inner_of(0, MSS);
    TunnelFrame f = tunnel_build(TUNNEL_VXLAN, &outer, &inner);
    uint8_t buf[DRV_MAX_FRAME];
    uint16_t index;
    uint64_t mem;
    DrvWqe w;
    TxRig t;

    tx_rig(&t, 6);
    mem = drv_mem(t.d, 4096);
    stw_be_p(f.f.data + f.f.l4 + 2, 8472);
    port_ok(t.d, OP_ADD_VXLAN_UDP_DPORT, 8472);
    index = put_lso(&t, &t.sq, &f, CS_TUNNEL, mem, &w);
    drv_sq_ring(t.d, &t.sq);
    drv_wire_recv(t.d, buf);
    drv_wire_recv(t.d, buf);
    drv_wire_recv(t.d, buf);
    drv_sq_expect(t.d, &t.sq, index);
    port_ok(t.d, OP_DELETE_VXLAN_UDP_DPORT, 8472);
    index = put_lso(&t, &t.sq, &f, CS_TUNNEL, mem, &w);
    drv_sq_ring(t.d, &t.sq);
    drv_sq_expect_error(t.d, &t.sq, index, SYN_QP_OP);
    tunnel_free(&f);
    drv_stop(t.d);
}

/*
 * GENEVE, as the driver does it: the WQE says where the headers are. VXLAN's
 * header is as long as GENEVE's, only the port is another.
 */
static void test_tx_swp(void)
{
    FrameSpec outer = outer_of(1), inner = inner_of(0, MSS);
    TunnelFrame f = tunnel_build(TUNNEL_VXLAN, &outer, &inner);
    uint8_t payload[BURST], *eth;
    uint32_t len;
    uint16_t index;
    uint64_t mem;
    DrvWqe w;
    TxRig t;
    DrvSq sq;
    g_autofree uint8_t *in = NULL;
    unsigned i;

    tx_rig(&t, 6);
    in = drv_sq_cmd(t.d, &sq, 6, &t.cq, drv_tis_create(t.d), &len);
    MLX5_SET(sqc, in + 0x20, allow_swp, 1);
    sq.sqn = drv_create(t.d, in, len);
    g_assert_cmphex(drv_sq_modify(t.d, &sq, DRV_RST, DRV_RDY).status, ==, 0);
    frame_random_bytes(payload, sizeof(payload));
    mem = drv_mem(t.d, 4096);
    drv_write(t.d, mem, payload, sizeof(payload));
    port_ok(t.d, OP_DELETE_VXLAN_UDP_DPORT, 4789);
    for (i = 0; i < 3; i++) {
        DrvSq *use = i == 2 ? &t.sq : &sq;

        drv_wqe(&w, use, WQE_LSO, true);
        drv_wqe_eth(&w, CS_TUNNEL, MSS, f.f.data, f.inner.payload + f.shift);
        drv_wqe_data(&w, t.d->lkey, mem, BURST);
        eth = w.b + 16;
        MLX5_SET(wqe_eth, eth, swp_outer_l3_offset, f.f.l3 / 2);
        MLX5_SET(wqe_eth, eth, swp_outer_l4_offset, f.f.l4 / 2);
        MLX5_SET(wqe_eth, eth, swp_inner_l3_offset,
                 (f.inner.l3 + f.shift) / 2);
        MLX5_SET(wqe_eth, eth, swp_inner_l4_offset,
                 (f.inner.l4 + f.shift) / 2 + (i == 1));
        MLX5_SET(wqe_eth, eth, swp_flags, 0x30); /* outside IPv6 and UDP */
        index = drv_sq_put(t.d, use, &w);
        drv_sq_ring(t.d, use);
        if (i == 0) {
            expect_segments(t.d, TUNNEL_VXLAN, &outer, &inner, payload, &f);
            drv_sq_expect(t.d, use, index);
        } else {
            /* No TCP header there; a queue that was not made for it. */
            drv_sq_expect_error(t.d, use, index, SYN_QP_OP);
        }
    }
    tunnel_free(&f);
    drv_stop(t.d);
}

/* ------------------------------------------------------------ reception --- */

/* A rig whose TIR looks into tunnels, with @inner in its inner selector. */
static void tunnel_rig(RxRig *r, uint32_t fn, uint32_t inner)
{
    g_autofree uint8_t *in = NULL;
    uint32_t len;

    rx_rig(r, "", false, 0);
    in = drv_tir_cmd(r->d, r->rq.rqn, &len);
    MLX5_SET(tirc, in + 0x20, tunneled_offload_en, 1);
    MLX5_SET(tirc, in + 0x20, rx_hash_fn, fn);
    MLX5_SET(tirc, in + 0x20, rx_hash_field_selector_inner, inner);
    memset(in + 0x20 + 0x28, 0x3c, 40);
    drv_unsteer(r->d, &r->st);
    drv_steer_all(r->d, &r->st, drv_create(r->d, in, len), 0);
}

/* Sends one frame to the device; its CQE. */
static void receive(RxRig *r, const uint8_t *frame, size_t len, uint8_t *cqe)
{
    rx_rig_fill(r, 1);
    drv_wire_send(r->d, frame, len);
    drv_cq_wait(r->d, &r->cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, len);
}

#define EXPECT_CQE(cqe, field, want) \
    g_assert_cmpuint(MLX5_GET(cqe, cqe, field), ==, want)

static void test_rx(void)
{
    unsigned kind, i;
    RxRig r;

    tunnel_rig(&r, 0, 0);
    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        for (i = 0; i < COMBINATIONS; i++) {
            FrameSpec outer = outer_of(i), inner = inner_of(i, 60);
            TunnelFrame f = tunnel_build(kind, &outer, &inner);
            uint8_t cqe[64];

            receive(&r, f.f.data, f.f.len, cqe);
            EXPECT_CQE(cqe, outer_l3_tunneled, 1);
            EXPECT_CQE(cqe, outer_l3_type, outer.ip == 4);
            EXPECT_CQE(cqe, l3_ok, 1);
            EXPECT_CQE(cqe, l4_ok, 1);
            EXPECT_CQE(cqe, l3_hdr_type, inner.ip == 4 ? 2 : 1);
            EXPECT_CQE(cqe, l4_hdr_type, inner.proto == 17 ? 2 : 4);
            /* the sum over all bytes, as of any packet */
            EXPECT_CQE(cqe, check_sum,
                       naive_sum(f.f.data + 14, f.f.len - 14));
            /* Wrong inside; then also in a header inside. */
            f.f.data[f.f.l3_end - 1] ^= 1;
            receive(&r, f.f.data, f.f.len, cqe);
            EXPECT_CQE(cqe, outer_l3_tunneled, 1);
            EXPECT_CQE(cqe, l3_ok, 1);
            EXPECT_CQE(cqe, l4_ok, 0);
            if (inner.ip == 4) {
                f.f.data[f.inner.l3 + f.shift + 8]++;
                receive(&r, f.f.data, f.f.len, cqe);
                EXPECT_CQE(cqe, l3_ok, 0);
                EXPECT_CQE(cqe, l4_ok, 0);
            }
            tunnel_free(&f);
        }
    }
    drv_stop(r.d);
}

/* Wrong outside only: nothing is vouched for. No tunnel: as ever. */
static void test_rx_outer(void)
{
    static const unsigned kinds[] = { TUNNEL_VXLAN_CSUM, TUNNEL_GRE_FULL };
    FrameSpec outer = outer_of(0), inner = inner_of(0, 60);
    uint8_t cqe[64];
    TunnelFrame f;
    unsigned i;
    RxRig r;

    tunnel_rig(&r, 0, 0);
    for (i = 0; i < 2; i++) {
        f = tunnel_build(kinds[i], &outer, &inner);
        f.f.data[f.f.l4 + (i ? 4 : 6)] ^= 1;
        receive(&r, f.f.data, f.f.len, cqe);
        EXPECT_CQE(cqe, outer_l3_tunneled, 1);
        EXPECT_CQE(cqe, l3_ok, 1);
        EXPECT_CQE(cqe, l4_ok, 0);
        tunnel_free(&f);
    }
    f = tunnel_build(TUNNEL_VXLAN, &outer, &inner);
    receive(&r, f.inner.data, f.inner.len, cqe);
    EXPECT_CQE(cqe, outer_l3_tunneled, 0);
    EXPECT_CQE(cqe, l4_ok, 1);
    EXPECT_CQE(cqe, l4_hdr_type, 4);
    stw_be_p(f.f.data + f.f.l4 + 2, 4790);
    receive(&r, f.f.data, f.f.len, cqe);
    EXPECT_CQE(cqe, outer_l3_tunneled, 0);
    EXPECT_CQE(cqe, l4_hdr_type, 2);
    tunnel_free(&f);
    drv_stop(r.d);
}

/* A TIR that does not look into tunnels. */
static void test_rx_plain(void)
{
    FrameSpec outer = outer_of(0), inner = inner_of(0, 60);
    TunnelFrame f = tunnel_build(TUNNEL_VXLAN_CSUM, &outer, &inner);
    uint8_t cqe[64];
    RxRig r;

    rx_rig(&r, "", false, 0);
    receive(&r, f.f.data, f.f.len, cqe);
    EXPECT_CQE(cqe, outer_l3_tunneled, 0);
    EXPECT_CQE(cqe, l4_ok, 1);
    EXPECT_CQE(cqe, l4_hdr_type, 2);
    tunnel_free(&f);
    drv_stop(r.d);
}

/* rx_hash_field_select: source and destination, ports; type 4 and TCP */
#define HASH_ALL 0xf
#define TOEPLITZ 2

/* A queue of its own tells a packet in a tunnel from the same one outside. */
static void test_rx_hash(void)
{
    unsigned kind;
    RxRig r;

    tunnel_rig(&r, TOEPLITZ, HASH_ALL);
    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        FrameSpec outer = outer_of(kind & 1), inner = inner_of(0, 60);
        TunnelFrame f = tunnel_build(kind, &outer, &inner);
        uint8_t cqe[64];
        uint32_t hash;

        receive(&r, f.f.data, f.f.len, cqe);
        EXPECT_CQE(cqe, rss_hash_type, 0x44); /* IPv4, TCP: the inner ones */
        hash = MLX5_GET(cqe, cqe, rss_hash_result);
        /* The outer flow does not count, the inner one does. */
        f.f.data[f.f.l3 + (outer.ip == 4 ? 15 : 23)] ^= 1;
        receive(&r, f.f.data, f.f.len, cqe);
        EXPECT_CQE(cqe, rss_hash_result, hash);
        f.f.data[f.inner.l4 + f.shift + 1] ^= 1;
        receive(&r, f.f.data, f.f.len, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, rss_hash_result), !=, hash);
        /* By itself it has nothing selected. */
        receive(&r, f.inner.data, f.inner.len, cqe);
        EXPECT_CQE(cqe, rss_hash_type, 0);
        tunnel_free(&f);
    }
    drv_stop(r.d);
}

#define INNER_HEADERS 0x80 /* bytes of fte_match_param in front of them */
#define IP_VERSION_BIT 147
#define ALL_ONES 0xf

/* A group of inner headers takes IPv6 in tunnels, and nothing else. */
static void test_rx_steering(void)
{
    FrameSpec outer = outer_of(0);
    FrameSpec six = inner_of(2, 60), four = inner_of(0, 60);
    uint8_t in[1024] = { 0 }, out[16], cqe[64], *ctx = in + 0x40;
    uint32_t table, group;
    unsigned kind;
    RxRig r;

    rx_rig(&r, "", false, 7);
    /* In front of the rig's table, which takes the rest. */
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, log_size, 0);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_action, 1);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_id, r.st.table);
    drv_cmd_ok(r.d, in, 64, out, sizeof(out));
    table = MLX5_GET(create_flow_table_out, out, table_id);
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    MLX5_SET(create_flow_group_in, in, match_criteria_enable, 0x4);
    mlx5_prm_set(in + 0x40 + INNER_HEADERS, IP_VERSION_BIT, 4, ALL_ONES);
    drv_cmd_ok(r.d, in, 1024, out, sizeof(out));
    group = MLX5_GET(create_flow_group_out, out, group_id);
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    MLX5_SET(flow_context, ctx, group_id, group);
    MLX5_SET(flow_context, ctx, flow_tag, 6);
    MLX5_SET(flow_context, ctx, action, 0x4);
    MLX5_SET(flow_context, ctx, destination_list_size, 1);
    mlx5_prm_set(ctx + 0x40 + INNER_HEADERS, IP_VERSION_BIT, 4, 6);
    MLX5_SET(dest_format_struct, ctx + 0x300, destination_type, 2);
    MLX5_SET(dest_format_struct, ctx + 0x300, destination_id, r.tir);
    drv_cmd_ok(r.d, in, 0x348, out, sizeof(out));
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    drv_cmd_ok(r.d, in, 64, NULL, 16);

    for (kind = 0; kind < TUNNEL_KINDS; kind++) {
        TunnelFrame f = tunnel_build(kind, &outer, &six);

        receive(&r, f.f.data, f.f.len, cqe);
        EXPECT_CQE(cqe, flow_tag, 6);
        receive(&r, f.inner.data, f.inner.len, cqe);
        EXPECT_CQE(cqe, flow_tag, 7);
        tunnel_free(&f);
        f = tunnel_build(kind, &outer, &four);
        receive(&r, f.f.data, f.f.len, cqe);
        EXPECT_CQE(cqe, flow_tag, 7);
        tunnel_free(&f);
    }
    drv_stop(r.d);
}

void mlx5_tunnel_tests(void)
{
    qtest_add_func("mlx5-ktls/tunnel/ports", test_ports);
    qtest_add_func("mlx5-ktls/tunnel/tx-csum", test_tx_csum);
    qtest_add_func("mlx5-ktls/tunnel/tx-outer-csum", test_tx_outer_csum);
    qtest_add_func("mlx5-ktls/tunnel/tx-lso", test_tx_lso);
    qtest_add_func("mlx5-ktls/tunnel/tx-lso-port", test_tx_lso_port);
    qtest_add_func("mlx5-ktls/tunnel/tx-swp", test_tx_swp);
    qtest_add_func("mlx5-ktls/tunnel/rx", test_rx);
    qtest_add_func("mlx5-ktls/tunnel/rx-outer", test_rx_outer);
    qtest_add_func("mlx5-ktls/tunnel/rx-plain", test_rx_plain);
    qtest_add_func("mlx5-ktls/tunnel/rx-hash", test_rx_hash);
    qtest_add_func("mlx5-ktls/tunnel/rx-steering", test_rx_steering);
}
