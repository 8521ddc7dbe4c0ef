/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The scheduler of the send queues: takes WQEs from each queue in turn and
 * executes them through wqe.c (driver: en_tx.c, en/reporter_tx.c). Owns
 * port->sqs and the bottom half of MLX5_WAKE_TX. sq_cqe.c handles completions.
 *
 * WQEs of a queue are executed and completed in order. A queue runs until it is
 * empty or its budget is used up; when the backend is full, everything stops,
 * and tx_bh continues from there.
 */
#include "qemu/osdep.h"
#include "cq.h"
#include "dma.h"
#include "eq.h"
#include "err.h"
#include "line.h"
#include "ring.h"
#include "sched.h"
#include "sq.h"
#include "sq_cqe.h"
#include "tap.h"
#include "trace.h"
#include "tx.h"
#include "wq.h"

#define SND_DBR_OFFSET 4
/*
 * WQEs executed or flushed per turn of a queue; turns per bottom half; and
 * frames, or work of equal cost (mlx5_tx_charge()), per bottom half.
 */
#define SQ_BUDGET 64
#define TX_TURNS 16
#define TX_FRAMES 1024

typedef enum SqTurn {
    SQ_IDLE,    /* idle until the next doorbell */
    SQ_MORE,    /* its budget is used up */
    SQ_BLOCKED, /* the backend is full */
    SQ_STOPPED, /* a reset is pending, or the device is gone: see work.h */
} SqTurn;

/* ------------------------------------------------------------ execution --- */

/* Completes the WQE at cc, with a CQE if requested, and advances. */
static void sq_complete(Mlx5Sq *sq, const Mlx5Wqe *wqe)
{
    if (wqe->ce) {
        mlx5_sq_cqe(sq, wqe, MLX5_CQE_REQ);
    }
    sq->cc += wqe->bbs;
}

/*
 * Completes the WQE at cc in error and stops the queue; sq_flush() flushes the
 * WQEs posted after it.
 */
static void sq_error(Mlx5Sq *sq, const Mlx5Wqe *wqe)
{
    bool asked_for = wqe->fault.hits && wqe->fault.fail;
    Mlx5Function *fn = sq->obj.fn;

    mlx5_err_sq(fn, asked_for ? 0 : LOG_GUEST_ERROR, sq->obj.id, sq->cc,
                wqe->opcode, wqe->syndrome);
    fn->vport.counters.tx_wqe_error++;
    fn->vnic_env.total_error_queues++;
    mlx5_sq_cqe(sq, wqe, MLX5_CQE_REQ_ERR);
    sq->cc += wqe->bbs;
    sq->state = MLX5_Q_ERR;
}

/* Reads the driver's producer counter. */
static void sq_read_dbr(Mlx5Sq *sq)
{
    Mlx5Function *fn = sq->obj.fn;
    uint32_t pc;

    if (!mlx5_dma_read_dbr(fn, sq->dbr_addr + SND_DBR_OFFSET, &pc)) {
        return;
    }
    if ((uint16_t)(pc - sq->cc) > mlx5_ring_size(&sq->ring)) {
        mlx5_err_wq_overrun(fn, "sq", sq->obj.id, sq->cc, pc);
        return;
    }
    sq->pc = pc;
}

/*
 * Flushes a queue in error: completes posted WQEs without executing them,
 * within the same budget. Returns false if some are left.
 */
static bool sq_flush(Mlx5Sq *sq)
{
    Mlx5Port *port = sq->obj.fn->port;
    Mlx5Wqe *wqe = &port->wqe;
    unsigned budget = SQ_BUDGET;

    /*
     * Include WQEs posted while the queue was not scheduled; their doorbells
     * have been consumed.
     */
    sq_read_dbr(sq);
    while (sq->cc != sq->pc) {
        if (sq->held && mlx5_sq_held_full(sq)) {
            return true;
        }
        if (!budget-- || port->tx_budget <= 0) {
            return false;
        }
        port->tx_budget--;
        if (!mlx5_wqe_peek(wqe, sq)) {
            return true;
        }
        wqe->syndrome = MLX5_CQE_SYN_WR_FLUSH;
        mlx5_sq_cqe(sq, wqe, MLX5_CQE_REQ_ERR);
        sq->cc += wqe->bbs;
    }
    return true;
}

