"""`holdfast lab VERB`: the lab from the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from holdfast.lab.backend.registry import BACKENDS
from holdfast.lab.console import attach_console
from holdfast.lab.errors import LabError, UsageError
from holdfast.lab.host import install_missing
from holdfast.lab.lab import Lab, labs
from holdfast.lab.node import Node
from holdfast.lab.topology import SYSTEMS, builtin_topologies, load_topology
from holdfast.progress import Progress
from holdfast.verbs import add_verb

DEFAULT_NAME = "lab"
Handler = Callable[[argparse.Namespace], int]


def add_arguments(areas: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `lab` and its verbs to the command line."""
    parser = areas.add_parser("lab", help="real nodes on this machine", description="A lab of real Linux nodes on this "
                              "machine: up, down, power, cables, consoles.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (_add_up, _add_down, _add_status, _add_ssh, _add_console, _add_power, _add_freeze, _add_cable, _add_logs,
                _add_list):
        add(verbs)


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, handler: Handler, text: str, *,
          with_json: bool = False) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, text)
    parser.add_argument("--name", default=os.environ.get("HOLDFAST_LAB", DEFAULT_NAME),
                        help="the lab's name (default: $HOLDFAST_LAB, else 'lab')")
    if with_json:
        parser.add_argument("--json", action="store_true", help="print the state as JSON")
    parser.set_defaults(run=handler)
    return parser


