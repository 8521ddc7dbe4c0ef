/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parser for rules, shared by the two rule languages: faults in the device
 * (fault_rule.h) and packets on the wire (tests/wire/rule.h).
 *
 *     ACTION [WORD]... [KEY=VALUE]...
 *
 * Responsible for splitting a rule into tokens, finding its action and keys in
 * the tables of a language, reading values into the struct of that language,
 * the limits common to all rules, error messages, and listing a grammar. What
 * is specific to one language is provided as functions in its tables. Owns no
 * state. Needs only GLib.
 *
 * All errors have one form, "rule 'TEXT': expected THIS, got 'TOKEN'".
 */
#ifndef HW_NET_MLX5_ENGINE_RULE_TEXT_H
#define HW_NET_MLX5_ENGINE_RULE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

/* ---- what a rule is filled with ------------------------------------------ */

#define MLX5_RULE_SET_MAX 16    /* ranges of a set */
#define MLX5_RULE_NAME_MAX 64   /* characters of a name */

/* lo..hi, both included. */
typedef struct Mlx5RuleRange {
    int64_t lo;
    int64_t hi;
} Mlx5RuleRange;

/* A set of numbers; empty (n = 0) means any. */
typedef struct Mlx5RuleSet {
    unsigned n;
    bool relative;          /* given with '+': relative to a base */
    Mlx5RuleRange range[MLX5_RULE_SET_MAX];
} Mlx5RuleSet;

/*
 * Returns whether @set contains @number. A set that was not given contains all.
 */
bool mlx5_rule_has(const Mlx5RuleSet *set, int64_t number);

/* Limits on the application of a rule, and its counters. */
typedef struct Mlx5RuleLimits {
    double p;               /* probability, 1 without one */
    int64_t seed;           /* of its draws */
    int64_t after;          /* skip this many matches */
    int64_t every;          /* then apply to one in this many; 0: all */
    int64_t count;          /* maximum number of times; 0: no limit */
    Mlx5RuleSet nth;        /* only these matches, from 1 */
    uint64_t matches;       /* after the draw, before the other limits */
    uint64_t hits;          /* times the rule was applied */
} Mlx5RuleLimits;

/* Mixes the bits of @x: every bit of the result depends on every bit of @x. */
uint64_t mlx5_rule_mix(uint64_t x);
/* Returns true with probability l->p, according to @bits, 64 random bits. */
bool mlx5_rule_draw(const Mlx5RuleLimits *l, uint64_t bits);
/*
 * Counts a match. Returns whether the rule applies to it; if so, counts a hit
 * too.
 */
bool mlx5_rule_take(Mlx5RuleLimits *l);

/* ---- tables of a language ------------------------------------------------ */

typedef struct Mlx5RuleWord {
    const char *name;
    const char *about;      /* for the listing, or NULL */
} Mlx5RuleWord;

/* A table whose rows are, or start with, a Mlx5RuleWord. */
typedef struct Mlx5RuleWords {
    const void *rows;
    size_t stride;
    size_t n;
} Mlx5RuleWords;

#define MLX5_RULE_WORDS(table) \
    { (table), sizeof((table)[0]), G_N_ELEMENTS(table) }

/* Returns row @i; @i must be less than words->n. */
const Mlx5RuleWord *mlx5_rule_word(const Mlx5RuleWords *words, size_t i);
/* Returns the index of the row with this name, or -1. */
int mlx5_rule_find(const Mlx5RuleWords *words, const char *name);
/*
 * Returns "A, B or C", to be freed: the names of the rows for which @wanted
 * (NULL: all) returns true; @opaque is passed to it.
 */
typedef bool Mlx5RuleWanted(const Mlx5RuleWord *row, const void *opaque);
char *mlx5_rule_names(const Mlx5RuleWords *words, Mlx5RuleWanted *wanted,
                      const void *opaque);

typedef struct Mlx5RuleReader Mlx5RuleReader;

/*
 * Reads one @item of a comma-separated value into the key's @field. The item
 * may be empty. Returns false after mlx5_rule_bad().
 */
typedef bool Mlx5RuleItem(Mlx5RuleReader *r, void *field, const char *item);

typedef enum Mlx5RuleKind {
    MLX5_RULE_NUMBER,       /* int64_t: min..max */
    MLX5_RULE_WORD,         /* int64_t: the index of one of words */
    MLX5_RULE_PROBABILITY,  /* double: 0 to 1 */
    MLX5_RULE_NAME,         /* char[MLX5_RULE_NAME_MAX + 1] */
    MLX5_RULE_ITEMS,        /* defined by .item, often a Mlx5RuleSet */
} Mlx5RuleKind;

typedef struct Mlx5RuleKey {
    Mlx5RuleWord word;
    Mlx5RuleKind kind;
    size_t offset;          /* of its field, in the struct of the language */
    unsigned actions;       /* bit N: allowed with action N; 0: with all */
    unsigned subjects;      /* the same for r->subject; 0: all */
    int64_t min;
    int64_t max;            /* INT64_MAX: no limit */
    Mlx5RuleItem *item;
    Mlx5RuleWords words;    /* of its value; with .item only for the listing */
    const char *forms;      /* of its value, listed before the words */
} Mlx5RuleKey;

