/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of stream.c: records and transmissions under loss, reordering,
 * duplication and retransmission in other cuts, against a model that keeps one
 * entry for each byte.
 */
#include "bench.h"

/* The plain truth about each byte of the stream. */
typedef struct Model {
    const Stream *stream;
    uint32_t *passed;       /* how often it has */
    const WireRecord **owner;   /* the record it belongs to */
    uint32_t front;         /* all bytes before this one have passed */
} Model;

/* Does the wire know the record of byte `at`, by what it has seen? */
static const WireRecord *model_record(const Model *m, uint32_t at)
{
    const WireRecord *r = m->owner[at];

    g_assert_nonnull(r);
    if (r->start >= m->front) {
        return NULL;
    }
    return r->start + 5 <= m->front || at < m->front ? r : NULL;
}

static Model model_new(const Stream *stream)
{
    Model m = { stream, g_new0(uint32_t, stream->bytes->len),
                g_new0(const WireRecord *, stream->bytes->len), 0 };
    uint32_t at;
    unsigned i;

    for (i = 0; i < stream->records->len; i++) {
        const WireRecord *r = stream_record(stream, i);

        for (at = 0; at < r->len; at++) {
            m.owner[r->start + at] = r;
        }
    }
    return m;
}

static void model_pass(Model *m, uint32_t from, uint32_t to)
{
    for (; from < to; from++) {
        m->passed[from]++;
    }
    while (m->front < m->stream->bytes->len && m->passed[m->front]) {
        m->front++;
    }
}

static void compare(const Model *m, const WireStream *s, uint32_t from,
                    uint32_t to)
{
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(WireSpan));
    GArray *passed = g_array_new(FALSE, FALSE, sizeof(WirePassed));
    uint32_t at;
    guint i, n;

    wire_stream_spans(s, from, to, spans);
    wire_stream_passed(s, from, to, passed);
    for (at = from, i = n = 0; at < to; at++) {
        const WireRecord *want = model_record(m, at);
        const WireSpan *span;
        const WirePassed *p;

        if (i < spans->len && g_array_index(spans, WireSpan, i).end == at) {
            i++;
        }
        if (n < passed->len && g_array_index(passed, WirePassed, n).end == at) {
            n++;
        }
        g_assert_cmpuint(i, <, spans->len);
        g_assert_cmpuint(n, <, passed->len);
        span = &g_array_index(spans, WireSpan, i);
        p = &g_array_index(passed, WirePassed, n);
        g_assert_cmpuint(span->start, <=, at);
        g_assert_cmpuint(span->end, >, at);
        g_assert_cmpuint(p->start, <=, at);
        g_assert_cmpuint(p->count, ==, m->passed[at]);
        g_assert_cmpint(span->record != NULL, ==, want != NULL);
        if (want) {
            const WireRecord *got = span->record;

            g_assert_cmpuint(got->start, ==, want->start);
            g_assert_cmpuint(got->type, ==, want->type);
            g_assert_cmpint(got->wire, ==, want->wire);
            g_assert_cmpint(got->record, ==, want->record);
            g_assert_cmpint(got->app, ==, want->app);
            g_assert_cmpuint(got->len, ==,
                             want->start + 5 <= m->front ? want->len : 0);
            g_assert_cmpuint(span->at + (at - span->start), ==,
                             at - want->start);
        }
    }
    g_assert_cmpuint(g_array_index(spans, WireSpan, i).end, ==, to);
    g_array_free(spans, TRUE);
    g_array_free(passed, TRUE);
}

static Stream random_stream(void)
{
    Stream s = stream_new();
    unsigned n = (unsigned)g_test_rand_int_range(3, 40);

    if (g_test_rand_bit()) {
        stream_add_handshake(&s);
    }
    while (n--) {
        stream_add(&s, (uint8_t)frame_pick(23, 23, 23, 23, 23, 21, 22),
                   (uint32_t)frame_pick(24, 25, 30, 30, 100, 250, 256, 256, 17),
                   false);
    }
    return s;
}

typedef struct Cut {
    uint32_t from;
    uint32_t to;
} Cut;

/*
 * Segments in the order in which they pass: some late, some twice, some in
 * other cuts.
 */
