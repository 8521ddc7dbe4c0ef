/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language of fault rules as tables, and the evaluation of rules; see
 * fault_rule.h. Owns only the sets it creates.
 */
#include "fault_rule.h"

#include <stdlib.h>
#include <string.h>

#include "tls_types.h"

struct Mlx5FaultSet {
    const Mlx5FaultCommand *commands;
    size_t n_commands;
    GPtrArray *rules;           /* of Mlx5FaultRule, owning */
    uint32_t next_id;
};

#define BIT(n) (1u << (n))

/* ---- subjects ------------------------------------------------------------ */

static const struct WqeKind {
    Mlx5RuleWord word;
    unsigned mask;
} wqe_kinds[] = {
    { { "any", "every WQE" }, MLX5_FAULT_WQE_ANY },
    { { "NOP", "" }, MLX5_FAULT_WQE_NOP },
    { { "SEND", "a packet: SEND, LSO or ENHANCED_MPSW" }, MLX5_FAULT_WQE_SEND },
    { { "LSO", "a packet that the device cuts" }, MLX5_FAULT_WQE_LSO },
    { { "DUMP", "" }, MLX5_FAULT_WQE_DUMP },
    { { "UMR_STATIC", "static params of a TIS or TIR" },
      MLX5_FAULT_WQE_UMR_STATIC },
    { { "SET_PSV", "progress params of a TIS or TIR" },
      MLX5_FAULT_WQE_SET_PSV },
    { { "GET_PSV", "" }, MLX5_FAULT_WQE_GET_PSV },
    { { "UMR_KEY", "a change of a memory key" }, MLX5_FAULT_WQE_UMR_KEY },
    { { "APPROVAL", "a UMR_STATIC of a TIR that has had packets since SET_PSV: "
                    "the software's answer to a resync request" },
      MLX5_FAULT_WQE_APPROVAL },
};
static const Mlx5RuleWords wqe_words = MLX5_RULE_WORDS(wqe_kinds);

static Mlx5RuleItem item_command, item_wqe;

/*
 * How a rule names its subject. An action is allowed with a row if it supports
 * one of its kinds.
 */
static const struct SubjectForm {
    Mlx5RuleWord word;
    const char *prefix;         /* before its words, or NULL */
    Mlx5FaultSubject subject;
    unsigned kinds;             /* that it can select */
    Mlx5RuleItem *item;         /* reads a word into the field there: */
    size_t offset;
} subject_forms[] = {
    { { "cmd=NAME", "commands, several joined by commas" }, "cmd=",
      MLX5_FAULT_ON_COMMAND, ~0u, item_command,
      offsetof(Mlx5FaultRule, number[MLX5_FAULT_OPCODE]) },
    { { "wqe=KIND", "WQEs, several joined by commas" }, "wqe=",
      MLX5_FAULT_ON_WQE, MLX5_FAULT_WQE_ANY, item_wqe,
      offsetof(Mlx5FaultRule, kinds) },
    { { "approval", "wqe=APPROVAL" }, NULL,
      MLX5_FAULT_ON_WQE, MLX5_FAULT_WQE_APPROVAL },
    { { "packet", "a packet, at its receive queue" }, NULL,
      MLX5_FAULT_ON_PACKET, MLX5_FAULT_PACKET },
};
static const Mlx5RuleWords subject_words = MLX5_RULE_WORDS(subject_forms);

/* ---- actions ------------------------------------------------------------- */

static const struct State {
    Mlx5RuleWord word;
    uint8_t tracker;
    uint8_t auth;
} states[] = {
    { { "start" }, MLX5_TLS_TRACKER_START, MLX5_TLS_AUTH_NO_OFFLOAD },
    { { "tracking" }, MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_NO_OFFLOAD },
    { { "searching" }, MLX5_TLS_TRACKER_SEARCHING, MLX5_TLS_AUTH_NO_OFFLOAD },
    { { "offload" }, MLX5_TLS_TRACKER_TRACKING, MLX5_TLS_AUTH_OFFLOAD },
    { { "authentication" }, MLX5_TLS_TRACKER_TRACKING,
      MLX5_TLS_AUTH_AUTHENTICATION },
};

