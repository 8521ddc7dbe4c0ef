/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of how long the device blocks QEMU's main loop: the most expensive work
 * that a driver or a peer can request at once, under the watchdog of the small
 * driver, which fails the test if an access takes too long (DRV_ACCESS_LIMIT).
 * Each test reports the longest access. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"

/*
 * Milliseconds: what takes 1 to 20 here, of which there is no more to be had.
 */
enum { SOON = 50 };

/* ------------------------------------------------------ many commands --- */

/* Commands that are given with one doorbell, as many as there are slots. */
typedef struct Batch {
    Drv *d;
    unsigned n;
    DrvCmd c[DRV_CMD_SLOTS];
    uint8_t out[DRV_CMD_SLOTS][16];
    Mlx5Syndrome syn; /* what they are answered, MLX5_OK: success */
} Batch;

static void batch_run(Batch *b)
{
    unsigned i;

    if (b->n) {
        drv_cmd_ring(b->d, (uint32_t)((1ull << b->n) - 1));
        drv_settle(b->d);
    }
    for (i = 0; i < b->n; i++) {
        DrvResult r = drv_cmd_finish(b->d, &b->c[i], b->out[i]);

        g_assert_cmphex(r.delivery, ==, 0);
        g_assert_cmphex(r.syndrome, ==,
                        b->syn ? MLX5_SYNDROME_BASE + b->syn : 0);
    }
    b->n = 0;
}

static void batch_add(Batch *b, const void *in, uint32_t len)
{
    if (b->n == DRV_CMD_SLOTS) {
        batch_run(b);
    }
    drv_cmd_post(b->d, &b->c[b->n], b->n, in, len, 16);
    b->n++;
}

static void batch_id(Batch *b, uint16_t opcode, uint32_t id)
{
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, opcode);
    MLX5_SET(cmd_id, in, id, id);
    batch_add(b, in, sizeof(in));
}

/*
 * Page addresses that meet in one place of a hash table with GLib's own hash,
 * as many as a command can hold, in 8 slots. That hash was another one once.
 */
static void test_pages(void)
{
    enum { SLOTS = 8, N = 8190 };
    Drv *d = drv_start_up("");
    Batch b = { .d = d, .syn = MLX5_SYN_PAGES_UNASKED };
    g_autofree uint8_t *in = g_malloc0(16 + N * 8);
    const gint64 one = 1ll << 44 | 1 << 12, two = 2ll << 44 | 1 << 12;
    bool low_half = g_int64_hash(&one) == g_int64_hash(&two);
    uint64_t i, k;

    MLX5_SET(cmd_in, in, opcode, OP_MANAGE_PAGES);
    MLX5_SET(cmd_in, in, op_mod, 1);
    MLX5_SET(manage_pages_in, in, input_num_entries, N);
    for (k = 0; k < SLOTS; k++) {
        for (i = 0; i < N; i++) {
            uint64_t v = (k * N + i + 1) << 12;

            mlx5_st64(in + 16 + i * 8, v << 32 | (low_half ? 1 << 12 : v));
        }
        batch_add(&b, in, 16 + N * 8);
    }
    batch_run(&b);
    drv_watch(d, "pages", SOON);
    drv_stop(d);
}

/* --------------------------------------------------------------- keys --- */

/* CREATE_GENERAL_OBJECT of 2^@log empty keys. */
static void dek_range(Drv *d, Batch *b, unsigned log)
{
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(d, NULL, 16, &len);

    MLX5_SET(general_obj_in_cmd_hdr, in, log_obj_range, log);
    batch_add(b, in, len);
}

#define MANY_KEYS ",log-max-dek=20,memory-limit=1G"
enum { LOG_KEYS = 20, LOG_RANGE = 12 };

/* All keys there can be but @left ranges. */
static void dek_fill(Drv *d, Batch *b, unsigned left)
{
    unsigned i;

    for (i = left; i < 1u << (LOG_KEYS - LOG_RANGE); i++) {
        dek_range(d, b, LOG_RANGE);
    }
    batch_run(b);
}

