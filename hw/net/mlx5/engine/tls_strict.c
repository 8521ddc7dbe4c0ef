/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The common part of the checker: reports, contexts, keys, fences, sent
 * records, and the layout of a record. See tls_strict.h.
 *
 * Ciphertext is compared, not plaintext: with the same key and nonce, equal
 * ciphertext means equal plaintext, so no plaintext need be kept.
 */
#include "tls_strict_priv.h"

static const struct {
    const char *name, *text;
} reasons[MLX5_STRICT_REASONS] = {
#define REASON_ROW(id, name, text) [MLX5_STRICT_##id] = { #name, text },
    MLX5_STRICT_REASON_LIST(REASON_ROW)
};

/* State of a DEK. Serial numbers are those of key objects, 0: none. */
typedef struct StrictDek {
    uint64_t holds;     /* loaded last */
    uint64_t in_use;    /* loaded on first use after a SYNC_CRYPTO */
    uint64_t sync;      /* number of that SYNC_CRYPTO; in_use ends with the
                         * next */
    GList link;         /* in replaced, if data: in_use has been overwritten */
} StrictDek;

/* A record, or the part of it, that was sent. */
typedef struct StrictSent {
    uint64_t serial;
    uint8_t nonce[MLX5_TLS_IV_LEN];
    uint8_t aad[13];
    uint8_t aad_len;
    bool tag_known;
    uint8_t tag[MLX5_TLS_TAG_LEN];
    uint32_t size;
    uint32_t from, to;  /* range of bytes that was sent */
    uint8_t *bytes;     /* size bytes; NULL: only the tag is kept */
    GList link;         /* in sent_whole or sent_tags */
    GList by_key;       /* in its key's queue in sent_by_key */
} StrictSent;

const char *mlx5_strict_reason_name(unsigned reason)
{
    return reason < MLX5_STRICT_REASONS ? reasons[reason].name : "unknown";
}

const char *mlx5_strict_reason_str(unsigned reason)
{
    return reason < MLX5_STRICT_REASONS ? reasons[reason].text :
                                          "no such reason";
}

void mlx5_tls_strict_violation(Mlx5TlsStrict *s, Mlx5StrictReason reason,
                               const char *fmt, ...)
{
    g_autofree char *details = NULL;
    va_list args;

    va_start(args, fmt);
    details = g_strdup_vprintf(fmt, args);
    va_end(args);
    s->fn(s->opaque, reason, details);
}

/* ---- contexts ------------------------------------------------------------ */

static void params_clear(StrictParams *p)
{
    mlx5_tls_key_unref(p->key);
    mlx5_secret_erase(p, sizeof(*p));
}

static void context_free(void *opaque)
{
    StrictContext *c = opaque;

    params_clear(&c->posted);
    params_clear(&c->run);
    mlx5_gcm_whole_free(c->gcm);
    mlx5_secret_free(c, sizeof(*c));
}

StrictContext *mlx5_strict_context(Mlx5TlsStrict *s, Mlx5TlsDir dir,
                                   uint32_t id)
{
    return g_hash_table_lookup(s->contexts[dir], GUINT_TO_POINTER(id));
}

size_t mlx5_tls_strict_context_size(void)
{
    return sizeof(StrictContext);
}

void mlx5_tls_strict_add(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id)
{
    StrictContext *c = g_new0(StrictContext, 1);

    c->id = id;
    g_hash_table_replace(s->contexts[dir], GUINT_TO_POINTER(id), c);
}

void mlx5_tls_strict_remove(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id)
{
    g_hash_table_remove(s->contexts[dir], GUINT_TO_POINTER(id));
}

/* Puts p into use in c. */
void mlx5_strict_run(StrictContext *c, StrictParams *p)
{
    Mlx5TlsKey *key = mlx5_tls_key_ref(p->key);

    if (key != c->run.key) {
        /* it has the old key */
        g_clear_pointer(&c->gcm, mlx5_gcm_whole_free);
    }
    params_clear(&c->run);
    c->run = *p;
    c->run.key = key;
    c->running = p->ok;
    c->stale_said = false;
}

