/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for tests of compressed CQEs: a queue that gets all packets, and a
 * reader that decompresses as drivers do, for cyclic and striding queues, all
 * formats of mini CQEs and both layouts. Owns only its objects in the device.
 */
#ifndef TESTS_QTEST_MLX5_COMP_RIG_H
#define TESTS_QTEST_MLX5_COMP_RIG_H

#include "mlx5-stride-rig.h"

#define CQC 0x10 /* in CREATE_CQ */
#define FMT_COMPRESSED 3
#define SESSION 64 /* the most CQEs of one */
#define VALID_BYTE 62
#define OWN_BYTE 63

enum { LOG_WQES = 4, LOG_N = 6, LOG_SIZE = 11 };

typedef enum Layout { BASIC, ENHANCED } Layout;
typedef enum Format { HASH = 0, CSUM = 1, STRIDX = 3 } Format;

typedef struct Comp {
    Stride s; /* in a cyclic queue WQE i has the stride number i of it */
    bool striding;
    Format format;
    Layout layout;
    unsigned log_cq;
    /* the reader */
    unsigned left; /* of the session */
    unsigned at;   /* mini CQE in the array */
    uint16_t counter;
    uint8_t title[64];
    uint8_t array[64];
    uint32_t start; /* entry of the title, or of the mini CQEs */
    unsigned blocks, minis;
    bool packed; /* the last CQE was of a session */
} Comp;

static inline void comp_cq(Comp *c)
{
    Drv *d = c->s.d;
    uint32_t len;
    g_autofree uint8_t *in = drv_cq_cmd(d, &c->s.cq, c->log_cq, c->s.eq.eqn,
                                        &len);

    MLX5_SET(cqc, in + CQC, cqe_comp_en, 1);
    MLX5_SET(cqc, in + CQC, mini_cqe_res_format, c->format);
    MLX5_SET(cqc, in + CQC, cqe_compression_layout, c->layout);
    if (c->layout == ENHANCED) {
        qtest_memset(d->qts, c->s.cq.buf, 0xff, 64ul << c->log_cq);
    }
    c->s.cq.cqn = drv_create(d, in, len);
}

/* Starts a device with such a queue that gets all packets. */
static inline void comp_rig_with(Comp *c, bool striding, Format format,
                                 Layout layout, unsigned log_cq,
                                 const char *props)
{
    g_autofree char *all = g_strconcat(
        layout == ENHANCED ? ",cqe-compression=enhanced" : "", props, NULL);
    Stride *s = &c->s;

    *c = (Comp) { .striding = striding, .format = format, .layout = layout,
                  .log_cq = log_cq,
                  .s = { .log_wqes = LOG_WQES, .log_n = LOG_N,
                         .log_size = LOG_SIZE } };
    s->d = drv_start_up(all);
    drv_eq_create(s->d, &s->eq, 6, 0, 0);
    comp_cq(c);
    if (striding) {
        stride_queue(s, false);
        return;
    }
    s->counter = drv_alloc(s->d, OP_ALLOC_Q_COUNTER);
    drv_rq_create(s->d, &s->rq, LOG_WQES + LOG_N, 4, &s->cq, s->counter,
                  false);
    drv_steer_all(s->d, &s->st, drv_tir_direct(s->d, s->rq.rqn), 0);
    s->buf = drv_mem(s->d, 1ul << (LOG_WQES + LOG_N + LOG_SIZE));
}

static inline void comp_rig(Comp *c, bool striding, Format format,
                            Layout layout)
{
    comp_rig_with(c, striding, format, layout, 10, "");
}

/* Posts room for @n packets in whole WQEs. */
static inline void post(Comp *c, unsigned n)
{
    Stride *s = &c->s;

    if (c->striding) {
        stride_post(s, DIV_ROUND_UP(n, 1 << LOG_N));
        return;
    }
    while (n--) {
        unsigned i = s->rq.pc & ((1 << (LOG_WQES + LOG_N)) - 1);
        DrvSeg seg = { .addr = s->buf + ((uint64_t)i << LOG_SIZE),
                       .len = 1 << LOG_SIZE };

        drv_rq_post(s->d, &s->rq, &seg, 1);
    }
    drv_rq_publish(s->d, &s->rq);
}

/* Sends the frames at once, so that the device gets them as one burst. */
static inline void send_burst(Drv *d, const Frame *f, unsigned n)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    unsigned i;

    for (i = 0; i < n; i++) {
        batch_add(all, &f[i]);
    }
    batch_send(d, all);
}

/* ---------------------------------------------------------- the reader --- */

static inline uint64_t entry(const Comp *c, uint32_t i)
{
    return c->s.cq.buf + (i & ((1u << c->log_cq) - 1)) * 64;
}

static inline uint8_t round_of(const Comp *c, uint32_t i)
{
    return i >> c->log_cq;
}

/* Whether the next entry is valid; reads it. */
static inline bool valid(Comp *c, uint8_t cqe[64])
{
    uint8_t round = round_of(c, c->s.cq.ci);

    drv_read(c->s.d, entry(c, c->s.cq.ci), cqe, 64);
    if (c->layout == ENHANCED) {
        return cqe[VALID_BYTE] == round;
    }
    return MLX5_GET(cqe, cqe, opcode) != 0xf &&
           MLX5_GET(cqe, cqe, owner) == (round & 1);
}

