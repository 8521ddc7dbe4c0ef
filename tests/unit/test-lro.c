/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/lro: each bit of a header, the cases of the kernel's selftest
 * of GRO (net/lib/gro.c), limits, and random streams. What was joined is judged
 * as the driver does it: a header made from the CQE (en_rx.c,
 * mlx5e_lro_update_hdr), whose checksums are then computed by the letter, and
 * the bytes compared with those that were sent. Owns no state.
 */
#include <glib.h>
#include <string.h>

#include "lro.h"
#include "frame.h"

#define BOTH (MLX5_LRO_IPV4 | MLX5_LRO_IPV6)
#define MAX_OUT 64

static const Mlx5LroLimits wide = {
    .max_ip_payload = 255 << 8,
    .max_frame = MLX5_LRO_MAX_FRAME,
};

static FrameSpec segment(int ip, uint32_t seq, unsigned len)
{
    return (FrameSpec) {
        .dst_mac = { 2, 0, 0, 0, 0, 1 },
        .src_mac = { 2, 0, 0, 0, 0, 2 },
        .ip = ip,
        .ttl = 8,
        .ip_id = 8,
        .src_ip = { 10, 0, 0, 2, 1 },
        .dst_ip = { 10, 0, 0, 1, 2 },
        .proto = 6,
        .sport = 1500,
        .dport = 8000,
        .seq = seq,
        .ack = 100,
        .tcp_flags = MLX5_TCP_ACK,
        .payload_len = len,
    };
}

/* Computes the checksums of a frame whose bytes were changed. */
static void fix(Frame *f, int ip)
{
    uint8_t *l3 = f->data + f->l3, *l4 = f->data + f->l4;
    size_t alen = ip == 4 ? 4 : 16;
    uint8_t *src = l3 + (ip == 4 ? 12 : 8);
    uint32_t len = (uint32_t)(f->l3_end - f->l4);

    if (ip == 4) {
        l3[10] = l3[11] = 0;
        mlx5_put_be16(l3 + 10, (uint16_t)~naive_sum(l3, f->l4 - f->l3));
    }
    l4[16] = l4[17] = 0;
    mlx5_put_be16(l4 + 16,
                  (uint16_t)~naive_add(naive_pseudo(src, src + alen, alen, 6,
                                                    len), l4, len));
}

/* With the usual timestamp, or with options of another kind. */
static Frame with_options(FrameSpec *s, const uint8_t *opts, unsigned len)
{
    Frame f;

    s->tcp_opt_len = len;
    f = frame_build(s);
    if (len) {
        memcpy(f.data + f.l4 + 20, opts, len);
    }
    fix(&f, s->ip);
    return f;
}

static const uint8_t ts_option[12] = { 1, 1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9 };

static void parse(const Frame *f, Mlx5Packet *pkt)
{
    mlx5_parse(f->data, f->len, pkt);
    mlx5_packet_check_csum(pkt, f->data);
}

/* -------------------------------------------------- one session, judged --- */

/* Packets come out as the device delivers them. */
typedef struct Out {
    unsigned n;
    struct {
        unsigned segs;
        unsigned payload;
        bool psh;
    } p[MAX_OUT];
    GByteArray *bytes; /* all payloads, as they came out */
    bool open;
    Mlx5LroSession s;
    Mlx5LroLimits limits;
    uint8_t buf[MLX5_LRO_MAX_FRAME];
} Out;

static Out *out_new(const Mlx5LroLimits *limits)
{
    Out *o = g_new0(Out, 1);

    o->bytes = g_byte_array_new();
    o->s.buf = o->buf;
    o->limits = *limits;
    return o;
}

static void out_free(Out *o)
{
    g_byte_array_free(o->bytes, TRUE);
    g_free(o);
}

