/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The slow RX tracker. See tls-model.h.
 */
#include "tls-model.h"

#include <string.h>

void model_init(Model *m, const RefKeys *k, const Mlx5TlsKnobs *knobs)
{
    memset(m, 0, sizeof(*m));
    m->keys = *k;
    m->knobs = *knobs;
    m->hdr = g_byte_array_new();
    m->rec = g_byte_array_new();
}

void model_clear(Model *m)
{
    g_byte_array_unref(m->hdr);
    g_byte_array_unref(m->rec);
}

static void forget(Model *m)
{
    g_byte_array_set_size(m->hdr, 0);
    g_byte_array_set_size(m->rec, 0);
    m->window_fill = 0;
    m->hdr_skip = false;
}

void model_start(Model *m, uint64_t number, int64_t anchor)
{
    forget(m);
    m->state = M_START;
    m->number = number;
    m->next = anchor;
    m->resync = 0;
    m->off = 0;
    m->owe = false;
    m->due = false;
    m->clear_end = INT64_MIN;
}

bool model_static(Model *m, uint64_t number, int64_t resync)
{
    if (m->state != M_CANDIDATE || m->resync != resync) {
        return false;
    }
    m->state = m->knobs.auth_stage_off ? M_SYNC : M_CHECK;
    m->number = number + m->off + 1;
    m->due = false;
    return true;
}

void model_timeout(Model *m)
{
    if (m->state == M_CANDIDATE &&
        m->knobs.resync_repeat == MLX5_TLS_RESYNC_REPEAT_TIMEOUT) {
        m->due = true;
    }
}

/* Returns whether this is the beginning (n bytes) of a header. */
static bool header_like(const Model *m, const uint8_t *h, size_t n)
{
    int len;

    for (size_t i = 0; i < n; i++) {
        switch (i) {
        case 0:
            if (m->keys.v13 ? h[0] != 23 : h[0] < 20 || h[0] > 23) {
                return false;
            }
            break;
        case 1:
        case 2:
            if (h[i] != 3) {
                return false;
            }
            break;
        case 3:
            if (h[3] > 0x40) {
                return false;
            }
            break;
        case 4:
            len = h[3] * 256 + h[4];
            if (len < (m->keys.v13 ? 17 : 24) ||
                len > 16384 + (m->keys.v13 ? 17 : 24)) {
                return false;
            }
            break;
        }
    }
    return true;
}

static void to_search(Model *m, bool loss)
{
    forget(m);
    m->state = M_SEARCH;
    m->all = false;
    if (loss && m->knobs.rx_resync_flag_at != MLX5_TLS_RESYNC_AT_MAGIC) {
        m->owe = true;
    }
}

/* Starts a record at position at, of which only the length matters. */
static void candidate(Model *m, int64_t at, int body, bool ask)
{
    m->next = at + 5 + body;
    if (at < m->s) {
        m->state = M_SILENT;
        return;
    }
    m->state = M_CANDIDATE;
    m->resync = at;
    m->off = 0;
    m->due = false;
    m->raise |= ask;
}

static void search_byte(Model *m, int64_t x, uint8_t b)
{
    const uint8_t *w = m->window;
    bool found;

    if (m->window_fill == 5) {
        memmove(m->window, m->window + 1, 4);
        m->window_fill = 4;
    }
    m->window[m->window_fill++] = b;
    if (m->window_fill < 5 || m->bad) {
        return;
    }
    if (m->knobs.search_pattern == MLX5_TLS_SEARCH_MAGIC_ONLY) {
        found = w[1] == 3 && w[2] == 3;
    } else {
        found = header_like(m, w, 5);
    }
    if (found) {
        m->window_fill = 0;
        candidate(m, x - 4, w[3] * 256 + w[4],
                  m->knobs.rx_resync_flag_at != MLX5_TLS_RESYNC_AT_LOSS);
    }
}

static void header_byte(Model *m, uint8_t b)
{
    int64_t at = m->next;
    uint8_t h[5];
    guint n;
    int body;
    bool due;

    g_byte_array_append(m->hdr, &b, 1);
    n = m->hdr->len;
    memcpy(h, m->hdr->data, n);
    if (!header_like(m, h, n)) {
        to_search(m, m->state != M_SILENT);
        for (guint i = 0; i < n; i++) {
            search_byte(m, at + i, h[i]);
        }
        return;
    }
    if (n < 5) {
        return;
    }
    g_byte_array_set_size(m->hdr, 0);
    body = h[3] * 256 + h[4];
    m->next = at + 5 + body;
    switch (m->state) {
    case M_SYNC:
    case M_CHECK:
        if (!m->hdr_skip) {
            g_byte_array_append(m->rec, h, 5);
        }
        m->hdr_skip = false;
        m->rec_check = m->state == M_CHECK;
        m->rec_number = m->number++;
        break;
    case M_CANDIDATE:
        due = m->knobs.resync_repeat == MLX5_TLS_RESYNC_REPEAT_RECORDS ?
              m->off + 1 >= m->knobs.resync_repeat_records : m->due;
        if (due && at >= m->s) {
            candidate(m, at, body, true);
        } else {
            m->off++;
        }
        break;
    case M_SILENT:
        candidate(m, at, body,
                  m->knobs.rx_resync_flag_at != MLX5_TLS_RESYNC_AT_LOSS);
        break;
    default:
        g_assert_not_reached();
    }
}

