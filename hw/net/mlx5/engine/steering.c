/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Flow steering: tables, groups and entries, see steering.h.
 *
 * The objects and what refers to what; the lookup is in steering_lookup.c.
 *
 * A table knows its groups in order of their indices; a group knows its entries by
 * index, and by masked value and index. Groups of a table never overlap, so the
 * first group in order that has an equal entry holds the winner, and the first entry
 * of that value is it.
 */
#include <glib.h>
#include <string.h>

#include "steering_priv.h"

enum {
    ID_MASK = 0xffffff,
    MAX_LOG_SIZE = 31,

    ACTION_KNOWN = MLX5_FLOW_CONTEXT_ACTION_ALLOW | MLX5_FLOW_CONTEXT_ACTION_DROP |
                   MLX5_FLOW_CONTEXT_ACTION_FWD_DEST | MLX5_FLOW_CONTEXT_ACTION_COUNT |
                   MLX5_FLOW_CONTEXT_ACTION_MOD_HDR,
    MODIFY_KNOWN = MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_COUNTERS,
};

const char *mlx5_steering_strerror(Mlx5SteeringError err)
{
    static const char *const text[] = {
#define MLX5_STEERING_TEXT(name, text) text,
        MLX5_STEERING_ERRORS(MLX5_STEERING_TEXT)
#undef MLX5_STEERING_TEXT
    };

    return (unsigned)err < MLX5_STEERING_N_ERRORS ? text[err] : "unknown steering error";
}

/* Orders of the trees: ids and indices as they are, entries by value, then index. */

static gint number_order(gconstpointer a, gconstpointer b)
{
    guint x = GPOINTER_TO_UINT(a), y = GPOINTER_TO_UINT(b);

    return x < y ? -1 : x > y;
}

static gint value_order(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const Fte *x = a, *y = b;
    int c = key_cmp(&x->key, &y->key);

    ((Mlx5Steering *)opaque)->compares++;
    return c ? c : x->flow_index < y->flow_index ? -1 : x->flow_index > y->flow_index;
}

/* Position in t->groups of the first group that starts behind `index`. */
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

static Fte *find_fte(const Table *t, uint32_t flow_index)
{
    guint at = group_position(t, flow_index);
    const Group *g = at ? g_ptr_array_index(t->groups, at - 1) : NULL;

    return g && g->by_index ? g_tree_lookup(g->by_index, GUINT_TO_POINTER(flow_index))
                            : NULL;
}

/* The next free id behind the last one given, so that one is not soon reused. The
 * callers' limits leave ids free. */
uint32_t steering_new_id(GTree *live, uint32_t *next)
{
    uint32_t id;

    do {
        id = *next & ID_MASK;
        *next = id + 1;
    } while (!id || g_tree_lookup(live, GUINT_TO_POINTER(id)));
    return id;
}

/* References between tables. */

static void ref_table(Table *from, Table *to, uint32_t *refs)
{
    (*refs)++;
    if (from == to) {
        to->own_refs++;
    }
}

static void unref_table(Table *from, Table *to, uint32_t *refs)
{
    (*refs)--;
    if (from == to) {
        to->own_refs--;
    }
}

static void put_miss(Mlx5Steering *s, Table *t)
{
    if (t->attr.table_miss_action == MLX5_FLOW_TABLE_MISS_ACTION_FWD) {
        Table *to = find_table(s, t->attr.table_miss_id);

        unref_table(t, to, &to->miss_refs);
    }
}

static bool get_object(Mlx5Steering *s, Mlx5SteeringRef kind, uint32_t id)
{
    return !s->ops || !s->ops->get || s->ops->get(s->opaque, kind, id);
}

static void put_object(Mlx5Steering *s, Mlx5SteeringRef kind, uint32_t id)
{
    if (s->ops && s->ops->put) {
        s->ops->put(s->opaque, kind, id);
    }
}

bool steering_charge(Mlx5Steering *s, size_t bytes)
{
    if (s->ops && s->ops->charge && !s->ops->charge(s->opaque, bytes)) {
        return false;
    }
    s->charged += bytes;
    return true;
}

void steering_uncharge(Mlx5Steering *s, size_t bytes)
{
    if (s->ops && s->ops->uncharge) {
        s->ops->uncharge(s->opaque, bytes);
    }
    s->charged -= bytes;
}

