/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of changing keys in a running stream (TLS 1.3, KeyUpdate), as done by a
 * driver: records of the new key in the old context, and the stream with a new
 * key, a new TIR and a new anchor; the same for a TIS, with retransmission of
 * old records. Described in docs/tls-rekey.md. All with strict=on. Owns no
 * state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "mlx5-tls-rx-rig.h"
#include "mlx5-tls-tx-rig.h"

/* The connections of TLS 1.3: AES-128, AES-256. */
#define KINDS_1_3(kind) for (kind = 1; kind < TLS_KINDS; kind += 2)

/* RFC 8446 4.6.3: update_not_requested */
static const uint8_t key_update[] = { 24, 0, 0, 1, 0 };

/* ------------------------------------------------------------ receiving --- */

typedef struct Rekey {
    TlsRx t;         /* t.c, t.dek and t.tirn are those of the newest key */
    unsigned kind;
    TlsConn old; /* the key before; rec_no is that of the first record behind
                        the KeyUpdate, as its context counts */
    uint32_t old_dek, old_tirn;
    GByteArray *odd; /* the stream as the old context transforms it */
} Rekey;

/* A record's clear form has garbage for a tag; delivered is what came. */
static void keep_tag(TlsRx *t, GByteArray *clear, size_t at)
{
    size_t tag = clear->len - TLS_TAG;

    memcpy(clear->data + tag, t->wire->data + at + tag, TLS_TAG);
    g_byte_array_append(t->plain, clear->data, clear->len);
}

static size_t add_key_update(TlsRx *t)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    size_t at = t->wire->len;

    tls_record(&t->c, REC_HANDSHAKE, key_update, sizeof(key_update), clear,
               t->wire);
    keep_tag(t, clear, at);
    return at;
}

/* A context in sync: one record has passed. */
static void rekey_start(Rekey *r, unsigned kind, const char *props)
{
    g_autofree char *all = g_strdup_printf(",strict=on%s", props);
    TlsRx *t = &r->t;
    size_t at;

    memset(r, 0, sizeof(*r));
    r->kind = kind;
    rx_bare_with(t, kind, 70, false, all);
    rx_post_static(t, t->c.rec_no, 0);
    rx_post_progress(t, t->seq0);
    at = rx_record(t, 200);
    rx_pass(t, at, t->wire->len - at, DECRYPTED);
    r->odd = g_byte_array_new();
}

/*
 * The sender changes its key: what comes from now on is record 0, 1, ... of it.
 */
static void rekey_sender(Rekey *r, unsigned n)
{
    TlsRx *t = &r->t;

    add_key_update(t);
    r->old = t->c;
    r->old_dek = t->dek;
    r->old_tirn = t->tirn;
    tls_conn(&t->c, r->kind, n);
    t->c.rec_no = 0;
    g_byte_array_set_size(r->odd, 0);
    g_byte_array_append(r->odd, t->plain->data, t->plain->len);
}

/* The next record of the new key. */
static size_t add_record(Rekey *r, size_t n)
{
    TlsRx *t = &r->t;
    size_t at = rx_record(t, n), len = t->wire->len - at;

    g_byte_array_set_size(r->odd, at + len);
    tls_transform(&r->old, r->old.rec_no++, t->wire->data + at, len,
                  r->odd->data + at);
    return at;
}

/*
 * The software has read the KeyUpdate: new key, new TIR, steering to it. Record
 * @rec_no begins at @anchor.
 */
static void rekey_receiver(Rekey *r, uint64_t rec_no, uint32_t anchor)
{
    TlsRx *t = &r->t;

    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tirn = drv_tir_tls(t->d, t->rq.rqn);
    rx_post_static(t, rec_no, 0);
    rx_post_progress(t, anchor);
    drv_unsteer(t->d, &t->st);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
}

static void old_context_goes(Rekey *r)
{
    drv_cmd_id_ok(r->t.d, OP_DESTROY_TIR, r->old_tirn);
    drv_dek_destroy(r->t.d, r->old_dek);
}

