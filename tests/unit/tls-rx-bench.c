/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test bench of the RX context. See tls-rx-bench.h.
 */
#include "tls-rx-bench.h"

#include <string.h>

static void log_record(void *opaque, const Mlx5TlsRecordEvent *ev)
{
    g_array_append_vals(opaque, ev, 1);
}

void rx_new_stream(Rx *t, GRand *rand, bool v13, size_t key_len, uint64_t first,
                   uint32_t base)
{
    RefKeys k;

    memset(t, 0, sizeof(*t));
    ref_keys_random(&k, rand, v13, key_len);
    t->rand = rand;
    t->st = ref_stream_new(&k, first);
    t->st->quiet = true;
    t->engine = ref_engine_new(8);
    t->knobs = mlx5_tls_engine_knobs(t->engine);
    t->key = ref_engine_key(&k);
    t->base = base;
    t->log = g_array_new(FALSE, FALSE, sizeof(Mlx5TlsRecordEvent));
    mlx5_tls_rx_init(&t->rx, t->engine, 0x55);
    mlx5_tls_engine_set_record_log(t->engine, log_record, t->log);
}

void rx_new(Rx *t, GRand *rand)
{
    static const size_t len[] = { 100, 50, 200, 0, 300, 80, 120, 60, 500, 90 };

    rx_new_stream(t, rand, false, 16, 40, -ref_rand_range(rand, 1, 1700));
    for (size_t i = 0; i < G_N_ELEMENTS(len); i++) {
        ref_stream_add(t->st, rand, 20 + i % 4, len[i]);
    }
}

void rx_free(Rx *t)
{
    mlx5_tls_rx_clear(&t->rx);
    mlx5_tls_key_unref(t->key);
    ref_engine_free(t->engine);
    ref_stream_free(t->st);
    g_array_unref(t->log);
}

Mlx5TlsRxStatic rx_static(Rx *t, uint64_t number, uint32_t resync)
{
    uint8_t image[64];

    ref_static_image(image, &t->st->keys, number, resync);
    return mlx5_tls_rx_set_static(&t->rx, image, t->key, NULL);
}

Mlx5TlsReason rx_psv(Rx *t, uint32_t anchor)
{
    uint8_t image[12];

    ref_progress_image(image, anchor);
    return mlx5_tls_rx_set_progress(&t->rx, image);
}

