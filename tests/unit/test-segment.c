/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of engine/segment: compared with the segments produced by Linux's
 * software GSO from the same bursts (net-vectors.h), and with frames built one
 * by one (frame.h); VLAN helpers are compared with hand-made frames. Owns no
 * state.
 */
#include <glib.h>
#include <string.h>

#include "segment.h"
#include "frame.h"
#include "net-vectors.h"

/* The payload of net-vectors.py's bursts. */
static uint8_t *vector_payload(size_t n)
{
    uint8_t *p = g_malloc(n);
    size_t i;

    for (i = 0; i < n; i++) {
        p[i] = (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
    }
    return p;
}

static void assert_frame(const struct iovec iov[2], size_t n,
                         const uint8_t *want, size_t want_len)
{
    g_assert_cmpuint(n, ==, want_len);
    g_assert_cmpuint(iov[0].iov_len + iov[1].iov_len, ==, want_len);
    g_assert_cmpmem(iov[0].iov_base, iov[0].iov_len, want, iov[0].iov_len);
    g_assert_cmpmem(iov[1].iov_base, iov[1].iov_len, want + iov[0].iov_len,
                    want_len - iov[0].iov_len);
}

static void test_kernel_gso(void)
{
    size_t i, k;

    for (i = 0; i < G_N_ELEMENTS(gso_vectors); i++) {
        const GsoVector *v = &gso_vectors[i];
        uint8_t *payload = vector_payload(v->payload_len);
        struct iovec iov[2];
        Mlx5Segment s;

        g_test_message("%s", v->name);
        g_assert_cmpint(
            mlx5_segment_init(&s, v->hdr, v->hdr_len, v->payload_len, v->mss),
            ==, MLX5_SEGMENT_OK);
        for (k = 0; k < v->n_frames; k++) {
            size_t n;

            g_assert_false(mlx5_segment_done(&s));
            n = mlx5_segment_next(&s, payload, iov);
            assert_frame(iov, n, v->frame[k].data, v->frame[k].len);
        }
        g_assert_true(mlx5_segment_done(&s));
        g_assert_cmpuint(mlx5_segment_next(&s, payload, iov), ==, 0);
        g_free(payload);
    }
}

/*
 * The headers of a burst as the driver leaves them: lengths and sums are stale.
 */
static Frame burst_header(FrameSpec *s)
{
    Frame f;

    s->payload_len = 0;
    s->payload = NULL;
    s->pad = 0;
    f = frame_build(s);
    frame_random_bytes(f.data + f.l3 + (s->ip == 4 ? 2 : 4), 2);
    if (s->ip == 4) {
        frame_random_bytes(f.data + f.l3 + 10, 2);
    }
    frame_random_bytes(f.data + f.l4 + (s->proto == 6 ? 16 : 4), 2);
    if (s->proto == 17) {
        frame_random_bytes(f.data + f.l4 + 6, 2);
    }
    return f;
}

/*
 * Any burst gives the frames that the plain builder makes from the same fields;
 * the state is moved to other memory between any two frames.
 */
static void test_random(void)
{
    uint8_t *payload = g_malloc(9000);
    unsigned round;

    frame_random_bytes(payload, 9000);
    for (round = 0; round < 3000; round++) {
        FrameSpec s = frame_random_spec();
        uint32_t len = (uint32_t)frame_pick(0, 1, 100, 536, 1448, 4096, 8999);
        uint32_t mss =
            (uint32_t)frame_pick(53, 99, 100, 536, 1448, 9000, 65000);
        uint32_t seq = s.seq, at = 0, index = 0;
        uint16_t flags = s.tcp_flags, id = s.ip_id;
        Mlx5Segment *state = g_new(Mlx5Segment, 1);
        struct iovec iov[2];
        Frame hdr, want;

        s.ip = frame_pick(4, 6);
        s.proto = (uint8_t)frame_pick(6, 6, 17);
        s.frag = FRAME_WHOLE;
        s.udp_no_csum = false;
        s.n_ext = MIN(s.n_ext, 2);      /* within MLX5_SEGMENT_MAX_HDR */
        hdr = burst_header(&s);
        g_assert_cmpint(mlx5_segment_init(state, hdr.data, hdr.len, len, mss),
                        ==, MLX5_SEGMENT_OK);
        frame_free(&hdr);
        do {
            Mlx5Segment *moved = g_new(Mlx5Segment, 1);
            size_t n;

            *moved = *state;
            memset(state, 0xee, sizeof(*state));
            g_free(state);
            state = moved;

            s.payload_len = MIN(mss, len - at);
            s.payload = payload + at;
            s.seq = seq + at;
            s.ip_id = (uint16_t)(id + index);
            s.tcp_flags = flags;
            if (index) {
                s.tcp_flags &= ~0x080;
            }
            if (at + s.payload_len < len) {
                s.tcp_flags &= ~0x009;
            }
            want = frame_build(&s);
            n = mlx5_segment_next(state, payload, iov);
            assert_frame(iov, n, want.data, want.len);
            g_assert_true(!iov[1].iov_len || iov[1].iov_base == payload + at);
            frame_free(&want);
            at += s.payload_len;
            index++;
            g_assert_cmpint(mlx5_segment_done(state), ==, at == len);
        } while (at < len);
        g_assert_cmpuint(index, ==, len ? (len + mss - 1) / mss : 1);
        g_assert_cmpuint(mlx5_segment_next(state, payload, iov), ==, 0);
        g_free(state);
    }
    g_free(payload);
}

/* FIN, PSH and CWR by position; SYN, RST, ACK, URG, ECE, NS stay everywhere. */
static void test_flags(void)
{
    FrameSpec s = { .ip = 4, .proto = 6, .tcp_flags = 0x1ff };
    Frame hdr = burst_header(&s);
    static const uint16_t want[] = { 0x1f6, 0x176, 0x17f };
    static const uint8_t payload[30];
    struct iovec iov[2];
    Mlx5Segment state;
    size_t i;

    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 30, 10), ==,
                    0);
    for (i = 0; i < G_N_ELEMENTS(want); i++) {
        const uint8_t *h;

        g_assert_cmpuint(mlx5_segment_next(&state, payload, iov), ==,
                         hdr.len + 10);
        h = (const uint8_t *)iov[0].iov_base + hdr.l4;
        g_assert_cmphex(h[12] << 8 | h[13], ==, 0x5000 | want[i]);
    }
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 10, 10), ==,
                    0);
    mlx5_segment_next(&state, payload, iov);
    g_assert_cmphex(((uint8_t *)iov[0].iov_base)[hdr.l4 + 13], ==, 0xff);
    g_assert_true(mlx5_segment_done(&state));
    frame_free(&hdr);
}

