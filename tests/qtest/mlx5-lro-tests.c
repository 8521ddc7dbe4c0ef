/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of large receive offload (LRO): the completions of joined packets,
 * their order, queues that run short, connections beyond those that are held,
 * and what is never joined. A batch is what one write() gives the backend. Owns
 * no state.
 */
#include "mlx5-stride-rig.h"
#include "mlx5-tls.h"
#include "mlx5-tests.h"

#define LOG_WQES 5
#define MAX_FLOWS 40
#define FLOW_HLEN (14 + 20 + 20) /* headers of a flow's packets */

/* A striding queue of 32 KiB a WQE, behind a TIR that joins. */
typedef struct Lro {
    Stride s;
    uint32_t tirn;
    GByteArray *batch;
    unsigned wqe, used; /* where the next packet goes */
} Lro;

static void lro_rig_with(Lro *l, unsigned log_n, bool vlan_strip,
                         const char *props)
{
    g_autofree char *all = g_strconcat(",lro=on", props, NULL);

    stride_rig(&l->s, LOG_WQES, log_n, 8, vlan_strip, all);
    l->tirn = l->s.tirn;
    merge(l->s.d, l->tirn, MERGE_IPV4 | MERGE_IPV6, 255);
    l->batch = g_byte_array_new();
    l->wqe = l->used = 0;
}

static void lro_rig(Lro *l, bool vlan_strip)
{
    lro_rig_with(l, 8, vlan_strip, "");
    stride_post(&l->s, 20);
}

static void lro_end(Lro *l)
{
    g_byte_array_free(l->batch, TRUE);
    drv_stop(l->s.d);
}

/* Reads the next packet and its CQE, not a filler. Returns its length. */
static size_t next_packet(Lro *l, uint8_t cqe[64], uint8_t buf[BATCH])
{
    Stride *s = &l->s;
    size_t len;

    for (;;) {
        unsigned n;

        drv_cq_wait(s->d, &s->cq, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, l->wqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, l->used);
        n = MLX5_GET(cqe, cqe, consumed_strides);
        l->used += n;
        len = MLX5_GET(cqe, cqe, mpwqe_byte_cnt);
        g_assert_cmpuint(l->used, <=, 1u << s->log_n);
        if (!MLX5_GET(cqe, cqe, filler)) {
            g_assert_cmpuint(n, ==, DIV_ROUND_UP(len, 1u << s->log_size));
            drv_read(s->d, stride_buf_of(s, l->wqe) +
                     ((uint64_t)(l->used - n) << s->log_size), buf, len);
        }
        if (l->used == 1u << s->log_n) {
            l->wqe = s->next[l->wqe];
            l->used = 0;
        }
        if (!MLX5_GET(cqe, cqe, filler)) {
            return len;
        }
    }
}

static void expect_no_more(Lro *l)
{
    uint8_t cqe[64];

    drv_settle(l->s.d);
    g_assert_false(drv_cq_peek(l->s.d, &l->s.cq, cqe));
}

/* What the completion of segments says, of which the last has PSH. */
static void check_joined(const uint8_t cqe[64], int ip, unsigned segs,
                         const uint8_t *payload, size_t len, bool stripped)
{
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), ==, segs);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_tcppsh), ==, 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_min_ttl), ==, 7);
    g_assert_cmphex(MLX5_GET(cqe, cqe, lro_tcp_win), ==, 0x1234);
    g_assert_cmphex(MLX5_GET(cqe, cqe, lro_ack_seq_num), ==, 0x12345678);
    g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                    naive_sum(payload, len));
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l3_ok), ==, 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l4_ok), ==, 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l3_hdr_type), ==, ip == 4 ? 2 : 1);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, l4_hdr_type), ==, 4);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, cv), ==, stripped);
    g_assert_cmphex(MLX5_GET(cqe, cqe, vlan_info), ==, stripped ? 0x2345 : 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, 0);
}

/* A segment with nobody behind it: a packet like any other. */
static void check_alone(Lro *l, int ip)
{
    g_autofree uint8_t *buf = g_malloc(BATCH);
    FrameSpec s = rig_spec(ip, 6, 1000);
    Frame f = frame_build(&s);
    uint8_t cqe[64];
    size_t len;

    drv_wire_send(l->s.d, f.data, f.len);
    len = next_packet(l, cqe, buf);
    g_assert_cmpmem(buf, len, f.data, f.len);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), ==, 0);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_ack_seq_num), ==, 0);
    g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                    naive_sum(f.data + 14, f.len - 14));
    frame_free(&f);
}

