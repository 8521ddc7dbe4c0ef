/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of strict=on: no reports while driver and device are correct, and each
 * violation that a driver alone can provoke. In builds with MLX5_BREAK the
 * device is also broken on purpose, once for each of the other reasons. Owns no
 * state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "qobject/qdict.h"

#define MEM 0x10000
#define RX_BUF 2048
#define RX_LOG 4

/* cqe.tls_offload */
enum { NOT_DECRYPTED = 0, DECRYPTED = 1, RESYNC = 2, ERROR = 3 };

typedef struct Strict {
    Drv *d;
    DrvEq eq;
    DrvCq cq, rx_cq;
    DrvSq sq;
    DrvRq rq;
    DrvSteering st;
    TlsConn c;
    uint32_t dek, tisn, tirn;
    uint64_t mem, rx_mem;
    /* a stream of records: as handed in, and as it travels */
    GByteArray *clear, *wire;
    size_t start[8]; /* where they begin */
    unsigned records;
    uint32_t seq0;
} Strict;

static void strict_rig(Strict *t, const char *props)
{
    g_autofree char *all = g_strdup_printf(",strict=on%s", props);

    memset(t, 0, sizeof(*t));
    t->d = drv_start_up(all);
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, 6, t->eq.eqn);
    drv_cq_create(t->d, &t->rx_cq, 6, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, 6, &t->cq, 0);
    drv_rq_create(t->d, &t->rq, RX_LOG, 4, &t->rx_cq, 0, false);
    t->mem = drv_mem(t->d, MEM);
    t->rx_mem = drv_mem(t->d, RX_BUF << RX_LOG);
    tls_conn(&t->c, 0, 3);
    t->seq0 = t->c.seq;
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tisn = drv_tis_tls(t->d);
    t->tirn = drv_tir_tls(t->d, t->rq.rqn);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
    t->clear = g_byte_array_new();
    t->wire = g_byte_array_new();
    for (t->records = 0; t->records < G_N_ELEMENTS(t->start); t->records++) {
        t->start[t->records] = t->wire->len;
        tls_pattern(&t->c, 300, t->clear, t->wire);
    }
}

static void strict_stop(Strict *t)
{
    g_byte_array_unref(t->clear);
    g_byte_array_unref(t->wire);
    drv_stop(t->d);
}

static QDict *violations(Strict *t)
{
    return qtest_qmp_assert_success_ref(
        t->d->qts, "{'execute': 'qom-get', 'arguments': "
        "{'path': " "%s" ", 'property': 'strict-violations'}}", DRV_QOM_PATH);
}

/* -------------------------------------------------------------- sending --- */

static void post_static(Strict *t, unsigned record, bool fence)
{
    TlsConn c = t->c;
    uint8_t p[TLS_STATIC_LEN];
    DrvWqe w;

    c.rec_no = c.rec_no - t->records + record;
    tls_static(p, &c, t->dek, 0);
    drv_wqe_static(&w, &t->sq, false, t->tisn, p, fence, false);
    drv_sq_put(t->d, &t->sq, &w);
}

static void post_psv(Strict *t, bool fence)
{
    DrvWqe w;

    drv_wqe_set_psv(&w, &t->sq, false, t->tisn, 0, fence, false);
    drv_sq_put(t->d, &t->sq, &w);
}

static void post_nop(Strict *t, bool fence)
{
    DrvWqe w;

    drv_wqe(&w, &t->sq, WQE_NOP, false);
    MLX5_SET(wqe_ctrl, w.b, fm, fence);
    drv_sq_put(t->d, &t->sq, &w);
}

static void post_params(Strict *t, unsigned record)
{
    post_static(t, record, true);
    post_psv(t, false);
    post_nop(t, true);
}

static void post_dump(Strict *t, size_t at, size_t n)
{
    DrvWqe w;

    drv_write(t->d, t->mem + MEM / 2, t->clear->data + at, n);
    drv_wqe_dump(&w, &t->sq, t->tisn, t->d->lkey, t->mem + MEM / 2, n, false);
    drv_sq_put(t->d, &t->sq, &w);
}

