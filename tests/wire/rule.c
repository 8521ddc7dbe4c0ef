/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Reading rules: see rule.h. Matching is in match.c.
 */
#include "rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef enum KeyKind {
    KEY_SET,            /* numbers */
    KEY_SET_PLUS,       /* numbers, "+N" too */
    KEY_BYTES,          /* places in a record */
    KEY_SENT,           /* first, again, any or numbers */
    KEY_TYPES,
    KEY_FLAGS,
    KEY_NUMBER,         /* min..max */
    KEY_WORD,           /* one of words[], stored as its index */
    KEY_PROBABILITY,
    KEY_NAME,
} KeyKind;

#define ALL_ACTIONS 0u
#define BIT(action) (1u << (action))

typedef struct Key {
    const char *name;
    KeyKind kind;
    size_t offset;
    unsigned actions;           /* ALL_ACTIONS, or those that it goes with */
    int64_t min;
    int64_t max;
    const char *const *words;
    const char *about;
} Key;

typedef struct ActionDef {
    const char *name;
    const char *about;
} ActionDef;

static const ActionDef actions[WIRE_N_ACTIONS] = {
    [WIRE_DROP] = { "drop", "the packet is gone" },
    [WIRE_DUPLICATE] = { "duplicate", "the packet and, gap= packets later, copies= of it" },
    [WIRE_DELAY] = { "delay", "the packet waits until packets= more of its flow have "
                              "passed, or for ms= milliseconds" },
    [WIRE_HOLD] = { "hold", "the packet waits until `release` is asked for" },
    [WIRE_SPARE] = { "spare", "a copy of the packet, as it came, waits until `release` is "
                              "asked for" },
    [WIRE_CORRUPT] = { "corrupt", "the byte found is xor'ed with xor=" },
    [WIRE_TRUNCATE] = { "truncate", "the payload ends before the byte found, or after "
                                    "bytes=" },
    [WIRE_SPLIT] = { "split", "several segments of one: cut before each place found, or "
                              "every size= bytes" },
    [WIRE_IP_OPTION] = { "ip-option", "bytes= of IPv4 options or of an IPv6 destination "
                                      "options header, which mean nothing" },
    [WIRE_CE] = { "ce", "congestion experienced, in the IP header" },
    [WIRE_LOG] = { "log", "nothing but a line in the log" },
    [WIRE_PASS] = { "pass", "later rules are not asked about the packet" },
};

static const char *const csum_words[] = { "fix", "keep", NULL };
static const char *const order_words[] = { "forward", "reverse", NULL };
static const char *const ip_words[] = { "any", "4", "6", NULL };
static const char *const proto_words[] = { "any", "tcp", "udp", "icmp", "other", NULL };

#define AT(field) offsetof(WireRule, field)

