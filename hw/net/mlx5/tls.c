/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS contexts of TIS and TIR: connects the pipelines (tx.c, rx.c, tls_wqe.c)
 * to the engine's state machines. Owns Mlx5Tis.tls, Mlx5Tir.tls and fn->tls.
 * The engine counts packets processed by contexts; packets that do not reach
 * one are counted here, in the same counters.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "err.h"
#include "memory.h"
#include "object.h"
#include "sq.h"
#include "tap.h"
#include "tir.h"
#include "tls.h"
#include "trace.h"

bool mlx5_tls_init(Mlx5Function *fn, Error **errp)
{
    g_autofree char *why = NULL;

    fn->tls.engine = mlx5_tls_engine_new(MLX5_TLS_ENGINE_DEFAULT_SLOTS, &why);
    if (!fn->tls.engine) {
        error_setg(errp, "TLS offload is not possible: %s", why);
        return false;
    }
    *mlx5_tls_engine_knobs(fn->tls.engine) = fn->dev->tls_knobs;
    return true;
}

void mlx5_tls_finalize(Mlx5Function *fn)
{
    mlx5_tap_end(fn);
    g_clear_pointer(&fn->tls.engine, mlx5_tls_engine_free);
}

void mlx5_tls_reset_counters(Mlx5Function *fn)
{
    memset(mlx5_tls_engine_counters(fn->tls.engine), 0,
           sizeof(Mlx5TlsCounters));
    memset(&fn->dek.counters, 0, sizeof(fn->dek.counters));
}

static void knob_get(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    g_autofree char *value = mlx5_tls_knobs_print(&MLX5_KTLS(obj)->tls_knobs,
                                                  name);

    visit_type_str(v, name, &value, errp);
}

static void knob_set(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    g_autofree char *value = NULL;
    g_autofree char *why = NULL;

    if (!visit_type_str(v, name, &value, errp)) {
        return;
    }
    why = mlx5_tls_knobs_parse(&s->tls_knobs, name, value);
    if (why) {
        error_setg(errp, "%s", why);
    } else if (s->fn.tls.engine) {
        *mlx5_tls_engine_knobs(s->fn.tls.engine) = s->tls_knobs;
    }
}

void mlx5_tls_class_init(ObjectClass *klass)
{
    Mlx5TlsKnobs defaults;
    const char *name;
    unsigned i;

    mlx5_tls_knobs_init(&defaults);
    for (i = 0; (name = mlx5_tls_knobs_name(i)); i++) {
        g_autofree char *def = mlx5_tls_knobs_print(&defaults, name);
        g_autofree char *text = g_strdup_printf(
            "unknown silicon behaviour, see docs/device.md (default: %s)",
            def);

        object_class_property_add(klass, name, "str", knob_get, knob_set, NULL,
                                  NULL);
        object_class_property_set_description(klass, name, text);
    }
}

/*
 * A context may keep up to two keys alive after their DEK has dropped them;
 * observers present at its creation use memory, too.
 */
static size_t context_memory(const Mlx5Function *fn, size_t size)
{
    return mlx5_memory_of(size) + 2 * mlx5_memory_of(mlx5_tls_key_size()) +
           mlx5_tap_context_memory(fn);
}

size_t mlx5_tls_tx_memory(const Mlx5Function *fn)
{
    return context_memory(fn, sizeof(Mlx5TlsTx));
}

size_t mlx5_tls_rx_memory(const Mlx5Function *fn)
{
    return context_memory(fn, sizeof(Mlx5TlsRx)) +
           mlx5_memory_of(sizeof(QEMUTimer));
}

Mlx5TlsTx *mlx5_tls_tx_new(Mlx5Function *fn, uint32_t tisn)
{
    Mlx5TlsTx *tx = g_new0(Mlx5TlsTx, 1);

    mlx5_tls_tx_init(tx, fn->tls.engine, tisn);
    mlx5_tap_context_new(fn, MLX5_TLS_DIR_TX, tisn);
    return tx;
}

