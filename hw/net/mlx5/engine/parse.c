/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet parser, see parse.h.
 *
 * One pass from the outer to the inner layers. A layer is read only if it is
 * complete within the available bytes, and inner layers only after that.
 */
#include <string.h>

#include "csum.h"
#include "parse.h"

enum {
    IPV4_HLEN = 20,
    IPV6_HLEN = 40,
    TCP_HLEN = 20,
    UDP_HLEN = 8,
    ESP_HLEN = 8,
    AH_HLEN = 12,
    IPV6_EXT_MIN = 8,
    GRE_HLEN = 4,
    VXLAN_HLEN = 8,

    GRE_CSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQ = 0x1000,
    GRE_VERSION = 0x0007,
    VXLAN_FLAG_I = 0x08,

    IPV4_MF = 0x2000,
    IPV4_OFFSET = 0x1fff,

    IPV6_HOPOPTS = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_DSTOPTS = 60,

    ROUTING_SOURCE = 0,
    ROUTING_MOBILE = 2,
    ROUTING_SEGMENT = 4,
};

/* The frame being parsed: `len` bytes, of which `have` can be read. */
typedef struct Frame {
    const uint8_t *p;
    uint32_t have;
    uint32_t len;
    bool ignore_l3_len;
} Frame;

/*
 * Returns whether [off, off + n) can be read. off is at most MLX5_PARSE_MAX_LEN
 * plus a few headers, so nothing overflows.
 */
static bool can_read(const Frame *f, uint32_t off, uint32_t n)
{
    return off <= f->have && n <= f->have - off;
}

/*
 * The pieces of parse(), which each packet passes through. Tunnels have a copy
 * of their own.
 */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The Ethernet header at @at. */
ALWAYS_INLINE bool parse_l2(const Frame *f, Mlx5Packet *pkt, uint32_t at)
{
    static const uint8_t broadcast[MLX5_ETH_ALEN] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff
    };
    uint32_t off = at + MLX5_ETH_HLEN;
    const uint8_t *h = f->p + at;

    if (!can_read(f, at, MLX5_ETH_HLEN)) {
        return false;
    }
    pkt->is_multicast = h[0] & 1;
    pkt->is_broadcast = memcmp(h, broadcast, sizeof(broadcast)) == 0;
    pkt->ethertype = mlx5_get_be16(h + 12);

    while (pkt->n_vlan < MLX5_PARSE_MAX_VLANS &&
           (pkt->ethertype == MLX5_ETH_P_8021Q ||
            pkt->ethertype == MLX5_ETH_P_8021AD) &&
           can_read(f, off, MLX5_VLAN_HLEN)) {
        pkt->vlan_tpid[pkt->n_vlan] = pkt->ethertype;
        pkt->vlan_tci[pkt->n_vlan] = mlx5_get_be16(f->p + off);
        pkt->ethertype = mlx5_get_be16(f->p + off + 2);
        pkt->n_vlan++;
        off += MLX5_VLAN_HLEN;
    }
    pkt->l2_len = off - at;
    pkt->l3_off = off;
    return true;
}

/* Sets l3_end from the length in the IP header and the length of the frame. */
static void set_l3_len(const Frame *f, Mlx5Packet *pkt, uint32_t claimed)
{
    uint32_t room = f->len - pkt->l3_off;

    if (f->ignore_l3_len) {
        claimed = room;
    }
    pkt->l3_len = claimed;
    pkt->l3_truncated = claimed > room;
    pkt->l3_end = pkt->l3_off + (claimed < room ? claimed : room);
}

/* Returns whether there may be a layer 4 header at l4_off. */
ALWAYS_INLINE bool parse_ipv4(const Frame *f, Mlx5Packet *pkt)
{
    const uint8_t *h = f->p + pkt->l3_off;
    uint32_t ihl, total;
    uint16_t frag;

    if (!can_read(f, pkt->l3_off, IPV4_HLEN)) {
        return false;
    }
    ihl = (h[0] & 0xf) * 4u;
    total = mlx5_get_be16(h + 2);
    if (h[0] >> 4 != 4 || ihl < IPV4_HLEN || !can_read(f, pkt->l3_off, ihl) ||
        (total < ihl && !f->ignore_l3_len)) {
        return false;
    }
    pkt->l3_type = MLX5_L3_IPV4;
    pkt->l3_hdr_len = ihl;
    set_l3_len(f, pkt, total);
    pkt->ip_ce = (h[1] & 3) == 3;
    pkt->ip_proto = h[9];
    pkt->src_ip_off = pkt->l3_off + 12;
    pkt->dst_ip_off = pkt->l3_off + 16;
    pkt->pseudo_dst_off = pkt->dst_ip_off;

    frag = mlx5_get_be16(h + 6);
    pkt->is_frag = frag & (IPV4_MF | IPV4_OFFSET);
    pkt->is_first_frag = pkt->is_frag && !(frag & IPV4_OFFSET);
    if (frag & IPV4_OFFSET) {
        return false;
    }
    pkt->l4_off = pkt->l3_off + ihl;
    return true;
}

