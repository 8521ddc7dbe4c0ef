/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A network interface as a side of the wire: see packet.h.
 */
#include "packet.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "csum.h"

#define ETH_P_EVERYTHING    3           /* ETH_P_ALL */
#define RECEIVE_BUFFER      (64 << 20)
#define FRAMES_AT_ONCE      64
#define RETRY_MS            1
#define TAGS                (MLX5_PARSE_MAX_VLANS * MLX5_VLAN_HLEN)

#ifndef TP_STATUS_GSO_TCP    /* missing in the headers of Linux 6.1 */
#define TP_STATUS_GSO_TCP   (1 << 8)
#endif

struct WirePacket {
    char *ifname;
    unsigned index;  /* interface with this name at the start; names may
                      * change */
    int fd;
    uint32_t mtu;           /* the largest that was seen */
    uint8_t *buffer;   /* WIRE_MAX_FRAME bytes, after room for a tag */
    GQueue out;             /* of GBytes */
    size_t out_bytes;
    bool blocked;           /* the interface's queue was full at the last
                             * attempt */
    uint64_t unsendable;    /* frames that the interface rejected */
    uint64_t summed;        /* frames whose checksum was filled in */
    uint64_t lost;          /* frames lost in the kernel for lack of room */
};

static bool query(int fd, const char *ifname, unsigned long what,
                  struct ifreq *request)
{
    memset(request, 0, sizeof(*request));
    g_strlcpy(request->ifr_name, ifname, sizeof(request->ifr_name));
    return ioctl(fd, what, request) == 0;
}

/* Returns an ethtool flag; false also if the interface does not support it. */
static uint32_t ethtool_value(int fd, const char *ifname, uint32_t command)
{
    struct ethtool_value value = { .cmd = command };
    struct ifreq request;

    memset(&request, 0, sizeof(request));
    g_strlcpy(request.ifr_name, ifname, sizeof(request.ifr_name));
    request.ifr_data = (void *)&value;
    return ioctl(fd, SIOCETHTOOL, &request) ? 0 : value.data;
}

static bool check_interface(WirePacket *p, char **problem)
{
    struct ifreq request;

    if (!query(p->fd, p->ifname, SIOCGIFHWADDR, &request)) {
        *problem = g_strdup(g_strerror(errno));
        return false;
    }
    if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
        *problem = g_strdup("not an Ethernet interface");
        return false;
    }
    if (!query(p->fd, p->ifname, SIOCGIFFLAGS, &request) ||
        !(request.ifr_flags & IFF_UP)) {
        *problem = g_strdup_printf("the interface is down; ip link set %s up",
                                   p->ifname);
        return false;
    }
    if (ethtool_value(p->fd, p->ifname, ETHTOOL_GGRO)) {
        *problem = g_strdup_printf("GRO is on, which merges segments; "
                                   "ethtool -K %s gro off", p->ifname);
        return false;
    }
    if (ethtool_value(p->fd, p->ifname, ETHTOOL_GFLAGS) & ETH_FLAG_LRO) {
        *problem = g_strdup_printf("LRO is on, which merges segments; "
                                   "ethtool -K %s lro off", p->ifname);
        return false;
    }
    if (!query(p->fd, p->ifname, SIOCGIFMTU, &request)) {
        *problem = g_strdup(g_strerror(errno));
        return false;
    }
    p->mtu = (uint32_t)request.ifr_mtu;
    return true;
}

static bool set_options(WirePacket *p)
{
    struct packet_mreq promiscuous = {
        .mr_ifindex = (int)p->index, .mr_type = PACKET_MR_PROMISC,
    };
    int one = 1, size = RECEIVE_BUFFER;
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = GUINT16_TO_BE(ETH_P_EVERYTHING),
        .sll_ifindex = (int)p->index,
    };

    /*
     * bursts must fit while the other side is full; without the privilege, use
     * the size that the system allows
     */
    if (setsockopt(p->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size))) {
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    }
    return !setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                       sizeof(promiscuous)) &&
           !setsockopt(p->fd, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)) &&
           !setsockopt(p->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
                       sizeof(one)) &&
           !bind(p->fd, (struct sockaddr *)&address, sizeof(address));
}

