/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading fault rules and asking them: see fault.h. Owns no state but the sets it makes.
 */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tls_types.h"

struct Mlx5FaultSet {
    const Mlx5FaultCommand *commands;
    size_t n_commands;
    GPtrArray *rules;           /* of Mlx5FaultRule, owning */
    uint32_t next_id;
};

/* ---- tables ------------------------------------------------------------------ */

#define BIT(action) (1u << (action))
#define WAITS       (BIT(MLX5_FAULT_DELAY) | BIT(MLX5_FAULT_HOLD))
#define ALL_ACTIONS (BIT(MLX5_FAULT_ACTIONS) - 1)

/* What an action can be done to. */
enum { CMD = 1, WQE = 2, BOTH = 3 };

typedef struct Action {
    const char *name;
    unsigned subjects;          /* CMD, WQE */
    unsigned wqes;              /* of which kinds */
    const char *about;
} Action;

#define STATICS (MLX5_FAULT_WQE_UMR_STATIC | MLX5_FAULT_WQE_APPROVAL)

static const Action actions[MLX5_FAULT_ACTIONS] = {
    [MLX5_FAULT_FAIL] = { "fail", CMD, 0,
                          "the command is not run and answers status= and syndrome=" },
    [MLX5_FAULT_ERROR] = { "error", WQE, MLX5_FAULT_WQE_ANY,
                           "the WQE is not executed and completes with an error CQE of "
                           "syndrome=; its queue goes to the error state" },
    [MLX5_FAULT_SWALLOW] = { "swallow", BOTH, MLX5_FAULT_WQE_ANY,
                             "success is reported, nothing is done" },
    [MLX5_FAULT_IGNORE] = { "ignore", WQE, MLX5_FAULT_WQE_APPROVAL,
                            "swallow, for an approval" },
    [MLX5_FAULT_DELAY] = { "delay", BOTH, MLX5_FAULT_WQE_ANY,
                           "wait until packets= have arrived, or for ms= milliseconds" },
    [MLX5_FAULT_HOLD] = { "hold", BOTH, MLX5_FAULT_WQE_ANY,
                          "wait until `fault-release`" },
    [MLX5_FAULT_STATE] = { "state", WQE, MLX5_FAULT_WQE_GET_PSV,
                           "the answer has the states value= instead of the true ones" },
    [MLX5_FAULT_SEQ] = { "seq", WQE,
                         MLX5_FAULT_WQE_GET_PSV | MLX5_FAULT_WQE_SET_PSV | STATICS,
                         "add= to hw_resync_tcp_sn of the answer (GET_PSV), to "
                         "next_record_tcp_sn (SET_PSV), to resync_tcp_sn" },
    [MLX5_FAULT_RECORD] = { "record", WQE, STATICS, "add= to initial_record_number" },
    [MLX5_FAULT_LOG] = { "log", BOTH, MLX5_FAULT_WQE_ANY, "nothing but count and trace" },
};

static const struct {
    const char *name;
    unsigned mask;
    const char *about;
} wqe_words[] = {
    { "any", MLX5_FAULT_WQE_ANY, "every WQE" },
    { "NOP", MLX5_FAULT_WQE_NOP, "" },
    { "SEND", MLX5_FAULT_WQE_SEND, "a packet: SEND, LSO or ENHANCED_MPSW" },
    { "LSO", MLX5_FAULT_WQE_LSO, "a packet that the device cuts" },
    { "DUMP", MLX5_FAULT_WQE_DUMP, "" },
    { "UMR_STATIC", MLX5_FAULT_WQE_UMR_STATIC, "static params of a TIS or TIR" },
    { "SET_PSV", MLX5_FAULT_WQE_SET_PSV, "progress params of a TIS or TIR" },
    { "GET_PSV", MLX5_FAULT_WQE_GET_PSV, "" },
    { "APPROVAL", MLX5_FAULT_WQE_APPROVAL,
      "a UMR_STATIC of a TIR that has had packets since SET_PSV: the software's answer to "
      "a resync request" },
};

