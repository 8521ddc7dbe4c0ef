/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the capture: its blocks, both sides of each packet, and that what it
 * says of records is what the record log says. Reads pcapng with code of its
 * own. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-pcapng.h"
#include "mlx5-tests.h"
#include "mlx5-tls-rx-rig.h"
#include "mlx5-tls-tx-rig.h"
#include "qapi/error.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include <sys/stat.h>

enum { INBOUND = 1, OUTBOUND = 2 };
enum { WIRE = 0, DRIVER = 1 }; /* interfaces of one device, in their order */
#define EVENT 0x88b5 /* type of the frames that are none */

/* Where captures and logs are. */
typedef struct Place {
    char *dir;
    char *path;
    char *log;
    char *props;
} Place;

static void place_make(Place *p, const char *more)
{
    p->dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
    p->path = g_build_filename(p->dir, "capture.pcapng", NULL);
    p->log = g_build_filename(p->dir, "log", NULL);
    p->props = g_strdup_printf(",capture=%s,record-log=%s%s", p->path, p->log,
                               more);
}

static void place_remove(Place *p)
{
    unlink(p->path);
    unlink(p->log);
    g_assert_cmpint(rmdir(p->dir), ==, 0);
    g_free(p->dir);
    g_free(p->path);
    g_free(p->log);
    g_free(p->props);
}

/* -------------------------------------------------------------- reading --- */

static const PcapngPacket *packet_at(const Pcapng *c, unsigned i)
{
    g_assert_cmpuint(i, <, c->packets->len);
    return g_ptr_array_index(c->packets, i);
}

static const char *first_comment(const PcapngPacket *p)
{
    return g_ptr_array_index(p->comments, 0);
}

static bool is_event(const PcapngPacket *p)
{
    return p->frame->len >= 14 && lduw_be_p(p->frame->data + 12) == EVENT;
}

/* The first packet from @from on of @interface that says @text; its index. */
static unsigned find(const Pcapng *c, unsigned from, unsigned interface,
                     const char *text)
{
    unsigned i;

    for (i = from; i < c->packets->len; i++) {
        const PcapngPacket *p = packet_at(c, i);

        if (p->interface == interface && strstr(first_comment(p), text)) {
            return i;
        }
    }
    g_error("no packet of interface %u says '%s'", interface, text);
}

/* Packet @i is @frame, and says @text first. */
static void expect_packet(const Pcapng *c, unsigned i, unsigned interface,
                          unsigned flags, const void *frame, size_t len,
                          const char *text)
{
    const PcapngPacket *p = packet_at(c, i);

    g_assert_cmpuint(p->interface, ==, interface);
    g_assert_cmpuint(p->flags, ==, flags);
    g_assert_cmpmem(p->frame->data, p->frame->len, frame, len);
    g_assert_cmpstr(first_comment(p), ==, text);
}

/* What the capture says in the place of a line of the record log. */
static char *as_comment(const char *line)
{
    QDict *e = qobject_to(QDict, qobject_from_json(line, &error_abort));
    g_autoptr(GString) s = g_string_new("record ");

    if (qdict_haskey(e, "record")) {
        g_string_append_printf(s, "%" PRId64, qdict_get_int(e, "record"));
    } else {
        g_string_append_c(s, '?');
    }
    g_string_append(s, " ends: ");
    if (qdict_haskey(e, "tcp_sn")) {
        g_string_append_printf(s, "tcp_sn %" PRId64 ", ",
                               qdict_get_int(e, "tcp_sn"));
    }
    g_string_append_printf(s, "len %" PRId64 ", type %" PRId64 ", mode %s, "
                           "end %s, verdict %s", qdict_get_int(e, "len"),
                           qdict_get_int(e, "type"), qdict_get_str(e, "mode"),
                           qdict_get_str(e, "end"),
                           qdict_get_str(e, "verdict"));
    qobject_unref(e);
    return g_strdup(s->str);
}

/*
 * The records on the driver's interface are those of the log, in its order;
 * there must be @n. Those on the other are also there.
 */
