/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's clock: source of the free running timer in the initialization
 * segment and of CQE timestamps. Owns Mlx5Function.clock_base_ns.
 */
#ifndef HW_NET_MLX5_CLOCK_H
#define HW_NET_MLX5_CLOCK_H

#include "mlx5.h"

#define MLX5_CLOCK_KHZ 1000000

/* Returns nanoseconds since the last reset; the clock runs at 1 GHz. */
uint64_t mlx5_clock_ns(const Mlx5Function *fn);
void mlx5_clock_reset(Mlx5Function *fn);

#endif
