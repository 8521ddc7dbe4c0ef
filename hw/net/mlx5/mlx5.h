/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device's types, and who owns what.
 *
 *   Mlx5State     the QOM device: PCI config space, BARs, MSI-X, properties.
 *                 Owns one Mlx5Function and one Mlx5Port.
 *   Mlx5Function  what one driver addresses: initialization segment, command
 *                 queue, capabilities, objects, flow tables, vport. All that a
 *                 driver creates hangs off it and dies with mlx5_hca_teardown.
 *   Mlx5Port      the wire: QEMU network backend, link, MTU, port counters, and
 *                 the one packet that may be half-way out.
 *
 * Everything here runs under the big QEMU lock. Doorbells only note what is to
 * be done and schedule a bottom half; work is done in bottom halves (commands,
 * transmission) and in the backend's receive callback. Data goes one way through
 * the files, and no file calls back up: who has news for somebody above leaves a
 * note (wake.h), who waits hands down a callback (gate.h).
 *
 * receive() may be entered from inside our own send (libslirp answers at
 * once): no function here calls mlx5_port_send() with half-updated state. A
 * reset or the end may be asked for from inside a send or an interrupt message:
 * see work.h.
 */
#ifndef HW_NET_MLX5_MLX5_H
#define HW_NET_MLX5_MLX5_H

#include "hw/pci/pci_device.h"
#include "net/net.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "hw/net/mlx5/prm_cmd.h"
#include "hw/net/mlx5/prm_obj.h"
#include "hw/net/mlx5/prm_queue.h"
#include "engine/parse.h"
#include "engine/rss.h"
#include "engine/secret.h"
#include "engine/segment.h"
#include "engine/steering.h"
#include "engine/tls_strict.h"
#include "counters.h"
#include "gate.h"
#include "syndrome.h"
#include "wake.h"
#include "work.h"
#include "wqe.h"

#define TYPE_MLX5_KTLS "mlx5-ktls"
OBJECT_DECLARE_SIMPLE_TYPE(Mlx5State, MLX5_KTLS)

typedef struct Mlx5Function Mlx5Function;
typedef struct Mlx5Port Mlx5Port;
typedef struct Mlx5Cmd Mlx5Cmd;
typedef struct Mlx5Faults Mlx5Faults;
typedef struct Mlx5SqHeld Mlx5SqHeld;
typedef struct Mlx5CmdWait Mlx5CmdWait;
typedef struct Mlx5DekSlot Mlx5DekSlot;
typedef struct Mlx5Tap Mlx5Tap;
typedef struct Mlx5Strict Mlx5Strict;
typedef struct Mlx5RecordLog Mlx5RecordLog;

/* ------------------------------------------------------------- limits --- */

#define MLX5_PAGE_SHIFT 12
#define MLX5_PAGE_SIZE (1u << MLX5_PAGE_SHIFT)
#define MLX5_BAR_SIZE (32 * MiB)
#define MLX5_MAX_VECTORS 256
#define MLX5_FIRST_UAR 3 /* pages 0..2 hold the initialization segment */
#define MLX5_LOG_CMDQ_SIZE 5
#define MLX5_LOG_CMDQ_STRIDE 6
#define MLX5_CAP_PAGE_SIZE 0x1000
#define MLX5_LOG_MAX_LSO 18
/* Longest LSO payload with its headers, and then some. */
#define MLX5_TX_BUF_SIZE ((1u << MLX5_LOG_MAX_LSO) + 4096)
#define MLX5_MAX_MTU 9978 /* IP MTU; the wire frame adds 14 + 2 * 4 bytes */
#define MLX5_HW_MTU_OVERHEAD 22 /* Ethernet header, one VLAN tag, FCS */
#define MLX5_MAX_FRAME (MLX5_MAX_MTU + 14 + 8)
#define MLX5_MIN_FRAME 60
/* lkey of a data segment that ends a receive WQE's list early */
#define MLX5_TERMINATE_SCATTER_LKEY 0x100u

/* ------------------------------------------------------------ objects --- */

