/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * State machine of a TX context. See tls_tx.h for the rows, ownership and
 * callers; the table is in tls_tx_table.c.
 *
 * All record headers in a packet are checked before its first byte is
 * encrypted, so that a packet with a bad header is dropped unchanged.
 */
#include "secret.h"
#include "tls_tx_table.h"

#include <string.h>

/* ---- the stream ---------------------------------------------------------- */

/*
 * Returns whether all headers in these bytes are valid (partial ones included).
 * No side effects.
 */
static bool stream_check(const Mlx5TlsTx *tx, const uint8_t *data, size_t len)
{
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    size_t fill = tx->hdr_fill;
    size_t off =
        mlx5_tls_record_is_open(&tx->rec) ? mlx5_tls_record_left(&tx->rec) : 0;

    memcpy(hdr, tx->hdr, fill);
    while (off < len) {
        size_t n = MIN(sizeof(hdr) - fill, len - off);

        memcpy(hdr + fill, data + off, n);
        fill += n;
        off += n;
        switch (mlx5_tls_header_check(tx->setup.run.tls_version, hdr, fill)) {
        case MLX5_TLS_HEADER_BAD:
            return false;
        case MLX5_TLS_HEADER_PARTIAL:
            return true;
        case MLX5_TLS_HEADER_OK:
            off += mlx5_tls_header_body(hdr);
            fill = 0;
            break;
        }
    }
    return true;
}

static void record_done(Mlx5TlsTx *tx, uint8_t state_before, size_t end_off)
{
    if (mlx5_tls_engine_logging(tx->engine)) {
        Mlx5TlsRecordEvent ev = {
            .dir = MLX5_TLS_DIR_TX,
            .id = tx->id,
            .number = tx->rec.s.number,
            .number_known = true,
            .tcp_sn = tx->rec_sn,
            .tcp_sn_known = tx->rec_sn_known,
            .len = MLX5_TLS_HDR_LEN + tx->rec.s.len,
            .type = tx->rec.s.hdr[0],
            .mode = MLX5_TLS_RECORD_ENCRYPT,
            .end = MLX5_TLS_RECORD_END_DONE,
            .sent = tx->rec_sent,
            .dumped = tx->rec_dumped,
            .state_before = state_before,
            .state_after = tx->state,
            .end_off = (uint32_t)end_off,
        };

        memcpy(ev.tag, tx->rec.s.tag, MLX5_TLS_TAG_LEN);
        g_array_append_val(mlx5_tls_engine_events(tx->engine), ev);
    }
    mlx5_tls_record_close(&tx->rec);
}

/*
 * Processes stream bytes that have passed stream_check(). Encrypted bytes go to
 * out (NULL: discard). Returns the number of records completed.
 */
static uint32_t stream_feed(Mlx5TlsTx *tx, uint32_t seq, bool seq_known,
                            uint8_t *out, const uint8_t *data, size_t len,
                            uint8_t state_before)
{
    uint32_t records = 0;
    size_t off = 0;

    while (off < len) {
        if (tx->hdr_fill == 0 && !mlx5_tls_record_is_open(&tx->rec)) {
            tx->rec_sn = seq + (uint32_t)off;
            tx->rec_sn_known = seq_known;
            tx->rec_sent = false;
            tx->rec_dumped = false;
        }
        tx->rec_sent |= out != NULL;
        tx->rec_dumped |= out == NULL;

        if (mlx5_tls_record_is_open(&tx->rec)) {
            off += mlx5_tls_record_encrypt(&tx->rec, out ? out + off : NULL,
                                           data + off, len - off);
            if (mlx5_tls_record_left(&tx->rec) == 0) {
                record_done(tx, state_before, off);
                records++;
            }
        } else {
            size_t n = MIN(MLX5_TLS_HDR_LEN - tx->hdr_fill, len - off);

            /* headers are sent unchanged */
            memcpy(tx->hdr + tx->hdr_fill, data + off, n);
            tx->hdr_fill += n;
            off += n;
            if (tx->hdr_fill == MLX5_TLS_HDR_LEN) {
                tx->hdr_fill = 0;
                mlx5_tls_record_open(&tx->rec, mlx5_tls_engine_gcm(tx->engine),
                                     &tx->setup.run, tx->setup.rec_no++,
                                     tx->hdr);
            }
        }
    }
    return records;
}

