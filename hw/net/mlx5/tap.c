/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of observers of a function, and their notification; see tap.h. Owns
 * fn->taps.
 */
#include "qemu/osdep.h"
#include "tap.h"

#define MLX5_TAP_TELL(name, params, args) \
    void mlx5_tap_tell_##name params \
    { \
        Mlx5Tap *tap; \
        \
        QLIST_FOREACH(tap, &fn->taps, next) { \
            if (tap->ops->name) { \
                tap->ops->name MLX5_TAP_ARGS args; \
            } \
        } \
    }
#define MLX5_TAP_ARGS(...) (tap, __VA_ARGS__)
MLX5_TAP_EVENTS(MLX5_TAP_TELL)
#undef MLX5_TAP_ARGS
#undef MLX5_TAP_TELL

static void record_ended(void *opaque, const Mlx5TlsRecordEvent *e)
{
    mlx5_tap_record(opaque, e);
}

/* The engine generates record events only if there is an observer for them. */
static void want_records(Mlx5Function *fn)
{
    bool wanted = false;
    Mlx5Tap *tap;

    QLIST_FOREACH(tap, &fn->taps, next) {
        wanted |= tap->ops->record != NULL;
    }
    if (fn->tls.engine) {
        mlx5_tls_engine_set_record_log(fn->tls.engine,
                                       wanted ? record_ended : NULL, fn);
    }
}

void mlx5_tap_add(Mlx5Function *fn, Mlx5Tap *tap)
{
    Mlx5Tap *last = QLIST_FIRST(&fn->taps);

    if (!last || tap->ops->alters) {
        QLIST_INSERT_HEAD(&fn->taps, tap, next);
    } else {
        while (QLIST_NEXT(last, next)) {
            last = QLIST_NEXT(last, next);
        }
        QLIST_INSERT_AFTER(last, tap, next);
    }
    want_records(fn);
}

void mlx5_tap_remove(Mlx5Function *fn, Mlx5Tap *tap)
{
    QLIST_REMOVE(tap, next);
    want_records(fn);
}

void mlx5_tap_end(Mlx5Function *fn)
{
    Mlx5Tap *tap;

    while ((tap = QLIST_FIRST(&fn->taps))) {
        mlx5_tap_remove(fn, tap);
        tap->ops->end(tap, fn);
    }
}

size_t mlx5_tap_context_memory(const Mlx5Function *fn)
{
    size_t n = 0;
    Mlx5Tap *tap;

    QLIST_FOREACH(tap, &fn->taps, next) {
        n += tap->context_memory;
    }
    return n;
}