void rx_start(Rx *t, uint32_t anchor)
{
    rx_static(t, t->st->first_number, 0);
    g_assert_cmpint(rx_psv(t, anchor), ==, MLX5_TLS_REASON_NONE);
    STATE(t, START);
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

void rx_check_psv(Rx *t, uint32_t tracker, uint32_t auth, uint32_t next,
                  uint32_t resync, uint32_t offset)
{
    Mlx5TlsRx before = t->rx;
    uint8_t image[12];

    memset(image, 0xee, sizeof(image));
    mlx5_tls_rx_get_progress(&t->rx, image);
    g_assert_cmpmem(&before, sizeof(before), &t->rx, sizeof(t->rx));
    g_assert_cmphex(be32(image), ==, next);
    g_assert_cmphex(be32(image + 4), ==, resync);
    g_assert_cmphex(image[8], ==, tracker << 6 | auth << 4);
    g_assert_cmphex(be32(image + 8) & 0xffffff, ==, offset);
}

Mlx5TlsRxStatic rx_approve(Rx *t)
{
    uint8_t image[12];
    uint32_t resync;

    mlx5_tls_rx_get_progress(&t->rx, image);
    g_assert_cmphex(image[8], ==, 0x40);
    resync = be32(image + 4);
    for (unsigned i = 0; i < t->st->recs->len; i++) {
        if (resync == t->base + OFF(t, i)) {
            return rx_static(t, ref_rec(t->st, i)->number, resync);
        }
    }
    g_error("candidate %08x is no record", resync);
}

bool rx_took(const Rx *t, unsigned row)
{
    return t->res.rows & MLX5_TLS_RX_ROW_BIT(row);
}

void rx_bytes(Rx *t, uint32_t seq, const uint8_t *bytes, const uint8_t *clear,
              size_t len, Mlx5TlsFlag flag, unsigned row, Mlx5TlsRxState state)
{
    g_autofree uint8_t *buf = g_malloc(len + 1);
    Mlx5TlsRxState before = t->rx.state;

    memcpy(buf, bytes, len);
    mlx5_tls_rx_packet(&t->rx, seq, buf, len, &t->res);
    g_assert_cmpint(t->res.flag, ==, flag);
    g_assert_cmpstr(mlx5_tls_rx_row_str(t->res.row), ==,
                    mlx5_tls_rx_row_str(row));
    g_assert_true(row == 0 || rx_took(t, row));
    STATE(t, state);
    g_assert_cmpint(t->res.state_before, ==, before);
    g_assert_cmpint(t->res.state_after, ==, state);
    if (flag == F1) {
        g_assert_nonnull(clear);
        ref_assert_equal(buf, clear, len, "delivered decrypted");
        WHY(t, NONE);
    } else if (flag == F3 && clear) {
        ref_assert_equal(buf, clear, len, "delivered with flag 3");
        g_assert_cmpint(t->res.reason, !=, MLX5_TLS_REASON_NONE);
    } else {
        ref_assert_equal(buf, bytes, len, "delivered as on the wire");
        g_assert_cmpint(t->res.reason, !=, MLX5_TLS_REASON_NONE);
    }
    if (flag == F2 && t->knobs->rx_resync_flag_at == MLX5_TLS_RESYNC_AT_MAGIC) {
        /* the header that software is asked about is in this packet */
        g_assert_cmphex(t->res.hw_resync_tcp_sn, ==, t->rx.hw_resync);
        g_assert_cmpuint(t->rx.hw_resync - seq, <, len);
    }
    g_assert_cmpuint(mlx5_tls_engine_spans(t->engine)->len, ==, 0);
    g_assert_cmpuint(mlx5_tls_engine_events(t->engine)->len, ==, 0);
}

void rx_pkt(Rx *t, size_t from, size_t to, Mlx5TlsFlag flag, unsigned row,
            Mlx5TlsRxState state)
{
    rx_bytes(t, t->base + from, t->st->wire->data + from,
             flag == F3 ? NULL : t->st->clear->data + from, to - from, flag,
             row, state);
}

void rx_pkt_flip(Rx *t, size_t from, size_t to, size_t flip, Mlx5TlsFlag flag,
                 unsigned row, Mlx5TlsRxState state)
{
    g_autofree uint8_t *buf = g_memdup2(t->st->wire->data + from, to - from);

    buf[flip - from] ^= 0x10;
    rx_bytes(t, t->base + from, buf, NULL, to - from, flag, row, state);
}

void rx_pkt_error(Rx *t, size_t from, size_t to, size_t flip, size_t clear_from,
                  size_t clear_to, unsigned row, Mlx5TlsRxState state)
{
    g_autofree uint8_t *bytes = g_memdup2(t->st->wire->data + from, to - from);
    g_autofree uint8_t *want = g_memdup2(bytes, to - from);

    bytes[flip - from] ^= 0x10;
    for (unsigned i = 0; i < t->st->recs->len; i++) {
        const RefRecord *r = ref_rec(t->st, i);
        size_t a = MAX(MAX(from, clear_from), r->text_off);
        size_t b = MIN(MIN(to, clear_to), (size_t)r->text_off + r->text_len);

        if (a < b) {
            memcpy(want + (a - from), t->st->clear->data + a, b - a);
        }
    }
    /* flipping a bit of the ciphertext flips it in the plaintext */
    want[flip - from] ^= 0x10;
    rx_bytes(t, t->base + from, bytes, want, to - from, F3, row, state);
    WHY(t, BAD_TAG);
}

size_t rx_to_state(Rx *t, Mlx5TlsRxState state)
{
    size_t pos = OFF(t, 4) + 100;

    if (state == NONE) {
        return 0;
    }
    rx_start(t, t->base);
    switch (state) {
    case START:
        return 0;
    case OFFLOAD:
        rx_pkt(t, 0, pos, F1, 3, OFFLOAD);
        break;
    case CAND:
    case AUTH:
        rx_pkt(t, 0, 30, F1, 3, OFFLOAD);
        /* the header of record 1 is lost */
        rx_pkt(t, OFF(t, 1) + 2, pos, F2, 9, CAND);
        g_assert_cmphex(t->rx.hw_resync, ==, (uint32_t)(t->base + OFF(t, 2)));
        g_assert_cmpuint(t->rx.hw_off, ==, 2);
        if (state == AUTH) {
            g_assert_cmpint(rx_approve(t), ==, MLX5_TLS_RX_STATIC_APPROVED);
        }
        break;
    case SEARCH:
        rx_pkt(t, 0, 30, F1, 3, OFFLOAD);
        rx_pkt(t, OFF(t, 4) + 20, pos, F0, 9, SEARCH);
        break;
    case LINK:
        rx_pkt(t, 0, 30, F1, 3, OFFLOAD);
        /* lost within record 3; the header of record 4 is cut in two */
        rx_pkt(t, OFF(t, 3) + 10, OFF(t, 4) + 2, F0, 9, SEARCH);
        rx_pkt(t, OFF(t, 4) + 2, pos, F0, 30, LINK);
        break;
    default:
        g_assert_not_reached();
    }
    STATE(t, state);
    return pos;
}
