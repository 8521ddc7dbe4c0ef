/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small driver's queues, WQEs, steering, interrupts and wire; see
 * mlx5-drv.h. Owns nothing: all state is in the caller's DrvEq, DrvCq, DrvSq
 * and DrvRq and in guest memory.
 */
#include "mlx5-drv.h"
#include <poll.h>
#include "hw/pci/pci_regs.h"

#define PAGE 4096
#define UAR_PAGE(n) ((n) * PAGE)
#define UAR_CQ_DOORBELL 0x20
#define UAR_EQ_ARM 0x40
#define UAR_EQ_CI 0x48
#define UAR_SQ_DOORBELL 0x800
#define CTX 0x20         /* of SQ, RQ, TIS, TIR, RQT in their commands */
#define WQ_IN_CTX 0x30
#define PAS 0x110
#define INDEX_MASK 0xffffff
#define TERMINATE_LKEY 0x100

/* A ring's memory, all bytes @fill. */
static uint64_t ring_mem(Drv *d, unsigned log_bytes, uint8_t fill)
{
    size_t size = MAX(1u << log_bytes, PAGE);
    uint64_t addr = guest_alloc(&d->alloc, size);

    qtest_memset(d->qts, addr, fill, size);
    return addr;
}

/* Lists the pages of a ring at @p; returns how many bytes that took. */
static size_t list_pages(uint8_t *p, uint64_t addr, unsigned log_bytes)
{
    unsigned n = log_bytes > 12 ? 1 << (log_bytes - 12) : 1, i;

    for (i = 0; i < n; i++) {
        mlx5_st64(p + i * 8, addr + i * PAGE);
    }
    return n * 8;
}

/* Room for a command with a ring of @log_bytes in it. */
static uint8_t *ring_cmd(unsigned log_bytes, uint32_t *len)
{
    *len = PAS + (log_bytes > 12 ? 8u << (log_bytes - 12) : 8);
    return g_malloc0(*len);
}

/* ---------------------------------------------------------------- EQ --- */

uint8_t *drv_eq_cmd(Drv *d, DrvEq *eq, unsigned log_size, unsigned intr,
                    uint64_t events, uint32_t *len)
{
    uint8_t *in = ring_cmd(log_size + 6, len);
    uint8_t *eqc = in + 0x10;

    memset(eq, 0, sizeof(*eq));
    eq->log_size = log_size;
    eq->intr = intr;
    /* The owner bit of all entries is set: the device's. */
    eq->buf = ring_mem(d, log_size + 6, 0x01);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_EQ);
    MLX5_SET(eqc, eqc, log_eq_size, log_size);
    MLX5_SET(eqc, eqc, uar_page, d->uar);
    MLX5_SET(eqc, eqc, intr, intr);
    MLX5_SET(create_eq_in, in, event_bitmask_0, events);
    list_pages(in + PAS, eq->buf, log_size + 6);
    return in;
}

void drv_eq_create(Drv *d, DrvEq *eq, unsigned log_size, unsigned intr,
                   uint64_t events)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_eq_cmd(d, eq, log_size, intr, events, &len);

    /* eight bits; what is above them is reserved */
    eq->eqn = drv_create(d, in, len) & 0xff;
    g_assert_cmpuint(eq->eqn, !=, 0);
}

bool drv_eq_poll(Drv *d, DrvEq *eq, uint8_t eqe[64])
{
    uint32_t size = 1u << eq->log_size;

    drv_read(d, eq->buf + (eq->ci & (size - 1)) * 64, eqe, 64);
    if (MLX5_GET(eqe, eqe, owner) != ((eq->ci >> eq->log_size) & 1)) {
        return false;
    }
    eq->ci++;
    return true;
}

void drv_eq_wait(Drv *d, DrvEq *eq, uint8_t eqe[64])
{
    DRV_WAIT(drv_eq_poll(d, eq, eqe));
}

void drv_eq_update(Drv *d, DrvEq *eq, bool arm)
{
    drv_reg_write(d, UAR_PAGE(d->uar) + (arm ? UAR_EQ_ARM : UAR_EQ_CI),
                  eq->eqn << 24 | (eq->ci & INDEX_MASK));
}

