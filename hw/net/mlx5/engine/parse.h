/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet parser: where the headers of an Ethernet frame are and what they say.
 *
 * Responsible for every offset the two pipelines use: steering, RSS, checksum,
 * segmentation and TLS all read one Mlx5Packet instead of parsing again.
 * Owns no state: a Mlx5Packet is plain data that refers to its frame by offset,
 * never by pointer, so it stays right when the frame is copied.
 * Callable by anyone, from any thread.
 *
 * Every length in a frame is hostile. A frame is parsed as far as it is whole;
 * nothing at or behind `len` is read, and everything that is not known stays 0.
 */
#ifndef HW_NET_MLX5_ENGINE_PARSE_H
#define HW_NET_MLX5_ENGINE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MLX5_ETH_HLEN           14
#define MLX5_ETH_ALEN           6
#define MLX5_VLAN_HLEN          4
/*
 * Shortest frame on the wire, without FCS: the device pads up to it with zeros.
 */
#define MLX5_ETH_ZLEN           60
/*
 * A frame, or a header with its payload still elsewhere, longer than this is
 * parsed as if it ended here: all offsets fit 32 bits with room to spare.
 */
#define MLX5_PARSE_MAX_LEN      (1u << 20)
#define MLX5_PARSE_MAX_VLANS    2
/* IPv6 extension headers walked before the rest counts as unknown layer 4. */
#define MLX5_PARSE_MAX_EXT_HDRS 8

#define MLX5_ETH_P_IPV4         0x0800
#define MLX5_ETH_P_IPV6         0x86dd
#define MLX5_ETH_P_8021Q        0x8100
#define MLX5_ETH_P_8021AD       0x88a8

#define MLX5_IPPROTO_TCP        6
#define MLX5_IPPROTO_UDP        17
#define MLX5_IPPROTO_ESP        50
#define MLX5_IPPROTO_AH         51

/* The values are those of CQE rss_hash_type[3:2]. */
typedef enum Mlx5L3Type {
    MLX5_L3_NONE = 0,
    MLX5_L3_IPV4 = 1,
    MLX5_L3_IPV6 = 2,
} Mlx5L3Type;

/*
 * Layer 4 header that was found whole. The first three values are those of
 * fte_match_set_lyr_2_4.l4_type.
 */
typedef enum Mlx5L4Type {
    MLX5_L4_NONE = 0,
    MLX5_L4_TCP = 1,
    MLX5_L4_UDP = 2,
    MLX5_L4_ESP = 3,
    MLX5_L4_AH = 4,
} Mlx5L4Type;

/*
 * CQE l4_l3_hdr_type[3:2]: the other way round than rss_hash_type (rdma-core,
 * MLX5_CQE_L3_HDR_TYPE_*).
 */
enum {
    MLX5_CQE_L3_NONE = 0,
    MLX5_CQE_L3_IPV6 = 1,
    MLX5_CQE_L3_IPV4 = 2,
};

/* CQE l4_l3_hdr_type[6:4]. */
enum {
    MLX5_CQE_L4_NONE = 0,
    MLX5_CQE_L4_TCP_NO_ACK = 1,
    MLX5_CQE_L4_UDP = 2,
    MLX5_CQE_L4_TCP_ACK_NO_DATA = 3,
    MLX5_CQE_L4_TCP_ACK_AND_DATA = 4,
};

/*
 * The low nine bits of the TCP flags word, as fte_match_set_lyr_2_4.tcp_flags.
 */
enum {
    MLX5_TCP_FIN = 0x001,
    MLX5_TCP_SYN = 0x002,
    MLX5_TCP_RST = 0x004,
    MLX5_TCP_PSH = 0x008,
    MLX5_TCP_ACK = 0x010,
    MLX5_TCP_URG = 0x020,
    MLX5_TCP_ECE = 0x040,
    MLX5_TCP_CWR = 0x080,
    MLX5_TCP_NS = 0x100,
};

