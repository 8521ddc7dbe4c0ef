/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of modify header contexts: the modification of packets by an entry, and
 * its effect on later tables. Expected frames are built (frame.h) from the
 * expected fields, including checksums, never patched. Owns no state.
 */
#include "steering-peek.h"
#include "steering-util.h"
#include "steering_modify.h"

static const Mlx5SteeringLimits modify_limits = {
    .max_tables = 1000,
    .max_ftes = 1000,
    .max_groups_per_table = 64,
    .max_log_size = 24,
    .max_modifies = 4,
    .max_modify_actions = 32,
};

/* set_action_in and add_action_in */
static void put_action(uint8_t a[8], unsigned type, unsigned field,
                       unsigned offset, unsigned length, uint32_t data)
{
    a[0] = (uint8_t)(type << 4 | field >> 8);
    a[1] = (uint8_t)field;
    a[2] = (uint8_t)offset;
    a[3] = (uint8_t)length;
    a[4] = (uint8_t)(data >> 24);
    a[5] = (uint8_t)(data >> 16);
    a[6] = (uint8_t)(data >> 8);
    a[7] = (uint8_t)data;
}

static void put_set(uint8_t a[8], unsigned field, unsigned width, uint32_t data)
{
    put_action(a, MLX5_MODIFY_ACTION_SET, field, 0, width % 32, data);
}

static Mlx5SteeringError try_modify(Mlx5Steering *st, const uint8_t *actions,
                                    uint32_t n, uint32_t *id)
{
    /* exactly as long as said */
    uint8_t *copy = dup_exact(actions, n * 8);
    Mlx5SteeringError err = mlx5_steering_modify_create(st, copy, n, id);

    g_free(copy);
    return err;
}

static uint32_t new_modify(Mlx5Steering *st, const uint8_t *actions, uint32_t n)
{
    uint32_t id = 0;

    g_assert_cmpint(try_modify(st, actions, n, &id), ==, OK);
    g_assert_cmpuint(id, !=, 0);
    return id;
}

static Mlx5SteeringError try_modify_rule(Mlx5Steering *st, uint32_t table,
                                         uint32_t group, uint32_t index,
                                         uint32_t modify, uint8_t type,
                                         uint32_t dest)
{
    static const Param none;
    Mlx5FlowDestination d = { type, dest };
    Mlx5FteAttr attr = {
        .group_id = group,
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST |
                  MLX5_FLOW_CONTEXT_ACTION_MOD_HDR,
        .modify_header_id = modify,
        .destination_list_size = 1,
        .destination = &d,
        .match_value = none.b,
    };

    return mlx5_steering_fte_set(st, table, index, &attr);
}

