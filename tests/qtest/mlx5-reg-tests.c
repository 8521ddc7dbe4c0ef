/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the access registers and of the vport context. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

enum {
    REG_PMTU = 0x5003,
    REG_PTYS = 0x5004,
    REG_PAOS = 0x5006,
    REG_PPCNT = 0x5008,
    REG_PMAOS = 0x5012,
    REG_SLTP = 0x5027,
    REG_SLRG = 0x5028,
    REG_PDDR = 0x5031,
    REG_PPAOS = 0x5040,
    REG_NODE_DESC = 0x6001,
    REG_HOST_ENDIANNESS = 0x7004,
    REG_MNVDA = 0x9024,
    REG_MFRL = 0x9028,
    REG_MCQS = 0x9060,
    REG_MCQI = 0x9061,
    REG_MCAM = 0x907f,
    REG_DTOR = 0xc00e,
};

/* Reads a port register of @len bytes. */
static void read_reg(Drv *d, uint16_t reg, uint8_t *data, uint32_t len)
{
    MLX5_SET(port_reg, data, local_port, 1);
    g_assert_cmphex(drv_access_reg(d, reg, false, data, len).status, ==, 0);
}

static void reg_fails(Drv *d, uint16_t reg, bool write, uint8_t *data,
                      uint32_t len, Mlx5Syndrome syn)
{
    g_autofree uint8_t *copy = g_memdup2(data, len);
    DrvResult r = drv_access_reg(d, reg, write, copy, len);

    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, !=, 0);
    g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE + syn);
}

static void test_pmtu(void)
{
    static const uint16_t bad[] = { 0, 22, 10001, 0xffff };
    Drv *d = drv_start_up("");
    uint8_t reg[16] = { 0 };
    unsigned i;

    read_reg(d, REG_PMTU, reg, sizeof(reg));
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, max_mtu), ==, 10000);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, admin_mtu), ==, 1522);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, oper_mtu), ==, 1522);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        MLX5_SET(pmtu_reg, reg, admin_mtu, bad[i]);
        reg_fails(d, REG_PMTU, true, reg, sizeof(reg), MLX5_SYN_REG_BAD_VALUE);
    }
    MLX5_SET(pmtu_reg, reg, admin_mtu, 9022);
    g_assert_cmphex(drv_access_reg(d, REG_PMTU, true, reg, 16).status, ==, 0);
    memset(reg, 0, sizeof(reg));
    read_reg(d, REG_PMTU, reg, sizeof(reg));
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, admin_mtu), ==, 9022);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, oper_mtu), ==, 9022);
    drv_stop(d);
}

static void test_paos_ptys(void)
{
    Drv *d = drv_start_up("");
    uint8_t paos[16] = { 0 }, ptys[64] = { 0 };

    read_reg(d, REG_PAOS, paos, sizeof(paos));
    g_assert_cmpuint(MLX5_GET(paos_reg, paos, admin_status), ==, 1);
    g_assert_cmpuint(MLX5_GET(paos_reg, paos, oper_status), ==, 1);
    MLX5_SET(ptys_reg, ptys, proto_mask, 4);
    read_reg(d, REG_PTYS, ptys, sizeof(ptys));
    g_assert_cmphex(MLX5_GET(ptys_reg, ptys, eth_proto_capability), !=, 0);
    /* What runs is one of what is allowed, which is of what there is. */
    g_assert_cmphex(MLX5_GET(ptys_reg, ptys, eth_proto_oper), !=, 0);
    g_assert_cmphex(MLX5_GET(ptys_reg, ptys, eth_proto_oper) &
                    ~MLX5_GET(ptys_reg, ptys, eth_proto_capability), ==, 0);
    drv_stop(d);
}

static void read_ppcnt(Drv *d, unsigned grp, uint8_t reg[256])
{
    memset(reg, 0, 256);
    MLX5_SET(ppcnt_reg, reg, grp, grp);
    read_reg(d, REG_PPCNT, reg, 256);
}

