/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The card's flash, flash.c: what `mstflint` finds there. It is made of what
 * the device is (profile.h, MAC address, properties) and cannot be written.
 * Owns Mlx5State.flash.
 */
#ifndef HW_NET_MLX5_FLASH_H
#define HW_NET_MLX5_FLASH_H

#include "mlx5.h"

/*
 * The chip's JEDEC id, first byte lowest: Winbond W25Q256JV-IM, of 2^0x19
 * bytes, as MLX5_FLASH_LOG_SIZE says.
 */
#define MLX5_FLASH_JEDEC_ID (MLX5_FLASH_LOG_SIZE << 16 | 0x70 << 8 | 0xef)

/*
 * Reads @len bytes at @addr. Returns false if they are not all within the
 * flash. The content is made at the first access; mlx5_flash_finalize() frees
 * it.
 */
bool mlx5_flash_read(Mlx5State *s, uint32_t addr, uint8_t *buf, size_t len);
void mlx5_flash_finalize(Mlx5State *s);

#endif
