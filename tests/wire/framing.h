/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames in a byte stream, in the format of QEMU's -netdev stream and socket: 4
 * bytes of length, big-endian, then the frame.
 *
 * Owns two buffers: bytes received of incomplete frames, and bytes to be sent.
 * Does no I/O. Called by port.c and the tests.
 */
#ifndef TESTS_WIRE_FRAMING_H
#define TESTS_WIRE_FRAMING_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The largest frame of QEMU's net layer (64 KiB and 4 KiB of headers). */
#define WIRE_MAX_FRAME  (65536 + 4096)

typedef struct WireFraming {
    GByteArray *in;
    guint in_at;            /* bytes of `in` already processed */
    GByteArray *out;
    guint out_at;
} WireFraming;

void wire_framing_init(WireFraming *f);
void wire_framing_clear(WireFraming *f);

/*
 * The first returns room for receiving `want` bytes; then report how many were
 * received.
 */
uint8_t *wire_framing_room(WireFraming *f, guint want);
void wire_framing_received(WireFraming *f, guint want, guint came);

typedef enum WireFramed {
    WIRE_FRAMED_NONE,       /* no complete frame yet */
    WIRE_FRAMED_ONE,
    WIRE_FRAMED_BAD,        /* length in *len exceeds WIRE_MAX_FRAME */
} WireFramed;

/* Gets the next complete frame, valid until more is received. */
WireFramed wire_framing_next(WireFraming *f, const uint8_t **frame,
                             uint32_t *len);

/* Returns the number of bytes of an incomplete frame. */
guint wire_framing_rest(const WireFraming *f);

/* Queue a frame; get the queued bytes; report how many of them were sent. */
void wire_framing_put(WireFraming *f, const uint8_t *frame, uint32_t len);
const uint8_t *wire_framing_queued(const WireFraming *f, guint *len);
void wire_framing_sent(WireFraming *f, guint len);

#endif
