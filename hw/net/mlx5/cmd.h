/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The interface of command handlers. cmd.c owns the dispatch table and
 * validates each command; a handler is named after its command.
 */
#ifndef HW_NET_MLX5_CMD_H
#define HW_NET_MLX5_CMD_H

#include "mlx5.h"

/*
 * A command in execution. Input and output are copies, so the driver cannot
 * change them under the handler. @out is zeroed; cmd.c fills in status and
 * syndrome.
 */
struct Mlx5Cmd {
    Mlx5Function *fn;
    const uint8_t *in;
    uint32_t in_len; /* at least the dispatch table's in_min */
    uint8_t *out;
    uint32_t out_len; /* at least the dispatch table's out_min */
    uint16_t opcode;
    uint16_t op_mod;
    uint16_t uid;
    /*
     * set by a handler that refuses: a reason more specific than the syndrome,
     * or NULL
     */
    const char *why;
};

typedef Mlx5Syndrome Mlx5CmdHandler(Mlx5Cmd *cmd);

void mlx5_cmd_init(Mlx5Function *fn);
void mlx5_cmd_reset(Mlx5Function *fn);
void mlx5_cmd_finalize(Mlx5Function *fn);
/* Handles a command doorbell; @slots is the bit vector the driver wrote. */
void mlx5_cmd_doorbell(Mlx5Function *fn, uint32_t slots);
/*
 * X(opcode, NAME, handler, in_min, out_min, state): the dispatch table, in PRM
 * order. in_min and out_min are the minimum lengths in bytes; state is the
 * lowest Mlx5HcaState in which the command is accepted.
 */
