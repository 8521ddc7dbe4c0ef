/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the parameter images, the reasons' texts and the knobs.
 */
#include <glib.h>
#include <string.h>

#include "tls_types.h"

static void from_hex(const char *hex, uint8_t *out, size_t len)
{
    size_t n = 0;

    memset(out, 0, len);
    for (; *hex; hex++) {
        if (*hex != ' ') {
            g_assert_cmpuint(n / 2, <, len);
            out[n / 2] = out[n / 2] << 4 | g_ascii_xdigit_value(*hex);
            n++;
        }
    }
}

/* What drivers post, byte by byte; the rest of the 64 bytes is zero. */
static const struct {
    const char *image;
    Mlx5TlsStaticParams p;
} golden_static[] = {
    { "89000001 00000000 00000000 00000007 00000000 "
      "01020304 00000000 00000000 00123456",
      { 2, 2, 1, 1, 7, 0, 0x01020304, 0, 0x123456 } },
    { "8d000001 00000000 00000000 00000007 deadbeef "
      "01020304 10111213 14151617 00123456",
      { 2, 3, 1, 1, 7, 0xdeadbeef, 0x01020304, 0x1011121314151617, 0x123456 } },
    { "89000001 00000000 fedcba98 76543210 00000000 "
      "ffffffff 00000000 00000000 00ffffff",
      { 2, 2, 1, 1, 0xfedcba9876543210, 0, 0xffffffff, 0, 0xffffff } },
};

static void test_static_params(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(golden_static); i++) {
        uint8_t image[64], back[64];
        Mlx5TlsStaticParams p;
        Mlx5TlsKnobs knobs;

        from_hex(golden_static[i].image, image, sizeof(image));
        memset(&p, 0xee, sizeof(p));
        mlx5_tls_static_params_decode(&p, image);
#define SAME(st, name, off, width) \
        g_assert_cmphex(p.name, ==, golden_static[i].p.name);
        MLX5_PRM_tls_static_params(SAME)
        memset(back, 0xee, sizeof(back));
        mlx5_tls_static_params_encode(&p, back);
        g_assert_cmpmem(back, sizeof(back), image, sizeof(image));
        mlx5_tls_knobs_init(&knobs);
        g_assert_true(mlx5_tls_static_params_ok(&p, &knobs));
    }
}

/*
 * GET_PSV answers by tracker and authentication state, hw_offset_record_number
 * 3.
 */
static const struct {
    const char *image;
    uint32_t tracker, auth;
} golden_progress[] = {
    { "11223344 55667788 00000003", MLX5_TLS_TRACKER_START,
      MLX5_TLS_AUTH_NO_OFFLOAD },
    { "11223344 55667788 40000003", MLX5_TLS_TRACKER_TRACKING,
      MLX5_TLS_AUTH_NO_OFFLOAD },
    { "11223344 55667788 50000003", MLX5_TLS_TRACKER_TRACKING,
      MLX5_TLS_AUTH_OFFLOAD },
    { "11223344 55667788 60000003", MLX5_TLS_TRACKER_TRACKING,
      MLX5_TLS_AUTH_AUTHENTICATION },
    { "11223344 55667788 80000003", MLX5_TLS_TRACKER_SEARCHING,
      MLX5_TLS_AUTH_NO_OFFLOAD },
};

static void test_progress_params(void)
{
    Mlx5TlsKnobs knobs;

    mlx5_tls_knobs_init(&knobs);
    for (size_t i = 0; i < G_N_ELEMENTS(golden_progress); i++) {
        uint8_t image[12], back[12];
        Mlx5TlsProgressParams p;

        from_hex(golden_progress[i].image, image, sizeof(image));
        mlx5_tls_progress_params_decode(&p, image);
        g_assert_cmphex(p.next_record_tcp_sn, ==, 0x11223344);
        g_assert_cmphex(p.hw_resync_tcp_sn, ==, 0x55667788);
        g_assert_cmpuint(p.record_tracker_state, ==,
                         golden_progress[i].tracker);
        g_assert_cmpuint(p.auth_state, ==, golden_progress[i].auth);
        g_assert_cmpuint(p.hw_offset_record_number, ==, 3);
        memset(back, 0xee, sizeof(back));
        mlx5_tls_progress_params_encode(&p, back);
        g_assert_cmpmem(back, sizeof(back), image, sizeof(image));
        g_assert_cmpint(mlx5_tls_progress_params_ok(&p, &knobs), ==, i == 0);
    }
    knobs.lax_params = true;
    for (uint32_t i = 0; i < 16; i++) {
        Mlx5TlsProgressParams p = { .record_tracker_state = i >> 2,
                                    .auth_state = i & 3 };

        g_assert_true(mlx5_tls_progress_params_ok(&p, &knobs));
    }
}

