/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: vport context, state and counters, queue counter sets.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_VPORT_H
#define HW_NET_MLX5_PRM_VPORT_H

#include "hw/net/mlx5/prm.h"

/* fields at the same offset in all vport commands */

#define MLX5_PRM_vport_cmd_in(F) \
    F(vport_cmd_in, other_vport, 0x040, 1) \
    F(vport_cmd_in, vport_number, 0x050, 16)

#define MLX5_PRM_query_vport_state_out(F) \
    F(query_vport_state_out, admin_state, 0x078, 4) \
    F(query_vport_state_out, state, 0x07c, 4)

#define MLX5_PRM_modify_vport_state_in(F) \
    F(modify_vport_state_in, admin_state, 0x078, 4)

#define MLX5_PRM_query_nic_vport_context_in(F) \
    F(query_nic_vport_context_in, allowed_list_type, 0x065, 3)

#define MLX5_PRM_modify_nic_vport_context_in(F) \
    F(modify_nic_vport_context_in, field_select, 0x060, 32)

#define MLX5_PRM_modify_nic_vport_field_select(F) \
    F(modify_nic_vport_field_select, affiliation, 0x012, 1) \
    F(modify_nic_vport_field_select, disable_uc_local_lb, 0x014, 1) \
    F(modify_nic_vport_field_select, disable_mc_local_lb, 0x015, 1) \
    F(modify_nic_vport_field_select, node_guid, 0x016, 1) \
    F(modify_nic_vport_field_select, port_guid, 0x017, 1) \
    F(modify_nic_vport_field_select, min_inline, 0x018, 1) \
    F(modify_nic_vport_field_select, mtu, 0x019, 1) \
    F(modify_nic_vport_field_select, change_event, 0x01a, 1) \
    F(modify_nic_vport_field_select, promisc, 0x01b, 1) \
    F(modify_nic_vport_field_select, permanent_address, 0x01c, 1) \
    F(modify_nic_vport_field_select, addresses_list, 0x01d, 1) \
    F(modify_nic_vport_field_select, roce_en, 0x01e, 1)

/*
 * at byte 0x10 of QUERY_NIC_VPORT_CONTEXT's output and at byte 0x100 of
 * MODIFY_NIC_VPORT_CONTEXT; the address list is at byte 0x100 of the context
 */

#define MLX5_PRM_nic_vport_context(F) \
    F(nic_vport_context, min_wqe_inline_mode, 0x005, 3) \
    F(nic_vport_context, sd_group, 0x101, 3) \
    F(nic_vport_context, mtu, 0x130, 16) \
    F(nic_vport_context, system_image_guid, 0x140, 64) \
    F(nic_vport_context, port_guid, 0x180, 64) \
    F(nic_vport_context, node_guid, 0x1c0, 64) \
    F(nic_vport_context, promisc_uc, 0x780, 1) \
    F(nic_vport_context, promisc_mc, 0x781, 1) \
    F(nic_vport_context, promisc_all, 0x782, 1) \
    F(nic_vport_context, allowed_list_type, 0x785, 3) \
    F(nic_vport_context, allowed_list_size, 0x790, 16) \
    F(nic_vport_context, permanent_address_47_32, 0x7b0, 16) \
    F(nic_vport_context, permanent_address_31_0, 0x7c0, 32)

#define MLX5_PRM_vlan_layout(F) \
    F(vlan_layout, vlan, 0x014, 12)

#define MLX5_PRM_query_vport_counter_in(F) \
    F(query_vport_counter_in, port_num, 0x04c, 4) \
    F(query_vport_counter_in, clear, 0x0c0, 1)

