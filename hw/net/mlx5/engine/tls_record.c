/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Incremental AES-GCM over TLS records, key objects, pool of cipher contexts.
 *
 * The only file of the engine that calls libcrypto. See tls_record.h for the way CTR
 * and GHASH are used and how an open record is saved; the algebra of that is here.
 *
 * A call into libcrypto fails only when memory is exhausted or the library is broken.
 * Both end the process, as an allocation that fails in GLib does: there is no way to go
 * on that would not risk sending plaintext.
 */
#include "secret.h"
#include "tls_record.h"

#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define BLOCK   16
/* Runs of ciphertext in a packet of 10 KB, the longest that a device has. */
#define SPANS   512
/* Ciphertext is produced and hashed in pieces that stay in the first level cache. */
#define CHUNK   8192

/* ---- GF(2^128) as GCM orders its bits ---------------------------------------- */

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

/* No branch and no table index depends on the operands: they are secret. */
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

/* ---- types ------------------------------------------------------------------- */

struct Mlx5TlsKey {
    gatomicrefcount refs;
    uint64_t serial;
    uint8_t len;
    bool derived;           /* h and mask are valid */
    bool inverted;          /* h_inv is valid */
    uint8_t raw[32];
    Gf h;                   /* E(K, 0): the GHASH key */
    Gf h_inv;
    Gf mask;                /* E(K, 0^96 || 1): what hides the slots' GHASH results */
    GQueue slots;           /* of Mlx5TlsSlot, by_key: set up with it, free ones first */
};

/* Cipher contexts of one key: CTR to en- and decrypt, GCM without text for GHASH. */
struct Mlx5TlsSlot {
    Mlx5TlsEngine *engine;
    EVP_CIPHER_CTX *ctr;
    EVP_CIPHER_CTX *ghash;
    Mlx5TlsKey *key;        /* no reference; NULL: not set up */
    Mlx5TlsRecord *owner;   /* record whose GHASH is in ghash; NULL: free */
    uint64_t fed;           /* bytes given to ghash since its IV was set */
    bool ctr_valid;         /* ctr stands at payload byte ctr_pos under ctr_nonce */
    uint32_t ctr_pos;
    uint8_t ctr_nonce[MLX5_TLS_IV_LEN];
    GList by_use;           /* in engine->slots, most recently used first */
    GList by_key;           /* in key->slots */
};

struct Mlx5TlsEngine {
    Mlx5TlsKnobs knobs;
    Mlx5TlsRecordLogFn *log_fn;
    void *log_opaque;
    GArray *spans;
    GArray *events;
    EVP_CIPHER *ctr[2];     /* AES-128, AES-256 */
    EVP_CIPHER *gcm[2];
    GQueue slots;
    unsigned max_slots;
    Mlx5TlsEngineStats stats;
    uint64_t rows[2][MLX5_TLS_MAX_ROW + 1];     /* by Mlx5TlsDir */
};

static void must(int ok, const char *what)
{
    if (ok != 1) {
        char msg[256];

        ERR_error_string_n(ERR_get_error(), msg, sizeof(msg));
        g_error("libcrypto: %s failed: %s", what, msg);
    }
}

/* ---- keys -------------------------------------------------------------------- */

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

size_t mlx5_tls_key_len(const Mlx5TlsKey *key)
{
    return key->len;
}

uint64_t mlx5_tls_key_serial(const Mlx5TlsKey *key)
{
    return key->serial;
}

/* Take the key out of a slot that no record owns; libcrypto zeroises its copies. */
static void slot_unkey(Mlx5TlsSlot *slot)
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
        /* open records hold references, so none of these slots has an owner */
        while (key->slots.head) {
            slot_unkey(key->slots.head->data);
        }
        mlx5_secret_free(key, sizeof(*key));
    }
}

/* ---- GHASH and CTR of a slot ------------------------------------------------- */

/* Set the CTR context to an explicit counter block. */
static void ctr_set(Mlx5TlsSlot *slot, const uint8_t block[BLOCK])
{
    must(EVP_EncryptInit_ex2(slot->ctr, NULL, NULL, block, NULL), "AES-CTR set IV");
    slot->ctr_valid = false;
}