static const struct {
    const char *name;
    uint8_t tracker;
    uint8_t auth;
} state_words[] = {
    { "start", MLX5_TLS_TRACKER_START, MLX5_TLS_AUTH_NO_OFFLOAD },
    { "tracking", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_NO_OFFLOAD },
    { "searching", MLX5_TLS_TRACKER_SEARCHING, MLX5_TLS_AUTH_NO_OFFLOAD },
    { "offload", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_OFFLOAD },
    { "authentication", MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_AUTHENTICATION },
};

typedef enum KeyKind {
    KEY_NUMBERS,        /* a set */
    KEY_NUMBER,         /* min..max */
    KEY_WORD,           /* one of words[], stored as its index */
    KEY_STATE,
    KEY_PROBABILITY,
    KEY_NAME,
} KeyKind;

typedef struct Key {
    const char *name;
    KeyKind kind;
    size_t offset;
    unsigned actions;
    unsigned subjects;
    int64_t min;
    int64_t max;
    const char *const *words;
    const char *about;
} Key;

static const char *const dir_words[] = { "any", "tx", "rx", NULL };
static const char *const at_words[] = { "completion", "execution", NULL };

#define AT(field) offsetof(Mlx5FaultRule, field)
#define ADD_MAX INT64_C(0xffffffff)

static const Key keys[] = {
    /* which */
    { "opmod", KEY_NUMBERS, AT(op_mod), ALL_ACTIONS, CMD, .about = "op_mod" },
    { "id", KEY_NUMBERS, AT(obj), ALL_ACTIONS, CMD,
      .about = "number of the object that the command names in its second dword" },
    { "sqn", KEY_NUMBERS, AT(sqn), ALL_ACTIONS, WQE, .about = "number of the send queue" },
    { "tisn", KEY_NUMBERS, AT(tisn), ALL_ACTIONS, WQE,
      .about = "number of the TIS; of a packet without TLS: 0" },
    { "tirn", KEY_NUMBERS, AT(tirn), ALL_ACTIONS, WQE, .about = "number of the TIR" },
    { "dir", KEY_WORD, AT(dir), ALL_ACTIONS, WQE, .words = dir_words,
      .about = "tx: packets and what names a TIS; rx: what names a TIR" },
    { "p", KEY_PROBABILITY, AT(p), ALL_ACTIONS, BOTH, .about = "probability" },
    { "seed", KEY_NUMBER, AT(seed), ALL_ACTIONS, BOTH, 0, INT64_MAX,
      .about = "0; of the draws for p=" },
    /* how often */
    { "after", KEY_NUMBER, AT(after), ALL_ACTIONS, BOTH, 0, INT64_MAX,
      .about = "let so many matches pass first" },
    { "every", KEY_NUMBER, AT(every), ALL_ACTIONS, BOTH, 1, INT64_MAX,
      .about = "of the others only the first of so many" },
    { "count", KEY_NUMBER, AT(count), ALL_ACTIONS, BOTH, 1, INT64_MAX,
      .about = "so many times at most" },
    { "nth", KEY_NUMBERS, AT(nth), ALL_ACTIONS, BOTH,
      .about = "only these matches, from 1" },
    /* what */
    { "status", KEY_NUMBER, AT(status), BIT(MLX5_FAULT_FAIL), CMD, 1, 255,
      .about = "1; the command's status" },
    { "syndrome", KEY_NUMBER, AT(syndrome), BIT(MLX5_FAULT_FAIL), CMD, 0, UINT32_MAX,
      .about = "0; the command's syndrome" },
    { "syndrome", KEY_NUMBER, AT(syndrome), BIT(MLX5_FAULT_ERROR), WQE, 1, 255,
      .about = "2; the CQE's syndrome" },
    { "at", KEY_WORD, AT(at), WAITS, BOTH, .words = at_words,
      .about = "what waits: the completion of what was done, or its execution" },
    { "ms", KEY_NUMBER, AT(ms), BIT(MLX5_FAULT_DELAY), BOTH, 1, 3600000,
      .about = "milliseconds" },
    { "packets", KEY_NUMBER, AT(packets), BIT(MLX5_FAULT_DELAY), BOTH, 1, 1000000000,
      .about = "packets that arrive, at the TIR if a TIR is named" },
    { "name", KEY_NAME, AT(name), BIT(MLX5_FAULT_HOLD), BOTH,
      .about = "what to release it by" },
    { "value", KEY_STATE, AT(state), BIT(MLX5_FAULT_STATE), WQE, .about = "the states" },
    { "add", KEY_NUMBER, AT(add), BIT(MLX5_FAULT_SEQ) | BIT(MLX5_FAULT_RECORD), WQE,
      -ADD_MAX, ADD_MAX, .about = "what is added" },
};

