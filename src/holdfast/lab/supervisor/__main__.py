"""Start a lab: `python -m holdfast.lab.supervisor LAB_DIRECTORY`, already inside the lab's new namespaces.

The first process of the PID namespace only collects orphans; its child is the supervisor. When either ends, the kernel
ends every process of the lab, and with them its network and its mounts: there is nothing to clean up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from holdfast.lab.backend import Boot
from holdfast.lab.backend.registry import backend_by_name
from holdfast.lab.command import run
from holdfast.lab.folder import Folder
from holdfast.lab.jail import mount_jail
from holdfast.lab.supervisor import network
from holdfast.lab.supervisor.control import Control
from holdfast.lab.supervisor.node import Node
from holdfast.lab.supervisor.scheduling import processor_for


def main() -> int:
    child = os.fork()
    if child:
        return collect_orphans(child)
    supervise(Folder(Path(sys.argv[1])))
    return 0


def collect_orphans(child: int) -> int:
    """Wait for every process that is handed to the first of its PID namespace (pid_namespaces(7)), until `child` ends."""
    while True:
        ended, status = os.wait()
        if ended == child:
            return os.waitstatus_to_exitcode(status)


def supervise(folder: Folder) -> None:
    run(["mount", "-t", "proc", "proc", "/proc"])
    record = folder.read()
    topology, image = record.topology, record.image
    backend = backend_by_name(record.backend)
    if backend.name == "uml":
        mount_jail(image.runtime, lab=folder.path, image=image.directory)
    kind = network.transport()
    network.build_network(topology, kind)
    nodes = {}
    for number, machine in enumerate(topology.machines):
        boot = Boot(machine, image, folder.node(machine.name), network.ports(topology, machine, kind), kind)
        backend.prepare(boot)
        nodes[machine.name] = Node(boot, backend, processor_for(number) if backend.one_processor else None)
    control = Control(topology, nodes, folder.control)
    for node in nodes.values():
        node.power_on()
    control.serve()
    folder.control.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
