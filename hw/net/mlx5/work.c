/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Teardown during work; see work.h. */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "mlx5.h"
#include "work.h"

struct Mlx5Bh {
    Mlx5Work *work;
    QEMUBH *bh;
    void (*run)(void *opaque);
    void *opaque;
};

void mlx5_work_init(Mlx5Work *work, DeviceState *dev, Mlx5LeaveFunc *leave)
{
    *work = (Mlx5Work) { .dev = dev, .leave = leave };
}

/*
 * A teardown is itself a piece of work: requests from inside are handled after
 * it.
 */
static void leave_now(Mlx5Work *work, Mlx5Leave how)
{
    /*
     * The rule itself: no other device code is on the stack. What a broken rule
     * frees under that code need not be touched again in every case, and then
     * neither a sanitizer nor a test would see it.
     */
    assert(work->depth == 1);
    if (how == MLX5_LEAVE_RESET) {
        work->pending = MLX5_LEAVE_NOT;
    }
    work->leave(work->dev, how);
}

void mlx5_work_begin(Mlx5Work *work)
{
    work->depth++;
}

void mlx5_work_end(Mlx5Work *work)
{
    while (work->depth == 1 && work->pending == MLX5_LEAVE_RESET) {
        leave_now(work, MLX5_LEAVE_RESET);
    }
    work->depth--;
}

/*
 * QEMU still uses the device after our code returns (its reentrancy guard, the
 * network client being delivered to), so an unplug from inside is deferred to
 * the main loop, at its outermost level.
 */
static void exit_bh(void *opaque)
{
    Mlx5Work *work = opaque;

    if (work->depth) {
        aio_bh_schedule_oneshot(qemu_get_aio_context(), exit_bh, work);
        return;
    }
    work->depth++;
    leave_now(work, MLX5_LEAVE_EXIT);
    work->depth--;
    object_unref(OBJECT(work->dev));
}

void mlx5_work_leave(Mlx5Work *work, Mlx5Leave how)
{
    if (how <= work->pending) {
        return;
    }
    work->pending = how;
    if (!work->depth) {
        work->depth++;
        leave_now(work, how);
        mlx5_work_end(work);
    } else if (how == MLX5_LEAVE_EXIT) {
        object_ref(OBJECT(work->dev));
        aio_bh_schedule_oneshot(qemu_get_aio_context(), exit_bh, work);
    }
}

static void bh_run(void *opaque)
{
    Mlx5Bh *bh = opaque;
    Mlx5Work *work = bh->work;

    if (work->depth) {
        qemu_bh_schedule(bh->bh);
        return;
    }
    mlx5_work_begin(work);
    bh->run(bh->opaque);
    mlx5_work_end(work);
}

Mlx5Bh *mlx5_bh_new(Mlx5Work *work, void (*run)(void *opaque), void *opaque)
{
    Mlx5Bh *bh = g_new0(Mlx5Bh, 1);

    bh->work = work;
    bh->run = run;
    bh->opaque = opaque;
    bh->bh = qemu_bh_new_guarded(bh_run, bh,
                                 &work->dev->mem_reentrancy_guard);
    return bh;
}

void mlx5_bh_schedule(Mlx5Bh *bh)
{
    qemu_bh_schedule(bh->bh);
}

void mlx5_bh_cancel(Mlx5Bh *bh)
{
    qemu_bh_cancel(bh->bh);
}

void mlx5_bh_delete(Mlx5Bh *bh)
{
    if (bh) {
        qemu_bh_delete(bh->bh);
        g_free(bh);
    }
}
