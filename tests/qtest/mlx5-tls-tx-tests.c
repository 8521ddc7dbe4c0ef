/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of TLS transmission: golden WQE images, records compared with
 * libcrypto's, for every segmentation, resynchronisation, and that nothing is
 * sent in clear. Owns no state.
 */
#include "mlx5-tests.h"
#include "mlx5-tls-tx-rig.h"

/* -------------------------------------------------------------- golden --- */

static void expect_image(const uint8_t *image, const char *hex)
{
    unsigned i, n = 0;

    for (i = 0; hex[i]; i++) {
        if (g_ascii_isxdigit(hex[i])) {
            unsigned v = g_ascii_xdigit_value(hex[i]) << 4 |
                         g_ascii_xdigit_value(hex[i + 1]);

            g_assert_cmphex(image[n], ==, v);
            n++;
            i++;
        }
    }
}

/* The WQEs that these tests give are bit by bit those that drivers give. */
static void test_golden(void)
{
    TlsConn c = {
        .version = TLS_1_2,
        .iv = { 1, 2, 3, 4, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17 },
        .rec_no = 7,
    };
    DrvSq sq = { .sqn = 0xabc };
    uint8_t p[TLS_STATIC_LEN];
    DrvWqe w;

    tls_static(p, &c, 0x123456, 0);
    expect_image(p, "89000001 00000000 00000000 00000007 00000000 01020304 "
                    "00000000 00000000 00123456 00000000 00000000 00000000 "
                    "00000000 00000000 00000000 00000000");
    c.version = TLS_1_3;
    tls_static(p, &c, 0x123456, 0xdeadbeef);
    expect_image(p, "8d000001 00000000 00000000 00000007 deadbeef 01020304 "
                    "10111213 14151617 00123456 00000000 00000000 00000000");
    drv_wqe_static(&w, &sq, false, 0x77, p, true, false);
    MLX5_SET(wqe_ctrl, w.b, wqe_index, 5);
    MLX5_SET(wqe_ctrl, w.b, ds, w.ds);
    expect_image(w.b, "01000525 000abc0c 00000020 00007700 "
                      "80000000 00000004 00000000 00000000 00000000");
    g_assert_cmpmem(w.b + 128, 64, p, 64);
    g_assert_cmpuint(w.ds * 16, ==, 192);
    drv_wqe_set_psv(&w, &sq, true, 0x55, 0x11223344, false, true);
    MLX5_SET(wqe_ctrl, w.b, wqe_index, 6);
    MLX5_SET(wqe_ctrl, w.b, ds, w.ds);
    expect_image(w.b, "02000620 000abc02 00000008 00000000 "
                      "00000055 11223344 00000000 00000000");
    drv_wqe_get_psv(&w, &sq, 0x55, 0x1234, 0x5678);
    MLX5_SET(wqe_ctrl, w.b, wqe_index, 7);
    MLX5_SET(wqe_ctrl, w.b, ds, w.ds);
    expect_image(w.b, "02000721 000abc04 00000008 00000000 00000000 00000000 "
                      "00000000 00000000 00000010 00001234 00000000 00005678 "
                      "00000055");
}

/* -------------------------------------------------------------- records --- */

/*
 * RFC 8448, section 3: the client's and the server's application data, byte
 * by byte as published.
 */
