/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random tests. RX: random records, segmentation, loss, reordering, duplicates,
 * overlaps (with the same or other bytes), damage, and right, wrong and late
 * approvals, compared with the reference tracker of tls-model.c: flag, bytes
 * and GET_PSV must agree after every packet, and the checker (tls_strict.h)
 * must not report anything. TX: random segmentation and retransmission like a
 * driver's, compared with records sealed whole.
 *
 *   MLX5_TEST_SEED=n     the same run again (printed by every run)
 *   MLX5_TEST_PACKETS=n  RX packets, 20000 if not set
 *   MLX5_TEST_SCRIPT=f   replay one RX case from a file instead
 *   MLX5_TEST_REPLAY=f   write the script of an RX case that fails to this file
 *
 * A case that fails is shrunk and printed as such a script.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <glib/gstdio.h>

#include "tls-model.h"
#include "tls-strict-bench.h"
#include "tls_rx.h"
#include "tls_tx.h"

#define PACKETS_PER_CASE    400
#define DEK                 0x123456u   /* of ref_static_image() */
#define CANDIDATE_ROWS      (MLX5_TLS_RX_ROW_BIT(MLX5_TLS_RX_ROW_CANDIDATE) | \
                             MLX5_TLS_RX_ROW_BIT(MLX5_TLS_RX_ROW_REPEAT))

/* ---- RX cases ------------------------------------------------------------ */

typedef enum OpKind {
    OP_PKT,         /* a packet */
    OP_FLIP,        /* a packet with bit (arg2 & 7) of its byte arg1 flipped */
    OP_FAKE,        /* a packet with a header of arg2 bytes at its byte arg1 */
    OP_OTHER,       /* a packet, its first arg1 bytes others, out of arg2 */
    OP_PSV,         /* GET_PSV: what the software knows from now on */
    OP_APPROVE,     /* static params for what it knows, if that is a record */
    OP_WRONG,       /* the same with a record number that is wrong */
    OP_TIMEOUT,
    OP_RESTART,     /* static params and SET_PSV anew at record arg1 */
    OP_KINDS
} OpKind;

static const char *const op_names[OP_KINDS] = {
    "pkt",     "flip",  "fake",    "other",   "psv",
    "approve", "wrong", "timeout", "restart",
};

typedef struct Op {
    OpKind kind;
    uint32_t pos, len;      /* packets: place in the stream */
    uint32_t arg1, arg2;
} Op;

/* What a peer may put in the place of bytes that it sends a second time. */
static void other_bytes(uint8_t *p, size_t len, uint32_t how)
{
    static const uint8_t header[MLX5_TLS_HDR_LEN] = { 23, 3, 3, 0, 64 };

    for (size_t i = 0; i < len; i++) {
        p[i] = how % 4 == 0 ? ~p[i] :
               how % 4 == 1 ? header[(i + how / 4) % sizeof(header)] :
               how % 4 == 2 ? 0 :
                              (uint8_t)(how = how * 1103515245 + 12347) >> 3;
    }
}

/* All that a case is made of; the stream follows from seed and sizes. */
typedef struct Case {
    uint32_t seed;          /* of keys and plaintext */
    unsigned v13, key_len;
    unsigned max_text, records;
    uint64_t first;         /* record number */
    uint32_t base;          /* sequence number */
    int32_t anchor;         /* next_record_tcp_sn - base */
    unsigned slots;
    Mlx5TlsKnobs knobs;
    GArray *ops;
} Case;

