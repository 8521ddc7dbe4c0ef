/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of rules: one reader for the two languages that have rules, faults
 * in the device (fault_rule.h) and packets on the wire (tests/wire/rule.h).
 *
 *     ACTION [WORD]... [KEY=VALUE]...
 *
 * Responsible for cutting a rule into tokens, for finding its action and its
 * keys in the tables of a language, for reading their values into the struct of
 * that language, for the limits that all rules have, for the sentences that say
 * what was expected, and for listing a grammar. What only one language has, it
 * brings along as functions in its tables. Owns no state. Needs GLib only.
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

/* Numbers; none given (n = 0) means any. */
typedef struct Mlx5RuleSet {
    unsigned n;
    bool relative;          /* given with '+': counted from a base */
    Mlx5RuleRange range[MLX5_RULE_SET_MAX];
} Mlx5RuleSet;

/* Is @number in @set? In one that was not given there is every number. */
bool mlx5_rule_has(const Mlx5RuleSet *set, int64_t number);

/* How often a rule is applied, and how often it was. */
typedef struct Mlx5RuleLimits {
    double p;               /* probability, 1 without one */
    int64_t seed;           /* of the draws for it */
    int64_t after;          /* so many matches pass first */
    int64_t every;          /* of the others the first of so many; 0: all */
    int64_t count;          /* so many times at most; 0: always */
    Mlx5RuleSet nth;        /* only these matches, from 1 */
    uint64_t matches;       /* after the draw, before the other limits */
    uint64_t hits;          /* times the rule was applied */
} Mlx5RuleLimits;

/* Well mixed bits of @x: every bit of the result depends on every bit of it. */
uint64_t mlx5_rule_mix(uint64_t x);
/* Is one drawn with probability l->p whose number among all draws is @bits? */
bool mlx5_rule_draw(const Mlx5RuleLimits *l, uint64_t bits);
/* Counts a match. Is the rule applied to it? Then that is counted too. */
bool mlx5_rule_take(Mlx5RuleLimits *l);

/* ---- tables of a language ------------------------------------------------ */

typedef struct Mlx5RuleWord {
    const char *name;
    const char *about;      /* for the listing; NULL: nothing to say */
} Mlx5RuleWord;

/* A table whose rows are, or begin with, a Mlx5RuleWord. */
typedef struct Mlx5RuleWords {
    const void *rows;
    size_t stride;
    size_t n;
} Mlx5RuleWords;

#define MLX5_RULE_WORDS(table) \
    { (table), sizeof((table)[0]), G_N_ELEMENTS(table) }

/* Row @i, below words->n. */
const Mlx5RuleWord *mlx5_rule_word(const Mlx5RuleWords *words, size_t i);
/* The index of the row with this name, or -1. */
int mlx5_rule_find(const Mlx5RuleWords *words, const char *name);
/*
 * "A, B or C": the names of the rows that @wanted (NULL: all) wants, which is
 * asked with @opaque. To be freed.
 */
typedef bool Mlx5RuleWanted(const Mlx5RuleWord *row, const void *opaque);
char *mlx5_rule_names(const Mlx5RuleWords *words, Mlx5RuleWanted *wanted,
                      const void *opaque);

typedef struct Mlx5RuleReader Mlx5RuleReader;

/*
 * Reads one @item of a value whose parts are joined by commas, into the key's
 * @field. It may be empty. Returns false after mlx5_rule_bad().
 */
typedef bool Mlx5RuleItem(Mlx5RuleReader *r, void *field, const char *item);

typedef enum Mlx5RuleKind {
    MLX5_RULE_NUMBER,       /* int64_t: min..max */
    MLX5_RULE_WORD,         /* int64_t: the index of one of words */
    MLX5_RULE_PROBABILITY,  /* double: 0 to 1 */
    MLX5_RULE_NAME,         /* char[MLX5_RULE_NAME_MAX + 1] */
    MLX5_RULE_ITEMS,        /* what .item makes of it, often a Mlx5RuleSet */
} Mlx5RuleKind;

