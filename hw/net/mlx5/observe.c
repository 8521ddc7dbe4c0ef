/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record log: one line with a JSON object for each TLS record that ends in
 * a context, with its treatment and the reason. An observer (tap.h); owns the
 * log file. Also formats foreign strings for traces.
 */
#include "qemu/osdep.h"
#include <sys/stat.h>
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/error-report.h"
#include "qobject/json-writer.h"
#include "err.h"
#include "observe.h"
#include "tap.h"

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

struct Mlx5RecordLog {
    Mlx5Tap tap;
    int fd;
    int64_t full; /* file length when it became full, or -1 */
    bool torn;    /* the last line is incomplete */
};

static const char *state_name(const Mlx5TlsRecordEvent *e, uint8_t state)
{
    return e->dir == MLX5_TLS_DIR_TX ? mlx5_tls_tx_state_str(state) :
                                       mlx5_tls_rx_state_str(state);
}

/*
 * Returns whether the file may grow by @len bytes. Others may write to it too,
 * so its length is queried. After the first line that does not fit, no more are
 * written, since a log with gaps would be mistaken for a complete one; this is
 * reported once. Logging resumes when the file is set again or has been
 * truncated. A FIFO has no length.
 */
static bool log_has_room(Mlx5State *s, size_t len)
{
    Mlx5RecordLog *log = s->records;
    struct stat st;
    uint64_t size;

    if (!s->record_log_max || fstat(log->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return true;
    }
    size = st.st_size;
    if (log->full >= 0) {
        if (size >= log->full) {
            return false;
        }
        log->full = -1;
    }
    if (size <= s->record_log_max && len <= s->record_log_max - size) {
        return true;
    }
    log->full = size;
    mlx5_err_record_log(&s->fn, "the file is as long as record-log-max allows: "
                        "no more lines");
    warn_report("mlx5-ktls %s: record-log: %s has %" PRIu64 " bytes, "
                "record-log-max=%" PRIu64 " allows no more: no further lines "
                "until it is set again or cut", mlx5_id(&s->fn),
                s->record_log, size, s->record_log_max);
    return false;
}

/*
 * One write for each line, so that lines of several devices do not mix. A line
 * that cannot be written is lost; if part of it was written, that part becomes
 * a line of its own.
 */
static void log_line(Mlx5State *s, GString *line)
{
    Mlx5RecordLog *log = s->records;
    ssize_t n;

    if (log->torn) {
        g_string_prepend_c(line, '\n');
    }
    if (!log_has_room(s, line->len)) {
        return;
    }
    n = RETRY_ON_EINTR(write(log->fd, line->str, line->len));
    if (n == (ssize_t)line->len) {
        log->torn = false;
        return;
    }
    mlx5_err_record_log(&s->fn, n < 0 ? strerror(errno) : "no room");
    if (n > 0) {
        log->torn = true;
    }
}

static void log_record(Mlx5Tap *tap, Mlx5Function *fn,
                       const Mlx5TlsRecordEvent *e)
{
    bool tx = e->dir == MLX5_TLS_DIR_TX;
    JSONWriter *w = json_writer_new(false);
    g_autoptr(GString) line = NULL;

    json_writer_start_object(w, NULL);
    json_writer_str(w, "dev", DEVICE(fn->dev)->id ?: "");
    json_writer_str(w, "dir", tx ? "tx" : "rx");
    json_writer_uint64(w, tx ? "tisn" : "tirn", e->id);
    if (e->number_known) {
        json_writer_uint64(w, "record", e->number);
    }
    if (e->tcp_sn_known) {
        json_writer_uint64(w, "tcp_sn", e->tcp_sn);
    }
    json_writer_uint64(w, "len", e->len);
    json_writer_uint64(w, "type", e->type);
    json_writer_str(w, "mode", mlx5_tls_record_mode_str(e));
    json_writer_str(w, "end", mlx5_tls_record_end_str(e));
    json_writer_str(w, "verdict", mlx5_tls_record_verdict_str(e));
    json_writer_str(w, "before", state_name(e, e->state_before));
    json_writer_str(w, "after", state_name(e, e->state_after));
    json_writer_end_object(w);
    line = json_writer_get_and_free(w);
    g_string_append_c(line, '\n');
    log_line(fn->dev, line);
}

static void log_free(Mlx5RecordLog *log)
{
    close(log->fd);
    g_free(log);
}

static void log_end(Mlx5Tap *tap, Mlx5Function *fn)
{
    log_free(g_steal_pointer(&fn->dev->records));
}

/* Closes the current log file, if any. */
static void log_close(Mlx5State *s)
{
    if (s->records) {
        mlx5_tap_remove(&s->fn, &s->records->tap);
        log_free(g_steal_pointer(&s->records));
    }
}

/* Starts appending to @path; on failure the current log stays in use. */
static bool log_open(Mlx5State *s, const char *path, Error **errp)
{
    static const Mlx5TapOps ops = { .record = log_record, .end = log_end };
    /* A FIFO without a reader is an error or loses lines; we never block. */
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK,
                  0666);

    if (fd < 0) {
        error_setg_errno(errp, errno, "record-log=%s: cannot be opened", path);
        return false;
    }
    log_close(s);
    s->records = g_new0(Mlx5RecordLog, 1);
    s->records->tap.ops = &ops;
    s->records->fd = fd;
    s->records->full = -1;
    mlx5_tap_add(&s->fn, &s->records->tap);
    return true;
}

static char *get_record_log(Object *obj, Error **errp)
{
    return g_strdup(MLX5_KTLS(obj)->record_log ?: "");
}

/* Before realize, only the name is stored; later it takes effect at once. */
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

bool mlx5_visit_file_limit(Visitor *v, const char *name, uint64_t *limit,
                           Error **errp)
{
    uint64_t value;

    if (!visit_type_size(v, name, &value, errp)) {
        return false;
    }
    if (value > INT64_MAX) {
        error_setg(errp, "%s=%" PRIu64 ": expected 0 (no limit) to %" PRId64,
                   name, value, INT64_MAX);
        return false;
    }
    *limit = value;
    return true;
}

static void get_log_max(Object *obj, Visitor *v, const char *name, void *opaque,
                        Error **errp)
{
    visit_type_size(v, name, &MLX5_KTLS(obj)->record_log_max, errp);
}

/* Takes effect with the next line, even if the log was full. */
static void set_log_max(Object *obj, Visitor *v, const char *name, void *opaque,
                        Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);

    if (!mlx5_visit_file_limit(v, name, &s->record_log_max, errp)) {
        return;
    }
    if (s->records) {
        s->records->full = -1;
    }
}

bool mlx5_observe_init(Mlx5State *s, Error **errp)
{
    return !s->record_log || log_open(s, s->record_log, errp);
}

void mlx5_observe_instance_init(Mlx5State *s)
{
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
        "file to which one JSON line per TLS record is appended, empty: "
        "none; can be set at any time");
    object_class_property_add(klass, "record-log-max", "size", get_log_max,
                              set_log_max, NULL, NULL);
    object_class_property_set_description(klass, "record-log-max",
        "size limit of that file in bytes (default: 1G, 0: no limit); can be "
        "set at any time");
}