static void test_rfc8448(void)
{
    static const uint8_t key[16] = {
        0x17, 0x42, 0x2d, 0xda, 0x59, 0x6e, 0xd5, 0xd9,
        0xac, 0xd8, 0x90, 0xe3, 0xc6, 0x3f, 0x50, 0x51,
    };
    static const uint8_t iv[12] = {
        0x5b, 0x78, 0x92, 0x3d, 0xee, 0x08, 0x57, 0x90, 0x33, 0xe5, 0x23,
        0xd9,
    };
    static const uint8_t record[72] = {
        0x17, 0x03, 0x03, 0x00, 0x43, 0xa2, 0x3f, 0x70, 0x54, 0xb6, 0x2c,
        0x94, 0xd0, 0xaf, 0xfa, 0xfe, 0x82, 0x28, 0xba, 0x55, 0xcb, 0xef,
        0xac, 0xea, 0x42, 0xf9, 0x14, 0xaa, 0x66, 0xbc, 0xab, 0x3f, 0x2b,
        0x98, 0x19, 0xa8, 0xa5, 0xb4, 0x6b, 0x39, 0x5b, 0xd5, 0x4a, 0x9a,
        0x20, 0x44, 0x1e, 0x2b, 0x62, 0x97, 0x4e, 0x1f, 0x5a, 0x62, 0x92,
        0xa2, 0x97, 0x70, 0x14, 0xbd, 0x1e, 0x3d, 0xea, 0xe6, 0x3a, 0xee,
        0xbb, 0x21, 0x69, 0x49, 0x15, 0xe4,
    };
    uint8_t clear[72];
    uint16_t index;
    unsigned i;
    TlsTx t;

    memset(&t, 0, sizeof(t));
    tx_rig(&t.rig, 6);
    t.d = t.rig.d;
    t.sq = &t.rig.sq;
    t.c = (TlsConn) { .version = TLS_1_3, .key_len = 16, .seq = 1000 };
    memcpy(t.c.key, key, 16);
    memcpy(t.c.iv, iv, 12);
    t.dek = drv_dek_create(t.d, key, 16);
    t.tisn = drv_tis_tls(t.d);
    t.mem = drv_mem(t.d, TLS_TX_MEM);
    post_params(&t, t.sq, false);
    memcpy(clear, record, TLS_HDR);
    for (i = 0; i < 50; i++) {
        clear[TLS_HDR + i] = i;
    }
    clear[TLS_HDR + 50] = REC_DATA;
    memset(clear + TLS_HDR + 51, 0x77, TLS_TAG);
    index = post_data(&t, t.sq, t.tisn, 1000, clear, sizeof(clear), 0);
    expect_data(&t, 1000, record, sizeof(record));
    drv_sq_expect(t.d, t.sq, index);
    drv_stop(t.d);
}

/* One record a packet, of all sizes that fit. */
static void test_one_each(void)
{
    static const size_t sizes[] = {
        0, 1, 15, 16, 17, 31, 32, 33, 100, 1000, 1400,
    };
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        TlsTx t;

        tls_tx(&t, kind, kind);
        for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
            g_autoptr(GByteArray) clear = g_byte_array_new();
            g_autoptr(GByteArray) wire = g_byte_array_new();

            tls_pattern(&t.c, sizes[i], clear, wire);
            pass(&t, clear, wire, 0, clear->len);
        }
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_records"), ==, i);
        drv_stop(t.d);
    }
}

/* Alerts and handshake messages are encrypted like data. */
static void test_types(void)
{
    static const uint8_t types[] = { REC_ALERT, REC_HANDSHAKE, REC_DATA,
                                     REC_CCS };
    static const uint8_t plain[2] = { 1, 0 };
    unsigned i;
    TlsTx t;

    tls_tx(&t, 0, 3);
    for (i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();

        tls_record(&t.c, types[i], plain, sizeof(plain), clear, wire);
        pass(&t, clear, wire, 0, clear->len);
    }
    drv_stop(t.d);
}

/* A stream of records, cut into packets that have nothing to do with them. */
static void test_stream(void)
{
    unsigned kind, i;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();
        TlsConn c;
        size_t at, n;
        TlsTx t;

        tls_tx(&t, kind, 20 + kind);
        c = t.c;
        for (i = 0; i < 60; i++) {
            static const size_t sizes[] = { 0, 1, 7, 40, 300, 1400, 5000,
                                            16384 };

            tls_pattern(&c, sizes[i % G_N_ELEMENTS(sizes)], clear, wire);
        }
        for (at = 0, i = 0; at < clear->len; at += n, i++) {
            n = MIN(1 + (i * 397) % 1400, clear->len - at);
            pass(&t, clear, wire, at, n);
        }
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_records"), ==, 60);
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_bytes"), ==, clear->len);
        drv_stop(t.d);
    }
}

/* A record in two packets, cut at every byte there is. */
static void test_split(void)
{
    unsigned kind;

    for (kind = 0; kind < 2; kind++) {
        size_t cut = 1, len;
        TlsTx t;

        tls_tx(&t, kind, 5);
        len = tls_record_len(&t.c, 40);
        for (; cut < len; cut++) {
            g_autoptr(GByteArray) clear = g_byte_array_new();
            g_autoptr(GByteArray) wire = g_byte_array_new();

            tls_pattern(&t.c, 40, clear, wire);
            pass(&t, clear, wire, 0, cut);
            pass(&t, clear, wire, cut, len - cut);
        }
        drv_stop(t.d);
    }
}

