/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/steering against a second implementation: random packets,
 * rules and changes, and a linear matcher that compares fields from a packet's
 * specification. GLib prints the seed; --seed repeats it. Owns no state.
 */
#include "steering-peek.h"
#include "steering-util.h"

/* The image has each field of each packet, and nothing else. */
static void test_image(void)
{
    static const uint8_t runt[13] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
    };
    Param all_zero = { 0 }, image;
    Mlx5Packet none;
    unsigned round;
    int f;

    memset(image.b, 0xff, sizeof(image.b));
    mlx5_parse(runt, sizeof(runt), &none);
    mlx5_steering_match_image(&none, runt, image.b);
    g_assert_cmpmem(image.b, MLX5_FTE_MATCH_OUTER_LEN, all_zero.b,
                    MLX5_FTE_MATCH_OUTER_LEN);
    for (round = 0; round < 20000; round++) {
        FrameSpec s = frame_random_spec();
        Frame frame = frame_build(&s);
        Param want = { 0 }, got = { 0 };
        Mlx5Packet pkt;

        mlx5_parse(frame.data, frame.len, &pkt);
        mlx5_steering_match_image(&pkt, frame.data, got.b);
        for (f = 0; f < N_FIELDS; f++) {
            g_assert_cmphex(get_field(&got, (Field)f), ==,
                            packet_field(&s, (Field)f));
            set_field(&want, (Field)f, packet_field(&s, (Field)f));
        }
        g_assert_cmpmem(got.b, sizeof(got.b), want.b, sizeof(want.b));
        frame_free(&frame);
    }
}

/*
 * The model: tables and rules in plain lists, searched from one end to the
 * other, fields compared one by one.
 */
typedef struct Rule {
    uint32_t index;
    unsigned group;
    Param value;
    uint32_t field[N_FIELDS];   /* the same, taken apart */
    uint16_t action;
    uint32_t tag;
    unsigned n_dests;
    Mlx5FlowDestination dest[3];
    unsigned n_counters;
    uint32_t counter[2];
} Rule;

typedef struct ModelTable {
    uint32_t id;
    uint32_t miss;              /* table id, 0: drop */
    unsigned n_groups;
    struct {
        uint32_t id;
        uint32_t start;
        Param mask;
        uint32_t field[N_FIELDS];
    } group[6];
    GArray *rules;              /* of Rule */
} ModelTable;

enum { MODEL_TABLES = 6, GROUP_SIZE = 16 };

typedef struct Model {
    ModelTable table[MODEL_TABLES];
} Model;

static ModelTable *model_table(Model *m, uint32_t id)
{
    unsigned i;

    for (i = 0; i < MODEL_TABLES; i++) {
        if (m->table[i].id == id) {
            return &m->table[i];
        }
    }
    g_assert_not_reached();
}

static bool rule_matches(const ModelTable *t, const Rule *r,
                         const uint32_t *packet)
{
    const uint32_t *mask = t->group[r->group].field;
    int f;

    for (f = 0; f < N_FIELDS; f++) {
        if ((packet[f] & mask[f]) != (r->field[f] & mask[f])) {
            return false;
        }
    }
    return true;
}

static void model_end(Mlx5SteeringResult *r, Mlx5SteeringVerdict why,
                      uint32_t table, uint32_t index)
{
    if (!r->n_tirs) {
        r->verdict = why;
        r->last_table = table;
        r->last_index = index;
    }
}

/*
 * What a visit of t costs: a probe for each group with entries, in order, up to
 * the winner's. False: that is more than a packet may have.
 */
