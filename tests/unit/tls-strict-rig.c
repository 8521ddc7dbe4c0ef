/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * See tls-strict-rig.h.
 */
#include "tls-strict-rig.h"

#include <string.h>

void rig_new(Rig *t, GRand *rng, bool v13)
{
    static const size_t len[] = { 100, 0, 1000, 1, 300, 2000 };
    RefKeys k;

    memset(t, 0, sizeof(*t));
    ref_keys_random(&k, rng, v13, v13 ? 32 : 16);
    t->st = ref_stream_new(&k, 7);
    t->st->quiet = true;
    for (size_t i = 0; i < G_N_ELEMENTS(len); i++) {
        ref_stream_add(t->st, rng, 23, len[i] + v13);
    }
    t->engine = ref_engine_new(8);
    t->key = ref_engine_key(&k);
    t->base = 0xffffff00;
    mlx5_tls_tx_init(&t->tx, t->engine, ID);
    mlx5_tls_rx_init(&t->rx, t->engine, ID);
    strict_bench_init(&t->strict, t->engine, true);
    mlx5_tls_strict_add(t->strict.s, MLX5_TLS_DIR_TX, ID);
    mlx5_tls_strict_add(t->strict.s, MLX5_TLS_DIR_RX, ID);
    mlx5_tls_strict_dek_load(t->strict.s, DEK, t->key);
}

void rig_free(Rig *t)
{
    strict_bench_clear(&t->strict);
    mlx5_tls_tx_clear(&t->tx);
    mlx5_tls_rx_clear(&t->rx);
    mlx5_tls_key_unref(t->key);
    ref_engine_free(t->engine);
    ref_stream_free(t->st);
}

void said(Rig *t, int reason)
{
    StrictBench *b = &t->strict;

    if (reason < 0) {
        g_assert_cmpstr(b->last, ==, NULL);
    } else {
        if (b->count[reason] == 0 || b->count[reason] != b->total) {
            g_error("%s expected, last of %u: %s",
                    mlx5_strict_reason_name(reason), b->total,
                    b->last ? b->last : "nothing");
        }
    }
    memset(b->count, 0, sizeof(b->count));
    b->total = 0;
    g_clear_pointer(&b->last, g_free);
}
