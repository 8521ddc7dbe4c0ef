/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of encryption keys: both ways in which drivers create them, refusals,
 * the cache flushed by SYNC_CRYPTO, and the TLS properties. A key is identified
 * by the ciphertext it produces. Owns no state.
 */
#include "mlx5-tls.h"
#include "mlx5-tests.h"

#define KEY_128_AT 0x60
#define KEY_256_AT 0x50

/* A TIS and a queue to see what a key does. */
typedef struct KeyRig {
    TxRig rig;
    Drv *d;
    DrvSq *sq;
    uint32_t tisn;
    uint64_t mem;
} KeyRig;

static void key_rig(KeyRig *k, const char *props)
{
    memset(k, 0, sizeof(*k));
    k->d = k->rig.d = drv_start_up(props);
    drv_eq_create(k->d, &k->rig.eq, 6, 0, 0);
    drv_cq_create(k->d, &k->rig.cq, 6, k->rig.eq.eqn);
    drv_sq_create(k->d, &k->rig.sq, 6, &k->rig.cq, 0);
    k->sq = &k->rig.sq;
    k->tisn = drv_tis_tls(k->d);
    k->mem = drv_mem(k->d, 4096);
}

/*
 * Sends one record of @c with key number @dek through the TIS, set up anew.
 * What comes out must be @c's record, or nothing at all.
 */
static void try_key(KeyRig *k, const TlsConn *conn, uint32_t dek, bool works)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint8_t p[TLS_STATIC_LEN], marker[64] = { 0x02, 0xab };
    TlsConn c = *conn;
    uint16_t index;
    FrameSpec s;
    DrvWqe w;
    Frame f;

    tls_static(p, &c, dek, 0);
    drv_wqe_static(&w, k->sq, false, k->tisn, p, false, false);
    drv_sq_put(k->d, k->sq, &w);
    drv_wqe_set_psv(&w, k->sq, false, k->tisn, 0, true, false);
    drv_sq_put(k->d, k->sq, &w);
    tls_pattern(&c, 100, clear, wire);
    s = rig_spec(4, 6, clear->len);
    s.payload = clear->data;
    f = frame_build(&s);
    drv_write(k->d, k->mem, f.data, f.len);
    drv_wqe(&w, k->sq, WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, k->tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, NULL, 0);
    drv_wqe_data(&w, k->d->lkey, k->mem, f.len);
    frame_free(&f);
    index = drv_sq_put(k->d, k->sq, &w);
    drv_sq_ring(k->d, k->sq);
    drv_sq_expect(k->d, k->sq, index);
    if (works) {
        s.payload = wire->data;
        f = frame_build(&s);
        expect_frame(k->d, f.data, f.len);
        frame_free(&f);
    }
    index = drv_sq_send(k->d, k->sq, marker, sizeof(marker), 0);
    drv_sq_ring(k->d, k->sq);
    drv_sq_expect(k->d, k->sq, index);
    expect_frame(k->d, marker, sizeof(marker));
}

/*
 * A command for each connection, in the long form and in that of old kernels.
 */
static void test_single(void)
{
    unsigned kind, form;
    KeyRig k;

    key_rig(&k, ",log-dek-max-alloc=0");
    for (kind = 0; kind < TLS_KINDS; kind++) {
        for (form = 0; form < 2; form++) {
            uint8_t out[16];
            uint32_t len, id;
            g_autofree uint8_t *in = NULL;
            TlsConn c;

            tls_conn(&c, kind, form);
            in = drv_dek_cmd(k.d, c.key, c.key_len, &len);
            drv_cmd_ok(k.d, in, form ? 272 : len, out, sizeof(out));
            id = MLX5_GET(general_obj_out_cmd_hdr, out, obj_id);
            g_assert_cmpuint(id, >, 0);
            g_assert_cmpuint(id, <, 1u << 24); /* dek_index is that wide */
            g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 1);
            try_key(&k, &c, id, true);
            /* It may go while the TIS still has it in its parameters. */
            drv_dek_destroy(k.d, id);
            g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 0);
            try_key(&k, &c, id, false);
        }
    }
    drv_stop(k.d);
}

