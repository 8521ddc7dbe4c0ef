/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tests of a device that is reset or unplugged by its own actions: by an
 * interrupt message aimed at configuration space, or by another NIC that
 * receives one of its frames. Owns no state.
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_regs.h"
#include "libqos/virtio-pci.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_ids.h"
#include "mlx5-fault.h"
#include "mlx5-rig.h"
#include "mlx5-tests.h"

#define PORT_DEVFN QPCI_DEVFN(DRV_PORT_SLOT, 0)
#define NIC_DEVFN (1 << 8)
#define VIRTIO_SLOT 6
#define FLR 0x8000
#define VECTOR_CMD 0
#define VECTOR_COMP 1

/* What a message does, and from inside what it is sent. */
typedef enum Blow { EJECT, DO_FLR, BUS_RESET, BLOWS } Blow;
typedef enum Inside {
    IN_NOTIFY, /* a packet has arrived */
    IN_TX,     /* a WQE was executed */
    IN_CMD,    /* a command was executed */
    IN_FAULT,  /* a completion that was held is let go */
    IN_ARM,    /* an EQ with news is armed */
    IN_UNMASK, /* a vector that is pending is unmasked */
    INSIDES,
} Inside;

static const char *const blow_names[] = { "eject", "flr", "bus-reset" };
static const char *const inside_names[] = {
    "notify", "tx", "command", "fault", "arm", "unmask",
};

/* A message: a dword and where to write it. */
typedef struct Message {
    uint64_t addr;
    uint32_t data;
} Message;

static Message message(Drv *d, Blow blow)
{
    QPCIDevice *dev = qpci_device_find(d->bus, blow == EJECT ? PORT_DEVFN :
                                                               NIC_DEVFN);
    unsigned exp = qpci_find_capability(dev, PCI_CAP_ID_EXP, 0);

    g_free(dev);
    switch (blow) {
    case EJECT: /* power and power indicator off; the port unplugs at once */
        return (Message){ drv_ecam(PORT_DEVFN, exp + PCI_EXP_SLTCTL),
                          PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PIC };
    case DO_FLR:
        return (Message){ drv_ecam(NIC_DEVFN, exp + PCI_EXP_DEVCTL), FLR };
    case BUS_RESET: /* bridge control is the upper half */
        return (Message){ drv_ecam(PORT_DEVFN, PCI_INTERRUPT_LINE),
                          PCI_BRIDGE_CTL_BUS_RESET << 16 };
    default:
        g_assert_not_reached();
    }
}

static void aim(Drv *d, QPCIDevice *pci, unsigned vector, Message m)
{
    uint64_t off = pci->msix_table_off + vector * PCI_MSIX_ENTRY_SIZE;
    QPCIBar bar = pci->msix_table_bar;

    qpci_io_writel(pci, bar, off + PCI_MSIX_ENTRY_LOWER_ADDR, m.addr);
    qpci_io_writel(pci, bar, off + PCI_MSIX_ENTRY_UPPER_ADDR, m.addr >> 32);
    qpci_io_writel(pci, bar, off + PCI_MSIX_ENTRY_DATA, m.data);
    qpci_io_writel(pci, bar, off + PCI_MSIX_ENTRY_VECTOR_CTRL, 0);
}

/* One of everything, on a device that is up. */
typedef struct Rig {
    Drv *d;
    DrvEq cmd_eq, eq;
    DrvCq cq;
    DrvSq sq;
    DrvRq rq;
    DrvSteering st;
} Rig;

static void rig_up(Rig *r, Drv *d)
{
    DrvSeg seg;

    r->d = d;
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_msix_init(d);
    drv_eq_create(d, &r->eq, 6, VECTOR_COMP, 0);
    drv_cq_create(d, &r->cq, 6, r->eq.eqn);
    drv_sq_create(d, &r->sq, 6, &r->cq, drv_tis_create(d));
    drv_rq_create(d, &r->rq, 4, 4, &r->cq, 0, false);
    drv_steer_all(d, &r->st, drv_tir_direct(d, r->rq.rqn), 0);
    seg = (DrvSeg){ .addr = drv_mem(d, 2048), .len = 2048 };
    drv_rq_post(d, &r->rq, &seg, 1);
    drv_rq_publish(d, &r->rq);
    drv_eq_update(d, &r->eq, true);
    drv_cq_arm(d, &r->cq, false);
}

static void post_nop(Rig *r)
{
    DrvWqe w;

    drv_wqe(&w, &r->sq, WQE_NOP, true);
    drv_sq_put(r->d, &r->sq, &w);
    drv_sq_ring(r->d, &r->sq);
}

/*
 * In the MSI-X table. What writes to configuration space, as MSI-X's own enable
 * and the power state do, sends no message there: QEMU's host bridge does not
 * enter itself again.
 */
static void mask(Drv *d, unsigned vector, bool on)
{
    qpci_io_writel(d->pci, d->pci->msix_table_bar, d->pci->msix_table_off +
                   vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL,
                   on);
}

