/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output of the wire: log lines of hits. Called by core.c, which owns the
 * state.
 */
#ifndef TESTS_WIRE_REPORT_H
#define TESTS_WIRE_REPORT_H

#include "core.h"

/* Logs the application of a rule to a packet. */
void wire_report_hit(WireCore *core, const WireRule *rule,
                     const WireSubject *subject, const WirePlace *place);

#endif