/* The card does not give keys away. */
static void test_query(void)
{
    uint8_t in[16] = { 0 }, out[16 + 512];
    TlsConn c;
    KeyRig k;
    unsigned i;
    uint32_t id;

    key_rig(&k, "");
    tls_conn(&c, 2, 1);
    id = drv_dek_create(k.d, c.key, 32);
    drv_dek_hdr(in, OP_QUERY_GENERAL_OBJECT, id, 0);
    drv_cmd_ok(k.d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(encryption_key_obj, out + 16, key_size), ==, 1);
    g_assert_cmpuint(MLX5_GET(encryption_key_obj, out + 16, key_purpose), ==,
                     1);
    g_assert_cmpuint(MLX5_GET(encryption_key_obj, out + 16, pd), ==, k.d->pd);
    for (i = 0x40; i < 512; i++) {
        g_assert_cmphex(out[16 + i], ==, 0);
    }
    drv_stop(k.d);
}

#define F(at, st, field) \
    #field, (at) * 8 + MLX5_BIT_##st##_##field, MLX5_WIDTH_##st##_##field
#define BAD(status, syn) MLX5_STATUS_##status, MLX5_SYN_##syn

static void test_refused(void)
{
    static const struct {
        const char *name;
        uint32_t bit;
        uint32_t width;
        uint64_t value;
        Mlx5Status status;
        Mlx5Syndrome syn;
    } rows[] = {
        { F(0, general_obj_in_cmd_hdr, obj_type), 0xd,
          BAD(BAD_PARAM, OBJ_BAD_TYPE) },
        { F(0, general_obj_in_cmd_hdr, obj_type), 0,
          BAD(BAD_PARAM, OBJ_BAD_TYPE) },
        { F(0, general_obj_in_cmd_hdr, log_obj_range), 13,
          BAD(EXCEED_LIM, DEK_RANGE) },
        { F(0, general_obj_in_cmd_hdr, log_obj_range), 31,
          BAD(EXCEED_LIM, DEK_RANGE) },
        { F(16, encryption_key_obj, key_size), 2,
          BAD(BAD_PARAM, DEK_BAD_SIZE) },
        { F(16, encryption_key_obj, key_purpose), 0,
          BAD(BAD_PARAM, DEK_BAD_PURPOSE) },
        { F(16, encryption_key_obj, key_purpose), 2, /* IPsec */
          BAD(BAD_PARAM, DEK_BAD_PURPOSE) },
        { F(16, encryption_key_obj, sw_wrapped), 1,
          BAD(BAD_PARAM, DEK_WRAPPED) },
        { F(16, encryption_key_obj, pd), 0, BAD(BAD_RES, NO_SUCH_PD) },
        { F(16, encryption_key_obj, pd), 999, BAD(BAD_RES, NO_SUCH_PD) },
    };
    uint8_t key[16] = { 0 }, hdr[16] = { 0 };
    g_autofree uint8_t *good = NULL;
    uint32_t len, id;
    unsigned i;
    KeyRig k;

    key_rig(&k, "");
    good = drv_dek_cmd(k.d, key, 16, &len);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *bad = g_memdup2(good, len);

        g_test_message("%s = %" PRIu64, rows[i].name, rows[i].value);
        mlx5_prm_set(bad, rows[i].bit, rows[i].width, rows[i].value);
        drv_cmd_fails(k.d, bad, len, 16, rows[i].status, rows[i].syn);
    }
    drv_cmd_fails(k.d, good, 100, 16, MLX5_STATUS_BAD_INPUT_LEN,
                  MLX5_SYN_INPUT_TOO_SHORT);
    g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 0);
    id = drv_dek_create(k.d, key, 16);
    /* MODIFY: only the key, only in the range, only of what is there */
    drv_dek_hdr(good, OP_MODIFY_GENERAL_OBJECT, id, 0);
    drv_cmd_fails(k.d, good, len, 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_DEK_MODIFY_FIELD);
    MLX5_SET(encryption_key_obj, good + 16, modify_field_select, 1);
    drv_dek_hdr(good, OP_MODIFY_GENERAL_OBJECT, id, 1);
    drv_cmd_fails(k.d, good, len, 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_DEK_BAD_OFFSET);
    drv_dek_hdr(good, OP_MODIFY_GENERAL_OBJECT, id + 1, 0);
    drv_cmd_fails(k.d, good, len, 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_DEK);
    drv_dek_hdr(hdr, OP_DESTROY_GENERAL_OBJECT, id + 1, 0);
    drv_cmd_fails(k.d, hdr, sizeof(hdr), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_DEK);
    drv_dek_destroy(k.d, id);
    drv_dek_hdr(hdr, OP_DESTROY_GENERAL_OBJECT, id, 0);
    drv_cmd_fails(k.d, hdr, sizeof(hdr), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_DEK);
    drv_stop(k.d);
}