static void rekey_stop(Rekey *r)
{
    drv_strict_expect(r->t.d, NULL);
    g_byte_array_unref(r->odd);
    rx_stop(&r->t);
}

/*
 * Records of the new key meet the old one: the flags are 1 as long as no tag
 * was seen, then 3. The sizes make a packet with flag 3 hold the rest of a
 * record that was begun, a whole one, and the beginning of a third.
 */
static void test_in_flight(void)
{
    static const char *const values[] = { "record", "packet", "wire" };
    unsigned kind, i;

    KINDS_1_3(kind) {
        for (i = 0; i < G_N_ELEMENTS(values); i++) {
            bool by_record = i == 0, wire = i == 2;
            size_t end[6], from, to, clear;
            g_autofree uint8_t *want = NULL;
            const uint8_t *odd, *came;
            TlsRx *t;
            Rekey r;

            rekey_start(&r, kind, "");
            t = &r.t;
            fault_do(t->d, "rx-error-bytes", values[i]);
            from = rx_record(t, 300);
            rekey_sender(&r, 71);
            end[0] = add_record(&r, 700);
            end[1] = add_record(&r, 50);
            end[2] = add_record(&r, 600);
            end[3] = add_record(&r, 80);
            end[4] = add_record(&r, 900);
            end[5] = t->wire->len;
            odd = r.odd->data;
            came = t->wire->data;

            /* the last record of the old key, KeyUpdate, some of record 0 */
            to = end[0] + 200;
            rx_pass_as(t, from, to - from, DECRYPTED, odd + from);
            rx_pass_as(t, to, 200, DECRYPTED, odd + to);
            from = to + 200;
            to = end[2] + 100;
            clear = by_record ? end[1] : wire ? from : to;
            want = g_memdup2(came + from, to - from);
            memcpy(want, odd + from, clear - from);
            rx_pass_as(t, from, to - from, ERROR, want);
            /* the third record; one that lies whole in its packet */
            rx_pass_as(t, to, end[3] - to, by_record ? NOT_DECRYPTED : ERROR,
                       (by_record || wire ? came : odd) + to);
            rx_pass_as(t, end[3], end[4] - end[3], ERROR,
                       (by_record || wire ? came : odd) + end[3]);
            /* and so on: 1, 3 */
            rx_pass_as(t, end[4], 500, DECRYPTED, odd + end[4]);
            rx_pass_as(t, end[4] + 500, end[5] - end[4] - 500, ERROR,
                       (wire ? came : odd) + end[4] + 500);
            rx_expect_state(t, TRACKING, OFFLOAD);

            /* nothing of that matters to the new context */
            rekey_receiver(&r, 5, t->seq0 + end[5]);
            old_context_goes(&r);
            from = add_record(&r, 400);
            rx_pass(t, from, t->wire->len - from, DECRYPTED);
            g_assert_cmpuint(drv_objects(t->d, "dek"), ==, 1);
            g_assert_cmpuint(drv_objects(t->d, "tir"), ==, 1);
            rekey_stop(&r);
        }
    }
}

/* The new context's anchor is where the stream is, or not there yet. */
static void test_anchor_ahead(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        size_t a, b, c, d;
        TlsRx *t;
        Rekey r;

        /* at the next byte: R3 */
        rekey_start(&r, kind, "");
        t = &r.t;
        a = t->wire->len;
        rekey_sender(&r, 72);
        b = t->wire->len;
        rx_pass(t, a, b - a, DECRYPTED);
        rekey_receiver(&r, 0, t->seq0 + b);
        old_context_goes(&r);
        add_record(&r, 500);
        c = t->wire->len;
        rx_pass(t, b, 300, DECRYPTED);
        /* records of the old key that come again are old: not looked at */
        rx_pass(t, a, b - a, NOT_DECRYPTED);
        rx_pass(t, b + 300, c - b - 300, DECRYPTED);

        /* two packets ahead, the second of which it lies in: R2, R3 */
        rekey_sender(&r, 73);
        d = t->wire->len;
        rekey_receiver(&r, 0, t->seq0 + d);
        old_context_goes(&r);
        a = add_record(&r, 300);
        b = add_record(&r, 300);
        rx_pass(t, c, 10, NOT_DECRYPTED);
        rx_pass(t, c + 10, d - c - 10 + 100, NOT_DECRYPTED);
        rx_pass(t, d + 100, b - d - 100, DECRYPTED);
        rx_pass(t, b, t->wire->len - b, DECRYPTED);
        g_assert_cmpuint(drv_counter(t->d, "tls_rx_resync"), ==, 0);
        rekey_stop(&r);
    }
}

