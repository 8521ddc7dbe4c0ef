/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capture: packets of a port on both sides of the crypto, as two interfaces
 * of a pcapng file, with what the device decided about each as comments. An
 * observer (tap.h) that uses the events of the record log; owns
 * Mlx5State.capturing.
 *
 * On the side of the driver, packets that are sent have the plaintext that the
 * driver posted. What the driver posts for a TLS context besides packets
 * (parameters, DUMPs) is there too, as frames of EVENT_ETHERTYPE, so that each
 * line of the record log has its place on this interface.
 *
 * Each packet is written first as on the wire and then as at the driver: a
 * reader that takes the second one for a retransmission has read the first.
 */
#include "qemu/osdep.h"
#include "qemu/iov.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "system/system.h"
#include "engine/parse.h"
#include "engine/pcapng.h"
#include "engine/secret.h"
#include "capture.h"
#include "observe.h"
#include "pcapfile.h"
#include "tap.h"
#include "tir.h"

#define CAPTURE_MAX_DEFAULT (1 * GiB)
#define EVENT_ETHERTYPE 0x88b5 /* local experimental, IEEE 802 */

typedef enum Side {
    SIDE_WIRE,
    SIDE_DRIVER,
    SIDES
} Side;

struct Mlx5Capture {
    Mlx5Tap tap;
    Notifier exit;
    Mlx5State *dev;
    Mlx5PcapFile *file;
    struct {
        uint32_t interface;
        uint64_t packets, lost;
    } side[SIDES];
    GByteArray *block;   /* the one being built */
    GPtrArray *comments; /* of the packet being written */
    GArray *records;     /* Mlx5TlsRecordEvent: ended, not yet written */

    /* The packet of the WQE in execution, if it is marked for a TIS. */
    struct {
        bool seen;          /* posted is the packet of this WQE */
        GByteArray *posted;
        size_t payload_off; /* in posted */
        uint32_t seq;       /* of its payload */
        char *verdict;      /* states and row; NULL: it is not encrypted */
        GArray *records;    /* as above, that have ended in it */
        guint next;         /* in records: the first not yet written */
        uint64_t first;     /* number of its first record, if has_record */
        bool has_record;
        bool open;          /* its last record goes on behind it */
    } tx;

    /* The frame being received, NULL: none. */
    const uint8_t *rx;
    size_t rx_len;
    bool rx_written;
};

static Mlx5Capture *capture_of(Mlx5Tap *tap)
{
    return container_of(tap, Mlx5Capture, tap);
}

/* ------------------------------------------------------------ comments --- */

static void G_GNUC_PRINTF(2, 3) comment(Mlx5Capture *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_ptr_array_add(c->comments, g_strdup_vprintf(fmt, ap));
    va_end(ap);
}

/* What the record log says of a record that ends in the packet. */
static void comment_record(Mlx5Capture *c, const Mlx5TlsRecordEvent *e)
{
    g_autoptr(GString) s = g_string_new("record ");

    if (e->number_known) {
        g_string_append_printf(s, "%" PRIu64, e->number);
    } else {
        g_string_append_c(s, '?');
    }
    g_string_append(s, " ends: ");
    if (e->tcp_sn_known) {
        g_string_append_printf(s, "tcp_sn %u, ", e->tcp_sn);
    }
    comment(c, "%slen %u, type %u, mode %s, end %s, verdict %s", s->str, e->len,
            e->type, mlx5_tls_record_mode_str(e), mlx5_tls_record_end_str(e),
            mlx5_tls_record_verdict_str(e));
}

static const Mlx5TlsRecordEvent *record_at(const GArray *records, guint i)
{
    return &g_array_index(records, Mlx5TlsRecordEvent, i);
}

/* All records that have ended since the last packet. */
static void comment_records(Mlx5Capture *c)
{
    guint i;

    for (i = 0; i < c->records->len; i++) {
        comment_record(c, record_at(c->records, i));
    }
    g_array_set_size(c->records, 0);
}

/* "record 7", "records 7 to 9", or "no record". To be freed. */
static char *record_range(bool any, uint64_t first, uint64_t last)
{
    return !any ? g_strdup("no record") :
           first == last ? g_strdup_printf("record %" PRIu64, first) :
           g_strdup_printf("records %" PRIu64 " to %" PRIu64, first, last);
}

