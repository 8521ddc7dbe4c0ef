/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of UMR WQEs that change memory keys: lists in the WQE and in memory,
 * offsets, masks, states, order with other WQEs; and what is refused. Own no
 * state.
 */
#include "mlx5-mkey-rig.h"
#include "mlx5-tests.h"

#define PAGE 4096
#define FRAME 1400
#define PAGES 16

/* umr_ctrl.flags */
enum { OFFSET = 0x10, CHECK_NOT_FREE = 0x20, CHECK_FREE = 0x40, INLINE = 0x80 };
/* umr_ctrl.mkey_mask */
#define MASK_LEN (1ull << 0)
#define MASK_PAGE_SIZE (1ull << 1)
#define MASK_START (1ull << 6)
#define MASK_PD (1ull << 7)
#define MASK_KEY (1ull << 13)
#define MASK_LR (1ull << 17)
#define MASK_FREE (1ull << 29)

/* A queue that may change keys, and memory whose contents the test knows. */
typedef struct Umr {
    TxRig t;
    uint64_t mem;
    uint8_t copy[PAGES * PAGE];
} Umr;

static void umr_rig(Umr *u)
{
    g_autofree uint8_t *in = NULL;
    uint32_t len;

    u->t.d = drv_start_up("");
    drv_eq_create(u->t.d, &u->t.eq, 6, 0, 0);
    drv_cq_create(u->t.d, &u->t.cq, 8, u->t.eq.eqn);
    in = drv_sq_cmd(u->t.d, &u->t.sq, 8, &u->t.cq, 0, &len);
    MLX5_SET(sqc, in + 0x20, reg_umr, 1);
    u->t.sq.sqn = drv_create(u->t.d, in, len);
    g_assert_cmphex(drv_sq_modify(u->t.d, &u->t.sq, DRV_RST, DRV_RDY).status,
                    ==, 0);
    u->mem = drv_mem(u->t.d, sizeof(u->copy));
    key_pattern(u->copy, sizeof(u->copy));
    drv_write(u->t.d, u->mem, u->copy, sizeof(u->copy));
}

/* A key with room for PAGES entities, none of them set. */
static uint32_t empty_key(Umr *u, unsigned mode, bool free)
{
    uint32_t len;
    uint8_t *in = key_cmd(u->t.d, mode, 12, 0, PAGES * PAGE,
                          mode == KEY_MTT ? PAGES / 2 : PAGES, &len);

    MLX5_SET(mkc, in + 0x10, free, free);
    MLX5_SET(create_mkey_in, in, translations_octword_actual_size, 0);
    return key_make(u->t.d, in, len);
}

/* Builds a UMR WQE for @n octowords from @list on, inline. */
static void umr(DrvWqe *w, const Umr *u, uint32_t lkey, uint8_t flags,
                uint64_t mask, uint64_t at, const uint8_t *list, unsigned n)
{
    uint8_t *ctrl = w->b + 0x10;

    drv_wqe(w, &u->t.sq, WQE_UMR, true);
    MLX5_SET(wqe_ctrl, w->b, imm, lkey);
    MLX5_SET(wqe_umr_ctrl, ctrl, flags, flags);
    MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, mask);
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_octowords, n);
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset, at & 0xffff);
    MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset_47_16, at >> 16);
    w->ds = 8;
    if (flags & INLINE) {
        memcpy(w->b + 0x80, list, n * 16);
        w->ds += n;
    }
}

static void run(Umr *u, DrvWqe *w)
{
    uint16_t index = drv_sq_put(u->t.d, &u->t.sq, w);

    drv_sq_ring(u->t.d, &u->t.sq);
    drv_sq_expect(u->t.d, &u->t.sq, index);
}

/* The WQE must fail, and leave the queue as after a reset. */
static void run_fails(Umr *u, DrvWqe *w, uint8_t syndrome)
{
    uint16_t index = drv_sq_put(u->t.d, &u->t.sq, w);

    drv_sq_ring(u->t.d, &u->t.sq);
    drv_sq_expect_error(u->t.d, &u->t.sq, index, syndrome);
    u->t.sq.pc = 0;
    drv_write32(u->t.d, u->t.sq.dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(u->t.d, &u->t.sq, DRV_ERR, DRV_RST).status,
                    ==, 0);
    g_assert_cmphex(drv_sq_modify(u->t.d, &u->t.sq, DRV_RST, DRV_RDY).status,
                    ==, 0);
}

