/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Type names and limits of the device. Forward declarations live here so that a
 * header need not include another just for a pointer to its type.
 */
#ifndef HW_NET_MLX5_TYPES_H
#define HW_NET_MLX5_TYPES_H

#include "hw/pci/pci_device.h"
#include "qemu/units.h"
#include "hw/net/mlx5/prm_cmd.h"
#include "hw/net/mlx5/prm_obj.h"
#include "hw/net/mlx5/prm_queue.h"
#include "syndrome.h"

typedef struct Mlx5CapPage Mlx5CapPage;
typedef struct Mlx5Cmd Mlx5Cmd;
typedef struct Mlx5CmdWait Mlx5CmdWait;
typedef struct Mlx5Capture Mlx5Capture;
typedef struct Mlx5Cq Mlx5Cq;
typedef struct Mlx5DekSlot Mlx5DekSlot;
typedef struct Mlx5Eq Mlx5Eq;
typedef struct Mlx5Faults Mlx5Faults;
typedef struct Mlx5Function Mlx5Function;
typedef struct Mlx5Lro Mlx5Lro;
typedef struct Mlx5Mkey Mlx5Mkey;
typedef struct Mlx5Port Mlx5Port;
typedef struct Mlx5Profile Mlx5Profile;
typedef struct Mlx5RecordLog Mlx5RecordLog;
typedef struct Mlx5Reserved Mlx5Reserved;
typedef struct Mlx5Rq Mlx5Rq;
typedef struct Mlx5Rqt Mlx5Rqt;
typedef struct Mlx5Sq Mlx5Sq;
typedef struct Mlx5SqHeld Mlx5SqHeld;
typedef struct Mlx5State Mlx5State;
typedef struct Mlx5Strict Mlx5Strict;
typedef struct Mlx5Tap Mlx5Tap;
typedef struct Mlx5Tir Mlx5Tir;
typedef struct Mlx5Tis Mlx5Tis;
typedef struct Mlx5Vport Mlx5Vport;

#define MLX5_PAGE_SHIFT 12
#define MLX5_PAGE_SIZE (1u << MLX5_PAGE_SHIFT)
#define MLX5_BAR_SIZE (32 * MiB)
#define MLX5_MAX_VECTORS 256
#define MLX5_FIRST_UAR 4 /* before it: initialization segment, MSI-X */
#define MLX5_LOG_CMDQ_SIZE 5
#define MLX5_LOG_CMDQ_STRIDE 6
#define MLX5_CAP_PAGE_SIZE 0x1000
#define MLX5_LOG_MAX_LSO 18
/* The longest LSO payload with headers, plus some slack. */
#define MLX5_TX_BUF_SIZE ((1u << MLX5_LOG_MAX_LSO) + 4096)
#define MLX5_MAX_MTU 9978 /* IP MTU; the wire frame adds 14 + 2 * 4 bytes */
#define MLX5_HW_MTU_OVERHEAD 22 /* Ethernet header, one VLAN tag, FCS */
#define MLX5_MAX_FRAME (MLX5_MAX_MTU + 14 + 8)
#define MLX5_MIN_FRAME 60

/* Link modes with common settings of FEC in PPLM. */
typedef enum Mlx5FecClass {
    MLX5_FEC_10G_40G,
    MLX5_FEC_25G,
    MLX5_FEC_50G,
    MLX5_FEC_100G,
    MLX5_FEC_CLASSES,
} Mlx5FecClass;

#endif
