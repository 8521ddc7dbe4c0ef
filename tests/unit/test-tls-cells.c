/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests that zero means refusal: every cell of the two state machines, listed
 * or not, and invalid states and events; contexts with a damaged state; results
 * that were not filled in.
 */
#include <glib.h>
#include <string.h>

#include "tls-ref.h"
#include "tls_rx_table.h"
#include "tls_tx_table.h"

static GRand *rng;

#define BEYOND  3       /* so many numbers behind the last state and event */
#define PAYLOAD 200

/* ---- TX, as docs/tls-rows.md lists it ------------------------------------ */

static unsigned tx_row(unsigned state, unsigned event)
{
    bool active =
        state == MLX5_TLS_TX_ACTIVE || state == MLX5_TLS_TX_ACTIVE_SEQ;

    switch (event) {
    case TX_EV_STATIC:
        return 1;
    case TX_EV_START:
        return 2;
    case TX_EV_START_UNUSABLE:
        return 13;
    case TX_EV_PSV_OTHER:
        return 14;
    case TX_EV_EMPTY:
        return 15;
    case TX_EV_BAD_HEADER:
        return active || state == MLX5_TLS_TX_START ? 12 : 0;
    case TX_EV_PACKET_OTHER:
        return state == MLX5_TLS_TX_ACTIVE_SEQ ? 8 : 0;
    }
    switch (state) {
    case MLX5_TLS_TX_INVALID:
        return event == TX_EV_PACKET ? 10 : 11;
    case MLX5_TLS_TX_START:
        return event == TX_EV_PACKET ? 4 : 3;
    case MLX5_TLS_TX_ACTIVE:
        return event == TX_EV_PACKET ? 5 : 6;
    case MLX5_TLS_TX_ACTIVE_SEQ:
        return event == TX_EV_PACKET ? 7 : 9;
    default:
        return event == TX_EV_PACKET ? 16 : 17;
    }
}

static void test_tx_table(void)
{
    static const unsigned sends[] = { 4, 5, 7, 15 };
    static const TxCell none;

    for (unsigned s = 0; s < MLX5_TLS_TX_STATES + BEYOND; s++) {
        for (unsigned e = 0; e < TX_EVENTS + BEYOND; e++) {
            bool known = s < MLX5_TLS_TX_STATES && e < TX_EVENTS;

            const TxCell *cell = mlx5_tls_tx_cell(s, e);
            bool send = false;

            g_assert_cmpuint(cell->row, ==, known ? tx_row(s, e) : 0);
            if (!cell->row) {
                g_assert_cmpmem(cell, sizeof(*cell), &none, sizeof(none));
                continue;
            }
            g_assert_cmpint(cell->action, !=, TX_ACT_REFUSE);
            g_assert_cmpint(cell->next, <=, MLX5_TLS_TX_SAME);
            g_assert_cmpint(cell->reason, !=, MLX5_TLS_REASON_NO_ROW);
            /* four rows send */
            for (size_t i = 0; i < G_N_ELEMENTS(sends); i++) {
                send |= sends[i] == cell->row;
            }
            g_assert_cmpint(cell->verdict, ==,
                            send ? MLX5_TLS_TX_SEND : MLX5_TLS_TX_DROP);
        }
    }
    g_assert_cmpuint(mlx5_tls_tx_cell(UINT8_MAX, TX_EV_PACKET)->row, ==, 0);
    g_assert_cmpuint(mlx5_tls_tx_cell(MLX5_TLS_TX_ACTIVE, UINT_MAX)->row, ==,
                     0);
    g_assert_cmpint(none.action, ==, TX_ACT_REFUSE);
    g_assert_cmpint(none.verdict, ==, MLX5_TLS_TX_DROP);
    g_assert_cmpint(none.reason, ==, MLX5_TLS_REASON_NO_ROW);
}

/* ---- RX: which events come up in which state ----------------------------- */

