/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion queues: CREATE/DESTROY/QUERY/MODIFY_CQ, posting CQEs, arming
 * (driver: core/cq.c, include/linux/mlx5/cq.h). Owns Mlx5Cq and adds to the
 * function's list of CQs to be signalled (by eq.c).
 *
 * Arming lasts for one event. Moderation values are stored and reported but do
 * not delay events: completions of a batch are signalled together anyway.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "cq.h"
#include "cq_comp.h"
#include "dma.h"
#include "eq.h"
#include "err.h"
#include "object.h"
#include "ring.h"
#include "trace.h"

#define CQC_OFFSET 0x10
#define CQ_PAS_OFFSET 0x110
#define LOG_CQE_SIZE 6
#define CQ_INDEX_MASK 0xffffffu
#define CQ_SYNDROME_OVERRUN 1

/* cqc.status */
enum { CQ_STATUS_OK = 0, CQ_STATUS_OVERFLOW = 9 };

/* MODIFY_CQ modify_field_select */
enum {
    CQ_MODIFY_PERIOD = 1 << 0,
    CQ_MODIFY_COUNT = 1 << 1,
    CQ_MODIFY_PERIOD_MODE = 1 << 4,
};

/* Doorbell word: arm_sn[29:28], cmd[24], ci[23:0]. */
#define CQ_ARM_SOLICITED (1u << 24)

static void cq_dirty(Mlx5Cq *cq)
{
    if (!cq->dirty) {
        cq->dirty = true;
        g_ptr_array_add(cq->obj.fn->dirty_cqs, cq);
    }
}

static void cq_overrun(Mlx5Cq *cq)
{
    uint8_t eqe[64] = { 0 };

    if (cq->error) {
        return;
    }
    cq->error = true;
    cq->obj.fn->vnic_env.cq_overrun++;
    mlx5_err_cq_overrun(cq->obj.fn, cq->obj.id);
    MLX5_SET(eqe_cq_error, eqe, cqn, cq->obj.id);
    MLX5_SET(eqe_cq_error, eqe, syndrome, CQ_SYNDROME_OVERRUN);
    mlx5_event(cq->obj.fn, MLX5_EVENT_CQ_ERROR, 0, eqe);
}

/*
 * Returns whether there is room for one more CQE than the @held ones. Reads the
 * driver's counter only if the CQ seems full.
 */
static bool cq_has_room(Mlx5Cq *cq, unsigned held)
{
    uint32_t size = mlx5_ring_size(&cq->ring);
    uint32_t ci;

    if (((cq->pi + held - cq->ci) & CQ_INDEX_MASK) < size) {
        return true;
    }
    if (!mlx5_dma_read_dbr(cq->obj.fn, cq->dbr_addr, &ci)) {
        return false;
    }
    cq->ci = ci & CQ_INDEX_MASK;
    return ((cq->pi + held - cq->ci) & CQ_INDEX_MASK) < size;
}

bool mlx5_cq_post(Mlx5Cq *cq, uint8_t *cqe)
{
    Mlx5Function *fn = cq->obj.fn;
    uint8_t opcode = MLX5_GET(cqe, cqe, opcode);
    unsigned held = cq->comp ? mlx5_cq_held(cq) : 0;
    uint32_t at;

    if (held && !mlx5_cq_comp_fits(cq, cqe)) {
        mlx5_cq_flush(cq);
        held = 0;
    }
    if (cq->error || (!MLX5_GET(cqc, cq->cqc, oi) && !cq_has_room(cq, held))) {
        mlx5_cq_flush(cq);
        cq_overrun(cq);
        return false;
    }
    at = cq->pi + held;
    if (!(cq->comp ? mlx5_cq_comp_add(cq, cqe) : mlx5_cq_write(cq, cqe))) {
        return false;
    }
    trace_mlx5_cq_post(mlx5_id(fn), cq->obj.id, at & CQ_INDEX_MASK, opcode,
                       MLX5_GET(cqe, cqe, wqe_counter),
                       MLX5_GET(cqe, cqe, byte_cnt));
    if (!cq->solicited_only || MLX5_GET(cqe, cqe, se) ||
        opcode == MLX5_CQE_REQ_ERR || opcode == MLX5_CQE_RESP_ERR) {
        cq_dirty(cq);
    } else if (cq->comp) {
        mlx5_cq_flush(cq); /* nothing else will */
    }
    return true;
}

