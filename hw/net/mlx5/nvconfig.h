/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Non-volatile configuration, nvconfig.c: items that a driver or a tool reads
 * and writes by register MNVDA (driver: lib/nv_param.c). An item has a type,
 * which is its number, and a few bytes.
 *
 * Its home is the device, not the function: what has been written outlives
 * drivers and resets, and is in force from the next reset of the machine on.
 * It ends with the device, for there is no file behind it.
 */
#ifndef HW_NET_MLX5_NVCONFIG_H
#define HW_NET_MLX5_NVCONFIG_H

#include "syndrome.h"
#include "types.h"

#define MLX5_NV_ITEMS 6
#define MLX5_NV_MAX_SIZE 20 /* bytes of the largest item */

typedef uint8_t Mlx5NvValues[MLX5_NV_ITEMS][MLX5_NV_MAX_SIZE];

typedef struct Mlx5NvConfig {
    Mlx5NvValues next;    /* as last written */
    Mlx5NvValues current; /* in force */
} Mlx5NvConfig;

/* Factory settings, in force. */
void mlx5_nv_init(Mlx5NvConfig *nv);
/* The machine is reset: what has been written is in force from here on. */
void mlx5_nv_power_cycle(Mlx5NvConfig *nv);

/*
 * How many bytes of MNVDA an access is about: its header says so. @in is the
 * register's data, of which there must be MLX5_NV_HEADER_SIZE bytes.
 */
size_t mlx5_nv_access_size(const uint8_t *in);
#define MLX5_NV_HEADER_SIZE 12

/*
 * Reads or writes an item. @in and, for a read, @out are the register's data,
 * mlx5_nv_access_size() bytes of each.
 *
 * Errors: MLX5_SYN_NV_UNKNOWN for a type that does not exist, NV_LENGTH for
 * less room than the item takes (a write must have its exact length),
 * NV_READ_ONLY for capabilities, REG_BAD_VALUE and REG_UNSUPPORTED_FIELD for
 * what the device could not live up to, or header fields out of range.
 */
Mlx5Syndrome mlx5_nv_read(Mlx5Function *fn, const uint8_t *in, uint8_t *out);
Mlx5Syndrome mlx5_nv_write(Mlx5Function *fn, const uint8_t *in);
/*
 * Says in @readable and @writable what can be done with items of @type:
 * neither, if there is none.
 */
void mlx5_nv_query(uint32_t type, bool *readable, bool *writable);

#endif
