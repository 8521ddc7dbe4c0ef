/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests that a number can only be used by its owner: UAR pages of doorbells,
 * and the TIS, TIR and keys that a WQE may refer to. Owns no state.
 */
#include "mlx5-tls.h"
#include "mlx5-tests.h"

enum { USER = 7 };
enum { UAR_SQ = 0x800, UAR_CQ_ARM = 0x20, UAR_EQ_ARM = 0x40 };

/* A number made by @uid; frees the command. */
static uint32_t make(Drv *d, uint8_t *in, uint32_t len, uint16_t uid)
{
    uint32_t id;

    MLX5_SET(cmd_in, in, uid, uid);
    id = drv_create(d, in, len);
    g_free(in);
    return id;
}

static uint32_t alloc(Drv *d, uint16_t opcode, uint16_t uid)
{
    uint8_t *in = g_malloc0(16);

    MLX5_SET(cmd_in, in, opcode, opcode);
    return make(d, in, 16, uid);
}

/* What a driver's objects are made in; those of a Drv are put by meanwhile. */
typedef struct Home {
    uint16_t uid;
    uint32_t uar, pd, td, lkey;
} Home;

static void swap_home(Drv *d, Home *h)
{
    Home was = { h->uid, d->uar, d->pd, d->td, d->lkey };

    d->uar = h->uar;
    d->pd = h->pd;
    d->td = h->td;
    d->lkey = h->lkey;
    *h = was;
}

/* All of it @uid's own, with a memory key. */
static Home home_of(Drv *d, uint16_t uid)
{
    Home h = { .uid = uid };
    uint8_t *in;
    uint32_t len;

    h.uar = alloc(d, OP_ALLOC_UAR, uid);
    h.pd = alloc(d, OP_ALLOC_PD, uid);
    h.td = alloc(d, OP_ALLOC_TD, uid);
    in = drv_mkey_cmd(d, 0x11, &len);
    MLX5_SET(mkc, in + 16, pd, h.pd);
    h.lkey = make(d, in, len, uid) << 8 | 0x11;
    return h;
}

/* One send queue, with its completion queue and what TLS needs. */
typedef struct Side {
    Home home;
    DrvCq cq;
    DrvSq sq;
    uint32_t tis, tir, dek;
    TlsConn c;
    uint64_t mem, psv;
} Side;

/* Everything of @s is made in its home, by its owner. */
static void side_make(Drv *d, Side *s, Home home, uint32_t eqn, uint32_t rqn)
{
    Home h = home;
    uint16_t uid = home.uid;
    uint8_t *in;
    uint32_t len, plain;

    s->home = home;
    swap_home(d, &h);
    in = drv_cq_cmd(d, &s->cq, 6, eqn, &len);
    s->cq.cqn = make(d, in, len, uid);
    in = drv_tis_cmd(d, &len);
    plain = make(d, in, len, uid);
    in = drv_sq_cmd(d, &s->sq, 6, &s->cq, plain, &len);
    s->sq.sqn = make(d, in, len, uid);
    g_assert_cmphex(drv_sq_modify(d, &s->sq, DRV_RST, DRV_RDY).status, ==, 0);
    in = drv_tis_cmd(d, &len);
    MLX5_SET(tisc, in + 0x20, tls_en, 1);
    s->tis = make(d, in, len, uid);
    in = drv_tir_cmd(d, rqn, &len);
    MLX5_SET(tirc, in + 0x20, tls_en, 1);
    s->tir = rqn ? make(d, in, len, uid) : (g_free(in), 0);
    tls_conn(&s->c, 0, uid);
    in = drv_dek_cmd(d, s->c.key, s->c.key_len, &len);
    s->dek = make(d, in, len, uid);
    s->mem = drv_mem(d, 4096);
    s->psv = drv_mem(d, 64);
    swap_home(d, &h);
}

static void ring(Drv *d, Side *s, uint16_t index)
{
    drv_sq_ring(d, &s->sq);
    drv_sq_expect(d, &s->sq, index);
}

/* UMR and SET_PSV of queue @s, for a TIS or TIR. */
static void post_params(Drv *d, Side *s, bool tir, uint32_t num, uint32_t dek,
                        uint32_t anchor)
{
    uint8_t p[TLS_STATIC_LEN];
    DrvWqe w;

    tls_static(p, &s->c, dek, 0);
    drv_wqe_static(&w, &s->sq, tir, num, p, true, false);
    drv_sq_put(d, &s->sq, &w);
    drv_wqe_set_psv(&w, &s->sq, tir, num, anchor, true, true);
    ring(d, s, drv_sq_put(d, &s->sq, &w));
}

