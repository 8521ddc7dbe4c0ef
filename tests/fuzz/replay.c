/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target without libFuzzer: on given files, or on reproducible
 * random inputs derived from the target's seeds.
 *
 *   fuzz-x FILE...            replay inputs, such as a crash of libFuzzer
 *   fuzz-x --random RUNS SEED
 *   fuzz-x --seeds DIRECTORY  write the seeds there, to start libFuzzer from
 *
 * With --random and FUZZ_KEEP in the environment, each input is written to
 * ./fuzz-last before it is run. Owns only the state of its random numbers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#define MAX_INPUT 4096

static uint64_t state;

/* xorshift64*: the same on every machine. */
static uint32_t draw(uint32_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % below;
}

/*
 * Runs an input from a heap block of its exact length, so that the sanitizer
 * detects an overrun.
 */
static void run_exact(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    FUZZ_CHECK(copy);
    memcpy(copy, data, len);
    LLVMFuzzerTestOneInput(copy, len);
    free(copy);
}

/*
 * Generates noise, or a seed, sometimes truncated or followed by others, with
 * bytes changed.
 */
static size_t random_input(uint8_t *buf)
{
    static const uint8_t odd[] = {
        0, 1, 4, 6, 8, 17, 0x40, 0x45, 0x60, 0x7f, 0x81, 0xff,
    };
    size_t len = 0, n;

    if (!draw(8)) {
        for (n = draw(600); len < n; len++) {
            buf[len] = (uint8_t)draw(256);
        }
        return len;
    }
    do {
        const FuzzSeed *seed = &fuzz_seeds[draw((uint32_t)fuzz_n_seeds)];

        n = seed->len < MAX_INPUT - len ? seed->len : MAX_INPUT - len;
        n = draw(4) ? n : draw((uint32_t)n + 1);
        memcpy(buf + len, seed->data, n);
        len += n;
    } while (!draw(3));
    for (n = draw(6); n && len; n--) {
        buf[draw((uint32_t)len)] = draw(2) ? odd[draw(sizeof(odd))] :
                                             (uint8_t)draw(256);
    }
    return len;
}

static void keep(const uint8_t *buf, size_t len)
{
    FILE *f = fopen("fuzz-last", "wb");

    if (!f || fwrite(buf, 1, len, f) != len || fclose(f)) {
        fprintf(stderr, "fuzz-last: %s\n", strerror(errno));
        exit(2);
    }
}

static uint64_t number(const char *what, const char *s)
{
    char *end;
    uint64_t v = strtoull(s, &end, 0);

    if (!*s || *end) {
        fprintf(stderr, "%s: '%s' is not a number\n", what, s);
        exit(2);
    }
    return v;
}

static int run_random(uint64_t runs, uint64_t seed)
{
    bool keep_last = getenv("FUZZ_KEEP");
    uint8_t buf[MAX_INPUT];
    uint64_t i;

    state = seed * 2 + 1;
    for (i = 0; i < runs; i++) {
        size_t len = random_input(buf);

        if (keep_last) {
            keep(buf, len);
        }
        run_exact(buf, len);
    }
    printf("%" PRIu64 " inputs, seed %" PRIu64 ": no fault\n", runs, seed);
    return 0;
}

static int run_file(const char *name)
{
    static uint8_t buf[1 << 20];
    FILE *f = fopen(name, "rb");
    size_t len;

    if (!f) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return 2;
    }
    len = fread(buf, 1, sizeof(buf), f);
    fclose(f);
    run_exact(buf, len);
    printf("%s: %zu bytes: no fault\n", name, len);
    return 0;
}

static int write_seeds(const char *dir)
{
    size_t i;

    for (i = 0; i < fuzz_n_seeds; i++) {
        char path[4096];
        FILE *f;

        snprintf(path, sizeof(path), "%s/seed-%03zu", dir, i);
        f = fopen(path, "wb");
        if (!f || fwrite(fuzz_seeds[i].data, 1, fuzz_seeds[i].len, f) !=
            fuzz_seeds[i].len || fclose(f)) {
            fprintf(stderr, "%s: %s\n", path, strerror(errno));
            return 2;
        }
    }
    printf("%zu seeds in %s\n", fuzz_n_seeds, dir);
    return 0;
}

int main(int argc, char **argv)
{
    int i, rc = 0;

    if (argc == 4 && !strcmp(argv[1], "--random")) {
        return run_random(number("runs", argv[2]), number("seed", argv[3]));
    }
    if (argc == 3 && !strcmp(argv[1], "--seeds")) {
        return write_seeds(argv[2]);
    }
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr,
                "usage: %s FILE... | --random RUNS SEED | --seeds DIRECTORY\n",
                argv[0]);
        return 2;
    }
    for (i = 1; i < argc && !rc; i++) {
        rc = run_file(argv[i]);
    }
    return rc;
}