/* The largest burst there is, in the smallest and the largest frames. */
static void test_limits(void)
{
    FrameSpec s = { .ip = 6, .proto = 6, .seq = 0xfffffff0 };
    Frame hdr = burst_header(&s);
    uint8_t *payload = g_malloc0(MLX5_SEGMENT_MAX_PAYLOAD);
    uint32_t mss[] = { 1, 9000, 65515 }, max;
    struct iovec iov[2];
    Mlx5Segment state;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(mss); i++) {
        uint64_t sum = 0;
        uint32_t frames = 0;
        size_t n;

        g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len,
                                          MLX5_SEGMENT_MAX_PAYLOAD, mss[i]),
                        ==, 0);
        while ((n = mlx5_segment_next(&state, payload, iov))) {
            sum += n - hdr.len;
            frames++;
        }
        g_assert_cmpuint(sum, ==, MLX5_SEGMENT_MAX_PAYLOAD);
        g_assert_cmpuint(frames, ==,
                         (MLX5_SEGMENT_MAX_PAYLOAD + mss[i] - 1) / mss[i]);
    }
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len,
                                      MLX5_SEGMENT_MAX_PAYLOAD + 1, 1000), ==,
                    MLX5_SEGMENT_PAYLOAD_TOO_LONG);
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 70000, 65516),
                    ==, MLX5_SEGMENT_MSS_TOO_BIG);
    /* No frame would be that long: fine. */
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 60000, 65535),
                    ==, 0);
    frame_free(&hdr);

    s.ip = 4;
    hdr = burst_header(&s);
    max = 65535 - 40;
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 70000, max),
                    ==, 0);
    g_assert_cmpint(
        mlx5_segment_init(&state, hdr.data, hdr.len, 70000, max + 1), ==,
        MLX5_SEGMENT_MSS_TOO_BIG);
    frame_free(&hdr);
    g_free(payload);
}

