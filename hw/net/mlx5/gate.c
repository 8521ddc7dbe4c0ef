/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gates; see gate.h. */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "eq.h"
#include "gate.h"
#include "memory.h"
#include "trace.h"

/* Total budget of all waiters per run of the bottom half. */
#define GATES_BUDGET 1024

/*
 * Counts packets for gates, of one TIR or all. Exists as long as such gates do.
 */
typedef struct Meter {
    int64_t tirn;  /* -1: all */
    uint64_t seen; /* since creation */
    GTree *due;    /* Mlx5Gate, in the order of opening */
} Meter;

struct Mlx5Gate {
    Mlx5Gates *gates;
    Mlx5Waiter *waiter;
    uint32_t owner;
    char name[MLX5_GATE_NAME_MAX + 1];
    Meter *meter;     /* NULL: no packets */
    uint64_t at;      /* value of meter->seen that opens it */
    uint64_t serial;  /* number in order of creation */
    QEMUTimer *timer; /* NULL: no time */
    bool open;
    QTAILQ_ENTRY(Mlx5Gate) next; /* in Mlx5Gates.closed while closed */
};

struct Mlx5Gates {
    Mlx5Function *fn;
    QTAILQ_HEAD(, Mlx5Gate) closed;
    QTAILQ_HEAD(, Mlx5Waiter) ready; /* to be called, in order */
    uint64_t serial;                 /* of the last gate */
    GTree *meters;                   /* by tirn */
};

/*
 * For mlx5_memory_charge(): a gate with a timer and a meter of its own, which
 * is a tree and a node in two trees.
 */
#define TREE_MEMORY 256

size_t mlx5_gate_memory(void)
{
    return mlx5_memory_of(sizeof(Mlx5Gate)) +
           mlx5_memory_of(sizeof(QEMUTimer)) +
           mlx5_memory_of(sizeof(Meter)) + TREE_MEMORY;
}

/* --------------------------------------------------------------- meters --- */

static gint meter_order(gconstpointer a, gconstpointer b)
{
    const Meter *x = a, *y = b;

    return x->tirn < y->tirn ? -1 : x->tirn > y->tirn;
}

static gint due_order(gconstpointer a, gconstpointer b)
{
    const Mlx5Gate *x = a, *y = b;

    return x->at != y->at ? (x->at < y->at ? -1 : 1) :
           x->serial < y->serial ? -1 : x->serial > y->serial;
}

static Meter *meter_find(Mlx5Gates *gates, int64_t tirn)
{
    const Meter key = { .tirn = tirn };

    return g_tree_lookup(gates->meters, &key);
}

static void meter_join(Mlx5Gate *g, int64_t tirn, int64_t packets)
{
    Meter *m = meter_find(g->gates, tirn);

    if (!m) {
        m = g_new0(Meter, 1);
        m->tirn = tirn;
        m->due = g_tree_new(due_order);
        g_tree_insert(g->gates->meters, m, m);
    }
    g->meter = m;
    g->at = m->seen + packets;
    g_tree_insert(m->due, g, g);
}

static void meter_leave(Mlx5Gate *g)
{
    Meter *m = g->meter;

    if (!m) {
        return;
    }
    g->meter = NULL;
    g_tree_remove(m->due, g);
    if (!g_tree_nnodes(m->due)) {
        g_tree_remove(g->gates->meters, m);
        g_tree_destroy(m->due);
        g_free(m);
    }
}

/* ---------------------------------------------------------------- gates --- */

static void gate_open(Mlx5Gate *g)
{
    Mlx5Gates *gates = g->gates;

    if (g->open) {
        return;
    }
    g->open = true;
    meter_leave(g);
    QTAILQ_REMOVE(&gates->closed, g, next);
    if (g->timer) {
        timer_del(g->timer);
    }
    trace_mlx5_fault_go_on(mlx5_id(gates->fn), g->owner);
    if (!g->waiter->ready) {
        g->waiter->ready = gates;
        QTAILQ_INSERT_TAIL(&gates->ready, g->waiter, next);
    }
    mlx5_wake(gates->fn, MLX5_WAKE_GATES);
}

static void gate_timer(void *opaque)
{
    gate_open(opaque);
}