/* SYNC_CRYPTO in every slot, with as many keys as there can be. */
static void test_sync_crypto(void)
{
    Drv *d = drv_start_up(MANY_KEYS);
    Batch b = { .d = d };
    uint8_t in[32] = { 0 };
    unsigned i;

    dek_fill(d, &b, 0);
    g_assert_cmpuint(drv_objects(d, "dek"), ==, 1u << LOG_KEYS);
    drv_watch(d, "keys made in ranges", SOON);
    MLX5_SET(cmd_in, in, opcode, OP_SYNC_CRYPTO);
    MLX5_SET(sync_crypto_in, in, crypto_type, 1);
    for (i = 0; i < DRV_CMD_SLOTS; i++) {
        batch_add(&b, in, sizeof(in));
    }
    batch_run(&b);
    g_assert_cmpuint(drv_counter(d, "tls_sync_crypto"), ==, DRV_CMD_SLOTS);
    drv_watch(d, "sync-crypto", SOON);
    drv_hca_down(d);
    drv_watch(d, "that many keys removed by TEARDOWN_HCA", SOON);
    drv_stop(d);
}

/* The search for the one free number, of which the last one is just behind. */
static void test_numbers(void)
{
    enum { SINGLE = (1 << LOG_RANGE) - 1 };
    Drv *d = drv_start_up(MANY_KEYS);
    Batch b = { .d = d };
    uint8_t in[16] = { 0 };
    unsigned i;

    /* Ranges begin at 4096. Up to there are single keys, made behind them. */
    dek_fill(d, &b, 1);
    for (i = 0; i < SINGLE + 1; i++) {
        dek_range(d, &b, 0);
    }
    batch_run(&b);
    g_assert_cmpuint(drv_objects(d, "dek"), ==, 1u << LOG_KEYS);
    drv_watch(d, "keys made", SOON);
    for (i = 0; i < DRV_CMD_SLOTS; i += 2) {
        drv_dek_hdr(in, OP_DESTROY_GENERAL_OBJECT, 1, 0);
        batch_add(&b, in, sizeof(in));
        dek_range(d, &b, 0);
    }
    batch_run(&b);
    for (i = 1; i < DRV_CMD_SLOTS; i += 2) {
        g_assert_cmpuint(MLX5_GET(general_obj_out_cmd_hdr, b.out[i], obj_id),
                         ==, 1);
    }
    drv_watch(d, "numbers", SOON);
    drv_stop(d);
}

/* ----------------------------------------------------------- sending --- */

/*
 * Queues in error with all that they hold to flush. What is posted is one page,
 * again and again, and the completion queue takes everything.
 */
