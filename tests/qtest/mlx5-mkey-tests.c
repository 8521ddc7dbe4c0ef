/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of memory keys that translate (MTT, KLM, KSM): what they map, compared
 * with a flat copy; rights; and all that must be refused. Own no state.
 */
#include "mlx5-mkey-rig.h"
#include "mlx5-tests.h"

#define PAGE 4096
#define FRAME 1400
#define LOG_SQ 6

/* Memory whose contents the test knows. */
typedef struct Known {
    TxRig t;
    uint64_t mem;
    uint8_t *copy;
    size_t len;
} Known;

static void known(Known *k, size_t len)
{
    tx_rig(&k->t, LOG_SQ);
    k->len = len;
    k->copy = g_malloc(len);
    key_pattern(k->copy, len);
    k->mem = drv_mem(k->t.d, len);
    drv_write(k->t.d, k->mem, k->copy, len);
}

static void known_end(Known *k)
{
    g_free(k->copy);
    drv_stop(k->t.d);
}

/* ---------------------------------------------------- what is mapped --- */

/*
 * A key and what it must read as: @flat[i] is the byte at start + i. The pieces
 * are at random places of the known memory.
 */
typedef struct Random {
    uint64_t start;
    size_t len;
    uint8_t *flat;
    uint32_t lkey;
} Random;

/* Appends @n bytes of known memory, from @at on. */
static void flat_add(Random *r, const Known *k, size_t at, size_t n)
{
    g_assert_cmpuint(at + n, <=, k->len);
    r->flat = g_realloc(r->flat, r->len + n);
    memcpy(r->flat + r->len, k->copy + at, n);
    r->len += n;
}

static size_t pick(size_t n)
{
    return g_test_rand_int_range(0, n);
}

static void random_key(Random *r, Known *k, unsigned mode)
{
    unsigned log_entity = mode == KEY_MTT ? 12 + pick(2) : 6 + pick(7);
    unsigned octowords = 1 + pick(40), i;
    size_t entity = 1u << log_entity;
    unsigned n = mode == KEY_MTT ? octowords * 2 : octowords;
    g_autofree uint8_t *list = g_malloc0(octowords * 16);
    size_t first, cut;
    uint32_t len;
    uint8_t *in;

    *r = (Random) { .start = (uint64_t)g_test_rand_int() << pick(30) };
    for (i = 0; i < n; i++) {
        size_t piece = mode == KEY_KLM ? pick(3000) : entity;
        size_t at = pick(k->len - piece);

        if (mode == KEY_MTT) {
            at &= ~(size_t)(PAGE - 1);
            key_mtt(list, i, (k->mem + at) | pick(4)); /* flags */
        } else {
            key_klm(list, i, piece, k->t.d->lkey, k->mem + at);
        }
        flat_add(r, k, at, piece);
    }
    /* Entities start at multiples of their size, and may end later. */
    first = mode == KEY_KLM ? 0 : r->start & (entity - 1);
    r->len -= first;
    memmove(r->flat, r->flat + first, r->len);
    cut = mode == KEY_KLM ? 0 : pick(entity);
    r->len -= MIN(cut, r->len);
    in = key_cmd(k->t.d, mode, mode == KEY_KLM ? 0 : log_entity, r->start,
                 r->len, octowords, &len);
    memcpy(in + KEY_LIST, list, octowords * 16);
    r->lkey = key_make(k->t.d, in, len);
}

static void test_random(const void *data)
{
    unsigned mode = GPOINTER_TO_UINT(data), i, j;
    Known k;

    known(&k, 64 * PAGE);
    for (i = 0; i < 40; i++) {
        Random r;

        random_key(&r, &k, mode);
        for (j = 0; j < 8 && r.len >= FRAME; j++) {
            /* a short frame would be padded */
            size_t n = 60 + pick(FRAME - 60 + 1);
            size_t at = j ? pick(r.len - n + 1) : r.len - n;

            key_reads(&k.t, r.lkey, r.start + at, r.flat + at, n);
        }
        /* It ends where it ends, and begins where it begins. */
        key_refuses(&k.t, r.lkey, r.start + r.len - MIN(r.len, 100), 101);
        key_refuses(&k.t, r.lkey, r.start - 1, 60);
        drv_cmd_id_ok(k.t.d, OP_DESTROY_MKEY, r.lkey >> 8);
        key_refuses(&k.t, r.lkey, r.start, 60);
        g_free(r.flat);
    }
    known_end(&k);
}

