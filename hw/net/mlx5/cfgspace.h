/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space: power management, PCI Express, AER; see cfgspace.c.
 * pci.c calls this.
 */
#ifndef HW_NET_MLX5_CFGSPACE_H
#define HW_NET_MLX5_CFGSPACE_H

#include "mlx5.h"

/* What resets the function, by how much it takes. */
typedef enum Mlx5ResetKind {
    MLX5_RESET_FUNCTION, /* FLR: what is sticky stays */
    MLX5_RESET_HOT,      /* by a bridge above it: likewise */
    MLX5_RESET_POWER,    /* of the machine: everything */
} Mlx5ResetKind;

/*
 * Makes the capabilities; those of PCI Express only where the bus has it.
 * mlx5_cfgspace_exit() takes them away again.
 */
bool mlx5_cfgspace_init(PCIDevice *pci, Error **errp);
void mlx5_cfgspace_exit(PCIDevice *pci);
/* The PCIDevice.config_write of the device. */
void mlx5_cfgspace_write(PCIDevice *pci, uint32_t addr, uint32_t val, int len);
/* To be asked inside the reset: which one is it? */
Mlx5ResetKind mlx5_cfgspace_reset_kind(PCIDevice *pci);
/*
 * What QEMU's PCI code does not reset by itself: that does the header, BARs,
 * MSI-X and the power state.
 */
void mlx5_cfgspace_reset(PCIDevice *pci, Mlx5ResetKind kind);

#endif