static bool check_fail(Mlx5RuleReader *r, Mlx5FaultRule *rule)
{
    if (!mlx5_rule_given(r, "status")) {
        rule->status = 1;
    }
    return true;
}

static bool check_error(Mlx5RuleReader *r, Mlx5FaultRule *rule)
{
    if (!mlx5_rule_given(r, "syndrome")) {
        rule->syndrome = rule->subject == MLX5_FAULT_ON_PACKET ? 4 : 2;
    }
    return true;
}

static void apply_fail(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    v->fail = true;
    v->status = (uint8_t)rule->status;
    v->syndrome = (uint32_t)rule->syndrome;
}

static void apply_swallow(const Mlx5FaultRule *rule G_GNUC_UNUSED,
                          Mlx5FaultVerdict *v)
{
    v->swallow = true;
}

static bool check_delay(Mlx5RuleReader *r, Mlx5FaultRule *rule)
{
    return rule->ms || rule->packets ||
           mlx5_rule_lacks(r, "packets= or ms=", "delay");
}

static void apply_wait(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    *(rule->at ? &v->before : &v->after) = (Mlx5FaultWait) {
        .rule = rule->id, .ms = rule->ms, .packets = rule->packets,
    };
}

static bool check_state(Mlx5RuleReader *r, Mlx5FaultRule *rule G_GNUC_UNUSED)
{
    return mlx5_rule_given(r, "value") || mlx5_rule_lacks(r, "value=", "state");
}

static void apply_state(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    v->state = true;
    v->tracker = states[rule->state].tracker;
    v->auth = states[rule->state].auth;
}

static bool check_add(Mlx5RuleReader *r, Mlx5FaultRule *rule)
{
    return rule->add ||
           mlx5_rule_lacks(r, "add=, other than 0,",
                           mlx5_fault_action_name(rule->action));
}

static void apply_seq(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    v->seq_add += rule->add;
}

static void apply_record(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v)
{
    v->record_add += rule->add;
}

enum {
    FAIL, ERROR, SWALLOW, IGNORE, DELAY, HOLD, STATE, SEQ, RECORD, LOG,
    N_ACTIONS
};

#define ALL ~0u
#define STATICS (MLX5_FAULT_WQE_UMR_STATIC | MLX5_FAULT_WQE_APPROVAL)

/* Do not reorder: the draws of a seed depend on the order. */
static const struct Action {
    Mlx5RuleWord word;
    unsigned on[MLX5_FAULT_SUBJECTS];   /* supported kinds, by subject */
    /* Checks the complete rule and fills in defaults. */
    bool (*check)(Mlx5RuleReader *r, Mlx5FaultRule *rule);
    void (*apply)(const Mlx5FaultRule *rule, Mlx5FaultVerdict *v);
} actions[N_ACTIONS] = {
    [FAIL] = {
        { "fail", "the command is not run and answers status= and syndrome=" },
        { [MLX5_FAULT_ON_COMMAND] = ALL }, check_fail, apply_fail,
    },
    [ERROR] = {
        { "error", "the WQE is not executed and completes with an error CQE of "
                   "syndrome=; its queue goes to the error state" },
        { [MLX5_FAULT_ON_WQE] = ALL, [MLX5_FAULT_ON_PACKET] = ALL },
        check_error, apply_fail,
    },
    [SWALLOW] = {
        { "swallow", "success is reported, nothing is done" },
        { [MLX5_FAULT_ON_COMMAND] = ALL, [MLX5_FAULT_ON_WQE] = ALL },
        NULL, apply_swallow,
    },
    [IGNORE] = {
        { "ignore", "swallow, for an approval" },
        { [MLX5_FAULT_ON_WQE] = MLX5_FAULT_WQE_APPROVAL }, NULL, apply_swallow,
    },
    [DELAY] = {
        { "delay", "wait until packets= have arrived, or for ms= "
                   "milliseconds" },
        { [MLX5_FAULT_ON_COMMAND] = ALL, [MLX5_FAULT_ON_WQE] = ALL },
        check_delay, apply_wait,
    },
    [HOLD] = {
        { "hold", "wait until `fault-release`" },
        { [MLX5_FAULT_ON_COMMAND] = ALL, [MLX5_FAULT_ON_WQE] = ALL },
        NULL, apply_wait,
    },
    [STATE] = {
        { "state", "the answer has the states value= instead of the true "
                   "ones" },
        { [MLX5_FAULT_ON_WQE] = MLX5_FAULT_WQE_GET_PSV },
        check_state, apply_state,
    },
    [SEQ] = {
        { "seq", "add= to hw_resync_tcp_sn of the answer (GET_PSV), to "
                 "next_record_tcp_sn (SET_PSV), to resync_tcp_sn" },
        { [MLX5_FAULT_ON_WQE] = MLX5_FAULT_WQE_GET_PSV |
                                MLX5_FAULT_WQE_SET_PSV | STATICS },
        check_add, apply_seq,
    },
    [RECORD] = {
        { "record", "add= to initial_record_number" },
        { [MLX5_FAULT_ON_WQE] = STATICS }, check_add, apply_record,
    },
    [LOG] = {
        { "log", "nothing but count and trace" },
        { [MLX5_FAULT_ON_COMMAND] = ALL, [MLX5_FAULT_ON_WQE] = ALL,
          [MLX5_FAULT_ON_PACKET] = ALL },
        NULL, NULL,
    },
};