void mlx5_tls_strict_static(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id,
                            const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                            Mlx5TlsKey *key)
{
    StrictContext *c = mlx5_strict_context(s, dir, id);
    Mlx5TlsStaticParams p;
    StrictDek *dek;

    /* p contains an IV: every path from here must erase it */
    mlx5_tls_static_params_decode(&p, image);
    dek = g_hash_table_lookup(s->deks, GUINT_TO_POINTER((uint32_t)p.dek_index));
    if (key && !dek && !s->whole) {
        mlx5_tls_strict_dek_load(s, p.dek_index, key);
    } else if (key && dek) {
        if (!dek->in_use || dek->sync != s->syncs) {
            dek->in_use = dek->holds;
            dek->sync = s->syncs;
        }
        if (dek->in_use != dek->holds ||
            mlx5_tls_key_serial(key) != dek->holds) {
            mlx5_tls_strict_violation(
                s, MLX5_STRICT_DEK_UNSYNCED, "dek 0x%x by %s 0x%x",
                (uint32_t)p.dek_index, dir == MLX5_TLS_DIR_TX ? "tis" : "tir",
                id);
        }
    }
    if (!c) {
        mlx5_secret_erase(&p, sizeof(p));
        return;
    }
    mlx5_tls_key_ref(key);
    params_clear(&c->posted);
    c->posted.p = p;
    c->posted.key = key;
    c->posted.ok =
        key &&
        (p.tls_version == MLX5_TLS_VERSION_1_2 ||
         p.tls_version == MLX5_TLS_VERSION_1_3) &&
        (mlx5_tls_engine_knobs(s->engine)->lax_params ||
         (p.const_2 == 2 && p.const_1 == 1 && p.encryption_standard == 1));
    mlx5_secret_erase(&p, sizeof(p));
    if (dir == MLX5_TLS_DIR_TX) {
        mlx5_strict_order_params(s, c, "UMR");
    } else {
        mlx5_strict_rx_static(s, c);
    }
}

void mlx5_tls_strict_progress(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id,
                              const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN])
{
    StrictContext *c = mlx5_strict_context(s, dir, id);
    Mlx5TlsProgressParams p;

    if (!c) {
        return;
    }
    if (dir == MLX5_TLS_DIR_TX) {
        mlx5_strict_order_params(s, c, "SET_PSV");
    }
    mlx5_tls_progress_params_decode(&p, image);
    if ((p.record_tracker_state != MLX5_TLS_TRACKER_START ||
         p.auth_state != MLX5_TLS_AUTH_NO_OFFLOAD) &&
        !mlx5_tls_engine_knobs(s->engine)->lax_params) {
        return;     /* contexts accept only START */
    }
    mlx5_strict_run(c, &c->posted);
    c->rec_no = c->posted.p.initial_record_number;
    memset(&c->rec, 0, sizeof(c->rec));
    if (dir == MLX5_TLS_DIR_TX) {
        mlx5_strict_tx_start(c);
    } else {
        mlx5_strict_rx_start(s, c, &p);
    }
}

/* ---- keys ---------------------------------------------------------------- */

static void sent_forget(Mlx5TlsStrict *s, uint64_t serial);

void mlx5_tls_strict_dek_load(Mlx5TlsStrict *s, uint32_t index,
                              const Mlx5TlsKey *key)
{
    StrictDek *dek = g_hash_table_lookup(s->deks, GUINT_TO_POINTER(index));

    if (!dek) {
        dek = g_new0(StrictDek, 1);
        g_hash_table_insert(s->deks, GUINT_TO_POINTER(index), dek);
    }
    if (dek->in_use && dek->sync != s->syncs) {
        /* after a SYNC_CRYPTO that key is no longer used */
        sent_forget(s, dek->in_use);
        dek->in_use = 0;
    } else if (dek->in_use && !dek->link.data) {
        dek->link.data = dek;
        g_queue_push_tail_link(&s->replaced, &dek->link);
    }
    dek->holds = mlx5_tls_key_serial(key);
}