Mlx5Gate *mlx5_gate_new(Mlx5Gates *gates, const Mlx5GateSpec *spec,
                        Mlx5Waiter *waiter)
{
    Mlx5Gate *g;

    if (!mlx5_memory_charge(gates->fn, mlx5_gate_memory())) {
        return NULL;
    }
    g = g_new0(Mlx5Gate, 1);
    g->gates = gates;
    g->waiter = waiter;
    g->owner = spec->owner;
    pstrcpy(g->name, sizeof(g->name), spec->name);
    g->serial = ++gates->serial;
    if (spec->packets) {
        meter_join(g, MAX(spec->tirn, -1), spec->packets);
    }
    if (spec->ms) {
        g->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, gate_timer, g);
        timer_mod(g->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + spec->ms);
    }
    QTAILQ_INSERT_TAIL(&gates->closed, g, next);
    return g;
}

void mlx5_gate_free(Mlx5Gate *g)
{
    if (!g) {
        return;
    }
    if (!g->open) {
        meter_leave(g);
        QTAILQ_REMOVE(&g->gates->closed, g, next);
    }
    if (g->timer) {
        timer_free(g->timer);
    }
    mlx5_memory_give(g->gates->fn, mlx5_gate_memory());
    g_free(g);
}

bool mlx5_gate_is_open(const Mlx5Gate *g)
{
    return g->open;
}

/* --------------------------------------------------------- opening them --- */

uint32_t mlx5_gates_open(Mlx5Gates *gates, uint32_t owner, const char *name)
{
    uint32_t n = 0;
    Mlx5Gate *g, *tmp;

    QTAILQ_FOREACH_SAFE(g, &gates->closed, next, tmp) {
        if ((!owner || g->owner == owner) &&
            (!name || !strcmp(g->name, name))) {
            gate_open(g);
            n++;
        }
    }
    return n;
}

uint32_t mlx5_gates_waiting(const Mlx5Gates *gates, uint32_t owner)
{
    uint32_t n = 0;
    Mlx5Gate *g;

    QTAILQ_FOREACH(g, &gates->closed, next) {
        n += g->owner == owner;
    }
    return n;
}

static gboolean take_first(gpointer key, gpointer value, gpointer first)
{
    *(Mlx5Gate **)first = value;
    return TRUE;
}

static void meter_count(Mlx5Gates *gates, int64_t tirn)
{
    Meter *m = meter_find(gates, tirn);
    Mlx5Gate *g = NULL;

    if (m) {
        m->seen++;
    }
    while (m) {
        g_tree_foreach(m->due, take_first, &g);
        if (g->at > m->seen) {
            break;
        }
        gate_open(g);
        m = meter_find(gates, tirn); /* freed with its last gate */
    }
}

void mlx5_gates_packet(Mlx5Gates *gates, uint32_t tirn)
{
    meter_count(gates, tirn);
    meter_count(gates, -1);
}

/* ------------------------------------------------------- those who wait --- */

void mlx5_waiter_forget(Mlx5Waiter *w)
{
    if (w->ready) {
        QTAILQ_REMOVE(&w->ready->ready, w, next);
        w->ready = NULL;
    }
}

static void gates_bh(void *opaque)
{
    Mlx5Gates *gates = opaque;
    unsigned budget = GATES_BUDGET;
    Mlx5Waiter *w, *tmp;

    if (gates->fn->asleep) {
        return;
    }
    QTAILQ_FOREACH_SAFE(w, &gates->ready, next, tmp) {
        if (w->go_on(w, &budget)) {
            mlx5_waiter_forget(w);
        }
    }
    if (!QTAILQ_EMPTY(&gates->ready)) {
        mlx5_wake(gates->fn, MLX5_WAKE_GATES);
    }
    mlx5_notify_flush(gates->fn);
}

Mlx5Gates *mlx5_gates_new(Mlx5Function *fn)
{
    Mlx5Gates *gates = g_new0(Mlx5Gates, 1);

    gates->fn = fn;
    mlx5_wake_add(fn, MLX5_WAKE_GATES, gates_bh, gates);
    QTAILQ_INIT(&gates->closed);
    QTAILQ_INIT(&gates->ready);
    gates->meters = g_tree_new(meter_order);
    return gates;
}

void mlx5_gates_free(Mlx5Gates *gates)
{
    assert(QTAILQ_EMPTY(&gates->closed) && QTAILQ_EMPTY(&gates->ready));
    mlx5_wake_remove(gates->fn, MLX5_WAKE_GATES);
    g_tree_destroy(gates->meters);
    g_free(gates);
}
