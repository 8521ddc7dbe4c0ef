/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strict=on: an observer that checks the device with engine/tls_strict.h. See
 * strict.c.
 */
#ifndef HW_NET_MLX5_STRICT_H
#define HW_NET_MLX5_STRICT_H

#include "mlx5.h"

/* The properties strict and strict-violations. */
void mlx5_strict_class_init(ObjectClass *klass);
/* Starts checking if strict=on, once. The function must be ready. */
void mlx5_strict_start(Mlx5State *s);

/*
 * The property break, in builds with MLX5_BREAK: breaks the device so that a
 * check must find it. See strict_break.c.
 */
void mlx5_strict_break_class_init(ObjectClass *klass);

#endif
