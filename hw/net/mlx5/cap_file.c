/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities by name; see cap_file.h. */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "cap_file.h"
#include "caps.h"

/* ---------------------------------------------------------------- names --- */

MLX5_PRM_FIELD_TABLE(general, cmd_hca_cap);
MLX5_PRM_FIELD_TABLE(ethernet, per_protocol_networking_offload_caps);
MLX5_PRM_FIELD_TABLE(nic_receive, flow_table_prop_layout);
MLX5_PRM_FIELD_TABLE(ft_fields, flow_table_fields_supported);
MLX5_PRM_FIELD_TABLE(tls, tls_cap);
MLX5_PRM_FIELD_TABLE(crypto, crypto_cap);

#define NIC_RECEIVE "flow_table_nic_cap.flow_table_properties_nic_receive"

/* Where in which page the fields of a structure are. */
static const struct {
    const char *name;
    uint16_t type;
    uint16_t bit;
    uint16_t n;
    const Mlx5PrmField *fields;
} structs[] = {
#define ROW(name, type, bit, fields) \
    { name, MLX5_CAP_##type, bit, ARRAY_SIZE(fields), fields }
    ROW("cmd_hca_cap", GENERAL, 0, general),
    ROW("per_protocol_networking_offload_caps", ETHERNET, 0, ethernet),
    ROW(NIC_RECEIVE, FLOW_TABLE, 0x200, nic_receive),
    ROW(NIC_RECEIVE ".ft_field_support", FLOW_TABLE, 0x300, ft_fields),
    ROW(NIC_RECEIVE ".ft_field_bitmask_support", FLOW_TABLE, 0x380, ft_fields),
    ROW("tls_cap", TLS, 0, tls),
    ROW("crypto_cap", CRYPTO, 0, crypto),
#undef ROW
};

typedef struct CapField {
    uint16_t type;
    uint16_t bit;
    uint16_t width;
} CapField;

static CapField field_at(unsigned st, unsigned i)
{
    return (CapField) {
        .type = structs[st].type,
        .bit = structs[st].bit + structs[st].fields[i].bit,
        .width = structs[st].fields[i].width,
    };
}

static bool find_field(const char *name, CapField *field)
{
    const char *dot = strrchr(name, '.');
    unsigned st, i;

    for (st = 0; dot && st < ARRAY_SIZE(structs); st++) {
        if (strlen(structs[st].name) != dot - name ||
            strncmp(structs[st].name, name, dot - name)) {
            continue;
        }
        for (i = 0; i < structs[st].n; i++) {
            if (!strcmp(structs[st].fields[i].name, dot + 1)) {
                *field = field_at(st, i);
                return true;
            }
        }
    }
    return false;
}

/* ------------------------------------------------- what can be honoured --- */

/*
 * A capability can be lowered, and a flag taken away: the rule for all that are
 * not in this table. HAS is what profile and properties announce.
 */
#define HAS UINT64_MAX

typedef enum CapKind {
    CAP_RANGE,     /* lowest to highest */
    CAP_ONLY,      /* nothing but HAS: the device works only that way */
    CAP_ONLY_OR_0, /* or not to tell */
    CAP_BITS,      /* some bits of HAS */
} CapKind;

typedef struct CapRule {
    uint16_t type;
    uint16_t bit;
    CapKind kind;
    uint64_t lowest;
    uint64_t highest;
} CapRule;

#define AT(type_, st, field) \
    .type = MLX5_CAP_##type_, .bit = MLX5_BIT_##st##_##field
#define GEN(field) AT(GENERAL, cmd_hca_cap, field)
static const CapRule rules[] = {
    { GEN(vhca_id), CAP_RANGE, 0, 0xffff }, /* a name */
    { GEN(port_type), CAP_ONLY },
    { GEN(num_ports), CAP_ONLY },
    { GEN(cqe_version), CAP_ONLY },
    { GEN(log_pg_sz), CAP_ONLY },
    { GEN(log_bf_reg_size), CAP_ONLY },
    { GEN(uar_sz), CAP_ONLY },
    { GEN(device_frequency_khz), CAP_ONLY_OR_0 },
    { GEN(general_obj_types), CAP_BITS },
    /* sizes of queue entries are in the layouts that the device reads */
    { GEN(log_min_stride_sz_sq), CAP_ONLY },
    { GEN(log_max_stride_sz_sq), CAP_ONLY },
    { GEN(log_min_stride_sz_rq), CAP_ONLY },
    { GEN(log_max_stride_sz_rq), CAP_ONLY },
    /* as the properties: 2^20 objects of a kind */
    { GEN(log_max_tis), CAP_RANGE, 0, 20 },
    { GEN(log_max_tir), CAP_RANGE, 0, 20 },
    { GEN(log_max_dek), CAP_RANGE, 0, 20 },
    { AT(CRYPTO, crypto_cap, log_max_num_deks), CAP_RANGE, 0, 20 },
    { AT(CRYPTO, crypto_cap, log_dek_max_alloc), CAP_RANGE, 0, 20 },
    /* 0: headers of layer 2 inline, 1: as the vport says, 2: none */
    { AT(ETHERNET, per_protocol_networking_offload_caps, wqe_inline_mode),
      CAP_RANGE, 0, 2 },
};
#undef GEN
#undef AT

static CapRule rule_of(const CapField *field)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].type == field->type && rules[i].bit == field->bit) {
            return rules[i];
        }
    }
    return (CapRule) { .kind = CAP_RANGE, .highest = HAS };
}

