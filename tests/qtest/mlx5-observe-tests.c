/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of the device's own output: the record log and the traces, including
 * foreign strings in them. Owns no state.
 */
#include "mlx5-fault.h"
#include "mlx5-tests.h"
#include "qapi/error.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include <sys/stat.h>

#define OP_SET_DRIVER_VERSION 0x10d
#define DRIVER_VERSION_OFFSET 0x10
#define DRIVER_VERSION_LEN 0x40
/* What does not exist. */
#define OP_UNKNOWN 0x7fe
#define REG_UNKNOWN 0x1234
#define NO_TIS 0xabcde
#define NO_SQ 0xabcde
#define WQE_UNKNOWN 0x3f

#define BAD(status, syn) MLX5_STATUS_##status, MLX5_SYN_##syn

/* A context that sends, in a device whose log is a file. */
typedef struct Sender {
    TxRig rig;
    Drv *d;
    TlsConn c;
    uint32_t tisn;
    uint64_t mem;
    char *dir;
    char *log;
} Sender;

enum { PLAIN = 20 };

static void sender_start(Sender *s, Drv *d)
{
    uint8_t p[TLS_STATIC_LEN];
    uint32_t dek;
    DrvWqe w;

    memset(s, 0, sizeof(*s));
    s->dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
    s->log = g_build_filename(s->dir, "log", NULL);
    s->d = d;
    s->rig.d = d;
    drv_eq_create(d, &s->rig.eq, 6, 0, 0);
    drv_cq_create(d, &s->rig.cq, 6, s->rig.eq.eqn);
    drv_sq_create(d, &s->rig.sq, 6, &s->rig.cq, drv_tis_create(d));
    tls_conn(&s->c, 0, 1);
    dek = drv_dek_create(d, s->c.key, s->c.key_len);
    s->tisn = drv_tis_tls(d);
    s->mem = drv_mem(d, 4096);
    tls_static(p, &s->c, dek, 0);
    drv_wqe_static(&w, &s->rig.sq, false, s->tisn, p, false, false);
    drv_sq_put(d, &s->rig.sq, &w);
    drv_wqe_set_psv(&w, &s->rig.sq, false, s->tisn, 0, true, false);
    drv_sq_put(d, &s->rig.sq, &w);
    drv_wqe(&w, &s->rig.sq, WQE_NOP, false);
    MLX5_SET(wqe_ctrl, w.b, fm, 1);
    drv_sq_put(d, &s->rig.sq, &w);
    fault_do(d, "record-log", s->log);
}

static void sender_stop(Sender *s)
{
    drv_stop(s->d);
    unlink(s->log);
    rmdir(s->dir);
    g_free(s->log);
    g_free(s->dir);
}

/* Sends one packet with @n records: @n lines. */
static void send_records(Sender *s, unsigned n)
{
    g_autoptr(GByteArray) clear = g_byte_array_new();
    FrameSpec spec;
    Frame f;
    DrvWqe w;
    uint16_t index;
    uint8_t out[DRV_MAX_FRAME];
    unsigned i;

    for (i = 0; i < n; i++) {
        tls_pattern(&s->c, PLAIN, clear, NULL);
    }
    spec = rig_spec(4, 6, clear->len);
    spec.seq = s->c.seq;
    spec.payload = clear->data;
    f = frame_build(&spec);
    drv_write(s->d, s->mem, clear->data, clear->len);
    drv_wqe(&w, &s->rig.sq, WQE_SEND, true);
    MLX5_SET(wqe_ctrl, w.b, tis_tir_num, s->tisn);
    drv_wqe_eth(&w, 0, 0, f.data, f.payload);
    drv_wqe_data(&w, s->d->lkey, s->mem, clear->len);
    index = drv_sq_put(s->d, &s->rig.sq, &w);
    drv_sq_ring(s->d, &s->rig.sq);
    drv_sq_expect(s->d, &s->rig.sq, index);
    drv_wire_recv(s->d, out);
    s->c.seq += clear->len;
    frame_free(&f);
}

