/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of flow steering through the command interface: the destination of
 * packets according to tables, groups, entries and the root.
 * tests/unit/test-steering*.c test the matching itself, field by field. Owns no
 * state.
 */
#include "mlx5-rig.h"
#include "mlx5-tests.h"

enum { DEST_TABLE = 1, DEST_TIR = 2 };
enum { ACT_ALLOW = 1, ACT_DROP = 2, ACT_FWD = 4, ACT_COUNT = 8 };
enum { MODIFY_DEST = 4 };
#define MATCH_LEN 512

/* Two queues with a TIR each; a CQE tells by its rqn where a packet went. */
typedef struct Flow {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq[2];
    uint32_t tir[2];
    uint64_t first_buf[2]; /* 2048 bytes for each WQE of the ring */
} Flow;

static void flow_rig(Flow *z)
{
    unsigned q, i;

    z->d = drv_start_up("");
    drv_eq_create(z->d, &z->eq, 6, 0, 0);
    drv_cq_create(z->d, &z->cq, 8, z->eq.eqn);
    for (q = 0; q < 2; q++) {
        drv_rq_create(z->d, &z->rq[q], 6, 4, &z->cq, 0, false);
        z->first_buf[q] = drv_mem(z->d, 64 * 2048);
        for (i = 0; i < 64; i++) {
            DrvSeg seg = { .addr = z->first_buf[q] + i * 2048, .len = 2048 };

            drv_rq_post(z->d, &z->rq[q], &seg, 1);
        }
        drv_rq_publish(z->d, &z->rq[q]);
        z->tir[q] = drv_tir_direct(z->d, z->rq[q].rqn);
    }
}

static uint32_t table(Flow *z, unsigned level, unsigned log_size, uint32_t miss)
{
    uint8_t in[64] = { 0 }, out[16];

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, level, level);
    MLX5_SET(flow_table_context, in + 0x18, log_size, log_size);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_action, miss != 0);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_id, miss);
    drv_cmd_ok(z->d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(create_flow_table_out, out, table_id);
}

static void set_root(Flow *z, uint32_t table_id)
{
    uint8_t in[64] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(flow_cmd_in, in, table_id, table_id);
    drv_cmd_ok(z->d, in, sizeof(in), NULL, 16);
}

static void fill_group(uint8_t in[1024], uint32_t table_id, uint32_t first,
                       uint32_t last, const uint8_t *mask)
{
    memset(in, 0, 1024);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, table_id);
    MLX5_SET(create_flow_group_in, in, start_flow_index, first);
    MLX5_SET(create_flow_group_in, in, end_flow_index, last);
    if (mask) {
        MLX5_SET(create_flow_group_in, in, match_criteria_enable, 1);
        memcpy(in + 0x40, mask, MATCH_LEN);
    }
}

static uint32_t group(Flow *z, uint32_t table_id, uint32_t first,
                      uint32_t last, const uint8_t *mask)
{
    uint8_t in[1024], out[16];

    fill_group(in, table_id, first, last, mask);
    drv_cmd_ok(z->d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(create_flow_group_out, out, group_id);
}

#define FTE_LEN (0x340 + 4 * 8)

typedef struct Dest {
    uint8_t type;
    uint32_t id;
} Dest;

static void fill_fte(uint8_t in[FTE_LEN], uint32_t table_id, uint32_t group_id,
                     uint32_t index, uint16_t action, const uint8_t *value,
                     const Dest *dest, unsigned n, uint32_t counter)
{
    uint8_t *ctx = in + 0x40, *list = ctx + 0x300;
    unsigned i;

    memset(in, 0, FTE_LEN);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, table_id);
    MLX5_SET(set_fte_in, in, flow_index, index);
    MLX5_SET(flow_context, ctx, group_id, group_id);
    MLX5_SET(flow_context, ctx, flow_tag, index + 1);
    MLX5_SET(flow_context, ctx, action, action);
    MLX5_SET(flow_context, ctx, destination_list_size, n);
    MLX5_SET(flow_context, ctx, flow_counter_list_size, counter != 0);
    if (value) {
        memcpy(ctx + 0x40, value, MATCH_LEN);
    }
    for (i = 0; i < n; i++, list += 8) {
        MLX5_SET(dest_format_struct, list, destination_type, dest[i].type);
        MLX5_SET(dest_format_struct, list, destination_id, dest[i].id);
    }
    if (counter) {
        MLX5_SET(flow_counter_list, list, flow_counter_id, counter);
    }
}

