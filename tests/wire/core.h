/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The middlebox without its sockets: frames in, decisions, frames out.
 *
 * Responsible for evaluating the rules for every frame, for carrying them out,
 * for waiting frames, the log of hits and the counters. Owns a WireCore: rules,
 * flows, waiting frames, log. Called by main.c, control.c and the tests, from
 * one thread. Time is an argument; nothing here reads a clock, and only `ms=`
 * depends on time.
 *
 * Several rules may match the same frame. All are evaluated for the original
 * frame, in the order of addition, until one says pass. The actions are then
 * applied in this order: spare; drop; corrupt, truncate, split, ip-option, ce;
 * wrong checksums for csum=keep; duplicate; delay, hold.
 */
#ifndef TESTS_WIRE_CORE_H
#define TESTS_WIRE_CORE_H

#include <stdio.h>

#include "capture.h"
#include "flow.h"
#include "rule.h"

/* Total number of waiting frames. Beyond it a frame is sent at once instead. */
#define WIRE_MAX_WAITING        32768
#define WIRE_MAX_WAITING_BYTES  (64u << 20)
/* Log lines kept in memory. */
#define WIRE_MAX_LOG            65536

/* X(field, name in the JSON) of a direction's counters */
#define WIRE_COUNTERS(X)                                                     \
    X(frames_in, "frames_in")           /* from this side */                 \
    X(bytes_in, "bytes_in")                                                  \
    X(frames_out, "frames_out")         /* to the other */                   \
    X(bytes_out, "bytes_out")                                                \
    X(dropped, "dropped")               /* of frames_in */                   \
    X(delayed, "delayed")                                                    \
    X(held, "held")                                                          \
    X(corrupted, "corrupted")                                                \
    X(truncated, "truncated")                                                \
    X(split, "split")                   /* frames split */                   \
    X(options, "ip_options")                                                 \
    X(ce, "ce")                                                              \
    X(copies, "copies")                 /* frames added by duplicate */      \
    X(spares, "spares")                 /* frames added by spare */          \
    X(pieces, "pieces")                 /* frames added by split */          \
    X(refused, "refused")               /* no room, or the wrong protocol */ \
    X(overflow, "overflow")             /* too many waiting frames */

typedef struct WireCounters {
#define WIRE_COUNTER_FIELD(field, name) uint64_t field;
    WIRE_COUNTERS(WIRE_COUNTER_FIELD)
#undef WIRE_COUNTER_FIELD
} WireCounters;

/*
 * Sends a frame in direction `dir`. The bytes are valid only during the call.
 */
typedef void WireEmit(void *opaque, WireDir dir, const uint8_t *frame,
                      size_t len);

typedef struct WireCore {
    WireEmit *emit;
    void *opaque;
    int64_t seed;           /* for rules with p= but without seed= */
    unsigned next_rule;
    GPtrArray *rules;       /* of WireRule, in the order of their ids */
    WireFlows flows;
    WireLane other[2];      /* non-TCP traffic, by direction */
    WireCounters counters[2];
    GQueue timed;           /* frames with a deadline, earliest first */
    GQueue held;            /* frames of hold and spare, oldest first */
    unsigned n_waiting;
    size_t waiting_bytes;
    GQueue log;             /* of char *, lines of JSON */
    uint64_t log_first;     /* number of the first line in it */
    FILE *log_file;         /* or NULL; not owned */
    WireCapture capture;
    GArray *spans;          /* scratch for the current frame */
    GArray *passed;
} WireCore;

void wire_core_init(WireCore *core, WireEmit *emit, void *opaque, int64_t seed);
/* Lets go what waits, ends a capture, then frees everything. */
void wire_core_clear(WireCore *core);

/* Processes a received frame. now: microseconds of any monotonic clock. */
void wire_core_input(WireCore *core, WireDir dir, const uint8_t *frame,
                     size_t len, int64_t now);

/*
 * The first returns when the next frame is due, or -1; the second releases due
 * frames.
 */
int64_t wire_core_deadline(const WireCore *core);
void wire_core_tick(WireCore *core, int64_t now);

/* Adds a rule; returns its id, or 0 and sets *err. */
unsigned wire_core_add_rule(WireCore *core, const char *text, GError **err);
/*
 * Removes rule `id`, or all if 0, and releases the frames they held. Returns
 * false if there is no such rule.
 */
bool wire_core_remove_rule(WireCore *core, unsigned id);
/* Releases the frames held under `name`, or all if NULL; returns how many. */
unsigned wire_core_release(WireCore *core, const char *name);
/*
 * Resets everything: no rules, flows or waiting frames, counters 0, empty log.
 * A capture goes on.
 */
void wire_core_reset(WireCore *core);

/* Append JSON: an array of rules, an array of flows, an object of counters. */
void wire_core_rules_json(const WireCore *core, GString *out);
void wire_core_flows_json(const WireCore *core, GString *out);
void wire_core_stats_json(const WireCore *core, GString *out);
/*
 * Appends {"first": N, "next": N, "hits": [...]}, with up to `limit` lines from
 * number `since` on.
 */
void wire_core_log_json(const WireCore *core, uint64_t since, unsigned limit,
                        GString *out);

#endif
