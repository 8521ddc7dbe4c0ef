/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP connections on the wire, numbered in order of appearance.
 *
 * Responsible for finding the flow of a packet, starting a new flow when a
 * 4-tuple is reused, and limiting the number of flows. Owns the flows, each
 * with two lanes (directions). Called by core.c.
 */
#ifndef TESTS_WIRE_FLOW_H
#define TESTS_WIRE_FLOW_H

#include "rule.h"

/* Maximum number of flows; beyond it the least recently used one is dropped. */
#define WIRE_MAX_FLOWS 16384

/* One direction of a flow, or all non-TCP traffic in a direction. */
typedef struct WireLane {
    WireStream stream;
    int64_t packets;        /* so far */
    int64_t segments;       /* of them with payload */
    uint64_t bytes;         /* of payload */
    GQueue waiting;    /* frames of core.c: delayed, held, pending copies */
} WireLane;

typedef struct WireKey {
    uint8_t ip[2][16];      /* of the ends, by side */
    uint16_t port[2];
    uint8_t family;         /* 4 or 6 */
} WireKey;

typedef struct WireFlow {
    WireKey key;
    int64_t number;
    GList link;             /* in WireFlows.by_use */
    WireLane lane[2];       /* by WireDir */
} WireFlow;

/* Called before a flow is freed; must take the waiting frames of its lanes. */
typedef void WireFlowGone(WireFlow *flow, void *opaque);

typedef struct WireFlows {
    GHashTable *by_key;
    GQueue by_use;          /* most recently used first */
    int64_t next_number;
    WireFlowGone *gone;
    void *opaque;
} WireFlows;

void wire_flows_init(WireFlows *f, WireFlowGone *gone, void *opaque);
void wire_flows_clear(WireFlows *f);

/*
 * Returns the flow of a TCP packet, created if necessary. A SYN with a new
 * sequence number starts a new flow.
 */
WireFlow *wire_flows_get(WireFlows *f, WireDir dir, const Mlx5Packet *pkt,
                         const uint8_t *frame);

/*
 * Returns "[fd00::1]:443" for the end at side `side` (0 is A). Free with
 * g_free().
 */
char *wire_flow_end(const WireFlow *flow, unsigned side);

void wire_lane_init(WireLane *lane);
void wire_lane_clear(WireLane *lane);

#endif