/*
 * Every field of the completion, with IPv4 and IPv6, a VLAN tag that is
 * stripped, stays, or is not there; and those of a packet that stays alone.
 */
static void test_cqe(void)
{
    enum { N = 7, MSS = 1001 };
    static const struct {
        const char *name;
        int ip;
        unsigned vlan;
        bool strip;
    } rows[] = {
        { "IPv4", 4, 0, true },
        { "IPv6", 6, 0, true },
        { "stripped", 4, 0x8100, true },
        { "kept", 6, 0x8100, false },
        { "a service tag", 4, 0x88a8, true },
    };
    g_autofree uint8_t *buf = g_malloc(BATCH);
    unsigned i, j;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree uint8_t *payload = g_malloc(N * MSS);
        bool stripped = rows[i].strip && rows[i].vlan == 0x8100;
        unsigned last = MSS - 13, hdr;
        Frame first = { 0 };
        uint8_t cqe[64];
        size_t len;
        Lro l;

        g_test_message("%s", rows[i].name);
        lro_rig(&l, rows[i].strip);
        frame_random_bytes(payload, N * MSS);
        for (j = 0; j < N; j++) {
            FrameSpec s = rig_spec(rows[i].ip, 6, j < N - 1 ? MSS : last);
            Frame f;

            s.n_vlan = rows[i].vlan != 0;
            s.tpid[0] = rows[i].vlan;
            s.tci[0] = 0x2345;
            s.seq += j * MSS;
            s.ip_id += j;
            s.ttl = 7;
            s.tcp_flags |= j == N - 1 ? 0x08 : 0;
            s.payload = payload + j * MSS;
            f = frame_build(&s);
            batch_add(l.batch, &f);
            if (j) {
                frame_free(&f);
            } else {
                first = f;
            }
        }
        batch_send(l.s.d, l.batch);
        len = next_packet(&l, cqe, buf);
        hdr = first.payload - (stripped ? 4 : 0);
        g_assert_cmpuint(len, ==, hdr + (N - 1) * MSS + last);
        check_joined(cqe, rows[i].ip, N, payload, (N - 1) * MSS + last,
                     stripped);
        /* The header in memory is that of the first, and so is its length. */
        if (stripped) {
            memmove(first.data + 12, first.data + 16, first.len - 16);
        }
        g_assert_cmpmem(buf, hdr, first.data, hdr);
        g_assert_cmpmem(buf + hdr, len - hdr, payload, len - hdr);
        g_assert_cmpuint(drv_counter(l.s.d, "rx_lro_packets"), ==, 1);
        g_assert_cmpuint(drv_counter(l.s.d, "rx_lro_segments"), ==, N);
        frame_free(&first);
        check_alone(&l, rows[i].ip);
        g_assert_cmpuint(drv_counter(l.s.d, "rx_lro_packets"), ==, 1);
        expect_no_more(&l);
        lro_end(&l);
    }
}

/* A stream of the random test; flows are told apart by their ports. */
typedef struct Flow {
    GByteArray *sent, *got;
    uint32_t seq;
    uint16_t id;
} Flow;

/* What came to memory, by flow; a joined packet counts its segments. */
static unsigned receive_all(Lro *l, Flow *flow, unsigned n, unsigned *joined)
{
    g_autofree uint8_t *buf = g_malloc(BATCH);
    unsigned segs = 0;
    uint8_t cqe[64];

    while (segs < n) {
        size_t len = next_packet(l, cqe, buf);
        unsigned num = MLX5_GET(cqe, cqe, lro_num_seg);

        segs += MAX(num, 1);
        *joined += num > 1;
        g_assert_cmpuint(len, >=, FLOW_HLEN);
        if (buf[14 + 9] == 6) {
            unsigned sport = lduw_be_p(buf + 14 + 20);
            unsigned end = num ? len : 14 + lduw_be_p(buf + 14 + 2);

            g_assert_cmpuint(sport, <, MAX_FLOWS);
            g_byte_array_append(flow[sport].got, buf + FLOW_HLEN,
                                end - FLOW_HLEN);
        }
    }
    g_assert_cmpuint(segs, ==, n);
    return segs;
}

