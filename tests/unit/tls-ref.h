/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slow and obvious reference for the TLS tests: whole records, sealed and
 * opened by one AES-GCM call of libcrypto each, and streams of them. It shares
 * no code with the engine. Owns nothing but what its constructors return; used
 * by tests only.
 */
#ifndef TESTS_UNIT_TLS_REF_H
#define TESTS_UNIT_TLS_REF_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "tls_engine.h"
#include "tls_record.h"

/* Secrets of one direction of a connection. */
typedef struct RefKeys {
    bool v13;
    size_t key_len;         /* 16 or 32 */
    uint8_t key[32];
    uint8_t iv[12];         /* 1.2: salt in the first 4 bytes */
} RefKeys;

void ref_keys_random(RefKeys *k, GRand *rand, bool v13, size_t key_len);

/*
 * Bytes that a record adds to its plaintext: 29 (1.2) or 21 (1.3; content type
 * is text).
 */
size_t ref_overhead(const RefKeys *k);

/*
 * Append a whole record to wire. explicit_nonce: TLS 1.2 only. TLS 1.3: text
 * includes the inner content type and the header's type is always 23.
 */
void ref_seal(const RefKeys *k, uint64_t number, uint8_t type,
              const uint8_t explicit_nonce[8], const uint8_t *text, size_t len,
              GByteArray *wire);

/*
 * Open the record that starts at wire; text receives its plaintext (wire's
 * length is enough). Returns the length or -1 if the tag is wrong.
 */
int ref_open(const RefKeys *k, uint64_t number, const uint8_t *wire,
             uint8_t *text);

/*
 * The plaintext of the first len bytes of ciphertext of a record, not verified;
 * wire holds its header, nonce (1.2) and at least these bytes.
 */
void ref_open_prefix(const RefKeys *k, uint64_t number, const uint8_t *wire,
                     uint8_t *text, size_t len);

/* One record of a stream. */
typedef struct RefRecord {
    uint32_t off, len;      /* in the stream, header included */
    uint32_t text_off, text_len;
    uint64_t number;
    uint8_t type;
} RefRecord;

/* A stream in its three forms, all of the same length. */
typedef struct RefStream {
    RefKeys keys;
    uint64_t first_number;
    GByteArray *wire;       /* ciphertext, as it travels */
    GByteArray *clear;      /* the same with plaintext in place of ciphertext */
    GByteArray *tx;         /* clear with rubbish in place of the tags: what TX
                             * is given */
    GArray *recs;           /* of RefRecord */
    /*
     * Records to be added have no 03 03 behind the header: a search finds true
     * headers only. By chance it would find another about once in 16 million
     * random bytes.
     */
    bool quiet;
} RefStream;

RefStream *ref_stream_new(const RefKeys *k, uint64_t first_number);
/* Append a record of len random plaintext bytes. */
void ref_stream_add(RefStream *st, GRand *rand, uint8_t type, size_t len);
/*
 * Take a record from outside: its wire form; opened with the reference, which
 * must work.
 */
void ref_stream_take(RefStream *st, GRand *rand, const uint8_t *wire);
void ref_stream_free(RefStream *st);
const RefRecord *ref_rec(const RefStream *st, unsigned i);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RefStream, ref_stream_free)

/* Parameter images, written out by byte position. */
void ref_static_image(uint8_t image[64], const RefKeys *k,
                      uint64_t initial_record_number, uint32_t resync_tcp_sn);
void ref_progress_image(uint8_t image[12], uint32_t next_record_tcp_sn);

Mlx5TlsKey *ref_engine_key(const RefKeys *k);
Mlx5GcmPool *ref_pool_new(unsigned slots);
Mlx5TlsEngine *ref_engine_new(unsigned slots);
/* Free it; the rows that its contexts took count for the running test. */
void ref_engine_free(Mlx5TlsEngine *engine);

/*
 * g_test_add_func() for tests that name rows: of "/tls/rx/R12-R14-chain" the
 * rows R12 and R14 must have been taken, or the test has failed.
 * docs/tls-rows.md relies on it.
 */
void ref_test_add(const char *path, void (*func)(void));

/* Compare buffers; a difference is reported with its offset. */
void ref_assert_equal(const uint8_t *got, const uint8_t *want, size_t len,
                      const char *what);

/*
 * Random source of a test: seeded from MLX5_TEST_SEED or by the clock; the seed
 * is printed.
 */
GRand *ref_rand_new(uint32_t *seed);
/* A number from the environment, or dflt. */
uint64_t ref_env(const char *name, uint64_t dflt);
void ref_rand_bytes(GRand *rand, uint8_t *buf, size_t len);
/* Uniform in [lo, hi]. */
uint32_t ref_rand_range(GRand *rand, uint32_t lo, uint32_t hi);

#endif