/* Octets count what is on the wire: minimum length and checksum included. */
static void test_ppcnt(void)
{
    uint8_t frame[100] = { 0x02 }, mc[60] = { 0x01 }, reg[256];
    const uint8_t *set = reg + 8;
    TxRig t;

    tx_rig(&t, 6);
    drv_sq_send(t.d, &t.sq, frame, sizeof(frame), 0);
    drv_sq_send(t.d, &t.sq, mc, 20, 0);
    drv_sq_ring(t.d, &t.sq);
    expect_frame(t.d, frame, sizeof(frame));
    expect_frame(t.d, mc, 60);
    read_ppcnt(t.d, 0, reg);
#define C(f) MLX5_GET64(eth_802_3_cntrs_grp_data_layout, set, f)
    g_assert_cmpuint(C(a_frames_transmitted_ok), ==, 2);
    g_assert_cmpuint(C(a_octets_transmitted_ok), ==, 104 + 64);
    g_assert_cmpuint(C(a_multicast_frames_xmitted_ok), ==, 1);
    g_assert_cmpuint(C(a_frames_received_ok), ==, 0);
    drv_wire_send(t.d, frame, sizeof(frame));
    DRV_WAIT(drv_counter(t.d, "rx_steer_miss") == 1);
    read_ppcnt(t.d, 0, reg);
    g_assert_cmpuint(C(a_frames_received_ok), ==, 1);
    g_assert_cmpuint(C(a_octets_received_ok), ==, 104);
#undef C
    read_ppcnt(t.d, 1, reg);
    g_assert_cmpuint(MLX5_GET64(eth_2863_cntrs_grp_data_layout, set,
                                if_out_ucast_pkts), ==, 1);
    g_assert_cmpuint(MLX5_GET64(eth_2863_cntrs_grp_data_layout, set,
                                if_in_ucast_pkts), ==, 1);
    read_ppcnt(t.d, 2, reg);
    g_assert_cmpuint(MLX5_GET64(eth_2819_cntrs_grp_data_layout, set,
                                ether_stats_pkts65to127octets), ==, 1);
    drv_stop(t.d);
}

static void test_other_registers(void)
{
    Drv *d = drv_start_up("");
    uint8_t reg[256] = { 0 }, i;

    g_assert_cmphex(drv_access_reg(d, REG_HOST_ENDIANNESS, true, reg,
                                   16).status, ==, 0);
    /* 0: the driver's own time limits */
    g_assert_cmphex(drv_access_reg(d, REG_DTOR, false, reg, 64).status, ==, 0);
    for (i = 4; i < 0x3c; i++) {
        g_assert_cmphex(reg[i], ==, 0);
    }
    reg_fails(d, 0x1234, false, reg, 64, MLX5_SYN_REG_UNKNOWN);
    reg_fails(d, 0x1234, true, reg, 64, MLX5_SYN_REG_UNKNOWN);
    reg_fails(d, REG_DTOR, true, reg, 64, MLX5_SYN_REG_READ_ONLY);
    reg_fails(d, REG_HOST_ENDIANNESS, false, reg, 16,
              MLX5_SYN_REG_WRITE_ONLY);
    reg_fails(d, REG_PMTU, false, reg, 16, MLX5_SYN_REG_BAD_PORT);
    MLX5_SET(port_reg, reg, local_port, 2);
    reg_fails(d, REG_PMTU, false, reg, 16, MLX5_SYN_REG_BAD_PORT);
    MLX5_SET(port_reg, reg, local_port, 1);
    reg_fails(d, REG_PMTU, false, reg, 8, MLX5_SYN_REG_TOO_SHORT);
    drv_stop(d);
}

/* ------------------------------------------------------------- firmware --- */

/* Is management register @id in the mask of its group? */
static bool mcam_has(Drv *d, uint16_t id)
{
    uint8_t reg[72] = { 0 };
    unsigned n = id & 0x7f;

    MLX5_SET(mcam_reg, reg, access_reg_group, (id - 0x9000) >> 7);
    g_assert_cmphex(drv_access_reg(d, REG_MCAM, false, reg, sizeof(reg)).status,
                    ==, 0);
    return reg[8 + 15 - n / 8] & 1 << n % 8;
}

