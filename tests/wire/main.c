/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mlx5-wire: a packet middlebox for tests. See docs/wire.md.
 *
 * Responsible for the command line and the poll loop. Exits with 0 when a side
 * has closed or on a signal, with 1 on errors, with 2 for bad arguments. State:
 * one Wire, owned by main().
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "control.h"
#include "core.h"
#include "port.h"

#define EXIT_USAGE 2

typedef struct Wire {
    WireCore core;
    WirePort *port[2];      /* by side: 0 is A */
    WireControl *control;   /* or NULL */
    int signals;
    bool ending;
    bool failed;
} Wire;

typedef struct Options {
    char *side[2];
    char **rules;
    char *rules_file;
    char *control;
    char *log;
    char *stats;
    gint64 seed;
    gboolean help_rules;
    gboolean check;
} Options;

/* The context for reading a side's frames. */
typedef struct From {
    Wire *wire;
    WireDir dir;
    int64_t now;
} From;

static void fail(Wire *w, char *message)
{
    g_printerr("mlx5-wire: %s\n", message);
    g_free(message);
    w->failed = w->ending = true;
}

static void send_frame(void *opaque, WireDir dir, const uint8_t *frame,
                       size_t len)
{
    Wire *w = opaque;

    wire_port_put(w->port[dir == WIRE_A_TO_B ? 1 : 0], frame, len);
}

static void take_frame(void *opaque, const uint8_t *frame, size_t len)
{
    From *from = opaque;

    wire_core_input(&from->wire->core, from->dir, frame, len, from->now);
}

static void act_on(Wire *w, WirePortState state, char *err)
{
    if (state == WIRE_PORT_END) {
        w->ending = true;
    } else if (state == WIRE_PORT_ERROR) {
        fail(w, err);
    }
}

static void read_side(Wire *w, unsigned side)
{
    From from = { w, side ? WIRE_B_TO_A : WIRE_A_TO_B, g_get_monotonic_time() };
    char *err = NULL;
    WirePortState state = wire_port_read(w->port[side], take_frame, &from,
                                         &err);

    act_on(w, state, err);
}

static void flush_sides(Wire *w)
{
    WirePortState state;
    unsigned side;
    char *err;

    for (side = 0; side < 2; side++) {
        err = NULL;
        state = wire_port_flush(w->port[side], &err);
        act_on(w, state, err);
    }
}

static int timeout_of(const Wire *w)
{
    int64_t deadline = wire_core_deadline(&w->core), left;
    int timeout = -1;
    unsigned side;

    if (deadline >= 0) {
        left = deadline - g_get_monotonic_time();
        timeout = left <= 0 ? 0 : (int)MIN((left + 999) / 1000, 60000);
    }
    for (side = 0; side < 2; side++) {
        int retry = wire_port_retry(w->port[side]);

        if (retry >= 0 && (timeout < 0 || retry < timeout)) {
            timeout = retry;
        }
    }
    return timeout;
}

/* One iteration: wait, read, decide, write. */
static void turn(Wire *w)
{
    struct pollfd fds[3 + WIRE_MAX_CLIENTS + 1];
    unsigned n = 3, side;

    for (side = 0; side < 2; side++) {
        short events = wire_port_full(w->port[!side]) ? 0 : POLLIN;

        if (wire_port_wants_out(w->port[side])) {
            events |= POLLOUT;
        }
        /* a side that must not be read must not wake us by closing either */
        fds[side] = (struct pollfd){ events ? wire_port_fd(w->port[side]) : -1,
                                     events, 0 };
    }
    fds[2] = (struct pollfd){ w->signals, POLLIN, 0 };
    if (w->control) {
        n += wire_control_poll(w->control, fds + 3);
    }
    if (poll(fds, n, timeout_of(w)) < 0) {
        if (errno != EINTR) {
            fail(w, g_strdup_printf("poll: %s", g_strerror(errno)));
        }
        return;
    }
    if (fds[2].revents) {
        w->ending = true;
    }
    wire_core_tick(&w->core, g_get_monotonic_time());
    for (side = 0; side < 2; side++) {
        if (fds[side].revents & ~POLLOUT && fds[side].events & POLLIN) {
            read_side(w, side);
        }
    }
    if (w->control) {
        wire_control_serve(w->control, fds + 3, n - 3);
    }
    flush_sides(w);
}

