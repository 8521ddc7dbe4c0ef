/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive queues, cyclic, lists and striding: CREATE/MODIFY/DESTROY/QUERY_RQ,
 * and the delivery of one packet into the next WQE, or the next strides of one
 * (driver: en_main.c, en_rx.c). Owns Mlx5Rq. rx.c decides which packets go to
 * which queue.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/iov.h"
#include "engine/parse.h"
#include "caps.h"
#include "clock.h"
#include "cq.h"
#include "cq_comp.h"
#include "dma.h"
#include "err.h"
#include "mkey.h"
#include "object.h"
#include "ring.h"
#include "rq.h"
#include "trace.h"
#include "vport.h"
#include "wq.h"

#define LOG_DATA_SEG 4
#define LOG_MAX_RQ_STRIDE 9 /* max_wqe_sz_rq: 32 data segments */
/* A WQE of a striding queue: wqe_next, and one data segment. */
#define LOG_STRIDING_WQE 5
/* In a list, striding or not, the data segments are behind wqe_next. */
#define LIST_SEG 0x10
#define LOG_MIN_LIST_WQE 5
#define MIN_LOG_STRIDES 3 /* ext_stride_num_range */

/*
 * Returns whether @n WQEs are posted. Refilling only writes the doorbell
 * record, no register, so the record is read when the known WQEs are too few.
 */
static bool rq_posted(Mlx5Rq *rq, uint16_t n)
{
    Mlx5Function *fn = rq->obj.fn;
    uint32_t pc;

    if ((uint16_t)(rq->pc - rq->cc) < n) {
        if (!mlx5_dma_read_dbr(fn, rq->dbr_addr, &pc)) {
            return false;
        }
        if ((uint16_t)(pc - rq->cc) > mlx5_ring_size(&rq->ring)) {
            mlx5_err_wq_overrun(fn, "rq", rq->obj.id, rq->cc, pc);
            return false;
        }
        rq->pc = pc;
    }
    return (uint16_t)(rq->pc - rq->cc) >= n;
}

/* How many strides @len bytes take; one more than a WQE has if it is short. */
static uint32_t strides_of(const Mlx5RqStrides *s, size_t len)
{
    return MIN(DIV_ROUND_UP(len, 1u << s->log_size), s->n + 1);
}

bool mlx5_rq_has_room(Mlx5Rq *rq, size_t len)
{
    const Mlx5RqStrides *s = &rq->strides;
    uint32_t n;

    if (s->open) {
        n = strides_of(s, len);
        /* What fits no WQE uses up the open one: rq_deliver_strides(). */
        if (s->used + n <= s->n || n > s->n) {
            return true;
        }
    }
    if (!rq_posted(rq, 1 + s->open)) {
        return false;
    }
    rq->had_wqe = true;
    rq->gave_up = false;
    return true;
}

bool mlx5_rq_has_wqes(Mlx5Rq *rq, unsigned n)
{
    return rq_posted(rq, n + rq->strides.open);
}

int mlx5_rq_frame_iov(const uint8_t *cqe, uint8_t *frame, size_t len,
                      struct iovec iov[2])
{
    size_t addrs = 2 * MLX5_ETH_ALEN;

    if (!MLX5_GET(cqe, cqe, cv)) {
        iov[0] = (struct iovec) { .iov_base = frame, .iov_len = len };
        return 1;
    }
    iov[0] = (struct iovec) { .iov_base = frame, .iov_len = addrs };
    iov[1] = (struct iovec) {
        .iov_base = frame + addrs + MLX5_VLAN_HLEN,
        .iov_len = len - addrs - MLX5_VLAN_HLEN,
    };
    return 2;
}

/* What CQEs of a queue without strides say of the next WQE. */
static uint16_t rq_wqe_counter(const Mlx5Rq *rq)
{
    return rq->list ? rq->list_wqe : rq->cc;
}