/*
 * Kinds of numbered objects. The order is the order of destruction when a
 * function is reset: what refers comes before what is referred to.
 */
typedef enum Mlx5ObjectType {
    MLX5_OBJ_TIR,
    MLX5_OBJ_RQT,
    MLX5_OBJ_SQ,
    MLX5_OBJ_RQ,
    MLX5_OBJ_CQ,
    MLX5_OBJ_EQ,
    MLX5_OBJ_TIS,
    MLX5_OBJ_DEK,
    MLX5_OBJ_MKEY,
    MLX5_OBJ_TD,
    MLX5_OBJ_PD,
    MLX5_OBJ_Q_COUNTER,
    MLX5_OBJ_UAR,
    MLX5_OBJ__COUNT
} Mlx5ObjectType;

/* First member of every object. */
typedef struct Mlx5Object {
    Mlx5Function *fn;
    Mlx5ObjectType type;
    uint32_t id;   /* the number the driver knows it by */
    uint32_t size; /* of all of it, in bytes */
    uint32_t span; /* how many ids from @id on belong to it, 1 but for DEKs */
    uint16_t uid;  /* the user context that created it, 0 for the kernel */
    uint32_t refs; /* live objects that refer to this one */
    size_t charged; /* to memory-limit, see memory.h */
} Mlx5Object;

/*
 * Creates an object of @size bytes (zeroed, the Mlx5Object first) under a free
 * number, which is not one freed a moment ago. @holds is how much memory it will
 * hold besides; both are charged, and given back when it dies. On failure *@out
 * is NULL.
 */
Mlx5Syndrome mlx5_object_create(Mlx5Function *fn, Mlx5ObjectType type,
                                size_t size, size_t holds, uint16_t uid,
                                void *out);
/* As above for @span consecutive numbers, aligned to @span (a power of 2). */
Mlx5Syndrome mlx5_object_create_range(Mlx5Function *fn, Mlx5ObjectType type,
                                      size_t size, size_t holds, uint16_t uid,
                                      uint32_t span, void *out);
/* The object, or NULL. For DEK ranges any number in the range finds it. */
void *mlx5_object_get(Mlx5Function *fn, Mlx5ObjectType type, uint32_t id);
/*
 * For a number that came in a WQE: may @user's owner use @o? The kernel may use
 * everything, others only what is theirs.
 */
static inline bool mlx5_object_usable(const Mlx5Object *o,
                                      const Mlx5Object *user)
{
    return !user->uid || o->uid == user->uid;
}
/*
 * As mlx5_object_get() for a number that came in a command: checks that
 * @uid may use it and says which object is missing.
 */
Mlx5Syndrome mlx5_object_find(Mlx5Function *fn, Mlx5ObjectType type,
                              uint32_t id, uint16_t uid, void *out);
/* Runs the type's destructor and frees the number; refuses while referred to. */
Mlx5Syndrome mlx5_object_destroy(Mlx5Function *fn, Mlx5ObjectType type,
                                 uint32_t id, uint16_t uid);
/* Destroys an object that its creator could not finish (no refs are left). */
void mlx5_object_abandon(void *obj);
void mlx5_object_ref(void *obj);
/* NULL is allowed. Never frees: only the driver's destroy command does. */
void mlx5_object_unref(void *obj);
unsigned mlx5_object_count(Mlx5Function *fn, Mlx5ObjectType type);
const char *mlx5_object_type_name(Mlx5ObjectType type);
/*
 * Lets go of what an object refers to and holds. NULL: nothing. There is one for
 * each type.
 */
typedef void Mlx5ObjectDestroy(void *obj);
void mlx5_objects_init(Mlx5Function *fn, Mlx5ObjectDestroy *const *destroy);
/* Destroys all objects, whatever refers to them. */
void mlx5_objects_reset(Mlx5Function *fn);
void mlx5_objects_finalize(Mlx5Function *fn);

