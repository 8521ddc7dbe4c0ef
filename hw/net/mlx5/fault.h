/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fault injection by rules (engine/fault_rule.h, docs/faults.md): cmd_fault.c
 * applies them to commands, sq_fault.c to WQEs; the rules and their properties
 * are in fault.c. Deferred work waits at a gate (gate.h): completions of a send
 * queue in Mlx5Sq.held, a command in Mlx5CmdWait.
 *
 * A reset drops deferred work and keeps the rules.
 *
 * Callers check a pointer first: fn->faults is NULL while there are no rules,
 * fn->dev->faults until the device gets its first rule.
 */
#ifndef HW_NET_MLX5_FAULT_H
#define HW_NET_MLX5_FAULT_H

#include "engine/fault_rule.h"
#include "gate.h"
#include "mlx5.h"

/* Fault state of a device, allocated with its first rule. */
struct Mlx5Faults {
    Mlx5State *dev;
    Mlx5FaultSet *rules;
    Mlx5Gates *gates;
    uint32_t released; /* gates opened by the last fault-release */
};

/* -------------------------------------------------------------- fault.c --- */

/* Properties: fault, faults, fault-release, fault-clear, fault-help. */
void mlx5_fault_class_init(ObjectClass *klass);
/* There must be no deferred work. */
void mlx5_fault_finalize(Mlx5State *s);

/* The subject of a fault, for the trace: its kind, number and position. */
typedef struct Mlx5FaultWhat {
    const char *kind;
    uint32_t num;
    uint32_t at;
} Mlx5FaultWhat;

/* Tries all rules on @event. */
void mlx5_fault_event(Mlx5Faults *f, const Mlx5FaultEvent *event,
                      const Mlx5FaultWhat *what, Mlx5FaultVerdict *verdict);
/*
 * Creates the gate that a verdict requires, for @waiter. Returns NULL if the
 * rule is gone or memory is short: then nothing waits.
 */
Mlx5Gate *mlx5_fault_gate(Mlx5Faults *f, const Mlx5FaultWait *wait,
                          int64_t tirn, Mlx5Waiter *waiter);
/* Reports a packet delivered through TIR @tirn. Only if fn->faults is set. */
void mlx5_fault_packet(Mlx5Function *fn, uint32_t tirn);

/* ----------------------------------------------------------- sq_fault.c --- */

/*
 * Tries the rules on the WQE that @sq is about to execute, and may change it.
 * Returns whether to execute it; if not, *@res is its result. Only if
 * fn->faults or sq->held is set.
 */
bool mlx5_fault_wqe(Mlx5Sq *sq, Mlx5Wqe *wqe, Mlx5TxResult *res);
/*
 * Applies faults to the result of a GET_PSV, the 12 bytes at @params. Only if
 * fn->faults is set.
 */
void mlx5_fault_get_psv(const Mlx5Wqe *wqe, uint8_t *params);

/* ---------------------------------------------------------- cmd_fault.c --- */

#define MLX5_CMD_OUT_INLINE 16

/* A command slot whose execution or completion is deferred. */
struct Mlx5CmdWait {
    Mlx5Waiter waiter; /* go_on is in cmd.c */
    Mlx5Function *fn;
    Mlx5Gate *gate;    /* NULL: not deferred */
    uint64_t cmdq_addr; /* the command queue of the slot */
    bool asked;        /* the rules were tried, with this verdict: */
    Mlx5FaultVerdict verdict;
    bool executed;     /* the completion is deferred: */
    uint8_t out[MLX5_CMD_OUT_INLINE];
    uint8_t delivery;
    bool by_event;
};

/*
 * Tries the rules on the command in slot @slot, whose queue entry is @entry.
 * Returns false if it is deferred: w->waiter.go_on is called later. Only if
 * fn->dev->faults is set.
 */
bool mlx5_fault_cmd_begin(Mlx5CmdWait *w, unsigned slot, const uint8_t *entry,
                          Mlx5FaultVerdict *verdict);
/*
 * Returns whether @verdict defers the completion of a command. If so, it is
 * stored in @w, and w->waiter.go_on is called later. @out is its inline output.
 */
bool mlx5_fault_cmd_keep(Mlx5CmdWait *w, const Mlx5FaultVerdict *verdict,
                         const uint8_t *out, uint8_t delivery, bool by_event);
/* Drops a deferred command. */
void mlx5_fault_cmd_forget(Mlx5CmdWait *w);

#endif
