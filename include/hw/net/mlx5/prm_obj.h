/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: memory keys, TIS, TIR, RQT, encryption keys, TLS parameters.
 *
 * One X-macro list per PRM structure: F(structure, field, first bit, width),
 * bit 0 being the most significant bit of byte 0. See prm.h for the accessors
 * made from these lists. Field names are the PRM's, verbatim.
 */
#ifndef HW_NET_MLX5_PRM_OBJ_H
#define HW_NET_MLX5_PRM_OBJ_H

#include "hw/net/mlx5/prm.h"

/* memory key context, at byte 0x10 of CREATE_MKEY and of QUERY_MKEY's output */

#define MLX5_PRM_mkc(F) \
    F(mkc, free, 0x001, 1) \
    F(mkc, access_mode_4_2, 0x003, 3) \
    F(mkc, relaxed_ordering_write, 0x00d, 1) \
    F(mkc, umr_en, 0x010, 1) \
    F(mkc, a, 0x011, 1) \
    F(mkc, rw, 0x012, 1) \
    F(mkc, rr, 0x013, 1) \
    F(mkc, lw, 0x014, 1) \
    F(mkc, lr, 0x015, 1) \
    F(mkc, access_mode_1_0, 0x016, 2) \
    F(mkc, qpn, 0x020, 24) \
    F(mkc, mkey_7_0, 0x038, 8) \
    F(mkc, length64, 0x060, 1) \
    F(mkc, bsf_en, 0x061, 1) \
    F(mkc, pd, 0x068, 24) \
    F(mkc, start_addr, 0x080, 64) \
    F(mkc, len, 0x0c0, 64) \
    F(mkc, translations_octword_size, 0x1a0, 32) \
    F(mkc, relaxed_ordering_read, 0x1d9, 1) \
    F(mkc, log_page_size, 0x1da, 6)

/* the rest of CREATE_MKEY; the list of mtt, klm or ksm is at byte 0x110 */
#define MLX5_PRM_create_mkey_in(F) \
    F(create_mkey_in, pg_access, 0x060, 1) \
    F(create_mkey_in, mkey_umem_valid, 0x061, 1) \
    F(create_mkey_in, translations_octword_actual_size, 0x300, 32)

/* a ksm has the same layout, without a length */
#define MLX5_PRM_klm(F) \
    F(klm, byte_count, 0x000, 32) \
    F(klm, mkey, 0x020, 32) \
    F(klm, address, 0x040, 64)

/* TIS context, at byte 0x20 of CREATE_TIS, MODIFY_TIS and QUERY_TIS's output */

#define MLX5_PRM_tisc(F) \
    F(tisc, strict_lag_tx_port_affinity, 0x000, 1) \
    F(tisc, tls_en, 0x001, 1) \
    F(tisc, lag_tx_port_affinity, 0x004, 4) \
    F(tisc, prio, 0x00c, 4) \
    F(tisc, transport_domain, 0x128, 24) \
    F(tisc, underlay_qpn, 0x148, 24) \
    F(tisc, pd, 0x168, 24)

#define MLX5_PRM_modify_tis_in(F) \
    F(modify_tis_in, tisn, 0x048, 24) \
    F(modify_tis_in, prio, 0x02f, 1)

/* TIR context, at byte 0x20 of CREATE_TIR, MODIFY_TIR and QUERY_TIR's output */

#define MLX5_PRM_tirc(F) \
    F(tirc, disp_type, 0x020, 4) \
    F(tirc, tls_en, 0x024, 1) \
    F(tirc, lro_timeout_period_usecs, 0x084, 16) \
    F(tirc, packet_merge_mask, 0x094, 4) \
    F(tirc, lro_max_ip_payload_size, 0x098, 8) \
    F(tirc, inline_rqn, 0x0e8, 24) \
    F(tirc, rx_hash_symmetric, 0x100, 1) \
    F(tirc, tunneled_offload_en, 0x102, 1) \
    F(tirc, indirect_table, 0x108, 24) \
    F(tirc, rx_hash_fn, 0x120, 4) \
    F(tirc, self_lb_block, 0x126, 2) \
    F(tirc, transport_domain, 0x128, 24) \
    F(tirc, rx_hash_field_selector_outer, 0x280, 32) \
    F(tirc, rx_hash_field_selector_inner, 0x2a0, 32)

#define MLX5_PRM_rx_hash_field_select(F) \
    F(rx_hash_field_select, l3_prot_type, 0x000, 1) \
    F(rx_hash_field_select, l4_prot_type, 0x001, 1) \
    F(rx_hash_field_select, selected_fields, 0x002, 30)

