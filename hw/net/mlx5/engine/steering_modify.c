/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow steering: modify header contexts, see steering_modify.h.
 */
#include <glib.h>
#include <string.h>

#include "hw/net/mlx5/prm_flow.h"
#include "steering_priv.h"

/* What a packet must have for a field to exist. */
typedef enum Has {
    HAS_NOTHING,                /* nothing: in every packet */
    HAS_VLAN,
    HAS_IPV4,
    HAS_IPV6,
    HAS_IP,
    HAS_TCP,
    HAS_UDP,
} Has;

/* Position of a field: bit offset in WayState, which starts with the image. */
typedef struct Field {
    uint16_t id;
    uint16_t bit;
    uint8_t width;
    Has has;
} Field;

#define AT(byte) ((byte) * 8)
#define REG_B_BIT AT(offsetof(WayState, reg_b))

static const Field fields[] = {
    { MLX5_MODIFY_OUT_SMAC_47_16, AT(M_SMAC), 32, HAS_NOTHING },
    { MLX5_MODIFY_OUT_SMAC_15_0, AT(M_SMAC + 4), 16, HAS_NOTHING },
    { MLX5_MODIFY_OUT_ETHERTYPE, AT(M_ETHERTYPE), 16, HAS_NOTHING },
    { MLX5_MODIFY_OUT_DMAC_47_16, AT(M_DMAC), 32, HAS_NOTHING },
    { MLX5_MODIFY_OUT_DMAC_15_0, AT(M_DMAC + 4), 16, HAS_NOTHING },
    { MLX5_MODIFY_OUT_FIRST_VID, AT(M_FIRST_TCI) + 4, 12, HAS_VLAN },
    { MLX5_MODIFY_OUT_IP_DSCP, AT(M_DSCP_ECN), 6, HAS_IP },
    { MLX5_MODIFY_OUT_IP_TTL, AT(M_TTL_HOPLIMIT), 8, HAS_IPV4 },
    { MLX5_MODIFY_OUT_IPV6_HOPLIMIT, AT(M_TTL_HOPLIMIT), 8, HAS_IPV6 },
    { MLX5_MODIFY_OUT_SIPV4, AT(M_SRC_IP + 12), 32, HAS_IPV4 },
    { MLX5_MODIFY_OUT_DIPV4, AT(M_DST_IP + 12), 32, HAS_IPV4 },
    { MLX5_MODIFY_OUT_SIPV6_127_96, AT(M_SRC_IP), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_SIPV6_127_96 + 1, AT(M_SRC_IP + 4), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_SIPV6_127_96 + 2, AT(M_SRC_IP + 8), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_SIPV6_127_96 + 3, AT(M_SRC_IP + 12), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_DIPV6_127_96, AT(M_DST_IP), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_DIPV6_127_96 + 1, AT(M_DST_IP + 4), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_DIPV6_127_96 + 2, AT(M_DST_IP + 8), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_DIPV6_127_96 + 3, AT(M_DST_IP + 12), 32, HAS_IPV6 },
    { MLX5_MODIFY_OUT_TCP_FLAGS, AT(M_FLAGS) + 7, 9, HAS_TCP },
    { MLX5_MODIFY_OUT_TCP_SPORT, AT(M_TCP_SPORT), 16, HAS_TCP },
    { MLX5_MODIFY_OUT_TCP_DPORT, AT(M_TCP_DPORT), 16, HAS_TCP },
    { MLX5_MODIFY_OUT_UDP_SPORT, AT(M_UDP_SPORT), 16, HAS_UDP },
    { MLX5_MODIFY_OUT_UDP_DPORT, AT(M_UDP_DPORT), 16, HAS_UDP },
    { MLX5_MODIFY_METADATA_REG_B, REG_B_BIT, 32, HAS_NOTHING },
};

static const Field *find_field(uint32_t id)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (fields[i].id == id) {
            return &fields[i];
        }
    }
    return NULL;
}

/* ---------------------------------------------------------- contexts --- */

