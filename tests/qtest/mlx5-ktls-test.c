/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the mlx5-ktls device without a guest: entry point. The tests are in
 * mlx5-ktls/mlx5-*-tests.c, one file per group; the small driver that they
 * share is in mlx5-ktls/mlx5-drv*.c. Owns no state.
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "mlx5-ktls/mlx5-tests.h"

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!qtest_has_device("mlx5-ktls")) {
        g_test_message("this QEMU has no mlx5-ktls device");
        return 1;
    }
    mlx5_pci_tests();
    mlx5_pcie_tests();
    mlx5_power_tests();
    mlx5_prop_tests();
    mlx5_range_tests();
    mlx5_cmd_tests();
    mlx5_cap_tests();
    mlx5_cap_file_tests();
    mlx5_obj_tests();
    mlx5_eq_tests();
    mlx5_owner_tests();
    mlx5_reg_tests();
    mlx5_nv_tests();
    mlx5_flow_tests();
    mlx5_mkey_tests();
    mlx5_umr_tests();
    mlx5_comp_tests();
    mlx5_stride_tests();
    mlx5_lro_tests();
    mlx5_stride_umr_tests();
    mlx5_tx_tests();
    mlx5_tx_error_tests();
    mlx5_rx_tests();
    mlx5_rx_hold_tests();
    mlx5_rss_tests();
    mlx5_dek_tests();
    mlx5_tls_tx_tests();
    mlx5_tls_rx_tests();
    mlx5_tls_rekey_tests();
    mlx5_freebsd_tests();
    mlx5_freebsd_rx_tests();
    mlx5_strict_tests();
    mlx5_link_tests();
    mlx5_secret_tests();
    mlx5_memory_tests();
    mlx5_observe_tests();
    mlx5_capture_tests();
    mlx5_fault_tests();
    mlx5_fault_tls_tests();
    mlx5_tunnel_tests();
    mlx5_vnic_tests();
    mlx5_vsc_tests();
    mlx5_reserved_tests();
    mlx5_time_tests();
    mlx5_iommu_tests();
    mlx5_leave_tests();
    mlx5_fuzz_tests();
    mlx5_storm_tests();
    return g_test_run();
}