static void flows_new(Flow *flow)
{
    unsigned i;

    for (i = 0; i < MAX_FLOWS; i++) {
        flow[i] = (Flow) { .sent = g_byte_array_new(),
                           .got = g_byte_array_new(),
                           .seq = g_test_rand_int() };
    }
}

static void flows_end(Flow *flow)
{
    unsigned i;

    for (i = 0; i < MAX_FLOWS; i++) {
        g_assert_cmpmem(flow[i].got->data, flow[i].got->len,
                        flow[i].sent->data, flow[i].sent->len);
        g_byte_array_free(flow[i].sent, TRUE);
        g_byte_array_free(flow[i].got, TRUE);
    }
}

/* The next packet of a flow. */
static void flow_add(Lro *l, Flow *flow, unsigned i, unsigned len,
                     uint16_t flags)
{
    FrameSpec s = rig_spec(4, 6, len);
    g_autofree uint8_t *payload = g_malloc(len + 1);
    Frame f;

    frame_random_bytes(payload, len);
    s.sport = i;
    s.seq = flow[i].seq;
    s.ip_id = flow[i].id++;
    s.payload = payload;
    s.tcp_flags |= flags;
    s.pad = len < 6 ? 6 - len : 0;
    f = frame_build(&s);
    batch_add(l->batch, &f);
    g_byte_array_append(flow[i].sent, payload, len);
    flow[i].seq += len;
    frame_free(&f);
}

/*
 * Batches of several connections, with all that ends a session, and packets
 * that are none of them: every byte arrives, and no packet overtakes another of
 * its connection.
 */
static void test_order(void)
{
    unsigned round, joined = 0, total = 0, n, i;
    Flow flow[MAX_FLOWS];
    FrameSpec udp = rig_spec(4, 17, 30);
    Frame other = frame_build(&udp);
    Lro l;

    lro_rig(&l, false);
    flows_new(flow);
    for (round = 0; round < 60; round++) {
        unsigned flows = g_test_rand_int_range(1, 7);

        n = g_test_rand_int_range(1, 30);
        for (i = 0; i < n; i++) {
            if (g_test_rand_int_range(0, 12)) {
                flow_add(&l, flow, g_test_rand_int_range(0, flows),
                         g_test_rand_int_range(0, 5) ? 1200 :
                         g_test_rand_int_range(0, 1400),
                         frame_pick(0, 0, 0, 0, 0, 0, 0, 8, 1));
            } else {
                batch_add(l.batch, &other);
            }
        }
        batch_send(l.s.d, l.batch);
        total += receive_all(&l, flow, n, &joined);
        expect_no_more(&l);
        /* as many WQEs as were used up */
        while (l.wqe != (l.s.rq.pc - 20) % (1 << LOG_WQES)) {
            stride_post(&l.s, 1);
        }
    }
    g_test_message("%u packets, %u joined of several", total, joined);
    g_assert_cmpuint(joined, >, 50);
    g_assert_cmpuint(drv_counter(l.s.d, "rx_lro_packets"), ==, joined);
    g_assert_cmpuint(drv_counter(l.s.d, "rx_out_of_buffer"), ==, 0);
    flows_end(flow);
    frame_free(&other);
    lro_end(&l);
}

/*
 * More connections than are held at once: the oldest gives way, and nothing is
 * lost. The first of each come in order.
 */
static void test_many(void)
{
    Flow flow[MAX_FLOWS];
    unsigned i, j, joined = 0;
    Lro l;

    lro_rig(&l, false);
    flows_new(flow);
    for (j = 0; j < 2; j++) {
        for (i = 0; i < MAX_FLOWS; i++) {
            flow_add(&l, flow, i, 500, 0);
        }
    }
    batch_send(l.s.d, l.batch);
    receive_all(&l, flow, 2 * MAX_FLOWS, &joined);
    expect_no_more(&l);
    flows_end(flow);
    /* all had given way before their second packet came */
    g_assert_cmpuint(joined, ==, 0);
    flows_new(flow);
    for (j = 0; j < 3; j++) {
        for (i = 0; i < 16; i++) {
            flow_add(&l, flow, i, 500, 0);
        }
    }
    batch_send(l.s.d, l.batch);
    receive_all(&l, flow, 3 * 16, &joined);
    g_assert_cmpuint(joined, ==, 16);
    flows_end(flow);
    lro_end(&l);
}

/*
 * WQEs run out: what is held has one to go to, whatever else arrives, and what
 * finds none waits and is not lost.
 */