/*
 * The arm doorbell; @arm is the first word as written. arm_sn only protects
 * real hardware against reordered doorbells and is ignored.
 */
void mlx5_cq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t cqn,
                      uint32_t arm)
{
    Mlx5Cq *cq = mlx5_object_get(fn, MLX5_OBJ_CQ, cqn);

    if (!cq) {
        mlx5_err_doorbell_unknown(fn, "cq", cqn);
        return;
    }
    if (cq->uar->obj.id != page) {
        mlx5_err_doorbell_foreign(fn, "cq", cqn, page, cq->uar->obj.id);
        return;
    }
    cq->ci = arm & CQ_INDEX_MASK;
    cq->solicited_only = arm & CQ_ARM_SOLICITED;
    cq->armed = true;
    trace_mlx5_cq_arm(mlx5_id(fn), cqn, cq->ci, cq->pi & CQ_INDEX_MASK);
    if ((cq->pi & CQ_INDEX_MASK) != cq->ci && !cq->solicited_only) {
        /* The driver has not seen all completions: signal them. */
        cq_dirty(cq);
        mlx5_notify_schedule(fn);
    }
    /* NAPI refills the RQ before arming: held packets may now fit. */
    if (fn->port->rx_holding) {
        mlx5_wake(fn, MLX5_WAKE_RX);
    }
}

/* ------------------------------------------------------------ commands --- */

void mlx5_cq_destroy(void *obj)
{
    Mlx5Cq *cq = obj;

    if (cq->dirty) {
        g_ptr_array_remove(cq->obj.fn->dirty_cqs, cq);
    }
    mlx5_object_unref(cq->uar);
    mlx5_object_unref(cq->eq);
    mlx5_ring_free(&cq->ring);
    g_free(cq->comp);
}

