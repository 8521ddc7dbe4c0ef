/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the fault rules: parsing, refusals and their messages, the events a
 * rule applies to, and the combined verdict. test-rule-text.c tests the parts
 * common to all rules.
 */
#include <glib.h>
#include <string.h>

#include "fault_rule.h"

static const Mlx5FaultCommand commands[] = {
    { { "CREATE_TIR" }, 0x900 },
    { { "CREATE_TIS" }, 0x912 },
    { { "DESTROY_TIS" }, 0x914 },
    { { "CREATE_GENERAL_OBJECT" }, 0xa00 },
};

static Mlx5FaultSet *empty(void)
{
    return mlx5_fault_set_new(commands, G_N_ELEMENTS(commands));
}

static Mlx5FaultSet *with(const char *rules)
{
    Mlx5FaultSet *set = empty();
    char *error = mlx5_fault_set_add(set, rules);

    g_assert_cmpstr(error, ==, NULL);
    return set;
}

static Mlx5FaultEvent cmd(uint16_t opcode)
{
    Mlx5FaultEvent e = mlx5_fault_event_of(MLX5_FAULT_ON_COMMAND, 0);

    e.number[MLX5_FAULT_OPCODE] = opcode;
    return e;
}

static Mlx5FaultEvent wqe(unsigned kind, int64_t sqn, int64_t tisn,
                          int64_t tirn)
{
    Mlx5FaultEvent e = mlx5_fault_event_of(MLX5_FAULT_ON_WQE, kind);

    e.number[MLX5_FAULT_SQN] = sqn;
    e.number[MLX5_FAULT_TISN] = tisn;
    e.number[MLX5_FAULT_TIRN] = tirn;
    return e;
}

static Mlx5FaultVerdict ask(Mlx5FaultSet *set, Mlx5FaultEvent e)
{
    Mlx5FaultVerdict v;

    mlx5_fault_ask(set, &e, &v, NULL, NULL);
    return v;
}

