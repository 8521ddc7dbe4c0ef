/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The rules of the wire: their text, and whether a packet is meant.
 *
 * Responsible for reading a rule (docs/wire.md has the grammar, the tables in rule.c
 * are the truth), for errors that name the token and what is allowed in its place, and
 * for the match of one rule with one packet. What is then done is core.c's and edit.c's.
 * Owns a WireRule: its text, its limits' counters and where "+N" counts from.
 * Called by core.c and the tests.
 */
#ifndef TESTS_WIRE_RULE_H
#define TESTS_WIRE_RULE_H

#include "parse.h"
#include "stream.h"

typedef enum WireDir {
    WIRE_A_TO_B = 0,
    WIRE_B_TO_A = 1,
    WIRE_BOTH = 2,
} WireDir;

/* "a>b" or "b>a". */
const char *wire_dir_name(WireDir dir);

typedef enum WireAction {
    WIRE_DROP,
    WIRE_DUPLICATE,
    WIRE_DELAY,
    WIRE_HOLD,
    WIRE_SPARE,
    WIRE_CORRUPT,
    WIRE_TRUNCATE,
    WIRE_SPLIT,
    WIRE_IP_OPTION,
    WIRE_CE,
    WIRE_LOG,
    WIRE_PASS,
    WIRE_N_ACTIONS
} WireAction;

const char *wire_action_name(WireAction action);

#define WIRE_SET_MAX 16

/* lo..hi; in a set of bytes, negative numbers count from the end of the record. */
typedef struct WireRange {
    int64_t lo;
    int64_t hi;
} WireRange;

/* Numbers; none given (n = 0) means any. */
typedef struct WireSet {
    unsigned n;
    bool relative;          /* counted from the state when the rule was added */
    WireRange range[WIRE_SET_MAX];
} WireSet;

typedef struct WireRule {
    unsigned id;            /* from 1, never used again */
    char *text;
    WireAction action;
    /* which packets */
    WireDir dir;
    WireSet record;
    WireSet app_record;
    WireSet wire_record;
    WireSet byte;
    WireSet stream;
    WireSet sent;
    WireSet headers;
    WireSet segment;
    WireSet packet;
    WireSet flow;
    WireSet port;
    WireSet sport;
    WireSet dport;
    WireSet len;
    WireSet vlan;
    unsigned types;         /* bit N: record type N; 0: any */
    uint16_t flags_on;      /* MLX5_TCP_* */
    uint16_t flags_off;
    int64_t ip;             /* 4, 6, 0: any */
    int64_t proto;          /* index in a table, 0: any */
    double p;               /* probability, 1 without one */
    int64_t seed;
    /* how often; 0: not given */
    int64_t count;
    int64_t after;
    int64_t every;
    /* what to do; what a rule does not say has its default */
    int64_t packets;
    int64_t ms;
    int64_t copies;
    int64_t gap;
    int64_t xor;
    int64_t bytes;
    int64_t size;
    int64_t overlap;
    int64_t csum;           /* index in a table: 0 fix, 1 keep */
    int64_t order;          /* index in a table: 0 forward, 1 reverse */
    char *name;
    uint64_t given;         /* bit N: key N of the table was given */
    /* state */
    uint64_t matches;       /* packets that match, before the limits */
    uint64_t hits;          /* times it was applied */
    GHashTable *bases;      /* lane -> WireBase, for "+N" */
} WireRule;

/* Where a lane (one direction of a flow) stood when a rule was added. */
typedef struct WireBase {
    int64_t record;
    int64_t app;
    int64_t wire;
    int64_t stream;
    int64_t segment;
    int64_t packet;
} WireBase;

/* A packet, as a rule is asked about it. */
typedef struct WireSubject {
    WireDir dir;
    const Mlx5Packet *pkt;
    const void *lane;           /* key of WireRule.bases */
    int64_t flow;               /* WIRE_NONE: not TCP */
    int64_t packet;             /* number in this lane */
    int64_t segment;            /* number among those with payload, or WIRE_NONE */
    const WireStream *stream;   /* NULL: not TCP, or no payload */
    uint64_t start;             /* stream offset of payload byte `cut` */
    uint32_t cut;               /* payload bytes before it, which are not in the stream */
    uint32_t len;               /* payload bytes */
    const GArray *spans;        /* of WireSpan: what the payload is */
    const GArray *passed;       /* of WirePassed, this packet included */
} WireSubject;

#define WIRE_MAX_CUTS 64

/* Where in the packet a rule found what it looks for. */
typedef struct WirePlace {
    bool found;                 /* there is such a place: the packet has payload */
    uint32_t at;                /* in the payload */
    uint64_t stream;            /* stream offset of it */
    const WireRecord *record;   /* or NULL */
    uint32_t byte;              /* in the record */
    uint32_t sent;              /* how often this byte has passed now */
    unsigned n_cuts;
    uint32_t cut[WIRE_MAX_CUTS];    /* in the payload: where each matching run begins */
} WirePlace;

#define WIRE_RULE_ERROR (g_quark_from_static_string("wire-rule-error"))

/*
 * Read a rule. Returns NULL and sets *err, whose message names the rule, the token and
 * what is allowed. `seed` is that of rules with p= and without seed=.
 */
WireRule *wire_rule_parse(const char *text, int64_t seed, GError **err);
void wire_rule_free(WireRule *rule);

/* "+N" of this rule counts from `base` on in this lane; forget that again. */
void wire_rule_set_base(WireRule *rule, const void *lane, const WireBase *base);
void wire_rule_drop_base(WireRule *rule, const void *lane);

/* Is this packet meant, limits and probability aside? Fills `place` if so. */
bool wire_rule_matches(const WireRule *rule, const WireSubject *subject,
                       WirePlace *place);

/*
 * Of a packet that matches: is the rule applied to it? Draws and counts. The draw
 * depends on the seed, the action, the direction, the flow and the number of the packet
 * in it, on nothing else, so it does not matter how flows and directions interleave.
 */
bool wire_rule_applies(WireRule *rule, const WireSubject *subject);

/* The grammar, for --help-rules. */
void wire_rule_help(GString *out);

#endif
