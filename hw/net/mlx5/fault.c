/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection, the device's side: see fault.h. Owns Mlx5State.faults and
 * Mlx5Sq.fault.
 *
 * What a rule makes wait stands behind a gate. A gate is opened by its time, by
 * packets that arrive, by name, or with its rule's end; what stood behind it
 * goes on in a bottom half, never in whoever opened it. Completions of a send
 * queue are in order: behind a closed gate all later ones of the queue are kept
 * back too.
 *
 * A reset forgets what waits and keeps the rules.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "qemu/queue.h"
#include "cmd.h"
#include "fault.h"
#include "memory.h"
#include "observe.h"
#include "tls.h"
#include "trace.h"
#include "umr.h"

#define CMD_SLOTS (1u << MLX5_LOG_CMDQ_SIZE)
#define CMD_INLINE 16
#define CMD_IN_INLINE_OFFSET 0x10
/* Completions and gates that a run of the bottom half lets go. */
#define DRAIN_BUDGET 1024

/* Packets that gates wait for: those of one TIR, or all. Lives as long as they do. */
typedef struct Meter {
    int64_t tirn;      /* -1: all */
    uint64_t seen;     /* since it was made */
    GTree *due;        /* Gate, in the order in which they will be opened */
} Meter;

typedef struct Gate {
    Mlx5Faults *faults;
    uint32_t rule;
    char name[MLX5_FAULT_NAME_MAX + 1];
    Meter *meter;      /* NULL: it does not wait for packets */
    uint64_t at;       /* what the meter has seen by then */
    uint64_t serial;   /* of those that the device has made */
    QEMUTimer *timer;  /* NULL: it does not wait for a time */
    bool open;
    QTAILQ_ENTRY(Gate) next; /* in Mlx5Faults.gates, as long as it is closed */
} Gate;

/* An entry of a queue's list: a CQE, or a gate for those behind it. */
typedef struct Kept {
    Gate *gate;
    uint8_t cqe[64];
    uint64_t serial; /* of the WQE that it is for */
} Kept;

/* What is kept back of one send queue. */
struct Mlx5FaultQueue {
    Mlx5Sq *sq;
    GQueue kept;
    unsigned n_cqes;
    Gate *before;             /* the WQE at cc waits here to be executed */
    bool asked;               /* the rules have been asked about it: */
    Mlx5FaultVerdict verdict;
    QTAILQ_ENTRY(Mlx5FaultQueue) next; /* in Mlx5Faults.queues */
};

/*
 * For mlx5_memory_charge(): each with its place in a list, and a gate with a meter of
 * its own, which is a tree and a place in two.
 */
#define TREE_MEMORY 256
#define GATE_MEMORY (mlx5_memory_of(sizeof(Gate)) + mlx5_memory_of(sizeof(QEMUTimer)) + \
                     mlx5_memory_of(sizeof(Meter)) + TREE_MEMORY)
#define KEPT_MEMORY (mlx5_memory_of(sizeof(Kept)) + mlx5_memory_of(sizeof(GList)))
#define QUEUE_MEMORY (mlx5_memory_of(sizeof(Mlx5FaultQueue)))
/* What one WQE can take: two gates, one in the list, and a CQE. */
#define WQE_MEMORY (QUEUE_MEMORY + 2 * (GATE_MEMORY + KEPT_MEMORY))

/* What is kept back of one command slot. */
typedef struct CmdWait {
    Gate *gate;
    bool executed;            /* its completion waits, else its execution */
    bool asked;               /* the rules have been asked about it: */
    Mlx5FaultVerdict verdict;
    uint64_t cmdq_addr;       /* a slot of which queue */
    uint8_t out[CMD_INLINE];
    uint8_t delivery;
    bool by_event;
} CmdWait;

struct Mlx5Faults {
    Mlx5State *dev;
    Mlx5FaultSet *rules;
    Mlx5Bh *bh;               /* lets go what stood behind gates */
    QTAILQ_HEAD(, Gate) gates; /* closed ones */
    uint64_t serial;          /* of the last gate */
    GTree *meters;            /* by tirn */
    QTAILQ_HEAD(, Mlx5FaultQueue) queues;
    CmdWait cmd[CMD_SLOTS];
    Mlx5FaultVerdict wqe_now; /* of the WQE in execution */
    Mlx5FaultVerdict cmd_now; /* of the command in execution */
    uint32_t released;        /* gates that the last fault-release opened */
};

