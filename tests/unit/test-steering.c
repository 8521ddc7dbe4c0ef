/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Tests of engine/steering: the tables that the Linux driver makes, every error,
 * references, limits and scale. Random rules are in test-steering-model.c. Owns no
 * state.
 */
#include "heap.h"
#include "steering-util.h"

/*
 * The tables mlx5e makes at open (VLAN, L2, TTC and a miss anchor), promiscuous
 * mode, a kTLS table put behind TTC, and all of it taken down again.
 */
enum {
    TIR_TCP4 = 0x10, TIR_TCP6, TIR_UDP4, TIR_UDP6, TIR_IP4, TIR_IP6, TIR_ANY, TIR_TLS,
};

typedef struct Mlx5e {
    Mlx5Steering *st;
    uint32_t anchor, ttc, l2, vlan;
    uint32_t ttc_g[3], l2_g[3], vlan_g[5];
} Mlx5e;

static void mlx5e_ttc(Mlx5e *e)
{
    static const struct {
        uint8_t version, proto;
        uint32_t tirn;
    } rules[] = {
        { 4, 6, TIR_TCP4 }, { 6, 6, TIR_TCP6 }, { 4, 17, TIR_UDP4 },
        { 6, 17, TIR_UDP6 }, { 4, 0, TIR_IP4 }, { 6, 0, TIR_IP6 }, { 0, 0, TIR_ANY },
    };
    static const unsigned group_of[] = { 0, 0, 0, 0, 1, 1, 2 };
    static const uint32_t index[] = { 0, 1, 2, 3, 14, 15, 16 };
    Param mask = { 0 };
    size_t i;

    e->ttc = new_table(e->st, 58, 7, e->anchor);
    set_field(&mask, IP_VERSION, 0xf);
    set_field(&mask, IP_PROTOCOL, 0xff);
    e->ttc_g[0] = new_group(e->st, e->ttc, 0, 13, &mask);
    set_field(&mask, IP_PROTOCOL, 0);
    e->ttc_g[1] = new_group(e->st, e->ttc, 14, 15, &mask);
    e->ttc_g[2] = new_group(e->st, e->ttc, 16, 16, NULL);
    for (i = 0; i < G_N_ELEMENTS(rules); i++) {
        Param v = { 0 };

        set_field(&v, IP_VERSION, rules[i].version);
        set_field(&v, IP_PROTOCOL, rules[i].proto);
        rule_to_tir(e->st, e->ttc, e->ttc_g[group_of[i]], index[i], &v, rules[i].tirn);
    }
}

static void set_dmac(Param *p, uint64_t mac)
{
    set_field(p, DMAC_47_16, (uint32_t)(mac >> 16));
    set_field(p, DMAC_15_0, (uint32_t)mac & 0xffff);
}

static void mlx5e_open(Mlx5e *e)
{
    Param mask = { 0 }, v = { 0 };

    e->st = mlx5_steering_new(&limits, NULL, NULL);
    e->anchor = new_table(e->st, 67, 0, 0);
    g_assert_cmpint(mlx5_steering_root_set(e->st, e->anchor), ==, OK);
    mlx5e_ttc(e);

    e->l2 = new_table(e->st, 57, 16, e->ttc);
    set_dmac(&mask, 0xffffffffffff);
    e->l2_g[0] = new_group(e->st, e->l2, 0, 32767, &mask);
    memset(&mask, 0, sizeof(mask));
    set_dmac(&mask, 0x010000000000);
    e->l2_g[1] = new_group(e->st, e->l2, 32768, 32768, &mask);
    e->l2_g[2] = new_group(e->st, e->l2, 32769, 32769, NULL);
    set_dmac(&v, 0x021122334455);
    rule_to_table(e->st, e->l2, e->l2_g[0], 0, &v, e->ttc);
    set_dmac(&v, 0xffffffffffff);
    rule_to_table(e->st, e->l2, e->l2_g[0], 1, &v, e->ttc);

    e->vlan = new_table(e->st, 56, 16, e->l2);
    memset(&mask, 0, sizeof(mask));
    set_field(&mask, CVLAN_TAG, 1);
    set_field(&mask, FIRST_VID, 0xfff);
    e->vlan_g[0] = new_group(e->st, e->vlan, 0, 4095, &mask);
    set_field(&mask, CVLAN_TAG, 0);
    set_field(&mask, SVLAN_TAG, 1);
    e->vlan_g[1] = new_group(e->st, e->vlan, 4096, 8191, &mask);
    memset(&mask, 0, sizeof(mask));
    set_field(&mask, CVLAN_TAG, 1);
    e->vlan_g[2] = new_group(e->st, e->vlan, 8192, 8193, &mask);
    memset(&mask, 0, sizeof(mask));
    set_field(&mask, SVLAN_TAG, 1);
    e->vlan_g[3] = new_group(e->st, e->vlan, 8194, 8194, &mask);
    e->vlan_g[4] = new_group(e->st, e->vlan, 8195, 8195, NULL);
    memset(&v, 0, sizeof(v));
    rule_to_table(e->st, e->vlan, e->vlan_g[2], 8192, &v, e->l2);      /* untagged */
    set_field(&v, CVLAN_TAG, 1);
    rule_to_table(e->st, e->vlan, e->vlan_g[0], 0, &v, e->l2);         /* vid 0 */
    g_assert_cmpint(mlx5_steering_root_set(e->st, e->vlan), ==, OK);
    /* The driver's misses all lead to the anchor. */
    g_assert_cmpint(mlx5_steering_table_modify_miss(e->st, e->vlan, 1, e->anchor), ==,
                    OK);
    g_assert_cmpint(mlx5_steering_table_modify_miss(e->st, e->l2, 1, e->anchor), ==, OK);
    assert_counts(e->st, 4, 11, 11);
}

