/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Flow steering: from a packet to its TIRs, see steering.h.
 */
#include <string.h>

#include "steering_priv.h"

enum {
    /* Destinations waiting: more than a well-formed set of rules can pile up. */
    LOOKUP_STACK = MLX5_STEERING_MAX_VISITS + MLX5_STEERING_MAX_FTE_DESTS,
};

void mlx5_steering_match_image(const Mlx5Packet *pkt, const uint8_t *frame,
                               uint8_t image[MLX5_FTE_MATCH_OUTER_LEN])
{
    uint16_t flags = 0;

    memset(image, 0, MLX5_FTE_MATCH_OUTER_LEN);
    if (!pkt->l2_len) {
        return;
    }
    memcpy(image + M_DMAC, frame, MLX5_ETH_ALEN);
    memcpy(image + M_SMAC, frame + MLX5_ETH_ALEN, MLX5_ETH_ALEN);
    mlx5_put_be16(image + M_ETHERTYPE, pkt->ethertype);
    if (pkt->n_vlan) {
        mlx5_put_be16(image + M_FIRST_TCI, pkt->vlan_tci[0]);
        flags |= pkt->vlan_tpid[0] == MLX5_ETH_P_8021Q ? M_FLAG_CVLAN : M_FLAG_SVLAN;
    }
    if (pkt->l3_type != MLX5_L3_NONE) {
        const uint8_t *ip = frame + pkt->l3_off;
        bool v4 = pkt->l3_type == MLX5_L3_IPV4;
        size_t alen = v4 ? 4 : 16;

        image[M_IP_PROTOCOL] = pkt->ip_proto;
        image[M_DSCP_ECN] = v4 ? ip[1] : (uint8_t)(mlx5_get_be16(ip) >> 4);
        image[M_TTL_HOPLIMIT] = v4 ? ip[8] : ip[7];
        if (v4) {
            image[M_IPV4_IHL] = (uint8_t)(ip[0] << 4);
        }
        memcpy(image + M_SRC_IP + 16 - alen, frame + pkt->src_ip_off, alen);
        memcpy(image + M_DST_IP + 16 - alen, frame + pkt->dst_ip_off, alen);
        flags |= (v4 ? 4 : 6) << M_IP_VERSION_SHIFT;
        flags |= pkt->is_frag ? M_FLAG_FRAG : 0;
    }
    switch (pkt->l4_type) {
    case MLX5_L4_TCP:
        flags |= pkt->tcp_flags;
        mlx5_put_be16(image + M_TCP_SPORT, pkt->sport);
        mlx5_put_be16(image + M_TCP_DPORT, pkt->dport);
        image[M_L4_TYPE] = MLX5_L4_TCP << 6;
        break;
    case MLX5_L4_UDP:
        mlx5_put_be16(image + M_UDP_SPORT, pkt->sport);
        mlx5_put_be16(image + M_UDP_DPORT, pkt->dport);
        image[M_L4_TYPE] = MLX5_L4_UDP << 6;
        break;
    default:
        break;
    }
    mlx5_put_be16(image + M_FLAGS, flags);
}

/* The winner of a table, NULL for a miss. */
static const Fte *match_table(const Table *t, const Key *image)
{
    guint i;

    for (i = 0; i < t->groups->len; i++) {
        const Group *g = g_ptr_array_index(t->groups, i);
        const Fte *fte;
        Key key;

        if (!g->by_value) {
            continue;
        }
        key_and(&key, image, &g->mask);
        fte = g_hash_table_lookup(g->by_value, &key);
        if (fte) {
            return fte;
        }
    }
    return NULL;
}

static void add_counters(Mlx5SteeringResult *out, const Fte *fte)
{
    uint32_t i;

    if (!(fte->action & MLX5_FLOW_CONTEXT_ACTION_COUNT)) {
        return;
    }
    for (i = 0; i < fte->n_counters; i++) {
        if (out->n_counters == MLX5_STEERING_MAX_COUNTERS) {
            out->cut = true;
            return;
        }
        out->counter[out->n_counters++] = fte->counter[i];
    }
}

