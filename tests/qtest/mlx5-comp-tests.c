/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of compressed CQEs: where everything is in the ring, what is compressed
 * with what, and what never is. Own no state.
 */
#include "mlx5-comp-rig.h"
#include "mlx5-tls-rx-rig.h"
#include "mlx5-tests.h"

#define NOWHERE (1ull << 40) /* an address without memory */

enum { FILLED = 32 }; /* of test_random() */

/* --------------------------------------------------------------- tests --- */

/* Where everything is in the ring, for sessions of each length. */
static void test_basic_layout(void)
{
    static const unsigned lengths[] = { 1, 2, 7, 8, 9, 16, 17, 63, 64, 65, 70 };
    unsigned i, j, at = 0;
    Comp c;

    comp_rig(&c, true, STRIDX, BASIC);
    post(&c, 15 << LOG_N);
    for (i = 0; i < G_N_ELEMENTS(lengths); i++) {
        unsigned n = lengths[i], ci = c.s.cq.ci, rest;
        g_autofree Frame *f = g_new(Frame, n);
        uint8_t cqe[64];

        for (j = 0; j < n; j++) {
            f[j] = udp(4, 18 + j);
        }
        /* A WQE ends a session: each burst begins with a new one. */
        while (at & ((1 << LOG_N) - 1)) {
            send_burst(c.s.d, f, 1);
            expect_frame_at(&c, &f[0], at++);
            ci++;
        }
        send_burst(c.s.d, f, n);
        rest = n > SESSION ? n - SESSION : 0;
        DRV_WAIT(valid(&c, cqe));
        g_test_message("%u", n);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, opcode), ==, CQE_RESP);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, format), ==,
                         n == 1 ? 0 : FMT_COMPRESSED);
        if (n > 1) {
            g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, n - rest);
        }
        for (j = 0; n > 1 && j < n - rest; j++) {
            uint8_t mini[8];

            drv_read(c.s.d, entry(&c, ci + (j < 8 ? 1 : j & ~7u)) + j % 8 * 8,
                     mini, 8);
            g_assert_cmphex(mlx5_ld32(mini), ==,
                            (uint32_t)naive_sum(f[j].data + 14, f[j].len - 14)
                            << 16 | j);
            g_assert_cmphex(mlx5_ld32(mini + 4), ==, 1 << 16 | f[j].len);
        }
        for (j = 0; j < n; j++) {
            expect_frame_at(&c, &f[j], at++);
            frame_free(&f[j]);
        }
        g_assert_cmpuint(c.s.cq.ci, ==, ci + n);
    }
    drv_stop(c.s.d);
}

/* The enhanced layout: a title, then seven for an entry. */
static void test_enhanced_layout(void)
{
    unsigned i, at = 0;
    Frame f[16];
    uint8_t cqe[64];
    Comp c;

    comp_rig(&c, true, STRIDX, ENHANCED);
    post(&c, 1 << LOG_N);
    for (i = 0; i < 16; i++) {
        f[i] = udp(4, 18 + i);
    }
    send_burst(c.s.d, f, 16);
    for (i = 0; i < 16; i++) {
        expect_frame_at(&c, &f[i], at++);
    }
    /* 1 + 7 + 7 + 1, and the last has nobody with whom to be compressed. */
    g_assert_cmpuint(c.blocks, ==, 2);
    g_assert_cmpuint(c.minis, ==, 14);
    for (i = 0; i < 16; i++) {
        drv_read(c.s.d, entry(&c, i), cqe, 64);
        g_assert_cmphex(cqe[VALID_BYTE], ==, 0);
        if (i == 1 || i == 8) {
            g_assert_cmphex(cqe[OWN_BYTE], ==, 6 << 4 | FMT_COMPRESSED << 2);
            g_assert_cmphex(mlx5_ld32(cqe + 52), ==, 1 << 16 | f[i + 6].len);
        } else if (i == 0 || i == 15) {
            g_assert_cmphex(cqe[OWN_BYTE], ==, CQE_RESP << 4);
        } else {
            g_assert_cmphex(cqe[OWN_BYTE], ==, 0xff); /* as it was */
        }
    }
    /* The next burst goes on with the same title. */
    send_burst(c.s.d, f, 8);
    for (i = 0; i < 8; i++) {
        expect_frame_at(&c, &f[i], at++);
    }
    g_assert_cmpuint(c.blocks, ==, 3);
    g_assert_cmpuint(c.minis, ==, 21);
    for (i = 0; i < 16; i++) {
        frame_free(&f[i]);
    }
    drv_stop(c.s.d);
}

