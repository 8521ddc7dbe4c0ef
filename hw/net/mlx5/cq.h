/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completion queues (driver: core/cq.c, en_txrx.c): state, posting of CQEs. */
#ifndef HW_NET_MLX5_CQ_H
#define HW_NET_MLX5_CQ_H

#include "object.h"
#include "ring.h"

typedef struct Mlx5CqComp Mlx5CqComp; /* cq_comp.c */

struct Mlx5Cq {
    Mlx5Object obj;
    Mlx5Ring ring;
    Mlx5Uar *uar; /* the UAR page of its doorbells */
    Mlx5Eq *eq;
    uint64_t dbr_addr;
    uint32_t pi; /* next entry to write, not wrapped */
    uint32_t ci; /* the driver's counter as last read, 24 bits */
    bool armed;
    bool solicited_only;
    bool dirty; /* in fn->dirty_cqs */
    bool error; /* overrun: no more CQEs are written */
    Mlx5CqComp *comp; /* CQEs to be compressed; NULL without cqe_comp_en */
    uint8_t cqc[64];
};

/* CQE opcodes, op_own[7:4] */
enum {
    MLX5_CQE_REQ = 0x0,
    MLX5_CQE_RESP_SEND = 0x2,
    MLX5_CQE_REQ_ERR = 0xd,
    MLX5_CQE_RESP_ERR = 0xe,
};
/* Error syndromes in a CQE. */
enum {
    MLX5_CQE_SYN_LOCAL_LENGTH = 0x01,
    MLX5_CQE_SYN_LOCAL_QP_OP = 0x02,
    MLX5_CQE_SYN_LOCAL_PROT = 0x04,
    MLX5_CQE_SYN_WR_FLUSH = 0x05,
    MLX5_CQE_SYN_MW_BIND = 0x06, /* a memory key that cannot be changed so */
};
/*
 * Posts @cqe (64 bytes, all but the owner bit filled in). Returns false when
 * the CQ is full: a CQ_ERROR event has been raised and the CQE is lost. A CQ
 * with compression may hold it until mlx5_cq_flush().
 */
bool mlx5_cq_post(Mlx5Cq *cq, uint8_t *cqe);
/*
 * Handles a doorbell, which arms the queue. Ignored unless @page is the queue's
 * own UAR page. @arm holds the driver's counter (24 bits) and whether to signal
 * only solicited completions.
 */
void mlx5_cq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t cqn,
                      uint32_t arm);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_cq_destroy(void *obj);

#endif
