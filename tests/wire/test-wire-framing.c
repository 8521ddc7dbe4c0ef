/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of what surrounds the wire: the framing of byte streams, cut anywhere,
 * the JSON of the control socket, its commands, and what they leave in files.
 */
#include "bench.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "control.h"
#include "framing.h"
#include "json.h"

/* Frames of these lengths come out whole, wherever the bytes are cut. */
static void test_cut_anywhere(void)
{
    static const uint32_t lens[] = {
        60, 0, 1, 1514, 3, 4, 5, WIRE_MAX_FRAME, 64
    };
    GByteArray *all = g_byte_array_new();
    unsigned round, i;

    for (i = 0; i < G_N_ELEMENTS(lens); i++) {
        uint8_t prefix[4] = { 0, (uint8_t)(lens[i] >> 16),
                              (uint8_t)(lens[i] >> 8), (uint8_t)lens[i] };
        uint8_t *frame = g_malloc(lens[i] + 1);

        memset(frame, (int)i + 1, lens[i]);
        g_byte_array_append(all, prefix, 4);
        g_byte_array_append(all, frame, lens[i]);
        g_free(frame);
    }
    for (round = 0; round < 400; round++) {
        WireFraming f;
        guint at = 0, n = 0, b;

        wire_framing_init(&f);
        while (at < all->len) {
            /*
             * the first rounds cut at each of the first bytes, the others
             * anywhere
             */
            guint came = round < 200 ? (at ? all->len - at : round + 1)
                                     : (guint)g_test_rand_int_range(1, 5000);
            guint want;
            const uint8_t *frame;
            WireFramed framed;
            uint32_t len;

            came = MIN(came, all->len - at);
            want = came + 100;
            memcpy(wire_framing_room(&f, want), all->data + at, came);
            wire_framing_received(&f, want, came);
            at += came;
            while ((framed = wire_framing_next(&f, &frame, &len)) ==
                   WIRE_FRAMED_ONE) {
                g_assert_cmpuint(n, <, G_N_ELEMENTS(lens));
                g_assert_cmpuint(len, ==, lens[n]);
                for (b = 0; b < len; b++) {
                    g_assert_cmpuint(frame[b], ==, n + 1);
                }
                n++;
            }
            g_assert_cmpint(framed, ==, WIRE_FRAMED_NONE);
        }
        g_assert_cmpuint(n, ==, G_N_ELEMENTS(lens));
        g_assert_cmpuint(wire_framing_rest(&f), ==, 0);
        wire_framing_clear(&f);
    }
    g_byte_array_unref(all);
}

static void test_too_long(void)
{
    static const uint8_t bad[4] = { 0, 1, 0x10, 1 };    /* WIRE_MAX_FRAME + 1 */
    const uint8_t *frame;
    uint32_t len = 0;
    WireFraming f;

    wire_framing_init(&f);
    memcpy(wire_framing_room(&f, 4), bad, 4);
    wire_framing_received(&f, 4, 4);
    g_assert_cmpint(wire_framing_next(&f, &frame, &len), ==, WIRE_FRAMED_BAD);
    g_assert_cmpuint(len, ==, WIRE_MAX_FRAME + 1);
    wire_framing_clear(&f);
}

/* What is queued is what goes out, sent in any pieces. */
static void test_out(void)
{
    GByteArray *got = g_byte_array_new(), *want = g_byte_array_new();
    WireFraming f;
    unsigned i;
    guint len;

    wire_framing_init(&f);
    for (i = 0; i < 3000; i++) {
        uint32_t n = (uint32_t)g_test_rand_int_range(0, 300);
        uint8_t *frame = g_malloc(n + 1),
                prefix[4] = { 0, 0, (uint8_t)(n >> 8), (uint8_t)n };
        const uint8_t *queued;
        guint piece;

        frame_random_bytes(frame, n);
        g_byte_array_append(want, prefix, 4);
        g_byte_array_append(want, frame, n);
        wire_framing_put(&f, frame, n);
        g_free(frame);
        queued = wire_framing_queued(&f, &len);
        piece = (guint)g_test_rand_int_range(0, (gint)len + 1);
        g_byte_array_append(got, queued, piece);
        wire_framing_sent(&f, piece);
    }
    {
        const uint8_t *queued = wire_framing_queued(&f, &len);

        g_byte_array_append(got, queued, len);
        wire_framing_sent(&f, len);
    }
    wire_framing_queued(&f, &len);
    g_assert_cmpuint(len, ==, 0);
    g_assert_cmpmem(got->data, got->len, want->data, want->len);
    wire_framing_clear(&f);
    g_byte_array_unref(got);
    g_byte_array_unref(want);
}

