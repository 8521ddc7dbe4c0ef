/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of core.c and edit.c: what each action makes of a packet, in which
 * order packets leave, and that nothing is lost or altered but what rules ask
 * for. Frames are judged by look() of bench.h, with sums of its own.
 */
#include "bench.h"

#include "edit.h"

/* Eight data records of 300 bytes, cut in segments of 400. */
static Stream usual_stream(void)
{
    Stream s = stream_new();
    unsigned i;

    for (i = 0; i < 8; i++) {
        stream_add(&s, 23, 295, false);
    }
    return s;
}

/* All of A's output: right sums, and every payload byte as in the stream. */
static void check_intact(const Bench *b, const Stream *s)
{
    unsigned i;

    for (i = 0; i < b->out[0]->len; i++) {
        Seen seen = bench_seen(b, 0, i);

        g_assert_true(seen.csums);
        if (seen.len) {
            g_assert_cmpmem(seen.payload, seen.len,
                            s->bytes->data + bench_at(b, i), seen.len);
        }
    }
}

static void begin(Bench *b, int ip, const char *rule)
{
    bench_init(b, ip, 0xfffffe00);
    bench_syn(b);
    bench_forget_output(b);
    if (rule) {
        bench_rule(b, rule);
    }
}

static void test_untouched(void)
{
    unsigned round;

    for (round = 0; round < 3000; round++) {
        FrameSpec spec = frame_random_spec();
        Frame f = frame_build(&spec);
        const GByteArray *out;
        Bench b;

        bench_init(&b, 4, 1);
        if (round % 2) {
            bench_rule(&b, "log");
            bench_rule(&b, "drop p=0");
        }
        wire_core_input(&b.core, WIRE_B_TO_A, f.data, f.len, 0);
        g_assert_cmpuint(b.out[1]->len, ==, 1);
        out = g_ptr_array_index(b.out[1], 0);
        g_assert_cmpmem(out->data, out->len, f.data, f.len);
        bench_clear(&b);
        frame_free(&f);
    }
}

/* Where packets of A end up, by number of the segment of 400 bytes. */
static void check_order(const Bench *b, const char *want)
{
    GString *got = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < b->out[0]->len; i++) {
        g_string_append_printf(got, "%u", bench_at(b, i) / 400);
    }
    g_assert_cmpstr(got->str, ==, want);
    g_string_free(got, TRUE);
}

static void test_order(void)
{
    static const struct {
        const char *rule;
        const char *want;
        unsigned waiting;
    } t[] = {
        { "drop segment=2", "01345", 0 },
        { "drop segment=5", "01234", 0 },
        { "duplicate segment=2", "0122345", 0 },
        { "duplicate segment=2 copies=3", "012222345", 0 },
        { "duplicate segment=2 gap=1", "0123245", 0 },
        { "duplicate segment=2 gap=3 copies=2", "01234522", 0 },
        { "duplicate segment=4 gap=2", "012345", 1 },
        { "delay segment=2 packets=1", "013245", 0 },
        { "delay segment=2 packets=3", "013452", 0 },
        { "delay segment=2 packets=4", "01345", 1 },
        { "delay segment=0..2 packets=2", "031425", 0 },
        { "delay packets=1", "01234", 1 },
        { "hold segment=1..2", "0345", 2 },
        { "drop b>a", "012345", 0 },
    };
    Stream s = usual_stream();
    unsigned i;
    Bench b;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        begin(&b, i % 2 ? 4 : 6, t[i].rule);
        bench_send_all(&b, &s, 400);
        g_test_message("%s", t[i].rule);
        check_order(&b, t[i].want);
        g_assert_cmpuint(b.core.n_waiting, ==, t[i].waiting);
        check_intact(&b, &s);
        /* without the rule nothing waits */
        wire_core_remove_rule(&b.core, 1);
        g_assert_cmpuint(b.core.n_waiting, ==, 0);
        g_assert_cmpuint(b.core.waiting_bytes, ==, 0);
        g_assert_cmpuint(b.out[0]->len, ==, strlen(t[i].want) + t[i].waiting);
        bench_clear(&b);
    }
    stream_free(&s);
}

