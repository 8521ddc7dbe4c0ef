/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to frames: segments cut anew, options put in, bits flipped, checksums
 * right afterwards. Owns no state. Called by core.c and the tests.
 *
 * Frames are GByteArrays that the caller owns.
 */
#ifndef TESTS_WIRE_EDIT_H
#define TESTS_WIRE_EDIT_H

#include <glib.h>

#include "parse.h"

/* Write the IP header, TCP and UDP checksums anew. */
void wire_edit_fix(GByteArray *frame);

/*
 * A segment with the headers of `frame` and bytes [from, to) of its TCP
 * payload: the sequence number, lengths, identification (+ index) and checksums
 * are its own; FIN and PSH stay with the last one only, CWR with the first.
 * Padded to MLX5_ETH_ZLEN.
 *
 * pkt: the parse of frame, a whole TCP packet. 0 <= from <= to <=
 * pkt->payload_len.
 */
GByteArray *wire_edit_segment(const uint8_t *frame, const Mlx5Packet *pkt,
                              uint32_t from, uint32_t to, unsigned index,
                              bool last);

/*
 * Put `bytes` of options that mean nothing behind the IP header: no-operations
 * in IPv4 (a multiple of 4), a destination options header in IPv6 (of 8). 0:
 * the shortest. Returns false, the frame unchanged, where there is no room or
 * no plain IP header.
 */
bool wire_edit_ip_option(GByteArray *frame, uint32_t bytes);

/* Set the ECN field to "congestion experienced". False when this is not IP. */
bool wire_edit_ce(GByteArray *frame);

/*
 * Cut the frame behind `keep` bytes of its TCP payload and repair nothing: the
 * IP header claims more than there is.
 */
void wire_edit_cut(GByteArray *frame, uint32_t keep);

#endif
