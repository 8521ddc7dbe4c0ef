/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A side of the wire: frames from it, frames to it.
 *
 * Responsible for opening a side, its non-blocking I/O, and reporting that it
 * is full, so that the other side is not read: nothing is dropped here. Owns a
 * WirePort: its descriptor and the frames not yet sent. Called by main.c.
 *
 *   stream:fd=N            an open stream socket, framed as -netdev stream is
 *   stream:connect=PATH    a listening unix socket
 *   stream:listen=PATH     the first connection to this path
 *   packet:IFNAME          a network interface of this namespace
 */
#ifndef TESTS_WIRE_PORT_H
#define TESTS_WIRE_PORT_H

#include "framing.h"

/* Number of queued bytes from which a side counts as full. */
#define WIRE_PORT_FULL (256u * 1024)

typedef struct WirePort WirePort;

/* Receives the frames read from a side. */
typedef void WirePortInput(void *opaque, const uint8_t *frame, size_t len);

/*
 * Opens a side; returns NULL and sets *err, a sentence, on failure. `name` is
 * "A" or "B". Waits for the connection to a listening socket.
 */
WirePort *wire_port_open(const char *name, const char *what, char **err);
void wire_port_close(WirePort *port);

/* For poll(): the descriptor, and whether it waits for writing. */
int wire_port_fd(const WirePort *port);
bool wire_port_wants_out(const WirePort *port);
/* Returns milliseconds until the next retry, or -1. */
int wire_port_retry(const WirePort *port);

/* Returns whether so much is queued that no more should be added. */
bool wire_port_full(const WirePort *port);

typedef enum WirePortState {
    WIRE_PORT_OK,
    WIRE_PORT_END,          /* the other end has closed */
    WIRE_PORT_ERROR,        /* *err says what */
} WirePortState;

/* Reads available frames, up to a limit. */
WirePortState wire_port_read(WirePort *port, WirePortInput *input, void *opaque,
                             char **err);
/* Queue a frame. */
void wire_port_put(WirePort *port, const uint8_t *frame, size_t len);
/* Writes queued bytes as far as possible. */
WirePortState wire_port_flush(WirePort *port, char **err);
/* Returns the number of bytes still queued. */
size_t wire_port_queued(const WirePort *port);

/* Appends a JSON object with the side's own counters. */
void wire_port_stats_json(WirePort *port, GString *out);

#endif