/* The pool of newer drivers: ranges made empty, loaded key by key. */
static void test_range(void)
{
    uint32_t base, other, i;
    uint8_t hdr[16] = { 0 };
    TlsConn c[4];
    KeyRig k;

    key_rig(&k, ",log-dek-max-alloc=2");
    base = drv_dek_range(k.d, 2, 16);
    other = drv_dek_range(k.d, 2, 32);
    g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 8);
    g_assert_true(other >= base + 4 || base >= other + 4);
    for (i = 0; i < 4; i++) {
        tls_conn(&c[i], i & 1, 50 + i);
        try_key(&k, &c[i], base + i, false); /* nothing loaded yet */
        drv_dek_load(k.d, base, i, &c[i]);
    }
    for (i = 0; i < 4; i++) {
        try_key(&k, &c[i], base + i, true);
        try_key(&k, &c[i], other + i, false);
    }
    tls_conn(&c[0], 3, 77);
    drv_dek_load(k.d, other, 3, &c[0]);
    try_key(&k, &c[0], other + 3, true);
    /* Only the base stands for the range. */
    drv_dek_hdr(hdr, OP_DESTROY_GENERAL_OBJECT, base + 1, 0);
    drv_cmd_fails(k.d, hdr, sizeof(hdr), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_DEK);
    drv_dek_destroy(k.d, base);
    g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 4);
    try_key(&k, &c[1], base + 1, false);
    try_key(&k, &c[0], other + 3, true);
    drv_stop(k.d);
}

/* A key that has been used stays until SYNC_CRYPTO, whatever is loaded. */
static void test_sync(void)
{
    static const uint16_t types[] = { 0x1, 0x2, 0x3 };
    TlsConn old, new;
    uint32_t base;
    unsigned i;
    KeyRig k;

    key_rig(&k, ",log-dek-max-alloc=3");
    base = drv_dek_range(k.d, 3, 16);
    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        tls_conn(&old, 0, 10 + i);
        tls_conn(&new, 0, 90 + i);
        /* Loaded twice before it is used: the second counts. */
        drv_dek_load(k.d, base, i, &new);
        drv_dek_load(k.d, base, i, &old);
        try_key(&k, &old, base + i, true);
        drv_dek_load(k.d, base, i, &new);
        memcpy(new.key, old.key, sizeof(new.key));
        try_key(&k, &new, base + i, true);
        g_assert_cmpuint(drv_counter(k.d, "tls_dek_stale"), ==, i + 1);
        g_assert_cmphex(drv_sync_crypto(k.d, types[i]).status, ==, 0);
        tls_conn(&new, 0, 90 + i);
        try_key(&k, &new, base + i, true);
        g_assert_cmpuint(drv_counter(k.d, "tls_dek_stale"), ==, i + 1);
    }
    g_assert_cmphex(drv_sync_crypto(k.d, 0).syndrome, ==,
                    MLX5_SYNDROME_BASE + MLX5_SYN_SYNC_CRYPTO_TYPE);
    g_assert_cmphex(drv_sync_crypto(k.d, 0x4).status, ==,
                    MLX5_STATUS_BAD_PARAM);
    drv_stop(k.d);
}

