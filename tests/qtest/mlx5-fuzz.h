/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random input for the device, unlike that of any driver, but similar enough to
 * get past the first checks. All numbers come from GLib's test seed. Owns no
 * state.
 */
#ifndef TESTS_QTEST_MLX5_FUZZ_H
#define TESTS_QTEST_MLX5_FUZZ_H

#include "mlx5-drv.h"

/* Returns a number from 0 to @below - 1. */
uint32_t pick(uint32_t below);
/* Returns true three times out of four. */
bool often(void);
/*
 * Fills with random dwords, with many zeros and small numbers, which have more
 * effect.
 */
void random_dwords(uint8_t *p, size_t len);
/* Returns an opcode, mostly one that the device supports. */
uint16_t random_opcode(void);
/*
 * Writes a command of at most @room bytes to @in, with the rest zeroed; returns
 * its length.
 */
uint32_t random_command(uint8_t *in, uint32_t room);
/*
 * Writes something like a WQE for queue @sqn to @p, 64 bytes; its data is in
 * page @mem.
 */
void random_wqe(uint8_t *p, Drv *d, uint32_t sqn, uint64_t mem);

#endif
