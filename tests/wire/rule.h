/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the wire: their text, and the matching of packets.
 *
 * Responsible for the language of the rules (docs/wire.md has the grammar, the
 * tables in rule.c define it, engine/rule_text.h parses it), and for matching a
 * rule with a packet. core.c and edit.c carry out the actions. Owns a WireRule:
 * its text, its counters and the base of "+N". Called by core.c and the tests.
 */
#ifndef TESTS_WIRE_RULE_H
#define TESTS_WIRE_RULE_H

#include "parse.h"
#include "rule_text.h"
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

/* TCP flags, MLX5_TCP_*, that must be set, and that must not be set. */
typedef struct WireFlags {
    uint16_t on;
    uint16_t off;
} WireFlags;

typedef struct WireRule {
    unsigned id;            /* from 1, never used again */
    char *text;
    WireAction action;
    /* which packets */
    WireDir dir;
    Mlx5RuleSet record;
    Mlx5RuleSet app_record;
    Mlx5RuleSet wire_record;
    Mlx5RuleSet byte;       /* negative: from the end of the record */
    Mlx5RuleSet stream;
    Mlx5RuleSet sent;
    Mlx5RuleSet headers;
    Mlx5RuleSet segment;
    Mlx5RuleSet packet;
    Mlx5RuleSet flow;
    Mlx5RuleSet port;
    Mlx5RuleSet sport;
    Mlx5RuleSet dport;
    Mlx5RuleSet len;
    Mlx5RuleSet vlan;
    unsigned types;         /* bit N: record type N; 0: any */
    WireFlags flags;
    int64_t ip;             /* 4, 6, 0: any */
    int64_t proto;          /* index in a table, 0: any */
    Mlx5RuleLimits limits;  /* nth is not used */
    /* parameters of the action, with defaults */
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
    char name[MLX5_RULE_NAME_MAX + 1]; /* "": none */
    /* state */
    GHashTable *bases;      /* lane -> WireBase, for "+N" */
} WireRule;

/* Position of a lane (one direction of a flow) when a rule was added. */
typedef struct WireBase {
    int64_t record;
    int64_t app;
    int64_t wire;
    int64_t stream;
    int64_t segment;
    int64_t packet;
} WireBase;

/* A packet to be matched with rules. */
typedef struct WireSubject {
    WireDir dir;
    const Mlx5Packet *pkt;
    const void *lane;           /* key of WireRule.bases */
    int64_t flow;               /* WIRE_NONE: not TCP */
    int64_t packet;             /* number in this lane */
    int64_t segment; /* number among those with payload, or WIRE_NONE */
    const WireStream *stream;   /* NULL: not TCP, or no payload */
    uint64_t start;             /* stream offset of payload byte `cut` */
    uint32_t cut; /* number of leading payload bytes that are not in the
                   * stream */
    uint32_t len;               /* payload bytes */
    const GArray *spans;        /* of WireSpan: contents of the payload */
    const GArray *passed;       /* of WirePassed, this packet included */
} WireSubject;

#define WIRE_MAX_CUTS 64

/* Position of a match in a packet. */
typedef struct WirePlace {
    bool found; /* valid: the packet has payload */
    uint32_t at;                /* in the payload */
    uint64_t stream;            /* stream offset of it */
    const WireRecord *record;   /* or NULL */
    uint32_t byte;              /* in the record */
    uint32_t sent;              /* how often this byte has passed, this time
                                 * included */
    unsigned n_cuts;
    uint32_t
        cut[WIRE_MAX_CUTS]; /* start of each matching run in the payload */
} WirePlace;

#define WIRE_RULE_ERROR (g_quark_from_static_string("wire-rule-error"))

/*
 * Parses a rule. Returns NULL and sets *@err on failure; its message has the
 * rule, what was expected, and what was found. @seed is used for rules without
 * seed=.
 */
WireRule *wire_rule_parse(const char *text, int64_t seed, GError **err);
void wire_rule_free(WireRule *rule);

/* Sets the base of "+N" of this rule in this lane; removes it again. */
void wire_rule_set_base(WireRule *rule, const void *lane, const WireBase *base);
void wire_rule_drop_base(WireRule *rule, const void *lane);

/*
 * Returns whether the rule matches, apart from limits and probability. If so,
 * fills `place`.
 */
bool wire_rule_matches(const WireRule *rule, const WireSubject *subject,
                       WirePlace *place);

/*
 * For a packet that matches: draws, counts, and returns whether the rule
 * applies. The draw depends only on the seed, the action, the direction, the
 * flow and the packet's number in it, so the interleaving of flows and
 * directions does not matter.
 */
bool wire_rule_applies(WireRule *rule, const WireSubject *subject);

/* Appends the grammar, for --help-rules. */
void wire_rule_help(GString *out);

#endif
