/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: see control.h.
 */
#include "control.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "json.h"

#define LOG_AT_ONCE 1000

typedef struct Client {
    int fd;                 /* -1: no client */
    GString *in;
    GString *out;
} Client;

struct WireControl {
    int fd;                 /* listening, or -1 */
    char *path;             /* of the listening socket, NULL without one */
    WireCore *core;
    WirePort *const *ports;
    Client client[WIRE_MAX_CLIENTS];
};

/* A command: fills `result` with JSON, or sets *err. */
typedef struct Request {
    WireCore *core;
    WirePort *const *ports;
    GHashTable *args;
    GString *result;
    char *err;
} Request;

static const WireJson *argument(Request *r, const char *name, WireJsonType type,
                                const char *expected)
{
    const WireJson *value = g_hash_table_lookup(r->args, name);

    if (!value || value->type == WIRE_JSON_NULL) {
        return NULL;
    }
    if (value->type != type) {
        r->err = g_strdup_printf("%s: expected %s", name, expected);
        return NULL;
    }
    return value;
}

/* Adds all rules, or none. */
static void do_add(Request *r)
{
    const WireJson *rules = argument(r, "rules", WIRE_JSON_STRINGS,
                                     "an array of rules");
    unsigned first = r->core->next_rule + 1, i;
    GError *err = NULL;

    if (!rules) {
        r->err = r->err ? r->err :
                          g_strdup("add: needs rules, an array of rules");
        return;
    }
    for (i = 0; i < rules->strings->len && !err; i++) {
        wire_core_add_rule(r->core, g_ptr_array_index(rules->strings, i), &err);
    }
    if (err) {
        for (i = first; i <= r->core->next_rule; i++) {
            wire_core_remove_rule(r->core, i);
        }
        r->err = g_strdup(err->message);
        g_error_free(err);
        return;
    }
    g_string_append_c(r->result, '[');
    for (i = first; i <= r->core->next_rule; i++) {
        g_string_append_printf(r->result, "%s%u", i == first ? "" : ",", i);
    }
    g_string_append_c(r->result, ']');
}

static void do_clear(Request *r)
{
    const WireJson *rule = argument(r, "rule", WIRE_JSON_NUMBER,
                                    "the id of a rule");

    if (r->err) {
        return;
    }
    if (rule && (rule->number < 1 || rule->number > G_MAXUINT)) {
        r->err = g_strdup_printf("rule: %" G_GINT64_FORMAT " is no id",
                                 rule->number);
    } else if (!wire_core_remove_rule(r->core,
                                      rule ? (unsigned)rule->number : 0)) {
        r->err = g_strdup_printf("no rule has the id %" G_GINT64_FORMAT,
                                 rule->number);
    } else {
        g_string_append(r->result, "null");
    }
}

static void do_rules(Request *r)
{
    wire_core_rules_json(r->core, r->result);
}

static void do_stats(Request *r)
{
    wire_control_stats(r->core, r->ports, r->result);
}

static void do_flows(Request *r)
{
    wire_core_flows_json(r->core, r->result);
}

static void do_log(Request *r)
{
    const WireJson *since = argument(r, "since", WIRE_JSON_NUMBER,
                                     "the number of a hit");

    if (r->err) {
        return;
    }
    if (since && since->number < 0) {
        r->err = g_strdup("since: expected 0 or more");
        return;
    }
    wire_core_log_json(r->core, since ? (uint64_t)since->number : 0,
                       LOG_AT_ONCE, r->result);
}

static void do_release(Request *r)
{
    const WireJson *name = argument(r, "name", WIRE_JSON_STRING,
                                    "the name of a hold");

    if (!r->err) {
        g_string_append_printf(
            r->result, "%u",
            wire_core_release(r->core, name ? name->string : NULL));
    }
}

static void do_reset(Request *r)
{
    wire_core_reset(r->core);
    g_string_append(r->result, "null");
}

static void do_capture(Request *r)
{
    const WireJson *path = argument(r, "path", WIRE_JSON_STRING,
                                    "the path of a new file");

    if (!path) {
        r->err = r->err ? r->err :
                          g_strdup("capture: needs path, of a new file");
    } else if (wire_capture_begin(&r->core->capture, path->string, &r->err)) {
        g_string_append(r->result, "null");
    }
}