/* Only packets of the same flow and direction count. */
static void test_own_lane(void)
{
    Stream s = usual_stream();
    Bench b;

    begin(&b, 4, "delay segment=0 packets=2 ip=4");
    bench_send(&b, &s, 0, 400);
    bench_put(&b, 1, tcp_frame(4, 1, 78, 0x10, NULL, 0));
    bench_put(&b, 1, tcp_frame(4, 1, 78, 0x10, NULL, 0));
    b.ip = 6;
    bench_send(&b, &s, 0, 400);
    bench_send(&b, &s, 0, 400);
    b.ip = 4;
    g_assert_cmpuint(b.out[0]->len, ==, 2);
    /* an acknowledgement counts */
    bench_put(&b, 0, tcp_frame(4, 0, 5, 0x10, NULL, 0));
    g_assert_cmpuint(b.out[0]->len, ==, 3);
    bench_send(&b, &s, 800, 1200);
    g_assert_cmpuint(b.out[0]->len, ==, 5);
    g_assert_cmpuint(bench_at(&b, 4), ==, 0);
    bench_clear(&b);
    stream_free(&s);
}

static void test_time(void)
{
    Stream s = usual_stream();
    Bench b;

    begin(&b, 4, "delay ms=20 segment=0..1");
    bench_rule(&b, "delay ms=10 segment=2");
    bench_rule(&b, "delay ms=10 packets=2 segment=3..4");
    g_assert_cmpint(wire_core_deadline(&b.core), ==, -1);
    b.now = 1000;
    bench_send(&b, &s, 0, 400);
    b.now = 2000;
    bench_send(&b, &s, 400, 800);
    bench_send(&b, &s, 800, 1200);
    g_assert_cmpint(wire_core_deadline(&b.core), ==, 12000);
    wire_core_tick(&b.core, 11999);
    g_assert_cmpuint(b.out[0]->len, ==, 0);
    wire_core_tick(&b.core, 12000);
    check_order(&b, "2");
    wire_core_tick(&b.core, 22000);
    check_order(&b, "201");
    g_assert_cmpint(wire_core_deadline(&b.core), ==, -1);
    /* two conditions: what comes first */
    b.now = 30000;
    bench_send(&b, &s, 1200, 1600);
    bench_send(&b, &s, 1600, 2000);
    bench_send(&b, &s, 2000, 2400);
    check_order(&b, "20153");
    wire_core_tick(&b.core, 40000);
    check_order(&b, "201534");
    g_assert_cmpuint(b.core.n_waiting, ==, 0);
    check_intact(&b, &s);
    bench_clear(&b);
    stream_free(&s);
}

static void test_hold(void)
{
    Stream s = usual_stream();
    Bench b;

    begin(&b, 4, "hold segment=0 name=x");
    bench_rule(&b, "hold segment=1 name=y");
    bench_rule(&b, "hold segment=2");
    bench_rule(&b, "hold segment=3 name=x");
    bench_send_all(&b, &s, 400);
    check_order(&b, "45");
    g_assert_cmpuint(wire_core_release(&b.core, "z"), ==, 0);
    g_assert_cmpuint(wire_core_release(&b.core, "x"), ==, 2);
    check_order(&b, "4503");
    g_assert_cmpuint(wire_core_release(&b.core, NULL), ==, 2);
    check_order(&b, "450312");
    g_assert_cmpuint(wire_core_release(&b.core, NULL), ==, 0);
    bench_clear(&b);
    stream_free(&s);
}

/*
 * The copies are of what came, whatever other rules make of the packet itself.
 */
