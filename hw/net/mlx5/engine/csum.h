/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet checksums: sums over buffers and vectors, pseudo headers, filling in
 * IPv4, TCP and UDP checksums on transmit, and the sum in receive CQEs.
 *
 * Owns no state. Callable by anyone, from any thread.
 *
 * All sums are RFC 1071 sums over the data as big-endian 16-bit words, in host
 * byte order: store them with a BE16 store.
 */
#ifndef HW_NET_MLX5_ENGINE_CSUM_H
#define HW_NET_MLX5_ENGINE_CSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "parse.h"

/* wqe_eth_seg.cs_flags */
#define MLX5_ETH_WQE_L3_INNER_CSUM  0x10
#define MLX5_ETH_WQE_L4_INNER_CSUM  0x20
#define MLX5_ETH_WQE_L3_CSUM        0x40
#define MLX5_ETH_WQE_L4_CSUM        0x80
#define MLX5_ETH_WQE_INNER_CSUM \
    (MLX5_ETH_WQE_L3_INNER_CSUM | MLX5_ETH_WQE_L4_INNER_CSUM)

/*
 * A sum in progress. Pieces may have any length and alignment: after a piece of
 * odd length the next one continues in the second byte of the word. Start from
 * all zeros; `sum` has an internal format, read it with mlx5_csum_fold().
 */
typedef struct Mlx5Csum {
    uint64_t sum;
    bool odd;
} Mlx5Csum;

void mlx5_csum_add(Mlx5Csum *c, const void *buf, size_t len);

/*
 * Add one 16-bit word, as if at an even offset, whatever the current position.
 */
void mlx5_csum_add_be16(Mlx5Csum *c, uint16_t word);

/* Return the folded sum, 0..0xffff, NOT inverted. */
uint16_t mlx5_csum_fold(const Mlx5Csum *c);

/*
 * Add the TCP/UDP pseudo header of a parsed packet: source, destination (the
 * final one if there is an IPv6 routing header), protocol and @l4_len, the
 * combined length of layer 4 header and payload. pkt->l3_type must not be
 * MLX5_L3_NONE.
 */
void mlx5_csum_add_pseudo(Mlx5Csum *c, const Mlx5Packet *pkt,
                          const uint8_t *frame, uint32_t l4_len);

/*
 * Get the length field of a UDP header, header included. Returns false and
 * leaves *l4_len unchanged if it is invalid: less than 8 or beyond the IP
 * packet.
 */
bool mlx5_csum_udp_len(const Mlx5Packet *pkt, const uint8_t *frame,
                       uint32_t *l4_len);

/*
 * The checksums written by mlx5_csum_fill(): MLX5_ETH_WQE_L3_CSUM and
 * MLX5_ETH_WQE_L4_CSUM or'ed, or 0.
 */
typedef unsigned Mlx5CsumDone;

/*
 * Write the checksums requested by eth_seg.cs_flags into a frame to be sent
 * (driver: en_tx.c, mlx5e_txwqe_build_eseg_csum). The previous contents of the
 * checksum fields are ignored. The IP lengths must be final; padding after them
 * is not summed. The frame may have VLAN tags.
 *
 * @want_l3: the IPv4 header checksum. Nothing to do for IPv6. @want_l4: TCP or
 * UDP with pseudo header; a UDP result of 0 is sent as 0xffff.
 *
 * Returns the checksums written. A frame without the header in question (not
 * IP, a fragment, truncated) is left unchanged: the result lacks the bit, and
 * the caller decides whether that is an error.
 */
Mlx5CsumDone mlx5_csum_fill(uint8_t *frame, size_t len, bool want_l3,
                            bool want_l4);

/* The same for a frame whose parse is @pkt, which may be an inner packet. */
Mlx5CsumDone mlx5_csum_fill_packet(uint8_t *frame, const Mlx5Packet *pkt,
                                   bool want_l3, bool want_l4);

/*
 * The same for a frame in pieces: all headers are in @hdr (which may also
 * contain payload), the rest is in @iov and is only read.
 */
Mlx5CsumDone mlx5_csum_fill_iov(uint8_t *hdr, size_t hdr_len,
                                const struct iovec *iov, size_t iovcnt,
                                bool want_l3, bool want_l4);

/*
 * CQE.check_sum under cqe_checksum_full = 1: the folded, NOT inverted sum over
 * every byte of the delivered frame after its 14-byte Ethernet header,
 * including VLAN tags left in the frame and padding. Pass the frame as
 * delivered, that is, after VLAN stripping.
 *
 * Byte order: the result is stored as BE16 at CQE + 0x14. The driver uses the
 * two bytes in memory order as the skb's unfolded sum (en_rx.c,
 * mlx5e_handle_csum, csum_unfold); a one's complement sum has the same bytes in
 * memory in either byte order. An odd last byte counts as the first byte of a
 * word. The sum starts 14 bytes into the frame, an even offset. Frames of 14
 * bytes or less give 0.
 */
uint16_t mlx5_csum_cqe_full(const uint8_t *frame, size_t len);

#endif