const char *mlx5_fault_action_name(unsigned action)
{
    return actions[action].word.name;
}

/* ---- keys ---------------------------------------------------------------- */

static const Mlx5RuleWord dirs[] = { { "any" }, { "tx" }, { "rx" } };
static const Mlx5RuleWord moments[] = { { "completion" }, { "execution" } };

#define AT(field) offsetof(Mlx5FaultRule, field)
#define NUMBER(name, subjects_, about, which) \
    { { name, about }, MLX5_RULE_ITEMS, AT(number[MLX5_FAULT_##which]), \
      .subjects = subjects_, .item = mlx5_rule_item_set }
#define COMMAND BIT(MLX5_FAULT_ON_COMMAND)
#define WQE BIT(MLX5_FAULT_ON_WQE)
#define PACKET BIT(MLX5_FAULT_ON_PACKET)
#define ADD_MAX INT64_C(0xffffffff)

static const Mlx5RuleKey keys[] = {
    /* which */
    NUMBER("opmod", COMMAND, "op_mod", OP_MOD),
    NUMBER("id", COMMAND, "number of the object that the command names in its "
                          "second dword", OBJ),
    NUMBER("sqn", WQE, "number of the send queue", SQN),
    NUMBER("tisn", WQE, "number of the TIS; of a packet without TLS: 0", TISN),
    NUMBER("tirn", WQE | PACKET, "number of the TIR", TIRN),
    NUMBER("rqn", PACKET, "number of the receive queue", RQN),
    { { "dir", "tx: packets and what names a TIS; rx: what names a TIR" },
      MLX5_RULE_WORD, AT(dir), .subjects = WQE,
      .words = MLX5_RULE_WORDS(dirs) },
    /* how often */
    MLX5_RULE_LIMIT_KEYS(AT(limits)),
    { { "nth", "only these matches, from 1" }, MLX5_RULE_ITEMS, AT(limits.nth),
      .item = mlx5_rule_item_set },
    /* what */
    { { "status", "1; the command's status" }, MLX5_RULE_NUMBER, AT(status),
      BIT(FAIL), .min = 1, .max = 255 },
    { { "syndrome", "0; the command's syndrome" }, MLX5_RULE_NUMBER,
      AT(syndrome), BIT(FAIL), .min = 0, .max = UINT32_MAX },
    { { "syndrome", "2, of a packet 4; the CQE's syndrome" },
      MLX5_RULE_NUMBER, AT(syndrome), BIT(ERROR), .min = 1, .max = 255 },
    { { "at", "what waits: the completion of what was done, or its execution" },
      MLX5_RULE_WORD, AT(at), BIT(DELAY) | BIT(HOLD),
      .words = MLX5_RULE_WORDS(moments) },
    { { "ms", "milliseconds" }, MLX5_RULE_NUMBER, AT(ms), BIT(DELAY), .min = 1,
      .max = 3600000 },
    { { "packets", "packets that arrive, at the TIR if a TIR is named" },
      MLX5_RULE_NUMBER, AT(packets), BIT(DELAY), .min = 1, .max = 1000000000 },
    { { "name", "what to release it by" }, MLX5_RULE_NAME, AT(name),
      BIT(HOLD) },
    { { "value", "the states" }, MLX5_RULE_WORD, AT(state), BIT(STATE),
      .words = MLX5_RULE_WORDS(states) },
    { { "add", "what is added" }, MLX5_RULE_NUMBER, AT(add),
      BIT(SEQ) | BIT(RECORD), .min = -ADD_MAX, .max = ADD_MAX },
};

/* Mlx5RuleReader.given has a bit for each. */
G_STATIC_ASSERT(G_N_ELEMENTS(keys) <= 64);

/* ---- reading ------------------------------------------------------------- */

static bool item_command(Mlx5RuleReader *r, void *field, const char *item)
{
    const Mlx5FaultSet *set = r->context;
    const Mlx5RuleWords words = { set->commands, sizeof(*set->commands),
                                  set->n_commands };
    g_autofree char *names = NULL;
    int i;

    if (!strcmp(item, "any")) {
        return mlx5_rule_add_range(r, field, 0, UINT16_MAX);
    }
    i = mlx5_rule_find(&words, item);
    if (i >= 0) {
        return mlx5_rule_add_range(r, field, set->commands[i].opcode,
                                   set->commands[i].opcode);
    }
    names = mlx5_rule_names(&words, NULL, NULL);
    return mlx5_rule_bad(r, "any, %s, several joined by commas", names);
}

/* Returns whether the action in @opaque, a reader, supports this kind. */
static bool kind_wanted(const Mlx5RuleWord *row, const void *opaque)
{
    const Mlx5RuleReader *r = opaque;
    const struct WqeKind *kind = (const void *)row;

    return !(kind->mask & ~actions[r->action].on[MLX5_FAULT_ON_WQE]);
}

static bool item_wqe(Mlx5RuleReader *r, void *field, const char *item)
{
    int i = mlx5_rule_find(&wqe_words, item);
    g_autofree char *names = NULL;

    if (i >= 0 && kind_wanted(&wqe_kinds[i].word, r)) {
        *(unsigned *)field |= wqe_kinds[i].mask;
        return true;
    }
    names = mlx5_rule_names(&wqe_words, kind_wanted, r);
    return mlx5_rule_bad(r, "a WQE that goes with '%s' (%s), several joined by "
                         "commas", mlx5_fault_action_name(r->action), names);
}

static bool form_wanted(const Mlx5RuleWord *row, const void *opaque)
{
    const struct SubjectForm *form = (const void *)row;
    const Mlx5RuleReader *r = opaque;

    return actions[r->action].on[form->subject] & form->kinds;
}

static bool read_subject(Mlx5RuleReader *r)
{
    Mlx5FaultRule *rule = r->rule;
    g_autofree char *names = NULL;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(subject_forms); i++) {
        const struct SubjectForm *form = &subject_forms[i];

        if (!form_wanted(&form->word, r) ||
            (form->prefix ? !g_str_has_prefix(r->token, form->prefix) :
                            strcmp(r->token, form->word.name))) {
            continue;
        }
        rule->action = r->action;
        rule->subject = form->subject;
        r->subject = BIT(form->subject);
        r->subject_name = form->prefix ? form->prefix : form->word.name;
        if (form->prefix) {
            return mlx5_rule_items(r, (char *)rule + form->offset,
                                   r->token + strlen(form->prefix), form->item);
        }
        rule->kinds = form->kinds;
        return true;
    }
    names = mlx5_rule_names(&subject_words, form_wanted, r);
    return mlx5_rule_bad(r, "a subject of '%s' (%s)",
                         mlx5_fault_action_name(r->action), names);
}

static Mlx5RuleToken read_token(Mlx5RuleReader *r)
{
    return r->n > 1 ? MLX5_RULE_TOKEN_KEY :
           read_subject(r) ? MLX5_RULE_TOKEN_TAKEN : MLX5_RULE_TOKEN_BAD;
}

static bool finish(Mlx5RuleReader *r)
{
    if (!r->subject) {
        return read_subject(r); /* reports that it is missing */
    }
    return !actions[r->action].check ||
           actions[r->action].check(r, r->rule);
}

static const Mlx5RuleLanguage language = {
    .grammar = "ACTION SUBJECT [KEY=VALUE]...",
    .actions = MLX5_RULE_WORDS(actions),
    .keys = keys,
    .n_keys = G_N_ELEMENTS(keys),
    .token = read_token,
    .finish = finish,
};

static void rule_free(void *opaque)
{
    Mlx5FaultRule *rule = opaque;

    g_free(rule->text);
    g_free(rule);
}

/* Returns NULL and sets *@error on failure. Takes ownership of @text. */
static Mlx5FaultRule *rule_parse(const Mlx5FaultSet *set, char *text,
                                 char **error)
{
    Mlx5FaultRule *rule = g_new0(Mlx5FaultRule, 1);
    Mlx5RuleReader r = {
        .language = &language, .context = set, .rule = rule, .text = text,
    };

    rule->text = text;
    rule->limits.p = 1;
    if (!mlx5_rule_read(&r)) {
        *error = r.error;
        rule_free(rule);
        return NULL;
    }
    return rule;
}

/* ---- the set ------------------------------------------------------------- */

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
        char *text = mlx5_rule_clean(texts[i]);
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
        return g_strdup_printf("expected rules, ACTION SUBJECT [KEY=VALUE]..., "
                               "several separated by ';', got '%s'", rules);
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

/* ---- asking -------------------------------------------------------------- */

static bool dir_fits(const Mlx5FaultRule *rule, const Mlx5FaultEvent *e)
{
    switch (rule->dir) {
    case 1:
        return e->number[MLX5_FAULT_TISN] >= 0;
    case 2:
        return e->number[MLX5_FAULT_TIRN] >= 0;
    default:
        return true;
    }
}

static bool matches(const Mlx5FaultRule *rule, const Mlx5FaultEvent *e)
{
    unsigned i;

    if (rule->subject != e->subject ||
        (rule->kinds && !(rule->kinds & e->kinds))) {
        return false;
    }
    /* a number that the event lacks is in no set */
    for (i = 0; i < MLX5_FAULT_NUMBERS; i++) {
        if (!mlx5_rule_has(&rule->number[i], e->number[i])) {
            return false;
        }
    }
    return dir_fits(rule, e);
}

/*
 * For an event that matches: counts it, and returns whether the rule applies.
 */
static bool applies(Mlx5FaultRule *rule)
{
    uint64_t x = mlx5_rule_mix((uint64_t)rule->limits.seed) ^ rule->action;

    x = mlx5_rule_mix(mlx5_rule_mix(x) ^ rule->seen++);
    return (rule->limits.p >= 1 || mlx5_rule_draw(&rule->limits, x)) &&
           mlx5_rule_take(&rule->limits);
}

void mlx5_fault_ask(Mlx5FaultSet *set, const Mlx5FaultEvent *event,
                    Mlx5FaultVerdict *verdict, Mlx5FaultHit *hit, void *opaque)
{
    unsigned i;

    memset(verdict, 0, sizeof(*verdict));
    for (i = 0; i < set->rules->len && !verdict->fail && !verdict->swallow;
         i++) {
        Mlx5FaultRule *rule = g_ptr_array_index(set->rules, i);

        if (!matches(rule, event) || !applies(rule)) {
            continue;
        }
        verdict->hits++;
        if (actions[rule->action].apply) {
            actions[rule->action].apply(rule, verdict);
        }
        if (hit) {
            hit(opaque, rule);
        }
    }
}

/* ---- the grammar --------------------------------------------------------- */

void mlx5_fault_help(const Mlx5FaultSet *set, GString *out)
{
    const Mlx5RuleWords commands = { set->commands, sizeof(*set->commands),
                                     set->n_commands };

    mlx5_rule_help_actions(&language, out);
    g_string_append(out, "\nsubjects:\n");
    mlx5_rule_help_words(&subject_words, out);
    g_string_append(out, "\nkinds of WQE:\n");
    mlx5_rule_help_words(&wqe_words, out);
    mlx5_rule_help_keys(&language, MLX5_RULE_SET_FORMS, out);
    g_string_append(out, "\ncommands:\n  any\n");
    mlx5_rule_help_words(&commands, out);
}
