/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transmission of packets: gathers the data of a SEND, LSO or ENHANCED_MPSW,
 * fills in checksums, segments, and passes frames to the vport itself
 * (loopback) or to the port (driver: en_tx.c). Owns port->tx, the one packet
 * being sent. Called by wqe.c and sched.c.
 *
 * Payload is copied once, from guest memory to port->tx.buf, and processed
 * there.
 */
#include "qemu/osdep.h"
#include "qemu/iov.h"
#include "engine/csum.h"
#include "cq.h"
#include "err.h"
#include "mkey.h"
#include "port.h"
#include "rx.h"
#include "sq.h"
#include "tap.h"
#include "tls.h"
#include "trace.h"
#include "tx.h"
#include "vport.h"

#define SEG_SIZE MLX5_WQE_UNIT
#define ETH_SEG_OFFSET 16
#define ETH_SEG_HDR_OFFSET 14 /* inline headers start here in the segment */
#define LSO_BUF_HDR 1024      /* room for the header in front of LSO payload */

/* wqe_eth.insert_type */
#define VLAN_INSERT_SVLAN_TPID 0x88a8
#define VLAN_INSERT_CVLAN_TPID 0x8100

/*
 * Copies the data of segments @ds..@end of the WQE to @buf. Returns the number
 * of bytes, or -1 with wqe->syndrome set.
 */
static ssize_t gather(Mlx5Port *port, Mlx5Sq *sq, Mlx5Wqe *wqe, unsigned ds,
                      unsigned end, uint8_t *buf, size_t room)
{
    Mlx5Function *fn = port->fn;
    size_t at = buf - port->tx.buf;
    size_t len = 0;

    while (ds < end) {
        const uint8_t *seg = wqe->bytes + ds * SEG_SIZE;
        uint32_t n = MLX5_GET(wqe_data, seg, byte_count);

        if (!n || n > room - len) {
            wqe->syndrome = MLX5_CQE_SYN_LOCAL_LENGTH;
            return -1;
        }
        if (wqe->num) {
            port->tx.plain = at + len + n;
        }
        if (MLX5_GET(wqe_data, seg, is_inline)) {
            unsigned units = DIV_ROUND_UP(4 + n, SEG_SIZE);

            if (units > end - ds) {
                wqe->syndrome = MLX5_CQE_SYN_LOCAL_LENGTH;
                return -1;
            }
            memcpy(buf + len, seg + 4, n);
            ds += units;
        } else {
            if (!mlx5_sg_read(fn, MLX5_GET(wqe_data, seg, lkey), sq->pd,
                              MLX5_GET64(wqe_data, seg, addr), buf + len,
                              n)) {
                wqe->syndrome = MLX5_CQE_SYN_LOCAL_PROT;
                return -1;
            }
            ds++;
        }
        len += n;
    }
    mlx5_tx_charge(port, len, 0);
    return len;
}

/* A decoded Ethernet segment. */
typedef struct EthSeg {
    uint8_t cs_flags;
    uint16_t mss;
    bool insert_vlan;
    uint16_t vlan_tpid;
    uint16_t vlan_tci;
    bool use_swp;
    Mlx5Swp swp;
    const uint8_t *hdr; /* inline header in the WQE */
    unsigned hdr_len;
    unsigned next_ds; /* first data segment */
} EthSeg;

static void swp_decode(const uint8_t *eth, EthSeg *e)
{
    e->use_swp = true;
    e->swp.outer_l3_offset = MLX5_GET(wqe_eth, eth, swp_outer_l3_offset);
    e->swp.outer_l4_offset = MLX5_GET(wqe_eth, eth, swp_outer_l4_offset);
    e->swp.inner_l3_offset = MLX5_GET(wqe_eth, eth, swp_inner_l3_offset);
    e->swp.inner_l4_offset = MLX5_GET(wqe_eth, eth, swp_inner_l4_offset);
    e->swp.flags = MLX5_GET(wqe_eth, eth, swp_flags);
}

