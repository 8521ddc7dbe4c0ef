/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packet parser: offsets and contents of the headers of an Ethernet frame.
 *
 * Responsible for every offset used by the two pipelines: steering, RSS,
 * checksum, segmentation and TLS share one Mlx5Packet instead of parsing again.
 * Owns no state: a Mlx5Packet is plain data that refers to its frame by offset,
 * never by pointer, so it stays valid when the frame is copied. Callable by
 * anyone, from any thread.
 *
 * Lengths in a frame are not trusted. A frame is parsed as far as it is
 * complete; nothing at or after `len` is read, and unknown members stay 0.
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
 * Shortest frame on the wire, without FCS; the device pads with zeros up to it.
 */
#define MLX5_ETH_ZLEN           60
/*
 * A longer frame, or header with separate payload, is parsed as if it ended
 * here, so that all offsets fit into 32 bits with room to spare.
 */
#define MLX5_PARSE_MAX_LEN      (1u << 20)
#define MLX5_PARSE_MAX_VLANS    2
/* Number of IPv6 extension headers parsed; the rest is an unknown layer 4. */
#define MLX5_PARSE_MAX_EXT_HDRS 8

#define MLX5_ETH_P_IPV4         0x0800
#define MLX5_ETH_P_IPV6         0x86dd
#define MLX5_ETH_P_8021Q        0x8100
#define MLX5_ETH_P_8021AD       0x88a8

#define MLX5_ETH_P_MAC_CONTROL  0x8808
#define MLX5_ETH_P_TEB          0x6558  /* Ethernet in GRE */

#define MLX5_IPPROTO_IPIP       4
#define MLX5_IPPROTO_TCP        6
#define MLX5_IPPROTO_UDP        17
#define MLX5_IPPROTO_IPV6       41
#define MLX5_IPPROTO_GRE        47
#define MLX5_IPPROTO_ESP        50
#define MLX5_IPPROTO_AH         51

/* The values are those of CQE rss_hash_type[3:2]. */
typedef enum Mlx5L3Type {
    MLX5_L3_NONE = 0,
    MLX5_L3_IPV4 = 1,
    MLX5_L3_IPV6 = 2,
} Mlx5L3Type;

/*
 * Type of the layer 4 header, if complete. The first three values are those of
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
 * CQE l4_l3_hdr_type[3:2]; the reverse of rss_hash_type (rdma-core,
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
     * means that the frame has no whole Ethernet header, or that the tunnel
     * carries IP without one. `l2_off` is 0 unless the packet is in a tunnel.
     */
    uint32_t l2_off;
    uint32_t l2_len;
    uint16_t ethertype;         /* after the tags */
    uint8_t n_vlan;             /* tags found, outermost first */
    uint16_t vlan_tpid[MLX5_PARSE_MAX_VLANS];
    uint16_t vlan_tci[MLX5_PARSE_MAX_VLANS];
    bool is_multicast;          /* group bit of the destination; includes
                                 * broadcast */
    bool is_broadcast;

    /* Layer 3. `l3_type` is set if there is a complete and valid IP header. */
    Mlx5L3Type l3_type;
    bool l3_len_ignored;        /* parsed by mlx5_parse_headers() */
    uint32_t l3_off;            /* first byte behind layer 2, set for every
                                 * l2_len */
    uint32_t l3_hdr_len;        /* IPv4: ihl * 4; IPv6: 40 + extension
                                 * headers */
    uint32_t l3_len;            /* length according to the IP header, header
                                 * included */
    uint32_t l3_end;            /* min(l3_off + l3_len, len): padding begins
                                 * here */
    bool l3_truncated;          /* l3_len exceeds the frame */
    bool is_frag;               /* any fragment of a datagram */
    bool is_first_frag;         /* the one at offset 0 */
    bool ip_ce;                 /* ECN field is 3, congestion experienced */
    uint8_t ip_proto;           /* last next-header value reached */
    uint32_t src_ip_off;        /* offsets of 4 or 16 bytes */
    uint32_t dst_ip_off;
    uint32_t pseudo_dst_off; /* destination for the pseudo header; differs from
                              * dst_ip_off if a routing header is active */

    /*
     * Layer 4. `l4_off` is its start, set if layer 3 is complete and this is
     * not a later fragment; `l4_type` is only set if its header is complete
     * too.
     */
    uint32_t l4_off;
    Mlx5L4Type l4_type;
    uint32_t payload_off;       /* after the layer 4 header */
    uint32_t payload_len;       /* up to l3_end, without padding */
    uint16_t sport;             /* TCP and UDP */
    uint16_t dport;
    uint32_t spi;               /* ESP and AH */
    uint32_t tcp_seq;
    uint32_t tcp_ack;
    uint16_t tcp_flags;         /* MLX5_TCP_* */

    /* Set by mlx5_packet_check_csum(), false before. */
    bool csum_checked;
    bool l3_ok;
    bool l4_ok;
} Mlx5Packet;

/*
 * Parses a received frame.
 *
 * frame/@len: the frame without FCS, from the destination address on. @len may
 * have any value, including 0; @frame may be NULL only if @len is 0.
 * @out: always completely initialized.
 */
void mlx5_parse(const uint8_t *frame, size_t len, Mlx5Packet *out);

/*
 * Parses the headers of a frame with separate payload, like the inline headers
 * of an LSO WQE. The length fields of IP are ignored (the driver leaves 0 or
 * the length of the whole burst there), so l3_end is @len.
 */
void mlx5_parse_headers(const uint8_t *hdr, size_t len, Mlx5Packet *out);

