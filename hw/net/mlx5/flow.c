/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow tables, groups, entries, the root and flow counters (driver:
 * core/fs_cmd.c, fs_core.c, fs_counters.c). The engine owns the tables
 * themselves (engine/steering.h): this file checks and decodes commands, and
 * converts the engine's errors to syndromes.
 *
 * Owns fn->steering and the flow counters. An entry holds references to its
 * TIRs and counters; drivers remove the entries first (fs_tcp.c
 * mlx5e_accel_fs_del_sk before mlx5e_tir_destroy, en_main.c
 * mlx5e_cleanup_nic_rx), so this never refuses what they do.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "flow.h"
#include "memory.h"
#include "object.h"
#include "tir.h"
#include "trace.h"
#include "engine/steering_modify.h"
#include "hw/net/mlx5/prm_flow.h"

#define TABLE_CONTEXT_OFFSET 0x18
#define GROUP_CRITERIA_OFFSET 0x40
#define FLOW_CONTEXT_OFFSET 0x40
#define FLOW_CONTEXT_VALUE_OFFSET 0x40
#define FLOW_CONTEXT_LIST_OFFSET 0x300
#define LIST_ENTRY_LEN 8
#define MODIFY_ACTIONS_OFFSET 0x10

#define COUNTER_STATISTICS_OFFSET 0x10
#define COUNTER_LEN 16

/* op_mod */
enum { ROOT_SET = 0, ROOT_DISCONNECT = 1 };
enum { FTE_SET = 0, FTE_MODIFY = 1 };

/* modify_flow_table_in.modify_field_select */
#define MODIFY_MISS_TABLE_ID 0x1

/*
 * Flow groups per table; each costs a probe per packet. Drivers create a
 * handful, and one for each mask that a user requests.
 */
#define MAX_GROUPS_PER_TABLE 128

/* Flow counters per function. */
#define MAX_FLOW_COUNTERS (64 * KiB)
/*
 * Flow counters get numbers that are multiples of 4. The driver's periodic
 * query (fs_counters.c mlx5_fc_stats_query_counter_range) rounds the first
 * number down to such a multiple and queries as many counters as
 * log_max_flow_counter_bulk allows, one if the capability is 0: with other
 * numbers it would query the wrong counter every time.
 */
#define FLOW_COUNTER_STEP 4
#define FLOW_COUNTER_FIRST FLOW_COUNTER_STEP
#define FLOW_COUNTER_END \
    (FLOW_COUNTER_FIRST + MAX_FLOW_COUNTERS * FLOW_COUNTER_STEP)

typedef struct Mlx5FlowCounter {
    Mlx5TrafficCounter traffic;
    uint32_t refs; /* flow table entries that use it */
} Mlx5FlowCounter;

#define COUNTER_MEMORY \
    (mlx5_memory_of(sizeof(Mlx5FlowCounter)) + MLX5_MEMORY_ENTRY)

