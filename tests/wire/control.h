/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: access to rules, counters and the log at run time.
 *
 * Responsible for a listening unix socket and its clients: each line of JSON is
 * answered by a line of JSON. docs/wire.md lists the commands. Owns a
 * WireControl. Called by main.c.
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
 * Listens at the path `where` (removed at the end) or, for "fd=N", serves only
 * this connected socket. Returns NULL and sets *err, a sentence, on failure.
 */
WireControl *wire_control_open(const char *where, WireCore *core,
                               WirePort *const ports[2], char **err);
void wire_control_close(WireControl *control);

/*
 * The first fills up to WIRE_MAX_CLIENTS + 1 entries and returns how many; the
 * second serves them.
 */
unsigned wire_control_poll(const WireControl *control, struct pollfd *fds);
void wire_control_serve(WireControl *control, const struct pollfd *fds,
                        unsigned n);

/*
 * Returns the answer to a line, given without its newline, to be freed; for
 * tests.
 */
char *wire_control_answer(WireCore *core, WirePort *const ports[2],
                          const char *line);

/* Appends all counters as one JSON object. */
void wire_control_stats(WireCore *core, WirePort *const ports[2], GString *out);

#endif
