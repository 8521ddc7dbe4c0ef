/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QUERY_HCA_CAP and SET_HCA_CAP (driver: core/fw.c, core/main.c
 * handle_hca_cap). Owns the capability pages of the function: for each type the
 * maximum and the current values, built from the profile and the device's
 * properties; SET_HCA_CAP changes the current GENERAL page within the maximum.
 */
#include "qemu/osdep.h"
#include "engine/lro.h"
#include "caps.h"
#include "cmd.h"
#include "cq_comp.h"
#include "err.h"
#include "profile.h"
#include "reserved.h"
#include "engine/tls_types.h"

#define CAP_DATA_OFFSET 0x10

/* general_obj_types: encryption keys, object type 0xc */
#define GENERAL_OBJ_DEK (1ull << 0xc)

static Mlx5CapPage *cap_page(Mlx5Function *fn, uint16_t type)
{
    unsigned i;

    for (i = 0; i < fn->ncaps; i++) {
        if (fn->caps[i].type == type) {
            return &fn->caps[i];
        }
    }
    return NULL;
}

static void cap_set(Mlx5Function *fn, uint16_t type, unsigned bit,
                    unsigned width, uint64_t v)
{
    Mlx5CapPage *page = cap_page(fn, type);

    if (!page) {
        fn->caps = g_renew(Mlx5CapPage, fn->caps, fn->ncaps + 1);
        page = &fn->caps[fn->ncaps++];
        page->type = type;
        page->max = g_malloc0(MLX5_CAP_PAGE_SIZE);
        page->cur = g_malloc0(MLX5_CAP_PAGE_SIZE);
    }
    mlx5_prm_set(page->max, bit, width, v);
}

static void caps_set(Mlx5Function *fn, const Mlx5CapValue *caps, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        cap_set(fn, caps[i].type, caps[i].bit, caps[i].width, caps[i].value);
    }
}

#define CAP_SET(fn, type, st, field, v)                             \
    cap_set((fn), MLX5_CAP_##type, MLX5_BIT_##st##_##field,         \
            MLX5_WIDTH_##st##_##field, (v))

/*
 * Several fields announce TLS and must be consistent: drivers crash on tls_rx
 * without keys or without any cipher.
 */
static void caps_tls(Mlx5Function *fn)
{
    Mlx5State *s = fn->dev;

    if (!s->tls_tx && !s->tls_rx) {
        return;
    }
    CAP_SET(fn, GENERAL, cmd_hca_cap, tls_tx, s->tls_tx);
    CAP_SET(fn, GENERAL, cmd_hca_cap, tls_rx, s->tls_rx);
    CAP_SET(fn, GENERAL, cmd_hca_cap, log_max_dek, s->log_max_dek);
    CAP_SET(fn, GENERAL, cmd_hca_cap, general_obj_types, GENERAL_OBJ_DEK);
    CAP_SET(fn, TLS, tls_cap, tls_1_2_aes_gcm_128, 1);
    CAP_SET(fn, TLS, tls_cap, tls_1_2_aes_gcm_256, 1);
    CAP_SET(fn, TLS, tls_cap, tls_1_3_aes_gcm_128, 1);
    CAP_SET(fn, TLS, tls_cap, tls_1_3_aes_gcm_256, 1);
    if (s->log_dek_max_alloc) {
        CAP_SET(fn, GENERAL, cmd_hca_cap, crypto, 1);
        CAP_SET(fn, CRYPTO, crypto_cap, synchronize_dek, 1);
        CAP_SET(fn, CRYPTO, crypto_cap, log_dek_max_alloc,
                s->log_dek_max_alloc);
        CAP_SET(fn, CRYPTO, crypto_cap, log_max_num_deks, s->log_max_dek);
    }
}

/* Drivers make striding receive queues only with all of these. */
static void caps_striding(Mlx5Function *fn)
{
    if (!fn->dev->striding_rq) {
        return;
    }
    CAP_SET(fn, GENERAL, cmd_hca_cap, striding_rq, 1);
    CAP_SET(fn, GENERAL, cmd_hca_cap, ext_stride_num_range, 1);
    CAP_SET(fn, GENERAL, cmd_hca_cap, umr_ptr_rlky, 1);
    CAP_SET(fn, GENERAL, cmd_hca_cap, fixed_buffer_size, 1);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps, reg_umr_sq, 1);
}