/*
 * Returns NULL if the device, which has @has, can honour @val; or what it can
 * do, to be freed.
 */
static char *cannot(const CapField *field, uint64_t val, uint64_t has)
{
    CapRule rule = rule_of(field);
    uint64_t highest = rule.highest == HAS ? has : rule.highest;

    switch (rule.kind) {
    case CAP_RANGE:
        return val > highest ? g_strdup_printf("at most %" PRIu64, highest) :
               val < rule.lowest ?
               g_strdup_printf("at least %" PRIu64, rule.lowest) : NULL;
    case CAP_ONLY:
        return val == has ? NULL : g_strdup_printf("only %" PRIu64, has);
    case CAP_ONLY_OR_0:
        return !val || val == has ? NULL :
               g_strdup_printf("only 0 or %" PRIu64, has);
    case CAP_BITS:
        return !(val & ~has) ? NULL :
               g_strdup_printf("only bits of 0x%" PRIx64, has);
    }
    g_assert_not_reached();
}

/* ------------------------------------------------------------- the file --- */

/* One line: nothing, a comment, or NAME = VALUE. */
static bool take_line(Mlx5Function *fn, char *line, GHashTable *seen,
                      Error **errp)
{
    g_autofree char *can = NULL;
    uint8_t *page;
    const char *name;
    char *eq, *value;
    CapField field;
    uint64_t val, has;

    line[strcspn(line, "#")] = 0;
    g_strstrip(line);
    if (!*line) {
        return true;
    }
    eq = strchr(line, '=');
    if (!eq) {
        error_setg(errp, "'%s': expected NAME = VALUE", line);
        return false;
    }
    *eq = 0;
    name = g_strchomp(line);
    value = g_strchug(eq + 1);
    if (!find_field(name, &field)) {
        error_setg(errp, "'%s' is no capability that this device knows; its "
                   "QOM property 'capabilities' lists them", name);
        return false;
    }
    if (qemu_strtou64(value, NULL, 0, &val) < 0 || *value == '-') {
        error_setg(errp, "%s = '%s': expected a number", name, value);
        return false;
    }
    if (!g_hash_table_add(seen, g_strdup(name))) {
        error_setg(errp, "%s is set a second time", name);
        return false;
    }
    page = mlx5_cap_max(fn, field.type);
    has = page ? mlx5_prm_get(page, field.bit, field.width) : 0;
    can = page ? cannot(&field, val, has) : val ? g_strdup("at most 0") : NULL;
    if (can) {
        error_setg(errp, "cannot honour %s = %s, %s", name, value, can);
        return false;
    }
    if (page) {
        mlx5_prm_set(page, field.bit, field.width, val);
    }
    return true;
}

bool mlx5_cap_file_load(Mlx5Function *fn, Error **errp)
{
    const char *path = fn->dev->caps_file;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal,
                                                       g_free, NULL);
    g_autoptr(GError) err = NULL;
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i;

    if (!path || !*path) {
        return true;
    }
    if (!g_file_get_contents(path, &text, NULL, &err)) {
        error_setg(errp, "caps=%s: %s", path, err->message);
        return false;
    }
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i]; i++) {
        if (!take_line(fn, lines[i], seen, errp)) {
            error_prepend(errp, "caps=%s: line %u: ", path, i + 1);
            return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------- all of them --- */

static void get_capabilities(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    Mlx5Function *fn = &MLX5_KTLS(obj)->fn;
    unsigned st, i;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    for (st = 0; st < ARRAY_SIZE(structs); st++) {
        const uint8_t *page = mlx5_cap_max(fn, structs[st].type);

        for (i = 0; i < structs[st].n; i++) {
            CapField f = field_at(st, i);
            uint64_t val = page ? mlx5_prm_get(page, f.bit, f.width) : 0;
            g_autofree char *full = g_strdup_printf("%s.%s", structs[st].name,
                structs[st].fields[i].name);

            if (!visit_type_uint64(v, full, &val, errp)) {
                goto out;
            }
        }
    }
    visit_check_struct(v, errp);
out:
    visit_end_struct(v, NULL);
}

void mlx5_cap_file_class_init(ObjectClass *klass)
{
    object_class_property_add(klass, "capabilities", "mlx5-capabilities",
                              get_capabilities, NULL, NULL, NULL);
    object_class_property_set_description(klass, "capabilities",
        "what the device announces, by name, as in the file of 'caps'");
}
