/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames in a byte stream, as QEMU's -netdev stream and socket have them: 4
 * bytes of length, the most significant first, then the frame.
 *
 * Owns two buffers: bytes received that are no whole frame yet, and bytes to be
 * sent. Does no I/O. Called by port.c and the tests.
 */
#ifndef TESTS_WIRE_FRAMING_H
#define TESTS_WIRE_FRAMING_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The largest frame QEMU's net layer takes (64 KiB and 4 KiB of headers). */
#define WIRE_MAX_FRAME  (65536 + 4096)

typedef struct WireFraming {
    GByteArray *in;
    guint in_at;            /* bytes of `in` that are done with */
    GByteArray *out;
    guint out_at;
} WireFraming;

void wire_framing_init(WireFraming *f);
void wire_framing_clear(WireFraming *f);

/* Room for `want` bytes to be received into; then say how many came. */
uint8_t *wire_framing_room(WireFraming *f, guint want);
void wire_framing_received(WireFraming *f, guint want, guint came);

typedef enum WireFramed {
    WIRE_FRAMED_NONE,       /* no whole frame yet */
    WIRE_FRAMED_ONE,
    WIRE_FRAMED_BAD,        /* a length beyond WIRE_MAX_FRAME, in *len */
} WireFramed;

/* The next whole frame, valid until more is received. */
WireFramed wire_framing_next(WireFraming *f, const uint8_t **frame,
                             uint32_t *len);

/* Bytes of a frame that has begun and is not whole. */
guint wire_framing_rest(const WireFraming *f);

/* Queue a frame; what is queued, and how much of it was sent. */
void wire_framing_put(WireFraming *f, const uint8_t *frame, uint32_t len);
const uint8_t *wire_framing_queued(const WireFraming *f, guint *len);
void wire_framing_sent(WireFraming *f, guint len);

#endif
