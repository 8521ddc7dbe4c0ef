/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys: commands (driver: core/mr.c, en_main.c mlx5e_create_umr_mkey),
 * and copies to and from scatter lists, which a key must permit. See mkey.h.
 * Owns Mlx5Mkey and fn->mkey_cache.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "dma.h"
#include "err.h"
#include "mkey.h"
#include "mlx5.h"
#include "object.h"

#define MKC_OFFSET 0x10
#define XLT_OFFSET 0x110
/* Limits of mkc.log_page_size; below 4 KiB only KSM can go. */
#define MTT_LOG_MIN MLX5_PAGE_SHIFT
#define KSM_LOG_MIN 6
#define LOG_ENTITY_MAX 30
/* What a piece costs, in bytes copied, for mlx5_tx_charge(). */
#define PIECE_COST 32

/* ------------------------------------------------------------ the keys --- */

bool mlx5_mkc_range_ok(const uint8_t *mkc)
{
    uint64_t start = MLX5_GET64(mkc, mkc, start_addr);

    return MLX5_GET(mkc, mkc, length64) ||
           MLX5_GET64(mkc, mkc, len) <= UINT64_MAX - start;
}

void mlx5_mkey_set(Mlx5Mkey *mkey, const uint8_t *mkc, Mlx5Pd *pd)
{
    mlx5_object_ref(pd);
    mlx5_object_unref(mkey->pd);
    mkey->pd = pd;
    memmove(mkey->mkc, mkc, MLX5_MKC_LEN);
    mkey->key = MLX5_GET(mkc, mkc, mkey_7_0);
    mkey->free = MLX5_GET(mkc, mkc, free);
    mkey->local_read = MLX5_GET(mkc, mkc, lr);
    mkey->local_write = MLX5_GET(mkc, mkc, lw);
    mkey->umr = MLX5_GET(mkc, mkc, umr_en);
    mkey->start = MLX5_GET64(mkc, mkc, start_addr);
    mkey->len = MLX5_GET(mkc, mkc, length64) ? UINT64_MAX :
                                               MLX5_GET64(mkc, mkc, len);
}

/* The one slot of the cache in which key @num can be. */
static Mlx5Mkey **cached(Mlx5Function *fn, uint32_t num)
{
    return &fn->mkey_cache[num % ARRAY_SIZE(fn->mkey_cache)];
}

Mlx5Mkey *mlx5_mkey_find(Mlx5Function *fn, uint32_t lkey)
{
    Mlx5Mkey **slot = cached(fn, lkey >> 8);
    Mlx5Mkey *mkey = *slot;

    if (!mkey || mkey->obj.id != lkey >> 8) {
        mkey = mlx5_object_get(fn, MLX5_OBJ_MKEY, lkey >> 8);
        if (!mkey) {
            return NULL;
        }
        *slot = mkey;
    }
    return mkey->key == (lkey & 0xff) ? mkey : NULL;
}

void mlx5_mkey_destroy(void *obj)
{
    Mlx5Mkey *mkey = obj;
    Mlx5Mkey **slot = cached(mkey->obj.fn, mkey->obj.id);

    if (*slot == mkey) {
        *slot = NULL;
    }
    mlx5_object_unref(mkey->pd);
    mlx5_xlt_free(&mkey->xlt);
}

/* ------------------------------------------------------------ commands --- */

