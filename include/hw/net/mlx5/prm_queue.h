/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: event queues, completion queues, work queues, and their entries.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_QUEUE_H
#define HW_NET_MLX5_PRM_QUEUE_H

#include "hw/net/mlx5/prm.h"

/* EQ; eqc is at byte 0x10 of CREATE_EQ and of QUERY_EQ's output */

#define MLX5_PRM_eqc(F) \
    F(eqc, status, 0x000, 4) \
    F(eqc, ec, 0x00d, 1) \
    F(eqc, oi, 0x00e, 1) \
    F(eqc, st, 0x014, 4) \
    F(eqc, page_offset, 0x054, 6) \
    F(eqc, log_eq_size, 0x063, 5) \
    F(eqc, uar_page, 0x068, 24) \
    F(eqc, intr, 0x0b4, 12) \
    F(eqc, log_page_size, 0x0c3, 5) \
    F(eqc, consumer_counter, 0x148, 24) \
    F(eqc, producer_counter, 0x168, 24)

#define MLX5_PRM_create_eq_in(F) \
    F(create_eq_in, event_bitmask_0, 0x2c0, 64) \
    F(create_eq_in, event_bitmask_1, 0x300, 64) \
    F(create_eq_in, event_bitmask_2, 0x340, 64) \
    F(create_eq_in, event_bitmask_3, 0x380, 64)

#define MLX5_PRM_create_eq_out(F) \
    F(create_eq_out, eq_number, 0x058, 8)

#define MLX5_PRM_destroy_eq_in(F) \
    F(destroy_eq_in, eq_number, 0x058, 8)

#define MLX5_PRM_eqe(F) \
    F(eqe, event_type, 0x008, 8) \
    F(eqe, event_sub_type, 0x018, 8) \
    F(eqe, owner, 0x1ff, 1)

#define MLX5_PRM_eqe_comp(F) \
    F(eqe_comp, cqn, 0x1c8, 24)

#define MLX5_PRM_eqe_cmd(F) \
    F(eqe_cmd, command_completion_vector, 0x100, 32)

#define MLX5_PRM_eqe_port_state_change(F) \
    F(eqe_port_state_change, port_num, 0x140, 4)

#define MLX5_PRM_eqe_cq_error(F) \
    F(eqe_cq_error, cqn, 0x108, 24) \
    F(eqe_cq_error, syndrome, 0x158, 8)

#define MLX5_PRM_eqe_wq_error(F) \
    F(eqe_wq_error, type, 0x1a0, 8) \
    F(eqe_wq_error, number, 0x1c8, 24)

/* CQ; cqc is at byte 0x10 of CREATE_CQ, MODIFY_CQ and QUERY_CQ's output */

#define MLX5_PRM_cqc(F) \
    F(cqc, status, 0x000, 4) \
    F(cqc, dbr_umem_valid, 0x006, 1) \
    F(cqc, cqe_sz, 0x008, 3) \
    F(cqc, cc, 0x00b, 1) \
    F(cqc, oi, 0x00e, 1) \
    F(cqc, cq_period_mode, 0x00f, 2) \
    F(cqc, cqe_comp_en, 0x011, 1) \
    F(cqc, mini_cqe_res_format, 0x012, 2) \
    F(cqc, st, 0x014, 4) \
    F(cqc, cqe_compression_layout, 0x01e, 2) \
    F(cqc, page_offset, 0x054, 6) \
    F(cqc, log_cq_size, 0x063, 5) \
    F(cqc, uar_page, 0x068, 24) \
    F(cqc, cq_period, 0x084, 12) \
    F(cqc, cq_max_count, 0x090, 16) \
    F(cqc, c_eqn, 0x0a0, 32) \
    F(cqc, log_page_size, 0x0c3, 5) \
    F(cqc, last_notified_index, 0x108, 24) \
    F(cqc, last_solicit_index, 0x128, 24) \
    F(cqc, consumer_counter, 0x148, 24) \
    F(cqc, producer_counter, 0x168, 24) \
    F(cqc, dbr_addr, 0x1c0, 64)

#define MLX5_PRM_create_cq_in(F) \
    F(create_cq_in, cq_umem_valid, 0x2e0, 1)

#define MLX5_PRM_modify_cq_in(F) \
    F(modify_cq_in, modify_field_select, 0x060, 32)

