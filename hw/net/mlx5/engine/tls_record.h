/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS 1.2 and 1.3 records that arrive in pieces cut at any byte: header checks,
 * and incremental AES-GCM.
 *
 * Owns open records. Called by tls_tx.c and tls_rx.c. One thread at a time per
 * pool of cipher contexts.
 *
 * A record between two packets is Mlx5TlsRecordState: plain data without
 * pointers, about 80 bytes, at every byte position. It has a cipher context
 * while it is processed; when another record needs the context, the state is
 * saved as gcm.h describes, and the next byte attaches one again.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_RECORD_H
#define HW_NET_MLX5_ENGINE_TLS_RECORD_H

#include "gcm.h"
#include "tls_types.h"

/* ---- headers ------------------------------------------------------------- */

typedef enum Mlx5TlsHeader {
    MLX5_TLS_HEADER_BAD = 0,
    MLX5_TLS_HEADER_PARTIAL,    /* fewer than 5 bytes, valid so far */
    MLX5_TLS_HEADER_OK,
} Mlx5TlsHeader;

/*
 * Checks the first @n bytes (0..5) of a record header. Valid: type 20..23 (1.3:
 * 23), version 03 03, length 24..16384+24 (1.3: 17..16384+17), as required by
 * the kernel's software TLS.
 */
Mlx5TlsHeader mlx5_tls_header_check(uint8_t tls_version, const uint8_t *hdr,
                                    size_t n);

/*
 * Returns the length field of a complete header: the number of bytes after it.
 */
static inline uint32_t mlx5_tls_header_body(const uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    return (uint32_t)hdr[3] << 8 | hdr[4];
}

/* ---- records ------------------------------------------------------------- */

/* Key, version and IV for processing records. Does not own the key. */
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
    uint8_t tag_diff;       /* OR of all differences in the tag so far */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t nonce[MLX5_TLS_IV_LEN];     /* 1.2: complete once pos is 8 */
    uint8_t ghash[16];      /* accumulator, valid while detached */
    uint8_t tag[MLX5_TLS_TAG_LEN];      /* E(K, J0); the tag once the payload is
                                         * complete */
} Mlx5TlsRecordState;

/* An open record. Must not be moved (save and restore it instead). */
typedef struct Mlx5TlsRecord {
    Mlx5TlsRecordState s;
    Mlx5GcmPool *gcm;       /* NULL: not open */
    Mlx5TlsKey *key;        /* one reference */
    Mlx5GcmSlot *slot;      /* attached cipher context or NULL */
} Mlx5TlsRecord;

/*
 * Opens a record whose header (valid by mlx5_tls_header_check()) was just read.
 * @number goes into the AAD; the nonce is salt || explicit nonce (1.2, read
 * from the stream) or IV xor number (1.3). *@rec must be closed or zeroed, and
 * @c->key not NULL.
 */
void mlx5_tls_record_open(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                          const Mlx5TlsCrypto *c, uint64_t number,
                          const uint8_t hdr[MLX5_TLS_HDR_LEN]);

/* Releases slot and key and zeroes the state. Allowed on a closed record. */
void mlx5_tls_record_close(Mlx5TlsRecord *rec);

static inline bool mlx5_tls_record_is_open(const Mlx5TlsRecord *rec)
{
    return rec->gcm != NULL;
}

/* Returns the bytes still missing; if 0, the caller closes the record. */
static inline uint32_t mlx5_tls_record_left(const Mlx5TlsRecord *rec)
{
    return rec->s.len - rec->s.pos;
}

/*
 * Encrypts: @src is the next @len bytes of [nonce] plaintext, tag placeholder.
 * Consumes bytes up to the record's end and returns their number. @dst receives
 * the nonce unchanged, ciphertext, tag. @dst == @src works in place, other
 * overlap is not allowed; @dst NULL discards the output.
 */
size_t mlx5_tls_record_encrypt(Mlx5TlsRecord *rec, uint8_t *dst,
                               const uint8_t *src, size_t len);

/*
 * Advances over received bytes without changing them: hashes the ciphertext and
 * compares the tag. Consumes bytes up to the record's end and returns their
 * number. If @spans (a GArray of Mlx5GcmSpan) is not NULL, the runs of
 * ciphertext are appended to it, with offsets relative to @src plus @base.
 */
size_t mlx5_tls_record_hash(Mlx5TlsRecord *rec, const uint8_t *src, size_t len,
                            GArray *spans, uint32_t base);

/*
 * Returns whether the tag matched, after mlx5_tls_record_hash() consumed all.
 */
static inline bool mlx5_tls_record_tag_ok(const Mlx5TlsRecord *rec)
{
    return rec->s.tag_diff == 0;
}

/*
 * Save: converts an open record at any byte to plain data; it stays open and
 * usable, but loses its cipher context. Restore: into a closed *@rec, possibly
 * in another process, with a key of the same bytes; returns false for a state
 * that cannot have been saved (pos over len, unknown version).
 */
void mlx5_tls_record_save(Mlx5TlsRecord *rec, Mlx5TlsRecordState *out);
bool mlx5_tls_record_restore(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                             Mlx5TlsKey *key, const Mlx5TlsRecordState *in);

#endif