static const FrameSpec to_us = {
    .dst_mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 }, .ip = 4, .proto = 6,
    .src_ip = { 10, 0, 0, 2 }, .dst_ip = { 10, 0, 0, 1 }, .sport = 443, .dport = 40000,
    .payload_len = 5,
};

static void mlx5e_close(Mlx5e *e)
{
    static const uint32_t ttc_index[] = { 0, 1, 2, 3, 14, 15, 16 };
    size_t i;

    g_assert_cmpint(mlx5_steering_root_set(e->st, e->l2), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->vlan, 8192), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->vlan, 0), ==, OK);
    for (i = 0; i < 5; i++) {
        g_assert_cmpint(mlx5_steering_group_destroy(e->st, e->vlan, e->vlan_g[i]), ==,
                        OK);
    }
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->vlan), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->ttc), ==,
                    MLX5_STEERING_TABLE_HAS_GROUPS);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->l2, 0), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->l2, 1), ==, OK);
    for (i = 0; i < 3; i++) {
        g_assert_cmpint(mlx5_steering_group_destroy(e->st, e->l2, e->l2_g[i]), ==, OK);
    }
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->l2), ==, OK);
    for (i = 0; i < G_N_ELEMENTS(ttc_index); i++) {
        g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->ttc, ttc_index[i]), ==, OK);
    }
    for (i = 0; i < 3; i++) {
        g_assert_cmpint(mlx5_steering_group_destroy(e->st, e->ttc, e->ttc_g[i]), ==, OK);
    }
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->anchor), ==,
                    MLX5_STEERING_TABLE_IN_USE);
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->ttc), ==, OK);
    /* The last table is destroyed while it may still be the root. */
    g_assert_cmpint(mlx5_steering_root_set(e->st, e->anchor), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->anchor), ==, OK);
    g_assert_cmpuint(mlx5_steering_root(e->st), ==, 0);
    assert_counts(e->st, 0, 0, 0);
    assert_drop(e->st, &to_us, MLX5_STEERING_DROP_NO_ROOT);
    mlx5_steering_free(e->st);
}

static void test_driver_tables(void)
{
    FrameSpec s = to_us;
    uint32_t promisc, promisc_g;
    Mlx5SteeringResult r;
    Mlx5e e;

    mlx5e_open(&e);
    assert_tir(e.st, &s, TIR_TCP4);
    s.proto = 17;
    assert_tir(e.st, &s, TIR_UDP4);
    s.proto = 1;
    assert_tir(e.st, &s, TIR_IP4);
    s.frag = FRAME_LATER_FRAG;
    s.proto = 6;
    s.payload_len = 16;
    assert_tir(e.st, &s, TIR_TCP4);
    s = to_us;
    s.ip = 6;
    assert_tir(e.st, &s, TIR_TCP6);
    s.ip = 0;
    s.ethertype = 0x0806;
    assert_tir(e.st, &s, TIR_ANY);
    memset(s.dst_mac, 0xff, 6);
    assert_tir(e.st, &s, TIR_ANY);

    /* Not to us: L2 has no entry. */
    s = to_us;
    s.dst_mac[5] ^= 1;
    assert_drop(e.st, &s, MLX5_STEERING_DROP_MISS);
    lookup_spec(e.st, &s, &r);
    g_assert_cmpuint(r.last_table, ==, e.anchor);
    g_assert_cmpuint(r.visits, ==, 3);
    g_assert_cmpuint(r.last_index, ==, UINT32_MAX);

    /* A tag that is not in the VLAN table; tag 0 is; an S-tag is not. */
    s = to_us;
    s.n_vlan = 1;
    s.tpid[0] = 0x8100;
    s.tci[0] = 0xa005;
    assert_drop(e.st, &s, MLX5_STEERING_DROP_MISS);
    s.tci[0] = 0xa000;
    assert_tir(e.st, &s, TIR_TCP4);
    s.tpid[0] = 0x88a8;
    /* cvlan_tag is 0: the "untagged" rule takes it, as it says no more than that. */
    assert_tir(e.st, &s, TIR_TCP4);

    /* All multicast. */
    s = to_us;
    memcpy(s.dst_mac, "\x01\x00\x5e\x01\x02\x03", 6);
    assert_drop(e.st, &s, MLX5_STEERING_DROP_MISS);
    {
        Param v = { 0 };

        set_dmac(&v, 0x010000000000);
        rule_to_table(e.st, e.l2, e.l2_g[1], 32768, &v, e.ttc);
    }
    assert_tir(e.st, &s, TIR_TCP4);
    s.dst_mac[0] = 2;
    assert_drop(e.st, &s, MLX5_STEERING_DROP_MISS);
    g_assert_cmpint(mlx5_steering_fte_delete(e.st, e.l2, 32768), ==, OK);

    /* Promiscuous: a table before all others, to TTC at once. */
    promisc = new_table(e.st, 55, 0, e.vlan);
    promisc_g = new_group(e.st, promisc, 0, 0, NULL);
    rule_to_table(e.st, promisc, promisc_g, 0, NULL, e.ttc);
    assert_drop(e.st, &s, MLX5_STEERING_DROP_MISS);
    g_assert_cmpint(mlx5_steering_root_set(e.st, promisc), ==, OK);
    assert_tir(e.st, &s, TIR_TCP4);
    g_assert_cmpint(mlx5_steering_fte_delete(e.st, promisc, 0), ==, OK);
    /* Its rule is gone: it misses into the VLAN table. */
    assert_tir(e.st, &to_us, TIR_TCP4);
    g_assert_cmpint(mlx5_steering_root_set(e.st, e.vlan), ==, OK);
    g_assert_cmpint(mlx5_steering_group_destroy(e.st, promisc, promisc_g), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e.st, promisc), ==, OK);
    mlx5e_close(&e);
}

