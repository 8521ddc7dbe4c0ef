/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VXLAN ports (driver: lib/vxlan.c); see tunnel.h. */
#include "qemu/osdep.h"
#include "caps.h"
#include "cmd.h"
#include "trace.h"
#include "tunnel.h"

#define IANA_VXLAN_UDP_PORT 4789

void mlx5_tunnel_reset(Mlx5Function *fn)
{
    fn->vxlan = (Mlx5VxlanPorts) { .n = 1, .port = { IANA_VXLAN_UDP_PORT } };
}

/* The place of @port, ports->n if it is not there. */
static unsigned find_port(const Mlx5VxlanPorts *ports, uint16_t port)
{
    unsigned i;

    for (i = 0; i < ports->n && ports->port[i] != port; i++) {
    }
    return i;
}

/*
 * Driver: lib/vxlan.c mlx5_vxlan_core_add_port_cmd. A port that is there may be
 * added: drivers do so with the one that is there from the beginning.
 */
Mlx5Syndrome mlx5_cmd_add_vxlan_udp_dport(Mlx5Cmd *cmd)
{
    uint16_t port = MLX5_GET(vxlan_udp_dport_in, cmd->in, vxlan_udp_port);
    Mlx5VxlanPorts *ports = &cmd->fn->vxlan;

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (!port) {
        return MLX5_SYN_VXLAN_PORT_0;
    }
    if (find_port(ports, port) < ports->n) {
        return MLX5_OK;
    }
    if (ports->n == MLX5_GET(per_protocol_networking_offload_caps,
                             mlx5_cap_cur(cmd->fn, MLX5_CAP_ETHERNET),
                             max_vxlan_udp_ports)) {
        return MLX5_SYN_VXLAN_PORT_LIMIT;
    }
    ports->port[ports->n++] = port;
    trace_mlx5_vxlan_port(mlx5_id(cmd->fn), "added", port, ports->n);
    return MLX5_OK;
}

/* Driver: lib/vxlan.c mlx5_vxlan_core_del_port_cmd. */
Mlx5Syndrome mlx5_cmd_delete_vxlan_udp_dport(Mlx5Cmd *cmd)
{
    uint16_t port = MLX5_GET(vxlan_udp_dport_in, cmd->in, vxlan_udp_port);
    Mlx5VxlanPorts *ports = &cmd->fn->vxlan;
    unsigned i = find_port(ports, port);

    if (cmd->op_mod) {
        return MLX5_SYN_BAD_OP_MOD;
    }
    if (i == ports->n) {
        return MLX5_SYN_NO_SUCH_VXLAN_PORT;
    }
    ports->port[i] = ports->port[--ports->n];
    trace_mlx5_vxlan_port(mlx5_id(cmd->fn), "deleted", port, ports->n);
    return MLX5_OK;
}
