/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ends of a TLS connection, run in memory by OpenSSL's libssl: gives access
 * to its records on the wire and to its keys. Used only by tests.
 */
#ifndef TESTS_UNIT_TLS_PEER_H
#define TESTS_UNIT_TLS_PEER_H

#include <openssl/ssl.h>

#include "tls-ref.h"

typedef enum PeerEnd {
    PEER_CLIENT = 0,
    PEER_SERVER = 1,
} PeerEnd;

typedef struct Peer {
    SSL *ssl[2];            /* by PeerEnd */
    RefKeys keys[2];        /* with which that end sends */
    uint64_t next[2];       /* number of the next record that end sends */
    char *secret[2];        /* TLS 1.3 traffic secrets in hex, from the key
                             * log */
} Peer;

/*
 * Completes the handshake, with nothing left on the wire. block_padding: TLS
 * 1.3 only, 0 for none.
 */
Peer *peer_new(bool v13, size_t key_len, size_t block_padding);
void peer_free(Peer *p);

/* Sends application data and returns the resulting wire bytes. */
GByteArray *peer_send(Peer *p, PeerEnd from, const uint8_t *data, size_t len);
/*
 * Passes wire bytes to an end and returns the application data it reads, or
 * NULL on any error.
 */
GByteArray *peer_receive(Peer *p, PeerEnd to, const uint8_t *wire, size_t len);

#endif
