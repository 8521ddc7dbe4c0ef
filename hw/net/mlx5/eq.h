/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Event queues (driver: core/eq.c): state, posting of events, and the
 * signalling of both CQEs and EQEs. eq.c owns the queues not yet signalled,
 * fn->dirty_cqs and fn->dirty_eqs.
 */
#ifndef HW_NET_MLX5_EQ_H
#define HW_NET_MLX5_EQ_H

#include "object.h"
#include "ring.h"

struct Mlx5Eq {
    Mlx5Object obj;
    Mlx5Ring ring;
    Mlx5Uar *uar; /* the UAR page of its doorbells */
    uint64_t event_bitmask[4];
    uint32_t pi; /* next entry to write, not wrapped */
    uint32_t ci; /* as last written by the driver, 24 bits */
    uint16_t intr;
    bool armed;
    bool dirty; /* in fn->dirty_eqs */
    uint8_t eqc[64];
};

/* Event types (PRM: eqe.event_type). */
enum {
    MLX5_EVENT_COMP = 0x00,
    MLX5_EVENT_CQ_ERROR = 0x04,
    MLX5_EVENT_WQ_CATAS_ERROR = 0x05,
    MLX5_EVENT_PORT_CHANGE = 0x09,
    MLX5_EVENT_CMD = 0x0a,
    MLX5_EVENT_PAGE_REQUEST = 0x0b,
};

/*
 * Posts event @type to each EQ whose bitmask selects it. @eqe is 64 bytes with
 * the event data filled in, from byte 0x20.
 */
void mlx5_event(Mlx5Function *fn, uint8_t type, uint8_t sub_type,
                uint8_t *eqe);
/* Returns whether any EQ's bitmask selects event @type. */
bool mlx5_event_wanted(Mlx5Function *fn, uint8_t type);
/* Posts a completion event for CQ @cqn; lost and counted if the EQ is full. */
void mlx5_eq_comp(Mlx5Eq *eq, uint32_t cqn);
/*
 * Handles a doorbell; ignored unless @page is the queue's own UAR page. @ci is
 * the new consumer counter, 24 bits; @arm requests an interrupt for the next
 * event.
 */
void mlx5_eq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t eqn,
                      uint32_t ci, bool arm);

/*
 * Signals posted CQEs (one EQE per armed CQ) and EQEs (one MSI-X message per
 * vector of armed EQs). _schedule does it in a bottom half, so that a burst
 * raises one interrupt; _flush does it now and must be the last step of a piece
 * of work, since an interrupt message may trigger anything (work.h).
 */
void mlx5_notify_schedule(Mlx5Function *fn);
void mlx5_notify_flush(Mlx5Function *fn);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_eq_destroy(void *obj);

#endif
