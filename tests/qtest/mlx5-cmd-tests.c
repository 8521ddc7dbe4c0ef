/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the command interface: states, lengths, mailboxes, delivery errors,
 * many commands at once, polled and event-driven completion. Owns no state.
 */
#include "mlx5-drv.h"
#include "mlx5-tests.h"

#define ALL_CMD_SLOTS 0x7fffffffu /* the last one is for page commands */

/* Delivery status */
enum {
    DELIVERY_TOKEN = 0x02,
    DELIVERY_OUT_PTR = 0x04,
    DELIVERY_IN_PTR = 0x05,
    DELIVERY_IN_LEN = 0x07,
    DELIVERY_OUT_LEN = 0x08,
    DELIVERY_TYPE = 0x10,
};

enum { OFF, ENABLED, INITIALIZED };

/*
 * All commands that the driver needs, with the lengths of its structures.
 * takes: something behind the 8-byte header; gives: likewise.
 */
static const struct {
    uint16_t opcode;
    uint16_t in_len;
    uint16_t out_len;
    uint8_t state;
    bool takes;
    bool gives;
} commands[] = {
    { 0x100, 16, 4112, ENABLED, true, true },     /* QUERY_HCA_CAP */
    { 0x101, 16, 272, ENABLED, false, true },     /* QUERY_ADAPTER */
    { 0x102, 32, 16, ENABLED, false, false },     /* INIT_HCA */
    { 0x103, 16, 16, INITIALIZED, true, true },   /* TEARDOWN_HCA */
    { 0x104, 16, 16, OFF, true, false },          /* ENABLE_HCA */
    { 0x105, 16, 16, ENABLED, true, false },      /* DISABLE_HCA */
    { 0x107, 16, 16, ENABLED, true, true },       /* QUERY_PAGES */
    { 0x108, 16, 16, ENABLED, true, true },       /* MANAGE_PAGES */
    { 0x109, 4112, 16, ENABLED, true, false },    /* SET_HCA_CAP */
    { 0x10a, 16, 112, ENABLED, false, true },     /* QUERY_ISSI */
    { 0x10b, 16, 16, ENABLED, true, false },      /* SET_ISSI */
    { 0x10d, 80, 16, INITIALIZED, true, false },  /* SET_DRIVER_VERSION */
    { 0x200, 272, 16, INITIALIZED, true, true },  /* CREATE_MKEY */
    { 0x201, 16, 304, INITIALIZED, true, true },  /* QUERY_MKEY */
    { 0x202, 16, 16, INITIALIZED, true, false },  /* DESTROY_MKEY */
    { 0x203, 16, 32, INITIALIZED, false, true },  /* QUERY_SPECIAL_CONTEXTS */
    { 0x301, 280, 16, INITIALIZED, true, true },  /* CREATE_EQ */
    { 0x302, 16, 16, INITIALIZED, true, false },  /* DESTROY_EQ */
    { 0x303, 16, 272, INITIALIZED, true, true },  /* QUERY_EQ */
    { 0x400, 280, 16, INITIALIZED, true, true },  /* CREATE_CQ */
    { 0x401, 16, 16, INITIALIZED, true, false },  /* DESTROY_CQ */
    { 0x402, 16, 272, INITIALIZED, true, true },  /* QUERY_CQ */
    { 0x403, 272, 16, INITIALIZED, true, false }, /* MODIFY_CQ */
    { 0x750, 16, 16, INITIALIZED, true, true },   /* QUERY_VPORT_STATE */
    { 0x751, 16, 16, INITIALIZED, true, false },  /* MODIFY_VPORT_STATE */
    { 0x754, 16, 272, INITIALIZED, true, true },  /* QUERY_NIC_VPORT_CONTEXT */
    { 0x755, 512, 16, INITIALIZED, true, false }, /* MODIFY_... */
    { 0x76f, 16, 528, INITIALIZED, true, true },  /* QUERY_VNIC_ENV */
    { 0x770, 32, 528, INITIALIZED, true, true },  /* QUERY_VPORT_COUNTER */
    { 0x771, 16, 16, INITIALIZED, false, true },  /* ALLOC_Q_COUNTER */
    { 0x772, 16, 16, INITIALIZED, true, false },  /* DEALLOC_Q_COUNTER */
    { 0x773, 32, 256, INITIALIZED, true, true },  /* QUERY_Q_COUNTER */
    { 0x800, 16, 16, INITIALIZED, false, true },  /* ALLOC_PD */
    { 0x801, 16, 16, INITIALIZED, true, false },  /* DEALLOC_PD */
    { 0x802, 16, 16, INITIALIZED, false, true },  /* ALLOC_UAR */
    { 0x803, 16, 16, INITIALIZED, true, false },  /* DEALLOC_UAR */
    { 0x805, 32, 32, ENABLED, true, true },       /* ACCESS_REG */
    { 0x816, 16, 16, INITIALIZED, false, true },  /* ALLOC_TRANSPORT_DOMAIN */
    { 0x817, 16, 16, INITIALIZED, true, false },  /* DEALLOC_... */
    { 0x827, 16, 16, INITIALIZED, true, false },  /* ADD_VXLAN_UDP_DPORT */
    { 0x828, 16, 16, INITIALIZED, true, false },  /* DELETE_... */
    { 0x900, 272, 16, INITIALIZED, true, true },  /* CREATE_TIR */
    { 0x901, 272, 16, INITIALIZED, true, false }, /* MODIFY_TIR */
    { 0x902, 16, 16, INITIALIZED, true, false },  /* DESTROY_TIR */
    { 0x904, 272, 16, INITIALIZED, true, true },  /* CREATE_SQ */
    { 0x905, 272, 16, INITIALIZED, true, false }, /* MODIFY_SQ */
    { 0x906, 16, 16, INITIALIZED, true, false },  /* DESTROY_SQ */
    { 0x907, 16, 272, INITIALIZED, true, true },  /* QUERY_SQ */
    { 0x908, 272, 16, INITIALIZED, true, true },  /* CREATE_RQ */
    { 0x909, 272, 16, INITIALIZED, true, false }, /* MODIFY_RQ */
    { 0x90a, 16, 16, INITIALIZED, true, false },  /* DESTROY_RQ */
    { 0x90b, 16, 272, INITIALIZED, true, true },  /* QUERY_RQ */
    { 0x912, 192, 16, INITIALIZED, true, true },  /* CREATE_TIS */
    { 0x914, 16, 16, INITIALIZED, true, false },  /* DESTROY_TIS */
    { 0x916, 276, 16, INITIALIZED, true, true },  /* CREATE_RQT */
    { 0x917, 276, 16, INITIALIZED, true, false }, /* MODIFY_RQT */
    { 0x918, 16, 16, INITIALIZED, true, false },  /* DESTROY_RQT */
    { 0x92f, 64, 16, INITIALIZED, true, false },  /* SET_FLOW_TABLE_ROOT */
    { 0x930, 64, 16, INITIALIZED, true, true },   /* CREATE_FLOW_TABLE */
    { 0x931, 64, 16, INITIALIZED, true, false },  /* DESTROY_FLOW_TABLE */
    { 0x933, 1024, 16, INITIALIZED, true, true }, /* CREATE_FLOW_GROUP */
    { 0x934, 64, 16, INITIALIZED, true, false },  /* DESTROY_FLOW_GROUP */
    { 0x936, 832, 16, INITIALIZED, true, false }, /* SET_FLOW_TABLE_ENTRY */
    { 0x938, 64, 16, INITIALIZED, true, false },  /* DELETE_... */
    { 0x939, 16, 16, INITIALIZED, false, true },  /* ALLOC_FLOW_COUNTER */
    { 0x93a, 16, 16, INITIALIZED, true, false },  /* DEALLOC_FLOW_COUNTER */
    { 0x93b, 32, 32, INITIALIZED, true, true },   /* QUERY_FLOW_COUNTER */
    { 0x93c, 64, 16, INITIALIZED, true, false },  /* MODIFY_FLOW_TABLE */
    { 0x940, 24, 16, INITIALIZED, true, true },   /* ALLOC_MODIFY_HEADER_... */
    { 0x941, 16, 16, INITIALIZED, true, false },  /* DEALLOC_... */
};