/* Checks what @mkc says of a key with a table. */
static Mlx5Syndrome check_translated(const Mlx5Cmd *cmd, const uint8_t *mkc)
{
    Mlx5XltMode mode = MLX5_GET(mkc, mkc, access_mode_1_0);
    uint32_t log_entity = MLX5_GET(mkc, mkc, log_page_size);
    uint32_t size = MLX5_GET(mkc, mkc, translations_octword_size);
    uint32_t given = MLX5_GET(create_mkey_in, cmd->in,
                              translations_octword_actual_size);

    if (MLX5_GET(mkc, mkc, bsf_en)) {
        return MLX5_SYN_MKEY_BSF;
    }
    if (mode != MLX5_XLT_KLM &&
        (log_entity < (mode == MLX5_XLT_MTT ? MTT_LOG_MIN : KSM_LOG_MIN) ||
         log_entity > LOG_ENTITY_MAX)) {
        return MLX5_SYN_MKEY_BAD_ENTITY;
    }
    if (size > 1u << MLX5_CAP_GEN(cmd->fn, log_max_klm_list_size)) {
        return MLX5_SYN_MKEY_TOO_LARGE;
    }
    if (given > size) {
        return MLX5_SYN_MKEY_LIST_LONG;
    }
    if ((size_t)given * MLX5_XLT_OCTOWORD > cmd->in_len - XLT_OFFSET) {
        return MLX5_SYN_MKEY_LIST_MISSING;
    }
    return mlx5_mkc_range_ok(mkc) ? MLX5_OK : MLX5_SYN_MKEY_WRAPS;
}

static Mlx5Syndrome check_mkc(const Mlx5Cmd *cmd, const uint8_t *mkc)
{
    if (MLX5_GET(create_mkey_in, cmd->in, mkey_umem_valid)) {
        return MLX5_SYN_UMEM_UNSUPPORTED;
    }
    if (MLX5_GET(create_mkey_in, cmd->in, pg_access) ||
        MLX5_GET(mkc, mkc, access_mode_4_2)) {
        return MLX5_SYN_MKEY_BAD_MODE;
    }
    if (MLX5_GET(mkc, mkc, access_mode_1_0) != MLX5_XLT_PA) {
        return check_translated(cmd, mkc);
    }
    if (MLX5_GET(mkc, mkc, free)) {
        return MLX5_SYN_MKEY_BAD_MODE;
    }
    return MLX5_GET(mkc, mkc, length64) ? MLX5_OK : MLX5_SYN_MKEY_NOT_LENGTH64;
}

Mlx5Syndrome mlx5_cmd_create_mkey(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *mkc = cmd->in + MKC_OFFSET;
    Mlx5XltMode mode = MLX5_GET(mkc, mkc, access_mode_1_0);
    uint32_t size = 0;
    Mlx5Syndrome syn = check_mkc(cmd, mkc);
    Mlx5Mkey *mkey;
    Mlx5Pd *pd;

    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_PD, MLX5_GET(mkc, mkc, pd), cmd->uid,
                           &pd);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (mode != MLX5_XLT_PA) {
        size = MLX5_GET(mkc, mkc, translations_octword_size);
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_MKEY, sizeof(*mkey),
                             mlx5_xlt_memory(mode, size), cmd->uid, &mkey);
    if (syn != MLX5_OK) {
        return syn;
    }
    mlx5_xlt_init(&mkey->xlt, mode, MLX5_GET(mkc, mkc, log_page_size), size);
    mlx5_mkey_set(mkey, mkc, pd);
    if (size) {
        mlx5_xlt_set(&mkey->xlt, 0, cmd->in + XLT_OFFSET,
                     MLX5_GET(create_mkey_in, cmd->in,
                              translations_octword_actual_size));
    }
    MLX5_SET(cmd_id, cmd->out, id, mkey->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_query_mkey(Mlx5Cmd *cmd)
{
    Mlx5Mkey *mkey;
    Mlx5Syndrome syn = mlx5_object_find(cmd->fn, MLX5_OBJ_MKEY,
                                        MLX5_GET(cmd_id, cmd->in, id),
                                        cmd->uid, &mkey);

    if (syn == MLX5_OK) {
        memcpy(cmd->out + MKC_OFFSET, mkey->mkc, sizeof(mkey->mkc));
    }
    return syn;
}

Mlx5Syndrome mlx5_cmd_destroy_mkey(Mlx5Cmd *cmd)
{
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_MKEY,
                               MLX5_GET(cmd_id, cmd->in, id), cmd->uid);
}

/* -------------------------------------------------------------- access --- */

/* One access to scattered memory, as far as it has come. */
typedef struct SgWalk {
    Mlx5Function *fn;
    const Mlx5Pd *pd;
    bool write;
    uint8_t *buf;
    unsigned pieces; /* so far */
    const char *why; /* it cannot go on; or NULL: traced by dma.c */
} SgWalk;

