/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that bring the HCA up and down, and those for firmware pages
 * (driver: core/fw.c, core/main.c, core/pagealloc.c). Owns hca and issi of the
 * function.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "err.h"
#include "hca.h"
#include "mkey.h"
#include "object.h"
#include "observe.h"
#include "profile.h"
#include "trace.h"

/* ISSI 0 and 1, in the format of supported_issi_dw0. */
#define SUPPORTED_ISSI 0x3u

/* Where the board id is, which the driver prints. */
#define PSID_OFFSET 0x100

/* TEARDOWN_HCA profile */
enum { TEARDOWN_GRACEFUL = 0 };

/* MANAGE_PAGES op_mod */
enum { PAGES_CANT_GIVE = 0, PAGES_GIVE = 1, PAGES_TAKE = 2 };

Mlx5Syndrome mlx5_cmd_enable_hca(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;

    if (MLX5_GET(enable_hca_in, cmd->in, function_id)) {
        return MLX5_SYN_OTHER_FUNCTION;
    }
    if (fn->hca != MLX5_HCA_OFF) {
        if (!fn->cmdq_new) {
            return MLX5_SYN_HCA_ALREADY_ENABLED;
        }
        /* The driver starts over, as after a crash: reset everything. */
        trace_mlx5_hca_restart(mlx5_id(fn));
        mlx5_hca_teardown(fn);
        mlx5_caps_reset(fn);
        fn->issi = 0;
    }
    fn->cmdq_new = false;
    fn->hca = MLX5_HCA_ENABLED;
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_disable_hca(Mlx5Cmd *cmd)
{
    if (MLX5_GET(enable_hca_in, cmd->in, function_id)) {
        return MLX5_SYN_OTHER_FUNCTION;
    }
    mlx5_hca_teardown(cmd->fn);
    cmd->fn->hca = MLX5_HCA_OFF;
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_query_issi(Mlx5Cmd *cmd)
{
    MLX5_SET(query_issi_out, cmd->out, current_issi, cmd->fn->issi);
    MLX5_SET(query_issi_out, cmd->out, supported_issi_dw0, SUPPORTED_ISSI);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_set_issi(Mlx5Cmd *cmd)
{
    uint32_t issi = MLX5_GET(set_issi_in, cmd->in, current_issi);

    if (issi > 31 || !(SUPPORTED_ISSI & (1u << issi))) {
        return MLX5_SYN_ISSI_UNSUPPORTED;
    }
    cmd->fn->issi = issi;
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_init_hca(Mlx5Cmd *cmd)
{
    if (cmd->fn->hca != MLX5_HCA_ENABLED) {
        return MLX5_SYN_HCA_ALREADY_INITIALIZED;
    }
    cmd->fn->hca = MLX5_HCA_INITIALIZED;
    return MLX5_OK;
}

/*
 * Remaining objects are destroyed with the HCA, as on hardware; the trace shows
 * their number, since a driver that leaves some has a leak.
 */
Mlx5Syndrome mlx5_cmd_teardown_hca(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    int t;

    if (MLX5_GET(teardown_hca_in, cmd->in, profile) != TEARDOWN_GRACEFUL) {
        return MLX5_SYN_TEARDOWN_PROFILE;
    }
    for (t = 0; t < MLX5_OBJ__COUNT; t++) {
        if (mlx5_object_count(fn, t)) {
            mlx5_err_teardown_leak(fn, mlx5_object_type_name(t),
                                   mlx5_object_count(fn, t));
        }
    }
    mlx5_hca_teardown(fn);
    fn->hca = MLX5_HCA_ENABLED;
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_query_adapter(Mlx5Cmd *cmd)
{
    const char *id = cmd->fn->dev->profile->board_id;

    MLX5_SET(query_adapter_out, cmd->out, vsd_vendor_id, MLX5_PCI_VENDOR);
    memcpy(cmd->out + PSID_OFFSET, id, strlen(id));
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_set_driver_version(Mlx5Cmd *cmd)
{
    g_autofree char *v = mlx5_printable((const char *)cmd->in + 0x10, 0x40);

    trace_mlx5_driver_version(mlx5_id(cmd->fn), v);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_nop(Mlx5Cmd *cmd)
{
    return MLX5_OK;
}

/*
 * The lkey that ends a scatter list early. Drivers only query it with the
 * terminate_scatter_list_mkey capability; otherwise they use the architected
 * value.
 */
Mlx5Syndrome mlx5_cmd_query_special_contexts(Mlx5Cmd *cmd)
{
    if (cmd->out_len >= 24) {
        MLX5_SET(query_special_contexts_out, cmd->out,
                 terminate_scatter_list_mkey, MLX5_TERMINATE_SCATTER_LKEY);
    }
    return MLX5_OK;
}

/* The device keeps its contexts in host memory and requests no pages. */
Mlx5Syndrome mlx5_cmd_query_pages(Mlx5Cmd *cmd)
{
    if (cmd->op_mod < 1 || cmd->op_mod > 3) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    MLX5_SET(query_pages_out, cmd->out, num_pages, 0);
    return MLX5_OK;
}

/*
 * Since no pages are requested, a driver gives none (pagealloc.c give_pages is
 * not called, or with none), and unrequested pages are refused. It may report
 * that it cannot give any, and take back the existing number, zero.
 */
Mlx5Syndrome mlx5_cmd_manage_pages(Mlx5Cmd *cmd)
{
    if (MLX5_GET(manage_pages_in, cmd->in, function_id)) {
        return MLX5_SYN_OTHER_FUNCTION;
    }
    switch (cmd->op_mod) {
    case PAGES_CANT_GIVE:
        return MLX5_OK;
    case PAGES_GIVE:
        return MLX5_GET(manage_pages_in, cmd->in, input_num_entries) ?
               MLX5_SYN_PAGES_UNASKED : MLX5_OK;
    case PAGES_TAKE:
        MLX5_SET(manage_pages_out, cmd->out, output_num_entries, 0);
        return MLX5_OK;
    default:
        return MLX5_SYN_BAD_OP_MOD;
    }
}