#define MLX5_PRM_modify_tir_in(F) \
    F(modify_tir_in, tirn, 0x048, 24) \
    F(modify_tir_in, bitmask, 0x080, 64) \
    F(modify_tir_in, self_lb_en, 0x0bb, 1) \
    F(modify_tir_in, hash, 0x0bd, 1) \
    F(modify_tir_in, packet_merge, 0x0bf, 1)

/*
 * RQ table context, at byte 0x20 of CREATE_RQT, MODIFY_RQT and QUERY_RQT's
 * output
 */

#define MLX5_PRM_rqtc(F) \
    F(rqtc, list_q_type, 0x0a5, 3) \
    F(rqtc, rqt_max_size, 0x0b0, 16) \
    F(rqtc, rqt_actual_size, 0x0d0, 16)

#define MLX5_PRM_rq_num(F) \
    F(rq_num, rq_num, 0x008, 24)

#define MLX5_PRM_modify_rqt_in(F) \
    F(modify_rqt_in, rqtn, 0x048, 24) \
    F(modify_rqt_in, rqn_list, 0x0bf, 1)

/* general objects: header, then the object at byte 0x10 */

#define MLX5_PRM_general_obj_in_cmd_hdr(F) \
    F(general_obj_in_cmd_hdr, opcode, 0x000, 16) \
    F(general_obj_in_cmd_hdr, uid, 0x010, 16) \
    F(general_obj_in_cmd_hdr, vhca_tunnel_id, 0x020, 16) \
    F(general_obj_in_cmd_hdr, obj_type, 0x030, 16) \
    F(general_obj_in_cmd_hdr, obj_id, 0x040, 32) \
    F(general_obj_in_cmd_hdr, op_param, 0x060, 32) \
    F(general_obj_in_cmd_hdr, log_obj_range, 0x063, 5) \
    F(general_obj_in_cmd_hdr, obj_offset, 0x061, 31) \
    F(general_obj_in_cmd_hdr, alias_object, 0x060, 1)

#define MLX5_PRM_general_obj_out_cmd_hdr(F) \
    F(general_obj_out_cmd_hdr, obj_id, 0x040, 32)

#define MLX5_PRM_encryption_key_obj(F) \
    F(encryption_key_obj, modify_field_select, 0x000, 64) \
    F(encryption_key_obj, state, 0x040, 8) \
    F(encryption_key_obj, sw_wrapped, 0x048, 1) \
    F(encryption_key_obj, key_size, 0x054, 4) \
    F(encryption_key_obj, key_purpose, 0x05c, 4) \
    F(encryption_key_obj, pd, 0x068, 24) \
    F(encryption_key_obj, opaque, 0x180, 64)

#define MLX5_PRM_sync_crypto_in(F) \
    F(sync_crypto_in, crypto_type, 0x070, 16)

#define MLX5_PRM_tls_static_params(F) \
    F(tls_static_params, const_2, 0x000, 2) \
    F(tls_static_params, tls_version, 0x002, 4) \
    F(tls_static_params, const_1, 0x006, 2) \
    F(tls_static_params, encryption_standard, 0x01c, 4) \
    F(tls_static_params, initial_record_number, 0x040, 64) \
    F(tls_static_params, resync_tcp_sn, 0x080, 32) \
    F(tls_static_params, gcm_iv, 0x0a0, 32) \
    F(tls_static_params, implicit_iv, 0x0c0, 64) \
    F(tls_static_params, dek_index, 0x108, 24)

#define MLX5_PRM_tls_progress_params(F) \
    F(tls_progress_params, next_record_tcp_sn, 0x000, 32) \
    F(tls_progress_params, hw_resync_tcp_sn, 0x020, 32) \
    F(tls_progress_params, record_tracker_state, 0x040, 2) \
    F(tls_progress_params, auth_state, 0x042, 2) \
    F(tls_progress_params, hw_offset_record_number, 0x048, 24)

MLX5_PRM_STRUCT(mkc)
MLX5_PRM_STRUCT(create_mkey_in)
MLX5_PRM_STRUCT(klm)
MLX5_PRM_STRUCT(tisc)
MLX5_PRM_STRUCT(modify_tis_in)
MLX5_PRM_STRUCT(tirc)
MLX5_PRM_STRUCT(rx_hash_field_select)
MLX5_PRM_STRUCT(modify_tir_in)
MLX5_PRM_STRUCT(rqtc)
MLX5_PRM_STRUCT(rq_num)
MLX5_PRM_STRUCT(modify_rqt_in)
MLX5_PRM_STRUCT(general_obj_in_cmd_hdr)
MLX5_PRM_STRUCT(general_obj_out_cmd_hdr)
MLX5_PRM_STRUCT(encryption_key_obj)
MLX5_PRM_STRUCT(sync_crypto_in)
MLX5_PRM_STRUCT(tls_static_params)
MLX5_PRM_STRUCT(tls_progress_params)

#endif
