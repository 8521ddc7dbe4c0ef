/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small driver's machine, registers and command interface; see mlx5-drv.h.
 * Owns the QEMU process of a Drv. Queues are in mlx5-drv-queue.c.
 */
#include "mlx5-drv.h"
#include <sys/socket.h>
#include "libqos/malloc-pc.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qnum.h"

#define CMD_TYPE_PCI 7
#define CMD_INLINE 16
#define MAILBOX_DATA 512
#define ISSI_1 1
#define MKEY_7_0 0x5a

/* ---------------------------------------------------------- watchdog --- */

double drv_access_limit = DRV_ACCESS_LIMIT;

static double cpu_ms(Drv *d)
{
    struct timespec t;

    g_assert_cmpint(clock_gettime(d->clock, &t), ==, 0);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* An access that began at @since has been answered. */
static void watch(Drv *d, double since)
{
    double took = cpu_ms(d) - since;

    d->longest = MAX(d->longest, took);
    if (took > drv_access_limit) {
        g_test_message("an access took %.0f ms: the device keeps the main loop",
                       took);
        g_assert_not_reached();
    }
}

void drv_watch(Drv *d, const char *of_what, double limit)
{
    g_test_message("%s: the longest access took %.1f ms", of_what, d->longest);
    g_assert_cmpfloat(d->longest, <, limit);
    d->longest = 0;
}

/* ------------------------------------------------------------ machine --- */

void drv_map(Drv *d)
{
    g_free(d->pci);
    d->pci = qpci_device_find(d->bus, d->devfn);
    g_assert_nonnull(d->pci);
    qpci_device_enable(d->pci);
    d->bar0 = qpci_iomap(d->pci, 0, NULL);
}

static Drv *start(const char *machine, const char *device, int sndbuf)
{
    Drv *d = g_new0(Drv, 1);
    int fd[2];

    g_assert_cmpint(socketpair(PF_UNIX, SOCK_STREAM, 0, fd), ==, 0);
    if (sndbuf) {
        g_assert_cmpint(setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &sndbuf,
                                   sizeof(sndbuf)), ==, 0);
    }
    d->wire = fd[0];
    d->path = DRV_QOM_PATH;
    d->qts = qtest_initf("-machine %s -nodefaults "
                         "-netdev socket,id=net0,fd=%d %s",
                         machine, fd[1], device);
    close(fd[1]);
    d->devfn = QPCI_DEVFN(DRV_PCI_SLOT, 0);
    g_assert_cmpint(clock_getcpuclockid(qtest_pid(d->qts), &d->clock), ==, 0);
    pc_alloc_init(&d->alloc, d->qts, ALLOC_NO_FLAGS);
    d->bus = qpci_new_pc(d->qts, &d->alloc);
    return d;
}

static Drv *start_q35(const char *props, int sndbuf)
{
    g_autofree char *device =
        g_strdup_printf("-device mlx5-ktls,id=nic,netdev=net0,bus=pcie.0,"
                        "addr=%d,mac=" DRV_MAC_STR "%s", DRV_PCI_SLOT, props);
    Drv *d = start("q35", device, sndbuf);

    drv_map(d);
    return d;
}

Drv *drv_start_on_file(bool hotplug, const char *props, const char *ram,
                       unsigned mib)
{
    g_autofree char *machine =
        g_strdup_printf("%s,memory-backend=ram -m %u -object "
                        "memory-backend-file,id=ram,size=%uM,mem-path=%s,"
                        "share=on", hotplug ? "pc" : "q35", mib, mib, ram);
    g_autofree char *device =
        g_strdup_printf("-device mlx5-ktls,id=nic,netdev=net0,bus=%s,"
                        "addr=%d,mac=" DRV_MAC_STR "%s",
                        hotplug ? "pci.0" : "pcie.0", DRV_PCI_SLOT, props);
    Drv *d = start(machine, device, 0);

    drv_map(d);
    return d;
}

Drv *drv_start(const char *props)
{
    return start_q35(props, 0);
}

