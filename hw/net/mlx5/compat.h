/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Differences between the QEMU versions we build in, in one place: 10.0, 10.2,
 * and what is known of 11.x. Nothing else in the device asks for a version.
 */
#ifndef HW_NET_MLX5_COMPAT_H
#define HW_NET_MLX5_COMPAT_H

/* hw/qdev-properties.h and its like moved to hw/core/ in 11.0. */
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
 * Since 10.1 class data and interface lists are const. system/memory.h came
 * with the same release.
 */
#if __has_include("system/memory.h")
#define MLX5_CLASS_DATA const void
#define MLX5_INTERFACE_INFO const InterfaceInfo
#else
#define MLX5_CLASS_DATA void
#define MLX5_INTERFACE_INFO InterfaceInfo
#endif

#endif
