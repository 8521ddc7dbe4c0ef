/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test helper: builds frames field by field and computes checksums in the
 * simplest way, as an independent reference for parser, checksums, segmentation
 * and steering. Does not use the engine.
 *
 * A Frame owns its bytes, allocated to the exact length so that the address
 * sanitizer detects any read past the end.
 */
#ifndef TESTS_UNIT_FRAME_H
#define TESTS_UNIT_FRAME_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef enum FrameFrag {
    FRAME_WHOLE,
    FRAME_FIRST_FRAG,
    FRAME_LATER_FRAG,
} FrameFrag;

/* Contents of a frame; zeroed members are absent or 0. */
typedef struct FrameSpec {
    uint8_t dst_mac[6];
    uint8_t src_mac[6];
    unsigned n_vlan;
    uint16_t tpid[2];
    uint16_t tci[2];
    int ip;                     /* 4, 6, or 0: `ethertype` with payload */
    uint16_t ethertype;
    uint8_t tos;
    uint8_t ttl;
    uint16_t ip_id;
    unsigned ipv4_opt_len;      /* bytes, multiple of 4, up to 40 */
    unsigned n_ext;             /* IPv6 extension headers, in this order: */
    uint8_t ext_type[4];        /* 0, 43 or 60 */
    uint8_t ext_units[4];       /* length is (units + 1) * 8 */
    FrameFrag frag;
    uint8_t src_ip[16];         /* IPv4: the first four bytes */
    uint8_t dst_ip[16];
    uint8_t proto;
    uint16_t sport;
    uint16_t dport;
    uint32_t seq;
    uint32_t ack;
    uint16_t tcp_flags;         /* nine bits */
    unsigned tcp_opt_len;       /* bytes, multiple of 4, up to 40 */
    uint32_t spi;
    bool udp_no_csum;
    unsigned payload_len;
    const uint8_t *payload;     /* NULL: filled with a pattern */
    unsigned pad;               /* bytes after the IP packet */
} FrameSpec;

typedef struct Frame {
    uint8_t *data;
    size_t len;
    size_t l3;
    size_t l4;
    size_t l4_hlen;
    size_t payload;
    size_t l3_end;
} Frame;

static inline void frame_free(Frame *f)
{
    g_free(f->data);
    f->data = NULL;
}

/* Returns a copy of exactly that length; NULL for none. */
static inline uint8_t *dup_exact(const uint8_t *p, size_t n)
{
    uint8_t *copy = g_malloc(n);

    if (n) {
        memcpy(copy, p, n);
    }
    return copy;
}

