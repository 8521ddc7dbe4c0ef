/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Incremental TLS records: headers, layout, nonces. See tls_record.h. */
#include "scratch.h"
#include "secret.h"
#include "tls_record.h"

#include <string.h>

/* Ciphertext is produced and hashed in pieces that fit into the L1 cache. */
#define CHUNK   8192

/* ---- headers ------------------------------------------------------------- */

Mlx5TlsHeader mlx5_tls_header_check(uint8_t tls_version, const uint8_t *hdr,
                                    size_t n)
{
    bool v13 = tls_version == MLX5_TLS_VERSION_1_3;
    uint32_t min = (v13 ? 1 : MLX5_TLS_NONCE_LEN) + MLX5_TLS_TAG_LEN;
    uint32_t max = min + MLX5_TLS_MAX_PLAIN;

    if ((n > 0 && (hdr[0] < (v13 ? 23 : 20) || hdr[0] > 23)) ||
        (n > 1 && hdr[1] != 3) || (n > 2 && hdr[2] != 3) ||
        (n > 3 && hdr[3] > max >> 8)) {
        return MLX5_TLS_HEADER_BAD;
    }
    if (n < MLX5_TLS_HDR_LEN) {
        return MLX5_TLS_HEADER_PARTIAL;
    }
    return mlx5_tls_header_body(hdr) >= min && mlx5_tls_header_body(hdr) <= max
           ? MLX5_TLS_HEADER_OK : MLX5_TLS_HEADER_BAD;
}

/* ---- crypto parameters --------------------------------------------------- */

void mlx5_tls_crypto_set(Mlx5TlsCrypto *c, const Mlx5TlsStaticParams *p,
                         Mlx5TlsKey *key)
{
    mlx5_tls_key_ref(key);
    mlx5_tls_crypto_clear(c);
    c->key = key;
    c->tls_version = p->tls_version;
    mlx5_st32(c->iv, p->gcm_iv);
    mlx5_st64(c->iv + 4, p->implicit_iv);
}

void mlx5_tls_crypto_clear(Mlx5TlsCrypto *c)
{
    mlx5_tls_key_unref(c->key);
    mlx5_secret_erase(c, sizeof(*c));
}

/* ---- layout -------------------------------------------------------------- */

/* Offsets, relative to the byte after the header. */
static uint32_t payload_start(const Mlx5TlsRecordState *s)
{
    return s->tls_version == MLX5_TLS_VERSION_1_3 ? 0 : MLX5_TLS_NONCE_LEN;
}

static uint32_t tag_start(const Mlx5TlsRecordState *s)
{
    return s->len - MLX5_TLS_TAG_LEN;
}

/* Builds the additional authenticated data, padded. Returns its length. */
static size_t record_aad(const Mlx5TlsRecordState *s,
                         uint8_t aad[MLX5_GCM_BLOCK])
{
    memset(aad, 0, MLX5_GCM_BLOCK);
    if (s->tls_version == MLX5_TLS_VERSION_1_3) {
        memcpy(aad, s->hdr, MLX5_TLS_HDR_LEN);
        return MLX5_TLS_HDR_LEN;
    }
    mlx5_st64(aad, s->number);
    memcpy(aad + 8, s->hdr, 3);
    aad[11] = (tag_start(s) - payload_start(s)) >> 8;
    aad[12] = tag_start(s) - payload_start(s);
    return 13;
}

/* ---- cipher contexts ----------------------------------------------------- */

static void record_release(Mlx5TlsRecord *rec)
{
    mlx5_gcm_release(rec->slot);
    rec->slot = NULL;
}

/* Saves the slot's state in the record and releases the slot. */
static void record_detach(void *opaque)
{
    Mlx5TlsRecord *rec = opaque;

    mlx5_gcm_save(rec->slot, rec->s.ghash);
    record_release(rec);
}

/* Gives the record a slot, set to its position in the payload. */
static Mlx5GcmSlot *record_attach(Mlx5TlsRecord *rec)
{
    Mlx5TlsRecordState *s = &rec->s;
    uint32_t done = s->pos - payload_start(s);
    uint8_t aad[MLX5_GCM_BLOCK];

    if (rec->slot) {
        mlx5_gcm_touch(rec->slot);
        return rec->slot;
    }
    rec->slot = mlx5_gcm_take(rec->gcm, rec->key, record_detach, rec);
    if (done == 0) {
        record_aad(s, aad);
        mlx5_gcm_begin(rec->slot, s->nonce, aad, s->tag);
    } else {
        mlx5_gcm_resume(rec->slot, s->ghash, done);
    }
    return rec->slot;
}

/*
 * Computes the tag after the last payload byte was hashed, and releases the
 * slot.
 */
static void record_finish_tag(Mlx5TlsRecord *rec)
{
    Mlx5TlsRecordState *s = &rec->s;
    uint8_t aad[MLX5_GCM_BLOCK];

    mlx5_gcm_tag(rec->slot, record_aad(s, aad), tag_start(s) - payload_start(s),
                 s->tag);
    record_release(rec);
}