def _add_node(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NODE", help="one of the lab's nodes, as `holdfast lab status` names them")


def _add_up(verbs: Any) -> None:
    parser = _verb(verbs, "up", up, "build what is missing, boot the nodes and wait until they answer", with_json=True)
    known = ", ".join(builtin_topologies())
    parser.add_argument("--topology", default="default", help=f"a file, or one of these names: {known} (default: default)")
    parser.add_argument("--nodes", type=int, metavar="N", help="number of cluster nodes, 1 to 8 (default: the topology's)")
    parser.add_argument("--system", choices=sorted(SYSTEMS), help="the nodes' Debian (default: the topology's)")
    parser.add_argument("--backend", choices=sorted(BACKENDS), default="uml", help="how nodes run (default: uml)")
    parser.add_argument("--install", action="store_true", help="first install the Debian packages that are missing here")
    parser.add_argument("--fresh", action="store_true", help="delete the disks of an older lab of this name first")


def up(arguments: argparse.Namespace) -> int:
    topology = load_topology(arguments.topology)
    if arguments.nodes is not None:
        topology = topology.with_cluster_nodes(arguments.nodes)
    if arguments.system:
        topology = topology.with_system(arguments.system)
    lab = Lab(arguments.name)
    with Progress(f"lab {lab.name}") as report:
        if arguments.install:
            install_missing(qemu=arguments.backend == "qemu", report=report)
        changed = lab.up(topology, backend=arguments.backend, fresh=arguments.fresh, report=report)
    if not arguments.json and not changed:
        print(f"The lab '{lab.name}' was up already.")
    return _print_status(lab, arguments.json)


def _add_down(verbs: Any) -> None:
    parser = _verb(verbs, "down", down, "let the nodes write their caches, then end the lab", with_json=True)
    parser.add_argument("--delete", action="store_true", help="delete its disks, keys and logs as well")


def down(arguments: argparse.Namespace) -> int:
    lab = Lab(arguments.name)
    with Progress(f"lab {lab.name}") as report:
        changed = lab.down(delete=arguments.delete, report=report)
    if arguments.json:
        print(json.dumps({"name": lab.name, "changed": changed}))
    else:
        print(f"The lab '{lab.name}' is down." if changed else f"There is no lab '{lab.name}' that is up; nothing to do.")
    return 0


def _add_status(verbs: Any) -> None:
    _verb(verbs, "status", status, "show the nodes and their state (exit code 1 unless all are on)", with_json=True)


def status(arguments: argparse.Namespace) -> int:
    return _print_status(Lab(arguments.name), arguments.json)


def _print_status(lab: Lab, as_json: bool) -> int:
    nodes = lab.status()
    all_on = lab.runs and all(node["state"] == "on" for node in nodes.values())
    if as_json:
        addresses = {node.name: node.addresses for node in lab.nodes}
        data = {"name": lab.name, "up": lab.runs, "backend": lab.record.backend, "ssh_config": str(lab.ssh_config),
                "nodes": {name: {**state, "addresses": addresses[name]} for name, state in nodes.items()}}
        print(json.dumps(data, indent=2))
        return 0 if all_on else 1
    print(f"{'NODE':<16}{'ROLE':<8}{'STATE':<8}{'UP':>8}{'BOOTS':>7}{'MEMORY':>9}  NOTE")
    for name, node in nodes.items():
        print(_status_line(name, node))
    return 0 if all_on else 1


def _status_line(name: str, node: dict[str, Any]) -> str:
    uptime = f"{node['uptime_seconds']:.0f} s" if node.get("uptime_seconds") else "-"
    memory = f"{node['memory_mib']:.0f} MiB" if node.get("memory_mib") else "-"
    notes = [note for note in (node.get("reason"), node.get("unplugged") and f"unplugged: {', '.join(node['unplugged'])}",
                               node.get("last_exit") and f"last: {node['last_exit']}") if note]
    return (f"{name:<16}{node['role']:<8}{node['state']:<8}{uptime:>8}{node.get('boots', 0):>7}{memory:>9}  "
            f"{'; '.join(notes)}").rstrip()


def _add_ssh(verbs: Any) -> None:
    parser = _verb(verbs, "ssh", ssh, "a root shell on a node, or a command there")
    _add_node(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND", help="run this in place of a shell")


def ssh(arguments: argparse.Namespace) -> int:
    node = Lab.open(arguments.name).node(arguments.node)
    words = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    command = node.ssh_command(*words)
    os.execvp(command[0], command)


def _add_console(verbs: Any) -> None:
    parser = _verb(verbs, "console", console, "a node's console (root is logged in; leave with Ctrl-])")
    _add_node(parser)


def console(arguments: argparse.Namespace) -> int:
    lab = Lab.open(arguments.name)
    attach_console(lab.folder.control, lab.node(arguments.node).name)
    return 0


def _add_power(verbs: Any) -> None:
    parser = _verb(verbs, "power", power, "a node's power switch (off is a power cut)", with_json=True)
    parser.add_argument("action", choices=("on", "off", "cycle"), help="cycle: off, then on")
    _add_node(parser)
    parser.add_argument("--wait", action="store_true", help="wait until a node that was switched on answers")


def power(arguments: argparse.Namespace) -> int:
    node = Lab.open(arguments.name).node(arguments.node)
    changed = False
    if arguments.action in ("off", "cycle"):
        changed = node.power_off()
    if arguments.action in ("on", "cycle"):
        changed = node.power_on() or changed
        if arguments.wait:
            with Progress(f"lab {arguments.name}") as report:
                report(f"waiting for {node.name}")
                node.wait_until_up()
    return _print_change(arguments, node, changed, f"power {arguments.action}")


def _print_change(arguments: argparse.Namespace, node: Node, changed: bool, what: str) -> int:
    if arguments.json:
        print(json.dumps({"node": node.name, "changed": changed, **node.status()}))
    else:
        print(f"{node.name}: {what}{'' if changed else ' (it was so already)'}")
    return 0


def _add_freeze(verbs: Any) -> None:
    for verb, text in (("freeze", "stop a node where it stands, as a hypervisor's pause does"),
                       ("thaw", "let a frozen node go on")):
        parser = _verb(verbs, verb, freeze_or_thaw, text, with_json=True)
        _add_node(parser)


def freeze_or_thaw(arguments: argparse.Namespace) -> int:
    node = Lab.open(arguments.name).node(arguments.node)
    changed = node.freeze() if arguments.verb == "freeze" else node.thaw()
    return _print_change(arguments, node, changed, "frozen" if arguments.verb == "freeze" else "thawed")


def _add_cable(verbs: Any) -> None:
    parser = _verb(verbs, "cable", cable, "pull or plug a node's cable of one network", with_json=True)
    parser.add_argument("action", choices=("unplug", "plug"), help="unplug: no frame passes until plug")
    _add_node(parser)
    parser.add_argument("network", metavar="NETWORK", help="one of the topology's networks, such as client")


def cable(arguments: argparse.Namespace) -> int:
    node = Lab.open(arguments.name).node(arguments.node)
    changed = (node.unplug if arguments.action == "unplug" else node.plug)(arguments.network)
    return _print_change(arguments, node, changed, f"{arguments.network} {arguments.action}ged")


def _add_logs(verbs: Any) -> None:
    parser = _verb(verbs, "logs", logs, "a node's console log, or its journal")
    _add_node(parser)
    parser.add_argument("--journal", action="store_true", help="the journal of all its boots, read over SSH")
    parser.add_argument("--lines", type=int, default=200, metavar="N", help="how many lines at the end (default: 200)")


def logs(arguments: argparse.Namespace) -> int:
    if arguments.lines < 1:
        raise UsageError("--lines takes a whole number from 1")
    lab = Lab(arguments.name)
    node = lab.node(arguments.node)
    if arguments.journal:
        Lab.open(arguments.name)
        print(node.succeed(["journalctl", "--no-pager", "-o", "short-iso-precise", "-n", str(arguments.lines)]), end="")
        return 0
    try:
        lines = node.console_log.read_bytes().decode(errors="replace").splitlines()
    except FileNotFoundError as error:
        raise LabError(f"{node.name} has never been started") from error
    print("\n".join(lines[-arguments.lines:]))
    return 0


def _add_list(verbs: Any) -> None:
    parser = add_verb(verbs, "list", "all labs of this user")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=list_labs)


def list_labs(arguments: argparse.Namespace) -> int:
    found = [_describe(lab) for lab in labs()]
    if arguments.json:
        print(json.dumps(found, indent=2))
        return 0
    if not found:
        print("There is no lab. Make one with: holdfast lab up")
    for entry in found:
        print(f"{entry['name']:<16}{'up' if entry['up'] else 'down':<6}{entry['nodes']}")
    return 0


def _describe(lab: Lab) -> dict[str, Any]:
    if not lab.folder.exists:
        return {"name": lab.name, "up": False, "nodes": "not finished (an 'up' is under way or was interrupted)"}
    try:
        nodes = ", ".join(machine.name for machine in lab.topology.machines)
    except LabError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        nodes = "damaged"
    return {"name": lab.name, "up": lab.runs, "nodes": nodes}