/* A queue's buffer in guest memory: entries of 2^log_stride bytes in pages. */
typedef struct Mlx5Ring {
    uint64_t *pages;
    uint32_t npages;
    uint32_t offset; /* of entry 0 in the first page, bytes */
    uint8_t log_page;
    uint8_t log_stride;
    uint8_t log_size;
} Mlx5Ring;

/*
 * Reads a ring's geometry: @pas is the command's list of page addresses with
 * @pas_len bytes behind it. The ring must be freed with mlx5_ring_free().
 */
Mlx5Syndrome mlx5_ring_init(Mlx5Ring *ring, unsigned log_size,
                            unsigned log_stride, unsigned log_page,
                            unsigned page_offset, const uint8_t *pas,
                            size_t pas_len);
void mlx5_ring_free(Mlx5Ring *ring);
/* What it holds, for mlx5_object_create(). */
size_t mlx5_ring_memory(const Mlx5Ring *ring);
/* Bus address of entry @index (taken modulo the size). */
uint64_t mlx5_ring_addr(const Mlx5Ring *ring, uint32_t index);
static inline uint32_t mlx5_ring_size(const Mlx5Ring *ring)
{
    return 1u << ring->log_size;
}

typedef struct Mlx5Uar { Mlx5Object obj; } Mlx5Uar;
typedef struct Mlx5Pd { Mlx5Object obj; } Mlx5Pd;
typedef struct Mlx5Td { Mlx5Object obj; } Mlx5Td;

typedef struct Mlx5Mkey {
    Mlx5Object obj;
    Mlx5Pd *pd;
    uint8_t key; /* mkey_7_0 */
    bool local_write;
    uint8_t mkc[64]; /* as created, for QUERY_MKEY */
} Mlx5Mkey;

typedef struct Mlx5QCounter {
    Mlx5Object obj;
    uint32_t out_of_buffer;
} Mlx5QCounter;

typedef struct Mlx5Eq {
    Mlx5Object obj;
    Mlx5Ring ring;
    Mlx5Uar *uar; /* the page on which its doorbells ring */
    uint64_t event_bitmask[4];
    uint32_t pi; /* next entry to write, counts on without wrapping */
    uint32_t ci; /* as the driver last told, 24 bits */
    uint16_t intr;
    bool armed;
    bool dirty; /* in fn->dirty_eqs */
    uint8_t eqc[64];
} Mlx5Eq;

typedef struct Mlx5Cq {
    Mlx5Object obj;
    Mlx5Ring ring;
    Mlx5Uar *uar; /* the page on which its doorbells ring */
    Mlx5Eq *eq;
    uint64_t dbr_addr;
    uint32_t pi; /* next entry to write, counts on without wrapping */
    uint32_t ci; /* the driver's counter as last looked up, 24 bits */
    bool armed;
    bool solicited_only;
    bool dirty; /* in fn->dirty_cqs */
    bool error; /* overrun: no more CQEs are written */
    uint8_t cqc[64];
} Mlx5Cq;

/* Queue states, sqc.state and rqc.state. */
enum {
    MLX5_Q_RST = 0,
    MLX5_Q_RDY = 1,
    MLX5_Q_ERR = 3,
};

typedef struct Mlx5Tis {
    Mlx5Object obj;
    Mlx5Td *td;
    Mlx5Pd *pd;
    struct Mlx5TlsTx *tls; /* when tls_en */
    uint8_t tisc[160];
} Mlx5Tis;

typedef struct Mlx5Sq {
    Mlx5Object obj;
    Mlx5Ring ring; /* of 64-byte blocks */
    Mlx5Uar *uar;  /* the page on which its doorbell rings */
    Mlx5Cq *cq;
    Mlx5Tis *tis; /* of tis_num_0, may be NULL */
    Mlx5Pd *pd;
    uint64_t dbr_addr; /* of the whole record; the send counter is at +4 */
    uint8_t state;
    bool scheduled; /* in port->sqs */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* block index of the next WQE to execute */
    Mlx5SqHeld *held;  /* what waits at gates, NULL: nothing; see sq_cqe.h */
    Mlx5Waiter waiter; /* at those gates */
    uint8_t sqc[240];
} Mlx5Sq;