/* ---- reading ------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *token;      /* that the error must name */
    const char *words;      /* and something that it must say */
} refused[] = {
    { "", "''", "expected rules, ACTION SUBJECT [KEY=VALUE]..., several" },
    { " ; ;\n", "' ; ;\n'", "expected rules" },
    { "explode cmd=CREATE_TIS", "'explode'",
      "an action (fail, error, swallow, ignore, delay, hold, state, seq, "
      "record or log)" },
    { "fail", "''", "a subject of 'fail' (cmd=NAME)" },
    { "fail count=1", "'count=1'", "a subject of 'fail' (cmd=NAME)" },
    { "fail wqe=SEND", "'wqe=SEND'", "a subject of 'fail' (cmd=NAME)" },
    { "error cmd=CREATE_TIS", "'cmd=CREATE_TIS'",
      "wqe=KIND, approval or packet" },
    { "hold", "''", "cmd=NAME, wqe=KIND or approval" },
    { "fail approval", "'approval'", "cmd=NAME" },
    { "hold packet", "'packet'", "cmd=NAME, wqe=KIND or approval" },
    { "error packet sqn=1", "'sqn=1'", "'error packet' (tirn, rqn, p" },
    { "error wqe=SEND rqn=1", "'rqn=1'", "goes with 'error wqe='" },
    { "state approval value=start", "'approval'", "'state' (wqe=KIND)" },
    { "hold approvals", "'approvals'", "cmd=NAME, wqe=KIND or approval" },
    { "fail cmd=CREATE_TIZ", "'cmd=CREATE_TIZ'",
      "any, CREATE_TIR, CREATE_TIS, DESTROY_TIS or CREATE_GENERAL_OBJECT, "
      "several joined by commas" },
    { "fail cmd=create_tis", "'cmd=create_tis'", "CREATE_TIS" },
    { "fail cmd=", "'cmd='", "any, CREATE_TIR" },
    { "fail cmd=CREATE_TIS,", "'cmd=CREATE_TIS,'", "any, CREATE_TIR" },
    { "swallow wqe=PSV", "'wqe=PSV'",
      "a WQE that goes with 'swallow' (any, NOP, SEND, LSO, DUMP, UMR_STATIC, "
      "SET_PSV, GET_PSV, UMR_KEY or APPROVAL), several joined by commas" },
    { "swallow wqe=", "'wqe='", "any, NOP, SEND" },
    { "state wqe=SET_PSV value=start", "'wqe=SET_PSV'", "'state' (GET_PSV)" },
    { "state wqe=any value=start", "'wqe=any'", "'state' (GET_PSV)" },
    { "record wqe=GET_PSV add=1", "'wqe=GET_PSV'", "UMR_STATIC or APPROVAL" },
    { "ignore wqe=UMR_STATIC", "'wqe=UMR_STATIC'", "(APPROVAL)" },
    { "seq wqe=SEND add=1", "'wqe=SEND'",
      "UMR_STATIC, SET_PSV, GET_PSV or APPROVAL" },
    { "fail cmd=CREATE_TIS now", "'now'", "expected KEY=VALUE" },
    { "fail cmd=CREATE_TIS cont=1", "'cont=1'",
      "a key that goes with 'fail cmd=' (opmod, id, p, seed, after, every, "
      "count, nth, status or syndrome)" },
    { "fail cmd=CREATE_TIS sqn=1", "'sqn=1'", "goes with 'fail cmd='" },
    { "swallow wqe=SEND status=1", "'status=1'", "goes with 'swallow wqe='" },
    { "swallow wqe=SEND id=1", "'id=1'",
      "'swallow wqe=' (sqn, tisn, tirn, dir, p, seed, after, every, count or "
      "nth)" },
    { "hold approval id=1", "'id=1'", "goes with 'hold approval' (sqn" },
    { "hold wqe=GET_PSV ms=5", "'ms=5'", "goes with 'hold wqe='" },
    { "delay cmd=CREATE_TIS", "'delay'", "expected packets= or ms=" },
    { "delay wqe=GET_PSV ms=1 at=once", "'at=once'",
      "completion or execution" },
    { "state wqe=GET_PSV", "'state'", "expected value=" },
    { "state wqe=GET_PSV value=lost", "'value=lost'",
      "start, tracking, searching, offload or authentication" },
    { "seq wqe=GET_PSV", "'seq'", "expected add=" },
    { "record approval add=0", "'record'", "other than 0" },
    { "log wqe=any dir=up", "'dir=up'", "any, tx or rx" },
    /* the second of three is the bad one */
    { "log wqe=any; log wqe=NIP; log cmd=any", "got 'wqe=NIP'",
      "rule 'log wqe=NIP'" },
};

static void test_refused(void)
{
    g_autofree char *long_name = g_strnfill(MLX5_RULE_NAME_MAX, 'x');
    g_autofree char *longest =
        g_strdup_printf("hold wqe=any name=%s", long_name);
    Mlx5FaultSet *set = with("log cmd=any");
    char *error;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(refused); i++) {
        error = mlx5_fault_set_add(set, refused[i].text);
        g_test_message("%s", error);
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error, refused[i].token));
        g_assert_nonnull(strstr(error, refused[i].words));
        g_free(error);
        /* the rules are as they were */
        g_assert_cmpuint(mlx5_fault_set_size(set), ==, 1);
    }
    g_assert_null(mlx5_fault_set_add(set, longest));
    g_assert_cmpstr(mlx5_fault_set_at(set, 1)->name, ==, long_name);
    /* refused rules use up no id */
    g_assert_cmpuint(mlx5_fault_set_at(set, 1)->id, ==, 2);
    mlx5_fault_set_free(set);
}

