/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flow steering: declarations private to steering*.c. */
#ifndef HW_NET_MLX5_ENGINE_STEERING_PRIV_H
#define HW_NET_MLX5_ENGINE_STEERING_PRIV_H

#include <glib.h>

#include "steering.h"
#include "steering_modify.h"

/* Byte offsets in fte_match_set_lyr_2_4. */
enum {
    M_SMAC = 0x00,
    M_ETHERTYPE = 0x06,
    M_DMAC = 0x08,
    M_FIRST_TCI = 0x0e,         /* first_prio, first_cfi, first_vid */
    M_IP_PROTOCOL = 0x10,
    M_DSCP_ECN = 0x11,
    M_FLAGS = 0x12,             /* cvlan_tag .. tcp_flags, see below */
    M_TCP_SPORT = 0x14,
    M_TCP_DPORT = 0x16,
    M_L4_TYPE = 0x18,           /* two bits, then 14 reserved */
    M_IPV4_IHL = 0x1a,          /* four bits, then 4 reserved */
    M_TTL_HOPLIMIT = 0x1b,
    M_UDP_SPORT = 0x1c,
    M_UDP_DPORT = 0x1e,
    M_SRC_IP = 0x20,
    M_DST_IP = 0x30,

    M_FLAG_CVLAN = 0x8000,
    M_FLAG_SVLAN = 0x4000,
    M_FLAG_FRAG = 0x2000,
    M_IP_VERSION_SHIFT = 9,
};

/* Ids of tables, groups and modify header contexts are 24 bits wide. */
#define STEERING_ID_MASK    0xffffffu

/* An image, a mask or a value, in memory order; only compared and ANDed. */
typedef struct Key {
    uint64_t w[MLX5_FTE_MATCH_OUTER_WORDS];
} Key;

/*
 * All lookups use balanced trees (GTree). Keys are chosen by the driver and,
 * where it adds an entry per connection, by any peer: with a hash function that
 * has no secret, the owner of an IPv6 /64 could make entries collide at will. A
 * tree has neither a bad case nor a secret: finding one of n entries takes at
 * most 1.45 log2(n + 2) compares. Lookup times in ns, compared with a keyed
 * hash (SipHash):
 *
 *      entries        1     10    100   1000   10000   65536
 *      tree           9     38     55    110     250     900
 *      keyed hash    34     41     42     49      94     320
 *
 * Nearly all groups have few entries, where the tree is as good or better; it
 * also keeps entries of equal value in order of their index, unlike a hash.
 */

/* A packet on one of its paths. */
typedef struct WayState {
    Key image;                  /* must be first: modify actions count bits from
                                 * here */
    uint8_t reg_b[4];           /* big-endian, as the image */
    bool rewritten;             /* image differs from the frame */
} WayState;

typedef struct ModifyAction {
    uint16_t bit;               /* in WayState */
    uint8_t width;
    uint8_t has;                /* steering_modify.c Has */
    bool add;
    uint32_t data;
} ModifyAction;

/* A modify header context. */
typedef struct Modify {
    uint32_t id;
    uint32_t refs;              /* entries */
    uint32_t n;
    ModifyAction action[];
} Modify;

typedef struct Group Group;
typedef struct Table Table;

typedef struct Fte {
    Key key;                    /* masked value */
    Group *group;
    uint32_t flow_index;
    uint32_t flow_tag;
    uint16_t action;
    uint32_t n_dests;
    uint32_t n_counters;
    Mlx5FlowDestination *dest;
    uint32_t *counter;
    Modify *modify;             /* with MOD_HDR, else NULL */
    Key inner[];                /* masked value of the inner headers, if the
                                 * group has_inner */
} Fte;

struct Group {
    Table *table;
    uint32_t id;
    uint32_t start;
    uint32_t end;
    uint32_t n_ftes;
    Key mask;
    GTree *by_value;            /* Fte, by key and flow_index; NULL if none */
    GTree *by_index;            /* Fte, by flow_index; NULL if none */
    bool has_inner;
    Key inner_mask[];           /* one if has_inner */
};

struct Table {
    uint32_t id;
    Mlx5FlowTableAttr attr;
    GPtrArray *groups;          /* of Group, by start */
    GPtrArray *filled;          /* of them, those with entries, for lookup */
    uint32_t n_ftes;
    uint32_t fte_refs;
    uint32_t miss_refs;
    uint32_t own_refs;
};

/*
 * Upper bounds of the heap use of each, for Mlx5SteeringOps.charge: the
 * structure, malloc's header and rounding, and its nodes in GLib's trees.
 */