static GArray *random_cuts(uint32_t len)
{
    GArray *cuts = g_array_new(FALSE, FALSE, sizeof(Cut));
    uint32_t at = 0;
    guint i;

    while (at < len) {
        /* drawn first: MIN() would draw twice */
        uint32_t more = (uint32_t)frame_pick(1, 2, 3, 5, 40, 41, 130, 500);
        uint32_t back = (uint32_t)g_test_rand_int_range(1, 60);
        Cut cut = { at, MIN(len, at + more) };

        if (g_test_rand_int_range(0, 8) == 0) {
            cut.from -= MIN(at, back);
        }
        g_array_append_val(cuts, cut);
        if (g_test_rand_int_range(0, 8) == 0) {
            g_array_append_val(cuts, cut);
        }
        at = cut.to;
    }
    for (i = 0; i < cuts->len / 5; i++) {
        guint from = (guint)g_test_rand_int_range(0, (gint)cuts->len);
        guint to = from + (guint)g_test_rand_int_range(1, 12);
        Cut cut = g_array_index(cuts, Cut, from);

        g_array_remove_index(cuts, from);
        g_array_insert_val(cuts, MIN(cuts->len, to), cut);
    }
    return cuts;
}

static void test_random(void)
{
    unsigned round, rounds = g_test_slow() ? 50000 : 3000;
    guint i;

    for (round = 0; round < rounds; round++) {
        Stream stream = random_stream();
        uint32_t len = stream.bytes->len, base = (uint32_t)g_test_rand_int(),
                 cut;
        GArray *cuts = random_cuts(len);
        Model m = model_new(&stream);
        WireStream s;

        if (g_test_rand_bit()) {
            /* it wraps */
            base = 0u - (uint32_t)g_test_rand_int_range(0, (gint)len + 10);
        }
        wire_stream_init(&s);
        wire_stream_syn(&s, base - 1);
        for (i = 0; i < cuts->len; i++) {
            Cut c = g_array_index(cuts, Cut, i);
            uint8_t *data = dup_exact(stream.bytes->data + c.from,
                                      c.to - c.from);

            g_assert_cmpuint(
                wire_stream_feed(&s, base + c.from, data, c.to - c.from, &cut),
                ==, c.from);
            g_assert_cmpuint(cut, ==, 0);
            g_free(data);
            model_pass(&m, c.from, c.to);
            compare(&m, &s, c.from, c.to);
        }
        g_assert_cmpuint(m.front, ==, len);
        g_assert_cmpint(s.n_wire, ==, stream.n[0]);
        g_assert_cmpint(s.n_record, ==, stream.n[1]);
        g_assert_cmpint(s.n_app, ==, stream.n[2]);
        g_assert_cmpuint(s.lost, ==, 0);
        g_assert_cmpuint(s.behind_bytes, ==, 0);
        g_assert_cmpuint(wire_stream_seq(&s, s.rec_end), ==, base + len);
        compare(&m, &s, 0, len);
        wire_stream_clear(&s);
        g_array_free(cuts, TRUE);
        g_free(m.passed);
        g_free(m.owner);
        stream_free(&stream);
    }
}

/* Feed bytes in order, in segments of `mss`, from sequence number `seq` on. */
static void feed_all(WireStream *s, uint32_t seq, const uint8_t *data,
                     uint32_t len, uint32_t mss)
{
    uint32_t at, cut;

    for (at = 0; at < len; at += mss) {
        wire_stream_feed(s, seq + at, data + at, MIN(mss, len - at), &cut);
    }
}

/* The numbers that the documentation states, for the usual handshakes. */
static void test_numbers(void)
{
    static const uint8_t tls12[] = { 22, 22, 20, 22, 23, 23, 21 };
    static const int record12[] = { -1, -1, -1, 0, 1, 2, 3 };
    static const int app12[] = { -1, -1, -1, -1, 0, 1, -1 };
    static const uint8_t tls13[] = { 22, 20, 23, 23, 23 };
    static const int record13[] = { -1, -1, 0, 1, 2 };
    Stream s = stream_new(), t = stream_new();
    WireStream ws;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(tls12); i++) {
        stream_add(&s, tls12[i], tls12[i] == 20 ? 1 : 40, true);
    }
    wire_stream_init(&ws);
    wire_stream_syn(&ws, 0xffffffff);
    feed_all(&ws, 0, s.bytes->data, s.bytes->len, 7);
    g_assert_cmpuint(ws.records->len, ==, G_N_ELEMENTS(tls12));
    for (i = 0; i < G_N_ELEMENTS(tls12); i++) {
        const WireRecord *r = &g_array_index(ws.records, WireRecord, i);

        g_assert_cmpint(r->wire, ==, i);
        g_assert_cmpint(r->record, ==, record12[i]);
        g_assert_cmpint(r->app, ==, app12[i]);
    }
    wire_stream_clear(&ws);

    for (i = 0; i < G_N_ELEMENTS(tls13); i++) {
        stream_add(&t, tls13[i], tls13[i] == 20 ? 1 : 40, true);
    }
    wire_stream_init(&ws);
    wire_stream_syn(&ws, 0xffffffff);
    feed_all(&ws, 0, t.bytes->data, t.bytes->len, 1000);
    for (i = 0; i < G_N_ELEMENTS(tls13); i++) {
        g_assert_cmpint(g_array_index(ws.records, WireRecord, i).record, ==,
                        record13[i]);
    }
    wire_stream_clear(&ws);
    stream_free(&s);
    stream_free(&t);
}

