/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Data encryption keys: the general object ENCRYPTION_KEY and SYNC_CRYPTO
 * (driver: core/lib/crypto.c). Owns Mlx5Dek.
 *
 * An object is one key or a range of 2^log_obj_range, created empty and loaded
 * key by key with MODIFY. As on silicon, a used key stays in a cache: reloading
 * a slot takes effect only after SYNC_CRYPTO. A driver that omits this keeps
 * encrypting with the old key, which is traced.
 */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "dek.h"
#include "err.h"
#include "memory.h"
#include "object.h"
#include "sq.h"
#include "tap.h"
#include "tls.h"

#define OBJ_OFFSET 0x10
#define OBJ_TYPE_ENCRYPTION_KEY 0xc
/* encryption_key_obj.key, relative to the object */
#define KEY_OFFSET 0x40
#define KEY_FIELD_LEN 32
/* modify_field_select bit */
#define MODIFY_KEY 1
/* key_size, key_purpose */
enum { KEY_SIZE_128 = 0, KEY_SIZE_256 = 1 };
#define KEY_PURPOSE_TLS 1
/* sync_crypto_in.crypto_type: all, and 1 << key_purpose */
#define SYNC_ALL 0x1
#define SYNC_TLS (1 << KEY_PURPOSE_TLS)

/*
 * Maximum number of keys dropped per run of the bottom half after SYNC_CRYPTO.
 */
#define DEK_BUDGET 256

struct Mlx5DekSlot {
    Mlx5TlsKey *key;    /* as last loaded */
    Mlx5TlsKey *cached; /* in use since SYNC_CRYPTO number sync; may be stale */
    uint64_t sync;
    /* in fn->dek.replaced if cached is not key */
    QTAILQ_ENTRY(Mlx5DekSlot) next;
};

typedef struct Mlx5Dek {
    Mlx5Object obj;
    Mlx5Pd *pd;
    uint8_t key_size;
    uint8_t key_purpose;
    Mlx5DekSlot *slots; /* obj.span of them */
} Mlx5Dek;

static void slot_drop(Mlx5Function *fn, Mlx5DekSlot *slot)
{
    if (slot->cached != slot->key) {
        QTAILQ_REMOVE(&fn->dek.replaced, slot, next);
    }
    g_clear_pointer(&slot->cached, mlx5_tls_key_unref);
}

/* The cache is flushed lazily, when a slot is next accessed. */
static void slot_tidy(Mlx5Function *fn, Mlx5DekSlot *slot)
{
    if (slot->cached && slot->sync != fn->dek.syncs) {
        slot_drop(fn, slot);
    }
}

/*
 * After SYNC_CRYPTO a replaced key is referenced only by the cache, and is
 * dropped here. The list is sorted by sync.
 */
static void dek_bh(void *opaque)
{
    Mlx5Function *fn = opaque;
    unsigned budget = DEK_BUDGET;
    Mlx5DekSlot *slot;

    while ((slot = QTAILQ_FIRST(&fn->dek.replaced)) &&
           slot->sync != fn->dek.syncs) {
        if (!budget--) {
            mlx5_wake(fn, MLX5_WAKE_KEYS);
            return;
        }
        slot_drop(fn, slot);
    }
}

void mlx5_dek_init(Mlx5Function *fn)
{
    QTAILQ_INIT(&fn->dek.replaced);
    mlx5_wake_add(fn, MLX5_WAKE_KEYS, dek_bh, fn);
}

/* All keys have been destroyed by now. */
void mlx5_dek_finalize(Mlx5Function *fn)
{
    mlx5_wake_remove(fn, MLX5_WAKE_KEYS);
}

/*
 * Reads the key of an object in a command. A 128-bit key is in the second half
 * of the field, a 256-bit key fills it.
 */
static Mlx5TlsKey *read_key(const uint8_t *o)
{
    bool big = MLX5_GET(encryption_key_obj, o, key_size) == KEY_SIZE_256;

    return big ? mlx5_tls_key_new(o + KEY_OFFSET, KEY_FIELD_LEN) :
                 mlx5_tls_key_new(o + KEY_OFFSET + KEY_FIELD_LEN / 2,
                                  KEY_FIELD_LEN / 2);
}

/*
 * Returns the memory use of a range: at most two keys per slot, and the records
 * of the strict=on checker, which may be switched on later.
 */
