/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QOM device: PCI function with its BARs, MSI-X and network
 * backend; properties, reset, unplug. Owns Mlx5State and through it the
 * function and the port. Capabilities are in cfgspace.c.
 */
#include "qemu/osdep.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "hw/pci/msix.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "system/system.h"
#include "cap_file.h"
#include "capture.h"
#include "cfgspace.h"
#include "compat.h"
#include "fault.h"
#include "flash.h"
#include "function.h"
#include "introspect.h"
#include "iseg.h"
#include "line.h"
#include "memory.h"
#include "nvconfig.h"
#include "observe.h"
#include "port.h"
#include "profile.h"
#include "reserved.h"
#include "rx.h"
#include "sched.h"
#include "strict.h"
#include "tls.h"
#include "trace.h"
#include "tx.h"
#include "uar.h"
#include "vsc.h"

/* BARs: registers and UARs, MSI-X table and PBA. */
/*
 * The one BAR, and where MSI-X is in it: as published dumps of such cards show
 * it, behind the initialization segment and before the UARs. It being one, and
 * prefetchable, a bridge can map all of the function above 4 GiB.
 */
enum { BAR_REGISTERS = 0, MSIX_TABLE = 0x2000, MSIX_PBA = 0x3000 };

#define MAX_HOLD_MS 60000
#define MAX_RESYNC_MS 3600000

/* ------------------------------------------------------ network backend --- */

static ssize_t nic_receive(NetClientState *nc, const uint8_t *buf, size_t size)
{
    Mlx5State *s = qemu_get_nic_opaque(nc);
    ssize_t ret;

    if (mlx5_work_stop(&s->work)) {
        return size;
    }
    mlx5_work_begin(&s->work);
    ret = mlx5_rx_receive(&s->port, buf, size);
    mlx5_work_end(&s->work);
    return ret;
}

static void nic_link_changed(NetClientState *nc)
{
    Mlx5State *s = qemu_get_nic_opaque(nc);

    if (mlx5_work_stop(&s->work)) {
        return; /* a later event checks the link again, or none is needed */
    }
    mlx5_work_begin(&s->work); /* an event writes to guest memory */
    mlx5_port_update_link(&s->port);
    mlx5_rx_reset(&s->port);
    mlx5_work_end(&s->work);
}

static NetClientInfo nic_info = {
    .type = NET_CLIENT_DRIVER_NIC,
    .size = sizeof(NICState),
    .receive = nic_receive,
    .link_status_changed = nic_link_changed,
};

/* ------------------------------------------------------- reset, realize --- */

static void reset_all(Mlx5State *s)
{
    mlx5_function_reset(&s->fn);
    mlx5_sched_reset(&s->port);
    mlx5_rx_reset(&s->port);
    mlx5_port_reset(&s->port);
    s->cq_doorbell_half = 0;
    mlx5_vsc_reset(s);
    if (s->reset_live) {
        s->reset_live = false;
        trace_mlx5_reset_live(mlx5_id(&s->fn));
        mlx5_iseg_disable(&s->fn);
    }
}

/* Unplugging the device starts with a reset. */
static void leave(DeviceState *dev, Mlx5Leave how)
{
    Mlx5State *s = MLX5_KTLS(dev);

    reset_all(s);
    if (how == MLX5_LEAVE_EXIT) {
        /* The backend first, since it may still deliver packets. */
        mlx5_port_finalize(&s->port);
        mlx5_vsc_finalize(s);
        mlx5_function_finalize(&s->fn);
        mlx5_sched_finalize(&s->port);
        mlx5_tx_finalize(&s->port);
        mlx5_rx_finalize(&s->port);
    }
}

static void mlx5_reset_hold(Object *obj, ResetType type)
{
    Mlx5State *s = MLX5_KTLS(obj);
    Mlx5ResetKind kind = mlx5_cfgspace_reset_kind(PCI_DEVICE(s));

    trace_mlx5_reset(mlx5_id(&s->fn), kind == MLX5_RESET_FUNCTION ? "function" :
                     kind == MLX5_RESET_HOT ? "hot" : "power");
    mlx5_cfgspace_reset(PCI_DEVICE(s), kind);
    if (kind == MLX5_RESET_POWER) {
        mlx5_nv_power_cycle(&s->nv);
    }
    s->reset_live = s->fn.hca != MLX5_HCA_OFF && kind != MLX5_RESET_POWER;
    mlx5_work_leave(&s->work, MLX5_LEAVE_RESET);
}

