/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Incremental AES-GCM on top of libcrypto: AES-128 and AES-256, for messages
 * that arrive in pieces cut at any byte and may have to be suspended.
 *
 * gcm.c is the only file that calls libcrypto. It owns the key objects and a
 * bounded pool of cipher contexts; only its callers know that a message is a
 * TLS record. Called by tls_record.c, by the checker (tls_strict*.c) and, for
 * keys, by the device. One thread at a time per pool.
 *
 * How the crypto is split ----------------------- GCM is CTR mode plus GHASH
 * over the ciphertext. The two are done separately (CTR with libcrypto's
 * AES-CTR cipher, GHASH with its AES-GCM cipher fed only associated data),
 * because a receiver must be able to
 *   - authenticate bytes without decrypting them (packet delivered unchanged,
 *     still in sync): GHASH alone;
 *   - decide first and decrypt later: a packet with a bad tag is delivered as
 *     on the wire. mlx5_gcm_hash() advances over the packet, its caller records
 *     the spans of ciphertext, and mlx5_gcm_spans_apply() decrypts them in
 *     place once the verdict is known. Nothing needs to be undone or copied.
 *
 * How an open message is saved and resumed
 * ---------------------------------------- The state of CTR is only the
 * position; that of GHASH is the 16-byte accumulator Y. libcrypto does not
 * export Y, but finishing a context after m bytes gives
 *     t = (Y * H ^ L(m)) * H ^ E(K, J)    H = E(K, 0), L(m) the length block
 * (without the first * H if m is a multiple of 16), which is solved for Y by
 * multiplying with the inverse of H. To resume, a fresh context is fed the
 * single block Y / H, which leaves Y in its accumulator, and pos % 16 zero
 * bytes to reach the position in the block. Nothing is replayed, so the message
 * need not be kept.
 *
 * A libcrypto context is therefore only a cache. A message takes a slot of the
 * pool while it is processed and gives it up (the message is saved as above)
 * when another one needs it. A released slot stays keyed, so that the next
 * message under the same key only changes the IV. Even 100,000 open messages
 * need no more than the slots of the pool.
 */
#ifndef HW_NET_MLX5_ENGINE_GCM_H
#define HW_NET_MLX5_ENGINE_GCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

#define MLX5_GCM_BLOCK  16
#define MLX5_GCM_NONCE  12

/* ---- keys ---------------------------------------------------------------- */

/*
 * A data encryption key, reference counted. Dropping the last reference zeroes
 * the key, everything derived from it and every cipher context set up with it.
 * A key may be used with several pools and may outlive them.
 */
typedef struct Mlx5TlsKey Mlx5TlsKey;

/*
 * Returns a key with one reference. @len is 16 or 32 bytes (AES-128, AES-256);
 * returns NULL for any other length.
 */
Mlx5TlsKey *mlx5_tls_key_new(const uint8_t *raw, size_t len);
/* Returns the memory use of a key in bytes, for accounting. */
size_t mlx5_tls_key_size(void);
Mlx5TlsKey *mlx5_tls_key_ref(Mlx5TlsKey *key);      /* NULL gives NULL */
void mlx5_tls_key_unref(Mlx5TlsKey *key);           /* NULL is allowed */
/* Returns a number, from 1 on, unique among all keys of this process. */
uint64_t mlx5_tls_key_serial(const Mlx5TlsKey *key);
/* Returns its length: 128 or 256. */
unsigned mlx5_tls_key_bits(const Mlx5TlsKey *key);

/* ---- cipher contexts ----------------------------------------------------- */

typedef struct Mlx5GcmPool Mlx5GcmPool;

typedef struct Mlx5GcmStats {
    unsigned slots;         /* cipher contexts that exist */
    unsigned attached;      /* of these, in use by an open message */
    uint64_t hits;          /* times a slot already had the key */
    uint64_t rekeys;        /* times a slot was (re)keyed for a message */
    uint64_t saves;         /* times an open message was saved */
    uint64_t resumes;       /* times a saved message was resumed */
} Mlx5GcmStats;

/*
 * @slots: maximum number of cipher contexts (each about 2 KiB), at least 1.
 * Returns NULL and sets *@errmsg (g_free()) if this libcrypto has no AES-CTR or
 * AES-GCM.
 */
Mlx5GcmPool *mlx5_gcm_pool_new(unsigned slots, char **errmsg);
/* Evicts open messages. NULL is allowed. */
void mlx5_gcm_pool_free(Mlx5GcmPool *pool);
const Mlx5GcmStats *mlx5_gcm_pool_stats(const Mlx5GcmPool *pool);

/*
 * The cipher context of an open message: CTR for encryption and decryption,
 * GHASH over the ciphertext.
 */
typedef struct Mlx5GcmSlot Mlx5GcmSlot;

