/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AES-GCM in pieces, key objects, pool of cipher contexts.
 *
 * The only file that calls libcrypto. gcm.h explains the use of CTR and GHASH
 * and how an open message is saved; the algebra is here.
 *
 * A call into libcrypto fails only if memory is exhausted or the library is
 * broken. Both abort the process, like a failed allocation in GLib: continuing
 * would risk sending plaintext.
 */
#include "gcm.h"
#include "secret.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "hw/net/mlx5/prm.h"

#define BLOCK   MLX5_GCM_BLOCK
#define NONCE   MLX5_GCM_NONCE

/* ---- GF(2^128) as GCM orders its bits ------------------------------------ */

/* Coefficient of x^0 is the top bit of hi, of x^127 the bottom bit of lo. */
typedef struct Gf {
    uint64_t hi, lo;
} Gf;

static Gf gf_load(const uint8_t b[BLOCK])
{
    return (Gf) { mlx5_ld64(b), mlx5_ld64(b + 8) };
}

static void gf_store(uint8_t b[BLOCK], Gf v)
{
    mlx5_st64(b, v.hi);
    mlx5_st64(b + 8, v.lo);
}

static Gf gf_add(Gf a, Gf b)
{
    return (Gf) { a.hi ^ b.hi, a.lo ^ b.lo };
}

/*
 * Constant time: the operands are secret, so no branch or table index depends
 * on them.
 */
static Gf gf_mul(Gf a, Gf b)
{
    Gf z = { 0, 0 };

    for (int i = 0; i < 128; i++) {
        uint64_t take = -(a.hi >> 63);
        uint64_t carry = -(b.lo & 1);

        z.hi ^= b.hi & take;
        z.lo ^= b.lo & take;
        b.lo = b.lo >> 1 | b.hi << 63;
        b.hi = (b.hi >> 1) ^ (carry & 0xe1ull << 56);
        a.hi = a.hi << 1 | a.lo >> 63;
        a.lo <<= 1;
    }
    return z;
}

/* a^(2^128 - 2) = a^-1 */
static Gf gf_invert(Gf a)
{
    Gf square = gf_mul(a, a), z = square;

    for (int i = 2; i < 128; i++) {
        square = gf_mul(square, square);
        z = gf_mul(z, square);
    }
    return z;
}

/* GCM's last block: the lengths of associated data and ciphertext in bits. */
static Gf gf_lengths(uint64_t aad_bytes, uint64_t text_bytes)
{
    return (Gf) { aad_bytes * 8, text_bytes * 8 };
}

/* a * x^n, n from 1 to 57 */
static Gf gf_shift(Gf a, unsigned n)
{
    uint64_t out = a.lo << (64 - n);

    a.lo = a.lo >> n | a.hi << (64 - n);
    /* x^128 = 1 + x + x^2 + x^7 */
    a.hi = a.hi >> n ^ out ^ out >> 1 ^ out >> 2 ^ out >> 7;
    return a;
}

/*
 * gf_mul() for lengths, which are not secret and have few bits, at the end of
 * each half: without a common power of x, this is a product with two short
 * polynomials.
 */
static Gf gf_mul_lengths(Gf lengths, Gf b)
{
    Gf hi = { 0, 0 }, lo = { 0, 0 };
    int bits = MAX(64 - __builtin_clzll(lengths.hi | lengths.lo | 1), 7);

    for (int i = 0; i < bits; i++) {
        hi = gf_shift(hi, 1);
        lo = gf_shift(lo, 1);
        if (lengths.hi >> i & 1) {
            hi = gf_add(hi, b);
        }
        if (lengths.lo >> i & 1) {
            lo = gf_add(lo, b);
        }
    }
    hi = gf_add(hi, gf_shift(gf_shift(lo, 32), 32));
    return bits < 64 ? gf_shift(hi, 64 - bits) : hi;
}

/* ---- types --------------------------------------------------------------- */

