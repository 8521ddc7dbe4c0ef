/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow steering: modify header contexts, applied to packets by entries with the
 * action MOD_HDR.
 *
 * Implements ALLOC/DEALLOC_MODIFY_HEADER_CONTEXT. The contexts belong to the
 * Mlx5Steering; its entries refer to them.
 *
 * A context is a list of actions on fields of the packet's match image
 * (steering.h) and on its metadata. Lookup uses only image and metadata, so
 * that later tables match the modified packet, and each TIR may receive a
 * different version; mlx5_steering_rewrite() then updates the frame from the
 * image. Fields that the packet does not have (ports of an ICMP packet) are not
 * added.
 */
#ifndef HW_NET_MLX5_ENGINE_STEERING_MODIFY_H
#define HW_NET_MLX5_ENGINE_STEERING_MODIFY_H

#include "steering.h"

/* Bytes of one action, set_action_in or add_action_in. */
#define MLX5_MODIFY_ACTION_LEN  8

/* set_action_in.action_type */
enum {
    MLX5_MODIFY_ACTION_SET = 1,
    MLX5_MODIFY_ACTION_ADD = 2,
};

/*
 * set_action_in.field, supported values (driver: mlx5_ifc.h
 * MLX5_ACTION_IN_FIELD_*)
 */
enum {
    MLX5_MODIFY_OUT_SMAC_47_16 = 0x01,
    MLX5_MODIFY_OUT_SMAC_15_0 = 0x02,
    MLX5_MODIFY_OUT_ETHERTYPE = 0x03,
    MLX5_MODIFY_OUT_DMAC_47_16 = 0x04,
    MLX5_MODIFY_OUT_DMAC_15_0 = 0x05,
    MLX5_MODIFY_OUT_IP_DSCP = 0x06,
    MLX5_MODIFY_OUT_TCP_FLAGS = 0x07,
    MLX5_MODIFY_OUT_TCP_SPORT = 0x08,
    MLX5_MODIFY_OUT_TCP_DPORT = 0x09,
    MLX5_MODIFY_OUT_IP_TTL = 0x0a,
    MLX5_MODIFY_OUT_UDP_SPORT = 0x0b,
    MLX5_MODIFY_OUT_UDP_DPORT = 0x0c,
    MLX5_MODIFY_OUT_SIPV6_127_96 = 0x0d,    /* and the next three words */
    MLX5_MODIFY_OUT_DIPV6_127_96 = 0x11,
    MLX5_MODIFY_OUT_SIPV4 = 0x15,
    MLX5_MODIFY_OUT_DIPV4 = 0x16,
    MLX5_MODIFY_OUT_FIRST_VID = 0x17,
    MLX5_MODIFY_OUT_IPV6_HOPLIMIT = 0x47,
    MLX5_MODIFY_METADATA_REG_B = 0x50,      /* goes to CQE.ft_metadata */
};

/*
 * ALLOC_MODIFY_HEADER_CONTEXT (driver: fs_cmd.c, mlx5_cmd_modify_header_alloc):
 * @n actions of MLX5_MODIFY_ACTION_LEN bytes at @actions, in PRM layout. Ids
 * are 24 bits wide and never 0.
 */
Mlx5SteeringError mlx5_steering_modify_create(Mlx5Steering *s,
                                              const uint8_t *actions,
                                              uint32_t n, uint32_t *id);
/* Refused while an entry refers to it. */
Mlx5SteeringError mlx5_steering_modify_destroy(Mlx5Steering *s, uint32_t id);

/* Returns the number of live contexts. */
uint32_t mlx5_steering_modify_count(const Mlx5Steering *s);

/*
 * Update the frame, of which pkt is the parse, from @image
 * (Mlx5SteeringTir.image). Checksums of IPv4, TCP and UDP are updated
 * incrementally, so wrong ones stay wrong. Parse the frame again afterwards.
 */
void mlx5_steering_rewrite(uint8_t *frame, const Mlx5Packet *pkt,
                           const uint8_t image[MLX5_FTE_MATCH_OUTER_LEN]);

#endif
