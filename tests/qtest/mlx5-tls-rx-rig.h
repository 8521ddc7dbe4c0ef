/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for tests of TLS reception: a receive queue, a TIR with a context, a
 * stream of records in both forms, and packets of it. Owns only its objects in
 * the device.
 */
#ifndef TESTS_QTEST_MLX5_TLS_RX_RIG_H
#define TESTS_QTEST_MLX5_TLS_RX_RIG_H

#include "mlx5-tls.h"

/* cqe.tls_offload */
enum { NOT_DECRYPTED = 0, DECRYPTED = 1, RESYNC = 2, ERROR = 3 };
/* record_tracker_state and auth_state */
enum { START = 0, TRACKING = 1, SEARCHING = 2 };
enum { NO_OFFLOAD = 0, OFFLOAD = 1, AUTHENTICATION = 2 };

typedef struct TlsRx {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    DrvCq sq_cq;
    DrvSq sq; /* for control WQEs */
    DrvSteering st;
    TlsConn c;
    uint32_t dek;
    uint32_t tirn;
    uint64_t buf;
    uint64_t psv;
    GByteArray *wire;  /* the stream as on the wire */
    GByteArray *plain; /* and as delivered decrypted */
    uint32_t seq0;     /* of its first byte */
    uint16_t cc;       /* next WQE to complete */
} TlsRx;

enum { LOG_RQ = 6, BUF = 2048 };

#define MS 1000000ll /* in ns */

static inline void rx_fill(TlsRx *t, unsigned n)
{
    while (n--) {
        unsigned slot = t->rq.pc & ((1u << LOG_RQ) - 1);
        DrvSeg seg = { .addr = t->buf + slot * BUF, .len = BUF };

        drv_rq_post(t->d, &t->rq, &seg, 1);
    }
    drv_rq_publish(t->d, &t->rq);
}

/* Static params, with a fence or without. */
static inline void rx_post_static_as(TlsRx *t, uint64_t rec_no,
                                     uint32_t resync_tcp_sn, bool fence)
{
    uint8_t p[TLS_STATIC_LEN];
    TlsConn c = t->c;
    uint16_t index;
    DrvWqe w;

    c.rec_no = rec_no;
    tls_static(p, &c, t->dek, resync_tcp_sn);
    drv_wqe_static(&w, &t->sq, true, t->tirn, p, fence, true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

/* Static params; in TRACKING an approval of @resync_tcp_sn. */
static inline void rx_post_static(TlsRx *t, uint64_t rec_no,
                                  uint32_t resync_tcp_sn)
{
    rx_post_static_as(t, rec_no, resync_tcp_sn, false);
}

static inline void rx_post_progress(TlsRx *t, uint32_t next_record_tcp_sn)
{
    uint16_t index;
    DrvWqe w;

    drv_wqe_set_psv(&w, &t->sq, true, t->tirn, next_record_tcp_sn, false,
                    true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

/* Sets up everything except parameters; @props are device properties. */
static inline void rx_bare_with(TlsRx *t, unsigned kind, unsigned n,
                                bool vlan_strip, const char *props)
{
    memset(t, 0, sizeof(*t));
    t->d = drv_start_up(props);
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, LOG_RQ, t->eq.eqn);
    drv_cq_create(t->d, &t->sq_cq, 6, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, 6, &t->sq_cq, 0);
    drv_rq_create(t->d, &t->rq, LOG_RQ, 4, &t->cq, 0, vlan_strip);
    t->buf = drv_mem(t->d, BUF << LOG_RQ);
    t->psv = drv_mem(t->d, 64);
    tls_conn(&t->c, kind, n);
    t->seq0 = t->c.seq;
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tirn = drv_tir_tls(t->d, t->rq.rqn);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
    t->wire = g_byte_array_new();
    t->plain = g_byte_array_new();
    rx_fill(t, 1 << LOG_RQ);
}

static inline void rx_bare(TlsRx *t, unsigned kind, unsigned n,
                           bool vlan_strip)
{
    rx_bare_with(t, kind, n, vlan_strip, "");
}

/* Sets up everything, ready for the record at t->seq0. */
static inline void tls_rx(TlsRx *t, unsigned kind, unsigned n)
{
    rx_bare(t, kind, n, false);
    rx_post_static(t, t->c.rec_no, 0);
    rx_post_progress(t, t->seq0);
}

static inline void rx_stop(TlsRx *t)
{
    g_byte_array_unref(t->wire);
    g_byte_array_unref(t->plain);
    drv_stop(t->d);
}

/* Appends a record with @n bytes of plaintext; returns its offset. */
static inline size_t rx_record(TlsRx *t, size_t n)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    size_t at = t->wire->len, len;

    tls_pattern(&t->c, n, clear, t->wire);
    len = clear->len;
    /* Header, nonce and tag are delivered unchanged. */
    memcpy(clear->data + len - TLS_TAG, t->wire->data + at + len - TLS_TAG,
           TLS_TAG);
    g_byte_array_append(t->plain, clear->data, len);
    return at;
}

static inline FrameSpec rx_segment(TlsRx *t, size_t at, size_t n)
{
    FrameSpec s = rig_spec(4, 6, n);

    s.seq = t->seq0 + at;
    s.payload = t->wire->data + at;
    s.tcp_opt_len = 12;
    return s;
}

/*
 * Consumes the next packet of the queue, which must have @flag and be the frame
 * @want with the @n bytes of payload at @payload.
 */
static inline void rx_expect(TlsRx *t, const Frame *want,
                             const uint8_t *payload, size_t n, unsigned flag)
{
    g_autofree uint8_t *frame = g_memdup2(want->data, want->len);
    uint8_t buf[BUF], cqe[64];

    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, t->cc);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, flag);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, outer_l3_tunneled), ==, 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, want->len);
    if (flag != NOT_DECRYPTED) {
        /*
         * The driver then relies only on these, which refer to the packet on
         * the wire.
         */
        g_assert_true(MLX5_GET(cqe, cqe, l3_ok));
        g_assert_true(MLX5_GET(cqe, cqe, l4_ok));
    } else {
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(want->data + 14, want->len - 14));
    }
    if (n) {
        memcpy(frame + want->payload, payload, n);
    }
    drv_read(t->d, t->buf + (t->cc & ((1u << LOG_RQ) - 1)) * BUF, buf,
             want->len);
    g_assert_cmpmem(buf, want->len, frame, want->len);
    t->cc++;
    rx_fill(t, 1);
}