#define MLX5_PRM_cqe(F) \
    F(cqe, outer_l3_type, 0x006, 1) \
    F(cqe, outer_l3_tunneled, 0x007, 1) \
    F(cqe, tls_offload, 0x003, 2) \
    F(cqe, wqe_id, 0x010, 16) \
    F(cqe, lro_tcppsh, 0x021, 1) \
    F(cqe, lro_min_ttl, 0x028, 8) \
    F(cqe, lro_tcp_win, 0x030, 16) \
    F(cqe, lro_ack_seq_num, 0x040, 32) \
    F(cqe, rss_hash_result, 0x060, 32) \
    F(cqe, rss_hash_type, 0x080, 8) \
    F(cqe, check_sum, 0x0a0, 16) \
    F(cqe, rqn, 0x0c8, 24) \
    F(cqe, l2_ok, 0x0e7, 1) \
    F(cqe, l3_ok, 0x0e6, 1) \
    F(cqe, l4_ok, 0x0e5, 1) \
    F(cqe, l4_hdr_type, 0x0e9, 3) \
    F(cqe, l3_hdr_type, 0x0ec, 2) \
    F(cqe, cv, 0x0ef, 1) \
    F(cqe, vlan_info, 0x0f0, 16) \
    F(cqe, lro_num_seg, 0x100, 8) \
    F(cqe, ft_metadata, 0x120, 32) \
    F(cqe, byte_cnt, 0x160, 32) \
    F(cqe, filler, 0x160, 1) \
    F(cqe, consumed_strides, 0x161, 15) \
    F(cqe, mpwqe_byte_cnt, 0x170, 16) \
    F(cqe, timestamp, 0x180, 64) \
    F(cqe, flow_tag, 0x1c8, 24) \
    F(cqe, s_wqe_opcode, 0x1c0, 8) \
    F(cqe, sqn, 0x1c8, 24) \
    F(cqe, vendor_error_syndrome, 0x1b0, 8) \
    F(cqe, syndrome, 0x1b8, 8) \
    F(cqe, wqe_counter, 0x1e0, 16) \
    F(cqe, signature, 0x1f0, 8) \
    F(cqe, validity_iteration_count, 0x1f0, 8) \
    F(cqe, opcode, 0x1f8, 4) \
    F(cqe, format, 0x1fc, 2) \
    F(cqe, se, 0x1fe, 1) \
    F(cqe, owner, 0x1ff, 1)

/* work queue context, at byte 0x30 of both sqc and rqc */

#define MLX5_PRM_wq(F) \
    F(wq, wq_type, 0x000, 4) \
    F(wq, end_padding_mode, 0x005, 2) \
    F(wq, page_offset, 0x02b, 5) \
    F(wq, pd, 0x048, 24) \
    F(wq, uar_page, 0x068, 24) \
    F(wq, dbr_addr, 0x080, 64) \
    F(wq, log_wq_stride, 0x10c, 4) \
    F(wq, log_wq_pg_sz, 0x113, 5) \
    F(wq, log_wq_sz, 0x11b, 5) \
    F(wq, dbr_umem_valid, 0x120, 1) \
    F(wq, wq_umem_valid, 0x121, 1) \
    F(wq, log_wqe_num_of_strides, 0x134, 4) \
    F(wq, log_wqe_stride_size, 0x13d, 3)

/* SQ context, at byte 0x20 of CREATE_SQ, MODIFY_SQ and QUERY_SQ's output */

#define MLX5_PRM_sqc(F) \
    F(sqc, rlky, 0x000, 1) \
    F(sqc, flush_in_error_en, 0x003, 1) \
    F(sqc, allow_multi_pkt_send_wqe, 0x004, 1) \
    F(sqc, min_wqe_inline_mode, 0x005, 3) \
    F(sqc, state, 0x008, 4) \
    F(sqc, reg_umr, 0x00c, 1) \
    F(sqc, allow_swp, 0x00d, 1) \
    F(sqc, hairpin, 0x00e, 1) \
    F(sqc, user_index, 0x028, 24) \
    F(sqc, cqn, 0x048, 24) \
    F(sqc, tis_lst_sz, 0x100, 16) \
    F(sqc, tis_num_0, 0x168, 24)

#define MLX5_PRM_modify_sq_in(F) \
    F(modify_sq_in, sq_state, 0x040, 4) \
    F(modify_sq_in, sqn, 0x048, 24) \
    F(modify_sq_in, modify_bitmask, 0x080, 64)

/* RQ context, at byte 0x20 of CREATE_RQ, MODIFY_RQ and QUERY_RQ's output */

#define MLX5_PRM_rqc(F) \
    F(rqc, rlky, 0x000, 1) \
    F(rqc, delay_drop_en, 0x001, 1) \
    F(rqc, scatter_fcs, 0x002, 1) \
    F(rqc, vsd, 0x003, 1) \
    F(rqc, mem_rq_type, 0x004, 4) \
    F(rqc, state, 0x008, 4) \
    F(rqc, flush_in_error_en, 0x00d, 1) \
    F(rqc, hairpin, 0x00e, 1) \
    F(rqc, user_index, 0x028, 24) \
    F(rqc, cqn, 0x048, 24) \
    F(rqc, counter_set_id, 0x060, 8) \
    F(rqc, rmpn, 0x088, 24)

#define MLX5_PRM_modify_rq_in(F) \
    F(modify_rq_in, rq_state, 0x040, 4) \
    F(modify_rq_in, rqn, 0x048, 24) \
    F(modify_rq_in, modify_bitmask, 0x080, 64)

