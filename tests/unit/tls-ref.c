/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious reference for the TLS tests. See tls-ref.h.
 */
#define _GNU_SOURCE     /* memmem */
#include "tls-ref.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>

void ref_keys_random(RefKeys *k, GRand *rand, bool v13, size_t key_len)
{
    memset(k, 0, sizeof(*k));
    k->v13 = v13;
    k->key_len = key_len;
    ref_rand_bytes(rand, k->key, key_len);
    ref_rand_bytes(rand, k->iv, v13 ? 12 : 4);
}

size_t ref_overhead(const RefKeys *k)
{
    return k->v13 ? 5 + 16 : 5 + 8 + 16;
}

static void put_be(uint8_t *p, uint64_t v, int bytes)
{
    while (bytes--) {
        p[bytes] = v;
        v >>= 8;
    }
}

/* Nonce and AAD of a record, RFC 5288 section 3 and RFC 8446 section 5.3. */
static int nonce_and_aad(const RefKeys *k, uint64_t number,
                         const uint8_t hdr[5], const uint8_t *explicit_nonce,
                         size_t text_len, uint8_t nonce[12], uint8_t aad[13])
{
    uint8_t be[8];

    put_be(be, number, 8);
    memcpy(nonce, k->iv, 12);
    if (k->v13) {
        for (int i = 0; i < 8; i++) {
            nonce[4 + i] ^= be[i];
        }
        memcpy(aad, hdr, 5);
        return 5;
    }
    memcpy(nonce + 4, explicit_nonce, 8);
    memcpy(aad, be, 8);
    memcpy(aad + 8, hdr, 3);
    put_be(aad + 11, text_len, 2);
    return 13;
}

static const EVP_CIPHER *gcm(const RefKeys *k)
{
    return k->key_len == 16 ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
}

void ref_seal(const RefKeys *k, uint64_t number, uint8_t type,
              const uint8_t explicit_nonce[8], const uint8_t *text, size_t len,
              GByteArray *wire)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t hdr[5] = { type, 3, 3 }, nonce[12], aad[13], tag[16];
    guint start;
    int n, aad_len;

    put_be(hdr + 3, len + ref_overhead(k) - 5, 2);
    aad_len = nonce_and_aad(k, number, hdr, explicit_nonce, len, nonce, aad);
    g_byte_array_append(wire, hdr, 5);
    if (!k->v13) {
        g_byte_array_append(wire, explicit_nonce, 8);
    }
    start = wire->len;
    g_byte_array_append(wire, text, len);

    g_assert_true(EVP_EncryptInit_ex(ctx, gcm(k), NULL, k->key, nonce));
    g_assert_true(EVP_EncryptUpdate(ctx, NULL, &n, aad, aad_len));
    g_assert_true(EVP_EncryptUpdate(ctx, wire->data + start, &n, text, len));
    g_assert_true(EVP_EncryptFinal_ex(ctx, tag, &n));
    g_assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, tag));
    g_byte_array_append(wire, tag, 16);
    EVP_CIPHER_CTX_free(ctx);
}

int ref_open(const RefKeys *k, uint64_t number, const uint8_t *wire,
             uint8_t *text)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int body = wire[3] << 8 | wire[4];
    int len = body + 5 - (int)ref_overhead(k);
    const uint8_t *ct = wire + (k->v13 ? 5 : 13);
    uint8_t nonce[12], aad[13], tag[16];
    int n, aad_len, ok;

    g_assert_cmpint(len, >=, 0);
    aad_len = nonce_and_aad(k, number, wire, wire + 5, len, nonce, aad);
    memcpy(tag, ct + len, 16);
    g_assert_true(EVP_DecryptInit_ex(ctx, gcm(k), NULL, k->key, nonce));
    g_assert_true(EVP_DecryptUpdate(ctx, NULL, &n, aad, aad_len));
    g_assert_true(EVP_DecryptUpdate(ctx, text, &n, ct, len));
    g_assert_true(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag));
    ok = EVP_DecryptFinal_ex(ctx, text + len, &n);
    EVP_CIPHER_CTX_free(ctx);
    return ok == 1 ? len : -1;
}

