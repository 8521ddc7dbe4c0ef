/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the incremental record crypto: published vectors, every cut of a
 * record, save and resume at every byte, the pool of cipher contexts, damaged
 * records.
 */
#include <glib.h>
#include <string.h>
#include <openssl/evp.h>

#include "heap.h"
#include "tls-ref.h"

typedef struct Config {
    bool v13;
    size_t key_len;
    const char *name;
} Config;

static const Config configs[] = {
    { false, 16, "1.2/128" },
    { false, 32, "1.2/256" },
    { true, 16, "1.3/128" },
    { true, 32, "1.3/256" },
};

#define FOR_CONFIGS(c) \
    for (const Config *c = configs; c < configs + G_N_ELEMENTS(configs); c++)

static GRand *rng;
static GArray *spans;    /* of Mlx5GcmSpan, empty between the tests */

/* A single record and what is needed to process it. */
typedef struct One {
    RefStream *st;
    Mlx5GcmPool *pool;
    Mlx5TlsKey *key;
    Mlx5TlsCrypto crypto;
    uint64_t number;
    /* behind the header */
    const uint8_t *wire, *clear, *tx;
    size_t len;
} One;

static void one_init(One *o, const Config *c, size_t text, uint64_t number,
                     unsigned slots)
{
    Mlx5TlsStaticParams p;
    uint8_t image[64];
    RefKeys k;

    ref_keys_random(&k, rng, c->v13, c->key_len);
    o->number = number;
    o->st = ref_stream_new(&k, number);
    ref_stream_add(o->st, rng, 23, text);
    o->pool = ref_pool_new(slots);
    o->key = ref_engine_key(&k);
    ref_static_image(image, &k, number, 0);
    mlx5_tls_static_params_decode(&p, image);
    memset(&o->crypto, 0, sizeof(o->crypto));
    mlx5_tls_crypto_set(&o->crypto, &p, o->key);
    o->wire = o->st->wire->data + 5;
    o->clear = o->st->clear->data + 5;
    o->tx = o->st->tx->data + 5;
    o->len = o->st->wire->len - 5;
}

static void one_clear(One *o)
{
    mlx5_tls_crypto_clear(&o->crypto);
    mlx5_tls_key_unref(o->key);
    mlx5_gcm_pool_free(o->pool);
    ref_stream_free(o->st);
}

static void one_open(const One *o, Mlx5TlsRecord *rec)
{
    mlx5_tls_record_open(rec, o->pool, &o->crypto, o->number,
                         o->st->wire->data);
}

/* Encrypt or decrypt in pieces that end at cuts[]; check all output. */
static void run_pieces(const One *o, bool encrypt, const size_t *cuts,
                       size_t n_cuts)
{
    g_autofree uint8_t *buf = g_memdup2(encrypt ? o->tx : o->wire, o->len);
    Mlx5TlsRecord rec = { 0 };
    size_t off = 0;

    one_open(o, &rec);
    for (size_t i = 0; i <= n_cuts; i++) {
        size_t end = i < n_cuts ? cuts[i] : o->len;
        size_t n;

        if (encrypt) {
            n = mlx5_tls_record_encrypt(&rec, buf + off, buf + off, end - off);
        } else {
            n = mlx5_tls_record_hash(&rec, buf + off, end - off, spans, off);
        }
        g_assert_cmpuint(n, ==, end - off);
        g_assert_cmpuint(mlx5_tls_record_left(&rec), ==, o->len - end);
        off = end;
    }
    if (encrypt) {
        ref_assert_equal(buf, o->wire, o->len, "encrypted");
    } else {
        ref_assert_equal(buf, o->wire, o->len, "hashed only");
        g_assert_true(mlx5_tls_record_tag_ok(&rec));
        mlx5_gcm_spans_apply(o->pool, o->key, buf, spans);
        ref_assert_equal(buf, o->clear, o->len, "decrypted");
        g_array_set_size(spans, 0);
    }
    /* a record takes nothing past its end */
    g_assert_cmpuint(mlx5_tls_record_encrypt(&rec, NULL, buf, 0), ==, 0);
    g_assert_cmpuint(mlx5_tls_record_hash(&rec, buf, o->len, spans, 0), ==, 0);
    mlx5_tls_record_close(&rec);
    g_assert_false(mlx5_tls_record_is_open(&rec));
}

/* ---- vectors ------------------------------------------------------------- */