/* Encryption comes before cutting: 64 KiB of records in one LSO. */
static void test_lso(void)
{
    enum { MSS = 1400 };
    unsigned kind, i, round;

    for (kind = 0; kind < TLS_KINDS; kind++) {
        TlsConn c;
        TlsTx t;

        tls_tx(&t, kind, 40 + kind);
        c = t.c;
        for (round = 0; round < 2; round++) {
            g_autoptr(GByteArray) clear = g_byte_array_new();
            g_autoptr(GByteArray) wire = g_byte_array_new();
            uint16_t index;
            size_t at;

            for (i = 0; i < 4; i++) {
                tls_pattern(&c, i == 3 ? 10000 + round : 16384, clear, wire);
            }
            index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data,
                              clear->len, MSS);
            for (at = 0, i = 0; at < wire->len; at += MSS, i++) {
                size_t n = MIN(MSS, wire->len - at);
                FrameSpec s = spec_at(t.c.seq + at, wire->data + at, n);
                Frame f;

                s.ip_id += i;
                f = frame_build(&s);
                expect_frame(t.d, f.data, f.len);
                frame_free(&f);
            }
            drv_sq_expect(t.d, t.sq, index);
            t.c.seq += clear->len;
        }
        drv_stop(t.d);
    }
}

/* Parameters by one queue, data by another; and by a UMR that wraps. */
static void test_queues(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint16_t index, edge;
    uint8_t p[TLS_STATIC_LEN];
    DrvCq cq;
    DrvSq sq;
    DrvWqe w;
    TlsTx t;

    tls_tx(&t, 0, 1);
    drv_sq_ring(t.d, t.sq);
    drv_cq_create(t.d, &cq, 4, t.rig.eq.eqn);
    drv_sq_create(t.d, &sq, 2, &cq, 0);
    tls_pattern(&t.c, 100, clear, wire);
    tls_pattern(&t.c, 50, clear, wire);
    index = post_data(&t, &sq, t.tisn, t.c.seq, clear->data, clear->len, 0);
    expect_data(&t, t.c.seq, wire->data, wire->len);
    drv_sq_expect(t.d, &sq, index);
    t.c.seq += clear->len;
    /* In a ring of four blocks a UMR of three wraps before long. */
    for (edge = 0; edge < 6; edge++) {
        g_byte_array_set_size(clear, 0);
        g_byte_array_set_size(wire, 0);
        t.c.rec_no = 1000 + edge;
        tls_static(p, &t.c, t.dek, 0);
        drv_wqe_static(&w, &sq, false, t.tisn, p, edge & 1, true);
        index = drv_sq_put(t.d, &sq, &w);
        drv_sq_ring(t.d, &sq);
        drv_sq_expect(t.d, &sq, index);
        drv_wqe_set_psv(&w, &sq, false, t.tisn, 0, true, true);
        index = drv_sq_put(t.d, &sq, &w);
        drv_sq_ring(t.d, &sq);
        drv_sq_expect(t.d, &sq, index);
        tls_pattern(&t.c, 33, clear, wire);
        index = post_data(&t, &sq, t.tisn, t.c.seq, clear->data, clear->len,
                          0);
        expect_data(&t, t.c.seq, wire->data, wire->len);
        drv_sq_expect(t.d, &sq, index);
        t.c.seq += clear->len;
    }
    drv_stop(t.d);
}

/* --------------------------------------------------------------- resync --- */

static void dump(TlsTx *t, const uint8_t *data, size_t n, bool fence)
{
    uint64_t addr = drv_mem(t->d, n);
    DrvWqe w;

    drv_write(t->d, addr, data, n);
    drv_wqe_dump(&w, t->sq, t->tisn, t->d->lkey, addr, n, fence);
    drv_sq_put(t->d, t->sq, &w);
}

/*
 * A retransmission from every byte of a record, as the driver does it: new
 * parameters, a DUMP of what comes before, the packet. Then back to the end.
 */
