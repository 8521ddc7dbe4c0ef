/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire tells: the line of a hit. Called by core.c; the state is
 * core's.
 */
#ifndef TESTS_WIRE_REPORT_H
#define TESTS_WIRE_REPORT_H

#include "core.h"

/* A rule is applied to a packet: a line in the log. */
void wire_report_hit(WireCore *core, const WireRule *rule,
                     const WireSubject *subject, const WirePlace *place);

#endif