/*
 * Bursts of all lengths with packets of two kinds, over hundreds of rounds of a
 * small ring, as the reader has them. @data: a combination of all there is;
 * with FILLED what has no name is random.
 */
static void test_random(const void *data)
{
    enum { LOG_CQ = 4 };
    unsigned what = GPOINTER_TO_UINT(data), at = 0, n, i, bursts;
    static const Format formats[] = { HASH, CSUM, STRIDX };
    const char *props = what & FILLED ? ",fill-reserved=random" : "";
    Comp c;

    comp_rig_with(&c, what & 1, formats[(what & ~FILLED) / 4],
                  what & 2 ? ENHANCED : BASIC, LOG_CQ, props);
    post(&c, 15 << LOG_N);
    for (bursts = 0; bursts < 480; bursts++) {
        Frame f[1 << LOG_CQ];

        n = g_test_rand_bit() ? 1 << LOG_CQ :
                                g_test_rand_int_range(1, 1 + (1 << LOG_CQ));
        for (i = 0; i < n; i++) {
            f[i] = udp(g_test_rand_int_range(0, 8) ? 4 : 6,
                       g_test_rand_int_range(18, 400));
        }
        send_burst(c.s.d, f, n);
        for (i = 0; i < n; i++) {
            expect_frame_at(&c, &f[i], at++);
            frame_free(&f[i]);
            if (!c.striding) {
                post(&c, 1);
            } else if (!(at & ((1 << LOG_N) - 1))) {
                /* The WQE that is done becomes the end of the list. */
                unsigned done = ((at >> LOG_N) - 1) & ((1 << LOG_WQES) - 1);

                stride_put_link(&c.s, c.s.last, done);
                c.s.last = done;
                stride_post(&c.s, 1);
            }
        }
    }
    g_test_message("%u CQEs, %u blocks, %u in them", at, c.blocks, c.minis);
    g_assert_cmpuint(c.blocks, >, 300);
    g_assert_cmpuint(c.minis, >, c.blocks * 2);
    g_assert_cmpuint(at >> LOG_CQ, >, 256); /* rounds */
    drv_stop(c.s.d);
}

/* Gives the queue a TLS connection, and the first record of its stream. */
static void comp_tls(Stride *s, TlsRx *t)
{
    t->d = s->d;
    drv_cq_create(t->d, &t->sq_cq, 6, s->eq.eqn);
    drv_sq_create(t->d, &t->sq, 6, &t->sq_cq, 0);
    tls_conn(&t->c, 0, 1);
    t->seq0 = t->c.seq;
    t->dek = drv_dek_create(t->d, t->c.key, t->c.key_len);
    t->tirn = drv_tir_tls(t->d, s->rq.rqn);
    drv_unsteer(s->d, &s->st);
    drv_steer_all(t->d, &s->st, t->tirn, 0);
    t->wire = g_byte_array_new();
    t->plain = g_byte_array_new();
    rx_post_static(t, t->c.rec_no, 0);
    rx_post_progress(t, t->seq0);
    rx_record(t, 16384);
}

/*
 * Segments of a TLS connection with other packets between them, in one burst:
 * a CQE with a verdict is in no session, and all are in the order of arrival.
 */