static void rq_error_cqe(Mlx5Rq *rq, uint8_t syndrome)
{
    Mlx5Function *fn = rq->obj.fn;
    uint8_t cqe[64] = { 0 };

    mlx5_err_rq(fn, rq->obj.id, rq->cc, syndrome);
    fn->vport.counters.rx_wqe_error++;
    MLX5_SET(cqe, cqe, opcode, MLX5_CQE_RESP_ERR);
    MLX5_SET(cqe, cqe, rqn, rq->obj.id);
    MLX5_SET(cqe, cqe, wqe_counter, rq_wqe_counter(rq));
    MLX5_SET(cqe, cqe, syndrome, syndrome);
    if (rq->strides.n) {
        /* Drivers count strides here too. */
        MLX5_SET(cqe, cqe, wqe_id, rq->strides.wqe);
        MLX5_SET(cqe, cqe, wqe_counter, rq->strides.used);
        MLX5_SET(cqe, cqe, consumed_strides,
                 rq->strides.n - rq->strides.used);
    }
    mlx5_cq_post(rq->cq, cqe);
}

/* The packet did not get where it should. */
static void rq_failed(Mlx5Rq *rq, uint8_t syndrome)
{
    rq_error_cqe(rq, syndrome);
    if (syndrome != MLX5_CQE_SYN_LOCAL_LENGTH) {
        rq->state = MLX5_Q_ERR; /* the driver recovers it */
        rq->obj.fn->vnic_env.total_error_queues++;
    } else {
        rq->obj.fn->vnic_env.eth_wqe_too_small++;
    }
}

/* Fills in the queue's own fields of a CQE for a packet, and posts it. */
static void rq_cqe(Mlx5Rq *rq, uint8_t *cqe)
{
    MLX5_SET(cqe, cqe, opcode, MLX5_CQE_RESP_SEND);
    MLX5_SET(cqe, cqe, rqn, rq->obj.id);
    MLX5_SET(cqe, cqe, timestamp, mlx5_clock_ns(rq->obj.fn));
    if (!mlx5_cq_post(rq->cq, cqe)) {
        rq->obj.fn->vport.counters.rx_cq_error++;
    }
}

/*
 * Reads the next WQE, and in a list the number of the one behind it, to *@next.
 * Returns false if it is not usable.
 */
static bool rq_read_wqe(Mlx5Rq *rq, uint8_t wqe[1 << LOG_MAX_RQ_STRIDE],
                        uint16_t *next)
{
    uint16_t n = rq_wqe_counter(rq);

    if ((rq->list && n >= mlx5_ring_size(&rq->ring)) ||
        !mlx5_dma_read(rq->obj.fn, mlx5_ring_addr(&rq->ring, n), wqe,
                       1u << rq->ring.log_stride)) {
        return false;
    }
    *next = rq->list ? MLX5_GET(wqe_next, wqe, next_wqe_index) : 0;
    return true;
}

/*
 * Writes the packet to the data segments of @wqe, and never beyond them.
 * Returns 0 or an MLX5_CQE_SYN_*.
 */
static uint8_t rq_scatter(Mlx5Rq *rq, const uint8_t *wqe,
                          const struct iovec *iov, int iovcnt)
{
    Mlx5Function *fn = rq->obj.fn;
    size_t wqe_len = 1u << rq->ring.log_stride;
    size_t seg_off, seg_left = 0, iov_off = 0;
    uint64_t addr = 0;
    uint32_t lkey = 0;

    for (seg_off = rq->list ? LIST_SEG : 0; iovcnt;) {
        size_t n;

        if (!seg_left) {
            const uint8_t *seg = wqe + seg_off;

            if (seg_off >= wqe_len) {
                return MLX5_CQE_SYN_LOCAL_LENGTH;
            }
            /* Bit 31, not part of the length, requests padding at the start. */
            seg_left = MLX5_GET(wqe_data, seg, byte_count);
            lkey = MLX5_GET(wqe_data, seg, lkey);
            addr = MLX5_GET64(wqe_data, seg, addr);
            seg_off += 1 << LOG_DATA_SEG;
            if (!seg_left) {
                return MLX5_CQE_SYN_LOCAL_LENGTH; /* the list ends here */
            }
        }
        n = MIN(seg_left, iov->iov_len - iov_off);
        if (!mlx5_sg_write(fn, lkey, rq->pd, addr,
                           (uint8_t *)iov->iov_base + iov_off, n)) {
            return MLX5_CQE_SYN_LOCAL_PROT;
        }
        addr += n;
        seg_left -= n;
        iov_off += n;
        if (iov_off == iov->iov_len) {
            iov++;
            iovcnt--;
            iov_off = 0;
        }
    }
    return 0;
}

