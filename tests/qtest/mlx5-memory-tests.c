/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of memory-limit: each kind of memory that a driver can make the device
 * use is allocated up to the limit, and the use reported by the device is
 * compared with the growth of the QEMU process. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "hw/pci/pci_regs.h"
#include "qemu/units.h"

#define SLOTS DRV_CMD_SLOTS
#define OUT_IN_ENTRY 0x20
#define CMD_INLINE 16
#define CAP_GENERAL 0

/*
 * What QEMU's process may grow by beside what is charged, in one of these
 * tests: libqtest's own traffic, free lists of malloc, pages that are not full.
 */
#define SLACK (2 * MiB)

#ifdef __SANITIZE_ADDRESS__
/* red zones, quarantine: no use in measuring */
static const bool sanitized = true;
#else
static const bool sanitized;
#endif

/* ----------------------------------------------------------- measuring --- */

/* Bytes of QEMU's process that are in memory. */
static uint64_t resident(Drv *d)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status",
                                            (int)qtest_pid(d->qts));
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "\nVmRSS:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("\nVmRSS:"), NULL, 10) * KiB;
}

/* ------------------------------------------------------------- filling --- */

/* The same command in all slots of the queue, given again and again. */
typedef struct Fill {
    Drv *d;
    uint8_t entries[SLOTS * DRV_CMD_ENTRY];
    uint64_t box[SLOTS];
    unsigned made;          /* how often it has succeeded */
    unsigned given;
    uint32_t last;          /* the number that came back last */
    Mlx5Syndrome refused;   /* why it did not succeed, the first time */
    /* what is different in command number @n; writes into its mailbox */
    void (*vary)(struct Fill *f, uint64_t box, unsigned n);
    uint32_t id[256];
} Fill;

static void fill_init(Fill *f, Drv *d, uint8_t *in, uint32_t len)
{
    unsigned i;

    f->d = d;
    for (i = 0; i < SLOTS; i++) {
        DrvCmd c;

        drv_cmd_post(d, &c, i, in, len, CMD_INLINE);
        f->box[i] = c.in_box;
    }
    drv_read(d, drv_cmd_entry(d, 0), f->entries, sizeof(f->entries));
    g_free(in);
}

static bool all_done(Fill *f, uint8_t *entries)
{
    unsigned i;

    drv_read(f->d, drv_cmd_entry(f->d, 0), entries, sizeof(f->entries));
    for (i = 0; i < SLOTS; i++) {
        if (entries[(i + 1) * DRV_CMD_ENTRY - 1] & 1) {
            return false;
        }
    }
    return true;
}

/* One round of all slots. */
static void fill_round(Fill *f)
{
    uint8_t entries[sizeof(f->entries)];
    unsigned i;

    for (i = 0; i < SLOTS; i++) {
        if (f->vary) {
            f->vary(f, f->box[i], f->given + i);
        }
    }
    drv_write(f->d, drv_cmd_entry(f->d, 0), f->entries, sizeof(f->entries));
    drv_cmd_ring(f->d, UINT32_MAX);
    DRV_WAIT(all_done(f, entries));
    for (i = 0; i < SLOTS; i++, f->given++) {
        const uint8_t *out = entries + i * DRV_CMD_ENTRY + OUT_IN_ENTRY;
        uint32_t syndrome = MLX5_GET(cmd_out, out, syndrome);

        if (!MLX5_GET(cmd_out, out, status)) {
            /* a refusal is for good, as long as nothing is given back */
            g_assert_cmphex(f->refused, ==, MLX5_OK);
            f->last = MLX5_GET(cmd_id, out, id);
            f->made++;
            continue;
        }
        g_assert_cmphex(MLX5_GET(cmd_out, out, status), ==,
                        MLX5_STATUS_EXCEED_LIM);
        if (!f->refused) {
            f->refused = syndrome - MLX5_SYNDROME_BASE;
        }
        g_assert_cmphex(syndrome, ==, MLX5_SYNDROME_BASE + f->refused);
    }
}

/* --------------------------------------------------------------- kinds --- */

static void simple(Fill *f, Drv *d, uint16_t opcode)
{
    uint8_t *in = g_malloc0(16);

    MLX5_SET(cmd_in, in, opcode, opcode);
    fill_init(f, d, in, 16);
}

static void make_pd(Fill *f, Drv *d)
{
    simple(f, d, OP_ALLOC_PD);
}