/*
 * Sends @n bytes of the stream from @at, which must be delivered as @payload.
 */
static inline void rx_pass_as(TlsRx *t, size_t at, size_t n, unsigned flag,
                              const uint8_t *payload)
{
    FrameSpec s = rx_segment(t, at, n);
    Frame f = frame_build(&s);

    drv_wire_send(t->d, f.data, f.len);
    rx_expect(t, &f, payload, n, flag);
    frame_free(&f);
}

/* ... decrypted if @flag says so, else unchanged. */
static inline void rx_pass(TlsRx *t, size_t at, size_t n, unsigned flag)
{
    rx_pass_as(t, at, n, flag,
               (flag == DECRYPTED ? t->plain : t->wire)->data + at);
}

/* GET_PSV; checks that the rest of its 64 bytes is zero. */
static inline void rx_get_psv(TlsRx *t, uint8_t params[12])
{
    uint8_t image[64];
    uint16_t index;
    unsigned i;
    DrvWqe w;

    qtest_memset(t->d->qts, t->psv, 0xcc, 64);
    drv_wqe_get_psv(&w, &t->sq, t->tirn, t->d->lkey, t->psv);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
    drv_read(t->d, t->psv, image, 64);
    g_assert_cmphex(mlx5_ld32(image), ==, t->tirn);
    for (i = 16; i < 64; i++) {
        g_assert_cmphex(image[i], ==, 0);
    }
    memcpy(params, image + 4, 12);
}

static inline void rx_expect_state(TlsRx *t, unsigned tracker, unsigned auth)
{
    uint8_t p[12];

    rx_get_psv(t, p);
    g_assert_cmpuint(MLX5_GET(tls_progress_params, p, record_tracker_state),
                     ==, tracker);
    g_assert_cmpuint(MLX5_GET(tls_progress_params, p, auth_state), ==, auth);
}

/*
 * Checks the whole result of GET_PSV, with hw_resync_tcp_sn and
 * hw_offset_record_number.
 */
static inline void rx_expect_psv(TlsRx *t, uint32_t hw_resync, uint32_t dword)
{
    uint8_t p[12];

    rx_get_psv(t, p);
    g_assert_cmphex(mlx5_ld32(p + 4), ==, hw_resync);
    g_assert_cmphex(mlx5_ld32(p + 8), ==, dword);
}

#endif