static void do_capture_end(Request *r)
{
    WireCapture *c = &r->core->capture;

    if (wire_capture_end(c, &r->err)) {
        g_string_append_printf(r->result,
                               "{\"frames\":%" G_GUINT64_FORMAT
                               ",\"bytes\":%" G_GUINT64_FORMAT "}",
                               c->frames, c->bytes);
    }
}

static const struct {
    const char *name;
    void (*run)(Request *r);
    const char *args[2];
} commands[] = {
    { "add", do_add, { "rules" } },
    { "rules", do_rules, { NULL } },
    { "clear", do_clear, { "rule" } },
    { "stats", do_stats, { NULL } },
    { "flows", do_flows, { NULL } },
    { "log", do_log, { "since" } },
    { "release", do_release, { "name" } },
    { "reset", do_reset, { NULL } },
    { "capture", do_capture, { "path" } },
    { "capture-end", do_capture_end, { NULL } },
};

static bool known_argument(unsigned command, const char *name)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(commands[0].args) && commands[command].args[i];
         i++) {
        if (!strcmp(commands[command].args[i], name)) {
            return true;
        }
    }
    return !strcmp(name, "cmd") || !strcmp(name, "id");
}

static void run_command(Request *r)
{
    const WireJson *cmd = argument(r, "cmd", WIRE_JSON_STRING,
                                   "the name of a command");
    GHashTableIter iter;
    gpointer key;
    GString *names;
    unsigned i;

    for (i = 0; cmd && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(cmd->string, commands[i].name)) {
            continue;
        }
        g_hash_table_iter_init(&iter, r->args);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            if (!known_argument(i, key)) {
                r->err = g_strdup_printf("%s: takes no '%s'", commands[i].name,
                                         (const char *)key);
                return;
            }
        }
        commands[i].run(r);
        return;
    }
    if (r->err) {
        return;
    }
    names = g_string_new(NULL);
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_string_append_printf(names, "%s%s", i ? ", " : "", commands[i].name);
    }
    r->err = cmd ? g_strdup_printf("unknown command '%s'; there are: %s",
                                   cmd->string, names->str) :
                   g_strdup_printf("cmd is missing; there are: %s", names->str);
    g_string_free(names, TRUE);
}

static void append_id(GString *out, const WireJson *id)
{
    if (id && id->type == WIRE_JSON_NUMBER) {
        g_string_append_printf(out, "\"id\":%" G_GINT64_FORMAT ",", id->number);
    } else if (id && id->type == WIRE_JSON_STRING) {
        g_string_append(out, "\"id\":");
        wire_json_string(out, id->string);
        g_string_append_c(out, ',');
    }
}

char *wire_control_answer(WireCore *core, WirePort *const ports[2],
                          const char *line)
{
    Request r = { .core = core, .ports = ports, .result = g_string_new(NULL) };
    GString *out = g_string_new("{");

    r.args = wire_json_read(line, &r.err);
    if (r.args) {
        append_id(out, g_hash_table_lookup(r.args, "id"));
        run_command(&r);
        g_hash_table_destroy(r.args);
    }
    if (r.err) {
        g_string_append(out, "\"ok\":false,\"error\":");
        wire_json_string(out, r.err);
    } else {
        g_string_append_printf(out, "\"ok\":true,\"result\":%s", r.result->str);
    }
    g_string_append_c(out, '}');
    g_free(r.err);
    g_string_free(r.result, TRUE);
    return g_string_free(out, FALSE);
}

void wire_control_stats(WireCore *core, WirePort *const ports[2], GString *out)
{
    unsigned i;

    wire_core_stats_json(core, out);
    g_string_truncate(out, out->len - 1);
    for (i = 0; i < 2 && ports; i++) {
        g_string_append_printf(out, ",\"side_%c\":", "ab"[i]);
        wire_port_stats_json(ports[i], out);
    }
    g_string_append_c(out, '}');
}

/* The socket */

static bool add_client(WireControl *control, int fd)
{
    unsigned i;

    for (i = 0; i < WIRE_MAX_CLIENTS; i++) {
        Client *c = &control->client[i];

        if (c->fd < 0) {
            c->fd = fd;
            c->in = g_string_new(NULL);
            c->out = g_string_new(NULL);
            return true;
        }
    }
    return false;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (!*path || strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
                    listen(fd, WIRE_MAX_CLIENTS))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/*
 * Returns the descriptor of "fd=N" if it is an open socket, or -1 with errno.
 */
static int given_fd(const char *text)
{
    guint64 number;
    int type;
    socklen_t size = sizeof(type);

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL)) {
        errno = EINVAL;
        return -1;
    }
    if (getsockopt((int)number, SOL_SOCKET, SO_TYPE, &type, &size) ||
        !g_unix_set_fd_nonblocking((int)number, TRUE, NULL)) {
        return -1;
    }
    return (int)number;
}