/*
 * Each trace of the device starts with its id, which must not break the line.
 */
static bool check_id(DeviceState *dev, Error **errp)
{
    const char *p;

    for (p = dev->id; p && *p; p++) {
        if (g_ascii_iscntrl(*p)) {
            error_setg(errp, "id: a control character (0x%02x) in it; expected "
                       "letters, digits, '-', '.' and '_'", (uint8_t)*p);
            return false;
        }
    }
    return true;
}

/* What the device claims to be. */
static bool check_profile(Mlx5State *s, Error **errp)
{
    g_autoptr(GString) names = g_string_new(NULL);
    size_t i;

    if (!s->profile_name) {
        s->profile_name = g_strdup(MLX5_PROFILE_DEFAULT);
    }
    s->profile = mlx5_profile_find(s->profile_name);
    if (s->profile) {
        return true;
    }
    for (i = 0; i < mlx5_nprofiles; i++) {
        g_string_append_printf(names, "%s%s", i == 0 ? "" :
                               i + 1 == mlx5_nprofiles ? " or " : ", ",
                               mlx5_profiles[i].name);
    }
    error_setg(errp, "profile=%s: expected %s", s->profile_name, names->str);
    return false;
}

/* What the cable is like. */
static bool check_wire(Mlx5State *s, Error **errp)
{
    if (s->line_rate > MLX5_LINE_RATE_MAX) {
        error_setg(errp, "line-rate=%" PRIu32 ": expected 0 (sending takes no "
                   "time) to %d, in Mb/s", s->line_rate, MLX5_LINE_RATE_MAX);
        return false;
    }
    if (s->link_partner && *s->link_partner &&
        !g_strcmp0(s->link_partner, DEVICE(s)->id)) {
        error_setg(errp, "link-partner=%s: expected the id of another device "
                   "than this one", s->link_partner);
        return false;
    }
    return true;
}

static bool check_cqe_compression(Mlx5State *s, Error **errp)
{
    const char *name = s->cqe_compression_name;

    if (!name || !strcmp(name, "basic")) {
        s->cqe_compression = MLX5_CQE_COMPRESSION_BASIC;
    } else if (!strcmp(name, "enhanced")) {
        s->cqe_compression = MLX5_CQE_COMPRESSION_ENHANCED;
    } else if (!strcmp(name, "off")) {
        s->cqe_compression = MLX5_CQE_COMPRESSION_OFF;
    } else {
        error_setg(errp, "cqe-compression=%s: expected off, basic or enhanced",
                   name);
        return false;
    }
    return true;
}

