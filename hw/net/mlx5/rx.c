/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reception: takes a frame from the backend through parser, steering, TIR and
 * RSS to receive queues (driver: en_rx.c). Owns the port's rx_* members.
 *
 * Destinations, and whether every queue has room, are determined before any
 * state changes; only then is the frame delivered. If a running queue has no
 * WQE, the frame stays in the net layer (return 0): the driver is refilling,
 * and does not signal when it is done. Delivery is retried when a CQ is armed,
 * which NAPI does after refilling, and by a short timer; after rx-hold-ms the
 * frame is dropped and counted as out of buffer, which silicon does at once.
 */
#include "qemu/osdep.h"
#include "qemu/iov.h"
#include "engine/csum.h"
#include "engine/scratch.h"
#include "engine/steering_modify.h"
#include "eq.h"
#include "err.h"
#include "fault.h"
#include "flow.h"
#include "lro.h"
#include "object.h"
#include "port.h"
#include "rq.h"
#include "rx.h"
#include "tap.h"
#include "tir.h"
#include "tls.h"
#include "trace.h"
#include "tunnel.h"
#include "vport.h"
#include "wq.h"

#define HOLD_RETRY_NS (1 * SCALE_MS)
#define ETHERTYPE_CVLAN 0x8100
/* Flow table visits and group probes that cost as much as a frame. */
#define PROBES_PER_FRAME 32
/*
 * tirc.self_lb_block: the TIR accepts unicasts sent by its own transport
 * domain. Despite the name, drivers set the bit to allow this (driver:
 * en_common.c mlx5e_refresh_tirs, for the loopback test of ethtool).
 */
#define SELF_LB_UC 1

/* A frame, and the packet that it carries in a tunnel. */
typedef struct RxPacket {
    Mlx5Packet pkt;
    const Mlx5Packet *inner; /* NULL, or: */
    Mlx5Packet inner_pkt;
} RxPacket;

/* The destination of one copy of a frame. */
typedef struct RxTarget {
    Mlx5Tir *tir;
    Mlx5Rq *rq;
    Mlx5RssResult hash;
    const Mlx5SteeringTir *way; /* flow tag, and the packet as modified */
} RxTarget;

static void parse(const Mlx5Function *fn, const uint8_t *frame, size_t len,
                  RxPacket *p)
{
    mlx5_parse(frame, len, &p->pkt);
    p->inner = mlx5_tunnel_inner(fn, frame, &p->pkt, &p->inner_pkt);
}

static void check_csum(RxPacket *p, const uint8_t *frame)
{
    mlx5_packet_check_csum(&p->pkt, frame);
    if (p->inner) {
        mlx5_packet_check_csum(&p->inner_pkt, frame);
    }
}

/*
 * The frame as it arrives at the end of @way: @buf itself, or a copy with the
 * headers that flow entries have made, in the port's buffer. *@at_end is its
 * parse: @as_came, or *@copy.
 */
static uint8_t *rewritten(Mlx5Port *port, const Mlx5SteeringTir *way,
                          RxPacket *as_came, uint8_t *buf, RxPacket *copy,
                          RxPacket **at_end)
{
    if (!way->rewritten) {
        *at_end = as_came;
        return buf;
    }
    memcpy(port->rx_rewrite_buf, buf, as_came->pkt.len);
    mlx5_steering_rewrite(port->rx_rewrite_buf, &as_came->pkt, way->image);
    parse(port->fn, port->rx_rewrite_buf, as_came->pkt.len, copy);
    *at_end = copy;
    return port->rx_rewrite_buf;
}

/* The tag that @rq strips is not part of what it receives. */
static bool strips_tag(const Mlx5Rq *rq, const Mlx5Packet *pkt)
{
    return rq->vlan_strip && pkt->n_vlan &&
           pkt->vlan_tpid[0] == ETHERTYPE_CVLAN;
}

static bool has_room(Mlx5Rq *rq, const Mlx5Packet *pkt)
{
    mlx5_lro_make_room(rq);
    return mlx5_rq_has_room(rq, pkt->len - (strips_tag(rq, pkt) ?
                                            MLX5_VLAN_HLEN : 0));
}

