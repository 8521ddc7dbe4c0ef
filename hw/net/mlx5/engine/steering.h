/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flow steering on the NIC receive side: flow tables, groups and entries, and
 * the lookup that maps a packet to a list of TIRs.
 *
 * Implements CREATE/MODIFY/DESTROY_FLOW_TABLE, SET_FLOW_TABLE_ROOT,
 * CREATE/DESTROY_FLOW_GROUP and SET/DELETE_FLOW_TABLE_ENTRY. Owns tables,
 * groups and entries; refers to TIRs and flow counters by number and reports
 * each reference to their owner through Mlx5SteeringOps. Called by the command
 * handlers (changes) and the receive path (lookup), from one thread at a time;
 * lookups change nothing.
 *
 * Cost: a lookup takes one probe for each non-empty group in each table on the
 * packet's path; a probe is a search in a balanced tree, whatever the values
 * are. A packet that needs more than MLX5_STEERING_MAX_PROBES is dropped.
 * Memory use depends on the live entries, not on the declared size of a table
 * or group.
 *
 * Matching: in a table, the entry with the lowest flow_index that equals the
 * packet under its group's mask wins. An entry ends the path (TIRs, or drop) or
 * continues it in other tables; without a match the table's miss action
 * applies. Levels are stored but not enforced: MLX5_STEERING_MAX_VISITS ends a
 * path that loops.
 */
#ifndef HW_NET_MLX5_ENGINE_STEERING_H
#define HW_NET_MLX5_ENGINE_STEERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"

/*
 * Bytes of fte_match_param, and of either of its two sections that are known,
 * outer_headers and inner_headers; where the latter begins.
 */
#define MLX5_FTE_MATCH_PARAM_LEN    512
#define MLX5_FTE_MATCH_OUTER_LEN    64
#define MLX5_FTE_MATCH_INNER_OFFSET 128
#define MLX5_FTE_MATCH_OUTER_WORDS  (MLX5_FTE_MATCH_OUTER_LEN / 8)

/* Destinations and counters of one entry. */
#define MLX5_STEERING_MAX_FTE_DESTS     64
#define MLX5_STEERING_MAX_FTE_COUNTERS  8
/*
 * Per packet: table visits on all paths together, group probes, TIRs, counters.
 */
#define MLX5_STEERING_MAX_VISITS        256
#define MLX5_STEERING_MAX_PROBES        1024
#define MLX5_STEERING_MAX_TIRS          64
#define MLX5_STEERING_MAX_COUNTERS      64

/* create_flow_table_in.table_type; no other type is NIC receive. */
enum {
    MLX5_FLOW_TABLE_TYPE_NIC_RX = 0,
};

/* flow_table_context.table_miss_action */
enum {
    MLX5_FLOW_TABLE_MISS_ACTION_DEF = 0,    /* NIC receive: drop */
    MLX5_FLOW_TABLE_MISS_ACTION_FWD = 1,    /* continue in table_miss_id */
};

/* match_criteria_enable */
enum {
    MLX5_MATCH_OUTER_HEADERS = 0x01,
    MLX5_MATCH_INNER_HEADERS = 0x04,
};

/* flow_context.action */
enum {
    MLX5_FLOW_CONTEXT_ACTION_ALLOW = 0x1,
    MLX5_FLOW_CONTEXT_ACTION_DROP = 0x2,
    MLX5_FLOW_CONTEXT_ACTION_FWD_DEST = 0x4,
    MLX5_FLOW_CONTEXT_ACTION_COUNT = 0x8,
    MLX5_FLOW_CONTEXT_ACTION_MOD_HDR = 0x40,
};

/* dest_format_struct.destination_type */
enum {
    MLX5_FLOW_DESTINATION_TYPE_FLOW_TABLE = 1,
    MLX5_FLOW_DESTINATION_TYPE_TIR = 2,
};

/* set_fte_in.modify_enable_mask */
enum {
    MLX5_SET_FTE_MODIFY_ENABLE_MASK_ACTION = 0x1,
    MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_TAG = 0x2,
    MLX5_SET_FTE_MODIFY_ENABLE_MASK_DESTINATION_LIST = 0x4,
    MLX5_SET_FTE_MODIFY_ENABLE_MASK_FLOW_COUNTERS = 0x8,
};

/*
 * X(name, syndrome of the command, sentence). The syndromes are names from the
 * device's list (syndrome.h), which the engine does not include; where several
 * errors share a syndrome, the sentence tells them apart.
 */
