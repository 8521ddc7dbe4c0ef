/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's side of strict=on: shows the engine's checker what goes in and
 * what comes out, counts, traces and reports what it finds. Owns fn->strict and
 * Mlx5State.strict_count. Nothing here changes what the device does.
 *
 * What leaves is looked at where the port gives it to the backend, and what is
 * delivered where the receive queue takes it: behind all that could go wrong.
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/iov.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "strict.h"
#include "tls.h"
#include "trace.h"

static void report(void *opaque, Mlx5StrictReason reason, const char *details)
{
    Mlx5State *s = opaque;
    const char *id = DEVICE(s)->id ?: "";

    trace_mlx5_strict_violation(id, mlx5_strict_reason_name(reason), details);
    if (!s->strict_count[reason]++) {
        warn_report("mlx5-ktls %s: %s: %s (%s; said once, "
                    "strict-violations counts on)", id,
                    mlx5_strict_reason_name(reason),
                    mlx5_strict_reason_str(reason), details);
    }
}

void mlx5_strict_start(Mlx5Function *fn)
{
    bool whole = !fn->steering || (!mlx5_object_count(fn, MLX5_OBJ_TIS) &&
                                   !mlx5_object_count(fn, MLX5_OBJ_TIR) &&
                                   !mlx5_object_count(fn, MLX5_OBJ_DEK));

    if (fn->dev->strict && !fn->strict) {
        fn->strict = mlx5_tls_strict_new(fn->tls.engine, whole, report,
                                         fn->dev);
    }
}

void mlx5_strict_stop(Mlx5Function *fn)
{
    g_clear_pointer(&fn->strict, mlx5_tls_strict_free);
}

/* ---------------------------------------------------------------- sending --- */

void mlx5_strict_wqe(Mlx5Sq *sq)
{
    Mlx5Function *fn = sq->obj.fn;

    mlx5_tls_strict_wqe(fn->strict, sq->obj.id,
                        MLX5_GET(wqe_ctrl, fn->port->tx.wqe, fm));
}

void mlx5_strict_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt)
{
    const uint8_t *wqe = port->tx.wqe;
    uint8_t opcode = MLX5_GET(wqe_ctrl, wqe, opcode);
    uint32_t tisn = MLX5_GET(wqe_ctrl, wqe, tis_tir_num);
    size_t len = iov_size(iov, iovcnt);
    Mlx5Packet pkt;
    uint8_t *frame;

    if (opcode != MLX5_WQE_SEND && opcode != MLX5_WQE_LSO &&
        opcode != MLX5_WQE_ENHANCED_MPSW) {
        mlx5_tls_strict_violation(port->fn->strict, MLX5_STRICT_TX_DUMP,
                                  "opcode 0x%x, %zu bytes", opcode, len);
        return;
    }
    if (!tisn) {
        return;
    }
    frame = g_malloc(len);
    iov_to_buf(iov, iovcnt, 0, frame, len);
    mlx5_parse(frame, len, &pkt);
    mlx5_tls_strict_tx_frame(port->fn->strict, tisn,
                             pkt.l4_type == MLX5_L4_TCP && !pkt.is_frag &&
                             !pkt.l3_truncated, pkt.tcp_seq,
                             frame + pkt.payload_off, pkt.payload_len);
    mlx5_secret_free(frame, len); /* if it is as it should be it has none */
}

/* -------------------------------------------------------------- receiving --- */

void mlx5_strict_candidate(Mlx5Function *fn, bool candidate,
                           uint32_t hw_resync_tcp_sn)
{
    fn->strict_candidate = candidate;
    fn->strict_resync = hw_resync_tcp_sn;
}

/* The one's complement sum over what follows 14 bytes, word by word. */
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

void mlx5_strict_deliver(Mlx5Tir *tir, const Mlx5Packet *pkt,
                         const uint8_t *wire, const uint8_t *frame,
                         const struct iovec *iov, int iovcnt,
                         const uint8_t *cqe)
{
    Mlx5TlsStrict *strict = tir->obj.fn->strict;
    Mlx5TlsFlag flag = MLX5_GET(cqe, cqe, tls_offload);
    bool tls = tir->tls && pkt->l4_type == MLX5_L4_TCP && !pkt->is_frag &&
               !pkt->l3_truncated && pkt->payload_len && pkt->l3_ok &&
               pkt->l4_ok;
    uint16_t sum = sum_over(iov, iovcnt);
    size_t off, end;

    if (sum != MLX5_GET(cqe, cqe, check_sum)) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_CHECKSUM,
                                  "tir 0x%x: check_sum 0x%x, sum 0x%x",
                                  tir->obj.id,
                                  (unsigned)MLX5_GET(cqe, cqe, check_sum), sum);
    }
    if (!tls) {
        if (flag != MLX5_TLS_FLAG_NOT_DECRYPTED) {
            mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_FLAG,
                                      "tir 0x%x: flag %u for what TLS does not "
                                      "look at", tir->obj.id, flag);
        }
        if (memcmp(wire, frame, pkt->len)) {
            mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_ALTERED,
                                      "tir 0x%x: %u bytes that TLS does not "
                                      "look at", tir->obj.id, pkt->len);
        }
        return;
    }
    off = pkt->payload_off;
    end = off + pkt->payload_len;
    if (memcmp(wire, frame, off) ||
        memcmp(wire + end, frame + end, pkt->len - end)) {
        mlx5_tls_strict_violation(strict, MLX5_STRICT_RX_FRAMING,
                                  "tir 0x%x seq 0x%x: around the payload",
                                  tir->obj.id, pkt->tcp_seq);
    }
    mlx5_tls_strict_rx_packet(strict, tir->obj.id, pkt->tcp_seq, wire + off,
                              frame + off, pkt->payload_len, flag,
                              tir->obj.fn->strict_candidate,
                              tir->obj.fn->strict_resync);
}