void ref_open_prefix(const RefKeys *k, uint64_t number, const uint8_t *wire,
                     uint8_t *text, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12], aad[13];
    int n;

    /* the AAD is irrelevant without verification */
    nonce_and_aad(k, number, wire, wire + 5, 0, nonce, aad);
    g_assert_true(EVP_DecryptInit_ex(ctx, gcm(k), NULL, k->key, nonce));
    g_assert_true(
        EVP_DecryptUpdate(ctx, text, &n, wire + (k->v13 ? 5 : 13), len));
    EVP_CIPHER_CTX_free(ctx);
}

RefStream *ref_stream_new(const RefKeys *k, uint64_t first_number)
{
    RefStream *st = g_new0(RefStream, 1);

    st->keys = *k;
    st->first_number = first_number;
    st->wire = g_byte_array_new();
    st->clear = g_byte_array_new();
    st->tx = g_byte_array_new();
    st->recs = g_array_new(FALSE, FALSE, sizeof(RefRecord));
    return st;
}

void ref_stream_take(RefStream *st, GRand *rand, const uint8_t *wire)
{
    RefRecord r = {
        .off = st->wire->len,
        .len = 5 + (wire[3] << 8 | wire[4]),
        .number = st->first_number + st->recs->len,
        .type = wire[0],
    };
    g_autofree uint8_t *text = g_malloc(r.len);
    int len = ref_open(&st->keys, r.number, wire, text);

    g_assert_cmpint(len, >=, 0);
    r.text_off = r.off + (st->keys.v13 ? 5 : 13);
    r.text_len = len;
    g_byte_array_append(st->wire, wire, r.len);
    g_byte_array_append(st->clear, wire, r.len);
    memcpy(st->clear->data + r.text_off, text, len);
    g_byte_array_append(st->tx, st->clear->data + r.off, r.len);
    ref_rand_bytes(rand, st->tx->data + st->tx->len - 16, 16);
    g_array_append_val(st->recs, r);
}

void ref_stream_add(RefStream *st, GRand *rand, uint8_t type, size_t len)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autofree uint8_t *text = g_malloc(len + 1);
    uint8_t nonce[8];

    do {
        g_byte_array_set_size(wire, 0);
        ref_rand_bytes(rand, nonce, 8);
        ref_rand_bytes(rand, text, len);
        ref_seal(&st->keys, st->first_number + st->recs->len, type, nonce, text,
                 len, wire);
    } while (st->quiet && memmem(wire->data + 5, wire->len - 5, "\3\3", 2));
    ref_stream_take(st, rand, wire->data);
}

void ref_stream_free(RefStream *st)
{
    g_byte_array_unref(st->wire);
    g_byte_array_unref(st->clear);
    g_byte_array_unref(st->tx);
    g_array_unref(st->recs);
    g_free(st);
}

const RefRecord *ref_rec(const RefStream *st, unsigned i)
{
    g_assert_cmpuint(i, <, st->recs->len);
    return &g_array_index(st->recs, RefRecord, i);
}

void ref_static_image(uint8_t image[64], const RefKeys *k,
                      uint64_t initial_record_number, uint32_t resync_tcp_sn)
{
    memset(image, 0, 64);
    put_be(image, k->v13 ? 0x8d000001 : 0x89000001, 4);
    put_be(image + 0x08, initial_record_number, 8);
    put_be(image + 0x10, resync_tcp_sn, 4);
    memcpy(image + 0x14, k->iv, k->v13 ? 12 : 4);
    put_be(image + 0x20, 0x123456, 4);
}

void ref_progress_image(uint8_t image[12], uint32_t next_record_tcp_sn)
{
    memset(image, 0, 12);
    put_be(image, next_record_tcp_sn, 4);
}

