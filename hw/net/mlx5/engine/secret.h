/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets are keys, IVs, and plaintext of TLS records. Memory that held one
 * goes through here: erased when its use is over, and never given back to the
 * heap as it was. Owns no state; callable by anyone.
 */
#ifndef HW_NET_MLX5_ENGINE_SECRET_H
#define HW_NET_MLX5_ENGINE_SECRET_H

#include <stddef.h>
#include <string.h>
#include <glib.h>

/* Fill with zeros in a way that no compiler leaves out. */
static inline void mlx5_secret_erase(void *p, size_t len)
{
    if (len) {
        explicit_bzero(p, len);
    }
}

/* The only way in which such memory is freed; NULL is allowed. */
static inline void mlx5_secret_free(void *p, size_t len)
{
    if (p) {
        mlx5_secret_erase(p, len);
        g_free(p);
    }
}

/*
 * Empty an array; what is appended later may move it, so it must be empty by
 * then.
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