static const Mlx5FaultCommand commands[] = {
#define FAULT_COMMAND(op, NAME_, handler, in_min, out_min, state) \
    { .name = #NAME_, .opcode = op },
    MLX5_COMMANDS(FAULT_COMMAND)
#undef FAULT_COMMAND
};

/* ----------------------------------------------------------------- gates --- */

static gint meter_order(gconstpointer a, gconstpointer b)
{
    const Meter *x = a, *y = b;

    return x->tirn < y->tirn ? -1 : x->tirn > y->tirn;
}

static gint due_order(gconstpointer a, gconstpointer b)
{
    const Gate *x = a, *y = b;

    return x->at != y->at ? (x->at < y->at ? -1 : 1) :
           x->serial < y->serial ? -1 : x->serial > y->serial;
}

static Meter *meter_find(Mlx5Faults *f, int64_t tirn)
{
    const Meter key = { .tirn = tirn };

    return g_tree_lookup(f->meters, &key);
}

static void meter_join(Mlx5Faults *f, Gate *g, int64_t tirn, int64_t packets)
{
    Meter *m = meter_find(f, tirn);

    if (!m) {
        m = g_new0(Meter, 1);
        m->tirn = tirn;
        m->due = g_tree_new(due_order);
        g_tree_insert(f->meters, m, m);
    }
    g->meter = m;
    g->at = m->seen + packets;
    g_tree_insert(m->due, g, g);
}

static void meter_leave(Gate *g)
{
    Meter *m = g->meter;

    if (!m) {
        return;
    }
    g->meter = NULL;
    g_tree_remove(m->due, g);
    if (!g_tree_nnodes(m->due)) {
        g_tree_remove(g->faults->meters, m);
        g_tree_destroy(m->due);
        g_free(m);
    }
}

static gboolean take_first(gpointer key, gpointer value, gpointer first)
{
    *(Gate **)first = value;
    return TRUE;
}

static void gate_open(Gate *g)
{
    if (g->open) {
        return;
    }
    g->open = true;
    meter_leave(g);
    QTAILQ_REMOVE(&g->faults->gates, g, next);
    if (g->timer) {
        timer_del(g->timer);
    }
    trace_mlx5_fault_go_on(DEVICE(g->faults->dev)->id, g->rule);
    mlx5_bh_schedule(g->faults->bh);
}

static void gate_timer(void *opaque)
{
    gate_open(opaque);
}

/*
 * Returns NULL when the rule that asked for it is gone, or when there is no memory
 * left for it: then nothing waits.
 */
static Gate *gate_new(Mlx5Faults *f, const Mlx5FaultWait *wait, int64_t tirn)
{
    const Mlx5FaultRule *rule = mlx5_fault_set_find(f->rules, wait->rule);
    Gate *g;

    if (!rule || !mlx5_memory_charge(&f->dev->fn, GATE_MEMORY)) {
        return NULL;
    }
    g = g_new0(Gate, 1);
    g->faults = f;
    g->rule = rule->id;
    pstrcpy(g->name, sizeof(g->name), rule->name);
    g->serial = ++f->serial;
    if (wait->packets) {
        meter_join(f, g, tirn, wait->packets);
    }
    if (wait->ms) {
        g->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, gate_timer, g);
        timer_mod(g->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + wait->ms);
    }
    QTAILQ_INSERT_TAIL(&f->gates, g, next);
    return g;
}

static void gate_free(Gate *g)
{
    if (!g) {
        return;
    }
    if (!g->open) {
        meter_leave(g);
        QTAILQ_REMOVE(&g->faults->gates, g, next);
    }
    if (g->timer) {
        timer_free(g->timer);
    }
    mlx5_memory_give(&g->faults->dev->fn, GATE_MEMORY);
    g_free(g);
}

/* Opens the gates of rule @rule (0: of all) and name @name (NULL: of all). */
static uint32_t open_gates(Mlx5Faults *f, uint32_t rule, const char *name)
{
    uint32_t n = 0;
    Gate *g, *tmp;

    QTAILQ_FOREACH_SAFE(g, &f->gates, next, tmp) {
        if ((!rule || g->rule == rule) && (!name || !strcmp(g->name, name))) {
            gate_open(g);
            n++;
        }
    }
    return n;
}

static void meter_count(Mlx5Faults *f, int64_t tirn)
{
    Meter *m = meter_find(f, tirn);
    Gate *g = NULL;

    if (m) {
        m->seen++;
    }
    while (m) {
        g_tree_foreach(m->due, take_first, &g);
        if (g->at > m->seen) {
            break;
        }
        gate_open(g);
        m = meter_find(f, tirn);
    }
}