#define E(event) (1u << RX_EV_##event)
#define STARTS (E(START) | E(START_UNUSABLE) | E(PSV_OTHER))
#define TRACKS (E(IN) | E(OLD) | E(OVL) | E(GAP) | E(GAP_HEADER) | E(HEADER) |\
                E(HEADER_BAD) | E(RECORD_END) | E(STATIC) | STARTS)

static const uint32_t rx_events[MLX5_TLS_RX_STATES] = {
    [MLX5_TLS_RX_NONE] = E(ANY) | E(STATIC) | STARTS,
    [MLX5_TLS_RX_START] = E(BEFORE) | E(ANCHOR) | E(FAR) | E(STATIC) | STARTS,
    [MLX5_TLS_RX_OFFLOAD] = TRACKS | E(TAG_OK) | E(TAG_BAD) | E(TAG_BAD_LOSE) |
                            E(ERROR_OPEN),
    [MLX5_TLS_RX_CAND] = TRACKS | E(HEADER_REPEAT) | E(STATIC_MATCH) |
                         E(STATIC_MATCH_OFF),
    [MLX5_TLS_RX_AUTH] = TRACKS | E(TAG_OK) | E(TAG_BAD),
    [MLX5_TLS_RX_SEARCH] = E(IN) | E(OLD) | E(OVL) | E(GAP_HEADER) | E(FOUND) |
                           E(FOUND_CUT) | E(NOT_FOUND) | E(STATIC) | STARTS,
    [MLX5_TLS_RX_LINK] = TRACKS | E(HEADER_CUT),
};

static void test_rx_table(void)
{
    static const RxCell none;

    g_assert_cmpint(none.action, ==, RX_ACT_REFUSE);
    g_assert_cmpint(none.next, ==, MLX5_TLS_RX_NONE);
    g_assert_cmpint(none.reason, ==, MLX5_TLS_REASON_NO_ROW);
    for (unsigned s = 0; s < MLX5_TLS_RX_STATES + BEYOND; s++) {
        for (unsigned e = 0; e < RX_EVENTS + BEYOND; e++) {
            const RxCell *cell = mlx5_tls_rx_cell(s, e);
            bool known = s < MLX5_TLS_RX_STATES && e < RX_EVENTS;

            if (known && (rx_events[s] >> e & 1)) {
                g_assert_cmpint(cell->action, !=, RX_ACT_REFUSE);
                g_assert_cmpint(cell->action, <, RX_ACTIONS);
                g_assert_cmpint(cell->next, <=, MLX5_TLS_RX_SAME);
                g_assert_cmpint(cell->row, <, MLX5_TLS_RX_ROW_END);
                g_assert_cmpint(cell->reason, !=, MLX5_TLS_REASON_NO_ROW);
            } else {
                g_assert_cmpmem(cell, sizeof(*cell), &none, sizeof(none));
            }
        }
    }
    g_assert_cmpmem(mlx5_tls_rx_cell(UINT8_MAX, RX_EV_IN), sizeof(none), &none,
                    sizeof(none));
    g_assert_true(mlx5_tls_rx_state_info(MLX5_TLS_RX_STATES) ==
                  mlx5_tls_rx_state_info(MLX5_TLS_RX_NONE));
}

/* ---- what nobody filled in ----------------------------------------------- */

static void test_zero(void)
{
    static const Mlx5TlsTxResult result;

    g_assert_cmpint(result.verdict, ==, MLX5_TLS_TX_DROP);
    g_assert_cmpint(result.reason, ==, MLX5_TLS_REASON_NO_ROW);
    g_assert_cmpint(result.reason, !=, MLX5_TLS_REASON_NONE);
    g_assert_cmpint(MLX5_TLS_FLAG_NOT_DECRYPTED, ==, 0);
    g_assert_cmpint(MLX5_TLS_HEADER_BAD, ==, 0);
    g_assert_cmpint(MLX5_TLS_RECORD_SKIP, ==, 0);
    g_assert_cmpint(MLX5_TLS_TX_SEQ_DROP, ==, 0);
}

