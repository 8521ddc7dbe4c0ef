/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Read-only QOM properties by which tests and people look inside. */
#ifndef HW_NET_MLX5_INTROSPECT_H
#define HW_NET_MLX5_INTROSPECT_H

#include "qom/object.h"

/*
 * Adds the properties, each a dictionary for qom-get:
 *   objects    live objects by kind, flow tables included; all 0 when nothing
 *              is left of a driver
 *   counters   what the port and the vport have counted
 */
void mlx5_introspect_class_init(ObjectClass *klass);

#endif