/* Stream bytes as one packet, or cut to @mss. Returns the WQE's index. */
static uint16_t post_data(Strict *t, size_t at, size_t n, unsigned mss, bool ce)
{
    FrameSpec s = rig_spec(4, 6, n);
    uint16_t index;
    Frame f;
    DrvWqe w;

    s.seq = t->seq0 + at;
    s.payload = t->clear->data + at;
    f = frame_build(&s);
    drv_write(t->d, t->mem + at, t->clear->data + at, n);
    drv_wqe(&w, &t->sq, mss ? WQE_LSO : WQE_SEND, ce);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, t->tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, mss, f.data, f.payload);
    drv_wqe_data(&w, t->d->lkey, t->mem + at, n);
    index = drv_sq_put(t->d, &t->sq, &w);
    frame_free(&f);
    return index;
}

static void finish(Strict *t, uint16_t index)
{
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

static void send_data(Strict *t, size_t at, size_t n, unsigned mss)
{
    finish(t, post_data(t, at, n, mss, true));
}

/* As the driver sends, loses and sends again. */
static void test_tx_silent(void)
{
    Strict t;

    strict_rig(&t, "");
    post_static(&t, 0, false);
    post_psv(&t, true);
    post_nop(&t, true);
    send_data(&t, 0, t.start[1], 0);
    send_data(&t, t.start[1], t.start[5] - t.start[1], 400);
    /* back into record 2 and on to its end, then to where it was */
    post_params(&t, 2);
    post_dump(&t, t.start[2], 100);
    send_data(&t, t.start[2] + 100, t.start[3] - t.start[2] - 100, 0);
    post_params(&t, 5);
    send_data(&t, t.start[5], t.start[6] - t.start[5], 100);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_packets"), ==, 4);
    drv_strict_expect(t.d, NULL);
    strict_stop(&t);
}

/*
 * Data is posted right behind parameters: nothing says that they are in force.
 */
static void test_fence_data(void)
{
    Strict t;

    strict_rig(&t, "");
    post_static(&t, 0, true);
    post_psv(&t, false);
    send_data(&t, 0, t.start[1], 0);
    drv_strict_expect(t.d, "fence_data");
    strict_stop(&t);

    strict_rig(&t, "");
    post_static(&t, 0, true);
    post_psv(&t, false);
    post_dump(&t, 0, 20);
    send_data(&t, 20, t.start[1] - 20, 0);
    drv_strict_expect(t.d, "fence_data");
    strict_stop(&t);
}

/*
 * A completion settles what it says, and when it is there: not while a fault
 * keeps it back, and not what was executed after it.
 */
static void test_fence_held(void)
{
    uint16_t index;
    unsigned held;
    DrvWqe w;
    Strict t;

    for (held = 0; held < 3; held++) {
        strict_rig(&t, "");
        if (held) {
            fault_add(t.d, "hold wqe=NOP count=1 name=x");
        }
        drv_wqe(&w, &t.sq, WQE_NOP, true);
        if (held < 2) {
            post_static(&t, 0, true);
            post_psv(&t, false);
            index = drv_sq_put(t.d, &t.sq, &w);
        } else {
            /* the completion is of a WQE before them */
            index = drv_sq_put(t.d, &t.sq, &w);
            post_static(&t, 0, true);
            post_psv(&t, false);
        }
        drv_sq_ring(t.d, &t.sq);
        if (held != 1) {
            if (held) {
                DRV_WAIT(fault_rule(t.d, 0).waiting == 1);
                drv_settle(t.d);
                fault_release(t.d, "x", 1);
            }
            drv_sq_expect(t.d, &t.sq, index);
        } else {
            DRV_WAIT(fault_rule(t.d, 0).waiting == 1);
        }
        post_data(&t, 0, t.start[1], 0, false);
        drv_sq_ring(t.d, &t.sq);
        DRV_WAIT(drv_counter(t.d, "tls_tx_packets") == 1);
        drv_strict_expect(t.d, held ? "fence_data" : NULL);
        strict_stop(&t);
    }
}

/* Parameters are posted right behind data that still needs the old ones. */
static void test_fence_params(void)
{
    Strict t;

    strict_rig(&t, "");
    post_params(&t, 0);
    post_data(&t, 0, t.start[1], 0, false);
    post_static(&t, 1, false);
    post_psv(&t, false);
    post_nop(&t, true);
    send_data(&t, t.start[1], 100, 0);
    drv_strict_expect(t.d, "fence_params");
    strict_stop(&t);
}

/* A sender that changes what it sends again. */
static void test_nonce_reuse(void)
{
    Strict t;

    strict_rig(&t, "");
    post_params(&t, 0);
    send_data(&t, 0, t.start[2], 0);
    drv_strict_expect(t.d, NULL);
    t.clear->data[t.start[1] + 50] ^= 1;
    post_params(&t, 1);
    post_dump(&t, t.start[1], 100);
    send_data(&t, t.start[1] + 100, 10, 0);
    drv_strict_expect(t.d, "tx_nonce_reuse");
    strict_stop(&t);
}

/* The knob that makes a device not look at the sequence number. */
static void test_sequence(void)
{
    Strict t;

    strict_rig(&t, ",tx-seq-check=ignore");
    post_params(&t, 0);
    send_data(&t, 0, t.start[1], 0);
    send_data(&t, t.start[2], t.start[3] - t.start[2], 0);
    drv_strict_expect(t.d, "tx_sequence");
    strict_stop(&t);
}

static void modify_key(Strict *t, const uint8_t *key)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(t->d, key, t->c.key_len, &len);

    drv_dek_hdr(in, OP_MODIFY_GENERAL_OBJECT, t->dek, 0);
    MLX5_SET(encryption_key_obj, in + 16, modify_field_select, 1);
    drv_cmd_ok(t->d, in, len, NULL, 16);
}

