/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of faults in TLS WQEs: lost, late or wrong parameters, late or wrong
 * results of GET_PSV. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"

/* cqe.tls_offload */
enum { NOT_DECRYPTED = 0, DECRYPTED = 1, RESYNC = 2, ERROR = 3 };
/* progress params' third dword: record_tracker_state and auth_state */
enum {
    START = 0x00,
    CANDIDATE = 0x40, /* TRACKING, NO_OFFLOAD */
    OFFLOAD = 0x50,
    AUTHENTICATION = 0x60,
    SEARCHING = 0x80,
};

/* ------------------------------------------------------------ reception --- */

enum { LOG_RQ = 5, RECORDS = 16, RECORD = 200, BUF = 2048 };

/* A receiving context, and a stream of records of one packet each. */
typedef struct Bench {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    DrvCq sq_cq;
    DrvSq sq; /* for control WQEs */
    DrvSteering st;
    TlsConn c;
    uint32_t dek;
    uint32_t tirn;
    uint64_t buf;
    uint64_t psv;
    GByteArray *wire;
    uint32_t seq0;
    size_t at[RECORDS + 1];
    uint64_t no0;
} Bench;

static uint16_t post(Bench *b, DrvWqe *w)
{
    uint16_t index = drv_sq_put(b->d, &b->sq, w);

    drv_sq_ring(b->d, &b->sq);
    return index;
}

/* Static params that say record @n begins at @resync_tcp_sn. */
static uint16_t post_static(Bench *b, unsigned n, uint32_t resync_tcp_sn)
{
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = b->c;
    DrvWqe w;

    c.rec_no = b->no0 + n;
    tls_static(p, &c, b->dek, resync_tcp_sn);
    drv_wqe_static(&w, &b->sq, true, b->tirn, p, false, true);
    return post(b, &w);
}

static uint16_t post_approval(Bench *b, unsigned n)
{
    return post_static(b, n, b->seq0 + b->at[n]);
}

static uint16_t post_set_psv(Bench *b)
{
    DrvWqe w;

    drv_wqe_set_psv(&w, &b->sq, true, b->tirn, b->seq0, false, true);
    return post(b, &w);
}

static uint16_t post_get_psv(Bench *b)
{
    DrvWqe w;

    qtest_memset(b->d->qts, b->psv, 0xcc, 64);
    drv_wqe_get_psv(&w, &b->sq, b->tirn, b->d->lkey, b->psv);
    return post(b, &w);
}

static void done(Bench *b, uint16_t index)
{
    drv_sq_expect(b->d, &b->sq, index);
}

static void not_done(Bench *b)
{
    uint8_t cqe[64];

    drv_settle(b->d);
    g_assert_false(drv_cq_peek(b->d, &b->sq_cq, cqe));
}

/* What is in memory is an answer with this state and hw_resync_tcp_sn. */
static void expect_answer(Bench *b, unsigned state, uint32_t hw_resync_tcp_sn)
{
    uint8_t image[16];

    drv_read(b->d, b->psv, image, sizeof(image));
    g_assert_cmphex(mlx5_ld32(image), ==, b->tirn);
    g_assert_cmphex(mlx5_ld32(image + 8), ==, hw_resync_tcp_sn);
    g_assert_cmphex(image[12], ==, state);
}

static void expect_psv(Bench *b, unsigned state, uint32_t hw_resync_tcp_sn)
{
    done(b, post_get_psv(b));
    expect_answer(b, state, hw_resync_tcp_sn);
}

static void post_buffers(Bench *b, unsigned n)
{
    while (n--) {
        DrvSeg seg = {
            .addr = b->buf + (b->rq.pc & ((1u << LOG_RQ) - 1)) * BUF,
            .len = BUF,
        };

        drv_rq_post(b->d, &b->rq, &seg, 1);
    }
    drv_rq_publish(b->d, &b->rq);
}