static bool eth_seg_decode(const Mlx5Wqe *wqe, EthSeg *e)
{
    const uint8_t *eth = wqe->bytes + ETH_SEG_OFFSET;

    memset(e, 0, sizeof(*e));
    e->hdr = eth + ETH_SEG_HDR_OFFSET;
    if (wqe->ds < 2) {
        return false;
    }
    e->cs_flags = MLX5_GET(wqe_eth, eth, cs_flags);
    if (MLX5_GET(wqe_eth, eth, swp_offsets)) {
        swp_decode(eth, e);
    }
    e->mss = MLX5_GET(wqe_eth, eth, mss);
    e->next_ds = 2;
    if (MLX5_GET(wqe_eth, eth, insert_en)) {
        e->insert_vlan = true;
        e->vlan_tpid = MLX5_GET(wqe_eth, eth, insert_svlan) ?
                       VLAN_INSERT_SVLAN_TPID : VLAN_INSERT_CVLAN_TPID;
        e->vlan_tci = MLX5_GET(wqe_eth, eth, vlan_tci);
    } else {
        e->hdr_len = MLX5_GET(wqe_eth, eth, inline_hdr_sz);
        e->next_ds = 1 + DIV_ROUND_UP(MAX(ETH_SEG_HDR_OFFSET + e->hdr_len,
                                          SEG_SIZE), SEG_SIZE);
    }
    return e->next_ds <= wqe->ds;
}

/* Software parser offsets are for queues that were made for them. */
static bool swp_allowed(const Mlx5Sq *sq, const EthSeg *e)
{
    return !e->use_swp || MLX5_GET(sqc, sq->sqc, allow_swp);
}

static int cast_of(const uint8_t *dmac)
{
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    if (!(dmac[0] & 1)) {
        return MLX5_CAST_UNI;
    }
    return memcmp(dmac, broadcast, 6) ? MLX5_CAST_MULTI : MLX5_CAST_BROAD;
}

bool mlx5_tx_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt)
{
    Mlx5Vport *vport = &port->fn->vport;
    size_t len = iov_size(iov, iovcnt);
    uint8_t dmac[MLX5_ETH_ALEN] = { 0 };
    int cast;

    if (!mlx5_port_accept_tx(port, len)) {
        return true;
    }
    mlx5_tap_tx_frame(port->fn, iov, iovcnt);
    iov_to_buf(iov, iovcnt, 0, dmac, sizeof(dmac));
    cast = cast_of(dmac);
    mlx5_count(&vport->counters.tx[cast], len);
    if (cast == MLX5_CAST_UNI && mlx5_vport_is_own(vport, dmac) &&
        mlx5_rx_loop_back(port, iov, iovcnt)) {
        return true;
    }
    return mlx5_port_send(port, iov, iovcnt, len, cast);
}

/*
 * Finds the packet in the tunnel whose headers begin a frame; @have of its
 * bytes are at @frame, and *@outer is its parse.
 */
static bool find_inner(Mlx5Port *port, const EthSeg *e, const uint8_t *frame,
                       size_t have, Mlx5Packet *outer, Mlx5Packet *inner)
{
    if (e->use_swp) {
        return mlx5_parse_swp(frame, have, &e->swp, outer, inner) &&
               e->swp.inner_l3_offset;
    }
    return mlx5_parse_inner(frame, have, outer, &port->fn->vxlan, inner);
}