static Mlx5Rq *tir_pick_rq(const Mlx5Tir *tir, uint32_t hash)
{
    if (tir->rq) {
        return tir->rq;
    }
    return tir->rqt->rqs[mlx5_rss_bucket(hash, tir->rqt->size)];
}

/*
 * Finds the running queues at the ends of a frame's paths. Does not count,
 * since a held frame is processed again. @own: sent by ourselves.
 */
static unsigned find_targets(Mlx5Function *fn, const Mlx5SteeringResult *way,
                             RxPacket *pkt, uint8_t *buf, bool own,
                             RxTarget target[MLX5_STEERING_MAX_TIRS])
{
    unsigned n = 0;
    uint32_t i;

    if (way->verdict != MLX5_STEERING_DELIVER) {
        return 0;
    }
    for (i = 0; i < way->n_tirs; i++) {
        RxTarget *t = &target[n];
        MLX5_SCRATCH RxPacket copy;
        RxPacket *at_end;
        uint8_t *frame;

        t->tir = mlx5_object_get(fn, MLX5_OBJ_TIR, way->tir[i].tirn);
        if (!t->tir || (own && !(MLX5_GET(tirc, t->tir->tirc, self_lb_block) &
                                 SELF_LB_UC))) {
            continue;
        }
        if (t->tir->rq && t->tir->rq->state != MLX5_Q_RDY) {
            continue;
        }
        t->way = &way->tir[i];
        frame = rewritten(fn->port, t->way, pkt, buf, &copy, &at_end);
        mlx5_tir_hash(t->tir, &at_end->pkt, at_end->inner, frame, &t->hash);
        t->rq = tir_pick_rq(t->tir, t->hash.rx_hash_result);
        if (t->rq->state == MLX5_Q_RDY) {
            n++;
        }
    }
    return n;
}

/* Counts the steering verdict for a frame; @n copies are delivered. */
static void count_way(Mlx5Function *fn, const Mlx5SteeringResult *way,
                      const Mlx5Packet *pkt, unsigned n)
{
    Mlx5VportCounters *c = &fn->vport.counters;
    uint32_t i;

    trace_mlx5_rx_steering(mlx5_id(fn), pkt->len, way->verdict, way->last_table,
                           way->last_index, way->n_tirs);
    for (i = 0; i < way->n_counters; i++) {
        mlx5_flow_count(fn, way->counter[i], pkt->len);
    }
    switch (way->verdict) {
    case MLX5_STEERING_DELIVER:
        c->rx_no_queue += way->n_tirs - n;
        break;
    case MLX5_STEERING_DROP_RULE:
        c->rx_steer_drop++;
        break;
    case MLX5_STEERING_DROP_LOOP:
        c->rx_steer_miss++; /* vnic_env counts it under cut */
        break;
    case MLX5_STEERING_DROP_PROBES:
        mlx5_err_rx_steering_costly(fn, pkt->len, way->visits, way->probes,
                                    way->last_table);
        c->rx_steer_costly++; /* counted in vnic_env too */
        break;
    default:
        c->rx_steer_miss++;
        fn->vnic_env.nic_receive_steering_discard++;
        break;
    }
}

/* ----------------------------------------------------------------- hold --- */

static void hold_end(Mlx5Port *port)
{
    if (port->rx_holding) {
        port->rx_holding = false;
        timer_del(port->rx_hold_timer);
    }
}

/* @rq has no WQE. Returns whether to hold the frame until it has one. */
static bool hold_for(Mlx5Port *port, Mlx5Rq *rq)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (port->dev->rx_no_buffer == MLX5_RX_DROP || !port->dev->rx_hold_ms ||
        !rq->had_wqe || rq->gave_up) {
        return false;
    }
    if (!port->rx_holding) {
        port->rx_holding = true;
        port->rx_hold_deadline_ns = now +
                                    port->dev->rx_hold_ms * (int64_t)SCALE_MS;
        trace_mlx5_rx_hold(mlx5_id(port->fn), rq->obj.id);
    } else if (now >= port->rx_hold_deadline_ns) {
        /* From now on drop at once, until the driver posts WQEs. */
        rq->gave_up = true;
        hold_end(port);
        return false;
    }
    port->counters.rx_held++;
    timer_mod(port->rx_hold_timer, now + HOLD_RETRY_NS);
    return true;
}

