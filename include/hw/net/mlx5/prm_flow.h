/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: flow tables, groups, entries and counters.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_FLOW_H
#define HW_NET_MLX5_PRM_FLOW_H

#include "hw/net/mlx5/prm.h"

/* fields at the same offset in all flow table commands */

#define MLX5_PRM_flow_cmd_in(F) \
    F(flow_cmd_in, other_vport, 0x040, 1) \
    F(flow_cmd_in, vport_number, 0x050, 16) \
    F(flow_cmd_in, table_type, 0x080, 8) \
    F(flow_cmd_in, table_id, 0x0a8, 24)

#define MLX5_PRM_set_flow_table_root_in(F) \
    F(set_flow_table_root_in, table_of_other_vport, 0x08f, 1) \
    F(set_flow_table_root_in, table_vport_number, 0x090, 16) \
    F(set_flow_table_root_in, underlay_qpn, 0x0c8, 24) \
    F(set_flow_table_root_in, table_eswitch_owner_vhca_id_valid, 0x0e0, 1)

/* at byte 0x18 of CREATE_FLOW_TABLE and MODIFY_FLOW_TABLE */

#define MLX5_PRM_flow_table_context(F) \
    F(flow_table_context, reformat_en, 0x000, 1) \
    F(flow_table_context, decap_en, 0x001, 1) \
    F(flow_table_context, sw_owner, 0x002, 1) \
    F(flow_table_context, termination_table, 0x003, 1) \
    F(flow_table_context, table_miss_action, 0x004, 4) \
    F(flow_table_context, level, 0x008, 8) \
    F(flow_table_context, rtc_valid, 0x010, 1) \
    F(flow_table_context, log_size, 0x018, 8) \
    F(flow_table_context, table_miss_id, 0x028, 24) \
    F(flow_table_context, lag_master_next_table_id, 0x048, 24)

#define MLX5_PRM_create_flow_table_out(F) \
    F(create_flow_table_out, table_id, 0x048, 24)

#define MLX5_PRM_modify_flow_table_in(F) \
    F(modify_flow_table_in, modify_field_select, 0x070, 16)

/* match_criteria is at byte 0x40 of CREATE_FLOW_GROUP */

#define MLX5_PRM_create_flow_group_in(F) \
    F(create_flow_group_in, group_type, 0x08c, 4) \
    F(create_flow_group_in, source_eswitch_owner_vhca_id_valid, 0x0c0, 1) \
    F(create_flow_group_in, start_flow_index, 0x0e0, 32) \
    F(create_flow_group_in, end_flow_index, 0x120, 32) \
    F(create_flow_group_in, match_definer_id, 0x150, 16) \
    F(create_flow_group_in, match_criteria_enable, 0x1f8, 8)

#define MLX5_PRM_create_flow_group_out(F) \
    F(create_flow_group_out, group_id, 0x048, 24)

#define MLX5_PRM_destroy_flow_group_in(F) \
    F(destroy_flow_group_in, group_id, 0x0c0, 32)

#define MLX5_PRM_set_fte_in(F) \
    F(set_fte_in, ignore_flow_level, 0x0c0, 1) \
    F(set_fte_in, modify_enable_mask, 0x0d8, 8) \
    F(set_fte_in, flow_index, 0x100, 32)

#define MLX5_PRM_delete_fte_in(F) \
    F(delete_fte_in, flow_index, 0x100, 32)

/*
 * at byte 0x40 of SET_FLOW_TABLE_ENTRY; match_value is at byte 0x40 of the
 * context, the lists are at 0x300
 */

#define MLX5_PRM_flow_context(F) \
    F(flow_context, push_vlan, 0x000, 32) \
    F(flow_context, group_id, 0x020, 32) \
    F(flow_context, flow_tag, 0x048, 24) \
    F(flow_context, action, 0x070, 16) \
    F(flow_context, extended_destination, 0x080, 1) \
    F(flow_context, uplink_hairpin_en, 0x081, 1) \
    F(flow_context, flow_source, 0x082, 2) \
    F(flow_context, encrypt_decrypt_type, 0x084, 4) \
    F(flow_context, destination_list_size, 0x088, 24) \
    F(flow_context, flow_counter_list_size, 0x0a8, 24) \
    F(flow_context, packet_reformat_id, 0x0c0, 32) \
    F(flow_context, modify_header_id, 0x0e0, 32) \
    F(flow_context, push_vlan_2, 0x100, 32) \
    F(flow_context, encrypt_decrypt_obj_id, 0x120, 32)

