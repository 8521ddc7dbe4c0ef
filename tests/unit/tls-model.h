/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reference RX tracker, written only from the protocol's description, for
 * comparison with the engine's: byte by byte, with 64-bit stream positions
 * instead of sequence numbers, a buffer for the whole record, and a single
 * AES-GCM call once it is complete. Slow and simple; shares no code with the
 * engine. Used only by the random tests.
 */
#ifndef TESTS_UNIT_TLS_MODEL_H
#define TESTS_UNIT_TLS_MODEL_H

#include "tls-ref.h"

typedef enum ModelState {
    M_START,
    M_SYNC,         /* decrypting */
    M_CANDIDATE,    /* asked, not yet answered */
    M_CHECK,        /* answered, verifying one record */
    M_SEARCH,
    M_SILENT,       /* following a header that cannot be asked about */
} ModelState;

typedef struct Model {
    RefKeys keys;
    Mlx5TlsKnobs knobs;
    ModelState state;
    int64_t exp;            /* stream position of the next new byte */
    int64_t next;           /* start of the next header */
    int64_t resync;         /* start of the candidate */
    uint64_t off;           /* headers since */
    uint64_t number;        /* of the record at next */
    GByteArray *hdr;        /* bytes of the header at next so far */
    GByteArray *rec;        /* the open record from its header on; empty:
                             * none, or with a hole */
    bool rec_check;         /* verify only */
    uint64_t rec_number;
    bool hdr_skip;          /* the header at next began in a packet with flag
                             * 3 */
    int64_t clear_end;      /* up to here there were packets with flag 1 */
    uint8_t window[5];      /* SEARCH: the last bytes */
    int window_fill;
    bool owe;               /* a loss must still be flagged */
    bool due;               /* timed out */
    /* the packet */
    int64_t s;
    bool may_decrypt, all, bad, raise;
    uint8_t *delivered;     /* as it is with flag 1 */
    uint8_t *error;         /* and with flag 3 */
} Model;

void model_init(Model *m, const RefKeys *k, const Mlx5TlsKnobs *knobs);
void model_clear(Model *m);
/*
 * SET_PSV with the anchor at a stream position, after static params with this
 * number.
 */
void model_start(Model *m, uint64_t number, int64_t anchor);
/*
 * Static params that name a candidate's position. Returns whether it was
 * approved.
 */
bool model_static(Model *m, uint64_t number, int64_t resync);
void model_timeout(Model *m);
/*
 * A packet at a stream position; delivered receives what the host gets. Returns
 * the flag.
 */
int model_packet(Model *m, int64_t pos, const uint8_t *bytes, size_t len,
                 uint8_t *delivered);

#endif