static void came_out(Out *o, unsigned segs, const uint8_t *payload, size_t len,
                     bool psh)
{
    g_assert_cmpuint(o->n, <, MAX_OUT);
    o->p[o->n].segs = segs;
    o->p[o->n].payload = (unsigned)len;
    o->p[o->n].psh = psh;
    o->n++;
    if (len) {
        g_byte_array_append(o->bytes, payload, (guint)len);
    }
}

/* Makes the header as the driver does, and checks that it is right. */
static void judge(const Mlx5LroSession *s)
{
    g_autofree uint8_t *frame = g_memdup2(s->buf, s->len);
    bool v4 = s->first.l3_type == MLX5_L3_IPV4;
    uint8_t *l3 = frame + s->first.l3_off;
    uint8_t *tcp = l3 + (v4 ? 20 : 40);
    unsigned thl = (tcp[12] >> 4) * 4;
    size_t hdr_len = (size_t)(tcp - frame) + thl, total = s->len - (l3 - frame);
    uint8_t *src = l3 + (v4 ? 12 : 8);
    size_t alen = v4 ? 4 : 16;
    uint32_t sum;
    Mlx5LroCqe c;
    Mlx5Packet p;

    mlx5_lro_cqe(s, &c);
    g_assert_cmpuint(c.lro_num_seg, ==, s->segs);
    if (v4) {
        l3[8] = c.lro_min_ttl;
        mlx5_put_be16(l3 + 2, (uint16_t)total);
        l3[10] = l3[11] = 0;
        mlx5_put_be16(l3 + 10, (uint16_t)~naive_sum(l3, 20));
        total -= 20;
    } else {
        l3[7] = c.lro_min_ttl;
        total -= 40;
        mlx5_put_be16(l3 + 4, (uint16_t)total);
    }
    tcp[16] = tcp[17] = 0;
    tcp[13] = (uint8_t)((tcp[13] & ~8) | c.lro_tcppsh << 3);
    mlx5_put_be32(tcp + 8, c.lro_ack_seq_num);
    mlx5_put_be16(tcp + 14, c.lro_tcp_win);
    sum = naive_pseudo(src, src + alen, alen, 6, (uint32_t)total);
    sum = naive_add(sum + c.check_sum, tcp, thl);
    mlx5_put_be16(tcp + 16, (uint16_t)~sum);
    /* The sum over everything, by the letter. */
    g_assert_cmphex(naive_add(naive_pseudo(src, src + alen, alen, 6,
                                           (uint32_t)total), tcp, total),
                    ==, 0xffff);
    mlx5_parse(frame, s->len, &p);
    mlx5_packet_check_csum(&p, frame);
    g_assert_true(p.l3_ok && p.l4_ok && !p.l3_truncated);
    g_assert_cmpuint(p.payload_off, ==, hdr_len);
    g_assert_cmpuint(p.payload_len, ==, s->len - hdr_len);
}

static void flush(Out *o)
{
    const Mlx5LroSession *s = &o->s;

    if (o->open) {
        judge(s);
        came_out(o, s->segs, s->buf + s->first.payload_off,
                 s->len - s->first.payload_off, s->psh);
        o->open = false;
    }
}

/* One packet of the connection arrives. */
static void arrive(Out *o, const Frame *f)
{
    Mlx5LroResult res;
    bool candidate;
    Mlx5Packet pkt;

    parse(f, &pkt);
    candidate = mlx5_lro_candidate(&pkt, f->data, BOTH);
    if (o->open && candidate && mlx5_lro_same_flow(&o->s, &pkt, f->data)) {
        res = mlx5_lro_join(&o->s, &pkt, f->data);
        if (res == MLX5_LRO_ENDED) {
            flush(o);
        }
        if (res != MLX5_LRO_REFUSED) {
            return;
        }
    }
    flush(o);
    if (candidate && mlx5_lro_may_open(&pkt, &o->limits)) {
        mlx5_lro_open(&o->s, &pkt, f->data, &o->limits);
        o->open = true;
    } else {
        came_out(o, 1, f->data + pkt.payload_off, pkt.payload_len,
                 pkt.tcp_flags & MLX5_TCP_PSH);
    }
}

