/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of QUERY_HCA_CAP and SET_HCA_CAP: capabilities that drivers require,
 * those that must be absent, and those that may be set. Owns no state.
 */
#include "mlx5-drv.h"
#include "mlx5-tests.h"

enum {
    CAP_GENERAL = 0x00,
    CAP_ETHERNET = 0x01,
    CAP_FLOW_TABLE = 0x07,
    CAP_TLS = 0x11,
    CAP_CRYPTO = 0x1a,
};

#define GEN(f) MLX5_BIT_cmd_hca_cap_##f, MLX5_WIDTH_cmd_hca_cap_##f, #f
#define ETH(f)                                            \
    MLX5_BIT_per_protocol_networking_offload_caps_##f,    \
    MLX5_WIDTH_per_protocol_networking_offload_caps_##f, #f
#define NIC_RX 0x200
#define FT(f)                                         \
    NIC_RX + MLX5_BIT_flow_table_prop_layout_##f,     \
    MLX5_WIDTH_flow_table_prop_layout_##f, #f
#define FT_FIELD(f)                                           \
    NIC_RX + 0x100 + MLX5_BIT_flow_table_fields_supported_##f, 1, #f

/* What drivers need for striding receive queues. */
static const struct {
    uint16_t type;
    uint16_t bit;
    uint16_t width;
    const char *name;
} striding[] = {
    { CAP_GENERAL, GEN(striding_rq) },
    { CAP_GENERAL, GEN(ext_stride_num_range) },
    { CAP_GENERAL, GEN(umr_ptr_rlky) },
    { CAP_GENERAL, GEN(fixed_buffer_size) },
    { CAP_ETHERNET, ETH(reg_umr_sq) },
};

/* What drivers read of LRO, and what it is. */
static const struct {
    uint16_t bit;
    uint16_t width;
    const char *name;
    uint64_t value;
} lro[] = {
    { ETH(lro_cap), 1 },
    { ETH(lro_psh_flag), 1 },
    { ETH(lro_time_stamp), 1 },
    { ETH(lro_max_msg_sz_mode), 0 },
    { ETH(lro_min_mss_size), 1 },
    { ETH(lro_timer_supported_periods_0), 8 },
    { ETH(lro_timer_supported_periods_1), 16 },
    { ETH(lro_timer_supported_periods_2), 32 },
    { ETH(lro_timer_supported_periods_3), 1024 },
};

