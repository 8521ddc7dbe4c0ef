/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory: the only file that touches it. All accesses go through the PCI
 * function's own address space, so an IOMMU, the bus master bit and memory
 * that is not there are all respected. Owns no state.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "dma.h"
#include "err.h"
#include "mlx5.h"

/*
 * Memory only: an address that leads to registers is refused. Otherwise a guest
 * could have us write to our own configuration space, and a reset would pull
 * the objects from under the code that is writing.
 */
static const MemTxAttrs memory_only = { .memory = true };

/*
 * Nothing once we are to go away; taken out of the machine we have no address
 * space any more.
 */
static bool dma_rw(Mlx5Function *fn, uint64_t addr, void *buf, size_t len,
                   DMADirection dir)
{
    /* PCI_DEVICE() would look its type up at each access: several a packet. */
    PCIDevice *pci = &fn->dev->parent_obj;

    return !mlx5_work_stop(&fn->dev->work) &&
           pci_dma_rw(pci, addr, buf, len, dir, memory_only) == MEMTX_OK;
}

/* That what we are told to forget is not done any more is nobody's mistake. */
static void failed(Mlx5Function *fn, const char *dir, uint64_t addr, size_t len)
{
    mlx5_err_dma(fn, mlx5_work_stop(&fn->dev->work) ? 0 : LOG_GUEST_ERROR, dir,
                 addr, len);
}

bool mlx5_dma_read(Mlx5Function *fn, uint64_t addr, void *buf, size_t len)
{
    if (!dma_rw(fn, addr, buf, len, DMA_DIRECTION_TO_DEVICE)) {
        failed(fn, "read", addr, len);
        return false;
    }
    return true;
}

bool mlx5_dma_write(Mlx5Function *fn, uint64_t addr, const void *buf,
                    size_t len)
{
    if (!dma_rw(fn, addr, (void *)buf, len, DMA_DIRECTION_FROM_DEVICE)) {
        failed(fn, "write", addr, len);
        return false;
    }
    return true;
}

bool mlx5_dma_publish(Mlx5Function *fn, uint64_t addr, const uint8_t *entry)
{
    if (!mlx5_dma_write(fn, addr, entry, 63)) {
        return false;
    }
    /* The driver reads the owner bit first; what it owns must be there. */
    smp_wmb();
    return mlx5_dma_write(fn, addr + 63, entry + 63, 1);
}

bool mlx5_dma_read_dbr(Mlx5Function *fn, uint64_t addr, uint32_t *val)
{
    uint8_t be[4];

    if (!mlx5_dma_read(fn, addr, be, sizeof(be))) {
        return false;
    }
    /* The counter first, then the WQEs it announces. */
    smp_rmb();
    *val = mlx5_ld32(be);
    return true;
}
