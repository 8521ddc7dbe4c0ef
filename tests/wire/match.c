/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Matching of rules and packets, and the position of the match; see rule.h. No
 * state except the rule's own counters.
 */
#include "rule.h"

#include <string.h>

/* As mlx5_rule_has(), for a number that may be relative to `base`. */
static bool in_set_from(const Mlx5RuleSet *set, int64_t value, int64_t base)
{
    if (set->n && value == WIRE_NONE) {
        return false;
    }
    if (set->relative) {
        value -= base;
        if (value < 0) {
            return false;
        }
    }
    return mlx5_rule_has(set, value);
}

static bool in_port_set(const WireRule *rule, const Mlx5Packet *pkt)
{
    bool ports = pkt->l4_type == MLX5_L4_TCP || pkt->l4_type == MLX5_L4_UDP;

    if (!ports) {
        return !rule->port.n && !rule->sport.n && !rule->dport.n;
    }
    return mlx5_rule_has(&rule->sport, pkt->sport) &&
           mlx5_rule_has(&rule->dport, pkt->dport) &&
           (mlx5_rule_has(&rule->port, pkt->sport) ||
            mlx5_rule_has(&rule->port, pkt->dport));
}

/* The words of proto=, in the order of rule.c. */
enum { PROTO_ANY, PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_OTHER };

static int64_t proto_of(const Mlx5Packet *pkt)
{
    if (pkt->l3_type == MLX5_L3_NONE) {
        return PROTO_OTHER;
    }
    switch (pkt->ip_proto) {
    case MLX5_IPPROTO_TCP:
        return PROTO_TCP;
    case MLX5_IPPROTO_UDP:
        return PROTO_UDP;
    case 1:
    case 58:
        return PROTO_ICMP;
    default:
        return PROTO_OTHER;
    }
}

/* Checks the conditions that depend only on headers. */
static bool headers_match(const WireRule *rule, const WireSubject *s,
                          const WireBase *base)
{
    const Mlx5Packet *pkt = s->pkt;
    bool tcp = pkt->l4_type == MLX5_L4_TCP;

    if (rule->dir != WIRE_BOTH && rule->dir != s->dir) {
        return false;
    }
    if ((rule->flags.on || rule->flags.off) &&
        (!tcp || (pkt->tcp_flags & rule->flags.on) != rule->flags.on ||
         pkt->tcp_flags & rule->flags.off)) {
        return false;
    }
    if ((rule->ip == 1 && pkt->l3_type != MLX5_L3_IPV4) ||
        (rule->ip == 2 && pkt->l3_type != MLX5_L3_IPV6) ||
        (rule->proto != PROTO_ANY && rule->proto != proto_of(pkt))) {
        return false;
    }
    if (rule->vlan.n &&
        (!pkt->n_vlan ||
         !mlx5_rule_has(&rule->vlan, pkt->vlan_tci[0] & 0xfff))) {
        return false;
    }
    if (rule->len.n && (pkt->l4_type == MLX5_L4_NONE ||
                        !mlx5_rule_has(&rule->len, pkt->payload_len))) {
        return false;
    }
    return in_port_set(rule, pkt) &&
           (!rule->flow.n ||
            (s->flow != WIRE_NONE && mlx5_rule_has(&rule->flow, s->flow))) &&
           in_set_from(&rule->packet, s->packet, base->packet) &&
           in_set_from(&rule->segment, s->segment, base->segment);
}

/* A half-open interval of stream offsets; empty when from >= to. */
typedef struct Interval {
    uint64_t from;
    uint64_t to;
} Interval;

static Interval meet(Interval a, Interval b)
{
    return (Interval){ MAX(a.from, b.from), MIN(a.to, b.to) };
}

static void take(const WireSubject *s, const WireSpan *span, Interval i,
                 uint32_t sent, WirePlace *place)
{
    uint32_t at = s->cut + (uint32_t)(i.from - s->start);

    if (place->n_cuts < WIRE_MAX_CUTS) {
        place->cut[place->n_cuts++] = at;
    }
    if (place->found && at >= place->at) {
        return;
    }
    place->found = true;
    place->at = at;
    place->stream = i.from;
    place->record = span->record;
    place->byte = span->record ? (uint32_t)(i.from - span->record->start) : 0;
    place->sent = sent;
}

/* Finds the bytes of `i` that have been sent as often as the rule requires. */
static void take_sent(const WireRule *rule, const WireSubject *s,
                      const WireSpan *span, Interval i, WirePlace *place)
{
    guint n;

    for (n = 0; n < s->passed->len; n++) {
        const WirePassed *p = &g_array_index(s->passed, WirePassed, n);
        Interval j = meet(i, (Interval){ p->start, p->end });

        if (j.from < j.to && mlx5_rule_has(&rule->sent, p->count)) {
            take(s, span, j, p->count, place);
        }
    }
}

