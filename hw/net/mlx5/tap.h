/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tap, where observers attach to the pipelines. The data path has one call
 * per event, which costs one load and one branch without observers, and knows
 * nothing about them.
 *
 * An observer embeds an Mlx5Tap, fills in the operations it wants and adds it
 * to the function. strict.c (the checker), observe.c (the record log),
 * capture.c (the capture) and, in builds that have it, strict_break.c are such
 * observers.
 *
 * The arguments of an event are valid only during the call, if not said
 * otherwise. An observer does
 * not change the device or send anything, unless it sets @alters; it does not
 * add or remove observers from inside an event.
 */
#ifndef HW_NET_MLX5_TAP_H
#define HW_NET_MLX5_TAP_H

#include "tls.h"

/* A packet being delivered to a receive queue. */
typedef struct Mlx5TapDelivery {
    Mlx5Tir *tir;
    const Mlx5Packet *pkt;   /* the parse of @wire */
    const uint8_t *wire;     /* as received, pkt->len bytes */
    uint8_t *frame;          /* after TLS, before VLAN stripping */
    const struct iovec *iov; /* the parts of @frame written to memory */
    int iovcnt;
    uint8_t *cqe;            /* complete except for the queue's own fields */
    const Mlx5TlsReceived *tls; /* result of the TLS context, or zero */
} Mlx5TapDelivery;

/* What becomes of the packet of a WQE that is marked for TIS @tisn. */
typedef struct Mlx5TapTxVerdict {
    uint32_t tisn;
    Mlx5TlsTxVerdict verdict;
    const char *why;            /* why it is not sent; NULL if it is */
    const Mlx5TlsTxResult *res; /* NULL: it did not reach a context */
    size_t len;                 /* of the payload, at the packet's end */
} Mlx5TapTxVerdict;

/*
 * The events: name, parameters, arguments. A row defines the operation, called
 * with the Mlx5Tap before the parameters, and mlx5_tap_NAME() for the pipeline.
 */
#define MLX5_TAP_EVENTS(E) \
    /* TIS or TIR @num has a new TLS context, or is about to lose it. */ \
    E(context_new, (Mlx5Function *fn, Mlx5TlsDir dir, uint32_t num), \
      (fn, dir, num)) \
    E(context_gone, (Mlx5Function *fn, Mlx5TlsDir dir, uint32_t num), \
      (fn, dir, num)) \
    /* DEK @dek now holds @key; a SYNC_CRYPTO was executed; @dek is gone. */ \
    E(dek_load, (Mlx5Function *fn, uint32_t dek, const Mlx5TlsKey *key), \
      (fn, dek, key)) \
    E(dek_sync, (Mlx5Function *fn), (fn)) \
    E(dek_gone, (Mlx5Function *fn, uint32_t dek), (fn, dek)) \
    /* A UMR has set these static parameters; @key may be NULL. */ \
    E(static_params, (Mlx5Function *fn, Mlx5TlsDir dir, uint32_t num, \
                      const uint8_t *params, Mlx5TlsKey *key, \
                      const char *done), \
      (fn, dir, num, params, key, done)) \
    /* A SET_PSV has set these progress parameters. */ \
    E(progress_params, (Mlx5Function *fn, Mlx5TlsDir dir, uint32_t num, \
                        const uint8_t *params, const char *done), \
      (fn, dir, num, params, done)) \
    /* A GET_PSV has answered with these. */ \
    E(get_psv, (Mlx5Function *fn, uint32_t tirn, const uint8_t *params), \
      (fn, tirn, params)) \
    /* The WQE in port->wqe is about to be executed. */ \
    E(wqe_begin, (Mlx5Function *fn, Mlx5Sq *sq), (fn, sq)) \
    /* It has ended and is about to be erased; no more frames follow. */ \
    E(wqe_over, (Mlx5Function *fn), (fn)) \
    /* @cqe was written for the WQE with that serial number. */ \
    E(sq_cqe, (Mlx5Function *fn, Mlx5Sq *sq, const uint8_t *cqe, \
               uint64_t serial), \
      (fn, sq, cqe, serial)) \
    /* The queue is being destroyed or reset. */ \
    E(sq_gone, (Mlx5Function *fn, Mlx5Sq *sq), (fn, sq)) \
    /* The packet in port->wqe, which is marked for a TIS, as posted. */ \
    E(tx_posted, (Mlx5Function *fn, const uint8_t *hdr, size_t hdr_len, \
                  const uint8_t *payload, size_t len), \
      (fn, hdr, hdr_len, payload, len)) \
    /* What becomes of it. */ \
    E(tx_verdict, (Mlx5Function *fn, const Mlx5TapTxVerdict *v), (fn, v)) \
    /* Payload for TIS @tisn, as posted by the driver. */ \
    E(tx_plain, (Mlx5Function *fn, uint32_t tisn, const uint8_t *payload, \
                 size_t len), \
      (fn, tisn, payload, len)) \
    /* The same after encryption; @seq is its first byte's sequence number. */ \
    E(tx_encrypted, (Mlx5Function *fn, uint32_t tisn, uint32_t seq, \
                     uint8_t *payload, size_t len), \
      (fn, tisn, seq, payload, len)) \
    /* The bytes of a DUMP, and what the context said. */ \
    E(tx_dump, (Mlx5Function *fn, uint32_t tisn, const uint8_t *data, \
                size_t len, const Mlx5TlsTxResult *res), \
      (fn, tisn, data, len, res)) \
    /* A frame of the WQE in port->wqe is about to be sent. */ \
    E(tx_frame, (Mlx5Function *fn, const struct iovec *iov, int iovcnt), \
      (fn, iov, iovcnt)) \
    /* A frame has arrived from the wire and will not be held; valid until \
     * rx_over. */ \
    E(rx_frame, (Mlx5Function *fn, const uint8_t *frame, size_t len), \
      (fn, frame, len)) \
    /* That is over; the frame was for @queues receive queues. */ \
    E(rx_over, (Mlx5Function *fn, Mlx5SteeringVerdict verdict, \
                unsigned queues), \
      (fn, verdict, queues)) \
    /* A packet is about to be delivered. */ \
    E(rx_deliver, (Mlx5Function *fn, const Mlx5TapDelivery *d), (fn, d)) \
    /* A TLS record has ended, or was lost together with its context. */ \
    E(record, (Mlx5Function *fn, const Mlx5TlsRecordEvent *e), (fn, e))

