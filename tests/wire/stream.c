/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One direction of a TCP connection: see stream.h.
 */
#include "stream.h"

#include <string.h>

/* Entries are dropped from the front of an array in bulk, not one by one. */
#define FORGET_AT_ONCE 4096

typedef struct WireChunk {
    uint64_t start;
    uint32_t len;
    uint8_t data[];
} WireChunk;

/*
 * Includes overhead, so that segments of one byte cannot exceed the memory
 * limit.
 */
#define CHUNK_COST(chunk) ((chunk)->len + 64)

void wire_stream_init(WireStream *s)
{
    memset(s, 0, sizeof(*s));
    s->records = g_array_new(FALSE, FALSE, sizeof(WireRecord));
    s->passed = g_array_new(FALSE, FALSE, sizeof(WirePassed));
    g_queue_init(&s->behind);
}

void wire_stream_clear(WireStream *s)
{
    g_array_free(s->records, TRUE);
    g_array_free(s->passed, TRUE);
    g_queue_clear_full(&s->behind, g_free);
    memset(s, 0, sizeof(*s));
}

void wire_stream_syn(WireStream *s, uint32_t isn)
{
    if (!s->placed) {
        s->placed = true;
        s->base = isn + 1;
    }
}

/* Headers */

static bool type_ok(uint8_t type)
{
    return type >= WIRE_TLS_CCS && type <= WIRE_TLS_DATA;
}

/*
 * Returns whether this is a record header. Where one is due (`expected`), any
 * version that was ever used is accepted; in a search only current ones, to
 * reduce false matches.
 */
static bool header_ok(const uint8_t *h, bool expected)
{
    unsigned len = (unsigned)h[3] << 8 | h[4];

    if (!type_ok(h[0]) || h[1] != 3 || h[2] > 4 || !len ||
        len > WIRE_TLS_MAX_LEN) {
        return false;
    }
    if (!expected && h[2] != 3 && !(h[0] == WIRE_TLS_HANDSHAKE && h[2] == 1)) {
        return false;
    }
    switch (h[0]) {
    case WIRE_TLS_CCS:
        return len == 1;
    case WIRE_TLS_ALERT:
        return len >= 2 && len <= 256;
    case WIRE_TLS_HANDSHAKE:
        return len >= 4;
    default:
        return len >= 17;       /* a tag, and the inner type of TLS 1.3 */
    }
}

/* Starts a record whose type is known, and assigns its numbers. */
static void begin_record(WireStream *s, uint64_t start, uint8_t type)
{
    WireRecord r = {
        .start = start, .type = type, .wire = s->n_wire++,
        .record = WIRE_NONE, .app = WIRE_NONE,
    };

    s->was_encrypted = s->encrypted;
    if (type == WIRE_TLS_DATA) {
        s->encrypted = true;
        r.app = s->n_app++;
    }
    if (s->encrypted && type != WIRE_TLS_CCS) {
        r.record = s->n_record++;
    }
    g_array_append_val(s->records, r);
}

static WireRecord *last_record(WireStream *s)
{
    return &g_array_index(s->records, WireRecord, s->records->len - 1);
}

static void end_header(WireStream *s)
{
    WireRecord *r = last_record(s);

    r->len = WIRE_TLS_HEADER + ((uint32_t)s->window[3] << 8 | s->window[4]);
    s->rec_end = r->start + r->len;
    s->searching = false;
    s->fill = 0;
    if (r->type == WIRE_TLS_CCS) {
        s->encrypted = true;
    }
}

/* Removes a record with an invalid header, which gets no number. */
static void retract_record(WireStream *s)
{
    WireRecord *r = last_record(s);

    s->n_wire -= 1;
    s->n_record -= r->record != WIRE_NONE;
    s->n_app -= r->app != WIRE_NONE;
    s->encrypted = s->was_encrypted;
    g_array_set_size(s->records, s->records->len - 1);
}

static void lose(WireStream *s)
{
    s->searching = true;
    s->lost += s->n_wire > 0;
}

/* Processes a byte in a search; the window holds up to four bytes before it. */
static void search_byte(WireStream *s, uint8_t byte)
{
    s->window[s->fill++] = byte;
    s->next++;
    if (s->fill < WIRE_TLS_HEADER) {
        return;
    }
    if (header_ok(s->window, false)) {
        begin_record(s, s->next - WIRE_TLS_HEADER, s->window[0]);
        end_header(s);
        return;
    }
    memmove(s->window, s->window + 1, WIRE_TLS_HEADER - 1);
    s->fill--;
}