static void test_flush(void)
{
    enum { QUEUES = 16, LOG_SIZE = 15 };
    Drv *d = drv_start_up("");
    uint64_t page = drv_mem(d, 4096);
    Batch b = { .d = d };
    g_autofree uint8_t *cq_cmd = NULL;
    DrvSq sq[QUEUES];
    uint32_t len;
    DrvEq eq;
    DrvCq cq;
    unsigned q, i;

    drv_eq_create(d, &eq, 6, 0, 0);
    cq_cmd = drv_cq_cmd(d, &cq, 8, eq.eqn, &len);
    MLX5_SET(cqc, cq_cmd + 0x10, oi, 1);
    cq.cqn = drv_create(d, cq_cmd, len);
    for (q = 0; q < QUEUES; q++) {
        uint32_t pages = (64u << LOG_SIZE) / 4096;
        g_autofree uint8_t *in = g_malloc0(0x110 + pages * 8);
        g_autofree uint8_t *small = drv_sq_cmd(d, &sq[q], 6, &cq, 0, &len);

        memcpy(in, small, 0x110);
        MLX5_SET(wq, in + 0x50, log_wq_sz, LOG_SIZE);
        for (i = 0; i < pages; i++) {
            mlx5_st64(in + 0x110 + i * 8, page);
        }
        sq[q].sqn = drv_create(d, in, 0x110 + pages * 8);
        g_assert_cmphex(drv_sq_modify(d, &sq[q], DRV_RST, DRV_RDY).status, ==,
                        MLX5_STATUS_OK);
        drv_write32(d, sq[q].dbr + 4, 1u << LOG_SIZE);
    }
    for (q = 0; q < QUEUES; q++) {
        uint8_t in[272] = { 0 };

        MLX5_SET(cmd_in, in, opcode, OP_MODIFY_SQ);
        MLX5_SET(modify_sq_in, in, sq_state, DRV_RDY);
        MLX5_SET(modify_sq_in, in, sqn, sq[q].sqn);
        MLX5_SET(sqc, in + 0x20, state, DRV_ERR);
        batch_add(&b, in, sizeof(in));
    }
    batch_run(&b);
    /* The driver has seen that much once the last completion is there. */
    for (i = 0; i < QUEUES << LOG_SIZE; ) {
        uint8_t out[272], query[16] = { 0 };

        MLX5_SET(cmd_in, query, opcode, OP_QUERY_CQ);
        MLX5_SET(cmd_id, query, id, cq.cqn);
        drv_cmd_ok(d, query, sizeof(query), out, sizeof(out));
        i = MLX5_GET(cqc, out + 0x10, producer_counter);
    }
    g_assert_cmpuint(i, ==, QUEUES << LOG_SIZE);
    drv_watch(d, "flush", SOON);
    drv_stop(d);
}

typedef struct Sender {
    Drv *d;
    DrvEq eq;
    DrvCq cq;
    DrvSq sq;
} Sender;

static void sender(Sender *z, const char *props, unsigned log_size)
{
    z->d = drv_start_up(props);
    drv_eq_create(z->d, &z->eq, 6, 0, 0);
    drv_cq_create(z->d, &z->cq, log_size, z->eq.eqn);
    drv_sq_create(z->d, &z->sq, log_size, &z->cq, drv_tis_create(z->d));
}

/*
 * Packets of the longest kind that hold the shortest records, empty ones: 2250
 * in each to encrypt. They are too long for the wire, so nothing slows them
 * down.
 */
static void test_records(void)
{
    enum { PACKETS = 1000, RECORD = 29, N = 65000 / RECORD * RECORD };
    Sender z;
    Drv *d;
    g_autofree uint8_t *clear = g_malloc0(N);
    uint8_t p[TLS_STATIC_LEN];
    uint16_t index = 0;
    uint32_t tisn, dek;
    uint64_t mem;
    unsigned i;
    TlsConn c;
    DrvWqe w;

    sender(&z, "", 12);
    d = z.d;
    tls_conn(&c, 0, 1);
    dek = drv_dek_create(d, c.key, c.key_len);
    tisn = drv_tis_tls(d);
    mem = drv_mem(d, N);
    for (i = 0; i < N; i += RECORD) {
        static const uint8_t header[] = { REC_DATA, 3, 3, 0, RECORD - TLS_HDR };

        memcpy(clear + i, header, sizeof(header));
    }
    drv_write(d, mem, clear, N);
    tls_static(p, &c, dek, 0);
    drv_wqe_static(&w, &z.sq, false, tisn, p, false, false);
    drv_sq_put(d, &z.sq, &w);
    drv_wqe_set_psv(&w, &z.sq, false, tisn, 0, true, false);
    drv_sq_put(d, &z.sq, &w);
    for (i = 0; i < PACKETS; i++) {
        FrameSpec s = rig_spec(4, 6, N);
        Frame f;

        s.seq = c.seq + i * N;
        s.payload = clear;
        f = frame_build(&s);
        drv_wqe(&w, &z.sq, WQE_SEND, i == PACKETS - 1);
        MLX5_SET(wqe_ctrl, w.b, fm, i == 0);
        MLX5_SET(wqe_ctrl, w.b, tis_tir_num, tisn);
        drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, f.data, f.payload);
        drv_wqe_data(&w, d->lkey, mem, N);
        index = drv_sq_put(d, &z.sq, &w);
        frame_free(&f);
    }
    drv_sq_ring(d, &z.sq);
    drv_sq_expect(d, &z.sq, index);
    g_assert_cmpuint(drv_counter(d, "tls_tx_packets"), ==, PACKETS);
    g_assert_cmpuint(drv_counter(d, "tls_tx_records"), ==,
                     (uint64_t)PACKETS * (N / RECORD));
    drv_watch(d, "records", SOON);
    drv_stop(d);
}