Drv *drv_start_up_narrow(const char *props, int bytes)
{
    Drv *d = start_q35(props, bytes);

    drv_cmdq_init(d);
    drv_hca_up(d);
    return d;
}

Drv *drv_start_up(const char *props)
{
    return drv_start_up_narrow(props, 0);
}

Drv *drv_start_up_as(const char *id, const char *path, const char *props)
{
    QDict *device = qdict_new();
    g_autoptr(GString) json = NULL;
    g_autofree char *quoted = NULL, *args = NULL;
    Drv *d;

    qdict_put_str(device, "driver", "mlx5-ktls");
    qdict_put_str(device, "id", id);
    qdict_put_str(device, "netdev", "net0");
    qdict_put_str(device, "bus", "pcie.0");
    qdict_put_str(device, "addr", stringify(DRV_PCI_SLOT));
    qdict_put_str(device, "mac", DRV_MAC_STR);
    json = qobject_to_json(QOBJECT(device));
    quoted = g_shell_quote(json->str);
    args = g_strdup_printf("-device %s %s", quoted, props);
    qobject_unref(device);
    d = start("q35", args, 0);
    d->path = path;
    drv_map(d);
    drv_cmdq_init(d);
    drv_hca_up(d);
    return d;
}

Drv *drv_start_unplugged(void)
{
    return start("pc", "", 0);
}

Drv *drv_start_unplugged_narrow(int bytes)
{
    return start("pc", "", bytes);
}

#define PORT_BUS 1