/*
 * A plain protocol first, or a connection picked up in the middle of a record.
 */
static void test_found_late(void)
{
    static const uint8_t plain[] =
        "220 ready\r\n250 STARTTLS\003\r\n\027\003 not yet";
    unsigned mss, skip;

    for (mss = 1; mss < 60; mss++) {
        Stream s = stream_new();
        WireStream ws;

        stream_add(&s, 23, 100, true);
        stream_add(&s, 23, 200, true);
        wire_stream_init(&ws);
        wire_stream_syn(&ws, 999);
        feed_all(&ws, 1000, plain, sizeof(plain), mss);
        g_assert_cmpint(ws.n_wire, ==, 0);
        feed_all(&ws, 1000 + sizeof(plain), s.bytes->data, s.bytes->len, mss);
        g_assert_cmpint(ws.n_wire, ==, 2);
        g_assert_cmpuint(ws.lost, ==, 0);
        g_assert_cmpuint(g_array_index(ws.records, WireRecord, 0).start, ==,
                         sizeof(plain));
        wire_stream_clear(&ws);

        for (skip = 0; skip < 105; skip += 7) {
            wire_stream_init(&ws);
            feed_all(&ws, 5000, s.bytes->data + skip, s.bytes->len - skip, mss);
            g_assert_cmpint(ws.n_wire, ==, skip ? 1 : 2);
            g_assert_cmpuint(g_array_index(ws.records, WireRecord, 0).start, ==,
                             skip ? 105 - skip : 0);
            wire_stream_clear(&ws);
        }
        stream_free(&s);
    }
}

/* What stands where a header must is none, at each of its bytes. */
static void test_chain_breaks(void)
{
    static const struct {
        unsigned byte;
        uint8_t value;
    } bad[] = {
        { 0, 24 }, { 0, 19 }, { 0, 3 }, { 1, 2 }, { 2, 5 }, { 3, 0x60 }
    };
    unsigned i, mss;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        for (mss = 1; mss < 12; mss++) {
            Stream s = stream_new();
            WireStream ws;

            stream_add(&s, 23, 50, true);
            stream_add(&s, 23, 50, true);
            stream_add(&s, 23, 50, true);
            stream_add(&s, 23, 50, true);
            s.bytes->data[55 + bad[i].byte] = bad[i].value;
            wire_stream_init(&ws);
            wire_stream_syn(&ws, 0);
            feed_all(&ws, 1, s.bytes->data, s.bytes->len, mss);
            /* the broken one has no number, those behind it go on */
            g_assert_cmpuint(ws.lost, ==, 1);
            g_assert_cmpint(ws.n_wire, ==, 3);
            g_assert_cmpint(ws.n_record, ==, 3);
            g_assert_cmpuint(g_array_index(ws.records, WireRecord, 1).start, ==,
                             110);
            wire_stream_clear(&ws);
            stream_free(&s);
        }
    }
}

/* A first record that is none takes "encrypted" back with it. */
static void test_retracted(void)
{
    static const uint8_t bytes[] = { 23, 3, 9, 0, 0,  22, 3, 3, 0, 4,
                                     1,  2, 4, 5, 20, 3,  3, 0, 1, 1,
                                     22, 3, 3, 0, 4,  9,  9, 9, 9 };
    unsigned mss;

    for (mss = 1; mss <= sizeof(bytes); mss++) {
        WireStream ws;

        wire_stream_init(&ws);
        wire_stream_syn(&ws, 0);
        feed_all(&ws, 1, bytes, sizeof(bytes), mss);
        g_assert_cmpint(ws.n_wire, ==, 3);
        g_assert_cmpint(ws.n_record, ==, 1);
        g_assert_cmpint(ws.n_app, ==, 0);
        g_assert_cmpint(g_array_index(ws.records, WireRecord, 0).record, ==,
                        -1);
        wire_stream_clear(&ws);
    }
}

