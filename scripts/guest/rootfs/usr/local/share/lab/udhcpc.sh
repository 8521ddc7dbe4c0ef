#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What udhcpc calls with a lease: puts address, route and name server in place.
# State: the interface named in $interface and /etc/resolv.conf. Called by: lab-net.

# shellcheck disable=SC2154  # interface, ip, mask: set by udhcpc
case $1 in
deconfig)
    ip -4 addr flush dev "$interface"
    ;;
bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    for gateway in ${router:-}; do
        ip route replace default via "$gateway" dev "$interface"
        break
    done
    for server in ${dns:-}; do
        echo "nameserver $server"
    done >/etc/resolv.conf
    ;;
esac