/* Mlx5FaultRule.given has a bit for each. */
G_STATIC_ASSERT(G_N_ELEMENTS(keys) <= 64);

#define SET_FORMS "N, N..M, N.. or ..M, several joined by commas"

const char *mlx5_fault_action_name(Mlx5FaultAction action)
{
    return actions[action].name;
}

/* ---- reading ----------------------------------------------------------------- */

/* What is being read, for errors. */
typedef struct Reader {
    const Mlx5FaultSet *set;
    const char *text;
    const char *token;
    char *error;
} Reader;

static bool G_GNUC_PRINTF(2, 3) bad(Reader *r, const char *format, ...)
{
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    r->error = g_strdup_printf("rule '%s': '%s': %s", r->text, r->token, what);
    return false;
}

static void list_name(GString *s, const char *name)
{
    g_string_append_printf(s, "%s%s", s->len ? ", " : "", name);
}

static bool bad_with_list(Reader *r, const char *what, GString *names)
{
    bad(r, "%s: %s", what, names->str);
    g_string_free(names, TRUE);
    return false;
}

/* A whole decimal or hexadecimal number; *end behind it. */
static bool read_number(const char *p, int64_t *value, const char **end)
{
    bool minus = *p == '-';
    bool hex = p[minus] == '0' && (p[minus + 1] == 'x' || p[minus + 1] == 'X');
    const char *digits = p + minus + (hex ? 2 : 0);
    char *stop;

    if (hex ? !g_ascii_isxdigit(*digits) : !g_ascii_isdigit(*digits)) {
        return false;
    }
    errno = 0;
    *value = g_ascii_strtoll(p, &stop, hex ? 16 : 10);
    *end = stop;
    return !errno;
}

static bool read_range(Reader *r, Mlx5FaultNumbers *set, const char *p)
{
    int64_t lo = 0, hi;

    if (strncmp(p, "..", 2) && (*p == '-' || !read_number(p, &lo, &p))) {
        return bad(r, "expected " SET_FORMS);
    }
    hi = lo;
    if (!strncmp(p, "..", 2)) {
        p += 2;
        hi = INT64_MAX;
        if (*p && (*p == '-' || !read_number(p, &hi, &p))) {
            return bad(r, "expected " SET_FORMS);
        }
    }
    if (*p) {
        return bad(r, "expected " SET_FORMS);
    }
    if (lo > hi) {
        return bad(r, "%" G_GINT64_FORMAT " is more than %" G_GINT64_FORMAT, lo, hi);
    }
    if (set->n == MLX5_FAULT_SET_MAX) {
        return bad(r, "more than %d ranges", MLX5_FAULT_SET_MAX);
    }
    set->range[set->n].lo = lo;
    set->range[set->n].hi = hi;
    set->n++;
    return true;
}