static void expect_log(const Pcapng *c, const char *log, unsigned n)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i, j, line = 0, wire = 0;

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; i < c->packets->len; i++) {
        const PcapngPacket *p = packet_at(c, i);

        for (j = 0; j < p->comments->len; j++) {
            const char *said = g_ptr_array_index(p->comments, j);
            g_autofree char *want = NULL;

            if (!g_str_has_prefix(said, "record ")) {
                continue;
            }
            if (p->interface == WIRE) {
                wire++;
                continue;
            }
            g_assert_cmpuint(line, <, n);
            want = as_comment(lines[line++]);
            g_assert_cmpstr(said, ==, want);
        }
    }
    g_assert_cmpuint(line, ==, n);
    g_assert_cmpstr(lines[n], ==, "");
    g_assert_cmpuint(wire, <=, n);
}

/* The interface statistics: nothing was lost. */
static void expect_statistics(const Pcapng *c)
{
    uint64_t n[2] = { 0 };
    unsigned i;

    for (i = 0; i < c->packets->len; i++) {
        n[packet_at(c, i)->interface]++;
    }
    g_assert_cmpuint(c->statistics->len, ==, 4);
    for (i = 0; i < 2; i++) {
        g_assert_cmpuint(g_array_index(c->statistics, uint64_t, 2 * i), ==,
                         n[i]);
        g_assert_cmpuint(g_array_index(c->statistics, uint64_t, 2 * i + 1),
                         ==, 0);
    }
}

/* -------------------------------------------------------------- sending --- */

/* An LSO with records of several sizes, cut where it falls. */
static void test_tx_lso(void)
{
    enum { MSS = 500, HDR = 14 + 20 + 20 + 12 };
    static const size_t sizes[] = { 100, 1000, 1, 0, 2000, 20, 20, 300 };
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autofree size_t *ends = g_new(size_t, G_N_ELEMENTS(sizes));
    uint64_t first;
    unsigned i, at, rec = 0;
    uint16_t index;
    Pcapng c;
    Place place;
    TlsTx t;

    place_make(&place, "");
    tls_tx_with(&t, 0, 5, place.props);
    first = t.c.rec_no;
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        tls_pattern(&t.c, sizes[i], clear, wire);
        ends[i] = clear->len;
    }
    index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data, clear->len, MSS);
    for (at = 0; at < clear->len; at += MSS) {
        uint8_t buf[DRV_MAX_FRAME];

        drv_wire_recv(t.d, buf);
    }
    drv_sq_expect(t.d, t.sq, index);
    drv_stop(t.d);

    pcapng_read(&c, place.path);
    g_assert_cmpstr(g_ptr_array_index(c.names, 0), ==, "nic-wire");
    g_assert_cmpstr(g_ptr_array_index(c.names, 1), ==, "nic-driver");
    i = find(&c, 0, WIRE, "encrypted");
    for (at = 0; at < clear->len; at += MSS, i += 2) {
        size_t n = MIN(MSS, clear->len - at);
        const PcapngPacket *w = packet_at(&c, i), *d = packet_at(&c, i + 1);
        g_autofree char *touched = NULL, *said = NULL;
        unsigned from = rec, to;

        g_assert_cmpuint(w->interface, ==, WIRE);
        g_assert_cmpuint(d->interface, ==, DRIVER);
        g_assert_cmpuint(w->flags, ==, OUTBOUND);
        g_assert_cmpuint(d->flags, ==, OUTBOUND);
        g_assert_cmpmem(w->frame->data, HDR, d->frame->data, HDR);
        g_assert_cmpmem(w->frame->data + HDR, w->frame->len - HDR,
                        wire->data + at, n);
        g_assert_cmpmem(d->frame->data + HDR, d->frame->len - HDR,
                        clear->data + at, n);
        /* the records that have a byte in it */
        while (rec < G_N_ELEMENTS(sizes) && ends[rec] <= at + n) {
            rec++;
        }
        to = rec && ends[rec - 1] == at + n ? rec - 1 : rec;
        touched = from == to ?
            g_strdup_printf("record %" PRIu64, first + from) :
            g_strdup_printf("records %" PRIu64 " to %" PRIu64, first + from,
                            first + to);
        said = g_strdup_printf("tisn %u: encrypted; %s; START to ACTIVE_SEQ; "
                               "TX4: START, packet: encrypt", t.tisn, touched);
        g_assert_cmpstr(first_comment(w), ==, said);
        g_assert_cmpstr(first_comment(d), ==, said);
        g_assert_cmpuint(w->comments->len, ==, 1 + rec - from);
        g_assert_cmpuint(d->comments->len, ==, 1 + rec - from);
    }
    g_assert_cmpuint(i, ==, c.packets->len);
    g_assert_cmpuint(rec, ==, G_N_ELEMENTS(sizes));
    expect_log(&c, place.log, G_N_ELEMENTS(sizes));
    expect_statistics(&c);
    pcapng_free(&c);
    place_remove(&place);
}

