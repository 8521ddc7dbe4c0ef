/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/csum: compared with the worked example of RFC 1071, a simple
 * 16-bit loop, and checksums computed by the Linux stack (net-vectors.h). Owns
 * no state.
 */
#include <glib.h>
#include <string.h>

#include "csum.h"
#include "frame.h"
#include "net-vectors.h"

static uint16_t sum_of(const void *p, size_t n)
{
    Mlx5Csum c = { 0 };

    mlx5_csum_add(&c, p, n);
    return mlx5_csum_fold(&c);
}

/* RFC 1071 section 3, and an IPv4 header with the checksum 0xb861 in it. */
static void test_published(void)
{
    static const uint8_t rfc1071[] = { 0x00, 0x01, 0xf2, 0x03,
                                       0xf4, 0xf5, 0xf6, 0xf7 };
    static const uint8_t ip[] = {
        0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
        0x00, 0x00, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7,
    };

    g_assert_cmphex(sum_of(rfc1071, sizeof(rfc1071)), ==, 0xddf2);
    g_assert_cmphex((uint16_t)~sum_of(ip, sizeof(ip)), ==, 0xb861);
}

static void test_lengths_and_alignments(void)
{
    uint8_t *buf = g_malloc(70000);
    size_t len, at;

    frame_random_bytes(buf, 70000);
    for (len = 0; len < 300; len++) {
        for (at = 0; at < 9; at++) {
            uint8_t *exact = dup_exact(buf, at + len);

            g_assert_cmphex(sum_of(exact + at, len), ==,
                            naive_sum(exact + at, len));
            g_free(exact);
        }
    }
    g_assert_cmphex(sum_of(buf, 65536), ==, naive_sum(buf, 65536));
    g_assert_cmphex(sum_of(buf + 1, 69999), ==, naive_sum(buf + 1, 69999));

    /* Every carry there can be, and the two forms of zero. */
    memset(buf, 0xff, 70000);
    for (len = 0; len < 70000; len += 997) {
        g_assert_cmphex(sum_of(buf, len), ==, naive_sum(buf, len));
    }
    memset(buf, 0, 70000);
    g_assert_cmphex(sum_of(buf, 70000), ==, 0);
    buf[69998] = 0xff;
    buf[69999] = 0xff;
    g_assert_cmphex(sum_of(buf, 70000), ==, 0xffff);
    g_free(buf);
}

/* The same bytes in pieces of any length, odd and empty ones too. */
static void test_pieces(void)
{
    uint8_t buf[600];
    unsigned round;

    for (round = 0; round < 3000; round++) {
        size_t len = (size_t)g_test_rand_int_range(0, sizeof(buf) + 1);
        Mlx5Csum c = { 0 };
        size_t at = 0;
        unsigned n;

        frame_random_bytes(buf, len);
        for (n = 0; n < 39; n++) {
            size_t piece = (size_t)frame_pick(0, 1, 2, 3, 7, 8, 31, 64, 65);

            piece = MIN(piece, len - at);
            mlx5_csum_add(&c, buf + at, piece);
            at += piece;
        }
        mlx5_csum_add(&c, buf + at, len - at);
        g_assert_cmphex(mlx5_csum_fold(&c), ==, naive_sum(buf, len));
        g_assert_cmpint(c.odd, ==, len & 1);
    }
}

static void test_add_be16(void)
{
    Mlx5Csum c = { 0 };

    mlx5_csum_add_be16(&c, 0x1234);
    mlx5_csum_add_be16(&c, 0xf00f);
    g_assert_cmphex(mlx5_csum_fold(&c), ==, 0x0244);
}

typedef struct Vector {
    const char *name;
    const uint8_t *data;
    size_t len;
    size_t l3;
    size_t l4;
    size_t csum_at;     /* of layer 4, from l4 on */
    size_t payload;
} Vector;