static void test_retransmit(void)
{
    unsigned kind;

    for (kind = 0; kind < 2; kind++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();
        TlsConn start;
        uint32_t first;
        size_t at, len;
        TlsTx t;

        tls_tx(&t, kind, 9);
        first = t.c.seq;
        start = t.c;
        tls_pattern(&t.c, 48, clear, wire);
        len = clear->len;
        tls_pattern(&t.c, 20, clear, wire);
        pass(&t, clear, wire, 0, clear->len);
        for (at = 0; at < len; at++) {
            uint64_t rec_no = t.c.rec_no;

            t.c.rec_no = start.rec_no;
            post_params(&t, t.sq, at % 2);
            t.c.rec_no = rec_no;
            if (at > 20) {
                dump(&t, clear->data, 20, false);
                dump(&t, clear->data + 20, at - 20, false);
            } else if (at) {
                dump(&t, clear->data, at, false);
            }
            t.c.seq = first + at;
            /* to the middle of the next record, which goes on from there */
            pass(&t, clear, wire, at, len - at + 10);
            pass(&t, clear, wire, len + 10, clear->len - len - 10);
        }
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_dump_bytes"), ==,
                         len * (len - 1) / 2);
        g_assert_cmpuint(drv_counter(t.d, "tls_tx_seq_mismatch"), ==, 0);
        drv_stop(t.d);
    }
}

/* A new owner of a recycled TIS: other key, other version, from the start. */
static void test_recycle(void)
{
    unsigned i;
    TlsTx t;

    tls_tx(&t, 0, 0);
    for (i = 0; i < 8; i++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();

        tls_pattern(&t.c, 100, clear, wire);
        /* the last owner died in the middle of a record */
        pass(&t, clear, wire, 0, clear->len - i * 13);
        drv_dek_destroy(t.d, t.dek);
        tls_conn(&t.c, i % TLS_KINDS, 100 + i);
        t.dek = drv_dek_create(t.d, t.c.key, t.c.key_len);
        post_params(&t, t.sq, false);
    }
    drv_stop(t.d);
}

/* ------------------------------------------------- nothing in the clear --- */

static void test_mismatch(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint16_t index;
    TlsTx t;

    tls_tx(&t, 0, 2);
    tls_pattern(&t.c, 100, clear, wire);
    tls_pattern(&t.c, 100, clear, wire);
    pass(&t, clear, wire, 0, 70);
    /* a jump forward, one back, and the same again */
    index = post_data(&t, t.sq, t.tisn, t.c.seq + 1, clear->data + 70, 50, 0);
    expect_dropped(&t, index);
    index = post_data(&t, t.sq, t.tisn, t.c.seq - 70, clear->data, 70, 0);
    expect_dropped(&t, index);
    index = post_data(&t, t.sq, t.tisn, t.c.seq + 1400, clear->data + 70, 150,
                      100);
    expect_dropped(&t, index);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_seq_mismatch"), ==, 3);
    /* The context has not moved. */
    pass(&t, clear, wire, 70, clear->len - 70);
    drv_stop(t.d);
}

static void test_mismatch_error_cqe(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    uint16_t index;
    TlsTx t;

    tls_tx(&t, 0, 2);
    qtest_qmp_assert_success(t.d->qts, "{'execute': 'qom-set', 'arguments': "
                             "{'path': %s, 'property': 'tx-seq-check', "
                             "'value': 'error-cqe'}}", DRV_QOM_PATH);
    tls_pattern(&t.c, 100, clear, NULL);
    index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data, 50, 0);
    drv_sq_expect(t.d, t.sq, index);
    index = post_data(&t, t.sq, t.tisn, t.c.seq + 51, clear->data + 51, 40,
                      0);
    drv_sq_expect_error(t.d, t.sq, index, SYN_QP_OP);
    g_assert_cmpuint(drv_sq_state(t.d, t.sq), ==, DRV_ERR);
    drv_stop(t.d);
}

