/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command interface: command queue, mailboxes, dispatch, validation and
 * completion (driver: core/cmd.c). Owns cmd_pending, cmd_batch and cmd_wait of
 * the function.
 *
 * A doorbell only records the slot. For each pending slot the bottom half
 * copies the entry and its input mailboxes, runs the handler, writes output
 * mailboxes and inline output, returns the entry through its ownership bit and
 * reports it on the command EQ, in this order, so that polling and event-driven
 * drivers both see only complete results.
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "cmd.h"
#include "dma.h"
#include "eq.h"
#include "err.h"
#include "fault.h"
#include "reserved.h"
#include "trace.h"
#include "hw/net/mlx5/prm_reg.h"

#define OP_ACCESS_REG 0x805

#define CMD_ENTRY_SIZE 64
#define CMD_TYPE_PCI 7
#define CMD_SLOTS (1u << MLX5_LOG_CMDQ_SIZE)
#define CMD_INLINE MLX5_CMD_OUT_INLINE
#define CMD_IN_INLINE_OFFSET 0x10
#define CMD_OUT_INLINE_OFFSET 0x20
#define CMD_STATUS_OWN_OFFSET 0x3f

#define MAILBOX_DATA 512
#define MAILBOX_SIZE 576
#define MAILBOX_ALIGN 512
/* Maximum input length: the longest list of translations of a memory key. */
#define CMD_MAX_IN (1 * MiB + 4 * KiB)
/* Maximum output length; fits the longest page or flow list. */
#define CMD_MAX_OUT (64 * KiB)
/* Commands per run of the bottom half; 64 KiB of input count as one more. */
#define CMD_BUDGET 4
#define CMD_INPUT_COST (64 * KiB)

/* Delivery status, status_own[7:1]: malformed descriptors only. */
typedef enum Mlx5Delivery {
    DELIVERY_OK = 0x00,
    DELIVERY_TOKEN = 0x02,
    DELIVERY_OUT_PTR = 0x04,
    DELIVERY_IN_PTR = 0x05,
    DELIVERY_FW = 0x06,
    DELIVERY_IN_LEN = 0x07,
    DELIVERY_OUT_LEN = 0x08,
    DELIVERY_TYPE = 0x10,
} Mlx5Delivery;

typedef struct Mlx5CmdDesc {
    uint16_t opcode;
    uint16_t in_min;
    uint16_t out_min;
    Mlx5HcaState state;
    const char *name;
    Mlx5CmdHandler *handler;
} Mlx5CmdDesc;

