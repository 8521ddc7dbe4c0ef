/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of FreeBSD's sequences share. Owns no state. */
#ifndef TESTS_QTEST_MLX5_FREEBSD_RIG_H
#define TESTS_QTEST_MLX5_FREEBSD_RIG_H

#include "mlx5-tls.h"

/* Its CREATE_GENERAL_OBJECT for a key is shorter than Linux's. */
#define BSD_DEK_LEN 272

static inline uint32_t bsd_dek(Drv *d, const TlsConn *c)
{
    uint8_t out[16];
    uint32_t len;
    g_autofree uint8_t *in = drv_dek_cmd(d, c->key, c->key_len, &len);

    drv_cmd_ok(d, in, BSD_DEK_LEN, out, sizeof(out));
    return MLX5_GET(general_obj_out_cmd_hdr, out, obj_id);
}

#endif
