/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * AES-GCM over TLS records that arrive in pieces cut anywhere, TLS 1.2 and 1.3,
 * AES-128 and AES-256.
 *
 * tls_record.c is the only file of the engine that calls libcrypto. It owns key
 * objects and a bounded pool of cipher contexts. Called by tls_tx.c and tls_rx.c;
 * the device makes keys and the one Mlx5TlsEngine. One thread at a time per engine.
 *
 * How the crypto is split
 * -----------------------
 * GCM is CTR mode plus GHASH over the ciphertext. libcrypto is asked for the two
 * separately (CTR from its AES-CTR cipher, GHASH from its AES-GCM cipher fed with
 * associated data only), because a receiver must be able to
 *   - authenticate bytes it does not decrypt (packet delivered untouched, still in
 *     sync): GHASH alone;
 *   - decide first and decrypt after: a packet in which a tag fails is delivered as
 *     on the wire. mlx5_tls_record_hash() advances over a packet and notes the
 *     spans of ciphertext, mlx5_tls_spans_apply() decrypts them in place once the
 *     verdict is known. Nothing has ever to be undone, no scratch copy is needed.
 *
 * How an open record is saved and resumed
 * ---------------------------------------
 * A record between two packets is Mlx5TlsRecordState: plain data without pointers,
 * about 80 bytes, at every byte position. CTR needs the position alone. For GHASH
 * it is the 16-byte accumulator Y. libcrypto does not export Y, but finishing a
 * context that was fed m bytes gives
 *     t = (Y * H ^ L(m)) * H ^ E(K, J)        H = E(K, 0), L(m) the length block
 * (without the first * H if m is a multiple of 16), which is solved for Y by
 * multiplying with the inverse of H. To resume, a fresh context is fed the one block
 * Y / H, which leaves Y in its accumulator, and pos % 16 zero bytes to get to the
 * place in the block. Nothing is replayed, so nobody has to keep the record's bytes.
 *
 * So a libcrypto context is only a cache: a slot of the engine's pool is attached to
 * a record while bytes flow, taken away (the record is saved, as above) when another
 * record needs it, and given back keyed, so that the next record under the key
 * changes the IV only. 100,000 open records need no more than the pool's slots.
 */
#ifndef MLX5_ENGINE_TLS_RECORD_H
#define MLX5_ENGINE_TLS_RECORD_H

#include "tls_types.h"

/* ---- keys -------------------------------------------------------------------- */

/*
 * A data encryption key, reference counted. The bytes, everything derived from them
 * and every cipher context that was set up with them are zeroised with the last
 * reference.
 */
typedef struct Mlx5TlsKey Mlx5TlsKey;

/* len is 16 or 32 bytes (AES-128, AES-256); NULL for any other. One reference. */
Mlx5TlsKey *mlx5_tls_key_new(const uint8_t *raw, size_t len);
/* Bytes of a key, for those who count memory. */
size_t mlx5_tls_key_size(void);
Mlx5TlsKey *mlx5_tls_key_ref(Mlx5TlsKey *key);      /* NULL gives NULL */
void mlx5_tls_key_unref(Mlx5TlsKey *key);           /* NULL is allowed */
size_t mlx5_tls_key_len(const Mlx5TlsKey *key);
/* A number that no other key object of this process has had, from 1 on. */
uint64_t mlx5_tls_key_serial(const Mlx5TlsKey *key);

/* ---- engine ------------------------------------------------------------------ */

#define MLX5_TLS_ENGINE_DEFAULT_SLOTS   1024

/*
 * What all contexts of one device share: cipher context pool, knobs, record log.
 * It must outlive every Mlx5TlsTx, Mlx5TlsRx and open record made with it; keys may
 * outlive it.
 */
typedef struct Mlx5TlsEngine Mlx5TlsEngine;

/*
 * slots: most cipher contexts kept (each about 2 KiB), at least 1. Returns NULL and
 * sets *errmsg (g_free()) if this libcrypto has no AES-CTR or AES-GCM.
 */
Mlx5TlsEngine *mlx5_tls_engine_new(unsigned slots, char **errmsg);
void mlx5_tls_engine_free(Mlx5TlsEngine *engine);   /* NULL is allowed */

/* Writable at any time; contexts read them when they act. */
Mlx5TlsKnobs *mlx5_tls_engine_knobs(Mlx5TlsEngine *engine);

