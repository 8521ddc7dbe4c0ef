/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OpenSSL's record layer as the reference. See tls-peer.h.
 */
#include "tls-peer.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#define MUST(x) \
    do { \
        if (!(x)) { \
            ERR_print_errors_fp(stderr); \
            g_error("%s:%d: %s", __FILE__, __LINE__, #x); \
        } \
    } while (0)

/*
 * One RSA key and self-signed certificate for all connections of the process.
 */
static EVP_PKEY *server_key;
static X509 *server_cert;

static void make_certificate(void)
{
    X509_NAME *name;

    if (server_cert) {
        return;
    }
    MUST(server_key = EVP_RSA_gen(2048));
    MUST(server_cert = X509_new());
    X509_set_version(server_cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(server_cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(server_cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(server_cert), 86400);
    X509_set_pubkey(server_cert, server_key);
    name = X509_get_subject_name(server_cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const uint8_t *)"test", -1, -1, 0);
    X509_set_issuer_name(server_cert, name);
    MUST(X509_sign(server_cert, server_key, EVP_sha256()));
}

static void key_log(const SSL *ssl, const char *line)
{
    static const char *const label[2] = { "CLIENT_TRAFFIC_SECRET_0 ",
                                          "SERVER_TRAFFIC_SECRET_0 " };
    Peer *p = SSL_get_app_data(ssl);

    for (int end = 0; end < 2; end++) {
        if (g_str_has_prefix(line, label[end])) {
            g_free(p->secret[end]);
            p->secret[end] = g_strdup(strrchr(line, ' ') + 1);
        }
    }
}

/* Moves the output of an end to the other end's input, or to out. */
static size_t drain(Peer *p, PeerEnd from, GByteArray *out)
{
    uint8_t buf[4096];
    size_t total = 0;
    int n;

    while ((n = BIO_read(SSL_get_wbio(p->ssl[from]), buf, sizeof(buf))) > 0) {
        total += n;
        if (out) {
            g_byte_array_append(out, buf, n);
        } else {
            MUST(BIO_write(SSL_get_rbio(p->ssl[!from]), buf, n) == n);
        }
    }
    return total;
}

static void kdf(const char *name, OSSL_PARAM *params, uint8_t *out, size_t len)
{
    EVP_KDF *k = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx;

    MUST(k);
    MUST(ctx = EVP_KDF_CTX_new(k));
    MUST(EVP_KDF_derive(ctx, out, len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(k);
}

/* HKDF-Expand-Label(secret, label, "", len), RFC 8446 section 7.1. */
static void expand_label(const uint8_t *secret, size_t secret_len,
                         const char *digest, const char *label, uint8_t *out,
                         size_t len)
{
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    uint8_t info[64] = { 0 };
    size_t n = strlen(label) + 6;
    OSSL_PARAM params[5];

    info[1] = len;
    info[2] = n;
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, n - 6);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                 (char *)digest, 0);
    params[1] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
                                                  (void *)secret, secret_len);
    params[3] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 3 + n + 1);
    params[4] = OSSL_PARAM_construct_end();
    kdf("HKDF", params, out, len);
}

static void derive_13(Peer *p, const char *digest)
{
    for (int end = 0; end < 2; end++) {
        size_t len = strlen(p->secret[end]) / 2;
        g_autofree uint8_t *secret = g_malloc(len);

        for (size_t i = 0; i < len; i++) {
            secret[i] = g_ascii_xdigit_value(p->secret[end][2 * i]) << 4 |
                        g_ascii_xdigit_value(p->secret[end][2 * i + 1]);
        }
        expand_label(secret, len, digest, "key", p->keys[end].key,
                     p->keys[end].key_len);
        expand_label(secret, len, digest, "iv", p->keys[end].iv, 12);
    }
}

/*
 * The key block of RFC 5246 section 6.3, as RFC 5288 cuts it: two keys, two
 * salts.
 */
static void derive_12(Peer *p, const char *digest, size_t key_len)
{
    SSL_SESSION *session = SSL_get_session(p->ssl[PEER_CLIENT]);
    uint8_t master[48], seed[13 + 64], block[2 * (32 + 4)];
    OSSL_PARAM params[4];

    MUST(SSL_SESSION_get_master_key(session, master, 48) == 48);
    memcpy(seed, "key expansion", 13);
    MUST(SSL_get_server_random(p->ssl[PEER_CLIENT], seed + 13, 32) == 32);
    MUST(SSL_get_client_random(p->ssl[PEER_CLIENT], seed + 45, 32) == 32);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                 (char *)digest, 0);
    params[1] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, 48);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed,
                                                  sizeof(seed));
    params[3] = OSSL_PARAM_construct_end();
    kdf("TLS1-PRF", params, block, 2 * (key_len + 4));
    for (int end = 0; end < 2; end++) {
        memcpy(p->keys[end].key, block + end * key_len, key_len);
        memcpy(p->keys[end].iv, block + 2 * key_len + end * 4, 4);
    }
}

