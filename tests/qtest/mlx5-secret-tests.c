/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests that no secret is left behind: keys, IVs and plaintext with known bytes
 * pass through the device, and then all writable memory of QEMU, except the
 * guest's, is searched for them. Owns no state.
 *
 * QEMU itself makes copies of everything passed over the qtest protocol.
 * Therefore guest memory is a file that the test maps too, and the secrets are
 * written there.
 */
#include "mlx5-tls.h"
#include "mlx5-tests.h"
#include <glib/gstdio.h>
#include <sys/mman.h>
#include "hw/pci/pci_regs.h"
#include "qemu/units.h"

enum { RAM_MIB = 128, KEY = 32, IV = 12, PLAIN = 16 };
enum { LOG_RQ = 4, BUF = 2048, PAYLOAD = 600 };

/* How a connection ends. */
typedef enum End {
    END_OBJECTS,  /* its objects are destroyed, the function lives on */
    END_TEARDOWN, /* TEARDOWN_HCA */
    END_DISABLE,  /* DISABLE_HCA, nothing torn down before */
    END_FLR,
    END_RESET,    /* of the machine */
    END_UNPLUG,   /* no memory is the device's any more */
} End;

typedef struct Secrets {
    Drv *d;
    char *path;      /* of the guest's memory, */
    uint8_t *ram;    /* which is here, too */
    GRand *rand;
    DrvEq eq;
    DrvCq cq, sq_cq;
    DrvSq sq;
    DrvRq rq;
    DrvSteering st;
    TlsConn c;
    uint32_t dek, tisn, tirn;
    uint64_t mem, buf;
    uint8_t plain[PLAIN]; /* all plaintext is this, again and again */
    uint16_t received;
} Secrets;

/* ----------------------------------------------------------- the search --- */

/* Gaps of address space that are no memory, as sanitizers have them. */
#define NOT_MEMORY (8ull << 30)
#define PIECE (1u << 20)

/*
 * How often @what is in the memory of QEMU that can be written: the guest's
 * own, or (@guest false) all but that.
 */
static unsigned search(Secrets *t, const char *name, const uint8_t *what,
                       size_t len, bool guest)
{
    pid_t pid = qtest_pid(t->d->qts);
    g_autofree char *maps_name = g_strdup_printf("/proc/%d/maps", pid);
    g_autofree char *mem_name = g_strdup_printf("/proc/%d/mem", pid);
    g_autofree uint8_t *piece = g_malloc(PIECE + 64);
    int mem = open(mem_name, O_RDONLY);
    FILE *maps = fopen(maps_name, "r");
    unsigned found = 0;
    char line[512];

    g_assert_cmpint(mem, >=, 0);
    g_assert_nonnull(maps);
    while (fgets(line, sizeof(line), maps)) {
        unsigned long long from, to;
        char perms[5];
        ssize_t n;

        g_assert_cmpint(sscanf(line, "%llx-%llx %4s", &from, &to, perms), ==,
                        3);
        if (perms[0] != 'r' || perms[1] != 'w' || to - from > NOT_MEMORY ||
            !!strstr(line, t->path) != guest) {
            continue;
        }
        /* pieces overlap, so that none of it is missed */
        for (; from < to; from += PIECE) {
            n = pread(mem, piece, MIN(PIECE + len - 1, to - from), from);
            for (ssize_t i = 0; i + (ssize_t)len <= n; i++) {
                uint8_t *p = memchr(piece + i, what[0], n - len + 1 - i);

                if (!p) {
                    break;
                }
                i = p - piece;
                if (!memcmp(p, what, len)) {
                    found++;
                    if (!guest) {
                        g_test_message("%s is at 0x%llx of %s", name,
                                       from + (unsigned long long)i,
                                       g_strchomp(line));
                    }
                }
            }
        }
    }
    fclose(maps);
    close(mem);
    return found;
}

static void reversed(uint8_t *to, const uint8_t *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        to[i] = from[n - 1 - i];
    }
}

/* Is the key in QEMU's memory? Both halves have to answer alike. */
static bool key_found(Secrets *t)
{
    bool lo = search(t, "the key's first half", t->c.key, 16, false);
    bool hi = search(t, "the key's second half", t->c.key + 16, 16, false);

    g_assert_cmpint(lo, ==, hi);
    return lo;
}