static void put_dests(Mlx5Steering *s, Table *from, const Mlx5FlowDestination *dest,
                      uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (dest[i].type == MLX5_FLOW_DESTINATION_TYPE_TIR) {
            put_object(s, MLX5_STEERING_REF_TIR, dest[i].id);
        } else {
            Table *to = find_table(s, dest[i].id);

            unref_table(from, to, &to->fte_refs);
        }
    }
}

static void put_counters(Mlx5Steering *s, const uint32_t *counter, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        put_object(s, MLX5_STEERING_REF_COUNTER, counter[i]);
    }
}

static Mlx5SteeringError get_dest(Mlx5Steering *s, Table *from,
                                  const Mlx5FlowDestination *dest)
{
    Table *to;

    switch (dest->type) {
    case MLX5_FLOW_DESTINATION_TYPE_TIR:
        return get_object(s, MLX5_STEERING_REF_TIR, dest->id)
               ? MLX5_STEERING_OK : MLX5_STEERING_NO_DESTINATION_TIR;
    case MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE:
        to = find_table(s, dest->id);
        if (!to) {
            return MLX5_STEERING_NO_DESTINATION_TABLE;
        }
        ref_table(from, to, &to->fte_refs);
        return MLX5_STEERING_OK;
    default:
        return MLX5_STEERING_BAD_DESTINATION_TYPE;
    }
}

/* All references of a destination list or none. */
static Mlx5SteeringError get_dests(Mlx5Steering *s, Table *from,
                                   const Mlx5FlowDestination *dest, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        Mlx5SteeringError err = get_dest(s, from, &dest[i]);

        if (err) {
            put_dests(s, from, dest, i);
            return err;
        }
    }
    return MLX5_STEERING_OK;
}

static Mlx5SteeringError get_counters(Mlx5Steering *s, const uint32_t *counter,
                                      uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (!get_object(s, MLX5_STEERING_REF_COUNTER, counter[i])) {
            put_counters(s, counter, i);
            return MLX5_STEERING_BAD_COUNTER;
        }
    }
    return MLX5_STEERING_OK;
}

/* Life of the whole. */

static void fte_free(Mlx5Steering *s, Fte *fte)
{
    steering_uncharge(s, HEAP_FTE + heap_of_lists(fte->n_dests, fte->n_counters));
    if (fte->modify) {
        fte->modify->refs--;
    }
    g_free(fte->dest);
    g_free(fte->counter);
    g_free(fte);
    s->n_ftes--;
}

Mlx5Steering *mlx5_steering_new(const Mlx5SteeringLimits *limits,
                                const Mlx5SteeringOps *ops, void *opaque)
{
    Mlx5Steering *s = g_new0(Mlx5Steering, 1);

    s->limits = *limits;
    s->limits.max_tables = MIN(s->limits.max_tables, ID_MASK / 2);
    s->limits.max_groups_per_table = MIN(s->limits.max_groups_per_table,
                                         ID_MASK / 2 / MAX(s->limits.max_tables, 1));
    s->limits.max_modifies = MIN(s->limits.max_modifies, ID_MASK / 2);
    s->limits.max_log_size = MIN(s->limits.max_log_size, MAX_LOG_SIZE);
    s->ops = ops;
    s->opaque = opaque;
    s->tables = g_tree_new(number_order);
    s->groups = g_tree_new(number_order);
    s->modifies = g_tree_new(number_order);
    s->next_table_id = 1;
    s->next_group_id = 1;
    s->next_modify_id = 1;
    return s;
}

static gboolean put_fte(gpointer key, gpointer value, gpointer opaque)
{
    Fte *fte = value;

    (void)key;
    put_dests(opaque, fte->group->table, fte->dest, fte->n_dests);
    put_counters(opaque, fte->counter, fte->n_counters);
    return FALSE;
}

/* Give back what a table refers to, while all of that still exists. */
static gboolean put_table(gpointer key, gpointer value, gpointer opaque)
{
    Table *t = value;
    guint i;

    (void)key;
    put_miss(opaque, t);
    for (i = 0; i < t->groups->len; i++) {
        Group *g = g_ptr_array_index(t->groups, i);

        if (g->by_index) {
            g_tree_foreach(g->by_index, put_fte, opaque);
        }
    }
    return FALSE;
}

static gboolean free_fte(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    fte_free(opaque, value);
    return FALSE;
}

