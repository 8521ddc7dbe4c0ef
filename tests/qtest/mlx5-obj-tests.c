/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of objects: creating and destroying each kind, refusals and their
 * reasons, references, limits, owners, and leaks. Owns no state.
 */
#include "mlx5-drv.h"
#include "mlx5-tests.h"

#define CTX 0x20
#define WQ (CTX + 0x30)

/* --------------------------------------------- objects without context --- */

static const struct {
    const char *kind;
    uint16_t alloc;
    uint16_t dealloc;
    uint32_t first;
    Mlx5Syndrome missing;
} plain[] = {
    { "pd", OP_ALLOC_PD, OP_DEALLOC_PD, 1, MLX5_SYN_NO_SUCH_PD },
    { "td", OP_ALLOC_TD, OP_DEALLOC_TD, 1, MLX5_SYN_NO_SUCH_TD },
    /* The first pages of BAR0 are the initialization segment. */
    { "uar", OP_ALLOC_UAR, OP_DEALLOC_UAR, 4, MLX5_SYN_NO_SUCH_UAR },
    { "q_counter", OP_ALLOC_Q_COUNTER, OP_DEALLOC_Q_COUNTER, 1,
      MLX5_SYN_NO_SUCH_Q_COUNTER },
};

static void test_plain(void)
{
    Drv *d = drv_start_up("");
    unsigned i, j;

    for (i = 0; i < G_N_ELEMENTS(plain); i++) {
        uint64_t before = drv_objects(d, plain[i].kind);
        uint32_t id[8];

        for (j = 0; j < G_N_ELEMENTS(id); j++) {
            id[j] = drv_alloc(d, plain[i].alloc);
            g_assert_cmpuint(id[j], >=, plain[i].first);
            g_assert_cmpuint(drv_objects(d, plain[i].kind), ==,
                             before + j + 1);
            g_assert_true(!j || id[j] != id[j - 1]);
        }
        for (j = 0; j < G_N_ELEMENTS(id); j++) {
            drv_cmd_id_ok(d, plain[i].dealloc, id[j]);
            drv_cmd_id_fails(d, plain[i].dealloc, id[j], MLX5_STATUS_BAD_RES,
                             plain[i].missing);
        }
        g_assert_cmpuint(drv_objects(d, plain[i].kind), ==, before);
        drv_cmd_id_fails(d, plain[i].dealloc, 0, MLX5_STATUS_BAD_RES,
                         plain[i].missing);
        drv_cmd_id_fails(d, plain[i].dealloc, 0xffffff, MLX5_STATUS_BAD_RES,
                         plain[i].missing);
    }
    drv_stop(d);
}

/* A number just freed is not the next one given: late doorbells miss. */
static void test_not_reused(void)
{
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(plain); i++) {
        uint32_t a = drv_alloc(d, plain[i].alloc), b;

        drv_cmd_id_ok(d, plain[i].dealloc, a);
        b = drv_alloc(d, plain[i].alloc);
        g_assert_cmpuint(b, !=, a);
        drv_cmd_id_ok(d, plain[i].dealloc, b);
    }
    drv_stop(d);
}

/* Numbers that nothing has. */
static void test_wrong_id(void)
{
    static const struct {
        uint16_t opcode;
        Mlx5Syndrome syn;
        uint32_t mask;
    } rows[] = {
        { OP_DESTROY_MKEY, MLX5_SYN_NO_SUCH_MKEY, 0xffffff },
        { OP_DESTROY_EQ, MLX5_SYN_NO_SUCH_EQ, 0xff },
        { OP_DESTROY_CQ, MLX5_SYN_NO_SUCH_CQ, 0xffffff },
        { OP_DESTROY_SQ, MLX5_SYN_NO_SUCH_SQ, 0xffffff },
        { OP_DESTROY_RQ, MLX5_SYN_NO_SUCH_RQ, 0xffffff },
        { OP_DESTROY_RQT, MLX5_SYN_NO_SUCH_RQT, 0xffffff },
        { OP_DESTROY_TIR, MLX5_SYN_NO_SUCH_TIR, 0xffffff },
        { OP_DESTROY_TIS, MLX5_SYN_NO_SUCH_TIS, 0xffffff },
        { 0x93a, MLX5_SYN_NO_SUCH_FLOW_COUNTER, 0 }, /* 32 bits, only 0 */
    };
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        drv_cmd_id_fails(d, rows[i].opcode, 0, MLX5_STATUS_BAD_RES,
                         rows[i].syn);
        drv_cmd_id_fails(d, rows[i].opcode, 77 & rows[i].mask,
                         MLX5_STATUS_BAD_RES, rows[i].syn);
        drv_cmd_id_fails(d, rows[i].opcode, rows[i].mask, MLX5_STATUS_BAD_RES,
                         rows[i].syn);
    }
    drv_stop(d);
}