/*
 * The stream is beyond the anchor when the new context begins, as a rule: its
 * first record is the first behind the KeyUpdate, and that came while the old
 * context was there. R4, and the resync that any late start takes.
 */
static void test_anchor_behind(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        size_t a, at[8];
        unsigned i;
        TlsRx *t;
        Rekey r;

        rekey_start(&r, kind, "");
        t = &r.t;
        a = t->wire->len;
        rekey_sender(&r, 74);
        for (i = 0; i < G_N_ELEMENTS(at); i++) {
            at[i] = add_record(&r, 300);
        }
        rx_pass(t, a, at[0] - a, DECRYPTED);
        rx_pass_as(t, at[0], 200, DECRYPTED, r.odd->data + at[0]);
        rx_pass_as(t, at[0] + 200, at[1] - at[0] - 200, ERROR,
                   r.odd->data + at[0] + 200);
        rekey_receiver(&r, 0, t->seq0 + at[0]);
        old_context_goes(&r);
        rx_expect_state(t, START, NO_OFFLOAD);
        rx_pass(t, at[1] + 100, 100, NOT_DECRYPTED);
        rx_expect_state(t, SEARCHING, NO_OFFLOAD);
        /* what the sender sends again of the time before is old */
        rx_pass(t, at[0], 200, NOT_DECRYPTED);
        rx_pass(t, at[1] + 200, at[2] - at[1] - 200 + 50, RESYNC);
        rx_expect_psv(t, t->seq0 + at[2], 0x40000000);
        rx_pass(t, at[2] + 50, at[4] - at[2] - 50, NOT_DECRYPTED);
        /* record 2 of the new key, as the software counts */
        rx_post_static(t, 2, t->seq0 + at[2]);
        rx_expect_state(t, TRACKING, AUTHENTICATION);
        rx_pass(t, at[4], at[5] - at[4], NOT_DECRYPTED);
        rx_pass(t, at[5], at[6] - at[5], DECRYPTED);
        rx_pass(t, at[6], t->wire->len - at[6], DECRYPTED);
        rekey_stop(&r);
    }
}

/*
 * Without a new TIR: parameters of the new key are kept (R25), and the old one
 * is in force until SET_PSV begins anew with them (R26).
 */
static void test_same_tir(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        size_t a, b;
        TlsRx *t;
        Rekey r;

        rekey_start(&r, kind, "");
        t = &r.t;
        a = rx_record(t, 300);
        rekey_sender(&r, 75);
        b = add_record(&r, 300);
        t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
        rx_pass(t, a, 100, DECRYPTED);
        rx_post_static(t, 0, 0);
        rx_pass(t, a + 100, b - a - 100, DECRYPTED);
        rx_post_progress(t, t->seq0 + b);
        drv_dek_destroy(t->d, r.old_dek);
        rx_pass(t, b, t->wire->len - b, DECRYPTED);
        rekey_stop(&r);
    }
}

/*
 * The old key's object may go before the old TIR, which keeps the key, and goes
 * on with it; and the new key may then get its number.
 */
