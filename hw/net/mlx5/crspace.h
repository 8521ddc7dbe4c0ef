/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CR space, crspace.c: the chip's own registers, which tools read through the
 * gateway (vsc.h). Of a real chip's hundreds of thousands there are the few
 * that tell a tool what it talks to; none can be written. Owns no state.
 */
#ifndef HW_NET_MLX5_CRSPACE_H
#define HW_NET_MLX5_CRSPACE_H

#include "mlx5.h"

/* Addresses are those of dwords, below this. */
#define MLX5_CR_SIZE 0x100000u

/* Reads the register at @addr. Returns false if there is none. */
bool mlx5_cr_read(const Mlx5State *s, uint32_t addr, uint32_t *val);
/* Returns the address of the next register after @addr, or MLX5_CR_SIZE. */
uint32_t mlx5_cr_next(uint32_t addr);

#endif