Mlx5TlsKey *ref_engine_key(const RefKeys *k)
{
    return mlx5_tls_key_new(k->key, k->key_len);
}

Mlx5GcmPool *ref_pool_new(unsigned slots)
{
    char *err = NULL;
    Mlx5GcmPool *pool = mlx5_gcm_pool_new(slots, &err);

    g_assert_cmpstr(err, ==, NULL);
    g_assert_nonnull(pool);
    return pool;
}

Mlx5TlsEngine *ref_engine_new(unsigned slots)
{
    char *err = NULL;
    Mlx5TlsEngine *engine = mlx5_tls_engine_new(slots, &err);

    g_assert_cmpstr(err, ==, NULL);
    g_assert_nonnull(engine);
    return engine;
}

/* ---- rows ---------------------------------------------------------------- */

static uint64_t row_hits[2][MLX5_TLS_MAX_ROW + 1];

void ref_engine_free(Mlx5TlsEngine *engine)
{
    for (unsigned row = 1; row <= MLX5_TLS_MAX_ROW; row++) {
        row_hits[MLX5_TLS_DIR_TX][row] +=
            mlx5_tls_engine_row_hits(engine, MLX5_TLS_DIR_TX, row);
        row_hits[MLX5_TLS_DIR_RX][row] +=
            mlx5_tls_engine_row_hits(engine, MLX5_TLS_DIR_RX, row);
    }
    mlx5_tls_engine_free(engine);
}

typedef struct RowTest {
    const char *path;
    void (*func)(void);
} RowTest;

static void row_test_run(gconstpointer data)
{
    const RowTest *t = data;
    g_auto(GStrv) words = g_strsplit_set(t->path, "/-", -1);

    memset(row_hits, 0, sizeof(row_hits));
    t->func();
    for (char **word = words; *word; word++) {
        bool tx = g_str_has_prefix(*word, "TX");
        guint64 row;

        if (!tx && **word != 'R') {
            continue;
        }
        if (g_ascii_string_to_unsigned(*word + (tx ? 2 : 1), 10, 1,
                                       MLX5_TLS_MAX_ROW, &row, NULL) &&
            row_hits[tx ? MLX5_TLS_DIR_TX : MLX5_TLS_DIR_RX][row] == 0) {
            g_error("%s: row %s was not taken in it", t->path, *word);
        }
    }
}

void ref_test_add(const char *path, void (*func)(void))
{
    RowTest *t = g_new(RowTest, 1);

    t->path = path;
    t->func = func;
    g_test_add_data_func_full(path, t, row_test_run, g_free);
}

/* ---- comparing and drawing ----------------------------------------------- */

void ref_assert_equal(const uint8_t *got, const uint8_t *want, size_t len,
                      const char *what)
{
    for (size_t i = 0; i < len; i++) {
        if (got[i] != want[i]) {
            g_error("%s: byte %zu of %zu is %02x, expected %02x", what, i, len,
                    got[i], want[i]);
        }
    }
}

uint64_t ref_env(const char *name, uint64_t dflt)
{
    const char *s = g_getenv(name);
    guint64 v;

    if (!s) {
        return dflt;
    }
    if (!g_ascii_string_to_unsigned(s, 10, 0, G_MAXUINT64, &v, NULL)) {
        g_error("%s=%s: expected a decimal number", name, s);
    }
    return v;
}

GRand *ref_rand_new(uint32_t *seed)
{
    uint32_t s = ref_env("MLX5_TEST_SEED", g_get_real_time() & 0x7fffffff);

    g_test_message("MLX5_TEST_SEED=%u", s);
    if (seed) {
        *seed = s;
    }
    return g_rand_new_with_seed(s);
}

void ref_rand_bytes(GRand *rand, uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buf[i] = g_rand_int(rand) >> 24;
    }
}

uint32_t ref_rand_range(GRand *rand, uint32_t lo, uint32_t hi)
{
    return lo + g_rand_int(rand) % (hi - lo + 1);
}