static bool check_properties(Mlx5State *s, Error **errp)
{
    if (!check_id(DEVICE(s), errp) || !check_profile(s, errp) ||
        !check_wire(s, errp)) {
        return false;
    }
    if (s->vectors < 2 || s->vectors > MLX5_MAX_VECTORS) {
        error_setg(errp, "vectors=%" PRIu32 ": expected 2..%d (one for events "
                   "and one per channel)", s->vectors, MLX5_MAX_VECTORS);
        return false;
    }
    if (!s->rx_no_buffer_name || !strcmp(s->rx_no_buffer_name, "hold")) {
        s->rx_no_buffer = MLX5_RX_HOLD;
    } else if (!strcmp(s->rx_no_buffer_name, "drop")) {
        s->rx_no_buffer = MLX5_RX_DROP;
    } else {
        error_setg(errp, "rx-no-buffer=%s: expected hold or drop",
                   s->rx_no_buffer_name);
        return false;
    }
    if (!check_cqe_compression(s, errp)) {
        return false;
    }
    if (s->rx_hold_ms > MAX_HOLD_MS) {
        error_setg(errp, "rx-hold-ms=%" PRIu32 ": expected 0..%d",
                   s->rx_hold_ms, MAX_HOLD_MS);
        return false;
    }
    if (s->resync_timeout_ms > MAX_RESYNC_MS) {
        error_setg(errp, "resync-timeout-ms=%" PRIu32 ": expected 0..%d",
                   s->resync_timeout_ms, MAX_RESYNC_MS);
        return false;
    }
    if (s->log_max_tis < 4 || s->log_max_tis > 20) {
        error_setg(errp, "log-max-tis=%u: expected 4..20", s->log_max_tis);
        return false;
    }
    if (s->log_max_tir < 6 || s->log_max_tir > 20) {
        error_setg(errp, "log-max-tir=%u: expected 6..20", s->log_max_tir);
        return false;
    }
    if (s->log_max_dek < 1 || s->log_max_dek > 20) {
        error_setg(errp, "log-max-dek=%u: expected 1..20", s->log_max_dek);
        return false;
    }
    if (s->log_dek_max_alloc > s->log_max_dek) {
        error_setg(errp, "log-dek-max-alloc=%u: expected 0 (one command per "
                   "key) or up to log-max-dek=%u", s->log_dek_max_alloc,
                   s->log_max_dek);
        return false;
    }
    if (s->memory_limit > INT64_MAX) {
        error_setg(errp, "memory-limit=%" PRIu64 ": expected 0 (no limit) to "
                   "%" PRId64, s->memory_limit, INT64_MAX);
        return false;
    }
    if (s->conf.peers.queues > 1) {
        error_setg(errp, "netdev has %d queues: this device takes one; "
                   "RSS spreads packets over its channels by itself",
                   s->conf.peers.queues);
        return false;
    }
    return true;
}

static void mlx5_realize(PCIDevice *pci, Error **errp)
{
    Mlx5State *s = MLX5_KTLS(pci);
    DeviceState *dev = DEVICE(pci);
    uint32_t v;

    if (!check_properties(s, errp)) {
        return;
    }
    pci->config_write = mlx5_cfgspace_write;
    pci->config_read = mlx5_cfgspace_read;
    pci_config_set_device_id(pci->config, s->profile->pci_device);
    pci_config_set_revision(pci->config, s->profile->revision);
    pci_set_word(pci->config + PCI_SUBSYSTEM_VENDOR_ID, MLX5_PCI_VENDOR);
    pci_set_word(pci->config + PCI_SUBSYSTEM_ID, MLX5_PCI_SUBSYSTEM);
    if (!mlx5_cfgspace_init(pci, errp)) {
        return;
    }
    memory_region_init_io(&s->bar0, OBJECT(s), &mlx5_bar0_ops, s,
                          "mlx5-ktls-bar0", MLX5_BAR_SIZE);
    pci_register_bar(pci, BAR_REGISTERS,
                     PCI_BASE_ADDRESS_SPACE_MEMORY |
                     PCI_BASE_ADDRESS_MEM_TYPE_64 |
                     PCI_BASE_ADDRESS_MEM_PREFETCH, &s->bar0);
    if (msix_init(pci, s->vectors, &s->bar0, BAR_REGISTERS, MSIX_TABLE,
                  &s->bar0, BAR_REGISTERS, MSIX_PBA, MLX5_CAP_MSIX, errp) < 0) {
        mlx5_cfgspace_exit(pci);
        return;
    }
    for (v = 0; v < s->vectors; v++) {
        msix_vector_use(pci, v);
    }

    qemu_macaddr_default_if_unset(&s->conf.macaddr);
    s->port.conf = &s->conf;
    mlx5_nv_init(&s->nv);
    if (!mlx5_function_init(&s->fn, errp)) {
        goto fail;
    }
    mlx5_vsc_init(s);
    mlx5_strict_start(s);
    if (!mlx5_observe_init(s, errp) || !mlx5_capture_init(s, errp)) {
        mlx5_vsc_finalize(s);
        mlx5_function_finalize(&s->fn);
        goto fail;
    }
    mlx5_tx_init(&s->port);
    mlx5_sched_init(&s->port);
    mlx5_rx_init(&s->port);
    s->port.nic = qemu_new_nic(&nic_info, &s->conf,
                               object_get_typename(OBJECT(s)), dev->id,
                               &dev->mem_reentrancy_guard, s);
    qemu_format_nic_info_str(qemu_get_queue(s->port.nic),
                             s->conf.macaddr.a);
    mlx5_port_init(&s->port);
    mlx5_function_reset(&s->fn);
    trace_mlx5_realize(mlx5_id(&s->fn), s->vectors);
    return;

fail:
    msix_unuse_all_vectors(pci);
    msix_uninit(pci, &s->bar0, &s->bar0);
    mlx5_cfgspace_exit(pci);
}