/* RFC 8448, section 3: application data, TLS_AES_128_GCM_SHA256. */
static const struct {
    const char *key, *iv, *record;
    uint64_t number;
} rfc8448[] = {
    { "1742 2dda 596e d5d9 acd8 90e3 c63f 5051",
      "5b78 923d ee08 5790 33e5 23d9",
      "1703 0300 43a2 3f70 54b6 2c94 d0af fafe "
      "8228 ba55 cbef acea 42f9 14aa 66bc ab3f"
      "2b98 19a8 a5b4 6b39 5bd5 4a9a 2044 1e2b "
      "6297 4e1f 5a62 92a2 9770 14bd 1e3d eae6"
      "3aee bb21 6949 15e4",
      0 },
    { "9f02 283b 6c9c 07ef c26b b9f2 ac92 e356",
      "cf78 2b88 dd83 549a adf1 e984",
      "1703 0300 432e 937e 11ef 4ac7 40e5 38ad "
      "3600 5fc4 a469 32fc 3225 d05f 82aa 1b36"
      "e30e faf9 7d90 e6df fc60 2dcb 501a 59a8 "
      "fcc4 9c4b f2e5 f0a2 1c00 47c2 abf3 3254"
      "0dd0 32e1 67c2 955d",
      1 },
};

static size_t unhex(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (; *hex; hex++) {
        if (*hex != ' ') {
            out[n / 2] = out[n / 2] << 4 | g_ascii_xdigit_value(*hex);
            n++;
        }
    }
    return n / 2;
}

static void test_rfc8448(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rfc8448); i++) {
        uint8_t wire[128] = { 0 }, text[128], buf[128], keyb[16] = { 0 },
                iv[12] = { 0 };
        Mlx5GcmPool *pool = ref_pool_new(1);
        Mlx5TlsCrypto crypto = { .tls_version = MLX5_TLS_VERSION_1_3 };
        size_t len = unhex(rfc8448[i].record, wire);
        Mlx5TlsRecord rec = { 0 };

        g_assert_cmpuint(len, ==, 72);
        g_assert_cmpuint(unhex(rfc8448[i].key, keyb), ==, 16);
        g_assert_cmpuint(unhex(rfc8448[i].iv, iv), ==, 12);
        crypto.key = mlx5_tls_key_new(keyb, 16);
        memcpy(crypto.iv, iv, 12);
        for (size_t k = 0; k < 50; k++) {
            text[k] = k;            /* 00 01 .. 31 */
        }
        text[50] = 23;              /* inner content type */

        memcpy(buf, text, 51);
        memset(buf + 51, 0x5a, 16);
        mlx5_tls_record_open(&rec, pool, &crypto, rfc8448[i].number, wire);
        g_assert_cmpuint(mlx5_tls_record_encrypt(&rec, buf, buf, 67), ==, 67);
        g_assert_cmpmem(buf, 67, wire + 5, 67);
        mlx5_tls_record_close(&rec);

        mlx5_tls_record_open(&rec, pool, &crypto, rfc8448[i].number, wire);
        g_assert_cmpuint(mlx5_tls_record_hash(&rec, wire + 5, 67, spans, 5), ==,
                         67);
        g_assert_true(mlx5_tls_record_tag_ok(&rec));
        mlx5_gcm_spans_apply(pool, crypto.key, wire, spans);
        g_array_set_size(spans, 0);
        g_assert_cmpmem(wire + 5, 51, text, 51);
        mlx5_tls_record_close(&rec);
        mlx5_tls_crypto_clear(&crypto);
        mlx5_gcm_pool_free(pool);
    }
}

/* ---- headers ------------------------------------------------------------- */