/* Sends what is still queued, as far as the sides accept it. */
static void drain(Wire *w)
{
    enum { PATIENCE_MS = 200 };
    struct pollfd fds[2];
    unsigned side;

    wire_core_remove_rule(&w->core, 0);
    flush_sides(w);
    for (side = 0; side < 2; side++) {
        fds[side] = (struct pollfd){
            wire_port_queued(w->port[side]) ? wire_port_fd(w->port[side]) : -1,
            POLLOUT,
            0,
        };
    }
    if ((fds[0].fd >= 0 || fds[1].fd >= 0) && poll(fds, 2, PATIENCE_MS) > 0) {
        flush_sides(w);
    }
}

static bool add_rules(Wire *w, char *const *rules, const char *where)
{
    GError *err = NULL;

    for (; rules && *rules; rules++) {
        char *text = g_strstrip(g_strdup(*rules));
        bool skip = where && (!*text || *text == '#');

        if (!skip && !wire_core_add_rule(&w->core, text, &err)) {
            g_printerr("mlx5-wire: %s%s%s\n", where ? where : "",
                       where ? ": " : "", err->message);
            g_error_free(err);
            g_free(text);
            return false;
        }
        g_free(text);
    }
    return true;
}

static bool add_rules_of_file(Wire *w, const char *path)
{
    GError *err = NULL;
    char *text, **lines;
    bool ok;

    if (!g_file_get_contents(path, &text, NULL, &err)) {
        g_printerr("mlx5-wire: --rules: %s\n", err->message);
        g_error_free(err);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    ok = add_rules(w, lines, path);
    g_strfreev(lines);
    g_free(text);
    return ok;
}

static bool add_all_rules(Wire *w, const Options *o)
{
    return add_rules(w, o->rules, NULL) &&
           (!o->rules_file || add_rules_of_file(w, o->rules_file));
}

static bool parse_options(int *argc, char ***argv, Options *o)
{
    const GOptionEntry entries[] = {
        { "a", 'a', 0, G_OPTION_ARG_STRING, &o->side[0],
          "Side A: stream:fd=N, stream:connect=PATH, stream:listen=PATH or "
          "packet:IFNAME",
          "SIDE" },
        { "b", 'b', 0, G_OPTION_ARG_STRING, &o->side[1], "Side B", "SIDE" },
        { "rule", 'r', 0, G_OPTION_ARG_STRING_ARRAY, &o->rules,
          "A rule, may be given several times (--help-rules)", "RULE" },
        { "rules", 0, 0, G_OPTION_ARG_FILENAME, &o->rules_file,
          "Rules, one in a line; # begins a comment", "FILE" },
        { "control", 0, 0, G_OPTION_ARG_FILENAME, &o->control,
          "Unix socket to add and clear rules, read counters and log: a path, "
          "or fd=N of a connected one",
          "PATH" },
        { "log", 0, 0, G_OPTION_ARG_FILENAME, &o->log,
          "JSON lines, one for each hit", "FILE" },
        { "stats", 0, 0, G_OPTION_ARG_FILENAME, &o->stats,
          "Where the final counters go (default: stdout)", "FILE" },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &o->seed,
          "Of rules with p= and without seed= (default: 1)", "N" },
        { "check", 0, 0, G_OPTION_ARG_NONE, &o->check,
          "Only check the rules; no side is needed", NULL },
        { "help-rules", 0, 0, G_OPTION_ARG_NONE, &o->help_rules,
          "Print what a rule may say", NULL },
        { NULL },
    };
    GOptionContext *context = g_option_context_new(
        "- a packet middlebox for tests");
    GError *err = NULL;
    bool ok;

    g_option_context_add_main_entries(context, entries, NULL);
    ok = g_option_context_parse(context, argc, argv, &err);
    g_option_context_free(context);
    if (!ok) {
        g_printerr("mlx5-wire: %s\n", err->message);
        g_error_free(err);
    } else if (*argc > 1) {
        g_printerr("mlx5-wire: unexpected argument '%s'\n", (*argv)[1]);
        ok = false;
    } else if (!o->help_rules && !o->check && (!o->side[0] || !o->side[1])) {
        g_printerr("mlx5-wire: both sides are needed: --a SIDE --b SIDE\n");
        ok = false;
    }
    return ok;
}

