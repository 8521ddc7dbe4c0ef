/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large local variables of the data path. Owns no state.
 *
 * QEMU is built with -ftrivial-auto-var-init=zero, which zeroes every local
 * variable at its declaration. For arrays of many KiB that usually hold only a
 * few entries, this would dominate the cost of a packet.
 */
#ifndef HW_NET_MLX5_ENGINE_SCRATCH_H
#define HW_NET_MLX5_ENGINE_SCRATCH_H

/*
 * Marks a local variable that need not be zeroed, because every part is written
 * before it is read.
 */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define MLX5_SCRATCH __attribute__((uninitialized))
#else
#define MLX5_SCRATCH
#endif

#endif