/* The IV as it is in the parameters, or as a number of the host's order. */
static bool iv_found(Secrets *t)
{
    uint8_t number[8];

    reversed(number, t->c.iv + 4, sizeof(number));
    return search(t, "the IV", t->c.iv, IV, false) +
           search(t, "the implicit IV", number, sizeof(number), false) > 0;
}

static bool plain_found(Secrets *t)
{
    return search(t, "plaintext", t->plain, PLAIN, false) > 0;
}

/* ------------------------------------------------------- the connection --- */

static void secrets_start(Secrets *t, bool hotplug, const char *props)
{
    int fd, i;

    memset(t, 0, sizeof(*t));
    t->rand = g_rand_new();
    fd = g_file_open_tmp("mlx5-ram-XXXXXX", &t->path, NULL);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, RAM_MIB * MiB), ==, 0);
    t->ram = mmap(NULL, RAM_MIB * MiB, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                  0);
    g_assert_true(t->ram != MAP_FAILED);
    close(fd);
    t->d = drv_start_on_file(hotplug, props, t->path, RAM_MIB);
    drv_cmdq_init(t->d);
    drv_hca_up(t->d);
    drv_eq_create(t->d, &t->eq, 6, 0, 0);
    drv_cq_create(t->d, &t->cq, LOG_RQ, t->eq.eqn);
    drv_cq_create(t->d, &t->sq_cq, 6, t->eq.eqn);
    drv_sq_create(t->d, &t->sq, 6, &t->sq_cq, 0);
    drv_rq_create(t->d, &t->rq, LOG_RQ, 4, &t->cq, 0, false);
    t->mem = drv_mem(t->d, BUF);
    t->buf = drv_mem(t->d, BUF << LOG_RQ);
    for (i = 0; i < 1 << LOG_RQ; i++) {
        DrvSeg seg = { .addr = t->buf + i * BUF, .len = BUF };

        drv_rq_post(t->d, &t->rq, &seg, 1);
    }
    drv_rq_publish(t->d, &t->rq);

    tls_conn(&t->c, 3, 0); /* TLS 1.3, AES-256 */
    t->c.rec_no = 0;
    for (i = 0; i < KEY; i++) {
        t->c.key[i] = g_rand_int(t->rand);
    }
    for (i = 0; i < IV; i++) {
        t->c.iv[i] = g_rand_int(t->rand);
    }
    for (i = 0; i < PLAIN; i++) {
        t->plain[i] = g_rand_int(t->rand);
    }
}

static void secrets_stop(Secrets *t)
{
    drv_stop(t->d);
    g_assert_cmpint(munmap(t->ram, RAM_MIB * MiB), ==, 0);
    g_unlink(t->path);
    g_free(t->path);
    g_rand_free(t->rand);
}

/* CREATE_GENERAL_OBJECT; the key goes into the mailbox without a detour. */
static void make_dek(Secrets *t)
{
    static const uint8_t none[KEY];
    uint8_t out[16];
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(t->d, none, KEY, &len);
    DrvCmd cmd;

    drv_cmd_post(t->d, &cmd, 0, in, len, sizeof(out));
    memcpy(t->ram + cmd.in_box + 0x50 - 16, t->c.key, KEY);
    drv_cmd_ring(t->d, 1);
    g_assert_cmphex(drv_cmd_finish(t->d, &cmd, out).status, ==,
                    MLX5_STATUS_OK);
    t->dek = MLX5_GET(general_obj_out_cmd_hdr, out, obj_id);
}