static void test_spare(void)
{
    Stream s = usual_stream();
    Seen seen;
    Bench b;

    begin(&b, 4, "spare segment=0..1 name=x");
    bench_rule(&b, "spare segment=2 name=y");
    bench_rule(&b, "corrupt segment=0 xor=0x80");
    bench_rule(&b, "drop segment=1");
    bench_send_all(&b, &s, 400);
    check_order(&b, "02345");
    seen = bench_seen(&b, 0, 0);
    g_assert_cmpuint(seen.payload[0], ==, s.bytes->data[0] ^ 0x80);
    g_assert_cmpuint(b.core.counters[0].spares, ==, 3);
    g_assert_cmpuint(b.core.counters[0].held, ==, 0);
    g_assert_cmpuint(wire_core_release(&b.core, "x"), ==, 2);
    check_order(&b, "0234501");
    seen = bench_seen(&b, 0, 5);
    g_assert_true(seen.csums);
    g_assert_cmpmem(seen.payload, seen.len, s.bytes->data, 400);
    g_assert_cmpuint(wire_core_release(&b.core, NULL), ==, 1);
    check_order(&b, "02345012");
    bench_clear(&b);
    stream_free(&s);
}

/* A bound on what waits; beyond it packets go at once, none is lost. */
static void test_overflow(void)
{
    Stream s = usual_stream();
    unsigned i;
    Bench b;

    begin(&b, 4, "hold");
    for (i = 0; i < WIRE_MAX_WAITING + 10; i++) {
        bench_send(&b, &s, 0, 1);
    }
    g_assert_cmpuint(b.out[0]->len, ==, 10);
    g_assert_cmpuint(bench_counters(&b)->overflow, ==, 10);
    g_assert_cmpuint(bench_counters(&b)->held, ==, WIRE_MAX_WAITING);
    wire_core_release(&b.core, NULL);
    g_assert_cmpuint(b.out[0]->len, ==, WIRE_MAX_WAITING + 10);
    bench_clear(&b);
    stream_free(&s);
}

static void test_corrupt(void)
{
    static const char *const bytes[] = { "0",  "4",   "5",   "13",
                                         "-1", "-16", "tag", "299" };
    static const unsigned at[] = { 0, 4, 5, 13, 299, 284, 284, 299 };
    Stream s = usual_stream();
    unsigned i, n, keep;

    for (i = 0; i < 4 * G_N_ELEMENTS(bytes); i++) {
        unsigned b_index = i / 4, place = 3 * 300 + at[b_index];
        uint32_t flipped = 0;
        char *rule;
        Bench b;

        keep = i & 1;
        rule = g_strdup_printf("corrupt record=3 byte=%s xor=0x41%s",
                               bytes[b_index], keep ? " csum=keep" : "");
        begin(&b, i & 2 ? 4 : 6, rule);
        bench_send_all(&b, &s, 400);
        for (n = 0; n < b.out[0]->len; n++) {
            Seen seen = bench_seen(&b, 0, n);
            uint32_t from = bench_at(&b, n), k;

            for (k = 0; k < seen.len; k++) {
                uint8_t want = s.bytes->data[from + k];

                if (from + k == place) {
                    want ^= 0x41;
                    flipped++;
                    g_assert_true(seen.csums == !keep);
                }
                g_assert_cmpuint(seen.payload[k], ==, want);
            }
            g_assert_true(seen.csums ||
                          (place >= from && place < from + seen.len));
        }
        g_assert_cmpuint(flipped, ==, 1);
        g_assert_cmpuint(bench_counters(&b)->corrupted, ==, 1);
        bench_clear(&b);
        g_free(rule);
    }
    stream_free(&s);
}