typedef struct Mlx5Rq {
    Mlx5Object obj;
    Mlx5Ring ring; /* of WQEs */
    Mlx5Cq *cq;
    Mlx5Pd *pd; /* NULL for a queue that only drops */
    Mlx5QCounter *counter; /* may be NULL */
    uint64_t dbr_addr; /* the receive counter is at +0 */
    uint8_t state;
    bool vlan_strip;
    bool had_wqe; /* the driver has posted something since RST */
    bool gave_up; /* a packet was held for it in vain: do not wait again */
    uint16_t pc; /* driver's counter as last read from the record */
    uint16_t cc; /* next WQE to fill */
    uint8_t rqc[240];
} Mlx5Rq;

typedef struct Mlx5Rqt {
    Mlx5Object obj;
    uint32_t max_size;
    uint32_t size; /* a power of 2 */
    Mlx5Rq **rqs;
} Mlx5Rqt;

typedef struct Mlx5Tir {
    Mlx5Object obj;
    Mlx5Td *td;
    Mlx5Rq *rq;   /* disp_type direct */
    Mlx5Rqt *rqt; /* disp_type indirect */
    Mlx5RssParams rss;
    struct Mlx5TlsRx *tls; /* when tls_en */
    QEMUTimer *resync_timer; /* resync-repeat=timeout, see tls.c */
    uint8_t tirc[240];
} Mlx5Tir;

/* ----------------------------------------------------------- function --- */

typedef enum Mlx5HcaState {
    MLX5_HCA_OFF = 0,
    MLX5_HCA_ENABLED = 1,
    MLX5_HCA_INITIALIZED = 2,
} Mlx5HcaState;

/* The capability pages a profile can have; see cmd_caps.c. */
typedef struct Mlx5CapPage {
    uint16_t type;
    uint8_t *max;
    uint8_t *cur;
} Mlx5CapPage;

typedef struct Mlx5IdSpace {
    GHashTable *by_id;    /* id (a range: its first) -> Mlx5Object, not owning */
    unsigned long *taken; /* a bit for each number, NULL while none ever was */
    uint32_t bits;        /* how many */
    uint32_t next;        /* where the search for a free number starts */
    uint32_t used;        /* numbers in use */
    uint32_t spans;       /* an OR of the lengths of all ranges there ever were */
} Mlx5IdSpace;

typedef struct Mlx5Vport {
    uint8_t mac[6];
    uint16_t mtu;
    uint8_t admin_state; /* 0 down, 1 up, 2 follow the port */
    bool promisc_uc, promisc_mc, promisc_all;
    GArray *list[3]; /* allowed lists: uc and mc of 6 bytes, vlan of uint16_t */
    Mlx5VportCounters counters;
} Mlx5Vport;

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
    uint32_t cmd_pending; /* slots whose doorbell rang */
    uint32_t cmd_batch;   /* of those, the ones that are being worked through */
    Mlx5CmdWait *cmd_wait; /* of each slot, see fault.h */
    Mlx5HcaState hca;
    bool asleep; /* in D3hot: nothing leaves, to memory, as message, as frame */
    uint16_t issi;
    Mlx5CapPage *caps;
    unsigned ncaps;

    uint64_t memory_used; /* bytes charged to dev->memory_limit, memory.c */
    Mlx5IdSpace ids[MLX5_OBJ__COUNT];
    Mlx5ObjectDestroy *const *object_destroy; /* by type, of function.c */
    Mlx5Steering *steering;
    GHashTable *flow_counters; /* id -> Mlx5FlowCounter, cmd_flow.c */
    uint32_t flow_counter_next; /* where the search for a free one starts */
    Mlx5Vport vport;
    Mlx5VnicEnv vnic_env;
    struct {
        struct Mlx5TlsEngine *engine;
        Mlx5TlsCounters counters;
    } tls;

    struct {
        uint64_t syncs;    /* SYNC_CRYPTO so far */
        QTAILQ_HEAD(, Mlx5DekSlot) replaced; /* see dek.c */
    } dek;

    Mlx5Faults *faults; /* dev->faults, NULL without rules; see fault.h */
    QLIST_HEAD(, Mlx5Tap) taps; /* who observes, see tap.h */

    /* completions and events not yet announced, see eq.c */
    GPtrArray *dirty_cqs;
    GPtrArray *dirty_eqs;

    Mlx5Bh *wake[MLX5_WAKE__COUNT]; /* see wake.h */
};

