/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/fs4: what can be checked of the image without the vendor's
 * tools. Those read and verify it in the guest tests, group `mst`. Owns no
 * state.
 */
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "fs4.h"
#include "hw/net/mlx5/prm_flash.h"

static Mlx5Fs4Device device(const char *ini)
{
    return (Mlx5Fs4Device){
        .fw_major = 22, .fw_minor = 39, .fw_subminor = 1,
        .fw_year = 0x2025, .fw_month = 0x12, .fw_day = 0x31,
        .vendor_id = 0x15b3, .device_id = 0x101d,
        .subsystem_vendor_id = 0x15b3, .subsystem_id = 0x16,
        .hw_id = 0x212,
        .mac = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 },
        .psid = "QEM0000000001",
        .name = "a name",
        .description = "a description",
        .ini = ini,
    };
}

/* Finds the section of @type in the table at @toc; returns its length. */
static size_t section(const Mlx5Fs4 *fs4, uint32_t toc, unsigned type,
                      uint32_t *addr)
{
    uint8_t entry[0x20];

    do {
        toc += sizeof(entry);
        mlx5_fs4_read(fs4, toc, entry, sizeof(entry));
        g_assert_cmphex(MLX5_GET(itoc_entry, entry, type), !=, 0xff);
    } while (MLX5_GET(itoc_entry, entry, type) != type);
    *addr = MLX5_GET(itoc_entry, entry, flash_addr) * 4;
    return MLX5_GET(itoc_entry, entry, size) * 4;
}

/* The configuration comes back as it went in, whatever its length. */
static void test_ini(void)
{
    static const size_t lengths[] = { 0, 1, 2, 3, 4, 5, 1000, 60000 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *ini = g_malloc0(lengths[i] + 1);
        g_autofree char *back = g_malloc0(lengths[i] + 1);
        g_autofree uint8_t *packed = NULL;
        uLongf len = lengths[i];
        Mlx5Fs4Device dev;
        uint32_t addr;
        size_t size, j;
        Mlx5Fs4 fs4;

        for (j = 0; j < lengths[i]; j++) {
            ini[j] = g_test_rand_int_range(1, 256);
        }
        dev = device(ini);
        mlx5_fs4_init(&fs4, &dev);
        size = section(&fs4, 0x1000, 0x30, &addr);
        packed = g_malloc(size);
        mlx5_fs4_read(&fs4, addr, packed, size);
        g_assert_cmpint(uncompress((Bytef *)back, &len, packed, size), ==,
                        Z_OK);
        g_assert_cmpmem(back, len, ini, lengths[i]);
        mlx5_fs4_clear(&fs4);
    }
}

/* Any piece reads the same as the same bytes of the whole. */
static void test_read(void)
{
    static const uint32_t around[] = {
        0, 0x18, 0x1000, MLX5_FLASH_SIZE / 2, MLX5_FLASH_SIZE - 0x3000,
        MLX5_FLASH_SIZE - 0x1000, MLX5_FLASH_SIZE,
    };
    g_autofree uint8_t *all = g_malloc(MLX5_FLASH_SIZE);
    Mlx5Fs4Device dev = device("text");
    unsigned i, at, len;
    Mlx5Fs4 fs4;

    mlx5_fs4_init(&fs4, &dev);
    mlx5_fs4_read(&fs4, 0, all, MLX5_FLASH_SIZE);
    for (i = 0; i < G_N_ELEMENTS(around); i++) {
        for (at = MAX(around[i], 9) - 9; at < around[i] + 9; at++) {
            for (len = 0; len < 20 && at + len <= MLX5_FLASH_SIZE; len++) {
                g_autofree uint8_t *piece = g_malloc(len);

                mlx5_fs4_read(&fs4, at, piece, len);
                g_assert_cmpmem(piece, len, all + at, len);
            }
        }
    }
    g_assert_cmphex(mlx5_ld32(all + MLX5_FLASH_SIZE / 2), ==, 0xffffffff);
    g_assert_cmphex(mlx5_ld32(all), ==, 0x4d544657);
    mlx5_fs4_clear(&fs4);
}

static void test_fields(void)
{
    Mlx5Fs4Device dev = device("");
    g_autofree char *longest = g_strnfill(300, 'x');
    uint8_t info[0x400], mfg[0x140];
    uint32_t addr;
    Mlx5Fs4 fs4;

    dev.description = longest; /* cut off, with its end */
    mlx5_fs4_init(&fs4, &dev);
    g_assert_cmpuint(section(&fs4, 0x1000, 0x10, &addr), ==, sizeof(info));
    mlx5_fs4_read(&fs4, addr, info, sizeof(info));
    g_assert_cmpuint(MLX5_GET(image_info, info, fw_ver_major), ==, 22);
    g_assert_cmpuint(MLX5_GET(image_info, info, fw_ver_subminor), ==, 1);
    g_assert_cmphex(MLX5_GET(image_info, info, supported_hw_id0), ==, 0x212);
    g_assert_cmpstr((char *)info + 0x24, ==, "QEM0000000001");
    g_assert_cmpuint(strlen((char *)info + 0x1d0), ==, 255);
    g_assert_cmpuint(section(&fs4, MLX5_FLASH_SIZE - 0x1000, 0xe0, &addr), ==,
                     sizeof(mfg));
    mlx5_fs4_read(&fs4, addr, mfg, sizeof(mfg));
    g_assert_cmphex(MLX5_GET64(uid_entry, mfg + 0x20, uid), ==,
                    UINT64_C(0x5254000300123456));
    g_assert_cmphex(MLX5_GET64(uid_entry, mfg + 0x30, uid), ==,
                    UINT64_C(0x525400123456));
    mlx5_fs4_clear(&fs4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fs4/ini", test_ini);
    g_test_add_func("/fs4/read", test_read);
    g_test_add_func("/fs4/fields", test_fields);
    return g_test_run();
}
