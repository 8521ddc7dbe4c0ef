/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS contexts; each belongs to a TIS or TIR with tls_en. dek.h has the keys,
 * tls_wqe.h the WQEs that set up contexts. The state machines and the crypto
 * are in the engine.
 */
#ifndef HW_NET_MLX5_TLS_H
#define HW_NET_MLX5_TLS_H

#include "engine/tls_rx.h"
#include "engine/tls_tx.h"
#include "mlx5.h"

bool mlx5_tls_init(Mlx5Function *fn, Error **errp);
void mlx5_tls_finalize(Mlx5Function *fn);
/* Resets all TLS counters to 0. */
void mlx5_tls_reset_counters(Mlx5Function *fn);
/* Adds a property for each engine knob; they can be set at any time. */
void mlx5_tls_class_init(ObjectClass *klass);

/*
 * Return the memory use of a TIS's or TIR's context, for mlx5_object_create().
 */
size_t mlx5_tls_tx_memory(const Mlx5Function *fn);
size_t mlx5_tls_rx_memory(const Mlx5Function *fn);
Mlx5TlsTx *mlx5_tls_tx_new(Mlx5Function *fn, uint32_t tisn);
/* Frees the TIS's TLS context, if any. */
void mlx5_tls_tis_destroy(Mlx5Tis *tis);
Mlx5TlsRx *mlx5_tls_rx_new(Mlx5Function *fn, uint32_t tirn);
void mlx5_tls_rx_free(Mlx5TlsRx *rx); /* NULL is allowed */
/* Frees the TIR's TLS context and timer, if any. */
void mlx5_tls_tir_destroy(Mlx5Tir *tir);

/*
 * Look up the TIS or TIR with a TLS context that a WQE on @sq refers to. Return
 * NULL, with the reason in *@why, if it does not exist or this queue may not
 * use it. The owner must match (the kernel may use all), and so must the
 * transport domain, if the queue has one through its TIS; a TIS must also be in
 * the queue's protection domain.
 */
Mlx5Tis *mlx5_tls_tis(const Mlx5Sq *sq, uint32_t tisn, const char **why);
Mlx5Tir *mlx5_tls_tir(const Mlx5Sq *sq, uint32_t tirn, const char **why);
/*
 * Runs the TCP payload of @wqe, a SEND or LSO of @sq, through its TIS. @pkt is
 * the parse of the headers; @payload (@len bytes) follows them.
 */
Mlx5TlsTxVerdict mlx5_tls_send(const Mlx5Sq *sq, const Mlx5Wqe *wqe,
                               const Mlx5Packet *pkt, uint8_t *payload,
                               size_t len);
/*
 * Counts and traces that the packet of @wqe is dropped before TLS processing.
 */
void mlx5_tls_refuse(Mlx5Function *fn, const Mlx5Wqe *wqe, const char *why);
/* Runs the bytes of @wqe, a DUMP on @sq, through its TIS without sending. */
void mlx5_tls_dump(const Mlx5Sq *sq, const Mlx5Wqe *wqe, const uint8_t *data,
                   size_t len);
/* The result of TLS processing for a received packet. */
typedef struct Mlx5TlsReceived {
    Mlx5TlsFlag flag; /* cqe.tls_offload */
    bool candidate;   /* a header in it became the candidate: */
    uint32_t hw_resync_tcp_sn; /* the current candidate, new or not */
    uint8_t reason, row; /* Mlx5TlsReason, Mlx5TlsRxRow */
    uint8_t state_before, state_after; /* Mlx5TlsRxState */
} Mlx5TlsReceived;

/*
 * Runs a received packet for which mlx5_tls_wants() is true through @tir's
 * context, which may decrypt @frame in place.
 */
Mlx5TlsReceived mlx5_tls_receive(Mlx5Tir *tir, const Mlx5Packet *pkt,
                                 uint8_t *frame);
/* Returns whether @tir has a context that processes this packet. */
bool mlx5_tls_wants(const Mlx5Tir *tir, const Mlx5Packet *pkt);

#endif
