/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSS: the hash of a packet according to a TIR, and the bucket it selects.
 *
 * Owns no state. There is no table per key: hashing takes only tens of
 * nanoseconds without one, and each of 100,000 TLS TIRs has its own key.
 * Callable by anyone, from any thread.
 */
#ifndef HW_NET_MLX5_ENGINE_RSS_H
#define HW_NET_MLX5_ENGINE_RSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"

#define MLX5_RSS_KEY_LEN        40
/* A 40-byte key has a 32-bit window for each bit of this many input bytes. */
#define MLX5_RSS_MAX_INPUT      (MLX5_RSS_KEY_LEN - 4)

/* tirc.rx_hash_fn */
enum {
    MLX5_RX_HASH_FN_NONE = 0,
    MLX5_RX_HASH_FN_INVERTED_XOR8 = 1,
    MLX5_RX_HASH_FN_TOEPLITZ = 2,
};

/* rx_hash_field_select.selected_fields */
enum {
    MLX5_HASH_FIELD_SEL_SRC_IP = 0x1,
    MLX5_HASH_FIELD_SEL_DST_IP = 0x2,
    MLX5_HASH_FIELD_SEL_L4_SPORT = 0x4,
    MLX5_HASH_FIELD_SEL_L4_DPORT = 0x8,
    MLX5_HASH_FIELD_SEL_IPSEC_SPI = 0x10,
};

/* Hash parameters of a TIR; members as in tirc and rx_hash_field_select. */
typedef struct Mlx5RssParams {
    uint8_t rx_hash_fn;
    bool rx_hash_symmetric;
    uint8_t l3_prot_type;           /* 0 IPv4, 1 IPv6 */
    uint8_t l4_prot_type;           /* 0 TCP, 1 UDP */
    uint32_t selected_fields;
    uint8_t rx_hash_toeplitz_key[MLX5_RSS_KEY_LEN];
} Mlx5RssParams;

typedef struct Mlx5RssResult {
    uint32_t rx_hash_result;        /* CQE + 0x0c */
    uint8_t rss_hash_type;          /* CQE + 0x10: [3:2] layer 3, [7:6] layer
                                     * 4 */
} Mlx5RssResult;

/* X(name, sentence for the log) */
#define MLX5_RSS_ERRORS(X)                                                    \
    X(OK, "no error")                                                         \
    X(BAD_FN,                                                                 \
      "tirc.rx_hash_fn is none of 0 (none), 1 (inverted XOR8), 2 (Toeplitz)") \
    X(BAD_FIELDS,                                                             \
      "rx_hash_field_select.selected_fields has bits outside 0x1f")           \
    X(PORTS_AND_SPI,                                                          \
      "rx_hash_field_select selects both ports and the IPsec SPI")

typedef enum Mlx5RssError {
#define MLX5_RSS_ENUM(name, text) MLX5_RSS_##name,
    MLX5_RSS_ERRORS(MLX5_RSS_ENUM)
#undef MLX5_RSS_ENUM
    MLX5_RSS_N_ERRORS
} Mlx5RssError;

/* Checks a TIR's hash parameters, for the command validator. */
Mlx5RssError mlx5_rss_check(const Mlx5RssParams *p);
const char *mlx5_rss_strerror(Mlx5RssError err);

/*
 * Hashes a packet. The input is source address, destination address, then
 * source port and destination port, or the SPI; only selected fields. If the
 * packet's layer 3 type differs from the TIR's, nothing is selected, or the
 * function is MLX5_RX_HASH_FN_NONE, result and type are 0. Fragments, and
 * packets whose layer 4 type differs from the TIR's, are hashed by address
 * alone, so that all fragments of a datagram go to the same queue.
 *
 * rx_hash_symmetric changes the Toeplitz input: each pair with both sides
 * selected is replaced by (src | dst, src ^ dst), addresses first, then ports.
 * This is the order given for RXH_XFRM_SYM_OR_XOR in the kernel commit
 * "ethtool: Symmetric OR-XOR RSS hash", by the NIC's vendor; 6.12 sets the bit
 * in each Toeplitz TIR without stating an order. A field selected on one side
 * only is used unchanged.
 *
 * MLX5_RX_HASH_FN_INVERTED_XOR8 is the XOR of all input bytes, with its eight
 * bits reversed: the driver compensates by filling its indirection table in
 * bit-reversed order (en/rqt.c, mlx5e_bits_invert). It is inherently symmetric.
 */
void mlx5_rss_hash(const Mlx5RssParams *p, const Mlx5Packet *pkt,
                   const uint8_t *frame, Mlx5RssResult *out);

/*
 * Plain Toeplitz hash over @len <= MLX5_RSS_MAX_INPUT bytes; longer input is
 * truncated, because the key has no bits for it.
 */
uint32_t mlx5_rss_toeplitz(const uint8_t key[MLX5_RSS_KEY_LEN],
                           const uint8_t *input, size_t len);

/*
 * Returns the entry of an RQT with @actual_size entries: the low bits of the
 * hash if the size is a power of two, as with the driver, else the remainder. 0
 * for an empty table.
 */
uint32_t mlx5_rss_bucket(uint32_t rx_hash_result, uint32_t actual_size);

#endif
