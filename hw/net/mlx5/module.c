/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EEPROM of the cable in the port: a passive 100GBASE-CR4 copper cable of 1
 * m, in SFF-8636 layout (driver: core/port.c mlx5_query_module_eeprom; tool:
 * ethtool -m). Constant data; called by cmd_reg.c for the MCIA register.
 */
#include "qemu/osdep.h"
#include "mlx5.h"
#include "module.h"

#define EEPROM_LEN 256
/* Ranges of the checksums, which are the low byte of the sum. */
#define CC_BASE_FIRST 128
#define CC_BASE 191
#define CC_EXT_FIRST 192
#define CC_EXT 223

static const struct {
    uint8_t offset;
    uint8_t value;
} bytes[] = {
    { 0, 0x11 },   /* identifier: QSFP28 */
    { 1, 0x07 },   /* SFF-8636 revision 2.5 or later */
    { 2, 0x04 },   /* flat memory: page 00h only */
    { 128, 0x11 }, /* identifier, again */
    { 129, 0x00 }, /* power class 1 */
    { 130, 0x23 }, /* no separable connector */
    { 131, 0x88 }, /* 40GBASE-CR4, and see byte 192 */
    { 139, 0x05 }, /* 64B/66B */
    { 140, 0xff }, /* nominal rate: see byte 222 */
    { 146, 1 },    /* length, m */
    { 147, 0xa0 }, /* copper, unequalized */
    { 192, 0x0b }, /* 100GBASE-CR4 */
    { 222, 103 },  /* nominal rate, 250 Mb/s */
};

/* Text is padded with spaces. */
static const struct {
    uint8_t offset;
    uint8_t len;
    const char *text;
} texts[] = {
    { 148, 16, "QEMU" },         /* vendor */
    { 168, 16, "mlx5-ktls DAC" }, /* part number */
    { 184, 2, "1" },             /* revision */
    { 196, 16, "0" },            /* serial number */
    { 212, 8, "250101" },        /* date code */
};

static void checksum(uint8_t *e, unsigned first, unsigned at)
{
    unsigned i;

    e[at] = 0;
    for (i = first; i < at; i++) {
        e[at] += e[i];
    }
}

/*
 * With flat memory the module ignores @page: the upper half is always page 00h.
 */
bool mlx5_module_read(uint8_t page, unsigned offset, uint8_t *buf, size_t len)
{
    uint8_t e[EEPROM_LEN] = { 0 };
    unsigned i;

    if (offset > EEPROM_LEN || len > EEPROM_LEN - offset) {
        return false;
    }
    for (i = 0; i < ARRAY_SIZE(bytes); i++) {
        e[bytes[i].offset] = bytes[i].value;
    }
    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        memset(e + texts[i].offset, ' ', texts[i].len);
        memcpy(e + texts[i].offset, texts[i].text, strlen(texts[i].text));
    }
    checksum(e, CC_BASE_FIRST, CC_BASE);
    checksum(e, CC_EXT_FIRST, CC_EXT);
    memcpy(buf, e + offset, len);
    return true;
}
