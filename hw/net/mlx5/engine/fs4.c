/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds a flash image in FS4 format, see fs4.h. Owns no state.
 *
 *   0x0000    magic pattern, hardware pointers
 *   0x0100    tools area
 *   0x0200    boot2: a header without code
 *   0x1000    ITOC: the table of the image's sections
 *   0x2000    IMAGE_INFO, then DBG_FW_INI (compressed)
 *   end-12K   MFG_INFO
 *   end-8K    DEV_INFO
 *   end-4K    DTOC: the table of the device's own sections
 */
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "fs4.h"
#include "hw/net/mlx5/prm_flash.h"

/* Where things are. */
enum {
    HW_POINTERS = 0x18,
    TOOLS_AREA = 0x100,
    BOOT2 = 0x200,
    ITOC = 0x1000,
    SECTIONS = 0x2000,
};
/* The same, from the end of the flash. */
enum { DATA_SIZE = 0x3000, MFG_INFO = 0x0, DEV_INFO = 0x1000, DTOC = 0x2000 };

enum {
    HW_POINTERS_COUNT = 16,
    HW_POINTER_BOOT2 = 1,
    HW_POINTER_TOC = 2,
    HW_POINTER_TOOLS = 3,
    HW_POINTER_IMAGE_INFO = 10,
};

#define IMAGE_FORMAT_FS4 1
#define HW_POINTER_SIZE 8
#define TOOLS_AREA_SIZE 0x40
#define BOOT2_DWORDS 4 /* of code; the tools expect some */
#define TOC_ENTRY_SIZE 0x20
#define IMAGE_INFO_SIZE 0x400
#define MFG_INFO_SIZE 0x140
#define DEV_INFO_SIZE 0x200
#define UIDS_OFFSET 0x20
#define UID_SIZE 0x10

/* itoc_entry.type */
enum {
    SECTION_IMAGE_INFO = 0x10,
    SECTION_DBG_FW_INI = 0x30,
    SECTION_MFG_INFO = 0xe0,
    SECTION_DEV_INFO = 0xe1,
    SECTION_END = 0xff,
};

/* itoc_entry.crc: where the section's checksum is */
enum { CRC_IN_ENTRY = 0, CRC_IN_SECTION = 2 };

#define SIGNATURE_ITOC 0x49544f43
#define SIGNATURE_DTOC 0x44544f43
#define TOC_RANDOM1 0x04081516
#define TOC_RANDOM2 0x2342cafa
#define TOC_RANDOM3 0xbacafe00

/* Half of the flash: there is room for a second image. */
#define LOG_SLOT_SIZE (MLX5_FLASH_LOG_SIZE - 1)

/* --------------------------------------------------------- checksums --- */

#define CRC_POLY 0x100b
#define CRC_POLY_REFLECTED 0xd008

/* Of whole dwords: plain CRC-16, initial value and final xor 0xffff. */
static uint16_t crc16(const uint8_t *p, size_t len)
{
    uint32_t crc = 0xffff;
    size_t i, bit;

    for (i = 0; i < len + 2; i++) {
        uint8_t byte = i < len ? p[i] : 0; /* 16 zero bits at the end */

        for (bit = 0; bit < 8; bit++) {
            uint32_t in = byte >> (7 - bit) & 1;

            crc = (crc << 1 | in) ^ (crc & 0x8000 ? CRC_POLY : 0);
            crc &= 0xffff;
        }
    }
    return crc ^ 0xffff;
}

/*
 * Of a hardware pointer, as the chip's boot loader computes it: the same
 * polynomial reflected, the first two bytes inverted, the result swapped.
 */
static uint16_t crc16_hw(const uint8_t *p, size_t len)
{
    uint32_t crc = 0xffff;
    size_t i, bit;

    for (i = 0; i < len; i++) {
        crc ^= i < 2 ? (uint8_t)~p[i] : p[i];
        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? CRC_POLY_REFLECTED : 0);
        }
    }
    return (crc << 8 | crc >> 8) & 0xffff;
}