/* What firmware does: the bus number, and a window for both kinds of memory. */
void drv_port_setup(Drv *d)
{
    QPCIDevice *port = qpci_device_find(d->bus, QPCI_DEVFN(DRV_PORT_SLOT, 0));

    g_assert_nonnull(port);
    qpci_config_writeb(port, PCI_SECONDARY_BUS, PORT_BUS);
    qpci_config_writeb(port, PCI_SUBORDINATE_BUS, PORT_BUS);
    qpci_config_writew(port, PCI_MEMORY_BASE, 0xe000);
    qpci_config_writew(port, PCI_MEMORY_LIMIT,
                       (DRV_PORT_WINDOW_END - 1) >> 16 & 0xfff0);
    qpci_config_writew(port, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    g_free(port);
}

Drv *drv_start_behind_port_narrow(const char *props, int bytes)
{
    g_autofree char *device =
        g_strdup_printf("-device pcie-root-port,id=rp0,bus=pcie.0,addr=%d,"
                        "chassis=1,slot=1 -device mlx5-ktls,id=nic,"
                        "netdev=net0,bus=rp0,mac=" DRV_MAC_STR "%s",
                        DRV_PORT_SLOT, props);
    Drv *d = start("q35", device, bytes);

    d->devfn = PORT_BUS << 8;
    drv_port_setup(d);
    drv_map(d);
    return d;
}

Drv *drv_start_behind_port(const char *props)
{
    return drv_start_behind_port_narrow(props, 0);
}

/* Where we put q35's window to configuration space, and its enable bit. */
#define ECAM 0xb0000000u
#define MCH_PCIEXBAR 0x60
#define ECAM_ENABLE 1

uint64_t drv_ecam(unsigned devfn, unsigned reg)
{
    return ECAM + ((uint64_t)devfn << 12) + reg;
}

void drv_native_setup(Drv *d)
{
    QPCIDevice *mch = qpci_device_find(d->bus, QPCI_DEVFN(0, 0));

    qpci_config_writel(mch, MCH_PCIEXBAR, ECAM | ECAM_ENABLE);
    g_free(mch);
    drv_port_setup(d);
}

Drv *drv_start_behind_port_native(const char *netdev, const char *args)
{
    g_autofree char *devices =
        g_strdup_printf("-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support"
                        "=off -device pcie-root-port,id=rp0,bus=pcie.0,"
                        "addr=%d,chassis=1,slot=1 %s -device mlx5-ktls,id=nic,"
                        "netdev=%s,bus=rp0,mac=" DRV_MAC_STR, DRV_PORT_SLOT,
                        args, netdev);
    Drv *d = start("q35", devices, 0);

    d->devfn = PORT_BUS << 8;
    drv_native_setup(d);
    drv_map(d);
    return d;
}

void drv_plug(Drv *d, const char *rx_no_buffer)
{
    qtest_qmp_device_add(d->qts, "mlx5-ktls", "nic",
                         "{'netdev': 'net0', 'addr': %s, 'mac': %s, "
                         "'rx-no-buffer': %s}",
                         stringify(DRV_PCI_SLOT), DRV_MAC_STR, rx_no_buffer);
    drv_map(d);
}

/* B0EJ of ACPI PCI hot-plug (docs/specs/acpi_pci_hotplug in QEMU) */
#define ACPI_PCI_EJECT 0xae08

void drv_eject(Drv *d)
{
    qtest_outl(d->qts, ACPI_PCI_EJECT, 1u << DRV_PCI_SLOT);
    qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
    d->uar = d->pd = d->td = d->lkey = 0;
    d->cmdq = 0;
}

void drv_unplug(Drv *d)
{
    qpci_unplug_acpi_device_test(d->qts, "nic", DRV_PCI_SLOT);
    d->uar = d->pd = d->td = d->lkey = 0;
    d->cmdq = 0;
}

static QDict *qom_dict(Drv *d, const char *property)
{
    double since = cpu_ms(d);
    QDict *dict = qtest_qmp_assert_success_ref(
        d->qts, "{'execute': 'qom-get', 'arguments': "
        "{'path': " "%s" ", 'property': %s}}", d->path, property);

    watch(d, since);
    return dict;
}

/* Rows of the TLS state machines that were taken, for docs/tls-rows.md. */
static void note_rows(Drv *d)
{
    g_autoptr(GString) text = g_string_new("rows");
    QDict *dict = qom_dict(d, "tls-rows");
    const QDictEntry *e;

    for (e = qdict_first(dict); e; e = qdict_next(dict, e)) {
        int64_t count = qnum_get_int(qobject_to(QNum, qdict_entry_value(e)));

        if (count) {
            g_string_append_printf(text, " %s=%" PRId64, qdict_entry_key(e),
                                   count);
        }
    }
    qobject_unref(dict);
    if (text->len > strlen("rows")) {
        g_test_message("%s", text->str);
    }
}

void drv_stop(Drv *d)
{
    note_rows(d);
    if (d->pd) {
        drv_hca_down(d);
    }
    g_assert_cmpuint(drv_objects_total(d), ==, 0);
    g_assert_cmpuint(drv_memory_used(d), ==, 0);
    drv_quit(d);
}

void drv_quit(Drv *d)
{
    g_free(d->pci);
    qpci_free_pc(d->bus);
    alloc_destroy(&d->alloc);
    qtest_quit(d->qts);
    close(d->wire);
    g_free(d);
}

static uint64_t qom_number(Drv *d, const char *property, const char *name)
{
    QDict *dict = qom_dict(d, property);
    int64_t v;

    g_assert_true(qdict_haskey(dict, name));
    v = qdict_get_int(dict, name);
    qobject_unref(dict);
    return v;
}

uint64_t drv_objects(Drv *d, const char *kind)
{
    return qom_number(d, "objects", kind);
}

uint64_t drv_counter(Drv *d, const char *name)
{
    return qom_number(d, "counters", name);
}

uint64_t drv_objects_total(Drv *d)
{
    QDict *dict = qom_dict(d, "objects");
    const QDictEntry *e;
    uint64_t sum = 0;

    for (e = qdict_first(dict); e; e = qdict_next(dict, e)) {
        sum += qnum_get_int(qobject_to(QNum, qdict_entry_value(e)));
    }
    qobject_unref(dict);
    return sum;
}

uint64_t drv_memory_used(Drv *d)
{
    QDict *rsp = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': "
                           "{'path': %s, 'property': 'memory-used'}}", d->path);
    uint64_t v = qdict_get_int(rsp, "return");

    qobject_unref(rsp);
    return v;
}