/* RFC 1071 by the letter: 16-bit big-endian words, then fold. */
static inline uint32_t naive_add(uint32_t sum, const uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        sum += i % 2 ? p[i] : p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

static inline uint16_t naive_sum(const uint8_t *p, size_t n)
{
    return (uint16_t)naive_add(0, p, n);
}

static inline uint32_t naive_pseudo(const uint8_t *src, const uint8_t *dst,
                                    size_t alen, uint8_t proto, uint32_t l4_len)
{
    uint8_t tail[8] = {
        (uint8_t)(l4_len >> 24),
        (uint8_t)(l4_len >> 16),
        (uint8_t)(l4_len >> 8),
        (uint8_t)l4_len,
        0,
        0,
        0,
        proto,
    };
    uint32_t sum = naive_add(0, src, alen);

    return naive_add(naive_add(sum, dst, alen), tail, sizeof(tail));
}

static inline void frame_put(GByteArray *b, unsigned bytes, uint64_t value)
{
    while (bytes-- > 0) {
        uint8_t v = (uint8_t)(value >> (8 * bytes));

        g_byte_array_append(b, &v, 1);
    }
}

static inline void frame_patch16(GByteArray *b, size_t at, uint32_t value)
{
    b->data[at] = (uint8_t)(value >> 8);
    b->data[at + 1] = (uint8_t)value;
}

static inline unsigned frame_l4_hlen(const FrameSpec *s)
{
    switch (s->frag == FRAME_LATER_FRAG ? 0 : s->proto) {
    case 6:
        return 20 + s->tcp_opt_len;
    case 17:
        return 8;
    case 50:
        return 8;
    case 51:
        return 12;
    default:
        return 0;
    }
}

static inline uint8_t frame_next_hdr(const FrameSpec *s, unsigned from)
{
    if (from < s->n_ext) {
        return s->ext_type[from];
    }
    return from == s->n_ext && s->frag != FRAME_WHOLE ? 44 : s->proto;
}

static inline void frame_put_l3(GByteArray *b, const FrameSpec *s,
                                uint32_t l4_len)
{
    uint32_t ext_len = s->frag != FRAME_WHOLE ? 8 : 0;
    size_t start = b->len;
    unsigned i, j;

    if (s->ip == 4) {
        frame_put(b, 1, 0x40 | (5 + s->ipv4_opt_len / 4));
        frame_put(b, 1, s->tos);
        frame_put(b, 2, 20 + s->ipv4_opt_len + l4_len);
        frame_put(b, 2, s->ip_id);
        frame_put(b, 2, s->frag == FRAME_FIRST_FRAG ? 0x2000
                        : s->frag == FRAME_LATER_FRAG ? 0x0017 : 0x4000);
        frame_put(b, 1, s->ttl);
        frame_put(b, 1, s->proto);
        frame_put(b, 2, 0);
        g_byte_array_append(b, s->src_ip, 4);
        g_byte_array_append(b, s->dst_ip, 4);
        for (i = 0; i < s->ipv4_opt_len; i++) {
            frame_put(b, 1, 1);                 /* no-operation option */
        }
        frame_patch16(b, start + 10,
                      ~naive_sum(b->data + start, b->len - start));
        return;
    }
    for (i = 0; i < s->n_ext; i++) {
        ext_len += (s->ext_units[i] + 1u) * 8;
    }
    frame_put(b, 4, 0x60000000 | (uint32_t)s->tos << 20 | 0x54321);
    frame_put(b, 2, ext_len + l4_len);
    frame_put(b, 1, frame_next_hdr(s, 0));
    frame_put(b, 1, s->ttl);
    g_byte_array_append(b, s->src_ip, 16);
    g_byte_array_append(b, s->dst_ip, 16);
    for (i = 0; i < s->n_ext; i++) {
        frame_put(b, 1, frame_next_hdr(s, i + 1));
        frame_put(b, 1, s->ext_units[i]);
        for (j = 2; j < (s->ext_units[i] + 1u) * 8; j++) {
            /* padding; of a routing header: type 0xab, no segments left */
            frame_put(b, 1, s->ext_type[i] == 43 && j == 2 ? 0xab : 0);
        }
    }
    if (s->frag != FRAME_WHOLE) {
        frame_put(b, 1, s->proto);
        frame_put(b, 1, 0);
        frame_put(b, 2, s->frag == FRAME_FIRST_FRAG ? 1 : 0x00b8);
        frame_put(b, 4, 0xdecade);
    }
}

static inline Frame frame_build(const FrameSpec *s)
{
    unsigned l4_hlen = s->ip ? frame_l4_hlen(s) : 0;
    GByteArray *b = g_byte_array_new();
    Frame f = { 0 };
    unsigned i;

    g_byte_array_append(b, s->dst_mac, 6);
    g_byte_array_append(b, s->src_mac, 6);
    for (i = 0; i < s->n_vlan; i++) {
        frame_put(b, 2, s->tpid[i]);
        frame_put(b, 2, s->tci[i]);
    }
    frame_put(b, 2, s->ip == 4 ? 0x0800 : s->ip == 6 ? 0x86dd : s->ethertype);
    f.l3 = b->len;
    if (s->ip) {
        frame_put_l3(b, s, l4_hlen + s->payload_len);
    }
    f.l4 = b->len;
    f.l4_hlen = l4_hlen;
    switch (l4_hlen ? s->proto : 0) {
    case 6:
        frame_put(b, 2, s->sport);
        frame_put(b, 2, s->dport);
        frame_put(b, 4, s->seq);
        frame_put(b, 4, s->ack);
        frame_put(b, 2, (l4_hlen / 4) << 12 | s->tcp_flags);
        frame_put(b, 2, 0x1234);
        frame_put(b, 4, 0);
        for (i = 0; i < s->tcp_opt_len; i++) {
            frame_put(b, 1, 1);
        }
        break;
    case 17:
        frame_put(b, 2, s->sport);
        frame_put(b, 2, s->dport);
        frame_put(b, 2, 8 + s->payload_len);
        frame_put(b, 2, 0);
        break;
    case 50:
        frame_put(b, 4, s->spi);
        frame_put(b, 4, 77);
        break;
    case 51:
        frame_put(b, 4, 0x3b020000);
        frame_put(b, 4, s->spi);
        frame_put(b, 4, 77);
        break;
    }
    f.payload = b->len;
    for (i = 0; i < s->payload_len; i++) {
        frame_put(b, 1, s->payload ? s->payload[i] : i * 5 + (i >> 8) + 3);
    }
    f.l3_end = b->len;
    if (s->ip && s->frag == FRAME_WHOLE && (s->proto == 6 || s->proto == 17) &&
        !(s->proto == 17 && s->udp_no_csum)) {
        uint32_t sum = naive_pseudo(s->src_ip, s->dst_ip, s->ip == 4 ? 4 : 16,
                                    s->proto, (uint32_t)(b->len - f.l4));
        uint16_t csum =
            (uint16_t)~naive_add(sum, b->data + f.l4, b->len - f.l4);

        frame_patch16(b, f.l4 + (s->proto == 6 ? 16 : 6),
                      s->proto == 17 && !csum ? 0xffff : csum);
    }
    for (i = 0; i < s->pad; i++) {
        frame_put(b, 1, 0xe0 + i);
    }
    f.len = b->len;
    f.data = dup_exact(b->data, f.len);
    g_byte_array_free(b, TRUE);
    return f;
}

/* Randomly chooses one of the given values. */
#define frame_pick(...)                                                       \
    (((const int[]){ __VA_ARGS__ })[g_test_rand_int_range(                    \
        0, (int)(sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int)))])