/* Marked packets that no context can take: gone, and the WQE is good. */
static void test_no_context(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    uint32_t plain, empty, dead;
    uint8_t p[TLS_STATIC_LEN];
    uint16_t index;
    DrvWqe w;
    TlsTx t;

    tls_tx(&t, 0, 2);
    plain = drv_tis_create(t.d);
    empty = drv_tis_tls(t.d);
    dead = drv_tis_tls(t.d);
    drv_cmd_id_ok(t.d, OP_DESTROY_TIS, dead);
    tls_pattern(&t.c, 100, clear, NULL);
#define DROPPED(tisn, mss)                                                 \
    do {                                                                   \
        index = post_data(&t, t.sq, tisn, t.c.seq, clear->data,            \
                          clear->len, mss);                                \
        expect_dropped(&t, index);                                         \
    } while (0)
    DROPPED(plain, 0);
    DROPPED(empty, 0);
    DROPPED(empty, 60);
    DROPPED(dead, 0);
    DROPPED(0xffffff, 0);
    /* static params without progress, then with a key that is not there */
    tls_static(p, &t.c, t.dek, 0);
    drv_wqe_static(&w, t.sq, false, empty, p, false, false);
    drv_sq_put(t.d, t.sq, &w);
    DROPPED(empty, 0);
    tls_static(p, &t.c, t.dek + 1, 0);
    drv_wqe_static(&w, t.sq, false, empty, p, false, false);
    drv_sq_put(t.d, t.sq, &w);
    drv_wqe_set_psv(&w, t.sq, false, empty, 0, true, false);
    drv_sq_put(t.d, t.sq, &w);
    DROPPED(empty, 0);
    /* bad versions and constants */
    MLX5_SET(tls_static_params, p, dek_index, t.dek);
    MLX5_SET(tls_static_params, p, tls_version, 1);
    drv_wqe_static(&w, t.sq, false, empty, p, false, false);
    drv_sq_put(t.d, t.sq, &w);
    drv_wqe_set_psv(&w, t.sq, false, empty, 0, true, false);
    drv_sq_put(t.d, t.sq, &w);
    DROPPED(empty, 0);
#undef DROPPED
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_packets"), ==, 0);
    drv_stop(t.d);
}

/* Packets that are not TCP, or not whole, cannot be protected. */
static void test_unmarkable(void)
{
    uint16_t index;
    unsigned i;
    TlsTx t;

    tls_tx(&t, 0, 2);
    for (i = 0; i < 4; i++) {
        FrameSpec s = rig_spec(i == 3 ? 6 : 4, i == 0 ? 17 : 6, 100);
        uint64_t addr = drv_mem(t.d, 2048);
        DrvWqe w;
        Frame f;

        s.frag = i == 1 ? FRAME_FIRST_FRAG :
                 i == 3 ? FRAME_LATER_FRAG : FRAME_WHOLE;
        s.pad = i == 2 ? 20 : 0; /* bytes behind the IP packet */
        f = frame_build(&s);
        drv_write(t.d, addr, f.data, f.len);
        drv_wqe(&w, t.sq, WQE_SEND, true);
        MLX5_SET(wqe_ctrl, w.b, tis_tir_num, t.tisn);
        drv_wqe_eth(&w, 0, 0, NULL, 0);
        drv_wqe_data(&w, t.d->lkey, addr, f.len);
        index = drv_sq_put(t.d, t.sq, &w);
        drv_sq_ring(t.d, t.sq);
        expect_dropped(&t, index);
        /* nor several in one */
        MLX5_SET(wqe_ctrl, w.b, opcode, WQE_ENHANCED_MPSW);
        index = drv_sq_put(t.d, t.sq, &w);
        drv_sq_ring(t.d, t.sq);
        expect_dropped(&t, index);
        frame_free(&f);
    }
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_drop_unmarkable"), ==, 8);
    drv_stop(t.d);
}

/* Without payload there is nothing to encrypt: sent as it is. */
static void test_no_payload(void)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint16_t index;
    TlsTx t;

    tls_tx(&t, 0, 2);
    tls_pattern(&t.c, 100, clear, wire);
    pass(&t, clear, wire, 0, 50);
    index = post_data(&t, t.sq, t.tisn, t.c.seq - 7, NULL, 0, 0);
    expect_data(&t, t.c.seq - 7, NULL, 0);
    drv_sq_expect(t.d, t.sq, index);
    pass(&t, clear, wire, 50, clear->len - 50);
    drv_stop(t.d);
}

/* Where a record should begin there is none: stop, until new parameters. */
static void test_bad_header(void)
{
    static const uint8_t bad[][5] = {
        { 24, 3, 3, 0, 100 },  { 19, 3, 3, 0, 100 }, { 23, 3, 1, 0, 100 },
        { 23, 2, 3, 0, 100 },  { 23, 3, 3, 0, 23 },  { 23, 3, 3, 0x40, 0x19 },
        { 23, 3, 3, 0xff, 0xff },
    };
    unsigned i;
    TlsTx t;

    tls_tx(&t, 0, 2);
    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GByteArray) clear = g_byte_array_new();
        g_autoptr(GByteArray) wire = g_byte_array_new();
        size_t good;
        uint16_t index;

        tls_pattern(&t.c, 100, clear, wire);
        good = clear->len;
        pass(&t, clear, wire, 0, good);
        tls_pattern(&t.c, 100, clear, wire);
        memcpy(clear->data + good, bad[i], sizeof(bad[i]));
        index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data + good, 129,
                          0);
        g_test_message("row %u", i);
        expect_dropped(&t, index);
        /* Not even a good one goes out now. */
        g_byte_array_set_size(clear, 0);
        t.c.rec_no--;
        tls_pattern(&t.c, 100, clear, NULL);
        index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data, clear->len,
                          0);
        expect_dropped(&t, index);
        post_params(&t, t.sq, false);
    }
    drv_stop(t.d);
}