typedef struct Mlx5Packet {
    uint32_t len;               /* bytes of the frame, as given to
                                 * mlx5_parse() */

    /*
     * Layer 2. `l2_len` counts the Ethernet header and the tags in the frame; 0
     * means that the frame has no whole Ethernet header.
     */
    uint32_t l2_len;
    uint16_t ethertype;         /* behind the tags */
    uint8_t n_vlan;             /* tags found, outermost first */
    uint16_t vlan_tpid[MLX5_PARSE_MAX_VLANS];
    uint16_t vlan_tci[MLX5_PARSE_MAX_VLANS];
    bool is_multicast;          /* group bit of the destination, so broadcast
                                 * too */
    bool is_broadcast;

    /* Layer 3. `l3_type` is set when a whole and sane IP header was found. */
    Mlx5L3Type l3_type;
    uint32_t l3_off;            /* first byte behind layer 2, set for every
                                 * l2_len */
    uint32_t l3_hdr_len;        /* IPv4: ihl * 4; IPv6: 40 + extension
                                 * headers */
    uint32_t l3_len;            /* length the IP header claims, header
                                 * included */
    uint32_t l3_end;            /* min(l3_off + l3_len, len): padding begins
                                 * here */
    bool l3_truncated;          /* the IP packet claims more than the frame
                                 * holds */
    bool is_frag;               /* any fragment of a datagram */
    bool is_first_frag;         /* the one at offset 0 */
    bool ip_ce;                 /* ECN field is 3, congestion experienced */
    uint8_t ip_proto;           /* last next-header value that was reached */
    uint32_t src_ip_off;        /* 4 or 16 bytes at these offsets */
    uint32_t dst_ip_off;
    uint32_t pseudo_dst_off; /* destination of the pseudo header: differs from
                                 * dst_ip_off under an active routing header */

    /*
     * Layer 4. `l4_off` is where it starts, set as soon as layer 3 is whole and
     * this is no later fragment; `l4_type` only when its header is whole too.
     */
    uint32_t l4_off;
    Mlx5L4Type l4_type;
    uint32_t payload_off;       /* behind the layer 4 header */
    uint32_t payload_len;       /* up to l3_end, without padding */
    uint16_t sport;             /* TCP and UDP */
    uint16_t dport;
    uint32_t spi;               /* ESP and AH */
    uint32_t tcp_seq;
    uint32_t tcp_ack;
    uint16_t tcp_flags;         /* MLX5_TCP_* */

    /* Filled by mlx5_packet_check_csum(), false before. */
    bool csum_checked;
    bool l3_ok;
    bool l4_ok;
} Mlx5Packet;

/*
 * Parse a received frame.
 *
 * frame/@len: the frame without FCS, from the destination address on. @len may
 * be anything, 0 included; @frame may be NULL only when @len is 0.
 * @out: always filled completely.
 */
void mlx5_parse(const uint8_t *frame, size_t len, Mlx5Packet *out);

/*
 * Parse the headers of a frame whose payload is elsewhere, as an LSO WQE has
 * them inline: the length fields of IP are ignored (the driver leaves 0 or the
 * length of the whole burst there), so l3_end is @len.
 */
void mlx5_parse_headers(const uint8_t *hdr, size_t len, Mlx5Packet *out);

/*
 * Parse a frame of @len bytes of which only the first @have are at @frame, the
 * rest being elsewhere: headers are read up to @have, lengths are judged by
 * @len. mlx5_parse() is this with have = len.
 */
void mlx5_parse_prefix(const uint8_t *frame, size_t have, size_t len,
                       Mlx5Packet *out);

/*
 * Verify the checksums of a parsed frame once: fills l3_ok, l4_ok and
 * csum_checked; a second call on the same Mlx5Packet costs nothing.
 *
 * l3_ok: the IP header is sane and its checksum right (IPv6 has none to check).
 * l4_ok: a whole TCP or UDP segment, not a fragment, with the right checksum.
 * UDP over IPv4 without checksum counts as right, over IPv6 as wrong. Anything
 * else than TCP and UDP is false: the driver reads both bits as "all checksums
 * of this packet were verified".
 *
 * These are the CQE.hds_ip_ext bits L3_OK and L4_OK (driver: en_rx.c,
 * mlx5e_handle_csum).
 */
void mlx5_packet_check_csum(Mlx5Packet *pkt, const uint8_t *frame);

/*
 * Bits [6:2] of CQE.l4_l3_hdr_type: layer 3 type at [3:2], layer 4 type at
 * [6:4]. Bit 0 (VLAN stripped) is the caller's. Fragments have no layer 4 type.
 */
uint8_t mlx5_packet_cqe_hdr_type(const Mlx5Packet *pkt);

/* A TCP segment that is whole: what TLS can look at. */
static inline bool mlx5_packet_is_tcp_segment(const Mlx5Packet *pkt)
{
    return pkt->l4_type == MLX5_L4_TCP && !pkt->is_frag && !pkt->l3_truncated;
}

/* The TCP payload and its length (without padding), NULL when there is none. */
static inline const uint8_t *mlx5_packet_tcp_payload(const Mlx5Packet *pkt,
                                                     const uint8_t *frame,
                                                     uint32_t *len)
{
    if (pkt->l4_type != MLX5_L4_TCP || pkt->is_frag || !pkt->payload_len) {
        *len = 0;
        return NULL;
    }
    *len = pkt->payload_len;
    return frame + pkt->payload_off;
}

/* Big-endian loads and stores on bytes of any alignment. */
static inline uint16_t mlx5_get_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t mlx5_get_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static inline void mlx5_put_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void mlx5_put_be32(uint8_t *p, uint32_t v)
{
    mlx5_put_be16(p, (uint16_t)(v >> 16));
    mlx5_put_be16(p + 2, (uint16_t)v);
}

#endif