/* ------------------------------------------------- each bit of a header --- */

typedef enum Fate { NO, YES, ENDS } Fate;

/* What may differ in the second packet: PSH, and what is not looked at. */
static Fate may_differ(const Frame *f, int ip, size_t bit)
{
    size_t byte = bit / 8;

    if (bit == (f->l4 + 13) * 8 + 4) {
        return ENDS; /* PSH */
    }
    if (ip == 4 && bit == (f->l3 + 5) * 8 + 7) {
        return YES; /* the id becomes one more */
    }
    if (byte == f->l4 + 18 || byte == f->l4 + 19) {
        return YES; /* urgent pointer, without URG */
    }
    return NO;
}

static void test_bits(void)
{
    static const uint8_t *const opts[] = { NULL, ts_option };
    static const int ips[] = { 4, 6 };
    unsigned i, joined = 0;
    size_t bit;

    for (i = 0; i < 4; i++) {
        int ip = ips[i % 2];
        FrameSpec a = segment(ip, 1000, 100), b = segment(ip, 1100, 100);
        unsigned n_opt = opts[i / 2] ? 12 : 0;
        Frame first = with_options(&a, opts[i / 2], n_opt);

        for (bit = 0; bit < (first.l4 + 20 + n_opt) * 8; bit++) {
            Frame second = with_options(&b, opts[i / 2], n_opt);
            size_t byte = bit / 8;
            Out *o = out_new(&wide);
            Fate got;

            second.data[byte] ^= (uint8_t)(0x80 >> bit % 8);
            /* A wrong checksum stays wrong. */
            if (byte - (second.l4 + 16) >= 2 &&
                (ip == 6 || byte - (second.l3 + 10) >= 2)) {
                fix(&second, ip);
            }
            arrive(o, &first);
            g_assert_true(o->open);
            arrive(o, &second);
            got = o->open && o->s.segs == 2 ? YES :
                  o->n && o->p[0].segs == 2 ? ENDS : NO;
            if (got != may_differ(&second, ip, bit)) {
                g_test_message("IPv%d, %u bytes of options, byte %zu, bit %zu",
                               ip, n_opt, byte, bit % 8);
            }
            g_assert_cmpint(got, ==, may_differ(&second, ip, bit));
            flush(o);
            if (got != NO) {
                g_assert_cmpint(o->p[0].psh, ==, got == ENDS);
                joined++;
            }
            g_assert_cmpuint(o->n, ==, got == NO ? 2 : 1);
            out_free(o);
            frame_free(&second);
        }
        frame_free(&first);
    }
    g_assert_cmpuint(joined, ==, 2 * (18 + 17));
}

/* ------------------------------------------------ cases of the selftest --- */

#define CASE_PACKETS 6

/* One packet: the differences from a plain segment of 100 bytes. */
typedef struct GroPacket {
    unsigned at, len; /* of the payload in the stream */
    unsigned flags;   /* besides ACK */
    unsigned id;      /* added to the first IPv4 id */
    unsigned tos, ttl, ack, ip_opt;
    const uint8_t *opt;
    unsigned n_opt;
    unsigned bad_csum;
    unsigned ext;
} GroPacket;

static const uint8_t ts_later[12] = { 1, 1, 8, 10, 0, 0, 0, 8, 0, 0, 0, 9 };
static const uint8_t ts_nop_behind[12] = {
    1, 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1
};
static const uint8_t ts_first[12] = { 8, 10, 0, 0, 0, 7, 0, 0, 0, 9, 1, 1 };
static const uint8_t window_option[4] = { 1, 3, 3, 0 };