static const Key keys[] = {
    /* which packets */
    { "record", KEY_SET_PLUS, AT(record), .about = "number of the encrypted record" },
    { "app-record", KEY_SET_PLUS, AT(app_record),
      .about = "number among records of type application_data" },
    { "wire-record", KEY_SET_PLUS, AT(wire_record),
      .about = "number among all records, plain ones included" },
    { "type", KEY_TYPES, AT(types), .about = "type of the record" },
    { "byte", KEY_BYTES, AT(byte), .about = "byte of the record, header included" },
    { "stream", KEY_SET_PLUS, AT(stream), .about = "byte of the stream, from 0" },
    { "sent", KEY_SENT, AT(sent), .about = "how often the byte has passed, this time "
                                           "included" },
    { "headers", KEY_SET, AT(headers), .about = "records of which the packet has header "
                                                "bytes" },
    { "segment", KEY_SET_PLUS, AT(segment),
      .about = "number among packets with payload of this flow and direction" },
    { "packet", KEY_SET_PLUS, AT(packet),
      .about = "number among all packets of this flow and direction" },
    { "flow", KEY_SET, AT(flow), .about = "number of the flow, in order of appearance" },
    { "port", KEY_SET, AT(port), .about = "either port" },
    { "sport", KEY_SET, AT(sport), .about = "source port" },
    { "dport", KEY_SET, AT(dport), .about = "destination port" },
    { "len", KEY_SET, AT(len), .about = "bytes of payload" },
    { "vlan", KEY_SET, AT(vlan), .about = "VLAN id of the outer tag" },
    { "flags", KEY_FLAGS, AT(flags_on), .about = "TCP flags that are set, with ! before "
                                                 "them: are not" },
    { "ip", KEY_WORD, AT(ip), .words = ip_words, .about = "version of IP" },
    { "proto", KEY_WORD, AT(proto), .words = proto_words, .about = "protocol" },
    { "p", KEY_PROBABILITY, AT(p), .about = "probability" },
    { "seed", KEY_NUMBER, AT(seed), .min = 0, .max = INT64_MAX,
      .about = "of the draws for p=" },
    /* how often */
    { "after", KEY_NUMBER, AT(after), .min = 0, .max = INT64_MAX,
      .about = "let so many matching packets pass first" },
    { "every", KEY_NUMBER, AT(every), .min = 1, .max = INT64_MAX,
      .about = "of the others only the first of so many" },
    { "count", KEY_NUMBER, AT(count), .min = 1, .max = INT64_MAX,
      .about = "so many times at most" },
    /* what to do */
    { "copies", KEY_NUMBER, AT(copies), BIT(WIRE_DUPLICATE), 1, 100, .about = "1" },
    { "gap", KEY_NUMBER, AT(gap), BIT(WIRE_DUPLICATE), 0, 100000,
      .about = "0; packets of the flow that pass before the copies" },
    { "packets", KEY_NUMBER, AT(packets), BIT(WIRE_DELAY), 1, 100000,
      .about = "packets of the flow that overtake" },
    { "ms", KEY_NUMBER, AT(ms), BIT(WIRE_DELAY), 1, 3600000, .about = "milliseconds" },
    { "name", KEY_NAME, AT(name), BIT(WIRE_HOLD) | BIT(WIRE_SPARE), .about = "what to release it by" },
    { "xor", KEY_NUMBER, AT(xor), BIT(WIRE_CORRUPT), 1, 255, .about = "1; mask" },
    { "bytes", KEY_NUMBER, AT(bytes), BIT(WIRE_TRUNCATE) | BIT(WIRE_IP_OPTION), 0, 65535,
      .about = "truncate: of payload that stay; ip-option: 4 to 40, a multiple of 4 "
               "(IPv6: 8 to 64, of 8), 4 and 8 by default" },
    { "size", KEY_NUMBER, AT(size), BIT(WIRE_SPLIT), 1, 65535,
      .about = "bytes of payload of each piece" },
    { "overlap", KEY_NUMBER, AT(overlap), BIT(WIRE_SPLIT), 1, 65535,
      .about = "0; a piece begins so many bytes early" },
    { "order", KEY_WORD, AT(order), BIT(WIRE_SPLIT), .words = order_words,
      .about = "of the pieces" },
    { "csum", KEY_WORD, AT(csum), BIT(WIRE_CORRUPT) | BIT(WIRE_TRUNCATE),
      .words = csum_words,
      .about = "fix repairs lengths and checksums, keep leaves them wrong" },
};

/* WireRule.given has a bit for each. */
G_STATIC_ASSERT(G_N_ELEMENTS(keys) <= 64);

static const struct {
    const char *name;
    WireRange range;
} byte_words[] = {
    { "header", { 0, 4 } },
    { "nonce", { 5, 12 } },
    { "payload", { 13, -17 } },
    { "tag", { -16, -1 } },
    { "first", { 0, 0 } },
    { "last", { -1, -1 } },
};

static const struct {
    const char *name;
    unsigned type;
} type_words[] = {
    { "ccs", WIRE_TLS_CCS },
    { "alert", WIRE_TLS_ALERT },
    { "handshake", WIRE_TLS_HANDSHAKE },
    { "data", WIRE_TLS_DATA },
};

static const struct {
    const char *name;
    uint16_t flag;
} flag_words[] = {
    { "fin", MLX5_TCP_FIN }, { "syn", MLX5_TCP_SYN }, { "rst", MLX5_TCP_RST },
    { "psh", MLX5_TCP_PSH }, { "ack", MLX5_TCP_ACK }, { "urg", MLX5_TCP_URG },
    { "ece", MLX5_TCP_ECE }, { "cwr", MLX5_TCP_CWR },
};

