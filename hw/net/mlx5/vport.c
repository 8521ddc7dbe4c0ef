/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The function's vport: NIC vport context, state and counters, and the queue
 * counter sets (driver: core/vport.c, en_main.c, en_stats.c). Owns Mlx5Vport;
 * port.c and the pipelines add to its counters, the receive queues to those of
 * Mlx5QCounter.
 *
 * The lists and promiscuous bits are meant for an embedded switch. There is
 * none here: only the flow tables decide what is received, so the values are
 * just stored and returned. The unicast list has a second use: it defines the
 * vport's own addresses for loopback (rx.c).
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "object.h"
#include "port.h"
#include "trace.h"
#include "vport.h"
#include "hw/net/mlx5/prm_vport.h"

/* query_vport_state_out.state */
enum { VPORT_STATE_DOWN = 0, VPORT_STATE_UP = 1 };

#define DEFAULT_VPORT_MTU (1500 + MLX5_HW_MTU_OVERHEAD)

/* nic_vport_context in the commands; the list follows the fixed part */
#define QUERY_CONTEXT_OFFSET 0x10
#define MODIFY_CONTEXT_OFFSET 0x100
#define CONTEXT_LIST_OFFSET 0x100

/* allowed_list_type */
enum { LIST_UC = 0, LIST_MC = 1, LIST_VLAN = 2 };

/* Bytes of a list entry, in the context and in Mlx5Vport.list. */
static const struct {
    uint8_t stride;
    uint8_t size;
} lists[] = {
    [LIST_UC] = { .stride = 8, .size = 6 }, /* mac_address_layout */
    [LIST_MC] = { .stride = 8, .size = 6 },
    [LIST_VLAN] = { .stride = 4, .size = sizeof(uint16_t) }, /* vlan_layout */
};
/* An address is in the last 6 bytes of its 8. */
#define MAC_OFFSET 2

static uint32_t list_max(Mlx5Function *fn, unsigned type)
{
    switch (type) {
    case LIST_UC:
        return 1u << MLX5_CAP_GEN(fn, log_max_current_uc_list);
    case LIST_MC:
        return 1u << MLX5_CAP_GEN(fn, log_max_current_mc_list);
    default:
        return 1u << MLX5_CAP_GEN(fn, log_max_vlan_list);
    }
}

/*
 * Vport commands may name another vport, but there is only ours, number 0.
 * op_mod must be 0, which for the state commands selects the NIC's own vport.
 */
static Mlx5Syndrome check_vport(Mlx5Cmd *cmd)
{
    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (MLX5_GET(vport_cmd_in, cmd->in, other_vport) ||
        MLX5_GET(vport_cmd_in, cmd->in, vport_number)) {
        return MLX5_SYN_OTHER_VPORT;
    }
    return MLX5_OK;
}

/* ---------------------------------------------------------- lifetime --- */

void mlx5_vport_init(Mlx5Vport *vport)
{
    unsigned i;

    QEMU_BUILD_BUG_ON(ARRAY_SIZE(lists) != ARRAY_SIZE(vport->list));
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        vport->list[i] = g_array_new(false, false, lists[i].size);
    }
}

void mlx5_vport_reset(Mlx5Vport *vport, const uint8_t mac[6])
{
    unsigned i;

    memcpy(vport->mac, mac, sizeof(vport->mac));
    vport->mtu = DEFAULT_VPORT_MTU;
    vport->admin_state = MLX5_VPORT_ADMIN_FOLLOW;
    vport->promisc_uc = false;
    vport->promisc_mc = false;
    vport->promisc_all = false;
    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        g_array_set_size(vport->list[i], 0);
    }
    memset(&vport->counters, 0, sizeof(vport->counters));
}

void mlx5_vport_finalize(Mlx5Vport *vport)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(lists); i++) {
        g_clear_pointer(&vport->list[i], g_array_unref);
    }
}

