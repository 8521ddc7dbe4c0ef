/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small polling driver for mlx5-ktls in qtests. There is no guest: the test
 * itself writes queues into guest memory and rings doorbells, with the device's
 * own PRM layouts. To provoke errors, a test overwrites what these functions
 * have built.
 *
 * A Drv owns one QEMU process with one device, and the test's end of the
 * device's wire. All waiting is for something that the device writes, with a
 * hang guard that aborts the test program.
 */
#ifndef TESTS_QTEST_MLX5_DRV_H
#define TESTS_QTEST_MLX5_DRV_H

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "libqtest.h"
#include "libqos/pci-pc.h"
#include "libqos/libqos-malloc.h"
#include "hw/net/mlx5/prm_cmd.h"
#include "hw/net/mlx5/prm_flow.h"
#include "hw/net/mlx5/prm_obj.h"
#include "hw/net/mlx5/prm_queue.h"
#include "hw/net/mlx5/prm_reg.h"
#include "hw/net/mlx5/prm_vport.h"
#include "hw/net/mlx5/syndrome.h"

#define DRV_PCI_SLOT 4
#define DRV_PORT_SLOT 3
#define DRV_QOM_PATH "/machine/peripheral/nic"
#define DRV_MAC { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 }
#define DRV_MAC_STR "52:54:00:12:34:56"

#define DRV_CMD_SLOTS 32
#define DRV_CMD_ENTRY 64
#define DRV_MAX_WQE 1024
#define DRV_MAX_FRAME 10240

/* Hang guard, in seconds. */
#define DRV_HANG_GUARD 60

/*
 * Limit on every access to a register or to memory, in milliseconds of QEMU's
 * CPU time. The main loop answers between bottom halves, so this limits the
 * duration of a bottom half. CPU time is independent of the load of the host;
 * the device's bounded work takes a few milliseconds, and several times that
 * with sanitizers.
 */
#define DRV_ACCESS_LIMIT 100
/* The current limit; a program that runs QEMU under valgrind raises it. */
extern double drv_access_limit;