void mlx5_tls_strict_dek_sync(Mlx5TlsStrict *s)
{
    while (s->replaced.head) {
        StrictDek *dek = s->replaced.head->data;

        g_queue_unlink(&s->replaced, &dek->link);
        dek->link.data = NULL;
        sent_forget(s, dek->in_use);
    }
    s->syncs++;
}

void mlx5_tls_strict_dek_gone(Mlx5TlsStrict *s, uint32_t index)
{
    StrictDek *dek = g_hash_table_lookup(s->deks, GUINT_TO_POINTER(index));

    if (dek) {
        sent_forget(s, dek->holds);
        sent_forget(s, dek->in_use);
        if (dek->link.data) {
            g_queue_unlink(&s->replaced, &dek->link);
        }
        g_hash_table_remove(s->deks, GUINT_TO_POINTER(index));
    }
}

void mlx5_strict_check_key(Mlx5TlsStrict *s, Mlx5TlsDir dir, StrictContext *c)
{
    uint32_t index = c->run.p.dek_index;
    StrictDek *dek = g_hash_table_lookup(s->deks, GUINT_TO_POINTER(index));

    if (c->stale_said ||
        (dek && dek->holds == mlx5_tls_key_serial(c->run.key))) {
        return;
    }
    c->stale_said = true;
    mlx5_tls_strict_violation(s, MLX5_STRICT_DEK_STALE,
                              "%s 0x%x, whose dek 0x%x %s",
                              dir == MLX5_TLS_DIR_TX ? "tis" : "tir", c->id,
                              index, dek ? "holds another key" : "is gone");
}

/* ---- fences -------------------------------------------------------------- */

/* Records that all WQEs of SQ sqn up to that one are done. */
static void settle(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial)
{
    uint64_t *done = g_hash_table_lookup(s->settled, GUINT_TO_POINTER(sqn));

    if (!done) {
        done = g_new0(uint64_t, 1);
        g_hash_table_insert(s->settled, GUINT_TO_POINTER(sqn), done);
    }
    *done = MAX(*done, serial);
}

/* Returns whether that WQE of sqn may still be outstanding. */
static bool pending(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial)
{
    uint64_t *done = g_hash_table_lookup(s->settled, GUINT_TO_POINTER(sqn));

    return serial && done && serial > *done;
}

void mlx5_tls_strict_wqe_over(Mlx5TlsStrict *s)
{
    mlx5_secret_empty_bytes(s->plain);
    s->have_plain = false;
    s->passed = false;
}

void mlx5_tls_strict_wqe(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial,
                         bool fence)
{
    mlx5_tls_strict_wqe_over(s);
    s->sqn = sqn;
    s->serial = serial;
    if (fence || !g_hash_table_contains(s->settled, GUINT_TO_POINTER(sqn))) {
        settle(s, sqn, serial - 1);
    }
}

void mlx5_tls_strict_cqe(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial)
{
    settle(s, sqn, serial);
}

void mlx5_tls_strict_sq_gone(Mlx5TlsStrict *s, uint32_t sqn)
{
    g_hash_table_remove(s->settled, GUINT_TO_POINTER(sqn));
}

void mlx5_strict_order_params(Mlx5TlsStrict *s, StrictContext *c,
                              const char *what)
{
    if (c->data_sq == s->sqn && pending(s, c->data_sq, c->data_serial)) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_FENCE_PARAMS,
                                  "tis 0x%x, %s on sq 0x%x", c->id, what,
                                  s->sqn);
        c->data_serial = 0;
    }
    c->params_sq = s->sqn;
    c->params_serial = s->serial;
}

void mlx5_strict_order_data(Mlx5TlsStrict *s, StrictContext *c,
                            const char *what)
{
    if (pending(s, c->params_sq, c->params_serial)) {
        mlx5_tls_strict_violation(s, MLX5_STRICT_FENCE_DATA,
                                  "tis 0x%x, %s on sq 0x%x", c->id, what,
                                  s->sqn);
        c->params_serial = 0;
    }
    c->data_sq = s->sqn;
    c->data_serial = s->serial;
}

