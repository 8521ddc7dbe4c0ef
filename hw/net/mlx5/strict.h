/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strict=on: an observer that checks the device by means of
 * engine/tls_strict.h.
 */
#ifndef HW_NET_MLX5_STRICT_H
#define HW_NET_MLX5_STRICT_H

#include "mlx5.h"

/* Adds the properties strict and strict-violations. */
void mlx5_strict_class_init(ObjectClass *klass);
/* Starts checking if strict=on, once. The function must be initialized. */
void mlx5_strict_start(Mlx5State *s);

/*
 * Adds the property break, in builds with MLX5_BREAK, which breaks the device
 * in ways that a check must detect. See strict_break.c.
 */
void mlx5_strict_break_class_init(ObjectClass *klass);

#endif
