/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands for objects without state: protection domains, transport domains and
 * UARs (driver: core/pd.c, core/uar.c, core/transobj.c).
 */
#include "qemu/osdep.h"
#include "cmd.h"
#include "object.h"

/* Allocates an object without state. */
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

/* The number of a UAR is its page number in BAR0. */
Mlx5Syndrome mlx5_cmd_alloc_uar(Mlx5Cmd *cmd)
{
    return alloc_plain(cmd, MLX5_OBJ_UAR, sizeof(Mlx5Uar));
}

Mlx5Syndrome mlx5_cmd_dealloc_uar(Mlx5Cmd *cmd)
{
    return dealloc(cmd, MLX5_OBJ_UAR);
}