void mlx5_fault_packet(Mlx5Function *fn, uint32_t tirn)
{
    meter_count(fn->faults, tirn);
    meter_count(fn->faults, -1);
}

/* ----------------------------------------------------------- send queues --- */

static Mlx5FaultQueue *queue_get(Mlx5Faults *f, Mlx5Sq *sq)
{
    Mlx5FaultQueue *q = sq->fault;

    if (!q) {
        q = g_new0(Mlx5FaultQueue, 1);
        mlx5_memory_take(sq->obj.fn, QUEUE_MEMORY);
        q->sq = sq;
        g_queue_init(&q->kept);
        QTAILQ_INSERT_TAIL(&f->queues, q, next);
        sq->fault = q;
    }
    return q;
}

static void kept_free(void *opaque)
{
    Kept *k = opaque;

    gate_free(k->gate);
    g_free(k);
}

void mlx5_fault_sq_forget(Mlx5Sq *sq)
{
    Mlx5Faults *f = sq->obj.fn->dev->faults;
    Mlx5FaultQueue *q = sq->fault;

    QTAILQ_REMOVE(&f->queues, q, next);
    mlx5_memory_give(sq->obj.fn, QUEUE_MEMORY + q->kept.length * KEPT_MEMORY);
    g_queue_clear_full(&q->kept, kept_free);
    gate_free(q->before);
    g_free(q);
    sq->fault = NULL;
}

/* Without anything kept back the queue is as if there were no rules. */
static void queue_tidy(Mlx5Sq *sq)
{
    Mlx5FaultQueue *q = sq->fault;

    if (q && g_queue_is_empty(&q->kept) && !q->before && !q->asked) {
        mlx5_fault_sq_forget(sq);
    }
}

bool mlx5_fault_sq_full(const Mlx5Sq *sq)
{
    const Mlx5FaultQueue *q = sq->fault;
    uint32_t size = mlx5_ring_size(&sq->ring);

    /*
     * Of a WQE there is at most a gate and a CQE. Without memory for them the queue
     * waits only as long as something is kept: what lets that go starts it again.
     */
    return q->n_cqes >= size || q->kept.length >= 2 * size ||
           (q->kept.length && !mlx5_memory_room(sq->obj.fn, WQE_MEMORY));
}

bool mlx5_fault_keep_cqe(Mlx5Sq *sq, const uint8_t cqe[64])
{
    Mlx5FaultQueue *q = sq->fault;
    Kept *k;

    if (g_queue_is_empty(&q->kept)) {
        return false;
    }
    k = g_new0(Kept, 1);
    memcpy(k->cqe, cqe, sizeof(k->cqe));
    k->serial = sq->obj.fn->port->tx.serial;
    mlx5_memory_take(sq->obj.fn, KEPT_MEMORY);
    g_queue_push_tail(&q->kept, k);
    q->n_cqes++;
    return true;
}

/*
 * Posts what no gate keeps back any more, at most *@budget of it. Returns false when
 * some is left.
 */
static bool queue_drain(Mlx5FaultQueue *q, unsigned *budget)
{
    Mlx5Sq *sq = q->sq;
    Kept *k;

    while ((k = g_queue_peek_head(&q->kept))) {
        if (k->gate && !k->gate->open) {
            break;
        }
        if (!*budget) {
            return false;
        }
        --*budget;
        g_queue_pop_head(&q->kept);
        mlx5_memory_give(sq->obj.fn, KEPT_MEMORY);
        if (!k->gate) {
            q->n_cqes--;
            mlx5_sq_post_cqe(sq, k->cqe, k->serial);
        }
        kept_free(k);
    }
    /* It may have stopped for a gate or for want of room. */
    mlx5_sq_schedule(sq);
    queue_tidy(sq);
    return true;
}

