/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When the next frame may leave; see line.h.
 *
 * The end of the last frame on the line is kept in nanoseconds of the virtual
 * clock. A timer is late as a rule, so as long as frames follow upon each other
 * the next one begins where the last one ended, not when the timer ran: that
 * keeps the rate. MAX_LAG_NS bounds what may be made up for.
 */
#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "line.h"
#include "link.h"
#include "mlx5.h"
#include "trace.h"

#define MAX_LAG_NS (1 * SCALE_MS)
#define PAUSE_QUANTUM_BITS 512

/* Mb/s: what the property says, else what the link has. */
static uint32_t line_rate(const Mlx5Port *port)
{
    const Mlx5LinkMode *mode;

    if (port->dev->line_rate) {
        return port->dev->line_rate;
    }
    mode = mlx5_link_mode(port);
    return mode ? mode->speed : 1;
}

/* How long @bits take, in nanoseconds, at @rate Mb/s. */
static int64_t duration_ns(uint64_t bits, uint32_t rate)
{
    return bits * 1000 / rate;
}

void mlx5_line_wait(Mlx5Port *port, unsigned reason)
{
    port->tx_wait |= reason;
}

void mlx5_line_go(Mlx5Port *port, unsigned reason)
{
    port->tx_wait &= ~reason;
    if (!port->tx_wait) {
        mlx5_wake(port->fn, MLX5_WAKE_TX);
    }
}

/* Nothing leaves before the last frame has, and the pause is over. */
static void wait_for_line(Mlx5Port *port, int64_t now)
{
    int64_t until = MAX(port->line_free_ns, port->line_paused_ns);

    if (until > now) {
        mlx5_line_wait(port, MLX5_WAIT_LINE);
        timer_mod(port->line_timer, until);
    } else if (port->tx_wait & MLX5_WAIT_LINE) {
        timer_del(port->line_timer);
        mlx5_line_go(port, MLX5_WAIT_LINE);
    }
}

static void line_free(void *opaque)
{
    mlx5_line_go(opaque, MLX5_WAIT_LINE);
}

void mlx5_line_frame(Mlx5Port *port, size_t octets)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t start = port->line_busy ? now - MAX_LAG_NS : now;

    start = MAX(start, MAX(port->line_free_ns, port->line_paused_ns));
    port->line_free_ns = start + duration_ns(octets * 8, port->dev->line_rate);
    port->line_busy = true;
    wait_for_line(port, now);
}

void mlx5_line_idle(Mlx5Port *port)
{
    port->line_busy = false;
}

void mlx5_line_pause(Mlx5Port *port, uint16_t quanta)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    trace_mlx5_port_pause(mlx5_id(port->fn), quanta);
    port->line_paused_ns = now + duration_ns(quanta * PAUSE_QUANTUM_BITS,
                                             line_rate(port));
    wait_for_line(port, now);
}

void mlx5_line_reset(Mlx5Port *port)
{
    timer_del(port->line_timer);
    port->tx_wait &= ~MLX5_WAIT_LINE;
    port->line_free_ns = 0;
    port->line_paused_ns = 0;
    port->line_busy = false;
}

void mlx5_line_init(Mlx5Port *port)
{
    port->line_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, line_free, port);
}

void mlx5_line_finalize(Mlx5Port *port)
{
    g_clear_pointer(&port->line_timer, timer_free);
}