/* MCAM says yes to the registers that answer, and to no others. */
static void test_mcam(void)
{
    Drv *d = drv_start_up("");
    uint8_t reg[256], page[DRV_CAP_PAGE];
    uint16_t id;

    drv_query_cap(d, 0, false, page);
    g_assert_true(MLX5_GET(cmd_hca_cap, page, mcam_reg));
    for (id = 0x9000; id < 0x9200; id++) {
        DrvResult r;

        memset(reg, 0, sizeof(reg));
        r = drv_access_reg(d, id, false, reg, sizeof(reg));
        g_assert_cmpuint(mcam_has(d, id), ==, r.syndrome !=
                         MLX5_SYNDROME_BASE + MLX5_SYN_REG_UNKNOWN);
    }
    memset(reg, 0, sizeof(reg));
    MLX5_SET(mcam_reg, reg, access_reg_group, 4);
    reg_fails(d, REG_MCAM, false, reg, 72, MLX5_SYN_REG_BAD_GROUP);
    drv_stop(d);
}

/* One component with the version that the initialization segment has. */
static void test_firmware(void)
{
    Drv *d = drv_start_up("");
    uint8_t reg[0x18 + 0x7c] = { 0 }, *data = reg + 0x18;
    uint32_t version = drv_reg_read(d, ISEG_HEALTH_FW_VER);
    unsigned pending;

    g_assert_cmphex(drv_access_reg(d, REG_MCQS, false, reg, 16).status, ==, 0);
    g_assert_cmpuint(MLX5_GET(mcqs_reg, reg, last_index_flag), ==, 1);
    g_assert_cmpuint(MLX5_GET(mcqs_reg, reg, identifier), ==, 1);
    g_assert_cmpuint(MLX5_GET(mcqs_reg, reg, component_update_state), ==, 0);
    MLX5_SET(mcqs_reg, reg, component_index, 1);
    reg_fails(d, REG_MCQS, false, reg, 16, MLX5_SYN_REG_BAD_VALUE);

    for (pending = 0; pending < 2; pending++) {
        memset(reg, 0, sizeof(reg));
        MLX5_SET(mcqi_reg, reg, read_pending_component, pending);
        MLX5_SET(mcqi_reg, reg, info_type, 1);
        MLX5_SET(mcqi_reg, reg, data_size, 0x7c);
        g_assert_cmphex(drv_access_reg(d, REG_MCQI, false, reg,
                                       sizeof(reg)).status, ==, 0);
        g_assert_cmphex(MLX5_GET(mcqi_version, data, version), ==, version);
        g_assert_cmpmem(data + 0x20,
                        MLX5_GET(mcqi_version, data, version_string_length),
                        "22.39.0001", 10);
    }
    /* No more is written than asked for; nor is more asked for than fits. */
    memset(data, 0, 0x7c);
    MLX5_SET(mcqi_reg, reg, data_size, 4);
    g_assert_cmphex(drv_access_reg(d, REG_MCQI, false, reg,
                                   sizeof(reg)).status, ==, 0);
    g_assert_cmphex(MLX5_GET(mcqi_version, data, version), ==, 0);
    MLX5_SET(mcqi_reg, reg, data_size, 0x7d);
    reg_fails(d, REG_MCQI, false, reg, 0x18 + 0x7c, MLX5_SYN_REG_BAD_VALUE);
    MLX5_SET(mcqi_reg, reg, data_size, 0x7c);
    reg_fails(d, REG_MCQI, false, reg, 0x18 + 0x78, MLX5_SYN_REG_BAD_VALUE);
    MLX5_SET(mcqi_reg, reg, info_type, 5);
    reg_fails(d, REG_MCQI, false, reg, 0x18 + 0x7c, MLX5_SYN_REG_BAD_GROUP);

    /* Nothing is flashed, so no reset but a power cycle starts a firmware. */
    memset(reg, 0, sizeof(reg));
    g_assert_cmphex(drv_access_reg(d, REG_MFRL, false, reg, 8).status, ==, 0);
    g_assert_cmphex(MLX5_GET(mfrl_reg, reg, reset_level), ==, 0x40);
    reg_fails(d, REG_MFRL, true, reg, 8, MLX5_SYN_REG_READ_ONLY);
    reg_fails(d, 0x9062, false, reg, 64, MLX5_SYN_REG_UNKNOWN);

    memset(reg, 0xff, 64);
    g_assert_cmphex(drv_access_reg(d, REG_NODE_DESC, false, reg, 64).status,
                    ==, 0);
    g_assert_cmpstr((char *)reg, ==, "QEMU mlx5-ktls");
    drv_stop(d);
}

/* --------------------------------------------------------------- vport --- */

