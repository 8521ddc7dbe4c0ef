/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames in a byte stream: see framing.h.
 */
#include "framing.h"

#include <string.h>

#include "parse.h"

#define LENGTH_BYTES 4

void wire_framing_init(WireFraming *f)
{
    f->in = g_byte_array_new();
    f->out = g_byte_array_new();
    f->in_at = f->out_at = 0;
}

void wire_framing_clear(WireFraming *f)
{
    g_byte_array_unref(f->in);
    g_byte_array_unref(f->out);
    f->in = f->out = NULL;
}

/* Drops the first *at bytes of a buffer. */
static void compact(GByteArray *buf, guint *at)
{
    if (*at == buf->len) {
        g_byte_array_set_size(buf, 0);
    } else if (*at) {
        memmove(buf->data, buf->data + *at, buf->len - *at);
        g_byte_array_set_size(buf, buf->len - *at);
    }
    *at = 0;
}

uint8_t *wire_framing_room(WireFraming *f, guint want)
{
    guint len;

    compact(f->in, &f->in_at);
    len = f->in->len;
    g_byte_array_set_size(f->in, len + want);
    return f->in->data + len;
}

void wire_framing_received(WireFraming *f, guint want, guint came)
{
    g_byte_array_set_size(f->in, f->in->len - (want - came));
}

WireFramed wire_framing_next(WireFraming *f, const uint8_t **frame,
                             uint32_t *len)
{
    guint have = f->in->len - f->in_at;

    if (have < LENGTH_BYTES) {
        return WIRE_FRAMED_NONE;
    }
    *len = mlx5_get_be32(f->in->data + f->in_at);
    if (*len > WIRE_MAX_FRAME) {
        return WIRE_FRAMED_BAD;
    }
    if (have - LENGTH_BYTES < *len) {
        return WIRE_FRAMED_NONE;
    }
    *frame = f->in->data + f->in_at + LENGTH_BYTES;
    f->in_at += LENGTH_BYTES + *len;
    return WIRE_FRAMED_ONE;
}

guint wire_framing_rest(const WireFraming *f)
{
    return f->in->len - f->in_at;
}

void wire_framing_put(WireFraming *f, const uint8_t *frame, uint32_t len)
{
    uint8_t prefix[LENGTH_BYTES];

    mlx5_put_be32(prefix, len);
    g_byte_array_append(f->out, prefix, LENGTH_BYTES);
    g_byte_array_append(f->out, frame, len);
}

const uint8_t *wire_framing_queued(const WireFraming *f, guint *len)
{
    *len = f->out->len - f->out_at;
    return f->out->data + f->out_at;
}

void wire_framing_sent(WireFraming *f, guint len)
{
    f->out_at += len;
    if (f->out_at == f->out->len || f->out_at > f->out->len / 2) {
        compact(f->out, &f->out_at);
    }
}