/* All but parameters. */
static void bench(Bench *b, unsigned kind)
{
    unsigned i;

    memset(b, 0, sizeof(*b));
    b->d = drv_start_up("");
    drv_eq_create(b->d, &b->eq, 6, 0, 0);
    drv_cq_create(b->d, &b->cq, LOG_RQ, b->eq.eqn);
    drv_cq_create(b->d, &b->sq_cq, 6, b->eq.eqn);
    drv_sq_create(b->d, &b->sq, 6, &b->sq_cq, 0);
    drv_rq_create(b->d, &b->rq, LOG_RQ, 4, &b->cq, 0, false);
    b->buf = drv_mem(b->d, BUF << LOG_RQ);
    b->psv = drv_mem(b->d, 64);
    tls_conn(&b->c, kind, kind);
    b->seq0 = b->c.seq;
    b->no0 = b->c.rec_no;
    b->dek = drv_dek_create(b->d, b->c.key, b->c.key_len);
    b->tirn = drv_tir_tls(b->d, b->rq.rqn);
    drv_steer_all(b->d, &b->st, b->tirn, 0);
    b->wire = g_byte_array_new();
    for (i = 0; i < RECORDS; i++) {
        tls_pattern(&b->c, RECORD, NULL, b->wire);
        b->at[i + 1] = b->wire->len;
    }
    post_buffers(b, 1 << LOG_RQ);
}

/* With parameters, ready for record 0. */
static void started(Bench *b, unsigned kind)
{
    bench(b, kind);
    done(b, post_static(b, 0, 0));
    done(b, post_set_psv(b));
}

static void bench_stop(Bench *b)
{
    g_byte_array_unref(b->wire);
    drv_stop(b->d);
}

/* Record @n arrives, in one packet; it gets this flag. */
static void record(Bench *b, unsigned n, unsigned flag)
{
    FrameSpec s = rig_spec(4, 6, b->at[n + 1] - b->at[n]);
    uint8_t cqe[64];
    Frame f;

    s.seq = b->seq0 + b->at[n];
    s.payload = b->wire->data + b->at[n];
    f = frame_build(&s);
    drv_wire_send(b->d, f.data, f.len);
    drv_cq_wait(b->d, &b->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, flag);
    frame_free(&f);
    post_buffers(b, 1);
}

/* Record 0 arrives, 1 is lost, 2 is the candidate. */
static void lose(Bench *b)
{
    record(b, 0, DECRYPTED);
    record(b, 2, RESYNC);
}

/* -------------------------------------------------------------- GET_PSV --- */

static void test_state(void)
{
    static const struct {
        const char *value;
        unsigned state;
    } rows[] = {
        { "start", START }, { "tracking", CANDIDATE },
        { "searching", SEARCHING }, { "offload", OFFLOAD },
        { "authentication", AUTHENTICATION },
    };
    unsigned i;
    Bench b;

    started(&b, 0);
    lose(&b);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *rule = g_strdup_printf(
            "state wqe=GET_PSV value=%s count=1", rows[i].value);

        fault_add(b.d, rule);
        expect_psv(&b, rows[i].state, b.seq0 + b.at[2]);
        /* The context itself is as it was. */
        expect_psv(&b, CANDIDATE, b.seq0 + b.at[2]);
        fault_clear(b.d);
    }
    bench_stop(&b);
}

static void test_seq(void)
{
    Bench b;

    started(&b, 1);
    lose(&b);
    fault_add(b.d, "seq wqe=GET_PSV add=100 count=1");
    expect_psv(&b, CANDIDATE, b.seq0 + b.at[2] + 100);
    expect_psv(&b, CANDIDATE, b.seq0 + b.at[2]);
    fault_clear(b.d);
    fault_add(b.d, "seq wqe=GET_PSV add=-5 dir=rx; "
              "state wqe=GET_PSV value=searching tirn=1..");
    expect_psv(&b, SEARCHING, b.seq0 + b.at[2] - 5);
    bench_stop(&b);
}