/*
 * Stores the plaintext of the record's bytes in this packet where it will be
 * delivered.
 */
static void deliver_record(Model *m, int64_t end)
{
    size_t head = m->keys.v13 ? 5 : 13;
    int64_t start = end - m->rec->len;      /* stream position of the header */
    bool error;                             /* transformed with flag 3 too */
    g_autofree uint8_t *text = NULL;
    size_t total, len;

    if (m->rec->len <= head) {
        return;
    }
    total = 5 + m->rec->data[3] * 256 + m->rec->data[4] - 16 - head;
    len = MIN(total, m->rec->len - head);
    text = g_malloc(len + 1);
    ref_open_prefix(&m->keys, m->rec_number, m->rec->data, text, len);
    switch (m->knobs.rx_error_bytes) {
    case MLX5_TLS_ERROR_RECORD:
        error = start < m->s && start < m->clear_end;
        break;
    case MLX5_TLS_ERROR_PACKET:
        error = true;
        break;
    default:
        error = false;
        break;
    }
    for (size_t i = 0; i < len; i++) {
        int64_t x = start + head + i;

        if (x >= m->s) {
            m->delivered[x - m->s] = text[i];
            if (error) {
                m->error[x - m->s] = text[i];
            }
        }
    }
}

static void record_end(Model *m, int64_t end)
{
    g_autofree uint8_t *text = NULL;
    bool good;

    if (m->rec->len == 0) {
        return;
    }
    text = g_malloc(m->rec->len);
    good = ref_open(&m->keys, m->rec_number, m->rec->data, text) >= 0;
    deliver_record(m, end);
    g_byte_array_set_size(m->rec, 0);
    if (m->rec_check) {
        if (good) {
            m->state = M_SYNC;
        } else {
            to_search(m, true);
        }
    } else if (!good) {
        m->bad |= m->may_decrypt && m->all;
        if (m->knobs.bad_tag_action == MLX5_TLS_BAD_TAG_SEARCH) {
            to_search(m, true);
        }
    }
}

static void byte(Model *m, int64_t x, uint8_t b)
{
    if (m->state == M_SEARCH) {
        search_byte(m, x, b);
    } else if (x >= m->next) {
        header_byte(m, b);
    } else {
        if (m->rec->len) {
            g_byte_array_append(m->rec, &b, 1);
        }
        m->all &= m->rec->len && !m->rec_check;
        if (x + 1 == m->next) {
            record_end(m, x + 1);
        }
    }
}

int model_packet(Model *m, int64_t pos, const uint8_t *bytes, size_t len,
                 uint8_t *delivered)
{
    g_autofree uint8_t *clear = g_memdup2(bytes, len),
                       *error = g_memdup2(bytes, len);
    int64_t end = pos + len, from = pos;

    memcpy(delivered, bytes, len);
    m->s = pos;
    m->delivered = clear;
    m->error = error;
    m->may_decrypt = false;
    m->all = true;
    m->bad = false;
    m->raise = false;

    if (m->state == M_START) {
        if (end <= m->next && m->next - end < m->knobs.start_order_tolerance) {
            return 0;
        }
        if (end <= m->next || pos > m->next) {
            to_search(m, true);
        } else {
            m->state = M_SYNC;
            m->may_decrypt = pos == m->next;
            from = m->next;
        }
    } else {
        if (end <= m->exp) {
            return 0;
        }
        m->may_decrypt = m->state == M_SYNC && pos == m->exp;
        from = MAX(pos, m->exp);
        if (pos > m->exp) {
            if (m->state == M_SEARCH) {
                m->window_fill = 0;
            } else if (pos <= m->next) {
                g_byte_array_set_size(m->rec, 0);
            } else {
                to_search(m, m->state != M_SILENT);
            }
        }
    }
    for (int64_t x = from; x < end; x++) {
        byte(m, x, bytes[x - pos]);
    }
    m->exp = end;
    if (m->rec->len) {
        deliver_record(m, end);
    }
    if (m->bad) {
        memcpy(delivered, error, len);
        if (m->knobs.rx_error_bytes == MLX5_TLS_ERROR_RECORD &&
            m->state == M_SYNC) {
            /* records that began in this packet stay unchanged */
            m->hdr_skip = m->hdr->len > 0;
            g_byte_array_set_size(m->rec, 0);
        }
        return 3;
    }
    if (m->may_decrypt && m->all) {
        memcpy(delivered, clear, len);
        m->clear_end = end;
        return 1;
    }
    if (m->raise || m->owe) {
        m->owe = false;
        return 2;
    }
    return 0;
}