static bool model_probes(const ModelTable *t, const Rule *winner,
                         Mlx5SteeringResult *r)
{
    uint32_t start, probes = 0;
    unsigned i, g;

    for (start = 0; start < 6 * GROUP_SIZE; start += GROUP_SIZE) {
        bool used = false;

        for (i = 0; i < t->rules->len; i++) {
            g = g_array_index(t->rules, Rule, i).group;
            used |= t->group[g].start == start;
        }
        probes += used;
        if (winner && t->group[winner->group].start == start) {
            break;
        }
    }
    r->probes += probes;
    if (r->probes > MLX5_STEERING_MAX_PROBES) {
        r->probes = MLX5_STEERING_MAX_PROBES;
        r->verdict = MLX5_STEERING_DROP_PROBES;
        r->cut = true;
        r->last_table = t->id;
        r->last_index = UINT32_MAX;
        r->n_tirs = 0;
        return false;
    }
    return true;
}

static void model_walk(Model *m, const uint32_t *packet, uint32_t id,
                       Mlx5SteeringResult *r)
{
    ModelTable *t = model_table(m, id);
    const Rule *best = NULL;
    unsigned i;

    if (r->visits == MLX5_STEERING_MAX_VISITS) {
        r->cut = true;
        model_end(r, MLX5_STEERING_DROP_LOOP, id, UINT32_MAX);
        return;
    }
    r->visits++;
    for (i = 0; i < t->rules->len; i++) {
        const Rule *rule = &g_array_index(t->rules, Rule, i);

        if (rule_matches(t, rule, packet) &&
            (!best || rule->index < best->index)) {
            best = rule;
        }
    }
    if (!model_probes(t, best, r)) {
        return;
    }
    if (!best) {
        if (t->miss) {
            model_walk(m, packet, t->miss, r);
        } else {
            model_end(r, MLX5_STEERING_DROP_MISS, id, UINT32_MAX);
        }
        return;
    }
    for (i = 0;
         best->action & MLX5_FLOW_CONTEXT_ACTION_COUNT && i < best->n_counters;
         i++) {
        if (r->n_counters == MLX5_STEERING_MAX_COUNTERS) {
            r->cut = true;
            break;
        }
        r->counter[r->n_counters++] = best->counter[i];
    }
    if (!(best->action & MLX5_FLOW_CONTEXT_ACTION_FWD_DEST) || !best->n_dests) {
        model_end(r, MLX5_STEERING_DROP_RULE, id, best->index);
        return;
    }
    for (i = 0; i < best->n_dests && r->verdict != MLX5_STEERING_DROP_PROBES;
         i++) {
        if (best->dest[i].type == MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE) {
            model_walk(m, packet, best->dest[i].id, r);
        } else if (r->n_tirs == MLX5_STEERING_MAX_TIRS) {
            r->cut = true;
        } else {
            if (!r->n_tirs) {
                r->last_table = id;
                r->last_index = best->index;
            }
            r->verdict = MLX5_STEERING_DELIVER;
            r->tir[r->n_tirs].tirn = best->dest[i].id;
            r->tir[r->n_tirs++].flow_tag = best->tag;
        }
    }
}

/*
 * Packets that share values, so that rules made from one often match another.
 */
static FrameSpec related_spec(void)
{
    FrameSpec s = frame_random_spec();
    unsigned i;

    for (i = 0; i < 6; i++) {
        s.dst_mac[i] = (uint8_t)frame_pick(2, 2, 3);
        s.src_mac[i] = 4;
    }
    for (i = 0; i < 16; i++) {
        s.src_ip[i] = 1;
        s.dst_ip[i] = (uint8_t)(i == 3 || i == 15 ? frame_pick(7, 8) : 9);
    }
    s.tci[0] = (uint16_t)frame_pick(0, 5, 0xa005);
    s.sport = (uint16_t)frame_pick(443, 80);
    s.dport = (uint16_t)frame_pick(4000, 4001);
    s.tcp_flags = (uint16_t)frame_pick(0x10, 0x18, 0x02);
    s.tos = (uint8_t)frame_pick(0, 3, 0xb8);
    s.ttl = 64;
    s.payload_len = 8;
    s.n_ext = 0;
    return s;
}

