/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The middlebox without its sockets; see core.h. report.c produces its JSON. */
#include "core.h"

#include <string.h>

#include "edit.h"
#include "report.h"

#define MAX_EDITS 16

/*
 * A waiting frame: in `waiting` of its lane (for packets), in `timed`, or in
 * `held`.
 */
typedef struct Waiting {
    GByteArray *frame;
    WireDir dir;
    unsigned rule;
    char *name;             /* of hold and spare, or NULL */
    bool is_held;
    int64_t packets;    /* remaining packets of the lane, 0: not counted */
    int64_t born;           /* number of its original packet */
    int64_t deadline;       /* or -1 */
    WireLane *lane;         /* only used when `packets` is not 0 */
} Waiting;

typedef struct Edit {
    uint32_t at;
    uint8_t xor;
    bool keep;
} Edit;

/* The combined actions of rules on a frame. */
typedef struct Orders {
    bool drop;
    unsigned n_edits;
    Edit edit[MAX_EDITS];
    int64_t cut_fix;        /* payload bytes to keep, or -1 */
    int64_t cut_keep;
    bool split;
    bool reverse;
    uint32_t overlap;
    GArray *cuts;           /* of uint32_t, or NULL */
    bool option;
    uint32_t option_bytes;
    bool ce;
    const WireRule *spare;  /* or NULL */
    const WireRule *copy;
    const WireRule *wait;
} Orders;

static void emit(WireCore *core, WireDir dir, const uint8_t *frame, size_t len)
{
    core->counters[dir].frames_out++;
    core->counters[dir].bytes_out += len;
    core->emit(core->opaque, dir, frame, len);
}

/* Waiting frames */

static void let_go(WireCore *core, Waiting *w)
{
    if (w->packets) {
        g_queue_remove(&w->lane->waiting, w);
    }
    if (w->deadline >= 0) {
        g_queue_remove(&core->timed, w);
    }
    if (w->is_held) {
        g_queue_remove(&core->held, w);
    }
    core->n_waiting--;
    core->waiting_bytes -= w->frame->len;
    emit(core, w->dir, w->frame->data, w->frame->len);
    g_byte_array_unref(w->frame);
    g_free(w->name);
    g_free(w);
}

static void queue_timed(WireCore *core, Waiting *w)
{
    GList *at = core->timed.tail;

    while (at && ((Waiting *)at->data)->deadline > w->deadline) {
        at = at->prev;
    }
    if (at) {
        g_queue_insert_after(&core->timed, at, w);
    } else {
        g_queue_push_head(&core->timed, w);
    }
}

/* Makes a frame wait. Returns false if too many are waiting already. */
static bool wait_for(WireCore *core, const WireSubject *s, GByteArray *frame,
                     const WireRule *rule, int64_t packets, int64_t deadline)
{
    Waiting *w;

    if (core->n_waiting >= WIRE_MAX_WAITING ||
        core->waiting_bytes + frame->len > WIRE_MAX_WAITING_BYTES) {
        core->counters[s->dir].overflow++;
        return false;
    }
    w = g_new0(Waiting, 1);
    w->frame = g_byte_array_ref(frame);
    w->dir = s->dir;
    w->rule = rule->id;
    w->packets = packets;
    w->born = s->packet;
    w->deadline = deadline;
    w->lane = (WireLane *)s->lane;
    core->n_waiting++;
    core->waiting_bytes += frame->len;
    if (packets) {
        g_queue_push_tail(&w->lane->waiting, w);
    }
    if (deadline >= 0) {
        queue_timed(core, w);
    }
    if (rule->action == WIRE_HOLD || rule->action == WIRE_SPARE) {
        w->is_held = true;
        w->name = *rule->name ? g_strdup(rule->name) : NULL;
        g_queue_push_tail(&core->held, w);
    }
    return true;
}

/* Another packet has passed in this lane. */
static void age(WireCore *core, WireLane *lane, int64_t packet)
{
    GList *at = lane->waiting.head, *next;

    for (; at; at = next) {
        Waiting *w = at->data;

        next = at->next;
        if (w->born == packet) {
            continue;
        }
        if (w->packets == 1) {
            let_go(core, w);
        } else {
            w->packets--;
        }
    }
}

static void let_go_all(WireCore *core, GQueue *queue)
{
    while (queue->head) {
        let_go(core, queue->head->data);
    }
}