/* fs_tcp.c: one table per address family, a miss rule, TTC's rule turned to it. */
static void test_ktls_table(void)
{
    FrameSpec s = to_us;
    uint32_t accel, conn_g, miss_g;
    Param mask = { 0 }, v = { 0 };
    Mlx5e e;

    mlx5e_open(&e);
    accel = new_table(e.st, 60, 16, e.anchor);
    set_field(&mask, IP_PROTOCOL, 0xff);
    set_field(&mask, IP_VERSION, 0xf);
    set_field(&mask, TCP_SPORT, 0xffff);
    set_field(&mask, TCP_DPORT, 0xffff);
    set_field(&mask, SRC_IP_3, 0xffffffff);
    set_field(&mask, DST_IP_3, 0xffffffff);
    conn_g = new_group(e.st, accel, 0, 65534, &mask);
    miss_g = new_group(e.st, accel, 65535, 65535, NULL);
    rule_to_tir(e.st, accel, miss_g, 65535, NULL, TIR_TCP4);
    retarget(e.st, e.ttc, e.ttc_g[0], 0, MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, accel);
    assert_tir(e.st, &s, TIR_TCP4);

    set_field(&v, IP_PROTOCOL, 6);
    set_field(&v, IP_VERSION, 4);
    set_field(&v, TCP_SPORT, 443);
    set_field(&v, TCP_DPORT, 40000);
    set_field(&v, SRC_IP_3, 0x0a000002);
    set_field(&v, DST_IP_3, 0x0a000001);
    rule_to_tir(e.st, accel, conn_g, 0, &v, TIR_TLS);
    assert_tir(e.st, &s, TIR_TLS);
    s.n_vlan = 1;
    s.tpid[0] = 0x8100;
    assert_tir(e.st, &s, TIR_TLS);
    s.n_vlan = 0;
    s.sport++;
    assert_tir(e.st, &s, TIR_TCP4);
    s = to_us;
    s.proto = 17;
    assert_tir(e.st, &s, TIR_UDP4);

    /* A later fragment has no ports: the miss rule. */
    s = to_us;
    s.frag = FRAME_LATER_FRAG;
    s.payload_len = 40;
    assert_tir(e.st, &s, TIR_TCP4);

    g_assert_cmpint(mlx5_steering_fte_delete(e.st, accel, 0), ==, OK);
    assert_tir(e.st, &to_us, TIR_TCP4);
    g_assert_cmpint(mlx5_steering_fte_delete(e.st, accel, 65535), ==, OK);
    g_assert_cmpint(mlx5_steering_group_destroy(e.st, accel, miss_g), ==, OK);
    g_assert_cmpint(mlx5_steering_group_destroy(e.st, accel, conn_g), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e.st, accel), ==,
                    MLX5_STEERING_TABLE_IN_USE);
    retarget(e.st, e.ttc, e.ttc_g[0], 0, MLX5_FLOW_DESTINATION_TYPE_TIR, TIR_TCP4);
    g_assert_cmpint(mlx5_steering_table_destroy(e.st, accel), ==, OK);
    mlx5e_close(&e);
}

/* Equal entries: the lowest index wins, whatever the order they come and go in. */
static void test_equal_values(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 16, 0), g = new_group(st, t, 0, 1000, NULL);
    static const uint32_t in[] = { 500, 7, 900, 3, 8, 600, 5 };
    static const uint32_t out[] = { 5, 3, 900, 8, 7, 600, 500 };
    static const uint32_t best[] = { 3, 7, 7, 7, 500, 500 };
    uint32_t lowest = UINT32_MAX;
    size_t i;

    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    for (i = 0; i < G_N_ELEMENTS(in); i++) {
        rule_to_tir(st, t, g, in[i], NULL, in[i]);
        lowest = MIN(lowest, in[i]);
        assert_tir(st, &to_us, lowest);
    }
    for (i = 0; i < G_N_ELEMENTS(out); i++) {
        g_assert_cmpint(mlx5_steering_fte_delete(st, t, out[i]), ==, OK);
        if (i < G_N_ELEMENTS(best)) {
            assert_tir(st, &to_us, best[i]);
        }
    }
    assert_drop(st, &to_us, MLX5_STEERING_DROP_MISS);
    mlx5_steering_free(st);
}