static void ctr_xor(Mlx5TlsSlot *slot, uint8_t *dst, const uint8_t *src, size_t len)
{
    int out;

    must(EVP_EncryptUpdate(slot->ctr, dst, &out, src, len), "AES-CTR");
    slot->ctr_pos += len;
}

/* Bring the CTR context to a byte of the payload; free if it stands there already. */
static void ctr_seek(Mlx5TlsSlot *slot, const uint8_t nonce[MLX5_TLS_IV_LEN],
                     uint32_t pos)
{
    static const uint8_t zero[BLOCK];
    uint8_t block[BLOCK];

    if (slot->ctr_valid && slot->ctr_pos == pos &&
        memcmp(slot->ctr_nonce, nonce, MLX5_TLS_IV_LEN) == 0) {
        return;
    }
    memcpy(block, nonce, MLX5_TLS_IV_LEN);
    mlx5_st32(block + MLX5_TLS_IV_LEN, 2 + pos / BLOCK);
    ctr_set(slot, block);
    slot->ctr_pos = pos / BLOCK * BLOCK;
    if (pos % BLOCK) {
        ctr_xor(slot, block, zero, pos % BLOCK);
    }
    memcpy(slot->ctr_nonce, nonce, MLX5_TLS_IV_LEN);
    slot->ctr_valid = true;
    mlx5_secret_erase(block, sizeof(block));
}

/* E(K, block): the first key stream block that belongs to a counter block. */
static void ctr_block(Mlx5TlsSlot *slot, const uint8_t block[BLOCK], uint8_t out[BLOCK])
{
    static const uint8_t zero[BLOCK];

    ctr_set(slot, block);
    ctr_xor(slot, out, zero, BLOCK);
}

static void ghash_begin(Mlx5TlsSlot *slot)
{
    static const uint8_t zero_iv[MLX5_TLS_IV_LEN];

    must(EVP_EncryptInit_ex2(slot->ghash, NULL, NULL, zero_iv, NULL), "AES-GCM set IV");
    slot->fed = 0;
}

static void ghash_feed(Mlx5TlsSlot *slot, const uint8_t *data, size_t len)
{
    int out;

    must(EVP_EncryptUpdate(slot->ghash, NULL, &out, data, len), "AES-GCM hash");
    slot->fed += len;
}

/*
 * End the hash and return t = (Y ^ lengths(fed, 0)) * H, Y being the accumulator after
 * the last block was filled up with zeros and multiplied. The context needs
 * ghash_begin() before it can be used again.
 */
static Gf ghash_finish(Mlx5TlsSlot *slot)
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

static Gf key_h_inv(Mlx5TlsKey *key)
{
    if (!key->inverted) {
        key->h_inv = gf_invert(key->h);
        key->inverted = true;
    }
    return key->h_inv;
}

/* ---- slots ------------------------------------------------------------------- */

static void slot_touch(Mlx5TlsSlot *slot)
{
    GQueue *q = &slot->engine->slots;

    if (q->head != &slot->by_use) {
        g_queue_unlink(q, &slot->by_use);
        g_queue_push_head_link(q, &slot->by_use);
    }
}

static Mlx5TlsSlot *slot_new(Mlx5TlsEngine *engine)
{
    Mlx5TlsSlot *slot = g_new0(Mlx5TlsSlot, 1);

    slot->engine = engine;
    slot->ctr = EVP_CIPHER_CTX_new();
    slot->ghash = EVP_CIPHER_CTX_new();
    must(slot->ctr && slot->ghash, "new cipher context");
    slot->by_use.data = slot;
    slot->by_key.data = slot;
    g_queue_push_head_link(&engine->slots, &slot->by_use);
    engine->stats.slots++;
    return slot;
}