/* What the driver needs to load, open and pass traffic. */
static const struct {
    uint16_t type;
    uint16_t bit;
    uint16_t width;
    const char *name;
    uint64_t min;
    uint64_t max;
} needed[] = {
    { CAP_GENERAL, GEN(port_type), 1, 1 },
    { CAP_GENERAL, GEN(num_ports), 1, 1 },
    { CAP_GENERAL, GEN(eth_net_offloads), 1, 1 },
    { CAP_GENERAL, GEN(nic_flow_table), 1, 1 },
    { CAP_GENERAL, GEN(vhca_id), 1, 0xffff },
    { CAP_GENERAL, GEN(cqe_version), 1, 1 },
    { CAP_GENERAL, GEN(log_pg_sz), 12, 12 },
    { CAP_GENERAL, GEN(max_num_eqs), 64, 255 },
    { CAP_GENERAL, GEN(log_max_eq), 7, 15 },
    { CAP_GENERAL, GEN(log_max_eq_sz), 13, 0x16 },
    { CAP_GENERAL, GEN(log_max_cq), 10, 24 },
    { CAP_GENERAL, GEN(log_max_cq_sz), 13, 0x16 },
    { CAP_GENERAL, GEN(log_max_mkey), 0x10, 24 },
    { CAP_GENERAL, GEN(log_max_klm_list_size), 9, 63 },
    { CAP_GENERAL, GEN(max_wqe_sz_sq), 1024, 1024 },
    { CAP_GENERAL, GEN(max_wqe_sz_rq), 64, 512 },
    { CAP_GENERAL, GEN(log_max_rq), 10, 24 },
    { CAP_GENERAL, GEN(log_max_sq), 10, 24 },
    { CAP_GENERAL, GEN(log_max_tir), 13, 24 },
    { CAP_GENERAL, GEN(log_max_tis), 13, 24 },
    { CAP_GENERAL, GEN(log_max_rqt), 8, 24 },
    { CAP_GENERAL, GEN(log_max_rqt_size), 8, 15 },
    { CAP_GENERAL, GEN(basic_cyclic_rcv_wqe), 1, 1 },
    { CAP_GENERAL, GEN(log_max_transport_domain), 1, 24 },
    { CAP_GENERAL, GEN(log_max_pd), 1, 24 },
    { CAP_GENERAL, GEN(log_max_wq_sz), 13, 15 },
    { CAP_GENERAL, GEN(log_max_stride_sz_rq), 9, 13 },
    { CAP_GENERAL, GEN(log_min_stride_sz_rq), 4, 6 },
    { CAP_GENERAL, GEN(log_min_stride_sz_sq), 6, 6 },
    { CAP_GENERAL, GEN(log_max_current_uc_list), 4, 31 },
    { CAP_GENERAL, GEN(log_max_current_mc_list), 4, 31 },
    { CAP_GENERAL, GEN(log_bf_reg_size), 9, 9 },
    { CAP_GENERAL, GEN(umr_modify_entity_size_disabled), 1, 1 },
    { CAP_ETHERNET, ETH(csum_cap), 1, 1 },
    { CAP_ETHERNET, ETH(vlan_cap), 1, 1 },
    { CAP_ETHERNET, ETH(max_lso_cap), 16, 18 },
    { CAP_ETHERNET, ETH(wqe_inline_mode), 2, 2 },
    { CAP_ETHERNET, ETH(rss_ind_tbl_cap), 1, 15 },
    { CAP_FLOW_TABLE, FT(ft_support), 1, 1 },
    { CAP_FLOW_TABLE, FT(flow_modify_en), 1, 1 },
    { CAP_FLOW_TABLE, FT(modify_root), 1, 1 },
    { CAP_FLOW_TABLE, FT(identified_miss_table_mode), 1, 1 },
    { CAP_FLOW_TABLE, FT(flow_table_modify), 1, 1 },
    { CAP_FLOW_TABLE, FT(log_max_ft_size), 16, 63 },
    { CAP_FLOW_TABLE, FT(max_ft_level), 0x80, 0xff },
    { CAP_FLOW_TABLE, FT_FIELD(outer_ip_version), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_sip), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_dip), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_tcp_dport), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_udp_sport), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_dmac), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(outer_first_vid), 1, 1 },
    /* Tunnels: drivers make inner TIRs and tables only with all of these. */
    { CAP_ETHERNET, ETH(tunnel_stateless_vxlan), 1, 1 },
    { CAP_ETHERNET, ETH(tunnel_stateless_gre), 1, 1 },
    { CAP_ETHERNET, ETH(tunnel_stateless_ip_over_ip), 1, 1 },
    { CAP_ETHERNET, ETH(max_vxlan_udp_ports), 4, 4 },
    { CAP_ETHERNET, ETH(swp), 1, 1 },
    { CAP_ETHERNET, ETH(swp_csum), 1, 1 },
    { CAP_ETHERNET, ETH(swp_lso), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(inner_ip_version), 1, 1 },
    { CAP_FLOW_TABLE, FT_FIELD(inner_ip_protocol), 1, 1 },
    /* What the device does not do must not be announced. */
    { CAP_GENERAL, GEN(eswitch_manager), 0, 0 },
    { CAP_GENERAL, GEN(vport_group_manager), 0, 0 },
    { CAP_GENERAL, GEN(roce), 0, 0 },
    { CAP_GENERAL, GEN(atomic), 0, 0 },
    { CAP_GENERAL, GEN(dct), 0, 0 },
    { CAP_GENERAL, GEN(hca_cap_2), 0, 0 },
    { CAP_GENERAL, GEN(uar_4k), 0, 0 },
    { CAP_GENERAL, GEN(cache_line_128byte), 0, 0 },
    { CAP_GENERAL, GEN(cqe_128_always), 0, 0 },
    { CAP_GENERAL, GEN(cqe_compression), 1, 1 },
    { CAP_GENERAL, GEN(mini_cqe_resp_stride_index), 1, 1 },
    { CAP_GENERAL, GEN(cqe_compression_max_num), 64, 64 },
    { CAP_GENERAL, GEN(enhanced_cqe_compression), 0, 0 },
    { CAP_GENERAL, GEN(num_lag_ports), 0, 0 },
    { CAP_GENERAL, GEN(num_vhca_ports), 0, 0 },
    { CAP_GENERAL, GEN(fast_teardown), 0, 0 },
    { CAP_GENERAL, GEN(force_teardown), 0, 0 },
    { CAP_GENERAL, GEN(release_all_pages), 0, 0 },
    { CAP_GENERAL, GEN(debug), 0, 0 },
    { CAP_GENERAL, GEN(event_cap), 0, 0 },
    { CAP_GENERAL, GEN(log_max_uctx), 0, 0 },
    { CAP_ETHERNET, ETH(scatter_fcs), 0, 0 },
    { CAP_ETHERNET, ETH(tunnel_lso_const_out_ip_id), 0, 0 },
};

