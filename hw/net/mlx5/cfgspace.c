/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration space after the header: power management, PCI Express and
 * AER capabilities, their writable bits, the effect of each kind of reset, and
 * transitions to D3hot and back. Owns the registers of these capabilities (of
 * the vendor specific one, vsc.c does); called by pci.c.
 *
 * As on the card: no ASPM, PME only from D3cold (which needs auxiliary power,
 * so there is none), no reset on the transition from D3hot to D0, one header
 * log.
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_aer.h"
#include "hw/pci/pcie_regs.h"
#include "cfgspace.h"
#include "function.h"
#include "mlx5.h"
#include "profile.h"
#include "trace.h"
#include "vpd.h"
#include "vsc.h"

/* Capability offsets. */
enum {
    CAP_PM = 0x40,
    CAP_VPD = 0x48,
    CAP_EXP = 0x60,
    CAP_VSC = 0xc0,
    CAP_AER = 0x100,
};

#define PM_VERSION 3 /* PCI PM 1.2 */

/* Not in every copy of pci_regs.h: LNKCAP bit "ASPM optionality compliance". */
#define LNKCAP_ASPM_OPTIONAL 0x00400000u

/*
 * Device capability: payloads of up to 512 bytes, unlimited latencies. TLPs
 * have no sizes here, so the guest's choice is stored without effect.
 */
#define DEVCAP (2u | PCI_EXP_DEVCAP_L0S | PCI_EXP_DEVCAP_L1)
#define DEVCTL_ERRORS (PCI_EXP_DEVCTL_CERE | PCI_EXP_DEVCTL_NFERE | \
                       PCI_EXP_DEVCTL_FERE | PCI_EXP_DEVCTL_URRE)
#define DEVCTL_CHOICES (PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_PAYLOAD | \
                        PCI_EXP_DEVCTL_NOSNOOP_EN | PCI_EXP_DEVCTL_READRQ)
#define DEVCTL_DEFAULT (PCI_EXP_DEVCTL_RELAX_EN | PCI_EXP_DEVCTL_NOSNOOP_EN | \
                        PCI_EXP_DEVCTL_READRQ_512B)

/* --------------------------------------------------------------- making --- */

/*
 * The fastest link that the port above and @generation have in common: speeds
 * of a link are numbered by generation.
 */
static unsigned link_speed(PCIDevice *pci, unsigned generation)
{
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(pci));
    unsigned above;

    if (!port || !port->exp.exp_cap) {
        return generation;
    }
    above = pci_get_long(port->config + port->exp.exp_cap + PCI_EXP_LNKCAP) &
            PCI_EXP_LNKCAP_SLS;
    return above ? MIN(above, generation) : generation;
}

/* All speeds up to @generation, as the second capability register has them. */
static uint32_t link_speeds(unsigned generation)
{
    return ((1u << generation) - 1) << 1;
}

/* An x16 link, so that drivers do not warn about a slow slot. */
static void link_init(PCIDevice *pci)
{
    uint8_t *exp = pci->config + pci->exp.exp_cap;
    uint8_t *wmask = pci->wmask + pci->exp.exp_cap;
    unsigned generation = MLX5_KTLS(pci)->profile->pcie;

    pci_long_test_and_clear_mask(exp + PCI_EXP_LNKCAP,
                                 PCI_EXP_LNKCAP_MLW | PCI_EXP_LNKCAP_SLS |
                                 PCI_EXP_LNKCAP_ASPMS);
    pci_long_test_and_set_mask(exp + PCI_EXP_LNKCAP,
                               QEMU_PCI_EXP_LNKCAP_MLW(QEMU_PCI_EXP_LNK_X16) |
                               QEMU_PCI_EXP_LNKCAP_MLS(generation) |
                               LNKCAP_ASPM_OPTIONAL);
    pci_set_word(exp + PCI_EXP_LNKSTA,
                 QEMU_PCI_EXP_LNKSTA_NLW(QEMU_PCI_EXP_LNK_X16) |
                 QEMU_PCI_EXP_LNKSTA_CLS(link_speed(pci, generation)));
    /* For speeds above 5 GT/s, drivers read the second capability register. */
    pci_set_long(exp + PCI_EXP_LNKCAP2, link_speeds(generation));
    pcie_cap_lnkctl_init(pci);
    pci_word_test_and_set_mask(wmask + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_RCB);
    pci_word_test_and_set_mask(wmask + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS);
}

