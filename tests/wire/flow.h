/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The TCP connections that pass the wire, numbered in order of appearance.
 *
 * Responsible for finding the flow of a packet, for a new flow when a 4-tuple
 * is used again, and for a bound on how many are kept. Owns the flows, each
 * with two lanes (directions). Called by core.c.
 */
#ifndef TESTS_WIRE_FLOW_H
#define TESTS_WIRE_FLOW_H

#include "rule.h"

/* Flows kept; beyond that the one that has been silent longest is forgotten. */
#define WIRE_MAX_FLOWS 16384

/* One direction of a flow, or all other traffic of a direction. */
typedef struct WireLane {
    WireStream stream;
    int64_t packets;        /* so far */
    int64_t segments;       /* of them with payload */
    uint64_t bytes;         /* of payload */
    GQueue waiting;    /* of core.c's frames: delayed, held, copies to come */
} WireLane;

typedef struct WireKey {
    uint8_t ip[2][16];      /* of the ends, by the side they are on */
    uint16_t port[2];
    uint8_t family;         /* 4 or 6 */
} WireKey;

typedef struct WireFlow {
    WireKey key;
    int64_t number;
    GList link;             /* in WireFlows.by_use */
    WireLane lane[2];       /* by WireDir */
} WireFlow;

/*
 * A flow is about to be freed; what waits in its lanes is the callee's to take.
 */
typedef void WireFlowGone(WireFlow *flow, void *opaque);

typedef struct WireFlows {
    GHashTable *by_key;
    GQueue by_use;          /* the one used last first */
    int64_t next_number;
    WireFlowGone *gone;
    void *opaque;
} WireFlows;

void wire_flows_init(WireFlows *f, WireFlowGone *gone, void *opaque);
void wire_flows_clear(WireFlows *f);

/*
 * The flow of a TCP packet, made if need be. A SYN with another sequence number
 * than the one that is known begins a new flow.
 */
WireFlow *wire_flows_get(WireFlows *f, WireDir dir, const Mlx5Packet *pkt,
                         const uint8_t *frame);

/* "[fd00::1]:443" of the end at side `side` (0 is A). Free with g_free(). */
char *wire_flow_end(const WireFlow *flow, unsigned side);

void wire_lane_init(WireLane *lane);
void wire_lane_clear(WireLane *lane);

#endif
