/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the property "caps", a file with capabilities of the user's choice,
 * and of the property that shows all of them. Owns no state.
 */
#include "mlx5-drv.h"
#include "mlx5-tests.h"
#include "mlx5-tls-tx-rig.h"
#include "qobject/qdict.h"
#include "qobject/qnum.h"

enum { CAP_GENERAL = 0x00, CAP_ETHERNET = 0x01, CAP_FLOW_TABLE = 0x07,
       CAP_TLS = 0x11, CAP_CRYPTO = 0x1a };

static const uint16_t pages[] = {
    CAP_GENERAL, CAP_ETHERNET, CAP_FLOW_TABLE, CAP_TLS, CAP_CRYPTO,
};

/* A file with @text; the caller removes and frees its name. */
static char *caps_file(const char *text)
{
    g_autoptr(GError) err = NULL;
    char *path;
    int fd = g_file_open_tmp("mlx5-caps-XXXXXX", &path, &err);

    g_assert_no_error(err);
    close(fd);
    g_file_set_contents(path, text, -1, &err);
    g_assert_no_error(err);
    return path;
}

/* A device up, with such a file. */
static Drv *start_with(const char *text, const char *more)
{
    g_autofree char *path = caps_file(text);
    g_autofree char *props = g_strdup_printf(",caps=%s%s", path, more);
    Drv *d = drv_start_up(props);

    unlink(path);
    return d;
}

/* What QEMU says of the file. */
static char *refusal(const char *text)
{
    g_autofree char *path = caps_file(text);
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device pcie-root-port,id=rp0,slot=1");
    QDict *rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': "
                           "{'driver': 'mlx5-ktls', 'bus': 'rp0', "
                           "'caps': %s}}", path);
    QDict *error = qdict_get_qdict(rsp, "error");
    char *desc = error ? g_strdup(qdict_get_str(error, "desc")) : NULL;

    qobject_unref(rsp);
    qtest_quit(qts);
    unlink(path);
    return desc;
}

/* All capabilities as the text of a file. */
static char *all_of(Drv *d)
{
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': "
                           "{'path': %s, 'property': 'capabilities'}}",
                           d->path);
    QDict *caps = qdict_get_qdict(rsp, "return");
    GString *text = g_string_new("# all\n\n");
    const QDictEntry *e;

    g_assert_nonnull(caps);
    for (e = qdict_first(caps); e; e = qdict_next(caps, e)) {
        uint64_t v = qnum_get_uint(qobject_to(QNum, qdict_entry_value(e)));

        g_string_append_printf(text, "%s = %" PRIu64 "  # as it is\n",
                               qdict_entry_key(e), v);
    }
    qobject_unref(rsp);
    return g_string_free(text, FALSE);
}

/* A file that says what is so anyway changes nothing. */
static void test_all(void)
{
    uint8_t plain[G_N_ELEMENTS(pages)][DRV_CAP_PAGE], now[DRV_CAP_PAGE];
    Drv *d = drv_start_up("");
    g_autofree char *text = all_of(d);
    g_autofree char *again = NULL;
    unsigned i;

    g_assert_nonnull(strstr(text, "\ncmd_hca_cap.log_max_tis = 16 "));
    g_assert_nonnull(strstr(text, "\ntls_cap.tls_1_2_aes_gcm_128 = 1 "));
    g_assert_nonnull(strstr(text, "nic_receive.log_max_ft_num = 8 "));
    for (i = 0; i < G_N_ELEMENTS(pages); i++) {
        drv_query_cap(d, pages[i], true, plain[i]);
    }
    drv_stop(d);

    d = start_with(text, "");
    for (i = 0; i < G_N_ELEMENTS(pages); i++) {
        drv_query_cap(d, pages[i], true, now);
        g_assert_cmpmem(now, sizeof(now), plain[i], sizeof(plain[i]));
    }
    again = all_of(d);
    g_assert_cmpstr(again, ==, text);
    drv_stop(d);
}

/* What is set is announced, and holds: here 2^3 TISes and no TLS 1.3. */
static void test_set(void)
{
    uint8_t page[DRV_CAP_PAGE];
    Drv *d = start_with("cmd_hca_cap.log_max_tis=0x3\r\n"
                        "  cmd_hca_cap.log_max_tir =\t20 \n"
                        "tls_cap.tls_1_3_aes_gcm_128 = 0\n"
                        "cmd_hca_cap.vhca_id = 77\n"
                        "per_protocol_networking_offload_caps.swp = 0", "");
    uint32_t len;
    g_autofree uint8_t *tis = NULL;

    drv_query_cap(d, CAP_GENERAL, false, page);
    g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_tis), ==, 3);
    g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, log_max_tir), ==, 20);
    g_assert_cmpuint(MLX5_GET(cmd_hca_cap, page, vhca_id), ==, 77);
    drv_query_cap(d, CAP_TLS, false, page);
    g_assert_cmphex(mlx5_ld32(page), ==, 0xb0000000);
    drv_query_cap(d, CAP_ETHERNET, false, page);
    g_assert_cmpuint(MLX5_GET(per_protocol_networking_offload_caps, page, swp),
                     ==, 0);
    while (drv_objects(d, "tis") < 8) {
        drv_tis_create(d);
    }
    tis = drv_tis_cmd(d, &len);
    drv_cmd_fails(d, tis, len, 16, MLX5_STATUS_EXCEED_LIM,
                  MLX5_SYN_OBJECT_LIMIT);
    drv_stop(d);
}