/* Posts a DUMP of @n bytes, to be executed before the next WQE. */
static void post_dump(TlsTx *t, const uint8_t *data, size_t n)
{
    uint64_t addr = drv_mem(t->d, n);
    DrvWqe w;

    drv_write(t->d, addr, data, n);
    drv_wqe_dump(&w, t->sq, t->tisn, t->d->lkey, addr, n, false);
    drv_sq_put(t->d, t->sq, &w);
}

/* What a driver does after a loss: parameters, DUMP, packet; and a mistake. */
static void test_tx_resync(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autofree char *dumped = NULL, *dropped = NULL;
    enum { DUMPED = 300 };
    const PcapngPacket *p;
    unsigned at;
    uint16_t index;
    Pcapng c;
    Place place;
    TlsTx t;

    place_make(&place, "");
    tls_tx_with(&t, 0, 6, place.props);
    tls_pattern(&t.c, 200, clear, wire);   /* all of it by DUMP */
    tls_pattern(&t.c, 1000, clear, wire);  /* some of it */
    post_dump(&t, clear->data, DUMPED);
    t.c.seq += DUMPED;
    pass(&t, clear, wire, DUMPED, clear->len - DUMPED);
    /* a hole in the sequence: nothing is sent */
    index = post_data(&t, t.sq, t.tisn, t.c.seq + 1, clear->data, 100, 0);
    expect_dropped(&t, index);
    drv_stop(t.d);

    pcapng_read(&c, place.path);
    at = find(&c, 0, DRIVER, "static params");
    g_assert_true(is_event(packet_at(&c, at)));
    at = find(&c, at, DRIVER, "SET_PSV");
    g_assert_true(strstr(first_comment(packet_at(&c, at)), "now START"));
    at = find(&c, at, DRIVER, "DUMP");
    p = packet_at(&c, at);
    dumped = g_strdup_printf("tisn %u: DUMP of 300 bytes; records %" PRIu64
                             " to %" PRIu64 "; START to ACTIVE; TX3: START, "
                             "DUMP: feed", t.tisn, t.c.rec_no - 2,
                             t.c.rec_no - 1);
    g_assert_cmpstr(first_comment(p), ==, dumped);
    g_assert_true(is_event(p));
    g_assert_cmpmem(p->frame->data + 14, p->frame->len - 14, clear->data,
                    DUMPED);
    g_assert_cmpuint(p->comments->len, ==, 2);
    /* no frame of the packet that was dropped, but what the driver posted */
    at = find(&c, at, WIRE, "encrypted");
    at = find(&c, at, DRIVER, "dropped");
    p = packet_at(&c, at);
    dropped = g_strdup_printf("tisn %u: dropped, ", t.tisn);
    g_assert_true(g_str_has_prefix(first_comment(p), dropped));
    g_assert_true(strstr(first_comment(p), "ACTIVE_SEQ to ACTIVE_SEQ; TX8: "));
    g_assert_cmpmem(p->frame->data + p->frame->len - 100, 100, clear->data,
                    100);
    g_assert_cmpuint(packet_at(&c, at - 1)->interface, ==, DRIVER);
    expect_log(&c, place.log, 2);
    expect_statistics(&c);
    pcapng_free(&c);
    place_remove(&place);
}

