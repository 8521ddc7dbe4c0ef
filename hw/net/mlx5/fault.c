/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault rules and their properties; see fault.h. Owns Mlx5State.faults. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "cmd.h"
#include "fault.h"
#include "observe.h"
#include "trace.h"

static const Mlx5FaultCommand commands[] = {
#define FAULT_COMMAND(op, NAME_, handler, in_min, out_min, state) \
    { .word.name = #NAME_, .opcode = op },
    MLX5_COMMANDS(FAULT_COMMAND)
#undef FAULT_COMMAND
};

/* -------------------------------------------------------------- the set --- */

static Mlx5Faults *faults_get(Mlx5State *s)
{
    Mlx5Faults *f = s->faults;

    if (!f) {
        f = g_new0(Mlx5Faults, 1);
        f->dev = s;
        f->rules = mlx5_fault_set_new(commands, ARRAY_SIZE(commands));
        f->gates = mlx5_gates_new(&s->fn);
        s->faults = f;
    }
    return f;
}

void mlx5_fault_finalize(Mlx5State *s)
{
    Mlx5Faults *f = s->faults;

    if (f) {
        mlx5_gates_free(f->gates);
        mlx5_fault_set_free(f->rules);
        g_free(f);
        s->faults = NULL;
        s->fn.faults = NULL;
    }
}

typedef struct Hit {
    Mlx5Faults *faults;
    const Mlx5FaultWhat *what;
} Hit;

static void trace_hit(void *opaque, const Mlx5FaultRule *rule)
{
    const Hit *hit = opaque;

    if (trace_event_get_state_backends(TRACE_MLX5_FAULT_HIT)) {
        g_autofree char *text = mlx5_printable(rule->text, SIZE_MAX);

        trace_mlx5_fault_hit(mlx5_id(&hit->faults->dev->fn), rule->id, text,
                             hit->what->kind, hit->what->num, hit->what->at);
    }
}

void mlx5_fault_event(Mlx5Faults *f, const Mlx5FaultEvent *event,
                      const Mlx5FaultWhat *what, Mlx5FaultVerdict *verdict)
{
    Hit hit = { f, what };

    mlx5_fault_ask(f->rules, event, verdict, trace_hit, &hit);
}

Mlx5Gate *mlx5_fault_gate(Mlx5Faults *f, const Mlx5FaultWait *wait,
                          int64_t tirn, Mlx5Waiter *waiter)
{
    const Mlx5FaultRule *rule = mlx5_fault_set_find(f->rules, wait->rule);
    Mlx5GateSpec spec = { .ms = wait->ms, .packets = wait->packets,
                          .tirn = tirn };

    QEMU_BUILD_BUG_ON(MLX5_RULE_NAME_MAX > MLX5_GATE_NAME_MAX);
    if (!rule) {
        return NULL;
    }
    spec.owner = rule->id;
    spec.name = rule->name;
    return mlx5_gate_new(f->gates, &spec, waiter);
}

void mlx5_fault_packet(Mlx5Function *fn, uint32_t tirn)
{
    mlx5_gates_packet(fn->faults->gates, tirn);
}

/* fn->faults is set only while there are rules. */
static void rules_changed(Mlx5Faults *f)
{
    f->dev->fn.faults = mlx5_fault_set_size(f->rules) ? f : NULL;
}

/* ----------------------------------------------------------- properties --- */

static void fault_get(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    Mlx5Faults *f = MLX5_KTLS(obj)->faults;
    g_autoptr(GString) text = g_string_new(NULL);
    unsigned i;

    for (i = 0; f && i < mlx5_fault_set_size(f->rules); i++) {
        g_string_append_printf(text, "%s%s", i ? "; " : "",
                               mlx5_fault_set_at(f->rules, i)->text);
    }
    visit_type_str(v, name, &text->str, errp);
}

static void fault_set(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    Mlx5Faults *f = faults_get(MLX5_KTLS(obj));
    g_autofree char *value = NULL;
    g_autofree char *why = NULL;

    if (!visit_type_str(v, name, &value, errp)) {
        return;
    }
    why = mlx5_fault_set_add(f->rules, value);
    if (why) {
        error_setg(errp, "fault: %s", why);
    }
    rules_changed(f);
}

/* One rule in the list "faults". */
static bool visit_rule(Visitor *v, Mlx5Faults *f, const Mlx5FaultRule *rule,
                       Error **errp)
{
    uint64_t id = rule->id, matches = rule->limits.matches;
    uint64_t hits = rule->limits.hits;
    uint64_t waiting = mlx5_gates_waiting(f->gates, rule->id);
    char *text = rule->text;
    bool ok;

    if (!visit_start_struct(v, NULL, NULL, 0, errp)) {
        return false;
    }
    ok = visit_type_uint64(v, "id", &id, errp) &&
         visit_type_str(v, "rule", &text, errp) &&
         visit_type_uint64(v, "matches", &matches, errp) &&
         visit_type_uint64(v, "hits", &hits, errp) &&
         visit_type_uint64(v, "waiting", &waiting, errp) &&
         visit_check_struct(v, errp);
    visit_end_struct(v, NULL);
    return ok;
}

static void faults_list(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Mlx5Faults *f = MLX5_KTLS(obj)->faults;
    bool ok = true;
    unsigned i;

    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    for (i = 0; ok && f && i < mlx5_fault_set_size(f->rules); i++) {
        ok = visit_rule(v, f, mlx5_fault_set_at(f->rules, i), errp);
    }
    if (ok) {
        visit_check_list(v, errp);
    }
    visit_end_list(v, NULL);
}

static void release_get(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Mlx5Faults *f = MLX5_KTLS(obj)->faults;
    g_autofree char *text = g_strdup_printf("%" PRIu32, f ? f->released : 0);

    visit_type_str(v, name, &text, errp);
}

static void release_set(Object *obj, Visitor *v, const char *name,
                        void *opaque, Error **errp)
{
    Mlx5Faults *f = faults_get(MLX5_KTLS(obj));
    g_autofree char *value = NULL;

    if (visit_type_str(v, name, &value, errp)) {
        f->released = mlx5_gates_open(f->gates, 0, *value ? value : NULL);
    }
}

static void clear_set(Object *obj, Visitor *v, const char *name, void *opaque,
                      Error **errp)
{
    Mlx5Faults *f = faults_get(MLX5_KTLS(obj));
    g_autofree char *value = NULL;
    unsigned id = 0;

    if (!visit_type_str(v, name, &value, errp)) {
        return;
    }
    if (strcmp(value, "all") &&
        (qemu_strtoui(value, NULL, 10, &id) || !id ||
         !mlx5_fault_set_find(f->rules, id))) {
        error_setg(errp, "fault-clear: expected all, or the id of a rule as "
                   "the property faults lists them, got '%s'", value);
        return;
    }
    mlx5_fault_set_remove(f->rules, id);
    mlx5_gates_open(f->gates, id, NULL);
    rules_changed(f);
}

static void help_get(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Mlx5FaultSet *set = mlx5_fault_set_new(commands, ARRAY_SIZE(commands));

    mlx5_fault_help(set, text);
    mlx5_fault_set_free(set);
    visit_type_str(v, name, &text->str, errp);
}

void mlx5_fault_class_init(ObjectClass *klass)
{
    static const struct {
        const char *name;
        const char *type;
        ObjectPropertyAccessor *get;
        ObjectPropertyAccessor *set;
        const char *about;
    } rows[] = {
        { "fault", "str", fault_get, fault_set,
          "fault rules, separated by ';': setting it adds them (see "
          "fault-help and docs/faults.md for the grammar)" },
        { "faults", "mlx5-faults", faults_list, NULL,
          "the fault rules, with their matches, hits and waits" },
        { "fault-release", "str", release_get, release_set,
          "releases what is held under this name (empty: everything); "
          "reads as how many the last write released" },
        { "fault-clear", "str", NULL, clear_set,
          "removes the fault rule with this id, or all, and releases what "
          "it holds" },
        { "fault-help", "str", help_get, NULL, "the grammar of fault" },
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(rows); i++) {
        object_class_property_add(klass, rows[i].name, rows[i].type,
                                  rows[i].get, rows[i].set, NULL, NULL);
        object_class_property_set_description(klass, rows[i].name,
                                              rows[i].about);
    }
}
