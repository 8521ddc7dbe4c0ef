/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of a pcapng file (IETF draft-ietf-opsawg-pcapng), in the byte order of
 * the host. Each function appends one block to @out. Owns no state. Called by
 * the device's capture.
 */
#ifndef HW_NET_MLX5_ENGINE_PCAPNG_H
#define HW_NET_MLX5_ENGINE_PCAPNG_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <sys/uio.h>

/* Section Header Block: begins a file. @application has written it. */
void mlx5_pcapng_section(GByteArray *out, const char *application);

/*
 * Interface Description Block, of an Ethernet interface whose packets have
 * times in nanoseconds. Interfaces are numbered from 0 in the order of their
 * blocks.
 */
void mlx5_pcapng_interface(GByteArray *out, const char *name,
                           const char *description);

typedef struct Mlx5PcapngPacket {
    uint32_t interface;
    uint64_t time_ns; /* since 1970 */
    bool outbound;
    const struct iovec *iov; /* the packet in parts */
    int iovcnt;
    const GPtrArray *comments; /* of char *, in UTF-8 */
} Mlx5PcapngPacket;

/*
 * Enhanced Packet Block. A comment longer than an option can be (65535 bytes)
 * is cut.
 */
void mlx5_pcapng_packet(GByteArray *out, const Mlx5PcapngPacket *packet);

/*
 * Interface Statistics Block: @received packets until @time_ns, of which
 * @dropped are not in the file.
 */
void mlx5_pcapng_statistics(GByteArray *out, uint32_t interface,
                            uint64_t time_ns, uint64_t received,
                            uint64_t dropped);

#endif
