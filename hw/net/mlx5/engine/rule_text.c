/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table-driven parser for rules; see rule_text.h. */
#include "rule_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- words --------------------------------------------------------------- */

const Mlx5RuleWord *mlx5_rule_word(const Mlx5RuleWords *words, size_t i)
{
    return (const void *)((const char *)words->rows + i * words->stride);
}

int mlx5_rule_find(const Mlx5RuleWords *words, const char *name)
{
    size_t i;

    for (i = 0; i < words->n; i++) {
        if (!strcmp(mlx5_rule_word(words, i)->name, name)) {
            return (int)i;
        }
    }
    return -1;
}

char *mlx5_rule_names(const Mlx5RuleWords *words, Mlx5RuleWanted *wanted,
                      const void *opaque)
{
    GString *s = g_string_new(NULL);
    const char *last = NULL;
    size_t i;

    for (i = 0; i < words->n; i++) {
        const Mlx5RuleWord *word = mlx5_rule_word(words, i);

        if (wanted && !wanted(word, opaque)) {
            continue;
        }
        if (last) {
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", last);
        }
        last = word->name;
    }
    if (last) {
        g_string_append_printf(s, "%s%s", s->len ? " or " : "", last);
    }
    return g_string_free(s, FALSE);
}

/* ---- what is said -------------------------------------------------------- */

bool mlx5_rule_bad(Mlx5RuleReader *r, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    r->error = g_strdup_printf("rule '%s': expected %s, got '%s'", r->text,
                               what, r->token);
    return false;
}

bool mlx5_rule_lacks(Mlx5RuleReader *r, const char *what, const char *whom)
{
    r->error = g_strdup_printf("rule '%s': expected %s with '%s', got none",
                               r->text, what, whom);
    return false;
}

/* ---- values -------------------------------------------------------------- */

bool mlx5_rule_number(const char *p, int64_t *number, const char **end)
{
    const char *digits = p + (*p == '-');
    bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *stop;

    digits += hex ? 2 : 0;
    if (hex ? !g_ascii_isxdigit(*digits) : !g_ascii_isdigit(*digits)) {
        return false;
    }
    errno = 0;
    *number = g_ascii_strtoll(p, &stop, hex ? 16 : 10);
    *end = stop;
    return !errno;
}

bool mlx5_rule_add_range(Mlx5RuleReader *r, Mlx5RuleSet *set, int64_t lo,
                         int64_t hi)
{
    /* a negative end counts from the end, so it is after any start >= 0 */
    if (lo > hi && !(lo >= 0 && hi < 0)) {
        return mlx5_rule_bad(r, "a range that ends at %" G_GINT64_FORMAT
                             " or above", lo);
    }
    if (set->n == MLX5_RULE_SET_MAX) {
        return mlx5_rule_bad(r, "at most %d ranges", MLX5_RULE_SET_MAX);
    }
    set->range[set->n].lo = lo;
    set->range[set->n].hi = hi;
    set->n++;
    return true;
}

static bool item_set(Mlx5RuleReader *r, Mlx5RuleSet *set, const char *p,
                     bool plus)
{
    bool relative = plus && *p == '+';
    int64_t lo = 0, hi = INT64_MAX;
    bool ok;

    if (set->n && relative != set->relative) {
        return mlx5_rule_bad(r, "numbers all with '+' or all without");
    }
    set->relative = relative;
    p += relative;
    ok = !strncmp(p, "..", 2) || (*p != '-' && mlx5_rule_number(p, &lo, &p));
    if (ok && !strncmp(p, "..", 2)) {
        p += 2;
        p += relative && *p == '+';
        ok = !*p || (*p != '-' && mlx5_rule_number(p, &hi, &p));
    } else {
        hi = lo;
    }
    if (!ok || *p) {
        return mlx5_rule_bad(r, "%s", plus ? MLX5_RULE_PLUS_FORMS :
                             MLX5_RULE_SET_FORMS);
    }
    return mlx5_rule_add_range(r, set, lo, hi);
}

bool mlx5_rule_item_set(Mlx5RuleReader *r, void *field, const char *item)
{
    return item_set(r, field, item, false);
}

bool mlx5_rule_item_set_plus(Mlx5RuleReader *r, void *field, const char *item)
{
    return item_set(r, field, item, true);
}

bool mlx5_rule_items(Mlx5RuleReader *r, void *field, const char *value,
                     Mlx5RuleItem *item)
{
    /* g_strsplit() returns no item for "", which must be a bad item */
    g_auto(GStrv) items = g_strsplit(*value ? value : ",", ",", -1);
    unsigned i;

    for (i = 0; items[i]; i++) {
        if (!item(r, field, items[i])) {
            return false;
        }
    }
    return true;
}

