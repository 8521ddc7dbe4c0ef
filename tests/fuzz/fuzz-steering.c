/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fuzz target: a sequence of steering commands and packets. Input: commands of
 * a few bytes each, up to the end of the input. Invariants: live counts match
 * the commands that succeeded, every reference taken is released, a lookup
 * stays within its limits and names only TIRs referenced by entries. Owns the
 * references it counts.
 */
#include <string.h>

#include "steering.h"
#include "fuzz.h"

enum { N_OBJECTS = 16 };

/* The commands below, as bytes. */
#define TABLE(miss) 0, 0, 5, (miss) != 0, miss
#define GROUP(table, start) 1, table, start, 0, 7, 0
#define GROUP_MASK(table, start, at, mask) 1, table, start, 1, 7, 1, at, mask
#define FTE(table, index, group, ...) 3, table, index, group, __VA_ARGS__
#define MODIFY(table, index, group, ...) 7, table, index, group, __VA_ARGS__
/* action, flow_tag, sizes of the lists, no value; then the lists */
#define TO_TIR(tirn) 4, 9, 1, 0, 0, 2, tirn
#define TO_TIR_COUNT(tirn, counter) 12, 9, 1, 1, 0, 2, tirn, counter
#define TO_FOUR(a, b, c, d) 4, 9, 4, 0, 0, a, b, c, d
#define TO_TIR_VALUE(tirn, at, value) 4, 9, 1, 0, 1, 2, tirn, at, value
#define TIR(n) 2, n
#define FT(n) 1, n
#define DELETE(table, index) 8, table, index
#define DROP_GROUP(table, group) 9, table, group
#define DROP_TABLE(table) 10, table
#define MISS(table, to) 11, table, 1, to
#define ROOT(table) 12, table
#define PACKET 14, 16, 2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 6, 0, 1

static const uint8_t seed_life[] = {
    TABLE(0),
    GROUP(1, 0),
    FTE(1, 0, 1, TO_TIR_COUNT(3, 2)),
    FTE(1, 1, 1, TO_TIR(4)),
    ROOT(1),
    PACKET,
    DELETE(1, 0),
    PACKET,
    DELETE(1, 1),
    PACKET,
    DROP_GROUP(1, 1),
    DROP_TABLE(1),
};
static const uint8_t seed_branch[] = {
    TABLE(0),
    GROUP(1, 0),
    FTE(1, 0, 1, TO_FOUR(TIR(1), TIR(2), FT(1), FT(1))),
    ROOT(1),
    PACKET,
    TABLE(1),
    MISS(2, 2),
    ROOT(2),
    PACKET,
};
static const uint8_t seed_modify[] = {
    TABLE(0),
    TABLE(1),
    GROUP(2, 0),
    GROUP(2, 8),
    FTE(2, 8, 2, TO_TIR(1)),
    FTE(2, 0, 1, TO_TIR_COUNT(1, 1)),
    ROOT(2),
    PACKET,
    MODIFY(2, 0, 1, TO_TIR(7), 4),
    PACKET,
    MODIFY(2, 8, 2, TO_TIR_COUNT(6, 5), 15),
    DELETE(2, 0),
    PACKET,
};
/* By the first byte of dmac, at 8. */
static const uint8_t seed_values[] = {
    TABLE(0), GROUP_MASK(1, 0, 8, 0xff), FTE(1, 0, 1, TO_TIR_VALUE(3, 8, 2)),
    FTE(1, 1, 1, TO_TIR_VALUE(4, 8, 3)), ROOT(1), PACKET, DELETE(1, 0), PACKET,
};

const FuzzSeed fuzz_seeds[] = {
    { seed_life, sizeof(seed_life) },
    { seed_branch, sizeof(seed_branch) },
    { seed_modify, sizeof(seed_modify) },
    { seed_values, sizeof(seed_values) },
};
const size_t fuzz_n_seeds = sizeof(fuzz_seeds) / sizeof(fuzz_seeds[0]);