#define SET_FORMS "N, N..M, N.. or ..M, several joined by commas"
#define PLUS_FORMS SET_FORMS "; +N, +N..M and +N.. count from when the rule was added"

const char *wire_dir_name(WireDir dir)
{
    static const char *const names[] = { "a>b", "b>a", "both" };

    return names[dir];
}

const char *wire_action_name(WireAction action)
{
    return actions[action].name;
}

/* What is being read, for errors. */
typedef struct Reader {
    const char *text;
    const char *token;
    GError **err;
} Reader;

static bool G_GNUC_PRINTF(2, 3) bad(const Reader *r, const char *format, ...)
{
    va_list args;
    char *what;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(r->err, WIRE_RULE_ERROR, 0, "rule '%s': '%s': %s", r->text, r->token, what);
    g_free(what);
    return false;
}

/* "a, b, c" of names[i] for i below n; `stride` bytes apart. */
static char *name_list(const void *names, size_t stride, size_t n)
{
    GString *s = g_string_new(NULL);
    size_t i;

    for (i = 0; i < n; i++) {
        const char *name = *(const char *const *)((const char *)names + i * stride);

        g_string_append_printf(s, "%s%s", i ? ", " : "", name);
    }
    return g_string_free(s, FALSE);
}

/* A whole decimal (or 0x) number; *end behind it. */
static bool read_number(const char *p, int64_t *value, const char **end)
{
    bool hex = p[0] == '0' && (p[1] == 'x' || p[1] == 'X');
    const char *digits = p + (*p == '-') + (hex ? 2 : 0);
    char *stop;

    if (hex ? !g_ascii_isxdigit(*digits) : !g_ascii_isdigit(*digits)) {
        return false;
    }
    errno = 0;
    *value = g_ascii_strtoll(p, &stop, hex ? 16 : 10);
    *end = stop;
    return !errno;
}

/* One end of a range of bytes. A word is a range of its own. */
static bool read_byte_end(const char *p, size_t len, WireRange *out, bool *word)
{
    char *copy = g_strndup(p, len);
    const char *end;
    bool ok = false;
    size_t i;

    *word = false;
    for (i = 0; i < G_N_ELEMENTS(byte_words); i++) {
        if (!strcmp(copy, byte_words[i].name)) {
            *out = byte_words[i].range;
            *word = ok = true;
        }
    }
    if (!ok && read_number(copy, &out->lo, &end) && !*end) {
        out->hi = out->lo;
        ok = true;
    }
    g_free(copy);
    return ok;
}

static bool add_range(const Reader *r, WireSet *set, int64_t lo, int64_t hi)
{
    /* a negative end lies behind every start that is not */
    if (lo > hi && !(lo >= 0 && hi < 0)) {
        return bad(r, "%" G_GINT64_FORMAT " is more than %" G_GINT64_FORMAT, lo, hi);
    }
    if (set->n == WIRE_SET_MAX) {
        return bad(r, "more than %d ranges", WIRE_SET_MAX);
    }
    set->range[set->n].lo = lo;
    set->range[set->n].hi = hi;
    set->n++;
    return true;
}

static bool read_byte_item(const Reader *r, WireSet *set, const char *item)
{
    const char *dots = strstr(item, "..");
    WireRange lo, hi;
    bool word;

    if (!dots) {
        if (read_byte_end(item, strlen(item), &lo, &word)) {
            return add_range(r, set, lo.lo, lo.hi);
        }
    } else if (read_byte_end(item, (size_t)(dots - item), &lo, &word)) {
        if (!dots[2]) {
            return add_range(r, set, lo.lo, lo.lo < 0 ? -1 : INT64_MAX);
        }
        if (read_byte_end(dots + 2, strlen(dots + 2), &hi, &word)) {
            return add_range(r, set, lo.lo, hi.hi);
        }
    }
    {
        char *names = name_list(&byte_words[0].name, sizeof(byte_words[0]),
                                G_N_ELEMENTS(byte_words));

        bad(r, "expected N, N..M or N.. (bytes of the record, from 0; negative: from its "
               "end), %s, several joined by commas", names);
        g_free(names);
    }
    return false;
}