/* Runs @item on each part of a comma-separated value, the empty ones too. */
static bool each_item(Reader *r, Mlx5FaultRule *rule, const char *value,
                      bool (*item)(Reader *r, Mlx5FaultRule *rule, const char *text))
{
    g_auto(GStrv) items = g_strsplit(*value ? value : ",", ",", -1);
    unsigned i;

    for (i = 0; items[i]; i++) {
        if (!item(r, rule, items[i])) {
            return false;
        }
    }
    return true;
}

static bool read_cmd(Reader *r, Mlx5FaultRule *rule, const char *name)
{
    const Mlx5FaultCommand *commands = r->set->commands;
    Mlx5FaultNumbers *set = &rule->opcodes;
    GString *names;
    size_t i;

    if (!strcmp(name, "any")) {
        rule->any_cmd = true;
        return true;
    }
    for (i = 0; i < r->set->n_commands; i++) {
        if (!strcmp(name, commands[i].name)) {
            if (set->n == MLX5_FAULT_SET_MAX) {
                return bad(r, "more than %d commands", MLX5_FAULT_SET_MAX);
            }
            set->range[set->n].lo = commands[i].opcode;
            set->range[set->n].hi = commands[i].opcode;
            set->n++;
            return true;
        }
    }
    names = g_string_new("any");
    for (i = 0; i < r->set->n_commands; i++) {
        list_name(names, commands[i].name);
    }
    return bad_with_list(r, "unknown command; expected one of, or several joined by commas",
                         names);
}

static bool read_wqe(Reader *r, Mlx5FaultRule *rule, const char *name)
{
    const Action *action = &actions[rule->action];
    bool known = false;
    GString *names;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(wqe_words); i++) {
        if (!strcmp(name, wqe_words[i].name)) {
            known = true;
            if (!(wqe_words[i].mask & ~action->wqes)) {
                rule->wqes |= wqe_words[i].mask;
                return true;
            }
        }
    }
    names = g_string_new(NULL);
    for (i = 0; i < G_N_ELEMENTS(wqe_words); i++) {
        if (!(wqe_words[i].mask & ~action->wqes)) {
            list_name(names, wqe_words[i].name);
        }
    }
    if (known) {
        g_string_prepend(names, ": ");
        g_string_prepend(names, action->name);
        return bad_with_list(r, "this WQE does not go with the action; those that go with",
                             names);
    }
    return bad_with_list(r, "unknown WQE; expected one of, or several joined by commas",
                         names);
}

static bool read_subject(Reader *r, Mlx5FaultRule *rule)
{
    const Action *action = &actions[rule->action];
    const char *subjects = action->subjects == CMD ? "cmd=NAME" :
                           action->subjects == BOTH ? "cmd=NAME, wqe=KIND or approval" :
                           action->wqes & MLX5_FAULT_WQE_APPROVAL ? "wqe=KIND or approval" :
                           "wqe=KIND";

    if (g_str_has_prefix(r->token, "cmd=") && action->subjects & CMD) {
        return each_item(r, rule, r->token + 4, read_cmd);
    }
    if (g_str_has_prefix(r->token, "wqe=") && action->subjects & WQE) {
        return each_item(r, rule, r->token + 4, read_wqe);
    }
    if (!strcmp(r->token, "approval") && action->wqes & MLX5_FAULT_WQE_APPROVAL) {
        rule->wqes = MLX5_FAULT_WQE_APPROVAL;
        return true;
    }
    return bad(r, "expected the subject of '%s': %s", action->name, subjects);
}

static bool read_state(Reader *r, Mlx5FaultRule *rule, const char *value)
{
    GString *names;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(state_words); i++) {
        if (!strcmp(value, state_words[i].name)) {
            rule->state = (int64_t)i;
            return true;
        }
    }
    names = g_string_new(NULL);
    for (i = 0; i < G_N_ELEMENTS(state_words); i++) {
        list_name(names, state_words[i].name);
    }
    return bad_with_list(r, "unknown state; expected one of", names);
}

