/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Breaks the device on purpose, property break=REASON: for each reason of
 * strict=on that a driver cannot provoke, makes the device do what the check
 * must detect. Compiled only with MLX5_BREAK, for the tests of the checker; an
 * observer (tap.h) that runs before the checker and changes the data.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "engine/csum.h"
#include "engine/tls_strict.h"
#include "sq.h"
#include "strict.h"
#include "tap.h"
#include "tx.h"

typedef struct Breaker {
    Mlx5Tap tap;
    Mlx5StrictReason reason;
    GByteArray *plain;  /* TX_PLAINTEXT: to be sent unencrypted */
} Breaker;

static Breaker *breaker(Mlx5Tap *tap)
{
    return container_of(tap, Breaker, tap);
}

/* -------------------------------------------------------------- sending --- */

/* Without its TIS number the pipeline does not encrypt the WQE's payload. */
static void wqe_begin(Mlx5Tap *tap, Mlx5Function *fn, Mlx5Sq *sq)
{
    Breaker *b = breaker(tap);
    Mlx5Wqe *wqe = &fn->port->wqe;

    if (b->reason == MLX5_STRICT_TX_BYPASS &&
        (wqe->opcode == MLX5_WQE_SEND || wqe->opcode == MLX5_WQE_LSO)) {
        wqe->num = 0;
    }
}

static void tx_plain(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                     const uint8_t *payload, size_t len)
{
    g_byte_array_set_size(breaker(tap)->plain, 0);
    g_byte_array_append(breaker(tap)->plain, payload, len);
}

static void tx_encrypted(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                         uint32_t seq, uint8_t *payload, size_t len)
{
    Breaker *b = breaker(tap);

    switch (b->reason) {
    case MLX5_STRICT_TX_PLAINTEXT:
        memcpy(payload, b->plain->data, len);
        break;
    case MLX5_STRICT_TX_CIPHERTEXT:
        payload[len - 1] ^= 1;
        break;
    case MLX5_STRICT_TX_HEADER:
        payload[0] ^= 1;
        break;
    default:
        break;
    }
}

static void tx_dump(Mlx5Tap *tap, Mlx5Function *fn, uint32_t tisn,
                    const uint8_t *data, size_t len, const Mlx5TlsTxResult *res)
{
    struct iovec iov = { .iov_base = (void *)data, .iov_len = len };

    if (breaker(tap)->reason == MLX5_STRICT_TX_DUMP) {
        mlx5_tx_frame(fn->port, &iov, 1);
    }
}

/* ------------------------------------------------------------ receiving --- */

/* Changes the packet; returns its new flag. */
static Mlx5TlsFlag break_packet(Mlx5StrictReason reason,
                                const Mlx5TapDelivery *d, Mlx5TlsFlag flag)
{
    bool decrypted = flag == MLX5_TLS_FLAG_DECRYPTED;
    uint8_t *payload = d->frame + d->pkt->payload_off;

    switch (reason) {
    case MLX5_STRICT_RX_FLAG:
        if (decrypted) {
            memcpy(d->frame, d->wire, d->pkt->len);
            return MLX5_TLS_FLAG_ERROR;
        }
        break;
    case MLX5_STRICT_RX_UNTRACKED:
        return MLX5_TLS_FLAG_DECRYPTED;
    case MLX5_STRICT_RX_PAYLOAD:
        if (decrypted) {
            memcpy(d->frame, d->wire, d->pkt->len);
        }
        break;
    case MLX5_STRICT_RX_ALTERED:
        if (decrypted) {
            return MLX5_TLS_FLAG_NOT_DECRYPTED;
        }
        if (flag == MLX5_TLS_FLAG_ERROR) {
            payload[d->pkt->payload_len - 1] ^= 1;
        }
        break;
    case MLX5_STRICT_RX_FRAMING:
        if (decrypted) {
            payload[0] ^= 1;
        }
        break;
    case MLX5_STRICT_RX_RESYNC:
        if (flag == MLX5_TLS_FLAG_RESYNC) {
            return MLX5_TLS_FLAG_NOT_DECRYPTED;
        }
        break;
    default:
        break;
    }
    return flag;
}

static void rx_deliver(Mlx5Tap *tap, Mlx5Function *fn, const Mlx5TapDelivery *d)
{
    Mlx5StrictReason reason = breaker(tap)->reason;
    size_t skip = MLX5_GET(cqe, d->cqe, cv) ? MLX5_VLAN_HLEN : 0;

    if (mlx5_tls_wants(d->tir, d->pkt)) {
        MLX5_SET(cqe, d->cqe, tls_offload,
                 break_packet(reason, d, MLX5_GET(cqe, d->cqe, tls_offload)));
        MLX5_SET(cqe, d->cqe, check_sum,
                 mlx5_csum_cqe_full(d->frame + skip, d->pkt->len - skip));
    }
    if (reason == MLX5_STRICT_RX_CHECKSUM) {
        MLX5_SET(cqe, d->cqe, check_sum,
                 MLX5_GET(cqe, d->cqe, check_sum) ^ 1);
    }
}

/* ------------------------------------------------------------- property --- */

static void end(Mlx5Tap *tap, Mlx5Function *fn)
{
    g_byte_array_unref(breaker(tap)->plain);
    g_free(tap);
}

static const Mlx5TapOps ops = {
    .wqe_begin = wqe_begin,
    .tx_plain = tx_plain,
    .tx_encrypted = tx_encrypted,
    .tx_dump = tx_dump,
    .rx_deliver = rx_deliver,
    .end = end,
    .alters = true,
};

static Breaker *find(Mlx5State *s)
{
    Mlx5Tap *tap;

    QLIST_FOREACH(tap, &s->fn.taps, next) {
        if (tap->ops == &ops) {
            return breaker(tap);
        }
    }
    return NULL;
}

static char *get_break(Object *obj, Error **errp)
{
    const Breaker *b = find(MLX5_KTLS(obj));

    return g_strdup(b ? mlx5_strict_reason_name(b->reason) : "");
}

static void set_break(Object *obj, const char *value, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    Breaker *b = find(s);
    unsigned i;

    for (i = 0; i < MLX5_STRICT_REASONS; i++) {
        if (!strcmp(value, mlx5_strict_reason_name(i))) {
            if (!b) {
                b = g_new0(Breaker, 1);
                b->tap.ops = &ops;
                b->plain = g_byte_array_new();
                mlx5_tap_add(&s->fn, &b->tap);
            }
            b->reason = i;
            return;
        }
    }
    error_setg(errp, "break=%s: expected a reason of strict-violations", value);
}

void mlx5_strict_break_class_init(ObjectClass *klass)
{
    object_class_property_add_str(klass, "break", get_break, set_break);
    object_class_property_set_description(klass, "break",
        "break the device so that strict=on must find this reason");
}
