/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to PRM structures, for both the device and the engine.
 *
 * A structure is described once, as an X-macro list of (structure, field, first
 * bit, width); bit 0 is the most significant bit of byte 0, and all structures
 * are big-endian. MLX5_PRM_STRUCT(name) turns such a list into compile-time
 * constants, which reduce MLX5_GET() and MLX5_SET() to a load, a shift and a
 * mask; MLX5_PRM_FIELD_TABLE() turns it into a table of field names for traces
 * and logs. Plain C: needs no QEMU header.
 */
#ifndef HW_NET_MLX5_PRM_H
#define HW_NET_MLX5_PRM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One row of a structure's field table; widths are 1..64 bits. */
typedef struct Mlx5PrmField {
    const char *name;
    uint16_t bit;
    uint16_t width;
} Mlx5PrmField;

#define MLX5_PRM_ENUM_ROW(st, field, bit_, width_) \
    MLX5_BIT_##st##_##field = (bit_),              \
    MLX5_WIDTH_##st##_##field = (width_),
#define MLX5_PRM_TABLE_ROW(st, field, bit_, width_) \
    { #field, (bit_), (width_) },

/* Makes the constants of one structure from its MLX5_PRM_<name> list. */
#define MLX5_PRM_STRUCT(st) enum { MLX5_PRM_##st(MLX5_PRM_ENUM_ROW) };

/* Defines `static const Mlx5PrmField var[]` for one structure. */
#define MLX5_PRM_FIELD_TABLE(var, st) \
    static const Mlx5PrmField var[] = { MLX5_PRM_##st(MLX5_PRM_TABLE_ROW) }

static inline uint32_t mlx5_ld32(const void *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline void mlx5_st32(void *p, uint32_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, sizeof(v));
}

static inline uint64_t mlx5_ld64(const void *p)
{
    return (uint64_t)mlx5_ld32(p) << 32 |
           mlx5_ld32((const uint8_t *)p + 4);
}

static inline void mlx5_st64(void *p, uint64_t v)
{
    mlx5_st32(p, v >> 32);
    mlx5_st32((uint8_t *)p + 4, v);
}

/*
 * Reads a field of 1..32 bits that lies in one dword, or one of exactly 64
 * bits that starts at a dword. Folds to a few instructions when @bit and
 * @width are constants.
 */
static inline uint64_t mlx5_prm_get(const void *p, unsigned bit, unsigned width)
{
    const uint8_t *dw = (const uint8_t *)p + bit / 32 * 4;

    if (width > 32) {
        return mlx5_ld64(dw);
    }
    return (mlx5_ld32(dw) >> (32 - bit % 32 - width)) &
           (0xffffffffu >> (32 - width));
}

/* Writes a field; bits of @v above the field's width are dropped. */
static inline void mlx5_prm_set(void *p, unsigned bit, unsigned width,
                                uint64_t v)
{
    uint8_t *dw = (uint8_t *)p + bit / 32 * 4;
    unsigned shift = 32 - bit % 32 - width;
    uint32_t mask;

    if (width > 32) {
        mlx5_st64(dw, v);
        return;
    }
    mask = (0xffffffffu >> (32 - width)) << shift;
    mlx5_st32(dw, (mlx5_ld32(dw) & ~mask) | (((uint32_t)v << shift) & mask));
}

#define MLX5_GET(st, p, field)                           \
    ((uint32_t)mlx5_prm_get((p), MLX5_BIT_##st##_##field, \
                            MLX5_WIDTH_##st##_##field))
#define MLX5_GET64(st, p, field)              \
    mlx5_prm_get((p), MLX5_BIT_##st##_##field, \
                 MLX5_WIDTH_##st##_##field)
#define MLX5_SET(st, p, field, v)             \
    mlx5_prm_set((p), MLX5_BIT_##st##_##field, \
                 MLX5_WIDTH_##st##_##field, (v))

#endif