/*
 * What the Linux driver does not post: bytes by DUMP instead of a packet,
 * SET_PSV with other codes than START, DUMP where it leads to nothing.
 */
static void test_other_drivers(void)
{
    static const uint8_t bad[] = { 24, 3, 3, 0, 100 };
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint16_t index;
    DrvWqe w;
    TlsTx t;

    tls_tx(&t, 0, 2);
    tls_pattern(&t.c, 100, clear, wire);
    tls_pattern(&t.c, 100, clear, wire);
    pass(&t, clear, wire, 0, 40);
    /* the next packet goes on behind what was dumped */
    dump(&t, clear->data + 40, 25, false);
    t.c.seq += 25;
    pass(&t, clear, wire, 65, 20);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_dump_bytes"), ==, 25);
    /* refused: nothing changes */
    drv_wqe_set_psv(&w, t.sq, false, t.tisn, 0, false, false);
    MLX5_SET(tls_progress_params, w.b + 20, record_tracker_state, 1);
    drv_sq_put(t.d, t.sq, &w);
    pass(&t, clear, wire, 85, clear->len - 85);
    /* no record begins like this; from then on nothing is taken */
    dump(&t, bad, sizeof(bad), false);
    dump(&t, clear->data, 20, false);
    index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data, 50, 0);
    expect_dropped(&t, index);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_dump_ignored"), ==, 2);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_bad_header"), ==, 1);
    /* nor without parameters */
    t.tisn = drv_tis_tls(t.d);
    dump(&t, clear->data, 20, false);
    index = post_data(&t, t.sq, t.tisn, t.c.seq, clear->data, 50, 0);
    expect_dropped(&t, index);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_dump_ignored"), ==, 3);
    g_assert_cmpuint(drv_counter(t.d, "tls_tx_no_ctx"), ==, 1);
    drv_stop(t.d);
}

/* ------------------------------------------------ control WQEs, errors --- */

/* For objects that are gone control WQEs complete without error. */
static void test_dead_objects(void)
{
    uint8_t p[TLS_STATIC_LEN], image[64];
    uint32_t tisn;
    uint64_t va;
    uint16_t index;
    unsigned i;
    DrvWqe w;
    TlsTx t;

    tls_tx(&t, 0, 2);
    tisn = drv_tis_tls(t.d);
    drv_cmd_id_ok(t.d, OP_DESTROY_TIS, tisn);
    va = drv_mem(t.d, 64);
    tls_static(p, &t.c, t.dek, 0);
    for (i = 0; i < 6; i++) {
        uint32_t num = i & 1 ? tisn : 0xabcdef;

        switch (i / 2) {
        case 0:
            drv_wqe_static(&w, t.sq, i & 1, num, p, false, true);
            break;
        case 1:
            drv_wqe_set_psv(&w, t.sq, i & 1, num, 0, false, true);
            break;
        default:
            qtest_memset(t.d->qts, va, 0xcc, 64);
            drv_wqe_get_psv(&w, t.sq, num, t.d->lkey, va);
            break;
        }
        index = drv_sq_put(t.d, t.sq, &w);
        drv_sq_ring(t.d, t.sq);
        drv_sq_expect(t.d, t.sq, index);
        if (i / 2 == 2) {
            drv_read(t.d, va, image, 64);
            g_assert_cmphex(mlx5_ld32(image), ==, num);
            g_assert_cmphex(mlx5_ld64(image + 4), ==, 0);
            g_assert_cmphex(mlx5_ld32(image + 12), ==, 0);
        }
    }
    drv_stop(t.d);
}

