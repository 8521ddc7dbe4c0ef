/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of TLS reception as FreeBSD does it and Linux does not. Written from
 * its public source (sys/dev/mlx5: mlx5_en_hw_tls_rx.c, mlx5_fs_tcp.c,
 * mlx5_tls.c; sys/kern: uipc_ktls.c, which recovers records that were not
 * decrypted). The tests play driver and stack; libcrypto's records are the
 * truth. docs/tls.md says what this covers and what it does not prove. Owns no
 * state.
 */
#include "mlx5-freebsd-rig.h"
#include "mlx5-tests.h"
#include "mlx5-tls-rx-rig.h"

/* ------------------------------------------------------------ receiving --- */

/* Static parameters as it posts them: fenced, and always with an anchor. */
static void bsd_rx_static(TlsRx *t, uint64_t rec_no, uint32_t resync_tcp_sn)
{
    rx_post_static_as(t, rec_no, resync_tcp_sn, true);
}

/*
 * A connection whose next record begins at @seq. The TIR spreads over the
 * channel's RQ table; SET_PSV says nothing of the anchor.
 */
static void bsd_rx(TlsRx *t, unsigned kind, unsigned n, uint32_t seq,
                   const char *props)
{
    g_autofree char *all = g_strdup_printf(",strict=on%s", props);
    g_autofree uint8_t *in = NULL;
    const DrvRq *rq = &t->rq;
    uint32_t len;

    rx_bare_with(t, kind, n, false, all);
    t->c.seq = t->seq0 = seq;
    drv_unsteer(t->d, &t->st);
    drv_cmd_id_ok(t->d, OP_DESTROY_TIR, t->tirn);
    in = drv_tir_cmd(t->d, 0, &len);
    MLX5_SET(tirc, in + 0x20, disp_type, 1);
    MLX5_SET(tirc, in + 0x20, indirect_table, drv_rqt_create(t->d, &rq, 1));
    MLX5_SET(tirc, in + 0x20, tls_en, 1);
    MLX5_SET(tirc, in + 0x20, rx_hash_fn, 1);
    MLX5_SET(tirc, in + 0x20, self_lb_block, 3);
    t->tirn = drv_create(t->d, in, len);
    drv_dek_destroy(t->d, t->dek);
    t->dek = bsd_dek(t->d, &t->c);
    bsd_rx_static(t, t->c.rec_no, seq);
    rx_post_progress(t, 0);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
}

static void bsd_rx_stop(TlsRx *t)
{
    g_assert_cmpuint(drv_counter(t->d, "tls_rx_error"), ==, 0);
    drv_strict_expect(t->d, NULL);
    rx_stop(t);
}

/* Consumes the packet @f; returns its flag, and its payload. */
static unsigned bsd_take(TlsRx *t, const Frame *f, uint8_t *payload, size_t n)
{
    uint8_t cqe[64];

    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, t->cc);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, f->len);
    g_assert_cmpuint(f->len - f->payload, ==, n);
    drv_read(t->d, t->buf + (t->cc & ((1u << LOG_RQ) - 1)) * BUF + f->payload,
             payload, n);
    t->cc++;
    rx_fill(t, 1);
    return MLX5_GET(cqe, cqe, tls_offload);
}

enum { BSD_MAX_RECORDS = 256 };

/*
 * The stack above: bytes with a mark whether they came decrypted, records, and
 * the driver's database of records that did not. Flag 2 means nothing to it.
 */
typedef struct BsdStack {
    TlsRx *t;
    unsigned n; /* records */
    size_t at[BSD_MAX_RECORDS + 1];
    uint64_t no[BSD_MAX_RECORDS];
    bool came[BSD_MAX_RECORDS]; /* decrypted as a whole */
    GByteArray *got;
    GByteArray *mark; /* 0: not come, 1: as on the wire, 2: decrypted */
    size_t next;      /* first byte that has not come */
    unsigned done;    /* records read */
    bool resync;      /* the last record was reported to the driver */
    bool active;      /* the database has records: */
    unsigned first, end;
    bool pending;     /* GET_PSV has been posted */
    uint16_t query;
    unsigned delay;   /* packets between a query and its answer */
    unsigned wait;    /* of them still to come */
    unsigned approved, other_state, not_found, mixed;
} BsdStack;