/* What the WQE in port->tx is, and whom it is about. */
static void describe_wqe(Mlx5Sq *sq, Mlx5FaultEvent *e)
{
    Mlx5Function *fn = sq->obj.fn;
    const Mlx5TxPacket *tx = &fn->port->tx;
    uint32_t num = MLX5_GET(wqe_ctrl, tx->wqe, tis_tir_num);
    uint8_t mod = MLX5_GET(wqe_ctrl, tx->wqe, opc_mod);
    bool by_mod = false;

    memset(e, 0, sizeof(*e));
    e->wqe = MLX5_FAULT_WQE_OTHER;
    e->sqn = sq->obj.id;
    e->tisn = -1;
    e->tirn = -1;
    switch (sq->wqe_opcode) {
    case MLX5_WQE_NOP:
        e->wqe = MLX5_FAULT_WQE_NOP;
        break;
    case MLX5_WQE_LSO:
        e->wqe = MLX5_FAULT_WQE_SEND | MLX5_FAULT_WQE_LSO;
        e->tisn = num;
        break;
    case MLX5_WQE_SEND:
    case MLX5_WQE_ENHANCED_MPSW:
        e->wqe = MLX5_FAULT_WQE_SEND;
        e->tisn = num;
        break;
    case MLX5_WQE_DUMP:
        e->wqe = MLX5_FAULT_WQE_DUMP;
        e->tisn = num;
        break;
    case MLX5_WQE_UMR:
        if (tx->ds == MLX5_UMR_DS) {
            e->wqe = MLX5_FAULT_WQE_UMR_STATIC;
            by_mod = true;
        }
        break;
    case MLX5_WQE_SET_PSV:
        if (tx->ds == MLX5_SET_PSV_DS) {
            e->wqe = MLX5_FAULT_WQE_SET_PSV;
            num = MLX5_GET(wqe_set_psv, tx->wqe + MLX5_SET_PSV_OFFSET,
                           tis_tir_num);
            by_mod = true;
        }
        break;
    case MLX5_WQE_GET_PSV:
        if (tx->ds == MLX5_GET_PSV_DS) {
            e->wqe = MLX5_FAULT_WQE_GET_PSV;
            num = MLX5_GET(wqe_get_psv, tx->wqe + MLX5_GET_PSV_OFFSET,
                           psv_index_0) & 0xffffff;
            by_mod = true;
        }
        break;
    }
    if (by_mod && mod == MLX5_OPC_MOD_TIS) {
        e->tisn = num;
    } else if (by_mod && mod == MLX5_OPC_MOD_TIR) {
        e->tirn = num;
    }
    if (e->wqe == MLX5_FAULT_WQE_UMR_STATIC && e->tirn >= 0) {
        Mlx5Tir *tir = mlx5_object_get(fn, MLX5_OBJ_TIR, num);

        if (tir && tir->tls &&
            mlx5_tls_rx_state(tir->tls) > MLX5_TLS_RX_START) {
            e->wqe |= MLX5_FAULT_WQE_APPROVAL;
        }
    }
}

typedef struct Hit {
    Mlx5Function *fn;
    const char *kind;
    uint32_t num;
    uint32_t at;
} Hit;

static void trace_hit(void *opaque, const Mlx5FaultRule *rule)
{
    const Hit *hit = opaque;

    if (trace_event_get_state_backends(TRACE_MLX5_FAULT_HIT)) {
        g_autofree char *text = mlx5_printable(rule->text, SIZE_MAX);

        trace_mlx5_fault_hit(DEVICE(hit->fn->dev)->id, rule->id, text,
                             hit->kind, hit->num, hit->at);
    }
}

/* Adds what rules say to the parameters that a WQE carries. */
static void change_params(Mlx5TxPacket *tx, unsigned kind,
                          const Mlx5FaultVerdict *v)
{
    uint8_t *p;

    if (kind & MLX5_FAULT_WQE_UMR_STATIC) {
        p = tx->wqe + MLX5_UMR_STATIC_OFFSET;
        mlx5_st64(p + MLX5_BIT_tls_static_params_initial_record_number / 8,
                  MLX5_GET64(tls_static_params, p, initial_record_number) +
                  v->record_add);
        MLX5_SET(tls_static_params, p, resync_tcp_sn,
                 MLX5_GET(tls_static_params, p, resync_tcp_sn) + v->seq_add);
    } else if (kind & MLX5_FAULT_WQE_SET_PSV) {
        p = tx->wqe + MLX5_SET_PSV_PARAMS_OFFSET;
        MLX5_SET(tls_progress_params, p, next_record_tcp_sn,
                 MLX5_GET(tls_progress_params, p, next_record_tcp_sn) +
                 v->seq_add);
    }
}

