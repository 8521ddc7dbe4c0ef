/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM over libcrypto, in the pieces that a device needs: AES-128 and
 * AES-256, messages that arrive cut anywhere and may have to wait.
 *
 * gcm.c is the only file that calls libcrypto. It owns key objects and a
 * bounded pool of cipher contexts; what a message is (a TLS record) is known to
 * its callers only. Called by tls_record.c, by the checker (tls_strict*.c) and,
 * for keys, by the device. One thread at a time per pool.
 *
 * How the crypto is split
 * -----------------------
 * GCM is CTR mode plus GHASH over the ciphertext. libcrypto is asked for the
 * two separately (CTR from its AES-CTR cipher, GHASH from its AES-GCM cipher
 * fed with associated data only), because a receiver must be able to
 *   - authenticate bytes it does not decrypt (packet delivered untouched, still
 *     in sync): GHASH alone;
 *   - decide first and decrypt after: a packet in which a tag fails is
 *     delivered as on the wire. mlx5_gcm_hash() advances over the packet, its
 *     caller notes the spans of ciphertext, mlx5_gcm_spans_apply() decrypts
 *     them in place once the verdict is known. Nothing has ever to be undone,
 *     no scratch copy is needed.
 *
 * How an open message is saved and resumed
 * ----------------------------------------
 * CTR needs the position alone. For GHASH it is the 16-byte accumulator Y.
 * libcrypto does not export Y, but finishing a context that was fed m bytes
 * gives
 *     t = (Y * H ^ L(m)) * H ^ E(K, J)    H = E(K, 0), L(m) the length block
 * (without the first * H if m is a multiple of 16), which is solved for Y by
 * multiplying with the inverse of H. To resume, a fresh context is fed the one
 * block Y / H, which leaves Y in its accumulator, and pos % 16 zero bytes to
 * get to the place in the block. Nothing is replayed, so nobody has to keep the
 * message's bytes.
 *
 * So a libcrypto context is only a cache: a slot of the pool is taken by a
 * message while bytes flow, given up (the message is saved, as above) when
 * another one needs it, and given back keyed, so that the next message under
 * the key changes the IV only. 100,000 open messages need no more than the
 * pool's slots.
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
 * A data encryption key, reference counted. The bytes, everything derived from
 * them and every cipher context that was set up with them are zeroised with the
 * last reference. A key may be used with several pools, and outlive them.
 */
typedef struct Mlx5TlsKey Mlx5TlsKey;

/*
 * @len is 16 or 32 bytes (AES-128, AES-256); NULL for any other. One reference.
 */
Mlx5TlsKey *mlx5_tls_key_new(const uint8_t *raw, size_t len);
/* Bytes of a key, for those who count memory. */
size_t mlx5_tls_key_size(void);
Mlx5TlsKey *mlx5_tls_key_ref(Mlx5TlsKey *key);      /* NULL gives NULL */
void mlx5_tls_key_unref(Mlx5TlsKey *key);           /* NULL is allowed */
/* A number that no other key object of this process has had, from 1 on. */
uint64_t mlx5_tls_key_serial(const Mlx5TlsKey *key);

/* ---- cipher contexts ----------------------------------------------------- */

typedef struct Mlx5GcmPool Mlx5GcmPool;

typedef struct Mlx5GcmStats {
    unsigned slots;         /* cipher contexts that exist */
    unsigned attached;      /* of these, in use by an open message */
    uint64_t hits;          /* a message found a slot set up with its key */
    uint64_t rekeys;        /* a slot was (re)keyed for a message */
    uint64_t saves;         /* an open message was saved */
    uint64_t resumes;       /* a saved message was resumed */
} Mlx5GcmStats;

/*
 * @slots: most cipher contexts kept (each about 2 KiB), at least 1. Returns
 * NULL and sets *@errmsg (g_free()) if this libcrypto has no AES-CTR or
 * AES-GCM.
 */
Mlx5GcmPool *mlx5_gcm_pool_new(unsigned slots, char **errmsg);
/* Evicts what is open. NULL is allowed. */
void mlx5_gcm_pool_free(Mlx5GcmPool *pool);
const Mlx5GcmStats *mlx5_gcm_pool_stats(const Mlx5GcmPool *pool);