static void test_headers(void)
{
    for (unsigned v = 2; v <= 3; v++) {
        unsigned min = v == 2 ? 24 : 17;

        for (unsigned type = 0; type < 256; type++) {
            uint8_t h[5] = { type, 3, 3, 0, 100 };
            bool ok = v == 2 ? type >= 20 && type <= 23 : type == 23;

            for (size_t n = 1; n < 5; n++) {
                g_assert_cmpint(mlx5_tls_header_check(v, h, n), ==,
                                ok ? MLX5_TLS_HEADER_PARTIAL :
                                     MLX5_TLS_HEADER_BAD);
            }
            g_assert_cmpint(mlx5_tls_header_check(v, h, 5), ==,
                            ok ? MLX5_TLS_HEADER_OK : MLX5_TLS_HEADER_BAD);
        }
        for (unsigned b = 0; b < 256; b++) {
            uint8_t major[5] = { 23, b, 3, 0, 100 },
                    minor[5] = { 23, 3, b, 0, 100 };

            g_assert_cmpint(mlx5_tls_header_check(v, major, 2) ==
                                MLX5_TLS_HEADER_BAD,
                            ==, b != 3);
            g_assert_cmpint(mlx5_tls_header_check(v, minor, 3) ==
                                MLX5_TLS_HEADER_BAD,
                            ==, b != 3);
        }
        for (unsigned len = 0; len < 65536; len++) {
            uint8_t h[5] = { 23, 3, 3, len >> 8, len };
            bool ok = len >= min && len <= min + 16384;

            g_assert_cmpuint(mlx5_tls_header_body(h), ==, len);
            g_assert_cmpint(mlx5_tls_header_check(v, h, 5), ==,
                            ok ? MLX5_TLS_HEADER_OK : MLX5_TLS_HEADER_BAD);
            /* a prefix is bad only if no header with it is good */
            g_assert_cmpint(mlx5_tls_header_check(v, h, 4), ==,
                            len >> 8 <= (min + 16384) >> 8 ?
                                MLX5_TLS_HEADER_PARTIAL :
                                MLX5_TLS_HEADER_BAD);
        }
        g_assert_cmpint(mlx5_tls_header_check(v, NULL, 0), ==,
                        MLX5_TLS_HEADER_PARTIAL);
    }
}

/* ---- cuts ---------------------------------------------------------------- */

static const size_t small_sizes[] = { 0, 1, 2, 15, 16, 17, 31, 32, 33, 47, 64 };

static void test_cuts_small(void)
{
    FOR_CONFIGS(c) {
        for (size_t i = c->v13 ? 1 : 0; i < G_N_ELEMENTS(small_sizes); i++) {
            One o;

            one_init(&o, c, small_sizes[i], 7 + i, 4);
            for (size_t a = 0; a <= o.len; a++) {
                for (size_t b = a; b <= o.len; b++) {
                    size_t cuts[2] = { a, b };

                    run_pieces(&o, true, cuts, 2);
                    run_pieces(&o, false, cuts, 2);
                }
            }
            one_clear(&o);
        }
    }
}

static void test_cuts_full(void)
{
    FOR_CONFIGS(c) {
        size_t step = c == configs ? 1 : 61;
        One o;

        one_init(&o, c, 16384, 1, 4);
        for (size_t a = 0; a <= o.len; a += step) {
            run_pieces(&o, true, &a, 1);
            run_pieces(&o, false, &a, 1);
        }
        one_clear(&o);
    }
}

static void test_byte_by_byte(void)
{
    FOR_CONFIGS(c) {
        g_autofree size_t *cuts = NULL;
        One o;

        one_init(&o, c, 1500, UINT64_MAX, 4);
        cuts = g_new(size_t, o.len);
        for (size_t i = 0; i < o.len; i++) {
            cuts[i] = i;
        }
        run_pieces(&o, true, cuts, o.len);
        run_pieces(&o, false, cuts, o.len);
        one_clear(&o);
    }
}

static void test_destinations(void)
{
    FOR_CONFIGS(c) {
        g_autofree uint8_t *dst = NULL;
        Mlx5TlsRecord rec = { 0 };
        One o;

        one_init(&o, c, 5000, 3, 4);
        dst = g_malloc0(o.len);
        for (size_t cut = 0; cut < o.len; cut += 13) {
            /*
             * the first part discarded, as by DUMP; the second to another
             * buffer
             */
            memset(dst, 0, o.len);
            one_open(&o, &rec);
            g_assert_cmpuint(mlx5_tls_record_encrypt(&rec, NULL, o.tx, cut), ==,
                             cut);
            g_assert_cmpuint(mlx5_tls_record_encrypt(&rec, dst + cut,
                                                     o.tx + cut, o.len + 100),
                             ==, o.len - cut);
            mlx5_tls_record_close(&rec);
            ref_assert_equal(dst + cut, o.wire + cut, o.len - cut,
                             "src to dst");
            for (size_t i = 0; i < cut; i++) {
                g_assert_cmpuint(dst[i], ==, 0);
            }
        }
        one_clear(&o);
    }
}