static void test_dek_first(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        size_t a, b;
        TlsRx *t;
        Rekey r;

        rekey_start(&r, kind, "");
        t = &r.t;
        a = rx_record(t, 300);
        rekey_sender(&r, 76);
        b = add_record(&r, 300);
        drv_dek_destroy(t->d, r.old_dek);
        g_assert_cmpuint(drv_objects(t->d, "dek"), ==, 0);
        rx_pass(t, a, 100, DECRYPTED);
        t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
        rx_pass(t, a + 100, b - a - 100, DECRYPTED);
        t->tirn = drv_tir_tls(t->d, t->rq.rqn);
        rx_post_static(t, 0, 0);
        rx_post_progress(t, t->seq0 + b);
        drv_unsteer(t->d, &t->st);
        drv_steer_all(t->d, &t->st, t->tirn, 0);
        drv_cmd_id_ok(t->d, OP_DESTROY_TIR, r.old_tirn);
        rx_pass(t, b, t->wire->len - b, DECRYPTED);
        drv_dek_destroy(t->d, t->dek);
        g_assert_cmpuint(drv_objects(t->d, "dek"), ==, 0);
        /* the checker takes it for a driver's mistake */
        drv_strict_expect(t->d, "dek_stale");
        g_byte_array_unref(r.odd);
        rx_stop(t);
    }
}

/*
 * Keys out of a pool: a number that is loaded again needs SYNC_CRYPTO before it
 * is used, else the new context works with the key before last.
 */
static void test_pool(void)
{
    unsigned kind, sync;

    KINDS_1_3(kind) {
        for (sync = 0; sync < 2; sync++) {
            size_t at, i;
            uint32_t base;
            TlsConn stale;
            TlsRx *t;
            Rekey r;

            rekey_start(&r, kind, ",log-dek-max-alloc=1");
            t = &r.t;
            base = drv_dek_range(t->d, 1, t->c.key_len);
            /* keys 1, 2 and 3 of the connection: numbers 0, 1 and 0 again */
            for (i = 1; i < 3; i++) {
                at = t->wire->len;
                rekey_sender(&r, 76 + i);
                rx_pass(t, at, t->wire->len - at, DECRYPTED);
                drv_dek_load(t->d, base, i - 1, &t->c);
                t->dek = base + i - 1;
                rx_post_static(t, 0, 0);
                rx_post_progress(t, t->seq0 + t->wire->len);
                at = add_record(&r, 200);
                rx_pass(t, at, t->wire->len - at, DECRYPTED);
                if (i == 1) {
                    stale = t->c;
                }
            }
            at = t->wire->len;
            rekey_sender(&r, 79);
            rx_pass(t, at, t->wire->len - at, DECRYPTED);
            drv_dek_load(t->d, base, 0, &t->c);
            t->dek = base;
            if (sync) {
                g_assert_cmphex(drv_sync_crypto(t->d, 2).status, ==, 0);
            }
            rx_post_static(t, 0, 0);
            rx_post_progress(t, t->seq0 + t->wire->len);
            memcpy(stale.iv, t->c.iv, sizeof(stale.iv));
            stale.rec_no = 0;
            r.old = stale;
            at = add_record(&r, 200);
            g_assert_cmpuint(drv_counter(t->d, "tls_dek_stale"), ==, !sync);
            if (sync) {
                rx_pass(t, at, t->wire->len - at, DECRYPTED);
                rekey_stop(&r);
                continue;
            }
            rx_pass_as(t, at, 100, DECRYPTED, r.odd->data + at);
            rx_pass_as(t, at + 100, t->wire->len - at - 100, ERROR,
                       r.odd->data + at + 100);
            g_assert_cmpuint(drv_strict_count(t->d, "dek_unsynced"), ==, 1);
            g_assert_cmpuint(drv_strict_count(t->d, "dek_stale"), ==, 1);
            /* what was forgotten is made good */
            g_assert_cmphex(drv_sync_crypto(t->d, 2).status, ==, 0);
            rx_post_static(t, t->c.rec_no, 0);
            rx_post_progress(t, t->seq0 + t->wire->len);
            at = rx_record(t, 200);
            rx_pass(t, at, t->wire->len - at, DECRYPTED);
            g_assert_cmpuint(drv_strict_count(t->d, "total"), ==, 2);
            g_byte_array_unref(r.odd);
            rx_stop(t);
        }
    }
}

