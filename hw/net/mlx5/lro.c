/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large receive offload; see lro.h.
 *
 * A batch is what arrives before the main loop gets to our bottom half: what a
 * backend delivers in one go, or the peer's run of sched.c. Then all is
 * delivered, in the order in which it began; no timer holds a packet. A packet
 * that is held has a WQE to go to (mlx5_lro_make_room()), and is delivered
 * before its queue changes or goes away (Mlx5Rq.flush).
 */
#include "qemu/osdep.h"
#include "engine/lro.h"
#include "eq.h"
#include "lro.h"
#include "mlx5.h"
#include "trace.h"
#include "wq.h"

/* Connections whose packets are held at once. */
#define SESSIONS 16

typedef struct Held {
    Mlx5Rq *rq;
    Mlx5LroSession s;
    uint8_t cqe[64]; /* of the first packet alone */
} Held;

struct Mlx5Lro {
    unsigned n;
    /* The first n are in use, oldest first. */
    Held *held[SESSIONS];
    Held all[SESSIONS];
    uint8_t buf[SESSIONS][MLX5_LRO_MAX_FRAME];
};

/* Removes number @i, and returns it until the next is opened. */
static Held *take(Mlx5Lro *lro, unsigned i)
{
    Held *h = lro->held[i];

    lro->n--;
    memmove(&lro->held[i], &lro->held[i + 1], (lro->n - i) * sizeof(h));
    lro->held[lro->n] = h;
    h->rq->held--;
    return h;
}

/* Makes the CQE that of the joined packet. */
static void joined_cqe(const Mlx5LroSession *s, uint8_t *cqe)
{
    Mlx5LroCqe l;

    mlx5_lro_cqe(s, &l);
    MLX5_SET(cqe, cqe, lro_num_seg, l.lro_num_seg);
    MLX5_SET(cqe, cqe, lro_tcppsh, l.lro_tcppsh);
    MLX5_SET(cqe, cqe, lro_min_ttl, l.lro_min_ttl);
    MLX5_SET(cqe, cqe, lro_tcp_win, l.lro_tcp_win);
    MLX5_SET(cqe, cqe, lro_ack_seq_num, l.lro_ack_seq_num);
    MLX5_SET(cqe, cqe, check_sum, l.check_sum);
}

static void deliver(Mlx5Lro *lro, unsigned i)
{
    Held *h = take(lro, i);
    Mlx5Function *fn = h->rq->obj.fn;
    Mlx5VportCounters *c = &fn->vport.counters;
    struct iovec iov[2];
    int iovcnt;

    if (h->rq->state != MLX5_Q_RDY) {
        c->rx_no_queue += h->s.segs; /* it has failed meanwhile */
        return;
    }
    if (h->s.segs > 1) {
        joined_cqe(&h->s, h->cqe);
        c->rx_lro_packets++;
        c->rx_lro_segments += h->s.segs;
        trace_mlx5_rx_lro(mlx5_id(fn), h->rq->obj.id, h->s.segs, h->s.len);
    }
    iovcnt = mlx5_rq_frame_iov(h->cqe, h->s.buf, h->s.len, iov);
    mlx5_rq_deliver(h->rq, iov, iovcnt, h->cqe);
    mlx5_notify_schedule(fn);
}

/* Mlx5Rq.flush */
static void flush_rq(Mlx5Rq *rq, bool to_queue)
{
    Mlx5Lro *lro = rq->obj.fn->port->lro;
    unsigned i = 0;

    while (rq->held) {
        if (lro->held[i]->rq != rq) {
            i++;
        } else if (to_queue) {
            deliver(lro, i);
        } else {
            take(lro, i);
        }
    }
}

void mlx5_lro_make_room_now(Mlx5Rq *rq)
{
    if (!mlx5_rq_has_wqes(rq, rq->held + 1)) {
        flush_rq(rq, true);
    }
}