static void fte(Flow *z, uint32_t table_id, uint32_t group_id, uint32_t index,
                const uint8_t *value, uint8_t type, uint32_t id)
{
    uint8_t in[FTE_LEN];
    Dest dest = { type, id };

    fill_fte(in, table_id, group_id, index, ACT_FWD, value, &dest, 1, 0);
    drv_cmd_ok(z->d, in, sizeof(in), NULL, 16);
}

static void send_spec(Flow *z, const FrameSpec *s)
{
    Frame f = frame_build(s);

    drv_wire_send(z->d, f.data, f.len);
    frame_free(&f);
}

/* The next packet comes to queue @q with @tag. */
static void expect_queue(Flow *z, unsigned q, uint32_t tag)
{
    uint8_t cqe[64];

    drv_cq_wait(z->d, &z->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, z->rq[q].rqn);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, flow_tag), ==, tag);
}

/* A table whose last entry, behind what a test puts there, takes all to 1. */
static uint32_t catch_all(Flow *z, unsigned level)
{
    uint32_t t = table(z, level, 3, 0);

    fte(z, t, group(z, t, 7, 7, NULL), 7, NULL, DEST_TIR, z->tir[1]);
    return t;
}

/* ------------------------------------------------------------- matching --- */

static void vary_dmac(FrameSpec *s)
{
    s->dst_mac[5] ^= 1;
}

static void vary_vlan(FrameSpec *s)
{
    s->tci[0] ^= 1;
}

static void vary_untagged(FrameSpec *s)
{
    s->n_vlan = 0;
}

static void vary_version(FrameSpec *s)
{
    s->ip = 6;
}

static void vary_proto(FrameSpec *s)
{
    s->proto = 17;
}

static void vary_sport(FrameSpec *s)
{
    s->sport++;
}

static void vary_dport(FrameSpec *s)
{
    s->dport++;
}

static void vary_src_ip(FrameSpec *s)
{
    s->src_ip[3] ^= 1;
}

static void vary_dst_ip(FrameSpec *s)
{
    s->dst_ip[0] ^= 0x80;
}

static void vary_flags(FrameSpec *s)
{
    s->tcp_flags ^= 0x02;
}

/* What matches goes to queue 0, with that one thing changed to queue 1. */
static void test_match(void)
{
    static const struct {
        const char *what;
        unsigned at; /* byte in fte_match_param */
        unsigned len;
        uint8_t mask[6];
        uint8_t value[6];
        void (*vary)(FrameSpec *s);
    } rows[] = {
        { "dmac", 0x08, 6, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, DRV_MAC,
          vary_dmac },
        { "cvlan_tag", 0x12, 1, { 0x80 }, { 0x80 }, vary_untagged },
        { "first_vid", 0x0e, 2, { 0x0f, 0xff }, { 0x01, 0x23 }, vary_vlan },
        { "ip_version", 0x12, 1, { 0x1e }, { 0x08 }, vary_version },
        { "ip_protocol", 0x10, 1, { 0xff }, { 6 }, vary_proto },
        { "tcp_sport", 0x14, 2, { 0xff, 0xff }, { 0x9c, 0x40 }, vary_sport },
        { "tcp_dport", 0x16, 2, { 0xff, 0xff }, { 0x01, 0xbb }, vary_dport },
        { "src_ip", 0x2c, 4, { 0xff, 0xff, 0xff, 0xff }, { 10, 10, 10, 10 },
          vary_src_ip },
        { "dst_ip/1", 0x3c, 1, { 0x80 }, { 0 }, vary_dst_ip },
        { "tcp_flags", 0x12, 2, { 0x01, 0xff }, { 0x00, 0x10 }, vary_flags },
    };
    unsigned i;
    Flow z;

    flow_rig(&z);
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t mask[MATCH_LEN] = { 0 }, value[MATCH_LEN] = { 0 };
        FrameSpec s = rig_spec(4, 6, 60), other;
        uint32_t t = catch_all(&z, 10 + i);

        s.n_vlan = 1;
        s.tpid[0] = 0x8100;
        s.tci[0] = 0x6123;
        memcpy(mask + rows[i].at, rows[i].mask, rows[i].len);
        memcpy(value + rows[i].at, rows[i].value, rows[i].len);
        fte(&z, t, group(&z, t, 0, 3, mask), 2, value, DEST_TIR, z.tir[0]);
        set_root(&z, t);
        g_test_message("%s", rows[i].what);
        send_spec(&z, &s);
        expect_queue(&z, 0, 3);
        other = s;
        rows[i].vary(&other);
        send_spec(&z, &other);
        expect_queue(&z, 1, 8);
    }
    drv_stop(z.d);
}

