/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow steering: entries and their references. See steering.h and steering.c.
 */
#include <glib.h>
#include <string.h>

#include "steering_priv.h"

enum {
    ACTION_KNOWN =
        MLX5_FLOW_CONTEXT_ACTION_ALLOW | MLX5_FLOW_CONTEXT_ACTION_DROP |
        MLX5_FLOW_CONTEXT_ACTION_FWD_DEST | MLX5_FLOW_CONTEXT_ACTION_COUNT |
        MLX5_FLOW_CONTEXT_ACTION_MOD_HDR,
    MODIFY_KNOWN = MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST |
                   MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_COUNTERS,
};

/* ---- what an entry refers to --------------------------------------------- */

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

static void put_dests(Mlx5Steering *s, Table *from,
                      const Mlx5FlowDestination *dest, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        if (dest[i].type == MLX5_FLOW_DESTINATION_TYPE_TIR) {
            put_object(s, MLX5_STEERING_REF_TIR, dest[i].id);
        } else {
            Table *to = find_table(s, dest[i].id);

            steering_unref_table(from, to, &to->fte_refs);
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
        steering_ref_table(from, to, &to->fte_refs);
        return MLX5_STEERING_OK;
    default:
        return MLX5_STEERING_BAD_DESTINATION_TYPE;
    }
}

/* Takes all references of a destination list or, on error, none. */
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

void steering_fte_put(Mlx5Steering *s, Fte *fte)
{
    put_dests(s, fte->group->table, fte->dest, fte->n_dests);
    put_counters(s, fte->counter, fte->n_counters);
}

void steering_fte_free(Mlx5Steering *s, Fte *fte)
{
    steering_uncharge(s, HEAP_FTE(fte->group->has_inner) +
                         heap_of_lists(fte->n_dests, fte->n_counters));
    if (fte->modify) {
        fte->modify->refs--;
    }
    g_free(fte->dest);
    g_free(fte->counter);
    g_free(fte);
    s->n_ftes--;
}

/* ---- entries of a group -------------------------------------------------- */

/* By value, then by index. */
static gint value_order(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const Fte *x = a, *y = b;
    int c = key_cmp(&x->key, &y->key);

    ((Mlx5Steering *)opaque)->compares++;
    if (!c && x->group->has_inner) {
        c = key_cmp(&x->inner[0], &y->inner[0]);
    }
    return c                             ? c :
           x->flow_index < y->flow_index ? -1 :
                                           x->flow_index > y->flow_index;
}

static Fte *find_fte(const Table *t, uint32_t flow_index)
{
    const Group *g = steering_group_at(t, flow_index);

    return g && g->by_index
           ? g_tree_lookup(g->by_index, GUINT_TO_POINTER(flow_index)) : NULL;
}

/* Updates t->filled after a group got its first entry or lost its last. */
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
        g->by_index = g_tree_new(steering_number_order);
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

static Mlx5SteeringError check_dest_list(uint16_t action,
                                         const Mlx5FteAttr *attr)
{
    if (attr->destination_list_size &&
        !(action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST)) {
        return MLX5_STEERING_EXCESS_DESTINATION;
    }
    if (attr->destination_list_size > MLX5_STEERING_MAX_FTE_DESTS) {
        return MLX5_STEERING_TOO_MANY_DESTINATIONS;
    }
    return MLX5_STEERING_OK;
}

static Mlx5SteeringError check_counter_list(uint16_t action,
                                            const Mlx5FteAttr *attr)
{
    if (attr->flow_counter_list_size &&
        !(action & MLX5_FLOW_CONTEXT_ACTION_COUNT)) {
        return MLX5_STEERING_EXCESS_COUNTER;
    }
    if (attr->flow_counter_list_size > MLX5_STEERING_MAX_FTE_COUNTERS) {
        return MLX5_STEERING_TOO_MANY_COUNTERS;
    }
    return MLX5_STEERING_OK;
}

