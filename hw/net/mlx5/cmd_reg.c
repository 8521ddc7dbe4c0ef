/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ACCESS_REG: the port and management registers (driver: core/port.c,
 * en/port.c, en_ethtool.c, en_stats.c). One table lists the supported
 * registers; their state is in the port.
 *
 * A read takes its parameters from index fields of the register in the input.
 * The table has the smallest sizes used by drivers: register layouts grow at
 * the end from one driver version to the next.
 */
#include "qemu/osdep.h"
#include "cmd.h"
#include "err.h"
#include "link.h"
#include "module.h"
#include "nvconfig.h"
#include "port.h"
#include "reg.h"
#include "trace.h"
#include "hw/net/mlx5/prm_reg.h"

#define REG_DATA_OFFSET 0x10

/* NODE_DESC: up to 64 bytes, the last one 0 */
#define NODE_DESCRIPTION "QEMU mlx5-ktls"

/* access_register_in.op_mod */
enum { REG_WRITE = 0, REG_READ = 1 };

/* ------------------------------------------------------- management --- */

/*
 * HOST_ENDIANNESS: 0 little, 0x80 big (driver: main.c set_hca_ctrl). Silicon
 * needs it for atomics and signatures, which are not supported here.
 */
static Mlx5Syndrome host_endianness_write(Mlx5Port *port, const uint8_t *in,
                                          uint8_t *out, size_t len)
{
    if (MLX5_GET(host_endianness_reg, in, he) & ~0x80u) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    return MLX5_OK;
}

/* DTOR: all zero, so drivers use their own timeouts (lib/tout.c). */
static Mlx5Syndrome dtor_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    memset(out, 0, len);
    return MLX5_OK;
}

/* NODE_DESC: the node's description (driver: port.c mlx5_query_node_desc) */
static Mlx5Syndrome node_desc_read(Mlx5Port *port, const uint8_t *in,
                                   uint8_t *out, size_t len)
{
    memset(out, 0, len);
    memcpy(out, NODE_DESCRIPTION, sizeof(NODE_DESCRIPTION));
    return MLX5_OK;
}

/* ------------------------------------------------------------- link --- */

/* PMTU (driver: port.c mlx5_query_port_mtu, mlx5_set_port_mtu) */
static Mlx5Syndrome pmtu_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    MLX5_SET(pmtu_reg, out, max_mtu, port->max_mtu);
    MLX5_SET(pmtu_reg, out, admin_mtu, port->admin_mtu);
    MLX5_SET(pmtu_reg, out, oper_mtu, port->oper_mtu);
    return MLX5_OK;
}

static Mlx5Syndrome pmtu_write(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    uint32_t mtu = MLX5_GET(pmtu_reg, in, admin_mtu);

    if (mtu <= MLX5_HW_MTU_OVERHEAD || mtu > port->max_mtu) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    trace_mlx5_port_mtu(mlx5_id(port->fn), port->oper_mtu, mtu);
    port->admin_mtu = mtu;
    port->oper_mtu = mtu;
    return pmtu_read(port, in, out, len);
}

/* PAOS (driver: port.c mlx5_set_port_admin_status) */
static Mlx5Syndrome paos_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    MLX5_SET(paos_reg, out, admin_status, port->admin);
    MLX5_SET(paos_reg, out, oper_status,
             port->oper_up ? MLX5_PORT_UP : MLX5_PORT_DOWN);
    MLX5_SET(paos_reg, out, e, 1); /* changes always raise an event */
    return MLX5_OK;
}