/* A list that maps entity i of the key to page to[i]. */
static void list_of(Umr *u, unsigned mode, uint8_t *list, const uint8_t *to,
                    unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        if (mode == KEY_MTT) {
            key_mtt(list, i, (u->mem + to[i] * PAGE) | 3);
        } else {
            key_klm(list, i, PAGE, u->t.d->lkey, u->mem + to[i] * PAGE);
        }
    }
}

/*
 * Parts of tables are replaced again and again, by WQE and from memory; the key
 * reads as all changes say.
 */
static void test_random(const void *data)
{
    unsigned mode = GPOINTER_TO_UINT(data), round, i;
    uint8_t now[PAGES], list[PAGES * 16];
    unsigned unit = mode == KEY_MTT ? 2 : 1;
    uint32_t lkey;
    uint64_t mem;
    Umr u;

    umr_rig(&u);
    mem = drv_mem(u.t.d, PAGE);
    lkey = empty_key(&u, mode, true);
    for (i = 0; i < PAGES; i++) {
        now[i] = PAGES - 1 - i;
    }
    key_refuses(&u.t, lkey, 0, FRAME);
    for (round = 0; round < 50; round++) {
        unsigned n = round ? g_test_rand_int_range(1, 5) * unit : PAGES;
        unsigned at = round ? g_test_rand_int_range(0, (PAGES - n) / unit + 1) *
                              unit : 0;
        DrvWqe w;

        for (i = 0; round && i < n; i++) {
            now[at + i] = g_test_rand_int_range(0, PAGES);
        }
        list_of(&u, mode, list, now + at, n);
        if (g_test_rand_bit()) {
            umr(&w, &u, lkey, INLINE | OFFSET, MASK_FREE, at / unit, list,
                n / unit);
        } else {
            drv_write(u.t.d, mem, list, n / unit * 16);
            umr(&w, &u, lkey, OFFSET, MASK_FREE, at / unit, NULL, n / unit);
            drv_wqe_data(&w, u.t.d->lkey, mem, n / unit * 16);
        }
        run(&u, &w);
        for (i = 0; i < 4; i++) {
            size_t off = g_test_rand_int_range(0, PAGES * PAGE - FRAME);
            uint8_t want[FRAME];
            unsigned j;

            for (j = 0; j < FRAME; j++) {
                want[j] = u.copy[now[(off + j) / PAGE] * PAGE +
                                 (off + j) % PAGE];
            }
            key_reads(&u.t, lkey, off, want, FRAME);
        }
    }
    drv_stop(u.t.d);
}

/* KLMs can also change their lengths. */
static void test_lengths(void)
{
    uint8_t list[PAGES * 16] = { 0 }, want[FRAME];
    unsigned round, i;
    uint32_t lkey;
    Umr u;

    umr_rig(&u);
    lkey = empty_key(&u, KEY_KLM, true);
    for (round = 0; round < 50; round++) {
        unsigned first = round ? g_test_rand_int_range(0, PAGES) : 0;
        size_t at = 0;
        DrvWqe w;

        for (i = first; i < PAGES; i++) {
            unsigned len = i == PAGES - 1 ? FRAME :
                           g_test_rand_int_range(0, 400);

            key_klm(list, i, len, u.t.d->lkey, u.mem +
                    g_test_rand_int_range(0, sizeof(u.copy) - len));
        }
        umr(&w, &u, lkey, INLINE | OFFSET, MASK_FREE, first,
            list + first * 16, PAGES - first);
        run(&u, &w);
        for (i = 0; i < PAGES && at < FRAME; i++) {
            uint8_t *klm = list + i * 16;
            size_t n = MIN(MLX5_GET(klm, klm, byte_count), FRAME - at);

            memcpy(want + at, u.copy + (MLX5_GET64(klm, klm, address) - u.mem),
                   n);
            at += n;
        }
        g_assert_cmpuint(at, ==, FRAME);
        key_reads(&u.t, lkey, 0, want, FRAME);
    }
    drv_stop(u.t.d);
}