/*
 * The kernel sends a frame by the queue of the processor that hands it over
 * (XPS). A program that moves to another one between two frames has them in
 * two queues, and the NIC is free to send the second first.
 */
static bool stay_on_one_cpu(void)
{
    int cpu = sched_getcpu();
    cpu_set_t *one;
    bool ok;

    if (cpu < 0) {
        return false;
    }
    one = CPU_ALLOC(cpu + 1);
    CPU_ZERO_S(CPU_ALLOC_SIZE(cpu + 1), one);
    CPU_SET_S(cpu, CPU_ALLOC_SIZE(cpu + 1), one);
    ok = !sched_setaffinity(0, CPU_ALLOC_SIZE(cpu + 1), one);
    CPU_FREE(one);
    return ok;
}

WirePacket *wire_packet_open(const char *ifname, char **problem)
{
    WirePacket *p = g_new0(WirePacket, 1);

    p->index = if_nametoindex(ifname);
    p->ifname = g_strdup(ifname);
    p->buffer = g_malloc(WIRE_MAX_FRAME + MLX5_VLAN_HLEN);
    g_queue_init(&p->out);
    /* protocol 0: nothing is received before bind() selects the interface */
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (!p->index) {
        *problem = g_strdup("no such interface in this network namespace");
    } else if (p->fd < 0) {
        *problem = g_strdup_printf("socket(AF_PACKET): %s", g_strerror(errno));
    } else if (check_interface(p, problem)) {
        if (!set_options(p)) {
            *problem = g_strdup_printf("binding to it: %s", g_strerror(errno));
        } else if (!stay_on_one_cpu()) {
            *problem = g_strdup_printf("staying on one processor: %s",
                                       g_strerror(errno));
        } else {
            return p;
        }
    }
    wire_packet_close(p);
    return NULL;
}

void wire_packet_close(WirePacket *p)
{
    if (p->fd >= 0) {
        close(p->fd);
    }
    g_queue_clear_full(&p->out, (GDestroyNotify)g_bytes_unref);
    g_free(p->buffer);
    g_free(p->ifname);
    g_free(p);
}

int wire_packet_fd(const WirePacket *p)
{
    return p->fd;
}

/* Returns the kernel's metadata of a frame. */
static const struct tpacket_auxdata *auxdata(struct msghdr *msg)
{
    struct cmsghdr *c;

    for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            return (const struct tpacket_auxdata *)CMSG_DATA(c);
        }
    }
    return NULL;
}

/* Reinserts the tag stripped by the kernel, using the room before the frame. */
static uint8_t *put_tag(uint8_t *frame, const struct tpacket_auxdata *aux)
{
    uint8_t *tagged = frame - MLX5_VLAN_HLEN;
    bool tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID;

    memmove(tagged, frame, 2 * MLX5_ETH_ALEN);
    mlx5_put_be16(tagged + 12, tpid ? aux->tp_vlan_tpid : MLX5_ETH_P_8021Q);
    mlx5_put_be16(tagged + 14, aux->tp_vlan_tci);
    return tagged;
}

/* Returns whether the interface still exists, under any name. */
static bool still_there(const WirePacket *p)
{
    char name[IF_NAMESIZE];

    return if_indextoname(p->index, name) != NULL;
}

/* The MTU may have grown; frames from before it shrank may still be queued. */
static bool too_long(WirePacket *p, size_t len)
{
    struct ifreq request;

    if (len > p->mtu + MLX5_ETH_HLEN + TAGS &&
        query(p->fd, p->ifname, SIOCGIFMTU, &request)) {
        p->mtu = MAX(p->mtu, (uint32_t)request.ifr_mtu);
    }
    return len > p->mtu + MLX5_ETH_HLEN + TAGS;
}

/*
 * Returns whether the frame is an unsegmented burst. Recent kernels flag it; on
 * others only a burst too large for a packet is recognised.
 */
static bool is_burst(WirePacket *p, size_t len,
                     const struct tpacket_auxdata *aux)
{
    return (aux && aux->tp_status & TP_STATUS_GSO_TCP) || too_long(p, len);
}

