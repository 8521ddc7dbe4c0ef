/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that captures are written to, by a thread of its own: what waits for
 * the disk, or for the reader of a FIFO, is never the device. Devices that name
 * the same file share it. Owns the list of all files. To be called with the big
 * lock held.
 *
 * What has not been written yet is kept in memory, up to a limit; beyond it
 * packets are lost, and counted. A file that cannot be written to (a full disk)
 * or may not grow any more ends, with a warning, at its last whole block.
 */
#ifndef HW_NET_MLX5_PCAPFILE_H
#define HW_NET_MLX5_PCAPFILE_H

#include "qemu/typedefs.h"

typedef struct Mlx5PcapFile Mlx5PcapFile;

/*
 * Opens @path, and empties it if no device writes to it yet. A FIFO must have a
 * reader.
 */
Mlx5PcapFile *mlx5_pcapfile_open(const char *path, Error **errp);
/* Ends one device's use; the last one waits until everything is written. */
void mlx5_pcapfile_close(Mlx5PcapFile *file);
/* Adds an interface; returns its number. */
uint32_t mlx5_pcapfile_interface(Mlx5PcapFile *file, const char *name,
                                 const char *description);
/*
 * Appends a block, unless the file would then be longer than @max bytes (0: no
 * limit). Returns false if the block is lost.
 */
bool mlx5_pcapfile_write(Mlx5PcapFile *file, const GByteArray *block,
                         uint64_t max);

#endif