/* ---- records ------------------------------------------------------------- */

void mlx5_tls_record_open(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                          const Mlx5TlsCrypto *c, uint64_t number,
                          const uint8_t hdr[MLX5_TLS_HDR_LEN])
{
    Mlx5TlsRecordState *s = &rec->s;

    memset(rec, 0, sizeof(*rec));
    rec->gcm = gcm;
    rec->key = mlx5_tls_key_ref(c->key);
    s->tls_version = c->tls_version;
    s->number = number;
    s->len = mlx5_tls_header_body(hdr);
    memcpy(s->hdr, hdr, MLX5_TLS_HDR_LEN);
    memcpy(s->nonce, c->iv, MLX5_TLS_IV_LEN);
    if (c->tls_version == MLX5_TLS_VERSION_1_3) {
        mlx5_st64(s->nonce + 4, mlx5_ld64(s->nonce + 4) ^ number);
    }
}

void mlx5_tls_record_close(Mlx5TlsRecord *rec)
{
    if (rec->slot) {
        mlx5_gcm_release(rec->slot);
    }
    mlx5_tls_key_unref(rec->key);
    mlx5_secret_erase(rec, sizeof(*rec));
}

/* Consumes explicit nonce bytes, for both directions. Returns their number. */
static size_t record_nonce(Mlx5TlsRecord *rec, const uint8_t *src, size_t len)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t n = 0;

    if (s->pos < payload_start(s)) {
        n = MIN(len, payload_start(s) - s->pos);
        memcpy(s->nonce + 4 + s->pos, src, n);
        s->pos += n;
        if (s->pos == tag_start(s)) {
            /* an empty record has no payload byte to wait for */
            record_attach(rec);
            record_finish_tag(rec);
        }
    }
    return n;
}

size_t mlx5_tls_record_encrypt(Mlx5TlsRecord *rec, uint8_t *dst,
                               const uint8_t *src, size_t len)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t done = record_nonce(rec, src, len);
    MLX5_SCRATCH uint8_t scratch[CHUNK];

    if (dst && dst != src) {
        memcpy(dst, src, done);
    }
    while (done < len && s->pos < tag_start(s)) {
        size_t n = MIN(MIN(len - done, tag_start(s) - s->pos), CHUNK);
        uint8_t *out = dst ? dst + done : scratch;
        Mlx5GcmSlot *slot = record_attach(rec);

        mlx5_gcm_crypt(slot, s->nonce, s->pos - payload_start(s), out,
                       src + done, n);
        mlx5_gcm_hash(slot, out, n);
        s->pos += n;
        done += n;
        if (s->pos == tag_start(s)) {
            record_finish_tag(rec);
        }
    }
    if (done < len && s->pos < s->len) {
        size_t n = MIN(len - done, s->len - s->pos);

        if (dst) {
            memcpy(dst + done, s->tag + (s->pos - tag_start(s)), n);
        }
        s->pos += n;
        done += n;
    }
    return done;
}

size_t mlx5_tls_record_hash(Mlx5TlsRecord *rec, const uint8_t *src, size_t len,
                            GArray *spans, uint32_t base)
{
    Mlx5TlsRecordState *s = &rec->s;
    size_t done = record_nonce(rec, src, len);

    if (done < len && s->pos < tag_start(s)) {
        size_t n = MIN(len - done, tag_start(s) - s->pos);

        if (spans) {
            Mlx5GcmSpan span = {
                .offset = base + done,
                .len = n,
                .pos = s->pos - payload_start(s),
            };

            memcpy(span.nonce, s->nonce, MLX5_TLS_IV_LEN);
            g_array_append_val(spans, span);
        }
        mlx5_gcm_hash(record_attach(rec), src + done, n);
        s->pos += n;
        done += n;
        if (s->pos == tag_start(s)) {
            record_finish_tag(rec);
        }
    }
    while (done < len && s->pos < s->len) {
        s->tag_diff |= src[done] ^ s->tag[s->pos - tag_start(s)];
        s->pos++;
        done++;
    }
    return done;
}

void mlx5_tls_record_save(Mlx5TlsRecord *rec, Mlx5TlsRecordState *out)
{
    if (rec->slot) {
        record_detach(rec);
    }
    *out = rec->s;
}

bool mlx5_tls_record_restore(Mlx5TlsRecord *rec, Mlx5GcmPool *gcm,
                             Mlx5TlsKey *key, const Mlx5TlsRecordState *in)
{
    if ((in->tls_version != MLX5_TLS_VERSION_1_2 &&
         in->tls_version != MLX5_TLS_VERSION_1_3) ||
        mlx5_tls_header_check(in->tls_version, in->hdr, MLX5_TLS_HDR_LEN) !=
        MLX5_TLS_HEADER_OK ||
        in->len != mlx5_tls_header_body(in->hdr) || in->pos > in->len) {
        return false;
    }
    memset(rec, 0, sizeof(*rec));
    rec->gcm = gcm;
    rec->key = mlx5_tls_key_ref(key);
    rec->s = *in;
    return true;
}
