/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: command queue, command headers, HCA commands and capability pages.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_CMD_H
#define HW_NET_MLX5_PRM_CMD_H

#include "hw/net/mlx5/prm.h"

/* command queue entry (64 bytes) and mailbox (576 bytes) */

#define MLX5_PRM_cmd_queue_entry(F) \
    F(cmd_queue_entry, type, 0x000, 8) \
    F(cmd_queue_entry, input_length, 0x020, 32) \
    F(cmd_queue_entry, input_mailbox_pointer, 0x040, 64) \
    F(cmd_queue_entry, output_mailbox_pointer, 0x180, 64) \
    F(cmd_queue_entry, output_length, 0x1c0, 32) \
    F(cmd_queue_entry, token, 0x1e0, 8) \
    F(cmd_queue_entry, signature, 0x1e8, 8) \
    F(cmd_queue_entry, status, 0x1f8, 7) \
    F(cmd_queue_entry, ownership, 0x1ff, 1)

#define MLX5_PRM_cmd_mailbox(F) \
    F(cmd_mailbox, next, 0x1180, 64) \
    F(cmd_mailbox, block_number, 0x11c0, 32) \
    F(cmd_mailbox, token, 0x11e8, 8) \
    F(cmd_mailbox, ctrl_signature, 0x11f0, 8) \
    F(cmd_mailbox, signature, 0x11f8, 8)

/* headers shared by all commands */

#define MLX5_PRM_cmd_in(F) \
    F(cmd_in, opcode, 0x000, 16) \
    F(cmd_in, uid, 0x010, 16) \
    F(cmd_in, op_mod, 0x030, 16)

#define MLX5_PRM_cmd_out(F) \
    F(cmd_out, status, 0x000, 8) \
    F(cmd_out, syndrome, 0x020, 32)

/* a 24-bit object number in the dword at byte 8, where most commands have it */

#define MLX5_PRM_cmd_id(F) \
    F(cmd_id, id, 0x048, 24)

/* HCA */

#define MLX5_PRM_enable_hca_in(F) \
    F(enable_hca_in, embedded_cpu_function, 0x040, 1) \
    F(enable_hca_in, function_id, 0x050, 16)

#define MLX5_PRM_query_issi_out(F) \
    F(query_issi_out, current_issi, 0x050, 16) \
    F(query_issi_out, supported_issi_dw0, 0x360, 32)

#define MLX5_PRM_set_issi_in(F) \
    F(set_issi_in, current_issi, 0x050, 16)

#define MLX5_PRM_query_pages_out(F) \
    F(query_pages_out, function_id, 0x050, 16) \
    F(query_pages_out, num_pages, 0x060, 32)

#define MLX5_PRM_manage_pages_in(F) \
    F(manage_pages_in, op_mod, 0x030, 16) \
    F(manage_pages_in, function_id, 0x050, 16) \
    F(manage_pages_in, input_num_entries, 0x060, 32)

#define MLX5_PRM_manage_pages_out(F) \
    F(manage_pages_out, output_num_entries, 0x040, 32)

#define MLX5_PRM_teardown_hca_in(F) \
    F(teardown_hca_in, profile, 0x050, 16)

#define MLX5_PRM_teardown_hca_out(F) \
    F(teardown_hca_out, state, 0x07f, 1)

#define MLX5_PRM_query_adapter_out(F) \
    F(query_adapter_out, ieee_vendor_id, 0x148, 24) \
    F(query_adapter_out, vsd_vendor_id, 0x170, 16)

/* ADD_ and DELETE_VXLAN_UDP_DPORT */
#define MLX5_PRM_vxlan_udp_dport_in(F) \
    F(vxlan_udp_dport_in, vxlan_udp_port, 0x070, 16)

