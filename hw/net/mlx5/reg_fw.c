/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of firmware, flash and non-volatile configuration, rows of the
 * table in cmd_reg.c (driver: fw.c, lib/nv_param.c; tools: mstflint). Owns no
 * state.
 */
#include "qemu/osdep.h"
#include "flash.h"
#include "nvconfig.h"
#include "profile.h"
#include "reg.h"
#include "hw/net/mlx5/prm_reg.h"

static void version_text(const Mlx5Profile *p, char *text, size_t room)
{
    g_snprintf(text, room, "%u.%u.%04u", p->fw_major, MLX5_FW_MINOR,
               MLX5_FW_SUBMINOR);
}

/* ------------------------------------------------------------- device --- */

/* MGIR: what device this is, and which firmware runs. */
Mlx5Syndrome mlx5_reg_mgir_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                                size_t len)
{
    const uint8_t *mac = port->dev->conf.macaddr.a;
    const Mlx5Profile *p = port->dev->profile;

    memset(out, 0, len);
    MLX5_SET(mgir, out, device_hw_revision, p->revision);
    MLX5_SET(mgir, out, device_id, p->pci_device);
    MLX5_SET(mgir, out, num_ports, 1);
    MLX5_SET(mgir, out, technology, p->technology);
    MLX5_SET(mgir, out, hw_dev_id, p->hw_id);
    MLX5_SET(mgir, out, manufacturing_base_mac_47_32, mac[0] << 8 | mac[1]);
    MLX5_SET(mgir, out, manufacturing_base_mac_31_0, ldl_be_p(mac + 2));
    /* the firmware starts with the machine */
    MLX5_SET(mgir, out, uptime, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) / 1000);
    MLX5_SET(mgir, out, fw_major, p->fw_major);
    MLX5_SET(mgir, out, fw_minor, MLX5_FW_MINOR);
    MLX5_SET(mgir, out, fw_sub_minor, MLX5_FW_SUBMINOR);
    MLX5_SET(mgir, out, fw_year, MLX5_FW_YEAR);
    MLX5_SET(mgir, out, fw_month, MLX5_FW_MONTH);
    MLX5_SET(mgir, out, fw_day, MLX5_FW_DAY);
    memcpy(out + MLX5_BIT_mgir_psid / 8, p->board_id, strlen(p->board_id));
    MLX5_SET(mgir, out, extended_major, p->fw_major);
    MLX5_SET(mgir, out, extended_minor, MLX5_FW_MINOR);
    MLX5_SET(mgir, out, extended_sub_minor, MLX5_FW_SUBMINOR);
    return MLX5_OK;
}

/* MLOCK: nobody has locked the tools out of this host, and nobody can. */
Mlx5Syndrome mlx5_reg_mlock_read(Mlx5Port *port, const uint8_t *in,
                                 uint8_t *out, size_t len)
{
    memset(out, 0, len);
    return MLX5_OK;
}

/* -------------------------------------------------------------- flash --- */

#define MFBA_MAX 256 /* bytes of flash in one access */

/* MFPA: the flash chip, of which there is one. */
Mlx5Syndrome mlx5_reg_mfpa_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                                size_t len)
{
    if (MLX5_GET(mfpa, in, fs)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out, 0, len);
    MLX5_SET(mfpa, out, flash_num, 1);
    MLX5_SET(mfpa, out, jedec_id, MLX5_FLASH_JEDEC_ID);
    return MLX5_OK;
}

size_t mlx5_reg_mfba_size(const uint8_t *in)
{
    return MLX5_MFBA_HEADER + MLX5_GET(mfba, in, size);
}

/*
 * MFBA: reads a piece of flash. Its data are dwords, each with the byte of the
 * lowest address in its least significant byte.
 */
