/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the rule parser, with a language of its own: parsing, refusals and
 * their messages, and how often a rule applies. The rules of faults and of the
 * wire have their own tests.
 */
#include <glib.h>
#include <string.h>

#include "rule_text.h"

/* ---- a language ---------------------------------------------------------- */

enum { PAINT, BURN, FADE };
enum { HOUSE = 1, BOAT = 2 };

typedef struct Rule {
    Mlx5RuleSet door;
    Mlx5RuleSet year;
    Mlx5RuleLimits limits;
    int64_t coats;
    int64_t depth;
    int64_t colour;
    char name[MLX5_RULE_NAME_MAX + 1];
} Rule;

static const Mlx5RuleWord actions[] = {
    [PAINT] = { "paint", "gets a colour" },
    [BURN] = { "burn", "is no more" },
    [FADE] = { "fade", NULL },
};
static const Mlx5RuleWord colours[] = {
    { "red", "" }, { "green", "" }, { "blue", "" },
};

#define AT(field) offsetof(Rule, field)

static const Mlx5RuleKey keys[] = {
    { { "door", "numbers of doors" }, MLX5_RULE_ITEMS, AT(door),
      .item = mlx5_rule_item_set, .subjects = HOUSE },
    { { "year", "years" }, MLX5_RULE_ITEMS, AT(year),
      .item = mlx5_rule_item_set_plus },
    MLX5_RULE_LIMIT_KEYS(AT(limits)),
    { { "nth", "only these" }, MLX5_RULE_ITEMS, AT(limits.nth),
      .item = mlx5_rule_item_set },
    { { "coats", "1; of paint" }, MLX5_RULE_NUMBER, AT(coats), 1u << PAINT,
      .min = 1, .max = 255 },
    { { "depth", "0; below the ground" }, MLX5_RULE_NUMBER, AT(depth),
      1u << BURN, HOUSE, .min = -9, .max = 9 },
    /* one name, two meanings */
    { { "depth", "0; of water" }, MLX5_RULE_NUMBER, AT(depth), 1u << BURN, BOAT,
      .min = 0, .max = 11000 },
    { { "colour", "to be had" }, MLX5_RULE_WORD, AT(colour), 1u << PAINT,
      .words = MLX5_RULE_WORDS(colours) },
    { { "name", "of the owner" }, MLX5_RULE_NAME, AT(name) },
};

static Mlx5RuleToken subject(Mlx5RuleReader *r)
{
    bool house = !strcmp(r->token, "house");

    if (r->n != 1) {
        return MLX5_RULE_TOKEN_KEY;
    }
    if (!house && strcmp(r->token, "boat")) {
        mlx5_rule_bad(r, "house or boat");
        return MLX5_RULE_TOKEN_BAD;
    }
    r->subject = house ? HOUSE : BOAT;
    r->subject_name = house ? "house" : "boat";
    return MLX5_RULE_TOKEN_TAKEN;
}

static bool finish(Mlx5RuleReader *r)
{
    Rule *rule = r->rule;

    if (r->action == PAINT && !mlx5_rule_given(r, "colour")) {
        return mlx5_rule_lacks(r, "colour=", "paint");
    }
    if (!mlx5_rule_given(r, "coats")) {
        rule->coats = 1;
    }
    return true;
}

static const Mlx5RuleLanguage language = {
    .grammar = "ACTION house|boat [KEY=VALUE]...",
    .actions = MLX5_RULE_WORDS(actions),
    .keys = keys,
    .n_keys = G_N_ELEMENTS(keys),
    .token = subject,
    .finish = finish,
};

/* Returns NULL, or what is wrong. */
static char *read_into(Rule *rule, const char *text)
{
    g_autofree char *clean = mlx5_rule_clean(text);
    Mlx5RuleReader r = { .language = &language, .rule = rule, .text = clean };

    memset(rule, 0, sizeof(*rule));
    rule->limits.p = 1;
    return mlx5_rule_read(&r) ? NULL : r.error;
}

static Rule reads(const char *text)
{
    Rule rule;

    g_assert_cmpstr(read_into(&rule, text), ==, NULL);
    return rule;
}

/* ---- reading ------------------------------------------------------------- */

static void check_range(const Mlx5RuleSet *set, unsigned i, int64_t lo,
                        int64_t hi)
{
    g_assert_cmpuint(i, <, set->n);
    g_assert_cmpint(set->range[i].lo, ==, lo);
    g_assert_cmpint(set->range[i].hi, ==, hi);
}

