/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The language of the wire's rules, as tables for engine/rule_text.c; see
 * rule.h. Matching is in match.c.
 */
#include "rule.h"

#include <string.h>

#define BIT(action) (1u << (action))

static const Mlx5RuleWord actions[WIRE_N_ACTIONS] = {
    [WIRE_DROP] = { "drop", "the packet is gone" },
    [WIRE_DUPLICATE] = { "duplicate", "the packet and, gap= packets later, "
                                      "copies= of it" },
    [WIRE_DELAY] = { "delay",
                     "the packet waits until packets= more of its flow "
                     "have passed, or for ms= milliseconds" },
    [WIRE_HOLD] = { "hold", "the packet waits until `release` is asked for" },
    [WIRE_SPARE] = { "spare", "a copy of the packet, as it came, waits until "
                              "`release` is asked for" },
    [WIRE_CORRUPT] = { "corrupt", "the byte found is xor'ed with xor=" },
    [WIRE_TRUNCATE] = { "truncate",
                        "the payload ends before the byte found, or "
                        "after bytes=" },
    [WIRE_SPLIT] = { "split", "several segments of one: cut before each place "
                              "found, or every size= bytes" },
    [WIRE_IP_OPTION] = { "ip-option", "bytes= of IPv4 options or of an IPv6 "
                                      "destination options header, which mean "
                                      "nothing" },
    [WIRE_CE] = { "ce", "congestion experienced, in the IP header" },
    [WIRE_LOG] = { "log", "nothing but a line in the log" },
    [WIRE_PASS] = { "pass", "later rules are not asked about the packet" },
};

static const Mlx5RuleWord dirs[] = {
    [WIRE_A_TO_B] = { "a>b" }, [WIRE_B_TO_A] = { "b>a" },
    [WIRE_BOTH] = { "both" },
};
static const Mlx5RuleWords dir_words = MLX5_RULE_WORDS(dirs);

static const Mlx5RuleWord csums[] = { { "fix" }, { "keep" } };
static const Mlx5RuleWord orders[] = { { "forward" }, { "reverse" } };
static const Mlx5RuleWord ips[] = { { "any" }, { "4" }, { "6" } };
static const Mlx5RuleWord protos[] = {
    { "any" }, { "tcp" }, { "udp" }, { "icmp" }, { "other" },
};

/* Positions in a record; negative numbers count from its end. */
static const struct {
    Mlx5RuleWord word;
    Mlx5RuleRange range;
} bytes[] = {
    { { "header" }, { 0, 4 } },
    { { "nonce" }, { 5, 12 } },
    { { "payload" }, { 13, -17 } },
    { { "tag" }, { -16, -1 } },
    { { "first" }, { 0, 0 } },
    { { "last" }, { -1, -1 } },
};
static const Mlx5RuleWords byte_words = MLX5_RULE_WORDS(bytes);

/* Transmissions of a byte. */
static const struct {
    Mlx5RuleWord word;
    Mlx5RuleRange range;
} sents[] = {
    { { "first" }, { 1, 1 } },
    { { "again" }, { 2, INT64_MAX } },
    { { "any" }, { 1, INT64_MAX } },
};
static const Mlx5RuleWords sent_words = MLX5_RULE_WORDS(sents);

static const struct {
    Mlx5RuleWord word;
    unsigned type;
} types[] = {
    { { "ccs" }, WIRE_TLS_CCS },
    { { "alert" }, WIRE_TLS_ALERT },
    { { "handshake" }, WIRE_TLS_HANDSHAKE },
    { { "data" }, WIRE_TLS_DATA },
};
static const Mlx5RuleWords type_words = MLX5_RULE_WORDS(types);

static const struct {
    Mlx5RuleWord word;
    uint16_t flag;
} flags[] = {
    { { "fin" }, MLX5_TCP_FIN }, { { "syn" }, MLX5_TCP_SYN },
    { { "rst" }, MLX5_TCP_RST }, { { "psh" }, MLX5_TCP_PSH },
    { { "ack" }, MLX5_TCP_ACK }, { { "urg" }, MLX5_TCP_URG },
    { { "ece" }, MLX5_TCP_ECE }, { { "cwr" }, MLX5_TCP_CWR },
};
static const Mlx5RuleWords flag_words = MLX5_RULE_WORDS(flags);

