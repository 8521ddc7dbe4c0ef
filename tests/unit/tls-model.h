/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second RX tracker, written from the protocol's description alone to be
 * compared with the engine's: byte by byte, with 64-bit stream positions
 * instead of sequence numbers, a buffer for the whole record, and one AES-GCM
 * call for it when it is complete. Slow and obvious; it shares no code with the
 * engine. Used by the random tests only.
 */
#ifndef TESTS_UNIT_TLS_MODEL_H
#define TESTS_UNIT_TLS_MODEL_H

#include "tls-ref.h"

typedef enum ModelState {
    M_START,
    M_SYNC,         /* decrypting */
    M_CANDIDATE,    /* asked, not answered */
    M_CHECK,        /* answered, one record to be verified */
    M_SEARCH,
    M_SILENT,       /* following a header that cannot be asked about */
} ModelState;

typedef struct Model {
    RefKeys keys;
    Mlx5TlsKnobs knobs;
    ModelState state;
    int64_t exp;            /* stream position of the next new byte */
    int64_t next;           /* where the next header begins */
    int64_t resync;         /* where the candidate begins */
    uint64_t off;           /* headers since */
    uint64_t number;        /* of the record at next */
    GByteArray *hdr;        /* bytes of the header at next so far */
    GByteArray *rec;        /* the open record from its header on; empty: none,
                             * or holed */
    bool rec_check;         /* verify only */
    uint64_t rec_number;
    bool hdr_skip;          /* the header at next began in a packet with flag
                             * 3 */
    int64_t clear_end;      /* up to here there were packets with flag 1 */
    uint8_t window[5];      /* SEARCH: the last bytes */
    int window_fill;
    bool owe;               /* a loss has yet to be flagged */
    bool due;               /* the timeout came */
    /* the packet */
    int64_t s;
    bool may_decrypt, all, bad, raise;
    uint8_t *delivered;     /* as it is with flag 1 */
    uint8_t *error;         /* and with flag 3 */
} Model;

void model_init(Model *m, const RefKeys *k, const Mlx5TlsKnobs *knobs);
void model_clear(Model *m);
/*
 * SET_PSV with the anchor at a stream position, after static params with
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