/* ------------------------------------------------------------- strides --- */

/* Opens the next WQE of the list. Returns false if it is not usable. */
static bool strides_open(Mlx5Rq *rq)
{
    Mlx5RqStrides *s = &rq->strides;
    uint8_t wqe[1 << LOG_STRIDING_WQE];
    const uint8_t *seg = wqe + LIST_SEG;

    s->used = 0;
    if (s->wqe >= mlx5_ring_size(&rq->ring) ||
        !mlx5_dma_read(rq->obj.fn, mlx5_ring_addr(&rq->ring, s->wqe), wqe,
                       sizeof(wqe))) {
        return false;
    }
    s->next = MLX5_GET(wqe_next, wqe, next_wqe_index);
    s->lkey = MLX5_GET(wqe_data, seg, lkey);
    s->byte_count = MLX5_GET(wqe_data, seg, byte_count);
    s->addr = MLX5_GET64(wqe_data, seg, addr);
    s->open = true;
    return true;
}

/* Marks strides as used, and ends the WQE with its last one. */
static void strides_use(Mlx5Rq *rq, uint32_t n)
{
    Mlx5RqStrides *s = &rq->strides;

    s->used += n;
    if (s->used == s->n) {
        s->open = false;
        s->wqe = s->next;
        rq->cc++;
    }
}

/* Gives back the rest of a WQE, in which the next packet has no room. */
static void strides_skip(Mlx5Rq *rq)
{
    Mlx5RqStrides *s = &rq->strides;
    uint8_t cqe[64] = { 0 };

    MLX5_SET(cqe, cqe, filler, 1);
    MLX5_SET(cqe, cqe, consumed_strides, s->n - s->used);
    MLX5_SET(cqe, cqe, wqe_id, s->wqe);
    MLX5_SET(cqe, cqe, wqe_counter, s->used);
    rq_cqe(rq, cqe);
    strides_use(rq, s->n - s->used);
}

/*
 * Writes the packet to the next strides. Returns 0 or an MLX5_CQE_SYN_*. It may
 * use memory behind its strides only as far as the WQE has any.
 */
static uint8_t strides_scatter(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                               size_t len)
{
    const Mlx5RqStrides *s = &rq->strides;
    uint64_t off = (uint64_t)s->used << s->log_size;

    if (len > s->byte_count || off > s->byte_count - len) {
        return MLX5_CQE_SYN_LOCAL_LENGTH;
    }
    for (off += s->addr; iovcnt; off += iov->iov_len, iov++, iovcnt--) {
        if (!mlx5_sg_write(rq->obj.fn, s->lkey, rq->pd, off, iov->iov_base,
                           iov->iov_len)) {
            return MLX5_CQE_SYN_LOCAL_PROT;
        }
    }
    return 0;
}

/* Fails the open WQE, which is used up by that, or the next one. */
static void strides_fail(Mlx5Rq *rq, uint8_t syndrome)
{
    Mlx5RqStrides *s = &rq->strides;

    rq_failed(rq, syndrome);
    strides_use(rq, s->n - s->used);
}

