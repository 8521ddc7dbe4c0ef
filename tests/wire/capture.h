/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture: every frame as it came to the wire, in a file that tcpdump reads.
 *
 * Responsible for the file, in the classic pcap format. Owns a WireCapture, of
 * which there is one in each WireCore. Called by core.c and control.c. Rules
 * change nothing of it: a frame that one of them drops is in the file.
 */
#ifndef TESTS_WIRE_CAPTURE_H
#define TESTS_WIRE_CAPTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct WireCapture {
    FILE *file;             /* NULL: none is under way */
    char *path;
    uint64_t frames;
    uint64_t bytes;         /* of them, without the file's own headers */
    int error;              /* errno of the first write that failed, or 0 */
} WireCapture;

/*
 * Begin to write into `path`, which must not exist: nothing is overwritten.
 * False and *err, a sentence to free, when one is under way already or the file
 * cannot be made.
 */
bool wire_capture_begin(WireCapture *c, const char *path, char **err);

/* A frame has come, at `now` microseconds. Nothing happens without a file. */
void wire_capture_frame(WireCapture *c, const uint8_t *frame, size_t len,
                        int64_t now);

/*
 * End it; `frames` and `bytes` stay until the next begins. False and *err when
 * none is under way, or when the file does not have all of them.
 */
bool wire_capture_end(WireCapture *c, char **err);

#endif
