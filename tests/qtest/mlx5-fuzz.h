/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random input for the device: what no driver gives, but near enough to what
 * drivers give that it gets somewhere. All numbers come from GLib's test seed.
 * Owns no state.
 */
#ifndef TESTS_QTEST_MLX5_FUZZ_H
#define TESTS_QTEST_MLX5_FUZZ_H

#include "mlx5-drv.h"

/* A number from 0 to @below - 1. */
uint32_t pick(uint32_t below);
/* True three times out of four. */
bool often(void);
/* Random, with many zeros and small numbers, which mean more. */
void random_dwords(uint8_t *p, size_t len);
/* Of a command that the device knows, mostly. */
uint16_t random_opcode(void);
/* A command of at most @room bytes at @in, the rest zeroed; its length. */
uint32_t random_command(uint8_t *in, uint32_t room);
/*
 * Something like a WQE for queue @sqn at @p, 64 bytes; data lies in page @mem.
 */
void random_wqe(uint8_t *p, Drv *d, uint32_t sqn, uint64_t mem);

#endif
