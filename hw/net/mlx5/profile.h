/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability profiles: the hardware that the device claims to be. Data only;
 * cmd_caps.c builds the capability pages from it and applies the device's
 * properties.
 */
#ifndef HW_NET_MLX5_PROFILE_H
#define HW_NET_MLX5_PROFILE_H

#include <stddef.h>
#include <stdint.h>

/* One field of a capability page (type as in QUERY_HCA_CAP op_mod[15:1]). */
typedef struct Mlx5CapValue {
    uint16_t type;
    uint16_t bit;
    uint16_t width;
    uint64_t value;
} Mlx5CapValue;

typedef struct Mlx5Profile {
    const char *name;
    const Mlx5CapValue *caps; /* maximum and initial current values */
    size_t ncaps;
} Mlx5Profile;

/* ConnectX-6 Dx, one port, no e-switch. */
extern const Mlx5Profile mlx5_profile_cx6dx;

/* The firmware version reported to drivers; 22 is the ConnectX-6 Dx family. */
#define MLX5_FW_MAJOR 22
#define MLX5_FW_MINOR 39
#define MLX5_FW_SUBMINOR 1
#define MLX5_FW_VERSION \
    (MLX5_FW_MAJOR << 24 | MLX5_FW_MINOR << 16 | MLX5_FW_SUBMINOR)

#endif