/* A key is loaded over one that is in use; SYNC_CRYPTO in between or not. */
static void test_dek_unsynced(void)
{
    uint8_t other[32] = { 1, 2, 3 };
    DrvWqe w;
    Strict t;

    strict_rig(&t, "");
    post_params(&t, 0);
    send_data(&t, 0, t.start[1], 0);
    modify_key(&t, other);
    g_assert_cmphex(drv_sync_crypto(t.d, 2).status, ==, 0);
    post_params(&t, 1);
    send_data(&t, t.start[1], t.start[2] - t.start[1], 0);
    drv_strict_expect(t.d, NULL);
    modify_key(&t, t.c.key);
    post_params(&t, 2);
    drv_wqe(&w, &t.sq, WQE_NOP, true);
    finish(&t, drv_sq_put(t.d, &t.sq, &w));
    drv_strict_expect(t.d, "dek_unsynced");
    strict_stop(&t);
}

/* Data goes on through a context after its key was destroyed, or replaced. */
static void test_dek_stale(void)
{
    uint8_t other[32] = { 1, 2, 3 };
    unsigned gone;
    Strict t;

    for (gone = 0; gone < 2; gone++) {
        strict_rig(&t, "");
        post_params(&t, 0);
        send_data(&t, 0, t.start[1], 0);
        if (gone) {
            drv_dek_destroy(t.d, t.dek);
        } else {
            modify_key(&t, other);
        }
        drv_strict_expect(t.d, NULL);
        send_data(&t, t.start[1], t.start[2] - t.start[1], 0);
        drv_strict_expect(t.d, "dek_stale");
        strict_stop(&t);
    }
}

/* ------------------------------------------------------------ receiving --- */

static void rx_setup(Strict *t)
{
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = t->c;
    unsigned i;
    DrvWqe w;

    c.rec_no -= t->records;
    tls_static(p, &c, t->dek, 0);
    drv_wqe_static(&w, &t->sq, true, t->tirn, p, false, false);
    drv_sq_put(t->d, &t->sq, &w);
    drv_wqe_set_psv(&w, &t->sq, true, t->tirn, t->seq0, false, true);
    finish(t, drv_sq_put(t->d, &t->sq, &w));
    for (i = 0; i < 1u << RX_LOG; i++) {
        DrvSeg seg = { .addr = t->rx_mem + i * RX_BUF, .len = RX_BUF };

        drv_rq_post(t->d, &t->rq, &seg, 1);
    }
    drv_rq_publish(t->d, &t->rq);
}