/* ---------------------------------------------------------- under load --- */

/*
 * Twelve ways in which a KeyUpdate can lie in traffic: the plaintexts of
 * records, in turn (0 ends them), and how the stream is cut into packets.
 */
static const unsigned texts[][5] = {
    { 200 }, { 700, 50, 600, 80 }, { 1400 }, { 3000, 30 },
};
enum { CUT_SMALL, CUT_FULL, CUT_AT_RECORDS, CUTS };
static const unsigned cut_size[CUTS] = { 331, 1448, 1448 };

enum {
    LOAD_KEY_UPDATE = 2,              /* two records, then the KeyUpdate, */
    LOAD_NEW = 3,                     /* then those of the new key */
    LOAD_RECORDS = LOAD_NEW + 64,
    LOAD_TURN = LOAD_NEW + 16,        /* the software is not done before it */
};

typedef struct Load {
    Rekey r;
    size_t at[LOAD_RECORDS + 1]; /* where they begin; where the last ends */
    uint8_t *got;                /* of each byte what was delivered, */
    uint8_t *flag;               /* and with which flag */
} Load;

/* The end of the packet that begins at @from. */
static size_t load_cut(const Load *l, unsigned how, size_t from)
{
    size_t to = MIN(from + cut_size[how], l->at[LOAD_RECORDS]);
    unsigned i;

    for (i = 0; how == CUT_AT_RECORDS && i < LOAD_RECORDS; i++) {
        if (l->at[i] > from && l->at[i] < to) {
            to = l->at[i];
        }
    }
    return to;
}

/* Has [from, to) of the stream received and notes how it came; the flag. */
static unsigned load_pass(Load *l, size_t from, size_t to)
{
    TlsRx *t = &l->r.t;
    FrameSpec s = rx_segment(t, from, to - from);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    unsigned flag;

    drv_wire_send(t->d, f.data, f.len);
    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, f.len);
    flag = MLX5_GET(cqe, cqe, tls_offload);
    drv_read(t->d, t->buf + (t->cc & ((1u << LOG_RQ) - 1)) * BUF + f.payload,
             l->got + from, to - from);
    memset(l->flag + from, flag, to - from);
    t->cc++;
    rx_fill(t, 1);
    frame_free(&f);
    return flag;
}

/*
 * What software that believes in rx-error-bytes=record makes of the records up
 * to @end, which the old context has delivered: is that the ciphertext?
 */
static bool load_undone(const Load *l, size_t end)
{
    const uint8_t *wire = l->r.t.wire->data, *odd = l->r.odd->data;
    unsigned i;
    size_t x;

    for (i = 0; i < LOAD_RECORDS && l->at[i] < end; i++) {
        size_t to = MIN(l->at[i + 1], end);
        bool shown = memchr(l->flag + l->at[i], DECRYPTED, to - l->at[i]);

        for (x = l->at[i]; x < to; x++) {
            bool again = l->flag[x] == DECRYPTED ||
                         (l->flag[x] == ERROR && shown);

            if ((again ? l->got[x] ^ odd[x] ^ wire[x] : l->got[x]) != wire[x]) {
                return false;
            }
        }
    }
    return true;
}

/* The new context takes over at @from, in the middle of the stream. */
static void load_take_over(Load *l, unsigned how, size_t from)
{
    TlsRx *t = &l->r.t;
    unsigned i, flag = NOT_DECRYPTED;
    uint8_t p[12];
    size_t to;

    rekey_receiver(&l->r, 0, t->seq0 + l->at[LOAD_NEW]);
    old_context_goes(&l->r);
    for (; from < l->at[LOAD_RECORDS]; from = to) {
        to = load_cut(l, how, from);
        flag = load_pass(l, from, to);
        g_assert_cmpuint(flag, !=, ERROR);
        g_assert_cmpmem(l->got + from, to - from,
                        (flag == DECRYPTED ? t->plain : t->wire)->data + from,
                        to - from);
        if (flag == RESYNC) {
            rx_get_psv(t, p);
            for (i = LOAD_NEW; l->at[i] != mlx5_ld32(p + 4) - t->seq0; i++) {
                g_assert_cmpuint(i, <, LOAD_RECORDS);
            }
            rx_post_static(t, i - LOAD_NEW, t->seq0 + l->at[i]);
        }
    }
    g_assert_cmpuint(flag, ==, DECRYPTED);
    rx_expect_state(t, TRACKING, OFFLOAD);
}

