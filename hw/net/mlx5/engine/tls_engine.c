/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State shared by all TLS contexts of a device. See tls_engine.h. */
#include "tls_engine.h"

/*
 * Maximum number of runs of ciphertext in a packet of 10 KB, the longest
 * possible.
 */
#define SPANS   512

Mlx5TlsEngine *mlx5_tls_engine_new(unsigned slots, char **errmsg)
{
    Mlx5GcmPool *gcm = mlx5_gcm_pool_new(slots, errmsg);
    Mlx5TlsEngine *engine;

    if (!gcm) {
        return NULL;
    }
    engine = g_new0(Mlx5TlsEngine, 1);
    engine->gcm = gcm;
    mlx5_tls_knobs_init(&engine->knobs);
    /* must not be reallocated while it contains nonces */
    engine->spans = g_array_sized_new(FALSE, FALSE, sizeof(Mlx5GcmSpan), SPANS);
    engine->events = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    return engine;
}

void mlx5_tls_engine_free(Mlx5TlsEngine *engine)
{
    if (!engine) {
        return;
    }
    mlx5_gcm_pool_free(engine->gcm);
    g_array_free(engine->spans, TRUE);
    g_array_free(engine->events, TRUE);
    g_free(engine);
}

void mlx5_tls_engine_set_record_log(Mlx5TlsEngine *engine,
                                    Mlx5TlsRecordLogFn *fn, void *opaque)
{
    engine->log_fn = fn;
    engine->log_opaque = opaque;
}

uint64_t mlx5_tls_engine_row_hits(const Mlx5TlsEngine *engine, Mlx5TlsDir dir,
                                  unsigned row)
{
    return row >= 1 && row <= MLX5_TLS_MAX_ROW ? engine->rows[dir][row] : 0;
}

void mlx5_tls_engine_flush_events(Mlx5TlsEngine *engine)
{
    GArray *events = engine->events;

    for (guint i = 0; i < events->len; i++) {
        engine->log_fn(engine->log_opaque,
                       &g_array_index(events, Mlx5TlsRecordEvent, i));
    }
    g_array_set_size(events, 0);
}
