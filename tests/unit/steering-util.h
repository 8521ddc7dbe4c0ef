/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test helper: fte_match_param field by field, and shorthands for tables,
 * groups and rules. A packet's fields come from its specification (frame.h),
 * not from the engine's parser or image. Owns no state.
 */
#ifndef TESTS_UNIT_STEERING_UTIL_H
#define TESTS_UNIT_STEERING_UTIL_H

#include <glib.h>
#include <string.h>

#include "steering.h"
#include "frame.h"

static const Mlx5SteeringLimits limits = {
    .max_tables = 1000,
    .max_ftes = 100000,
    .max_groups_per_table = 64,
    .max_log_size = 24,
};

#define OK MLX5_STEERING_OK

/* A TCP over IPv4 frame for the station used in most tests. */
static const FrameSpec to_us __attribute__((unused)) = {
    .dst_mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 },
    .ip = 4,
    .proto = 6,
    .src_ip = { 10, 0, 0, 2 },
    .dst_ip = { 10, 0, 0, 1 },
    .sport = 443,
    .dport = 40000,
    .payload_len = 5,
};

/* Fields of fte_match_set_lyr_2_4: bit offset and width as in the PRM. */
typedef enum Field {
    SMAC_47_16,
    SMAC_15_0,
    ETHERTYPE,
    DMAC_47_16,
    DMAC_15_0,
    FIRST_PRIO,
    FIRST_CFI,
    FIRST_VID,
    IP_PROTOCOL,
    IP_DSCP,
    IP_ECN,
    CVLAN_TAG,
    SVLAN_TAG,
    FRAG,
    IP_VERSION,
    TCP_FLAGS,
    TCP_SPORT,
    TCP_DPORT,
    L4_TYPE,
    IPV4_IHL,
    TTL_HOPLIMIT,
    UDP_SPORT,
    UDP_DPORT,
    SRC_IP_0,
    SRC_IP_1,
    SRC_IP_2,
    SRC_IP_3,
    DST_IP_0,
    DST_IP_1,
    DST_IP_2,
    DST_IP_3,
    N_FIELDS
} Field;

static const struct {
    unsigned at;
    unsigned width;
} fields[N_FIELDS] = {
    [SMAC_47_16] = { 0, 32 },
    [SMAC_15_0] = { 32, 16 },
    [ETHERTYPE] = { 48, 16 },
    [DMAC_47_16] = { 64, 32 },
    [DMAC_15_0] = { 96, 16 },
    [FIRST_PRIO] = { 112, 3 },
    [FIRST_CFI] = { 115, 1 },
    [FIRST_VID] = { 116, 12 },
    [IP_PROTOCOL] = { 128, 8 },
    [IP_DSCP] = { 136, 6 },
    [IP_ECN] = { 142, 2 },
    [CVLAN_TAG] = { 144, 1 },
    [SVLAN_TAG] = { 145, 1 },
    [FRAG] = { 146, 1 },
    [IP_VERSION] = { 147, 4 },
    [TCP_FLAGS] = { 151, 9 },
    [TCP_SPORT] = { 160, 16 },
    [TCP_DPORT] = { 176, 16 },
    [L4_TYPE] = { 192, 2 },
    [IPV4_IHL] = { 208, 4 },
    [TTL_HOPLIMIT] = { 216, 8 },
    [UDP_SPORT] = { 224, 16 },
    [UDP_DPORT] = { 240, 16 },
    [SRC_IP_0] = { 256, 32 },
    [SRC_IP_1] = { 288, 32 },
    [SRC_IP_2] = { 320, 32 },
    [SRC_IP_3] = { 352, 32 },
    [DST_IP_0] = { 384, 32 },
    [DST_IP_1] = { 416, 32 },
    [DST_IP_2] = { 448, 32 },
    [DST_IP_3] = { 480, 32 },
};

/* A whole fte_match_param. */
typedef struct Param {
    uint8_t b[MLX5_FTE_MATCH_PARAM_LEN];
} Param;

static inline void set_bit(Param *p, unsigned bit, unsigned v)
{
    uint8_t m = (uint8_t)(0x80 >> bit % 8);

    p->b[bit / 8] = (uint8_t)(v ? p->b[bit / 8] | m : p->b[bit / 8] & ~m);
}

static inline void set_field(Param *p, Field f, uint32_t v)
{
    unsigned i;

    for (i = 0; i < fields[f].width; i++) {
        set_bit(p, fields[f].at + i, v >> (fields[f].width - 1 - i) & 1);
    }
}