static Mlx5SteeringError decode(const uint8_t *action, ModifyAction *out)
{
    const Field *f = find_field(MLX5_GET(set_action_in, action, field));
    uint32_t offset = MLX5_GET(set_action_in, action, offset);
    uint32_t length = MLX5_GET(set_action_in, action, length);

    if (!f) {
        return MLX5_STEERING_BAD_MODIFY_FIELD;
    }
    out->has = f->has;
    out->data = MLX5_GET(set_action_in, action, data);
    switch (MLX5_GET(set_action_in, action, action_type)) {
    case MLX5_MODIFY_ACTION_SET:
        length = length ? length : 32;
        if (offset + length > f->width) {
            return MLX5_STEERING_BAD_MODIFY_RANGE;
        }
        /* offset counts from the field's last bit */
        out->bit = f->bit + f->width - offset - length;
        out->width = length;
        out->add = false;
        return MLX5_STEERING_OK;
    case MLX5_MODIFY_ACTION_ADD:
        /* adds to the whole field, without offset and length */
        out->bit = f->bit;
        out->width = f->width;
        out->add = true;
        return MLX5_STEERING_OK;
    default:
        return MLX5_STEERING_BAD_MODIFY_ACTION;
    }
}

Mlx5SteeringError mlx5_steering_modify_create(Mlx5Steering *s,
                                              const uint8_t *actions,
                                              uint32_t n, uint32_t *id)
{
    Mlx5SteeringError err;
    Modify *m;
    uint32_t i;

    if (!n || n > s->limits.max_modify_actions) {
        return MLX5_STEERING_TOO_MANY_MODIFY_ACTIONS;
    }
    if (mlx5_steering_modify_count(s) >= s->limits.max_modifies) {
        return MLX5_STEERING_TOO_MANY_MODIFIES;
    }
    if (!steering_charge(s, HEAP_MODIFY(n))) {
        return MLX5_STEERING_NO_MEMORY;
    }
    m = g_malloc0(sizeof(*m) + n * sizeof(m->action[0]));
    for (i = 0; i < n; i++, actions += MLX5_MODIFY_ACTION_LEN) {
        err = decode(actions, &m->action[i]);
        if (err) {
            steering_uncharge(s, HEAP_MODIFY(n));
            g_free(m);
            return err;
        }
    }
    m->n = n;
    m->id = steering_new_id(s->modifies, &s->next_modify_id);
    g_tree_insert(s->modifies, GUINT_TO_POINTER(m->id), m);
    *id = m->id;
    return MLX5_STEERING_OK;
}

Mlx5SteeringError mlx5_steering_modify_destroy(Mlx5Steering *s, uint32_t id)
{
    Modify *m = find_modify(s, id);

    if (!m) {
        return MLX5_STEERING_NO_MODIFY;
    }
    if (m->refs) {
        return MLX5_STEERING_MODIFY_IN_USE;
    }
    g_tree_remove(s->modifies, GUINT_TO_POINTER(id));
    steering_uncharge(s, HEAP_MODIFY(m->n));
    g_free(m);
    return MLX5_STEERING_OK;
}

uint32_t mlx5_steering_modify_count(const Mlx5Steering *s)
{
    return (uint32_t)g_tree_nnodes(s->modifies);
}

/* ------------------------------------------------------------ lookup --- */

static bool packet_has(const uint8_t *image, Has has)
{
    unsigned flags = mlx5_get_be16(image + M_FLAGS);
    unsigned version = flags >> M_IP_VERSION_SHIFT & 0xf;
    unsigned l4 = image[M_L4_TYPE] >> 6;

    switch (has) {
    case HAS_NOTHING:
        return true;
    case HAS_VLAN:
        return flags & (M_FLAG_CVLAN | M_FLAG_SVLAN);
    case HAS_IPV4:
        return version == 4;
    case HAS_IPV6:
        return version == 6;
    case HAS_IP:
        return version == 4 || version == 6;
    case HAS_TCP:
        return l4 == MLX5_L4_TCP;
    case HAS_UDP:
        return l4 == MLX5_L4_UDP;
    }
    return false;
}

void modify_apply(const Modify *m, WayState *st)
{
    uint8_t *bytes = (uint8_t *)st;
    uint32_t i;

    for (i = 0; i < m->n; i++) {
        const ModifyAction *a = &m->action[i];
        uint32_t v = a->data;

        if (!packet_has(bytes, a->has)) {
            continue;
        }
        if (a->add) {
            v += (uint32_t)mlx5_prm_get(bytes, a->bit, a->width);
        }
        mlx5_prm_set(bytes, a->bit, a->width, v);
        if (a->bit < REG_B_BIT) {
            st->rewritten = true;
        }
    }
}

/* ----------------------------------------------------------- rewrite --- */

