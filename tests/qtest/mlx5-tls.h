/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What TLS tests need: keys, contexts and control WQEs of the device, and TLS
 * records as RFC 5288 and RFC 8446 define them, made by libcrypto's AES-GCM.
 * Nothing here is shared with the device. Owns no state.
 */
#ifndef TESTS_QTEST_MLX5_TLS_H
#define TESTS_QTEST_MLX5_TLS_H

#include "mlx5-rig.h"

enum { TLS_1_2 = 12, TLS_1_3 = 13 };
enum { REC_CCS = 20, REC_ALERT = 21, REC_HANDSHAKE = 22, REC_DATA = 23 };

#define TLS_HDR 5
#define TLS_NONCE 8
#define TLS_TAG 16
#define TLS_STATIC_LEN 64

/* One direction of one connection. */
typedef struct TlsConn {
    int version;
    unsigned key_len; /* 16 or 32 */
    uint8_t key[32];
    uint8_t iv[12];   /* TLS 1.2: the first four, the salt */
    uint64_t rec_no;  /* of the next record */
    uint64_t nonce;   /* TLS 1.2: the next explicit one */
    uint32_t seq;     /* TCP sequence number of the next byte */
} TlsConn;

/* The four kinds of connection, keys and all out of @n. */
void tls_conn(TlsConn *c, unsigned kind, unsigned n);
enum { TLS_KINDS = 4 };

/*
 * Appends the next record of @c, with @n bytes of plaintext, to both streams:
 * @clear as a host hands it to the card (what comes at the place of the tag is
 * garbage), @wire as it must leave. Either may be NULL. Counts rec_no and
 * nonce on, not seq.
 */
void tls_record(TlsConn *c, uint8_t type, const uint8_t *plain, size_t n,
                GByteArray *clear, GByteArray *wire);
/* As above with @n bytes of a pattern that differs in every record. */
void tls_pattern(TlsConn *c, size_t n, GByteArray *clear, GByteArray *wire);
/* Length of such a record. */
size_t tls_record_len(const TlsConn *c, size_t n);

/*
 * What a context of @c makes of the record at @wire with @len bytes, if it
 * takes that for record number @rec_no: the key stream of @c over its payload,
 * without a look at its tag. It goes to @out, header, nonce and tag as they
 * are.
 */
void tls_transform(const TlsConn *c, uint64_t rec_no, const uint8_t *wire,
                   size_t len, uint8_t *out);

/* ------------------------------------------------------------- objects --- */

/* CREATE_GENERAL_OBJECT of an encryption key; @len goes to *@len. */
uint8_t *drv_dek_cmd(Drv *d, const uint8_t *key, unsigned key_len,
                     uint32_t *len);
uint32_t drv_dek_create(Drv *d, const uint8_t *key, unsigned key_len);
/* Makes a command out of its header: MODIFY, QUERY, DESTROY. */
void drv_dek_hdr(uint8_t *in, uint16_t opcode, uint32_t id, uint32_t op_param);
void drv_dek_destroy(Drv *d, uint32_t id);
/* An empty range of 2^@log_range keys; its first number. */
uint32_t drv_dek_range(Drv *d, unsigned log_range, unsigned key_len);
/* Loads number @offset of such a range. */
void drv_dek_load(Drv *d, uint32_t base, uint32_t offset, const TlsConn *c);
/* SYNC_CRYPTO with that crypto_type. */
DrvResult drv_sync_crypto(Drv *d, uint16_t type);
uint32_t drv_tis_tls(Drv *d);
/* Direct to @rqn. */
uint32_t drv_tir_tls(Drv *d, uint32_t rqn);

/*
 * What strict=on has found so far is this reason alone (NULL: nothing), and
 * that.
 */
void drv_strict_expect(Drv *d, const char *reason);
/* How often it has found that, or "total". */
uint64_t drv_strict_count(Drv *d, const char *reason);

/* ------------------------------------------------------- control WQEs --- */

/* tls_static_params. */
void tls_static(uint8_t p[TLS_STATIC_LEN], const TlsConn *c, uint32_t dek,
                uint32_t resync_tcp_sn);
/* UMR with them, for TIS (@tir false) or TIR @num. */
void drv_wqe_static(DrvWqe *w, const DrvSq *sq, bool tir, uint32_t num,
                    const uint8_t p[TLS_STATIC_LEN], bool fence, bool ce);
/* SET_PSV to START. */
void drv_wqe_set_psv(DrvWqe *w, const DrvSq *sq, bool tir, uint32_t num,
                     uint32_t next_record_tcp_sn, bool fence, bool ce);
void drv_wqe_get_psv(DrvWqe *w, const DrvSq *sq, uint32_t tirn, uint32_t lkey,
                     uint64_t va);
void drv_wqe_dump(DrvWqe *w, const DrvSq *sq, uint32_t tisn, uint32_t lkey,
                  uint64_t addr, uint32_t len, bool fence);

#endif