static inline uint32_t get_field(const Param *p, Field f)
{
    uint32_t v = 0;
    unsigned i;

    for (i = 0; i < fields[f].width; i++) {
        unsigned bit = fields[f].at + i;

        v = v << 1 | (p->b[bit / 8] >> (7 - bit % 8) & 1);
    }
    return v;
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* Returns a word of an address field: IPv4 is in the last one. */
static inline uint32_t ip_word(const FrameSpec *s, const uint8_t *ip,
                               unsigned word)
{
    switch (s->ip) {
    case 4:
        return word == 3 ? be32(ip) : 0;
    case 6:
        return be32(ip + 4 * word);
    default:
        return 0;
    }
}

/* Returns the value of a field in a built packet. */
static inline uint32_t packet_field(const FrameSpec *s, Field f)
{
    bool l4 = s->ip && s->frag != FRAME_LATER_FRAG;
    bool tcp = l4 && s->proto == 6, udp = l4 && s->proto == 17;

    switch (f) {
    case SMAC_47_16:
        return be32(s->src_mac);
    case SMAC_15_0:
        return s->src_mac[4] << 8 | s->src_mac[5];
    case DMAC_47_16:
        return be32(s->dst_mac);
    case DMAC_15_0:
        return s->dst_mac[4] << 8 | s->dst_mac[5];
    case ETHERTYPE:
        return s->ip == 4 ? 0x0800 : s->ip == 6 ? 0x86dd : s->ethertype;
    case FIRST_PRIO:
        return s->n_vlan ? s->tci[0] >> 13 : 0;
    case FIRST_CFI:
        return s->n_vlan ? s->tci[0] >> 12 & 1 : 0;
    case FIRST_VID:
        return s->n_vlan ? s->tci[0] & 0xfff : 0;
    case CVLAN_TAG:
        return s->n_vlan && s->tpid[0] == 0x8100;
    case SVLAN_TAG:
        return s->n_vlan && s->tpid[0] == 0x88a8;
    case IP_PROTOCOL:
        return s->ip ? s->proto : 0;
    case IP_DSCP:
        return s->ip ? s->tos >> 2 : 0;
    case IP_ECN:
        return s->ip ? s->tos & 3 : 0;
    case FRAG:
        return s->ip && s->frag != FRAME_WHOLE;
    case IP_VERSION:
        return (uint32_t)s->ip;
    case IPV4_IHL:
        return s->ip == 4 ? 5 + s->ipv4_opt_len / 4 : 0;
    case TTL_HOPLIMIT:
        return s->ip ? s->ttl : 0;
    case L4_TYPE:
        return tcp ? 1 : udp ? 2 : 0;
    case TCP_FLAGS:
        return tcp ? s->tcp_flags : 0;
    case TCP_SPORT:
        return tcp ? s->sport : 0;
    case TCP_DPORT:
        return tcp ? s->dport : 0;
    case UDP_SPORT:
        return udp ? s->sport : 0;
    case UDP_DPORT:
        return udp ? s->dport : 0;
    default:
        return f < DST_IP_0 ? ip_word(s, s->src_ip, f - SRC_IP_0)
                            : ip_word(s, s->dst_ip, f - DST_IP_0);
    }
}

static inline void lookup_spec(const Mlx5Steering *st, const FrameSpec *s,
                               Mlx5SteeringResult *r)
{
    Frame f = frame_build(s);
    Mlx5Packet pkt;

    mlx5_parse(f.data, f.len, &pkt);
    mlx5_steering_lookup(st, &pkt, f.data, r);
    frame_free(&f);
}

/* Shorthands for the tests that follow. */

static inline uint32_t new_table(Mlx5Steering *st, uint8_t level,
                                 uint8_t log_size, uint32_t miss)
{
    Mlx5FlowTableAttr attr = {
        .level = level, .log_size = log_size, .table_miss_action = miss ? 1 : 0,
        .table_miss_id = miss,
    };
    uint32_t id = 0;

    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &id), ==, OK);
    g_assert_cmpuint(id, !=, 0);
    return id;
}

static inline Mlx5SteeringError try_group(Mlx5Steering *st, uint32_t table,
                                          uint32_t start, uint32_t end,
                                          const Param *mask, uint32_t *id)
{
    static const Param none;
    Mlx5FlowGroupAttr attr = {
        .start_flow_index = start, .end_flow_index = end,
        .match_criteria_enable = mask ? MLX5_MATCH_OUTER_HEADERS : 0,
        .match_criteria = mask ? mask->b : none.b,
    };

    return mlx5_steering_group_create(st, table, &attr, id);
}

