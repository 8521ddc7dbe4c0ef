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
/* Its date, binary coded decimal. */
#define MLX5_FW_YEAR 0x2025
#define MLX5_FW_MONTH 0x01
#define MLX5_FW_DAY 0x01

/* What the hardware is: on the PCI bus, and to the vendor's tools. */
#define MLX5_PCI_VENDOR 0x15b3
#define MLX5_PCI_DEVICE 0x101d
#define MLX5_PCI_SUBSYSTEM 0x0016
#define MLX5_HW_ID 0x212
#define MLX5_HW_REVISION 0
/* 3: 16 nm. Tools choose by it what they ask of the port. */
#define MLX5_HW_TECHNOLOGY 3
/* The board (PSID), at most 15 characters. */
#define MLX5_BOARD_ID "QEM0000000001"

#endif