/*
 * A routing header with segments left contains the packet's final destination,
 * which goes into the pseudo header (RFC 8200 8.1). n is the header's length,
 * all of which can be read.
 */
static void parse_ipv6_routing(const Frame *f, Mlx5Packet *pkt, uint32_t off,
                               uint32_t n)
{
    uint8_t type = f->p[off + 2];
    uint8_t segments_left = f->p[off + 3];

    if (!segments_left || n < 8 + 16) {
        return;
    }
    if (type == ROUTING_SOURCE || type == ROUTING_MOBILE) {
        pkt->pseudo_dst_off = off + n - 16;     /* the last address of the
                                                 * list */
    } else if (type == ROUTING_SEGMENT) {
        pkt->pseudo_dst_off = off + 8;          /* the list is in reverse
                                                 * order */
    }
}

static bool parse_ipv6(const Frame *f, Mlx5Packet *pkt)
{
    const uint8_t *h = f->p + pkt->l3_off;
    uint32_t off = pkt->l3_off + IPV6_HLEN;
    Frame in_l3 = *f;
    unsigned i;

    if (!can_read(f, pkt->l3_off, IPV6_HLEN) || h[0] >> 4 != 6) {
        return false;
    }
    pkt->l3_type = MLX5_L3_IPV6;
    pkt->l3_hdr_len = IPV6_HLEN;
    set_l3_len(f, pkt, IPV6_HLEN + mlx5_get_be16(h + 4));
    pkt->ip_ce = (h[1] >> 4 & 3) == 3;
    pkt->ip_proto = h[6];
    pkt->src_ip_off = pkt->l3_off + 8;
    pkt->dst_ip_off = pkt->l3_off + 24;
    pkt->pseudo_dst_off = pkt->dst_ip_off;

    if (in_l3.have > pkt->l3_end) {
        in_l3.have = pkt->l3_end;
    }
    for (i = 0;; i++) {
        uint32_t n = IPV6_EXT_MIN;

        if (pkt->ip_proto != IPV6_HOPOPTS && pkt->ip_proto != IPV6_ROUTING &&
            pkt->ip_proto != IPV6_FRAGMENT && pkt->ip_proto != IPV6_DSTOPTS) {
            pkt->l4_off = off;
            return true;
        }
        if (i == MLX5_PARSE_MAX_EXT_HDRS || !can_read(&in_l3, off, n)) {
            return false;
        }
        if (pkt->ip_proto == IPV6_FRAGMENT) {
            uint16_t frag = mlx5_get_be16(f->p + off + 2);

            /*
             * Offset 0 without more fragments is a complete packet (RFC 6946).
             */
            pkt->is_frag = (frag & 0xfff9) != 0;
            pkt->is_first_frag = pkt->is_frag && !(frag & 0xfff8);
        } else {
            n = (f->p[off + 1] + 1u) * 8;
            if (!can_read(&in_l3, off, n)) {
                return false;
            }
            if (pkt->ip_proto == IPV6_ROUTING) {
                parse_ipv6_routing(f, pkt, off, n);
            }
        }
        pkt->ip_proto = f->p[off];
        off += n;
        pkt->l3_hdr_len += n;
        if (pkt->is_frag && !pkt->is_first_frag) {
            return false;
        }
    }
}