static void stack_init(BsdStack *k, TlsRx *t, unsigned delay)
{
    memset(k, 0, sizeof(*k));
    k->t = t;
    k->delay = delay;
    k->got = g_byte_array_new();
    k->mark = g_byte_array_new();
}

static void stack_free(BsdStack *k)
{
    g_byte_array_unref(k->got);
    g_byte_array_unref(k->mark);
}

static void stack_add_record(BsdStack *k, size_t n)
{
    size_t old = k->t->wire->len;

    g_assert_cmpuint(k->n, <, BSD_MAX_RECORDS);
    k->no[k->n] = k->t->c.rec_no;
    k->at[k->n++] = rx_record(k->t, n);
    k->at[k->n] = k->t->wire->len;
    g_byte_array_set_size(k->got, k->t->wire->len);
    g_byte_array_set_size(k->mark, k->t->wire->len);
    memset(k->mark->data + old, 0, k->t->wire->len - old);
}

/* The answer has come: approve, or do nothing. */
static void stack_answer(BsdStack *k)
{
    TlsRx *t = k->t;
    uint8_t image[64], *p = image + 4;
    uint32_t sn;
    unsigned i;

    drv_sq_expect(t->d, &t->sq, k->query);
    k->pending = false;
    drv_read(t->d, t->psv, image, sizeof(image));
    g_assert_cmphex(mlx5_ld32(image), ==, t->tirn);
    if (MLX5_GET(tls_progress_params, p, record_tracker_state) != TRACKING ||
        MLX5_GET(tls_progress_params, p, auth_state) != NO_OFFLOAD) {
        k->other_state++;
        return;
    }
    sn = MLX5_GET(tls_progress_params, p, hw_resync_tcp_sn);
    for (i = k->first; k->active && i < k->end; i++) {
        if (t->seq0 + (uint32_t)k->at[i] == sn) {
            bsd_rx_static(t, k->no[i], sn);
            k->approved++;
            return;
        }
    }
    k->not_found++;
}

/* Record @i for the database, or (@len 0) the end of it; and the question. */
static void stack_modify(BsdStack *k, unsigned i, size_t len)
{
    TlsRx *t = k->t;
    DrvWqe w;

    if (!k->active || k->end != i || !len) {
        k->active = len != 0;
        k->first = i;
    }
    k->end = i + 1;
    if (k->active && !k->pending) {
        drv_wqe_get_psv(&w, &t->sq, t->tirn, t->d->lkey, t->psv);
        k->query = drv_sq_put(t->d, &t->sq, &w);
        drv_sq_ring(t->d, &t->sq);
        k->pending = true;
        k->wait = k->delay;
    }
}

/*
 * Reads record @i, which has come. What the device decrypted of it only in part
 * is encrypted again, and must be the sender's record then.
 */
static void stack_read(BsdStack *k, unsigned i)
{
    TlsRx *t = k->t;
    size_t at = k->at[i], len = k->at[i + 1] - at, j, decrypted = 0;
    g_autofree uint8_t *again = g_malloc(len);
    const uint8_t *got = k->got->data + at, *mark = k->mark->data + at;

    for (j = 0; j < len; j++) {
        decrypted += mark[j] == 2;
    }
    if (decrypted == len) {
        k->came[i] = true;
        g_assert_cmpmem(got, len, t->plain->data + at, len);
        if (k->resync) {
            k->resync = false;
            stack_modify(k, i, 0);
        }
        return;
    }
    k->mixed += decrypted != 0;
    tls_transform(&t->c, k->no[i], got, len, again);
    for (j = 0; j < len; j++) {
        again[j] = mark[j] == 2 ? again[j] : got[j];
    }
    g_assert_cmpmem(again, len, t->wire->data + at, len);
    k->resync = true;
    stack_modify(k, i, len);
}

