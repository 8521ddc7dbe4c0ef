/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: access registers.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_REG_H
#define HW_NET_MLX5_PRM_REG_H

#include "hw/net/mlx5/prm.h"

/* the register's data is at byte 0x10 of ACCESS_REG, input and output */

#define MLX5_PRM_access_register_in(F) \
    F(access_register_in, register_id, 0x050, 16) \
    F(access_register_in, argument, 0x060, 32)

/* fields at the same offset in all port registers */

#define MLX5_PRM_port_reg(F) \
    F(port_reg, local_port, 0x008, 8)

#define MLX5_PRM_host_endianness_reg(F) \
    F(host_endianness_reg, he, 0x000, 8)

#define MLX5_PRM_pmtu_reg(F) \
    F(pmtu_reg, max_mtu, 0x020, 16) \
    F(pmtu_reg, admin_mtu, 0x040, 16) \
    F(pmtu_reg, oper_mtu, 0x060, 16)

#define MLX5_PRM_paos_reg(F) \
    F(paos_reg, swid, 0x000, 8) \
    F(paos_reg, admin_status, 0x014, 4) \
    F(paos_reg, oper_status, 0x01c, 4) \
    F(paos_reg, ase, 0x020, 1) \
    F(paos_reg, ee, 0x021, 1) \
    F(paos_reg, e, 0x03e, 2)

#define MLX5_PRM_ptys_reg(F) \
    F(ptys_reg, an_disable_admin, 0x001, 1) \
    F(ptys_reg, an_disable_cap, 0x002, 1) \
    F(ptys_reg, plane_ind, 0x018, 4) \
    F(ptys_reg, proto_mask, 0x01d, 3) \
    F(ptys_reg, an_status, 0x020, 4) \
    F(ptys_reg, data_rate_oper, 0x030, 16) \
    F(ptys_reg, ext_eth_proto_capability, 0x040, 32) \
    F(ptys_reg, eth_proto_capability, 0x060, 32) \
    F(ptys_reg, ext_eth_proto_admin, 0x0a0, 32) \
    F(ptys_reg, eth_proto_admin, 0x0c0, 32) \
    F(ptys_reg, ext_eth_proto_oper, 0x100, 32) \
    F(ptys_reg, eth_proto_oper, 0x120, 32) \
    F(ptys_reg, connector_type, 0x17c, 4) \
    F(ptys_reg, eth_proto_lp_advertise, 0x180, 32)

/* FEC; fields of a class of link modes have four bits each, one for a code */

#define MLX5_PRM_pplm_reg(F) \
    F(pplm_reg, fec_mode_active, 0x068, 24) \
    F(pplm_reg, fec_override_cap_56g, 0x08c, 4) \
    F(pplm_reg, fec_override_cap_100g, 0x090, 4) \
    F(pplm_reg, fec_override_cap_50g, 0x094, 4) \
    F(pplm_reg, fec_override_cap_25g, 0x098, 4) \
    F(pplm_reg, fec_override_cap_10g_40g, 0x09c, 4) \
    F(pplm_reg, rs_fec_correction_bypass_admin, 0x0a0, 4) \
    F(pplm_reg, fec_override_admin_56g, 0x0ac, 4) \
    F(pplm_reg, fec_override_admin_100g, 0x0b0, 4) \
    F(pplm_reg, fec_override_admin_50g, 0x0b4, 4) \
    F(pplm_reg, fec_override_admin_25g, 0x0b8, 4) \
    F(pplm_reg, fec_override_admin_10g_40g, 0x0bc, 4)