typedef struct Mlx5RuleKey {
    Mlx5RuleWord word;
    Mlx5RuleKind kind;
    size_t offset;          /* of its field, in the struct of the language */
    unsigned actions;       /* bit N: it goes with action N; 0: with all */
    unsigned subjects;      /* the same of what is in r->subject; 0: all */
    int64_t min;
    int64_t max;            /* INT64_MAX: as large as you like */
    Mlx5RuleItem *item;
    Mlx5RuleWords words;    /* of its value; for .item: only to be listed */
    const char *forms;      /* of its value, to be listed before the words */
} Mlx5RuleKey;

/* A Mlx5RuleSet, in the forms below. */
Mlx5RuleItem mlx5_rule_item_set, mlx5_rule_item_set_plus;
#define MLX5_RULE_SET_FORMS "N, N..M, N.. or ..M, several joined by commas"
#define MLX5_RULE_PLUS_FORMS MLX5_RULE_SET_FORMS \
    ", or +N, +N..M, +N.. to count from when the rule was added"

/* The keys of Mlx5RuleLimits but nth; the struct is at offset @at of a rule. */
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

/* What a language makes of a token that need not be KEY=VALUE. */
typedef enum Mlx5RuleToken {
    MLX5_RULE_TOKEN_BAD,    /* mlx5_rule_bad() has been called */
    MLX5_RULE_TOKEN_TAKEN,
    MLX5_RULE_TOKEN_KEY,    /* not mine: a key and its value */
} Mlx5RuleToken;

typedef struct Mlx5RuleLanguage {
    const char *grammar;    /* of a rule, for the listing */
    Mlx5RuleWords actions;
    const Mlx5RuleKey *keys;
    size_t n_keys;          /* 64 at most */
    /* Is asked about r->token, which comes after the action. */
    Mlx5RuleToken (*token)(Mlx5RuleReader *r);
    /* Checks what only the whole rule shows; fills in what it left out. */
    bool (*finish)(Mlx5RuleReader *r);
} Mlx5RuleLanguage;

/* ---- reading ------------------------------------------------------------- */

/* A rule that is being read. The caller sets what is above the line. */
struct Mlx5RuleReader {
    const Mlx5RuleLanguage *language;
    const void *context;    /* the language's own */
    void *rule; /* the struct that is filled; begins with its defaults */
    const char *text;       /* of one rule, as mlx5_rule_clean() makes it */
    /* ---- */
    const char *token;      /* what is being read of it */
    unsigned n;             /* tokens before it */
    unsigned action;        /* its index */
    unsigned subject; /* one bit, set by the language if it knows subjects */
    const char *subject_name; /* "cmd=", or NULL */
    uint64_t given;         /* bit N: key N of the language's table was given */
    char *error;            /* after false: what is wrong, to be freed */
};

/* A copy of @text, to be freed, with blanks for white space and none around. */
char *mlx5_rule_clean(const char *text);
/* Reads r->text into r->rule. Returns false and sets r->error if it cannot. */
bool mlx5_rule_read(Mlx5RuleReader *r);
/* Was the key of this name given? */
bool mlx5_rule_given(const Mlx5RuleReader *r, const char *name);
/*
 * Reads the parts of @value, joined by commas, one by one into @field. What is
 * expected for one that cannot be read, @item says.
 */
bool mlx5_rule_items(Mlx5RuleReader *r, void *field, const char *value,
                     Mlx5RuleItem *item);
/* A whole number, decimal or with 0x; *@end is what follows it. */
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

/* A row for each word, with what it is about. */
void mlx5_rule_help_words(const Mlx5RuleWords *words, GString *out);
/* The form of a rule, and the actions. */
void mlx5_rule_help_actions(const Mlx5RuleLanguage *language, GString *out);
/* The keys that go with every action, then the others. @sets: forms of sets. */
void mlx5_rule_help_keys(const Mlx5RuleLanguage *language, const char *sets,
                         GString *out);

#endif