static void test_limit(void)
{
    uint32_t len, i;
    g_autofree uint8_t *in = NULL;
    uint8_t key[16] = { 1 };
    KeyRig k;

    key_rig(&k, ",log-max-dek=4,log-dek-max-alloc=3");
    drv_dek_range(k.d, 3, 16);
    for (i = 0; i < 8; i++) {
        drv_dek_create(k.d, key, 16);
    }
    in = drv_dek_cmd(k.d, key, 16, &len);
    drv_cmd_fails(k.d, in, len, 16, MLX5_STATUS_EXCEED_LIM,
                  MLX5_SYN_OBJECT_LIMIT);
    g_assert_cmpuint(drv_objects(k.d, "dek"), ==, 16);
    drv_stop(k.d);
}

/* A key of one PD does not serve a TIS of another. */
static void test_other_pd(void)
{
    TlsConn c;
    uint32_t pd, dek;
    KeyRig k;

    key_rig(&k, "");
    tls_conn(&c, 0, 1);
    pd = k.d->pd;
    k.d->pd = drv_alloc(k.d, OP_ALLOC_PD);
    dek = drv_dek_create(k.d, c.key, c.key_len);
    k.d->pd = pd;
    try_key(&k, &c, dek, false);
    dek = drv_dek_create(k.d, c.key, c.key_len);
    try_key(&k, &c, dek, true);
    drv_stop(k.d);
}

/* ---------------------------------------------------------- properties --- */

/* What is announced is what there is. */
static void test_switches(void)
{
    static const struct {
        const char *props;
        bool tx, rx, pool;
    } rows[] = {
        { "", true, true, true },
        { ",tls-tx=off", false, true, true },
        { ",tls-rx=off", true, false, true },
        { ",tls-tx=off,tls-rx=off", false, false, false },
        { ",log-dek-max-alloc=0", true, true, false },
    };
    g_autofree uint8_t *page = g_malloc(DRV_CAP_PAGE);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_up(rows[i].props);
        bool any = rows[i].tx || rows[i].rx;
        uint8_t key[16] = { 0 }, out[16];
        g_autofree uint8_t *dek = NULL;
        g_autofree uint8_t *tis = NULL;
        uint32_t len;
        DrvResult r;

        drv_query_cap(d, 0, false, page);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, tls_tx), ==, rows[i].tx);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, tls_rx), ==, rows[i].rx);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, crypto), ==,
                         rows[i].pool);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_dek) != 0, ==,
                         any);
        g_assert_cmphex(MLX5_GET64(cmd_hca_cap, page, general_obj_types), ==,
                        any ? 1ull << 0xc : 0);
        if (rows[i].pool) {
            drv_query_cap(d, 0x1a, false, page);
            g_assert_cmpuint(MLX5_GET(crypto_cap, page, log_dek_max_alloc),
                             >, 0);
        }
        r = drv_sync_crypto(d, 1);
        g_assert_cmphex(r.status, ==, rows[i].pool ? 0 : MLX5_STATUS_BAD_OP);
        dek = drv_dek_cmd(d, key, 16, &len);
        r = drv_cmd(d, dek, len, out, sizeof(out));
        g_assert_cmphex(r.status, ==, any ? 0 : MLX5_STATUS_BAD_OP);
        tis = drv_tis_cmd(d, &len);
        MLX5_SET(tisc, tis + 0x20, tls_en, 1);
        r = drv_cmd(d, tis, len, out, sizeof(out));
        g_assert_cmphex(r.status != 0, ==, !rows[i].tx);
        drv_stop(d);
    }
}

void mlx5_dek_tests(void)
{
    qtest_add_func("mlx5-ktls/dek/single", test_single);
    qtest_add_func("mlx5-ktls/dek/query", test_query);
    qtest_add_func("mlx5-ktls/dek/refused", test_refused);
    qtest_add_func("mlx5-ktls/dek/range", test_range);
    qtest_add_func("mlx5-ktls/dek/sync", test_sync);
    qtest_add_func("mlx5-ktls/dek/limit", test_limit);
    qtest_add_func("mlx5-ktls/dek/other-pd", test_other_pd);
    qtest_add_func("mlx5-ktls/dek/switches", test_switches);
}