/* ------------------------------------------------------- one of each --- */

typedef struct Each {
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;
    uint32_t q_counter;
    uint32_t mkey;
    uint32_t tis;
    uint32_t rqt;
    uint32_t tir;
    DrvSteering st;
} Each;

static void make_each(Drv *d, Each *e)
{
    const DrvRq *rq = &e->rq;

    drv_eq_create(d, &e->eq, 6, 0, 0);
    drv_cq_create(d, &e->cq, 4, e->eq.eqn);
    e->tis = drv_tis_create(d);
    drv_sq_create(d, &e->sq, 4, &e->cq, e->tis);
    e->q_counter = drv_alloc(d, OP_ALLOC_Q_COUNTER);
    drv_rq_create(d, &e->rq, 4, 4, &e->cq, e->q_counter, false);
    e->rqt = drv_rqt_create(d, &rq, 1);
    {
        uint32_t len;
        g_autofree uint8_t *in = drv_tir_cmd(d, 0, &len);

        MLX5_SET(tirc, in + CTX, disp_type, 1);
        MLX5_SET(tirc, in + CTX, indirect_table, e->rqt);
        e->tir = drv_create(d, in, len);
    }
    drv_steer_all(d, &e->st, e->tir, 0);
}

/* Nothing that is referred to can be freed; in the right order all can. */
static void test_in_use(void)
{
    Drv *d = drv_start_up("");
    Each e;

    make_each(d, &e);
#define BUSY(op, id) \
    drv_cmd_id_fails(d, op, id, MLX5_STATUS_RES_BUSY, MLX5_SYN_OBJECT_IN_USE)
    BUSY(OP_DESTROY_TIR, e.tir);
    drv_unsteer(d, &e.st);
    BUSY(OP_DESTROY_RQT, e.rqt);
    BUSY(OP_DEALLOC_TD, d->td);
    drv_cmd_id_ok(d, OP_DESTROY_TIR, e.tir);
    BUSY(OP_DESTROY_RQ, e.rq.rqn);
    drv_cmd_id_ok(d, OP_DESTROY_RQT, e.rqt);
    BUSY(OP_DEALLOC_Q_COUNTER, e.q_counter);
    BUSY(OP_DESTROY_CQ, e.cq.cqn);
    drv_cmd_id_ok(d, OP_DESTROY_RQ, e.rq.rqn);
    drv_cmd_id_ok(d, OP_DEALLOC_Q_COUNTER, e.q_counter);
    BUSY(OP_DESTROY_CQ, e.cq.cqn);
    BUSY(OP_DESTROY_TIS, e.tis);
    drv_cmd_id_ok(d, OP_DESTROY_SQ, e.sq.sqn);
    BUSY(OP_DEALLOC_TD, d->td);
    drv_cmd_id_ok(d, OP_DESTROY_TIS, e.tis);
    drv_cmd_id_ok(d, OP_DEALLOC_TD, d->td);
    BUSY(OP_DESTROY_EQ, e.eq.eqn);
    drv_cmd_id_ok(d, OP_DESTROY_CQ, e.cq.cqn);
    BUSY(OP_DEALLOC_UAR, d->uar);
    drv_cmd_id_ok(d, OP_DESTROY_EQ, e.eq.eqn);
    BUSY(OP_DEALLOC_PD, d->pd);
    drv_cmd_id_ok(d, OP_DESTROY_MKEY, d->lkey >> 8);
    drv_cmd_id_ok(d, OP_DEALLOC_PD, d->pd);
    drv_cmd_id_ok(d, OP_DEALLOC_UAR, d->uar);
#undef BUSY
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    drv_stop(d);
}