/* Static params, the IV likewise, and SET_PSV. */
static void set_params(Secrets *t, bool tir, uint32_t num)
{
    TlsConn blank = t->c;
    uint8_t p[TLS_STATIC_LEN];
    uint16_t index;
    DrvWqe w;

    memset(blank.iv, 0, IV);
    tls_static(p, &blank, t->dek, 0);
    drv_wqe_static(&w, &t->sq, tir, num, p, true, false);
    index = drv_sq_put(t->d, &t->sq, &w);
    memcpy(t->ram + t->sq.buf + (index % 64) * 64 + 128 + 0x14, t->c.iv, IV);
    drv_wqe_set_psv(&w, &t->sq, tir, num, tir ? t->c.seq : 0, true, true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

static void open_connection(Secrets *t)
{
    make_dek(t);
    t->tisn = drv_tis_tls(t->d);
    t->tirn = drv_tir_tls(t->d, t->rq.rqn);
    drv_steer_all(t->d, &t->st, t->tirn, 0);
    set_params(t, false, t->tisn);
    set_params(t, true, t->tirn);
}

/* A record of plaintext that is the pattern, from an odd byte on. */
static void make_record(Secrets *t, GByteArray *clear, GByteArray *wire)
{
    uint8_t text[PAYLOAD];

    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = t->plain[(i + 3) % PLAIN];
    }
    tls_record(&t->c, REC_DATA, text, sizeof(text), clear, wire);
}

/*
 * A SEND marked for the TIS with @n bytes of stream, pointed at or (@inline_)
 * in the WQE. @sent: it leaves, and as we are whom it is for it comes back.
 */
static void send_stream(Secrets *t, const uint8_t *clear, size_t n,
                        uint32_t seq, bool inline_, bool sent)
{
    FrameSpec s = rig_spec(4, 6, n);
    uint16_t index;
    uint8_t cqe[64];
    Frame f;
    DrvWqe w;

    s.seq = seq;
    f = frame_build(&s);
    drv_wqe(&w, &t->sq, WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, t->tisn);
    drv_wqe_eth(&w, ETH_L3_CSUM | ETH_L4_CSUM, 0, f.data, f.payload);
    if (inline_) {
        unsigned at = w.ds * 16;

        MLX5_SET(wqe_data, w.b + at, is_inline, 1);
        MLX5_SET(wqe_data, w.b + at, byte_count, n);
        w.ds += DIV_ROUND_UP(4 + n, 16);
        index = drv_sq_put(t->d, &t->sq, &w);
        for (unsigned i = 0; i < n; i++) {
            /* the ring may end in the middle of it */
            t->ram[t->sq.buf + (index % 64 * 64 + at + 4 + i) % 4096] =
                clear[i];
        }
    } else {
        memcpy(t->ram + t->mem, clear, n);
        drv_wqe_data(&w, t->d->lkey, t->mem, n);
        index = drv_sq_put(t->d, &t->sq, &w);
    }
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
    if (sent) {
        drv_cq_wait(t->d, &t->cq, cqe);
        g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, 1);
        g_assert_cmpmem(t->ram + t->buf + t->received++ * BUF + f.payload,
                        PAYLOAD, clear, PAYLOAD);
    }
    frame_free(&f);
}

static void dump(Secrets *t, const uint8_t *clear, size_t n)
{
    uint16_t index;
    DrvWqe w;

    memcpy(t->ram + t->mem, clear, n);
    drv_wqe_dump(&w, &t->sq, t->tisn, t->d->lkey, t->mem, n, true);
    MLX5_SET(wqe_ctrl, w.b, ce, 2);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect(t->d, &t->sq, index);
}

/*
 * All ways that plaintext goes: out and in, inline, by DUMP, and into the bin.
 */
static void traffic(Secrets *t)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    g_autoptr(GByteArray) wire = g_byte_array_new();
    uint32_t seq = t->c.seq;
    FrameSpec s;
    uint8_t cqe[64];
    size_t n;
    Frame f;

    make_record(t, clear, NULL);
    n = clear->len;
    make_record(t, clear, wire);
    make_record(t, clear, NULL);
    send_stream(t, clear->data, n, seq, false, true);
    /* the second record comes from the wire, while the TIS is told of it */
    s = rig_spec(4, 6, n);
    s.seq = seq + n;
    s.payload = wire->data;
    f = frame_build(&s);
    drv_wire_send(t->d, f.data, f.len);
    drv_cq_wait(t->d, &t->cq, cqe);
    g_assert_cmpuint(MLX5_GET(cqe, cqe, tls_offload), ==, 1);
    g_assert_cmpmem(t->ram + t->buf + t->received++ * BUF + f.payload, PAYLOAD,
                    clear->data + n, PAYLOAD);
    frame_free(&f);
    dump(t, clear->data + n, n);
    send_stream(t, clear->data + 2 * n, n, seq + 2 * n, true, true);
    /* not the sequence number that is due: dropped as it is */
    send_stream(t, clear->data, n, seq + 1, false, false);
    send_stream(t, clear->data, n, seq + 2, true, false);
    /* no header where one must be */
    send_stream(t, clear->data + 5, n - 5, seq + 3 * n, false, false);
    g_assert_cmpuint(drv_counter(t->d, "tls_tx_seq_mismatch"), ==, 2);
    g_assert_cmpuint(drv_counter(t->d, "tls_tx_bad_header"), ==, 1);
    g_assert_cmpuint(drv_counter(t->d, "tls_rx_decrypted"), ==, 3);
}