struct Mlx5TlsKey {
    gatomicrefcount refs;
    uint64_t serial;
    uint8_t len;
    bool derived;           /* h and mask are valid */
    bool inverted;          /* h_inv is valid */
    uint8_t raw[32];
    Gf h;                   /* E(K, 0): the GHASH key */
    Gf h_inv;
    Gf mask;        /* E(K, 0^96 || 1): masks the slots' GHASH results */
    GQueue slots;   /* of Mlx5GcmSlot, by_key: set up with this key, free
                     * ones first */
};

/* CTR for encryption and decryption, GCM without text for GHASH. */
struct Mlx5GcmSlot {
    Mlx5GcmPool *pool;
    EVP_CIPHER_CTX *ctr;
    EVP_CIPHER_CTX *ghash;
    Mlx5TlsKey *key;        /* no reference; NULL: not set up */
    void *owner;            /* owner of the message in ghash; NULL: free */
    Mlx5GcmEvict *evict;
    uint64_t fed;           /* bytes given to ghash since its IV was set */
    bool ctr_valid;         /* ctr is at byte ctr_pos under ctr_nonce */
    uint32_t ctr_pos;
    uint8_t ctr_nonce[NONCE];
    GList by_use;           /* in pool->slots, most recently used first */
    GList by_key;           /* in key->slots */
};

struct Mlx5GcmPool {
    EVP_CIPHER *ctr[2];     /* AES-128, AES-256 */
    EVP_CIPHER *gcm[2];
    GQueue slots;
    unsigned max_slots;
    Mlx5GcmStats stats;
};

static void must(int ok, const char *what)
{
    if (ok != 1) {
        char msg[256];

        ERR_error_string_n(ERR_get_error(), msg, sizeof(msg));
        g_error("libcrypto: %s failed: %s", what, msg);
    }
}

/* ---- keys ---------------------------------------------------------------- */

size_t mlx5_tls_key_size(void)
{
    return sizeof(Mlx5TlsKey);
}

Mlx5TlsKey *mlx5_tls_key_new(const uint8_t *raw, size_t len)
{
    static uint64_t serial;
    Mlx5TlsKey *key;

    if (len != 16 && len != 32) {
        return NULL;
    }
    key = g_new0(Mlx5TlsKey, 1);
    g_atomic_ref_count_init(&key->refs);
    g_queue_init(&key->slots);
    key->serial = __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED);
    key->len = len;
    memcpy(key->raw, raw, len);
    return key;
}

Mlx5TlsKey *mlx5_tls_key_ref(Mlx5TlsKey *key)
{
    if (key) {
        g_atomic_ref_count_inc(&key->refs);
    }
    return key;
}

unsigned mlx5_tls_key_bits(const Mlx5TlsKey *key)
{
    return key->len * 8;
}

uint64_t mlx5_tls_key_serial(const Mlx5TlsKey *key)
{
    return key->serial;
}

/* Removes the key from a free slot; libcrypto zeroes its copies. */
static void slot_unkey(Mlx5GcmSlot *slot)
{
    if (slot->key) {
        g_queue_unlink(&slot->key->slots, &slot->by_key);
        slot->key = NULL;
        slot->ctr_valid = false;
        mlx5_secret_erase(slot->ctr_nonce, sizeof(slot->ctr_nonce));
        EVP_CIPHER_CTX_reset(slot->ctr);
        EVP_CIPHER_CTX_reset(slot->ghash);
    }
}

void mlx5_tls_key_unref(Mlx5TlsKey *key)
{
    if (key && g_atomic_ref_count_dec(&key->refs)) {
        /* owners hold references, so none of these slots has an owner */
        while (key->slots.head) {
            slot_unkey(key->slots.head->data);
        }
        mlx5_secret_free(key, sizeof(*key));
    }
}