/*
 * Checks the parts selected by `what` (MLX5_SET_FTE_MODIFY_ENABLE_MASK_*)
 * against the future action of the entry.
 */
static Mlx5SteeringError check_fte(unsigned what, uint16_t action,
                                   const Mlx5FteAttr *attr)
{
    Mlx5SteeringError err = MLX5_STEERING_OK;

    if (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION) {
        err = check_action(action);
    }
    if (!err && (what & MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG) &&
        attr->flow_tag > STEERING_ID_MASK) {
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

/* Finds the modify header context for the action, NULL without MOD_HDR. */
static Mlx5SteeringError find_modify_of(Mlx5Steering *s, uint16_t action,
                                        const Mlx5FteAttr *attr, Modify **out)
{
    *out = NULL;
    if (!(action & MLX5_FLOW_CONTEXT_ACTION_MOD_HDR)) {
        return attr->modify_header_id ? MLX5_STEERING_EXCESS_MODIFY :
                                        MLX5_STEERING_OK;
    }
    *out = find_modify(s, attr->modify_header_id);
    return *out ? MLX5_STEERING_OK : MLX5_STEERING_NO_MODIFY;
}

/*
 * Replaces the entry's destinations with those of @attr; references are taken
 * already.
 */
static void replace_dests(Mlx5Steering *s, Fte *fte, const Mlx5FteAttr *attr)
{
    uint32_t n = attr->destination_list_size;

    put_dests(s, fte->group->table, fte->dest, fte->n_dests);
    g_free(fte->dest);
    fte->dest = g_new(Mlx5FlowDestination, n);
    if (n) {
        memcpy(fte->dest, attr->destination, n * sizeof(fte->dest[0]));
    }
    fte->n_dests = n;
}

/* Likewise its counters. */
static void replace_counters(Mlx5Steering *s, Fte *fte, const Mlx5FteAttr *attr)
{
    uint32_t n = attr->flow_counter_list_size;

    put_counters(s, fte->counter, fte->n_counters);
    g_free(fte->counter);
    fte->counter = g_new(uint32_t, n);
    if (n) {
        memcpy(fte->counter, attr->flow_counter, n * sizeof(fte->counter[0]));
    }
    fte->n_counters = n;
}

/*
 * Updates the parts of an entry selected by `what` from attr. New references
 * are taken before old ones are released, so an object in both lists always has
 * one. On error the entry is unchanged. Charges for the lists are handled here,
 * also for a dropped list; the caller charges for the entry itself.
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
        replace_dests(s, fte, attr);
    }
    if (set_counters) {
        replace_counters(s, fte, attr);
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
                                        uint32_t flow_index,
                                        const Mlx5FteAttr *attr)
{
    Table *t = find_table(s, table_id);
    Mlx5SteeringError err;
    Key value;
    Group *g;
    Fte *fte;

    if (!t) {
        return MLX5_STEERING_NO_TABLE;
    }
    g = steering_group_find(s, t, attr->group_id);
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
    if (!steering_charge(s, HEAP_FTE(g->has_inner))) {
        return MLX5_STEERING_NO_MEMORY;
    }
    fte = g_malloc0(size_of_fte(g->has_inner));
    fte->group = g;
    fte->flow_index = flow_index;
    err = apply_fte(s, fte, MODIFY_KNOWN, attr->action, attr);
    if (err) {
        steering_uncharge(s, HEAP_FTE(g->has_inner));
        g_free(fte);
        return err;
    }
    memcpy(&value, attr->match_value, sizeof(value));
    key_and(&fte->key, &value, &g->mask);
    if (g->has_inner) {
        memcpy(&value, attr->match_value + MLX5_FTE_MATCH_INNER_OFFSET,
               sizeof(value));
        key_and(&fte->inner[0], &value, &g->inner_mask[0]);
    }
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
    steering_fte_put(s, fte);
    steering_fte_free(s, fte);
    return MLX5_STEERING_OK;
}
