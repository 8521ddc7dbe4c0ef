/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to frames: see edit.h.
 */
#include "edit.h"

#include <string.h>

#include "csum.h"

#define IPV4_MAX_HDR    60
#define IPV4_NOP        1
#define IPV6_DESTOPTS   60
#define IPV6_PADN       1

static void pad(GByteArray *frame)
{
    guint len = frame->len;

    if (len < MLX5_ETH_ZLEN) {
        g_byte_array_set_size(frame, MLX5_ETH_ZLEN);
        memset(frame->data + len, 0, MLX5_ETH_ZLEN - len);
    }
}

void wire_edit_fix(GByteArray *frame)
{
    mlx5_csum_fill(frame->data, frame->len, true, true);
}

GByteArray *wire_edit_segment(const uint8_t *frame, const Mlx5Packet *pkt,
                              uint32_t from, uint32_t to, unsigned index,
                              bool last)
{
    GByteArray *out = g_byte_array_sized_new(pkt->payload_off + to - from +
                                             MLX5_ETH_ZLEN);
    uint8_t *l3, *l4;

    g_byte_array_append(out, frame, pkt->payload_off);
    g_byte_array_append(out, frame + pkt->payload_off + from, to - from);
    l3 = out->data + pkt->l3_off;
    l4 = out->data + pkt->l4_off;
    if (pkt->l3_type == MLX5_L3_IPV4) {
        mlx5_put_be16(l3 + 2, (uint16_t)(out->len - pkt->l3_off));
        mlx5_put_be16(l3 + 4, (uint16_t)(mlx5_get_be16(l3 + 4) + index));
    } else {
        mlx5_put_be16(l3 + 4, (uint16_t)(out->len - pkt->l3_off - 40));
    }
    mlx5_put_be32(l4 + 4, pkt->tcp_seq + from);
    if (!last) {
        l4[13] &= (uint8_t)~(MLX5_TCP_FIN | MLX5_TCP_PSH);
    }
    if (index) {
        l4[13] &= (uint8_t)~MLX5_TCP_CWR;
    }
    wire_edit_fix(out);
    pad(out);
    return out;
}

/* Inserts `bytes` bytes at offset `at`. */
static uint8_t *insert(GByteArray *frame, uint32_t at, uint32_t bytes)
{
    guint len = frame->len;

    g_byte_array_set_size(frame, len + bytes);
    memmove(frame->data + at + bytes, frame->data + at, len - at);
    return frame->data + at;
}

bool wire_edit_ip_option(GByteArray *frame, uint32_t bytes)
{
    Mlx5Packet pkt;
    uint8_t *room, *l3;
    uint32_t total;

    mlx5_parse(frame->data, frame->len, &pkt);
    if (pkt.l3_type == MLX5_L3_NONE || pkt.is_frag || pkt.l3_truncated) {
        return false;
    }
    /* remove padding, which would end up in between */
    g_byte_array_set_size(frame, pkt.l3_end);
    total = pkt.l3_end - pkt.l3_off;
    if (pkt.l3_type == MLX5_L3_IPV4) {
        bytes = bytes ? bytes : 4;
        if (pkt.l3_hdr_len + bytes > IPV4_MAX_HDR ||
            total + bytes > UINT16_MAX) {
            pad(frame);
            return false;
        }
        room = insert(frame, pkt.l3_off + pkt.l3_hdr_len, bytes);
        memset(room, IPV4_NOP, bytes);
        l3 = frame->data + pkt.l3_off;
        l3[0] = (uint8_t)(0x40 | (pkt.l3_hdr_len + bytes) / 4);
        mlx5_put_be16(l3 + 2, (uint16_t)(total + bytes));
    } else {
        bytes = bytes ? bytes : 8;
        if (pkt.l3_hdr_len != 40 || bytes % 8 ||
            total - 40 + bytes > UINT16_MAX) {
            pad(frame);
            return false;
        }
        room = insert(frame, pkt.l3_off + 40, bytes);
        memset(room, 0, bytes);
        l3 = frame->data + pkt.l3_off;
        room[0] = l3[6];
        room[1] = (uint8_t)(bytes / 8 - 1);
        room[2] = IPV6_PADN;
        room[3] = (uint8_t)(bytes - 4);
        l3[6] = IPV6_DESTOPTS;
        mlx5_put_be16(l3 + 4, (uint16_t)(total - 40 + bytes));
    }
    wire_edit_fix(frame);
    pad(frame);
    return true;
}

bool wire_edit_ce(GByteArray *frame)
{
    Mlx5Packet pkt;

    mlx5_parse(frame->data, frame->len, &pkt);
    if (pkt.l3_type == MLX5_L3_NONE) {
        return false;
    }
    frame->data[pkt.l3_off + 1] |= pkt.l3_type == MLX5_L3_IPV4 ? 0x03 : 0x30;
    if (pkt.l3_type == MLX5_L3_IPV4) {
        mlx5_csum_fill(frame->data, frame->len, true, false);
    }
    return true;
}

void wire_edit_cut(GByteArray *frame, uint32_t keep)
{
    Mlx5Packet pkt;

    mlx5_parse(frame->data, frame->len, &pkt);
    if (pkt.l4_type == MLX5_L4_TCP && keep < pkt.payload_len) {
        g_byte_array_set_size(frame, pkt.payload_off + keep);
    }
}