static void test_tls(const void *data)
{
    /* D data, A no payload, L as D but the one before it is lost, U UDP */
    static const char kinds[] = "UUUDUDDDDAAAUUDDUULDDUUDUU";
    enum { MSS = 600, N = sizeof(kinds) - 1 };
    Layout layout = GPOINTER_TO_UINT(data);
    unsigned i, verdicts[4] = { 0 }, packed = 0;
    size_t at = 0;
    Frame f[N];
    Comp c;
    TlsRx t = { 0 };
    Stride *s = &c.s;

    comp_rig_with(&c, true, STRIDX, layout, 10, ",strict=on");
    post(&c, 1 << LOG_N);
    comp_tls(s, &t);
    for (i = 0; i < N; i++) {
        size_t n = kinds[i] == 'A' ? 0 : MSS;
        FrameSpec spec;

        if (kinds[i] == 'U') {
            f[i] = udp(4, 40 + i);
            continue;
        }
        at += kinds[i] == 'L' ? MSS : 0;
        spec = rx_segment(&t, at, n);
        f[i] = frame_build(&spec);
        at += n;
    }
    send_burst(t.d, f, N);
    for (i = 0; i < N; i++) {
        g_autofree uint8_t *got = g_malloc(f[i].len);
        g_autofree uint8_t *want = g_memdup2(f[i].data, f[i].len);
        uint8_t cqe[64];
        unsigned flag;

        wait_cqe(&c, cqe);
        flag = MLX5_GET(cqe, cqe, tls_offload);
        g_test_message("%u, %c: flag %u, %s", i, kinds[i], flag,
                       c.packed ? "compressed" : "alone");
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, i);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, f[i].len);
        g_assert_false(c.packed && flag);
        packed += c.packed;
        if (kinds[i] != 'U') {
            verdicts[flag]++;
        } else {
            g_assert_cmpuint(flag, ==, NOT_DECRYPTED);
        }
        if (flag == DECRYPTED) {
            size_t off = mlx5_ld32(want + f[i].l4 + 4) - t.seq0;

            memcpy(want + f[i].payload, t.plain->data + off, MSS);
        }
        drv_read(t.d, stride_buf_of(s, 0) + ((uint64_t)i << LOG_SIZE), got,
                 f[i].len);
        g_assert_cmpmem(got, f[i].len, want, f[i].len);
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        naive_sum(want + 14, f[i].len - 14));
    }
    for (i = 0; i < N; i++) {
        frame_free(&f[i]);
    }
    /* All before the loss is decrypted, nothing behind it. */
    g_assert_cmpuint(verdicts[DECRYPTED], ==, 7);
    g_assert_cmpuint(verdicts[NOT_DECRYPTED], ==, 3 + 4);
    /* Enhanced, the first of a run is the plain title. */
    g_assert_cmpuint(packed, ==, layout == BASIC ? 17 : 6);
    rx_stop(&t);
}

/*
 * Packets that LRO joins between others on the same CQ: what is said of joined
 * segments is of them alone, and the sessions before and behind are closed.
 */
