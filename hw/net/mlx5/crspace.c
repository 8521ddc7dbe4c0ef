/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CR space; see crspace.h. */
#include "qemu/osdep.h"
#include "crspace.h"
#include "profile.h"

/*
 * "Cache replacement" is how the flash tells an owner from a user: while its
 * offset is not zero, the firmware runs from flash, and tools must access it
 * through registers MFPA and MFBA instead of the chip's own flash controller.
 */
#define CACHE_REPLACEMENT_OFFSET 1

/* Sorted by address. */
static const struct {
    uint32_t addr;
    uint32_t val;
} registers[] = {
    /* [31] static configuration not done: no, commands are accepted */
    { 0x0b5f04, 0 },
    /* [15:0] the chip, [23:16] its revision */
    { 0x0f0014, MLX5_HW_REVISION << 16 | MLX5_HW_ID },
    /* [1:0] life cycle of the chip: 0 production, not secured */
    { 0x0f0068, 0 },
    { 0x0f0408, CACHE_REPLACEMENT_OFFSET },
    /* [23:16] command of cache replacement */
    { 0x0f040c, 0 },
};

bool mlx5_cr_read(uint32_t addr, uint32_t *val)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].addr == addr) {
            *val = registers[i].val;
            return true;
        }
    }
    return false;
}

uint32_t mlx5_cr_next(uint32_t addr)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].addr > addr) {
            return registers[i].addr;
        }
    }
    return MLX5_CR_SIZE;
}