static Gf key_h_inv(Mlx5TlsKey *key)
{
    if (!key->inverted) {
        key->h_inv = gf_invert(key->h);
        key->inverted = true;
    }
    return key->h_inv;
}

/* ---- CTR of a slot ------------------------------------------------------- */

/* Sets the CTR context to an explicit counter block. */
static void ctr_set(Mlx5GcmSlot *slot, const uint8_t block[BLOCK])
{
    must(EVP_EncryptInit_ex2(slot->ctr, NULL, NULL, block, NULL),
         "AES-CTR set IV");
    slot->ctr_valid = false;
}

static void ctr_xor(Mlx5GcmSlot *slot, uint8_t *dst, const uint8_t *src,
                    size_t len)
{
    int out;

    must(EVP_EncryptUpdate(slot->ctr, dst, &out, src, len), "AES-CTR");
    slot->ctr_pos += len;
}

/* Records that the CTR context is at byte @pos of the text under @nonce. */
static void ctr_at(Mlx5GcmSlot *slot, const uint8_t nonce[NONCE], uint32_t pos)
{
    memcpy(slot->ctr_nonce, nonce, NONCE);
    slot->ctr_pos = pos;
    slot->ctr_valid = true;
}

/* Moves the CTR context to a byte of the text; no cost if already there. */
static void ctr_seek(Mlx5GcmSlot *slot, const uint8_t nonce[NONCE],
                     uint32_t pos)
{
    static const uint8_t zero[BLOCK];
    uint8_t block[BLOCK];

    if (slot->ctr_valid && slot->ctr_pos == pos &&
        memcmp(slot->ctr_nonce, nonce, NONCE) == 0) {
        return;
    }
    memcpy(block, nonce, NONCE);
    mlx5_st32(block + NONCE, 2 + pos / BLOCK);
    ctr_set(slot, block);
    if (pos % BLOCK) {
        ctr_xor(slot, block, zero, pos % BLOCK);
    }
    ctr_at(slot, nonce, pos);
    mlx5_secret_erase(block, sizeof(block));
}

/* Computes E(K, block), the key stream block of a counter block. */
static void ctr_block(Mlx5GcmSlot *slot, const uint8_t block[BLOCK],
                      uint8_t out[BLOCK])
{
    static const uint8_t zero[BLOCK];

    ctr_set(slot, block);
    ctr_xor(slot, out, zero, BLOCK);
}

void mlx5_gcm_crypt(Mlx5GcmSlot *slot, const uint8_t nonce[NONCE], uint32_t pos,
                    uint8_t *dst, const uint8_t *src, size_t len)
{
    ctr_seek(slot, nonce, pos);
    ctr_xor(slot, dst, src, len);
}

/* ---- GHASH of a slot ----------------------------------------------------- */

static void ghash_begin(Mlx5GcmSlot *slot)
{
    static const uint8_t zero_iv[NONCE];

    must(EVP_EncryptInit_ex2(slot->ghash, NULL, NULL, zero_iv, NULL),
         "AES-GCM set IV");
    slot->fed = 0;
}

void mlx5_gcm_hash(Mlx5GcmSlot *slot, const uint8_t *src, size_t len)
{
    int out;

    must(EVP_EncryptUpdate(slot->ghash, NULL, &out, src, len), "AES-GCM hash");
    slot->fed += len;
}

/*
 * Ends the hash and returns t = (Y ^ lengths(fed, 0)) * H, where Y is the
 * accumulator after the last block was padded with zeros and multiplied. The
 * context needs ghash_begin() before its next use.
 */
static Gf ghash_finish(Mlx5GcmSlot *slot)
{
    uint8_t tag[BLOCK];
    int out;
    Gf t;

    must(EVP_EncryptFinal_ex(slot->ghash, tag, &out), "AES-GCM finish");
    must(EVP_CIPHER_CTX_ctrl(slot->ghash, EVP_CTRL_AEAD_GET_TAG, BLOCK, tag),
         "AES-GCM get tag");
    t = gf_add(gf_load(tag), slot->key->mask);
    mlx5_secret_erase(tag, sizeof(tag));
    return t;
}

