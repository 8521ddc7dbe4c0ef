/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of what FreeBSD's driver does and Linux's does not: TLS transmission,
 * and receive queues. Written from its public source (sys/dev/mlx5:
 * mlx5_en_hw_tls.c, mlx5_en_tx.c, mlx5_en_rx.c, mlx5_tls.c). The tests play the
 * driver; libcrypto's records are the truth. docs/tls.md says what this covers
 * and what it does not prove. Owns no state.
 */
#include "mlx5-freebsd-rig.h"
#include "mlx5-tests.h"
#include "mlx5-tls-tx-rig.h"

/* --------------------------------------------------------- transmitting --- */

enum { BSD_LOG_SQ = 6, BSD_MAX_BLOCKS = 16 };
#define BSD_DUMP_MAX 1024 /* the largest power of two within the MTU */
#define BSD_DUMP_MEM 0x8000

/* A send queue, a stream in both forms, and what the driver keeps of it. */
typedef struct BsdTx {
    TlsTx t;
    GByteArray *clear;
    GByteArray *wire;
    GArray *at;         /* size_t: where each record begins */
    uint64_t rec_no;    /* of the first */
    uint32_t seq0;      /* of its first byte */
    uint32_t expected;  /* the sequence number the context is at */
    bool ready;         /* a packet has been sent */
    uint64_t dump_mem;
    unsigned setups;    /* how often parameters were posted */
    uint64_t dumped;    /* bytes */
} BsdTx;

static void bsd_stream(BsdTx *b)
{
    g_byte_array_set_size(b->clear, 0);
    g_byte_array_set_size(b->wire, 0);
    g_array_set_size(b->at, 0);
    b->rec_no = b->t.c.rec_no;
    b->seq0 = b->t.c.seq;
    b->ready = false;
}

static void bsd_tx(BsdTx *b, unsigned kind, unsigned n)
{
    TlsTx *t = &b->t;

    memset(b, 0, sizeof(*b));
    tx_rig_with(&t->rig, BSD_LOG_SQ, ",strict=on");
    t->d = t->rig.d;
    t->sq = &t->rig.sq;
    tls_conn(&t->c, kind, n);
    t->dek = bsd_dek(t->d, &t->c);
    t->tisn = drv_tis_tls(t->d);
    t->mem = drv_mem(t->d, TLS_TX_MEM);
    b->dump_mem = drv_mem(t->d, BSD_DUMP_MEM);
    b->clear = g_byte_array_new();
    b->wire = g_byte_array_new();
    b->at = g_array_new(false, false, sizeof(size_t));
    bsd_stream(b);
}

static void bsd_tx_stop(BsdTx *b)
{
    Drv *d = b->t.d;

    g_assert_cmpuint(drv_counter(d, "tls_tx_seq_mismatch"), ==, 0);
    g_assert_cmpuint(drv_counter(d, "tls_tx_dump_bytes"), ==, b->dumped);
    drv_strict_expect(d, NULL);
    g_byte_array_unref(b->clear);
    g_byte_array_unref(b->wire);
    g_array_unref(b->at);
    drv_stop(d);
}

static size_t bsd_record(BsdTx *b, size_t n)
{
    size_t at = b->clear->len;

    g_array_append_val(b->at, at);
    tls_pattern(&b->t.c, n, b->clear, b->wire);
    return at;
}

/*
 * A NOP of @blocks blocks, of which only the control segment is written: the
 * rest stays what it was.
 */
static uint16_t bsd_nop(Drv *d, DrvSq *sq, unsigned blocks, bool fence, bool ce)
{
    uint16_t index = sq->pc;
    DrvWqe w;

    drv_wqe(&w, sq, WQE_NOP, ce);
    MLX5_SET(wqe_ctrl, w.b, fm, fence);
    MLX5_SET(wqe_ctrl, w.b, wqe_index, index);
    MLX5_SET(wqe_ctrl, w.b, ds, blocks * 4);
    drv_write(d, sq->buf + (index & ((1u << sq->log_size) - 1)) * 64, w.b, 16);
    sq->pc += blocks;
    return index;
}

/* One NOP fills the end of the ring, so that no other WQE wraps. */
static void bsd_edge(BsdTx *b)
{
    DrvSq *sq = b->t.sq;
    unsigned left = ~sq->pc & ((1u << BSD_LOG_SQ) - 1);

    if (left < BSD_MAX_BLOCKS - 1) {
        bsd_nop(b->t.d, sq, left + 1, false, false);
    }
}