#define MLX5_PRM_dest_format_struct(F) \
    F(dest_format_struct, destination_type, 0x000, 8) \
    F(dest_format_struct, destination_id, 0x008, 24) \
    F(dest_format_struct, destination_eswitch_owner_vhca_id_valid, 0x020, 1) \
    F(dest_format_struct, packet_reformat, 0x021, 1) \
    F(dest_format_struct, destination_table_type, 0x028, 8)

#define MLX5_PRM_flow_counter_list(F) \
    F(flow_counter_list, flow_counter_id, 0x000, 32)

/* modify header contexts; actions of 8 bytes are at byte 0x10 */

#define MLX5_PRM_alloc_modify_header_context_in(F) \
    F(alloc_modify_header_context_in, table_type, 0x060, 8) \
    F(alloc_modify_header_context_in, num_of_actions, 0x078, 8)

#define MLX5_PRM_alloc_modify_header_context_out(F) \
    F(alloc_modify_header_context_out, modify_header_id, 0x040, 32)

#define MLX5_PRM_dealloc_modify_header_context_in(F) \
    F(dealloc_modify_header_context_in, modify_header_id, 0x040, 32)

#define MLX5_PRM_set_action_in(F) \
    F(set_action_in, action_type, 0x000, 4) \
    F(set_action_in, field, 0x004, 12) \
    F(set_action_in, offset, 0x013, 5) \
    F(set_action_in, length, 0x01b, 5) \
    F(set_action_in, data, 0x020, 32)

/* flow counters */

#define MLX5_PRM_alloc_flow_counter_in(F) \
    F(alloc_flow_counter_in, flow_counter_bulk_log_size, 0x073, 5) \
    F(alloc_flow_counter_in, flow_counter_bulk, 0x078, 8)

#define MLX5_PRM_alloc_flow_counter_out(F) \
    F(alloc_flow_counter_out, flow_counter_id, 0x040, 32)

#define MLX5_PRM_dealloc_flow_counter_in(F) \
    F(dealloc_flow_counter_in, flow_counter_id, 0x040, 32)

#define MLX5_PRM_query_flow_counter_in(F) \
    F(query_flow_counter_in, clear, 0x0c0, 1) \
    F(query_flow_counter_in, num_of_counters, 0x0d0, 16) \
    F(query_flow_counter_in, flow_counter_id, 0x0e0, 32)

#define MLX5_PRM_traffic_counter(F) \
    F(traffic_counter, packets, 0x000, 64) \
    F(traffic_counter, octets, 0x040, 64)

MLX5_PRM_STRUCT(flow_cmd_in)
MLX5_PRM_STRUCT(set_flow_table_root_in)
MLX5_PRM_STRUCT(flow_table_context)
MLX5_PRM_STRUCT(create_flow_table_out)
MLX5_PRM_STRUCT(modify_flow_table_in)
MLX5_PRM_STRUCT(create_flow_group_in)
MLX5_PRM_STRUCT(create_flow_group_out)
MLX5_PRM_STRUCT(destroy_flow_group_in)
MLX5_PRM_STRUCT(set_fte_in)
MLX5_PRM_STRUCT(delete_fte_in)
MLX5_PRM_STRUCT(flow_context)
MLX5_PRM_STRUCT(dest_format_struct)
MLX5_PRM_STRUCT(flow_counter_list)
MLX5_PRM_STRUCT(alloc_modify_header_context_in)
MLX5_PRM_STRUCT(alloc_modify_header_context_out)
MLX5_PRM_STRUCT(dealloc_modify_header_context_in)
MLX5_PRM_STRUCT(set_action_in)
MLX5_PRM_STRUCT(alloc_flow_counter_in)
MLX5_PRM_STRUCT(alloc_flow_counter_out)
MLX5_PRM_STRUCT(dealloc_flow_counter_in)
MLX5_PRM_STRUCT(query_flow_counter_in)
MLX5_PRM_STRUCT(traffic_counter)

#endif