#define VECTOR(v, l3, l4, csum_at, payload) \
    { #v, v, sizeof(v), l3, l4, csum_at, payload }

/* SYN: 20 bytes of options, data: 12 (timestamps). */
static const Vector vectors[] = {
    VECTOR(tcp_v4_syn, 14, 34, 16, 74),
    VECTOR(tcp_v4_data, 14, 34, 16, 66),
    VECTOR(tcp_v6_syn, 14, 54, 16, 94),
    VECTOR(tcp_v6_data, 14, 54, 16, 86),
    VECTOR(udp_v4, 14, 34, 6, 42),
    VECTOR(udp_v6, 14, 54, 6, 62),
    VECTOR(gso_vlan_0, 18, 38, 16, 58),
};

/* A vector with a tag put in and bytes behind the IP packet. */
static uint8_t *dress(const Vector *v, size_t vlan, size_t pad)
{
    uint8_t *frame = g_malloc(v->len + vlan + pad);

    memcpy(frame, v->data, 12);
    memcpy(frame + 12, "\x88\xa8\x00\x05", vlan);
    memcpy(frame + 12 + vlan, v->data + 12, v->len - 12);
    memset(frame + v->len + vlan, 0x5a, pad);
    return frame;
}

/* Spoil the checksums of a vector, fill, and get the kernel's back. */
static void check_fill(const Vector *v, size_t vlan, size_t pad)
{
    size_t len = v->len + vlan + pad, split;
    size_t csum_at = v->l4 + v->csum_at + vlan;
    uint8_t *want = dress(v, vlan, pad), *frame = dress(v, vlan, pad);
    bool v4 = v->data[v->l3] == 0x45;

    frame[csum_at] ^= 0x55;
    frame[csum_at + 1] ^= 0xaa;
    if (v4) {
        frame[v->l3 + vlan + 10] ^= 0x12;
    }
    g_assert_cmphex(mlx5_csum_fill(frame, len, true, true), ==,
                    (v4 ? MLX5_ETH_WQE_L3_CSUM : 0) | MLX5_ETH_WQE_L4_CSUM);
    g_assert_cmpmem(frame, len, want, len);

    /* In three pieces, the first cut anywhere behind the checksum field. */
    for (split = csum_at + 2; split <= len; split++) {
        size_t second = (len - split) / 2;
        uint8_t *head = dup_exact(want, split);
        struct iovec iov[2] = {
            { want + split, second },
            { want + split + second, len - split - second },
        };
        Mlx5CsumDone done;

        head[csum_at] ^= 0x55;
        done = mlx5_csum_fill_iov(head, split, iov, 2, false, true);
        if (split >= v->payload + vlan) {
            g_assert_cmphex(done, ==, MLX5_ETH_WQE_L4_CSUM);
            g_assert_cmpmem(head, split, want, split);
        } else {
            /*
             * The header is not whole in the first piece: nothing is touched.
             */
            g_assert_cmphex(done, ==, 0);
            g_assert_cmphex(head[csum_at], ==, want[csum_at] ^ 0x55);
        }
        g_free(head);
    }
    g_free(want);
    g_free(frame);
}

static void test_fill_kernel_vectors(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vectors); i++) {
        g_test_message("%s", vectors[i].name);
        check_fill(&vectors[i], 0, 0);
        check_fill(&vectors[i], 4, 0);
        check_fill(&vectors[i], 0, 7);
    }
}

static void test_fill_wants(void)
{
    uint8_t frame[sizeof(tcp_v4_data)];

    memcpy(frame, tcp_v4_data, sizeof(frame));
    memset(frame + 14 + 10, 0, 2);
    memset(frame + 34 + 16, 0, 2);
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(frame), false, false), ==, 0);
    g_assert_cmphex(frame[34 + 16] | frame[34 + 17] | frame[24] | frame[25], ==,
                    0);
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(frame), true, false), ==,
                    MLX5_ETH_WQE_L3_CSUM);
    g_assert_cmpmem(frame + 24, 2, tcp_v4_data + 24, 2);
    g_assert_cmphex(frame[34 + 16] | frame[34 + 17], ==, 0);
    memset(frame + 14 + 10, 0, 2);
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(frame), false, true), ==,
                    MLX5_ETH_WQE_L4_CSUM);
    g_assert_cmpmem(frame + 50, 2, tcp_v4_data + 50, 2);
    g_assert_cmphex(frame[24] | frame[25], ==, 0);
}