static bool read_set_item(const Reader *r, WireSet *set, const char *item, bool plus)
{
    const char *forms = plus ? PLUS_FORMS : SET_FORMS;
    bool relative = *item == '+';
    const char *p = item + relative;
    int64_t lo = 0, hi = INT64_MAX;

    if (relative && !plus) {
        return bad(r, "'+' has no meaning here; expected %s", forms);
    }
    if (set->n && relative != set->relative) {
        return bad(r, "numbers with and without '+' cannot be mixed");
    }
    set->relative = relative;
    if (strncmp(p, "..", 2)) {
        if (*p == '-' || !read_number(p, &lo, &p)) {
            return bad(r, "expected %s", forms);
        }
        hi = lo;
    }
    if (!strncmp(p, "..", 2)) {
        p += 2;
        p += relative && *p == '+';
        hi = INT64_MAX;
        if (*p && (*p == '-' || !read_number(p, &hi, &p))) {
            return bad(r, "expected %s", forms);
        }
    }
    if (*p) {
        return bad(r, "expected %s", forms);
    }
    return add_range(r, set, lo, hi);
}

static bool read_sent_item(const Reader *r, WireSet *set, const char *item)
{
    if (!strcmp(item, "first")) {
        return add_range(r, set, 1, 1);
    }
    if (!strcmp(item, "again")) {
        return add_range(r, set, 2, INT64_MAX);
    }
    if (!strcmp(item, "any")) {
        return add_range(r, set, 1, INT64_MAX);
    }
    if (!g_ascii_isdigit(*item) || (*item == '0' && !item[1])) {
        return bad(r, "expected first, again, any, or the number of the transmission: 1, "
                      "2..3, 4..");
    }
    return read_set_item(r, set, item, false);
}

static bool read_type_item(const Reader *r, unsigned *types, const char *item)
{
    char *names;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(type_words); i++) {
        if (!strcmp(item, type_words[i].name)) {
            *types |= 1u << type_words[i].type;
            return true;
        }
    }
    names = name_list(&type_words[0].name, sizeof(type_words[0]), G_N_ELEMENTS(type_words));
    bad(r, "expected %s, several joined by commas", names);
    g_free(names);
    return false;
}

static bool read_flag_item(const Reader *r, WireRule *rule, const char *item)
{
    bool off = *item == '!';
    char *names;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(flag_words); i++) {
        if (!strcmp(item + off, flag_words[i].name)) {
            if (off) {
                rule->flags_off |= flag_words[i].flag;
            } else {
                rule->flags_on |= flag_words[i].flag;
            }
            return true;
        }
    }
    names = name_list(&flag_words[0].name, sizeof(flag_words[0]), G_N_ELEMENTS(flag_words));
    bad(r, "expected %s, with or without ! before it, several joined by commas", names);
    g_free(names);
    return false;
}

static bool read_items(const Reader *r, WireRule *rule, const Key *key, const char *value)
{
    void *field = (char *)rule + key->offset;
    /* g_strsplit() makes nothing of an empty string; it is an item, and a bad one */
    char **items = g_strsplit(*value ? value : ",", ",", -1);
    bool ok = true;
    unsigned i;

    for (i = 0; ok && items[i]; i++) {
        switch (key->kind) {
        case KEY_BYTES:
            ok = read_byte_item(r, field, items[i]);
            break;
        case KEY_SENT:
            ok = read_sent_item(r, field, items[i]);
            break;
        case KEY_TYPES:
            ok = read_type_item(r, field, items[i]);
            break;
        case KEY_FLAGS:
            ok = read_flag_item(r, rule, items[i]);
            break;
        default:
            ok = read_set_item(r, field, items[i], key->kind == KEY_SET_PLUS);
            break;
        }
    }
    g_strfreev(items);
    return ok;
}

