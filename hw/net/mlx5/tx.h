/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transmit pipeline: from a WQE with packets to frames. Owns Mlx5Port.tx,
 * the one packet that may be half-way out. Handlers of WQEs are in wqe.h.
 */
#ifndef HW_NET_MLX5_TX_H
#define HW_NET_MLX5_TX_H

#include "mlx5.h"

void mlx5_tx_init(Mlx5Port *port);
void mlx5_tx_finalize(Mlx5Port *port);
/* Goes on with the packet in port->tx, which is @wqe's. */
Mlx5TxResult mlx5_tx_continue(Mlx5Port *port, Mlx5Wqe *wqe);
/*
 * Charges the run of sched.c for @bytes that were copied and @records that were
 * gone through, whether or not a frame leaves: a KiB, or two records (they may
 * be empty), cost about as much as a frame.
 */
static inline void mlx5_tx_charge(Mlx5Port *port, size_t bytes, size_t records)
{
    port->tx_budget -= bytes / KiB + records / 2;
}
/*
 * One frame leaves the vport: back to it, if that is whom it is addressed to
 * and it takes it, else to the wire. Returns false when the backend is full:
 * the frame has been taken, but nothing may follow yet.
 */
bool mlx5_tx_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt);
/*
 * The WQE in execution is over: erases the copy of it, and what was gathered
 * for a TIS and not encrypted.
 */
void mlx5_tx_wqe_over(Mlx5Port *port);
/* The function or a queue goes: erases all that went through here. */
void mlx5_tx_erase(Mlx5Port *port);

#endif