/* ---- contexts ------------------------------------------------------------ */

typedef struct Bench {
    RefStream *st;
    Mlx5TlsEngine *engine;
    Mlx5TlsKey *key;
    Mlx5TlsTx tx;
    Mlx5TlsRx rx;
    uint8_t statics[64], psv[12], buf[PAYLOAD];
} Bench;

static void bench_new(Bench *b, const RefKeys *keys)
{
    memset(b, 0, sizeof(*b));
    b->st = ref_stream_new(keys, 7);
    b->st->quiet = true;
    ref_stream_add(b->st, rng, 23, PAYLOAD);
    b->engine = ref_engine_new(2);
    b->key = ref_engine_key(&b->st->keys);
    ref_static_image(b->statics, &b->st->keys, 7, 0);
    ref_progress_image(b->psv, 1000);
    /* what a saved state of zeros would give: no init but the engine */
    b->tx.engine = b->engine;
    b->rx.engine = b->engine;
}

static void bench_free(Bench *b)
{
    mlx5_tls_tx_clear(&b->tx);
    mlx5_tls_rx_clear(&b->rx);
    mlx5_tls_key_unref(b->key);
    ref_engine_free(b->engine);
    ref_stream_free(b->st);
}

/* A packet and a DUMP are refused, and no byte of them is touched. */
static void tx_refuses(Bench *b, const char *what)
{
    Mlx5TlsTxResult res;

    for (int dump = 0; dump < 2; dump++) {
        memcpy(b->buf, b->st->tx->data, PAYLOAD);
        if (dump) {
            mlx5_tls_tx_dump(&b->tx, b->buf, PAYLOAD, &res);
        } else {
            mlx5_tls_tx_packet(&b->tx, 1000, b->buf, PAYLOAD, &res);
        }
        g_assert_cmpint(res.verdict, !=, MLX5_TLS_TX_SEND);
        g_assert_cmpint(res.reason, !=, MLX5_TLS_REASON_NONE);
        ref_assert_equal(b->buf, b->st->tx->data, PAYLOAD, what);
    }
    g_assert_cmpuint(mlx5_tls_engine_counters(b->engine)->tx_packets, ==, 0);
    g_assert_cmpuint(mlx5_tls_engine_counters(b->engine)->tx_dumps, ==, 0);
}

static void rx_refuses(Bench *b, const char *what)
{
    Mlx5TlsRxResult res;

    memcpy(b->buf, b->st->wire->data, PAYLOAD);
    mlx5_tls_rx_packet(&b->rx, 1000, b->buf, PAYLOAD, &res);
    g_assert_cmpint(res.flag, ==, MLX5_TLS_FLAG_NOT_DECRYPTED);
    g_assert_cmpint(res.reason, !=, MLX5_TLS_REASON_NONE);
    g_assert_cmpint(b->rx.state, ==, MLX5_TLS_RX_NONE);
    ref_assert_equal(b->buf, b->st->wire->data, PAYLOAD, what);
}

/* After SET_PSV both work, whatever was before. */
static void starts(Bench *b)
{
    Mlx5TlsTxResult tx;
    Mlx5TlsRxResult rx;

    mlx5_tls_tx_set_static(&b->tx, b->statics, b->key);
    g_assert_cmpint(mlx5_tls_tx_set_progress(&b->tx, b->psv), ==,
                    MLX5_TLS_REASON_NONE);
    memcpy(b->buf, b->st->tx->data, PAYLOAD);
    mlx5_tls_tx_packet(&b->tx, 1000, b->buf, PAYLOAD, &tx);
    g_assert_cmpint(tx.verdict, ==, MLX5_TLS_TX_SEND);
    ref_assert_equal(b->buf, b->st->wire->data, PAYLOAD, "sent");

    mlx5_tls_rx_set_static(&b->rx, b->statics, b->key, NULL);
    g_assert_cmpint(mlx5_tls_rx_set_progress(&b->rx, b->psv), ==,
                    MLX5_TLS_REASON_NONE);
    mlx5_tls_rx_packet(&b->rx, 1000, b->buf, PAYLOAD, &rx);
    g_assert_cmpint(rx.flag, ==, MLX5_TLS_FLAG_DECRYPTED);
    ref_assert_equal(b->buf, b->st->clear->data, PAYLOAD, "received");
}

