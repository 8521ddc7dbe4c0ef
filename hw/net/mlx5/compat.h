/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences between the supported QEMU versions: 10.0, 10.2, and 11.x as far
 * as known. No other file of the device depends on the version.
 */
#ifndef HW_NET_MLX5_COMPAT_H
#define HW_NET_MLX5_COMPAT_H

/* hw/qdev-properties.h and related headers moved to hw/core/ in 11.0. */
#if __has_include("hw/core/qdev-properties.h")
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/core/resettable.h"
#else
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/resettable.h"
#endif

/*
 * Since 10.1, class data and interface lists are const. system/memory.h
 * appeared in the same release.
 */
#if __has_include("system/memory.h")
#define MLX5_CLASS_DATA const void
#define MLX5_INTERFACE_INFO const InterfaceInfo
#else
#define MLX5_CLASS_DATA void
#define MLX5_INTERFACE_INFO InterfaceInfo
#endif

#endif
