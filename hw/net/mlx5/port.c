/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: link state, MTU in force, frames to the backend, port counters.
 *
 * Owns the link, MTU, pause and counter members of Mlx5Port (cmd_reg.c changes
 * admin, MTU, modes and pause for the driver). tx.c calls mlx5_port_accept_tx()
 * and mlx5_port_send(), rx.c mlx5_port_accept_rx(), mlx5_port_pause() and
 * mlx5_port_count_rx(), pci.c init, reset and mlx5_port_update_link() when the
 * backend's link changes.
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/iov.h"
#include "net/queue.h"
#include "eq.h"
#include "line.h"
#include "link.h"
#include "mlx5.h"
#include "port.h"
#include "trace.h"
#include "vport.h"

#define ETH_HEADER_LEN 14
#define ETH_FCS_LEN 4
#define PREAMBLE_LEN 8 /* with the start of frame delimiter */
#define INTERFRAME_GAP 12
#define DEFAULT_MTU 1500

/* eqe_port_state_change subtypes (driver: events.c, en_main.c async_event) */
enum {
    PORT_CHANGE_DOWN = 1,
    PORT_CHANGE_ACTIVE = 4,
};

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

/* Counts the bits of the line up to now, at the speed that it has had. */
static void count_line(Mlx5Port *port)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    /* Mb/s times ns are thousandths of a bit. */
    port->line_bits += muldiv64(now - port->line_mark_ns, port->line_speed,
                                1000);
    port->line_mark_ns = now;
}

static void follow_speed(Mlx5Port *port)
{
    const Mlx5LinkMode *mode = mlx5_link_state(port) == MLX5_LINK_UP ?
                               mlx5_link_mode(port) : NULL;

    count_line(port);
    port->line_speed = mode ? mode->speed : 0;
}

int64_t mlx5_port_since_reset_ns(const Mlx5Port *port)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - port->reset_ns;
}

uint64_t mlx5_port_line_bits(Mlx5Port *port)
{
    count_line(port);
    return port->line_bits;
}

/* Follows what the link is now. */
static void follow_link(Mlx5Port *port)
{
    Mlx5LinkState state = mlx5_link_state(port);
    bool up = state == MLX5_LINK_UP;

    follow_speed(port);
    if (!mlx5_link_cable(port) && port->tx_wait & MLX5_WAIT_BACKEND) {
        /* A backend that is gone calls nobody back. */
        mlx5_line_go(port, MLX5_WAIT_BACKEND);
    }
    if (up == port->oper_up || port->fn->asleep) {
        return; /* no events in D3hot; raised on wake-up */
    }
    port->oper_up = up;
    if (!up) {
        port->counters.link_down_events++;
    }
    trace_mlx5_port_link(mlx5_id(port->fn), up ? "up" : "down",
                         mlx5_link_message(state));
    if (port->fn->vport.admin_state == MLX5_VPORT_ADMIN_FOLLOW) {
        mlx5_port_event(port, up);
    }
}

static void link_bh(void *opaque)
{
    follow_link(opaque);
}

void mlx5_port_update_link(Mlx5Port *port)
{
    follow_link(port);
    mlx5_link_tell_partner(port);
}

void mlx5_port_init(Mlx5Port *port)
{
    g_queue_init(&port->tx_unsent);
    port->max_mtu = MLX5_MAX_MTU + MLX5_HW_MTU_OVERHEAD;
    mlx5_line_init(port);
    mlx5_wake_add(port->fn, MLX5_WAKE_LINK, link_bh, port);
    mlx5_port_reset(port);
}

/*
 * Power-on state, as cards are shipped: the port is up and offers all speeds.
 * No event is raised, since there is no driver.
 */
