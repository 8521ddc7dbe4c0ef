/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A capture of what comes to the wire: see capture.h.
 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define MAGIC           0xa1b2c3d4u     /* times are in microseconds */
#define LONGEST         262144u         /* no frame is cut */
#define ETHERNET        1u
#define USEC            1000000

/* In the byte order of this machine, which a reader tells by the magic. */
typedef struct FileHeader {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy;
    uint32_t longest;
    uint32_t link;
} FileHeader;

typedef struct FrameHeader {
    uint32_t seconds, microseconds;
    uint32_t kept, length;
} FrameHeader;

static void put(WireCapture *c, const void *data, size_t len)
{
    errno = 0;
    if (!c->error && fwrite(data, 1, len, c->file) != len) {
        c->error = errno ? errno : EIO;
    }
}

bool wire_capture_begin(WireCapture *c, const char *path, char **err)
{
    const FileHeader header = { MAGIC, 2, 4, 0, 0, LONGEST, ETHERNET };
    int fd;

    if (c->file) {
        *err = g_strdup_printf("a capture into %s is under way", c->path);
        return false;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        *err = g_strdup_printf("%s: %s", path, g_strerror(errno));
        return false;
    }
    g_free(c->path);
    *c = (WireCapture){ .file = fdopen(fd, "w"), .path = g_strdup(path) };
    if (!c->file) {
        *err = g_strdup_printf("%s: %s", path, g_strerror(errno));
        close(fd);
        return false;
    }
    put(c, &header, sizeof(header));
    return true;
}

void wire_capture_frame(WireCapture *c, const uint8_t *frame, size_t len,
                        int64_t now)
{
    FrameHeader header = {
        (uint32_t)(now / USEC), (uint32_t)(now % USEC), (uint32_t)len,
        (uint32_t)len,
    };

    if (!c->file) {
        return;
    }
    put(c, &header, sizeof(header));
    put(c, frame, len);
    c->frames++;
    c->bytes += len;
}

bool wire_capture_end(WireCapture *c, char **err)
{
    if (!c->file) {
        *err = g_strdup("no capture is under way");
        return false;
    }
    if (fclose(c->file) && !c->error) {
        c->error = errno;
    }
    c->file = NULL;
    if (c->error) {
        *err = g_strdup_printf("%s is incomplete: %s", c->path,
                               g_strerror(c->error));
    }
    return !c->error;
}
