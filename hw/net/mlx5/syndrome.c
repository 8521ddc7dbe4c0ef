/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table behind syndrome.h: status and sentence of each syndrome. */
#include "qemu/osdep.h"
#include "syndrome.h"

static const struct {
    Mlx5Status status;
    const char *text;
} syndromes[MLX5_SYN__COUNT] = {
#define MLX5_SYNDROME_ROW(name, status, text) \
    [MLX5_SYN_##name] = { MLX5_STATUS_##status, text },
    MLX5_SYNDROMES(MLX5_SYNDROME_ROW)
#undef MLX5_SYNDROME_ROW
};

Mlx5Status mlx5_syndrome_status(Mlx5Syndrome s)
{
    return syndromes[s].status;
}

uint32_t mlx5_syndrome_number(Mlx5Syndrome s)
{
    return s == MLX5_OK ? 0 : MLX5_SYNDROME_BASE + s;
}

const char *mlx5_syndrome_text(Mlx5Syndrome s)
{
    return syndromes[s].text;
}
