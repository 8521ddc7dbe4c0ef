/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A look at tables and entries. See steering-peek.h. */
#include "steering-peek.h"
#include "steering_priv.h"

bool peek_table(const Mlx5Steering *s, uint32_t table_id, PeekTable *out)
{
    const Table *t = find_table(s, table_id);

    if (t) {
        out->attr = t->attr;
        out->miss_refs = t->miss_refs;
    }
    return t != NULL;
}

bool peek_fte(const Mlx5Steering *s, uint32_t table_id, uint32_t flow_index,
              Mlx5FteAttr *out)
{
    const Table *t = find_table(s, table_id);
    const Group *g = t ? steering_group_at(t, flow_index) : NULL;
    const Fte *fte = g && g->by_index ? g_tree_lookup(g->by_index,
                                          GUINT_TO_POINTER(flow_index)) : NULL;

    if (!fte) {
        return false;
    }
    *out = (Mlx5FteAttr) {
        .group_id = g->id,
        .flow_tag = fte->flow_tag,
        .action = fte->action,
        .destination_list_size = fte->n_dests,
        .destination = fte->dest,
        .flow_counter_list_size = fte->n_counters,
        .flow_counter = fte->counter,
        .modify_header_id = fte->modify ? fte->modify->id : 0,
        .match_value = (const uint8_t *)fte->key.w,
    };
    return true;
}
