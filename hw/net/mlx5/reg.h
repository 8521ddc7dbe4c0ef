/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to the registers of port and management, of which cmd_reg.c has the
 * table: by a driver's command ACCESS_REG, and by tools (icmd.c).
 */
#ifndef HW_NET_MLX5_REG_H
#define HW_NET_MLX5_REG_H

#include "types.h"

/*
 * Reads or writes a register. @in and @out are its data, at least as long as
 * the size in the table; @len bytes of @out are returned to the driver. For a
 * write, @out already is a copy of @in.
 */
typedef Mlx5Syndrome Mlx5RegFn(Mlx5Port *port, const uint8_t *in, uint8_t *out,
                               size_t len);

/*
 * Accesses register @id with @in_len bytes of input; up to @out_len bytes of
 * output replace what @out has. Lengths are checked against the register's.
 * Errors: MLX5_SYN_REG_* and what the register's own checks return; then @out
 * is undefined.
 */
Mlx5Syndrome mlx5_reg_access(Mlx5Function *fn, uint32_t id, bool write,
                             const uint8_t *in, size_t in_len, uint8_t *out,
                             size_t out_len);

/* Registers of firmware, flash and configuration, reg_fw.c. */
Mlx5RegFn mlx5_reg_mlock_read;
Mlx5RegFn mlx5_reg_mfpa_read;
Mlx5RegFn mlx5_reg_mfba_read;
Mlx5RegFn mlx5_reg_mgir_read;
Mlx5RegFn mlx5_reg_mcqs_read;
Mlx5RegFn mlx5_reg_mcqi_read;
Mlx5RegFn mlx5_reg_mfrl_read;
Mlx5RegFn mlx5_reg_mnvda_read;
Mlx5RegFn mlx5_reg_mnvda_write;
Mlx5RegFn mlx5_reg_mnvqc_read;
/* Registers of lanes and module, reg_phy.c. */
Mlx5RegFn mlx5_reg_sltp_read;
Mlx5RegFn mlx5_reg_slrg_read;
Mlx5RegFn mlx5_reg_ppaos_read;
Mlx5RegFn mlx5_reg_pmaos_read;
/* Fills the module page of PDDR, of @len bytes. */
void mlx5_reg_pddr_module(Mlx5Port *port, uint8_t *page, size_t len);
#define MLX5_PORT_LANES 4

/* How many bytes of MFBA an access is about; @in has MLX5_MFBA_HEADER. */
size_t mlx5_reg_mfba_size(const uint8_t *in);
#define MLX5_MFBA_HEADER 0x0c

#endif