static void test_short(void)
{
    unsigned wqes, i, joined, n;
    Flow flow[MAX_FLOWS];
    Lro l;

    for (wqes = 1; wqes < 5; wqes++) {
        lro_rig_with(&l, 3, false, ""); /* of 2 KiB */
        flows_new(flow);
        stride_post(&l.s, wqes);
        for (i = n = 0; i < 12; i++, n++) {
            flow_add(&l, flow, i % 3, 700, 0);
        }
        joined = 0;
        batch_send(l.s.d, l.batch);
        DRV_WAIT(drv_counter(l.s.d, "rx_held") > 0);
        for (i = 0; i < 12; i++) {
            stride_post(&l.s, 1);
            drv_cq_arm(l.s.d, &l.s.cq, false);
        }
        receive_all(&l, flow, n, &joined);
        g_assert_cmpuint(drv_counter(l.s.d, "rx_out_of_buffer"), ==, 0);
        flows_end(flow);
        lro_end(&l);
    }
}

/* One WQE is the limit, and so is what the TIR says. */
static void test_limits(void)
{
    static const struct {
        unsigned log_n, size, len, segs;
    } rows[] = {
        { 3, 255, 500, 3 },   /* 2 KiB */
        { 4, 255, 1000, 4 },  /* 4 KiB */
        { 8, 8, 500, 4 },     /* 2 KiB behind the IP header */
        { 8, 1, 500, 0 },     /* less than one */
        { 8, 255, 1400, 40 }, /* all there are */
    };
    g_autofree uint8_t *buf = g_malloc(BATCH);
    unsigned i, j, n = 40;
    uint8_t cqe[64];

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Flow flow[MAX_FLOWS];
        Lro l;

        g_test_message("row %u", i);
        lro_rig_with(&l, rows[i].log_n, false, "");
        stride_post(&l.s, 30);
        merge(l.s.d, l.tirn, MERGE_IPV4, rows[i].size);
        flows_new(flow);
        for (j = 0; j < n; j++) {
            flow_add(&l, flow, 3, rows[i].len, 0);
        }
        batch_send(l.s.d, l.batch);
        for (j = n; j >= MAX(rows[i].segs, 1); j -= MAX(rows[i].segs, 1)) {
            next_packet(&l, cqe, buf);
            g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), ==, rows[i].segs);
        }
        flow[3].got->len = 0; /* not looked at here */
        g_byte_array_set_size(flow[3].sent, 0);
        flows_end(flow);
        g_byte_array_free(l.batch, TRUE);
        drv_stop(l.s.d);
    }
}

/* Sends four packets that could be joined; expects @n completions. */
static void four_make(Lro *l, unsigned n, const char *what)
{
    Flow flow[MAX_FLOWS];
    unsigned i, joined = 0;

    g_test_message("%s", what);
    flows_new(flow);
    for (i = 0; i < 4; i++) {
        flow_add(l, flow, 1, 300, 0);
    }
    batch_send(l->s.d, l->batch);
    receive_all(l, flow, 4, &joined);
    g_assert_cmpuint(joined, ==, n == 1);
    expect_no_more(l);
    flows_end(flow);
}