/* fn NULL switches the record log off (the default); then it costs nothing. */
void mlx5_tls_engine_set_record_log(Mlx5TlsEngine *engine, Mlx5TlsRecordLogFn *fn,
                                    void *opaque);

typedef struct Mlx5TlsEngineStats {
    unsigned slots;         /* cipher contexts that exist */
    unsigned attached;      /* of these, in use by an open record */
    uint64_t hits;          /* record found a slot already set up with its key */
    uint64_t rekeys;        /* a slot was (re)keyed for a record */
    uint64_t saves;         /* an open record lost its slot and was saved */
    uint64_t resumes;       /* a saved record was attached again */
} Mlx5TlsEngineStats;

void mlx5_tls_engine_get_stats(const Mlx5TlsEngine *engine, Mlx5TlsEngineStats *stats);

/*
 * How often the contexts of an engine have taken a row of their table (TX1.., R1..) since
 * the engine was made. 0 for a row that there is not.
 */
uint64_t mlx5_tls_engine_row_hits(const Mlx5TlsEngine *engine, Mlx5TlsDir dir, unsigned row);

/* ---- headers ----------------------------------------------------------------- */

typedef enum Mlx5TlsHeader {
    MLX5_TLS_HEADER_BAD = 0,
    MLX5_TLS_HEADER_PARTIAL,    /* fewer than 5 bytes, nothing wrong so far */
    MLX5_TLS_HEADER_OK,
} Mlx5TlsHeader;

/*
 * Look at the first n bytes (0..5) of a record header. Valid: type 20..23 (1.3: 23),
 * version 03 03, length 24..16384+24 (1.3: 17..16384+17), as the kernel's software
 * TLS demands.
 */
Mlx5TlsHeader mlx5_tls_header_check(uint8_t tls_version, const uint8_t *hdr, size_t n);

/* The length field of a whole header: bytes that follow it. */
static inline uint32_t mlx5_tls_header_body(const uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    return (uint32_t)hdr[3] << 8 | hdr[4];
}

/* ---- records ----------------------------------------------------------------- */

/* Key, version and IV that records are processed with. Holds a reference on key. */
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
    uint32_t pos;                       /* bytes consumed after the header, 0..len */
    uint16_t len;                       /* the header's length field */
    uint8_t tls_version;
    uint8_t tag_diff;                   /* or of all differences in the tag so far */
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t nonce[MLX5_TLS_IV_LEN];     /* 1.2: complete once pos is 8 */
    uint8_t ghash[16];                  /* accumulator, valid while detached */
    uint8_t tag[MLX5_TLS_TAG_LEN];      /* E(K, J0); the tag from the last payload byte */
} Mlx5TlsRecordState;

typedef struct Mlx5TlsSlot Mlx5TlsSlot;

/* An open record. Must not be moved while it is open (save and restore it instead). */
typedef struct Mlx5TlsRecord {
    Mlx5TlsRecordState s;
    Mlx5TlsEngine *engine;              /* NULL: not open */
    Mlx5TlsKey *key;                    /* one reference */
    Mlx5TlsSlot *slot;                  /* attached cipher context or NULL */
} Mlx5TlsRecord;

/* A run of ciphertext that may be decrypted once the packet's verdict is known. */
typedef struct Mlx5TlsSpan {
    uint32_t offset;                    /* in the buffer of mlx5_tls_spans_apply() */
    uint32_t len;
    uint32_t payload_pos;               /* position in the record's payload */
    uint8_t nonce[MLX5_TLS_IV_LEN];
} Mlx5TlsSpan;

/*
 * Open a record whose header (valid by mlx5_tls_header_check()) was just read. The
 * AAD takes number; the nonce is salt || explicit nonce (1.2, read from the stream) or
 * IV xor number (1.3). A closed or zeroed *rec is expected; c->key is not NULL.
 */
void mlx5_tls_record_open(Mlx5TlsRecord *rec, Mlx5TlsEngine *engine,
                          const Mlx5TlsCrypto *c, uint64_t number,
                          const uint8_t hdr[MLX5_TLS_HDR_LEN]);

/* Let go of slot and key and zeroise the state. Allowed on a closed record. */
void mlx5_tls_record_close(Mlx5TlsRecord *rec);

static inline bool mlx5_tls_record_is_open(const Mlx5TlsRecord *rec)
{
    return rec->engine != NULL;
}

