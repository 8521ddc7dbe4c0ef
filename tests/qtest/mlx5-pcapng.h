/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader of the device's captures, which checks every block. Shares no code
 * with the device. Owns no state.
 */
#ifndef TESTS_QTEST_MLX5_PCAPNG_H
#define TESTS_QTEST_MLX5_PCAPNG_H

#include <glib.h>

typedef struct PcapngPacket {
    uint32_t interface;
    uint32_t flags;
    GByteArray *frame;
    GPtrArray *comments;
} PcapngPacket;

typedef struct Pcapng {
    GPtrArray *names;   /* of interfaces */
    GPtrArray *packets;
    GArray *statistics; /* of uint64_t: received, dropped, received... */
} Pcapng;

/* Every block of @data, to its end. */
void pcapng_parse(Pcapng *c, const uint8_t *data, size_t size);
/* Those of a file. */
void pcapng_read(Pcapng *c, const char *path);
void pcapng_free(Pcapng *c);

#endif