/* Processes a byte of a header at its expected position. */
static void header_byte(WireStream *s, uint8_t byte)
{
    bool bad;

    s->window[s->fill++] = byte;
    s->next++;
    if (s->fill == 1) {
        if (!type_ok(byte)) {
            lose(s);
            return;
        }
        begin_record(s, s->next - 1, byte);
    }
    bad = (s->fill == 2 && byte != 3) ||
          (s->fill == WIRE_TLS_HEADER && !header_ok(s->window, true));
    if (bad) {
        retract_record(s);
        lose(s);
        if (s->fill == WIRE_TLS_HEADER) {
            s->fill--;
            memmove(s->window, s->window + 1, WIRE_TLS_HEADER - 1);
        }
    } else if (s->fill == WIRE_TLS_HEADER) {
        end_header(s);
    }
}

/* Processes the bytes at `next`. */
static void read_bytes(WireStream *s, const uint8_t *p, uint64_t len)
{
    while (len) {
        uint64_t n = 1;

        if (!s->searching && s->next < s->rec_end) {
            n = MIN(len, s->rec_end - s->next);
            s->next += n;
        } else if (!s->searching) {
            header_byte(s, *p);
        } else if (s->fill < WIRE_TLS_HEADER - 1 || len < WIRE_TLS_HEADER ||
                   memchr(s->window, 3, WIRE_TLS_HEADER - 1)) {
            search_byte(s, *p);
        } else {
            /* In a long run, look for the first version byte first. */
            const uint8_t *major = memchr(p, 3, len);

            n = major ? (uint64_t)(major - p) : len;
            /*
             * the last four bytes stay in the window, for a header that starts
             * there
             */
            if (n < WIRE_TLS_HEADER) {
                n = 1;
                search_byte(s, *p);
            } else {
                n -= 1;
                s->next += n;
                memcpy(s->window, p + n - (WIRE_TLS_HEADER - 1),
                       WIRE_TLS_HEADER - 1);
            }
        }
        p += n;
        len -= n;
    }
}

/* Holes */

static void keep_behind(WireStream *s, uint64_t start, const uint8_t *data,
                        uint32_t len)
{
    WireChunk *chunk;
    GList *at;

    for (at = s->behind.tail; at; at = at->prev) {
        const WireChunk *c = at->data;

        if (c->start <= start) {
            if (start + len <= c->start + c->len) {
                return;         /* there already */
            }
            break;
        }
    }
    chunk = g_malloc(sizeof(*chunk) + len);
    chunk->start = start;
    chunk->len = len;
    memcpy(chunk->data, data, len);
    s->behind_bytes += CHUNK_COST(chunk);
    if (at) {
        g_queue_insert_after(&s->behind, at, chunk);
    } else {
        g_queue_push_head(&s->behind, chunk);
    }
}

static void drain_behind(WireStream *s)
{
    WireChunk *c;

    while ((c = g_queue_peek_head(&s->behind)) && c->start <= s->next) {
        uint64_t end = c->start + c->len;

        if (end > s->next) {
            read_bytes(s, c->data + (s->next - c->start), end - s->next);
        }
        s->behind_bytes -= CHUNK_COST(c);
        g_free(g_queue_pop_head(&s->behind));
    }
}

/* Gives up a hole that is not filled any more, and continues after it. */
static void skip_hole(WireStream *s)
{
    const WireChunk *c = g_queue_peek_head(&s->behind);
    bool known = !s->searching && s->next < s->rec_end &&
                 c->start <= s->rec_end;

    if (!known) {
        if (!s->searching && s->fill) {
            retract_record(s);
        }
        lose(s);
        s->fill = 0;
    }
    s->next = c->start;
    drain_behind(s);
}

/* Transmissions */