static void make_td(Fill *f, Drv *d)
{
    simple(f, d, OP_ALLOC_TD);
}

static void make_uar(Fill *f, Drv *d)
{
    simple(f, d, OP_ALLOC_UAR);
}

static void make_q_counter(Fill *f, Drv *d)
{
    simple(f, d, OP_ALLOC_Q_COUNTER);
}

static void make_flow_counter(Fill *f, Drv *d)
{
    simple(f, d, 0x939);
}

static void make_mkey(Fill *f, Drv *d)
{
    uint32_t len;
    uint8_t *in = drv_mkey_cmd(d, 1, &len);

    fill_init(f, d, in, len);
}

/* A key of KLMs, with the longest table. */
static void make_klm_key(Fill *f, Drv *d)
{
    uint32_t len;
    uint8_t *in = drv_mkey_cmd(d, 1, &len);
    uint8_t *mkc = in + 0x10;

    MLX5_SET(mkc, mkc, access_mode_1_0, 2);
    MLX5_SET(mkc, mkc, translations_octword_size, 1 << 16);
    fill_init(f, d, in, len);
}

static void make_eq(Fill *f, Drv *d)
{
    uint32_t len;
    DrvEq eq;
    uint8_t *in = drv_eq_cmd(d, &eq, 16, 0, 0, &len);

    fill_init(f, d, in, len);
}

static void make_cq(Fill *f, Drv *d)
{
    uint32_t len;
    DrvEq eq;
    DrvCq cq;
    uint8_t *in;

    drv_eq_create(d, &eq, 4, 0, 0);
    in = drv_cq_cmd(d, &cq, 17, eq.eqn, &len);
    fill_init(f, d, in, len);
}

static void some_cq(Drv *d, DrvCq *cq)
{
    DrvEq eq;

    drv_eq_create(d, &eq, 4, 0, 0);
    drv_cq_create(d, cq, 4, eq.eqn);
}

static void make_sq(Fill *f, Drv *d)
{
    uint32_t len;
    DrvCq cq;
    DrvSq sq;
    uint8_t *in;

    some_cq(d, &cq);
    in = drv_sq_cmd(d, &sq, 15, &cq, 0, &len);
    fill_init(f, d, in, len);
}

static void make_rq(Fill *f, Drv *d)
{
    uint32_t len;
    DrvCq cq;
    DrvRq rq;
    uint8_t *in;

    some_cq(d, &cq);
    in = drv_rq_cmd(d, &rq, 15, 9, &cq, 0, false, &len);
    fill_init(f, d, in, len);
}

static void some_rq(Drv *d, DrvRq *rq)
{
    DrvCq cq;

    some_cq(d, &cq);
    drv_rq_create(d, rq, 4, 4, &cq, 0, false);
}

static void make_rqt(Fill *f, Drv *d)
{
    enum { ENTRIES = 2048 };
    const DrvRq *list[ENTRIES];
    uint32_t len;
    unsigned i;
    DrvRq rq;
    uint8_t *in;

    some_rq(d, &rq);
    for (i = 0; i < ENTRIES; i++) {
        list[i] = &rq;
    }
    in = drv_rqt_cmd(d, list, ENTRIES, &len);
    fill_init(f, d, in, len);
}

static void make_tis(Fill *f, Drv *d)
{
    uint32_t len;
    uint8_t *in = drv_tis_cmd(d, &len);

    MLX5_SET(tisc, in + 0x20, tls_en, 1);
    fill_init(f, d, in, len);
}

static void make_tir(Fill *f, Drv *d)
{
    uint32_t len;
    DrvRq rq;
    uint8_t *in;

    some_rq(d, &rq);
    in = drv_tir_cmd(d, rq.rqn, &len);
    MLX5_SET(tirc, in + 0x20, tls_en, 1);
    fill_init(f, d, in, len);
}

static void make_key(Fill *f, Drv *d)
{
    static const uint8_t key[32] = { 1 };
    uint32_t len;
    uint8_t *in = drv_dek_cmd(d, key, sizeof(key), &len);

    fill_init(f, d, in, len);
}

static void make_key_range(Fill *f, Drv *d)
{
    uint32_t len;
    uint8_t *in = drv_dek_cmd(d, NULL, 32, &len);

    MLX5_SET(general_obj_in_cmd_hdr, in, log_obj_range, 12);
    fill_init(f, d, in, len);
}