/* ---------------------------------------------------------------- tests --- */

static void end_connection(Secrets *t, End end)
{
    Drv *d = t->d;
    uint8_t cap;
    uint16_t ctl;

    switch (end) {
    case END_OBJECTS:
        drv_unsteer(d, &t->st);
        drv_cmd_id_ok(d, OP_DESTROY_TIR, t->tirn);
        drv_cmd_id_ok(d, OP_DESTROY_TIS, t->tisn);
        drv_dek_destroy(d, t->dek);
        break;
    case END_TEARDOWN:
        drv_cmd_id_ok(d, OP_TEARDOWN_HCA, 0);
        d->pd = 0;
        break;
    case END_DISABLE:
        drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
        d->pd = 0;
        break;
    case END_FLR:
        cap = qpci_find_capability(d->pci, PCI_CAP_ID_EXP, 0);
        ctl = qpci_config_readw(d->pci, cap + PCI_EXP_DEVCTL);
        qpci_config_writew(d->pci, cap + PCI_EXP_DEVCTL,
                           ctl | PCI_EXP_DEVCTL_BCR_FLR);
        d->pd = 0;
        break;
    case END_RESET:
        qtest_system_reset(d->qts);
        d->pd = 0;
        break;
    case END_UNPLUG:
        drv_unplug(d);
        break;
    }
}

static void test_end(End end, const char *props)
{
    Secrets t;

    secrets_start(&t, end == END_UNPLUG, props);
    g_assert_false(key_found(&t));
    open_connection(&t);
    traffic(&t);
    /* in use there are the key and the IV: the search finds what is there */
    g_assert_true(key_found(&t));
    g_assert_true(iv_found(&t));
    g_assert_cmpuint(search(&t, "plaintext", t.plain, PLAIN, true), >, 0);
    /* but what has been sent or received is gone */
    g_assert_false(plain_found(&t));
    end_connection(&t, end);
    g_assert_false(plain_found(&t));
    g_assert_false(key_found(&t));
    g_assert_false(iv_found(&t));
    if (end == END_UNPLUG) {
        drv_plug(t.d, "drop");
    } else if (end != END_OBJECTS) {
        /* a machine as it was, for drv_stop() to look at */
        drv_map(t.d);
    }
    secrets_stop(&t);
}

static const struct {
    const char *name;
    End end;
} ends[] = {
    { "objects", END_OBJECTS }, { "teardown", END_TEARDOWN },
    { "disable", END_DISABLE }, { "flr", END_FLR },
    { "reset", END_RESET }, { "unplug", END_UNPLUG },
};

static void test_plain(const void *data)
{
    test_end(GPOINTER_TO_INT(data), "");
}

/* The checker has its own copies. */
static void test_strict(const void *data)
{
    test_end(GPOINTER_TO_INT(data), ",strict=on");
}

/* A key that another is loaded over is gone when the card's cache lets go. */
static void test_rekey(void)
{
    Secrets t;

    secrets_start(&t, false, "");
    open_connection(&t);
    traffic(&t);
    g_assert_true(key_found(&t));
    drv_dek_destroy(t.d, t.dek);
    /* a context outlives the object: TIS are used again */
    g_assert_true(key_found(&t));
    t.dek = 0;
    set_params(&t, false, t.tisn);
    set_params(&t, true, t.tirn);
    g_assert_false(key_found(&t));
    secrets_stop(&t);
}

void mlx5_secret_tests(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *plain = g_strdup_printf("mlx5-ktls/secret/%s",
                                                 ends[i].name);
        g_autofree char *strict = g_strdup_printf("mlx5-ktls/secret/strict-%s",
                                                  ends[i].name);

        qtest_add_data_func(plain, GINT_TO_POINTER(ends[i].end), test_plain);
        qtest_add_data_func(strict, GINT_TO_POINTER(ends[i].end), test_strict);
    }
    qtest_add_func("mlx5-ktls/secret/rekey", test_rekey);
}
