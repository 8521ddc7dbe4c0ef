/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifecycle and sleep state of a function. hca.h destroys the driver's objects.
 */
#ifndef HW_NET_MLX5_FUNCTION_H
#define HW_NET_MLX5_FUNCTION_H

#include "types.h"
#include "qapi/error.h"

/* fn->dev and fn->port must be set. */
bool mlx5_function_init(Mlx5Function *fn, Error **errp);
/* Restores the power-on state. */
void mlx5_function_reset(Mlx5Function *fn);
/*
 * Enter D3hot, and return to D0: outstanding and new work stops, and continues
 * in D0. Frames arriving from the wire in between are lost.
 */
void mlx5_function_sleep(Mlx5Function *fn);
void mlx5_function_wake(Mlx5Function *fn);
void mlx5_function_finalize(Mlx5Function *fn);

#endif