/* Completes a command that the engine has accepted, or refused with @err. */
static Mlx5Syndrome answer(Mlx5Cmd *cmd, Mlx5SteeringError err)
{
    static const Mlx5Syndrome syndromes[MLX5_STEERING_N_ERRORS] = {
#define SYNDROME(name, syndrome, text) \
    [MLX5_STEERING_##name] = MLX5_SYN_##syndrome,
        MLX5_STEERING_ERRORS(SYNDROME)
#undef SYNDROME
    };

    if (err != MLX5_STEERING_OK) {
        cmd->why = mlx5_steering_strerror(err);
    }
    return syndromes[err];
}

/* ---------------------------------------------- references of entries --- */

static Mlx5FlowCounter *counter_get(Mlx5Function *fn, uint32_t id)
{
    return g_hash_table_lookup(fn->flow_counters, GUINT_TO_POINTER(id));
}

static bool ref_get(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    Mlx5Function *fn = opaque;
    Mlx5FlowCounter *counter;
    Mlx5Tir *tir;

    switch (kind) {
    case MLX5_STEERING_REF_TIR:
        tir = mlx5_object_get(fn, MLX5_OBJ_TIR, id);
        if (!tir) {
            return false;
        }
        mlx5_object_ref(tir);
        return true;
    case MLX5_STEERING_REF_COUNTER:
        counter = counter_get(fn, id);
        if (!counter) {
            return false;
        }
        counter->refs++;
        return true;
    default:
        return false;
    }
}

static void ref_put(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    Mlx5Function *fn = opaque;
    Mlx5FlowCounter *counter;

    switch (kind) {
    case MLX5_STEERING_REF_TIR:
        mlx5_object_unref(mlx5_object_get(fn, MLX5_OBJ_TIR, id));
        break;
    case MLX5_STEERING_REF_COUNTER:
        counter = counter_get(fn, id);
        if (counter) {
            counter->refs--;
        }
        break;
    }
}

static bool charge(void *opaque, size_t bytes)
{
    return mlx5_memory_charge(opaque, bytes);
}

static void uncharge(void *opaque, size_t bytes)
{
    mlx5_memory_give(opaque, bytes);
}

static const Mlx5SteeringOps steering_ops = {
    .get = ref_get,
    .put = ref_put,
    .charge = charge,
    .uncharge = uncharge,
};

/* ---------------------------------------------------------- lifetime --- */

/* A limit from flow_table_properties_nic_receive. */
#define NIC_RECEIVE_OFFSET 0x40
#define FT_CAP(fn, field)                                                  \
    MLX5_GET(flow_table_prop_layout,                                       \
             mlx5_cap_cur((fn), MLX5_CAP_FLOW_TABLE) + NIC_RECEIVE_OFFSET, \
             field)

/* Needs the capability pages: to be called after mlx5_caps_init(). */
void mlx5_flow_init(Mlx5Function *fn)
{
    Mlx5SteeringLimits limits = {
        .max_tables = 1u << FT_CAP(fn, log_max_ft_num),
        .max_ftes = 1u << FT_CAP(fn, log_max_flow),
        .max_groups_per_table = MAX_GROUPS_PER_TABLE,
        .max_log_size = FT_CAP(fn, log_max_ft_size),
        .max_modifies = 1u << FT_CAP(fn, log_max_modify_header_context),
        .max_modify_actions = FT_CAP(fn, max_modify_header_actions),
    };

    fn->flow_counters = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    fn->flow_counter_next = FLOW_COUNTER_FIRST;
    fn->steering = mlx5_steering_new(&limits, &steering_ops, fn);
}

/*
 * Releases TIRs, so it must be called before mlx5_objects_reset(), unless they
 * are gone already.
 */
void mlx5_flow_reset(Mlx5Function *fn)
{
    mlx5_steering_reset(fn->steering);
    mlx5_memory_give(fn, g_hash_table_size(fn->flow_counters) * COUNTER_MEMORY);
    g_hash_table_remove_all(fn->flow_counters);
    fn->flow_counter_next = FLOW_COUNTER_FIRST;
}

void mlx5_flow_finalize(Mlx5Function *fn)
{
    mlx5_flow_reset(fn);
    g_clear_pointer(&fn->steering, mlx5_steering_free);
    g_clear_pointer(&fn->flow_counters, g_hash_table_destroy);
}

/* ------------------------------------------------------------ tables --- */

/* Checks the fields common to all flow table commands. */
static Mlx5Syndrome check_flow_cmd(Mlx5Cmd *cmd, uint16_t max_op_mod)
{
    if (cmd->op_mod > max_op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (MLX5_GET(flow_cmd_in, cmd->in, other_vport) ||
        MLX5_GET(flow_cmd_in, cmd->in, vport_number)) {
        return MLX5_SYN_OTHER_VPORT;
    }
    if (MLX5_GET(flow_cmd_in, cmd->in, table_type) !=
        MLX5_FLOW_TABLE_TYPE_NIC_RX) {
        return MLX5_SYN_FT_BAD_TYPE;
    }
    return MLX5_OK;
}

/* Driver: fs_cmd.c mlx5_cmd_create_flow_table. */
Mlx5Syndrome mlx5_cmd_create_flow_table(Mlx5Cmd *cmd)
{
    const uint8_t *ctx = cmd->in + TABLE_CONTEXT_OFFSET;
    Mlx5FlowTableAttr attr = {
        .table_type = MLX5_FLOW_TABLE_TYPE_NIC_RX,
        .level = MLX5_GET(flow_table_context, ctx, level),
        .log_size = MLX5_GET(flow_table_context, ctx, log_size),
        .table_miss_action = MLX5_GET(flow_table_context, ctx,
                                      table_miss_action),
        .table_miss_id = MLX5_GET(flow_table_context, ctx, table_miss_id),
    };
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);
    uint32_t table_id = 0;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(flow_table_context, ctx, reformat_en) ||
        MLX5_GET(flow_table_context, ctx, decap_en) ||
        MLX5_GET(flow_table_context, ctx, sw_owner) ||
        MLX5_GET(flow_table_context, ctx, termination_table) ||
        MLX5_GET(flow_table_context, ctx, rtc_valid) ||
        MLX5_GET(flow_table_context, ctx, lag_master_next_table_id)) {
        return MLX5_SYN_FT_BAD_CONTEXT;
    }
    syn = answer(
        cmd, mlx5_steering_table_create(cmd->fn->steering, &attr, &table_id));
    if (syn == MLX5_OK) {
        MLX5_SET(create_flow_table_out, cmd->out, table_id, table_id);
        trace_mlx5_flow_table_create(mlx5_id(cmd->fn), table_id, attr.level,
                                     attr.log_size, attr.table_miss_action,
                                     attr.table_miss_id);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_modify_flow_table. */
Mlx5Syndrome mlx5_cmd_modify_flow_table(Mlx5Cmd *cmd)
{
    const uint8_t *ctx = cmd->in + TABLE_CONTEXT_OFFSET;
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    uint8_t action = MLX5_GET(flow_table_context, ctx, table_miss_action);
    uint32_t miss = MLX5_GET(flow_table_context, ctx, table_miss_id);
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(modify_flow_table_in, cmd->in, modify_field_select) !=
        MODIFY_MISS_TABLE_ID) {
        return MLX5_SYN_FT_BAD_MODIFY_FIELD;
    }
    syn = answer(cmd, mlx5_steering_table_modify_miss(cmd->fn->steering,
                                                      table_id, action, miss));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_table_miss(mlx5_id(cmd->fn), table_id, action, miss);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_destroy_flow_table. */
Mlx5Syndrome mlx5_cmd_destroy_flow_table(Mlx5Cmd *cmd)
{
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);

    if (syn != MLX5_OK) {
        return syn;
    }
    syn = answer(cmd, mlx5_steering_table_destroy(cmd->fn->steering, table_id));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_table_destroy(mlx5_id(cmd->fn), table_id);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_update_root_ft. */
Mlx5Syndrome mlx5_cmd_set_flow_table_root(Mlx5Cmd *cmd)
{
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    Mlx5Syndrome syn = check_flow_cmd(cmd, ROOT_DISCONNECT);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(set_flow_table_root_in, cmd->in, underlay_qpn) ||
        MLX5_GET(set_flow_table_root_in, cmd->in, table_of_other_vport) ||
        MLX5_GET(set_flow_table_root_in, cmd->in, table_vport_number) ||
        MLX5_GET(set_flow_table_root_in, cmd->in,
                 table_eswitch_owner_vhca_id_valid)) {
        return MLX5_SYN_FT_UNDERLAY;
    }
    if (cmd->op_mod == ROOT_DISCONNECT) {
        mlx5_steering_root_clear(cmd->fn->steering);
        table_id = 0;
    } else {
        syn = answer(cmd, mlx5_steering_root_set(cmd->fn->steering, table_id));
    }
    if (syn == MLX5_OK) {
        trace_mlx5_flow_root(mlx5_id(cmd->fn), table_id);
    }
    return syn;
}

/* ------------------------------------------------------------ groups --- */

/* Driver: fs_cmd.c mlx5_cmd_create_flow_group. */
Mlx5Syndrome mlx5_cmd_create_flow_group(Mlx5Cmd *cmd)
{
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    Mlx5FlowGroupAttr attr = {
        .start_flow_index = MLX5_GET(create_flow_group_in, cmd->in,
                                     start_flow_index),
        .end_flow_index = MLX5_GET(create_flow_group_in, cmd->in,
                                   end_flow_index),
        .match_criteria_enable = MLX5_GET(create_flow_group_in, cmd->in,
                                          match_criteria_enable),
        .match_criteria = cmd->in + GROUP_CRITERIA_OFFSET,
    };
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);
    uint32_t group_id = 0;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(create_flow_group_in, cmd->in, group_type) ||
        MLX5_GET(create_flow_group_in, cmd->in, match_definer_id) ||
        MLX5_GET(create_flow_group_in, cmd->in,
                 source_eswitch_owner_vhca_id_valid)) {
        return MLX5_SYN_FT_BAD_GROUP_TYPE;
    }
    syn = answer(cmd, mlx5_steering_group_create(cmd->fn->steering, table_id,
                                                 &attr, &group_id));
    if (syn == MLX5_OK) {
        MLX5_SET(create_flow_group_out, cmd->out, group_id, group_id);
        trace_mlx5_flow_group_create(mlx5_id(cmd->fn), table_id, group_id,
                                     attr.start_flow_index, attr.end_flow_index,
                                     attr.match_criteria_enable);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_destroy_flow_group. */
Mlx5Syndrome mlx5_cmd_destroy_flow_group(Mlx5Cmd *cmd)
{
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    uint32_t group_id = MLX5_GET(destroy_flow_group_in, cmd->in, group_id);
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);

    if (syn != MLX5_OK) {
        return syn;
    }
    syn = answer(cmd, mlx5_steering_group_destroy(cmd->fn->steering, table_id,
                                                  group_id));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_group_destroy(mlx5_id(cmd->fn), table_id, group_id);
    }
    return syn;
}

