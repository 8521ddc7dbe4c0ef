/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine compared with OpenSSL's own record layer, TLS 1.2 and 1.3, AES-128
 * and AES-256: the RX context decrypts the output of libssl, the TX context
 * produces the same bytes as libssl, and libssl reads the output of the TX
 * context.
 */
#include <glib.h>
#include <string.h>

#include "tls-peer.h"
#include "tls_rx.h"
#include "tls_tx.h"

static GRand *rng;

typedef struct Config {
    bool v13;
    size_t key_len;
    size_t padding;
} Config;

static const Config configs[] = {
    { false, 16, 0 }, { false, 32, 0 },
    { true, 16, 0 }, { true, 32, 0 }, { true, 16, 512 },
};

/* Cut the wire bytes of libssl into records; ref_stream_take() opens each. */
static void take_wire(RefStream *st, const GByteArray *wire)
{
    size_t off = 0;

    while (off < wire->len) {
        g_assert_cmpuint(off + 5, <=, wire->len);
        ref_stream_take(st, rng, wire->data + off);
        off += 5 + (wire->data[off + 3] << 8 | wire->data[off + 4]);
    }
    g_assert_cmpuint(off, ==, wire->len);
}

/*
 * Application data of all sizes from one end; also that the keys are understood
 * right.
 */
static RefStream *libssl_stream(Peer *p, PeerEnd from)
{
    static const size_t sizes[] = { 1,    2,     15,    16,    17,   100,
                                    1350, 16383, 16384, 16385, 50000 };
    RefStream *st = ref_stream_new(&p->keys[from], p->next[from]);
    size_t data_len = 0, text_len = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(sizes) + 20; i++) {
        size_t len =
            i < G_N_ELEMENTS(sizes) ? sizes[i] : ref_rand_range(rng, 1, 4000);
        g_autofree uint8_t *data = g_malloc(len);
        g_autoptr(GByteArray) wire = NULL;
        g_autoptr(GByteArray) back = NULL;

        ref_rand_bytes(rng, data, len);
        wire = peer_send(p, from, data, len);
        take_wire(st, wire);
        back = peer_receive(p, !from, wire->data, wire->len);
        g_assert_nonnull(back);
        g_assert_cmpmem(back->data, back->len, data, len);
        data_len += len;
    }
    for (unsigned i = 0; i < st->recs->len; i++) {
        text_len += ref_rec(st, i)->text_len;
        g_assert_cmpuint(ref_rec(st, i)->type, ==, 23);
    }
    g_assert_cmpuint(text_len, >=, data_len);
    p->next[from] += st->recs->len;
    return st;
}

static size_t random_len(size_t left)
{
    static const uint32_t max[] = { 3, 20, 1448, 1448, 1448, 9000, 65536 };
    size_t n = ref_rand_range(
        rng, 1, max[ref_rand_range(rng, 0, G_N_ELEMENTS(max) - 1)]);

    return MIN(n, left);
}

static void rx_stream(const RefStream *st)
{
    Mlx5TlsEngine *engine = ref_engine_new(4);
    Mlx5TlsKey *key = ref_engine_key(&st->keys);
    uint32_t base = g_rand_int(rng);
    uint8_t image[64], psv[12];
    Mlx5TlsRx rx;

    mlx5_tls_rx_init(&rx, engine, 1);
    ref_static_image(image, &st->keys, st->first_number, 0);
    ref_progress_image(psv, base);
    mlx5_tls_rx_set_static(&rx, image, key, NULL);
    g_assert_cmpint(mlx5_tls_rx_set_progress(&rx, psv), ==,
                    MLX5_TLS_REASON_NONE);
    for (size_t pos = 0, n; pos < st->wire->len; pos += n) {
        g_autofree uint8_t *buf = NULL;
        Mlx5TlsRxResult res;

        n = random_len(st->wire->len - pos);
        buf = g_memdup2(st->wire->data + pos, n);
        mlx5_tls_rx_packet(&rx, base + pos, buf, n, &res);
        g_assert_cmpint(res.flag, ==, MLX5_TLS_FLAG_DECRYPTED);
        ref_assert_equal(buf, st->clear->data + pos, n, "received");
    }
    g_assert_cmpuint(mlx5_tls_engine_counters(engine)->rx_tag_ok, ==,
                     st->recs->len);
    mlx5_tls_rx_clear(&rx);
    mlx5_tls_key_unref(key);
    mlx5_tls_engine_free(engine);
}

