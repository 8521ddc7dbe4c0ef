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

/*
 * Striding queues: a WQE is a buffer of equal strides, and a packet takes as
 * many of them as it needs. WQEs are a linked list, from number 0 on.
 */
typedef struct Mlx5RqStrides {
    uint32_t n; /* strides of a WQE; 0: this is no striding queue */
    uint8_t log_size; /* of a stride */
    bool open; /* the members below describe a WQE, the one at cc */
    uint32_t used; /* of its strides */
    uint16_t wqe; /* its number, or that of the next one */
    uint16_t next; /* the number of the one behind it */
    uint32_t lkey;
    uint32_t byte_count;
    uint64_t addr;
} Mlx5RqStrides;

struct Mlx5Rq {
    Mlx5Object obj;
    Mlx5Ring ring; /* of WQEs */
    Mlx5RqStrides strides;
    /*
     * Neither cyclic nor striding: each WQE names the one behind it, and CQEs
     * name the WQE. This is the kind that FreeBSD's driver creates.
     */
    bool list;
    uint16_t list_wqe; /* number of the next WQE to fill; 0 is the first */
    Mlx5Cq *cq;
    Mlx5Pd *pd; /* NULL for a drop queue */
    Mlx5QCounter *counter; /* may be NULL */
    uint64_t dbr_addr; /* the receive counter is at +0 */
    uint8_t state;
    bool vlan_strip;
    bool had_wqe; /* the driver has posted something since RST */
    bool gave_up; /* a held packet timed out: do not hold again */
    unsigned held; /* packets on their way to it, being joined in lro.c */
    void (*flush)(Mlx5Rq *rq, bool deliver); /* delivers or drops them */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* next WQE to fill */
    uint8_t rqc[240];
};

/*
 * Returns whether there is room for one more packet, of @len bytes, in what is
 * posted. May read the doorbell record.
 */
bool mlx5_rq_has_room(Mlx5Rq *rq, size_t len);
/*
 * Returns whether @n WQEs are posted that nothing has been written to. May read
 * the doorbell record.
 */
bool mlx5_rq_has_wqes(Mlx5Rq *rq, unsigned n);
/*
 * The parts of a frame that go to memory: all of it, or what is left without
 * the tag that @cqe says is stripped. Returns their number.
 */
int mlx5_rq_frame_iov(const uint8_t *cqe, uint8_t *frame, size_t len,
                      struct iovec iov[2]);
/*
 * Scatters one packet, @iov, for which there is room, and posts @cqe, which is
 * complete except for the queue's own fields.
 */
void mlx5_rq_deliver(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                     uint8_t *cqe);
/*
 * Completes the next WQE, or the rest of the open one, with the error
 * @syndrome (MLX5_CQE_SYN_*), as if a packet could not be scattered.
 */
void mlx5_rq_fail(Mlx5Rq *rq, uint8_t syndrome);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_rq_destroy(void *obj);

#endif