static bool read_probability(Reader *r, double *p, const char *value)
{
    char *stop;

    *p = g_ascii_strtod(value, &stop);
    /* written so that NaN is refused too */
    if (!*value || *stop || !(*p >= 0 && *p <= 1)) {
        return bad(r, "expected a probability from 0 to 1, such as 0.01");
    }
    return true;
}

static bool read_value(Reader *r, Mlx5FaultRule *rule, const Key *key, const char *value)
{
    void *field = (char *)rule + key->offset;
    g_auto(GStrv) items = NULL;
    const char *end;
    int64_t number;
    GString *names;
    unsigned i;

    switch (key->kind) {
    case KEY_NUMBERS:
        /* g_strsplit() makes nothing of an empty string; it is an item, and a bad one */
        items = g_strsplit(*value ? value : ",", ",", -1);
        for (i = 0; items[i]; i++) {
            if (!read_range(r, field, items[i])) {
                return false;
            }
        }
        return true;
    case KEY_NUMBER:
        if (!read_number(value, &number, &end) || *end || number < key->min ||
            number > key->max) {
            if (key->max == INT64_MAX) {
                return bad(r, "expected a number, %" G_GINT64_FORMAT " or more", key->min);
            }
            return bad(r, "expected a number from %" G_GINT64_FORMAT " to %"
                       G_GINT64_FORMAT, key->min, key->max);
        }
        *(int64_t *)field = number;
        return true;
    case KEY_WORD:
        names = g_string_new(NULL);
        for (i = 0; key->words[i]; i++) {
            if (!strcmp(value, key->words[i])) {
                *(int64_t *)field = i;
                g_string_free(names, TRUE);
                return true;
            }
            list_name(names, key->words[i]);
        }
        return bad_with_list(r, "expected one of", names);
    case KEY_STATE:
        return read_state(r, rule, value);
    case KEY_PROBABILITY:
        return read_probability(r, field, value);
    case KEY_NAME:
        if (!*value || strlen(value) > MLX5_FAULT_NAME_MAX) {
            return bad(r, "expected a name of 1 to %d characters", MLX5_FAULT_NAME_MAX);
        }
        g_strlcpy(field, value, MLX5_FAULT_NAME_MAX + 1);
        return true;
    }
    g_assert_not_reached();
}

static bool key_goes_with(const Key *key, const Mlx5FaultRule *rule)
{
    return key->actions & BIT(rule->action) && key->subjects & (rule->wqes ? WQE : CMD);
}

static bool read_key(Reader *r, Mlx5FaultRule *rule)
{
    const char *equals = strchr(r->token, '=');
    size_t len = equals ? (size_t)(equals - r->token) : 0;
    bool known = false;
    GString *names;
    size_t i;

    if (!equals) {
        return bad(r, "expected KEY=VALUE");
    }
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (strlen(keys[i].name) != len || memcmp(keys[i].name, r->token, len)) {
            continue;
        }
        known = true;
        if (!key_goes_with(&keys[i], rule)) {
            continue;
        }
        if (rule->given & UINT64_C(1) << i) {
            return bad(r, "given twice");
        }
        rule->given |= UINT64_C(1) << i;
        return read_value(r, rule, &keys[i], equals + 1);
    }
    names = g_string_new(NULL);
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (key_goes_with(&keys[i], rule)) {
            list_name(names, keys[i].name);
        }
    }
    bad(r, "%s; with '%s %s' there are: %s", known ? "this key has no meaning here" :
        "unknown key", actions[rule->action].name, rule->wqes ? "wqe=" : "cmd=",
        names->str);
    g_string_free(names, TRUE);
    return false;
}