static void drop_out_of_buffer(Mlx5Rq *rq)
{
    Mlx5Function *fn = rq->obj.fn;

    trace_mlx5_rx_out_of_buffer(mlx5_id(fn), rq->obj.id);
    fn->vport.counters.rx_out_of_buffer++;
    if (rq->counter) {
        rq->counter->out_of_buffer++;
    }
}

static void rx_bh(void *opaque)
{
    Mlx5Port *port = opaque;

    qemu_flush_queued_packets(qemu_get_queue(port->nic));
}

static void rx_hold_timer(void *opaque)
{
    Mlx5Port *port = opaque;

    if (port->rx_holding) {
        mlx5_wake(port->fn, MLX5_WAKE_RX);
    }
}

/* ------------------------------------------------------------- delivery --- */

/*
 * What the CQE says of headers and checksums (driver: en_rx.c,
 * mlx5e_handle_csum). A TIR that looks into tunnels speaks of the inner packet,
 * and vouches for the checksums of both.
 */
static void headers_cqe(const Mlx5Tir *tir, const RxPacket *p,
                        const uint8_t *frame, uint8_t *cqe)
{
    const Mlx5Packet *pkt = &p->pkt;
    bool l3_ok = pkt->l3_ok, l4_ok = pkt->l4_ok;
    uint8_t types;

    if (p->inner && mlx5_tir_tunneled(tir)) {
        MLX5_SET(cqe, cqe, outer_l3_tunneled, 1);
        MLX5_SET(cqe, cqe, outer_l3_type, pkt->l3_type == MLX5_L3_IPV4);
        l4_ok = l3_ok && p->inner->l4_ok &&
                mlx5_packet_tunnel_csum_ok(pkt, frame);
        l3_ok = l3_ok && p->inner->l3_ok;
        pkt = p->inner;
    }
    types = mlx5_packet_cqe_hdr_type(pkt);
    MLX5_SET(cqe, cqe, l2_ok, 1);
    MLX5_SET(cqe, cqe, l3_ok, l3_ok);
    MLX5_SET(cqe, cqe, l4_ok, l4_ok);
    MLX5_SET(cqe, cqe, l3_hdr_type, types >> 2 & 3);
    MLX5_SET(cqe, cqe, l4_hdr_type, types >> 4 & 7);
}

/*
 * Tries the fault rules on a packet for @t. Returns whether one makes it fail,
 * as its queue then has. Only if fn->faults is set.
 */
static bool fails_by_fault(RxTarget *t)
{
    Mlx5Function *fn = t->rq->obj.fn;
    Mlx5FaultEvent e = mlx5_fault_event_of(MLX5_FAULT_ON_PACKET,
                                           MLX5_FAULT_PACKET);
    const Mlx5FaultWhat what = {
        .kind = "rq", .num = t->rq->obj.id, .at = t->rq->cc,
    };
    Mlx5FaultVerdict v;

    e.number[MLX5_FAULT_RQN] = t->rq->obj.id;
    e.number[MLX5_FAULT_TIRN] = t->tir->obj.id;
    mlx5_fault_event(fn->faults, &e, &what, &v);
    if (v.fail) {
        mlx5_rq_fail(t->rq, v.syndrome);
    }
    return v.fail;
}

/*
 * @buf is not modified; a TLS context decrypts its own copy in the port's
 * buffer.
 */
