/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wake-ups; see wake.h. */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "mlx5.h"
#include "wake.h"

void mlx5_wake_add(Mlx5Function *fn, Mlx5Wake who, void (*run)(void *opaque),
                   void *opaque)
{
    fn->wake[ctz32(who)] = mlx5_bh_new(&fn->dev->work, run, opaque);
}

void mlx5_wake_remove(Mlx5Function *fn, Mlx5Wake who)
{
    g_clear_pointer(&fn->wake[ctz32(who)], mlx5_bh_delete);
}

void mlx5_wake(Mlx5Function *fn, unsigned who)
{
    for (; who; who &= who - 1) {
        Mlx5Bh *bh = fn->wake[ctz32(who)];

        if (bh) {
            mlx5_bh_schedule(bh);
        }
    }
}

void mlx5_wake_cancel(Mlx5Function *fn, Mlx5Wake who)
{
    if (fn->wake[ctz32(who)]) {
        mlx5_bh_cancel(fn->wake[ctz32(who)]);
    }
}