Mlx5Syndrome mlx5_reg_mfba_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                                size_t len)
{
    uint32_t size = MLX5_GET(mfba, in, size);
    uint8_t bytes[MFBA_MAX];
    unsigned i;

    if (MLX5_GET(mfba, in, fs) || !size || size % 4 || size > MFBA_MAX ||
        !mlx5_flash_read(port->dev, MLX5_GET(mfba, in, address), bytes, size)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    for (i = 0; i < size; i += 4) {
        mlx5_st32(out + MLX5_MFBA_HEADER + i, ldl_le_p(bytes + i));
    }
    return MLX5_OK;
}

/* ----------------------------------------------------------- firmware --- */

/*
 * There is one component, the firmware, which never changes: no flashing (MCC,
 * MCDA), and no update is ever pending.
 */
#define MCQS_IDENTIFIER_BOOT_IMG 1
#define MCQS_COMPONENT_PRESENT 1
#define MCQS_UPDATE_STATE_IDLE 0

/* Driver: fw.c mlx5_get_boot_img_component_index, for `devlink dev info`. */
Mlx5Syndrome mlx5_reg_mcqs_read(Mlx5Port *port, const uint8_t *in,
                                uint8_t *out, size_t len)
{
    if (MLX5_GET(mcqs_reg, in, component_index)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out, 0, len);
    MLX5_SET(mcqs_reg, out, last_index_flag, 1);
    MLX5_SET(mcqs_reg, out, identifier, MCQS_IDENTIFIER_BOOT_IMG);
    MLX5_SET(mcqs_reg, out, component_status, MCQS_COMPONENT_PRESENT);
    MLX5_SET(mcqs_reg, out, component_update_state, MCQS_UPDATE_STATE_IDLE);
    return MLX5_OK;
}

/* mcqi_reg.info_type */
enum { MCQI_CAPABILITIES = 0, MCQI_VERSION = 1 };
#define MCQI_DATA_OFFSET 0x18
#define MCQI_DATA_MAX 0x7c

/* Driver: fw.c mlx5_fw_version_query. The stored version is the running one. */
Mlx5Syndrome mlx5_reg_mcqi_read(Mlx5Port *port, const uint8_t *in,
                                uint8_t *out, size_t len)
{
    uint32_t type = MLX5_GET(mcqi_reg, in, info_type);
    uint32_t n = MLX5_GET(mcqi_reg, in, data_size);
    const Mlx5Profile *p = port->dev->profile;
    uint8_t data[MCQI_DATA_MAX] = { 0 };
    char text[16];
    uint32_t info_size;

    if (MLX5_GET(mcqi_reg, in, component_index) ||
        MLX5_GET(mcqi_reg, in, offset) || n > sizeof(data) ||
        n > len - MCQI_DATA_OFFSET) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    switch (type) {
    case MCQI_CAPABILITIES:
        info_size = 0x14;
        MLX5_SET(mcqi_cap, data, supported_info_bitmask,
                 1u << MCQI_CAPABILITIES | 1u << MCQI_VERSION);
        break;
    case MCQI_VERSION:
        info_size = MCQI_DATA_MAX;
        version_text(p, text, sizeof(text));
        MLX5_SET(mcqi_version, data, version, mlx5_profile_fw_version(p));
        MLX5_SET(mcqi_version, data, version_string_length, strlen(text));
        memcpy(data + MLX5_BIT_mcqi_version_version_string / 8, text,
               strlen(text));
        break;
    default:
        return MLX5_SYN_REG_BAD_GROUP;
    }
    memset(out + MCQI_DATA_OFFSET, 0, len - MCQI_DATA_OFFSET);
    MLX5_SET(mcqi_reg, out, info_size, info_size);
    memcpy(out + MCQI_DATA_OFFSET, data, n);
    return MLX5_OK;
}

/* mfrl_reg.reset_level is a mask: only a reboot restarts the firmware. */
#define MFRL_LEVEL_REBOOT 0x40

/* Driver: fw_reset.c mlx5_fw_reset_query, for `devlink dev reload`. */
Mlx5Syndrome mlx5_reg_mfrl_read(Mlx5Port *port, const uint8_t *in,
                                uint8_t *out, size_t len)
{
    memset(out, 0, len);
    MLX5_SET(mfrl_reg, out, reset_level, MFRL_LEVEL_REBOOT);
    return MLX5_OK;
}

/* MNVDA (driver: lib/nv_param.c), see nvconfig.h */
Mlx5Syndrome mlx5_reg_mnvda_read(Mlx5Port *port, const uint8_t *in,
                                 uint8_t *out, size_t len)
{
    return mlx5_nv_read(port->fn, in, out);
}

Mlx5Syndrome mlx5_reg_mnvda_write(Mlx5Port *port, const uint8_t *in,
                                  uint8_t *out, size_t len)
{
    return mlx5_nv_write(port->fn, in);
}

/* MNVQC: tools ask it of every item that they know. */
Mlx5Syndrome mlx5_reg_mnvqc_read(Mlx5Port *port, const uint8_t *in,
                                 uint8_t *out, size_t len)
{
    bool readable, writable;

    mlx5_nv_query(MLX5_GET(mnvqc, in, type), &readable, &writable);
    MLX5_SET(mnvqc, out, version, 0);
    MLX5_SET(mnvqc, out, support_rd, readable);
    MLX5_SET(mnvqc, out, support_wr, writable);
    return MLX5_OK;
}