static void slot_set_key(Mlx5TlsSlot *slot, Mlx5TlsKey *key)
{
    int i = key->len == 32;

    slot_unkey(slot);
    must(EVP_EncryptInit_ex2(slot->ctr, slot->engine->ctr[i], key->raw, NULL, NULL),
         "AES-CTR set key");
    must(EVP_EncryptInit_ex2(slot->ghash, slot->engine->gcm[i], key->raw, NULL, NULL),
         "AES-GCM set key");
    slot->key = key;
    g_queue_push_head_link(&key->slots, &slot->by_key);
    slot->engine->stats.rekeys++;

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

static void slot_give(Mlx5TlsSlot *slot, Mlx5TlsRecord *rec)
{
    slot->owner = rec;
    rec->slot = slot;
    slot->engine->stats.attached++;
    g_queue_unlink(&slot->key->slots, &slot->by_key);
    g_queue_push_tail_link(&slot->key->slots, &slot->by_key);
}

/* The owner no longer needs the slot; it stays set up with its key. */
static void slot_release(Mlx5TlsSlot *slot)
{
    slot->owner->slot = NULL;
    slot->owner = NULL;
    slot->engine->stats.attached--;
    g_queue_unlink(&slot->key->slots, &slot->by_key);
    g_queue_push_head_link(&slot->key->slots, &slot->by_key);
}

static void record_detach(Mlx5TlsRecord *rec);

/* A slot set up with key that no record owns, at the cost of the least recent one. */
static Mlx5TlsSlot *slot_take(Mlx5TlsEngine *engine, Mlx5TlsKey *key)
{
    Mlx5TlsSlot *slot;

    for (GList *l = key->slots.head; l; l = l->next) {
        slot = l->data;
        if (slot->owner) {
            break;
        }
        if (slot->engine == engine) {
            engine->stats.hits++;
            slot_touch(slot);
            return slot;
        }
    }
    if (engine->stats.slots < engine->max_slots) {
        slot = slot_new(engine);
    } else {
        slot = engine->slots.tail->data;
        if (slot->owner) {
            record_detach(slot->owner);
        }
        slot_touch(slot);
    }
    slot_set_key(slot, key);
    return slot;
}

/* ---- engine ------------------------------------------------------------------ */

Mlx5TlsEngine *mlx5_tls_engine_new(unsigned slots, char **errmsg)
{
    static const char *const ctr[2] = { "AES-128-CTR", "AES-256-CTR" };
    static const char *const gcm[2] = { "AES-128-GCM", "AES-256-GCM" };
    Mlx5TlsEngine *engine = g_new0(Mlx5TlsEngine, 1);

    mlx5_tls_knobs_init(&engine->knobs);
    engine->max_slots = MAX(slots, 1);
    /* it must not move while there are nonces in it */
    engine->spans = g_array_sized_new(FALSE, FALSE, sizeof(Mlx5TlsSpan), SPANS);
    engine->events = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    g_queue_init(&engine->slots);
    for (int i = 0; i < 2; i++) {
        engine->ctr[i] = EVP_CIPHER_fetch(NULL, ctr[i], NULL);
        engine->gcm[i] = EVP_CIPHER_fetch(NULL, gcm[i], NULL);
        if (!engine->ctr[i] || !engine->gcm[i]) {
            *errmsg = g_strdup_printf("this libcrypto offers no %s: TLS offload needs it",
                                      engine->ctr[i] ? gcm[i] : ctr[i]);
            ERR_clear_error();
            mlx5_tls_engine_free(engine);
            return NULL;
        }
    }
    return engine;
}

void mlx5_tls_engine_free(Mlx5TlsEngine *engine)
{
    if (!engine) {
        return;
    }
    while (engine->slots.head) {
        Mlx5TlsSlot *slot = engine->slots.head->data;

        if (slot->owner) {
            slot_release(slot);
        }
        slot_unkey(slot);
        g_queue_unlink(&engine->slots, &slot->by_use);
        EVP_CIPHER_CTX_free(slot->ctr);
        EVP_CIPHER_CTX_free(slot->ghash);
        mlx5_secret_free(slot, sizeof(*slot));
    }
    for (int i = 0; i < 2; i++) {
        EVP_CIPHER_free(engine->ctr[i]);
        EVP_CIPHER_free(engine->gcm[i]);
    }
    g_array_free(engine->spans, TRUE);
    g_array_free(engine->events, TRUE);
    g_free(engine);
}

Mlx5TlsKnobs *mlx5_tls_engine_knobs(Mlx5TlsEngine *engine)
{
    return &engine->knobs;
}

void mlx5_tls_engine_set_record_log(Mlx5TlsEngine *engine, Mlx5TlsRecordLogFn *fn,
                                    void *opaque)
{
    engine->log_fn = fn;
    engine->log_opaque = opaque;
}

void mlx5_tls_engine_get_stats(const Mlx5TlsEngine *engine, Mlx5TlsEngineStats *stats)
{
    *stats = engine->stats;
}

uint64_t mlx5_tls_engine_row_hits(const Mlx5TlsEngine *engine, Mlx5TlsDir dir, unsigned row)
{
    return row >= 1 && row <= MLX5_TLS_MAX_ROW ? engine->rows[dir][row] : 0;
}

void mlx5_tls_engine_count_row(Mlx5TlsEngine *engine, Mlx5TlsDir dir, unsigned row)
{
    engine->rows[dir][row]++;
}

GArray *mlx5_tls_engine_spans(Mlx5TlsEngine *engine)
{
    return engine->spans;
}

GArray *mlx5_tls_engine_events(Mlx5TlsEngine *engine)
{
    return engine->events;
}

bool mlx5_tls_engine_logging(const Mlx5TlsEngine *engine)
{
    return engine->log_fn != NULL;
}

void mlx5_tls_engine_flush_events(Mlx5TlsEngine *engine)
{
    for (guint i = 0; i < engine->events->len; i++) {
        engine->log_fn(engine->log_opaque,
                       &g_array_index(engine->events, Mlx5TlsRecordEvent, i));
    }
    g_array_set_size(engine->events, 0);
}

/* ---- headers ----------------------------------------------------------------- */

Mlx5TlsHeader mlx5_tls_header_check(uint8_t tls_version, const uint8_t *hdr, size_t n)
{
    bool v13 = tls_version == MLX5_TLS_VERSION_1_3;
    uint32_t min = v13 ? 1 + MLX5_TLS_TAG_LEN : MLX5_TLS_NONCE_LEN + MLX5_TLS_TAG_LEN;
    uint32_t max = min + MLX5_TLS_MAX_PLAIN;

    if ((n > 0 && (hdr[0] < (v13 ? 23 : 20) || hdr[0] > 23)) ||
        (n > 1 && hdr[1] != 3) || (n > 2 && hdr[2] != 3) ||
        (n > 3 && hdr[3] > max >> 8)) {
        return MLX5_TLS_HEADER_BAD;
    }
    if (n < MLX5_TLS_HDR_LEN) {
        return MLX5_TLS_HEADER_PARTIAL;
    }
    return mlx5_tls_header_body(hdr) >= min && mlx5_tls_header_body(hdr) <= max ?
           MLX5_TLS_HEADER_OK : MLX5_TLS_HEADER_BAD;
}

/* ---- crypto parameters ------------------------------------------------------- */

void mlx5_tls_crypto_set(Mlx5TlsCrypto *c, const Mlx5TlsStaticParams *p,
                         Mlx5TlsKey *key)
{
    mlx5_tls_key_ref(key);
    mlx5_tls_crypto_clear(c);
    c->key = key;
    c->tls_version = p->tls_version;
    mlx5_st32(c->iv, p->gcm_iv);
    mlx5_st64(c->iv + 4, p->implicit_iv);
}

void mlx5_tls_crypto_clear(Mlx5TlsCrypto *c)
{
    mlx5_tls_key_unref(c->key);
    mlx5_secret_erase(c, sizeof(*c));
}

/* ---- records ----------------------------------------------------------------- */

/* Where things are, counted from the byte after the header. */
static uint32_t payload_start(const Mlx5TlsRecordState *s)
{
    return s->tls_version == MLX5_TLS_VERSION_1_3 ? 0 : MLX5_TLS_NONCE_LEN;
}

static uint32_t tag_start(const Mlx5TlsRecordState *s)
{
    return s->len - MLX5_TLS_TAG_LEN;
}

/* The additional authenticated data, filled up to a block. Returns its length. */
static size_t record_aad(const Mlx5TlsRecordState *s, uint8_t aad[BLOCK])
{
    memset(aad, 0, BLOCK);
    if (s->tls_version == MLX5_TLS_VERSION_1_3) {
        memcpy(aad, s->hdr, MLX5_TLS_HDR_LEN);
        return MLX5_TLS_HDR_LEN;
    }
    mlx5_st64(aad, s->number);
    memcpy(aad + 8, s->hdr, 3);
    aad[11] = (tag_start(s) - payload_start(s)) >> 8;
    aad[12] = tag_start(s) - payload_start(s);
    return 13;
}

/* Give the record a slot that stands at its position in the payload. */
static Mlx5TlsSlot *record_attach(Mlx5TlsRecord *rec)
{
    Mlx5TlsRecordState *s = &rec->s;
    uint32_t done = s->pos - payload_start(s);
    Mlx5TlsSlot *slot = rec->slot;
    uint8_t block[BLOCK];

    if (slot) {
        slot_touch(slot);
        return slot;
    }
    slot = slot_take(rec->engine, rec->key);
    slot_give(slot, rec);
    ghash_begin(slot);
    if (done == 0) {
        memcpy(block, s->nonce, MLX5_TLS_IV_LEN);
        mlx5_st32(block + MLX5_TLS_IV_LEN, 1);
        ctr_block(slot, block, s->tag);
        /* the CTR context now stands at the payload's first byte */
        memcpy(slot->ctr_nonce, s->nonce, MLX5_TLS_IV_LEN);
        slot->ctr_pos = 0;
        slot->ctr_valid = true;
        record_aad(s, block);
        ghash_feed(slot, block, BLOCK);
    } else {
        static const uint8_t zero[BLOCK];

        gf_store(block, gf_mul(gf_load(s->ghash), key_h_inv(rec->key)));
        ghash_feed(slot, block, BLOCK);
        ghash_feed(slot, zero, done % BLOCK);
        rec->engine->stats.resumes++;
    }
    mlx5_secret_erase(block, sizeof(block));
    return slot;
}

/* Take the slot away; what it knows goes to the record's state. */
static void record_detach(Mlx5TlsRecord *rec)
{
    Mlx5TlsSlot *slot = rec->slot;

    if (rec->s.pos > payload_start(&rec->s)) {
        Gf h_inv = key_h_inv(slot->key);
        Gf y = gf_mul(ghash_finish(slot), h_inv);

        y = gf_add(y, gf_lengths(slot->fed, 0));
        if (slot->fed % BLOCK) {
            y = gf_mul(y, h_inv);
        }
        gf_store(rec->s.ghash, y);
    }
    rec->engine->stats.saves++;
    slot_release(slot);
}

/* The last payload byte was hashed: compute the tag and let go of the slot. */
static void record_finish_tag(Mlx5TlsRecord *rec)
{
    Mlx5TlsSlot *slot = rec->slot;
    Mlx5TlsRecordState *s = &rec->s;
    uint8_t aad[BLOCK];
    size_t aad_len = record_aad(s, aad);
    Gf t = ghash_finish(slot);
    /* the context hashed its own idea of the lengths: exchange it for the record's */
    Gf l = gf_add(gf_lengths(slot->fed, 0),
                  gf_lengths(aad_len, tag_start(s) - payload_start(s)));

    t = gf_add(t, gf_mul(l, slot->key->h));
    gf_store(s->tag, gf_add(t, gf_load(s->tag)));
    slot_release(slot);
}

void mlx5_tls_record_open(Mlx5TlsRecord *rec, Mlx5TlsEngine *engine,
                          const Mlx5TlsCrypto *c, uint64_t number,
                          const uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    Mlx5TlsRecordState *s = &rec->s;

    memset(rec, 0, sizeof(*rec));
    rec->engine = engine;
    rec->key = mlx5_tls_key_ref(c->key);
    s->tls_version = c->tls_version;
    s->number = number;
    s->len = mlx5_tls_header_body(hdr);
    memcpy(s->hdr, hdr, MLX5_TLS_HDR_LEN);
    memcpy(s->nonce, c->iv, MLX5_TLS_IV_LEN);
    if (c->tls_version == MLX5_TLS_VERSION_1_3) {
        mlx5_st64(s->nonce + 4, mlx5_ld64(s->nonce + 4) ^ number);
    }
}

void mlx5_tls_record_close(Mlx5TlsRecord *rec)
{
    if (rec->slot) {
        slot_release(rec->slot);
    }
    mlx5_tls_key_unref(rec->key);
    mlx5_secret_erase(rec, sizeof(*rec));
}

/* Explicit nonce bytes, the same in both directions. Returns how many were taken. */
static size_t record_nonce(Mlx5TlsRecord *rec, const uint8_t *src, size_t len)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t n = 0;

    if (s->pos < payload_start(s)) {
        n = MIN(len, payload_start(s) - s->pos);
        memcpy(s->nonce + 4 + s->pos, src, n);
        s->pos += n;
        if (s->pos == tag_start(s)) {
            /* an empty record: there is no payload byte to wait for */
            record_attach(rec);
            record_finish_tag(rec);
        }
    }
    return n;
}

