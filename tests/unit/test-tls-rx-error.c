/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the contents of packets with flag 3 (rx-error-bytes, tls_rx.h): each
 * value for each position of a wrong tag, and that software can recover the
 * ciphertext. All bytes are compared with records sealed or opened by
 * libcrypto's own AES-GCM.
 */
#include "tls-rx-bench.h"

#include <string.h>

static GRand *rng;

static const char *const values[] = { "record", "packet", "wire" };

#define VALUES(v) \
    for (int v = MLX5_TLS_ERROR_RECORD; v <= MLX5_TLS_ERROR_WIRE; v++)

static void set_value(Mlx5TlsKnobs *knobs, int v)
{
    g_assert_cmpstr(mlx5_tls_knobs_parse(knobs, "rx-error-bytes", values[v]),
                    ==, NULL);
    g_assert_cmpint(knobs->rx_error_bytes, ==, v);
}

/* ---- the places ---------------------------------------------------------- */

/* The records of these tests: their plaintext's lengths. */
static const size_t texts[] = { 200, 150, 40, 300, 60, 500 };

/* A place in the stream: off bytes behind the beginning of a record. */
typedef struct At {
    unsigned rec;
    int off;
} At;

typedef struct Place {
    const char *name;
    At first;           /* one packet with flag 1 from 0 to here; none if it is
                         * 0 */
    bool overlap;       /* then one that begins a byte too early, up to
                         * `from` */
    At from, to;        /* the packet with the wrong tag, */
    unsigned bad;       /* which is that of this record */
    bool rest;          /* record: the rest of the record open at `from` is
                         * transformed */
    At next;            /* then packets from `to` to here, of a record that
                         * began before */
} Place;

static const Place places[] = {
    { "alone, of a record that was shown", { 0, 80 }, false,
      { 0, 80 }, { 1, 0 }, 0, true, { 1, 0 } },
    { "first, of a record that was shown", { 0, 80 }, false,
      { 0, 80 }, { 2, 30 }, 0, true, { 3, 0 } },
    { "in the middle", { 0, 80 }, false,
      { 0, 80 }, { 3, 0 }, 1, true, { 3, 0 } },
    { "last, and then a part of a header", { 0, 80 }, false,
      { 0, 80 }, { 3, 3 }, 2, true, { 4, 0 } },
    { "last, and then a whole header", { 0, 80 }, false,
      { 0, 80 }, { 3, 5 }, 2, true, { 4, 0 } },
    { "of a record that lies whole in the packet", { 1, 0 }, false,
      { 1, 0 }, { 2, 0 }, 1, false, { 2, 0 } },
    { "of three whole records the second", { 1, 0 }, false,
      { 1, 0 }, { 4, 0 }, 2, false, { 4, 0 } },
    { "of a record that was shown by its header only", { 0, 3 }, false,
      { 0, 3 }, { 1, 20 }, 0, true, { 2, 0 } },
    { "of a record that was shown up to its nonce", { 0, 9 }, false,
      { 0, 9 }, { 1, 20 }, 0, true, { 2, 0 } },
    { "of a record that was not shown", { 1, 0 }, true,
      { 1, 100 }, { 2, 25 }, 1, false, { 3, 0 } },
    { "of which only the last byte is in the packet", { 0, 80 }, true,
      { 1, -1 }, { 1, 60 }, 0, true, { 2, 0 } },
    { "in the packet with the anchor", { 0, 0 }, false,
      { 0, 0 }, { 1, 90 }, 0, false, { 2, 0 } },
};

static size_t at(const Rx *t, At a)
{
    return OFF(t, a.rec) + a.off;
}