/*
 * Skip decryption of some pieces: the spans of the others still decrypt right.
 */
static void test_holes_in_decryption(void)
{
    FOR_CONFIGS(c) {
        g_autofree uint8_t *buf = NULL;
        Mlx5TlsRecord rec = { 0 };
        One o;

        one_init(&o, c, 4000, 3, 4);
        buf = g_memdup2(o.wire, o.len);
        one_open(&o, &rec);
        for (size_t off = 0, i = 0; off < o.len; off += 97, i++) {
            mlx5_tls_record_hash(&rec, buf + off, MIN(97, o.len - off),
                                 i % 3 ? spans : NULL, off);
        }
        g_assert_true(mlx5_tls_record_tag_ok(&rec));
        mlx5_tls_record_close(&rec);
        mlx5_gcm_spans_apply(o.pool, o.key, buf, spans);
        for (size_t off = 0, i = 0; off < o.len; off += 97, i++) {
            ref_assert_equal(buf + off, (i % 3 ? o.clear : o.wire) + off,
                             MIN(97, o.len - off), "piece");
        }
        g_array_set_size(spans, 0);
        one_clear(&o);
    }
}

/* ---- damaged records ----------------------------------------------------- */

static bool hash_all(const One *o, const uint8_t *wire, size_t cut)
{
    Mlx5TlsRecord rec = { 0 };
    bool ok;

    one_open(o, &rec);
    g_assert_cmpuint(mlx5_tls_record_hash(&rec, wire, cut, NULL, 0), ==, cut);
    g_assert_cmpuint(
        mlx5_tls_record_hash(&rec, wire + cut, o->len - cut, NULL, 0), ==,
        o->len - cut);
    ok = mlx5_tls_record_tag_ok(&rec);
    mlx5_tls_record_close(&rec);
    return ok;
}

static void test_every_bit_counts(void)
{
    FOR_CONFIGS(c) {
        g_autofree uint8_t *bad = NULL;
        One o;

        one_init(&o, c, 50, 3, 4);
        bad = g_memdup2(o.wire, o.len);
        for (size_t bit = 0; bit < o.len * 8; bit++) {
            bad[bit / 8] ^= 1 << bit % 8;
            g_assert_false(hash_all(&o, bad, bit % o.len));
            bad[bit / 8] ^= 1 << bit % 8;
        }
        g_assert_true(hash_all(&o, bad, 20));
        /* another record number, another type, another length */
        for (unsigned bit = 0; bit < 64; bit++) {
            o.number ^= 1ull << bit;
            g_assert_false(hash_all(&o, bad, 20));
            o.number ^= 1ull << bit;
        }
        if (!c->v13) {
            o.st->wire->data[0] = 22;
            g_assert_false(hash_all(&o, bad, 20));
        }
        one_clear(&o);
    }
}

/* ---- save and resume ----------------------------------------------------- */

/*
 * Process pos bytes, keep only a copy of the state's bytes, go on with new
 * objects.
 */
static void resume_at(const One *o, bool encrypt, size_t pos)
{
    g_autofree uint8_t *buf = g_memdup2(encrypt ? o->tx : o->wire, o->len);
    Mlx5GcmPool *pool = ref_pool_new(1);
    Mlx5TlsKey *key = ref_engine_key(&o->st->keys);
    Mlx5TlsRecordState state;
    Mlx5TlsRecord rec = { 0 };
    uint8_t image[sizeof(state)];
    size_t n;

    one_open(o, &rec);
    if (encrypt) {
        n = mlx5_tls_record_encrypt(&rec, buf, buf, pos);
    } else {
        n = mlx5_tls_record_hash(&rec, buf, pos, NULL, 0);
    }
    g_assert_cmpuint(n, ==, pos);
    mlx5_tls_record_save(&rec, &state);
    memcpy(image, &state, sizeof(state));
    mlx5_tls_record_close(&rec);

    memcpy(&state, image, sizeof(state));
    g_assert_true(mlx5_tls_record_restore(&rec, pool, key, &state));
    mlx5_tls_key_unref(key);        /* the record holds one */
    if (encrypt) {
        n = mlx5_tls_record_encrypt(&rec, buf + pos, buf + pos, o->len - pos);
        ref_assert_equal(buf, o->wire, o->len, "encrypted, resumed");
    } else {
        n = mlx5_tls_record_hash(&rec, buf + pos, o->len - pos, spans, pos);
        g_assert_true(mlx5_tls_record_tag_ok(&rec));
        mlx5_gcm_spans_apply(pool, rec.key, buf, spans);
        g_array_set_size(spans, 0);
        ref_assert_equal(buf + pos, o->clear + pos, o->len - pos,
                         "decrypted, resumed");
    }
    g_assert_cmpuint(n, ==, o->len - pos);
    mlx5_tls_record_close(&rec);
    mlx5_gcm_pool_free(pool);
}

