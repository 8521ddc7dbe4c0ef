/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of match.c and of the numbers that core.c gives: which packets a rule
 * means. A rule under test drops; what does not come out is what it means.
 */
#include "bench.h"

#define MSS 100

/*
 * 4 records of the handshake (record 0 is the last), then data records of 300
 * bytes.
 */
static Stream usual_stream(unsigned n_data)
{
    Stream s = stream_new();

    stream_add_handshake(&s);
    while (n_data--) {
        stream_add(&s, 23, 295, false);
    }
    return s;
}

/*
 * Which segments of the stream, cut every MSS bytes, the rule drops: bit N for
 * the Nth.
 */
static uint64_t dropped_by(const char *rule, const Stream *s)
{
    uint64_t came = 0, sent = 0;
    unsigned i;
    Bench b;

    bench_init(&b, 4, 0xfffffff0);
    bench_rule(&b, rule);
    bench_syn(&b);
    bench_send_all(&b, s, MSS);
    for (i = 0; i < b.out[0]->len; i++) {
        if (bench_seen(&b, 0, i).len) {
            came |= UINT64_C(1) << bench_at(&b, i) / MSS;
        }
    }
    for (i = 0; i * MSS < s->bytes->len; i++) {
        sent |= UINT64_C(1) << i;
    }
    bench_clear(&b);
    return sent & ~came;
}

/*
 * The segments that hold any of bytes lo..hi of these records, straight from
 * the truth.
 */
static uint64_t holding(const Stream *s, unsigned wire, int lo, int hi)
{
    const WireRecord *r = stream_record(s, wire);
    uint64_t mask = 0;
    int64_t at;

    lo += lo < 0 ? (int)r->len : 0;
    hi += hi < 0 ? (int)r->len : 0;
    for (at = lo; at <= hi; at++) {
        mask |= UINT64_C(1) << (r->start + (uint64_t)at) / MSS;
    }
    return mask;
}