/* Those that have ended since the last packet, and the one that is @open. */
static char *records_touched(Mlx5Capture *c, bool open, uint64_t open_number)
{
    bool any = open;
    uint64_t first = open_number, last = open_number;
    guint i;

    for (i = c->records->len; i-- > 0; ) {
        const Mlx5TlsRecordEvent *e = record_at(c->records, i);

        if (e->number_known) {
            first = e->number;
            last = any ? last : e->number;
            any = true;
        }
    }
    return record_range(any, first, last);
}

/* ------------------------------------------------------------- packets --- */

static void write_side(Mlx5Capture *c, Side side, bool outbound,
                       const struct iovec *iov, int iovcnt)
{
    Mlx5PcapngPacket packet = {
        .interface = c->side[side].interface,
        .time_ns = qemu_clock_get_ns(QEMU_CLOCK_HOST),
        .outbound = outbound,
        .iov = iov,
        .iovcnt = iovcnt,
        .comments = c->comments,
    };

    mlx5_pcapng_packet(c->block, &packet);
    c->side[side].packets++;
    if (!mlx5_pcapfile_write(c->file, c->block, c->dev->capture_max)) {
        c->side[side].lost++;
    }
    mlx5_secret_empty_bytes(c->block);
}

static void packet_over(Mlx5Capture *c)
{
    g_ptr_array_set_size(c->comments, 0);
}

/* Something that the driver did, with the comments made, and its data. */
static void write_event(Mlx5Capture *c, const uint8_t *data, size_t len)
{
    uint8_t hdr[MLX5_ETH_HLEN] = {
        [12] = EVENT_ETHERTYPE >> 8, [13] = EVENT_ETHERTYPE & 0xff,
    };
    struct iovec iov[] = {
        { hdr, sizeof(hdr) }, { (uint8_t *)data, len },
    };

    write_side(c, SIDE_DRIVER, true, iov, ARRAY_SIZE(iov));
    packet_over(c);
}

/* ------------------------------------------------------------- sending --- */

static void tx_forget(Mlx5Capture *c)
{
    mlx5_secret_empty_bytes(c->tx.posted);
    g_clear_pointer(&c->tx.verdict, g_free);
    g_array_set_size(c->tx.records, 0);
    c->tx.next = 0;
    c->tx.seen = false;
}

static void tx_posted(Mlx5Tap *tap, Mlx5Function *fn, const uint8_t *hdr,
                      size_t hdr_len, const uint8_t *payload, size_t len)
{
    Mlx5Capture *c = capture_of(tap);

    tx_forget(c);
    c->tx.seen = true;
    g_byte_array_append(c->tx.posted, hdr, hdr_len);
    g_byte_array_append(c->tx.posted, payload, len);
}

/* The records that a packet or DUMP with this result has touched. */
static char *tx_touched(Mlx5Capture *c, const Mlx5Function *fn)
{
    const Mlx5Tis *tis = fn->port->wqe.tis;
    uint64_t number = 0;
    bool open = tis && mlx5_tls_tx_open(tis->tls, &number);

    return records_touched(c, open, number);
}

static char *tx_states(const Mlx5TlsTxResult *res)
{
    return g_strdup_printf("%s to %s; %s",
                           mlx5_tls_tx_state_str(res->state_before),
                           mlx5_tls_tx_state_str(res->state_after),
                           mlx5_tls_tx_row_str(res->row));
}

/* The packet stays: it is shown as the driver posted it. */
static void tx_not_sent(Mlx5Capture *c, const Mlx5TapTxVerdict *v)
{
    const char *what = v->verdict == MLX5_TLS_TX_ERROR_CQE ? "failed" :
                       "dropped";
    struct iovec iov = { c->tx.posted->data, c->tx.posted->len };

    if (v->res) {
        g_autofree char *states = tx_states(v->res);

        comment(c, "tisn %u: %s, %s; %s", v->tisn, what, v->why, states);
    } else {
        comment(c, "tisn %u: %s, %s", v->tisn, what, v->why);
    }
    comment_records(c);
    if (iov.iov_len) {
        write_side(c, SIDE_DRIVER, true, &iov, 1);
        packet_over(c);
    } else {
        write_event(c, NULL, 0);
    }
}

