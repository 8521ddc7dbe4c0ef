/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the control WQEs of TLS have what (driver: en_accel/ktls_utils.h), in
 * bytes from the beginning of the WQE. For tls_wqe.c, which executes them, and
 * sq_fault.c, which may change them before.
 */
#ifndef HW_NET_MLX5_TLS_WQE_H
#define HW_NET_MLX5_TLS_WQE_H

#define MLX5_UMR_CTRL_OFFSET 0x10
#define MLX5_UMR_STATIC_OFFSET 0x80
#define MLX5_SET_PSV_PARAMS_OFFSET 0x14
#define MLX5_GET_PSV_OFFSET 0x10
#define MLX5_DUMP_DATA_OFFSET 0x10

#endif