/* ---- records sent -------------------------------------------------------- */

/*
 * A tree, since in a hash table the guest, which chooses the nonces, could
 * provoke collisions.
 */
static gint sent_order(gconstpointer a, gconstpointer b, gpointer opaque)
{
    const StrictSent *x = a, *y = b;

    (void)opaque;
    return x->serial != y->serial ? (x->serial < y->serial ? -1 : 1) :
           memcmp(x->nonce, y->nonce, sizeof(x->nonce));
}

static void sent_free(void *opaque)
{
    StrictSent *e = opaque;

    g_free(e->bytes);   /* ciphertext */
    mlx5_secret_free(e, sizeof(*e));
}

static void queue_free(void *queue)
{
    g_queue_free(queue);    /* the entries own the links */
}

/* Returns the cost of an entry, including fixed overhead. */
static size_t sent_cost(const StrictSent *e)
{
    return e->size + sizeof(*e);
}

static GQueue *sent_queue(Mlx5TlsStrict *s, const StrictSent *e)
{
    return e->bytes ? &s->sent_whole : &s->sent_tags;
}

static void sent_remove(Mlx5TlsStrict *s, StrictSent *e)
{
    GQueue *of_key = g_hash_table_lookup(s->sent_by_key, &e->serial);

    g_queue_unlink(sent_queue(s, e), &e->link);
    g_queue_unlink(of_key, &e->by_key);
    s->sent_bytes -= e->bytes ? sent_cost(e) : 0;
    if (!of_key->head) {
        uint64_t serial = e->serial;

        g_hash_table_remove(s->sent_by_key, &serial);
    }
    g_tree_remove(s->sent, e);
}

/* Drops the records of a key that is no longer used. */
static void sent_forget(Mlx5TlsStrict *s, uint64_t serial)
{
    GQueue *of_key;

    while ((of_key = g_hash_table_lookup(s->sent_by_key, &serial))) {
        sent_remove(s, of_key->head->data);
    }
}

/* Drops records beyond the limits; always keeps the most recent one. */
static void sent_trim(Mlx5TlsStrict *s)
{
    while (s->sent_bytes > MLX5_STRICT_SENT_BYTES && s->sent_whole.length > 1) {
        StrictSent *e = s->sent_whole.tail->data;

        if (e->tag_known) {
            g_queue_unlink(&s->sent_whole, &e->link);
            s->sent_bytes -= sent_cost(e);
            g_clear_pointer(&e->bytes, g_free);
            g_queue_push_head_link(&s->sent_tags, &e->link);
        } else {
            sent_remove(s, e);
        }
    }
    while (s->sent_tags.length > MLX5_STRICT_SENT_TAGS) {
        sent_remove(s, s->sent_tags.tail->data);
    }
}

unsigned mlx5_tls_strict_sent(const Mlx5TlsStrict *s)
{
    return (unsigned)g_tree_nnodes(s->sent);
}

/*
 * Returns the entry of c's open record, created if necessary, and makes it the
 * most recent.
 */
static StrictSent *sent_get(Mlx5TlsStrict *s, const StrictContext *c)
{
    const StrictRecord *r = &c->rec;
    StrictSent key = { .serial = mlx5_tls_key_serial(c->run.key) };
    StrictSent *e;
    GQueue *queue;

    memcpy(key.nonce, r->nonce, sizeof(key.nonce));
    e = g_tree_lookup(s->sent, &key);
    if (e) {
        mlx5_secret_erase(&key, sizeof(key));
        queue = sent_queue(s, e);
        g_queue_unlink(queue, &e->link);
        g_queue_push_head_link(queue, &e->link);
        return e;
    }
    e = g_memdup2(&key, sizeof(key));
    mlx5_secret_erase(&key, sizeof(key));
    memcpy(e->aad, r->aad, sizeof(e->aad));
    e->aad_len = r->aad_len;
    e->size = r->len - r->nonce_len - MLX5_TLS_TAG_LEN;
    e->bytes = g_malloc(e->size + 1);   /* not NULL for an empty record
                                         * either */
    e->link.data = e;
    e->by_key.data = e;
    s->sent_bytes += sent_cost(e);
    g_tree_insert(s->sent, e, e);
    g_queue_push_head_link(&s->sent_whole, &e->link);
    queue = g_hash_table_lookup(s->sent_by_key, &e->serial);
    if (!queue) {
        queue = g_queue_new();
        g_hash_table_insert(s->sent_by_key,
                            g_memdup2(&e->serial, sizeof(e->serial)), queue);
    }
    g_queue_push_head_link(queue, &e->by_key);
    sent_trim(s);
    return e;
}