/*
 * Large receive offload, on striding queues only. lro_max_ip_payload_size
 * counts from the header of layer 4 (lro_max_msg_sz_mode 0). A session ends
 * with the batch of packets, before any of these periods.
 */
static void caps_lro(Mlx5Function *fn)
{
    if (!fn->dev->lro || !fn->dev->striding_rq) {
        return;
    }
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps, lro_cap, 1);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps, lro_psh_flag,
            1);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps, lro_time_stamp,
            1);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps,
            lro_min_mss_size, MLX5_LRO_MIN_MSS);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps,
            lro_timer_supported_periods_0, 8);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps,
            lro_timer_supported_periods_1, 16);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps,
            lro_timer_supported_periods_2, 32);
    CAP_SET(fn, ETHERNET, per_protocol_networking_offload_caps,
            lro_timer_supported_periods_3, 1024);
}

/* Format 3 of mini CQEs, which striding queues use, comes with it. */
static void caps_cqe_compression(Mlx5Function *fn)
{
    Mlx5CqeCompression what = fn->dev->cqe_compression;

    if (what == MLX5_CQE_COMPRESSION_OFF) {
        return;
    }
    CAP_SET(fn, GENERAL, cmd_hca_cap, cqe_compression, 1);
    CAP_SET(fn, GENERAL, cmd_hca_cap, cqe_compression_timeout, 2);
    CAP_SET(fn, GENERAL, cmd_hca_cap, cqe_compression_max_num,
            MLX5_CQ_COMP_MAX);
    CAP_SET(fn, GENERAL, cmd_hca_cap, mini_cqe_resp_stride_index, 1);
    CAP_SET(fn, GENERAL, cmd_hca_cap, enhanced_cqe_compression,
            what == MLX5_CQE_COMPRESSION_ENHANCED);
}

void mlx5_caps_init(Mlx5Function *fn)
{
    const Mlx5Profile *p = fn->dev->profile;

    caps_set(fn, mlx5_common_caps, mlx5_ncommon_caps);
    caps_set(fn, p->caps, p->ncaps);
    CAP_SET(fn, GENERAL, cmd_hca_cap, log_max_tis, fn->dev->log_max_tis);
    CAP_SET(fn, GENERAL, cmd_hca_cap, log_max_tir, fn->dev->log_max_tir);
    caps_tls(fn);
    caps_striding(fn);
    caps_lro(fn);
    caps_cqe_compression(fn);
    mlx5_caps_reset(fn);
}

/* Current values that are needed for each WQE. */
static void caps_changed(Mlx5Function *fn)
{
    fn->max_wqebbs = MLX5_CAP_GEN(fn, max_wqe_sz_sq) / MLX5_WQEBB;
    fn->max_lso = 1u << MLX5_GET(per_protocol_networking_offload_caps,
                                 mlx5_cap_cur(fn, MLX5_CAP_ETHERNET),
                                 max_lso_cap);
}

void mlx5_caps_reset(Mlx5Function *fn)
{
    unsigned i;

    for (i = 0; i < fn->ncaps; i++) {
        memcpy(fn->caps[i].cur, fn->caps[i].max, MLX5_CAP_PAGE_SIZE);
    }
    caps_changed(fn);
}

void mlx5_caps_finalize(Mlx5Function *fn)
{
    unsigned i;

    for (i = 0; i < fn->ncaps; i++) {
        g_free(fn->caps[i].max);
        g_free(fn->caps[i].cur);
    }
    g_clear_pointer(&fn->caps, g_free);
    fn->ncaps = 0;
}

const uint8_t *mlx5_cap_cur(Mlx5Function *fn, uint16_t type)
{
    Mlx5CapPage *page = cap_page(fn, type);

    return page ? page->cur : NULL;
}

uint8_t *mlx5_cap_max(Mlx5Function *fn, uint16_t type)
{
    Mlx5CapPage *page = cap_page(fn, type);

    return page ? page->max : NULL;
}

unsigned mlx5_cap_log_dek_range(Mlx5Function *fn)
{
    const uint8_t *page = mlx5_cap_cur(fn, MLX5_CAP_CRYPTO);

    return page && MLX5_CAP_GEN(fn, crypto) ?
           MLX5_GET(crypto_cap, page, log_dek_max_alloc) : 0;
}

