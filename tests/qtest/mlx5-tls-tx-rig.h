/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for tests of TLS transmission: a send queue, a TIS with a context,
 * and packets for it. Owns only its objects in the device.
 */
#ifndef TESTS_QTEST_MLX5_TLS_TX_RIG_H
#define TESTS_QTEST_MLX5_TLS_TX_RIG_H

#include "mlx5-tls.h"

typedef struct TlsTx {
    TxRig rig;
    Drv *d;
    DrvSq *sq;
    TlsConn c;
    uint32_t dek;
    uint32_t tisn;
    uint64_t mem; /* payload of one packet at a time */
} TlsTx;

#define TLS_TX_MEM 0x20000

/* Posts static and progress params like the driver; does not wait for CQEs. */
static inline void post_params(TlsTx *t, DrvSq *sq, bool same_record)
{
    uint8_t p[TLS_STATIC_LEN];
    DrvWqe w;

    if (!same_record) {
        tls_static(p, &t->c, t->dek, 0);
        drv_wqe_static(&w, sq, false, t->tisn, p, false, false);
        drv_sq_put(t->d, sq, &w);
    }
    drv_wqe_set_psv(&w, sq, false, t->tisn, 0, true, false);
    drv_sq_put(t->d, sq, &w);
    drv_wqe(&w, sq, WQE_NOP, false);
    MLX5_SET(wqe_ctrl, w.b, fm, 1);
    drv_sq_put(t->d, sq, &w);
}

/* @props are device properties. */
static inline void tls_tx_with(TlsTx *t, unsigned kind, unsigned n,
                               const char *props)
{
    memset(t, 0, sizeof(*t));
    tx_rig_with(&t->rig, 6, props);
    t->d = t->rig.d;
    t->sq = &t->rig.sq;
    tls_conn(&t->c, kind, n);
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tisn = drv_tis_tls(t->d);
    t->mem = drv_mem(t->d, TLS_TX_MEM);
    post_params(t, t->sq, false);
}

static inline void tls_tx(TlsTx *t, unsigned kind, unsigned n)
{
    tls_tx_with(t, kind, n, "");
}

static inline FrameSpec spec_at(uint32_t seq, const uint8_t *payload, size_t n)
{
    FrameSpec s = rig_spec(4, 6, n);

    s.seq = seq;
    s.payload = payload;
    s.tcp_opt_len = 12;
    return s;
}

/*
 * Posts a packet with payload @clear at @seq for TIS @tisn: an LSO if @mss is
 * not 0. Headers are inline, as the driver sends TLS packets.
 */
static inline uint16_t post_data(TlsTx *t, DrvSq *sq, uint32_t tisn,
                                 uint32_t seq, const uint8_t *clear, size_t n,
                                 unsigned mss)
{
    FrameSpec s = spec_at(seq, clear, n);
    Frame f = frame_build(&s);
    uint16_t index;
    DrvWqe w;

    g_assert_cmpuint(n, <=, TLS_TX_MEM);
    if (n) {
        drv_write(t->d, t->mem, clear, n);
    }
    drv_wqe(&w, sq, mss ? WQE_LSO : WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, mss, f.data, f.payload);
    if (n) {
        drv_wqe_data(&w, t->d->lkey, t->mem, n);
    }
    index = drv_sq_put(t->d, sq, &w);
    drv_sq_ring(t->d, sq);
    frame_free(&f);
    return index;
}

/* The next frame must be this one, including checksums. */
static inline void expect_data(TlsTx *t, uint32_t seq, const uint8_t *wire,
                               size_t n)
{
    FrameSpec s = spec_at(seq, wire, n);
    Frame f = frame_build(&s);

    expect_frame(t->d, f.data, f.len);
    frame_free(&f);
}

/* Sends @n bytes of the streams from @at as one packet at t->c.seq. */
static inline void pass(TlsTx *t, GByteArray *clear, GByteArray *wire,
                        size_t at, size_t n)
{
    uint16_t index = post_data(t, t->sq, t->tisn, t->c.seq, clear->data + at,
                               n, 0);

    expect_data(t, t->c.seq, wire->data + at, n);
    drv_sq_expect(t->d, t->sq, index);
    t->c.seq += n;
}

/* The last WQE must complete without sending anything. */
static inline void expect_dropped(TlsTx *t, uint16_t index)
{
    static const uint8_t marker[64] = { 0x02, 1, 2, 3, 0xde, 0xad };
    uint16_t next;

    drv_sq_expect(t->d, t->sq, index);
    next = drv_sq_send(t->d, t->sq, marker, sizeof(marker), 0);
    drv_sq_ring(t->d, t->sq);
    expect_frame(t->d, marker, sizeof(marker));
    drv_sq_expect(t->d, t->sq, next);
}

#endif