/* A command of row @i with nothing but its opcode in it. */
static DrvResult bare(Drv *d, unsigned i, uint32_t in_len, uint32_t out_len)
{
    g_autofree uint8_t *in = g_malloc0(MAX(in_len, 16));

    MLX5_SET(cmd_in, in, opcode, commands[i].opcode);
    return drv_cmd(d, in, in_len, NULL, out_len);
}

/* The whole way up and down, more than once. */
static void test_bring_up(void)
{
    Drv *d = drv_start("");
    unsigned i;

    drv_cmdq_init(d);
    for (i = 0; i < 3; i++) {
        drv_hca_up(d);
        g_assert_cmpuint(drv_objects(d, "pd"), ==, 1);
        g_assert_cmpuint(drv_objects(d, "mkey"), ==, 1);
        drv_hca_down(d);
        g_assert_cmpuint(drv_objects_total(d), ==, 0);
    }
    drv_stop(d);
}

static void test_unknown_opcode(void)
{
    static const uint16_t unknown[] = {
        0x000, 0x001, 0x106, 0x10c, 0x500, 0x700, 0x7ff, 0x804, 0xaff, 0xffff,
    };
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(unknown); i++) {
        MLX5_SET(cmd_in, in, opcode, unknown[i]);
        drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_OP,
                      MLX5_SYN_UNKNOWN_OPCODE);
    }
    drv_stop(d);
}

