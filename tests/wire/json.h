/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The subset of JSON needed for the control socket and the log: writing
 * strings, reading one flat object. Owns no state. Called by core.c, control.c
 * and the tests.
 */
#ifndef TESTS_WIRE_JSON_H
#define TESTS_WIRE_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Appends a string with quotes. Invalid UTF-8 becomes U+FFFD. */
void wire_json_string(GString *out, const char *text);

typedef enum WireJsonType {
    WIRE_JSON_NULL,
    WIRE_JSON_BOOL,
    WIRE_JSON_NUMBER,       /* whole numbers of 64 bits only */
    WIRE_JSON_STRING,
    WIRE_JSON_STRINGS,      /* an array of strings */
} WireJsonType;

typedef struct WireJson {
    WireJsonType type;
    bool truth;
    int64_t number;
    char *string;
    GPtrArray *strings;
} WireJson;

/*
 * Reads an object with values of the types above. Returns {char * -> WireJson
 * *}, to be freed with g_hash_table_destroy(), or NULL and sets *err to a
 * sentence.
 */
GHashTable *wire_json_read(const char *text, char **err);

#endif