/* ---- slots --------------------------------------------------------------- */

void mlx5_gcm_touch(Mlx5GcmSlot *slot)
{
    GQueue *q = &slot->pool->slots;

    if (q->head != &slot->by_use) {
        g_queue_unlink(q, &slot->by_use);
        g_queue_push_head_link(q, &slot->by_use);
    }
}

static Mlx5GcmSlot *slot_new(Mlx5GcmPool *pool)
{
    Mlx5GcmSlot *slot = g_new0(Mlx5GcmSlot, 1);

    slot->pool = pool;
    slot->ctr = EVP_CIPHER_CTX_new();
    slot->ghash = EVP_CIPHER_CTX_new();
    must(slot->ctr && slot->ghash, "new cipher context");
    slot->by_use.data = slot;
    slot->by_key.data = slot;
    g_queue_push_head_link(&pool->slots, &slot->by_use);
    pool->stats.slots++;
    return slot;
}

static void slot_set_key(Mlx5GcmSlot *slot, Mlx5TlsKey *key)
{
    Mlx5GcmPool *pool = slot->pool;
    int i = key->len == 32;

    slot_unkey(slot);
    must(EVP_EncryptInit_ex2(slot->ctr, pool->ctr[i], key->raw, NULL, NULL),
         "AES-CTR set key");
    must(EVP_EncryptInit_ex2(slot->ghash, pool->gcm[i], key->raw, NULL, NULL),
         "AES-GCM set key");
    slot->key = key;
    g_queue_push_head_link(&key->slots, &slot->by_key);
    pool->stats.rekeys++;

    if (!key->derived) {
        uint8_t block[BLOCK] = { 0 }, out[BLOCK];

        ctr_block(slot, block, out);
        key->h = gf_load(out);
        block[BLOCK - 1] = 1;
        ctr_block(slot, block, out);
        key->mask = gf_load(out);
        key->derived = true;
        mlx5_secret_erase(out, sizeof(out));
    }
}

/*
 * Returns a free slot set up with key, evicting the least recently used one if
 * necessary.
 */
static Mlx5GcmSlot *slot_find(Mlx5GcmPool *pool, Mlx5TlsKey *key)
{
    Mlx5GcmSlot *slot;

    for (GList *l = key->slots.head; l; l = l->next) {
        slot = l->data;
        if (slot->owner) {
            break;
        }
        if (slot->pool == pool) {
            pool->stats.hits++;
            mlx5_gcm_touch(slot);
            return slot;
        }
    }
    if (pool->stats.slots < pool->max_slots) {
        slot = slot_new(pool);
    } else {
        slot = pool->slots.tail->data;
        if (slot->owner) {
            slot->evict(slot->owner);
        }
        mlx5_gcm_touch(slot);
    }
    slot_set_key(slot, key);
    return slot;
}

Mlx5GcmSlot *mlx5_gcm_take(Mlx5GcmPool *pool, Mlx5TlsKey *key,
                           Mlx5GcmEvict *evict, void *owner)
{
    Mlx5GcmSlot *slot = slot_find(pool, key);

    slot->owner = owner;
    slot->evict = evict;
    pool->stats.attached++;
    g_queue_unlink(&key->slots, &slot->by_key);
    g_queue_push_tail_link(&key->slots, &slot->by_key);
    return slot;
}

/* The slot stays set up with its key. */
void mlx5_gcm_release(Mlx5GcmSlot *slot)
{
    GQueue *q = &slot->key->slots;

    slot->owner = NULL;
    slot->pool->stats.attached--;
    g_queue_unlink(q, &slot->by_key);
    g_queue_push_head_link(q, &slot->by_key);
}

/* ---- messages ------------------------------------------------------------ */