/* Several destinations: in order, depth first, each with its entry's tag. */
static void test_multi_destination(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t a = new_table(st, 0, 0, 0), b = new_table(st, 1, 0, 0);
    uint32_t ga = new_group(st, a, 0, 0, NULL), gb = new_group(st, b, 0, 0, NULL);
    static const Param none;
    static const uint32_t counter = 77;
    Mlx5FlowDestination db[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 20 }, { MLX5_FLOW_DESTINATION_TYPE_TIR, 21 },
    };
    Mlx5FlowDestination da[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 10 },
        { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, b },
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 10 },
    };
    Mlx5FteAttr attr = {
        .group_id = gb, .flow_tag = 0xb, .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST |
        MLX5_FLOW_CONTEXT_ACTION_COUNT | MLX5_FLOW_CONTEXT_ACTION_ALLOW,
        .destination_list_size = 2, .destination = db, .flow_counter_list_size = 1,
        .flow_counter = &counter, .match_value = none.b,
    };
    static const uint32_t want[] = { 10, 20, 21, 10 };
    static const uint32_t tag[] = { 0xa, 0xb, 0xb, 0xa };
    Mlx5SteeringResult r;
    size_t i;

    g_assert_cmpint(mlx5_steering_fte_set(st, b, 0, &attr), ==, OK);
    attr.group_id = ga;
    attr.flow_tag = 0xa;
    attr.destination_list_size = 3;
    attr.destination = da;
    g_assert_cmpint(mlx5_steering_fte_set(st, a, 0, &attr), ==, OK);
    g_assert_cmpint(mlx5_steering_root_set(st, a), ==, OK);
    lookup_spec(st, &to_us, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(r.n_tirs, ==, 4);
    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(r.tir[i].tirn, ==, want[i]);
        g_assert_cmphex(r.tir[i].flow_tag, ==, tag[i]);
    }
    g_assert_cmpuint(r.n_counters, ==, 2);
    g_assert_cmpuint(r.counter[0] + r.counter[1], ==, 154);
    mlx5_steering_free(st);
}

/* Ways that run in circles or branch without end are cut, at the named limits. */
static void test_loops(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t a = new_table(st, 0, 0, 0), b = new_table(st, 0, 0, a), g;
    static const Param none;
    Mlx5FlowDestination d[MLX5_STEERING_MAX_FTE_DESTS + 1];
    Mlx5FteAttr attr = {
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST, .destination = d,
        .destination_list_size = MLX5_STEERING_MAX_FTE_DESTS, .match_value = none.b,
    };
    Mlx5SteeringResult r;
    size_t i;

    /* Two misses at each other. */
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, a, 1, b), ==, OK);
    g_assert_cmpint(mlx5_steering_root_set(st, a), ==, OK);
    lookup_spec(st, &to_us, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DROP_LOOP);
    g_assert_true(r.cut);
    g_assert_cmpuint(r.visits, ==, MLX5_STEERING_MAX_VISITS);

    /* An entry that leads to its own table. */
    g = new_group(st, a, 0, 0, NULL);
    rule_to_table(st, a, g, 0, NULL, a);
    lookup_spec(st, &to_us, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DROP_LOOP);
    g_assert_cmpuint(r.visits, ==, MLX5_STEERING_MAX_VISITS);
    g_assert_cmpint(mlx5_steering_fte_delete(st, a, 0), ==, OK);

    /* One that leads there 63 times, and to a TIR last: the TIR is reached. */
    for (i = 0; i < G_N_ELEMENTS(d); i++) {
        d[i].type = MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE;
        d[i].id = a;
    }
    d[MLX5_STEERING_MAX_FTE_DESTS - 1].type = MLX5_FLOW_DESTINATION_TYPE_TIR;
    attr.group_id = g;
    g_assert_cmpint(mlx5_steering_fte_set(st, a, 0, &attr), ==, OK);
    lookup_spec(st, &to_us, &r);
    g_assert_true(r.cut);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(r.n_tirs, >, 0);
    g_assert_cmpuint(r.n_tirs, <=, MLX5_STEERING_MAX_TIRS);
    g_assert_cmpuint(r.visits, <=, MLX5_STEERING_MAX_VISITS);
    g_assert_cmpint(mlx5_steering_fte_delete(st, a, 0), ==, OK);

    /* Its own miss does not keep a table alive; another's does. */
    g_assert_cmpint(mlx5_steering_group_destroy(st, a, g), ==, OK);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, a, 1, a), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==, MLX5_STEERING_TABLE_IN_USE);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, b, 0, 0), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, b), ==, OK);
    assert_counts(st, 0, 0, 0);
    mlx5_steering_free(st);
}

