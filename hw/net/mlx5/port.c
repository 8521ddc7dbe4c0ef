/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: link state, MTU in force, frames to the backend, port counters.
 *
 * Owns the link, MTU, pause and counter members of Mlx5Port (cmd_reg.c changes
 * admin, MTU, modes and pause for the driver). tx.c calls mlx5_port_accept_tx()
 * and mlx5_port_send(), rx.c mlx5_port_accept_rx() and mlx5_port_count_rx(),
 * pci.c init, reset and mlx5_port_update_link() when the backend's link
 * changes.
 */
#include "qemu/osdep.h"
#include "qemu/iov.h"
#include "net/queue.h"
#include "eq.h"
#include "mlx5.h"
#include "port.h"
#include "trace.h"
#include "vport.h"

#define ETH_HEADER_LEN 14
#define ETH_FCS_LEN 4
#define DEFAULT_MTU 1500

/* eqe_port_state_change subtypes (driver: events.c, en_main.c async_event) */
enum {
    PORT_CHANGE_DOWN = 1,
    PORT_CHANGE_ACTIVE = 4,
};

bool mlx5_port_cable(Mlx5Port *port)
{
    NetClientState *nc = port->nic ? qemu_get_queue(port->nic) : NULL;

    return nc && nc->peer && !nc->link_down;
}

/* Returns whether the port passes frames for our vport. */
static bool port_passes(Mlx5Port *port)
{
    return port->oper_up &&
           port->fn->vport.admin_state != MLX5_VPORT_ADMIN_DOWN;
}

/*
 * For a port that does not pass frames: returns whether only the vport is down.
 */
static bool vport_down(Mlx5Port *port)
{
    return port->oper_up;
}

/*
 * oper_mtu counts everything from the Ethernet header to the FCS, as drivers
 * do (en_main.c mlx5e_set_mtu); frames here carry no FCS.
 */
static bool port_fits(Mlx5Port *port, size_t len)
{
    return len + ETH_FCS_LEN <= port->oper_mtu;
}

void mlx5_port_event(Mlx5Port *port, bool up)
{
    uint8_t eqe[64] = { 0 };

    MLX5_SET(eqe_port_state_change, eqe, port_num, MLX5_PORT_NUM);
    mlx5_event(port->fn, MLX5_EVENT_PORT_CHANGE,
               up ? PORT_CHANGE_ACTIVE : PORT_CHANGE_DOWN, eqe);
}

/* The backend accepts frames again: the send queues may continue. */
static void unblock(Mlx5Port *port)
{
    port->tx_blocked = false;
    mlx5_wake(port->fn, MLX5_WAKE_TX);
}

void mlx5_port_update_link(Mlx5Port *port)
{
    bool up = port->admin == MLX5_PORT_UP && mlx5_port_cable(port);

    if (!mlx5_port_cable(port) && port->tx_blocked) {
        unblock(port); /* a removed backend does not call back */
    }
    if (up == port->oper_up || port->fn->asleep) {
        return; /* no events in D3hot; raised on wake-up */
    }
    port->oper_up = up;
    if (!up) {
        port->counters.link_down_events++;
    }
    trace_mlx5_port_link(mlx5_id(port->fn), up ? "up" : "down",
                         port->admin == MLX5_PORT_UP ? "up" : "down",
                         mlx5_port_cable(port) ? "up" : "down");
    if (port->fn->vport.admin_state == MLX5_VPORT_ADMIN_FOLLOW) {
        mlx5_port_event(port, up);
    }
}

void mlx5_port_init(Mlx5Port *port)
{
    g_queue_init(&port->tx_unsent);
    port->max_mtu = MLX5_MAX_MTU + MLX5_HW_MTU_OVERHEAD;
    mlx5_port_reset(port);
}

/*
 * Power-on state, as cards are shipped: the port is up and offers all speeds.
 * No event is raised, since there is no driver.
 */
void mlx5_port_reset(Mlx5Port *port)
{
    port->admin = MLX5_PORT_UP;
    port->oper_up = mlx5_port_cable(port);
    port->admin_mtu = DEFAULT_MTU + MLX5_HW_MTU_OVERHEAD;
    port->oper_mtu = port->admin_mtu;
    port->proto_ext = true;
    port->proto_admin = mlx5_port_proto_cap(true);
    port->an_disable = false;
    port->pause_rx = false;
    port->pause_tx = false;
    memset(&port->counters, 0, sizeof(port->counters));
}

static void unsent_free(void *frame)
{
    g_bytes_unref(frame);
}

/*
 * Frames not yet accepted by the backend are in its queue, with us as sender to
 * be called on completion. The first may be partly sent: on a socket, the rest
 * of it must be sent before any other frame. They therefore stay queued, as
 * frames without a sender.
 */
void mlx5_port_finalize(Mlx5Port *port)
{
    NetClientState *nc = qemu_get_queue(port->nic), *peer = nc->peer;
    GQueue left = port->tx_unsent;
    GBytes *frame;

    /* Purged frames are reported as sent. */
    g_queue_init(&port->tx_unsent);
    qemu_purge_queued_packets(nc);
    while ((frame = g_queue_pop_head(&left))) {
        size_t len;
        const void *data = g_bytes_get_data(frame, &len);
        struct iovec iov = { .iov_base = (void *)data, .iov_len = len };

        if (peer) {
            qemu_net_queue_append_iov(peer->incoming_queue, peer,
                                      QEMU_NET_PACKET_FLAG_NONE, &iov, 1,
                                      NULL);
        }
        unsent_free(frame);
    }
    g_clear_pointer(&port->nic, qemu_del_nic);
}

