/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records by libcrypto, keys, contexts and control WQEs; see mlx5-tls.h. */
#include "mlx5-tls.h"
#include "qobject/qdict.h"
#include <openssl/evp.h>

#define GENERAL_OBJ_DEK 0xc
#define KEY_PURPOSE_TLS 1
/* in the command: a 256-bit key, and a 128-bit one */
#define KEY_256_AT 0x50
#define KEY_128_AT 0x60
#define DEK_CMD_LEN 528

void tls_conn(TlsConn *c, unsigned kind, unsigned n)
{
    unsigned i;

    memset(c, 0, sizeof(*c));
    c->version = kind & 1 ? TLS_1_3 : TLS_1_2;
    c->key_len = kind & 2 ? 32 : 16;
    for (i = 0; i < sizeof(c->key); i++) {
        c->key[i] = i * 37 + n * 11 + kind;
    }
    for (i = 0; i < sizeof(c->iv); i++) {
        c->iv[i] = 0xa0 + i * 5 + n;
    }
    c->rec_no = n * 0x100000001ull + 7;
    c->nonce = 0x1122334455667788ull + n;
    c->seq = 0xfffff800 + n;
}

size_t tls_record_len(const TlsConn *c, size_t n)
{
    return c->version == TLS_1_2 ? TLS_HDR + TLS_NONCE + n + TLS_TAG :
                                   TLS_HDR + n + 1 + TLS_TAG;
}

