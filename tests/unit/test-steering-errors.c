/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/steering: every error, and that a refused request has changed
 * nothing. Owns no state.
 */
#include "steering-peek.h"
#include "steering-util.h"

/* Of groups: table @a gets two, which are all that it may have; @b has none. */
static void check_group_errors(Mlx5Steering *st, uint32_t a, uint32_t b)
{
    uint32_t g, c;
    unsigned bit, i;

    g_assert_cmpint(try_group(st, 99, 0, 0, NULL, &g), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(try_group(st, a, 3, 2, NULL, &g), ==,
                    MLX5_STEERING_BAD_GROUP_RANGE);
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
                g_assert_cmpint(mlx5_steering_group_destroy(st, a, other), ==,
                                OK);
            } else {
                g_assert_cmpint(try_group(st, a, i, bit, NULL, &other), ==,
                                MLX5_STEERING_GROUP_OVERLAP);
            }
        }
    }
    g_assert_cmpint(try_group(st, a, 9, 9, NULL, &c), ==, OK);
    g_assert_cmpint(try_group(st, a, 10, 10, NULL, &c), ==,
                    MLX5_STEERING_TOO_MANY_GROUPS);
    g_assert_cmpint(mlx5_steering_group_destroy(st, 99, g), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_group_destroy(st, a, 99), ==,
                    MLX5_STEERING_NO_GROUP);
    g_assert_cmpint(mlx5_steering_group_destroy(st, b, g), ==,
                    MLX5_STEERING_NO_GROUP);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==,
                    MLX5_STEERING_TABLE_HAS_GROUPS);
}

/* Each bit of outer_headers: a field's bit is fine, any other is refused. */
static void check_criteria(Mlx5Steering *st)
{
    uint32_t a = new_table(st, 0, 4, 0), g;
    Param mask = { 0 };
    unsigned bit, i;

    for (bit = 0; bit < 512; bit++) {
        Mlx5SteeringError err;
        bool known = false;
        int f;

        for (f = 0; f < N_FIELDS; f++) {
            known |=
                bit >= fields[f].at && bit < fields[f].at + fields[f].width;
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
        g_assert_cmpint(err, ==,
                        i & ~5 ? MLX5_STEERING_BAD_CRITERIA_ENABLE : OK);
        if (!err) {
            g_assert_cmpint(mlx5_steering_group_destroy(st, a, g), ==, OK);
        }
    }
}

static void test_table_errors(void)
{
    Mlx5SteeringLimits small = {
        .max_tables = 2,
        .max_ftes = 1,
        .max_groups_per_table = 2,
        .max_log_size = 4,
    };
    Mlx5Steering *st = mlx5_steering_new(&small, NULL, NULL);
    Mlx5FlowTableAttr attr = { .log_size = 4 };
    PeekTable info;
    uint32_t a, b, c = 0;

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
    g_assert_true(peek_table(st, b, &info));
    g_assert_cmpuint(info.attr.table_miss_id, ==, a);
    g_assert_true(peek_table(st, a, &info));
    g_assert_cmpuint(info.miss_refs, ==, 1);
    g_assert_cmpuint(info.attr.level, ==, 3);
    g_assert_false(peek_table(st, 0, &info));
    g_assert_cmpint(mlx5_steering_root_set(st, 99), ==, MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_root_set(st, b), ==, OK);
    g_assert_cmpuint(mlx5_steering_root(st), ==, b);
    mlx5_steering_root_clear(st);
    assert_drop(st, &to_us, MLX5_STEERING_DROP_NO_ROOT);
    g_assert_cmpint(mlx5_steering_table_destroy(st, 99), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_table_destroy(st, a), ==,
                    MLX5_STEERING_TABLE_IN_USE);

    check_group_errors(st, a, b);
    mlx5_steering_reset(st);
    check_criteria(st);
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

static const uint32_t bad_counters[] = { 1, 2, 60 };

/*
 * References taken for the first ones of a bad list are given back. @bad has
 * three destinations, of which the last is yet to be made bad; @t2 is a table
 * that may be one.
 */
static void check_bad_lists(Mlx5Steering *st, const Owner *owner, uint32_t t,
                            uint32_t t2, Mlx5FteAttr *attr,
                            Mlx5FlowDestination *bad)
{
    attr->action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST |
                   MLX5_FLOW_CONTEXT_ACTION_COUNT;
    attr->flow_counter_list_size = 3;
    attr->flow_counter = bad_counters;
    attr->destination_list_size = 3;
    attr->destination = bad;
    bad[2] = (Mlx5FlowDestination) { 0, 1 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, attr), ==,
                    MLX5_STEERING_BAD_DESTINATION_TYPE);
    bad[2] = (Mlx5FlowDestination) { MLX5_FLOW_DESTINATION_TYPE_TIR, 50 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TIR);
    bad[2] = (Mlx5FlowDestination){ MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, 99 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, attr), ==,
                    MLX5_STEERING_NO_DESTINATION_TABLE);
    bad[2] = (Mlx5FlowDestination){ MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE, t2 };
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, attr), ==,
                    MLX5_STEERING_BAD_COUNTER);
    assert_held(owner, 0, 0);
}

/*
 * Changes of the entry 4 of @t, which is as @attr says. @g2 is another group of
 * the table.
 */
