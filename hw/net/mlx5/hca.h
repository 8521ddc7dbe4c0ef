/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Teardown of the state a driver creates between ENABLE_HCA and TEARDOWN_HCA.
 */
#ifndef HW_NET_MLX5_HCA_H
#define HW_NET_MLX5_HCA_H

#include "mlx5.h"

/*
 * Destroys the driver's objects and tables; keeps the initialization segment.
 */
void mlx5_hca_teardown(Mlx5Function *fn);

#endif