static void test_read(void)
{
    g_autofree char *long_name = g_strnfill(MLX5_RULE_NAME_MAX, 'x');
    g_autofree char *long_rule = g_strdup_printf("burn boat name=%s",
                                                 long_name);
    Rule r = reads("  paint\thouse  door=7,3..9,10..,..0x4 colour=green\r\n"
                   "coats=0xff p=0.25 seed=9 after=1 every=2 count=3 nth=5 ");

    g_assert_cmpuint(r.door.n, ==, 4);
    g_assert_false(r.door.relative);
    check_range(&r.door, 0, 7, 7);
    check_range(&r.door, 1, 3, 9);
    check_range(&r.door, 2, 10, INT64_MAX);
    check_range(&r.door, 3, 0, 4);
    g_assert_cmpint(r.colour, ==, 1);
    g_assert_cmpint(r.coats, ==, 255);
    g_assert_cmpfloat(r.limits.p, ==, 0.25);
    g_assert_cmpint(r.limits.seed, ==, 9);
    g_assert_cmpint(r.limits.after, ==, 1);
    g_assert_cmpint(r.limits.every, ==, 2);
    g_assert_cmpint(r.limits.count, ==, 3);
    check_range(&r.limits.nth, 0, 5, 5);
    g_assert_cmpuint(r.year.n, ==, 0);

    r = reads("burn house year=+2..+4,+9,+3..5,+7.. depth=-0x9");
    g_assert_cmpuint(r.year.n, ==, 4);
    g_assert_true(r.year.relative);
    check_range(&r.year, 0, 2, 4);
    check_range(&r.year, 1, 9, 9);
    check_range(&r.year, 2, 3, 5);
    check_range(&r.year, 3, 7, INT64_MAX);
    g_assert_cmpint(r.depth, ==, -9);
    /* what the language fills in */
    g_assert_cmpint(r.coats, ==, 1);
    g_assert_cmpfloat(r.limits.p, ==, 1);

    r = reads("burn boat depth=11000 p=1e-3");
    g_assert_cmpint(r.depth, ==, 11000);
    g_assert_cmpfloat(r.limits.p, ==, 1e-3);
    r = reads(long_rule);
    g_assert_cmpstr(r.name, ==, long_name);
}

#define SETS "N, N..M, N.. or ..M, several joined by commas"
#define PLUS SETS ", or +N, +N..M, +N.. to count from when the rule was added"
#define NAME_64 \
    "0123456789012345678901234567890123456789012345678901234567890123"