/* The lowest index wins, whichever group it is in. */
static void test_order(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint8_t mask[MATCH_LEN] = { 0 }, value[MATCH_LEN] = { 0 };
    uint32_t t, high, low;
    Flow z;

    flow_rig(&z);
    t = table(&z, 1, 3, 0);
    mask[0x10] = 0xff;
    value[0x10] = 6;
    high = group(&z, t, 4, 7, mask);
    low = group(&z, t, 0, 3, NULL);
    set_root(&z, t);
    fte(&z, t, high, 5, value, DEST_TIR, z.tir[0]);
    send_spec(&z, &s);
    expect_queue(&z, 0, 6);
    fte(&z, t, low, 3, NULL, DEST_TIR, z.tir[1]);
    send_spec(&z, &s);
    expect_queue(&z, 1, 4);
    fte(&z, t, low, 1, NULL, DEST_TIR, z.tir[0]);
    send_spec(&z, &s);
    expect_queue(&z, 0, 2);
    drv_stop(z.d);
}

/* --------------------------------------------------------------- tables --- */

/* From table to table, by entries and by misses, as the driver chains them. */
static void test_chain(void)
{
    FrameSpec tcp = rig_spec(4, 6, 60), udp = rig_spec(4, 17, 60);
    FrameSpec arp = rig_spec(0, 0, 60);
    uint8_t mask[MATCH_LEN] = { 0 }, value[MATCH_LEN] = { 0 }, in[64] = { 0 };
    uint32_t first, second, third;
    Flow z;

    flow_rig(&z);
    arp.ethertype = 0x0806;
    third = table(&z, 3, 0, 0);
    fte(&z, third, group(&z, third, 0, 0, NULL), 0, NULL, DEST_TIR, z.tir[1]);
    second = table(&z, 2, 2, third);
    mask[0x10] = 0xff;
    value[0x10] = 6;
    fte(&z, second, group(&z, second, 0, 3, mask), 3, value, DEST_TIR,
        z.tir[0]);
    first = table(&z, 1, 0, third);
    mask[0x10] = 0;
    mask[0x12] = 0x1e;
    value[0x10] = 0;
    value[0x12] = 0x08;
    fte(&z, first, group(&z, first, 0, 0, mask), 0, value, DEST_TABLE, second);
    set_root(&z, first);
    send_spec(&z, &tcp); /* first entry, second entry */
    expect_queue(&z, 0, 4);
    send_spec(&z, &udp); /* first entry, second misses, third entry */
    expect_queue(&z, 1, 1);
    send_spec(&z, &arp); /* first misses, third entry */
    expect_queue(&z, 1, 1);
    /* The miss goes elsewhere: nowhere. */
    MLX5_SET(cmd_in, in, opcode, 0x93c);
    MLX5_SET(modify_flow_table_in, in, modify_field_select, 1);
    MLX5_SET(flow_cmd_in, in, table_id, first);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    send_spec(&z, &arp);
    DRV_WAIT(drv_counter(z.d, "rx_steer_miss") == 1);
    /* A table that is pointed to stays. */
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_DESTROY_FLOW_TABLE);
    MLX5_SET(flow_cmd_in, in, table_id, third);
    g_assert_cmphex(drv_cmd(z.d, in, sizeof(in), NULL, 16).status, ==,
                    MLX5_STATUS_RES_BUSY);
    drv_stop(z.d);
}