static void test_zeroed(const RefKeys *keys)
{
    Bench b;

    bench_new(&b, keys);
    tx_refuses(&b, "sent by a zeroed context");
    rx_refuses(&b, "received by a zeroed context");
    starts(&b);
    bench_free(&b);
}

/*
 * States that are none, in contexts that were at work in the middle of a
 * record.
 */
static void test_no_state(const RefKeys *keys)
{
    for (unsigned past = 0; past < BEYOND + 1; past++) {
        uint8_t image[12], zero[12] = { 0 };
        Mlx5TlsRxResult rx;
        Mlx5TlsTxResult tx;
        Bench b;

        bench_new(&b, keys);
        starts(&b);
        memset(mlx5_tls_engine_counters(b.engine), 0, sizeof(Mlx5TlsCounters));
        b.tx.state = past < BEYOND ? MLX5_TLS_TX_STATES + past : UINT8_MAX;
        b.rx.state = past < BEYOND ? MLX5_TLS_RX_STATES + past : UINT8_MAX;
        mlx5_tls_rx_get_progress(&b.rx, image);
        g_assert_cmpmem(image, 12, zero, 12);
        tx_refuses(&b, "sent in no state");
        g_assert_cmpint(b.tx.state, ==, MLX5_TLS_TX_BROKEN);
        rx_refuses(&b, "received in no state");
        /* nothing was left of the record that was open */
        g_assert_null(b.rx.setup.run.key);
        g_assert_false(mlx5_tls_record_is_open(&b.tx.rec));
        g_assert_false(mlx5_tls_record_is_open(&b.rx.rec));

        /*
         * even an empty packet, and a start, which then works the second time
         */
        b.tx.state = MLX5_TLS_TX_STATES + past;
        b.rx.state = MLX5_TLS_RX_STATES + past;
        mlx5_tls_tx_packet(&b.tx, 1000, b.buf, 0, &tx);
        g_assert_cmpint(tx.verdict, ==, MLX5_TLS_TX_DROP);
        b.tx.state = MLX5_TLS_TX_STATES + past;
        g_assert_cmpint(mlx5_tls_tx_set_progress(&b.tx, b.psv), ==,
                        MLX5_TLS_REASON_NO_ROW);
        g_assert_cmpint(mlx5_tls_rx_set_progress(&b.rx, b.psv), ==,
                        MLX5_TLS_REASON_NO_ROW);
        mlx5_tls_rx_packet(&b.rx, 1000, b.buf, 1, &rx);
        g_assert_cmpint(rx.flag, ==, MLX5_TLS_FLAG_NOT_DECRYPTED);
        starts(&b);
        bench_free(&b);
    }
}

static void by_keys(void (*test)(const RefKeys *keys))
{
    for (int v13 = 0; v13 < 2; v13++) {
        RefKeys k;

        ref_keys_random(&k, rng, v13, v13 ? 32 : 16);
        test(&k);
    }
}

static void test_zeroed_contexts(void)
{
    by_keys(test_zeroed);
}

static void test_damaged_contexts(void)
{
    by_keys(test_no_state);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    g_test_add_func("/tls/cells/tx", test_tx_table);
    g_test_add_func("/tls/cells/rx", test_rx_table);
    g_test_add_func("/tls/cells/zero", test_zero);
    g_test_add_func("/tls/cells/zeroed-contexts", test_zeroed_contexts);
    g_test_add_func("/tls/cells/damaged-contexts", test_damaged_contexts);
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
