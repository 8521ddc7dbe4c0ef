/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbered objects: what a driver creates by commands and then knows by number.
 *
 * object.c owns the numbers, the references and the limits. Only the driver's
 * destroy command frees an object, and only when nothing refers to it; teardown
 * and reset free them all.
 */
#ifndef HW_NET_MLX5_OBJECT_H
#define HW_NET_MLX5_OBJECT_H

#include "types.h"

/*
 * Kinds of numbered objects, in the order of destruction when a function is
 * reset: an object comes before those it refers to.
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

/* First member of every object. */
typedef struct Mlx5Object {
    Mlx5Function *fn;
    Mlx5ObjectType type;
    uint32_t id;   /* the number the driver knows it by */
    uint32_t size; /* of all of it, in bytes */
    uint32_t span; /* how many ids from @id on belong to it, 1 but for DEKs */
    uint16_t uid;  /* the user context that created it, 0 for the kernel */
    uint32_t refs; /* live objects that refer to this one */
    size_t charged; /* to memory-limit, see memory.h */
} Mlx5Object;

/*
 * Creates an object of @size bytes (zeroed, the Mlx5Object first) under a free
 * number, but not one just freed, and sets *@out to it. @holds is the memory it
 * will hold besides, in bytes; both are charged, and credited when it is
 * destroyed. @uid is the user context that the command came from. On failure
 * (no number, limit or memory left) *@out is NULL.
 */
Mlx5Syndrome mlx5_object_create(Mlx5Function *fn, Mlx5ObjectType type,
                                size_t size, size_t holds, uint16_t uid,
                                void *out);
/* As above for @span consecutive numbers, aligned to @span (a power of 2). */
Mlx5Syndrome mlx5_object_create_range(Mlx5Function *fn, Mlx5ObjectType type,
                                      size_t size, size_t holds, uint16_t uid,
                                      uint32_t span, void *out);
/* The object, or NULL. For DEK ranges any number in the range finds it. */
void *mlx5_object_get(Mlx5Function *fn, Mlx5ObjectType type, uint32_t id);
/*
 * For a number that came in a WQE: may @user's owner use @o? The kernel may use
 * everything, others only their own.
 */
static inline bool mlx5_object_usable(const Mlx5Object *o,
                                      const Mlx5Object *user)
{
    return !user->uid || o->uid == user->uid;
}
/*
 * As mlx5_object_get() for a number that came in a command: checks that
 * @uid may use it and says which object is missing.
 */
Mlx5Syndrome mlx5_object_find(Mlx5Function *fn, Mlx5ObjectType type,
                              uint32_t id, uint16_t uid, void *out);
/* Runs the destructor and frees the number; refuses while referred to. */
Mlx5Syndrome mlx5_object_destroy(Mlx5Function *fn, Mlx5ObjectType type,
                                 uint32_t id, uint16_t uid);
/* Destroys an object that its creator could not finish (no refs are left). */
void mlx5_object_abandon(void *obj);
void mlx5_object_ref(void *obj);
/* NULL is allowed. Never frees: only the driver's destroy command does. */
void mlx5_object_unref(void *obj);
unsigned mlx5_object_count(Mlx5Function *fn, Mlx5ObjectType type);
const char *mlx5_object_type_name(Mlx5ObjectType type);
/*
 * Drops an object's references and frees what it holds; object.c frees the
 * object itself. There is one for each type, NULL where there is nothing to do.
 */
typedef void Mlx5ObjectDestroy(void *obj);
void mlx5_objects_init(Mlx5Function *fn, Mlx5ObjectDestroy *const *destroy);
/* Destroys all objects, whatever refers to them. */
void mlx5_objects_reset(Mlx5Function *fn);
void mlx5_objects_finalize(Mlx5Function *fn);

typedef struct Mlx5IdSpace {
    GHashTable *by_id;    /* id (of a range its first) -> Mlx5Object */
    unsigned long *taken; /* a bit for each number, NULL until the first */
    uint32_t bits;        /* how many */
    uint32_t next;        /* where the search for a free number starts */
    uint32_t used;        /* numbers in use */
    uint32_t spans;       /* an OR of the lengths of all ranges so far */
} Mlx5IdSpace;

/* Objects that are nothing but their number, cmd_obj.c. */
typedef struct Mlx5Uar { Mlx5Object obj; } Mlx5Uar;
typedef struct Mlx5Pd { Mlx5Object obj; } Mlx5Pd;
typedef struct Mlx5Td { Mlx5Object obj; } Mlx5Td;

#endif
