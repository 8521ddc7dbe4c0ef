/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for the plain objects: protection and transport domains, UARs and
 * memory keys (driver: core/pd.c, core/uar.c, core/mr.c,
 * core/transobj.c).
 */
#include "qemu/osdep.h"
#include "cmd.h"
#include "object.h"
#include "trace.h"

#define MKC_OFFSET 0x10
#define MKEY_ACCESS_MODE_PA 0

/* Allocates an object that is nothing but its number. */
static Mlx5Syndrome alloc_plain(Mlx5Cmd *cmd, Mlx5ObjectType type, size_t size)
{
    Mlx5Object *o;
    Mlx5Syndrome syn = mlx5_object_create(cmd->fn, type, size, 0,
                                          cmd->uid, &o);

    if (syn == MLX5_OK) {
        MLX5_SET(cmd_id, cmd->out, id, o->id);
    }
    return syn;
}

static Mlx5Syndrome dealloc(Mlx5Cmd *cmd, Mlx5ObjectType type)
{
    return mlx5_object_destroy(cmd->fn, type, MLX5_GET(cmd_id, cmd->in, id),
                               cmd->uid);
}

Mlx5Syndrome mlx5_cmd_alloc_pd(Mlx5Cmd *cmd)
{
    return alloc_plain(cmd, MLX5_OBJ_PD, sizeof(Mlx5Pd));
}

Mlx5Syndrome mlx5_cmd_dealloc_pd(Mlx5Cmd *cmd)
{
    return dealloc(cmd, MLX5_OBJ_PD);
}

Mlx5Syndrome mlx5_cmd_alloc_transport_domain(Mlx5Cmd *cmd)
{
    return alloc_plain(cmd, MLX5_OBJ_TD, sizeof(Mlx5Td));
}

Mlx5Syndrome mlx5_cmd_dealloc_transport_domain(Mlx5Cmd *cmd)
{
    return dealloc(cmd, MLX5_OBJ_TD);
}

/* The number of a UAR is its page in BAR0. */
Mlx5Syndrome mlx5_cmd_alloc_uar(Mlx5Cmd *cmd)
{
    return alloc_plain(cmd, MLX5_OBJ_UAR, sizeof(Mlx5Uar));
}

Mlx5Syndrome mlx5_cmd_dealloc_uar(Mlx5Cmd *cmd)
{
    return dealloc(cmd, MLX5_OBJ_UAR);
}

/*
 * Memory keys of physical addresses: the whole of memory, length64 (driver:
 * en_common.c mlx5e_create_mkey). Translated keys would need UMR, which only
 * striding receive queues and RDMA use.
 */
void mlx5_mkey_destroy(void *obj)
{
    mlx5_object_unref(((Mlx5Mkey *)obj)->pd);
}

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
    return dealloc(cmd, MLX5_OBJ_MKEY);
}

bool mlx5_mkey_usable(Mlx5Function *fn, uint32_t lkey, const Mlx5Pd *pd,
                      bool write)
{
    Mlx5Mkey *mkey = mlx5_object_get(fn, MLX5_OBJ_MKEY, lkey >> 8);

    return mkey && mkey->key == (lkey & 0xff) && mkey->pd == pd &&
           (!write || mkey->local_write);
}
