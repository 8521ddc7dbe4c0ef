/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queues: CREATE/DESTROY/QUERY_EQ, posting EQEs, arming, and the MSI-X
 * message (driver: core/eq.c). Owns Mlx5Eq and the function's lists of CQs and
 * EQs to be signalled.
 *
 * Arming lasts for one interrupt. When the driver arms an EQ, events it has not
 * seen are signalled at once, so no event is lost between its last check and
 * the arming.
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "qemu/bitmap.h"
#include "caps.h"
#include "cmd.h"
#include "cq.h"
#include "cq_comp.h"
#include "dma.h"
#include "eq.h"
#include "err.h"
#include "object.h"
#include "reserved.h"
#include "ring.h"
#include "trace.h"

#define EQC_OFFSET 0x10
#define EQ_PAS_OFFSET 0x110
#define LOG_EQE_SIZE 6
#define EQ_INDEX_MASK 0xffffffu

static uint32_t eq_fill(const Mlx5Eq *eq)
{
    return (eq->pi - eq->ci) & EQ_INDEX_MASK;
}

/* Adds the EQ to the list of EQs to be signalled. */
static void eq_dirty(Mlx5Eq *eq)
{
    if (!eq->dirty) {
        eq->dirty = true;
        g_ptr_array_add(eq->obj.fn->dirty_eqs, eq);
    }
}

static void eq_post(Mlx5Eq *eq, uint8_t type, uint8_t sub_type, uint8_t *eqe)
{
    Mlx5Function *fn = eq->obj.fn;

    if (eq_fill(eq) >= mlx5_ring_size(&eq->ring)) {
        mlx5_err_eq_overrun(fn, eq->obj.id, type);
        if (type == MLX5_EVENT_COMP) {
            fn->vnic_env.comp_eq_overrun++;
        } else {
            fn->vnic_env.async_eq_overrun++;
        }
        return;
    }
    MLX5_SET(eqe, eqe, event_type, type);
    MLX5_SET(eqe, eqe, event_sub_type, sub_type);
    mlx5_reserved_fill_eqe(fn->dev, eqe);
    MLX5_SET(eqe, eqe, owner, eq->pi >> eq->ring.log_size);
    mlx5_dma_publish(fn, mlx5_ring_addr(&eq->ring, eq->pi), eqe);
    trace_mlx5_eq_post(mlx5_id(fn), eq->obj.id, type, sub_type,
                       eq->pi & EQ_INDEX_MASK);
    eq->pi++;
    eq_dirty(eq);
}

/* Returns whether the EQ's bitmask selects event @type. */
static bool eq_wants(const Mlx5Eq *eq, uint8_t type)
{
    return eq->event_bitmask[type / 64] & (1ull << type % 64);
}

bool mlx5_event_wanted(Mlx5Function *fn, uint8_t type)
{
    GHashTableIter it;
    gpointer eq;

    g_hash_table_iter_init(&it, fn->ids[MLX5_OBJ_EQ].by_id);
    while (g_hash_table_iter_next(&it, NULL, &eq)) {
        if (eq_wants(eq, type)) {
            return true;
        }
    }
    return false;
}

void mlx5_event(Mlx5Function *fn, uint8_t type, uint8_t sub_type,
                uint8_t *eqe)
{
    GHashTableIter it;
    gpointer v;

    g_hash_table_iter_init(&it, fn->ids[MLX5_OBJ_EQ].by_id);
    while (g_hash_table_iter_next(&it, NULL, &v)) {
        Mlx5Eq *eq = v;

        if (eq_wants(eq, type)) {
            eq_post(eq, type, sub_type, eqe);
        }
    }
    mlx5_notify_schedule(fn);
}

void mlx5_eq_comp(Mlx5Eq *eq, uint32_t cqn)
{
    uint8_t eqe[64] = { 0 };

    MLX5_SET(eqe_comp, eqe, cqn, cqn);
    eq_post(eq, MLX5_EVENT_COMP, 0, eqe);
}

/* Adds the EQ's vector to those to send, if the EQ is armed. */
static void eq_announce(Mlx5Eq *eq, unsigned long *vectors)
{
    if (eq->armed && eq_fill(eq)) {
        eq->armed = false;
        trace_mlx5_eq_irq(mlx5_id(eq->obj.fn), eq->obj.id, eq->intr);
        set_bit(eq->intr, vectors);
    }
}

/*
 * A message is a write to an address of the guest's choice, which may reset or
 * eject the device: only the list itself may be used after one.
 */
static void send_messages(Mlx5State *s, const unsigned long *vectors)
{
    unsigned long v;

    for (v = find_first_bit(vectors, MLX5_MAX_VECTORS);
         v < MLX5_MAX_VECTORS && !mlx5_work_stop(&s->work);
         v = find_next_bit(vectors, MLX5_MAX_VECTORS, v + 1)) {
        msix_notify(PCI_DEVICE(s), v);
    }
}