/* TEARDOWN_HCA and DISABLE_HCA take what a driver forgot. */
static void test_teardown_leftovers(void)
{
    Drv *d = drv_start("");
    Each e;

    drv_cmdq_init(d);
    drv_hca_up(d);
    make_each(d, &e);
    g_assert_cmpuint(drv_objects(d, "tir"), ==, 1);
    drv_cmd_id_ok(d, OP_TEARDOWN_HCA, 0);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    drv_hca_up(d);
    make_each(d, &e);
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    /* Doorbells for what is gone do nothing. */
    drv_sq_ring(d, &e.sq);
    drv_cq_arm(d, &e.cq, false);
    drv_eq_update(d, &e.eq, true);
    drv_hca_up(d);
    drv_stop(d);
}

/* -------------------------------------------------------------- limits --- */

/* Gives @cmd until it fails; returns how often it did not. */
static uint32_t fill_up(Drv *d, const uint8_t *cmd, uint32_t len,
                        uint32_t *last)
{
    uint32_t n = 0;

    for (;;) {
        uint8_t out[16];
        DrvResult r = drv_cmd(d, cmd, len, out, sizeof(out));

        if (r.status) {
            g_assert_cmphex(r.status, ==, MLX5_STATUS_EXCEED_LIM);
            g_assert_cmphex(r.syndrome, ==,
                            MLX5_SYNDROME_BASE + MLX5_SYN_OBJECT_LIMIT);
            return n;
        }
        *last = MLX5_GET(cmd_id, out, id);
        n++;
        g_assert_cmpuint(n, <, 100000);
    }
}

static void test_limits(void)
{
    Drv *d = drv_start_up(",log-max-tis=4,log-max-tir=6");
    uint32_t len, last, last2;
    g_autofree uint8_t *tis = drv_tis_cmd(d, &len);
    g_autofree uint8_t *tir = NULL;
    uint8_t in[16] = { 0 };
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    g_assert_cmpuint(fill_up(d, tis, len, &last), ==, 16);
    /* One free place is enough, whichever its number. */
    drv_cmd_id_ok(d, OP_DESTROY_TIS, last);
    g_assert_cmpuint(fill_up(d, tis, len, &last2), ==, 1);
    g_assert_cmpuint(last2, ==, last);

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    tir = drv_tir_cmd(d, rq.rqn, &len);
    g_assert_cmpuint(fill_up(d, tir, len, &last), ==, 64);
    drv_cmd_id_ok(d, OP_DESTROY_TIR, last);

    MLX5_SET(cmd_in, in, opcode, OP_ALLOC_Q_COUNTER);
    g_assert_cmpuint(fill_up(d, in, sizeof(in), &last), ==, 255);
    g_assert_cmpuint(last, <, 256);
    drv_stop(d);
}

static void test_limit_eqs(void)
{
    Drv *d = drv_start_up("");
    g_autofree uint8_t *page = g_malloc(DRV_CAP_PAGE);
    uint32_t len, last, n;
    g_autofree uint8_t *in = NULL;
    DrvEq eq;

    drv_query_cap(d, 0, false, page);
    in = drv_eq_cmd(d, &eq, 4, 0, 0, &len);
    n = fill_up(d, in, len, &last);
    g_assert_cmpuint(n, ==, MLX5_GET(cmd_hca_cap, page, max_num_eqs));
    drv_cmd_id_ok(d, OP_DESTROY_EQ, 1);
    g_assert_cmpuint(fill_up(d, in, len, &last), ==, 1);
    drv_stop(d);
}

/* -------------------------------------------------------------- owners --- */