#define MLX5_STEERING_ERRORS(X)                                               \
    X(OK, OK, "no error")                                                     \
    X(BAD_TABLE_TYPE, FT_BAD_TYPE, "flow table type is not 0, NIC receive")   \
    X(BAD_TABLE_SIZE, FT_TOO_LARGE,                                           \
      "flow table log_size is larger than supported")                         \
    X(TOO_MANY_TABLES, FT_LIMIT,                                              \
      "no flow table left within the advertised limit")                       \
    X(NO_TABLE, FT_NO_SUCH_TABLE, "no flow table with this table_id")         \
    X(BAD_MISS_ACTION, FT_BAD_MISS,                                           \
      "table_miss_action is neither 0 (default) nor 1 (forward)")             \
    X(NO_MISS_TABLE, FT_NO_DESTINATION_TABLE,                                 \
      "no flow table with this table_miss_id")                                \
    X(TABLE_HAS_GROUPS, FT_HAS_GROUPS, "flow table still has flow groups")    \
    X(TABLE_IN_USE, FT_IN_USE,                                                \
      "flow table is still a destination or a miss table of others")          \
    X(BAD_CRITERIA_ENABLE, FT_BAD_CRITERIA,                                   \
      "match_criteria_enable asks for more than outer and inner headers")     \
    X(BAD_CRITERIA, FT_BAD_CRITERIA,                                          \
      "match_criteria has header bits that are not known")                    \
    X(BAD_GROUP_RANGE, FT_GROUP_RANGE,                                        \
      "flow group's start_flow_index is behind its end_flow_index")           \
    X(GROUP_OUT_OF_TABLE, FT_GROUP_RANGE,                                     \
      "flow group's end_flow_index is outside its flow table")                \
    X(GROUP_OVERLAP, FT_GROUP_OVERLAP,                                        \
      "flow group overlaps another one of its flow table")                    \
    X(TOO_MANY_GROUPS, FT_GROUP_LIMIT,                                        \
      "no flow group left within the limit per flow table")                   \
    X(NO_GROUP, FT_NO_SUCH_GROUP,                                             \
      "no flow group with this group_id in this flow table")                  \
    X(GROUP_HAS_ENTRIES, FT_GROUP_IN_USE,                                     \
      "flow group still has flow table entries")                              \
    X(INDEX_OUT_OF_GROUP, FT_BAD_INDEX,                                       \
      "flow_index is outside the flow group")                                 \
    X(INDEX_BUSY, FT_INDEX_BUSY, "flow_index already holds an entry")         \
    X(NO_ENTRY, FT_NO_SUCH_ENTRY, "flow_index holds no entry")                \
    X(GROUP_MISMATCH, FT_GROUP_MISMATCH,                                      \
      "the entry at flow_index belongs to another flow group")                \
    X(TOO_MANY_ENTRIES, FT_ENTRY_LIMIT,                                       \
      "no flow table entry left within the advertised limit")                 \
    X(UNKNOWN_ACTION, FT_BAD_ACTION,                                          \
      "flow_context.action has bits that are not known")                      \
    X(BAD_ACTION, FT_BAD_ACTION,                                              \
      "flow_context.action needs exactly one of DROP and FWD_DEST")           \
    X(NO_DESTINATION, FT_NO_DESTINATION,                                      \
      "flow_context.action FWD_DEST with an empty destination list")          \
    X(EXCESS_DESTINATION, FT_EXCESS_DESTINATION,                              \
      "destination list without flow_context.action FWD_DEST")                \
    X(TOO_MANY_DESTINATIONS, FT_DESTINATION_LIMIT,                            \
      "destination list longer than 64")                                      \
    X(BAD_DESTINATION_TYPE, FT_BAD_DESTINATION,                               \
      "destination_type is neither flow table nor TIR")                       \
    X(NO_DESTINATION_TABLE, FT_NO_DESTINATION_TABLE,                          \
      "no flow table with this destination_id")                               \
    X(NO_DESTINATION_TIR, NO_SUCH_TIR, "no TIR with this destination_id")     \
    X(NO_COUNTER, FT_NO_COUNTER,                                              \
      "flow_context.action COUNT with an empty counter list")                 \
    X(EXCESS_COUNTER, FT_EXCESS_COUNTER,                                      \
      "counter list without flow_context.action COUNT")                       \
    X(TOO_MANY_COUNTERS, FT_COUNTER_LIMIT, "counter list longer than 8")      \
    X(BAD_COUNTER, NO_SUCH_FLOW_COUNTER,                                      \
      "no flow counter with this flow_counter_id")                            \
    X(BAD_FLOW_TAG, FT_BAD_FLOW_TAG, "flow_tag is wider than 24 bits")        \
    X(NO_MEMORY, MEMORY_LIMIT, "no memory left for it")                       \
    X(BAD_MODIFY_MASK, FT_BAD_MODIFY_MASK,                                    \
      "modify_enable_mask has bits that are not known")                       \
    X(BAD_MODIFY_ACTION, MODIFY_BAD_ACTION,                                   \
      "action_type is neither SET nor ADD")                                   \
    X(BAD_MODIFY_FIELD, MODIFY_BAD_FIELD,                                     \
      "this field of the packet cannot be modified")                          \
    X(BAD_MODIFY_RANGE, MODIFY_BAD_RANGE,                                     \
      "set_action_in.offset and length leave the field")                      \
    X(TOO_MANY_MODIFY_ACTIONS, MODIFY_ACTION_LIMIT,                           \
      "modify header context without or with too many actions")               \
    X(TOO_MANY_MODIFIES, MODIFY_LIMIT,                                        \
      "no modify header context left within the advertised limit")            \
    X(NO_MODIFY, NO_SUCH_MODIFY_HEADER,                                       \
      "no modify header context with this modify_header_id")                  \
    X(EXCESS_MODIFY, FT_EXCESS_MODIFY,                                        \
      "modify_header_id without flow_context.action MOD_HDR")                 \
    X(MODIFY_IN_USE, MODIFY_IN_USE,                                           \
      "a flow table entry has this modify header context")