/*
 * One of the twelve, on a device with rx-error-bytes=@value. Returns whether
 * software gets back what the old context has touched of the new key's records;
 * if it does, the new context takes over and comes into sync.
 */
static bool load_run(unsigned kind, unsigned shape, unsigned how,
                     const char *value)
{
    const unsigned *text = texts[shape];
    Load l = { 0 };
    TlsRx *t = &l.r.t;
    size_t from, to;
    unsigned i, n = 0;
    bool undone;

    rekey_start(&l.r, kind, "");
    fault_do(t->d, "rx-error-bytes", value);
    from = t->wire->len;
    for (i = 0; i < LOAD_RECORDS; i++) {
        l.at[i] = t->wire->len;
        if (i == LOAD_KEY_UPDATE) {
            rekey_sender(&l.r, 80);
            continue;
        }
        n = n < G_N_ELEMENTS(texts[0]) && text[n] ? n : 0;
        if (i < LOAD_KEY_UPDATE) {
            rx_record(t, text[n++]);
        } else {
            add_record(&l.r, text[n++]);
        }
    }
    l.at[LOAD_RECORDS] = t->wire->len;
    l.got = g_malloc0(t->wire->len);
    l.flag = g_malloc0(t->wire->len);
    for (; from < l.at[LOAD_TURN]; from = to) {
        to = load_cut(&l, how, from);
        load_pass(&l, from, to);
    }
    rx_expect_state(t, TRACKING, OFFLOAD);
    undone = load_undone(&l, from);
    if (undone) {
        load_take_over(&l, how, from);
    }
    g_free(l.got);
    g_free(l.flag);
    rekey_stop(&l.r);
    return undone;
}

/*
 * A stream under load never loses a byte by a KeyUpdate, in none of the twelve,
 * if device and software have the same rule; with another rule in the device
 * software that relies on the default fails in some of them.
 */
static void test_load(void)
{
    static const char *const values[] = { "record", "packet", "wire" };
    unsigned v, shape, how, failed;

    for (v = 0; v < G_N_ELEMENTS(values); v++) {
        failed = 0;
        for (shape = 0; shape < G_N_ELEMENTS(texts); shape++) {
            for (how = 0; how < CUTS && !(v && failed); how++) {
                /* AES-128 and AES-256, both of TLS 1.3, in turn */
                unsigned kind = 1 + (shape + how) % 2 * 2;

                if (!load_run(kind, shape, how, values[v])) {
                    g_test_message("%s: records %u, packets %u: lost",
                                   values[v], shape, how);
                    failed++;
                }
            }
        }
        g_assert_cmpuint(failed != 0, ==, v != 0);
    }
}

/* -------------------------------------------------------------- sending --- */

typedef struct RekeyTx {
    TlsTx t;                  /* of the newest key */
    GByteArray *clear, *wire; /* the stream, both keys */
    uint32_t seq0;
    TlsConn old;              /* rec_no is that of the first record */
    uint32_t old_dek;
    size_t old_at[2], change, new_at[3];
} RekeyTx;

static void set_params(RekeyTx *r, const TlsConn *c, uint32_t dek,
                       uint64_t rec_no)
{
    TlsTx *t = &r->t;
    TlsConn now = t->c;
    uint32_t now_dek = t->dek;

    t->c = *c;
    t->c.rec_no = rec_no;
    t->dek = dek;
    post_params(t, t->sq, false);
    t->c = now;
    t->dek = now_dek;
}

/*
 * Two records under the old key, KeyUpdate, and three records for the new one,
 * whose parameters are posted. All but those of the new key was sent.
 */
