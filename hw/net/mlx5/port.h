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

/* Raises PORT_CHANGE, active or down. */
void mlx5_port_event(Mlx5Port *port, bool up);

void mlx5_port_init(Mlx5Port *port);
void mlx5_port_reset(Mlx5Port *port);
/* Removes the NIC from the net layer; no more packets arrive from it. */
void mlx5_port_finalize(Mlx5Port *port);
/*
 * Something of the link has changed at this end: updates the operational state,
 * raises PORT_CHANGE when that has changed, and tells the link partner.
 */
void mlx5_port_update_link(Mlx5Port *port);
/* How long the port's counters have been counting, in ns. */
int64_t mlx5_port_since_reset_ns(const Mlx5Port *port);
/* The bits that the line could have carried here in this time. */
uint64_t mlx5_port_line_bits(Mlx5Port *port);
/*
 * Returns whether a frame of @len bytes may be sent. If not (link down, longer
 * than the MTU in force), counts it as dropped. No frame may be sent once a
 * teardown is pending.
 */
bool mlx5_port_accept_tx(Mlx5Port *port, size_t len);
/*
 * Passes one accepted frame of @len bytes to the backend, padded to the minimum
 * length, and counts it; @iov[0] has its Ethernet header, @cast is MLX5_CAST_*.
 * Returns false when the next one may only be sent after MLX5_WAKE_TX (line.h):
 * this one has been taken.
 */
bool mlx5_port_send(Mlx5Port *port, const struct iovec *iov, int iovcnt,
                    size_t len, int cast);
/*
 * Returns whether to accept a received frame of @len bytes. If not (link down,
 * too short, longer than the MTU in force), counts it as dropped.
 */
bool mlx5_port_accept_rx(Mlx5Port *port, size_t len);
/*
 * An accepted MAC control frame: is it a PAUSE that the MAC obeys and keeps to
 * itself? Then it has been counted. @own: it is addressed to the vport.
 */
bool mlx5_port_pause(Mlx5Port *port, const uint8_t *frame, size_t len,
                     bool own);
/* Counts an accepted frame for the vport; @cast is MLX5_CAST_*. */
void mlx5_port_count_rx(Mlx5Port *port, const uint8_t *frame, size_t len,
                        int cast);

#endif
