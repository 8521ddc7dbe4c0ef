/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of striding queues whose buffers are mapped by UMR WQEs, in each form
 * that the Linux driver chooses (en/params.c mlx5e_mpwrq_umr_mode): pages, and
 * the frames of AF_XDP of other sizes and at other places. Own no state.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "mlx5-mkey-rig.h"
#include "mlx5-stride-rig.h"
#include "mlx5-tests.h"

#define PAGE_SHIFT 12
#define PAGE (1u << PAGE_SHIFT)
#define HEADROOM 256
#define LOG_WQES 2
#define WQES (1u << LOG_WQES)
#define UMR_WQEBBS 16

/* How the driver maps one frame. */
typedef struct Form {
    const char *name;
    unsigned mode;
    unsigned log_entity;
    unsigned log_pages; /* frames of a WQE, each one stride */
    unsigned entry;     /* bytes of the table for a frame */
    unsigned chunk;     /* bytes of a frame; behind them the overflow page */
    unsigned gap;       /* from frame to frame, beyond chunk */
} Form;

static const Form forms[] = {
    { "pages", KEY_MTT, 12, 6, 8, PAGE, 0 },
    { "unaligned", KEY_KSM, 12, 5, 16, PAGE, 1000 },
    { "oversized", KEY_KLM, 0, 4, 32, 1600, 500 },
    { "triple", KEY_KSM, 10, 3, 64, 3072, 77 },
};

typedef struct Bench {
    const Form *f;
    Stride s;
    DrvCq cq;
    DrvSq sq;
    uint32_t lkey;
    unsigned per_wqe;  /* frames of the table for a WQE, one of them spare */
    uint64_t frames;
    uint64_t overflow; /* the page for what is too long */
} Bench;

/* Where frame @i of WQE @wqe is. */
static uint64_t frame_at(const Bench *b, unsigned wqe, unsigned i)
{
    return b->frames + (uint64_t)((wqe << b->f->log_pages) + i) *
                       (b->f->chunk + b->f->gap);
}

/* Writes the translations of frame @i of a list, for a frame at @addr. */
static void map_frame(const Bench *b, uint8_t *list, unsigned i, uint64_t addr)
{
    uint32_t lkey = b->s.d->lkey;
    unsigned j;

    switch (b->f->entry) {
    case 8:
        key_mtt(list, i, addr | 2);
        break;
    case 16:
        key_klm(list, i, 0, lkey, addr);
        break;
    case 32:
        key_klm(list, 2 * i, b->f->chunk, lkey, addr);
        key_klm(list, 2 * i + 1, PAGE - b->f->chunk, lkey, b->overflow);
        break;
    case 64:
        for (j = 0; j < 3; j++) {
            key_klm(list, 4 * i + j, 0, lkey, addr + j * (PAGE / 4));
        }
        key_klm(list, 4 * i + 3, 0, lkey, b->overflow);
        break;
    }
}

/* The key: as long as all WQEs, all of it the overflow page, and free. */
static void make_key(Bench *b)
{
    unsigned n = b->per_wqe * WQES, i;
    uint32_t len;
    uint8_t *in = key_cmd(b->s.d, b->f->mode, b->f->log_entity, 0,
                          (uint64_t)n << PAGE_SHIFT, n * b->f->entry / 16,
                          &len);

    MLX5_SET(mkc, in + 0x10, free, 1);
    for (i = 0; i < n; i++) {
        map_frame(b, in + KEY_LIST, i, b->overflow);
    }
    b->lkey = key_make(b->s.d, in, len);
}

static void bench(Bench *b, const Form *f)
{
    unsigned frames = WQES << f->log_pages, i;
    g_autofree uint8_t *in = NULL;
    uint32_t len;

    *b = (Bench) { .f = f };
    b->per_wqe = ROUND_UP((1u << f->log_pages) + 1, MAX(64 / f->entry, 1));
    stride_rig(&b->s, LOG_WQES, f->log_pages, PAGE_SHIFT, false, "");
    drv_cq_create(b->s.d, &b->cq, 6, b->s.eq.eqn);
    in = drv_sq_cmd(b->s.d, &b->sq, 6, &b->cq, 0, &len);
    MLX5_SET(sqc, in + 0x20, reg_umr, 1);
    b->sq.sqn = drv_create(b->s.d, in, len);
    g_assert_cmphex(drv_sq_modify(b->s.d, &b->sq, DRV_RST, DRV_RDY).status, ==,
                    0);
    b->frames = drv_mem(b->s.d, (uint64_t)frames * (f->chunk + f->gap));
    b->frames += f->gap; /* not at the start of a page */
    b->overflow = drv_mem(b->s.d, PAGE);
    make_key(b);
    for (i = 0; i < WQES; i++) {
        stride_put_seg(&b->s, i, b->lkey,
                       ((uint64_t)i * b->per_wqe << PAGE_SHIFT) + HEADROOM,
                       PAGE << f->log_pages);
    }
}