/* Every random packet: fill writes exactly what the plain builder wrote. */
static void test_fill_random(void)
{
    unsigned round;

    for (round = 0; round < 20000; round++) {
        FrameSpec s = frame_random_spec();
        bool l4 =
            s.ip && s.frag == FRAME_WHOLE && (s.proto == 6 || s.proto == 17);
        Mlx5CsumDone want = (s.ip == 4 ? MLX5_ETH_WQE_L3_CSUM : 0) |
                            (l4 ? MLX5_ETH_WQE_L4_CSUM : 0);
        uint8_t *frame;
        Frame f;

        s.udp_no_csum = false;
        f = frame_build(&s);
        frame = dup_exact(f.data, f.len);
        if (s.ip == 4) {
            frame[f.l3 + 10] ^= 0x31;
        }
        if (l4) {
            frame[f.l4 + (s.proto == 6 ? 16 : 6)] ^= 0x77;
        }
        g_assert_cmphex(mlx5_csum_fill(frame, f.len, true, true), ==, want);
        g_assert_cmpmem(frame, f.len, f.data, f.len);
        g_free(frame);
        frame_free(&f);
    }
}

/* A UDP checksum that comes out as 0 goes out as 0xffff. */
static void test_fill_udp_zero(void)
{
    uint8_t payload[4] = { 0 };
    FrameSpec s = {
        .proto = 17,
        .sport = 1,
        .dport = 2,
        .payload_len = 4,
        .payload = payload,
        .src_ip = { 10, 0, 0, 1 },
        .dst_ip = { 10, 0, 0, 2 },
    };

    for (s.ip = 4; s.ip <= 6; s.ip += 2) {
        uint16_t csum;
        Frame f;

        memset(payload, 0, sizeof(payload));
        f = frame_build(&s);
        /* Adding the checksum itself to the data makes the sum 0xffff. */
        csum = (uint16_t)(f.data[f.l4 + 6] << 8 | f.data[f.l4 + 7]);
        g_assert_cmphex(csum, !=, 0xffff);
        memcpy(f.data + f.payload, f.data + f.l4 + 6, 2);
        memset(f.data + f.l4 + 6, 0, 2);
        g_assert_cmphex(mlx5_csum_fill(f.data, f.len, false, true), ==,
                        MLX5_ETH_WQE_L4_CSUM);
        g_assert_cmphex(f.data[f.l4 + 6], ==, 0xff);
        g_assert_cmphex(f.data[f.l4 + 7], ==, 0xff);
        frame_free(&f);
    }
}

/* Nothing that is not whole, or not TCP or UDP, is touched. */
static void test_fill_leaves_alone(void)
{
    static const Vector untouched[] = {
        VECTOR(udp_v4_frag_0, 0, 0, 0, 0), VECTOR(udp_v4_frag_1, 0, 0, 0, 0),
        VECTOR(mld_v6, 0, 0, 0, 0),
    };
    uint8_t frame[200];
    size_t i, len;

    for (i = 0; i < G_N_ELEMENTS(untouched); i++) {
        const Vector *v = &untouched[i];

        memcpy(frame, v->data, v->len);
        g_assert_cmphex(mlx5_csum_fill(frame, v->len, false, true), ==, 0);
        g_assert_cmpmem(frame, v->len, v->data, v->len);
    }
    for (i = 0; i < G_N_ELEMENTS(vectors); i++) {
        for (len = 0; len < vectors[i].len; len++) {
            uint8_t *cut = dup_exact(vectors[i].data, len);

            g_assert_cmphex(mlx5_csum_fill(cut, len, true, true) &
                                MLX5_ETH_WQE_L4_CSUM,
                            ==, 0);
            /* An IPv4 header that is whole gets its checksum, which it has. */
            g_assert_cmpmem(cut, len, vectors[i].data, len);
            g_free(cut);
        }
    }
    /* A UDP length of less than its header, or beyond the IP packet. */
    memcpy(frame, udp_v4, sizeof(udp_v4));
    frame[14 + 20 + 5] = 7;
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(udp_v4), false, true), ==, 0);
    frame[14 + 20 + 5] = 54;
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(udp_v4), false, true), ==, 0);
    frame[14 + 20 + 5] = 53;
    g_assert_cmphex(mlx5_csum_fill(frame, sizeof(udp_v4), false, true), ==,
                    MLX5_ETH_WQE_L4_CSUM);
    g_assert_cmpmem(frame, sizeof(udp_v4), udp_v4, sizeof(udp_v4));
}

