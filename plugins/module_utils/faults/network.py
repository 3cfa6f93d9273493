# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that lose, delay or vanish. Interfaces are found by the node's own address in the network.

Dropping is done by traffic control (clsact, tc(8)) at the device: below everything else, so that neither ARP nor the raw
packets of keepalived slip past it, and without a packet filter in the kernel.
"""

from __future__ import annotations

import json
import shlex
import zlib
from abc import abstractmethod

from ..command import run, run_full
from ..errors import HoldfastError
from .base import Fault

ISCSI_PORT = 3260
# Filters of a fault share one preference, which is how they are found and removed; beyond what tc chooses by itself
# (49152 downwards) there is nobody else.
FIRST_PREFERENCE, PREFERENCES = 50000, 10000
DROP = ("action", "drop")
# A discipline for some peers only hangs below one with a band of its own, which nothing reaches without a filter: the
# default map of tc-prio(8) knows the first three.
ROOT, BAND = "5f:", "5f:4"


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


def preference_of(fault_id):
    """The preference of a fault's filters, from its name alone."""
    return FIRST_PREFERENCE + zlib.crc32(fault_id.encode()) % PREFERENCES


def build_drop_commands(preference, interfaces, peers=(), direction="both", port=None):
    """Commands that make packets vanish: all of them, those of some peers, or those of one TCP port."""
    sides = {"in": ("ingress",), "out": ("egress",), "both": ("ingress", "egress")}[direction]
    commands = [["tc", "qdisc", "add", "dev", interface, "clsact"] for interface in interfaces]
    for interface in interfaces:
        for side in sides:
            head = ["tc", "filter", "add", "dev", interface, side, "pref", str(preference)]
            commands += [[*head, *match, *DROP] for match in build_matches(side, peers, port)]
    return commands


def build_matches(side, peers, port):
    """Words of the classifier, one list per filter (tc-flower(8), tc-matchall(8))."""
    if not peers and port is None:
        return [["protocol", "all", "matchall"]]
    end = "src" if side == "ingress" else "dst"
    ports = ["ip_proto", "tcp", f"{end}_port", str(port)] if port is not None else []
    addresses = [[f"{end}_ip", peer] for peer in peers] or [[]]
    return [["protocol", "ip", "flower", *address, *ports] for address in addresses]


def build_removal_commands(preference, interfaces):
    """Commands that remove every filter of a fault; the empty clsact stays, others may use it."""
    return [
        ["tc", "filter", "del", "dev", interface, side, "pref", str(preference)]
        for interface in interfaces
        for side in ("ingress", "egress")
    ]


def count_dropped(text):
    """(filters, packets dropped) of tc's JSON listing with statistics."""
    filters = [entry for entry in json.loads(text or "[]") if "options" in entry]
    actions = [action for entry in filters for action in entry["options"].get("actions", [])]
    return len(actions), sum(action.get("stats", {}).get("packets", 0) for action in actions)


class Dropping(Fault):
    """Common to all faults that make packets vanish."""

    def preference(self):
        return preference_of(self.context.id)

    @abstractmethod
    def drop(self, interfaces):
        """Commands that drop what this fault is about."""

    def remember(self):
        return {"interfaces": interfaces_with(self.parameters["addresses"])}

    def inject(self):
        for command in self.drop(self.memory["interfaces"]):
            # Adding clsact fails with 2 where it is there already.
            run(command, expected=(0, 2) if command[-1] == "clsact" else (0,))

    def prove(self):
        filters, packets = self._count()
        return filters > 0, f"{filters} drop filters on {', '.join(self.memory['interfaces'])}, {packets} packets dropped so far"

    def effect(self):
        """A filter that nothing ever ran into has cut nothing."""
        filters, packets = self._count()
        return packets > 0, f"{filters} drop filters on {', '.join(self.memory['interfaces'])} dropped {packets} packets"

    def _count(self):
        found = [self._listed(interface, side) for interface in self.memory["interfaces"] for side in ("ingress", "egress")]
        return sum(f for f, _p in found), sum(p for _f, p in found)

    def _listed(self, interface, side):
        argv = ["tc", "-s", "-json", "filter", "show", "dev", interface, side, "pref", str(self.preference())]
        return count_dropped(run(argv))

    def heal_commands(self):
        return build_removal_commands(self.preference(), self.memory.get("interfaces", []))