static void test_uid(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 }, out[16];
    uint32_t pd;

    MLX5_SET(cmd_in, in, opcode, OP_ALLOC_PD);
    MLX5_SET(cmd_in, in, uid, 5);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    pd = MLX5_GET(cmd_id, out, id);
    MLX5_SET(cmd_in, in, opcode, OP_DEALLOC_PD);
    MLX5_SET(cmd_id, in, id, pd);
    MLX5_SET(cmd_in, in, uid, 6);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_WRONG_OWNER);
    /* The kernel's own are out of reach of all others. */
    MLX5_SET(cmd_id, in, id, d->pd);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_WRONG_OWNER);
    MLX5_SET(cmd_id, in, id, pd);
    MLX5_SET(cmd_in, in, uid, 5);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    drv_stop(d);
}

/* --------------------------------------------------- what is refused --- */

typedef struct Refusal {
    const char *what;
    uint32_t bit; /* in the command */
    uint32_t width;
    uint64_t value;
    Mlx5Status status;
    Mlx5Syndrome syn;
} Refusal;

#define F(at, st, field) \
    #field, (at) * 8 + MLX5_BIT_##st##_##field, MLX5_WIDTH_##st##_##field

/*
 * Each row spoils the good command, which then must fail without trace. Frees
 * the command.
 */
static void refuse(Drv *d, uint8_t *good, uint32_t len, const Refusal *row,
                   unsigned n)
{
    uint64_t before = drv_objects_total(d);
    unsigned i;

    for (i = 0; i < n; i++) {
        g_autofree uint8_t *bad = g_memdup2(good, len);

        g_test_message("%s = 0x%" PRIx64, row[i].what, row[i].value);
        mlx5_prm_set(bad, row[i].bit, row[i].width, row[i].value);
        drv_cmd_fails(d, bad, len, 16, row[i].status, row[i].syn);
        g_assert_cmpuint(drv_objects_total(d), ==, before);
    }
    /* And it was good. */
    drv_create(d, good, len);
    g_free(good);
}

#define BAD(status, syn) MLX5_STATUS_##status, MLX5_SYN_##syn

static void test_refused_eq(void)
{
    static const Refusal rows[] = {
        { F(0x10, eqc, intr), 64, BAD(BAD_PARAM, EQ_BAD_VECTOR) },
        { F(0x10, eqc, intr), 0xfff, BAD(BAD_PARAM, EQ_BAD_VECTOR) },
        { F(0x10, eqc, uar_page), 2, BAD(BAD_RES, NO_SUCH_UAR) },
        { F(0x10, eqc, uar_page), 0xffffff, BAD(BAD_RES, NO_SUCH_UAR) },
        { F(0x10, eqc, log_eq_size), 31, BAD(EXCEED_LIM, RING_TOO_LARGE) },
        { F(0x10, eqc, log_eq_size), 13,
          BAD(BAD_INPUT_LEN, RING_PAS_MISSING) },
        { F(0x10, eqc, log_page_size), 31, BAD(BAD_PARAM, RING_PAGE_SIZE) },
        { "pas[0]", 0x110 * 8 + 32, 32, 0x1234567,
          BAD(BAD_PARAM, RING_PAS_UNALIGNED) },
    };
    Drv *d = drv_start_up("");
    uint8_t *good;
    uint32_t len;
    DrvEq eq;

    good = drv_eq_cmd(d, &eq, 6, 1, 0, &len);
    refuse(d, good, len, rows, G_N_ELEMENTS(rows));
    drv_stop(d);
}

