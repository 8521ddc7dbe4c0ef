/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for tests of striding receive queues: one that gets all packets, with
 * its buffers. Owns only its objects in the device.
 */
#ifndef TESTS_QTEST_MLX5_STRIDE_RIG_H
#define TESTS_QTEST_MLX5_STRIDE_RIG_H

#include "mlx5-rig.h"

#define STRIDE_WQ 0x50 /* wq in CREATE_RQ */
#define STRIDE_SLACK 4096 /* bytes behind each buffer */
#define BATCH (64 * 1024) /* what QEMU's backend reads at once */
#define CTX 0x20 /* context in CREATE_TIR, MODIFY_TIR */
/* tirc.packet_merge_mask */
#define MERGE_IPV4 1
#define MERGE_IPV6 2

/* A striding queue that gets all packets. WQE i has the buffer number i. */
typedef struct Stride {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    uint32_t counter;
    uint32_t tirn;
    DrvSteering st;
    uint64_t buf;
    unsigned log_n;    /* strides of a WQE */
    unsigned log_size; /* of a stride */
    unsigned log_wqes;
    uint32_t next[64]; /* the list */
    uint32_t last;     /* the WQE that ends it */
} Stride;

static inline size_t stride_buf_size(const Stride *s)
{
    return (1ul << (s->log_n + s->log_size)) + STRIDE_SLACK;
}

static inline uint64_t stride_buf_of(const Stride *s, unsigned wqe)
{
    return s->buf + wqe * stride_buf_size(s);
}

/* Builds CREATE_RQ, which the caller frees. */
static inline uint8_t *stride_cmd(Drv *d, DrvRq *rq, unsigned log_wqes,
                                  unsigned log_n, unsigned log_size, DrvCq *cq,
                                  uint32_t counter, bool vlan_strip,
                                  uint32_t *len)
{
    uint8_t *in = drv_rq_cmd(d, rq, log_wqes, 5, cq, counter, vlan_strip, len);

    MLX5_SET(wq, in + STRIDE_WQ, wq_type, 2);
    MLX5_SET(wq, in + STRIDE_WQ, log_wqe_num_of_strides, log_n - 9);
    MLX5_SET(wq, in + STRIDE_WQ, log_wqe_stride_size, log_size - 6);
    return in;
}

/* Writes the link from WQE @i to @next. */
static inline void stride_put_link(Stride *s, unsigned i, uint16_t next)
{
    uint8_t b[2] = { next >> 8, next };

    drv_write(s->d, s->rq.buf + i * 32 + 2, b, 2);
    s->next[i] = next;
}

static inline void stride_put_seg(Stride *s, unsigned i, uint32_t lkey,
                                  uint64_t addr, uint32_t len)
{
    uint8_t seg[16] = { 0 };

    MLX5_SET(wqe_data, seg, byte_count, len);
    MLX5_SET(wqe_data, seg, lkey, lkey);
    MLX5_SET(wqe_data, seg, addr, addr);
    drv_write(s->d, s->rq.buf + i * 32 + 16, seg, 16);
}

/* Writes the ring as the driver does: a list in the order of numbers. */
static inline void stride_put_ring(Stride *s)
{
    unsigned i;

    for (i = 0; i < 1u << s->log_wqes; i++) {
        stride_put_link(s, i, i + 1);
        stride_put_seg(s, i, s->d->lkey, stride_buf_of(s, i),
                       1u << (s->log_n + s->log_size));
    }
    s->last = i - 1;
}

/* Makes such a queue, in a device and with a CQ that exist. */
static inline void stride_queue(Stride *s, bool vlan_strip)
{
    g_autofree uint8_t *in = NULL;
    uint32_t len;

    s->counter = drv_alloc(s->d, OP_ALLOC_Q_COUNTER);
    in = stride_cmd(s->d, &s->rq, s->log_wqes, s->log_n, s->log_size, &s->cq,
                    s->counter, vlan_strip, &len);
    s->rq.rqn = drv_create(s->d, in, len);
    g_assert_cmphex(drv_rq_modify(s->d, &s->rq, DRV_RST, DRV_RDY).status, ==,
                    0);
    s->tirn = drv_tir_direct(s->d, s->rq.rqn);
    drv_steer_all(s->d, &s->st, s->tirn, 0);
    s->buf = drv_mem(s->d, stride_buf_size(s) << s->log_wqes);
    stride_put_ring(s);
}

/* Starts a device with such a queue; nothing is posted. */
static inline void stride_rig(Stride *s, unsigned log_wqes, unsigned log_n,
                              unsigned log_size, bool vlan_strip,
                              const char *props)
{
    *s = (Stride) { .log_n = log_n, .log_size = log_size,
                    .log_wqes = log_wqes };
    s->d = drv_start_up(props);
    drv_eq_create(s->d, &s->eq, 6, 0, 0);
    drv_cq_create(s->d, &s->cq, log_wqes + log_n, s->eq.eqn);
    stride_queue(s, vlan_strip);
}

/* Publishes @n more WQEs. */
static inline void stride_post(Stride *s, unsigned n)
{
    s->rq.pc += n;
    drv_rq_publish(s->d, &s->rq);
}

/* Frames that arrive together. */
static inline void batch_add(GByteArray *b, const Frame *f)
{
    uint32_t be = htonl(f->len);

    g_byte_array_append(b, (uint8_t *)&be, sizeof(be));
    g_byte_array_append(b, f->data, f->len);
}

/* Longer batches would be two. */
static inline void batch_send(Drv *d, GByteArray *b)
{
    g_assert_cmpuint(b->len, <=, BATCH);
    g_assert_cmpint(write(d->wire, b->data, b->len), ==, b->len);
    g_byte_array_set_size(b, 0);
}

/* Builds MODIFY_TIR (272 bytes) for LRO, which the caller frees. */
static inline uint8_t *merge_cmd(uint32_t tirn, unsigned mask, unsigned size)
{
    uint8_t *in = g_malloc0(272);

    MLX5_SET(cmd_in, in, opcode, OP_MODIFY_TIR);
    MLX5_SET(modify_tir_in, in, tirn, tirn);
    MLX5_SET(modify_tir_in, in, packet_merge, 1);
    MLX5_SET(tirc, in + CTX, packet_merge_mask, mask);
    MLX5_SET(tirc, in + CTX, lro_max_ip_payload_size, size);
    MLX5_SET(tirc, in + CTX, lro_timeout_period_usecs, 32);
    return in;
}

static inline void merge(Drv *d, uint32_t tirn, unsigned mask, unsigned size)
{
    g_autofree uint8_t *in = merge_cmd(tirn, mask, size);

    drv_cmd_ok(d, in, 272, NULL, 16);
}

#endif