static void tx_verdict(Mlx5Tap *tap, Mlx5Function *fn,
                       const Mlx5TapTxVerdict *v)
{
    Mlx5Capture *c = capture_of(tap);
    const Mlx5Tis *tis = fn->port->wqe.tis;
    uint64_t open_number;
    Mlx5Packet pkt;

    if (v->verdict != MLX5_TLS_TX_SEND) {
        tx_not_sent(c, v);
        tx_forget(c);
        return;
    }
    mlx5_parse_headers(c->tx.posted->data, c->tx.posted->len, &pkt);
    c->tx.seq = pkt.tcp_seq;
    c->tx.payload_off = c->tx.posted->len - v->len;
    c->tx.verdict = tx_states(v->res);
    g_array_append_vals(c->tx.records, c->records->data, c->records->len);
    g_array_set_size(c->records, 0);
    c->tx.open = mlx5_tls_tx_open(tis->tls, &open_number);
    c->tx.has_record = c->tx.open || c->tx.records->len;
    c->tx.first = c->tx.records->len ? record_at(c->tx.records, 0)->number :
                  open_number;
}

/*
 * Comments on bytes @from..@to of the payload that went through the context:
 * the records that they touch, and those that end there.
 */
static void tx_comment(Mlx5Capture *c, uint32_t tisn, size_t from, size_t to,
                       const char *what)
{
    const GArray *records = c->tx.records;
    guint i, next = c->tx.next;
    size_t end = next ? record_at(records, next - 1)->end_off : 0;
    uint64_t first = c->tx.first + next;
    g_autofree char *touched = NULL;
    uint64_t last;
    bool any;

    while (next < records->len && record_at(records, next)->end_off <= to) {
        end = record_at(records, next++)->end_off;
    }
    /* the record behind the last that ends here, if it has bytes here */
    any = end < to && (next < records->len || c->tx.open);
    last = c->tx.first + next - !any;
    any |= next > c->tx.next;
    touched = record_range(c->tx.has_record && any, first, last);
    comment(c, "tisn %u: %s; %s; %s", tisn, what, touched, c->tx.verdict);
    for (i = c->tx.next; i < next; i++) {
        comment_record(c, record_at(records, i));
    }
    c->tx.next = next;
}

/* A frame with a part of the payload that the context encrypted. */
static void tx_encrypted_frame(Mlx5Capture *c, uint32_t tisn,
                               const struct iovec *iov, int iovcnt)
{
    size_t len = iov_size(iov, iovcnt), off, room;
    uint8_t *frame = g_malloc(len);
    struct iovec plain[2];
    Mlx5Packet pkt;

    iov_to_buf(iov, iovcnt, 0, frame, len);
    mlx5_parse(frame, len, &pkt);
    off = pkt.tcp_seq - c->tx.seq;
    room = c->tx.posted->len - c->tx.payload_off;
    if (off > room || pkt.payload_len > room - off) {
        /* rewritten by a breaker (strict_break.c): nothing is known of it */
        off = pkt.payload_len = 0;
    }
    tx_comment(c, tisn, off, off + pkt.payload_len, "encrypted");
    write_side(c, SIDE_WIRE, true, iov, iovcnt);
    plain[0] = (struct iovec) { frame, pkt.payload_off };
    plain[1] = (struct iovec) {
        c->tx.posted->data + c->tx.payload_off + off, pkt.payload_len,
    };
    write_side(c, SIDE_DRIVER, true, plain, ARRAY_SIZE(plain));
    g_free(frame);
}

static void tx_frame(Mlx5Tap *tap, Mlx5Function *fn, const struct iovec *iov,
                     int iovcnt)
{
    Mlx5Capture *c = capture_of(tap);
    uint32_t tisn = fn->port->wqe.num;

    if (c->tx.verdict) {
        tx_encrypted_frame(c, tisn, iov, iovcnt);
    } else if (tisn && !c->tx.seen) {
        comment(c, "tisn %u: encrypted before the capture began", tisn);
        write_side(c, SIDE_WIRE, true, iov, iovcnt);
    } else {
        if (tisn) {
            comment(c, "tisn %u: no payload, sent as posted", tisn);
        } else {
            comment(c, "no TLS context, sent as posted");
        }
        write_side(c, SIDE_WIRE, true, iov, iovcnt);
        write_side(c, SIDE_DRIVER, true, iov, iovcnt);
    }
    packet_over(c);
}