static void deliver(RxTarget *t, const RxPacket *p, uint8_t *buf)
{
    const Mlx5Packet *pkt = &p->pkt;
    const uint8_t *wire = buf;
    Mlx5Port *port = t->rq->obj.fn->port;
    Mlx5TlsReceived tls = { .flag = MLX5_TLS_FLAG_NOT_DECRYPTED };
    struct iovec iov[2];
    int iovcnt;
    uint8_t cqe[64] = { 0 };

    headers_cqe(t->tir, p, buf, cqe);
    if (mlx5_tls_wants(t->tir, pkt)) {
        memcpy(port->rx_buf, buf, pkt->len);
        buf = port->rx_buf;
        tls = mlx5_tls_receive(t->tir, pkt, buf);
    }
    MLX5_SET(cqe, cqe, tls_offload, tls.flag);
    if (strips_tag(t->rq, pkt)) {
        MLX5_SET(cqe, cqe, cv, 1);
        MLX5_SET(cqe, cqe, vlan_info, pkt->vlan_tci[0]);
        /* The sum skips 14 bytes: starting 4 later skips the tag too. */
        MLX5_SET(cqe, cqe, check_sum,
                 mlx5_csum_cqe_full(buf + MLX5_VLAN_HLEN,
                                    pkt->len - MLX5_VLAN_HLEN));
    } else {
        MLX5_SET(cqe, cqe, check_sum, mlx5_csum_cqe_full(buf, pkt->len));
    }
    MLX5_SET(cqe, cqe, rss_hash_result, t->hash.rx_hash_result);
    MLX5_SET(cqe, cqe, rss_hash_type, t->hash.rss_hash_type);
    MLX5_SET(cqe, cqe, flow_tag, t->way->flow_tag);
    MLX5_SET(cqe, cqe, ft_metadata, t->way->metadata);
    iovcnt = mlx5_rq_frame_iov(cqe, buf, pkt->len, iov);
    MLX5_TAP_RX_DELIVER(port->fn, .tir = t->tir, .pkt = pkt, .wire = wire,
                        .frame = buf, .iov = iov, .iovcnt = iovcnt, .cqe = cqe,
                        .tls = &tls);
    if ((!port->fn->faults || !fails_by_fault(t)) &&
        !mlx5_lro_receive(t->rq, t->tir, pkt, wire, cqe)) {
        mlx5_rq_deliver(t->rq, iov, iovcnt, cqe);
    }
    if (buf != wire) {
        mlx5_secret_erase(buf, pkt->len);
    }
    if (port->fn->faults) {
        mlx5_fault_packet(port->fn, t->tir->obj.id);
    }
}

static int cast_of(const Mlx5Packet *pkt)
{
    return pkt->is_broadcast ? MLX5_CAST_BROAD :
           pkt->is_multicast ? MLX5_CAST_MULTI : MLX5_CAST_UNI;
}

/* Delivers to all @n targets, and counts those without a WQE. */
static void deliver_all(Mlx5Function *fn, RxTarget *target, unsigned n,
                        RxPacket *pkt, uint8_t *buf)
{
    MLX5_SCRATCH RxPacket copy;
    RxPacket *at_end;
    unsigned i;

    if (n) {
        check_csum(pkt, buf);
    }
    for (i = 0; i < n; i++) {
        /*
         * The same queue may be listed twice and have had only one WQE, or have
         * failed meanwhile.
         */
        if (target[i].rq->state != MLX5_Q_RDY) {
            fn->vport.counters.rx_no_queue++;
        } else if (!has_room(target[i].rq, &pkt->pkt)) {
            drop_out_of_buffer(target[i].rq);
        } else if (target[i].way->rewritten) {
            uint8_t *frame = rewritten(fn->port, target[i].way, pkt, buf,
                                       &copy, &at_end);

            check_csum(at_end, frame);
            deliver(&target[i], at_end, frame);
        } else {
            deliver(&target[i], pkt, buf);
        }
    }
    mlx5_notify_schedule(fn);
}