/* ------------------------------------------------------ breaking on purpose --- */

#ifdef MLX5_BREAK

bool mlx5_strict_break(Mlx5Function *fn, Mlx5StrictReason reason)
{
    return fn->dev->break_reason &&
           !strcmp(fn->dev->break_reason, mlx5_strict_reason_name(reason));
}

void mlx5_strict_break_tx(Mlx5Function *fn, uint8_t *payload,
                          const uint8_t *plain, size_t len)
{
    if (mlx5_strict_break(fn, MLX5_STRICT_TX_PLAINTEXT)) {
        memcpy(payload, plain, len);
    } else if (mlx5_strict_break(fn, MLX5_STRICT_TX_CIPHERTEXT)) {
        payload[len - 1] ^= 1;
    } else if (mlx5_strict_break(fn, MLX5_STRICT_TX_HEADER)) {
        payload[0] ^= 1;
    }
}

Mlx5TlsFlag mlx5_strict_break_rx(Mlx5Function *fn, const Mlx5Packet *pkt,
                                 const uint8_t *wire, uint8_t *frame,
                                 Mlx5TlsFlag flag)
{
    bool decrypted = flag == MLX5_TLS_FLAG_DECRYPTED;
    uint8_t *payload = frame + pkt->payload_off;

    if (mlx5_strict_break(fn, MLX5_STRICT_RX_FLAG) && decrypted) {
        memcpy(frame, wire, pkt->len);
        return MLX5_TLS_FLAG_ERROR;
    }
    if (mlx5_strict_break(fn, MLX5_STRICT_RX_UNTRACKED) && !decrypted) {
        return MLX5_TLS_FLAG_DECRYPTED;
    }
    if (mlx5_strict_break(fn, MLX5_STRICT_RX_PAYLOAD) && decrypted) {
        memcpy(frame, wire, pkt->len);
    }
    if (mlx5_strict_break(fn, MLX5_STRICT_RX_ALTERED)) {
        if (decrypted) {
            return MLX5_TLS_FLAG_NOT_DECRYPTED;
        } else if (flag == MLX5_TLS_FLAG_ERROR) {
            payload[pkt->payload_len - 1] ^= 1;
        }
    }
    if (mlx5_strict_break(fn, MLX5_STRICT_RX_FRAMING) && decrypted) {
        payload[0] ^= 1;
    }
    if (mlx5_strict_break(fn, MLX5_STRICT_RX_RESYNC) &&
        flag == MLX5_TLS_FLAG_RESYNC) {
        return MLX5_TLS_FLAG_NOT_DECRYPTED;
    }
    return flag;
}

static char *get_break(Object *obj, Error **errp)
{
    return g_strdup(MLX5_KTLS(obj)->break_reason ?: "");
}

static void set_break(Object *obj, const char *value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    unsigned i;

    for (i = 0; i < MLX5_STRICT_REASONS; i++) {
        if (!strcmp(value, mlx5_strict_reason_name(i))) {
            s->break_reason = mlx5_strict_reason_name(i);
            return;
        }
    }
    error_setg(errp, "break=%s: expected a reason of strict-violations", value);
}

#endif

/* ------------------------------------------------------------- properties --- */

static bool get_strict(Object *obj, Error **errp)
{
    return MLX5_KTLS(obj)->strict;
}

static void set_strict(Object *obj, bool value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);

    s->strict = value;
    if (!value) {
        mlx5_strict_stop(&s->fn);
    } else if (s->fn.tls.engine) {
        mlx5_strict_start(&s->fn);
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
        "check on every packet what must always be true, see docs/observing.md "
        "(default: off)");
    object_class_property_add(klass, "strict-violations",
                              "mlx5-strict-violations", get_violations, NULL,
                              NULL, NULL);
    object_class_property_set_description(klass, "strict-violations",
        "what strict=on has found, by reason");
#ifdef MLX5_BREAK
    object_class_property_add_str(klass, "break", get_break, set_break);
    object_class_property_set_description(klass, "break",
        "break the device so that strict=on must find this reason");
#endif
}
