/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "trace.h"
static void realize(PCIDevice *d, Error **errp)
{
    trace_mlx5_realize(DEVICE(d)->id);
}
static void class_init(ObjectClass *k, void *data)
{
    PCI_DEVICE_CLASS(k)->realize = realize;
    PCI_DEVICE_CLASS(k)->vendor_id = 0x15b3;
    PCI_DEVICE_CLASS(k)->device_id = 0x101d;
    PCI_DEVICE_CLASS(k)->class_id = PCI_CLASS_NETWORK_ETHERNET;
}
static const TypeInfo info = {
    .name = "mlx5-ktls", .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(PCIDevice), .class_init = class_init,
    .interfaces = (InterfaceInfo[]) { { INTERFACE_PCIE_DEVICE }, {} },
};
static void reg(void) { type_register_static(&info); }
type_init(reg)