/* Packets without TLS are the same on both sides. */
static void test_plain(void)
{
    FrameSpec in = rig_spec(4, 17, 99), out = in;
    g_autofree char *text = NULL;
    Frame f, o;
    uint16_t index;
    unsigned at;
    Pcapng c;
    Place place;
    TlsRx t;

    out.dst_mac[5] ^= 1; /* not to itself */
    f = frame_build(&in);
    o = frame_build(&out);
    place_make(&place, "");
    rx_bare_with(&t, 0, 1, false, place.props);
    index = drv_sq_send(t.d, &t.sq, o.data, o.len, 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, o.data, o.len);
    drv_sq_expect(t.d, &t.sq, index);
    drv_wire_send(t.d, f.data, f.len);
    rx_expect(&t, &f, NULL, 0, NOT_DECRYPTED);
    rx_stop(&t);

    pcapng_read(&c, place.path);
    at = find(&c, 0, WIRE, "no TLS context");
    expect_packet(&c, at, WIRE, OUTBOUND, o.data, o.len,
                  "no TLS context, sent as posted");
    expect_packet(&c, at + 1, DRIVER, OUTBOUND, o.data, o.len,
                  "no TLS context, sent as posted");
    text = g_strdup_printf("tirn %u: not a packet for its TLS context, "
                           "delivered as received", t.tirn);
    expect_packet(&c, at + 2, WIRE, INBOUND, f.data, f.len, text);
    expect_packet(&c, at + 3, DRIVER, INBOUND, f.data, f.len, text);
    g_assert_cmpuint(at + 4, ==, c.packets->len);
    expect_statistics(&c);
    pcapng_free(&c);
    frame_free(&f);
    frame_free(&o);
    place_remove(&place);
}

/* ------------------------------------------------------------ receiving --- */

/* A loss, the search, the approval, and a wrong tag. */
static void test_rx(void)
{
    static const struct {
        const char *text;
        bool plain;
    } want[] = {
        { "flag 1, decrypted; record 0; START to OFFLOAD; R3", true },
        { "flag 1, decrypted; record 1; OFFLOAD to OFFLOAD; R5", true },
        { "flag 0, not decrypted: ", false },
        { "flag 2, not decrypted, resync requested: ", false },
        { "flag 0, not decrypted: ", false },
        { "flag 1, decrypted; record 5; OFFLOAD to OFFLOAD; R5", true },
        { "flag 3, a record failed to authenticate: ", false },
    };
    enum { HDR = 14 + 20 + 20 + 12, LEN = 400 };
    size_t at[8];
    uint32_t candidate;
    unsigned i, from = 0;
    Pcapng c;
    Place place;
    TlsRx t;

    place_make(&place, "");
    rx_bare_with(&t, 0, 9, false, place.props);
    t.c.rec_no = 0;
    rx_post_static(&t, 0, 0);
    rx_post_progress(&t, t.seq0);
    for (i = 0; i < 7; i++) {
        at[i] = rx_record(&t, LEN);
    }
    at[7] = t.wire->len;
    rx_pass(&t, at[0], at[1] - at[0], DECRYPTED);
    rx_pass(&t, at[1], at[2] - at[1], DECRYPTED);
    /* record 2's header is lost: search, and find the next one */
    rx_pass(&t, at[2] + 10, 100, NOT_DECRYPTED);
    candidate = t.seq0 + at[3];
    rx_pass(&t, at[3], at[4] - at[3], RESYNC);
    rx_get_psv(&t, (uint8_t [12]) { 0 });
    rx_post_static(&t, 3, candidate);
    /* authenticated, then in sync again */
    rx_pass(&t, at[4], at[5] - at[4], NOT_DECRYPTED);
    rx_pass(&t, at[5], at[6] - at[5], DECRYPTED);
    t.wire->data[at[7] - 1] ^= 1;
    t.plain->data[at[7] - 1] ^= 1;
    rx_pass_as(&t, at[6], at[7] - at[6], ERROR, t.wire->data + at[6]);
    rx_stop(&t);

    pcapng_read(&c, place.path);
    for (i = 0; i < G_N_ELEMENTS(want); i++) {
        const PcapngPacket *w, *d;

        from = find(&c, from, WIRE, want[i].text);
        w = packet_at(&c, from++);
        d = packet_at(&c, from++);
        g_assert_cmpuint(d->interface, ==, DRIVER);
        g_assert_cmpuint(w->flags, ==, INBOUND);
        g_assert_cmpuint(d->flags, ==, INBOUND);
        g_assert_cmpuint(w->comments->len, ==, d->comments->len);
        g_assert_cmpstr(first_comment(w), ==, first_comment(d));
        g_assert_cmpuint(w->frame->len, ==, d->frame->len);
        g_assert_cmpint(memcmp(w->frame->data, d->frame->data,
                               w->frame->len) != 0, ==, want[i].plain);
    }
    from = find(&c, 0, DRIVER, "GET_PSV: record_tracker_state 1, auth_state 0");
    from = find(&c, from, DRIVER, "static params: tls_version 2, "
                "initial_record_number 3");
    g_assert_true(strstr(first_comment(packet_at(&c, from)), "now AUTH"));
    /* 0, 1, 2 lost?, 3..6 */
    {
        g_autofree char *log = NULL;
        unsigned n = 0;
        char *p;

        g_assert_true(g_file_get_contents(place.log, &log, NULL, NULL));
        for (p = log; (p = strchr(p, '\n')); p++) {
            n++;
        }
        g_assert_cmpuint(n, >=, 6);
        expect_log(&c, place.log, n);
    }
    expect_statistics(&c);
    pcapng_free(&c);
    place_remove(&place);
}