/* What was encrypted, but is in no frame: the port has dropped it. */
static void wqe_over(Mlx5Tap *tap, Mlx5Function *fn)
{
    Mlx5Capture *c = capture_of(tap);

    if (c->tx.verdict && c->tx.next < c->tx.records->len) {
        size_t room = c->tx.posted->len - c->tx.payload_off;

        tx_comment(c, fn->port->wqe.num, room, room,
                   "encrypted, not sent by the port");
        write_event(c, NULL, 0);
    }
    tx_forget(c);
}

static void tx_dump(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                    const uint8_t *data, size_t len, const Mlx5TlsTxResult *res)
{
    Mlx5Capture *c = capture_of(tap);
    g_autofree char *touched = tx_touched(c, fn);
    g_autofree char *states = tx_states(res);

    if (res->reason == MLX5_TLS_REASON_NONE) {
        comment(c, "tisn %u: DUMP of %zu bytes; %s; %s", tisn, len, touched,
                states);
    } else {
        comment(c, "tisn %u: DUMP of %zu bytes ignored, %s; %s", tisn, len,
                mlx5_tls_reason_str(res->reason), states);
    }
    comment_records(c);
    write_event(c, data, len);
}

/* ----------------------------------------------------------- receiving --- */

static void rx_frame(Mlx5Tap *tap, Mlx5Function *fn, const uint8_t *frame,
                     size_t len)
{
    Mlx5Capture *c = capture_of(tap);

    c->rx = frame;
    c->rx_len = len;
    c->rx_written = false;
}

/* The frame as it came, with the comments made, if not yet written. */
static void rx_write_wire(Mlx5Capture *c)
{
    struct iovec iov = { (uint8_t *)c->rx, c->rx_len };

    if (c->rx && !c->rx_written) {
        c->rx_written = true;
        write_side(c, SIDE_WIRE, false, &iov, 1);
    }
}

static void rx_comment_tls(Mlx5Capture *c, const Mlx5TapDelivery *d,
                           const char *from)
{
    static const char *const flags[] = {
        [MLX5_TLS_FLAG_NOT_DECRYPTED] = "not decrypted",
        [MLX5_TLS_FLAG_DECRYPTED] = "decrypted",
        [MLX5_TLS_FLAG_RESYNC] = "not decrypted, resync requested",
        [MLX5_TLS_FLAG_ERROR] = "a record failed to authenticate",
    };
    const Mlx5TlsReceived *tls = d->tls;
    g_autofree char *touched = NULL;
    uint64_t number = 0;
    bool open = mlx5_tls_rx_open(d->tir->tls, &number);
    bool good = tls->reason == MLX5_TLS_REASON_NONE;

    touched = records_touched(c, open, number);
    comment(c, "%stirn %u: flag %u, %s%s%s; %s; %s to %s; %s", from,
            d->tir->obj.id, tls->flag, flags[tls->flag], good ? "" : ": ",
            good ? "" : mlx5_tls_reason_str(tls->reason), touched,
            mlx5_tls_rx_state_str(tls->state_before),
            mlx5_tls_rx_state_str(tls->state_after),
            mlx5_tls_rx_row_str(tls->row));
    if (tls->candidate) {
        comment(c, "candidate header at tcp_sn %u", tls->hw_resync_tcp_sn);
    }
    comment_records(c);
}

static void rx_deliver(Mlx5Tap *tap, Mlx5Function *fn, const Mlx5TapDelivery *d)
{
    Mlx5Capture *c = capture_of(tap);
    const char *from = c->rx ? "" : "looped back, ";

    if (mlx5_tls_wants(d->tir, d->pkt)) {
        rx_comment_tls(c, d, from);
    } else {
        comment(c, "%stirn %u: %s, delivered as received", from, d->tir->obj.id,
                d->tir->tls ? "not a packet for its TLS context" :
                "no TLS context");
    }
    rx_write_wire(c);
    write_side(c, SIDE_DRIVER, false, d->iov, d->iovcnt);
    packet_over(c);
}

