/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of faults need: rules into the device and what they met out of
 * it, over QMP. Owns no state.
 */
#ifndef TESTS_QTEST_MLX5_FAULT_H
#define TESTS_QTEST_MLX5_FAULT_H

#include "mlx5-tls.h"

/* Sets a property; the error's text, or NULL. */
char *fault_set(Drv *d, const char *property, const char *value);
/* As above; it must be taken. */
void fault_do(Drv *d, const char *property, const char *value);
/* Adds rules. */
void fault_add(Drv *d, const char *rules);
/* Removes all. */
void fault_clear(Drv *d);
/* Lets go what waits under @name, which must be @count. */
void fault_release(Drv *d, const char *name, unsigned count);

typedef struct FaultRule {
    uint64_t id;
    char rule[128];
    uint64_t matches;
    uint64_t hits;
    uint64_t waiting;
} FaultRule;

/* How many rules there are. */
unsigned fault_count(Drv *d);
/* The one that is @index in the list. */
FaultRule fault_rule(Drv *d, unsigned index);
/* Checks what a rule has met. */
void fault_expect(Drv *d, unsigned index, uint64_t matches, uint64_t hits,
                  uint64_t waiting);

#endif
