/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large local variables of the data path. Owns no state.
 *
 * QEMU is built with -ftrivial-auto-var-init=zero: every local variable is
 * zeroed where it is declared. For arrays of many KiB that hold a few entries
 * at most this would be most of what a packet costs.
 */
#ifndef HW_NET_MLX5_ENGINE_SCRATCH_H
#define HW_NET_MLX5_ENGINE_SCRATCH_H

/*
 * Marks a local variable as one whose every part is written before it is read,
 * so that it need not be zeroed.
 */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define MLX5_SCRATCH __attribute__((uninitialized))
#else
#define MLX5_SCRATCH
#endif

#endif