size_t mlx5_tls_record_encrypt(Mlx5TlsRecord *rec, uint8_t *dst, const uint8_t *src,
                               size_t len)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t done = record_nonce(rec, src, len);
    uint8_t scratch[CHUNK];

    if (dst && dst != src) {
        memcpy(dst, src, done);
    }
    while (done < len && s->pos < tag_start(s)) {
        size_t n = MIN(MIN(len - done, tag_start(s) - s->pos), CHUNK);
        uint8_t *out = dst ? dst + done : scratch;
        Mlx5TlsSlot *slot = record_attach(rec);

        ctr_seek(slot, s->nonce, s->pos - payload_start(s));
        ctr_xor(slot, out, src + done, n);
        ghash_feed(slot, out, n);
        s->pos += n;
        done += n;
        if (s->pos == tag_start(s)) {
            record_finish_tag(rec);
        }
    }
    if (done < len && s->pos < s->len) {
        size_t n = MIN(len - done, s->len - s->pos);

        if (dst) {
            memcpy(dst + done, s->tag + (s->pos - tag_start(s)), n);
        }
        s->pos += n;
        done += n;
    }
    return done;
}

size_t mlx5_tls_record_hash(Mlx5TlsRecord *rec, const uint8_t *src, size_t len,
                            GArray *spans, uint32_t base)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t done = record_nonce(rec, src, len);

    if (done < len && s->pos < tag_start(s)) {
        size_t n = MIN(len - done, tag_start(s) - s->pos);

        if (spans) {
            Mlx5TlsSpan span = {
                .offset = base + done,
                .len = n,
                .payload_pos = s->pos - payload_start(s),
            };

            memcpy(span.nonce, s->nonce, MLX5_TLS_IV_LEN);
            g_array_append_val(spans, span);
        }
        ghash_feed(record_attach(rec), src + done, n);
        s->pos += n;
        done += n;
        if (s->pos == tag_start(s)) {
            record_finish_tag(rec);
        }
    }
    while (done < len && s->pos < s->len) {
        s->tag_diff |= src[done] ^ s->tag[s->pos - tag_start(s)];
        s->pos++;
        done++;
    }
    return done;
}

