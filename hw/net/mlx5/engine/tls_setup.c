/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parameters of a TLS context. See tls_setup.h. */
#include "tls_setup.h"

void mlx5_tls_setup_clear(Mlx5TlsSetup *s)
{
    mlx5_tls_crypto_clear(&s->run);
    mlx5_tls_key_unref(s->key);
    s->key = NULL;
}

/* Returns what is missing in the last static post. */
static Mlx5TlsReason lacks(const Mlx5TlsSetup *s, Mlx5TlsReason bad_params)
{
    return !s->static_ok ? bad_params :
           !s->key ? MLX5_TLS_REASON_NO_KEY : MLX5_TLS_REASON_NONE;
}

Mlx5TlsReason
mlx5_tls_setup_static(Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                      const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                      Mlx5TlsKey *key)
{
    mlx5_tls_static_params_decode(&s->params, image);
    mlx5_tls_key_ref(key);
    mlx5_tls_key_unref(s->key);
    s->key = key;
    s->static_ok = mlx5_tls_static_params_ok(&s->params, knobs);
    return lacks(s, MLX5_TLS_REASON_BAD_PARAMS);
}

Mlx5TlsReason
mlx5_tls_setup_start(const Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                     const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN],
                     Mlx5TlsProgressParams *progress)
{
    mlx5_tls_progress_params_decode(progress, image);
    return mlx5_tls_progress_params_ok(progress, knobs) ?
           lacks(s, MLX5_TLS_REASON_NO_CTX) : MLX5_TLS_REASON_BAD_PARAMS;
}

void mlx5_tls_setup_run(Mlx5TlsSetup *s, uint64_t ahead)
{
    mlx5_tls_crypto_set(&s->run, &s->params, s->key);
    s->rec_no = s->params.initial_record_number + ahead;
}

void mlx5_tls_setup_stop(Mlx5TlsSetup *s)
{
    mlx5_tls_crypto_clear(&s->run);
    s->why_not = s->static_ok ? MLX5_TLS_REASON_NO_KEY : MLX5_TLS_REASON_NO_CTX;
}
