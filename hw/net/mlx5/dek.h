/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Encryption keys, dek.c: the objects that a driver creates, loads and
 * synchronises, and the keys that contexts get from them. The bytes of a key
 * are the engine's (engine/gcm.h).
 */
#ifndef HW_NET_MLX5_DEK_H
#define HW_NET_MLX5_DEK_H

#include "engine/gcm.h"
#include "mlx5.h"

/* No key exists after init; finalize erases what is left. */
void mlx5_dek_init(Mlx5Function *fn);
void mlx5_dek_finalize(Mlx5Function *fn);
/*
 * The key that tls_static_params.dek_index names in a WQE of @sq, as the card's
 * key cache has it, or NULL with a trace. @pd is that of the TIS, NULL for a
 * TIR, which has none. The caller gets no reference of its own.
 */
Mlx5TlsKey *mlx5_dek_use(const Mlx5Sq *sq, uint32_t dek_index,
                         const Mlx5Pd *pd);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_dek_destroy(void *obj);

#endif