static void rekey_tx(RekeyTx *r, unsigned kind)
{
    TlsTx *t = &r->t;
    uint32_t seq;
    unsigned i;

    memset(r, 0, sizeof(*r));
    r->clear = g_byte_array_new();
    r->wire = g_byte_array_new();
    tls_tx_with(t, kind, 80, ",strict=on");
    r->seq0 = t->c.seq;
    r->old = t->c;
    r->old_dek = t->dek;
    for (i = 0; i < 2; i++) {
        r->old_at[i] = r->clear->len;
        tls_pattern(&t->c, 300, r->clear, r->wire);
    }
    tls_record(&t->c, REC_HANDSHAKE, key_update, sizeof(key_update), r->clear,
               r->wire);
    r->change = r->clear->len;
    pass(t, r->clear, r->wire, 0, r->change);
    seq = t->c.seq;
    tls_conn(&t->c, kind, 81);
    t->c.rec_no = 0;
    t->c.seq = seq;
    for (i = 0; i < 3; i++) {
        r->new_at[i] = r->clear->len;
        tls_pattern(&t->c, 300, r->clear, r->wire);
    }
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    set_params(r, &t->c, t->dek, 0);
}

static void rekey_tx_stop(RekeyTx *r)
{
    g_byte_array_unref(r->clear);
    g_byte_array_unref(r->wire);
    drv_stop(r->t.d);
}

/* Sends stream bytes; they must leave as they did, or would have, before. */
static void send_bytes(RekeyTx *r, size_t at, size_t n)
{
    TlsTx *t = &r->t;

    t->c.seq = r->seq0 + at;
    pass(t, r->clear, r->wire, at, n);
}

static void send_dropped(RekeyTx *r, size_t at, size_t n)
{
    TlsTx *t = &r->t;

    expect_dropped(t, post_data(t, t->sq, t->tisn, r->seq0 + at,
                                r->clear->data + at, n, 0));
}

static void dump(RekeyTx *r, size_t at, size_t n)
{
    TlsTx *t = &r->t;
    uint16_t index;
    DrvWqe w;

    drv_write(t->d, t->mem, r->clear->data + at, n);
    drv_wqe_dump(&w, t->sq, t->tisn, t->d->lkey, t->mem, n, true);
    drv_sq_put(t->d, t->sq, &w);
    /* the memory is used again: wait until it was read */
    drv_wqe(&w, t->sq, WQE_NOP, true);
    index = drv_sq_put(t->d, t->sq, &w);
    drv_sq_ring(t->d, t->sq);
    drv_sq_expect(t->d, t->sq, index);
}

/* From the packet behind the parameters on all is under the new key. */
static void test_tx(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        RekeyTx r;

        rekey_tx(&r, kind);
        /* the TIS has what it needs: the old key's object may go */
        drv_dek_destroy(r.t.d, r.old_dek);
        send_bytes(&r, r.change, 200);
        send_bytes(&r, r.change + 200, r.new_at[2] - r.change - 200);
        send_bytes(&r, r.new_at[2], r.clear->len - r.new_at[2]);
        drv_strict_expect(r.t.d, NULL);
        rekey_tx_stop(&r);
    }
}

/*
 * A record of the old key is sent again. The context has the new key: marked
 * for it, and out of sequence, the packet is dropped. What a driver can do is
 * either go back to the old key for it, as long as that exists, or encrypt it
 * by itself.
 */