/* ----------------------------------------------------------- entries --- */

/* The destination and counter lists of an entry. */
typedef struct FteLists {
    Mlx5FlowDestination destination[MLX5_STEERING_MAX_FTE_DESTS];
    uint32_t flow_counter[MLX5_STEERING_MAX_FTE_COUNTERS];
} FteLists;

/*
 * Returns whether the context uses no tunnel, IPsec or VLAN action; none of
 * these is advertised.
 */
static bool flow_context_plain(const uint8_t *ctx)
{
    return !MLX5_GET(flow_context, ctx, push_vlan) &&
           !MLX5_GET(flow_context, ctx, extended_destination) &&
           !MLX5_GET(flow_context, ctx, uplink_hairpin_en) &&
           !MLX5_GET(flow_context, ctx, flow_source) &&
           !MLX5_GET(flow_context, ctx, encrypt_decrypt_type) &&
           !MLX5_GET(flow_context, ctx, packet_reformat_id) &&
           !MLX5_GET(flow_context, ctx, push_vlan_2) &&
           !MLX5_GET(flow_context, ctx, encrypt_decrypt_obj_id);
}

/* Reads the two lists; the counters follow the destinations. */
static Mlx5Syndrome fte_lists(Mlx5Cmd *cmd, const uint8_t *ctx,
                              Mlx5FteAttr *attr, FteLists *lists)
{
    uint32_t ndest = MLX5_GET(flow_context, ctx, destination_list_size);
    uint32_t ncounter = MLX5_GET(flow_context, ctx, flow_counter_list_size);
    const uint8_t *p = ctx + FLOW_CONTEXT_LIST_OFFSET;
    uint32_t room = (cmd->in_len - FLOW_CONTEXT_OFFSET -
                     FLOW_CONTEXT_LIST_OFFSET) / LIST_ENTRY_LEN;
    uint32_t i;

    if (ndest > ARRAY_SIZE(lists->destination)) {
        return MLX5_SYN_FT_DESTINATION_LIMIT;
    }
    if (ncounter > ARRAY_SIZE(lists->flow_counter)) {
        return MLX5_SYN_FT_COUNTER_LIMIT;
    }
    if (ndest + ncounter > room) {
        return MLX5_SYN_FT_BAD_LIST;
    }
    for (i = 0; i < ndest; i++, p += LIST_ENTRY_LEN) {
        if (MLX5_GET(dest_format_struct, p,
                     destination_eswitch_owner_vhca_id_valid) ||
            MLX5_GET(dest_format_struct, p, packet_reformat) ||
            MLX5_GET(dest_format_struct, p, destination_table_type)) {
            return MLX5_SYN_FT_BAD_DESTINATION;
        }
        lists->destination[i].type = MLX5_GET(dest_format_struct, p,
                                              destination_type);
        lists->destination[i].id = MLX5_GET(dest_format_struct, p,
                                            destination_id);
    }
    for (i = 0; i < ncounter; i++, p += LIST_ENTRY_LEN) {
        lists->flow_counter[i] = MLX5_GET(flow_counter_list, p,
                                          flow_counter_id);
    }
    attr->destination_list_size = ndest;
    attr->destination = lists->destination;
    attr->flow_counter_list_size = ncounter;
    attr->flow_counter = lists->flow_counter;
    return MLX5_OK;
}