static bool read_value(const Reader *r, WireRule *rule, const Key *key, const char *value)
{
    void *field = (char *)rule + key->offset;
    const char *end;
    int64_t number;
    unsigned i;
    char *stop;

    switch (key->kind) {
    case KEY_NUMBER:
        if (!read_number(value, &number, &end) || *end || number < key->min ||
            number > key->max) {
            if (key->max == INT64_MAX) {
                return bad(r, "expected a number, %" G_GINT64_FORMAT " or more", key->min);
            }
            return bad(r, "expected a number from %" G_GINT64_FORMAT " to %"
                       G_GINT64_FORMAT, key->min, key->max);
        }
        *(int64_t *)field = number;
        return true;
    case KEY_WORD:
        for (i = 0; key->words[i]; i++) {
            if (!strcmp(value, key->words[i])) {
                *(int64_t *)field = i;
                return true;
            }
        }
        {
            char *names = name_list(key->words, sizeof(char *), i);

            bad(r, "expected one of: %s", names);
            g_free(names);
        }
        return false;
    case KEY_PROBABILITY:
        *(double *)field = g_ascii_strtod(value, &stop);
        /* written so that NaN is refused too */
        if (!*value || *stop || !(*(double *)field >= 0 && *(double *)field <= 1)) {
            return bad(r, "expected a probability from 0 to 1, such as 0.01");
        }
        return true;
    case KEY_NAME:
        if (!*value || strlen(value) > 64) {
            return bad(r, "expected a name of 1 to 64 characters");
        }
        *(char **)field = g_strdup(value);
        return true;
    default:
        return read_items(r, rule, key, value);
    }
}

static bool read_key(const Reader *r, WireRule *rule, const char *equals)
{
    size_t len = (size_t)(equals - r->token), i;

    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        const Key *key = &keys[i];

        if (strlen(key->name) != len || memcmp(key->name, r->token, len)) {
            continue;
        }
        if (key->actions && !(key->actions & BIT(rule->action))) {
            return bad(r, "'%s' does not go with '%s'", key->name,
                       actions[rule->action].name);
        }
        if (rule->given & (UINT64_C(1) << i)) {
            return bad(r, "'%s' is given twice", key->name);
        }
        rule->given |= UINT64_C(1) << i;
        return read_value(r, rule, key, equals + 1);
    }
    {
        GString *names = g_string_new(NULL);

        for (i = 0; i < G_N_ELEMENTS(keys); i++) {
            if (!keys[i].actions || keys[i].actions & BIT(rule->action)) {
                g_string_append_printf(names, "%s%s", names->len ? ", " : "",
                                       keys[i].name);
            }
        }
        bad(r, "unknown key; with '%s' there are: %s", actions[rule->action].name,
            names->str);
        g_string_free(names, TRUE);
    }
    return false;
}

static bool read_token(const Reader *r, WireRule *rule, bool first)
{
    const char *equals = strchr(r->token, '=');
    size_t i;

    if (first) {
        char *names;

        for (i = 0; i < WIRE_N_ACTIONS; i++) {
            if (!strcmp(r->token, actions[i].name)) {
                rule->action = (WireAction)i;
                return true;
            }
        }
        names = name_list(&actions[0].name, sizeof(actions[0]), WIRE_N_ACTIONS);
        bad(r, "unknown action; expected one of: %s", names);
        g_free(names);
        return false;
    }
    if (equals) {
        return read_key(r, rule, equals);
    }
    for (i = 0; i <= WIRE_BOTH; i++) {
        if (!strcmp(r->token, wire_dir_name((WireDir)i))) {
            rule->dir = (WireDir)i;
            return true;
        }
    }
    return bad(r, "expected a direction (a>b, b>a or both) or KEY=VALUE");
}

static bool is_given(const WireRule *rule, const char *name)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!strcmp(keys[i].name, name)) {
            return rule->given & (UINT64_C(1) << i);
        }
    }
    g_assert_not_reached();
}

/* What only the whole rule shows; and the defaults. */
static bool finish(const Reader *r, WireRule *rule)
{
    static const char *const places[] = {
        "record", "app-record", "wire-record", "type", "byte", "stream", "headers",
    };
    size_t i;

    if (rule->action == WIRE_DELAY && !rule->packets && !rule->ms) {
        return bad(r, "needs packets= or ms=");
    }
    if (rule->action == WIRE_IP_OPTION && is_given(rule, "bytes") &&
        (rule->bytes < 4 || rule->bytes > 64 || rule->bytes % 4)) {
        return bad(r, "bytes= must be a multiple of 4 from 4 to 40, for IPv6 of 8 to 64");
    }
    if (is_given(rule, "seed") && !is_given(rule, "p")) {
        return bad(r, "seed= has no meaning without p=");
    }
    if (is_given(rule, "overlap") && rule->size && rule->overlap >= rule->size) {
        return bad(r, "overlap= must be less than size=");
    }
    /* A place in the stream means the first transmission, or no retransmission would
     * ever get through. */
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        if (is_given(rule, places[i]) && !rule->sent.n) {
            add_range(r, &rule->sent, 1, 1);
        }
    }
    return true;
}

