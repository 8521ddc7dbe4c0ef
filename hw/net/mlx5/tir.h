/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TIS, TIR and RQT, the transport interfaces that packets are sent and received
 * through. TIS and TIR own their TLS context (tls.h).
 */
#ifndef HW_NET_MLX5_TIR_H
#define HW_NET_MLX5_TIR_H

#include "engine/rss.h"
#include "qemu/timer.h"
#include "object.h"

struct Mlx5Tis {
    Mlx5Object obj;
    Mlx5Td *td;
    Mlx5Pd *pd;
    struct Mlx5TlsTx *tls; /* when tls_en */
    uint8_t tisc[160];
};

struct Mlx5Rqt {
    Mlx5Object obj;
    uint32_t max_size;
    uint32_t size; /* a power of 2 */
    Mlx5Rq **rqs;
};

struct Mlx5Tir {
    Mlx5Object obj;
    Mlx5Td *td;
    Mlx5Rq *rq;   /* disp_type direct */
    Mlx5Rqt *rqt; /* disp_type indirect */
    Mlx5RssParams rss;
    struct Mlx5TlsRx *tls; /* when tls_en */
    unsigned lro; /* what to join: MLX5_LRO_IPV4, MLX5_LRO_IPV6; see lro.c */
    QEMUTimer *resync_timer; /* resync-repeat=timeout, see tls.c */
    uint8_t tirc[240];
};

/* Does the TIR look into tunnels? */
static inline bool mlx5_tir_tunneled(const Mlx5Tir *tir)
{
    return MLX5_GET(tirc, tir->tirc, tunneled_offload_en);
}

/*
 * The RSS hash of @pkt, the parse of @frame; of @inner, what it carries (NULL
 * if nothing), if the TIR looks into tunnels and selects fields there.
 */
void mlx5_tir_hash(const Mlx5Tir *tir, const Mlx5Packet *pkt,
                   const Mlx5Packet *inner, const uint8_t *frame,
                   Mlx5RssResult *hash);

/* Mlx5ObjectDestroy, for the table in function.c. */
void mlx5_tis_destroy(void *obj);
void mlx5_tir_destroy(void *obj);
void mlx5_rqt_destroy(void *obj);

#endif
