/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all TLS contexts of one device share: the pool of cipher contexts, the
 * knobs, the record log, what was counted, scratch.
 *
 * Owns all of that. Made by the device, used by tls_tx.c, tls_rx.c and the
 * checker. One thread at a time per engine.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_ENGINE_H
#define HW_NET_MLX5_ENGINE_TLS_ENGINE_H

#include "gcm.h"
#include "tls_types.h"

#define MLX5_TLS_ENGINE_DEFAULT_SLOTS   1024

/* The highest number a row of a state machine can have. */
#define MLX5_TLS_MAX_ROW    63

/* Members are for the functions below; those are in the data path. */
typedef struct Mlx5TlsEngine {
    Mlx5GcmPool *gcm;
    Mlx5TlsKnobs knobs;
    Mlx5TlsRecordLogFn *log_fn;
    void *log_opaque;
    GArray *spans;
    GArray *events;
    uint64_t rows[2][MLX5_TLS_MAX_ROW + 1];     /* by Mlx5TlsDir */
} Mlx5TlsEngine;

/*
 * @slots and @errmsg as in mlx5_gcm_pool_new(). The engine must outlive every
 * context and open record made with it; keys may outlive it.
 */
Mlx5TlsEngine *mlx5_tls_engine_new(unsigned slots, char **errmsg);
void mlx5_tls_engine_free(Mlx5TlsEngine *engine);   /* NULL is allowed */

/* Where records of its contexts get their cipher contexts. */
static inline Mlx5GcmPool *mlx5_tls_engine_gcm(const Mlx5TlsEngine *engine)
{
    return engine->gcm;
}

/* Writable at any time; contexts read them when they act. */
static inline Mlx5TlsKnobs *mlx5_tls_engine_knobs(Mlx5TlsEngine *engine)
{
    return &engine->knobs;
}

/* @fn NULL switches the record log off (the default); then it costs nothing. */
void mlx5_tls_engine_set_record_log(Mlx5TlsEngine *engine,
                                    Mlx5TlsRecordLogFn *fn, void *opaque);

/*
 * How often the contexts have taken a row of their table (TX1.., R1..) since
 * the engine was made. 0 for a row that there is not.
 */
uint64_t mlx5_tls_engine_row_hits(const Mlx5TlsEngine *engine, Mlx5TlsDir dir,
                                  unsigned row);

/* ---- for tls_tx.c and tls_rx.c ------------------------------------------- */

/* A context has taken @row, 0..MLX5_TLS_MAX_ROW; 0 is none. */
static inline void mlx5_tls_engine_count_row(Mlx5TlsEngine *engine,
                                             Mlx5TlsDir dir, unsigned row)
{
    engine->rows[dir][row]++;
}

/* Scratch, empty between calls, erased by who fills it: of Mlx5GcmSpan, */
static inline GArray *mlx5_tls_engine_spans(Mlx5TlsEngine *engine)
{
    return engine->spans;
}

/* and of Mlx5TlsRecordEvent. */
static inline GArray *mlx5_tls_engine_events(Mlx5TlsEngine *engine)
{
    return engine->events;
}

static inline bool mlx5_tls_engine_logging(const Mlx5TlsEngine *engine)
{
    return engine->log_fn != NULL;
}

/* Hand the events collected to the record log, in order, and forget them. */
void mlx5_tls_engine_flush_events(Mlx5TlsEngine *engine);

#endif
