/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space: power management, PCI Express, AER; see cfgspace.c.
 * pci.c calls this.
 */
#ifndef HW_NET_MLX5_CFGSPACE_H
#define HW_NET_MLX5_CFGSPACE_H

#include "mlx5.h"

/* What resets the function, by extent. */
typedef enum Mlx5ResetKind {
    MLX5_RESET_FUNCTION, /* FLR: sticky state stays */
    MLX5_RESET_HOT,      /* by a bridge above it: likewise */
    MLX5_RESET_POWER,    /* of the machine: everything */
} Mlx5ResetKind;

/*
 * Adds the capabilities; those of PCI Express only if the bus has it.
 * mlx5_cfgspace_exit() removes them.
 */
bool mlx5_cfgspace_init(PCIDevice *pci, Error **errp);
void mlx5_cfgspace_exit(PCIDevice *pci);
/* The PCIDevice.config_write of the device. */
void mlx5_cfgspace_write(PCIDevice *pci, uint32_t addr, uint32_t val, int len);
/* The kind of reset in progress; only valid inside it. */
Mlx5ResetKind mlx5_cfgspace_reset_kind(PCIDevice *pci);
/*
 * Resets what QEMU's PCI code does not (it resets the header, BARs, MSI-X and
 * the power state).
 */
void mlx5_cfgspace_reset(PCIDevice *pci, Mlx5ResetKind kind);

#endif
