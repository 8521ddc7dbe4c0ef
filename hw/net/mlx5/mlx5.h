/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three owners of all state. Each file x.c has a header x.h that declares
 * its interface and describes what it owns.
 *
 *   Mlx5State     the QOM device: PCI config space, BARs, MSI-X, properties.
 *                 Owns one Mlx5Function and one Mlx5Port.
 *   Mlx5Function  the interface of one driver: initialization segment, command
 *                 queue, capabilities, objects, flow tables, vport. Everything
 *                 a driver creates belongs to it and is freed by
 *                 mlx5_hca_teardown().
 *   Mlx5Port      the wire: QEMU network backend, link, MTU, port counters, and
 *                 the one packet that may be partly sent.
 *
 * Everything here runs under the big QEMU lock. A doorbell only records pending
 * work and schedules a bottom half; the work is done in bottom halves
 * (commands, transmission) and in the backend's receive callback. Data flows
 * one way through the files, and no file calls back up: a lower file wakes a
 * higher one through a bottom half (wake.h), and a file that waits passes down
 * a callback (gate.h).
 *
 * The receive callback may run inside our own send (libslirp replies at once):
 * no function here calls mlx5_port_send() with partly updated state. A send or
 * an interrupt message may also lead to a reset or unplug of the device: see
 * work.h.
 */
#ifndef HW_NET_MLX5_MLX5_H
#define HW_NET_MLX5_MLX5_H

#include "hw/pci/pci_device.h"
#include "net/net.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "engine/fs4.h"
#include "engine/segment.h"
#include "engine/steering.h"
#include "engine/tls_strict.h"
#include "counters.h"
#include "icmd.h"
#include "nvconfig.h"
#include "object.h"
#include "types.h"
#include "vport.h"
#include "vsc.h"
#include "wake.h"
#include "work.h"
#include "wqe.h"

#define TYPE_MLX5_KTLS "mlx5-ktls"
OBJECT_DECLARE_SIMPLE_TYPE(Mlx5State, MLX5_KTLS)

/* ----------------------------------------------------------- function --- */

typedef enum Mlx5HcaState {
    MLX5_HCA_OFF = 0,
    MLX5_HCA_ENABLED = 1,
    MLX5_HCA_INITIALIZED = 2,
} Mlx5HcaState;

struct Mlx5Function {
    Mlx5State *dev;
    Mlx5Port *port;

    /* initialization segment, iseg.c */
    uint64_t cmdq_addr; /* 0 until the driver has written it */
    uint32_t cmdq_addr_h;
    bool cmdq_new; /* the address was written since the last ENABLE_HCA */
    uint8_t nic_interface;
    uint64_t clock_base_ns;

    /* command interface, cmd.c */
    uint32_t cmd_pending; /* slots with a doorbell rung */
    uint32_t cmd_batch;   /* of those, the ones being executed now */
    Mlx5CmdWait *cmd_wait; /* for each slot, see fault.h */
    Mlx5HcaState hca;
    bool asleep; /* in D3hot: no DMA, no interrupts, no frames */
    uint16_t issi;
    Mlx5CapPage *caps;
    unsigned ncaps;
    unsigned max_wqebbs; /* current limits of a send WQE, from the caps */
    uint32_t max_lso;    /* bytes of payload */

    uint64_t memory_used; /* bytes charged to dev->memory_limit, memory.c */
    Mlx5IdSpace ids[MLX5_OBJ__COUNT];
    Mlx5Mkey *mkey_cache[8]; /* found last, by number; see mkey.c */
    Mlx5ObjectDestroy *const *object_destroy; /* by type, from function.c */
    Mlx5Steering *steering;
    GHashTable *flow_counters; /* id -> Mlx5FlowCounter, flow.c */
    uint32_t flow_counter_next; /* where the search for a free one starts */
    Mlx5VxlanPorts vxlan; /* tunnel.c */
    Mlx5Vport vport;
    Mlx5VnicEnv vnic_env;
    struct {
        struct Mlx5TlsEngine *engine;
    } tls;

    struct {
        uint64_t syncs;    /* SYNC_CRYPTO commands so far */
        QTAILQ_HEAD(, Mlx5DekSlot) replaced; /* see dek.c */
        Mlx5DekCounters counters;
    } dek;

    Mlx5Faults *faults; /* dev->faults; NULL without rules, see fault.h */
    QLIST_HEAD(, Mlx5Tap) taps; /* observers, see tap.h */

    /* completions and events not yet signalled, see eq.c */
    GPtrArray *dirty_cqs;
    GPtrArray *dirty_eqs;

    Mlx5Bh *wake[MLX5_WAKE__COUNT]; /* see wake.h */
};

/* --------------------------------------------------------------- port --- */

/* The one packet being transmitted, kept while the backend is full. */
typedef struct Mlx5TxPacket {
    Mlx5Sq *sq; /* NULL: none */
    enum {
        MLX5_TX_LAST_FRAME, /* the backend has it all */
        MLX5_TX_SEGMENTS,   /* LSO: frames are left in seg */
        MLX5_TX_MULTI,      /* ENHANCED_MPSW: data segments are left */
    } left;
    unsigned next_ds; /* MLX5_TX_MULTI: the next data segment */
    uint8_t *buf;     /* a frame, or LSO payload: MLX5_TX_BUF_SIZE bytes */
    size_t plain;     /* bytes of buf that may be plaintext for a TIS */
    Mlx5Segment seg;
} Mlx5TxPacket;

struct Mlx5Port {
    Mlx5State *dev;
    Mlx5Function *fn;
    NICState *nic;
    NICConf *conf; /* Mlx5State.conf */