typedef enum Mlx5SteeringError {
#define MLX5_STEERING_ENUM(name, syndrome, text) MLX5_STEERING_##name,
    MLX5_STEERING_ERRORS(MLX5_STEERING_ENUM)
#undef MLX5_STEERING_ENUM
    MLX5_STEERING_N_ERRORS
} Mlx5SteeringError;

const char *mlx5_steering_strerror(Mlx5SteeringError err);

typedef struct Mlx5Steering Mlx5Steering;

/* Limits, from the advertised capabilities. */
typedef struct Mlx5SteeringLimits {
    uint32_t max_tables;            /* live tables */
    uint32_t max_ftes;              /* live entries in all tables */
    uint32_t max_groups_per_table;
    uint8_t max_log_size;           /* of a table, at most 31 */
    uint32_t max_modifies;          /* live modify header contexts */
    uint32_t max_modify_actions;    /* of one such context */
} Mlx5SteeringLimits;

/* Objects outside the engine that an entry refers to. */
typedef enum Mlx5SteeringRef {
    MLX5_STEERING_REF_TIR,
    MLX5_STEERING_REF_COUNTER,
} Mlx5SteeringRef;

/*
 * Reference counting for TIRs and flow counters. `get` takes a reference and
 * returns false if there is no such object; `put` releases one. Each get has
 * its put: on delete, on a modify that drops the reference, on reset and free.
 * An id listed twice is referenced twice. NULL members accept everything.
 */
typedef struct Mlx5SteeringOps {
    bool (*get)(void *opaque, Mlx5SteeringRef kind, uint32_t id);
    void (*put)(void *opaque, Mlx5SteeringRef kind, uint32_t id);
    /*
     * Charges `bytes` of heap; returns false if that exceeds the limit.
     * `uncharge` credits them, also on reset and free. The figures are upper
     * bounds that include the overhead of malloc and GLib.
     */
    bool (*charge)(void *opaque, size_t bytes);
    void (*uncharge)(void *opaque, size_t bytes);
} Mlx5SteeringOps;

/*
 * limits is copied; ops (may be NULL) must outlive the object. Free also
 * releases all references.
 */
Mlx5Steering *mlx5_steering_new(const Mlx5SteeringLimits *limits,
                                const Mlx5SteeringOps *ops, void *opaque);
void mlx5_steering_free(Mlx5Steering *s);

/*
 * Drops all tables, groups, entries and the root, regardless of references; ids
 * start over.
 */
void mlx5_steering_reset(Mlx5Steering *s);

typedef struct Mlx5SteeringCounts {
    uint32_t tables;
    uint32_t groups;
    uint32_t ftes;
    uint64_t compares;              /* of values, since creation */
} Mlx5SteeringCounts;

/* Live objects, and the cost of creating them. */
void mlx5_steering_counts(const Mlx5Steering *s, Mlx5SteeringCounts *out);

/*
 * flow_table_context and table_type of CREATE_FLOW_TABLE (driver: fs_cmd.c,
 * mlx5_cmd_create_flow_table).
 */
