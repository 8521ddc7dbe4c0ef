/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a function, and its sleep. What a driver makes, hca.h unmakes.
 */
#ifndef HW_NET_MLX5_FUNCTION_H
#define HW_NET_MLX5_FUNCTION_H

#include "types.h"
#include "qapi/error.h"

/* dev and port are set. */
bool mlx5_function_init(Mlx5Function *fn, Error **errp);
/* Power-on state. */
void mlx5_function_reset(Mlx5Function *fn);
/*
 * D3hot, and D0 again: what was under way and what comes up stands where it
 * is, and goes on. Frames from the wire are lost meanwhile.
 */
void mlx5_function_sleep(Mlx5Function *fn);
void mlx5_function_wake(Mlx5Function *fn);
void mlx5_function_finalize(Mlx5Function *fn);

#endif