static void test_tx_again(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        size_t again;
        FrameSpec s;
        uint16_t index;
        RekeyTx r;
        TlsTx *t;
        Frame f;

        rekey_tx(&r, kind);
        t = &r.t;
        again = r.old_at[1] + 100;
        send_bytes(&r, r.change, 400);
        send_dropped(&r, again, r.change - again);
        g_assert_cmpuint(drv_counter(t->d, "tls_tx_seq_mismatch"), ==, 1);
        /* which changes nothing */
        send_bytes(&r, r.change + 400, 100);

        /* the old key, its record, and then the new one where it was */
        set_params(&r, &r.old, r.old_dek, r.old.rec_no + 1);
        dump(&r, r.old_at[1], 100);
        send_bytes(&r, again, r.change - again);
        set_params(&r, &t->c, t->dek, 1);
        dump(&r, r.new_at[1], r.change + 500 - r.new_at[1]);
        send_bytes(&r, r.change + 500, 50);

        /* encrypted by the driver it is marked for no TIS */
        s = spec_at(r.seq0 + again, r.wire->data + again, r.change - again);
        f = frame_build(&s);
        index = drv_sq_send(t->d, t->sq, f.data, f.len,
                            ETH_L3_CSUM | ETH_L4_CSUM);
        drv_sq_ring(t->d, t->sq);
        expect_frame(t->d, f.data, f.len);
        drv_sq_expect(t->d, t->sq, index);
        frame_free(&f);
        send_bytes(&r, r.change + 550, 50);

        /*
         * the old key is gone: its parameters are of no use, and nothing leaves
         */
        drv_dek_destroy(t->d, r.old_dek);
        set_params(&r, &r.old, r.old_dek, r.old.rec_no + 1);
        dump(&r, r.old_at[1], 100);
        send_dropped(&r, again, r.change - again);
        g_assert_cmpuint(drv_counter(t->d, "tls_tx_no_ctx"), ==, 1);
        set_params(&r, &t->c, t->dek, 1);
        dump(&r, r.new_at[1], r.change + 600 - r.new_at[1]);
        send_bytes(&r, r.change + 600, r.clear->len - r.change - 600);
        drv_strict_expect(t->d, NULL);
        rekey_tx_stop(&r);
    }
}

/*
 * The packet behind SET_PSV says where the stream is. A driver that lets an old
 * record be that packet has it encrypted under the new key, as its record 0:
 * the device cannot know. The record 0 that follows uses the nonce again, and
 * that the checker sees.
 */
static void test_tx_mistaken(void)
{
    unsigned kind;

    KINDS_1_3(kind) {
        uint8_t buf[DRV_MAX_FRAME], want[400];
        uint16_t index;
        size_t n, got;
        RekeyTx r;
        TlsTx *t;

        rekey_tx(&r, kind);
        t = &r.t;
        n = r.old_at[1];
        g_assert_cmpuint(n, <=, sizeof(want));
        index = post_data(t, t->sq, t->tisn, r.seq0, r.clear->data, n, 0);
        got = drv_wire_recv(t->d, buf);
        drv_sq_expect(t->d, t->sq, index);
        tls_transform(&t->c, 0, r.clear->data, n, want);
        g_assert_cmpuint(got, >, n);
        g_assert_cmpmem(buf + got - n, n - TLS_TAG, want, n - TLS_TAG);
        drv_strict_expect(t->d, NULL);
        set_params(&r, &t->c, t->dek, 0);
        send_bytes(&r, r.change, 300);
        drv_strict_expect(t->d, "tx_nonce_reuse");
        rekey_tx_stop(&r);
    }
}

void mlx5_tls_rekey_tests(void)
{
    qtest_add_func("mlx5-ktls/tls-rekey/in-flight", test_in_flight);
    qtest_add_func("mlx5-ktls/tls-rekey/anchor-ahead", test_anchor_ahead);
    qtest_add_func("mlx5-ktls/tls-rekey/anchor-behind", test_anchor_behind);
    qtest_add_func("mlx5-ktls/tls-rekey/same-tir", test_same_tir);
    qtest_add_func("mlx5-ktls/tls-rekey/dek-first", test_dek_first);
    qtest_add_func("mlx5-ktls/tls-rekey/pool", test_pool);
    qtest_add_func("mlx5-ktls/tls-rekey/load", test_load);
    qtest_add_func("mlx5-ktls/tls-rekey/tx", test_tx);
    qtest_add_func("mlx5-ktls/tls-rekey/tx-again", test_tx_again);
    qtest_add_func("mlx5-ktls/tls-rekey/tx-mistaken", test_tx_mistaken);
}
