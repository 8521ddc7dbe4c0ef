/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device side of strict=on: an observer (tap.h) that passes input and
 * output of the pipelines to the engine's checker, and counts, traces and
 * reports its findings. Owns Mlx5State.checker and strict_count. Does not
 * affect the device's behaviour.
 *
 * Frames are checked where the port passes them to the backend, and received
 * packets where they enter the receive queue, after everything that could go
 * wrong.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "err.h"
#include "memory.h"
#include "object.h"
#include "sq.h"
#include "strict.h"
#include "tap.h"
#include "tir.h"

struct Mlx5Strict {
    Mlx5Tap tap;
    Mlx5TlsStrict *engine;
};

static Mlx5TlsStrict *checker(Mlx5Tap *tap)
{
    return container_of(tap, Mlx5Strict, tap)->engine;
}

static void report(void *opaque, Mlx5StrictReason reason, const char *details)
{
    Mlx5State *s = opaque;
    const char *id = mlx5_id(&s->fn);

    mlx5_err_strict(&s->fn, mlx5_strict_reason_name(reason), details);
    if (!s->strict_count[reason]++) {
        warn_report("mlx5-ktls %s: %s: %s (%s; said once, "
                    "strict-violations counts on)", id,
                    mlx5_strict_reason_name(reason),
                    mlx5_strict_reason_str(reason), details);
    }
}

/* ----------------------------------------------- contexts, keys, queues --- */

static void context_new(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                        uint32_t num)
{
    mlx5_tls_strict_add(checker(tap), dir, num);
}

static void context_gone(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                         uint32_t num)
{
    mlx5_tls_strict_remove(checker(tap), dir, num);
}

static void dek_load(Mlx5Tap *tap, Mlx5Function *fn, uint32_t dek,
                     const Mlx5TlsKey *key)
{
    mlx5_tls_strict_dek_load(checker(tap), dek, key);
}

static void dek_sync(Mlx5Tap *tap, Mlx5Function *fn)
{
    mlx5_tls_strict_dek_sync(checker(tap));
}

static void dek_gone(Mlx5Tap *tap, Mlx5Function *fn, uint32_t dek)
{
    mlx5_tls_strict_dek_gone(checker(tap), dek);
}

static void static_params(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                          uint32_t num, const uint8_t *params, Mlx5TlsKey *key,
                          const char *done)
{
    mlx5_tls_strict_static(checker(tap), dir, num, params, key);
}

static void progress_params(Mlx5Tap *tap, Mlx5Function *fn, Mlx5TlsDir dir,
                            uint32_t num, const uint8_t *params,
                            const char *done)
{
    mlx5_tls_strict_progress(checker(tap), dir, num, params);
}

static void wqe_begin(Mlx5Tap *tap, Mlx5Function *fn, Mlx5Sq *sq)
{
    const Mlx5Wqe *wqe = &fn->port->wqe;

    mlx5_tls_strict_wqe(checker(tap), sq->obj.id, wqe->serial,
                        MLX5_GET(wqe_ctrl, wqe->bytes, fm));
}

static void wqe_over(Mlx5Tap *tap, Mlx5Function *fn)
{
    mlx5_tls_strict_wqe_over(checker(tap));
}

static void sq_cqe(Mlx5Tap *tap, Mlx5Function *fn, Mlx5Sq *sq,
                   const uint8_t *cqe, uint64_t serial)
{
    mlx5_tls_strict_cqe(checker(tap), sq->obj.id, serial);
}

static void sq_gone(Mlx5Tap *tap, Mlx5Function *fn, Mlx5Sq *sq)
{
    mlx5_tls_strict_sq_gone(checker(tap), sq->obj.id);
}

/* -------------------------------------------------------------- sending --- */

static void tx_plain(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                     const uint8_t *payload, size_t len)
{
    mlx5_tls_strict_tx_plain(checker(tap), tisn, payload, len);
}

static void tx_encrypted(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                         uint32_t seq, uint8_t *payload, size_t len)
{
    mlx5_tls_strict_tx_passed(checker(tap), tisn, seq);
}

