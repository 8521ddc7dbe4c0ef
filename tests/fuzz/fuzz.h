/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interface of fuzz targets: libFuzzer's entry point, and seed inputs. A target
 * is linked with libFuzzer or with replay.c, which runs files and random inputs
 * without it. Targets abort on violated invariants; the sanitizers detect the
 * rest.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct FuzzSeed {
    const uint8_t *data;
    size_t len;
} FuzzSeed;

/* At least one. */
extern const FuzzSeed fuzz_seeds[];
extern const size_t fuzz_n_seeds;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A check that stays in every build. */
#define FUZZ_CHECK(cond)                                                       \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__,        \
                    #cond);                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

#endif