static gboolean free_table(gpointer key, gpointer value, gpointer opaque)
{
    Table *t = value;
    guint i;

    (void)key;
    for (i = 0; i < t->groups->len; i++) {
        Group *g = g_ptr_array_index(t->groups, i);

        if (g->n_ftes) {
            g_tree_foreach(g->by_index, free_fte, opaque);
            g_tree_destroy(g->by_index);
            g_tree_destroy(g->by_value);
        }
        g_free(g);
        steering_uncharge(opaque, HEAP_GROUP);
    }
    g_ptr_array_free(t->groups, TRUE);
    g_ptr_array_free(t->filled, TRUE);
    g_free(t);
    steering_uncharge(opaque, HEAP_TABLE);
    return FALSE;
}

static gboolean free_modify(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    steering_uncharge(opaque, HEAP_MODIFY(((Modify *)value)->n));
    g_free(value);
    return FALSE;
}

void mlx5_steering_reset(Mlx5Steering *s)
{
    g_tree_foreach(s->tables, put_table, s);
    g_tree_foreach(s->tables, free_table, s);
    g_tree_foreach(s->modifies, free_modify, s);
    g_tree_destroy(s->tables);
    g_tree_destroy(s->groups);
    g_tree_destroy(s->modifies);
    s->tables = g_tree_new(number_order);
    s->groups = g_tree_new(number_order);
    s->modifies = g_tree_new(number_order);
    s->root = NULL;
    s->next_table_id = 1;
    s->next_group_id = 1;
    s->next_modify_id = 1;
}

void mlx5_steering_free(Mlx5Steering *s)
{
    if (!s) {
        return;
    }
    mlx5_steering_reset(s);
    g_tree_destroy(s->tables);
    g_tree_destroy(s->groups);
    g_tree_destroy(s->modifies);
    g_free(s);
}

void mlx5_steering_counts(const Mlx5Steering *s, Mlx5SteeringCounts *out)
{
    out->tables = (uint32_t)g_tree_nnodes(s->tables);
    out->groups = (uint32_t)g_tree_nnodes(s->groups);
    out->ftes = s->n_ftes;
    out->compares = s->compares;
}

/* Tables. */

/* Check a miss action and take its reference for `t`. */
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
        ref_table(t, to, &to->miss_refs);
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

Mlx5SteeringError mlx5_steering_table_modify_miss(Mlx5Steering *s, uint32_t table_id,
                                                  uint8_t table_miss_action,
                                                  uint32_t table_miss_id)
{
    Table *t = find_table(s, table_id);

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    return set_miss(s, t, table_miss_action, table_miss_id);
}

Mlx5SteeringError mlx5_steering_table_destroy(Mlx5Steering *s, uint32_t table_id)
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
    g_ptr_array_free(t->groups, TRUE);
    g_ptr_array_free(t->filled, TRUE);
    g_free(t);
    steering_uncharge(s, HEAP_TABLE);
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

Mlx5SteeringError mlx5_steering_table_info(const Mlx5Steering *s, uint32_t table_id,
                                           Mlx5FlowTableInfo *out)
{
    const Table *t = find_table(s, table_id);

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    out->attr = t->attr;
    out->is_root = s->root == t;
    out->groups = t->groups->len;
    out->ftes = t->n_ftes;
    out->fte_refs = t->fte_refs;
    out->miss_refs = t->miss_refs;
    out->own_refs = t->own_refs;
    return MLX5_STEERING_OK;
}

/* The nearest id above one, while the tree is searched. */
typedef struct NextId {
    uint32_t above;
    uint32_t best;
} NextId;

static gint search_next(gconstpointer key, gconstpointer opaque)
{
    NextId *n = (NextId *)opaque;

    if (GPOINTER_TO_UINT(key) > n->above) {
        n->best = GPOINTER_TO_UINT(key);
        return -1;
    }
    return 1;
}

uint32_t mlx5_steering_table_next(const Mlx5Steering *s, uint32_t table_id)
{
    NextId n = { .above = table_id };

    g_tree_search(s->tables, search_next, &n);
    return n.best;
}

/* Groups. */

/* The bits of fte_match_set_lyr_2_4 that belong to a field. */
static bool criteria_known(const uint8_t *outer)
{
    return !(outer[M_L4_TYPE] & 0x3f) && !outer[M_L4_TYPE + 1] &&
           !(outer[M_IPV4_IHL] & 0x0f);
}