/*
 * Called when @owner's slot is needed for another message: store the result of
 * mlx5_gcm_save() and give up the slot with mlx5_gcm_release().
 */
typedef void Mlx5GcmEvict(void *owner);

/*
 * Returns a slot set up with @key, which belongs to @owner until released or
 * until @evict is called; @owner must hold a reference to @key for that time.
 * Follow with mlx5_gcm_begin() or mlx5_gcm_resume().
 */
Mlx5GcmSlot *mlx5_gcm_take(Mlx5GcmPool *pool, Mlx5TlsKey *key,
                           Mlx5GcmEvict *evict, void *owner);
void mlx5_gcm_release(Mlx5GcmSlot *slot);
/* Marks the slot as most recently used, so that it is evicted last. */
void mlx5_gcm_touch(Mlx5GcmSlot *slot);

/*
 * Begins a new message. @aad: associated data of up to one block, padded with
 * zeros. @mask receives E(K, J0), which mlx5_gcm_tag() needs.
 */
void mlx5_gcm_begin(Mlx5GcmSlot *slot, const uint8_t nonce[MLX5_GCM_NONCE],
                    const uint8_t aad[MLX5_GCM_BLOCK],
                    uint8_t mask[MLX5_GCM_BLOCK]);
/* Resumes a saved message, of which @done bytes of ciphertext were hashed. */
void mlx5_gcm_resume(Mlx5GcmSlot *slot, const uint8_t ghash[MLX5_GCM_BLOCK],
                     uint32_t done);
/*
 * Gets the accumulator to resume from. After this the slot can only be
 * released.
 */
void mlx5_gcm_save(Mlx5GcmSlot *slot, uint8_t ghash[MLX5_GCM_BLOCK]);

/*
 * Encrypts or decrypts @len bytes starting at byte @pos of the text under
 * @nonce. @dst == @src works in place; other overlap is not allowed. Continuing
 * at the previous end costs nothing extra. Does not affect the hash.
 */
void mlx5_gcm_crypt(Mlx5GcmSlot *slot, const uint8_t nonce[MLX5_GCM_NONCE],
                    uint32_t pos, uint8_t *dst, const uint8_t *src, size_t len);
/* Hashes the next @len bytes of ciphertext. */
void mlx5_gcm_hash(Mlx5GcmSlot *slot, const uint8_t *src, size_t len);
/*
 * After all @text_len bytes were hashed, following @aad_len bytes of associated
 * data: turns @mask into the tag, in place. After this the slot can only be
 * released.
 */
void mlx5_gcm_tag(Mlx5GcmSlot *slot, size_t aad_len, size_t text_len,
                  uint8_t mask[MLX5_GCM_BLOCK]);

/* A run of ciphertext that may be decrypted later. */
typedef struct Mlx5GcmSpan {
    uint32_t offset;        /* in the buffer of mlx5_gcm_spans_apply() */
    uint32_t len;
    uint32_t pos;           /* in the text of its message */
    uint8_t nonce[MLX5_GCM_NONCE];
} Mlx5GcmSpan;

/*
 * Decrypts @spans (an array of Mlx5GcmSpan) of @buf in place. @key is the key
 * of the messages they belong to.
 */
void mlx5_gcm_spans_apply(Mlx5GcmPool *pool, Mlx5TlsKey *key, uint8_t *buf,
                          const GArray *spans);

/* ---- libcrypto's own AES-GCM, for the checker ---------------------------- */

/*
 * A message processed by libcrypto's AES-GCM alone, without any of the above
 * (no slot, no saving, no separate GHASH), as the checker's reference. It holds
 * a reference to the key it was last begun with and must not outlive the pool.
 */
typedef struct Mlx5GcmWhole Mlx5GcmWhole;

/* Upper bound of its heap use in bytes, libcrypto's context included. */
#define MLX5_GCM_WHOLE_MEMORY   1536

Mlx5GcmWhole *mlx5_gcm_whole_new(Mlx5GcmPool *pool);
void mlx5_gcm_whole_free(Mlx5GcmWhole *whole);      /* NULL is allowed */
void mlx5_gcm_whole_begin(Mlx5GcmWhole *whole, Mlx5TlsKey *key, bool encrypt,
                          const uint8_t nonce[MLX5_GCM_NONCE],
                          const uint8_t *aad, size_t aad_len);
void mlx5_gcm_whole_text(Mlx5GcmWhole *whole, uint8_t *dst, const uint8_t *src,
                         size_t len);
/*
 * Encrypting: writes the tag and returns true. Decrypting: returns whether the
 * tag matches.
 */
bool mlx5_gcm_whole_end(Mlx5GcmWhole *whole, uint8_t tag[MLX5_GCM_BLOCK]);

#endif