/*
 * Returns whether the text equals the stored one where known. Stores new parts.
 */
static bool sent_text(StrictSent *e, const uint8_t *text, uint32_t pos,
                      uint32_t len)
{
    uint32_t end = pos + len;
    bool same = true;

    if (!e->bytes) {
        return true;
    }
    if (MAX(pos, e->from) < MIN(end, e->to)) {
        uint32_t from = MAX(pos, e->from);

        same = memcmp(text + (from - pos), e->bytes + from,
                      MIN(end, e->to) - from) == 0;
    } else if (pos > e->to || e->from == e->to) {
        e->from = e->to = pos;  /* nothing adjacent is stored */
    }
    if (pos <= e->to && end > e->to && end <= e->size) {
        memcpy(e->bytes + e->to, text + (e->to - pos), end - e->to);
        e->to = end;
    }
    return same;
}

void mlx5_strict_sent(Mlx5TlsStrict *s, StrictContext *c, const uint8_t *text,
                      uint32_t pos, uint32_t len)
{
    const StrictRecord *r = &c->rec;
    StrictSent *e = sent_get(s, c);
    bool same =
        e->aad_len == r->aad_len && memcmp(e->aad, r->aad, r->aad_len) == 0;

    if (!same) {
        /* a different record */
    } else if (text) {
        same = sent_text(e, text, pos, len);
    } else if (e->tag_known) {
        same = memcmp(e->tag, r->tag, sizeof(e->tag)) == 0;
    } else {
        memcpy(e->tag, r->tag, sizeof(e->tag));
        e->tag_known = true;
    }
    if (!same && !c->reuse_said) {
        c->reuse_said = true;
        mlx5_tls_strict_violation(
            s, MLX5_STRICT_TX_NONCE_REUSE,
            "tis 0x%x dek 0x%x record %" G_GUINT64_FORMAT
            " byte %u of its %u: now record %" G_GUINT64_FORMAT,
            c->id, (uint32_t)c->run.p.dek_index,
            e->aad_len == 13 ? mlx5_ld64(e->aad) : r->number, pos, e->size,
            r->number);
    }
}

/* ---- a record's layout --------------------------------------------------- */

void mlx5_strict_bytes_set(StrictBytes *b, const uint8_t *data, size_t len)
{
    g_array_set_size(b->runs, 0);
    mlx5_secret_empty_bytes(b->bytes);
    g_byte_array_set_size(b->bytes, len);
    memcpy(b->bytes->data, data, len);
}

void mlx5_strict_bytes_run(StrictBytes *b, size_t off, size_t len,
                           StrictKind kind, uint64_t number)
{
    StrictRun run = { off, len, kind, number };

    if (len) {
        g_array_append_val(b->runs, run);
    }
}

