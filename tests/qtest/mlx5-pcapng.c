/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reader of the device's captures; see mlx5-pcapng.h. */
#include "qemu/osdep.h"
#include "mlx5-pcapng.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_STATISTICS = 5,
    BLOCK_PACKET = 6,
};

static uint32_t word(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

static uint16_t half(const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/*
 * The next option at *@at, before @end; false at the end of the options, which
 * must be that of the block.
 */
static bool next_option(const uint8_t *p, size_t *at, size_t end,
                        unsigned *code, const uint8_t **value, unsigned *len)
{
    g_assert_cmpuint(end - *at, >=, 4);
    *code = half(p + *at);
    *len = half(p + *at + 2);
    *value = p + *at + 4;
    *at += 4 + ROUND_UP(*len, 4);
    g_assert_cmpuint(*at, <=, end);
    if (!*code) {
        g_assert_cmpuint(*len, ==, 0);
        g_assert_cmpuint(*at, ==, end);
    }
    return *code;
}

static void read_packet(Pcapng *c, const uint8_t *p, size_t end)
{
    PcapngPacket *packet = g_new0(PcapngPacket, 1);
    size_t len = word(p + 20), at = 28 + ROUND_UP(len, 4);
    const uint8_t *value;
    unsigned code, n;

    packet->interface = word(p + 8);
    g_assert_cmpuint(packet->interface, <, c->names->len);
    g_assert_cmpuint(word(p + 24), ==, len);
    packet->frame = g_byte_array_new();
    g_byte_array_append(packet->frame, p + 28, len);
    packet->comments = g_ptr_array_new_with_free_func(g_free);
    while (next_option(p, &at, end, &code, &value, &n)) {
        if (code == 1) {
            g_ptr_array_add(packet->comments, g_strndup((char *)value, n));
        } else {
            g_assert_cmpuint(code, ==, 2);
            packet->flags = word(value);
        }
    }
    /* each packet has one, and it is text */
    g_assert_cmpuint(packet->comments->len, >, 0);
    for (n = 0; n < packet->comments->len; n++) {
        const char *said = g_ptr_array_index(packet->comments, n);

        g_assert_true(g_utf8_validate(said, -1, NULL));
        g_test_message("%s %s: %s", (char *)
                       g_ptr_array_index(c->names, packet->interface),
                       packet->flags == 1 ? "in" : "out", said);
    }
    g_ptr_array_add(c->packets, packet);
}

static void read_interface(Pcapng *c, const uint8_t *p, size_t end)
{
    const uint8_t *value;
    size_t at = 16;
    unsigned code, n, resolution = 0;

    g_assert_cmpuint(half(p + 8), ==, 1); /* Ethernet */
    while (next_option(p, &at, end, &code, &value, &n)) {
        if (code == 2) {
            g_ptr_array_add(c->names, g_strndup((char *)value, n));
        } else if (code == 9) {
            resolution = *value;
        }
    }
    g_assert_cmpuint(resolution, ==, 9);
}

static void read_statistics(Pcapng *c, const uint8_t *p, size_t end)
{
    const uint8_t *value;
    size_t at = 20;
    unsigned code, n;

    while (next_option(p, &at, end, &code, &value, &n)) {
        uint64_t v;

        g_assert_cmpuint(n, ==, 8);
        memcpy(&v, value, sizeof(v));
        g_array_append_val(c->statistics, v);
    }
}

static void packet_free(gpointer data)
{
    PcapngPacket *packet = data;

    g_byte_array_unref(packet->frame);
    g_ptr_array_unref(packet->comments);
    g_free(packet);
}

void pcapng_parse(Pcapng *c, const uint8_t *data, size_t size)
{
    size_t at = 0;

    c->names = g_ptr_array_new_with_free_func(g_free);
    c->packets = g_ptr_array_new_with_free_func(packet_free);
    c->statistics = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    while (at < size) {
        const uint8_t *p = data + at;
        uint32_t len;

        g_assert_cmpuint(size - at, >=, 12);
        len = word(p + 4);
        g_assert_cmpuint(len % 4, ==, 0);
        g_assert_cmpuint(len, <=, size - at);
        g_assert_cmpuint(word(p + len - 4), ==, len);
        switch (word(p)) {
        case BLOCK_SECTION:
            g_assert_cmpuint(at, ==, 0);
            g_assert_cmphex(word(p + 8), ==, 0x1a2b3c4d);
            break;
        case BLOCK_INTERFACE:
            read_interface(c, p, len - 4);
            break;
        case BLOCK_PACKET:
            read_packet(c, p, len - 4);
            break;
        case BLOCK_STATISTICS:
            read_statistics(c, p, len - 4);
            break;
        default:
            g_error("block of type 0x%x", word(p));
        }
        at += len;
    }
}

void pcapng_read(Pcapng *c, const char *path)
{
    g_autofree char *data = NULL;
    size_t size;

    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    pcapng_parse(c, (uint8_t *)data, size);
}

void pcapng_free(Pcapng *c)
{
    g_ptr_array_unref(c->names);
    g_ptr_array_unref(c->packets);
    g_array_unref(c->statistics);
}
