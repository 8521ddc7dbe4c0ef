/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the control WQEs of TLS have what (driver: en_accel/ktls_utils.h). For
 * umr.c, which executes them, and sq_fault.c, which looks at them before.
 * Offsets are bytes from the beginning of the WQE, lengths are units of 16
 * bytes.
 */
#ifndef HW_NET_MLX5_UMR_H
#define HW_NET_MLX5_UMR_H

/* wqe_ctrl.opc_mod */
enum { MLX5_OPC_MOD_TIS = 1, MLX5_OPC_MOD_TIR = 2 };

#define MLX5_UMR_DS 12
#define MLX5_UMR_CTRL_OFFSET 0x10
#define MLX5_UMR_STATIC_OFFSET 0x80

#define MLX5_SET_PSV_DS 2
#define MLX5_SET_PSV_OFFSET 0x10
#define MLX5_SET_PSV_PARAMS_OFFSET 0x14

#define MLX5_GET_PSV_DS 4
#define MLX5_GET_PSV_OFFSET 0x10

#define MLX5_DUMP_DS 2
#define MLX5_DUMP_DATA_OFFSET 0x10

#endif