/* Checksums of a packet in a tunnel first, and of what carries it. */
static Mlx5CsumDone fill_tunnel_csum(Mlx5Port *port, const EthSeg *e,
                                     uint8_t *buf, size_t len)
{
    Mlx5Packet outer, inner;
    Mlx5CsumDone done = 0;

    mlx5_parse(buf, len, &outer);
    if (find_inner(port, e, buf, len, &outer, &inner)) {
        Mlx5CsumDone in = mlx5_csum_fill_packet(
            buf, &inner, e->cs_flags & MLX5_ETH_WQE_L3_INNER_CSUM,
            e->cs_flags & MLX5_ETH_WQE_L4_INNER_CSUM);

        done |= in & MLX5_ETH_WQE_L3_CSUM ? MLX5_ETH_WQE_L3_INNER_CSUM : 0;
        done |= in & MLX5_ETH_WQE_L4_CSUM ? MLX5_ETH_WQE_L4_INNER_CSUM : 0;
    }
    return done | mlx5_csum_fill_packet(buf, &outer,
                                        e->cs_flags & MLX5_ETH_WQE_L3_CSUM,
                                        e->cs_flags & MLX5_ETH_WQE_L4_CSUM);
}

/*
 * Sends the frame in @buf (with @room bytes). A frame shorter than a header is
 * a driver error.
 */
static Mlx5TxResult send_frame(Mlx5Port *port, Mlx5Wqe *wqe, uint8_t *buf,
                               size_t len, size_t room, const EthSeg *e)
{
    struct iovec iov = { .iov_base = buf };
    Mlx5CsumDone done;

    if (len < MLX5_ETH_HLEN) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_LENGTH);
    }
    if (e->cs_flags) {
        done = e->use_swp || e->cs_flags & MLX5_ETH_WQE_INNER_CSUM ?
               fill_tunnel_csum(port, e, buf, len) :
               mlx5_csum_fill(buf, len, e->cs_flags & MLX5_ETH_WQE_L3_CSUM,
                              e->cs_flags & MLX5_ETH_WQE_L4_CSUM);
        if (e->cs_flags & ~done) {
            /*
             * A checksum was requested without the matching header: sent
             * unchanged.
             */
            trace_mlx5_tx_no_csum(mlx5_id(port->fn), len, e->cs_flags, done);
        }
    }
    if (e->insert_vlan) {
        len = mlx5_vlan_insert(buf, len, room, e->vlan_tpid, e->vlan_tci);
    }
    iov.iov_len = len;
    return mlx5_tx_frame(port, &iov, 1) ? MLX5_TX_DONE : MLX5_TX_BLOCKED;
}

/*
 * Encrypts the payload of a packet if its WQE names a TIS; @pkt is the parse of
 * the headers at @hdr. Returns true if it may be sent; otherwise the WQE ends
 * with *@res and nothing is sent.
 */
static bool protect(Mlx5Port *port, Mlx5Sq *sq, Mlx5Wqe *wqe,
                    const Mlx5Packet *pkt, const uint8_t *hdr, uint8_t *payload,
                    size_t len, Mlx5TxResult *res)
{
    if (!wqe->num) {
        return true;
    }
    mlx5_tap_tx_posted(port->fn, hdr, pkt->payload_off, payload, len);
    switch (mlx5_tls_send(sq, wqe, pkt, payload, len)) {
    case MLX5_TLS_TX_SEND:
        port->tx.plain = 0;
        return true;
    case MLX5_TLS_TX_DROP:
        *res = MLX5_TX_DONE;
        return false;
    default:
        *res = mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
        return false;
    }
}

Mlx5TxResult mlx5_wqe_send(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Port *port = sq->obj.fn->port;
    Mlx5TxPacket *tx = &port->tx;
    Mlx5TxResult res;
    Mlx5Packet pkt;
    ssize_t n;
    EthSeg e;

    if (!eth_seg_decode(wqe, &e)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_LENGTH);
    }
    if (!swp_allowed(sq, &e)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    memcpy(tx->buf, e.hdr, e.hdr_len);
    n = gather(port, sq, wqe, e.next_ds, wqe->ds, tx->buf + e.hdr_len,
               MLX5_TX_BUF_SIZE - MLX5_VLAN_HLEN - e.hdr_len);
    if (n < 0) {
        return MLX5_TX_ERROR;
    }
    if (wqe->num) {
        mlx5_parse(tx->buf, e.hdr_len + n, &pkt);
        if (pkt.l3_end != pkt.len) {
            /* Bytes after the IP packet would be sent unencrypted. */
            mlx5_tls_refuse(port->fn, wqe, "frame longer than its IP packet");
            return MLX5_TX_DONE;
        }
        if (!protect(port, sq, wqe, &pkt, tx->buf, tx->buf + pkt.payload_off,
                     pkt.payload_len, &res)) {
            return res;
        }
    }
    port->tx_budget--;
    tx->sq = sq;
    tx->left = MLX5_TX_LAST_FRAME;
    res = send_frame(port, wqe, tx->buf, e.hdr_len + n, MLX5_TX_BUF_SIZE, &e);
    if (res != MLX5_TX_BLOCKED) {
        tx->sq = NULL;
    }
    return res;
}

