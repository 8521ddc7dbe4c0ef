/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of a capture, and the thread that writes it; see pcapfile.h. */
#include "qemu/osdep.h"
#include <sys/stat.h>
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/queue.h"
#include "qemu/thread.h"
#include "qemu/units.h"
#include "engine/pcapng.h"
#include "pcapfile.h"

#define APPLICATION "mlx5-ktls"
/* What may wait to be written. */
#define QUEUE_MAX (32 * MiB)
/* How long the end of a file may take, when its reader or disk stands still. */
#define CLOSE_MS 10000

struct Mlx5PcapFile {
    char *path;
    int fd;
    dev_t dev;
    ino_t ino;
    bool regular;
    unsigned users;
    uint32_t interfaces;
    uint64_t size; /* of all blocks that it took */
    QLIST_ENTRY(Mlx5PcapFile) next; /* in files */

    QemuThread thread;
    QemuMutex lock; /* of the rest */
    QemuCond more;  /* there is something to write, or it closes */
    QemuCond idle;  /* the thread is at its end */
    GByteArray *queue;
    bool closing;
    bool ended;  /* nothing more is taken */
    bool over;   /* the thread is at its end */
};

static QLIST_HEAD(, Mlx5PcapFile) files = QLIST_HEAD_INITIALIZER(files);

/* ---------------------------------------------------------- the thread --- */

/* Returns how many bytes of @blocks are whole blocks, of its first @n. */
static size_t whole_blocks(const GByteArray *blocks, size_t n)
{
    size_t at = 0;
    uint32_t len;

    while (n - at >= 8) {
        memcpy(&len, blocks->data + at + 4, sizeof(len));
        if (len > n - at) {
            break;
        }
        at += len;
    }
    return at;
}

/* Writes to the file, which has @before bytes. Returns false on an error. */
static bool write_blocks(Mlx5PcapFile *file, const GByteArray *blocks,
                         uint64_t before)
{
    size_t off = 0;

    while (off < blocks->len) {
        ssize_t n = RETRY_ON_EINTR(write(file->fd, blocks->data + off,
                                         blocks->len - off));

        if (n < 0) {
            int why = errno;

            if (file->regular &&
                ftruncate(file->fd, before + whole_blocks(blocks, off)) < 0) {
                /* then its last block is incomplete */
            }
            warn_report("mlx5-ktls: capture=%s: %s: the capture has ended",
                        file->path, strerror(why));
            return false;
        }
        off += n;
    }
    return true;
}

static void *writer(void *opaque)
{
    Mlx5PcapFile *file = opaque;
    GByteArray *blocks = g_byte_array_new();
    uint64_t written = 0;
    bool ok = true;

    qemu_mutex_lock(&file->lock);
    while (file->queue->len || !file->closing) {
        GByteArray *next = file->queue;

        if (!next->len) {
            qemu_cond_wait(&file->more, &file->lock);
            continue;
        }
        file->queue = blocks;
        blocks = next;
        qemu_mutex_unlock(&file->lock);
        ok = ok && write_blocks(file, blocks, written);
        written += blocks->len;
        g_byte_array_set_size(blocks, 0);
        qemu_mutex_lock(&file->lock);
        file->ended |= !ok;
    }
    file->over = true;
    qemu_cond_signal(&file->idle);
    qemu_mutex_unlock(&file->lock);
    g_byte_array_unref(blocks);
    return NULL;
}

/* ---------------------------------------------------------- the device --- */

static void file_free(Mlx5PcapFile *file)
{
    close(file->fd);
    qemu_mutex_destroy(&file->lock);
    qemu_cond_destroy(&file->more);
    qemu_cond_destroy(&file->idle);
    g_byte_array_unref(file->queue);
    g_free(file->path);
    g_free(file);
}

