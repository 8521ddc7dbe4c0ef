/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory keys: commands (driver: core/mr.c), and copies to and from scatter
 * lists, which a key must permit. See mkey.h.
 */
#include "qemu/osdep.h"
#include "cmd.h"
#include "dma.h"
#include "mkey.h"
#include "object.h"

#define MKC_OFFSET 0x10
#define MKEY_ACCESS_MODE_PA 0

void mlx5_mkey_destroy(void *obj)
{
    mlx5_object_unref(((Mlx5Mkey *)obj)->pd);
}

/*
 * Only keys for all physical memory, length64 (driver: en_common.c
 * mlx5e_create_mkey). Translated keys would need UMR, which only striding
 * receive queues and RDMA use.
 */
Mlx5Syndrome mlx5_cmd_create_mkey(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *mkc = cmd->in + MKC_OFFSET;
    Mlx5Syndrome syn;
    Mlx5Mkey *mkey;
    Mlx5Pd *pd;

    if (MLX5_GET(mkc, mkc, free) || MLX5_GET(mkc, mkc, access_mode_4_2) ||
        MLX5_GET(mkc, mkc, access_mode_1_0) != MKEY_ACCESS_MODE_PA) {
        return MLX5_SYN_MKEY_BAD_MODE;
    }
    if (!MLX5_GET(mkc, mkc, length64)) {
        return MLX5_SYN_MKEY_NOT_LENGTH64;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_PD, MLX5_GET(mkc, mkc, pd), cmd->uid,
                           &pd);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create(fn, MLX5_OBJ_MKEY, sizeof(*mkey), 0, cmd->uid,
                             &mkey);
    if (syn != MLX5_OK) {
        return syn;
    }
    mkey->pd = pd;
    mlx5_object_ref(pd);
    mkey->key = MLX5_GET(mkc, mkc, mkey_7_0);
    mkey->local_write = MLX5_GET(mkc, mkc, lw);
    memcpy(mkey->mkc, mkc, sizeof(mkey->mkc));
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

/* Returns whether a queue of @pd may use @lkey, to write or to read. */
static bool usable(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   bool write)
{
    Mlx5Mkey *mkey = mlx5_object_get(fn, MLX5_OBJ_MKEY, lkey >> 8);

    return mkey && mkey->key == (lkey & 0xff) && mkey->pd == pd &&
           (!write || mkey->local_write);
}

bool mlx5_sg_read(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                  uint64_t addr, void *buf, size_t len)
{
    return usable(fn, lkey, pd, false) && mlx5_dma_read(fn, addr, buf, len);
}

bool mlx5_sg_write(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                   uint64_t addr, const void *buf, size_t len)
{
    return usable(fn, lkey, pd, true) && mlx5_dma_write(fn, addr, buf, len);
}