/* What a queue receives goes to the same places. */
static void test_write(void)
{
    static const unsigned modes[] = { KEY_MTT, KEY_KLM, KEY_KSM };
    unsigned m;
    RxRig r;

    rx_rig(&r, "", false, 0);
    for (m = 0; m < G_N_ELEMENTS(modes); m++) {
        unsigned log_entity = modes[m] == KEY_KSM ? 8 : 12, i;
        unsigned n = modes[m] == KEY_MTT ? 2 : 16;
        uint64_t mem = drv_mem(r.d, 16 * PAGE);
        FrameSpec s = rig_spec(4, 17, FRAME);
        Frame f = frame_build(&s);
        uint8_t cqe[64], got[FRAME + 42];
        DrvSeg seg = { .len = 2048 };
        uint8_t *in;
        uint32_t len;
        size_t at = 0;

        in = key_cmd(r.d, modes[m], log_entity, 0, n << log_entity,
                     modes[m] == KEY_MTT ? 1 : n, &len);
        /* backwards */
        for (i = 0; i < n; i++) {
            uint64_t to = mem + (n - 1 - i) * PAGE;

            if (modes[m] == KEY_MTT) {
                key_mtt(in + KEY_LIST, i, to);
            } else {
                key_klm(in + KEY_LIST, i, 256, r.d->lkey, to);
            }
        }
        seg.lkey = key_make(r.d, in, len);
        seg.addr = modes[m] == KEY_MTT ? PAGE - 100 : 100;
        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, f.data, f.len);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        while (at < f.len) {
            size_t size = modes[m] == KEY_MTT ? PAGE : 256;
            size_t off = seg.addr + at, in_page = off % size;
            size_t part = MIN(size - in_page, f.len - at);

            drv_read(r.d, mem + (n - 1 - off / size) * PAGE + in_page,
                     got + at, part);
            at += part;
        }
        g_assert_cmpmem(got, f.len, f.data, f.len);
        frame_free(&f);
    }
    drv_stop(r.d);
}

/* With length64 only the table limits a key. */
static void test_length64(void)
{
    uint32_t len, lkey;
    uint8_t *in;
    Known k;

    known(&k, 4 * PAGE);
    in = key_cmd(k.t.d, KEY_MTT, 12, 5 * PAGE, 1, 2, &len);
    MLX5_SET(mkc, in + 0x10, length64, 1);
    /* the last of four pages is not given */
    MLX5_SET(create_mkey_in, in, translations_octword_actual_size, 1);
    key_mtt(in + KEY_LIST, 0, k.mem);
    key_mtt(in + KEY_LIST, 1, k.mem + 2 * PAGE);
    lkey = key_make(k.t.d, in, len);
    key_reads(&k.t, lkey, 6 * PAGE + 10, k.copy + 2 * PAGE + 10, FRAME);
    key_refuses(&k.t, lkey, 7 * PAGE - 100, FRAME);
    key_refuses(&k.t, lkey, 7 * PAGE, 60);
    key_refuses(&k.t, lkey, 9 * PAGE, 60);
    key_refuses(&k.t, lkey, UINT64_MAX - 10, 60);
    key_refuses(&k.t, lkey, 0, 60);
    known_end(&k);
}

/* ------------------------------------------------------ what may be --- */

/* A key of one KSM that covers the known memory through key @lkey. */
static uint32_t over(Known *k, uint32_t lkey, uint64_t va)
{
    uint32_t len;
    uint8_t *in = key_cmd(k->t.d, KEY_KSM, 14, 0, 4 * PAGE, 1, &len);

    key_klm(in + KEY_LIST, 0, 0, lkey, va);
    return key_make(k->t.d, in, len);
}

/* A key of MTTs for all of the known memory, but for one change. */
static uint32_t change(Known *k, unsigned bit, unsigned width, uint64_t value)
{
    unsigned n = k->len / PAGE, i;
    uint32_t len;
    uint8_t *in = key_cmd(k->t.d, KEY_MTT, 12, 0, k->len, n / 2, &len);

    for (i = 0; i < n; i++) {
        key_mtt(in + KEY_LIST, i, k->mem + i * PAGE);
    }
    mlx5_prm_set(in + 0x10, bit, width, value);
    return key_make(k->t.d, in, len);
}

