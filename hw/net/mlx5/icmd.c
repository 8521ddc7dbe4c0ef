/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICMD; see icmd.h. */
#include "qemu/osdep.h"
#include "err.h"
#include "icmd.h"
#include "reg.h"
#include "trace.h"
#include "hw/net/mlx5/prm_icmd.h"

/* The window. */
enum {
    ICMD_CTRL = 0x0,
    ICMD_MAILBOX_SIZE = 0x1000,
    ICMD_SYNDROME = 0x1008,
    ICMD_MAILBOX = 0x100000,
};

/* Of the control register, what a tool sets; the status is ours. */
#define CTRL_BUSY 0x00000001u
#define CTRL_EXMB 0x00000002u /* the mailbox is in the host's memory */
#define CTRL_STATUS_SHIFT 8
#define CTRL_OPCODE_SHIFT 16
#define CTRL_WRITABLE 0xffff0003u

/* Status of a command. */
enum {
    ICMD_OK = 0,
    ICMD_INVALID_OPCODE = 1,
    ICMD_BAD_PARAM = 4,
};

/* ---------------------------------------------------------- commands --- */

/*
 * Each works on the mailbox, @m; output replaces input. Returns the status.
 */
typedef unsigned IcmdHandler(Mlx5State *s, uint8_t *m);

/* What tools may expect of the firmware. */
static unsigned query_cap(Mlx5State *s, uint8_t *m)
{
    if (MLX5_GET(icmd_query_cap_in, m, capability_group)) {
        return ICMD_BAD_PARAM;
    }
    memset(m, 0, MLX5_ICMD_QUERY_CAP_SIZE);
    MLX5_SET(icmd_query_cap_general, m, nv_access, 1);
    MLX5_SET(icmd_query_cap_general, m, fw_info_psid, 1);
    MLX5_SET(icmd_query_cap_general, m,
             allow_icmd_access_reg_on_all_registers, 1);
    MLX5_SET(icmd_query_cap_general, m, pcam_reg, 1);
    MLX5_SET(icmd_query_cap_general, m, mcam_reg, 1);
    return ICMD_OK;
}

/* The mailbox of a register access: two headers, then the register's data. */
#define REG_TLV_OFFSET MLX5_OPERATION_TLV_SIZE
#define REG_OFFSET (REG_TLV_OFFSET + MLX5_REG_TLV_SIZE)
#define REG_MAX (MLX5_ICMD_MAILBOX - REG_OFFSET)

/* The status of a register access, in its operation TLV. */
enum {
    REG_STATUS_OK = 0,
    REG_STATUS_UNKNOWN_TLV = 3,
    REG_STATUS_NOT_SUPPORTED = 4,
    REG_STATUS_METHOD_NOT_SUPPORTED = 6,
    REG_STATUS_BAD_PARAM = 7,
    REG_STATUS_LEN_TOO_SMALL = 0x24,
};

static unsigned reg_status(Mlx5Syndrome syn)
{
    switch (syn) {
    case MLX5_OK:
        return REG_STATUS_OK;
    case MLX5_SYN_REG_UNKNOWN:
        return REG_STATUS_NOT_SUPPORTED;
    case MLX5_SYN_REG_READ_ONLY:
    case MLX5_SYN_REG_WRITE_ONLY:
        return REG_STATUS_METHOD_NOT_SUPPORTED;
    case MLX5_SYN_REG_TOO_SHORT:
    case MLX5_SYN_REG_TOO_SHORT_OUT:
        return REG_STATUS_LEN_TOO_SMALL;
    default:
        return REG_STATUS_BAD_PARAM;
    }
}

/* Accesses the register that @op names; returns the status of its TLV. */
static unsigned access_reg_tlv(Mlx5State *s, uint8_t *op)
{
    uint8_t *tlv = op + REG_TLV_OFFSET;
    uint32_t method = MLX5_GET(operation_tlv, op, method);
    uint32_t words = MLX5_GET(reg_tlv, tlv, len);
    uint8_t out[REG_MAX] = { 0 };
    Mlx5Syndrome syn;
    size_t len;

    if (MLX5_GET(operation_tlv, op, type) != MLX5_TLV_OPERATION ||
        MLX5_GET(operation_tlv, op, len) != MLX5_OPERATION_TLV_SIZE / 4 ||
        MLX5_GET(reg_tlv, tlv, type) != MLX5_TLV_REG ||
        words < MLX5_REG_TLV_SIZE / 4 ||
        words * 4 > REG_MAX + MLX5_REG_TLV_SIZE) {
        return REG_STATUS_UNKNOWN_TLV;
    }
    if (method != MLX5_REG_QUERY && method != MLX5_REG_WRITE) {
        return REG_STATUS_METHOD_NOT_SUPPORTED;
    }
    len = words * 4 - MLX5_REG_TLV_SIZE;
    syn = mlx5_reg_access(&s->fn, MLX5_GET(operation_tlv, op, register_id),
                          method == MLX5_REG_WRITE, op + REG_OFFSET, len, out,
                          len);
    if (syn == MLX5_OK) {
        memcpy(op + REG_OFFSET, out, len);
    }
    return reg_status(syn);
}