#define MLX5_PRM_query_special_contexts_out(F) \
    F(query_special_contexts_out, dump_fill_mkey, 0x040, 32) \
    F(query_special_contexts_out, resd_lkey, 0x060, 32) \
    F(query_special_contexts_out, null_mkey, 0x080, 32) \
    F(query_special_contexts_out, terminate_scatter_list_mkey, 0x0a0, 32) \
    F(query_special_contexts_out, repeated_mkey, 0x0c0, 32)

#define MLX5_PRM_query_hca_cap_in(F) \
    F(query_hca_cap_in, op_mod, 0x030, 16) \
    F(query_hca_cap_in, function_id, 0x050, 16)

/* capability pages: only the fields that profiles set or the device reads */

#define MLX5_PRM_cmd_hca_cap(F) \
    F(cmd_hca_cap, hca_cap_2, 0x020, 1) \
    F(cmd_hca_cap, dtor, 0x022, 1) \
    F(cmd_hca_cap, vhca_id, 0x030, 16) \
    F(cmd_hca_cap, log_max_srq_sz, 0x080, 8) \
    F(cmd_hca_cap, log_max_qp_sz, 0x088, 8) \
    F(cmd_hca_cap, event_cap, 0x090, 1) \
    F(cmd_hca_cap, log_max_qp, 0x09b, 5) \
    F(cmd_hca_cap, log_max_srq, 0x0ab, 5) \
    F(cmd_hca_cap, max_sgl_for_optimized_performance, 0x0c0, 8) \
    F(cmd_hca_cap, log_max_cq_sz, 0x0c8, 8) \
    F(cmd_hca_cap, log_max_cq, 0x0db, 5) \
    F(cmd_hca_cap, log_max_eq_sz, 0x0e0, 8) \
    F(cmd_hca_cap, log_max_mkey, 0x0ea, 6) \
    F(cmd_hca_cap, terminate_scatter_list_mkey, 0x0f6, 1) \
    F(cmd_hca_cap, fast_teardown, 0x0fb, 1) \
    F(cmd_hca_cap, log_max_eq, 0x0fc, 4) \
    F(cmd_hca_cap, fixed_buffer_size, 0x108, 1) \
    F(cmd_hca_cap, force_teardown, 0x110, 1) \
    F(cmd_hca_cap, log_max_klm_list_size, 0x11a, 6) \
    F(cmd_hca_cap, eth_wqe_too_small, 0x132, 1) \
    F(cmd_hca_cap, vnic_env_cq_overrun, 0x139, 1) \
    F(cmd_hca_cap, release_all_pages, 0x145, 1) \
    F(cmd_hca_cap, cache_line_128byte, 0x164, 1) \
    F(cmd_hca_cap, out_of_seq_cnt, 0x180, 1) \
    F(cmd_hca_cap, vport_counters, 0x181, 1) \
    F(cmd_hca_cap, debug, 0x183, 1) \
    F(cmd_hca_cap, max_qp_cnt, 0x186, 10) \
    F(cmd_hca_cap, pkey_table_size, 0x190, 16) \
    F(cmd_hca_cap, vport_group_manager, 0x1a0, 1) \
    F(cmd_hca_cap, vnic_env_queue_counters, 0x1a4, 1) \
    F(cmd_hca_cap, nic_flow_table, 0x1a6, 1) \
    F(cmd_hca_cap, eswitch_manager, 0x1a7, 1) \
    F(cmd_hca_cap, mcam_reg, 0x1a9, 1) \
    F(cmd_hca_cap, pcam_reg, 0x1aa, 1) \
    F(cmd_hca_cap, port_module_event, 0x1b0, 1) \
    F(cmd_hca_cap, port_type, 0x1b6, 2) \
    F(cmd_hca_cap, num_ports, 0x1b8, 8) \
    F(cmd_hca_cap, max_tc, 0x1cc, 4) \
    F(cmd_hca_cap, cqe_version, 0x1fc, 4) \
    F(cmd_hca_cap, striding_rq, 0x201, 1) \
    F(cmd_hca_cap, umr_modify_entity_size_disabled, 0x207, 1) \
    F(cmd_hca_cap, cmdif_checksum, 0x210, 2) \
    F(cmd_hca_cap, dct, 0x21a, 1) \
    F(cmd_hca_cap, eth_net_offloads, 0x21c, 1) \
    F(cmd_hca_cap, roce, 0x21d, 1) \
    F(cmd_hca_cap, atomic, 0x21e, 1) \
    F(cmd_hca_cap, cq_oi, 0x220, 1) \
    F(cmd_hca_cap, cq_resize, 0x221, 1) \
    F(cmd_hca_cap, cq_moderation, 0x222, 1) \
    F(cmd_hca_cap, cq_period_mode_modify, 0x223, 1) \
    F(cmd_hca_cap, cq_period_start_from_cqe, 0x22b, 1) \
    F(cmd_hca_cap, umr_ptr_rlky, 0x230, 1) \
    F(cmd_hca_cap, uar_4k, 0x240, 1) \
    F(cmd_hca_cap, uar_sz, 0x24a, 6) \
    F(cmd_hca_cap, log_pg_sz, 0x258, 8) \
    F(cmd_hca_cap, bf, 0x260, 1) \
    F(cmd_hca_cap, driver_version, 0x261, 1) \
    F(cmd_hca_cap, mkey_by_name, 0x266, 1) \
    F(cmd_hca_cap, log_bf_reg_size, 0x26b, 5) \
    F(cmd_hca_cap, num_lag_ports, 0x27c, 4) \
    F(cmd_hca_cap, max_wqe_sz_sq, 0x290, 16) \
    F(cmd_hca_cap, max_wqe_sz_rq, 0x2b0, 16) \
    F(cmd_hca_cap, log_max_transport_domain, 0x323, 5) \
    F(cmd_hca_cap, log_max_pd, 0x32b, 5) \
    F(cmd_hca_cap, vnic_env_cnt_steering_fail, 0x337, 1) \
    F(cmd_hca_cap, nic_receive_steering_discard, 0x340, 1) \
    F(cmd_hca_cap, receive_discard_vport_down, 0x341, 1) \
    F(cmd_hca_cap, transmit_discard_vport_down, 0x342, 1) \
    F(cmd_hca_cap, eq_overrun_count, 0x343, 1) \
    F(cmd_hca_cap, invalid_command_count, 0x345, 1) \
    F(cmd_hca_cap, quota_exceeded_count, 0x346, 1) \
    F(cmd_hca_cap, log_max_rq, 0x363, 5) \
    F(cmd_hca_cap, log_max_sq, 0x36b, 5) \
    F(cmd_hca_cap, log_max_tir, 0x373, 5) \
    F(cmd_hca_cap, log_max_tis, 0x37b, 5) \
    F(cmd_hca_cap, basic_cyclic_rcv_wqe, 0x380, 1) \
    F(cmd_hca_cap, log_max_rmp, 0x383, 5) \
    F(cmd_hca_cap, log_max_rqt, 0x38b, 5) \
    F(cmd_hca_cap, log_max_rqt_size, 0x393, 5) \
    F(cmd_hca_cap, ext_stride_num_range, 0x3a0, 1) \
    F(cmd_hca_cap, log_max_stride_sz_rq, 0x3a3, 5) \
    F(cmd_hca_cap, log_min_stride_sz_rq, 0x3ab, 5) \
    F(cmd_hca_cap, log_max_stride_sz_sq, 0x3b3, 5) \
    F(cmd_hca_cap, log_min_stride_sz_sq, 0x3bb, 5) \
    F(cmd_hca_cap, log_max_wq_sz, 0x3db, 5) \
    F(cmd_hca_cap, disable_local_lb_uc, 0x3e1, 1) \
    F(cmd_hca_cap, disable_local_lb_mc, 0x3e2, 1) \
    F(cmd_hca_cap, log_max_vlan_list, 0x3eb, 5) \
    F(cmd_hca_cap, log_max_current_mc_list, 0x3f3, 5) \
    F(cmd_hca_cap, log_max_current_uc_list, 0x3fb, 5) \
    F(cmd_hca_cap, general_obj_types, 0x400, 64) \
    F(cmd_hca_cap, log_max_uctx, 0x463, 5) \
    F(cmd_hca_cap, crypto, 0x469, 1) \
    F(cmd_hca_cap, max_num_eqs, 0x470, 16) \
    F(cmd_hca_cap, tls_tx, 0x481, 1) \
    F(cmd_hca_cap, tls_rx, 0x482, 1) \
    F(cmd_hca_cap, log_uar_page_sz, 0x490, 16) \
    F(cmd_hca_cap, device_frequency_khz, 0x4e0, 32) \
    F(cmd_hca_cap, enhanced_cqe_compression, 0x5b0, 1) \
    F(cmd_hca_cap, log_max_dek, 0x5b3, 5) \
    F(cmd_hca_cap, cqe_128_always, 0x5bd, 1) \
    F(cmd_hca_cap, mini_cqe_resp_stride_index, 0x5bc, 1) \
    F(cmd_hca_cap, cqe_compression, 0x5bf, 1) \
    F(cmd_hca_cap, cqe_compression_timeout, 0x5c0, 16) \
    F(cmd_hca_cap, cqe_compression_max_num, 0x5d0, 16) \
    F(cmd_hca_cap, num_vhca_ports, 0x610, 8) \
    F(cmd_hca_cap, sw_owner_id, 0x61e, 1)