static size_t slots_memory(uint32_t span)
{
    return mlx5_memory_of((size_t)span * sizeof(Mlx5DekSlot)) +
           (size_t)span * (2 * mlx5_memory_of(mlx5_tls_key_size()) +
                           MLX5_MEMORY_ENTRY + mlx5_memory_of(16));
}

static Mlx5Syndrome check_object(const Mlx5Cmd *cmd, const uint8_t *o)
{
    if (MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_type) !=
        OBJ_TYPE_ENCRYPTION_KEY) {
        return MLX5_SYN_OBJ_BAD_TYPE;
    }
    if (!MLX5_CAP_GEN(cmd->fn, tls_tx) && !MLX5_CAP_GEN(cmd->fn, tls_rx)) {
        return MLX5_SYN_DEK_NO_CAP;
    }
    if (!o) {
        return MLX5_OK;
    }
    if (cmd->in_len < OBJ_OFFSET + KEY_OFFSET + KEY_FIELD_LEN) {
        return MLX5_SYN_INPUT_TOO_SHORT;
    }
    if (MLX5_GET(encryption_key_obj, o, sw_wrapped)) {
        return MLX5_SYN_DEK_WRAPPED;
    }
    if (MLX5_GET(encryption_key_obj, o, key_size) > KEY_SIZE_256) {
        return MLX5_SYN_DEK_BAD_SIZE;
    }
    return MLX5_OK;
}

/*
 * Contexts hold their own reference to a key: drivers recycle TISes, which keep
 * a stale dek_index until their next static params.
 */
void mlx5_dek_destroy(void *obj)
{
    Mlx5Dek *dek = obj;
    uint32_t i;

    for (i = 0; i < dek->obj.span; i++) {
        mlx5_tap_dek_gone(dek->obj.fn, dek->obj.id + i);
        if (dek->slots[i].cached) {
            slot_drop(dek->obj.fn, &dek->slots[i]);
        }
        mlx5_tls_key_unref(dek->slots[i].key);
    }
    g_free(dek->slots);
    mlx5_object_unref(dek->pd);
}

Mlx5Syndrome mlx5_cmd_create_general_object(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    const uint8_t *o = cmd->in + OBJ_OFFSET;
    uint32_t log_range = MLX5_GET(general_obj_in_cmd_hdr, cmd->in,
                                  log_obj_range);
    Mlx5Syndrome syn = check_object(cmd, o);
    Mlx5Dek *dek;
    Mlx5Pd *pd;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET(encryption_key_obj, o, key_purpose) != KEY_PURPOSE_TLS) {
        return MLX5_SYN_DEK_BAD_PURPOSE;
    }
    if (log_range > mlx5_cap_log_dek_range(fn)) {
        return MLX5_SYN_DEK_RANGE;
    }
    syn = mlx5_object_find(fn, MLX5_OBJ_PD, MLX5_GET(encryption_key_obj, o, pd),
                           cmd->uid, &pd);
    if (syn != MLX5_OK) {
        return syn;
    }
    syn = mlx5_object_create_range(fn, MLX5_OBJ_DEK, sizeof(*dek),
                                   slots_memory(1u << log_range), cmd->uid,
                                   1u << log_range, &dek);
    if (syn != MLX5_OK) {
        return syn;
    }
    dek->pd = pd;
    mlx5_object_ref(pd);
    dek->key_size = MLX5_GET(encryption_key_obj, o, key_size);
    dek->key_purpose = KEY_PURPOSE_TLS;
    dek->slots = g_new0(Mlx5DekSlot, dek->obj.span);
    if (!log_range) {
        dek->slots[0].key = read_key(o);
        mlx5_tap_dek_load(fn, dek->obj.id, dek->slots[0].key);
    }
    MLX5_SET(general_obj_out_cmd_hdr, cmd->out, obj_id, dek->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_modify_general_object(Mlx5Cmd *cmd)
{
    const uint8_t *o = cmd->in + OBJ_OFFSET;
    uint32_t offset = MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_offset);
    Mlx5Syndrome syn = check_object(cmd, o);
    Mlx5DekSlot *slot;
    Mlx5Dek *dek;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (MLX5_GET64(encryption_key_obj, o, modify_field_select) != MODIFY_KEY) {
        return MLX5_SYN_DEK_MODIFY_FIELD;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_DEK,
                           MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_id),
                           cmd->uid, &dek);
    if (syn != MLX5_OK) {
        return syn;
    }
    if (offset >= dek->obj.span) {
        return MLX5_SYN_DEK_BAD_OFFSET;
    }
    slot = &dek->slots[offset];
    slot_tidy(cmd->fn, slot);
    if (slot->cached && slot->cached == slot->key) {
        QTAILQ_INSERT_TAIL(&cmd->fn->dek.replaced, slot, next);
    }
    mlx5_tls_key_unref(slot->key);
    slot->key = read_key(o);
    mlx5_tap_dek_load(cmd->fn, dek->obj.id + offset, slot->key);
    return MLX5_OK;
}