static void test_resume_every_byte(void)
{
    FOR_CONFIGS(c) {
        for (size_t i = c->v13 ? 1 : 0; i < G_N_ELEMENTS(small_sizes); i++) {
            One o;

            one_init(&o, c, small_sizes[i], 1000 + i, 4);
            for (size_t pos = 0; pos <= o.len; pos++) {
                resume_at(&o, true, pos);
                resume_at(&o, false, pos);
            }
            one_clear(&o);
        }
    }
}

static void test_resume_full_record(void)
{
    FOR_CONFIGS(c) {
        size_t step = c == configs ? 1 : 127;
        One o;

        one_init(&o, c, 16384, 5, 4);
        for (size_t pos = 0; pos <= o.len; pos += step) {
            resume_at(&o, pos & 1, pos);
        }
        one_clear(&o);
    }
}

/* Save after every byte, many times over one record. */
static void test_resume_many_times(void)
{
    FOR_CONFIGS(c) {
        g_autofree uint8_t *buf = NULL;
        Mlx5TlsRecordState state;
        Mlx5TlsRecord rec = { 0 };
        One o;

        one_init(&o, c, 300, 5, 1);
        for (int encrypt = 0; encrypt < 2; encrypt++) {
            g_free(buf);
            buf = g_memdup2(encrypt ? o.tx : o.wire, o.len);
            one_open(&o, &rec);
            for (size_t pos = 0; pos < o.len; pos++) {
                if (encrypt) {
                    mlx5_tls_record_encrypt(&rec, buf + pos, buf + pos, 1);
                } else {
                    mlx5_tls_record_hash(&rec, buf + pos, 1, NULL, 0);
                }
                mlx5_tls_record_save(&rec, &state);
            }
            ref_assert_equal(buf, o.wire, o.len,
                             "byte by byte, saved in between");
            g_assert_true(encrypt || mlx5_tls_record_tag_ok(&rec));
            mlx5_tls_record_close(&rec);
        }
        one_clear(&o);
    }
}

static void test_restore_refuses(void)
{
    Mlx5TlsRecordState good, bad;
    Mlx5TlsRecord rec = { 0 };
    One o;

    one_init(&o, &configs[0], 100, 5, 4);
    one_open(&o, &rec);
    mlx5_tls_record_hash(&rec, o.wire, 50, NULL, 0);
    mlx5_tls_record_save(&rec, &good);
    mlx5_tls_record_close(&rec);

    bad = good;
    bad.tls_version = 1;
    g_assert_false(mlx5_tls_record_restore(&rec, o.pool, o.key, &bad));
    bad = good;
    bad.pos = bad.len + 1;
    g_assert_false(mlx5_tls_record_restore(&rec, o.pool, o.key, &bad));
    bad = good;
    bad.len++;
    g_assert_false(mlx5_tls_record_restore(&rec, o.pool, o.key, &bad));
    bad = good;
    bad.hdr[0] = 99;
    g_assert_false(mlx5_tls_record_restore(&rec, o.pool, o.key, &bad));
    g_assert_false(mlx5_tls_record_is_open(&rec));
    g_assert_true(mlx5_tls_record_restore(&rec, o.pool, o.key, &good));
    mlx5_tls_record_close(&rec);
    one_clear(&o);
}

/* ---- the pool ------------------------------------------------------------ */

#define MANY    40

/*
 * Many open records share few slots; pieces of random records in random order.
 */
