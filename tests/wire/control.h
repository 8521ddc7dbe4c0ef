/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: rules, counters and the log, while the wire runs.
 *
 * Responsible for a listening unix socket and its clients: a line of JSON in, a
 * line of JSON out. docs/wire.md lists the commands. Owns a WireControl. Called
 * by main.c.
 */
#ifndef TESTS_WIRE_CONTROL_H
#define TESTS_WIRE_CONTROL_H

#include <poll.h>

#include "core.h"
#include "port.h"

#define WIRE_MAX_CLIENTS    16
#define WIRE_MAX_REQUEST    (1u << 20)

typedef struct WireControl WireControl;

/*
 * Listen at the path `where` (removed again at the end), or for "fd=N" serve
 * this one connected socket. NULL and *err, a sentence, on failure.
 */
WireControl *wire_control_open(const char *where, WireCore *core,
                               WirePort *const ports[2], char **err);
void wire_control_close(WireControl *control);

/*
 * Fill up to WIRE_MAX_CLIENTS + 1 entries; returns how many. Then serve them.
 */
unsigned wire_control_poll(const WireControl *control, struct pollfd *fds);
void wire_control_serve(WireControl *control, const struct pollfd *fds,
                        unsigned n);

/* The answer to one line, without its newline: what the tests ask. Free it. */
char *wire_control_answer(WireCore *core, WirePort *const ports[2],
                          const char *line);

/* Everything there is to count, as one JSON object. */
void wire_control_stats(WireCore *core, WirePort *const ports[2], GString *out);

#endif
