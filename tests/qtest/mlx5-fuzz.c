/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random input for the device; see mlx5-fuzz.h. */
#include "mlx5-fuzz.h"

uint32_t pick(uint32_t below)
{
    return (uint32_t)g_test_rand_int() % below;
}

bool often(void)
{
    return pick(4) != 0;
}

/* All opcodes that the device supports, and some others. */
static const uint16_t opcodes[] = {
    0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x107, 0x108, 0x109, 0x10a,
    0x10b, 0x10d, 0x200, 0x201, 0x202, 0x203, 0x301, 0x302, 0x303, 0x400,
    0x401, 0x402, 0x403, 0x500, 0x750, 0x751, 0x754, 0x755, 0x76f, 0x770,
    0x771, 0x772, 0x773, 0x800, 0x801, 0x802, 0x803, 0x805, 0x80d, 0x816, 0x817,
    0x900, 0x901, 0x902, 0x903, 0x904, 0x905, 0x906, 0x907, 0x908, 0x909,
    0x90a, 0x90b, 0x912, 0x913, 0x914, 0x915, 0x916, 0x917, 0x918, 0x919,
    0x92f, 0x930, 0x931, 0x933, 0x934, 0x936, 0x938, 0x939, 0x93a, 0x93b,
    0x93c, 0x940, 0x941, 0xa00, 0xa01, 0xa02, 0xa03, 0xb12,
};

static const uint16_t registers[] = {
    0x5002, 0x5003, 0x5004, 0x5006, 0x5007, 0x5008, 0x5031, 0x507f, 0x6001,
    0x7004, 0x9014, 0x9024, 0x9028, 0x9060, 0x9061, 0x907f, 0xc00e, 0x1234,
};

/* Of MNVDA. */
static const uint32_t config_items[] = {
    0x80, 0x81, 0x10a, 0x10b, 0x11d, 0x3000080, 0x1234,
};

uint16_t random_opcode(void)
{
    return opcodes[pick(G_N_ELEMENTS(opcodes))];
}

void random_dwords(uint8_t *p, size_t len)
{
    size_t i;

    for (i = 0; i + 4 <= len; i += 4) {
        uint32_t kind = pick(8);

        mlx5_st32(p + i, kind < 3 ? 0 : kind < 5 ? pick(8) :
                         kind < 6 ? 1u << pick(32) :
                         (uint32_t)g_test_rand_int());
    }
}

uint32_t random_command(uint8_t *in, uint32_t room)
{
    static const uint32_t lens[] = {
        8, 12, 16, 24, 32, 64, 80, 192, 272, 280, 512, 832, 848, 1024, 1040,
    };
    uint32_t len = often() ? lens[pick(G_N_ELEMENTS(lens))] : 8 + pick(1030);
    uint16_t opcode = often() ? random_opcode() : g_test_rand_int();

    memset(in, 0, room);
    random_dwords(in, len);
    if ((opcode == OP_DISABLE_HCA || opcode == OP_TEARDOWN_HCA) && often()) {
        opcode = OP_NOP;
    }
    MLX5_SET(cmd_in, in, opcode, opcode);
    MLX5_SET(cmd_in, in, uid, often() ? 0 : pick(3));
    MLX5_SET(cmd_in, in, op_mod, often() ? pick(3) : pick(0x10000));
    if (opcode == OP_ACCESS_REG) {
        MLX5_SET(access_register_in, in, register_id,
                 registers[pick(G_N_ELEMENTS(registers))]);
        MLX5_SET(access_register_in, in, argument, 0);
        MLX5_SET(port_reg, in + 16, local_port, often());
        if (MLX5_GET(access_register_in, in, register_id) == 0x9024) {
            MLX5_SET(config_item, in + 16, type,
                     config_items[pick(G_N_ELEMENTS(config_items))]);
        }
    }
    return len;
}

void random_wqe(uint8_t *p, Drv *d, uint32_t sqn, uint64_t mem)
{
    static const uint8_t known[] = {
        WQE_NOP, WQE_SEND, WQE_LSO, WQE_SET_PSV, WQE_GET_PSV, WQE_DUMP,
        WQE_UMR, WQE_ENHANCED_MPSW,
    };
    unsigned ds;

    random_dwords(p, 64);
    MLX5_SET(wqe_ctrl, p, opcode, often() ?
             known[pick(G_N_ELEMENTS(known))] : pick(256));
    MLX5_SET(wqe_ctrl, p, opc_mod, pick(3));
    MLX5_SET(wqe_ctrl, p, sqn, often() || often() ? sqn : pick(8));
    MLX5_SET(wqe_ctrl, p, ds, often() ? 1 + pick(16) : pick(64));
    MLX5_SET(wqe_ctrl, p, ce, pick(4));
    MLX5_SET(wqe_ctrl, p, tis_tir_num, pick(4));
    if (often()) {
        MLX5_SET(wqe_eth, p + 16, inline_hdr_sz, often() ? 0 : pick(80));
        MLX5_SET(wqe_eth, p + 16, mss, pick(2000));
    }
    for (ds = 2; ds < 4 && often(); ds++) {
        uint8_t *seg = p + ds * 16;

        MLX5_SET(wqe_data, seg, is_inline, !often());
        MLX5_SET(wqe_data, seg, byte_count, often() ? pick(1500) :
                 (uint32_t)g_test_rand_int());
        MLX5_SET(wqe_data, seg, lkey, often() ? d->lkey : pick(1000));
        MLX5_SET(wqe_data, seg, addr, often() ? mem + pick(4096) :
                 mlx5_ld64(seg + 4));
    }
}