/* Why a frame does not get to the driver. */
static void test_rx_dropped(void)
{
    FrameSpec s = rig_spec(4, 17, 50);
    Frame f = frame_build(&s);
    Pcapng c;
    Place place;
    RxRig r;
    Drv *d;

    place_make(&place, ",rx-no-buffer=drop");
    d = drv_start_up(place.props);
    drv_wire_send(d, f.data, f.len);
    DRV_WAIT(drv_counter(d, "rx_steer_miss") == 1);
    drv_stop(d);
    pcapng_read(&c, place.path);
    expect_packet(&c, 0, WIRE, INBOUND, f.data, f.len,
                  "not delivered: there is no root flow table");
    g_assert_cmpuint(c.packets->len, ==, 1);
    expect_statistics(&c);
    pcapng_free(&c);

    rx_rig(&r, place.props, false, 0);
    drv_wire_send(r.d, f.data, f.len);
    DRV_WAIT(drv_counter(r.d, "rx_out_of_buffer") == 1);
    drv_stop(r.d);
    pcapng_read(&c, place.path);
    expect_packet(&c, 0, WIRE, INBOUND, f.data, f.len,
                  "not delivered: out of receive WQEs");
    g_assert_cmpuint(c.packets->len, ==, 1);
    expect_statistics(&c);
    pcapng_free(&c);
    frame_free(&f);
    place_remove(&place);
}

/* ---------------------------------------------------------------- files --- */

/* No key in it, and no salt. */
static void test_no_keys(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autofree char *data = NULL;
    size_t size;
    Place place;
    TlsTx t;

    place_make(&place, "");
    tls_tx_with(&t, 1, 7, place.props);
    tls_pattern(&t.c, 500, clear, wire);
    pass(&t, clear, wire, 0, clear->len);
    drv_stop(t.d);
    g_assert_true(g_file_get_contents(place.path, &data, &size, NULL));
    g_assert_nonnull(memmem(data, size, wire->data, wire->len));
    g_assert_nonnull(memmem(data, size, clear->data, clear->len));
    g_assert_null(memmem(data, size, t.c.key, t.c.key_len));
    g_assert_null(memmem(data, size, t.c.iv, sizeof(t.c.iv)));
    place_remove(&place);
}

/* Sends @n packets with one record each. */
static void send_some(TlsTx *t, unsigned n)
{
    while (n--) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();

        tls_pattern(&t->c, 1000, clear, wire);
        pass(t, clear, wire, 0, clear->len);
    }
}

/* The packets in @path with "encrypted"; the file is whole. */
static unsigned count_encrypted(const char *path)
{
    unsigned i, n = 0;
    Pcapng c;

    pcapng_read(&c, path);
    for (i = 0; i < c.packets->len; i++) {
        const PcapngPacket *p = packet_at(&c, i);

        n += p->interface == WIRE && strstr(first_comment(p), "encrypted");
    }
    pcapng_free(&c);
    return n;
}

