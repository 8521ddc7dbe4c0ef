/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A side of the wire: see port.h. Interfaces are in packet.c.
 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "packet.h"

#define READ_AT_ONCE (256u * 1024)

struct WirePort {
    const char *name;
    int fd;
    bool ended;             /* writing has failed: no reader */
    WireFraming framing;    /* of a stream */
    WirePacket *packet;     /* of an interface, or NULL */
};

static bool set_err(char **err, const char *name, const char *what,
                    const char *problem)
{
    *err = g_strdup_printf("side %s, %s: %s", name, what, problem);
    return false;
}

static int unix_socket(const char *path, struct sockaddr_un *address,
                       char **problem)
{
    int fd;

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (!*path || strlen(path) >= sizeof(address->sun_path)) {
        *problem = g_strdup_printf("expected a path of 1 to %zu bytes",
                                   sizeof(address->sun_path) - 1);
        return -1;
    }
    strcpy(address->sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        *problem = g_strdup(g_strerror(errno));
    }
    return fd;
}

static int connect_to(const char *path, char **problem)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, &address, problem);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address))) {
        *problem = g_strdup(g_strerror(errno));
        close(fd);
        fd = -1;
    }
    return fd;
}

static int listen_at(const char *path, char **problem)
{
    struct sockaddr_un address;
    int fd = unix_socket(path, &address, problem), peer = -1;

    if (fd < 0) {
        return -1;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
        listen(fd, 1)) {
        *problem = g_strdup(g_strerror(errno));
    } else {
        do {
            peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        } while (peer < 0 && errno == EINTR);
        if (peer < 0) {
            *problem = g_strdup(g_strerror(errno));
        }
        unlink(path);
    }
    close(fd);
    return peer;
}

static int given_fd(const char *text, char **problem)
{
    int type = 0;
    socklen_t size = sizeof(type);
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXINT, &number, NULL)) {
        *problem = g_strdup("expected the number of a descriptor");
        return -1;
    }
    if (getsockopt((int)number, SOL_SOCKET, SO_TYPE, &type, &size) ||
        type != SOCK_STREAM) {
        *problem = g_strdup("no stream socket has this descriptor");
        return -1;
    }
    return (int)number;
}

static bool open_stream(WirePort *port, const char *what, char **err)
{
    char *problem = NULL;

    if (g_str_has_prefix(what, "stream:fd=")) {
        port->fd = given_fd(strchr(what, '=') + 1, &problem);
    } else if (g_str_has_prefix(what, "stream:connect=")) {
        port->fd = connect_to(strchr(what, '=') + 1, &problem);
    } else if (g_str_has_prefix(what, "stream:listen=")) {
        port->fd = listen_at(strchr(what, '=') + 1, &problem);
    } else {
        return set_err(err, port->name, what,
                       "expected stream:fd=N, stream:connect=PATH, "
                       "stream:listen=PATH or packet:IFNAME");
    }
    if (port->fd < 0) {
        set_err(err, port->name, what, problem);
        g_free(problem);
        return false;
    }
    g_unix_set_fd_nonblocking(port->fd, TRUE, NULL);
    return true;
}

WirePort *wire_port_open(const char *name, const char *what, char **err)
{
    WirePort *port = g_new0(WirePort, 1);
    bool ok;

    port->name = name;
    port->fd = -1;
    wire_framing_init(&port->framing);
    if (g_str_has_prefix(what, "packet:")) {
        char *problem = NULL;

        port->packet = wire_packet_open(strchr(what, ':') + 1, &problem);
        ok = port->packet || set_err(err, name, what, problem);
        g_free(problem);
        if (ok) {
            port->fd = wire_packet_fd(port->packet);
        }
    } else {
        ok = open_stream(port, what, err);
    }
    if (!ok) {
        wire_port_close(port);
        return NULL;
    }
    return port;
}

void wire_port_close(WirePort *port)
{
    if (!port) {
        return;
    }
    if (port->packet) {
        wire_packet_close(port->packet);
    } else if (port->fd >= 0) {
        close(port->fd);
    }
    wire_framing_clear(&port->framing);
    g_free(port);
}

int wire_port_fd(const WirePort *port)
{
    return port->fd;
}