static void devctl_init(PCIDevice *pci)
{
    uint8_t *devcap = pci->config + pci->exp.exp_cap + PCI_EXP_DEVCAP;
    uint16_t choices = DEVCTL_CHOICES;

    pci_long_test_and_set_mask(devcap, DEVCAP);
    if (pci_get_long(devcap) & PCI_EXP_DEVCAP_EXT_TAG) {
        choices |= PCI_EXP_DEVCTL_EXT_TAG;
    }
    pci_word_test_and_set_mask(pci->wmask + pci->exp.exp_cap + PCI_EXP_DEVCTL,
                               choices);
    pcie_cap_deverr_init(pci);
    pcie_cap_flr_init(pci);
}

static bool pm_init(PCIDevice *pci, Error **errp)
{
    if (pci_pm_init(pci, CAP_PM, errp) < 0) {
        return false;
    }
    pci_set_word(pci->config + CAP_PM + PCI_PM_PMC, PM_VERSION);
    pci_set_word(pci->config + CAP_PM + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(pci->wmask + CAP_PM + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
    return true;
}

/*
 * Reports link up or down to the downstream port above. QEMU does so when the
 * port handles hot-plug itself, but not when ACPI does, which is the default
 * for q35: a kernel that has reset the bus would then wait in vain for the
 * link.
 */
static void port_link(PCIDevice *pci, bool up)
{
    PCIDevice *port = pci_bridge_get_device(pci_get_bus(pci));
    uint8_t *exp;

    if (!port || !pci_is_express_downstream_port(port)) {
        return;
    }
    exp = port->config + port->exp.exp_cap;
    if (!(pci_get_long(exp + PCI_EXP_LNKCAP) & PCI_EXP_LNKCAP_DLLLARC)) {
        return;
    }
    if (up) {
        pci_word_test_and_set_mask(exp + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_DLLLA);
    } else {
        pci_word_test_and_clear_mask(exp + PCI_EXP_LNKSTA,
                                     PCI_EXP_LNKSTA_DLLLA);
    }
}

/* Header of the capability: id, next, length, type (0: functional). */
static bool vsc_init(PCIDevice *pci, Error **errp)
{
    if (pci_add_capability(pci, PCI_CAP_ID_VNDR, CAP_VSC, MLX5_VSC_SIZE,
                           errp) < 0) {
        return false;
    }
    pci_set_byte(pci->config + CAP_VSC + PCI_CAP_FLAGS, MLX5_VSC_SIZE);
    return true;
}

bool mlx5_cfgspace_init(PCIDevice *pci, Error **errp)
{
    if (!pm_init(pci, errp) || !mlx5_vpd_init(pci, CAP_VPD, errp) ||
        !vsc_init(pci, errp)) {
        return false;
    }
    if (!pci_bus_is_express(pci_get_bus(pci))) {
        return true;
    }
    if (pcie_endpoint_cap_init(pci, CAP_EXP) < 0) {
        error_setg(errp, "no room for the PCI Express capability");
        return false;
    }
    link_init(pci);
    devctl_init(pci);
    if (pcie_aer_init(pci, PCI_ERR_VER, CAP_AER, PCI_ERR_SIZEOF, errp) < 0) {
        return false;
    }
    mlx5_cfgspace_reset(pci, MLX5_RESET_POWER);
    port_link(pci, true);
    return true;
}

void mlx5_cfgspace_exit(PCIDevice *pci)
{
    if (pci->exp.exp_cap) {
        port_link(pci, false);
        pcie_aer_exit(pci);
        pcie_cap_exit(pci);
    }
}

/* ---------------------------------------------------------------- reset --- */

Mlx5ResetKind mlx5_cfgspace_reset_kind(PCIDevice *pci)
{
    PCIDevice *bridge;

    if (pci->exp.exp_cap &&
        pci_get_word(pci->config + pci->exp.exp_cap + PCI_EXP_DEVCTL) &
        PCI_EXP_DEVCTL_BCR_FLR) {
        return MLX5_RESET_FUNCTION;
    }
    for (bridge = pci_bridge_get_device(pci_get_bus(pci)); bridge;
         bridge = pci_bridge_get_device(pci_get_bus(bridge))) {
        if (pci_get_word(bridge->config + PCI_BRIDGE_CONTROL) &
            PCI_BRIDGE_CTL_BUS_RESET) {
            return MLX5_RESET_HOT;
        }
    }
    return MLX5_RESET_POWER;
}

/* Sticky registers, which survive everything but loss of power. */
static void reset_sticky(PCIDevice *pci)
{
    uint8_t *exp = pci->config + pci->exp.exp_cap;
    uint8_t *aer = pci->config + pci->exp.aer_cap;

    pci_word_test_and_clear_mask(exp + PCI_EXP_LNKCTL2, PCI_EXP_LNKCTL2_TLS);
    pci_word_test_and_set_mask(exp + PCI_EXP_LNKCTL2,
                               MLX5_KTLS(pci)->profile->pcie);
    pci_set_long(aer + PCI_ERR_UNCOR_STATUS, 0);
    pci_set_long(aer + PCI_ERR_UNCOR_MASK,
                 pci_get_long(pci->wmask + pci->exp.aer_cap +
                              PCI_ERR_UNCOR_MASK) & PCI_ERR_UNC_MASK_DEFAULT);
    pci_set_long(aer + PCI_ERR_UNCOR_SEVER, PCI_ERR_UNC_SEVERITY_DEFAULT);
    pci_set_long(aer + PCI_ERR_COR_STATUS, 0);
    pci_set_long(aer + PCI_ERR_COR_MASK, PCI_ERR_COR_MASK_DEFAULT);
    pci_long_test_and_clear_mask(aer + PCI_ERR_CAP,
                                 PCI_ERR_CAP_FEP_MASK | PCI_ERR_CAP_TLP |
                                 PCI_ERR_CAP_ECRC_GENE |
                                 PCI_ERR_CAP_ECRC_CHKE);
    memset(aer + PCI_ERR_HEADER_LOG, 0, PCI_ERR_HEADER_LOG_SIZE);
    memset(aer + PCI_ERR_TLP_PREFIX_LOG, 0, PCI_ERR_TLP_PREFIX_LOG_SIZE);
}

void mlx5_cfgspace_reset(PCIDevice *pci, Mlx5ResetKind kind)
{
    uint8_t *exp = pci->config + pci->exp.exp_cap;
    uint16_t devctl, keep = 0;

    if (!pci->exp.exp_cap) {
        return;
    }
    if (kind == MLX5_RESET_FUNCTION) {
        /* BCR_FLR is cleared by the code that resets us, when done. */
        keep = PCI_EXP_DEVCTL_PAYLOAD | PCI_EXP_DEVCTL_BCR_FLR;
    } else {
        pcie_cap_lnkctl_reset(pci);
        pci_word_test_and_clear_mask(exp + PCI_EXP_LNKCTL, PCI_EXP_LNKCTL_RCB);
    }
    devctl = pci_get_word(exp + PCI_EXP_DEVCTL) & keep;
    pci_set_word(exp + PCI_EXP_DEVCTL, devctl | DEVCTL_DEFAULT);
    pci_word_test_and_clear_mask(exp + PCI_EXP_DEVSTA,
                                 PCI_EXP_DEVSTA_CED | PCI_EXP_DEVSTA_NFED |
                                 PCI_EXP_DEVSTA_FED | PCI_EXP_DEVSTA_URD);
    pci_set_word(exp + PCI_EXP_DEVCTL2, 0);
    if (kind == MLX5_RESET_POWER) {
        reset_sticky(pci);
    }
}

/* ------------------------------------------------------------- gateway --- */

/* Is @addr in the vendor specific capability, behind its header? Where? */
static bool in_vsc(uint32_t addr, unsigned *off)
{
    *off = addr - CAP_VSC;
    return *off >= 4 && *off < MLX5_VSC_SIZE;
}

uint32_t mlx5_cfgspace_read(PCIDevice *pci, uint32_t addr, int len)
{
    Mlx5State *s = MLX5_KTLS(pci);
    unsigned off, shift = addr % 4 * 8;

    if (!in_vsc(addr, &off)) {
        return pci_default_read_config(pci, addr, len);
    }
    /* An access never goes beyond its dword. */
    return (mlx5_vsc_read(s, off - off % 4) >> shift) &
           MAKE_64BIT_MASK(0, len * 8);
}

/* ---------------------------------------------------------------- power --- */

static bool in_d0(PCIDevice *pci)
{
    return !(pci_get_word(pci->config + CAP_PM + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

/*
 * In D3hot the function initiates nothing: no DMA, no interrupt messages.
 * Pending work is deferred by mlx5_function_sleep(); this is a safety net for
 * anything it misses.
 */
static void gate_bus_master(PCIDevice *pci)
{
    memory_region_set_enabled(&pci->bus_master_enable_region,
                              in_d0(pci) && pci->enabled &&
                              pci_get_word(pci->config + PCI_COMMAND) &
                              PCI_COMMAND_MASTER);
}

/*
 * Interrupts unmasked in D3hot stay pending until D0. QEMU sends a pending
 * message as soon as its vector is unmasked; if that had no effect, it becomes
 * pending again.
 */
static void write_asleep(PCIDevice *pci, uint32_t addr, uint32_t val, int len)
{
    size_t size = DIV_ROUND_UP(pci->msix_entries_nr, 8);
    g_autofree uint8_t *pending = g_memdup2(pci->msix_pba, size);

    pci_default_write_config(pci, addr, val, len);
    memcpy(pci->msix_pba, pending, size);
}

static void send_pending(Mlx5State *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    unsigned v;

    for (v = 0; !mlx5_work_stop(&s->work) && v < pci->msix_entries_nr; v++) {
        if (pci->msix_pba[v / 8] & 1 << v % 8 && msix_enabled(pci) &&
            !msix_is_masked(pci, v)) {
            msix_clr_pending(pci, v);
            msix_notify(pci, v);
        }
    }
}

/*
 * Applies the power state just written. Returns whether it went from D3hot to
 * D0.
 */
static bool power_changed(Mlx5State *s)
{
    PCIDevice *pci = PCI_DEVICE(s);
    bool wakes = s->fn.asleep && in_d0(pci);

    gate_bus_master(pci); /* waking up writes events at once */
    if (wakes) {
        trace_mlx5_power(mlx5_id(&s->fn), "D0");
        mlx5_function_wake(&s->fn);
    } else if (!s->fn.asleep && !in_d0(pci)) {
        trace_mlx5_power(mlx5_id(&s->fn), "D3hot");
        mlx5_function_sleep(&s->fn);
    }
    return wakes;
}

/*
 * QEMU's own handling sends messages when it unmasks a vector: after it, the
 * device and its configuration space may be gone.
 */
void mlx5_cfgspace_write(PCIDevice *pci, uint32_t addr, uint32_t val, int len)
{
    Mlx5State *s = MLX5_KTLS(pci);
    unsigned off;
    bool wakes;

    mlx5_work_begin(&s->work);
    if (in_vsc(addr, &off)) {
        mlx5_vsc_write(s, off, val, len);
    } else if (s->fn.asleep) {
        write_asleep(pci, addr, val, len);
    } else {
        pci_default_write_config(pci, addr, val, len);
    }
    if (!mlx5_work_gone(&s->work)) {
        mlx5_vpd_written(pci, CAP_VPD, addr, len);
        wakes = power_changed(s);
        if (pci->exp.exp_cap) {
            pcie_aer_write_config(pci, addr, val, len);
            pcie_cap_flr_write_config(pci, addr, val, len);
        }
        if (wakes) {
            send_pending(s);
        }
    }
    mlx5_work_end(&s->work);
}