/* WQEs that are malformed are errors, each on a queue of its own. */
static void test_malformed(void)
{
    g_autofree uint8_t *zero = g_malloc0(TLS_STATIC_LEN);
    unsigned i;
    TlsTx t;

    tls_tx(&t, 0, 2);
    drv_sq_ring(t.d, t.sq);
    for (i = 0; i < 12; i++) {
        uint8_t want = SYN_QP_OP;
        DrvCq cq;
        DrvSq sq;
        DrvWqe w;

        drv_cq_create(t.d, &cq, 4, t.rig.eq.eqn);
        drv_sq_create(t.d, &sq, 4, &cq, 0);
        if (i < 5) {
            drv_wqe_static(&w, &sq, false, t.tisn, zero, false, true);
        } else if (i < 7) {
            drv_wqe_set_psv(&w, &sq, false, t.tisn, 0, false, true);
        } else if (i < 10) {
            drv_wqe_get_psv(&w, &sq, 1, t.d->lkey, t.mem);
            want = SYN_PROT;
        } else {
            drv_wqe_dump(&w, &sq, t.tisn, t.d->lkey, t.mem, 100, false);
        }
        switch (i) {
        case 0:
            MLX5_SET(wqe_ctrl, w.b, opc_mod, 0);
            break;
        case 1:
            MLX5_SET(wqe_ctrl, w.b, opc_mod, 3);
            break;
        case 2:
            w.ds = 8;
            break;
        case 3:
            MLX5_SET(wqe_umr_ctrl, w.b + 16, flags, 0);
            break;
        case 4:
            MLX5_SET(wqe_umr_ctrl, w.b + 16, bsf_octowords, 2);
            break;
        case 5:
            MLX5_SET(wqe_ctrl, w.b, opc_mod, 0);
            break;
        case 6:
            w.ds = 1;
            break;
        case 7:
            MLX5_SET(wqe_get_psv, w.b + 16, l_key, 0x99999900);
            break;
        case 8:
            MLX5_SET(wqe_get_psv, w.b + 16, va, t.mem + 8);
            break;
        case 9:
            MLX5_SET(wqe_get_psv, w.b + 16, va, 0x7f0000000000);
            break;
        case 10:
            MLX5_SET(wqe_data, w.b + 16, byte_count, 9000);
            want = SYN_LEN; /* longer than the MTU */
            break;
        case 11:
            MLX5_SET(wqe_data, w.b + 16, lkey, 1);
            want = SYN_PROT;
            break;
        }
        drv_sq_put(t.d, &sq, &w);
        drv_sq_ring(t.d, &sq);
        g_test_message("row %u", i);
        drv_sq_expect_error(t.d, &sq, 0, want);
        drv_cmd_id_ok(t.d, OP_DESTROY_SQ, sq.sqn);
        drv_cmd_id_ok(t.d, OP_DESTROY_CQ, cq.cqn);
    }
    drv_stop(t.d);
}

void mlx5_tls_tx_tests(void)
{
    qtest_add_func("mlx5-ktls/tls-tx/golden", test_golden);
    qtest_add_func("mlx5-ktls/tls-tx/rfc8448", test_rfc8448);
    qtest_add_func("mlx5-ktls/tls-tx/one-each", test_one_each);
    qtest_add_func("mlx5-ktls/tls-tx/types", test_types);
    qtest_add_func("mlx5-ktls/tls-tx/stream", test_stream);
    qtest_add_func("mlx5-ktls/tls-tx/split", test_split);
    qtest_add_func("mlx5-ktls/tls-tx/lso", test_lso);
    qtest_add_func("mlx5-ktls/tls-tx/queues", test_queues);
    qtest_add_func("mlx5-ktls/tls-tx/retransmit", test_retransmit);
    qtest_add_func("mlx5-ktls/tls-tx/recycle", test_recycle);
    qtest_add_func("mlx5-ktls/tls-tx/mismatch", test_mismatch);
    qtest_add_func("mlx5-ktls/tls-tx/mismatch-error-cqe",
                   test_mismatch_error_cqe);
    qtest_add_func("mlx5-ktls/tls-tx/no-context", test_no_context);
    qtest_add_func("mlx5-ktls/tls-tx/unmarkable", test_unmarkable);
    qtest_add_func("mlx5-ktls/tls-tx/no-payload", test_no_payload);
    qtest_add_func("mlx5-ktls/tls-tx/bad-header", test_bad_header);
    qtest_add_func("mlx5-ktls/tls-tx/other-drivers", test_other_drivers);
    qtest_add_func("mlx5-ktls/tls-tx/dead-objects", test_dead_objects);
    qtest_add_func("mlx5-ktls/tls-tx/malformed", test_malformed);
}
