"""Bare nodes to a serving package, the second run, and how both grow with the number of nodes."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from holdfast.bench.figure import Figure, Floor
from holdfast.lab import Lab
from holdfast.lab.command import environment
from holdfast.lab.errors import LabError
from holdfast.lab.topology import load_topology
from holdfast.lab.wait import wait_for

PURPOSE = "bare nodes to a serving package, second run, growth with nodes"
NAME = "bench-build"
ROOT = Path(__file__).parents[1]
PLAYBOOKS = ("build_cluster", "deploy_packages")
BUILD_AIM_SECONDS = 240
AGAIN_AIM_SECONDS = 40
LIMIT_SECONDS = 3600
# What a person would install by hand for the same package: no configuration, no service, no database.
ARRAY_PACKAGES = "python3-rtslib-fb nftables e2fsprogs"
NODE_PACKAGES = "open-iscsi multipath-tools lvm2 xfsprogs e2fsprogs keepalived postgresql-17 psmisc openssl"
INSTALL = ("mkdir -p /etc/postgresql-common && echo create_main_cluster=false >/etc/postgresql-common/createcluster.conf && "
           "DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install {} >/dev/null")
# SSLRequest (PostgreSQL's protocol, section 54.7) to the virtual address; a server that serves answers S.
GREET = ("import socket; c = socket.create_connection(('10.20.0.50', 5432), 2); c.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47])); "
         "raise SystemExit(c.recv(1) != b'S')")
# As many tasks as the playbooks have, which do nothing: the least that Ansible itself takes.
NOTHING = """\
- hosts: array:cluster_nodes
  gather_facts: false
  tasks:
    - ansible.builtin.include_tasks: {file}
      loop: "{{{{ range({count}) | list }}}}"
"""
Report = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """One run of both playbooks: its time, and the tasks that ran on each host."""

    seconds: float
    tasks: dict[str, int]
    changed: int

    @property
    def tasks_of_a_node(self) -> int:
        return self.tasks["node1"]


def measure(report: Report, quick: bool) -> Iterator[Figure]:
    """Figures after each number of nodes, so that a build that breaks off takes none of those before it along."""
    first: tuple[float, float] | None = None
    for count in (2,) if quick else (2, 4, 8):
        by_hand = packages_by_hand(count, report)
        built, again, nothing = build(count, report)
        floor = Floor("the same packages by apt-get alone, all hosts at once", by_hand)
        yield from [
            Figure(f"build to serving, {count} nodes", "s", (built.seconds,), floor, BUILD_AIM_SECONDS if count == 2 else None),
            Figure(f"second run, {count} nodes", "s", (again.seconds,), Floor("as many tasks that do nothing", nothing),
                   AGAIN_AIM_SECONDS if count == 2 else None),
            Figure(f"build, seconds a host, {count} nodes", "s", (built.seconds / (count + 1),),
                   Floor("apt-get alone, seconds a host", by_hand / (count + 1))),
        ]
        if first is None:
            first = built.seconds, by_hand
            yield Figure("tasks on a node, both playbooks", "", (float(built.tasks_of_a_node),), Floor("one for each role", 10))
        else:
            growth = (built.seconds / first[0],)
            yield Figure(f"growth from 2 to {count} nodes", "times", growth, Floor("linear", count / 2))
            yield Figure(f"growth from 2 to {count} nodes", "times", growth, Floor("growth of apt-get alone", by_hand / first[1]))


def packages_by_hand(count: int, report: Report) -> float:
    """Seconds of apt-get on array and nodes at once, in a lab of their own."""
    lab = Lab(NAME)
    try:
        lab.up(load_topology("default").with_cluster_nodes(count), fresh=True, report=report)
        report(f"{count} nodes, floor: the same packages by apt-get alone")
        wanted = {"san1": ARRAY_PACKAGES} | {f"node{number}": NODE_PACKAGES for number in range(1, count + 1)}

        def install(name: str) -> str:
            return lab.node(name).succeed(INSTALL.format(wanted[name]), timeout_seconds=LIMIT_SECONDS)

        started = time.monotonic()
        with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
            list(pool.map(install, wanted))
        return time.monotonic() - started
    finally:
        lab.down(delete=True)


def build(count: int, report: Report) -> tuple[Run, Run, float]:
    """First run, second run, and the seconds of as many tasks that do nothing."""
    lab = Lab(NAME)
    try:
        lab.up(load_topology("default").with_cluster_nodes(count), fresh=True, report=report)
        built = run_playbooks(report, f"{count} nodes, first run", serving=lab)
        again = run_playbooks(report, f"{count} nodes, second run")
        if again.changed:
            raise LabError(f"the second run changed something on {again.changed} hosts")
        report(f"{count} nodes, floor: {again.tasks_of_a_node} tasks that do nothing")
        return built, again, do_nothing(again.tasks_of_a_node)
    finally:
        lab.down(delete=True)


def run_playbooks(report: Report, what: str, serving: Lab | None = None) -> Run:
    """Both playbooks as an operator runs them; with `serving` the time ends when a client is served at the address."""
    tasks: dict[str, int] = {}
    changed = 0
    started = time.monotonic()
    for playbook in PLAYBOOKS:
        report(f"{what}: {playbook}")
        recap = parse_recap(ansible_playbook(f"playbooks/{playbook}.yml"))
        for host, counts in recap.items():
            tasks[host] = tasks.get(host, 0) + counts["ok"]
            changed += bool(counts["changed"])
    if serving is not None:
        client = serving.node("client1")
        wait_for("the address serves", lambda: client.execute(["python3", "-c", GREET]).code == 0 or None, timeout_seconds=60)
    return Run(time.monotonic() - started, tasks, changed)


def do_nothing(count: int) -> float:
    folder = Lab(NAME).folder.path
    task, play = folder / "nothing_task.yml", folder / "nothing.yml"
    task.write_text("- ansible.builtin.ping:\n")
    play.write_text(NOTHING.format(file=task, count=count))
    started = time.monotonic()
    ansible_playbook(str(play))
    return time.monotonic() - started


def ansible_playbook(path: str) -> str:
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/lab", path]
    done = subprocess.run(argv, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_SECONDS,
                          env=environment(HOLDFAST_LAB=NAME, ANSIBLE_NOCOLOR="1"), check=False)
    if done.returncode != 0:
        failed = [line for line in done.stdout.splitlines() if line.startswith(("fatal:", "[ERROR]"))]
        raise LabError(f"{path} failed: {(failed or done.stderr.splitlines() or ['no message'])[0][:300]}")
    return done.stdout


def parse_recap(output: str) -> dict[str, dict[str, int]]:
    """Counts by host from the last part of ansible-playbook's output."""
    recap = output.rpartition("PLAY RECAP")[2]
    rows = re.findall(r"^(\S+)\s+: (.*)$", recap, re.MULTILINE)
    return {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", words)} for host, words in rows}