static void query_fails(Drv *d, uint16_t type)
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_HCA_CAP);
    MLX5_SET(cmd_in, in, op_mod, type << 1 | 1);
    drv_cmd_fails(d, in, sizeof(in), DRV_CAP_PAGE + 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_CAP_UNKNOWN_TYPE);
}

/* Without the bit that announces a page there is no page, nor what is in it. */
static void test_page_gone(void)
{
    uint8_t in[32] = { 0 };
    Drv *d = start_with("cmd_hca_cap.crypto = 0\n", "");

    query_fails(d, CAP_CRYPTO);
    MLX5_SET(cmd_in, in, opcode, OP_SYNC_CRYPTO);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_OP,
                  MLX5_SYN_DEK_NO_CAP);
    drv_stop(d);

    d = start_with("cmd_hca_cap.tls_tx = 0\ncmd_hca_cap.tls_rx = 0\n", "");
    query_fails(d, CAP_TLS);
    drv_stop(d);
}

/* A cipher that is not announced cannot be had; the others can. */
static void test_cipher(void)
{
    static const char *const names[TLS_KINDS] = {
        "tls_1_2_aes_gcm_128", "tls_1_2_aes_gcm_256", "tls_1_3_aes_gcm_128",
        "tls_1_3_aes_gcm_256",
    };
    unsigned kind, without;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        for (without = 0; without < TLS_KINDS; without++) {
            g_autofree char *text = g_strdup_printf("tls_cap.%s = 0\n",
                                                    names[without]);
            g_autofree char *path = caps_file(text);
            g_autofree char *props = g_strdup_printf(",caps=%s", path);
            g_autoptr(GByteArray) clear = g_byte_array_new();
            g_autoptr(GByteArray) wire = g_byte_array_new();
            const char *gone;
            TlsConn c;
            TlsTx t;

            tls_conn(&c, kind, 1);
            gone = names[(c.version == TLS_1_3 ? 2 : 0) + (c.key_len == 32)];
            g_test_message("%s without %s", gone, names[without]);
            tls_tx_with(&t, kind, 1, props);
            tls_pattern(&t.c, 100, clear, wire);
            if (gone == names[without]) {
                expect_dropped(&t, post_data(&t, t.sq, t.tisn, t.c.seq,
                                             clear->data, clear->len, 0));
                g_assert_cmpuint(drv_counter(t.d, "tls_tx_no_ctx"), ==, 1);
            } else {
                pass(&t, clear, wire, 0, clear->len);
            }
            drv_stop(t.d);
            unlink(path);
        }
    }
}

static void test_refused(void)
{
    static const struct {
        const char *text, *expected;
    } rows[] = {
        { "cmd_hca_cap.log_max_tis = 21",
          "line 1: cannot honour cmd_hca_cap.log_max_tis = 21, at most 20" },
        { "# a comment\n\ncmd_hca_cap.log_max_ft_num = 3", "line 3: " },
        { "cmd_hca_cap.roce = 1", "cmd_hca_cap.roce = 1, at most 0" },
        { "cmd_hca_cap.log_pg_sz = 13", "log_pg_sz = 13, only 12" },
        { "cmd_hca_cap.device_frequency_khz = 5", "only 0 or 1000000" },
        { "cmd_hca_cap.general_obj_types = 0x1001", "only bits of 0x1000" },
        { "cmd_hca_cap.log_max_cq = 18446744073709551616", "a number" },
        { "cmd_hca_cap.log_max_cq = -1", "a number" },
        { "cmd_hca_cap.log_max_cq = ten", "a number" },
        { "cmd_hca_cap.log_max_cq =", "a number" },
        { "cmd_hca_cap.log_max_cq", "expected NAME = VALUE" },
        { "log_max_cq = 1", "'log_max_cq' is no capability" },
        { "cmd_hca_cap. = 1", "'cmd_hca_cap.' is no capability" },
        { "cmd_hca_capx.log_max_cq = 1", "no capability" },
        { ".log_max_cq = 1", "no capability" },
        { " = 1", "'' is no capability" },
        { "cmd_hca_cap.log_max_cq = 1\ncmd_hca_cap.log_max_cq = 1",
          "line 2: cmd_hca_cap.log_max_cq is set a second time" },
        { "crypto_cap.int_kek_auto = 1", "at most 0" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *desc = refusal(rows[i].text);

        g_test_message("%s: %s", rows[i].text, desc);
        g_assert_nonnull(desc);
        g_assert_true(g_str_has_prefix(desc, "caps="));
        g_assert_nonnull(strstr(desc, rows[i].expected));
    }
}

/* A page that other properties have taken away cannot be had by name. */
static void test_no_page(void)
{
    Drv *d = start_with("tls_cap.tls_1_2_aes_gcm_128 = 0\n",
                        ",tls-tx=off,tls-rx=off");

    query_fails(d, CAP_TLS);
    drv_stop(d);
}

void mlx5_cap_file_tests(void)
{
    qtest_add_func("mlx5-ktls/cap-file/all", test_all);
    qtest_add_func("mlx5-ktls/cap-file/set", test_set);
    qtest_add_func("mlx5-ktls/cap-file/page-gone", test_page_gone);
    qtest_add_func("mlx5-ktls/cap-file/no-page", test_no_page);
    qtest_add_func("mlx5-ktls/cap-file/cipher", test_cipher);
    qtest_add_func("mlx5-ktls/cap-file/refused", test_refused);
}