static void test_json(void)
{
    static const char *const bad[] = {
        "",
        "{",
        "{}x",
        "[]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1.5}",
        "{\"a\":1e9}",
        "{\"a\":99999999999999999999}",
        "{\"a\":{}}",
        "{\"a\":[1]}",
        "{\"a\":[\"b\"}",
        "{\"a\":\"b}",
        "{\"a\":\"\\q\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":1,}",
        "{\"a\":tru}",
        "{\"a\":-}",
        "{a:1}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
    };
    GHashTable *o;
    GString *out = g_string_new(NULL);
    const WireJson *v;
    char *err = NULL;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_null(wire_json_read(bad[i], &err));
        g_assert_nonnull(err);
        g_test_message("%s: %s", bad[i], err);
        g_clear_pointer(&err, g_free);
    }
    o = wire_json_read(
        " {\"a\" : -7, \"b\":\"\\u00e4\\\"\\\\\\n\\ud83d\\ude00\",\"c\":true,"
        "\"d\":null,\"e\":[],\"f\":[\"x\", \"y\"],\"g\":false, "
        "\"a\":8 } ",
        &err);
    g_assert_nonnull(o);
    v = g_hash_table_lookup(o, "a");
    g_assert_cmpint(v->type, ==, WIRE_JSON_NUMBER);
    g_assert_cmpint(v->number, ==, 8);
    v = g_hash_table_lookup(o, "b");
    g_assert_cmpstr(v->string, ==, "\xc3\xa4\"\\\n\xf0\x9f\x98\x80");
    v = g_hash_table_lookup(o, "c");
    g_assert_true(v->type == WIRE_JSON_BOOL && v->truth);
    v = g_hash_table_lookup(o, "d");
    g_assert_cmpint(v->type, ==, WIRE_JSON_NULL);
    v = g_hash_table_lookup(o, "e");
    g_assert_cmpuint(v->strings->len, ==, 0);
    v = g_hash_table_lookup(o, "f");
    g_assert_cmpstr(g_ptr_array_index(v->strings, 1), ==, "y");
    v = g_hash_table_lookup(o, "g");
    g_assert_true(v->type == WIRE_JSON_BOOL && !v->truth);
    g_hash_table_destroy(o);

    wire_json_string(out, "a\"b\\c\n\x01\xff");
    g_assert_cmpstr(out->str, ==, "\"a\\\"b\\\\c\\u000a\\u0001\xef\xbf\xbd\"");
    g_string_free(out, TRUE);
}

static void ask(Bench *b, const char *line, const char *want)
{
    char *answer = wire_control_answer(&b->core, NULL, line);

    g_test_message("%s -> %s", line, answer);
    g_assert_cmpstr(answer, ==, want);
    g_free(answer);
}

static void ask_error(Bench *b, const char *line, const char *part)
{
    char *answer = wire_control_answer(&b->core, NULL, line);

    g_test_message("%s -> %s", line, answer);
    g_assert_true(g_str_has_prefix(answer, "{\"ok\":false,\"error\":\""));
    g_assert_nonnull(strstr(answer, part));
    g_free(answer);
}

