/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The TCP connections on the wire; see flow.h. */
#include "flow.h"

#include <arpa/inet.h>
#include <string.h>

static guint hash_key(gconstpointer p)
{
    const uint8_t *bytes = p;
    guint hash = 2166136261u;       /* FNV-1a */
    size_t i;

    for (i = 0; i < sizeof(WireKey); i++) {
        hash = (hash ^ bytes[i]) * 16777619u;
    }
    return hash;
}

static gboolean equal_keys(gconstpointer a, gconstpointer b)
{
    return !memcmp(a, b, sizeof(WireKey));
}

void wire_lane_init(WireLane *lane)
{
    memset(lane, 0, sizeof(*lane));
    wire_stream_init(&lane->stream);
    g_queue_init(&lane->waiting);
}

void wire_lane_clear(WireLane *lane)
{
    g_assert(g_queue_is_empty(&lane->waiting));
    wire_stream_clear(&lane->stream);
}

void wire_flows_init(WireFlows *f, WireFlowGone *gone, void *opaque)
{
    f->by_key = g_hash_table_new(hash_key, equal_keys);
    g_queue_init(&f->by_use);
    f->next_number = 0;
    f->gone = gone;
    f->opaque = opaque;
}

static void remove_flow(WireFlows *f, WireFlow *flow)
{
    unsigned i;

    g_hash_table_remove(f->by_key, &flow->key);
    g_queue_unlink(&f->by_use, &flow->link);
    f->gone(flow, f->opaque);
    for (i = 0; i < 2; i++) {
        wire_lane_clear(&flow->lane[i]);
    }
    g_free(flow);
}

void wire_flows_clear(WireFlows *f)
{
    while (f->by_use.tail) {
        remove_flow(f, f->by_use.tail->data);
    }
    g_hash_table_destroy(f->by_key);
    f->by_key = NULL;
}

static WireFlow *new_flow(WireFlows *f, const WireKey *key)
{
    WireFlow *flow = g_new0(WireFlow, 1);
    unsigned i;

    if (f->by_use.length >= WIRE_MAX_FLOWS) {
        remove_flow(f, f->by_use.tail->data);
    }
    flow->key = *key;
    flow->number = f->next_number++;
    flow->link.data = flow;
    for (i = 0; i < 2; i++) {
        wire_lane_init(&flow->lane[i]);
    }
    g_hash_table_insert(f->by_key, &flow->key, flow);
    g_queue_push_head_link(&f->by_use, &flow->link);
    return flow;
}

WireFlow *wire_flows_get(WireFlows *f, WireDir dir, const Mlx5Packet *pkt,
                         const uint8_t *frame)
{
    unsigned len = pkt->l3_type == MLX5_L3_IPV4 ? 4 : 16;
    unsigned src = dir == WIRE_A_TO_B ? 0 : 1;
    bool syn = pkt->tcp_flags & MLX5_TCP_SYN;
    WireStream *stream;
    WireFlow *flow;
    WireKey key;

    memset(&key, 0, sizeof(key));
    memcpy(key.ip[src], frame + pkt->src_ip_off, len);
    memcpy(key.ip[!src], frame + pkt->dst_ip_off, len);
    key.port[src] = pkt->sport;
    key.port[!src] = pkt->dport;
    key.family = pkt->l3_type == MLX5_L3_IPV4 ? 4 : 6;
    flow = g_hash_table_lookup(f->by_key, &key);
    if (flow && syn && !(pkt->tcp_flags & MLX5_TCP_ACK)) {
        stream = &flow->lane[dir].stream;
        if (stream->placed && stream->base != pkt->tcp_seq + 1) {
            remove_flow(f, flow);
            flow = NULL;
        }
    }
    if (!flow) {
        flow = new_flow(f, &key);
    } else if (f->by_use.head != &flow->link) {
        g_queue_unlink(&f->by_use, &flow->link);
        g_queue_push_head_link(&f->by_use, &flow->link);
    }
    if (syn) {
        wire_stream_syn(&flow->lane[dir].stream, pkt->tcp_seq);
    }
    return flow;
}

char *wire_flow_end(const WireFlow *flow, unsigned side)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool v4 = flow->key.family == 4;

    inet_ntop(v4 ? AF_INET : AF_INET6, flow->key.ip[side], text, sizeof(text));
    return g_strdup_printf(v4 ? "%s:%u" : "[%s]:%u", text,
                           flow->key.port[side]);
}