WireRule *wire_rule_parse(const char *text, int64_t seed, GError **err)
{
    WireRule *rule = g_new0(WireRule, 1);
    Reader r = { .err = err };
    char **tokens, *clean;
    unsigned i, n = 0;
    bool ok = true;

    clean = g_strstrip(g_strdelimit(g_strdup(text), "\t\r\n", ' '));
    rule->text = clean;
    r.text = clean;
    rule->bases = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    rule->dir = WIRE_BOTH;
    rule->p = 1;
    rule->seed = seed;
    rule->copies = 1;
    rule->xor = 1;
    rule->bytes = -1;
    tokens = g_strsplit(clean, " ", -1);
    for (i = 0; ok && tokens[i]; i++) {
        if (*tokens[i]) {
            r.token = tokens[i];
            ok = read_token(&r, rule, n++ == 0);
        }
    }
    if (ok && !n) {
        r.token = "";
        ok = bad(&r, "a rule begins with its action");
    }
    if (ok) {
        r.token = actions[rule->action].name;
        ok = finish(&r, rule);
    }
    g_strfreev(tokens);
    if (!ok) {
        wire_rule_free(rule);
        return NULL;
    }
    return rule;
}

void wire_rule_free(WireRule *rule)
{
    if (rule) {
        g_hash_table_destroy(rule->bases);
        g_free(rule->name);
        g_free(rule->text);
        g_free(rule);
    }
}

void wire_rule_set_base(WireRule *rule, const void *lane, const WireBase *base)
{
    g_hash_table_insert(rule->bases, (void *)lane, g_memdup2(base, sizeof(*base)));
}

void wire_rule_drop_base(WireRule *rule, const void *lane)
{
    g_hash_table_remove(rule->bases, lane);
}

static void key_help(GString *out, const Key *key)
{
    char *words;

    g_string_append_printf(out, "  %-12s %s", key->name, key->about);
    if (key->kind == KEY_WORD) {
        words = g_strjoinv(", ", (char **)key->words);
        g_string_append_printf(out, " (%s)", words);
        g_free(words);
    } else if (key->kind == KEY_NUMBER && key->max == INT64_MAX) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT " or more)", key->min);
    } else if (key->kind == KEY_NUMBER) {
        g_string_append_printf(out, " (%" G_GINT64_FORMAT "..%" G_GINT64_FORMAT ")",
                               key->min, key->max);
    } else if (key->kind == KEY_BYTES) {
        words = name_list(&byte_words[0].name, sizeof(byte_words[0]),
                          G_N_ELEMENTS(byte_words));
        g_string_append_printf(out, " (N, N..M, -N from the end, %s)", words);
        g_free(words);
    } else if (key->kind == KEY_TYPES) {
        words = name_list(&type_words[0].name, sizeof(type_words[0]),
                          G_N_ELEMENTS(type_words));
        g_string_append_printf(out, " (%s)", words);
        g_free(words);
    } else if (key->kind == KEY_SENT) {
        g_string_append(out, " (first, again, any, N, N..M)");
    } else if (key->kind == KEY_FLAGS) {
        words = name_list(&flag_words[0].name, sizeof(flag_words[0]),
                          G_N_ELEMENTS(flag_words));
        g_string_append_printf(out, " (%s)", words);
        g_free(words);
    }
    g_string_append_c(out, '\n');
}

void wire_rule_help(GString *out)
{
    size_t i;

    g_string_append(out, "RULE: ACTION [a>b|b>a|both] [KEY=VALUE]...\n\nactions:\n");
    for (i = 0; i < WIRE_N_ACTIONS; i++) {
        g_string_append_printf(out, "  %-12s %s\n", actions[i].name, actions[i].about);
    }
    g_string_append(out, "\nwhich packets, and how often (sets: " PLUS_FORMS "):\n");
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!keys[i].actions) {
            key_help(out, &keys[i]);
        }
    }
    g_string_append(out, "\nof single actions, with the default first:\n");
    for (i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (keys[i].actions) {
            key_help(out, &keys[i]);
        }
    }
}
