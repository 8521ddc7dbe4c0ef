/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The record log (property record-log=FILE), and strings in traces. */
#ifndef HW_NET_MLX5_OBSERVE_H
#define HW_NET_MLX5_OBSERVE_H

#include "mlx5.h"

/* Opens the log if one is asked for. The function must be ready. */
bool mlx5_observe_init(Mlx5State *s, Error **errp);
/* Before any property is set. */
void mlx5_observe_instance_init(Mlx5State *s);
/* Forgets the property's value, at the end of the object. */
void mlx5_observe_instance_finalize(Mlx5State *s);
/*
 * @text, which a guest, a peer or a user made, for a trace: up to @max bytes or
 * its NUL, with all that is not printable ASCII, and the backslash, as \xNN. To
 * be freed.
 */
char *mlx5_printable(const char *text, size_t max);
/* Makes the property. */
void mlx5_observe_class_init(ObjectClass *klass);

#endif