/* Bytes the record still lacks; 0: all consumed, the caller closes it. */
static inline uint32_t mlx5_tls_record_left(const Mlx5TlsRecord *rec)
{
    return rec->s.len - rec->s.pos;
}

/*
 * Encrypt: src is the next len bytes of [nonce] plaintext, tag placeholder. Consumes up
 * to the record's end and returns how much. dst receives nonce as is, ciphertext, tag;
 * dst == src works in place, other overlap does not, dst NULL discards the output.
 */
size_t mlx5_tls_record_encrypt(Mlx5TlsRecord *rec, uint8_t *dst, const uint8_t *src,
                               size_t len);

/*
 * Advance over received bytes without changing them: GHASH the ciphertext and compare
 * the tag. Consumes up to the record's end and returns how much. If spans is not NULL
 * (a GArray of Mlx5TlsSpan) the runs of ciphertext are appended, their offset counted
 * from src plus base.
 */
size_t mlx5_tls_record_hash(Mlx5TlsRecord *rec, const uint8_t *src, size_t len,
                            GArray *spans, uint32_t base);

/* All bytes consumed: did the tag match? (mlx5_tls_record_hash() only.) */
bool mlx5_tls_record_tag_ok(const Mlx5TlsRecord *rec);

/* Decrypt the spans of buf in place. key is that of the records they come from. */
void mlx5_tls_spans_apply(Mlx5TlsEngine *engine, Mlx5TlsKey *key, uint8_t *buf,
                          const GArray *spans);

/*
 * Save an open record to plain data at any byte; it stays open and usable, but lost
 * its cipher context. Restore: into a closed *rec, perhaps of another process, with a
 * key of equal bytes; a state that cannot have been saved (pos over len, unknown
 * version) is refused with false.
 */
void mlx5_tls_record_save(Mlx5TlsRecord *rec, Mlx5TlsRecordState *out);
bool mlx5_tls_record_restore(Mlx5TlsRecord *rec, Mlx5TlsEngine *engine, Mlx5TlsKey *key,
                             const Mlx5TlsRecordState *in);

/* ---- libcrypto's own AES-GCM, for tls_strict.c ------------------------------- */

/*
 * One record by libcrypto's AES-GCM, with none of the ways of this file (no slot, no
 * saving, no separate GHASH): what the checker compares with. It holds a reference on the
 * key it was last begun with and must not outlive the engine.
 */
typedef struct Mlx5TlsGcm Mlx5TlsGcm;

/* What one takes of the heap at most, libcrypto's context included. */
#define MLX5_TLS_GCM_MEMORY 1536

Mlx5TlsGcm *mlx5_tls_gcm_new(Mlx5TlsEngine *engine);
void mlx5_tls_gcm_free(Mlx5TlsGcm *gcm);            /* NULL is allowed */
void mlx5_tls_gcm_begin(Mlx5TlsGcm *gcm, Mlx5TlsKey *key, bool encrypt,
                        const uint8_t nonce[MLX5_TLS_IV_LEN], const uint8_t *aad,
                        size_t aad_len);
void mlx5_tls_gcm_text(Mlx5TlsGcm *gcm, uint8_t *dst, const uint8_t *src, size_t len);
/* Encrypting: writes the tag, true. Decrypting: was this the tag? */
bool mlx5_tls_gcm_end(Mlx5TlsGcm *gcm, uint8_t tag[MLX5_TLS_TAG_LEN]);

/* ---- for tls_tx.c and tls_rx.c ----------------------------------------------- */

/* Scratch of the engine, empty between calls, erased by who fills it. */
GArray *mlx5_tls_engine_spans(Mlx5TlsEngine *engine);   /* of Mlx5TlsSpan */
GArray *mlx5_tls_engine_events(Mlx5TlsEngine *engine);  /* of Mlx5TlsRecordEvent */
bool mlx5_tls_engine_logging(const Mlx5TlsEngine *engine);
/* Hand the events collected to the record log, in order, and empty the array. */
void mlx5_tls_engine_flush_events(Mlx5TlsEngine *engine);

#define MLX5_TLS_MAX_ROW    63
/* A context has taken a row, 0..MLX5_TLS_MAX_ROW; 0 is none and is not counted. */
void mlx5_tls_engine_count_row(Mlx5TlsEngine *engine, Mlx5TlsDir dir, unsigned row);

#endif /* MLX5_ENGINE_TLS_RECORD_H */