static void flow_gone(WireFlow *flow, void *opaque)
{
    WireCore *core = opaque;
    unsigned i;
    guint n;

    for (i = 0; i < 2; i++) {
        WireLane *lane = &flow->lane[i];

        /*
         * frames waiting only for a time or a release need no lane and keep
         * waiting
         */
        let_go_all(core, &lane->waiting);
        for (n = 0; n < core->rules->len; n++) {
            wire_rule_drop_base(g_ptr_array_index(core->rules, n), lane);
        }
    }
}

int64_t wire_core_deadline(const WireCore *core)
{
    return core->timed.head ? ((Waiting *)core->timed.head->data)->deadline :
                              -1;
}

void wire_core_tick(WireCore *core, int64_t now)
{
    while (core->timed.head &&
           ((Waiting *)core->timed.head->data)->deadline <= now) {
        let_go(core, core->timed.head->data);
    }
}

unsigned wire_core_release(WireCore *core, const char *name)
{
    GList *at = core->held.head, *next;
    unsigned n = 0;

    for (; at; at = next) {
        Waiting *w = at->data;

        next = at->next;
        if (!name || !g_strcmp0(name, w->name)) {
            let_go(core, w);
            n++;
        }
    }
    return n;
}

/* Orders */

static int compare_cuts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void order_cuts(Orders *o, const WireRule *rule, const WirePlace *place,
                       uint32_t len)
{
    uint32_t cut;
    unsigned i;

    o->split = true;
    o->reverse = o->reverse || rule->order;
    o->overlap = MAX(o->overlap, (uint32_t)rule->overlap);
    if (!o->cuts) {
        o->cuts = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    }
    if (rule->size) {
        for (cut = (uint32_t)rule->size; cut < len;
             cut += (uint32_t)rule->size) {
            g_array_append_val(o->cuts, cut);
        }
    } else {
        for (i = 0; i < place->n_cuts; i++) {
            g_array_append_val(o->cuts, place->cut[i]);
        }
    }
}

static void shorten(int64_t *to, int64_t value)
{
    if (*to < 0 || value < *to) {
        *to = value;
    }
}

static void give_order(Orders *o, const WireRule *rule, const WireSubject *s,
                       const WirePlace *place)
{
    switch (rule->action) {
    case WIRE_DROP:
        o->drop = true;
        break;
    case WIRE_DUPLICATE:
        o->copy = rule;
        break;
    case WIRE_SPARE:
        o->spare = rule;
        break;
    case WIRE_DELAY:
    case WIRE_HOLD:
        o->wait = rule;
        break;
    case WIRE_CORRUPT:
        if (o->n_edits < MAX_EDITS) {
            o->edit[o->n_edits++] = (Edit){ place->at, (uint8_t)rule->xor,
                                            rule->csum };
        }
        break;
    case WIRE_TRUNCATE:
        shorten(rule->csum ? &o->cut_keep : &o->cut_fix,
                rule->bytes >= 0 ? rule->bytes : place->at);
        break;
    case WIRE_SPLIT:
        order_cuts(o, rule, place, s->len);
        break;
    case WIRE_IP_OPTION:
        o->option = true;
        o->option_bytes = rule->bytes > 0 ? (uint32_t)rule->bytes : 0;
        break;
    case WIRE_CE:
        o->ce = true;
        break;
    default:
        break;
    }
}

/* A piece of the frame: payload bytes [from, to) of the original. */
typedef struct Piece {
    GByteArray *frame;
    uint32_t from;
    uint32_t to;
} Piece;

static void add_piece(GArray *pieces, const GByteArray *work,
                      const Mlx5Packet *pkt, uint32_t from, uint32_t to,
                      bool last)
{
    Piece piece = { NULL, from, to };

    piece.frame = wire_edit_segment(work->data, pkt, from, to, pieces->len,
                                    last);
    g_array_append_val(pieces, piece);
}