static void rx_over(Mlx5Tap *tap, Mlx5Function *fn,
                    Mlx5SteeringVerdict verdict, unsigned queues)
{
    static const char *const why[] = {
        [MLX5_STEERING_DROP_NO_ROOT] = "there is no root flow table",
        [MLX5_STEERING_DROP_MISS] = "no flow entry matches",
        [MLX5_STEERING_DROP_RULE] = "a flow entry drops it",
        [MLX5_STEERING_DROP_LOOP] = "too long a path through the flow tables",
        [MLX5_STEERING_DROP_PROBES] = "too many probes of flow groups",
        [MLX5_STEERING_DELIVER] = "its receive queue is not running",
    };
    Mlx5Capture *c = capture_of(tap);

    if (c->rx && !c->rx_written) {
        comment(c, "not delivered: %s", queues ? "out of receive WQEs" :
                why[verdict]);
        rx_write_wire(c);
        packet_over(c);
    }
    c->rx = NULL;
}

/* ------------------------------------------------------------ contexts --- */

static const char *number_name(Mlx5TlsDir dir)
{
    return dir == MLX5_TLS_DIR_TX ? "tisn" : "tirn";
}

static const char *state_now(const Mlx5Function *fn)
{
    const Mlx5Wqe *wqe = &fn->port->wqe;

    return wqe->tis ? mlx5_tls_tx_state_str(wqe->tis->tls->state) :
                      mlx5_tls_rx_state_str(wqe->tir->tls->state);
}

static void static_params(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                          uint32_t num, const uint8_t *params, Mlx5TlsKey *key,
                          const char *done)
{
    Mlx5Capture *c = capture_of(tap);

    comment(c, "%s %u: static params: tls_version %u, initial_record_number %"
            PRIu64 ", resync_tcp_sn %u: %s; now %s", number_name(dir), num,
            MLX5_GET(tls_static_params, params, tls_version),
            MLX5_GET64(tls_static_params, params, initial_record_number),
            MLX5_GET(tls_static_params, params, resync_tcp_sn), done,
            state_now(fn));
    comment_records(c);
    write_event(c, NULL, 0);
}

static void progress_params(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                            uint32_t num, const uint8_t *params,
                            const char *done)
{
    Mlx5Capture *c = capture_of(tap);

    comment(c, "%s %u: SET_PSV: next_record_tcp_sn %u: %s; now %s",
            number_name(dir), num,
            MLX5_GET(tls_progress_params, params, next_record_tcp_sn), done,
            state_now(fn));
    comment_records(c);
    write_event(c, NULL, 0);
}

static void get_psv(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tirn,
                    const uint8_t *params)
{
    Mlx5Capture *c = capture_of(tap);

    comment(c, "tirn %u: GET_PSV: record_tracker_state %u, auth_state %u, "
            "hw_resync_tcp_sn %u", tirn,
            MLX5_GET(tls_progress_params, params, record_tracker_state),
            MLX5_GET(tls_progress_params, params, auth_state),
            MLX5_GET(tls_progress_params, params, hw_resync_tcp_sn));
    write_event(c, NULL, 0);
}

static void record(Mlx5Tap *tap, Mlx5Function *fn, const Mlx5TlsRecordEvent *e)
{
    g_array_append_val(capture_of(tap)->records, *e);
}

/* ---------------------------------------------------------- on and off --- */

static void capture_free(Mlx5Capture *c)
{
    Side side;

    for (side = 0; side < SIDES; side++) {
        mlx5_pcapng_statistics(c->block, c->side[side].interface,
                               qemu_clock_get_ns(QEMU_CLOCK_HOST),
                               c->side[side].packets, c->side[side].lost);
    }
    mlx5_pcapfile_write(c->file, c->block, c->dev->capture_max);
    mlx5_pcapfile_close(c->file);
    qemu_remove_exit_notifier(&c->exit);
    tx_forget(c);
    g_byte_array_unref(c->tx.posted);
    g_byte_array_unref(c->block);
    g_array_unref(c->tx.records);
    g_array_unref(c->records);
    g_ptr_array_unref(c->comments);
    g_free(c);
}

