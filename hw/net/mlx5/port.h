/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the port's registers (cmd_reg.c) and the vport (cmd_vport.c) need of
 * port.c and module.c; the pipelines' side of the port is in mlx5.h.
 */
#ifndef HW_NET_MLX5_PORT_H
#define HW_NET_MLX5_PORT_H

#include "mlx5.h"

#define MLX5_PORT_NUM 1 /* local_port of the one port */

/* PAOS admin_status and oper_status */
enum {
    MLX5_PORT_UP = 1,
    MLX5_PORT_DOWN = 2,
};

/* One way for the link to run. */
typedef struct Mlx5LinkMode {
    uint32_t speed; /* Mb/s */
    uint32_t eth_proto;
    uint32_t ext_eth_proto;
} Mlx5LinkMode;

/* All modes of the port: (ext_)eth_proto_capability of PTYS. */
uint32_t mlx5_port_proto_cap(bool ext);
/* The mode in use, the fastest that proto_admin allows; NULL while down. */
const Mlx5LinkMode *mlx5_port_link_mode(const Mlx5Port *port);
/* Is there a backend, and does it say that its link is up? */
bool mlx5_port_cable(Mlx5Port *port);
/* Raises PORT_CHANGE, active or down. */
void mlx5_port_event(Mlx5Port *port, bool up);

/*
 * Reads @len bytes of the plugged cable's EEPROM from @offset of the 256 bytes
 * that @page selects. Returns false when the range leaves them.
 */
bool mlx5_module_read(uint8_t page, unsigned offset, uint8_t *buf, size_t len);

#endif
