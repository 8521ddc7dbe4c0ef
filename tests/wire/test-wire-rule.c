/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of rule.c: what is read from a rule of the wire, and what is said of
 * one that is none. What all rules have is tested by unit/test-rule-text.c.
 */
#include "bench.h"

static void test_good(void)
{
    static const char *const good[] = {
        "drop",
        "  drop\ta>b  ",
        "drop both",
        "drop b>a record=7 byte=2",
        "drop record=1,3..5,9.. app-record=..4 wire-record=+0",
        "drop byte=header,-1,13..-17,tag,5..,first..nonce",
        "drop type=data,alert sent=again headers=14..",
        "drop sent=first p=0 seed=0",
        "drop p=1e-3",
        "drop port=443 sport=1..1023 dport=40000 flow=0 len=0 vlan=5",
        "drop flags=syn,!ack ip=6 proto=tcp",
        "drop after=0 every=2 count=9223372036854775807",
        "duplicate copies=3 gap=100000",
        "delay packets=3 ms=20",
        "hold name=any-word",
        "spare b>a record=+2 byte=tag name=x",
        "hold",
        "corrupt byte=tag xor=0x80 csum=keep",
        "corrupt xor=255",
        "truncate bytes=0",
        "truncate byte=9 csum=fix",
        "split size=1",
        "split byte=3 overlap=9 order=reverse",
        "ip-option bytes=40",
        "ce",
        "log record=+3..+5,+9..",
        "log record=+3..5",
        "pass flags=rst",
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(good); i++) {
        GError *err = NULL;
        WireRule *rule = wire_rule_parse(good[i], 1, &err);

        g_assert_no_error(err);
        g_assert_nonnull(rule);
        wire_rule_free(rule);
    }
}

static void test_fields(void)
{
    WireRule *r =
        wire_rule_parse("corrupt b>a record=+2..+4,+9 byte=-16..-1,header,7 "
                        "sent=again xor=0x81 csum=keep p=0.25 seed=9 after=1 "
                        "every=2 count=3 flags=syn,!rst type=ccs,data",
                        1, NULL);

    g_assert_nonnull(r);
    g_assert_cmpint(r->action, ==, WIRE_CORRUPT);
    g_assert_cmpint(r->dir, ==, WIRE_B_TO_A);
    g_assert_true(r->record.relative);
    g_assert_cmpuint(r->record.n, ==, 2);
    g_assert_cmpint(r->record.range[0].lo, ==, 2);
    g_assert_cmpint(r->record.range[0].hi, ==, 4);
    g_assert_cmpint(r->record.range[1].lo, ==, 9);
    g_assert_cmpint(r->record.range[1].hi, ==, 9);
    g_assert_false(r->byte.relative);
    g_assert_cmpuint(r->byte.n, ==, 3);
    g_assert_cmpint(r->byte.range[0].lo, ==, -16);
    g_assert_cmpint(r->byte.range[0].hi, ==, -1);
    g_assert_cmpint(r->byte.range[1].lo, ==, 0);
    g_assert_cmpint(r->byte.range[1].hi, ==, 4);
    g_assert_cmpint(r->byte.range[2].lo, ==, 7);
    g_assert_cmpint(r->sent.range[0].lo, ==, 2);
    g_assert_cmpint(r->xor, ==, 0x81);
    g_assert_cmpint(r->csum, ==, 1);
    g_assert_cmpfloat(r->limits.p, ==, 0.25);
    g_assert_cmpint(r->limits.seed, ==, 9);
    g_assert_cmpint(r->limits.after, ==, 1);
    g_assert_cmpint(r->limits.every, ==, 2);
    g_assert_cmpint(r->limits.count, ==, 3);
    g_assert_cmpint(r->flags.on, ==, MLX5_TCP_SYN);
    g_assert_cmpint(r->flags.off, ==, MLX5_TCP_RST);
    g_assert_cmpuint(r->types, ==, 1u << 20 | 1u << 23);
    wire_rule_free(r);

    /* a place in the stream means its first transmission, others do not */
    r = wire_rule_parse("drop record=7", 5, NULL);
    g_assert_cmpuint(r->sent.n, ==, 1);
    g_assert_cmpint(r->sent.range[0].hi, ==, 1);
    g_assert_cmpint(r->limits.seed, ==, 5);
    wire_rule_free(r);
    r = wire_rule_parse("drop segment=7", 5, NULL);
    g_assert_cmpuint(r->sent.n, ==, 0);
    wire_rule_free(r);
}

