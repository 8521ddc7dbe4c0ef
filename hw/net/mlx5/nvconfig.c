/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Non-volatile configuration: which items there are, what can be set in them,
 * and what they are set to. Owns Mlx5State.nv. Called by the registers
 * (cmd_reg.c), by realize and reset.
 *
 * An item says what the device has: no SR-IOV, no subfunctions, one way of CQE
 * compression, no software parser. So a driver can set little, and nothing that
 * can be set has an effect yet; what would promise more is refused.
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "err.h"
#include "mlx5.h"
#include "nvconfig.h"
#include "trace.h"
#include "hw/net/mlx5/prm_reg.h"

#define NV_ROOM_MAX 256 /* bytes that MNVDA has for an item */

/* config_item.access_mode */
enum { NV_NEXT = 0, NV_CURRENT = 1, NV_DEFAULT = 2 };

enum {
    GLOBAL_PCI_CONF,
    GLOBAL_PCI_CAP,
    SW_OFFLOAD_CONFIG,
    SW_OFFLOAD_CAP,
    SW_ACCELERATE_CONF,
    PF_PCI_CONF,
};

/* The class in the upper byte: 0 the whole device, 3 one function of a host. */
static const struct {
    uint32_t type;
    uint8_t size;
    bool writable;
} items[] = {
    [GLOBAL_PCI_CONF] = { 0x00000080, 12, true },
    [GLOBAL_PCI_CAP] = { 0x00000081, 20, false },
    [SW_OFFLOAD_CONFIG] = { 0x0000010a, 8, true },
    [SW_OFFLOAD_CAP] = { 0x0000010b, 4, false },
    [SW_ACCELERATE_CONF] = { 0x0000011d, 8, true },
    [PF_PCI_CONF] = { 0x03000080, 16, true },
};

/*
 * The fields that are not zero, or need not be: their factory setting and the
 * highest value that they can be set to. All others are zero for good.
 */
static const struct {
    uint8_t item;
    uint8_t width;
    uint16_t bit;
    uint32_t factory;
    uint32_t max;
} fields[] = {
#define ROW(i, st, field, f, m) \
    { .item = i, .bit = MLX5_BIT_##st##_##field, \
      .width = MLX5_WIDTH_##st##_##field, .factory = f, .max = m }
    /* 0 virtual functions is valid, and all that there can be */
    ROW(GLOBAL_PCI_CONF, nv_global_pci_conf, sriov_valid, 0, 1),
    ROW(GLOBAL_PCI_CAP, nv_global_pci_cap, max_vfs_per_pf_valid, 1, 1),
    /* balanced or aggressive */
    ROW(SW_OFFLOAD_CONFIG, nv_sw_offload_conf, cqe_compression, 0, 1),
    /* default or full_csum; l4_only would be a capability */
    ROW(SW_ACCELERATE_CONF, nv_sw_accelerate_conf, swp_l4_csum_mode, 0, 1),
#undef ROW
};

static void factory_settings(Mlx5NvValues values)
{
    unsigned i;

    memset(values, 0, sizeof(Mlx5NvValues));
    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        mlx5_prm_set(values[fields[i].item], fields[i].bit, fields[i].width,
                     fields[i].factory);
    }
}

void mlx5_nv_init(Mlx5NvConfig *nv)
{
    factory_settings(nv->next);
    factory_settings(nv->current);
}

void mlx5_nv_power_cycle(Mlx5NvConfig *nv)
{
    memcpy(nv->current, nv->next, sizeof(nv->current));
}

size_t mlx5_nv_access_size(const uint8_t *in)
{
    return MLX5_NV_HEADER_SIZE + MLX5_GET(config_item, in, length);
}

/* Returns the item of @type, or MLX5_NV_ITEMS. */
static unsigned item_of(uint32_t type)
{
    unsigned i;

    QEMU_BUILD_BUG_ON(ARRAY_SIZE(items) != MLX5_NV_ITEMS);
    for (i = 0; i < ARRAY_SIZE(items); i++) {
        if (items[i].type == type) {
            break;
        }
    }
    return i;
}