/* ---- values that only these rules have ----------------------------------- */

/* Reads one end of a range of bytes. A word is a range by itself. */
static bool read_byte_end(const char *p, size_t len, Mlx5RuleRange *out)
{
    g_autofree char *copy = g_strndup(p, len);
    int i = mlx5_rule_find(&byte_words, copy);
    const char *end;

    if (i >= 0) {
        *out = bytes[i].range;
        return true;
    }
    if (!mlx5_rule_number(copy, &out->lo, &end) || *end) {
        return false;
    }
    out->hi = out->lo;
    return true;
}

static bool item_byte(Mlx5RuleReader *r, void *field, const char *item)
{
    const char *dots = strstr(item, "..");
    size_t len = dots ? (size_t)(dots - item) : strlen(item);
    g_autofree char *names = NULL;
    Mlx5RuleRange lo, hi;

    if (read_byte_end(item, len, &lo)) {
        if (!dots) {
            return mlx5_rule_add_range(r, field, lo.lo, lo.hi);
        }
        if (!dots[2]) {
            return mlx5_rule_add_range(r, field, lo.lo,
                                       lo.lo < 0 ? -1 : INT64_MAX);
        }
        if (read_byte_end(dots + 2, strlen(dots + 2), &hi)) {
            return mlx5_rule_add_range(r, field, lo.lo, hi.hi);
        }
    }
    names = mlx5_rule_names(&byte_words, NULL, NULL);
    return mlx5_rule_bad(r, "N, N..M or N.. (bytes of the record, from 0; "
                         "negative: from its end), %s, several joined by "
                         "commas", names);
}

static bool item_sent(Mlx5RuleReader *r, void *field, const char *item)
{
    int i = mlx5_rule_find(&sent_words, item);

    if (i >= 0) {
        return mlx5_rule_add_range(r, field, sents[i].range.lo,
                                   sents[i].range.hi);
    }
    if (!g_ascii_isdigit(*item) || (*item == '0' && !item[1])) {
        return mlx5_rule_bad(r, "first, again, any, or the number of the "
                             "transmission: 1, 2..3, 4..");
    }
    return mlx5_rule_item_set(r, field, item);
}

static bool item_type(Mlx5RuleReader *r, void *field, const char *item)
{
    int i = mlx5_rule_find(&type_words, item);
    g_autofree char *names = NULL;

    if (i >= 0) {
        *(unsigned *)field |= 1u << types[i].type;
        return true;
    }
    names = mlx5_rule_names(&type_words, NULL, NULL);
    return mlx5_rule_bad(r, "%s, several joined by commas", names);
}

static bool item_flag(Mlx5RuleReader *r, void *field, const char *item)
{
    bool off = *item == '!';
    int i = mlx5_rule_find(&flag_words, item + off);
    g_autofree char *names = NULL;
    WireFlags *rule_flags = field;

    if (i >= 0) {
        *(off ? &rule_flags->off : &rule_flags->on) |= flags[i].flag;
        return true;
    }
    names = mlx5_rule_names(&flag_words, NULL, NULL);
    return mlx5_rule_bad(r,
                         "%s, with or without ! before it, several joined by "
                         "commas",
                         names);
}

/* ---- keys ---------------------------------------------------------------- */

#define AT(field) offsetof(WireRule, field)
#define SET(name, about, field) \
    { { name, about }, MLX5_RULE_ITEMS, AT(field), .item = mlx5_rule_item_set }
#define SET_PLUS(name, about, field) \
    { { name, about }, MLX5_RULE_ITEMS, AT(field), \
      .item = mlx5_rule_item_set_plus }