/* The log's text. Each line of it is JSON, of this device. */
static char *read_log(Sender *s, const char *id, unsigned *n)
{
    g_auto(GStrv) lines = NULL;
    char *text;

    g_assert_true(g_file_get_contents(s->log, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (*n = 0; *lines[*n]; (*n)++) {
        QObject *line = qobject_from_json(lines[*n], &error_abort);

        g_assert_cmpstr(qdict_get_str(qobject_to(QDict, line), "dev"), ==, id);
        qobject_unref(line);
    }
    g_assert_null(lines[*n + 1]);
    return text;
}

/* The lines of @path that begin with @event. To be freed. */
static char *trace_lines(const char *path, const char *event)
{
    g_autoptr(GString) found = g_string_new(NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned i;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i]; i++) {
        g_test_message("%s", lines[i]);
        /* nothing else may be in the file */
        g_assert_true(!*lines[i] || g_str_has_prefix(lines[i], "mlx5_"));
        if (g_str_has_prefix(lines[i], event)) {
            g_string_append_printf(found, "%s\n", lines[i]);
        }
    }
    return g_strdup(found->str);
}

/* Byte by byte, as readers know it. */
static void test_format(void)
{
    g_autofree char *text = NULL, *expected = NULL;
    uint64_t number;
    uint32_t seq;
    unsigned n;
    Sender s;

    sender_start(&s, drv_start_up(""));
    number = s.c.rec_no;
    seq = s.c.seq;
    send_records(&s, 1);
    text = read_log(&s, "nic", &n);
    expected = g_strdup_printf(
        "{\"dev\": \"nic\", \"dir\": \"tx\", \"tisn\": %u, "
        "\"record\": %" PRIu64 ", \"tcp_sn\": %u, "
        "\"len\": %zu, \"type\": 23, "
        "\"mode\": \"encrypt\", \"end\": \"done\", "
        "\"verdict\": \"sent\", \"before\": \"START\", "
        "\"after\": \"ACTIVE_SEQ\"}\n",
        s.tisn, number, seq, tls_record_len(&s.c, PLAIN));
    g_assert_cmpstr(text, ==, expected);
    sender_stop(&s);
}

/* Whatever the device is called, each line is JSON. */
static void test_quoted_id(void)
{
    static const char *const ids[] = {
        "a\"b", "c\\d", "e\",\"dir\":\"rx", "gr\xc3\xbc\xc3\x9f", "{'%s'}",
    };
    unsigned i, n;

    for (i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *path = g_strdup_printf("/machine/peripheral/%s",
                                                ids[i]);
        g_autofree char *text = NULL;
        Sender s;

        sender_start(&s, drv_start_up_as(ids[i], path, ""));
        send_records(&s, 3);
        text = read_log(&s, ids[i], &n);
        g_test_message("%s", text);
        g_assert_cmpuint(n, ==, 3);
        sender_stop(&s);
    }
}

static uint64_t log_size(Sender *s)
{
    struct stat st;

    g_assert_cmpint(stat(s->log, &st), ==, 0);
    return st.st_size;
}

static void set_max(Sender *s, uint64_t max)
{
    qtest_qmp_assert_success(s->d->qts, "{'execute': 'qom-set', 'arguments': "
                             "{'path': %s, 'property': 'record-log-max', "
                             "'value': %d}}", s->d->path, (int)max);
}

/*
 * The file gets as long as it may, with whole lines; then it ends, which is
 * said once. It goes on when there is a higher limit, another file, or room
 * again.
 */
static void test_log_max(void)
{
    g_autofree char *dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
    g_autofree char *said = g_build_filename(dir, "trace", NULL);
    g_autofree char *props = g_strdup_printf(",record-log-max=1000 "
                                             "-trace mlx5_err_record_log -D %s",
                                             said);
    g_autofree char *text = NULL, *warned = NULL, *again = NULL;
    unsigned n, line;
    uint64_t size;
    Sender s;

    sender_start(&s, drv_start_up(props));
    send_records(&s, 1);
    line = log_size(&s);
    for (n = 0; n < 10; n++) {
        send_records(&s, 5);
    }
    text = read_log(&s, "nic", &n);
    size = log_size(&s);
    g_assert_cmpuint(size, <=, 1000);
    /*
     * the next one would not have fitted, give or take a digit of its numbers
     */
    g_assert_cmpuint(size, >, 1000 - line - 8);
    warned = trace_lines(said, "mlx5_err_record_log");
    g_assert_cmpstr(warned, ==,
                    "mlx5_err_record_log nic: the file is as long as "
                    "record-log-max allows: no more lines\n");
    /* more room */
    set_max(&s, 2000);
    send_records(&s, 1);
    g_assert_cmpuint(log_size(&s), >, size);
    /* it was cut, as those who rotate logs do */
    send_records(&s, 25);
    g_assert_cmpuint(log_size(&s), <=, 2000);
    size = log_size(&s);
    send_records(&s, 1);
    g_assert_cmpuint(log_size(&s), ==, size);
    g_assert_cmpint(truncate(s.log, 0), ==, 0);
    send_records(&s, 1);
    g_assert_cmpuint(log_size(&s), >, 0);
    /* set again, as the lab does after it has taken the file away */
    send_records(&s, 25);
    unlink(s.log);
    fault_do(s.d, "record-log", s.log);
    send_records(&s, 1);
    g_assert_cmpuint(log_size(&s), >, 0);
    /* no limit at all */
    set_max(&s, 0);
    for (n = 0; n < 3; n++) {
        send_records(&s, 25);
    }
    g_assert_cmpuint(log_size(&s), >, 75 * (line - 8));
    again = trace_lines(said, "mlx5_err_record_log");
    g_assert_cmpuint(strlen(again), ==, 3 * strlen(warned));
    sender_stop(&s);
    unlink(said);
    rmdir(dir);
}

/* An id that would break each line that the device traces. */
static void test_bad_id(void)
{
    static const char *const ids[] = { "a\nb", "\x1b[31m", "c\x7f" };
    QTestState *qts = qtest_init("-machine q35 -nodefaults "
                                 "-device pcie-root-port,id=rp0,slot=1");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(ids); i++) {
        QDict *rsp = qtest_qmp(qts, "{'execute': 'device_add', 'arguments': "
                               "{'driver': 'mlx5-ktls', 'bus': 'rp0', "
                               "'id': %s}}", ids[i]);

        g_assert_true(qdict_haskey(rsp, "error"));
        g_assert_nonnull(strstr(qdict_get_str(qdict_get_qdict(rsp, "error"),
                                              "desc"), "control character"));
        qobject_unref(rsp);
    }
    qtest_quit(qts);
}