/* Truncates and splits `work` into one or several pieces. */
static void cut_pieces(WireCore *core, const Orders *o, const WireSubject *s,
                       GByteArray *work, GArray *pieces)
{
    WireCounters *c = &core->counters[s->dir];
    bool whole = o->cut_fix < 0 || o->cut_fix >= s->len;
    uint32_t end = whole ? s->len : (uint32_t)o->cut_fix, from = 0;
    guint i;

    c->truncated += !whole || (o->cut_keep >= 0 && o->cut_keep < s->len);
    if (o->split && o->cuts->len) {
        qsort(o->cuts->data, o->cuts->len, sizeof(uint32_t), compare_cuts);
        for (i = 0; i < o->cuts->len; i++) {
            uint32_t cut = g_array_index(o->cuts, uint32_t, i);

            if (cut > from && cut < end) {
                add_piece(pieces, work, s->pkt, from - MIN(from, o->overlap),
                          cut, false);
                from = cut;
            }
        }
    }
    if (pieces->len || !whole) {
        add_piece(pieces, work, s->pkt, from - MIN(from, o->overlap), end,
                  whole);
    } else {
        Piece piece = { g_byte_array_ref(work), 0, s->len };

        g_array_append_val(pieces, piece);
    }
    c->split += pieces->len > 1;
    c->pieces += pieces->len - 1;
}

/* Flips a byte of a piece's payload, and nothing else. */
static void flip(Piece *piece, const Edit *edit)
{
    Mlx5Packet pkt;
    size_t at;

    if (edit->at >= piece->from && edit->at < piece->to) {
        mlx5_parse(piece->frame->data, piece->frame->len, &pkt);
        at = pkt.payload_off + edit->at - piece->from;
        piece->frame->data[at] ^= edit->xor;
    }
}

static void edit_piece(WireCore *core, const Orders *o, WireDir dir,
                       Piece *piece)
{
    WireCounters *c = &core->counters[dir];
    unsigned i;

    if (o->option) {
        if (wire_edit_ip_option(piece->frame, o->option_bytes)) {
            c->options++;
        } else {
            c->refused++;
        }
    }
    if (o->ce) {
        if (wire_edit_ce(piece->frame)) {
            c->ce++;
        } else {
            c->refused++;
        }
    }
    for (i = 0; i < o->n_edits; i++) {
        if (o->edit[i].keep) {
            flip(piece, &o->edit[i]);
        }
    }
    if (o->cut_keep >= piece->from && o->cut_keep < piece->to) {
        wire_edit_cut(piece->frame, (uint32_t)(o->cut_keep - piece->from));
    }
}

/*
 * Applies the orders to the frame; returns an array of Piece in the order of
 * sending.
 */
static GArray *change(WireCore *core, const Orders *o, const WireSubject *s,
                      const uint8_t *frame, size_t len)
{
    GByteArray *work = g_byte_array_sized_new((guint)len);
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    bool fixed = false;
    unsigned i;
    guint n;

    g_byte_array_append(work, frame, (guint)len);
    for (i = 0; i < o->n_edits; i++) {
        core->counters[s->dir].corrupted++;
        if (!o->edit[i].keep) {
            work->data[s->pkt->payload_off + o->edit[i].at] ^= o->edit[i].xor;
            fixed = true;
        }
    }
    if (fixed) {
        wire_edit_fix(work);
    }
    if (s->stream) {
        cut_pieces(core, o, s, work, pieces);
    } else {
        Piece piece = { g_byte_array_ref(work), 0, 0 };

        g_array_append_val(pieces, piece);
    }
    g_byte_array_unref(work);
    for (n = 0; n < pieces->len; n++) {
        edit_piece(core, o, s->dir, &g_array_index(pieces, Piece, n));
    }
    for (n = 0; o->reverse && n < pieces->len / 2; n++) {
        Piece *a = &g_array_index(pieces, Piece, n);
        Piece *b = &g_array_index(pieces, Piece, pieces->len - 1 - n),
              swap = *a;

        *a = *b;
        *b = swap;
    }
    return pieces;
}

/* Sends a frame, or makes it wait; then its copies. */
static void send_piece(WireCore *core, const Orders *o, const WireSubject *s,
                       GByteArray *frame, int64_t now)
{
    WireCounters *c = &core->counters[s->dir];
    const WireRule *wait = o->wait, *copy = o->copy;
    int64_t n, total = 1 + (copy && !copy->gap ? copy->copies : 0);

    for (n = 0; n < total; n++) {
        int64_t deadline = wait && wait->ms ? now + wait->ms * 1000 : -1;

        if (!wait || !wait_for(core, s, frame, wait, wait->packets, deadline)) {
            emit(core, s->dir, frame->data, frame->len);
        } else if (wait->action == WIRE_HOLD) {
            c->held++;
        } else {
            c->delayed++;
        }
    }
    c->copies += (uint64_t)(total - 1);
    for (n = 0; copy && copy->gap && n < copy->copies; n++) {
        if (wait_for(core, s, frame, copy, copy->gap, -1)) {
            c->copies++;
        }
    }
}

