/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of property ranges: each property at both limits, and one beyond each;
 * and the meaning of the limits. The table below has a row for each property,
 * and the test checks that the device has no others. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"

#define MS 1000000ll
#define CAP_GENERAL 0

/* Kinds of properties. */
enum {
    NUMBER,    /* min..max */
    WORDS,  /* one of words[]; knobs: a number, min..max, too if max is not 0 */
    FLAG,
    TEXT,      /* anything, or what a test of its own checks */
    READ_ONLY,
    OF_QEMU,   /* one that all NICs have; what it takes is QEMU's affair */
};

static const struct Property {
    const char *name;
    int kind;
    int64_t min;
    int64_t max;
    const char *words[4];
    /* NUMBER: what else must be set, so that max is the end of the range */
    const char *with;
    int64_t with_value;
} properties[] = {
    { "profile", WORDS, .words = { "cx6dx", "cx7", "bf2", "bf3" } },
    { "caps", TEXT },
    { "vectors", NUMBER, 2, 256 },
    { "rx-hold-ms", NUMBER, 0, 60000 },
    { "log-max-tis", NUMBER, 4, 20 },
    { "log-max-tir", NUMBER, 6, 20 },
    { "log-max-dek", NUMBER, 1, 20, .with = "log-dek-max-alloc" },
    { "log-dek-max-alloc", NUMBER, 0, 20, .with = "log-max-dek",
      .with_value = 20 },
    { "memory-limit", NUMBER, 0, INT64_MAX },
    { "line-rate", NUMBER, 0, 400000 },
    { "link-partner", TEXT },
    { "resync-timeout-ms", NUMBER, 0, 3600000 },
    { "rx-no-buffer", WORDS, .words = { "hold", "drop" } },
    { "striding-rq", FLAG },
    { "lro", FLAG },
    { "cqe-compression", WORDS, .words = { "off", "basic", "enhanced" } },
    { "tls-tx", FLAG },
    { "tls-rx", FLAG },
    { "strict", FLAG },
    { "tx-seq-check", WORDS, .words = { "drop", "error-cqe", "ignore" } },
    { "rx-resync-flag-at", WORDS, .words = { "magic", "loss", "both" } },
    { "resync-repeat", WORDS, 1, 0xffffff, .words = { "never", "timeout" } },
    { "bad-tag-action", WORDS, .words = { "continue", "search" } },
    { "rx-error-bytes", WORDS, .words = { "record", "packet", "wire" } },
    { "search-pattern", WORDS, .words = { "strict", "magic-only" } },
    { "auth-stage", WORDS, .words = { "on", "off" } },
    { "start-order-tolerance", WORDS, 1, INT32_MAX },
    { "start-anchor-from-static", WORDS, .words = { "on", "off" } },
    { "lax-params", WORDS, .words = { "on", "off" } },
    { "mac", OF_QEMU },
    { "netdev", OF_QEMU },
    { "bootindex", OF_QEMU },
    { "record-log", TEXT },
    { "record-log-max", NUMBER, 0, INT64_MAX },
    { "capture", TEXT },
    { "capture-max", NUMBER, 0, INT64_MAX },
    { "fault", TEXT },
    { "fault-release", TEXT },
    { "fault-clear", TEXT },
    { "fill-reserved", TEXT },
    { "capabilities", READ_ONLY },
    { "fault-help", READ_ONLY },
    { "faults", READ_ONLY },
    { "objects", READ_ONLY },
    { "counters", READ_ONLY },
    { "memory-used", READ_ONLY },
    { "tls-rows", READ_ONLY },
    { "strict-violations", READ_ONLY },
};

/* Root ports, so that each device that a test makes has a place of its own. */
enum { PORTS = 64 };

typedef struct Bench {
    QTestState *qts;
    unsigned used;
} Bench;

static Bench bench_start(void)
{
    g_autoptr(GString) args = g_string_new("-machine q35 -nodefaults");
    unsigned i;

    for (i = 0; i < PORTS; i++) {
        g_string_append_printf(args,
                               " -device pcie-root-port,id=rp%u,chassis=%u,"
                               "addr=%x.%x,multifunction=on",
                               i, i, 2 + i / 8, i % 8);
    }
    return (Bench) { .qts = qtest_init(args->str) };
}

/* Plugs a device with @name=@value; the error, or NULL. Takes over @value. */
static char *plug(Bench *b, const struct Property *p, QObject *value)
{
    g_autofree char *id = g_strdup_printf("nic%u", b->used);
    g_autofree char *bus = g_strdup_printf("rp%u", b->used);
    QDict *args = qdict_new(), *rsp, *error;
    char *desc = NULL;

    g_assert_cmpuint(b->used, <, PORTS);
    qdict_put_str(args, "driver", "mlx5-ktls");
    qdict_put_str(args, "id", id);
    qdict_put_str(args, "bus", bus);
    qdict_put_obj(args, p->name, value);
    if (p->with) {
        qdict_put_int(args, p->with, p->with_value);
    }
    rsp = qtest_qmp(b->qts, "{'execute': 'device_add', 'arguments': %p}", args);
    error = qdict_get_qdict(rsp, "error");
    if (error) {
        desc = g_strdup(qdict_get_str(error, "desc"));
        g_test_message("%s", desc);
    } else {
        b->used++;
    }
    qobject_unref(rsp);
    return desc;
}

