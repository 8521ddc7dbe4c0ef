/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixtures for packet tests: a send queue, or a receive queue that gets all
 * packets, with their completion and event queues. Own only their objects in
 * the device.
 */
#ifndef TESTS_QTEST_MLX5_RIG_H
#define TESTS_QTEST_MLX5_RIG_H

#include "mlx5-drv.h"
#include "unit/frame.h"

/* Largest frame at the device's initial MTU. */
#define RIG_MAX_FRAME 1518

typedef struct TxRig {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
} TxRig;

/* Starts a device with a send queue of 2^@log_size blocks. */
static inline void tx_rig_with(TxRig *t, unsigned log_size, const char *props)
{
    t->d = drv_start_up(props);
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, log_size, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, log_size, &t->cq, drv_tis_create(t->d));
}

static inline void tx_rig(TxRig *t, unsigned log_size)
{
    tx_rig_with(t, log_size, "");
}

typedef struct RxRig {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    uint32_t counter;
    uint32_t tir;
    DrvSteering st;
    uint64_t buf; /* RX_RIG_BUF bytes for each WQE of the ring */
} RxRig;

#define RX_RIG_LOG 4
#define RX_RIG_BUF 2048

/*
 * Starts a device with a receive queue of 2^RX_RIG_LOG WQEs of one fragment,
 * none of them posted, that gets all frames.
 */
static inline void rx_rig(RxRig *r, const char *props, bool vlan_strip,
                          uint32_t flow_tag)
{
    r->d = drv_start_up(props);
    drv_eq_create(r->d, &r->eq, 6, 0, 0);
    drv_cq_create(r->d, &r->cq, RX_RIG_LOG + 2, r->eq.eqn);
    r->counter = drv_alloc(r->d, OP_ALLOC_Q_COUNTER);
    drv_rq_create(r->d, &r->rq, RX_RIG_LOG, 4, &r->cq, r->counter,
                  vlan_strip);
    r->tir = drv_tir_direct(r->d, r->rq.rqn);
    drv_steer_all(r->d, &r->st, r->tir, flow_tag);
    r->buf = drv_mem(r->d, RX_RIG_BUF << RX_RIG_LOG);
}

/* Returns the buffer of WQE @index. */
static inline uint64_t rx_rig_buf(const RxRig *r, unsigned index)
{
    return r->buf + (index & ((1u << RX_RIG_LOG) - 1)) * RX_RIG_BUF;
}

/* Posts @n more WQEs and tells the device. */
static inline void rx_rig_fill(RxRig *r, unsigned n)
{
    while (n--) {
        DrvSeg seg = {
            .addr = rx_rig_buf(r, r->rq.pc),
            .len = RX_RIG_BUF,
        };

        drv_rq_post(r->d, &r->rq, &seg, 1);
    }
    drv_rq_publish(r->d, &r->rq);
}

/* A TCP or UDP packet between two fixed hosts. */
static inline FrameSpec rig_spec(int ip, uint8_t proto, unsigned payload_len)
{
    static const uint8_t mac[6] = DRV_MAC;
    FrameSpec s = {
        .src_mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 },
        .ip = ip,
        .ttl = 64,
        .ip_id = 0xfffe,
        .proto = proto,
        .sport = 40000,
        .dport = 443,
        .seq = 0xfffff000,
        .ack = 0x12345678,
        .tcp_flags = 0x10,
        .payload_len = payload_len,
    };

    memcpy(s.dst_mac, mac, 6);
    memset(s.src_ip, 10, 16);
    memset(s.dst_ip, 20, 16);
    return s;
}

/* The next frame on the wire must be exactly this one. */
static inline void expect_frame(Drv *d, const uint8_t *frame, size_t len)
{
    uint8_t buf[DRV_MAX_FRAME];
    size_t n = drv_wire_recv(d, buf);

    g_assert_cmpmem(buf, n, frame, len);
}

#endif