static void mlx5_exit(PCIDevice *pci)
{
    Mlx5State *s = MLX5_KTLS(pci);

    mlx5_work_leave(&s->work, MLX5_LEAVE_EXIT);
    msix_unuse_all_vectors(pci);
    msix_uninit(pci, &s->bar0, &s->bar0);
    mlx5_cfgspace_exit(pci);
}

static void mlx5_instance_init(Object *obj)
{
    Mlx5State *s = MLX5_KTLS(obj);

    PCI_DEVICE(obj)->cap_present |= QEMU_PCI_CAP_EXPRESS;
    mlx5_work_init(&s->work, DEVICE(obj), leave);
    s->fn.dev = s;
    s->fn.port = &s->port;
    s->port.dev = s;
    s->port.fn = &s->fn;
    mlx5_tls_knobs_init(&s->tls_knobs);
    mlx5_observe_instance_init(s);
    mlx5_capture_instance_init(s);
    device_add_bootindex_property(obj, &s->conf.bootindex, "bootindex",
                                  "/ethernet-phy@0", DEVICE(obj));
    object_property_set_description(obj, "bootindex",
                                    "position in the boot order");
}

static void mlx5_instance_finalize(Object *obj)
{
    mlx5_observe_instance_finalize(MLX5_KTLS(obj));
    mlx5_capture_instance_finalize(MLX5_KTLS(obj));
    mlx5_fault_finalize(MLX5_KTLS(obj));
}

static const VMStateDescription vmstate_mlx5 = {
    .name = TYPE_MLX5_KTLS,
    .unmigratable = 1,
};

static const Property mlx5_properties[] = {
    DEFINE_NIC_PROPERTIES(Mlx5State, conf),
    DEFINE_PROP_STRING("profile", Mlx5State, profile_name),
    DEFINE_PROP_STRING("caps", Mlx5State, caps_file),
    DEFINE_PROP_UINT32("vectors", Mlx5State, vectors, 64),
    DEFINE_PROP_STRING("rx-no-buffer", Mlx5State, rx_no_buffer_name),
    DEFINE_PROP_UINT32("rx-hold-ms", Mlx5State, rx_hold_ms, 1000),
    DEFINE_PROP_BOOL("striding-rq", Mlx5State, striding_rq, true),
    DEFINE_PROP_BOOL("lro", Mlx5State, lro, false),
    DEFINE_PROP_STRING("cqe-compression", Mlx5State, cqe_compression_name),
    DEFINE_PROP_UINT32("line-rate", Mlx5State, line_rate, 0),
    DEFINE_PROP_STRING("link-partner", Mlx5State, link_partner),
    DEFINE_PROP_UINT8("log-max-tis", Mlx5State, log_max_tis, 16),
    DEFINE_PROP_UINT8("log-max-tir", Mlx5State, log_max_tir, 16),
    DEFINE_PROP_UINT32("resync-timeout-ms", Mlx5State, resync_timeout_ms, 100),
    DEFINE_PROP_SIZE("memory-limit", Mlx5State, memory_limit,
                     MLX5_MEMORY_LIMIT_DEFAULT),
    DEFINE_PROP_BOOL("tls-tx", Mlx5State, tls_tx, true),
    DEFINE_PROP_BOOL("tls-rx", Mlx5State, tls_rx, true),
    DEFINE_PROP_UINT8("log-max-dek", Mlx5State, log_max_dek, 17),
    DEFINE_PROP_UINT8("log-dek-max-alloc", Mlx5State, log_dek_max_alloc, 12),
};