static void test_table_errors(void)
{
    Mlx5SteeringLimits small = {
        .max_tables = 2, .max_ftes = 1, .max_groups_per_table = 2, .max_log_size = 4,
    };
    Mlx5Steering *st = mlx5_steering_new(&small, NULL, NULL);
    Mlx5FlowTableAttr attr = { .log_size = 4 };
    Mlx5FlowTableInfo info;
    uint32_t a, b, c = 0, g;
    Param mask = { 0 };
    unsigned bit, i;

    attr.table_type = 1;
    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &a), ==,
                    MLX5_STEERING_BAD_TABLE_TYPE);
    attr.table_type = 0;
    attr.log_size = 5;
    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &a), ==,
                    MLX5_STEERING_BAD_TABLE_SIZE);
    attr.log_size = 4;
    attr.table_miss_action = 2;
    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &a), ==,
                    MLX5_STEERING_BAD_MISS_ACTION);
    attr.table_miss_action = 1;
    attr.table_miss_id = 1;
    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &a), ==,
                    MLX5_STEERING_NO_MISS_TABLE);
    a = new_table(st, 3, 4, 0);
    b = new_table(st, 2, 4, a);
    g_assert_cmpuint(a, !=, b);
    attr.table_miss_action = 0;
    g_assert_cmpint(mlx5_steering_table_create(st, &attr, &c), ==,
                    MLX5_STEERING_TOO_MANY_TABLES);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, 99, 0, 0), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, a, 3, 0), ==,
                    MLX5_STEERING_BAD_MISS_ACTION);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, b, 1, 99), ==,
                    MLX5_STEERING_NO_MISS_TABLE);
    /* The refused change has changed nothing. */
    g_assert_cmpint(mlx5_steering_table_info(st, b, &info), ==, OK);
    g_assert_cmpuint(info.attr.table_miss_id, ==, a);
    g_assert_cmpint(mlx5_steering_table_info(st, a, &info), ==, OK);
    g_assert_cmpuint(info.miss_refs, ==, 1);
    g_assert_cmpuint(info.attr.level, ==, 3);
    g_assert_cmpint(mlx5_steering_table_info(st, 0, &info), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_root_set(st, 99), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_root_set(st, b), ==, OK);
    g_assert_cmpuint(mlx5_steering_root(st), ==, b);
    mlx5_steering_root_clear(st);
    assert_drop(st, &to_us, MLX5_STEERING_DROP_NO_ROOT);
    g_assert_cmpint(mlx5_steering_table_destroy(st, 99), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==, MLX5_STEERING_TABLE_IN_USE);
    g_assert_cmpuint(mlx5_steering_table_next(st, 0), ==, MIN(a, b));
    g_assert_cmpuint(mlx5_steering_table_next(st, MIN(a, b)), ==, MAX(a, b));
    g_assert_cmpuint(mlx5_steering_table_next(st, MAX(a, b)), ==, 0);

    /* Groups. */
    g_assert_cmpint(try_group(st, 99, 0, 0, NULL, &g), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(try_group(st, a, 3, 2, NULL, &g), ==, MLX5_STEERING_BAD_GROUP_RANGE);
    g_assert_cmpint(try_group(st, a, 0, 16, NULL, &g), ==,
                    MLX5_STEERING_GROUP_OUT_OF_TABLE);
    g_assert_cmpint(try_group(st, a, 0, UINT32_MAX, NULL, &g), ==,
                    MLX5_STEERING_GROUP_OUT_OF_TABLE);
    g_assert_cmpint(try_group(st, a, 4, 8, NULL, &g), ==, OK);
    for (i = 0; i <= 15; i++) {
        for (bit = i; bit <= 15; bit++) {
            uint32_t other;

            if (bit < 4 || i > 8) {
                g_assert_cmpint(try_group(st, a, i, bit, NULL, &other), ==, OK);
                g_assert_cmpint(mlx5_steering_group_destroy(st, a, other), ==, OK);
            } else {
                g_assert_cmpint(try_group(st, a, i, bit, NULL, &other), ==,
                                MLX5_STEERING_GROUP_OVERLAP);
            }
        }
    }
    g_assert_cmpint(try_group(st, a, 9, 9, NULL, &c), ==, OK);
    g_assert_cmpint(try_group(st, a, 10, 10, NULL, &c), ==,
                    MLX5_STEERING_TOO_MANY_GROUPS);
    g_assert_cmpint(mlx5_steering_group_destroy(st, 99, g), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_group_destroy(st, a, 99), ==, MLX5_STEERING_NO_GROUP);
    g_assert_cmpint(mlx5_steering_group_destroy(st, b, g), ==, MLX5_STEERING_NO_GROUP);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==,
                    MLX5_STEERING_TABLE_HAS_GROUPS);
    mlx5_steering_reset(st);

    /* Each bit of outer_headers: a field's bit is fine, any other is refused. */
    a = new_table(st, 0, 4, 0);
    for (bit = 0; bit < 512; bit++) {
        Mlx5SteeringError err;
        bool known = false;
        int f;

        for (f = 0; f < N_FIELDS; f++) {
            known |= bit >= fields[f].at && bit < fields[f].at + fields[f].width;
        }
        memset(&mask, 0, sizeof(mask));
        set_bit(&mask, bit, 1);
        err = try_group(st, a, 0, 0, &mask, &g);
        g_assert_cmpint(err, ==, known ? OK : MLX5_STEERING_BAD_CRITERIA);
        if (!err) {
            g_assert_cmpint(mlx5_steering_group_destroy(st, a, g), ==, OK);
        }
    }
    for (i = 0; i < 256; i++) {
        Mlx5FlowGroupAttr ga = {
            .match_criteria_enable = (uint8_t)i, .match_criteria = mask.b,
        };
        Mlx5SteeringError err;

        memset(&mask, 0, sizeof(mask));
        err = mlx5_steering_group_create(st, a, &ga, &g);
        g_assert_cmpint(err, ==, i <= 1 ? OK : MLX5_STEERING_BAD_CRITERIA_ENABLE);
        if (!err) {
            g_assert_cmpint(mlx5_steering_group_destroy(st, a, g), ==, OK);
        }
    }
    mlx5_steering_free(st);
}

/* A criteria section that is not enabled is ignored, not half obeyed. */
static void test_criteria_not_enabled(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 4, 0), g = 0;
    Param all;
    Mlx5FlowGroupAttr attr = { .end_flow_index = 3, .match_criteria = all.b };

    memset(&all, 0xff, sizeof(all));
    g_assert_cmpint(mlx5_steering_group_create(st, t, &attr, &g), ==, OK);
    rule_to_tir(st, t, g, 0, &all, 5);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    assert_tir(st, &to_us, 5);
    mlx5_steering_free(st);
}