static void run_place(const Place *pl, int v, bool v13, size_t key_len,
                      bool in_tag)
{
    size_t from, to, next, flip, rest, p = 0;
    const RefRecord *bad;
    Mlx5TlsFlag flag;
    bool begun;
    Rx t;

    g_test_message("%s, %s", pl->name, values[v]);
    rx_new_stream(&t, rng, v13, key_len, 7, -ref_rand_range(rng, 0, 900));
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        ref_stream_add(t.st, rng, 23, texts[i]);
    }
    set_value(t.knobs, v);
    from = at(&t, pl->from);
    to = at(&t, pl->to);
    next = at(&t, pl->next);
    bad = ref_rec(t.st, pl->bad);
    /* a byte of the tag, or of the text that lies in the packet */
    flip = bad->off + bad->len - 1;
    if (!in_tag) {
        flip = MAX(from, bad->text_off);
        if (flip >= bad->text_off + bad->text_len) {
            rx_free(&t);
            return;
        }
    }
    rx_start(&t, t.base);
    if (at(&t, pl->first)) {
        p = at(&t, pl->first);
        rx_pkt(&t, 0, p, F1, 3, OFFLOAD);
    }
    if (pl->overlap) {
        rx_pkt(&t, p - 1, from, F0, 7, OFFLOAD);
    }
    switch (v) {
    case MLX5_TLS_ERROR_RECORD:
        rest = pl->rest ? OFF(&t, pl->from.rec + (pl->from.off > 0)) : from;
        break;
    case MLX5_TLS_ERROR_PACKET:
        rest = to;
        break;
    default:
        rest = from;
        break;
    }
    rx_pkt_error(&t, from, to, flip, from, rest, from ? 5 : 3, OFFLOAD);
    begun = v == MLX5_TLS_ERROR_RECORD && next != to;
    g_assert_cmpint(rx_took(&t, 35), ==, begun);
    g_assert_cmpuint(COUNT(&t, rx_skipped), ==, begun && pl->to.off >= 5);
    /* a record that began in it, in one packet, and in two */
    flag = begun ? F0 : F1;
    if (next != to) {
        rx_pkt(&t, to, next - 1, flag, 5, OFFLOAD);
        if (flag == F0) {
            WHY(&t, SKIPPED_RECORD);
        }
        g_assert_cmpuint(COUNT(&t, rx_skipped), ==, begun);
        rx_pkt(&t, next - 1, next, flag, 5, OFFLOAD);
    }
    /* and the next record is as good as ever */
    rx_pkt(&t, next, END(&t), F1, 5, OFFLOAD);
    g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 1);
    rx_free(&t);
}

static void test_places(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        VALUES(v) {
            for (int kind = 0; kind < 8; kind++) {
                run_place(&places[i], v, kind & 1, kind & 2 ? 32 : 16,
                          kind & 4);
            }
        }
    }
}

/*
 * R35: of each byte of header and record that can be the last of a packet with
 * flag 3
 */
static void test_r35(void)
{
    for (size_t n = 1; n < 150 + 29; n++) {
        Rx t;

        rx_new_stream(&t, rng, false, 16, 7, 99);
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
            ref_stream_add(t.st, rng, 23, texts[i]);
        }
        rx_start(&t, t.base);
        rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
        rx_pkt_error(&t, 30, OFF(&t, 1) + n, OFF(&t, 1) - 5, 0, OFF(&t, 1), 5,
                     OFFLOAD);
        g_assert_true(rx_took(&t, 35));
        /* lost for good if its header is, else the place is kept */
        if (n & 1) {
            rx_pkt(&t, OFF(&t, 1) + n, OFF(&t, 2) + 10, F0, 5, OFFLOAD);
            rx_pkt(&t, OFF(&t, 2) + 10, END(&t), F1, 5, OFFLOAD);
        } else if (n < 5) {
            rx_pkt(&t, OFF(&t, 1) + n + 1, OFF(&t, 1) + 20, F0, 9, SEARCH);
            g_assert_false(t.rx.hdr_skip);
        } else {
            rx_pkt(&t, OFF(&t, 1) + n + 1, OFF(&t, 2) + 10, F0, 8, OFFLOAD);
            rx_pkt(&t, OFF(&t, 2) + 10, END(&t), F1, 5, OFFLOAD);
        }
        rx_free(&t);
    }
}

/* SET_PSV forgets that the record of the open header was to be skipped. */
static void test_restart(void)
{
    Rx t;

    rx_new(&t, rng);
    rx_start(&t, t.base);
    rx_pkt_flip(&t, 0, OFF(&t, 1) + 2, OFF(&t, 1) - 1, F3, 3, OFFLOAD);
    g_assert_true(rx_took(&t, 35));
    rx_start(&t, t.base);
    rx_pkt(&t, 0, END(&t), F1, 3, OFFLOAD);
    rx_free(&t);
}

/*
 * Bytes of a record that was given up before the wrong tag: flag 0, as with a
 * right tag. With flag 3 software would take them for transformed if it had got
 * other bytes of that record by flag 1.
 */
