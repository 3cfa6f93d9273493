"""The lab's cables: one bridge per network, one port per node and network, all inside the lab's network namespace."""

from __future__ import annotations

import os

from holdfast.lab.backend import Port
from holdfast.lab.command import run
from holdfast.lab.topology import Machine, Topology


def transport() -> str:
    """"tap" where this user may open /dev/net/tun, else "raw" (a packet socket on one end of a veth pair)."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError:
        return "raw"
    return "tap"


def bridge_name(topology: Topology, network: str) -> str:
    return f"br{next(i for i, known in enumerate(topology.networks) if known.name == network)}"


def _lab_end(machine: Machine, place: int) -> str:
    """The interface that is attached to the bridge."""
    return f"b{machine.index}n{place}"


def ports(topology: Topology, machine: Machine, kind: str) -> tuple[Port, ...]:
    """What the backend attaches the machine to."""
    prefix = "b" if kind == "tap" else "p"
    return tuple(Port(network, f"{prefix}{machine.index}n{place}", topology.mac(machine, network))
                 for place, network in enumerate(machine.networks))


def build_network(topology: Topology, kind: str) -> None:
    """Make all bridges and ports in one call of ip(8)."""
    lines = ["link set lo up"]
    for network in topology.networks:
        bridge = bridge_name(topology, network.name)
        # A learning bridge without spanning tree and without snooping: a plain switch.
        lines.append(f"link add {bridge} type bridge forward_delay 0 stp_state 0 mcast_snooping 0")
        if network.gateway:
            lines.append(f"address add {network.gateway} dev {bridge}")
        lines.append(f"link set {bridge} up")
    for machine in topology.machines:
        for place, network_name in enumerate(machine.networks):
            end = _lab_end(machine, place)
            if kind == "tap":
                lines.append(f"tuntap add dev {end} mode tap")
            else:
                lines += [f"link add {end} type veth peer name p{machine.index}n{place}",
                          f"link set p{machine.index}n{place} up"]
            lines.append(f"link set {end} master {bridge_name(topology, network_name)} up")
    run(["ip", "-batch", "-"], stdin="\n".join(lines) + "\n")


def set_cable(topology: Topology, machine: Machine, network: str, plugged: bool) -> None:
    """Attach or detach the machine's port of that network. Both may be done twice."""
    end = _lab_end(machine, machine.networks.index(network))
    run(["ip", "link", "set", end, *(["master", bridge_name(topology, network)] if plugged else ["nomaster"])])
