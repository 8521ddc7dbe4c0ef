/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a driver posts for a TLS context, and what the context works with since:
 * static params by UMR, SET_PSV, the record number. The same for a TIS and a
 * TIR.
 *
 * Owns references on up to two keys. Embedded in the contexts of tls_tx.h and
 * tls_rx.h, which are its only callers.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_SETUP_H
#define HW_NET_MLX5_ENGINE_TLS_SETUP_H

#include "tls_record.h"

typedef struct Mlx5TlsSetup {
    Mlx5TlsStaticParams params; /* last static post */
    Mlx5TlsKey *key;            /* that came with it, or NULL */
    bool static_ok;             /* its values are within the contract */
    uint8_t why_not;            /* Mlx5TlsReason: why it does not work */
    Mlx5TlsCrypto run;          /* in use since mlx5_tls_setup_run() */
    uint64_t rec_no;            /* of the record whose header comes next */
} Mlx5TlsSetup;

/* Nothing was posted yet. Of a zeroed struct. */
static inline void mlx5_tls_setup_init(Mlx5TlsSetup *s)
{
    s->why_not = MLX5_TLS_REASON_NO_CTX;
}

/* Lets go of the keys; what else it holds is the caller's to erase. */
void mlx5_tls_setup_clear(Mlx5TlsSetup *s);

/*
 * UMR: keeps tls_static_params @image and @key (what dek_index resolves to, or
 * NULL) for the next mlx5_tls_setup_run(). Returns NONE, or why they cannot be
 * used: BAD_PARAMS, NO_KEY.
 */
Mlx5TlsReason
mlx5_tls_setup_static(Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                      const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                      Mlx5TlsKey *key);

/*
 * SET_PSV: may a context start with tls_progress_params @image, which are
 * decoded to @progress? Returns NONE; BAD_PARAMS when they are to be refused;
 * NO_CTX or NO_KEY when what was posted before cannot be used. Changes nothing.
 */
Mlx5TlsReason
mlx5_tls_setup_start(const Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                     const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN],
                     Mlx5TlsProgressParams *progress);

/* From now on work with the last post; the next record is its @ahead-th. */
void mlx5_tls_setup_run(Mlx5TlsSetup *s, uint64_t ahead);

/* Work with nothing, and keep in why_not what is missing. */
void mlx5_tls_setup_stop(Mlx5TlsSetup *s);

#endif