bool wire_port_wants_out(const WirePort *port)
{
    if (port->packet) {
        return wire_packet_queued(port->packet) &&
               wire_packet_retry(port->packet) < 0;
    }
    return wire_port_queued(port);
}

int wire_port_retry(const WirePort *port)
{
    return port->packet ? wire_packet_retry(port->packet) : -1;
}

size_t wire_port_queued(const WirePort *port)
{
    guint len;

    if (port->packet) {
        return wire_packet_queued(port->packet);
    }
    wire_framing_queued(&port->framing, &len);
    return len;
}

bool wire_port_full(const WirePort *port)
{
    return wire_port_queued(port) >= WIRE_PORT_FULL;
}

static WirePortState io_error(const WirePort *port, const char *doing,
                              char **err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) {
        return WIRE_PORT_OK;
    }
    if (errno == EPIPE || errno == ECONNRESET) {
        return WIRE_PORT_END;
    }
    *err = g_strdup_printf("side %s: %s: %s", port->name, doing,
                           g_strerror(errno));
    return WIRE_PORT_ERROR;
}

static WirePortState packet_error(const WirePort *port, char *problem,
                                  char **err)
{
    *err = g_strdup_printf("side %s: %s", port->name, problem);
    g_free(problem);
    return WIRE_PORT_ERROR;
}

static WirePortState read_stream(WirePort *port, WirePortInput *input,
                                 void *opaque, char **err)
{
    WireFraming *f = &port->framing;
    uint8_t *room = wire_framing_room(f, READ_AT_ONCE);
    ssize_t n = read(port->fd, room, READ_AT_ONCE);
    const uint8_t *frame;
    WireFramed framed;
    uint32_t len;

    wire_framing_received(f, READ_AT_ONCE, n > 0 ? (guint)n : 0);
    if (n < 0) {
        return io_error(port, "reading", err);
    }
    if (n == 0) {
        if (wire_framing_rest(f)) {
            *err = g_strdup_printf(
                "side %s: closed within a frame, after %u bytes of it",
                port->name, wire_framing_rest(f));
            return WIRE_PORT_ERROR;
        }
        return WIRE_PORT_END;
    }
    while ((framed = wire_framing_next(f, &frame, &len)) == WIRE_FRAMED_ONE) {
        input(opaque, frame, len);
    }
    if (framed == WIRE_FRAMED_BAD) {
        *err = g_strdup_printf(
            "side %s: a frame of %u bytes; %d at most are possible: this "
            "is not the framing of -netdev "
            "stream",
            port->name, len, WIRE_MAX_FRAME);
        return WIRE_PORT_ERROR;
    }
    return WIRE_PORT_OK;
}

WirePortState wire_port_read(WirePort *port, WirePortInput *input, void *opaque,
                             char **err)
{
    char *problem = NULL;

    if (port->packet) {
        if (!wire_packet_read(port->packet, input, opaque, &problem)) {
            return packet_error(port, problem, err);
        }
        return WIRE_PORT_OK;
    }
    return read_stream(port, input, opaque, err);
}

void wire_port_put(WirePort *port, const uint8_t *frame, size_t len)
{
    if (port->ended) {
        return;             /* the wire is ending */
    }
    if (port->packet) {
        wire_packet_put(port->packet, frame, len);
    } else {
        wire_framing_put(&port->framing, frame, (uint32_t)len);
    }
}

WirePortState wire_port_flush(WirePort *port, char **err)
{
    const uint8_t *bytes;
    WirePortState state;
    char *problem = NULL;
    ssize_t n;
    guint len;

    if (port->packet) {
        return wire_packet_flush(port->packet, &problem)
               ? WIRE_PORT_OK : packet_error(port, problem, err);
    }
    for (;;) {
        bytes = wire_framing_queued(&port->framing, &len);
        if (!len) {
            return WIRE_PORT_OK;
        }
        n = send(port->fd, bytes, len, MSG_NOSIGNAL);
        if (n < 0) {
            state = io_error(port, "writing", err);
            if (state != WIRE_PORT_OK) {
                port->ended = true;
                wire_framing_sent(&port->framing, len);
            }
            return state;
        }
        wire_framing_sent(&port->framing, (guint)n);
    }
}

void wire_port_stats_json(WirePort *port, GString *out)
{
    if (port->packet) {
        wire_packet_stats_json(port->packet, out);
    } else {
        g_string_append(out, "{}");
    }
}