static bool read_number(Mlx5RuleReader *r, const Mlx5RuleKey *key,
                        const char *value)
{
    int64_t *field = (void *)((char *)r->rule + key->offset);
    const char *end;

    if (mlx5_rule_number(value, field, &end) && !*end && *field >= key->min &&
        *field <= key->max) {
        return true;
    }
    if (key->max == INT64_MAX) {
        return mlx5_rule_bad(r, "a number, %" G_GINT64_FORMAT " or more",
                             key->min);
    }
    return mlx5_rule_bad(r, "a number from %" G_GINT64_FORMAT " to %"
                         G_GINT64_FORMAT, key->min, key->max);
}

static bool read_value(Mlx5RuleReader *r, const Mlx5RuleKey *key,
                       const char *value)
{
    void *field = (char *)r->rule + key->offset;
    g_autofree char *names = NULL;
    double p;
    char *stop;
    int i;

    switch (key->kind) {
    case MLX5_RULE_NUMBER:
        return read_number(r, key, value);
    case MLX5_RULE_WORD:
        i = mlx5_rule_find(&key->words, value);
        if (i < 0) {
            names = mlx5_rule_names(&key->words, NULL, NULL);
            return mlx5_rule_bad(r, "%s", names);
        }
        *(int64_t *)field = i;
        return true;
    case MLX5_RULE_PROBABILITY:
        p = g_ascii_strtod(value, &stop);
        /* written so that NaN is refused too */
        if (!*value || *stop || !(p >= 0 && p <= 1)) {
            return mlx5_rule_bad(r, "a probability from 0 to 1, such as 0.01");
        }
        *(double *)field = p;
        return true;
    case MLX5_RULE_NAME:
        if (!*value || strlen(value) > MLX5_RULE_NAME_MAX) {
            return mlx5_rule_bad(r, "a name of 1 to %d characters",
                                 MLX5_RULE_NAME_MAX);
        }
        g_strlcpy(field, value, MLX5_RULE_NAME_MAX + 1);
        return true;
    case MLX5_RULE_ITEMS:
        return mlx5_rule_items(r, field, value, key->item);
    }
    g_assert_not_reached();
}

/* ---- rules --------------------------------------------------------------- */

static Mlx5RuleWords key_words(const Mlx5RuleLanguage *l)
{
    return (Mlx5RuleWords) { l->keys, sizeof(*l->keys), l->n_keys };
}

static bool goes_with(const Mlx5RuleWord *row, const void *opaque)
{
    const Mlx5RuleKey *key = (const void *)row;
    const Mlx5RuleReader *r = opaque;

    return (!key->actions || key->actions & 1u << r->action) &&
           (!key->subjects || key->subjects & r->subject);
}

static bool read_key(Mlx5RuleReader *r)
{
    const Mlx5RuleLanguage *l = r->language;
    Mlx5RuleWords words = key_words(l);
    const char *equals = strchr(r->token, '=');
    g_autofree char *name = NULL, *names = NULL;
    size_t i;

    if (!equals) {
        return mlx5_rule_bad(r, "KEY=VALUE");
    }
    name = g_strndup(r->token, (size_t)(equals - r->token));
    for (i = 0; i < l->n_keys; i++) {
        const Mlx5RuleKey *key = &l->keys[i];

        /* keys of different rules may have the same name */
        if (strcmp(key->word.name, name) || !goes_with(&key->word, r)) {
            continue;
        }
        if (r->given & UINT64_C(1) << i) {
            return mlx5_rule_bad(r, "%s= only once", name);
        }
        r->given |= UINT64_C(1) << i;
        return read_value(r, key, equals + 1);
    }
    names = mlx5_rule_names(&words, goes_with, r);
    return mlx5_rule_bad(r, "a key that goes with '%s%s%s' (%s)",
                         mlx5_rule_word(&l->actions, r->action)->name,
                         r->subject_name ? " " : "",
                         r->subject_name ? r->subject_name : "", names);
}

static bool read_action(Mlx5RuleReader *r)
{
    const Mlx5RuleWords *actions = &r->language->actions;
    int action = mlx5_rule_find(actions, r->token);
    g_autofree char *names = NULL;

    if (action < 0) {
        names = mlx5_rule_names(actions, NULL, NULL);
        return mlx5_rule_bad(r, "an action (%s)", names);
    }
    r->action = (unsigned)action;
    return true;
}