#define MLX5_PRM_pfcc_reg(F) \
    F(pfcc_reg, ppan_mask_n, 0x01b, 1) \
    F(pfcc_reg, minor_stall_mask, 0x01c, 1) \
    F(pfcc_reg, critical_stall_mask, 0x01d, 1) \
    F(pfcc_reg, ppan, 0x020, 4) \
    F(pfcc_reg, prio_mask_tx, 0x028, 8) \
    F(pfcc_reg, prio_mask_rx, 0x038, 8) \
    F(pfcc_reg, pptx, 0x040, 1) \
    F(pfcc_reg, aptx, 0x041, 1) \
    F(pfcc_reg, pptx_mask_n, 0x042, 1) \
    F(pfcc_reg, pfctx, 0x048, 8) \
    F(pfcc_reg, pprx, 0x060, 1) \
    F(pfcc_reg, aprx, 0x061, 1) \
    F(pfcc_reg, pprx_mask_n, 0x062, 1) \
    F(pfcc_reg, pfcrx, 0x068, 8)

#define MLX5_PRM_pmlp_reg(F) \
    F(pmlp_reg, rxtx, 0x000, 1) \
    F(pmlp_reg, width, 0x018, 8) \
    F(pmlp_reg, lane0_module_mapping, 0x020, 32) \
    F(pmlp_reg, lane1_module_mapping, 0x040, 32) \
    F(pmlp_reg, lane2_module_mapping, 0x060, 32) \
    F(pmlp_reg, lane3_module_mapping, 0x080, 32)

#define MLX5_PRM_lane_2_module_mapping(F) \
    F(lane_2_module_mapping, rx_lane, 0x004, 4) \
    F(lane_2_module_mapping, tx_lane, 0x00c, 4) \
    F(lane_2_module_mapping, module, 0x018, 8)

#define MLX5_PRM_mcia_reg(F) \
    F(mcia_reg, l, 0x000, 1) \
    F(mcia_reg, module, 0x008, 8) \
    F(mcia_reg, status, 0x018, 8) \
    F(mcia_reg, i2c_device_address, 0x020, 8) \
    F(mcia_reg, page_number, 0x028, 8) \
    F(mcia_reg, device_address, 0x030, 16) \
    F(mcia_reg, size, 0x050, 16)

#define MLX5_PRM_pddr_reg(F) \
    F(pddr_reg, pnat, 0x010, 2) \
    F(pddr_reg, page_select, 0x038, 8)

/* pages of PDDR, at its byte 8 */

#define MLX5_PRM_pddr_operation_info_page(F) \
    F(pddr_operation_info_page, proto_active, 0x008, 4) \
    F(pddr_operation_info_page, eth_an_fsm_state, 0x028, 8) \
    F(pddr_operation_info_page, phy_mngr_fsm_state, 0x020, 8) \
    F(pddr_operation_info_page, cable_proto_cap, 0x080, 32) \
    F(pddr_operation_info_page, link_active, 0x0a0, 32) \
    F(pddr_operation_info_page, fec_mode_active, 0x0e0, 16)

#define MLX5_PRM_pddr_troubleshooting_page(F) \
    F(pddr_troubleshooting_page, group_opcode, 0x010, 16) \
    F(pddr_troubleshooting_page, status_opcode, 0x020, 32)

#define MLX5_PRM_pddr_module_info(F) \
    F(pddr_module_info, cable_technology, 0x000, 8) \
    F(pddr_module_info, cable_breakout, 0x008, 8) \
    F(pddr_module_info, ext_ethernet_compliance_code, 0x010, 8) \
    F(pddr_module_info, ethernet_compliance_code, 0x018, 8) \
    F(pddr_module_info, cable_type, 0x020, 4) \
    F(pddr_module_info, cable_length, 0x028, 8) \
    F(pddr_module_info, cable_identifier, 0x030, 8) \
    F(pddr_module_info, vendor_name, 0x0a0, 32) \
    F(pddr_module_info, vendor_pn, 0x120, 32) \
    F(pddr_module_info, vendor_rev, 0x1a0, 32) \
    F(pddr_module_info, vendor_sn, 0x1e0, 32) \
    F(pddr_module_info, nbr250, 0x4e0, 8) \
    F(pddr_module_info, date_code, 0x580, 64)