ALWAYS_INLINE void parse_l4(const Frame *f, Mlx5Packet *pkt)
{
    const uint8_t *h = f->p + pkt->l4_off;
    Frame in_l3 = *f;
    uint32_t hlen;

    if (in_l3.have > pkt->l3_end) {
        in_l3.have = pkt->l3_end;
    }
    switch (pkt->ip_proto) {
    case MLX5_IPPROTO_TCP:
        if (!can_read(&in_l3, pkt->l4_off, TCP_HLEN)) {
            return;
        }
        hlen = (h[12] >> 4) * 4u;
        if (hlen < TCP_HLEN || !can_read(&in_l3, pkt->l4_off, hlen)) {
            return;
        }
        pkt->l4_type = MLX5_L4_TCP;
        pkt->sport = mlx5_get_be16(h);
        pkt->dport = mlx5_get_be16(h + 2);
        pkt->tcp_seq = mlx5_get_be32(h + 4);
        pkt->tcp_ack = mlx5_get_be32(h + 8);
        pkt->tcp_flags = mlx5_get_be16(h + 12) & 0x1ff;
        break;
    case MLX5_IPPROTO_UDP:
        hlen = UDP_HLEN;
        if (!can_read(&in_l3, pkt->l4_off, hlen)) {
            return;
        }
        pkt->l4_type = MLX5_L4_UDP;
        pkt->sport = mlx5_get_be16(h);
        pkt->dport = mlx5_get_be16(h + 2);
        break;
    case MLX5_IPPROTO_ESP:
        hlen = ESP_HLEN;
        if (!can_read(&in_l3, pkt->l4_off, hlen)) {
            return;
        }
        pkt->l4_type = MLX5_L4_ESP;
        pkt->spi = mlx5_get_be32(h);
        break;
    case MLX5_IPPROTO_AH:
        hlen = AH_HLEN;
        if (!can_read(&in_l3, pkt->l4_off, hlen)) {
            return;
        }
        pkt->l4_type = MLX5_L4_AH;
        pkt->spi = mlx5_get_be32(h + 4);
        break;
    default:
        return;
    }
    pkt->payload_off = pkt->l4_off + hlen;
    pkt->payload_len = pkt->l3_end - pkt->payload_off;
}

/* Layer 3, as pkt->ethertype says, and what is behind it. */
ALWAYS_INLINE void parse_l3(const Frame *f, Mlx5Packet *pkt)
{
    bool has_l4 = false;

    pkt->l3_len_ignored = f->ignore_l3_len;
    if (pkt->ethertype == MLX5_ETH_P_IPV4) {
        has_l4 = parse_ipv4(f, pkt);
    } else if (pkt->ethertype == MLX5_ETH_P_IPV6) {
        has_l4 = parse_ipv6(f, pkt);
    }
    if (has_l4) {
        parse_l4(f, pkt);
    }
}

static void parse(const Frame *f, Mlx5Packet *pkt)
{
    memset(pkt, 0, sizeof(*pkt));
    pkt->len = f->len;
    if (parse_l2(f, pkt, 0)) {
        parse_l3(f, pkt);
    }
}

static uint32_t clamp_len(size_t len)
{
    return len < MLX5_PARSE_MAX_LEN ? (uint32_t)len : MLX5_PARSE_MAX_LEN;
}

void mlx5_parse_prefix(const uint8_t *frame, size_t have, size_t len,
                       Mlx5Packet *out)
{
    Frame f = {
        .p = frame,
        .have = clamp_len(have < len ? have : len),
        .len = clamp_len(len),
    };

    parse(&f, out);
}

void mlx5_parse(const uint8_t *frame, size_t len, Mlx5Packet *out)
{
    mlx5_parse_prefix(frame, len, len, out);
}

void mlx5_parse_headers(const uint8_t *hdr, size_t len, Mlx5Packet *out)
{
    Frame f = {
        .p = hdr,
        .have = clamp_len(len),
        .len = clamp_len(len),
        .ignore_l3_len = true,
    };

    parse(&f, out);
}

/* ---- tunnels ------------------------------------------------------------- */

/*
 * The GRE header at outer->l4_off: where what it carries begins, and as which
 * Ethernet type; 0 if this is no GRE that we know.
 */
static uint32_t parse_gre(const Frame *f, const Mlx5Packet *outer,
                          uint16_t *ethertype)
{
    uint32_t n = GRE_HLEN;
    uint16_t flags;

    if (!can_read(f, outer->l4_off, n)) {
        return 0;
    }
    flags = mlx5_get_be16(f->p + outer->l4_off);
    *ethertype = mlx5_get_be16(f->p + outer->l4_off + 2);
    if (flags & (GRE_VERSION | GRE_ROUTING)) {
        return 0;
    }
    n += flags & GRE_CSUM ? 4 : 0;
    n += flags & GRE_KEY ? 4 : 0;
    n += flags & GRE_SEQ ? 4 : 0;
    return can_read(f, outer->l4_off, n) ? outer->l4_off + n : 0;
}

