/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test helper: packets in tunnels, of frame.h's frames. The inner frame is
 * built first and is the payload of the outer one, so nothing here knows what
 * the engine does with either.
 */
#ifndef TESTS_UNIT_TUNNEL_FRAME_H
#define TESTS_UNIT_TUNNEL_FRAME_H

#include "frame.h"

typedef enum TunnelKind {
    TUNNEL_VXLAN,       /* UDP 4789, no checksum outside */
    TUNNEL_VXLAN_CSUM,
    TUNNEL_GRE,         /* IP inside */
    TUNNEL_GRE_FULL,    /* with checksum, key and sequence number */
    TUNNEL_GRE_TEB,     /* Ethernet inside, with key */
    TUNNEL_IP,
    TUNNEL_KINDS
} TunnelKind;

#define TUNNEL_VXLAN_PORT 4789

typedef struct TunnelFrame {
    Frame f;            /* the whole, parsed as far as the outer headers */
    Frame inner;        /* the inner frame by itself, all bytes of it */
    size_t shift;       /* from an offset in inner.data to one in f.data */
    bool has_l2;        /* inside */
} TunnelFrame;

/* The header between outer IP and inner packet, without outer UDP. */
static inline void tunnel_header(GByteArray *b, TunnelKind kind, int inner_ip)
{
    uint16_t type = inner_ip == 4 ? 0x0800 : 0x86dd;

    switch (kind) {
    case TUNNEL_VXLAN:
    case TUNNEL_VXLAN_CSUM:
        frame_put(b, 4, 0x08000000);
        frame_put(b, 4, 0x00006400);            /* VNI 100 */
        break;
    case TUNNEL_GRE:
        frame_put(b, 2, 0);
        frame_put(b, 2, type);
        break;
    case TUNNEL_GRE_FULL:
        frame_put(b, 2, 0xb000);
        frame_put(b, 2, type);
        frame_put(b, 4, 0);                     /* checksum, reserved */
        frame_put(b, 4, 0xfeedbeef);
        frame_put(b, 4, 7);
        break;
    case TUNNEL_GRE_TEB:
        frame_put(b, 2, 0x2000);
        frame_put(b, 2, 0x6558);
        frame_put(b, 4, 0xfeedbeef);
        break;
    default:
        break;
    }
}

/*
 * @inner in a tunnel between the addresses of @outer, whose protocol, ports and
 * payload are set here.
 */
static inline TunnelFrame tunnel_build(TunnelKind kind, const FrameSpec *outer,
                                       const FrameSpec *inner)
{
    bool vxlan = kind == TUNNEL_VXLAN || kind == TUNNEL_VXLAN_CSUM;
    GByteArray *b = g_byte_array_new();
    TunnelFrame t = { .inner = frame_build(inner) };
    FrameSpec s = *outer;
    size_t hdr, from;

    t.has_l2 = vxlan || kind == TUNNEL_GRE_TEB;
    from = t.has_l2 ? 0 : t.inner.l3;
    tunnel_header(b, kind, inner->ip);
    hdr = b->len;
    g_byte_array_append(b, t.inner.data + from, t.inner.len - from);
    if (kind == TUNNEL_GRE_FULL) {
        frame_patch16(b, 4, ~naive_sum(b->data, b->len));
    }
    s.proto = vxlan ? 17 : kind == TUNNEL_IP ? (inner->ip == 4 ? 4 : 41) : 47;
    s.sport = 50000;
    s.dport = TUNNEL_VXLAN_PORT;
    s.udp_no_csum = kind == TUNNEL_VXLAN;
    s.payload = b->data;
    s.payload_len = b->len;
    t.f = frame_build(&s);
    t.shift = t.f.payload + hdr - from;
    g_byte_array_free(b, TRUE);
    return t;
}

static inline void tunnel_free(TunnelFrame *t)
{
    frame_free(&t->f);
    frame_free(&t->inner);
}

/* Two hosts, and two others inside. */
static inline FrameSpec tunnel_outer(int ip)
{
    FrameSpec s = {
        .dst_mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
        .src_mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 },
        .ip = ip,
        .ttl = 64,
        .ip_id = 0xfffe,
    };

    memset(s.src_ip, 10, 16);
    memset(s.dst_ip, 20, 16);
    return s;
}

static inline FrameSpec tunnel_inner(int ip, uint8_t proto, unsigned len)
{
    FrameSpec s = {
        .dst_mac = { 0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0x01 },
        .src_mac = { 0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0x02 },
        .ip = ip,
        .ttl = 9,
        .ip_id = 0x8000,
        .proto = proto,
        .sport = 40000,
        .dport = 443,
        .seq = 0xfffff000,
        .ack = 0x12345678,
        .tcp_flags = 0x18,
        .tcp_opt_len = 12,
        .payload_len = len,
    };

    memset(s.src_ip, 30, 16);
    memset(s.dst_ip, 40, 16);
    return s;
}

#endif