static void bsd_params(BsdTx *b, uint64_t rec_no)
{
    TlsTx *t = &b->t;
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = t->c;
    DrvWqe w;

    c.rec_no = rec_no;
    tls_static(p, &c, t->dek, 0);
    drv_wqe_static(&w, t->sq, false, t->tisn, p, true, false);
    drv_sq_put(t->d, t->sq, &w);
    drv_wqe_set_psv(&w, t->sq, false, t->tisn, 0, false, false);
    drv_sq_put(t->d, t->sq, &w);
    b->setups++;
}

/* DUMPs of @n bytes of the stream from @at; the first has the fence. */
static void bsd_dump(BsdTx *b, size_t at, size_t n)
{
    TlsTx *t = &b->t;
    size_t off, len;

    g_assert_cmpuint(n, <=, BSD_DUMP_MEM);
    drv_write(t->d, b->dump_mem, b->clear->data + at, n);
    for (off = 0; off < n; off += len) {
        DrvWqe w;

        len = MIN(n - off, BSD_DUMP_MAX);
        drv_wqe_dump(&w, t->sq, t->tisn, t->d->lkey, b->dump_mem + off, len,
                     off == 0);
        drv_sq_put(t->d, t->sq, &w);
    }
    b->dumped += n;
}

/* Brings the context to offset @at, where it is not. */
static void bsd_recover(BsdTx *b, size_t at)
{
    uint32_t delta = b->seq0 + at - b->expected;
    size_t begin, offset;
    unsigned i = b->at->len;

    while (g_array_index(b->at, size_t, --i) > at) {
        /* the record that has the byte */
    }
    begin = g_array_index(b->at, size_t, i);
    offset = at - begin;
    if (offset && delta < offset) {
        /* The context is in this record already: it only lacks some bytes. */
        bsd_dump(b, at - delta, delta);
        return;
    }
    bsd_params(b, b->rec_no + i);
    if (offset) {
        bsd_dump(b, begin, offset);
    } else {
        bsd_nop(b->t.d, b->t.sq, 1, true, false);
    }
}

/* Sends @n bytes from @at, as an LSO if @mss is not 0, and checks the wire. */
static void bsd_xmit(BsdTx *b, size_t at, size_t n, unsigned mss)
{
    TlsTx *t = &b->t;
    uint32_t seq = b->seq0 + at;
    uint16_t index;
    size_t off, len;
    unsigned i;

    if (!b->ready) {
        b->ready = true;
        b->expected = ~seq; /* never right */
    }
    bsd_edge(b);
    if (b->expected != seq) {
        bsd_recover(b, at);
        bsd_edge(b);
    }
    index = post_data(t, t->sq, t->tisn, seq, b->clear->data + at, n, mss);
    for (off = 0, i = 0; off < n; off += len, i++) {
        FrameSpec s;
        Frame f;

        len = MIN(n - off, mss ? mss : n);
        s = spec_at(seq + off, b->wire->data + at + off, len);
        s.ip_id += i;
        f = frame_build(&s);
        expect_frame(t->d, f.data, f.len);
        frame_free(&f);
    }
    drv_sq_expect(t->d, t->sq, index);
    b->expected = seq + n;
}

/*
 * The first packet of a connection always sets up the context: at a record's
 * first byte with a NOP as fence, inside a record with DUMPs.
 */
static void test_tx_first(void)
{
    static const size_t begin[] = { 0, 1, 5, 13, 100, 2600, 2628 };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        BsdTx b;

        bsd_tx(&b, kind, kind);
        for (i = 0; i < G_N_ELEMENTS(begin); i++) {
            size_t end, at = begin[i];

            b.t.c.seq = 0x12340000 * (i + 1);
            bsd_stream(&b);
            bsd_record(&b, 2600);
            bsd_record(&b, 70);
            end = b.clear->len;
            bsd_xmit(&b, at, MIN(700, end - at), 0);
            at += MIN(700, end - at);
            if (at < end) {
                bsd_xmit(&b, at, end - at, 1000);
            }
            g_assert_cmpuint(b.setups, ==, i + 1);
            /* the next connection uses the same TIS, with a key of its own */
            drv_dek_destroy(b.t.d, b.t.dek);
            tls_conn(&b.t.c, (kind + i) % TLS_KINDS, 200 + i);
            b.t.dek = bsd_dek(b.t.d, &b.t.c);
        }
        bsd_tx_stop(&b);
    }
}