/* Keeps a copy of the original frame until it is released. */
static void put_aside(WireCore *core, const WireRule *rule,
                      const WireSubject *s, const uint8_t *frame, size_t len)
{
    GByteArray *copy = g_byte_array_sized_new((guint)len);

    g_byte_array_append(copy, frame, (guint)len);
    core->counters[s->dir].spares += wait_for(core, s, copy, rule, 0, -1);
    g_byte_array_unref(copy);
}

static void carry_out(WireCore *core, const Orders *o, const WireSubject *s,
                      const uint8_t *frame, size_t len, int64_t now)
{
    GArray *pieces;
    guint i;

    if (o->spare) {
        put_aside(core, o->spare, s, frame, len);
    }
    if (o->drop) {
        core->counters[s->dir].dropped++;
        return;
    }
    pieces = change(core, o, s, frame, len);
    for (i = 0; i < pieces->len; i++) {
        Piece *piece = &g_array_index(pieces, Piece, i);

        send_piece(core, o, s, piece->frame, now);
        g_byte_array_unref(piece->frame);
    }
    g_array_free(pieces, TRUE);
}

/* Evaluates the rules. Returns true if any was applied. */
static bool ask(WireCore *core, const WireSubject *s, Orders *o)
{
    bool any = false;
    WirePlace place;
    guint i;

    for (i = 0; i < core->rules->len; i++) {
        WireRule *rule = g_ptr_array_index(core->rules, i);

        if (!wire_rule_matches(rule, s, &place) ||
            !wire_rule_applies(rule, s)) {
            continue;
        }
        any = true;
        give_order(o, rule, s, &place);
        wire_report_hit(core, rule, s, &place);
        if (rule->action == WIRE_PASS || rule->action == WIRE_DROP) {
            break;
        }
    }
    return any;
}

/* Locates the frame in its flow and stream. */
static void place_frame(WireCore *core, WireSubject *s, WireLane *lane,
                        const uint8_t *frame)
{
    const Mlx5Packet *pkt = s->pkt;
    const uint8_t *payload;
    uint32_t seq;

    s->lane = lane;
    s->packet = lane->packets++;
    s->segment = WIRE_NONE;
    if (s->flow == WIRE_NONE) {
        return;
    }
    payload = mlx5_packet_tcp_payload(pkt, frame, &s->len);
    if (!payload) {
        return;
    }
    s->segment = lane->segments++;
    lane->bytes += s->len;
    seq = pkt->tcp_seq + (pkt->tcp_flags & MLX5_TCP_SYN ? 1 : 0);
    s->stream = &lane->stream;
    s->start = wire_stream_feed(&lane->stream, seq, payload, s->len, &s->cut);
    if (core->rules->len) {
        uint64_t end = s->start + s->len - s->cut;

        g_array_set_size(core->spans, 0);
        g_array_set_size(core->passed, 0);
        wire_stream_spans(s->stream, s->start, end, core->spans);
        wire_stream_passed(s->stream, s->start, end, core->passed);
    }
}

void wire_core_input(WireCore *core, WireDir dir, const uint8_t *frame,
                     size_t len, int64_t now)
{
    Orders orders = { .cut_fix = -1, .cut_keep = -1 };
    WireSubject s = { .dir = dir, .flow = WIRE_NONE };
    WireLane *lane = &core->other[dir];
    Mlx5Packet pkt;

    core->counters[dir].frames_in++;
    core->counters[dir].bytes_in += len;
    wire_capture_frame(&core->capture, frame, len, now);
    wire_core_tick(core, now);
    mlx5_parse(frame, len, &pkt);
    s.pkt = &pkt;
    s.spans = core->spans;
    s.passed = core->passed;
    if (pkt.l4_type == MLX5_L4_TCP && !pkt.is_frag && !pkt.l3_truncated) {
        WireFlow *flow = wire_flows_get(&core->flows, dir, &pkt, frame);

        s.flow = flow->number;
        lane = &flow->lane[dir];
    }
    place_frame(core, &s, lane, frame);
    if (core->rules->len && ask(core, &s, &orders)) {
        carry_out(core, &orders, &s, frame, len, now);
        if (orders.cuts) {
            g_array_free(orders.cuts, TRUE);
        }
    } else {
        emit(core, dir, frame, len);
    }
    age(core, lane, s.packet);
}

/* Rules */