#define MLX5_PRM_per_protocol_networking_offload_caps(F)                       \
    F(per_protocol_networking_offload_caps, csum_cap, 0x000, 1)                \
    F(per_protocol_networking_offload_caps, vlan_cap, 0x001, 1)                \
    F(per_protocol_networking_offload_caps, lro_cap, 0x002, 1)                 \
    F(per_protocol_networking_offload_caps, lro_psh_flag, 0x003, 1)            \
    F(per_protocol_networking_offload_caps, lro_time_stamp, 0x004, 1)          \
    F(per_protocol_networking_offload_caps, lro_max_msg_sz_mode, 0x005, 2)     \
    F(per_protocol_networking_offload_caps, wqe_vlan_insert, 0x007, 1)         \
    F(per_protocol_networking_offload_caps, self_lb_en_modifiable, 0x008, 1)   \
    F(per_protocol_networking_offload_caps, max_lso_cap, 0x00b, 5)             \
    F(per_protocol_networking_offload_caps, multi_pkt_send_wqe, 0x010, 2)      \
    F(per_protocol_networking_offload_caps, wqe_inline_mode, 0x012, 2)         \
    F(per_protocol_networking_offload_caps, rss_ind_tbl_cap, 0x014, 4)         \
    F(per_protocol_networking_offload_caps, reg_umr_sq, 0x018, 1)              \
    F(per_protocol_networking_offload_caps, scatter_fcs, 0x019, 1)             \
    F(per_protocol_networking_offload_caps, enhanced_multi_pkt_send_wqe, 0x01a,\
      1)                                                                       \
    F(per_protocol_networking_offload_caps, tunnel_lso_const_out_ip_id, 0x01b, \
      1)                                                                       \
    F(per_protocol_networking_offload_caps, tunnel_stateless_gre, 0x01e, 1)    \
    F(per_protocol_networking_offload_caps, tunnel_stateless_vxlan, 0x01f, 1)  \
    F(per_protocol_networking_offload_caps, swp, 0x020, 1)                     \
    F(per_protocol_networking_offload_caps, swp_csum, 0x021, 1)                \
    F(per_protocol_networking_offload_caps, swp_lso, 0x022, 1)                 \
    F(per_protocol_networking_offload_caps, cqe_checksum_full, 0x023, 1)       \
    F(per_protocol_networking_offload_caps, tunnel_stateless_ip_over_ip,       \
      0x029, 1)                                                                \
    F(per_protocol_networking_offload_caps, tunnel_stateless_ip_over_ip_rx,    \
      0x02c, 1)                                                                \
    F(per_protocol_networking_offload_caps, tunnel_stateless_ip_over_ip_tx,    \
      0x02d, 1)                                                                \
    F(per_protocol_networking_offload_caps, max_vxlan_udp_ports, 0x030, 8)     \
    F(per_protocol_networking_offload_caps, lro_min_mss_size, 0x050, 16)       \
    F(per_protocol_networking_offload_caps, lro_timer_supported_periods_0,     \
      0x180, 32)                                                               \
    F(per_protocol_networking_offload_caps, lro_timer_supported_periods_1,     \
      0x1a0, 32)                                                               \
    F(per_protocol_networking_offload_caps, lro_timer_supported_periods_2,     \
      0x1c0, 32)                                                               \
    F(per_protocol_networking_offload_caps, lro_timer_supported_periods_3,     \
      0x1e0, 32)

