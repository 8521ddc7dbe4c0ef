/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The card's flash; see flash.h. */
#include "qemu/osdep.h"
#include "caps.h"
#include "flash.h"
#include "profile.h"

#define FLASH_NAME "mlx5-ktls"

/*
 * The configuration that `mstflint dc` prints; @cap is the GENERAL page. On a
 * card, "Crypto Enabled" in its description is how a user knows that the card
 * has TLS offload.
 */
static char *ini_text(const Mlx5State *s, const uint8_t *cap,
                      const char *description)
{
    const uint8_t *mac = s->conf.macaddr.a;
    const Mlx5Profile *p = s->profile;

    return g_strdup_printf(
        ";; Made by QEMU's device %s.\n"
        ";;Description = %s\n"
        "\n"
        "[PS_INFO]\n"
        "Name = %s\n"
        "Description = %s\n"
        "\n"
        "[ADAPTER]\n"
        "PSID = %s\n"
        "pci_vendor_id = 0x%04x\n"
        "pci_device_id = 0x%04x\n"
        "pci_subsystem_id = 0x%04x\n"
        "num_of_ports = 1\n"
        "\n"
        "[FW]\n"
        "fw_version = %u.%u.%04u\n"
        "base_mac = %02x%02x%02x%02x%02x%02x\n"
        "tls_tx = %u\n"
        "tls_rx = %u\n",
        TYPE_MLX5_KTLS, description, FLASH_NAME, description, p->board_id,
        MLX5_PCI_VENDOR, p->pci_device, MLX5_PCI_SUBSYSTEM, p->fw_major,
        MLX5_FW_MINOR, MLX5_FW_SUBMINOR, mac[0], mac[1], mac[2], mac[3], mac[4],
        mac[5], MLX5_GET(cmd_hca_cap, cap, tls_tx),
        MLX5_GET(cmd_hca_cap, cap, tls_rx));
}

static void make(Mlx5State *s)
{
    const Mlx5Profile *p = s->profile;
    const uint8_t *cap = mlx5_cap_max(&s->fn, MLX5_CAP_GENERAL);
    g_autofree char *description = g_strdup_printf(
        "%s class NIC emulated by QEMU; single-port; "
        "PCIe %u.0 x16; Crypto %s; No Secure Boot", p->product, p->pcie,
        MLX5_GET(cmd_hca_cap, cap, tls_tx) ||
        MLX5_GET(cmd_hca_cap, cap, tls_rx) ? "Enabled" : "Disabled");
    g_autofree char *ini = ini_text(s, cap, description);
    Mlx5Fs4Device dev = {
        .fw_major = p->fw_major,
        .fw_minor = MLX5_FW_MINOR,
        .fw_subminor = MLX5_FW_SUBMINOR,
        .fw_year = MLX5_FW_YEAR,
        .fw_month = MLX5_FW_MONTH,
        .fw_day = MLX5_FW_DAY,
        .vendor_id = MLX5_PCI_VENDOR,
        .device_id = p->pci_device,
        .subsystem_vendor_id = MLX5_PCI_VENDOR,
        .subsystem_id = MLX5_PCI_SUBSYSTEM,
        .hw_id = p->hw_id,
        .psid = p->board_id,
        .name = FLASH_NAME,
        .description = description,
        .ini = ini,
    };

    memcpy(dev.mac, s->conf.macaddr.a, sizeof(dev.mac));
    mlx5_fs4_init(&s->flash, &dev);
}

bool mlx5_flash_read(Mlx5State *s, uint32_t addr, uint8_t *buf, size_t len)
{
    if (addr > MLX5_FLASH_SIZE || len > MLX5_FLASH_SIZE - addr) {
        return false;
    }
    if (!s->flash.image) {
        make(s);
    }
    mlx5_fs4_read(&s->flash, addr, buf, len);
    return true;
}

void mlx5_flash_finalize(Mlx5State *s)
{
    mlx5_fs4_clear(&s->flash);
}