static void end(Mlx5Tap *tap, Mlx5Function *fn)
{
    capture_free(g_steal_pointer(&fn->dev->capturing));
}

static void stop(Mlx5State *s)
{
    if (s->capturing) {
        mlx5_tap_remove(&s->fn, &s->capturing->tap);
        capture_free(g_steal_pointer(&s->capturing));
    }
}

/* Devices are not finalized when QEMU ends. */
static void at_exit(Notifier *notifier, void *data)
{
    stop(container_of(notifier, Mlx5Capture, exit)->dev);
}

static uint32_t add_interface(Mlx5Capture *c, const char *side,
                              const char *about)
{
    const char *id = mlx5_id(&c->dev->fn);
    g_autofree char *name = g_strdup_printf("%s-%s", id, side);
    g_autofree char *description = g_strdup_printf("%s: %s", id, about);

    return mlx5_pcapfile_interface(c->file, name, description);
}

/* Starts to write to @path; on failure the current capture goes on. */
static bool start(Mlx5State *s, const char *path, Error **errp)
{
    static const Mlx5TapOps ops = {
        .static_params = static_params,
        .progress_params = progress_params,
        .get_psv = get_psv,
        .wqe_over = wqe_over,
        .tx_posted = tx_posted,
        .tx_verdict = tx_verdict,
        .tx_dump = tx_dump,
        .tx_frame = tx_frame,
        .rx_frame = rx_frame,
        .rx_over = rx_over,
        .rx_deliver = rx_deliver,
        .record = record,
        .end = end,
    };
    Mlx5PcapFile *file = mlx5_pcapfile_open(path, errp);
    Mlx5Capture *c;

    if (!file) {
        return false;
    }
    stop(s);
    s->capturing = c = g_new0(Mlx5Capture, 1);
    c->tap.ops = &ops;
    c->exit.notify = at_exit;
    c->dev = s;
    c->file = file;
    c->side[SIDE_WIRE].interface =
        add_interface(c, "wire", "as on the wire, TLS records encrypted");
    c->side[SIDE_DRIVER].interface =
        add_interface(c, "driver", "as posted by and handed to the driver");
    c->block = g_byte_array_new();
    c->comments = g_ptr_array_new_with_free_func(g_free);
    c->records = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    c->tx.posted = g_byte_array_sized_new(MLX5_TX_BUF_SIZE);
    c->tx.records = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    qemu_add_exit_notifier(&c->exit);
    mlx5_tap_add(&s->fn, &c->tap);
    return true;
}

static char *get_capture(Object *obj, Error **errp)
{
    return g_strdup(MLX5_KTLS(obj)->capture ?: "");
}

/* Before realize, only the name is stored; later it takes effect at once. */
static void set_capture(Object *obj, const char *value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);

    if (DEVICE(obj)->realized) {
        if (!*value) {
            stop(s);
        } else if (!start(s, value, errp)) {
            return;
        }
    }
    g_free(s->capture);
    s->capture = *value ? g_strdup(value) : NULL;
}

static void get_capture_max(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    visit_type_size(v, name, &MLX5_KTLS(obj)->capture_max, errp);
}

static void set_capture_max(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    mlx5_visit_file_limit(v, name, &MLX5_KTLS(obj)->capture_max, errp);
}

bool mlx5_capture_init(Mlx5State *s, Error **errp)
{
    return !s->capture || start(s, s->capture, errp);
}

void mlx5_capture_instance_init(Mlx5State *s)
{
    s->capture_max = CAPTURE_MAX_DEFAULT;
}

void mlx5_capture_instance_finalize(Mlx5State *s)
{
    g_clear_pointer(&s->capture, g_free);
}

void mlx5_capture_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "capture", get_capture, set_capture);
    object_class_property_set_description(klass, "capture",
        "pcapng file for the port's packets, on both sides of the crypto and "
        "with verdicts, empty: none; can be set at any time");
    object_class_property_add(klass, "capture-max", "size", get_capture_max,
                              set_capture_max, NULL, NULL);
    object_class_property_set_description(klass, "capture-max",
        "size limit of that file in bytes (default: 1G, 0: no limit); can be "
        "set at any time");
}