static void test_read(void)
{
    Mlx5FaultSet *set = with(
        "fail\tcmd=CREATE_TIS  status=0x8 syndrome=0xdeadbeef count=1 "
        "after=2;\n"
        "  delay wqe=GET_PSV,APPROVAL ms=20 packets=3 at=execution\r\n"
        "hold approval name=x");
    const Mlx5FaultRule *r = mlx5_fault_set_at(set, 0);

    g_assert_cmpuint(mlx5_fault_set_size(set), ==, 3);
    g_assert_cmpstr(mlx5_fault_action_name(r->action), ==, "fail");
    g_assert_cmpint(r->subject, ==, MLX5_FAULT_ON_COMMAND);
    g_assert_cmpuint(r->id, ==, 1);
    g_assert_cmpuint(r->kinds, ==, 0);
    g_assert_cmpint(r->status, ==, 8);
    g_assert_cmpint(r->syndrome, ==, 0xdeadbeef);
    g_assert_cmpint(r->limits.count, ==, 1);
    g_assert_cmpint(r->limits.after, ==, 2);
    r = mlx5_fault_set_at(set, 1);
    g_assert_cmpuint(r->kinds, ==,
                     MLX5_FAULT_WQE_GET_PSV | MLX5_FAULT_WQE_APPROVAL);
    g_assert_cmpint(r->ms, ==, 20);
    g_assert_cmpint(r->packets, ==, 3);
    g_assert_cmpint(r->at, ==, 1);
    r = mlx5_fault_set_at(set, 2);
    g_assert_cmpuint(r->kinds, ==, MLX5_FAULT_WQE_APPROVAL);
    g_assert_cmpstr(r->name, ==, "x");
    g_assert_cmpstr(r->text, ==, "hold approval name=x");
    g_assert_true(mlx5_fault_set_find(set, 3) == r);
    g_assert_null(mlx5_fault_set_find(set, 4));
    g_assert_cmpstr(mlx5_fault_action_name(r->action), ==, "hold");

    g_assert_false(mlx5_fault_set_remove(set, 9));
    g_assert_true(mlx5_fault_set_remove(set, 2));
    g_assert_cmpuint(mlx5_fault_set_size(set), ==, 2);
    g_assert_true(mlx5_fault_set_remove(set, 0));
    g_assert_cmpuint(mlx5_fault_set_size(set), ==, 0);
    g_assert_false(mlx5_fault_set_remove(set, 0));
    g_assert_null(mlx5_fault_set_add(set, "log cmd=any"));
    g_assert_cmpuint(mlx5_fault_set_at(set, 0)->id, ==, 4);
    mlx5_fault_set_free(set);
    mlx5_fault_set_free(NULL);
}

/* ---- which --------------------------------------------------------------- */

#define EVENT_OF(subject_, kinds_, opcode, op_mod, obj, sqn, tisn, tirn, rqn) \
    { \
    .subject = MLX5_FAULT_ON_##subject_, .kinds = kinds_, \
    .number = { opcode, op_mod, obj, sqn, tisn, tirn, rqn } }
#define WQE_OF(kinds, sqn, tisn, tirn) \
    EVENT_OF(WQE, kinds, -1, -1, -1, sqn, tisn, tirn, -1)

static const Mlx5FaultEvent create_tis =
    EVENT_OF(COMMAND, 0, 0x912, 0, 7, -1, -1, -1, -1);
static const Mlx5FaultEvent send_plain = WQE_OF(MLX5_FAULT_WQE_SEND, 5, 0, -1);
static const Mlx5FaultEvent send_tls =
    WQE_OF(MLX5_FAULT_WQE_SEND | MLX5_FAULT_WQE_LSO, 5, 20, -1);
static const Mlx5FaultEvent umr_tx =
    WQE_OF(MLX5_FAULT_WQE_UMR_STATIC, 5, 20, -1);
static const Mlx5FaultEvent umr_rx =
    WQE_OF(MLX5_FAULT_WQE_UMR_STATIC, 6, -1, 30);
static const Mlx5FaultEvent approval =
    WQE_OF(MLX5_FAULT_WQE_UMR_STATIC | MLX5_FAULT_WQE_APPROVAL, 6, -1, 30);