static void test_lro(const void *data)
{
    enum { MSS = 900, SEGS = 4 * 2 + 1 };
    /* J, j: two segments that are joined; U: UDP; T: held to the end */
    static const char kinds[] = "UUUJjUUUUJjJjJjUUTUU";
    Layout layout = GPOINTER_TO_UINT(data);
    g_autofree uint8_t *stream = g_malloc(SEGS * MSS);
    g_autoptr(GByteArray) all = g_byte_array_new();
    GByteArray *want[32];
    unsigned i, j, n = 0, used = 0, packed = 0, joined = 0;
    GByteArray *late = NULL;
    Comp c;

    comp_rig_with(&c, true, STRIDX, layout, 10, ",lro=on");
    merge(c.s.d, c.s.tirn, MERGE_IPV4, 255);
    post(&c, 8 << LOG_N);
    frame_random_bytes(stream, SEGS * MSS);
    for (i = 0, j = 0; kinds[i]; i++) {
        GByteArray *w = g_byte_array_new();
        Frame f;

        if (kinds[i] == 'U') {
            f = udp(4, 40 + i);
        } else {
            FrameSpec spec = rig_spec(4, 6, MSS);

            spec.seq = 1000 + j * MSS;
            spec.ip_id = j;
            spec.payload = stream + j++ * MSS;
            spec.sport = kinds[i] == 'T' ? 7 : 6;
            spec.tcp_flags |= kinds[i] == 'j' ? 0x08 : 0;
            f = frame_build(&spec);
        }
        batch_add(all, &f);
        if (kinds[i] == 'j') {
            g_byte_array_append(want[n - 1], f.data + f.payload, MSS);
            g_byte_array_unref(w);
        } else {
            g_byte_array_append(w, f.data, f.len);
            if (kinds[i] == 'T') {
                late = w;
            } else {
                want[n++] = w;
            }
        }
        frame_free(&f);
    }
    want[n++] = late;
    batch_send(c.s.d, all);
    for (i = 0; i < n; i++) {
        unsigned len = want[i]->len, strides;
        g_autofree uint8_t *got = g_malloc(len);
        bool two = len > 2 * MSS;
        uint8_t cqe[64];

        wait_cqe(&c, cqe);
        strides = MLX5_GET(cqe, cqe, consumed_strides);
        g_test_message("%u: %u bytes, %s", i, len,
                       c.packed ? "compressed" : "alone");
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, 0);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, used);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, mpwqe_byte_cnt), ==, len);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, lro_num_seg), ==, two ? 2 : 0);
        g_assert_cmphex(MLX5_GET(cqe, cqe, lro_tcp_win), ==,
                        two ? 0x1234 : 0);
        drv_read(c.s.d, stride_buf_of(&c.s, 0) + ((uint64_t)used << LOG_SIZE),
                 got, len);
        g_assert_cmpmem(got, len, want[i]->data, len);
        g_assert_cmphex(MLX5_GET(cqe, cqe, check_sum), ==,
                        two ? naive_sum(got + len - 2 * MSS, 2 * MSS) :
                              naive_sum(got + 14, len - 14));
        g_assert_false(two && c.packed);
        used += strides;
        packed += c.packed;
        joined += two;
        g_byte_array_unref(want[i]);
    }
    g_assert_cmpuint(joined, ==, 4);
    g_assert_cmpuint(packed, ==, layout == BASIC ? 11 : 8);
    drv_stop(c.s.d);
}

/* Sessions over the end of the ring: where everything is, and its round. */
static void test_wrap(const void *data)
{
    enum { LOG_CQ = 4, SIZE = 1 << LOG_CQ, AT = 11, N = 14 };
    Layout layout = GPOINTER_TO_UINT(data);
    unsigned i, at = 0;
    uint8_t cqe[64];
    Frame f[N];
    Comp c;

    comp_rig_with(&c, true, STRIDX, layout, LOG_CQ, "");
    post(&c, 1 << LOG_N);
    for (i = 0; i < N; i++) {
        f[i] = udp(4, 18 + i);
    }
    while (at < AT) {
        send_burst(c.s.d, f, 1);
        expect_frame_at(&c, &f[0], at++);
    }
    g_assert_cmpuint(c.blocks, ==, 0);
    send_burst(c.s.d, f, N);
    DRV_WAIT(valid(&c, cqe));
    drv_settle(c.s.d);
    for (i = 0; i < N; i++) {
        unsigned in = layout == ENHANCED ? AT + i / 7 * 7 :
                      i < 8 ? AT + 1 : AT + 8;
        unsigned slot = layout == ENHANCED ? i % 7 : i % 8;
        uint8_t mini[8];

        drv_read(c.s.d, entry(&c, in) + slot * 8, mini, 8);
        g_assert_cmphex(mlx5_ld32(mini), ==,
                        (uint32_t)naive_sum(f[i].data + 14, f[i].len - 14)
                        << 16 | (at + i));
        /* behind the seventh is the entry's round, in the enhanced layout */
        g_assert_cmphex(mlx5_ld32(mini + 4), ==, 1 << 16 | f[i].len);
    }
    drv_read(c.s.d, entry(&c, AT), cqe, 64);
    if (layout == BASIC) {
        g_assert_cmphex(cqe[OWN_BYTE], ==, CQE_RESP << 4 | FMT_COMPRESSED << 2);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, N);
    } else {
        g_assert_cmphex(cqe[OWN_BYTE], ==, 6 << 4 | FMT_COMPRESSED << 2);
        drv_read(c.s.d, entry(&c, AT + 7), cqe, 64);
        g_assert_cmphex(cqe[OWN_BYTE], ==, 6 << 4 | FMT_COMPRESSED << 2 | 1);
        for (i = 0; i < SIZE; i++) {
            drv_read(c.s.d, entry(&c, i), cqe, 64);
            g_assert_cmphex(cqe[VALID_BYTE], ==, i < AT + N - SIZE);
        }
    }
    for (i = 0; i < N; i++) {
        expect_frame_at(&c, &f[i], at++);
    }
    g_assert_cmpuint(c.minis, ==, N);
    g_assert_cmpuint(c.s.cq.ci, ==, AT + N);
    for (i = 0; i < N; i++) {
        frame_free(&f[i]);
    }
    drv_stop(c.s.d);
}