static void test_interleaved(void)
{
    static const unsigned slots[] = { 1, 2, 7, MANY };

    for (size_t s = 0; s < G_N_ELEMENTS(slots); s++) {
        Mlx5GcmPool *pool = ref_pool_new(slots[s]);
        Mlx5GcmStats stats;
        Mlx5TlsRecord rec[MANY] = { 0 };
        uint8_t *buf[MANY];
        size_t pos[MANY] = { 0 };
        unsigned open = MANY;
        One o[MANY];

        for (unsigned i = 0; i < MANY; i++) {
            one_init(&o[i], &configs[i % G_N_ELEMENTS(configs)],
                     ref_rand_range(rng, 1, 2000), i, 1);
            buf[i] = g_memdup2(i & 1 ? o[i].tx : o[i].wire, o[i].len);
            mlx5_tls_record_open(&rec[i], pool, &o[i].crypto, o[i].number,
                                 o[i].st->wire->data);
        }
        while (open) {
            unsigned i = ref_rand_range(rng, 0, MANY - 1);
            size_t n = ref_rand_range(rng, 1, 100);

            n = MIN(n, o[i].len - pos[i]);
            if (n == 0) {
                continue;
            }
            if (i & 1) {
                mlx5_tls_record_encrypt(&rec[i], buf[i] + pos[i],
                                        buf[i] + pos[i], n);
            } else {
                mlx5_tls_record_hash(&rec[i], buf[i] + pos[i], n, NULL, 0);
            }
            pos[i] += n;
            stats = *mlx5_gcm_pool_stats(pool);
            g_assert_cmpuint(stats.slots, <=, slots[s]);
            g_assert_cmpuint(stats.attached, <=, stats.slots);
            if (pos[i] == o[i].len) {
                ref_assert_equal(buf[i], o[i].wire, o[i].len, "interleaved");
                g_assert_true(i & 1 || mlx5_tls_record_tag_ok(&rec[i]));
                mlx5_tls_record_close(&rec[i]);
                open--;
            }
        }
        stats = *mlx5_gcm_pool_stats(pool);
        g_assert_cmpuint(stats.attached, ==, 0);
        if (slots[s] < MANY) {
            g_assert_cmpuint(stats.saves, >, 0);
            g_assert_cmpuint(stats.resumes, >, 0);
        } else {
            g_assert_cmpuint(stats.saves, ==, 0);
            g_assert_cmpuint(stats.rekeys, ==, MANY);
        }
        for (unsigned i = 0; i < MANY; i++) {
            g_free(buf[i]);
            one_clear(&o[i]);
        }
        mlx5_gcm_pool_free(pool);
    }
}

/* Records of one key one after the other: the key is set up once. */
static void test_key_set_up_once(void)
{
    Mlx5GcmStats stats;
    Mlx5TlsRecord rec = { 0 };
    size_t cut;
    One o;

    one_init(&o, &configs[0], 100, 5, 4);
    for (int i = 0; i < 100; i++) {
        cut = i;
        run_pieces(&o, i & 1, &cut, 1);
    }
    stats = *mlx5_gcm_pool_stats(o.pool);
    g_assert_cmpuint(stats.slots, ==, 1);
    g_assert_cmpuint(stats.rekeys, ==, 1);
    g_assert_cmpuint(stats.hits, ==, 99);
    g_assert_cmpuint(stats.saves, ==, 0);

    /* two records open at a time under one key need two slots */
    one_open(&o, &rec);
    mlx5_tls_record_hash(&rec, o.wire, 20, NULL, 0);
    run_pieces(&o, true, &cut, 1);
    stats = *mlx5_gcm_pool_stats(o.pool);
    g_assert_cmpuint(stats.slots, ==, 2);
    g_assert_cmpuint(stats.attached, ==, 1);
    mlx5_tls_record_close(&rec);
    stats = *mlx5_gcm_pool_stats(o.pool);
    g_assert_cmpuint(stats.attached, ==, 0);
    one_clear(&o);
}