static bool read_action(Reader *r, Mlx5FaultRule *rule)
{
    GString *names;
    size_t i;

    for (i = 0; i < MLX5_FAULT_ACTIONS; i++) {
        if (!strcmp(r->token, actions[i].name)) {
            rule->action = (Mlx5FaultAction)i;
            return true;
        }
    }
    names = g_string_new(NULL);
    for (i = 0; i < MLX5_FAULT_ACTIONS; i++) {
        list_name(names, actions[i].name);
    }
    return bad_with_list(r, "unknown action; expected one of", names);
}

static bool is_given(const Mlx5FaultRule *rule, const char *name)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (rule->given & UINT64_C(1) << i && !strcmp(keys[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* What only the whole rule shows. */
static bool finish(Reader *r, Mlx5FaultRule *rule)
{
    if (rule->action == MLX5_FAULT_DELAY && !rule->ms && !rule->packets) {
        return bad(r, "needs packets= or ms=");
    }
    if (rule->action == MLX5_FAULT_STATE && rule->state < 0) {
        return bad(r, "needs value=");
    }
    if ((rule->action == MLX5_FAULT_SEQ || rule->action == MLX5_FAULT_RECORD) &&
        !rule->add) {
        return bad(r, "needs add=, other than 0");
    }
    if (is_given(rule, "seed") && !is_given(rule, "p")) {
        return bad(r, "seed= has no meaning without p=");
    }
    return true;
}

static void rule_free(void *opaque)
{
    Mlx5FaultRule *rule = opaque;

    g_free(rule->text);
    g_free(rule);
}

static Mlx5FaultRule *rule_parse(const Mlx5FaultSet *set, char *text, char **error)
{
    Mlx5FaultRule *rule = g_new0(Mlx5FaultRule, 1);
    Reader r = { .set = set, .text = text };
    g_auto(GStrv) tokens = g_strsplit(text, " ", -1);
    bool ok = true;
    unsigned i, n = 0;

    rule->text = text;
    rule->p = 1;
    rule->state = -1;
    for (i = 0; ok && tokens[i]; i++) {
        if (!*tokens[i]) {
            continue;
        }
        r.token = tokens[i];
        ok = n == 0 ? read_action(&r, rule) :
             n == 1 ? read_subject(&r, rule) : read_key(&r, rule);
        n++;
    }
    if (ok) {
        r.token = actions[rule->action].name;
        if (n == 1) {
            r.token = "";
            ok = read_subject(&r, rule);
        } else {
            ok = finish(&r, rule);
        }
    }
    if (!ok) {
        *error = r.error;
        rule_free(rule);
        return NULL;
    }
    if (!is_given(rule, "status")) {
        rule->status = 1;
    }
    if (rule->action == MLX5_FAULT_ERROR && !is_given(rule, "syndrome")) {
        rule->syndrome = 2;
    }
    return rule;
}

/* ---- the set ------------------------------------------------------------------ */

Mlx5FaultSet *mlx5_fault_set_new(const Mlx5FaultCommand *commands, size_t n)
{
    Mlx5FaultSet *set = g_new0(Mlx5FaultSet, 1);

    set->commands = commands;
    set->n_commands = n;
    set->rules = g_ptr_array_new_with_free_func(rule_free);
    set->next_id = 1;
    return set;
}

void mlx5_fault_set_free(Mlx5FaultSet *set)
{
    if (set) {
        g_ptr_array_unref(set->rules);
        g_free(set);
    }
}

char *mlx5_fault_set_add(Mlx5FaultSet *set, const char *rules)
{
    g_auto(GStrv) texts = g_strsplit_set(rules, ";\n", -1);
    g_autoptr(GPtrArray) read = g_ptr_array_new_with_free_func(rule_free);
    char *error = NULL;
    unsigned i;

    for (i = 0; texts[i]; i++) {
        char *text = g_strstrip(g_strdelimit(g_strdup(texts[i]), "\t\r", ' '));
        Mlx5FaultRule *rule;

        if (!*text) {
            g_free(text);
            continue;
        }
        rule = rule_parse(set, text, &error);
        if (!rule) {
            return error;
        }
        g_ptr_array_add(read, rule);
    }
    if (!read->len) {
        return g_strdup_printf("'%s': no rule in it; expected ACTION SUBJECT "
                               "[KEY=VALUE]..., several separated by ';'", rules);
    }
    for (i = 0; i < read->len; i++) {
        Mlx5FaultRule *rule = g_ptr_array_index(read, i);

        rule->id = set->next_id++;
        g_ptr_array_add(set->rules, rule);
    }
    g_ptr_array_set_free_func(read, NULL);
    return NULL;
}

bool mlx5_fault_set_remove(Mlx5FaultSet *set, uint32_t id)
{
    bool found = false;
    unsigned i = 0;

    while (i < set->rules->len) {
        if (!id || mlx5_fault_set_at(set, i)->id == id) {
            g_ptr_array_remove_index(set->rules, i);
            found = true;
        } else {
            i++;
        }
    }
    return found;
}

unsigned mlx5_fault_set_size(const Mlx5FaultSet *set)
{
    return set->rules->len;
}

const Mlx5FaultRule *mlx5_fault_set_at(const Mlx5FaultSet *set, unsigned i)
{
    return g_ptr_array_index(set->rules, i);
}

const Mlx5FaultRule *mlx5_fault_set_find(const Mlx5FaultSet *set, uint32_t id)
{
    unsigned i;

    for (i = 0; i < set->rules->len; i++) {
        if (mlx5_fault_set_at(set, i)->id == id) {
            return mlx5_fault_set_at(set, i);
        }
    }
    return NULL;
}

/* ---- asking ------------------------------------------------------------------- */

static bool contains(const Mlx5FaultNumbers *set, int64_t number)
{
    unsigned i;

    for (i = 0; i < set->n; i++) {
        if (number >= set->range[i].lo && number <= set->range[i].hi) {
            return true;
        }
    }
    return false;
}

/* No set given means any; a number that the event has not is in no set. */
static bool fits(const Mlx5FaultNumbers *set, int64_t number)
{
    return !set->n || contains(set, number);
}

static bool dir_fits(const Mlx5FaultRule *rule, const Mlx5FaultEvent *e)
{
    switch (rule->dir) {
    case 1:
        return e->tisn >= 0;
    case 2:
        return e->tirn >= 0;
    default:
        return true;
    }
}

static bool matches(const Mlx5FaultRule *rule, const Mlx5FaultEvent *e)
{
    if (!e->wqe) {
        return !rule->wqes && (rule->any_cmd || contains(&rule->opcodes, e->opcode)) &&
               fits(&rule->op_mod, e->op_mod) && fits(&rule->obj, e->obj);
    }
    return rule->wqes & e->wqe && fits(&rule->sqn, e->sqn) &&
           fits(&rule->tisn, e->tisn) && fits(&rule->tirn, e->tirn) && dir_fits(rule, e);
}

/* The finalizer of a well-known 64-bit generator: every bit depends on every bit. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static bool draw(const Mlx5FaultRule *rule)
{
    uint64_t x = mix(mix(mix((uint64_t)rule->seed) ^ rule->action) ^ rule->seen);

    return (double)(x >> 11) * 0x1p-53 < rule->p;
}

/* Of an event that matches: is the rule applied to it? Counts. */
static bool applies(Mlx5FaultRule *rule)
{
    bool drawn = rule->p >= 1 || draw(rule);
    uint64_t n;

    rule->seen++;
    if (!drawn) {
        return false;
    }
    n = rule->matches++;
    if (n < (uint64_t)rule->after) {
        return false;
    }
    n -= (uint64_t)rule->after;
    if ((rule->every && n % (uint64_t)rule->every) ||
        !fits(&rule->nth, (int64_t)rule->matches) ||
        (rule->count && rule->hits >= (uint64_t)rule->count)) {
        return false;
    }
    rule->hits++;
    return true;
}

static void apply(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    switch (rule->action) {
    case MLX5_FAULT_FAIL:
    case MLX5_FAULT_ERROR:
        v->fail = true;
        v->status = (uint8_t)rule->status;
        v->syndrome = (uint32_t)rule->syndrome;
        break;
    case MLX5_FAULT_SWALLOW:
    case MLX5_FAULT_IGNORE:
        v->swallow = true;
        break;
    case MLX5_FAULT_DELAY:
    case MLX5_FAULT_HOLD:
        *(rule->at ? &v->before : &v->after) = (Mlx5FaultWait) {
            .rule = rule->id, .ms = rule->ms, .packets = rule->packets,
        };
        break;
    case MLX5_FAULT_STATE:
        v->state = true;
        v->tracker = state_words[rule->state].tracker;
        v->auth = state_words[rule->state].auth;
        break;
    case MLX5_FAULT_SEQ:
        v->seq_add += rule->add;
        break;
    case MLX5_FAULT_RECORD:
        v->record_add += rule->add;
        break;
    default:
        break;
    }
}

void mlx5_fault_ask(Mlx5FaultSet *set, const Mlx5FaultEvent *event,
                    Mlx5FaultVerdict *verdict, Mlx5FaultHit *hit, void *opaque)
{
    unsigned i;

    memset(verdict, 0, sizeof(*verdict));
    for (i = 0; i < set->rules->len && !verdict->fail && !verdict->swallow; i++) {
        Mlx5FaultRule *rule = g_ptr_array_index(set->rules, i);

        if (matches(rule, event) && applies(rule)) {
            verdict->hits++;
            apply(rule, verdict);
            if (hit) {
                hit(opaque, rule);
            }
        }
    }
}

/* ---- the grammar -------------------------------------------------------------- */

static void key_help(GString *out, const Key *key)
{
    size_t i;

    g_string_append_printf(out, "  %-10s %s", key->name, key->about);
    if (key->kind == KEY_WORD) {
        g_autofree char *words = g_strjoinv(", ", (char **)key->words);

        g_string_append_printf(out, " (%s)", words);
    } else if (key->kind == KEY_NUMBER && key->max == INT64_MAX) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT " or more)", key->min);
    } else if (key->kind == KEY_NUMBER) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT ")",
                               key->min, key->max);
    } else if (key->kind == KEY_STATE) {
        for (i = 0; i < G_N_ELEMENTS(state_words); i++) {
            g_string_append_printf(out, "%s%s", i ? ", " : " (", state_words[i].name);
        }
        g_string_append_c(out, ')');
    }
    g_string_append_c(out, '\n');
}

