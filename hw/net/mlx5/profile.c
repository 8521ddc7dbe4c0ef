/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles, data only; see profile.h. */
#include "qemu/osdep.h"
#include "caps.h"
#include "clock.h"
#include "mlx5.h"
#include "profile.h"
#include "xlt.h"

#define CAP(type, st, field, off, v)                              \
    { MLX5_CAP_##type, (off) + MLX5_BIT_##st##_##field,           \
      MLX5_WIDTH_##st##_##field, (v) }
#define GEN(field, v) CAP(GENERAL, cmd_hca_cap, field, 0, v)
#define ETH(field, v) \
    CAP(ETHERNET, per_protocol_networking_offload_caps, field, 0, v)
/* flow_table_properties_nic_receive and the field lists in it, bit offsets */
#define FT_NIC_RX 0x200
#define FT_FIELDS (FT_NIC_RX + 0x100)
#define FT_BITMASK_FIELDS (FT_NIC_RX + 0x180)
#define FT(field, v) \
    CAP(FLOW_TABLE, flow_table_prop_layout, field, FT_NIC_RX, v)
#define FT_MATCH(field)                                                 \
    CAP(FLOW_TABLE, flow_table_fields_supported, field, FT_FIELDS, 1),  \
    CAP(FLOW_TABLE, flow_table_fields_supported, field, FT_BITMASK_FIELDS, 1)

const Mlx5CapValue mlx5_common_caps[] = {
    /* identity */
    GEN(port_type, 1), /* Ethernet */
    GEN(num_ports, 1),
    GEN(vhca_id, 1),
    GEN(cqe_version, 1),
    GEN(log_pg_sz, MLX5_PAGE_SHIFT),
    GEN(dtor, 1),
    GEN(device_frequency_khz, MLX5_CLOCK_KHZ),
    GEN(driver_version, 1),
    GEN(cmdif_checksum, 3),
    GEN(eth_net_offloads, 1),
    GEN(nic_flow_table, 1),
    /* numbers of objects, and sizes */
    GEN(log_max_eq, 7),
    GEN(max_num_eqs, 128),
    GEN(log_max_eq_sz, 16),
    GEN(log_max_cq, 13),
    GEN(log_max_cq_sz, 20),
    GEN(log_max_sq, 12),
    GEN(log_max_rq, 11),
    GEN(log_max_rqt, 10),
    GEN(log_max_rqt_size, 11),
    GEN(log_max_tir, 16),
    GEN(log_max_tis, 16),
    GEN(log_max_pd, 12),
    GEN(log_max_transport_domain, 12),
    GEN(log_max_mkey, 16),
    /*
     * QPs and SRQs do not exist here, but the driver derives reservations from
     * these
     */
    GEN(log_max_qp, 18),
    GEN(log_max_qp_sz, 15),
    GEN(log_max_srq, 16),
    GEN(log_max_srq_sz, 15),
    GEN(log_max_klm_list_size, MLX5_XLT_LOG_MAX),
    /* work queues */
    GEN(log_max_wq_sz, 15),
    GEN(max_wqe_sz_sq, MLX5_MAX_WQEBBS * MLX5_WQEBB),
    GEN(max_wqe_sz_rq, 512),
    GEN(basic_cyclic_rcv_wqe, 1),
    GEN(log_min_stride_sz_rq, 4),
    GEN(log_max_stride_sz_rq, 9),
    GEN(log_min_stride_sz_sq, 6),
    GEN(log_max_stride_sz_sq, 6),
    GEN(max_sgl_for_optimized_performance, 3),
    GEN(umr_modify_entity_size_disabled, 1),
    /* doorbells */
    GEN(bf, 1),
    GEN(log_bf_reg_size, 9),
    GEN(uar_sz, 5), /* 2^5 MiB */
    /* completion queues */
    GEN(cq_oi, 1),
    GEN(cq_resize, 0),
    GEN(cq_moderation, 1),
    GEN(cq_period_mode_modify, 1),
    GEN(cq_period_start_from_cqe, 1),
    /* vport */
    GEN(log_max_current_uc_list, 7),
    GEN(log_max_current_mc_list, 11),
    GEN(log_max_vlan_list, 12),
    GEN(max_tc, 8),
    /* counters */
    GEN(vport_counters, 1),
    GEN(max_qp_cnt, 255),
    GEN(out_of_seq_cnt, 1),
    GEN(vnic_env_queue_counters, 1),
    GEN(vnic_env_cq_overrun, 1),
    GEN(vnic_env_cnt_steering_fail, 1),
    GEN(nic_receive_steering_discard, 1),
    GEN(receive_discard_vport_down, 1),
    GEN(transmit_discard_vport_down, 1),
    GEN(eq_overrun_count, 1),
    GEN(invalid_command_count, 1),
    GEN(quota_exceeded_count, 1),
    GEN(eth_wqe_too_small, 1),
    /* registers */
    GEN(pcam_reg, 1),
    GEN(mcam_reg, 1),

    ETH(csum_cap, 1),
    ETH(vlan_cap, 1),
    ETH(wqe_vlan_insert, 1),
    ETH(self_lb_en_modifiable, 1),
    ETH(max_lso_cap, MLX5_LOG_MAX_LSO),
    ETH(wqe_inline_mode, 2), /* no inline headers needed */
    ETH(rss_ind_tbl_cap, 11),
    ETH(enhanced_multi_pkt_send_wqe, 1),
    ETH(cqe_checksum_full, 1),
    /* tunnels; outer IPv4 ids count up (tunnel_lso_const_out_ip_id 0) */
    ETH(tunnel_stateless_gre, 1),
    ETH(tunnel_stateless_vxlan, 1),
    ETH(tunnel_stateless_ip_over_ip, 1),
    ETH(tunnel_stateless_ip_over_ip_rx, 1),
    ETH(tunnel_stateless_ip_over_ip_tx, 1),
    ETH(max_vxlan_udp_ports, MLX5_PARSE_MAX_VXLAN_PORTS),
    ETH(swp, 1),
    ETH(swp_csum, 1),
    ETH(swp_lso, 1),

    FT(ft_support, 1),
    FT(flow_counter, 1),
    FT(flow_modify_en, 1),
    FT(modify_root, 1),
    FT(identified_miss_table_mode, 1),
    FT(flow_table_modify, 1),
    FT(ignore_flow_level, 1), /* in all tables, so levels are not checked */
    FT(log_max_modify_header_context, 12),
    FT(max_modify_header_actions, 32),
    FT(log_max_ft_size, 24),
    FT(max_ft_level, 0x80),
    FT(log_max_ft_num, 8), /* at most MLX5_STEERING_MAX_VISITS */
    /* per entry: MLX5_STEERING_MAX_FTE_COUNTERS and _DESTS */
    FT(log_max_flow_counter, 3),
    FT(log_max_destination, 6),
    FT(log_max_flow, 17),
    FT_MATCH(outer_dmac),
    FT_MATCH(outer_smac),
    FT_MATCH(outer_ether_type),
    FT_MATCH(outer_ip_version),
    FT_MATCH(outer_first_prio),
    FT_MATCH(outer_first_cfi),
    FT_MATCH(outer_first_vid),
    FT_MATCH(outer_sip),
    FT_MATCH(outer_dip),
    FT_MATCH(outer_frag),
    FT_MATCH(outer_ip_protocol),
    FT_MATCH(outer_ip_ecn),
    FT_MATCH(outer_ip_dscp),
    FT_MATCH(outer_udp_sport),
    FT_MATCH(outer_udp_dport),
    FT_MATCH(outer_tcp_sport),
    FT_MATCH(outer_tcp_dport),
    FT_MATCH(outer_tcp_flags),
    FT_MATCH(inner_dmac),
    FT_MATCH(inner_smac),
    FT_MATCH(inner_ether_type),
    FT_MATCH(inner_ip_version),
    FT_MATCH(inner_first_prio),
    FT_MATCH(inner_first_cfi),
    FT_MATCH(inner_first_vid),
    FT_MATCH(inner_sip),
    FT_MATCH(inner_dip),
    FT_MATCH(inner_frag),
    FT_MATCH(inner_ip_protocol),
    FT_MATCH(inner_ip_ecn),
    FT_MATCH(inner_ip_dscp),
    FT_MATCH(inner_udp_sport),
    FT_MATCH(inner_udp_dport),
    FT_MATCH(inner_tcp_sport),
    FT_MATCH(inner_tcp_dport),
    FT_MATCH(inner_tcp_flags),
};

const size_t mlx5_ncommon_caps = ARRAY_SIZE(mlx5_common_caps);

/*
 * The boards are the device's own, not the vendor's, so that no tool takes
 * them for a card that has firmware to update.
 */
const Mlx5Profile mlx5_profiles[] = {
    {
        .name = "cx6dx",
        .product = "ConnectX-6 Dx",
        .pci_device = 0x101d,
        .hw_id = 0x212,
        .technology = MLX5_TECHNOLOGY_16NM,
        .pcie = 4,
        .fw_major = 22,
        .board_id = "QEM0000000001",
    },
    {
        .name = "cx7",
        .product = "ConnectX-7",
        .pci_device = 0x1021,
        .hw_id = 0x218,
        .technology = MLX5_TECHNOLOGY_7NM,
        .pcie = 5,
        .fw_major = 28,
        .board_id = "QEM0000000002",
    },
    {
        .name = "bf2",
        .product = "BlueField-2",
        .pci_device = 0xa2d6,
        .hw_id = 0x214,
        .revision = 1,
        .technology = MLX5_TECHNOLOGY_16NM,
        .pcie = 4,
        .fw_major = 24,
        .board_id = "QEM0000000003",
    },
    {
        .name = "bf3",
        .product = "BlueField-3",
        .pci_device = 0xa2dc,
        .hw_id = 0x21c,
        .revision = 1,
        .technology = MLX5_TECHNOLOGY_7NM,
        .pcie = 5,
        .fw_major = 32,
        .board_id = "QEM0000000004",
    },
};
const size_t mlx5_nprofiles = ARRAY_SIZE(mlx5_profiles);

const Mlx5Profile *mlx5_profile_find(const char *name)
{
    size_t i;

    for (i = 0; i < mlx5_nprofiles; i++) {
        if (!strcmp(mlx5_profiles[i].name, name)) {
            return &mlx5_profiles[i];
        }
    }
    return NULL;
}