/* RFC 8200 8.1: under a routing header the final destination is summed. */
static void test_routing_header(void)
{
    static const struct {
        uint8_t type;
        size_t final_at;    /* within the routing header */
    } cases[] = { { 0, 24 }, { 4, 8 } };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        FrameSpec s = {
            .ip = 6,
            .proto = 6,
            .payload_len = 11,
            .n_ext = 1,
            .ext_type = { 43 },
            .ext_units = { 4 },
        };
        uint8_t final[16];
        uint32_t sum;
        Mlx5Packet pkt;
        Frame f;

        frame_random_bytes(s.src_ip, 16);
        frame_random_bytes(s.dst_ip, 16);
        frame_random_bytes(final, 16);
        f = frame_build(&s);
        f.data[f.l3 + 40 + 2] = cases[i].type;
        memcpy(f.data + f.l3 + 40 + cases[i].final_at, final, 16);

        /* No segments left: the address in the header is the final one. */
        mlx5_parse(f.data, f.len, &pkt);
        mlx5_packet_check_csum(&pkt, f.data);
        g_assert_true(pkt.l4_ok);

        f.data[f.l3 + 40 + 3] = 1;
        mlx5_parse(f.data, f.len, &pkt);
        mlx5_packet_check_csum(&pkt, f.data);
        g_assert_false(pkt.l4_ok);
        g_assert_cmphex(mlx5_csum_fill(f.data, f.len, false, true), ==,
                        MLX5_ETH_WQE_L4_CSUM);
        sum = naive_pseudo(s.src_ip, final, 16, 6, (uint32_t)(f.len - f.l4));
        g_assert_cmphex(naive_add(sum, f.data + f.l4, f.len - f.l4), ==,
                        0xffff);
        frame_free(&f);
    }
}

/*
 * CQE.check_sum is used as the stack uses CHECKSUM_COMPLETE: what is left of it
 * without the IP header and the padding, plus the pseudo header, is 0xffff for
 * a packet whose TCP or UDP checksum is right.
 */
static void test_cqe_full(void)
{
    unsigned round, checked = 0;

    for (round = 0; round < 5000; round++) {
        FrameSpec s = frame_random_spec();
        Frame f = frame_build(&s);
        uint16_t full = mlx5_csum_cqe_full(f.data, f.len);
        uint32_t sum;

        g_assert_cmphex(full, ==, naive_sum(f.data + 14, f.len - 14));
        if (s.ip && s.frag == FRAME_WHOLE && s.proto == 6) {
            /* One's complement: subtract by adding the complement. */
            uint16_t head = naive_sum(f.data + 14, f.l4 - 14);
            uint16_t tail = naive_sum(f.data + f.l3_end, f.len - f.l3_end);

            if ((f.l3_end - 14) % 2) {
                tail = (uint16_t)(tail << 8 | tail >> 8);
            }
            sum = (uint32_t)full + (uint16_t)~head + (uint16_t)~tail;
            sum += naive_pseudo(s.src_ip, s.dst_ip, s.ip == 4 ? 4 : 16, 6,
                                (uint32_t)(f.l3_end - f.l4));
            while (sum >> 16) {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            g_assert_cmphex(sum, ==, 0xffff);
            checked++;
        }
        frame_free(&f);
    }
    g_assert_cmpuint(checked, >, 100);
    g_assert_cmphex(mlx5_csum_cqe_full(tcp_v4_data, 14), ==, 0);
    g_assert_cmphex(mlx5_csum_cqe_full(tcp_v4_data, 3), ==, 0);
    g_assert_cmphex(mlx5_csum_cqe_full(NULL, 0), ==, 0);
    /* 0x45 alone: the left half of a word. */
    g_assert_cmphex(mlx5_csum_cqe_full(tcp_v4_data, 15), ==, 0x4500);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/csum/published", test_published);
    g_test_add_func("/csum/lengths-and-alignments",
                    test_lengths_and_alignments);
    g_test_add_func("/csum/pieces", test_pieces);
    g_test_add_func("/csum/add-be16", test_add_be16);
    g_test_add_func("/csum/fill/kernel-vectors", test_fill_kernel_vectors);
    g_test_add_func("/csum/fill/wants", test_fill_wants);
    g_test_add_func("/csum/fill/random", test_fill_random);
    g_test_add_func("/csum/fill/udp-zero", test_fill_udp_zero);
    g_test_add_func("/csum/fill/leaves-alone", test_fill_leaves_alone);
    g_test_add_func("/csum/fill/routing-header", test_routing_header);
    g_test_add_func("/csum/cqe-full", test_cqe_full);
    return g_test_run();
}