WireControl *wire_control_open(const char *where, WireCore *core,
                               WirePort *const ports[2], char **err)
{
    bool given = g_str_has_prefix(where, "fd=");
    int fd = given ? given_fd(where + 3) : listen_at(where);
    WireControl *control;
    unsigned i;

    if (fd < 0) {
        *err = g_strdup_printf(
            "control socket '%s': %s; expected the path of a socket to be "
            "made, or fd=N",
            where, g_strerror(errno));
        return NULL;
    }
    control = g_new0(WireControl, 1);
    control->core = core;
    control->ports = ports;
    for (i = 0; i < WIRE_MAX_CLIENTS; i++) {
        control->client[i].fd = -1;
    }
    if (given) {
        control->fd = -1;
        add_client(control, fd);
    } else {
        control->fd = fd;
        control->path = g_strdup(where);
    }
    return control;
}

static void end_client(Client *c)
{
    close(c->fd);
    c->fd = -1;
    g_string_free(c->in, TRUE);
    g_string_free(c->out, TRUE);
}

void wire_control_close(WireControl *control)
{
    unsigned i;

    if (!control) {
        return;
    }
    for (i = 0; i < WIRE_MAX_CLIENTS; i++) {
        if (control->client[i].fd >= 0) {
            end_client(&control->client[i]);
        }
    }
    if (control->fd >= 0) {
        close(control->fd);
        unlink(control->path);
    }
    g_free(control->path);
    g_free(control);
}

unsigned wire_control_poll(const WireControl *control, struct pollfd *fds)
{
    unsigned n = 0, i;

    for (i = 0; i < WIRE_MAX_CLIENTS; i++) {
        const Client *c = &control->client[i];

        if (c->fd >= 0) {
            /* no more requests from a client that does not read its answers */
            fds[n++] = (struct pollfd){ c->fd, c->out->len ? POLLOUT : POLLIN,
                                        0 };
        }
    }
    if (control->fd >= 0) {
        fds[n++] = (struct pollfd){ control->fd, POLLIN, 0 };
    }
    return n;
}

static void accept_client(WireControl *control)
{
    int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd >= 0 && !add_client(control, fd)) {
        close(fd);
    }
}

static bool answer_lines(WireControl *control, Client *c)
{
    char *end;

    while ((end = memchr(c->in->str, '\n', c->in->len))) {
        char *answer;

        *end = '\0';
        if (end > c->in->str) {
            answer = wire_control_answer(control->core, control->ports,
                                         c->in->str);
            g_string_append_printf(c->out, "%s\n", answer);
            g_free(answer);
        }
        g_string_erase(c->in, 0, end + 1 - c->in->str);
    }
    return c->in->len <= WIRE_MAX_REQUEST;
}

static bool read_client(WireControl *control, Client *c)
{
    char buf[4096];
    ssize_t n = read(c->fd, buf, sizeof(buf));

    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    g_string_append_len(c->in, buf, n);
    return answer_lines(control, c);
}

static bool write_client(Client *c)
{
    ssize_t n;

    if (!c->out->len) {
        return true;
    }
    n = send(c->fd, c->out->str, c->out->len, MSG_NOSIGNAL);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    g_string_erase(c->out, 0, n);
    return true;
}

static void serve_client(WireControl *control, const struct pollfd *fd)
{
    unsigned i;

    for (i = 0; i < WIRE_MAX_CLIENTS; i++) {
        Client *c = &control->client[i];

        if (c->fd != fd->fd) {
            continue;
        }
        if ((fd->revents & (POLLIN | POLLHUP | POLLERR) && !c->out->len &&
             !read_client(control, c)) || !write_client(c)) {
            end_client(c);
        }
        return;
    }
}

void wire_control_serve(WireControl *control, const struct pollfd *fds,
                        unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        if (!fds[i].revents) {
            continue;
        }
        if (fds[i].fd == control->fd) {
            accept_client(control);
        } else {
            serve_client(control, &fds[i]);
        }
    }
}