static void test_driver_lengths(void)
{
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        DrvResult r;

        if (commands[i].opcode == OP_TEARDOWN_HCA ||
            commands[i].opcode == OP_DISABLE_HCA) {
            continue; /* drv_stop() gives them, with these lengths */
        }
        r = bare(d, i, commands[i].in_len, commands[i].out_len);
        g_test_message("0x%x: status 0x%x", commands[i].opcode, r.status);
        g_assert_cmphex(r.delivery, ==, 0);
        g_assert_cmphex(r.syndrome, !=,
                        MLX5_SYNDROME_BASE + MLX5_SYN_UNKNOWN_OPCODE);
        if (r.syndrome == MLX5_SYNDROME_BASE + MLX5_SYN_REG_TOO_SHORT) {
            continue; /* of the register, not of the command */
        }
        g_assert_cmphex(r.status, !=, MLX5_STATUS_BAD_INPUT_LEN);
        g_assert_cmphex(r.status, !=, MLX5_STATUS_BAD_OUTPUT_LEN);
    }
    drv_stop(d);
}

static void test_short_lengths(void)
{
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        DrvResult r;

        if (commands[i].takes) {
            r = bare(d, i, 8, commands[i].out_len);
            g_test_message("0x%x in 8: 0x%x", commands[i].opcode, r.status);
            g_assert_cmphex(r.delivery, ==, 0);
            g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_INPUT_LEN);
            g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE +
                            MLX5_SYN_INPUT_TOO_SHORT);
        }
        if (commands[i].gives) {
            r = bare(d, i, commands[i].in_len, 8);
            g_test_message("0x%x out 8: 0x%x", commands[i].opcode, r.status);
            g_assert_cmphex(r.delivery, ==, 0);
            g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_OUTPUT_LEN);
            g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE +
                            MLX5_SYN_OUTPUT_TOO_SHORT);
        }
    }
    drv_stop(d);
}

