/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection: what rules say (engine/fault.h, docs/faults.md) is done here,
 * to commands (called by cmd.c) and WQEs (sq.c, umr.c). Owns what waits.
 *
 * Callers ask only when a pointer says that there may be something: fn->faults
 * is NULL without rules, sq->fault without anything kept back in the queue, and
 * fn->dev->faults until the device is given its first rule.
 */
#ifndef HW_NET_MLX5_FAULT_H
#define HW_NET_MLX5_FAULT_H

#include "engine/fault.h"
#include "mlx5.h"

/* Properties: fault, faults, fault-release, fault-clear, fault-help. */
void mlx5_fault_class_init(ObjectClass *klass);
/* Nothing may wait any more. */
void mlx5_fault_finalize(Mlx5State *s);
/* The function is in D0 again: what was let go meanwhile goes on. */
void mlx5_fault_wake(Mlx5State *s);

/* ------------------------------------------------------------------ sq.c --- */

typedef enum Mlx5FaultDo {
    MLX5_FAULT_DO_ERROR = 0, /* the WQE is bad, *cqe_syndrome says how */
    MLX5_FAULT_DO_WAIT,      /* the queue stops here; its doorbell rings later */
    MLX5_FAULT_DO_NOTHING,   /* it is done, without being executed */
    MLX5_FAULT_DO_EXECUTE,
} Mlx5FaultDo;

/*
 * Asks the rules about the WQE in port->tx, which @sq is about to execute. May
 * change the copy in port->tx. For fn->faults or sq->fault.
 */
Mlx5FaultDo mlx5_fault_wqe(Mlx5Sq *sq, uint8_t *cqe_syndrome);
/* Is a CQE of @sq to be kept back? Then it has been. For sq->fault. */
bool mlx5_fault_keep_cqe(Mlx5Sq *sq, const uint8_t cqe[64]);
/*
 * Has @sq as many CQEs kept back as it is long, or is there no memory for more?
 * Then it must not go on: no driver that waits for its completions posts so much.
 * For sq->fault.
 */
bool mlx5_fault_sq_full(const Mlx5Sq *sq);
/* @sq dies or is reset: nobody waits for its CQEs. For sq->fault. */
void mlx5_fault_sq_forget(Mlx5Sq *sq);

/* ----------------------------------------------------------------- umr.c --- */

/* Changes a GET_PSV's answer, the 12 bytes of @params. For fn->faults. */
void mlx5_fault_get_psv(Mlx5Function *fn, uint8_t *params);

/* ------------------------------------------------------------------ rx.c --- */

/* A packet has been delivered through TIR @tirn. For fn->faults. */
void mlx5_fault_packet(Mlx5Function *fn, uint32_t tirn);

/* ------------------------------------------- cmd.c, for fn->dev->faults --- */

/*
 * Asks the rules about the command whose queue entry is @entry. Returns false
 * when it must wait: its slot becomes pending again later.
 */
bool mlx5_fault_cmd_begin(Mlx5Function *fn, unsigned slot,
                          const uint8_t *entry);
/* What they said of the command that has just begun. */
const Mlx5FaultVerdict *mlx5_fault_cmd(Mlx5Function *fn);
/*
 * Is the completion of this command to be kept back? Then mlx5_cmd_complete()
 * is called with it later. @out is its 16 bytes of inline output.
 */
bool mlx5_fault_cmd_keep(Mlx5Function *fn, unsigned slot, const uint8_t *out,
                         uint8_t delivery, bool by_event);
/* Nobody waits for commands any more. */
void mlx5_fault_cmd_reset(Mlx5Function *fn);
/* The device goes: nothing of faults may run any more. Its queues are gone. */
void mlx5_fault_stop(Mlx5Function *fn);

#endif