bool mlx5_tls_record_tag_ok(const Mlx5TlsRecord *rec)
{
    return rec->s.tag_diff == 0;
}

void mlx5_tls_spans_apply(Mlx5TlsEngine *engine, Mlx5TlsKey *key, uint8_t *buf,
                          const GArray *spans)
{
    Mlx5TlsSlot *slot = NULL;

    if (spans->len == 0) {
        return;
    }
    /* CTR does not touch the GHASH context, so a slot that is in use serves as well */
    for (GList *l = key->slots.head; l && !slot; l = l->next) {
        if (((Mlx5TlsSlot *)l->data)->engine == engine) {
            slot = l->data;
        }
    }
    if (!slot) {
        slot = slot_take(engine, key);
    }
    for (guint i = 0; i < spans->len; i++) {
        const Mlx5TlsSpan *span = &g_array_index(spans, Mlx5TlsSpan, i);

        ctr_seek(slot, span->nonce, span->payload_pos);
        ctr_xor(slot, buf + span->offset, buf + span->offset, span->len);
    }
}

void mlx5_tls_record_save(Mlx5TlsRecord *rec, Mlx5TlsRecordState *out)
{
    if (rec->slot) {
        record_detach(rec);
    }
    *out = rec->s;
}

bool mlx5_tls_record_restore(Mlx5TlsRecord *rec, Mlx5TlsEngine *engine, Mlx5TlsKey *key,
                             const Mlx5TlsRecordState *in)
{
    if ((in->tls_version != MLX5_TLS_VERSION_1_2 &&
         in->tls_version != MLX5_TLS_VERSION_1_3) ||
        mlx5_tls_header_check(in->tls_version, in->hdr, MLX5_TLS_HDR_LEN) !=
        MLX5_TLS_HEADER_OK ||
        in->len != mlx5_tls_header_body(in->hdr) || in->pos > in->len) {
        return false;
    }
    memset(rec, 0, sizeof(*rec));
    rec->engine = engine;
    rec->key = mlx5_tls_key_ref(key);
    rec->s = *in;
    return true;
}

