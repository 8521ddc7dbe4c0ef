/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Fault rules: their text, and what they say about one command or one WQE.
 *
 * Responsible for reading rules (docs/faults.md has the grammar, the tables in fault.c
 * are the truth), for errors that name the token and what is allowed in its place, and
 * for the verdict of all rules on one event. What is then done, and when, is the
 * device's (../fault.c). Owns a Mlx5FaultSet: the rules, their counters and ids.
 * Called by the device and the tests; needs GLib only, no QEMU header.
 */
#ifndef MLX5_ENGINE_FAULT_H
#define MLX5_ENGINE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

typedef enum Mlx5FaultAction {
    MLX5_FAULT_FAIL,        /* a command fails */
    MLX5_FAULT_ERROR,       /* a WQE completes in error, its queue stops */
    MLX5_FAULT_SWALLOW,     /* success is reported, nothing is done */
    MLX5_FAULT_IGNORE,      /* the same, for an approval */
    MLX5_FAULT_DELAY,       /* for a time, or until packets have passed */
    MLX5_FAULT_HOLD,        /* until release */
    MLX5_FAULT_STATE,       /* GET_PSV reports another state */
    MLX5_FAULT_SEQ,         /* a sequence number is changed */
    MLX5_FAULT_RECORD,      /* initial_record_number is changed */
    MLX5_FAULT_LOG,         /* counted and traced, nothing else */
    MLX5_FAULT_ACTIONS
} Mlx5FaultAction;

/*
 * Kinds of WQE, as a mask: one WQE may be of several (an approval is a UMR with static
 * params, an LSO is a packet).
 */
enum {
    MLX5_FAULT_WQE_NOP = 1 << 0,
    MLX5_FAULT_WQE_SEND = 1 << 1,       /* any packet: SEND, LSO, ENHANCED_MPSW */
    MLX5_FAULT_WQE_LSO = 1 << 2,
    MLX5_FAULT_WQE_DUMP = 1 << 3,
    MLX5_FAULT_WQE_UMR_STATIC = 1 << 4, /* tls_static_params, of a TIS or a TIR */
    MLX5_FAULT_WQE_SET_PSV = 1 << 5,
    MLX5_FAULT_WQE_GET_PSV = 1 << 6,
    MLX5_FAULT_WQE_APPROVAL = 1 << 7,   /* UMR_STATIC of a TIR that is past its start */
    MLX5_FAULT_WQE_OTHER = 1 << 8,      /* none of these */
    MLX5_FAULT_WQE_ANY = (1 << 9) - 1,
};

/* A command's name and opcode. */
typedef struct Mlx5FaultCommand {
    const char *name;
    uint16_t opcode;
} Mlx5FaultCommand;

#define MLX5_FAULT_SET_MAX 16

/* Numbers; none given (n = 0) means any. */
typedef struct Mlx5FaultNumbers {
    unsigned n;
    struct {
        int64_t lo;
        int64_t hi;
    } range[MLX5_FAULT_SET_MAX];
} Mlx5FaultNumbers;

#define MLX5_FAULT_NAME_MAX 64

typedef struct Mlx5FaultRule {
    uint32_t id;                /* from 1, never used again */
    char *text;                 /* as given, blanks made one */
    Mlx5FaultAction action;
    /* subject: one of them */
    Mlx5FaultNumbers opcodes;   /* of commands; any_cmd: of all */
    bool any_cmd;
    unsigned wqes;              /* MLX5_FAULT_WQE_*, 0: a command */
    /* which */
    Mlx5FaultNumbers op_mod;
    Mlx5FaultNumbers obj;       /* a command's number in its second dword */
    Mlx5FaultNumbers sqn;
    Mlx5FaultNumbers tisn;
    Mlx5FaultNumbers tirn;
    int64_t dir;                /* 0 any, 1 tx, 2 rx */
    double p;                   /* probability, 1 without one */
    int64_t seed;
    /* how often */
    int64_t after;
    int64_t every;              /* 0: not given */
    int64_t count;              /* 0: not given */
    Mlx5FaultNumbers nth;
    /* what */
    int64_t status;
    int64_t syndrome;
    int64_t at;                 /* 0 completion, 1 execution */
    int64_t ms;                 /* 0: not given */
    int64_t packets;            /* 0: not given */
    char name[MLX5_FAULT_NAME_MAX + 1]; /* what to release it by */
    int64_t state;              /* index in a table of fault.c, -1: not given */
    int64_t add;
    uint64_t given;             /* bit N: key N of the table was given */
    /* counters */
    uint64_t seen;              /* events that match, before the draw of p= */
    uint64_t matches;           /* after it, before the limits */
    uint64_t hits;              /* times the rule was applied */
} Mlx5FaultRule;

/* What rules are asked about. */
typedef struct Mlx5FaultEvent {
    unsigned wqe;               /* MLX5_FAULT_WQE_*, 0: a command */
    /* a command */
    uint16_t opcode;
    uint16_t op_mod;
    uint32_t obj;
    /* a WQE; a number that it has not is -1, tisn 0 is a packet without TLS */
    int64_t sqn;
    int64_t tisn;
    int64_t tirn;
} Mlx5FaultEvent;

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
    bool fail;                  /* a command fails, or a WQE completes in error: */
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

/* @commands (@n of them, kept by the caller for good) are those that rules can name. */
Mlx5FaultSet *mlx5_fault_set_new(const Mlx5FaultCommand *commands, size_t n);
void mlx5_fault_set_free(Mlx5FaultSet *set); /* NULL is allowed */

/*
 * Adds rules, separated by ';' or line ends: all of them, or, with an error, none.
 * Returns NULL, or what is wrong, to be freed: it names the rule, the token and what is
 * allowed in its place.
 */
char *mlx5_fault_set_add(Mlx5FaultSet *set, const char *rules);
/* Removes a rule, or all with id 0. Returns whether there was one. */
bool mlx5_fault_set_remove(Mlx5FaultSet *set, uint32_t id);
unsigned mlx5_fault_set_size(const Mlx5FaultSet *set);
/* In the order in which they were added; i below the size. */
const Mlx5FaultRule *mlx5_fault_set_at(const Mlx5FaultSet *set, unsigned i);
/* NULL when there is none (any more). */
const Mlx5FaultRule *mlx5_fault_set_find(const Mlx5FaultSet *set, uint32_t id);

typedef void Mlx5FaultHit(void *opaque, const Mlx5FaultRule *rule);

/*
 * Asks all rules about an event, in the order in which they were added, until one makes
 * it fail or swallows it; counts. Of several waits before and of several after the
 * execution, the last counts. @hit (may be NULL) is told of each rule that was applied.
 * Draws for p= depend on the seed, the action and how many events the rule has seen, on
 * nothing else.
 */
void mlx5_fault_ask(Mlx5FaultSet *set, const Mlx5FaultEvent *event,
                    Mlx5FaultVerdict *verdict, Mlx5FaultHit *hit, void *opaque);

/* The grammar, with all that is allowed. */
void mlx5_fault_help(const Mlx5FaultSet *set, GString *out);

const char *mlx5_fault_action_name(Mlx5FaultAction action);

#endif /* MLX5_ENGINE_FAULT_H */