/* Names and results of net/lib/gro.c, payload lengths as they come out. */
static const struct {
    const char *name;
    int ip; /* 0: both */
    GroPacket p[CASE_PACKETS];
    unsigned out[CASE_PACKETS];
} cases[] = {
    { "data_same", 0, { { 0, 100 }, { 100, 100 } }, { 200 } },
    { "data_lrg_sml", 0, { { 0, 100 }, { 100, 50 } }, { 150 } },
    { "data_lrg_1byte", 0, { { 0, 100 }, { 100, 1 } }, { 101 } },
    { "data_sml_lrg", 0, { { 0, 50 }, { 50, 100 } }, { 50, 100 } },
    { "flags_psh", 0, { { 0, 100 }, { 100, 100 },
                        { 200, 100, MLX5_TCP_PSH }, { 300, 100 },
                        { 400, 100 } }, { 300, 200 } },
    { "flags_cwr", 0, { { 0, 100 }, { 100, 100, MLX5_TCP_CWR },
                        { 200, 100, MLX5_TCP_CWR }, { 300, 100 },
                        { 400, 100 } }, { 100, 200, 200 } },
    { "tcp_csum", 0, { { 0, 100 }, { 100, 100, .bad_csum = 1 } },
      { 100, 100 } },
    { "tcp_seq", 0, { { 0, 100 }, { 101, 100 } }, { 100, 100 } },
    { "tcp_ts", 0, { { 0, 100, .opt = ts_option, .n_opt = 12 },
                     { 100, 100, .opt = ts_option, .n_opt = 12 },
                     { 200, 100, .opt = ts_later, .n_opt = 12 },
                     { 300, 100, .opt = ts_nop_behind, .n_opt = 12 },
                     { 400, 100, .opt = ts_first, .n_opt = 12 } },
      { 200, 100, 100, 100 } },
    { "tcp_opt", 0, { { 0, 100, .opt = ts_option, .n_opt = 12 },
                      { 100, 100, .opt = ts_option, .n_opt = 12 },
                      { 200, 100, .opt = window_option, .n_opt = 4 } },
      { 200, 100 } },
    { "ip_ecn", 0, { { 0, 100 }, { 100, 100, .tos = 2 } }, { 100, 100 } },
    { "ip_tos", 0, { { 0, 100 }, { 100, 100, .tos = 0xf0 } }, { 100, 100 } },
    { "ip_ttl", 0, { { 0, 100 }, { 100, 100, .ttl = 7 } }, { 100, 100 } },
    { "ip_opt", 4, { { 0, 100 }, { 100, 100, .ip_opt = 4 }, { 200, 100 } },
      { 100, 100, 100 } },
    { "ip_id_df1_inc", 4, { { 0, 100 }, { 100, 100, .id = 1 } }, { 200 } },
    { "ip_id_df1_fixed", 4, { { 0, 100 }, { 100, 100 } }, { 200 } },
    { "ip_id_df1_inc_fixed", 4, { { 0, 100 }, { 100, 100, .id = 1 },
                                  { 200, 100, .id = 1 } }, { 200, 100 } },
    { "ip_id_df1_fixed_inc", 4, { { 0, 100 }, { 100, 100 },
                                  { 200, 100, .id = 1 } }, { 200, 100 } },
    /* not in the selftest */
    { "ids count on", 4, { { 0, 100 }, { 100, 100, .id = 1 },
                           { 200, 100, .id = 2 }, { 300, 100, .id = 4 } },
      { 300, 100 } },
    { "an id runs over", 4, { { 0, 100, .id = 0xfff7 },
                              { 100, 100, .id = 0xfff8 } }, { 200 } },
    { "another acknowledgment", 0, { { 0, 100 }, { 100, 100, .ack = 1 } },
      { 100, 100 } },
    { "again", 0, { { 0, 100 }, { 0, 100 } }, { 100, 100 } },
    { "PSH begins", 0, { { 0, 100, MLX5_TCP_PSH }, { 100, 100 },
                         { 200, 100 } }, { 100, 200 } },
    { "FIN with data", 0, { { 0, 100 }, { 100, 100, MLX5_TCP_FIN } },
      { 100, 100 } },
    { "URG with data", 0, { { 0, 100 }, { 100, 100, MLX5_TCP_URG } },
      { 100, 100 } },
    { "all with ECE", 0, { { 0, 100, MLX5_TCP_ECE },
                           { 100, 100, MLX5_TCP_ECE } }, { 200 } },
    { "all with CE", 0, { { 0, 100, .tos = 3 }, { 100, 100, .tos = 3 } },
      { 200 } },
    { "options alone", 0, { { 0, 100, .opt = window_option, .n_opt = 4 },
                            { 100, 100, .opt = window_option, .n_opt = 4 } },
      { 100, 100 } },
    { "extension headers", 6, { { 0, 100, .ext = 1 }, { 100, 100, .ext = 1 } },
      { 100, 100 } },
    { "a short one ends it", 0, { { 0, 100 }, { 100, 99 }, { 199, 100 } },
      { 199, 100 } },
};