/*
 * An armed CQ, with moderation: one event for a burst, and when it is there,
 * all of the burst is in the ring, with nothing held back.
 */
static void test_events(const void *data)
{
    enum { BURSTS = 12 };
    Layout layout = GPOINTER_TO_UINT(data);
    uint8_t in[272] = { 0 }, eqe[64], cqe[64];
    unsigned i, j, at = 0;
    Frame f[20];
    Comp c;

    comp_rig(&c, false, CSUM, layout);
    MLX5_SET(cmd_in, in, opcode, 0x403);
    MLX5_SET(cmd_id, in, id, c.s.cq.cqn);
    MLX5_SET(modify_cq_in, in, modify_field_select, 0x13);
    MLX5_SET(cqc, in + CQC, cq_period, 1000);
    MLX5_SET(cqc, in + CQC, cq_max_count, 64);
    MLX5_SET(cqc, in + CQC, cq_period_mode, 1);
    drv_cmd_ok(c.s.d, in, sizeof(in), NULL, 16);
    post(&c, 4 << LOG_N);
    for (i = 0; i < 20; i++) {
        f[i] = udp(i == 9 ? 6 : 4, 40 + i); /* which ends a session */
    }
    for (i = 0; i < BURSTS; i++) {
        unsigned n = 1 + i * 19 / (BURSTS - 1);

        drv_cq_arm(c.s.d, &c.s.cq, false);
        send_burst(c.s.d, f, n);
        drv_eq_wait(c.s.d, &c.s.eq, eqe);
        g_assert_cmphex(MLX5_GET(eqe, eqe, event_type), ==, EVENT_COMP);
        g_assert_cmphex(MLX5_GET(eqe_comp, eqe, cqn), ==, c.s.cq.cqn);
        for (j = 0; j < n; j++) {
            g_assert_true(next_cqe(&c, cqe));
            g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_counter), ==, at++);
            g_assert_cmpuint(MLX5_GET(cqe, cqe, byte_cnt), ==, f[j].len);
        }
        drv_settle(c.s.d);
        g_assert_false(next_cqe(&c, cqe));
        g_assert_false(drv_eq_poll(c.s.d, &c.s.eq, eqe));
    }
    g_assert_cmpuint(c.minis, >, at / 2);
    for (i = 0; i < 20; i++) {
        frame_free(&f[i]);
    }
    drv_stop(c.s.d);
}

