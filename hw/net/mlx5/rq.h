/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive queues: their state, and filling a WQE with a packet. rq.c has the
 * commands (driver: en_main.c), too.
 */
#ifndef HW_NET_MLX5_RQ_H
#define HW_NET_MLX5_RQ_H

#include "object.h"
#include "ring.h"
#include "vport.h"

struct Mlx5Rq {
    Mlx5Object obj;
    Mlx5Ring ring; /* of WQEs */
    Mlx5Cq *cq;
    Mlx5Pd *pd; /* NULL for a queue that only drops */
    Mlx5QCounter *counter; /* may be NULL */
    uint64_t dbr_addr; /* the receive counter is at +0 */
    uint8_t state;
    bool vlan_strip;
    bool had_wqe; /* the driver has posted something since RST */
    bool gave_up; /* a packet was held for it in vain: do not wait again */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* next WQE to fill */
    uint8_t rqc[240];
};

/* Is a WQE posted for one more packet? May read the doorbell record. */
bool mlx5_rq_has_wqe(Mlx5Rq *rq);
/*
 * Scatters the @iov of one packet into the next WQE and posts @cqe, which is
 * complete but for the queue's own fields.
 */
void mlx5_rq_deliver(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                     uint8_t *cqe);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_rq_destroy(void *obj);

#endif
