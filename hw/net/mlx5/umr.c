/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UMR WQEs that change memory keys (driver: en_rx.c mlx5e_alloc_rx_mpwqe,
 * en/xsk/rx.c): fields of the context that a mask selects, and a part of the
 * table of translations, which is in the WQE or in memory. Owns no state.
 *
 * WQEs of a queue are executed completely and one after the other, so a fence
 * needs no action, and a CQE means that the key has changed. First everything
 * is checked, then everything is changed.
 */
#include "qemu/osdep.h"
#include "hw/net/mlx5/prm_obj.h"
#include "cq.h"
#include "err.h"
#include "mkey.h"
#include "sq.h"
#include "trace.h"

#define UMR_CTRL 0x10 /* in the WQE: umr_ctrl, then an mkc, then the list */
#define UMR_MKC 0x40
#define UMR_LIST 0x80
/* umr_ctrl.flags */
enum {
    FLAG_OFFSET = 0x10,         /* xlt_offset is valid */
    FLAG_CHECK_NOT_FREE = 0x20, /* fail unless the key is in use */
    FLAG_CHECK_FREE = 0x40,     /* fail unless it is free */
    FLAG_INLINE = 0x80,         /* the list is in the WQE */
};
/* A list in memory is read in parts of this size. */
#define LIST_PART 4096

#define FIELD(mask_bit, field) \
    { 1ull << (mask_bit), MLX5_BIT_mkc_##field, MLX5_WIDTH_mkc_##field }

/* The fields of a key that mkey_mask can select. */
static const struct {
    uint64_t mask;
    uint16_t bit;
    uint16_t width;
} fields[] = {
    FIELD(0, len), FIELD(0, length64), FIELD(6, start_addr), FIELD(7, pd),
    FIELD(13, mkey_7_0), FIELD(14, qpn), FIELD(17, lr), FIELD(18, lw),
    FIELD(19, rr), FIELD(20, rw), FIELD(21, a), FIELD(29, free),
    FIELD(25, relaxed_ordering_write), FIELD(47, relaxed_ordering_read),
};

/* A UMR WQE, decoded. */
typedef struct Umr {
    Mlx5Sq *sq;
    const uint8_t *wqe;
    Mlx5Mkey *mkey;
    Mlx5Pd *pd; /* that the key will be in */
    uint8_t mkc[MLX5_MKC_LEN]; /* the key's new context */
    uint8_t flags;
    uint64_t at; /* where the list goes, and how long it is, in octowords */
    uint32_t n;
    const char *why; /* it is refused */
} Umr;

/* Makes the new context. Returns whether it is one that a key can have. */
static bool new_context(Umr *u)
{
    const uint8_t *mkc = u->wqe + UMR_MKC;
    uint64_t mask = MLX5_GET64(wqe_umr_ctrl, u->wqe + UMR_CTRL, mkey_mask);
    uint64_t known = 0;
    uint32_t pd;
    unsigned i;

    memcpy(u->mkc, u->mkey->mkc, sizeof(u->mkc));
    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        known |= fields[i].mask;
        if (mask & fields[i].mask) {
            mlx5_prm_set(u->mkc, fields[i].bit, fields[i].width,
                         mlx5_prm_get(mkc, fields[i].bit, fields[i].width));
        }
    }
    pd = MLX5_GET(mkc, u->mkc, pd);
    u->pd = pd == u->mkey->pd->obj.id ? u->mkey->pd :
            mlx5_object_get(u->sq->obj.fn, MLX5_OBJ_PD, pd);
    if (mask & ~known) {
        u->why = "mkey_mask has a bit that is not known";
    } else if (!mlx5_mkc_range_ok(u->mkc)) {
        u->why = "start_addr plus len is beyond 2^64";
    } else if (!u->pd || !mlx5_object_usable(&u->pd->obj, &u->sq->obj)) {
        u->why = "there is no such protection domain";
    }
    return !u->why;
}

