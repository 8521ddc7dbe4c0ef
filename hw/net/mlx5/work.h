/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Teardown during work. An interrupt message is a write of the guest's choice
 * to an address of the guest's choice: it may reset or eject the device. So may
 * a receiver of our frames, and an IOMMU that reports our access by a message
 * of its own. One rule keeps that harmless:
 *
 *   No object is freed while device code is on the stack. A reset or end
 *   requested from inside is carried out at the end of the outermost work;
 *   until then nothing more is read, written, sent or signalled.
 *
 * Every way into the device that can call out of it again is a piece of work:
 * bottom halves by being an Mlx5Bh, register writes and received packets by
 * mlx5_work_begin() and mlx5_work_end(). Owns nothing but what is in Mlx5Work.
 */
#ifndef HW_NET_MLX5_WORK_H
#define HW_NET_MLX5_WORK_H

#include "hw/pci/pci_device.h"

typedef enum Mlx5Leave {
    MLX5_LEAVE_NOT,
    MLX5_LEAVE_RESET, /* what the driver created is freed */
    MLX5_LEAVE_EXIT,  /* and the device too: PCI function and wire are gone */
} Mlx5Leave;

typedef void Mlx5LeaveFunc(DeviceState *dev, Mlx5Leave how);

typedef struct Mlx5Work {
    DeviceState *dev;
    Mlx5LeaveFunc *leave;
    unsigned depth;    /* pieces of work on the stack */
    Mlx5Leave pending; /* requested; MLX5_LEAVE_EXIT stays forever */
} Mlx5Work;

/* @leave does the teardown; it is never called during work. */
void mlx5_work_init(Mlx5Work *work, DeviceState *dev, Mlx5LeaveFunc *leave);
void mlx5_work_begin(Mlx5Work *work);
/* At the end of the outermost work, carries out a requested reset. */
void mlx5_work_end(Mlx5Work *work);
/*
 * Requests a reset or the end: now if no work is running, else later. A
 * deferred end runs from the main loop, and keeps the device's memory until
 * then.
 */
void mlx5_work_leave(Mlx5Work *work, Mlx5Leave how);
/* Is a teardown pending? Then loops end, and nothing goes in or out. */
static inline bool mlx5_work_stop(const Mlx5Work *work)
{
    return work->pending != MLX5_LEAVE_NOT;
}
/* Has the device been unplugged? */
static inline bool mlx5_work_gone(const Mlx5Work *work)
{
    return work->pending == MLX5_LEAVE_EXIT;
}

/*
 * A bottom half of the device: @run is a piece of work. It never runs inside
 * another piece, not even where QEMU runs its main loop from within a call.
 */
typedef struct Mlx5Bh Mlx5Bh;
Mlx5Bh *mlx5_bh_new(Mlx5Work *work, void (*run)(void *opaque), void *opaque);
void mlx5_bh_schedule(Mlx5Bh *bh);
void mlx5_bh_cancel(Mlx5Bh *bh);
/* NULL is allowed. */
void mlx5_bh_delete(Mlx5Bh *bh);

#endif