void mlx5_eq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t eqn,
                      uint32_t ci, bool arm)
{
    Mlx5Eq *eq = mlx5_object_get(fn, MLX5_OBJ_EQ, eqn);

    if (!eq) {
        mlx5_err_doorbell_unknown(fn, "eq", eqn);
        return;
    }
    if (eq->uar->obj.id != page) {
        mlx5_err_doorbell_foreign(fn, "eq", eqn, page, eq->uar->obj.id);
        return;
    }
    eq->ci = ci;
    if (arm) {
        DECLARE_BITMAP(vectors, MLX5_MAX_VECTORS) = { 0 };

        eq->armed = true;
        eq_announce(eq, vectors);
        send_messages(fn->dev, vectors);
    }
}

void mlx5_notify_flush(Mlx5Function *fn)
{
    DECLARE_BITMAP(vectors, MLX5_MAX_VECTORS) = { 0 };
    guint i;

    if (fn->asleep) {
        return;
    }
    for (i = 0; i < fn->dirty_cqs->len; i++) {
        Mlx5Cq *cq = g_ptr_array_index(fn->dirty_cqs, i);

        cq->dirty = false;
        if (cq->comp) {
            mlx5_cq_flush(cq);
        }
        if (cq->armed) {
            cq->armed = false;
            mlx5_eq_comp(cq->eq, cq->obj.id);
        }
    }
    g_ptr_array_set_size(fn->dirty_cqs, 0);
    for (i = 0; i < fn->dirty_eqs->len; i++) {
        Mlx5Eq *eq = g_ptr_array_index(fn->dirty_eqs, i);

        eq->dirty = false;
        eq_announce(eq, vectors);
    }
    g_ptr_array_set_size(fn->dirty_eqs, 0);
    send_messages(fn->dev, vectors);
}

void mlx5_notify_schedule(Mlx5Function *fn)
{
    mlx5_wake(fn, MLX5_WAKE_NOTIFY);
}

/* ------------------------------------------------------------ commands --- */

void mlx5_eq_destroy(void *obj)
{
    Mlx5Eq *eq = obj;

    if (eq->dirty) {
        g_ptr_array_remove(eq->obj.fn->dirty_eqs, eq);
    }
    mlx5_object_unref(eq->uar);
    mlx5_ring_free(&eq->ring);
}

Mlx5Syndrome mlx5_cmd_create_eq(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *eqc = cmd->in + EQC_OFFSET;
    uint32_t intr = MLX5_GET(eqc, eqc, intr);
    Mlx5Syndrome syn;
    Mlx5Ring ring;
    Mlx5Uar *uar;
    Mlx5Eq *eq;

    if (intr >= fn->dev->vectors) {
        return MLX5_SYN_EQ_BAD_VECTOR;
    }
    if (MLX5_GET(eqc, eqc, oi) || MLX5_GET(eqc, eqc, ec)) {
        return MLX5_SYN_EQ_BAD_FLAGS;
    }
    if (MLX5_GET(eqc, eqc, log_eq_size) > MLX5_CAP_GEN(fn, log_max_eq_sz)) {
        return MLX5_SYN_RING_TOO_LARGE;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_UAR, MLX5_GET(eqc, eqc, uar_page),
                           cmd->uid, &uar);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_ring_init(&ring, MLX5_GET(eqc, eqc, log_eq_size), LOG_EQE_SIZE,
                         MLX5_GET(eqc, eqc, log_page_size),
                         MLX5_GET(eqc, eqc, page_offset),
                         cmd->in + EQ_PAS_OFFSET, cmd->in_len - EQ_PAS_OFFSET);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_EQ, sizeof(*eq),
                             mlx5_ring_memory(&ring), cmd->uid, &eq);
    if (syn != MLX5_OK) {
        mlx5_ring_free(&ring);
        return syn;
    }
    eq->ring = ring;
    eq->uar = uar;
    mlx5_object_ref(uar);
    eq->intr = intr;
    eq->event_bitmask[0] = MLX5_GET64(create_eq_in, cmd->in, event_bitmask_0);
    eq->event_bitmask[1] = MLX5_GET64(create_eq_in, cmd->in, event_bitmask_1);
    eq->event_bitmask[2] = MLX5_GET64(create_eq_in, cmd->in, event_bitmask_2);
    eq->event_bitmask[3] = MLX5_GET64(create_eq_in, cmd->in, event_bitmask_3);
    memcpy(eq->eqc, eqc, sizeof(eq->eqc));
    MLX5_SET(create_eq_out, cmd->out, eq_number, eq->obj.id);
    trace_mlx5_create_eq(mlx5_id(fn), eq->obj.id, ring.log_size, intr,
                         eq->event_bitmask[0]);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_eq(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_EQ,
                               MLX5_GET(destroy_eq_in, cmd->in, eq_number),
                               cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_eq(Mlx5Cmd *cmd)
{
    uint8_t *eqc = cmd->out + EQC_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Eq *eq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_EQ,
                           MLX5_GET(destroy_eq_in, cmd->in, eq_number),
                           cmd->uid, &eq);
    if (syn != MLX5_OK) {
        return syn;
    }
    memcpy(eqc, eq->eqc, sizeof(eq->eqc));
    MLX5_SET(eqc, eqc, st, eq->armed ? 0x9 : 0xa);
    MLX5_SET(eqc, eqc, consumer_counter, eq->ci);
    MLX5_SET(eqc, eqc, producer_counter, eq->pi);
    return MLX5_OK;
}