/* --------------------------------------------------------- flow tables --- */

/*
 * A flow table that leads to itself as long as nothing matches, with as many
 * groups as there can be. In each are entries of values that meet in one place
 * of a hash table without a secret: word by word, multiply and fold.
 */
enum { WAY_GROUPS = 128, WAY_ENTRIES = 16 };
#define MATCH_WORDS 8

static uint64_t fold(uint64_t h)
{
    return h ^ h >> 32; /* its own inverse */
}

static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    unsigned i;

    for (i = 0; i < 6; i++) {
        x *= 2 - odd * x;
    }
    return x;
}

/*
 * Finds the last word of the source address with which the value @w hashes as
 * the packet's @image does, in its low 32 bits, as the @n-th of such.
 */
static void collide(uint64_t w[MATCH_WORDS], const uint64_t image[MATCH_WORDS],
                    uint32_t n)
{
    const uint64_t factor = UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t back = inverse(factor);
    uint64_t hash = 0, before = 0, behind;
    unsigned i;

    for (i = 0; i < MATCH_WORDS; i++) {
        hash = fold((hash ^ image[i]) * factor);
    }
    for (i = 0; i < 5; i++) {
        before = fold((before ^ w[i]) * factor);
    }
    behind = (hash ^ (uint64_t)n << 32);
    for (i = MATCH_WORDS; i-- > 6; ) {
        behind = fold(behind) * back ^ w[i];
    }
    w[5] = fold(behind) * back ^ before;
}

static FrameSpec way_spec(void)
{
    FrameSpec s = rig_spec(6, 6, 0);

    memset(s.src_ip, 0x20, 16);
    memset(s.dst_ip, 0x30, 16);
    return s;
}