static void test_wrong_state(void)
{
    Drv *d = drv_start("");
    uint8_t in[32] = { 0 };
    unsigned i;
    DrvResult r;

    drv_cmdq_init(d);
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].state == OFF) {
            continue;
        }
        r = bare(d, i, commands[i].in_len, commands[i].out_len);
        g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_SYS_STATE);
        g_assert_cmphex(r.syndrome, ==,
                        MLX5_SYNDROME_BASE + MLX5_SYN_HCA_NOT_ENABLED);
    }
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    for (i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].state != INITIALIZED) {
            continue;
        }
        r = bare(d, i, commands[i].in_len, commands[i].out_len);
        g_assert_cmphex(r.status, ==, MLX5_STATUS_BAD_SYS_STATE);
        g_assert_cmphex(r.syndrome, ==,
                        MLX5_SYNDROME_BASE + MLX5_SYN_HCA_NOT_INITIALIZED);
    }
    drv_cmd_id_fails(d, OP_ENABLE_HCA, 0, MLX5_STATUS_BAD_SYS_STATE,
                     MLX5_SYN_HCA_ALREADY_ENABLED);
    MLX5_SET(cmd_in, in, opcode, OP_INIT_HCA);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_SYS_STATE,
                  MLX5_SYN_HCA_ALREADY_INITIALIZED);
    /* Down in one step, and everything is as at the beginning. */
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_SYS_STATE,
                  MLX5_SYN_HCA_NOT_ENABLED);
    drv_stop(d);
}

static void test_issi(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 }, out[112];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_ISSI);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(query_issi_out, out, current_issi), ==, 1);
    g_assert_cmphex(MLX5_GET(query_issi_out, out, supported_issi_dw0), ==,
                    0x3);
    MLX5_SET(cmd_in, in, opcode, OP_SET_ISSI);
    MLX5_SET(set_issi_in, in, current_issi, 2);
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_ISSI_UNSUPPORTED);
    drv_stop(d);
}

static void test_adapter(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 }, out[272];
    unsigned i;

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_ADAPTER);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmphex(MLX5_GET(query_adapter_out, out, vsd_vendor_id), ==,
                    0x15b3);
    /* The board id is printed as text. */
    g_assert_cmpuint(out[0x100], !=, 0);
    for (i = 0x100; i < 0x110 && out[i]; i++) {
        g_assert_true(g_ascii_isprint(out[i]));
    }
    drv_stop(d);
}

/*
 * The device asks for no pages, so none may be given, and none come back. A
 * driver that gives none, or cannot give any, is not wrong.
 */
static void test_pages(void)
{
    enum { N = 3 };
    Drv *d = drv_start_up("");
    uint8_t in[16 + N * 8] = { 0 }, out[16 + N * 8];
    unsigned i;

    MLX5_SET(cmd_in, in, opcode, OP_MANAGE_PAGES);
    MLX5_SET(cmd_in, in, op_mod, 0);
    drv_cmd_ok(d, in, 16, NULL, 16);
    MLX5_SET(cmd_in, in, op_mod, 1);
    drv_cmd_ok(d, in, 16, NULL, 16);
    MLX5_SET(manage_pages_in, in, input_num_entries, N);
    for (i = 0; i < N; i++) {
        mlx5_st64(in + 16 + i * 8, (1ull << 40) + i * 4096ull);
    }
    drv_cmd_fails(d, in, sizeof(in), 16, MLX5_STATUS_BAD_PARAM,
                  MLX5_SYN_PAGES_UNASKED);
    MLX5_SET(cmd_in, in, op_mod, 2);
    drv_cmd_ok(d, in, 16, out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(manage_pages_out, out, output_num_entries), ==,
                     0);
    MLX5_SET(cmd_in, in, op_mod, 3); /* all: such a capability is not shown */
    drv_cmd_fails(d, in, 16, 16, MLX5_STATUS_BAD_OP, MLX5_SYN_BAD_OP_MOD);
    drv_stop(d);
}

/* A driver that starts over finds nothing that its predecessor has set. */
static void test_start_over(void)
{
    Drv *d = drv_start("");
    uint8_t in[16] = { 0 }, out[112];

    drv_cmdq_init(d);
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    MLX5_SET(cmd_in, in, opcode, OP_SET_ISSI);
    MLX5_SET(set_issi_in, in, current_issi, 1);
    drv_cmd_ok(d, in, 16, NULL, 16);
    drv_cmdq_init(d);
    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_ISSI);
    drv_cmd_ok(d, in, 16, out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(query_issi_out, out, current_issi), ==, 0);
    drv_stop(d);
}

/* ----------------------------------------------------------- delivery --- */

/* Writes into the entry of slot 0, rings, and returns the delivery status. */
static uint8_t deliver(Drv *d, DrvCmd *c)
{
    DrvResult r;

    drv_cmd_ring(d, 1u << c->slot);
    r = drv_cmd_finish(d, c, NULL);
    return r.delivery;
}

