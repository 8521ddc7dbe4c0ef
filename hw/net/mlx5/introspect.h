/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Read-only QOM properties that expose internal state for tests and debugging.
 */
#ifndef HW_NET_MLX5_INTROSPECT_H
#define HW_NET_MLX5_INTROSPECT_H

#include "qom/object.h"

/*
 * Adds the properties, each a dictionary for qom-get:
 *   objects    live objects by kind, flow tables included; all 0 once a
 *              driver's state is gone
 *   counters   counters of the port and the vport
 */
void mlx5_introspect_class_init(ObjectClass *klass);

#endif
