/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record log (property record-log=FILE), and strings in traces. */
#ifndef HW_NET_MLX5_OBSERVE_H
#define HW_NET_MLX5_OBSERVE_H

#include "mlx5.h"

/* Opens the log if requested. The function must be initialized. */
bool mlx5_observe_init(Mlx5State *s, Error **errp);
/* To be called before any property is set. */
void mlx5_observe_instance_init(Mlx5State *s);
/* Frees the property's value when the object is finalized. */
void mlx5_observe_instance_finalize(Mlx5State *s);
/*
 * Returns @text, which comes from a guest, a peer or a user, in a form fit for
 * a trace: up to @max bytes or a NUL, with backslashes and everything but
 * printable ASCII as \xNN. The caller frees it.
 */
char *mlx5_printable(const char *text, size_t max);
/*
 * Reads the size limit of a file in bytes, 0 for none, from a property @name;
 * refuses what no file can have. @limit stays as it is then.
 */
bool mlx5_visit_file_limit(Visitor *v, const char *name, uint64_t *limit,
                           Error **errp);
/* Adds the property. */
void mlx5_observe_class_init(ObjectClass *klass);

#endif