/* What steering, RSS and VLAN say of both is the same. */
static bool same_cqe(const uint8_t *a, const uint8_t *b)
{
    enum {
        AT = MLX5_BIT_cqe_check_sum / 8,
        BEHIND = AT + MLX5_WIDTH_cqe_check_sum / 8,
    };

    return !memcmp(a, b, AT) && !memcmp(a + BEHIND, b + BEHIND, 64 - BEHIND);
}

/* Starts a session if another packet could join it. */
static bool hold(Mlx5Rq *rq, const Mlx5Tir *tir, const Mlx5Packet *pkt,
                 const uint8_t *frame, const uint8_t *cqe)
{
    Mlx5Port *port = rq->obj.fn->port;
    Mlx5LroLimits limits = {
        /* in units of 256 bytes */
        .max_ip_payload = MLX5_GET(tirc, tir->tirc,
                                   lro_max_ip_payload_size) << 8,
        .max_frame = MIN((uint64_t)rq->strides.n << rq->strides.log_size,
                         MLX5_LRO_MAX_FRAME),
    };
    Held *h;

    if (!mlx5_lro_may_open(pkt, &limits) ||
        !mlx5_rq_has_wqes(rq, rq->held + 1)) {
        return false;
    }
    if (!port->lro) {
        unsigned i;

        port->lro = g_new(Mlx5Lro, 1);
        port->lro->n = 0;
        for (i = 0; i < SESSIONS; i++) {
            port->lro->all[i].s.buf = port->lro->buf[i];
            port->lro->held[i] = &port->lro->all[i];
        }
    }
    if (port->lro->n == SESSIONS) {
        deliver(port->lro, 0);
    }
    h = port->lro->held[port->lro->n++];
    h->rq = rq;
    rq->held++;
    rq->flush = flush_rq;
    memcpy(h->cqe, cqe, sizeof(h->cqe));
    mlx5_lro_open(&h->s, pkt, frame, &limits);
    mlx5_wake(port->fn, MLX5_WAKE_LRO);
    return true;
}

bool mlx5_lro_receive_now(Mlx5Rq *rq, const Mlx5Tir *tir, const Mlx5Packet *pkt,
                          const uint8_t *frame, const uint8_t *cqe)
{
    Mlx5Lro *lro = rq->obj.fn->port->lro;
    bool candidate = tir->lro && rq->strides.n &&
                     mlx5_lro_candidate(pkt, frame, tir->lro);
    unsigned i;

    if (rq->held && pkt->is_frag) {
        flush_rq(rq, true); /* whose connection is it? */
    }
    if (rq->held && pkt->l4_type == MLX5_L4_TCP) {
        for (i = 0; i < lro->n; i++) {
            Held *h = lro->held[i];

            if (h->rq == rq && mlx5_lro_same_flow(&h->s, pkt, frame)) {
                Mlx5LroResult res = MLX5_LRO_REFUSED;

                if (candidate && same_cqe(h->cqe, cqe)) {
                    res = mlx5_lro_join(&h->s, pkt, frame);
                }
                if (res == MLX5_LRO_JOINED) {
                    return true;
                }
                deliver(lro, i);
                if (res == MLX5_LRO_ENDED) {
                    return true;
                }
                break;
            }
        }
    }
    if (rq->state != MLX5_Q_RDY) {
        /* What has just been delivered stopped the queue. */
        rq->obj.fn->vport.counters.rx_no_queue++;
        return true;
    }
    return candidate && hold(rq, tir, pkt, frame, cqe);
}

static void lro_bh(void *opaque)
{
    Mlx5Port *port = opaque;

    while (port->lro && port->lro->n) {
        deliver(port->lro, 0);
    }
}

uint64_t mlx5_lro_drop(Mlx5Port *port)
{
    uint64_t frames = 0;

    while (port->lro && port->lro->n) {
        frames += take(port->lro, 0)->s.segs;
    }
    return frames;
}

void mlx5_lro_init(Mlx5Port *port)
{
    mlx5_wake_add(port->fn, MLX5_WAKE_LRO, lro_bh, port);
}

void mlx5_lro_finalize(Mlx5Port *port)
{
    mlx5_wake_remove(port->fn, MLX5_WAKE_LRO);
    g_clear_pointer(&port->lro, g_free);
}
