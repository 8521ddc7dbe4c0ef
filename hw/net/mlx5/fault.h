/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection by rules (engine/fault_rule.h, docs/faults.md): cmd_fault.c
 * applies them to commands, sq_fault.c to WQEs; the rules and their properties
 * are in fault.c. What a rule defers waits at a gate (gate.h): a completion of
 * a send queue in Mlx5Sq.held, a command in Mlx5CmdWait.
 *
 * A reset drops what waits and keeps the rules.
 *
 * Callers only call in when a pointer is set: fn->faults is NULL without rules,
 * and fn->dev->faults until the device gets its first rule.
 */
#ifndef HW_NET_MLX5_FAULT_H
#define HW_NET_MLX5_FAULT_H

#include "engine/fault_rule.h"
#include "gate.h"
#include "mlx5.h"

/* Of a device that has had a rule. */
struct Mlx5Faults {
    Mlx5State *dev;
    Mlx5FaultSet *rules;
    Mlx5Gates *gates;
    uint32_t released; /* gates that the last fault-release opened */
};

/* -------------------------------------------------------------- fault.c --- */

/* Properties: fault, faults, fault-release, fault-clear, fault-help. */
void mlx5_fault_class_init(ObjectClass *klass);
/* Nothing may be waiting. */
void mlx5_fault_finalize(Mlx5State *s);

/* The subject, for the trace: its kind, number and position. */
typedef struct Mlx5FaultWhat {
    const char *kind;
    uint32_t num;
    uint32_t at;
} Mlx5FaultWhat;

/* Tries all rules on @event. */
void mlx5_fault_event(Mlx5Faults *f, const Mlx5FaultEvent *event,
                      const Mlx5FaultWhat *what, Mlx5FaultVerdict *verdict);
/*
 * Creates the gate that a verdict demands, for @waiter. NULL when the rule is
 * gone, or when there is no memory for a gate: then nothing waits.
 */
Mlx5Gate *mlx5_fault_gate(Mlx5Faults *f, const Mlx5FaultWait *wait,
                          int64_t tirn, Mlx5Waiter *waiter);
/* A packet has been delivered through TIR @tirn. For fn->faults. */
void mlx5_fault_packet(Mlx5Function *fn, uint32_t tirn);

/* ----------------------------------------------------------- sq_fault.c --- */

/*
 * Tries the rules on the WQE that @sq is about to execute, and may change it.
 * Returns whether to execute it; if not, *@res is its result. For fn->faults or
 * sq->held.
 */
bool mlx5_fault_wqe(Mlx5Sq *sq, Mlx5Wqe *wqe, Mlx5TxResult *res);
/* Changes a GET_PSV's answer, the 12 bytes of @params. For fn->faults. */
void mlx5_fault_get_psv(const Mlx5Wqe *wqe, uint8_t *params);

/* ---------------------------------------------------------- cmd_fault.c --- */

#define MLX5_CMD_OUT_INLINE 16

/* A command slot whose execution or completion waits. */
struct Mlx5CmdWait {
    Mlx5Waiter waiter; /* go_on is cmd.c's */
    Mlx5Function *fn;
    Mlx5Gate *gate;    /* NULL: it does not wait */
    uint64_t cmdq_addr; /* queue of the slot */
    bool asked;        /* the rules were tried on it, and said: */
    Mlx5FaultVerdict verdict;
    bool executed;     /* the completion waits: */
    uint8_t out[MLX5_CMD_OUT_INLINE];
    uint8_t delivery;
    bool by_event;
};

/*
 * Tries the rules on the command in slot @slot, whose queue entry is @entry.
 * Returns false when it must wait: w->waiter.go_on is called later. For
 * fn->dev->faults.
 */
bool mlx5_fault_cmd_begin(Mlx5CmdWait *w, unsigned slot, const uint8_t *entry,
                          Mlx5FaultVerdict *verdict);
/*
 * Must the completion of a command with @verdict be held? Then it is stored in
 * @w, and w->waiter.go_on is called later. @out is its inline output.
 */
bool mlx5_fault_cmd_keep(Mlx5CmdWait *w, const Mlx5FaultVerdict *verdict,
                         const uint8_t *out, uint8_t delivery, bool by_event);
/* Drops a command that waits. */
void mlx5_fault_cmd_forget(Mlx5CmdWait *w);

#endif
