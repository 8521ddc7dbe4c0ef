/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers for fault injection tests: adding rules and reading their counters
 * over QMP. Owns no state.
 */
#ifndef TESTS_QTEST_MLX5_FAULT_H
#define TESTS_QTEST_MLX5_FAULT_H

#include "mlx5-tls.h"

/* Sets a property; returns the error message, or NULL. */
char *fault_set(Drv *d, const char *property, const char *value);
/* As above; must succeed. */
void fault_do(Drv *d, const char *property, const char *value);
/* Adds rules. */
void fault_add(Drv *d, const char *rules);
/* Removes all. */
void fault_clear(Drv *d);
/* Releases what is deferred under @name, which must be @count items. */
void fault_release(Drv *d, const char *name, unsigned count);

typedef struct FaultRule {
    uint64_t id;
    char rule[128];
    uint64_t matches;
    uint64_t hits;
    uint64_t waiting;
} FaultRule;

/* Returns the number of rules. */
unsigned fault_count(Drv *d);
/* Returns rule number @index of the list. */
FaultRule fault_rule(Drv *d, unsigned index);
/* Checks a rule's counters. */
void fault_expect(Drv *d, unsigned index, uint64_t matches, uint64_t hits,
                  uint64_t waiting);

#endif
