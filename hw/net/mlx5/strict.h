/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * strict=on: the device has what it does checked, by engine/tls_strict.h. See
 * strict.c. All of these may be called only while fn->strict is not NULL,
 * except where it says otherwise.
 */
#ifndef HW_NET_MLX5_STRICT_H
#define HW_NET_MLX5_STRICT_H

#include "engine/tls_strict.h"
#include "mlx5.h"

/* The properties strict and strict-violations. */
void mlx5_strict_class_init(ObjectClass *klass);
/* Begins to check if strict=on; the engine must exist. Ends; NULL is allowed. */
void mlx5_strict_start(Mlx5Function *fn);
void mlx5_strict_stop(Mlx5Function *fn);

/* The WQE in port->tx is about to be executed. */
void mlx5_strict_wqe(Mlx5Sq *sq);
/* A frame is about to be given to the backend. */
void mlx5_strict_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt);
/* What mlx5_tls_receive() says of the packet that is being delivered. */
void mlx5_strict_candidate(Mlx5Function *fn, bool candidate,
                           uint32_t hw_resync_tcp_sn);
/*
 * A packet is about to be delivered: @wire as it came, @frame as it is before
 * a VLAN tag is stripped (both of pkt->len bytes), @iov what is delivered.
 */
void mlx5_strict_deliver(Mlx5Tir *tir, const Mlx5Packet *pkt,
                         const uint8_t *wire, const uint8_t *frame,
                         const struct iovec *iov, int iovcnt,
                         const uint8_t *cqe);

/*
 * To see that a check works the device can be broken on purpose, in builds
 * with MLX5_BREAK only: is property break the name of @reason?
 */
#ifdef MLX5_BREAK
bool mlx5_strict_break(Mlx5Function *fn, Mlx5StrictReason reason);
/* Breaks what has just been encrypted in @payload, which was @plain. */
void mlx5_strict_break_tx(Mlx5Function *fn, uint8_t *payload,
                          const uint8_t *plain, size_t len);
/* Breaks a packet before it is delivered; returns the flag that it gets. */
Mlx5TlsFlag mlx5_strict_break_rx(Mlx5Function *fn, const Mlx5Packet *pkt,
                                 const uint8_t *wire, uint8_t *frame,
                                 Mlx5TlsFlag flag);
#endif

#endif