/* The answer is of when it was executed, however late it is said. */
static void test_get_psv_late(void)
{
    uint16_t index, later;
    Bench b;

    started(&b, 2);
    record(&b, 0, DECRYPTED);
    fault_add(b.d, "hold wqe=GET_PSV name=psv");
    index = post_get_psv(&b);
    not_done(&b);
    record(&b, 2, RESYNC);
    expect_answer(&b, OFFLOAD, 0);
    fault_release(b.d, "psv", 1);
    done(&b, index);
    expect_answer(&b, OFFLOAD, 0);
    fault_clear(b.d);
    /* ... or executed late, and what is behind it too. */
    fault_add(b.d, "hold wqe=GET_PSV name=psv at=execution");
    record(&b, 4, RESYNC);
    index = post_get_psv(&b);
    DRV_WAIT(fault_rule(b.d, 0).waiting == 1);
    later = post_approval(&b, 4);
    not_done(&b);
    record(&b, 6, RESYNC);
    fault_release(b.d, "psv", 1);
    done(&b, index);
    expect_answer(&b, CANDIDATE, b.seq0 + b.at[6]);
    done(&b, later);
    fault_clear(b.d);
    /* The approval was of a candidate that is no more. */
    expect_psv(&b, CANDIDATE, b.seq0 + b.at[6]);
    bench_stop(&b);
}

/* Packets count that the context's TIR gets. */
static void test_get_psv_packets(void)
{
    uint16_t index;
    Bench b;

    started(&b, 0);
    lose(&b);
    fault_add(b.d, "delay wqe=GET_PSV packets=3");
    index = post_get_psv(&b);
    DRV_WAIT(fault_rule(b.d, 0).waiting == 1);
    record(&b, 3, NOT_DECRYPTED);
    record(&b, 4, NOT_DECRYPTED);
    not_done(&b);
    record(&b, 5, NOT_DECRYPTED);
    done(&b, index);
    expect_answer(&b, CANDIDATE, b.seq0 + b.at[2]);
    fault_expect(b.d, 0, 1, 1, 0);
    fault_clear(b.d);
    /* Not those of another TIR. */
    drv_unsteer(b.d, &b.st);
    drv_steer_all(b.d, &b.st, drv_tir_direct(b.d, b.rq.rqn), 0);
    fault_add(b.d, "delay wqe=GET_PSV packets=1");
    index = post_get_psv(&b);
    DRV_WAIT(fault_rule(b.d, 0).waiting == 1);
    record(&b, 6, NOT_DECRYPTED);
    not_done(&b);
    drv_unsteer(b.d, &b.st);
    drv_steer_all(b.d, &b.st, b.tirn, 0);
    record(&b, 6, NOT_DECRYPTED);
    done(&b, index);
    bench_stop(&b);
}

static void test_get_psv_error(void)
{
    Bench b;

    started(&b, 0);
    lose(&b);
    fault_add(b.d, "error wqe=GET_PSV syndrome=0x68");
    drv_sq_expect_error(b.d, &b.sq, post_get_psv(&b), 0x68);
    g_assert_cmpuint(drv_sq_state(b.d, &b.sq), ==, DRV_ERR);
    bench_stop(&b);
}

/* Done, it is said, but nothing is in memory. */
static void test_get_psv_swallowed(void)
{
    uint8_t image[64];
    unsigned i;
    Bench b;

    started(&b, 0);
    fault_add(b.d, "swallow wqe=GET_PSV");
    done(&b, post_get_psv(&b));
    drv_read(b.d, b.psv, image, sizeof(image));
    for (i = 0; i < sizeof(image); i++) {
        g_assert_cmphex(image[i], ==, 0xcc);
    }
    bench_stop(&b);
}

/* ------------------------------------------------------------ approvals --- */

/* Setting a context up is none. */
static void test_ignore(void)
{
    Bench b;

    bench(&b, 1);
    fault_add(b.d, "ignore approval count=1");
    done(&b, post_static(&b, 0, 0));
    done(&b, post_set_psv(&b));
    fault_expect(b.d, 0, 0, 0, 0);
    lose(&b);
    done(&b, post_approval(&b, 2));
    fault_expect(b.d, 0, 1, 1, 0);
    expect_psv(&b, CANDIDATE, b.seq0 + b.at[2]);
    record(&b, 3, NOT_DECRYPTED);
    record(&b, 4, NOT_DECRYPTED);
    /* The next one is heard. */
    done(&b, post_approval(&b, 2));
    fault_expect(b.d, 0, 2, 1, 0);
    expect_psv(&b, AUTHENTICATION, b.seq0 + b.at[2]);
    record(&b, 5, NOT_DECRYPTED);
    record(&b, 6, DECRYPTED);
    bench_stop(&b);
}

