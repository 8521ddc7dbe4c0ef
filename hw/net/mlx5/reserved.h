/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The property "fill-reserved": with "random", reserved bits of what the device
 * writes are random instead of 0, to catch drivers that read them. That is
 * command outputs, capability pages and registers among them, CQEs and EQEs.
 * Owns Mlx5State.reserved. Costs one test of a flag when off.
 */
#ifndef HW_NET_MLX5_RESERVED_H
#define HW_NET_MLX5_RESERVED_H

#include "types.h"

/* Reserved bits of output @of: a command's, page's or register's number. */
struct Mlx5Reserved {
    uint16_t of;
    uint16_t bit;
    uint16_t width;
};

extern const Mlx5Reserved mlx5_reserved_commands[];
extern const size_t mlx5_nreserved_commands;
extern const Mlx5Reserved mlx5_reserved_caps[];
extern const size_t mlx5_nreserved_caps;
extern const Mlx5Reserved mlx5_reserved_registers[];
extern const size_t mlx5_nreserved_registers;

/*
 * Fills @out, of @out_len bytes, the output of @opcode that is ready but for
 * this. @ok: it succeeded; @detail is the type of a capability page
 * (QUERY_HCA_CAP) or the number of a register (ACCESS_REG).
 */
void mlx5_reserved_fill_cmd(Mlx5State *s, uint16_t opcode, uint16_t detail,
                            bool ok, uint8_t *out, uint32_t out_len);
/* Fill an entry of 64 bytes, which has its opcode or type by now. */
void mlx5_reserved_fill_cqe(Mlx5State *s, uint8_t *cqe);
void mlx5_reserved_fill_eqe(Mlx5State *s, uint8_t *eqe);
/*
 * Clears in @page, a GENERAL page that a driver has written, what it may have
 * read from a filled one.
 */
void mlx5_reserved_clear_caps(const Mlx5State *s, uint8_t *page);
void mlx5_reserved_class_init(ObjectClass *klass);

#endif