static void test_refused_cq(void)
{
    static const Refusal rows[] = {
        { F(0x10, cqc, c_eqn), 0, BAD(BAD_RES, NO_SUCH_EQ) },
        { F(0x10, cqc, c_eqn), 200, BAD(BAD_RES, NO_SUCH_EQ) },
        { F(0x10, cqc, c_eqn), 0x80000001, BAD(BAD_RES, NO_SUCH_EQ) },
        { F(0x10, cqc, uar_page), 0, BAD(BAD_RES, NO_SUCH_UAR) },
        { F(0x10, cqc, cqe_sz), 1, BAD(BAD_PARAM, CQ_BAD_CQE_SIZE) },
        { F(0x10, cqc, dbr_umem_valid), 1,
          BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
        { F(0, create_cq_in, cq_umem_valid), 1,
          BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
        { F(0x10, cqc, dbr_addr), 0x100004, BAD(BAD_PARAM, DBR_UNALIGNED) },
        { F(0x10, cqc, log_cq_size), 31, BAD(EXCEED_LIM, RING_TOO_LARGE) },
        { F(0x10, cqc, log_cq_size), 8,
          BAD(BAD_INPUT_LEN, RING_PAS_MISSING) },
        { F(0x10, cqc, page_offset), 63, BAD(BAD_INPUT_LEN,
                                             RING_PAS_MISSING) },
    };
    Drv *d = drv_start_up("");
    uint8_t *good;
    uint32_t len;
    DrvEq eq;
    DrvCq cq;

    drv_eq_create(d, &eq, 6, 0, 0);
    good = drv_cq_cmd(d, &cq, 6, eq.eqn, &len);
    refuse(d, good, len, rows, G_N_ELEMENTS(rows));
    drv_stop(d);
}

/* What a work queue can have wrong, in an SQ and an RQ alike. */
static const Refusal bad_wq[] = {
    { F(WQ, wq, wq_type), 3, BAD(BAD_PARAM, WQ_BAD_TYPE) },
    /* 0 is no PD at all, which the drop RQ has. */
    { F(WQ, wq, pd), 0xffffff, BAD(BAD_RES, NO_SUCH_PD) },
    { F(WQ, wq, dbr_addr), 1, BAD(BAD_PARAM, DBR_UNALIGNED) },
    { F(WQ, wq, dbr_umem_valid), 1, BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
    { F(WQ, wq, wq_umem_valid), 1, BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
    { F(WQ, wq, log_wq_stride), 15, BAD(BAD_PARAM, WQ_BAD_STRIDE) },
    { F(WQ, wq, log_wq_stride), 3, BAD(BAD_PARAM, WQ_BAD_STRIDE) },
    { F(WQ, wq, log_wq_sz), 16, BAD(EXCEED_LIM, RING_TOO_LARGE) },
    { F(WQ, wq, log_wq_sz), 31, BAD(EXCEED_LIM, RING_TOO_LARGE) },
    { F(WQ, wq, log_wq_sz), 12, BAD(BAD_INPUT_LEN, RING_PAS_MISSING) },
    { F(WQ, wq, log_wq_pg_sz), 31, BAD(BAD_PARAM, RING_PAGE_SIZE) },
};

static void test_refused_sq(void)
{
    static const Refusal rows[] = {
        { F(CTX, sqc, cqn), 0, BAD(BAD_RES, NO_SUCH_CQ) },
        { F(CTX, sqc, cqn), 99, BAD(BAD_RES, NO_SUCH_CQ) },
        { F(CTX, sqc, state), DRV_RDY, BAD(BAD_RES_STATE, WQ_BAD_STATE) },
        { F(CTX, sqc, hairpin), 1, BAD(BAD_PARAM, WQ_HAIRPIN) },
        { F(CTX, sqc, tis_lst_sz), 2, BAD(BAD_PARAM, SQ_BAD_TIS_LIST) },
        { F(CTX, sqc, tis_num_0), 0, BAD(BAD_RES, NO_SUCH_TIS) },
        { F(WQ, wq, wq_type), 2, BAD(BAD_PARAM, WQ_BAD_TYPE) },
        { F(CTX, sqc, tis_num_0), 12345, BAD(BAD_RES, NO_SUCH_TIS) },
        { F(WQ, wq, wq_type), 0, BAD(BAD_PARAM, WQ_BAD_TYPE) },
        { F(WQ, wq, uar_page), 0, BAD(BAD_RES, NO_SUCH_UAR) },
        { F(WQ, wq, uar_page), 0xffffff, BAD(BAD_RES, NO_SUCH_UAR) },
    };
    Drv *d = drv_start_up("");
    uint8_t *good;
    uint32_t len, tis;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    tis = drv_tis_create(d);
    good = drv_sq_cmd(d, &sq, 4, &cq, tis, &len);
    refuse(d, good, len, rows, G_N_ELEMENTS(rows));
    good = drv_sq_cmd(d, &sq, 4, &cq, tis, &len);
    refuse(d, good, len, bad_wq, G_N_ELEMENTS(bad_wq));
    drv_stop(d);
}

static void test_refused_rq(void)
{
    static const Refusal rows[] = {
        { F(CTX, rqc, cqn), 0, BAD(BAD_RES, NO_SUCH_CQ) },
        { F(CTX, rqc, state), DRV_RDY, BAD(BAD_RES_STATE, WQ_BAD_STATE) },
        { F(CTX, rqc, hairpin), 1, BAD(BAD_PARAM, WQ_HAIRPIN) },
        { F(CTX, rqc, mem_rq_type), 1, BAD(BAD_PARAM, RQ_NO_RMP) },
        { F(CTX, rqc, scatter_fcs), 1, BAD(BAD_PARAM, RQ_SCATTER_FCS) },
        { F(CTX, rqc, counter_set_id), 99, BAD(BAD_RES, NO_SUCH_Q_COUNTER) },
        /* a list whose WQEs have no room behind the link */
        { F(WQ, wq, wq_type), 0, BAD(BAD_PARAM, WQ_BAD_STRIDE) },
        /* a striding queue with such WQEs */
        { F(WQ, wq, wq_type), 2, BAD(BAD_PARAM, WQ_BAD_STRIDE) },
    };
    Drv *d = drv_start_up("");
    uint8_t *good;
    uint32_t len;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    good = drv_rq_cmd(d, &rq, 4, 4, &cq, 0, false, &len);
    refuse(d, good, len, rows, G_N_ELEMENTS(rows));
    good = drv_rq_cmd(d, &rq, 4, 4, &cq, 0, false, &len);
    refuse(d, good, len, bad_wq, G_N_ELEMENTS(bad_wq));
    drv_stop(d);
}

static void test_refused_others(void)
{
    static const Refusal mkey[] = {
        { F(0x10, mkc, free), 1, BAD(BAD_PARAM, MKEY_BAD_MODE) },
        { F(0, create_mkey_in, pg_access), 1, BAD(BAD_PARAM, MKEY_BAD_MODE) },
        { F(0, create_mkey_in, mkey_umem_valid), 1,
          BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
        { F(0x10, mkc, access_mode_4_2), 1, BAD(BAD_PARAM, MKEY_BAD_MODE) },
        { F(0x10, mkc, length64), 0, BAD(BAD_PARAM, MKEY_NOT_LENGTH64) },
        { F(0x10, mkc, pd), 0, BAD(BAD_RES, NO_SUCH_PD) },
    };
    static const Refusal tis[] = {
        { F(CTX, tisc, transport_domain), 0, BAD(BAD_RES, NO_SUCH_TD) },
        { F(CTX, tisc, transport_domain), 55, BAD(BAD_RES, NO_SUCH_TD) },
        { F(CTX, tisc, pd), 55, BAD(BAD_RES, NO_SUCH_PD) },
    };
    static const Refusal tir[] = {
        { F(CTX, tirc, disp_type), 2, BAD(BAD_PARAM, TIR_BAD_DISP) },
        { F(CTX, tirc, inline_rqn), 0, BAD(BAD_RES, NO_SUCH_RQ) },
        { F(CTX, tirc, inline_rqn), 1234, BAD(BAD_RES, NO_SUCH_RQ) },
        { F(CTX, tirc, disp_type), 1, BAD(BAD_RES, NO_SUCH_RQT) },
        { F(CTX, tirc, transport_domain), 0, BAD(BAD_RES, NO_SUCH_TD) },
        { F(CTX, tirc, rx_hash_fn), 3, BAD(BAD_PARAM, TIR_BAD_HASH) },
        { F(CTX, tirc, packet_merge_mask), 1, BAD(BAD_PARAM, TIR_LRO) },
    };
    static const Refusal rqt[] = {
        { F(CTX, rqtc, rqt_actual_size), 0, BAD(BAD_PARAM, RQT_BAD_SIZE) },
        { F(CTX, rqtc, rqt_actual_size), 3, BAD(BAD_PARAM, RQT_BAD_SIZE) },
        { F(CTX, rqtc, rqt_actual_size), 8, BAD(BAD_PARAM, RQT_BAD_SIZE) },
        { F(CTX, rqtc, rqt_max_size), 2, BAD(BAD_PARAM, RQT_BAD_SIZE) },
        { F(CTX, rqtc, rqt_max_size), 0xffff, BAD(EXCEED_LIM,
                                                  RQT_TOO_LARGE) },
        { F(0x110, rq_num, rq_num), 0, BAD(BAD_RES, NO_SUCH_RQ) },
        { F(0x11c, rq_num, rq_num), 777, BAD(BAD_RES, NO_SUCH_RQ) },
    };
    Drv *d = drv_start_up("");
    uint8_t *good;
    const DrvRq *list[4];
    uint32_t len;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    list[0] = list[1] = list[2] = list[3] = &rq;
    good = drv_mkey_cmd(d, 1, &len);
    refuse(d, good, len, mkey, G_N_ELEMENTS(mkey));
    good = drv_tis_cmd(d, &len);
    refuse(d, good, len, tis, G_N_ELEMENTS(tis));
    good = drv_tir_cmd(d, rq.rqn, &len);
    refuse(d, good, len, tir, G_N_ELEMENTS(tir));
    good = drv_rqt_cmd(d, list, 4, &len);
    refuse(d, good, len, rqt, G_N_ELEMENTS(rqt));
    drv_stop(d);
}

/* -------------------------------------------------------------- states --- */

static void test_queue_states(void)
{
    static const struct {
        uint8_t from;
        uint8_t to;
        bool ok;
    } rows[] = {
        { DRV_RST, DRV_ERR, false }, { DRV_RST, DRV_RDY, true },
        { DRV_RDY, DRV_RDY, true },  { DRV_RDY, 2, false },
        { DRV_RDY, DRV_ERR, true },  { DRV_ERR, DRV_RDY, false },
        { DRV_ERR, DRV_ERR, true },  { DRV_ERR, DRV_RST, true },
        { DRV_RST, DRV_RST, true },  { DRV_RST, DRV_RDY, true },
        { DRV_RDY, DRV_RST, true },
    };
    Drv *d = drv_start_up("");
    unsigned i;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_sq_create(d, &sq, 4, &cq, 0);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    /* The command says in which state it thinks the queue is. */
    g_assert_cmphex(drv_sq_modify(d, &sq, DRV_RST, DRV_RDY).syndrome, ==,
                    MLX5_SYNDROME_BASE + MLX5_SYN_WQ_STATE_MISMATCH);
    g_assert_cmphex(drv_rq_modify(d, &rq, DRV_ERR, DRV_RST).status, ==,
                    MLX5_STATUS_BAD_RES_STATE);
    g_assert_cmphex(drv_sq_modify(d, &sq, DRV_RDY, DRV_RST).status, ==, 0);
    g_assert_cmphex(drv_rq_modify(d, &rq, DRV_RDY, DRV_RST).status, ==, 0);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        DrvResult s = drv_sq_modify(d, &sq, rows[i].from, rows[i].to);
        DrvResult r = drv_rq_modify(d, &rq, rows[i].from, rows[i].to);
        unsigned now = rows[i].ok ? rows[i].to : rows[i].from;

        g_test_message("%u -> %u", rows[i].from, rows[i].to);
        g_assert_cmphex(s.status, ==, rows[i].ok ? 0 :
                        MLX5_STATUS_BAD_RES_STATE);
        g_assert_cmphex(r.status, ==, s.status);
        g_assert_cmpuint(drv_sq_state(d, &sq), ==, now);
        g_assert_cmpuint(drv_rq_state(d, &rq), ==, now);
    }
    drv_stop(d);
}

/* QUERY_* gives back what CREATE_* was given. */
static void test_query(void)
{
    static const struct {
        uint16_t opcode;
        unsigned in_at;  /* context in CREATE_* */
        unsigned out_at; /* and in the answer */
        unsigned len;
    } rows[] = {
        { 0x201, 0x10, 0x10, 64 },  /* QUERY_MKEY */
        { 0x915, 0x20, 0x10, 160 }, /* QUERY_TIS */
        { 0x903, 0x20, 0x20, 240 }, /* QUERY_TIR */
        { 0x907, 0x20, 0x20, 240 }, /* QUERY_SQ */
        { 0x90b, 0x20, 0x20, 240 }, /* QUERY_RQ */
    };
    Drv *d = drv_start_up("");
    uint32_t len, i;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq, q;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *in =
            i == 0 ? drv_mkey_cmd(d, 0xa5, &len) :
            i == 1 ? drv_tis_cmd(d, &len) :
            i == 2 ? drv_tir_cmd(d, rq.rqn, &len) :
            i == 3 ? drv_sq_cmd(d, &sq, 4, &cq, 0, &len) :
                     drv_rq_cmd(d, &q, 4, 5, &cq, 0, true, &len);
        uint32_t id = drv_create(d, in, len);
        uint8_t query[16] = { 0 }, out[304];

        MLX5_SET(cmd_in, query, opcode, rows[i].opcode);
        MLX5_SET(cmd_id, query, id, id);
        drv_cmd_ok(d, query, sizeof(query), out, 304);
        g_assert_cmpmem(in + rows[i].in_at, rows[i].len,
                        out + rows[i].out_at, rows[i].len);
    }
    drv_stop(d);
}

/* A counter that an entry counts in cannot be freed. */
static void test_flow_objects(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[64] = { 0 };
    DrvSteering st;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    drv_steer_all(d, &st, drv_tir_direct(d, rq.rqn), 7);
    g_assert_cmpuint(drv_objects(d, "flow_table"), ==, 1);
    g_assert_cmpuint(drv_objects(d, "flow_group"), ==, 1);
    g_assert_cmpuint(drv_objects(d, "flow_entry"), ==, 1);
    MLX5_SET(flow_cmd_in, in, table_id, st.table);
    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_FLOW_TABLE);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_RES_BUSY,
                  MLX5_SYN_FT_HAS_GROUPS);
    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_FLOW_GROUP);
    MLX5_SET(destroy_flow_group_in, in, group_id, st.group);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_RES_BUSY,
                  MLX5_SYN_FT_GROUP_IN_USE);
    MLX5_SET(destroy_flow_group_in, in, group_id, st.group + 1);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_FT_NO_SUCH_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, st.table + 1);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_FT_NO_SUCH_TABLE);
    MLX5_SET(flow_cmd_in, in, table_type, 4);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_BAD_TYPE);
    drv_unsteer(d, &st);
    g_assert_cmpuint(drv_objects(d, "flow_table"), ==, 0);
    drv_stop(d);
}