/* Returns whether the key may be changed by this queue, in its state. */
static bool may_change(Umr *u)
{
    Mlx5Function *fn = u->sq->obj.fn;

    u->mkey = mlx5_mkey_find(fn, MLX5_GET(wqe_ctrl, u->wqe, imm));
    if (!u->mkey || u->mkey->pd != u->sq->pd ||
        !mlx5_object_usable(&u->mkey->obj, &u->sq->obj)) {
        u->why = "there is no such key in the queue's protection domain";
    } else if (!u->mkey->umr || u->mkey->xlt.mode == MLX5_XLT_PA) {
        u->why = "the key cannot be changed";
    } else if (u->flags & FLAG_CHECK_FREE && !u->mkey->free) {
        u->why = "the key is not free";
    } else if (u->flags & FLAG_CHECK_NOT_FREE && u->mkey->free) {
        u->why = "the key is free";
    } else if (u->at > u->mkey->xlt.octowords ||
               u->n > u->mkey->xlt.octowords - u->at) {
        u->why = "the translations do not fit the key";
    }
    return !u->why;
}

/*
 * Reads the list from memory, all of it before anything is changed; the caller
 * frees it. Returns NULL if it cannot be read.
 */
static uint8_t *read_list(const Umr *u)
{
    const uint8_t *seg = u->wqe + UMR_LIST;
    size_t len = (size_t)u->n * MLX5_XLT_OCTOWORD, at;
    uint8_t *list = g_malloc(len);

    for (at = 0; at < len; at += LIST_PART) {
        if (!mlx5_sg_read(u->sq->obj.fn, MLX5_GET(wqe_data, seg, lkey),
                          u->sq->pd, MLX5_GET64(wqe_data, seg, addr) + at,
                          list + at, MIN(len - at, LIST_PART))) {
            g_free(list);
            return NULL;
        }
    }
    mlx5_tx_charge(u->sq->obj.fn->port, len, 0);
    return list;
}

/* Decodes the WQE. Returns whether it is as long as it says. */
static bool decode(Umr *u, const Mlx5Wqe *wqe)
{
    const uint8_t *ctrl = wqe->bytes + UMR_CTRL;
    size_t len = wqe->ds * MLX5_WQE_UNIT, list;

    if (!MLX5_GET(sqc, u->sq->sqc, reg_umr) || len < UMR_LIST) {
        return false;
    }
    u->wqe = wqe->bytes;
    u->flags = MLX5_GET(wqe_umr_ctrl, ctrl, flags);
    u->n = MLX5_GET(wqe_umr_ctrl, ctrl, xlt_octowords);
    if (u->flags & FLAG_OFFSET) {
        u->at = (uint64_t)MLX5_GET(wqe_umr_ctrl, ctrl, xlt_offset_47_16) << 16 |
                MLX5_GET(wqe_umr_ctrl, ctrl, xlt_offset);
    }
    if (u->flags & FLAG_INLINE) {
        return (size_t)u->n * MLX5_XLT_OCTOWORD <= len - UMR_LIST;
    }
    list = u->n ? MLX5_WQE_UNIT : 0;
    return len - UMR_LIST >= list &&
           (!list || MLX5_GET(wqe_data, u->wqe + UMR_LIST, byte_count) >=
                     (size_t)u->n * MLX5_XLT_OCTOWORD);
}

Mlx5TxResult mlx5_wqe_umr_key(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Function *fn = sq->obj.fn;
    g_autofree uint8_t *in_memory = NULL;
    Umr u = { .sq = sq };

    if (!decode(&u, wqe)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    if (!may_change(&u) || !new_context(&u)) {
        mlx5_err_umr(fn, sq->obj.id, MLX5_GET(wqe_ctrl, wqe->bytes, imm),
                     u.why);
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_MW_BIND);
    }
    if (u.n && !(u.flags & FLAG_INLINE)) {
        in_memory = read_list(&u);
        if (!in_memory) {
            return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_PROT);
        }
    }
    mlx5_xlt_set(&u.mkey->xlt, u.at, in_memory ?: u.wqe + UMR_LIST, u.n);
    mlx5_mkey_set(u.mkey, u.mkc, u.pd);
    trace_mlx5_umr(mlx5_id(fn), sq->obj.id, u.mkey->obj.id, u.at, u.n,
                   u.mkey->free);
    return MLX5_TX_DONE;
}