/* ---------------------------------------------------------------- CQ --- */

uint8_t *drv_cq_cmd(Drv *d, DrvCq *cq, unsigned log_size, uint32_t eqn,
                    uint32_t *len)
{
    uint8_t *in = ring_cmd(log_size + 6, len);
    uint8_t *cqc = in + 0x10;

    memset(cq, 0, sizeof(*cq));
    cq->log_size = log_size;
    cq->uar = d->uar;
    /* opcode invalid, owner 1 */
    cq->buf = ring_mem(d, log_size + 6, 0xf1);
    cq->dbr = drv_mem(d, 8);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_CQ);
    MLX5_SET(cqc, cqc, log_cq_size, log_size);
    MLX5_SET(cqc, cqc, uar_page, d->uar);
    MLX5_SET(cqc, cqc, c_eqn, eqn);
    MLX5_SET(cqc, cqc, dbr_addr, cq->dbr);
    list_pages(in + PAS, cq->buf, log_size + 6);
    return in;
}

void drv_cq_create(Drv *d, DrvCq *cq, unsigned log_size, uint32_t eqn)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_cq_cmd(d, cq, log_size, eqn, &len);

    cq->cqn = drv_create(d, in, len);
    g_assert_cmpuint(cq->cqn, !=, 0);
}

bool drv_cq_peek(Drv *d, DrvCq *cq, uint8_t cqe[64])
{
    uint32_t size = 1u << cq->log_size;

    drv_read(d, cq->buf + (cq->ci & (size - 1)) * 64, cqe, 64);
    return MLX5_GET(cqe, cqe, opcode) != 0xf &&
           MLX5_GET(cqe, cqe, owner) == ((cq->ci >> cq->log_size) & 1);
}

bool drv_cq_poll(Drv *d, DrvCq *cq, uint8_t cqe[64])
{
    if (!drv_cq_peek(d, cq, cqe)) {
        return false;
    }
    cq->ci++;
    drv_write32(d, cq->dbr, cq->ci & INDEX_MASK);
    return true;
}

void drv_cq_wait(Drv *d, DrvCq *cq, uint8_t cqe[64])
{
    DRV_WAIT(drv_cq_poll(d, cq, cqe));
}

void drv_cq_arm(Drv *d, DrvCq *cq, bool solicited)
{
    uint32_t arm = (cq->arm_sn++ & 3) << 28 | solicited << 24 |
                   (cq->ci & INDEX_MASK);

    drv_write32(d, cq->dbr + 4, arm);
    drv_reg_write64(d, UAR_PAGE(cq->uar) + UAR_CQ_DOORBELL,
                    (uint64_t)arm << 32 | cq->cqn);
}

/* ---------------------------------------------------------- SQ and RQ --- */

static void fill_wq(Drv *d, uint8_t *wq, unsigned log_size, unsigned stride,
                    uint64_t buf, uint64_t dbr)
{
    MLX5_SET(wq, wq, wq_type, 1);
    MLX5_SET(wq, wq, pd, d->pd);
    MLX5_SET(wq, wq, uar_page, d->uar);
    MLX5_SET(wq, wq, dbr_addr, dbr);
    MLX5_SET(wq, wq, log_wq_stride, stride);
    MLX5_SET(wq, wq, log_wq_sz, log_size);
    list_pages(wq + 0xc0, buf, log_size + stride);
}

uint8_t *drv_sq_cmd(Drv *d, DrvSq *sq, unsigned log_size, DrvCq *cq,
                    uint32_t tisn, uint32_t *len)
{
    uint8_t *in = ring_cmd(log_size + 6, len);
    uint8_t *sqc = in + CTX;

    memset(sq, 0, sizeof(*sq));
    sq->log_size = log_size;
    sq->uar = d->uar;
    sq->cq = cq;
    sq->buf = ring_mem(d, log_size + 6, 0);
    sq->dbr = drv_mem(d, 8);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_SQ);
    MLX5_SET(sqc, sqc, flush_in_error_en, 1);
    MLX5_SET(sqc, sqc, allow_multi_pkt_send_wqe, 1);
    MLX5_SET(sqc, sqc, state, DRV_RST);
    MLX5_SET(sqc, sqc, cqn, cq->cqn);
    if (tisn) {
        MLX5_SET(sqc, sqc, tis_lst_sz, 1);
        MLX5_SET(sqc, sqc, tis_num_0, tisn);
    }
    fill_wq(d, sqc + WQ_IN_CTX, log_size, 6, sq->buf, sq->dbr);
    return in;
}

