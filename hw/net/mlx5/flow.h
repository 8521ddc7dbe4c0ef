/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow tables and flow counters, flow.c. The tables themselves are the
 * engine's (engine/steering.h); fn->steering is NULL until a driver arrives.
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
