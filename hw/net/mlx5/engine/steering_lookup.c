/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow steering: lookup of a packet's TIRs, see steering.h. */
#include <string.h>

#include "scratch.h"
#include "steering_priv.h"

/* Layer 2 of an image; a tunnel may carry IP without one. */
static uint16_t image_l2(const Mlx5Packet *pkt, const uint8_t *frame,
                         uint8_t *image)
{
    mlx5_put_be16(image + M_ETHERTYPE, pkt->ethertype);
    if (!pkt->l2_len) {
        return 0;
    }
    memcpy(image + M_DMAC, frame + pkt->l2_off, MLX5_ETH_ALEN);
    memcpy(image + M_SMAC, frame + pkt->l2_off + MLX5_ETH_ALEN, MLX5_ETH_ALEN);
    if (!pkt->n_vlan) {
        return 0;
    }
    mlx5_put_be16(image + M_FIRST_TCI, pkt->vlan_tci[0]);
    return pkt->vlan_tpid[0] == MLX5_ETH_P_8021Q ? M_FLAG_CVLAN : M_FLAG_SVLAN;
}

void mlx5_steering_match_image(const Mlx5Packet *pkt, const uint8_t *frame,
                               uint8_t image[MLX5_FTE_MATCH_OUTER_LEN])
{
    uint16_t flags;

    memset(image, 0, MLX5_FTE_MATCH_OUTER_LEN);
    flags = image_l2(pkt, frame, image);
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

/* State of a search in a group's tree for the first entry of a value. */
typedef struct Search {
    const Key *key;
    const Key *inner;           /* in a group that has_inner */
    const Fte *first;
    uint32_t compares;
} Search;

static gint search_value(gconstpointer node, gconstpointer opaque)
{
    const Fte *fte = node;
    Search *search = (Search *)opaque;
    int c = key_cmp(search->key, &fte->key);

    search->compares++;
    if (!c && search->inner) {
        c = key_cmp(search->inner, &fte->inner[0]);
    }
    if (!c) {
        search->first = fte;
        return -1;      /* continue with lower indices */
    }
    return c;
}

/*
 * The packet that is looked up, as far as it is the same on all ways. Most ways
 * ask for no inner headers, so their image is made when a group does.
 */
typedef struct Looked {
    const Mlx5Packet *inner;    /* NULL: there is none */
    const uint8_t *frame;
    bool inner_made;
    Key inner_image;
} Looked;

/* The image of the inner headers under the group's mask. */
static void inner_key(Looked *looked, const Group *g, Key *key)
{
    if (!looked->inner_made) {
        uint8_t bytes[MLX5_FTE_MATCH_OUTER_LEN] = { 0 };

        if (looked->inner) {
            mlx5_steering_match_image(looked->inner, looked->frame, bytes);
        }
        memcpy(&looked->inner_image, bytes, sizeof(looked->inner_image));
        looked->inner_made = true;
    }
    key_and(key, &looked->inner_image, &g->inner_mask[0]);
}

/*
 * The winner of a table, NULL for a miss. False: the packet's probes are used
 * up before it is known.
 */
static bool match_table(const Table *t, const Key *image, Looked *looked,
                        const Fte **winner, Mlx5SteeringResult *out)
{
    guint i;

    *winner = NULL;
    for (i = 0; i < t->filled->len; i++) {
        const Group *g = g_ptr_array_index(t->filled, i);
        Search search = { 0 };
        MLX5_SCRATCH Key key;
        MLX5_SCRATCH Key inner;

        if (out->probes == MLX5_STEERING_MAX_PROBES) {
            return false;
        }
        out->probes++;
        key_and(&key, image, &g->mask);
        search.key = &key;
        if (g->has_inner) {
            inner_key(looked, g, &inner);
            search.inner = &inner;
        }
        g_tree_search(g->by_value, search_value, &search);
        out->compares += search.compares;
        if (search.first) {
            *winner = search.first;
            break;
        }
    }
    return true;
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

/* An entry whose destinations are being processed. */
typedef struct Branch {
    const Fte *fte;
    uint32_t next;
    WayState st;                /* of the packet after this entry */
} Branch;

/* Ends a path without a TIR. */
static void end_way(Mlx5SteeringResult *out, Mlx5SteeringVerdict why,
                    uint32_t table, uint32_t index)
{
    if (!out->n_tirs) {
        out->verdict = why;
        out->last_table = table;
        out->last_index = index;
    }
}

/* Drops a packet that costs too much. */
static void drop_costly(Mlx5SteeringResult *out, uint32_t table)
{
    out->verdict = MLX5_STEERING_DROP_PROBES;
    out->cut = true;
    out->last_table = table;
    out->last_index = UINT32_MAX;
    out->n_tirs = 0;
}

/*
 * Follows a path from a table. Returns NULL if it ends, or the first entry that
 * names a TIR or several destinations.
 */
static const Fte *walk(const Mlx5Steering *s, WayState *st, Looked *looked,
                       uint32_t table_id, Mlx5SteeringResult *out)
{
    for (;;) {
        const Table *t = find_table(s, table_id);
        const Fte *fte;

        if (out->visits == MLX5_STEERING_MAX_VISITS) {
            out->cut = true;
            end_way(out, MLX5_STEERING_DROP_LOOP, table_id, UINT32_MAX);
            return NULL;
        }
        out->visits++;
        if (!match_table(t, &st->image, looked, &fte, out)) {
            drop_costly(out, table_id);
            return NULL;
        }
        if (!fte) {
            if (t->attr.table_miss_action != MLX5_FLOW_TABLE_MISS_ACTION_FWD) {
                end_way(out, MLX5_STEERING_DROP_MISS, table_id, UINT32_MAX);
                return NULL;
            }
            table_id = t->attr.table_miss_id;
            continue;
        }
        add_counters(out, fte);
        if (fte->modify) {
            modify_apply(fte->modify, st);
        }
        if (!(fte->action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST) ||
            !fte->n_dests) {
            end_way(out, MLX5_STEERING_DROP_RULE, table_id, fte->flow_index);
            return NULL;
        }
        if (fte->n_dests > 1 ||
            fte->dest[0].type == MLX5_FLOW_DESTINATION_TYPE_TIR) {
            return fte;
        }
        table_id = fte->dest[0].id;
    }
}

static void add_tir(Mlx5SteeringResult *out, const Branch *branch,
                    uint32_t tirn)
{
    const Fte *fte = branch->fte;
    Mlx5SteeringTir *tir;

    if (out->n_tirs == MLX5_STEERING_MAX_TIRS) {
        out->cut = true;
        return;
    }
    if (!out->n_tirs) {
        out->verdict = MLX5_STEERING_DELIVER;
        out->last_table = fte->group->table->id;
        out->last_index = fte->flow_index;
    }
    tir = &out->tir[out->n_tirs++];
    tir->tirn = tirn;
    tir->flow_tag = fte->flow_tag;
    tir->metadata = mlx5_get_be32(branch->st.reg_b);
    tir->rewritten = branch->st.rewritten;
    if (tir->rewritten) {
        memcpy(tir->image, &branch->st.image, sizeof(tir->image));
    }
}

void mlx5_steering_lookup_inner(const Mlx5Steering *s, const Mlx5Packet *pkt,
                                const Mlx5Packet *inner, const uint8_t *frame,
                                Mlx5SteeringResult *out)
{
    uint8_t bytes[MLX5_FTE_MATCH_OUTER_LEN];
    /* A visit opens at most one branch. */
    MLX5_SCRATCH Branch branch[MLX5_STEERING_MAX_VISITS];
    MLX5_SCRATCH Looked looked;
    WayState st = { 0 };
    unsigned depth = 0;
    const Fte *fte;

    out->verdict = MLX5_STEERING_DROP_NO_ROOT;
    out->cut = false;
    out->visits = 0;
    out->probes = 0;
    out->compares = 0;
    out->last_table = 0;
    out->last_index = UINT32_MAX;
    out->n_tirs = 0;
    out->n_counters = 0;
    if (!s->root) {
        return;
    }
    mlx5_steering_match_image(pkt, frame, bytes);
    memcpy(&st.image, bytes, sizeof(st.image));
    looked.inner = inner;
    looked.frame = frame;
    looked.inner_made = false;

    fte = walk(s, &st, &looked, s->root->id, out);
    for (;;) {
        const Mlx5FlowDestination *dest;

        if (fte) {
            branch[depth].fte = fte;
            branch[depth].next = 0;
            branch[depth].st = st;
            depth++;
            fte = NULL;
        }
        while (depth &&
               branch[depth - 1].next == branch[depth - 1].fte->n_dests) {
            depth--;
        }
        if (!depth || out->verdict == MLX5_STEERING_DROP_PROBES) {
            return;
        }
        dest = &branch[depth - 1].fte->dest[branch[depth - 1].next++];
        if (dest->type == MLX5_FLOW_DESTINATION_TYPE_TIR) {
            add_tir(out, &branch[depth - 1], dest->id);
        } else {
            st = branch[depth - 1].st;
            fte = walk(s, &st, &looked, dest->id, out);
        }
    }
}

void mlx5_steering_lookup(const Mlx5Steering *s, const Mlx5Packet *pkt,
                          const uint8_t *frame, Mlx5SteeringResult *out)
{
    mlx5_steering_lookup_inner(s, pkt, NULL, frame, out);
}