void drv_sq_create(Drv *d, DrvSq *sq, unsigned log_size, DrvCq *cq,
                   uint32_t tisn)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_sq_cmd(d, sq, log_size, cq, tisn, &len);

    sq->sqn = drv_create(d, in, len);
    g_assert_cmphex(drv_sq_modify(d, sq, DRV_RST, DRV_RDY).status, ==, 0);
}

DrvResult drv_sq_modify(Drv *d, DrvSq *sq, unsigned from, unsigned to)
{
    uint8_t in[272] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_MODIFY_SQ);
    MLX5_SET(modify_sq_in, in, sq_state, from);
    MLX5_SET(modify_sq_in, in, sqn, sq->sqn);
    MLX5_SET(sqc, in + CTX, state, to);
    return drv_cmd(d, in, sizeof(in), NULL, 16);
}

/* The context out of QUERY_SQ or QUERY_RQ. */
static void query_wq(Drv *d, uint16_t opcode, uint32_t id, uint8_t out[272])
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, opcode);
    MLX5_SET(cmd_id, in, id, id);
    drv_cmd_ok(d, in, sizeof(in), out, 272);
}

unsigned drv_sq_state(Drv *d, DrvSq *sq)
{
    uint8_t out[272];

    query_wq(d, OP_QUERY_SQ, sq->sqn, out);
    return MLX5_GET(sqc, out + CTX, state);
}

void drv_sq_ring(Drv *d, DrvSq *sq)
{
    uint8_t ctrl[8] = { 0 };

    drv_write32(d, sq->dbr + 4, sq->pc);
    /* The register takes the first 8 bytes of a WQE. */
    MLX5_SET(wqe_ctrl, ctrl, wqe_index, sq->pc - 1);
    MLX5_SET(wqe_ctrl, ctrl, sqn, sq->sqn);
    drv_reg_write64(d, UAR_PAGE(sq->uar) + UAR_SQ_DOORBELL, mlx5_ld64(ctrl));
}

uint8_t *drv_rq_cmd(Drv *d, DrvRq *rq, unsigned log_size, unsigned stride,
                    DrvCq *cq, uint32_t counter, bool vlan_strip,
                    uint32_t *len)
{
    uint8_t *in = ring_cmd(log_size + stride, len);
    uint8_t *rqc = in + CTX;

    memset(rq, 0, sizeof(*rq));
    rq->log_size = log_size;
    rq->log_stride = stride;
    rq->cq = cq;
    rq->buf = ring_mem(d, log_size + stride, 0);
    rq->dbr = drv_mem(d, 8);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_RQ);
    MLX5_SET(rqc, rqc, vsd, !vlan_strip);
    MLX5_SET(rqc, rqc, flush_in_error_en, 1);
    MLX5_SET(rqc, rqc, state, DRV_RST);
    MLX5_SET(rqc, rqc, cqn, cq->cqn);
    MLX5_SET(rqc, rqc, counter_set_id, counter);
    fill_wq(d, rqc + WQ_IN_CTX, log_size, stride, rq->buf, rq->dbr);
    return in;
}

void drv_rq_create(Drv *d, DrvRq *rq, unsigned log_size, unsigned stride,
                   DrvCq *cq, uint32_t counter, bool vlan_strip)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_rq_cmd(d, rq, log_size, stride, cq, counter,
                                        vlan_strip, &len);

    rq->rqn = drv_create(d, in, len);
    g_assert_cmphex(drv_rq_modify(d, rq, DRV_RST, DRV_RDY).status, ==, 0);
}