static const Mlx5RuleKey keys[] = {
    /* which packets */
    SET_PLUS("record", "number of the encrypted record", record),
    SET_PLUS("app-record", "number among records of type application_data",
             app_record),
    SET_PLUS("wire-record", "number among all records, plain ones included",
             wire_record),
    { { "type", "type of the record" }, MLX5_RULE_ITEMS, AT(types),
      .item = item_type, .words = MLX5_RULE_WORDS(types) },
    { { "byte", "byte of the record, header included" }, MLX5_RULE_ITEMS,
      AT(byte), .item = item_byte, .forms = "N, N..M, -N from the end",
      .words = MLX5_RULE_WORDS(bytes) },
    SET_PLUS("stream", "byte of the stream, from 0", stream),
    { { "sent", "how often the byte has passed, this time included" },
      MLX5_RULE_ITEMS, AT(sent), .item = item_sent, .forms = "N, N..M",
      .words = MLX5_RULE_WORDS(sents) },
    SET("headers", "records of which the packet has header bytes", headers),
    SET_PLUS("segment", "number among packets with payload of this flow and "
                        "direction", segment),
    SET_PLUS("packet", "number among all packets of this flow and direction",
             packet),
    SET("flow", "number of the flow, in order of appearance", flow),
    SET("port", "either port", port),
    SET("sport", "source port", sport),
    SET("dport", "destination port", dport),
    SET("len", "bytes of payload", len),
    SET("vlan", "VLAN id of the outer tag", vlan),
    { { "flags", "TCP flags that are set, with ! before them: are not" },
      MLX5_RULE_ITEMS, AT(flags), .item = item_flag,
      .words = MLX5_RULE_WORDS(flags) },
    { { "ip", "version of IP" }, MLX5_RULE_WORD, AT(ip),
      .words = MLX5_RULE_WORDS(ips) },
    { { "proto", "protocol" }, MLX5_RULE_WORD, AT(proto),
      .words = MLX5_RULE_WORDS(protos) },
    /* how often */
    MLX5_RULE_LIMIT_KEYS(AT(limits)),
    /* what to do */
    { { "copies", "1" }, MLX5_RULE_NUMBER, AT(copies), BIT(WIRE_DUPLICATE),
      .min = 1, .max = 100 },
    { { "gap", "0; packets of the flow that pass before the copies" },
      MLX5_RULE_NUMBER, AT(gap), BIT(WIRE_DUPLICATE), .min = 0, .max = 100000 },
    { { "packets", "packets of the flow that overtake" }, MLX5_RULE_NUMBER,
      AT(packets), BIT(WIRE_DELAY), .min = 1, .max = 100000 },
    { { "ms", "milliseconds" }, MLX5_RULE_NUMBER, AT(ms), BIT(WIRE_DELAY),
      .min = 1, .max = 3600000 },
    { { "name", "what to release it by" }, MLX5_RULE_NAME, AT(name),
      BIT(WIRE_HOLD) | BIT(WIRE_SPARE) },
    { { "xor", "1; mask" }, MLX5_RULE_NUMBER, AT(xor), BIT(WIRE_CORRUPT),
      .min = 1, .max = 255 },
    { { "bytes", "truncate: of payload that stay; ip-option: 4 to 40, a "
                 "multiple of 4 (IPv6: 8 to 64, of 8), 4 and 8 by default" },
      MLX5_RULE_NUMBER, AT(bytes), BIT(WIRE_TRUNCATE) | BIT(WIRE_IP_OPTION),
      .min = 0, .max = 65535 },
    { { "size", "bytes of payload of each piece" }, MLX5_RULE_NUMBER, AT(size),
      BIT(WIRE_SPLIT), .min = 1, .max = 65535 },
    { { "overlap", "0; a piece begins so many bytes early" }, MLX5_RULE_NUMBER,
      AT(overlap), BIT(WIRE_SPLIT), .min = 1, .max = 65535 },
    { { "order", "of the pieces" }, MLX5_RULE_WORD, AT(order), BIT(WIRE_SPLIT),
      .words = MLX5_RULE_WORDS(orders) },
    { { "csum", "fix repairs lengths and checksums, keep leaves them wrong" },
      MLX5_RULE_WORD, AT(csum), BIT(WIRE_CORRUPT) | BIT(WIRE_TRUNCATE),
      .words = MLX5_RULE_WORDS(csums) },
};

/* Mlx5RuleReader.given has a bit for each. */
G_STATIC_ASSERT(G_N_ELEMENTS(keys) <= 64);

/* ---- rules --------------------------------------------------------------- */