static Mlx5Syndrome paos_write(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    uint32_t admin = MLX5_GET(paos_reg, in, admin_status);

    if (MLX5_GET(paos_reg, in, ee)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (MLX5_GET(paos_reg, in, ase)) {
        if (admin != MLX5_PORT_UP && admin != MLX5_PORT_DOWN) {
            return MLX5_SYN_REG_BAD_VALUE;
        }
        port->admin = admin;
        mlx5_port_update_link(port);
    }
    return paos_read(port, in, out, len);
}

/* ptys_reg.proto_mask */
#define PTYS_EN 4
/* ptys_reg.an_status */
enum { AN_COMPLETE = 1, AN_LINK_UP = 3, AN_LINK_DOWN = 4 };
/* ptys_reg.connector_type: direct attach copper */
#define CONNECTOR_DA 7
/* ptys_reg.data_rate_oper counts 100 Mb/s */
#define DATA_RATE_UNIT 100

/*
 * PTYS (driver: port.c mlx5_query_port_ptys, en_ethtool.c
 * mlx5e_ethtool_get_link_ksettings). The two admin fields exclude each other;
 * the mode in use is told in both forms.
 */
static Mlx5Syndrome ptys_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    const Mlx5LinkMode *mode = port->oper_up ? mlx5_link_mode(port) : NULL;

    if (MLX5_GET(ptys_reg, in, plane_ind)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (!(MLX5_GET(ptys_reg, in, proto_mask) & PTYS_EN)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out, 0, len);
    MLX5_SET(port_reg, out, local_port, MLX5_PORT_NUM);
    MLX5_SET(ptys_reg, out, proto_mask, PTYS_EN);
    MLX5_SET(ptys_reg, out, an_disable_cap, 1);
    MLX5_SET(ptys_reg, out, an_disable_admin, port->an_disable);
    MLX5_SET(ptys_reg, out, eth_proto_capability, mlx5_link_proto_cap(false));
    MLX5_SET(ptys_reg, out, ext_eth_proto_capability,
             mlx5_link_proto_cap(true));
    if (port->proto_ext) {
        MLX5_SET(ptys_reg, out, ext_eth_proto_admin, port->proto_admin);
    } else {
        MLX5_SET(ptys_reg, out, eth_proto_admin, port->proto_admin);
    }
    MLX5_SET(ptys_reg, out, connector_type, CONNECTOR_DA);
    MLX5_SET(ptys_reg, out, an_status, !mode ? AN_LINK_DOWN :
             port->an_disable ? AN_LINK_UP : AN_COMPLETE);
    if (mode) {
        MLX5_SET(ptys_reg, out, eth_proto_oper, mode->eth_proto);
        MLX5_SET(ptys_reg, out, ext_eth_proto_oper, mode->ext_eth_proto);
        MLX5_SET(ptys_reg, out, data_rate_oper, mode->speed / DATA_RATE_UNIT);
        if (!port->an_disable) {
            MLX5_SET(ptys_reg, out, eth_proto_lp_advertise,
                     mlx5_link_partner_modes(port));
        }
    }
    return MLX5_OK;
}

/* Driver: en/port.c mlx5_port_set_eth_ptys. */
static Mlx5Syndrome ptys_write(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    uint32_t ext = MLX5_GET(ptys_reg, in, ext_eth_proto_admin);
    uint32_t legacy = MLX5_GET(ptys_reg, in, eth_proto_admin);

    if (MLX5_GET(ptys_reg, in, plane_ind)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (MLX5_GET(ptys_reg, in, proto_mask) != PTYS_EN || !ext == !legacy ||
        ext & ~mlx5_link_proto_cap(true) ||
        legacy & ~mlx5_link_proto_cap(false)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    port->proto_ext = ext != 0;
    port->proto_admin = ext ? ext : legacy;
    port->an_disable = MLX5_GET(ptys_reg, in, an_disable_admin);
    trace_mlx5_port_modes(mlx5_id(port->fn),
                          port->proto_ext ? "extended" : "legacy",
                          port->proto_admin, port->an_disable);
    mlx5_port_update_link(port);
    return ptys_read(port, in, out, len);
}

/*
 * PFCC (driver: port.c mlx5_query_port_pause, mlx5_set_port_pause). With pprx
 * the MAC obeys PAUSE. It never sends any, whatever pptx says: what finds no
 * receive WQE waits in the backend.
 */
static Mlx5Syndrome pfcc_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    memset(out, 0, len);
    MLX5_SET(port_reg, out, local_port, MLX5_PORT_NUM);
    MLX5_SET(pfcc_reg, out, pptx, port->pause_tx);
    MLX5_SET(pfcc_reg, out, pprx, port->pause_rx);
    return MLX5_OK;
}

static Mlx5Syndrome pfcc_write(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    if (MLX5_GET(pfcc_reg, in, pfctx) || MLX5_GET(pfcc_reg, in, pfcrx) ||
        MLX5_GET(pfcc_reg, in, minor_stall_mask) ||
        MLX5_GET(pfcc_reg, in, critical_stall_mask)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    /*
     * A write with priority masks only affects priorities (driver: port.c
     * mlx5_set_port_pfc); one with a mask_n leaves that direction unchanged.
     */
    if (!MLX5_GET(pfcc_reg, in, prio_mask_tx) &&
        !MLX5_GET(pfcc_reg, in, prio_mask_rx)) {
        if (!MLX5_GET(pfcc_reg, in, pptx_mask_n)) {
            port->pause_tx = MLX5_GET(pfcc_reg, in, pptx);
        }
        if (!MLX5_GET(pfcc_reg, in, pprx_mask_n)) {
            port->pause_rx = MLX5_GET(pfcc_reg, in, pprx);
        }
    }
    return pfcc_read(port, in, out, len);
}

/* PPLM: where the settings of each class of link modes are. */
static const struct {
    uint16_t cap, admin;
} pplm_fields[MLX5_FEC_CLASSES] = {
#define CLASS(NAME, name)                                \
    [MLX5_FEC_##NAME] = {                                \
        MLX5_BIT_pplm_reg_fec_override_cap_##name,       \
        MLX5_BIT_pplm_reg_fec_override_admin_##name,     \
    }
    CLASS(10G_40G, 10g_40g),
    CLASS(25G, 25g),
    CLASS(50G, 50g),
    CLASS(100G, 100g),
#undef CLASS
};
#define PPLM_FIELD_WIDTH 4

/*
 * PPLM (driver: en/port.c mlx5e_get_fec_mode, mlx5e_set_fec_mode). Modes with
 * more than 25 Gb/s a lane, and their fields, do not exist on this cable.
 */
static Mlx5Syndrome pplm_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    const Mlx5LinkMode *mode = port->oper_up ? mlx5_link_mode(port) : NULL;
    unsigned i;

    memset(out, 0, len);
    MLX5_SET(port_reg, out, local_port, MLX5_PORT_NUM);
    for (i = 0; i < MLX5_FEC_CLASSES; i++) {
        mlx5_prm_set(out, pplm_fields[i].cap, PPLM_FIELD_WIDTH,
                     mlx5_link_fec_cap(i));
        mlx5_prm_set(out, pplm_fields[i].admin, PPLM_FIELD_WIDTH,
                     port->fec_admin[i]);
    }
    if (mode) {
        MLX5_SET(pplm_reg, out, fec_mode_active, mlx5_link_fec(port, mode));
    }
    return MLX5_OK;
}

/* A card negotiates anew when the driver toggles the link; this one at once. */
static Mlx5Syndrome pplm_write(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    uint8_t admin[MLX5_FEC_CLASSES];
    unsigned i;

    if (MLX5_GET(pplm_reg, in, rs_fec_correction_bypass_admin) ||
        MLX5_GET(pplm_reg, in, fec_override_admin_56g)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    for (i = 0; i < MLX5_FEC_CLASSES; i++) {
        admin[i] = mlx5_prm_get(in, pplm_fields[i].admin, PPLM_FIELD_WIDTH);
        if (admin[i] & ~mlx5_link_fec_cap(i)) {
            return MLX5_SYN_REG_BAD_VALUE;
        }
    }
    memcpy(port->fec_admin, admin, sizeof(admin));
    mlx5_port_update_link(port);
    return pplm_read(port, in, out, len);
}

/* ----------------------------------------------------------- module --- */

/* PMLP: mapping of lanes to modules (driver: port.c mlx5_query_module_num) */
static Mlx5Syndrome pmlp_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    uint8_t *lane = out + MLX5_BIT_pmlp_reg_lane0_module_mapping / 8;
    unsigned i;

    MLX5_SET(pmlp_reg, out, width, MLX5_PORT_LANES);
    for (i = 0; i < MLX5_PORT_LANES; i++, lane += 4) {
        MLX5_SET(lane_2_module_mapping, lane, rx_lane, i);
        MLX5_SET(lane_2_module_mapping, lane, tx_lane, i);
        MLX5_SET(lane_2_module_mapping, lane, module, 0);
    }
    return MLX5_OK;
}

/* mcia_reg.status */
enum {
    MCIA_STATUS_GOOD = 0,
    MCIA_STATUS_NOT_CONNECTED = 3,
    MCIA_STATUS_I2C_ERROR = 9,
};
#define MCIA_DATA_OFFSET 0x10
/* Maximum bytes per read without the mcia_32dwords capability. */
#define MCIA_MAX_SIZE 48
/* The I2C address of QSFP modules. */
#define MCIA_I2C_ADDRESS 0x50

/* MCIA: EEPROM of the cable (driver: port.c mlx5_query_mcia). */
static Mlx5Syndrome mcia_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    uint32_t size = MLX5_GET(mcia_reg, in, size);

    if (MLX5_GET(mcia_reg, in, module) || size > MCIA_MAX_SIZE ||
        size > len - MCIA_DATA_OFFSET) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out + MCIA_DATA_OFFSET, 0, len - MCIA_DATA_OFFSET);
    if (!mlx5_link_cable(port)) {
        MLX5_SET(mcia_reg, out, status, MCIA_STATUS_NOT_CONNECTED);
    } else if (MLX5_GET(mcia_reg, in, i2c_device_address) !=
               MCIA_I2C_ADDRESS) {
        MLX5_SET(mcia_reg, out, status, MCIA_STATUS_I2C_ERROR);
    } else if (mlx5_module_read(MLX5_GET(mcia_reg, in, page_number),
                                MLX5_GET(mcia_reg, in, device_address),
                                out + MCIA_DATA_OFFSET, size)) {
        MLX5_SET(mcia_reg, out, status, MCIA_STATUS_GOOD);
    } else {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    return MLX5_OK;
}

/* ------------------------------------------------------ diagnostics --- */

#define PDDR_PAGE_OFFSET 8
/* pddr_reg.page_select */
enum {
    PDDR_PAGE_OPERATION = 0,
    PDDR_PAGE_TROUBLESHOOTING = 1,
    PDDR_PAGE_MODULE = 3,
};
#define PDDR_MESSAGE_OFFSET 0x0c
#define PDDR_GROUP_MONITOR 0

/* pddr_operation_info_page */
enum { PHY_MNGR_DISABLED = 0, PHY_MNGR_POLLING = 2, PHY_MNGR_ACTIVE = 3 };
enum { ETH_AN_ENABLE = 0, ETH_AN_ABILITY_DETECT = 2, ETH_AN_LINK_UP = 6 };

/* What the port is doing, for tools. */
static Mlx5Syndrome pddr_operation(Mlx5Port *port, uint8_t *page, size_t len)
{
    const Mlx5LinkMode *mode = port->oper_up ? mlx5_link_mode(port) : NULL;
    bool tries = port->admin == MLX5_PORT_UP;

    memset(page, 0, len);
    MLX5_SET(pddr_operation_info_page, page, proto_active, PTYS_EN);
    MLX5_SET(pddr_operation_info_page, page, phy_mngr_fsm_state,
             mode ? PHY_MNGR_ACTIVE :
             tries ? PHY_MNGR_POLLING : PHY_MNGR_DISABLED);
    MLX5_SET(pddr_operation_info_page, page, eth_an_fsm_state,
             mode ? ETH_AN_LINK_UP :
             tries ? ETH_AN_ABILITY_DETECT : ETH_AN_ENABLE);
    if (mlx5_link_cable(port)) {
        MLX5_SET(pddr_operation_info_page, page, cable_proto_cap,
                 mlx5_link_proto_cap(true));
    }
    if (mode) {
        MLX5_SET(pddr_operation_info_page, page, link_active,
                 mode->ext_eth_proto);
        if (mlx5_link_fec(port, mode)) {
            MLX5_SET(pddr_operation_info_page, page, fec_mode_active,
                     ctz32(mlx5_link_fec(port, mode)));
        }
    }
    return MLX5_OK;
}

/*
 * PDDR: the port's operation, the reason why the link is down (driver:
 * en_ethtool.c query_port_status_opcode), and the module.
 */
static Mlx5Syndrome pddr_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    Mlx5LinkState state = port->oper_up ? MLX5_LINK_UP : mlx5_link_state(port);
    const char *message = mlx5_link_message(state);
    uint8_t *page = out + PDDR_PAGE_OFFSET;

    if (MLX5_GET(pddr_reg, in, page_select) == PDDR_PAGE_OPERATION) {
        return pddr_operation(port, page, len - PDDR_PAGE_OFFSET);
    }
    if (MLX5_GET(pddr_reg, in, page_select) == PDDR_PAGE_MODULE) {
        mlx5_reg_pddr_module(port, page, len - PDDR_PAGE_OFFSET);
        return MLX5_OK;
    }
    if (MLX5_GET(pddr_reg, in, page_select) != PDDR_PAGE_TROUBLESHOOTING ||
        MLX5_GET(pddr_troubleshooting_page, in + PDDR_PAGE_OFFSET,
                 group_opcode) != PDDR_GROUP_MONITOR) {
        return MLX5_SYN_REG_BAD_GROUP;
    }
    memset(page, 0, len - PDDR_PAGE_OFFSET);
    MLX5_SET(pddr_troubleshooting_page, page, status_opcode,
             mlx5_link_opcode(state));
    memcpy(page + PDDR_MESSAGE_OFFSET, message, strlen(message));
    return MLX5_OK;
}

