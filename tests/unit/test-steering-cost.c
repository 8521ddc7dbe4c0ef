/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the cost of a lookup in engine/steering, in probes and compares:
 * with values chosen to collide, many entries of one value, long paths. With
 * "-m perf" the time is measured too. Owns no state.
 */
#include <math.h>
#include <time.h>

#include "steering-util.h"

static const FrameSpec to_us6 = {
    .dst_mac = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 }, .ip = 6, .proto = 6,
    .src_ip = { 0x20, 0x01, 0x0d, 0xb8 }, .dst_ip = { 0xfd, 0, [15] = 1 },
    .sport = 443, .dport = 40000, .payload_len = 5,
};

/* What any lookup among n entries may cost: the height of a balanced tree. */
static unsigned most_compares(unsigned n)
{
    return (unsigned)(1.4405 * log2(n + 2)) + 1;
}

/* The packet's ports and addresses, as a connection's entry has them. */
static void connection_mask(Param *mask)
{
    int f;

    set_field(mask, IP_VERSION, 0xf);
    set_field(mask, TCP_SPORT, 0xffff);
    set_field(mask, TCP_DPORT, 0xffff);
    for (f = SRC_IP_0; f <= DST_IP_3; f++) {
        set_field(mask, (Field)f, UINT32_MAX);
    }
}

static void connection_value(Param *value, const FrameSpec *s)
{
    int f;

    for (f = 0; f < N_FIELDS; f++) {
        set_field(value, (Field)f, packet_field(s, (Field)f));
    }
}

/*
 * Sources out of one /64 whose entries all have the same value under a hash
 * without a secret: multiply and fold, word by word, as this engine once had.
 * It is solved backwards from the hash to the eight bytes that the owner of the
 * /64 may choose.
 */
static uint64_t fold(uint64_t h)
{
    return h ^ h >> 32;     /* its own inverse */
}

static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    unsigned i;

    for (i = 0; i < 6; i++) {
        x *= 2 - odd * x;
    }
    return x;
}

static uint32_t plain_hash(const uint64_t w[8])
{
    uint64_t h = 0;
    unsigned i;

    for (i = 0; i < 8; i++) {
        h = fold((h ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15));
    }
    return (uint32_t)h;
}

static void colliding_source(FrameSpec *s, const Param *mask, uint32_t n)
{
    const uint64_t back = inverse(UINT64_C(0x9e3779b97f4a7c15));
    uint64_t before = 0, behind = (uint64_t)n << 32 | 0x600df00d, w[8];
    Param value = { 0 };
    unsigned i;

    connection_value(&value, s);
    for (i = 0; i < MLX5_FTE_MATCH_OUTER_LEN; i++) {
        value.b[i] &= mask->b[i];
    }
    memcpy(w, value.b, sizeof(w));
    for (i = 0; i < 5; i++) {
        before = fold((before ^ w[i]) * UINT64_C(0x9e3779b97f4a7c15));
    }
    for (i = 8; i-- > 6; ) {
        behind = fold(behind) * back ^ w[i];
    }
    w[5] = fold(behind) * back ^ before;
    memcpy(s->src_ip + 8, &w[5], 8);
    g_assert_cmphex(plain_hash(w), ==, 0x600df00d);
}

/* Entries that a peer has chosen are found as fast as any. */
static void test_hostile_values(void)
{
    enum { N = 16384 };
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 24, 0), g, most = 0, i;
    Param mask = { 0 };

    connection_mask(&mask);
    g = new_group(st, t, 0, (1 << 24) - 1, &mask);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    for (i = 0; i < N; i++) {
        FrameSpec s = to_us6;
        Param v = { 0 };

        colliding_source(&s, &mask, i + 1);
        connection_value(&v, &s);
        rule_to_tir(st, t, g, i, &v, i + 1);
    }
    for (i = 0; i < N; i++) {
        FrameSpec s = to_us6;
        Mlx5SteeringResult r;

        colliding_source(&s, &mask, i + 1);
        lookup_spec(st, &s, &r);
        g_assert_cmpuint(r.n_tirs, ==, 1);
        g_assert_cmpuint(r.tir[0].tirn, ==, i + 1);
        g_assert_cmpuint(r.probes, ==, 1);
        most = MAX(most, r.compares);
    }
    g_test_message("%u compares at most", most);
    g_assert_cmpuint(most, <=, most_compares(N));
    mlx5_steering_free(st);
}

