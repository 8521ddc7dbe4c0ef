/* SPDX-License-Identifier: GPL-2.0-or-later */
/* LSO segmentation and VLAN insertion, see segment.h. */
#include <string.h>

#include "segment.h"

enum {
    IPV4_LEN_OFF = 2,
    IPV4_ID_OFF = 4,
    IPV4_CSUM_OFF = 10,
    IPV6_HLEN = 40,
    IPV6_LEN_OFF = 4,
    TCP_SEQ_OFF = 4,
    TCP_FLAGS_OFF = 12,
    TCP_CSUM_OFF = 16,
    UDP_LEN_OFF = 4,
    UDP_CSUM_OFF = 6,
    IP_MAX_LEN = 65535,
};

const char *mlx5_segment_strerror(Mlx5SegmentError err)
{
    static const char *const text[] = {
#define MLX5_SEGMENT_TEXT(name, text) text,
        MLX5_SEGMENT_ERRORS(MLX5_SEGMENT_TEXT)
#undef MLX5_SEGMENT_TEXT
    };

    return (unsigned)err < MLX5_SEGMENT_N_ERRORS ? text[err] :
                                                   "unknown LSO error";
}

/* What the length field of a packet's IP counts, without the payload. */
static uint32_t ip_hdr_part(const Mlx5Segment *s, const Mlx5Packet *pkt)
{
    uint32_t len = s->hdr_len - pkt->l3_off;

    return pkt->l3_type == MLX5_L3_IPV6 ? len - IPV6_HLEN : len;
}

/* Can this packet be cut? */
static Mlx5SegmentError check_packet(const Mlx5Packet *pkt)
{
    if (pkt->l3_type == MLX5_L3_NONE) {
        return MLX5_SEGMENT_HDR_NOT_IP;
    }
    if (pkt->is_frag) {
        return MLX5_SEGMENT_HDR_FRAGMENT;
    }
    if (pkt->l4_type != MLX5_L4_TCP && pkt->l4_type != MLX5_L4_UDP) {
        return MLX5_SEGMENT_HDR_NOT_L4;
    }
    if (pkt->payload_len) {
        return MLX5_SEGMENT_HDR_EXCESS;
    }
    return MLX5_SEGMENT_OK;
}

/* All but the packets themselves. */
static Mlx5SegmentError init(Mlx5Segment *s, const uint8_t *hdr, size_t hdr_len,
                             uint32_t payload_len, uint32_t mss)
{
    bool tunnel = s->outer.l3_type != MLX5_L3_NONE;
    const Mlx5Packet *longest = tunnel ? &s->outer : &s->pkt;
    uint32_t slice = mss < payload_len ? mss : payload_len;

    memcpy(s->hdr, hdr, hdr_len);
    s->hdr_len = (uint32_t)hdr_len;
    s->payload_len = payload_len;
    s->offset = 0;
    s->index = 0;
    s->mss = mss;
    s->ip_id = mlx5_get_be16(hdr + s->pkt.l3_off + IPV4_ID_OFF);
    if (tunnel) {
        s->outer_ip_id = mlx5_get_be16(hdr + s->outer.l3_off + IPV4_ID_OFF);
    }
    if (ip_hdr_part(s, longest) + slice > IP_MAX_LEN) {
        return MLX5_SEGMENT_MSS_TOO_BIG;
    }
    return MLX5_SEGMENT_OK;
}

static Mlx5SegmentError check_sizes(size_t hdr_len, uint32_t payload_len,
                                    uint32_t mss)
{
    if (!mss) {
        return MLX5_SEGMENT_MSS_ZERO;
    }
    if (hdr_len > MLX5_SEGMENT_MAX_HDR) {
        return MLX5_SEGMENT_HDR_TOO_LONG;
    }
    if (payload_len > MLX5_SEGMENT_MAX_PAYLOAD) {
        return MLX5_SEGMENT_PAYLOAD_TOO_LONG;
    }
    return MLX5_SEGMENT_OK;
}

Mlx5SegmentError mlx5_segment_init(Mlx5Segment *s, const uint8_t *hdr,
                                   size_t hdr_len, uint32_t payload_len,
                                   uint32_t mss)
{
    Mlx5SegmentError err = check_sizes(hdr_len, payload_len, mss);

    if (err) {
        return err;
    }
    mlx5_parse_headers(hdr, hdr_len, &s->pkt);
    s->outer.l3_type = MLX5_L3_NONE;
    err = check_packet(&s->pkt);
    return err ? err : init(s, hdr, hdr_len, payload_len, mss);
}

Mlx5SegmentError mlx5_segment_init_inner(Mlx5Segment *s, const uint8_t *hdr,
                                         size_t hdr_len,
                                         const Mlx5Packet *outer,
                                         const Mlx5Packet *inner,
                                         uint32_t payload_len, uint32_t mss)
{
    Mlx5SegmentError err = check_sizes(hdr_len, payload_len, mss);

    if (!err) {
        err = check_packet(inner);
    }
    if (err) {
        return err;
    }
    if (outer->l3_type == MLX5_L3_NONE) {
        return MLX5_SEGMENT_HDR_NOT_IP;
    }
    s->pkt = *inner;
    s->outer = *outer;
    return init(s, hdr, hdr_len, payload_len, mss);
}