static bool open_signals(Wire *w)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return w->signals >= 0;
}

static FILE *open_output(const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file) {
        g_printerr("mlx5-wire: %s: %s\n", path, g_strerror(errno));
    } else {
        setvbuf(file, NULL, _IOLBF, 0);
    }
    return file;
}

static bool start(Wire *w, const Options *o)
{
    char *err = NULL;
    unsigned side;

    /* rules first: report errors in them before waiting for connections */
    if (!add_all_rules(w, o) ||
        (o->log && !(w->core.log_file = open_output(o->log)))) {
        return false;
    }
    for (side = 0; side < 2 && !err; side++) {
        w->port[side] = wire_port_open(side ? "B" : "A", o->side[side], &err);
    }
    if (!err && o->control) {
        w->control = wire_control_open(o->control, &w->core, w->port, &err);
    }
    if (err) {
        fail(w, err);
    }
    return !err;
}

static void write_stats(Wire *w, const char *path)
{
    GString *out = g_string_new(NULL);
    FILE *file = path ? open_output(path) : stdout;

    wire_control_stats(&w->core, w->port, out);
    if (!file || fprintf(file, "%s\n", out->str) < 0 || fflush(file)) {
        w->failed = true;
    }
    if (path && file) {
        fclose(file);
    }
    g_string_free(out, TRUE);
}

static int run(Wire *w, const Options *o)
{
    int status = EXIT_USAGE;

    if (o->check) {
        return add_all_rules(w, o) ? EXIT_SUCCESS : EXIT_USAGE;
    }
    if (start(w, o)) {
        while (!w->ending) {
            turn(w);
        }
        drain(w);
        write_stats(w, o->stats);
        status = w->failed ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    wire_control_close(w->control);
    if (w->core.log_file) {
        fclose(w->core.log_file);
        w->core.log_file = NULL;
    }
    wire_port_close(w->port[0]);
    wire_port_close(w->port[1]);
    return status;
}

/* Nothing can be sent after the sides are closed. */
static void drop_frame(void *opaque, WireDir dir, const uint8_t *frame,
                       size_t len)
{
    (void)opaque;
    (void)dir;
    (void)frame;
    (void)len;
}

static int wire_main(const Options *o)
{
    Wire wire = { .signals = -1 };
    int status = EXIT_USAGE;

    wire_core_init(&wire.core, send_frame, &wire, o->seed);
    if (open_signals(&wire)) {
        status = run(&wire, o);
        close(wire.signals);
    }
    wire.core.emit = drop_frame;
    wire_core_clear(&wire.core);
    return status;
}

static int print_help(void)
{
    GString *help = g_string_new(NULL);

    wire_rule_help(help);
    g_print("%s", help->str);
    g_string_free(help, TRUE);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    Options options = { .seed = 1 };
    int status = EXIT_USAGE;

    if (parse_options(&argc, &argv, &options)) {
        status = options.help_rules ? print_help() : wire_main(&options);
    }
    g_free(options.side[0]);
    g_free(options.side[1]);
    g_strfreev(options.rules);
    g_free(options.rules_file);
    g_free(options.control);
    g_free(options.log);
    g_free(options.stats);
    return status;
}