/* An error CQE and a filler end a session, and are in their place. */
static void test_between(const void *data)
{
    Layout layout = GPOINTER_TO_UINT(data);
    Frame f[7];
    uint8_t cqe[64];
    unsigned i;
    Comp c = { .striding = true, .format = STRIDX, .layout = layout,
               .log_cq = 6,
               .s = { .log_wqes = 3, .log_n = 3, .log_size = 6 } };
    Stride *s = &c.s; /* WQEs of 512 bytes */
    static const struct {
        uint8_t opcode;
        bool filler;
        uint8_t wqe, strides;
    } want[] = {
        { CQE_RESP, false, 0, 2 }, { CQE_RESP, false, 0, 2 },
        { CQE_RESP, false, 0, 2 },
        { CQE_RESP, true, 0, 2 },
        { CQE_RESP, false, 1, 4 },
        { CQE_RESP_ERR, false, 1, 4 },
        { CQE_RESP, false, 2, 2 }, { CQE_RESP, false, 2, 2 },
    };

    s->d = drv_start_up(layout == ENHANCED ? ",cqe-compression=enhanced" : "");
    drv_eq_create(s->d, &s->eq, 6, 0, 0);
    comp_cq(&c);
    stride_queue(s, false);
    stride_post(s, 7);
    for (i = 0; i < 7; i++) {
        f[i] = udp(4, i == 3 ? 200 : i == 4 ? 600 : 80);
    }
    send_burst(s->d, f, 7);
    for (i = 0; i < G_N_ELEMENTS(want); i++) {
        wait_cqe(&c, cqe);
        g_assert_cmphex(MLX5_GET(cqe, cqe, opcode), ==, want[i].opcode);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, filler), ==, want[i].filler);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, wqe_id), ==, want[i].wqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, consumed_strides), ==,
                         want[i].strides);
    }
    g_assert_false(next_cqe(&c, cqe));
    g_assert_cmpuint(c.blocks, ==, layout == BASIC ? 2 : 1);
    for (i = 0; i < 7; i++) {
        frame_free(&f[i]);
    }
    drv_stop(s->d);
}

/* A CQ that is full in the middle of a burst: all before are there. */
static void test_overrun(const void *data)
{
    Layout layout = GPOINTER_TO_UINT(data);
    uint8_t cqe[64], eqe[64];
    unsigned i, at = 0;
    Frame f[12];
    Comp c;

    comp_rig_with(&c, false, CSUM, layout, 3, "");
    post(&c, 1 << LOG_N);
    for (i = 0; i < 12; i++) {
        f[i] = udp(4, 40 + i);
    }
    send_burst(c.s.d, f, 12);
    DRV_WAIT(drv_counter(c.s.d, "rx_cq_error") == 4);
    for (i = 0; i < 8; i++) {
        expect_frame_at(&c, &f[i], at++);
    }
    g_assert_false(next_cqe(&c, cqe));
    g_assert_false(drv_eq_poll(c.s.d, &c.s.eq, eqe)); /* asks for none */
    for (i = 0; i < 12; i++) {
        frame_free(&f[i]);
    }
    drv_stop(c.s.d);
}

/* A ring that is no memory: nothing is written, and nothing breaks. */
static void test_nowhere(void)
{
    unsigned layout, i;

    for (layout = BASIC; layout <= ENHANCED; layout++) {
        Frame f[12];
        uint32_t len;
        uint8_t *in;
        Comp c;

        comp_rig(&c, false, CSUM, layout);
        in = drv_cq_cmd(c.s.d, &c.s.cq, 6, c.s.eq.eqn, &len);
        MLX5_SET(cqc, in + CQC, cqe_comp_en, 1);
        MLX5_SET(cqc, in + CQC, mini_cqe_res_format, CSUM);
        MLX5_SET(cqc, in + CQC, cqe_compression_layout, layout);
        mlx5_st64(in + 0x110, NOWHERE);
        c.s.cq.cqn = drv_create(c.s.d, in, len);
        g_free(in);
        drv_unsteer(c.s.d, &c.s.st);
        drv_rq_create(c.s.d, &c.s.rq, LOG_WQES, 4, &c.s.cq, 0, false);
        drv_steer_all(c.s.d, &c.s.st, drv_tir_direct(c.s.d, c.s.rq.rqn), 0);
        post(&c, 12);
        for (i = 0; i < 12; i++) {
            f[i] = udp(i < 6 ? 4 : 6, 40 + i);
        }
        send_burst(c.s.d, f, 12);
        DRV_WAIT(drv_counter(c.s.d, "rx_unicast_packets") >= 12);
        g_assert_cmphex(drv_rq_modify(c.s.d, &c.s.rq, DRV_RDY, DRV_ERR).status,
                        ==, 0);
        for (i = 0; i < 12; i++) {
            frame_free(&f[i]);
        }
        drv_stop(c.s.d);
    }
}

