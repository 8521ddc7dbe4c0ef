/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CQEs, written plainly or compressed; see cq_comp.h. Owns Mlx5CqComp.
 *
 * The basic layout, of n CQEs in as many entries: the title, with format 3 and
 * n in byte_cnt; behind it eight mini CQEs, of which the first is the title's;
 * then, at each eighth entry from the title on, eight more. The driver reads
 * nothing between them, and makes their owner bits right.
 *
 * The enhanced layout: a plain CQE is the title of all that follow it. Up to
 * seven mini CQEs are in the first entry that they stand for. Entries are valid
 * by validity_iteration_count, the number of the round through the ring.
 */
#include "qemu/osdep.h"
#include "cq_comp.h"
#include "dma.h"
#include "mlx5.h"
#include "reserved.h"

#define MINI_CQES 8 /* of an entry */
#define MINI_CQES_ENHANCED 7
#define FORMAT_COMPRESSED 3
#define VALIDITY_BYTE (MLX5_BIT_cqe_validity_iteration_count / 8)

struct Mlx5CqComp {
    uint8_t format;
    bool enhanced;
    bool has_title; /* enhanced: title is the last CQE in the ring */
    unsigned n; /* CQEs held; in the basic layout the first is the title */
    uint16_t next_counter; /* what drivers take for the next wqe_counter */
    uint8_t title[64];
    uint8_t first[64]; /* enhanced: the first that is held */
    uint8_t alike[64]; /* bits in which CQEs of a session must not differ */
    uint8_t mini[MLX5_CQ_COMP_MAX][8];
};

size_t mlx5_cq_comp_memory(void)
{
    return sizeof(Mlx5CqComp);
}

Mlx5CqComp *mlx5_cq_comp_new(const uint8_t *cqc)
{
    Mlx5CqComp *c = g_new0(Mlx5CqComp, 1);

    c->format = MLX5_GET(cqc, cqc, mini_cqe_res_format);
    c->enhanced = MLX5_GET(cqc, cqc, cqe_compression_layout) ==
                  MLX5_CQ_COMP_ENHANCED;
    memset(c->alike, 0xff, sizeof(c->alike));
    MLX5_SET(cqe, c->alike, rss_hash_result, 0);
    if (c->format != MLX5_MINI_CQE_HASH) {
        /* Drivers know of no hash but the title's. */
        MLX5_SET(cqe, c->alike, rss_hash_type, 0);
    }
    MLX5_SET(cqe, c->alike, check_sum, 0);
    MLX5_SET(cqe, c->alike, byte_cnt, 0);
    MLX5_SET(cqe, c->alike, timestamp, 0);
    MLX5_SET(cqe, c->alike, wqe_counter, 0);
    MLX5_SET(cqe, c->alike, validity_iteration_count, 0);
    MLX5_SET(cqe, c->alike, owner, 0);
    return c;
}

unsigned mlx5_cq_held(const Mlx5Cq *cq)
{
    return cq->comp ? cq->comp->n : 0;
}

/* -------------------------------------------------------------- writing --- */

static uint64_t entry(const Mlx5Cq *cq, uint32_t i)
{
    return mlx5_ring_addr(&cq->ring, cq->pi + i);
}

/* Makes an entry of the enhanced layout valid in this round, and writes it. */
static bool publish_enhanced(Mlx5Cq *cq, uint8_t *cqe, uint32_t round)
{
    if (!MLX5_GET(cqe, cqe, format)) {
        mlx5_reserved_fill_cqe(cq->obj.fn->dev, cqe);
    }
    MLX5_SET(cqe, cqe, owner, round);
    MLX5_SET(cqe, cqe, validity_iteration_count, round);
    return mlx5_dma_publish_by(cq->obj.fn, entry(cq, 0), cqe, VALIDITY_BYTE);
}

/* Makes an entry valid in this round, and writes it. */
static inline bool publish(Mlx5Cq *cq, uint8_t *cqe)
{
    uint32_t round = cq->pi >> cq->ring.log_size;

    if (cq->comp && cq->comp->enhanced) {
        return publish_enhanced(cq, cqe, round);
    }
    mlx5_reserved_fill_cqe(cq->obj.fn->dev, cqe);
    MLX5_SET(cqe, cqe, owner, round);
    return mlx5_dma_publish(cq->obj.fn, entry(cq, 0), cqe);
}

bool mlx5_cq_write(Mlx5Cq *cq, uint8_t *cqe)
{
    if (!publish(cq, cqe)) {
        return false;
    }
    cq->pi++;
    return true;
}

/* Writes @n mini CQEs from @i on to the entry at @at. */
static bool write_minis(Mlx5Cq *cq, uint32_t at, unsigned i, unsigned n)
{
    uint8_t array[MINI_CQES * 8] = { 0 };

    memcpy(array, cq->comp->mini[i], n * 8);
    return mlx5_dma_write(cq->obj.fn, entry(cq, at), array, sizeof(array));
}