/* On and off while it runs; each time it is another file, and whole. */
static void test_on_off(void)
{
    Place place;
    TlsTx t;

    place_make(&place, "");
    tls_tx(&t, 0, 8);
    send_some(&t, 1);
    g_assert_false(g_file_test(place.path, G_FILE_TEST_EXISTS));
    fault_do(t.d, "capture", place.path);
    send_some(&t, 3);
    fault_do(t.d, "capture", "");
    g_assert_cmpuint(count_encrypted(place.path), ==, 3);
    send_some(&t, 5);
    g_assert_cmpuint(count_encrypted(place.path), ==, 3);
    fault_do(t.d, "capture", place.path);
    send_some(&t, 2);
    fault_do(t.d, "capture", place.log);
    g_assert_cmpuint(count_encrypted(place.path), ==, 2);
    send_some(&t, 4);
    drv_stop(t.d);
    g_assert_cmpuint(count_encrypted(place.log), ==, 4);
    place_remove(&place);
}

/* What QEMU has said on its standard error so far, of captures. */
static char *warnings(const char *path)
{
    g_autoptr(GString) found = g_string_new(NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i]; i++) {
        const char *said = strstr(lines[i], "mlx5-ktls: capture=");

        if (said) {
            g_string_append_printf(found, "%s\n", said);
        }
    }
    return g_strdup(found->str);
}

/*
 * A disk that is full, or a file that may not grow: one warning, the device
 * goes on, and what is there is whole.
 */
static void test_full(void)
{
    g_autofree char *said = NULL, *want = NULL;
    struct stat st;
    int saved, err;
    Place place;
    TlsTx t;

    place_make(&place, "");
    /* QEMU inherits our standard error */
    saved = dup(STDERR_FILENO);
    err = open(place.log, O_RDWR | O_CREAT | O_APPEND, 0600);
    g_assert_cmpint(dup2(err, STDERR_FILENO), >=, 0);
    tls_tx_with(&t, 0, 8, ",capture=/dev/full,capture-max=0");
    g_assert_cmpint(dup2(saved, STDERR_FILENO), >=, 0);
    close(saved);
    close(err);
    send_some(&t, 20);
    fault_do(t.d, "capture", "");
    said = warnings(place.log);
    g_assert_cmpstr(said, ==, "mlx5-ktls: capture=/dev/full: No space left on "
                    "device: the capture has ended\n");
    /* its own limit */
    qtest_qmp_assert_success(t.d->qts, "{'execute': 'qom-set', 'arguments': "
                             "{'path': %s, 'property': 'capture-max', "
                             "'value': 10000}}", t.d->path);
    fault_do(t.d, "capture", place.path);
    send_some(&t, 20);
    fault_do(t.d, "capture", "");
    g_assert_cmpint(stat(place.path, &st), ==, 0);
    g_assert_cmpuint(st.st_size, <=, 10000);
    g_assert_cmpuint(st.st_size, >, 8000);
    g_assert_cmpuint(count_encrypted(place.path), <, 20);
    g_free(said);
    said = warnings(place.log);
    want = g_strdup_printf("mlx5-ktls: capture=/dev/full: No space left on "
                           "device: the capture has ended\n"
                           "mlx5-ktls: capture=%s: %" PRIu64 " bytes, "
                           "capture-max=10000 allows no more: the capture has "
                           "ended\n", place.path, (uint64_t)st.st_size);
    g_assert_cmpstr(said, ==, want);
    send_some(&t, 1);
    drv_stop(t.d);
    place_remove(&place);
}

