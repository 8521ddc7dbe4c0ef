/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two ends of the cable: whether this port and its link partner agree on a
 * link, on which mode, and if not, why. Owns nothing; port.c keeps the state
 * that follows from the answers.
 *
 * The link partner is the mlx5-ktls in the same QEMU that the property
 * link-partner names. Network backends carry frames, not light, so nothing else
 * tells one end what the other does. Without the property the partner is one
 * that is always there and offers all modes.
 */
#ifndef HW_NET_MLX5_LINK_H
#define HW_NET_MLX5_LINK_H

#include "types.h"

/* PAOS admin_status and oper_status */
enum {
    MLX5_PORT_UP = 1,
    MLX5_PORT_DOWN = 2,
};

/* Codes that correct errors on the line, as in PPLM (driver: en/port.h) */
enum {
    MLX5_FEC_NONE = 1 << 0,
    MLX5_FEC_FIRECODE = 1 << 1,
    MLX5_FEC_RS_528_514 = 1 << 2,
};

/* A link mode. */
typedef struct Mlx5LinkMode {
    uint32_t speed; /* Mb/s */
    uint32_t eth_proto;
    uint32_t ext_eth_proto;
    Mlx5FecClass fec_class;
    uint8_t fec_cap; /* MLX5_FEC_* that it can have */
} Mlx5LinkMode;

/*
 * X(name, status_opcode and message of PDDR): the state of the link (driver:
 * en_ethtool.c, mlx5e_link_ext_state_opcode_map).
 */
#define MLX5_LINK_STATES(X) \
    X(UP, 0, "No issue was observed.") \
    X(CLOSED, 1, "The port is closed by command.") \
    X(NO_PARTNER, 2, "Negotiation failure: no partner detected.") \
    X(NO_PARTNER_FORCED, 36, \
      "No partner detected during force mode.") \
    X(NO_COMMON_MODE, 39, "Negotiation failure: no common mode.") \
    X(NO_CABLE, 1024, "Cable is unplugged.")

typedef enum Mlx5LinkState {
#define MLX5_LINK_ENUM(name, opcode, text) MLX5_LINK_##name,
    MLX5_LINK_STATES(MLX5_LINK_ENUM)
#undef MLX5_LINK_ENUM
} Mlx5LinkState;

/* Is there a backend with its link up? */
bool mlx5_link_cable(const Mlx5Port *port);
/* What the port and its partner make of the link now. */
Mlx5LinkState mlx5_link_state(const Mlx5Port *port);
/* status_opcode and message of PDDR for @state. */
uint32_t mlx5_link_opcode(Mlx5LinkState state);
const char *mlx5_link_message(Mlx5LinkState state);
/* All modes of the port: (ext_)eth_proto_capability of PTYS. */
uint32_t mlx5_link_proto_cap(bool ext);
/* MLX5_FEC_* that the link modes of a class can have. */
unsigned mlx5_link_fec_cap(Mlx5FecClass fec_class);
/*
 * The code of a link in @mode, one of MLX5_FEC_*: the strongest that both ends
 * allow in it, 0 if there is none.
 */
unsigned mlx5_link_fec(const Mlx5Port *port, const Mlx5LinkMode *mode);
/*
 * The mode of a link that is up: the fastest that both ends allow, where an end
 * without autonegotiation allows only its fastest, and for which they allow a
 * common FEC. NULL if there is none.
 */
const Mlx5LinkMode *mlx5_link_mode(const Mlx5Port *port);
/* The partner's modes, as PTYS has them in eth_proto_lp_advertise. */
uint32_t mlx5_link_partner_modes(const Mlx5Port *port);
/*
 * Something of what the partner sees has changed: it looks at its link anew,
 * from a bottom half of its own.
 */
void mlx5_link_tell_partner(const Mlx5Port *port);

#endif
