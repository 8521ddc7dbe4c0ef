/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports errors in traces and in QEMU's log; see err.h. Owns no state. */
#include "qemu/osdep.h"
#include "err.h"
#include "trace.h"

#define MLX5_ERR_ARGS(...) (mlx5_id(fn), __VA_ARGS__)
#define MLX5_ERR_LOG(fmt, ...) \
    qemu_log("mlx5-ktls %s: " fmt "\n", mlx5_id(fn), __VA_ARGS__)
#define MLX5_ERR_UNPACK(...) __VA_ARGS__

#define MLX5_ERR_FUNCTION(name, mask_, params, args, fmt) \
    void mlx5_err_##name MLX5_ERR_PARAMS params \
    { \
        trace_mlx5_err_##name MLX5_ERR_ARGS args; \
        if (qemu_loglevel_mask(mask_)) { \
            MLX5_ERR_LOG(fmt, MLX5_ERR_UNPACK args); \
        } \
    }
MLX5_ERRS(MLX5_ERR_FUNCTION)