/* One packet comes. Returns its flag. */
static unsigned stack_packet(BsdStack *k, size_t at, size_t n)
{
    TlsRx *t = k->t;
    FrameSpec s = rx_segment(t, at, n);
    Frame f = frame_build(&s);
    uint8_t payload[BUF];
    unsigned flag;
    size_t i;

    drv_wire_send(t->d, f.data, f.len);
    flag = bsd_take(t, &f, payload, n);
    frame_free(&f);
    g_assert_cmpuint(flag, !=, ERROR);
    for (i = 0; i < n; i++) {
        if (!k->mark->data[at + i]) {
            k->got->data[at + i] = payload[i];
            k->mark->data[at + i] = flag == DECRYPTED ? 2 : 1;
        }
    }
    while (k->next < k->mark->len && k->mark->data[k->next]) {
        k->next++;
    }
    if (k->pending && !k->wait--) {
        stack_answer(k);
    }
    while (k->done < k->n && k->next >= k->at[k->done + 1]) {
        stack_read(k, k->done++);
    }
    return flag;
}

/* Twelve records, none lost: the last ones must come decrypted. */
static void stack_calm(BsdStack *k)
{
    unsigned i;

    for (i = 0; i < 12; i++) {
        stack_add_record(k, 300);
        stack_packet(k, k->at[k->n - 1], k->at[k->n] - k->at[k->n - 1]);
    }
    for (i = k->n - 3; i < k->n; i++) {
        g_assert_true(k->came[i]);
    }
    g_assert_false(k->pending);
    rx_expect_state(k->t, TRACKING, OFFLOAD);
}

/*
 * START with next_record_tcp_sn 0, the anchor in resync_tcp_sn. As the driver's
 * comments have it the device begins by searching; with
 * start-anchor-from-static it takes the anchor. Either way it decrypts in the
 * end, without any flag being looked at.
 */
static void test_rx_start(void)
{
    static const struct {
        uint32_t seq;
        bool from_static;
        bool at_once; /* decrypts the first packet */
    } rows[] = {
        { 0x00010000, false, false }, { 0x00010000, true, true },
        { 0x90000000, false, false }, { 0x90000000, true, true },
        /* just before 0, for which it waits, and where no record begins */
        { 0xfffffc00, false, false }, { 0xfffffc00, true, true },
        /* where a record does begin */
        { 0, false, true }, { 0, true, true },
    };
    unsigned i, kind;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (kind = 0; kind < TLS_KINDS; kind++) {
            BsdStack k;
            TlsRx t;

            bsd_rx(&t, kind, 50 + kind, rows[i].seq, rows[i].from_static ?
                   ",start-anchor-from-static=on" : "");
            stack_init(&k, &t, 0);
            stack_add_record(&k, 500);
            g_test_message("row %u kind %u", i, kind);
            g_assert_cmpint(stack_packet(&k, 0, 200) == DECRYPTED, ==,
                            rows[i].at_once);
            stack_packet(&k, 200, k.at[1] - 200);
            g_assert_cmpint(k.came[0], ==, rows[i].at_once);
            stack_calm(&k);
            g_assert_cmpint(k.approved == 0, ==, rows[i].at_once);
            stack_free(&k);
            bsd_rx_stop(&t);
        }
    }
}

/*
 * Loss, reordering and retransmission at random. The stack asks after every
 * record that was not decrypted as a whole, and acts on the answer, which may
 * be old by then, only in TRACKING without offload.
 */
static void test_rx_polling(void)
{
    static const unsigned delays[] = { 0, 1, 4 };
    unsigned kind, i, j;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        for (i = 0; i < G_N_ELEMENTS(delays); i++) {
            g_autoptr(GRand) r = g_rand_new_with_seed(kind * 16 + i);
            size_t lost_at[64], lost_n[64];
            unsigned n_lost = 0;
            size_t at, n;
            BsdStack k;
            TlsRx t;

            bsd_rx(&t, kind, 60 + kind, 0xffff0000, "");
            stack_init(&k, &t, delays[i]);
            for (j = 0; j < 150; j++) {
                stack_add_record(&k, g_rand_int_range(r, 0, 1800));
            }
            for (at = 0; at < t.wire->len; at += n) {
                n = MIN(g_rand_int_range(r, 1, 1400), t.wire->len - at);
                if (g_rand_int_range(r, 0, 12) == 0 &&
                    n_lost < G_N_ELEMENTS(lost_at)) {
                    lost_at[n_lost] = at;
                    lost_n[n_lost++] = n;
                } else {
                    stack_packet(&k, at, n);
                }
                if (n_lost && g_rand_boolean(r)) {
                    n_lost--;
                    stack_packet(&k, lost_at[n_lost], lost_n[n_lost]);
                }
            }
            while (n_lost--) {
                stack_packet(&k, lost_at[n_lost], lost_n[n_lost]);
            }
            g_assert_cmpuint(k.done, ==, k.n);
            for (j = 0, n = 0; j < k.n; j++) {
                n += k.came[j];
            }
            g_test_message("kind %u delay %u: %zu of %u records decrypted, %u "
                           "in part; %u approved, %u in another state, %u not "
                           "known yet", kind, delays[i], n, k.n, k.mixed,
                           k.approved, k.other_state, k.not_found);
            g_assert_cmpuint(k.approved, >, 1);
            g_assert_cmpuint(k.other_state, >, 0);
            g_assert_cmpuint(k.mixed, >, 0);
            g_assert_cmpuint(n, >, k.n / 8);
            stack_calm(&k);
            stack_free(&k);
            bsd_rx_stop(&t);
        }
    }
}