static const Mlx5FaultEvent umr_key =
    WQE_OF(MLX5_FAULT_WQE_UMR_KEY, 6, -1, -1);
static const Mlx5FaultEvent nop = WQE_OF(MLX5_FAULT_WQE_NOP, 6, -1, -1);
/* what rules know nothing of */
static const Mlx5FaultEvent nothing =
    EVENT_OF(NOTHING, 0, 0, 0, 0, 0, 0, 0, 0);
static const Mlx5FaultEvent packet =
    EVENT_OF(PACKET, MLX5_FAULT_PACKET, -1, -1, -1, -1, -1, 30, 40);

static const struct {
    const char *rule;
    const Mlx5FaultEvent *event;
    bool matches;
} selections[] = {
    { "log cmd=any", &create_tis, true },
    { "log cmd=CREATE_TIS", &create_tis, true },
    { "log cmd=CREATE_TIR,CREATE_TIS", &create_tis, true },
    { "log cmd=CREATE_TIR", &create_tis, false },
    { "log cmd=any", &send_plain, false },
    { "log wqe=any", &create_tis, false },
    { "log cmd=CREATE_TIS id=7", &create_tis, true },
    { "log cmd=CREATE_TIS id=8..", &create_tis, false },
    { "log cmd=CREATE_TIS opmod=0", &create_tis, true },
    { "log cmd=CREATE_TIS opmod=1", &create_tis, false },
    { "log wqe=any", &nop, true },
    { "log wqe=NOP", &nop, true },
    { "log wqe=SEND", &nop, false },
    { "log wqe=SEND", &send_plain, true },
    { "log wqe=LSO", &send_plain, false },
    { "log wqe=LSO", &send_tls, true },
    { "log wqe=SEND tisn=1..", &send_plain, false },
    { "log wqe=SEND tisn=1..", &send_tls, true },
    { "log wqe=SEND tisn=0", &send_plain, true },
    { "log wqe=SEND tisn=..19,21", &send_tls, false },
    { "log wqe=SEND tisn=..19,20,30..40", &send_tls, true },
    { "log wqe=any sqn=5", &send_tls, true },
    { "log wqe=any sqn=6", &send_tls, false },
    { "log wqe=any tisn=0..", &umr_rx, false },
    { "log wqe=any tirn=0..", &umr_rx, true },
    { "log wqe=any tirn=0..", &umr_tx, false },
    { "log wqe=UMR_STATIC dir=rx", &umr_rx, true },
    { "log wqe=UMR_STATIC dir=tx", &umr_rx, false },
    { "log wqe=UMR_STATIC dir=tx", &umr_tx, true },
    { "log wqe=UMR_STATIC dir=rx", &umr_tx, false },
    { "log wqe=UMR_STATIC dir=any", &umr_tx, true },
    { "log wqe=any dir=tx", &nop, false },
    { "log wqe=any dir=rx", &nop, false },
    { "log wqe=APPROVAL", &umr_rx, false },
    { "log wqe=APPROVAL", &approval, true },
    { "log approval", &approval, true },
    { "log wqe=UMR_STATIC", &approval, true },
    { "log wqe=SEND,NOP", &nop, true },
    { "log cmd=any", &nothing, false },
    { "log wqe=any", &nothing, false },
    { "log cmd=any,CREATE_TIR", &create_tis, true },
    { "log wqe=UMR_KEY", &umr_key, true },
    { "log wqe=any", &umr_key, true },
    { "log wqe=UMR_STATIC", &umr_key, false },
    { "log packet", &packet, true },
    { "log packet", &umr_rx, false },
    { "log wqe=any", &packet, false },
    { "log cmd=any", &packet, false },
    { "log packet rqn=40", &packet, true },
    { "log packet rqn=41..", &packet, false },
    { "log packet tirn=30 rqn=..40", &packet, true },
    { "log packet tirn=29", &packet, false },
};