/* What the driver and whoever sets faults say comes into traces in one line. */
static void test_traces(void)
{
    static const char version[] = "Linux\n\x1b[31mred\x7f\xc3\xa4\\x41\t~";
    uint8_t in[DRIVER_VERSION_OFFSET + DRIVER_VERSION_LEN] = { 0 };
    g_autofree char *dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "trace", NULL);
    g_autofree char *props = g_strdup_printf(" -trace mlx5_driver_version "
                                             "-trace mlx5_fault_hit -D "
                                             "%s", path);
    g_autofree char *said = NULL, *long_said = NULL, *hit = NULL;
    Drv *d = drv_start_up(props);
    DrvCmd c;

    MLX5_SET(cmd_in, in, opcode, OP_SET_DRIVER_VERSION);
    memcpy(in + DRIVER_VERSION_OFFSET, version, sizeof(version));
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    said = trace_lines(path, "mlx5_driver_version");
    g_assert_cmpstr(said, ==, "mlx5_driver_version nic: Linux\\x0a\\x1b[31mred"
                              "\\x7f\\xc3\\xa4\\x5cx41\\x09~\n");
    /* as long as there is room, without an end */
    memset(in + DRIVER_VERSION_OFFSET, '\n', DRIVER_VERSION_LEN);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
    long_said = trace_lines(path, "mlx5_driver_version");
    g_assert_cmpuint(strlen(long_said) - strlen(said), ==,
                     strlen("mlx5_driver_version nic: ") +
                         4 * DRIVER_VERSION_LEN + 1);

    fault_add(d, "hold cmd=NOP name=a\x1b[2Jb count=1");
    memset(in, 0, 16);
    MLX5_SET(cmd_in, in, opcode, OP_NOP);
    drv_cmd_post(d, &c, 0, in, 16, 16);
    drv_cmd_ring(d, 1);
    DRV_WAIT(fault_rule(d, 0).waiting);
    hit = trace_lines(path, "mlx5_fault_hit");
    g_assert_nonnull(strstr(hit, "'hold cmd=NOP name=a\\x1b[2Jb count=1'"));
    fault_release(d, "a\x1b[2Jb", 1);
    drv_cmd_finish(d, &c, NULL);
    drv_stop(d);
    unlink(path);
    rmdir(dir);
}

/* One mistake of each sort, and a limit that is nobody's mistake. */
static void make_mistakes(TxRig *t)
{
    uint8_t in[0x120] = { 0 }, reg[16] = { 0 };
    DrvSq none = t->sq;
    uint16_t index;
    DrvWqe w;

    MLX5_SET(cmd_in, in, opcode, OP_UNKNOWN);
    drv_cmd_fails(t->d, in, 16, 16, BAD(BAD_OP, UNKNOWN_OPCODE));
    g_assert_cmphex(drv_access_reg(t->d, REG_UNKNOWN, false, reg,
                                   sizeof(reg)).status, !=, 0);
    drv_cmd_id_fails(t->d, OP_DESTROY_TIS, NO_TIS, BAD(BAD_RES, NO_SUCH_TIS));
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_RQT);
    MLX5_SET(rqtc, in + 0x20, rqt_max_size, 0xffff);
    drv_cmd_fails(t->d, in, sizeof(in), 16, BAD(EXCEED_LIM, RQT_TOO_LARGE));
    none.sqn = NO_SQ;
    drv_sq_ring(t->d, &none);
    drv_wqe(&w, &t->sq, WQE_UNKNOWN, true);
    index = drv_sq_put(t->d, &t->sq, &w);
    drv_sq_ring(t->d, &t->sq);
    drv_sq_expect_error(t->d, &t->sq, index, SYN_QP_OP);
}

