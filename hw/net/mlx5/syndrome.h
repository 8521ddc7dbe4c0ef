/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All reasons for which the device refuses a command.
 *
 * A command handler returns an Mlx5Syndrome; MLX5_OK is success. The list below
 * gives each syndrome its PRM command status (which the driver turns into an
 * errno) and the sentence shown in the trace. The 32-bit number that the driver
 * prints as "syndrome (0x...)" is MLX5_SYNDROME_BASE plus the position in the
 * list, so it identifies one line here. Add new lines at the end: numbers are
 * quoted in bug reports.
 */
#ifndef HW_NET_MLX5_SYNDROME_H
#define HW_NET_MLX5_SYNDROME_H

#include <stdbool.h>
#include <stdint.h>

/* Command status, outbox byte 0 (PRM "command return status"). */
typedef enum Mlx5Status {
    MLX5_STATUS_OK = 0x00,
    MLX5_STATUS_INTERNAL = 0x01,
    MLX5_STATUS_BAD_OP = 0x02,
    MLX5_STATUS_BAD_PARAM = 0x03,
    MLX5_STATUS_BAD_SYS_STATE = 0x04,
    MLX5_STATUS_BAD_RES = 0x05,
    MLX5_STATUS_RES_BUSY = 0x06,
    MLX5_STATUS_EXCEED_LIM = 0x08,
    MLX5_STATUS_BAD_RES_STATE = 0x09,
    MLX5_STATUS_BAD_INDEX = 0x0a,
    MLX5_STATUS_NO_RES = 0x0f,
    MLX5_STATUS_BAD_INPUT_LEN = 0x50,
    MLX5_STATUS_BAD_OUTPUT_LEN = 0x51,
} Mlx5Status;

#define MLX5_SYNDROME_BASE 0x4b540000u /* "KT" */