/* --------------------------------------------------------------- port --- */

/* The one packet that is on its way out, kept while the backend is full. */
typedef struct Mlx5TxPacket {
    Mlx5Sq *sq; /* NULL: nothing is on its way */
    enum {
        MLX5_TX_LAST_FRAME, /* the backend has it all */
        MLX5_TX_SEGMENTS,   /* LSO: frames are left in seg */
        MLX5_TX_MULTI,      /* ENHANCED_MPSW: data segments are left */
    } left;
    unsigned next_ds; /* MLX5_TX_MULTI: where the next data segment is */
    uint8_t *buf;     /* a frame, or LSO payload: MLX5_TX_BUF_SIZE bytes */
    size_t plain;     /* so much of buf may be plaintext handed in for a TIS */
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
    Mlx5PortCounters counters;

    /* transmission, sched.c and tx.c */
    GQueue sqs; /* SQs with doorbells rung, in turn */
    bool tx_blocked; /* the backend asked to wait: queues rest until it calls */
    /*
     * Copies (GBytes) of our frames in the backend's queue, oldest first. There
     * is one while tx_blocked; a cable that was pulled and put back meanwhile
     * lets another one follow.
     */
    GQueue tx_unsent;
    int tx_budget;   /* frames' worth of work left to this run of sched.c */
    Mlx5Wqe wqe;     /* the one in execution */
    Mlx5TxPacket tx; /* what it sends */

    /* reception, rx.c */
    QEMUTimer *rx_hold_timer;
    bool rx_holding; /* the net layer keeps a packet for us, until... */
    int64_t rx_hold_deadline_ns;
    uint8_t *rx_buf;
    uint8_t *rx_rewrite_buf; /* a frame whose headers flow entries modified */
};

/* ------------------------------------------------------------- device --- */

typedef enum Mlx5RxNoBuffer {
    MLX5_RX_HOLD, /* keep the packet in the backend for a bounded time */
    MLX5_RX_DROP, /* as silicon does */
} Mlx5RxNoBuffer;

struct Mlx5State {
    PCIDevice parent_obj;

    MemoryRegion bar0;
    uint32_t cq_doorbell_half; /* see uar.c */
    Mlx5Work work;   /* what is at work, and whether it is to end */
    bool reset_live; /* the reset to be done takes the function from a driver */
    Mlx5Function fn;
    Mlx5Port port;

    /* properties */
    NICConf conf;
    uint32_t vectors;
    char *rx_no_buffer_name;
    Mlx5RxNoBuffer rx_no_buffer;
    uint32_t rx_hold_ms;
    uint8_t log_max_tis;
    uint8_t log_max_tir;
    uint8_t log_max_dek;
    uint8_t log_dek_max_alloc; /* 0: per-connection keys, else the key pool */
    uint64_t memory_limit; /* 0: none */
    bool tls_tx;
    bool tls_rx;
    uint32_t resync_timeout_ms;
    char *record_log;
    uint64_t record_log_max; /* longest that the file may get, 0: no limit */
    Mlx5RecordLog *records; /* while it is written, see observe.c */
    Mlx5Faults *faults; /* NULL until the first rule; see fault.h */
    Mlx5TlsKnobs tls_knobs; /* tls.c makes a property of each */
    bool strict;
    Mlx5Strict *checker; /* while strict=on looks, see strict.c */
    uint64_t strict_count[MLX5_STRICT_REASONS]; /* violations, strict.c */
};