/* ---- the machine --------------------------------------------------------- */

static void stream_forget(Mlx5TlsTx *tx)
{
    mlx5_tls_record_close(&tx->rec);
    tx->hdr_fill = 0;
}

/* Returns the action for a packet out of sequence, according to the knob. */
static TxAction check_seq(const Mlx5TlsTx *tx, Mlx5TlsTxResult *res)
{
    switch (mlx5_tls_engine_knobs(tx->engine)->tx_seq_check) {
    case MLX5_TLS_TX_SEQ_DROP:
        break;
    case MLX5_TLS_TX_SEQ_ERROR_CQE:
        res->verdict = MLX5_TLS_TX_ERROR_CQE;
        break;
    case MLX5_TLS_TX_SEQ_IGNORE:
        res->verdict = MLX5_TLS_TX_SEND;
        return TX_ACT_FEED_START;
    }
    return TX_ACT_NONE;
}

/*
 * Executes the cell of (state, event). seq, out, data, len: the packet (out ==
 * data), or DUMP (out NULL), or nothing.
 */
static void step(Mlx5TlsTx *tx, TxEvent event, uint32_t seq, uint8_t *out,
                 const uint8_t *data, size_t len, Mlx5TlsTxResult *res)
{
    const TxCell *cell = mlx5_tls_tx_cell(tx->state, event);
    TxAction action = cell->action;
    uint8_t before = tx->state;

    mlx5_tls_engine_count_row(tx->engine, MLX5_TLS_DIR_TX, cell->row);
    *res = (Mlx5TlsTxResult) {
        .verdict = cell->verdict,
        .reason = cell->reason,
        .row = cell->row,
        .state_before = before,
        .exp_known = tx->state == MLX5_TLS_TX_ACTIVE_SEQ,
        .exp_seq = tx->exp_seq,
    };
    if (cell->next != MLX5_TLS_TX_SAME) {
        tx->state = cell->next;
    }
    if (action == TX_ACT_REFUSE) {
        tx->state = MLX5_TLS_TX_BROKEN;
    }
    res->state_after = tx->state;

    if (action == TX_ACT_SEQ_CHECK) {
        action = check_seq(tx, res);
    }
    switch (action) {
    case TX_ACT_NONE:
    case TX_ACT_SEQ_CHECK:
        break;
    case TX_ACT_FEED_START:
        tx->exp_seq = seq;
        /* fall through */
    case TX_ACT_FEED:
        res->records =
            stream_feed(tx, tx->exp_seq, true, out, data, len, before);
        tx->exp_seq += (uint32_t)len;
        break;
    case TX_ACT_FEED_BLIND:
        res->records = stream_feed(tx, 0, false, out, data, len, before);
        break;
    case TX_ACT_REFUSE:
    case TX_ACT_BREAK:
        stream_forget(tx);
        break;
    case TX_ACT_RUN:
        stream_forget(tx);
        mlx5_tls_setup_run(&tx->setup, 0);
        break;
    case TX_ACT_STOP:
        stream_forget(tx);
        mlx5_tls_setup_stop(&tx->setup);
        break;
    }
    if (tx->state == MLX5_TLS_TX_INVALID &&
        res->reason == MLX5_TLS_REASON_NO_CTX) {
        res->reason = tx->setup.why_not;
    }
    mlx5_tls_engine_flush_events(tx->engine);
}

/* Returns whether the context accepts bytes at all. */
static bool feeds(const Mlx5TlsTx *tx)
{
    return tx->state == MLX5_TLS_TX_START || tx->state == MLX5_TLS_TX_ACTIVE ||
           tx->state == MLX5_TLS_TX_ACTIVE_SEQ;
}

static void too_long(Mlx5TlsTx *tx, Mlx5TlsTxResult *res)
{
    *res = (Mlx5TlsTxResult) {
        .verdict = MLX5_TLS_TX_DROP,
        .reason = MLX5_TLS_REASON_TOO_LONG,
        .state_before = tx->state,
        .state_after = tx->state,
        .exp_known = tx->state == MLX5_TLS_TX_ACTIVE_SEQ,
        .exp_seq = tx->exp_seq,
    };
}