static uint8_t *table_cmd(void)
{
    uint8_t *in = g_malloc0(64);

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, log_size, 20);
    return in;
}

static void make_table(Fill *f, Drv *d)
{
    fill_init(f, d, table_cmd(), 64);
}

static uint32_t some_table(Drv *d)
{
    g_autofree uint8_t *in = table_cmd();
    uint8_t out[16];

    drv_cmd_ok(d, in, 64, out, sizeof(out));
    return MLX5_GET(create_flow_table_out, out, table_id);
}

/* Bytes [@from, @from + @len) of a command, in its first mailbox. */
static void change(Fill *f, uint64_t box, const uint8_t *in, unsigned from,
                   unsigned len)
{
    drv_write(f->d, box + from - CMD_INLINE, in + from, len);
}

/* A table holds 128 groups. */
static void vary_group(Fill *f, uint64_t box, unsigned n)
{
    uint8_t in[0x40] = { 0 };

    MLX5_SET(flow_cmd_in, in, table_id, f->id[n / 128]);
    MLX5_SET(create_flow_group_in, in, start_flow_index, n % 128);
    MLX5_SET(create_flow_group_in, in, end_flow_index, n % 128);
    change(f, box, in, 0x10, 0x30);
}

static void make_group(Fill *f, Drv *d)
{
    uint8_t *in = g_malloc0(1024);
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(f->id); i++) {
        f->id[i] = some_table(d);
    }
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    f->vary = vary_group;
    fill_init(f, d, in, 1024);
}

static void vary_entry(Fill *f, uint64_t box, unsigned n)
{
    uint8_t in[0x28] = { 0 };
    uint8_t value[4];

    MLX5_SET(flow_cmd_in, in, table_id, f->id[0]);
    MLX5_SET(set_fte_in, in, flow_index, n);
    change(f, box, in, 0x10, 0x18);
    mlx5_st32(value, n);
    /* destination address, the last 4 bytes of the field */
    drv_write(f->d, box + 0x80 + 0x3c - CMD_INLINE, value, sizeof(value));
}

static void make_entry_to(Fill *f, Drv *d, unsigned n_dests)
{
    uint8_t group[1024] = { 0 }, out[16];
    uint32_t len = 0x340 + n_dests * 8, tirn;
    uint8_t *in = g_malloc0(len), *ctx = in + 0x40;
    unsigned i;
    DrvRq rq;

    some_rq(d, &rq);
    tirn = drv_tir_direct(d, rq.rqn);
    f->id[0] = some_table(d);
    MLX5_SET(cmd_in, group, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, group, table_id, f->id[0]);
    MLX5_SET(create_flow_group_in, group, end_flow_index, (1 << 20) - 1);
    MLX5_SET(create_flow_group_in, group, match_criteria_enable, 1);
    memset(group + 0x40 + 0x3c, 0xff, 4);
    drv_cmd_ok(d, group, sizeof(group), out, sizeof(out));
    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_context, ctx, group_id,
             MLX5_GET(create_flow_group_out, out, group_id));
    MLX5_SET(flow_context, ctx, action, 4);
    MLX5_SET(flow_context, ctx, destination_list_size, n_dests);
    for (i = 0; i < n_dests; i++) {
        uint8_t *dest = ctx + 0x300 + i * 8;

        MLX5_SET(dest_format_struct, dest, destination_type, 2);
        MLX5_SET(dest_format_struct, dest, destination_id, tirn);
    }
    f->vary = vary_entry;
    fill_init(f, d, in, len);
}

static void make_entry(Fill *f, Drv *d)
{
    make_entry_to(f, d, 1);
}

static void make_long_entry(Fill *f, Drv *d)
{
    make_entry_to(f, d, 64);
}

/*
 * Until no more is given: the announced number or, mostly, memory-limit. What
 * the process has grown by is not more than what was charged; what was charged
 * is not above the limit, and one more would have been. After TEARDOWN_HCA
 * nothing is charged, and as many can be made again.
 */