uint64_t drv_mem(Drv *d, size_t size)
{
    uint64_t addr = guest_alloc(&d->alloc, size);

    qtest_memset(d->qts, addr, 0, size);
    return addr;
}

void drv_write(Drv *d, uint64_t addr, const void *buf, size_t len)
{
    double since = cpu_ms(d);

    qtest_bufwrite(d->qts, addr, buf, len);
    watch(d, since);
}

void drv_read(Drv *d, uint64_t addr, void *buf, size_t len)
{
    double since = cpu_ms(d);

    qtest_bufread(d->qts, addr, buf, len);
    watch(d, since);
}

uint32_t drv_read32(Drv *d, uint64_t addr)
{
    uint8_t be[4];

    drv_read(d, addr, be, sizeof(be));
    return mlx5_ld32(be);
}

void drv_write32(Drv *d, uint64_t addr, uint32_t v)
{
    uint8_t be[4];

    mlx5_st32(be, v);
    drv_write(d, addr, be, sizeof(be));
}

void drv_settle(Drv *d)
{
    unsigned i;

    for (i = 0; i < 8; i++) {
        drv_reg_read(d, ISEG_FW_REV);
    }
}

/* --------------------------------------------------------- registers --- */

uint32_t drv_reg_read(Drv *d, uint32_t off)
{
    double since = cpu_ms(d);
    uint32_t v = bswap32(qpci_io_readl(d->pci, d->bar0, off));

    watch(d, since);
    return v;
}

void drv_reg_write(Drv *d, uint32_t off, uint32_t v)
{
    double since = cpu_ms(d);

    qpci_io_writel(d->pci, d->bar0, off, bswap32(v));
    watch(d, since);
}

void drv_reg_write64(Drv *d, uint32_t off, uint64_t v)
{
    double since = cpu_ms(d);

    qpci_io_writeq(d->pci, d->bar0, off, bswap64(v));
    watch(d, since);
}

/* ---------------------------------------------------------- commands --- */

void drv_cmdq_init(Drv *d)
{
    d->cmdq = drv_mem(d, DRV_CMD_SLOTS * DRV_CMD_ENTRY);
    drv_reg_write(d, ISEG_CMDQ_ADDR_H, d->cmdq >> 32);
    drv_reg_write(d, ISEG_CMDQ_ADDR_L, d->cmdq);
}

uint64_t drv_cmd_entry(Drv *d, unsigned slot)
{
    return d->cmdq + slot * DRV_CMD_ENTRY;
}

/* A chain of mailboxes with room for @len bytes, @data in them if not NULL. */
static uint64_t mailboxes(Drv *d, const uint8_t *data, uint32_t len)
{
    unsigned n = DIV_ROUND_UP(len, MAILBOX_DATA), i;
    uint64_t first = n ? drv_mem(d, n * DRV_MAILBOX) : 0;

    for (i = 0; i < n; i++) {
        uint64_t at = first + i * DRV_MAILBOX;
        uint32_t part = MIN(len - i * MAILBOX_DATA, MAILBOX_DATA);
        uint8_t box[576] = { 0 };

        if (data) {
            memcpy(box, data + i * MAILBOX_DATA, part);
        }
        MLX5_SET(cmd_mailbox, box, next, i + 1 < n ? at + DRV_MAILBOX : 0);
        MLX5_SET(cmd_mailbox, box, block_number, i);
        MLX5_SET(cmd_mailbox, box, token, d->token);
        drv_write(d, at, box, sizeof(box));
    }
    return first;
}

