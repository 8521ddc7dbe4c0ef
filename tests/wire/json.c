/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON: see json.h.
 */
#include "json.h"

#include <errno.h>
#include <string.h>

void wire_json_string(GString *out, const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    const char *p;

    g_string_append_c(out, '"');
    for (p = valid; *p; p++) {
        if (*p == '"' || *p == '\\') {
            g_string_append_printf(out, "\\%c", *p);
        } else if ((unsigned char)*p < 0x20) {
            g_string_append_printf(out, "\\u%04x", (unsigned char)*p);
        } else {
            g_string_append_c(out, *p);
        }
    }
    g_string_append_c(out, '"');
    g_free(valid);
}

/* The remaining text, and the first error. */
typedef struct Reader {
    const char *p;
    const char *start;
    char *err;
} Reader;

static bool fail(Reader *r, const char *expected)
{
    if (!r->err) {
        r->err = g_strdup_printf("byte %d: expected %s", (int)(r->p - r->start),
                                 expected);
    }
    return false;
}

static void skip_blanks(Reader *r)
{
    while (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r') {
        r->p++;
    }
}

static bool take(Reader *r, char c)
{
    skip_blanks(r);
    if (*r->p != c) {
        return false;
    }
    r->p++;
    return true;
}

/* XXXX of a \u escape. */
static bool read_hex(Reader *r, gunichar *code)
{
    unsigned i;

    *code = 0;
    for (i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value(*r->p);

        if (digit < 0) {
            return fail(r, "four hexadecimal digits");
        }
        *code = *code << 4 | (gunichar)digit;
        r->p++;
    }
    return true;
}

static bool read_escape(Reader *r, GString *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known = *r->p ? strchr(from, *r->p) : NULL;
    gunichar high, low;

    if (known) {
        g_string_append_c(out, to[known - from]);
        r->p++;
        return true;
    }
    if (*r->p != 'u') {
        return fail(r, "an escape sequence of JSON");
    }
    r->p++;
    if (!read_hex(r, &high)) {
        return false;
    }
    if (high >= 0xd800 && high < 0xdc00) {
        if (r->p[0] != '\\' || r->p[1] != 'u') {
            return fail(r, "the second half of a surrogate pair");
        }
        r->p += 2;
        if (!read_hex(r, &low)) {
            return false;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return fail(r, "the second half of a surrogate pair");
        }
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!high || !g_unichar_validate(high)) {
        return fail(r, "a valid character");
    }
    g_string_append_unichar(out, high);
    return true;
}

static char *read_string(Reader *r)
{
    GString *out;

    if (!take(r, '"')) {
        fail(r, "a string");
        return NULL;
    }
    out = g_string_new(NULL);
    while (*r->p != '"') {
        if ((unsigned char)*r->p < 0x20) {
            fail(r, "the end of the string");
        } else if (*r->p == '\\') {
            r->p++;
            read_escape(r, out);
        } else {
            g_string_append_c(out, *r->p++);
        }
        if (r->err) {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    r->p++;
    return g_string_free(out, FALSE);
}

static bool read_strings(Reader *r, WireJson *value)
{
    value->strings = g_ptr_array_new_with_free_func(g_free);
    if (take(r, ']')) {
        return true;
    }
    do {
        char *string = read_string(r);

        if (!string) {
            return false;
        }
        g_ptr_array_add(value->strings, string);
    } while (take(r, ','));
    return take(r, ']') || fail(r, "',' or ']'");
}

static bool read_word(Reader *r, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(r->p, word, len)) {
        return false;
    }
    r->p += len;
    return true;
}

static bool read_value(Reader *r, WireJson *value)
{
    char *end;

    skip_blanks(r);
    if (*r->p == '"') {
        value->type = WIRE_JSON_STRING;
        value->string = read_string(r);
        return value->string;
    }
    if (take(r, '[')) {
        value->type = WIRE_JSON_STRINGS;
        return read_strings(r, value);
    }
    if (read_word(r, "null")) {
        return true;
    }
    if (*r->p == '-' || g_ascii_isdigit(*r->p)) {
        value->type = WIRE_JSON_NUMBER;
        errno = 0;
        value->number = g_ascii_strtoll(r->p, &end, 10);
        if (errno || end == r->p || *end == '.' || *end == 'e' || *end == 'E') {
            return fail(r, "a whole number of 64 bits");
        }
        r->p = end;
        return true;
    }
    value->type = WIRE_JSON_BOOL;
    value->truth = read_word(r, "true");
    return value->truth || read_word(r, "false") ||
           fail(
               r,
               "a string, a whole number, true, false, null or an array of "
               "strings");
}

static void free_value(gpointer p)
{
    WireJson *value = p;

    g_free(value->string);
    if (value->strings) {
        g_ptr_array_free(value->strings, TRUE);
    }
    g_free(value);
}

static void read_object(Reader *r, GHashTable *object)
{
    if (!take(r, '{')) {
        fail(r, "'{'");
        return;
    }
    if (take(r, '}')) {
        return;
    }
    do {
        WireJson *value = g_new0(WireJson, 1);
        char *key = read_string(r);

        if (!key || !(take(r, ':') || fail(r, "':'")) ||
            !read_value(r, value)) {
            g_free(key);
            free_value(value);
            return;
        }
        g_hash_table_replace(object, key, value);
    } while (take(r, ','));
    if (!take(r, '}')) {
        fail(r, "',' or '}'");
    }
}

GHashTable *wire_json_read(const char *text, char **err)
{
    Reader r = { .p = text, .start = text };
    GHashTable *object = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                               free_value);

    read_object(&r, object);
    skip_blanks(&r);
    if (!r.err && *r.p) {
        fail(&r, "the end of the line");
    }
    if (r.err) {
        g_hash_table_destroy(object);
        *err = r.err;
        return NULL;
    }
    return object;
}