/* Stream bytes come in; returns the flag. */
static unsigned rx_data(Strict *t, size_t at, size_t n)
{
    FrameSpec s = rig_spec(4, 6, n);
    uint8_t cqe[64];
    Frame f;

    s.seq = t->seq0 + at;
    s.payload = t->wire->data + at;
    f = frame_build(&s);
    drv_wire_send(t->d, f.data, f.len);
    frame_free(&f);
    drv_cq_wait(t->d, &t->rx_cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    return MLX5_GET(cqe, cqe, tls_offload);
}

/* In order, a hole, a lost header with the approval that follows, a bad tag. */
static void test_rx_silent(void)
{
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c;
    DrvWqe w;
    Strict t;

    strict_rig(&t, "");
    rx_setup(&t);
    g_assert_cmpuint(rx_data(&t, 0, 100), ==, DECRYPTED);
    g_assert_cmpuint(rx_data(&t, 120, t.start[1] - 120), ==, NOT_DECRYPTED);
    g_assert_cmpuint(rx_data(&t, t.start[1], 100), ==, DECRYPTED);
    g_assert_cmpuint(rx_data(&t, t.start[2] + 3, t.start[3] + 50 - t.start[2]),
                     ==, RESYNC);
    c = t.c;
    c.rec_no = c.rec_no - t.records + 3;
    tls_static(p, &c, t.dek, t.seq0 + t.start[3]);
    drv_wqe_static(&w, &t.sq, true, t.tirn, p, false, true);
    finish(&t, drv_sq_put(t.d, &t.sq, &w));
    g_assert_cmpuint(rx_data(&t, t.start[3] + 53, t.start[5] - t.start[3] - 53),
                     ==, NOT_DECRYPTED);
    g_assert_cmpuint(rx_data(&t, t.start[5], t.start[6] - t.start[5]), ==,
                     DECRYPTED);
    t.wire->data[t.start[7] - 1] ^= 1;
    g_assert_cmpuint(rx_data(&t, t.start[6], t.start[7] - t.start[6]), ==,
                     ERROR);
    drv_strict_expect(t.d, NULL);
    strict_stop(&t);
}

/* ------------------------------------------------------------- property --- */

static void set_strict(Strict *t, bool on)
{
    qtest_qmp_assert_success(
        t->d->qts, "{'execute': 'qom-set', 'arguments': {'path': " "%s"
        ", 'property': 'strict', 'value': %i}}", DRV_QOM_PATH, on);
}

/*
 * Switched off it says nothing; switched on again it leaves alone what is old.
 */
static void test_switch(void)
{
    QDict *dict;
    Strict t;

    strict_rig(&t, "");
    set_strict(&t, false);
    post_static(&t, 0, true);
    post_psv(&t, false);
    send_data(&t, 0, t.start[1], 0);
    drv_strict_expect(t.d, NULL);
    set_strict(&t, true);
    send_data(&t, t.start[1], t.start[2] - t.start[1], 0);
    drv_strict_expect(t.d, NULL);
    t.tisn = drv_tis_tls(t.d);
    post_static(&t, 0, true);
    post_psv(&t, false);
    send_data(&t, 0, t.start[1], 0);
    drv_strict_expect(t.d, "fence_data");
    /* counts stay when it is switched off */
    set_strict(&t, false);
    drv_strict_expect(t.d, "fence_data");
    dict = violations(&t);
    g_assert_cmpuint(qdict_size(dict), ==, 19);
    qobject_unref(dict);
    strict_stop(&t);
}

/* ---------------------------------------------------- broken on purpose --- */

#ifdef MLX5_BREAK

/* A broken device may well be found out in more than one way. */
static void expect_found(Strict *t, const char *reason)
{
    QDict *dict = violations(t);

    g_assert_cmpint(qdict_get_int(dict, reason), >, 0);
    qobject_unref(dict);
}

static void break_tx(const void *reason)
{
    g_autofree char *props = g_strdup_printf(",break=%s", (const char *)reason);
    Strict t;

    strict_rig(&t, props);
    post_params(&t, 0);
    post_dump(&t, 0, 100);
    send_data(&t, 100, t.start[1] - 100, 0);
    if (!strcmp(reason, "tx_header") || !strcmp(reason, "tx_plaintext")) {
        /* a packet that begins with a header, and one without a tag in it */
        post_params(&t, 1);
        send_data(&t, t.start[1], 200, 0);
    }
    expect_found(&t, reason);
    strict_stop(&t);
}

static void break_rx(const void *reason)
{
    g_autofree char *props = g_strdup_printf(",break=%s", (const char *)reason);
    Strict t;

    strict_rig(&t, props);
    rx_setup(&t);
    rx_data(&t, 0, t.start[1]);
    rx_data(&t, t.start[1], 100);
    /* a header is lost: candidate */
    rx_data(&t, t.start[2] + 3, t.start[3] + 50 - t.start[2]);
    expect_found(&t, reason);
    strict_stop(&t);
}

/*
 * A packet with flag 3 is looked at too, whatever rx-error-bytes makes of it.
 */
static void break_rx_error(void)
{
    static const char *const values[] = { "record", "packet", "wire" };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(values); i++) {
        Strict t;

        strict_rig(&t, ",break=rx_altered");
        fault_do(t.d, "rx-error-bytes", values[i]);
        rx_setup(&t);
        t.wire->data[t.start[1] - 1] ^= 1;
        g_assert_cmpuint(rx_data(&t, 0, t.start[1] + 50), ==, ERROR);
        drv_strict_expect(t.d, "rx_altered");
        strict_stop(&t);
    }
}

