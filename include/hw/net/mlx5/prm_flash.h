/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts: the firmware image in a card's flash, in the format that the
 * vendor's open tools (mstflint) call FS4. Names are those of the tools'
 * layouts, without their prefix image_layout_.
 *
 * One X-macro list per structure: F(structure, field, first bit, width), see
 * prm.h. Text fields have the width of their first dword.
 */
#ifndef HW_NET_MLX5_PRM_FLASH_H
#define HW_NET_MLX5_PRM_FLASH_H

#include "hw/net/mlx5/prm.h"

#define MLX5_PRM_hw_pointer_entry(F) \
    F(hw_pointer_entry, ptr, 0x000, 32) \
    F(hw_pointer_entry, crc, 0x030, 16)

#define MLX5_PRM_tools_area(F) \
    F(tools_area, major, 0x010, 8) \
    F(tools_area, minor, 0x018, 8) \
    F(tools_area, log2_img_slot_size, 0x020, 16) \
    F(tools_area, bin_ver_major, 0x030, 8) \
    F(tools_area, bin_ver_minor, 0x038, 8) \
    F(tools_area, crc, 0x1f0, 16)

#define MLX5_PRM_itoc_header(F) \
    F(itoc_header, signature0, 0x000, 32) \
    F(itoc_header, signature1, 0x020, 32) \
    F(itoc_header, signature2, 0x040, 32) \
    F(itoc_header, signature3, 0x060, 32) \
    F(itoc_header, version, 0x098, 8) \
    F(itoc_header, num_of_entries, 0x0b8, 8) \
    F(itoc_header, itoc_entry_crc, 0x0f0, 16)

/* size and flash_addr count dwords */
#define MLX5_PRM_itoc_entry(F) \
    F(itoc_entry, type, 0x000, 8) \
    F(itoc_entry, size, 0x008, 22) \
    F(itoc_entry, flash_addr, 0x0a1, 29) \
    F(itoc_entry, crc, 0x0cd, 3) \
    F(itoc_entry, section_crc, 0x0d0, 16) \
    F(itoc_entry, itoc_entry_crc, 0x0f0, 16)

#define MLX5_PRM_image_info(F) \
    F(image_info, major_version, 0x000, 8) \
    F(image_info, minor_version, 0x008, 8) \
    F(image_info, fw_ver_major, 0x020, 16) \
    F(image_info, fw_ver_minor, 0x040, 16) \
    F(image_info, fw_ver_subminor, 0x050, 16) \
    F(image_info, fw_year, 0x080, 16) \
    F(image_info, fw_month, 0x090, 8) \
    F(image_info, fw_day, 0x098, 8) \
    F(image_info, mic_ver_major, 0x0a0, 16) \
    F(image_info, mic_ver_minor, 0x0c0, 16) \
    F(image_info, pci_device_id, 0x0e0, 16) \
    F(image_info, pci_vendor_id, 0x0f0, 16) \
    F(image_info, pci_subsystem_id, 0x100, 16) \
    F(image_info, pci_sub_vendor_id, 0x110, 16) \
    F(image_info, psid, 0x120, 32) \
    F(image_info, vsd_vendor_id, 0x1b0, 16) \
    F(image_info, image_size_run_from_any, 0x840, 1) \
    F(image_info, image_size_log_step, 0x858, 8) \
    F(image_info, image_size_max_size, 0x860, 32) \
    F(image_info, supported_hw_id0, 0x8c0, 32) \
    F(image_info, prod_ver, 0xe00, 32) \
    F(image_info, description, 0xe80, 32) \
    F(image_info, name, 0x1a00, 32)

#define MLX5_PRM_uid_entry(F) \
    F(uid_entry, step, 0x010, 8) \
    F(uid_entry, num_allocated, 0x018, 8) \
    F(uid_entry, uid, 0x040, 64)

/* followed by two uid_entry, of GUIDs and of MACs, at bytes 0x20 and 0x30 */
#define MLX5_PRM_mfg_info(F) \
    F(mfg_info, psid, 0x000, 32) \
    F(mfg_info, major_version, 0x0e0, 8) \
    F(mfg_info, minor_version, 0x0e8, 8)

#define MLX5_PRM_device_info(F) \
    F(device_info, signature0, 0x000, 32) \
    F(device_info, signature1, 0x020, 32) \
    F(device_info, signature2, 0x040, 32) \
    F(device_info, signature3, 0x060, 32) \
    F(device_info, major_version, 0x08f, 9) \
    F(device_info, minor_version, 0x098, 8) \
    F(device_info, vsd_vendor_id, 0x370, 16) \
    F(device_info, crc, 0xff0, 16)

MLX5_PRM_STRUCT(hw_pointer_entry)
MLX5_PRM_STRUCT(tools_area)
MLX5_PRM_STRUCT(itoc_header)
MLX5_PRM_STRUCT(itoc_entry)
MLX5_PRM_STRUCT(image_info)
MLX5_PRM_STRUCT(uid_entry)
MLX5_PRM_STRUCT(mfg_info)
MLX5_PRM_STRUCT(device_info)

#endif