static const struct {
    const char *text;
    const char *expected;
    const char *got;
} refused[] = {
    { "", "an action (paint, burn or fade)", "" },
    { "wash house", "an action (paint, burn or fade)", "wash" },
    { "Burn house", "an action (paint, burn or fade)", "Burn" },
    { "burn hut", "house or boat", "hut" },
    { "burn house now", "KEY=VALUE", "now" },
    { "fade house dor=1", "a key that goes with 'fade house' (door, year, p, "
      "seed, after, every, count, nth or name)", "dor=1" },
    { "fade boat door=1", "a key that goes with 'fade boat' (year, p, seed, "
      "after, every, count, nth or name)", "door=1" },
    { "burn boat coats=1", "a key that goes with 'burn boat' (year, p, seed, "
      "after, every, count, nth, depth or name)", "coats=1" },
    { "fade boat =1", "a key that goes with 'fade boat' (year, p, seed, after, "
      "every, count, nth or name)", "=1" },
    { "burn boat name=a name=a", "name= only once", "name=a" },
    /* numbers */
    { "burn boat count=0", "a number, 1 or more", "count=0" },
    { "burn boat count=-1", "a number, 1 or more", "count=-1" },
    { "burn boat after=-1", "a number, 0 or more", "after=-1" },
    { "burn boat count=", "a number, 1 or more", "count=" },
    { "burn boat count=1x", "a number, 1 or more", "count=1x" },
    { "burn boat count=x", "a number, 1 or more", "count=x" },
    { "burn boat count=+1", "a number, 1 or more", "count=+1" },
    { "burn boat count=9223372036854775808", "a number, 1 or more",
      "count=9223372036854775808" },
    { "paint boat coats=0", "a number from 1 to 255", "coats=0" },
    { "paint boat coats=256", "a number from 1 to 255", "coats=256" },
    { "paint boat coats=0x", "a number from 1 to 255", "coats=0x" },
    { "burn house depth=-10", "a number from -9 to 9", "depth=-10" },
    { "burn boat depth=-1", "a number from 0 to 11000", "depth=-1" },
    /* sets */
    { "burn house door=", SETS, "door=" },
    { "burn house door=x", SETS, "door=x" },
    { "burn house door=-1", SETS, "door=-1" },
    { "burn house door=3-9", SETS, "door=3-9" },
    { "burn house door=3..-9", SETS, "door=3..-9" },
    { "burn house door=3...9", SETS, "door=3...9" },
    { "burn house door=1,,2", SETS, "door=1,,2" },
    { "burn house door=1,", SETS, "door=1," },
    { "burn house door=+2", SETS, "door=+2" },
    { "burn house door=9223372036854775808", SETS, "door=9223372036854775808" },
    { "burn house door=9..3", "a range that ends at 9 or above", "door=9..3" },
    { "burn house door=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
      "at most 16 ranges", "door=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" },
    { "burn boat year=x", PLUS, "year=x" },
    { "burn boat year=+", PLUS, "year=+" },
    { "burn boat year=1,+2", "numbers all with '+' or all without",
      "year=1,+2" },
    { "burn boat year=+1,2", "numbers all with '+' or all without",
      "year=+1,2" },
    /* the others */
    { "burn boat p=2", "a probability from 0 to 1, such as 0.01", "p=2" },
    { "burn boat p=-0.1", "a probability from 0 to 1, such as 0.01", "p=-0.1" },
    { "burn boat p=nan", "a probability from 0 to 1, such as 0.01", "p=nan" },
    { "burn boat p=", "a probability from 0 to 1, such as 0.01", "p=" },
    { "burn boat p=1x", "a probability from 0 to 1, such as 0.01", "p=1x" },
    { "burn boat name=", "a name of 1 to 64 characters", "name=" },
    { "burn boat name=" NAME_64 "4", "a name of 1 to 64 characters",
      "name=" NAME_64 "4" },
    { "paint boat colour=mauve", "red, green or blue", "colour=mauve" },
    { "paint boat colour=", "red, green or blue", "colour=" },
};

/* All say "rule R: expected X, got Y", and nothing else. */
static void test_refused(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(refused); i++) {
        g_autofree char *words =
            g_strdup_printf("rule '%s': expected %s, got '%s'",
                            refused[i].text, refused[i].expected,
                            refused[i].got);
        g_autofree char *error = NULL;
        Rule rule;

        error = read_into(&rule, refused[i].text);
        g_assert_cmpstr(error, ==, words);
    }
}

/* What the whole rule lacks. */
static void test_lacks(void)
{
    g_autofree char *colour = NULL, *p = NULL;
    Rule rule;

    colour = read_into(&rule, "paint boat coats=2");
    g_assert_cmpstr(colour, ==, "rule 'paint boat coats=2': expected colour= "
                                "with 'paint', got none");
    p = read_into(&rule, "burn boat seed=3");
    g_assert_cmpstr(p, ==, "rule 'burn boat seed=3': expected p= with 'seed=', "
                           "got none");
}

/* Any bytes at all: refused or read, never worse. */
static void test_noise(void)
{
    static const char *const words[] = {
        "paint", "house", "boat", "door", "year", "=", "..", "+", "-", ",",
        "1", " ", "coats", "depth", "colour", "red", "p", "0.5", "name", "0x",
        "\xff", "99999999999999999999", "-9223372036854775808", "\t",
    };
    unsigned round, n, taken = 0;

    for (round = 0; round < 20000; round++) {
        g_autoptr(GString) text = g_string_new(round % 2 ? "burn house " :
                                               "fade boat year=");
        g_autofree char *error = NULL;
        Rule rule;

        for (n = (unsigned)g_test_rand_int_range(1, 12); n > 0; n--) {
            g_string_append(text, words[g_test_rand_int_range(
                                          0, G_N_ELEMENTS(words))]);
        }
        error = read_into(&rule, text->str);
        taken += !error;
        if (!error) {
            g_assert_cmpuint(rule.year.n, <=, MLX5_RULE_SET_MAX);
        }
    }
    g_assert_cmpuint(taken, >, 0);
    g_assert_cmpuint(taken, <, 20000);
}

