/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vendor specific capability in PCI configuration space, vsc.c: a gateway
 * through which tools and the driver reach address spaces of the device that
 * no BAR shows (driver: lib/pci_vsc.c, diag/crdump.c; tools: mstflint).
 *
 *   +0x04 ctrl       [15:0] space; [28] size valid; [31:29] status, 0: no such
 *                    space; [27:24] why the last access failed
 *   +0x08 counter    another number at each read: a ticket for the semaphore
 *   +0x0c semaphore  0: free; whoever reads back his ticket has it
 *   +0x10 address    [29:0]; [30] the access failed; [31] flag
 *   +0x14 data
 *
 * Writing an address with the flag clear reads into data and sets the flag;
 * with the flag set it writes data and clears the flag. An access is done when
 * the write returns. Only aligned dwords are accepted.
 *
 * Owns Mlx5State.vsc. A reset of any kind frees all semaphores.
 */
#ifndef HW_NET_MLX5_VSC_H
#define HW_NET_MLX5_VSC_H

#include "types.h"

#define MLX5_VSC_SIZE 0x18      /* bytes of the capability */
#define MLX5_VSC_SEMAPHORES 64  /* in the space of semaphores */

typedef struct Mlx5Vsc {
    uint16_t space;
    uint8_t why; /* the last access failed; 0: it did not */
    uint32_t counter;
    uint32_t semaphore;
    uint32_t address; /* as a tool reads it */
    uint32_t data;
    uint32_t semaphores[MLX5_VSC_SEMAPHORES]; /* 0: free */
} Mlx5Vsc;

void mlx5_vsc_init(Mlx5State *s);
void mlx5_vsc_reset(Mlx5State *s);
void mlx5_vsc_finalize(Mlx5State *s);

/*
 * Reads the register at @off (4..MLX5_VSC_SIZE - 4, aligned) of the capability.
 * A read of the counter changes it.
 */
uint32_t mlx5_vsc_read(Mlx5State *s, unsigned off);
/* Writes @len bytes at @off; other than an aligned dword has no effect. */
void mlx5_vsc_write(Mlx5State *s, unsigned off, uint32_t val, unsigned len);

#endif