static void test_fte_errors(void)
{
    static const Param none;
    static const uint32_t counters[MLX5_STEERING_MAX_FTE_COUNTERS + 1];
    static const uint32_t bad_counters[] = { 1, 2, 60 };
    Mlx5FlowDestination many[MLX5_STEERING_MAX_FTE_DESTS + 1];
    Mlx5FlowDestination bad[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 1 }, { MLX5_FLOW_DESTINATION_TYPE_TIR, 2 },
        { 0, 0 },
    };
    enum {
        FWD = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST, DROP = MLX5_FLOW_CONTEXT_ACTION_DROP,
        COUNT = MLX5_FLOW_CONTEXT_ACTION_COUNT, ALLOW = MLX5_FLOW_CONTEXT_ACTION_ALLOW,
    };
    Mlx5SteeringLimits small = {
        .max_tables = 9, .max_ftes = 1, .max_groups_per_table = 9, .max_log_size = 4,
    };
    Owner owner = { 0 };
    Mlx5Steering *st = mlx5_steering_new(&small, &owner_ops, &owner);
    uint32_t t = new_table(st, 0, 4, 0), g = new_group(st, t, 4, 8, NULL);
    uint32_t g2 = new_group(st, t, 9, 9, NULL), t2 = new_table(st, 0, 4, 0);
    const struct {
        uint16_t action;
        uint32_t n_dests;
        uint32_t n_counters;
        Mlx5SteeringError err;
    } rows[] = {
        { 0x10 | FWD, 1, 0, MLX5_STEERING_UNKNOWN_ACTION },
        { 0x8000 | DROP, 0, 0, MLX5_STEERING_UNKNOWN_ACTION },
        { 0, 0, 0, MLX5_STEERING_BAD_ACTION },
        { ALLOW, 0, 0, MLX5_STEERING_BAD_ACTION },
        { COUNT, 0, 1, MLX5_STEERING_BAD_ACTION },
        { FWD | DROP, 1, 0, MLX5_STEERING_BAD_ACTION },
        { FWD, 0, 0, MLX5_STEERING_NO_DESTINATION },
        { DROP, 1, 0, MLX5_STEERING_EXCESS_DESTINATION },
        { FWD, MLX5_STEERING_MAX_FTE_DESTS + 1, 0, MLX5_STEERING_TOO_MANY_DESTINATIONS },
        { DROP | COUNT, 0, 0, MLX5_STEERING_NO_COUNTER },
        { DROP, 0, 1, MLX5_STEERING_EXCESS_COUNTER },
        { DROP | COUNT, 0, MLX5_STEERING_MAX_FTE_COUNTERS + 1,
          MLX5_STEERING_TOO_MANY_COUNTERS },
    };
    Mlx5FteAttr attr = {
        .group_id = g, .action = FWD, .destination_list_size = 1, .destination = many,
        .flow_counter = counters, .match_value = none.b,
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(many); i++) {
        many[i].type = MLX5_FLOW_DESTINATION_TYPE_TIR;
        many[i].id = 1;
    }
    g_assert_cmpint(mlx5_steering_fte_set(st, 99, 4, &attr), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 3, &attr), ==,
                    MLX5_STEERING_INDEX_OUT_OF_GROUP);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 9, &attr), ==,
                    MLX5_STEERING_INDEX_OUT_OF_GROUP);
    g_assert_cmpint(mlx5_steering_fte_set(st, t2, 4, &attr), ==, MLX5_STEERING_NO_GROUP);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        attr.action = rows[i].action;
        attr.destination_list_size = rows[i].n_dests;
        attr.flow_counter_list_size = rows[i].n_counters;
        g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==, rows[i].err);
        assert_held(&owner, 0, 0);
    }
    /* References taken for the first ones of a bad list are given back. */
    attr.action = FWD | COUNT;
    attr.flow_counter_list_size = 3;
    attr.flow_counter = bad_counters;
    attr.destination_list_size = 3;
    attr.destination = bad;
    bad[2] = (Mlx5FlowDestination) { 0, 1 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_BAD_DESTINATION_TYPE);
    bad[2] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_TIR, 50 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TIR);
    bad[2] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, 99 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TABLE);
    bad[2] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, t2 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_BAD_COUNTER);
    assert_held(&owner, 0, 0);
    g_assert_cmpint(mlx5_steering_table_destroy(st, t2), ==, OK);
    attr.flow_counter_list_size = 2;
    attr.destination_list_size = 2;
    attr.flow_tag = 1 << 24;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_BAD_FLOW_TAG);
    attr.flow_tag = 5;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==, OK);
    assert_held(&owner, 2, 2);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==, MLX5_STEERING_INDEX_BUSY);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 5, &attr), ==,
                    MLX5_STEERING_TOO_MANY_ENTRIES);
    g_assert_cmpint(mlx5_steering_group_destroy(st, t, g), ==,
                    MLX5_STEERING_GROUP_HAS_ENTRIES);

    /* Modify. */
    g_assert_cmpint(mlx5_steering_fte_modify(st, 99, 4, 0, &attr), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 5, 0, &attr), ==,
                    MLX5_STEERING_NO_ENTRY);
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x10, &attr), ==,
                    MLX5_STEERING_BAD_MODIFY_MASK);
    attr.group_id = g2;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0, &attr), ==,
                    MLX5_STEERING_GROUP_MISMATCH);
    attr.group_id = g;
    attr.flow_counter_list_size = 3;    /* 60 does not exist */
    attr.destination_list_size = 1;
    attr.flow_tag = 9;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0xf, &attr), ==,
                    MLX5_STEERING_BAD_COUNTER);
    assert_held(&owner, 2, 2);
    g_assert_cmpint(mlx5_steering_fte_query(st, t, 4, &attr), ==, OK);
    g_assert_cmpuint(attr.flow_tag, ==, 5);
    g_assert_cmpuint(attr.destination_list_size, ==, 2);
    g_assert_cmpint(mlx5_steering_fte_query(st, t, 5, &attr), ==, MLX5_STEERING_NO_ENTRY);
    g_assert_cmpint(mlx5_steering_fte_query(st, 99, 5, &attr), ==,
                    MLX5_STEERING_NO_TABLE);

    /* An object in the old list and the new one is never let go in between. */
    attr.destination_list_size = 1;
    attr.destination = bad;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x4, &attr), ==, OK);
    assert_held(&owner, 1, 2);

    /* Emptied by the driver with DESTINATION_LIST alone: it matches and drops. */
    attr.destination_list_size = 0;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x4, &attr), ==, OK);
    assert_held(&owner, 0, 2);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    assert_drop(st, &to_us, MLX5_STEERING_DROP_RULE);

    g_assert_cmpint(mlx5_steering_fte_delete(st, 99, 4), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 5), ==, MLX5_STEERING_NO_ENTRY);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 4), ==, OK);
    assert_held(&owner, 0, 0);
    mlx5_steering_free(st);

    for (i = 0; i < MLX5_STEERING_N_ERRORS; i++) {
        g_assert_cmpstr(mlx5_steering_strerror((Mlx5SteeringError)i), !=,
                        "unknown steering error");
    }
}