static void test_truncate(void)
{
    Stream s = usual_stream();
    const GByteArray *f;
    unsigned ip;
    Seen seen;
    Bench b;

    for (ip = 4; ip <= 6; ip += 2) {
        begin(&b, (int)ip, "truncate record=3 byte=2");
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        seen = bench_seen(&b, 0, 2);    /* 800..1200, record 3 begins at 900 */
        g_assert_cmpuint(seen.len, ==, 102);
        g_assert_cmpuint(seen.flags & MLX5_TCP_PSH, ==, 0);
        g_assert_cmpuint(bench_seen(&b, 0, 3).len, ==, 400);
        bench_clear(&b);

        begin(&b, (int)ip, "truncate segment=1 bytes=0");
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        g_assert_cmpuint(bench_seen(&b, 0, 1).len, ==, 0);
        f = g_ptr_array_index(b.out[0], 1);
        g_assert_cmpuint(f->len, >=, MLX5_ETH_ZLEN);
        bench_clear(&b);

        begin(&b, (int)ip, "truncate segment=1 bytes=1000");
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        g_assert_cmpuint(bench_seen(&b, 0, 1).len, ==, 400);
        g_assert_cmpuint(bench_counters(&b)->truncated, ==, 0);
        bench_clear(&b);

        begin(&b, (int)ip, "truncate segment=1 bytes=7 csum=keep");
        bench_send_all(&b, &s, 400);
        seen = bench_seen(&b, 0, 1);
        g_assert_false(seen.whole);
        g_assert_cmpuint(seen.len, ==, 7);
        g_assert_cmpuint(bench_counters(&b)->truncated, ==, 1);
        bench_clear(&b);
    }
    stream_free(&s);
}

/*
 * The payload of A's output, put together by sequence number; holes are a
 * failure.
 */
static GByteArray *put_together(const Bench *b, const Stream *s)
{
    GByteArray *all = g_byte_array_new();
    uint8_t *have = g_malloc0(s->bytes->len);
    unsigned i;

    g_byte_array_set_size(all, s->bytes->len);
    for (i = 0; i < b->out[0]->len; i++) {
        Seen seen = bench_seen(b, 0, i);

        if (seen.len) {
            memcpy(all->data + bench_at(b, i), seen.payload, seen.len);
            memset(have + bench_at(b, i), 1, seen.len);
        }
    }
    g_assert_null(memchr(have, 0, s->bytes->len));
    g_free(have);
    return all;
}

static void test_split(void)
{
    static const struct {
        const char *rule;
        const char *want;           /* from+len of each piece of 800..1200 */
    } t[] = {
        { "split segment=2 record=3 byte=2", "800+102 902+298" },
        { "split segment=2 record=3 byte=0,3,5",
          "800+100 900+3 903+2 905+295" },
        { "split segment=2 size=150", "800+150 950+150 1100+100" },
        { "split segment=2 size=150 overlap=20", "800+150 930+170 1080+120" },
        { "split segment=2 size=150 order=reverse",
          "1100+100 950+150 800+150" },
        { "split segment=2 stream=850 overlap=100", "800+50 800+400" },
        { "split segment=2 size=400", "800+400" },
        { "split segment=2 byte=tag,header", "800+84 884+16 900+284 1184+16" },
        { "split segment=2 stream=800", "800+400" },
    };
    Stream s = usual_stream();
    unsigned i, n, ip;

    for (i = 0; i < 2 * G_N_ELEMENTS(t); i++) {
        GString *got = g_string_new(NULL);
        GByteArray *all;
        Bench b;

        ip = i % 2 ? 4 : 6;
        begin(&b, (int)ip, t[i / 2].rule);
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        for (n = 0; n < b.out[0]->len; n++) {
            uint32_t from = bench_at(&b, n);
            Seen seen = bench_seen(&b, 0, n);

            if (from >= 800 && from < 1200) {
                g_string_append_printf(got, "%s%u+%u", got->len ? " " : "",
                                       from, seen.len);
                /* only the last one ends what the application wrote */
                g_assert_cmpint(!!(seen.flags & MLX5_TCP_PSH), ==,
                                from + seen.len == 1200);
            }
        }
        g_test_message("%s: %s", t[i / 2].rule, got->str);
        g_assert_cmpstr(got->str, ==, t[i / 2].want);
        all = put_together(&b, &s);
        g_assert_cmpmem(all->data, all->len, s.bytes->data, s.bytes->len);
        g_byte_array_unref(all);
        g_string_free(got, TRUE);
        bench_clear(&b);
    }
    stream_free(&s);
}

