/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A checker with counters of its reports, for tests. Owns the checker and the
 * counters.
 */
#ifndef TESTS_UNIT_TLS_STRICT_BENCH_H
#define TESTS_UNIT_TLS_STRICT_BENCH_H

#include "tls_strict.h"

typedef struct StrictBench {
    Mlx5TlsStrict *s;
    uint64_t serial;    /* of the last WQE */
    unsigned count[MLX5_STRICT_REASONS];
    unsigned total;
    char *last;     /* "reason: details", NULL if none */
} StrictBench;

static inline void strict_bench_report(void *opaque, Mlx5StrictReason reason,
                                       const char *details)
{
    StrictBench *b = opaque;

    b->count[reason]++;
    b->total++;
    g_free(b->last);
    b->last =
        g_strdup_printf("%s: %s", mlx5_strict_reason_name(reason), details);
}

static inline void strict_bench_init(StrictBench *b, Mlx5TlsEngine *engine,
                                     bool whole)
{
    *b = (StrictBench) { 0 };
    b->s = mlx5_tls_strict_new(engine, whole, strict_bench_report, b);
}

/* The engine must still exist. */
static inline void strict_bench_clear(StrictBench *b)
{
    mlx5_tls_strict_free(b->s);
    g_free(b->last);
}

/*
 * Reports the next WQE of SQ sqn, numbered like in the device; and a CQE for
 * the last one.
 */
static inline void strict_bench_wqe(StrictBench *b, uint32_t sqn, bool fence)
{
    mlx5_tls_strict_wqe(b->s, sqn, ++b->serial, fence);
}

static inline void strict_bench_cqe(StrictBench *b, uint32_t sqn)
{
    mlx5_tls_strict_cqe(b->s, sqn, b->serial);
}

#endif