/* Sends a frame through `st` to one TIR and gives what arrives there. */
static Frame through(const Mlx5Steering *st, const FrameSpec *spec,
                     Mlx5SteeringTir *tir)
{
    Frame f = frame_build(spec);
    Mlx5SteeringResult r;
    Mlx5Packet pkt;

    mlx5_parse(f.data, f.len, &pkt);
    mlx5_steering_lookup(st, &pkt, f.data, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(r.n_tirs, ==, 1);
    *tir = r.tir[0];
    if (tir->rewritten) {
        mlx5_steering_rewrite(f.data, &pkt, tir->image);
    }
    return f;
}

static void assert_becomes(const Mlx5Steering *st, const FrameSpec *from,
                           const FrameSpec *to)
{
    Mlx5SteeringTir tir;
    Frame got = through(st, from, &tir), want = frame_build(to);

    g_assert_cmpmem(got.data, got.len, want.data, want.len);
    frame_free(&got);
    frame_free(&want);
}

static FrameSpec spec_of(int ip, uint8_t proto)
{
    FrameSpec s = {
        .dst_mac = { 0x02, 1, 2, 3, 4, 5 },
        .src_mac = { 0x02, 11, 12, 13, 14, 15 },
        .ip = ip,
        .tos = 0x2a,
        .ttl = 64,
        .ip_id = 0x1234,
        .proto = proto,
        .sport = 40000,
        .dport = 443,
        .seq = 1,
        .ack = 2,
        .tcp_flags = 0x118,
        .payload_len = 33,
    };

    memset(s.src_ip, 0x0a, 16);
    memset(s.dst_ip, 0xc0, 16);
    return s;
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* Field `id`, of `width` bits: what setting it to v makes of a packet. */
typedef struct FieldCase {
    unsigned id;
    unsigned width;
} FieldCase;

static const FieldCase cases[] = {
    { 0x01, 32 }, { 0x02, 16 }, { 0x04, 32 }, { 0x05, 16 }, { 0x06, 6 },
    { 0x07, 9 },  { 0x08, 16 }, { 0x09, 16 }, { 0x0a, 8 },  { 0x0b, 16 },
    { 0x0c, 16 }, { 0x0d, 32 }, { 0x0e, 32 }, { 0x0f, 32 }, { 0x10, 32 },
    { 0x11, 32 }, { 0x12, 32 }, { 0x13, 32 }, { 0x14, 32 }, { 0x15, 32 },
    { 0x16, 32 }, { 0x17, 12 }, { 0x47, 8 },
};

static uint32_t get_spec(const FrameSpec *s, unsigned id)
{
    switch (id) {
    case 0x01:
        return be32(s->src_mac);
    case 0x02:
        return s->src_mac[4] << 8 | s->src_mac[5];
    case 0x04:
        return be32(s->dst_mac);
    case 0x05:
        return s->dst_mac[4] << 8 | s->dst_mac[5];
    case 0x06:
        return s->tos >> 2;
    case 0x07:
        return s->tcp_flags;
    case 0x08: case 0x0b:
        return s->sport;
    case 0x09: case 0x0c:
        return s->dport;
    case 0x0a: case 0x47:
        return s->ttl;
    case 0x0d: case 0x0e: case 0x0f: case 0x10:
        return be32(s->src_ip + 4 * (id - 0x0d));
    case 0x11: case 0x12: case 0x13: case 0x14:
        return be32(s->dst_ip + 4 * (id - 0x11));
    case 0x15:
        return be32(s->src_ip);
    case 0x16:
        return be32(s->dst_ip);
    default:
        return s->tci[0] & 0xfff;
    }
}

/* The packet with the field set, if it has it. */
static void set_spec(FrameSpec *s, unsigned id, uint32_t v)
{
    bool tcp = s->proto == 6 && s->frag != FRAME_LATER_FRAG;
    bool udp = s->proto == 17 && s->frag != FRAME_LATER_FRAG;

    switch (id) {
    case 0x01:
        put32(s->src_mac, v);
        break;
    case 0x02:
        s->src_mac[4] = (uint8_t)(v >> 8);
        s->src_mac[5] = (uint8_t)v;
        break;
    case 0x04:
        put32(s->dst_mac, v);
        break;
    case 0x05:
        s->dst_mac[4] = (uint8_t)(v >> 8);
        s->dst_mac[5] = (uint8_t)v;
        break;
    case 0x06:
        s->tos = (uint8_t)(v << 2 | (s->tos & 3));
        break;
    case 0x07:
        s->tcp_flags = tcp ? (uint16_t)v : s->tcp_flags;
        break;
    case 0x08:
        s->sport = tcp ? (uint16_t)v : s->sport;
        break;
    case 0x09:
        s->dport = tcp ? (uint16_t)v : s->dport;
        break;
    case 0x0a:
        s->ttl = s->ip == 4 ? (uint8_t)v : s->ttl;
        break;
    case 0x47:
        s->ttl = s->ip == 6 ? (uint8_t)v : s->ttl;
        break;
    case 0x0b:
        s->sport = udp ? (uint16_t)v : s->sport;
        break;
    case 0x0c:
        s->dport = udp ? (uint16_t)v : s->dport;
        break;
    case 0x0d: case 0x0e: case 0x0f: case 0x10:
        if (s->ip == 6) {
            put32(s->src_ip + 4 * (id - 0x0d), v);
        }
        break;
    case 0x11: case 0x12: case 0x13: case 0x14:
        if (s->ip == 6) {
            put32(s->dst_ip + 4 * (id - 0x11), v);
        }
        break;
    case 0x15:
        if (s->ip == 4) {
            put32(s->src_ip, v);
        }
        break;
    case 0x16:
        if (s->ip == 4) {
            put32(s->dst_ip, v);
        }
        break;
    default:
        if (s->n_vlan) {
            s->tci[0] = (uint16_t)((s->tci[0] & 0xf000) | v);
        }
        break;
    }
}

/* A steering of one entry that modifies, and delivers to TIR 7. */
static Mlx5Steering *one_rule(const uint8_t *actions, uint32_t n)
{
    Mlx5Steering *st = mlx5_steering_new(&modify_limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 0, 0), g = new_group(st, t, 0, 0, NULL);
    uint32_t m = new_modify(st, actions, n);

    g_assert_cmpint(
        try_modify_rule(st, t, g, 0, m, MLX5_FLOW_DESTINATION_TYPE_TIR, 7), ==,
        OK);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    return st;
}

/*
 * Packets of all shapes but first fragments, for which frame.h makes no
 * checksum.
 */
static FrameSpec any_spec(GRand *r)
{
    static const uint8_t protos[] = { 6, 17, 1 };
    FrameSpec s = spec_of(g_rand_int_range(r, 0, 2) ? 4 : 6,
                          protos[g_rand_int_range(r, 0, 3)]);

    s.n_vlan = g_rand_int_range(r, 0, 3);
    s.tpid[0] = g_rand_int_range(r, 0, 2) ? 0x8100 : 0x88a8;
    s.tpid[1] = 0x8100;
    s.tci[0] = (uint16_t)g_rand_int(r);
    s.tci[1] = (uint16_t)g_rand_int(r);
    s.tos = (uint8_t)g_rand_int(r);
    s.payload_len = g_rand_int_range(r, 0, 200);
    s.pad = g_rand_int_range(r, 0, 4);
    s.udp_no_csum = s.ip == 4 && !g_rand_int_range(r, 0, 3);
    if (s.ip == 4 && !g_rand_int_range(r, 0, 3)) {
        s.ipv4_opt_len = 8;
    }
    if (!g_rand_int_range(r, 0, 4)) {
        s.frag = FRAME_LATER_FRAG;
    }
    return s;
}

/* Each field, set and added to, in packets that have it and that do not. */
static void test_fields(void)
{
    GRand *r = g_rand_new_with_seed(20);
    unsigned i, round;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint32_t mask = 0xffffffffu >> (32 - cases[i].width);

        for (round = 0; round < 200; round++) {
            FrameSpec from = any_spec(r), to = from;
            uint32_t v = g_rand_int(r) & mask;
            bool add = round % 2;
            uint8_t action[8];
            Mlx5Steering *st;

            put_action(action,
                       add ? MLX5_MODIFY_ACTION_ADD : MLX5_MODIFY_ACTION_SET,
                       cases[i].id, 0, add ? 0 : cases[i].width % 32, v);
            st = one_rule(action, 1);
            set_spec(&to, cases[i].id,
                     add ? (get_spec(&from, cases[i].id) + v) & mask : v);
            assert_becomes(st, &from, &to);
            mlx5_steering_free(st);
        }
    }
    g_rand_free(r);
}

/*
 * The first fragment of a datagram: the sum is over all of it, of whose
 * addresses and ports it has what there is.
 */
static void test_first_fragment(void)
{
    FrameSpec from = spec_of(4, 17), to = from;
    Mlx5SteeringResult r;
    Mlx5Steering *st;
    uint8_t action[8];
    Mlx5Packet pkt;
    Frame f[2];
    unsigned i;

    put_set(action, 0x16, 32, 0x01020304);
    st = one_rule(action, 1);
    put32(to.dst_ip, 0x01020304);
    f[0] = frame_build(&from);
    f[1] = frame_build(&to);
    for (i = 0; i < 2; i++) {
        uint8_t *ip = f[i].data + f[i].l3;
        uint16_t sum;

        ip[6] = 0x20;                           /* more fragments */
        ip[10] = ip[11] = 0;
        sum = (uint16_t)~naive_sum(ip, 20);
        ip[10] = (uint8_t)(sum >> 8);
        ip[11] = (uint8_t)sum;
    }
    mlx5_parse(f[0].data, f[0].len, &pkt);
    g_assert_true(pkt.is_first_frag);
    mlx5_steering_lookup(st, &pkt, f[0].data, &r);
    mlx5_steering_rewrite(f[0].data, &pkt, r.tir[0].image);
    g_assert_cmpmem(f[0].data, f[0].len, f[1].data, f[1].len);
    frame_free(&f[0]);
    frame_free(&f[1]);
    mlx5_steering_free(st);
}

/* A few bits of a field, all others staying. */
static void test_part_of_field(void)
{
    FrameSpec from = spec_of(4, 6), to = from;
    uint8_t actions[16];
    Mlx5Steering *st;

    put_action(actions, MLX5_MODIFY_ACTION_SET, 0x16, 8, 8, 0xee);
    put_action(actions + 8, MLX5_MODIFY_ACTION_SET, 0x09, 12, 4, 0x5);
    st = one_rule(actions, 2);
    to.dst_ip[2] = 0xee;
    to.dport = (uint16_t)((to.dport & 0xfff) | 0x5000);
    assert_becomes(st, &from, &to);
    mlx5_steering_free(st);
}

/* A checksum that was wrong stays as wrong. */
static void test_wrong_checksum(void)
{
    FrameSpec from = spec_of(4, 17), to = from;
    uint8_t action[8];
    Mlx5Packet pkt;
    Mlx5SteeringResult r;
    Mlx5Steering *st;
    Frame f, want;

    put_set(action, 0x15, 32, 0x01020304);
    st = one_rule(action, 1);
    put32(to.src_ip, 0x01020304);
    f = frame_build(&from);
    want = frame_build(&to);
    f.data[f.payload] ^= 0x40;
    want.data[want.payload] ^= 0x40;
    mlx5_parse(f.data, f.len, &pkt);
    mlx5_steering_lookup(st, &pkt, f.data, &r);
    mlx5_steering_rewrite(f.data, &pkt, r.tir[0].image);
    g_assert_cmpmem(f.data, f.len, want.data, want.len);
    frame_free(&f);
    frame_free(&want);
    mlx5_steering_free(st);
}

/* Metadata is no part of the packet. */
static void test_metadata(void)
{
    FrameSpec s = spec_of(6, 6);
    uint8_t actions[16];
    Mlx5SteeringTir tir;
    Mlx5Steering *st;
    Frame f;

    put_set(actions, MLX5_MODIFY_METADATA_REG_B, 32, 0xcafe0000);
    put_action(actions + 8, MLX5_MODIFY_ACTION_SET, MLX5_MODIFY_METADATA_REG_B,
               0, 16, 0x1234);
    st = one_rule(actions, 2);
    f = through(st, &s, &tir);
    g_assert_false(tir.rewritten);
    g_assert_cmphex(tir.metadata, ==, 0xcafe1234);
    frame_free(&f);
    mlx5_steering_free(st);
}

/*
 * Tables behind the entry match what it has made, and two destinations of an
 * entry go on with the same packet, whatever happens to it on the first way.
 */
static void test_ways(void)
{
    Mlx5Steering *st = mlx5_steering_new(&modify_limits, NULL, NULL);
    uint32_t root = new_table(st, 0, 0, 0), a = new_table(st, 1, 2, 0);
    uint32_t b = new_table(st, 2, 1, 0);
    Mlx5FlowDestination d[2] = {
        { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, a },
        { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, b },
    };
    FrameSpec s = spec_of(4, 6), at_a = s, at_b = s;
    Param mask = { { 0 } }, value = { { 0 } };
    uint8_t to_80[8], to_99[8];
    Mlx5SteeringResult r;
    Mlx5FteAttr attr = {
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST |
                  MLX5_FLOW_CONTEXT_ACTION_MOD_HDR,
        .destination_list_size = 2,
        .destination = d,
        .match_value = value.b,
    };
    Frame f, want;
    Mlx5Packet pkt;
    uint32_t g, m;

    put_set(to_80, 0x09, 16, 80);
    put_set(to_99, 0x09, 16, 99);
    attr.group_id = new_group(st, root, 0, 0, NULL);
    attr.modify_header_id = new_modify(st, to_80, 1);
    g_assert_cmpint(mlx5_steering_fte_set(st, root, 0, &attr), ==, OK);
    set_field(&mask, TCP_DPORT, 0xffff);
    g = new_group(st, a, 0, 1, &mask);
    set_field(&value, TCP_DPORT, 443);
    rule_to_tir(st, a, g, 0, &value, 1);    /* what it was: nothing comes
                                             * here */
    m = new_modify(st, to_99, 1);
    attr.modify_header_id = m;
    attr.group_id = g;
    attr.destination_list_size = 1;
    d[0] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_TIR, 2 };
    set_field(&value, TCP_DPORT, 80);
    g_assert_cmpint(mlx5_steering_fte_set(st, a, 1, &attr), ==, OK);
    g = new_group(st, b, 0, 1, &mask);
    rule_to_tir(st, b, g, 0, &value, 3);
    g_assert_cmpint(mlx5_steering_root_set(st, root), ==, OK);

    f = frame_build(&s);
    mlx5_parse(f.data, f.len, &pkt);
    mlx5_steering_lookup(st, &pkt, f.data, &r);
    g_assert_cmpuint(r.n_tirs, ==, 2);
    g_assert_cmpuint(r.tir[0].tirn, ==, 2);
    g_assert_cmpuint(r.tir[1].tirn, ==, 3);
    at_a.dport = 99;
    at_b.dport = 80;
    want = frame_build(&at_a);
    mlx5_steering_rewrite(f.data, &pkt, r.tir[0].image);
    g_assert_cmpmem(f.data, f.len, want.data, want.len);
    frame_free(&f);
    frame_free(&want);
    f = frame_build(&s);
    want = frame_build(&at_b);
    mlx5_steering_rewrite(f.data, &pkt, r.tir[1].image);
    g_assert_cmpmem(f.data, f.len, want.data, want.len);
    frame_free(&f);
    frame_free(&want);
    mlx5_steering_free(st);
}