void mlx5_port_reset(Mlx5Port *port)
{
    port->admin = MLX5_PORT_UP;
    port->admin_mtu = DEFAULT_MTU + MLX5_HW_MTU_OVERHEAD;
    port->oper_mtu = port->admin_mtu;
    port->proto_ext = true;
    port->proto_admin = mlx5_link_proto_cap(true);
    port->an_disable = false;
    port->pause_rx = false;
    port->pause_tx = false;
    memset(port->fec_admin, 0, sizeof(port->fec_admin));
    port->oper_up = mlx5_link_state(port) == MLX5_LINK_UP;
    memset(&port->counters, 0, sizeof(port->counters));
    port->reset_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    port->line_mark_ns = port->reset_ns;
    port->line_speed = 0;
    port->line_bits = 0;
    follow_speed(port);
    mlx5_line_reset(port);
    mlx5_link_tell_partner(port);
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
    mlx5_link_tell_partner(port);
    mlx5_wake_remove(port->fn, MLX5_WAKE_LINK);
    mlx5_line_finalize(port);
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

/* MAC control frames, IEEE 802.3 clause 31. */
#define ETHERTYPE_OFFSET 12
#define MAC_CONTROL_OPCODE_OFFSET 14
#define MAC_CONTROL_PAUSE 0x0001
#define PAUSE_QUANTA_OFFSET 16
#define PAUSE_LEN 18

/* @frame has a whole Ethernet header. */
static bool is_mac_control(const uint8_t *frame)
{
    return lduw_be_p(frame + ETHERTYPE_OFFSET) == MLX5_ETH_P_MAC_CONTROL;
}

/* Is MAC control frame @frame a PAUSE? */
static bool is_pause(const uint8_t *frame, size_t len)
{
    return len >= PAUSE_LEN &&
           lduw_be_p(frame + MAC_CONTROL_OPCODE_OFFSET) == MAC_CONTROL_PAUSE;
}

static void count_tx_mac_control(Mlx5Port *port, const struct iovec *iov,
                                 int iovcnt)
{
    uint8_t frame[PAUSE_LEN];

    port->counters.tx_mac_control++;
    port->counters.tx_pause += is_pause(frame, iov_to_buf(iov, iovcnt, 0, frame,
                                                          sizeof(frame)));
}

/* The backend has sent a queued frame: more may follow. */
static void port_sent(NetClientState *nc, ssize_t ret)
{
    Mlx5State *s = qemu_get_nic_opaque(nc);
    GBytes *frame = g_queue_pop_head(&s->port.tx_unsent);

    if (frame) {
        unsent_free(frame);
    }
    mlx5_line_go(&s->port, MLX5_WAIT_BACKEND);
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
    if (is_mac_control(iov[0].iov_base)) {
        count_tx_mac_control(port, iov, iovcnt);
    }
    if (port->dev->line_rate) {
        mlx5_line_frame(port, wire_len(len) + PREAMBLE_LEN + INTERFRAME_GAP);
    }
    if (len < MLX5_MIN_FRAME) {
        memset(padded, 0, sizeof(padded));
        iov_to_buf(iov, iovcnt, 0, padded, len);
        iov = &pad_iov;
        iovcnt = 1;
    }
    if (qemu_sendv_packet_async(qemu_get_queue(port->nic), iov, iovcnt,
                                port_sent) == 0) {
        size_t n = iov_size(iov, iovcnt);
        uint8_t *frame = g_malloc(n);

        iov_to_buf(iov, iovcnt, 0, frame, n);
        mlx5_line_wait(port, MLX5_WAIT_BACKEND);
        g_queue_push_tail(&port->tx_unsent, g_bytes_new_take(frame, n));
        port->counters.tx_blocked++;
        trace_mlx5_port_tx_blocked(mlx5_id(port->fn));
    }
    return !port->tx_wait;
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

/*
 * As the MAC counts it, whatever becomes of it. Inlined, since each packet
 * received comes here.
 */
static inline QEMU_ALWAYS_INLINE
void count_wire_rx(Mlx5Port *port, const uint8_t *frame, size_t len, int cast)
{
    /* Upper bounds of ether_stats_pkts*octets, RFC 2819, FCS included. */
    static const uint16_t bound[ARRAY_SIZE(port->counters.rx_size)] = {
        64, 127, 255, 511, 1023, 1518, 2047, 4095, 8191, 10239,
    };
    size_t wire = wire_len(len);
    unsigned i;

    mlx5_count(&port->counters.rx[cast], wire);
    for (i = 0; i < ARRAY_SIZE(bound); i++) {
        if (wire <= bound[i]) {
            port->counters.rx_size[i]++;
            break;
        }
    }
    if (is_mac_control(frame)) {
        port->counters.rx_mac_control++;
        if (is_pause(frame, len)) {
            port->counters.rx_pause++;
        } else {
            port->counters.rx_unsupported_op++;
        }
    }
}

bool mlx5_port_pause(Mlx5Port *port, const uint8_t *frame, size_t len,
                     bool own)
{
    static const uint8_t group[] = { 0x01, 0x80, 0xc2, 0x00, 0x00, 0x01 };

    if (!port->pause_rx || !is_pause(frame, len) ||
        (memcmp(frame, group, sizeof(group)) && !own)) {
        return false;
    }
    count_wire_rx(port, frame, len,
                  *frame & 1 ? MLX5_CAST_MULTI : MLX5_CAST_UNI);
    mlx5_line_pause(port, lduw_be_p(frame + PAUSE_QUANTA_OFFSET));
    return true;
}

void mlx5_port_count_rx(Mlx5Port *port, const uint8_t *frame, size_t len,
                        int cast)
{
    count_wire_rx(port, frame, len, cast);
    mlx5_count(&port->fn->vport.counters.rx[cast], len);
}