static Frame case_packet(const GroPacket *g, int ip)
{
    FrameSpec s = segment(ip, 0xfffffff0 + g->at, g->len);
    Frame f;

    s.tcp_flags |= (uint16_t)g->flags;
    s.ip_id = (uint16_t)(s.ip_id + g->id);
    s.tos = (uint8_t)g->tos;
    s.ttl = (uint8_t)(g->ttl ? g->ttl : s.ttl);
    s.ack += g->ack;
    s.ipv4_opt_len = g->ip_opt;
    s.n_ext = g->ext;
    s.ext_type[0] = 60;
    s.pad = ip == 4 && g->len < 6 ? 6 - g->len : 0;
    if (g->n_opt) {
        return with_options(&s, g->opt, g->n_opt);
    }
    f = frame_build(&s);
    f.data[f.l4 + 16] ^= g->bad_csum != 0;
    return f;
}

static void test_selftest(void)
{
    unsigned i, j, ip;

    for (i = 0; i < G_N_ELEMENTS(cases) * 2; i++) {
        Out *o;

        ip = i % 2 ? 6 : 4;
        if (cases[i / 2].ip && cases[i / 2].ip != (int)ip) {
            continue;
        }
        g_test_message("%s, IPv%u", cases[i / 2].name, ip);
        o = out_new(&wide);
        for (j = 0; j < CASE_PACKETS && cases[i / 2].p[j].len; j++) {
            Frame f = case_packet(&cases[i / 2].p[j], (int)ip);

            arrive(o, &f);
            frame_free(&f);
        }
        flush(o);
        for (j = 0; j < o->n; j++) {
            g_assert_cmpuint(o->p[j].payload, ==, cases[i / 2].out[j]);
        }
        g_assert_true(j == CASE_PACKETS || !cases[i / 2].out[j]);
        out_free(o);
    }
}

/* What has no payload, or is no whole segment, is never joined. */
static void test_no_candidate(void)
{
    static const struct {
        const char *name;
        unsigned flags, len, frag, proto, pad, kinds;
        bool candidate, opens;
    } rows[] = {
        { "data", 0, 100, 0, 6, 0, BOTH, true, true },
        { "the other version", 0, 100, 0, 6, 0, MLX5_LRO_IPV6, false, false },
        { "nothing", 0, 100, 0, 6, 0, 0, false, false },
        { "acknowledgment", 0, 0, 0, 6, 6, BOTH, false, false },
        { "first fragment", 0, 100, FRAME_FIRST_FRAG, 6, 0, BOTH, false,
          false },
        { "fragment", 0, 100, FRAME_LATER_FRAG, 6, 0, BOTH, false, false },
        { "UDP", 0, 100, 0, 17, 0, BOTH, false, false },
        { "SYN", MLX5_TCP_SYN, 100, 0, 6, 0, BOTH, false, false },
        { "RST", MLX5_TCP_RST, 100, 0, 6, 0, BOTH, false, false },
        { "PSH", MLX5_TCP_PSH, 100, 0, 6, 0, BOTH, true, false },
        { "padding", 0, 1, 0, 6, 5, BOTH, true, false },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        FrameSpec s = segment(4, 1000, rows[i].len);
        Mlx5Packet pkt;
        bool candidate;
        Frame f;

        g_test_message("%s", rows[i].name);
        s.tcp_flags |= (uint16_t)rows[i].flags;
        s.frag = (FrameFrag)rows[i].frag;
        s.proto = (uint8_t)rows[i].proto;
        s.pad = rows[i].pad;
        f = frame_build(&s);
        parse(&f, &pkt);
        candidate = mlx5_lro_candidate(&pkt, f.data, rows[i].kinds);
        g_assert_cmpint(candidate, ==, rows[i].candidate);
        g_assert_cmpint(candidate && mlx5_lro_may_open(&pkt, &wide), ==,
                        rows[i].opens);
        frame_free(&f);
    }
    {
        FrameSpec s = segment(4, 1000, 100);
        Mlx5Packet pkt;
        Frame f;

        s.tcp_flags = 0; /* not even ACK */
        f = frame_build(&s);
        parse(&f, &pkt);
        g_assert_false(mlx5_lro_candidate(&pkt, f.data, BOTH));
        frame_free(&f);
    }
}

