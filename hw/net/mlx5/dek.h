/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data encryption keys: the objects that a driver creates, loads and
 * synchronises, and the keys that contexts get from them. The key material
 * belongs to the engine (engine/gcm.h).
 */
#ifndef HW_NET_MLX5_DEK_H
#define HW_NET_MLX5_DEK_H

#include "engine/gcm.h"
#include "mlx5.h"

/* There are no keys after init; finalize erases the remaining ones. */
void mlx5_dek_init(Mlx5Function *fn);
void mlx5_dek_finalize(Mlx5Function *fn);
/*
 * Returns the key for @dek_index (tls_static_params of a WQE on @sq), as held
 * in the card's key cache, or traces the error and returns NULL. @pd is the
 * protection domain of the TIS; NULL for a TIR, which has none. The caller does
 * not get a reference.
 */
Mlx5TlsKey *mlx5_dek_use(const Mlx5Sq *sq, uint32_t dek_index,
                         const Mlx5Pd *pd);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_dek_destroy(void *obj);

#endif