/* MODIFY_TIR and QUERY_TIR, and what they and CREATE_TIR refuse. */
static void test_tir(void)
{
    static const struct {
        const char *props;
        unsigned mask, size;
        Mlx5Syndrome syn;
    } rows[] = {
        { "", MERGE_IPV4, 255, MLX5_OK },
        { "", MERGE_IPV4 | MERGE_IPV6, 1, MLX5_OK },
        { "", MERGE_IPV4, 0, MLX5_SYN_TIR_LRO_SIZE },
        { "", 4, 255, MLX5_SYN_TIR_LRO },
        { "", 9, 255, MLX5_SYN_TIR_LRO },
        { ",lro=off", MERGE_IPV6, 255, MLX5_SYN_TIR_LRO },
        { ",striding-rq=off", MERGE_IPV6, 255, MLX5_SYN_TIR_LRO },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *props = g_strconcat(",striding-rq=on,lro=on",
                                             rows[i].props, NULL);
        g_autofree uint8_t *create = NULL, *modify = NULL;
        uint8_t query[16] = { 0 }, out[272];
        uint32_t len, tirn;
        DrvEq eq;
        DrvCq cq;
        DrvRq rq;
        Drv *d = drv_start_up(props);

        g_test_message("row %u", i);
        drv_eq_create(d, &eq, 6, 0, 0);
        drv_cq_create(d, &cq, 4, eq.eqn);
        drv_rq_create(d, &rq, 4, 4, &cq, 0, false);
        tirn = drv_tir_direct(d, rq.rqn);
        modify = merge_cmd(tirn, rows[i].mask, rows[i].size);
        create = drv_tir_cmd(d, rq.rqn, &len);
        MLX5_SET(tirc, create + CTX, packet_merge_mask, rows[i].mask);
        MLX5_SET(tirc, create + CTX, lro_max_ip_payload_size, rows[i].size);
        if (rows[i].syn) {
            drv_cmd_fails(d, modify, 272, 16, MLX5_STATUS_BAD_PARAM,
                          rows[i].syn);
            drv_cmd_fails(d, create, len, 16, MLX5_STATUS_BAD_PARAM,
                          rows[i].syn);
        } else {
            drv_create(d, create, len);
            drv_cmd_ok(d, modify, 272, NULL, 16);
            MLX5_SET(cmd_in, query, opcode, OP_QUERY_TIR);
            MLX5_SET(modify_tir_in, query, tirn, tirn);
            drv_cmd_ok(d, query, sizeof(query), out, sizeof(out));
            g_assert_cmpuint(MLX5_GET(tirc, out + CTX, packet_merge_mask), ==,
                             rows[i].mask);
            g_assert_cmpuint(MLX5_GET(tirc, out + CTX,
                                      lro_max_ip_payload_size), ==,
                             rows[i].size);
            g_assert_cmpuint(MLX5_GET(tirc, out + CTX,
                                      lro_timeout_period_usecs), ==, 32);
            g_assert_cmphex(MLX5_GET(tirc, out + CTX, inline_rqn), ==, rq.rqn);
        }
        drv_stop(d);
    }
}

/* Switched on, off, for one IP version, and for a queue that is reset. */
static void test_switch(void)
{
    Lro l;

    lro_rig(&l, false);
    four_make(&l, 1, "on");
    merge(l.s.d, l.tirn, 0, 0);
    four_make(&l, 4, "off");
    merge(l.s.d, l.tirn, MERGE_IPV6, 255);
    four_make(&l, 4, "IPv6 alone");
    merge(l.s.d, l.tirn, MERGE_IPV4, 255);
    four_make(&l, 1, "IPv4 alone");
    lro_end(&l);
}

/* A cyclic queue takes each packet as it came. */
static void test_cyclic(void)
{
    g_autofree uint8_t *buf = g_malloc(RX_RIG_BUF);
    GByteArray *batch = g_byte_array_new();
    Frame f[4];
    RxRig r;
    unsigned i;

    rx_rig(&r, ",striding-rq=on,lro=on", false, 0);
    merge(r.d, r.tir, MERGE_IPV4 | MERGE_IPV6, 255);
    rx_rig_fill(&r, 8);
    for (i = 0; i < G_N_ELEMENTS(f); i++) {
        FrameSpec s = rig_spec(4, 6, 300);

        s.seq += i * 300;
        f[i] = frame_build(&s);
        batch_add(batch, &f[i]);
    }
    batch_send(r.d, batch);
    for (i = 0; i < G_N_ELEMENTS(f); i++) {
        uint8_t cqe[64];

        drv_cq_wait(r.d, &r.cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), ==, 0);
        drv_read(r.d, rx_rig_buf(&r, i), buf, f[i].len);
        g_assert_cmpmem(buf, f[i].len, f[i].data, f[i].len);
        frame_free(&f[i]);
    }
    g_byte_array_free(batch, TRUE);
    drv_stop(r.d);
}

/*
 * A TIR with a TLS context, to the same queue: even what it does not decrypt
 * stays apart, and does not overtake what was joined before.
 */