static void seal(const TlsConn *c, const uint8_t nonce[12], const uint8_t *aad,
                 size_t aad_len, const uint8_t *plain, size_t n, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len;

    g_assert_nonnull(ctx);
    g_assert_cmpint(EVP_EncryptInit_ex(ctx, c->key_len == 32 ?
                                       EVP_aes_256_gcm() : EVP_aes_128_gcm(),
                                       NULL, c->key, nonce), ==, 1);
    g_assert_cmpint(EVP_EncryptUpdate(ctx, NULL, &len, aad, aad_len), ==, 1);
    if (n) {
        g_assert_cmpint(EVP_EncryptUpdate(ctx, out, &len, plain, n), ==, 1);
        g_assert_cmpint(len, ==, n);
    }
    g_assert_cmpint(EVP_EncryptFinal_ex(ctx, out + n, &len), ==, 1);
    g_assert_cmpint(len, ==, 0);
    g_assert_cmpint(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TLS_TAG,
                                        out + n), ==, 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* RFC 5288, RFC 5246 6.2.3.3 */
static void record_12(TlsConn *c, uint8_t type, const uint8_t *plain, size_t n,
                      uint8_t *clear, uint8_t *wire)
{
    uint8_t nonce[12], aad[13];
    size_t body = TLS_NONCE + n + TLS_TAG;

    wire[0] = type;
    wire[1] = 3;
    wire[2] = 3;
    wire[3] = body >> 8;
    wire[4] = body;
    mlx5_st64(wire + TLS_HDR, c->nonce);
    memcpy(nonce, c->iv, 4);
    mlx5_st64(nonce + 4, c->nonce++);
    mlx5_st64(aad, c->rec_no);
    aad[8] = type;
    aad[9] = 3;
    aad[10] = 3;
    aad[11] = n >> 8;
    aad[12] = n;
    seal(c, nonce, aad, sizeof(aad), plain, n, wire + TLS_HDR + TLS_NONCE);
    memcpy(clear, wire, TLS_HDR + TLS_NONCE);
    memcpy(clear + TLS_HDR + TLS_NONCE, plain, n);
    memset(clear + TLS_HDR + TLS_NONCE + n, 0xee, TLS_TAG);
}

/* RFC 8446 5.2, 5.3 */
static void record_13(TlsConn *c, uint8_t type, const uint8_t *plain, size_t n,
                      uint8_t *clear, uint8_t *wire)
{
    uint8_t nonce[12], num[8];
    size_t body = n + 1 + TLS_TAG;
    unsigned i;

    wire[0] = REC_DATA;
    wire[1] = 3;
    wire[2] = 3;
    wire[3] = body >> 8;
    wire[4] = body;
    mlx5_st64(num, c->rec_no);
    memcpy(nonce, c->iv, 12);
    for (i = 0; i < 8; i++) {
        nonce[4 + i] ^= num[i];
    }
    memcpy(clear, wire, TLS_HDR);
    memcpy(clear + TLS_HDR, plain, n);
    clear[TLS_HDR + n] = type;
    memset(clear + TLS_HDR + n + 1, 0xee, TLS_TAG);
    seal(c, nonce, wire, TLS_HDR, clear + TLS_HDR, n + 1, wire + TLS_HDR);
}

void tls_record(TlsConn *c, uint8_t type, const uint8_t *plain, size_t n,
                GByteArray *clear, GByteArray *wire)
{
    size_t len = tls_record_len(c, n);
    g_autofree uint8_t *a = g_malloc(len);
    g_autofree uint8_t *b = g_malloc(len);

    if (c->version == TLS_1_2) {
        record_12(c, type, plain, n, a, b);
    } else {
        record_13(c, type, plain, n, a, b);
    }
    c->rec_no++;
    if (clear) {
        g_byte_array_append(clear, a, len);
    }
    if (wire) {
        g_byte_array_append(wire, b, len);
    }
}

void tls_pattern(TlsConn *c, size_t n, GByteArray *clear, GByteArray *wire)
{
    g_autofree uint8_t *plain = g_malloc(n + 1);
    size_t i;

    for (i = 0; i < n; i++) {
        plain[i] = i * 7 + (i >> 8) + c->rec_no;
    }
    tls_record(c, REC_DATA, plain, n, clear, wire);
}

void tls_transform(const TlsConn *c, uint64_t rec_no, const uint8_t *wire,
                   size_t len, uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t head = TLS_HDR + (c->version == TLS_1_2 ? TLS_NONCE : 0);
    uint8_t block[16], num[8];
    unsigned i;
    int n;

    memcpy(block, c->iv, 12);
    mlx5_st64(num, rec_no);
    for (i = 0; i < 8; i++) {
        block[4 + i] = c->version == TLS_1_2 ? wire[TLS_HDR + i] :
                                               block[4 + i] ^ num[i];
    }
    mlx5_st32(block + 12, 2); /* GCM's counter of the first payload block */
    memcpy(out, wire, len);
    g_assert_nonnull(ctx);
    g_assert_cmpint(EVP_EncryptInit_ex(ctx, c->key_len == 32 ?
                                       EVP_aes_256_ctr() : EVP_aes_128_ctr(),
                                       NULL, c->key, block), ==, 1);
    g_assert_cmpint(EVP_EncryptUpdate(ctx, out + head, &n, wire + head,
                                      len - head - TLS_TAG), ==, 1);
    EVP_CIPHER_CTX_free(ctx);
}

/* ------------------------------------------------------------- objects --- */

void drv_dek_hdr(uint8_t *in, uint16_t opcode, uint32_t id, uint32_t op_param)
{
    MLX5_SET(general_obj_in_cmd_hdr, in, opcode, opcode);
    MLX5_SET(general_obj_in_cmd_hdr, in, obj_type, GENERAL_OBJ_DEK);
    MLX5_SET(general_obj_in_cmd_hdr, in, obj_id, id);
    MLX5_SET(general_obj_in_cmd_hdr, in, op_param, op_param);
}

uint8_t *drv_dek_cmd(Drv *d, const uint8_t *key, unsigned key_len,
                     uint32_t *len)
{
    uint8_t *in = g_malloc0(DEK_CMD_LEN);

    *len = DEK_CMD_LEN;
    drv_dek_hdr(in, OP_CREATE_GENERAL_OBJECT, 0, 0);
    MLX5_SET(encryption_key_obj, in + 16, key_size, key_len == 32);
    MLX5_SET(encryption_key_obj, in + 16, key_purpose, KEY_PURPOSE_TLS);
    MLX5_SET(encryption_key_obj, in + 16, pd, d->pd);
    if (key) {
        memcpy(in + (key_len == 32 ? KEY_256_AT : KEY_128_AT), key, key_len);
    }
    return in;
}

uint32_t drv_dek_create(Drv *d, const uint8_t *key, unsigned key_len)
{
    uint8_t out[16];
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(d, key, key_len, &len);

    drv_cmd_ok(d, in, len, out, sizeof(out));
    return MLX5_GET(general_obj_out_cmd_hdr, out, obj_id);
}

void drv_dek_destroy(Drv *d, uint32_t id)
{
    uint8_t in[16] = { 0 };

    drv_dek_hdr(in, OP_DESTROY_GENERAL_OBJECT, id, 0);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

uint32_t drv_dek_range(Drv *d, unsigned log_range, unsigned key_len)
{
    uint8_t out[16];
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(d, NULL, key_len, &len);

    MLX5_SET(general_obj_in_cmd_hdr, in, log_obj_range, log_range);
    drv_cmd_ok(d, in, len, out, sizeof(out));
    return MLX5_GET(general_obj_out_cmd_hdr, out, obj_id);
}

void drv_dek_load(Drv *d, uint32_t base, uint32_t offset, const TlsConn *c)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(d, c->key, c->key_len, &len);

    drv_dek_hdr(in, OP_MODIFY_GENERAL_OBJECT, base, offset);
    MLX5_SET(encryption_key_obj, in + 16, modify_field_select, 1);
    drv_cmd_ok(d, in, len, NULL, 16);
}

DrvResult drv_sync_crypto(Drv *d, uint16_t type)
{
    uint8_t in[32] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_SYNC_CRYPTO);
    MLX5_SET(sync_crypto_in, in, crypto_type, type);
    return drv_cmd(d, in, sizeof(in), NULL, 16);
}

uint32_t drv_tis_tls(Drv *d)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_tis_cmd(d, &len);

    MLX5_SET(tisc, in + 0x20, tls_en, 1);
    return drv_create(d, in, len);
}