/* Driver: fs_cmd.c mlx5_cmd_set_fte. */
Mlx5Syndrome mlx5_cmd_set_flow_table_entry(Mlx5Cmd *cmd)
{
    Mlx5Steering *s = cmd->fn->steering;
    const uint8_t *ctx = cmd->in + FLOW_CONTEXT_OFFSET;
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    uint32_t index = MLX5_GET(set_fte_in, cmd->in, flow_index);
    uint8_t mask = MLX5_GET(set_fte_in, cmd->in, modify_enable_mask);
    Mlx5FteAttr attr = {
        .group_id = MLX5_GET(flow_context, ctx, group_id),
        .flow_tag = MLX5_GET(flow_context, ctx, flow_tag),
        .action = MLX5_GET(flow_context, ctx, action),
        .modify_header_id = MLX5_GET(flow_context, ctx, modify_header_id),
        .match_value = ctx + FLOW_CONTEXT_VALUE_OFFSET,
    };
    Mlx5Syndrome syn = check_flow_cmd(cmd, FTE_MODIFY);
    FteLists lists;

    if (syn != MLX5_OK) {
        return syn;
    }
    /* ignore_flow_level needs no code: levels are stored but never checked */
    if (!flow_context_plain(ctx)) {
        return MLX5_SYN_FT_BAD_FLOW_CONTEXT;
    }
    syn = fte_lists(cmd, ctx, &attr, &lists);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = answer(cmd,
                 cmd->op_mod == FTE_MODIFY ?
                     mlx5_steering_fte_modify(s, table_id, index, mask, &attr) :
                     mlx5_steering_fte_set(s, table_id, index, &attr));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_entry_set(mlx5_id(cmd->fn),
                                  cmd->op_mod == FTE_MODIFY ? "modify" : "set",
                                  table_id, index, attr.group_id, attr.action,
                                  attr.flow_tag, attr.destination_list_size,
                                  attr.destination_list_size ?
                                  attr.destination[0].type : 0,
                                  attr.destination_list_size ?
                                  attr.destination[0].id : 0);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_delete_fte. */
Mlx5Syndrome mlx5_cmd_delete_flow_table_entry(Mlx5Cmd *cmd)
{
    uint32_t table_id = MLX5_GET(flow_cmd_in, cmd->in, table_id);
    uint32_t index = MLX5_GET(delete_fte_in, cmd->in, flow_index);
    Mlx5Syndrome syn = check_flow_cmd(cmd, 0);

    if (syn != MLX5_OK) {
        return syn;
    }
    syn = answer(cmd,
                 mlx5_steering_fte_delete(cmd->fn->steering, table_id, index));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_entry_delete(mlx5_id(cmd->fn), table_id, index);
    }
    return syn;
}

