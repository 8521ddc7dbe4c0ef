/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation tables of memory keys (PRM: MTT, KLM, KSM): lists of where the
 * bytes of a key are. mkey.c decides who may use a key, and walks the tables.
 */
#ifndef HW_NET_MLX5_XLT_H
#define HW_NET_MLX5_XLT_H

/* mkc.access_mode_1_0 */
typedef enum Mlx5XltMode {
    MLX5_XLT_PA = 0,  /* no table: addresses are bus addresses */
    MLX5_XLT_MTT = 1, /* bus addresses of entities of equal size */
    MLX5_XLT_KLM = 2, /* pieces of other keys, each with its own length */
    MLX5_XLT_KSM = 3, /* pieces of other keys, all of the entity size */
} Mlx5XltMode;

/* Tables are written and measured in units of 16 bytes, as in the PRM. */
#define MLX5_XLT_OCTOWORD 16
/* The longest table, 1 MiB: 2^17 MTTs, or 2^log_max_klm_list_size others. */
#define MLX5_XLT_LOG_MAX 16

typedef struct Mlx5XltEntry {
    uint64_t va;
    uint32_t key; /* 0: never set */
    uint32_t len; /* KLM */
} Mlx5XltEntry;

typedef struct Mlx5Xlt {
    Mlx5XltMode mode;
    uint8_t log_entity; /* log2 of an entity's bytes: MTT, KSM */
    uint32_t octowords; /* the table's length */
    uint64_t *page;     /* MTT, two per octoword */
    Mlx5XltEntry *entry; /* KLM, KSM, one per octoword */
    uint64_t *sum; /* KLM: partial sums of lengths (a Fenwick tree), from 1 */
} Mlx5Xlt;

/* A run of bytes that is contiguous in one place. */
typedef struct Mlx5XltPiece {
    bool indirect; /* addr is in memory key @key, else a bus address */
    uint32_t key;
    uint64_t addr;
    uint64_t len;
} Mlx5XltPiece;

/* Returns the host memory that a table takes, for mlx5_object_create(). */
size_t mlx5_xlt_memory(Mlx5XltMode mode, uint32_t octowords);
/*
 * Sets up a table without any translation. Free it with mlx5_xlt_free().
 */
void mlx5_xlt_init(Mlx5Xlt *x, Mlx5XltMode mode, uint8_t log_entity,
                   uint32_t octowords);
void mlx5_xlt_free(Mlx5Xlt *x);
/*
 * Copies @n octowords of PRM entries (mtt, klm, ksm) from @list to the table,
 * from octoword @at on; the caller has checked that they fit.
 */
void mlx5_xlt_set(Mlx5Xlt *x, uint32_t at, const uint8_t *list, uint32_t n);
/*
 * Finds what follows byte @off of the table; *piece ends where its entry ends.
 * Returns false if nothing was ever set there, or the table is over.
 */
bool mlx5_xlt_find(const Mlx5Xlt *x, uint64_t off, Mlx5XltPiece *piece);

#endif
