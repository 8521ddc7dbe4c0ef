/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transmit pipeline, from a WQE with packets to frames. Owns Mlx5Port.tx,
 * the one packet that may be partly sent. wqe.h declares the WQE handlers.
 */
#ifndef HW_NET_MLX5_TX_H
#define HW_NET_MLX5_TX_H

#include "mlx5.h"

void mlx5_tx_init(Mlx5Port *port);
void mlx5_tx_finalize(Mlx5Port *port);
/* Continues with the packet in port->tx, which belongs to @wqe. */
Mlx5TxResult mlx5_tx_continue(Mlx5Port *port, Mlx5Wqe *wqe);
/*
 * Sends one frame from the vport: loops it back if it is addressed to the vport
 * and accepted there, else sends it to the wire. Returns false when the backend
 * is full: this frame has been queued, but no other may follow yet.
 */
bool mlx5_tx_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt);
/*
 * Ends the WQE in execution: erases its copy, and any payload gathered for a
 * TIS but not encrypted.
 */
void mlx5_tx_wqe_over(Mlx5Port *port);
/* Erases all remaining payload when the function or a queue ends. */
void mlx5_tx_erase(Mlx5Port *port);

#endif