/*
 * A ring of tables, each entry ignoring levels and modifying: cut, and dropped.
 */
static void test_ring(void)
{
    Mlx5Steering *st = mlx5_steering_new(&modify_limits, NULL, NULL);
    uint32_t t[3], g, m;
    uint8_t action[8];
    FrameSpec s = spec_of(4, 6);
    Mlx5SteeringResult r;
    unsigned i;

    put_action(action, MLX5_MODIFY_ACTION_ADD, 0x0a, 0, 0, 0xff);
    m = new_modify(st, action, 1);
    for (i = 0; i < 3; i++) {
        t[i] = new_table(st, 1, 0, 0);
    }
    for (i = 0; i < 3; i++) {
        g = new_group(st, t[i], 0, 0, NULL);
        g_assert_cmpint(try_modify_rule(st, t[i], g, 0, m,
                                        MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE,
                                        t[(i + 1) % 3]), ==, OK);
    }
    g_assert_cmpint(mlx5_steering_root_set(st, t[0]), ==, OK);
    lookup_spec(st, &s, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DROP_LOOP);
    g_assert_true(r.cut);
    g_assert_cmpuint(r.visits, ==, MLX5_STEERING_MAX_VISITS);
    g_assert_cmpuint(r.n_tirs, ==, 0);
    mlx5_steering_free(st);
}