class NetworkDrop(Dropping):
    """Everything, or everything with some peers, on some of the node's networks."""

    required = ("addresses",)
    optional = (
        ("peers", ()),
        ("direction", "both"),
    )

    def drop(self, interfaces):
        return build_drop_commands(self.preference(), interfaces, self.parameters["peers"], self.parameters["direction"])


class StorageDrop(Dropping):
    """iSCSI traffic on some of the node's networks: one path, or all."""

    required = ("addresses",)

    def drop(self, interfaces):
        return build_drop_commands(self.preference(), interfaces, port=ISCSI_PORT)


def build_queueing_commands(interface, netem, peers=()):
    """Commands that put a netem discipline on what leaves: all of it, or only IP packets to some peers."""
    qdisc = ["tc", "qdisc", "replace", "dev", interface]
    if not peers:
        return [[*qdisc, "root", "netem", *netem]]
    filters = [["tc", "filter", "add", "dev", interface, "parent", ROOT, *match, "classid", BAND]
               for match in build_matches("egress", peers, None)]  # fmt: skip
    return [[*qdisc, "root", "handle", ROOT, "prio", "bands", "4"], [*qdisc, "parent", BAND, "netem", *netem], *filters]


def count_queued(text):
    """(netem disciplines, packets that went through or were lost in them) of tc's JSON listing with statistics."""
    found = [entry for entry in json.loads(text or "[]") if entry.get("kind") == "netem"]
    return len(found), sum(entry.get("packets", 0) + entry.get("drops", 0) for entry in found)


class Queueing(Fault):
    """Common to loss and delay: a netem queueing discipline on each interface, for everybody or for some peers."""

    required = ("addresses",)
    optional = (("peers", ()),)

    @abstractmethod
    def netem(self):
        """netem's words (tc-netem(8))."""

    def remember(self):
        return {"interfaces": interfaces_with(self.parameters["addresses"])}

    def inject(self):
        for interface in self.memory["interfaces"]:
            for command in build_queueing_commands(interface, self.netem(), self.parameters["peers"]):
                run(command)

    def prove(self):
        found = self._count()
        shaped = {interface: disciplines for interface, (disciplines, _packets) in found.items()}
        words = ", ".join(f"{interface} {'netem' if disciplines else 'none'}" for interface, disciplines in shaped.items())
        return all(shaped.values()), f"queueing disciplines: {words}"

    def effect(self):
        """A discipline that no packet went through has changed nothing."""
        packets = sum(packets for _disciplines, packets in self._count().values())
        return packets > 0, f"netem on {', '.join(self.memory['interfaces'])} had {packets} packets"

    def _count(self):
        return {i: count_queued(run(["tc", "-s", "-json", "qdisc", "show", "dev", i])) for i in self.memory["interfaces"]}

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
    optional = (*Queueing.optional, ("jitter_milliseconds", 0))

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

    def effect(self):
        """Its filters, and the counters with them, come and go."""

    def drop(self, interfaces):
        return build_drop_commands(self.preference(), interfaces, self.parameters["peers"])

    def inject(self):
        down, up = self.parameters["down_seconds"], self.parameters["up_seconds"]
        cut = "; ".join(shlex.join(command) for command in self.drop(self.memory["interfaces"]))
        mend = "; ".join(shlex.join(command) for command in super().heal_commands())
        loop = f"while :; do {cut}; sleep {down:g}; {mend}; sleep {up:g}; done 2>/dev/null"
        run(["systemd-run", "--quiet", "--collect", f"--unit={self.unit()}", "/bin/sh", "-c", loop])

    def prove(self):
        done = run_full(["systemctl", "is-active", f"{self.unit()}.service"], expected=(0, 3, 4))
        return done.stdout.strip() == "active", f"the flapping unit is {done.stdout.strip()}"

    def heal_commands(self):
        return [["systemctl", "stop", f"{self.unit()}.service"], *super().heal_commands()]