static inline uint32_t new_group(Mlx5Steering *st, uint32_t table,
                                 uint32_t start, uint32_t end,
                                 const Param *mask)
{
    uint32_t id = 0;

    g_assert_cmpint(try_group(st, table, start, end, mask, &id), ==, OK);
    return id;
}

static inline Mlx5SteeringError try_rule(Mlx5Steering *st, uint32_t table,
                                         uint32_t group, uint32_t index,
                                         const Param *value, uint8_t type,
                                         uint32_t dest)
{
    static const Param none;
    Mlx5FlowDestination d = { type, dest };
    Mlx5FteAttr attr = {
        .group_id = group, .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST,
        .destination_list_size = 1, .destination = &d,
        .match_value = value ? value->b : none.b,
    };

    return mlx5_steering_fte_set(st, table, index, &attr);
}

static inline void rule_to_tir(Mlx5Steering *st, uint32_t table, uint32_t group,
                               uint32_t index, const Param *value,
                               uint32_t tirn)
{
    g_assert_cmpint(try_rule(st, table, group, index, value,
                             MLX5_FLOW_DESTINATION_TYPE_TIR, tirn), ==, OK);
}

static inline void rule_to_table(Mlx5Steering *st, uint32_t table,
                                 uint32_t group, uint32_t index,
                                 const Param *value, uint32_t to)
{
    g_assert_cmpint(try_rule(st, table, group, index, value,
                             MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, to),
                    ==, OK);
}

static inline void retarget(Mlx5Steering *st, uint32_t table, uint32_t group,
                            uint32_t index, uint8_t type, uint32_t id)
{
    Mlx5FlowDestination d = { type, id };
    Mlx5FteAttr attr = {
        .group_id = group, .destination_list_size = 1, .destination = &d,
    };

    g_assert_cmpint(mlx5_steering_fte_modify(
                        st, table, index,
                        MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST,
                        &attr),
                    ==, OK);
}

static inline void assert_counts(const Mlx5Steering *st, uint32_t tables,
                                 uint32_t groups, uint32_t ftes)
{
    Mlx5SteeringCounts c;

    mlx5_steering_counts(st, &c);
    g_assert_cmpuint(c.tables, ==, tables);
    g_assert_cmpuint(c.groups, ==, groups);
    g_assert_cmpuint(c.ftes, ==, ftes);
}

static inline void assert_tir(const Mlx5Steering *st, const FrameSpec *s,
                              uint32_t tirn)
{
    Mlx5SteeringResult r;

    lookup_spec(st, s, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(r.n_tirs, ==, 1);
    g_assert_cmpuint(r.tir[0].tirn, ==, tirn);
    g_assert_false(r.cut);
}

static inline void assert_drop(const Mlx5Steering *st, const FrameSpec *s,
                               Mlx5SteeringVerdict why)
{
    Mlx5SteeringResult r;

    lookup_spec(st, s, &r);
    g_assert_cmpint(r.verdict, ==, why);
    g_assert_cmpuint(r.n_tirs, ==, 0);
}

/*
 * Owner of TIRs and counters: has ids below 50, and counts the references to
 * each. Also owner of the memory, which is limited to `limit` unless that is 0.
 */
typedef struct Owner {
    int held[2][50];
    size_t charged;
    size_t limit;
} Owner;

static inline bool owner_get(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    Owner *o = opaque;

    if (id >= 50) {
        return false;
    }
    o->held[kind][id]++;
    return true;
}

static inline void owner_put(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    Owner *o = opaque;

    g_assert_cmpuint(id, <, 50);
    g_assert_cmpint(o->held[kind][id], >, 0);
    o->held[kind][id]--;
}

static inline bool owner_charge(void *opaque, size_t bytes)
{
    Owner *o = opaque;

    if (o->limit && o->charged + bytes > o->limit) {
        return false;
    }
    o->charged += bytes;
    return true;
}

static inline void owner_uncharge(void *opaque, size_t bytes)
{
    Owner *o = opaque;

    g_assert_cmpuint(bytes, <=, o->charged);
    o->charged -= bytes;
}

static const Mlx5SteeringOps owner_ops = {
    owner_get, owner_put, owner_charge, owner_uncharge,
};

static inline void assert_held(const Owner *o, int tirs, int counters)
{
    int sum[2] = { 0 }, kind, i;

    for (kind = 0; kind < 2; kind++) {
        for (i = 0; i < 50; i++) {
            sum[kind] += o->held[kind][i];
        }
    }
    g_assert_cmpint(sum[MLX5_STEERING_REF_TIR], ==, tirs);
    g_assert_cmpint(sum[MLX5_STEERING_REF_COUNTER], ==, counters);
}

#endif