/* ------------------------------------------------------------- limits --- */

/* Sends @n segments of @mss, and returns the first packet's segments. */
static unsigned first_out(int ip, unsigned mss, unsigned n,
                          const Mlx5LroLimits *limits, unsigned *len)
{
    Out *o = out_new(limits);
    unsigned i, segs;

    for (i = 0; i < n && !o->n; i++) {
        FrameSpec s = segment(ip, i * mss, mss);
        Frame f = frame_build(&s);

        arrive(o, &f);
        frame_free(&f);
    }
    flush(o);
    segs = o->p[0].segs;
    *len = o->p[0].payload;
    out_free(o);
    return segs;
}

static void test_limits(void)
{
    Mlx5LroLimits l = wide;
    unsigned len;

    /* 65280 bytes behind the IP header: 20 are of TCP. */
    g_assert_cmpuint(first_out(4, 1460, 60, &l, &len), ==, 44);
    g_assert_cmpuint(len, ==, 44 * 1460);
    g_assert_cmpuint(first_out(6, 1440, 60, &l, &len), ==, 45);
    l.max_ip_payload = 256;
    g_assert_cmpuint(first_out(4, 100, 9, &l, &len), ==, 2);
    g_assert_cmpuint(first_out(4, 118, 9, &l, &len), ==, 2); /* all of it */
    g_assert_cmpuint(first_out(4, 119, 9, &l, &len), ==, 1);
    g_assert_cmpuint(first_out(4, 236, 9, &l, &len), ==, 1);
    g_assert_cmpuint(first_out(4, 1000, 9, &l, &len), ==, 1);
    l = wide;
    l.max_frame = 512; /* 54 are headers, 74 of IPv6 */
    g_assert_cmpuint(first_out(4, 229, 9, &l, &len), ==, 2);
    g_assert_cmpuint(first_out(4, 230, 9, &l, &len), ==, 1);
    g_assert_cmpuint(first_out(6, 219, 9, &l, &len), ==, 2);
    g_assert_cmpuint(first_out(6, 220, 9, &l, &len), ==, 1);
    /* lro_num_seg has eight bits */
    g_assert_cmpuint(first_out(4, 10, 300, &wide, &len), ==, 255);
    g_assert_cmpuint(len, ==, 2550);
    /* The total length of IP has 16, whatever else is allowed. */
    l.max_frame = MLX5_LRO_MAX_FRAME;
    l.max_ip_payload = 1 << 20;
    g_assert_cmpuint(first_out(4, 8192, 9, &l, &len), ==, 7);
}

/* ------------------------------------------------------------- random --- */

/*
 * A stream with losses, repetitions and all that ends a session. Nothing is
 * lost, changed or overtaken: the payloads are those that were sent, in order.
 */
