/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the property "fill-reserved": what has no name is random, what has
 * one is what it was. Owns no state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define CAP_GENERAL 0
#define REG_PMTU 0x5003

MLX5_PRM_FIELD_TABLE(general, cmd_hca_cap);

/* The value of "fill-reserved". */
static char *fill_of(Drv *d)
{
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': "
                           "{'path': %s, 'property': 'fill-reserved'}}",
                           d->path);
    char *text = g_strdup(qdict_get_str(rsp, "return"));

    qobject_unref(rsp);
    return text;
}

/* The output of a NOP, whatever its reserved fields have. */
static void nop(Drv *d, uint8_t out[16])
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_NOP);
    g_assert_cmphex(drv_cmd(d, in, sizeof(in), out, 16).status, ==, 0);
    g_assert_cmphex(MLX5_GET(cmd_out, out, syndrome), ==, 0);
}

/* The same seed gives the same bits, another one others; "random" has one. */
static void test_seed(void)
{
    static const char *const props[] = {
        ",fill-reserved=random:7", ",fill-reserved=random:7",
        ",fill-reserved=random:8", ",fill-reserved=random",
    };
    uint8_t out[G_N_ELEMENTS(props)][16], zero[16] = { 0 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(props); i++) {
        Drv *d = drv_start_up(props[i]);
        g_autofree char *text = fill_of(d);

        g_assert_true(g_str_has_prefix(text, "random:"));
        if (i < 3) {
            g_assert_cmpstr(text, ==, props[i] + strlen(",fill-reserved="));
        }
        nop(d, out[i]);
        g_assert_cmpint(memcmp(out[i], zero, 16), !=, 0);
        drv_stop(d);
    }
    g_assert_cmpmem(out[0], 16, out[1], 16);
    g_assert_cmpint(memcmp(out[0], out[2], 16), !=, 0);
}

/* It can be changed at any time. */
static void test_switch(void)
{
    static const struct {
        const char *value;
        bool ok, zero;
    } rows[] = {
        { "random", true, false }, { "zero", true, true },
        { "random:0x10", true, false }, { "ones", false, false },
        { "random:", false, false }, { "random:-1", false, false },
        { "random:7x", false, false }, { "", false, false },
        { "zero", true, true },
    };
    Drv *d = drv_start_up("");
    uint8_t out[16], zero[16] = { 0 };
    unsigned i;

    nop(d, out);
    g_assert_cmpmem(out, 16, zero, 16);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-set', 'arguments': "
                               "{'path': %s, 'property': 'fill-reserved', "
                               "'value': %s}}", d->path, rows[i].value);

        g_test_message("%s", rows[i].value);
        g_assert_cmpint(qdict_haskey(rsp, "error"), ==, !rows[i].ok);
        qobject_unref(rsp);
        nop(d, out);
        g_assert_cmpint(!memcmp(out, zero, 16), ==, rows[i].zero);
    }
    drv_stop(d);
}

/*
 * Capabilities are what they are, and a driver may write back what it has read:
 * but nothing else that is not announced.
 */
static void test_caps(void)
{
    g_autofree uint8_t *plain = g_malloc(DRV_CAP_PAGE);
    g_autofree uint8_t *in = g_malloc0(DRV_CAP_PAGE + 16);
    Drv *d = drv_start("");
    unsigned i;

    drv_cmdq_init(d);
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    drv_query_cap(d, CAP_GENERAL, false, plain);
    drv_stop(d);

    d = drv_start(",fill-reserved=random");
    drv_cmdq_init(d);
    g_assert_cmphex(drv_cmd_id(d, OP_ENABLE_HCA, 0).status, ==, 0);
    drv_query_cap(d, CAP_GENERAL, false, in + 16);
    for (i = 0; i < G_N_ELEMENTS(general); i++) {
        g_test_message("%s", general[i].name);
        g_assert_cmphex(mlx5_prm_get(in + 16, general[i].bit,
                                     general[i].width), ==,
                        mlx5_prm_get(plain, general[i].bit, general[i].width));
    }
    g_assert_cmpint(memcmp(plain, in + 16, DRV_CAP_PAGE), !=, 0);
    MLX5_SET(cmd_in, in, opcode, OP_SET_HCA_CAP);
    MLX5_SET(cmd_hca_cap, in + 16, log_max_qp, 12);
    g_assert_cmphex(drv_cmd(d, in, DRV_CAP_PAGE + 16, NULL, 16).status, ==, 0);
    MLX5_SET(cmd_hca_cap, in + 16, roce, 1);
    g_assert_cmphex(drv_cmd(d, in, DRV_CAP_PAGE + 16, NULL, 16).status, ==,
                    MLX5_STATUS_BAD_PARAM);
    g_assert_cmphex(drv_cmd_id(d, OP_DISABLE_HCA, 0).status, ==, 0);
    drv_stop(d);
}