static void test_selection(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(selections); i++) {
        Mlx5FaultSet *set = with(selections[i].rule);
        Mlx5FaultVerdict v = ask(set, *selections[i].event);

        g_test_message("%s", selections[i].rule);
        g_assert_cmpuint(v.hits, ==, selections[i].matches);
        g_assert_cmpuint(mlx5_fault_set_at(set, 0)->limits.matches, ==,
                         selections[i].matches);
        mlx5_fault_set_free(set);
    }
}

/* ---- how often ----------------------------------------------------------- */

static const struct {
    const char *rule;
    const char *pattern;    /* of twelve events: 1 where the rule is applied */
} limits[] = {
    { "log cmd=any", "111111111111" },
    { "log cmd=any count=3", "111000000000" },
    { "log cmd=any after=2", "001111111111" },
    { "log cmd=any every=4", "100010001000" },
    { "log cmd=any after=1 every=3 count=2", "010010000000" },
    { "log cmd=any nth=1", "100000000000" },
    { "log cmd=any nth=3", "001000000000" },
    { "log cmd=any nth=2..4,7,11..", "011100100011" },
    { "log cmd=any nth=2.. count=2", "011000000000" },
    { "log cmd=any p=0", "000000000000" },
    { "log cmd=any p=1", "111111111111" },
};

static void test_limits(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(limits); i++) {
        Mlx5FaultSet *set = with(limits[i].rule);
        char got[13] = "";
        unsigned n;

        for (n = 0; n < 12; n++) {
            got[n] = ask(set, cmd(0x900)).hits ? '1' : '0';
        }
        g_test_message("%s", limits[i].rule);
        g_assert_cmpstr(got, ==, limits[i].pattern);
        mlx5_fault_set_free(set);
    }
}

/*
 * The same seed draws the same, another seed others; about as many as p says.
 */
static void test_probability(void)
{
    Mlx5FaultSet *a = with("log cmd=any p=0.1 seed=7");
    Mlx5FaultSet *b = with("log cmd=any p=0.1 seed=7");
    Mlx5FaultSet *c = with("log cmd=any p=0.1 seed=8");
    unsigned i, differ = 0;

    for (i = 0; i < 10000; i++) {
        unsigned hits = ask(a, cmd(0x900)).hits;

        g_assert_cmpuint(ask(b, cmd(0x900)).hits, ==, hits);
        differ += ask(c, cmd(0x900)).hits != hits;
    }
    /* 1000 expected, standard deviation 30 */
    g_assert_cmpuint(mlx5_fault_set_at(a, 0)->limits.hits, >, 800);
    g_assert_cmpuint(mlx5_fault_set_at(a, 0)->limits.hits, <, 1200);
    g_assert_cmpuint(mlx5_fault_set_at(a, 0)->limits.matches, ==,
                     mlx5_fault_set_at(a, 0)->limits.hits);
    g_assert_cmpuint(differ, >, 1000);
    mlx5_fault_set_free(a);
    mlx5_fault_set_free(b);
    mlx5_fault_set_free(c);
}

/* ---- what ---------------------------------------------------------------- */

static void test_fail(void)
{
    Mlx5FaultSet *set = with("fail cmd=CREATE_TIR; "
                             "fail cmd=CREATE_TIS status=0x8 syndrome=0x1234; "
                             "error wqe=GET_PSV; error wqe=DUMP syndrome=0x10; "
                             "error packet");
    Mlx5FaultVerdict v = ask(set, cmd(0x900));

    g_assert_true(v.fail);
    g_assert_cmphex(v.status, ==, 1);
    g_assert_cmphex(v.syndrome, ==, 0);
    v = ask(set, cmd(0x912));
    g_assert_true(v.fail);
    g_assert_cmphex(v.status, ==, 8);
    g_assert_cmphex(v.syndrome, ==, 0x1234);
    v = ask(set, wqe(MLX5_FAULT_WQE_GET_PSV, 1, -1, 2));
    g_assert_true(v.fail);
    g_assert_cmphex(v.syndrome, ==, 2);
    v = ask(set, wqe(MLX5_FAULT_WQE_DUMP, 1, 2, -1));
    g_assert_cmphex(v.syndrome, ==, 0x10);
    v = ask(set, packet);
    g_assert_true(v.fail);
    g_assert_cmphex(v.syndrome, ==, 4);
    v = ask(set, cmd(0x914));
    g_assert_cmpuint(v.hits, ==, 0);
    g_assert_false(v.fail || v.swallow || v.before.rule || v.after.rule);
    mlx5_fault_set_free(set);
}