static bool read_token(Mlx5RuleReader *r)
{
    if (!r->n) {
        return read_action(r);
    }
    switch (r->language->token(r)) {
    case MLX5_RULE_TOKEN_KEY:
        return read_key(r);
    case MLX5_RULE_TOKEN_TAKEN:
        return true;
    default:
        return false;
    }
}

char *mlx5_rule_clean(const char *text)
{
    return g_strstrip(g_strdelimit(g_strdup(text), "\t\r\n", ' '));
}

bool mlx5_rule_read(Mlx5RuleReader *r)
{
    g_auto(GStrv) tokens = g_strsplit(r->text, " ", -1);
    unsigned i;

    for (i = 0; tokens[i]; i++) {
        r->token = tokens[i];
        if (!*r->token) {
            continue;
        }
        if (!read_token(r)) {
            return false;
        }
        r->n++;
    }
    r->token = "";
    if (!r->n) {
        return read_action(r);
    }
    if (mlx5_rule_given(r, "seed") && !mlx5_rule_given(r, "p")) {
        return mlx5_rule_lacks(r, "p=", "seed=");
    }
    return r->language->finish(r);
}

bool mlx5_rule_given(const Mlx5RuleReader *r, const char *name)
{
    size_t i;

    for (i = 0; i < r->language->n_keys; i++) {
        if (r->given & UINT64_C(1) << i &&
            !strcmp(r->language->keys[i].word.name, name)) {
            return true;
        }
    }
    return false;
}

/* ---- sets and limits ----------------------------------------------------- */

bool mlx5_rule_has(const Mlx5RuleSet *set, int64_t number)
{
    unsigned i;

    for (i = 0; i < set->n; i++) {
        if (number >= set->range[i].lo && number <= set->range[i].hi) {
            return true;
        }
    }
    return !set->n;
}

/* The finalizer of splitmix64. */
uint64_t mlx5_rule_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

bool mlx5_rule_draw(const Mlx5RuleLimits *l, uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53 < l->p;
}

bool mlx5_rule_take(Mlx5RuleLimits *l)
{
    uint64_t n = l->matches++;

    if (n < (uint64_t)l->after) {
        return false;
    }
    n -= (uint64_t)l->after;
    if ((l->every && n % (uint64_t)l->every) ||
        !mlx5_rule_has(&l->nth, (int64_t)l->matches) ||
        (l->count && l->hits >= (uint64_t)l->count)) {
        return false;
    }
    l->hits++;
    return true;
}

/* ---- the listing of a grammar -------------------------------------------- */

/* Column of the descriptions. */
#define NAME_WIDTH 12

void mlx5_rule_help_words(const Mlx5RuleWords *words, GString *out)
{
    size_t i;

    for (i = 0; i < words->n; i++) {
        const Mlx5RuleWord *word = mlx5_rule_word(words, i);

        if (word->about) {
            g_string_append_printf(out, "  %-*s %s\n", NAME_WIDTH, word->name,
                                   word->about);
        } else {
            g_string_append_printf(out, "  %s\n", word->name);
        }
    }
}

void mlx5_rule_help_actions(const Mlx5RuleLanguage *language, GString *out)
{
    g_string_append_printf(out, "RULE: %s\n\nactions:\n", language->grammar);
    mlx5_rule_help_words(&language->actions, out);
}

static void help_key(const Mlx5RuleKey *key, GString *out)
{
    g_autofree char *names = mlx5_rule_names(&key->words, NULL, NULL);

    g_string_append_printf(out, "  %-*s %s", NAME_WIDTH, key->word.name,
                           key->word.about);
    if (key->kind == MLX5_RULE_NUMBER && key->max == INT64_MAX) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT " or more)",
                               key->min);
    } else if (key->kind == MLX5_RULE_NUMBER) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT
                               ")", key->min, key->max);
    } else if (key->forms || key->words.n) {
        g_string_append_printf(out, " (%s%s%s)", key->forms ? key->forms : "",
                               key->forms && key->words.n ? ", " : "", names);
    }
    g_string_append_c(out, '\n');
}

static void help_keys(const Mlx5RuleLanguage *language, bool single,
                      GString *out)
{
    size_t i;

    for (i = 0; i < language->n_keys; i++) {
        if (single == !!language->keys[i].actions) {
            help_key(&language->keys[i], out);
        }
    }
}

void mlx5_rule_help_keys(const Mlx5RuleLanguage *language, const char *sets,
                         GString *out)
{
    g_string_append_printf(out, "\nwhich of them, and how often (sets: %s):\n",
                           sets);
    help_keys(language, false, out);
    g_string_append(out, "\nof single actions, with the default first:\n");
    help_keys(language, true, out);
}