static inline void read_array(Comp *c, uint32_t i)
{
    drv_read(c->s.d, entry(c, i), c->array, 64);
    c->at = 0;
}

/* Makes the next CQE of the session out of the title. */
static inline void unzip(Comp *c, uint8_t cqe[64])
{
    const uint8_t *mini = c->array + 8 * c->at++;
    uint32_t word = mlx5_ld32(mini);

    memcpy(cqe, c->title, 64);
    MLX5_SET(cqe, cqe, format, 0);
    MLX5_SET(cqe, cqe, byte_cnt, mlx5_ld32(mini + 4));
    MLX5_SET(cqe, cqe, wqe_counter,
             c->format == STRIDX ? word & 0xffff : c->counter);
    if (c->format == HASH) {
        MLX5_SET(cqe, cqe, rss_hash_result, word);
    } else {
        MLX5_SET(cqe, cqe, check_sum, word >> 16);
    }
    c->counter += c->striding ? MLX5_GET(cqe, cqe, consumed_strides) : 1;
    c->left--;
    c->minis++;
}

/* The driver gives the entries of a session back as if they were written. */
static inline void give_back(Comp *c, uint32_t n)
{
    Drv *d = c->s.d;

    for (; c->layout == BASIC && n--; c->start++) {
        uint8_t own = round_of(c, c->start) & 1;

        drv_write(d, entry(c, c->start) + OWN_BYTE, &own, 1);
    }
}

/* Begins a session with the compressed entry @cqe, if it is one. */
static inline bool begin(Comp *c, const uint8_t cqe[64])
{
    if (MLX5_GET(cqe, cqe, format) != FMT_COMPRESSED) {
        return false;
    }
    c->start = c->s.cq.ci;
    c->blocks++;
    if (c->layout == BASIC) {
        memcpy(c->title, cqe, 64);
        c->left = MLX5_GET(cqe, cqe, byte_cnt);
        c->counter = MLX5_GET(cqe, cqe, wqe_counter);
        g_assert_cmpuint(c->left, >=, 2);
        g_assert_cmpuint(c->left, <=, SESSION);
        read_array(c, c->start + 1);
    } else {
        c->left = MLX5_GET(cqe, cqe, opcode) + 1;
        g_assert_cmpuint(c->left, >=, 2);
        g_assert_cmpuint(c->left, <=, 7);
        memcpy(c->array, cqe, 64);
        c->at = 0;
    }
    return true;
}

/* Consumes the next CQE, decompressed. Returns false if there is none. */
static inline bool next_cqe(Comp *c, uint8_t cqe[64])
{
    uint32_t *ci = &c->s.cq.ci;

    if (!c->left) {
        if (!valid(c, cqe)) {
            return false;
        }
        c->packed = begin(c, cqe);
        if (!c->packed) {
            memcpy(c->title, cqe, 64);
            c->counter = MLX5_GET(cqe, cqe, wqe_counter);
            c->counter += c->striding ? MLX5_GET(cqe, cqe, consumed_strides) :
                                        1;
            (*ci)++;
            drv_write32(c->s.d, c->s.cq.dbr, *ci & 0xffffff);
            return true;
        }
    }
    if (c->layout == BASIC && c->at == 8) {
        read_array(c, *ci);
    }
    unzip(c, cqe);
    (*ci)++;
    if (!c->left) {
        give_back(c, *ci - c->start);
        drv_write32(c->s.d, c->s.cq.dbr, *ci & 0xffffff);
    }
    return true;
}

static inline void wait_cqe(Comp *c, uint8_t cqe[64])
{
    DRV_WAIT(next_cqe(c, cqe));
}

/* The next CQE must be for @f, in @strides (or WQE) number @at of all. */
static inline void expect_frame_at(Comp *c, const Frame *f, unsigned at)
{
    g_autofree uint8_t *got = g_malloc(f->len);
    uint8_t cqe[64];
    uint64_t where;

    wait_cqe(c, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, c->s.rq.rqn);
    if (c->striding) {
        unsigned wqe = (at >> LOG_N) & ((1 << LOG_WQES) - 1);
        unsigned stride = at & ((1 << LOG_N) - 1);

        g_assert_cmpuint(MLX5_GET(cqe, cqe, filler), ==, 0);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, stride);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, 1);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, f->len);
        where = stride_buf_of(&c->s, wqe) + ((uint64_t)stride << LOG_SIZE);
    } else {
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, (uint16_t)at);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, f->len);
        where = c->s.buf + ((uint64_t)(at & ((1 << (LOG_WQES + LOG_N)) - 1))
                            << LOG_SIZE);
    }
    if (c->format != HASH) {
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(f->data + 14, f->len - 14));
    }
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l3_hdr_type), ==,
                     f->data[12] == 0x08 ? 2 : 1);
    drv_read(c->s.d, where, got, f->len);
    g_assert_cmpmem(got, f->len, f->data, f->len);
}

static inline Frame udp(int ip, unsigned payload)
{
    FrameSpec spec = rig_spec(ip, 17, payload);

    spec.sport = g_test_rand_int_range(1, 65536);
    return frame_build(&spec);
}

#endif