static RefStream *case_stream(const Case *c)
{
    GRand *rand = g_rand_new_with_seed(c->seed);
    RefStream *st;
    RefKeys k;

    ref_keys_random(&k, rand, c->v13, c->key_len);
    st = ref_stream_new(&k, c->first);
    for (unsigned i = 0; i < c->records; i++) {
        ref_stream_add(st, rand, c->v13 ? 23 : 20 + i % 4,
                       ref_rand_range(rand, c->v13, c->max_text));
    }
    g_rand_free(rand);
    return st;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* What the model says GET_PSV must be. */
static void model_psv(const Model *m, uint32_t base, uint32_t psv[3])
{
    static const uint32_t codes[] = {
        [M_START] = 0x00000000,     [M_SYNC] = 0x50000000,
        [M_CANDIDATE] = 0x40000000, [M_CHECK] = 0x60000000,
        [M_SEARCH] = 0x80000000,    [M_SILENT] = 0x80000000,
    };
    bool asked = m->resync != INT64_MIN;

    psv[0] = base + (uint32_t)m->next;
    psv[1] = asked ? base + (uint32_t)m->resync : 0;
    psv[2] = codes[m->state] | (m->off & 0xffffff);
}

/* To try out what happens on a disagreement: the model denies every flag 2. */
static bool model_lies;

typedef struct Totals {
    uint64_t packets, flags[4], states[MLX5_TLS_RX_STATES];
    uint64_t rows[MLX5_TLS_RX_ROW_END];
} Totals;

/* A case that runs: the engine, what checks it, and what the driver knows. */
typedef struct Run {
    const Case *c;
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKey *key;
    Mlx5TlsRx rx;
    Model m;
    StrictBench strict;
    uint32_t known;     /* sequence number of the header that is asked about */
    bool knows;
    Totals *totals;     /* NULL: nobody counts */
    char *why;          /* engine and model disagree */
} Run;

/* Gives the TIR static params, of which engine, checker and model learn. */
static Mlx5TlsRxStatic run_static(Run *run, uint64_t number, uint32_t resync)
{
    Mlx5TlsRxStatic ret;
    uint8_t image[64];

    ref_static_image(image, &run->st->keys, number, resync);
    ret = mlx5_tls_rx_set_static(&run->rx, image, run->key, NULL);
    mlx5_tls_strict_static(run->strict.s, MLX5_TLS_DIR_RX, 1, image, run->key);
    return ret;
}

/* Starts the context at record @number, @off bytes into the stream. */
static void run_start_at(Run *run, uint64_t number, int32_t off)
{
    uint8_t psv[12];

    run_static(run, number, 0);
    ref_progress_image(psv, run->c->base + off);
    mlx5_tls_rx_set_progress(&run->rx, psv);
    mlx5_tls_strict_progress(run->strict.s, MLX5_TLS_DIR_RX, 1, psv);
    model_start(&run->m, number, off);
    run->m.resync = INT64_MIN;
}

static void run_begin(Run *run, const Case *c, Totals *totals)
{
    *run = (Run) { .c = c, .st = case_stream(c), .totals = totals };
    run->engine = ref_engine_new(c->slots);
    run->key = ref_engine_key(&run->st->keys);
    *mlx5_tls_engine_knobs(run->engine) = c->knobs;
    mlx5_tls_rx_init(&run->rx, run->engine, 1);
    strict_bench_init(&run->strict, run->engine, true);
    mlx5_tls_strict_add(run->strict.s, MLX5_TLS_DIR_RX, 1);
    mlx5_tls_strict_dek_load(run->strict.s, DEK, run->key);
    model_init(&run->m, &run->st->keys, &c->knobs);
    run_start_at(run, c->first, c->anchor);
}

static void run_end(Run *run)
{
    model_clear(&run->m);
    strict_bench_clear(&run->strict);
    mlx5_tls_rx_clear(&run->rx);
    mlx5_tls_key_unref(run->key);
    mlx5_tls_engine_free(run->engine);
    ref_stream_free(run->st);
}

/* The bytes of a packet, with what @op does to them. */
static uint8_t *run_bytes(const Run *run, const Op *op)
{
    uint8_t *in = g_memdup2(run->st->wire->data + op->pos, op->len);
    uint8_t fake[5] = { 23, 3, 3, op->arg2 >> 8, op->arg2 };

    if (op->kind == OP_FLIP) {
        in[op->arg1] ^= 1 << (op->arg2 & 7);
    } else if (op->kind == OP_FAKE) {
        memcpy(in + op->arg1, fake, MIN(5, op->len - op->arg1));
    } else if (op->kind == OP_OTHER) {
        other_bytes(in, op->arg1, op->arg2);
    }
    return in;
}

static void run_packet(Run *run, const Op *op)
{
    g_autofree uint8_t *in = run_bytes(run, op);
    g_autofree uint8_t *out = g_memdup2(in, op->len);
    g_autofree uint8_t *expected = g_malloc(op->len);
    uint32_t seq = run->c->base + op->pos;
    Totals *totals = run->totals;
    Mlx5TlsRxResult res;
    int flag;

    mlx5_tls_rx_packet(&run->rx, seq, out, op->len, &res);
    mlx5_tls_strict_rx_packet(run->strict.s, 1, seq, in, out, op->len, res.flag,
                              res.rows & CANDIDATE_ROWS, res.hw_resync_tcp_sn);
    flag = model_packet(&run->m, op->pos, in, op->len, expected);
    if (model_lies && flag == MLX5_TLS_FLAG_RESYNC) {
        flag = MLX5_TLS_FLAG_NOT_DECRYPTED;
    }
    if ((int)res.flag != flag) {
        run->why = g_strdup_printf("flag %d, expected %d", res.flag, flag);
    } else if (memcmp(out, expected, op->len)) {
        run->why = g_strdup_printf("flag %d, delivered bytes differ", flag);
    }
    if (totals) {
        totals->packets++;
        totals->flags[res.flag]++;
        totals->states[res.state_after]++;
        for (unsigned r = 1; r < MLX5_TLS_RX_ROW_END; r++) {
            totals->rows[r] += res.rows >> r & 1;
        }
    }
}

/* The software answers the last GET_PSV that asked, perhaps @wrong. */
static void run_answer(Run *run, bool wrong)
{
    for (unsigned r = 0; run->knows && r < run->st->recs->len; r++) {
        const RefRecord *rec = ref_rec(run->st, r);
        Mlx5TlsRxStatic ret;
        bool approved;

        if (run->c->base + rec->off != run->known) {
            continue;
        }
        ret = run_static(run, rec->number + wrong, run->known);
        approved = model_static(&run->m, rec->number + wrong, rec->off);
        if ((ret == MLX5_TLS_RX_STATIC_APPROVED) != approved) {
            run->why = g_strdup_printf("approval %d, not %d", ret, approved);
        }
        run->knows = false;
    }
}

static void run_op(Run *run, const Op *op)
{
    const RefRecord *rec;
    uint8_t psv[12];

    switch (op->kind) {
    case OP_PKT:
    case OP_FLIP:
    case OP_FAKE:
    case OP_OTHER:
        run_packet(run, op);
        break;
    case OP_PSV:
        mlx5_tls_rx_get_progress(&run->rx, psv);
        run->knows = psv[8] == 0x40;
        run->known = be32(psv + 4);
        break;
    case OP_APPROVE:
    case OP_WRONG:
        run_answer(run, op->kind == OP_WRONG);
        break;
    case OP_TIMEOUT:
        mlx5_tls_rx_resync_timeout(&run->rx);
        model_timeout(&run->m);
        break;
    case OP_RESTART:
        rec = ref_rec(run->st, op->arg1);
        run_start_at(run, rec->number, rec->off);
        run->knows = false;
        break;
    default:
        g_assert_not_reached();
    }
}

/* Do GET_PSV and the checker say what they must? */
static void run_compare(Run *run)
{
    uint8_t psv[12];
    uint32_t want[3];

    mlx5_tls_rx_get_progress(&run->rx, psv);
    model_psv(&run->m, run->c->base, want);
    for (int k = 0; k < 3 && !run->why; k++) {
        if (be32(psv + 4 * k) != want[k]) {
            run->why = g_strdup_printf("GET_PSV word %d: %08x, expected %08x",
                                       k, be32(psv + 4 * k), want[k]);
        }
    }
    if (run->strict.total && !run->why) {
        run->why = g_strdup_printf("the checker says %s", run->strict.last);
    }
}

/*
 * Run a case on engine and model. Returns the index of the first op after which
 * they disagree, with the difference in *why, or -1.
 */
static int case_run(const Case *c, Totals *totals, char **why)
{
    int bad = -1;
    Run run;

    run_begin(&run, c, totals);
    for (unsigned i = 0; i < c->ops->len && bad < 0; i++) {
        run_op(&run, &g_array_index(c->ops, Op, i));
        run_compare(&run);
        if (run.why) {
            *why = run.why;
            bad = i;
        }
    }
    run_end(&run);
    return bad;
}

/* ---- scripts ------------------------------------------------------------- */

static void case_print(const Case *c, FILE *f)
{
    fprintf(f,
            "stream seed=%u v13=%u key=%u max=%u records=%u first=%" PRIu64
            " base=%u anchor=%d slots=%u\n",
            c->seed, c->v13, c->key_len, c->max_text, c->records, c->first,
            c->base, c->anchor, c->slots);
    for (unsigned i = 0; mlx5_tls_knobs_name(i); i++) {
        g_autofree char *value =
            mlx5_tls_knobs_print(&c->knobs, mlx5_tls_knobs_name(i));

        fprintf(f, "knob %s %s\n", mlx5_tls_knobs_name(i), value);
    }
    for (unsigned i = 0; i < c->ops->len; i++) {
        const Op *op = &g_array_index(c->ops, Op, i);

        fprintf(f, "%s %u %u %u %u\n", op_names[op->kind], op->pos, op->len,
                op->arg1, op->arg2);
    }
}

static void case_read(Case *c, const char *name)
{
    g_autoptr(RefStream) st = NULL;
    FILE *f = fopen(name, "r");
    char line[256];

    if (!f) {
        g_error("MLX5_TEST_SCRIPT=%s: cannot be opened", name);
    }
    memset(c, 0, sizeof(*c));
    mlx5_tls_knobs_init(&c->knobs);
    c->ops = g_array_new(FALSE, FALSE, sizeof(Op));
    while (fgets(line, sizeof(line), f)) {
        char word[64], value[64];
        Op op = { 0 };

        if (sscanf(line, "stream seed=%u v13=%u key=%u max=%u records=%u "
                   "first=%" SCNu64 " base=%u anchor=%d slots=%u", &c->seed,
                   &c->v13, &c->key_len, &c->max_text, &c->records, &c->first,
                   &c->base, &c->anchor, &c->slots) == 9) {
            continue;
        }
        if (sscanf(line, "knob %63s %63s", word, value) == 2) {
            char *err = mlx5_tls_knobs_parse(&c->knobs, word, value);

            if (err) {
                g_error("%s: %s", name, err);
            }
            continue;
        }
        if (sscanf(line, "%63s %u %u %u %u", word, &op.pos, &op.len, &op.arg1,
                   &op.arg2) == 5) {
            for (op.kind = 0; op.kind < OP_KINDS; op.kind++) {
                if (g_str_equal(word, op_names[op.kind])) {
                    break;
                }
            }
            if (op.kind < OP_KINDS) {
                g_array_append_val(c->ops, op);
                continue;
            }
        }
        g_error("%s: cannot read line: %s", name, line);
    }
    fclose(f);
    if (c->records == 0 || (c->key_len != 16 && c->key_len != 32) ||
        c->v13 > 1 || c->max_text < c->v13 || c->max_text > 16384 + c->v13) {
        g_error("%s: expected a stream line with records=1.., key=16 or 32, "
                "v13=0 or 1, max=v13..16384", name);
    }
    st = case_stream(c);
    for (unsigned i = 0; i < c->ops->len; i++) {
        const Op *op = &g_array_index(c->ops, Op, i);
        bool packet = op->kind <= OP_OTHER;

        if ((packet &&
             (op->pos > st->wire->len || op->len > st->wire->len - op->pos)) ||
            (packet && op->kind != OP_PKT && op->arg1 >= op->len) ||
            (op->kind == OP_RESTART && op->arg1 >= c->records)) {
            g_error(
                "%s: op %u (%s %u %u %u %u) lies outside the stream of "
                "%u bytes, %u records",
                name, i, op_names[op->kind], op->pos, op->len, op->arg1,
                op->arg2, st->wire->len, c->records);
        }
    }
}

/* Leave out what is not needed for the disagreement, in ever smaller pieces. */
static void case_shrink(Case *c)
{
    char *why = NULL;
    int bad = case_run(c, NULL, &why);

    g_clear_pointer(&why, g_free);
    g_array_set_size(c->ops, bad + 1);
    for (guint n = c->ops->len / 2; n > 0; ) {
        bool shorter = false;

        for (guint at = 0; at + n < c->ops->len; ) {
            GArray *all = c->ops, *fewer = g_array_copy(all);

            g_array_remove_range(fewer, at, n);
            c->ops = fewer;
            bad = case_run(c, NULL, &why);
            g_clear_pointer(&why, g_free);
            if (bad >= 0) {
                g_array_set_size(fewer, bad + 1);
                g_array_unref(all);
                shorter = true;
            } else {
                c->ops = all;
                g_array_unref(fewer);
                at += n;
            }
        }
        n = shorter && n > 1 ? n : n / 2;
    }
}

static void case_save(const Case *c, const char *name)
{
    FILE *f = fopen(name, "w");

    if (!f) {
        g_error("%s: cannot be written", name);
    }
    case_print(c, f);
    if (fclose(f)) {
        g_error("%s: cannot be written", name);
    }
}

static void case_fail(Case *c, uint32_t seed)
{
    const char *name = g_getenv("MLX5_TEST_REPLAY");
    char *why = NULL;

    case_shrink(c);
    case_run(c, NULL, &why);
    if (name) {
        case_save(c, name);
        g_error(
            "engine and model disagree after %u steps: %s (MLX5_TEST_SEED=%u); "
            "replay with MLX5_TEST_SCRIPT=%s",
            c->ops->len, why, seed, name);
    }
    fprintf(
        stderr,
        "# after the last line: %s\n# MLX5_TEST_SEED=%u; put the lines below "
        "into a file and run with MLX5_TEST_SCRIPT=<file>\n",
        why, seed);
    case_print(c, stderr);
    g_error("engine and model disagree: %s", why);
}

/* ---- making cases -------------------------------------------------------- */

static bool chance(GRand *rand, unsigned percent)
{
    return ref_rand_range(rand, 0, 99) < percent;
}

static void add_packet(Case *c, GRand *rand, uint32_t pos, uint32_t len,
                       unsigned damage)
{
    Op op = { .kind = OP_PKT, .pos = pos, .len = len };

    if (chance(rand, damage)) {
        op.kind = chance(rand, 50) ? OP_FLIP : OP_FAKE;
        op.arg1 = ref_rand_range(rand, 0, len - 1);
        op.arg2 = ref_rand_range(rand, 0, 600);
    }
    g_array_append_val(c->ops, op);
}

/*
 * Bytes sent before, `back` of them, and more; those before may be other ones
 * now.
 */
static void add_again(Case *c, GRand *rand, uint32_t pos, uint32_t back,
                      uint32_t len, unsigned other, unsigned damage)
{
    Op op = { .kind = OP_OTHER, .pos = pos - back, .len = len };

    if (!chance(rand, other)) {
        add_packet(c, rand, pos - back, len, damage);
        return;
    }
    op.arg1 = chance(rand, 80) ? MIN(back, len - 1) :
                                 ref_rand_range(rand, 0, len - 1);
    op.arg2 = g_rand_int(rand);
    g_array_append_val(c->ops, op);
}

/*
 * How long a packet from pos on is that ends in the next header, past its first
 * byte.
 */
static uint32_t into_header(GRand *rand, const RefStream *st, uint32_t pos)
{
    for (guint i = 0; i < st->recs->len; i++) {
        uint32_t end = ref_rec(st, i)->off + ref_rand_range(rand, 1, 4);

        if (end > pos) {
            return end - pos;
        }
    }
    return 1;
}

/* All of a case but ops and anchor, for packets of @segment bytes. */
static void case_settings(Case *c, GRand *rand, unsigned segment)
{
    static const unsigned texts[] = { 0, 30, 300, 2000, 16384 };
    unsigned records;

    memset(c, 0, sizeof(*c));
    c->seed = g_rand_int(rand);
    c->v13 = ref_rand_range(rand, 0, 1);
    c->key_len = chance(rand, 50) ? 16 : 32;
    c->max_text =
        texts[ref_rand_range(rand, 0, G_N_ELEMENTS(texts) - 1)] + c->v13;
    /* about as many bytes as the packets of a case carry, within reason */
    records =
        (uint64_t)PACKETS_PER_CASE * segment / 2 / (c->max_text / 2 + 30) + 3;
    c->records = MIN(records, MIN(2000u, 2000000 / (c->max_text / 2 + 30)));
    c->first = chance(rand, 20) ? UINT64_MAX - 3 : g_rand_int(rand);
    c->base =
        chance(rand, 50) ? -ref_rand_range(rand, 0, 50000) : g_rand_int(rand);
    c->slots = ref_rand_range(rand, 1, 3);
    mlx5_tls_knobs_init(&c->knobs);
    c->knobs.rx_resync_flag_at =
        chance(rand, 60) ? 0 : ref_rand_range(rand, 1, 2);
    c->knobs.resync_repeat = chance(rand, 60) ? 0 : ref_rand_range(rand, 1, 2);
    c->knobs.resync_repeat_records = ref_rand_range(rand, 1, 10);
    c->knobs.bad_tag_action = chance(rand, 30);
    c->knobs.rx_error_bytes = ref_rand_range(rand, 0, 2);
    c->knobs.search_pattern = chance(rand, 15);
    c->knobs.auth_stage_off = chance(rand, 20);
    c->knobs.start_order_tolerance = chance(rand, 80) ? 1 << 24 : 100;
    c->ops = g_array_new(FALSE, FALSE, sizeof(Op));
}

/* A case with its own mix of sizes, disorder and answers. */
static void case_make(Case *c, GRand *rand)
{
    static const unsigned segments[] = { 1, 8, 100, 1448, 1448, 9000, 65536 };
    unsigned segment =
        segments[ref_rand_range(rand, 0, G_N_ELEMENTS(segments) - 1)];
    unsigned loss = ref_rand_range(rand, 0, 3) * ref_rand_range(rand, 0, 4);
    unsigned reorder = ref_rand_range(rand, 0, 1) * ref_rand_range(rand, 0, 20);
    unsigned damage = ref_rand_range(rand, 0, 1) * ref_rand_range(rand, 0, 5);
    unsigned answers = ref_rand_range(rand, 1, 60);
    /* a peer that sends again with other bytes, and cuts headers */
    unsigned other = ref_rand_range(rand, 0, 1) * ref_rand_range(rand, 0, 60);
    unsigned split = ref_rand_range(rand, 0, 1) * ref_rand_range(rand, 0, 60);
    g_autoptr(RefStream) st = NULL;
    GArray *late = g_array_new(FALSE, FALSE, sizeof(Op));
    uint32_t pos = 0;

    case_settings(c, rand, segment);
    st = case_stream(c);
    c->anchor = chance(rand, 70) ? 0 :
                (int32_t)ref_rand_range(rand, 0, 2000) - 1000;

    while (pos < st->wire->len && c->ops->len < PACKETS_PER_CASE) {
        uint32_t len = chance(rand, split) ? into_header(rand, st, pos) :
                       chance(rand, 60)    ? segment :
                                             ref_rand_range(rand, 1, segment);

        len = MIN(len, st->wire->len - pos);
        if (chance(rand, loss)) {
            /* comes later, or never */
            Op op = { .kind = OP_PKT, .pos = pos, .len = len };

            if (chance(rand, 80)) {
                g_array_append_val(late, op);
            }
        } else if (chance(rand, reorder)) {
            Op op = { .kind = OP_PKT, .pos = pos, .len = len };

            g_array_append_val(late, op);
        } else {
            add_packet(c, rand, pos, len, damage);
        }
        pos += len;
        while (late->len && chance(rand, 30)) {
            guint i = ref_rand_range(rand, 0, late->len - 1);
            Op op = g_array_index(late, Op, i);

            add_packet(c, rand, op.pos, op.len, damage);
            g_array_remove_index_fast(late, i);
        }
        if (chance(rand, loss) || chance(rand, other)) {
            /* some bytes again, perhaps with new ones behind them */
            uint32_t most = chance(rand, other) ? 12 : 2 * segment + 10;
            uint32_t back = ref_rand_range(rand, 1, MIN(pos, most));
            uint32_t more = ref_rand_range(rand, 0, back + segment);

            more = MIN(more, st->wire->len - (pos - back) - 1);
            add_again(c, rand, pos, back, more + 1, other, damage);
            pos = MAX(pos, pos - back + more + 1);
        }
        for (int k = OP_PSV; k <= OP_RESTART; k++) {
            static const unsigned weight[OP_KINDS] = {
                [OP_PSV] = 100,    [OP_APPROVE] = 100, [OP_WRONG] = 10,
                [OP_TIMEOUT] = 20, [OP_RESTART] = 1,
            };
            Op op = { .kind = k,
                      .arg1 = ref_rand_range(rand, 0, c->records - 1) };

            if (ref_rand_range(rand, 0, 9999) < answers * weight[k]) {
                g_array_append_val(c->ops, op);
            }
        }
    }
    g_array_unref(late);
}

static void test_rx(void)
{
    const char *script = g_getenv("MLX5_TEST_SCRIPT");
    uint64_t packets = ref_env("MLX5_TEST_PACKETS", 20000);
    Totals t = { 0 };
    char *why = NULL;
    uint32_t seed;
    GRand *rand;
    Case c;

    if (script) {
        case_read(&c, script);
        if (case_run(&c, NULL, &why) >= 0) {
            g_error("%s: %s", script, why);
        }
        g_array_unref(c.ops);
        return;
    }
    rand = ref_rand_new(&seed);
    while (t.packets < packets) {
        case_make(&c, rand);
        if (case_run(&c, &t, &why) >= 0) {
            case_fail(&c, seed);
        }
        g_array_unref(c.ops);
    }
    g_rand_free(rand);
    g_test_message("%" PRIu64 " packets, flags 0..3: %" PRIu64 " %" PRIu64
                   " %" PRIu64 " %" PRIu64,
                   t.packets, t.flags[0], t.flags[1], t.flags[2], t.flags[3]);
    for (unsigned i = 1; i < MLX5_TLS_RX_ROW_END; i++) {
        if (t.rows[i]) {
            g_test_message("%8" PRIu64 "  %s", t.rows[i],
                           mlx5_tls_rx_row_str(i));
        }
    }
    /* a test that reaches nothing proves nothing */
    if (packets < 10000) {
        return;
    }
    for (int i = 0; i < 4; i++) {
        g_assert_cmpuint(t.flags[i], >, 0);
    }
    for (int i = MLX5_TLS_RX_START; i < MLX5_TLS_RX_STATES; i++) {
        g_assert_cmpuint(t.states[i], >, 0);
    }
}

/*
 * A disagreement is found, shrunk to what it takes, the same when read from a
 * file.
 */
static void test_shrink(void)
{
    GRand *rand = ref_rand_new(NULL);

    for (int found = 0; found < 10; ) {
        g_autofree char *name = NULL;
        char *why = NULL, *again = NULL;
        guint before;
        Case c, read;
        int fd;

        case_make(&c, rand);
        model_lies = true;
        if (case_run(&c, NULL, &why) < 0) {
            g_array_unref(c.ops);
            continue;
        }
        found++;
        g_clear_pointer(&why, g_free);
        before = c.ops->len;
        case_shrink(&c);
        g_assert_cmpuint(c.ops->len, <=, before);
        /*
         * the packet, and at most what got there: a loss, GET_PSV, an answer, a
         * header
         */
        g_assert_cmpuint(c.ops->len, <=, 12);
        g_assert_cmpint(case_run(&c, NULL, &why), ==, c.ops->len - 1);

        fd = g_file_open_tmp("mlx5-case-XXXXXX", &name, NULL);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
        case_save(&c, name);
        case_read(&read, name);
        g_unlink(name);
        g_assert_cmpuint(read.ops->len, ==, c.ops->len);
        g_assert_cmpint(case_run(&read, NULL, &again), ==, c.ops->len - 1);
        g_assert_cmpstr(why, ==, again);
        model_lies = false;
        g_free(why);
        g_free(again);
        g_assert_cmpint(case_run(&read, NULL, &why), ==, -1);
        g_array_unref(c.ops);
        g_array_unref(read.ops);
    }
    g_rand_free(rand);
}

/* ---- TX ------------------------------------------------------------------ */

/*
 * What a driver does before it sends from byte @from on: static params of the
 * record that the byte is in, SET_PSV, and DUMPs of what is before it.
 */
static void tx_go_back(Mlx5TlsTx *tx, StrictBench *strict, Mlx5TlsKey *key,
                       const RefStream *st, size_t from, GRand *rand)
{
    uint8_t image[64], psv[12];
    Mlx5TlsTxResult res;
    unsigned r = 0;
    size_t pos;

    while (r + 1 < st->recs->len && ref_rec(st, r + 1)->off <= from) {
        r++;
    }
    ref_static_image(image, &st->keys, ref_rec(st, r)->number, 0);
    ref_progress_image(psv, 0);
    mlx5_tls_tx_set_static(tx, image, key);
    mlx5_tls_tx_set_progress(tx, psv);
    strict_bench_wqe(strict, 1, true);
    mlx5_tls_strict_static(strict->s, MLX5_TLS_DIR_TX, 1, image, key);
    mlx5_tls_strict_progress(strict->s, MLX5_TLS_DIR_TX, 1, psv);
    for (pos = ref_rec(st, r)->off; pos < from; ) {
        size_t n = ref_rand_range(rand, 1, 9000);

        n = MIN(n, from - pos);
        mlx5_tls_tx_dump(tx, st->tx->data + pos, n, &res);
        g_assert_cmpint(res.reason, ==, MLX5_TLS_REASON_NONE);
        strict_bench_wqe(strict, 1, true);
        mlx5_tls_strict_tx_dump(strict->s, 1, st->tx->data + pos, n,
                                true);
        pos += n;
    }
}

/*
 * Send a stream as a driver does: in order, with jumps back that begin with the
 * record's static params, SET_PSV and DUMPs, with packets that are lost before
 * the device (they come by DUMP), with packets out of place (they are dropped).
 */
static void tx_case(GRand *rand)
{
    RefKeys k;
    RefStream *st;
    Mlx5TlsEngine *engine = ref_engine_new(ref_rand_range(rand, 1, 2));
    unsigned max = chance(rand, 50) ? 100 : 16384;
    uint32_t base = g_rand_int(rand);
    size_t next = 0;            /* what the device expects */
    bool synced = false;
    StrictBench strict;
    Mlx5TlsKey *key;
    Mlx5TlsTx tx;

    ref_keys_random(&k, rand, chance(rand, 50), chance(rand, 50) ? 16 : 32);
    st = ref_stream_new(&k, g_rand_int(rand));
    for (int i = 0; i < 60; i++) {
        ref_stream_add(st, rand, 23, ref_rand_range(rand, 1, max));
    }
    key = ref_engine_key(&k);
    mlx5_tls_tx_init(&tx, engine, 1);
    strict_bench_init(&strict, engine, true);
    mlx5_tls_strict_add(strict.s, MLX5_TLS_DIR_TX, 1);
    mlx5_tls_strict_dek_load(strict.s, DEK, key);

    for (int i = 0; i < 300; i++) {
        size_t from = chance(rand, 80) && synced ? next :
                      ref_rand_range(rand, 0, st->wire->len - 1);
        size_t len = ref_rand_range(rand, 1, chance(rand, 50) ? 200 : 65536);
        g_autofree uint8_t *buf = NULL;
        Mlx5TlsTxResult res;

        if (from >= st->wire->len) {
            from = 0;
        }
        len = MIN(len, st->wire->len - from);
        buf = g_memdup2(st->tx->data + from, len);
        if (!synced || from != next) {
            if (synced) {
                /* without the way back the device must refuse it */
                mlx5_tls_tx_packet(&tx, base + from, buf, len, &res);
                g_assert_cmpint(res.verdict, ==, MLX5_TLS_TX_DROP);
                g_assert_cmpint(res.row, ==, 8);
                ref_assert_equal(buf, st->tx->data + from, len, "refused");
            }
            tx_go_back(&tx, &strict, key, st, from, rand);
        } else if (chance(rand, 10)) {
            /*
             * the device never saw [next, from): dump it instead of a new start
             */
            size_t skip = ref_rand_range(rand, 0, len - 1);

            mlx5_tls_tx_dump(&tx, buf, skip, &res);
            mlx5_tls_strict_tx_dump(strict.s, 1, buf, skip, true);
            from += skip;
            len -= skip;
            memcpy(buf, st->tx->data + from, len);
        }
        strict_bench_wqe(&strict, 1, true);
        mlx5_tls_strict_tx_plain(strict.s, 1, buf, len);
        mlx5_tls_tx_packet(&tx, base + from, buf, len, &res);
        g_assert_cmpint(res.verdict, ==, MLX5_TLS_TX_SEND);
        ref_assert_equal(buf, st->wire->data + from, len, "sent");
        mlx5_tls_strict_tx_passed(strict.s, 1, base + from);
        for (size_t off = 0; off < len; off += 1400) {
            mlx5_tls_strict_tx_frame(strict.s, 1, true, base + from + off,
                                     buf + off, MIN(1400, len - off));
        }
        strict_bench_cqe(&strict, 1);
        g_assert_cmpstr(strict.last, ==, NULL);
        next = from + len;
        synced = true;
    }
    strict_bench_clear(&strict);
    mlx5_tls_tx_clear(&tx);
    mlx5_tls_key_unref(key);
    mlx5_tls_engine_free(engine);
    ref_stream_free(st);
}

static void test_tx(void)
{
    uint64_t packets = ref_env("MLX5_TEST_PACKETS", 20000) / 4;
    GRand *rand = ref_rand_new(NULL);

    for (uint64_t n = 0; n < packets; n += 300) {
        tx_case(rand);
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/random/rx", test_rx);
    g_test_add_func("/tls/random/shrink", test_shrink);
    g_test_add_func("/tls/random/tx", test_tx);
    return g_test_run();
}