/* Checks that @cqc asks for CQEs that the device can write. */
static Mlx5Syndrome check_cqes(Mlx5Function *fn, const uint8_t *cqc)
{
    unsigned format = MLX5_GET(cqc, cqc, mini_cqe_res_format);
    unsigned layout = MLX5_GET(cqc, cqc, cqe_compression_layout);

    if (MLX5_GET(cqc, cqc, cqe_sz) != 0) {
        return MLX5_SYN_CQ_BAD_CQE_SIZE;
    }
    if (MLX5_GET(cqc, cqc, cc)) {
        return MLX5_SYN_CQ_COLLAPSED;
    }
    if (!MLX5_GET(cqc, cqc, cqe_comp_en)) {
        return MLX5_OK;
    }
    if (!MLX5_CAP_GEN(fn, cqe_compression)) {
        return MLX5_SYN_CQ_COMPRESSION;
    }
    if ((format != MLX5_MINI_CQE_HASH && format != MLX5_MINI_CQE_CSUM &&
         !(format == MLX5_MINI_CQE_CSUM_STRIDX &&
           MLX5_CAP_GEN(fn, mini_cqe_resp_stride_index))) ||
        (layout != MLX5_CQ_COMP_BASIC &&
         !(layout == MLX5_CQ_COMP_ENHANCED &&
           MLX5_CAP_GEN(fn, enhanced_cqe_compression)))) {
        return MLX5_SYN_CQ_BAD_MINI_CQE;
    }
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_create_cq(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *cqc = cmd->in + CQC_OFFSET;
    bool compressed = MLX5_GET(cqc, cqc, cqe_comp_en);
    Mlx5Syndrome syn;
    Mlx5Ring ring;
    Mlx5Uar *uar;
    Mlx5Cq *cq;
    Mlx5Eq *eq;

    syn = check_cqes(fn, cqc);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(cqc, cqc, dbr_umem_valid) ||
        MLX5_GET(create_cq_in, cmd->in, cq_umem_valid)) {
        return MLX5_SYN_UMEM_UNSUPPORTED;
    }
    if (MLX5_GET64(cqc, cqc, dbr_addr) & 7) {
        return MLX5_SYN_DBR_UNALIGNED;
    }
    if (MLX5_GET(cqc, cqc, log_cq_size) > MLX5_CAP_GEN(fn, log_max_cq_sz)) {
        return MLX5_SYN_RING_TOO_LARGE;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_UAR, MLX5_GET(cqc, cqc, uar_page),
                           cmd->uid, &uar);
    if (syn != MLX5_OK) {
        return syn;
    }
    /* EQs belong to the kernel, but user contexts may report to them. */
    syn = mlx5_object_find(fn, MLX5_OBJ_EQ, MLX5_GET(cqc, cqc, c_eqn), 0, &eq);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_ring_init(&ring, MLX5_GET(cqc, cqc, log_cq_size), LOG_CQE_SIZE,
                         MLX5_GET(cqc, cqc, log_page_size),
                         MLX5_GET(cqc, cqc, page_offset),
                         cmd->in + CQ_PAS_OFFSET, cmd->in_len - CQ_PAS_OFFSET);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_CQ, sizeof(*cq),
                             mlx5_ring_memory(&ring) +
                             (compressed ? mlx5_cq_comp_memory() : 0),
                             cmd->uid, &cq);
    if (syn != MLX5_OK) {
        mlx5_ring_free(&ring);
        return syn;
    }
    cq->ring = ring;
    cq->uar = uar;
    mlx5_object_ref(uar);
    cq->eq = eq;
    mlx5_object_ref(eq);
    cq->dbr_addr = MLX5_GET64(cqc, cqc, dbr_addr);
    memcpy(cq->cqc, cqc, sizeof(cq->cqc));
    cq->comp = compressed ? mlx5_cq_comp_new(cqc) : NULL;
    MLX5_SET(cmd_id, cmd->out, id, cq->obj.id);
    trace_mlx5_create_cq(mlx5_id(fn), cq->obj.id, ring.log_size, eq->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_cq(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_CQ,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_cq(Mlx5Cmd *cmd)
{
    uint8_t *cqc = cmd->out + CQC_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Cq *cq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_CQ,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &cq);
    if (syn != MLX5_OK) {
        return syn;
    }
    mlx5_cq_flush(cq);
    memcpy(cqc, cq->cqc, sizeof(cq->cqc));
    MLX5_SET(cqc, cqc, status, cq->error ? CQ_STATUS_OVERFLOW : CQ_STATUS_OK);
    MLX5_SET(cqc, cqc, st, cq->armed ? 0x9 : 0xa);
    MLX5_SET(cqc, cqc, consumer_counter, cq->ci);
    MLX5_SET(cqc, cqc, producer_counter, cq->pi);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_cq(Mlx5Cmd *cmd)
{
    const uint8_t *cqc = cmd->in + CQC_OFFSET;
    uint32_t select = MLX5_GET(modify_cq_in, cmd->in, modify_field_select);
    Mlx5Syndrome syn;
    Mlx5Cq *cq;

    if (cmd->op_mod != 0) {
        return MLX5_SYN_BAD_OP_MOD; /* 1 is a resize */
    }
    if (select & ~(CQ_MODIFY_PERIOD | CQ_MODIFY_COUNT |
                   CQ_MODIFY_PERIOD_MODE)) {
        return MLX5_SYN_MODIFY_NOTHING_KNOWN;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_CQ,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &cq);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (select & CQ_MODIFY_PERIOD) {
        MLX5_SET(cqc, cq->cqc, cq_period, MLX5_GET(cqc, cqc, cq_period));
    }
    if (select & CQ_MODIFY_COUNT) {
        MLX5_SET(cqc, cq->cqc, cq_max_count, MLX5_GET(cqc, cqc, cq_max_count));
    }
    if (select & CQ_MODIFY_PERIOD_MODE) {
        MLX5_SET(cqc, cq->cqc, cq_period_mode,
                 MLX5_GET(cqc, cqc, cq_period_mode));
    }
    return MLX5_OK;
}