/* lanes: transmitter (SLTP) and receiver (SLRG); module, physical layer */

#define MLX5_PRM_sltp_reg(F) \
    F(sltp_reg, status, 0x003, 1) \
    F(sltp_reg, version, 0x004, 4) \
    F(sltp_reg, pnat, 0x010, 2) \
    F(sltp_reg, lane, 0x014, 4) \
    F(sltp_reg, port_type, 0x01c, 3) \
    F(sltp_reg, c_db, 0x01f, 1)

#define MLX5_PRM_slrg_reg(F) \
    F(slrg_reg, status, 0x000, 4) \
    F(slrg_reg, version, 0x004, 4) \
    F(slrg_reg, pnat, 0x010, 2) \
    F(slrg_reg, lane, 0x014, 4) \
    F(slrg_reg, port_type, 0x018, 4) \
    F(slrg_reg, all_lanes, 0x01e, 1)

#define MLX5_PRM_pmaos_reg(F) \
    F(pmaos_reg, rst, 0x000, 1) \
    F(pmaos_reg, slot_index, 0x004, 4) \
    F(pmaos_reg, module, 0x008, 8) \
    F(pmaos_reg, admin_status, 0x014, 4) \
    F(pmaos_reg, oper_status, 0x01c, 4)

#define MLX5_PRM_ppaos_reg(F) \
    F(ppaos_reg, phy_test_mode_admin, 0x014, 4) \
    F(ppaos_reg, port_type, 0x018, 4) \
    F(ppaos_reg, phy_test_mode_status, 0x01c, 4) \
    F(ppaos_reg, phy_status, 0x03c, 4)

/* masks are at bytes 0x08 (registers) and 0x28 (features) */

#define MLX5_PRM_pcam_reg(F) \
    F(pcam_reg, feature_group, 0x008, 8) \
    F(pcam_reg, access_reg_group, 0x018, 8)

#define MLX5_PRM_pcam_enhanced_features(F) \
    F(pcam_enhanced_features, ptys_extended_ethernet, 0x072, 1) \
    F(pcam_enhanced_features, ptys_connector_type, 0x07c, 1) \
    F(pcam_enhanced_features, ppcnt_statistical_group, 0x07f, 1)

/* like PCAM, for management registers */

#define MLX5_PRM_mcam_reg(F) \
    F(mcam_reg, feature_group, 0x008, 8) \
    F(mcam_reg, access_reg_group, 0x018, 8)

/* firmware: components and their versions, kinds of reset */

#define MLX5_PRM_mcqs_reg(F) \
    F(mcqs_reg, last_index_flag, 0x000, 1) \
    F(mcqs_reg, component_index, 0x010, 16) \
    F(mcqs_reg, identifier, 0x030, 16) \
    F(mcqs_reg, component_status, 0x057, 5) \
    F(mcqs_reg, component_update_state, 0x05c, 4)

#define MLX5_PRM_mcqi_reg(F) \
    F(mcqi_reg, read_pending_component, 0x000, 1) \
    F(mcqi_reg, component_index, 0x010, 16) \
    F(mcqi_reg, info_type, 0x05b, 5) \
    F(mcqi_reg, info_size, 0x060, 32) \
    F(mcqi_reg, offset, 0x080, 32) \
    F(mcqi_reg, data_size, 0x0b0, 16)

#define MLX5_PRM_mcqi_cap(F) \
    F(mcqi_cap, supported_info_bitmask, 0x000, 32)

#define MLX5_PRM_mcqi_version(F) \
    F(mcqi_version, version_string_length, 0x018, 8) \
    F(mcqi_version, version, 0x020, 32) \
    F(mcqi_version, version_string, 0x100, 32)

#define MLX5_PRM_mfrl_reg(F) \
    F(mfrl_reg, reset_type, 0x030, 8) \
    F(mfrl_reg, reset_level, 0x038, 8)

