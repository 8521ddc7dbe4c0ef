/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to frames: resegmenting, inserting options, flipping bits, and
 * updating checksums. Owns no state. Called by core.c and the tests.
 *
 * Frames are GByteArrays that the caller owns.
 */
#ifndef TESTS_WIRE_EDIT_H
#define TESTS_WIRE_EDIT_H

#include <glib.h>

#include "parse.h"

/* Recomputes the IP header, TCP and UDP checksums. */
void wire_edit_fix(GByteArray *frame);

/*
 * Builds a segment with the headers of `frame` and bytes [from, to) of its TCP
 * payload, with adjusted sequence number, lengths, identification (+ index) and
 * checksums; FIN and PSH are kept only in the last one, CWR only in the first.
 * Padded to MLX5_ETH_ZLEN.
 *
 * pkt: the parse of frame, a complete TCP packet. 0 <= from <= to <=
 * pkt->payload_len.
 */
GByteArray *wire_edit_segment(const uint8_t *frame, const Mlx5Packet *pkt,
                              uint32_t from, uint32_t to, unsigned index,
                              bool last);

/*
 * Inserts `bytes` of options without effect after the IP header: no-operations
 * in IPv4 (a multiple of 4), a destination options header in IPv6 (a multiple
 * of 8). 0: the shortest. Returns false and leaves the frame unchanged if there
 * is no room or no plain IP header.
 */
bool wire_edit_ip_option(GByteArray *frame, uint32_t bytes);

/* Sets the ECN field to "congestion experienced". Returns false if not IP. */
bool wire_edit_ce(GByteArray *frame);

/*
 * Truncates the frame after `keep` bytes of its TCP payload without repairing
 * anything: the IP header claims more than there is.
 */
void wire_edit_cut(GByteArray *frame, uint32_t keep);

#endif