/* ---- how often ----------------------------------------------------------- */

static void test_sets(void)
{
    Rule r = reads("burn house door=3,5..7,9.. year=..4");
    int64_t n;

    for (n = 0; n < 12; n++) {
        g_assert_cmpint(mlx5_rule_has(&r.door, n), ==,
                        n == 3 || (n >= 5 && n <= 7) || n >= 9);
        g_assert_cmpint(mlx5_rule_has(&r.year, n), ==, n <= 4);
    }
    /* no set holds every number; one that there is not is in no set given */
    g_assert_true(mlx5_rule_has(&r.limits.nth, -1));
    g_assert_false(mlx5_rule_has(&r.year, -1));
    g_assert_true(mlx5_rule_has(&r.door, INT64_MAX));
}

static const struct {
    const char *keys;
    const char *pattern;    /* of twelve matches: 1 where the rule is applied */
} limits[] = {
    { "", "111111111111" },
    { "count=3", "111000000000" },
    { "after=2", "001111111111" },
    { "every=4", "100010001000" },
    { "after=1 every=3 count=2", "010010000000" },
    { "nth=3", "001000000000" },
    { "nth=2..4,7,11..", "011100100011" },
    { "nth=2.. count=2", "011000000000" },
};

static void test_limits(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(limits); i++) {
        g_autofree char *text = g_strdup_printf("fade boat %s", limits[i].keys);
        Rule rule = reads(text);
        char got[13] = "";
        unsigned n, hits = 0;

        for (n = 0; n < 12; n++) {
            got[n] = mlx5_rule_take(&rule.limits) ? '1' : '0';
            hits += got[n] == '1';
        }
        g_assert_cmpstr(got, ==, limits[i].pattern);
        g_assert_cmpuint(rule.limits.matches, ==, 12);
        g_assert_cmpuint(rule.limits.hits, ==, hits);
    }
}

/* About as many draws succeed as p says, none with 0. */
static void test_draw(void)
{
    Rule some = reads("fade boat p=0.1"), none = reads("fade boat p=0");
    unsigned i, n = 0;

    for (i = 0; i < 10000; i++) {
        uint64_t bits = mlx5_rule_mix(i);

        n += mlx5_rule_draw(&some.limits, bits);
        g_assert_false(mlx5_rule_draw(&none.limits, bits));
        /* splitmix64 is its own check: the first values of seed 0 are known */
        g_assert_true(i || bits == UINT64_C(0xe220a8397b1dcdaf));
    }
    /* 1000 expected, standard deviation 30 */
    g_assert_cmpuint(n, >, 800);
    g_assert_cmpuint(n, <, 1200);
}

/* ---- the listing --------------------------------------------------------- */

static void test_help(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    mlx5_rule_help_actions(&language, out);
    mlx5_rule_help_keys(&language, "SETS", out);
    g_assert_cmpstr(out->str, ==,
        "RULE: ACTION house|boat [KEY=VALUE]...\n"
        "\n"
        "actions:\n"
        "  paint        gets a colour\n"
        "  burn         is no more\n"
        "  fade\n"
        "\n"
        "which of them, and how often (sets: SETS):\n"
        "  door         numbers of doors\n"
        "  year         years\n"
        "  p            probability\n"
        "  seed         of the draws for p= (0 or more)\n"
        "  after        let so many matches pass first (0 or more)\n"
        "  every        of the others only the first of so many (1 or more)\n"
        "  count        so many times at most (1 or more)\n"
        "  nth          only these\n"
        "  name         of the owner\n"
        "\n"
        "of single actions, with the default first:\n"
        "  coats        1; of paint (1..255)\n"
        "  depth        0; below the ground (-9..9)\n"
        "  depth        0; of water (0..11000)\n"
        "  colour       to be had (red, green or blue)\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rule/read", test_read);
    g_test_add_func("/rule/refused", test_refused);
    g_test_add_func("/rule/lacks", test_lacks);
    g_test_add_func("/rule/noise", test_noise);
    g_test_add_func("/rule/sets", test_sets);
    g_test_add_func("/rule/limits", test_limits);
    g_test_add_func("/rule/draw", test_draw);
    g_test_add_func("/rule/help", test_help);
    return g_test_run();
}
