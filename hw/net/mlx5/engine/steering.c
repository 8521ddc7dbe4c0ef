/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow steering: the Mlx5Steering object, see steering.h. Tables and groups are
 * in steering_table.c, entries in steering_fte.c, the lookup in
 * steering_lookup.c.
 *
 * A table has its groups sorted by index; a group has its entries sorted by
 * index, and by masked value and index. Groups of a table never overlap, so the
 * first group with an equal entry has the winner, which is its first entry of
 * that value.
 */
#include <glib.h>

#include "steering_priv.h"

/* Flow tables may be declared with up to 2^31 entries. */
#define MAX_LOG_SIZE    31

const char *mlx5_steering_strerror(Mlx5SteeringError err)
{
    static const char *const text[] = {
#define MLX5_STEERING_TEXT(name, syndrome, text) text,
        MLX5_STEERING_ERRORS(MLX5_STEERING_TEXT)
#undef MLX5_STEERING_TEXT
    };

    return (unsigned)err < MLX5_STEERING_N_ERRORS ? text[err] :
                                                    "unknown steering error";
}

gint steering_number_order(gconstpointer a, gconstpointer b)
{
    guint x = GPOINTER_TO_UINT(a), y = GPOINTER_TO_UINT(b);

    return x < y ? -1 : x > y;
}

/*
 * Returns the next free id after the last one used, so that ids are not reused
 * soon. The callers' limits guarantee free ids.
 */
uint32_t steering_new_id(GTree *live, uint32_t *next)
{
    uint32_t id;

    do {
        id = *next & STEERING_ID_MASK;
        *next = id + 1;
    } while (!id || g_tree_lookup(live, GUINT_TO_POINTER(id)));
    return id;
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

Mlx5Steering *mlx5_steering_new(const Mlx5SteeringLimits *limits,
                                const Mlx5SteeringOps *ops, void *opaque)
{
    Mlx5Steering *s = g_new0(Mlx5Steering, 1);

    s->limits = *limits;
    s->limits.max_tables = MIN(s->limits.max_tables, STEERING_ID_MASK / 2);
    s->limits.max_groups_per_table =
        MIN(s->limits.max_groups_per_table,
            STEERING_ID_MASK / 2 / MAX(s->limits.max_tables, 1));
    s->limits.max_modifies = MIN(s->limits.max_modifies, STEERING_ID_MASK / 2);
    s->limits.max_log_size = MIN(s->limits.max_log_size, MAX_LOG_SIZE);
    s->ops = ops;
    s->opaque = opaque;
    s->tables = g_tree_new(steering_number_order);
    s->groups = g_tree_new(steering_number_order);
    s->modifies = g_tree_new(steering_number_order);
    s->next_table_id = 1;
    s->next_group_id = 1;
    s->next_modify_id = 1;
    return s;
}

static gboolean put_table(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    steering_table_put(opaque, value);
    return FALSE;
}

static gboolean free_table(gpointer key, gpointer value, gpointer opaque)
{
    (void)key;
    steering_table_free(opaque, value);
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
    /* release the tables' references while all objects still exist */
    g_tree_foreach(s->tables, put_table, s);
    g_tree_foreach(s->tables, free_table, s);
    g_tree_foreach(s->modifies, free_modify, s);
    g_tree_destroy(s->tables);
    g_tree_destroy(s->groups);
    g_tree_destroy(s->modifies);
    s->tables = g_tree_new(steering_number_order);
    s->groups = g_tree_new(steering_number_order);
    s->modifies = g_tree_new(steering_number_order);
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