static void test_keys(void)
{
    uint8_t raw[32] = { 1, 2, 3 };
    Mlx5GcmPool *p1 = ref_pool_new(4), *p2 = ref_pool_new(0);
    Mlx5GcmStats stats;
    g_autofree uint8_t *buf = NULL;
    Mlx5TlsKey *key;
    One o;

    for (size_t len = 0; len <= sizeof(raw); len++) {
        key = mlx5_tls_key_new(raw, len);
        if (len == 16 || len == 32) {
            uint64_t serial = mlx5_tls_key_serial(key);

            g_assert_true(mlx5_tls_key_ref(key) == key);
            mlx5_tls_key_unref(key);
            g_assert_cmpuint(mlx5_tls_key_serial(key), ==, serial);
            mlx5_tls_key_unref(key);
        } else {
            g_assert_null(key);
        }
    }
    mlx5_tls_key_unref(NULL);
    g_assert_null(mlx5_tls_key_ref(NULL));

    /*
     * one key in two pools; spans are decrypted by a pool that has no slot yet
     */
    one_init(&o, &configs[0], 100, 5, 4);
    for (int i = 0; i < 2; i++) {
        Mlx5GcmPool *hash = i ? p2 : p1, *apply = i ? p1 : p2;
        Mlx5TlsRecord rec = { 0 };

        g_free(buf);
        buf = g_memdup2(o.wire, o.len);
        mlx5_tls_record_open(&rec, hash, &o.crypto, o.number, o.st->wire->data);
        mlx5_tls_record_hash(&rec, buf, o.len, spans, 0);
        g_assert_true(mlx5_tls_record_tag_ok(&rec));
        mlx5_tls_record_close(&rec);
        mlx5_gcm_spans_apply(apply, o.key, buf, spans);
        ref_assert_equal(buf, o.clear, o.len, "decrypted by another pool");
        g_array_set_size(spans, 0);
        mlx5_gcm_spans_apply(apply, o.key, buf, spans);
        ref_assert_equal(buf, o.clear, o.len, "no spans, no change");
    }
    stats = *mlx5_gcm_pool_stats(p2);
    g_assert_cmpuint(stats.slots, ==, 1);

    /* the pool goes first, then the key */
    mlx5_gcm_pool_free(p1);
    mlx5_gcm_pool_free(p2);
    mlx5_gcm_pool_free(NULL);
    one_clear(&o);
}

/* The last reference to a key takes it out of the pool. */
static void test_key_death(void)
{
    Mlx5GcmPool *pool = ref_pool_new(1);
    Mlx5GcmStats before, after;
    Mlx5TlsRecord rec = { 0 };
    One o;

    one_init(&o, &configs[1], 100, 5, 1);
    mlx5_tls_record_open(&rec, pool, &o.crypto, o.number, o.st->wire->data);
    mlx5_tls_crypto_clear(&o.crypto);
    mlx5_tls_key_unref(o.key);
    /* the record's own reference keeps it going */
    g_assert_cmpuint(mlx5_tls_record_hash(&rec, o.wire, o.len, NULL, 0), ==,
                     o.len);
    g_assert_true(mlx5_tls_record_tag_ok(&rec));
    before = *mlx5_gcm_pool_stats(pool);
    mlx5_tls_record_close(&rec);

    /* a key of the same bytes does not find the old slot's set-up */
    o.key = ref_engine_key(&o.st->keys);
    o.crypto =
        (Mlx5TlsCrypto){ .key = mlx5_tls_key_ref(o.key), .tls_version = 2 };
    memcpy(o.crypto.iv, o.st->keys.iv, 4);
    mlx5_tls_record_open(&rec, pool, &o.crypto, o.number, o.st->wire->data);
    mlx5_tls_record_hash(&rec, o.wire, o.len, NULL, 0);
    g_assert_true(mlx5_tls_record_tag_ok(&rec));
    mlx5_tls_record_close(&rec);
    after = *mlx5_gcm_pool_stats(pool);
    g_assert_cmpuint(after.hits, ==, before.hits);
    g_assert_cmpuint(after.rekeys, ==, before.rekeys + 1);
    g_assert_cmpuint(after.slots, ==, 1);

    /* a pool may go while a record is attached to it */
    mlx5_tls_record_open(&rec, pool, &o.crypto, o.number, o.st->wire->data);
    mlx5_tls_record_hash(&rec, o.wire, 20, NULL, 0);
    mlx5_gcm_pool_free(pool);
    g_assert_null(rec.slot);
    mlx5_tls_record_close(&rec);
    one_clear(&o);
}

/*
 * A libcrypto that is told to offer less (here: only what is approved by FIPS).
 */
static void test_no_cipher(void)
{
    char *err = NULL;

    g_assert_true(EVP_set_default_properties(NULL, "fips=yes"));
    g_assert_null(mlx5_tls_engine_new(4, &err));
    g_assert_true(EVP_set_default_properties(NULL, ""));
    g_assert_cmpstr(
        err, ==, "this libcrypto offers no AES-128-CTR: TLS offload needs it");
    g_free(err);
    mlx5_tls_engine_free(ref_engine_new(4));
    mlx5_tls_engine_free(NULL);
}

