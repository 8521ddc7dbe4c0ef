/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lifecycle of an Mlx5Function: creation, reset, sleep, wake-up and end. The
 * driver's objects are destroyed in one place, hca.c, for TEARDOWN_HCA,
 * DISABLE_HCA, function level reset, guest reset and unplug.
 */
#include "qemu/osdep.h"
#include "cap_file.h"
#include "caps.h"
#include "cmd.h"
#include "cq.h"
#include "dek.h"
#include "eq.h"
#include "flow.h"
#include "function.h"
#include "hca.h"
#include "iseg.h"
#include "lro.h"
#include "mkey.h"
#include "object.h"
#include "port.h"
#include "rq.h"
#include "rx.h"
#include "sq.h"
#include "tir.h"
#include "tls.h"
#include "vport.h"

static Mlx5ObjectDestroy *const object_destroy[MLX5_OBJ__COUNT] = {
    [MLX5_OBJ_TIR] = mlx5_tir_destroy,
    [MLX5_OBJ_RQT] = mlx5_rqt_destroy,
    [MLX5_OBJ_SQ] = mlx5_sq_destroy,
    [MLX5_OBJ_RQ] = mlx5_rq_destroy,
    [MLX5_OBJ_CQ] = mlx5_cq_destroy,
    [MLX5_OBJ_EQ] = mlx5_eq_destroy,
    [MLX5_OBJ_TIS] = mlx5_tis_destroy,
    [MLX5_OBJ_DEK] = mlx5_dek_destroy,
    [MLX5_OBJ_MKEY] = mlx5_mkey_destroy,
};

static void notify_bh(void *opaque)
{
    mlx5_notify_flush(opaque);
}

bool mlx5_function_init(Mlx5Function *fn, Error **errp)
{
    mlx5_caps_init(fn);
    if (!mlx5_cap_file_load(fn, errp) || !mlx5_tls_init(fn, errp)) {
        mlx5_caps_finalize(fn);
        return false;
    }
    mlx5_caps_reset(fn);
    fn->dirty_cqs = g_ptr_array_new();
    fn->dirty_eqs = g_ptr_array_new();
    mlx5_wake_add(fn, MLX5_WAKE_NOTIFY, notify_bh, fn);
    mlx5_objects_init(fn, object_destroy);
    mlx5_dek_init(fn);
    mlx5_cmd_init(fn);
    mlx5_flow_init(fn);
    mlx5_vport_init(&fn->vport);
    return true;
}

void mlx5_function_reset(Mlx5Function *fn)
{
    mlx5_hca_teardown(fn);
    mlx5_caps_reset(fn);
    mlx5_cmd_reset(fn);
    mlx5_iseg_reset(fn);
    fn->hca = MLX5_HCA_OFF;
    fn->asleep = false;
    fn->issi = 0;
    mlx5_tls_reset_counters(fn);
}

void mlx5_function_sleep(Mlx5Function *fn)
{
    fn->asleep = true;
    fn->port->counters.rx_asleep += mlx5_lro_drop(fn->port);
    mlx5_rx_reset(fn->port);
}

void mlx5_function_wake(Mlx5Function *fn)
{
    fn->asleep = false;
    mlx5_port_update_link(fn->port);
    mlx5_wake(fn, MLX5_WAKE_CMD | MLX5_WAKE_TX | MLX5_WAKE_NOTIFY |
                  MLX5_WAKE_GATES | MLX5_WAKE_ICMD);
}

void mlx5_function_finalize(Mlx5Function *fn)
{
    mlx5_flow_finalize(fn);
    mlx5_objects_finalize(fn);
    mlx5_dek_finalize(fn);
    mlx5_tls_finalize(fn);
    mlx5_vport_finalize(&fn->vport);
    mlx5_cmd_finalize(fn);
    mlx5_wake_cancel(fn, MLX5_WAKE_GATES); /* nothing is deferred any more */
    mlx5_caps_finalize(fn);
    mlx5_wake_remove(fn, MLX5_WAKE_NOTIFY);
    g_clear_pointer(&fn->dirty_cqs, g_ptr_array_unref);
    g_clear_pointer(&fn->dirty_eqs, g_ptr_array_unref);
}