static void set_base(WireRule *rule, const WireLane *lane)
{
    const WireStream *s = &lane->stream;
    WireBase base = {
        .record = s->n_record, .app = s->n_app, .wire = s->n_wire,
        .stream = (int64_t)s->high, .segment = lane->segments,
        .packet = lane->packets,
    };

    wire_rule_set_base(rule, lane, &base);
}

unsigned wire_core_add_rule(WireCore *core, const char *text, GError **err)
{
    WireRule *rule = wire_rule_parse(text, core->seed, err);
    const GList *at;
    unsigned i;

    if (!rule) {
        return 0;
    }
    rule->id = ++core->next_rule;
    for (i = 0; i < 2; i++) {
        set_base(rule, &core->other[i]);
        for (at = core->flows.by_use.head; at; at = at->next) {
            set_base(rule, &((const WireFlow *)at->data)->lane[i]);
        }
    }
    g_ptr_array_add(core->rules, rule);
    return rule->id;
}

/* Releases the frames held by rule `id`, or by any rule if 0. */
static void let_go_of_rule(WireCore *core, unsigned id)
{
    GQueue *const queues[] = { &core->held, &core->timed };
    GList *at, *next;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(queues); i++) {
        for (at = queues[i]->head; at; at = next) {
            Waiting *w = at->data;

            next = at->next;
            if (!id || w->rule == id) {
                let_go(core, w);
            }
        }
    }
}

static void let_go_of_lane(WireCore *core, WireLane *lane, unsigned id)
{
    GList *at, *next;

    for (at = lane->waiting.head; at; at = next) {
        Waiting *w = at->data;

        next = at->next;
        if (!id || w->rule == id) {
            let_go(core, w);
        }
    }
}

bool wire_core_remove_rule(WireCore *core, unsigned id)
{
    bool found = !id;
    GList *at;
    unsigned i;

    for (i = core->rules->len; i-- > 0;) {
        WireRule *rule = g_ptr_array_index(core->rules, i);

        if (!id || rule->id == id) {
            found = true;
            g_ptr_array_remove_index(core->rules, i);
        }
    }
    let_go_of_rule(core, id);
    for (i = 0; i < 2; i++) {
        let_go_of_lane(core, &core->other[i], id);
        for (at = core->flows.by_use.head; at; at = at->next) {
            let_go_of_lane(core, &((WireFlow *)at->data)->lane[i], id);
        }
    }
    return found;
}

/* Life */

void wire_core_init(WireCore *core, WireEmit *emit_frame, void *opaque,
                    int64_t seed)
{
    unsigned i;

    memset(core, 0, sizeof(*core));
    core->emit = emit_frame;
    core->opaque = opaque;
    core->seed = seed;
    core->rules = g_ptr_array_new_with_free_func(
        (GDestroyNotify)wire_rule_free);
    wire_flows_init(&core->flows, flow_gone, core);
    for (i = 0; i < 2; i++) {
        wire_lane_init(&core->other[i]);
    }
    g_queue_init(&core->timed);
    g_queue_init(&core->held);
    g_queue_init(&core->log);
    core->spans = g_array_new(FALSE, FALSE, sizeof(WireSpan));
    core->passed = g_array_new(FALSE, FALSE, sizeof(WirePassed));
}

void wire_core_clear(WireCore *core)
{
    char *err = NULL;
    unsigned i;

    if (core->capture.file && !wire_capture_end(&core->capture, &err)) {
        g_printerr("mlx5-wire: %s\n", err);
        g_free(err);
    }
    g_free(core->capture.path);
    wire_core_remove_rule(core, 0);
    wire_flows_clear(&core->flows);
    for (i = 0; i < 2; i++) {
        wire_lane_clear(&core->other[i]);
    }
    g_ptr_array_free(core->rules, TRUE);
    g_queue_clear_full(&core->log, g_free);
    g_array_free(core->spans, TRUE);
    g_array_free(core->passed, TRUE);
    memset(core, 0, sizeof(*core));
}

void wire_core_reset(WireCore *core)
{
    unsigned next_rule = core->next_rule;
    FILE *log_file = core->log_file;
    WireCapture capture = core->capture;
    WireEmit *emit_frame = core->emit;
    void *opaque = core->opaque;
    int64_t seed = core->seed;

    core->capture = (WireCapture){ 0 };
    wire_core_clear(core);
    wire_core_init(core, emit_frame, opaque, seed);
    core->next_rule = next_rule;
    core->log_file = log_file;
    core->capture = capture;
}