DrvResult drv_rq_modify(Drv *d, DrvRq *rq, unsigned from, unsigned to)
{
    uint8_t in[272] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_MODIFY_RQ);
    MLX5_SET(modify_rq_in, in, rq_state, from);
    MLX5_SET(modify_rq_in, in, rqn, rq->rqn);
    MLX5_SET(rqc, in + CTX, state, to);
    return drv_cmd(d, in, sizeof(in), NULL, 16);
}

unsigned drv_rq_state(Drv *d, DrvRq *rq)
{
    uint8_t out[272];

    query_wq(d, OP_QUERY_RQ, rq->rqn, out);
    return MLX5_GET(rqc, out + CTX, state);
}

void drv_rq_post(Drv *d, DrvRq *rq, const DrvSeg *seg, unsigned n)
{
    unsigned room = 1u << (rq->log_stride - 4), i;
    g_autofree uint8_t *wqe = g_malloc0(1u << rq->log_stride);

    g_assert_cmpuint(n, <=, room);
    for (i = 0; i < n; i++) {
        uint8_t *s = wqe + i * 16;

        /* The driver sets bit 31, "start padding", on each. */
        MLX5_SET(wqe_data, s, is_inline, 1);
        MLX5_SET(wqe_data, s, byte_count, seg[i].len);
        MLX5_SET(wqe_data, s, lkey, seg[i].lkey ? seg[i].lkey : d->lkey);
        MLX5_SET(wqe_data, s, addr, seg[i].addr);
    }
    if (n < room) {
        MLX5_SET(wqe_data, wqe + n * 16, lkey, TERMINATE_LKEY);
    }
    drv_write(d, rq->buf + ((rq->pc & ((1u << rq->log_size) - 1)) <<
                            rq->log_stride),
              wqe, 1u << rq->log_stride);
    rq->pc++;
}

void drv_rq_publish(Drv *d, DrvRq *rq)
{
    drv_write32(d, rq->dbr, rq->pc);
}

/* -------------------------------------------------------------- WQEs --- */

void drv_wqe(DrvWqe *w, const DrvSq *sq, uint8_t opcode, bool ce)
{
    memset(w, 0, sizeof(*w));
    MLX5_SET(wqe_ctrl, w->b, opcode, opcode);
    MLX5_SET(wqe_ctrl, w->b, sqn, sq->sqn);
    MLX5_SET(wqe_ctrl, w->b, ce, ce ? 2 : 0);
    w->ds = 1;
}

void drv_wqe_eth(DrvWqe *w, uint8_t cs_flags, uint16_t mss,
                 const uint8_t *hdr, unsigned hdr_len)
{
    uint8_t *eth = w->b + w->ds * 16;

    MLX5_SET(wqe_eth, eth, cs_flags, cs_flags);
    MLX5_SET(wqe_eth, eth, mss, mss);
    if (hdr_len) {
        MLX5_SET(wqe_eth, eth, inline_hdr_sz, hdr_len);
        memcpy(eth + 14, hdr, hdr_len);
    }
    w->ds += DIV_ROUND_UP(MAX(14 + hdr_len, 16), 16);
}

void drv_wqe_data(DrvWqe *w, uint32_t lkey, uint64_t addr, uint32_t len)
{
    uint8_t *seg = w->b + w->ds * 16;

    MLX5_SET(wqe_data, seg, byte_count, len);
    MLX5_SET(wqe_data, seg, lkey, lkey);
    MLX5_SET(wqe_data, seg, addr, addr);
    w->ds++;
}

uint16_t drv_sq_put(Drv *d, DrvSq *sq, DrvWqe *w)
{
    unsigned n = DIV_ROUND_UP(w->ds, 4), i;
    uint16_t index = sq->pc;

    MLX5_SET(wqe_ctrl, w->b, wqe_index, index);
    MLX5_SET(wqe_ctrl, w->b, ds, w->ds);
    for (i = 0; i < n; i++) {
        drv_write(d, sq->buf + (sq->pc & ((1u << sq->log_size) - 1)) * 64,
                  w->b + i * 64, 64);
        sq->pc++;
    }
    return index;
}