/* Posts a command that has mailboxes on both sides: QUERY_HCA_CAP, padded. */
static void post_big(Drv *d, DrvCmd *c)
{
    g_autofree uint8_t *in = g_malloc0(2000);

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_HCA_CAP);
    MLX5_SET(cmd_in, in, op_mod, 1);
    drv_cmd_post(d, c, 0, in, 2000, 4112);
}

static void test_delivery_entry(void)
{
    static const struct {
        unsigned bit;
        unsigned width;
        uint64_t value;
        uint8_t delivery;
    } rows[] = {
#define FIELD(f) MLX5_BIT_cmd_queue_entry_##f, MLX5_WIDTH_cmd_queue_entry_##f
        { FIELD(type), 0, DELIVERY_TYPE },
        { FIELD(type), 1, DELIVERY_TYPE },
        { FIELD(type), 0xff, DELIVERY_TYPE },
        { FIELD(input_length), 0, DELIVERY_IN_LEN },
        { FIELD(input_length), 4, DELIVERY_IN_LEN },
        { FIELD(input_length), 0x80000000, DELIVERY_IN_LEN },
        { FIELD(input_length), 0xffffffff, DELIVERY_IN_LEN },
        { FIELD(output_length), 0, DELIVERY_OUT_LEN },
        { FIELD(output_length), 4, DELIVERY_OUT_LEN },
        { FIELD(output_length), 0xffffffff, DELIVERY_OUT_LEN },
        { FIELD(input_mailbox_pointer), 0, DELIVERY_IN_PTR },
        { FIELD(input_mailbox_pointer), 0x100001, DELIVERY_IN_PTR },
        { FIELD(input_mailbox_pointer), 0xffffffffffff0000, DELIVERY_IN_PTR },
        { FIELD(input_mailbox_pointer), 0x7fff00000000, DELIVERY_IN_PTR },
        { FIELD(output_mailbox_pointer), 0, DELIVERY_OUT_PTR },
        { FIELD(output_mailbox_pointer), 0x100040, DELIVERY_OUT_PTR },
        { FIELD(output_mailbox_pointer), 0xfffffffffffffc00,
          DELIVERY_OUT_PTR },
        { FIELD(token), 0, DELIVERY_TOKEN },
#undef FIELD
    };
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t entry[DRV_CMD_ENTRY];
        DrvCmd c;

        post_big(d, &c);
        drv_read(d, drv_cmd_entry(d, 0), entry, sizeof(entry));
        mlx5_prm_set(entry, rows[i].bit, rows[i].width, rows[i].value);
        drv_write(d, drv_cmd_entry(d, 0), entry, sizeof(entry));
        g_test_message("row %u", i);
        g_assert_cmphex(deliver(d, &c), ==, rows[i].delivery);
        /* The interface goes on working. */
        drv_cmd_id_ok(d, OP_NOP, 0);
    }
    drv_stop(d);
}

/* The same for what is wrong in the second mailbox. */
static void test_delivery_mailbox(void)
{
    static const struct {
        bool out;
        unsigned bit;
        unsigned width;
        uint64_t value;
        uint8_t delivery;
    } rows[] = {
#define FIELD(f) MLX5_BIT_cmd_mailbox_##f, MLX5_WIDTH_cmd_mailbox_##f
        { false, FIELD(token), 0, DELIVERY_TOKEN },
        { false, FIELD(next), 0, DELIVERY_IN_PTR },
        { false, FIELD(next), 0x100010, DELIVERY_IN_PTR },
        { false, FIELD(next), 0x8000000000000000, DELIVERY_IN_PTR },
        { true, FIELD(token), 0, DELIVERY_TOKEN },
        { true, FIELD(next), 0, DELIVERY_OUT_PTR },
        { true, FIELD(next), 0x100010, DELIVERY_OUT_PTR },
        { true, FIELD(next), 0x8000000000000000, DELIVERY_OUT_PTR },
#undef FIELD
    };
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t box[576];
        uint64_t at;
        DrvCmd c;

        post_big(d, &c);
        at = (rows[i].out ? c.out_box : c.in_box) + DRV_MAILBOX;
        drv_read(d, at, box, sizeof(box));
        mlx5_prm_set(box, rows[i].bit, rows[i].width, rows[i].value);
        drv_write(d, at, box, sizeof(box));
        g_test_message("row %u", i);
        g_assert_cmphex(deliver(d, &c), ==, rows[i].delivery);
        drv_cmd_id_ok(d, OP_NOP, 0);
    }
    drv_stop(d);
}

