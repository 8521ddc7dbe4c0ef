/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network interface as a side of the wire: AF_PACKET, in promiscuous mode.
 *
 * Owns a WirePacket: the socket and the frames not yet sent. Called by port.c.
 *
 * The interface must deliver frames as on the wire: merging of segments on
 * receive (GRO, LRO) must be off; otherwise wire_packet_open() fails and names
 * the command that turns it off. A frame that arrives over a veth from the same
 * machine may lack its checksum, or be an unsegmented burst: the checksum is
 * filled in; the burst is an error that names the setting to turn off at the
 * sender.
 *
 * The calling thread stays on the processor it is on: see stay_on_one_cpu().
 */
#ifndef TESTS_WIRE_PACKET_H
#define TESTS_WIRE_PACKET_H

#include "port.h"

typedef struct WirePacket WirePacket;

WirePacket *wire_packet_open(const char *ifname, char **problem);
void wire_packet_close(WirePacket *p);
int wire_packet_fd(const WirePacket *p);

/* Returns false and sets *problem, a sentence, on failure. */
bool wire_packet_read(WirePacket *p, WirePortInput *input, void *opaque,
                      char **problem);
bool wire_packet_flush(WirePacket *p, char **problem);

void wire_packet_put(WirePacket *p, const uint8_t *frame, size_t len);
size_t wire_packet_queued(const WirePacket *p);
/* Returns milliseconds until a full interface is tried again, or -1. */
int wire_packet_retry(const WirePacket *p);

void wire_packet_stats_json(WirePacket *p, GString *out);

#endif
