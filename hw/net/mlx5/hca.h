/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a driver creates between ENABLE_HCA and TEARDOWN_HCA, and its end. */
#ifndef HW_NET_MLX5_HCA_H
#define HW_NET_MLX5_HCA_H

#include "mlx5.h"

/* Destroys what the driver created (objects, tables); keeps the iseg. */
void mlx5_hca_teardown(Mlx5Function *fn);

#endif