#define MLX5_PRM_query_vport_counter_out(F) \
    F(query_vport_counter_out, received_errors_packets, 0x080, 64) \
    F(query_vport_counter_out, received_errors_octets, 0x0c0, 64) \
    F(query_vport_counter_out, transmit_errors_packets, 0x100, 64) \
    F(query_vport_counter_out, transmit_errors_octets, 0x140, 64) \
    F(query_vport_counter_out, received_ib_unicast_packets, 0x180, 64) \
    F(query_vport_counter_out, received_ib_unicast_octets, 0x1c0, 64) \
    F(query_vport_counter_out, transmitted_ib_unicast_packets, 0x200, 64) \
    F(query_vport_counter_out, transmitted_ib_unicast_octets, 0x240, 64) \
    F(query_vport_counter_out, received_ib_multicast_packets, 0x280, 64) \
    F(query_vport_counter_out, received_ib_multicast_octets, 0x2c0, 64) \
    F(query_vport_counter_out, transmitted_ib_multicast_packets, 0x300, 64) \
    F(query_vport_counter_out, transmitted_ib_multicast_octets, 0x340, 64) \
    F(query_vport_counter_out, received_eth_broadcast_packets, 0x380, 64) \
    F(query_vport_counter_out, received_eth_broadcast_octets, 0x3c0, 64) \
    F(query_vport_counter_out, transmitted_eth_broadcast_packets, 0x400, 64) \
    F(query_vport_counter_out, transmitted_eth_broadcast_octets, 0x440, 64) \
    F(query_vport_counter_out, received_eth_unicast_packets, 0x480, 64) \
    F(query_vport_counter_out, received_eth_unicast_octets, 0x4c0, 64) \
    F(query_vport_counter_out, transmitted_eth_unicast_packets, 0x500, 64) \
    F(query_vport_counter_out, transmitted_eth_unicast_octets, 0x540, 64) \
    F(query_vport_counter_out, received_eth_multicast_packets, 0x580, 64) \
    F(query_vport_counter_out, received_eth_multicast_octets, 0x5c0, 64) \
    F(query_vport_counter_out, transmitted_eth_multicast_packets, 0x600, 64) \
    F(query_vport_counter_out, transmitted_eth_multicast_octets, 0x640, 64) \
    F(query_vport_counter_out, local_loopback_packets, 0x680, 64) \
    F(query_vport_counter_out, local_loopback_octets, 0x6c0, 64)

/* error counters; vport_env is at byte 0x10 of QUERY_VNIC_ENV's output */

#define MLX5_PRM_vnic_diagnostic_statistics(F) \
    F(vnic_diagnostic_statistics, counter_error_queues, 0x000, 32) \
    F(vnic_diagnostic_statistics, total_error_queues, 0x020, 32) \
    F(vnic_diagnostic_statistics, send_queue_priority_update_flow, 0x040, 32) \
    F(vnic_diagnostic_statistics, nic_receive_steering_discard, 0x080, 64) \
    F(vnic_diagnostic_statistics, receive_discard_vport_down, 0x0c0, 64) \
    F(vnic_diagnostic_statistics, transmit_discard_vport_down, 0x100, 64) \
    F(vnic_diagnostic_statistics, async_eq_overrun, 0x140, 32) \
    F(vnic_diagnostic_statistics, comp_eq_overrun, 0x160, 32) \
    F(vnic_diagnostic_statistics, invalid_command, 0x1a0, 32) \
    F(vnic_diagnostic_statistics, quota_exceeded_command, 0x1c0, 32) \
    F(vnic_diagnostic_statistics, internal_rq_out_of_buffer, 0x1e0, 32) \
    F(vnic_diagnostic_statistics, cq_overrun, 0x200, 32) \
    F(vnic_diagnostic_statistics, eth_wqe_too_small, 0x220, 32) \
    F(vnic_diagnostic_statistics, generated_pkt_steering_fail, 0x300, 64) \
    F(vnic_diagnostic_statistics, handled_pkt_steering_fail, 0x340, 64)

/* queue counter sets */

#define MLX5_PRM_alloc_q_counter_out(F) \
    F(alloc_q_counter_out, counter_set_id, 0x058, 8)

#define MLX5_PRM_dealloc_q_counter_in(F) \
    F(dealloc_q_counter_in, counter_set_id, 0x058, 8)

#define MLX5_PRM_query_q_counter_in(F) \
    F(query_q_counter_in, clear, 0x0c0, 1) \
    F(query_q_counter_in, aggregate, 0x0c1, 1) \
    F(query_q_counter_in, counter_set_id, 0x0f8, 8)

#define MLX5_PRM_query_q_counter_out(F) \
    F(query_q_counter_out, rx_write_requests, 0x080, 32) \
    F(query_q_counter_out, out_of_buffer, 0x180, 32) \
    F(query_q_counter_out, resp_cqe_error, 0x480, 32) \
    F(query_q_counter_out, req_cqe_error, 0x4a0, 32)

MLX5_PRM_STRUCT(vport_cmd_in)
MLX5_PRM_STRUCT(query_vport_state_out)
MLX5_PRM_STRUCT(modify_vport_state_in)
MLX5_PRM_STRUCT(query_nic_vport_context_in)
MLX5_PRM_STRUCT(modify_nic_vport_context_in)
MLX5_PRM_STRUCT(modify_nic_vport_field_select)
MLX5_PRM_STRUCT(nic_vport_context)
MLX5_PRM_STRUCT(vlan_layout)
MLX5_PRM_STRUCT(query_vport_counter_in)
MLX5_PRM_STRUCT(query_vport_counter_out)
MLX5_PRM_STRUCT(vnic_diagnostic_statistics)
MLX5_PRM_STRUCT(alloc_q_counter_out)
MLX5_PRM_STRUCT(dealloc_q_counter_in)
MLX5_PRM_STRUCT(query_q_counter_in)
MLX5_PRM_STRUCT(query_q_counter_out)

#endif
