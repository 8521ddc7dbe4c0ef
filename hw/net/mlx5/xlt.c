/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation tables of memory keys; see xlt.h. Plain data: an Mlx5Xlt owns its
 * arrays. No search depends on a driver's values: entities are indexed, and
 * KLMs of different lengths are found in 17 steps.
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "hw/net/mlx5/prm_obj.h"
#include "memory.h"
#include "xlt.h"

#define MTTS_PER_OCTOWORD 2
#define MTT_UNSET UINT64_MAX
#define MTT_ADDR (~(uint64_t)0xff) /* mtt.ptag; below it, flags */

size_t mlx5_xlt_memory(Mlx5XltMode mode, uint32_t octowords)
{
    size_t n = mlx5_memory_of((size_t)octowords * MLX5_XLT_OCTOWORD);

    return mode == MLX5_XLT_KLM ?
           n + mlx5_memory_of((octowords + 1) * sizeof(uint64_t)) : n;
}

void mlx5_xlt_init(Mlx5Xlt *x, Mlx5XltMode mode, uint8_t log_entity,
                   uint32_t octowords)
{
    *x = (Mlx5Xlt) { .mode = mode, .log_entity = log_entity,
                     .octowords = octowords };
    if (mode == MLX5_XLT_MTT) {
        x->page = g_new(uint64_t, octowords * MTTS_PER_OCTOWORD);
        memset(x->page, 0xff, (size_t)octowords * MLX5_XLT_OCTOWORD);
    } else if (mode != MLX5_XLT_PA) {
        x->entry = g_new0(Mlx5XltEntry, octowords);
    }
    if (mode == MLX5_XLT_KLM) {
        x->sum = g_new0(uint64_t, octowords + 1);
    }
}

void mlx5_xlt_free(Mlx5Xlt *x)
{
    g_clear_pointer(&x->page, g_free);
    g_clear_pointer(&x->entry, g_free);
    g_clear_pointer(&x->sum, g_free);
    x->octowords = 0;
}

/* Gives KLM @i the length @len. */
static void set_len(Mlx5Xlt *x, uint32_t i, uint32_t len)
{
    uint64_t more = (uint64_t)len - x->entry[i].len; /* may wrap, and back */
    uint32_t j;

    x->entry[i].len = len;
    for (j = i + 1; more && j <= x->octowords; j += j & -j) {
        x->sum[j] += more;
    }
}

void mlx5_xlt_set(Mlx5Xlt *x, uint32_t at, const uint8_t *list, uint32_t n)
{
    uint32_t i;

    if (x->mode == MLX5_XLT_MTT) {
        for (i = 0; i < n * MTTS_PER_OCTOWORD; i++) {
            x->page[at * MTTS_PER_OCTOWORD + i] = mlx5_ld64(list + i * 8) &
                                                  MTT_ADDR;
        }
        return;
    }
    for (i = 0; i < n; i++, list += MLX5_XLT_OCTOWORD) {
        Mlx5XltEntry *e = &x->entry[at + i];

        e->va = MLX5_GET64(klm, list, address);
        e->key = MLX5_GET(klm, list, mkey);
        if (x->mode == MLX5_XLT_KLM) {
            set_len(x, at + i, MLX5_GET(klm, list, byte_count));
        }
    }
}

/*
 * Returns the KLM in which byte *@off is, and makes *@off relative to it; or
 * the number of KLMs if they are shorter. KLMs of length 0 have no byte.
 */
static uint32_t find_klm(const Mlx5Xlt *x, uint64_t *off)
{
    uint32_t i = 0, step;

    for (step = x->octowords ? pow2floor(x->octowords) : 0; step; step /= 2) {
        if (i + step <= x->octowords && x->sum[i + step] <= *off) {
            i += step;
            *off -= x->sum[i];
        }
    }
    return i;
}

static bool in_entry(const Mlx5Xlt *x, uint64_t i, uint64_t off, uint64_t len,
                     Mlx5XltPiece *piece)
{
    if (i >= x->octowords || !x->entry[i].key) {
        return false;
    }
    *piece = (Mlx5XltPiece) { .indirect = true, .key = x->entry[i].key,
                              .addr = x->entry[i].va + off, .len = len - off };
    return true;
}

bool mlx5_xlt_find(const Mlx5Xlt *x, uint64_t off, Mlx5XltPiece *piece)
{
    uint64_t size = 1ull << x->log_entity, in = off & (size - 1);
    uint64_t i = off >> x->log_entity;

    switch (x->mode) {
    case MLX5_XLT_PA:
        break;
    case MLX5_XLT_MTT:
        if (i >= (uint64_t)x->octowords * MTTS_PER_OCTOWORD ||
            x->page[i] == MTT_UNSET) {
            return false;
        }
        *piece = (Mlx5XltPiece) { .addr = x->page[i] + in, .len = size - in };
        return true;
    case MLX5_XLT_KSM:
        return in_entry(x, i, in, size, piece);
    case MLX5_XLT_KLM:
        i = find_klm(x, &off);
        return i < x->octowords &&
               in_entry(x, i, off, x->entry[i].len, piece);
    }
    return false;
}