/* Waits until @cond holds; @cond must query the device or its memory. */
#define DRV_WAIT(cond)                                                      \
    do {                                                                    \
        gint64 drv_end_ = g_get_monotonic_time() +                          \
                          DRV_HANG_GUARD * G_TIME_SPAN_SECOND;              \
        while (!(cond)) {                                                   \
            if (g_get_monotonic_time() > drv_end_) {                        \
                g_test_message("%s:%d: waited in vain for: %s", __FILE__,   \
                               __LINE__, #cond);                            \
                g_assert_not_reached();                                     \
            }                                                               \
        }                                                                   \
    } while (0)

typedef struct Drv {
    QTestState *qts;
    const char *path;  /* QOM path of the device */
    QPCIBus *bus;
    QPCIDevice *pci;
    int devfn;         /* with the bus number above it */
    QPCIBar bar0;
    QGuestAllocator alloc;
    int wire;          /* the test's end of the backend's socket, or -1 */
    uint64_t cmdq;     /* command queue page, 0 before drv_cmdq_init() */
    uint8_t token;     /* of the last command */
    uint32_t uar;      /* allocated by drv_hca_up() */
    uint32_t pd;
    uint32_t td;
    uint32_t lkey;     /* of all memory, local write allowed */
    uint64_t msix_mem; /* target of the vectors, see drv_msix_init() */
    clockid_t clock;   /* QEMU's CPU time */
    double longest;    /* longest access, in milliseconds of CPU time */
} Drv;

/* ------------------------------------------------------------ machine --- */

/*
 * Starts a q35 machine with the device in slot DRV_PCI_SLOT of the root bus,
 * enables it and maps its registers. @props is added to -device ("" or
 * ",name=value..."). The backend is a stream socket; Drv.wire is its other end.
 */
Drv *drv_start(const char *props);
/* As above, and brings up the HCA with drv_hca_up(), like the driver. */
Drv *drv_start_up(const char *props);
/* As above, with an id other than "nic" and QOM path @path, which is kept. */
Drv *drv_start_up_as(const char *id, const char *path, const char *props);
/* As above, with @bytes of room in the socket from the device to the test. */
Drv *drv_start_up_narrow(const char *props, int bytes);
/*
 * Starts a machine "pc", with ACPI hot-plug, without the device: drv_plug()
 * adds it, drv_unplug() removes it in any state. drv_stop() needs it plugged.
 */
Drv *drv_start_unplugged(void);
/* As above, with @bytes of room in the socket from the device to the test. */
Drv *drv_start_unplugged_narrow(int bytes);
/*
 * Starts a machine with @mib MiB of memory in the file @ram: as drv_start() or,
 * with @hotplug, a "pc" from which the device can be unplugged.
 */
Drv *drv_start_on_file(bool hotplug, const char *props, const char *ram,
                       unsigned mib);
void drv_plug(Drv *d, const char *rx_no_buffer);
void drv_unplug(Drv *d);
/* As above, but by the guest: one write to the slot's eject register. */
void drv_eject(Drv *d);
/*
 * Tears down the HCA if it is up, checks that the device has no objects and no
 * charged memory left, and ends QEMU.
 */
void drv_stop(Drv *d);
/* Ends QEMU, which must still be running. */
void drv_quit(Drv *d);
/*
 * Starts a q35 machine with the device behind a PCI Express root port in slot
 * DRV_PORT_SLOT of the root bus.
 */
Drv *drv_start_behind_port(const char *props);
/* As above, with @bytes of room in the socket from the device to the test. */
Drv *drv_start_behind_port_narrow(const char *props, int bytes);
/*
 * As above, with native hot-plug and memory-mapped configuration space, see
 * drv_ecam(). @netdev is the device's backend: "net0" is the socket, others are
 * defined in @args.
 */
Drv *drv_start_behind_port_native(const char *netdev, const char *args);
/*
 * Sets up the configuration space window, then drv_port_setup(); also needed
 * after a reset.
 */
void drv_native_setup(Drv *d);
/*
 * Returns the address of register @reg in configuration space of function
 * @devfn (with its bus).
 */
uint64_t drv_ecam(unsigned devfn, unsigned reg);
/* Sets the port's bus number and window (again after a system reset). */
void drv_port_setup(Drv *d);
/* From here on, addresses are for devices not behind the port. */
#define DRV_PORT_WINDOW_END 0xf0000000u
/* Finds the device, enables it and maps BAR0 (again after a reset). */
void drv_map(Drv *d);

/* Return a number from the QOM properties "objects" and "counters". */
uint64_t drv_objects(Drv *d, const char *kind);
uint64_t drv_counter(Drv *d, const char *name);
/* Returns the sum over "objects". */
uint64_t drv_objects_total(Drv *d);
/* Returns the property memory-used. */
uint64_t drv_memory_used(Drv *d);

/* Allocates guest memory, zeroed and page aligned, until the machine ends. */
uint64_t drv_mem(Drv *d, size_t size);
void drv_write(Drv *d, uint64_t addr, const void *buf, size_t len);
void drv_read(Drv *d, uint64_t addr, void *buf, size_t len);
/* Big-endian accesses, as in all device structures. */
uint32_t drv_read32(Drv *d, uint64_t addr);
void drv_write32(Drv *d, uint64_t addr, uint32_t v);

/*
 * Lets the device run: QEMU's main loop runs bottom halves at least once for
 * each of our requests. For checks that something does not happen; wait for
 * things that must happen.
 */
void drv_settle(Drv *d);

/*
 * Reports the longest access since the last call and checks that it took less
 * than @limit milliseconds.
 */
void drv_watch(Drv *d, const char *of_what, double limit);

/* --------------------------------------------------------- registers --- */

/* BAR0, big-endian. */
uint32_t drv_reg_read(Drv *d, uint32_t off);
void drv_reg_write(Drv *d, uint32_t off, uint32_t v);
void drv_reg_write64(Drv *d, uint32_t off, uint64_t v);

/* Offsets in the initialization segment. */
enum {
    ISEG_FW_REV = 0x0,
    ISEG_CMDIF_REV = 0x4,
    ISEG_CMDQ_ADDR_H = 0x10,
    ISEG_CMDQ_ADDR_L = 0x14,
    ISEG_CMD_DBELL = 0x18,
    ISEG_INITIALIZING = 0x1fc,
    ISEG_HEALTH_FW_VER = 0x230,
    ISEG_CMD_Q_INIT_TO = 0xffc,
    ISEG_TIMER_H = 0x1000,
    ISEG_TIMER_L = 0x1004,
    ISEG_HEALTH_COUNTER = 0x1010,
};

/* ---------------------------------------------------------- commands --- */

typedef struct DrvResult {
    uint8_t delivery; /* 0 if the device accepted the descriptor */
    uint8_t status;
    uint32_t syndrome;
} DrvResult;

/* An outstanding command. */
typedef struct DrvCmd {
    unsigned slot;
    uint64_t in_box; /* first input mailbox, 0 if all is inline */
    uint64_t out_box;
    uint32_t out_len;
} DrvCmd;

#define DRV_MAILBOX 1024 /* size of one in guest memory */

/* Opcodes that tests use by name. */
enum {
    OP_QUERY_HCA_CAP = 0x100,
    OP_QUERY_ADAPTER = 0x101,
    OP_INIT_HCA = 0x102,
    OP_TEARDOWN_HCA = 0x103,
    OP_ENABLE_HCA = 0x104,
    OP_DISABLE_HCA = 0x105,
    OP_QUERY_PAGES = 0x107,
    OP_MANAGE_PAGES = 0x108,
    OP_SET_HCA_CAP = 0x109,
    OP_QUERY_ISSI = 0x10a,
    OP_SET_ISSI = 0x10b,
    OP_CREATE_MKEY = 0x200,
    OP_DESTROY_MKEY = 0x202,
    OP_CREATE_EQ = 0x301,
    OP_DESTROY_EQ = 0x302,
    OP_CREATE_CQ = 0x400,
    OP_DESTROY_CQ = 0x401,
    OP_QUERY_CQ = 0x402,
    OP_QUERY_VPORT_STATE = 0x750,
    OP_ALLOC_Q_COUNTER = 0x771,
    OP_DEALLOC_Q_COUNTER = 0x772,
    OP_QUERY_Q_COUNTER = 0x773,
    OP_ALLOC_PD = 0x800,
    OP_DEALLOC_PD = 0x801,
    OP_ALLOC_UAR = 0x802,
    OP_DEALLOC_UAR = 0x803,
    OP_ACCESS_REG = 0x805,
    OP_NOP = 0x80d,
    OP_ALLOC_TD = 0x816,
    OP_DEALLOC_TD = 0x817,
    OP_CREATE_TIR = 0x900,
    OP_MODIFY_TIR = 0x901,
    OP_DESTROY_TIR = 0x902,
    OP_QUERY_TIR = 0x903,
    OP_CREATE_SQ = 0x904,
    OP_MODIFY_SQ = 0x905,
    OP_DESTROY_SQ = 0x906,
    OP_QUERY_SQ = 0x907,
    OP_CREATE_RQ = 0x908,
    OP_MODIFY_RQ = 0x909,
    OP_DESTROY_RQ = 0x90a,
    OP_QUERY_RQ = 0x90b,
    OP_CREATE_TIS = 0x912,
    OP_DESTROY_TIS = 0x914,
    OP_CREATE_RQT = 0x916,
    OP_DESTROY_RQT = 0x918,
    OP_SET_FLOW_TABLE_ROOT = 0x92f,
    OP_CREATE_FLOW_TABLE = 0x930,
    OP_DESTROY_FLOW_TABLE = 0x931,
    OP_CREATE_FLOW_GROUP = 0x933,
    OP_DESTROY_FLOW_GROUP = 0x934,
    OP_SET_FTE = 0x936,
    OP_DELETE_FTE = 0x938,
    OP_CREATE_GENERAL_OBJECT = 0xa00,
    OP_MODIFY_GENERAL_OBJECT = 0xa01,
    OP_QUERY_GENERAL_OBJECT = 0xa02,
    OP_DESTROY_GENERAL_OBJECT = 0xa03,
    OP_SYNC_CRYPTO = 0xb12,
};

/* Sets up the command queue. */
void drv_cmdq_init(Drv *d);
/* Returns the bus address of a slot's entry. */
uint64_t drv_cmd_entry(Drv *d, unsigned slot);
/* Writes a command into its slot, owned by the device; does not ring. */
void drv_cmd_post(Drv *d, DrvCmd *c, unsigned slot, const void *in,
                  uint32_t in_len, uint32_t out_len);
void drv_cmd_ring(Drv *d, uint32_t slots);
/* Returns whether the driver owns the entry again. */
bool drv_cmd_done(Drv *d, const DrvCmd *c);
/* Waits for completion and reads the output; @out may be NULL. */
DrvResult drv_cmd_finish(Drv *d, const DrvCmd *c, void *out);
/* Runs a command to completion. */
DrvResult drv_cmd(Drv *d, const void *in, uint32_t in_len, void *out,
                  uint32_t out_len);
/* As above; the command must succeed. */
void drv_cmd_ok(Drv *d, const void *in, uint32_t in_len, void *out,
                uint32_t out_len);
/*
 * As above; the command must fail with @status and @syn, and the rest of its
 * output must be zero.
 */
void drv_cmd_fails(Drv *d, const void *in, uint32_t in_len, uint32_t out_len,
                   Mlx5Status status, Mlx5Syndrome syn);

/* A 16-byte command whose only argument is a number at byte 8. */
DrvResult drv_cmd_id(Drv *d, uint16_t opcode, uint32_t id);
void drv_cmd_id_ok(Drv *d, uint16_t opcode, uint32_t id);
void drv_cmd_id_fails(Drv *d, uint16_t opcode, uint32_t id, Mlx5Status status,
                      Mlx5Syndrome syn);
/* ALLOC_*: returns the allocated number. */
uint32_t drv_alloc(Drv *d, uint16_t opcode);

/* ENABLE_HCA .. INIT_HCA like the driver, then UAR, PD, TD and mkey. */
void drv_hca_up(Drv *d);
/* TEARDOWN_HCA and DISABLE_HCA. */
void drv_hca_down(Drv *d);
/* QUERY_HCA_CAP: gets the 4096-byte page of @type, current or maximum. */
void drv_query_cap(Drv *d, uint16_t type, bool max, uint8_t *page);
#define DRV_CAP_PAGE 4096
/* ACCESS_REG with @len bytes of data, in and out. */
DrvResult drv_access_reg(Drv *d, uint16_t reg, bool write, uint8_t *data,
                         uint32_t len);

/* ------------------------------------------------------------ queues --- */

typedef struct DrvEq {
    uint64_t buf;
    unsigned log_size;
    uint32_t eqn;
    uint32_t ci;
    unsigned intr;
} DrvEq;

typedef struct DrvCq {
    uint64_t buf;
    uint64_t dbr; /* set_ci at 0, arm_db at 4 */
    unsigned log_size;
    uint32_t cqn;
    uint32_t ci;
    uint32_t uar;
    uint8_t arm_sn;
} DrvCq;

typedef struct DrvSq {
    uint64_t buf;
    uint64_t dbr; /* counter at 4 */
    unsigned log_size;
    uint32_t sqn;
    uint32_t uar;
    uint16_t pc; /* next block to write */
    DrvCq *cq;
} DrvSq;

typedef struct DrvRq {
    uint64_t buf;
    uint64_t dbr; /* counter at 0 */
    unsigned log_size;
    unsigned log_stride;
    uint32_t rqn;
    uint16_t pc;
    DrvCq *cq;
} DrvRq;

enum { DRV_RST = 0, DRV_RDY = 1, DRV_ERR = 3 };

/* Event types. */
enum {
    EVENT_COMP = 0x00,
    EVENT_CQ_ERROR = 0x04,
    EVENT_PORT_CHANGE = 0x09,
    EVENT_CMD = 0x0a,
};

/*
 * Build the commands used by the functions below, for tests that modify them.
 * The caller frees the result; its length goes to *@len.
 */
uint8_t *drv_eq_cmd(Drv *d, DrvEq *eq, unsigned log_size, unsigned intr,
                    uint64_t events, uint32_t *len);
uint8_t *drv_cq_cmd(Drv *d, DrvCq *cq, unsigned log_size, uint32_t eqn,
                    uint32_t *len);
uint8_t *drv_sq_cmd(Drv *d, DrvSq *sq, unsigned log_size, DrvCq *cq,
                    uint32_t tisn, uint32_t *len);
uint8_t *drv_rq_cmd(Drv *d, DrvRq *rq, unsigned log_size, unsigned stride,
                    DrvCq *cq, uint32_t counter, bool vlan_strip,
                    uint32_t *len);
uint8_t *drv_tis_cmd(Drv *d, uint32_t *len);
uint8_t *drv_tir_cmd(Drv *d, uint32_t rqn, uint32_t *len);
uint8_t *drv_rqt_cmd(Drv *d, const DrvRq *const *rq, unsigned n,
                     uint32_t *len);
uint8_t *drv_mkey_cmd(Drv *d, uint8_t key, uint32_t *len);
/* Issues such a command; returns the new number. */
uint32_t drv_create(Drv *d, uint8_t *in, uint32_t len);

void drv_eq_create(Drv *d, DrvEq *eq, unsigned log_size, unsigned intr,
                   uint64_t events);
/* Consumes the next EQE if the device has written one. */
bool drv_eq_poll(Drv *d, DrvEq *eq, uint8_t eqe[64]);
void drv_eq_wait(Drv *d, DrvEq *eq, uint8_t eqe[64]);
/* Reports the consumer index; @arm requests an interrupt. */
void drv_eq_update(Drv *d, DrvEq *eq, bool arm);

void drv_cq_create(Drv *d, DrvCq *cq, unsigned log_size, uint32_t eqn);
/* Reads the next CQE without consuming it. */
bool drv_cq_peek(Drv *d, DrvCq *cq, uint8_t cqe[64]);
/* Consumes it; also advances the consumer index in memory. */
bool drv_cq_poll(Drv *d, DrvCq *cq, uint8_t cqe[64]);
void drv_cq_wait(Drv *d, DrvCq *cq, uint8_t cqe[64]);
void drv_cq_arm(Drv *d, DrvCq *cq, bool solicited);

/* Creates the SQ and brings it to RDY; @tisn 0 for none. */
void drv_sq_create(Drv *d, DrvSq *sq, unsigned log_size, DrvCq *cq,
                   uint32_t tisn);
DrvResult drv_sq_modify(Drv *d, DrvSq *sq, unsigned from, unsigned to);
unsigned drv_sq_state(Drv *d, DrvSq *sq);
/* Makes the device execute everything up to sq->pc. */
void drv_sq_ring(Drv *d, DrvSq *sq);

/* @stride is log2 of bytes; @counter 0 for none. Comes up RDY. */
void drv_rq_create(Drv *d, DrvRq *rq, unsigned log_size, unsigned stride,
                   DrvCq *cq, uint32_t counter, bool vlan_strip);
DrvResult drv_rq_modify(Drv *d, DrvRq *rq, unsigned from, unsigned to);
unsigned drv_rq_state(Drv *d, DrvRq *rq);

typedef struct DrvSeg {
    uint64_t addr;
    uint32_t len;
    uint32_t lkey; /* 0: Drv.lkey */
} DrvSeg;
/* Posts a receive WQE; a short list is terminated early. */
void drv_rq_post(Drv *d, DrvRq *rq, const DrvSeg *seg, unsigned n);
/* Publishes the number of WQEs, like the driver: in memory only. */
void drv_rq_publish(Drv *d, DrvRq *rq);

/* -------------------------------------------------------------- WQEs --- */

typedef struct DrvWqe {
    uint8_t b[DRV_MAX_WQE];
    unsigned ds; /* 16-byte units so far */
} DrvWqe;

enum {
    WQE_NOP = 0x00,
    WQE_SEND = 0x0a,
    WQE_LSO = 0x0e,
    WQE_SET_PSV = 0x20,
    WQE_GET_PSV = 0x21,
    WQE_DUMP = 0x23,
    WQE_UMR = 0x25,
    WQE_ENHANCED_MPSW = 0x29,
};
enum { CQE_REQ = 0x0, CQE_RESP = 0x2, CQE_REQ_ERR = 0xd, CQE_RESP_ERR = 0xe };
/* CQE error syndromes */
enum {
    SYN_LEN = 0x01,
    SYN_QP_OP = 0x02,
    SYN_PROT = 0x04,
    SYN_FLUSH = 0x05,
    SYN_MW_BIND = 0x06,
};
enum { ETH_L3_CSUM = 0x40, ETH_L4_CSUM = 0x80 };

/* Adds the control segment; @ce requests a CQE. */
void drv_wqe(DrvWqe *w, const DrvSq *sq, uint8_t opcode, bool ce);
/* Adds an Ethernet segment with @hdr_len bytes of inline header. */
void drv_wqe_eth(DrvWqe *w, uint8_t cs_flags, uint16_t mss,
                 const uint8_t *hdr, unsigned hdr_len);
void drv_wqe_data(DrvWqe *w, uint32_t lkey, uint64_t addr, uint32_t len);
/* Writes the WQE at sq->pc, which advances; sets ds. Does not ring. */
uint16_t drv_sq_put(Drv *d, DrvSq *sq, DrvWqe *w);
/* Posts a SEND of @frame, copied to memory of its own; requests a CQE. */
uint16_t drv_sq_send(Drv *d, DrvSq *sq, const uint8_t *frame, size_t len,
                     uint8_t cs_flags);
/* Consumes the next CQE, which must be a successful one for WQE @index. */
void drv_sq_expect(Drv *d, DrvSq *sq, uint16_t index);
/* ... or an error with that syndrome. */
void drv_sq_expect_error(Drv *d, DrvSq *sq, uint16_t index, uint8_t syndrome);

/* --------------------------------------------------- TIS, TIR, steering --- */

uint32_t drv_tis_create(Drv *d);
uint32_t drv_tir_direct(Drv *d, uint32_t rqn);
uint32_t drv_rqt_create(Drv *d, const DrvRq *const *rq, unsigned n);

typedef struct DrvSteering {
    uint32_t table;
    uint32_t group;
} DrvSteering;
/* Creates a root table with one entry that steers everything to @tirn. */
void drv_steer_all(Drv *d, DrvSteering *s, uint32_t tirn, uint32_t flow_tag);
void drv_unsteer(Drv *d, DrvSteering *s);

/* ------------------------------------------------- interrupts, wire --- */

/*
 * Enables MSI-X with all vectors unmasked, each writing its number + 1 to a
 * dword of guest memory.
 */
void drv_msix_init(Drv *d);
/* Returns whether the vector has fired since the last call. */
bool drv_msix_fired(Drv *d, unsigned vector);

/* Sends a frame to the device. */
void drv_wire_send(Drv *d, const void *frame, size_t len);
/* Waits for a frame from the device; returns its length. */
size_t drv_wire_recv(Drv *d, uint8_t buf[DRV_MAX_FRAME]);
/* Returns whether there is anything to read now. */
bool drv_wire_readable(Drv *d);

#endif
