/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The groups of tests in mlx5-ktls-test: each function adds its own to GLib's
 * list. Called once, by main().
 */
#ifndef TESTS_QTEST_MLX5_TESTS_H
#define TESTS_QTEST_MLX5_TESTS_H

void mlx5_pci_tests(void);
void mlx5_pcie_tests(void);
void mlx5_power_tests(void);
void mlx5_prop_tests(void);
void mlx5_range_tests(void);
void mlx5_cmd_tests(void);
void mlx5_cap_tests(void);
void mlx5_cap_file_tests(void);
void mlx5_obj_tests(void);
void mlx5_eq_tests(void);
void mlx5_owner_tests(void);
void mlx5_flow_tests(void);
void mlx5_reg_tests(void);
void mlx5_nv_tests(void);
void mlx5_tx_tests(void);
void mlx5_tx_error_tests(void);
void mlx5_rx_tests(void);
void mlx5_rx_hold_tests(void);
void mlx5_rss_tests(void);
void mlx5_dek_tests(void);
void mlx5_tls_tx_tests(void);
void mlx5_tls_rx_tests(void);
void mlx5_tls_rekey_tests(void);
void mlx5_freebsd_tests(void);
void mlx5_freebsd_rx_tests(void);
void mlx5_strict_tests(void);
void mlx5_secret_tests(void);
void mlx5_link_tests(void);
void mlx5_memory_tests(void);
void mlx5_observe_tests(void);
void mlx5_capture_tests(void);
void mlx5_fault_tests(void);
void mlx5_fault_tls_tests(void);
void mlx5_tunnel_tests(void);
void mlx5_vnic_tests(void);
void mlx5_vsc_tests(void);
void mlx5_reserved_tests(void);
void mlx5_time_tests(void);
void mlx5_mkey_tests(void);
void mlx5_umr_tests(void);
void mlx5_comp_tests(void);
void mlx5_stride_tests(void);
void mlx5_lro_tests(void);
void mlx5_stride_umr_tests(void);
void mlx5_iommu_tests(void);
void mlx5_leave_tests(void);
void mlx5_fuzz_tests(void);
void mlx5_storm_tests(void);

#endif