static Mlx5RuleToken read_dir(Mlx5RuleReader *r)
{
    int dir = mlx5_rule_find(&dir_words, r->token);
    WireRule *rule = r->rule;

    if (strchr(r->token, '=')) {
        return MLX5_RULE_TOKEN_KEY;
    }
    if (dir < 0) {
        mlx5_rule_bad(r, "a direction (a>b, b>a or both) or KEY=VALUE");
        return MLX5_RULE_TOKEN_BAD;
    }
    rule->dir = (WireDir)dir;
    return MLX5_RULE_TOKEN_TAKEN;
}

/*
 * A position in the stream selects the first transmission by default; otherwise
 * no retransmission would ever get through.
 */
static void default_sent(const Mlx5RuleReader *r, WireRule *rule)
{
    static const char *const places[] = {
        "record", "app-record", "wire-record", "type", "byte", "stream",
        "headers",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        if (mlx5_rule_given(r, places[i]) && !rule->sent.n) {
            rule->sent.n = 1;
            rule->sent.range[0] = sents[0].range;
        }
    }
}

static bool finish(Mlx5RuleReader *r)
{
    WireRule *rule = r->rule;
    g_autofree char *token = NULL;

    rule->action = (WireAction)r->action;
    if (rule->action == WIRE_DELAY && !rule->packets && !rule->ms) {
        return mlx5_rule_lacks(r, "packets= or ms=", "delay");
    }
    if (rule->action == WIRE_IP_OPTION && mlx5_rule_given(r, "bytes") &&
        (rule->bytes < 4 || rule->bytes > 64 || rule->bytes % 4)) {
        token = g_strdup_printf("bytes=%" G_GINT64_FORMAT, rule->bytes);
        r->token = token;
        return mlx5_rule_bad(r,
                             "bytes= to be a multiple of 4 from 4 to 40, for "
                             "IPv6 from 8 to 64");
    }
    if (rule->size && rule->overlap >= rule->size) {
        token = g_strdup_printf("overlap=%" G_GINT64_FORMAT, rule->overlap);
        r->token = token;
        return mlx5_rule_bad(r, "overlap= to be less than size=");
    }
    default_sent(r, rule);
    return true;
}

static const Mlx5RuleLanguage language = {
    .grammar = "ACTION [a>b|b>a|both] [KEY=VALUE]...",
    .actions = MLX5_RULE_WORDS(actions),
    .keys = keys,
    .n_keys = G_N_ELEMENTS(keys),
    .token = read_dir,
    .finish = finish,
};

const char *wire_dir_name(WireDir dir)
{
    return dirs[dir].name;
}

const char *wire_action_name(WireAction action)
{
    return actions[action].name;
}

WireRule *wire_rule_parse(const char *text, int64_t seed, GError **err)
{
    WireRule *rule = g_new0(WireRule, 1);
    Mlx5RuleReader r = { .language = &language, .rule = rule };

    rule->text = mlx5_rule_clean(text);
    rule->bases = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    rule->dir = WIRE_BOTH;
    rule->limits.p = 1;
    rule->limits.seed = seed;
    rule->copies = 1;
    rule->xor = 1;
    rule->bytes = -1;
    r.text = rule->text;
    if (!mlx5_rule_read(&r)) {
        g_set_error_literal(err, WIRE_RULE_ERROR, 0, r.error);
        g_free(r.error);
        wire_rule_free(rule);
        return NULL;
    }
    return rule;
}

void wire_rule_free(WireRule *rule)
{
    if (rule) {
        g_hash_table_destroy(rule->bases);
        g_free(rule->text);
        g_free(rule);
    }
}

void wire_rule_set_base(WireRule *rule, const void *lane, const WireBase *base)
{
    g_hash_table_insert(rule->bases, (void *)lane,
                        g_memdup2(base, sizeof(*base)));
}

void wire_rule_drop_base(WireRule *rule, const void *lane)
{
    g_hash_table_remove(rule->bases, lane);
}

void wire_rule_help(GString *out)
{
    mlx5_rule_help_actions(&language, out);
    mlx5_rule_help_keys(&language, MLX5_RULE_PLUS_FORMS, out);
}