/* tools: the device, its flash (fs: which chip) */

#define MLX5_PRM_mgir(F) \
    F(mgir, device_hw_revision, 0x000, 16) \
    F(mgir, device_id, 0x010, 16) \
    F(mgir, num_ports, 0x028, 8) \
    F(mgir, technology, 0x030, 5) \
    F(mgir, hw_dev_id, 0x050, 16) \
    F(mgir, manufacturing_base_mac_47_32, 0x090, 16) \
    F(mgir, manufacturing_base_mac_31_0, 0x0a0, 32) \
    F(mgir, uptime, 0x0e0, 32) \
    F(mgir, fw_major, 0x108, 8) \
    F(mgir, fw_minor, 0x110, 8) \
    F(mgir, fw_sub_minor, 0x118, 8) \
    F(mgir, fw_month, 0x140, 8) \
    F(mgir, fw_day, 0x148, 8) \
    F(mgir, fw_year, 0x150, 16) \
    F(mgir, psid, 0x180, 32) \
    F(mgir, extended_major, 0x220, 32) \
    F(mgir, extended_minor, 0x240, 32) \
    F(mgir, extended_sub_minor, 0x260, 32)

#define MLX5_PRM_mfpa(F) \
    F(mfpa, fs, 0x01a, 2) \
    F(mfpa, flash_num, 0x09c, 4) \
    F(mfpa, jedec_id, 0x0a8, 24)

#define MLX5_PRM_mfba(F) \
    F(mfba, fs, 0x01a, 2) \
    F(mfba, size, 0x037, 9) \
    F(mfba, address, 0x040, 32)

/*
 * non-volatile configuration: header of MNVDA, followed by the item's bytes;
 * type is the whole configuration_item_type, with the class in its upper byte
 */

#define MLX5_PRM_config_item(F) \
    F(config_item, access_mode, 0x008, 2) \
    F(config_item, version, 0x010, 4) \
    F(config_item, host_id_valid, 0x016, 1) \
    F(config_item, length, 0x017, 9) \
    F(config_item, type, 0x020, 32)

/* MNVQC: can an item be read, written */
#define MLX5_PRM_mnvqc(F) \
    F(mnvqc, type, 0x000, 32) \
    F(mnvqc, version, 0x038, 4) \
    F(mnvqc, support_wr, 0x03e, 1) \
    F(mnvqc, support_rd, 0x03f, 1)

#define MLX5_PRM_nv_global_pci_conf(F) \
    F(nv_global_pci_conf, sriov_valid, 0x000, 1) \
    F(nv_global_pci_conf, per_pf_num_sf, 0x00b, 1) \
    F(nv_global_pci_conf, sriov_en, 0x020, 1) \
    F(nv_global_pci_conf, total_vfs, 0x030, 16)

#define MLX5_PRM_nv_global_pci_cap(F) \
    F(nv_global_pci_cap, max_vfs_per_pf_valid, 0x000, 1) \
    F(nv_global_pci_cap, sriov_support, 0x020, 1) \
    F(nv_global_pci_cap, max_vfs_per_pf, 0x030, 16)

#define MLX5_PRM_nv_pf_pci_conf(F) \
    F(nv_pf_pci_conf, total_sf, 0x010, 16) \
    F(nv_pf_pci_conf, total_vf, 0x050, 16)

#define MLX5_PRM_nv_sw_offload_conf(F) \
    F(nv_sw_offload_conf, uctx_en, 0x017, 1) \
    F(nv_sw_offload_conf, cqe_compression, 0x01d, 3)

#define MLX5_PRM_nv_sw_offload_cap(F) \
    F(nv_sw_offload_cap, swp_l4_csum_mode_l4_only, 0x019, 1)

#define MLX5_PRM_nv_sw_accelerate_conf(F) \
    F(nv_sw_accelerate_conf, swp_l4_csum_mode, 0x000, 2)

