/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of a card's flash as the vendor's tools expect it: an image in
 * FS4 format, made from a description of the device. It holds what a tool can
 * query (versions, ids, addresses, the configuration that the firmware was
 * built with) and no code. Pure functions; callable by anyone.
 */
#ifndef HW_NET_MLX5_ENGINE_FS4_H
#define HW_NET_MLX5_ENGINE_FS4_H

#include <stddef.h>
#include <stdint.h>

/* The flash: one chip, 32 MiB, erased in sectors of 4 KiB. */
#define MLX5_FLASH_LOG_SIZE 25
#define MLX5_FLASH_SIZE (1u << MLX5_FLASH_LOG_SIZE)
#define MLX5_FLASH_SECTOR 4096u

typedef struct Mlx5Fs4Device {
    uint16_t fw_major, fw_minor, fw_subminor;
    uint16_t fw_year; /* binary coded decimal, as are month and day */
    uint8_t fw_month, fw_day;
    uint16_t vendor_id, device_id, subsystem_vendor_id, subsystem_id;
    uint16_t hw_id; /* of the chip, see profile.h */
    uint8_t mac[6];
    const char *psid;        /* at most 15 characters */
    const char *name;        /* at most 63: the part number */
    const char *description; /* at most 255 */
    const char *ini;         /* text of the configuration, `mstflint dc` */
} Mlx5Fs4Device;

/* What differs from erased flash: one piece from its start, one at its end. */
typedef struct Mlx5Fs4 {
    uint8_t *image; /* from address 0 */
    size_t image_len;
    uint8_t *data; /* the device's own data, up to the end of the flash */
    size_t data_len;
} Mlx5Fs4;

/* Makes the content; mlx5_fs4_clear() frees it. */
void mlx5_fs4_init(Mlx5Fs4 *fs4, const Mlx5Fs4Device *dev);
void mlx5_fs4_clear(Mlx5Fs4 *fs4);
/*
 * Reads @len bytes at @addr into @buf; erased flash reads 0xff. Both ends must
 * be within MLX5_FLASH_SIZE.
 */
void mlx5_fs4_read(const Mlx5Fs4 *fs4, uint32_t addr, uint8_t *buf, size_t len);

#endif
