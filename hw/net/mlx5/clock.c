/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device's clock; see clock.h. */
#include "qemu/osdep.h"
#include "clock.h"

uint64_t mlx5_clock_ns(const Mlx5Function *fn)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - fn->clock_base_ns;
}

void mlx5_clock_reset(Mlx5Function *fn)
{
    fn->clock_base_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}