static Mlx5TxResult continue_segments(Mlx5Port *port)
{
    Mlx5TxPacket *tx = &port->tx;
    struct iovec iov[2];

    while (!mlx5_segment_done(&tx->seg)) {
        if (port->tx_budget-- <= 0 || port->fn->asleep) {
            return MLX5_TX_MORE;
        }
        mlx5_segment_next(&tx->seg, tx->buf + LSO_BUF_HDR, iov);
        if (!mlx5_tx_frame(port, iov, iov[1].iov_len ? 2 : 1)) {
            return MLX5_TX_BLOCKED;
        }
        if (mlx5_work_stop(&port->dev->work)) {
            return MLX5_TX_DONE; /* a reset is pending: see sched.c */
        }
    }
    tx->sq = NULL;
    return MLX5_TX_DONE;
}

/*
 * Begins to cut the packet whose header the WQE has: the one in the tunnel if
 * the WQE wants inner checksums, since the driver has nothing else to say so.
 */
static Mlx5SegmentError segment_init(Mlx5Port *port, const EthSeg *e,
                                     uint32_t payload_len)
{
    Mlx5Segment *seg = &port->tx.seg;
    Mlx5Packet outer, inner;

    if (!(e->cs_flags & MLX5_ETH_WQE_INNER_CSUM)) {
        return mlx5_segment_init(seg, e->hdr, e->hdr_len, payload_len, e->mss);
    }
    mlx5_parse_headers(e->hdr, e->hdr_len, &outer);
    if (!find_inner(port, e, e->hdr, e->hdr_len, &outer, &inner)) {
        return MLX5_SEGMENT_HDR_NOT_TUNNEL;
    }
    return mlx5_segment_init_inner(seg, e->hdr, e->hdr_len, &outer, &inner,
                                   payload_len, e->mss);
}

