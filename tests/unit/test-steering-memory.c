/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/steering: ids, many entries, and the memory charged to the
 * owner. Owns no state.
 */
#include "heap.h"
#include "steering-util.h"

/*
 * Group size costs nothing: whole 24-bit ranges in hundreds of tables. Live
 * entries are found among 60,000 of their kind, each by its own packet.
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
        g_assert_cmpint(mlx5_steering_fte_delete(st, t, (i * 7919u) & 0xffffff),
                        ==, OK);
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
 * Everything is charged before it is made and given back with it. Where there
 * is no room for a table, a group, an entry or a longer list, nothing has
 * changed.
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
    g_assert_true(empty < with_table && with_table < with_group &&
                  with_group < with_fte);

    owner.limit = owner.charged + 1;
    g_assert_cmpint(mlx5_steering_table_create(st, &table, &id), ==,
                    MLX5_STEERING_NO_MEMORY);
    g_assert_cmpint(try_group(st, t, 4, 5, NULL, &id), ==,
                    MLX5_STEERING_NO_MEMORY);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 1, &attr), ==,
                    MLX5_STEERING_NO_MEMORY);
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
 * What is charged is no less than what the heap gives, malloc's own share
 * included, and not so much more that a limit would be of no use.
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
            dest[k] =
                (Mlx5FlowDestination){ MLX5_FLOW_DESTINATION_TYPE_TIR, 1 };
        }
        /* tables of several groups, groups of several entries, one big group */
        set_field(&mask, TCP_SPORT, 0xffff);
        for (n = 0; n < 5000; n++) {
            Mlx5FteAttr attr = {
                .action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST,
                .destination = dest,
                .destination_list_size = counts[i],
                .match_value = value.b,
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
        g_test_message("%u destinations: %zu bytes charged, %zu taken",
                       counts[i], owner.charged, taken);
        g_assert_cmpuint(taken, <=, owner.charged);
        g_assert_cmpuint(owner.charged, <=, 3 * taken);
        mlx5_steering_free(st);
        g_assert_cmpuint(owner.charged, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering/ids", test_ids);
    g_test_add_func("/steering/scale", test_scale);
    g_test_add_func("/steering/memory", test_memory);
    g_test_add_func("/steering/memory-is-enough", test_memory_is_enough);
    return g_test_run();
}