/* Waits until everything is written, but not forever. */
static void file_close(Mlx5PcapFile *file)
{
    bool over = true;

    QLIST_REMOVE(file, next);
    qemu_mutex_lock(&file->lock);
    file->closing = true;
    qemu_cond_signal(&file->more);
    while (!file->over && over) {
        over = qemu_cond_timedwait(&file->idle, &file->lock, CLOSE_MS);
    }
    over = file->over;
    qemu_mutex_unlock(&file->lock);
    if (over) {
        qemu_thread_join(&file->thread);
        file_free(file);
    } else {
        /* the thread still has it */
        warn_report("mlx5-ktls: capture=%s: not written within %d s: it is "
                    "incomplete", file->path, CLOSE_MS / 1000);
    }
}

static void append(Mlx5PcapFile *file, const GByteArray *block)
{
    g_byte_array_append(file->queue, block->data, block->len);
    file->size += block->len;
    qemu_cond_signal(&file->more);
}

static void begin(Mlx5PcapFile *file)
{
    g_autoptr(GByteArray) block = g_byte_array_new();

    qemu_mutex_init(&file->lock);
    qemu_cond_init(&file->more);
    qemu_cond_init(&file->idle);
    file->queue = g_byte_array_new();
    mlx5_pcapng_section(block, APPLICATION);
    append(file, block);
    qemu_thread_create(&file->thread, "mlx5-capture", writer, file,
                       QEMU_THREAD_JOINABLE);
    QLIST_INSERT_HEAD(&files, file, next);
}

/*
 * Opens without waiting for a FIFO's reader; later the thread may wait for it.
 */
static int open_file(const char *path, struct stat *st)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);

    if (fd < 0) {
        return -1;
    }
    if (fstat(fd, st) < 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

Mlx5PcapFile *mlx5_pcapfile_open(const char *path, Error **errp)
{
    Mlx5PcapFile *file;
    struct stat st;
    int fd = open_file(path, &st);

    if (fd < 0) {
        error_setg_errno(errp, errno, "capture=%s: cannot be opened", path);
        return NULL;
    }
    QLIST_FOREACH(file, &files, next) {
        if (file->dev == st.st_dev && file->ino == st.st_ino) {
            close(fd);
            file->users++;
            return file;
        }
    }
    if (S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0) {
        error_setg_errno(errp, errno, "capture=%s: cannot be emptied", path);
        close(fd);
        return NULL;
    }
    file = g_new0(Mlx5PcapFile, 1);
    *file = (Mlx5PcapFile) {
        .path = g_strdup(path),
        .fd = fd,
        .dev = st.st_dev,
        .ino = st.st_ino,
        .regular = S_ISREG(st.st_mode),
        .users = 1,
    };
    begin(file);
    return file;
}

void mlx5_pcapfile_close(Mlx5PcapFile *file)
{
    if (!--file->users) {
        file_close(file);
    }
}

uint32_t mlx5_pcapfile_interface(Mlx5PcapFile *file, const char *name,
                                 const char *description)
{
    g_autoptr(GByteArray) block = g_byte_array_new();

    mlx5_pcapng_interface(block, name, description);
    qemu_mutex_lock(&file->lock);
    if (!file->ended) {
        append(file, block);
    }
    qemu_mutex_unlock(&file->lock);
    return file->interfaces++;
}

bool mlx5_pcapfile_write(Mlx5PcapFile *file, const GByteArray *block,
                         uint64_t max)
{
    bool full = false, taken = false;

    qemu_mutex_lock(&file->lock);
    if (!file->ended) {
        full = max && (file->size > max || block->len > max - file->size);
        taken = !full && block->len <= QUEUE_MAX - file->queue->len;
        file->ended = full;
    }
    if (taken) {
        append(file, block);
    }
    qemu_mutex_unlock(&file->lock);
    if (full) {
        warn_report("mlx5-ktls: capture=%s: %" PRIu64 " bytes, capture-max=%"
                    PRIu64 " allows no more: the capture has ended",
                    file->path, file->size, max);
    }
    return taken;
}