bool mlx5_vport_is_own(const Mlx5Vport *vport, const uint8_t mac[6])
{
    const GArray *list = vport->list[LIST_UC];
    guint i;

    if (!memcmp(vport->mac, mac, sizeof(vport->mac))) {
        return true;
    }
    for (i = 0; i < list->len; i++) {
        if (!memcmp(list->data + i * lists[LIST_UC].size, mac,
                    lists[LIST_UC].size)) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------- state --- */

bool mlx5_vport_is_up(Mlx5Function *fn)
{
    switch (fn->vport.admin_state) {
    case MLX5_VPORT_ADMIN_DOWN:
        return false;
    case MLX5_VPORT_ADMIN_UP:
        return true;
    default:
        return fn->port->oper_up;
    }
}

/* Driver: vport.c mlx5_query_vport_state, en_main.c mlx5e_update_carrier. */
Mlx5Syndrome mlx5_cmd_query_vport_state(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn = check_vport(cmd);

    if (syn != MLX5_OK) {
        return syn;
    }
    MLX5_SET(query_vport_state_out, cmd->out, admin_state,
             cmd->fn->vport.admin_state);
    MLX5_SET(query_vport_state_out, cmd->out, state,
             mlx5_vport_is_up(cmd->fn) ? VPORT_STATE_UP : VPORT_STATE_DOWN);
    return MLX5_OK;
}

/*
 * A vport passes no frames while down; while up or following, it passes what
 * the port passes (driver: vport.c mlx5_modify_vport_admin_state).
 */
Mlx5Syndrome mlx5_cmd_modify_vport_state(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    uint8_t state = MLX5_GET(modify_vport_state_in, cmd->in, admin_state);
    Mlx5Syndrome syn = check_vport(cmd);
    bool was_up = mlx5_vport_is_up(fn);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (state > MLX5_VPORT_ADMIN_FOLLOW) {
        return MLX5_SYN_VPORT_BAD_STATE;
    }
    fn->vport.admin_state = state;
    trace_mlx5_vport_admin_state(mlx5_id(fn), state, mlx5_vport_is_up(fn));
    if (mlx5_vport_is_up(fn) != was_up) {
        mlx5_port_event(fn->port, !was_up);
    }
    return MLX5_OK;
}

/* ----------------------------------------------------------- context --- */

/* The card's GUID: its MAC address with 0x0300 in the middle. */
static uint64_t guid(Mlx5Function *fn)
{
    const uint8_t *mac = fn->dev->conf.macaddr.a;
    uint8_t b[8] = { mac[0], mac[1], mac[2], 0x03, 0x00,
                     mac[3], mac[4], mac[5] };

    return mlx5_ld64(b);
}

static void list_to_context(uint8_t *p, unsigned type, GArray *list, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < n; i++, p += lists[type].stride) {
        if (type == LIST_VLAN) {
            MLX5_SET(vlan_layout, p, vlan, g_array_index(list, uint16_t, i));
        } else {
            memcpy(p + MAC_OFFSET, list->data + i * lists[type].size,
                   lists[type].size);
        }
    }
}

static void list_from_context(const uint8_t *p, unsigned type, GArray *list,
                              uint32_t n)
{
    uint32_t i;

    g_array_set_size(list, 0);
    for (i = 0; i < n; i++, p += lists[type].stride) {
        if (type == LIST_VLAN) {
            uint16_t vid = MLX5_GET(vlan_layout, p, vlan);

            g_array_append_val(list, vid);
        } else {
            g_array_append_vals(list, p + MAC_OFFSET, 1);
        }
    }
}

/*
 * Driver: vport.c mlx5_query_nic_vport_context and its callers. Most of them
 * have no room for the list, so it is truncated to fit.
 */
Mlx5Syndrome mlx5_cmd_query_nic_vport_context(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    Mlx5Vport *v = &fn->vport;
    uint8_t *ctx = cmd->out + QUERY_CONTEXT_OFFSET;
    unsigned type = MLX5_GET(query_nic_vport_context_in, cmd->in,
                             allowed_list_type);
    Mlx5Syndrome syn = check_vport(cmd);
    uint32_t room;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (type >= ARRAY_SIZE(lists)) {
        return MLX5_SYN_VPORT_LIST_TYPE;
    }
    if (cmd->out_len < QUERY_CONTEXT_OFFSET + CONTEXT_LIST_OFFSET) {
        return MLX5_SYN_OUTPUT_TOO_SHORT;
    }
    room = (cmd->out_len - QUERY_CONTEXT_OFFSET - CONTEXT_LIST_OFFSET) /
           lists[type].stride;
    MLX5_SET(nic_vport_context, ctx, mtu, v->mtu);
    MLX5_SET(nic_vport_context, ctx, system_image_guid, guid(fn));
    MLX5_SET(nic_vport_context, ctx, port_guid, guid(fn));
    MLX5_SET(nic_vport_context, ctx, node_guid, guid(fn));
    MLX5_SET(nic_vport_context, ctx, promisc_uc, v->promisc_uc);
    MLX5_SET(nic_vport_context, ctx, promisc_mc, v->promisc_mc);
    MLX5_SET(nic_vport_context, ctx, promisc_all, v->promisc_all);
    MLX5_SET(nic_vport_context, ctx, permanent_address_47_32,
             v->mac[0] << 8 | v->mac[1]);
    MLX5_SET(nic_vport_context, ctx, permanent_address_31_0,
             mlx5_ld32(v->mac + 2));
    MLX5_SET(nic_vport_context, ctx, allowed_list_type, type);
    MLX5_SET(nic_vport_context, ctx, allowed_list_size, v->list[type]->len);
    list_to_context(ctx + CONTEXT_LIST_OFFSET, type, v->list[type],
                    MIN(room, v->list[type]->len));
    return MLX5_OK;
}

/* Bits of modify_nic_vport_field_select, and those supported here. */
#define SELECT_BIT(field) \
    (1u << (31 - MLX5_BIT_modify_nic_vport_field_select_##field))
#define SELECT_KNOWN                                             \
    (SELECT_BIT(min_inline) | SELECT_BIT(mtu) | SELECT_BIT(promisc) | \
     SELECT_BIT(permanent_address) | SELECT_BIT(addresses_list))

static Mlx5Syndrome check_list(Mlx5Cmd *cmd, const uint8_t *ctx)
{
    unsigned type = MLX5_GET(nic_vport_context, ctx, allowed_list_type);
    uint32_t n = MLX5_GET(nic_vport_context, ctx, allowed_list_size);
    uint32_t room = cmd->in_len - MODIFY_CONTEXT_OFFSET - CONTEXT_LIST_OFFSET;

    if (type >= ARRAY_SIZE(lists)) {
        return MLX5_SYN_VPORT_LIST_TYPE;
    }
    if (n > list_max(cmd->fn, type)) {
        return MLX5_SYN_VPORT_LIST_TOO_LONG;
    }
    if (n > room / lists[type].stride) {
        return MLX5_SYN_VPORT_LIST_SHORT;
    }
    return MLX5_OK;
}

/*
 * All or nothing: all selected fields are checked before anything changes
 * (driver: vport.c mlx5_modify_nic_vport_*, en_fs.c
 * mlx5e_vport_context_update).
 */
Mlx5Syndrome mlx5_cmd_modify_nic_vport_context(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    Mlx5Vport *v = &fn->vport;
    const uint8_t *ctx = cmd->in + MODIFY_CONTEXT_OFFSET;
    uint32_t select = MLX5_GET(modify_nic_vport_context_in, cmd->in,
                               field_select);
    uint16_t mtu = MLX5_GET(nic_vport_context, ctx, mtu);
    unsigned type = MLX5_GET(nic_vport_context, ctx, allowed_list_type);
    uint32_t n = MLX5_GET(nic_vport_context, ctx, allowed_list_size);
    Mlx5Syndrome syn = check_vport(cmd);
    uint8_t mac[6];

    if (syn != MLX5_OK) {
        return syn;
    }
    if (select & ~SELECT_KNOWN) {
        return MLX5_SYN_VPORT_BAD_FIELD;
    }
    if (select & SELECT_BIT(min_inline) &&
        MLX5_GET(nic_vport_context, ctx, min_wqe_inline_mode)) {
        return MLX5_SYN_VPORT_BAD_INLINE;
    }
    if (select & SELECT_BIT(mtu) && (!mtu || mtu > fn->port->max_mtu)) {
        return MLX5_SYN_VPORT_BAD_MTU;
    }
    mac[0] = MLX5_GET(nic_vport_context, ctx, permanent_address_47_32) >> 8;
    mac[1] = MLX5_GET(nic_vport_context, ctx, permanent_address_47_32);
    mlx5_st32(mac + 2, MLX5_GET(nic_vport_context, ctx,
                                permanent_address_31_0));
    if (select & SELECT_BIT(permanent_address) && mac[0] & 1) {
        return MLX5_SYN_VPORT_BAD_MAC;
    }
    if (select & SELECT_BIT(addresses_list)) {
        syn = check_list(cmd, ctx);
        if (syn != MLX5_OK) {
            return syn;
        }
    }

    if (select & SELECT_BIT(mtu)) {
        v->mtu = mtu;
    }
    if (select & SELECT_BIT(permanent_address)) {
        memcpy(v->mac, mac, sizeof(v->mac));
    }
    if (select & SELECT_BIT(promisc)) {
        v->promisc_uc = MLX5_GET(nic_vport_context, ctx, promisc_uc);
        v->promisc_mc = MLX5_GET(nic_vport_context, ctx, promisc_mc);
        v->promisc_all = MLX5_GET(nic_vport_context, ctx, promisc_all);
        trace_mlx5_vport_promisc(mlx5_id(fn), v->promisc_uc, v->promisc_mc,
                                 v->promisc_all);
    }
    if (select & SELECT_BIT(addresses_list)) {
        list_from_context(ctx + CONTEXT_LIST_OFFSET, type, v->list[type], n);
        trace_mlx5_vport_list(mlx5_id(fn), type, n);
    }
    return MLX5_OK;
}

/* ---------------------------------------------------------- counters --- */

/* Driver: en_stats.c, group vport; mlx5_core_query_vport_counter. */
Mlx5Syndrome mlx5_cmd_query_vport_counter(Mlx5Cmd *cmd)
{
    Mlx5VportCounters *c = &cmd->fn->vport.counters;
    uint32_t port = MLX5_GET(query_vport_counter_in, cmd->in, port_num);
    uint8_t *out = cmd->out;
    Mlx5Syndrome syn = check_vport(cmd);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (port > MLX5_PORT_NUM) { /* 0 also means the only port */
        return MLX5_SYN_REG_BAD_PORT;
    }
#define TRAFFIC(name, counter)                                             \
    do {                                                                   \
        MLX5_SET(query_vport_counter_out, out, name##_packets,             \
                 (counter).packets);                                       \
        MLX5_SET(query_vport_counter_out, out, name##_octets,              \
                 (counter).octets);                                        \
    } while (0)
    TRAFFIC(received_eth_unicast, c->rx[MLX5_CAST_UNI]);
    TRAFFIC(received_eth_multicast, c->rx[MLX5_CAST_MULTI]);
    TRAFFIC(received_eth_broadcast, c->rx[MLX5_CAST_BROAD]);
    TRAFFIC(transmitted_eth_unicast, c->tx[MLX5_CAST_UNI]);
    TRAFFIC(transmitted_eth_multicast, c->tx[MLX5_CAST_MULTI]);
    TRAFFIC(transmitted_eth_broadcast, c->tx[MLX5_CAST_BROAD]);
#undef TRAFFIC
    MLX5_SET(query_vport_counter_out, out, received_errors_packets,
             c->rx_wqe_error + c->rx_cq_error);
    MLX5_SET(query_vport_counter_out, out, transmit_errors_packets,
             c->tx_wqe_error);
    if (MLX5_GET(query_vport_counter_in, cmd->in, clear)) {
        memset(c, 0, sizeof(*c));
    }
    return MLX5_OK;
}

#define VPORT_ENV_OFFSET 0x10

/*
 * Error counters (driver: diag/reporter_vnic.c, without checking a capability;
 * en_stats.c, group vnic_env). Fields without a source are zero: queue
 * priorities do not change, and there are no device-internal queues.
 */
Mlx5Syndrome mlx5_cmd_query_vnic_env(Mlx5Cmd *cmd)
{
    const Mlx5VnicEnv *e = &cmd->fn->vnic_env;
    uint8_t *env = cmd->out + VPORT_ENV_OFFSET;
    Mlx5Syndrome syn = check_vport(cmd);

    if (syn != MLX5_OK) {
        return syn;
    }
#define ENV(field) MLX5_SET(vnic_diagnostic_statistics, env, field, e->field)
    ENV(total_error_queues);
    ENV(nic_receive_steering_discard);
    ENV(receive_discard_vport_down);
    ENV(transmit_discard_vport_down);
    ENV(async_eq_overrun);
    ENV(comp_eq_overrun);
    ENV(invalid_command);
    ENV(quota_exceeded_command);
    ENV(cq_overrun);
    ENV(eth_wqe_too_small);
    ENV(generated_pkt_steering_fail);
    ENV(handled_pkt_steering_fail);
#undef ENV
    return MLX5_OK;
}

/* ---------------------------------------------- queue counter sets ----- */

/* Driver: en_main.c mlx5e_create_q_counters. */
Mlx5Syndrome mlx5_cmd_alloc_q_counter(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn;
    Mlx5QCounter *qc;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    syn = mlx5_object_create(cmd->fn, MLX5_OBJ_Q_COUNTER, sizeof(*qc),
                             0, cmd->uid, &qc);
    if (syn != MLX5_OK) {
        return syn;
    }
    MLX5_SET(alloc_q_counter_out, cmd->out, counter_set_id, qc->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_dealloc_q_counter(Mlx5Cmd *cmd)
{
    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_Q_COUNTER,
                               MLX5_GET(dealloc_q_counter_in, cmd->in,
                                        counter_set_id),
                               cmd->uid);
}

/* Driver: en_stats.c, group qcnt (out_of_buffer). */
Mlx5Syndrome mlx5_cmd_query_q_counter(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn = check_vport(cmd);
    Mlx5QCounter *qc;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(query_q_counter_in, cmd->in, aggregate)) {
        return MLX5_SYN_Q_COUNTER_AGGREGATE;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_Q_COUNTER,
                           MLX5_GET(query_q_counter_in, cmd->in,
                                    counter_set_id),
                           cmd->uid, &qc);
    if (syn != MLX5_OK) {
        return syn;
    }
    MLX5_SET(query_q_counter_out, cmd->out, out_of_buffer, qc->out_of_buffer);
    if (MLX5_GET(query_q_counter_in, cmd->in, clear)) {
        qc->out_of_buffer = 0;
    }
    return MLX5_OK;
}