/* WQE segments */

#define MLX5_PRM_wqe_ctrl(F) \
    F(wqe_ctrl, opc_mod, 0x000, 8) \
    F(wqe_ctrl, wqe_index, 0x008, 16) \
    F(wqe_ctrl, opcode, 0x018, 8) \
    F(wqe_ctrl, sqn, 0x020, 24) \
    F(wqe_ctrl, ds, 0x03a, 6) \
    F(wqe_ctrl, fm, 0x058, 3) \
    F(wqe_ctrl, ce, 0x05c, 2) \
    F(wqe_ctrl, se, 0x05e, 1) \
    F(wqe_ctrl, tis_tir_num, 0x060, 24) \
    F(wqe_ctrl, imm, 0x060, 32)

#define MLX5_PRM_wqe_eth(F) \
    F(wqe_eth, swp_offsets, 0x000, 32) \
    F(wqe_eth, swp_outer_l4_offset, 0x000, 8) \
    F(wqe_eth, swp_outer_l3_offset, 0x008, 8) \
    F(wqe_eth, swp_inner_l4_offset, 0x010, 8) \
    F(wqe_eth, swp_inner_l3_offset, 0x018, 8) \
    F(wqe_eth, cs_flags, 0x020, 8) \
    F(wqe_eth, swp_flags, 0x028, 8) \
    F(wqe_eth, mss, 0x030, 16) \
    F(wqe_eth, flow_table_metadata, 0x040, 32) \
    F(wqe_eth, insert_en, 0x060, 1) \
    F(wqe_eth, insert_svlan, 0x06f, 1) \
    F(wqe_eth, inline_hdr_sz, 0x066, 10) \
    F(wqe_eth, insert_type, 0x060, 16) \
    F(wqe_eth, vlan_tci, 0x070, 16)

#define MLX5_PRM_wqe_data(F) \
    F(wqe_data, is_inline, 0x000, 1) \
    F(wqe_data, byte_count, 0x001, 31) \
    F(wqe_data, lkey, 0x020, 32) \
    F(wqe_data, addr, 0x040, 64)

/* what a WQE of a linked list starts with */
#define MLX5_PRM_wqe_next(F) \
    F(wqe_next, next_wqe_index, 0x010, 16)

#define MLX5_PRM_wqe_umr_ctrl(F) \
    F(wqe_umr_ctrl, flags, 0x000, 8) \
    F(wqe_umr_ctrl, xlt_octowords, 0x020, 16) \
    F(wqe_umr_ctrl, bsf_octowords, 0x030, 16) \
    F(wqe_umr_ctrl, xlt_offset, 0x030, 16) \
    F(wqe_umr_ctrl, mkey_mask, 0x040, 64) \
    F(wqe_umr_ctrl, xlt_offset_47_16, 0x080, 32)

#define MLX5_PRM_wqe_set_psv(F) \
    F(wqe_set_psv, tis_tir_num, 0x008, 24)

#define MLX5_PRM_wqe_get_psv(F) \
    F(wqe_get_psv, num_psv, 0x098, 4) \
    F(wqe_get_psv, l_key, 0x0a0, 32) \
    F(wqe_get_psv, va, 0x0c0, 64) \
    F(wqe_get_psv, psv_index_0, 0x100, 32)

MLX5_PRM_STRUCT(eqc)
MLX5_PRM_STRUCT(create_eq_in)
MLX5_PRM_STRUCT(create_eq_out)
MLX5_PRM_STRUCT(destroy_eq_in)
MLX5_PRM_STRUCT(eqe)
MLX5_PRM_STRUCT(eqe_comp)
MLX5_PRM_STRUCT(eqe_cmd)
MLX5_PRM_STRUCT(eqe_port_state_change)
MLX5_PRM_STRUCT(eqe_cq_error)
MLX5_PRM_STRUCT(eqe_wq_error)
MLX5_PRM_STRUCT(cqc)
MLX5_PRM_STRUCT(create_cq_in)
MLX5_PRM_STRUCT(modify_cq_in)
MLX5_PRM_STRUCT(cqe)
MLX5_PRM_STRUCT(wq)
MLX5_PRM_STRUCT(sqc)
MLX5_PRM_STRUCT(modify_sq_in)
MLX5_PRM_STRUCT(rqc)
MLX5_PRM_STRUCT(modify_rq_in)
MLX5_PRM_STRUCT(wqe_ctrl)
MLX5_PRM_STRUCT(wqe_eth)
MLX5_PRM_STRUCT(wqe_data)
MLX5_PRM_STRUCT(wqe_next)
MLX5_PRM_STRUCT(wqe_umr_ctrl)
MLX5_PRM_STRUCT(wqe_set_psv)
MLX5_PRM_STRUCT(wqe_get_psv)

#endif
