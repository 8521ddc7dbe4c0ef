/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record log: one JSON object a line for each TLS record that ends in a
 * context, what was done with it and why. Owns the log's file. Written from
 * the engine's record log callback; nothing here changes a verdict.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "observe.h"
#include "trace.h"

static const char *const mode_names[] = {
    [MLX5_TLS_RECORD_ENCRYPT] = "encrypt",
    [MLX5_TLS_RECORD_DECRYPT] = "decrypt",
    [MLX5_TLS_RECORD_AUTHONLY] = "authenticate",
    [MLX5_TLS_RECORD_SKIP] = "skip",
};

static const char *const end_names[] = {
    [MLX5_TLS_RECORD_END_DONE] = "done",
    [MLX5_TLS_RECORD_END_TAG_OK] = "tag-ok",
    [MLX5_TLS_RECORD_END_TAG_BAD] = "tag-bad",
    [MLX5_TLS_RECORD_END_LOST] = "lost",
};

/* What the record's bytes were delivered or sent as. */
static const char *verdict(const Mlx5TlsRecordEvent *e)
{
    if (e->dir == MLX5_TLS_DIR_TX) {
        return e->sent && e->dumped ? "sent-and-dumped" :
               e->sent ? "sent" : "dumped";
    }
    return e->decrypted && e->not_decrypted ? "partly-decrypted" :
           e->decrypted ? "decrypted" : "not-decrypted";
}

static const char *state_name(const Mlx5TlsRecordEvent *e, uint8_t state)
{
    return e->dir == MLX5_TLS_DIR_TX ? mlx5_tls_tx_state_str(state) :
                                       mlx5_tls_rx_state_str(state);
}

static void log_record(void *opaque, const Mlx5TlsRecordEvent *e)
{
    Mlx5State *s = opaque;
    g_autoptr(GString) line = g_string_new(NULL);

    g_string_append_printf(line, "{\"dev\":\"%s\",\"dir\":\"%s\",\"%s\":%"
                           PRIu32, DEVICE(s)->id ?: "",
                           e->dir == MLX5_TLS_DIR_TX ? "tx" : "rx",
                           e->dir == MLX5_TLS_DIR_TX ? "tisn" : "tirn", e->id);
    if (e->number_known) {
        g_string_append_printf(line, ",\"record\":%" PRIu64, e->number);
    }
    if (e->tcp_sn_known) {
        g_string_append_printf(line, ",\"tcp_sn\":%" PRIu32, e->tcp_sn);
    }
    g_string_append_printf(line,
                           ",\"len\":%" PRIu32 ",\"type\":%u,\"mode\":\"%s\","
                           "\"end\":\"%s\",\"verdict\":\"%s\","
                           "\"before\":\"%s\",\"after\":\"%s\"}\n",
                           e->len, e->type, mode_names[e->mode],
                           end_names[e->end], verdict(e),
                           state_name(e, e->state_before),
                           state_name(e, e->state_after));
    if (fwrite(line->str, line->len, 1, s->record_log_file) != 1 ||
        fflush(s->record_log_file)) {
        trace_mlx5_record_log_error(DEVICE(s)->id, strerror(errno));
    }
}

bool mlx5_observe_init(Mlx5State *s, Error **errp)
{
    if (!s->record_log) {
        return true;
    }
    /* Several devices may share a file: lines are appended whole. */
    s->record_log_file = fopen(s->record_log, "ae");
    if (!s->record_log_file) {
        error_setg_errno(errp, errno, "record-log=%s: cannot be opened",
                         s->record_log);
        return false;
    }
    mlx5_tls_engine_set_record_log(s->fn.tls.engine, log_record, s);
    return true;
}

void mlx5_observe_finalize(Mlx5State *s)
{
    g_clear_pointer(&s->record_log_file, fclose);
}