static void random_mask(Param *mask)
{
    unsigned n = (unsigned)frame_pick(0, 1, 1, 2, 3, 5);

    while (n--) {
        Field f = (Field)g_test_rand_int_range(0, N_FIELDS);

        set_field(mask, f,
                  frame_pick(0, 1) ? UINT32_MAX : (uint32_t)g_test_rand_int());
    }
}

static void random_lists(Model *m, unsigned from, Rule *r)
{
    unsigned i;

    r->action = MLX5_FLOW_CONTEXT_ACTION_FWD_DEST;
    r->n_dests = (unsigned)frame_pick(1, 1, 1, 2, 3);
    r->n_counters = (unsigned)frame_pick(0, 0, 1, 2);
    if (!frame_pick(0, 1, 1, 1, 1)) {
        r->action = MLX5_FLOW_CONTEXT_ACTION_DROP;
        r->n_dests = 0;
    }
    if (r->n_counters) {
        r->action |= MLX5_FLOW_CONTEXT_ACTION_COUNT;
    }
    for (i = 0; i < r->n_dests; i++) {
        /* Branches lead onwards; single ways may run in circles. */
        unsigned to =
            r->n_dests > 1 ?
                from + 1 + (unsigned)g_test_rand_int_range(0, MODEL_TABLES) :
                (unsigned)g_test_rand_int_range(0, 2 * MODEL_TABLES);

        r->dest[i].type = to < MODEL_TABLES ?
                              MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE :
                              MLX5_FLOW_DESTINATION_TYPE_TIR;
        r->dest[i].id = to < MODEL_TABLES ?
                            m->table[to].id :
                            (uint32_t)g_test_rand_int_range(0, 50);
    }
    for (i = 0; i < r->n_counters; i++) {
        r->counter[i] = (uint32_t)g_test_rand_int_range(0, 50);
    }
    r->tag = (uint32_t)g_test_rand_int_range(0, 1 << 24);
}

static Mlx5FteAttr rule_attr(const ModelTable *t, const Rule *r)
{
    return (Mlx5FteAttr) {
        .group_id = t->group[r->group].id,
        .flow_tag = r->tag,
        .action = r->action,
        .destination_list_size = r->n_dests,
        .destination = r->dest,
        .flow_counter_list_size = r->n_counters,
        .flow_counter = r->counter,
        .match_value = r->value.b,
    };
}

static Rule *model_rule(ModelTable *t, uint32_t index, guint *at)
{
    for (*at = 0; *at < t->rules->len; (*at)++) {
        if (g_array_index(t->rules, Rule, *at).index == index) {
            return &g_array_index(t->rules, Rule, *at);
        }
    }
    return NULL;
}

static void model_modify(Mlx5Steering *st, Model *m, unsigned ti, Rule *old)
{
    ModelTable *t = &m->table[ti];
    uint8_t what = (uint8_t)frame_pick(0x4, 0x5, 0x2, 0xf, 0x9, 0x1);
    Rule new = *old;
    Mlx5SteeringError err;
    Mlx5FteAttr attr;

    random_lists(m, ti, &new);
    attr = rule_attr(t, &new);
    err = mlx5_steering_fte_modify(st, t->id, old->index, what, &attr);
    if (!(what & 1)) {
        new.action = old->action;
    }
    if (what & 4 && new.n_dests &&
        !(new.action &MLX5_FLOW_CONTEXT_ACTION_FWD_DEST)) {
        g_assert_cmpint(err, ==, MLX5_STEERING_EXCESS_DESTINATION);
        return;
    }
    if (what & 8 && new.n_counters &&
        !(new.action &MLX5_FLOW_CONTEXT_ACTION_COUNT)) {
        g_assert_cmpint(err, ==, MLX5_STEERING_EXCESS_COUNTER);
        return;
    }
    g_assert_cmpint(err, ==, OK);
    old->action = new.action;
    old->tag = what & 2 ? new.tag : old->tag;
    if (what & 4) {
        old->n_dests = new.n_dests;
        memcpy(old->dest, new.dest, sizeof(new.dest));
    }
    if (what & 8) {
        old->n_counters = new.n_counters;
        memcpy(old->counter, new.counter, sizeof(new.counter));
    }
}

