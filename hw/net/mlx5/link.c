/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ends of the cable; see link.h. */
#include "qemu/osdep.h"
#include "net/net.h"
#include "link.h"
#include "mlx5.h"

/*
 * What a copper cable with four lanes of 25 Gb/s carries: the speeds in Mb/s
 * with their bits in eth_proto_* and ext_eth_proto_* of PTYS (driver:
 * include/linux/mlx5/port.h mlx5e_link_mode and mlx5e_ext_link_mode), fastest
 * first.
 */
#define RS MLX5_FEC_RS_528_514
#define FC MLX5_FEC_FIRECODE
static const Mlx5LinkMode link_modes[] = {
    /* 100GBASE-CR4 */
    { 100000, 1u << 20, 1u << 9, MLX5_FEC_100G, MLX5_FEC_NONE | RS },
    /* 50GBASE-CR2 */
    { 50000, 1u << 30, 1u << 7, MLX5_FEC_50G, MLX5_FEC_NONE | FC | RS },
    /* 40GBASE-CR4 */
    { 40000, 1u << 6, 1u << 5, MLX5_FEC_10G_40G, MLX5_FEC_NONE | FC },
    /* 25GBASE-CR */
    { 25000, 1u << 27, 1u << 6, MLX5_FEC_25G, MLX5_FEC_NONE | FC | RS },
    /* 10GBASE-CR */
    { 10000, 1u << 12, 1u << 4, MLX5_FEC_10G_40G, MLX5_FEC_NONE | FC },
    /* 1000BASE-KX */
    { 1000, 1u << 1, 1u << 1, MLX5_FEC_CLASSES, MLX5_FEC_NONE },
};
#undef RS
#undef FC

static const struct {
    uint32_t opcode;
    const char *text;
} states[] = {
#define MLX5_LINK_ROW(name, opcode, text) \
    [MLX5_LINK_##name] = { opcode, text },
    MLX5_LINK_STATES(MLX5_LINK_ROW)
#undef MLX5_LINK_ROW
};

bool mlx5_link_cable(const Mlx5Port *port)
{
    NetClientState *nc = port->nic ? qemu_get_queue(port->nic) : NULL;

    return nc && nc->peer && !nc->link_down;
}

static bool has_partner(const Mlx5Port *port)
{
    return port->dev->link_partner && *port->dev->link_partner;
}

/*
 * The device at the other end, NULL if it is not plugged. It is looked up each
 * time, since it may come later than this one, and go sooner.
 */
static Mlx5Port *partner(const Mlx5Port *port)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/%s",
                                            port->dev->link_partner);
    Object *obj = object_resolve_path_type(path, TYPE_MLX5_KTLS, NULL);
    Mlx5State *s = obj ? MLX5_KTLS(obj) : NULL;

    return s && s != port->dev && s->port.nic && !mlx5_work_gone(&s->work) ?
           &s->port : NULL;
}

/* Does @port's transmitter send light into the cable? */
static bool transmits(const Mlx5Port *port)
{
    return port->admin == MLX5_PORT_UP && mlx5_link_cable(port);
}

/* May @port's end have mode @m, as far as its own settings go? */
static bool admits(const Mlx5Port *port, const Mlx5LinkMode *m)
{
    return port->proto_admin & (port->proto_ext ? m->ext_eth_proto :
                                                  m->eth_proto);
}

/* Also: without autonegotiation, only the fastest of these. */
static bool allows(const Mlx5Port *port, const Mlx5LinkMode *m)
{
    unsigned i;

    for (i = 0; port->an_disable && &link_modes[i] != m; i++) {
        if (admits(port, &link_modes[i])) {
            return false;
        }
    }
    return admits(port, m);
}

/* MLX5_FEC_* that @port's end allows in mode @m. */
static unsigned fec_allowed(const Mlx5Port *port, const Mlx5LinkMode *m)
{
    unsigned admin = m->fec_class < MLX5_FEC_CLASSES ?
                     port->fec_admin[m->fec_class] : 0;

    return admin ? admin & m->fec_cap : m->fec_cap;
}

static unsigned common_fec(const Mlx5Port *port, const Mlx5Port *other,
                           const Mlx5LinkMode *m)
{
    unsigned fec = fec_allowed(port, m);

    if (other) {
        fec &= fec_allowed(other, m);
    }
    return fec ? 1u << (31 - clz32(fec)) : 0; /* stronger codes are higher */
}

static const Mlx5LinkMode *common_mode(const Mlx5Port *port,
                                       const Mlx5Port *other)
{
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        if (allows(port, &link_modes[i]) &&
            (!other || allows(other, &link_modes[i])) &&
            common_fec(port, other, &link_modes[i])) {
            return &link_modes[i];
        }
    }
    return NULL;
}

Mlx5LinkState mlx5_link_state(const Mlx5Port *port)
{
    const Mlx5Port *other = NULL;

    if (port->admin != MLX5_PORT_UP) {
        return MLX5_LINK_CLOSED;
    }
    if (!mlx5_link_cable(port)) {
        return MLX5_LINK_NO_CABLE;
    }
    if (has_partner(port)) {
        other = partner(port);
        if (!other || !transmits(other)) {
            return port->an_disable ? MLX5_LINK_NO_PARTNER_FORCED :
                                      MLX5_LINK_NO_PARTNER;
        }
    }
    if (!common_mode(port, other)) {
        return port->an_disable ? MLX5_LINK_NO_PARTNER_FORCED :
                                  MLX5_LINK_NO_COMMON_MODE;
    }
    return MLX5_LINK_UP;
}

uint32_t mlx5_link_opcode(Mlx5LinkState state)
{
    return states[state].opcode;
}

const char *mlx5_link_message(Mlx5LinkState state)
{
    return states[state].text;
}

uint32_t mlx5_link_proto_cap(bool ext)
{
    uint32_t cap = 0;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        cap |= ext ? link_modes[i].ext_eth_proto : link_modes[i].eth_proto;
    }
    return cap;
}

unsigned mlx5_link_fec_cap(Mlx5FecClass fec_class)
{
    unsigned cap = 0;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        if (link_modes[i].fec_class == fec_class) {
            cap |= link_modes[i].fec_cap;
        }
    }
    return cap;
}

unsigned mlx5_link_fec(const Mlx5Port *port, const Mlx5LinkMode *mode)
{
    return common_fec(port, has_partner(port) ? partner(port) : NULL, mode);
}

const Mlx5LinkMode *mlx5_link_mode(const Mlx5Port *port)
{
    return common_mode(port, has_partner(port) ? partner(port) : NULL);
}

uint32_t mlx5_link_partner_modes(const Mlx5Port *port)
{
    const Mlx5Port *other = has_partner(port) ? partner(port) : NULL;
    uint32_t modes = 0;
    unsigned i;

    for (i = 0; i < ARRAY_SIZE(link_modes); i++) {
        if (!other || admits(other, &link_modes[i])) {
            modes |= link_modes[i].ext_eth_proto;
        }
    }
    return modes;
}

void mlx5_link_tell_partner(const Mlx5Port *port)
{
    Mlx5Port *other = has_partner(port) ? partner(port) : NULL;

    if (other) {
        mlx5_wake(other->fn, MLX5_WAKE_LINK);
    }
}