/* ------------------------------------------------------------ PPCNT --- */

#define PPCNT_SET_OFFSET 8

/* Sources of the counter sets. */
enum {
    RX_FRAMES, RX_OCTETS, RX_UNI, RX_MULTI, RX_BROAD,
    TX_FRAMES, TX_OCTETS, TX_UNI, TX_MULTI, TX_BROAD,
    RX_TOO_LONG, RX_TOO_SHORT, RX_ERRORS, TX_DISCARDS, TX_ERRORS,
    LINK_DOWN_EVENTS, RX_CONTROL, RX_PAUSE, RX_UNSUPPORTED, TX_CONTROL,
    TX_PAUSE,
    RX_SIZE_0, RX_SIZE_1, RX_SIZE_2, RX_SIZE_3, RX_SIZE_4,
    RX_SIZE_5, RX_SIZE_6, RX_SIZE_7, RX_SIZE_8, RX_SIZE_9,
    UP_MS, UP_BITS, NO_ERRORS,
    PORT_VALUE__COUNT
};

static void port_values(Mlx5Port *port, uint64_t v[PORT_VALUE__COUNT])
{
    const Mlx5PortCounters *c = &port->counters;
    unsigned i;

    QEMU_BUILD_BUG_ON(RX_SIZE_9 - RX_SIZE_0 + 1 != ARRAY_SIZE(c->rx_size));
    memset(v, 0, PORT_VALUE__COUNT * sizeof(v[0]));
    for (i = 0; i < MLX5_CAST__COUNT; i++) {
        v[RX_FRAMES] += c->rx[i].packets;
        v[RX_OCTETS] += c->rx[i].octets;
        v[TX_FRAMES] += c->tx[i].packets;
        v[TX_OCTETS] += c->tx[i].octets;
    }
    v[RX_UNI] = c->rx[MLX5_CAST_UNI].packets;
    v[RX_MULTI] = c->rx[MLX5_CAST_MULTI].packets;
    v[RX_BROAD] = c->rx[MLX5_CAST_BROAD].packets;
    v[TX_UNI] = c->tx[MLX5_CAST_UNI].packets;
    v[TX_MULTI] = c->tx[MLX5_CAST_MULTI].packets;
    v[TX_BROAD] = c->tx[MLX5_CAST_BROAD].packets;
    v[RX_TOO_LONG] = c->rx_too_long;
    v[RX_TOO_SHORT] = c->rx_too_short;
    v[RX_ERRORS] = c->rx_too_long + c->rx_too_short;
    v[TX_DISCARDS] = c->tx_link_down;
    v[TX_ERRORS] = c->tx_too_long;
    v[LINK_DOWN_EVENTS] = c->link_down_events;
    v[RX_CONTROL] = c->rx_mac_control;
    v[RX_PAUSE] = c->rx_pause;
    v[RX_UNSUPPORTED] = c->rx_unsupported_op;
    v[TX_CONTROL] = c->tx_mac_control;
    v[TX_PAUSE] = c->tx_pause;
    for (i = 0; i < ARRAY_SIZE(c->rx_size); i++) {
        v[RX_SIZE_0 + i] = c->rx_size[i];
    }
    v[UP_MS] = mlx5_port_since_reset_ns(port) / SCALE_MS;
    v[UP_BITS] = mlx5_port_line_bits(port);
}