Mlx5FaultDo mlx5_fault_wqe(Mlx5Sq *sq, uint8_t *cqe_syndrome)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5Faults *f = fn->dev->faults;
    Hit hit = { .fn = fn, .kind = "sq", .num = sq->obj.id, .at = sq->cc };
    Mlx5FaultVerdict *v = &f->wqe_now;
    Mlx5FaultQueue *q = sq->fault;
    Mlx5FaultEvent e;

    if (q && q->before && !q->before->open) {
        return MLX5_FAULT_DO_WAIT;
    }
    describe_wqe(sq, &e);
    if (q && q->asked) {
        *v = q->verdict;
        q->asked = false;
        g_clear_pointer(&q->before, gate_free);
        queue_tidy(sq);
    } else {
        mlx5_fault_ask(f->rules, &e, v, trace_hit, &hit);
        if (!v->hits) {
            return MLX5_FAULT_DO_EXECUTE;
        }
        if (v->before.rule) {
            Gate *g = gate_new(f, &v->before, e.tirn);

            if (g) {
                q = queue_get(f, sq);
                q->before = g;
                q->asked = true;
                q->verdict = *v;
                return MLX5_FAULT_DO_WAIT;
            }
        }
    }
    if (v->after.rule) {
        Gate *g = gate_new(f, &v->after, e.tirn);

        if (g) {
            Kept *k = g_new0(Kept, 1);

            k->gate = g;
            mlx5_memory_take(fn, KEPT_MEMORY);
            g_queue_push_tail(&queue_get(f, sq)->kept, k);
        }
    }
    if (v->fail) {
        *cqe_syndrome = v->syndrome;
        return MLX5_FAULT_DO_ERROR;
    }
    if (v->swallow) {
        return MLX5_FAULT_DO_NOTHING;
    }
    change_params(&fn->port->tx, e.wqe, v);
    return MLX5_FAULT_DO_EXECUTE;
}

void mlx5_fault_get_psv(Mlx5Function *fn, uint8_t *params)
{
    const Mlx5FaultVerdict *v = &fn->faults->wqe_now;

    if (v->state) {
        MLX5_SET(tls_progress_params, params, record_tracker_state,
                 v->tracker);
        MLX5_SET(tls_progress_params, params, auth_state, v->auth);
    }
    MLX5_SET(tls_progress_params, params, hw_resync_tcp_sn,
             MLX5_GET(tls_progress_params, params, hw_resync_tcp_sn) +
             v->seq_add);
}

/* -------------------------------------------------------------- commands --- */

static void cmd_wait_end(CmdWait *w)
{
    g_clear_pointer(&w->gate, gate_free);
    w->asked = false;
}

bool mlx5_fault_cmd_begin(Mlx5Function *fn, unsigned slot,
                          const uint8_t *entry)
{
    Mlx5Faults *f = fn->dev->faults;
    CmdWait *w = &f->cmd[slot];
    const uint8_t *in = entry + CMD_IN_INLINE_OFFSET;
    Mlx5FaultEvent e = {
        .opcode = MLX5_GET(cmd_in, in, opcode),
        .op_mod = MLX5_GET(cmd_in, in, op_mod),
        .obj = MLX5_GET(cmd_id, in, id),
        .sqn = -1, .tisn = -1, .tirn = -1,
    };
    Hit hit = { .fn = fn, .kind = "command", .num = e.opcode, .at = slot };

    if (w->cmdq_addr != fn->cmdq_addr) {
        cmd_wait_end(w); /* of a queue that is no more */
    }
    if (w->gate) {
        return false;
    }
    if (w->asked) {
        w->asked = false;
        f->cmd_now = w->verdict;
        return true;
    }
    mlx5_fault_ask(f->rules, &e, &f->cmd_now, trace_hit, &hit);
    if (f->cmd_now.before.rule) {
        w->gate = gate_new(f, &f->cmd_now.before, -1);
        if (!w->gate) {
            return true;
        }
        w->executed = false;
        w->asked = true;
        w->verdict = f->cmd_now;
        w->cmdq_addr = fn->cmdq_addr;
        return false;
    }
    return true;
}

const Mlx5FaultVerdict *mlx5_fault_cmd(Mlx5Function *fn)
{
    return &fn->dev->faults->cmd_now;
}

bool mlx5_fault_cmd_keep(Mlx5Function *fn, unsigned slot, const uint8_t *out,
                         uint8_t delivery, bool by_event)
{
    Mlx5Faults *f = fn->dev->faults;
    CmdWait *w = &f->cmd[slot];

    if (!f->cmd_now.after.rule) {
        return false;
    }
    w->gate = gate_new(f, &f->cmd_now.after, -1);
    if (!w->gate) {
        return false;
    }
    w->executed = true;
    memcpy(w->out, out, sizeof(w->out));
    w->delivery = delivery;
    w->by_event = by_event;
    w->cmdq_addr = fn->cmdq_addr;
    return true;
}