/* Has vector VECTOR_COMP, or VECTOR_CMD for commands, sent from @inside. */
static void strike(Rig *r, Inside inside, Message m)
{
    Drv *d = r->d;
    FrameSpec s = rig_spec(4, 6, 100);
    Frame f = frame_build(&s);
    uint8_t in[16] = { 0 };
    DrvCmd c;

    switch (inside) {
    case IN_NOTIFY:
        aim(d, d->pci, VECTOR_COMP, m);
        drv_wire_send(d, f.data, f.len);
        break;
    case IN_TX:
        aim(d, d->pci, VECTOR_COMP, m);
        post_nop(r);
        break;
    case IN_CMD:
        drv_eq_create(d, &r->cmd_eq, 6, VECTOR_CMD, 1ull << EVENT_CMD);
        drv_eq_update(d, &r->cmd_eq, true);
        drv_settle(d);
        aim(d, d->pci, VECTOR_CMD, m);
        MLX5_SET(cmd_in, in, opcode, OP_NOP);
        drv_cmd_post(d, &c, 0, in, 16, 16);
        drv_cmd_ring(d, 1);
        break;
    case IN_FAULT:
        fault_add(d, "hold wqe=NOP name=x");
        post_nop(r);
        DRV_WAIT(fault_rule(d, 0).waiting == 1);
        aim(d, d->pci, VECTOR_COMP, m);
        fault_do(d, "fault-release", "x");
        break;
    case IN_ARM:
        post_nop(r);
        DRV_WAIT(drv_msix_fired(d, VECTOR_COMP));
        aim(d, d->pci, VECTOR_COMP, m);
        /* its ci is still 0: one EQE that the driver has not seen */
        drv_eq_update(d, &r->eq, true);
        break;
    case IN_UNMASK:
        aim(d, d->pci, VECTOR_COMP, m);
        mask(d, VECTOR_COMP, true);
        post_nop(r);
        DRV_WAIT(qpci_msix_pending(d->pci, VECTOR_COMP));
        mask(d, VECTOR_COMP, false);
        break;
    default:
        g_assert_not_reached();
    }
    frame_free(&f);
}

static bool port_is_empty(Drv *d)
{
    return qtest_readl(d->qts, drv_ecam(NIC_DEVFN, 0)) == UINT32_MAX;
}

/* Nothing is left of what was there, and a driver that comes finds it well. */
static void check_after(Drv *d, Blow blow)
{
    Message on = message(d, EJECT);

    if (blow == EJECT) {
        DRV_WAIT(port_is_empty(d));
        qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
        qtest_writel(d->qts, on.addr, PCI_EXP_SLTCTL_PWR_IND_ON);
        qtest_qmp_device_add(d->qts, "mlx5-ktls", "nic", "{'netdev': 'net0', "
                             "'bus': 'rp0', 'mac': " "%s}", DRV_MAC_STR);
        qtest_writel(d->qts, on.addr, PCI_EXP_SLTCTL_PWR_IND_ON);
    } else {
        DRV_WAIT(!drv_objects_total(d));
        if (blow == BUS_RESET) {
            qtest_writel(d->qts, drv_ecam(PORT_DEVFN, PCI_INTERRUPT_LINE), 0);
        }
    }
    d->uar = d->pd = d->td = d->lkey = 0;
    d->cmdq = 0;
    drv_map(d);
    if (blow != EJECT) {
        /* a driver that had the function is told */
        g_assert_cmphex(drv_reg_read(d, ISEG_CMDQ_ADDR_L) >> 8 & 7, ==, 1);
    }
    drv_cmdq_init(d);
    drv_hca_up(d);
    drv_cmd_id_ok(d, OP_NOP, 0);
}

typedef struct Case {
    Blow blow;
    Inside inside;
} Case;

static void test_message(gconstpointer data)
{
    const Case *c = data;
    Drv *d = drv_start_behind_port_native("net0", "");
    Rig r;

    rig_up(&r, d);
    strike(&r, c->inside, message(d, c->blow));
    check_after(d, c->blow);
    drv_stop(d);
}

/* ----------------------------------------- struck by who takes a frame --- */

/*
 * A virtio NIC on the same hub: it sends its interrupt message from inside the
 * delivery of our frame, so from inside our send.
 */