uint32_t drv_tir_tls(Drv *d, uint32_t rqn)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_tir_cmd(d, rqn, &len);

    MLX5_SET(tirc, in + 0x20, tls_en, 1);
    MLX5_SET(tirc, in + 0x20, self_lb_block, 3);
    return drv_create(d, in, len);
}

uint64_t drv_strict_count(Drv *d, const char *reason)
{
    QDict *dict = qtest_qmp_assert_success_ref(
        d->qts, "{'execute': 'qom-get', 'arguments': "
        "{'path': " "%s" ", 'property': 'strict-violations'}}", DRV_QOM_PATH);
    uint64_t n;

    g_assert_true(qdict_haskey(dict, reason));
    n = qdict_get_int(dict, reason);
    qobject_unref(dict);
    return n;
}

void drv_strict_expect(Drv *d, const char *reason)
{
    uint64_t total = drv_strict_count(d, "total");

    if (!reason) {
        g_assert_cmpuint(total, ==, 0);
    } else {
        g_assert_cmpuint(total, >, 0);
        g_assert_cmpuint(drv_strict_count(d, reason), ==, total);
    }
}

/* ------------------------------------------------------- control WQEs --- */

void tls_static(uint8_t p[TLS_STATIC_LEN], const TlsConn *c, uint32_t dek,
                uint32_t resync_tcp_sn)
{
    memset(p, 0, TLS_STATIC_LEN);
    MLX5_SET(tls_static_params, p, const_2, 2);
    MLX5_SET(tls_static_params, p, const_1, 1);
    MLX5_SET(tls_static_params, p, tls_version, c->version == TLS_1_2 ? 2 : 3);
    MLX5_SET(tls_static_params, p, encryption_standard, 1);
    MLX5_SET(tls_static_params, p, initial_record_number, c->rec_no);
    MLX5_SET(tls_static_params, p, resync_tcp_sn, resync_tcp_sn);
    MLX5_SET(tls_static_params, p, gcm_iv, mlx5_ld32(c->iv));
    if (c->version == TLS_1_3) {
        MLX5_SET(tls_static_params, p, implicit_iv, mlx5_ld64(c->iv + 4));
    }
    MLX5_SET(tls_static_params, p, dek_index, dek);
}

void drv_wqe_static(DrvWqe *w, const DrvSq *sq, bool tir, uint32_t num,
                    const uint8_t p[TLS_STATIC_LEN], bool fence, bool ce)
{
    drv_wqe(w, sq, WQE_UMR, ce);
    MLX5_SET(wqe_ctrl, w->b, opc_mod, tir ? 2 : 1);
    MLX5_SET(wqe_ctrl, w->b, fm, fence);
    MLX5_SET(wqe_ctrl, w->b, tis_tir_num, num);
    MLX5_SET(wqe_umr_ctrl, w->b + 16, flags, 0x80);
    MLX5_SET(wqe_umr_ctrl, w->b + 16, bsf_octowords, TLS_STATIC_LEN / 16);
    memcpy(w->b + 128, p, TLS_STATIC_LEN);
    w->ds = 12;
}

void drv_wqe_set_psv(DrvWqe *w, const DrvSq *sq, bool tir, uint32_t num,
                     uint32_t next_record_tcp_sn, bool fence, bool ce)
{
    drv_wqe(w, sq, WQE_SET_PSV, ce);
    MLX5_SET(wqe_ctrl, w->b, opc_mod, tir ? 2 : 1);
    MLX5_SET(wqe_ctrl, w->b, fm, fence);
    MLX5_SET(wqe_set_psv, w->b + 16, tis_tir_num, num);
    MLX5_SET(tls_progress_params, w->b + 20, next_record_tcp_sn,
             next_record_tcp_sn);
    w->ds = 2;
}

void drv_wqe_get_psv(DrvWqe *w, const DrvSq *sq, uint32_t tirn, uint32_t lkey,
                     uint64_t va)
{
    drv_wqe(w, sq, WQE_GET_PSV, true);
    MLX5_SET(wqe_ctrl, w->b, opc_mod, 2);
    MLX5_SET(wqe_get_psv, w->b + 16, num_psv, 1);
    MLX5_SET(wqe_get_psv, w->b + 16, l_key, lkey);
    MLX5_SET(wqe_get_psv, w->b + 16, va, va);
    MLX5_SET(wqe_get_psv, w->b + 16, psv_index_0, tirn);
    w->ds = 4;
}

void drv_wqe_dump(DrvWqe *w, const DrvSq *sq, uint32_t tisn, uint32_t lkey,
                  uint64_t addr, uint32_t len, bool fence)
{
    drv_wqe(w, sq, WQE_DUMP, false);
    MLX5_SET(wqe_ctrl, w->b, fm, fence);
    MLX5_SET(wqe_ctrl, w->b, tis_tir_num, tisn);
    drv_wqe_data(w, lkey, addr, len);
}
