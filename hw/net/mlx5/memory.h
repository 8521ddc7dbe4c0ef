/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Accounting of host memory used on behalf of a driver: charged before it is
 * allocated, credited when it is freed, limited by the property memory-limit.
 * docs/commands.md, "Memory", lists what is counted.
 *
 * Charges are upper bounds that include the overhead of malloc and GLib, so
 * that the limit bounds the process and not only the sum of the structures.
 */
#ifndef HW_NET_MLX5_MEMORY_H
#define HW_NET_MLX5_MEMORY_H

#include "mlx5.h"

#define MLX5_MEMORY_LIMIT_DEFAULT (256 * MiB)

/*
 * Cost of a GHashTable entry: key, value and hash, in arrays that may be less
 * than half full after growing.
 */
#define MLX5_MEMORY_ENTRY 48

/*
 * Returns the memory that malloc uses for @size bytes, with header and
 * rounding.
 */
static inline size_t mlx5_memory_of(size_t size)
{
    return size ? MAX(ROUND_UP(size + 8, 16), 32) : 0;
}

/* Returns whether @bytes more are within the limit. */
bool mlx5_memory_room(const Mlx5Function *fn, size_t bytes);
/*
 * Charges @bytes. Returns false and charges nothing if that exceeds the limit.
 */
bool mlx5_memory_charge(Mlx5Function *fn, size_t bytes);
/* Charges without a check; the caller has asked mlx5_memory_room(). */
void mlx5_memory_take(Mlx5Function *fn, size_t bytes);
void mlx5_memory_give(Mlx5Function *fn, size_t bytes);
/* Adds the property memory-used. */
void mlx5_memory_class_init(ObjectClass *klass);

#endif