void mlx5_fault_cmd_reset(Mlx5Function *fn)
{
    Mlx5Faults *f = fn->dev->faults;
    unsigned slot;

    for (slot = 0; slot < CMD_SLOTS; slot++) {
        cmd_wait_end(&f->cmd[slot]);
    }
}

void mlx5_fault_stop(Mlx5Function *fn)
{
    mlx5_fault_cmd_reset(fn);
    mlx5_bh_cancel(fn->dev->faults->bh);
}

static void cmd_go_on(Mlx5Function *fn, unsigned slot)
{
    CmdWait *w = &fn->dev->faults->cmd[slot];

    g_clear_pointer(&w->gate, gate_free);
    if (w->cmdq_addr != fn->cmdq_addr) {
        w->asked = false;
    } else if (w->executed) {
        mlx5_cmd_complete(fn, slot, w->out, w->delivery, w->by_event);
    } else {
        mlx5_cmd_doorbell(fn, 1u << slot);
    }
}

/* --------------------------------------------------------------- the set --- */

static void fault_bh(void *opaque)
{
    Mlx5Faults *f = opaque;
    Mlx5Function *fn = &f->dev->fn;
    unsigned budget = DRAIN_BUDGET;
    Mlx5FaultQueue *q, *tmp;
    unsigned slot;

    if (fn->asleep) {
        return;
    }
    QTAILQ_FOREACH_SAFE(q, &f->queues, next, tmp) {
        if (!queue_drain(q, &budget)) {
            mlx5_bh_schedule(f->bh);
            break;
        }
    }
    for (slot = 0; slot < CMD_SLOTS; slot++) {
        if (f->cmd[slot].gate && f->cmd[slot].gate->open) {
            cmd_go_on(fn, slot);
        }
    }
    mlx5_notify_flush(fn);
}

void mlx5_fault_wake(Mlx5State *s)
{
    if (s->faults) {
        mlx5_bh_schedule(s->faults->bh);
    }
}

static Mlx5Faults *faults_get(Mlx5State *s)
{
    Mlx5Faults *f = s->faults;

    if (!f) {
        f = g_new0(Mlx5Faults, 1);
        f->dev = s;
        f->rules = mlx5_fault_set_new(commands, ARRAY_SIZE(commands));
        f->bh = mlx5_bh_new(&s->work, fault_bh, f);
        QTAILQ_INIT(&f->gates);
        f->meters = g_tree_new(meter_order);
        QTAILQ_INIT(&f->queues);
        s->faults = f;
    }
    return f;
}

void mlx5_fault_finalize(Mlx5State *s)
{
    Mlx5Faults *f = s->faults;

    if (f) {
        assert(QTAILQ_EMPTY(&f->gates) && QTAILQ_EMPTY(&f->queues));
        mlx5_bh_delete(f->bh);
        g_tree_destroy(f->meters);
        mlx5_fault_set_free(f->rules);
        g_free(f);
        s->faults = NULL;
        s->fn.faults = NULL;
    }
}

/* fn->faults says whether there are rules. */
static void rules_changed(Mlx5Faults *f)
{
    f->dev->fn.faults = mlx5_fault_set_size(f->rules) ? f : NULL;
}

/* ------------------------------------------------------------ properties --- */

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
    uint64_t id = rule->id, matches = rule->matches, hits = rule->hits;
    uint64_t waiting = 0;
    char *text = rule->text;
    bool ok;
    Gate *g;

    QTAILQ_FOREACH(g, &f->gates, next) {
        waiting += g->rule == rule->id;
    }
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
        f->released = open_gates(f, 0, *value ? value : NULL);
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
        error_setg(errp, "fault-clear: '%s': expected all, or the id of a rule "
                   "as the property faults lists them", value);
        return;
    }
    mlx5_fault_set_remove(f->rules, id);
    open_gates(f, id, NULL);
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
          "rules for faults, separated by ';': setting it adds them "
          "(fault-help and docs/faults.md have the grammar)" },
        { "faults", "mlx5-faults", faults_list, NULL,
          "the rules for faults, with what each has met" },
        { "fault-release", "str", release_get, release_set,
          "lets go what is held under this name (empty: all that waits); "
          "reads as how many the last one let go" },
        { "fault-clear", "str", NULL, clear_set,
          "removes the rule for faults with this id, or all; what it made "
          "wait goes on" },
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
