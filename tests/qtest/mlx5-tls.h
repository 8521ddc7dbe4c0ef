/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers for TLS tests: keys, contexts and control WQEs of the device, and TLS
 * records according to RFC 5288 and RFC 8446, built with libcrypto's AES-GCM.
 * Shares no code with the device. Owns no state.
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

/* One direction of a connection. */
typedef struct TlsConn {
    int version;
    unsigned key_len; /* 16 or 32 */
    uint8_t key[32];
    uint8_t iv[12];   /* TLS 1.2: the first four, the salt */
    uint64_t rec_no;  /* of the next record */
    uint64_t nonce;   /* TLS 1.2: the next explicit one */
    uint32_t seq;     /* TCP sequence number of the next byte */
} TlsConn;

/*
 * Initializes one of four kinds of connection, with keys etc. derived from @n.
 */
void tls_conn(TlsConn *c, unsigned kind, unsigned n);
enum { TLS_KINDS = 4 };

/*
 * Appends the next record of @c, with @n bytes of plaintext, to both streams:
 * @clear as a host passes it to the card (with garbage in place of the tag),
 * @wire as it must be sent. Either may be NULL. Advances rec_no and nonce, not
 * seq.
 */
void tls_record(TlsConn *c, uint8_t type, const uint8_t *plain, size_t n,
                GByteArray *clear, GByteArray *wire);
/* As above, with @n bytes of a pattern that differs in every record. */
void tls_pattern(TlsConn *c, size_t n, GByteArray *clear, GByteArray *wire);
/* Returns the length of such a record. */
size_t tls_record_len(const TlsConn *c, size_t n);

/*
 * Transforms the record at @wire (@len bytes) like a context of @c that takes
 * it for record number @rec_no: applies the key stream to the payload without
 * checking the tag. The result goes to @out, with header, nonce and tag
 * unchanged.
 */
void tls_transform(const TlsConn *c, uint64_t rec_no, const uint8_t *wire,
                   size_t len, uint8_t *out);

/* ------------------------------------------------------------- objects --- */

/* Builds CREATE_GENERAL_OBJECT for an encryption key; sets *@len. */
uint8_t *drv_dek_cmd(Drv *d, const uint8_t *key, unsigned key_len,
                     uint32_t *len);
uint32_t drv_dek_create(Drv *d, const uint8_t *key, unsigned key_len);
/* Fills in a command's header, for MODIFY, QUERY, DESTROY. */
void drv_dek_hdr(uint8_t *in, uint16_t opcode, uint32_t id, uint32_t op_param);
void drv_dek_destroy(Drv *d, uint32_t id);
/* Creates an empty range of 2^@log_range keys; returns its first number. */
uint32_t drv_dek_range(Drv *d, unsigned log_range, unsigned key_len);
/* Loads key @offset of such a range. */
void drv_dek_load(Drv *d, uint32_t base, uint32_t offset, const TlsConn *c);
/* SYNC_CRYPTO with that crypto_type. */
DrvResult drv_sync_crypto(Drv *d, uint16_t type);
uint32_t drv_tis_tls(Drv *d);
/* Direct to @rqn. */
uint32_t drv_tir_tls(Drv *d, uint32_t rqn);

/*
 * Checks that strict=on has reported at least this reason, and no other (NULL:
 * none at all).
 */
void drv_strict_expect(Drv *d, const char *reason);
/* Returns how often it has reported that reason, or "total". */
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