static void rq_deliver_strides(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                               uint8_t *cqe)
{
    Mlx5RqStrides *s = &rq->strides;
    size_t len = iov_size(iov, iovcnt);
    uint32_t n = strides_of(s, len);
    uint8_t syndrome;

    if (s->open && s->used + n > s->n && n <= s->n) {
        strides_skip(rq);
    }
    if (!s->open && !strides_open(rq)) {
        rq_failed(rq, MLX5_CQE_SYN_LOCAL_PROT);
        return;
    }
    syndrome = n > s->n ? MLX5_CQE_SYN_LOCAL_LENGTH :
                          strides_scatter(rq, iov, iovcnt, len);
    if (syndrome) {
        strides_fail(rq, syndrome);
        return;
    }
    MLX5_SET(cqe, cqe, consumed_strides, n);
    MLX5_SET(cqe, cqe, mpwqe_byte_cnt, len);
    MLX5_SET(cqe, cqe, wqe_id, s->wqe);
    MLX5_SET(cqe, cqe, wqe_counter, s->used);
    strides_use(rq, n);
    rq_cqe(rq, cqe);
}

void mlx5_rq_deliver(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                     uint8_t *cqe)
{
    uint8_t wqe[1 << LOG_MAX_RQ_STRIDE];
    uint8_t syndrome = MLX5_CQE_SYN_LOCAL_PROT;
    uint16_t next = 0;

    if (rq->strides.n) {
        rq_deliver_strides(rq, iov, iovcnt, cqe);
        return;
    }
    if (rq_read_wqe(rq, wqe, &next)) {
        syndrome = rq_scatter(rq, wqe, iov, iovcnt);
    }
    if (syndrome) {
        rq_failed(rq, syndrome);
    } else {
        MLX5_SET(cqe, cqe, byte_cnt, iov_size(iov, iovcnt));
        MLX5_SET(cqe, cqe, wqe_counter, rq_wqe_counter(rq));
        rq_cqe(rq, cqe);
    }
    rq->cc++;
    rq->list_wqe = next;
}

void mlx5_rq_fail(Mlx5Rq *rq, uint8_t syndrome)
{
    uint8_t wqe[1 << LOG_MAX_RQ_STRIDE];
    uint16_t next = 0;

    if (rq->strides.n) {
        if (rq->strides.open || strides_open(rq)) {
            strides_fail(rq, syndrome);
        } else {
            rq_failed(rq, MLX5_CQE_SYN_LOCAL_PROT);
        }
        return;
    }
    if (!rq_read_wqe(rq, wqe, &next)) {
        syndrome = MLX5_CQE_SYN_LOCAL_PROT;
    }
    rq_failed(rq, syndrome);
    rq->cc++;
    rq->list_wqe = next;
}

/* ------------------------------------------------------------- commands --- */

/* Before the queue changes: what is on its way to it arrives, or is dropped. */
static void rq_flush(Mlx5Rq *rq, bool deliver)
{
    if (rq->held) {
        rq->flush(rq, deliver);
    }
}

void mlx5_rq_destroy(void *obj)
{
    Mlx5Rq *rq = obj;

    rq_flush(rq, false);
    mlx5_object_unref(rq->cq);
    mlx5_object_unref(rq->pd);
    mlx5_object_unref(rq->counter);
    mlx5_ring_free(&rq->ring);
}

/* Checks that @rqc describes a supported kind of queue. */
static Mlx5Syndrome check_rqc(const uint8_t *rqc)
{
    if (MLX5_GET(rqc, rqc, hairpin)) {
        return MLX5_SYN_WQ_HAIRPIN;
    }
    if (MLX5_GET(rqc, rqc, mem_rq_type)) {
        return MLX5_SYN_RQ_NO_RMP;
    }
    if (MLX5_GET(rqc, rqc, scatter_fcs)) {
        return MLX5_SYN_RQ_SCATTER_FCS;
    }
    if (MLX5_GET(rqc, rqc, state) != MLX5_Q_RST) {
        return MLX5_SYN_WQ_BAD_STATE;
    }
    return MLX5_OK;
}