/* One random change, to both. */
static void model_change(Mlx5Steering *st, Model *m)
{
    unsigned ti = (unsigned)g_test_rand_int_range(0, MODEL_TABLES), other;
    ModelTable *t = &m->table[ti];
    Rule r = { 0 };
    Rule *old;
    guint at;
    int f;

    r.group = (unsigned)g_test_rand_int_range(0, (int)t->n_groups);
    r.index = t->group[r.group].start +
              (uint32_t)g_test_rand_int_range(0, GROUP_SIZE);
    old = model_rule(t, r.index, &at);

    switch (frame_pick(0, 0, 0, 0, 1, 1, 2)) {
    case 0:
        if (old) {
            model_modify(st, m, ti, old);
        } else {
            FrameSpec s = related_spec();
            Mlx5FteAttr attr;

            for (f = 0; f < N_FIELDS; f++) {
                r.field[f] = packet_field(&s, (Field)f);
                set_field(&r.value, (Field)f, r.field[f]);
            }
            random_lists(m, ti, &r);
            attr = rule_attr(t, &r);
            g_assert_cmpint(mlx5_steering_fte_set(st, t->id, r.index, &attr),
                            ==, OK);
            g_array_append_val(t->rules, r);
        }
        break;
    case 1:
        g_assert_cmpint(mlx5_steering_fte_delete(st, t->id, r.index), ==,
                        old ? OK : MLX5_STEERING_NO_ENTRY);
        if (old) {
            g_array_remove_index(t->rules, at);
        }
        break;
    default:
        other = (unsigned)g_test_rand_int_range(0, MODEL_TABLES + 3);
        t->miss = other < MODEL_TABLES ? m->table[other].id : 0;
        g_assert_cmpint(mlx5_steering_table_modify_miss(st, t->id, t->miss != 0,
                                                        t->miss), ==, OK);
    }
}

static void model_create(Mlx5Steering *st, Model *m)
{
    unsigned i, g;
    int f;

    for (i = 0; i < MODEL_TABLES; i++) {
        ModelTable *t = &m->table[i];
        unsigned order[6] = { 0, 1, 2, 3, 4, 5 };

        t->id = new_table(st, (uint8_t)i, 8, 0);
        t->miss = 0;
        t->rules = g_array_new(FALSE, FALSE, sizeof(Rule));
        t->n_groups = (unsigned)g_test_rand_int_range(1, 7);
        for (g = 0; g < t->n_groups; g++) {
            unsigned j = (unsigned)g_test_rand_int_range((int)g, 6),
                     swap = order[g];

            order[g] = order[j];
            order[j] = swap;
            t->group[g].start = order[g] * GROUP_SIZE;
            memset(&t->group[g].mask, 0, sizeof(Param));
            random_mask(&t->group[g].mask);
            for (f = 0; f < N_FIELDS; f++) {
                t->group[g].field[f] = get_field(&t->group[g].mask, (Field)f);
            }
            t->group[g].id = new_group(st, t->id, t->group[g].start,
                                       t->group[g].start + GROUP_SIZE - 1,
                                       &t->group[g].mask);
        }
    }
}