/* ppcnt_reg.grp */
enum {
    PPCNT_802_3 = 0x0,
    PPCNT_RFC_2863 = 0x1,
    PPCNT_RFC_2819 = 0x2,
    PPCNT_PER_PRIO = 0x10,
    PPCNT_PHY = 0x12,
    PPCNT_PHY_STATISTICAL = 0x16,
};
/*
 * Without QoS all frames have priority 0, like untagged ones: priorities in
 * VLAN tags are ignored.
 */
#define PPCNT_PRIOS 8

/* Position of each value in the counter sets; fields not listed are zero. */
static const struct {
    uint8_t grp;
    uint8_t value;
    uint8_t width;
    uint16_t bit;
} ppcnt_fields[] = {
#define ROW(g, st, field, val)                                         \
    { .grp = PPCNT_##g, .value = val, .width = MLX5_WIDTH_##st##_##field, \
      .bit = MLX5_BIT_##st##_##field }
#define ROW_802_3(f, v) ROW(802_3, eth_802_3_cntrs_grp_data_layout, f, v)
#define ROW_2863(f, v) ROW(RFC_2863, eth_2863_cntrs_grp_data_layout, f, v)
#define ROW_2819(f, v) ROW(RFC_2819, eth_2819_cntrs_grp_data_layout, f, v)
#define ROW_PRIO(f, v) ROW(PER_PRIO, eth_per_prio_grp_data_layout, f, v)
#define ROW_STAT(f, v) ROW(PHY_STATISTICAL, phys_layer_statistical_cntrs, f, v)
    ROW_802_3(a_frames_transmitted_ok, TX_FRAMES),
    ROW_802_3(a_frames_received_ok, RX_FRAMES),
    ROW_802_3(a_octets_transmitted_ok, TX_OCTETS),
    ROW_802_3(a_octets_received_ok, RX_OCTETS),
    ROW_802_3(a_multicast_frames_xmitted_ok, TX_MULTI),
    ROW_802_3(a_broadcast_frames_xmitted_ok, TX_BROAD),
    ROW_802_3(a_multicast_frames_received_ok, RX_MULTI),
    ROW_802_3(a_broadcast_frames_received_ok, RX_BROAD),
    ROW_802_3(a_frame_too_long_errors, RX_TOO_LONG),
    ROW_802_3(a_mac_control_frames_transmitted, TX_CONTROL),
    ROW_802_3(a_mac_control_frames_received, RX_CONTROL),
    ROW_802_3(a_unsupported_opcodes_received, RX_UNSUPPORTED),
    ROW_802_3(a_pause_mac_ctrl_frames_received, RX_PAUSE),
    ROW_802_3(a_pause_mac_ctrl_frames_transmitted, TX_PAUSE),
    ROW_2863(if_in_octets, RX_OCTETS),
    ROW_2863(if_in_ucast_pkts, RX_UNI),
    ROW_2863(if_in_multicast_pkts, RX_MULTI),
    ROW_2863(if_in_broadcast_pkts, RX_BROAD),
    ROW_2863(if_in_errors, RX_ERRORS),
    ROW_2863(if_out_octets, TX_OCTETS),
    ROW_2863(if_out_ucast_pkts, TX_UNI),
    ROW_2863(if_out_multicast_pkts, TX_MULTI),
    ROW_2863(if_out_broadcast_pkts, TX_BROAD),
    ROW_2863(if_out_discards, TX_DISCARDS),
    ROW_2863(if_out_errors, TX_ERRORS),
    ROW_2819(ether_stats_octets, RX_OCTETS),
    ROW_2819(ether_stats_pkts, RX_FRAMES),
    ROW_2819(ether_stats_multicast_pkts, RX_MULTI),
    ROW_2819(ether_stats_broadcast_pkts, RX_BROAD),
    ROW_2819(ether_stats_undersize_pkts, RX_TOO_SHORT),
    ROW_2819(ether_stats_oversize_pkts, RX_TOO_LONG),
    ROW_2819(ether_stats_pkts64octets, RX_SIZE_0),
    ROW_2819(ether_stats_pkts65to127octets, RX_SIZE_1),
    ROW_2819(ether_stats_pkts128to255octets, RX_SIZE_2),
    ROW_2819(ether_stats_pkts256to511octets, RX_SIZE_3),
    ROW_2819(ether_stats_pkts512to1023octets, RX_SIZE_4),
    ROW_2819(ether_stats_pkts1024to1518octets, RX_SIZE_5),
    ROW_2819(ether_stats_pkts1519to2047octets, RX_SIZE_6),
    ROW_2819(ether_stats_pkts2048to4095octets, RX_SIZE_7),
    ROW_2819(ether_stats_pkts4096to8191octets, RX_SIZE_8),
    ROW_2819(ether_stats_pkts8192to10239octets, RX_SIZE_9),
    ROW_PRIO(rx_octets, RX_OCTETS),
    ROW_PRIO(rx_frames, RX_FRAMES),
    ROW_PRIO(tx_octets, TX_OCTETS),
    ROW_PRIO(tx_frames, TX_FRAMES),
    ROW_PRIO(rx_pause, RX_PAUSE),
    ROW_PRIO(tx_pause, TX_PAUSE),
    ROW(PHY, phys_layer_cntrs, link_down_events, LINK_DOWN_EVENTS),
    ROW_STAT(time_since_last_clear, UP_MS),
    ROW_STAT(phy_received_bits, UP_BITS),
    ROW_STAT(phy_symbol_errors, NO_ERRORS),
    ROW_STAT(phy_corrected_bits, NO_ERRORS),
#undef ROW_STAT
#undef ROW_802_3
#undef ROW_2863
#undef ROW_2819
#undef ROW_PRIO
#undef ROW
};

/* PPCNT (driver: en_stats.c, groups 802_3, 2863, 2819, phy, per_prio) */
static Mlx5Syndrome ppcnt_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len)
{
    uint32_t grp = MLX5_GET(ppcnt_reg, in, grp);
    uint32_t prio = MLX5_GET(ppcnt_reg, in, prio_tc);
    uint64_t v[PORT_VALUE__COUNT];
    bool known = false;
    unsigned i;

    if (MLX5_GET(ppcnt_reg, in, clr) || MLX5_GET(ppcnt_reg, in, pnat) ||
        MLX5_GET(ppcnt_reg, in, plane_ind)) {
        return MLX5_SYN_REG_UNSUPPORTED_FIELD;
    }
    if (prio >= (grp == PPCNT_PER_PRIO ? PPCNT_PRIOS : 1)) {
        return MLX5_SYN_REG_BAD_VALUE;
    }
    memset(out + PPCNT_SET_OFFSET, 0, len - PPCNT_SET_OFFSET);
    port_values(port, v);
    for (i = 0; i < ARRAY_SIZE(ppcnt_fields); i++) {
        if (ppcnt_fields[i].grp == grp) {
            known = true;
            if (!prio) {
                mlx5_prm_set(out + PPCNT_SET_OFFSET, ppcnt_fields[i].bit,
                             ppcnt_fields[i].width, v[ppcnt_fields[i].value]);
            }
        }
    }
    return known ? MLX5_OK : MLX5_SYN_REG_BAD_GROUP;
}