static void test_static_params_refused(void)
{
    Mlx5TlsKnobs knobs;

    mlx5_tls_knobs_init(&knobs);
    for (uint32_t lax = 0; lax < 2; lax++) {
        knobs.lax_params = lax;
        for (uint32_t v = 0; v < 16; v++) {
            Mlx5TlsStaticParams p = golden_static[0].p;

            p.tls_version = v;
            g_assert_cmpint(mlx5_tls_static_params_ok(&p, &knobs), ==,
                            v == 2 || v == 3);
            p = golden_static[0].p;
            p.const_1 = v & 3;
            g_assert_cmpint(mlx5_tls_static_params_ok(&p, &knobs), ==,
                            lax || (v & 3) == 1);
            p = golden_static[0].p;
            p.const_2 = v & 3;
            g_assert_cmpint(mlx5_tls_static_params_ok(&p, &knobs), ==,
                            lax || (v & 3) == 2);
            p = golden_static[0].p;
            p.encryption_standard = v;
            g_assert_cmpint(mlx5_tls_static_params_ok(&p, &knobs), ==,
                            lax || v == 1);
        }
    }
}

static void test_reasons(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < MLX5_TLS_REASON_MAX; i++) {
        const char *s = mlx5_tls_reason_str(i);

        g_assert_nonnull(s);
        g_assert_true(g_hash_table_add(seen, (char *)s));
    }
    g_assert_true(g_hash_table_add(
        seen, (char *)mlx5_tls_reason_str(MLX5_TLS_REASON_MAX)));
    g_assert_cmpstr(mlx5_tls_reason_str(12345), ==, "unknown reason number");
}

/* name, default, values that are taken */
static const char *const knob_values[][5] = {
    { "tx-seq-check", "drop", "error-cqe", "ignore", NULL },
    { "rx-resync-flag-at", "magic", "loss", "both", NULL },
    { "resync-repeat", "never", "1", "16777215", "timeout" },
    { "bad-tag-action", "continue", "search", NULL, NULL },
    { "rx-error-bytes", "record", "packet", "wire", NULL },
    { "search-pattern", "strict", "magic-only", NULL, NULL },
    { "auth-stage", "on", "off", NULL, NULL },
    { "start-order-tolerance", "16777216", "1", "2147483647", NULL },
    { "start-anchor-from-static", "off", "on", NULL, NULL },
    { "lax-params", "off", "on", NULL, NULL },
};

static void test_knobs(void)
{
    Mlx5TlsKnobs knobs, dflt;
    unsigned i;

    mlx5_tls_knobs_init(&dflt);
    for (i = 0; i < G_N_ELEMENTS(knob_values); i++) {
        const char *name = knob_values[i][0];

        g_assert_cmpstr(mlx5_tls_knobs_name(i), ==, name);
        for (int v = 1; v < 5 && knob_values[i][v]; v++) {
            g_autofree char *err = NULL, *text = NULL;

            knobs = dflt;
            text = mlx5_tls_knobs_print(&knobs, name);
            g_assert_cmpstr(text, ==, knob_values[i][1]);
            g_free(text);
            err = mlx5_tls_knobs_parse(&knobs, name, knob_values[i][v]);
            g_assert_cmpstr(err, ==, NULL);
            text = mlx5_tls_knobs_print(&knobs, name);
            g_assert_cmpstr(text, ==, knob_values[i][v]);
            /* nothing else moved */
            for (unsigned k = 0; k < G_N_ELEMENTS(knob_values); k++) {
                g_autofree char *other =
                    mlx5_tls_knobs_print(&knobs, knob_values[k][0]);

                if (k != i) {
                    g_assert_cmpstr(other, ==, knob_values[k][1]);
                }
            }
        }
    }
    g_assert_null(mlx5_tls_knobs_name(i));
}

static void test_knob_values(void)
{
    Mlx5TlsKnobs k;

    mlx5_tls_knobs_init(&k);
    g_assert_null(mlx5_tls_knobs_parse(&k, "tx-seq-check", "ignore"));
    g_assert_cmpint(k.tx_seq_check, ==, MLX5_TLS_TX_SEQ_IGNORE);
    g_assert_null(mlx5_tls_knobs_parse(&k, "rx-resync-flag-at", "loss"));
    g_assert_cmpint(k.rx_resync_flag_at, ==, MLX5_TLS_RESYNC_AT_LOSS);
    g_assert_null(mlx5_tls_knobs_parse(&k, "resync-repeat", "77"));
    g_assert_cmpint(k.resync_repeat, ==, MLX5_TLS_RESYNC_REPEAT_RECORDS);
    g_assert_cmpuint(k.resync_repeat_records, ==, 77);
    g_assert_null(mlx5_tls_knobs_parse(&k, "resync-repeat", "timeout"));
    g_assert_cmpint(k.resync_repeat, ==, MLX5_TLS_RESYNC_REPEAT_TIMEOUT);
    g_assert_null(mlx5_tls_knobs_parse(&k, "bad-tag-action", "search"));
    g_assert_cmpint(k.bad_tag_action, ==, MLX5_TLS_BAD_TAG_SEARCH);
    g_assert_null(mlx5_tls_knobs_parse(&k, "search-pattern", "magic-only"));
    g_assert_cmpint(k.search_pattern, ==, MLX5_TLS_SEARCH_MAGIC_ONLY);
    g_assert_null(mlx5_tls_knobs_parse(&k, "auth-stage", "off"));
    g_assert_true(k.auth_stage_off);
    g_assert_null(mlx5_tls_knobs_parse(&k, "start-order-tolerance", "99"));
    g_assert_cmpuint(k.start_order_tolerance, ==, 99);
    g_assert_null(mlx5_tls_knobs_parse(&k, "start-anchor-from-static", "on"));
    g_assert_true(k.start_anchor_from_static);
    g_assert_null(mlx5_tls_knobs_parse(&k, "lax-params", "on"));
    g_assert_true(k.lax_params);
}