/* ---------------------------------------------- modify header contexts --- */

/* Driver: fs_cmd.c mlx5_cmd_modify_header_alloc. */
Mlx5Syndrome mlx5_cmd_alloc_modify_header_context(Mlx5Cmd *cmd)
{
    uint32_t n = MLX5_GET(alloc_modify_header_context_in, cmd->in,
                          num_of_actions);
    uint32_t room = (cmd->in_len - MODIFY_ACTIONS_OFFSET) /
                    MLX5_MODIFY_ACTION_LEN;
    Mlx5Syndrome syn;
    uint32_t id = 0;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (MLX5_GET(alloc_modify_header_context_in, cmd->in, table_type) !=
        MLX5_FLOW_TABLE_TYPE_NIC_RX) {
        return MLX5_SYN_FT_BAD_TYPE;
    }
    if (n > room) {
        return MLX5_SYN_MODIFY_ACTION_LIMIT;
    }
    syn = answer(
        cmd, mlx5_steering_modify_create(
                 cmd->fn->steering, cmd->in + MODIFY_ACTIONS_OFFSET, n, &id));
    if (syn == MLX5_OK) {
        MLX5_SET(alloc_modify_header_context_out, cmd->out, modify_header_id,
                 id);
        trace_mlx5_flow_modify_create(mlx5_id(cmd->fn), id, n);
    }
    return syn;
}

/* Driver: fs_cmd.c mlx5_cmd_modify_header_dealloc. */
Mlx5Syndrome mlx5_cmd_dealloc_modify_header_context(Mlx5Cmd *cmd)
{
    uint32_t id = MLX5_GET(dealloc_modify_header_context_in, cmd->in,
                           modify_header_id);
    Mlx5Syndrome syn;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    syn = answer(cmd, mlx5_steering_modify_destroy(cmd->fn->steering, id));
    if (syn == MLX5_OK) {
        trace_mlx5_flow_modify_destroy(mlx5_id(cmd->fn), id);
    }
    return syn;
}

/* ---------------------------------------------------------- counters --- */