static QVirtioPCIDevice *neighbour(Drv *d, Message m)
{
    QPCIAddress addr = { .devfn = QPCI_DEVFN(VIRTIO_SLOT, 0) };
    QVirtioPCIDevice *v = virtio_pci_new(d->bus, &addr);
    QVirtQueue *rx;

    g_assert_nonnull(v);
    d->bus->mmio_alloc_ptr = DRV_PORT_WINDOW_END;
    qvirtio_pci_device_enable(v);
    qvirtio_start_device(&v->vdev);
    qpci_msix_enable(v->pdev);
    qvirtio_set_features(&v->vdev, qvirtio_get_features(&v->vdev) &
                         1ull << VIRTIO_F_VERSION_1);
    rx = qvirtqueue_setup(&v->vdev, &d->alloc, 0);
    qvirtqueue_pci_msix_setup(v, (QVirtQueuePCI *)rx, &d->alloc, 0);
    qvirtio_set_driver_ok(&v->vdev);
    qvirtqueue_kick(d->qts, &v->vdev, rx,
                    qvirtqueue_add(d->qts, rx, drv_mem(d, 4096), 4096, true,
                                   false));
    aim(d, v->pdev, 0, m);
    g_free(container_of(rx, QVirtQueuePCI, vq)); /* its memory is the guest's */
    return v;
}

#define HUB                                                                \
    "-netdev hubport,id=h0,hubid=0 -netdev hubport,id=h1,hubid=0 "          \
    "-netdev hubport,id=h2,hubid=0,netdev=net0 "                            \
    "-device virtio-net-pci,netdev=h1,addr=" stringify(VIRTIO_SLOT)

/* Eight segments of 500 bytes behind headers of *@hdr; the WQE's index. */
static uint16_t post_lso(Rig *r, unsigned *hdr)
{
    FrameSpec s = rig_spec(4, 6, 4000);
    Frame f = frame_build(&s);
    uint64_t payload = drv_mem(r->d, 4096);
    uint16_t index;
    DrvWqe w;

    *hdr = f.len - 4000;
    drv_write(r->d, payload, f.data + *hdr, 4000);
    drv_wqe(&w, &r->sq, WQE_LSO, true);
    drv_wqe_eth(&w, 0, 500, f.data, *hdr);
    drv_wqe_data(&w, r->d->lkey, payload, 4000);
    index = drv_sq_put(r->d, &r->sq, &w);
    drv_sq_ring(r->d, &r->sq);
    frame_free(&f);
    return index;
}

/* The first segment of an LSO does it, the others stay. */
static void test_taker(gconstpointer data)
{
    const Case *c = data;
    Drv *d = drv_start_behind_port_native("h0", HUB);
    uint8_t buf[DRV_MAX_FRAME];
    QVirtioPCIDevice *v;
    unsigned hdr;
    Rig r;

    rig_up(&r, d);
    v = neighbour(d, message(d, c->blow));
    post_lso(&r, &hdr);
    if (c->blow == EJECT) {
        DRV_WAIT(port_is_empty(d));
        qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
    } else {
        DRV_WAIT(!drv_objects_total(d));
    }
    g_assert_cmpuint(drv_wire_recv(d, buf), ==, hdr + 500);
    drv_settle(d);
    g_assert_false(drv_wire_readable(d));
    g_free(v->pdev);
    g_free(v);
    drv_quit(d);
}

/*
 * Put to D3hot by who takes the first segment: what is under way stands still,
 * its completion included, and goes on in D0.
 */
static void test_asleep(void)
{
    Drv *d = drv_start_behind_port_native("h0", HUB);
    unsigned pm = qpci_find_capability(d->pci, PCI_CAP_ID_PM, 0);
    uint64_t pmcsr = drv_ecam(NIC_DEVFN, pm + PCI_PM_CTRL);
    uint8_t buf[DRV_MAX_FRAME];
    QVirtioPCIDevice *v;
    uint16_t index;
    unsigned i, hdr;
    Rig r;

    rig_up(&r, d);
    v = neighbour(d, (Message){ pmcsr, 3 });
    index = post_lso(&r, &hdr);
    DRV_WAIT((qtest_readl(d->qts, pmcsr) & 3) == 3);
    g_assert_cmpuint(drv_wire_recv(d, buf), ==, hdr + 500);
    drv_settle(d);
    g_assert_false(drv_wire_readable(d));
    g_assert_false(drv_cq_peek(d, &r.cq, buf));
    qtest_writel(d->qts, pmcsr, 0);
    for (i = 1; i < 8; i++) {
        g_assert_cmpuint(drv_wire_recv(d, buf), ==, hdr + 500);
    }
    drv_sq_expect(d, &r.sq, index);
    g_free(v->pdev);
    g_free(v);
    drv_stop(d);
}

void mlx5_leave_tests(void)
{
    static Case cases[BLOWS][INSIDES + 1];
    unsigned b, i;

    qtest_add_func("mlx5-ktls/leave/asleep-taker", test_asleep);
    for (b = 0; b < BLOWS; b++) {
        for (i = 0; i <= INSIDES; i++) {
            g_autofree char *name = g_strdup_printf(
                "mlx5-ktls/leave/%s-%s", blow_names[b],
                i < INSIDES ? inside_names[i] : "taker");

            cases[b][i] = (Case){ .blow = b, .inside = i };
            qtest_add_data_func(name, &cases[b][i],
                                i < INSIDES ? test_message : test_taker);
        }
    }
}
