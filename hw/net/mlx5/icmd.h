/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ICMD, icmd.c: commands of tools to the firmware, through a window of the
 * gateway (vsc.h): a control register, and a mailbox for input and output.
 * Tools access registers that way, the same as ACCESS_REG does (cmd_reg.c).
 *
 * Setting the busy bit only schedules the command; it is executed by a bottom
 * half and ends with the bit cleared. Owns Mlx5State.icmd.
 */
#ifndef HW_NET_MLX5_ICMD_H
#define HW_NET_MLX5_ICMD_H

#include "types.h"

/* Bytes of the mailbox: the longest register that tools use, with headers. */
#define MLX5_ICMD_MAILBOX 784

typedef struct Mlx5Icmd {
    uint32_t ctrl;
    uint8_t mailbox[MLX5_ICMD_MAILBOX];
} Mlx5Icmd;

void mlx5_icmd_init(Mlx5State *s);
void mlx5_icmd_reset(Mlx5State *s);
void mlx5_icmd_finalize(Mlx5State *s);

/*
 * Read or write the dword at @addr of the window. Return false if there is
 * none, or, for a write, if it cannot be written (now).
 */
bool mlx5_icmd_read(Mlx5State *s, uint32_t addr, uint32_t *val);
bool mlx5_icmd_write(Mlx5State *s, uint32_t addr, uint32_t val);
/* The window ends here. */
#define MLX5_ICMD_END (0x100000u + MLX5_ICMD_MAILBOX)

#endif
