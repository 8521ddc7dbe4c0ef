/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All counters of the device, one list for each owner:
 *
 *     X(field, "name", "what it counts")
 *
 * Each row defines the field of the struct and the entry in the property
 * "counters" (introspect.c; not shown there if the name is NULL), and appears
 * word for word in the table in docs/observing.md. To add a counter, add a row
 * here, a row there, and the code that counts.
 *
 * Counters do not wrap; a command with a narrower field returns the low bits.
 */
#ifndef HW_NET_MLX5_COUNTERS_H
#define HW_NET_MLX5_COUNTERS_H

#define MLX5_COUNTER_FIELD(field, name, about) uint64_t field;

enum { MLX5_CAST_UNI, MLX5_CAST_MULTI, MLX5_CAST_BROAD, MLX5_CAST__COUNT };

/* RX or TX side of QUERY_VPORT_COUNTER. */
typedef struct Mlx5TrafficCounter {
    uint64_t packets;
    uint64_t octets;
} Mlx5TrafficCounter;

static inline void mlx5_count(Mlx5TrafficCounter *c, size_t octets)
{
    c->packets++;
    c->octets += octets;
}

/* ------------------------------------------------------------ the wire --- */

#define MLX5_PORT_COUNTERS(X) \
    X(rx_no_driver, "rx_no_driver", \
      "frames received before a driver initialized the HCA") \
    X(rx_asleep, "rx_asleep", "frames received in D3hot") \
    X(rx_link_down, "rx_link_down", "frames refused: the link was down") \
    X(rx_too_long, "rx_too_long", \
      "frames refused: longer than the MTU in force") \
    X(rx_too_short, "rx_too_short", \
      "frames refused: shorter than an Ethernet header") \
    X(rx_held, "rx_held", "times that a frame was deferred for lack of a WQE") \
    X(tx_link_down, "tx_link_down", "frames dropped: no link or no backend") \
    X(tx_too_long, "tx_too_long", \
      "frames dropped: longer than the MTU in force") \
    X(tx_blocked, "tx_blocked", "times that the backend was full") \
    X(rx_mac_control, "rx_mac_control", \
      "MAC control frames from the wire (type 0x8808)") \
    X(rx_pause, "rx_pause", "of them: PAUSE") \
    X(rx_unsupported_op, "rx_unsupported_op", \
      "of them: another operation than PAUSE") \
    X(tx_mac_control, "tx_mac_control", \
      "MAC control frames to the backend, all sent by the driver") \
    X(tx_pause, "tx_pause", "of them: PAUSE") \
    X(link_down_events, "link_down_events", "times that the link went down")

/* Elements of arrays in the same struct. */
#define MLX5_PORT_CAST_COUNTERS(X) \
    X(rx[MLX5_CAST_UNI].packets, "rx_unicast_packets", \
      "unicast frames from the wire") \
    X(rx[MLX5_CAST_MULTI].packets, "rx_multicast_packets", \
      "multicast frames from the wire") \
    X(rx[MLX5_CAST_BROAD].packets, "rx_broadcast_packets", \
      "broadcast frames from the wire") \
    X(tx[MLX5_CAST_UNI].packets, "tx_unicast_packets", \
      "unicast frames to the backend") \
    X(tx[MLX5_CAST_MULTI].packets, "tx_multicast_packets", \
      "multicast frames to the backend") \
    X(tx[MLX5_CAST_BROAD].packets, "tx_broadcast_packets", \
      "broadcast frames to the backend")

/* Also reported by PPCNT. */
typedef struct Mlx5PortCounters {
    Mlx5TrafficCounter rx[MLX5_CAST__COUNT];
    Mlx5TrafficCounter tx[MLX5_CAST__COUNT];
    uint64_t rx_size[10];   /* RFC 2819 histogram, see port.c */
    MLX5_PORT_COUNTERS(MLX5_COUNTER_FIELD)
} Mlx5PortCounters;

/* ----------------------------------------------------------- the vport --- */

#define MLX5_VPORT_COUNTERS(X) \
    X(rx_steer_miss, "rx_steer_miss", "frames that matched no flow entry") \
    X(rx_steer_drop, "rx_steer_drop", "frames that a flow entry dropped") \
    X(rx_steer_costly, "rx_steer_costly", \
      "frames dropped: too many probes of flow groups") \
    X(rx_no_queue, "rx_no_queue", \
      "copies of frames for a queue that is not running") \
    X(rx_out_of_buffer, "rx_out_of_buffer", \
      "copies of frames dropped for lack of a WQE") \
    X(rx_lro_packets, "rx_lro_packets", \
      "packets delivered that were joined from several frames") \
    X(rx_lro_segments, "rx_lro_segments", "the frames in rx_lro_packets") \
    X(rx_wqe_error, "rx_wqe_error", \
      "receive WQEs that failed: too short, bad key, bad address") \
    X(rx_cq_error, "rx_cq_error", \
      "completions lost because the CQ was full") \
    X(tx_wqe_error, "tx_wqe_error", "send WQEs that failed")

/* Also reported by QUERY_VPORT_COUNTER, which may clear them. */
typedef struct Mlx5VportCounters {
    Mlx5TrafficCounter rx[MLX5_CAST__COUNT];
    Mlx5TrafficCounter tx[MLX5_CAST__COUNT];
    MLX5_VPORT_COUNTERS(MLX5_COUNTER_FIELD)
} Mlx5VportCounters;

#define MLX5_VNIC_ENV_COUNTERS(X) \
    X(handled_pkt_steering_fail, "rx_steer_cut", \
      "frames with too long a path through the tables, or too many probes") \
    X(eth_wqe_too_small, "rx_wqe_too_small", \
      "of rx_wqe_error: packets longer than their WQE") \
    X(total_error_queues, "error_queues", \
      "send and receive queues stopped by an error of their own") \
    X(cq_overrun, "cq_overrun", "CQs stopped: no room") \
    X(comp_eq_overrun, "eq_comp_overrun", \
      "completion events lost: no room") \
    X(async_eq_overrun, "eq_async_overrun", \
      "other events lost: no room") \
    X(invalid_command, "cmd_invalid", \
      "commands refused for any reason but a limit") \
    X(quota_exceeded_command, "cmd_quota_exceeded", \
      "commands refused at a limit") \
    X(nic_receive_steering_discard, NULL, "frames that matched no flow entry") \
    X(receive_discard_vport_down, NULL, \
      "frames from the wire while the vport was down") \
    X(transmit_discard_vport_down, NULL, \
      "frames to the wire while the vport was down") \
    X(generated_pkt_steering_fail, NULL, \
      "as rx_steer_cut, of frames that the vport sent to itself")

/* Error counters of QUERY_VNIC_ENV since the HCA was brought up; PRM names. */
typedef struct Mlx5VnicEnv {
    MLX5_VNIC_ENV_COUNTERS(MLX5_COUNTER_FIELD)
} Mlx5VnicEnv;

/* ---------------------------------------------------------------- keys --- */

/* The engine counts for TLS contexts: engine/tls_engine.h. */
#define MLX5_DEK_COUNTERS(X) \
    X(stale, "tls_dek_stale", \
      "uses of a key that was reloaded without SYNC_CRYPTO") \
    X(sync_crypto, "tls_sync_crypto", "SYNC_CRYPTO commands")

typedef struct Mlx5DekCounters {
    MLX5_DEK_COUNTERS(MLX5_COUNTER_FIELD)
} Mlx5DekCounters;

#endif
