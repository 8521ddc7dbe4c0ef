/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BAR0: the initialization segment, then one UAR page of 4 KiB per index.
 * Decodes doorbells and passes them on. Its only state is the first half of a
 * 64-bit doorbell written as two 32-bit words.
 */
#include "qemu/osdep.h"
#include "cq.h"
#include "eq.h"
#include "err.h"
#include "iseg.h"
#include "mlx5.h"
#include "object.h"
#include "sq.h"
#include "uar.h"

/* Offsets in a UAR page. */
enum {
    UAR_CQ_DOORBELL = 0x20,  /* 8 bytes: arm word, cqn */
    UAR_EQ_ARM = 0x40,       /* eqn[31:24], ci[23:0], and arm */
    UAR_EQ_CI = 0x48,        /* the same without arming */
    UAR_BF = 0x800,          /* BlueField registers: SQ doorbells */
    UAR_BF_END = 0x1000,
};

/* Value that tools expect from a nonexistent register. */
#define BAD_ACCESS 0xbadacce5u

static uint64_t bar0_read(void *opaque, hwaddr addr, unsigned size)
{
    Mlx5State *s = opaque;

    if (addr + size <= MLX5_ISEG_SIZE) {
        uint32_t v = mlx5_iseg_read(&s->fn, addr & ~3ull);

        if (size == 8) {
            return (uint64_t)v << 32 | mlx5_iseg_read(&s->fn, addr + 4);
        }
        /* big-endian: the lowest address has the most significant byte */
        return v >> ((4 - size - (addr & 3)) * 8);
    }
    mlx5_err_bar0_read(&s->fn, addr, size);
    return size == 8 ? (uint64_t)BAD_ACCESS << 32 | BAD_ACCESS : BAD_ACCESS;
}

static void uar_write(Mlx5State *s, hwaddr addr, uint64_t val, unsigned size)
{
    Mlx5Function *fn = &s->fn;
    uint32_t uar = addr >> MLX5_PAGE_SHIFT;
    uint32_t off = addr & (MLX5_PAGE_SIZE - 1);

    if (size < 4 || !mlx5_object_get(fn, MLX5_OBJ_UAR, uar)) {
        mlx5_err_bar0_write(&s->fn, addr, val, size);
        return;
    }
    if (off >= UAR_BF) {
        /*
         * The first 8 bytes of a WQE's control segment are the doorbell; the
         * rest of a BlueField write duplicates the contents of memory. Each
         * page has two registers, each with two buffers of 2^log_bf_reg_size /
         * 2.
         */
        if (size == 8 && off % 0x100 == 0) {
            mlx5_sq_doorbell(fn, uar, (val >> 8) & 0xffffff);
        } else if (size == 4 && off % 0x100 == 4) {
            mlx5_sq_doorbell(fn, uar, val >> 8);
        }
        return;
    }
    switch (off) {
    case UAR_CQ_DOORBELL:
        if (size == 8) {
            mlx5_cq_doorbell(fn, uar, val & 0xffffff, val >> 32);
        } else {
            s->cq_doorbell_half = val;
        }
        break;
    case UAR_CQ_DOORBELL + 4:
        mlx5_cq_doorbell(fn, uar, val & 0xffffff, s->cq_doorbell_half);
        break;
    case UAR_EQ_ARM:
    case UAR_EQ_CI:
        if (size == 8) {
            val >>= 32;
        }
        mlx5_eq_doorbell(fn, uar, val >> 24 & 0xff, val & 0xffffff,
                         off == UAR_EQ_ARM);
        break;
    default:
        mlx5_err_bar0_write(&s->fn, addr, val, size);
        break;
    }
}

static void bar0_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    Mlx5State *s = opaque;

    /* Arming an EQ may send its message at once. */
    mlx5_work_begin(&s->work);
    if (addr >= MLX5_FIRST_UAR * MLX5_PAGE_SIZE) {
        uar_write(s, addr, val, size);
    } else if (addr + size <= MLX5_ISEG_SIZE && size == 4) {
        mlx5_iseg_write(&s->fn, addr, val);
    } else if (addr + size <= MLX5_ISEG_SIZE && size == 8) {
        mlx5_iseg_write(&s->fn, addr, val >> 32);
        mlx5_iseg_write(&s->fn, addr + 4, val);
    } else {
        mlx5_err_bar0_write(&s->fn, addr, val, size);
    }
    mlx5_work_end(&s->work);
}

const MemoryRegionOps mlx5_bar0_ops = {
    .read = bar0_read,
    .write = bar0_write,
    .endianness = DEVICE_BIG_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8 },
    .impl = { .min_access_size = 1, .max_access_size = 8 },
};
