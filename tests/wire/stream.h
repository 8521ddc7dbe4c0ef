/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a TCP connection, as seen by a middlebox: the position of
 * every byte in the stream and in its TLS record, and how often it has passed.
 *
 * Responsible for mapping TCP sequence numbers to the stream, following the
 * chain of TLS record headers through loss, reordering and retransmission, and
 * numbering records. Has no keys: it only reads headers. Owns a WireStream: the
 * records and transmissions of the last WIRE_MEMORY bytes, and the bytes after
 * a hole until it is filled. Called by flow.c and the tests; one thread per
 * WireStream.
 *
 * Stream offsets are 64 bits wide; offset 0 is the first byte after the SYN, or
 * the first byte seen if the SYN was not.
 */
#ifndef TESTS_WIRE_STREAM_H
#define TESTS_WIRE_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define WIRE_TLS_HEADER     5
#define WIRE_TLS_CCS        20
#define WIRE_TLS_ALERT      21
#define WIRE_TLS_HANDSHAKE  22
#define WIRE_TLS_DATA       23
/* RFC 5246: a TLSCiphertext has 2^14 + 2048 bytes at most. */
#define WIRE_TLS_MAX_LEN    (16384 + 2048)

/*
 * History of records and transmissions, in bytes of the stream. Bytes older
 * than a TCP window are not retransmitted.
 */
#define WIRE_MEMORY         (32u << 20)
/* Bytes kept after a hole; beyond this, the hole is considered permanent. */
#define WIRE_MAX_BEHIND     (8u << 20)

/* "No such number", for the numbers below. */
#define WIRE_NONE           (-1)

/* A record, starting with its first header byte. */
typedef struct WireRecord {
    uint64_t start;         /* stream offset of its header */
    uint32_t len;    /* header included; 0 while the header is incomplete */
    uint8_t type;           /* WIRE_TLS_* */
    int64_t wire;    /* number among all records of this direction, from 0 */
    int64_t record;    /* number among encrypted records, or WIRE_NONE */
    int64_t app;    /* among those of type application_data, or WIRE_NONE */
} WireRecord;

typedef struct WireStream {
    bool placed;            /* `base` is known */
    uint32_t base;          /* TCP sequence number of stream offset 0 */
    uint64_t high;          /* after the highest byte seen */
    uint64_t next;          /* after the bytes processed for headers */
    bool searching;         /* the position of the next header is unknown */
    bool encrypted;    /* a ChangeCipherSpec or application_data was seen */
    bool was_encrypted;     /* the same before the last record */
    uint64_t rec_end;       /* start of the next header, unless searching */
    /* bytes of an incomplete header, or the last ones */
    uint8_t window[WIRE_TLS_HEADER];
    unsigned fill;
    int64_t n_wire;         /* records of each kind so far */
    int64_t n_record;
    int64_t n_app;
    GArray *records;  /* of WireRecord, by offset; the last may be incomplete */
    GArray *passed;         /* of WirePassed, by offset, disjoint */
    GQueue behind;          /* of WireChunk, by offset: bytes after a hole */
    size_t behind_bytes;
    uint64_t again_bytes;   /* bytes that passed again */
    unsigned lost;          /* how often the chain of headers was lost */
} WireStream;

/* Bytes [start, end) have passed `count` times. */
typedef struct WirePassed {
    uint64_t start;
    uint64_t end;
    uint32_t count;
} WirePassed;

/*
 * Bytes [start, end) of the stream belong to `record` (NULL: unknown), starting
 * at its byte `at`.
 */
typedef struct WireSpan {
    uint64_t start;
    uint64_t end;
    const WireRecord *record;
    uint32_t at;
} WireSpan;

void wire_stream_init(WireStream *s);
void wire_stream_clear(WireStream *s);

/* The SYN of this direction has sequence number `isn`: offset 0 is isn + 1. */
void wire_stream_syn(WireStream *s, uint32_t isn);

/*
 * Processes the bytes of a segment; segments may repeat and be in any order.
 *
 * seq: TCP sequence number of the first byte (for a segment with SYN: that of
 * the SYN plus one). Returns the stream offset of the first byte and, in *cut,
 * the number of leading bytes before the stream (a keepalive, or older than the
 * point where the stream was picked up), which are not part of it.
 */
uint64_t wire_stream_feed(WireStream *s, uint32_t seq, const uint8_t *data,
                          uint32_t len, uint32_t *cut);

/*
 * Appends the contents of bytes [start, end) to `spans` (of WireSpan), in order
 * and without gaps. The records they point to are valid until the next feed.
 */
void wire_stream_spans(const WireStream *s, uint64_t start, uint64_t end,
                       GArray *spans);

/*
 * Appends to `passed` how often bytes [start, end) have passed; bytes that have
 * not, or are too old, are left out.
 */
void wire_stream_passed(const WireStream *s, uint64_t start, uint64_t end,
                        GArray *passed);

/* Returns the TCP sequence number of a stream offset. */
static inline uint32_t wire_stream_seq(const WireStream *s, uint64_t offset)
{
    return s->base + (uint32_t)offset;
}

#endif
