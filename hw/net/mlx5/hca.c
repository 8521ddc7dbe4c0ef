/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Teardown of the driver's objects, in one order: by command (cmd_hca.c), and
 * with the function (function.c).
 */
#include "qemu/osdep.h"
#include "flow.h"
#include "hca.h"
#include "mlx5.h"
#include "object.h"
#include "tunnel.h"
#include "tx.h"
#include "vport.h"

void mlx5_hca_teardown(Mlx5Function *fn)
{
    mlx5_flow_reset(fn);
    mlx5_objects_reset(fn);
    mlx5_tunnel_reset(fn);
    mlx5_tx_erase(fn->port);
    mlx5_vport_reset(&fn->vport, fn->dev->conf.macaddr.a);
    memset(&fn->vnic_env, 0, sizeof(fn->vnic_env));
    mlx5_wake_cancel(fn, MLX5_WAKE_NOTIFY);
}