/*
 * Group size costs nothing: whole 24-bit ranges in hundreds of tables. Live entries
 * are found among 60,000 of their kind, each by its own packet.
 */
static void test_scale(void)
{
    enum { N = 60000 };
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = 0, g = 0, i;
    Param mask = { 0 };

    set_field(&mask, SRC_IP_3, UINT32_MAX);
    set_field(&mask, TCP_SPORT, 0xffff);
    for (i = 0; i < 500; i++) {
        t = new_table(st, 0, 24, t);
        g = new_group(st, t, 0, (1 << 24) - 1, &mask);
    }
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    for (i = 0; i < N; i++) {
        Param v = { 0 };

        set_field(&v, SRC_IP_3, 0x0a000000 | i >> 4);
        set_field(&v, TCP_SPORT, 1000 + (i & 15));
        rule_to_tir(st, t, g, (i * 7919u) & 0xffffff, &v, i + 1);
    }
    assert_counts(st, 500, 500, N);
    for (i = 0; i < N; i++) {
        FrameSpec s = to_us;

        s.src_ip[1] = (uint8_t)(i >> 20);
        s.src_ip[2] = (uint8_t)(i >> 12);
        s.src_ip[3] = (uint8_t)(i >> 4);
        s.sport = (uint16_t)(1000 + (i & 15));
        assert_tir(st, &s, i + 1);
    }
    for (i = 0; i < N; i++) {
        g_assert_cmpint(mlx5_steering_fte_delete(st, t, (i * 7919u) & 0xffffff), ==, OK);
    }
    assert_counts(st, 500, 500, 0);
    mlx5_steering_free(st);
}

/* Ids are not reused at once: a stale one names nothing. */
static void test_ids(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t a = new_table(st, 0, 1, 0), b, g, h;

    g = new_group(st, a, 0, 0, NULL);
    g_assert_cmpint(mlx5_steering_group_destroy(st, a, g), ==, OK);
    h = new_group(st, a, 0, 0, NULL);
    g_assert_cmpuint(h, !=, g);
    g_assert_cmpint(mlx5_steering_group_destroy(st, a, h), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==, OK);
    b = new_table(st, 0, 1, 0);
    g_assert_cmpuint(a, !=, b);
    mlx5_steering_reset(st);
    g_assert_cmpuint(new_table(st, 0, 1, 0), ==, a);
    mlx5_steering_free(st);
    mlx5_steering_free(NULL);
}

/*
 * Everything is charged before it is made and given back with it. Where there is no
 * room for a table, a group, an entry or a longer list, nothing has changed.
 */
