/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vendor specific capability; see vsc.h. */
#include "qemu/osdep.h"
#include "crspace.h"
#include "err.h"
#include "flash.h"
#include "icmd.h"
#include "trace.h"
#include "vsc.h"

/* Registers of the capability. */
enum {
    VSC_CTRL = 0x04,
    VSC_COUNTER = 0x08,
    VSC_SEMAPHORE = 0x0c,
    VSC_ADDRESS = 0x10,
    VSC_DATA = 0x14,
};

#define CTRL_SPACE 0xffffu
#define CTRL_WHY_SHIFT 24
#define CTRL_SIZE_VALID (1u << 28)
#define CTRL_SUPPORTED (1u << 29)

#define ADDRESS_FLAG (1u << 31)
#define ADDRESS_FAILED (1u << 30)
#define ADDRESS_MASK 0x3fffffffu

/* ctrl[27:24] */
#define WHY_OUT_OF_RANGE 3

/* What a chip answers where there is nothing. */
#define BAD_ACCESS 0xbadacce5u

/* ------------------------------------------------------------ spaces --- */

/* Space of semaphores: taken by writing to a free one, freed by writing 0. */
static bool semaphore_read(Mlx5State *s, uint32_t addr, uint32_t *val)
{
    if (addr % 4 || addr / 4 >= MLX5_VSC_SEMAPHORES) {
        return false;
    }
    *val = s->vsc.semaphores[addr / 4];
    return true;
}

static bool semaphore_write(Mlx5State *s, uint32_t addr, uint32_t val)
{
    if (addr % 4 || addr / 4 >= MLX5_VSC_SEMAPHORES) {
        return false;
    }
    if (!val || !s->vsc.semaphores[addr / 4]) {
        s->vsc.semaphores[addr / 4] = val;
    }
    return true;
}

static bool cr_read(Mlx5State *s, uint32_t addr, uint32_t *val)
{
    return mlx5_cr_read(s, addr, val);
}

/*
 * @next: where the next read should go, for a space whose reader is told. A
 * missing @write refuses all writes.
 */
typedef struct VscSpace {
    uint16_t number;
    uint32_t size;
    bool (*read)(Mlx5State *s, uint32_t addr, uint32_t *val);
    bool (*write)(Mlx5State *s, uint32_t addr, uint32_t val);
    uint32_t (*next)(uint32_t addr);
} VscSpace;

static const VscSpace spaces[] = {
    /* ICMD, by its two numbers: of the function's own, and of the card's */
    { 0x1, MLX5_ICMD_END, mlx5_icmd_read, mlx5_icmd_write, NULL },
    { 0x3, MLX5_ICMD_END, mlx5_icmd_read, mlx5_icmd_write, NULL },
    { 0x2, MLX5_CR_SIZE, cr_read, NULL, NULL },
    /* CR space once more, to be read from end to end: devlink health dump */
    { 0x7, MLX5_CR_SIZE, cr_read, NULL, mlx5_cr_next },
    { 0xa, MLX5_VSC_SEMAPHORES * 4, semaphore_read, semaphore_write, NULL },
};

/*
 * The selected space, or NULL if it does not exist. In D3hot there is none:
 * no command is executed there.
 */
static const VscSpace *space_of(const Mlx5State *s)
{
    unsigned i;

    for (i = 0; !s->fn.asleep && i < ARRAY_SIZE(spaces); i++) {
        if (spaces[i].number == s->vsc.space) {
            return &spaces[i];
        }
    }
    return NULL;
}

/* ----------------------------------------------------------- gateway --- */

static void select_space(Mlx5State *s, uint32_t val)
{
    const VscSpace *space;

    s->vsc.space = val & CTRL_SPACE;
    s->vsc.why = 0;
    space = space_of(s);
    if (space) {
        s->vsc.address = space->size;
    } else {
        mlx5_err_vsc_space(&s->fn, s->vsc.space);
    }
}

static void access_space(Mlx5State *s, uint32_t address)
{
    const VscSpace *space = space_of(s);
    bool write = address & ADDRESS_FLAG;
    uint32_t addr = address & ADDRESS_MASK;
    bool ok = false;

    s->vsc.why = 0;
    if (write) {
        ok = space && space->write && space->write(s, addr, s->vsc.data);
    } else {
        s->vsc.data = BAD_ACCESS;
        ok = space && space->read(s, addr, &s->vsc.data);
    }
    s->vsc.address = !write && space && space->next ? space->next(addr) : addr;
    if (!write) {
        s->vsc.address |= ADDRESS_FLAG;
    }
    if (ok) {
        trace_mlx5_vsc(mlx5_id(&s->fn), write ? "write" : "read", s->vsc.space,
                       addr, s->vsc.data);
    } else if (!(space && space->next)) {
        s->vsc.address |= ADDRESS_FAILED;
        s->vsc.why = WHY_OUT_OF_RANGE;
        mlx5_err_vsc_access(&s->fn, write ? "write" : "read", s->vsc.space,
                            addr);
    }
}

uint32_t mlx5_vsc_read(Mlx5State *s, unsigned off)
{
    switch (off) {
    case VSC_CTRL:
        return s->vsc.space | (uint32_t)s->vsc.why << CTRL_WHY_SHIFT |
               (space_of(s) ? CTRL_SIZE_VALID | CTRL_SUPPORTED : 0);
    case VSC_COUNTER:
        s->vsc.counter++;
        return s->vsc.counter ?: ++s->vsc.counter; /* 0 is no ticket */
    case VSC_SEMAPHORE:
        return s->vsc.semaphore;
    case VSC_ADDRESS:
        return s->vsc.address;
    case VSC_DATA:
        return s->vsc.data;
    default:
        return 0;
    }
}

void mlx5_vsc_write(Mlx5State *s, unsigned off, uint32_t val, unsigned len)
{
    if (len != 4 || off % 4) {
        mlx5_err_vsc_size(&s->fn, off, len);
        return;
    }
    switch (off) {
    case VSC_CTRL:
        select_space(s, val);
        break;
    case VSC_SEMAPHORE:
        if (!val || !s->vsc.semaphore) {
            s->vsc.semaphore = val;
        }
        break;
    case VSC_ADDRESS:
        access_space(s, val);
        break;
    case VSC_DATA:
        s->vsc.data = val;
        break;
    default:
        break; /* header and counter are read-only */
    }
}

/* ---------------------------------------------------------- lifetime --- */

void mlx5_vsc_init(Mlx5State *s)
{
    mlx5_icmd_init(s);
}

void mlx5_vsc_reset(Mlx5State *s)
{
    memset(&s->vsc, 0, sizeof(s->vsc));
    mlx5_icmd_reset(s);
}

void mlx5_vsc_finalize(Mlx5State *s)
{
    mlx5_icmd_finalize(s);
    mlx5_flash_finalize(s);
}