/* Maps the frames of WQE @wqe, in the WQE as the driver does; then posts it. */
static void refill(Bench *b, unsigned wqe)
{
    unsigned n = 1u << b->f->log_pages, ow = n * b->f->entry / 16, i;
    uint16_t index;
    DrvWqe w;

    drv_wqe(&w, &b->sq, WQE_UMR, true);
    MLX5_SET(wqe_ctrl, w.b, imm, b->lkey);
    MLX5_SET(wqe_umr_ctrl, w.b + 0x10, flags, 0x90);
    MLX5_SET(wqe_umr_ctrl, w.b + 0x10, mkey_mask, 1ull << 29);
    MLX5_SET(wqe_umr_ctrl, w.b + 0x10, xlt_octowords, ow);
    MLX5_SET(wqe_umr_ctrl, w.b + 0x10, xlt_offset,
             wqe * b->per_wqe * b->f->entry / 16);
    for (i = 0; i < n; i++) {
        map_frame(b, w.b + 0x80, i, frame_at(b, wqe, i));
    }
    w.ds = 8 + ow;
    g_assert_cmpuint(w.ds, <=, UMR_WQEBBS * 4 - 1);
    index = drv_sq_put(b->s.d, &b->sq, &w);
    drv_sq_ring(b->s.d, &b->sq);
    drv_sq_expect(b->s.d, &b->sq, index);
    stride_post(&b->s, 1);
}

/* The next packet must be frame @i of WQE @wqe, and nothing beside it. */
static void expect_frame_at(Bench *b, const Frame *f, unsigned wqe, unsigned i)
{
    size_t room = b->f->chunk - HEADROOM, in_frame = MIN(f->len, room);
    uint64_t at = frame_at(b, wqe, i);
    uint8_t cqe[64], got[PAGE];

    drv_cq_wait(b->s.d, &b->s.cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, wqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==, 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, f->len);
    drv_read(b->s.d, at + HEADROOM, got, f->len);
    g_assert_cmpmem(got, in_frame, f->data, in_frame);
    if (in_frame < f->len) {
        /* What follows the frame is somebody else's. */
        g_assert_true(buffer_is_zero(got + in_frame,
                                     MIN(f->len - in_frame, b->f->gap)));
        drv_read(b->s.d, b->overflow, got, f->len - in_frame);
        g_assert_cmpmem(got, f->len - in_frame, f->data + in_frame,
                        f->len - in_frame);
    }
}

static void test_forms(const void *data)
{
    const Form *f = data;
    unsigned n = 1u << f->log_pages, wqe, i = 0, packets;
    Bench b;

    bench(&b, f);
    for (wqe = 0; wqe < WQES - 1; wqe++) {
        refill(&b, wqe);
    }
    wqe = 0;
    for (packets = 0; packets < 2 * WQES * n; packets++) {
        FrameSpec spec = rig_spec(4, 17, packets % 2 ? 60 : 1460);
        Frame fr;
        unsigned done = wqe;

        spec.sport = packets + 1;
        fr = frame_build(&spec);
        drv_wire_send(b.s.d, fr.data, fr.len);
        expect_frame_at(&b, &fr, wqe, i);
        frame_free(&fr);
        /* As an application does with its frames. */
        qtest_memset(b.s.d->qts, frame_at(&b, wqe, i), 0, f->chunk);
        if (++i == n) {
            i = 0;
            wqe = b.s.next[wqe];
            stride_put_link(&b.s, b.s.last, done);
            b.s.last = done;
            refill(&b, (done + WQES - 1) % WQES);
        }
    }
    drv_stop(b.s.d);
}

void mlx5_stride_umr_tests(void)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(forms); i++) {
        g_autofree char *name = g_strconcat("mlx5-ktls/stride-umr/",
                                            forms[i].name, NULL);

        qtest_add_data_func(name, &forms[i], test_forms);
    }
}
