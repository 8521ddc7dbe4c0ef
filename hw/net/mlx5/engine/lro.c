/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Large receive offload: the joining rules; see lro.h. */
#include <string.h>

#include "csum.h"
#include "lro.h"

enum {
    IPV4_HLEN = 20,
    IPV4_ID_OFF = 4,
    IPV4_FRAG_OFF = 6,
    IPV4_TTL_OFF = 8,
    IPV6_HLEN = 40,
    IPV6_NEXT_OFF = 6,
    IPV6_HOP_OFF = 7,
    TCP_HLEN = 20,
    TCP_ACK_OFF = 8,
    TCP_FLAGS_OFF = 12, /* data offset, flags, window */
    TCP_WINDOW_OFF = 14,
    TCP_TS_LEN = 12, /* two NOPs, and the option */
};

/* The bits of the word at TCP_FLAGS_OFF that may differ. */
#define TCP_PSH_BIT ((uint32_t)MLX5_TCP_PSH << 16)

static bool ipv4(const Mlx5Packet *pkt)
{
    return pkt->l3_type == MLX5_L3_IPV4;
}

/* No options, or a timestamp where everybody puts it. */
static bool plain_options(const Mlx5Packet *pkt, const uint8_t *frame)
{
    static const uint8_t ts[] = { 1, 1, 8, 10 }; /* NOP, NOP, timestamp */
    const uint8_t *opt = frame + pkt->l4_off + TCP_HLEN;

    switch (pkt->payload_off - pkt->l4_off) {
    case TCP_HLEN:
        return true;
    case TCP_HLEN + TCP_TS_LEN:
        return !memcmp(opt, ts, sizeof(ts));
    default:
        return false;
    }
}

bool mlx5_lro_candidate(const Mlx5Packet *pkt, const uint8_t *frame,
                        unsigned kinds)
{
    if (!mlx5_packet_is_tcp_segment(pkt) || !pkt->l3_ok || !pkt->l4_ok ||
        !pkt->l2_len || pkt->payload_len < MLX5_LRO_MIN_MSS) {
        return false;
    }
    if (!(kinds & (ipv4(pkt) ? MLX5_LRO_IPV4 : MLX5_LRO_IPV6)) ||
        pkt->l3_hdr_len != (ipv4(pkt) ? IPV4_HLEN : IPV6_HLEN)) {
        return false;
    }
    if ((pkt->tcp_flags & (MLX5_TCP_FIN | MLX5_TCP_SYN | MLX5_TCP_RST |
                           MLX5_TCP_URG | MLX5_TCP_ACK)) != MLX5_TCP_ACK) {
        return false;
    }
    return plain_options(pkt, frame);
}

/* Is there room for @more bytes behind a frame of @len? */
static bool fits(const Mlx5LroLimits *limits, const Mlx5Packet *first,
                 uint32_t len, uint32_t more)
{
    return len + more <= limits->max_frame &&
           len - first->l4_off + more <= limits->max_ip_payload &&
           len - first->l3_off + more <= UINT16_MAX;
}

bool mlx5_lro_may_open(const Mlx5Packet *pkt, const Mlx5LroLimits *limits)
{
    return !(pkt->tcp_flags & MLX5_TCP_PSH) && pkt->len == pkt->l3_end &&
           fits(limits, pkt, pkt->len, MLX5_LRO_MIN_MSS);
}

static uint16_t ip_id(const Mlx5Packet *pkt, const uint8_t *frame)
{
    return ipv4(pkt) ? mlx5_get_be16(frame + pkt->l3_off + IPV4_ID_OFF) : 0;
}

void mlx5_lro_open(Mlx5LroSession *s, const Mlx5Packet *pkt,
                   const uint8_t *frame, const Mlx5LroLimits *limits)
{
    memcpy(s->buf, frame, pkt->len);
    s->len = pkt->len;
    s->first = *pkt;
    s->limits = *limits;
    s->segs = 1;
    s->next_seq = pkt->tcp_seq + pkt->payload_len;
    s->ip_id = ip_id(pkt, frame);
    s->ip_id_counts = false;
    s->psh = false;
}