static void test_behind_skipped(void)
{
    VALUES(v) {
        Rx t;

        rx_new(&t, rng);
        set_value(t.knobs, v);
        rx_start(&t, t.base);
        rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
        rx_pkt(&t, 40, 50, F0, 8, OFFLOAD);
        rx_pkt_flip(&t, 50, OFF(&t, 2), OFF(&t, 2) - 1, F0, 5, OFFLOAD);
        WHY(&t, BAD_TAG);
        g_assert_cmpuint(COUNT(&t, rx_tag_bad), ==, 1);
        rx_pkt(&t, OFF(&t, 2), END(&t), F1, 5, OFFLOAD);
        rx_free(&t);
    }
}

/*
 * Tracking is lost behind the wrong tag: what was followed is as the value
 * says.
 */
static void test_lost_behind(void)
{
    VALUES(v) {
        size_t rest;
        Rx t;

        rx_new(&t, rng);
        set_value(t.knobs, v);
        t.knobs->bad_tag_action = MLX5_TLS_BAD_TAG_SEARCH;
        rx_start(&t, t.base);
        rx_pkt(&t, 0, 30, F1, 3, OFFLOAD);
        rest = v == MLX5_TLS_ERROR_WIRE ? 0 : OFF(&t, 1);
        rx_pkt_error(&t, 30, OFF(&t, 3) + 30, OFF(&t, 1) - 1, 0, rest, 5,
                     SEARCH);
        g_assert_false(rx_took(&t, 35));
        rx_free(&t);
    }
}

/* ---- getting it back ----------------------------------------------------- */

/* What the software has of each byte of the stream: the first that arrived. */
typedef struct Got {
    uint8_t byte;
    int8_t flag;            /* -1: not there yet */
} Got;

/*
 * What software does that finds records which the context cannot have decrypted
 * (they are under another key, or damaged): apply the context's key stream
 * again to what it transformed. sw is the value that the software believes in.
 * Returns whether all is as it was on the wire.
 */
static bool undo(const RefStream *st, const uint8_t *wire, const Got *got,
                 int sw, const RefKeys *k)
{
    for (unsigned i = 0; i < st->recs->len; i++) {
        const RefRecord *r = ref_rec(st, i);
        g_autofree uint8_t *text = g_malloc(r->text_len + 1);
        bool shown = false;

        /* text ^ wire is the key stream */
        ref_open_prefix(k, st->first_number + i, wire + r->off, text,
                        r->text_len);
        for (size_t x = r->off; x < r->off + r->len; x++) {
            shown |= got[x].flag == F1;
        }
        for (size_t x = r->off; x < r->off + r->len; x++) {
            bool again = got[x].flag == F1 ||
                         (got[x].flag == F3 && (sw == MLX5_TLS_ERROR_PACKET ||
                          (sw == MLX5_TLS_ERROR_RECORD && shown)));
            uint8_t byte = got[x].byte;

            if (again && x >= r->text_off && x < r->text_off + r->text_len) {
                byte ^= text[x - r->text_off] ^ wire[x];
            }
            if (got[x].flag >= 0 && byte != wire[x]) {
                return false;
            }
        }
    }
    return true;
}

/*
 * Has the records from @change on under the key of @other, an empty stream; or,
 * if that is NULL, some tags wrong. @wire are the bytes of @st.
 */
static void damage(uint8_t *wire, const RefStream *st, RefStream *other,
                   unsigned change)
{
    for (unsigned i = other ? change : 0; i < st->recs->len; i++) {
        const RefRecord *r = ref_rec(st, i);

        if (other) {
            ref_stream_add(other, rng, 23, r->text_len);
            memcpy(wire + r->off,
                   other->wire->data + ref_rec(other, i - change)->off, r->len);
        } else if (ref_rand_range(rng, 0, 3) == 0) {
            wire[r->off + r->len - 1] ^= 1;
        }
    }
}

/*
 * A stream in which some records are under another key (as behind a KeyUpdate:
 * all from one on) or have a wrong tag, in packets of some size, lost and
 * repeated.
 */
