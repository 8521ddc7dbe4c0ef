/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A side of the wire: frames from it, frames to it.
 *
 * Responsible for opening a side, for its I/O, which never blocks, and for
 * saying that it is full, so that the other side is not read: nothing is
 * dropped here. Owns a WirePort: its descriptor and the frames not yet sent.
 * Called by main.c.
 *
 *   stream:fd=N            an open stream socket, framed as -netdev stream is
 *   stream:connect=PATH    the unix socket of someone who listens
 *   stream:listen=PATH     the first who connects
 *   packet:IFNAME          a network interface of this namespace
 */
#ifndef TESTS_WIRE_PORT_H
#define TESTS_WIRE_PORT_H

#include "framing.h"

/* Bytes queued for a side from which on it is full. */
#define WIRE_PORT_FULL (256u * 1024)

typedef struct WirePort WirePort;

/* What a side takes the frames it has read to. */
typedef void WirePortInput(void *opaque, const uint8_t *frame, size_t len);

/*
 * Open a side; NULL and *err, a sentence, on failure. `name` is "A" or "B".
 * Waits for whoever connects to a listening socket.
 */
WirePort *wire_port_open(const char *name, const char *what, char **err);
void wire_port_close(WirePort *port);

/* For poll(): the descriptor, and whether it waits to write. */
int wire_port_fd(const WirePort *port);
bool wire_port_wants_out(const WirePort *port);
/* Milliseconds until a retry is worth it, or -1. */
int wire_port_retry(const WirePort *port);

/* So much is queued that no more should come. */
bool wire_port_full(const WirePort *port);

typedef enum WirePortState {
    WIRE_PORT_OK,
    WIRE_PORT_END,          /* the other end has closed */
    WIRE_PORT_ERROR,        /* *err says what */
} WirePortState;

/* Read what is there, up to a bound. */
WirePortState wire_port_read(WirePort *port, WirePortInput *input, void *opaque,
                             char **err);
/* Queue a frame. */
void wire_port_put(WirePort *port, const uint8_t *frame, size_t len);
/* Write what is queued, as far as it goes. */
WirePortState wire_port_flush(WirePort *port, char **err);
/* Bytes that are still queued. */
size_t wire_port_queued(const WirePort *port);

/* Append a JSON object of counters that only the side itself knows. */
void wire_port_stats_json(WirePort *port, GString *out);

#endif
