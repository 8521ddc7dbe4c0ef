/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fault injection over QMP; see mlx5-fault.h. Owns no state. */
#include "mlx5-fault.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"

char *fault_set(Drv *d, const char *property, const char *value)
{
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-set', 'arguments': "
                           "{'path': %s, 'property': %s, 'value': %s}}",
                           d->path, property, value);
    QDict *error = qdict_get_qdict(rsp, "error");
    char *text = error ? g_strdup(qdict_get_str(error, "desc")) : NULL;

    qobject_unref(rsp);
    return text;
}

void fault_do(Drv *d, const char *property, const char *value)
{
    g_autofree char *error = fault_set(d, property, value);

    g_assert_cmpstr(error, ==, NULL);
}

void fault_add(Drv *d, const char *rules)
{
    fault_do(d, "fault", rules);
}

void fault_clear(Drv *d)
{
    fault_do(d, "fault-clear", "all");
}

static QDict *fault_get(Drv *d, const char *property)
{
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': "
                           "{'path': %s, 'property': %s}}", d->path,
                           property);

    g_assert_true(qdict_haskey(rsp, "return"));
    return rsp;
}

void fault_release(Drv *d, const char *name, unsigned count)
{
    QDict *rsp;

    fault_do(d, "fault-release", name);
    rsp = fault_get(d, "fault-release");
    g_assert_cmpint(atoi(qdict_get_str(rsp, "return")), ==, count);
    qobject_unref(rsp);
}

unsigned fault_count(Drv *d)
{
    QDict *rsp = fault_get(d, "faults");
    unsigned n = qlist_size(qdict_get_qlist(rsp, "return"));

    qobject_unref(rsp);
    return n;
}

FaultRule fault_rule(Drv *d, unsigned index)
{
    QDict *rsp = fault_get(d, "faults");
    const QListEntry *e = qlist_first(qdict_get_qlist(rsp, "return"));
    FaultRule r;
    QDict *entry;

    while (e && index--) {
        e = qlist_next(e);
    }
    g_assert_nonnull(e);
    entry = qobject_to(QDict, qlist_entry_obj(e));
    r.id = qdict_get_int(entry, "id");
    g_strlcpy(r.rule, qdict_get_str(entry, "rule"), sizeof(r.rule));
    r.matches = qdict_get_int(entry, "matches");
    r.hits = qdict_get_int(entry, "hits");
    r.waiting = qdict_get_int(entry, "waiting");
    qobject_unref(rsp);
    return r;
}

void fault_expect(Drv *d, unsigned index, uint64_t matches, uint64_t hits,
                  uint64_t waiting)
{
    FaultRule r = fault_rule(d, index);

    g_assert_cmpuint(r.matches, ==, matches);
    g_assert_cmpuint(r.hits, ==, hits);
    g_assert_cmpuint(r.waiting, ==, waiting);
}
