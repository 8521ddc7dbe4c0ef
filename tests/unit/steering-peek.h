/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the device never asks a Mlx5Steering: how a table or an entry is. It
 * reads the engine's private structures. Owns no state; used by tests only.
 */
#ifndef TESTS_UNIT_STEERING_PEEK_H
#define TESTS_UNIT_STEERING_PEEK_H

#include "steering.h"

typedef struct PeekTable {
    Mlx5FlowTableAttr attr;
    uint32_t miss_refs;     /* miss actions that lead here, its own too */
} PeekTable;

/* False if there is no such table. */
bool peek_table(const Mlx5Steering *s, uint32_t table_id, PeekTable *out);

/*
 * False if there is no such entry. The lists point into the entry, good until
 * the next change; match_value points to MLX5_FTE_MATCH_OUTER_LEN bytes,
 * masked.
 */
bool peek_fte(const Mlx5Steering *s, uint32_t table_id, uint32_t flow_index,
              Mlx5FteAttr *out);

#endif