static void tx_dump(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                    const uint8_t *data, size_t len, const Mlx5TlsTxResult *res)
{
    mlx5_tls_strict_tx_dump(checker(tap), tisn, data, len,
                            res->reason == MLX5_TLS_REASON_NONE);
}

/*
 * Returns whether the packet is a segment eligible for TLS. Deliberately
 * duplicates the check in the pipeline, since the checker must not rely on the
 * code it checks.
 */
static bool is_segment(const Mlx5Packet *pkt)
{
    return pkt->l4_type == MLX5_L4_TCP && !pkt->is_frag && !pkt->l3_truncated;
}

static void tx_frame(Mlx5Tap *tap, Mlx5Function *fn, const struct iovec *iov,
                     int iovcnt)
{
    const Mlx5Wqe *wqe = &fn->port->wqe;
    uint32_t tisn = MLX5_GET(wqe_ctrl, wqe->bytes, tis_tir_num);
    size_t len = iov_size(iov, iovcnt);
    Mlx5Packet pkt;
    uint8_t *frame;

    if (!wqe->desc || !wqe->desc->frames) {
        mlx5_tls_strict_violation(checker(tap), MLX5_STRICT_TX_DUMP,
                                  "opcode 0x%x, %zu bytes", wqe->opcode, len);
        return;
    }
    if (!tisn) {
        return;
    }
    frame = g_malloc(len);
    iov_to_buf(iov, iovcnt, 0, frame, len);
    mlx5_parse(frame, len, &pkt);
    mlx5_tls_strict_tx_frame(checker(tap), tisn, is_segment(&pkt), pkt.tcp_seq,
                             frame + pkt.payload_off, pkt.payload_len);
    mlx5_secret_free(frame, len); /* holds no plaintext unless there is a bug */
}

/* ------------------------------------------------------------ receiving --- */

/*
 * Returns the one's complement sum over everything after 14 bytes, word by
 * word.
 */
static uint16_t sum_over(const struct iovec *iov, int iovcnt)
{
    size_t len = iov_size(iov, iovcnt), i;
    uint8_t *frame = g_malloc(len);
    uint32_t sum = 0;

    iov_to_buf(iov, iovcnt, 0, frame, len);
    for (i = MLX5_ETH_HLEN; i < len; i++) {
        sum += i & 1 ? frame[i] : frame[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    mlx5_secret_free(frame, len);
    return sum;
}

/* A packet that must not have been processed by a TLS context. */
static void deliver_other(Mlx5TlsStrict *strict, const Mlx5TapDelivery *d)
{
    Mlx5TlsFlag flag = MLX5_GET(cqe, d->cqe, tls_offload);

    if (flag != MLX5_TLS_FLAG_NOT_DECRYPTED) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_FLAG,
                                  "tir 0x%x: flag %u for what TLS does not "
                                  "look at", d->tir->obj.id, flag);
    }
    if (memcmp(d->wire, d->frame, d->pkt->len)) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_ALTERED,
                                  "tir 0x%x: %u bytes that TLS does not "
                                  "look at", d->tir->obj.id, d->pkt->len);
    }
}

static void deliver_tls(Mlx5TlsStrict *strict, const Mlx5TapDelivery *d)
{
    const Mlx5Packet *pkt = d->pkt;
    size_t off = pkt->payload_off, end = off + pkt->payload_len;

    if (memcmp(d->wire, d->frame, off) ||
        memcmp(d->wire + end, d->frame + end, pkt->len - end)) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_FRAMING,
                                  "tir 0x%x seq 0x%x: around the payload",
                                  d->tir->obj.id, pkt->tcp_seq);
    }
    mlx5_tls_strict_rx_packet(strict, d->tir->obj.id, pkt->tcp_seq,
                              d->wire + off, d->frame + off, pkt->payload_len,
                              MLX5_GET(cqe, d->cqe, tls_offload),
                              d->tls->candidate, d->tls->hw_resync_tcp_sn);
}

