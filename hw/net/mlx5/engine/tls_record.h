/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS records that arrive in pieces cut anywhere, TLS 1.2 and 1.3: their
 * headers, and the AES-GCM of their bytes.
 *
 * Owns open records. Called by tls_tx.c and tls_rx.c. One thread at a time per
 * pool of cipher contexts.
 *
 * A record between two packets is Mlx5TlsRecordState: plain data without
 * pointers, about 80 bytes, at every byte position. It has a cipher context
 * while bytes flow; when another record needs that, the state is saved as gcm.h
 * describes, and the next byte attaches a context again.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_RECORD_H
#define HW_NET_MLX5_ENGINE_TLS_RECORD_H

#include "gcm.h"
#include "tls_types.h"

/* ---- headers ------------------------------------------------------------- */

typedef enum Mlx5TlsHeader {
    MLX5_TLS_HEADER_BAD = 0,
    MLX5_TLS_HEADER_PARTIAL,    /* fewer than 5 bytes, nothing wrong so far */
    MLX5_TLS_HEADER_OK,
} Mlx5TlsHeader;

/*
 * Look at the first @n bytes (0..5) of a record header. Valid: type 20..23
 * (1.3: 23), version 03 03, length 24..16384+24 (1.3: 17..16384+17), as the
 * kernel's software TLS demands.
 */
Mlx5TlsHeader mlx5_tls_header_check(uint8_t tls_version, const uint8_t *hdr,
                                    size_t n);

/* The length field of a whole header: bytes that follow it. */
static inline uint32_t mlx5_tls_header_body(const uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    return (uint32_t)hdr[3] << 8 | hdr[4];
}

/* ---- records ------------------------------------------------------------- */

/* Key, version and IV that records are processed with. Refers to the key. */
typedef struct Mlx5TlsCrypto {
    Mlx5TlsKey *key;
    uint8_t tls_version;
    uint8_t iv[MLX5_TLS_IV_LEN];    /* gcm_iv || implicit_iv */
} Mlx5TlsCrypto;

void mlx5_tls_crypto_set(Mlx5TlsCrypto *c, const Mlx5TlsStaticParams *p,
                         Mlx5TlsKey *key);
void mlx5_tls_crypto_clear(Mlx5TlsCrypto *c);

/* An open record as plain data. See the top of this file. */
typedef struct Mlx5TlsRecordState {
    uint64_t number;
    uint32_t pos;           /* bytes consumed after the header, 0..len */
    uint16_t len;           /* the header's length field */
    uint8_t tls_version;
    uint8_t tag_diff;       /* or of all differences in the tag so far */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t nonce[MLX5_TLS_IV_LEN];     /* 1.2: complete once pos is 8 */
    uint8_t ghash[16];      /* accumulator, valid while detached */
    uint8_t tag[MLX5_TLS_TAG_LEN];      /* E(K, J0); from the last byte of the
                                         * payload on the tag */
} Mlx5TlsRecordState;

/* An open record. Must not be moved meanwhile (save and restore it instead). */
typedef struct Mlx5TlsRecord {
    Mlx5TlsRecordState s;
    Mlx5GcmPool *gcm;       /* NULL: not open */
    Mlx5TlsKey *key;        /* one reference */
    Mlx5GcmSlot *slot;      /* attached cipher context or NULL */
} Mlx5TlsRecord;

/*
 * Open a record whose header (valid by mlx5_tls_header_check()) was just read.
 * The AAD takes @number; the nonce is salt || explicit nonce (1.2, read from
 * the stream) or IV xor number (1.3). A closed or zeroed *@rec is expected;
 * @c->key is not NULL.
 */
void mlx5_tls_record_open(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                          const Mlx5TlsCrypto *c, uint64_t number,
                          const uint8_t hdr[MLX5_TLS_HDR_LEN]);

/* Let go of slot and key, zeroise the state. Allowed on a closed record. */
void mlx5_tls_record_close(Mlx5TlsRecord *rec);

static inline bool mlx5_tls_record_is_open(const Mlx5TlsRecord *rec)
{
    return rec->gcm != NULL;
}

/* Bytes the record still lacks; 0: all consumed, the caller closes it. */
static inline uint32_t mlx5_tls_record_left(const Mlx5TlsRecord *rec)
{
    return rec->s.len - rec->s.pos;
}

/*
 * Encrypt: @src is the next @len bytes of [nonce] plaintext, tag placeholder.
 * Consumes up to the record's end and returns how much. @dst receives nonce as
 * is, ciphertext, tag; @dst == @src works in place, other overlap does not,
 * @dst NULL discards the output.
 */
size_t mlx5_tls_record_encrypt(Mlx5TlsRecord *rec, uint8_t *dst,
                               const uint8_t *src, size_t len);

/*
 * Advance over received bytes without changing them: GHASH the ciphertext and
 * compare the tag. Consumes up to the record's end and returns how much. If
 * @spans is not NULL (a GArray of Mlx5GcmSpan) the runs of ciphertext are
 * appended, their offset counted from @src plus @base.
 */
size_t mlx5_tls_record_hash(Mlx5TlsRecord *rec, const uint8_t *src, size_t len,
                            GArray *spans, uint32_t base);

/* All bytes consumed: did the tag match? (mlx5_tls_record_hash() only.) */
static inline bool mlx5_tls_record_tag_ok(const Mlx5TlsRecord *rec)
{
    return rec->s.tag_diff == 0;
}

/*
 * Save an open record to plain data at any byte; it stays open and usable, but
 * lost its cipher context. Restore: into a closed *@rec, perhaps of another
 * process, with a key of equal bytes; a state that cannot have been saved (pos
 * over len, unknown version) is refused with false.
 */
void mlx5_tls_record_save(Mlx5TlsRecord *rec, Mlx5TlsRecordState *out);
bool mlx5_tls_record_restore(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                             Mlx5TlsKey *key, const Mlx5TlsRecordState *in);

#endif