/* Encrypt st->tx in random packets; the result is what to send. */
static GByteArray *tx_stream(const RefStream *st)
{
    Mlx5TlsEngine *engine = ref_engine_new(4);
    Mlx5TlsKey *key = ref_engine_key(&st->keys);
    GByteArray *out = g_byte_array_new();
    uint32_t base = g_rand_int(rng);
    uint8_t image[64], psv[12];
    Mlx5TlsTx tx;

    mlx5_tls_tx_init(&tx, engine, 1);
    ref_static_image(image, &st->keys, st->first_number, 0);
    ref_progress_image(psv, 0);
    mlx5_tls_tx_set_static(&tx, image, key);
    g_assert_cmpint(mlx5_tls_tx_set_progress(&tx, psv), ==,
                    MLX5_TLS_REASON_NONE);
    for (size_t pos = 0, n; pos < st->tx->len; pos += n) {
        Mlx5TlsTxResult res;

        n = random_len(st->tx->len - pos);
        g_byte_array_append(out, st->tx->data + pos, n);
        mlx5_tls_tx_packet(&tx, base + pos, out->data + pos, n, &res);
        g_assert_cmpint(res.verdict, ==, MLX5_TLS_TX_SEND);
    }
    mlx5_tls_tx_clear(&tx);
    mlx5_tls_key_unref(key);
    mlx5_tls_engine_free(engine);
    return out;
}

static void test_against_libssl(const void *data)
{
    const Config *c = data;
    Peer *p = peer_new(c->v13, c->key_len, c->padding);

    for (int end = 0; end < 2; end++) {
        g_autoptr(RefStream) st = libssl_stream(p, end);

        for (int i = 0; i < 5; i++) {
            g_autoptr(GByteArray) out = tx_stream(st);

            rx_stream(st);
            g_assert_cmpuint(out->len, ==, st->wire->len);
            ref_assert_equal(out->data, st->wire->data, out->len,
                             "sent, as libssl did");
        }
    }
    peer_free(p);
}

/* libssl reads what the TX context encrypted, then refuses one flipped bit. */
static void test_libssl_reads(const void *data)
{
    const Config *c = data;
    Peer *p = peer_new(c->v13, c->key_len, 0);

    for (int end = 0; end < 2; end++) {
        g_autoptr(RefStream) st = ref_stream_new(&p->keys[end], p->next[end]);
        g_autoptr(GByteArray) want = g_byte_array_new();
        g_autoptr(GByteArray) out = NULL, got = NULL;

        for (int i = 0; i < 40; i++) {
            size_t len = i == 39 ? 16384 : ref_rand_range(rng, 1, 3000);
            g_autofree uint8_t *text = g_malloc(len + 1);
            g_autoptr(GByteArray) wire = g_byte_array_new();
            uint8_t nonce[8];

            ref_rand_bytes(rng, text, len);
            ref_rand_bytes(rng, nonce, 8);
            text[len] = 23;
            g_byte_array_append(want, text, len);
            ref_seal(&st->keys, p->next[end]++, 23, nonce, text, len + c->v13,
                     wire);
            ref_stream_take(st, rng, wire->data);
        }
        out = tx_stream(st);
        got = peer_receive(p, !end, out->data, out->len);
        g_assert_nonnull(got);
        g_assert_cmpmem(got->data, got->len, want->data, want->len);
    }
    for (int end = 0; end < 2; end++) {
        g_autoptr(RefStream) st = ref_stream_new(&p->keys[end], p->next[end]);
        g_autoptr(GByteArray) out = NULL;

        ref_stream_add(st, rng, 23, 100);
        out = tx_stream(st);
        out->data[50] ^= 1;
        g_assert_null(peer_receive(p, !end, out->data, out->len));
    }
    peer_free(p);
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    rng = ref_rand_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(configs); i++) {
        const Config *c = &configs[i];
        g_autofree char *name = g_strdup_printf(
            "%s/aes-%u%s", c->v13 ? "1.3" : "1.2", (unsigned)c->key_len * 8,
            c->padding ? "/padded" : "");
        g_autofree char *both =
            g_strdup_printf("/tls/openssl/same-bytes/%s", name);
        g_autofree char *reads =
            g_strdup_printf("/tls/openssl/libssl-reads/%s", name);

        g_test_add_data_func(both, c, test_against_libssl);
        if (!c->padding) {
            g_test_add_data_func(reads, c, test_libssl_reads);
        }
    }
    ret = g_test_run();
    g_rand_free(rng);
    return ret;
}