#define CHANGE(k, field, v) \
    change(k, MLX5_BIT_mkc_##field, MLX5_WIDTH_mkc_##field, v)

/* Free keys, missing rights, other domains, alone and behind another key. */
static void test_rights(void)
{
    uint32_t good, bad[4];
    unsigned i;
    Known k;

    known(&k, 4 * PAGE);
    good = CHANGE(&k, lr, 1);
    bad[0] = CHANGE(&k, free, 1);
    bad[1] = CHANGE(&k, lr, 0);
    bad[2] = CHANGE(&k, pd, drv_alloc(k.t.d, OP_ALLOC_PD));
    bad[3] = good ^ 1;
    key_reads(&k.t, good, PAGE - 1, k.copy + PAGE - 1, FRAME);
    key_reads(&k.t, over(&k, good, 7), 9, k.copy + 16, FRAME);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        key_refuses(&k.t, bad[i], 0, FRAME);
        key_refuses(&k.t, over(&k, bad[i], 0), 0, FRAME);
    }
    known_end(&k);
}

/* Without lw nothing is written, whichever key of the two lacks it. */
static void test_read_only(void)
{
    unsigned i;

    for (i = 0; i < 3; i++) {
        FrameSpec s = rig_spec(4, 17, FRAME);
        Frame f = frame_build(&s);
        DrvSeg seg = { .len = 2048 };
        uint32_t len, inner;
        uint8_t *in, cqe[64];
        uint64_t mem;
        RxRig r;

        rx_rig(&r, "", false, 0);
        mem = drv_mem(r.d, 2 * PAGE);
        in = key_cmd(r.d, KEY_MTT, 12, 0, 2 * PAGE, 1, &len);
        key_mtt(in + KEY_LIST, 0, mem);
        key_mtt(in + KEY_LIST, 1, mem + PAGE);
        MLX5_SET(mkc, in + 0x10, lw, i != 0);
        inner = key_make(r.d, in, len);
        in = key_cmd(r.d, KEY_KSM, 13, 0, 2 * PAGE, 1, &len);
        key_klm(in + KEY_LIST, 0, 0, inner, 0);
        MLX5_SET(mkc, in + 0x10, lw, i != 1);
        seg.lkey = key_make(r.d, in, len);
        drv_rq_post(r.d, &r.rq, &seg, 1);
        drv_rq_publish(r.d, &r.rq);
        drv_wire_send(r.d, f.data, f.len);
        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==,
                        i == 2 ? CQE_RESP : CQE_RESP_ERR);
        g_assert_cmpuint(drv_read32(r.d, mem) != 0, ==, i == 2);
        frame_free(&f);
        drv_stop(r.d);
    }
}

/* ---------------------------------------------------------- hostile --- */

/* A key may translate to others, but these not to others again. */
static void test_keys_of_keys(void)
{
    uint32_t a, b, len;
    uint8_t *in;
    Known k;

    known(&k, 4 * PAGE);
    a = over(&k, k.t.d->lkey, k.mem);
    key_reads(&k.t, a, 100, k.copy + 100, FRAME);
    b = over(&k, a, 0);
    key_refuses(&k.t, b, 0, FRAME);
    /* One that translates to itself: numbers are given in order. */
    in = key_cmd(k.t.d, KEY_KLM, 0, 0, 4 * PAGE, 1, &len);
    key_klm(in + KEY_LIST, 0, 4 * PAGE, ((b >> 8) + 1) << 8 | KEY_LOW, 0);
    a = key_make(k.t.d, in, len);
    g_assert_cmphex(a >> 8, ==, (b >> 8) + 1);
    key_refuses(&k.t, a, 0, FRAME);
    known_end(&k);
}