void mlx5_flow_count(Mlx5Function *fn, uint32_t id, size_t octets)
{
    Mlx5FlowCounter *counter = counter_get(fn, id);

    if (counter) {
        counter->traffic.packets++;
        counter->traffic.octets += octets;
    }
}

/*
 * Driver: fs_cmd.c mlx5_cmd_fc_bulk_alloc. Numbers are reused only after
 * wrapping around.
 */
Mlx5Syndrome mlx5_cmd_alloc_flow_counter(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    uint32_t id = fn->flow_counter_next;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (MLX5_GET(alloc_flow_counter_in, cmd->in, flow_counter_bulk) ||
        MLX5_GET(alloc_flow_counter_in, cmd->in, flow_counter_bulk_log_size)) {
        return MLX5_SYN_FLOW_COUNTER_BULK;
    }
    if (g_hash_table_size(fn->flow_counters) >= MAX_FLOW_COUNTERS) {
        return MLX5_SYN_FLOW_COUNTER_LIMIT;
    }
    if (!mlx5_memory_charge(fn, COUNTER_MEMORY)) {
        return MLX5_SYN_MEMORY_LIMIT;
    }
    /* Terminates, since one of MAX_FLOW_COUNTERS numbers is free. */
    while (counter_get(fn, id)) {
        id += FLOW_COUNTER_STEP;
        if (id >= FLOW_COUNTER_END) {
            id = FLOW_COUNTER_FIRST;
        }
    }
    g_hash_table_insert(fn->flow_counters, GUINT_TO_POINTER(id),
                        g_new0(Mlx5FlowCounter, 1));
    fn->flow_counter_next = id + FLOW_COUNTER_STEP;
    if (fn->flow_counter_next >= FLOW_COUNTER_END) {
        fn->flow_counter_next = FLOW_COUNTER_FIRST;
    }
    MLX5_SET(alloc_flow_counter_out, cmd->out, flow_counter_id, id);
    return MLX5_OK;
}

/* Driver: fs_cmd.c mlx5_cmd_fc_free, after the entry is gone. */
Mlx5Syndrome mlx5_cmd_dealloc_flow_counter(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    uint32_t id = MLX5_GET(dealloc_flow_counter_in, cmd->in, flow_counter_id);
    Mlx5FlowCounter *counter = counter_get(fn, id);

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (!counter) {
        return MLX5_SYN_NO_SUCH_FLOW_COUNTER;
    }
    if (counter->refs) {
        return MLX5_SYN_FLOW_COUNTER_IN_USE;
    }
    g_hash_table_remove(fn->flow_counters, GUINT_TO_POINTER(id));
    mlx5_memory_give(fn, COUNTER_MEMORY);
    return MLX5_OK;
}

/*
 * Driver: fs_cmd.c mlx5_cmd_fc_query, with num_of_counters 0 for a single
 * counter, and mlx5_cmd_fc_bulk_query for a range; unused numbers in it read as
 * zero.
 */
Mlx5Syndrome mlx5_cmd_query_flow_counter(Mlx5Cmd *cmd)
{
    uint32_t id = MLX5_GET(query_flow_counter_in, cmd->in, flow_counter_id);
    uint32_t n = MLX5_GET(query_flow_counter_in, cmd->in, num_of_counters);
    bool clear = MLX5_GET(query_flow_counter_in, cmd->in, clear);
    uint8_t *p = cmd->out + COUNTER_STATISTICS_OFFSET;
    uint32_t i;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (!n) {
        if (!counter_get(cmd->fn, id)) {
            return MLX5_SYN_NO_SUCH_FLOW_COUNTER;
        }
        n = 1;
    }
    if (n > (cmd->out_len - COUNTER_STATISTICS_OFFSET) / COUNTER_LEN) {
        return MLX5_SYN_OUTPUT_TOO_SHORT;
    }
    if (id >= FLOW_COUNTER_END) {
        return MLX5_SYN_FLOW_COUNTER_RANGE;
    }
    for (i = 0; i < n; i++, p += COUNTER_LEN) {
        Mlx5FlowCounter *counter = counter_get(cmd->fn, id + i);

        if (!counter) {
            continue;
        }
        MLX5_SET(traffic_counter, p, packets, counter->traffic.packets);
        MLX5_SET(traffic_counter, p, octets, counter->traffic.octets);
        if (clear) {
            memset(&counter->traffic, 0, sizeof(counter->traffic));
        }
    }
    return MLX5_OK;
}
