/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/steering: the tables created by the Linux driver, and the
 * path of a packet through them. Refusals are tested in test-steering-errors.c,
 * costs in test-steering-memory.c and test-steering-cost.c, random rules in
 * test-steering-model.c. Owns no state.
 */
#include "steering-util.h"

/*
 * The tables mlx5e makes at open (VLAN, L2, TTC and a miss anchor), promiscuous
 * mode, a kTLS table put behind TTC, and all of it taken down again.
 */
enum {
    TIR_TCP4 = 0x10,
    TIR_TCP6,
    TIR_UDP4,
    TIR_UDP6,
    TIR_IP4,
    TIR_IP6,
    TIR_ANY,
    TIR_TLS,
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
        { 4, 6, TIR_TCP4 },  { 6, 6, TIR_TCP6 }, { 4, 17, TIR_UDP4 },
        { 6, 17, TIR_UDP6 }, { 4, 0, TIR_IP4 },  { 6, 0, TIR_IP6 },
        { 0, 0, TIR_ANY },
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
        rule_to_tir(e->st, e->ttc, e->ttc_g[group_of[i]], index[i], &v,
                    rules[i].tirn);
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
    /* untagged */
    rule_to_table(e->st, e->vlan, e->vlan_g[2], 8192, &v, e->l2);
    set_field(&v, CVLAN_TAG, 1);
    /* vid 0 */
    rule_to_table(e->st, e->vlan, e->vlan_g[0], 0, &v, e->l2);
    g_assert_cmpint(mlx5_steering_root_set(e->st, e->vlan), ==, OK);
    /* The driver's misses all lead to the anchor. */
    g_assert_cmpint(
        mlx5_steering_table_modify_miss(e->st, e->vlan, 1, e->anchor), ==, OK);
    g_assert_cmpint(mlx5_steering_table_modify_miss(e->st, e->l2, 1, e->anchor),
                    ==, OK);
    assert_counts(e->st, 4, 11, 11);
}

static void mlx5e_close(Mlx5e *e)
{
    static const uint32_t ttc_index[] = { 0, 1, 2, 3, 14, 15, 16 };
    size_t i;

    g_assert_cmpint(mlx5_steering_root_set(e->st, e->l2), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->vlan, 8192), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->vlan, 0), ==, OK);
    for (i = 0; i < 5; i++) {
        g_assert_cmpint(
            mlx5_steering_group_destroy(e->st, e->vlan, e->vlan_g[i]), ==, OK);
    }
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->vlan), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->ttc), ==,
                    MLX5_STEERING_TABLE_HAS_GROUPS);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->l2, 0), ==, OK);
    g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->l2, 1), ==, OK);
    for (i = 0; i < 3; i++) {
        g_assert_cmpint(mlx5_steering_group_destroy(e->st, e->l2, e->l2_g[i]),
                        ==, OK);
    }
    g_assert_cmpint(mlx5_steering_table_destroy(e->st, e->l2), ==, OK);
    for (i = 0; i < G_N_ELEMENTS(ttc_index); i++) {
        g_assert_cmpint(mlx5_steering_fte_delete(e->st, e->ttc, ttc_index[i]),
                        ==, OK);
    }
    for (i = 0; i < 3; i++) {
        g_assert_cmpint(mlx5_steering_group_destroy(e->st, e->ttc, e->ttc_g[i]),
                        ==, OK);
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
    /*
     * cvlan_tag is 0: the "untagged" rule takes it, as it says no more than
     * that.
     */
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
    g_assert_cmpint(mlx5_steering_group_destroy(e.st, promisc, promisc_g), ==,
                    OK);
    g_assert_cmpint(mlx5_steering_table_destroy(e.st, promisc), ==, OK);
    mlx5e_close(&e);
}

/*
 * fs_tcp.c: one table per address family, a miss rule, TTC's rule turned to it.
 */
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
    retarget(e.st, e.ttc, e.ttc_g[0], 0, MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE,
             accel);
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
    retarget(e.st, e.ttc, e.ttc_g[0], 0, MLX5_FLOW_DESTINATION_TYPE_TIR,
             TIR_TCP4);
    g_assert_cmpint(mlx5_steering_table_destroy(e.st, accel), ==, OK);
    mlx5e_close(&e);
}

/*
 * Equal entries: the lowest index wins, whatever the order they come and go in.
 */
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
    uint32_t ga = new_group(st, a, 0, 0, NULL),
             gb = new_group(st, b, 0, 0, NULL);
    static const Param none;
    static const uint32_t counter = 77;
    Mlx5FlowDestination db[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 20 },
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 21 },
    };
    Mlx5FlowDestination da[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 10 },
        { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, b },
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 10 },
    };
    Mlx5FteAttr attr = {
        .group_id = gb,
        .flow_tag = 0xb,
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST |
                  MLX5_FLOW_CONTEXT_ACTION_COUNT |
                  MLX5_FLOW_CONTEXT_ACTION_ALLOW,
        .destination_list_size = 2,
        .destination = db,
        .flow_counter_list_size = 1,
        .flow_counter = &counter,
        .match_value = none.b,
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

/*
 * Ways that run in circles or branch without end are cut, at the named limits.
 */
static void test_loops(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t a = new_table(st, 0, 0, 0), b = new_table(st, 0, 0, a), g;
    static const Param none;
    Mlx5FlowDestination d[MLX5_STEERING_MAX_FTE_DESTS + 1];
    Mlx5FteAttr attr = {
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST,
        .destination = d,
        .destination_list_size = MLX5_STEERING_MAX_FTE_DESTS,
        .match_value = none.b,
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
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==,
                    MLX5_STEERING_TABLE_IN_USE);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, b, 0, 0), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==, OK);
    g_assert_cmpint(mlx5_steering_table_destroy(st, b), ==, OK);
    assert_counts(st, 0, 0, 0);
    mlx5_steering_free(st);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering/driver-tables", test_driver_tables);
    g_test_add_func("/steering/ktls-table", test_ktls_table);
    g_test_add_func("/steering/equal-values", test_equal_values);
    g_test_add_func("/steering/multi-destination", test_multi_destination);
    g_test_add_func("/steering/loops", test_loops);
    return g_test_run();
}