/* Bytes before the stream are no part of it. */
static void test_before(void)
{
    static const uint8_t bytes[10];
    WireStream ws;
    uint32_t cut;

    wire_stream_init(&ws);
    wire_stream_syn(&ws, 99);
    g_assert_cmpuint(wire_stream_feed(&ws, 99, bytes, 1, &cut), ==, 0);
    g_assert_cmpuint(cut, ==, 1);
    g_assert_cmpuint(ws.high, ==, 0);
    g_assert_cmpuint(wire_stream_feed(&ws, 97, bytes, 10, &cut), ==, 0);
    g_assert_cmpuint(cut, ==, 3);
    g_assert_cmpuint(ws.high, ==, 7);
    wire_stream_clear(&ws);
}

/*
 * A hole that nobody fills: within a record the chain goes on, else it is
 * searched.
 */
static void test_hole_stays(void)
{
    /* of 20 bytes, in records of 105 */
    static const uint32_t holes[] = { 50, 205 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(holes); i++) {
        uint32_t before = holes[i], cut, at;
        Stream s = stream_new();
        WireStream ws;

        while (s.bytes->len < WIRE_MAX_BEHIND + (1u << 20)) {
            stream_add(&s, 23, s.bytes->len < 1000 ? 100 : 16000, true);
        }
        wire_stream_init(&ws);
        wire_stream_syn(&ws, 0);
        wire_stream_feed(&ws, 1, s.bytes->data, before, &cut);
        for (at = before + 20; at < s.bytes->len; at += 1400) {
            wire_stream_feed(&ws, 1 + at, s.bytes->data + at,
                             MIN(1400, s.bytes->len - at), &cut);
            g_assert_cmpuint(ws.behind_bytes, <=, WIRE_MAX_BEHIND + 2000);
        }
        /* the hole of the second case has the header at 210 */
        g_assert_cmpuint(ws.lost, ==, i);
        g_assert_cmpint(ws.n_wire, ==,
                        stream_record(&s, s.records->len - 1)->wire + 1 - i);
        g_assert_cmpuint(ws.next, ==, s.bytes->len);
        wire_stream_clear(&ws);
        stream_free(&s);
    }
}

/* What lies far back is forgotten, and memory has a bound. */
static void test_forgets(void)
{
    Stream s = stream_new();
    uint64_t total = 0;
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(WireSpan));
    uint32_t cut;
    WireStream ws;

    stream_add(&s, 23, 300, true);
    wire_stream_init(&ws);
    wire_stream_syn(&ws, 0);
    while (total < 3ull * WIRE_MEMORY) {
        wire_stream_feed(&ws, (uint32_t)(1 + total), s.bytes->data,
                         s.bytes->len, &cut);
        if (total % 7 == 0) {
            wire_stream_feed(&ws, (uint32_t)(1 + total), s.bytes->data, 100,
                             &cut);
        }
        total += s.bytes->len;
    }
    g_assert_cmpuint(ws.records->len, <, 2 * (WIRE_MEMORY / 305 + 5000));
    g_assert_cmpuint(ws.passed->len, <, 3 * (WIRE_MEMORY / 305 / 7 * 2 + 5000));
    g_assert_cmpint(ws.n_record, ==, (int64_t)(total / 305));
    wire_stream_spans(&ws, total - 10, total, spans);
    g_assert_cmpuint(spans->len, ==, 1);
    g_assert_cmpint(g_array_index(spans, WireSpan, 0).record->record, ==,
                    (int64_t)(total / 305 - 1));
    /* the beginning is unknown by now */
    g_array_set_size(spans, 0);
    wire_stream_spans(&ws, 0, 10, spans);
    g_assert_null(g_array_index(spans, WireSpan, 0).record);
    g_array_free(spans, TRUE);
    wire_stream_clear(&ws);
    stream_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/stream/numbers", test_numbers);
    g_test_add_func("/wire/stream/random", test_random);
    g_test_add_func("/wire/stream/found-late", test_found_late);
    g_test_add_func("/wire/stream/chain-breaks", test_chain_breaks);
    g_test_add_func("/wire/stream/retracted", test_retracted);
    g_test_add_func("/wire/stream/before", test_before);
    g_test_add_func("/wire/stream/hole-stays", test_hole_stays);
    g_test_add_func("/wire/stream/forgets", test_forgets);
    return g_test_run();
}