/*
 * Decodes how a striding queue divides its WQEs. Both fields are logarithms:
 * the number of strides relative to 512, and signed; their size, to 64.
 */
static Mlx5Syndrome get_strides(const uint8_t *rqc, Mlx5RqStrides *s)
{
    const uint8_t *wq = rqc + MLX5_WQ_IN_CTX;
    int log_n = 9 + sextract32(MLX5_GET(wq, wq, log_wqe_num_of_strides), 0, 4);

    if (log_n < MIN_LOG_STRIDES ||
        MLX5_GET(wq, wq, log_wq_stride) != LOG_STRIDING_WQE) {
        return MLX5_SYN_WQ_BAD_STRIDE;
    }
    s->n = 1u << log_n;
    s->log_size = 6 + MLX5_GET(wq, wq, log_wqe_stride_size);
    return MLX5_OK;
}

/* Checks and decodes the work queue, and finds its kind. */
static Mlx5Syndrome rq_wq_init(Mlx5Cmd *cmd, Mlx5Ring *ring, uint64_t *dbr,
                               Mlx5Pd **pd, Mlx5RqStrides *s)
{
    const uint8_t *rqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    unsigned type = MLX5_GET(wq, rqc + MLX5_WQ_IN_CTX, wq_type);

    *s = (Mlx5RqStrides) { 0 };
    if (type == MLX5_WQ_STRIDING_LIST && MLX5_CAP_GEN(cmd->fn, striding_rq)) {
        Mlx5Syndrome syn = get_strides(rqc, s);

        if (syn != MLX5_OK) {
            return syn;
        }
    } else if (type != MLX5_WQ_LIST) {
        type = MLX5_WQ_CYCLIC;
    }
    return mlx5_wq_init(cmd, type, type == MLX5_WQ_LIST ? LOG_MIN_LIST_WQE :
                                                          LOG_DATA_SEG,
                        LOG_MAX_RQ_STRIDE, ring, dbr, pd);
}

Mlx5Syndrome mlx5_cmd_create_rq(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *rqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    Mlx5RqStrides strides;
    Mlx5QCounter *counter = NULL;
    Mlx5Syndrome syn = check_rqc(rqc);
    uint64_t dbr;
    Mlx5Ring ring;
    Mlx5Rq *rq;
    Mlx5Cq *cq;
    Mlx5Pd *pd;

    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_CQ, MLX5_GET(rqc, rqc, cqn), cmd->uid,
                           &cq);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(rqc, rqc, counter_set_id)) {
        syn = mlx5_object_find(fn, MLX5_OBJ_Q_COUNTER,
                               MLX5_GET(rqc, rqc, counter_set_id), cmd->uid,
                               &counter);
        if (syn != MLX5_OK) {
            return syn;
        }
    }
    syn = rq_wq_init(cmd, &ring, &dbr, &pd, &strides);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_RQ, sizeof(*rq),
                             mlx5_ring_memory(&ring), cmd->uid, &rq);
    if (syn != MLX5_OK) {
        mlx5_ring_free(&ring);
        return syn;
    }
    rq->ring = ring;
    rq->strides = strides;
    rq->list = MLX5_GET(wq, rqc + MLX5_WQ_IN_CTX, wq_type) == MLX5_WQ_LIST;
    rq->dbr_addr = dbr;
    rq->cq = cq;
    mlx5_object_ref(cq);
    if (pd) {
        rq->pd = pd;
        mlx5_object_ref(pd);
    }
    if (counter) {
        rq->counter = counter;
        mlx5_object_ref(counter);
    }
    rq->state = MLX5_Q_RST;
    rq->vlan_strip = !MLX5_GET(rqc, rqc, vsd);
    memcpy(rq->rqc, rqc, sizeof(rq->rqc));
    MLX5_SET(cmd_id, cmd->out, id, rq->obj.id);
    trace_mlx5_create_wq(mlx5_id(fn), "rq", rq->obj.id, ring.log_size,
                         ring.log_stride, cq->obj.id);
    return MLX5_OK;
}

