/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a function, and its sleep. hca.h destroys what a driver created.
 */
#ifndef HW_NET_MLX5_FUNCTION_H
#define HW_NET_MLX5_FUNCTION_H

#include "types.h"
#include "qapi/error.h"

/* dev and port must be set. */
bool mlx5_function_init(Mlx5Function *fn, Error **errp);
/* Power-on state. */
void mlx5_function_reset(Mlx5Function *fn);
/*
 * D3hot, and D0 again: outstanding and new work stops, and continues in D0.
 * Frames from the wire are lost in between.
 */
void mlx5_function_sleep(Mlx5Function *fn);
void mlx5_function_wake(Mlx5Function *fn);
void mlx5_function_finalize(Mlx5Function *fn);

#endif
