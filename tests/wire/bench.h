/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test fixture: TLS streams and TCP packets of a connection between A and B,
 * and a frame decoder that shares no code with the wire. Frames are built by
 * tests/unit/frame.h.
 */
#ifndef TESTS_WIRE_BENCH_H
#define TESTS_WIRE_BENCH_H

#include "core.h"

#include "../unit/frame.h"

#define BENCH_A_PORT 40000
#define BENCH_B_PORT 443

/* A stream and the positions of its records. */
typedef struct Stream {
    GByteArray *bytes;
    GArray *records;        /* of WireRecord: expected result */
    bool encrypted;
    int64_t n[3];           /* wire, record, app */
} Stream;

static inline Stream stream_new(void)
{
    Stream s = {
        .bytes = g_byte_array_new(),
        .records = g_array_new(FALSE, FALSE, sizeof(WireRecord)),
    };

    return s;
}

static inline void stream_free(Stream *s)
{
    g_byte_array_unref(s->bytes);
    g_array_free(s->records, TRUE);
}

/*
 * Appends a record with `len` bytes after its header. `quiet`: without any byte
 * 3, so that nothing in it looks like a header. The record numbers are those of
 * docs/wire.md.
 */
static inline void stream_add(Stream *s, uint8_t type, uint32_t len, bool quiet)
{
    uint8_t header[5] = { type, 3, 3, (uint8_t)(len >> 8), (uint8_t)len };
    WireRecord r = {
        .start = s->bytes->len, .len = 5 + len, .type = type, .wire = s->n[0]++,
        .record = -1, .app = -1,
    };
    uint32_t i;

    s->encrypted = s->encrypted || type == 23;
    if (s->encrypted && type != 20) {
        r.record = s->n[1]++;
    }
    if (type == 23) {
        r.app = s->n[2]++;
    }
    s->encrypted = s->encrypted || type == 20;
    g_array_append_val(s->records, r);
    g_byte_array_append(s->bytes, header, 5);
    for (i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)g_test_rand_int();

        byte = quiet && byte == 3 ? 4 : byte;
        g_byte_array_append(s->bytes, &byte, 1);
    }
}

/* Appends the records that a TLS 1.2 client sends before its data. */
static inline void stream_add_handshake(Stream *s)
{
    stream_add(s, 22, 200, false);
    stream_add(s, 22, 70, false);
    stream_add(s, 20, 1, false);
    stream_add(s, 22, 40, false);
}

static inline const WireRecord *stream_record(const Stream *s, unsigned i)
{
    return &g_array_index(s->records, WireRecord, i);
}

/* Builds a TCP packet of the connection. */
static inline Frame tcp_frame(int ip, WireDir dir, uint32_t seq, uint16_t flags,
                              const uint8_t *payload, unsigned len)
{
    unsigned from = dir == WIRE_A_TO_B ? 1 : 2;
    FrameSpec s = {
        .dst_mac = { 2, 0, 0, 0, 0, (uint8_t)(3 - from) },
        .src_mac = { 2, 0, 0, 0, 0, (uint8_t)from },
        .ip = ip, .ttl = 64, .ip_id = (uint16_t)seq, .proto = 6, .seq = seq,
        .ack = 1,
        .sport = dir == WIRE_A_TO_B ? BENCH_A_PORT : BENCH_B_PORT,
        .dport = dir == WIRE_A_TO_B ? BENCH_B_PORT : BENCH_A_PORT,
        .tcp_flags = flags, .tcp_opt_len = 12, .payload_len = len,
        .payload = payload,
    };
    unsigned last = ip == 4 ? 3 : 15;

    s.src_ip[0] = s.dst_ip[0] = ip == 4 ? 10 : 0xfd;
    s.src_ip[last] = (uint8_t)from;
    s.dst_ip[last] = (uint8_t)(3 - from);
    return frame_build(&s);
}

/*
 * A frame decoded in the simplest way: IPv4 with or without options, IPv6 with
 * or without one destination options header, TCP.
 */
typedef struct Seen {
    uint32_t seq;
    uint16_t flags;
    uint8_t ecn;
    const uint8_t *payload;
    uint32_t len;
    size_t l3_hlen;
    bool whole;             /* the frame has the length stated in the IP
                             * header */
    bool csums;             /* IP and TCP checksums are correct */
} Seen;

static inline uint32_t be(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;

    while (n--) {
        v = v << 8 | *p++;
    }
    return v;
}

