/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace events of this folder, as QEMU's build makes them. */
#include "trace/trace-hw_net_mlx5.h"
