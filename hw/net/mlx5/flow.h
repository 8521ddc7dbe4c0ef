/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow table commands and flow counters. The engine owns the tables themselves
 * (engine/steering.h); fn->steering is NULL until a driver appears.
 */
#ifndef HW_NET_MLX5_FLOW_H
#define HW_NET_MLX5_FLOW_H

#include "types.h"

void mlx5_flow_init(Mlx5Function *fn);
/* Removes all tables, groups, entries and counters. */
void mlx5_flow_reset(Mlx5Function *fn);
void mlx5_flow_finalize(Mlx5Function *fn);
/* Counts a packet of @octets bytes in flow counter @id, if it exists. */
void mlx5_flow_count(Mlx5Function *fn, uint32_t id, size_t octets);

#endif
