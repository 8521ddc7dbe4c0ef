/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixture for the tests of the checker: a stream of records, the engine's own
 * contexts for it, and a checker with counted reports. Owns a Rig. Called by
 * test-tls-strict.c (TX, fences, keys) and test-tls-strict-rx.c.
 */
#ifndef TESTS_UNIT_TLS_STRICT_RIG_H
#define TESTS_UNIT_TLS_STRICT_RIG_H

#include "tls-ref.h"
#include "tls-strict-bench.h"
#include "tls_rx.h"
#include "tls_tx.h"

#define ID  0x77u           /* of both contexts */
#define DEK 0x123456u       /* of ref_static_image() */

typedef struct Rig {
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKey *key;
    Mlx5TlsTx tx;
    Mlx5TlsRx rx;
    StrictBench strict;
    uint32_t base;
} Rig;

/*
 * Creates six records of several lengths, starting with record number 7 at
 * sequence number `base`.
 */
void rig_new(Rig *t, GRand *rng, bool v13);
void rig_free(Rig *t);

/* Stream offsets of record i, its text, and its end. */
#define OFF(t, i)   (ref_rec((t)->st, (i))->off)
#define TEXT(t, i)  (ref_rec((t)->st, (i))->text_off)
#define END(t, i)   (OFF(t, i) + ref_rec((t)->st, (i))->len)

#define NOTHING (-1)
/*
 * Checks that only this reason was reported since the last call, at least once;
 * or NOTHING.
 */
void said(Rig *t, int reason);

#endif
