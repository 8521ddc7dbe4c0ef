/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large receive offload (LRO): which received TCP segments may be joined into
 * one packet, and the joining (driver: en_rx.c, mlx5e_lro_update_hdr).
 *
 * The rules are those of the kernel's own GRO (tcp_gro_receive,
 * inet_gro_receive, ipv6_gro_receive): segments of one connection, each behind
 * the one before it, are joined if their headers agree in everything but
 * length, sequence number, checksums, PSH, and an IPv4 id that either stays or
 * counts up. What the driver could not make a header of is left alone: IP
 * options, extension headers, and TCP options other than a timestamp in its
 * usual place.
 *
 * An Mlx5LroSession is plain data but for its buffer; callable by anyone, a
 * session by one thread at a time.
 */
#ifndef HW_NET_MLX5_ENGINE_LRO_H
#define HW_NET_MLX5_ENGINE_LRO_H

#include <stdbool.h>
#include <stdint.h>

#include "parse.h"

/* A joined frame: mpwqe_byte_cnt has 16 bits. */
#define MLX5_LRO_MAX_FRAME 0xffff
/* cqe.lro_num_seg has 8 bits. */
#define MLX5_LRO_MAX_SEGS 0xff
/* Shortest payload that is joined; announced as lro_min_mss_size. */
#define MLX5_LRO_MIN_MSS 1

/* tirc.packet_merge_mask (PRM; mlx5_ifc.h, MLX5_TIRC_PACKET_MERGE_MASK_*) */
enum {
    MLX5_LRO_IPV4 = 1 << 0,
    MLX5_LRO_IPV6 = 1 << 1,
};

/* How long a joined packet may be. */
typedef struct Mlx5LroLimits {
    uint32_t max_ip_payload; /* TCP header and payload */
    uint32_t max_frame;      /* all of it */
} Mlx5LroLimits;

/* The segments joined so far. */
typedef struct Mlx5LroSession {
    /*
     * The first segment's frame as received, with the other payloads behind
     * its own; MLX5_LRO_MAX_FRAME bytes, the caller's.
     */
    uint8_t *buf;
    uint32_t len;       /* bytes in it */
    Mlx5Packet first;   /* the parse of the first segment */
    Mlx5LroLimits limits;
    unsigned segs;      /* cqe.lro_num_seg */
    uint32_t next_seq;  /* sequence number that continues it */
    uint16_t ip_id;     /* of the last segment */
    bool ip_id_counts;  /* known with the second segment */
    bool psh;           /* the last segment has PSH */
} Mlx5LroSession;

typedef enum Mlx5LroResult {
    MLX5_LRO_REFUSED = 0, /* not joined; the session is unchanged */
    MLX5_LRO_JOINED,
    MLX5_LRO_ENDED,       /* joined, and nothing may follow */
} Mlx5LroResult;

/*
 * May this packet be joined with others at all? Checksums have been verified
 * (mlx5_packet_check_csum()). @kinds: MLX5_LRO_IPV4 and MLX5_LRO_IPV6.
 */
bool mlx5_lro_candidate(const Mlx5Packet *pkt, const uint8_t *frame,
                        unsigned kinds);

/*
 * Is it worth waiting for what follows this candidate? Not if it has PSH,
 * padding, or no room for another segment as long within @limits.
 */
bool mlx5_lro_may_open(const Mlx5Packet *pkt, const Mlx5LroLimits *limits);

/* Starts a session with such a packet; @s->buf is set. */
void mlx5_lro_open(Mlx5LroSession *s, const Mlx5Packet *pkt,
                   const uint8_t *frame, const Mlx5LroLimits *limits);

/*
 * Is this TCP segment, candidate or not, of the session's connection? That is
 * IP version, addresses and ports: what has the same and is not joined must not
 * overtake the session.
 */
bool mlx5_lro_same_flow(const Mlx5LroSession *s, const Mlx5Packet *pkt,
                        const uint8_t *frame);

/* Joins a candidate of the session's connection to it, if the rules allow. */
Mlx5LroResult mlx5_lro_join(Mlx5LroSession *s, const Mlx5Packet *pkt,
                            const uint8_t *frame);

/*
 * The fields of the CQE of a joined packet (cqe.lro and check_sum), from which
 * the driver makes the header: sizes of IP are not in it.
 */
typedef struct Mlx5LroCqe {
    uint8_t lro_num_seg;
    bool lro_tcppsh;
    uint8_t lro_min_ttl;
    uint16_t lro_tcp_win;
    uint32_t lro_ack_seq_num;
    uint16_t check_sum; /* over the TCP payload, not inverted */
} Mlx5LroCqe;

void mlx5_lro_cqe(const Mlx5LroSession *s, Mlx5LroCqe *cqe);

#endif