/*
 * "Never right" is ~seq, and where seq is a little above 0 or 2^31 that can
 * look like a place in the same record: the driver dumps a part of the record
 * into a context without parameters. Nothing leaves then, least of all in the
 * clear; TCP sends the packet again, which looks like any retransmission.
 */
static void test_tx_first_unforced(void)
{
    static const uint32_t from[] = { 0xfffff800, 0x7ffff800 };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        for (i = 0; i < G_N_ELEMENTS(from); i++) {
            uint16_t index;
            BsdTx b;

            bsd_tx(&b, kind, 45 + kind);
            b.t.c.seq = from[i];
            bsd_stream(&b);
            bsd_record(&b, 2600);
            b.ready = true;
            b.expected = ~(b.seq0 + 2500);
            bsd_recover(&b, 2500);
            g_assert_cmpuint(b.setups, ==, 0);
            index = post_data(&b.t, b.t.sq, b.t.tisn, b.seq0 + 2500,
                              b.clear->data + 2500, 100, 0);
            expect_dropped(&b.t, index);
            g_assert_cmpuint(drv_counter(b.t.d, "tls_tx_no_ctx"), ==, 1);
            g_assert_cmpuint(drv_counter(b.t.d, "tls_tx_dump_ignored"), ==, 1);
            b.dumped = 0;
            b.expected = b.seq0 + 2600;
            bsd_xmit(&b, 2500, b.clear->len - 2500, 0);
            g_assert_cmpuint(b.setups, ==, 1);
            bsd_tx_stop(&b);
        }
    }
}

/*
 * Bytes inside a record that never come to the driver (the stack dropped the
 * packet): it gives them to the context as DUMPs, without any parameters.
 */
static void test_tx_partial_dump(void)
{
    unsigned kind;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        size_t gap, at, len, rec;
        BsdTx b;

        bsd_tx(&b, kind, 10 + kind);
        len = tls_record_len(&b.t.c, 35);
        for (gap = 1; gap < len - 1; gap++) {
            for (at = gap + 1; at < len; at += 5) {
                rec = bsd_record(&b, 35);
                bsd_xmit(&b, rec, gap, 0);
                bsd_xmit(&b, rec + at, len - at, 0);
            }
        }
        g_assert_cmpuint(b.setups, ==, 1);
        /* more than one DUMP can hold, twice in one record */
        rec = bsd_record(&b, 9000);
        bsd_xmit(&b, rec, 100, 0);
        bsd_xmit(&b, rec + 3000, 500, 0);
        bsd_xmit(&b, rec + 7000, b.clear->len - rec - 7000, 1200);
        g_assert_cmpuint(b.setups, ==, 1);
        bsd_tx_stop(&b);
    }
}

/* Loss above the driver, retransmission, LSO of many records, at random. */
static void test_tx_random(void)
{
    static const size_t sizes[] = { 1, 0, 40, 300, 1400, 2900, 16384, 15 };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        g_autoptr(GRand) r = g_rand_new_with_seed(30 + kind);
        size_t at, n, total;
        BsdTx b;

        bsd_tx(&b, kind, 30 + kind);
        for (i = 0; i < 48; i++) {
            bsd_record(&b, sizes[g_rand_int_range(r, 0, 8)]);
        }
        total = b.clear->len;
        for (at = 0; at < total; at += n) {
            unsigned what = g_rand_int_range(r, 0, 10);
            unsigned mss = 0;

            if (what == 0) { /* this much is lost */
                n = MIN(g_rand_int_range(r, 1, 2500), total - at);
                continue;
            }
            if (what == 1) { /* an old packet again */
                size_t back = g_rand_int_range(r, 0, at + 1);

                n = MIN(g_rand_int_range(r, 1, 1400), total - back);
                bsd_xmit(&b, back, n, 0);
                n = 0;
                continue;
            }
            if (what < 5) {
                mss = g_rand_int_range(r, 200, 1400);
                n = g_rand_int_range(r, 1, 20000);
            } else {
                n = g_rand_int_range(r, 1, 1400);
            }
            n = MIN(n, total - at);
            bsd_xmit(&b, at, n, mss && n > mss ? mss : 0);
        }
        g_test_message("%u setups, %" PRIu64 " bytes dumped", b.setups,
                       b.dumped);
        bsd_tx_stop(&b);
    }
}

