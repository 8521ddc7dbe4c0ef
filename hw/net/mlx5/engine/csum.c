/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Internet checksums, see csum.h.
 *
 * Sums are accumulated in host byte order over eight-byte words: the one's
 * complement sum is independent of word width and byte order, as long as every
 * byte keeps its position (RFC 1071, 2). Only the folded result is converted,
 * once.
 */
#include <string.h>

#include "csum.h"

enum {
    IPV4_CSUM_OFF = 10,
    TCP_CSUM_OFF = 16,
    UDP_CSUM_OFF = 6,
    UDP_LEN_OFF = 4,
    UDP_HLEN = 8,
};

static inline uint64_t add64(uint64_t a, uint64_t b)
{
    a += b;
    return a + (a < b);
}

static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static inline uint16_t fold64(uint64_t s)
{
    s = (s & 0xffffffff) + (s >> 32);
    s = (s & 0xffffffff) + (s >> 32);
    s = (s & 0xffff) + (s >> 16);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

static inline uint16_t swap16(uint16_t v)
{
    return (uint16_t)(v << 8 | v >> 8);
}

/*
 * Returns a 16-bit number in the host representation of its two big-endian
 * bytes.
 */
static inline uint16_t from_be16(uint16_t v)
{
    uint8_t b[2];
    uint16_t r;

    mlx5_put_be16(b, v);
    memcpy(&r, b, sizeof(r));
    return r;
}

static inline uint16_t to_be16(uint16_t v)
{
    uint8_t b[2];

    memcpy(b, &v, sizeof(v));
    return mlx5_get_be16(b);
}

/* Four independent sums, so that their carries do not depend on each other. */
static uint64_t sum_bytes(const uint8_t *p, size_t len)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;

    for (; len >= 32; len -= 32, p += 32) {
        a = add64(a, load64(p));
        b = add64(b, load64(p + 8));
        c = add64(c, load64(p + 16));
        d = add64(d, load64(p + 24));
    }
    for (; len >= 8; len -= 8, p += 8) {
        a = add64(a, load64(p));
    }
    if (len) {
        uint8_t rest[8] = { 0 };

        memcpy(rest, p, len);
        b = add64(b, load64(rest));
    }
    return add64(add64(a, b), add64(c, d));
}

void mlx5_csum_add(Mlx5Csum *c, const void *buf, size_t len)
{
    uint64_t s;

    if (!len) {
        return;
    }
    s = sum_bytes(buf, len);
    if (c->odd) {
        s = swap16(fold64(s));
    }
    c->sum = add64(c->sum, s);
    c->odd ^= len & 1;
}

void mlx5_csum_add_be16(Mlx5Csum *c, uint16_t word)
{
    c->sum = add64(c->sum, from_be16(word));
}

uint16_t mlx5_csum_fold(const Mlx5Csum *c)
{
    return to_be16(fold64(c->sum));
}

void mlx5_csum_add_pseudo(Mlx5Csum *c, const Mlx5Packet *pkt,
                          const uint8_t *frame, uint32_t l4_len)
{
    size_t alen = pkt->l3_type == MLX5_L3_IPV6 ? 16 : 4;
    Mlx5Csum pseudo = { 0 };

    mlx5_csum_add(&pseudo, frame + pkt->src_ip_off, alen);
    mlx5_csum_add(&pseudo, frame + pkt->pseudo_dst_off, alen);
    mlx5_csum_add_be16(&pseudo, pkt->ip_proto);
    mlx5_csum_add_be16(&pseudo, (uint16_t)(l4_len >> 16));
    mlx5_csum_add_be16(&pseudo, (uint16_t)l4_len);
    c->sum = add64(c->sum, pseudo.sum);
}

bool mlx5_csum_udp_len(const Mlx5Packet *pkt, const uint8_t *frame,
                       uint32_t *l4_len)
{
    uint32_t len = mlx5_get_be16(frame + pkt->l4_off + UDP_LEN_OFF);

    if (len < UDP_HLEN || len > pkt->l3_end - pkt->l4_off) {
        return false;
    }
    *l4_len = len;
    return true;
}