#define MLX5_COMMANDS(X)                                                      \
    X(0x100, QUERY_HCA_CAP, query_hca_cap, 16, 16, ENABLED)                   \
    X(0x101, QUERY_ADAPTER, query_adapter, 8, 272, ENABLED)                   \
    X(0x102, INIT_HCA, init_hca, 8, 8, ENABLED)                               \
    X(0x103, TEARDOWN_HCA, teardown_hca, 16, 16, INITIALIZED)                 \
    X(0x104, ENABLE_HCA, enable_hca, 12, 8, OFF)                              \
    X(0x105, DISABLE_HCA, disable_hca, 12, 8, ENABLED)                        \
    X(0x107, QUERY_PAGES, query_pages, 16, 16, ENABLED)                       \
    X(0x108, MANAGE_PAGES, manage_pages, 16, 16, ENABLED)                     \
    X(0x109, SET_HCA_CAP, set_hca_cap, 4112, 8, ENABLED)                      \
    X(0x10a, QUERY_ISSI, query_issi, 8, 112, ENABLED)                         \
    X(0x10b, SET_ISSI, set_issi, 12, 8, ENABLED)                              \
    X(0x10d, SET_DRIVER_VERSION, set_driver_version, 80, 8, INITIALIZED)      \
    X(0x200, CREATE_MKEY, create_mkey, 272, 16, INITIALIZED)                  \
    X(0x201, QUERY_MKEY, query_mkey, 16, 80, INITIALIZED)                     \
    X(0x202, DESTROY_MKEY, destroy_mkey, 12, 8, INITIALIZED)                  \
    X(0x203, QUERY_SPECIAL_CONTEXTS, query_special_contexts, 8, 16,           \
      INITIALIZED)                                                            \
    X(0x301, CREATE_EQ, create_eq, 272, 12, INITIALIZED)                      \
    X(0x302, DESTROY_EQ, destroy_eq, 12, 8, INITIALIZED)                      \
    X(0x303, QUERY_EQ, query_eq, 12, 80, INITIALIZED)                         \
    X(0x400, CREATE_CQ, create_cq, 272, 12, INITIALIZED)                      \
    X(0x401, DESTROY_CQ, destroy_cq, 12, 8, INITIALIZED)                      \
    X(0x402, QUERY_CQ, query_cq, 12, 80, INITIALIZED)                         \
    X(0x403, MODIFY_CQ, modify_cq, 80, 8, INITIALIZED)                        \
    X(0x750, QUERY_VPORT_STATE, query_vport_state, 12, 16, INITIALIZED)       \
    X(0x751, MODIFY_VPORT_STATE, modify_vport_state, 16, 8, INITIALIZED)      \
    X(0x754, QUERY_NIC_VPORT_CONTEXT, query_nic_vport_context, 16, 16,        \
      INITIALIZED)                                                            \
    X(0x755, MODIFY_NIC_VPORT_CONTEXT, modify_nic_vport_context, 512, 8,      \
      INITIALIZED)                                                            \
    X(0x76f, QUERY_VNIC_ENV, query_vnic_env, 16, 528, INITIALIZED)            \
    X(0x770, QUERY_VPORT_COUNTER, query_vport_counter, 32, 528, INITIALIZED)  \
    X(0x771, ALLOC_Q_COUNTER, alloc_q_counter, 8, 12, INITIALIZED)            \
    X(0x772, DEALLOC_Q_COUNTER, dealloc_q_counter, 12, 8, INITIALIZED)        \
    X(0x773, QUERY_Q_COUNTER, query_q_counter, 32, 256, INITIALIZED)          \
    X(0x800, ALLOC_PD, alloc_pd, 8, 12, INITIALIZED)                          \
    X(0x801, DEALLOC_PD, dealloc_pd, 12, 8, INITIALIZED)                      \
    X(0x802, ALLOC_UAR, alloc_uar, 8, 12, INITIALIZED)                        \
    X(0x803, DEALLOC_UAR, dealloc_uar, 12, 8, INITIALIZED)                    \
    X(0x805, ACCESS_REG, access_reg, 16, 16, ENABLED)                         \
    X(0x80d, NOP, nop, 8, 8, ENABLED)                                         \
    X(0x816, ALLOC_TRANSPORT_DOMAIN, alloc_transport_domain, 8, 12,           \
      INITIALIZED)                                                            \
    X(0x817, DEALLOC_TRANSPORT_DOMAIN, dealloc_transport_domain, 12, 8,       \
      INITIALIZED)                                                            \
    X(0x827, ADD_VXLAN_UDP_DPORT, add_vxlan_udp_dport, 16, 8, INITIALIZED)    \
    X(0x828, DELETE_VXLAN_UDP_DPORT, delete_vxlan_udp_dport, 16, 8,           \
      INITIALIZED)                                                            \
    X(0x900, CREATE_TIR, create_tir, 272, 12, INITIALIZED)                    \
    X(0x901, MODIFY_TIR, modify_tir, 272, 8, INITIALIZED)                     \
    X(0x902, DESTROY_TIR, destroy_tir, 12, 8, INITIALIZED)                    \
    X(0x903, QUERY_TIR, query_tir, 12, 272, INITIALIZED)                      \
    X(0x904, CREATE_SQ, create_sq, 272, 12, INITIALIZED)                      \
    X(0x905, MODIFY_SQ, modify_sq, 272, 8, INITIALIZED)                       \
    X(0x906, DESTROY_SQ, destroy_sq, 12, 8, INITIALIZED)                      \
    X(0x907, QUERY_SQ, query_sq, 12, 272, INITIALIZED)                        \
    X(0x908, CREATE_RQ, create_rq, 272, 12, INITIALIZED)                      \
    X(0x909, MODIFY_RQ, modify_rq, 272, 8, INITIALIZED)                       \
    X(0x90a, DESTROY_RQ, destroy_rq, 12, 8, INITIALIZED)                      \
    X(0x90b, QUERY_RQ, query_rq, 12, 272, INITIALIZED)                        \
    X(0x912, CREATE_TIS, create_tis, 192, 12, INITIALIZED)                    \
    X(0x913, MODIFY_TIS, modify_tis, 192, 8, INITIALIZED)                     \
    X(0x914, DESTROY_TIS, destroy_tis, 12, 8, INITIALIZED)                    \
    X(0x915, QUERY_TIS, query_tis, 12, 176, INITIALIZED)                      \
    X(0x916, CREATE_RQT, create_rqt, 272, 12, INITIALIZED)                    \
    X(0x917, MODIFY_RQT, modify_rqt, 272, 8, INITIALIZED)                     \
    X(0x918, DESTROY_RQT, destroy_rqt, 12, 8, INITIALIZED)                    \
    X(0x919, QUERY_RQT, query_rqt, 12, 272, INITIALIZED)                      \
    X(0x92f, SET_FLOW_TABLE_ROOT, set_flow_table_root, 64, 8, INITIALIZED)    \
    X(0x930, CREATE_FLOW_TABLE, create_flow_table, 64, 12, INITIALIZED)       \
    X(0x931, DESTROY_FLOW_TABLE, destroy_flow_table, 64, 8, INITIALIZED)      \
    X(0x933, CREATE_FLOW_GROUP, create_flow_group, 1024, 12, INITIALIZED)     \
    X(0x934, DESTROY_FLOW_GROUP, destroy_flow_group, 64, 8, INITIALIZED)      \
    X(0x936, SET_FLOW_TABLE_ENTRY, set_flow_table_entry, 832, 8, INITIALIZED) \
    X(0x938, DELETE_FLOW_TABLE_ENTRY, delete_flow_table_entry, 64, 8,         \
      INITIALIZED)                                                            \
    X(0x939, ALLOC_FLOW_COUNTER, alloc_flow_counter, 16, 12, INITIALIZED)     \
    X(0x93a, DEALLOC_FLOW_COUNTER, dealloc_flow_counter, 12, 8, INITIALIZED)  \
    X(0x93b, QUERY_FLOW_COUNTER, query_flow_counter, 32, 16, INITIALIZED)     \
    X(0x93c, MODIFY_FLOW_TABLE, modify_flow_table, 64, 8, INITIALIZED)        \
    X(0x940, ALLOC_MODIFY_HEADER_CONTEXT, alloc_modify_header_context, 24,    \
      12, INITIALIZED)                                                        \
    X(0x941, DEALLOC_MODIFY_HEADER_CONTEXT, dealloc_modify_header_context,    \
      12, 8, INITIALIZED)                                                     \
    X(0xa00, CREATE_GENERAL_OBJECT, create_general_object, 16, 12,            \
      INITIALIZED)                                                            \
    X(0xa01, MODIFY_GENERAL_OBJECT, modify_general_object, 16, 8,             \
      INITIALIZED)                                                            \
    X(0xa02, QUERY_GENERAL_OBJECT, query_general_object, 16, 16,              \
      INITIALIZED)                                                            \
    X(0xa03, DESTROY_GENERAL_OBJECT, destroy_general_object, 16, 8,           \
      INITIALIZED)                                                            \
    X(0xb12, SYNC_CRYPTO, sync_crypto, 16, 8, INITIALIZED)

#define MLX5_CMD_DECLARE(op, NAME, handler, in_min, out_min, state) \
    Mlx5CmdHandler mlx5_cmd_##handler;
MLX5_COMMANDS(MLX5_CMD_DECLARE)
#undef MLX5_CMD_DECLARE

#endif