/* What the device that was plugged last says of a property. */
static QDict *ask(Bench *b, const char *name)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/nic%u",
                                            b->used - 1);
    QDict *rsp = qtest_qmp(b->qts, "{'execute': 'qom-get', 'arguments': "
                           "{'path': %s, 'property': %s}}", path, name);

    g_assert_true(qdict_haskey(rsp, "return"));
    return rsp;
}

static void takes_number(Bench *b, const struct Property *p, int64_t value)
{
    g_autofree char *why = plug(b, p, QOBJECT(qnum_from_int(value)));
    QDict *rsp;

    g_assert_null(why);
    rsp = ask(b, p->name);
    g_assert_cmpint(qdict_get_int(rsp, "return"), ==, value);
    qobject_unref(rsp);
}

static void takes_text(Bench *b, const struct Property *p, const char *value)
{
    g_autofree char *why = plug(b, p, QOBJECT(qstring_from_str(value)));
    QDict *rsp;

    g_assert_null(why);
    rsp = ask(b, p->name);
    g_assert_cmpstr(qdict_get_str(rsp, "return"), ==, value);
    qobject_unref(rsp);
}

static void takes_flag(Bench *b, const struct Property *p, bool value)
{
    g_autofree char *why = plug(b, p, QOBJECT(qbool_from_bool(value)));
    QDict *rsp;

    g_assert_null(why);
    rsp = ask(b, p->name);
    g_assert_true(qdict_get_bool(rsp, "return") == value);
    qobject_unref(rsp);
}

/* The message names the property and, where the device writes it, @expected. */
static void refuses(Bench *b, const struct Property *p, QObject *value,
                    const char *expected)
{
    g_autofree char *why = plug(b, p, value);

    g_assert_nonnull(why);
    g_assert_nonnull(strstr(why, p->name));
    g_assert_true(!expected || strstr(why, expected));
}

static void test_numbers(void)
{
    Bench b = bench_start();
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(properties); i++) {
        const struct Property *p = &properties[i];
        g_autofree char *max = g_strdup_printf("%" PRId64, p->max);

        if (p->kind != NUMBER) {
            continue;
        }
        g_test_message("%s", p->name);
        takes_number(&b, p, p->min);
        takes_number(&b, p, p->max);
        refuses(&b, p, QOBJECT(qnum_from_int(p->min - 1)), NULL);
        refuses(&b, p, QOBJECT(qnum_from_uint(p->max + 1ull)), max);
        refuses(&b, p, QOBJECT(qstring_from_str("many")), NULL);
    }
    qtest_quit(b.qts);
}

static void test_words(void)
{
    Bench b = bench_start();
    unsigned i, w;

    for (i = 0; i < G_N_ELEMENTS(properties); i++) {
        const struct Property *p = &properties[i];
        g_autofree char *min = g_strdup_printf("%" PRId64, p->min);
        g_autofree char *max = g_strdup_printf("%" PRId64, p->max);
        g_autofree char *above = g_strdup_printf("%" PRId64, p->max + 1);

        if (p->kind == FLAG) {
            takes_flag(&b, p, true);
            takes_flag(&b, p, false);
        } else if (p->kind != WORDS) {
            continue;
        }
        g_test_message("%s", p->name);
        for (w = 0; w < G_N_ELEMENTS(p->words) && p->words[w]; w++) {
            takes_text(&b, p, p->words[w]);
        }
        if (p->max) {
            takes_text(&b, p, min);
            takes_text(&b, p, max);
            refuses(&b, p, QOBJECT(qstring_from_str("0")), max);
            refuses(&b, p, QOBJECT(qstring_from_str("-1")), max);
            refuses(&b, p, QOBJECT(qstring_from_str(above)), max);
        }
        refuses(&b, p, QOBJECT(qstring_from_str("no-such-word")), NULL);
        refuses(&b, p, QOBJECT(qstring_from_str("")), NULL);
    }
    qtest_quit(b.qts);
}

/* Properties of @type, or NULL when it has none of them. */
static QList *list_of(QTestState *qts, const char *type)
{
    QDict *rsp = qtest_qmp(qts, "{'execute': 'qom-list-properties', "
                           "'arguments': {'typename': %s}}", type);
    QList *list = qdict_get_qlist(rsp, "return");

    qobject_ref(list);
    qobject_unref(rsp);
    return list;
}

static const char *type_in(QList *list, const char *name)
{
    const QListEntry *e;

    QLIST_FOREACH_ENTRY(list, e) {
        QDict *p = qobject_to(QDict, qlist_entry_obj(e));

        if (!strcmp(qdict_get_str(p, "name"), name)) {
            return qdict_get_str(p, "type");
        }
    }
    return NULL;
}

