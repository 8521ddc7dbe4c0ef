/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State shared by all TLS contexts of a device: the pool of cipher contexts,
 * the knobs, the record log, counters, scratch.
 *
 * Owns all of that. Created by the device, used by tls_tx.c, tls_rx.c and the
 * checker. One thread at a time per engine.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_ENGINE_H
#define HW_NET_MLX5_ENGINE_TLS_ENGINE_H

#include "gcm.h"
#include "tls_types.h"

#define MLX5_TLS_ENGINE_DEFAULT_SLOTS   1024

/*
 * X(member, name of the device's counter, what it counts), summed over all
 * contexts of an engine; also listed in docs/observing.md. Packets that do not
 * reach a context, because the TIS has none or it is not a TCP segment, are
 * counted here by the device.
 */
#define MLX5_TLS_COUNTERS(X) \
    X(tx_packets, "tls_tx_packets", "WQEs with payload that were encrypted") \
    X(tx_bytes, "tls_tx_bytes", "bytes of that payload") \
    X(tx_records, "tls_tx_records", "records completed by packets") \
    X(tx_dumps, "tls_tx_dumps", "DUMPs taken by a context") \
    X(tx_dump_bytes, "tls_tx_dump_bytes", "bytes of those DUMPs") \
    X(tx_dump_ignored, "tls_tx_dump_ignored", \
      "DUMPs that no context takes") \
    X(tx_seq_mismatch, "tls_tx_seq_mismatch", \
      "dropped or failed: unexpected sequence number") \
    X(tx_no_ctx, "tls_tx_no_ctx", "dropped: no parameters, or no key") \
    X(tx_bad_header, "tls_tx_bad_header", \
      "dropped: no record header where one must be, or after that") \
    X(tx_drop_unmarkable, "tls_tx_drop_unmarkable", \
      "dropped: marked for a TIS, but cannot be encrypted as a whole") \
    X(rx_decrypted_bytes, "tls_rx_decrypted_bytes", \
      "payload of decrypted packets") \
    X(rx_records, "tls_rx_records", "record headers passed while in sync") \
    X(rx_tag_ok, "tls_rx_tag_ok", \
      "records tracked for decryption whose tag was right") \
    X(rx_tag_bad, "tls_rx_tag_bad", \
      "records tracked for decryption whose tag was wrong") \
    X(rx_skipped, "tls_rx_skipped", \
      "records given up: bytes missing, or flag 3 raised in them")

#define MLX5_TLS_FLAG_COUNTERS(X) \
    X(rx_packets[0], "tls_rx_not_decrypted", \
      "packets flagged as not decrypted") \
    X(rx_packets[1], "tls_rx_decrypted", \
      "packets flagged as decrypted") \
    X(rx_packets[2], "tls_rx_resync", \
      "packets flagged as a request to resync") \
    X(rx_packets[3], "tls_rx_error", \
      "packets flagged as having a record that failed to authenticate")

typedef struct Mlx5TlsCounters {
    uint64_t rx_packets[4];     /* by Mlx5TlsFlag */
#define MLX5_TLS_COUNTER_MEMBER(member, name, about) uint64_t member;
    MLX5_TLS_COUNTERS(MLX5_TLS_COUNTER_MEMBER)
#undef MLX5_TLS_COUNTER_MEMBER
} Mlx5TlsCounters;

/* Highest row number of a state machine. */
#define MLX5_TLS_MAX_ROW    63

/*
 * Accessed only through the functions below, which are inline for the data
 * path.
 */
typedef struct Mlx5TlsEngine {
    Mlx5GcmPool *gcm;
    Mlx5TlsKnobs knobs;
    Mlx5TlsRecordLogFn *log_fn;
    void *log_opaque;
    GArray *spans;
    GArray *events;
    Mlx5TlsCounters counters;
    uint64_t rows[2][MLX5_TLS_MAX_ROW + 1];     /* by Mlx5TlsDir */
} Mlx5TlsEngine;

/*
 * @slots and @errmsg as in mlx5_gcm_pool_new(). The engine must outlive every
 * context and open record made with it; keys may outlive it.
 */
Mlx5TlsEngine *mlx5_tls_engine_new(unsigned slots, char **errmsg);
void mlx5_tls_engine_free(Mlx5TlsEngine *engine);   /* NULL is allowed */

/* Returns the pool of cipher contexts for records of its contexts. */
static inline Mlx5GcmPool *mlx5_tls_engine_gcm(const Mlx5TlsEngine *engine)
{
    return engine->gcm;
}

/*
 * Returns the knobs, which may be changed at any time; contexts read them on
 * use.
 */
static inline Mlx5TlsKnobs *mlx5_tls_engine_knobs(Mlx5TlsEngine *engine)
{
    return &engine->knobs;
}

/* Returns the counters since creation; the device may zero them. */
static inline Mlx5TlsCounters *mlx5_tls_engine_counters(Mlx5TlsEngine *engine)
{
    return &engine->counters;
}

/*
 * Sets the record log's function; NULL (the default) switches it off, at no
 * cost.
 */
void mlx5_tls_engine_set_record_log(Mlx5TlsEngine *engine,
                                    Mlx5TlsRecordLogFn *fn, void *opaque);

/*
 * Returns how often contexts have taken a row of their table (TX1.., R1..)
 * since the engine was created. 0 for a row that does not exist.
 */
uint64_t mlx5_tls_engine_row_hits(const Mlx5TlsEngine *engine, Mlx5TlsDir dir,
                                  unsigned row);

/* ---- for tls_tx.c and tls_rx.c ------------------------------------------- */

/* Counts that a context has taken @row, 0..MLX5_TLS_MAX_ROW; 0 is none. */
static inline void mlx5_tls_engine_count_row(Mlx5TlsEngine *engine,
                                             Mlx5TlsDir dir, unsigned row)
{
    engine->rows[dir][row]++;
}

/*
 * Scratch arrays, empty between calls and erased by the user: of Mlx5GcmSpan,
 */
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

/* Passes the collected events to the record log, in order, and drops them. */
void mlx5_tls_engine_flush_events(Mlx5TlsEngine *engine);

#endif
