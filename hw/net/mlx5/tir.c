/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIS, TIR and RQ table commands (driver: core/transobj.c, en/tir.c, en/rqt.c,
 * en/rss.c). Owns Mlx5Tis, Mlx5Tir and Mlx5Rqt; tls.c has the TLS context of a
 * TIS or TIR with tls_en.
 */
#include "qemu/osdep.h"
#include "engine/lro.h"
#include "caps.h"
#include "cmd.h"
#include "memory.h"
#include "object.h"
#include "rq.h"
#include "tir.h"
#include "tls.h"
#include "trace.h"

#define CTX_OFFSET 0x20
#define RQT_LIST_OFFSET 0x110
#define TIR_KEY_OFFSET 0x28

/* tirc.disp_type */
enum { TIR_DIRECT = 0, TIR_INDIRECT = 1 };

/* ----------------------------------------------------------------- TIS --- */

void mlx5_tis_destroy(void *obj)
{
    Mlx5Tis *tis = obj;

    mlx5_tls_tis_destroy(tis);
    mlx5_object_unref(tis->td);
    mlx5_object_unref(tis->pd);
}

Mlx5Syndrome mlx5_cmd_create_tis(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *tisc = cmd->in + CTX_OFFSET;
    bool tls = MLX5_GET(tisc, tisc, tls_en);
    Mlx5Pd *pd = NULL;
    Mlx5Syndrome syn;
    Mlx5Tis *tis;
    Mlx5Td *td;

    if (tls && !MLX5_CAP_GEN(fn, tls_tx)) {
        return MLX5_SYN_TIS_TLS_OFF;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_TD,
                           MLX5_GET(tisc, tisc, transport_domain), cmd->uid,
                           &td);
    if (syn != MLX5_OK) {
        return syn;
    }
    /* Plain TISes need no PD; those with keys do. */
    if (tls || MLX5_GET(tisc, tisc, pd)) {
        syn = mlx5_object_find(fn, MLX5_OBJ_PD, MLX5_GET(tisc, tisc, pd),
                               cmd->uid, &pd);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_TIS, sizeof(*tis),
                             tls ? mlx5_tls_tx_memory(fn) : 0, cmd->uid, &tis);
    if (syn != MLX5_OK) {
        return syn;
    }
    tis->td = td;
    mlx5_object_ref(td);
    if (pd) {
        tis->pd = pd;
        mlx5_object_ref(pd);
    }
    memcpy(tis->tisc, tisc, sizeof(tis->tisc));
    if (tls) {
        tis->tls = mlx5_tls_tx_new(fn, tis->obj.id);
    }
    MLX5_SET(cmd_id, cmd->out, id, tis->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_tis(Mlx5Cmd *cmd)
{
    const uint8_t *tisc = cmd->in + CTX_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Tis *tis;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_TIS,
                           MLX5_GET(modify_tis_in, cmd->in, tisn), cmd->uid,
                           &tis);
    if (syn == MLX5_OK) {
        MLX5_SET(tisc, tis->tisc, prio, MLX5_GET(tisc, tisc, prio));
    }
    return syn;
}

Mlx5Syndrome mlx5_cmd_destroy_tis(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_TIS,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_tis(Mlx5Cmd *cmd)
{
    Mlx5Tis *tis;
    Mlx5Syndrome syn = mlx5_object_find(cmd->fn, MLX5_OBJ_TIS,
                                        MLX5_GET(cmd_id, cmd->in, id),
                                        cmd->uid, &tis);

    if (syn == MLX5_OK) {
        memcpy(cmd->out + 0x10, tis->tisc, sizeof(tis->tisc));
    }
    return syn;
}

/* ----------------------------------------------------------------- RQT --- */

static void rqt_clear(Mlx5Rqt *rqt)
{
    uint32_t i;

    for (i = 0; i < rqt->size; i++) {
        mlx5_object_unref(rqt->rqs[i]);
    }
    g_clear_pointer(&rqt->rqs, g_free);
    rqt->size = 0;
}

/* Sets the table from the list of RQs in a command; no change on failure. */
static Mlx5Syndrome rqt_fill(Mlx5Rqt *rqt, Mlx5Cmd *cmd, const uint8_t *rqtc)
{
    uint32_t size = MLX5_GET(rqtc, rqtc, rqt_actual_size);
    g_autofree Mlx5Rq **rqs = NULL;
    Mlx5Syndrome syn;
    uint32_t i;

    if (!size || size > rqt->max_size || !is_power_of_2(size)) {
        return MLX5_SYN_RQT_BAD_SIZE;
    }
    if (cmd->in_len < RQT_LIST_OFFSET ||
        size > (cmd->in_len - RQT_LIST_OFFSET) / 4) {
        return MLX5_SYN_INPUT_TOO_SHORT;
    }
    rqs = g_new(Mlx5Rq *, size);
    for (i = 0; i < size; i++) {
        syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQ,
                               MLX5_GET(rq_num,
                                        cmd->in + RQT_LIST_OFFSET + i * 4,
                                        rq_num),
                               cmd->uid, &rqs[i]);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    for (i = 0; i < size; i++) {
        mlx5_object_ref(rqs[i]);
    }
    rqt_clear(rqt);
    rqt->rqs = g_steal_pointer(&rqs);
    rqt->size = size;
    return MLX5_OK;
}

void mlx5_rqt_destroy(void *obj)
{
    rqt_clear(obj);
}

Mlx5Syndrome mlx5_cmd_create_rqt(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *rqtc = cmd->in + CTX_OFFSET;
    uint32_t max_size = MLX5_GET(rqtc, rqtc, rqt_max_size);
    Mlx5Syndrome syn;
    Mlx5Rqt *rqt;

    if (max_size > 1u << MLX5_CAP_GEN(fn, log_max_rqt_size)) {
        return MLX5_SYN_RQT_TOO_LARGE;
    }
    /* Charge the maximum length of the list. */
    syn = mlx5_object_create(fn, MLX5_OBJ_RQT, sizeof(*rqt),
                             mlx5_memory_of(max_size * sizeof(rqt->rqs[0])),
                             cmd->uid, &rqt);
    if (syn != MLX5_OK) {
        return syn;
    }
    rqt->max_size = max_size;
    syn = rqt_fill(rqt, cmd, rqtc);
    if (syn != MLX5_OK) {
        mlx5_object_abandon(rqt);
        return syn;
    }
    MLX5_SET(cmd_id, cmd->out, id, rqt->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_rqt(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn;
    Mlx5Rqt *rqt;

    if (!MLX5_GET(modify_rqt_in, cmd->in, rqn_list)) {
        return MLX5_SYN_MODIFY_NOTHING_KNOWN;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQT,
                           MLX5_GET(modify_rqt_in, cmd->in, rqtn), cmd->uid,
                           &rqt);
    if (syn != MLX5_OK) {
        return syn;
    }
    return rqt_fill(rqt, cmd, cmd->in + CTX_OFFSET);
}

Mlx5Syndrome mlx5_cmd_destroy_rqt(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_RQT,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_rqt(Mlx5Cmd *cmd)
{
    uint8_t *rqtc = cmd->out + CTX_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Rqt *rqt;
    uint32_t i;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQT,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &rqt);
    if (syn != MLX5_OK) {
        return syn;
    }
    MLX5_SET(rqtc, rqtc, rqt_max_size, rqt->max_size);
    MLX5_SET(rqtc, rqtc, rqt_actual_size, rqt->size);
    for (i = 0; i < rqt->size; i++) {
        if (RQT_LIST_OFFSET + (i + 1) * 4 > cmd->out_len) {
            return MLX5_SYN_OUTPUT_TOO_SHORT;
        }
        MLX5_SET(rq_num, cmd->out + RQT_LIST_OFFSET + i * 4, rq_num,
                 rqt->rqs[i]->obj.id);
    }
    return MLX5_OK;
}

/* ----------------------------------------------------------------- TIR --- */

static void select_fields(uint32_t selector, Mlx5RssParams *rss)
{
    uint8_t sel[4];

    mlx5_st32(sel, selector);
    rss->l3_prot_type = MLX5_GET(rx_hash_field_select, sel, l3_prot_type);
    rss->l4_prot_type = MLX5_GET(rx_hash_field_select, sel, l4_prot_type);
    rss->selected_fields = MLX5_GET(rx_hash_field_select, sel,
                                    selected_fields);
}

/*
 * Reads the hash fields; they are checked even if hashing is not used, those of
 * inner headers too.
 */
static Mlx5Syndrome tir_hash(Mlx5Cmd *cmd, const uint8_t *tirc,
                             Mlx5RssParams *rss)
{
    Mlx5RssError err;

    memset(rss, 0, sizeof(*rss));
    rss->rx_hash_fn = MLX5_GET(tirc, tirc, rx_hash_fn);
    rss->rx_hash_symmetric = MLX5_GET(tirc, tirc, rx_hash_symmetric);
    memcpy(rss->rx_hash_toeplitz_key, tirc + TIR_KEY_OFFSET,
           sizeof(rss->rx_hash_toeplitz_key));
    select_fields(MLX5_GET(tirc, tirc, rx_hash_field_selector_inner), rss);
    err = mlx5_rss_check(rss);
    if (err == MLX5_RSS_OK) {
        select_fields(MLX5_GET(tirc, tirc, rx_hash_field_selector_outer), rss);
        err = mlx5_rss_check(rss);
    }
    if (err != MLX5_RSS_OK) {
        cmd->why = mlx5_rss_strerror(err);
        return MLX5_SYN_TIR_BAD_HASH;
    }
    return MLX5_OK;
}

void mlx5_tir_hash(const Mlx5Tir *tir, const Mlx5Packet *pkt,
                   const Mlx5Packet *inner, const uint8_t *frame,
                   Mlx5RssResult *hash)
{
    uint32_t selector;
    Mlx5RssParams rss;

    if (inner && mlx5_tir_tunneled(tir)) {
        selector = MLX5_GET(tirc, tir->tirc, rx_hash_field_selector_inner);
        if (selector) {
            rss = tir->rss;
            select_fields(selector, &rss);
            mlx5_rss_hash(&rss, inner, frame, hash);
            return;
        }
    }
    mlx5_rss_hash(&tir->rss, pkt, frame, hash);
}

/* Checks what the TIR is to join, and how far. */
static Mlx5Syndrome check_merge(Mlx5Function *fn, const uint8_t *tirc)
{
    unsigned mask = MLX5_GET(tirc, tirc, packet_merge_mask);

    if (mask && (!MLX5_CAP_ETH(fn, lro_cap) ||
                 mask & ~(MLX5_LRO_IPV4 | MLX5_LRO_IPV6))) {
        return MLX5_SYN_TIR_LRO;
    }
    if (mask && !MLX5_GET(tirc, tirc, lro_max_ip_payload_size)) {
        return MLX5_SYN_TIR_LRO_SIZE;
    }
    return MLX5_OK;
}

/* A TLS context gives a verdict on each packet, so these stay apart. */
static void follow_merge(Mlx5Tir *tir)
{
    tir->lro = tir->tls ? 0 : MLX5_GET(tirc, tir->tirc, packet_merge_mask);
}

/* Finds the destination of a TIR: an RQ or a table of RQs. */
static Mlx5Syndrome tir_destination(Mlx5Cmd *cmd, const uint8_t *tirc,
                                    Mlx5Rq **rq, Mlx5Rqt **rqt)
{
    *rq = NULL;
    *rqt = NULL;
    switch (MLX5_GET(tirc, tirc, disp_type)) {
    case TIR_DIRECT:
        return mlx5_object_find(cmd->fn, MLX5_OBJ_RQ,
                                MLX5_GET(tirc, tirc, inline_rqn), cmd->uid,
                                rq);
    case TIR_INDIRECT:
        return mlx5_object_find(cmd->fn, MLX5_OBJ_RQT,
                                MLX5_GET(tirc, tirc, indirect_table),
                                cmd->uid, rqt);
    default:
        return MLX5_SYN_TIR_BAD_DISP;
    }
}

void mlx5_tir_destroy(void *obj)
{
    Mlx5Tir *tir = obj;

    mlx5_tls_tir_destroy(tir);
    mlx5_object_unref(tir->td);
    mlx5_object_unref(tir->rq);
    mlx5_object_unref(tir->rqt);
}

Mlx5Syndrome mlx5_cmd_create_tir(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *tirc = cmd->in + CTX_OFFSET;
    bool tls = MLX5_GET(tirc, tirc, tls_en);
    Mlx5RssParams rss;
    Mlx5Syndrome syn;
    Mlx5Rqt *rqt;
    Mlx5Tir *tir;
    Mlx5Td *td;
    Mlx5Rq *rq;

    if (tls && !MLX5_CAP_GEN(fn, tls_rx)) {
        return MLX5_SYN_TIR_TLS_OFF;
    }
    syn = check_merge(fn, tirc);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = tir_hash(cmd, tirc, &rss);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_TD,
                           MLX5_GET(tirc, tirc, transport_domain), cmd->uid,
                           &td);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = tir_destination(cmd, tirc, &rq, &rqt);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_TIR, sizeof(*tir),
                             tls ? mlx5_tls_rx_memory(fn) : 0, cmd->uid, &tir);
    if (syn != MLX5_OK) {
        return syn;
    }
    tir->td = td;
    mlx5_object_ref(td);
    tir->rq = rq;
    tir->rqt = rqt;
    mlx5_object_ref(rq ? (void *)rq : (void *)rqt);
    tir->rss = rss;
    memcpy(tir->tirc, tirc, sizeof(tir->tirc));
    if (tls) {
        tir->tls = mlx5_tls_rx_new(fn, tir->obj.id);
    }
    follow_merge(tir);
    MLX5_SET(cmd_id, cmd->out, id, tir->obj.id);
    return MLX5_OK;
}

/* Replaces the hash fields of a stored tirc. */
static void tir_copy_hash(uint8_t *to, const uint8_t *from)
{
    MLX5_SET(tirc, to, rx_hash_fn, MLX5_GET(tirc, from, rx_hash_fn));
    MLX5_SET(tirc, to, rx_hash_symmetric,
             MLX5_GET(tirc, from, rx_hash_symmetric));
    MLX5_SET(tirc, to, rx_hash_field_selector_outer,
             MLX5_GET(tirc, from, rx_hash_field_selector_outer));
    MLX5_SET(tirc, to, rx_hash_field_selector_inner,
             MLX5_GET(tirc, from, rx_hash_field_selector_inner));
    memcpy(to + TIR_KEY_OFFSET, from + TIR_KEY_OFFSET, MLX5_RSS_KEY_LEN);
}

/* Replaces the fields of packet merging of a stored tirc. */
static void tir_copy_merge(uint8_t *to, const uint8_t *from)
{
    MLX5_SET(tirc, to, packet_merge_mask,
             MLX5_GET(tirc, from, packet_merge_mask));
    MLX5_SET(tirc, to, lro_max_ip_payload_size,
             MLX5_GET(tirc, from, lro_max_ip_payload_size));
    MLX5_SET(tirc, to, lro_timeout_period_usecs,
             MLX5_GET(tirc, from, lro_timeout_period_usecs));
}

Mlx5Syndrome mlx5_cmd_modify_tir(Mlx5Cmd *cmd)
{
    const uint8_t *tirc = cmd->in + CTX_OFFSET;
    uint8_t known[8] = { 0 };
    Mlx5RssParams rss;
    Mlx5Syndrome syn;
    Mlx5Tir *tir;

    mlx5_prm_set(known, MLX5_BIT_modify_tir_in_self_lb_en - 128, 1, 1);
    mlx5_prm_set(known, MLX5_BIT_modify_tir_in_hash - 128, 1, 1);
    mlx5_prm_set(known, MLX5_BIT_modify_tir_in_packet_merge - 128, 1, 1);
    if (MLX5_GET64(modify_tir_in, cmd->in, bitmask) & ~mlx5_ld64(known)) {
        return MLX5_SYN_MODIFY_NOTHING_KNOWN;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_TIR,
                           MLX5_GET(modify_tir_in, cmd->in, tirn), cmd->uid,
                           &tir);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(modify_tir_in, cmd->in, packet_merge)) {
        syn = check_merge(cmd->fn, tirc);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    if (MLX5_GET(modify_tir_in, cmd->in, hash)) {
        syn = tir_hash(cmd, tirc, &rss);
        if (syn != MLX5_OK) {
            return syn;
        }
        tir->rss = rss;
        tir_copy_hash(tir->tirc, tirc);
    }
    if (MLX5_GET(modify_tir_in, cmd->in, packet_merge)) {
        tir_copy_merge(tir->tirc, tirc);
        follow_merge(tir);
    }
    if (MLX5_GET(modify_tir_in, cmd->in, self_lb_en)) {
        MLX5_SET(tirc, tir->tirc, self_lb_block,
                 MLX5_GET(tirc, tirc, self_lb_block));
    }
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_tir(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_TIR,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_tir(Mlx5Cmd *cmd)
{
    Mlx5Tir *tir;
    Mlx5Syndrome syn = mlx5_object_find(cmd->fn, MLX5_OBJ_TIR,
                                        MLX5_GET(cmd_id, cmd->in, id),
                                        cmd->uid, &tir);

    if (syn == MLX5_OK) {
        memcpy(cmd->out + CTX_OFFSET, tir->tirc, sizeof(tir->tirc));
    }
    return syn;
}
