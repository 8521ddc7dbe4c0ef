/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet checksums: sums over buffers and vectors, pseudo headers, filling of
 * IPv4, TCP and UDP checksums on transmit, and the sum a receive CQE carries.
 *
 * Owns no state. Callable by anyone, from any thread.
 *
 * All sums here are the numbers that RFC 1071 gets by adding the data up as
 * big-endian 16-bit words, in host byte order: store them with a BE16 store.
 */
#ifndef HW_NET_MLX5_ENGINE_CSUM_H
#define HW_NET_MLX5_ENGINE_CSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "parse.h"

/*
 * wqe_eth_seg.cs_flags bits that mlx5_csum_fill() knows. The bits for inner
 * headers (0x10, 0x20) belong to tunnel offloads that are not advertised.
 */
#define MLX5_ETH_WQE_L3_CSUM    0x40
#define MLX5_ETH_WQE_L4_CSUM    0x80

/*
 * A sum that is being added up. Pieces may have any length and alignment: an
 * odd piece is continued at the right half of its word by the next one.
 * Start from all zeros; `sum` is in an internal form, read it by
 * mlx5_csum_fold().
 */
typedef struct Mlx5Csum {
    uint64_t sum;
    bool odd;
} Mlx5Csum;

void mlx5_csum_add(Mlx5Csum *c, const void *buf, size_t len);

/* Add one 16-bit word, as if at an even offset wherever the sum stands. */
void mlx5_csum_add_be16(Mlx5Csum *c, uint16_t word);

/* The folded sum, 0..0xffff, NOT inverted. */
uint16_t mlx5_csum_fold(const Mlx5Csum *c);

/*
 * Add the TCP/UDP pseudo header of a parsed packet: source, destination (the
 * final one under an IPv6 routing header), protocol and @l4_len, the length of
 * layer 4 header and payload together. pkt->l3_type must not be MLX5_L3_NONE.
 */
void mlx5_csum_add_pseudo(Mlx5Csum *c, const Mlx5Packet *pkt,
                          const uint8_t *frame, uint32_t l4_len);

/*
 * The length a UDP header states, header included, as far as it is sane: at
 * least 8 and within the IP packet. Returns false, *l4_len unchanged, when it
 * is not.
 */
bool mlx5_csum_udp_len(const Mlx5Packet *pkt, const uint8_t *frame,
                       uint32_t *l4_len);

/*
 * Which checksums mlx5_csum_fill() has written: MLX5_ETH_WQE_L3_CSUM and
 * MLX5_ETH_WQE_L4_CSUM or'ed, or 0.
 */
typedef unsigned Mlx5CsumDone;

/*
 * Write the checksums that eth_seg.cs_flags asks for into a frame to be sent
 * (driver: en_tx.c, mlx5e_txwqe_build_eseg_csum). What the checksum fields hold
 * before is ignored. The IP lengths must be final; padding behind them is not
 * summed. VLAN tags may be in the frame.
 *
 * @want_l3: the IPv4 header checksum. Nothing to do for IPv6. @want_l4: TCP or
 * UDP with pseudo header; a UDP result of 0 is sent as 0xffff.
 *
 * Returns what was written. A frame that has no such header (not IP, a
 * fragment, truncated) is left as it is: the result lacks the bit, and the
 * caller decides whether to complain.
 */
Mlx5CsumDone mlx5_csum_fill(uint8_t *frame, size_t len, bool want_l3,
                            bool want_l4);

/*
 * The same for a frame in pieces: all headers are in @hdr (it may hold payload
 * too), the rest follows in @iov and is only read.
 */
Mlx5CsumDone mlx5_csum_fill_iov(uint8_t *hdr, size_t hdr_len,
                                const struct iovec *iov, size_t iovcnt,
                                bool want_l3, bool want_l4);

/*
 * CQE.check_sum under cqe_checksum_full = 1: the folded, NOT inverted sum over
 * every byte of the delivered frame behind its 14-byte Ethernet header, VLAN
 * tags that stay in the frame and tail padding included. Give it the frame as
 * it is delivered, so after a tag was stripped.
 *
 * Byte order: the result is stored as BE16 at CQE + 0x14. The driver takes the
 * field's two bytes as they lie in memory for the skb's unfolded sum (en_rx.c,
 * mlx5e_handle_csum, csum_unfold), and the one's complement sum is the same
 * number in either byte order as long as the bytes keep their places. An odd
 * last byte counts as the left half of a word. The sum starts 14 bytes into the
 * frame, an even offset. Frames of 14 bytes or less give 0.
 */
uint16_t mlx5_csum_cqe_full(const uint8_t *frame, size_t len);

#endif