static void test_fill(void)
{
    static const struct Kind {
        const char *name;
        void (*make)(Fill *f, Drv *d);
        Mlx5Syndrome end;
        const char *props;
    } kinds[] = {
        { "pd", make_pd, MLX5_SYN_OBJECT_LIMIT, "" },
        { "td", make_td, MLX5_SYN_OBJECT_LIMIT, "" },
        { "uar", make_uar, MLX5_SYN_OBJECT_LIMIT, "" },
        { "q-counter", make_q_counter, MLX5_SYN_OBJECT_LIMIT, "" },
        { "mkey", make_mkey, MLX5_SYN_MEMORY_LIMIT, "" },
        { "mkey-klm", make_klm_key, MLX5_SYN_MEMORY_LIMIT, "" },
        { "eq", make_eq, MLX5_SYN_OBJECT_LIMIT, "" },
        { "cq", make_cq, MLX5_SYN_MEMORY_LIMIT, "" },
        { "sq", make_sq, MLX5_SYN_MEMORY_LIMIT, "" },
        { "rq", make_rq, MLX5_SYN_MEMORY_LIMIT, "" },
        { "rqt", make_rqt, MLX5_SYN_MEMORY_LIMIT, "" },
        { "tis", make_tis, MLX5_SYN_MEMORY_LIMIT, "" },
        { "tir", make_tir, MLX5_SYN_MEMORY_LIMIT, "" },
        { "tis-strict", make_tis, MLX5_SYN_MEMORY_LIMIT, ",strict=on" },
        { "tir-strict", make_tir, MLX5_SYN_MEMORY_LIMIT, ",strict=on" },
        { "key", make_key, MLX5_SYN_MEMORY_LIMIT, "" },
        { "key-range", make_key_range, MLX5_SYN_MEMORY_LIMIT, "" },
        { "flow-table", make_table, MLX5_SYN_FT_LIMIT, "" },
        { "flow-group", make_group, MLX5_SYN_MEMORY_LIMIT, "" },
        { "flow-entry", make_entry, MLX5_SYN_MEMORY_LIMIT, "" },
        { "flow-entry-64", make_long_entry, MLX5_SYN_MEMORY_LIMIT, "" },
        { "flow-counter", make_flow_counter, MLX5_SYN_FLOW_COUNTER_LIMIT, "" },
    };
    enum { LIMIT = 12 * MiB };
    unsigned i, round;

    for (i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *props = g_strdup_printf(",memory-limit=%d%s", LIMIT,
                                                 kinds[i].props);
        unsigned made = 0;
        Drv *d = drv_start_up(props);

        for (round = 0; round < 2; round++) {
            g_autofree Fill *f = g_new0(Fill, 1);
            uint64_t used, before, grown;

            kinds[i].make(f, d);
            used = drv_memory_used(d);
            before = resident(d);
            while (!f->refused) {
                fill_round(f);
            }
            g_assert_cmpuint(f->made, >, 0);
            g_assert_cmphex(f->refused, ==, kinds[i].end);
            g_assert_cmpuint(drv_memory_used(d), <=, LIMIT);
            used = drv_memory_used(d) - used;
            grown = MAX(resident(d), before) - before;
            g_test_message("%s: %u made, %" PRIu64 " bytes each, %" PRIu64
                           " KiB charged, the process has grown by %" PRIu64
                           " KiB", kinds[i].name, f->made, used / f->made,
                           used / KiB, grown / KiB);
            if (f->refused == MLX5_SYN_MEMORY_LIMIT) {
                g_assert_cmpuint(drv_memory_used(d) + used / f->made, >,
                                 LIMIT - used / f->made);
            }
            if (!sanitized) {
                g_assert_cmpuint(grown, <=, used + SLACK);
            }
            g_assert_true(!round || f->made == made);
            made = f->made;
            drv_hca_down(d);
            g_assert_cmpuint(drv_memory_used(d), ==, 0);
            g_assert_cmpuint(drv_objects_total(d), ==, 0);
            drv_hca_up(d);
        }
        drv_stop(d);
    }
}

/* ----------------------------------------------------- kept completions --- */

enum { LOG_KEPT = 14, KEPT = 1 << LOG_KEPT };

/*
 * Fills the whole of @sq with NOPs that want a CQE; @bad: the second is none.
 */
static void post_nops(Drv *d, DrvSq *sq, bool bad)
{
    g_autofree uint8_t *ring = g_malloc0(KEPT * 64);
    unsigned i;

    for (i = 0; i < KEPT; i++) {
        DrvWqe w;

        drv_wqe(&w, sq, bad && i == 1 ? 0x3f : WQE_NOP, true);
        MLX5_SET(wqe_ctrl, w.b, wqe_index, i);
        MLX5_SET(wqe_ctrl, w.b, ds, 1);
        memcpy(ring + i * 64, w.b, 64);
    }
    drv_write(d, sq->buf, ring, KEPT * 64);
    sq->pc = KEPT;
    drv_sq_ring(d, sq);
}