bool mlx5_segment_done(const Mlx5Segment *s)
{
    return s->index && s->offset >= s->payload_len;
}

/* Inlined, since each segment comes here. */
static inline __attribute__((always_inline))
void fix_ip(Mlx5Segment *s, const Mlx5Packet *pkt, uint16_t ip_id,
            uint32_t slice)
{
    uint8_t *ip = s->hdr + pkt->l3_off;
    uint16_t len = (uint16_t)(ip_hdr_part(s, pkt) + slice);
    Mlx5Csum c = { 0 };

    if (pkt->l3_type == MLX5_L3_IPV6) {
        mlx5_put_be16(ip + IPV6_LEN_OFF, len);
        return;
    }
    mlx5_put_be16(ip + IPV4_LEN_OFF, len);
    mlx5_put_be16(ip + IPV4_ID_OFF, (uint16_t)(ip_id + s->index));
    mlx5_put_be16(ip + IPV4_CSUM_OFF, 0);
    mlx5_csum_add(&c, ip, pkt->l3_hdr_len);
    mlx5_put_be16(ip + IPV4_CSUM_OFF, (uint16_t)~mlx5_csum_fold(&c));
}

/* What carries a segment grows and shrinks with it. */
static void fix_outer(Mlx5Segment *s, uint32_t slice)
{
    fix_ip(s, &s->outer, s->outer_ip_id, slice);
    if (s->outer.l4_type == MLX5_L4_UDP) {
        mlx5_put_be16(s->hdr + s->outer.l4_off + UDP_LEN_OFF,
                      (uint16_t)(s->hdr_len - s->outer.l4_off + slice));
    }
}

static void fix_l4(Mlx5Segment *s, const uint8_t *slice, uint32_t len)
{
    uint8_t *l4 = s->hdr + s->pkt.l4_off;
    uint32_t l4_hlen = s->hdr_len - s->pkt.l4_off;
    bool udp = s->pkt.l4_type == MLX5_L4_UDP;
    uint8_t *field = l4 + (udp ? UDP_CSUM_OFF : TCP_CSUM_OFF);
    Mlx5Csum c = { 0 };
    uint16_t csum;

    if (udp) {
        mlx5_put_be16(l4 + UDP_LEN_OFF, (uint16_t)(l4_hlen + len));
    } else {
        uint16_t flags = s->pkt.tcp_flags;

        if (s->index) {
            flags &= ~MLX5_TCP_CWR;
        }
        if (s->offset + len < s->payload_len) {
            flags &= ~(MLX5_TCP_FIN | MLX5_TCP_PSH);
        }
        mlx5_put_be32(l4 + TCP_SEQ_OFF, s->pkt.tcp_seq + s->offset);
        /* keep NS and data offset */
        l4[TCP_FLAGS_OFF + 1] = (uint8_t)flags;
    }
    mlx5_put_be16(field, 0);
    mlx5_csum_add_pseudo(&c, &s->pkt, s->hdr, l4_hlen + len);
    mlx5_csum_add(&c, l4, l4_hlen);
    mlx5_csum_add(&c, slice, len);
    csum = (uint16_t)~mlx5_csum_fold(&c);
    if (udp && !csum) {
        csum = 0xffff;
    }
    mlx5_put_be16(field, csum);
}

size_t mlx5_segment_next(Mlx5Segment *s, const uint8_t *payload,
                         struct iovec iov[2])
{
    uint32_t len = s->payload_len - s->offset;

    if (mlx5_segment_done(s)) {
        return 0;
    }
    if (len > s->mss) {
        len = s->mss;
    }
    iov[0].iov_base = s->hdr;
    iov[0].iov_len = s->hdr_len;
    iov[1].iov_base = len ? (void *)(payload + s->offset) : NULL;
    iov[1].iov_len = len;
    if (s->outer.l3_type != MLX5_L3_NONE) {
        fix_outer(s, len);
    }
    fix_ip(s, &s->pkt, s->ip_id, len);
    fix_l4(s, iov[1].iov_base, len);
    s->offset += len;
    s->index++;
    return s->hdr_len + len;
}

size_t mlx5_vlan_insert(uint8_t *buf, size_t len, size_t cap, uint16_t tpid,
                        uint16_t tci)
{
    const size_t at = 2 * MLX5_ETH_ALEN;

    if (len < MLX5_ETH_HLEN || len > cap || cap - len < MLX5_VLAN_HLEN) {
        return 0;
    }
    memmove(buf + at + MLX5_VLAN_HLEN, buf + at, len - at);
    mlx5_put_be16(buf + at, tpid);
    mlx5_put_be16(buf + at + 2, tci);
    return len + MLX5_VLAN_HLEN;
}
