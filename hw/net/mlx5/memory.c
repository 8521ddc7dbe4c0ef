/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accounting of host memory used on behalf of a driver; see memory.h. */
#include "qemu/osdep.h"
#include "qapi/visitor.h"
#include "err.h"
#include "memory.h"

bool mlx5_memory_room(const Mlx5Function *fn, size_t bytes)
{
    uint64_t limit = fn->dev->memory_limit;

    return !limit || (fn->memory_used <= limit &&
                      bytes <= limit - fn->memory_used);
}

bool mlx5_memory_charge(Mlx5Function *fn, size_t bytes)
{
    if (!mlx5_memory_room(fn, bytes)) {
        mlx5_err_memory_limit(fn, bytes, fn->memory_used,
                              fn->dev->memory_limit);
        return false;
    }
    fn->memory_used += bytes;
    return true;
}

void mlx5_memory_take(Mlx5Function *fn, size_t bytes)
{
    fn->memory_used += bytes;
}

void mlx5_memory_give(Mlx5Function *fn, size_t bytes)
{
    fn->memory_used -= bytes;
}

static void get_used(Object *obj, Visitor *v, const char *name, void *opaque,
                     Error **errp)
{
    visit_type_uint64(v, name, &MLX5_KTLS(obj)->fn.memory_used, errp);
}

void mlx5_memory_class_init(ObjectClass *klass)
{
    object_class_property_add(klass, "memory-used", "uint64", get_used, NULL,
                              NULL, NULL);
    object_class_property_set_description(klass, "memory-used",
        "bytes of memory-limit in use");
}