#define MLX5_PRM_flow_table_prop_layout(F) \
    F(flow_table_prop_layout, ft_support, 0x000, 1) \
    F(flow_table_prop_layout, flow_counter, 0x002, 1) \
    F(flow_table_prop_layout, flow_modify_en, 0x003, 1) \
    F(flow_table_prop_layout, modify_root, 0x004, 1) \
    F(flow_table_prop_layout, identified_miss_table_mode, 0x005, 1) \
    F(flow_table_prop_layout, flow_table_modify, 0x006, 1) \
    F(flow_table_prop_layout, ignore_flow_level, 0x015, 1) \
    F(flow_table_prop_layout, log_max_ft_size, 0x022, 6) \
    F(flow_table_prop_layout, log_max_modify_header_context, 0x028, 8) \
    F(flow_table_prop_layout, max_modify_header_actions, 0x030, 8) \
    F(flow_table_prop_layout, max_ft_level, 0x038, 8) \
    F(flow_table_prop_layout, log_max_ft_num, 0x078, 8) \
    F(flow_table_prop_layout, log_max_flow_counter, 0x090, 8) \
    F(flow_table_prop_layout, log_max_destination, 0x098, 8) \
    F(flow_table_prop_layout, log_max_flow, 0x0b8, 8)

#define MLX5_PRM_flow_table_fields_supported(F) \
    F(flow_table_fields_supported, outer_dmac, 0x000, 1) \
    F(flow_table_fields_supported, outer_smac, 0x001, 1) \
    F(flow_table_fields_supported, outer_ether_type, 0x002, 1) \
    F(flow_table_fields_supported, outer_ip_version, 0x003, 1) \
    F(flow_table_fields_supported, outer_first_prio, 0x004, 1) \
    F(flow_table_fields_supported, outer_first_cfi, 0x005, 1) \
    F(flow_table_fields_supported, outer_first_vid, 0x006, 1) \
    F(flow_table_fields_supported, outer_sip, 0x00c, 1) \
    F(flow_table_fields_supported, outer_dip, 0x00d, 1) \
    F(flow_table_fields_supported, outer_frag, 0x00e, 1) \
    F(flow_table_fields_supported, outer_ip_protocol, 0x00f, 1) \
    F(flow_table_fields_supported, outer_ip_ecn, 0x010, 1) \
    F(flow_table_fields_supported, outer_ip_dscp, 0x011, 1) \
    F(flow_table_fields_supported, outer_udp_sport, 0x012, 1) \
    F(flow_table_fields_supported, outer_udp_dport, 0x013, 1) \
    F(flow_table_fields_supported, outer_tcp_sport, 0x014, 1) \
    F(flow_table_fields_supported, outer_tcp_dport, 0x015, 1) \
    F(flow_table_fields_supported, outer_tcp_flags, 0x016, 1) \
    F(flow_table_fields_supported, inner_dmac, 0x020, 1) \
    F(flow_table_fields_supported, inner_smac, 0x021, 1) \
    F(flow_table_fields_supported, inner_ether_type, 0x022, 1) \
    F(flow_table_fields_supported, inner_ip_version, 0x023, 1) \
    F(flow_table_fields_supported, inner_first_prio, 0x024, 1) \
    F(flow_table_fields_supported, inner_first_cfi, 0x025, 1) \
    F(flow_table_fields_supported, inner_first_vid, 0x026, 1) \
    F(flow_table_fields_supported, inner_sip, 0x02c, 1) \
    F(flow_table_fields_supported, inner_dip, 0x02d, 1) \
    F(flow_table_fields_supported, inner_frag, 0x02e, 1) \
    F(flow_table_fields_supported, inner_ip_protocol, 0x02f, 1) \
    F(flow_table_fields_supported, inner_ip_ecn, 0x030, 1) \
    F(flow_table_fields_supported, inner_ip_dscp, 0x031, 1) \
    F(flow_table_fields_supported, inner_udp_sport, 0x032, 1) \
    F(flow_table_fields_supported, inner_udp_dport, 0x033, 1) \
    F(flow_table_fields_supported, inner_tcp_sport, 0x034, 1) \
    F(flow_table_fields_supported, inner_tcp_dport, 0x035, 1) \
    F(flow_table_fields_supported, inner_tcp_flags, 0x036, 1)