static void random_case(int v, unsigned failed[3], uint64_t flags[4])
{
    bool v13 = ref_rand_range(rng, 0, 1),
         rekey = v13 && ref_rand_range(rng, 0, 1);
    unsigned max = (unsigned[]) { 1, 60, 700, 6000 }[ref_rand_range(rng, 0, 3)];
    unsigned segment =
        (unsigned[]){ 7, 100, 1448, 5000 }[ref_rand_range(rng, 0, 3)];
    unsigned loss = ref_rand_range(rng, 0, 1) * 5, n = 30, change;
    g_autoptr(RefStream) other = NULL;
    g_autofree uint8_t *wire = NULL;
    g_autofree Got *got = NULL;
    GArray *late = g_array_new(FALSE, FALSE, sizeof(size_t[2]));
    size_t len;
    RefKeys k;
    Rx t;

    rx_new_stream(&t, rng, v13, ref_rand_range(rng, 0, 1) ? 32 : 16, 1000,
                  g_rand_int(rng));
    ref_keys_random(&k, rng, v13, 16);
    other = ref_stream_new(&k, 0);
    for (unsigned i = 0; i < n; i++) {
        ref_stream_add(t.st, rng, 23, ref_rand_range(rng, v13, max));
    }
    change = ref_rand_range(rng, 1, n - 1);
    wire = g_memdup2(t.st->wire->data, t.st->wire->len);
    len = t.st->wire->len;
    damage(wire, t.st, rekey ? other : NULL, change);
    got = g_new0(Got, len);
    for (size_t x = 0; x < len; x++) {
        got[x].flag = -1;
    }
    set_value(t.knobs, v);
    rx_start(&t, t.base);
    for (size_t pos = 0; pos < len || late->len; ) {
        size_t n_bytes = ref_rand_range(rng, 1, segment);
        size_t from = pos, to = MIN(len, pos + n_bytes);
        g_autofree uint8_t *buf = NULL;

        if (late->len && (pos == len || ref_rand_range(rng, 0, 9) == 0)) {
            from = g_array_index(late, size_t, 0);
            to = g_array_index(late, size_t, 1);
            g_array_remove_index(late, 0);
        } else {
            pos = to;
            if (ref_rand_range(rng, 0, 99) < loss) {
                size_t range[2] = { from, to };

                g_array_append_val(late, range);
                continue;
            }
        }
        buf = g_memdup2(wire + from, to - from);
        mlx5_tls_rx_packet(&t.rx, t.base + from, buf, to - from, &t.res);
        flags[t.res.flag]++;
        for (size_t x = from; x < to; x++) {
            if (got[x].flag < 0) {
                got[x] = (Got) { buf[x - from], t.res.flag };
            }
        }
        if (t.rx.state == CAND && ref_rand_range(rng, 0, 2) == 0) {
            for (unsigned i = 0; i < n; i++) {
                if (t.rx.hw_resync == (uint32_t)(t.base + OFF(&t, i))) {
                    rx_static(&t, ref_rec(t.st, i)->number, t.rx.hw_resync);
                    break;
                }
            }
        }
    }
    VALUES(sw) {
        failed[sw] += !undo(t.st, wire, got, sw, &t.st->keys);
    }
    g_array_unref(late);
    rx_free(&t);
}

/*
 * Whatever comes in whatever order, software that knows the value gets the
 * ciphertext back; software that believes in another does not.
 */
static void test_undo(void)
{
    unsigned cases = ref_env("MLX5_TEST_PACKETS", 20000) / 40;

    VALUES(v) {
        unsigned failed[3] = { 0 };
        uint64_t flags[4] = { 0 };

        for (unsigned i = 0; i < cases; i++) {
            random_case(v, failed, flags);
            if (failed[v]) {
                g_error("%s: case %u cannot be undone", values[v], i);
            }
        }
        g_test_message(
            "%s: flags %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
            " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
            "; undone as record, packet, wire: %u, %u, %u of %u fail",
            values[v], flags[0], flags[1], flags[2], flags[3], failed[0],
            failed[1], failed[2], cases);
        VALUES(sw) {
            g_assert_true((failed[sw] == 0) == (sw == v));
        }
        for (int i = 0; i < 4; i++) {
            g_assert_cmpuint(flags[i], >, 0);
        }
    }
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    ref_test_add("/tls/rx/error-bytes", test_places);
    ref_test_add("/tls/rx/R35-skip-begun", test_r35);
    ref_test_add("/tls/rx/error-restart", test_restart);
    ref_test_add("/tls/rx/error-behind-skipped", test_behind_skipped);
    ref_test_add("/tls/rx/error-lost-behind", test_lost_behind);
    ref_test_add("/tls/rx/error-undo", test_undo);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