void mlx5_tls_tis_destroy(Mlx5Tis *tis)
{
    Mlx5Function *fn = tis->obj.fn;

    if (!tis->tls) {
        return;
    }
    mlx5_tap_context_gone(fn, MLX5_TLS_DIR_TX, tis->obj.id);
    mlx5_tls_tx_clear(tis->tls);
    mlx5_secret_free(tis->tls, sizeof(*tis->tls));
    tis->tls = NULL;
}

Mlx5TlsRx *mlx5_tls_rx_new(Mlx5Function *fn, uint32_t tirn)
{
    Mlx5TlsRx *rx = g_new0(Mlx5TlsRx, 1);

    mlx5_tls_rx_init(rx, fn->tls.engine, tirn);
    mlx5_tap_context_new(fn, MLX5_TLS_DIR_RX, tirn);
    return rx;
}

void mlx5_tls_rx_free(Mlx5TlsRx *rx)
{
    if (rx) {
        mlx5_tls_rx_clear(rx);
        mlx5_secret_free(rx, sizeof(*rx));
    }
}

void mlx5_tls_refuse(Mlx5Function *fn, const Mlx5Wqe *wqe, const char *why)
{
    Mlx5TapTxVerdict v = { .tisn = wqe->num, .why = why };

    mlx5_tls_engine_counters(fn->tls.engine)->tx_drop_unmarkable++;
    mlx5_tap_tx_verdict(fn, &v);
    mlx5_err_tls_tx(fn, wqe->num, 0, why);
}

/*
 * Returns whether a WQE of @sq may refer to @o, an object of transport domain
 * @td.
 */
static bool may_name(const Mlx5Sq *sq, const Mlx5Object *o, const Mlx5Td *td,
                     const char **why)
{
    if (!mlx5_object_usable(o, &sq->obj)) {
        *why = "of another owner than the queue";
        return false;
    }
    if (sq->tis && sq->tis->td != td) {
        *why = "of another transport domain than the queue";
        return false;
    }
    return true;
}

Mlx5Tis *mlx5_tls_tis(const Mlx5Sq *sq, uint32_t tisn, const char **why)
{
    Mlx5Tis *tis = mlx5_object_get(sq->obj.fn, MLX5_OBJ_TIS, tisn);

    if (!tis || !tis->tls) {
        *why = "no such object, or one without tls_en";
        return NULL;
    }
    if (tis->pd != sq->pd) {
        *why = "of another protection domain than the queue";
        return NULL;
    }
    return may_name(sq, &tis->obj, tis->td, why) ? tis : NULL;
}

Mlx5Tir *mlx5_tls_tir(const Mlx5Sq *sq, uint32_t tirn, const char **why)
{
    Mlx5Tir *tir = mlx5_object_get(sq->obj.fn, MLX5_OBJ_TIR, tirn);

    if (!tir || !tir->tls) {
        *why = "no such object, or one without tls_en";
        return NULL;
    }
    return may_name(sq, &tir->obj, tir->td, why) ? tir : NULL;
}

Mlx5TlsTxVerdict mlx5_tls_send(const Mlx5Sq *sq, const Mlx5Wqe *wqe,
                               const Mlx5Packet *pkt, uint8_t *payload,
                               size_t len)
{
    Mlx5Function *fn = sq->obj.fn;
    uint32_t tisn = wqe->num;
    Mlx5TapTxVerdict v = { .tisn = tisn, .len = len };
    Mlx5TlsTxResult res;

    if (!wqe->tis) {
        mlx5_tls_refuse(fn, wqe, wqe->missing);
        return MLX5_TLS_TX_DROP;
    }
    if (!mlx5_packet_is_tcp_segment(pkt)) {
        mlx5_tls_refuse(fn, wqe, "no whole TCP segment");
        return MLX5_TLS_TX_DROP;
    }
    if (!len) {
        return MLX5_TLS_TX_SEND;
    }
    mlx5_tap_tx_plain(fn, tisn, payload, len);
    mlx5_tls_tx_packet(wqe->tis->tls, pkt->tcp_seq, payload, len, &res);
    mlx5_tx_charge(fn->port, 0, res.records);
    v.res = &res;
    v.verdict = res.verdict;
    if (res.verdict == MLX5_TLS_TX_SEND) {
        mlx5_tap_tx_verdict(fn, &v);
        mlx5_tap_tx_encrypted(fn, tisn, pkt->tcp_seq, payload, len);
        trace_mlx5_tls_tx(mlx5_id(fn), tisn, pkt->tcp_seq, len, res.records,
                          mlx5_tls_tx_row_str(res.row));
        return MLX5_TLS_TX_SEND;
    }
    v.why = mlx5_tls_reason_str(res.reason);
    mlx5_tap_tx_verdict(fn, &v);
    mlx5_err_tls_tx(fn, tisn, pkt->tcp_seq, v.why);
    return res.verdict;
}