/* The device's id, with which each trace and message begins. */
static inline const char *mlx5_id(const Mlx5Function *fn)
{
    return fn->dev->parent_obj.qdev.id ?: TYPE_MLX5_KTLS;
}

/* --------------------------------------------- dma.c: guest memory ------ */

/* Both return false, traced, when the address does not reach memory. */
bool mlx5_dma_read(Mlx5Function *fn, uint64_t addr, void *buf, size_t len);
bool mlx5_dma_write(Mlx5Function *fn, uint64_t addr, const void *buf,
                    size_t len);
/*
 * Publishes a 64-byte EQE or CQE: body, write barrier, then the last byte
 * (which holds the owner bit) alone. All payload was written before.
 */
bool mlx5_dma_publish(Mlx5Function *fn, uint64_t addr, const uint8_t *entry);
/* Reads a big-endian doorbell record, then orders later reads after it. */
bool mlx5_dma_read_dbr(Mlx5Function *fn, uint64_t addr, uint32_t *val);

/* ------------------------------------------------ iseg.c ----------------- */

/* What a driver sees as firmware; 22 is the ConnectX-6 Dx family. */
#define MLX5_FW_MAJOR 22
#define MLX5_FW_MINOR 39
#define MLX5_FW_SUBMINOR 1
#define MLX5_FW_VERSION \
    (MLX5_FW_MAJOR << 24 | MLX5_FW_MINOR << 16 | MLX5_FW_SUBMINOR)

uint32_t mlx5_iseg_read(Mlx5Function *fn, hwaddr addr);
void mlx5_iseg_write(Mlx5Function *fn, hwaddr addr, uint32_t val);
void mlx5_iseg_reset(Mlx5Function *fn);
/* What a function-level reset under a live driver leaves: interface disabled. */
void mlx5_iseg_disable(Mlx5Function *fn);
#define MLX5_ISEG_SIZE 0x2010

/* ------------------------------------------------------------- uar.c ---- */

extern const MemoryRegionOps mlx5_bar0_ops;

/* -------------------------------------------------------- eq.c, cq.c ---- */

enum {
    MLX5_EVENT_COMP = 0x00,
    MLX5_EVENT_CQ_ERROR = 0x04,
    MLX5_EVENT_WQ_CATAS_ERROR = 0x05,
    MLX5_EVENT_PORT_CHANGE = 0x09,
    MLX5_EVENT_CMD = 0x0a,
    MLX5_EVENT_PAGE_REQUEST = 0x0b,
};

/*
 * Posts event @type to each EQ whose bitmask asks for it. @eqe is 64 bytes
 * with the event data filled in (from byte 0x20 on).
 */
void mlx5_event(Mlx5Function *fn, uint8_t type, uint8_t sub_type,
                uint8_t *eqe);
/* Is there an EQ for event @type? */
bool mlx5_event_wanted(Mlx5Function *fn, uint8_t type);
void mlx5_eq_comp(Mlx5Eq *eq, uint32_t cqn);
/* A doorbell on UAR page @page; one that is not the queue's own is ignored. */
void mlx5_eq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t eqn,
                      uint32_t ci, bool arm);

/* CQE opcodes, op_own[7:4] */
enum {
    MLX5_CQE_REQ = 0x0,
    MLX5_CQE_RESP_SEND = 0x2,
    MLX5_CQE_REQ_ERR = 0xd,
    MLX5_CQE_RESP_ERR = 0xe,
};
/* Error syndromes in a CQE. */
enum {
    MLX5_CQE_SYN_LOCAL_LENGTH = 0x01,
    MLX5_CQE_SYN_LOCAL_QP_OP = 0x02,
    MLX5_CQE_SYN_LOCAL_PROT = 0x04,
    MLX5_CQE_SYN_WR_FLUSH = 0x05,
};
/*
 * Posts @cqe (64 bytes, all but the owner bit filled in). Returns false when
 * the CQ is full: a CQ_ERROR event has been raised and the CQE is lost.
 */
