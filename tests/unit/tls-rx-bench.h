/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for the RX context: a stream, a context for it, and a packet function
 * that checks every byte and every invariant of a delivery. Used only by the RX
 * tests.
 */
#ifndef TESTS_UNIT_TLS_RX_BENCH_H
#define TESTS_UNIT_TLS_RX_BENCH_H

#include "tls-ref.h"
#include "tls_rx.h"

typedef struct Rx {
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKnobs *knobs;
    Mlx5TlsKey *key;
    Mlx5TlsRx rx;
    uint32_t base;          /* sequence number of the stream's first byte */
    Mlx5TlsRxResult res;    /* of the last packet */
    GArray *log;            /* of Mlx5TlsRecordEvent */
    GRand *rand;
} Rx;

#define F0  MLX5_TLS_FLAG_NOT_DECRYPTED
#define F1  MLX5_TLS_FLAG_DECRYPTED
#define F2  MLX5_TLS_FLAG_RESYNC
#define F3  MLX5_TLS_FLAG_ERROR

#define NONE    MLX5_TLS_RX_NONE
#define START   MLX5_TLS_RX_START
#define OFFLOAD MLX5_TLS_RX_OFFLOAD
#define CAND    MLX5_TLS_RX_CAND
#define AUTH    MLX5_TLS_RX_AUTH
#define SEARCH  MLX5_TLS_RX_SEARCH
#define LINK    MLX5_TLS_RX_LINK

#define WHY(t, name) \
    g_assert_cmpint((t)->res.reason, ==, MLX5_TLS_REASON_##name)
#define STATE(t, s) g_assert_cmpstr(mlx5_tls_rx_state_str((t)->rx.state), ==, \
                                    mlx5_tls_rx_state_str(s))

/* A counter of the engine; the number of times a row was taken. */
#define COUNT(t, member)    (mlx5_tls_engine_counters((t)->engine)->member)
#define HITS(t, row) \
    mlx5_tls_engine_row_hits((t)->engine, MLX5_TLS_DIR_RX, row)

#define END(t)      ((t)->st->wire->len)
#define OFF(t, i)   (ref_rec((t)->st, (i))->off)

/*
 * Creates an empty stream and a context in NONE; record numbers start at first.
 */
void rx_new_stream(Rx *t, GRand *rand, bool v13, size_t key_len, uint64_t first,
                   uint32_t base);
/*
 * Ten records of TLS 1.2, AES-128, numbers from 40, of 100, 50, 200, 0, 300,
 * 80, 120, 60, 500 and 90 bytes; the sequence number wraps somewhere in the
 * stream.
 */
void rx_new(Rx *t, GRand *rand);
void rx_free(Rx *t);

/*
 * Posts: static params with a record number and resync_tcp_sn; SET_PSV; both.
 */
Mlx5TlsRxStatic rx_static(Rx *t, uint64_t number, uint32_t resync);
Mlx5TlsReason rx_psv(Rx *t, uint32_t anchor);
void rx_start(Rx *t, uint32_t anchor);
/*
 * Posts the approval of the current candidate, like the driver; the candidate
 * must be a true header.
 */
Mlx5TlsRxStatic rx_approve(Rx *t);

/*
 * Passes a packet with arbitrary bytes. With flag 1 the payload must become
 * clear (NULL: flag 1 is a failure), and with flag 3 if clear is not NULL;
 * otherwise it must be unchanged.
 */
void rx_bytes(Rx *t, uint32_t seq, const uint8_t *bytes, const uint8_t *clear,
              size_t len, Mlx5TlsFlag flag, unsigned row, Mlx5TlsRxState state);
/*
 * Passes a packet with stream bytes [from, to); with flag 3 they are unchanged.
 */
void rx_pkt(Rx *t, size_t from, size_t to, Mlx5TlsFlag flag, unsigned row,
            Mlx5TlsRxState state);
/* The same with one bit of the stream flipped on the way. */
void rx_pkt_flip(Rx *t, size_t from, size_t to, size_t flip, Mlx5TlsFlag flag,
                 unsigned row, Mlx5TlsRxState state);

/*
 * The same with flag 3: plaintext in stream bytes [clear_from, clear_to) is
 * delivered in clear, everything else as on the wire.
 */
void rx_pkt_error(Rx *t, size_t from, size_t to, size_t flip, size_t clear_from,
                  size_t clear_to, unsigned row, Mlx5TlsRxState state);

/*
 * Brings a new context to a state; returns how much of the stream it has then
 * seen (all states except NONE and START: up to inside record 4, with headers
 * 0..4 passed or lost).
 */
size_t rx_to_state(Rx *t, Mlx5TlsRxState state);

bool rx_took(const Rx *t, unsigned row);
/* GET_PSV, decoded by hand; fails if it changes anything. */
void rx_check_psv(Rx *t, uint32_t tracker, uint32_t auth, uint32_t next,
                  uint32_t resync, uint32_t offset);

#endif