/* A record on its way through queue @s, marked for @tis: does it leave? */
static bool sends(Drv *d, Side *s, uint32_t tis)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    static const uint8_t marker[64] = { 0x02, 1, 2, 3, 0xde, 0xad };
    uint8_t buf[DRV_MAX_FRAME];
    TlsConn c = s->c;
    FrameSpec spec;
    uint16_t index;
    size_t n;
    Frame f;
    DrvWqe w;

    tls_pattern(&c, 100, clear, wire);
    spec = rig_spec(4, 6, wire->len);
    spec.seq = s->c.seq;
    spec.payload = wire->data;
    f = frame_build(&spec);
    drv_write(d, s->mem, clear->data, clear->len);
    drv_wqe(&w, &s->sq, WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, tis);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, f.data, f.payload);
    drv_wqe_data(&w, s->home.lkey, s->mem, clear->len);
    ring(d, s, drv_sq_put(d, &s->sq, &w));
    /* what comes behind it shows whether it came */
    drv_write(d, s->mem, marker, sizeof(marker));
    drv_wqe(&w, &s->sq, WQE_SEND, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    drv_wqe_data(&w, s->home.lkey, s->mem, sizeof(marker));
    index = drv_sq_put(d, &s->sq, &w);
    drv_sq_ring(d, &s->sq);
    n = drv_wire_recv(d, buf);
    if (n == f.len) {
        g_assert_cmpmem(buf, n, f.data, f.len);
        expect_frame(d, marker, sizeof(marker));
        n = 0;
    } else {
        g_assert_cmpmem(buf, n, marker, sizeof(marker));
    }
    drv_sq_expect(d, &s->sq, index);
    frame_free(&f);
    return !n;
}

static void dump(Drv *d, Side *s, uint32_t tis)
{
    DrvWqe w;

    drv_wqe_dump(&w, &s->sq, tis, s->home.lkey, s->mem, 10, true);
    MLX5_SET(wqe_ctrl, w.b, ce, 2);
    ring(d, s, drv_sq_put(d, &s->sq, &w));
}

/* GET_PSV: next_record_tcp_sn, 0 for a TIR that is not there. */
static uint32_t get_psv(Drv *d, Side *s, uint32_t tir)
{
    DrvWqe w;

    drv_wqe_get_psv(&w, &s->sq, tir, s->home.lkey, s->psv);
    ring(d, s, drv_sq_put(d, &s->sq, &w));
    g_assert_cmphex(drv_read32(d, s->psv), ==, tir);
    return drv_read32(d, s->psv + 4);
}

/*
 * Queue @s may do nothing to the TIS of @other, and the other nothing to its;
 * each works with its own.
 */
static void tis_is_foreign(Drv *d, Side *s, Side *other)
{
    uint64_t unmarkable = drv_counter(d, "tls_tx_drop_unmarkable");
    uint64_t no_ctx = drv_counter(d, "tls_tx_no_ctx");
    uint64_t ignored = drv_counter(d, "tls_tx_dump_ignored");

    post_params(d, s, false, other->tis, s->dek, 0);
    g_assert_false(sends(d, s, other->tis));
    g_assert_cmpuint(drv_counter(d, "tls_tx_drop_unmarkable"), ==,
                     unmarkable + 1);
    dump(d, s, other->tis);
    g_assert_cmpuint(drv_counter(d, "tls_tx_dump_ignored"), ==, ignored + 1);
    /* the parameters did not get there */
    g_assert_false(sends(d, other, other->tis));
    g_assert_cmpuint(drv_counter(d, "tls_tx_no_ctx"), ==, no_ctx + 1);
    /* with its own all is well, and stays so */
    post_params(d, other, false, other->tis, other->dek, 0);
    g_assert_false(sends(d, s, other->tis));
    dump(d, s, other->tis);
    g_assert_true(sends(d, other, other->tis));
    g_assert_cmpuint(drv_counter(d, "tls_tx_drop_unmarkable"), ==,
                     unmarkable + 2);
    g_assert_cmpuint(drv_counter(d, "tls_tx_dump_ignored"), ==, ignored + 2);
    g_assert_cmpuint(drv_counter(d, "tls_tx_no_ctx"), ==, no_ctx + 1);
}