    /* link and MTU, port.c */
    uint8_t admin; /* PAOS admin_status: 1 up, 2 down */
    bool oper_up;
    uint16_t max_mtu, admin_mtu, oper_mtu;
    uint32_t proto_admin; /* PTYS (ext_)eth_proto_admin */
    bool proto_ext;       /* proto_admin is the extended one */
    bool an_disable;      /* PTYS an_disable_admin */
    bool pause_rx, pause_tx;
    uint8_t fec_admin[MLX5_FEC_CLASSES]; /* PPLM: allowed codes, 0 for all */
    Mlx5PortCounters counters;
    int64_t reset_ns;     /* when the counters were zero */
    int64_t line_mark_ns; /* up to when line_bits has been counted */
    uint64_t line_bits;   /* what the link could have received */
    uint32_t line_speed;  /* of the link since then, in Mb/s; 0 while down */

    /* the line, line.c */
    QEMUTimer *line_timer;
    int64_t line_free_ns;   /* when the last frame is over */
    int64_t line_paused_ns; /* until when the partner wants a pause */
    bool line_busy;         /* more has been waiting since the last frame */

    /* transmission, sched.c and tx.c */
    GQueue sqs; /* SQs with doorbells rung, in turn */
    uint8_t tx_wait; /* why nothing may leave: MLX5_WAIT_*, line.h */
    /*
     * Copies (GBytes) of our frames in the backend's queue, oldest first. There
     * is one while MLX5_WAIT_BACKEND is set; pulling and restoring the cable
     * meanwhile may add another.
     */
    GQueue tx_unsent;
    int tx_budget;   /* work left to this run of sched.c, in frames */
    Mlx5Wqe wqe;     /* the one in execution */
    Mlx5TxPacket tx; /* what it sends */

    /* reception, rx.c */
    QEMUTimer *rx_hold_timer;
    bool rx_holding; /* the net layer holds a packet for us, until... */
    int64_t rx_hold_deadline_ns;
    uint8_t *rx_buf;
    uint8_t *rx_rewrite_buf; /* a frame with rewritten headers */
    Mlx5Lro *lro; /* packets being joined, lro.c; NULL before the first */
};

/* ------------------------------------------------------------- device --- */

typedef enum Mlx5RxNoBuffer {
    MLX5_RX_HOLD, /* leave the packet in the backend for a limited time */
    MLX5_RX_DROP, /* as silicon does */
} Mlx5RxNoBuffer;

typedef enum Mlx5CqeCompression {
    MLX5_CQE_COMPRESSION_OFF,
    MLX5_CQE_COMPRESSION_BASIC,    /* the layout; see cq_comp.c */
    MLX5_CQE_COMPRESSION_ENHANCED, /* both layouts */
} Mlx5CqeCompression;

struct Mlx5State {
    PCIDevice parent_obj;

    MemoryRegion bar0;
    uint32_t cq_doorbell_half; /* see uar.c */
    Mlx5Work work;   /* work in progress, and any pending teardown */
    bool reset_live; /* the pending reset hits a function with a live driver */
    Mlx5Function fn;
    Mlx5Port port;
    Mlx5NvConfig nv;
    Mlx5Vsc vsc;
    Mlx5Icmd icmd;
    Mlx5Fs4 flash; /* made at the first access, flash.c */
    struct {           /* reserved.c */
        bool on;
        bool caps_shown; /* a driver may write random bits back */
        uint64_t seed, state;
    } reserved;

    /* properties */
    NICConf conf;
    char *profile_name;
    const Mlx5Profile *profile; /* what the device claims to be */
    char *caps_file; /* capabilities of the user's choice */
    uint32_t vectors;
    char *rx_no_buffer_name;
    Mlx5RxNoBuffer rx_no_buffer;
    uint32_t rx_hold_ms;
    bool striding_rq; /* announce striding receive queues */
    bool lro; /* with them, large receive offload */
    char *cqe_compression_name;
    Mlx5CqeCompression cqe_compression; /* what is announced */
    uint32_t line_rate; /* Mb/s, 0: sending takes no time */
    char *link_partner; /* id of the device at the cable's other end */
    uint8_t log_max_tis;
    uint8_t log_max_tir;
    uint8_t log_max_dek;
    uint8_t log_dek_max_alloc; /* 0: per-connection keys, else the key pool */
    uint64_t memory_limit; /* 0: none */
    bool tls_tx;
    bool tls_rx;
    uint32_t resync_timeout_ms;
    char *record_log;
    uint64_t record_log_max; /* size limit of the file, 0: none */
    Mlx5RecordLog *records; /* while the log is written, see observe.c */
    char *capture;
    uint64_t capture_max; /* size limit of the file, 0: none */
    Mlx5Capture *capturing; /* while it runs, see capture.c */
    Mlx5Faults *faults; /* NULL until the first rule; see fault.h */
    Mlx5TlsKnobs tls_knobs; /* each is a property, see tls.c */
    bool strict;
    Mlx5Strict *checker; /* while strict=on is in effect, see strict.c */
    uint64_t strict_count[MLX5_STRICT_REASONS]; /* violations, strict.c */
};

/* Returns the device's id, which starts each trace and message. */
static inline const char *mlx5_id(const Mlx5Function *fn)
{
    return fn->dev->parent_obj.qdev.id ?: TYPE_MLX5_KTLS;
}

/*
 * Charges the current run of sched.c for @bytes copied and @records processed,
 * whether or not a frame is sent: a KiB, or two records (which may be empty),
 * cost about as much as a frame.
 */
static inline void mlx5_tx_charge(Mlx5Port *port, size_t bytes, size_t records)
{
    port->tx_budget -= bytes / KiB + records / 2;
}

#endif
