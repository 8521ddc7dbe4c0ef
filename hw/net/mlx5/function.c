/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of an Mlx5Function: what a driver has made, taken down in one place for
 * TEARDOWN_HCA, DISABLE_HCA, function level reset, guest reset and unplug.
 */
#include "qemu/osdep.h"
#include "tls.h"
#include "cmd.h"
#include "fault.h"

static void notify_bh(void *opaque)
{
    mlx5_notify_flush(opaque);
}

bool mlx5_function_init(Mlx5Function *fn, Mlx5State *dev, Mlx5Port *port,
                        Error **errp)
{
    fn->dev = dev;
    fn->port = port;
    if (!mlx5_tls_init(fn, errp)) {
        return false;
    }
    fn->dirty_cqs = g_ptr_array_new();
    fn->dirty_eqs = g_ptr_array_new();
    fn->notify_bh = mlx5_bh_new(&dev->work, notify_bh, fn);
    mlx5_objects_init(fn);
    mlx5_dek_init(fn);
    mlx5_caps_init(fn);
    mlx5_cmd_init(fn);
    mlx5_flow_init(fn);
    mlx5_vport_init(&fn->vport);
    return true;
}

void mlx5_function_teardown(Mlx5Function *fn)
{
    mlx5_flow_reset(fn);
    mlx5_objects_reset(fn);
    mlx5_tx_erase(fn->port);
    mlx5_vport_reset(&fn->vport, fn->dev->conf.macaddr.a);
    memset(&fn->vnic_env, 0, sizeof(fn->vnic_env));
    mlx5_bh_cancel(fn->notify_bh);
}

void mlx5_function_reset(Mlx5Function *fn)
{
    mlx5_function_teardown(fn);
    mlx5_caps_reset(fn);
    mlx5_cmd_reset(fn);
    mlx5_iseg_reset(fn);
    fn->hca = MLX5_HCA_OFF;
    fn->asleep = false;
    fn->issi = 0;
    memset(&fn->tls.counters, 0, sizeof(fn->tls.counters));
}

void mlx5_function_sleep(Mlx5Function *fn)
{
    fn->asleep = true;
    mlx5_rx_reset(fn->port);
}

void mlx5_function_wake(Mlx5Function *fn)
{
    fn->asleep = false;
    mlx5_port_update_link(fn->port);
    mlx5_bh_schedule(fn->cmd_bh);
    mlx5_bh_schedule(fn->port->tx_bh);
    mlx5_bh_schedule(fn->notify_bh);
    mlx5_fault_wake(fn->dev);
}

void mlx5_function_finalize(Mlx5Function *fn)
{
    mlx5_flow_finalize(fn);
    mlx5_objects_finalize(fn);
    mlx5_dek_finalize(fn);
    mlx5_tls_finalize(fn);
    mlx5_vport_finalize(&fn->vport);
    mlx5_cmd_finalize(fn);
    mlx5_fault_stop(fn->dev);
    mlx5_caps_finalize(fn);
    g_clear_pointer(&fn->notify_bh, mlx5_bh_delete);
    g_clear_pointer(&fn->dirty_cqs, g_ptr_array_unref);
    g_clear_pointer(&fn->dirty_eqs, g_ptr_array_unref);
}