bool mlx5_cq_post(Mlx5Cq *cq, uint8_t *cqe);
void mlx5_cq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t cqn,
                      uint32_t arm);

/*
 * Announces posted CQEs (one EQE per armed CQ) and EQEs (one MSI-X message per
 * vector of armed EQs). _schedule does it from a bottom half, so that a burst
 * gives one interrupt; _flush does it now, and is the last thing that a piece of
 * work does: a message may lead anywhere.
 */
void mlx5_notify_schedule(Mlx5Function *fn);
void mlx5_notify_flush(Mlx5Function *fn);

/* ------------------------------------------- sq.c, sched.c, tx.c --------- */

void mlx5_sq_doorbell(Mlx5Function *fn, uint32_t page, uint32_t sqn);

void mlx5_sched_init(Mlx5Port *port);
/* All queues are gone by now. A packet in the net layer's queue stays there. */
void mlx5_sched_reset(Mlx5Port *port);
void mlx5_sched_finalize(Mlx5Port *port);
/* A new queue, not running yet: what a gate lets go of it comes here. */
void mlx5_sched_join(Mlx5Sq *sq);
/* Gives @sq a turn: something may be posted, or is to be flushed. */
void mlx5_sched_queue(Mlx5Sq *sq);
/*
 * Forgets all that is under way of @sq, which is about to die or begins anew:
 * its turn, its half-sent packet, what waits at gates.
 */
void mlx5_sched_forget(Mlx5Sq *sq);

void mlx5_tx_init(Mlx5Port *port);
void mlx5_tx_finalize(Mlx5Port *port);
/* Goes on with the packet in port->tx, which is @wqe's. */
Mlx5TxResult mlx5_tx_continue(Mlx5Port *port, Mlx5Wqe *wqe);
/*
 * Charges the run of sched.c for bytes that were copied and records that were gone
 * through, whether or not a frame leaves: a KiB, or two records (they may be empty),
 * cost about as much as a frame.
 */
static inline void mlx5_tx_charge(Mlx5Port *port, size_t bytes, size_t records)
{
    port->tx_budget -= bytes / KiB + records / 2;
}
/*
 * One frame leaves the vport: back to it, if that is whom it is addressed to
 * and it takes it, else to the wire. Returns false when the backend is full: the
 * frame has been taken, but nothing may follow yet.
 */
bool mlx5_tx_frame(Mlx5Port *port, const struct iovec *iov, int iovcnt);
/*
 * The WQE in execution is over: erases the copy of it, and what was gathered for
 * a TIS and not encrypted.
 */
void mlx5_tx_wqe_over(Mlx5Port *port);
/* The function or a queue goes: erases all that went through here. */
void mlx5_tx_erase(Mlx5Port *port);

/* --------------------------------------------------- rq.c, rx.c --------- */

void mlx5_rx_init(Mlx5Port *port);
void mlx5_rx_reset(Mlx5Port *port);
void mlx5_rx_finalize(Mlx5Port *port);
/* NetClientInfo.receive: 0 means that the net layer keeps the packet. */
ssize_t mlx5_rx_receive(Mlx5Port *port, const uint8_t *buf, size_t size);
/*
 * A frame that tx.c sends to this vport's own address comes back, if a TIR at
 * the end of its way takes what its own transport domain sends. False: it has
 * not been looked at further and belongs on the wire. It is not held for a WQE.
 */
bool mlx5_rx_loop_back(Mlx5Port *port, const struct iovec *iov, int iovcnt);
/* Is a WQE posted for one more packet? May read the doorbell record. */
bool mlx5_rq_has_wqe(Mlx5Rq *rq);
/*
 * Scatters the @iov of one packet into the next WQE and posts @cqe, in which
 * all but the queue's own fields is filled in.
 */
void mlx5_rq_deliver(Mlx5Rq *rq, const struct iovec *iov, int iovcnt,
                     uint8_t *cqe);

/* ----------------------------------------------------------- port.c ----- */

