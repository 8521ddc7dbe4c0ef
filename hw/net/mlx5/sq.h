/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Send queues: state and doorbell. sq.c has the commands (driver: en_main.c),
 * sched.h schedules the queues, sq_cqe.h writes their completions.
 */
#ifndef HW_NET_MLX5_SQ_H
#define HW_NET_MLX5_SQ_H

#include "gate.h"
#include "object.h"
#include "ring.h"

struct Mlx5Sq {
    Mlx5Object obj;
    Mlx5Ring ring; /* of 64-byte blocks */
    Mlx5Uar *uar;  /* the UAR page of its doorbell */
    Mlx5Cq *cq;
    Mlx5Tis *tis; /* tis_num_0, may be NULL */
    Mlx5Pd *pd;
    uint64_t dbr_addr; /* of the whole record; the send counter is at +4 */
    uint8_t state;
    bool scheduled; /* in port->sqs */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* block index of the next WQE to execute */
    Mlx5SqHeld *held;  /* deferred work, NULL if none; see sq_cqe.h */
    Mlx5Waiter waiter; /* at the gates of held */
    uint8_t sqc[240];
};

/* Handles a doorbell; ignored unless @page is the queue's own UAR page. */
void mlx5_sq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t sqn);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_sq_destroy(void *obj);

#endif