uint16_t drv_sq_send(Drv *d, DrvSq *sq, const uint8_t *frame, size_t len,
                     uint8_t cs_flags)
{
    uint64_t addr = drv_mem(d, len);
    DrvWqe w;

    drv_write(d, addr, frame, len);
    drv_wqe(&w, sq, WQE_SEND, true);
    drv_wqe_eth(&w, cs_flags, 0, NULL, 0);
    drv_wqe_data(&w, d->lkey, addr, len);
    return drv_sq_put(d, sq, &w);
}

void drv_sq_expect(Drv *d, DrvSq *sq, uint16_t index)
{
    uint8_t cqe[64];

    drv_cq_wait(d, sq->cq, cqe);
    if (MLX5_GET(cqe, cqe, opcode) != CQE_REQ) {
        g_test_message("CQE error syndrome 0x%x at WQE %u",
                       MLX5_GET(cqe, cqe, syndrome),
                       MLX5_GET(cqe, cqe, wqe_counter));
    }
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, sqn), ==, sq->sqn);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
}

void drv_sq_expect_error(Drv *d, DrvSq *sq, uint16_t index, uint8_t syndrome)
{
    uint8_t cqe[64];

    drv_cq_wait(d, sq->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ_ERR);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, syndrome);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, sqn), ==, sq->sqn);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, index);
}

/* ------------------------------------------------ TIS, TIR, steering --- */

uint8_t *drv_tis_cmd(Drv *d, uint32_t *len)
{
    uint8_t *in = g_malloc0(192);

    *len = 192;
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_TIS);
    MLX5_SET(tisc, in + CTX, transport_domain, d->td);
    MLX5_SET(tisc, in + CTX, pd, d->pd);
    return in;
}

uint32_t drv_tis_create(Drv *d)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_tis_cmd(d, &len);

    return drv_create(d, in, len);
}

uint8_t *drv_tir_cmd(Drv *d, uint32_t rqn, uint32_t *len)
{
    uint8_t *in = g_malloc0(272);

    *len = 272;
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_TIR);
    MLX5_SET(tirc, in + CTX, disp_type, 0);
    MLX5_SET(tirc, in + CTX, inline_rqn, rqn);
    MLX5_SET(tirc, in + CTX, transport_domain, d->td);
    return in;
}

uint32_t drv_tir_direct(Drv *d, uint32_t rqn)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_tir_cmd(d, rqn, &len);

    return drv_create(d, in, len);
}

uint8_t *drv_rqt_cmd(Drv *d, const DrvRq *const *rq, unsigned n, uint32_t *len)
{
    uint8_t *in = g_malloc0(PAS + n * 4);
    unsigned i;

    *len = PAS + n * 4;
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_RQT);
    MLX5_SET(rqtc, in + CTX, rqt_max_size, n);
    MLX5_SET(rqtc, in + CTX, rqt_actual_size, n);
    for (i = 0; i < n; i++) {
        MLX5_SET(rq_num, in + PAS + i * 4, rq_num, rq[i]->rqn);
    }
    return in;
}

uint32_t drv_rqt_create(Drv *d, const DrvRq *const *rq, unsigned n)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_rqt_cmd(d, rq, n, &len);

    return drv_create(d, in, len);
}

void drv_steer_all(Drv *d, DrvSteering *s, uint32_t tirn, uint32_t flow_tag)
{
    g_autofree uint8_t *in = g_malloc0(1024);
    uint8_t out[16], *ctx = in + 0x40, *dest = ctx + 0x300;

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, level, 1);
    MLX5_SET(flow_table_context, in + 0x18, log_size, 0);
    drv_cmd_ok(d, in, 64, out, sizeof(out));
    s->table = MLX5_GET(create_flow_table_out, out, table_id);

    memset(in, 0, 1024);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, s->table);
    drv_cmd_ok(d, in, 1024, out, sizeof(out));
    s->group = MLX5_GET(create_flow_group_out, out, group_id);

    memset(in, 0, 1024);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, s->table);
    MLX5_SET(flow_context, ctx, group_id, s->group);
    MLX5_SET(flow_context, ctx, flow_tag, flow_tag);
    MLX5_SET(flow_context, ctx, action, 0x4);
    MLX5_SET(flow_context, ctx, destination_list_size, 1);
    MLX5_SET(dest_format_struct, dest, destination_type, 2);
    MLX5_SET(dest_format_struct, dest, destination_id, tirn);
    drv_cmd_ok(d, in, 0x348, out, sizeof(out));

    memset(in, 0, 64);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(flow_cmd_in, in, table_id, s->table);
    drv_cmd_ok(d, in, 64, out, sizeof(out));
}