typedef struct Input {
    const uint8_t *p;
    size_t left;
} Input;

typedef struct World {
    Mlx5Steering *st;
    Mlx5SteeringCounts want;
    unsigned held[2][N_OBJECTS];
} World;

static uint32_t take(Input *in, unsigned bytes)
{
    uint32_t v = 0;

    while (bytes-- && in->left) {
        v = v << 8 | *in->p++;
        in->left--;
    }
    return v;
}

static bool get(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    World *w = opaque;

    if (id >= N_OBJECTS) {
        return false;
    }
    w->held[kind][id]++;
    return true;
}

static void put(void *opaque, Mlx5SteeringRef kind, uint32_t id)
{
    World *w = opaque;

    FUZZ_CHECK(id < N_OBJECTS && w->held[kind][id]);
    w->held[kind][id]--;
}

static void check_counts(const World *w)
{
    Mlx5SteeringCounts c;

    mlx5_steering_counts(w->st, &c);
    FUZZ_CHECK(c.tables == w->want.tables && c.groups == w->want.groups &&
               c.ftes == w->want.ftes);
}

static void do_table(World *w, Input *in)
{
    Mlx5FlowTableAttr attr = { 0 };
    uint32_t id;

    attr.table_type = take(in, 1) == 0xff;
    attr.log_size = (uint8_t)(take(in, 1) % 7);
    attr.table_miss_action = (uint8_t)(take(in, 1) % 3);
    attr.table_miss_id = take(in, 1) % 8;
    w->want.tables += !mlx5_steering_table_create(w->st, &attr, &id);
}

static void do_group(World *w, Input *in)
{
    uint8_t mask[MLX5_FTE_MATCH_PARAM_LEN] = { 0 };
    Mlx5FlowGroupAttr attr = { .match_criteria = mask };
    uint32_t table = take(in, 1) % 8, id;
    unsigned n;

    attr.start_flow_index = take(in, 1) % 40;
    attr.match_criteria_enable = (uint8_t)(take(in, 1) % 3);
    attr.end_flow_index = attr.start_flow_index + take(in, 1) % 8;
    for (n = take(in, 1) % 4; n; n--) {
        uint32_t at = take(in, 1) % MLX5_FTE_MATCH_OUTER_LEN;

        mask[at] = (uint8_t)take(in, 1);
    }
    w->want.groups += !mlx5_steering_group_create(w->st, table, &attr, &id);
}

static void do_fte(World *w, Input *in, bool modify)
{
    uint8_t value[MLX5_FTE_MATCH_PARAM_LEN] = { 0 };
    Mlx5FlowDestination dest[4];
    uint32_t counter[2];
    Mlx5FteAttr attr = {
        .destination = dest, .flow_counter = counter, .match_value = value,
    };
    uint32_t table = take(in, 1) % 8;
    uint32_t index = take(in, 1) % 48;
    unsigned n, i;

    attr.group_id = take(in, 1) % 16;
    attr.action = (uint16_t)(take(in, 1) % 18);
    attr.flow_tag = take(in, 1);
    attr.destination_list_size = take(in, 1) % 5;
    attr.flow_counter_list_size = take(in, 1) % 3;
    n = take(in, 1) % 4;
    for (i = 0; i < attr.destination_list_size; i++) {
        dest[i].type = (uint8_t)(take(in, 1) % 4);
        dest[i].id = take(in, 1) % (N_OBJECTS + 1);
    }
    for (i = 0; i < attr.flow_counter_list_size; i++) {
        counter[i] = take(in, 1) % (N_OBJECTS + 1);
    }
    while (n--) {
        uint32_t at = take(in, 1) % MLX5_FTE_MATCH_OUTER_LEN;

        value[at] = (uint8_t)take(in, 1);
    }
    if (modify) {
        mlx5_steering_fte_modify(w->st, table, index,
                                 (uint8_t)(take(in, 1) % 18), &attr);
    } else {
        w->want.ftes += !mlx5_steering_fte_set(w->st, table, index, &attr);
    }
}

