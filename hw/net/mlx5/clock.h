/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's clock: the free running timer of the initialization segment, and
 * the timestamps of CQEs. Owns Mlx5Function.clock_base_ns.
 */
#ifndef HW_NET_MLX5_CLOCK_H
#define HW_NET_MLX5_CLOCK_H

#include "mlx5.h"

#define MLX5_CLOCK_KHZ 1000000

/* Nanoseconds since the last reset: it runs at 1 GHz. */
uint64_t mlx5_clock_ns(const Mlx5Function *fn);
void mlx5_clock_reset(Mlx5Function *fn);

#endif