/* ------------------------------------------------------------- steering --- */

enum { IN_VID = 0x0e, IN_PROTO = 0x10, IN_BITS = 0x12, IN_SPORT = 0x14,
       IN_DPORT = 0x16, IN_SRC = 0x20, IN_DST = 0x30 };
#define CVLAN 0x80
#define MATCH_LEN 512
#define NO_VLAN 0xffff
#define BSD_LOG_TABLE 16

static uint32_t fs_table(Drv *d, unsigned level, unsigned log_size)
{
    uint8_t in[64] = { 0 }, out[16];

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_TABLE);
    MLX5_SET(flow_table_context, in + 0x18, level, level);
    MLX5_SET(flow_table_context, in + 0x18, log_size, log_size);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(create_flow_table_out, out, table_id);
}

static uint32_t fs_group(Drv *d, uint32_t table, uint32_t first, uint32_t last,
                         const uint8_t *mask)
{
    g_autofree uint8_t *in = g_malloc0(1024);
    uint8_t out[16];

    MLX5_SET(cmd_in, in, opcode, OP_CREATE_FLOW_GROUP);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    MLX5_SET(create_flow_group_in, in, start_flow_index, first);
    MLX5_SET(create_flow_group_in, in, end_flow_index, last);
    if (mask) {
        MLX5_SET(create_flow_group_in, in, match_criteria_enable, 1);
        memcpy(in + 0x40, mask, MATCH_LEN);
    }
    drv_cmd_ok(d, in, 1024, out, sizeof(out));
    return MLX5_GET(create_flow_group_out, out, group_id);
}