/* A WQE behind the UMR, rung together with it, sees the key as changed. */
static void test_order(void)
{
    uint8_t list[16], to[2] = { 0, 1 }, frame[PAGE];
    uint16_t index[3];
    uint32_t lkey;
    unsigned i;
    DrvWqe w;
    Umr u;

    umr_rig(&u);
    lkey = empty_key(&u, KEY_MTT, true);
    for (i = 0; i < 3; i++) {
        to[0] = i + 4;
        list_of(&u, KEY_MTT, list, to, 2);
        umr(&w, &u, lkey, INLINE | OFFSET, MASK_FREE, 0, list, 1);
        MLX5_SET(wqe_ctrl, w.b, ce, 0);
        drv_sq_put(u.t.d, &u.t.sq, &w);
        drv_wqe(&w, &u.t.sq, WQE_SEND, true);
        MLX5_SET(wqe_ctrl, w.b, fm, 3);
        drv_wqe_eth(&w, 0, 0, NULL, 0);
        drv_wqe_data(&w, lkey, 5, FRAME);
        index[i] = drv_sq_put(u.t.d, &u.t.sq, &w);
    }
    drv_sq_ring(u.t.d, &u.t.sq);
    for (i = 0; i < 3; i++) {
        drv_sq_expect(u.t.d, &u.t.sq, index[i]);
        g_assert_cmpuint(drv_wire_recv(u.t.d, frame), ==, FRAME);
        g_assert_cmpmem(frame, FRAME, u.copy + (i + 4) * PAGE + 5, FRAME);
    }
    drv_stop(u.t.d);
}

static void query(Umr *u, uint32_t lkey, uint8_t *mkc)
{
    uint8_t in[16] = { 0 }, out[304];

    MLX5_SET(cmd_in, in, opcode, 0x201); /* QUERY_MKEY */
    MLX5_SET(cmd_id, in, id, lkey >> 8);
    drv_cmd_ok(u->t.d, in, sizeof(in), out, sizeof(out));
    memcpy(mkc, out + 0x10, 64);
}

/* Fields that the mask selects change, others do not; QUERY_MKEY shows it. */
static void test_fields(void)
{
    uint8_t list[PAGES * 8], to[PAGES] = { 3, 1, 2, 0 }, mkc[64], now[64];
    uint32_t lkey, pd;
    DrvWqe w;
    Umr u;

    umr_rig(&u);
    lkey = empty_key(&u, KEY_MTT, true);
    list_of(&u, KEY_MTT, list, to, PAGES);
    query(&u, lkey, mkc);
    umr(&w, &u, lkey, INLINE | CHECK_FREE, MASK_FREE | MASK_START | MASK_LEN,
        0, list, PAGES / 2);
    memset(w.b + 0x40, 0xff, 64); /* all that the mask does not select */
    MLX5_SET(mkc, w.b + 0x40, free, 0);
    MLX5_SET(mkc, w.b + 0x40, length64, 0);
    MLX5_SET(mkc, w.b + 0x40, start_addr, 0x123456789100);
    MLX5_SET(mkc, w.b + 0x40, len, 6000);
    run(&u, &w);
    MLX5_SET(mkc, mkc, free, 0);
    MLX5_SET(mkc, mkc, start_addr, 0x123456789100);
    MLX5_SET(mkc, mkc, len, 6000);
    query(&u, lkey, now);
    g_assert_cmpmem(now, 64, mkc, 64);
    key_reads(&u.t, lkey, 0x123456789100, u.copy + 3 * PAGE + 0x100, FRAME);
    key_refuses(&u.t, lkey, 0x123456789100 + 6000 - 60, 61);
    key_refuses(&u.t, lkey, 0, 60);
    /* the number's low byte */
    umr(&w, &u, lkey, INLINE | CHECK_NOT_FREE, MASK_KEY, 0, NULL, 0);
    MLX5_SET(mkc, w.b + 0x40, mkey_7_0, 0x77);
    run(&u, &w);
    key_refuses(&u.t, lkey, 0x123456789100, FRAME);
    lkey = (lkey & ~0xffu) | 0x77;
    key_reads(&u.t, lkey, 0x123456789100, u.copy + 3 * PAGE + 0x100, FRAME);
    /* rights, and back into the pool */
    umr(&w, &u, lkey, INLINE, MASK_LR, 0, NULL, 0);
    run(&u, &w);
    key_refuses(&u.t, lkey, 0x123456789100, FRAME);
    umr(&w, &u, lkey, INLINE, MASK_LR | MASK_FREE, 0, NULL, 0);
    MLX5_SET(mkc, w.b + 0x40, lr, 1);
    MLX5_SET(mkc, w.b + 0x40, free, 1);
    run(&u, &w);
    key_refuses(&u.t, lkey, 0x123456789100, FRAME);
    /* into another domain, which then cannot be freed */
    pd = drv_alloc(u.t.d, OP_ALLOC_PD);
    umr(&w, &u, lkey, INLINE, MASK_PD | MASK_FREE, 0, NULL, 0);
    MLX5_SET(mkc, w.b + 0x40, pd, pd);
    run(&u, &w);
    key_refuses(&u.t, lkey, 0x123456789100, FRAME);
    drv_cmd_id_fails(u.t.d, OP_DEALLOC_PD, pd, MLX5_STATUS_RES_BUSY,
                     MLX5_SYN_OBJECT_IN_USE);
    drv_cmd_id_ok(u.t.d, OP_DESTROY_MKEY, lkey >> 8);
    drv_cmd_id_ok(u.t.d, OP_DEALLOC_PD, pd);
    drv_stop(u.t.d);
}