static bool is_number_type(const char *type)
{
    return g_str_has_prefix(type, "uint") || g_str_has_prefix(type, "int") ||
           !strcmp(type, "size");
}

/*
 * Each property of the device has a row, of a kind that fits; each row exists.
 */
static void test_rows(void)
{
    QTestState *qts = qtest_init("-machine none");
    QList *ours = list_of(qts, "mlx5-ktls"), *pci = list_of(qts, "pci-device");
    const QListEntry *e;
    unsigned i;

    QLIST_FOREACH_ENTRY(ours, e) {
        QDict *p = qobject_to(QDict, qlist_entry_obj(e));
        const char *name = qdict_get_str(p, "name");

        /* "break" is there in a build for the suite of that name only */
        if (type_in(pci, name) || !strcmp(name, "break")) {
            continue;
        }
        g_test_message("%s: %s", name, qdict_get_str(p, "type"));
        for (i = 0; i < G_N_ELEMENTS(properties); i++) {
            if (!strcmp(properties[i].name, name)) {
                break;
            }
        }
        g_assert_cmpuint(i, <, G_N_ELEMENTS(properties));
        if (properties[i].kind != OF_QEMU && properties[i].kind != READ_ONLY) {
            g_assert_cmpint(properties[i].kind == NUMBER, ==,
                            is_number_type(qdict_get_str(p, "type")));
        }
    }
    for (i = 0; i < G_N_ELEMENTS(properties); i++) {
        g_assert_nonnull(type_in(ours, properties[i].name));
    }
    qobject_unref(ours);
    qobject_unref(pci);
    qtest_quit(qts);
}

/* The last vector fires, and there is none behind it. */
static void test_vectors(void)
{
    static const unsigned count[] = { 2, 256 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(count); i++) {
        g_autofree char *props = g_strdup_printf(",vectors=%u", count[i]);
        Drv *d = drv_start_up(props);
        g_autofree uint8_t *in = NULL;
        uint32_t len;
        DrvEq eq, none;

        drv_msix_init(d);
        drv_eq_create(d, &eq, 4, count[i] - 1, 1ull << EVENT_CMD);
        drv_eq_update(d, &eq, true);
        drv_cmd_id_ok(d, OP_NOP, 0);
        DRV_WAIT(drv_msix_fired(d, count[i] - 1));
        in = drv_eq_cmd(d, &none, 4, count[i], 0, &len);
        drv_cmd_fails(d, in, len, 16, MLX5_STATUS_BAD_PARAM,
                      MLX5_SYN_EQ_BAD_VECTOR);
        drv_stop(d);
    }
}

/* What is announced is what was set. */
static void test_announced(void)
{
    static const struct {
        const char *props;
        unsigned tis, tir, dek, dek_alloc;
    } rows[] = {
        { ",log-max-tis=4,log-max-tir=6,log-max-dek=1,log-dek-max-alloc=1",
          4, 6, 1, 1 },
        { ",log-max-tis=20,log-max-tir=20,log-max-dek=20,log-dek-max-alloc=20",
          20, 20, 20, 20 },
    };
    uint8_t page[DRV_CAP_PAGE];
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_up(rows[i].props);

        drv_query_cap(d, CAP_GENERAL, false, page);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_tis), ==,
                         rows[i].tis);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_tir), ==,
                         rows[i].tir);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_dek), ==,
                         rows[i].dek);
        drv_query_cap(d, 0x1a, false, page);
        g_assert_cmpuint(MLX5_GET(crypto_cap, page, log_dek_max_alloc), ==,
                         rows[i].dek_alloc);
        drv_stop(d);
    }
}

/* The longest delay that a fault rule can ask for, by the clock: an hour. */
static void test_fault_ms(void)
{
    static const int64_t ms[] = { 1, 4294, 4295, 3600000 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(ms); i++) {
        g_autofree char *rule = g_strdup_printf("delay cmd=NOP ms=%" PRId64
                                                " count=1", ms[i]);
        Drv *d = drv_start_up("");
        uint8_t in[16] = { 0 };
        DrvCmd c;

        fault_add(d, rule);
        MLX5_SET(cmd_in, in, opcode, OP_NOP);
        drv_cmd_post(d, &c, 0, in, sizeof(in), 16);
        drv_cmd_ring(d, 1);
        drv_settle(d);
        qtest_clock_step(d->qts, ms[i] * MS - 1);
        drv_settle(d);
        g_assert_false(drv_cmd_done(d, &c));
        qtest_clock_step(d->qts, 1);
        drv_cmd_finish(d, &c, NULL);
        drv_stop(d);
    }
}

void mlx5_range_tests(void)
{
    qtest_add_func("mlx5-ktls/range/numbers", test_numbers);
    qtest_add_func("mlx5-ktls/range/words", test_words);
    qtest_add_func("mlx5-ktls/range/rows", test_rows);
    qtest_add_func("mlx5-ktls/range/vectors", test_vectors);
    qtest_add_func("mlx5-ktls/range/announced", test_announced);
    qtest_add_func("mlx5-ktls/range/fault-ms", test_fault_ms);
}