static const struct {
    const char *name;
    uint8_t tracker, auth;
} states[] = {
    /* record_tracker_state and auth_state as GET_PSV has them */
    { "start", 0, 0 },
    { "tracking", 1, 0 },
    { "searching", 2, 0 },
    { "offload", 1, 1 },
    { "authentication", 1, 2 },
};

static void test_change(void)
{
    Mlx5FaultEvent psv = wqe(MLX5_FAULT_WQE_GET_PSV, 1, -1, 2);
    Mlx5FaultSet *set;
    Mlx5FaultVerdict v;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autofree char *text = g_strdup_printf("state wqe=GET_PSV value=%s",
                                                states[i].name);

        set = with(text);
        v = ask(set, psv);
        g_assert_true(v.state);
        g_assert_cmpuint(v.tracker, ==, states[i].tracker);
        g_assert_cmpuint(v.auth, ==, states[i].auth);
        mlx5_fault_set_free(set);
    }
    set = with("seq wqe=GET_PSV add=100; seq wqe=GET_PSV add=-0x10;"
               "record approval add=-1; seq wqe=UMR_STATIC add=2");
    v = ask(set, psv);
    g_assert_cmpint(v.seq_add, ==, 84);
    g_assert_false(v.state);
    g_assert_cmpint(v.record_add, ==, 0);
    v = ask(set, approval);
    g_assert_cmpint(v.record_add, ==, -1);
    g_assert_cmpint(v.seq_add, ==, 2);
    mlx5_fault_set_free(set);
}

static void count_hit(void *opaque, const Mlx5FaultRule *rule)
{
    g_string_append_printf(opaque, "%u ", rule->id);
}

/* Waits before and after are told apart; the last of each counts. */
static void test_together(void)
{
    Mlx5FaultSet *set = with("hold wqe=any name=a; delay wqe=any ms=5; "
                             "delay wqe=any packets=9 at=execution; "
                             "swallow wqe=NOP after=1; log wqe=any; "
                             "error wqe=any after=1");
    g_autoptr(GString) hits = g_string_new(NULL);
    Mlx5FaultEvent e = nop;
    Mlx5FaultVerdict v;

    mlx5_fault_ask(set, &e, &v, count_hit, hits);
    g_assert_cmpstr(hits->str, ==, "1 2 3 5 ");
    g_assert_cmpuint(v.hits, ==, 4);
    g_assert_cmpuint(v.after.rule, ==, 2);
    g_assert_cmpint(v.after.ms, ==, 5);
    g_assert_cmpint(v.after.packets, ==, 0);
    g_assert_cmpuint(v.before.rule, ==, 3);
    g_assert_cmpint(v.before.packets, ==, 9);
    g_assert_false(v.swallow || v.fail);
    /* what swallows or fails ends the asking */
    g_string_truncate(hits, 0);
    mlx5_fault_ask(set, &e, &v, count_hit, hits);
    g_assert_cmpstr(hits->str, ==, "1 2 3 4 ");
    g_assert_true(v.swallow && !v.fail);
    e = send_plain;
    g_string_truncate(hits, 0);
    mlx5_fault_ask(set, &e, &v, count_hit, hits);
    g_assert_cmpstr(hits->str, ==, "1 2 3 5 6 ");
    g_assert_true(v.fail && !v.swallow);
    mlx5_fault_set_free(set);
}