Mlx5TxResult mlx5_wqe_lso(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Port *port = sq->obj.fn->port;
    Mlx5TxPacket *tx = &port->tx;
    Mlx5SegmentError err;
    Mlx5TxResult res;
    Mlx5Packet pkt;
    ssize_t n;
    EthSeg e;

    if (!eth_seg_decode(wqe, &e) || !e.hdr_len || e.hdr_len > LSO_BUF_HDR) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_LENGTH);
    }
    if (!swp_allowed(sq, &e)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    n = gather(port, sq, wqe, e.next_ds, wqe->ds, tx->buf + LSO_BUF_HDR,
               port->fn->max_lso);
    if (n < 0) {
        return MLX5_TX_ERROR;
    }
    err = segment_init(port, &e, n);
    if (err != MLX5_SEGMENT_OK) {
        mlx5_err_tx_lso(port->fn, sq->obj.id, mlx5_segment_strerror(err));
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    /* Encrypt the stream before segmentation: records may end anywhere. */
    mlx5_parse_headers(e.hdr, e.hdr_len, &pkt);
    if (!protect(port, sq, wqe, &pkt, e.hdr, tx->buf + LSO_BUF_HDR, n, &res)) {
        return res;
    }
    tx->sq = sq;
    tx->left = MLX5_TX_SEGMENTS;
    return continue_segments(port);
}

/* Each data segment of an ENHANCED_MPSW is one frame. */
static Mlx5TxResult continue_multi(Mlx5Port *port, Mlx5Wqe *wqe)
{
    Mlx5TxPacket *tx = &port->tx;
    Mlx5TxResult res;
    EthSeg e;

    eth_seg_decode(wqe, &e); /* was checked before */
    while (tx->next_ds < wqe->ds) {
        const uint8_t *seg = wqe->bytes + tx->next_ds * SEG_SIZE;
        unsigned units = 1;
        ssize_t n;

        if (port->tx_budget-- <= 0 || port->fn->asleep) {
            return MLX5_TX_MORE;
        }
        if (MLX5_GET(wqe_data, seg, is_inline)) {
            units = DIV_ROUND_UP(4ull + MLX5_GET(wqe_data, seg, byte_count),
                                 SEG_SIZE);
        }
        n = gather(port, tx->sq, wqe, tx->next_ds,
                   MIN(wqe->ds, tx->next_ds + units), tx->buf,
                   MLX5_TX_BUF_SIZE - MLX5_VLAN_HLEN);
        if (n < 0) {
            tx->sq = NULL;
            return MLX5_TX_ERROR;
        }
        tx->next_ds += units;
        res = send_frame(port, wqe, tx->buf, n, MLX5_TX_BUF_SIZE, &e);
        if (res == MLX5_TX_ERROR) {
            tx->sq = NULL;
        }
        if (res != MLX5_TX_DONE || mlx5_work_stop(&port->dev->work)) {
            return res;
        }
    }
    tx->sq = NULL;
    return MLX5_TX_DONE;
}

Mlx5TxResult mlx5_wqe_enhanced_mpsw(Mlx5Sq *sq, Mlx5Wqe *wqe)
{
    Mlx5Port *port = sq->obj.fn->port;
    EthSeg e;

    if (!eth_seg_decode(wqe, &e) || e.hdr_len || !swp_allowed(sq, &e)) {
        return mlx5_wqe_bad(wqe, MLX5_CQE_SYN_LOCAL_QP_OP);
    }
    if (wqe->num) {
        mlx5_tls_refuse(port->fn, wqe, "ENHANCED_MPSW cannot be encrypted");
        return MLX5_TX_DONE;
    }
    port->tx.sq = sq;
    port->tx.left = MLX5_TX_MULTI;
    port->tx.next_ds = e.next_ds;
    return continue_multi(port, wqe);
}

void mlx5_tx_wqe_over(Mlx5Port *port)
{
    Mlx5TxPacket *tx = &port->tx;

    mlx5_wqe_erase(&port->wqe);
    mlx5_secret_erase(tx->buf, tx->plain);
    tx->plain = 0;
    mlx5_tap_wqe_over(port->fn);
}

void mlx5_tx_erase(Mlx5Port *port)
{
    Mlx5TxPacket *tx = &port->tx;

    if (tx->buf) {
        mlx5_secret_erase(tx->buf, MLX5_TX_BUF_SIZE);
    }
    mlx5_secret_erase(port->wqe.bytes, sizeof(port->wqe.bytes));
    mlx5_secret_erase(&tx->seg, sizeof(tx->seg));
    tx->plain = 0;
    mlx5_tap_wqe_over(port->fn);
}

Mlx5TxResult mlx5_tx_continue(Mlx5Port *port, Mlx5Wqe *wqe)
{
    switch (port->tx.left) {
    case MLX5_TX_SEGMENTS:
        return continue_segments(port);
    case MLX5_TX_MULTI:
        return continue_multi(port, wqe);
    default:
        port->tx.sq = NULL;
        return MLX5_TX_DONE;
    }
}

void mlx5_tx_init(Mlx5Port *port)
{
    port->tx.buf = g_malloc(MLX5_TX_BUF_SIZE);
}

void mlx5_tx_finalize(Mlx5Port *port)
{
    mlx5_secret_free(port->tx.buf, MLX5_TX_BUF_SIZE);
    port->tx.buf = NULL;
}
