/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vport: addresses and lists set by the driver, its counters, and queue
 * counter sets.
 */
#ifndef HW_NET_MLX5_VPORT_H
#define HW_NET_MLX5_VPORT_H

#include "counters.h"
#include "object.h"

struct Mlx5Vport {
    uint8_t mac[6];
    uint16_t mtu;
    uint8_t admin_state; /* 0 down, 1 up, 2 follow the port */
    bool promisc_uc, promisc_mc, promisc_all;
    GArray *list[3]; /* allowed lists: uc and mc of 6 bytes, vlan of uint16_t */
    Mlx5VportCounters counters;
};

typedef struct Mlx5QCounter {
    Mlx5Object obj;
    uint32_t out_of_buffer;
} Mlx5QCounter;

void mlx5_vport_init(Mlx5Vport *vport);
void mlx5_vport_reset(Mlx5Vport *vport, const uint8_t mac[6]);
void mlx5_vport_finalize(Mlx5Vport *vport);
/*
 * Admin states; the vport's state is admin_state applied to the port's
 * operational state.
 */
enum {
    MLX5_VPORT_ADMIN_DOWN = 0,
    MLX5_VPORT_ADMIN_UP = 1,
    MLX5_VPORT_ADMIN_FOLLOW = 2,
};
bool mlx5_vport_is_up(Mlx5Function *fn);
/* Returns whether @mac is the vport's permanent address or on its list. */
bool mlx5_vport_is_own(const Mlx5Vport *vport, const uint8_t mac[6]);

#endif
