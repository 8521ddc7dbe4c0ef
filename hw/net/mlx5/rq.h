/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive queues: state, and the delivery of packets into WQEs. rq.c also has
 * the commands (driver: en_main.c).
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
    Mlx5Pd *pd; /* NULL for a drop queue */
    Mlx5QCounter *counter; /* may be NULL */
    uint64_t dbr_addr; /* the receive counter is at +0 */
    uint8_t state;
    bool vlan_strip;
    bool had_wqe; /* the driver has posted something since RST */
    bool gave_up; /* a held packet timed out: do not hold again */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* next WQE to fill */
    uint8_t rqc[240];
};

/*
 * Returns whether a WQE is posted for one more packet. May read the doorbell
 * record.
 */
bool mlx5_rq_has_wqe(Mlx5Rq *rq);
/*
 * Scatters one packet, @iov, into the next WQE and posts @cqe, which is
 * complete except for the queue's own fields.
 */
void mlx5_rq_deliver(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                     uint8_t *cqe);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_rq_destroy(void *obj);

#endif