static const Mlx5CmdDesc commands[] = {
#define MLX5_CMD_ROW(op, NAME, handler_, in_min_, out_min_, state_)   \
    { .opcode = op, .in_min = in_min_, .out_min = out_min_,           \
      .state = MLX5_HCA_##state_, .name = #NAME,                      \
      .handler = mlx5_cmd_##handler_ },
    MLX5_COMMANDS(MLX5_CMD_ROW)
#undef MLX5_CMD_ROW
};

static int compare_opcode(const void *key, const void *row)
{
    return *(const uint16_t *)key - ((const Mlx5CmdDesc *)row)->opcode;
}

static const Mlx5CmdDesc *cmd_find(uint16_t opcode)
{
    return bsearch(&opcode, commands, ARRAY_SIZE(commands),
                   sizeof(commands[0]), compare_opcode);
}

/* Validates a command before its handler runs. */
static Mlx5Syndrome cmd_validate(Mlx5Function *fn, const Mlx5CmdDesc *desc,
                                 uint32_t in_len, uint32_t out_len)
{
    if (!desc) {
        return MLX5_SYN_UNKNOWN_OPCODE;
    }
    if (in_len < desc->in_min) {
        return MLX5_SYN_INPUT_TOO_SHORT;
    }
    if (out_len < desc->out_min) {
        return MLX5_SYN_OUTPUT_TOO_SHORT;
    }
    if (fn->hca < desc->state) {
        return fn->hca == MLX5_HCA_OFF ? MLX5_SYN_HCA_NOT_ENABLED :
                                         MLX5_SYN_HCA_NOT_INITIALIZED;
    }
    return MLX5_OK;
}

/* Returns whether @fault, the fault rules' verdict, replaces execution. */
static bool cmd_fault(const Mlx5FaultVerdict *fault, uint8_t *out)
{
    if (fault->fail) {
        MLX5_SET(cmd_out, out, status, fault->status);
        MLX5_SET(cmd_out, out, syndrome, fault->syndrome);
    }
    return fault->fail || fault->swallow;
}

/* Returns the log mask for a refusal; reaching a limit is not an error. */
static int blame(Mlx5Syndrome syn)
{
    return mlx5_syndrome_status(syn) == MLX5_STATUS_EXCEED_LIM ? 0 :
           mlx5_syndrome_unimplemented(syn) ? LOG_UNIMP : LOG_GUEST_ERROR;
}

/* Counts a failed command for QUERY_VNIC_ENV. */
static void count_failure(Mlx5Function *fn, uint8_t status)
{
    if (status == MLX5_STATUS_EXCEED_LIM) {
        fn->vnic_env.quota_exceeded_command++;
    } else if (status != MLX5_STATUS_OK) {
        fn->vnic_env.invalid_command++;
    }
}

/*
 * Runs a command whose input has been copied. @out has @out_len zeroed bytes,
 * at least CMD_INLINE.
 */
static void cmd_execute(Mlx5Function *fn, unsigned slot,
                        const Mlx5FaultVerdict *fault, const uint8_t *in,
                        uint32_t in_len, uint8_t *out, uint32_t out_len)
{
    Mlx5Cmd cmd = {
        .fn = fn,
        .in = in,
        .in_len = in_len,
        .out = out,
        .out_len = out_len,
        .opcode = MLX5_GET(cmd_in, in, opcode),
        .uid = MLX5_GET(cmd_in, in, uid),
        .op_mod = MLX5_GET(cmd_in, in, op_mod),
    };
    const Mlx5CmdDesc *desc = cmd_find(cmd.opcode);
    Mlx5Syndrome syn;

    if (cmd_fault(fault, out)) {
        count_failure(fn, MLX5_GET(cmd_out, out, status));
        return;
    }
    syn = cmd_validate(fn, desc, in_len, out_len);
    if (syn == MLX5_OK) {
        syn = desc->handler(&cmd);
    }
    if (syn != MLX5_OK) {
        memset(out, 0, out_len);
    }
    MLX5_SET(cmd_out, out, status, mlx5_syndrome_status(syn));
    MLX5_SET(cmd_out, out, syndrome, mlx5_syndrome_number(syn));
    mlx5_reserved_fill_cmd(fn->dev, cmd.opcode, cmd.opcode == OP_ACCESS_REG ?
                           MLX5_GET(access_register_in, in, register_id) :
                           cmd.op_mod >> 1, syn == MLX5_OK, out, out_len);
    count_failure(fn, mlx5_syndrome_status(syn));
    if (syn == MLX5_OK) {
        trace_mlx5_cmd(mlx5_id(fn), slot, desc->name, cmd.op_mod, cmd.uid);
    } else {
        mlx5_err_cmd(fn, blame(syn), slot, desc ? desc->name : "unknown",
                     cmd.opcode, cmd.op_mod, cmd.uid, in_len, out_len,
                     mlx5_syndrome_status(syn),
                     cmd.why ?: mlx5_syndrome_text(syn));
    }
}

/*
 * Walks the mailbox chain at @addr and copies @len bytes from or to it. Each
 * mailbox must carry the entry's token.
 */
static Mlx5Delivery mailbox_copy(Mlx5Function *fn, uint64_t addr, uint8_t token,
                                 uint8_t *data, uint32_t len, bool to_guest)
{
    Mlx5Delivery bad = to_guest ? DELIVERY_OUT_PTR : DELIVERY_IN_PTR;
    uint8_t tail[MAILBOX_SIZE - MAILBOX_DATA];

    while (len) {
        uint32_t n = MIN(len, MAILBOX_DATA);

        if (!addr || addr & (MAILBOX_ALIGN - 1)) {
            return bad;
        }
        if (!mlx5_dma_read(fn, addr + MAILBOX_DATA, tail, sizeof(tail))) {
            return bad;
        }
        /* The layout counts from the start of the mailbox. */
        if (tail[MLX5_BIT_cmd_mailbox_token / 8 - MAILBOX_DATA] != token) {
            return DELIVERY_TOKEN;
        }
        if (!(to_guest ? mlx5_dma_write(fn, addr, data, n) :
                         mlx5_dma_read(fn, addr, data, n))) {
            return bad;
        }
        data += n;
        len -= n;
        addr = mlx5_ld64(tail + MLX5_BIT_cmd_mailbox_next / 8 - MAILBOX_DATA);
    }
    return DELIVERY_OK;
}

static Mlx5Delivery cmd_run_entry(Mlx5Function *fn, unsigned slot,
                                  const Mlx5FaultVerdict *fault,
                                  const uint8_t *entry, uint8_t *out_inline)
{
    uint32_t in_len = MLX5_GET(cmd_queue_entry, entry, input_length);
    uint32_t out_len = MLX5_GET(cmd_queue_entry, entry, output_length);
    uint8_t token = MLX5_GET(cmd_queue_entry, entry, token);
    uint32_t room = MAX(out_len, CMD_INLINE);
    g_autofree uint8_t *out = NULL;
    uint8_t *in;
    Mlx5Delivery st = DELIVERY_OK;

    if (MLX5_GET(cmd_queue_entry, entry, type) != CMD_TYPE_PCI) {
        return DELIVERY_TYPE;
    }
    if (in_len < 8 || in_len > CMD_MAX_IN) {
        return DELIVERY_IN_LEN;
    }
    if (out_len < 8 || out_len > CMD_MAX_OUT) {
        return DELIVERY_OUT_LEN;
    }
    in = g_malloc0(MAX(in_len, CMD_INLINE));
    out = g_malloc0(room);
    memcpy(in, entry + CMD_IN_INLINE_OFFSET, MIN(in_len, CMD_INLINE));
    if (in_len > CMD_INLINE) {
        st = mailbox_copy(fn, MLX5_GET64(cmd_queue_entry, entry,
                                         input_mailbox_pointer),
                          token, in + CMD_INLINE, in_len - CMD_INLINE, false);
    }
    if (st == DELIVERY_OK) {
        cmd_execute(fn, slot, fault, in, in_len, out, out_len);
        memcpy(out_inline, out, CMD_INLINE);
        if (out_len > CMD_INLINE) {
            st = mailbox_copy(fn, MLX5_GET64(cmd_queue_entry, entry,
                                             output_mailbox_pointer),
                              token, out + CMD_INLINE, out_len - CMD_INLINE,
                              true);
        }
    }
    mlx5_secret_free(in, MAX(in_len, CMD_INLINE)); /* may contain keys */
    return st;
}

static uint64_t cmd_entry_addr(Mlx5Function *fn, unsigned slot)
{
    return fn->cmdq_addr + ((uint64_t)slot << MLX5_LOG_CMDQ_STRIDE);
}

/* Returns the entry to the driver, with @out as its inline output. */
static bool cmd_hand_back(Mlx5Function *fn, unsigned slot, const uint8_t *out,
                          Mlx5Delivery st)
{
    uint64_t addr = cmd_entry_addr(fn, slot);
    uint8_t status_own = st << 1;

    if (!mlx5_dma_write(fn, addr + CMD_OUT_INLINE_OFFSET, out, CMD_INLINE)) {
        return false;
    }
    smp_wmb();
    mlx5_dma_write(fn, addr + CMD_STATUS_OWN_OFFSET, &status_own, 1);
    return true;
}

/*
 * Processes the entry of a slot to its completion; long input takes some of
 * *@budget. Slots to report by event are added to *@completed: a driver polls
 * for commands issued before its command EQ exists, including the creation of
 * that EQ, and would take an event for one as a second completion.
 */
static void cmd_slot(Mlx5Function *fn, unsigned slot, uint32_t *completed,
                     int *budget)
{
    bool by_event = mlx5_event_wanted(fn, MLX5_EVENT_CMD);
    uint64_t addr = cmd_entry_addr(fn, slot);
    uint8_t entry[CMD_ENTRY_SIZE];
    uint8_t out[CMD_INLINE] = { 0 };
    Mlx5CmdWait *wait = &fn->cmd_wait[slot];
    Mlx5FaultVerdict fault = { 0 };
    Mlx5Delivery st;

    if (!mlx5_dma_read(fn, addr, entry, sizeof(entry))) {
        return;
    }
    *budget -= MIN(MLX5_GET(cmd_queue_entry, entry, input_length),
                   CMD_MAX_IN) / CMD_INPUT_COST;
    if (!MLX5_GET(cmd_queue_entry, entry, ownership)) {
        mlx5_err_cmd_not_owned(fn, slot);
        return;
    }
    if (fn->dev->faults && !mlx5_fault_cmd_begin(wait, slot, entry, &fault)) {
        return;
    }
    st = cmd_run_entry(fn, slot, &fault, entry, out);
    if (st != DELIVERY_OK) {
        mlx5_err_cmd_delivery(fn, slot, st);
    }
    if (mlx5_fault_cmd_keep(wait, &fault, out, st, by_event)) {
        return;
    }
    if (cmd_hand_back(fn, slot, out, st) && by_event) {
        *completed |= 1u << slot;
    }
}

static void cmd_events(Mlx5Function *fn, uint32_t slots)
{
    uint8_t eqe[64] = { 0 };

    MLX5_SET(eqe_cmd, eqe, command_completion_vector, slots);
    mlx5_event(fn, MLX5_EVENT_CMD, 0, eqe);
}

/*
 * A batch consists of the slots rung before it started, in order; slots rung
 * meanwhile form the next batch.
 */
static void cmd_bh(void *opaque)
{
    Mlx5Function *fn = opaque;
    int budget = CMD_BUDGET;
    uint32_t completed = 0;

    if (fn->asleep) {
        return;
    }
    if (!fn->cmd_batch) {
        fn->cmd_batch = fn->cmd_pending;
        fn->cmd_pending = 0;
    }
    while (fn->cmd_batch && budget-- > 0 && !mlx5_work_stop(&fn->dev->work)) {
        unsigned slot = ctz32(fn->cmd_batch);

        fn->cmd_batch &= fn->cmd_batch - 1;
        cmd_slot(fn, slot, &completed, &budget);
    }
    if (fn->cmd_batch || fn->cmd_pending) {
        mlx5_wake(fn, MLX5_WAKE_CMD);
    }
    if (completed) {
        cmd_events(fn, completed);
        mlx5_notify_flush(fn);
    }
}

void mlx5_cmd_doorbell(Mlx5Function *fn, uint32_t slots)
{
    if (!fn->cmdq_addr) {
        mlx5_err_cmd_no_queue(fn, slots);
        return;
    }
    fn->cmd_pending |= slots;
    mlx5_wake(fn, MLX5_WAKE_CMD);
}

/* The gate of a deferred slot has opened. */
static bool cmd_go_on(Mlx5Waiter *waiter, unsigned *budget)
{
    Mlx5CmdWait *w = container_of(waiter, Mlx5CmdWait, waiter);
    Mlx5Function *fn = w->fn;
    unsigned slot = w - fn->cmd_wait;

    g_clear_pointer(&w->gate, mlx5_gate_free);
    if (w->cmdq_addr != fn->cmdq_addr) {
        w->asked = false;
    } else if (!w->executed) {
        mlx5_cmd_doorbell(fn, 1u << slot);
    } else if (cmd_hand_back(fn, slot, w->out, w->delivery) && w->by_event) {
        cmd_events(fn, 1u << slot);
    }
    return true;
}

void mlx5_cmd_init(Mlx5Function *fn)
{
    unsigned slot;

    fn->cmd_wait = g_new0(Mlx5CmdWait, CMD_SLOTS);
    for (slot = 0; slot < CMD_SLOTS; slot++) {
        fn->cmd_wait[slot].fn = fn;
        fn->cmd_wait[slot].waiter.go_on = cmd_go_on;
    }
    mlx5_wake_add(fn, MLX5_WAKE_CMD, cmd_bh, fn);
}

void mlx5_cmd_reset(Mlx5Function *fn)
{
    unsigned slot;

    fn->cmd_pending = 0;
    fn->cmd_batch = 0;
    mlx5_wake_cancel(fn, MLX5_WAKE_CMD);
    for (slot = 0; slot < CMD_SLOTS; slot++) {
        mlx5_fault_cmd_forget(&fn->cmd_wait[slot]);
    }
}

void mlx5_cmd_finalize(Mlx5Function *fn)
{
    mlx5_cmd_reset(fn);
    mlx5_wake_remove(fn, MLX5_WAKE_CMD);
    g_clear_pointer(&fn->cmd_wait, g_free);
}