/* Likewise of VXLAN: an Ethernet frame. */
static uint32_t parse_vxlan(const Frame *f, const Mlx5Packet *outer,
                            const Mlx5VxlanPorts *ports)
{
    unsigned i;

    for (i = 0; i < ports->n; i++) {
        if (outer->dport == ports->port[i]) {
            return can_read(f, outer->payload_off, VXLAN_HLEN) &&
                   (f->p[outer->payload_off] & VXLAN_FLAG_I) ?
                   outer->payload_off + VXLAN_HLEN : 0;
        }
    }
    return 0;
}

/* The frame that a packet in a tunnel is parsed in. */
static Frame frame_within(const uint8_t *frame, size_t have,
                          const Mlx5Packet *outer)
{
    uint32_t end = clamp_len(have);

    return (Frame) {
        .p = frame,
        .have = end < outer->l3_end ? end : outer->l3_end,
        .len = outer->l3_end,
        .ignore_l3_len = outer->l3_len_ignored,
    };
}

bool mlx5_parse_inner(const uint8_t *frame, size_t have,
                      const Mlx5Packet *outer, const Mlx5VxlanPorts *ports,
                      Mlx5Packet *inner)
{
    Frame f = frame_within(frame, have, outer);
    uint16_t ethertype = MLX5_ETH_P_TEB;
    uint32_t off = 0;

    if (!outer->l4_off || outer->is_frag) {
        return false;
    }
    switch (outer->ip_proto) {
    case MLX5_IPPROTO_UDP:
        if (outer->l4_type == MLX5_L4_UDP) {
            off = parse_vxlan(&f, outer, ports);
        }
        break;
    case MLX5_IPPROTO_GRE:
        off = parse_gre(&f, outer, &ethertype);
        break;
    case MLX5_IPPROTO_IPIP:
        off = outer->l4_off;
        ethertype = MLX5_ETH_P_IPV4;
        break;
    case MLX5_IPPROTO_IPV6:
        off = outer->l4_off;
        ethertype = MLX5_ETH_P_IPV6;
        break;
    }
    if (!off || (ethertype != MLX5_ETH_P_TEB && ethertype != MLX5_ETH_P_IPV4 &&
                 ethertype != MLX5_ETH_P_IPV6)) {
        return false;
    }
    memset(inner, 0, sizeof(*inner));
    inner->len = outer->len;
    inner->l2_off = off;
    if (ethertype == MLX5_ETH_P_TEB) {
        if (!parse_l2(&f, inner, off)) {
            return false;
        }
    } else {
        inner->ethertype = ethertype;
        inner->l3_off = off;
    }
    parse_l3(&f, inner);
    return true;
}

/* The headers at two offsets of two bytes each; @l4 may be 0. */
static bool parse_at(const Frame *f, unsigned l3, unsigned l4, bool ipv6,
                     bool udp, Mlx5Packet *pkt)
{
    Mlx5L3Type want = ipv6 ? MLX5_L3_IPV6 : MLX5_L3_IPV4;

    pkt->l3_off = l3 * 2;
    pkt->ethertype = ipv6 ? MLX5_ETH_P_IPV6 : MLX5_ETH_P_IPV4;
    parse_l3(f, pkt);
    if (pkt->l3_type != want || pkt->is_frag) {
        return false;
    }
    if (!l4) {
        return true;
    }
    /* Between the two there may be headers that only software knows. */
    if (l4 * 2 < pkt->l3_off + (ipv6 ? IPV6_HLEN : pkt->l3_hdr_len)) {
        return false;
    }
    pkt->l4_type = MLX5_L4_NONE;
    pkt->l4_off = l4 * 2;
    pkt->ip_proto = udp ? MLX5_IPPROTO_UDP : MLX5_IPPROTO_TCP;
    parse_l4(f, pkt);
    return pkt->l4_type != MLX5_L4_NONE;
}

bool mlx5_parse_swp(const uint8_t *frame, size_t have, const Mlx5Swp *swp,
                    Mlx5Packet *outer, Mlx5Packet *inner)
{
    Frame f = {
        .p = frame,
        .have = clamp_len(have < outer->len ? have : outer->len),
        .len = outer->len,
        .ignore_l3_len = outer->l3_len_ignored,
    };
    Mlx5Packet at;

    if (swp->outer_l3_offset) {
        at = *outer;
        at.l3_type = MLX5_L3_NONE;
        at.l4_type = MLX5_L4_NONE;
        at.is_frag = false;
        if (!parse_at(&f, swp->outer_l3_offset, swp->outer_l4_offset,
                      swp->flags & MLX5_SWP_OUTER_L3_IPV6,
                      swp->flags & MLX5_SWP_OUTER_L4_UDP, &at)) {
            return false;
        }
        *outer = at;
    }
    if (!swp->inner_l3_offset) {
        return true;
    }
    if (outer->l3_type != MLX5_L3_NONE) {
        f = frame_within(frame, have, outer);
    }
    memset(inner, 0, sizeof(*inner));
    inner->len = outer->len;
    return parse_at(&f, swp->inner_l3_offset, swp->inner_l4_offset,
                    swp->flags & MLX5_SWP_INNER_L3_IPV6,
                    swp->flags & MLX5_SWP_INNER_L4_UDP, inner);
}

