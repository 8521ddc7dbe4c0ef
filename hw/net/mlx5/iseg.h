/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initialization segment: the first pages of BAR 0, and the doorbell of the
 * command queue. Owns what Mlx5Function has under "initialization segment".
 */
#ifndef HW_NET_MLX5_ISEG_H
#define HW_NET_MLX5_ISEG_H

#include "types.h"

/* The dword at byte @addr; 0 where nothing is known. */
uint32_t mlx5_iseg_read(Mlx5Function *fn, hwaddr addr);
void mlx5_iseg_write(Mlx5Function *fn, hwaddr addr, uint32_t val);
void mlx5_iseg_reset(Mlx5Function *fn);
/* What a function-level reset under a live driver leaves: no interface. */
void mlx5_iseg_disable(Mlx5Function *fn);
#define MLX5_ISEG_SIZE 0x2000

#endif