void drv_cmd_post(Drv *d, DrvCmd *c, unsigned slot, const void *in,
                  uint32_t in_len, uint32_t out_len)
{
    uint8_t entry[DRV_CMD_ENTRY] = { 0 };
    uint8_t sig = 0xff;
    unsigned i;

    g_assert_cmpuint(d->cmdq, !=, 0);
    if (!++d->token) {
        d->token = 1;
    }
    c->slot = slot;
    c->out_len = out_len;
    c->in_box = in_len > CMD_INLINE ?
        mailboxes(d, (const uint8_t *)in + CMD_INLINE, in_len - CMD_INLINE) :
        0;
    c->out_box = out_len > CMD_INLINE ?
        mailboxes(d, NULL, out_len - CMD_INLINE) : 0;
    MLX5_SET(cmd_queue_entry, entry, type, CMD_TYPE_PCI);
    MLX5_SET(cmd_queue_entry, entry, input_length, in_len);
    MLX5_SET(cmd_queue_entry, entry, input_mailbox_pointer, c->in_box);
    memcpy(entry + 0x10, in, MIN(in_len, CMD_INLINE));
    MLX5_SET(cmd_queue_entry, entry, output_mailbox_pointer, c->out_box);
    MLX5_SET(cmd_queue_entry, entry, output_length, out_len);
    MLX5_SET(cmd_queue_entry, entry, token, d->token);
    MLX5_SET(cmd_queue_entry, entry, ownership, 1);
    for (i = 0; i < sizeof(entry); i++) {
        sig ^= entry[i];
    }
    MLX5_SET(cmd_queue_entry, entry, signature, sig);
    drv_write(d, drv_cmd_entry(d, slot), entry, sizeof(entry));
}

void drv_cmd_ring(Drv *d, uint32_t slots)
{
    drv_reg_write(d, ISEG_CMD_DBELL, slots);
}

bool drv_cmd_done(Drv *d, const DrvCmd *c)
{
    uint8_t status_own;

    drv_read(d, drv_cmd_entry(d, c->slot) + 0x3f, &status_own, 1);
    return !(status_own & 1);
}

static void read_mailboxes(Drv *d, uint64_t box, uint8_t *out, uint32_t len)
{
    while (len) {
        uint32_t part = MIN(len, MAILBOX_DATA);

        drv_read(d, box, out, part);
        out += part;
        len -= part;
        box += DRV_MAILBOX;
    }
}

DrvResult drv_cmd_finish(Drv *d, const DrvCmd *c, void *out)
{
    uint8_t entry[DRV_CMD_ENTRY];
    DrvResult r = { 0 };

    DRV_WAIT(drv_cmd_done(d, c));
    drv_read(d, drv_cmd_entry(d, c->slot), entry, sizeof(entry));
    r.delivery = MLX5_GET(cmd_queue_entry, entry, status);
    r.status = MLX5_GET(cmd_out, entry + 0x20, status);
    r.syndrome = MLX5_GET(cmd_out, entry + 0x20, syndrome);
    if (out) {
        memcpy(out, entry + 0x20, MIN(c->out_len, CMD_INLINE));
        if (c->out_len > CMD_INLINE) {
            read_mailboxes(d, c->out_box, (uint8_t *)out + CMD_INLINE,
                           c->out_len - CMD_INLINE);
        }
    }
    if (c->in_box) {
        guest_free(&d->alloc, c->in_box);
    }
    if (c->out_box) {
        guest_free(&d->alloc, c->out_box);
    }
    return r;
}

DrvResult drv_cmd(Drv *d, const void *in, uint32_t in_len, void *out,
                  uint32_t out_len)
{
    DrvCmd c;

    drv_cmd_post(d, &c, 0, in, in_len, out_len);
    drv_cmd_ring(d, 1);
    return drv_cmd_finish(d, &c, out);
}

void drv_cmd_ok(Drv *d, const void *in, uint32_t in_len, void *out,
                uint32_t out_len)
{
    DrvResult r = drv_cmd(d, in, in_len, out, out_len);

    if (r.delivery || r.status) {
        g_test_message("command 0x%x op_mod %u: delivery 0x%x, status 0x%x, "
                       "syndrome 0x%x", MLX5_GET(cmd_in, in, opcode),
                       MLX5_GET(cmd_in, in, op_mod), r.delivery, r.status,
                       r.syndrome);
    }
    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, ==, MLX5_STATUS_OK);
    g_assert_cmphex(r.syndrome, ==, 0);
}

