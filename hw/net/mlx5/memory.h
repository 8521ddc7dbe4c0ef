/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host memory that a driver claims: charged here before it is allocated,
 * credited when it is freed, and bounded by the property memory-limit. See
 * docs/commands.md, "Memory", for what is counted and what is not.
 *
 * Charges are upper bounds of what malloc and GLib take, so that the limit
 * bounds the process, not only the sum of the structures.
 */
#ifndef HW_NET_MLX5_MEMORY_H
#define HW_NET_MLX5_MEMORY_H

#include "mlx5.h"

#define MLX5_MEMORY_LIMIT_DEFAULT (256 * MiB)

/*
 * An entry of a GHashTable: key, value and hash, in arrays that are less than
 * half full after they have grown.
 */
#define MLX5_MEMORY_ENTRY 48

/* What malloc takes for @size bytes: its header, and rounding. */
static inline size_t mlx5_memory_of(size_t size)
{
    return size ? MAX(ROUND_UP(size + 8, 16), 32) : 0;
}

/* Is there room for @bytes more? */
bool mlx5_memory_room(const Mlx5Function *fn, size_t bytes);
/* Charges @bytes. Returns false, charging nothing, when there is no room. */
bool mlx5_memory_charge(Mlx5Function *fn, size_t bytes);
/* Charges without refusing; the caller has asked mlx5_memory_room(). */
void mlx5_memory_take(Mlx5Function *fn, size_t bytes);
void mlx5_memory_give(Mlx5Function *fn, size_t bytes);
/* Adds the property memory-used. */
void mlx5_memory_class_init(ObjectClass *klass);

#endif