/* All of it, which is the default, or nothing. */
static void test_striding(void)
{
    static const struct {
        const char *props;
        bool on;
    } rows[] = {
        { "", true }, { ",striding-rq=off" }, { ",striding-rq=on", true },
    };
    g_autofree uint8_t *page = g_malloc(DRV_CAP_PAGE);
    unsigned row, i;

    for (row = 0; row < G_N_ELEMENTS(rows); row++) {
        Drv *d = drv_start_up(rows[row].props);

        for (i = 0; i < G_N_ELEMENTS(striding); i++) {
            g_test_message("%s%s", striding[i].name, rows[row].props);
            drv_query_cap(d, striding[i].type, false, page);
            g_assert_cmpuint(mlx5_prm_get(page, striding[i].bit,
                                          striding[i].width), ==,
                             rows[row].on);
        }
        drv_stop(d);
    }
}

/* Only with striding queues; drivers ask for it on no others. */
static void test_lro(void)
{
    static const struct {
        const char *props;
        bool on;
    } rows[] = {
        { ",striding-rq=on", false },
        { ",striding-rq=on,lro=on", true },
        { ",striding-rq=on,lro=off", false },
        { ",striding-rq=off,lro=on", false },
    };
    g_autofree uint8_t *page = g_malloc(DRV_CAP_PAGE);
    unsigned i, j;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_up(rows[i].props);

        drv_query_cap(d, CAP_ETHERNET, false, page);
        for (j = 0; j < G_N_ELEMENTS(lro); j++) {
            g_test_message("%s, %s", rows[i].props, lro[j].name);
            g_assert_cmpuint(mlx5_prm_get(page, lro[j].bit, lro[j].width), ==,
                             rows[i].on ? lro[j].value : 0);
        }
        drv_stop(d);
    }
}

static void test_needed(void)
{
    Drv *d = drv_start_up("");
    g_autofree uint8_t *page = g_malloc(DRV_CAP_PAGE);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(needed); i++) {
        uint64_t v;

        drv_query_cap(d, needed[i].type, false, page);
        v = mlx5_prm_get(page, needed[i].bit, needed[i].width);
        g_test_message("%s = %" PRIu64, needed[i].name, v);
        g_assert_cmpuint(v, >=, needed[i].min);
        g_assert_cmpuint(v, <=, needed[i].max);
    }
    drv_stop(d);
}

/*
 * TLS is a set of fields that must agree: the driver dereferences NULL when
 * tls_rx or tls_tx comes without keys or without a cipher.
 */
static void test_tls_agrees(void)
{
    Drv *d = drv_start_up("");
    g_autofree uint8_t *gen = g_malloc(DRV_CAP_PAGE);
    g_autofree uint8_t *tls = g_malloc(DRV_CAP_PAGE);
    uint64_t types;

    drv_query_cap(d, CAP_GENERAL, false, gen);
    types = MLX5_GET64(cmd_hca_cap, gen, general_obj_types);
    if (MLX5_GET(cmd_hca_cap, gen, tls_tx) ||
        MLX5_GET(cmd_hca_cap, gen, tls_rx)) {
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, gen, log_max_dek), >, 0);
        g_assert_cmphex(types, ==, 1ull << 0xc);
        drv_query_cap(d, CAP_TLS, false, tls);
        g_assert_true(MLX5_GET(tls_cap, tls, tls_1_2_aes_gcm_128));
        g_assert_true(MLX5_GET(tls_cap, tls, tls_1_2_aes_gcm_256));
    } else {
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, gen, log_max_dek), ==, 0);
        g_assert_cmphex(types, ==, 0);
        g_assert_cmpuint(MLX5_GET(cmd_hca_cap, gen, crypto), ==, 0);
    }
    drv_stop(d);
}

