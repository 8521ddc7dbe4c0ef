/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layout of the TLS control WQEs (driver: en_accel/ktls_utils.h), as byte
 * offsets from the start of the WQE. Used by tls_wqe.c, which executes them,
 * and sq_fault.c, which may modify them first.
 */
#ifndef HW_NET_MLX5_TLS_WQE_H
#define HW_NET_MLX5_TLS_WQE_H

#define MLX5_UMR_CTRL_OFFSET 0x10
#define MLX5_UMR_STATIC_OFFSET 0x80
#define MLX5_SET_PSV_PARAMS_OFFSET 0x14
#define MLX5_GET_PSV_OFFSET 0x10
#define MLX5_DUMP_DATA_OFFSET 0x10

#endif