typedef struct Rig {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    Side kernel, other;
} Rig;

static Home home_now(Drv *d)
{
    Home h = { 0, d->uar, d->pd, d->td, d->lkey };

    return h;
}

static void rig_start(Rig *r)
{
    memset(r, 0, sizeof(*r));
    r->d = drv_start_up("");
    drv_eq_create(r->d, &r->eq, 6, 0, 0);
    drv_cq_create(r->d, &r->cq, 6, r->eq.eqn);
    drv_rq_create(r->d, &r->rq, 4, 4, &r->cq, 0, false);
    side_make(r->d, &r->kernel, home_now(r->d), r->eq.eqn, r->rq.rqn);
}

/* ------------------------------------------------------------------ TIS --- */

static void test_tis_pd(void)
{
    Home home;
    Rig r;

    rig_start(&r);
    home = home_of(r.d, 0);
    home.td = r.d->td;
    side_make(r.d, &r.other, home, r.eq.eqn, 0);
    tis_is_foreign(r.d, &r.kernel, &r.other);
    drv_stop(r.d);
}

static void test_tis_td(void)
{
    Home home;
    Rig r;

    rig_start(&r);
    home = home_now(r.d);
    home.td = drv_alloc(r.d, OP_ALLOC_TD);
    side_make(r.d, &r.other, home, r.eq.eqn, 0);
    tis_is_foreign(r.d, &r.kernel, &r.other);
    drv_stop(r.d);
}

/* The kernel's TIS in a user's domains: the owner decides alone. */
static void test_tis_owner(void)
{
    Side user = { .sq.sqn = 0 };
    Home home;
    Rig r;

    rig_start(&r);
    home = home_of(r.d, USER);
    side_make(r.d, &user, home, r.eq.eqn, 0);
    home.uid = 0;
    side_make(r.d, &r.other, home, r.eq.eqn, 0);
    tis_is_foreign(r.d, &user, &r.other);
    /* the kernel may use what is the user's */
    r.other.c = user.c;
    post_params(r.d, &r.other, false, user.tis, user.dek, 0);
    g_assert_true(sends(r.d, &user, user.tis));
    drv_stop(r.d);
}

/* ------------------------------------------------------------------ TIR --- */

static void tir_is_foreign(Drv *d, Side *s, Side *other)
{
    post_params(d, other, true, other->tir, other->dek, 0x1234);
    g_assert_cmphex(get_psv(d, other, other->tir), ==, 0x1234);
    g_assert_cmphex(get_psv(d, s, other->tir), ==, 0);
    post_params(d, s, true, other->tir, s->dek, 0x5678);
    g_assert_cmphex(get_psv(d, other, other->tir), ==, 0x1234);
    post_params(d, s, true, s->tir, s->dek, 0x5678);
    g_assert_cmphex(get_psv(d, s, s->tir), ==, 0x5678);
}

static void test_tir_td(void)
{
    Home home;
    Rig r;

    rig_start(&r);
    home = home_now(r.d);
    home.td = drv_alloc(r.d, OP_ALLOC_TD);
    side_make(r.d, &r.other, home, r.eq.eqn, r.rq.rqn);
    tir_is_foreign(r.d, &r.kernel, &r.other);
    drv_stop(r.d);
}

/* A user's receive queue, for its TIR: drops all, needs no memory. */
static uint32_t user_rq(Rig *r, Home home)
{
    DrvCq *cq = g_new0(DrvCq, 1);
    DrvRq rq;
    uint32_t len;
    uint8_t *in;

    swap_home(r->d, &home);
    in = drv_cq_cmd(r->d, cq, 4, r->eq.eqn, &len);
    cq->cqn = make(r->d, in, len, USER);
    in = drv_rq_cmd(r->d, &rq, 4, 4, cq, 0, false, &len);
    swap_home(r->d, &home);
    g_free(cq);
    return make(r->d, in, len, USER);
}