/* ---- checksums ----------------------------------------------------------- */

static bool l3_csum_ok(const Mlx5Packet *pkt, const uint8_t *frame)
{
    Mlx5Csum c = { 0 };

    switch (pkt->l3_type) {
    case MLX5_L3_IPV4:
        mlx5_csum_add(&c, frame + pkt->l3_off, pkt->l3_hdr_len);
        return mlx5_csum_fold(&c) == 0xffff;
    case MLX5_L3_IPV6:
        return true;
    default:
        return false;
    }
}

static bool l4_csum_ok(const Mlx5Packet *pkt, const uint8_t *frame)
{
    uint32_t l4_len = pkt->l3_end - pkt->l4_off;
    Mlx5Csum c = { 0 };

    if (pkt->is_frag || pkt->l3_truncated) {
        return false;
    }
    switch (pkt->l4_type) {
    case MLX5_L4_TCP:
        break;
    case MLX5_L4_UDP:
        if (!mlx5_get_be16(frame + pkt->l4_off + 6)) {
            return pkt->l3_type == MLX5_L3_IPV4;
        }
        if (!mlx5_csum_udp_len(pkt, frame, &l4_len)) {
            return false;
        }
        break;
    default:
        return false;
    }
    mlx5_csum_add_pseudo(&c, pkt, frame, l4_len);
    mlx5_csum_add(&c, frame + pkt->l4_off, l4_len);
    return mlx5_csum_fold(&c) == 0xffff;
}

void mlx5_packet_check_csum(Mlx5Packet *pkt, const uint8_t *frame)
{
    if (pkt->csum_checked) {
        return;
    }
    pkt->csum_checked = true;
    pkt->l3_ok = l3_csum_ok(pkt, frame);
    pkt->l4_ok = pkt->l3_ok && l4_csum_ok(pkt, frame);
}

bool mlx5_packet_tunnel_csum_ok(const Mlx5Packet *outer, const uint8_t *frame)
{
    const uint8_t *l4 = frame + outer->l4_off;
    Mlx5Csum c = { 0 };

    if (outer->l3_truncated) {
        return false;
    }
    switch (outer->ip_proto) {
    case MLX5_IPPROTO_UDP:
        return outer->l4_ok ||
               (outer->l4_type == MLX5_L4_UDP && !mlx5_get_be16(l4 + 6));
    case MLX5_IPPROTO_GRE:
        if (!(mlx5_get_be16(l4) & GRE_CSUM)) {
            return true;
        }
        mlx5_csum_add(&c, l4, outer->l3_end - outer->l4_off);
        return mlx5_csum_fold(&c) == 0xffff;
    default:
        return true;
    }
}

uint8_t mlx5_packet_cqe_hdr_type(const Mlx5Packet *pkt)
{
    static const uint8_t cqe_l3[] = {
        [MLX5_L3_NONE] = MLX5_CQE_L3_NONE,
        [MLX5_L3_IPV4] = MLX5_CQE_L3_IPV4,
        [MLX5_L3_IPV6] = MLX5_CQE_L3_IPV6,
    };
    uint8_t l4 = MLX5_CQE_L4_NONE;

    if (!pkt->is_frag) {
        if (pkt->l4_type == MLX5_L4_UDP) {
            l4 = MLX5_CQE_L4_UDP;
        } else if (pkt->l4_type == MLX5_L4_TCP) {
            if (!(pkt->tcp_flags & MLX5_TCP_ACK)) {
                l4 = MLX5_CQE_L4_TCP_NO_ACK;
            } else if (pkt->payload_len) {
                l4 = MLX5_CQE_L4_TCP_ACK_AND_DATA;
            } else {
                l4 = MLX5_CQE_L4_TCP_ACK_NO_DATA;
            }
        }
    }
    return (uint8_t)(l4 << 4 | cqe_l3[pkt->l3_type] << 2);
}
