/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets are keys, IVs, and plaintext of TLS records. Memory that held one is
 * erased here after use and never returned to the heap with its contents. Owns
 * no state; callable by anyone.
 */
#ifndef HW_NET_MLX5_ENGINE_SECRET_H
#define HW_NET_MLX5_ENGINE_SECRET_H

#include <stddef.h>
#include <string.h>
#include <glib.h>

/* Fill with zeros in a way that a compiler does not optimize away. */
static inline void mlx5_secret_erase(void *p, size_t len)
{
    if (len) {
        explicit_bzero(p, len);
    }
}

/* Erase and free; such memory must be freed only this way. NULL is allowed. */
static inline void mlx5_secret_free(void *p, size_t len)
{
    if (p) {
        mlx5_secret_erase(p, len);
        g_free(p);
    }
}

/*
 * Erase and empty an array. Appending may reallocate an array, so it must hold
 * no secrets by then.
 */
static inline void mlx5_secret_empty_bytes(GByteArray *a)
{
    mlx5_secret_erase(a->data, a->len);
    g_byte_array_set_size(a, 0);
}

static inline void mlx5_secret_empty_array(GArray *a)
{
    mlx5_secret_erase(a->data, a->len * g_array_get_element_size(a));
    g_array_set_size(a, 0);
}

#endif
