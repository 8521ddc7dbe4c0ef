/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire: frames to and from the backend, link, MTU, port counters, and the
 * port state shown by registers (cmd_reg.c). Owns the fields of Mlx5Port under
 * "link and MTU".
 */
#ifndef HW_NET_MLX5_PORT_H
#define HW_NET_MLX5_PORT_H

#include "types.h"

#define MLX5_PORT_NUM 1 /* local_port of the only port */

/* PAOS admin_status and oper_status */
enum {
    MLX5_PORT_UP = 1,
    MLX5_PORT_DOWN = 2,
};

/* A link mode. */
typedef struct Mlx5LinkMode {
    uint32_t speed; /* Mb/s */
    uint32_t eth_proto;
    uint32_t ext_eth_proto;
} Mlx5LinkMode;

/* Returns all modes of the port: (ext_)eth_proto_capability of PTYS. */
uint32_t mlx5_port_proto_cap(bool ext);
/* Returns the mode in use, the fastest one in proto_admin; NULL while down. */
const Mlx5LinkMode *mlx5_port_link_mode(const Mlx5Port *port);
/* Returns whether there is a backend and its link is up. */
bool mlx5_port_cable(Mlx5Port *port);
/* Raises a PORT_CHANGE event, active or down. */
void mlx5_port_event(Mlx5Port *port, bool up);

void mlx5_port_init(Mlx5Port *port);
void mlx5_port_reset(Mlx5Port *port);
/* Removes the NIC from the net layer; no more packets arrive from it. */
void mlx5_port_finalize(Mlx5Port *port);
/* Updates the operational state; raises PORT_CHANGE if it has changed. */
void mlx5_port_update_link(Mlx5Port *port);
/*
 * Returns whether a frame of @len bytes may be sent. If not (link down, longer
 * than the MTU in force), counts it as dropped. No frame may be sent once a
 * teardown is pending.
 */
bool mlx5_port_accept_tx(Mlx5Port *port, size_t len);
/*
 * Passes one accepted frame of @len bytes to the backend, padded to the minimum
 * length, and counts it; @cast is MLX5_CAST_*. Returns false when the backend
 * is full: this frame has been queued, but the next one may only be sent after
 * MLX5_WAKE_TX.
 */
bool mlx5_port_send(Mlx5Port *port, const struct iovec *iov, int iovcnt,
                    size_t len, int cast);
/*
 * Returns whether to accept a received frame of @len bytes. If not (link down,
 * too short, longer than the MTU in force), counts it as dropped.
 */
bool mlx5_port_accept_rx(Mlx5Port *port, size_t len);
/* Counts a frame that arrived from the wire; @cast is MLX5_CAST_*. */
void mlx5_port_count_rx(Mlx5Port *port, size_t len, int cast);

#endif