static void test_options(void)
{
    static const struct {
        int ip;
        const char *rule;
        size_t l3_hlen;             /* 0: refused */
    } t[] = {
        { 4, "ip-option segment=1", 24 },
        { 4, "ip-option segment=1 bytes=40", 60 },
        { 4, "ip-option segment=1 bytes=44", 0 },
        { 6, "ip-option segment=1", 48 },
        { 6, "ip-option segment=1 bytes=64", 104 },
        { 6, "ip-option segment=1 bytes=4", 0 },
    };
    Stream s = usual_stream();
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(t); i++) {
        const GByteArray *f;
        Mlx5Packet pkt;
        Bench b;

        begin(&b, t[i].ip, t[i].rule);
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        f = g_ptr_array_index(b.out[0], 1);
        g_assert_cmpuint(look(f->data, f->len).l3_hlen, ==,
                         t[i].l3_hlen ? t[i].l3_hlen :
                         t[i].ip == 4 ? 20u :
                                        40u);
        g_assert_cmpuint(bench_counters(&b)->options, ==, t[i].l3_hlen != 0);
        g_assert_cmpuint(bench_counters(&b)->refused, ==, t[i].l3_hlen == 0);
        mlx5_parse(f->data, f->len, &pkt);
        g_assert_cmpint(pkt.l4_type, ==, MLX5_L4_TCP);
        g_assert_cmpuint(pkt.payload_len, ==, 400);
        bench_clear(&b);
    }
    stream_free(&s);
}

static void test_ce(void)
{
    Stream s = usual_stream();
    unsigned i, ip;

    for (ip = 4; ip <= 6; ip += 2) {
        Bench b;

        begin(&b, (int)ip, "ce segment=1");
        bench_send_all(&b, &s, 400);
        check_intact(&b, &s);
        for (i = 0; i < b.out[0]->len; i++) {
            g_assert_cmpuint(bench_seen(&b, 0, i).ecn, ==, i == 1 ? 3 : 0);
        }
        bench_clear(&b);
    }
    stream_free(&s);
}

/* Several rules for one packet, done in the order that core.h states. */
static void test_together(void)
{
    Stream s = usual_stream();
    Seen seen;
    Bench b;

    begin(&b, 4, "corrupt stream=810 xor=1");
    bench_rule(&b, "corrupt stream=910 xor=2 csum=keep");
    bench_rule(&b, "truncate segment=2 bytes=300");
    bench_rule(&b, "split segment=2 size=100");
    bench_rule(&b, "ip-option segment=2");
    bench_rule(&b, "ce segment=2");
    bench_rule(&b, "duplicate segment=2");
    bench_rule(&b, "delay segment=2 packets=1");
    bench_send_all(&b, &s, 400);
    /* 0 1 3, then three pieces twice, then 4 5 */
    g_assert_cmpuint(b.out[0]->len, ==, 3 + 6 + 2);
    seen = bench_seen(&b, 0, 3);
    g_assert_cmpuint(bench_at(&b, 3), ==, 800);
    g_assert_cmpuint(seen.len, ==, 100);
    g_assert_true(seen.csums);
    g_assert_cmpuint(seen.l3_hlen, ==, 24);
    g_assert_cmpuint(seen.ecn, ==, 3);
    g_assert_cmpuint(seen.payload[10], ==, s.bytes->data[810] ^ 1);
    g_assert_cmpuint(bench_at(&b, 4), ==, 800);
    seen = bench_seen(&b, 0, 5);
    g_assert_cmpuint(bench_at(&b, 5), ==, 900);
    g_assert_false(seen.csums);
    g_assert_cmpuint(seen.payload[10], ==, s.bytes->data[910] ^ 2);
    g_assert_cmpuint(bench_at(&b, 8), ==, 1000);
    g_assert_true(bench_seen(&b, 0, 8).csums);
    g_assert_cmpuint(bench_at(&b, 9), ==, 1600);
    bench_clear(&b);
    stream_free(&s);
}