/* The key itself is never returned, as on silicon. */
Mlx5Syndrome mlx5_cmd_query_general_object(Mlx5Cmd *cmd)
{
    uint8_t *o = cmd->out + OBJ_OFFSET;
    Mlx5Syndrome syn = check_object(cmd, NULL);
    Mlx5Dek *dek;

    if (syn != MLX5_OK) {
        return syn;
    }
    if (cmd->out_len < OBJ_OFFSET + KEY_OFFSET) {
        return MLX5_SYN_OUTPUT_TOO_SHORT;
    }
    syn = mlx5_object_find(cmd->fn, MLX5_OBJ_DEK,
                           MLX5_GET(general_obj_in_cmd_hdr, cmd->in, obj_id),
                           cmd->uid, &dek);
    if (syn != MLX5_OK) {
        return syn;
    }
    MLX5_SET(encryption_key_obj, o, key_size, dek->key_size);
    MLX5_SET(encryption_key_obj, o, key_purpose, dek->key_purpose);
    MLX5_SET(encryption_key_obj, o, pd, dek->pd->obj.id);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_cmd_destroy_general_object(Mlx5Cmd *cmd)
{
    Mlx5Syndrome syn = check_object(cmd, NULL);

    if (syn != MLX5_OK) {
        return syn;
    }
    return mlx5_object_destroy(cmd->fn, MLX5_OBJ_DEK,
                               MLX5_GET(general_obj_in_cmd_hdr, cmd->in,
                                        obj_id), cmd->uid);
}

Mlx5TlsKey *mlx5_dek_use(const Mlx5Sq *sq, uint32_t dek_index,
                         const Mlx5Pd *pd)
{
    Mlx5Function *fn = sq->obj.fn;
    Mlx5Dek *dek = mlx5_object_get(fn, MLX5_OBJ_DEK, dek_index);
    Mlx5DekSlot *slot;

    if (!dek || (pd && dek->pd != pd)) {
        mlx5_err_dek(fn, dek_index, dek ? "of another PD" : "does not exist");
        return NULL;
    }
    if (!mlx5_object_usable(&dek->obj, &sq->obj)) {
        mlx5_err_dek(fn, dek_index, "of another owner");
        return NULL;
    }
    slot = &dek->slots[dek_index - dek->obj.id];
    if (!slot->key) {
        mlx5_err_dek(fn, dek_index, "has no key yet");
        return NULL;
    }
    slot_tidy(fn, slot);
    if (!slot->cached) {
        slot->cached = mlx5_tls_key_ref(slot->key);
        slot->sync = fn->dek.syncs;
    } else if (slot->cached != slot->key) {
        fn->dek.counters.stale++;
        mlx5_err_dek(fn, dek_index, "was loaded anew without SYNC_CRYPTO: "
                     "the old key is used");
    }
    return slot->cached;
}

/* Invalidates everything cached so far: see slot_tidy(). */
Mlx5Syndrome mlx5_cmd_sync_crypto(Mlx5Cmd *cmd)
{
    Mlx5Function *fn = cmd->fn;
    uint32_t type = MLX5_GET(sync_crypto_in, cmd->in, crypto_type);

    if (!MLX5_CAP_GEN(fn, crypto)) {
        return MLX5_SYN_DEK_NO_CAP;
    }
    if (!type || type & ~(SYNC_ALL | SYNC_TLS)) {
        return MLX5_SYN_SYNC_CRYPTO_TYPE;
    }
    fn->dek.syncs++;
    mlx5_wake(fn, MLX5_WAKE_KEYS);
    fn->dek.counters.sync_crypto++;
    mlx5_tap_dek_sync(fn);
    return MLX5_OK;
}