/* Read a Mlx5RuleSet, in the forms below. */
Mlx5RuleItem mlx5_rule_item_set, mlx5_rule_item_set_plus;
#define MLX5_RULE_SET_FORMS "N, N..M, N.. or ..M, several joined by commas"
#define MLX5_RULE_PLUS_FORMS MLX5_RULE_SET_FORMS \
    ", or +N, +N..M, +N.. to count from when the rule was added"

/*
 * The keys of Mlx5RuleLimits except nth; the struct is at offset @at of a rule.
 */
#define MLX5_RULE_LIMIT_KEYS(at) \
    { { "p", "probability" }, MLX5_RULE_PROBABILITY, \
      (at) + offsetof(Mlx5RuleLimits, p) }, \
    { { "seed", "of the draws for p=" }, MLX5_RULE_NUMBER, \
      (at) + offsetof(Mlx5RuleLimits, seed), .min = 0, .max = INT64_MAX }, \
    { { "after", "let so many matches pass first" }, MLX5_RULE_NUMBER, \
      (at) + offsetof(Mlx5RuleLimits, after), .min = 0, .max = INT64_MAX }, \
    { { "every", "of the others only the first of so many" }, \
      MLX5_RULE_NUMBER, (at) + offsetof(Mlx5RuleLimits, every), .min = 1, \
      .max = INT64_MAX }, \
    { { "count", "so many times at most" }, MLX5_RULE_NUMBER, \
      (at) + offsetof(Mlx5RuleLimits, count), .min = 1, .max = INT64_MAX }

/* How a language classifies a token that may not be KEY=VALUE. */
typedef enum Mlx5RuleToken {
    MLX5_RULE_TOKEN_BAD,    /* mlx5_rule_bad() has been called */
    MLX5_RULE_TOKEN_TAKEN,
    MLX5_RULE_TOKEN_KEY,    /* not special: KEY=VALUE */
} Mlx5RuleToken;

typedef struct Mlx5RuleLanguage {
    const char *grammar;    /* of a rule, for the listing */
    Mlx5RuleWords actions;
    const Mlx5RuleKey *keys;
    size_t n_keys;          /* at most 64 */
    /* Called for r->token, a token after the action. */
    Mlx5RuleToken (*token)(Mlx5RuleReader *r);
    /* Checks the complete rule and fills in defaults. */
    bool (*finish)(Mlx5RuleReader *r);
} Mlx5RuleLanguage;

/* ---- reading ------------------------------------------------------------- */

/* A rule being read. The caller sets the members above the line. */
struct Mlx5RuleReader {
    const Mlx5RuleLanguage *language;
    const void *context;    /* the language's own */
    void *rule; /* the struct to fill, preset with defaults */
    const char *text;       /* of one rule, as mlx5_rule_clean() makes it */
    /* ---- */
    const char *token;      /* the current token */
    unsigned n;             /* number of tokens before it */
    unsigned action;        /* its index */
    unsigned subject; /* one bit, set by the language if it has subjects */
    const char *subject_name; /* "cmd=", or NULL */
    uint64_t given;         /* bit N: key N of the language was given */
    char *error;            /* after false: the error message, to be freed */
};

/*
 * Returns a copy of @text, to be freed, with white space turned into blanks and
 * removed at both ends.
 */
char *mlx5_rule_clean(const char *text);
/* Reads r->text into r->rule. Returns false and sets r->error on failure. */
bool mlx5_rule_read(Mlx5RuleReader *r);
/* Returns whether the key of this name was given. */
bool mlx5_rule_given(const Mlx5RuleReader *r, const char *name);
/*
 * Reads the comma-separated parts of @value one by one into @field. @item
 * reports the error for a part that cannot be read.
 */
bool mlx5_rule_items(Mlx5RuleReader *r, void *field, const char *value,
                     Mlx5RuleItem *item);
/*
 * Reads a whole number, decimal or with 0x; *@end is set to the text after it.
 */
bool mlx5_rule_number(const char *p, int64_t *number, const char **end);
/* Adds lo..hi to @set. */
bool mlx5_rule_add_range(Mlx5RuleReader *r, Mlx5RuleSet *set, int64_t lo,
                         int64_t hi);

/* "expected @format, got r->token". Returns false. */
bool mlx5_rule_bad(Mlx5RuleReader *r, const char *format, ...)
    G_GNUC_PRINTF(2, 3);
/* "expected @what with @whom, got none". Returns false. */
bool mlx5_rule_lacks(Mlx5RuleReader *r, const char *what, const char *whom);

/* ---- the listing of a grammar -------------------------------------------- */

/* Lists each word with its description. */
void mlx5_rule_help_words(const Mlx5RuleWords *words, GString *out);
/* Lists the form of a rule, and the actions. */
void mlx5_rule_help_actions(const Mlx5RuleLanguage *language, GString *out);
/*
 * Lists the keys allowed with every action, then the others. @sets: forms of
 * sets.
 */
void mlx5_rule_help_keys(const Mlx5RuleLanguage *language, const char *sets,
                         GString *out);

#endif