static void test_tls(void)
{
    Flow flow[MAX_FLOWS];
    uint32_t len;
    g_autofree uint8_t *in = NULL;
    unsigned i, joined = 0;
    uint32_t tls;
    Lro l;

    lro_rig(&l, false);
    in = drv_tir_cmd(l.s.d, l.s.rq.rqn, &len);
    MLX5_SET(tirc, in + CTX, tls_en, 1);
    MLX5_SET(tirc, in + CTX, packet_merge_mask, MERGE_IPV4 | MERGE_IPV6);
    MLX5_SET(tirc, in + CTX, lro_max_ip_payload_size, 255);
    tls = drv_create(l.s.d, in, len);
    four_make(&l, 1, "no TLS");
    drv_unsteer(l.s.d, &l.s.st);
    drv_steer_all(l.s.d, &l.s.st, tls, 0);
    four_make(&l, 4, "TLS");
    merge(l.s.d, tls, MERGE_IPV4, 255);
    four_make(&l, 4, "TLS, asked again");
    flows_new(flow);
    for (i = 0; i < 20; i++) {
        flow_add(&l, flow, i % 3, 400, 0);
    }
    batch_send(l.s.d, l.batch);
    receive_all(&l, flow, 20, &joined);
    g_assert_cmpuint(joined, ==, 0);
    flows_end(flow);
    lro_end(&l);
}

/* A queue that fails while packets are held for it: they are counted. */
static void test_failing(void)
{
    Flow flow[MAX_FLOWS];
    uint8_t cqe[64];
    unsigned i;
    Lro l;

    lro_rig(&l, false);
    flows_new(flow);
    stride_put_seg(&l.s, 0, l.s.d->lkey + 0x100, 0, BATCH);
    for (i = 0; i < 9; i++) {
        flow_add(&l, flow, i % 3, 400, 0);
    }
    batch_send(l.s.d, l.batch);
    drv_cq_wait(l.s.d, &l.s.cq, cqe);
    g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP_ERR);
    g_assert_cmphex(MLX5_GET(cqe, cqe, syndrome), ==, 0x04);
    expect_no_more(&l);
    g_assert_cmpuint(drv_rq_state(l.s.d, &l.s.rq), ==, DRV_ERR);
    g_assert_cmpuint(drv_counter(l.s.d, "rx_no_queue"), ==, 6);
    for (i = 0; i < 3; i++) {
        g_byte_array_set_size(flow[i].sent, 0);
    }
    flows_end(flow);
    lro_end(&l);
}

/*
 * The queue is reset as packets arrive, whenever that is: what is held arrives
 * before, or goes; nothing stays behind for the queue as it is then.
 */
static void test_torn(void)
{
    uint8_t cqe[64];
    unsigned i, j;
    Lro l;

    lro_rig(&l, false);
    for (i = 0; i < 40; i++) {
        Flow flow[MAX_FLOWS];

        flows_new(flow);
        for (j = 0; j < 30; j++) {
            flow_add(&l, flow, j % 3, 400, 0);
        }
        batch_send(l.s.d, l.batch);
        g_assert_cmphex(drv_rq_modify(l.s.d, &l.s.rq, DRV_RDY, DRV_ERR).status,
                        ==, 0);
        g_assert_cmphex(drv_rq_modify(l.s.d, &l.s.rq, DRV_ERR, DRV_RST).status,
                        ==, 0);
        DRV_WAIT(drv_counter(l.s.d, "rx_unicast_packets") == (i + 1) * 34 - 4);
        while (drv_cq_poll(l.s.d, &l.s.cq, cqe)) {
            g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        }
        for (j = 0; j < 3; j++) {
            g_byte_array_set_size(flow[j].sent, 0);
        }
        flows_end(flow);
        stride_put_ring(&l.s);
        l.s.rq.pc = l.wqe = l.used = 0;
        stride_post(&l.s, 20);
        g_assert_cmphex(drv_rq_modify(l.s.d, &l.s.rq, DRV_RST, DRV_RDY).status,
                        ==, 0);
        four_make(&l, 1, "after it");
    }
    lro_end(&l);
}

void mlx5_lro_tests(void)
{
    qtest_add_func("mlx5-ktls/lro/cqe", test_cqe);
    qtest_add_func("mlx5-ktls/lro/order", test_order);
    qtest_add_func("mlx5-ktls/lro/many", test_many);
    qtest_add_func("mlx5-ktls/lro/short", test_short);
    qtest_add_func("mlx5-ktls/lro/limits", test_limits);
    qtest_add_func("mlx5-ktls/lro/tir", test_tir);
    qtest_add_func("mlx5-ktls/lro/switch", test_switch);
    qtest_add_func("mlx5-ktls/lro/cyclic", test_cyclic);
    qtest_add_func("mlx5-ktls/lro/tls", test_tls);
    qtest_add_func("mlx5-ktls/lro/failing", test_failing);
    qtest_add_func("mlx5-ktls/lro/torn", test_torn);
}
