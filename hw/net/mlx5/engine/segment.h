/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSO: cuts the payload of one WQE into frames behind copies of its inline
 * header, which may be that of a packet in a tunnel. VLAN tag insertion.
 *
 * A Mlx5Segment is plain data without pointers, so a send queue can stop
 * between two frames when the backend is full, keep the state, and continue
 * later. The payload is never copied: a frame is a header and a slice. Callable
 * by anyone; a Mlx5Segment by one thread at a time.
 */
#ifndef HW_NET_MLX5_ENGINE_SEGMENT_H
#define HW_NET_MLX5_ENGINE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "csum.h"
#include "parse.h"

/*
 * Ethernet + 2 tags + IPv6 with room for extension headers + TCP with maximum
 * options. The driver limits inline data to about 210 bytes.
 */
#define MLX5_SEGMENT_MAX_HDR        256
/* The driver's lso_max is 64 KiB, 256 KiB with BIG TCP. */
#define MLX5_SEGMENT_MAX_PAYLOAD    (256u * 1024)

/* X(name, sentence for the log) */
#define MLX5_SEGMENT_ERRORS(X)                                                \
    X(OK, "no error")                                                         \
    X(MSS_ZERO, "LSO with eth_seg.mss 0")                                     \
    X(MSS_TOO_BIG, "LSO mss makes an IP packet longer than 65535 bytes")      \
    X(HDR_TOO_LONG, "LSO inline header longer than 256 bytes")                \
    X(PAYLOAD_TOO_LONG, "LSO payload longer than 256 KiB")                    \
    X(HDR_NOT_IP, "LSO inline header holds no whole IPv4 or IPv6 header")     \
    X(HDR_FRAGMENT, "LSO inline header is that of an IP fragment")            \
    X(HDR_NOT_L4, "LSO inline header holds no whole TCP or UDP header")       \
    X(HDR_EXCESS, "LSO inline header goes on behind its TCP or UDP header")   \
    X(HDR_NOT_TUNNEL, "LSO with inner checksums of what is no tunnel")

typedef enum Mlx5SegmentError {
#define MLX5_SEGMENT_ENUM(name, text) MLX5_SEGMENT_##name,
    MLX5_SEGMENT_ERRORS(MLX5_SEGMENT_ENUM)
#undef MLX5_SEGMENT_ENUM
    MLX5_SEGMENT_N_ERRORS
} Mlx5SegmentError;

/* Returns the sentence for an error, never NULL. */
const char *mlx5_segment_strerror(Mlx5SegmentError err);

typedef struct Mlx5Segment {
    uint8_t hdr[MLX5_SEGMENT_MAX_HDR];  /* header of the last frame returned */
    uint32_t hdr_len;
    uint32_t payload_len;               /* total bytes of all frames */
    uint32_t offset;                    /* payload bytes returned so far */
    uint32_t index;                     /* frames returned so far */
    uint32_t mss;                       /* payload bytes per frame */
    Mlx5Packet pkt;                     /* the packet that is cut */
    Mlx5Packet outer;                   /* the one that carries it; l3_type is
                                         * none without a tunnel */
    uint16_t ip_id;                     /* IPv4 identification of the first */
    uint16_t outer_ip_id;               /* frame, of both */
} Mlx5Segment;

/*
 * Start segmentation (PRM: WQE opcode LSO; driver: en_tx.c,
 * mlx5e_sq_xmit_prepare).
 *
 * hdr/@hdr_len: the inline header, Ethernet up to and including TCP or UDP,
 * VLAN tags allowed, copied. @payload_len: 0..MLX5_SEGMENT_MAX_PAYLOAD; 0 gives
 * one frame without payload. @mss: payload bytes per frame, from eth_seg.mss.
 */
Mlx5SegmentError mlx5_segment_init(Mlx5Segment *s, const uint8_t *hdr,
                                   size_t hdr_len, uint32_t payload_len,
                                   uint32_t mss);

/*
 * The same for the packet in a tunnel: @hdr goes up to and including the inner
 * TCP or UDP header. @outer and @inner are its parse by mlx5_parse_headers()
 * and mlx5_parse_inner() or mlx5_parse_swp().
 */
Mlx5SegmentError mlx5_segment_init_inner(Mlx5Segment *s, const uint8_t *hdr,
                                         size_t hdr_len,
                                         const Mlx5Packet *outer,
                                         const Mlx5Packet *inner,
                                         uint32_t payload_len, uint32_t mss);

/* Have all frames been given out? */
bool mlx5_segment_done(const Mlx5Segment *s);

/*
 * Builds the next frame, ready for the wire except for padding (needed below
 * MLX5_ETH_ZLEN bytes):
 * - IPv4: total length, identification + index, header checksum;
 *   IPv6: payload length;
 * - TCP: sequence + index * mss; FIN and PSH only on the last frame, CWR only
 *   on the first; UDP: length; both with the full checksum;
 * - in a tunnel all this of the inner packet, and of the outer one IP as above
 *   and the length of UDP. Checksums of UDP and GRE outside stay as they are in
 *   the header: drivers have them right for frames of equal length (Linux: GSO
 *   partial), which 0 is too.
 *
 * @payload: the whole payload, payload_len bytes, the same in every call.
 * iov[0] is the header and points into @s: valid until the next call for @s.
 * iov[1] is a slice of @payload and may have length 0.
 *
 * Returns the length of the frame, or 0 after the last frame.
 */
size_t mlx5_segment_next(Mlx5Segment *s, const uint8_t *payload,
                         struct iovec iov[2]);

/*
 * Insert a tag after the two addresses (eth_seg: insert type and vlan_tci;
 * driver: en_tx.c, MLX5_ETH_WQE_INSERT_VLAN, with tpid 0x88a8 for
 * MLX5_ETH_WQE_SVLAN).
 *
 * buf holds @len bytes from the destination address on, with room for @cap
 * bytes. Returns the new length, or 0 with buf unchanged if len < 14 or there
 * is no room.
 */
size_t mlx5_vlan_insert(uint8_t *buf, size_t len, size_t cap, uint16_t tpid,
                        uint16_t tci);

#endif