/* -------------------------------------------------------- link modes --- */

/*
 * Link modes of a copper cable with four lanes of 25 Gb/s: speed in Mb/s and
 * bits in eth_proto_* and ext_eth_proto_* of PTYS (driver:
 * include/linux/mlx5/port.h mlx5e_link_mode and mlx5e_ext_link_mode), fastest
 * first.
 */
static const Mlx5LinkMode link_modes[] = {
    { 100000, 1u << 20, 1u << 9 }, /* 100GBASE-CR4 */
    { 50000, 1u << 30, 1u << 7 },  /* 50GBASE-CR2 */
    { 40000, 1u << 6, 1u << 5 },   /* 40GBASE-CR4 */
    { 25000, 1u << 27, 1u << 6 },  /* 25GBASE-CR */
    { 10000, 1u << 12, 1u << 4 },  /* 10GBASE-CR */
    { 1000, 1u << 1, 1u << 1 },    /* 1000BASE-KX */
};

uint32_t mlx5_port_proto_cap(bool ext)
{
    uint32_t cap = 0;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        cap |= ext ? link_modes[i].ext_eth_proto : link_modes[i].eth_proto;
    }
    return cap;
}

const Mlx5LinkMode *mlx5_port_link_mode(const Mlx5Port *port)
{
    const Mlx5LinkMode *m;
    unsigned i;

    if (!port->oper_up) {
        return NULL;
    }
    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        m = &link_modes[i];
        if (port->proto_admin & (port->proto_ext ? m->ext_eth_proto :
                                                   m->eth_proto)) {
            return m;
        }
    }
    return NULL;
}

/* ------------------------------------------------------------- frames --- */

/*
 * Returns the length on the wire of a frame of @len bytes, with padding and
 * FCS.
 */
static size_t wire_len(size_t len)
{
    return MAX(len, MLX5_MIN_FRAME) + ETH_FCS_LEN;
}

/* The backend has sent a queued frame: more may follow. */
static void port_sent(NetClientState *nc, ssize_t ret)
{
    Mlx5State *s = qemu_get_nic_opaque(nc);
    GBytes *frame = g_queue_pop_head(&s->port.tx_unsent);

    if (frame) {
        unsent_free(frame);
    }
    unblock(&s->port);
}

bool mlx5_port_accept_tx(Mlx5Port *port, size_t len)
{
    if (mlx5_work_stop(&port->dev->work)) {
        return false;
    }
    if (!port_passes(port)) {
        port->counters.tx_link_down++;
        port->fn->vnic_env.transmit_discard_vport_down += vport_down(port);
        trace_mlx5_port_tx_drop(mlx5_id(port->fn), len, "link down");
        return false;
    }
    if (!port_fits(port, len)) {
        port->counters.tx_too_long++;
        trace_mlx5_port_tx_drop(mlx5_id(port->fn), len, "above MTU");
        return false;
    }
    return true;
}

/*
 * The frame is counted before it is sent: the backend may reply from inside the
 * call.
 */
bool mlx5_port_send(Mlx5Port *port, const struct iovec *iov, int iovcnt,
                    size_t len, int cast)
{
    uint8_t padded[MLX5_MIN_FRAME];
    struct iovec pad_iov = { .iov_base = padded, .iov_len = sizeof(padded) };

    mlx5_count(&port->counters.tx[cast], wire_len(len));
    if (len < MLX5_MIN_FRAME) {
        memset(padded, 0, sizeof(padded));
        iov_to_buf(iov, iovcnt, 0, padded, len);
        iov = &pad_iov;
        iovcnt = 1;
    }
    if (qemu_sendv_packet_async(qemu_get_queue(port->nic), iov, iovcnt,
                                port_sent) == 0) {
        uint8_t *frame = g_malloc(iov_size(iov, iovcnt));

        port->tx_blocked = true;
        g_queue_push_tail(&port->tx_unsent,
                          g_bytes_new_take(frame, iov_to_buf(iov, iovcnt, 0,
                                                             frame, SIZE_MAX)));
        port->counters.tx_blocked++;
        trace_mlx5_port_tx_blocked(mlx5_id(port->fn));
        return false;
    }
    return true;
}

bool mlx5_port_accept_rx(Mlx5Port *port, size_t len)
{
    const char *why;

    if (!port_passes(port)) {
        port->counters.rx_link_down++;
        port->fn->vnic_env.receive_discard_vport_down += vport_down(port);
        why = "link down";
    } else if (len < ETH_HEADER_LEN) {
        port->counters.rx_too_short++;
        why = "no whole Ethernet header";
    } else if (!port_fits(port, len)) {
        port->counters.rx_too_long++;
        why = "above MTU";
    } else {
        return true;
    }
    trace_mlx5_port_rx_drop(mlx5_id(port->fn), len, why);
    return false;
}

void mlx5_port_count_rx(Mlx5Port *port, size_t len, int cast)
{
    /* Upper bounds of ether_stats_pkts*octets, RFC 2819, FCS included. */
    static const uint16_t bound[ARRAY_SIZE(port->counters.rx_size)] = {
        64, 127, 255, 511, 1023, 1518, 2047, 4095, 8191, 10239,
    };
    size_t wire = wire_len(len);
    unsigned i;

    mlx5_count(&port->counters.rx[cast], wire);
    mlx5_count(&port->fn->vport.counters.rx[cast], len);
    for (i = 0; i < ARRAY_SIZE(bound); i++) {
        if (wire <= bound[i]) {
            port->counters.rx_size[i]++;
            break;
        }
    }
}
