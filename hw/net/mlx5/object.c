/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered objects of a function: typed ids, limits, owners and reference
 * counts. Type and destructor of an object are in the file that creates it
 * (object.h); the class table below lists all types.
 */
#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "caps.h"
#include "memory.h"
#include "object.h"
#include "trace.h"

typedef struct Mlx5ObjectClass {
    const char *name;
    uint32_t first; /* lowest number used; 0 means "none" to drivers */
    /* Maximum number of objects: 2^(this GENERAL capability), or a constant. */
    uint32_t (*limit)(Mlx5Function *fn);
    Mlx5Syndrome missing;
} Mlx5ObjectClass;

#define LIMIT_OF_CAP(name, cap)                      \
    static uint32_t limit_##name(Mlx5Function *fn)   \
    {                                                \
        return 1u << MLX5_CAP_GEN(fn, cap);          \
    }
LIMIT_OF_CAP(tir, log_max_tir)
LIMIT_OF_CAP(rqt, log_max_rqt)
LIMIT_OF_CAP(sq, log_max_sq)
LIMIT_OF_CAP(rq, log_max_rq)
LIMIT_OF_CAP(cq, log_max_cq)
LIMIT_OF_CAP(tis, log_max_tis)
LIMIT_OF_CAP(dek, log_max_dek)
LIMIT_OF_CAP(mkey, log_max_mkey)
LIMIT_OF_CAP(td, log_max_transport_domain)
LIMIT_OF_CAP(pd, log_max_pd)

static uint32_t limit_eq(Mlx5Function *fn)
{
    return MLX5_CAP_GEN(fn, max_num_eqs) ?:
           1u << MLX5_CAP_GEN(fn, log_max_eq);
}

static uint32_t limit_q_counter(Mlx5Function *fn)
{
    return 255; /* counter_set_id is 8 bits wide, 0 means none */
}

static uint32_t limit_uar(Mlx5Function *fn)
{
    return MLX5_BAR_SIZE / MLX5_PAGE_SIZE - MLX5_FIRST_UAR;
}

static const Mlx5ObjectClass classes[MLX5_OBJ__COUNT] = {
    [MLX5_OBJ_TIR] = { "tir", 1, limit_tir, MLX5_SYN_NO_SUCH_TIR },
    [MLX5_OBJ_RQT] = { "rqt", 1, limit_rqt, MLX5_SYN_NO_SUCH_RQT },
    [MLX5_OBJ_SQ] = { "sq", 1, limit_sq, MLX5_SYN_NO_SUCH_SQ },
    [MLX5_OBJ_RQ] = { "rq", 1, limit_rq, MLX5_SYN_NO_SUCH_RQ },
    [MLX5_OBJ_CQ] = { "cq", 1, limit_cq, MLX5_SYN_NO_SUCH_CQ },
    [MLX5_OBJ_EQ] = { "eq", 1, limit_eq, MLX5_SYN_NO_SUCH_EQ },
    [MLX5_OBJ_TIS] = { "tis", 1, limit_tis, MLX5_SYN_NO_SUCH_TIS },
    [MLX5_OBJ_DEK] = { "dek", 1, limit_dek, MLX5_SYN_NO_SUCH_DEK },
    [MLX5_OBJ_MKEY] = { "mkey", 1, limit_mkey, MLX5_SYN_NO_SUCH_MKEY },
    [MLX5_OBJ_TD] = { "td", 1, limit_td, MLX5_SYN_NO_SUCH_TD },
    [MLX5_OBJ_PD] = { "pd", 1, limit_pd, MLX5_SYN_NO_SUCH_PD },
    [MLX5_OBJ_Q_COUNTER] = { "q_counter", 1, limit_q_counter,
                             MLX5_SYN_NO_SUCH_Q_COUNTER },
    [MLX5_OBJ_UAR] = { "uar", MLX5_FIRST_UAR, limit_uar,
                       MLX5_SYN_NO_SUCH_UAR },
};

const char *mlx5_object_type_name(Mlx5ObjectType type)
{
    return classes[type].name;
}

static void insert(Mlx5IdSpace *ids, Mlx5Object *o, uint32_t id)
{
    o->id = id;
    g_hash_table_insert(ids->by_id, GUINT_TO_POINTER(id), o);
    bitmap_set(ids->taken, id, o->span);
    ids->used += o->span;
    ids->spans |= o->span;
    ids->next = id + o->span;
}

/*
 * The first of @span free numbers in [from, end), aligned to @span, or @end.
 * The search uses a bitmap, so it is cheap whatever numbers are in use.
 */
static uint32_t find_free(const Mlx5IdSpace *ids, uint32_t from, uint32_t end,
                          uint32_t span)
{
    uint32_t id = ROUND_UP(find_next_zero_bit(ids->taken, end, from), span);

    while (id + span <= end) {
        uint32_t taken = find_next_bit(ids->taken, id + span, id);

        if (taken >= id + span) {
            return id;
        }
        id = ROUND_UP(find_next_zero_bit(ids->taken, end, taken), span);
    }
    return end;
}