static bool write_basic(Mlx5Cq *cq)
{
    Mlx5CqComp *c = cq->comp;
    unsigned i;

    for (i = 0; i < c->n; i += MINI_CQES) {
        if (!write_minis(cq, i ? i : 1, i, MIN(c->n - i, MINI_CQES))) {
            return false;
        }
    }
    MLX5_SET(cqe, c->title, format, FORMAT_COMPRESSED);
    MLX5_SET(cqe, c->title, byte_cnt, c->n);
    return publish(cq, c->title);
}

/*
 * The entries that are left out become valid too: some drivers walk over all of
 * them when they empty the ring, and none may look valid in a later round.
 */
static bool write_enhanced(Mlx5Cq *cq)
{
    Mlx5CqComp *c = cq->comp;
    uint8_t cqe[64] = { 0 };
    uint8_t round = cq->pi >> cq->ring.log_size;
    uint32_t size = mlx5_ring_size(&cq->ring);
    unsigned i;

    memcpy(cqe, c->mini, c->n * 8);
    MLX5_SET(cqe, cqe, opcode, c->n - 1);
    MLX5_SET(cqe, cqe, format, FORMAT_COMPRESSED);
    for (i = 1; i < c->n; i++) {
        uint8_t valid = ((cq->pi & (size - 1)) + i < size) ? round : round + 1;

        if (!mlx5_dma_write(cq->obj.fn, entry(cq, i) + VALIDITY_BYTE, &valid,
                            1)) {
            return false;
        }
    }
    return publish(cq, cqe);
}

void mlx5_cq_flush(Mlx5Cq *cq)
{
    Mlx5CqComp *c = cq->comp;
    bool done;

    if (!c || !c->n) {
        return;
    }
    if (c->n == 1) {
        if (c->enhanced) {
            /* As title of the next it stays as it was before it is filled. */
            memcpy(c->title, c->first, sizeof(c->title));
        }
        done = publish(cq, c->enhanced ? c->first : c->title);
    } else {
        done = c->enhanced ? write_enhanced(cq) : write_basic(cq);
    }
    if (done) {
        cq->pi += c->n;
    }
    c->n = 0;
}

/* -------------------------------------------------------------- holding --- */

/* The wqe_counter behind that of @cqe, as drivers reckon it. */
static uint16_t counter_behind(const uint8_t *cqe)
{
    unsigned strides = MLX5_GET(cqe, cqe, consumed_strides);

    return MLX5_GET(cqe, cqe, wqe_counter) + (strides ? strides : 1);
}

/*
 * Only what says that a packet has come, and nothing about TLS or LRO: a
 * verdict, or how many segments were joined, is of one packet.
 */
static bool compressible(const uint8_t *cqe)
{
    return MLX5_GET(cqe, cqe, opcode) == MLX5_CQE_RESP_SEND &&
           !MLX5_GET(cqe, cqe, filler) && !MLX5_GET(cqe, cqe, se) &&
           !MLX5_GET(cqe, cqe, tls_offload) &&
           !MLX5_GET(cqe, cqe, lro_num_seg);
}

static bool alike(const Mlx5CqComp *c, const uint8_t *cqe)
{
    unsigned i, differ = 0;

    for (i = 0; i < sizeof(c->title); i++) {
        differ |= (cqe[i] ^ c->title[i]) & c->alike[i];
    }
    return !differ;
}

bool mlx5_cq_comp_fits(const Mlx5Cq *cq, const uint8_t *cqe)
{
    const Mlx5CqComp *c = cq->comp;
    unsigned most = c->enhanced ? MINI_CQES_ENHANCED : MLX5_CQ_COMP_MAX;

    return compressible(cqe) && (c->n || (c->enhanced && c->has_title)) &&
           c->n < MIN(most, mlx5_ring_size(&cq->ring)) &&
           (c->format == MLX5_MINI_CQE_CSUM_STRIDX ||
            MLX5_GET(cqe, cqe, wqe_counter) == c->next_counter) &&
           alike(c, cqe);
}

static void add_mini(Mlx5CqComp *c, const uint8_t *cqe)
{
    uint8_t *mini = c->mini[c->n++];

    if (c->format == MLX5_MINI_CQE_HASH) {
        mlx5_st32(mini, MLX5_GET(cqe, cqe, rss_hash_result));
    } else {
        mlx5_st32(mini, MLX5_GET(cqe, cqe, check_sum) << 16 |
                        (c->format == MLX5_MINI_CQE_CSUM_STRIDX ?
                         MLX5_GET(cqe, cqe, wqe_counter) : 0));
    }
    mlx5_st32(mini + 4, MLX5_GET(cqe, cqe, byte_cnt));
    c->next_counter = counter_behind(cqe);
}

bool mlx5_cq_comp_add(Mlx5Cq *cq, uint8_t *cqe)
{
    Mlx5CqComp *c = cq->comp;
    bool fits = mlx5_cq_comp_fits(cq, cqe);

    if (!fits && (c->enhanced || !compressible(cqe))) {
        c->has_title = compressible(cqe);
        c->next_counter = counter_behind(cqe);
        memcpy(c->title, cqe, sizeof(c->title));
        return mlx5_cq_write(cq, cqe);
    }
    if (!c->n) {
        memcpy(c->enhanced ? c->first : c->title, cqe, sizeof(c->title));
    }
    add_mini(c, cqe);
    return true;
}