static void test_records_and_bytes(void)
{
    static const struct {
        const char *rule;
        unsigned wire;
        int lo, hi;
    } t[] = {
        { "drop record=0", 3, 0, -1 },
        { "drop record=0 byte=0", 3, 0, 0 },
        { "drop record=1 byte=header", 4, 0, 4 },
        { "drop record=3 byte=2", 6, 2, 2 },
        { "drop app-record=2 byte=2", 6, 2, 2 },
        { "drop wire-record=6 byte=2", 6, 2, 2 },
        { "drop wire-record=0", 0, 0, -1 },
        { "drop type=ccs", 2, 0, -1 },
        { "drop record=4 byte=nonce", 7, 5, 12 },
        { "drop record=4 byte=payload", 7, 13, -17 },
        { "drop record=4 byte=tag", 7, -16, -1 },
        { "drop record=4 byte=-1", 7, -1, -1 },
        { "drop record=4 byte=last", 7, -1, -1 },
        { "drop record=4 byte=299", 7, 299, 299 },
        { "drop record=4 byte=290..", 7, 290, -1 },
        { "drop record=4 byte=-20..-18", 7, -20, -18 },
        { "drop record=4 byte=100..-150", 7, 100, -150 },
        { "drop record=4 byte=100..900", 7, 100, -1 },
        { "drop a>b record=5", 8, 0, -1 },
    };
    Stream s = usual_stream(12);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        g_test_message("%s", t[i].rule);
        g_assert_cmphex(dropped_by(t[i].rule, &s), ==,
                        holding(&s, t[i].wire, t[i].lo, t[i].hi));
    }
    g_assert_cmphex(dropped_by("drop record=2,4..5 byte=-1", &s), ==,
                    holding(&s, 5, -1, -1) | holding(&s, 7, -1, -1) |
                    holding(&s, 8, -1, -1));
    g_assert_cmphex(dropped_by("drop record=11.. byte=0,50", &s), ==,
                    holding(&s, 14, 0, 0) | holding(&s, 14, 50, 50) |
                    holding(&s, 15, 0, 0) | holding(&s, 15, 50, 50));
    g_assert_cmphex(dropped_by("drop b>a record=5", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop record=4 byte=300", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop record=4 byte=-301", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop record=4 byte=200..-200", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop record=99", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop type=alert", &s), ==, 0);
    stream_free(&s);
}

/* Of each key by itself: what it means in the usual stream. */
static void test_other_keys(void)
{
    Stream s = usual_stream(12);
    uint64_t all = dropped_by("drop len=1..", &s);
    uint64_t headers = 0;
    unsigned i;

    for (i = 0; i < s.records->len; i++) {
        headers |= holding(&s, i, 0, 4);
    }
    g_assert_cmphex(all, ==,
                    (UINT64_C(1) << (s.bytes->len + MSS - 1) / MSS) - 1);
    g_assert_cmphex(dropped_by("drop headers=0", &s), ==, all & ~headers);
    g_assert_cmphex(dropped_by("drop headers=1..", &s), ==, headers);
    g_assert_cmphex(dropped_by("drop record=4 headers=0", &s), ==,
                    holding(&s, 7, 0, -1) & ~headers);
    g_assert_cmphex(dropped_by("drop segment=3..5", &s), ==, 7 << 3);
    /* 0 is the SYN */
    g_assert_cmphex(dropped_by("drop packet=3..5", &s), ==, 7 << 2);
    g_assert_cmphex(dropped_by("drop stream=250..420", &s), ==, 7 << 2);
    g_assert_cmphex(dropped_by("drop stream=..99,700", &s), ==, 1 | 1 << 7);
    g_assert_cmphex(
        dropped_by("drop flow=0 port=443 sport=40000 dport=443", &s), ==, all);
    g_assert_cmphex(dropped_by("drop flow=1", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop sport=443", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop port=1..442", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop ip=4 proto=tcp", &s), ==, all);
    g_assert_cmphex(dropped_by("drop ip=6", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop proto=udp", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop vlan=0..4095", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop flags=psh,!syn", &s), ==, all);
    g_assert_cmphex(dropped_by("drop flags=!psh", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop len=..99", &s), ==,
                    s.bytes->len % MSS ? UINT64_C(1) << s.bytes->len / MSS : 0);
    g_assert_cmphex(dropped_by("drop segment=2.. after=3", &s), ==,
                    all & ~UINT64_C(31));
    g_assert_cmphex(dropped_by("drop segment=2.. after=1 every=3 count=2", &s),
                    ==, 1 << 3 | 1 << 6);
    g_assert_cmphex(dropped_by("drop p=0 segment=0..", &s), ==, 0);
    g_assert_cmphex(dropped_by("drop p=1 segment=0..", &s), ==, all);
    stream_free(&s);
}

/* The order of rules: pass hides a packet from the later ones. */
static void test_pass(void)
{
    Stream s = usual_stream(4);
    unsigned i;
    Bench b;

    bench_init(&b, 6, 5);
    bench_rule(&b, "pass record=2");
    bench_rule(&b, "drop segment=0..");
    bench_syn(&b);
    bench_send_all(&b, &s, MSS);
    for (i = 1; i < b.out[0]->len; i++) {
        g_assert_true(holding(&s, 5, 0, -1) & UINT64_C(1)
                                                  << bench_at(&b, i) / MSS);
    }
    g_assert_cmpuint(b.out[0]->len, ==, 1 + 4);
    bench_clear(&b);
    stream_free(&s);
}

/* A place is lost once; its retransmission passes, in whatever cut it comes. */
static void test_transmissions(void)
{
    static const struct {
        const char *rule;
        unsigned passes;            /* bit N: transmission N + 1 comes out */
    } t[] = {
        { "drop record=2 byte=7", 0xe },
        { "drop record=2 byte=7 sent=first", 0xe },
        { "drop record=2 byte=7 sent=again", 0x1 },
        { "drop record=2 byte=7 sent=any", 0x0 },
        { "drop record=2 byte=7 sent=2", 0xd },
        { "drop record=2 byte=7 sent=1..3", 0x8 },
        { "drop record=2 byte=7 sent=2,4", 0x5 },
        { "drop segment=0..", 0x0 },
    };
    static const uint32_t before[] = { 30, 1, 20, 7 };
    Stream s = usual_stream(4);
    uint32_t at = (uint32_t)stream_record(&s, 5)->start + 7;
    unsigned i, n;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        unsigned passes = 0;
        Bench b;

        bench_init(&b, 4, 0xffffff00);
        bench_syn(&b);
        bench_send(&b, &s, 0, at - 30);
        bench_rule(&b, t[i].rule);
        for (n = 0; n < 4; n++) {
            bench_forget_output(&b);
            bench_send(&b, &s, at - before[n], at + 3);
            passes |= b.out[0]->len << n;
        }
        g_test_message("%s: %x", t[i].rule, passes);
        g_assert_cmphex(passes, ==, t[i].passes);
        bench_clear(&b);
    }
    stream_free(&s);
}

/*
 * A new byte behind old ones in the same segment still is a first transmission.
 */
static void test_partly_new(void)
{
    Stream s = usual_stream(2);
    Bench b;

    bench_init(&b, 4, 1);
    bench_rule(&b, "drop stream=150");
    bench_syn(&b);
    bench_send(&b, &s, 0, 100);
    bench_forget_output(&b);
    bench_send(&b, &s, 50, 151);        /* 150 for the first time */
    bench_send(&b, &s, 50, 200);
    g_assert_cmpuint(b.out[0]->len, ==, 1);
    g_assert_cmpuint(bench_seen(&b, 0, 0).len, ==, 150);
    bench_clear(&b);
    stream_free(&s);
}

/*
 * A header in two segments: both have bytes of it, before the rest has been
 * seen.
 */
static void test_split_header(void)
{
    Stream s = usual_stream(3);
    uint32_t start = (uint32_t)stream_record(&s, 5)->start;
    unsigned cut;

    for (cut = 1; cut < 5; cut++) {
        Bench b;

        bench_init(&b, 4, 1);
        bench_rule(&b, "log record=2 byte=header");
        bench_rule(&b, "log record=2 byte=0");
        bench_rule(&b, "log record=2 byte=4");
        bench_syn(&b);
        bench_send(&b, &s, 0, start + cut);
        bench_send(&b, &s, start + cut, start + 50);
        g_assert_cmpuint(((WireRule *)b.core.rules->pdata[0])->limits.hits, ==,
                         2);
        g_assert_nonnull(
            strstr(g_queue_peek_nth(&b.core.log, 0), "\"rule\":1,"));
        g_assert_nonnull(
            strstr(g_queue_peek_nth(&b.core.log, 1), "\"rule\":2,"));
        g_assert_nonnull(
            strstr(g_queue_peek_nth(&b.core.log, 3), "\"rule\":3,"));
        bench_clear(&b);
    }
    stream_free(&s);
}

/* "+N" counts from the moment the rule comes, in each connection by itself. */
static void test_relative(void)
{
    static const struct {
        const char *rule;
        unsigned first, last;       /* wire records whose first byte is lost */
    } t[] = {
        { "drop record=+0 byte=0", 8, 8 },
        { "drop record=+2 byte=0", 10, 10 },
        { "drop app-record=+1..+2 byte=0", 9, 10 },
        { "drop wire-record=+1..2 byte=0", 9, 10 },
        { "drop record=+1.. byte=0", 9, 12 },
    };
    Stream s = usual_stream(9);
    unsigned i, n;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        uint32_t at = (uint32_t)stream_record(&s, 8)->start - 50;
        unsigned segments = 0;
        Bench b;

        bench_init(&b, 4, 1);
        bench_syn(&b);
        bench_send_all(&b, &s, s.bytes->len);
        bench_clear(&b);

        bench_init(&b, 4, 1);
        bench_syn(&b);
        bench_send(&b, &s, 0, at);
        bench_rule(&b, t[i].rule);
        bench_forget_output(&b);
        for (n = at; n < s.bytes->len; n += 50) {
            bench_send(&b, &s, n, MIN(n + 50, s.bytes->len));
            segments++;
        }
        g_test_message("%s", t[i].rule);
        g_assert_cmpuint(b.out[0]->len, ==,
                         segments - (t[i].last - t[i].first + 1));
        for (n = 0; n < b.out[0]->len; n++) {
            Seen seen = bench_seen(&b, 0, n);
            uint32_t from = bench_at(&b, n);
            unsigned r;

            for (r = t[i].first; r <= t[i].last; r++) {
                uint64_t start = stream_record(&s, r)->start;

                g_assert_false(start >= from && start < from + seen.len);
            }
        }
        bench_clear(&b);
    }
    stream_free(&s);
}

/*
 * +N of segments, packets and bytes; and of a flow that is opened later, from
 * its start.
 */
static void test_relative_others(void)
{
    Stream s = usual_stream(9);
    Bench b;

    bench_init(&b, 4, 1);
    bench_syn(&b);
    bench_send_all(&b, &s, 500);
    bench_rule(&b, "log a>b segment=+1");
    bench_rule(&b, "log a>b packet=+2");
    bench_rule(&b, "log a>b stream=+0");
    bench_rule(&b, "log b>a packet=+0");
    /* packet +0 */
    bench_put(&b, 0, tcp_frame(4, 0, 2 + s.bytes->len, 0x10, NULL, 0));
    /* +1 */
    bench_put(&b, 0, tcp_frame(4, 0, 2 + s.bytes->len - 1, 0x10, NULL, 2));
    bench_put(&b, 0, tcp_frame(4, 0, 2 + s.bytes->len, 0x10, NULL, 2)); /* +2 */
    bench_put(&b, 1, tcp_frame(4, 1, 78, 0x10, NULL, 0));
    g_assert_cmpuint(b.core.log.length, ==, 4);
    g_assert_nonnull(strstr(g_queue_peek_nth(&b.core.log, 0), "\"rule\":3,"));
    g_assert_nonnull(strstr(g_queue_peek_nth(&b.core.log, 1), "\"rule\":1,"));
    g_assert_nonnull(strstr(g_queue_peek_nth(&b.core.log, 2), "\"rule\":2,"));
    g_assert_nonnull(strstr(g_queue_peek_nth(&b.core.log, 3), "\"rule\":4,"));
    /* the same ports, another connection */
    b.isn = 5000;
    bench_syn(&b);
    bench_send(&b, &s, 0, 10);
    bench_send(&b, &s, 10, 20);
    g_assert_cmpint(b.core.flows.next_number, ==, 2);
    /* b>a packet 0 is its SYN-ACK, a>b byte 0, packet 2 and segment 1 follow */
    g_assert_cmpuint(b.core.log.length, ==, 8);
    bench_clear(&b);
    stream_free(&s);
}

/*
 * Draws: as often as asked, the same again with the same seed, whatever else
 * passes.
 */
static void test_probability(void)
{
    enum { N = 20000 };
    static const char *const rules[] = {
        "drop p=0.1 seed=7", "drop p=0.1 seed=7", "drop p=0.1 seed=8",
        "duplicate p=0.1 seed=7",
    };
    uint8_t *fate[4];
    unsigned i, n, count[4] = { 0 }, same[4] = { 0 };

    for (i = 0; i < 4; i++) {
        Bench b;

        fate[i] = g_malloc0(N);
        bench_init(&b, 4, 1);
        bench_rule(&b, rules[i]);
        bench_syn(&b);
        bench_forget_output(&b);
        for (n = 0; n < N; n++) {
            if (i == 1 && n % 3 == 0) {   /* others in between change nothing */
                bench_put(&b, 1, tcp_frame(4, 1, n, 0x10, NULL, 0));
                bench_put(&b, 0, tcp_frame(6, 0, n, 0x10, NULL, 4));
            }
            bench_forget_output(&b);
            bench_put(&b, 0, tcp_frame(4, 0, 2 + n, 0x10, NULL, 1));
            fate[i][n] = b.out[0]->len != 1;
            count[i] += fate[i][n];
        }
        bench_clear(&b);
        for (n = 0; n < N; n++) {
            same[i] += fate[i][n] && fate[0][n];
        }
        g_test_message("%s: %u of %u, %u as the first", rules[i], count[i], N,
                       same[i]);
        /* nine standard deviations around 2000 */
        g_assert_cmpuint(count[i], >, 1600);
        g_assert_cmpuint(count[i], <, 2400);
    }
    g_assert_cmpmem(fate[0], N, fate[1], N);
    /*
     * another seed or action draws independently: 200 in common, 130 the
     * deviations
     */
    g_assert_cmpuint(same[2], <, 350);
    g_assert_cmpuint(same[3], <, 350);
    for (i = 0; i < 4; i++) {
        g_free(fate[i]);
    }
}

/* What is not TCP, or a whole packet of it. */
static void test_not_tcp(void)
{
    static const struct {
        FrameSpec spec;
        const char *rule;
        bool dropped;
    } t[] = {
        { { .ip = 4, .proto = 17, .payload_len = 9 }, "drop proto=udp len=9",
          true },
        { { .ip = 4, .proto = 17, .payload_len = 9, .dport = 53 },
          "drop dport=53", true },
        { { .ip = 4, .proto = 17, .payload_len = 9 }, "drop record=0", false },
        { { .ip = 4, .proto = 17, .payload_len = 9 }, "corrupt", false },
        { { .ip = 4, .proto = 17, .payload_len = 9 }, "drop flow=0..", false },
        { { .ip = 4, .proto = 1, .payload_len = 40 }, "drop proto=icmp", true },
        { { .ip = 6, .proto = 58, .payload_len = 40 }, "drop proto=icmp ip=6",
          true },
        { { .ip = 0, .ethertype = 0x806, .payload_len = 40 },
          "drop proto=other", true },
        { { .ip = 0, .ethertype = 0x806, .payload_len = 40 }, "drop proto=tcp",
          false },
        { { .ip = 0, .ethertype = 0x806, .payload_len = 40 }, "drop len=0..",
          false },
        { { .ip = 0, .ethertype = 0x806, .payload_len = 40 }, "drop packet=0",
          true },
        { { .ip = 4, .proto = 6, .payload_len = 40, .n_vlan = 1,
            .tpid = { 0x8100 }, .tci = { 0xe005 } }, "drop vlan=5 segment=0",
          true },
        { { .ip = 4, .proto = 6, .payload_len = 40, .n_vlan = 1,
            .tpid = { 0x8100 }, .tci = { 0xe005 } }, "drop vlan=6", false },
        { { .ip = 4, .proto = 6, .payload_len = 40, .frag = FRAME_FIRST_FRAG },
          "drop flow=0..", false },
        { { .ip = 4, .proto = 6, .payload_len = 40, .frag = FRAME_LATER_FRAG },
          "drop proto=tcp", true },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        Frame f = frame_build(&t[i].spec);
        size_t len;
        Bench b;

        bench_init(&b, 4, 1);
        bench_rule(&b, t[i].rule);
        wire_core_input(&b.core, WIRE_B_TO_A, f.data, f.len, 0);
        g_test_message("%u: %s", i, t[i].rule);
        g_assert_cmpuint(b.out[1]->len, ==, t[i].dropped ? 0 : 1);
        bench_clear(&b);

        /* cut short anywhere: never worse than passed on */
        for (len = 0; len < f.len; len++) {
            uint8_t *copy = dup_exact(f.data, len);

            bench_init(&b, 4, 1);
            bench_rule(&b, "split size=1");
            bench_rule(&b, "corrupt");
            bench_rule(&b, "ip-option");
            bench_rule(&b, "ce");
            wire_core_input(&b.core, WIRE_A_TO_B, copy, len, 0);
            g_assert_cmpuint(b.out[0]->len, >=, 1);
            bench_clear(&b);
            g_free(copy);
        }
        frame_free(&f);
    }
}

/* Flows are numbered as they come; a 4-tuple used again is another one. */
static void test_flows(void)
{
    Stream s = usual_stream(3);
    Bench b;

    bench_init(&b, 4, 100);
    bench_rule(&b, "log flow=1 record=0 byte=0");
    bench_syn(&b);
    bench_syn(&b);                                  /* again, the same */
    bench_send_all(&b, &s, 1000);
    g_assert_cmpint(b.core.flows.next_number, ==, 1);
    b.isn = 9000;
    bench_syn(&b);
    bench_send_all(&b, &s, 1000);
    g_assert_cmpint(b.core.flows.next_number, ==, 2);
    g_assert_cmpuint(b.core.flows.by_use.length, ==, 1);
    g_assert_cmpuint(b.core.log.length, ==, 1);
    b.ip = 6;
    bench_send_all(&b, &s, 1000);    /* picked up without a SYN */
    g_assert_cmpint(b.core.flows.next_number, ==, 3);
    g_assert_cmpuint(b.core.flows.by_use.length, ==, 2);
    bench_clear(&b);
    stream_free(&s);
}

/*
 * However many there are, memory has a bound; what waits in an old one is let
 * go.
 */
static void test_many_flows(void)
{
    unsigned i;
    Bench b;

    bench_init(&b, 4, 1);
    bench_rule(&b, "delay packets=5");
    for (i = 0; i < WIRE_MAX_FLOWS + 100; i++) {
        FrameSpec spec = { .ip = 4,
                           .proto = 6,
                           .payload_len = 1,
                           .tcp_flags = 0x10,
                           .sport = (uint16_t)i,
                           .dport = (uint16_t)(i >> 16) };
        Frame f;

        spec.dst_ip[0] = (uint8_t)(i >> 8);
        f = frame_build(&spec);
        wire_core_input(&b.core, 0, f.data, f.len, 0);
        frame_free(&f);
    }
    g_assert_cmpuint(b.core.flows.by_use.length, ==, WIRE_MAX_FLOWS);
    g_assert_cmpuint(b.out[0]->len, ==, 100);
    g_assert_cmpuint(b.core.n_waiting, ==, WIRE_MAX_FLOWS);
    wire_core_reset(&b.core);
    g_assert_cmpuint(b.out[0]->len, ==, WIRE_MAX_FLOWS + 100);
    bench_clear(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/match/records-and-bytes", test_records_and_bytes);
    g_test_add_func("/wire/match/other-keys", test_other_keys);
    g_test_add_func("/wire/match/pass", test_pass);
    g_test_add_func("/wire/match/transmissions", test_transmissions);
    g_test_add_func("/wire/match/partly-new", test_partly_new);
    g_test_add_func("/wire/match/split-header", test_split_header);
    g_test_add_func("/wire/match/relative", test_relative);
    g_test_add_func("/wire/match/relative-others", test_relative_others);
    g_test_add_func("/wire/match/probability", test_probability);
    g_test_add_func("/wire/match/not-tcp", test_not_tcp);
    g_test_add_func("/wire/match/flows", test_flows);
    g_test_add_func("/wire/match/many-flows", test_many_flows);
    return g_test_run();
}
