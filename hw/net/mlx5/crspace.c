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

/* [15:0] the chip, [23:16] its revision */
#define HW_ID 0x0f0014

/*
 * Sorted by address. Each generation of chips, or of tools, has cache
 * replacement elsewhere: its offset, and the dword with its command, 0.
 */
static const struct {
    uint32_t addr;
    uint32_t val;
} registers[] = {
    /* [31] static configuration not done: no, commands are accepted */
    { 0x0b5f04, 0 },
    { HW_ID, 0 }, /* the profile has it */
    /* [1:0] life cycle of the chip: 0 production, not secured */
    { 0x0f0068, 0 },
    { 0x0f0408, CACHE_REPLACEMENT_OFFSET },
    { 0x0f040c, 0 },
    { 0x0f0444, CACHE_REPLACEMENT_OFFSET },
    { 0x0f0448, 0 },
    { 0x0f0484, CACHE_REPLACEMENT_OFFSET },
    { 0x0f0488, 0 },
};

bool mlx5_cr_read(const Mlx5State *s, uint32_t addr, uint32_t *val)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].addr == addr) {
            *val = addr == HW_ID ?
                   (uint32_t)s->profile->revision << 16 | s->profile->hw_id :
                   registers[i].val;
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