void mlx5_gcm_begin(Mlx5GcmSlot *slot, const uint8_t nonce[NONCE],
                    const uint8_t aad[BLOCK], uint8_t mask[BLOCK])
{
    uint8_t block[BLOCK];

    ghash_begin(slot);
    memcpy(block, nonce, NONCE);
    mlx5_st32(block + NONCE, 1);
    ctr_block(slot, block, mask);
    /* that was the block before the text's first */
    ctr_at(slot, nonce, 0);
    mlx5_gcm_hash(slot, aad, BLOCK);
    mlx5_secret_erase(block, sizeof(block));
}

void mlx5_gcm_resume(Mlx5GcmSlot *slot, const uint8_t ghash[BLOCK],
                     uint32_t done)
{
    static const uint8_t zero[BLOCK];
    uint8_t block[BLOCK];

    ghash_begin(slot);
    gf_store(block, gf_mul(gf_load(ghash), key_h_inv(slot->key)));
    mlx5_gcm_hash(slot, block, BLOCK);
    mlx5_gcm_hash(slot, zero, done % BLOCK);
    mlx5_secret_erase(block, sizeof(block));
    slot->pool->stats.resumes++;
}

void mlx5_gcm_save(Mlx5GcmSlot *slot, uint8_t ghash[BLOCK])
{
    Gf h_inv = key_h_inv(slot->key);
    Gf y = gf_mul(ghash_finish(slot), h_inv);

    y = gf_add(y, gf_lengths(slot->fed, 0));
    if (slot->fed % BLOCK) {
        y = gf_mul(y, h_inv);
    }
    gf_store(ghash, y);
    slot->pool->stats.saves++;
}

void mlx5_gcm_tag(Mlx5GcmSlot *slot, size_t aad_len, size_t text_len,
                  uint8_t mask[BLOCK])
{
    Gf t = ghash_finish(slot);
    /* the context hashed its own lengths: replace them with the message's */
    Gf l = gf_add(gf_lengths(slot->fed, 0), gf_lengths(aad_len, text_len));

    t = gf_add(t, gf_mul_lengths(l, slot->key->h));
    gf_store(mask, gf_add(t, gf_load(mask)));
}

void mlx5_gcm_spans_apply(Mlx5GcmPool *pool, Mlx5TlsKey *key, uint8_t *buf,
                          const GArray *spans)
{
    Mlx5GcmSlot *slot = NULL;

    if (spans->len == 0) {
        return;
    }
    /* CTR does not affect GHASH, so a slot in use will do as well */
    for (GList *l = key->slots.head; l && !slot; l = l->next) {
        if (((Mlx5GcmSlot *)l->data)->pool == pool) {
            slot = l->data;
        }
    }
    if (!slot) {
        slot = slot_find(pool, key);
    }
    for (guint i = 0; i < spans->len; i++) {
        const Mlx5GcmSpan *span = &g_array_index(spans, Mlx5GcmSpan, i);
        uint8_t *p = buf + span->offset;

        mlx5_gcm_crypt(slot, span->nonce, span->pos, p, p, span->len);
    }
}

/* ---- the pool ------------------------------------------------------------ */

Mlx5GcmPool *mlx5_gcm_pool_new(unsigned slots, char **errmsg)
{
    static const char *const ctr[2] = { "AES-128-CTR", "AES-256-CTR" };
    static const char *const gcm[2] = { "AES-128-GCM", "AES-256-GCM" };
    Mlx5GcmPool *pool = g_new0(Mlx5GcmPool, 1);

    pool->max_slots = MAX(slots, 1);
    g_queue_init(&pool->slots);
    for (int i = 0; i < 2; i++) {
        pool->ctr[i] = EVP_CIPHER_fetch(NULL, ctr[i], NULL);
        pool->gcm[i] = EVP_CIPHER_fetch(NULL, gcm[i], NULL);
        if (!pool->ctr[i] || !pool->gcm[i]) {
            *errmsg = g_strdup_printf("this libcrypto offers no %s: TLS "
                                      "offload needs it",
                                      pool->ctr[i] ? gcm[i] : ctr[i]);
            ERR_clear_error();
            mlx5_gcm_pool_free(pool);
            return NULL;
        }
    }
    return pool;
}

