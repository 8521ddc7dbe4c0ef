/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the checker share: tls_strict.c (reports, keys, fences,
 * records sent), tls_strict_tx.c, tls_strict_rx.c. Nobody else includes it.
 * Owns no state.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_STRICT_PRIV_H
#define HW_NET_MLX5_ENGINE_TLS_STRICT_PRIV_H

#include <string.h>

#include "secret.h"
#include "tls_strict.h"

/*
 * Parameters that records are processed with, and the DEK that the key came
 * from.
 */
typedef struct StrictParams {
    Mlx5TlsStaticParams p;
    Mlx5TlsKey *key;            /* one reference, or NULL */
    bool ok;                    /* contexts may use them */
} StrictParams;

/* What a byte of a record is. */
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

/* What must come out for a payload. */
typedef struct StrictBytes {
    GByteArray *bytes;
    GArray *runs;               /* of StrictRun */
} StrictBytes;

/* The stream's place in records: header, nonce, text, tag. */
typedef struct StrictRecord {
    uint8_t hdr[MLX5_TLS_HDR_LEN];
    uint8_t hdr_fill;           /* of the header that comes next, or 5: record
                                 * is open */
    uint32_t len, pos;          /* behind the header: in all, passed */
    uint32_t nonce_len;         /* 8 or 0 */
    uint64_t number;
    uint8_t nonce[MLX5_TLS_IV_LEN];
    uint8_t aad[13];
    uint8_t aad_len;
    uint8_t tag[MLX5_TLS_TAG_LEN];
} StrictRecord;

/* How far the stream has come, and its last bytes, each as it came first. */
typedef struct StrictCame {
    bool known;                 /* something came since the start */
    uint32_t upto;              /* sequence number of what comes next */
    uint8_t len;
    uint8_t last[MLX5_TLS_HDR_LEN - 1];
} StrictCame;

typedef struct StrictContext {
    uint32_t id;
    StrictParams posted, run;
    bool running;               /* started from good parameters */
    bool stale_said;
    uint64_t rec_no;            /* of the record whose header comes next */
    StrictRecord rec;
    Mlx5GcmWhole *gcm;            /* made when first used */

    /* TX */
    bool exp_known;
    uint32_t exp;               /* next sequence number */
    bool reuse_said;            /* for the open record */
    uint32_t params_sq, data_sq;
    uint64_t params_serial, data_serial;    /* last UMR or SET_PSV, last data;
                                             * 0: none */

    /* RX */
    StrictCame came;
    enum {
        RX_NOWHERE,             /* no parameters, or the place was lost */
        RX_ANCHOR,              /* waits for the byte next_hdr */
        RX_CHAIN,               /* follows headers from hw_resync on, by length
                                 * only */
        RX_SYNC,                /* knows the record number */
    } place;
    bool proved;                /* a tag was good since the last approval */
    bool follow;                /* the open record was followed from its
                                 * start, */
    bool trusted;               /* and may be decrypted */
    bool shown;                 /* a packet with bytes of it, or of its header,
                                 * had flag 1 */
    bool begun_in_error;        /* its header began in a packet with flag 3 */
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
    GQueue replaced;            /* StrictDek whose key in use is not the one it
                                 * holds */
    GHashTable *settled;        /* sqn -> uint64_t: WQEs up to it are done */
    uint32_t sqn;               /* whose WQE is being executed, */
    uint64_t serial;            /* and which */
    GTree *sent;                /* StrictSent, by serial and nonce */
    GQueue sent_whole, sent_tags;       /* most recent first */
    GHashTable *sent_by_key;    /* serial number -> GQueue of StrictSent */
    size_t sent_bytes;
    /* what was handed in by the WQE that is being executed, what must leave */
    GByteArray *plain;
    StrictBytes tx;
    bool have_plain, passed;
    uint32_t passed_id;
    uint32_t passed_seq;
    /*
     * the packet that is being received; frames may be left of a WQE meanwhile
     */
    StrictBytes rx;
};

StrictContext *mlx5_strict_context(Mlx5TlsStrict *s, Mlx5TlsDir dir,
                                   uint32_t id);
void mlx5_strict_run(StrictContext *c, StrictParams *p);
/*
 * Begin with bytes that are to come out as they are, and nothing known of them.
 */
void mlx5_strict_bytes_set(StrictBytes *b, const uint8_t *data, size_t len);
void mlx5_strict_bytes_run(StrictBytes *b, size_t off, size_t len,
                           StrictKind kind, uint64_t number);
/* Data for, or in, a context: does its DEK still hold the key? */
void mlx5_strict_check_key(Mlx5TlsStrict *s, Mlx5TlsDir dir, StrictContext *c);
/* UMR or SET_PSV, or data, of a TIS. */
void mlx5_strict_order_params(Mlx5TlsStrict *s, StrictContext *c,
                              const char *what);
void mlx5_strict_order_data(Mlx5TlsStrict *s, StrictContext *c,
                            const char *what);
/*
 * Ciphertext bytes [pos, pos + len) of c's open record, or (text NULL) its tag,
 * are sent: are they what they were the last time?
 */
void mlx5_strict_sent(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *text,
                      uint32_t pos, uint32_t len);

/*
 * The header in r->hdr: is it one? If so r is set up for the record behind it.
 */
bool mlx5_strict_record_begin(StrictRecord *r, const StrictParams *p,
                              uint64_t number);
/* What comes next in an open record, and how many bytes of it. */
StrictKind mlx5_strict_record_next(const StrictRecord *r, size_t *left);
/* Bytes of nonce were read; when it is complete the cipher can begin. */
void mlx5_strict_record_nonce(StrictRecord *r, const uint8_t *data, size_t len);
void mlx5_strict_cipher_begin(Mlx5TlsStrict *s, StrictContext *c, bool encrypt);

void mlx5_strict_tx_start(StrictContext *c);
void mlx5_strict_rx_static(Mlx5TlsStrict *s, StrictContext *c);
void mlx5_strict_rx_start(Mlx5TlsStrict *s, StrictContext *c,
                          const Mlx5TlsProgressParams *p);

#endif
