/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vital product data: the capability by which a host reads what card this is
 * (`lspci -vv`, `devlink dev info`), called by cfgspace.c. Its registers are in
 * configuration space; owns nothing else. The content follows from the profile
 * and the MAC address, and cannot be written.
 */
#ifndef HW_NET_MLX5_VPD_H
#define HW_NET_MLX5_VPD_H

#include "mlx5.h"

/* Adds the capability at @offset of configuration space. */
bool mlx5_vpd_init(PCIDevice *pci, uint8_t offset, Error **errp);
/* Acts on a write of @len bytes at @addr that configuration space has taken. */
void mlx5_vpd_written(PCIDevice *pci, uint8_t offset, uint32_t addr, int len);

#endif