/* Goes there too, so that what is sent to ourselves comes back. */
static void way_rig(Drv *d, Batch *b, uint32_t tirn)
{
    FrameSpec s = way_spec();
    g_autofree uint8_t *in = g_malloc0(1024);
    uint8_t out[16], *ctx = in + 0x40, *list = ctx + 0x300;
    uint64_t image[MATCH_WORDS] = { 0 };
    uint32_t circle, root, group;
    unsigned g, i;

    memcpy(&image[4], s.src_ip, 16);
    memcpy(&image[6], s.dst_ip, 16);

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, log_size, 16);
    drv_cmd_ok(d, in, 64, out, sizeof(out));
    circle = MLX5_GET(create_flow_table_out, out, table_id);
    for (g = 0; g < WAY_GROUPS; g++) {
        memset(in, 0, 1024);
        MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
        MLX5_SET(flow_cmd_in, in, table_id, circle);
        MLX5_SET(create_flow_group_in, in, start_flow_index, g * WAY_ENTRIES);
        MLX5_SET(create_flow_group_in, in, end_flow_index,
                 (g + 1) * WAY_ENTRIES - 1);
        MLX5_SET(create_flow_group_in, in, match_criteria_enable, 1);
        memset(in + 0x40 + 0x20, 0xff, 32); /* both addresses */
        drv_cmd_ok(d, in, 1024, out, sizeof(out));
        group = MLX5_GET(create_flow_group_out, out, group_id);
        for (i = 0; i < WAY_ENTRIES; i++) {
            uint64_t w[MATCH_WORDS];

            memset(in, 0, 1024);
            MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
            MLX5_SET(flow_cmd_in, in, table_id, circle);
            MLX5_SET(set_fte_in, in, flow_index, g * WAY_ENTRIES + i);
            MLX5_SET(flow_context, ctx, group_id, group);
            MLX5_SET(flow_context, ctx, action, 2); /* drop */
            memcpy(w, image, sizeof(w));
            collide(w, image, i + 1);
            memcpy(ctx + 0x40, w, sizeof(w));
            batch_add(b, in, 0x340);
        }
    }
    batch_run(b);
    memset(in, 0, 64);
    MLX5_SET(cmd_in, in, opcode, 0x93c); /* MODIFY_FLOW_TABLE */
    MLX5_SET(flow_cmd_in, in, table_id, circle);
    MLX5_SET(modify_flow_table_in, in, modify_field_select, 1);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_action, 1);
    MLX5_SET(flow_table_context, in + 0x18, table_miss_id, circle);
    drv_cmd_ok(d, in, 64, out, sizeof(out));

    memset(in, 0, 64);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    drv_cmd_ok(d, in, 64, out, sizeof(out));
    root = MLX5_GET(create_flow_table_out, out, table_id);
    memset(in, 0, 1024);
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, root);
    drv_cmd_ok(d, in, 1024, out, sizeof(out));
    group = MLX5_GET(create_flow_group_out, out, group_id);
    memset(in, 0, 1024);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, root);
    MLX5_SET(flow_context, ctx, group_id, group);
    MLX5_SET(flow_context, ctx, action, 4);
    MLX5_SET(flow_context, ctx, destination_list_size, 2);
    MLX5_SET(dest_format_struct, list, destination_type, 2);
    MLX5_SET(dest_format_struct, list, destination_id, tirn);
    MLX5_SET(dest_format_struct, list + 8, destination_type, 1);
    MLX5_SET(dest_format_struct, list + 8, destination_id, circle);
    drv_cmd_ok(d, in, 0x350, out, sizeof(out));
    memset(in, 0, 64);
    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(flow_cmd_in, in, table_id, root);
    drv_cmd_ok(d, in, 64, out, sizeof(out));
}

/* As many frames as the backend takes in at once, each on the longest way. */
static void test_flow_tables(void)
{
    enum { FRAMES = 200 };
    FrameSpec s = way_spec();
    Frame f = frame_build(&s);
    g_autoptr(GByteArray) burst = g_byte_array_new();
    Batch b = { 0 };
    Sender z;
    DrvRq rq;
    unsigned i;

    sender(&z, "", 6);
    b.d = z.d;
    drv_rq_create(z.d, &rq, 6, 4, &z.cq, 0, false);
    way_rig(z.d, &b, drv_tir_direct(z.d, rq.rqn));
    for (i = 0; i < FRAMES; i++) {
        uint8_t len[4];

        mlx5_st32(len, f.len);
        g_byte_array_append(burst, len, sizeof(len));
        g_byte_array_append(burst, f.data, f.len);
    }
    drv_watch(z.d, "flow tables made", SOON);
    g_assert_cmpint(write(z.d->wire, burst->data, burst->len), ==, burst->len);
    DRV_WAIT(drv_counter(z.d, "rx_steer_costly") == FRAMES);
    drv_watch(z.d, "flow tables", SOON);
    frame_free(&f);
    drv_stop(z.d);
}