/* The next line of *@text, without its end; NULL behind the last. */
static char *next_line(char **text)
{
    char *line = *text, *end = strchr(line, '\n');

    if (!end) {
        return NULL;
    }
    *end = '\0';
    *text = end + 1;
    return line;
}

/*
 * What is wrong is in the traces, all of it under one stem; QEMU's log has what
 * its mask asks for, in the same words. What is right is in neither.
 */
static void test_errors(void)
{
    enum { GUEST = 1, UNIMP = 2 };
    static const struct {
        unsigned mask;
        const char *event, *text;
    } said[] = {
        { UNIMP, "cmd", "slot 0 unknown (0x7fe) op_mod 0x0 uid 0 inlen 16 "
          "outlen 16: status 0x2: no such command" },
        { UNIMP, "reg_unknown", "register 0x1234 does not exist (read)" },
        { UNIMP, "cmd", "slot 0 ACCESS_REG (0x805) op_mod 0x1 uid 0 inlen 32 "
          "outlen 32: status 0x3: no such register" },
        { GUEST, "cmd", "slot 0 DESTROY_TIS (0x914) op_mod 0x0 uid 0 inlen 16 "
          "outlen 16: status 0x5: no such TIS" },
        { 0, "cmd", "slot 0 CREATE_RQT (0x916) op_mod 0x0 uid 0 inlen 288 "
          "outlen 16: status 0x8: table larger than log_max_rqt_size" },
        { GUEST, "doorbell_unknown", "doorbell for sq 0xabcde, which does not "
          "exist" },
        { UNIMP, "wqe_opcode", "sq SQN at 0: opcode 0x3f is not implemented" },
        { GUEST, "sq", "sq SQN at 0 opcode 0x3f syndrome 0x2" },
    };
    static const char *const masks[] = {
        "", "-d guest_errors", "-d unimp", "-d guest_errors,unimp",
    };
    unsigned mask, i;

    for (mask = 0; mask < G_N_ELEMENTS(masks); mask++) {
        g_autofree char *dir = g_dir_make_tmp("mlx5-qtest-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(dir, "log", NULL);
        g_autofree char *props = g_strdup_printf(" -trace mlx5_err_* %s -D %s",
                                                 masks[mask], path);
        g_autofree char *before = NULL, *log = NULL;
        char *at;
        TxRig t;

        tx_rig_with(&t, 6, props);
        g_assert_true(g_file_get_contents(path, &before, NULL, NULL));
        g_assert_cmpstr(before, ==, "");
        make_mistakes(&t);
        g_assert_true(g_file_get_contents(path, &log, NULL, NULL));
        g_test_message("%s", log);
        at = log;
        for (i = 0; i < G_N_ELEMENTS(said); i++) {
            g_autofree char *sqn = g_strdup_printf("0x%x", t.sq.sqn);
            g_auto(GStrv) around = g_strsplit(said[i].text, "SQN", -1);
            g_autofree char *text = g_strjoinv(sqn, around);
            g_autofree char *trace = NULL, *line = NULL;

            trace = g_strdup_printf("mlx5_err_%s nic: %s", said[i].event, text);
            g_assert_cmpstr(next_line(&at), ==, trace);
            if (said[i].mask & mask) {
                line = g_strdup_printf("mlx5-ktls nic: %s", text);
                g_assert_cmpstr(next_line(&at), ==, line);
            }
        }
        g_assert_null(next_line(&at));
        drv_stop(t.d);
        unlink(path);
        rmdir(dir);
    }
}

void mlx5_observe_tests(void)
{
    qtest_add_func("mlx5-ktls/observe/format", test_format);
    qtest_add_func("mlx5-ktls/observe/quoted-id", test_quoted_id);
    qtest_add_func("mlx5-ktls/observe/log-max", test_log_max);
    qtest_add_func("mlx5-ktls/observe/bad-id", test_bad_id);
    qtest_add_func("mlx5-ktls/observe/traces", test_traces);
    qtest_add_func("mlx5-ktls/observe/errors", test_errors);
}