/* What is refused, and that a context lives as long as an entry has it. */
static void test_refused(void)
{
    Mlx5Steering *st = mlx5_steering_new(&modify_limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 1, 0), g = new_group(st, t, 0, 1, NULL);
    uint8_t actions[33 * 8];
    uint32_t id[4], other, i;
    Mlx5FteAttr out,
        drop = { .group_id = g, .action = MLX5_FLOW_CONTEXT_ACTION_DROP };

    for (i = 0; i < 33; i++) {
        put_set(actions + 8 * i, 0x0a, 8, i);
    }
    g_assert_cmpint(try_modify(st, actions, 0, &other), ==,
                    MLX5_STEERING_TOO_MANY_MODIFY_ACTIONS);
    g_assert_cmpint(try_modify(st, actions, 33, &other), ==,
                    MLX5_STEERING_TOO_MANY_MODIFY_ACTIONS);
    put_action(actions, 3, 0x0a, 0, 8, 0);
    g_assert_cmpint(try_modify(st, actions, 2, &other), ==,
                    MLX5_STEERING_BAD_MODIFY_ACTION);
    put_set(actions, 0x53, 32, 0);
    g_assert_cmpint(try_modify(st, actions, 2, &other), ==,
                    MLX5_STEERING_BAD_MODIFY_FIELD);
    put_action(actions, MLX5_MODIFY_ACTION_SET, 0x0a, 1, 8, 0);
    g_assert_cmpint(try_modify(st, actions, 2, &other), ==,
                    MLX5_STEERING_BAD_MODIFY_RANGE);
    put_action(actions, MLX5_MODIFY_ACTION_SET, 0x0a, 0, 0, 0);
    g_assert_cmpint(try_modify(st, actions, 2, &other), ==,
                    MLX5_STEERING_BAD_MODIFY_RANGE);
    put_set(actions, 0x0a, 8, 1);
    for (i = 0; i < 4; i++) {
        id[i] = new_modify(st, actions, 32);
    }
    g_assert_cmpint(try_modify(st, actions, 1, &other), ==,
                    MLX5_STEERING_TOO_MANY_MODIFIES);
    g_assert_cmpuint(mlx5_steering_modify_count(st), ==, 4);

    g_assert_cmpint(
        try_modify_rule(st, t, g, 0, 0x999, MLX5_FLOW_DESTINATION_TYPE_TIR, 1),
        ==, MLX5_STEERING_NO_MODIFY);
    g_assert_cmpint(
        try_modify_rule(st, t, g, 0, id[0], MLX5_FLOW_DESTINATION_TYPE_TIR, 1),
        ==, OK);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[0]), ==,
                    MLX5_STEERING_MODIFY_IN_USE);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[1]), ==, OK);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[1]), ==,
                    MLX5_STEERING_NO_MODIFY);
    g_assert_true(peek_fte(st, t, 0, &out));
    g_assert_cmpuint(out.modify_header_id, ==, id[0]);
    /*
     * The action takes the context with it; a modify that leaves it leaves
     * both.
     */
    drop.modify_header_id = id[2];
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, 0x5, &drop), ==,
                    MLX5_STEERING_EXCESS_MODIFY);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[0]), ==,
                    MLX5_STEERING_MODIFY_IN_USE);
    retarget(st, t, g, 0, MLX5_FLOW_DESTINATION_TYPE_TIR, 2);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[0]), ==,
                    MLX5_STEERING_MODIFY_IN_USE);
    drop.modify_header_id = 0;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, 0x5, &drop), ==, OK);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[0]), ==, OK);
    g_assert_cmpint(
        try_modify_rule(st, t, g, 1, id[2], MLX5_FLOW_DESTINATION_TYPE_TIR, 1),
        ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 1), ==, OK);
    g_assert_cmpint(mlx5_steering_modify_destroy(st, id[2]), ==, OK);
    g_assert_cmpint(
        try_modify_rule(st, t, g, 1, id[3], MLX5_FLOW_DESTINATION_TYPE_TIR, 1),
        ==, OK);
    mlx5_steering_reset(st);
    g_assert_cmpuint(mlx5_steering_modify_count(st), ==, 0);
    mlx5_steering_free(st);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering-modify/fields", test_fields);
    g_test_add_func("/steering-modify/first-fragment", test_first_fragment);
    g_test_add_func("/steering-modify/part-of-field", test_part_of_field);
    g_test_add_func("/steering-modify/wrong-checksum", test_wrong_checksum);
    g_test_add_func("/steering-modify/metadata", test_metadata);
    g_test_add_func("/steering-modify/ways", test_ways);
    g_test_add_func("/steering-modify/ring", test_ring);
    g_test_add_func("/steering-modify/refused", test_refused);
    return g_test_run();
}
