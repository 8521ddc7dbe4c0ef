/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Teardown during work. The guest chooses address and data of an interrupt
 * message, so the message may reset or eject the device. So may a receiver of
 * our frames, or an IOMMU that reports our access by a message of its own. One
 * rule makes this safe:
 *
 *   No object is freed while device code is on the stack. A reset or unplug
 *   requested from inside is carried out at the end of the outermost piece of
 *   work; until then nothing more is read, written, sent or signalled.
 *
 * Every entry point from which device code can call out again is a piece of
 * work: bottom halves by being an Mlx5Bh, register writes and received packets
 * through mlx5_work_begin() and mlx5_work_end(). Owns only Mlx5Work.
 */
#ifndef HW_NET_MLX5_WORK_H
#define HW_NET_MLX5_WORK_H

#include "hw/pci/pci_device.h"

typedef enum Mlx5Leave {
    MLX5_LEAVE_NOT,
    MLX5_LEAVE_RESET, /* frees the driver's objects */
    MLX5_LEAVE_EXIT,  /* the device too: PCI function and port go away */
} Mlx5Leave;

typedef void Mlx5LeaveFunc(DeviceState *dev, Mlx5Leave how);

typedef struct Mlx5Work {
    DeviceState *dev;
    Mlx5LeaveFunc *leave;
    unsigned depth;    /* pieces of work on the stack */
    Mlx5Leave pending; /* requested teardown; MLX5_LEAVE_EXIT is final */
} Mlx5Work;

/* @leave does the teardown; it is never called during work. */
void mlx5_work_init(Mlx5Work *work, DeviceState *dev, Mlx5LeaveFunc *leave);
void mlx5_work_begin(Mlx5Work *work);
/* Carries out a requested reset at the end of the outermost piece of work. */
void mlx5_work_end(Mlx5Work *work);
/*
 * Requests a reset or unplug: done at once if no work is running, else
 * deferred. A deferred unplug runs from the main loop; the device's memory is
 * kept until then.
 */
void mlx5_work_leave(Mlx5Work *work, Mlx5Leave how);
/*
 * Returns whether a teardown is pending. If so, loops must end, with no more
 * input or output.
 */
static inline bool mlx5_work_stop(const Mlx5Work *work)
{
    return work->pending != MLX5_LEAVE_NOT;
}
/* Returns whether the device has been unplugged. */
static inline bool mlx5_work_gone(const Mlx5Work *work)
{
    return work->pending == MLX5_LEAVE_EXIT;
}

/*
 * A bottom half of the device; @run is a piece of work. It never runs inside
 * another one, not even when QEMU runs its main loop in a nested call.
 */
typedef struct Mlx5Bh Mlx5Bh;
Mlx5Bh *mlx5_bh_new(Mlx5Work *work, void (*run)(void *opaque), void *opaque);
void mlx5_bh_schedule(Mlx5Bh *bh);
void mlx5_bh_cancel(Mlx5Bh *bh);
/* NULL is allowed. */
void mlx5_bh_delete(Mlx5Bh *bh);

#endif