/*
 * One completion is held, and more wait behind it than there is memory for,
 * good ones or those of a queue in error. The queue stops there, and has lost
 * nothing when it goes on.
 */
static void test_kept(void)
{
    enum { LIMIT = 1 * MiB };
    unsigned bad;

    for (bad = 0; bad < 2; bad++) {
        g_autofree char *props = g_strdup_printf(",memory-limit=%d", LIMIT);
        Drv *d = drv_start_up(props);
        g_autofree uint8_t *cqes = g_malloc(KEPT * 64);
        uint8_t cqe[64];
        uint64_t used, before, full;
        unsigned i;
        DrvEq eq;
        DrvCq cq;
        DrvSq sq;

        drv_eq_create(d, &eq, 6, 0, 0);
        drv_cq_create(d, &cq, LOG_KEPT, eq.eqn);
        drv_sq_create(d, &sq, LOG_KEPT, &cq, 0);
        used = drv_memory_used(d);
        fault_add(d, "hold wqe=NOP count=1 name=x");
        post_nops(d, &sq, bad);
        before = resident(d);
        /* it stops when there is no room for what one more WQE may take */
        DRV_WAIT(drv_memory_used(d) + 2048 > LIMIT);
        drv_settle(d);
        full = drv_memory_used(d);
        g_assert_cmpuint(full, <=, LIMIT);
        qtest_clock_step(d->qts, 1000000000);
        drv_settle(d);
        g_assert_cmpuint(drv_memory_used(d), ==, full);
        g_assert_false(drv_cq_peek(d, &cq, cqe));
        g_assert_true(sanitized ||
                      resident(d) <= before + full - used + SLACK);
        fault_release(d, "x", 1);
        DRV_WAIT((drv_read(d, cq.buf + (KEPT - 1) * 64, cqe, 64),
                  MLX5_GET(cqe, cqe, owner) == 0));
        drv_read(d, cq.buf, cqes, KEPT * 64);
        for (i = 0; i < KEPT; i++) {
            uint8_t *c = cqes + i * 64;

            g_assert_cmpuint(MLX5_GET(cqe, c, wqe_counter), ==, i);
            g_assert_cmphex(MLX5_GET(cqe, c, opcode), ==,
                            bad && i ? CQE_REQ_ERR : CQE_REQ);
        }
        g_assert_cmpuint(drv_memory_used(d), ==, used);
        drv_stop(d);
    }
}

/*
 * A fault for which there is no memory is not applied: nothing waits for ever.
 */
static void test_no_gate(void)
{
    Drv *d = drv_start_up(",memory-limit=256K");
    g_autofree Fill *f = g_new0(Fill, 1);
    uint16_t index;
    unsigned i;
    DrvWqe w;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 6, eq.eqn);
    drv_sq_create(d, &sq, 6, &cq, 0);
    make_pd(f, d);
    while (!f->refused) {
        fill_round(f);
    }
    g_assert_cmphex(f->refused, ==, MLX5_SYN_MEMORY_LIMIT);
    fault_add(d, "hold cmd=NOP at=execution; hold cmd=NOP; "
                 "hold wqe=NOP at=execution; hold wqe=NOP");
    drv_cmd_id_ok(d, OP_NOP, 0);
    drv_wqe(&w, &sq, WQE_NOP, true);
    index = drv_sq_put(d, &sq, &w);
    drv_sq_ring(d, &sq);
    drv_sq_expect(d, &sq, index);
    fault_expect(d, 0, 1, 1, 0);
    /* and applied again when there is some */
    for (i = 0; i < 32; i++) {
        drv_cmd_id_ok(d, OP_DEALLOC_PD, f->last - i);
    }
    fault_clear(d);
    fault_add(d, "hold wqe=NOP at=execution count=1 name=y");
    drv_wqe(&w, &sq, WQE_NOP, true);
    index = drv_sq_put(d, &sq, &w);
    drv_sq_ring(d, &sq);
    DRV_WAIT(fault_rule(d, 0).waiting == 1);
    fault_release(d, "y", 1);
    drv_sq_expect(d, &sq, index);
    drv_stop(d);
}