/* Frames to our own address go the same way, from inside the bottom half. */
static void test_loop_back(void)
{
    enum { FRAMES = 1000 };
    FrameSpec s = way_spec();
    uint8_t buf[DRV_MAX_FRAME], cqe[64];
    Frame f = frame_build(&s);
    unsigned i, left = FRAMES;
    Batch b = { 0 };
    Sender z;
    uint64_t mem;
    DrvWqe w;
    DrvRq rq;

    sender(&z, "", 10);
    b.d = z.d;
    drv_rq_create(z.d, &rq, 6, 4, &z.cq, 0, false);
    way_rig(z.d, &b, drv_tir_tls(z.d, rq.rqn)); /* has self_lb_block */
    mem = drv_mem(z.d, f.len);
    drv_write(z.d, mem, f.data, f.len);
    for (i = 0; i < FRAMES; i++) {
        drv_wqe(&w, &z.sq, WQE_SEND, i == FRAMES - 1);
        drv_wqe_eth(&w, 0, 0, NULL, 0);
        drv_wqe_data(&w, z.d->lkey, mem, f.len);
        drv_sq_put(z.d, &z.sq, &w);
    }
    drv_watch(z.d, "flow tables made", SOON);
    drv_sq_ring(z.d, &z.sq);
    /* Where their way is too long for us they leave. */
    while (!drv_cq_poll(z.d, &z.cq, cqe)) {
        while (drv_wire_readable(z.d)) {
            drv_wire_recv(z.d, buf);
            left--;
        }
    }
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_REQ);
    for (; left; left--) {
        drv_wire_recv(z.d, buf);
    }
    drv_watch(z.d, "loop back", SOON);
    frame_free(&f);
    drv_stop(z.d);
}

/* -------------------------------------------------------------- faults --- */

/* All of a queue of 2^@log_size blocks: NOPs, each with a completion. */
static void fill_with_nops(Drv *d, DrvSq *sq, unsigned log_size)
{
    enum { PART = 1 << 15 };
    g_autofree uint8_t *nops = g_malloc0(64u << log_size);
    unsigned i;

    for (i = 0; i < 1u << log_size; i++) {
        uint8_t *w = nops + i * 64;

        MLX5_SET(wqe_ctrl, w, opcode, WQE_NOP);
        MLX5_SET(wqe_ctrl, w, wqe_index, i);
        MLX5_SET(wqe_ctrl, w, sqn, sq->sqn);
        MLX5_SET(wqe_ctrl, w, ds, 1);
        MLX5_SET(wqe_ctrl, w, ce, 2);
    }
    for (i = 0; i < 64u << log_size; i += PART) {
        drv_write(d, sq->buf + i, nops + i, PART);
    }
    sq->pc = 1u << log_size;
    drv_sq_ring(d, sq);
}

/*
 * A rule for faults makes completions wait, as many as queues can have: for
 * packets, of which each that arrives is counted, and then they are let go at
 * once.
 */