static void rx_deliver(Mlx5Tap *tap, Mlx5Function *fn, const Mlx5TapDelivery *d)
{
    Mlx5TlsStrict *strict = checker(tap);
    unsigned said = MLX5_GET(cqe, d->cqe, check_sum);
    uint16_t sum = sum_over(d->iov, d->iovcnt);

    if (sum != said) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_CHECKSUM,
                                  "tir 0x%x: check_sum 0x%x, sum 0x%x",
                                  d->tir->obj.id, said, sum);
    }
    if (d->tir->tls && is_segment(d->pkt) && d->pkt->payload_len &&
        d->pkt->l3_ok && d->pkt->l4_ok) {
        deliver_tls(strict, d);
    } else {
        deliver_other(strict, d);
    }
}

/* ----------------------------------------------------------- on and off --- */

static void stop(Mlx5Strict *strict)
{
    mlx5_tls_strict_free(strict->engine);
    g_free(strict);
}

static void end(Mlx5Tap *tap, Mlx5Function *fn)
{
    fn->dev->checker = NULL;
    stop(container_of(tap, Mlx5Strict, tap));
}

static const Mlx5TapOps ops = {
    .context_new = context_new,
    .context_gone = context_gone,
    .dek_load = dek_load,
    .dek_sync = dek_sync,
    .dek_gone = dek_gone,
    .static_params = static_params,
    .progress_params = progress_params,
    .wqe_begin = wqe_begin,
    .wqe_over = wqe_over,
    .sq_cqe = sq_cqe,
    .sq_gone = sq_gone,
    .tx_plain = tx_plain,
    .tx_encrypted = tx_encrypted,
    .tx_dump = tx_dump,
    .tx_frame = tx_frame,
    .rx_deliver = rx_deliver,
    .end = end,
};

/*
 * Returns the memory of the checker's shadow of a context, with up to three
 * keys and a cipher.
 */
static size_t context_memory(void)
{
    return mlx5_memory_of(mlx5_tls_strict_context_size()) +
           3 * mlx5_memory_of(mlx5_tls_key_size()) + MLX5_MEMORY_ENTRY +
           MLX5_GCM_WHOLE_MEMORY;
}

void mlx5_strict_start(Mlx5State *s)
{
    Mlx5Function *fn = &s->fn;
    bool whole = !mlx5_object_count(fn, MLX5_OBJ_TIS) &&
                 !mlx5_object_count(fn, MLX5_OBJ_TIR) &&
                 !mlx5_object_count(fn, MLX5_OBJ_DEK);

    if (s->strict && !s->checker) {
        s->checker = g_new0(Mlx5Strict, 1);
        s->checker->engine = mlx5_tls_strict_new(fn->tls.engine, whole, report,
                                                 s);
        s->checker->tap.ops = &ops;
        s->checker->tap.context_memory = context_memory();
        mlx5_tap_add(fn, &s->checker->tap);
    }
}

/* ----------------------------------------------------------- properties --- */

static bool get_strict(Object *obj, Error **errp)
{
    return MLX5_KTLS(obj)->strict;
}

static void set_strict(Object *obj, bool value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);

    s->strict = value;
    if (value && s->fn.tls.engine) {
        mlx5_strict_start(s);
    } else if (!value && s->checker) {
        mlx5_tap_remove(&s->fn, &s->checker->tap);
        stop(g_steal_pointer(&s->checker));
    }
}

static void get_violations(Object *obj, Visitor *v, const char *name,
                           void *opaque, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    uint64_t total = 0;
    unsigned i;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (i = 0; i < MLX5_STRICT_REASONS; i++) {
        uint64_t n = s->strict_count[i];

        total += n;
        if (!visit_type_uint64(v, mlx5_strict_reason_name(i), &n, errp)) {
            goto out;
        }
    }
    if (visit_type_uint64(v, "total", &total, errp)) {
        visit_check_struct(v, errp);
    }
out:
    visit_end_struct(v, NULL);
}

void mlx5_strict_class_init(ObjectClass *klass)
{
    object_class_property_add_bool(klass, "strict", get_strict, set_strict);
    object_class_property_set_description(klass, "strict",
        "check everything TLS against a second opinion, see "
        "docs/observing.md (default: off)");
    object_class_property_add(klass, "strict-violations",
                              "mlx5-strict-violations", get_violations, NULL,
                              NULL, NULL);
    object_class_property_set_description(klass, "strict-violations",
        "violations that strict=on found, by reason");
#ifdef MLX5_BREAK
    mlx5_strict_break_class_init(klass);
#endif
}