static SqTurn sq_turn(Mlx5Sq *sq)
{
    Mlx5Port *port = sq->obj.fn->port;
    Mlx5Wqe *wqe = &port->wqe;
    unsigned budget = SQ_BUDGET;
    Mlx5TxResult res;

    for (;;) {
        if (port->tx.sq == sq) {
            res = mlx5_tx_continue(port, wqe);
        } else {
            if (sq->state == MLX5_Q_RST || /* its record may be stale */
                (sq->held && mlx5_sq_held_full(sq))) {
                return SQ_IDLE;
            }
            if (sq->cc == sq->pc) {
                sq_read_dbr(sq);
            }
            if (sq->state == MLX5_Q_ERR &&
                MLX5_GET(sqc, sq->sqc, flush_in_error_en) && !sq_flush(sq)) {
                return SQ_MORE;
            }
            if (sq->state != MLX5_Q_RDY || sq->cc == sq->pc) {
                return SQ_IDLE;
            }
            if (!budget-- || port->tx_budget <= 0) {
                return SQ_MORE;
            }
            if (!mlx5_wqe_fetch(wqe, sq)) {
                sq_error(sq, wqe);
                mlx5_tx_wqe_over(port);
                continue;
            }
            trace_mlx5_sq_wqe(mlx5_id(sq->obj.fn), sq->obj.id, sq->cc,
                              wqe->opcode, wqe->ds, wqe->ce);
            res = mlx5_wqe_execute(sq, wqe);
        }
        if (mlx5_work_stop(&port->dev->work)) {
            return SQ_STOPPED; /* all of it is erased with the function */
        }
        if (port->fn->asleep && res == MLX5_TX_DONE) {
            /* A frame sent has put us into D3hot: the CQE waits for D0. */
            port->tx.sq = sq;
            port->tx.left = MLX5_TX_LAST_FRAME;
            return SQ_MORE;
        }
        if (res != MLX5_TX_BLOCKED && res != MLX5_TX_MORE) {
            mlx5_tx_wqe_over(port);
        }
        switch (res) {
        case MLX5_TX_BLOCKED:
            return SQ_BLOCKED;
        case MLX5_TX_MORE:
            return SQ_MORE;
        case MLX5_TX_WAIT:
            return SQ_IDLE;
        case MLX5_TX_ERROR:
            sq_error(sq, wqe);
            break;
        case MLX5_TX_DONE:
            sq_complete(sq, wqe);
            break;
        }
    }
}

/* ------------------------------------------------------------ scheduler --- */

static void tx_bh(void *opaque)
{
    Mlx5Port *port = opaque;
    unsigned turns = TX_TURNS;
    Mlx5Sq *sq;

    if (port->fn->asleep) {
        return;
    }
    port->tx_budget = TX_FRAMES;
    while (!port->tx_wait && !port->fn->asleep && turns-- &&
           port->tx_budget > 0 &&
           (sq = g_queue_pop_head(&port->sqs))) {
        switch (sq_turn(sq)) {
        case SQ_IDLE:
            sq->scheduled = false;
            break;
        case SQ_MORE:
            /* With a partly sent packet it must run next again. */
            if (port->tx.sq == sq) {
                g_queue_push_head(&port->sqs, sq);
            } else {
                g_queue_push_tail(&port->sqs, sq);
            }
            break;
        case SQ_BLOCKED:
            g_queue_push_head(&port->sqs, sq);
            break;
        case SQ_STOPPED:
            g_queue_push_head(&port->sqs, sq);
            return;
        }
    }
    if (g_queue_is_empty(&port->sqs)) {
        mlx5_line_idle(port);
    } else if (!port->tx_wait) {
        mlx5_wake(port->fn, MLX5_WAKE_TX);
    }
    mlx5_notify_flush(port->fn);
}

void mlx5_sched_queue(Mlx5Sq *sq)
{
    Mlx5Port *port = sq->obj.fn->port;

    if (!sq->scheduled) {
        sq->scheduled = true;
        g_queue_push_tail(&port->sqs, sq);
    }
    mlx5_wake(port->fn, MLX5_WAKE_TX);
}

/*
 * A gate has opened: writes held CQEs, then continues the queue itself if it
 * was waiting.
 */
static bool sq_go_on(Mlx5Waiter *waiter, unsigned *budget)
{
    Mlx5Sq *sq = container_of(waiter, Mlx5Sq, waiter);

    if (!sq->held) {
        return true;
    }
    if (!mlx5_sq_held_drain(sq, budget)) {
        return false;
    }
    /* It may have stopped for a gate or because held CQEs filled the ring. */
    mlx5_sched_queue(sq);
    mlx5_sq_held_tidy(sq);
    return true;
}

void mlx5_sched_forget(Mlx5Sq *sq)
{
    Mlx5Port *port = sq->obj.fn->port;

    if (sq->scheduled) {
        g_queue_remove(&port->sqs, sq);
        sq->scheduled = false;
    }
    if (port->tx.sq == sq) {
        /* The rest of its packet is lost, like that of a TSO burst. */
        port->tx.sq = NULL;
        mlx5_tx_erase(port);
    }
    if (sq->held) {
        mlx5_sq_held_forget(sq);
    }
    mlx5_tap_sq_gone(sq->obj.fn, sq);
}

void mlx5_sched_join(Mlx5Sq *sq)
{
    sq->waiter.go_on = sq_go_on;
}

void mlx5_sched_init(Mlx5Port *port)
{
    g_queue_init(&port->sqs);
    mlx5_wake_add(port->fn, MLX5_WAKE_TX, tx_bh, port);
}

void mlx5_sched_reset(Mlx5Port *port)
{
    mlx5_wake_cancel(port->fn, MLX5_WAKE_TX);
    g_queue_clear(&port->sqs);
    port->tx.sq = NULL;
}

void mlx5_sched_finalize(Mlx5Port *port)
{
    mlx5_wake_remove(port->fn, MLX5_WAKE_TX);
}