enum { SELECT_MTU = 1 << 6, SELECT_PROMISC = 1 << 4, SELECT_MAC = 1 << 3,
       SELECT_LIST = 1 << 2 };

typedef struct Vport {
    uint8_t in[0x100 + 0x100 + 64 * 8];
} Vport;

static uint8_t *vport(Vport *v, uint32_t select)
{
    memset(v, 0, sizeof(*v));
    MLX5_SET(cmd_in, v->in, opcode, 0x755);
    MLX5_SET(modify_nic_vport_context_in, v->in, field_select, select);
    return v->in + 0x100;
}

static void vport_ok(Drv *d, Vport *v)
{
    drv_cmd_ok(d, v->in, sizeof(v->in), NULL, 16);
}

static void query_vport(Drv *d, unsigned list_type, uint8_t ctx[0x300])
{
    uint8_t in[16] = { 0 }, out[16 + 0x300];

    MLX5_SET(cmd_in, in, opcode, 0x754);
    MLX5_SET(query_nic_vport_context_in, in, allowed_list_type, list_type);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    memcpy(ctx, out + 16, 0x300);
}

static void test_vport(void)
{
    static const uint8_t mac[6] = { 0x02, 1, 2, 3, 4, 5 };
    Drv *d = drv_start_up("");
    uint8_t ctx[0x300], *c;
    Vport v;

    query_vport(d, 0, ctx);
    g_assert_cmphex(MLX5_GET64(nic_vport_context, ctx, system_image_guid), !=,
                    0);
    g_assert_cmpuint(MLX5_GET(nic_vport_context, ctx, sd_group), ==, 0);
    g_assert_cmpuint(MLX5_GET(nic_vport_context, ctx, min_wqe_inline_mode),
                     ==, 0);
    c = vport(&v, SELECT_MTU);
    MLX5_SET(nic_vport_context, c, mtu, 9022);
    vport_ok(d, &v);
    c = vport(&v, SELECT_PROMISC);
    MLX5_SET(nic_vport_context, c, promisc_all, 1);
    MLX5_SET(nic_vport_context, c, promisc_mc, 1);
    vport_ok(d, &v);
    c = vport(&v, SELECT_MAC);
    memcpy(c + 0xf6, mac, 6);
    vport_ok(d, &v);
    query_vport(d, 0, ctx);
    g_assert_cmpuint(MLX5_GET(nic_vport_context, ctx, mtu), ==, 9022);
    g_assert_true(MLX5_GET(nic_vport_context, ctx, promisc_all));
    g_assert_true(MLX5_GET(nic_vport_context, ctx, promisc_mc));
    g_assert_false(MLX5_GET(nic_vport_context, ctx, promisc_uc));
    g_assert_cmpmem(ctx + 0xf6, 6, mac, 6);
    drv_stop(d);
}

/* Unicast, multicast and VLAN lists are kept apart, and replaced as a whole. */
static void test_vport_lists(void)
{
    Drv *d = drv_start_up("");
    uint8_t ctx[0x300], *c;
    unsigned type, i, n;
    Vport v;

    for (n = 0; n < 2; n++) {
        for (type = 0; type < 3; type++) {
            c = vport(&v, SELECT_LIST);
            MLX5_SET(nic_vport_context, c, allowed_list_type, type);
            MLX5_SET(nic_vport_context, c, allowed_list_size, 5 + type - n);
            for (i = 0; i < 5 + type - n; i++) {
                if (type == 2) {
                    MLX5_SET(vlan_layout, c + 0x100 + i * 4, vlan, 100 + i);
                } else {
                    c[0x100 + i * 8 + 2] = type;
                    c[0x100 + i * 8 + 7] = i + n * 16;
                }
            }
            vport_ok(d, &v);
        }
        for (type = 0; type < 3; type++) {
            query_vport(d, type, ctx);
            g_assert_cmpuint(MLX5_GET(nic_vport_context, ctx,
                                      allowed_list_type), ==, type);
            g_assert_cmpuint(MLX5_GET(nic_vport_context, ctx,
                                      allowed_list_size), ==, 5 + type - n);
            for (i = 0; i < 5 + type - n; i++) {
                if (type == 2) {
                    g_assert_cmpuint(MLX5_GET(vlan_layout,
                                              ctx + 0x100 + i * 4, vlan), ==,
                                     100 + i);
                } else {
                    g_assert_cmphex(ctx[0x100 + i * 8 + 2], ==, type);
                    g_assert_cmphex(ctx[0x100 + i * 8 + 7], ==, i + n * 16);
                }
            }
        }
    }
    drv_stop(d);
}

