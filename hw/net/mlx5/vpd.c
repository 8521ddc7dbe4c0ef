/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vital product data; see vpd.h. */
#include "qemu/osdep.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_device.h"
#include "profile.h"
#include "vpd.h"

#define VPD_SIZE 8 /* of the capability */

/* Tags of resources (PCI 2.2, appendix I). */
enum { TAG_ID = 0x82, TAG_RO = 0x90, TAG_END = 0x78 };
/* Room for the checksum and what may follow it. */
#define CHECKSUM_LEN 1

static void add_tag(GByteArray *vpd, uint8_t tag, size_t len)
{
    uint8_t head[3] = { tag, len & 0xff, len >> 8 };

    g_byte_array_append(vpd, head, sizeof(head));
}

static void add_field(GByteArray *fields, const char *key, const char *text)
{
    uint8_t head[3] = { key[0], key[1], strlen(text) };

    g_byte_array_append(fields, head, sizeof(head));
    g_byte_array_append(fields, (const uint8_t *)text, strlen(text));
}

/* Makes the whole content: a name, read-only fields, their checksum. */
static GByteArray *make(const Mlx5State *s)
{
    g_autofree char *name = g_strdup_printf("%s class NIC emulated by QEMU",
                                            s->profile->product);
    const uint8_t *mac = s->conf.macaddr.a;
    g_autofree char *serial = g_strdup_printf(
        "QEM%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2], mac[3], mac[4],
        mac[5]);
    g_autoptr(GByteArray) fields = g_byte_array_new();
    GByteArray *vpd = g_byte_array_new();
    uint8_t checksum[3 + CHECKSUM_LEN] = { 'R', 'V', CHECKSUM_LEN };
    uint8_t end = TAG_END, sum = 0;
    guint i;

    add_field(fields, "PN", TYPE_MLX5_KTLS);
    add_field(fields, "EC", "A1");
    add_field(fields, "SN", serial);
    add_field(fields, "V0", s->profile->pcie == 5 ? "PCIeGen5 x16" :
                                                    "PCIeGen4 x16");
    add_tag(vpd, TAG_ID, strlen(name));
    g_byte_array_append(vpd, (const uint8_t *)name, strlen(name));
    add_tag(vpd, TAG_RO, fields->len + sizeof(checksum));
    g_byte_array_append(vpd, fields->data, fields->len);
    g_byte_array_append(vpd, checksum, sizeof(checksum));
    for (i = 0; i < vpd->len; i++) {
        sum += vpd->data[i];
    }
    vpd->data[vpd->len - CHECKSUM_LEN] = -sum;
    g_byte_array_append(vpd, &end, 1);
    return vpd;
}

bool mlx5_vpd_init(PCIDevice *pci, uint8_t offset, Error **errp)
{
    if (pci_add_capability(pci, PCI_CAP_ID_VPD, offset, VPD_SIZE, errp) < 0) {
        return false;
    }
    pci_set_word(pci->wmask + offset + PCI_VPD_ADDR, 0xffff);
    return true;
}

/*
 * The flag says who has data: a host clears it with the address to read, and
 * finds it set when the data are there. What it would write is dropped.
 */
void mlx5_vpd_written(PCIDevice *pci, uint8_t offset, uint32_t addr, int len)
{
    const Mlx5State *s = MLX5_KTLS(pci);
    uint8_t *reg = pci->config + offset;
    uint16_t at;

    if (!ranges_overlap(addr, len, offset + PCI_VPD_ADDR, 2) || s->fn.asleep) {
        return;
    }
    at = pci_get_word(reg + PCI_VPD_ADDR);
    if (at & PCI_VPD_ADDR_F) {
        at &= PCI_VPD_ADDR_MASK;
    } else {
        g_autoptr(GByteArray) vpd = make(s);
        uint8_t data[4] = { 0 };

        if (at < vpd->len) {
            memcpy(data, vpd->data + at, MIN(sizeof(data), vpd->len - at));
        }
        memcpy(reg + PCI_VPD_DATA, data, sizeof(data));
        at |= PCI_VPD_ADDR_F;
    }
    pci_set_word(reg + PCI_VPD_ADDR, at);
}
