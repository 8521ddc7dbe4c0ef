/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The receive pipeline, from a frame of the backend to the receive queues of
 * its TIRs. Owns the fields of Mlx5Port under "reception".
 */
#ifndef HW_NET_MLX5_RX_H
#define HW_NET_MLX5_RX_H

#include "types.h"

void mlx5_rx_init(Mlx5Port *port);
void mlx5_rx_reset(Mlx5Port *port);
void mlx5_rx_finalize(Mlx5Port *port);
/* NetClientInfo.receive; 0 makes the net layer queue the packet. */
ssize_t mlx5_rx_receive(Mlx5Port *port, const uint8_t *buf, size_t size);
/*
 * Loops back a frame that tx.c sends to this vport's own address, if it reaches
 * a TIR that accepts frames from its own transport domain. Returns false if the
 * frame must go to the wire. Never holds the frame for a WQE.
 */
bool mlx5_rx_loop_back(Mlx5Port *port, const struct iovec *iov, int iovcnt);

#endif