/* Numbers: both ends, and one beyond each. */
static void test_knob_ends(void)
{
    static const struct {
        const char *name, *below, *min, *max, *above;
    } rows[] = {
        { "resync-repeat", "0", "1", "16777215", "16777216" },
        { "start-order-tolerance", "0", "1", "2147483647", "2147483648" },
    };
    unsigned numbers = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *const good[] = { rows[i].min, rows[i].max };
        const char *const bad[] = { rows[i].below, rows[i].above, "-1",
                                    "18446744073709551617" };
        Mlx5TlsKnobs k;

        mlx5_tls_knobs_init(&k);
        for (size_t n = 0; n < G_N_ELEMENTS(good); n++) {
            g_autofree char *kept = NULL;

            g_assert_null(mlx5_tls_knobs_parse(&k, rows[i].name, good[n]));
            kept = mlx5_tls_knobs_print(&k, rows[i].name);
            g_assert_cmpstr(kept, ==, good[n]);
        }
        for (size_t n = 0; n < G_N_ELEMENTS(bad); n++) {
            g_autofree char *err =
                mlx5_tls_knobs_parse(&k, rows[i].name, bad[n]);

            g_assert_nonnull(err);
            g_assert_nonnull(strstr(err, rows[i].max));
        }
    }
    /* a knob that takes a number has a row above */
    for (unsigned i = 0; mlx5_tls_knobs_name(i); i++) {
        Mlx5TlsKnobs k;
        g_autofree char *err = NULL;

        mlx5_tls_knobs_init(&k);
        err = mlx5_tls_knobs_parse(&k, mlx5_tls_knobs_name(i), "no such word");
        numbers += strstr(err, "a number from") != NULL;
    }
    g_assert_cmpuint(numbers, ==, G_N_ELEMENTS(rows));
}

static const struct {
    const char *name, *value, *message;
} knob_errors[] = {
    { "tx-seq-check", "dorp",
      "tx-seq-check: unknown value 'dorp', expected drop, error-cqe or "
      "ignore" },
    { "auth-stage", "", "auth-stage: unknown value '', expected on or off" },
    { "resync-repeat", "0",
      "resync-repeat: unknown value '0', expected never, "
      "a number from 1 to 16777215 or timeout" },
    { "resync-repeat", "16777216",
      "resync-repeat: unknown value '16777216', expected "
      "never, a number from 1 to 16777215 or timeout" },
    { "resync-repeat", "#",
      "resync-repeat: unknown value '#', expected never, "
      "a number from 1 to 16777215 or timeout" },
    { "start-order-tolerance", "-1",
      "start-order-tolerance: unknown value '-1', expected a number from 1 to "
      "2147483647" },
    { "start-order-tolerance", "12x",
      "start-order-tolerance: unknown value '12x', expected a number from 1 to "
      "2147483647" },
    { "bad-tag", "search",
      "unknown setting 'bad-tag': expected one of tx-seq-check, "
      "rx-resync-flag-at, resync-repeat, bad-tag-action, rx-error-bytes, "
      "search-pattern, auth-stage, start-order-tolerance, "
      "start-anchor-from-static, lax-params" },
};

static void test_knob_errors(void)
{
    Mlx5TlsKnobs knobs, dflt;

    mlx5_tls_knobs_init(&dflt);
    mlx5_tls_knobs_init(&knobs);
    for (size_t i = 0; i < G_N_ELEMENTS(knob_errors); i++) {
        g_autofree char *err = mlx5_tls_knobs_parse(&knobs, knob_errors[i].name,
                                                    knob_errors[i].value);

        g_assert_cmpstr(err, ==, knob_errors[i].message);
    }
    for (unsigned i = 0; mlx5_tls_knobs_name(i); i++) {
        g_autofree char *a =
            mlx5_tls_knobs_print(&knobs, mlx5_tls_knobs_name(i));
        g_autofree char *b =
            mlx5_tls_knobs_print(&dflt, mlx5_tls_knobs_name(i));

        g_assert_cmpstr(a, ==, b);
    }
    g_assert_null(mlx5_tls_knobs_print(&knobs, "nonsense"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/types/static-params", test_static_params);
    g_test_add_func("/tls/types/static-params-refused",
                    test_static_params_refused);
    g_test_add_func("/tls/types/progress-params", test_progress_params);
    g_test_add_func("/tls/types/reasons", test_reasons);
    g_test_add_func("/tls/types/knobs", test_knobs);
    g_test_add_func("/tls/types/knob-values", test_knob_values);
    g_test_add_func("/tls/types/knob-ends", test_knob_ends);
    g_test_add_func("/tls/types/knob-errors", test_knob_errors);
    return g_test_run();
}