/* The listing has every action, kind of WQE, key and command. */
static void test_help(void)
{
    static const char *const words[] = {
        "fail", "error", "swallow", "ignore", "delay", "hold", "state", "seq",
        "record", "log", "cmd=NAME", "wqe=KIND", "approval", "packet", "any",
        "NOP", "SEND", "LSO", "DUMP", "UMR_STATIC", "SET_PSV", "GET_PSV",
        "UMR_KEY", "APPROVAL", "opmod", "id", "sqn", "rqn", "tisn", "tirn",
        "dir", "p", "seed", "after",
        "every", "count", "nth", "status", "syndrome", "at", "ms", "packets",
        "name", "value", "add", "CREATE_TIR", "CREATE_TIS", "DESTROY_TIS",
        "CREATE_GENERAL_OBJECT",
    };
    Mlx5FaultSet *set = empty();
    g_autoptr(GString) out = g_string_new(NULL);
    size_t i;

    mlx5_fault_help(set, out);
    for (i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *line = g_strdup_printf("\n  %s ", words[i]);
        g_autofree char *last = g_strdup_printf("\n  %s\n", words[i]);

        g_test_message("%s", words[i]);
        g_assert_true(strstr(out->str, line) || strstr(out->str, last));
    }
    g_assert_nonnull(strstr(out->str, "(start, tracking, searching, offload or "
                                      "authentication)"));
    mlx5_fault_set_free(set);
}

/* ---- numbers ------------------------------------------------------------- */

/* Each key that takes a number, with a rule to put it into. */
static const struct {
    const char *name;
    int64_t min;
    int64_t max;
    size_t at;
    const char *rule;
} numbers[] = {
#define FIELD(f) offsetof(Mlx5FaultRule, f)
    { "seed", 0, INT64_MAX, FIELD(limits.seed), "log wqe=any p=1" },
    { "after", 0, INT64_MAX, FIELD(limits.after), "log wqe=any" },
    { "every", 1, INT64_MAX, FIELD(limits.every), "log wqe=any" },
    { "count", 1, INT64_MAX, FIELD(limits.count), "log wqe=any" },
    { "status", 1, 255, FIELD(status), "fail cmd=any" },
    { "syndrome", 0, UINT32_MAX, FIELD(syndrome), "fail cmd=any" },
    { "syndrome", 1, 255, FIELD(syndrome), "error wqe=any" },
    { "ms", 1, 3600000, FIELD(ms), "delay wqe=any" },
    { "packets", 1, 1000000000, FIELD(packets), "delay wqe=any" },
    { "add", -INT64_C(0xffffffff), 0xffffffff, FIELD(add), "seq wqe=GET_PSV" },
#undef FIELD
};

/* Is "NAME=VALUE" taken, and kept as it is? */
static bool takes(unsigned row, const char *value, int64_t kept)
{
    g_autofree char *text = g_strdup_printf("%s %s=%s", numbers[row].rule,
                                            numbers[row].name, value);
    Mlx5FaultSet *set = empty();
    g_autofree char *error = mlx5_fault_set_add(set, text);
    const Mlx5FaultRule *rule = error ? NULL : mlx5_fault_set_at(set, 0);

    g_test_message("%s: %s", text, error ? error : "taken");
    if (rule) {
        g_assert_cmpint(
            *(const int64_t *)((const char *)rule + numbers[row].at), ==, kept);
    }
    mlx5_fault_set_free(set);
    return !error;
}

static bool takes_number(unsigned row, int64_t value)
{
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);

    return takes(row, text, value);
}

/* Both ends of the range, and one beyond each. */
static void test_number_ends(void)
{
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
        g_assert_true(takes_number(i, numbers[i].min));
        g_assert_true(takes_number(i, numbers[i].max));
        g_assert_false(takes_number(i, numbers[i].min - 1));
        if (numbers[i].max == INT64_MAX) {
            g_assert_false(takes(i, "9223372036854775808", 0));
        } else {
            g_assert_false(takes_number(i, numbers[i].max + 1));
        }
    }
}