/* Segments that carry FIN or SYN, and IPv4 options or a VLAN tag already. */
static void test_odd_segments(void)
{
    FrameSpec spec = {
        .ip = 4,
        .proto = 6,
        .ttl = 64,
        .n_vlan = 1,
        .tpid = { 0x8100 },
        .tci = { 7 },
        .ipv4_opt_len = 8,
        .tcp_flags = MLX5_TCP_FIN | MLX5_TCP_ACK | MLX5_TCP_CWR,
        .payload_len = 30,
        .seq = 100,
        .pad = 6,
    };
    unsigned i;
    Frame f;
    Bench b;

    bench_init(&b, 4, 1);
    bench_rule(&b, "split size=10");
    f = frame_build(&spec);
    wire_core_input(&b.core, 0, f.data, f.len, 0);
    frame_free(&f);
    g_assert_cmpuint(b.out[0]->len, ==, 3);
    for (i = 0; i < 3; i++) {
        GByteArray *out = g_ptr_array_index(b.out[0], i);
        Mlx5Packet pkt;

        mlx5_parse(out->data, out->len, &pkt);
        mlx5_packet_check_csum(&pkt, out->data);
        g_assert_true(pkt.l3_ok && pkt.l4_ok);
        g_assert_cmpuint(pkt.n_vlan, ==, 1);
        g_assert_cmpuint(pkt.l3_hdr_len, ==, 28);
        g_assert_cmpuint(pkt.tcp_seq, ==, 100 + 10 * i);
        g_assert_cmpuint(pkt.payload_len, ==, 10);
        g_assert_cmpint(!!(pkt.tcp_flags & MLX5_TCP_FIN), ==, i == 2);
        g_assert_cmpint(!!(pkt.tcp_flags & MLX5_TCP_CWR), ==, i == 0);
        /* the same sums without the engine: drop the tag and look */
        memmove(out->data + 12, out->data + 16, out->len - 16);
        g_assert_true(look(out->data, out->len - 4).csums);
    }
    bench_clear(&b);
}

static char *random_rule(void)
{
    static const char *const actions[] = {
        "drop",
        "duplicate",
        "duplicate gap=2",
        "duplicate copies=3 gap=1",
        "delay packets=1",
        "delay packets=4",
        "delay ms=3",
        "hold name=x",
        "split size=7",
        "split byte=header",
        "split byte=3 overlap=2",
        "split byte=0,5,tag order=reverse",
        "truncate bytes=11",
        "truncate byte=4",
        "ip-option",
        "ce",
        "log",
    };
    static const char *const matches[] = {
        "",
        "p=0.2",
        "record=1.. p=0.5",
        "headers=0",
        "headers=2..",
        "len=0",
        "every=3",
        "sent=again",
        "after=3 count=2",
        "segment=..9",
        "b>a",
        "a>b p=0.7",
        "stream=+50..",
    };
    static const char *const second[] = { "", "ip=6", "flow=0", "port=443",
                                          "packet=2.." };
    const char
        *action = actions[g_test_rand_int_range(0, G_N_ELEMENTS(actions))];
    const char
        *match = matches[g_test_rand_int_range(0, G_N_ELEMENTS(matches))];
    const char *more = second[g_test_rand_int_range(0, G_N_ELEMENTS(second))];

    return g_strdup_printf("%s %s %s", action, match, more);
}

/* Everything that came out, as one string, and the log. */
static char *digest(const Bench *b)
{
    GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
    char *text;
    GList *at;
    unsigned dir, i;

    for (dir = 0; dir < 2; dir++) {
        for (i = 0; i < b->out[dir]->len; i++) {
            const GByteArray *f = g_ptr_array_index(b->out[dir], i);

            g_checksum_update(sum, f->data, f->len);
        }
    }
    for (at = b->core.log.head; at; at = at->next) {
        g_checksum_update(sum, at->data, -1);
    }
    text = g_strdup(g_checksum_get_string(sum));
    g_checksum_free(sum);
    return text;
}