static void test_vport_refused(void)
{
    Drv *d = drv_start_up("");
    uint8_t *c;
    Vport v;

#define FAILS(status, syn)                                     \
    drv_cmd_fails(d, v.in, sizeof(v.in), 16, MLX5_STATUS_##status, \
                  MLX5_SYN_##syn)
    vport(&v, 1u << 31);
    FAILS(BAD_PARAM, VPORT_BAD_FIELD);
    c = vport(&v, SELECT_MTU);
    MLX5_SET(nic_vport_context, c, mtu, 0xffff);
    FAILS(BAD_PARAM, VPORT_BAD_MTU);
    c = vport(&v, SELECT_MAC);
    c[0xf6] = 0x01; /* a group address */
    FAILS(BAD_PARAM, VPORT_BAD_MAC);
    c = vport(&v, SELECT_LIST);
    MLX5_SET(nic_vport_context, c, allowed_list_type, 3);
    FAILS(BAD_PARAM, VPORT_LIST_TYPE);
    MLX5_SET(nic_vport_context, c, allowed_list_type, 1);
    MLX5_SET(nic_vport_context, c, allowed_list_size, 0xfff);
    g_assert_cmphex(drv_cmd(d, v.in, sizeof(v.in), NULL, 16).status, !=, 0);
    vport(&v, SELECT_MTU);
    MLX5_SET(vport_cmd_in, v.in, other_vport, 1);
    FAILS(BAD_PARAM, OTHER_VPORT);
    vport(&v, SELECT_MTU);
    MLX5_SET(vport_cmd_in, v.in, vport_number, 1);
    FAILS(BAD_PARAM, OTHER_VPORT);
#undef FAILS
    drv_stop(d);
}

/*
 * What tools ask of lanes and module: no transmitter, no eye, and in the module
 * page what the EEPROM says.
 */
static void test_lanes(void)
{
    static const struct {
        const char *props;
        unsigned version;
    } rows[] = { { "", 3 }, { ",profile=cx7", 4 } };
    unsigned i, lane;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_up(rows[i].props);

        for (lane = 0; lane < 4; lane++) {
            uint8_t sltp[0x4c] = { 0 }, slrg[0x28] = { 0 };

            MLX5_SET(sltp_reg, sltp, lane, lane);
            read_reg(d, REG_SLTP, sltp, sizeof(sltp));
            g_assert_cmpuint(MLX5_GET(sltp_reg, sltp, status), ==, 0);
            g_assert_cmpuint(MLX5_GET(sltp_reg, sltp, version), ==,
                             rows[i].version);
            g_assert_cmpuint(MLX5_GET(sltp_reg, sltp, lane), ==, lane);
            MLX5_SET(slrg_reg, slrg, lane, lane);
            read_reg(d, REG_SLRG, slrg, sizeof(slrg));
            g_assert_cmpuint(MLX5_GET(slrg_reg, slrg, status), ==, 0);
            g_assert_cmpuint(MLX5_GET(slrg_reg, slrg, version), ==,
                             rows[i].version);
        }
        drv_stop(d);
    }
}

static void test_lanes_refused(void)
{
    uint8_t reg[0x4c] = { 0 };
    Drv *d = drv_start_up("");

    MLX5_SET(port_reg, reg, local_port, 1);
    MLX5_SET(sltp_reg, reg, lane, 4);
    reg_fails(d, REG_SLTP, false, reg, 0x4c, MLX5_SYN_REG_BAD_VALUE);
    reg_fails(d, REG_SLRG, false, reg, 0x28, MLX5_SYN_REG_BAD_VALUE);
    MLX5_SET(sltp_reg, reg, lane, 0);
    MLX5_SET(sltp_reg, reg, pnat, 3); /* the lanes of PCI Express */
    reg_fails(d, REG_SLTP, false, reg, 0x4c, MLX5_SYN_REG_UNSUPPORTED_FIELD);
    reg_fails(d, REG_SLRG, false, reg, 0x28, MLX5_SYN_REG_UNSUPPORTED_FIELD);
    MLX5_SET(sltp_reg, reg, pnat, 0);
    reg_fails(d, REG_SLTP, true, reg, 0x4c, MLX5_SYN_REG_READ_ONLY);
    memset(reg, 0, sizeof(reg));
    MLX5_SET(pmaos_reg, reg, module, 1);
    reg_fails(d, REG_PMAOS, false, reg, 0x10, MLX5_SYN_REG_BAD_VALUE);
    drv_stop(d);
}