typedef struct Mlx5FlowTableAttr {
    uint8_t table_type;
    uint8_t level;                  /* stored, not enforced */
    uint8_t log_size;               /* indices 0 .. 2^log_size - 1 */
    uint8_t table_miss_action;      /* MLX5_FLOW_TABLE_MISS_ACTION_* */
    uint32_t table_miss_id;         /* with FWD */
} Mlx5FlowTableAttr;

/* Ids are 24 bits wide, never 0, and not reused soon after a destroy. */
Mlx5SteeringError mlx5_steering_table_create(Mlx5Steering *s,
                                             const Mlx5FlowTableAttr *attr,
                                             uint32_t *table_id);

/*
 * MODIFY_FLOW_TABLE with MLX5_MODIFY_FLOW_TABLE_MISS_TABLE_ID (driver:
 * fs_cmd.c, mlx5_cmd_modify_flow_table).
 */
Mlx5SteeringError mlx5_steering_table_modify_miss(Mlx5Steering *s,
                                                  uint32_t table_id,
                                                  uint8_t table_miss_action,
                                                  uint32_t table_miss_id);

/*
 * Refused while the table has groups, or an entry or miss action of another
 * table leads to it. The root may be destroyed, which leaves no root.
 * (fs_core.c, disconnect_flow_table, redirects the miss actions before it
 * destroys a table, and leaves the last root set.)
 */
Mlx5SteeringError mlx5_steering_table_destroy(Mlx5Steering *s,
                                              uint32_t table_id);

/*
 * SET_FLOW_TABLE_ROOT with op_mod 0, and with op_mod 1 (disconnect: every
 * packet misses).
 */
Mlx5SteeringError mlx5_steering_root_set(Mlx5Steering *s, uint32_t table_id);
void mlx5_steering_root_clear(Mlx5Steering *s);

/* Returns the root's id, or 0 if there is none. */
uint32_t mlx5_steering_root(const Mlx5Steering *s);

/* create_flow_group_in (driver: fs_core.c, mlx5_create_flow_group). */
typedef struct Mlx5FlowGroupAttr {
    uint32_t start_flow_index;      /* both inclusive */
    uint32_t end_flow_index;
    uint8_t match_criteria_enable;  /* MLX5_MATCH_*_HEADERS */
    /*
     * fte_match_param, MLX5_FTE_MATCH_PARAM_LEN bytes. A section that
     * match_criteria_enable leaves out is ignored; of the others every bit must
     * belong to a field (bits 0xc2..0xcf and 0xd4..0xd7 belong to none).
     */
    const uint8_t *match_criteria;
} Mlx5FlowGroupAttr;

Mlx5SteeringError mlx5_steering_group_create(Mlx5Steering *s, uint32_t table_id,
                                             const Mlx5FlowGroupAttr *attr,
                                             uint32_t *group_id);
Mlx5SteeringError mlx5_steering_group_destroy(Mlx5Steering *s,
                                              uint32_t table_id,
                                              uint32_t group_id);

typedef struct Mlx5FlowDestination {
    uint8_t type;                   /* MLX5_FLOW_DESTINATION_TYPE_* */
    uint32_t id;                    /* table_id or tirn */
} Mlx5FlowDestination;

/* flow_context (driver: fs_cmd.c, mlx5_cmd_set_fte). Everything is copied. */
typedef struct Mlx5FteAttr {
    uint32_t group_id;
    uint32_t flow_tag;              /* 24 bits */
    uint16_t action;                /* MLX5_FLOW_CONTEXT_ACTION_* */
    uint32_t destination_list_size;
    const Mlx5FlowDestination *destination;
    uint32_t flow_counter_list_size;
    const uint32_t *flow_counter;
    uint32_t modify_header_id;      /* with MOD_HDR, else 0; set with action */
    /*
     * fte_match_param; bits outside the group's mask are ignored. Not read by
     * modify.
     */
    const uint8_t *match_value;
} Mlx5FteAttr;

/* SET_FLOW_TABLE_ENTRY, op_mod 0: a new entry; the index must be free. */
Mlx5SteeringError mlx5_steering_fte_set(Mlx5Steering *s, uint32_t table_id,
                                        uint32_t flow_index,
                                        const Mlx5FteAttr *attr);

/*
 * SET_FLOW_TABLE_ENTRY, op_mod 1: change the parts of a live entry selected by
 * modify_enable_mask, all of them or, on error, none. The match value stays.
 * group_id must be that of the entry.
 *
 * FWD_DEST or COUNT with an empty list is allowed here, unlike in a new entry:
 * to remove the last destination of a rule, the driver sends a mask with only
 * DESTINATION_LIST (fs_core.c, del_sw_hw_rule). An entry with an empty list
 * drops. A list not selected by the mask is kept even if its action bit is
 * cleared, and takes effect again when the bit is set.
 */
