/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table behind syndrome.h: status and sentence of each syndrome. */
#include "qemu/osdep.h"
#include "mlx5.h"
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

/* In addition to all with status BAD_OP. */
static const bool unimplemented[MLX5_SYN__COUNT] = {
    [MLX5_SYN_OTHER_FUNCTION] = true,
    [MLX5_SYN_OTHER_VPORT] = true,
    [MLX5_SYN_UMEM_UNSUPPORTED] = true,
    [MLX5_SYN_CQ_BAD_CQE_SIZE] = true,
    [MLX5_SYN_CQ_COMPRESSION] = true,
    [MLX5_SYN_CQ_COLLAPSED] = true,
    [MLX5_SYN_EQ_BAD_FLAGS] = true,
    [MLX5_SYN_WQ_BAD_TYPE] = true,
    [MLX5_SYN_WQ_HAIRPIN] = true,
    [MLX5_SYN_RQ_NO_RMP] = true,
    [MLX5_SYN_RQ_SCATTER_FCS] = true,
    [MLX5_SYN_TIR_BAD_HASH] = true,
    [MLX5_SYN_TIR_LRO] = true,
    [MLX5_SYN_MKEY_BAD_MODE] = true,
    [MLX5_SYN_MODIFY_NOTHING_KNOWN] = true,
    [MLX5_SYN_CAP_UNKNOWN_TYPE] = true,
    [MLX5_SYN_CAP_NOT_SETTABLE] = true,
    [MLX5_SYN_ISSI_UNSUPPORTED] = true,
    [MLX5_SYN_TEARDOWN_PROFILE] = true,
    [MLX5_SYN_REG_UNKNOWN] = true,
    [MLX5_SYN_REG_BAD_GROUP] = true,
    [MLX5_SYN_REG_UNSUPPORTED_FIELD] = true,
    [MLX5_SYN_NV_UNKNOWN] = true,
    [MLX5_SYN_VPORT_BAD_FIELD] = true,
    [MLX5_SYN_VPORT_LIST_TYPE] = true,
    [MLX5_SYN_Q_COUNTER_AGGREGATE] = true,
    [MLX5_SYN_FT_BAD_TYPE] = true,
    [MLX5_SYN_FT_BAD_CRITERIA] = true,
    [MLX5_SYN_FT_BAD_ACTION] = true,
    [MLX5_SYN_FT_BAD_DESTINATION] = true,
    [MLX5_SYN_FT_BAD_MISS] = true,
    [MLX5_SYN_FT_BAD_CONTEXT] = true,
    [MLX5_SYN_FT_BAD_GROUP_TYPE] = true,
    [MLX5_SYN_FT_BAD_FLOW_CONTEXT] = true,
    [MLX5_SYN_FT_UNDERLAY] = true,
    [MLX5_SYN_FLOW_COUNTER_BULK] = true,
    [MLX5_SYN_MODIFY_BAD_ACTION] = true,
    [MLX5_SYN_MODIFY_BAD_FIELD] = true,
    [MLX5_SYN_OBJ_BAD_TYPE] = true,
    [MLX5_SYN_DEK_WRAPPED] = true,
    [MLX5_SYN_SYNC_CRYPTO_TYPE] = true,
};

Mlx5Status mlx5_syndrome_status(Mlx5Syndrome s)
{
    return syndromes[s].status;
}

uint32_t mlx5_syndrome_number(Mlx5Syndrome s)
{
    return s == MLX5_OK ? 0 : MLX5_SYNDROME_BASE + s;
}

bool mlx5_syndrome_unimplemented(Mlx5Syndrome s)
{
    return syndromes[s].status == MLX5_STATUS_BAD_OP || unimplemented[s];
}

const char *mlx5_syndrome_text(Mlx5Syndrome s)
{
    return syndromes[s].text;
}