/* @type is that of destination @id: 1 a table, 2 a TIR. */
static void fs_entry(Drv *d, uint32_t table, uint32_t group, uint32_t index,
                     const uint8_t *value, unsigned type, uint32_t id)
{
    g_autofree uint8_t *in = g_malloc0(1024);
    uint8_t *ctx = in + 0x40, *dest = ctx + 0x300;

    MLX5_SET(cmd_in, in, opcode, OP_SET_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    MLX5_SET(set_fte_in, in, flow_index, index);
    MLX5_SET(flow_context, ctx, group_id, group);
    MLX5_SET(flow_context, ctx, action, 0x4);
    MLX5_SET(flow_context, ctx, destination_list_size, 1);
    if (value) {
        memcpy(ctx + 0x40, value, MATCH_LEN);
    }
    MLX5_SET(dest_format_struct, dest, destination_type, type);
    MLX5_SET(dest_format_struct, dest, destination_id, id);
    drv_cmd_ok(d, in, 0x348, NULL, 16);
}

static void fs_delete(Drv *d, uint32_t table, uint32_t index)
{
    uint8_t in[64] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_DELETE_FTE);
    MLX5_SET(flow_cmd_in, in, table_id, table);
    MLX5_SET(set_fte_in, in, flow_index, index);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

/* The tables for TLS: IPv4, then IPv6, then what the rest of the NIC has. */
typedef struct BsdTables {
    uint32_t table[2];
    uint32_t group[2];
} BsdTables;

/* The mask of a connection's rule and, for @vid, its value. */
static void fs_match(bool v6, uint16_t vid, uint8_t mask[MATCH_LEN],
                     uint8_t value[MATCH_LEN])
{
    FrameSpec s = rig_spec(v6 ? 6 : 4, 6, 0);
    unsigned at = v6 ? 0 : 12, len = v6 ? 16 : 4;

    memset(mask, 0, MATCH_LEN);
    memset(value, 0, MATCH_LEN);
    mask[IN_PROTO] = 0xff;
    value[IN_PROTO] = 6;
    mask[IN_BITS] = CVLAN | 0x1e;
    value[IN_BITS] = s.ip << 1 | (vid != NO_VLAN ? CVLAN : 0);
    memcpy(mask + IN_VID, (uint8_t[]) { 0x0f, 0xff }, 2);
    memset(mask + IN_SPORT, 0xff, 4);
    value[IN_SPORT] = s.sport >> 8;
    value[IN_SPORT + 1] = s.sport & 0xff;
    value[IN_DPORT] = s.dport >> 8;
    value[IN_DPORT + 1] = s.dport & 0xff;
    memset(mask + IN_SRC + at, 0xff, len);
    memset(mask + IN_DST + at, 0xff, len);
    memcpy(value + IN_SRC + at, s.src_ip, len);
    memcpy(value + IN_DST + at, s.dst_ip, len);
    if (vid != NO_VLAN) {
        value[IN_VID] = vid >> 8;
        value[IN_VID + 1] = vid & 0xff;
    }
}

/* @rest is the TIR of all that no rule takes. */
static void fs_tables(Drv *d, BsdTables *z, uint32_t rest)
{
    uint8_t mask[MATCH_LEN], value[MATCH_LEN], in[64] = { 0 };
    uint32_t last = (1u << BSD_LOG_TABLE) - 1, vlan = fs_table(d, 12, 0);
    unsigned i;

    fs_entry(d, vlan, fs_group(d, vlan, 0, 0, NULL), 0, NULL, 2, rest);
    for (i = 0; i < 2; i++) {
        z->table[i] = fs_table(d, 10 + i, BSD_LOG_TABLE);
        fs_match(i, NO_VLAN, mask, value);
        z->group[i] = fs_group(d, z->table[i], 0, last - 1, mask);
    }
    for (i = 0; i < 2; i++) {
        fs_entry(d, z->table[i], fs_group(d, z->table[i], last, last, NULL),
                 last, NULL, 1, i ? vlan : z->table[1]);
    }
    MLX5_SET(cmd_in, in, opcode, OP_SET_FLOW_TABLE_ROOT);
    MLX5_SET(flow_cmd_in, in, table_id, z->table[0]);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

/* Sends the next record in a frame; returns its flag, and checks its bytes. */
static unsigned vlan_packet(TlsRx *t, bool v6, const uint16_t *tag)
{
    size_t at = rx_record(t, 90), n = t->wire->len - at;
    FrameSpec s = rx_segment(t, at, n);
    uint8_t payload[BUF];
    unsigned flag;
    Frame f;

    s.ip = v6 ? 6 : 4;
    for (; tag[0]; tag += 2) {
        s.tpid[s.n_vlan] = tag[0];
        s.tci[s.n_vlan++] = tag[1];
    }
    f = frame_build(&s);
    drv_wire_send(t->d, f.data, f.len);
    flag = bsd_take(t, &f, payload, n);
    g_assert_cmpmem(payload, n, (flag == DECRYPTED ? t->plain : t->wire)->data
                    + at, n);
    frame_free(&f);
    if (flag != DECRYPTED) { /* comes again, in another frame */
        g_byte_array_set_size(t->wire, at);
        g_byte_array_set_size(t->plain, at);
        t->c.rec_no--;
        t->c.nonce -= t->c.version == TLS_1_2;
    }
    return flag;
}

/*
 * Every rule compares the C-tag: a connection over a VLAN with its number, one
 * without VLAN with none. The same addresses and ports in another VLAN are
 * another connection.
 */
static void test_rx_vlan(void)
{
    static const uint16_t tags[][6] = {
        { 0 }, { 0x8100, 0x123 }, { 0x8100, 0x124 }, { 0x8100, 0xe000 },
        { 0x8100, 0x6123 }, { 0x88a8, 5, 0x8100, 0x123 },
    };
    static const struct {
        uint16_t vid;
        unsigned taken; /* a bit for each of tags */
    } rules[] = {
        { NO_VLAN, 0x01 }, { 0x123, 0x12 }, { 0, 0x08 },
    };
    unsigned i, j, v6;

    for (v6 = 0; v6 < 2; v6++) {
        for (i = 0; i < G_N_ELEMENTS(rules); i++) {
            uint8_t mask[MATCH_LEN], value[MATCH_LEN];
            BsdTables z;
            TlsRx t;

            bsd_rx(&t, i, 70 + i, 0x5000, ",start-anchor-from-static=on");
            drv_unsteer(t.d, &t.st);
            fs_tables(t.d, &z, drv_tir_direct(t.d, t.rq.rqn));
            fs_match(v6, rules[i].vid, mask, value);
            fs_entry(t.d, z.table[v6], z.group[v6], 3, value, 2, t.tirn);
            for (j = 0; j < 2 * G_N_ELEMENTS(tags); j++) {
                unsigned k = j % G_N_ELEMENTS(tags);

                g_test_message("IPv%u, rule %u, tags %u", v6 ? 6 : 4, i, k);
                g_assert_cmpuint(vlan_packet(&t, v6, tags[k]), ==,
                                 rules[i].taken >> k & 1 ? DECRYPTED :
                                                           NOT_DECRYPTED);
            }
            bsd_rx_stop(&t);
        }
    }
}

/*
 * The end of a connection: the rule goes first, then the key, then the TIR. If
 * packets still came while the key is gone (as none do in this order), they
 * would be decrypted with what the context has, even if the key's number had
 * another owner by then.
 */
static void test_rx_teardown(void)
{
    static const uint16_t untagged[] = { 0 };
    unsigned kind, late;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        for (late = 0; late < 2; late++) {
            uint8_t mask[MATCH_LEN], value[MATCH_LEN];
            uint32_t dek = 0;
            BsdTables z;
            TlsConn other;
            TlsRx t;

            bsd_rx(&t, kind, 80 + kind, 0x7000,
                   ",start-anchor-from-static=on");
            drv_unsteer(t.d, &t.st);
            fs_tables(t.d, &z, drv_tir_direct(t.d, t.rq.rqn));
            fs_match(false, NO_VLAN, mask, value);
            fs_entry(t.d, z.table[0], z.group[0], 3, value, 2, t.tirn);
            g_assert_cmpuint(vlan_packet(&t, false, untagged), ==, DECRYPTED);
            if (late) {
                drv_dek_destroy(t.d, t.dek);
                g_assert_cmpuint(vlan_packet(&t, false, untagged), ==,
                                 DECRYPTED);
                tls_conn(&other, (kind + 1) % TLS_KINDS, 90);
                dek = bsd_dek(t.d, &other);
                g_assert_cmpuint(vlan_packet(&t, false, untagged), ==,
                                 DECRYPTED);
            }
            fs_delete(t.d, z.table[0], 3);
            g_assert_cmpuint(vlan_packet(&t, false, untagged), ==,
                             NOT_DECRYPTED);
            drv_dek_destroy(t.d, late ? dek : t.dek);
            g_assert_cmpuint(drv_objects(t.d, "dek"), ==, 0);
            drv_cmd_id_ok(t.d, OP_DESTROY_TIR, t.tirn);
            g_assert_cmpuint(vlan_packet(&t, false, untagged), ==,
                             NOT_DECRYPTED);
            g_assert_cmpuint(drv_objects(t.d, "tir"), ==, 1);
            drv_strict_expect(t.d, late ? "dek_stale" : NULL);
            rx_stop(&t);
        }
    }
}

void mlx5_freebsd_rx_tests(void)
{
    qtest_add_func("mlx5-ktls/freebsd/rx-start", test_rx_start);
    qtest_add_func("mlx5-ktls/freebsd/rx-polling", test_rx_polling);
    qtest_add_func("mlx5-ktls/freebsd/rx-vlan", test_rx_vlan);
    qtest_add_func("mlx5-ktls/freebsd/rx-teardown", test_rx_teardown);
}