/* A wrong record number: it does not authenticate, and nothing is decrypted. */
static void test_record(void)
{
    unsigned kind;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        Bench b;

        started(&b, kind);
        lose(&b);
        fault_add(b.d, kind % 2 ? "record approval add=1 count=1" :
                  "record wqe=UMR_STATIC dir=rx add=-1 count=1");
        done(&b, post_approval(&b, 2));
        expect_psv(&b, AUTHENTICATION, b.seq0 + b.at[2]);
        record(&b, 3, NOT_DECRYPTED);
        expect_psv(&b, SEARCHING, b.seq0 + b.at[2]);
        record(&b, 4, RESYNC);
        done(&b, post_approval(&b, 4));
        record(&b, 5, NOT_DECRYPTED);
        record(&b, 6, DECRYPTED);
        g_assert_cmpuint(drv_counter(b.d, "tls_rx_error"), ==, 0);
        bench_stop(&b);
    }
}

/* One for another place is stale. */
static void test_approval_seq(void)
{
    Bench b;

    started(&b, 0);
    lose(&b);
    fault_add(b.d, "seq approval add=1 count=1");
    done(&b, post_approval(&b, 2));
    expect_psv(&b, CANDIDATE, b.seq0 + b.at[2]);
    done(&b, post_approval(&b, 2));
    expect_psv(&b, AUTHENTICATION, b.seq0 + b.at[2]);
    bench_stop(&b);
}

/* Late, while the tracker counts on. */
static void test_approval_late(void)
{
    uint16_t index;
    Bench b;

    started(&b, 3);
    lose(&b);
    fault_add(b.d, "delay approval packets=4 at=execution");
    index = post_approval(&b, 2);
    DRV_WAIT(fault_rule(b.d, 0).waiting == 1);
    record(&b, 3, NOT_DECRYPTED);
    record(&b, 4, NOT_DECRYPTED);
    record(&b, 5, NOT_DECRYPTED);
    not_done(&b);
    record(&b, 6, NOT_DECRYPTED);
    done(&b, index);
    expect_psv(&b, AUTHENTICATION, b.seq0 + b.at[2]);
    record(&b, 7, NOT_DECRYPTED);
    record(&b, 8, DECRYPTED);
    bench_stop(&b);
}

/* ----------------------------------------------------- setting a TIR up --- */

static void test_setup(void)
{
    uint16_t index;
    Bench b;

    /* Static params lost. */
    bench(&b, 0);
    fault_add(b.d, "swallow wqe=UMR_STATIC tirn=1.. count=1");
    done(&b, post_static(&b, 0, 0));
    done(&b, post_set_psv(&b));
    record(&b, 0, NOT_DECRYPTED);
    bench_stop(&b);
    /* SET_PSV lost. */
    bench(&b, 0);
    fault_add(b.d, "swallow wqe=SET_PSV count=1");
    done(&b, post_static(&b, 0, 0));
    done(&b, post_set_psv(&b));
    record(&b, 0, NOT_DECRYPTED);
    done(&b, post_set_psv(&b));
    record(&b, 0, DECRYPTED);
    bench_stop(&b);
    /* SET_PSV with an anchor beyond record 0. */
    bench(&b, 0);
    fault_add(b.d, "seq wqe=SET_PSV add=1");
    done(&b, post_static(&b, 0, 0));
    done(&b, post_set_psv(&b));
    record(&b, 0, NOT_DECRYPTED);
    bench_stop(&b);
    /*
     * SET_PSV's completion late: the context works, its software does not know.
     */
    bench(&b, 0);
    fault_add(b.d, "hold wqe=SET_PSV");
    done(&b, post_static(&b, 0, 0));
    index = post_set_psv(&b);
    not_done(&b);
    record(&b, 0, DECRYPTED);
    fault_clear(b.d);
    done(&b, index);
    bench_stop(&b);
}