/*
 * Parses a frame of @len bytes of which only the first @have are at @frame:
 * headers are read up to @have, lengths are checked against @len. mlx5_parse()
 * is the case have = len.
 */
void mlx5_parse_prefix(const uint8_t *frame, size_t have, size_t len,
                       Mlx5Packet *out);

/* ---- tunnels ------------------------------------------------------------- */

/* ADD_VXLAN_UDP_DPORT: destination ports of VXLAN. */
#define MLX5_PARSE_MAX_VXLAN_PORTS 4

typedef struct Mlx5VxlanPorts {
    unsigned n;
    uint16_t port[MLX5_PARSE_MAX_VXLAN_PORTS];
} Mlx5VxlanPorts;

/*
 * Could a packet carry another one? Cheap, for the many that do not: whether it
 * does is known after mlx5_parse_inner().
 */
static inline bool mlx5_packet_may_tunnel(const Mlx5Packet *pkt,
                                          const Mlx5VxlanPorts *ports)
{
    unsigned i;

    switch (pkt->ip_proto) {
    case MLX5_IPPROTO_UDP:
        for (i = 0; i < ports->n; i++) {
            if (pkt->dport == ports->port[i]) {
                return true;
            }
        }
        return false;
    case MLX5_IPPROTO_GRE:
    case MLX5_IPPROTO_IPIP:
    case MLX5_IPPROTO_IPV6:
        return true;
    default:
        return false;
    }
}

/*
 * Parse the packet that a parsed one carries in VXLAN (to one of @ports, with
 * the I flag), GRE version 0 (IPv4, IPv6 or Ethernet inside) or IP in IP. It
 * ends with the IP packet that carries it; its offsets count from the beginning
 * of the frame, its `len` is the frame's. Only one level is looked into.
 *
 * @have: bytes at @frame, as for mlx5_parse_prefix(); lengths are judged as
 * those of @outer were.
 *
 * Returns whether there is such a packet, whose layer 3 may still be none; else
 * *@inner is undefined.
 */
bool mlx5_parse_inner(const uint8_t *frame, size_t have,
                      const Mlx5Packet *outer, const Mlx5VxlanPorts *ports,
                      Mlx5Packet *inner);

/*
 * Where a WQE says the headers are (PRM: software parser; driver: en/txrx.h,
 * mlx5e_set_eseg_swp): wqe_eth.swp_*, offsets in words of two bytes, 0 for
 * none.
 */
typedef struct Mlx5Swp {
    uint8_t outer_l3_offset;
    uint8_t outer_l4_offset;
    uint8_t inner_l3_offset;
    uint8_t inner_l4_offset;
    uint8_t flags;              /* MLX5_SWP_* */
} Mlx5Swp;

enum {
    MLX5_SWP_INNER_L3_IPV6 = 0x01,
    MLX5_SWP_INNER_L4_UDP = 0x02,
    MLX5_SWP_OUTER_L3_IPV6 = 0x10,
    MLX5_SWP_OUTER_L4_UDP = 0x20,
};

static inline bool mlx5_swp_used(const Mlx5Swp *swp)
{
    return swp->outer_l3_offset || swp->inner_l3_offset;
}

/*
 * Take the headers of a frame from where @swp says they are. @outer is the
 * parse of the frame: it gives layer 2, lengths are judged as it was, and it is
 * replaced as far as @swp has outer offsets. *@inner is filled when there is an
 * inner layer 3 offset.
 *
 * Returns false if a header is not where @swp says, or is not whole.
 */
bool mlx5_parse_swp(const uint8_t *frame, size_t have, const Mlx5Swp *swp,
                    Mlx5Packet *outer, Mlx5Packet *inner);

/* ---- checksums, completions ---------------------------------------------- */

/*
 * Verifies the checksums of a parsed frame and sets l3_ok, l4_ok and
 * csum_checked; further calls for the same Mlx5Packet do nothing.
 *
 * l3_ok: the IP header is valid and its checksum correct (IPv6 has none).
 * l4_ok: a complete TCP or UDP segment, not a fragment, with a correct
 * checksum. UDP without checksum counts as correct over IPv4, as wrong over
 * IPv6. Other protocols are false: the driver reads both bits together as "all
 * checksums of this packet were verified".
 *
 * These are the CQE.hds_ip_ext bits L3_OK and L4_OK (driver: en_rx.c,
 * mlx5e_handle_csum).
 */
void mlx5_packet_check_csum(Mlx5Packet *pkt, const uint8_t *frame);

/*
 * Is every checksum of layer 4 right in what carries another packet? UDP may
 * have none, over IPv6 too (RFC 6935), GRE has one by choice, IP none.
 * mlx5_packet_check_csum() has seen @outer.
 */
bool mlx5_packet_tunnel_csum_ok(const Mlx5Packet *outer, const uint8_t *frame);

/*
 * Bits [6:2] of CQE.l4_l3_hdr_type: layer 3 type at [3:2], layer 4 type at
 * [6:4]. Bit 0 (VLAN stripped) is the caller's. Fragments have no layer 4 type.
 */
uint8_t mlx5_packet_cqe_hdr_type(const Mlx5Packet *pkt);

/*
 * Returns whether this is a complete TCP segment, as TLS processing requires.
 */
static inline bool mlx5_packet_is_tcp_segment(const Mlx5Packet *pkt)
{
    return pkt->l4_type == MLX5_L4_TCP && !pkt->is_frag && !pkt->l3_truncated;
}

/* Returns the TCP payload and its length (without padding), or NULL if none. */
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

/* Big-endian loads and stores at any alignment. */
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