/* ------------------------------------------------------- dispatcher --- */

static Mlx5RegFn pcam_read;
static Mlx5RegFn mcam_read;

/* Port registers contain local_port, which must be ours. */
#define PORT_REG true
#define OTHER_REG false

/* Sorted by number. */
static const struct {
    uint16_t id;
    uint16_t size;
    bool has_port;
    const char *name;
    Mlx5RegFn *read;
    Mlx5RegFn *write;
    /* of a register that says itself how long it is, within its first @size */
    size_t (*access_size)(const uint8_t *in);
} registers[] = {
    { 0x402d, 0x10, OTHER_REG, "MLOCK", mlx5_reg_mlock_read, NULL },
    { 0x5002, 0x40, PORT_REG, "PMLP", pmlp_read, NULL },
    { 0x5003, 0x10, PORT_REG, "PMTU", pmtu_read, pmtu_write },
    { 0x5004, 0x40, PORT_REG, "PTYS", ptys_read, ptys_write },
    { 0x5006, 0x10, PORT_REG, "PAOS", paos_read, paos_write },
    { 0x5007, 0x20, PORT_REG, "PFCC", pfcc_read, pfcc_write },
    { 0x5008, 0x100, PORT_REG, "PPCNT", ppcnt_read, NULL },
    { 0x5012, 0x10, OTHER_REG, "PMAOS", mlx5_reg_pmaos_read, NULL },
    { 0x5023, 0x30, PORT_REG, "PPLM", pplm_read, pplm_write },
    { 0x5027, 0x4c, PORT_REG, "SLTP", mlx5_reg_sltp_read, NULL },
    { 0x5028, 0x28, PORT_REG, "SLRG", mlx5_reg_slrg_read, NULL },
    { 0x5031, 0x100, PORT_REG, "PDDR", pddr_read, NULL },
    { 0x5040, 0x10, PORT_REG, "PPAOS", mlx5_reg_ppaos_read, NULL },
    { 0x507f, 0x50, OTHER_REG, "PCAM", pcam_read, NULL },
    { 0x6001, 0x40, OTHER_REG, "NODE_DESC", node_desc_read, NULL },
    { 0x7004, 0x10, OTHER_REG, "HOST_ENDIANNESS", NULL,
      host_endianness_write },
    { 0x9010, 0x20, OTHER_REG, "MFPA", mlx5_reg_mfpa_read, NULL },
    { 0x9011, MLX5_MFBA_HEADER, OTHER_REG, "MFBA", mlx5_reg_mfba_read, NULL,
      mlx5_reg_mfba_size },
    { 0x9014, 0x40, OTHER_REG, "MCIA", mcia_read, NULL },
    { 0x9020, 0x80, OTHER_REG, "MGIR", mlx5_reg_mgir_read, NULL },
    { 0x9024, MLX5_NV_HEADER_SIZE, OTHER_REG, "MNVDA", mlx5_reg_mnvda_read,
      mlx5_reg_mnvda_write, mlx5_nv_access_size },
    { 0x9028, 0x08, OTHER_REG, "MFRL", mlx5_reg_mfrl_read, NULL },
    { 0x9030, 0x08, OTHER_REG, "MNVQC", mlx5_reg_mnvqc_read, NULL },
    { 0x9060, 0x10, OTHER_REG, "MCQS", mlx5_reg_mcqs_read, NULL },
    { 0x9061, 0x18, OTHER_REG, "MCQI", mlx5_reg_mcqi_read, NULL },
    { 0x907f, 0x48, OTHER_REG, "MCAM", mcam_read, NULL },
    { 0xc00e, 0x40, OTHER_REG, "DTOR", dtor_read, NULL },
};