static void test_memory(void)
{
    static const Param none;
    Mlx5FlowDestination dest[MLX5_STEERING_MAX_FTE_DESTS];
    Mlx5FteAttr attr = {
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST, .destination = dest,
        .destination_list_size = 2, .match_value = none.b,
    };
    const unsigned mask = MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST;
    Mlx5FlowTableAttr table = { .log_size = 4 };
    Owner owner = { 0 };
    Mlx5Steering *st = mlx5_steering_new(&limits, &owner_ops, &owner);
    size_t empty, with_table, with_group, with_fte;
    uint32_t t, g, id, i;

    for (i = 0; i < G_N_ELEMENTS(dest); i++) {
        dest[i] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_TIR, 1 };
    }
    empty = owner.charged;
    g_assert_cmpuint(empty, ==, 0);
    t = new_table(st, 0, 4, 0);
    with_table = owner.charged;
    g = new_group(st, t, 0, 3, NULL);
    with_group = owner.charged;
    attr.group_id = g;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 0, &attr), ==, OK);
    with_fte = owner.charged;
    g_assert_true(empty < with_table && with_table < with_group && with_group < with_fte);

    owner.limit = owner.charged + 1;
    g_assert_cmpint(mlx5_steering_table_create(st, &table, &id), ==,
                    MLX5_STEERING_NO_MEMORY);
    g_assert_cmpint(try_group(st, t, 4, 5, NULL, &id), ==, MLX5_STEERING_NO_MEMORY);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 1, &attr), ==, MLX5_STEERING_NO_MEMORY);
    attr.destination_list_size = G_N_ELEMENTS(dest);
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, mask, &attr), ==,
                    MLX5_STEERING_NO_MEMORY);
    assert_counts(st, 1, 1, 1);
    assert_held(&owner, 2, 0);
    g_assert_cmpuint(owner.charged, ==, with_fte);
    /* a refusal for another reason keeps nothing either */
    owner.limit = 0;
    dest[63].id = 60;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, mask, &attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TIR);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 1, &attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TIR);
    table.table_miss_action = MLX5_FLOW_TABLE_MISS_ACTION_FWD;
    table.table_miss_id = 99;
    g_assert_cmpint(mlx5_steering_table_create(st, &table, &id), ==,
                    MLX5_STEERING_NO_MISS_TABLE);
    g_assert_cmpuint(owner.charged, ==, with_fte);
    /* longer and shorter again, and the way back */
    dest[63].id = 1;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, mask, &attr), ==, OK);
    g_assert_cmpuint(owner.charged, >, with_fte);
    attr.destination_list_size = 2;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 0, mask, &attr), ==, OK);
    g_assert_cmpuint(owner.charged, ==, with_fte);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 0), ==, OK);
    g_assert_cmpuint(owner.charged, ==, with_group);
    g_assert_cmpint(mlx5_steering_group_destroy(st, t, g), ==, OK);
    g_assert_cmpuint(owner.charged, ==, with_table);
    g_assert_cmpint(mlx5_steering_table_destroy(st, t), ==, OK);
    g_assert_cmpuint(owner.charged, ==, 0);
    /* and all at once */
    t = new_table(st, 0, 4, 0);
    attr.group_id = new_group(st, t, 0, 3, NULL);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 0, &attr), ==, OK);
    mlx5_steering_reset(st);
    g_assert_cmpuint(owner.charged, ==, 0);
    new_table(st, 0, 4, 0);
    mlx5_steering_free(st);
    g_assert_cmpuint(owner.charged, ==, 0);
}

/*
 * What is charged is no less than what the heap gives, malloc's own share included,
 * and not so much more that a limit would be of no use.
 */
static void test_memory_is_enough(void)
{
    static const unsigned counts[] = { 1, 3, 8, 64 };
    Owner owner = { 0 };
    Mlx5Steering *st;
    unsigned i, k, n;
    size_t before, taken;

    if (!heap_known()) {
        g_test_skip("the heap of this build tells nothing");
        return;
    }
    for (i = 0; i < G_N_ELEMENTS(counts); i++) {
        Mlx5FlowDestination dest[MLX5_STEERING_MAX_FTE_DESTS];
        Param value = { 0 }, mask = { 0 };
        uint32_t t = 0, g = 0;

        st = mlx5_steering_new(&limits, &owner_ops, &owner);
        before = heap_used();
        for (k = 0; k < G_N_ELEMENTS(dest); k++) {
            dest[k] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_TIR, 1 };
        }
        /* tables of several groups, groups of several entries, one big group */
        set_field(&mask, TCP_SPORT, 0xffff);
        for (n = 0; n < 5000; n++) {
            Mlx5FteAttr attr = {
                .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST, .destination = dest,
                .destination_list_size = counts[i], .match_value = value.b,
            };

            if (n % 40 == 0 && n < 2000) {
                t = new_table(st, 0, 16, 0);
            }
            if (n % 8 == 0 && n < 2000) {
                g = new_group(st, t, n, n + (n == 1992 ? 10000 : 7), &mask);
            }
            set_field(&value, TCP_SPORT, n);
            attr.group_id = g;
            g_assert_cmpint(mlx5_steering_fte_set(st, t, n, &attr), ==, OK);
        }
        taken = heap_used() - before;
        g_test_message("%u destinations: %zu bytes charged, %zu taken", counts[i],
                       owner.charged, taken);
        g_assert_cmpuint(taken, <=, owner.charged);
        g_assert_cmpuint(owner.charged, <=, 3 * taken);
        mlx5_steering_free(st);
        g_assert_cmpuint(owner.charged, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering/driver-tables", test_driver_tables);
    g_test_add_func("/steering/ktls-table", test_ktls_table);
    g_test_add_func("/steering/equal-values", test_equal_values);
    g_test_add_func("/steering/multi-destination", test_multi_destination);
    g_test_add_func("/steering/loops", test_loops);
    g_test_add_func("/steering/table-errors", test_table_errors);
    g_test_add_func("/steering/criteria-not-enabled", test_criteria_not_enabled);
    g_test_add_func("/steering/fte-errors", test_fte_errors);
    g_test_add_func("/steering/ids", test_ids);
    g_test_add_func("/steering/scale", test_scale);
    g_test_add_func("/steering/memory", test_memory);
    g_test_add_func("/steering/memory-is-enough", test_memory_is_enough);
    return g_test_run();
}