static DrvResult modify_header(Flow *z, const uint8_t *actions, unsigned n,
                               uint32_t *id)
{
    uint8_t in[16 + 8 * 40] = { 0 }, out[16];
    DrvResult r;

    MLX5_SET(cmd_in, in, opcode, 0x940);
    MLX5_SET(alloc_modify_header_context_in, in, num_of_actions, n);
    memcpy(in + 16, actions, 8 * n);
    r = drv_cmd(z->d, in, 16 + MAX(n, 1) * 8, out, sizeof(out));
    *id = MLX5_GET(alloc_modify_header_context_out, out, modify_header_id);
    return r;
}

static void set_action(uint8_t a[8], unsigned field, unsigned length,
                       uint32_t data)
{
    memset(a, 0, 8);
    MLX5_SET(set_action_in, a, action_type, 1);
    MLX5_SET(set_action_in, a, field, field);
    MLX5_SET(set_action_in, a, length, length);
    MLX5_SET(set_action_in, a, data, data);
}

enum { FIELD_TCP_DPORT = 0x09, FIELD_IP_TTL = 0x0a, FIELD_DIPV4 = 0x16,
       FIELD_REG_B = 0x50, FIELD_REG_C_2 = 0x53 };
enum { ACT_MOD_HDR = 0x40 };

/* Packets like @s arrive at the second TIR as @to has them. */
static void check_rewritten(Flow *z, FrameSpec *s, FrameSpec *to)
{
    uint8_t cqe[64], buf[2048];
    Frame f, want;
    unsigned i;

    for (i = 0; i < 2; i++) {
        uint64_t addr;

        s->payload_len = to->payload_len = 60 + 7 * i;
        f = frame_build(s);
        want = frame_build(to);
        addr = z->first_buf[1] + i * 2048;
        drv_wire_send(z->d, f.data, f.len);
        drv_cq_wait(z->d, &z->cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, rqn), ==, z->rq[1].rqn);
        g_assert_cmphex(MLX5_GET(cqe, cqe, ft_metadata), ==, 0x12345678);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, l3_ok), ==, 1);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, l4_ok), ==, 1);
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(want.data + 14, want.len - 14));
        g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, want.len);
        drv_read(z->d, addr, buf, want.len);
        g_assert_cmpmem(buf, want.len, want.data, want.len);
        frame_free(&f);
        frame_free(&want);
    }
}

/* What there is not: registers to match on, 33 actions, none. */
static void check_modify_limits(Flow *z)
{
    uint8_t actions[8 * 33];
    uint32_t id;
    unsigned i;

    set_action(actions, FIELD_REG_C_2, 0, 1);
    g_assert_cmphex(modify_header(z, actions, 1, &id).syndrome, ==,
                    MLX5_SYNDROME_BASE + MLX5_SYN_MODIFY_BAD_FIELD);
    for (i = 0; i < 33; i++) {
        set_action(actions + 8 * i, FIELD_IP_TTL, 8, i);
    }
    g_assert_cmphex(modify_header(z, actions, 33, &id).syndrome, ==,
                    MLX5_SYNDROME_BASE + MLX5_SYN_MODIFY_ACTION_LIMIT);
    g_assert_cmphex(modify_header(z, actions, 0, &id).syndrome, ==,
                    MLX5_SYNDROME_BASE + MLX5_SYN_MODIFY_ACTION_LIMIT);
    g_assert_cmphex(modify_header(z, actions, 32, &id).status, ==, 0);
}

/*
 * Entries that modify the header: what is delivered, its checksums, hash and
 * metadata; tables behind them see the packet so, at whatever level they are.
 */