static void test_zeroised(void)
{
    static const Mlx5TlsRecord zero;
    Mlx5TlsRecord rec = { 0 };
    Mlx5TlsRecordState state;
    One o;

    one_init(&o, &configs[0], 100, 5, 4);
    one_open(&o, &rec);
    mlx5_tls_record_hash(&rec, o.wire, 50, NULL, 0);
    mlx5_tls_record_save(&rec, &state);
    /* plain data: no pointer of the process in it */
    g_assert_cmpuint(sizeof(state), <=, 80);
    mlx5_tls_record_close(&rec);
    g_assert_cmpmem(&rec, sizeof(rec), &zero, sizeof(zero));
    mlx5_tls_record_close(&rec);
    one_clear(&o);
    g_assert_cmpmem(&o.crypto, sizeof(o.crypto), &zero, sizeof(o.crypto));
}

/*
 * What the device counts for a checker's context and for a key is what they
 * take.
 */
static void test_memory(void)
{
    enum { N = 500 };
    Mlx5GcmPool *pool = ref_pool_new(1);
    uint8_t raw[32] = { 0 }, nonce[MLX5_TLS_IV_LEN] = { 0 }, text[64] = { 0 };
    uint8_t tag[MLX5_TLS_TAG_LEN];
    Mlx5GcmWhole *gcm[N];
    Mlx5TlsKey *key[N];
    size_t before, keys, contexts;

    if (!heap_known()) {
        mlx5_gcm_pool_free(pool);
        g_test_skip("the heap of this build tells nothing");
        return;
    }
    before = heap_used();
    for (unsigned i = 0; i < N; i++) {
        raw[0] = i;
        key[i] = mlx5_tls_key_new(raw, sizeof(raw));
    }
    keys = heap_used() - before;
    before = heap_used();
    for (unsigned i = 0; i < N; i++) {
        gcm[i] = mlx5_gcm_whole_new(pool);
        mlx5_gcm_whole_begin(gcm[i], key[i], true, nonce, text, 13);
        mlx5_gcm_whole_text(gcm[i], text, text, sizeof(text));
        mlx5_gcm_whole_end(gcm[i], tag);
    }
    contexts = heap_used() - before;
    g_test_message("key %zu bytes, context %zu", keys / N, contexts / N);
    g_assert_cmpuint(keys, <=, N * (mlx5_tls_key_size() + 24));
    g_assert_cmpuint(contexts, <=, N * MLX5_GCM_WHOLE_MEMORY);
    g_assert_cmpuint(2 * contexts, >=, N * MLX5_GCM_WHOLE_MEMORY);
    for (unsigned i = 0; i < N; i++) {
        mlx5_gcm_whole_free(gcm[i]);
        mlx5_tls_key_unref(key[i]);
    }
    mlx5_gcm_pool_free(pool);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    spans = g_array_new(FALSE, FALSE, sizeof(Mlx5GcmSpan));
    g_test_add_func("/tls/record/rfc8448", test_rfc8448);
    g_test_add_func("/tls/record/headers", test_headers);
    g_test_add_func("/tls/record/cuts-small", test_cuts_small);
    g_test_add_func("/tls/record/cuts-full", test_cuts_full);
    g_test_add_func("/tls/record/byte-by-byte", test_byte_by_byte);
    g_test_add_func("/tls/record/destinations", test_destinations);
    g_test_add_func("/tls/record/holes-in-decryption",
                    test_holes_in_decryption);
    g_test_add_func("/tls/record/every-bit-counts", test_every_bit_counts);
    g_test_add_func("/tls/record/resume-every-byte", test_resume_every_byte);
    g_test_add_func("/tls/record/resume-full-record", test_resume_full_record);
    g_test_add_func("/tls/record/resume-many-times", test_resume_many_times);
    g_test_add_func("/tls/record/restore-refuses", test_restore_refuses);
    g_test_add_func("/tls/record/interleaved", test_interleaved);
    g_test_add_func("/tls/record/key-set-up-once", test_key_set_up_once);
    g_test_add_func("/tls/record/keys", test_keys);
    g_test_add_func("/tls/record/key-death", test_key_death);
    g_test_add_func("/tls/record/no-cipher", test_no_cipher);
    g_test_add_func("/tls/record/zeroised", test_zeroised);
    g_test_add_func("/tls/record/memory", test_memory);
    ret = g_test_run();
    g_array_unref(spans);
    g_rand_free(rng);
    return ret;
}