/*
 * NOPs of 1 to 15 blocks, at the end of the ring, whose blocks hold old WQEs:
 * nothing of them is executed, and the next WQE is the ring's first.
 */
static void test_tx_nop(void)
{
    static const uint8_t marker[64] = { 0x02, 1, 2, 3, 0xde, 0xad };
    unsigned blocks, i, size = 1u << BSD_LOG_SQ;
    BsdTx b;

    bsd_tx(&b, 0, 40);
    for (blocks = 1; blocks < BSD_MAX_BLOCKS; blocks++) {
        DrvSq *sq = b.t.sq;
        uint16_t pc, index;
        size_t at;

        while ((sq->pc & (size - 1)) != size - blocks) {
            bsd_nop(b.t.d, sq, 1, false, false);
        }
        pc = sq->pc;
        for (i = 0; i < blocks; i++) {
            drv_sq_send(b.t.d, sq, marker, sizeof(marker), 0);
        }
        sq->pc = pc;
        index = bsd_nop(b.t.d, sq, blocks, blocks & 1, true);
        drv_sq_ring(b.t.d, sq);
        drv_sq_expect(b.t.d, sq, index);
        g_assert_cmpuint(sq->pc & (size - 1), ==, 0);
        at = bsd_record(&b, 100);
        bsd_xmit(&b, at, b.clear->len - at, 0);
    }
    bsd_tx_stop(&b);
}

/* -------------------------------------------------------- receive queue --- */

enum { LIST_LOG = 3, LIST_SIZE = 1 << LIST_LOG, LIST_STRIDE = 6,
       LIST_SEGS = 3, LIST_SEG_LEN = 700 };

typedef struct BsdList {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    DrvSteering st;
    uint64_t buf;
    unsigned tail; /* the WQE that ends the list: never given to the device */
} BsdList;

static uint64_t list_buf(const BsdList *l, unsigned i)
{
    return l->buf + i * LIST_SEGS * LIST_SEG_LEN;
}

static void list_link(BsdList *l, unsigned i, uint16_t next)
{
    uint8_t b[2] = { next >> 8, next };

    drv_write(l->d, l->rq.buf + (i << LIST_STRIDE) + 2, b, 2);
}

/* A list in the order of numbers, of which all but the last WQE are posted. */
static void list_start(BsdList *l)
{
    g_autofree uint8_t *in = NULL;
    unsigned i, j;
    uint32_t len;

    l->d = drv_start_up("");
    drv_eq_create(l->d, &l->eq, 6, 0, 0);
    drv_cq_create(l->d, &l->cq, 6, l->eq.eqn);
    in = drv_rq_cmd(l->d, &l->rq, LIST_LOG, LIST_STRIDE, &l->cq, 0, false,
                    &len);
    MLX5_SET(wq, in + 0x50, wq_type, 0);
    l->rq.rqn = drv_create(l->d, in, len);
    g_assert_cmphex(drv_rq_modify(l->d, &l->rq, DRV_RST, DRV_RDY).status, ==,
                    0);
    drv_steer_all(l->d, &l->st, drv_tir_direct(l->d, l->rq.rqn), 0);
    l->buf = drv_mem(l->d, LIST_SIZE * LIST_SEGS * LIST_SEG_LEN);
    for (i = 0; i < LIST_SIZE; i++) {
        list_link(l, i, i + 1);
        for (j = 0; j < LIST_SEGS; j++) {
            uint8_t seg[16] = { 0 };

            MLX5_SET(wqe_data, seg, is_inline, 1);
            MLX5_SET(wqe_data, seg, byte_count, LIST_SEG_LEN);
            MLX5_SET(wqe_data, seg, lkey, l->d->lkey);
            MLX5_SET(wqe_data, seg, addr, list_buf(l, i) + j * LIST_SEG_LEN);
            drv_write(l->d, l->rq.buf + (i << LIST_STRIDE) + 16 + j * 16, seg,
                      16);
        }
    }
    l->tail = LIST_SIZE - 1;
    l->rq.pc = LIST_SIZE - 1;
    drv_rq_publish(l->d, &l->rq);
}