/* Updates a checksum, which may be NULL. */
static void csum_change(uint8_t *csum, uint16_t was, uint16_t is)
{
    uint32_t sum;

    if (csum) {
        /* RFC 1624: HC' = ~(~HC + ~m + m') */
        sum = (uint16_t)~mlx5_get_be16(csum) + (uint16_t)~was + is;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        mlx5_put_be16(csum, (uint16_t)~sum);
    }
}

/* Writes a header word that is covered by one or two checksums. */
static void put_word(uint8_t *at, uint16_t v, uint8_t *csum, uint8_t *csum2)
{
    uint16_t was = mlx5_get_be16(at);

    if (v != was) {
        mlx5_put_be16(at, v);
        csum_change(csum, was, v);
        csum_change(csum2, was, v);
    }
}

static void put_words(uint8_t *at, const uint8_t *from, size_t len,
                      uint8_t *csum, uint8_t *csum2)
{
    size_t i;

    for (i = 0; i < len; i += 2) {
        put_word(at + i, mlx5_get_be16(from + i), csum, csum2);
    }
}

static void rewrite_ip(uint8_t *frame, const Mlx5Packet *pkt,
                       const uint8_t *image, uint8_t *l4_csum)
{
    uint8_t *ip = frame + pkt->l3_off;
    bool v4 = pkt->l3_type == MLX5_L3_IPV4;
    uint8_t *csum = v4 ? ip + 10 : NULL;
    size_t len = v4 ? 4 : 16;

    if (v4) {
        put_word(ip, (uint16_t)(ip[0] << 8 | image[M_DSCP_ECN]), csum, NULL);
        put_word(ip + 8, (uint16_t)(image[M_TTL_HOPLIMIT] << 8 | ip[9]), csum,
                 NULL);
    } else {
        mlx5_put_be16(ip, (uint16_t)((mlx5_get_be16(ip) & 0xf00f) |
                                     image[M_DSCP_ECN] << 4));
        ip[7] = image[M_TTL_HOPLIMIT];
    }
    put_words(frame + pkt->src_ip_off, image + M_SRC_IP + 16 - len, len, csum,
              l4_csum);
    /*
     * With a routing header, the checksum covers the final destination instead.
     */
    put_words(frame + pkt->dst_ip_off, image + M_DST_IP + 16 - len, len, csum,
              pkt->pseudo_dst_off == pkt->dst_ip_off ? l4_csum : NULL);
}

/* Finds the checksum of TCP or UDP; NULL if there is none. */
static uint8_t *find_l4_csum(uint8_t *frame, const Mlx5Packet *pkt)
{
    uint8_t *l4 = frame + pkt->l4_off;

    switch (pkt->l4_type) {
    case MLX5_L4_TCP:
        return l4 + 16;
    case MLX5_L4_UDP:
        return mlx5_get_be16(l4 + 6) ? l4 + 6 : NULL;
    default:
        return NULL;
    }
}

void mlx5_steering_rewrite(uint8_t *frame, const Mlx5Packet *pkt,
                           const uint8_t image[MLX5_FTE_MATCH_OUTER_LEN])
{
    uint8_t *l4 = frame + pkt->l4_off, *l4_csum = find_l4_csum(frame, pkt);

    if (!pkt->l2_len) {
        return;
    }
    memcpy(frame, image + M_DMAC, MLX5_ETH_ALEN);
    memcpy(frame + MLX5_ETH_ALEN, image + M_SMAC, MLX5_ETH_ALEN);
    mlx5_put_be16(frame + pkt->l2_len - 2, mlx5_get_be16(image + M_ETHERTYPE));
    if (pkt->n_vlan) {
        memcpy(frame + 2 * MLX5_ETH_ALEN + 2, image + M_FIRST_TCI, 2);
    }
    if (pkt->l3_type != MLX5_L3_NONE) {
        rewrite_ip(frame, pkt, image, l4_csum);
    }
    if (pkt->l4_type == MLX5_L4_TCP) {
        put_words(l4, image + M_TCP_SPORT, 4, l4_csum, NULL);
        put_word(l4 + 12, (uint16_t)((mlx5_get_be16(l4 + 12) & ~0x1ff) |
                                     (mlx5_get_be16(image + M_FLAGS) & 0x1ff)),
                 l4_csum, NULL);
    } else if (pkt->l4_type == MLX5_L4_UDP) {
        put_words(l4, image + M_UDP_SPORT, 4, l4_csum, NULL);
        if (l4_csum && !mlx5_get_be16(l4_csum)) {
            mlx5_put_be16(l4_csum, 0xffff);     /* 0 means no checksum */
        }
    }
}