static void test_commands(void)
{
    Bench b;
    char *answer;

    bench_init(&b, 4, 1000);
    ask(&b, "{\"cmd\":\"rules\",\"id\":5}",
        "{\"id\":5,\"ok\":true,\"result\":[]}");
    ask(&b,
        "{\"cmd\":\"add\",\"rules\":[\"drop record=7\",\"log "
        "flags=syn\"],\"id\":\"x\"}",
        "{\"id\":\"x\",\"ok\":true,\"result\":[1,2]}");
    /* all or none */
    ask_error(&b, "{\"cmd\":\"add\",\"rules\":[\"drop\",\"drip\"]}", "'drip'");
    ask(&b, "{\"cmd\":\"rules\"}",
        "{\"ok\":true,\"result\":["
        "{\"id\":1,\"rule\":\"drop record=7\",\"matches\":0,\"hits\":0},"
        "{\"id\":2,\"rule\":\"log flags=syn\",\"matches\":0,\"hits\":0}]}");
    bench_syn(&b);
    ask(&b, "{\"cmd\":\"log\",\"since\":1}",
        "{\"ok\":true,\"result\":{\"first\":1,\"hits\":[{\"hit\":1,\"rule\":2,"
        "\"action\":\"log\",\"dir\":\"b>a\",\"frame\":0,\"flow\":0,"
        "\"packet\":0,"
        "\"frame_len\":66,\"sport\":443,\"dport\":40000,\"seq\":77,\"len\":0,"
        "\"flags\":18}],"
        "\"next\":2,\"more\":false}}");
    answer = wire_control_answer(&b.core, NULL, "{\"cmd\":\"flows\"}");
    g_assert_nonnull(
        strstr(answer, "\"a\":\"10.0.0.1:40000\",\"b\":\"10.0.0.2:443\""));
    g_free(answer);
    answer = wire_control_answer(&b.core, NULL, "{\"cmd\":\"stats\"}");
    g_assert_nonnull(
        strstr(answer, "\"a>b\":{\"frames_in\":1,\"bytes_in\":66,"));
    g_assert_nonnull(strstr(answer, "\"rules\":2,\"waiting\":0,\"hits\":2}"));
    g_free(answer);
    ask_error(&b, "{\"cmd\":\"clear\",\"rule\":9}", "no rule has the id 9");
    ask_error(&b, "{\"cmd\":\"clear\",\"rule\":\"all\"}",
              "rule: expected the id");
    ask_error(&b, "{\"cmd\":\"clear\",\"rules\":1}", "clear: takes no 'rules'");
    ask_error(&b, "{\"cmd\":\"explode\"}", "there are: add, rules, clear");
    ask_error(&b, "{}", "cmd is missing");
    ask_error(&b, "hello", "expected '{'");
    ask_error(&b, "{\"cmd\":\"log\",\"since\":-1}",
              "since: expected 0 or more");
    ask_error(&b, "{\"cmd\":\"add\"}", "needs rules");
    ask_error(&b, "{\"cmd\":\"add\",\"rules\":\"drop\"}", "expected an array");
    ask(&b, "{\"cmd\":\"clear\",\"rule\":1}", "{\"ok\":true,\"result\":null}");
    /* ids are never used again, those of refused rules neither */
    ask(&b, "{\"cmd\":\"add\",\"rules\":[\"hold name=x\"]}",
        "{\"ok\":true,\"result\":[4]}");
    bench_syn(&b);
    ask(&b, "{\"cmd\":\"release\",\"name\":\"y\"}",
        "{\"ok\":true,\"result\":0}");
    ask(&b, "{\"cmd\":\"release\",\"name\":\"x\"}",
        "{\"ok\":true,\"result\":2}");
    ask(&b, "{\"cmd\":\"reset\"}", "{\"ok\":true,\"result\":null}");
    ask(&b, "{\"cmd\":\"flows\"}", "{\"ok\":true,\"result\":[]}");
    ask(&b, "{\"cmd\":\"log\"}",
        "{\"ok\":true,\"result\":{\"first\":0,\"hits\":[],\"next\":0,"
        "\"more\":false}}");
    bench_clear(&b);
}

/* The log keeps its last lines, and is read in portions. */
static void test_long_log(void)
{
    const unsigned total = WIRE_MAX_LOG + 1500;
    uint64_t since = 0, seen = 0;
    char *answer, *p;
    unsigned i;
    Bench b;

    bench_init(&b, 4, 1000);
    bench_rule(&b, "log");
    for (i = 0; i < total; i++) {
        bench_put(&b, WIRE_A_TO_B, tcp_frame(4, WIRE_A_TO_B, i, 0x10, NULL, 0));
        bench_forget_output(&b);
    }
    do {
        char *line = g_strdup_printf(
            "{\"cmd\":\"log\",\"since\":%" G_GUINT64_FORMAT "}", since);

        answer = wire_control_answer(&b.core, NULL, line);
        for (p = answer; (p = strstr(p, "{\"hit\":")); p++) {
            g_assert_cmpuint(g_ascii_strtoull(p + 7, NULL, 10), ==,
                             1500 + seen);
            seen++;
        }
        p = strstr(answer, "\"next\":");
        since = g_ascii_strtoull(p + 7, NULL, 10);
        p = strstr(answer, "\"more\":true");
        g_free(answer);
        g_free(line);
    } while (p);
    g_assert_cmpuint(seen, ==, WIRE_MAX_LOG);
    g_assert_cmpuint(since, ==, total);
    bench_clear(&b);
}

