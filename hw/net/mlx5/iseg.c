/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Initialization segment, the first two and a bit pages of BAR0: firmware
 * version, command queue address and doorbell, health buffer and counter, free
 * running timer (driver: struct mlx5_init_seg, main.c, health.c, clock.c).
 * Owns cmdq_addr and nic_interface of the function.
 */
#include "qemu/osdep.h"
#include "clock.h"
#include "cmd.h"
#include "err.h"
#include "iseg.h"
#include "profile.h"
#include "trace.h"

#define CMDIF_REV 5

enum {
    ISEG_FW_REV = 0x000,
    ISEG_CMDIF_REV = 0x004,
    ISEG_CMDQ_ADDR_H = 0x010,
    ISEG_CMDQ_ADDR_L = 0x014,
    ISEG_CMD_DBELL = 0x018,
    ISEG_INITIALIZING = 0x1fc,
    ISEG_HEALTH = 0x200,
    ISEG_HEALTH_FW_VER = 0x230,
    ISEG_HEALTH_END = 0x240,
    ISEG_CMD_EXEC_TO = 0xff8,
    ISEG_CMD_Q_INIT_TO = 0xffc,
    ISEG_TIMER_H = 0x1000,
    ISEG_TIMER_L = 0x1004,
    ISEG_HEALTH_COUNTER = 0x1010,
};

/* iseg 0x14 [10:8] */
enum {
    NIC_INTERFACE_FULL = 0,
    NIC_INTERFACE_DISABLED = 1,
};
/* iseg 0x1fc [26:24]: the driver may use full and disabled */
#define NIC_INTERFACE_SUPPORTED 0x3u

/*
 * Reads the aligned dword at @addr (0..MLX5_ISEG_SIZE - 4). Reserved fields
 * read as 0.
 */
uint32_t mlx5_iseg_read(Mlx5Function *fn, hwaddr addr)
{
    switch (addr) {
    case ISEG_FW_REV:
        return MLX5_FW_MINOR << 16 | fn->dev->profile->fw_major;
    case ISEG_CMDIF_REV:
        return CMDIF_REV << 16 | MLX5_FW_SUBMINOR;
    case ISEG_CMDQ_ADDR_H:
        return fn->cmdq_addr_h;
    case ISEG_CMDQ_ADDR_L:
        /* The driver reads, changes [10:8] and writes back. */
        return (fn->cmdq_addr & 0xfffff000u) | fn->nic_interface << 8 |
               MLX5_LOG_CMDQ_SIZE << 4 | MLX5_LOG_CMDQ_STRIDE;
    case ISEG_INITIALIZING:
        return NIC_INTERFACE_SUPPORTED << 24; /* bit 31 clear: ready */
    case ISEG_HEALTH_FW_VER:
        return mlx5_profile_fw_version(fn->dev->profile);
    case ISEG_CMD_EXEC_TO:
    case ISEG_CMD_Q_INIT_TO:
        return 0; /* the driver uses its own timeouts */
    case ISEG_TIMER_H:
        return mlx5_clock_ns(fn) >> 32;
    case ISEG_TIMER_L:
        return mlx5_clock_ns(fn);
    case ISEG_HEALTH_COUNTER:
        /*
         * 100 Hz: must differ between two polls, which are at least 50 ms apart
         */
        return (mlx5_clock_ns(fn) / (10 * SCALE_MS)) & 0xffffff;
    default:
        return 0;
    }
}

void mlx5_iseg_write(Mlx5Function *fn, hwaddr addr, uint32_t val)
{
    switch (addr) {
    case ISEG_CMDQ_ADDR_H:
        fn->cmdq_addr_h = val;
        break;
    case ISEG_CMDQ_ADDR_L:
        fn->nic_interface = (val >> 8) & 7;
        fn->cmdq_addr = (uint64_t)fn->cmdq_addr_h << 32 | (val & 0xfffff000u);
        fn->cmdq_new = fn->nic_interface == NIC_INTERFACE_FULL;
        if (fn->cmdq_new) {
            /*
             * Pending doorbells and deferred commands belong to the old queue.
             */
            mlx5_cmd_reset(fn);
        }
        trace_mlx5_iseg_cmdq(mlx5_id(fn), fn->cmdq_addr, fn->nic_interface);
        break;
    case ISEG_CMD_DBELL:
        mlx5_cmd_doorbell(fn, val);
        break;
    default:
        mlx5_err_iseg_write(fn, addr, val);
        break;
    }
}

void mlx5_iseg_reset(Mlx5Function *fn)
{
    fn->cmdq_addr = 0;
    fn->cmdq_addr_h = 0;
    fn->cmdq_new = false;
    fn->nic_interface = NIC_INTERFACE_FULL;
    mlx5_clock_reset(fn);
}

/*
 * This tells a bound driver that its function was reset: its health poll reads
 * "disabled" and starts recovery, instead of waiting a minute for each command
 * that will never complete. A driver that starts sets the interface to full
 * when it writes its queue address.
 */
void mlx5_iseg_disable(Mlx5Function *fn)
{
    fn->nic_interface = NIC_INTERFACE_DISABLED;
}