static void check_modify_errors(Mlx5Steering *st, const Owner *owner,
                                uint32_t t, uint32_t g2, Mlx5FteAttr *attr,
                                Mlx5FlowDestination *bad)
{
    uint32_t group = attr->group_id;

    g_assert_cmpint(mlx5_steering_fte_modify(st, 99, 4, 0, attr), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 5, 0, attr), ==,
                    MLX5_STEERING_NO_ENTRY);
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x10, attr), ==,
                    MLX5_STEERING_BAD_MODIFY_MASK);
    attr->group_id = g2;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0, attr), ==,
                    MLX5_STEERING_GROUP_MISMATCH);
    attr->group_id = group;
    attr->flow_counter_list_size = 3;    /* 60 does not exist */
    attr->destination_list_size = 1;
    attr->flow_tag = 9;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0xf, attr), ==,
                    MLX5_STEERING_BAD_COUNTER);
    assert_held(owner, 2, 2);
    g_assert_true(peek_fte(st, t, 4, attr));
    g_assert_cmpuint(attr->flow_tag, ==, 5);
    g_assert_cmpuint(attr->destination_list_size, ==, 2);
    g_assert_false(peek_fte(st, t, 5, attr));

    /* An object in the old list and the new one is never let go in between. */
    attr->destination_list_size = 1;
    attr->destination = bad;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x4, attr), ==, OK);
    assert_held(owner, 1, 2);

    /*
     * Emptied by the driver with DESTINATION_LIST alone: it matches and drops.
     */
    attr->destination_list_size = 0;
    g_assert_cmpint(mlx5_steering_fte_modify(st, t, 4, 0x4, attr), ==, OK);
    assert_held(owner, 0, 2);
    g_assert_cmpint(mlx5_steering_root_set(st, t), ==, OK);
    assert_drop(st, &to_us, MLX5_STEERING_DROP_RULE);
}

static void test_fte_errors(void)
{
    static const Param none;
    static const uint32_t counters[MLX5_STEERING_MAX_FTE_COUNTERS + 1];
    Mlx5FlowDestination many[MLX5_STEERING_MAX_FTE_DESTS + 1];
    Mlx5FlowDestination bad[] = {
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 1 },
        { MLX5_FLOW_DESTINATION_TYPE_TIR, 2 },
        { 0, 0 },
    };
    enum {
        FWD = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST,
        DROP = MLX5_FLOW_CONTEXT_ACTION_DROP,
        COUNT = MLX5_FLOW_CONTEXT_ACTION_COUNT,
        ALLOW = MLX5_FLOW_CONTEXT_ACTION_ALLOW,
    };
    Mlx5SteeringLimits small = {
        .max_tables = 9,
        .max_ftes = 1,
        .max_groups_per_table = 9,
        .max_log_size = 4,
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
        { FWD, MLX5_STEERING_MAX_FTE_DESTS + 1, 0,
          MLX5_STEERING_TOO_MANY_DESTINATIONS },
        { DROP | COUNT, 0, 0, MLX5_STEERING_NO_COUNTER },
        { DROP, 0, 1, MLX5_STEERING_EXCESS_COUNTER },
        { DROP | COUNT, 0, MLX5_STEERING_MAX_FTE_COUNTERS + 1,
          MLX5_STEERING_TOO_MANY_COUNTERS },
    };
    Mlx5FteAttr attr = {
        .group_id = g,
        .action = FWD,
        .destination_list_size = 1,
        .destination = many,
        .flow_counter = counters,
        .match_value = none.b,
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(many); i++) {
        many[i].type = MLX5_FLOW_DESTINATION_TYPE_TIR;
        many[i].id = 1;
    }
    g_assert_cmpint(mlx5_steering_fte_set(st, 99, 4, &attr), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 3, &attr), ==,
                    MLX5_STEERING_INDEX_OUT_OF_GROUP);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 9, &attr), ==,
                    MLX5_STEERING_INDEX_OUT_OF_GROUP);
    g_assert_cmpint(mlx5_steering_fte_set(st, t2, 4, &attr), ==,
                    MLX5_STEERING_NO_GROUP);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        attr.action = rows[i].action;
        attr.destination_list_size = rows[i].n_dests;
        attr.flow_counter_list_size = rows[i].n_counters;
        g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                        rows[i].err);
        assert_held(&owner, 0, 0);
    }
    check_bad_lists(st, &owner, t, t2, &attr, bad);
    g_assert_cmpint(mlx5_steering_table_destroy(st, t2), ==, OK);
    attr.flow_counter_list_size = 2;
    attr.destination_list_size = 2;
    attr.flow_tag = 1 << 24;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_BAD_FLOW_TAG);
    attr.flow_tag = 5;
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==, OK);
    assert_held(&owner, 2, 2);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 4, &attr), ==,
                    MLX5_STEERING_INDEX_BUSY);
    g_assert_cmpint(mlx5_steering_fte_set(st, t, 5, &attr), ==,
                    MLX5_STEERING_TOO_MANY_ENTRIES);
    g_assert_cmpint(mlx5_steering_group_destroy(st, t, g), ==,
                    MLX5_STEERING_GROUP_HAS_ENTRIES);

    check_modify_errors(st, &owner, t, g2, &attr, bad);
    g_assert_cmpint(mlx5_steering_fte_delete(st, 99, 4), ==,
                    MLX5_STEERING_NO_TABLE);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 5), ==,
                    MLX5_STEERING_NO_ENTRY);
    g_assert_cmpint(mlx5_steering_fte_delete(st, t, 4), ==, OK);
    assert_held(&owner, 0, 0);
    mlx5_steering_free(st);

    for (i = 0; i < MLX5_STEERING_N_ERRORS; i++) {
        g_assert_cmpstr(mlx5_steering_strerror((Mlx5SteeringError)i), !=,
                        "unknown steering error");
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering/table-errors", test_table_errors);
    g_test_add_func("/steering/criteria-not-enabled",
                    test_criteria_not_enabled);
    g_test_add_func("/steering/fte-errors", test_fte_errors);
    return g_test_run();
}