static void test_module(void)
{
    uint8_t pddr[0x100] = { 0 }, pmaos[16] = { 0 }, ppaos[16] = { 0 };
    uint8_t *page = pddr + 8;
    Drv *d = drv_start_up("");

    MLX5_SET(pddr_reg, pddr, page_select, 3);
    read_reg(d, REG_PDDR, pddr, sizeof(pddr));
    g_assert_cmpuint(MLX5_GET(pddr_module_info, page, cable_type), ==, 3);
    g_assert_cmpuint(MLX5_GET(pddr_module_info, page, cable_identifier), ==, 0);
    g_assert_cmpuint(MLX5_GET(pddr_module_info, page, cable_length), ==, 1);
    g_assert_cmpmem(page + MLX5_BIT_pddr_module_info_vendor_name / 8, 16,
                    "QEMU            ", 16);
    g_assert_cmpmem(page + MLX5_BIT_pddr_module_info_vendor_pn / 8, 16,
                    "mlx5-ktls DAC   ", 16);
    g_assert_cmphex(MLX5_GET(pddr_module_info, page, vendor_rev), ==, '1');
    g_assert_cmpuint(drv_access_reg(d, REG_PMAOS, false, pmaos, 16).status, ==,
                     0);
    g_assert_cmpuint(MLX5_GET(pmaos_reg, pmaos, oper_status), ==, 1);
    read_reg(d, REG_PPAOS, ppaos, sizeof(ppaos));
    g_assert_cmpuint(MLX5_GET(ppaos_reg, ppaos, phy_test_mode_status), ==, 0);
    g_assert_cmpuint(MLX5_GET(ppaos_reg, ppaos, phy_status), ==, 1);

    /* the cable is pulled */
    qtest_qmp_assert_success(d->qts, "{'execute': 'set_link', 'arguments': "
                             "{'name': 'nic', 'up': false}}");
    memset(pddr, 0, sizeof(pddr));
    MLX5_SET(pddr_reg, pddr, page_select, 3);
    read_reg(d, REG_PDDR, pddr, sizeof(pddr));
    g_assert_cmpuint(MLX5_GET(pddr_module_info, page, cable_type), ==, 4);
    g_assert_cmphex(MLX5_GET(pddr_module_info, page, vendor_name), ==, 0);
    memset(pmaos, 0, sizeof(pmaos));
    g_assert_cmpuint(drv_access_reg(d, REG_PMAOS, false, pmaos, 16).status, ==,
                     0);
    g_assert_cmpuint(MLX5_GET(pmaos_reg, pmaos, oper_status), ==, 2);
    read_reg(d, REG_PPAOS, ppaos, sizeof(ppaos));
    g_assert_cmpuint(MLX5_GET(ppaos_reg, ppaos, phy_status), ==, 0);
    drv_stop(d);
}

void mlx5_reg_tests(void)
{
    qtest_add_func("mlx5-ktls/reg/mcam", test_mcam);
    qtest_add_func("mlx5-ktls/reg/firmware", test_firmware);
    qtest_add_func("mlx5-ktls/reg/pmtu", test_pmtu);
    qtest_add_func("mlx5-ktls/reg/paos-ptys", test_paos_ptys);
    qtest_add_func("mlx5-ktls/reg/ppcnt", test_ppcnt);
    qtest_add_func("mlx5-ktls/reg/other", test_other_registers);
    qtest_add_func("mlx5-ktls/vport/context", test_vport);
    qtest_add_func("mlx5-ktls/vport/lists", test_vport_lists);
    qtest_add_func("mlx5-ktls/vport/refused", test_vport_refused);
    qtest_add_func("mlx5-ktls/reg/lanes", test_lanes);
    qtest_add_func("mlx5-ktls/reg/lanes-refused", test_lanes_refused);
    qtest_add_func("mlx5-ktls/reg/module", test_module);
}