static unsigned access_reg(Mlx5State *s, uint8_t *m)
{
    MLX5_SET(operation_tlv, m, status, access_reg_tlv(s, m));
    MLX5_SET(operation_tlv, m, r, 1);
    return ICMD_OK;
}

static const struct {
    uint16_t opcode;
    const char *name;
    IcmdHandler *handler;
} commands[] = {
    { 0x8400, "QUERY_CAP", query_cap },
    { 0x9001, "FLASH_REG_ACCESS", access_reg },
};

static void icmd_bh(void *opaque)
{
    Mlx5State *s = opaque;
    uint32_t ctrl = s->icmd.ctrl;
    uint16_t opcode = ctrl >> CTRL_OPCODE_SHIFT;
    unsigned status = ICMD_INVALID_OPCODE, i;

    if (!(ctrl & CTRL_BUSY) || s->fn.asleep) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].opcode == opcode) {
            status = ctrl & CTRL_EXMB ? ICMD_BAD_PARAM :
                     commands[i].handler(s, s->icmd.mailbox);
            trace_mlx5_icmd(mlx5_id(&s->fn), commands[i].name, status);
        }
    }
    if (status != ICMD_OK) {
        mlx5_err_icmd(&s->fn, opcode, status);
    }
    s->icmd.ctrl = (ctrl & ~(CTRL_BUSY | 0xffu << CTRL_STATUS_SHIFT)) |
                   status << CTRL_STATUS_SHIFT;
}

/* ---------------------------------------------------------- lifetime --- */

void mlx5_icmd_init(Mlx5State *s)
{
    mlx5_wake_add(&s->fn, MLX5_WAKE_ICMD, icmd_bh, s);
}

void mlx5_icmd_reset(Mlx5State *s)
{
    mlx5_wake_cancel(&s->fn, MLX5_WAKE_ICMD);
    memset(&s->icmd, 0, sizeof(s->icmd));
}

void mlx5_icmd_finalize(Mlx5State *s)
{
    mlx5_wake_remove(&s->fn, MLX5_WAKE_ICMD);
}

/* ------------------------------------------------------------ window --- */

bool mlx5_icmd_read(Mlx5State *s, uint32_t addr, uint32_t *val)
{
    if (addr % 4) {
        return false;
    }
    if (addr >= ICMD_MAILBOX && addr < MLX5_ICMD_END) {
        *val = mlx5_ld32(s->icmd.mailbox + (addr - ICMD_MAILBOX));
        return true;
    }
    switch (addr) {
    case ICMD_CTRL:
        *val = s->icmd.ctrl;
        return true;
    case ICMD_MAILBOX_SIZE:
        *val = MLX5_ICMD_MAILBOX;
        return true;
    case ICMD_SYNDROME:
        *val = 0; /* the status says it all */
        return true;
    default:
        return false;
    }
}

/* A command in execution owns the window. */
bool mlx5_icmd_write(Mlx5State *s, uint32_t addr, uint32_t val)
{
    if (addr % 4 || s->icmd.ctrl & CTRL_BUSY) {
        return false;
    }
    if (addr >= ICMD_MAILBOX && addr < MLX5_ICMD_END) {
        mlx5_st32(s->icmd.mailbox + (addr - ICMD_MAILBOX), val);
        return true;
    }
    if (addr != ICMD_CTRL) {
        return false;
    }
    s->icmd.ctrl = (s->icmd.ctrl & ~CTRL_WRITABLE) | (val & CTRL_WRITABLE);
    if (val & CTRL_BUSY) {
        mlx5_wake(&s->fn, MLX5_WAKE_ICMD);
    }
    return true;
}