void mlx5_nv_query(uint32_t type, bool *readable, bool *writable)
{
    unsigned item = item_of(type);

    *readable = item < MLX5_NV_ITEMS;
    *writable = *readable && items[item].writable;
}

/* The item that the header at @in names. */
static Mlx5Syndrome find(Mlx5Function *fn, const uint8_t *in, unsigned *item)
{
    uint32_t type = MLX5_GET(config_item, in, type);

    *item = item_of(type);
    if (*item == MLX5_NV_ITEMS) {
        mlx5_err_nv_unknown(fn, type);
        return MLX5_SYN_NV_UNKNOWN;
    }
    return MLX5_OK;
}

Mlx5Syndrome mlx5_nv_read(Mlx5Function *fn, const uint8_t *in, uint8_t *out)
{
    const Mlx5NvConfig *nv = &fn->dev->nv;
    uint32_t mode = MLX5_GET(config_item, in, access_mode);
    Mlx5NvValues factory;
    const uint8_t *value;
    unsigned item;
    Mlx5Syndrome syn = find(fn, in, &item);

    if (syn != MLX5_OK) {
        return syn;
    }
    /* Tools ask with the room that they have, a driver with the item's size. */
    if (MLX5_GET(config_item, in, length) < items[item].size ||
        MLX5_GET(config_item, in, length) > NV_ROOM_MAX) {
        return MLX5_SYN_NV_LENGTH;
    }
    switch (mode) {
    case NV_NEXT:
        value = nv->next[item];
        break;
    case NV_CURRENT:
        value = nv->current[item];
        break;
    case NV_DEFAULT:
        factory_settings(factory);
        value = factory[item];
        break;
    default:
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out, 0, mlx5_nv_access_size(in));
    MLX5_SET(config_item, out, access_mode, mode);
    MLX5_SET(config_item, out, length, items[item].size);
    MLX5_SET(config_item, out, type, items[item].type);
    memcpy(out + MLX5_NV_HEADER_SIZE, value, items[item].size);
    return MLX5_OK;
}

/* May @item be set to @value? */
static Mlx5Syndrome check_value(unsigned item, const uint8_t *value)
{
    uint8_t rest[MLX5_NV_MAX_SIZE];
    unsigned i;

    memcpy(rest, value, items[item].size);
    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        if (fields[i].item == item) {
            if (mlx5_prm_get(value, fields[i].bit, fields[i].width) >
                fields[i].max) {
                return MLX5_SYN_REG_BAD_VALUE;
            }
            mlx5_prm_set(rest, fields[i].bit, fields[i].width, 0);
        }
    }
    return buffer_is_zero(rest, items[item].size) ?
           MLX5_OK : MLX5_SYN_REG_UNSUPPORTED_FIELD;
}

Mlx5Syndrome mlx5_nv_write(Mlx5Function *fn, const uint8_t *in)
{
    const uint8_t *value = in + MLX5_NV_HEADER_SIZE;
    unsigned item;
    Mlx5Syndrome syn = find(fn, in, &item);

    if (syn != MLX5_OK) {
        return syn;
    }
    if (!items[item].writable) {
        return MLX5_SYN_NV_READ_ONLY;
    }
    if (MLX5_GET(config_item, in, length) != items[item].size) {
        return MLX5_SYN_NV_LENGTH;
    }
    /* Only the next value can be written; of each item there is version 0. */
    if (MLX5_GET(config_item, in, access_mode) != NV_NEXT ||
        MLX5_GET(config_item, in, version)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    if (MLX5_GET(config_item, in, host_id_valid)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    syn = check_value(item, value);
    if (syn == MLX5_OK) {
        trace_mlx5_nv_write(mlx5_id(fn), items[item].type,
                            memcmp(fn->dev->nv.current[item], value,
                                   items[item].size) != 0);
        memcpy(fn->dev->nv.next[item], value, items[item].size);
    }
    return syn;
}
