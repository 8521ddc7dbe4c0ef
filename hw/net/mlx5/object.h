/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Destructors of the object kinds, in a table that function.c gives object.c.
 * Each lets go of what the object refers to and holds; object.c frees the object
 * itself.
 */
#ifndef HW_NET_MLX5_OBJECT_H
#define HW_NET_MLX5_OBJECT_H

void mlx5_tir_destroy(void *obj);
void mlx5_rqt_destroy(void *obj);
void mlx5_sq_destroy(void *obj);
void mlx5_rq_destroy(void *obj);
void mlx5_cq_destroy(void *obj);
void mlx5_eq_destroy(void *obj);
void mlx5_tis_destroy(void *obj);
void mlx5_dek_destroy(void *obj);
void mlx5_mkey_destroy(void *obj);

#endif