static void test_random(void)
{
    unsigned round, i, joined = 0, packets = 0;

    for (round = 0; round < 300; round++) {
        int ip = frame_pick(4, 6);
        unsigned mss = (unsigned)g_test_rand_int_range(1, 1448);
        uint32_t seq = (uint32_t)g_test_rand_int();
        uint16_t id = (uint16_t)g_test_rand_int();
        GByteArray *sent = g_byte_array_new();
        Out *o = out_new(&wide);
        unsigned n = (unsigned)g_test_rand_int_range(1, MAX_OUT);

        for (i = 0; i < n; i++) {
            FrameSpec s = segment(ip, seq, frame_pick(0, 0, 0, 0, 0, 0, 1) ?
                                  (unsigned)g_test_rand_int_range(0, 1448) :
                                  mss);
            g_autofree uint8_t *payload = g_malloc(s.payload_len + 1);
            bool ts = frame_pick(0, 1, 1, 1, 1);
            Frame f;

            frame_random_bytes(payload, s.payload_len);
            s.payload = payload;
            s.ip_id = id;
            s.tcp_flags |= (uint16_t)frame_pick(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                                0, MLX5_TCP_PSH, MLX5_TCP_FIN,
                                                MLX5_TCP_CWR, MLX5_TCP_ECE);
            s.tos = (uint8_t)frame_pick(0, 0, 0, 0, 0, 0, 0, 0, 0, 3);
            f = with_options(&s, ts_option, ts ? 12 : 0);
            arrive(o, &f);
            g_byte_array_append(sent, payload, s.payload_len);
            packets++;
            id = (uint16_t)(id + frame_pick(1, 1, 1, 1, 1, 1, 1, 0, 2));
            if (frame_pick(1, 1, 1, 1, 1, 1, 1, 1, 1, 0)) {
                seq += s.payload_len;
            } else {
                seq = (uint32_t)g_test_rand_int();
            }
            frame_free(&f);
        }
        flush(o);
        for (i = 0; i < o->n; i++) {
            joined += o->p[i].segs > 1;
        }
        g_assert_cmpmem(o->bytes->data, o->bytes->len, sent->data, sent->len);
        g_byte_array_free(sent, TRUE);
        out_free(o);
    }
    g_test_message("%u packets, %u joined of several", packets, joined);
    g_assert_cmpuint(joined, >, 300);
}

/* Other connections, and other versions with the same bytes. */
static void test_flows(void)
{
    Out *o = out_new(&wide);
    FrameSpec s = segment(4, 0, 100);
    Frame f = frame_build(&s);
    Mlx5Packet pkt;
    unsigned i;

    arrive(o, &f);
    parse(&f, &pkt);
    g_assert_true(mlx5_lro_same_flow(&o->s, &pkt, f.data));
    frame_free(&f);
    for (i = 0; i < 5; i++) {
        s = segment(i == 4 ? 6 : 4, 100, 100);
        s.src_ip[3] ^= i == 0;
        s.dst_ip[3] ^= i == 1;
        s.sport ^= i == 2;
        s.dport ^= i == 3;
        f = frame_build(&s);
        parse(&f, &pkt);
        g_assert_false(mlx5_lro_same_flow(&o->s, &pkt, f.data));
        frame_free(&f);
    }
    /* A FIN, with or without data, is of the connection. */
    s = segment(4, 100, 0);
    s.tcp_flags |= MLX5_TCP_FIN;
    f = frame_build(&s);
    parse(&f, &pkt);
    g_assert_true(mlx5_lro_same_flow(&o->s, &pkt, f.data));
    frame_free(&f);
    out_free(o);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lro/bits", test_bits);
    g_test_add_func("/lro/selftest", test_selftest);
    g_test_add_func("/lro/no-candidate", test_no_candidate);
    g_test_add_func("/lro/limits", test_limits);
    g_test_add_func("/lro/flows", test_flows);
    g_test_add_func("/lro/random", test_random);
    return g_test_run();
}