static guint first_passed(const GArray *a, uint64_t start)
{
    guint low = 0, high = a->len;

    while (low < high) {
        guint mid = (low + high) / 2;

        if (g_array_index(a, WirePassed, mid).end <= start) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static void add_passed(GArray *a, uint64_t start, uint64_t end, uint32_t count)
{
    WirePassed p = { start, end, count };
    WirePassed *last = a->len ? &g_array_index(a, WirePassed, a->len - 1) :
                                NULL;

    if (start >= end) {
        return;
    }
    if (last && last->end == start && last->count == count) {
        last->end = end;
    } else {
        g_array_append_val(a, p);
    }
}

/* Counts another pass of bytes [start, end). */
static void count_passed(WireStream *s, uint64_t start, uint64_t end)
{
    GArray *a = s->passed, *fresh;
    guint first = first_passed(a, start), i;
    uint64_t at = start;

    if (first == a->len) {
        add_passed(a, start, end, 1);
        return;
    }
    fresh = g_array_new(FALSE, FALSE, sizeof(WirePassed));
    for (i = first; i < a->len; i++) {
        WirePassed p = g_array_index(a, WirePassed, i);
        uint64_t low = MAX(p.start, start), high = MIN(p.end, end);

        if (low >= high) {
            add_passed(fresh, at, MIN(end, p.start), 1);
            at = MAX(at, MIN(end, p.start));
            add_passed(fresh, p.start, p.end, p.count);
            continue;
        }
        add_passed(fresh, at, low, 1);
        add_passed(fresh, p.start, low, p.count);
        add_passed(fresh, low, high, p.count + 1);
        add_passed(fresh, high, p.end, p.count);
        s->again_bytes += high - low;
        at = high;
    }
    add_passed(fresh, at, end, 1);
    g_array_set_size(a, first);
    for (i = 0; i < fresh->len; i++) {
        WirePassed p = g_array_index(fresh, WirePassed, i);

        add_passed(a, p.start, p.end, p.count);
    }
    g_array_free(fresh, TRUE);
}

/* Returns the last record that starts at or before `start`, or 0. */
static guint first_record(const GArray *a, uint64_t start)
{
    guint low = 0, high = a->len;

    while (low < high) {
        guint mid = (low + high) / 2;

        if (g_array_index(a, WireRecord, mid).start <= start) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low ? low - 1 : 0;
}

/* Drops everything more than WIRE_MEMORY back. */
static void forget(WireStream *s)
{
    uint64_t limit = s->high > WIRE_MEMORY ? s->high - WIRE_MEMORY : 0;
    guint n;

    if (s->records->len > FORGET_AT_ONCE) {
        n = first_record(s->records, limit);
        if (n > s->records->len / 2) {
            g_array_remove_range(s->records, 0, n);
        }
    }
    if (s->passed->len > FORGET_AT_ONCE) {
        n = first_passed(s->passed, limit);
        /* a limit, however scattered they are */
        n = MAX(n,
                s->passed->len > 16 * FORGET_AT_ONCE ? s->passed->len / 2 : 0);
        if (n > s->passed->len / 4) {
            g_array_remove_range(s->passed, 0, n);
        }
    }
}

uint64_t wire_stream_feed(WireStream *s, uint32_t seq, const uint8_t *data,
                          uint32_t len, uint32_t *cut)
{
    int64_t offset;
    uint64_t start, end;

    if (!s->placed) {
        s->placed = true;
        s->base = seq;
        s->searching = true;    /* the first byte may be anything */
    }
    offset = (int64_t)s->high + (int32_t)(seq - wire_stream_seq(s, s->high));
    *cut = 0;
    if (offset < 0) {
        *cut = (uint32_t)MIN((int64_t)len, -offset);
        offset = 0;
        data += *cut;
        len -= *cut;
    }
    start = (uint64_t)offset;
    end = start + len;
    if (!len) {
        return start;
    }
    count_passed(s, start, end);
    s->high = MAX(s->high, end);
    if (start > s->next) {
        keep_behind(s, start, data, len);
        if (s->behind_bytes > WIRE_MAX_BEHIND) {
            skip_hole(s);
        }
    } else if (end > s->next) {
        read_bytes(s, data + (s->next - start), end - s->next);
        drain_behind(s);
    }
    forget(s);
    return start;
}

/* Questions */

static void add_span(GArray *spans, uint64_t start, uint64_t end,
                     const WireRecord *r)
{
    WireSpan span = { start, end, r, r ? (uint32_t)(start - r->start) : 0 };

    if (start < end) {
        g_array_append_val(spans, span);
    }
}

void wire_stream_spans(const WireStream *s, uint64_t start, uint64_t end,
                       GArray *spans)
{
    guint i;

    for (i = first_record(s->records, start);
         i < s->records->len && start < end; i++) {
        const WireRecord *r = &g_array_index(s->records, WireRecord, i);
        /* of an incomplete header, the bytes so far are known */
        uint64_t r_end = r->start + (r->len ? r->len : s->next - r->start);
        uint64_t low = MAX(start, r->start), high = MIN(end, r_end);

        if (low >= high) {
            continue;
        }
        add_span(spans, start, low, NULL);
        add_span(spans, low, high, r);
        start = high;
    }
    add_span(spans, start, end, NULL);
}

void wire_stream_passed(const WireStream *s, uint64_t start, uint64_t end,
                        GArray *passed)
{
    guint i;

    for (i = first_passed(s->passed, start); i < s->passed->len; i++) {
        const WirePassed *p = &g_array_index(s->passed, WirePassed, i);

        if (p->start >= end) {
            break;
        }
        add_passed(passed, MAX(p->start, start), MIN(p->end, end), p->count);
    }
}
