/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Contents of tables and entries of a Mlx5Steering, which the device never
 * queries. Reads the engine's private structures. Owns no state; used only by
 * tests.
 */
#ifndef TESTS_UNIT_STEERING_PEEK_H
#define TESTS_UNIT_STEERING_PEEK_H

#include "steering.h"

typedef struct PeekTable {
    Mlx5FlowTableAttr attr;
    uint32_t miss_refs;     /* miss actions that lead here, including its own */
} PeekTable;

/* Returns false if there is no such table. */
bool peek_table(const Mlx5Steering *s, uint32_t table_id, PeekTable *out);

/*
 * Returns false if there is no such entry. The lists point into the entry,
 * valid until the next change; match_value points to MLX5_FTE_MATCH_OUTER_LEN
 * bytes, masked.
 */
bool peek_fte(const Mlx5Steering *s, uint32_t table_id, uint32_t flow_index,
              Mlx5FteAttr *out);

#endif
