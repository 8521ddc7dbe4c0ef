/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow steering: tables, the root, groups. See steering.h and steering.c. */
#include <glib.h>
#include <string.h>

#include "steering_priv.h"

/* ---- tables -------------------------------------------------------------- */

static void put_miss(Mlx5Steering *s, Table *t)
{
    if (t->attr.table_miss_action == MLX5_FLOW_TABLE_MISS_ACTION_FWD) {
        Table *to = find_table(s, t->attr.table_miss_id);

        steering_unref_table(t, to, &to->miss_refs);
    }
}

/* Checks a miss action and takes its reference for `t`. */
static Mlx5SteeringError set_miss(Mlx5Steering *s, Table *t, uint8_t action,
                                  uint32_t id)
{
    Table *to;

    switch (action) {
    case MLX5_FLOW_TABLE_MISS_ACTION_DEF:
        id = 0;
        break;
    case MLX5_FLOW_TABLE_MISS_ACTION_FWD:
        to = find_table(s, id);
        if (!to) {
            return MLX5_STEERING_NO_MISS_TABLE;
        }
        steering_ref_table(t, to, &to->miss_refs);
        break;
    default:
        return MLX5_STEERING_BAD_MISS_ACTION;
    }
    put_miss(s, t);
    t->attr.table_miss_action = action;
    t->attr.table_miss_id = id;
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_table_create(Mlx5Steering *s,
                                             const Mlx5FlowTableAttr *attr,
                                             uint32_t *table_id)
{
    Mlx5SteeringError err;
    Table *t;

    if (attr->table_type != MLX5_FLOW_TABLE_TYPE_NIC_RX) {
        return MLX5_STEERING_BAD_TABLE_TYPE;
    }
    if (attr->log_size > s->limits.max_log_size) {
        return MLX5_STEERING_BAD_TABLE_SIZE;
    }
    if ((uint32_t)g_tree_nnodes(s->tables) >= s->limits.max_tables) {
        return MLX5_STEERING_TOO_MANY_TABLES;
    }
    if (!steering_charge(s, HEAP_TABLE)) {
        return MLX5_STEERING_NO_MEMORY;
    }
    t = g_new0(Table, 1);
    t->attr = *attr;
    t->attr.table_miss_action = MLX5_FLOW_TABLE_MISS_ACTION_DEF;
    err = set_miss(s, t, attr->table_miss_action, attr->table_miss_id);
    if (err) {
        steering_uncharge(s, HEAP_TABLE);
        g_free(t);
        return err;
    }
    t->groups = g_ptr_array_new();
    t->filled = g_ptr_array_new();
    t->id = steering_new_id(s->tables, &s->next_table_id);
    g_tree_insert(s->tables, GUINT_TO_POINTER(t->id), t);
    *table_id = t->id;
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_table_modify_miss(Mlx5Steering *s,
                                                  uint32_t table_id,
                                                  uint8_t table_miss_action,
                                                  uint32_t table_miss_id)
{
    Table *t = find_table(s, table_id);

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    return set_miss(s, t, table_miss_action, table_miss_id);
}

Mlx5SteeringError mlx5_steering_table_destroy(Mlx5Steering *s,
                                              uint32_t table_id)
{
    Table *t = find_table(s, table_id);

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    if (t->groups->len) {
        return MLX5_STEERING_TABLE_HAS_GROUPS;
    }
    if (t->fte_refs + t->miss_refs > t->own_refs) {
        return MLX5_STEERING_TABLE_IN_USE;
    }
    put_miss(s, t);
    if (s->root == t) {
        s->root = NULL;
    }
    g_tree_remove(s->tables, GUINT_TO_POINTER(table_id));
    steering_table_free(s, t);
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_root_set(Mlx5Steering *s, uint32_t table_id)
{
    Table *t = find_table(s, table_id);

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    s->root = t;
    return MLX5_STEERING_OK;
}

void mlx5_steering_root_clear(Mlx5Steering *s)
{
    s->root = NULL;
}

uint32_t mlx5_steering_root(const Mlx5Steering *s)
{
    return s->root ? s->root->id : 0;
}

/* ---- groups -------------------------------------------------------------- */

/*
 * Returns the position in t->groups of the first group that starts after
 * `index`.
 */
static guint group_position(const Table *t, uint32_t index)
{
    guint lo = 0, hi = t->groups->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;
        const Group *g = g_ptr_array_index(t->groups, mid);

        if (g->start > index) {
            hi = mid;
        } else {
            lo = mid + 1;
        }
    }
    return lo;
}

Group *steering_group_at(const Table *t, uint32_t flow_index)
{
    guint at = group_position(t, flow_index);

    return at ? g_ptr_array_index(t->groups, at - 1) : NULL;
}

/* Has a fte_match_set_lyr_2_4 only bits that belong to a field? */
static bool criteria_known(const uint8_t *set)
{
    return !(set[M_L4_TYPE] & 0x3f) && !set[M_L4_TYPE + 1] &&
           !(set[M_IPV4_IHL] & 0x0f);
}

static Mlx5SteeringError check_criteria(const Mlx5FlowGroupAttr *attr)
{
    const uint8_t *criteria = attr->match_criteria;
    uint8_t enable = attr->match_criteria_enable;

    if (enable & ~(MLX5_MATCH_OUTER_HEADERS | MLX5_MATCH_INNER_HEADERS)) {
        return MLX5_STEERING_BAD_CRITERIA_ENABLE;
    }
    if ((enable & MLX5_MATCH_OUTER_HEADERS && !criteria_known(criteria)) ||
        (enable & MLX5_MATCH_INNER_HEADERS &&
         !criteria_known(criteria + MLX5_FTE_MATCH_INNER_OFFSET))) {
        return MLX5_STEERING_BAD_CRITERIA;
    }
    return MLX5_STEERING_OK;
}

static Group *new_group(const Mlx5FlowGroupAttr *attr)
{
    bool inner = attr->match_criteria_enable & MLX5_MATCH_INNER_HEADERS;
    Group *g = g_malloc0(size_of_group(inner));

    g->start = attr->start_flow_index;
    g->end = attr->end_flow_index;
    if (attr->match_criteria_enable & MLX5_MATCH_OUTER_HEADERS) {
        memcpy(&g->mask, attr->match_criteria, sizeof(g->mask));
    }
    g->has_inner = inner;
    if (inner) {
        memcpy(&g->inner_mask[0],
               attr->match_criteria + MLX5_FTE_MATCH_INNER_OFFSET, sizeof(Key));
    }
    return g;
}

Mlx5SteeringError mlx5_steering_group_create(Mlx5Steering *s, uint32_t table_id,
                                             const Mlx5FlowGroupAttr *attr,
                                             uint32_t *group_id)
{
    Table *t = find_table(s, table_id);
    bool inner = attr->match_criteria_enable & MLX5_MATCH_INNER_HEADERS;
    const Group *before, *behind;
    Mlx5SteeringError err;
    guint at;
    Group *g;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    err = check_criteria(attr);
    if (err) {
        return err;
    }
    if (attr->start_flow_index > attr->end_flow_index) {
        return MLX5_STEERING_BAD_GROUP_RANGE;
    }
    if (attr->end_flow_index >= UINT64_C(1) << t->attr.log_size) {
        return MLX5_STEERING_GROUP_OUT_OF_TABLE;
    }
    at = group_position(t, attr->start_flow_index);
    before = at ? g_ptr_array_index(t->groups, at - 1) : NULL;
    behind = at < t->groups->len ? g_ptr_array_index(t->groups, at) : NULL;
    if ((before && before->end >= attr->start_flow_index) ||
        (behind && behind->start <= attr->end_flow_index)) {
        return MLX5_STEERING_GROUP_OVERLAP;
    }
    if (t->groups->len >= s->limits.max_groups_per_table) {
        return MLX5_STEERING_TOO_MANY_GROUPS;
    }
    if (!steering_charge(s, HEAP_GROUP(inner))) {
        return MLX5_STEERING_NO_MEMORY;
    }
    g = new_group(attr);
    g->table = t;
    g->id = steering_new_id(s->groups, &s->next_group_id);
    g_tree_insert(s->groups, GUINT_TO_POINTER(g->id), g);
    g_ptr_array_insert(t->groups, at, g);
    *group_id = g->id;
    return MLX5_STEERING_OK;
}

Group *steering_group_find(const Mlx5Steering *s, const Table *t,
                           uint32_t group_id)
{
    Group *g = g_tree_lookup(s->groups, GUINT_TO_POINTER(group_id));

    return g && g->table == t ? g : NULL;
}

Mlx5SteeringError mlx5_steering_group_destroy(Mlx5Steering *s,
                                              uint32_t table_id,
                                              uint32_t group_id)
{
    Table *t = find_table(s, table_id);
    Group *g;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    g = steering_group_find(s, t, group_id);
    if (!g) {
        return MLX5_STEERING_NO_GROUP;
    }
    if (g->n_ftes) {
        return MLX5_STEERING_GROUP_HAS_ENTRIES;
    }
    g_ptr_array_remove(t->groups, g);
    g_tree_remove(s->groups, GUINT_TO_POINTER(group_id));
    steering_uncharge(s, HEAP_GROUP(g->has_inner));
    g_free(g);
    return MLX5_STEERING_OK;
}

/* ---- the end of a table -------------------------------------------------- */

static gboolean put_fte(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    steering_fte_put(opaque, value);
    return FALSE;
}

void steering_table_put(Mlx5Steering *s, Table *t)
{
    guint i;

    put_miss(s, t);
    for (i = 0; i < t->groups->len; i++) {
        Group *g = g_ptr_array_index(t->groups, i);

        if (g->by_index) {
            g_tree_foreach(g->by_index, put_fte, s);
        }
    }
}

static gboolean free_fte(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    steering_fte_free(opaque, value);
    return FALSE;
}

void steering_table_free(Mlx5Steering *s, Table *t)
{
    guint i;

    for (i = 0; i < t->groups->len; i++) {
        Group *g = g_ptr_array_index(t->groups, i);

        if (g->n_ftes) {
            g_tree_foreach(g->by_index, free_fte, s);
            g_tree_destroy(g->by_index);
            g_tree_destroy(g->by_value);
        }
        steering_uncharge(s, HEAP_GROUP(g->has_inner));
        g_free(g);
    }
    g_ptr_array_free(t->groups, TRUE);
    g_ptr_array_free(t->filled, TRUE);
    g_free(t);
    steering_uncharge(s, HEAP_TABLE);
}
