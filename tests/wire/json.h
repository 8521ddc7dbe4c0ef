/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much JSON as the control socket and the log need: strings out, one flat
 * object in. Owns no state. Called by core.c, control.c and the tests.
 */
#ifndef TESTS_WIRE_JSON_H
#define TESTS_WIRE_JSON_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Append a string with its quotes. Bytes that are no UTF-8 become U+FFFD. */
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
 * Read an object whose values are of the types above. Returns {char * ->
 * WireJson *}, to be freed with g_hash_table_destroy(), or NULL and *err, one
 * sentence.
 */
GHashTable *wire_json_read(const char *text, char **err);

#endif