static inline size_t heap_of(size_t size)
{
    return size ? (size + 8 + 31) / 16 * 16 : 0;
}

static inline size_t heap_of_lists(size_t n_dests, size_t n_counters)
{
    return heap_of(n_dests * sizeof(Mlx5FlowDestination)) +
           heap_of(n_counters * sizeof(uint32_t));
}

/* With or without inner headers. */
static inline size_t size_of_group(bool inner)
{
    return sizeof(Group) + (inner ? sizeof(Key) : 0);
}

static inline size_t size_of_fte(bool inner)
{
    return sizeof(Fte) + (inner ? sizeof(Key) : 0);
}

#define HEAP_NODE   heap_of(5 * sizeof(void *))
#define HEAP_TABLE  (heap_of(sizeof(Table)) + 512)
#define HEAP_GROUP(inner) (heap_of(size_of_group(inner)) + 512)
#define HEAP_FTE(inner) (heap_of(size_of_fte(inner)) + 2 * HEAP_NODE)
#define HEAP_MODIFY(n) \
    (heap_of(sizeof(Modify) + (n) * sizeof(ModifyAction)) + HEAP_NODE)

struct Mlx5Steering {
    Mlx5SteeringLimits limits;
    const Mlx5SteeringOps *ops;
    void *opaque;
    GTree *tables;              /* id -> Table */
    GTree *groups;              /* id -> Group */
    Table *root;
    uint32_t n_ftes;
    uint64_t compares;
    size_t charged;             /* total charged by ops->charge */
    uint32_t next_table_id;
    uint32_t next_group_id;
    GTree *modifies;            /* id -> Modify */
    uint32_t next_modify_id;
};

static inline void key_and(Key *out, const Key *a, const Key *mask)
{
    unsigned i;

    for (i = 0; i < MLX5_FTE_MATCH_OUTER_WORDS; i++) {
        out->w[i] = a->w[i] & mask->w[i];
    }
}

static inline int key_cmp(const Key *a, const Key *b)
{
    unsigned i;

    for (i = 0; i < MLX5_FTE_MATCH_OUTER_WORDS; i++) {
        if (a->w[i] != b->w[i]) {
            return a->w[i] < b->w[i] ? -1 : 1;
        }
    }
    return 0;
}

static inline Table *find_table(const Mlx5Steering *s, uint32_t id)
{
    return g_tree_lookup(s->tables, GUINT_TO_POINTER(id));
}

static inline Modify *find_modify(const Mlx5Steering *s, uint32_t id)
{
    return g_tree_lookup(s->modifies, GUINT_TO_POINTER(id));
}

static inline void steering_ref_table(Table *from, Table *to, uint32_t *refs)
{
    (*refs)++;
    if (from == to) {
        to->own_refs++;
    }
}

static inline void steering_unref_table(Table *from, Table *to, uint32_t *refs)
{
    (*refs)--;
    if (from == to) {
        to->own_refs--;
    }
}

/* ---- steering.c ---------------------------------------------------------- */

/* Sort order of trees by id or index. */
gint steering_number_order(gconstpointer a, gconstpointer b);
/* Charge memory to the owner, returning false at the limit; credit it. */
bool steering_charge(Mlx5Steering *s, size_t bytes);
void steering_uncharge(Mlx5Steering *s, size_t bytes);
/* Returns a free id; *@next is where the next search starts. */
uint32_t steering_new_id(GTree *live, uint32_t *next);

/* ---- steering_table.c ---------------------------------------------------- */

/* Releases the references of a table and its entries. */
void steering_table_put(Mlx5Steering *s, Table *t);
/* Frees a table, its groups and its entries, which hold no references now. */
void steering_table_free(Mlx5Steering *s, Table *t);
/* Returns the group with that id if it belongs to the table. */
Group *steering_group_find(const Mlx5Steering *s, const Table *t,
                           uint32_t group_id);
/* Returns the last group that starts at or before an index, or NULL. */
Group *steering_group_at(const Table *t, uint32_t flow_index);

/* ---- steering_fte.c ------------------------------------------------------ */

/*
 * The same two for one entry, which is no longer in a tree, or in one about to
 * be freed.
 */
void steering_fte_put(Mlx5Steering *s, Fte *fte);
void steering_fte_free(Mlx5Steering *s, Fte *fte);

/* ---- steering_modify.c --------------------------------------------------- */

/* Applies the context to a packet. */
void modify_apply(const Modify *m, WayState *st);

#endif
