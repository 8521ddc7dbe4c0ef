/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR 0: accesses go to the initialization segment (iseg.h) or, on a UAR page,
 * to the doorbells of queues.
 */
#ifndef HW_NET_MLX5_UAR_H
#define HW_NET_MLX5_UAR_H

#include "types.h"

extern const MemoryRegionOps mlx5_bar0_ops;

#endif
