/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of how long the device keeps QEMU's main loop: the costliest that a driver
 * or a peer can ask of it at once, under the watchdog of the small driver, which
 * fails the test when an access is answered too late (DRV_ACCESS_LIMIT). Each says
 * how long the longest one took. Owns no state.
 */
#include "mlx5-tls.h"
#include "mlx5-tests.h"

/* Milliseconds: what takes 1 to 20 here, of which there is no more to be had. */
enum { SOON = 50 };

/* ------------------------------------------------------ many commands --- */

/* Commands that are given with one doorbell, as many as there are slots. */
typedef struct Batch {
    Drv *d;
    unsigned n;
    DrvCmd c[DRV_CMD_SLOTS];
    uint8_t out[DRV_CMD_SLOTS][16];
    Mlx5Syndrome syn; /* what they are answered, MLX5_OK: success */
} Batch;

static void batch_run(Batch *b)
{
    unsigned i;

    if (b->n) {
        drv_cmd_ring(b->d, (uint32_t)((1ull << b->n) - 1));
        drv_settle(b->d);
    }
    for (i = 0; i < b->n; i++) {
        DrvResult r = drv_cmd_finish(b->d, &b->c[i], b->out[i]);

        g_assert_cmphex(r.delivery, ==, 0);
        g_assert_cmphex(r.syndrome, ==,
                        b->syn ? MLX5_SYNDROME_BASE + b->syn : 0);
    }
    b->n = 0;
}

static void batch_add(Batch *b, const void *in, uint32_t len)
{
    if (b->n == DRV_CMD_SLOTS) {
        batch_run(b);
    }
    drv_cmd_post(b->d, &b->c[b->n], b->n, in, len, 16);
    b->n++;
}

/*
 * Page addresses that meet in one place of a hash table with GLib's own hash, as
 * many as a command can hold, in 8 slots. That hash was another one once.
 */
static void test_pages(void)
{
    enum { SLOTS = 8, N = 8190 };
    Drv *d = drv_start_up("");
    Batch b = { .d = d, .syn = MLX5_SYN_PAGES_UNASKED };
    g_autofree uint8_t *in = g_malloc0(16 + N * 8);
    const gint64 one = 1ll << 44 | 1 << 12, two = 2ll << 44 | 1 << 12;
    bool low_half = g_int64_hash(&one) == g_int64_hash(&two);
    uint64_t i, k;

    MLX5_SET(cmd_in, in, opcode, OP_MANAGE_PAGES);
    MLX5_SET(cmd_in, in, op_mod, 1);
    MLX5_SET(manage_pages_in, in, input_num_entries, N);
    for (k = 0; k < SLOTS; k++) {
        for (i = 0; i < N; i++) {
            uint64_t v = (k * N + i + 1) << 12;

            mlx5_st64(in + 16 + i * 8, v << 32 | (low_half ? 1 << 12 : v));
        }
        batch_add(&b, in, 16 + N * 8);
    }
    batch_run(&b);
    drv_watch(d, "pages", SOON);
    drv_stop(d);
}

void mlx5_time_tests(void)
{
    qtest_add_func("mlx5-ktls/time/pages", test_pages);
}