/* The message names the token, and what would have been right. */
static void test_bad(void)
{
    static const struct {
        const char *text;
        const char *token;
        const char *allowed;
    } bad[] = {
        { "", "''", "an action (drop, duplicate" },
        { "drp record=7", "'drp'",
          "drop, duplicate, delay, hold, spare, corrupt, truncate, split, "
          "ip-option, ce, log or pass" },
        { "drop a<b", "'a<b'", "a>b, b>a or both" },
        { "drop recrd=7", "'recrd=7'",
          "'drop' (record, app-record, wire-record, type, byte" },
        { "drop xor=1", "'xor=1'", "a key that goes with 'drop'" },
        { "drop record=x", "'record=x'", ", or +N, +N..M, +N.. to count" },
        { "drop port=+2", "'port=+2'",
          "N, N..M, N.. or ..M, several joined by commas, got" },
        { "drop record=1,,2", "'record=1,,2'", "N, N..M" },
        { "drop byte=head", "'byte=head'",
          "header, nonce, payload, tag, first or last" },
        { "drop byte=-1..-16", "'byte=-1..-16'", "ends at -1 or above" },
        { "drop sent=0", "'sent=0'", "first, again, any" },
        { "drop sent=-1", "'sent=-1'", "first, again, any" },
        { "drop type=application", "'type=application'",
          "ccs, alert, handshake or data, several" },
        { "drop flags=syn,ak", "'flags=syn,ak'",
          "fin, syn, rst, psh, ack, urg, ece or cwr, with or without !" },
        { "drop ip=5", "'ip=5'", "any, 4 or 6" },
        { "drop proto=sctp", "'proto=sctp'", "any, tcp, udp, icmp or other" },
        { "drop seed=3", "'seed='", "expected p=" },
        { "corrupt csum=no", "'csum=no'", "fix or keep" },
        { "delay", "'delay'", "packets= or ms=" },
        { "split size=5 overlap=5", "'overlap=5'", "less than size=" },
        { "split order=back", "'order=back'", "forward or reverse" },
        { "ip-option bytes=6", "'bytes=6'", "multiple of 4" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        GError *err = NULL;
        WireRule *rule = wire_rule_parse(bad[i].text, 1, &err);

        g_test_message("%s", err ? err->message : bad[i].text);
        g_assert_null(rule);
        g_assert_error(err, WIRE_RULE_ERROR, 0);
        g_assert_nonnull(strstr(err->message, bad[i].text));
        g_assert_nonnull(strstr(err->message, bad[i].token));
        g_assert_nonnull(strstr(err->message, bad[i].allowed));
        g_error_free(err);
    }
}

/* Any bytes at all: refused or read, never worse. */
static void test_noise(void)
{
    static const char *const words[] = {
        "drop", "split", "corrupt", "a>b", "record", "byte", "=", "..", "+",
        "-", ",", "1", "header", "tag", " ", "sent", "again", "p", "0.5",
        "size", "xor", "0x", "!", "flags", "syn", "99999999999999999999",
        "-9223372036854775808", "\t", "csum=keep", "\xff",
    };
    unsigned round, n;

    for (round = 0; round < 20000; round++) {
        GString *text = g_string_new(round % 2 ? "drop " : "corrupt ");
        GError *err = NULL;
        WireRule *rule;

        for (n = (unsigned)g_test_rand_int_range(1, 12); n > 0; n--) {
            g_string_append(
                text, words[g_test_rand_int_range(0, G_N_ELEMENTS(words))]);
        }
        rule = wire_rule_parse(text->str, 1, &err);
        g_assert_true((rule == NULL) == (err != NULL));
        wire_rule_free(rule);
        g_clear_error(&err);
        g_string_free(text, TRUE);
    }
}

/* --help-rules has every action and key that an error message offers. */
static void test_help(void)
{
    GString *out = g_string_new(NULL);
    GError *err = NULL;
    char **words, *list;
    unsigned i;

    wire_rule_help(out);
    for (i = 0; i < WIRE_N_ACTIONS; i++) {
        char *line =
            g_strdup_printf("\n  %s ", wire_action_name((WireAction)i));
        char *text =
            g_strdup_printf("%s nosuchkey=1", wire_action_name((WireAction)i));
        unsigned n;

        g_assert_nonnull(strstr(out->str, line));
        g_assert_null(wire_rule_parse(text, 1, &err));
        list = strchr(err->message, '(') + 1;
        list[strcspn(list, ")")] = 0;
        words = g_regex_split_simple(", | or ", list, 0, 0);
        g_assert_cmpuint(g_strv_length(words), >, 20);
        for (n = 0; words[n]; n++) {
            char *key = g_strdup_printf("\n  %s ", words[n]);

            g_assert_nonnull(strstr(out->str, key));
            g_free(key);
        }
        g_strfreev(words);
        g_clear_error(&err);
        g_free(line);
        g_free(text);
    }
    g_string_free(out, TRUE);
}

/* Each key that takes a number, with a rule to put it into. */
static const struct {
    const char *name;
    int64_t min;
    int64_t max;
    size_t at;
    const char *rule;
} numbers[] = {
#define FIELD(f) offsetof(WireRule, f)
    { "seed", 0, INT64_MAX, FIELD(limits.seed), "log p=1" },
    { "after", 0, INT64_MAX, FIELD(limits.after), "log" },
    { "every", 1, INT64_MAX, FIELD(limits.every), "log" },
    { "count", 1, INT64_MAX, FIELD(limits.count), "log" },
    { "copies", 1, 100, FIELD(copies), "duplicate" },
    { "gap", 0, 100000, FIELD(gap), "duplicate" },
    { "packets", 1, 100000, FIELD(packets), "delay" },
    { "ms", 1, 3600000, FIELD(ms), "delay" },
    { "xor", 1, 255, FIELD(xor), "corrupt" },
    { "bytes", 0, 65535, FIELD(bytes), "truncate" },
    { "size", 1, 65535, FIELD(size), "split" },
    { "overlap", 1, 65535, FIELD(overlap), "split" },
#undef FIELD
};

/* Is "NAME=VALUE" taken, and kept as it is? */
static bool takes(unsigned row, const char *value, int64_t kept)
{
    g_autofree char *text = g_strdup_printf("%s %s=%s", numbers[row].rule,
                                            numbers[row].name, value);
    GError *err = NULL;
    WireRule *rule = wire_rule_parse(text, 1, &err);
    bool taken = rule;

    g_test_message("%s: %s", text, err ? err->message : "taken");
    if (rule) {
        g_assert_cmpint(
            *(const int64_t *)((const char *)rule + numbers[row].at), ==, kept);
    }
    g_clear_error(&err);
    wire_rule_free(rule);
    return taken;
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
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GRegex) range =
        g_regex_new("^  ([a-z-]+) +.*\\((-?[0-9]+)(?:\\.\\.([0-9]+)|"
                    " or more)\\)$",
                    G_REGEX_MULTILINE, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    unsigned found = 0, i;

    wire_rule_help(out);
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
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/rule/good", test_good);
    g_test_add_func("/wire/rule/fields", test_fields);
    g_test_add_func("/wire/rule/bad", test_bad);
    g_test_add_func("/wire/rule/noise", test_noise);
    g_test_add_func("/wire/rule/help", test_help);
    g_test_add_func("/wire/rule/number-ends", test_number_ends);
    g_test_add_func("/wire/rule/number-rows", test_number_rows);
    return g_test_run();
}