/* Reads a frame. Returns 1 if read, 0 if there is none, -1 with *problem. */
static int read_one(WirePacket *p, WirePortInput *input, void *opaque,
                    char **problem)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    uint8_t *frame = p->buffer + MLX5_VLAN_HLEN;
    struct iovec iov = { frame, WIRE_MAX_FRAME };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof(control),
    };
    ssize_t n = recvmsg(p->fd, &msg, MSG_TRUNC);
    const struct tpacket_auxdata *aux;
    size_t len;

    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            return 0;
        }
        if (errno == ENETDOWN && still_there(p)) {
            return 0;    /* down for now; frames will arrive when it is up
                          * again */
        }
        *problem = g_strdup_printf("reading from %s: %s", p->ifname,
                                   g_strerror(errno));
        return -1;
    }
    len = (size_t)n;
    aux = auxdata(&msg);
    if (is_burst(p, len, aux)) {
        *problem = g_strdup_printf(
            "a frame of %zu bytes came from %s, whose MTU is %u: a burst that "
            "its sender "
            "leaves for a NIC to cut; at the sender: ethtool -K IFNAME tso off "
            "gso off "
            "tx-udp-segmentation off", len, p->ifname, p->mtu);
        return -1;
    }
    if (aux && aux->tp_status & TP_STATUS_VLAN_VALID) {
        frame = put_tag(frame, aux);
        len += MLX5_VLAN_HLEN;
    }
    if (aux && aux->tp_status & TP_STATUS_CSUMNOTREADY) {
        mlx5_csum_fill(frame, len, false, true);
        p->summed++;
    }
    input(opaque, frame, len);
    return 1;
}

bool wire_packet_read(WirePacket *p, WirePortInput *input, void *opaque,
                      char **problem)
{
    unsigned i;
    int got = 1;

    for (i = 0; i < FRAMES_AT_ONCE && got > 0; i++) {
        got = read_one(p, input, opaque, problem);
    }
    return got >= 0;
}

void wire_packet_put(WirePacket *p, const uint8_t *frame, size_t len)
{
    g_queue_push_tail(&p->out, g_bytes_new(frame, len));
    p->out_bytes += len;
}

size_t wire_packet_queued(const WirePacket *p)
{
    return p->out_bytes;
}

int wire_packet_retry(const WirePacket *p)
{
    return p->blocked ? RETRY_MS : -1;
}

/* Drops a frame that the interface will never accept. */
static void give_up(WirePacket *p, size_t len)
{
    if (!p->unsendable++) {
        g_printerr(
            "mlx5-wire: %s does not take a frame of %zu bytes (MTU %u): %s; "
            "frames "
            "like it are counted as "
            "unsendable\n",
            p->ifname, len, p->mtu, g_strerror(errno));
    }
}

bool wire_packet_flush(WirePacket *p, char **problem)
{
    p->blocked = false;
    while (p->out.head) {
        GBytes *bytes = p->out.head->data;
        gsize len;
        const void *frame = g_bytes_get_data(bytes, &len);

        if (send(p->fd, frame, len, 0) < 0) {
            switch (errno) {
            case EAGAIN:
            case EINTR:
                return true;
            case ENOBUFS: /* the queueing discipline is full: poll() does not
                           * report when it has room */
                p->blocked = true;
                return true;
            case EMSGSIZE:
            case EINVAL:
            case ENETDOWN:
                give_up(p, len);
                break;
            default:
                *problem = g_strdup_printf("writing to %s: %s", p->ifname,
                                           g_strerror(errno));
                return false;
            }
        }
        p->out_bytes -= len;
        g_bytes_unref(g_queue_pop_head(&p->out));
    }
    return true;
}

void wire_packet_stats_json(WirePacket *p, GString *out)
{
    struct tpacket_stats stats = { 0 };
    socklen_t size = sizeof(stats);

    /* reading resets them */
    if (!getsockopt(p->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size)) {
        p->lost += stats.tp_drops;
    }
    g_string_append_printf(out, "{\"lost_by_kernel\":%" G_GUINT64_FORMAT
                           ",\"unsendable\":%" G_GUINT64_FORMAT
                           ",\"checksums_filled\":%" G_GUINT64_FORMAT "}",
                           p->lost, p->unsendable, p->summed);
}