/* ------------------------------------------------------------- refusals --- */

/* Gives @in, for which there is no memory: nothing has changed. Frees it. */
static void refused(Drv *d, uint8_t *in, uint32_t len)
{
    uint64_t used = drv_memory_used(d), objects = drv_objects_total(d);

    drv_cmd_fails(d, in, len, 16, MLX5_STATUS_EXCEED_LIM,
                  MLX5_SYN_MEMORY_LIMIT);
    g_assert_cmpuint(drv_memory_used(d), ==, used);
    g_assert_cmpuint(drv_objects_total(d), ==, objects);
    g_free(in);
}

/* What is refused refers to nothing: all that it would have used can go. */
static void test_refused(void)
{
    enum { ENTRIES = 2048 };
    const DrvRq *list[ENTRIES];
    Drv *d = drv_start_up(",memory-limit=12K");
    uint32_t len, tirn;
    DrvRq rq, big_rq;
    DrvCq cq, big_cq;
    DrvSq big_sq;
    DrvEq eq, big_eq;
    unsigned i;
    uint8_t *in;

    drv_eq_create(d, &eq, 4, 0, 0);
    drv_cq_create(d, &cq, 4, eq.eqn);
    drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
    tirn = drv_tir_direct(d, rq.rqn);
    for (i = 0; i < ENTRIES; i++) {
        list[i] = &rq;
    }
    while (drv_memory_used(d) < 12 * KiB - 4096) {
        drv_alloc(d, OP_ALLOC_PD);
    }
    in = drv_eq_cmd(d, &big_eq, 16, 0, 0, &len);
    refused(d, in, len);
    in = drv_cq_cmd(d, &big_cq, 17, eq.eqn, &len);
    refused(d, in, len);
    in = drv_rq_cmd(d, &big_rq, 15, 9, &cq, 0, false, &len);
    refused(d, in, len);
    in = drv_sq_cmd(d, &big_sq, 15, &cq, 0, &len);
    refused(d, in, len);
    in = drv_rqt_cmd(d, list, ENTRIES, &len);
    refused(d, in, len);
    in = drv_dek_cmd(d, NULL, 32, &len);
    MLX5_SET(general_obj_in_cmd_hdr, in, log_obj_range, 12);
    refused(d, in, len);
    drv_cmd_id_ok(d, OP_DESTROY_TIR, tirn);
    drv_cmd_id_ok(d, OP_DESTROY_RQ, rq.rqn);
    drv_cmd_id_ok(d, OP_DESTROY_CQ, cq.cqn);
    drv_cmd_id_ok(d, OP_DESTROY_EQ, eq.eqn);
    drv_stop(d);
}

/* Nothing is held after a reset of any kind. */
static void test_reset(void)
{
    unsigned flr;

    for (flr = 0; flr < 2; flr++) {
        g_autofree Fill *f = g_new0(Fill, 1);
        Drv *d = drv_start_up(",memory-limit=1M");
        DrvSq sq;
        DrvCq cq;

        some_cq(d, &cq);
        drv_sq_create(d, &sq, LOG_KEPT, &cq, 0);
        fault_add(d, "hold wqe=NOP count=1");
        post_nops(d, &sq, false);
        make_tis(f, d);
        while (!f->refused) {
            fill_round(f);
        }
        g_assert_cmpuint(drv_memory_used(d), >, 900 * KiB);
        if (flr) {
            uint8_t cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
            uint16_t ctl = qpci_config_readw(d->pci, cap + PCI_EXP_DEVCTL);

            qpci_config_writew(d->pci, cap + PCI_EXP_DEVCTL,
                               ctl | PCI_EXP_DEVCTL_BCR_FLR);
        } else {
            qtest_system_reset(d->qts);
        }
        g_assert_cmpuint(drv_memory_used(d), ==, 0);
        drv_map(d);
        d->pd = 0;
        drv_cmdq_init(d);
        drv_hca_up(d);
        drv_stop(d);
    }
}

void mlx5_memory_tests(void)
{
    qtest_add_func("mlx5-ktls/memory/fill", test_fill);
    qtest_add_func("mlx5-ktls/memory/kept", test_kept);
    qtest_add_func("mlx5-ktls/memory/no-gate", test_no_gate);
    qtest_add_func("mlx5-ktls/memory/refused", test_refused);
    qtest_add_func("mlx5-ktls/memory/reset", test_reset);
}
