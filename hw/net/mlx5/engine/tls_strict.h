/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checker behind strict=on: compares the input and the output of the TLS
 * code, and reports inconsistencies.
 *
 * Owns a shadow of each context (the position in the stream, the open record
 * with libcrypto's own AES-GCM), recently sent records, the history of keys,
 * and the progress established by fences. It shares with tls_tx.c, tls_rx.c and
 * the record code only the key objects and the decoding of parameter images.
 * Called by the device and by tests; changes nothing, and calls back only to
 * report.
 *
 * The shadow trusts the code under test in two points that no invariant
 * determines: whether a packet or DUMP was accepted (a dropped one does no
 * harm), and where a candidate header was found. It derives everything else
 * itself.
 */
#ifndef HW_NET_MLX5_ENGINE_TLS_STRICT_H
#define HW_NET_MLX5_ENGINE_TLS_STRICT_H

#include "tls_engine.h"

/*
 * R(name, sentence): the reasons, in the order of the counters; the name is
 * used in counters and traces.
 */
#define MLX5_STRICT_REASON_LIST(R)                                            \
    R(TX_BYPASS, tx_bypass,                                                   \
      "a frame marked for a TIS left without having passed its context")      \
    R(TX_PLAINTEXT, tx_plaintext,                                             \
      "payload of a record left as the driver handed it in")                  \
    R(TX_CIPHERTEXT, tx_ciphertext,                                           \
      "payload or tag of a record left as something else than its AES-GCM")   \
    R(TX_HEADER, tx_header,                                                   \
      "header or explicit nonce bytes of a record were changed on the way "   \
      "out")                                                                  \
    R(TX_SEQUENCE, tx_sequence,                                               \
      "a packet was encrypted that does not begin where the stream stood")    \
    R(TX_NONCE_REUSE, tx_nonce_reuse,                                         \
      "a nonce was used again, under the same key, for something else")       \
    R(TX_DUMP, tx_dump, "a frame left during a WQE that sends none")          \
    R(RX_FLAG, rx_flag,                                                       \
      "tls_offload does not tell what is true of the packet")                 \
    R(RX_UNTRACKED, rx_untracked,                                             \
      "a packet was decrypted with bytes of a record not followed from its "  \
      "start")                                                                \
    R(RX_PAYLOAD, rx_payload,                                                 \
      "payload of a decrypted packet is not the plaintext of the wire's "     \
      "bytes")                                                                \
    R(RX_ALTERED, rx_altered,                                                 \
      "a packet without flag 1 is not as it was on the wire, nor as "         \
      "rx-error-bytes says")                                                  \
    R(RX_FRAMING, rx_framing,                                                 \
      "header, nonce or tag bytes, or bytes around the payload, are not as "  \
      "on the wire")                                                          \
    R(RX_CHECKSUM, rx_checksum,                                               \
      "check_sum of the completion is not the sum over the frame that is "    \
      "delivered")                                                            \
    R(RX_RESYNC, rx_resync,                                                   \
      "flag 2 without a candidate header in that packet, or the other way "   \
      "round")                                                                \
    R(DEK_UNSYNCED, dek_unsynced,                                             \
      "a key was loaded anew over one in use and used without SYNC_CRYPTO "   \
      "between")                                                              \
    R(DEK_STALE, dek_stale,                                                   \
      "a context ran on with a key that its DEK no longer holds")             \
    R(FENCE_DATA, fence_data,                                                 \
      "data or DUMP behind UMR or SET_PSV of its context without a fence "    \
      "between")                                                              \
    R(FENCE_PARAMS, fence_params,                                             \
      "UMR or SET_PSV behind data or DUMP of its context without a fence "    \
      "between")

typedef enum Mlx5StrictReason {
#define MLX5_STRICT_REASON_ENUM(id, name, text) MLX5_STRICT_##id,
    MLX5_STRICT_REASON_LIST(MLX5_STRICT_REASON_ENUM)
    MLX5_STRICT_REASONS
} Mlx5StrictReason;

/*
 * Never return NULL; the string is static. Numbers out of range have a text
 * too.
 */
const char *mlx5_strict_reason_name(unsigned reason);
const char *mlx5_strict_reason_str(unsigned reason);

/*
 * Sent records are kept with all their bytes up to this total. Beyond it, only
 * the tags of the least recent ones are kept, and the oldest tags are dropped
 * in turn.
 */
#define MLX5_STRICT_SENT_BYTES  (8u << 20)
#define MLX5_STRICT_SENT_TAGS   65536u

/* details: where it happened; valid during the call. */
typedef void Mlx5StrictReportFn(void *opaque, Mlx5StrictReason reason,
                                const char *details);

typedef struct Mlx5TlsStrict Mlx5TlsStrict;

/*
 * One per engine, which must outlive it. @whole: every context will be
 * announced through the calls below; otherwise unknown contexts are ignored.
 */
Mlx5TlsStrict *mlx5_tls_strict_new(Mlx5TlsEngine *engine, bool whole,
                                   Mlx5StrictReportFn *fn, void *opaque);
void mlx5_tls_strict_free(Mlx5TlsStrict *s);    /* NULL is allowed */

/* Report a violation found elsewhere. */
void mlx5_tls_strict_violation(Mlx5TlsStrict *s, Mlx5StrictReason reason,
                               const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/* Returns the memory use of a context's shadow, without its Mlx5GcmWhole. */
size_t mlx5_tls_strict_context_size(void);
/*
 * A context of a TIS or TIR is created or destroyed (unknown numbers are
 * allowed).
 */
void mlx5_tls_strict_add(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id);
void mlx5_tls_strict_remove(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id);

/* Returns the number of sent records kept, bounded by the two limits above. */
unsigned mlx5_tls_strict_sent(const Mlx5TlsStrict *s);

/* ---- keys ---------------------------------------------------------------- */

/* DEK index now holds key; SYNC_CRYPTO was executed; the DEK is destroyed. */
void mlx5_tls_strict_dek_load(Mlx5TlsStrict *s, uint32_t index,
                              const Mlx5TlsKey *key);
void mlx5_tls_strict_dek_sync(Mlx5TlsStrict *s);
void mlx5_tls_strict_dek_gone(Mlx5TlsStrict *s, uint32_t index);

/* ---- send queues --------------------------------------------------------- */

/*
 * A WQE of SQ sqn begins. @serial: its number, from 1, increasing over the WQEs
 * of all queues. @fence: its control segment has a fence (fm_ce_se [7:5]).
 */
void mlx5_tls_strict_wqe(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial,
                         bool fence);
/* The WQE has ended and its payload is erased. No more of its frames follow. */
void mlx5_tls_strict_wqe_over(Mlx5TlsStrict *s);
/*
 * A CQE was written for WQE serial of @sqn: the driver knows that this queue's
 * WQEs up to it are done.
 */
void mlx5_tls_strict_cqe(Mlx5TlsStrict *s, uint32_t sqn, uint64_t serial);
void mlx5_tls_strict_sq_gone(Mlx5TlsStrict *s, uint32_t sqn);

/* ---- both directions ----------------------------------------------------- */

/* UMR with static params; key is the key of dek_index (may be NULL). */
void mlx5_tls_strict_static(Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id,
                            const uint8_t image[MLX5_TLS_STATIC_PARAMS_LEN],
                            Mlx5TlsKey *key);
/* SET_PSV. */
void mlx5_tls_strict_progress(
    Mlx5TlsStrict *s, Mlx5TlsDir dir, uint32_t id,
    const uint8_t image[MLX5_TLS_PROGRESS_PARAMS_LEN]);

/* ---- TX ------------------------------------------------------------------ */

/*
 * The payload of a SEND or LSO for a TIS, as posted by the driver; it is
 * copied.
 */
void mlx5_tls_strict_tx_plain(Mlx5TlsStrict *s, uint32_t tisn,
                              const uint8_t *data, size_t len);
/* The context accepted that payload, starting at seq; frames will follow. */
void mlx5_tls_strict_tx_passed(Mlx5TlsStrict *s, uint32_t tisn, uint32_t seq);
/* A DUMP; @taken: the context accepted it. */
void mlx5_tls_strict_tx_dump(Mlx5TlsStrict *s, uint32_t tisn,
                             const uint8_t *data, size_t len, bool taken);
/*
 * A frame for tisn is about to be sent. @tcp: it is a complete TCP segment,
 * with len bytes of payload starting at seq.
 */
void mlx5_tls_strict_tx_frame(Mlx5TlsStrict *s, uint32_t tisn, bool tcp,
                              uint32_t seq, const uint8_t *payload, size_t len);

/* ---- RX ------------------------------------------------------------------ */

/*
 * The payload of a received packet (len is not 0), as on the wire and as
 * delivered, with its flag. @candidate: a header in it became the new
 * candidate, hw_resync_tcp_sn.
 */
void mlx5_tls_strict_rx_packet(Mlx5TlsStrict *s, uint32_t tirn, uint32_t seq,
                               const uint8_t *wire, const uint8_t *delivered,
                               size_t len, Mlx5TlsFlag flag, bool candidate,
                               uint32_t hw_resync_tcp_sn);

#endif
