/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access to guest memory. All accesses go through the address space of the PCI
 * function, which takes care of an IOMMU, the bus master bit and missing
 * memory. Owns no state.
 */
#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "dma.h"
#include "err.h"
#include "mlx5.h"

/*
 * Memory only: addresses of device registers are refused. Otherwise a guest
 * could make us write to our own configuration space, and a reset would free
 * objects while the code accessing them is on the stack.
 */
static const MemTxAttrs memory_only = { .memory = true };

/*
 * No access once a teardown is pending; an unplugged device has no address
 * space.
 */
static bool dma_rw(Mlx5Function *fn, uint64_t addr, void *buf, size_t len,
                   DMADirection dir)
{
    /*
     * PCI_DEVICE() would check the type on each of several accesses per packet.
     */
    PCIDevice *pci = &fn->dev->parent_obj;

    return !mlx5_work_stop(&fn->dev->work) &&
           pci_dma_rw(pci, addr, buf, len, dir, memory_only) == MEMTX_OK;
}

/* A failed access during a teardown is not an error. */
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
    /*
     * The driver reads the owner bit first; the rest must be visible by then.
     */
    smp_wmb();
    return mlx5_dma_write(fn, addr + 63, entry + 63, 1);
}

bool mlx5_dma_publish_by(Mlx5Function *fn, uint64_t addr, const uint8_t *entry,
                         unsigned last)
{
    if (!mlx5_dma_write(fn, addr, entry, last) ||
        !mlx5_dma_write(fn, addr + last + 1, entry + last + 1, 63 - last)) {
        return false;
    }
    /* As above. */
    smp_wmb();
    return mlx5_dma_write(fn, addr + last, entry + last, 1);
}

bool mlx5_dma_read_dbr(Mlx5Function *fn, uint64_t addr, uint32_t *val)
{
    uint8_t be[4];

    if (!mlx5_dma_read(fn, addr, be, sizeof(be))) {
        return false;
    }
    /* Read the counter first, then the WQEs that it covers. */
    smp_rmb();
    *val = mlx5_ld32(be);
    return true;
}
