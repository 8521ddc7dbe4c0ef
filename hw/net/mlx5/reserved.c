/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reserved bits with random content; see reserved.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "cq.h"
#include "eq.h"
#include "mlx5.h"
#include "reserved.h"

#define OP_QUERY_HCA_CAP 0x100
#define OP_ACCESS_REG 0x805
/* Capability pages and registers in the outputs of these. */
#define DATA_BIT (0x10 * 8)

/* The next random number (splitmix64): the same seed, the same sequence. */
static uint32_t next(Mlx5State *s)
{
    uint64_t z = s->reserved.state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (z ^ z >> 31) >> 32;
}

/* Fills @width bits from @bit on, as far as @p has them. */
static void fill(Mlx5State *s, uint8_t *p, size_t size, uint32_t bit,
                 uint32_t width)
{
    uint32_t end = MIN(bit + width, size / 4 * 32);

    while (bit < end) {
        unsigned n = MIN(32 - bit % 32, end - bit);

        mlx5_prm_set(p, bit, n, next(s));
        bit += n;
    }
}

/*
 * Fills what @rows have of @of. A row without bits says that there are none.
 * Returns false if @rows know nothing of it.
 */
static bool fill_rows(Mlx5State *s, uint8_t *p, size_t size, uint16_t of,
                      const Mlx5Reserved *rows, size_t n, bool *none)
{
    bool known = false;
    size_t i;

    *none = false;
    for (i = 0; i < n; i++) {
        if (rows[i].of == of) {
            fill(s, p, size, rows[i].bit, rows[i].width);
            known = true;
            *none |= !rows[i].width;
        }
    }
    return known;
}

void mlx5_reserved_fill_cmd(Mlx5State *s, uint16_t opcode, uint16_t detail,
                            bool ok, uint8_t *out, uint32_t out_len)
{
    uint8_t *data = out + DATA_BIT / 8;
    bool none;

    if (!s->reserved.on) {
        return;
    }
    if (!ok) {
        /* only status and syndrome mean something */
        fill(s, out, out_len, 8, 24);
        fill(s, out, out_len, 64, out_len * 8 - MIN(64, out_len * 8));
        return;
    }
    /* most commands answer with a status, a syndrome and 64 reserved bits */
    if (!fill_rows(s, out, out_len, opcode, mlx5_reserved_commands,
                   mlx5_nreserved_commands, &none)) {
        fill(s, out, out_len, 64, 64);
    }
    if (!none) {
        fill(s, out, out_len, 8, 24);
    }
    if (opcode == OP_QUERY_HCA_CAP && out_len > DATA_BIT / 8) {
        fill_rows(s, data, out_len - DATA_BIT / 8, detail, mlx5_reserved_caps,
                  mlx5_nreserved_caps, &none);
        s->reserved.caps_shown = true;
    }
    if (opcode == OP_ACCESS_REG && out_len > DATA_BIT / 8) {
        fill_rows(s, data, out_len - DATA_BIT / 8, detail,
                  mlx5_reserved_registers, mlx5_nreserved_registers, &none);
    }
}

void mlx5_reserved_clear_caps(const Mlx5State *s, uint8_t *page)
{
    size_t i;

    if (!s->reserved.caps_shown) {
        return;
    }
    for (i = 0; i < mlx5_nreserved_caps; i++) {
        const Mlx5Reserved *r = &mlx5_reserved_caps[i];
        uint32_t bit;

        for (bit = r->bit; r->of == 0 && bit < r->bit + r->width; bit++) {
            mlx5_prm_set(page, bit, 1, 0);
        }
    }
}

/* Bytes [from, to) of an entry. */
static void fill_bytes(Mlx5State *s, uint8_t *p, unsigned from, unsigned to)
{
    fill(s, p, 64, from * 8, (to - from) * 8);
}

void mlx5_reserved_fill_cqe(Mlx5State *s, uint8_t *cqe)
{
    if (!s->reserved.on) {
        return;
    }
    fill_bytes(s, cqe, 1, 2);
    fill_bytes(s, cqe, 40, 44);
    switch (MLX5_GET(cqe, cqe, opcode)) {
    case MLX5_CQE_REQ:
        /* what only a receiver is told */
        fill_bytes(s, cqe, 4, 24);
        break;
    case MLX5_CQE_REQ_ERR:
    case MLX5_CQE_RESP_ERR:
        fill_bytes(s, cqe, 4, 24);
        fill_bytes(s, cqe, 36, 40);
        break;
    default:
        fill_bytes(s, cqe, 18, 20);
        break;
    }
}

void mlx5_reserved_fill_eqe(Mlx5State *s, uint8_t *eqe)
{
    if (!s->reserved.on) {
        return;
    }
    fill_bytes(s, eqe, 0, 1);
    fill_bytes(s, eqe, 2, 3);
    fill_bytes(s, eqe, 4, 32);
    fill_bytes(s, eqe, 60, 62);
    switch (MLX5_GET(eqe, eqe, event_type)) {
    case MLX5_EVENT_COMP:
        fill_bytes(s, eqe, 32, 57); /* up to the CQ's number */
        break;
    case MLX5_EVENT_CMD:
        fill_bytes(s, eqe, 36, 60); /* behind the vector */
        break;
    default:
        break;
    }
}

/* ------------------------------------------------------------- property --- */

static void get_fill(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    const Mlx5State *s = MLX5_KTLS(obj);
    g_autofree char *text = s->reserved.on ?
        g_strdup_printf("random:%" PRIu64, s->reserved.seed) : g_strdup("zero");

    visit_type_str(v, name, &text, errp);
}

static void set_fill(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    Mlx5State *s = MLX5_KTLS(obj);
    g_autofree char *text = NULL;
    const char *number;
    uint64_t seed;

    if (!visit_type_str(v, name, &text, errp)) {
        return;
    }
    if (!strcmp(text, "zero")) {
        s->reserved.on = false;
        return;
    }
    if (!strcmp(text, "random")) {
        seed = g_random_int();
    } else if (!strstart(text, "random:", &number) || *number == '-' ||
               qemu_strtou64(number, NULL, 0, &seed) < 0) {
        error_setg(errp, "fill-reserved=%s: expected zero, random or "
                   "random:SEED", text);
        return;
    }
    s->reserved.on = true;
    s->reserved.seed = seed;
    s->reserved.state = seed;
    /* not to the monitor, where it would look like a refusal */
    fprintf(stderr, "mlx5-ktls %s: fill-reserved=random:%" PRIu64 "\n",
            mlx5_id(&s->fn), seed);
}

void mlx5_reserved_class_init(ObjectClass *klass)
{
    object_class_property_add(klass, "fill-reserved", "str", get_fill, set_fill,
                              NULL, NULL);
    object_class_property_set_description(klass, "fill-reserved",
        "reserved bits of what the device writes: zero, random, random:SEED");
}