/* X(name, status, sentence) */
#define MLX5_SYNDROMES(X)                                                     \
    X(OK, OK, "success")                                                      \
    /* the validator */                                                       \
    X(UNKNOWN_OPCODE, BAD_OP, "no such command")                              \
    X(INPUT_TOO_SHORT, BAD_INPUT_LEN, "input shorter than the command needs") \
    X(OUTPUT_TOO_SHORT, BAD_OUTPUT_LEN, "output buffer too short")            \
    X(BAD_OP_MOD, BAD_OP, "op_mod not known for this command")                \
    X(HCA_NOT_ENABLED, BAD_SYS_STATE, "ENABLE_HCA has not been given")        \
    X(HCA_NOT_INITIALIZED, BAD_SYS_STATE, "INIT_HCA has not been given")      \
    X(HCA_ALREADY_ENABLED, BAD_SYS_STATE, "the HCA is already enabled")       \
    X(HCA_ALREADY_INITIALIZED, BAD_SYS_STATE, "INIT_HCA was already given")   \
    X(CMD_EQ_TRANSITION, BAD_SYS_STATE, "command not allowed now")            \
    X(OTHER_FUNCTION, BAD_PARAM, "other functions do not exist here")         \
    X(OTHER_VPORT, BAD_PARAM, "other vports do not exist here")               \
    /* ids */                                                                 \
    X(NO_SUCH_UAR, BAD_RES, "no such UAR")                                    \
    X(NO_SUCH_PD, BAD_RES, "no such protection domain")                       \
    X(NO_SUCH_TD, BAD_RES, "no such transport domain")                        \
    X(NO_SUCH_MKEY, BAD_RES, "no such memory key")                            \
    X(NO_SUCH_EQ, BAD_RES, "no such event queue")                             \
    X(NO_SUCH_CQ, BAD_RES, "no such completion queue")                        \
    X(NO_SUCH_SQ, BAD_RES, "no such send queue")                              \
    X(NO_SUCH_RQ, BAD_RES, "no such receive queue")                           \
    X(NO_SUCH_RQT, BAD_RES, "no such receive queue table")                    \
    X(NO_SUCH_TIR, BAD_RES, "no such TIR")                                    \
    X(NO_SUCH_TIS, BAD_RES, "no such TIS")                                    \
    X(NO_SUCH_DEK, BAD_RES, "no such encryption key")                         \
    X(NO_SUCH_Q_COUNTER, BAD_RES, "no such queue counter set")                \
    X(NO_SUCH_FLOW_COUNTER, BAD_RES, "no such flow counter")                  \
    X(WRONG_OWNER, BAD_RES, "the object belongs to another uid")              \
    X(OBJECT_IN_USE, RES_BUSY, "other objects still refer to this one")       \
    X(OBJECT_LIMIT, EXCEED_LIM, "as many of these exist as was advertised")   \
    /* rings */                                                               \
    X(RING_TOO_LARGE, EXCEED_LIM, "queue larger than advertised")             \
    X(RING_PAGE_SIZE, BAD_PARAM, "page size or page offset not usable")       \
    X(RING_PAS_MISSING, BAD_INPUT_LEN, "fewer page addresses than the queue") \
    X(RING_PAS_UNALIGNED, BAD_PARAM, "page address not aligned")              \
    X(DBR_UNALIGNED, BAD_PARAM, "doorbell record address not aligned")        \
    X(UMEM_UNSUPPORTED, BAD_PARAM, "user memory objects are not supported")   \
    X(EQ_BAD_VECTOR, BAD_PARAM, "no such MSI-X vector")                       \
    X(CQ_BAD_CQE_SIZE, BAD_PARAM, "only 64-byte CQEs are supported")          \
    X(CQ_COMPRESSION, BAD_PARAM, "CQE compression is not supported")          \
    X(WQ_BAD_TYPE, BAD_PARAM, "work queues of this type are not supported")   \
    X(WQ_BAD_STRIDE, BAD_PARAM, "work queue stride outside the limits")       \
    X(WQ_HAIRPIN, BAD_PARAM, "hairpin queues are not supported")              \
    X(WQ_BAD_STATE, BAD_RES_STATE, "state transition not allowed")            \
    X(WQ_STATE_MISMATCH, BAD_RES_STATE, "the queue is not in that state")     \
    X(SQ_BAD_TIS_LIST, BAD_PARAM, "more than one TIS in the list")            \
    X(RQ_NO_RMP, BAD_PARAM, "RMP-backed receive queues are not supported")    \
    X(RQ_SCATTER_FCS, BAD_PARAM, "scattering the FCS is not supported")       \
    /* RQT, TIR, TIS, mkey */                                                 \
    X(RQT_TOO_LARGE, EXCEED_LIM, "table larger than log_max_rqt_size")        \
    X(RQT_BAD_SIZE, BAD_PARAM, "actual size zero, above max or no power of 2") \
    X(TIR_BAD_DISP, BAD_PARAM, "disp_type is neither direct nor indirect")    \
    X(TIR_BAD_HASH, BAD_PARAM, "hash function not known")                     \
    X(TIR_TLS_OFF, BAD_PARAM, "tls_en without the tls_rx capability")         \
    X(TIR_LRO, BAD_PARAM, "packet merging of this kind is not supported")     \
    X(TIR_LRO_SIZE, BAD_PARAM, "lro_max_ip_payload_size is 0")                \
    X(TIS_TLS_OFF, BAD_PARAM, "tls_en without the tls_tx capability")         \
    X(MKEY_BAD_MODE, BAD_PARAM, "memory key access mode not supported")       \
    X(MKEY_NOT_LENGTH64, BAD_PARAM, "physical memory keys need length64")     \
    X(MODIFY_NOTHING_KNOWN, BAD_PARAM, "a bit of modify_bitmask is not known") \
    /* capabilities */                                                        \
    X(CAP_UNKNOWN_TYPE, BAD_PARAM, "no such capability page")                 \
    X(CAP_NOT_SETTABLE, BAD_PARAM, "this capability page cannot be set")      \
    X(CAP_ABOVE_MAX, BAD_PARAM, "a capability was set above its maximum")     \
    X(ISSI_UNSUPPORTED, BAD_PARAM, "this ISSI is not supported")              \
    X(TEARDOWN_PROFILE, BAD_PARAM, "teardown profile not supported")          \
    X(PAGES_COUNT, BAD_PARAM, "page list longer than the input")              \
    /* registers, vport */                                                    \
    X(REG_UNKNOWN, BAD_PARAM, "no such register")                             \
    X(REG_READ_ONLY, BAD_PARAM, "this register cannot be written")            \
    X(REG_WRITE_ONLY, BAD_PARAM, "this register cannot be read")              \
    X(REG_BAD_PORT, BAD_PARAM, "no such local_port")                          \
    X(REG_BAD_VALUE, BAD_PARAM, "register value outside its range")           \
    X(VPORT_BAD_FIELD, BAD_PARAM, "a bit of field_select is not known")       \
    X(VPORT_LIST_TYPE, BAD_PARAM, "no such address list")                     \
    X(VPORT_LIST_TOO_LONG, EXCEED_LIM, "address list longer than advertised") \
    X(VPORT_BAD_MTU, BAD_PARAM, "MTU outside the port's range")               \
    /* flow steering */                                                       \
    X(FT_BAD_TYPE, BAD_PARAM, "only NIC receive flow tables exist")           \
    X(FT_NO_SUCH_TABLE, BAD_RES, "no such flow table")                        \
    X(FT_NO_SUCH_GROUP, BAD_RES, "no such flow group")                        \
    X(FT_NO_SUCH_ENTRY, BAD_RES, "no such flow table entry")                  \
    X(FT_TOO_LARGE, EXCEED_LIM, "flow table larger than log_max_ft_size")     \
    X(FT_LIMIT, EXCEED_LIM, "as many flow tables exist as was advertised")    \
    X(FT_IN_USE, RES_BUSY, "the flow table is a destination or the root")     \
    X(FT_GROUP_RANGE, BAD_PARAM, "group indices outside the table")           \
    X(FT_GROUP_OVERLAP, BAD_PARAM, "group overlaps another one")              \
    X(FT_GROUP_IN_USE, RES_BUSY, "the flow group still has entries")          \
    X(FT_BAD_CRITERIA, BAD_PARAM, "match criteria that are not supported")    \
    X(FT_BAD_INDEX, BAD_INDEX, "flow_index outside the group")                \
    X(FT_INDEX_BUSY, RES_BUSY, "an entry already exists at flow_index")       \
    X(FT_BAD_ACTION, BAD_PARAM, "flow action not supported")                  \
    X(FT_BAD_DESTINATION, BAD_PARAM, "flow destination not supported")        \
    X(FT_BAD_MISS, BAD_PARAM, "table miss action not supported")              \
    X(FT_BAD_LIST, BAD_INPUT_LEN, "destination list longer than the input")   \
    X(FLOW_COUNTER_LIMIT, EXCEED_LIM, "no flow counters left")                \
    X(FLOW_COUNTER_RANGE, BAD_PARAM, "flow counter range not allocated")      \
    /* encryption keys */                                                     \
    X(OBJ_BAD_TYPE, BAD_PARAM, "general object type not supported")           \
    X(DEK_BAD_SIZE, BAD_PARAM, "key_size is neither 128 nor 256 bits")        \
    X(DEK_BAD_PURPOSE, BAD_PARAM, "key_purpose is not TLS")                   \
    X(DEK_RANGE, EXCEED_LIM, "log_obj_range above log_dek_max_alloc")         \
    X(DEK_LIMIT, EXCEED_LIM, "no encryption keys left")                       \
    X(DEK_BAD_OFFSET, BAD_PARAM, "obj_offset outside the allocated range")    \
    X(DEK_WRAPPED, BAD_PARAM, "wrapped keys are not supported")               \
    X(DEK_MODIFY_FIELD, BAD_PARAM, "modify_field_select does not name key")   \
    X(DEK_NO_CAP, BAD_OP, "the capability for this is not advertised")        \
    X(SYNC_CRYPTO_TYPE, BAD_PARAM, "crypto_type not supported")               \
    /* registers, vport, more */                                              \
    X(REG_BAD_ARGUMENT, BAD_PARAM, "this register takes no argument")         \
    X(REG_TOO_SHORT, BAD_INPUT_LEN, "register data too short")                \
    X(REG_TOO_SHORT_OUT, BAD_OUTPUT_LEN, "no room for the register's data")   \
    X(REG_BAD_GROUP, BAD_PARAM, "no such group or page in this register")     \
    X(REG_UNSUPPORTED_FIELD, BAD_PARAM, "unsupported register field set")     \
    X(VPORT_BAD_STATE, BAD_PARAM, "admin_state not down, up or follow")       \
    X(VPORT_BAD_INLINE, BAD_PARAM, "no inline headers are needed here")       \
    X(VPORT_LIST_SHORT, BAD_INPUT_LEN, "address list longer than the input")  \
    X(VPORT_BAD_MAC, BAD_PARAM, "permanent_address is not unicast")           \
    X(Q_COUNTER_AGGREGATE, BAD_PARAM, "queue counters cannot be aggregated")  \
    /* flow steering, more */                                                 \
    X(FT_BAD_CONTEXT, BAD_PARAM, "unsupported flow_table_context field set")  \
    X(FT_HAS_GROUPS, RES_BUSY, "the flow table still has flow groups")        \
    X(FT_BAD_GROUP_TYPE, BAD_PARAM, "flow group type not supported")          \
    X(FT_GROUP_LIMIT, EXCEED_LIM, "no flow group left in this table")         \
    X(FT_GROUP_MISMATCH, BAD_PARAM, "the entry is of another flow group")     \
    X(FT_ENTRY_LIMIT, EXCEED_LIM, "no flow table entry left")                 \
    X(FT_BAD_FLOW_CONTEXT, BAD_PARAM, "unsupported flow_context field set")   \
    X(FT_BAD_FLOW_TAG, BAD_PARAM, "flow_tag is wider than 24 bits")           \
    X(FT_NO_DESTINATION, BAD_PARAM, "forward action without a destination")   \
    X(FT_EXCESS_DESTINATION, BAD_PARAM, "destinations without forward action") \
    X(FT_DESTINATION_LIMIT, EXCEED_LIM, "too many destinations in an entry")  \
    X(FT_NO_DESTINATION_TABLE, BAD_RES, "no such destination flow table")     \
    X(FT_NO_COUNTER, BAD_PARAM, "count action without a flow counter")        \
    X(FT_EXCESS_COUNTER, BAD_PARAM, "flow counters without the count action") \
    X(FT_COUNTER_LIMIT, EXCEED_LIM, "too many flow counters in an entry")     \
    X(FT_BAD_MODIFY_MASK, BAD_PARAM, "unknown bit in modify_enable_mask")     \
    X(FT_BAD_MODIFY_FIELD, BAD_PARAM, "modify_field_select not miss table")   \
    X(FT_UNDERLAY, BAD_PARAM, "underlay QPs and foreign tables do not exist") \
    X(FLOW_COUNTER_BULK, BAD_PARAM, "flow counters are allocated one by one") \
    X(FLOW_COUNTER_IN_USE, RES_BUSY, "an entry uses this flow counter") \
    X(CQ_COLLAPSED, BAD_PARAM, "collapsed CQs are not supported")             \
    X(EQ_BAD_FLAGS, BAD_PARAM, "eqc.oi and eqc.ec are not supported")         \
    X(PAGES_UNASKED, BAD_PARAM, "pages that the device has not asked for")    \
    X(MEMORY_LIMIT, EXCEED_LIM, "no memory left within memory-limit")         \
    X(MODIFY_BAD_ACTION, BAD_PARAM, "modify header action not SET or ADD")    \
    X(MODIFY_BAD_FIELD, BAD_PARAM, "this field cannot be modified")           \
    X(MODIFY_BAD_RANGE, BAD_PARAM, "offset and length leave the field")       \
    X(MODIFY_ACTION_LIMIT, BAD_PARAM, "no modify actions, or too many")       \
    X(MODIFY_LIMIT, EXCEED_LIM, "no modify header context left")              \
    X(NO_SUCH_MODIFY_HEADER, BAD_RES, "no such modify header context")        \
    X(FT_EXCESS_MODIFY, BAD_PARAM, "modify_header_id without its action")     \
    X(MODIFY_IN_USE, RES_BUSY, "an entry uses this modify header context")    \
    /* non-volatile configuration */                                          \
    X(NV_UNKNOWN, BAD_PARAM, "no such configuration item")                    \
    X(NV_LENGTH, BAD_PARAM, "length is not that of the configuration item")   \
    X(NV_READ_ONLY, BAD_PARAM, "this configuration item cannot be written")  \
    X(VXLAN_PORT_0, BAD_PARAM, "0 is no port for VXLAN")                      \
    X(VXLAN_PORT_LIMIT, EXCEED_LIM, "no place left for a VXLAN port")         \
    X(NO_SUCH_VXLAN_PORT, BAD_RES, "no such VXLAN port has been added")       \
    /* memory keys, more */                                                   \
    X(MKEY_BSF, BAD_PARAM, "keys with signatures are not supported")          \
    X(MKEY_BAD_ENTITY, BAD_PARAM, "log_page_size outside the mode's limits")  \
    X(MKEY_TOO_LARGE, EXCEED_LIM, "more than 65536 octowords of translations") \
    X(MKEY_LIST_LONG, BAD_PARAM, "more translations given than fit the key")  \
    X(MKEY_LIST_MISSING, BAD_INPUT_LEN, "fewer translations than announced")  \
    X(MKEY_WRAPS, BAD_PARAM, "start_addr plus len is beyond 2^64")            \
    X(CQ_BAD_MINI_CQE, BAD_PARAM,                                             \
      "mini CQE format or compression layout that is not announced")

typedef enum Mlx5Syndrome {
#define MLX5_SYNDROME_ENUM(name, status, text) MLX5_SYN_##name,
    MLX5_SYNDROMES(MLX5_SYNDROME_ENUM)
#undef MLX5_SYNDROME_ENUM
    MLX5_SYN__COUNT
} Mlx5Syndrome;

#define MLX5_OK MLX5_SYN_OK

/* PAGES_COUNT is unused; it stays so that later numbers do not change. */

/* Returns the PRM status of a syndrome. */
Mlx5Status mlx5_syndrome_status(Mlx5Syndrome s);
/* Returns the 32-bit number that the driver prints; 0 for MLX5_OK. */
uint32_t mlx5_syndrome_number(Mlx5Syndrome s);
/*
 * Returns whether the syndrome means "not implemented here", although a real
 * card might support it.
 */
bool mlx5_syndrome_unimplemented(Mlx5Syndrome s);
/* Returns the sentence, never NULL. */
const char *mlx5_syndrome_text(Mlx5Syndrome s);

#endif
