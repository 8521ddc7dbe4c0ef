/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault rules: their language, and what they say about one event of the device.
 *
 * A rule has a subject (what it is about: commands, WQEs), an action (what is
 * done to it) and keys. The tables in fault_rule.c say which subjects there
 * are, by which words and numbers rules choose among their events, and which
 * actions can be done to which of them; docs/faults.md explains them. The text
 * is read by rule_text.c.
 *
 * Responsible for that language, and for the verdict of all rules on one event.
 * What is then done, and when, is the device's (../fault.h). Owns a
 * Mlx5FaultSet: the rules, their counters and ids. Called by the device and the
 * tests; needs GLib only, no QEMU header.
 */
#ifndef HW_NET_MLX5_ENGINE_FAULT_RULE_H
#define HW_NET_MLX5_ENGINE_FAULT_RULE_H

#include "rule_text.h"

/* What happens in the device, and rules can be about. */
typedef enum Mlx5FaultSubject {
    MLX5_FAULT_ON_NOTHING = 0,  /* no rule is about it */
    MLX5_FAULT_ON_COMMAND,      /* a command has been taken from its slot */
    MLX5_FAULT_ON_WQE,          /* a send queue has come to a WQE */
    MLX5_FAULT_SUBJECTS
} Mlx5FaultSubject;

/* The numbers of events. One that an event does not have is -1. */
typedef enum Mlx5FaultNumber {
    MLX5_FAULT_OPCODE,          /* of a command */
    MLX5_FAULT_OP_MOD,
    MLX5_FAULT_OBJ,             /* number in a command's second dword */
    MLX5_FAULT_SQN,
    MLX5_FAULT_TISN,            /* 0 of a packet without TLS */
    MLX5_FAULT_TIRN,
    MLX5_FAULT_NUMBERS
} Mlx5FaultNumber;

/*
 * Kinds of WQE, as a mask: one WQE may be of several (an approval is a UMR with
 * static params, an LSO is a packet).
 */
enum {
    MLX5_FAULT_WQE_NOP = 1 << 0,
    MLX5_FAULT_WQE_SEND = 1 << 1,       /* SEND, LSO, ENHANCED_MPSW */
    MLX5_FAULT_WQE_LSO = 1 << 2,
    MLX5_FAULT_WQE_DUMP = 1 << 3,
    MLX5_FAULT_WQE_UMR_STATIC = 1 << 4, /* tls_static_params of TIS or TIR */
    MLX5_FAULT_WQE_SET_PSV = 1 << 5,
    MLX5_FAULT_WQE_GET_PSV = 1 << 6,
    MLX5_FAULT_WQE_APPROVAL = 1 << 7,   /* UMR_STATIC of a TIR past its start */
    MLX5_FAULT_WQE_OTHER = 1 << 8,      /* none of these */
    MLX5_FAULT_WQE_ANY = (1 << 9) - 1,
};

/* What rules are asked about. */
typedef struct Mlx5FaultEvent {
    Mlx5FaultSubject subject;
    unsigned kinds;             /* of a WQE: MLX5_FAULT_WQE_*, else 0 */
    int64_t number[MLX5_FAULT_NUMBERS];
} Mlx5FaultEvent;

/* An event that has none of the numbers yet. */
static inline Mlx5FaultEvent mlx5_fault_event_of(Mlx5FaultSubject subject,
                                                 unsigned kinds)
{
    return (Mlx5FaultEvent) {
        .subject = subject, .kinds = kinds,
        .number = { -1, -1, -1, -1, -1, -1 },
    };
}

/* A command's name and opcode. */
typedef struct Mlx5FaultCommand {
    Mlx5RuleWord word;
    uint16_t opcode;
} Mlx5FaultCommand;

typedef struct Mlx5FaultRule {
    uint32_t id;                /* from 1, never used again */
    char *text;                 /* as given, other white space made blanks */
    unsigned action;            /* see mlx5_fault_action_name() */
    /* which events */
    Mlx5FaultSubject subject;
    unsigned kinds;             /* one of them at least; 0: any */
    Mlx5RuleSet number[MLX5_FAULT_NUMBERS];
    int64_t dir;                /* 0 any, 1 tx, 2 rx */
    Mlx5RuleLimits limits;
    uint64_t seen;              /* events that match, before the draw of p= */
    /* what is done */
    int64_t status;
    int64_t syndrome;
    int64_t at;                 /* 0 completion, 1 execution */
    int64_t ms;                 /* 0: not given */
    int64_t packets;            /* 0: not given */
    char name[MLX5_RULE_NAME_MAX + 1]; /* what to release it by, "": none */
    int64_t state;              /* index in a table of fault_rule.c */
    int64_t add;
} Mlx5FaultRule;

/* A wait that a rule asks for. */
typedef struct Mlx5FaultWait {
    uint32_t rule;              /* its id, 0: no wait */
    int64_t ms;                 /* 0: not by time */
    int64_t packets;            /* 0: not by packets */
} Mlx5FaultWait;

/* What all rules together say about one event. All zero: nothing. */
typedef struct Mlx5FaultVerdict {
    unsigned hits;              /* how many rules were applied */
    bool swallow;
    bool fail;                  /* a command fails, a WQE completes in error: */
    uint8_t status;             /* of a command */
    uint32_t syndrome;
    Mlx5FaultWait before;       /* wait before it is executed */
    Mlx5FaultWait after;        /* hold its completion back */
    bool state;                 /* GET_PSV reports: */
    uint8_t tracker;            /* record_tracker_state */
    uint8_t auth;               /* auth_state */
    int64_t seq_add;
    int64_t record_add;
} Mlx5FaultVerdict;

typedef struct Mlx5FaultSet Mlx5FaultSet;

/* @commands (@n, kept by the caller for good) are those that rules can name. */
Mlx5FaultSet *mlx5_fault_set_new(const Mlx5FaultCommand *commands, size_t n);
/* NULL is allowed. */
void mlx5_fault_set_free(Mlx5FaultSet *set);

/*
 * Adds rules, separated by ';' or line ends: all of them, or, with an error,
 * none. Returns NULL, or what is wrong, to be freed: it names the rule, what is
 * expected, and what there is instead.
 */
char *mlx5_fault_set_add(Mlx5FaultSet *set, const char *rules);
/* Removes a rule, or all with id 0. Returns whether there was one. */
bool mlx5_fault_set_remove(Mlx5FaultSet *set, uint32_t id);
unsigned mlx5_fault_set_size(const Mlx5FaultSet *set);
/* In the order in which they were added; @i below the size. */
const Mlx5FaultRule *mlx5_fault_set_at(const Mlx5FaultSet *set, unsigned i);
/* NULL when there is none (any more). */
const Mlx5FaultRule *mlx5_fault_set_find(const Mlx5FaultSet *set, uint32_t id);

typedef void Mlx5FaultHit(void *opaque, const Mlx5FaultRule *rule);

/*
 * Asks all rules about @event, in the order in which they were added, until one
 * makes it fail or swallows it; counts. Of several waits before and of several
 * after the execution, the last counts. @hit (may be NULL) is told of each rule
 * that was applied. Draws for p= depend on the seed, the action and how many
 * events the rule has seen, on nothing else.
 */
void mlx5_fault_ask(Mlx5FaultSet *set, const Mlx5FaultEvent *event,
                    Mlx5FaultVerdict *verdict, Mlx5FaultHit *hit, void *opaque);

/* The grammar, with all that is allowed. */
void mlx5_fault_help(const Mlx5FaultSet *set, GString *out);

/* The name of the action with this index, as rules have it. */
const char *mlx5_fault_action_name(unsigned action);

#endif