/* Of a refused command status and syndrome mean something. */
static void test_refused(void)
{
    uint8_t in[16] = { 0 }, out[64] = { 0 }, zero[56] = { 0 };
    Drv *d = drv_start_up(",fill-reserved=random");
    DrvResult r;

    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_CQ);
    MLX5_SET(cmd_id, in, id, 77);
    r = drv_cmd(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_RES);
    g_assert_cmphex(r.syndrome, ==, 0x4b540000 + MLX5_SYN_NO_SUCH_CQ);
    g_assert_cmpint(memcmp(out + 8, zero, sizeof(zero)), !=, 0);
    g_assert_cmpint(memcmp(out + 48, zero, 16), !=, 0);
    drv_stop(d);
}

/* Registers: PMTU, whose named fields are all its sizes. */
static void test_register(void)
{
    uint8_t plain[16] = { 0 }, reg[16] = { 0 };
    Drv *d = drv_start_up("");

    MLX5_SET(port_reg, plain, local_port, 1);
    g_assert_cmphex(drv_access_reg(d, REG_PMTU, false, plain, 16).status, ==,
                    0);
    drv_stop(d);
    d = drv_start_up(",fill-reserved=random");
    MLX5_SET(port_reg, reg, local_port, 1);
    g_assert_cmphex(drv_access_reg(d, REG_PMTU, false, reg, 16).status, ==, 0);
    g_assert_cmpuint(MLX5_GET(port_reg, reg, local_port), ==, 1);
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, max_mtu), ==,
                     MLX5_GET(pmtu_reg, plain, max_mtu));
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, admin_mtu), ==,
                     MLX5_GET(pmtu_reg, plain, admin_mtu));
    g_assert_cmpuint(MLX5_GET(pmtu_reg, reg, oper_mtu), ==,
                     MLX5_GET(pmtu_reg, plain, oper_mtu));
    g_assert_cmpint(memcmp(plain, reg, 16), !=, 0);
    drv_stop(d);
}

/* A frame's completions and events: every named field is right. */
static void test_entries(void)
{
    static const uint8_t frame[64] = { 0x02, 1, 2, 3, 4, 5, 6 };
    uint8_t eqe[64], cqe[64], zero[64] = { 0 };
    Drv *d = drv_start_up(",fill-reserved=random");
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
    uint32_t tisn = drv_tis_create(d);
    uint16_t index;

    drv_eq_create(d, &eq, 4, 1, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_sq_create(d, &sq, 4, &cq, tisn);
    drv_cq_arm(d, &cq, false);
    index = drv_sq_send(d, &sq, frame, sizeof(frame), 0);
    drv_sq_ring(d, &sq);
    drv_eq_wait(d, &eq, eqe);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_COMP);
    g_assert_cmphex(MLX5_GET(eqe, eqe, event_sub_type), ==, 0);
    g_assert_cmphex(MLX5_GET(eqe_comp, eqe, cqn), ==, cq.cqn);
    g_assert_cmpint(memcmp(eqe + 4, zero, 28), !=, 0);
    g_assert_cmpint(memcmp(eqe + 32, zero, 24), !=, 0);
    g_assert_true(drv_cq_peek(d, &cq, cqe));
    g_assert_cmpint(memcmp(cqe + 4, zero, 20), !=, 0);
    g_assert_cmphex(MLX5_GET(cqe, cqe, sqn), ==, sq.sqn);
    g_assert_cmphex(MLX5_GET(cqe, cqe, s_wqe_opcode), ==, WQE_SEND);
    drv_sq_expect(d, &sq, index);
    /* an error: the second WQE of the queue has none of its opcodes */
    {
        DrvWqe w;

        drv_wqe(&w, &sq, 0x7f, true);
        index = drv_sq_put(d, &sq, &w);
        drv_sq_ring(d, &sq);
        drv_sq_expect_error(d, &sq, index, SYN_QP_OP);
    }
    drv_stop(d);
}

void mlx5_reserved_tests(void)
{
    qtest_add_func("mlx5-ktls/reserved/seed", test_seed);
    qtest_add_func("mlx5-ktls/reserved/switch", test_switch);
    qtest_add_func("mlx5-ktls/reserved/caps", test_caps);
    qtest_add_func("mlx5-ktls/reserved/refused", test_refused);
    qtest_add_func("mlx5-ktls/reserved/register", test_register);
    qtest_add_func("mlx5-ktls/reserved/entries", test_entries);
}