static void test_tir_owner(void)
{
    Side user = { .sq.sqn = 0 };
    uint32_t rqn;
    Home home;
    Rig r;

    rig_start(&r);
    home = home_of(r.d, USER);
    rqn = user_rq(&r, home);
    side_make(r.d, &user, home, r.eq.eqn, rqn);
    home.uid = 0;
    side_make(r.d, &r.other, home, r.eq.eqn, rqn);
    tir_is_foreign(r.d, &user, &r.other);
    /* nor is the kernel's key a user's to name */
    post_params(r.d, &user, true, user.tir, r.other.dek, 0x9abc);
    g_assert_cmphex(get_psv(r.d, &user, user.tir), ==, 0);
    post_params(r.d, &user, true, user.tir, user.dek, 0x9abc);
    g_assert_cmphex(get_psv(r.d, &user, user.tir), ==, 0x9abc);
    drv_stop(r.d);
}

/* ------------------------------------------------------------ UAR pages --- */

static void test_doorbells(void)
{
    Drv *d = drv_start_up("");
    uint32_t other = drv_alloc(d, OP_ALLOC_UAR);
    uint8_t cqe[64], eqe[64];
    uint16_t index;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvWqe w;

    drv_msix_init(d);
    drv_eq_create(d, &eq, 6, 1, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_sq_create(d, &sq, 4, &cq, 0);
    drv_wqe(&w, &sq, WQE_NOP, true);
    index = drv_sq_put(d, &sq, &w);
    sq.uar = other;
    drv_sq_ring(d, &sq);
    drv_settle(d);
    g_assert_false(drv_cq_peek(d, &cq, cqe));
    sq.uar = d->uar;
    drv_sq_ring(d, &sq);
    DRV_WAIT(drv_cq_peek(d, &cq, cqe));

    /* a CQE nobody has seen would be announced at once */
    cq.uar = other;
    drv_cq_arm(d, &cq, false);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    cq.uar = d->uar;
    drv_cq_arm(d, &cq, false);
    drv_eq_wait(d, &eq, eqe);
    drv_sq_expect(d, &sq, index);

    /* and so would an event in an EQ that is armed */
    drv_cq_arm(d, &cq, false);
    drv_wqe(&w, &sq, WQE_NOP, true);
    index = drv_sq_put(d, &sq, &w);
    drv_sq_ring(d, &sq);
    drv_sq_expect(d, &sq, index);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 1));
    drv_reg_write(d, other * 4096 + UAR_EQ_ARM, eq.eqn << 24 | eq.ci);
    drv_settle(d);
    g_assert_false(drv_msix_fired(d, 1));
    drv_reg_write(d, d->uar * 4096 + UAR_EQ_ARM, eq.eqn << 24 | eq.ci);
    DRV_WAIT(drv_msix_fired(d, 1));
    drv_stop(d);
}

/* A user's queue on the kernel's page. */
static void test_page_owner(void)
{
    uint8_t *in;
    uint32_t len;
    Home home, kernel;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    Side s;
    Rig r;

    rig_start(&r);
    kernel = home_now(r.d);
    home = home_of(r.d, USER);
    side_make(r.d, &s, home, r.eq.eqn, 0);
    home.uar = kernel.uar;
    swap_home(r.d, &home);
#define REFUSED()                                                             \
    do {                                                                      \
        MLX5_SET(cmd_in, in, uid, USER);                                      \
        drv_cmd_fails(r.d, in, len, 16, MLX5_STATUS_BAD_RES,                  \
                      MLX5_SYN_WRONG_OWNER);                                  \
        g_free(in);                                                           \
    } while (0)
    in = drv_eq_cmd(r.d, &eq, 6, 0, 0, &len);
    REFUSED();
    in = drv_cq_cmd(r.d, &cq, 4, r.eq.eqn, &len);
    REFUSED();
    in = drv_sq_cmd(r.d, &sq, 4, &s.cq, 0, &len);
    REFUSED();
#undef REFUSED
    swap_home(r.d, &home);
    drv_stop(r.d);
}

void mlx5_owner_tests(void)
{
    qtest_add_func("mlx5-ktls/owner/tis-pd", test_tis_pd);
    qtest_add_func("mlx5-ktls/owner/tis-td", test_tis_td);
    qtest_add_func("mlx5-ktls/owner/tis-owner", test_tis_owner);
    qtest_add_func("mlx5-ktls/owner/tir-td", test_tir_td);
    qtest_add_func("mlx5-ktls/owner/tir-owner", test_tir_owner);
    qtest_add_func("mlx5-ktls/owner/doorbells", test_doorbells);
    qtest_add_func("mlx5-ktls/owner/page", test_page_owner);
}