static void test_modify_header(void)
{
    FrameSpec s = rig_spec(4, 6, 60), to = s;
    uint8_t actions[8 * 4], in[FTE_LEN], mask[MATCH_LEN] = { 0 };
    uint8_t value[MATCH_LEN] = { 0 };
    uint32_t first, second, id;
    Dest dest;
    Flow z;

    flow_rig(&z);
    set_action(actions, FIELD_IP_TTL, 8, 9);
    set_action(actions + 8, FIELD_TCP_DPORT, 16, 8080);
    set_action(actions + 16, FIELD_DIPV4, 0, 0x0a0b0c0d);
    set_action(actions + 24, FIELD_REG_B, 0, 0x12345678);
    g_assert_cmphex(modify_header(&z, actions, 4, &id).status, ==, 0);
    g_assert_cmpuint(drv_objects(z.d, "flow_modify"), ==, 1);
    /* The second table matches the new port alone, and is of a lower level. */
    mask[0x16] = mask[0x17] = 0xff;
    value[0x16] = 8080 >> 8;
    value[0x17] = 8080 & 0xff;
    second = table(&z, 1, 0, 0);
    fte(&z, second, group(&z, second, 0, 0, mask), 0, value, DEST_TIR,
        z.tir[1]);
    first = table(&z, 5, 0, 0);
    dest = (Dest) { DEST_TABLE, second };
    fill_fte(in, first, group(&z, first, 0, 0, NULL), 0,
             ACT_FWD | ACT_MOD_HDR, NULL, &dest, 1, 0);
    MLX5_SET(set_fte_in, in, ignore_flow_level, 1);
    drv_cmd_fails(z.d, in, sizeof(in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_NO_SUCH_MODIFY_HEADER);
    MLX5_SET(flow_context, in + 0x40, modify_header_id, id);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    set_root(&z, first);

    to.ttl = 9;
    to.dport = 8080;
    to.dst_ip[0] = 0x0a;
    to.dst_ip[1] = 0x0b;
    to.dst_ip[2] = 0x0c;
    to.dst_ip[3] = 0x0d;
    check_rewritten(&z, &s, &to);

    /* A context that an entry has stays; the entry gone, it goes. */
    drv_cmd_id_fails(z.d, 0x941, id, MLX5_STATUS_RES_BUSY,
                     MLX5_SYN_MODIFY_IN_USE);
    memset(in, 0, 64);
    MLX5_SET(cmd_in, in, opcode, OP_DELETE_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, first);
    drv_cmd_ok(z.d, in, 64, NULL, 16);
    drv_cmd_id_ok(z.d, 0x941, id);
    drv_cmd_id_fails(z.d, 0x941, id, MLX5_STATUS_BAD_RES,
                     MLX5_SYN_NO_SUCH_MODIFY_HEADER);

    check_modify_limits(&z);
    drv_stop(z.d);
}

/*
 * Tables that send packets round in circles, which ignore_flow_level allows:
 * the packet comes to an end, and is counted.
 */
static void test_loop(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint8_t in[FTE_LEN], q[528];
    uint32_t a, b;
    Dest dest;
    Flow z;

    flow_rig(&z);
    a = table(&z, 1, 0, 0);
    b = table(&z, 2, 0, a);
    dest = (Dest) { DEST_TABLE, b };
    fill_fte(in, a, group(&z, a, 0, 0, NULL), 0, ACT_FWD, NULL, &dest, 1, 0);
    MLX5_SET(set_fte_in, in, ignore_flow_level, 1);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    set_root(&z, a);
    send_spec(&z, &s);
    DRV_WAIT(drv_counter(z.d, "rx_steer_cut") == 1);
    g_assert_cmpuint(drv_counter(z.d, "rx_steer_miss"), ==, 1);
    memset(q, 0, sizeof(q));
    MLX5_SET(cmd_in, q, opcode, 0x76f);
    drv_cmd_ok(z.d, q, 16, q, sizeof(q));
    g_assert_cmpuint(MLX5_GET64(vnic_diagnostic_statistics, q + 16,
                                handled_pkt_steering_fail), ==, 1);
    g_assert_cmpuint(MLX5_GET64(vnic_diagnostic_statistics, q + 16,
                                nic_receive_steering_discard), ==, 0);
    drv_stop(z.d);
}

static void test_root(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint32_t a, b;
    uint8_t in[64] = { 0 };
    Flow z;

    flow_rig(&z);
    a = table(&z, 1, 0, 0);
    fte(&z, a, group(&z, a, 0, 0, NULL), 0, NULL, DEST_TIR, z.tir[0]);
    b = table(&z, 0, 0, 0);
    fte(&z, b, group(&z, b, 0, 0, NULL), 0, NULL, DEST_TIR, z.tir[1]);
    set_root(&z, a);
    send_spec(&z, &s);
    expect_queue(&z, 0, 1);
    set_root(&z, b);
    send_spec(&z, &s);
    expect_queue(&z, 1, 1);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(cmd_in, in, op_mod, 1);
    MLX5_SET(flow_cmd_in, in, table_id, b);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    send_spec(&z, &s);
    DRV_WAIT(drv_counter(z.d, "rx_steer_miss") == 1);
    set_root(&z, a);
    send_spec(&z, &s);
    expect_queue(&z, 0, 1);
    drv_stop(z.d);
}

/* -------------------------------------------------------------- actions --- */

static void query_counter(Flow *z, uint32_t id, bool clear, uint64_t *packets,
                          uint64_t *octets)
{
    uint8_t in[32] = { 0 }, out[32];

    MLX5_SET(cmd_in, in, opcode, 0x93b);
    MLX5_SET(query_flow_counter_in, in, clear, clear);
    MLX5_SET(query_flow_counter_in, in, flow_counter_id, id);
    drv_cmd_ok(z->d, in, sizeof(in), out, sizeof(out));
    *packets = MLX5_GET64(traffic_counter, out + 16, packets);
    *octets = MLX5_GET64(traffic_counter, out + 16, octets);
}

static void test_count_and_drop(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint8_t in[FTE_LEN], out[16], hdr[16] = { 0 };
    uint64_t packets, octets;
    uint32_t t, g, counter;
    Dest dest;
    unsigned i;
    Frame f;
    Flow z;

    flow_rig(&z);
    f = frame_build(&s);
    MLX5_SET(cmd_in, hdr, opcode, 0x939);
    drv_cmd_ok(z.d, hdr, sizeof(hdr), out, sizeof(out));
    counter = MLX5_GET(alloc_flow_counter_out, out, flow_counter_id);
    t = catch_all(&z, 1);
    g = group(&z, t, 0, 1, NULL);
    fill_fte(in, t, g, 0, ACT_DROP | ACT_COUNT, NULL, NULL, 0, counter);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    set_root(&z, t);
    for (i = 0; i < 5; i++) {
        send_spec(&z, &s);
    }
    DRV_WAIT(drv_counter(z.d, "rx_steer_drop") == 5);
    query_counter(&z, counter, true, &packets, &octets);
    g_assert_cmpuint(packets, ==, 5);
    g_assert_cmpuint(octets, ==, 5 * f.len);
    query_counter(&z, counter, false, &packets, &octets);
    g_assert_cmpuint(packets, ==, 0);
    /* Another entry counts what it delivers. */
    MLX5_SET(cmd_in, in, opcode, OP_DELETE_FTE);
    drv_cmd_ok(z.d, in, 64, NULL, 16);
    dest = (Dest) { DEST_TIR, z.tir[0] };
    fill_fte(in, t, g, 1, ACT_FWD | ACT_COUNT, NULL, &dest, 1, counter);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    send_spec(&z, &s);
    expect_queue(&z, 0, 2);
    query_counter(&z, counter, false, &packets, &octets);
    g_assert_cmpuint(packets, ==, 1);
    /* In use it stays. */
    MLX5_SET(cmd_in, hdr, opcode, 0x93a);
    MLX5_SET(dealloc_flow_counter_in, hdr, flow_counter_id, counter);
    drv_cmd_fails(z.d, hdr, sizeof(hdr), 16, MLX5_STATUS_RES_BUSY,
                  MLX5_SYN_FLOW_COUNTER_IN_USE);
    frame_free(&f);
    drv_stop(z.d);
}

/* Several destinations: a copy for each. */
static void test_several(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint8_t in[FTE_LEN], cqe[64];
    unsigned seen = 0, i;
    uint32_t t;
    Dest dest[2];
    Flow z;

    flow_rig(&z);
    dest[0] = (Dest) { DEST_TIR, z.tir[0] };
    dest[1] = (Dest) { DEST_TIR, z.tir[1] };
    t = table(&z, 1, 0, 0);
    fill_fte(in, t, group(&z, t, 0, 0, NULL), 0, ACT_FWD, NULL, dest, 2, 0);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    set_root(&z, t);
    send_spec(&z, &s);
    for (i = 0; i < 2; i++) {
        drv_cq_wait(z.d, &z.cq, cqe);
        seen |= MLX5_GET(cqe, cqe, rqn) == z.rq[0].rqn ? 1 : 2;
    }
    g_assert_cmphex(seen, ==, 3);
    drv_stop(z.d);
}

/* As aRFS and TLS are switched on: the same entry, another destination. */
static void test_modify(void)
{
    FrameSpec s = rig_spec(4, 6, 60);
    uint8_t in[FTE_LEN];
    uint32_t t, g;
    Dest dest;
    Flow z;

    flow_rig(&z);
    t = table(&z, 1, 0, 0);
    g = group(&z, t, 0, 0, NULL);
    fte(&z, t, g, 0, NULL, DEST_TIR, z.tir[0]);
    set_root(&z, t);
    send_spec(&z, &s);
    expect_queue(&z, 0, 1);
    dest = (Dest) { DEST_TIR, z.tir[1] };
    fill_fte(in, t, g, 0, ACT_FWD, NULL, &dest, 1, 0);
    /* Setting what is there already is a mistake. */
    drv_cmd_fails(z.d, in, sizeof(in), 16, MLX5_STATUS_RES_BUSY,
                  MLX5_SYN_FT_INDEX_BUSY);
    MLX5_SET(cmd_in, in, op_mod, 1);
    MLX5_SET(set_fte_in, in, modify_enable_mask, MODIFY_DEST);
    drv_cmd_ok(z.d, in, sizeof(in), NULL, 16);
    send_spec(&z, &s);
    expect_queue(&z, 1, 1);
    /* The old one is not referred to any more, the new one is. */
    drv_cmd_id_ok(z.d, OP_DESTROY_TIR, z.tir[0]);
    drv_cmd_id_fails(z.d, OP_DESTROY_TIR, z.tir[1], MLX5_STATUS_RES_BUSY,
                     MLX5_SYN_OBJECT_IN_USE);
    MLX5_SET(set_fte_in, in, modify_enable_mask, 0x80);
    drv_cmd_fails(z.d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_BAD_MODIFY_MASK);
    drv_stop(z.d);
}

/* -------------------------------------------------------------- refused --- */

static void test_refused(void)
{
    uint8_t in[FTE_LEN], g_in[1024], t_in[64] = { 0 };
    uint8_t mask[MATCH_LEN] = { 0 };
    uint64_t before;
    uint32_t t, g;
    Dest dest;
    Flow z;

    flow_rig(&z);
    t = table(&z, 5, 3, 0);
    g = group(&z, t, 0, 3, NULL);
    before = drv_objects_total(z.d);
    /* tables */
    MLX5_SET(cmd_in, t_in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, t_in + 0x18, log_size, 40);
    drv_cmd_fails(z.d, t_in, sizeof(t_in), 16, MLX5_STATUS_EXCEED_LIM,
                  MLX5_SYN_FT_TOO_LARGE);
    MLX5_SET(flow_table_context, t_in + 0x18, log_size, 0);
    MLX5_SET(flow_table_context, t_in + 0x18, table_miss_action, 1);
    MLX5_SET(flow_table_context, t_in + 0x18, table_miss_id, 999);
    drv_cmd_fails(z.d, t_in, sizeof(t_in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_FT_NO_DESTINATION_TABLE);
    MLX5_SET(flow_table_context, t_in + 0x18, table_miss_action, 0);
    MLX5_SET(flow_cmd_in, t_in, table_type, 1); /* NIC_TX */
    drv_cmd_fails(z.d, t_in, sizeof(t_in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_BAD_TYPE);
    /* groups */
    fill_group(g_in, t, 3, 5, NULL);
    drv_cmd_fails(z.d, g_in, sizeof(g_in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_GROUP_OVERLAP);
    fill_group(g_in, t, 6, 8, NULL);
    drv_cmd_fails(z.d, g_in, sizeof(g_in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_GROUP_RANGE);
    fill_group(g_in, t, 6, 5, NULL);
    drv_cmd_fails(z.d, g_in, sizeof(g_in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_GROUP_RANGE);
    mask[0x60] = 0xff; /* misc parameters: not announced */
    fill_group(g_in, t, 4, 5, mask);
    MLX5_SET(create_flow_group_in, g_in, match_criteria_enable, 2);
    drv_cmd_fails(z.d, g_in, sizeof(g_in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_FT_BAD_CRITERIA);
    fill_group(g_in, 999, 4, 5, NULL);
    drv_cmd_fails(z.d, g_in, sizeof(g_in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_FT_NO_SUCH_TABLE);
    /* entries */
    dest = (Dest) { DEST_TIR, z.tir[0] };
#define FTE_FAILS(t_, g_, index, action, n, status, syn)                     \
    do {                                                                     \
        fill_fte(in, t_, g_, index, action, NULL, &dest, n, 0);              \
        drv_cmd_fails(z.d, in, sizeof(in), 16, MLX5_STATUS_##status,         \
                      MLX5_SYN_##syn);                                       \
    } while (0)
    FTE_FAILS(999, g, 0, ACT_FWD, 1, BAD_RES, FT_NO_SUCH_TABLE);
    FTE_FAILS(t, g + 50, 0, ACT_FWD, 1, BAD_RES, FT_NO_SUCH_GROUP);
    FTE_FAILS(t, g, 4, ACT_FWD, 1, BAD_INDEX, FT_BAD_INDEX);
    FTE_FAILS(t, g, 0, ACT_FWD, 0, BAD_PARAM, FT_NO_DESTINATION);
    FTE_FAILS(t, g, 0, ACT_DROP, 1, BAD_PARAM, FT_EXCESS_DESTINATION);
    FTE_FAILS(t, g, 0, ACT_COUNT | ACT_DROP, 0, BAD_PARAM, FT_NO_COUNTER);
    FTE_FAILS(t, g, 0, 0x40, 1, BAD_PARAM, FT_BAD_ACTION);
    dest.id = 4711;
    FTE_FAILS(t, g, 0, ACT_FWD, 1, BAD_RES, NO_SUCH_TIR);
    dest.type = DEST_TABLE;
    FTE_FAILS(t, g, 0, ACT_FWD, 1, BAD_RES, FT_NO_DESTINATION_TABLE);
    dest.type = 7;
    FTE_FAILS(t, g, 0, ACT_FWD, 1, BAD_PARAM, FT_BAD_DESTINATION);
    /* a list that the input does not hold */
    fill_fte(in, t, g, 0, ACT_FWD, NULL, &dest, 1, 0);
    MLX5_SET(flow_context, in + 0x40, destination_list_size, 30);
    g_assert_cmphex(drv_cmd(z.d, in, 0x340, NULL, 16).status, !=, 0);
    MLX5_SET(flow_context, in + 0x40, destination_list_size, 0xffffff);
    g_assert_cmphex(drv_cmd(z.d, in, sizeof(in), NULL, 16).status, !=, 0);
    /* what is not there cannot be deleted */
    memset(t_in, 0, sizeof(t_in));
    MLX5_SET(cmd_in, t_in, opcode, OP_DELETE_FTE);
    MLX5_SET(flow_cmd_in, t_in, table_id, t);
    drv_cmd_fails(z.d, t_in, sizeof(t_in), 16, MLX5_STATUS_BAD_RES,
                  MLX5_SYN_FT_NO_SUCH_ENTRY);
    g_assert_cmpuint(drv_objects_total(z.d), ==, before);
    drv_stop(z.d);
}
#undef FTE_FAILS

void mlx5_flow_tests(void)
{
    qtest_add_func("mlx5-ktls/flow/match", test_match);
    qtest_add_func("mlx5-ktls/flow/order", test_order);
    qtest_add_func("mlx5-ktls/flow/chain", test_chain);
    qtest_add_func("mlx5-ktls/flow/modify-header", test_modify_header);
    qtest_add_func("mlx5-ktls/flow/loop", test_loop);
    qtest_add_func("mlx5-ktls/flow/root", test_root);
    qtest_add_func("mlx5-ktls/flow/count-and-drop", test_count_and_drop);
    qtest_add_func("mlx5-ktls/flow/several", test_several);
    qtest_add_func("mlx5-ktls/flow/modify", test_modify);
    qtest_add_func("mlx5-ktls/flow/refused", test_refused);
}
