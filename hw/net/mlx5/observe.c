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

/*
 * One write for each line, so that lines of several devices do not mix. One that
 * does not fit is lost; if a part of it was written, that part has a line of its
 * own.
 */
static void log_line(Mlx5State *s, GString *line)
{
    ssize_t n;

    if (s->record_log_torn) {
        g_string_prepend_c(line, '\n');
    }
    n = RETRY_ON_EINTR(write(s->record_log_fd, line->str, line->len));
    if (n == (ssize_t)line->len) {
        s->record_log_torn = false;
        return;
    }
    trace_mlx5_record_log_error(DEVICE(s)->id,
                                n < 0 ? strerror(errno) : "no room");
    if (n > 0) {
        s->record_log_torn = true;
    }
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
    log_line(s, line);
}

/* Lets go of the file that is being written, if there is one. */
static void log_close(Mlx5State *s)
{
    if (s->record_log_fd >= 0) {
        mlx5_tls_engine_set_record_log(s->fn.tls.engine, NULL, NULL);
        close(s->record_log_fd);
        s->record_log_fd = -1;
    }
}

/* Begins to append to @path; what was written before goes on if that fails. */
static bool log_open(Mlx5State *s, const char *path, Error **errp)
{
    /* A FIFO that nobody reads is an error or loses lines; we never wait. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK,
                  0666);

    if (fd < 0) {
        error_setg_errno(errp, errno, "record-log=%s: cannot be opened", path);
        return false;
    }
    log_close(s);
    s->record_log_fd = fd;
    s->record_log_torn = false;
    mlx5_tls_engine_set_record_log(s->fn.tls.engine, log_record, s);
    return true;
}

static char *get_record_log(Object *obj, Error **errp)
{
    return g_strdup(MLX5_KTLS(obj)->record_log ?: "");
}

/* Before the device is realized the name is kept; after that it takes effect. */
static void set_record_log(Object *obj, const char *value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);

    if (DEVICE(obj)->realized) {
        if (!*value) {
            log_close(s);
        } else if (!log_open(s, value, errp)) {
            return;
        }
    }
    g_free(s->record_log);
    s->record_log = *value ? g_strdup(value) : NULL;
}

bool mlx5_observe_init(Mlx5State *s, Error **errp)
{
    return !s->record_log || log_open(s, s->record_log, errp);
}

void mlx5_observe_finalize(Mlx5State *s)
{
    if (s->record_log_fd >= 0) {
        close(s->record_log_fd);
        s->record_log_fd = -1;
    }
}

void mlx5_observe_instance_init(Mlx5State *s)
{
    s->record_log_fd = -1;
}

void mlx5_observe_instance_finalize(Mlx5State *s)
{
    g_clear_pointer(&s->record_log, g_free);
}

void mlx5_observe_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "record-log", get_record_log,
                                  set_record_log);
    object_class_property_set_description(klass, "record-log",
        "file to which a JSON line for each TLS record is appended, empty for "
        "none; can be set at any time");
}
