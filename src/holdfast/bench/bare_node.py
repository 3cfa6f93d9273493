"""The floor under everything that boots: one node's kernel process with one network and nothing around it.

Run inside namespaces of its own: `python -m holdfast.bench.bare_node IMAGE FOLDER`. FOLDER holds keys/ and becomes the
jail's /lab. Prints one JSON object: seconds to the SSH greeting, memory then, and seconds to end it.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

from holdfast.lab.backend import Boot
from holdfast.lab.backend.uml import UserModeLinux
from holdfast.lab.command import run
from holdfast.lab.errors import LabError
from holdfast.lab.image.store import Image
from holdfast.lab.jail import mount_jail
from holdfast.lab.seed import write_seed
from holdfast.lab.supervisor import network
from holdfast.lab.supervisor.node import Node
from holdfast.lab.topology import Topology, parse_topology
from holdfast.lab.wait import wait_for


def bare_topology() -> Topology:
    topology, problems = parse_topology({"networks": {"mgmt": {"subnet": "10.20.9.0/24"}},
                                         "nodes": {"node1": {"role": "node", "host": 11}}})
    if topology is None:
        raise LabError("; ".join(problems))
    return topology


def main() -> int:
    image, folder = Image(Path(sys.argv[1])), Path(sys.argv[2])
    topology, backend = bare_topology(), UserModeLinux()
    machine = topology.machines[0]
    run(["mount", "-t", "proc", "proc", "/proc"])
    mount_jail(image.runtime, lab=folder, image=image.directory)
    kind = network.transport()
    network.build_network(topology, kind)
    directory = folder / "nodes" / machine.name
    directory.mkdir(parents=True)
    boot = Boot(machine, image, directory, network.ports(topology, machine, kind), kind)
    write_seed(boot.seed, topology, boot, backend, folder / "keys")
    node = Node(boot, backend)
    started = time.monotonic()
    node.power_on()
    address = str(topology.addresses(machine)["mgmt"].ip)
    wait_for("the bare node greets", lambda: greets(address) or None, timeout_seconds=120, interval_seconds=0.02)
    up = time.monotonic()
    memory = node.memory_mib()
    ending = time.monotonic()
    node.power_off()
    print(json.dumps({"up_seconds": up - started, "memory_mib": memory, "end_seconds": time.monotonic() - ending}))
    return 0


def greets(address: str) -> bool:
    """Whether the SSH server says its name (RFC 4253, section 4.2)."""
    try:
        with socket.create_connection((address, 22), 1) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