/* A name that is no reason is refused with a sentence. */
static void break_bad_name(void)
{
    QDict *rsp;
    Strict t;

    strict_rig(&t, "");
    rsp = qtest_qmp(t.d->qts, "{'execute': 'qom-set', 'arguments': {'path': "
                    "%s" ", 'property': 'break', 'value': 'nonsense'}}",
                    DRV_QOM_PATH);
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    strict_stop(&t);
}

static void break_tests(void)
{
    static const char *const tx[] = {
        "tx_bypass", "tx_plaintext", "tx_ciphertext", "tx_header", "tx_dump",
    };
    static const char *const rx[] = {
        "rx_flag", "rx_untracked", "rx_payload", "rx_altered", "rx_framing",
        "rx_checksum", "rx_resync",
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(tx); i++) {
        g_autofree char *path = g_strdup_printf("mlx5-ktls/break/%s", tx[i]);

        qtest_add_data_func(path, tx[i], break_tx);
    }
    for (i = 0; i < G_N_ELEMENTS(rx); i++) {
        g_autofree char *path = g_strdup_printf("mlx5-ktls/break/%s", rx[i]);

        qtest_add_data_func(path, rx[i], break_rx);
    }
    qtest_add_func("mlx5-ktls/break/rx_altered-error", break_rx_error);
    qtest_add_func("mlx5-ktls/break/bad-name", break_bad_name);
}

#endif

void mlx5_strict_tests(void)
{
    qtest_add_func("mlx5-ktls/strict/tx-silent", test_tx_silent);
    qtest_add_func("mlx5-ktls/strict/rx-silent", test_rx_silent);
    qtest_add_func("mlx5-ktls/strict/fence-data", test_fence_data);
    qtest_add_func("mlx5-ktls/strict/fence-params", test_fence_params);
    qtest_add_func("mlx5-ktls/strict/fence-held", test_fence_held);
    qtest_add_func("mlx5-ktls/strict/nonce-reuse", test_nonce_reuse);
    qtest_add_func("mlx5-ktls/strict/sequence", test_sequence);
    qtest_add_func("mlx5-ktls/strict/dek-unsynced", test_dek_unsynced);
    qtest_add_func("mlx5-ktls/strict/dek-stale", test_dek_stale);
    qtest_add_func("mlx5-ktls/strict/switch", test_switch);
#ifdef MLX5_BREAK
    break_tests();
#endif
}