typedef struct Step {
    WireDir dir;
    uint32_t from;
    uint32_t to;
} Step;

/* Feed all steps under these rules; the core is left as it is then. */
static void play(Bench *b, const Stream *s, char **rules, const GArray *steps)
{
    guint i;

    bench_syn(b);
    for (i = 0; i < g_strv_length(rules); i++) {
        bench_rule(b, rules[i]);
    }
    for (i = 0; i < steps->len; i++) {
        const Step *step = &g_array_index(steps, Step, i);

        b->now += 700;
        if (step->dir == WIRE_A_TO_B) {
            bench_send(b, s, step->from, step->to);
        } else {
            bench_put(b, 1, tcp_frame(b->ip, 1, 78, 0x10, NULL, 0));
        }
    }
}

/*
 * Random rules on random traffic: every frame is right, none is lost or made
 * uncounted, and the same again gives the same.
 */
static void test_random(void)
{
    unsigned round, rounds = g_test_slow() ? 20000 : 1500;

    for (round = 0; round < rounds; round++) {
        GArray *steps = g_array_new(FALSE, FALSE, sizeof(Step));
        GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
        Stream s = usual_stream();
        char *first, *second;
        unsigned n;
        Bench b;

        for (n = (unsigned)g_test_rand_int_range(1, 5); n > 0; n--) {
            g_ptr_array_add(list, random_rule());
        }
        g_ptr_array_add(list, NULL);
        for (n = 0; n < 40; n++) {
            uint32_t from = (uint32_t)g_test_rand_int_range(
                0, (gint)s.bytes->len - 1);
            uint32_t len = (uint32_t)frame_pick(1, 30, 200, 400, 700);
            Step step = { frame_pick(0, 0, 1) ? WIRE_B_TO_A : WIRE_A_TO_B, from,
                          MIN(from + len, s.bytes->len) };

            if (n < 12) {           /* in order at first */
                step.from = n * 200;
                step.to = step.from + 200;
            }
            g_array_append_val(steps, step);
        }
        bench_init(&b, round % 2 ? 4 : 6, 0xfffffe00);
        play(&b, &s, (char **)list->pdata, steps);
        first = digest(&b);
        wire_core_remove_rule(&b.core, 0);
        g_assert_cmpuint(b.core.n_waiting, ==, 0);
        check_intact(&b, &s);
        for (n = 0; n < 2; n++) {
            const WireCounters *c = &b.core.counters[n];

            g_assert_cmpuint(c->frames_out, ==,
                             c->frames_in - c->dropped + c->copies + c->pieces);
            g_assert_cmpuint(c->frames_out, ==, b.out[n]->len);
        }
        bench_clear(&b);

        bench_init(&b, round % 2 ? 4 : 6, 0xfffffe00);
        play(&b, &s, (char **)list->pdata, steps);
        second = digest(&b);
        g_assert_cmpstr(first, ==, second);
        bench_clear(&b);
        g_free(first);
        g_free(second);
        g_array_free(steps, TRUE);
        g_ptr_array_free(list, TRUE);
        stream_free(&s);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/core/untouched", test_untouched);
    g_test_add_func("/wire/core/order", test_order);
    g_test_add_func("/wire/core/own-lane", test_own_lane);
    g_test_add_func("/wire/core/time", test_time);
    g_test_add_func("/wire/core/hold", test_hold);
    g_test_add_func("/wire/core/spare", test_spare);
    g_test_add_func("/wire/core/overflow", test_overflow);
    g_test_add_func("/wire/core/corrupt", test_corrupt);
    g_test_add_func("/wire/core/truncate", test_truncate);
    g_test_add_func("/wire/core/split", test_split);
    g_test_add_func("/wire/core/ip-option", test_options);
    g_test_add_func("/wire/core/ce", test_ce);
    g_test_add_func("/wire/core/together", test_together);
    g_test_add_func("/wire/core/odd-segments", test_odd_segments);
    g_test_add_func("/wire/core/random", test_random);
    return g_test_run();
}
