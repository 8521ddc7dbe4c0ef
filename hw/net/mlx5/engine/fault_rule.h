/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault rules: the language, and the evaluation of rules for an event.
 *
 * A rule has a subject (commands, WQEs or packets), an action and keys. The
 * tables in fault_rule.c list the subjects, the words and numbers that select
 * among the events of each, and the actions allowed for each; docs/faults.md
 * describes them. rule_text.c parses the text.
 *
 * Responsible for the language, and for the verdict of all rules on one event.
 * Carrying it out is up to the device (../fault.h). Owns Mlx5FaultSet: the
 * rules, their counters and ids. Called by the device and the tests; needs only
 * GLib, no QEMU header.
 */
#ifndef HW_NET_MLX5_ENGINE_FAULT_RULE_H
#define HW_NET_MLX5_ENGINE_FAULT_RULE_H

#include "rule_text.h"

/* Kinds of events that rules can apply to. */
typedef enum Mlx5FaultSubject {
    MLX5_FAULT_ON_NOTHING = 0,  /* no rule applies to it */
    MLX5_FAULT_ON_COMMAND,      /* a command has been fetched from its slot */
    MLX5_FAULT_ON_WQE,          /* a send queue has reached a WQE */
    MLX5_FAULT_ON_PACKET,       /* a packet has reached a receive queue */
    MLX5_FAULT_SUBJECTS
} Mlx5FaultSubject;

/* The numbers of an event; -1 if it does not have one. */
typedef enum Mlx5FaultNumber {
    MLX5_FAULT_OPCODE,          /* of a command */
    MLX5_FAULT_OP_MOD,
    MLX5_FAULT_OBJ,             /* object number, in the dword at byte 8 of a
                                 * command */
    MLX5_FAULT_SQN,
    MLX5_FAULT_TISN,            /* 0 for a packet without TLS */
    MLX5_FAULT_TIRN,
    MLX5_FAULT_RQN,
    MLX5_FAULT_NUMBERS
} Mlx5FaultNumber;

/*
 * Kinds of WQE, as a mask, since a WQE may be of several kinds (an approval is
 * a UMR with static params, an LSO is a packet).
 */
enum {
    MLX5_FAULT_WQE_NOP = 1 << 0,
    MLX5_FAULT_WQE_SEND = 1 << 1,       /* SEND, LSO, ENHANCED_MPSW */
    MLX5_FAULT_WQE_LSO = 1 << 2,
    MLX5_FAULT_WQE_DUMP = 1 << 3,
    MLX5_FAULT_WQE_UMR_STATIC = 1 << 4, /* tls_static_params of TIS or TIR */
    MLX5_FAULT_WQE_SET_PSV = 1 << 5,
    MLX5_FAULT_WQE_GET_PSV = 1 << 6,
    MLX5_FAULT_WQE_APPROVAL = 1 << 7,   /* UMR_STATIC of a started TIR */
    MLX5_FAULT_WQE_OTHER = 1 << 8,      /* none of these */
    MLX5_FAULT_WQE_UMR_KEY = 1 << 9,    /* changes a memory key */
    MLX5_FAULT_WQE_ANY = (1 << 10) - 1,
};
/* The one kind of packet. */
#define MLX5_FAULT_PACKET 1u

/* An event, to be evaluated by rules. */
typedef struct Mlx5FaultEvent {
    Mlx5FaultSubject subject;
    unsigned kinds;             /* of a WQE: MLX5_FAULT_WQE_*, of a packet:
                                 * MLX5_FAULT_PACKET, else 0 */
    int64_t number[MLX5_FAULT_NUMBERS];
} Mlx5FaultEvent;

/* Returns an event with none of its numbers set. */
static inline Mlx5FaultEvent mlx5_fault_event_of(Mlx5FaultSubject subject,
                                                 unsigned kinds)
{
    return (Mlx5FaultEvent) {
        .subject = subject, .kinds = kinds,
        .number = { -1, -1, -1, -1, -1, -1, -1 },
    };
}

/* A command's name and opcode. */
typedef struct Mlx5FaultCommand {
    Mlx5RuleWord word;
    uint16_t opcode;
} Mlx5FaultCommand;

