/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packets are tunnels: the UDP ports of VXLAN that a driver has added.
 * Owns Mlx5Function.vxlan.
 */
#ifndef HW_NET_MLX5_TUNNEL_H
#define HW_NET_MLX5_TUNNEL_H

#include "mlx5.h"

/* Back to the one port that is there without being added, 4789. */
void mlx5_tunnel_reset(Mlx5Function *fn);
/*
 * The packet that @pkt, the parse of @frame, carries: parsed in *@buf, which is
 * returned; NULL if it carries none.
 */
static inline const Mlx5Packet *mlx5_tunnel_inner(const Mlx5Function *fn,
                                                  const uint8_t *frame,
                                                  const Mlx5Packet *pkt,
                                                  Mlx5Packet *buf)
{
    return mlx5_packet_may_tunnel(pkt, &fn->vxlan) &&
           mlx5_parse_inner(frame, pkt->len, pkt, &fn->vxlan, buf) ? buf : NULL;
}

#endif