/* KLMs without bytes cover none, wherever they are; 2^32 - 1 is a length. */
static void test_lengths(void)
{
    uint32_t len, lkey;
    uint8_t *in;
    Known k;

    known(&k, 2 * PAGE);
    in = key_cmd(k.t.d, KEY_KLM, 0, 0x1000, 5000, 8, &len);
    key_klm(in + KEY_LIST, 0, 0, k.t.d->lkey, 1);
    key_klm(in + KEY_LIST, 1, 100, k.t.d->lkey, k.mem);
    key_klm(in + KEY_LIST, 2, 0, 0, 0);
    key_klm(in + KEY_LIST, 3, 0, k.t.d->lkey, UINT64_MAX);
    key_klm(in + KEY_LIST, 4, 3000, k.t.d->lkey, k.mem + 100);
    key_klm(in + KEY_LIST, 6, UINT32_MAX, 0x12345678, k.mem);
    key_klm(in + KEY_LIST, 7, UINT32_MAX, 0x12345678, k.mem);
    lkey = key_make(k.t.d, in, len);
    key_reads(&k.t, lkey, 0x1000, k.copy, FRAME);
    key_reads(&k.t, lkey, 0x1000 + 3100 - 60, k.copy + 3100 - 60, 60);
    key_refuses(&k.t, lkey, 0x1000 + 3100 - 60, 61);
    /* All lengths are 0. */
    in = key_cmd(k.t.d, KEY_KLM, 0, 0, UINT64_MAX, 8, &len);
    key_klm(in + KEY_LIST, 3, 0, k.t.d->lkey, k.mem);
    lkey = key_make(k.t.d, in, len);
    key_refuses(&k.t, lkey, 0, 60);
    key_refuses(&k.t, lkey, UINT64_MAX - 60, 60);
    /* No table, and no length. */
    in = key_cmd(k.t.d, KEY_KLM, 0, 0, UINT64_MAX, 0, &len);
    key_refuses(&k.t, key_make(k.t.d, in, len), 0, 60);
    in = key_cmd(k.t.d, KEY_MTT, 12, 0, 0, 1, &len);
    key_mtt(in + KEY_LIST, 0, k.mem);
    key_refuses(&k.t, key_make(k.t.d, in, len), 0, 60);
    known_end(&k);
}

/* What overlaps or leaves memory: read as often as mapped, or refused. */
static void test_places(void)
{
    uint8_t twice[200];
    uint32_t len, lkey;
    uint8_t *in;
    unsigned i;
    Known k;

    known(&k, PAGE);
    memcpy(twice, k.copy, 100);
    memcpy(twice + 100, k.copy + 50, 100);
    in = key_cmd(k.t.d, KEY_KLM, 0, 0, 100000, 2, &len);
    key_klm(in + KEY_LIST, 0, 100, k.t.d->lkey, k.mem);
    key_klm(in + KEY_LIST, 1, 100, k.t.d->lkey, k.mem + 50);
    key_reads(&k.t, key_make(k.t.d, in, len), 0, twice, 200);
    /* In many places: 256, then one more. */
    for (i = 256; i <= 257; i++) {
        in = key_cmd(k.t.d, KEY_KLM, 0, 0, 100000, 512, &len);
        for (uint32_t j = 0; j < 512; j++) {
            key_klm(in + KEY_LIST, j, 1, k.t.d->lkey, k.mem + j);
        }
        lkey = key_make(k.t.d, in, len);
        if (i == 256) {
            key_reads(&k.t, lkey, 0, k.copy, i);
        } else {
            key_refuses(&k.t, lkey, 0, i);
        }
    }
    /* Where no memory is, and over the end of addresses. */
    in = key_cmd(k.t.d, KEY_MTT, 12, 0, 2 * PAGE, 1, &len);
    key_mtt(in + KEY_LIST, 0, 0x7f0000000000);
    key_mtt(in + KEY_LIST, 1, 0xfffffffffffff000);
    lkey = key_make(k.t.d, in, len);
    key_refuses(&k.t, lkey, 0, 60);
    key_refuses(&k.t, lkey, 2 * PAGE - 60, 60);
    in = key_cmd(k.t.d, KEY_KSM, 12, 0, PAGE, 1, &len);
    key_klm(in + KEY_LIST, 0, 0, CHANGE(&k, lr, 1), UINT64_MAX - 30);
    key_refuses(&k.t, key_make(k.t.d, in, len), 0, 60);
    known_end(&k);
}

