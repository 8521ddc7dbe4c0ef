/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slow and simple reference for the TLS tests: whole records, sealed and
 * opened by a single AES-GCM call of libcrypto each, and streams of them.
 * Shares no code with the engine. Owns only what its constructors return; used
 * only by tests.
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
 * Returns the bytes that a record adds to its plaintext: 29 (1.2) or 21 (1.3;
 * the content type counts as text).
 */
size_t ref_overhead(const RefKeys *k);

/*
 * Appends a whole record to wire. explicit_nonce: TLS 1.2 only. TLS 1.3: text
 * includes the inner content type and the header's type is always 23.
 */
void ref_seal(const RefKeys *k, uint64_t number, uint8_t type,
              const uint8_t explicit_nonce[8], const uint8_t *text, size_t len,
              GByteArray *wire);

/*
 * Opens the record at wire; text receives its plaintext (the length of wire is
 * enough). Returns the length, or -1 if the tag is wrong.
 */
int ref_open(const RefKeys *k, uint64_t number, const uint8_t *wire,
             uint8_t *text);

/*
 * Decrypts the first len bytes of ciphertext of a record without verification;
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

/* A stream in three forms, all of the same length. */
typedef struct RefStream {
    RefKeys keys;
    uint64_t first_number;
    GByteArray *wire;       /* ciphertext, as on the wire */
    GByteArray *clear;      /* the same with plaintext in place of ciphertext */
    GByteArray *tx;         /* clear with garbage in place of the tags: input
                             * of TX */
    GArray *recs;           /* of RefRecord */
    /*
     * Records to be added have no 03 03 after the header, so that a search
     * finds only true headers. Otherwise it would find a false one about once
     * in 16 million random bytes.
     */
    bool quiet;
} RefStream;

RefStream *ref_stream_new(const RefKeys *k, uint64_t first_number);
/* Appends a record of len random plaintext bytes. */
void ref_stream_add(RefStream *st, GRand *rand, uint8_t type, size_t len);
/*
 * Appends a foreign record, given in wire form; the reference must be able to
 * open it.
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
/* Frees it; the rows taken by its contexts count for the running test. */
void ref_engine_free(Mlx5TlsEngine *engine);

/*
 * g_test_add_func() for tests that name rows: "/tls/rx/R12-R14-chain" fails
 * unless the rows R12 and R14 were taken. docs/tls-rows.md relies on it.
 */
void ref_test_add(const char *path, void (*func)(void));

/* Compares buffers; reports a difference with its offset. */
void ref_assert_equal(const uint8_t *got, const uint8_t *want, size_t len,
                      const char *what);

/*
 * Returns the random source of a test, seeded from MLX5_TEST_SEED or the clock;
 * the seed is printed.
 */
GRand *ref_rand_new(uint32_t *seed);
/* Returns a number from the environment, or dflt. */
uint64_t ref_env(const char *name, uint64_t dflt);
void ref_rand_bytes(GRand *rand, uint8_t *buf, size_t len);
/* Returns a uniformly distributed number in [lo, hi]. */
uint32_t ref_rand_range(GRand *rand, uint32_t lo, uint32_t hi);

#endif
