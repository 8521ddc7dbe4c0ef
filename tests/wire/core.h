/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The middlebox without its sockets: frames in, decisions, frames out.
 *
 * Responsible for asking the rules about every frame, for doing what they say,
 * for frames that wait, for the log of hits and the counters. Owns a WireCore:
 * rules, flows, waiting frames, log. Called by main.c, control.c and the tests,
 * from one thread. Time comes in as an argument; nothing here reads a clock,
 * and nothing but `ms=` looks at it.
 *
 * Several rules may mean the same frame. All are asked about the frame as it
 * came, in the order in which they were added, until one says pass. What they
 * ask for is then done in this order: spare; drop; corrupt, truncate, split,
 * ip-option, ce; what csum=keep leaves wrong; duplicate; delay, hold.
 */
#ifndef TESTS_WIRE_CORE_H
#define TESTS_WIRE_CORE_H

#include <stdio.h>

#include "capture.h"
#include "flow.h"
#include "rule.h"

/*
 * Frames that wait, all together. Whoever would be one more goes at once
 * instead.
 */
#define WIRE_MAX_WAITING        32768
#define WIRE_MAX_WAITING_BYTES  (64u << 20)
/* Lines of the log kept in memory. */
#define WIRE_MAX_LOG            65536

/* X(field, name in the JSON) of a direction's counters */
#define WIRE_COUNTERS(X)                                                     \
    X(frames_in, "frames_in")           /* from this side */                 \
    X(bytes_in, "bytes_in")                                                  \
    X(frames_out, "frames_out")         /* to the other */                   \
    X(bytes_out, "bytes_out")                                                \
    X(dropped, "dropped")               /* frames of those that came in */   \
    X(delayed, "delayed")                                                    \
    X(held, "held")                                                          \
    X(corrupted, "corrupted")                                                \
    X(truncated, "truncated")                                                \
    X(split, "split")                   /* frames cut in pieces */           \
    X(options, "ip_options")                                                 \
    X(ce, "ce")                                                              \
    X(copies, "copies")                 /* frames more by duplicate */       \
    X(spares, "spares")                 /* frames more by spare */           \
    X(pieces, "pieces")                 /* frames more by split */           \
    X(refused, "refused")               /* no room, or the wrong protocol */ \
    X(overflow, "overflow")             /* too many frames wait */

typedef struct WireCounters {
#define WIRE_COUNTER_FIELD(field, name) uint64_t field;
    WIRE_COUNTERS(WIRE_COUNTER_FIELD)
#undef WIRE_COUNTER_FIELD
} WireCounters;

/* A frame leaves in direction `dir`. The bytes are lent for the call. */
typedef void WireEmit(void *opaque, WireDir dir, const uint8_t *frame,
                      size_t len);

typedef struct WireCore {
    WireEmit *emit;
    void *opaque;
    int64_t seed;           /* of rules with p= and without seed= */
    unsigned next_rule;
    GPtrArray *rules;       /* of WireRule, in the order of their ids */
    WireFlows flows;
    WireLane other[2];      /* what is not TCP, by direction */
    WireCounters counters[2];
    GQueue timed;           /* frames with a deadline, the earliest first */
    GQueue held;            /* frames of hold and spare, the oldest first */
    unsigned n_waiting;
    size_t waiting_bytes;
    GQueue log;             /* of char *, lines of JSON */
    uint64_t log_first;     /* number of the first of them */
    FILE *log_file;         /* or NULL; not owned */
    WireCapture capture;
    GArray *spans;          /* scratch of the frame at hand */
    GArray *passed;
} WireCore;

void wire_core_init(WireCore *core, WireEmit *emit, void *opaque, int64_t seed);
/* Lets go what waits, ends a capture, then frees everything. */
void wire_core_clear(WireCore *core);

/* A frame has come. now: microseconds of any monotonic clock. */
void wire_core_input(WireCore *core, WireDir dir, const uint8_t *frame,
                     size_t len, int64_t now);

/* When the next frame is due, or -1; let go what is due. */
int64_t wire_core_deadline(const WireCore *core);
void wire_core_tick(WireCore *core, int64_t now);

/* Add a rule; returns its id, or 0 and *err. */
unsigned wire_core_add_rule(WireCore *core, const char *text, GError **err);
/*
 * Remove rule `id`, or all for 0, and let go what they made wait. False: no
 * such rule.
 */
bool wire_core_remove_rule(WireCore *core, unsigned id);
/*
 * Let go what is held under `name`, or everything for NULL; returns how many
 * frames.
 */
unsigned wire_core_release(WireCore *core, const char *name);
/*
 * Begin anew: no rule, no flow, nothing waits, all counters 0, the log empty. A
 * capture goes on.
 */
void wire_core_reset(WireCore *core);

/* Append JSON: an array of rules, of flows; an object of counters. */
void wire_core_rules_json(const WireCore *core, GString *out);
void wire_core_flows_json(const WireCore *core, GString *out);
void wire_core_stats_json(const WireCore *core, GString *out);
/*
 * {"first": N, "next": N, "hits": [...]}: up to `limit` lines from number
 * `since` on.
 */
void wire_core_log_json(const WireCore *core, uint64_t since, unsigned limit,
                        GString *out);

#endif
