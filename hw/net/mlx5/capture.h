/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The capture of a port (property capture=FILE). */
#ifndef HW_NET_MLX5_CAPTURE_H
#define HW_NET_MLX5_CAPTURE_H

#include "mlx5.h"

/* Starts the capture if requested. The function must be initialized. */
bool mlx5_capture_init(Mlx5State *s, Error **errp);
/* To be called before any property is set. */
void mlx5_capture_instance_init(Mlx5State *s);
/* Frees the property's value when the object is finalized. */
void mlx5_capture_instance_finalize(Mlx5State *s);
/* Adds the properties. */
void mlx5_capture_class_init(ObjectClass *klass);

#endif
