/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fixtures for tests of memory keys that translate: commands that make them,
 * their tables, and reads through them. Own nothing.
 */
#ifndef TESTS_QTEST_MLX5_MKEY_RIG_H
#define TESTS_QTEST_MLX5_MKEY_RIG_H

#include "mlx5-rig.h"

enum { KEY_PA = 0, KEY_MTT = 1, KEY_KLM = 2, KEY_KSM = 3 };
#define KEY_LIST 0x110 /* the table in CREATE_MKEY */
#define KEY_LOW 0x5a   /* mkey_7_0 */

/*
 * Builds CREATE_MKEY for a key of @bytes bytes from address @start on, with a
 * table of @octowords, all zero and all given; the caller fills it in and frees
 * it.
 */
static inline uint8_t *key_cmd(Drv *d, unsigned mode, unsigned log_entity,
                               uint64_t start, uint64_t bytes,
                               uint32_t octowords, uint32_t *len)
{
    g_autofree uint8_t *pa = drv_mkey_cmd(d, KEY_LOW, len);
    uint8_t *in = g_malloc0(KEY_LIST + octowords * 16);
    uint8_t *mkc = in + 0x10;

    memcpy(in, pa, *len);
    *len = KEY_LIST + octowords * 16;
    MLX5_SET(mkc, mkc, length64, 0);
    MLX5_SET(mkc, mkc, umr_en, 1);
    MLX5_SET(mkc, mkc, access_mode_1_0, mode);
    MLX5_SET(mkc, mkc, start_addr, start);
    MLX5_SET(mkc, mkc, len, bytes);
    MLX5_SET(mkc, mkc, log_page_size, log_entity);
    MLX5_SET(mkc, mkc, translations_octword_size, octowords);
    MLX5_SET(create_mkey_in, in, translations_octword_actual_size, octowords);
    return in;
}

static inline void key_mtt(uint8_t *list, unsigned i, uint64_t addr)
{
    mlx5_st64(list + i * 8, addr);
}

/* A KLM, or with @len 0 a KSM. */
static inline void key_klm(uint8_t *list, unsigned i, uint32_t len,
                           uint32_t lkey, uint64_t va)
{
    uint8_t *klm = list + i * 16;

    MLX5_SET(klm, klm, byte_count, len);
    MLX5_SET(klm, klm, mkey, lkey);
    MLX5_SET(klm, klm, address, va);
}

/* Creates the key of such a command and returns its lkey. Frees the command. */
static inline uint32_t key_make(Drv *d, uint8_t *in, uint32_t len)
{
    uint32_t lkey = drv_create(d, in, len) << 8 | KEY_LOW;

    g_free(in);
    return lkey;
}

/* Sends @len bytes at @addr of key @lkey as a frame; returns its WQE's index */
static inline uint16_t key_send(TxRig *t, uint32_t lkey, uint64_t addr,
                                uint32_t len)
{
    uint16_t index;
    DrvWqe w;

    drv_wqe(&w, &t->sq, WQE_SEND, true);
    drv_wqe_eth(&w, 0, 0, NULL, 0);
    drv_wqe_data(&w, lkey, addr, len);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    return index;
}

/* These bytes must be the @len bytes at @want. */
static inline void key_reads(TxRig *t, uint32_t lkey, uint64_t addr,
                             const uint8_t *want, uint32_t len)
{
    uint16_t index = key_send(t, lkey, addr, len);

    drv_sq_expect(t->d, &t->sq, index);
    expect_frame(t->d, want, len);
}

/* They must not be readable. The queue is ready again afterwards. */
static inline void key_refuses(TxRig *t, uint32_t lkey, uint64_t addr,
                               uint32_t len)
{
    uint16_t index = key_send(t, lkey, addr, len);

    drv_sq_expect_error(t->d, &t->sq, index, SYN_PROT);
    g_assert_false(drv_wire_readable(t->d));
    t->sq.pc = 0;
    drv_write32(t->d, t->sq.dbr + 4, 0);
    g_assert_cmphex(drv_sq_modify(t->d, &t->sq, DRV_ERR, DRV_RST).status, ==,
                    0);
    g_assert_cmphex(drv_sq_modify(t->d, &t->sq, DRV_RST, DRV_RDY).status, ==,
                    0);
}

/* Random bytes that make a frame to another host, anywhere in them. */
static inline void key_pattern(uint8_t *p, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        p[i] = g_test_rand_int_range(0, 128) * 2; /* unicast */
    }
}

#endif