/* Keys that rows below name; and @bad, a list that must go nowhere. */
typedef struct Keys {
    uint32_t good, other_pd, fixed;
    uint8_t bad[PAGES * 8];
} Keys;

enum { KEY_ROWS = 14, FORM_ROWS = 5 };

/* Spoils a WQE that changes k->good, so that the key cannot be changed so. */
static void spoil_key(unsigned row, const Umr *u, const Keys *k, DrvWqe *w)
{
    uint8_t *ctrl = w->b + 0x10, *mkc = w->b + 0x40;

    switch (row) {
    case 0: /* no such key */
        MLX5_SET(wqe_ctrl, w->b, imm, 0x12345678);
        break;
    case 1:
        MLX5_SET(wqe_ctrl, w->b, imm, k->good ^ 1);
        break;
    case 2: /* of another domain, or not to be changed */
        MLX5_SET(wqe_ctrl, w->b, imm, k->other_pd);
        break;
    case 3:
        MLX5_SET(wqe_ctrl, w->b, imm, k->fixed);
        break;
    case 4:
        MLX5_SET(wqe_ctrl, w->b, imm, u->t.d->lkey);
        break;
    case 5: /* not in the state that it is to be in */
        MLX5_SET(wqe_umr_ctrl, ctrl, flags, INLINE | CHECK_FREE);
        break;
    case 6: /* beyond the table, and beyond all of them */
        MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset, PAGES / 2 - 3);
        break;
    case 7:
        MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset, 0xffff);
        break;
    case 8:
        MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset_47_16, 1);
        break;
    case 9:
        MLX5_SET(wqe_umr_ctrl, ctrl, xlt_offset_47_16, UINT32_MAX);
        break;
    case 10: /* fields that cannot be changed, or not like that */
        MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, MASK_PAGE_SIZE);
        break;
    case 11:
        MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, 1ull << 63);
        break;
    case 12:
        MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, MASK_PD);
        MLX5_SET(mkc, mkc, pd, 0xffffff);
        break;
    case 13:
        MLX5_SET(wqe_umr_ctrl, ctrl, mkey_mask, MASK_START | MASK_LEN);
        MLX5_SET(mkc, mkc, start_addr, UINT64_MAX);
        MLX5_SET(mkc, mkc, len, 2);
        break;
    }
}

/* Spoils the WQE itself, or its list. Returns the syndrome. */
static uint8_t spoil_form(unsigned row, const Umr *u, const Keys *k, DrvWqe *w)
{
    switch (row) {
    case 0: /* shorter than its list */
        w->ds--;
        break;
    case 1:
        w->ds = 7;
        break;
    case 2: /* a list in memory that is none, too short, or not there */
        MLX5_SET(wqe_umr_ctrl, w->b + 0x10, flags, 0);
        w->ds = 8;
        break;
    case 3:
        umr(w, u, k->good, 0, MASK_FREE, 0, NULL, 4);
        drv_wqe_data(w, u->t.d->lkey, u->mem, 63);
        break;
    case 4:
        umr(w, u, k->good, 0, MASK_FREE, 0, NULL, 4);
        drv_wqe_data(w, u->t.d->lkey ^ 1, u->mem, 64);
        return SYN_PROT;
    }
    return SYN_QP_OP;
}