/* PCAM and MCAM: masks of 128 registers and features. */
#define CAM_REGS_OFFSET 0x08
#define CAM_FEATURES_OFFSET 0x28
#define CAM_REGS 128
#define PCAM_FIRST_REG 0x5000
#define MCAM_FIRST_REG 0x9000
#define MCAM_GROUPS 4

/* Bit n of the mask at @out, from the end, is register @first + n. */
static void cam_registers(uint8_t *out, uint16_t first)
{
    uint8_t *last = out + CAM_REGS_OFFSET + CAM_REGS / 8 - 1;
    unsigned i, n;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        n = registers[i].id - first;
        if (registers[i].id >= first && n < CAM_REGS) {
            last[-(int)(n / 8)] |= 1 << n % 8;
        }
    }
}

/*
 * PCAM: supported port registers and features, for drivers that see the
 * pcam_reg capability (driver: fw.c mlx5_get_pcam_reg).
 */
static Mlx5Syndrome pcam_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    uint8_t *features = out + CAM_FEATURES_OFFSET;

    if (MLX5_GET(pcam_reg, in, feature_group) ||
        MLX5_GET(pcam_reg, in, access_reg_group)) {
        return MLX5_SYN_REG_BAD_GROUP;
    }
    memset(out, 0, len);
    cam_registers(out, PCAM_FIRST_REG);
    MLX5_SET(pcam_enhanced_features, features, ptys_extended_ethernet, 1);
    MLX5_SET(pcam_enhanced_features, features, ptys_connector_type, 1);
    MLX5_SET(pcam_enhanced_features, features, ppcnt_statistical_group, 1);
    return MLX5_OK;
}