/* WQE @i is done with: it becomes the end of the list, and one is posted. */
static void list_recycle(BsdList *l, unsigned i)
{
    list_link(l, l->tail, i);
    l->tail = i;
    l->rq.pc++;
    drv_rq_publish(l->d, &l->rq);
}

/* Sends a packet, which must come to WQE @want; all of it if @whole. */
static void list_pass(BsdList *l, unsigned want, unsigned n, bool whole)
{
    FrameSpec s = rig_spec(4, 6, n);
    Frame f = frame_build(&s);
    uint8_t buf[LIST_SEGS * LIST_SEG_LEN], cqe[64];

    g_assert_cmpuint(f.len, <=, sizeof(buf));
    drv_wire_send(l->d, f.data, f.len);
    drv_cq_wait(l->d, &l->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, whole ? CQE_RESP :
                                                            CQE_RESP_ERR);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, want);
    if (whole) {
        g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, f.len);
        drv_read(l->d, list_buf(l, want), buf, f.len);
        g_assert_cmpmem(buf, f.len, f.data, f.len);
    } else {
        g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_LEN);
    }
    frame_free(&f);
}

/*
 * Its receive queues are lists, one WQE linked to the next, and a CQE names the
 * WQE. Without strides; the links decide, not the numbers.
 */
static void test_rx_list(void)
{
    static const unsigned sizes[] = { 0, 60, 633, 646, 647, 1400, 1446 };
    unsigned order[3], i, round, next = 0, links[LIST_SIZE];
    BsdList l;

    list_start(&l);
    for (i = 0; i < LIST_SIZE; i++) {
        links[i] = i + 1;
    }
    for (round = 0; round < 40; round++) {
        for (i = 0; i < 3; i++) {
            list_pass(&l, next, sizes[(round * 3 + i) % 7], true);
            order[i] = next;
            next = links[next];
        }
        /* given back in another order than they came */
        for (i = 0; i < 3; i++) {
            unsigned done = order[(i + round) % 3];

            links[l.tail] = done;
            list_recycle(&l, done);
        }
    }
    /* a WQE that is too short is used up, and the next is another */
    drv_write32(l.d, l.rq.buf + (next << LIST_STRIDE) + 32, 0);
    list_pass(&l, next, 1000, false);
    next = links[next];
    list_pass(&l, next, 1000, true);
    g_assert_cmpuint(drv_rq_state(l.d, &l.rq), ==, DRV_RDY);
    /* from the beginning again */
    g_assert_cmphex(drv_rq_modify(l.d, &l.rq, DRV_RDY, DRV_RST).status, ==, 0);
    l.rq.pc = 1;
    drv_rq_publish(l.d, &l.rq);
    g_assert_cmphex(drv_rq_modify(l.d, &l.rq, DRV_RST, DRV_RDY).status, ==, 0);
    list_pass(&l, 0, 100, true);
    drv_stop(l.d);
}

/* A link that leads out of the ring ends the queue. */
static void test_rx_list_bad_link(void)
{
    FrameSpec s = rig_spec(4, 6, 100);
    uint8_t cqe[64];
    BsdList l;
    Frame f;

    list_start(&l);
    list_link(&l, 0, LIST_SIZE);
    list_pass(&l, 0, 100, true);
    f = frame_build(&s);
    drv_wire_send(l.d, f.data, f.len);
    frame_free(&f);
    drv_cq_wait(l.d, &l.cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, SYN_PROT);
    g_assert_cmpuint(drv_rq_state(l.d, &l.rq), ==, DRV_ERR);
    drv_stop(l.d);
}

void mlx5_freebsd_tests(void)
{
    qtest_add_func("mlx5-ktls/freebsd/tx-first", test_tx_first);
    qtest_add_func("mlx5-ktls/freebsd/tx-first-unforced",
                   test_tx_first_unforced);
    qtest_add_func("mlx5-ktls/freebsd/tx-partial-dump", test_tx_partial_dump);
    qtest_add_func("mlx5-ktls/freebsd/tx-random", test_tx_random);
    qtest_add_func("mlx5-ktls/freebsd/tx-nop", test_tx_nop);
    qtest_add_func("mlx5-ktls/freebsd/rx-list", test_rx_list);
    qtest_add_func("mlx5-ktls/freebsd/rx-list-bad-link",
                   test_rx_list_bad_link);
}