static void query_fails(Drv *d, uint16_t type, uint16_t function)
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_HCA_CAP);
    MLX5_SET(cmd_in, in, op_mod, type << 1 | 1);
    MLX5_SET(query_hca_cap_in, in, function_id, function);
    drv_cmd_fails(d, in, sizeof(in), DRV_CAP_PAGE + 16, MLX5_STATUS_BAD_PARAM,
                  function ? MLX5_SYN_OTHER_FUNCTION :
                             MLX5_SYN_CAP_UNKNOWN_TYPE);
}

static void test_unknown_type(void)
{
    /* ODP, ATOMIC, ROCE, IPoIB, ESWITCH, QOS, DEBUG, MACSEC, GENERAL_2 ... */
    static const uint16_t unknown[] = {
        2, 3, 4, 6, 8, 9, 0xc, 0xd, 0xf, 0x13, 0x14, 0x15, 0x1f, 0x20, 0x25,
        0x26, 0x7fff,
    };
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(unknown); i++) {
        query_fails(d, unknown[i], 0);
    }
    query_fails(d, CAP_GENERAL, 1);
    query_fails(d, CAP_GENERAL, 0xffff);
    drv_stop(d);
}

/* ------------------------------------------------------- SET_HCA_CAP --- */

/* ENABLED, where capabilities can be set; the current page is at *@in + 16. */
static Drv *start_enabled(uint8_t **in)
{
    Drv *d = drv_start("");

    drv_cmdq_init(d);
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    *in = g_malloc0(DRV_CAP_PAGE + 16);
    MLX5_SET(cmd_in, *in, opcode, OP_SET_HCA_CAP);
    drv_query_cap(d, CAP_GENERAL, false, *in + 16);
    return d;
}

static void stop_enabled(Drv *d)
{
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    drv_stop(d);
}

static void test_set_stored(void)
{
    g_autofree uint8_t *in = NULL;
    g_autofree uint8_t *max = g_malloc(DRV_CAP_PAGE);
    g_autofree uint8_t *now = g_malloc(DRV_CAP_PAGE);
    Drv *d = start_enabled(&in);
    uint8_t *cap = in + 16;

    drv_query_cap(d, CAP_GENERAL, true, max);
    g_assert_cmpmem(cap, DRV_CAP_PAGE, max, DRV_CAP_PAGE);
    /* As the driver does: fewer QPs, no checksums, its own page size. */
    MLX5_SET(cmd_hca_cap, cap, log_max_qp, 12);
    MLX5_SET(cmd_hca_cap, cap, cmdif_checksum, 0);
    MLX5_SET(cmd_hca_cap, cap, log_uar_page_sz, 0);
    MLX5_SET(cmd_hca_cap, cap, log_max_tis, 3);
    drv_cmd_ok(d, in, DRV_CAP_PAGE + 16, NULL, 16);
    drv_query_cap(d, CAP_GENERAL, false, now);
    g_assert_cmpmem(cap, DRV_CAP_PAGE, now, DRV_CAP_PAGE);
    drv_query_cap(d, CAP_GENERAL, true, now);
    g_assert_cmpmem(max, DRV_CAP_PAGE, now, DRV_CAP_PAGE);
    /* What was set counts: 2^3 TIS and no more. */
    MLX5_SET(cmd_in, in, opcode, OP_INIT_HCA);
    drv_cmd_ok(d, in, 32, NULL, 16);
    d->td = drv_alloc(d, OP_ALLOC_TD);
    d->pd = drv_alloc(d, OP_ALLOC_PD);
    while (drv_objects(d, "tis") < 8) {
        drv_tis_create(d);
    }
    {
        uint32_t len;
        g_autofree uint8_t *tis = drv_tis_cmd(d, &len);

        drv_cmd_fails(d, tis, len, 16, MLX5_STATUS_EXCEED_LIM,
                      MLX5_SYN_OBJECT_LIMIT);
    }
    drv_stop(d);
}