/*
 * Entries of one value: in any order of their indices each costs the same, and
 * the lowest index wins. A list of them took a minute for this.
 */
static void test_equal_values(void)
{
    enum { N = 65536 };
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 16, 0), g = new_group(st, t, 0, N - 1, NULL),
             i;
    Mlx5SteeringResult r;
    Mlx5SteeringCounts c;

    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    for (i = 0; i < N; i++) {
        rule_to_tir(st, t, g, i, NULL, i + 1);
    }
    mlx5_steering_counts(st, &c);
    g_test_message("%" G_GUINT64_FORMAT " compares for %u entries", c.compares,
                   N);
    g_assert_cmpuint(c.compares, <=, (uint64_t)N * most_compares(N));
    for (i = 0; i < N; i++) {
        lookup_spec(st, &to_us6, &r);
        g_assert_cmpuint(r.tir[0].tirn, ==, i + 1);
        g_assert_cmpuint(r.compares, <=, most_compares(N - i));
        g_assert_cmpint(mlx5_steering_fte_delete(st, t, i), ==, OK);
    }
    mlx5_steering_free(st);
}

/* `n` groups in a table, each with one entry that does not match the packet. */
static void mismatches(Mlx5Steering *st, uint32_t table, unsigned n)
{
    Param mask = { 0 }, v = { 0 };
    unsigned i;

    set_field(&mask, TCP_DPORT, 0xffff);
    set_field(&v, TCP_DPORT, 1);
    for (i = 0; i < n; i++) {
        rule_to_tir(st, table, new_group(st, table, i, i, &mask), i, &v, 1);
    }
}

/* A packet may cost so many probes, and not one more. */
static void test_probes(void)
{
    enum { GROUPS = 32, TABLES = MLX5_STEERING_MAX_PROBES / GROUPS };
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t last = new_table(st, 0, 8, 0), first = last, i;
    Mlx5SteeringResult r;

    /* The last one has a probe less, and then one that matches. */
    mismatches(st, last, GROUPS - 1);
    rule_to_tir(st, last, new_group(st, last, 100, 100, NULL), 100, NULL, 7);
    for (i = 1; i < TABLES; i++) {
        first = new_table(st, 0, 8, first);
        mismatches(st, first, GROUPS);
    }
    g_assert_cmpint(mlx5_steering_root_set(st, first), ==, OK);
    assert_tir(st, &to_us6, 7);
    lookup_spec(st, &to_us6, &r);
    g_assert_cmpuint(r.probes, ==, MLX5_STEERING_MAX_PROBES);
    g_assert_cmpuint(r.visits, ==, TABLES);

    first = new_table(st, 0, 8, first);
    mismatches(st, first, 1);
    g_assert_cmpint(mlx5_steering_root_set(st, first), ==, OK);
    assert_drop(st, &to_us6, MLX5_STEERING_DROP_PROBES);
    lookup_spec(st, &to_us6, &r);
    g_assert_true(r.cut);
    g_assert_cmpuint(r.probes, ==, MLX5_STEERING_MAX_PROBES);
    g_assert_cmpuint(r.last_table, ==, last);
    /* Groups without entries cost nothing. */
    g_assert_cmpint(mlx5_steering_fte_delete(st, first, 0), ==, OK);
    assert_tir(st, &to_us6, 7);
    mlx5_steering_free(st);
}

/*
 * On several ways the probes are used up together, and nothing is half
 * delivered.
 */