/* What CREATE_CQ refuses, with each value of the property. */
static void test_refused(void)
{
    static const struct {
        const char *props;
        unsigned format, layout;
        Mlx5Syndrome syndrome;
    } rows[] = {
        { "", HASH, BASIC, MLX5_SYN_OK },
        { "", CSUM, BASIC, MLX5_SYN_OK },
        { "", 2, BASIC, MLX5_SYN_CQ_BAD_MINI_CQE },
        { "", STRIDX, BASIC, MLX5_SYN_OK },
        { "", STRIDX, ENHANCED, MLX5_SYN_CQ_BAD_MINI_CQE },
        { "", STRIDX, 2, MLX5_SYN_CQ_BAD_MINI_CQE },
        { "", STRIDX, 3, MLX5_SYN_CQ_BAD_MINI_CQE },
        { ",cqe-compression=basic", CSUM, BASIC, MLX5_SYN_OK },
        { ",cqe-compression=basic", CSUM, ENHANCED, MLX5_SYN_CQ_BAD_MINI_CQE },
        { ",cqe-compression=enhanced", CSUM, BASIC, MLX5_SYN_OK },
        { ",cqe-compression=enhanced", CSUM, ENHANCED, MLX5_SYN_OK },
        { ",cqe-compression=enhanced", CSUM, 2, MLX5_SYN_CQ_BAD_MINI_CQE },
        { ",cqe-compression=off", CSUM, BASIC, MLX5_SYN_CQ_COMPRESSION },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        Drv *d = drv_start_up(rows[i].props);
        uint8_t *in;
        uint32_t len;
        DrvEq eq;
        DrvCq cq;

        g_test_message("%s %u %u", rows[i].props, rows[i].format,
                       rows[i].layout);
        drv_eq_create(d, &eq, 6, 0, 0);
        in = drv_cq_cmd(d, &cq, 6, eq.eqn, &len);
        MLX5_SET(cqc, in + CQC, cqe_comp_en, 1);
        MLX5_SET(cqc, in + CQC, mini_cqe_res_format, rows[i].format);
        MLX5_SET(cqc, in + CQC, cqe_compression_layout, rows[i].layout);
        if (rows[i].syndrome == MLX5_SYN_OK) {
            drv_create(d, in, len);
        } else {
            drv_cmd_fails(d, in, len, 16, MLX5_STATUS_BAD_PARAM,
                          rows[i].syndrome);
        }
        g_free(in);
        drv_stop(d);
    }
}

void mlx5_comp_tests(void)
{
    static const char *const formats[] = { "hash", "csum", "stridx" };
    static const char *const layouts[] = { "basic", "enhanced" };
    unsigned i;

    qtest_add_func("mlx5-ktls/comp/basic-layout", test_basic_layout);
    qtest_add_func("mlx5-ktls/comp/enhanced-layout", test_enhanced_layout);
    qtest_add_func("mlx5-ktls/comp/nowhere", test_nowhere);
    qtest_add_func("mlx5-ktls/comp/refused", test_refused);
    for (i = 0; i < 12; i++) {
        g_autofree char *name = g_strdup_printf(
            "mlx5-ktls/comp/random-%s-%s-%s", i & 1 ? "striding" : "cyclic",
            formats[i / 4], layouts[i >> 1 & 1]);

        qtest_add_data_func(name, GUINT_TO_POINTER(i), test_random);
    }
    for (i = BASIC; i <= ENHANCED; i++) {
        g_autofree char *filled = g_strdup_printf("mlx5-ktls/comp/filled-%s",
                                                  layouts[i]);
        static const struct {
            const char *name;
            void (*run)(const void *data);
        } tests[] = {
            { "tls", test_tls }, { "lro", test_lro },
            { "between", test_between }, { "wrap", test_wrap },
            { "overrun", test_overrun }, { "events", test_events },
        };
        unsigned j;

        qtest_add_data_func(filled, GUINT_TO_POINTER(9 | i << 1 | FILLED),
                            test_random);
        for (j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *name = g_strdup_printf(
                "mlx5-ktls/comp/%s-%s", tests[j].name, layouts[i]);

            qtest_add_data_func(name, GUINT_TO_POINTER(i), tests[j].run);
        }
    }
}