#define MLX5_PRM_tls_cap(F) \
    F(tls_cap, tls_1_2_aes_gcm_128, 0x000, 1) \
    F(tls_cap, tls_1_3_aes_gcm_128, 0x001, 1) \
    F(tls_cap, tls_1_2_aes_gcm_256, 0x002, 1) \
    F(tls_cap, tls_1_3_aes_gcm_256, 0x003, 1)

#define MLX5_PRM_crypto_cap(F) \
    F(crypto_cap, synchronize_dek, 0x003, 1) \
    F(crypto_cap, int_kek_manual, 0x004, 1) \
    F(crypto_cap, int_kek_auto, 0x005, 1) \
    F(crypto_cap, log_dek_max_alloc, 0x023, 5) \
    F(crypto_cap, log_max_num_deks, 0x02b, 5) \
    F(crypto_cap, log_dek_granularity, 0x063, 5)

MLX5_PRM_STRUCT(cmd_queue_entry)
MLX5_PRM_STRUCT(cmd_mailbox)
MLX5_PRM_STRUCT(cmd_in)
MLX5_PRM_STRUCT(cmd_out)
MLX5_PRM_STRUCT(cmd_id)
MLX5_PRM_STRUCT(enable_hca_in)
MLX5_PRM_STRUCT(query_issi_out)
MLX5_PRM_STRUCT(set_issi_in)
MLX5_PRM_STRUCT(query_pages_out)
MLX5_PRM_STRUCT(manage_pages_in)
MLX5_PRM_STRUCT(manage_pages_out)
MLX5_PRM_STRUCT(teardown_hca_in)
MLX5_PRM_STRUCT(teardown_hca_out)
MLX5_PRM_STRUCT(query_adapter_out)
MLX5_PRM_STRUCT(vxlan_udp_dport_in)
MLX5_PRM_STRUCT(query_special_contexts_out)
MLX5_PRM_STRUCT(query_hca_cap_in)
MLX5_PRM_STRUCT(cmd_hca_cap)
MLX5_PRM_STRUCT(per_protocol_networking_offload_caps)
MLX5_PRM_STRUCT(flow_table_prop_layout)
MLX5_PRM_STRUCT(flow_table_fields_supported)
MLX5_PRM_STRUCT(tls_cap)
MLX5_PRM_STRUCT(crypto_cap)

#endif