void mlx5_gcm_pool_free(Mlx5GcmPool *pool)
{
    if (!pool) {
        return;
    }
    while (pool->slots.head) {
        Mlx5GcmSlot *slot = pool->slots.head->data;

        if (slot->owner) {
            slot->evict(slot->owner);
        }
        slot_unkey(slot);
        g_queue_unlink(&pool->slots, &slot->by_use);
        EVP_CIPHER_CTX_free(slot->ctr);
        EVP_CIPHER_CTX_free(slot->ghash);
        mlx5_secret_free(slot, sizeof(*slot));
    }
    for (int i = 0; i < 2; i++) {
        EVP_CIPHER_free(pool->ctr[i]);
        EVP_CIPHER_free(pool->gcm[i]);
    }
    g_free(pool);
}

const Mlx5GcmStats *mlx5_gcm_pool_stats(const Mlx5GcmPool *pool)
{
    return &pool->stats;
}

/* ---- libcrypto's own AES-GCM --------------------------------------------- */

struct Mlx5GcmWhole {
    Mlx5GcmPool *pool;
    EVP_CIPHER_CTX *ctx;
    Mlx5TlsKey *key;
    bool encrypt;
};

Mlx5GcmWhole *mlx5_gcm_whole_new(Mlx5GcmPool *pool)
{
    Mlx5GcmWhole *whole = g_new0(Mlx5GcmWhole, 1);

    whole->pool = pool;
    whole->ctx = EVP_CIPHER_CTX_new();
    must(whole->ctx != NULL, "new cipher context");
    return whole;
}

void mlx5_gcm_whole_free(Mlx5GcmWhole *whole)
{
    if (whole) {
        EVP_CIPHER_CTX_free(whole->ctx);
        mlx5_tls_key_unref(whole->key);
        mlx5_secret_free(whole, sizeof(*whole));
    }
}

void mlx5_gcm_whole_begin(Mlx5GcmWhole *whole, Mlx5TlsKey *key, bool encrypt,
                          const uint8_t nonce[NONCE], const uint8_t *aad,
                          size_t aad_len)
{
    EVP_CIPHER_CTX *ctx = whole->ctx;
    int out;

    if (whole->key != key) {
        must(EVP_CipherInit_ex2(ctx, whole->pool->gcm[key->len == 32], key->raw,
                                NULL, encrypt, NULL), "AES-GCM set key");
        mlx5_tls_key_ref(key);
        mlx5_tls_key_unref(whole->key);
        whole->key = key;
    }
    whole->encrypt = encrypt;
    must(EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, encrypt, NULL),
         "AES-GCM set IV");
    must(EVP_CipherUpdate(ctx, NULL, &out, aad, aad_len),
         "AES-GCM associated data");
}

void mlx5_gcm_whole_text(Mlx5GcmWhole *whole, uint8_t *dst, const uint8_t *src,
                         size_t len)
{
    int out;

    must(EVP_CipherUpdate(whole->ctx, dst, &out, src, len), "AES-GCM text");
}

bool mlx5_gcm_whole_end(Mlx5GcmWhole *whole, uint8_t tag[BLOCK])
{
    EVP_CIPHER_CTX *ctx = whole->ctx;
    uint8_t none[BLOCK];
    int out;

    if (whole->encrypt) {
        must(EVP_CipherFinal_ex(ctx, none, &out), "AES-GCM end");
        must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, BLOCK, tag),
             "AES-GCM get tag");
        return true;
    }
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, BLOCK, tag),
         "AES-GCM set tag");
    return EVP_CipherFinal_ex(ctx, none, &out) == 1;
}
