/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parameters of a TLS context: those posted by the driver (static params by
 * UMR, SET_PSV) and those in use, with the record number. The same for TIS and
 * TIR.
 *
 * Owns references to up to two keys. Embedded in the contexts of tls_tx.h and
 * tls_rx.h, which are its only callers.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_SETUP_H
#define HW_NET_MLX5_ENGINE_TLS_SETUP_H

#include "tls_record.h"

typedef struct Mlx5TlsSetup {
    Mlx5TlsStaticParams params; /* last static post */
    Mlx5TlsKey *key;            /* of the last static post, or NULL */
    bool static_ok;             /* its values are supported */
    uint8_t why_not;            /* Mlx5TlsReason: why it is not running */
    Mlx5TlsCrypto run;          /* in use since mlx5_tls_setup_run() */
    uint64_t rec_no;            /* of the next record */
} Mlx5TlsSetup;

/* Initializes a zeroed struct: nothing posted yet. */
static inline void mlx5_tls_setup_init(Mlx5TlsSetup *s)
{
    s->why_not = MLX5_TLS_REASON_NO_CTX;
}

/* Releases the keys; the caller erases the rest. */
void mlx5_tls_setup_clear(Mlx5TlsSetup *s);

/*
 * UMR: stores tls_static_params @image and @key (the key of dek_index, or NULL)
 * for the next mlx5_tls_setup_run(). Returns NONE, or BAD_PARAMS or NO_KEY if
 * they cannot be used.
 */
Mlx5TlsReason
mlx5_tls_setup_static(Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                      const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                      Mlx5TlsKey *key);

/*
 * SET_PSV: decodes tls_progress_params @image to @progress and checks whether a
 * context can start with them. Returns NONE; BAD_PARAMS if they must be
 * refused; NO_CTX or NO_KEY if the static params posted before cannot be used.
 * Changes no state.
 */
Mlx5TlsReason
mlx5_tls_setup_start(const Mlx5TlsSetup *s, const Mlx5TlsKnobs *knobs,
                     const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN],
                     Mlx5TlsProgressParams *progress);

/* Puts the last post into use; the next record is its @ahead-th. */
void mlx5_tls_setup_run(Mlx5TlsSetup *s, uint64_t ahead);

/* Stops using any parameters; why_not records what is missing. */
void mlx5_tls_setup_stop(Mlx5TlsSetup *s);

#endif