void mlx5_tls_tx_packet(Mlx5TlsTx *tx, uint32_t seq, uint8_t *payload,
                        size_t len, Mlx5TlsTxResult *res)
{
    Mlx5TlsCounters *c = mlx5_tls_engine_counters(tx->engine);
    TxEvent event = TX_EV_PACKET;

    if (len > MLX5_TLS_MAX_PAYLOAD) {
        too_long(tx, res);
        c->tx_drop_unmarkable++;
        return;
    }
    if (len == 0) {
        event = TX_EV_EMPTY;
    } else if (tx->state == MLX5_TLS_TX_ACTIVE_SEQ && seq != tx->exp_seq) {
        event = TX_EV_PACKET_OTHER;
    }
    if (event != TX_EV_EMPTY && feeds(tx) &&
        (event == TX_EV_PACKET ||
         mlx5_tls_engine_knobs(tx->engine)->tx_seq_check ==
         MLX5_TLS_TX_SEQ_IGNORE) &&
        !stream_check(tx, payload, len)) {
        event = TX_EV_BAD_HEADER;
    }
    step(tx, event, seq, payload, payload, len, res);

    if (res->verdict == MLX5_TLS_TX_SEND) {
        c->tx_packets += len > 0;
        c->tx_bytes += len;
        c->tx_records += res->records;
        return;
    }
    switch (res->reason) {
    case MLX5_TLS_REASON_BAD_HEADER:
    case MLX5_TLS_REASON_BROKEN:
        c->tx_bad_header++;
        break;
    case MLX5_TLS_REASON_SEQ_MISMATCH:
        c->tx_seq_mismatch++;
        break;
    default:
        c->tx_no_ctx++;
        break;
    }
}

void mlx5_tls_tx_dump(Mlx5TlsTx *tx, const uint8_t *data, size_t len,
                      Mlx5TlsTxResult *res)
{
    Mlx5TlsCounters *c = mlx5_tls_engine_counters(tx->engine);
    TxEvent event = len ? TX_EV_DUMP : TX_EV_EMPTY;

    if (len > MLX5_TLS_MAX_PAYLOAD) {
        too_long(tx, res);
        c->tx_dump_ignored++;
        return;
    }
    if (feeds(tx) && !stream_check(tx, data, len)) {
        event = TX_EV_BAD_HEADER;
    }
    step(tx, event, 0, NULL, data, len, res);
    res->verdict = MLX5_TLS_TX_DROP;
    if (res->reason == MLX5_TLS_REASON_NONE) {
        c->tx_dumps++;
        c->tx_dump_bytes += len;
    } else if (len) {
        c->tx_dump_ignored++;
    }
}

Mlx5TlsReason
mlx5_tls_tx_set_static(Mlx5TlsTx *tx,
                       const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                       Mlx5TlsKey *key)
{
    Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(tx->engine);
    Mlx5TlsReason why = mlx5_tls_setup_static(&tx->setup, knobs, image, key);
    Mlx5TlsTxResult res;

    step(tx, TX_EV_STATIC, 0, NULL, NULL, 0, &res);
    return why;
}

Mlx5TlsReason
mlx5_tls_tx_set_progress(Mlx5TlsTx *tx,
                         const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    Mlx5TlsKnobs *knobs = mlx5_tls_engine_knobs(tx->engine);
    Mlx5TlsProgressParams progress;
    Mlx5TlsTxResult res;
    TxEvent event;

    switch (mlx5_tls_setup_start(&tx->setup, knobs, image, &progress)) {
    case MLX5_TLS_REASON_NONE:
        event = TX_EV_START;
        break;
    case MLX5_TLS_REASON_BAD_PARAMS:
        event = TX_EV_PSV_OTHER;
        break;
    default:
        event = TX_EV_START_UNUSABLE;
        break;
    }
    step(tx, event, 0, NULL, NULL, 0, &res);
    return res.reason;
}

void mlx5_tls_tx_init(Mlx5TlsTx *tx, Mlx5TlsEngine *engine, uint32_t id)
{
    memset(tx, 0, sizeof(*tx));
    tx->engine = engine;
    tx->id = id;
    mlx5_tls_setup_init(&tx->setup);
}

void mlx5_tls_tx_clear(Mlx5TlsTx *tx)
{
    mlx5_tls_record_close(&tx->rec);
    mlx5_tls_setup_clear(&tx->setup);
    mlx5_secret_erase(tx, sizeof(*tx));
}
