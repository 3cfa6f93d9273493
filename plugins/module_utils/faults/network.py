# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that lose, delay or vanish. Interfaces are found by the node's own address in the network.

Dropping is done at the device (nftables, family netdev, ingress and egress): below everything else, so that neither
ARP nor the raw packets of keepalived slip past it.
"""

from __future__ import annotations

import json
import shlex

from ..command import run, run_full
from ..errors import HoldfastError
from .base import Fault

ISCSI_PORT = 3260
# Before every other chain of the device (nft(8), priority of base chains).
PRIORITY = -500


def interfaces_with(addresses):
    """Interface names of the node's own addresses, in that order."""
    found = {}
    for link in json.loads(run(["ip", "-json", "-4", "address", "show"])):
        for entry in link.get("addr_info", []):
            found[entry["local"]] = link["ifname"]
    missing = [address for address in addresses if address not in found]
    if missing:
        raise HoldfastError(f"this node has no interface with {', '.join(missing)}")
    return [found[address] for address in addresses]


def build_drop_rules(table, interfaces, peers=(), direction="both", port=None):
    """The nftables script of a table that drops; counters tell afterwards whether anything met it."""
    lines = [f"table netdev {table} {{"]
    for interface in interfaces:
        if direction in ("in", "both"):
            lines += _chain("ingress", interface, [_match("saddr", peers, word) for word in _ports("sport", port)])
        if direction in ("out", "both"):
            lines += _chain("egress", interface, [_match("daddr", peers, word) for word in _ports("dport", port)])
    return "\n".join([*lines, "}", ""])


def _ports(side, port):
    return [f"tcp {side} {port} "] if port else [""]


def _match(side, peers, ports):
    only = f"ip {side} {{ {', '.join(peers)} }} " if peers else ""
    return f"    {only}{ports}counter drop"


def _chain(hook, interface, rules):
    name = f"{hook}_{interface}".replace("-", "_").replace(".", "_")
    head = f'    type filter hook {hook} device "{interface}" priority {PRIORITY}; policy accept;'
    return [f"  chain {name} {{", head, *rules, "  }"]


class Dropping(Fault):
    """Common to all faults that load a table of drop rules."""

    def table(self):
        return "holdfast_fault_" + self.context.id.replace("-", "_")

    def rules(self):
        """The nftables script."""
        raise NotImplementedError

    def inject(self):
        run(["nft", "-f", "-"], stdin=self.rules())

    def prove(self):
        done = run_full(["nft", "-j", "list", "table", "netdev", self.table()], expected=(0, 1))
        if done.returncode:
            return False, "the table with the drop rules is not loaded"
        return True, f"drop rules loaded, {count_packets(done.stdout)} packets dropped so far"

    def heal_commands(self):
        return [["nft", "delete", "table", "netdev", self.table()]]


def count_packets(text):
    """Sum of the counters in nft's JSON listing."""
    entries = json.loads(text)["nftables"]
    expressions = [e for entry in entries for e in entry.get("rule", {}).get("expr", [])]
    return sum(e["counter"]["packets"] for e in expressions if "counter" in e)


class NetworkDrop(Dropping):
    """Everything, or everything with some peers, on some of the node's networks."""

    required = ("addresses",)
    optional = (
        ("peers", ()),
        ("direction", "both"),
    )

    def rules(self):
        interfaces = interfaces_with(self.parameters["addresses"])
        return build_drop_rules(self.table(), interfaces, self.parameters["peers"], self.parameters["direction"])


class StorageDrop(Dropping):
    """iSCSI traffic on some of the node's networks: one path, or all."""

    required = ("addresses",)

    def rules(self):
        return build_drop_rules(self.table(), interfaces_with(self.parameters["addresses"]), port=ISCSI_PORT)


class Queueing(Fault):
    """Common to loss and delay: a netem queueing discipline at the root of each interface."""

    required = ("addresses",)

    def netem(self):
        """netem's words (tc-netem(8))."""
        raise NotImplementedError

    def remember(self):
        return {"interfaces": interfaces_with(self.parameters["addresses"])}

    def inject(self):
        for interface in self.memory["interfaces"]:
            run(["tc", "qdisc", "replace", "dev", interface, "root", "netem", *self.netem()])

    def prove(self):
        seen = {i: self._kind(i) for i in self.memory["interfaces"]}
        return all(kind == "netem" for kind in seen.values()), f"queueing disciplines: {seen}"

    def _kind(self, interface):
        listed = json.loads(run(["tc", "-json", "qdisc", "show", "dev", interface, "root"]) or "[]")
        return listed[0]["kind"] if listed else "none"

    def heal_commands(self):
        return [["tc", "qdisc", "del", "dev", interface, "root"] for interface in self.memory.get("interfaces", [])]


class NetworkLoss(Queueing):
    """A share of the packets that leave."""

    required = ("addresses", "percent")

    def netem(self):
        return ["loss", f"{self.parameters['percent']:g}%"]


class NetworkDelay(Queueing):
    """All packets that leave, late."""

    required = ("addresses", "milliseconds")
    optional = (("jitter_milliseconds", 0),)

    def netem(self):
        delay = ["delay", f"{self.parameters['milliseconds']:g}ms"]
        jitter = self.parameters["jitter_milliseconds"]
        return [*delay, f"{jitter:g}ms"] if jitter else delay


class NetworkFlap(Dropping):
    """A network that vanishes and returns in a rhythm, kept up by a transient unit."""

    required = ("addresses", "down_seconds", "up_seconds")
    optional = (("peers", ()),)

    def unit(self):
        return f"holdfast-fault-{self.context.id}-loop"

    def rules(self):
        return build_drop_rules(self.table(), interfaces_with(self.parameters["addresses"]), self.parameters["peers"])

    def inject(self):
        down, up = self.parameters["down_seconds"], self.parameters["up_seconds"]
        load = f"printf %s {shlex.quote(self.rules())} | nft -f -"
        remove = f"nft delete table netdev {self.table()}"
        loop = f"while :; do {load}; sleep {down:g}; {remove}; sleep {up:g}; done"
        run(["systemd-run", "--quiet", "--collect", f"--unit={self.unit()}", "/bin/sh", "-c", loop])

    def prove(self):
        done = run_full(["systemctl", "is-active", f"{self.unit()}.service"], expected=(0, 3, 4))
        return done.stdout.strip() == "active", f"the flapping unit is {done.stdout.strip()}"

    def heal_commands(self):
        return [["systemctl", "stop", f"{self.unit()}.service"], *super().heal_commands()]
