/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heap use, including malloc's headers, where the C library reports it and no
 * sanitizer replaces malloc. Owns no state.
 */
#ifndef TESTS_UNIT_HEAP_H
#define TESTS_UNIT_HEAP_H

#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)              /* clang; gcc has a macro */
#if __has_feature(address_sanitizer)
#define HEAP_UNKNOWN
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !__GLIBC_PREREQ(2, 33)
#define HEAP_UNKNOWN
#endif

static inline bool heap_known(void)
{
#ifdef HEAP_UNKNOWN
    return false;
#else
    return true;
#endif
}

static inline size_t heap_used(void)
{
#ifdef HEAP_UNKNOWN
    return 0;
#else
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
#endif
}

#endif
