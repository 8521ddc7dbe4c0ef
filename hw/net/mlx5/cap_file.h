/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capabilities by name, cap_file.c: the file of the property "caps", which sets
 * any of them to what the device can honour, and the QOM property that shows
 * all. Owns no state: the pages are those of caps.h.
 */
#ifndef HW_NET_MLX5_CAP_FILE_H
#define HW_NET_MLX5_CAP_FILE_H

#include "mlx5.h"

/*
 * Changes the maximum pages as the file dev->caps_file says; without one,
 * nothing. The pages must have what profile and other properties say. Returns
 * false and a message with file and line if a line is wrong, or asks for what
 * the device cannot honour.
 */
bool mlx5_cap_file_load(Mlx5Function *fn, Error **errp);
void mlx5_cap_file_class_init(ObjectClass *klass);

#endif