/* A reader that stands still does not hold the device up. */
static void test_fifo(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    enum { PACKETS = 200 }; /* of 2 KB: more than a pipe holds */
    unsigned i, n = 0;
    QDict *answer;
    uint8_t buf[4096];
    ssize_t got;
    Pcapng c;
    Place place;
    TlsTx t;
    int fd;

    place_make(&place, "");
    g_assert_cmpint(mkfifo(place.path, 0600), ==, 0);
    tls_tx(&t, 0, 8);
    answer = qtest_qmp(t.d->qts, "{'execute': 'qom-set', 'arguments': "
                       "{'path': %s, 'property': 'capture', 'value': %s}}",
                       t.d->path, place.path);
    g_assert_true(qdict_haskey(answer, "error")); /* no reader */
    qobject_unref(answer);
    fd = open(place.path, O_RDONLY | O_NONBLOCK);
    g_assert_cmpint(fd, >=, 0);
    fault_do(t.d, "capture", place.path);
    send_some(&t, PACKETS);
    g_assert_cmpint(fcntl(fd, F_SETFL, 0), ==, 0);
    qtest_qmp_send(t.d->qts, "{'execute': 'qom-set', 'arguments': "
                   "{'path': %s, 'property': 'capture', 'value': ''}}",
                   t.d->path);
    while ((got = read(fd, buf, sizeof(buf))) > 0) {
        g_byte_array_append(all, buf, got);
    }
    answer = qtest_qmp_receive(t.d->qts);
    g_assert_true(qdict_haskey(answer, "return"));
    qobject_unref(answer);
    close(fd);
    pcapng_parse(&c, all->data, all->len);
    for (i = 0; i < c.packets->len; i++) {
        const PcapngPacket *p = packet_at(&c, i);

        n += p->interface == WIRE && strstr(first_comment(p), "encrypted");
    }
    g_assert_cmpuint(n, ==, PACKETS);
    expect_statistics(&c);
    pcapng_free(&c);
    drv_stop(t.d);
    place_remove(&place);
}

/* Two devices that name the same file have two interfaces each in it. */
static void test_shared(void)
{
    g_autofree char *props = NULL;
    unsigned i;
    Pcapng c;
    Place place;
    TlsTx t;

    place_make(&place, "");
    props = g_strdup_printf(",capture=%s -device mlx5-ktls,id=b,capture=%s",
                            place.path, place.path);
    tls_tx_with(&t, 0, 8, props);
    send_some(&t, 2);
    drv_stop(t.d);
    pcapng_read(&c, place.path);
    g_assert_cmpuint(c.names->len, ==, 4);
    g_assert_cmpuint(c.statistics->len, ==, 8);
    for (i = 0; i < c.names->len; i++) {
        const char *name = g_ptr_array_index(c.names, i);

        if (g_str_has_prefix(name, "b-")) {
            continue;
        }
        g_assert_true(!strcmp(name, "nic-wire") || !strcmp(name, "nic-driver"));
        find(&c, 0, i, "encrypted");
    }
    pcapng_free(&c);
    place_remove(&place);
}

/* A place where no file can be. */
static void test_bad_path(void)
{
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device pcie-root-port,id=rp0,slot=1");
    QDict *rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': "
                           "{'driver': 'mlx5-ktls', 'bus': 'rp0', "
                           "'capture': '/nowhere/x.pcapng'}}");

    g_assert_true(qdict_haskey(rsp, "error"));
    g_assert_cmpstr(qdict_get_str(qdict_get_qdict(rsp, "error"), "desc"), ==,
                    "capture=/nowhere/x.pcapng: cannot be opened: No such file "
                    "or directory");
    qobject_unref(rsp);
    qtest_quit(qts);
}

void mlx5_capture_tests(void)
{
    qtest_add_func("mlx5-ktls/capture/tx-lso", test_tx_lso);
    qtest_add_func("mlx5-ktls/capture/tx-resync", test_tx_resync);
    qtest_add_func("mlx5-ktls/capture/plain", test_plain);
    qtest_add_func("mlx5-ktls/capture/rx", test_rx);
    qtest_add_func("mlx5-ktls/capture/rx-dropped", test_rx_dropped);
    qtest_add_func("mlx5-ktls/capture/no-keys", test_no_keys);
    qtest_add_func("mlx5-ktls/capture/on-off", test_on_off);
    qtest_add_func("mlx5-ktls/capture/full", test_full);
    qtest_add_func("mlx5-ktls/capture/fifo", test_fifo);
    qtest_add_func("mlx5-ktls/capture/shared", test_shared);
    qtest_add_func("mlx5-ktls/capture/bad-path", test_bad_path);
}