/* The grammar has all ranges; none may be missing in the table above. */
static void test_number_rows(void)
{
    Mlx5FaultSet *set = empty();
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GRegex) range =
        g_regex_new("^  ([a-z-]+) +.*\\((-?[0-9]+)(?:\\.\\.([0-9]+)|"
                    " or more)\\)$",
                    G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    unsigned found = 0, i;

    mlx5_fault_help(set, out);
    for (g_regex_match(range, out->str, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL), found++) {
        g_autofree char *name = g_match_info_fetch(match, 1);
        g_autofree char *min = g_match_info_fetch(match, 2);
        g_autofree char *max = g_match_info_fetch(match, 3);
        int64_t top = max && *max ? g_ascii_strtoll(max, NULL, 10) : INT64_MAX;

        g_test_message("%s %s %s", name, min, max);
        for (i = 0; i < G_N_ELEMENTS(numbers); i++) {
            if (!strcmp(numbers[i].name, name) && numbers[i].max == top &&
                numbers[i].min == g_ascii_strtoll(min, NULL, 10)) {
                break;
            }
        }
        g_assert_cmpuint(i, <, G_N_ELEMENTS(numbers));
    }
    g_assert_cmpuint(found, ==, G_N_ELEMENTS(numbers));
    mlx5_fault_set_free(set);
}

/* Numbers at the end of what a set can say, of events and of counters. */
static void test_number_sets(void)
{
    static const char *const sets[] = {
        "9223372036854775807", "9223372036854775807..", "..9223372036854775807",
        "0..9223372036854775807", "0x7fffffffffffffff",
    };
    Mlx5FaultEvent e = wqe(MLX5_FAULT_WQE_NOP, INT64_MAX, -1, -1);
    g_autofree char *error = NULL;
    Mlx5FaultSet *set = empty();
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(sets); i++) {
        g_autofree char *text = g_strdup_printf("log wqe=any sqn=%s", sets[i]);
        Mlx5FaultSet *one = with(text);

        g_assert_cmpuint(ask(one, e).hits, ==, 1);
        g_assert_cmpuint(ask(one, wqe(MLX5_FAULT_WQE_NOP, -1, -1, -1)).hits, ==,
                         0);
        mlx5_fault_set_free(one);
    }
    error = mlx5_fault_set_add(set, "log wqe=any sqn=9223372036854775808");
    g_assert_nonnull(error);
    mlx5_fault_set_free(set);
    /* the first of so many is the first; after so many there is none */
    set =
        with("log wqe=any every=9223372036854775807 count=9223372036854775807; "
             "log wqe=any after=9223372036854775807");
    g_assert_cmpuint(ask(set, e).hits, ==, 1);
    g_assert_cmpuint(ask(set, e).hits, ==, 0);
    mlx5_fault_set_free(set);
    /* what several add is added up in 64 bits */
    set =
        with("seq wqe=GET_PSV add=4294967295; seq wqe=GET_PSV add=4294967295");
    g_assert_cmpint(ask(set, wqe(MLX5_FAULT_WQE_GET_PSV, 1, -1, 1)).seq_add, ==,
                    INT64_C(8589934590));
    mlx5_fault_set_free(set);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fault/read", test_read);
    g_test_add_func("/fault/refused", test_refused);
    g_test_add_func("/fault/selection", test_selection);
    g_test_add_func("/fault/limits", test_limits);
    g_test_add_func("/fault/probability", test_probability);
    g_test_add_func("/fault/fail", test_fail);
    g_test_add_func("/fault/change", test_change);
    g_test_add_func("/fault/together", test_together);
    g_test_add_func("/fault/help", test_help);
    g_test_add_func("/fault/number-ends", test_number_ends);
    g_test_add_func("/fault/number-rows", test_number_rows);
    g_test_add_func("/fault/number-sets", test_number_sets);
    return g_test_run();
}
