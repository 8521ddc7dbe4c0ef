/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that a driver creates by command and then refers to by number.
 *
 * object.c owns the numbers, the reference counts and the limits. An object is
 * freed only by the driver's destroy command, and only when nothing refers to
 * it; teardown and reset free all of them.
 */
#ifndef HW_NET_MLX5_OBJECT_H
#define HW_NET_MLX5_OBJECT_H

#include "types.h"

/*
 * Object types, in the order of destruction on reset: an object comes before
 * those it refers to.
 */
typedef enum Mlx5ObjectType {
    MLX5_OBJ_TIR,
    MLX5_OBJ_RQT,
    MLX5_OBJ_SQ,
    MLX5_OBJ_RQ,
    MLX5_OBJ_CQ,
    MLX5_OBJ_EQ,
    MLX5_OBJ_TIS,
    MLX5_OBJ_DEK,
    MLX5_OBJ_MKEY,
    MLX5_OBJ_TD,
    MLX5_OBJ_PD,
    MLX5_OBJ_Q_COUNTER,
    MLX5_OBJ_UAR,
    MLX5_OBJ__COUNT
} Mlx5ObjectType;

/* The first member of every object. */
typedef struct Mlx5Object {
    Mlx5Function *fn;
    Mlx5ObjectType type;
    uint32_t id;   /* the number by which the driver refers to it */
    uint32_t size; /* of the whole object, in bytes */
    uint32_t span; /* number of ids from @id on that it occupies; 1 except for
                    * DEKs */
    uint16_t uid;  /* the user context that created it, 0 for the kernel */
    uint32_t refs; /* live objects that refer to this one */
    size_t charged; /* to memory-limit, see memory.h */
} Mlx5Object;

/*
 * Creates an object of @size bytes (zeroed, starting with its Mlx5Object) under
 * a free number, avoiding recently freed ones, and stores it in *@out. @holds
 * is the additional memory it will own, in bytes; both are charged, and
 * credited when it is destroyed. @uid is the user context that issued the
 * command. On failure (numbers, limit or memory exhausted) *@out is NULL.
 */
Mlx5Syndrome mlx5_object_create(Mlx5Function *fn, Mlx5ObjectType type,
                                size_t size, size_t holds, uint16_t uid,
                                void *out);
/* As above, with @span consecutive numbers, aligned to @span (a power of 2). */
Mlx5Syndrome mlx5_object_create_range(Mlx5Function *fn, Mlx5ObjectType type,
                                      size_t size, size_t holds, uint16_t uid,
                                      uint32_t span, void *out);
/* Returns the object or NULL. Any number in a DEK range finds the range. */
void *mlx5_object_get(Mlx5Function *fn, Mlx5ObjectType type, uint32_t id);
/*
 * Returns whether the owner of @user may use @o, whose number came in a WQE.
 * The kernel may use all objects, others only their own.
 */
static inline bool mlx5_object_usable(const Mlx5Object *o,
                                      const Mlx5Object *user)
{
    return !user->uid || o->uid == user->uid;
}
/*
 * As mlx5_object_get(), for a number that came in a command: checks that @uid
 * may use the object and returns a syndrome that names the missing one.
 */
Mlx5Syndrome mlx5_object_find(Mlx5Function *fn, Mlx5ObjectType type,
                              uint32_t id, uint16_t uid, void *out);
/*
 * Runs the destructor and frees the number; refused while there are references.
 */
Mlx5Syndrome mlx5_object_destroy(Mlx5Function *fn, Mlx5ObjectType type,
                                 uint32_t id, uint16_t uid);
/* Destroys an object whose creation failed half-way (without references). */
void mlx5_object_abandon(void *obj);
void mlx5_object_ref(void *obj);
/* NULL is allowed. Never frees the object: only the destroy command does. */
void mlx5_object_unref(void *obj);
unsigned mlx5_object_count(Mlx5Function *fn, Mlx5ObjectType type);
const char *mlx5_object_type_name(Mlx5ObjectType type);
/*
 * Destructor of a type, or NULL: drops the references an object has to others
 * and frees the memory it owns; object.c frees the object itself.
 */
typedef void Mlx5ObjectDestroy(void *obj);
void mlx5_objects_init(Mlx5Function *fn, Mlx5ObjectDestroy *const *destroy);
/* Destroys all objects, regardless of references. */
void mlx5_objects_reset(Mlx5Function *fn);
void mlx5_objects_finalize(Mlx5Function *fn);

typedef struct Mlx5IdSpace {
    GHashTable *by_id;    /* id (the first of a range) -> Mlx5Object */
    unsigned long *taken; /* bitmap of numbers, NULL until the first is used */
    uint32_t bits;        /* its size */
    uint32_t next;        /* where the search for a free number starts */
    uint32_t used;        /* numbers in use */
    uint32_t spans;       /* OR of all span lengths used so far */
} Mlx5IdSpace;

/* Objects without state of their own, cmd_obj.c. */
typedef struct Mlx5Uar { Mlx5Object obj; } Mlx5Uar;
typedef struct Mlx5Pd { Mlx5Object obj; } Mlx5Pd;
typedef struct Mlx5Td { Mlx5Object obj; } Mlx5Td;

#endif