static void test_errors(void)
{
    FrameSpec s = { .ip = 4, .proto = 6 };
    uint8_t big[MLX5_SEGMENT_MAX_HDR + 1] = { 0 };
    Mlx5Segment state;
    Frame f;
    size_t cut;
    unsigned i;

    f = frame_build(&s);
    g_assert_cmpint(mlx5_segment_init(&state, f.data, f.len, 100, 0), ==,
                    MLX5_SEGMENT_MSS_ZERO);
    g_assert_cmpint(mlx5_segment_init(&state, big, sizeof(big), 100, 10), ==,
                    MLX5_SEGMENT_HDR_TOO_LONG);
    for (cut = 0; cut < f.len; cut++) {
        uint8_t *hdr = dup_exact(f.data, cut);

        g_assert_cmpint(mlx5_segment_init(&state, hdr, cut, 100, 10), ==,
                        cut < 34 ? MLX5_SEGMENT_HDR_NOT_IP :
                                   MLX5_SEGMENT_HDR_NOT_L4);
        g_free(hdr);
    }
    frame_free(&f);

    s.payload_len = 1;
    f = frame_build(&s);
    g_assert_cmpint(mlx5_segment_init(&state, f.data, f.len, 100, 10), ==,
                    MLX5_SEGMENT_HDR_EXCESS);
    frame_free(&f);
    s.payload_len = 0;

    s.frag = FRAME_FIRST_FRAG;
    f = frame_build(&s);
    g_assert_cmpint(mlx5_segment_init(&state, f.data, f.len, 100, 10), ==,
                    MLX5_SEGMENT_HDR_FRAGMENT);
    frame_free(&f);
    s.frag = FRAME_WHOLE;

    s.proto = 50;
    f = frame_build(&s);
    g_assert_cmpint(mlx5_segment_init(&state, f.data, f.len, 100, 10), ==,
                    MLX5_SEGMENT_HDR_NOT_L4);
    frame_free(&f);

    s.ip = 0;
    s.ethertype = 0x0806;
    s.payload_len = 40;
    f = frame_build(&s);
    g_assert_cmpint(mlx5_segment_init(&state, f.data, f.len, 100, 10), ==,
                    MLX5_SEGMENT_HDR_NOT_IP);
    frame_free(&f);

    for (i = 0; i < MLX5_SEGMENT_N_ERRORS; i++) {
        g_assert_cmpstr(mlx5_segment_strerror((Mlx5SegmentError)i), !=,
                        "unknown LSO error");
    }
    g_assert_cmpstr(mlx5_segment_strerror(MLX5_SEGMENT_N_ERRORS), ==,
                    "unknown LSO error");
}

/* A UDP segment whose sum comes out as 0 carries 0xffff. */
static void test_udp_zero(void)
{
    uint8_t payload[4] = { 0 };
    FrameSpec s = { .ip = 6, .proto = 17, .sport = 7, .dport = 8 };
    Frame hdr = burst_header(&s);
    struct iovec iov[2];
    Mlx5Segment state;
    uint8_t *l4;

    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 4, 4), ==, 0);
    mlx5_segment_next(&state, payload, iov);
    l4 = (uint8_t *)iov[0].iov_base + hdr.l4;
    memcpy(payload, l4 + 6, 2);
    g_assert_cmpint(mlx5_segment_init(&state, hdr.data, hdr.len, 4, 4), ==, 0);
    mlx5_segment_next(&state, payload, iov);
    g_assert_cmphex(l4[6] << 8 | l4[7], ==, 0xffff);
    frame_free(&hdr);
}

static void test_vlan(void)
{
    static const uint8_t plain[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x08, 0x00, 0x45, 0x99,
    };
    static const uint8_t tagged[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x81, 0x00, 0xa0, 0x07,
        0x08, 0x00, 0x45, 0x99,
    };
    uint8_t *buf = g_malloc(sizeof(tagged) + 4);
    size_t n;

    memcpy(buf, plain, sizeof(plain));
    n = mlx5_vlan_insert(buf, sizeof(plain), sizeof(tagged), 0x8100, 0xa007);
    g_assert_cmpmem(buf, n, tagged, sizeof(tagged));

    /* A second, outer one. */
    n = mlx5_vlan_insert(buf, n, n + 4, 0x88a8, 0x0001);
    g_assert_cmpuint(n, ==, sizeof(tagged) + 4);
    g_assert_cmpmem(buf + 12, 8, "\x88\xa8\x00\x01\x81\x00\xa0\x07", 8);
    g_assert_cmpmem(buf, 12, plain, 12);
    g_assert_cmpmem(buf + 20, n - 20, plain + 12, sizeof(plain) - 12);
    g_free(buf);

    /* No room, no Ethernet header. */
    for (n = 0; n <= sizeof(tagged); n++) {
        buf = dup_exact(tagged, n);
        g_assert_cmpuint(mlx5_vlan_insert(buf, n, n, 0x8100, 1), ==, 0);
        g_assert_cmpuint(mlx5_vlan_insert(buf, n, n + 3, 0x8100, 1), ==, 0);
        if (n < 14) {
            g_assert_cmpuint(mlx5_vlan_insert(buf, n, n + 4, 0x8100, 1), ==, 0);
        }
        g_assert_true(!n || !memcmp(buf, tagged, n));
        g_free(buf);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/segment/kernel-gso", test_kernel_gso);
    g_test_add_func("/segment/random", test_random);
    g_test_add_func("/segment/flags", test_flags);
    g_test_add_func("/segment/limits", test_limits);
    g_test_add_func("/segment/errors", test_errors);
    g_test_add_func("/segment/udp-zero", test_udp_zero);
    g_test_add_func("/segment/vlan", test_vlan);
    return g_test_run();
}