/* ------------------------------------------------------------- parts --- */

static void put_text(uint8_t *p, const char *text, size_t room)
{
    g_strlcpy((char *)p, text, room);
}
#define PUT_TEXT(st, p, field, text, room) \
    put_text((p) + MLX5_BIT_##st##_##field / 8, text, room)

static void put_hw_pointer(uint8_t *image, unsigned index, uint32_t addr)
{
    uint8_t *p = image + HW_POINTERS + index * HW_POINTER_SIZE;

    MLX5_SET(hw_pointer_entry, p, ptr, addr);
    MLX5_SET(hw_pointer_entry, p, crc, crc16_hw(p, 6));
}

static void put_tools_area(uint8_t *p)
{
    memset(p, 0, TOOLS_AREA_SIZE);
    MLX5_SET(tools_area, p, major, 1);
    MLX5_SET(tools_area, p, log2_img_slot_size, LOG_SLOT_SIZE);
    MLX5_SET(tools_area, p, crc, crc16(p, TOOLS_AREA_SIZE - 4));
}

/* Header (with the length in its second dword), code, checksum. */
static void put_boot2(uint8_t *p)
{
    size_t len = (BOOT2_DWORDS + 4) * 4;

    memset(p, 0, len);
    mlx5_st32(p + 4, BOOT2_DWORDS);
    mlx5_st32(p + len - 4, crc16(p, len - 4));
}

static void put_toc_header(uint8_t *p, uint32_t signature, unsigned entries)
{
    memset(p, 0, TOC_ENTRY_SIZE);
    MLX5_SET(itoc_header, p, signature0, signature);
    MLX5_SET(itoc_header, p, signature1, TOC_RANDOM1);
    MLX5_SET(itoc_header, p, signature2, TOC_RANDOM2);
    MLX5_SET(itoc_header, p, signature3, TOC_RANDOM3);
    MLX5_SET(itoc_header, p, version, 1);
    MLX5_SET(itoc_header, p, num_of_entries, entries);
    MLX5_SET(itoc_header, p, itoc_entry_crc, crc16(p, TOC_ENTRY_SIZE - 4));
}

/* Entry @index of the table at @toc: a section of @len bytes at @addr. */
static void put_toc_entry(uint8_t *toc, unsigned index, unsigned type,
                          uint32_t addr, const uint8_t *section, size_t len,
                          unsigned where)
{
    uint8_t *p = toc + (index + 1) * TOC_ENTRY_SIZE;

    memset(p, 0, TOC_ENTRY_SIZE);
    MLX5_SET(itoc_entry, p, type, type);
    MLX5_SET(itoc_entry, p, size, len / 4);
    MLX5_SET(itoc_entry, p, flash_addr, addr / 4);
    MLX5_SET(itoc_entry, p, crc, where);
    if (where == CRC_IN_ENTRY) {
        MLX5_SET(itoc_entry, p, section_crc, crc16(section, len));
    }
    MLX5_SET(itoc_entry, p, itoc_entry_crc, crc16(p, TOC_ENTRY_SIZE - 4));
}

static void put_image_info(uint8_t *p, const Mlx5Fs4Device *dev)
{
    g_autofree char *version = g_strdup_printf("%u.%u.%04u", dev->fw_major,
                                               dev->fw_minor, dev->fw_subminor);

    memset(p, 0, IMAGE_INFO_SIZE);
    MLX5_SET(image_info, p, minor_version, 3);
    MLX5_SET(image_info, p, fw_ver_major, dev->fw_major);
    MLX5_SET(image_info, p, fw_ver_minor, dev->fw_minor);
    MLX5_SET(image_info, p, fw_ver_subminor, dev->fw_subminor);
    MLX5_SET(image_info, p, fw_year, dev->fw_year);
    MLX5_SET(image_info, p, fw_month, dev->fw_month);
    MLX5_SET(image_info, p, fw_day, dev->fw_day);
    MLX5_SET(image_info, p, mic_ver_major, 2);
    MLX5_SET(image_info, p, pci_vendor_id, dev->vendor_id);
    MLX5_SET(image_info, p, pci_device_id, dev->device_id);
    MLX5_SET(image_info, p, pci_sub_vendor_id, dev->subsystem_vendor_id);
    MLX5_SET(image_info, p, pci_subsystem_id, dev->subsystem_id);
    MLX5_SET(image_info, p, vsd_vendor_id, dev->vendor_id);
    MLX5_SET(image_info, p, image_size_log_step, LOG_SLOT_SIZE);
    MLX5_SET(image_info, p, image_size_max_size, 1u << LOG_SLOT_SIZE);
    MLX5_SET(image_info, p, supported_hw_id0, dev->hw_id);
    PUT_TEXT(image_info, p, psid, dev->psid, 16);
    PUT_TEXT(image_info, p, prod_ver, version, 16);
    PUT_TEXT(image_info, p, description, dev->description, 256);
    PUT_TEXT(image_info, p, name, dev->name, 64);
}

/* One GUID and one MAC, made of each other in the usual way. */
static void put_uids(uint8_t *p, const uint8_t mac[6])
{
    uint64_t oui = mac[0] << 16 | mac[1] << 8 | mac[2];
    uint64_t nic = mac[3] << 16 | mac[4] << 8 | mac[5];

    MLX5_SET(uid_entry, p, num_allocated, 1);
    MLX5_SET(uid_entry, p, step, 1);
    MLX5_SET(uid_entry, p, uid, oui << 40 | UINT64_C(0x030000) << 16 | nic);
    p += UID_SIZE;
    MLX5_SET(uid_entry, p, num_allocated, 1);
    MLX5_SET(uid_entry, p, step, 1);
    MLX5_SET(uid_entry, p, uid, oui << 24 | nic);
}

/* zlib's format, padded to whole dwords. */
static uint8_t *compressed(const char *text, size_t *len)
{
    uLong plain = strlen(text);
    uLongf packed = compressBound(plain);
    uint8_t *p = g_malloc0(packed + 4);

    if (compress((Bytef *)p, &packed, (const Bytef *)text, plain) != Z_OK) {
        g_error("zlib: out of memory");
    }
    *len = (packed + 3) & ~(size_t)3;
    return p;
}

/* ------------------------------------------------------------- whole --- */

static void init_image(Mlx5Fs4 *fs4, const Mlx5Fs4Device *dev)
{
    static const uint32_t magic[] = {
        0x4d544657, 0xabcdef00, 0xfade1234, 0x5678dead,
    };
    size_t ini_len, ini_at = SECTIONS + IMAGE_INFO_SIZE;
    g_autofree uint8_t *ini = compressed(dev->ini, &ini_len);
    uint8_t *p;
    unsigned i;

    fs4->image_len = ini_at + ini_len;
    fs4->image = p = g_malloc(fs4->image_len);
    memset(p, 0xff, fs4->image_len);
    for (i = 0; i < G_N_ELEMENTS(magic); i++) {
        mlx5_st32(p + i * 4, magic[i]);
    }
    mlx5_st32(p + sizeof(magic), (uint32_t)IMAGE_FORMAT_FS4 << 24);
    memset(p + HW_POINTERS, 0, HW_POINTERS_COUNT * HW_POINTER_SIZE);
    put_hw_pointer(p, HW_POINTER_BOOT2, BOOT2);
    put_hw_pointer(p, HW_POINTER_TOC, ITOC);
    put_hw_pointer(p, HW_POINTER_TOOLS, TOOLS_AREA);
    put_hw_pointer(p, HW_POINTER_IMAGE_INFO, SECTIONS);
    put_tools_area(p + TOOLS_AREA);
    put_boot2(p + BOOT2);
    put_image_info(p + SECTIONS, dev);
    memcpy(p + ini_at, ini, ini_len);
    put_toc_header(p + ITOC, SIGNATURE_ITOC, 2);
    put_toc_entry(p + ITOC, 0, SECTION_IMAGE_INFO, SECTIONS, p + SECTIONS,
                  IMAGE_INFO_SIZE, CRC_IN_ENTRY);
    put_toc_entry(p + ITOC, 1, SECTION_DBG_FW_INI, ini_at, p + ini_at, ini_len,
                  CRC_IN_ENTRY);
}

static void init_data(Mlx5Fs4 *fs4, const Mlx5Fs4Device *dev)
{
    uint32_t base = MLX5_FLASH_SIZE - DATA_SIZE;
    uint8_t *mfg, *info;

    fs4->data_len = DATA_SIZE;
    fs4->data = g_malloc(DATA_SIZE);
    memset(fs4->data, 0xff, DATA_SIZE);
    mfg = fs4->data + MFG_INFO;
    memset(mfg, 0, MFG_INFO_SIZE);
    MLX5_SET(mfg_info, mfg, major_version, 1);
    PUT_TEXT(mfg_info, mfg, psid, dev->psid, 16);
    put_uids(mfg + UIDS_OFFSET, dev->mac);
    info = fs4->data + DEV_INFO;
    memset(info, 0, DEV_INFO_SIZE);
    MLX5_SET(device_info, info, signature0, 0x6d446576); /* "mDev" */
    MLX5_SET(device_info, info, signature1, 0x496e666f); /* "Info" */
    MLX5_SET(device_info, info, signature2, TOC_RANDOM2);
    MLX5_SET(device_info, info, signature3, TOC_RANDOM3);
    MLX5_SET(device_info, info, major_version, 2);
    MLX5_SET(device_info, info, vsd_vendor_id, dev->vendor_id);
    put_uids(info + UIDS_OFFSET, dev->mac);
    MLX5_SET(device_info, info, crc, crc16(info, DEV_INFO_SIZE - 4));
    put_toc_header(fs4->data + DTOC, SIGNATURE_DTOC, 2);
    put_toc_entry(fs4->data + DTOC, 0, SECTION_MFG_INFO, base + MFG_INFO, mfg,
                  MFG_INFO_SIZE, CRC_IN_ENTRY);
    put_toc_entry(fs4->data + DTOC, 1, SECTION_DEV_INFO, base + DEV_INFO, info,
                  DEV_INFO_SIZE, CRC_IN_SECTION);
}

void mlx5_fs4_init(Mlx5Fs4 *fs4, const Mlx5Fs4Device *dev)
{
    init_image(fs4, dev);
    init_data(fs4, dev);
}

void mlx5_fs4_clear(Mlx5Fs4 *fs4)
{
    g_clear_pointer(&fs4->image, g_free);
    g_clear_pointer(&fs4->data, g_free);
    fs4->image_len = 0;
    fs4->data_len = 0;
}

/* Copies what [@from, @from + @n) and the piece at @at have in common. */
static void overlay(uint8_t *buf, uint32_t from, size_t n, uint32_t at,
                    const uint8_t *piece, size_t len)
{
    uint32_t first = MAX(from, at);
    uint32_t end = MIN(from + n, at + len);

    if (first < end) {
        memcpy(buf + (first - from), piece + (first - at), end - first);
    }
}

void mlx5_fs4_read(const Mlx5Fs4 *fs4, uint32_t addr, uint8_t *buf, size_t len)
{
    memset(buf, 0xff, len);
    overlay(buf, addr, len, 0, fs4->image, fs4->image_len);
    overlay(buf, addr, len, MLX5_FLASH_SIZE - fs4->data_len, fs4->data,
            fs4->data_len);
}