static void test_probes_branch(void)
{
    Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
    uint32_t t = new_table(st, 0, 0, 0), circle = new_table(st, 0, 8, 0), g;
    static const Param none;
    Mlx5FlowDestination d[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 7 },
        { MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, circle },
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 8 },
    };
    Mlx5FteAttr attr = {
        .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST, .destination = d,
        .destination_list_size = G_N_ELEMENTS(d), .match_value = none.b,
    };
    Mlx5SteeringResult r;

    g = new_group(st, t, 0, 0, NULL);
    attr.group_id = g;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 0, &attr), ==, OK);
    mismatches(st, circle, 64);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, circle, 1, circle), ==,
                    OK);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    assert_drop(st, &to_us6, MLX5_STEERING_DROP_PROBES);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, circle, 0, 0), ==, OK);
    lookup_spec(st, &to_us6, &r);
    g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DELIVER);
    g_assert_cmpuint(r.n_tirs, ==, 2);
    mlx5_steering_free(st);
}

/* ---- measured, in processor time ----------------------------------------- */

static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* ns a lookup takes on average, by turns for all of n packets */
static double measure(const Mlx5Steering *st, unsigned n,
                      void (*make)(FrameSpec *s, const Param *mask, uint32_t n),
                      const Param *mask)
{
    enum { ROUNDS = 200000, PACKETS = 4096 };
    g_autofree Frame *frame = g_new(Frame, PACKETS);
    g_autofree Mlx5Packet *pkt = g_new(Mlx5Packet, PACKETS);
    Mlx5SteeringResult r;
    unsigned i;
    double t;

    for (i = 0; i < PACKETS; i++) {
        FrameSpec s = to_us6;

        make(&s, mask, 1 + (uint32_t)g_test_rand_int_range(0, (int)n));
        frame[i] = frame_build(&s);
        mlx5_parse(frame[i].data, frame[i].len, &pkt[i]);
    }
    t = now();
    for (i = 0; i < ROUNDS; i++) {
        mlx5_steering_lookup(st, &pkt[i % PACKETS], frame[i % PACKETS].data,
                             &r);
    }
    t = (now() - t) / ROUNDS * 1e9;
    for (i = 0; i < PACKETS; i++) {
        frame_free(&frame[i]);
    }
    return t;
}

/*
 * us that a packet takes which visits 256 tables, each with that many empty
 * groups
 */
static double long_way(unsigned groups)
{
    enum { TABLES = 256, ROUNDS = 200 };
    const Mlx5SteeringLimits all = {
        .max_tables = TABLES, .max_ftes = 1, .max_groups_per_table = 128,
        .max_log_size = 8,
    };
    Mlx5Steering *st = mlx5_steering_new(&all, NULL, NULL);
    uint32_t table = 0, t, g;
    double least = 1e9;
    unsigned k, i;

    for (t = 0; t < TABLES; t++) {
        table = new_table(st, 0, 8, table);
        for (g = 0; g < groups; g++) {
            new_group(st, table, g, g, NULL);
        }
    }
    g_assert_cmpint(mlx5_steering_root_set(st, table), ==, OK);
    for (k = 0; k < 5; k++) {
        Mlx5SteeringResult r;
        double begun = now();

        for (i = 0; i < ROUNDS; i++) {
            lookup_spec(st, &to_us6, &r);
        }
        least = MIN(least, (now() - begun) / ROUNDS);
        g_assert_cmpuint(r.visits, ==, TABLES);
        g_assert_cmpuint(r.probes, ==, 0);
    }
    mlx5_steering_free(st);
    return least * 1e6;
}

/* Groups without entries are not on a packet's way: they cost it nothing. */
static void test_empty_groups(void)
{
    double without = long_way(0), with = long_way(128);

    g_test_message("256 tables: %.1f us, with 128 empty groups each: %.1f us",
                   without, with);
    g_assert_cmpfloat(with, <, 4 * without);
}

static void honest_source(FrameSpec *s, const Param *mask, uint32_t n)
{
    (void)mask;
    s->src_ip[14] = (uint8_t)(n >> 8);
    s->src_ip[15] = (uint8_t)n;
    s->sport = (uint16_t)(1024 + n % 60000);
}