static void compare_lookup(const Mlx5Steering *st, Model *m,
                           unsigned *delivered)
{
    FrameSpec s = related_spec();
    Mlx5SteeringResult got;
    Mlx5SteeringResult want = {
        .verdict = MLX5_STEERING_DROP_NO_ROOT, .last_index = UINT32_MAX,
    };
    uint32_t packet[N_FIELDS];
    unsigned i;
    int f;

    for (f = 0; f < N_FIELDS; f++) {
        packet[f] = packet_field(&s, (Field)f);
    }
    lookup_spec(st, &s, &got);
    model_walk(m, packet, mlx5_steering_root(st), &want);
    g_assert_cmpint(got.verdict, ==, want.verdict);
    g_assert_cmpint(got.cut, ==, want.cut);
    g_assert_cmpuint(got.visits, ==, want.visits);
    g_assert_cmpuint(got.probes, ==, want.probes);
    g_assert_cmpuint(got.last_table, ==, want.last_table);
    g_assert_cmpuint(got.last_index, ==, want.last_index);
    g_assert_cmpuint(got.n_tirs, ==, want.n_tirs);
    for (i = 0; i < want.n_tirs; i++) {
        g_assert_cmpuint(got.tir[i].tirn, ==, want.tir[i].tirn);
        g_assert_cmpuint(got.tir[i].flow_tag, ==, want.tir[i].flow_tag);
    }
    g_assert_cmpuint(got.n_counters, ==, want.n_counters);
    for (i = 0; i < want.n_counters; i++) {
        g_assert_cmpuint(got.counter[i], ==, want.counter[i]);
    }
    *delivered += got.n_tirs != 0;
}

static void test_model(void)
{
    unsigned round, step, i, k, delivered = 0, lookups = 0;

    for (round = 0; round < 60; round++) {
        Owner owner = { 0 };
        Mlx5Steering *st = mlx5_steering_new(&limits, &owner_ops, &owner);
        unsigned groups = 0, ftes = 0;
        int tirs = 0, counters = 0;
        Model m;

        model_create(st, &m);
        g_assert_cmpint(mlx5_steering_root_set(st, m.table[0].id), ==, OK);
        for (step = 0; step < 400; step++) {
            model_change(st, &m);
            if (step > 40) {
                compare_lookup(st, &m, &delivered);
                lookups++;
            }
        }
        for (i = 0; i < MODEL_TABLES; i++) {
            groups += m.table[i].n_groups;
            ftes += m.table[i].rules->len;
            for (step = 0; step < m.table[i].rules->len; step++) {
                const Rule *r = &g_array_index(m.table[i].rules, Rule, step);
                Mlx5FteAttr q;

                counters += (int)r->n_counters;
                for (k = 0; k < r->n_dests; k++) {
                    tirs += r->dest[k].type == MLX5_FLOW_DESTINATION_TYPE_TIR;
                }
                g_assert_true(peek_fte(st, m.table[i].id, r->index,
                                                        &q));
                g_assert_cmpuint(q.flow_tag, ==, r->tag);
                g_assert_cmphex(q.action, ==, r->action);
                g_assert_cmpuint(q.group_id, ==, m.table[i].group[r->group].id);
                g_assert_cmpuint(q.destination_list_size, ==, r->n_dests);
                g_assert_cmpuint(q.flow_counter_list_size, ==, r->n_counters);
                for (k = 0; k < MLX5_FTE_MATCH_OUTER_LEN; k++) {
                    g_assert_cmphex(q.match_value[k], ==, r->value.b[k] &
                                    m.table[i].group[r->group].mask.b[k]);
                }
            }
        }
        assert_counts(st, MODEL_TABLES, groups, ftes);
        assert_held(&owner, tirs, counters);
        if (round % 2) {
            mlx5_steering_reset(st);
            assert_counts(st, 0, 0, 0);
            assert_held(&owner, 0, 0);
            g_assert_cmpuint(mlx5_steering_root(st), ==, 0);
        }
        mlx5_steering_free(st);
        g_assert_cmpuint(owner.charged, ==, 0);
        assert_held(&owner, 0, 0);
        for (i = 0; i < MODEL_TABLES; i++) {
            g_array_free(m.table[i].rules, TRUE);
        }
    }
    g_test_message("%u of %u packets delivered", delivered, lookups);
    g_assert_cmpuint(delivered, >, lookups / 10);
    g_assert_cmpuint(delivered, <, lookups * 9 / 10);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/steering-model/image", test_image);
    g_test_add_func("/steering-model/lookup", test_model);
    return g_test_run();
}