/* MODIFY_RQ modify_bitmask */
enum {
    RQ_MODIFY_VSD = 1 << 1,
    RQ_MODIFY_SCATTER_FCS = 1 << 2,
    RQ_MODIFY_COUNTER = 1 << 3,
};

static Mlx5Syndrome rq_modify_fields(Mlx5Cmd *cmd, Mlx5Rq *rq)
{
    const uint8_t *rqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    uint64_t select = MLX5_GET64(modify_rq_in, cmd->in, modify_bitmask);
    Mlx5QCounter *counter = rq->counter;
    Mlx5Syndrome syn;

    if (select & ~(uint64_t)(RQ_MODIFY_VSD | RQ_MODIFY_COUNTER)) {
        return select & RQ_MODIFY_SCATTER_FCS ? MLX5_SYN_RQ_SCATTER_FCS :
                                                MLX5_SYN_MODIFY_NOTHING_KNOWN;
    }
    if (select & RQ_MODIFY_COUNTER) {
        syn = mlx5_object_find(cmd->fn, MLX5_OBJ_Q_COUNTER,
                               MLX5_GET(rqc, rqc, counter_set_id), cmd->uid,
                               &counter);
        if (syn != MLX5_OK) {
            return syn;
        }
        mlx5_object_ref(counter);
        mlx5_object_unref(rq->counter);
        rq->counter = counter;
        MLX5_SET(rqc, rq->rqc, counter_set_id, counter->obj.id);
    }
    if (select & RQ_MODIFY_VSD) {
        rq->vlan_strip = !MLX5_GET(rqc, rqc, vsd);
        MLX5_SET(rqc, rq->rqc, vsd, !rq->vlan_strip);
    }
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_rq(Mlx5Cmd *cmd)
{
    const uint8_t *rqc = cmd->in + MLX5_WQ_CTX_OFFSET;
    uint32_t to = MLX5_GET(rqc, rqc, state);
    Mlx5Syndrome syn;
    Mlx5Rq *rq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQ,
                           MLX5_GET(modify_rq_in, cmd->in, rqn), cmd->uid, &rq);
    if (syn != MLX5_OK) {
        return syn;
    }
    rq_flush(rq, true);
    if (MLX5_GET(modify_rq_in, cmd->in, rq_state) != rq->state) {
        return MLX5_SYN_WQ_STATE_MISMATCH;
    }
    if (!mlx5_wq_transition_ok(rq->state, to)) {
        return MLX5_SYN_WQ_BAD_STATE;
    }
    syn = rq_modify_fields(cmd, rq);
    if (syn != MLX5_OK) {
        return syn;
    }
    trace_mlx5_wq_state(mlx5_id(cmd->fn), "rq", rq->obj.id, rq->state, to);
    mlx5_cq_flush(rq->cq);
    if (to == MLX5_Q_RST || rq->state == MLX5_Q_RST) {
        rq->pc = 0;
        rq->cc = 0;
        rq->had_wqe = false;
        rq->gave_up = false;
        rq->strides.open = false;
        rq->strides.wqe = 0;
        rq->list_wqe = 0;
    }
    rq->state = to;
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_rq(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn;
    Mlx5Rq *rq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQ,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &rq);
    if (syn != MLX5_OK) {
        return syn;
    }
    rq_flush(rq, true);
    mlx5_cq_flush(rq->cq);
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_RQ,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

Mlx5Syndrome mlx5_cmd_query_rq(Mlx5Cmd *cmd)
{
    uint8_t *rqc = cmd->out + MLX5_WQ_CTX_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Rq *rq;

    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_RQ,
                           MLX5_GET(cmd_id, cmd->in, id), cmd->uid, &rq);
    if (syn != MLX5_OK) {
        return syn;
    }
    memcpy(rqc, rq->rqc, sizeof(rq->rqc));
    MLX5_SET(rqc, rqc, state, rq->state);
    return MLX5_OK;
}