/* A destination still to be gone to, and the entry that named it. */
typedef struct Pending {
    Mlx5FlowDestination dest;
    uint32_t table;
    uint32_t flow_index;
    uint32_t flow_tag;
} Pending;

/* A way ends here without a TIR. */
static void end_way(Mlx5SteeringResult *out, Mlx5SteeringVerdict why, uint32_t table,
                    uint32_t index)
{
    if (!out->n_tirs) {
        out->verdict = why;
        out->last_table = table;
        out->last_index = index;
    }
}

/*
 * Follow one way from a table until it ends, or until an entry branches into
 * destinations: these are put on the stack, last first, and the new depth of the
 * stack is returned.
 */
static unsigned walk(const Mlx5Steering *s, const Key *image, const Table *t,
                     Pending *stack, unsigned depth, Mlx5SteeringResult *out)
{
    for (;;) {
        const Fte *fte;
        uint32_t i;

        if (out->visits == MLX5_STEERING_MAX_VISITS) {
            out->cut = true;
            end_way(out, MLX5_STEERING_DROP_LOOP, t->id, UINT32_MAX);
            return depth;
        }
        out->visits++;
        fte = match_table(t, image);
        if (!fte) {
            if (t->attr.table_miss_action != MLX5_FLOW_TABLE_MISS_ACTION_FWD) {
                end_way(out, MLX5_STEERING_DROP_MISS, t->id, UINT32_MAX);
                return depth;
            }
            t = find_table(s, t->attr.table_miss_id);
            continue;
        }
        add_counters(out, fte);
        if (!(fte->action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST) || !fte->n_dests) {
            end_way(out, MLX5_STEERING_DROP_RULE, t->id, fte->flow_index);
            return depth;
        }
        if (fte->n_dests == 1 && fte->dest[0].type != MLX5_FLOW_DESTINATION_TYPE_TIR) {
            t = find_table(s, fte->dest[0].id);
            continue;
        }
        if (fte->n_dests > LOOKUP_STACK - depth) {
            out->cut = true;
            end_way(out, MLX5_STEERING_DROP_LOOP, t->id, fte->flow_index);
            return depth;
        }
        for (i = fte->n_dests; i-- > 0; depth++) {
            stack[depth].dest = fte->dest[i];
            stack[depth].table = t->id;
            stack[depth].flow_index = fte->flow_index;
            stack[depth].flow_tag = fte->flow_tag;
        }
        return depth;
    }
}

void mlx5_steering_lookup(const Mlx5Steering *s, const Mlx5Packet *pkt,
                          const uint8_t *frame, Mlx5SteeringResult *out)
{
    uint8_t bytes[MLX5_FTE_MATCH_OUTER_LEN];
    Pending stack[LOOKUP_STACK];
    unsigned depth;
    Key image;

    out->verdict = MLX5_STEERING_DROP_NO_ROOT;
    out->cut = false;
    out->visits = 0;
    out->last_table = 0;
    out->last_index = UINT32_MAX;
    out->n_tirs = 0;
    out->n_counters = 0;
    if (!s->root) {
        return;
    }
    mlx5_steering_match_image(pkt, frame, bytes);
    memcpy(&image, bytes, sizeof(image));

    depth = walk(s, &image, s->root, stack, 0, out);
    while (depth) {
        const Pending *p = &stack[--depth];

        if (p->dest.type != MLX5_FLOW_DESTINATION_TYPE_TIR) {
            depth = walk(s, &image, find_table(s, p->dest.id), stack, depth, out);
        } else if (out->n_tirs == MLX5_STEERING_MAX_TIRS) {
            out->cut = true;
        } else {
            if (!out->n_tirs) {
                out->verdict = MLX5_STEERING_DELIVER;
                out->last_table = p->table;
                out->last_index = p->flow_index;
            }
            out->tir[out->n_tirs].tirn = p->dest.id;
            out->tir[out->n_tirs].flow_tag = p->flow_tag;
            out->n_tirs++;
        }
    }
}
