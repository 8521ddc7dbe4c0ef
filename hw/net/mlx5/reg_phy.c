/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Registers of lanes and module that tools read (mstlink), rows of the table in
 * cmd_reg.c. Owns no state. The wire is QEMU's: there are no transmitters to
 * tune and no eyes to measure, so these readings are marked as invalid, as on a
 * card without a link.
 */
#include "qemu/osdep.h"
#include "link.h"
#include "mlx5.h"
#include "module.h"
#include "profile.h"
#include "reg.h"
#include "hw/net/mlx5/prm_reg.h"

/* Clears all but the first @keep bytes, which say what was asked for. */
static void answer_from(uint8_t *out, size_t len, size_t keep)
{
    memset(out + keep, 0, len - keep);
}

/* SLTP: how a lane transmits. */
Mlx5Syndrome mlx5_reg_sltp_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                                size_t len)
{
    if (MLX5_GET(sltp_reg, in, pnat) || MLX5_GET(sltp_reg, in, port_type) ||
        MLX5_GET(sltp_reg, in, c_db)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (MLX5_GET(sltp_reg, in, lane) >= MLX5_PORT_LANES) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    answer_from(out, len, 4);
    MLX5_SET(sltp_reg, out, version, port->dev->profile->technology);
    MLX5_SET(sltp_reg, out, status, 0); /* invalid */
    return MLX5_OK;
}

/* SLRG: how well a lane receives. */
Mlx5Syndrome mlx5_reg_slrg_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                                size_t len)
{
    if (MLX5_GET(slrg_reg, in, pnat) || MLX5_GET(slrg_reg, in, port_type) ||
        MLX5_GET(slrg_reg, in, all_lanes)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (MLX5_GET(slrg_reg, in, lane) >= MLX5_PORT_LANES) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    answer_from(out, len, 4);
    MLX5_SET(slrg_reg, out, version, port->dev->profile->technology);
    MLX5_SET(slrg_reg, out, status, 0); /* invalid */
    return MLX5_OK;
}

/* PPAOS: the physical layer runs, in no test mode. */
Mlx5Syndrome mlx5_reg_ppaos_read(Mlx5Port *port, const uint8_t *in,
                                 uint8_t *out, size_t len)
{
    if (MLX5_GET(ppaos_reg, in, port_type)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    answer_from(out, len, 4);
    MLX5_SET(ppaos_reg, out, phy_test_mode_status, 0);
    MLX5_SET(ppaos_reg, out, phy_test_mode_admin, 0);
    MLX5_SET(ppaos_reg, out, phy_status, port->oper_up);
    return MLX5_OK;
}

enum { MODULE_PLUGGED = 1, MODULE_UNPLUGGED = 2 }; /* pmaos_reg.oper_status */
#define MODULE_ENABLED 1                           /* ... admin_status */

/* PMAOS: is a module plugged? */
Mlx5Syndrome mlx5_reg_pmaos_read(Mlx5Port *port, const uint8_t *in,
                                 uint8_t *out, size_t len)
{
    if (MLX5_GET(pmaos_reg, in, slot_index) ||
        MLX5_GET(pmaos_reg, in, rst)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (MLX5_GET(pmaos_reg, in, module)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out, 0, len);
    MLX5_SET(pmaos_reg, out, admin_status, MODULE_ENABLED);
    MLX5_SET(pmaos_reg, out, oper_status,
             mlx5_link_cable(port) ? MODULE_PLUGGED : MODULE_UNPLUGGED);
    return MLX5_OK;
}

/* pddr_module_info.cable_type; cable_identifier 0 is QSFP28 */
enum { CABLE_PASSIVE_COPPER = 3, CABLE_UNPLUGGED = 4 };

/* Text of the EEPROM, padded with spaces as the page has it. */
static void module_text(uint8_t *page, unsigned bit, unsigned at, size_t len)
{
    mlx5_module_read(0, at, page + bit / 8, len);
}

static uint8_t module_byte(unsigned at)
{
    uint8_t byte = 0;

    mlx5_module_read(0, at, &byte, 1);
    return byte;
}

void mlx5_reg_pddr_module(Mlx5Port *port, uint8_t *page, size_t len)
{
    uint8_t rev[2];

    memset(page, 0, len);
    if (!mlx5_link_cable(port)) {
        MLX5_SET(pddr_module_info, page, cable_type, CABLE_UNPLUGGED);
        return;
    }
    MLX5_SET(pddr_module_info, page, cable_type, CABLE_PASSIVE_COPPER);
    MLX5_SET(pddr_module_info, page, ethernet_compliance_code,
             module_byte(131));
    MLX5_SET(pddr_module_info, page, ext_ethernet_compliance_code,
             module_byte(192));
    MLX5_SET(pddr_module_info, page, cable_technology, module_byte(147));
    MLX5_SET(pddr_module_info, page, cable_length, module_byte(146));
    MLX5_SET(pddr_module_info, page, nbr250, module_byte(222));
    module_text(page, MLX5_BIT_pddr_module_info_vendor_name, 148, 16);
    module_text(page, MLX5_BIT_pddr_module_info_vendor_pn, 168, 16);
    module_text(page, MLX5_BIT_pddr_module_info_vendor_sn, 196, 16);
    /* aligned to the right, unlike the other texts */
    mlx5_module_read(0, 184, rev, sizeof(rev));
    if (rev[1] == ' ') {
        rev[1] = rev[0];
        rev[0] = 0;
    }
    memcpy(page + MLX5_BIT_pddr_module_info_vendor_rev / 8 + 2, rev, 2);
    mlx5_module_read(0, 212, page + MLX5_BIT_pddr_module_info_date_code / 8, 8);
}
