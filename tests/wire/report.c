/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output of the wire: log, rules, flows and counters as JSON. See core.h and
 * report.h; docs/wire.md describes each member.
 */
#include "report.h"

#include "json.h"

static void number(GString *out, const char *name, int64_t value)
{
    g_string_append_printf(out, ",\"%s\":%" G_GINT64_FORMAT, name, value);
}

static void number_if(GString *out, const char *name, int64_t value)
{
    if (value != WIRE_NONE) {
        number(out, name, value);
    }
}

static void place_json(GString *out, const WireSubject *s,
                       const WirePlace *place)
{
    const WireRecord *r = place->record;

    number(out, "at", place->at);
    number(out, "stream", (int64_t)place->stream);
    number(out, "sent", place->sent);
    number(out, "seq_at", s->pkt->tcp_seq + place->at +
                          (s->pkt->tcp_flags & MLX5_TCP_SYN ? 1 : 0));
    if (r) {
        number_if(out, "record", r->record);
        number_if(out, "app_record", r->app);
        number(out, "wire_record", r->wire);
        number(out, "type", r->type);
        number(out, "byte", place->byte);
        if (r->len) {
            number(out, "record_len", r->len);
        }
    }
}

void wire_report_hit(WireCore *core, const WireRule *rule, const WireSubject *s,
                     const WirePlace *place)
{
    GString *out = g_string_new(NULL);

    g_string_append_printf(out, "{\"hit\":%" G_GUINT64_FORMAT,
                           core->log_first + core->log.length);
    number(out, "rule", rule->id);
    g_string_append_printf(out, ",\"action\":\"%s\",\"dir\":\"%s\"",
                           wire_action_name(rule->action),
                           wire_dir_name(s->dir));
    number(out, "frame", (int64_t)core->counters[s->dir].frames_in - 1);
    number_if(out, "flow", s->flow);
    number(out, "packet", s->packet);
    number_if(out, "segment", s->segment);
    number(out, "frame_len", s->pkt->len);
    if (s->flow != WIRE_NONE) {
        number(out, "sport", s->pkt->sport);
        number(out, "dport", s->pkt->dport);
        number(out, "seq", s->pkt->tcp_seq);
        number(out, "len", s->len);
        number(out, "flags", s->pkt->tcp_flags);
    }
    if (place->found) {
        place_json(out, s, place);
    }
    g_string_append_c(out, '}');
    if (core->log_file) {
        fprintf(core->log_file, "%s\n", out->str);
    }
    g_queue_push_tail(&core->log, g_string_free(out, FALSE));
    if (core->log.length > WIRE_MAX_LOG) {
        g_free(g_queue_pop_head(&core->log));
        core->log_first++;
    }
}

void wire_core_log_json(const WireCore *core, uint64_t since, unsigned limit,
                        GString *out)
{
    uint64_t next = core->log_first + core->log.length;
    uint64_t first = CLAMP(since, core->log_first, next);
    GList *at = g_queue_peek_nth_link((GQueue *)&core->log,
                                      (guint)(first - core->log_first));
    unsigned n;

    g_string_append_printf(out, "{\"first\":%" G_GUINT64_FORMAT ",\"hits\":[",
                           first);
    for (n = 0; at && n < limit; at = at->next, n++) {
        g_string_append_printf(out, "%s%s", n ? "," : "",
                               (const char *)at->data);
    }
    g_string_append_printf(out, "],\"next\":%" G_GUINT64_FORMAT
                           ",\"more\":%s}", first + n, at ? "true" : "false");
}

void wire_core_rules_json(const WireCore *core, GString *out)
{
    guint i;

    g_string_append_c(out, '[');
    for (i = 0; i < core->rules->len; i++) {
        const WireRule *rule = g_ptr_array_index(core->rules, i);

        g_string_append_printf(out, "%s{\"id\":%u,\"rule\":", i ? "," : "",
                               rule->id);
        wire_json_string(out, rule->text);
        number(out, "matches", (int64_t)rule->limits.matches);
        number(out, "hits", (int64_t)rule->limits.hits);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

/* Appends the current or last record. */
static void lane_json(const WireLane *lane, GString *out)
{
    const WireStream *s = &lane->stream;

    g_string_append_printf(out, "{\"packets\":%" G_GINT64_FORMAT,
                           lane->packets);
    number(out, "segments", lane->segments);
    number(out, "bytes", (int64_t)lane->bytes);
    number(out, "stream", (int64_t)s->high);
    number(out, "again_bytes", (int64_t)s->again_bytes);
    number(out, "wire_records", s->n_wire);
    number(out, "records", s->n_record);
    number(out, "app_records", s->n_app);
    number(out, "lost", s->lost);
    number(out, "hole", (int64_t)(s->high - s->next));
    if (s->placed) {
        number(out, "first_seq", s->base);
        number(out, "next_seq", wire_stream_seq(s, s->high));
    }
    if (s->placed && !s->searching && s->n_wire) {
        number(out, "next_header_seq", wire_stream_seq(s, s->rec_end));
    }
    g_string_append_c(out, '}');
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    int64_t x = (*(const WireFlow *const *)a)->number;
    int64_t y = (*(const WireFlow *const *)b)->number;

    return x < y ? -1 : x > y;
}

void wire_core_flows_json(const WireCore *core, GString *out)
{
    GPtrArray *flows = g_ptr_array_new();
    const GList *at;
    guint i;

    for (at = core->flows.by_use.head; at; at = at->next) {
        g_ptr_array_add(flows, at->data);
    }
    g_ptr_array_sort(flows, by_number);
    g_string_append_c(out, '[');
    for (i = 0; i < flows->len; i++) {
        const WireFlow *flow = g_ptr_array_index(flows, i);
        char *a = wire_flow_end(flow, 0), *b = wire_flow_end(flow, 1);

        g_string_append_printf(out,
                               "%s{\"flow\":%" G_GINT64_FORMAT ",\"a\":\"%s\","
                               "\"b\":\"%s\",\"a_port\":%u,\"b_port\":%u,"
                               "\"a>b\":",
                               i ? "," : "", flow->number, a, b,
                               flow->key.port[0], flow->key.port[1]);
        lane_json(&flow->lane[WIRE_A_TO_B], out);
        g_string_append(out, ",\"b>a\":");
        lane_json(&flow->lane[WIRE_B_TO_A], out);
        g_string_append_c(out, '}');
        g_free(a);
        g_free(b);
    }
    g_string_append_c(out, ']');
    g_ptr_array_free(flows, TRUE);
}

void wire_core_stats_json(const WireCore *core, GString *out)
{
    unsigned i;

    g_string_append_c(out, '{');
    for (i = 0; i < 2; i++) {
        const WireCounters *c = &core->counters[i];
        const char *comma = "";

        g_string_append_printf(out, "\"%s\":{", wire_dir_name((WireDir)i));
#define WIRE_COUNTER_JSON(field, name)                                         \
        g_string_append_printf(out, "%s\"%s\":%" G_GUINT64_FORMAT, comma,      \
                               name, c->field);                                \
        comma = ",";
        WIRE_COUNTERS(WIRE_COUNTER_JSON)
#undef WIRE_COUNTER_JSON
        g_string_append(out, "},");
    }
    g_string_append_printf(
        out,
        "\"flows\":%u,\"rules\":%u,\"waiting\":%u,\"hits\":%" G_GUINT64_FORMAT
        "}",
        core->flows.by_use.length, core->rules->len, core->n_waiting,
        core->log_first + core->log.length);
}