/* A chain that comes back to its beginning ends with the length. */
static void test_mailbox_loop(void)
{
    Drv *d = drv_start_up("");
    uint8_t box[576];
    DrvCmd c;

    post_big(d, &c);
    drv_read(d, c.in_box, box, sizeof(box));
    MLX5_SET(cmd_mailbox, box, next, c.in_box);
    drv_write(d, c.in_box, box, sizeof(box));
    g_assert_cmphex(deliver(d, &c), ==, 0);
    drv_stop(d);
}

/* The driver says how much it can take; not a byte more is written. */
static void test_output_length(void)
{
    static const uint32_t lens[] = { 16, 17, 20, 100, 527, 528, 529, 1040 };
    Drv *d = drv_start_up("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(lens); i++) {
        uint32_t room = lens[i] - 16, boxes = DIV_ROUND_UP(room, 512), b;
        uint8_t in[16] = { 0 }, box[512];
        DrvCmd c;

        MLX5_SET(cmd_in, in, opcode, OP_QUERY_HCA_CAP);
        MLX5_SET(cmd_in, in, op_mod, 1);
        drv_cmd_post(d, &c, 0, in, sizeof(in), lens[i]);
        for (b = 0; b < boxes; b++) {
            qtest_memset(d->qts, c.out_box + b * DRV_MAILBOX, 0xa5, 512);
        }
        drv_cmd_ring(d, 1);
        DRV_WAIT(drv_cmd_done(d, &c));
        if (boxes) {
            uint32_t last = room - (boxes - 1) * 512;

            drv_read(d, c.out_box + (boxes - 1) * DRV_MAILBOX, box, 512);
            g_assert_cmphex(box[last - 1], !=, 0xa5);
            for (b = last; b < 512; b++) {
                g_assert_cmphex(box[b], ==, 0xa5);
            }
        }
        g_assert_cmphex(drv_cmd_finish(d, &c, NULL).status, ==, 0);
    }
    drv_stop(d);
}

/* A doorbell for a slot that is the driver's does nothing. */
static void test_not_owned(void)
{
    Drv *d = drv_start_up("");
    uint8_t before[DRV_CMD_ENTRY], after[DRV_CMD_ENTRY];

    drv_cmd_id_ok(d, OP_ALLOC_PD, 0);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, 2);
    drv_read(d, drv_cmd_entry(d, 0), before, sizeof(before));
    drv_cmd_ring(d, 0xffffffff);
    drv_settle(d);
    drv_read(d, drv_cmd_entry(d, 0), after, sizeof(after));
    g_assert_cmpmem(before, sizeof(before), after, sizeof(after));
    g_assert_cmpuint(drv_objects(d, "pd"), ==, 2);
    drv_stop(d);
}

/* ------------------------------------------------------- many at once --- */

static void post_all(Drv *d, DrvCmd c[31], uint16_t opcode,
                     const uint32_t id[31])
{
    unsigned i;

    for (i = 0; i < 31; i++) {
        uint8_t in[16] = { 0 };

        MLX5_SET(cmd_in, in, opcode, opcode);
        MLX5_SET(cmd_id, in, id, id ? id[i] : 0);
        drv_cmd_post(d, &c[i], i, in, sizeof(in), 16);
    }
}

static void finish_all(Drv *d, const DrvCmd c[31], uint32_t id[31])
{
    unsigned i;

    for (i = 0; i < 31; i++) {
        uint8_t out[16];
        DrvResult r = drv_cmd_finish(d, &c[i], out);

        g_assert_cmphex(r.delivery, ==, 0);
        g_assert_cmphex(r.status, ==, 0);
        if (id) {
            id[i] = MLX5_GET(cmd_id, out, id);
        }
    }
}