static inline Seen look(const uint8_t *f, size_t len)
{
    Seen s = { 0 };
    bool v4 = be(f + 12, 2) == 0x0800;
    const uint8_t *ip = f + 14, *tcp;
    size_t total, tcp_len;
    uint32_t sum;

    s.l3_hlen = v4 ? (size_t)(ip[0] & 15) * 4 : 40;
    total = v4 ? be(ip + 2, 2) : 40 + be(ip + 4, 2);
    s.ecn = v4 ? ip[1] & 3 : ip[1] >> 4 & 3;
    if (!v4 && ip[6] == 60) {
        s.l3_hlen += 8 * (ip[41] + 1u);
    }
    s.whole = 14 + total <= len;
    tcp = ip + s.l3_hlen;
    tcp_len = MIN(total, len - 14) - s.l3_hlen;
    s.seq = be(tcp + 4, 4);
    s.flags = (uint16_t)(be(tcp + 12, 2) & 0x1ff);
    s.payload = tcp + (tcp[12] >> 4) * 4;
    s.len = (uint32_t)(tcp_len - (size_t)(s.payload - tcp));
    sum = naive_pseudo(ip + (v4 ? 12 : 8), ip + (v4 ? 16 : 24), v4 ? 4 : 16, 6,
                       (uint32_t)tcp_len);
    s.csums = s.whole && (!v4 || naive_sum(ip, s.l3_hlen) == 0xffff) &&
              naive_add(sum, tcp, tcp_len) == 0xffff;
    return s;
}

/* A core with its recorded output: an array of GByteArray per direction. */
typedef struct Bench {
    WireCore core;
    GPtrArray *out[2];
    int64_t now;
    uint32_t isn;
    int ip;
} Bench;

static inline void bench_emit(void *opaque, WireDir dir, const uint8_t *frame,
                              size_t len)
{
    Bench *b = opaque;
    GByteArray *copy = g_byte_array_new();

    g_byte_array_append(copy, frame, (guint)len);
    g_ptr_array_add(b->out[dir], copy);
}

static inline void bench_init(Bench *b, int ip, uint32_t isn)
{
    unsigned i;

    memset(b, 0, sizeof(*b));
    for (i = 0; i < 2; i++) {
        b->out[i] = g_ptr_array_new_with_free_func(
            (GDestroyNotify)g_byte_array_unref);
    }
    b->ip = ip;
    b->isn = isn;
    wire_core_init(&b->core, bench_emit, b, 1);
}

static inline void bench_clear(Bench *b)
{
    wire_core_clear(&b->core);
    g_ptr_array_free(b->out[0], TRUE);
    g_ptr_array_free(b->out[1], TRUE);
}

static inline unsigned bench_rule(Bench *b, const char *text)
{
    GError *err = NULL;
    unsigned id = wire_core_add_rule(&b->core, text, &err);

    g_assert_no_error(err);
    return id;
}

static inline void bench_put(Bench *b, WireDir dir, Frame f)
{
    wire_core_input(&b->core, dir, f.data, f.len, b->now);
    frame_free(&f);
}

static inline void bench_syn(Bench *b)
{
    bench_put(b, WIRE_A_TO_B,
              tcp_frame(b->ip, WIRE_A_TO_B, b->isn, 0x002, NULL, 0));
    bench_put(b, WIRE_B_TO_A,
              tcp_frame(b->ip, WIRE_B_TO_A, 77, 0x012, NULL, 0));
}

/* Sends bytes [from, to) of the stream from A in one segment. */
static inline void bench_send(Bench *b, const Stream *s, uint32_t from,
                              uint32_t to)
{
    bench_put(b, WIRE_A_TO_B,
              tcp_frame(b->ip, WIRE_A_TO_B, b->isn + 1 + from, 0x018,
                        s->bytes->data + from, to - from));
}

/* Sends the whole stream in segments of `mss` bytes. */
static inline void bench_send_all(Bench *b, const Stream *s, uint32_t mss)
{
    uint32_t at;

    for (at = 0; at < s->bytes->len; at += mss) {
        bench_send(b, s, at, MIN(at + mss, s->bytes->len));
    }
}

static inline Seen bench_seen(const Bench *b, WireDir dir, unsigned i)
{
    const GByteArray *f;

    g_assert_cmpuint(i, <, b->out[dir]->len);
    f = g_ptr_array_index(b->out[dir], i);
    return look(f->data, f->len);
}

/* Returns the stream offset of an output packet of A. */
static inline uint32_t bench_at(const Bench *b, unsigned i)
{
    return bench_seen(b, WIRE_A_TO_B, i).seq - b->isn - 1;
}

static inline void bench_forget_output(Bench *b)
{
    g_ptr_array_set_size(b->out[0], 0);
    g_ptr_array_set_size(b->out[1], 0);
}

static inline const WireCounters *bench_counters(const Bench *b)
{
    return &b->core.counters[WIRE_A_TO_B];
}

#endif