static void test_faults(void)
{
    enum { QUEUES = 4, LOG_SIZE = 14, FRAMES = 100, ROUNDS = 4 };
    FrameSpec s = rig_spec(4, 6, 0);
    Frame f = frame_build(&s);
    g_autoptr(GByteArray) burst = g_byte_array_new();
    g_autofree uint8_t *cq_cmd = NULL;
    uint32_t len, produced = 0;
    DrvSq sq[QUEUES];
    DrvSteering st;
    Drv *d = drv_start_up("");
    uint64_t mem = drv_mem(d, 2048);
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;
    unsigned q, i;

    drv_eq_create(d, &eq, 6, 0, 0);
    cq_cmd = drv_cq_cmd(d, &cq, 8, eq.eqn, &len);
    MLX5_SET(cqc, cq_cmd + 0x10, oi, 1);
    cq.cqn = drv_create(d, cq_cmd, len);
    drv_rq_create(d, &rq, 10, 4, &cq, 0, false);
    for (i = 0; i < FRAMES * ROUNDS; i++) {
        DrvSeg seg = { .addr = mem, .len = 2048 };

        drv_rq_post(d, &rq, &seg, 1);
    }
    drv_rq_publish(d, &rq);
    drv_steer_all(d, &st, drv_tir_direct(d, rq.rqn), 0);
    fault_add(d, "delay wqe=NOP dir=any packets=1000000");
    for (q = 0; q < QUEUES; q++) {
        drv_sq_create(d, &sq[q], LOG_SIZE, &cq, 0);
        fill_with_nops(d, &sq[q], LOG_SIZE);
    }
    DRV_WAIT(fault_rule(d, 0).waiting == QUEUES << LOG_SIZE);
    drv_watch(d, "made to wait", SOON);
    for (i = 0; i < FRAMES; i++) {
        uint8_t be[4];

        mlx5_st32(be, f.len);
        g_byte_array_append(burst, be, sizeof(be));
        g_byte_array_append(burst, f.data, f.len);
    }
    for (i = 1; i <= ROUNDS; i++) {
        g_assert_cmpint(write(d->wire, burst->data, burst->len), ==,
                        burst->len);
        DRV_WAIT(drv_counter(d, "rx_unicast_packets") == i * FRAMES);
    }
    drv_watch(d, "packets for those that wait", SOON);
    fault_release(d, "", QUEUES << LOG_SIZE);
    while (produced < (QUEUES << LOG_SIZE) + FRAMES * ROUNDS) {
        uint8_t out[272], query[16] = { 0 };

        MLX5_SET(cmd_in, query, opcode, OP_QUERY_CQ);
        MLX5_SET(cmd_id, query, id, cq.cqn);
        drv_cmd_ok(d, query, sizeof(query), out, sizeof(out));
        produced = MLX5_GET(cqc, out + 0x10, producer_counter);
    }
    drv_watch(d, "let go", SOON);
    fault_clear(d);
    frame_free(&f);
    drv_stop(d);
}

/* ---------------------------------------------------------- removing --- */

/*
 * Objects of the kinds that cost most to remove, a part of what there can be.
 */
static void test_teardown(void)
{
    enum { N = 4000 };
    Drv *d = drv_start_up("");
    Batch b = { .d = d };
    g_autofree uint8_t *tis = NULL, *tir = NULL;
    uint32_t tis_len, tir_len;
    unsigned i;
    DrvEq eq;
    DrvCq cq;
    DrvRq rq;

    drv_eq_create(d, &eq, 6, 0, 0);
    drv_cq_create(d, &cq, 6, eq.eqn);
    drv_rq_create(d, &rq, 6, 4, &cq, 0, false);
    tis = drv_tis_cmd(d, &tis_len);
    MLX5_SET(tisc, tis + 0x20, tls_en, 1);
    tir = drv_tir_cmd(d, rq.rqn, &tir_len);
    MLX5_SET(tirc, tir + 0x20, tls_en, 1);
    for (i = 0; i < N; i++) {
        batch_add(&b, tis, tis_len);
        batch_add(&b, tir, tir_len);
        batch_id(&b, OP_ALLOC_PD, 0);
    }
    batch_run(&b);
    drv_watch(d, "objects made", SOON);
    drv_hca_down(d);
    drv_watch(d, "teardown", SOON);
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    drv_stop(d);
}

void mlx5_time_tests(void)
{
    qtest_add_func("mlx5-ktls/time/pages", test_pages);
    qtest_add_func("mlx5-ktls/time/sync-crypto", test_sync_crypto);
    qtest_add_func("mlx5-ktls/time/numbers", test_numbers);
    qtest_add_func("mlx5-ktls/time/flush", test_flush);
    qtest_add_func("mlx5-ktls/time/records", test_records);
    qtest_add_func("mlx5-ktls/time/flow-tables", test_flow_tables);
    qtest_add_func("mlx5-ktls/time/loop-back", test_loop_back);
    qtest_add_func("mlx5-ktls/time/faults", test_faults);
    qtest_add_func("mlx5-ktls/time/teardown", test_teardown);
}