static void mlx5_class_init(ObjectClass *klass, MLX5_CLASS_DATA *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *k = PCI_DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    k->realize = mlx5_realize;
    k->exit = mlx5_exit;
    k->vendor_id = MLX5_PCI_VENDOR;
    k->class_id = PCI_CLASS_NETWORK_ETHERNET;
    rc->phases.hold = mlx5_reset_hold;
    dc->desc = "ConnectX-6 Dx class NIC with kernel TLS offload";
    dc->vmsd = &vmstate_mlx5;
    device_class_set_props(dc, mlx5_properties);
    set_bit(DEVICE_CATEGORY_NETWORK, dc->categories);
    object_class_property_set_description(klass, "profile",
        "what the device claims to be: cx6dx, cx7, bf2 or bf3");
    object_class_property_set_description(klass, "caps",
        "file with capabilities to announce instead of the profile's");
    object_class_property_set_description(klass, "vectors",
        "MSI-X vectors: one for events, the others for channels (2..256)");
    object_class_property_set_description(klass, "rx-no-buffer",
        "when a packet finds no receive WQE: hold or drop");
    object_class_property_set_description(klass, "rx-hold-ms",
        "how long rx-no-buffer=hold waits for the driver, in milliseconds");
    object_class_property_set_description(klass, "striding-rq",
        "announce striding receive queues, and the UMR WQEs that they need");
    object_class_property_set_description(klass, "lro",
        "announce large receive offload, if striding queues are announced");
    object_class_property_set_description(klass, "cqe-compression",
        "announced compression of completions: off, basic or enhanced");
    object_class_property_set_description(klass, "line-rate",
        "sending takes the time that it takes at this rate, in Mb/s (0: none)");
    object_class_property_set_description(klass, "link-partner",
        "id of the mlx5-ktls at the other end of the cable");
    object_class_property_set_description(klass, "log-max-tis",
        "log2 of the maximum number of TISes (4..20)");
    object_class_property_set_description(klass, "log-max-tir",
        "log2 of the maximum number of TIRs (6..20)");
    object_class_property_set_description(klass, "memory-limit",
        "host memory that the driver can claim, in bytes (0: no limit)");
    object_class_property_set_description(klass, "tls-tx",
        "announce TLS transmit offload");
    object_class_property_set_description(klass, "tls-rx",
        "announce TLS receive offload");
    object_class_property_set_description(klass, "resync-timeout-ms",
        "how long resync-repeat=timeout waits for approval, in milliseconds");
    object_class_property_set_description(klass, "log-max-dek",
        "log2 of the maximum number of encryption keys (1..20)");
    object_class_property_set_description(klass, "log-dek-max-alloc",
        "log2 of the longest key range (0: no ranges, and no crypto "
        "capability page)");
    mlx5_tls_class_init(klass);
    mlx5_observe_class_init(klass);
    mlx5_capture_class_init(klass);
    mlx5_fault_class_init(klass);
    mlx5_strict_class_init(klass);
    mlx5_introspect_class_init(klass);
    mlx5_cap_file_class_init(klass);
    mlx5_memory_class_init(klass);
    mlx5_reserved_class_init(klass);
}

static const TypeInfo mlx5_info = {
    .name = TYPE_MLX5_KTLS,
    .parent = TYPE_PCI_DEVICE,
    .instance_size = sizeof(Mlx5State),
    .instance_init = mlx5_instance_init,
    .instance_finalize = mlx5_instance_finalize,
    .class_init = mlx5_class_init,
    .interfaces = (MLX5_INTERFACE_INFO[]) {
        { INTERFACE_PCIE_DEVICE },
        { INTERFACE_CONVENTIONAL_PCI_DEVICE },
        { }
    },
};

static void mlx5_register_types(void)
{
    type_register_static(&mlx5_info);
}

type_init(mlx5_register_types)
