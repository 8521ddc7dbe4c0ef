/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The EEPROM of the plugged cable (SFF-8636). Owns no state. */
#ifndef HW_NET_MLX5_MODULE_H
#define HW_NET_MLX5_MODULE_H

#include "types.h"

/*
 * Reads @len bytes of the plugged cable's EEPROM from @offset of the 256 bytes
 * that @page selects. Returns false when the range exceeds them.
 */
bool mlx5_module_read(uint8_t page, unsigned offset, uint8_t *buf, size_t len);

#endif