static void test_slots_polled(void)
{
    Drv *d = drv_start_up("");
    uint32_t id[31], i, j;
    DrvCmd c[31];

    post_all(d, c, OP_ALLOC_PD, NULL);
    drv_cmd_ring(d, ALL_CMD_SLOTS);
    finish_all(d, c, id);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, 32);
    for (i = 0; i < 31; i++) {
        for (j = 0; j < i; j++) {
            g_assert_cmpuint(id[i], !=, id[j]);
        }
    }
    /* And back, with a doorbell for each, as the driver rings. */
    post_all(d, c, OP_DEALLOC_PD, id);
    for (i = 0; i < 31; i++) {
        drv_cmd_ring(d, 1u << i);
    }
    finish_all(d, c, NULL);
    g_assert_cmpuint(drv_objects(d, "pd"), ==, 1);
    drv_stop(d);
}

/* ------------------------------------------------------------- events --- */

#define CMD_EVENTS (1ull << EVENT_CMD)

/* The completion vectors of all EQEs until @slots have been reported. */
static void expect_slots(Drv *d, DrvEq *eq, uint32_t slots)
{
    uint32_t seen = 0;
    uint8_t eqe[64];

    while (seen != slots) {
        uint32_t v;

        drv_eq_wait(d, eq, eqe);
        g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_CMD);
        g_assert_cmphex(MLX5_GET(eqe, eqe, event_sub_type), ==, 0);
        v = MLX5_GET(eqe_cmd, eqe, command_completion_vector);
        g_assert_cmphex(v, !=, 0);
        g_assert_cmphex(v & seen, ==, 0); /* each slot once */
        g_assert_cmphex(v & ~slots, ==, 0);
        seen |= v;
    }
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, eq, eqe));
}

/*
 * The driver polls for the end of the CREATE_EQ that makes its command EQ
 * (core/eq.c create_async_eqs). If that command were also reported on the new
 * EQ, the driver would take it for one that came after its time.
 */
static void test_event_not_own(void)
{
    Drv *d = drv_start_up("");
    uint8_t eqe[64];
    DrvEq eq;

    drv_eq_create(d, &eq, 5, 0, CMD_EVENTS);
    drv_settle(d);
    g_assert_false(drv_eq_poll(d, &eq, eqe));
    drv_stop(d);
}

/* An EQ for commands, with whatever came on it before we looked taken. */
static void cmd_eq(Drv *d, DrvEq *eq)
{
    uint8_t eqe[64];

    drv_eq_create(d, eq, 5, 0, CMD_EVENTS);
    drv_settle(d);
    while (drv_eq_poll(d, eq, eqe)) {
        continue;
    }
    drv_eq_update(d, eq, true);
}

static void test_event(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 };
    unsigned slot;
    DrvEq eq;

    drv_msix_init(d);
    cmd_eq(d, &eq);
    g_assert_false(drv_msix_fired(d, 0));
    MLX5_SET(cmd_in, in, opcode, OP_NOP);
    for (slot = 0; slot < DRV_CMD_SLOTS; slot++) {
        DrvCmd c;

        drv_cmd_post(d, &c, slot, in, sizeof(in), 16);
        drv_cmd_ring(d, 1u << slot);
        /* The interrupt is the last thing: all is there when it comes. */
        DRV_WAIT(drv_msix_fired(d, 0));
        g_assert_true(drv_cmd_done(d, &c));
        expect_slots(d, &eq, 1u << slot);
        g_assert_cmphex(drv_cmd_finish(d, &c, NULL).status, ==, 0);
        drv_eq_update(d, &eq, true);
        g_assert_false(drv_msix_fired(d, 0));
    }
    drv_stop(d);
}