/*
 * counter sets are at byte 8 of PPCNT; each *_high and *_low pair of the PRM is
 * one field here
 */

#define MLX5_PRM_ppcnt_reg(F) \
    F(ppcnt_reg, swid, 0x000, 8) \
    F(ppcnt_reg, pnat, 0x010, 2) \
    F(ppcnt_reg, grp, 0x01a, 6) \
    F(ppcnt_reg, clr, 0x020, 1) \
    F(ppcnt_reg, plane_ind, 0x034, 4) \
    F(ppcnt_reg, prio_tc, 0x03b, 5)

#define MLX5_PRM_eth_802_3_cntrs_grp_data_layout(F)                            \
    F(eth_802_3_cntrs_grp_data_layout, a_frames_transmitted_ok, 0x000, 64)     \
    F(eth_802_3_cntrs_grp_data_layout, a_frames_received_ok, 0x040, 64)        \
    F(eth_802_3_cntrs_grp_data_layout, a_octets_transmitted_ok, 0x100, 64)     \
    F(eth_802_3_cntrs_grp_data_layout, a_octets_received_ok, 0x140, 64)        \
    F(eth_802_3_cntrs_grp_data_layout, a_multicast_frames_xmitted_ok, 0x180,   \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_broadcast_frames_xmitted_ok, 0x1c0,   \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_multicast_frames_received_ok, 0x200,  \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_broadcast_frames_received_ok, 0x240,  \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_frame_too_long_errors, 0x300, 64)     \
    F(eth_802_3_cntrs_grp_data_layout, a_mac_control_frames_transmitted,       \
      0x380, 64)                                                               \
    F(eth_802_3_cntrs_grp_data_layout, a_mac_control_frames_received, 0x3c0,   \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_unsupported_opcodes_received, 0x400,  \
      64)                                                                      \
    F(eth_802_3_cntrs_grp_data_layout, a_pause_mac_ctrl_frames_received,       \
      0x440, 64)                                                               \
    F(eth_802_3_cntrs_grp_data_layout, a_pause_mac_ctrl_frames_transmitted,    \
      0x480, 64)

#define MLX5_PRM_eth_2863_cntrs_grp_data_layout(F) \
    F(eth_2863_cntrs_grp_data_layout, if_in_octets, 0x000, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_in_ucast_pkts, 0x040, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_in_discards, 0x080, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_in_errors, 0x0c0, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_octets, 0x140, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_ucast_pkts, 0x180, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_discards, 0x1c0, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_errors, 0x200, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_in_multicast_pkts, 0x240, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_in_broadcast_pkts, 0x280, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_multicast_pkts, 0x2c0, 64) \
    F(eth_2863_cntrs_grp_data_layout, if_out_broadcast_pkts, 0x300, 64)

#define MLX5_PRM_eth_2819_cntrs_grp_data_layout(F)                             \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_drop_events, 0x000, 64)      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_octets, 0x040, 64)           \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts, 0x080, 64)             \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_broadcast_pkts, 0x0c0, 64)   \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_multicast_pkts, 0x100, 64)   \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_undersize_pkts, 0x180, 64)   \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_oversize_pkts, 0x1c0, 64)    \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts64octets, 0x2c0, 64)     \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts65to127octets, 0x300,    \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts128to255octets, 0x340,   \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts256to511octets, 0x380,   \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts512to1023octets, 0x3c0,  \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts1024to1518octets, 0x400, \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts1519to2047octets, 0x440, \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts2048to4095octets, 0x480, \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts4096to8191octets, 0x4c0, \
      64)                                                                      \
    F(eth_2819_cntrs_grp_data_layout, ether_stats_pkts8192to10239octets,       \
      0x500, 64)

