/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSS: the hash of a packet under the fields of a TIR, and the bucket it picks.
 *
 * Owns no state: there is no table per key, hashing costs some tens of
 * nanoseconds without one, and 100,000 TLS TIRs carry a key each.
 * Callable by anyone, from any thread.
 */
#ifndef HW_NET_MLX5_ENGINE_RSS_H
#define HW_NET_MLX5_ENGINE_RSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"

#define MLX5_RSS_KEY_LEN        40
/* A 40-byte key has a 32-bit window for each bit of so many input bytes. */
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

/*
 * What a TIR says about hashing; members as in tirc and rx_hash_field_select.
 */
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

/* Whether a TIR's hash fields make sense; for the command validator. */
Mlx5RssError mlx5_rss_check(const Mlx5RssParams *p);
const char *mlx5_rss_strerror(Mlx5RssError err);

/*
 * Hash a packet. Fields go in as source address, destination address, then
 * source port and destination port, or the SPI; only those selected. A packet
 * of another layer 3 type than the TIR's, or nothing selected, or
 * MLX5_RX_HASH_FN_NONE gives result 0 and type 0. Fragments, and packets of
 * another layer 4 type than the TIR's, are hashed by their addresses alone, so
 * that all fragments of a datagram meet in one queue.
 *
 * rx_hash_symmetric changes Toeplitz input: of each pair that is selected on
 * both sides the words (src | dst, src ^ dst) go in, in this order: addresses,
 * then ports. It is the order in which the kernel's change "ethtool: Symmetric
 * OR-XOR RSS hash", by the maker of the NIC, describes RXH_XFRM_SYM_OR_XOR;
 * 6.12 sets the bit with each Toeplitz TIR and names no order. A field selected
 * on one side only goes in as it is.
 *
 * MLX5_RX_HASH_FN_INVERTED_XOR8 is the XOR of all input bytes with its eight
 * bits in reverse order: the driver compensates by filling its indirection
 * table in bit-reversed order (en/rqt.c, mlx5e_bits_invert). Symmetric by
 * nature.
 */
void mlx5_rss_hash(const Mlx5RssParams *p, const Mlx5Packet *pkt,
                   const uint8_t *frame, Mlx5RssResult *out);

/*
 * Textbook Toeplitz over @len <= MLX5_RSS_MAX_INPUT bytes; more is cut off,
 * because the key has no bits for it.
 */
uint32_t mlx5_rss_toeplitz(const uint8_t key[MLX5_RSS_KEY_LEN],
                           const uint8_t *input, size_t len);

/*
 * The entry of an RQT of @actual_size entries: the low bits of the hash when
 * the size is a power of two, as the driver makes it, else the remainder. 0 for
 * an empty table.
 */
uint32_t mlx5_rss_bucket(uint32_t rx_hash_result, uint32_t actual_size);

#endif