/* Commands that fail, and descriptors that do, are reported as well. */
static void test_event_failures(void)
{
    Drv *d = drv_start_up("");
    uint8_t in[16] = { 0 };
    DrvCmd c;
    DrvEq eq;

    cmd_eq(d, &eq);
    MLX5_SET(cmd_in, in, opcode, 0xfff);
    drv_cmd_post(d, &c, 3, in, sizeof(in), 16);
    drv_cmd_ring(d, 1 << 3);
    expect_slots(d, &eq, 1 << 3);
    g_assert_cmphex(drv_cmd_finish(d, &c, NULL).status, ==,
                    MLX5_STATUS_BAD_OP);
    drv_cmd_post(d, &c, 4, in, sizeof(in), 16);
    qtest_writeb(d->qts, drv_cmd_entry(d, 4), 0);
    drv_cmd_ring(d, 1 << 4);
    expect_slots(d, &eq, 1 << 4);
    g_assert_cmphex(drv_cmd_finish(d, &c, NULL).delivery, ==, DELIVERY_TYPE);
    drv_stop(d);
}

static void test_slots_events(void)
{
    Drv *d = drv_start_up("");
    uint32_t id[31];
    DrvCmd c[31];
    DrvEq eq;

    drv_msix_init(d);
    cmd_eq(d, &eq);
    post_all(d, c, OP_ALLOC_TD, NULL);
    drv_cmd_ring(d, ALL_CMD_SLOTS);
    expect_slots(d, &eq, ALL_CMD_SLOTS);
    g_assert_true(drv_msix_fired(d, 0));
    finish_all(d, c, id);
    drv_eq_update(d, &eq, true);
    post_all(d, c, OP_DEALLOC_TD, id);
    drv_cmd_ring(d, ALL_CMD_SLOTS);
    expect_slots(d, &eq, ALL_CMD_SLOTS);
    finish_all(d, c, NULL);
    /* Ringing again reports nothing. */
    drv_cmd_ring(d, ALL_CMD_SLOTS);
    expect_slots(d, &eq, 0);
    drv_stop(d);
}

/* Back to polling: the EQ goes, commands still end. */
static void test_event_to_polling(void)
{
    Drv *d = drv_start_up("");
    DrvEq eq;

    cmd_eq(d, &eq);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_cmd_id_ok(d, OP_DESTROY_EQ, eq.eqn);
    drv_cmd_id_ok(d, OP_NOP, 0);
    cmd_eq(d, &eq);
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_stop(d);
}

void mlx5_cmd_tests(void)
{
    qtest_add_func("mlx5-ktls/cmd/bring-up", test_bring_up);
    qtest_add_func("mlx5-ktls/cmd/unknown-opcode", test_unknown_opcode);
    qtest_add_func("mlx5-ktls/cmd/driver-lengths", test_driver_lengths);
    qtest_add_func("mlx5-ktls/cmd/short-lengths", test_short_lengths);
    qtest_add_func("mlx5-ktls/cmd/wrong-state", test_wrong_state);
    qtest_add_func("mlx5-ktls/cmd/issi", test_issi);
    qtest_add_func("mlx5-ktls/cmd/adapter", test_adapter);
    qtest_add_func("mlx5-ktls/cmd/pages", test_pages);
    qtest_add_func("mlx5-ktls/cmd/start-over", test_start_over);
    qtest_add_func("mlx5-ktls/cmd/delivery-entry", test_delivery_entry);
    qtest_add_func("mlx5-ktls/cmd/delivery-mailbox", test_delivery_mailbox);
    qtest_add_func("mlx5-ktls/cmd/mailbox-loop", test_mailbox_loop);
    qtest_add_func("mlx5-ktls/cmd/output-length", test_output_length);
    qtest_add_func("mlx5-ktls/cmd/not-owned", test_not_owned);
    qtest_add_func("mlx5-ktls/cmd/slots-polled", test_slots_polled);
    qtest_add_func("mlx5-ktls/cmd/event-not-own", test_event_not_own);
    qtest_add_func("mlx5-ktls/cmd/event", test_event);
    qtest_add_func("mlx5-ktls/cmd/event-failures", test_event_failures);
    qtest_add_func("mlx5-ktls/cmd/slots-events", test_slots_events);
    qtest_add_func("mlx5-ktls/cmd/event-to-polling", test_event_to_polling);
}
