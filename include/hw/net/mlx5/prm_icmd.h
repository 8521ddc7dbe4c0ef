/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: commands of tools (ICMD), among them access to a register. Lists as
 * in the other files; see prm.h.
 */
#ifndef HW_NET_MLX5_PRM_ICMD_H
#define HW_NET_MLX5_PRM_ICMD_H

#include "hw/net/mlx5/prm.h"

#define MLX5_PRM_icmd_query_cap_in(F) \
    F(icmd_query_cap_in, capability_group, 0x010, 16)

#define MLX5_PRM_icmd_query_cap_general(F) \
    F(icmd_query_cap_general, nv_access, 0x000, 1) \
    F(icmd_query_cap_general, fw_info_psid, 0x001, 1) \
    F(icmd_query_cap_general, allow_icmd_access_reg_on_all_registers, 0x002, \
      1) \
    F(icmd_query_cap_general, pcam_reg, 0x004, 1) \
    F(icmd_query_cap_general, mcam_reg, 0x005, 1)
#define MLX5_ICMD_QUERY_CAP_SIZE 8

/* len counts dwords, the header included */

#define MLX5_PRM_operation_tlv(F) \
    F(operation_tlv, type, 0x000, 5) \
    F(operation_tlv, len, 0x005, 11) \
    F(operation_tlv, dr, 0x010, 1) \
    F(operation_tlv, status, 0x011, 7) \
    F(operation_tlv, register_id, 0x020, 16) \
    F(operation_tlv, r, 0x030, 1) \
    F(operation_tlv, method, 0x031, 7) \
    F(operation_tlv, class, 0x038, 8)
#define MLX5_OPERATION_TLV_SIZE 16

#define MLX5_PRM_reg_tlv(F) \
    F(reg_tlv, type, 0x000, 5) \
    F(reg_tlv, len, 0x005, 11)
#define MLX5_REG_TLV_SIZE 4

/* type */
enum { MLX5_TLV_OPERATION = 1, MLX5_TLV_REG = 3 };
/* method */
enum { MLX5_REG_QUERY = 1, MLX5_REG_WRITE = 2 };

MLX5_PRM_STRUCT(icmd_query_cap_in)
MLX5_PRM_STRUCT(icmd_query_cap_general)
MLX5_PRM_STRUCT(operation_tlv)
MLX5_PRM_STRUCT(reg_tlv)

#endif
