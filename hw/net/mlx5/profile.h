/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Profiles: the hardware that the device claims to be. Data only: identity (on
 * the PCI bus, to the vendor's tools, in the flash) and capabilities;
 * cmd_caps.c builds the capability pages from it and applies the device's
 * properties.
 */
#ifndef HW_NET_MLX5_PROFILE_H
#define HW_NET_MLX5_PROFILE_H

#include "types.h"

/* One field of a capability page (type as in QUERY_HCA_CAP op_mod[15:1]). */
typedef struct Mlx5CapValue {
    uint16_t type;
    uint16_t bit;
    uint16_t width;
    uint64_t value;
} Mlx5CapValue;

/* One port each, and no e-switch: of a BlueField, what its host sees. */
struct Mlx5Profile {
    const char *name;    /* value of the property "profile" */
    const char *product;
    uint16_t pci_device;
    uint16_t hw_id;      /* the chip, in CR space, MGIR and flash */
    uint8_t revision;    /* of the chip, and on the PCI bus */
    uint8_t technology;  /* MLX5_TECHNOLOGY_* */
    uint8_t pcie;        /* generation: 4 (16 GT/s), 5 (32 GT/s) */
    uint8_t fw_major;    /* firmware version: of each family its own */
    const char *board_id; /* PSID, at most 15 characters */
    /* beside mlx5_common_caps */
    const Mlx5CapValue *caps;
    size_t ncaps;
};

extern const Mlx5Profile mlx5_profiles[];
extern const size_t mlx5_nprofiles;
/* Of all profiles: maximum and initial current values. */
extern const Mlx5CapValue mlx5_common_caps[];
extern const size_t mlx5_ncommon_caps;

#define MLX5_PROFILE_DEFAULT "cx6dx"
/* Returns the profile called @name, or NULL. */
const Mlx5Profile *mlx5_profile_find(const char *name);

/*
 * The rest of the firmware version, and the date (binary coded decimal): one
 * release has the same minor number in all families.
 */
#define MLX5_FW_MINOR 39
#define MLX5_FW_SUBMINOR 1
static inline uint32_t mlx5_profile_fw_version(const Mlx5Profile *p)
{
    return (uint32_t)p->fw_major << 24 | MLX5_FW_MINOR << 16 | MLX5_FW_SUBMINOR;
}
#define MLX5_FW_YEAR 0x2025
#define MLX5_FW_MONTH 0x01
#define MLX5_FW_DAY 0x01

#define MLX5_PCI_VENDOR 0x15b3
#define MLX5_PCI_SUBSYSTEM 0x0016
/* MGIR technology: tools choose by it what they ask of the port. */
enum { MLX5_TECHNOLOGY_16NM = 3, MLX5_TECHNOLOGY_7NM = 4 };

#endif
