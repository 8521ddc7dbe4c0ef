/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability pages (cmd_caps.c), which the driver reads and may lower. Their
 * initial values come from profile.c, the device's properties and the file of
 * the property "caps" (cap_file.c). Owns Mlx5Function.caps.
 */
#ifndef HW_NET_MLX5_CAPS_H
#define HW_NET_MLX5_CAPS_H

#include "types.h"

/* One capability page: its maximum and its current values. */
struct Mlx5CapPage {
    uint16_t type;
    uint8_t *max;
    uint8_t *cur;
};

void mlx5_caps_init(Mlx5Function *fn);
void mlx5_caps_reset(Mlx5Function *fn);
void mlx5_caps_finalize(Mlx5Function *fn);
/*
 * Returns the current page of a capability type, or NULL if there is none.
 * There may be one that GENERAL does not announce.
 */
const uint8_t *mlx5_cap_cur(Mlx5Function *fn, uint16_t type);
/*
 * Returns the page of maximum values, or NULL. It can be changed until
 * mlx5_caps_reset().
 */
uint8_t *mlx5_cap_max(Mlx5Function *fn, uint16_t type);
/* log2 of the longest range of keys; 0 without ranges. */
unsigned mlx5_cap_log_dek_range(Mlx5Function *fn);
/* Is the cipher of @tls_version with a key of 128 or 256 @bits announced? */
bool mlx5_cap_cipher(Mlx5Function *fn, unsigned tls_version, unsigned bits);
enum {
    MLX5_CAP_GENERAL = 0x00,
    MLX5_CAP_ETHERNET = 0x01,
    MLX5_CAP_FLOW_TABLE = 0x07,
    MLX5_CAP_TLS = 0x11,
    MLX5_CAP_CRYPTO = 0x1a,
};
/* A field of the current GENERAL page. */
#define MLX5_CAP_GEN(fn, field) \
    MLX5_GET(cmd_hca_cap, mlx5_cap_cur((fn), MLX5_CAP_GENERAL), field)

/* A field of the current ETHERNET page. */
#define MLX5_CAP_ETH(fn, field)                        \
    MLX5_GET(per_protocol_networking_offload_caps,     \
             mlx5_cap_cur((fn), MLX5_CAP_ETHERNET), field)

#endif