/* ---- libcrypto's own AES-GCM ------------------------------------------------- */

struct Mlx5TlsGcm {
    Mlx5TlsEngine *engine;
    EVP_CIPHER_CTX *ctx;
    Mlx5TlsKey *key;
    bool encrypt;
};

Mlx5TlsGcm *mlx5_tls_gcm_new(Mlx5TlsEngine *engine)
{
    Mlx5TlsGcm *gcm = g_new0(Mlx5TlsGcm, 1);

    gcm->engine = engine;
    gcm->ctx = EVP_CIPHER_CTX_new();
    must(gcm->ctx != NULL, "new cipher context");
    return gcm;
}

void mlx5_tls_gcm_free(Mlx5TlsGcm *gcm)
{
    if (gcm) {
        EVP_CIPHER_CTX_free(gcm->ctx);
        mlx5_tls_key_unref(gcm->key);
        mlx5_secret_free(gcm, sizeof(*gcm));
    }
}

void mlx5_tls_gcm_begin(Mlx5TlsGcm *gcm, Mlx5TlsKey *key, bool encrypt,
                        const uint8_t nonce[MLX5_TLS_IV_LEN], const uint8_t *aad,
                        size_t aad_len)
{
    int out;

    if (gcm->key != key) {
        must(EVP_CipherInit_ex2(gcm->ctx, gcm->engine->gcm[key->len == 32], key->raw, NULL,
                                encrypt, NULL), "AES-GCM set key");
        mlx5_tls_key_ref(key);
        mlx5_tls_key_unref(gcm->key);
        gcm->key = key;
    }
    gcm->encrypt = encrypt;
    must(EVP_CipherInit_ex2(gcm->ctx, NULL, NULL, nonce, encrypt, NULL), "AES-GCM set IV");
    must(EVP_CipherUpdate(gcm->ctx, NULL, &out, aad, aad_len), "AES-GCM associated data");
}

void mlx5_tls_gcm_text(Mlx5TlsGcm *gcm, uint8_t *dst, const uint8_t *src, size_t len)
{
    int out;

    must(EVP_CipherUpdate(gcm->ctx, dst, &out, src, len), "AES-GCM text");
}

bool mlx5_tls_gcm_end(Mlx5TlsGcm *gcm, uint8_t tag[MLX5_TLS_TAG_LEN])
{
    uint8_t none[BLOCK];
    int out;

    if (gcm->encrypt) {
        must(EVP_CipherFinal_ex(gcm->ctx, none, &out), "AES-GCM end");
        must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, BLOCK, tag),
             "AES-GCM get tag");
        return true;
    }
    must(EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, BLOCK, tag),
         "AES-GCM set tag");
    return EVP_CipherFinal_ex(gcm->ctx, none, &out) == 1;
}
