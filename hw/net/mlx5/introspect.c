/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QOM properties that expose internal state; see introspect.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "engine/steering_modify.h"
#include "introspect.h"
#include "object.h"
#include "tls.h"

static bool visit_u64(Visitor *v, const char *name, uint64_t val, Error **errp)
{
    return visit_type_uint64(v, name, &val, errp);
}

static void get_objects(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Mlx5Function *fn = &MLX5_KTLS(obj)->fn;
    bool live = fn->steering;
    Mlx5SteeringCounts flow = { 0 };
    int t;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (t = 0; t < MLX5_OBJ__COUNT; t++) {
        if (!visit_u64(v, mlx5_object_type_name(t),
                       live ? mlx5_object_count(fn, t) : 0, errp)) {
            goto out;
        }
    }
    if (live) {
        mlx5_steering_counts(fn->steering, &flow);
    }
    if (!visit_u64(v, "flow_table", flow.tables, errp) ||
        !visit_u64(v, "flow_group", flow.groups, errp) ||
        !visit_u64(v, "flow_entry", flow.ftes, errp) ||
        !visit_u64(v, "flow_modify",
                   live ? mlx5_steering_modify_count(fn->steering) : 0,
                   errp) ||
        !visit_u64(v, "flow_counter",
                   live ? g_hash_table_size(fn->flow_counters) : 0, errp)) {
        goto out;
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

static void get_counters(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    static const Mlx5TlsCounters none;
    const Mlx5TlsCounters *tls = s->fn.tls.engine ?
        mlx5_tls_engine_counters(s->fn.tls.engine) : &none;
#define PORT(field, name, about) { name, s->port.counters.field },
#define VPORT(field, name, about) { name, s->fn.vport.counters.field },
#define ENV(field, name, about) { name, s->fn.vnic_env.field },
#define TLS(field, name, about) { name, tls->field },
#define DEK(field, name, about) { name, s->fn.dek.counters.field },
    const struct {
        const char *name;
        uint64_t val;
    } rows[] = {
        MLX5_PORT_CAST_COUNTERS(PORT)
        MLX5_PORT_COUNTERS(PORT)
        MLX5_VPORT_COUNTERS(VPORT)
        MLX5_VNIC_ENV_COUNTERS(ENV)
        MLX5_TLS_COUNTERS(TLS)
        MLX5_TLS_FLAG_COUNTERS(TLS)
        MLX5_DEK_COUNTERS(DEK)
    };
#undef PORT
#undef VPORT
#undef ENV
#undef TLS
#undef DEK
    size_t i;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].name && !visit_u64(v, rows[i].name, rows[i].val, errp)) {
            goto out;
        }
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

static bool visit_rows(Visitor *v, const Mlx5TlsEngine *engine, Mlx5TlsDir dir,
                       const char *prefix, unsigned end, Error **errp)
{
    unsigned row;

    for (row = 1; row < end; row++) {
        g_autofree char *name = g_strdup_printf("%s%u", prefix, row);
        uint64_t hits = engine ? mlx5_tls_engine_row_hits(engine, dir, row) : 0;

        if (!visit_u64(v, name, hits, errp)) {
            return false;
        }
    }
    return true;
}

static void get_tls_rows(Object *obj, Visitor *v, const char *name,
                         void *opaque, Error **errp)
{
    const Mlx5TlsEngine *engine = MLX5_KTLS(obj)->fn.tls.engine;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    if (visit_rows(v, engine, MLX5_TLS_DIR_TX, "TX", MLX5_TLS_TX_ROW_END,
                   errp) &&
        visit_rows(v, engine, MLX5_TLS_DIR_RX, "R", MLX5_TLS_RX_ROW_END,
                   errp)) {
        visit_check_struct(v, errp);
    }
    visit_end_struct(v, NULL);
}

void mlx5_introspect_class_init(ObjectClass *klass)
{
    object_class_property_add(klass, "objects", "mlx5-objects", get_objects,
                              NULL, NULL, NULL);
    object_class_property_set_description(klass, "objects",
        "live objects by kind");
    object_class_property_add(klass, "counters", "mlx5-counters", get_counters,
                              NULL, NULL, NULL);
    object_class_property_set_description(klass, "counters",
        "counters of port, vport and TLS");
    object_class_property_add(klass, "tls-rows", "mlx5-tls-rows", get_tls_rows,
                              NULL, NULL, NULL);
    object_class_property_set_description(klass, "tls-rows",
        "how often each row of the TLS state machines was taken");
}