/* A capture's next frame, of a file that has been read; false at its end. */
static bool next_frame(const char **at, const char *end, GByteArray *frame,
                       int64_t *when)
{
    uint32_t head[4];

    if (*at == end) {
        return false;
    }
    g_assert_cmpint(end - *at, >=, sizeof(head));
    memcpy(head, *at, sizeof(head));
    *at += sizeof(head);
    g_assert_cmpuint(head[2], ==, head[3]);
    g_assert_cmpint(end - *at, >=, head[2]);
    g_byte_array_set_size(frame, 0);
    g_byte_array_append(frame, (const uint8_t *)*at, head[2]);
    *at += head[2];
    *when = (int64_t)head[0] * 1000000 + head[1];
    return true;
}

/* What came, dropped or not, changed or not, is in the file as it came. */
static void test_capture(void)
{
    const uint32_t magic[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1 };
    char *folder = g_dir_make_tmp("wire-XXXXXX", NULL);
    char *path = g_build_filename(folder, "a.pcap", NULL);
    char *begin = g_strdup_printf("{\"cmd\":\"capture\",\"path\":\"%s\"}",
                                  path);
    GByteArray *frame = g_byte_array_new();
    const char *at;
    int64_t when;
    char *data;
    gsize size;
    unsigned i;
    Bench b;

    bench_init(&b, 4, 1000);
    ask_error(&b, "{\"cmd\":\"capture-end\"}", "no capture is under way");
    ask_error(&b, "{\"cmd\":\"capture\"}", "capture: needs path");
    ask_error(&b, "{\"cmd\":\"capture\",\"path\":7}", "path: expected");
    bench_syn(&b);
    ask(&b, begin, "{\"ok\":true,\"result\":null}");
    ask_error(&b, begin, "a.pcap is under way");
    bench_rule(&b, "drop segment=0");
    bench_rule(&b, "corrupt segment=1 byte=first");
    /* a capture goes on over that, the rules do not */
    ask(&b, "{\"cmd\":\"reset\"}", "{\"ok\":true,\"result\":null}");
    bench_rule(&b, "drop segment=0");
    bench_rule(&b, "corrupt segment=1 stream=500");
    bench_forget_output(&b);
    b.now = 7000003;
    for (i = 0; i < 3; i++) {
        uint8_t payload[400];

        memset(payload, (int)i, sizeof(payload));
        bench_put(&b, WIRE_A_TO_B,
                  tcp_frame(4, WIRE_A_TO_B, 1001 + 400 * i, 0x18, payload,
                            sizeof(payload)));
        b.now++;
    }
    g_assert_cmpuint(b.out[0]->len, ==, 2);
    ask(&b, "{\"cmd\":\"capture-end\"}",
        "{\"ok\":true,\"result\":{\"frames\":3,\"bytes\":1398}}");
    ask_error(&b, begin, "File exists");
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_assert_cmpmem(data, 24, magic, sizeof(magic));
    at = data + 24;
    for (i = 0; next_frame(&at, data + size, frame, &when); i++) {
        Seen seen = look(frame->data, frame->len);
        unsigned n;

        g_assert_cmpint(when, ==, 7000003 + i);
        g_assert_cmpuint(seen.seq, ==, 1001 + 400 * i);
        g_assert_cmpuint(seen.len, ==, 400);
        for (n = 0; n < seen.len; n++) {
            g_assert_cmpuint(seen.payload[n], ==, i);
        }
    }
    g_assert_cmpuint(i, ==, 3);
    bench_clear(&b);
    g_byte_array_unref(frame);
    g_free(data);
    g_remove(path);
    g_rmdir(folder);
    g_free(begin);
    g_free(path);
    g_free(folder);
}

/* A file that cannot hold all says so at the end. */
static void test_capture_full(void)
{
    Bench b;

    if (access("/dev/full", W_OK)) {
        g_test_skip("no /dev/full");
        return;
    }
    bench_init(&b, 4, 1000);
    ask_error(&b, "{\"cmd\":\"capture\",\"path\":\"/dev/full\"}",
              "File exists");
    b.core.capture.file = fopen("/dev/full", "w");
    b.core.capture.path = g_strdup("/dev/full");
    bench_syn(&b);
    ask_error(&b, "{\"cmd\":\"capture-end\"}",
              "/dev/full is incomplete: No space left");
    bench_clear(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wire/framing/cut-anywhere", test_cut_anywhere);
    g_test_add_func("/wire/framing/too-long", test_too_long);
    g_test_add_func("/wire/framing/out", test_out);
    g_test_add_func("/wire/control/json", test_json);
    g_test_add_func("/wire/control/commands", test_commands);
    g_test_add_func("/wire/control/long-log", test_long_log);
    g_test_add_func("/wire/control/capture", test_capture);
    g_test_add_func("/wire/control/capture-full", test_capture_full);
    return g_test_run();
}