void drv_cmd_fails(Drv *d, const void *in, uint32_t in_len, uint32_t out_len,
                   Mlx5Status status, Mlx5Syndrome syn)
{
    g_autofree uint8_t *out = g_malloc0(MAX(out_len, CMD_INLINE));
    DrvResult r = drv_cmd(d, in, in_len, out, out_len);
    uint32_t i;

    if (r.delivery || r.status != status ||
        r.syndrome != MLX5_SYNDROME_BASE + syn) {
        g_test_message("command 0x%x op_mod %u: delivery 0x%x, status 0x%x, "
                       "syndrome 0x%x", MLX5_GET(cmd_in, in, opcode),
                       MLX5_GET(cmd_in, in, op_mod), r.delivery, r.status,
                       r.syndrome);
    }
    g_assert_cmphex(r.delivery, ==, 0);
    g_assert_cmphex(r.status, ==, status);
    g_assert_cmphex(r.syndrome, ==, MLX5_SYNDROME_BASE + syn);
    for (i = 8; i < out_len; i++) {
        g_assert_cmphex(out[i], ==, 0);
    }
}

static void id_command(uint8_t in[16], uint16_t opcode, uint32_t id)
{
    memset(in, 0, 16);
    MLX5_SET(cmd_in, in, opcode, opcode);
    MLX5_SET(cmd_id, in, id, id);
}

DrvResult drv_cmd_id(Drv *d, uint16_t opcode, uint32_t id)
{
    uint8_t in[16];

    id_command(in, opcode, id);
    return drv_cmd(d, in, sizeof(in), NULL, 16);
}

void drv_cmd_id_ok(Drv *d, uint16_t opcode, uint32_t id)
{
    uint8_t in[16];

    id_command(in, opcode, id);
    drv_cmd_ok(d, in, sizeof(in), NULL, 16);
}

void drv_cmd_id_fails(Drv *d, uint16_t opcode, uint32_t id, Mlx5Status status,
                      Mlx5Syndrome syn)
{
    uint8_t in[16];

    id_command(in, opcode, id);
    drv_cmd_fails(d, in, sizeof(in), 16, status, syn);
}

uint32_t drv_alloc(Drv *d, uint16_t opcode)
{
    uint8_t in[16], out[16];

    id_command(in, opcode, 0);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    return MLX5_GET(cmd_id, out, id);
}

/* --------------------------------------------------------------- HCA --- */

void drv_query_cap(Drv *d, uint16_t type, bool max, uint8_t *page)
{
    g_autofree uint8_t *out = g_malloc0(DRV_CAP_PAGE + 16);
    uint8_t in[16] = { 0 };

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_HCA_CAP);
    MLX5_SET(cmd_in, in, op_mod, type << 1 | !max);
    drv_cmd_ok(d, in, sizeof(in), out, DRV_CAP_PAGE + 16);
    memcpy(page, out + 16, DRV_CAP_PAGE);
}

DrvResult drv_access_reg(Drv *d, uint16_t reg, bool write, uint8_t *data,
                         uint32_t len)
{
    g_autofree uint8_t *in = g_malloc0(16 + len);
    g_autofree uint8_t *out = g_malloc0(16 + len);
    DrvResult r;

    MLX5_SET(cmd_in, in, opcode, OP_ACCESS_REG);
    MLX5_SET(cmd_in, in, op_mod, write ? 0 : 1);
    MLX5_SET(access_register_in, in, register_id, reg);
    memcpy(in + 16, data, len);
    r = drv_cmd(d, in, 16 + len, out, 16 + len);
    memcpy(data, out + 16, len);
    return r;
}