/*
 * MCAM: the same of management registers (mcam_reg), in groups of 128; no
 * features (driver: fw.c mlx5_get_mcam_access_reg_group).
 */
static Mlx5Syndrome mcam_read(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                              size_t len)
{
    uint32_t group = MLX5_GET(mcam_reg, in, access_reg_group);

    if (MLX5_GET(mcam_reg, in, feature_group) || group >= MCAM_GROUPS) {
        return MLX5_SYN_REG_BAD_GROUP;
    }
    memset(out, 0, len);
    MLX5_SET(mcam_reg, out, access_reg_group, group);
    cam_registers(out, MCAM_FIRST_REG + group * CAM_REGS);
    return MLX5_OK;
}

Mlx5Syndrome mlx5_reg_access(Mlx5Function *fn, uint32_t id, bool write,
                             const uint8_t *in, size_t in_len, uint8_t *out,
                             size_t out_len)
{
    size_t size;
    Mlx5Syndrome syn;
    Mlx5RegFn *access;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(registers); i++) {
        if (registers[i].id == id) {
            break;
        }
    }
    if (i == ARRAY_SIZE(registers)) {
        mlx5_err_reg_unknown(fn, id, write ? "write" : "read");
        return MLX5_SYN_REG_UNKNOWN;
    }
    access = write ? registers[i].write : registers[i].read;
    if (!access) {
        return write ? MLX5_SYN_REG_READ_ONLY : MLX5_SYN_REG_WRITE_ONLY;
    }
    size = registers[i].size;
    if (registers[i].access_size && in_len >= size) {
        size = registers[i].access_size(in);
    }
    if (in_len < size) {
        return MLX5_SYN_REG_TOO_SHORT;
    }
    if (out_len < size) {
        return MLX5_SYN_REG_TOO_SHORT_OUT;
    }
    if (registers[i].has_port &&
        MLX5_GET(port_reg, in, local_port) != MLX5_PORT_NUM) {
        return MLX5_SYN_REG_BAD_PORT;
    }
    memcpy(out, in, MIN(in_len, out_len));
    syn = access(fn->port, in, out, out_len);
    trace_mlx5_reg_access(mlx5_id(fn), registers[i].name,
                          write ? "write" : "read", mlx5_syndrome_text(syn));
    return syn;
}

/* Driver: port.c mlx5_access_reg. */
Mlx5Syndrome mlx5_cmd_access_reg(Mlx5Cmd *cmd)
{
    uint32_t id = MLX5_GET(access_register_in, cmd->in, register_id);

    if (cmd->op_mod != REG_WRITE && cmd->op_mod != REG_READ) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (MLX5_GET(access_register_in, cmd->in, argument)) {
        return MLX5_SYN_REG_BAD_ARGUMENT;
    }
    return mlx5_reg_access(cmd->fn, id, cmd->op_mod == REG_WRITE,
                           cmd->in + REG_DATA_OFFSET,
                           cmd->in_len - REG_DATA_OFFSET,
                           cmd->out + REG_DATA_OFFSET,
                           cmd->out_len - REG_DATA_OFFSET);
}