#define MKC(field) \
    (0x10 * 8 + MLX5_BIT_mkc_##field), MLX5_WIDTH_mkc_##field
#define IN(field) \
    MLX5_BIT_create_mkey_in_##field, MLX5_WIDTH_create_mkey_in_##field

/* What CREATE_MKEY refuses. */
static void test_refused(void)
{
    static const struct {
        unsigned mode;
        unsigned bit;
        unsigned width;
        uint64_t value;
        Mlx5Status status;
        Mlx5Syndrome syn;
    } rows[] = {
#define BAD(status, syn) MLX5_STATUS_##status, MLX5_SYN_##syn
        { KEY_MTT, MKC(access_mode_4_2), 1, BAD(BAD_PARAM, MKEY_BAD_MODE) },
        { KEY_MTT, MKC(bsf_en), 1, BAD(BAD_PARAM, MKEY_BSF) },
        { KEY_MTT, MKC(log_page_size), 11, BAD(BAD_PARAM, MKEY_BAD_ENTITY) },
        { KEY_MTT, MKC(log_page_size), 31, BAD(BAD_PARAM, MKEY_BAD_ENTITY) },
        { KEY_MTT, MKC(log_page_size), 63, BAD(BAD_PARAM, MKEY_BAD_ENTITY) },
        { KEY_KSM, MKC(log_page_size), 5, BAD(BAD_PARAM, MKEY_BAD_ENTITY) },
        { KEY_KSM, MKC(log_page_size), 31, BAD(BAD_PARAM, MKEY_BAD_ENTITY) },
        { KEY_KLM, MKC(translations_octword_size), 65537,
          BAD(EXCEED_LIM, MKEY_TOO_LARGE) },
        { KEY_MTT, MKC(translations_octword_size), UINT32_MAX,
          BAD(EXCEED_LIM, MKEY_TOO_LARGE) },
        { KEY_MTT, MKC(translations_octword_size), 3,
          BAD(BAD_PARAM, MKEY_LIST_LONG) },
        { KEY_KSM, IN(translations_octword_actual_size), UINT32_MAX,
          BAD(BAD_PARAM, MKEY_LIST_LONG) },
        { KEY_MTT, MKC(len), UINT64_MAX, BAD(BAD_PARAM, MKEY_WRAPS) },
        { KEY_MTT, MKC(start_addr), UINT64_MAX - 2,
          BAD(BAD_PARAM, MKEY_WRAPS) },
        { KEY_MTT, MKC(pd), 0, BAD(BAD_RES, NO_SUCH_PD) },
        { KEY_MTT, IN(mkey_umem_valid), 1, BAD(BAD_PARAM, UMEM_UNSUPPORTED) },
    };
    Drv *d = drv_start_up("");
    uint64_t before = drv_objects_total(d), used = drv_memory_used(d);
    uint8_t *in;
    uint32_t len;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %u", i);
        in = key_cmd(d, rows[i].mode, 12, PAGE, 4 * PAGE, 4, &len);
        mlx5_prm_set(in, rows[i].bit, rows[i].width, rows[i].value);
        drv_cmd_fails(d, in, len, 16, rows[i].status, rows[i].syn);
        g_free(in);
    }
    in = key_cmd(d, KEY_KLM, 12, PAGE, 4 * PAGE, 4, &len);
    drv_cmd_fails(d, in, len - 1, 16, MLX5_STATUS_BAD_INPUT_LEN,
                  MLX5_SYN_MKEY_LIST_MISSING);
    g_free(in);
    g_assert_cmpuint(drv_objects_total(d), ==, before);
    g_assert_cmpuint(drv_memory_used(d), ==, used);
    /* The longest one that there is: 1 MiB of translations. */
    in = key_cmd(d, KEY_KLM, 0, 0, PAGE, 65536, &len);
    for (i = 0; i < 65536; i++) {
        key_klm(in + KEY_LIST, i, UINT32_MAX, d->lkey, 0);
    }
    key_make(d, in, len);
    drv_watch(d, "a key of 65536 KLMs", 50);
    drv_stop(d);
}

void mlx5_mkey_tests(void)
{
    qtest_add_data_func("mlx5-ktls/mkey/mtt", GUINT_TO_POINTER(KEY_MTT),
                        test_random);
    qtest_add_data_func("mlx5-ktls/mkey/klm", GUINT_TO_POINTER(KEY_KLM),
                        test_random);
    qtest_add_data_func("mlx5-ktls/mkey/ksm", GUINT_TO_POINTER(KEY_KSM),
                        test_random);
    qtest_add_func("mlx5-ktls/mkey/write", test_write);
    qtest_add_func("mlx5-ktls/mkey/length64", test_length64);
    qtest_add_func("mlx5-ktls/mkey/rights", test_rights);
    qtest_add_func("mlx5-ktls/mkey/read-only", test_read_only);
    qtest_add_func("mlx5-ktls/mkey/keys-of-keys", test_keys_of_keys);
    qtest_add_func("mlx5-ktls/mkey/lengths", test_lengths);
    qtest_add_func("mlx5-ktls/mkey/places", test_places);
    qtest_add_func("mlx5-ktls/mkey/refused", test_refused);
}