static void bench_lookup(void)
{
    static const unsigned sizes[] = { 1, 10, 100, 1000, 10000, 65536 };
    Param mask = { 0 };
    unsigned k, hostile;
    uint32_t i;

    connection_mask(&mask);
    for (hostile = 0; hostile < 2; hostile++) {
        for (k = 0; k < G_N_ELEMENTS(sizes); k++) {
            Mlx5Steering *st = mlx5_steering_new(&limits, NULL, NULL);
            uint32_t t = new_table(st, 0, 24, 0);
            uint32_t g = new_group(st, t, 0, (1 << 24) - 1, &mask);

            g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
            for (i = 0; i < sizes[k]; i++) {
                FrameSpec s = to_us6;
                Param v = { 0 };

                (hostile ? colliding_source : honest_source)(&s, &mask, i + 1);
                connection_value(&v, &s);
                rule_to_tir(st, t, g, i, &v, i + 1);
            }
            g_test_message("%u %s entries: %.0f ns a lookup", sizes[k],
                           hostile ? "hostile" : "honest",
                           measure(st, sizes[k],
                                   hostile ? colliding_source : honest_source,
                                   &mask));
            mlx5_steering_free(st);
        }
    }
}

/*
 * The costliest packet: all the probes there are, each in as many entries as
 * fit.
 */
static void bench_worst(void)
{
    enum { GROUPS = 128, ENTRIES = (1 << 18) / GROUPS };
    const Mlx5SteeringLimits all = {
        .max_tables = 1024, .max_ftes = 1 << 18, .max_groups_per_table = GROUPS,
        .max_log_size = 24,
    };
    Mlx5Steering *st = mlx5_steering_new(&all, NULL, NULL);
    uint32_t table = new_table(st, 0, 24, 0), g, i, k;
    Param mask = { 0 };
    double t0, most;

    connection_mask(&mask);
    set_field(&mask, TTL_HOPLIMIT, 0xff);
    for (g = 0; g < GROUPS; g++) {
        uint32_t id =
            new_group(st, table, g * ENTRIES, (g + 1) * ENTRIES - 1, &mask);

        for (i = 0; i < ENTRIES; i++) {
            FrameSpec s = to_us6;
            Param v = { 0 };

            colliding_source(&s, &mask, i + 1);
            s.ttl = 1;
            connection_value(&v, &s);
            rule_to_tir(st, table, id, g * ENTRIES + i, &v, 1);
        }
    }
    g_assert_cmpint(mlx5_steering_root_set(st, table), ==, OK);
    g_assert_cmpint(mlx5_steering_table_modify_miss(st, table, 1, table), ==,
                    OK);
    for (k = 0, most = 0; k < 3; k++) {
        FrameSpec s = to_us6;
        Mlx5SteeringResult r;

        s.ttl = 2;
        t0 = now();
        for (i = 0; i < 100; i++) {
            colliding_source(&s, &mask, 1 + i * 20);
            lookup_spec(st, &s, &r);
        }
        most = MAX(most, (now() - t0) / 100);
        g_assert_cmpint(r.verdict, ==, MLX5_STEERING_DROP_PROBES);
    }
    g_test_message("the costliest packet: %.0f us", most * 1e6);
    t0 = now();
    mlx5_steering_reset(st);
    g_test_message("%u entries removed by a reset: %.0f ms", 1u << 18,
                   (now() - t0) * 1e3);
    mlx5_steering_free(st);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering-cost/hostile-values", test_hostile_values);
    g_test_add_func("/steering-cost/equal-values", test_equal_values);
    g_test_add_func("/steering-cost/probes", test_probes);
    g_test_add_func("/steering-cost/probes-branch", test_probes_branch);
    g_test_add_func("/steering-cost/empty-groups", test_empty_groups);
    if (g_test_perf()) {
        g_test_add_func("/steering-cost/bench-lookup", bench_lookup);
        g_test_add_func("/steering-cost/bench-worst", bench_worst);
    }
    return g_test_run();
}