/* Sets the capabilities that the driver sets. */
static void set_caps(Drv *d)
{
    g_autofree uint8_t *in = g_malloc0(DRV_CAP_PAGE + 16);

    drv_query_cap(d, 0, true, in + 16);
    drv_query_cap(d, 0, false, in + 16);
    MLX5_SET(cmd_in, in, opcode, OP_SET_HCA_CAP);
    MLX5_SET(cmd_in, in, op_mod, 0);
    MLX5_SET(cmd_hca_cap, in + 16, cmdif_checksum, 0);
    MLX5_SET(cmd_hca_cap, in + 16, log_uar_page_sz, 0);
    drv_cmd_ok(d, in, DRV_CAP_PAGE + 16, NULL, 16);
}

static void query_pages(Drv *d, uint16_t op_mod)
{
    uint8_t in[16] = { 0 }, out[16];

    MLX5_SET(cmd_in, in, opcode, OP_QUERY_PAGES);
    MLX5_SET(cmd_in, in, op_mod, op_mod);
    drv_cmd_ok(d, in, sizeof(in), out, sizeof(out));
    g_assert_cmpuint(MLX5_GET(query_pages_out, out, num_pages), ==, 0);
}

uint8_t *drv_mkey_cmd(Drv *d, uint8_t key, uint32_t *len)
{
    uint8_t *in = g_malloc0(272);
    uint8_t *mkc = in + 16;

    *len = 272;
    MLX5_SET(cmd_in, in, opcode, OP_CREATE_MKEY);
    MLX5_SET(mkc, mkc, lw, 1);
    MLX5_SET(mkc, mkc, lr, 1);
    MLX5_SET(mkc, mkc, qpn, 0xffffff);
    MLX5_SET(mkc, mkc, mkey_7_0, key);
    MLX5_SET(mkc, mkc, length64, 1);
    MLX5_SET(mkc, mkc, pd, d->pd);
    return in;
}

uint32_t drv_create(Drv *d, uint8_t *in, uint32_t len)
{
    uint8_t out[16];

    drv_cmd_ok(d, in, len, out, sizeof(out));
    return MLX5_GET(cmd_id, out, id);
}

void drv_hca_up(Drv *d)
{
    uint8_t in[32] = { 0 }, out[112], reg[16] = { 0 };
    g_autofree uint8_t *mkey = NULL;
    uint32_t len;

    drv_cmd_id_ok(d, OP_ENABLE_HCA, 0);
    MLX5_SET(cmd_in, in, opcode, OP_QUERY_ISSI);
    drv_cmd_ok(d, in, 16, out, 112);
    g_assert_true(MLX5_GET(query_issi_out, out, supported_issi_dw0) &
                  1u << ISSI_1);
    MLX5_SET(cmd_in, in, opcode, OP_SET_ISSI);
    MLX5_SET(set_issi_in, in, current_issi, ISSI_1);
    drv_cmd_ok(d, in, 16, NULL, 16);
    query_pages(d, 1);
    g_assert_cmphex(drv_access_reg(d, 0x7004, true, reg, 16).status, ==, 0);
    set_caps(d);
    query_pages(d, 2);
    memset(in, 0, sizeof(in));
    MLX5_SET(cmd_in, in, opcode, OP_INIT_HCA);
    drv_cmd_ok(d, in, 32, NULL, 16);
    d->uar = drv_alloc(d, OP_ALLOC_UAR);
    d->pd = drv_alloc(d, OP_ALLOC_PD);
    d->td = drv_alloc(d, OP_ALLOC_TD);
    mkey = drv_mkey_cmd(d, MKEY_7_0, &len);
    d->lkey = drv_create(d, mkey, len) << 8 | MKEY_7_0;
}

void drv_hca_down(Drv *d)
{
    drv_cmd_id_ok(d, OP_TEARDOWN_HCA, 0);
    drv_cmd_id_ok(d, OP_DISABLE_HCA, 0);
    d->uar = d->pd = d->td = d->lkey = 0;
}
