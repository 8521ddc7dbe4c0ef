/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initialization segment: the first pages of BAR 0, and the doorbell of the
 * command queue. Owns the fields of Mlx5Function under "initialization
 * segment".
 */
#ifndef HW_NET_MLX5_ISEG_H
#define HW_NET_MLX5_ISEG_H

#include "types.h"

/* Returns the dword at byte @addr; 0 at undefined offsets. */
uint32_t mlx5_iseg_read(Mlx5Function *fn, hwaddr addr);
void mlx5_iseg_write(Mlx5Function *fn, hwaddr addr, uint32_t val);
void mlx5_iseg_reset(Mlx5Function *fn);
/*
 * Makes the interface unavailable, as after a function-level reset under a live
 * driver.
 */
void mlx5_iseg_disable(Mlx5Function *fn);
#define MLX5_ISEG_SIZE 0x2000

#endif