static inline void frame_random_bytes(uint8_t *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        p[i] = (uint8_t)g_test_rand_int();
    }
}

/*
 * Returns a random well-formed packet, from GLib's test seed (printed, and set
 * by --seed).
 */
static inline FrameSpec frame_random_spec(void)
{
    FrameSpec s = { 0 };
    unsigned i;

    frame_random_bytes(s.dst_mac, 6);
    frame_random_bytes(s.src_mac, 6);
    s.n_vlan = (unsigned)frame_pick(0, 0, 0, 1, 1, 2);
    for (i = 0; i < s.n_vlan; i++) {
        s.tpid[i] = (uint16_t)frame_pick(0x8100, 0x88a8);
        s.tci[i] = (uint16_t)g_test_rand_int();
    }
    s.ip = frame_pick(4, 4, 6, 6, 0);
    s.ethertype = (uint16_t)frame_pick(0x0806, 0x88f7, 0x0100, 0x0000, 0x9000);
    s.tos = (uint8_t)g_test_rand_int();
    s.ttl = (uint8_t)g_test_rand_int();
    s.ip_id = (uint16_t)g_test_rand_int();
    s.ipv4_opt_len = (unsigned)frame_pick(0, 0, 0, 4, 12, 40);
    s.n_ext = (unsigned)frame_pick(0, 0, 0, 1, 2, 4);
    for (i = 0; i < s.n_ext; i++) {
        s.ext_type[i] = (uint8_t)frame_pick(0, 43, 60);
        s.ext_units[i] = (uint8_t)frame_pick(0, 0, 1, 2, 5);
    }
    s.frag = (FrameFrag)frame_pick(0, 0, 0, 0, 0, 1, 2);
    frame_random_bytes(s.src_ip, 16);
    frame_random_bytes(s.dst_ip, 16);
    s.proto = (uint8_t)frame_pick(6, 6, 6, 17, 17, 50, 51, 1, 132, 59);
    s.sport = (uint16_t)g_test_rand_int();
    s.dport = (uint16_t)g_test_rand_int();
    s.seq = (uint32_t)g_test_rand_int();
    s.ack = (uint32_t)g_test_rand_int();
    s.tcp_flags = (uint16_t)(g_test_rand_int() & 0x1ff);
    s.tcp_opt_len = (unsigned)frame_pick(0, 0, 12, 40);
    s.spi = (uint32_t)g_test_rand_int();
    s.udp_no_csum = frame_pick(0, 0, 0, 1);
    s.payload_len = (unsigned)frame_pick(0, 0, 1, 7, 40, 301);
    s.pad = (unsigned)frame_pick(0, 0, 0, 3, 18);
    return s;
}

#endif
