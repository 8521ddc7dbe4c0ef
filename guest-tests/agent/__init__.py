# SPDX-License-Identifier: GPL-2.0-or-later
"""The part of the tests that runs at both ends of the link.

Responsible for: naming the modules that lib/hosts.py sends to an end and starts there. Nothing is
installed on the remote machine: the sources travel over the agent's standard input.
State: none. Standard library only; no import of lib/.
"""

MODULES = ("agent", "agent.payload", "agent.procs", "agent.ktls", "agent.tcp", "agent.rawnet",
           "agent.icmp", "agent.control", "agent.many", "agent.ethtool", "agent.pcap", "agent.loop")
