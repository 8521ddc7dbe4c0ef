/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: refused requests and driver errors. One function for each reports it
 * both as the trace event of the same name and in QEMU's log.
 */
#ifndef HW_NET_MLX5_ERR_H
#define HW_NET_MLX5_ERR_H

#include "qemu/log.h"
#include "mlx5.h"

/*
 * E(name, mask, parameters after the function, arguments, format). The trace
 * event mlx5_err_NAME in trace-events has the device's id, the arguments and
 * the same format; a log line has them after "mlx5-ktls ID: ".
 *
 * The mask selects QEMU's -d option: LOG_GUEST_ERROR for errors of the driver,
 * LOG_UNIMP for features that the device lacks, 0 (trace only) for conditions
 * that are not errors, such as a limit reached or an injected fault. Nothing
 * that a correct driver does in normal operation may appear in the log. Where
 * the mask depends on the case, it is a parameter.
 */
#define MLX5_ERRS(E) \
    E(bar0_read, LOG_UNIMP, (uint64_t addr, unsigned size), (addr, size), \
      "+0x%" PRIx64 " size %u is not implemented") \
    E(bar0_write, LOG_UNIMP, (uint64_t addr, uint64_t val, unsigned size), \
      (addr, val, size), \
      "+0x%" PRIx64 " = 0x%" PRIx64 " size %u is not implemented") \
    E(cap_above_max, LOG_GUEST_ERROR, \
      (const char *field, uint64_t val, uint64_t max), (field, val, max), \
      "%s: %" PRIu64 " is above %" PRIu64) \
    E(cap_unknown_bits, LOG_UNIMP, (size_t byte, unsigned val, unsigned max), \
      (byte, val, max), "byte 0x%zx: 0x%x is not within 0x%x") \
    E(cmd, mask, \
      (int mask, unsigned slot, const char *name, unsigned opcode, \
       unsigned op_mod, unsigned uid, uint32_t inlen, uint32_t outlen, \
       unsigned status, const char *why), \
      (slot, name, opcode, op_mod, uid, inlen, outlen, status, why), \
      "slot %u %s (0x%x) op_mod 0x%x uid %u inlen %u outlen %u: " \
      "status 0x%x: %s") \
    E(cmd_delivery, LOG_GUEST_ERROR, (unsigned slot, unsigned status), \
      (slot, status), "slot %u delivery status 0x%x") \
    E(cmd_no_queue, LOG_GUEST_ERROR, (uint32_t slots), (slots), \
      "doorbell 0x%x without a command queue") \
    E(cmd_not_owned, LOG_GUEST_ERROR, (unsigned slot), (slot), \
      "slot %u is not the device's") \
    E(cq_overrun, LOG_GUEST_ERROR, (uint32_t cqn), (cqn), \
      "cq 0x%x is full") \
    E(dek, LOG_GUEST_ERROR, (uint32_t dek, const char *why), (dek, why), \
      "dek 0x%x %s") \
    E(dma, mask, (int mask, const char *dir, uint64_t addr, size_t len), \
      (dir, addr, len), "%s of 0x%" PRIx64 " +%zu reaches no memory") \
    E(doorbell_foreign, LOG_GUEST_ERROR, \
      (const char *kind, uint32_t num, uint32_t page, uint32_t own), \
      (kind, num, page, own), \
      "doorbell for %s 0x%x on UAR page 0x%x, its own is 0x%x: ignored") \
    E(doorbell_unknown, LOG_GUEST_ERROR, (const char *kind, uint32_t num), \
      (kind, num), "doorbell for %s 0x%x, which does not exist") \
    E(eq_overrun, LOG_GUEST_ERROR, (uint32_t eqn, unsigned type), \
      (eqn, type), "eq 0x%x is full: event 0x%x lost") \
    E(icmd, LOG_UNIMP, (unsigned opcode, unsigned status), (opcode, status), \
      "ICMD opcode 0x%x: status %u") \
    E(iseg_write, LOG_GUEST_ERROR, (uint64_t addr, uint32_t val), \
      (addr, val), "+0x%" PRIx64 " = 0x%x is not writable") \
    E(memory_limit, 0, (size_t bytes, uint64_t used, uint64_t limit), \
      (bytes, used, limit), \
      "%zu bytes more than %" PRIu64 " would be above memory-limit, %" PRIu64) \
    E(mkey, LOG_GUEST_ERROR, \
      (uint32_t lkey, uint64_t addr, size_t len, const char *why), \
      (lkey, addr, len, why), \
      "memory key 0x%x, address 0x%" PRIx64 " +%zu: %s") \
    E(nv_unknown, LOG_UNIMP, (uint32_t type), (type), \
      "configuration item 0x%x does not exist") \
    E(record_log, 0, (const char *why), (why), "%s") \
    E(reg_unknown, LOG_UNIMP, (unsigned reg, const char *dir), (reg, dir), \
      "register 0x%x does not exist (%s)") \
    E(rq, LOG_GUEST_ERROR, (uint32_t rqn, unsigned cc, unsigned syndrome), \
      (rqn, cc, syndrome), "rq 0x%x at %u syndrome 0x%x") \
    E(rx_steering_costly, 0, \
      (uint32_t len, uint32_t tables, uint32_t probes, uint32_t table), \
      (len, tables, probes, table), \
      "%u bytes dropped: %u flow tables and %u probes of their groups were " \
      "not enough, in table 0x%x") \
    E(sq, mask, \
      (int mask, uint32_t sqn, unsigned cc, unsigned opcode, \
       unsigned syndrome), \
      (sqn, cc, opcode, syndrome), \
      "sq 0x%x at %u opcode 0x%x syndrome 0x%x") \
    E(strict, 0, (const char *reason, const char *details), \
      (reason, details), "%s: %s") \
    E(teardown_leak, LOG_GUEST_ERROR, (const char *type, unsigned count), \
      (type, count), "%s: %u left by the driver") \
    E(tls_tx, LOG_GUEST_ERROR, (uint32_t tisn, uint32_t seq, const char *why), \
      (tisn, seq, why), "tis 0x%x seq 0x%x dropped: %s") \
    E(tx_lso, LOG_GUEST_ERROR, (uint32_t sqn, const char *why), (sqn, why), \
      "sq 0x%x: %s") \
    E(umr, LOG_GUEST_ERROR, (uint32_t sqn, uint32_t lkey, const char *why), \
      (sqn, lkey, why), "sq 0x%x: memory key 0x%x: %s") \
    E(vsc_access, LOG_UNIMP, (const char *dir, unsigned space, uint32_t addr), \
      (dir, space, addr), "%s of space 0x%x at 0x%x: nothing there to access") \
    E(vsc_size, LOG_GUEST_ERROR, (unsigned off, unsigned size), (off, size), \
      "write of %u+%u, expected an aligned dword") \
    E(vsc_space, LOG_UNIMP, (unsigned space), (space), \
      "space 0x%x does not exist") \
    E(wq_overrun, LOG_GUEST_ERROR, \
      (const char *kind, uint32_t num, unsigned cc, uint32_t pc), \
      (kind, num, cc, pc), \
      "%s 0x%x at %u: doorbell record %u is further than the queue is long") \
    E(wqe_opcode, LOG_UNIMP, (uint32_t sqn, unsigned cc, unsigned opcode), \
      (sqn, cc, opcode), "sq 0x%x at %u: opcode 0x%x is not implemented")

#define MLX5_ERR_PARAMS(...) (const Mlx5Function *fn, __VA_ARGS__)
#define MLX5_ERR_PROTOTYPE(name, mask, params, args, fmt) \
    void mlx5_err_##name MLX5_ERR_PARAMS params;
MLX5_ERRS(MLX5_ERR_PROTOTYPE)
#undef MLX5_ERR_PROTOTYPE

#endif
