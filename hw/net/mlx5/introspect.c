/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QOM properties that show the device's inside; see introspect.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "engine/steering_modify.h"
#include "introspect.h"
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
    Mlx5PortCounters *p = &s->port.counters;
    Mlx5VportCounters *c = &s->fn.vport.counters;
    Mlx5VnicEnv *e = &s->fn.vnic_env;
    Mlx5TlsCounters *t = &s->fn.tls.counters;
    const struct {
        const char *name;
        uint64_t val;
    } rows[] = {
        { "rx_unicast_packets", p->rx[MLX5_CAST_UNI].packets },
        { "rx_multicast_packets", p->rx[MLX5_CAST_MULTI].packets },
        { "rx_broadcast_packets", p->rx[MLX5_CAST_BROAD].packets },
        { "tx_unicast_packets", p->tx[MLX5_CAST_UNI].packets },
        { "tx_multicast_packets", p->tx[MLX5_CAST_MULTI].packets },
        { "tx_broadcast_packets", p->tx[MLX5_CAST_BROAD].packets },
        { "rx_no_driver", p->rx_no_driver },
        { "rx_asleep", p->rx_asleep },
        { "rx_link_down", p->rx_link_down },
        { "rx_too_long", p->rx_too_long },
        { "rx_too_short", p->rx_too_short },
        { "rx_held", p->rx_held },
        { "tx_link_down", p->tx_link_down },
        { "tx_too_long", p->tx_too_long },
        { "tx_blocked", p->tx_blocked },
        { "link_down_events", p->link_down_events },
        { "rx_steer_miss", c->rx_steer_miss },
        { "rx_steer_drop", c->rx_steer_drop },
        { "rx_steer_costly", c->rx_steer_costly },
        { "rx_no_queue", c->rx_no_queue },
        { "rx_out_of_buffer", c->rx_out_of_buffer },
        { "rx_wqe_error", c->rx_wqe_error },
        { "rx_cq_error", c->rx_cq_error },
        { "tx_wqe_error", c->tx_wqe_error },
        { "rx_steer_cut", e->handled_pkt_steering_fail },
        { "rx_wqe_too_small", e->eth_wqe_too_small },
        { "error_queues", e->total_error_queues },
        { "cq_overrun", e->cq_overrun },
        { "eq_comp_overrun", e->comp_eq_overrun },
        { "eq_async_overrun", e->async_eq_overrun },
        { "cmd_invalid", e->invalid_command },
        { "cmd_quota_exceeded", e->quota_exceeded_command },
        { "tls_tx_packets", t->tx_packets },
        { "tls_tx_bytes", t->tx_bytes },
        { "tls_tx_records", t->tx_records },
        { "tls_tx_dumps", t->tx_dumps },
        { "tls_tx_dump_bytes", t->tx_dump_bytes },
        { "tls_tx_dump_ignored", t->tx_dump_ignored },
        { "tls_tx_seq_mismatch", t->tx_seq_mismatch },
        { "tls_tx_no_ctx", t->tx_no_ctx },
        { "tls_tx_bad_header", t->tx_bad_header },
        { "tls_tx_drop_unmarkable", t->tx_drop_unmarkable },
        { "tls_rx_not_decrypted", t->rx_packets[0] },
        { "tls_rx_decrypted", t->rx_packets[1] },
        { "tls_rx_resync", t->rx_packets[2] },
        { "tls_rx_error", t->rx_packets[3] },
        { "tls_rx_decrypted_bytes", t->rx_decrypted_bytes },
        { "tls_rx_records", t->rx_records },
        { "tls_dek_stale", t->dek_stale },
        { "tls_sync_crypto", t->sync_crypto },
    };
    size_t i;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!visit_u64(v, rows[i].name, rows[i].val, errp)) {
            goto out;
        }
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

static bool visit_rows(Visitor *v, const Mlx5TlsEngine *engine, Mlx5TlsDir dir,
                       const char *prefix, unsigned rows, Error **errp)
{
    unsigned row;

    for (row = 1; row <= rows; row++) {
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
    if (visit_rows(v, engine, MLX5_TLS_DIR_TX, "TX", MLX5_TLS_TX_ROWS, errp) &&
        visit_rows(v, engine, MLX5_TLS_DIR_RX, "R", MLX5_TLS_RX_ROWS, errp)) {
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