/* --------------------------------------------------------- transmission --- */

typedef struct Tx {
    TxRig rig;
    Drv *d;
    DrvSq *sq;
    TlsConn c;
    uint32_t dek;
    uint32_t tisn;
    uint64_t mem;
    GByteArray *clear;
    GByteArray *wire;
} Tx;

static void tx_params(Tx *t)
{
    uint8_t p[TLS_STATIC_LEN];
    DrvWqe w;

    tls_static(p, &t->c, t->dek, 0);
    drv_wqe_static(&w, t->sq, false, t->tisn, p, false, false);
    drv_sq_put(t->d, t->sq, &w);
    drv_wqe_set_psv(&w, t->sq, false, t->tisn, 0, true, false);
    drv_sq_put(t->d, t->sq, &w);
    drv_wqe(&w, t->sq, WQE_NOP, false);
    MLX5_SET(wqe_ctrl, w.b, fm, 1);
    drv_sq_put(t->d, t->sq, &w);
}

static void tx(Tx *t)
{
    memset(t, 0, sizeof(*t));
    tx_rig(&t->rig, 6);
    t->d = t->rig.d;
    t->sq = &t->rig.sq;
    tls_conn(&t->c, 0, 0);
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tisn = drv_tis_tls(t->d);
    t->mem = drv_mem(t->d, 4096);
    t->clear = g_byte_array_new();
    t->wire = g_byte_array_new();
}

static void tx_stop(Tx *t)
{
    g_byte_array_unref(t->clear);
    g_byte_array_unref(t->wire);
    drv_stop(t->d);
}

/* Posts one record as one packet; what must leave is in t->wire. */
static uint16_t tx_record(Tx *t, uint32_t seq)
{
    uint16_t index;
    FrameSpec s;
    DrvWqe w;
    Frame f;

    g_byte_array_set_size(t->clear, 0);
    g_byte_array_set_size(t->wire, 0);
    tls_pattern(&t->c, 100, t->clear, t->wire);
    s = rig_spec(4, 6, t->clear->len);
    s.seq = seq;
    s.payload = t->clear->data;
    f = frame_build(&s);
    drv_write(t->d, t->mem, t->clear->data, t->clear->len);
    drv_wqe(&w, t->sq, WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, t->tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, f.data, f.payload);
    drv_wqe_data(&w, t->d->lkey, t->mem, t->clear->len);
    index = drv_sq_put(t->d, t->sq, &w);
    drv_sq_ring(t->d, t->sq);
    frame_free(&f);
    return index;
}

static void tx_leaves(Tx *t, uint32_t seq)
{
    FrameSpec s = rig_spec(4, 6, t->wire->len);
    Frame f;

    s.seq = seq;
    s.payload = t->wire->data;
    f = frame_build(&s);
    expect_frame(t->d, f.data, f.len);
    frame_free(&f);
}

static void tx_nothing_leaves(Tx *t)
{
    drv_settle(t->d);
    g_assert_false(drv_wire_readable(t->d));
}

/*
 * A packet is lost before it is encrypted: the next is not the one that the
 * context expects, so it is dropped, until parameters come again.
 */
static void test_tx_swallow_packet(void)
{
    uint32_t seq = 1000, len = 5 + 8 + 100 + 16;
    Tx t;

    tx(&t);
    tx_params(&t);
    fault_add(t.d, "swallow wqe=SEND tisn=1.. nth=2");
    drv_sq_expect(t.d, t.sq, tx_record(&t, seq));
    tx_leaves(&t, seq);
    drv_sq_expect(t.d, t.sq, tx_record(&t, seq + len));
    drv_sq_expect(t.d, t.sq, tx_record(&t, seq + 2 * len));
    tx_nothing_leaves(&t);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_seq_mismatch"), ==, 1);
    fault_expect(t.d, 0, 3, 1, 0);
    tx_params(&t);
    drv_sq_expect(t.d, t.sq, tx_record(&t, seq + 3 * len));
    tx_leaves(&t, seq + 3 * len);
    tx_stop(&t);
}