void mlx5_port_init(Mlx5Port *port);
void mlx5_port_reset(Mlx5Port *port);
/* Takes the NIC from the net layer: nothing comes from there any more. */
void mlx5_port_finalize(Mlx5Port *port);
/* Works out the operational state anew; raises PORT_CHANGE when it moved. */
void mlx5_port_update_link(Mlx5Port *port);
/*
 * May a frame of @len bytes go out? If not (link down, longer than the MTU in
 * force) it has been counted as dropped. Nothing may once we are to go away.
 */
bool mlx5_port_accept_tx(Mlx5Port *port, size_t len);
/*
 * Gives one frame that may go out, of @len bytes, to the backend, padded to the
 * minimum length, and counts it; @cast is MLX5_CAST_*. Returns false when the
 * backend is full: the frame has been taken, but the next one may only be sent
 * after MLX5_WAKE_TX.
 */
bool mlx5_port_send(Mlx5Port *port, const struct iovec *iov, int iovcnt,
                    size_t len, int cast);
/*
 * May a frame of @len bytes come in? If not (link down, too short, longer than
 * the MTU in force) it has been counted as dropped.
 */
bool mlx5_port_accept_rx(Mlx5Port *port, size_t len);
/* Counts a frame that arrived from the wire; @cast is MLX5_CAST_*. */
void mlx5_port_count_rx(Mlx5Port *port, size_t len, int cast);

/* ---------------------------------------------------- pages and caps ---- */

void mlx5_caps_init(Mlx5Function *fn);
void mlx5_caps_reset(Mlx5Function *fn);
void mlx5_caps_finalize(Mlx5Function *fn);
/* The current page of a capability type, or NULL when there is none. */
const uint8_t *mlx5_cap_cur(Mlx5Function *fn, uint16_t type);
enum {
    MLX5_CAP_GENERAL = 0x00,
    MLX5_CAP_ETHERNET = 0x01,
    MLX5_CAP_FLOW_TABLE = 0x07,
    MLX5_CAP_TLS = 0x11,
    MLX5_CAP_CRYPTO = 0x1a,
};
/* A field of the current GENERAL page. */
#define MLX5_CAP_GEN(fn, field) \
    MLX5_GET(cmd_hca_cap, mlx5_cap_cur((fn), MLX5_CAP_GENERAL), field)

/* ------------------------------------------------------- cmd_vport.c ---- */

void mlx5_vport_init(Mlx5Vport *vport);
void mlx5_vport_reset(Mlx5Vport *vport, const uint8_t mac[6]);
void mlx5_vport_finalize(Mlx5Vport *vport);
/* vport state: what admin_state makes of the port's operational state. */
enum {
    MLX5_VPORT_ADMIN_DOWN = 0,
    MLX5_VPORT_ADMIN_UP = 1,
    MLX5_VPORT_ADMIN_FOLLOW = 2,
};
bool mlx5_vport_is_up(Mlx5Function *fn);
/* Is it an address of the vport: the permanent one, or on its list? */
bool mlx5_vport_is_own(const Mlx5Vport *vport, const uint8_t mac[6]);

/* -------------------------------------------------------- cmd_flow.c ---- */

void mlx5_flow_init(Mlx5Function *fn);
/* Removes all tables, groups, entries and counters. */
void mlx5_flow_reset(Mlx5Function *fn);
void mlx5_flow_finalize(Mlx5Function *fn);
/* Counts a packet of @octets bytes in flow counter @id, if it exists. */
void mlx5_flow_count(Mlx5Function *fn, uint32_t id, size_t octets);

/* --------------------------------------------------------- function.c --- */

/* dev and port are set. */
bool mlx5_function_init(Mlx5Function *fn, Error **errp);
/* Power-on state. */
void mlx5_function_reset(Mlx5Function *fn);
/*
 * D3hot, and D0 again: what was under way and what comes up stands where it
 * is, and goes on. Frames from the wire are lost meanwhile.
 */
void mlx5_function_sleep(Mlx5Function *fn);
void mlx5_function_wake(Mlx5Function *fn);
void mlx5_function_finalize(Mlx5Function *fn);

#endif