/*
 * One message that is being worked on: CTR to en- and decrypt, GHASH over the
 * ciphertext.
 */
typedef struct Mlx5GcmSlot Mlx5GcmSlot;

/*
 * The slot of @owner goes to another message: keep what mlx5_gcm_save() gives,
 * and let go of the slot with mlx5_gcm_release().
 */
typedef void Mlx5GcmEvict(void *owner);

/*
 * A slot set up with @key, which @owner has until it releases it or @evict is
 * called; @owner must hold a reference on @key for as long. To be followed by
 * mlx5_gcm_begin() or mlx5_gcm_resume().
 */
Mlx5GcmSlot *mlx5_gcm_take(Mlx5GcmPool *pool, Mlx5TlsKey *key,
                           Mlx5GcmEvict *evict, void *owner);
void mlx5_gcm_release(Mlx5GcmSlot *slot);
/* The slot is in use right now: it is the last one to be evicted. */
void mlx5_gcm_touch(Mlx5GcmSlot *slot);

/*
 * A new message. @aad: associated data of up to a block, filled up with zeros.
 * @mask receives E(K, J0), which mlx5_gcm_tag() needs.
 */
void mlx5_gcm_begin(Mlx5GcmSlot *slot, const uint8_t nonce[MLX5_GCM_NONCE],
                    const uint8_t aad[MLX5_GCM_BLOCK],
                    uint8_t mask[MLX5_GCM_BLOCK]);
/* A saved one, of which @done bytes of ciphertext were hashed. */
void mlx5_gcm_resume(Mlx5GcmSlot *slot, const uint8_t ghash[MLX5_GCM_BLOCK],
                     uint32_t done);
/* The accumulator, to resume from. The slot can only be released then. */
void mlx5_gcm_save(Mlx5GcmSlot *slot, uint8_t ghash[MLX5_GCM_BLOCK]);

/*
 * En- or decrypt @len bytes that begin at byte @pos of the text under @nonce.
 * @dst == @src works in place, other overlap does not. Free to go on where it
 * stopped. It does not touch the hash.
 */
void mlx5_gcm_crypt(Mlx5GcmSlot *slot, const uint8_t nonce[MLX5_GCM_NONCE],
                    uint32_t pos, uint8_t *dst, const uint8_t *src, size_t len);
/* Hash the next @len bytes of ciphertext. */
void mlx5_gcm_hash(Mlx5GcmSlot *slot, const uint8_t *src, size_t len);
/*
 * All @text_len bytes were hashed, behind @aad_len of associated data: make the
 * tag of @mask, in place. The slot can only be released then.
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
 * Decrypt @spans (of Mlx5GcmSpan) of @buf in place. @key is that of the
 * messages they come from.
 */
void mlx5_gcm_spans_apply(Mlx5GcmPool *pool, Mlx5TlsKey *key, uint8_t *buf,
                          const GArray *spans);

/* ---- libcrypto's own AES-GCM, for the checker ---------------------------- */

/*
 * One message by libcrypto's AES-GCM, with none of the ways above (no slot, no
 * saving, no separate GHASH): what the checker compares with. It holds a
 * reference on the key it was last begun with and must not outlive the pool.
 */
typedef struct Mlx5GcmWhole Mlx5GcmWhole;

/* What one takes of the heap at most, libcrypto's context included. */
#define MLX5_GCM_WHOLE_MEMORY   1536

Mlx5GcmWhole *mlx5_gcm_whole_new(Mlx5GcmPool *pool);
void mlx5_gcm_whole_free(Mlx5GcmWhole *whole);      /* NULL is allowed */
void mlx5_gcm_whole_begin(Mlx5GcmWhole *whole, Mlx5TlsKey *key, bool encrypt,
                          const uint8_t nonce[MLX5_GCM_NONCE],
                          const uint8_t *aad, size_t aad_len);
void mlx5_gcm_whole_text(Mlx5GcmWhole *whole, uint8_t *dst, const uint8_t *src,
                         size_t len);
/* Encrypting: writes the tag, true. Decrypting: was this the tag? */
bool mlx5_gcm_whole_end(Mlx5GcmWhole *whole, uint8_t tag[MLX5_GCM_BLOCK]);

#endif