#define MLX5_PRM_eth_per_prio_grp_data_layout(F) \
    F(eth_per_prio_grp_data_layout, rx_octets, 0x000, 64) \
    F(eth_per_prio_grp_data_layout, rx_frames, 0x100, 64) \
    F(eth_per_prio_grp_data_layout, tx_octets, 0x140, 64) \
    F(eth_per_prio_grp_data_layout, tx_frames, 0x240, 64) \
    F(eth_per_prio_grp_data_layout, rx_pause, 0x280, 64) \
    F(eth_per_prio_grp_data_layout, tx_pause, 0x300, 64)

#define MLX5_PRM_phys_layer_cntrs(F) \
    F(phys_layer_cntrs, link_down_events, 0x600, 32)

#define MLX5_PRM_phys_layer_statistical_cntrs(F) \
    F(phys_layer_statistical_cntrs, time_since_last_clear, 0x000, 64) \
    F(phys_layer_statistical_cntrs, phy_received_bits, 0x040, 64) \
    F(phys_layer_statistical_cntrs, phy_symbol_errors, 0x080, 64) \
    F(phys_layer_statistical_cntrs, phy_corrected_bits, 0x0c0, 64)

MLX5_PRM_STRUCT(access_register_in)
MLX5_PRM_STRUCT(port_reg)
MLX5_PRM_STRUCT(host_endianness_reg)
MLX5_PRM_STRUCT(pmtu_reg)
MLX5_PRM_STRUCT(paos_reg)
MLX5_PRM_STRUCT(ptys_reg)
MLX5_PRM_STRUCT(pplm_reg)
MLX5_PRM_STRUCT(pfcc_reg)
MLX5_PRM_STRUCT(pmlp_reg)
MLX5_PRM_STRUCT(lane_2_module_mapping)
MLX5_PRM_STRUCT(mcia_reg)
MLX5_PRM_STRUCT(pddr_reg)
MLX5_PRM_STRUCT(pddr_operation_info_page)
MLX5_PRM_STRUCT(pddr_troubleshooting_page)
MLX5_PRM_STRUCT(pddr_module_info)
MLX5_PRM_STRUCT(sltp_reg)
MLX5_PRM_STRUCT(slrg_reg)
MLX5_PRM_STRUCT(pmaos_reg)
MLX5_PRM_STRUCT(ppaos_reg)
MLX5_PRM_STRUCT(pcam_reg)
MLX5_PRM_STRUCT(pcam_enhanced_features)
MLX5_PRM_STRUCT(mcam_reg)
MLX5_PRM_STRUCT(mcqs_reg)
MLX5_PRM_STRUCT(mcqi_reg)
MLX5_PRM_STRUCT(mcqi_cap)
MLX5_PRM_STRUCT(mcqi_version)
MLX5_PRM_STRUCT(mfrl_reg)
MLX5_PRM_STRUCT(mgir)
MLX5_PRM_STRUCT(mfpa)
MLX5_PRM_STRUCT(mfba)
MLX5_PRM_STRUCT(config_item)
MLX5_PRM_STRUCT(mnvqc)
MLX5_PRM_STRUCT(nv_global_pci_conf)
MLX5_PRM_STRUCT(nv_global_pci_cap)
MLX5_PRM_STRUCT(nv_pf_pci_conf)
MLX5_PRM_STRUCT(nv_sw_offload_conf)
MLX5_PRM_STRUCT(nv_sw_offload_cap)
MLX5_PRM_STRUCT(nv_sw_accelerate_conf)
MLX5_PRM_STRUCT(ppcnt_reg)
MLX5_PRM_STRUCT(eth_802_3_cntrs_grp_data_layout)
MLX5_PRM_STRUCT(eth_2863_cntrs_grp_data_layout)
MLX5_PRM_STRUCT(eth_2819_cntrs_grp_data_layout)
MLX5_PRM_STRUCT(eth_per_prio_grp_data_layout)
MLX5_PRM_STRUCT(phys_layer_cntrs)
MLX5_PRM_STRUCT(phys_layer_statistical_cntrs)

#endif