void mlx5_tls_dump(const Mlx5Sq *sq, const Mlx5Wqe *wqe, const uint8_t *data,
                   size_t len)
{
    Mlx5Function *fn = sq->obj.fn;
    uint32_t tisn = wqe->num;
    Mlx5TlsTxResult res;

    if (!wqe->tis) {
        mlx5_tls_engine_counters(fn->tls.engine)->tx_dump_ignored++;
        trace_mlx5_tls_dump(mlx5_id(fn), tisn, len, wqe->missing);
        return;
    }
    mlx5_tls_tx_dump(wqe->tis->tls, data, len, &res);
    mlx5_tx_charge(fn->port, len, res.records);
    mlx5_tap_tx_dump(fn, tisn, data, len, &res);
    trace_mlx5_tls_dump(mlx5_id(fn), tisn, len,
                        mlx5_tls_reason_str(res.reason));
}

/*
 * Fragments and segments with a bad checksum bypass the context as if lost: TCP
 * will drop them too.
 */
bool mlx5_tls_wants(const Mlx5Tir *tir, const Mlx5Packet *pkt)
{
    return tir->tls && mlx5_packet_is_tcp_segment(pkt) && pkt->payload_len &&
           pkt->l3_ok && pkt->l4_ok;
}

/* Software has not answered: the next header may become the candidate. */
static void resync_timeout(void *opaque)
{
    Mlx5Tir *tir = opaque;

    mlx5_tls_rx_resync_timeout(tir->tls);
}

/* Starts the timeout for an answer when @tir has a new candidate. */
static void resync_wait(Mlx5Tir *tir)
{
    Mlx5State *s = tir->obj.fn->dev;

    if (s->tls_knobs.resync_repeat != MLX5_TLS_RESYNC_REPEAT_TIMEOUT) {
        return;
    }
    if (!tir->resync_timer) {
        tir->resync_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, resync_timeout,
                                         tir);
    }
    timer_mod(tir->resync_timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) +
              s->resync_timeout_ms);
}

void mlx5_tls_tir_destroy(Mlx5Tir *tir)
{
    Mlx5Function *fn = tir->obj.fn;

    g_clear_pointer(&tir->resync_timer, timer_free);
    mlx5_tap_context_gone(fn, MLX5_TLS_DIR_RX, tir->obj.id);
    mlx5_tls_rx_free(tir->tls);
}

Mlx5TlsReceived mlx5_tls_receive(Mlx5Tir *tir, const Mlx5Packet *pkt,
                                 uint8_t *frame)
{
    Mlx5Function *fn = tir->obj.fn;
    Mlx5TlsRxResult res;

    mlx5_tls_rx_packet(tir->tls, pkt->tcp_seq, frame + pkt->payload_off,
                       pkt->payload_len, &res);
    if (res.candidate) {
        resync_wait(tir);
    }
    trace_mlx5_tls_rx(mlx5_id(fn), tir->obj.id, pkt->tcp_seq, pkt->payload_len,
                      res.flag, mlx5_tls_rx_state_str(res.state_before),
                      mlx5_tls_rx_state_str(res.state_after),
                      mlx5_tls_rx_row_str(res.row),
                      mlx5_tls_reason_str(res.reason));
    return (Mlx5TlsReceived) {
        .flag = res.flag,
        .candidate = res.candidate,
        .hw_resync_tcp_sn = res.hw_resync_tcp_sn,
        .reason = res.reason,
        .row = res.row,
        .state_before = res.state_before,
        .state_after = res.state_after,
    };
}