#define MLX5_TAP_OP(...) (Mlx5Tap *tap, __VA_ARGS__)

typedef struct Mlx5TapOps {
#define MLX5_TAP_OP_MEMBER(name, params, args) \
    void (*name) MLX5_TAP_OP params;
    MLX5_TAP_EVENTS(MLX5_TAP_OP_MEMBER)
#undef MLX5_TAP_OP_MEMBER
    /*
     * The function is going away: the observer, already removed, frees its
     * state.
     */
    void (*end)(Mlx5Tap *tap, Mlx5Function *fn);
    /* It changes its arguments or sends; called before the other observers. */
    bool alters;
} Mlx5TapOps;

/* An observer; to be embedded. */
struct Mlx5Tap {
    const Mlx5TapOps *ops;
    size_t context_memory; /* bytes kept for each TLS context */
    QLIST_ENTRY(Mlx5Tap) next; /* in fn->taps */
};

void mlx5_tap_add(Mlx5Function *fn, Mlx5Tap *tap);
void mlx5_tap_remove(Mlx5Function *fn, Mlx5Tap *tap);
/* Removes and notifies all observers, while the engine still exists. */
void mlx5_tap_end(Mlx5Function *fn);
/*
 * Returns the memory that observers use for a TLS context created now, in
 * bytes.
 */
size_t mlx5_tap_context_memory(const Mlx5Function *fn);

#define MLX5_TAP_INLINE(name, params, args) \
    void mlx5_tap_tell_##name params; \
    static inline void mlx5_tap_##name params \
    { \
        if (unlikely(!QLIST_EMPTY(&fn->taps))) { \
            mlx5_tap_tell_##name args; \
        } \
    }
MLX5_TAP_EVENTS(MLX5_TAP_INLINE)
#undef MLX5_TAP_INLINE

/*
 * Calls mlx5_tap_rx_deliver(); builds its struct only if there are observers.
 */
#define MLX5_TAP_RX_DELIVER(fn, ...) \
    do { \
        if (unlikely(!QLIST_EMPTY(&(fn)->taps))) { \
            mlx5_tap_tell_rx_deliver((fn), \
                                     &(Mlx5TapDelivery) { __VA_ARGS__ }); \
        } \
    } while (0)

#endif
