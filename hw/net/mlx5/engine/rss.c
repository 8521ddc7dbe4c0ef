/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSS hashing, see rss.h.
 */
#include <string.h>

#include "rss.h"

/* CQE.rss_hash_type[7:6] */
enum {
    RSS_L4_NONE = 0,
    RSS_L4_TCP = 1,
    RSS_L4_UDP = 2,
    RSS_L4_IPSEC_SPI = 3,
};

enum {
    SEL_PORTS = MLX5_HASH_FIELD_SEL_L4_SPORT | MLX5_HASH_FIELD_SEL_L4_DPORT,
    SEL_ALL = MLX5_HASH_FIELD_SEL_SRC_IP | MLX5_HASH_FIELD_SEL_DST_IP |
              SEL_PORTS | MLX5_HASH_FIELD_SEL_IPSEC_SPI,
};

const char *mlx5_rss_strerror(Mlx5RssError err)
{
    static const char *const text[] = {
#define MLX5_RSS_TEXT(name, text) text,
        MLX5_RSS_ERRORS(MLX5_RSS_TEXT)
#undef MLX5_RSS_TEXT
    };

    return (unsigned)err < MLX5_RSS_N_ERRORS ? text[err] : "unknown RSS error";
}

Mlx5RssError mlx5_rss_check(const Mlx5RssParams *p)
{
    if (p->rx_hash_fn > MLX5_RX_HASH_FN_TOEPLITZ) {
        return MLX5_RSS_BAD_FN;
    }
    if (p->selected_fields & ~(uint32_t)SEL_ALL) {
        return MLX5_RSS_BAD_FIELDS;
    }
    if ((p->selected_fields & SEL_PORTS) &&
        (p->selected_fields & MLX5_HASH_FIELD_SEL_IPSEC_SPI)) {
        return MLX5_RSS_PORTS_AND_SPI;
    }
    return MLX5_RSS_OK;
}

/*
 * Each set bit of the input adds the 32 key bits that start at its position.
 * Four input bytes share a 64-bit piece of the key, and no step depends on the
 * data, so there are no branches to mispredict.
 */
uint32_t mlx5_rss_toeplitz(const uint8_t key[MLX5_RSS_KEY_LEN],
                           const uint8_t *input, size_t len)
{
    uint32_t hash = 0;
    size_t i;

    if (len > MLX5_RSS_MAX_INPUT) {
        len = MLX5_RSS_MAX_INPUT;
    }
    for (i = 0; i < len; i += 4) {
        uint64_t window = (uint64_t)mlx5_get_be32(key + i) << 32 |
                          mlx5_get_be32(key + i + 4);
        uint8_t word[4] = { 0 };
        uint32_t bits;
        unsigned b;

        memcpy(word, input + i, len - i < 4 ? len - i : 4);
        bits = mlx5_get_be32(word);
        for (b = 0; b < 32; b++) {
            hash ^= (uint32_t)(window >> (32 - b)) & -(bits >> (31 - b) & 1);
        }
    }
    return hash;
}

static uint8_t inverted_xor8(const uint8_t *input, size_t len)
{
    uint8_t x = 0, reversed = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        x ^= input[i];
    }
    for (i = 0; i < 8; i++) {
        reversed |= (x >> i & 1) << (7 - i);
    }
    return reversed;
}

/*
 * Appends the selected fields of a pair, n bytes each, to the hash input and
 * returns its new length.
 */
static size_t add_pair(uint8_t *input, size_t at, const uint8_t *src,
                       const uint8_t *dst, size_t n, bool sel_src, bool sel_dst,
                       bool symmetric)
{
    size_t i;

    if (sel_src && sel_dst && symmetric) {
        for (i = 0; i < n; i++) {
            input[at + i] = src[i] | dst[i];
            input[at + n + i] = src[i] ^ dst[i];
        }
        return at + 2 * n;
    }
    if (sel_src) {
        memcpy(input + at, src, n);
        at += n;
    }
    if (sel_dst) {
        memcpy(input + at, dst, n);
        at += n;
    }
    return at;
}

void mlx5_rss_hash(const Mlx5RssParams *p, const Mlx5Packet *pkt,
                   const uint8_t *frame, Mlx5RssResult *out)
{
    Mlx5L3Type l3 = p->l3_prot_type ? MLX5_L3_IPV6 : MLX5_L3_IPV4;
    Mlx5L4Type l4 = p->l4_prot_type ? MLX5_L4_UDP : MLX5_L4_TCP;
    uint32_t sel = p->selected_fields & SEL_ALL;
    bool symmetric =
        p->rx_hash_symmetric && p->rx_hash_fn == MLX5_RX_HASH_FN_TOEPLITZ;
    unsigned l4_hashed = RSS_L4_NONE;
    uint8_t input[2 * 16 + 2 * 2 + 4];
    size_t n = 0;

    out->rx_hash_result = 0;
    out->rss_hash_type = 0;
    if (p->rx_hash_fn == MLX5_RX_HASH_FN_NONE || pkt->l3_type != l3) {
        return;
    }
    n = add_pair(input, n, frame + pkt->src_ip_off, frame + pkt->dst_ip_off,
                 l3 == MLX5_L3_IPV6 ? 16 : 4, sel & MLX5_HASH_FIELD_SEL_SRC_IP,
                 sel & MLX5_HASH_FIELD_SEL_DST_IP, symmetric);
    if (n) {
        out->rss_hash_type |= l3 << 2;
    }
    if ((sel & SEL_PORTS) && !pkt->is_frag && pkt->l4_type == l4) {
        n = add_pair(input, n, frame + pkt->l4_off, frame + pkt->l4_off + 2, 2,
                     sel & MLX5_HASH_FIELD_SEL_L4_SPORT,
                     sel & MLX5_HASH_FIELD_SEL_L4_DPORT, symmetric);
        l4_hashed = l4 == MLX5_L4_TCP ? RSS_L4_TCP : RSS_L4_UDP;
    } else if ((sel & MLX5_HASH_FIELD_SEL_IPSEC_SPI) && !pkt->is_frag &&
               (pkt->l4_type == MLX5_L4_ESP || pkt->l4_type == MLX5_L4_AH)) {
        mlx5_put_be32(input + n, pkt->spi);
        n += 4;
        l4_hashed = RSS_L4_IPSEC_SPI;
    }
    out->rss_hash_type |= l4_hashed << 6;
    if (!n) {
        return;
    }
    if (p->rx_hash_fn == MLX5_RX_HASH_FN_TOEPLITZ) {
        out->rx_hash_result =
            mlx5_rss_toeplitz(p->rx_hash_toeplitz_key, input, n);
    } else {
        out->rx_hash_result = inverted_xor8(input, n);
    }
}

uint32_t mlx5_rss_bucket(uint32_t rx_hash_result, uint32_t actual_size)
{
    if (!actual_size) {
        return 0;
    }
    if (!(actual_size & (actual_size - 1))) {
        return rx_hash_result & (actual_size - 1);
    }
    return rx_hash_result % actual_size;
}