/* Returns key @lkey if the walk may use it, else NULL, with the reason. */
static const Mlx5Mkey *usable(SgWalk *w, uint32_t lkey)
{
    const Mlx5Mkey *mkey = mlx5_mkey_find(w->fn, lkey);

    if (!mkey) {
        w->why = "there is no such key";
    } else if (mkey->pd != w->pd) {
        w->why = "it is of another protection domain";
    } else if (mkey->free) {
        w->why = "it is free";
    } else if (!(w->write ? mkey->local_write : mkey->local_read)) {
        w->why = w->write ? "it does not permit writing" :
                            "it does not permit reading";
    } else {
        return mkey;
    }
    return NULL;
}

static bool copy(SgWalk *w, uint64_t addr, size_t len)
{
    return w->write ? mlx5_dma_write(w->fn, addr, w->buf, len) :
                      mlx5_dma_read(w->fn, addr, w->buf, len);
}

static bool walk(SgWalk *w, const Mlx5Mkey *mkey, uint64_t addr, size_t len,
                 bool inner);

/* Copies @len bytes at one place, and advances. */
static bool walk_piece(SgWalk *w, const Mlx5XltPiece *p, size_t len, bool inner)
{
    const Mlx5Mkey *mkey;

    if (p->indirect) {
        if (inner) {
            w->why = "it is reached through a key that translates to it, and "
                     "translates to others itself";
            return false;
        }
        mkey = usable(w, p->key);
        return mkey && walk(w, mkey, p->addr, len, true);
    }
    if (w->pieces++ == MLX5_SG_MAX_PIECES) {
        w->why = "the bytes are in too many places";
        return false;
    }
    if (!copy(w, p->addr, len)) {
        return false;
    }
    w->buf += len;
    return true;
}

/*
 * Copies @len bytes at @addr of a key, and advances. Entities start at
 * multiples of their size, KLMs at start_addr.
 */
static bool walk(SgWalk *w, const Mlx5Mkey *mkey, uint64_t addr, size_t len,
                 bool inner)
{
    uint64_t off = addr - mkey->start;
    Mlx5XltPiece p = { .addr = addr };
    size_t n;

    if (mkey->xlt.mode == MLX5_XLT_PA) {
        return walk_piece(w, &p, len, inner); /* it covers everything */
    }
    if (addr < mkey->start || off > mkey->len || len > mkey->len - off) {
        w->why = "it does not cover these addresses";
        return false;
    }
    if (mkey->xlt.mode != MLX5_XLT_KLM) {
        off += mkey->start & ((1ull << mkey->xlt.log_entity) - 1);
    }
    for (; len; len -= n, off += n) {
        if (!mlx5_xlt_find(&mkey->xlt, off, &p)) {
            w->why = "nothing is mapped there";
            return false;
        }
        n = MIN(len, p.len);
        if (!walk_piece(w, &p, n, inner)) {
            return false;
        }
    }
    return true;
}

static bool access_memory(SgWalk *w, uint32_t lkey, uint64_t addr, size_t len)
{
    const Mlx5Mkey *mkey = usable(w, lkey);
    bool ok = false;

    if (mkey && mkey->xlt.mode == MLX5_XLT_PA) {
        return copy(w, addr, len);
    }
    if (mkey) {
        ok = walk(w, mkey, addr, len, false);
        mlx5_tx_charge(w->fn->port, w->pieces * PIECE_COST, 0);
    }
    if (!ok && w->why) {
        mlx5_err_mkey(w->fn, lkey, addr, len, w->why);
    }
    return ok;
}

bool mlx5_sg_read(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                  uint64_t addr, void *buf, size_t len)
{
    SgWalk w = { .fn = fn, .pd = pd, .buf = buf };

    return access_memory(&w, lkey, addr, len);
}

bool mlx5_sg_write(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   uint64_t addr, const void *buf, size_t len)
{
    /* Only read, see copy(). */
    SgWalk w = { .fn = fn, .pd = pd, .buf = (uint8_t *)buf, .write = true };

    return access_memory(&w, lkey, addr, len);
}