Mlx5SteeringError mlx5_steering_fte_modify(Mlx5Steering *s, uint32_t table_id,
                                           uint32_t flow_index,
                                           uint8_t modify_enable_mask,
                                           const Mlx5FteAttr *attr);

/* DELETE_FLOW_TABLE_ENTRY. */
Mlx5SteeringError mlx5_steering_fte_delete(Mlx5Steering *s, uint32_t table_id,
                                           uint32_t flow_index);

/* How the path of a packet ended. */
typedef enum Mlx5SteeringVerdict {
    MLX5_STEERING_DROP_NO_ROOT = 0, /* there is no root table */
    MLX5_STEERING_DROP_MISS,        /* no match, with the default miss action */
    MLX5_STEERING_DROP_RULE,        /* entry with DROP or no destination */
    MLX5_STEERING_DROP_LOOP,        /* ended by MLX5_STEERING_MAX_VISITS */
    MLX5_STEERING_DROP_PROBES,      /* MLX5_STEERING_MAX_PROBES were not
                                     * enough */
    MLX5_STEERING_DELIVER,          /* n_tirs > 0 */
} Mlx5SteeringVerdict;

typedef struct Mlx5SteeringTir {
    uint32_t tirn;
    uint32_t flow_tag;              /* of the entry that named this TIR */
    uint32_t metadata;              /* register B; 0 if not set by any entry */
    bool rewritten;                 /* the packet was modified: */
    uint8_t image[MLX5_FTE_MATCH_OUTER_LEN];    /* for
                                                 * mlx5_steering_rewrite() */
} Mlx5SteeringTir;

/*
 * The result of a lookup. With several destinations, each TIR is listed once
 * per path, in list order, depth first. If any is reached, the verdict is
 * DELIVER, else it is that of the last path. DROP_PROBES applies to the whole
 * packet, even if it had reached a TIR.
 */
typedef struct Mlx5SteeringResult {
    Mlx5SteeringVerdict verdict;
    bool cut;                       /* a per-packet limit was hit */
    uint32_t visits;                /* tables looked into, */
    uint32_t probes;                /* their groups searched, */
    uint32_t compares;              /* keys compared */
    /*
     * The entry that named the first TIR, or else the end of the last path: 0
     * if none, with UINT32_MAX as entry after a miss.
     */
    uint32_t last_table;
    uint32_t last_index;
    uint32_t n_tirs;
    uint32_t n_counters;
    Mlx5SteeringTir tir[MLX5_STEERING_MAX_TIRS];
    /*
     * Flow counters of all matched entries with COUNT, in order of match; the
     * caller adds one packet and its bytes to each.
     */
    uint32_t counter[MLX5_STEERING_MAX_COUNTERS];
} Mlx5SteeringResult;

/*
 * pkt is the parse of frame, with its VLAN tags. Of the arrays in @out, only
 * the elements covered by the counts are written.
 */
void mlx5_steering_lookup(const Mlx5Steering *s, const Mlx5Packet *pkt,
                          const uint8_t *frame, Mlx5SteeringResult *out);

/*
 * The same for a packet that may carry another: @inner is the parse of that
 * (mlx5_parse_inner()), or NULL. The inner headers of a packet that carries
 * none are all zeros: only an entry that asks for no bit of them matches.
 * Modify actions change the outer headers alone.
 */
void mlx5_steering_lookup_inner(const Mlx5Steering *s, const Mlx5Packet *pkt,
                                const Mlx5Packet *inner, const uint8_t *frame,
                                Mlx5SteeringResult *out);

/*
 * The packet as fte_match_set_lyr_2_4 sees it, MLX5_FTE_MATCH_OUTER_LEN bytes
 * in PRM (big-endian) layout:
 * - ethertype is the one behind the VLAN tags; first_prio/cfi/vid, cvlan_tag
 *   (0x8100) and svlan_tag (0x88a8) are those of the outermost tag;
 * - ip_protocol of IPv6 is the last one of the header chain;
 * - IPv4 addresses are in the last four bytes of their field;
 * - ports, tcp_flags and l4_type are only set if that header is present and
 *   complete, so never for later fragments.
 */
void mlx5_steering_match_image(const Mlx5Packet *pkt, const uint8_t *frame,
                               uint8_t image[MLX5_FTE_MATCH_OUTER_LEN]);

#endif