typedef struct Mlx5FaultRule {
    uint32_t id;                /* from 1, never used again */
    char *text;                 /* as given, with white space normalized to
                                 * blanks */
    unsigned action;            /* see mlx5_fault_action_name() */
    /* events selected */
    Mlx5FaultSubject subject;
    unsigned kinds;             /* at least one of these; 0: any */
    Mlx5RuleSet number[MLX5_FAULT_NUMBERS];
    int64_t dir;                /* 0 any, 1 tx, 2 rx */
    Mlx5RuleLimits limits;
    uint64_t seen;              /* matching events, before the draw for p= */
    /* effect */
    int64_t status;
    int64_t syndrome;
    int64_t at;                 /* 0 completion, 1 execution */
    int64_t ms;                 /* 0: not given */
    int64_t packets;            /* 0: not given */
    char name[MLX5_RULE_NAME_MAX + 1]; /* to release it by; "": none */
    int64_t state;              /* index in a table of fault_rule.c */
    int64_t add;
} Mlx5FaultRule;

/* A wait requested by a rule. */
typedef struct Mlx5FaultWait {
    uint32_t rule;              /* its id, 0: no wait */
    int64_t ms;                 /* 0: no time */
    int64_t packets;            /* 0: no packets */
} Mlx5FaultWait;

/* The combined verdict of all rules on an event. All zero: no effect. */
typedef struct Mlx5FaultVerdict {
    unsigned hits;              /* how many rules were applied */
    bool swallow;
    bool fail;                  /* the command fails, or the WQE, of a packet
                                 * its own, completes in error: */
    uint8_t status;             /* of a command */
    uint32_t syndrome;
    Mlx5FaultWait before;       /* wait before it is executed */
    Mlx5FaultWait after;        /* defer its completion */
    bool state;                 /* GET_PSV reports: */
    uint8_t tracker;            /* record_tracker_state */
    uint8_t auth;               /* auth_state */
    int64_t seq_add;
    int64_t record_add;
} Mlx5FaultVerdict;

typedef struct Mlx5FaultSet Mlx5FaultSet;

/*
 * Creates an empty set. @commands are the @n commands that rules can name; the
 * array must stay valid forever.
 */
Mlx5FaultSet *mlx5_fault_set_new(const Mlx5FaultCommand *commands, size_t n);
/* NULL is allowed. */
void mlx5_fault_set_free(Mlx5FaultSet *set);

/*
 * Adds rules, separated by ';' or newlines: all of them or, on error, none.
 * Returns NULL, or an error message, to be freed, with the rule, what was
 * expected and what was found.
 */
char *mlx5_fault_set_add(Mlx5FaultSet *set, const char *rules);
/*
 * Removes the rule with this id, or all rules if it is 0. Returns whether there
 * was one.
 */
bool mlx5_fault_set_remove(Mlx5FaultSet *set, uint32_t id);
unsigned mlx5_fault_set_size(const Mlx5FaultSet *set);
/* Returns rule @i, in the order of addition; @i must be less than the size. */
const Mlx5FaultRule *mlx5_fault_set_at(const Mlx5FaultSet *set, unsigned i);
/* Returns the rule with this id, or NULL if there is none. */
const Mlx5FaultRule *mlx5_fault_set_find(const Mlx5FaultSet *set, uint32_t id);

typedef void Mlx5FaultHit(void *opaque, const Mlx5FaultRule *rule);

/*
 * Evaluates the rules for @event, in the order of addition, until one fails or
 * drops it, and counts. Of several waits before execution the last takes
 * effect, and likewise of those after it. @hit (may be NULL) is called for each
 * rule applied. Draws for p= depend only on the seed, the action and the number
 * of events the rule has seen.
 */
void mlx5_fault_ask(Mlx5FaultSet *set, const Mlx5FaultEvent *event,
                    Mlx5FaultVerdict *verdict, Mlx5FaultHit *hit, void *opaque);

/* Appends a description of the grammar, with all allowed words. */
void mlx5_fault_help(const Mlx5FaultSet *set, GString *out);

/* Returns the name of the action with this index, as used in rules. */
const char *mlx5_fault_action_name(unsigned action);

#endif