Peer *peer_new(bool v13, size_t key_len, size_t block_padding)
{
    const char *digest = key_len == 16 ? "SHA256" : "SHA384";
    int version = v13 ? TLS1_3_VERSION : TLS1_2_VERSION;
    Peer *p = g_new0(Peer, 1);
    int rounds;

    make_certificate();
    for (int end = 0; end < 2; end++) {
        SSL_CTX *ctx = SSL_CTX_new(end == PEER_CLIENT ? TLS_client_method() :
                                                        TLS_server_method());

        MUST(ctx);
        MUST(SSL_CTX_set_min_proto_version(ctx, version));
        MUST(SSL_CTX_set_max_proto_version(ctx, version));
        if (v13) {
            MUST(SSL_CTX_set_ciphersuites(ctx, key_len == 16 ?
                                                   "TLS_AES_128_GCM_SHA256" :
                                                   "TLS_AES_256_GCM_SHA384"));
            SSL_CTX_set_num_tickets(ctx, 0);
            MUST(SSL_CTX_set_block_padding(ctx, block_padding));
        } else {
            MUST(SSL_CTX_set_cipher_list(ctx, key_len == 16 ?
                                         "ECDHE-RSA-AES128-GCM-SHA256" :
                                         "ECDHE-RSA-AES256-GCM-SHA384"));
        }
        if (end == PEER_SERVER) {
            MUST(SSL_CTX_use_certificate(ctx, server_cert));
            MUST(SSL_CTX_use_PrivateKey(ctx, server_key));
        }
        SSL_CTX_set_keylog_callback(ctx, key_log);
        MUST(p->ssl[end] = SSL_new(ctx));
        SSL_CTX_free(ctx);
        SSL_set_app_data(p->ssl[end], p);
        SSL_set_bio(p->ssl[end], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        p->keys[end].v13 = v13;
        p->keys[end].key_len = key_len;
        /* in TLS 1.2 the Finished message was record 0 under these keys */
        p->next[end] = v13 ? 0 : 1;
    }
    SSL_set_connect_state(p->ssl[PEER_CLIENT]);
    SSL_set_accept_state(p->ssl[PEER_SERVER]);
    for (rounds = 0; rounds < 10; rounds++) {
        int done = 0;

        for (int end = 0; end < 2; end++) {
            int ret = SSL_do_handshake(p->ssl[end]);

            done += ret == 1;
            MUST(ret == 1 ||
                 SSL_get_error(p->ssl[end], ret) == SSL_ERROR_WANT_READ);
            drain(p, end, NULL);
        }
        if (done == 2) {
            break;
        }
    }
    g_assert_cmpint(rounds, <, 10);
    if (v13) {
        derive_13(p, digest);
    } else {
        derive_12(p, digest, key_len);
    }
    return p;
}

void peer_free(Peer *p)
{
    for (int end = 0; end < 2; end++) {
        SSL_free(p->ssl[end]);
        g_free(p->secret[end]);
    }
    g_free(p);
}

GByteArray *peer_send(Peer *p, PeerEnd from, const uint8_t *data, size_t len)
{
    GByteArray *wire = g_byte_array_new();

    MUST(SSL_write(p->ssl[from], data, len) == (int)len);
    drain(p, from, wire);
    return wire;
}

GByteArray *peer_receive(Peer *p, PeerEnd to, const uint8_t *wire, size_t len)
{
    GByteArray *data = g_byte_array_new();
    uint8_t buf[16384];
    int n;

    MUST(BIO_write(SSL_get_rbio(p->ssl[to]), wire, len) == (int)len);
    while ((n = SSL_read(p->ssl[to], buf, sizeof(buf))) > 0) {
        g_byte_array_append(data, buf, n);
    }
    if (SSL_get_error(p->ssl[to], n) != SSL_ERROR_WANT_READ) {
        ERR_clear_error();
        g_byte_array_unref(data);
        return NULL;
    }
    return data;
}
