/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space: power management, PCI Express, AER and vendor
 * specific capabilities. Called by pci.c.
 */
#ifndef HW_NET_MLX5_CFGSPACE_H
#define HW_NET_MLX5_CFGSPACE_H

#include "mlx5.h"

/* Kinds of reset, from the least to the most extensive. */
typedef enum Mlx5ResetKind {
    MLX5_RESET_FUNCTION, /* FLR: keeps sticky state */
    MLX5_RESET_HOT,      /* by an upstream bridge: keeps sticky state */
    MLX5_RESET_POWER,    /* of the machine: resets everything */
} Mlx5ResetKind;

/*
 * Adds the capabilities, those of PCI Express only on an Express bus.
 * mlx5_cfgspace_exit() removes them.
 */
bool mlx5_cfgspace_init(PCIDevice *pci, Error **errp);
void mlx5_cfgspace_exit(PCIDevice *pci);
/* Where the MSI-X capability is to be, as on the card. */
#define MLX5_CAP_MSIX 0x9c
/* The device's implementation of PCIDevice.config_read and config_write. */
uint32_t mlx5_cfgspace_read(PCIDevice *pci, uint32_t addr, int len);
void mlx5_cfgspace_write(PCIDevice *pci, uint32_t addr, uint32_t val, int len);
/* Returns the kind of the reset in progress; only valid during one. */
Mlx5ResetKind mlx5_cfgspace_reset_kind(PCIDevice *pci);
/*
 * Resets the state that QEMU's PCI code leaves alone (it resets the header,
 * BARs, MSI-X and the power state).
 */
void mlx5_cfgspace_reset(PCIDevice *pci, Mlx5ResetKind kind);

#endif
