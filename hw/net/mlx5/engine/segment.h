/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LSO: cuts the payload of one WQE into frames behind copies of its inline
 * header. VLAN tag insertion.
 *
 * A Mlx5Segment is plain data without pointers, so a send queue can stop
 * between two frames when the backend is full, keep the state, and go on later
 * (or elsewhere). The payload is never copied: frames are a header and a slice.
 * Callable by anyone; one Mlx5Segment by one thread at a time.
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
 * Ethernet + 2 tags + IPv6 with room for extension headers + TCP with all its
 * options. The driver's own limit of inline data is about 210 bytes.
 */
#define MLX5_SEGMENT_MAX_HDR        256
/* lso_max of the driver is 64 KiB, 256 KiB with BIG TCP. */
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
    X(HDR_EXCESS, "LSO inline header goes on behind its TCP or UDP header")

typedef enum Mlx5SegmentError {
#define MLX5_SEGMENT_ENUM(name, text) MLX5_SEGMENT_##name,
    MLX5_SEGMENT_ERRORS(MLX5_SEGMENT_ENUM)
#undef MLX5_SEGMENT_ENUM
    MLX5_SEGMENT_N_ERRORS
} Mlx5SegmentError;

/* The sentence of an error, never NULL. */
const char *mlx5_segment_strerror(Mlx5SegmentError err);

typedef struct Mlx5Segment {
    uint8_t hdr[MLX5_SEGMENT_MAX_HDR];  /* header of the frame last given out */
    uint32_t hdr_len;
    uint32_t payload_len;               /* bytes, all frames together */
    uint32_t offset;                    /* payload bytes given out so far */
    uint32_t index;                     /* frames given out so far */
    uint32_t mss;                       /* payload bytes per frame */
    Mlx5Packet pkt;                     /* parse of the WQE's header */
    uint16_t ip_id;                     /* IPv4 identification of the first
                                         * frame */
} Mlx5Segment;

/*
 * Begin to cut (PRM: WQE opcode LSO; driver: en_tx.c, mlx5e_sq_xmit_prepare).
 *
 * hdr/@hdr_len: the inline header, Ethernet up to and including TCP or UDP,
 * VLAN tags allowed, copied. @payload_len: 0..MLX5_SEGMENT_MAX_PAYLOAD; 0 gives
 * one frame without payload. @mss: payload bytes per frame, from eth_seg.mss.
 */
Mlx5SegmentError mlx5_segment_init(Mlx5Segment *s, const uint8_t *hdr,
                                   size_t hdr_len, uint32_t payload_len,
                                   uint32_t mss);

/* Have all frames been given out? */
bool mlx5_segment_done(const Mlx5Segment *s);

/*
 * The next frame, ready for the wire except for padding (which only a frame of
 * less than MLX5_ETH_ZLEN bytes needs):
 * - IPv4: total length, identification + index, header checksum;
 *   IPv6: payload length;
 * - TCP: sequence + index * mss; FIN and PSH only on the last frame, CWR only
 *   on the first; UDP: length; both with the full checksum.
 *
 * @payload: the whole payload, payload_len bytes, same bytes at every call.
 * iov[0] is the header and points into @s: good until the next call on @s.
 * iov[1] is a slice of @payload and may have length 0.
 *
 * Returns the length of the frame, 0 when all frames were given out.
 */
size_t mlx5_segment_next(Mlx5Segment *s, const uint8_t *payload,
                         struct iovec iov[2]);

/*
 * Insert a tag behind the two addresses (eth_seg: insert type and vlan_tci;
 * driver: en_tx.c, MLX5_ETH_WQE_INSERT_VLAN, with tpid 0x88a8 for
 * MLX5_ETH_WQE_SVLAN).
 *
 * buf holds @len bytes from the destination address on, @cap bytes of room.
 * Returns the new length, or 0 when len < 14 or there is no room: buf
 * unchanged.
 */
size_t mlx5_vlan_insert(uint8_t *buf, size_t len, size_t cap, uint16_t tpid,
                        uint16_t tci);

#endif
