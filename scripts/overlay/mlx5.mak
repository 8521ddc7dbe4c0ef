# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices of the trimmed emulator (configure --without-default-devices --with-devices-x86_64=mlx5).
# Responsible for: what "qemu-system-x86_64 -device help" offers in a lab build. Changing any line
# recompiles all of QEMU, since every object sees the set of symbols.

# Machines: q35 is what the lab uses, pc is the default of a plain qemu-system-x86_64.
CONFIG_Q35=y
CONFIG_I440FX=y
CONFIG_HPET=y

# The device.
CONFIG_MLX5_KTLS=y

# PCI Express topology: root ports (one for each NIC, so that hot-plug works) and switches.
CONFIG_PCIE_PORT=y
CONFIG_IOH3420=y
CONFIG_XIO3130=y

# virtio: the lab's agent channel and console, --share, entropy, a disk, a NIC to compare with.
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_9P=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y

# Other NICs of the same kind, to tell a fault of ours from a fault of the setup.
CONFIG_IGB_PCI_EXPRESS=y
CONFIG_E1000E_PCI_EXPRESS=y

# A real function given to the guest (--target vfio), and translation in front of every DMA.
CONFIG_VFIO=y
CONFIG_VFIO_PCI=y
CONFIG_VTD=y

# Test helpers: panic notification, exit and debug ports, teaching and test devices, serial ports.
CONFIG_PVPANIC_PCI=y
CONFIG_ISA_DEBUG=y
CONFIG_EDU=y
CONFIG_PCI_TESTDEV=y
CONFIG_SERIAL_PCI=y