void drv_unsteer(Drv *d, DrvSteering *s)
{
    uint8_t in[64] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(cmd_in, in, op_mod, 1);
    MLX5_SET(flow_cmd_in, in, table_id, s->table);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    MLX5_SET(cmd_in, in, op_mod, 0);
    MLX5_SET(cmd_in, in, opcode, OP_DELETE_FTE);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_FLOW_GROUP);
    MLX5_SET(destroy_flow_group_in, in, group_id, s->group);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_FLOW_TABLE);
    MLX5_SET(destroy_flow_group_in, in, group_id, 0);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

/* ------------------------------------------------- interrupts, wire --- */

void drv_msix_init(Drv *d)
{
    unsigned n, i;

    qpci_msix_enable(d->pci);
    d->bar0 = d->pci->msix_table_bar; /* libqos has given BAR 0 a new address */
    n = qpci_msix_table_size(d->pci);
    d->msix_mem = drv_mem(d, n * 4);
    for (i = 0; i < n; i++) {
        uint64_t off = d->pci->msix_table_off + i * PCI_MSIX_ENTRY_SIZE;
        QPCIBar bar = d->pci->msix_table_bar;

        qpci_io_writel(d->pci, bar, off + PCI_MSIX_ENTRY_LOWER_ADDR,
                       d->msix_mem + i * 4);
        qpci_io_writel(d->pci, bar, off + PCI_MSIX_ENTRY_UPPER_ADDR, 0);
        qpci_io_writel(d->pci, bar, off + PCI_MSIX_ENTRY_DATA, i + 1);
        qpci_io_writel(d->pci, bar, off + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
    }
}

bool drv_msix_fired(Drv *d, unsigned vector)
{
    uint64_t addr = d->msix_mem + vector * 4;
    uint32_t v = qtest_readl(d->qts, addr);

    if (!v) {
        return false;
    }
    g_assert_cmpuint(v, ==, vector + 1);
    qtest_writel(d->qts, addr, 0);
    return true;
}

void drv_wire_send(Drv *d, const void *frame, size_t len)
{
    uint32_t be = htonl(len);
    struct iovec iov[2] = {
        { .iov_base = &be, .iov_len = sizeof(be) },
        { .iov_base = (void *)frame, .iov_len = len },
    };

    /* A stream socket in blocking mode writes all of it. */
    g_assert_cmpint(writev(d->wire, iov, 2), ==, sizeof(be) + len);
}

bool drv_wire_readable(Drv *d)
{
    struct pollfd p = { .fd = d->wire, .events = POLLIN };

    return poll(&p, 1, 0) == 1;
}

static void wire_read(Drv *d, uint8_t *buf, size_t len)
{
    struct pollfd p = { .fd = d->wire, .events = POLLIN };
    ssize_t n;

    while (len) {
        if (poll(&p, 1, DRV_HANG_GUARD * 1000) != 1) {
            g_test_message("no frame came from the device");
            g_assert_not_reached();
        }
        n = read(d->wire, buf, len);
        g_assert_cmpint(n, >, 0);
        buf += n;
        len -= n;
    }
}

size_t drv_wire_recv(Drv *d, uint8_t buf[DRV_MAX_FRAME])
{
    uint8_t be[4];
    uint32_t len;

    wire_read(d, be, sizeof(be));
    len = mlx5_ld32(be);
    g_assert_cmpuint(len, <=, DRV_MAX_FRAME);
    wire_read(d, buf, len);
    return len;
}