/* Adds `len` bytes of a frame from offset `off`, which is in its header. */
static inline __attribute__((always_inline))
void add_range(Mlx5Csum *c, const uint8_t *hdr, size_t hdr_len, size_t off,
               const struct iovec *iov, size_t iovcnt, size_t len)
{
    size_t n = hdr_len - off < len ? hdr_len - off : len;
    size_t i;

    mlx5_csum_add(c, hdr + off, n);
    len -= n;
    for (i = 0; len && i < iovcnt; i++) {
        n = iov[i].iov_len < len ? iov[i].iov_len : len;
        mlx5_csum_add(c, iov[i].iov_base, n);
        len -= n;
    }
}

/*
 * As mlx5_csum_fill_packet(), of a frame that goes on in @iov. Inlined, since
 * each packet sent comes here.
 */
static inline __attribute__((always_inline))
Mlx5CsumDone fill(uint8_t *hdr, size_t hdr_len, const struct iovec *iov,
                  size_t iovcnt, const Mlx5Packet *pkt, bool want_l3,
                  bool want_l4)
{
    Mlx5CsumDone done = 0;

    if (want_l3 && pkt->l3_type == MLX5_L3_IPV4) {
        Mlx5Csum c = { 0 };

        mlx5_put_be16(hdr + pkt->l3_off + IPV4_CSUM_OFF, 0);
        mlx5_csum_add(&c, hdr + pkt->l3_off, pkt->l3_hdr_len);
        mlx5_put_be16(hdr + pkt->l3_off + IPV4_CSUM_OFF,
                      (uint16_t)~mlx5_csum_fold(&c));
        done |= MLX5_ETH_WQE_L3_CSUM;
    }

    if (want_l4 && !pkt->is_frag && !pkt->l3_truncated &&
        (pkt->l4_type == MLX5_L4_TCP || pkt->l4_type == MLX5_L4_UDP)) {
        bool udp = pkt->l4_type == MLX5_L4_UDP;
        uint32_t l4_len = pkt->l3_end - pkt->l4_off;
        uint8_t *field = hdr + pkt->l4_off +
                         (udp ? UDP_CSUM_OFF : TCP_CSUM_OFF);
        Mlx5Csum c = { 0 };
        uint16_t csum;

        if (udp && !mlx5_csum_udp_len(pkt, hdr, &l4_len)) {
            return done;
        }
        mlx5_put_be16(field, 0);
        mlx5_csum_add_pseudo(&c, pkt, hdr, l4_len);
        add_range(&c, hdr, hdr_len, pkt->l4_off, iov, iovcnt, l4_len);
        csum = (uint16_t)~mlx5_csum_fold(&c);
        if (udp && !csum) {
            csum = 0xffff;  /* 0 on the wire says "no checksum" (RFC 768) */
        }
        mlx5_put_be16(field, csum);
        done |= MLX5_ETH_WQE_L4_CSUM;
    }
    return done;
}

Mlx5CsumDone mlx5_csum_fill_packet(uint8_t *frame, const Mlx5Packet *pkt,
                                   bool want_l3, bool want_l4)
{
    return fill(frame, pkt->len, NULL, 0, pkt, want_l3, want_l4);
}

Mlx5CsumDone mlx5_csum_fill_iov(uint8_t *hdr, size_t hdr_len,
                                const struct iovec *iov, size_t iovcnt,
                                bool want_l3, bool want_l4)
{
    size_t len = hdr_len;
    Mlx5Packet pkt;
    size_t i;

    for (i = 0; i < iovcnt; i++) {
        len += iov[i].iov_len;
    }
    mlx5_parse_prefix(hdr, hdr_len, len, &pkt);
    return fill(hdr, hdr_len, iov, iovcnt, &pkt, want_l3, want_l4);
}

Mlx5CsumDone mlx5_csum_fill(uint8_t *frame, size_t len, bool want_l3,
                            bool want_l4)
{
    Mlx5Packet pkt;

    mlx5_parse(frame, len, &pkt);
    return fill(frame, len, NULL, 0, &pkt, want_l3, want_l4);
}

uint16_t mlx5_csum_cqe_full(const uint8_t *frame, size_t len)
{
    Mlx5Csum c = { 0 };

    if (len > MLX5_ETH_HLEN) {
        mlx5_csum_add(&c, frame + MLX5_ETH_HLEN, len - MLX5_ETH_HLEN);
    }
    return mlx5_csum_fold(&c);
}
