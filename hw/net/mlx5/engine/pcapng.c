/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of a pcapng file. See pcapng.h. */
#include "pcapng.h"

#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

enum {
    OPT_END = 0,
    OPT_COMMENT = 1,
    SHB_USERAPPL = 4,
    IF_NAME = 2,
    IF_DESCRIPTION = 3,
    IF_TSRESOL = 9,
    EPB_FLAGS = 2,
    ISB_IFRECV = 4,
    ISB_IFDROP = 5,
};

#define BYTE_ORDER_MAGIC    0x1a2b3c4du
#define LINKTYPE_ETHERNET   1
#define OPTION_MAX          UINT16_MAX

/* epb_flags, bits [1:0] */
enum { INBOUND = 1, OUTBOUND = 2 };

static void put16(GByteArray *out, uint16_t value)
{
    g_byte_array_append(out, (const uint8_t *)&value, sizeof(value));
}

static void put32(GByteArray *out, uint32_t value)
{
    g_byte_array_append(out, (const uint8_t *)&value, sizeof(value));
}

/* A time is two words, the higher one first, in either byte order. */
static void put_time(GByteArray *out, uint64_t ns)
{
    put32(out, ns >> 32);
    put32(out, (uint32_t)ns);
}

static void pad(GByteArray *out, size_t len)
{
    static const uint8_t zero[4];

    g_byte_array_append(out, zero, -len & 3);
}

static void option(GByteArray *out, uint16_t code, const void *value,
                   size_t len)
{
    len = MIN(len, OPTION_MAX);
    put16(out, code);
    put16(out, len);
    g_byte_array_append(out, value, len);
    pad(out, len);
}

static void option_text(GByteArray *out, uint16_t code, const char *text)
{
    option(out, code, text, strlen(text));
}

/* Begins a block; returns where, for block_end(). */
static guint block_begin(GByteArray *out, uint32_t type)
{
    guint at = out->len;

    put32(out, type);
    put32(out, 0);
    return at;
}

/* Ends the options and the block that began at @at. */
static void block_end(GByteArray *out, guint at)
{
    uint32_t len;

    option(out, OPT_END, "", 0);
    len = out->len + sizeof(len) - at;
    put32(out, len);
    memcpy(out->data + at + 4, &len, sizeof(len));
}

void mlx5_pcapng_section(GByteArray *out, const char *application)
{
    static const uint8_t unknown_length[8] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    };
    guint at = block_begin(out, BLOCK_SECTION);

    put32(out, BYTE_ORDER_MAGIC);
    put16(out, 1);
    put16(out, 0);
    g_byte_array_append(out, unknown_length, sizeof(unknown_length));
    option_text(out, SHB_USERAPPL, application);
    block_end(out, at);
}

void mlx5_pcapng_interface(GByteArray *out, const char *name,
                           const char *description)
{
    static const uint8_t nanoseconds = 9;
    guint at = block_begin(out, BLOCK_INTERFACE);

    put16(out, LINKTYPE_ETHERNET);
    put16(out, 0);
    put32(out, 0); /* packets are never cut */
    option_text(out, IF_NAME, name);
    option_text(out, IF_DESCRIPTION, description);
    option(out, IF_TSRESOL, &nanoseconds, sizeof(nanoseconds));
    block_end(out, at);
}

void mlx5_pcapng_packet(GByteArray *out, const Mlx5PcapngPacket *packet)
{
    uint32_t flags = packet->outbound ? OUTBOUND : INBOUND;
    guint at = block_begin(out, BLOCK_PACKET);
    uint32_t len = 0;
    guint i;
    int part;

    for (part = 0; part < packet->iovcnt; part++) {
        len += packet->iov[part].iov_len;
    }
    put32(out, packet->interface);
    put_time(out, packet->time_ns);
    put32(out, len);
    put32(out, len);
    for (part = 0; part < packet->iovcnt; part++) {
        g_byte_array_append(out, packet->iov[part].iov_base,
                            packet->iov[part].iov_len);
    }
    pad(out, len);
    option(out, EPB_FLAGS, &flags, sizeof(flags));
    for (i = 0; i < packet->comments->len; i++) {
        option_text(out, OPT_COMMENT, g_ptr_array_index(packet->comments, i));
    }
    block_end(out, at);
}

void mlx5_pcapng_statistics(GByteArray *out, uint32_t interface,
                            uint64_t time_ns, uint64_t received,
                            uint64_t dropped)
{
    guint at = block_begin(out, BLOCK_STATISTICS);

    put32(out, interface);
    put_time(out, time_ns);
    option(out, ISB_IFRECV, &received, sizeof(received));
    option(out, ISB_IFDROP, &dropped, sizeof(dropped));
    block_end(out, at);
}