void mlx5_obj_tests(void)
{
    qtest_add_func("mlx5-ktls/obj/plain", test_plain);
    qtest_add_func("mlx5-ktls/obj/not-reused", test_not_reused);
    qtest_add_func("mlx5-ktls/obj/wrong-id", test_wrong_id);
    qtest_add_func("mlx5-ktls/obj/in-use", test_in_use);
    qtest_add_func("mlx5-ktls/obj/teardown-leftovers",
                   test_teardown_leftovers);
    qtest_add_func("mlx5-ktls/obj/limits", test_limits);
    qtest_add_func("mlx5-ktls/obj/limit-eqs", test_limit_eqs);
    qtest_add_func("mlx5-ktls/obj/uid", test_uid);
    qtest_add_func("mlx5-ktls/obj/refused-eq", test_refused_eq);
    qtest_add_func("mlx5-ktls/obj/refused-cq", test_refused_cq);
    qtest_add_func("mlx5-ktls/obj/refused-sq", test_refused_sq);
    qtest_add_func("mlx5-ktls/obj/refused-rq", test_refused_rq);
    qtest_add_func("mlx5-ktls/obj/refused-others", test_refused_others);
    qtest_add_func("mlx5-ktls/obj/queue-states", test_queue_states);
    qtest_add_func("mlx5-ktls/obj/query", test_query);
    qtest_add_func("mlx5-ktls/obj/flow", test_flow_objects);
}