/* A key of one page that is not the queue's to change. */
static uint32_t foreign_key(Umr *u, unsigned bit, unsigned width, uint32_t v)
{
    uint32_t len;
    uint8_t *in = key_cmd(u->t.d, KEY_MTT, 12, 0, PAGE, 1, &len);

    mlx5_prm_set(in + 0x10, bit, width, v);
    return key_make(u->t.d, in, len);
}

/* A WQE that is refused changes nothing. */
static void test_refused(void)
{
    uint8_t list[PAGES * 8], to[PAGES] = { 0 };
    unsigned i;
    DrvWqe w;
    Keys k;
    Umr u;

    umr_rig(&u);
    k.good = empty_key(&u, KEY_MTT, true);
    k.other_pd = foreign_key(&u, MLX5_BIT_mkc_pd, MLX5_WIDTH_mkc_pd,
                             drv_alloc(u.t.d, OP_ALLOC_PD));
    k.fixed = foreign_key(&u, MLX5_BIT_mkc_umr_en, 1, 0);
    list_of(&u, KEY_MTT, list, to, PAGES);
    to[0] = 5;
    list_of(&u, KEY_MTT, k.bad, to, PAGES);
    umr(&w, &u, k.good, INLINE, MASK_FREE, 0, list, PAGES / 2);
    run(&u, &w);
    for (i = 0; i < KEY_ROWS + FORM_ROWS; i++) {
        uint8_t want = SYN_MW_BIND;

        g_test_message("row %u", i);
        umr(&w, &u, k.good, INLINE | OFFSET, MASK_FREE, 0, k.bad, 4);
        if (i < KEY_ROWS) {
            spoil_key(i, &u, &k, &w);
        } else {
            want = spoil_form(i - KEY_ROWS, &u, &k, &w);
        }
        run_fails(&u, &w, want);
        key_reads(&u.t, k.good, 0, u.copy, FRAME);
    }
    /* A free key is not the one in use that was expected. */
    umr(&w, &u, empty_key(&u, KEY_MTT, true), INLINE | CHECK_NOT_FREE,
        MASK_FREE, 0, k.bad, 4);
    run_fails(&u, &w, SYN_MW_BIND);
    /* And the good WQE was good. */
    umr(&w, &u, k.good, INLINE | OFFSET, MASK_FREE, 0, k.bad, 4);
    run(&u, &w);
    key_reads(&u.t, k.good, 0, u.copy + 5 * PAGE, FRAME);
    drv_stop(u.t.d);
}

/* Only a queue that was created for it changes keys. */
static void test_no_reg_umr(void)
{
    uint8_t list[PAGES * 8], to[PAGES] = { 0 };
    uint32_t lkey;
    DrvWqe w;
    Umr u;

    umr_rig(&u);
    lkey = empty_key(&u, KEY_MTT, true);
    drv_sq_create(u.t.d, &u.t.sq, 6, &u.t.cq, 0);
    list_of(&u, KEY_MTT, list, to, PAGES);
    umr(&w, &u, lkey, INLINE, MASK_FREE, 0, list, PAGES / 2);
    run_fails(&u, &w, SYN_QP_OP);
    key_refuses(&u.t, lkey, 0, 60);
    drv_stop(u.t.d);
}

void mlx5_umr_tests(void)
{
    qtest_add_data_func("mlx5-ktls/umr/mtt", GUINT_TO_POINTER(KEY_MTT),
                        test_random);
    qtest_add_data_func("mlx5-ktls/umr/klm", GUINT_TO_POINTER(KEY_KLM),
                        test_random);
    qtest_add_data_func("mlx5-ktls/umr/ksm", GUINT_TO_POINTER(KEY_KSM),
                        test_random);
    qtest_add_func("mlx5-ktls/umr/lengths", test_lengths);
    qtest_add_func("mlx5-ktls/umr/order", test_order);
    qtest_add_func("mlx5-ktls/umr/fields", test_fields);
    qtest_add_func("mlx5-ktls/umr/refused", test_refused);
    qtest_add_func("mlx5-ktls/umr/no-reg-umr", test_no_reg_umr);
}