bool mlx5_strict_record_begin(StrictRecord *r, const StrictParams *p,
                              uint64_t number)
{
    bool v13 = p->p.tls_version == MLX5_TLS_VERSION_1_3;
    uint32_t len = (uint32_t)r->hdr[3] << 8 | r->hdr[4];
    uint32_t nonce_len = v13 ? 0 : 8;
    /* tag and, in TLS 1.3, inner content type */
    uint32_t least = nonce_len + MLX5_TLS_TAG_LEN + (v13 ? 1 : 0);
    uint32_t text_len = len - nonce_len - MLX5_TLS_TAG_LEN;
    bool type_ok = v13 ? r->hdr[0] == 23 : r->hdr[0] >= 20 && r->hdr[0] <= 23;

    if (!type_ok || r->hdr[1] != 3 || r->hdr[2] != 3 || len < least ||
        len > least + MLX5_TLS_MAX_PLAIN) {
        return false;
    }
    r->len = len;
    r->pos = 0;
    r->nonce_len = nonce_len;
    r->number = number;
    mlx5_st32(r->nonce, p->p.gcm_iv);
    if (v13) {
        mlx5_st64(r->nonce + 4, p->p.implicit_iv ^ number);
        memcpy(r->aad, r->hdr, MLX5_TLS_HDR_LEN);
        r->aad_len = MLX5_TLS_HDR_LEN;
    } else {
        memset(r->nonce + 4, 0, 8);
        mlx5_st64(r->aad, number);
        memcpy(r->aad + 8, r->hdr, 3);
        r->aad[11] = text_len >> 8;
        r->aad[12] = text_len;
        r->aad_len = 13;
    }
    return true;
}

StrictKind mlx5_strict_record_next(const StrictRecord *r, size_t *left)
{
    if (r->pos < r->nonce_len) {
        *left = r->nonce_len - r->pos;
        return KIND_NONCE;
    }
    if (r->pos + MLX5_TLS_TAG_LEN < r->len) {
        *left = r->len - MLX5_TLS_TAG_LEN - r->pos;
        return KIND_TEXT;
    }
    *left = r->len - r->pos;
    return KIND_TAG;
}

void mlx5_strict_record_nonce(StrictRecord *r, const uint8_t *data, size_t len)
{
    memcpy(r->nonce + 4 + r->pos, data, len);
}

void mlx5_strict_cipher_begin(Mlx5TlsStrict *s, StrictContext *c, bool encrypt)
{
    if (!c->gcm) {
        c->gcm = mlx5_gcm_whole_new(mlx5_tls_engine_gcm(s->engine));
    }
    mlx5_gcm_whole_begin(c->gcm, c->run.key, encrypt, c->rec.nonce, c->rec.aad,
                       c->rec.aad_len);
}

/* ---- the checker --------------------------------------------------------- */

Mlx5TlsStrict *mlx5_tls_strict_new(Mlx5TlsEngine *engine, bool whole,
                                   Mlx5StrictReportFn *fn, void *opaque)
{
    Mlx5TlsStrict *s = g_new0(Mlx5TlsStrict, 1);

    s->engine = engine;
    s->whole = whole;
    s->fn = fn;
    s->opaque = opaque;
    for (int i = 0; i < 2; i++) {
        s->contexts[i] = g_hash_table_new_full(NULL, NULL, NULL, context_free);
    }
    s->deks = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    s->settled = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    s->sent = g_tree_new_full(sent_order, NULL, sent_free, NULL);
    s->sent_by_key =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, queue_free);
    g_queue_init(&s->sent_whole);
    g_queue_init(&s->sent_tags);
    s->plain = g_byte_array_new();
    for (int i = 0; i < 2; i++) {
        StrictBytes *b = i ? &s->rx : &s->tx;

        b->bytes = g_byte_array_new();
        b->runs = g_array_new(FALSE, FALSE, sizeof(StrictRun));
    }
    return s;
}

void mlx5_tls_strict_free(Mlx5TlsStrict *s)
{
    if (!s) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        g_hash_table_destroy(s->contexts[i]);
    }
    g_hash_table_destroy(s->deks);
    g_hash_table_destroy(s->settled);
    while (s->sent_whole.head || s->sent_tags.head) {
        sent_remove(s, (s->sent_whole.head ?: s->sent_tags.head)->data);
    }
    g_tree_destroy(s->sent);
    g_hash_table_destroy(s->sent_by_key);
    mlx5_secret_empty_bytes(s->plain);
    g_byte_array_unref(s->plain);
    g_byte_array_unref(s->tx.bytes);
    g_array_unref(s->tx.runs);
    mlx5_secret_empty_bytes(s->rx.bytes);
    g_byte_array_unref(s->rx.bytes);
    g_array_unref(s->rx.runs);
    g_free(s);
}