bool mlx5_lro_same_flow(const Mlx5LroSession *s, const Mlx5Packet *pkt,
                        const uint8_t *frame)
{
    const Mlx5Packet *first = &s->first;
    size_t alen = ipv4(pkt) ? 4 : 16;

    return pkt->sport == first->sport && pkt->dport == first->dport &&
           pkt->l3_type == first->l3_type &&
           !memcmp(frame + pkt->src_ip_off, s->buf + first->src_ip_off, alen) &&
           !memcmp(frame + pkt->dst_ip_off, s->buf + first->dst_ip_off, alen);
}

/* Behind the addresses, which are equal: does the header agree with @to? */
static bool same_ip(const Mlx5LroSession *s, const uint8_t *ip,
                    const uint8_t *to)
{
    if (!ipv4(&s->first)) {
        return !memcmp(ip, to, 4) && /* version, traffic class, flow label */
               ip[IPV6_NEXT_OFF] == to[IPV6_NEXT_OFF] &&
               ip[IPV6_HOP_OFF] == to[IPV6_HOP_OFF];
    }
    return ip[0] == to[0] && ip[1] == to[1] && /* length, TOS */
           !memcmp(ip + IPV4_FRAG_OFF, to + IPV4_FRAG_OFF, 2) &&
           ip[IPV4_TTL_OFF] == to[IPV4_TTL_OFF];
}

/* The same for TCP, of which @hdr_len bytes are header. */
static bool same_tcp(const uint8_t *tcp, const uint8_t *to, uint32_t hdr_len)
{
    return !memcmp(tcp + TCP_ACK_OFF, to + TCP_ACK_OFF, 4) &&
           !((mlx5_get_be32(tcp + TCP_FLAGS_OFF) ^
              mlx5_get_be32(to + TCP_FLAGS_OFF)) & ~TCP_PSH_BIT) &&
           !memcmp(tcp + TCP_HLEN, to + TCP_HLEN, hdr_len - TCP_HLEN);
}

/* An id that stays, or counts up; which, the second segment says. */
static bool id_continues(const Mlx5LroSession *s, uint16_t id)
{
    uint16_t step = (uint16_t)(id - s->ip_id);

    return s->segs == 1 ? step <= 1 : step == s->ip_id_counts;
}

Mlx5LroResult mlx5_lro_join(Mlx5LroSession *s, const Mlx5Packet *pkt,
                            const uint8_t *frame)
{
    const Mlx5Packet *first = &s->first;
    uint16_t id = ip_id(pkt, frame);

    if (pkt->tcp_seq != s->next_seq || pkt->payload_len > first->payload_len ||
        pkt->l3_off != first->l3_off ||
        pkt->payload_off != first->payload_off ||
        memcmp(frame, s->buf, first->l3_off) ||
        !same_ip(s, frame + pkt->l3_off, s->buf + first->l3_off) ||
        !same_tcp(frame + pkt->l4_off, s->buf + first->l4_off,
                  pkt->payload_off - pkt->l4_off) ||
        (ipv4(pkt) && !id_continues(s, id)) ||
        !fits(&s->limits, first, s->len, pkt->payload_len)) {
        return MLX5_LRO_REFUSED;
    }
    memcpy(s->buf + s->len, frame + pkt->payload_off, pkt->payload_len);
    s->len += pkt->payload_len;
    s->next_seq += pkt->payload_len;
    s->ip_id_counts = id != s->ip_id;
    s->ip_id = id;
    s->psh = pkt->tcp_flags & MLX5_TCP_PSH;
    s->segs++;
    if (s->psh || pkt->payload_len < first->payload_len ||
        s->segs == MLX5_LRO_MAX_SEGS) {
        return MLX5_LRO_ENDED;
    }
    return MLX5_LRO_JOINED;
}

void mlx5_lro_cqe(const Mlx5LroSession *s, Mlx5LroCqe *cqe)
{
    const Mlx5Packet *first = &s->first;
    const uint8_t *ip = s->buf + first->l3_off;
    Mlx5Csum sum = { 0 };

    mlx5_csum_add(&sum, s->buf + first->payload_off,
                  s->len - first->payload_off);
    *cqe = (Mlx5LroCqe) {
        .lro_num_seg = (uint8_t)s->segs,
        .lro_tcppsh = s->psh,
        .lro_min_ttl = ip[ipv4(first) ? IPV4_TTL_OFF : IPV6_HOP_OFF],
        .lro_tcp_win = mlx5_get_be16(s->buf + first->l4_off + TCP_WINDOW_OFF),
        .lro_ack_seq_num = first->tcp_ack,
        .check_sum = mlx5_csum_fold(&sum),
    };
}