bool mlx5_cap_cipher(Mlx5Function *fn, unsigned tls_version, unsigned bits)
{
    const uint8_t *page = mlx5_cap_cur(fn, MLX5_CAP_TLS);

    if (!page) {
        return false;
    }
    if (tls_version == MLX5_TLS_VERSION_1_2) {
        return bits == 128 ? MLX5_GET(tls_cap, page, tls_1_2_aes_gcm_128) :
                             MLX5_GET(tls_cap, page, tls_1_2_aes_gcm_256);
    }
    return bits == 128 ? MLX5_GET(tls_cap, page, tls_1_3_aes_gcm_128) :
                         MLX5_GET(tls_cap, page, tls_1_3_aes_gcm_256);
}

/* Does GENERAL announce a page of @type? */
static bool cap_announced(Mlx5Function *fn, uint16_t type)
{
    switch (type) {
    case MLX5_CAP_ETHERNET:
        return MLX5_CAP_GEN(fn, eth_net_offloads);
    case MLX5_CAP_FLOW_TABLE:
        return MLX5_CAP_GEN(fn, nic_flow_table);
    case MLX5_CAP_TLS:
        return MLX5_CAP_GEN(fn, tls_tx) || MLX5_CAP_GEN(fn, tls_rx);
    case MLX5_CAP_CRYPTO:
        return MLX5_CAP_GEN(fn, crypto);
    default:
        return true;
    }
}

Mlx5Syndrome mlx5_cmd_query_hca_cap(Mlx5Cmd *cmd)
{
    Mlx5CapPage *page = cap_page(cmd->fn, cmd->op_mod >> 1);
    uint32_t n = MIN(cmd->out_len - CAP_DATA_OFFSET, MLX5_CAP_PAGE_SIZE);

    if (MLX5_GET(query_hca_cap_in, cmd->in, function_id)) {
        return MLX5_SYN_OTHER_FUNCTION;
    }
    if (!page || !cap_announced(cmd->fn, page->type)) {
        return MLX5_SYN_CAP_UNKNOWN_TYPE;
    }
    memcpy(cmd->out + CAP_DATA_OFFSET, cmd->op_mod & 1 ? page->cur : page->max,
           n);
    return MLX5_OK;
}

/*
 * Returns whether page @set is within @max. Known numeric fields are compared
 * as numbers; all other bits must be a subset.
 */
static bool caps_within(Mlx5Function *fn, const uint8_t *set,
                        const uint8_t *max)
{
    MLX5_PRM_FIELD_TABLE(fields, cmd_hca_cap);
    g_autofree uint8_t *rest = g_memdup2(set, MLX5_CAP_PAGE_SIZE);
    size_t i;

    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        const Mlx5PrmField *f = &fields[i];

        if (mlx5_prm_get(set, f->bit, f->width) >
            mlx5_prm_get(max, f->bit, f->width)) {
            mlx5_err_cap_above_max(fn, f->name,
                                   mlx5_prm_get(set, f->bit, f->width),
                                   mlx5_prm_get(max, f->bit, f->width));
            return false;
        }
        mlx5_prm_set(rest, f->bit, f->width, 0);
    }
    mlx5_reserved_clear_caps(fn->dev, rest);
    for (i = 0; i < MLX5_CAP_PAGE_SIZE; i++) {
        if (rest[i] & ~max[i]) {
            mlx5_err_cap_unknown_bits(fn, i, rest[i], max[i]);
            return false;
        }
    }
    return true;
}

Mlx5Syndrome mlx5_cmd_set_hca_cap(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    Mlx5CapPage *page;

    if (cmd->op_mod >> 1 != MLX5_CAP_GENERAL) {
        return MLX5_SYN_CAP_NOT_SETTABLE;
    }
    if (fn->hca == MLX5_HCA_INITIALIZED) {
        return MLX5_SYN_HCA_ALREADY_INITIALIZED;
    }
    page = cap_page(fn, MLX5_CAP_GENERAL);
    if (!caps_within(fn, cmd->in + CAP_DATA_OFFSET, page->max)) {
        return MLX5_SYN_CAP_ABOVE_MAX;
    }
    memcpy(page->cur, cmd->in + CAP_DATA_OFFSET, MLX5_CAP_PAGE_SIZE);
    caps_changed(fn);
    return MLX5_OK;
}