Mlx5SteeringError mlx5_steering_group_create(Mlx5Steering *s, uint32_t table_id,
                                             const Mlx5FlowGroupAttr *attr,
                                             uint32_t *group_id)
{
    Table *t = find_table(s, table_id);
    const Group *before, *behind;
    guint at;
    Group *g;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    if (attr->match_criteria_enable & ~MLX5_MATCH_OUTER_HEADERS) {
        return MLX5_STEERING_BAD_CRITERIA_ENABLE;
    }
    if (attr->match_criteria_enable && !criteria_known(attr->match_criteria)) {
        return MLX5_STEERING_BAD_CRITERIA;
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
    if (!steering_charge(s, HEAP_GROUP)) {
        return MLX5_STEERING_NO_MEMORY;
    }
    g = g_new0(Group, 1);
    g->table = t;
    g->start = attr->start_flow_index;
    g->end = attr->end_flow_index;
    if (attr->match_criteria_enable) {
        memcpy(&g->mask, attr->match_criteria, sizeof(g->mask));
    }
    g->id = steering_new_id(s->groups, &s->next_group_id);
    g_tree_insert(s->groups, GUINT_TO_POINTER(g->id), g);
    g_ptr_array_insert(t->groups, at, g);
    *group_id = g->id;
    return MLX5_STEERING_OK;
}

/* The group of that id, if it is one of the table's. */
static Group *find_group(const Mlx5Steering *s, const Table *t, uint32_t group_id)
{
    Group *g = g_tree_lookup(s->groups, GUINT_TO_POINTER(group_id));

    return g && g->table == t ? g : NULL;
}

Mlx5SteeringError mlx5_steering_group_destroy(Mlx5Steering *s, uint32_t table_id,
                                              uint32_t group_id)
{
    Table *t = find_table(s, table_id);
    Group *g;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    g = find_group(s, t, group_id);
    if (!g) {
        return MLX5_STEERING_NO_GROUP;
    }
    if (g->n_ftes) {
        return MLX5_STEERING_GROUP_HAS_ENTRIES;
    }
    g_ptr_array_remove(t->groups, g);
    g_tree_remove(s->groups, GUINT_TO_POINTER(group_id));
    g_free(g);
    steering_uncharge(s, HEAP_GROUP);
    return MLX5_STEERING_OK;
}

/* Entries. */

/* A group got its first entry or lost its last. */
static void find_filled(Table *t)
{
    guint i;

    g_ptr_array_set_size(t->filled, 0);
    for (i = 0; i < t->groups->len; i++) {
        Group *g = g_ptr_array_index(t->groups, i);

        if (g->n_ftes) {
            g_ptr_array_add(t->filled, g);
        }
    }
}

static void link_fte(Mlx5Steering *s, Group *g, Fte *fte)
{
    if (!g->n_ftes) {
        g->by_value = g_tree_new_with_data(value_order, s);
        g->by_index = g_tree_new(number_order);
    }
    g_tree_insert(g->by_value, fte, fte);
    g_tree_insert(g->by_index, GUINT_TO_POINTER(fte->flow_index), fte);
    g->table->n_ftes++;
    if (!g->n_ftes++) {
        find_filled(g->table);
    }
}

static void unlink_fte(Group *g, Fte *fte)
{
    g_tree_remove(g->by_value, fte);
    g_tree_remove(g->by_index, GUINT_TO_POINTER(fte->flow_index));
    g->table->n_ftes--;
    if (!--g->n_ftes) {
        g_clear_pointer(&g->by_value, g_tree_destroy);
        g_clear_pointer(&g->by_index, g_tree_destroy);
        find_filled(g->table);
    }
}

static Mlx5SteeringError check_action(uint16_t action)
{
    bool drop = action & MLX5_FLOW_CONTEXT_ACTION_DROP;
    bool fwd = action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST;

    if (action & ~ACTION_KNOWN) {
        return MLX5_STEERING_UNKNOWN_ACTION;
    }
    return drop != fwd ? MLX5_STEERING_OK : MLX5_STEERING_BAD_ACTION;
}

static Mlx5SteeringError check_dest_list(uint16_t action, const Mlx5FteAttr *attr)
{
    if (attr->destination_list_size && !(action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST)) {
        return MLX5_STEERING_EXCESS_DESTINATION;
    }
    if (attr->destination_list_size > MLX5_STEERING_MAX_FTE_DESTS) {
        return MLX5_STEERING_TOO_MANY_DESTINATIONS;
    }
    return MLX5_STEERING_OK;
}

static Mlx5SteeringError check_counter_list(uint16_t action, const Mlx5FteAttr *attr)
{
    if (attr->flow_counter_list_size && !(action & MLX5_FLOW_CONTEXT_ACTION_COUNT)) {
        return MLX5_STEERING_EXCESS_COUNTER;
    }
    if (attr->flow_counter_list_size > MLX5_STEERING_MAX_FTE_COUNTERS) {
        return MLX5_STEERING_TOO_MANY_COUNTERS;
    }
    return MLX5_STEERING_OK;
}

/*
 * Everything `what` (MLX5_SET_FTE_MODIFY_ENABLE_MASK_*) names, checked against the
 * action the entry will have.
 */
static Mlx5SteeringError check_fte(unsigned what, uint16_t action,
                                   const Mlx5FteAttr *attr)
{
    Mlx5SteeringError err = MLX5_STEERING_OK;

    if (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION) {
        err = check_action(action);
    }
    if (!err && (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG) &&
        attr->flow_tag > ID_MASK) {
        err = MLX5_STEERING_BAD_FLOW_TAG;
    }
    if (!err && (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST)) {
        err = check_dest_list(action, attr);
    }
    if (!err && (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_COUNTERS)) {
        err = check_counter_list(action, attr);
    }
    return err;
}

/* The modify header context that goes with the action, NULL without MOD_HDR. */
static Mlx5SteeringError find_modify_of(Mlx5Steering *s, uint16_t action,
                                        const Mlx5FteAttr *attr, Modify **out)
{
    *out = NULL;
    if (!(action & MLX5_FLOW_CONTEXT_ACTION_MOD_HDR)) {
        return attr->modify_header_id ? MLX5_STEERING_EXCESS_MODIFY : MLX5_STEERING_OK;
    }
    *out = find_modify(s, attr->modify_header_id);
    return *out ? MLX5_STEERING_OK : MLX5_STEERING_NO_MODIFY;
}

/*
 * Make an entry what attr says, as far as `what` names it. The new references are
 * taken before the old ones are given back, so an object that is in both lists is
 * never without one. On error the entry is as before. The lists are charged here,
 * a list that is dropped included; the entry itself is the caller's to charge.
 */
static Mlx5SteeringError apply_fte(Mlx5Steering *s, Fte *fte, unsigned what,
                                   uint16_t action, const Mlx5FteAttr *attr)
{
    bool set_dests = what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST;
    bool set_counters = what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_COUNTERS;
    uint32_t n_dests = attr->destination_list_size;
    uint32_t n_counters = attr->flow_counter_list_size;
    size_t before = heap_of_lists(fte->n_dests, fte->n_counters);
    size_t after = heap_of_lists(set_dests ? n_dests : fte->n_dests,
                              set_counters ? n_counters : fte->n_counters);
    Table *t = fte->group->table;
    Mlx5SteeringError err = MLX5_STEERING_OK;
    Modify *modify = NULL;

    if (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION) {
        err = find_modify_of(s, action, attr, &modify);
        if (err) {
            return err;
        }
    }
    if (!steering_charge(s, after)) {
        return MLX5_STEERING_NO_MEMORY;
    }
    if (set_dests) {
        err = get_dests(s, t, attr->destination, n_dests);
    }
    if (!err && set_counters) {
        err = get_counters(s, attr->flow_counter, n_counters);
        if (err && set_dests) {
            put_dests(s, t, attr->destination, n_dests);
        }
    }
    if (err) {
        steering_uncharge(s, after);
        return err;
    }
    steering_uncharge(s, before);
    if (set_dests) {
        put_dests(s, t, fte->dest, fte->n_dests);
        g_free(fte->dest);
        fte->dest = g_new(Mlx5FlowDestination, n_dests);
        if (n_dests) {
            memcpy(fte->dest, attr->destination, n_dests * sizeof(fte->dest[0]));
        }
        fte->n_dests = n_dests;
    }
    if (set_counters) {
        put_counters(s, fte->counter, fte->n_counters);
        g_free(fte->counter);
        fte->counter = g_new(uint32_t, n_counters);
        if (n_counters) {
            memcpy(fte->counter, attr->flow_counter,
                   n_counters * sizeof(fte->counter[0]));
        }
        fte->n_counters = n_counters;
    }
    if (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG) {
        fte->flow_tag = attr->flow_tag;
    }
    if (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION) {
        if (modify) {
            modify->refs++;
        }
        if (fte->modify) {
            fte->modify->refs--;
        }
        fte->modify = modify;
    }
    fte->action = action;
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_fte_set(Mlx5Steering *s, uint32_t table_id,
                                        uint32_t flow_index, const Mlx5FteAttr *attr)
{
    Table *t = find_table(s, table_id);
    Mlx5SteeringError err;
    Key value;
    Group *g;
    Fte *fte;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    g = find_group(s, t, attr->group_id);
    if (!g) {
        return MLX5_STEERING_NO_GROUP;
    }
    if (flow_index < g->start || flow_index > g->end) {
        return MLX5_STEERING_INDEX_OUT_OF_GROUP;
    }
    if (find_fte(t, flow_index)) {
        return MLX5_STEERING_INDEX_BUSY;
    }
    if (s->n_ftes >= s->limits.max_ftes) {
        return MLX5_STEERING_TOO_MANY_ENTRIES;
    }
    err = check_fte(MODIFY_KNOWN, attr->action, attr);
    if (err) {
        return err;
    }
    if ((attr->action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST) &&
        !attr->destination_list_size) {
        return MLX5_STEERING_NO_DESTINATION;
    }
    if ((attr->action & MLX5_FLOW_CONTEXT_ACTION_COUNT) &&
        !attr->flow_counter_list_size) {
        return MLX5_STEERING_NO_COUNTER;
    }
    if (!steering_charge(s, HEAP_FTE)) {
        return MLX5_STEERING_NO_MEMORY;
    }
    fte = g_new0(Fte, 1);
    fte->group = g;
    fte->flow_index = flow_index;
    err = apply_fte(s, fte, MODIFY_KNOWN, attr->action, attr);
    if (err) {
        steering_uncharge(s, HEAP_FTE);
        g_free(fte);
        return err;
    }
    memcpy(&value, attr->match_value, sizeof(value));
    key_and(&fte->key, &value, &g->mask);
    link_fte(s, g, fte);
    s->n_ftes++;
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_fte_modify(Mlx5Steering *s, uint32_t table_id,
                                           uint32_t flow_index,
                                           uint8_t modify_enable_mask,
                                           const Mlx5FteAttr *attr)
{
    Table *t = find_table(s, table_id);
    Mlx5SteeringError err;
    uint16_t action;
    Fte *fte;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    fte = find_fte(t, flow_index);
    if (!fte) {
        return MLX5_STEERING_NO_ENTRY;
    }
    if (fte->group->id != attr->group_id) {
        return MLX5_STEERING_GROUP_MISMATCH;
    }
    if (modify_enable_mask & ~MODIFY_KNOWN) {
        return MLX5_STEERING_BAD_MODIFY_MASK;
    }
    action = modify_enable_mask & MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION
             ? attr->action : fte->action;
    err = check_fte(modify_enable_mask, action, attr);
    if (err) {
        return err;
    }
    return apply_fte(s, fte, modify_enable_mask, action, attr);
}

Mlx5SteeringError mlx5_steering_fte_delete(Mlx5Steering *s, uint32_t table_id,
                                           uint32_t flow_index)
{
    Table *t = find_table(s, table_id);
    Fte *fte;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    fte = find_fte(t, flow_index);
    if (!fte) {
        return MLX5_STEERING_NO_ENTRY;
    }
    unlink_fte(fte->group, fte);
    put_dests(s, t, fte->dest, fte->n_dests);
    put_counters(s, fte->counter, fte->n_counters);
    fte_free(s, fte);
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_fte_query(const Mlx5Steering *s, uint32_t table_id,
                                          uint32_t flow_index, Mlx5FteAttr *out)
{
    const Table *t = find_table(s, table_id);
    const Fte *fte;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    fte = find_fte(t, flow_index);
    if (!fte) {
        return MLX5_STEERING_NO_ENTRY;
    }
    out->group_id = fte->group->id;
    out->flow_tag = fte->flow_tag;
    out->action = fte->action;
    out->destination_list_size = fte->n_dests;
    out->destination = fte->dest;
    out->flow_counter_list_size = fte->n_counters;
    out->flow_counter = fte->counter;
    out->modify_header_id = fte->modify ? fte->modify->id : 0;
    out->match_value = (const uint8_t *)fte->key.w;
    return MLX5_STEERING_OK;
}