static void test_set_above_max(void)
{
    static const struct {
        uint16_t bit;
        uint16_t width;
        const char *name;
        uint64_t value;
    } rows[] = {
        { GEN(log_max_tis), 31 },
        { GEN(log_max_tir), 31 },
        { GEN(log_max_cq), 31 },
        { GEN(max_wqe_sz_sq), 2048 },
        { GEN(roce), 1 },
        { GEN(eswitch_manager), 1 },
        { GEN(uar_4k), 1 },
        { GEN(general_obj_types), 1ull << 63 },
        { 0x7fff, 1, "the last bit of the page", 1 },
    };
    g_autofree uint8_t *in = NULL;
    g_autofree uint8_t *now = g_malloc(DRV_CAP_PAGE);
    Drv *d = start_enabled(&in);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *bad = g_memdup2(in, DRV_CAP_PAGE + 16);

        g_test_message("%s", rows[i].name);
        mlx5_prm_set(bad + 16, rows[i].bit, rows[i].width, rows[i].value);
        drv_cmd_fails(d, bad, DRV_CAP_PAGE + 16, 16, MLX5_STATUS_BAD_PARAM,
                      MLX5_SYN_CAP_ABOVE_MAX);
        drv_query_cap(d, CAP_GENERAL, false, now);
        g_assert_cmpmem(in + 16, DRV_CAP_PAGE, now, DRV_CAP_PAGE);
    }
    stop_enabled(d);
}

static void test_set_other(void)
{
    g_autofree uint8_t *in = NULL;
    Drv *d = start_enabled(&in);

    MLX5_SET(cmd_in, in, op_mod, CAP_ETHERNET << 1);
    drv_cmd_fails(d, in, DRV_CAP_PAGE + 16, 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_CAP_NOT_SETTABLE);
    MLX5_SET(cmd_in, in, op_mod, 0);
    MLX5_SET(cmd_in, in, opcode, OP_INIT_HCA);
    drv_cmd_ok(d, in, 32, NULL, 16);
    MLX5_SET(cmd_in, in, opcode, OP_SET_HCA_CAP);
    drv_cmd_fails(d, in, DRV_CAP_PAGE + 16, 16, MLX5_STATUS_BAD_SYS_STATE,
                  MLX5_SYN_HCA_ALREADY_INITIALIZED);
    stop_enabled(d);
}

/* A reset brings the maximum back. */
static void test_set_reset(void)
{
    g_autofree uint8_t *in = NULL;
    g_autofree uint8_t *now = g_malloc(DRV_CAP_PAGE);
    Drv *d = start_enabled(&in);

    MLX5_SET(cmd_hca_cap, in + 16, log_max_tis, 3);
    drv_cmd_ok(d, in, DRV_CAP_PAGE + 16, NULL, 16);
    qtest_system_reset(d->qts);
    drv_map(d);
    drv_cmdq_init(d);
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    drv_query_cap(d, CAP_GENERAL, false, now);
    g_assert_cmpuint(MLX5_GET(cmd_hca_cap, now, log_max_tis), ==, 16);
    stop_enabled(d);
}

void mlx5_cap_tests(void)
{
    qtest_add_func("mlx5-ktls/cap/striding", test_striding);
    qtest_add_func("mlx5-ktls/cap/lro", test_lro);
    qtest_add_func("mlx5-ktls/cap/needed", test_needed);
    qtest_add_func("mlx5-ktls/cap/tls-agrees", test_tls_agrees);
    qtest_add_func("mlx5-ktls/cap/unknown-type", test_unknown_type);
    qtest_add_func("mlx5-ktls/cap/set-stored", test_set_stored);
    qtest_add_func("mlx5-ktls/cap/set-above-max", test_set_above_max);
    qtest_add_func("mlx5-ktls/cap/set-other", test_set_other);
    qtest_add_func("mlx5-ktls/cap/set-reset", test_set_reset);
}