void mlx5_fault_help(const Mlx5FaultSet *set, GString *out)
{
    size_t i;

    g_string_append(out, "RULE: ACTION SUBJECT [KEY=VALUE]...\n\nactions:\n");
    for (i = 0; i < MLX5_FAULT_ACTIONS; i++) {
        g_string_append_printf(out, "  %-10s %s\n", actions[i].name, actions[i].about);
    }
    g_string_append(out, "\nsubjects: cmd=NAME, wqe=KIND (several joined by commas); "
                         "approval is wqe=APPROVAL\nkinds of WQE:\n");
    for (i = 0; i < G_N_ELEMENTS(wqe_words); i++) {
        g_string_append_printf(out, "  %-10s %s\n", wqe_words[i].name, wqe_words[i].about);
    }
    g_string_append(out, "\nwhich of them, and how often (sets: " SET_FORMS "):\n");
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].actions == ALL_ACTIONS) {
            key_help(out, &keys[i]);
        }
    }
    g_string_append(out, "\nof single actions, with the default first:\n");
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].actions != ALL_ACTIONS) {
            key_help(out, &keys[i]);
        }
    }
    g_string_append(out, "\ncommands:\n  any\n");
    for (i = 0; i < set->n_commands; i++) {
        g_string_append_printf(out, "  %s\n", set->commands[i].name);
    }
}