Mlx5Syndrome mlx5_object_create_range(Mlx5Function *fn, Mlx5ObjectType type,
                                      size_t size, size_t holds, uint16_t uid,
                                      uint32_t span, void *out)
{
    const Mlx5ObjectClass *class = &classes[type];
    Mlx5IdSpace *ids = &fn->ids[type];
    uint32_t limit = class->limit(fn);
    /* alignment must not reduce the number of objects */
    uint32_t end = ROUND_UP(class->first, span) + limit;
    size_t charge = mlx5_memory_of(size) + holds +
                    (size_t)span * MLX5_MEMORY_ENTRY;
    uint32_t id;
    Mlx5Object *o;

    *(void **)out = NULL;
    if (span > limit || ids->used > limit - span) {
        return MLX5_SYN_OBJECT_LIMIT;
    }
    if (end > ids->bits) {
        ids->taken = bitmap_zero_extend(ids->taken, ids->bits, end);
        ids->bits = end;
    }
    /*
     * Numbers are reused only after wrapping around, so that a late completion
     * or doorbell for a destroyed object does not hit its successor.
     */
    id = find_free(ids, MIN(MAX(ids->next, class->first), end), end, span);
    if (id == end) {
        id = find_free(ids, class->first, end, span);
    }
    if (id == end) {
        return MLX5_SYN_OBJECT_LIMIT;
    }
    if (!mlx5_memory_charge(fn, charge)) {
        return MLX5_SYN_MEMORY_LIMIT;
    }
    o = g_malloc0(size);
    o->charged = charge;
    o->fn = fn;
    o->size = size;
    o->type = type;
    o->span = span;
    o->uid = uid;
    insert(ids, o, id);
    *(void **)out = o;
    trace_mlx5_object_create(mlx5_id(fn), class->name, id, uid);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_object_create(Mlx5Function *fn, Mlx5ObjectType type,
                                size_t size, size_t holds, uint16_t uid,
                                void *out)
{
    return mlx5_object_create_range(fn, type, size, holds, uid, 1, out);
}

void *mlx5_object_get(Mlx5Function *fn, Mlx5ObjectType type, uint32_t id)
{
    const Mlx5IdSpace *ids = &fn->ids[type];
    Mlx5Object *o = g_hash_table_lookup(ids->by_id, GUINT_TO_POINTER(id));
    uint32_t span;

    /* A range is found by its first number, which is aligned to its length. */
    for (span = 2; !o && span <= ids->spans; span <<= 1) {
        if (ids->spans & span) {
            o = g_hash_table_lookup(ids->by_id,
                                    GUINT_TO_POINTER(id & ~(span - 1)));
            if (o && id - o->id >= o->span) {
                o = NULL;
            }
        }
    }
    return o;
}

Mlx5Syndrome mlx5_object_find(Mlx5Function *fn, Mlx5ObjectType type,
                              uint32_t id, uint16_t uid, void *out)
{
    Mlx5Object *o = mlx5_object_get(fn, type, id);

    *(void **)out = NULL;
    if (!o) {
        return classes[type].missing;
    }
    /* The kernel (uid 0) may use all objects, others only their own. */
    if (uid && o->uid != uid) {
        return MLX5_SYN_WRONG_OWNER;
    }
    *(void **)out = o;
    return MLX5_OK;
}

static void release(Mlx5Object *o)
{
    Mlx5IdSpace *ids = &o->fn->ids[o->type];

    g_hash_table_remove(ids->by_id, GUINT_TO_POINTER(o->id));
    bitmap_clear(ids->taken, o->id, o->span);
    ids->used -= o->span;
    trace_mlx5_object_destroy(mlx5_id(o->fn), classes[o->type].name, o->id);
    if (o->fn->object_destroy[o->type]) {
        o->fn->object_destroy[o->type](o);
    }
    mlx5_memory_give(o->fn, o->charged);
    mlx5_secret_free(o, o->size);
}

Mlx5Syndrome mlx5_object_destroy(Mlx5Function *fn, Mlx5ObjectType type,
                                 uint32_t id, uint16_t uid)
{
    Mlx5Object *o;
    Mlx5Syndrome syn = mlx5_object_find(fn, type, id, uid, &o);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (o->id != id) {
        /* inside a range: only its first number identifies it */
        return classes[type].missing;
    }
    if (o->refs) {
        return MLX5_SYN_OBJECT_IN_USE;
    }
    release(o);
    return MLX5_OK;
}

void mlx5_object_abandon(void *obj)
{
    release(obj);
}

void mlx5_object_ref(void *obj)
{
    ((Mlx5Object *)obj)->refs++;
}

void mlx5_object_unref(void *obj)
{
    if (obj) {
        ((Mlx5Object *)obj)->refs--;
    }
}

unsigned mlx5_object_count(Mlx5Function *fn, Mlx5ObjectType type)
{
    return fn->ids[type].used;
}

void mlx5_objects_init(Mlx5Function *fn, Mlx5ObjectDestroy *const *destroy)
{
    int t;

    fn->object_destroy = destroy;
    for (t = 0; t < MLX5_OBJ__COUNT; t++) {
        fn->ids[t].by_id = g_hash_table_new(NULL, NULL);
    }
}

void mlx5_objects_reset(Mlx5Function *fn)
{
    g_autoptr(GPtrArray) dying = g_ptr_array_new();
    GHashTableIter it;
    gpointer o;
    guint i;
    int t;

    for (t = 0; t < MLX5_OBJ__COUNT; t++) {
        g_ptr_array_set_size(dying, 0);
        g_hash_table_iter_init(&it, fn->ids[t].by_id);
        while (g_hash_table_iter_next(&it, NULL, &o)) {
            g_ptr_array_add(dying, o);
        }
        for (i = 0; i < dying->len; i++) {
            release(g_ptr_array_index(dying, i));
        }
    }
}

void mlx5_objects_finalize(Mlx5Function *fn)
{
    int t;

    mlx5_objects_reset(fn);
    for (t = 0; t < MLX5_OBJ__COUNT; t++) {
        g_clear_pointer(&fn->ids[t].by_id, g_hash_table_destroy);
        g_clear_pointer(&fn->ids[t].taken, g_free);
    }
}
