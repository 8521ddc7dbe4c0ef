/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record log: one JSON object a line for each TLS record that ends in a
 * context, what was done with it and why. Owns the log's file. Written from
 * the engine's record log callback; nothing here changes a verdict. And how
 * strings that others made are written into traces.
 */
#include "qemu/osdep.h"
#include <sys/stat.h>
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "qobject/json-writer.h"
#include "observe.h"
#include "trace.h"

char *mlx5_printable(const char *text, size_t max)
{
    GString *s = g_string_new(NULL);
    size_t i;

    for (i = 0; i < max && text[i]; i++) {
        if (g_ascii_isprint(text[i]) && text[i] != '\\') {
            g_string_append_c(s, text[i]);
        } else {
            g_string_append_printf(s, "\\x%02x", (uint8_t)text[i]);
        }
    }
    return g_string_free(s, FALSE);
}

#define LOG_MAX_DEFAULT (1 * GiB)

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
 * May the file get @len bytes longer? It may be written by others too, so it is
 * asked how long it is. Once a line did not fit there is no more, for a log with
 * holes would be read as one without; that is said once. It goes on when the file
 * is set again or has been cut. A FIFO has no length.
 */
static bool log_has_room(Mlx5State *s, size_t len)
{
    struct stat st;
    uint64_t size;

    if (!s->record_log_max || fstat(s->record_log_fd, &st) < 0 ||
        !S_ISREG(st.st_mode)) {
        return true;
    }
    size = st.st_size;
    if (s->record_log_full >= 0) {
        if (size >= s->record_log_full) {
            return false;
        }
        s->record_log_full = -1;
    }
    if (size <= s->record_log_max && len <= s->record_log_max - size) {
        return true;
    }
    s->record_log_full = size;
    trace_mlx5_record_log_error(DEVICE(s)->id, "the file is as long as "
                                "record-log-max allows: no more lines");
    warn_report("mlx5-ktls %s: record-log: %s has %" PRIu64 " bytes, "
                "record-log-max=%" PRIu64 " allows no more: no further lines "
                "until it is set again or cut", DEVICE(s)->id ?: "",
                s->record_log, size, s->record_log_max);
    return false;
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
    if (!log_has_room(s, line->len)) {
        return;
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

    g_string_append_printf(line, "{\"dev\":%s,\"dir\":\"%s\",\"%s\":%"
                           PRIu32, s->record_log_dev,
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
        g_clear_pointer(&s->record_log_dev, g_free);
    }
}

/* @text as a string of JSON, in its quotes. */
static char *json_string(const char *text)
{
    JSONWriter *w = json_writer_new(false);

    json_writer_str(w, NULL, text);
    return g_string_free(json_writer_get_and_free(w), FALSE);
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
    s->record_log_dev = json_string(DEVICE(s)->id ?: "");
    s->record_log_torn = false;
    s->record_log_full = -1;
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

static void get_log_max(Object *obj, Visitor *v, const char *name, void *opaque,
                        Error **errp)
{
    visit_type_size(v, name, &MLX5_KTLS(obj)->record_log_max, errp);
}

/* Takes effect with the next line, whatever was said before. */
static void set_log_max(Object *obj, Visitor *v, const char *name, void *opaque,
                        Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    uint64_t value;

    if (!visit_type_size(v, name, &value, errp)) {
        return;
    }
    if (value > INT64_MAX) {
        error_setg(errp, "record-log-max=%" PRIu64 ": expected 0 (no limit) to "
                   "%" PRId64, value, INT64_MAX);
        return;
    }
    s->record_log_max = value;
    s->record_log_full = -1;
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
        g_clear_pointer(&s->record_log_dev, g_free);
    }
}

void mlx5_observe_instance_init(Mlx5State *s)
{
    s->record_log_fd = -1;
    s->record_log_max = LOG_MAX_DEFAULT;
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
    object_class_property_add(klass, "record-log-max", "size", get_log_max,
                              set_log_max, NULL, NULL);
    object_class_property_set_description(klass, "record-log-max",
        "how long that file may get, in bytes (1G by default, 0: no limit); "
        "can be set at any time");
}