/* Parameters lost: nothing leaves in clear, nor with the wrong number. */
static void test_tx_swallow_params(void)
{
    static const char *const rules[] = {
        "swallow wqe=UMR_STATIC dir=tx count=1",
        "swallow wqe=SET_PSV dir=tx count=1",
        "swallow wqe=UMR_STATIC,SET_PSV count=2",
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rules); i++) {
        Tx t;

        tx(&t);
        fault_add(t.d, rules[i]);
        tx_params(&t);
        drv_sq_expect(t.d, t.sq, tx_record(&t, 1));
        tx_nothing_leaves(&t);
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_no_ctx"), ==, 1);
        tx_params(&t);
        drv_sq_expect(t.d, t.sq, tx_record(&t, 1));
        tx_leaves(&t, 1);
        tx_stop(&t);
    }
}

/* A wrong number is used as it is told: the peer will not authenticate it. */
static void test_tx_record(void)
{
    uint8_t buf[DRV_MAX_FRAME];
    size_t n;
    Tx t;

    tx(&t);
    fault_add(t.d, "record wqe=UMR_STATIC add=1");
    tx_params(&t);
    drv_sq_expect(t.d, t.sq, tx_record(&t, 1));
    n = drv_wire_recv(t.d, buf);
    g_assert_cmpuint(n, >, t.wire->len);
    /* The same ciphertext, for the nonce is in the record; another tag. */
    g_assert_cmpmem(buf + n - t.wire->len, t.wire->len - TLS_TAG,
                    t.wire->data, t.wire->len - TLS_TAG);
    g_assert_cmpint(memcmp(buf + n - TLS_TAG,
                           t.wire->data + t.wire->len - TLS_TAG, TLS_TAG), !=,
                    0);
    tx_stop(&t);
}

/* Packets leave, their completions do not come: the driver's queue fills up. */
static void test_tx_hold(void)
{
    uint32_t seq = 7, len = 5 + 8 + 100 + 16;
    uint16_t index[3];
    unsigned i;
    Tx t;

    tx(&t);
    tx_params(&t);
    fault_add(t.d, "hold wqe=SEND tisn=1.. count=1 name=tx");
    for (i = 0; i < 3; i++) {
        index[i] = tx_record(&t, seq + i * len);
        tx_leaves(&t, seq + i * len);
    }
    fault_expect(t.d, 0, 3, 1, 1);
    fault_release(t.d, "tx", 1);
    for (i = 0; i < 3; i++) {
        drv_sq_expect(t.d, t.sq, index[i]);
    }
    tx_stop(&t);
}

void mlx5_fault_tls_tests(void)
{
    qtest_add_func("mlx5-ktls/fault-tls/state", test_state);
    qtest_add_func("mlx5-ktls/fault-tls/seq", test_seq);
    qtest_add_func("mlx5-ktls/fault-tls/get-psv-late", test_get_psv_late);
    qtest_add_func("mlx5-ktls/fault-tls/get-psv-packets",
                   test_get_psv_packets);
    qtest_add_func("mlx5-ktls/fault-tls/get-psv-error", test_get_psv_error);
    qtest_add_func("mlx5-ktls/fault-tls/get-psv-swallowed",
                   test_get_psv_swallowed);
    qtest_add_func("mlx5-ktls/fault-tls/ignore", test_ignore);
    qtest_add_func("mlx5-ktls/fault-tls/record", test_record);
    qtest_add_func("mlx5-ktls/fault-tls/approval-seq", test_approval_seq);
    qtest_add_func("mlx5-ktls/fault-tls/approval-late", test_approval_late);
    qtest_add_func("mlx5-ktls/fault-tls/setup", test_setup);
    qtest_add_func("mlx5-ktls/fault-tls/tx-swallow-packet",
                   test_tx_swallow_packet);
    qtest_add_func("mlx5-ktls/fault-tls/tx-swallow-params",
                   test_tx_swallow_params);
    qtest_add_func("mlx5-ktls/fault-tls/tx-record", test_tx_record);
    qtest_add_func("mlx5-ktls/fault-tls/tx-hold", test_tx_hold);
}