static void do_lookup(World *w, Input *in)
{
    size_t len = take(in, 1), i;
    uint8_t *frame;
    Mlx5SteeringResult r;
    Mlx5Packet pkt;

    if (len > in->left) {
        len = in->left;
    }
    frame = malloc(len ? len : 1);
    FUZZ_CHECK(frame);
    memcpy(frame, in->p, len);
    in->p += len;
    in->left -= len;
    mlx5_parse(frame, len, &pkt);
    mlx5_steering_lookup(w->st, &pkt, frame, &r);
    FUZZ_CHECK(r.visits <= MLX5_STEERING_MAX_VISITS);
    FUZZ_CHECK(r.probes <= MLX5_STEERING_MAX_PROBES);
    FUZZ_CHECK(r.n_tirs <= MLX5_STEERING_MAX_TIRS);
    FUZZ_CHECK(r.n_counters <= MLX5_STEERING_MAX_COUNTERS);
    FUZZ_CHECK((r.verdict == MLX5_STEERING_DELIVER) == (r.n_tirs > 0));
    FUZZ_CHECK((r.verdict == MLX5_STEERING_DROP_NO_ROOT) ==
               !mlx5_steering_root(w->st));
    for (i = 0; i < r.n_tirs; i++) {
        FUZZ_CHECK(w->held[MLX5_STEERING_REF_TIR][r.tir[i].tirn]);
    }
    for (i = 0; i < r.n_counters; i++) {
        FUZZ_CHECK(w->held[MLX5_STEERING_REF_COUNTER][r.counter[i]]);
    }
    free(frame);
}

static void command(World *w, Input *in)
{
    uint32_t a, b;

    switch (take(in, 1) % 16) {
    case 0:
        do_table(w, in);
        break;
    case 1:
    case 2:
        do_group(w, in);
        break;
    case 3:
    case 4:
    case 5:
    case 6:
        do_fte(w, in, false);
        break;
    case 7:
        do_fte(w, in, true);
        break;
    case 8:
        a = take(in, 1) % 8;
        b = take(in, 1) % 48;
        w->want.ftes -= !mlx5_steering_fte_delete(w->st, a, b);
        break;
    case 9:
        a = take(in, 1) % 8;
        b = take(in, 1) % 16;
        w->want.groups -= !mlx5_steering_group_destroy(w->st, a, b);
        break;
    case 10:
        w->want.tables -= !mlx5_steering_table_destroy(w->st, take(in, 1) % 8);
        break;
    case 11:
        a = take(in, 1) % 8;
        b = take(in, 1) % 3;
        mlx5_steering_table_modify_miss(w->st, a, (uint8_t)b, take(in, 1) % 8);
        break;
    case 12:
        a = take(in, 1) % 9;
        if (a == 8) {
            mlx5_steering_root_clear(w->st);
        } else {
            mlx5_steering_root_set(w->st, a);
        }
        break;
    case 13:
        if (take(in, 1) == 0x77) {
            mlx5_steering_reset(w->st);
            memset(&w->want, 0, sizeof(w->want));
        }
        break;
    default:
        do_lookup(w, in);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const Mlx5SteeringOps ops = { get, put };
    static const Mlx5SteeringLimits limits = {
        .max_tables = 6, .max_ftes = 40, .max_groups_per_table = 5,
        .max_log_size = 5,
    };
    Input in = { data, size };
    World w = { 0 };
    unsigned i;

    w.st = mlx5_steering_new(&limits, &ops, &w);
    while (in.left) {
        command(&w, &in);
        check_counts(&w);
    }
    mlx5_steering_free(w.st);
    for (i = 0; i < N_OBJECTS; i++) {
        FUZZ_CHECK(!w.held[0][i] && !w.held[1][i]);
    }
    return 0;
}