bool mlx5_rx_loop_back(Mlx5Port *port, const struct iovec *iov, int iovcnt)
{
    size_t len = iov_size(iov, iovcnt);
    uint8_t *buf = g_malloc(len);
    MLX5_SCRATCH RxTarget target[MLX5_STEERING_MAX_TIRS];
    Mlx5Function *fn = port->fn;
    MLX5_SCRATCH Mlx5SteeringResult way;
    MLX5_SCRATCH RxPacket pkt;
    unsigned n;

    iov_to_buf(iov, iovcnt, 0, buf, len);
    parse(fn, buf, len, &pkt);
    mlx5_steering_lookup_inner(fn->steering, &pkt.pkt, pkt.inner, buf, &way);
    fn->vnic_env.generated_pkt_steering_fail += way.cut;
    n = find_targets(fn, &way, &pkt, buf, true, target);
    /* This runs inside a send and is charged to it. */
    port->tx_budget -= (way.visits + way.probes) / PROBES_PER_FRAME;
    mlx5_tx_charge(port, way.n_tirs * (KiB + len), 0);
    if (n) {
        trace_mlx5_rx_loop_back(mlx5_id(fn), len, n);
        mlx5_count(&fn->vport.counters.rx[MLX5_CAST_UNI], len);
        count_way(fn, &way, &pkt.pkt, n);
        deliver_all(fn, target, n, &pkt, buf);
    }
    mlx5_secret_free(buf, len);
    return n > 0;
}

ssize_t mlx5_rx_receive(Mlx5Port *port, const uint8_t *buf, size_t size)
{
    Mlx5Function *fn = port->fn;
    MLX5_SCRATCH RxTarget target[MLX5_STEERING_MAX_TIRS];
    MLX5_SCRATCH Mlx5SteeringResult way;
    MLX5_SCRATCH RxPacket pkt;
    unsigned n, i;

    if (fn->asleep) {
        port->counters.rx_asleep++;
        hold_end(port);
        return size;
    }
    if (fn->hca != MLX5_HCA_INITIALIZED) {
        port->counters.rx_no_driver++;
        hold_end(port);
        return size;
    }
    if (!mlx5_port_accept_rx(port, size)) {
        hold_end(port);
        return size;
    }
    parse(fn, buf, size, &pkt);
    if (pkt.pkt.ethertype == MLX5_ETH_P_MAC_CONTROL && !pkt.pkt.n_vlan &&
        mlx5_port_pause(port, buf, size,
                        mlx5_vport_is_own(&fn->vport, buf))) {
        hold_end(port);
        return size;
    }
    mlx5_steering_lookup_inner(fn->steering, &pkt.pkt, pkt.inner, buf, &way);
    n = find_targets(fn, &way, &pkt, (uint8_t *)buf, false, target);
    for (i = 0; i < n; i++) {
        if (!has_room(target[i].rq, &pkt.pkt) &&
            hold_for(port, target[i].rq)) {
            return 0;
        }
    }
    hold_end(port);
    mlx5_tap_rx_frame(fn, buf, size);
    mlx5_port_count_rx(port, buf, size, cast_of(&pkt.pkt));
    fn->vnic_env.handled_pkt_steering_fail += way.cut;
    count_way(fn, &way, &pkt.pkt, n);
    deliver_all(fn, target, n, &pkt, (uint8_t *)buf);
    mlx5_tap_rx_over(fn, way.verdict, n);
    return size;
}

void mlx5_rx_init(Mlx5Port *port)
{
    port->rx_buf = g_malloc(MLX5_MAX_FRAME);
    port->rx_rewrite_buf = g_malloc(MLX5_MAX_FRAME);
    mlx5_lro_init(port);
    port->rx_hold_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, rx_hold_timer, port);
    mlx5_wake_add(port->fn, MLX5_WAKE_RX, rx_bh, port);
}

/* A held frame is released, since no queue is left. */
void mlx5_rx_reset(Mlx5Port *port)
{
    if (port->rx_holding) {
        hold_end(port);
        mlx5_wake(port->fn, MLX5_WAKE_RX);
    }
}

void mlx5_rx_finalize(Mlx5Port *port)
{
    mlx5_wake_remove(port->fn, MLX5_WAKE_RX);
    mlx5_lro_finalize(port);
    g_clear_pointer(&port->rx_hold_timer, timer_free);
    mlx5_secret_free(port->rx_buf, MLX5_MAX_FRAME);
    port->rx_buf = NULL;
    g_clear_pointer(&port->rx_rewrite_buf, g_free); /* as on the wire */
}
