/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private to the parts of the checker: tls_strict.c (reports, keys, fences,
 * sent records), tls_strict_tx.c, tls_strict_rx.c. Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_STRICT_PRIV_H
#define HW_NET_MLX5_ENGINE_TLS_STRICT_PRIV_H

#include <string.h>

#include "secret.h"
#include "tls_strict.h"

/* Parameters for processing records, and the DEK of the key. */
typedef struct StrictParams {
    Mlx5TlsStaticParams p;
    Mlx5TlsKey *key;            /* one reference, or NULL */
    bool ok;                    /* valid for use by contexts */
} StrictParams;

/* Kinds of bytes in a record. */
typedef enum StrictKind {
    KIND_UNTRACKED = 0,
    KIND_HEADER,
    KIND_NONCE,
    KIND_TEXT,
    KIND_TAG,
} StrictKind;

/* A run of bytes of one kind in a payload. */
typedef struct StrictRun {
    size_t off, len;
    StrictKind kind;
    uint64_t number;            /* of its record */
} StrictRun;

/* The expected output for a payload. */
typedef struct StrictBytes {
    GByteArray *bytes;
    GArray *runs;               /* of StrictRun */
} StrictBytes;

/* Position in a record: header, nonce, text, tag. */
typedef struct StrictRecord {
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t hdr_fill;           /* of the next header, or 5: record is open */
    uint32_t len, pos;          /* after the header: total, passed */
    uint32_t nonce_len;         /* 8 or 0 */
    uint64_t number;
    uint8_t nonce[MLX5_TLS_IV_LEN];
    uint8_t aad[13];
    uint8_t aad_len;
    uint8_t tag[MLX5_TLS_TAG_LEN];
} StrictRecord;

/* Position of the stream, and its last bytes as first received. */
typedef struct StrictCame {
    bool known;                 /* bytes were received since the start */
    uint32_t upto;              /* next sequence number */
    uint8_t len;
    uint8_t last[MLX5_TLS_HDR_LEN - 1];
} StrictCame;

typedef struct StrictContext {
    uint32_t id;
    StrictParams posted, run;
    bool running;               /* started from good parameters */
    bool stale_said;
    uint64_t rec_no;            /* of the next record */
    StrictRecord rec;
    Mlx5GcmWhole *gcm;            /* created on first use */

    /* TX */
    bool exp_known;
    uint32_t exp;               /* next sequence number */
    bool reuse_said;            /* reported for the open record */
    uint32_t params_sq, data_sq;
    uint64_t params_serial, data_serial;    /* last UMR or SET_PSV, last data;
                                             * 0: none */

    /* RX */
    StrictCame came;
    enum {
        RX_NOWHERE,             /* no parameters, or position lost */
        RX_ANCHOR,              /* waits for byte next_hdr */
        RX_CHAIN,               /* follows headers from hw_resync by length */
        RX_SYNC,                /* knows the record number */
    } place;
    bool proved;                /* a tag matched since the last approval */
    bool follow;                /* the open record was followed from its
                                 * start */
    bool trusted;               /* and may be decrypted */
    bool shown;                 /* a packet with bytes of it or its header had
                                 * flag 1 */
    bool begun_in_error;        /* its header started in a packet with flag 3 */
    uint32_t next_hdr;
    uint32_t hw_resync;
    uint64_t hw_off;
} StrictContext;

struct Mlx5TlsStrict {
    Mlx5TlsEngine *engine;
    bool whole;
    Mlx5StrictReportFn *fn;
    void *opaque;
    GHashTable *contexts[2];    /* by Mlx5TlsDir: id -> StrictContext */
    GHashTable *deks;           /* index -> StrictDek */
    uint64_t syncs;             /* SYNC_CRYPTO so far */
    GQueue replaced;            /* StrictDek whose key in use differs from the
                                 * loaded one */
    GHashTable *settled;        /* sqn -> uint64_t: serial up to which WQEs are
                                 * done */
    uint32_t sqn;               /* of the WQE in execution, */
    uint64_t serial;            /* and its number */
    GTree *sent;                /* StrictSent, by serial and nonce */
    GQueue sent_whole, sent_tags;       /* most recent first */
    GHashTable *sent_by_key;    /* serial number -> GQueue of StrictSent */
    size_t sent_bytes;
    /* input of the WQE in execution, and its expected output */
    GByteArray *plain;
    StrictBytes tx;
    bool have_plain, passed;
    uint32_t passed_id;
    uint32_t passed_seq;
    /*
     * the packet being received; frames of a WQE may be outstanding meanwhile
     */
    StrictBytes rx;
};

StrictContext *mlx5_strict_context(Mlx5TlsStrict *s, Mlx5TlsDir dir,
                                   uint32_t id);
void mlx5_strict_run(StrictContext *c, StrictParams *p);
/* Starts with bytes that must come out unchanged and have no known kind. */
void mlx5_strict_bytes_set(StrictBytes *b, const uint8_t *data, size_t len);
void mlx5_strict_bytes_run(StrictBytes *b, size_t off, size_t len,
                           StrictKind kind, uint64_t number);
/* On data for or in a context: checks that its DEK still holds the key. */
void mlx5_strict_check_key(Mlx5TlsStrict *s, Mlx5TlsDir dir, StrictContext *c);
/* Check the order of UMR or SET_PSV, and of data, of a TIS. */
void mlx5_strict_order_params(Mlx5TlsStrict *s, StrictContext *c,
                              const char *what);
void mlx5_strict_order_data(Mlx5TlsStrict *s, StrictContext *c,
                            const char *what);
/*
 * Ciphertext bytes [pos, pos + len) of c's open record or, if text is NULL, its
 * tag, are sent: checks that they are the same as when last sent.
 */
void mlx5_strict_sent(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *text,
                      uint32_t pos, uint32_t len);

/* Returns whether r->hdr is a valid header. If so, sets up r for its record. */
bool mlx5_strict_record_begin(StrictRecord *r, const StrictParams *p,
                              uint64_t number);
/* Returns the kind of the next bytes of an open record, and their number. */
StrictKind mlx5_strict_record_next(const StrictRecord *r, size_t *left);
/* Nonce bytes were read; starts the cipher once the nonce is complete. */
void mlx5_strict_record_nonce(StrictRecord *r, const uint8_t *data, size_t len);
void mlx5_strict_cipher_begin(Mlx5TlsStrict *s, StrictContext *c, bool encrypt);

void mlx5_strict_tx_start(StrictContext *c);
void mlx5_strict_rx_static(Mlx5TlsStrict *s, StrictContext *c);
void mlx5_strict_rx_start(Mlx5TlsStrict *s, StrictContext *c,
                          const Mlx5TlsProgressParams *p);

#endif