static void take_stream(const WireRule *rule, const WireSubject *s,
                        const WireSpan *span, Interval i, const WireBase *base,
                        WirePlace *place)
{
    uint64_t shift = rule->stream.relative ? (uint64_t)base->stream : 0;
    unsigned n;

    if (i.from >= i.to) {
        return;
    }
    if (!rule->stream.n) {
        take_sent(rule, s, span, i, place);
    }
    for (n = 0; n < rule->stream.n; n++) {
        const Mlx5RuleRange *r = &rule->stream.range[n];
        Interval j = { (uint64_t)r->lo + shift,
                       r->hi == INT64_MAX ? UINT64_MAX :
                                            (uint64_t)r->hi + 1 + shift };

        j = meet(i, j);
        if (j.from < j.to) {
            take_sent(rule, s, span, j, place);
        }
    }
}

/*
 * Converts lo..hi of the rule to stream offsets; empty if the record's end is
 * not known yet.
 */
static Interval bytes_of(const Mlx5RuleRange *range, const WireRecord *r)
{
    int64_t lo = range->lo, hi = range->hi;
    Interval none = { 0, 0 };

    if (lo < 0 || hi < 0) {
        if (!r->len) {
            return none;
        }
        lo += lo < 0 ? r->len : 0;
        hi += hi < 0 ? r->len : 0;
    }
    /* there are no bytes before the record's first */
    lo = MAX(lo, 0);
    if (hi < lo) {
        return none;
    }
    return (Interval){ r->start + (uint64_t)lo,
                       hi == INT64_MAX ? UINT64_MAX :
                                         r->start + (uint64_t)hi + 1 };
}

static void take_span(const WireRule *rule, const WireSubject *s,
                      const WireSpan *span, const WireBase *base,
                      WirePlace *place)
{
    bool about_records = rule->record.n || rule->app_record.n ||
                         rule->wire_record.n || rule->byte.n || rule->types;
    Interval whole = { span->start, span->end };
    const WireRecord *r = span->record;
    unsigned n;

    if (about_records) {
        if (!r || !in_set_from(&rule->record, r->record, base->record) ||
            !in_set_from(&rule->app_record, r->app, base->app) ||
            !in_set_from(&rule->wire_record, r->wire, base->wire) ||
            (rule->types && !(rule->types >> r->type & 1))) {
            return;
        }
    }
    if (!rule->byte.n) {
        take_stream(rule, s, span, whole, base, place);
    }
    for (n = 0; n < rule->byte.n; n++) {
        take_stream(rule, s, span,
                    meet(whole, bytes_of(&rule->byte.range[n], r)), base,
                    place);
    }
}

static int compare_cuts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* Returns the number of records of which the packet has header bytes. */
static int64_t count_headers(const WireSubject *s)
{
    int64_t count = 0;
    guint i;

    for (i = 0; i < s->spans->len; i++) {
        const WireSpan *span = &g_array_index(s->spans, WireSpan, i);

        count += span->record && span->at < WIRE_TLS_HEADER;
    }
    return count;
}

static bool needs_payload(const WireRule *rule)
{
    return rule->record.n || rule->app_record.n || rule->wire_record.n ||
           rule->types || rule->byte.n || rule->stream.n || rule->sent.n ||
           rule->headers.n || rule->action == WIRE_CORRUPT ||
           rule->action == WIRE_TRUNCATE || rule->action == WIRE_SPLIT;
}

bool wire_rule_matches(const WireRule *rule, const WireSubject *s,
                       WirePlace *place)
{
    static const WireBase zero;
    const WireBase *base = g_hash_table_lookup(rule->bases, s->lane);
    guint i;

    base = base ? base : &zero;
    memset(place, 0, sizeof(*place));
    if (!headers_match(rule, s, base)) {
        return false;
    }
    if (!s->stream) {
        return !needs_payload(rule);
    }
    if (rule->headers.n && !mlx5_rule_has(&rule->headers, count_headers(s))) {
        return false;
    }
    for (i = 0; i < s->spans->len; i++) {
        take_span(rule, s, &g_array_index(s->spans, WireSpan, i), base, place);
    }
    qsort(place->cut, place->n_cuts, sizeof(place->cut[0]), compare_cuts);
    return place->found || !needs_payload(rule);
}

static bool draw(const WireRule *rule, const WireSubject *s)
{
    uint64_t x = mlx5_rule_mix((uint64_t)rule->limits.seed);

    x = mlx5_rule_mix(x ^ (uint64_t)s->dir ^ (uint64_t)rule->action << 8);
    x = mlx5_rule_mix(x ^ (uint64_t)s->flow);
    x = mlx5_rule_mix(x ^ (uint64_t)s->packet);
    return mlx5_rule_draw(&rule->limits, x);
}

bool wire_rule_applies(WireRule *rule, const WireSubject *s)
{
    return (rule->limits.p >= 1 || draw(rule, s)) &&
           mlx5_rule_take(&rule->limits);
}
