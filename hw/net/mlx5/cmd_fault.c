/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on commands: a command may fail, be dropped, or have its execution or
 * completion deferred. See fault.h. Called by cmd.c, which owns each
 * Mlx5CmdWait.
 */
#include "qemu/osdep.h"
#include "fault.h"

#define CMD_IN_INLINE_OFFSET 0x10

void mlx5_fault_cmd_forget(Mlx5CmdWait *w)
{
    g_clear_pointer(&w->gate, mlx5_gate_free);
    mlx5_waiter_forget(&w->waiter);
    w->asked = false;
}

/* Defers the command according to @wait. Returns false if it need not wait. */
static bool wait_at(Mlx5CmdWait *w, const Mlx5FaultWait *wait, bool executed)
{
    if (!wait->rule) {
        return false;
    }
    w->gate = mlx5_fault_gate(w->fn->dev->faults, wait, -1, &w->waiter);
    w->executed = executed;
    w->cmdq_addr = w->fn->cmdq_addr;
    return w->gate;
}

bool mlx5_fault_cmd_begin(Mlx5CmdWait *w, unsigned slot, const uint8_t *entry,
                          Mlx5FaultVerdict *verdict)
{
    const uint8_t *in = entry + CMD_IN_INLINE_OFFSET;
    uint16_t opcode = MLX5_GET(cmd_in, in, opcode);
    Mlx5FaultEvent event = mlx5_fault_event_of(MLX5_FAULT_ON_COMMAND, 0);
    const Mlx5FaultWhat what = { .kind = "command", .num = opcode, .at = slot };

    if (w->cmdq_addr != w->fn->cmdq_addr) {
        mlx5_fault_cmd_forget(w); /* left from an earlier command queue */
    }
    if (w->gate) {
        return false;
    }
    if (w->asked) {
        w->asked = false;
        *verdict = w->verdict;
        return true;
    }
    event.number[MLX5_FAULT_OPCODE] = opcode;
    event.number[MLX5_FAULT_OP_MOD] = MLX5_GET(cmd_in, in, op_mod);
    event.number[MLX5_FAULT_OBJ] = MLX5_GET(cmd_id, in, id);
    mlx5_fault_event(w->fn->dev->faults, &event, &what, verdict);
    if (wait_at(w, &verdict->before, false)) {
        w->asked = true;
        w->verdict = *verdict;
        return false;
    }
    return true;
}

bool mlx5_fault_cmd_keep(Mlx5CmdWait *w, const Mlx5FaultVerdict *verdict,
                         const uint8_t *out, uint8_t delivery, bool by_event)
{
    if (!wait_at(w, &verdict->after, true)) {
        return false;
    }
    memcpy(w->out, out, sizeof(w->out));
    w->delivery = delivery;
    w->by_event = by_event;
    return true;
}
