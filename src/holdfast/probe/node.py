#!/usr/bin/python3
"""What a node can see and do, several times a second, without starting a process and without trusting the agent.

Per package: the registrations and the holder on every LUN as the array reports them (PERSISTENT RESERVE IN on every
path), whether its file systems are mounted, which of its addresses are up, whether its database listens. A path that
hangs must not stop the clock: each path is asked by a thread of its own, and an answer that is too old is an error.

    node.py watch SECONDS   one JSON line per sample, on standard output
    node.py beat SECONDS    only that this host is alive (for hosts that are no nodes)
    node.py snapshot        everything once, for a comparison before and after

Standard output is a connection to the driver. Records leave the host at once, because a crash takes what a host has
not yet written; and when the driver dies, the next line finds nobody and ends this program.
"""

from __future__ import annotations

import ctypes
import fcntl
import glob
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PERIOD_SECONDS = 0.25
# An answer older than this says nothing about now: six samples.
STALE_SECONDS = 1.5
COMMAND_TIMEOUT_MILLISECONDS = 1000
DEFINITIONS = "/etc/holdfast/packages"
NODE_FILE = "/etc/holdfast/node.json"
CONTROL_SOCKET = "/run/holdfast/control.sock"
AGENT_WORDS = ("state", "reason", "owner", "since", "failures", "last_takeover")
# include/scsi/sg.h; SPC-4 6.15
SG_IO, SG_FROM_DEVICE = 0x2285, -3
PERSISTENT_RESERVE_IN, READ_KEYS, READ_RESERVATION = 0x5E, 0x00, 0x01
ANSWER_BYTES = 1024


class SgHeader(ctypes.Structure):
    """struct sg_io_hdr"""

    _fields_ = (
        ("interface_id", ctypes.c_int), ("direction", ctypes.c_int), ("command_length", ctypes.c_ubyte),
        ("sense_length", ctypes.c_ubyte), ("iovec_count", ctypes.c_ushort), ("data_length", ctypes.c_uint),
        ("data", ctypes.c_void_p), ("command", ctypes.c_void_p), ("sense", ctypes.c_void_p),
        ("timeout", ctypes.c_uint), ("flags", ctypes.c_uint), ("pack_id", ctypes.c_int), ("user", ctypes.c_void_p),
        ("status", ctypes.c_ubyte), ("masked_status", ctypes.c_ubyte), ("message_status", ctypes.c_ubyte),
        ("sense_written", ctypes.c_ubyte), ("host_status", ctypes.c_ushort), ("driver_status", ctypes.c_ushort),
        ("residual", ctypes.c_int), ("duration", ctypes.c_uint), ("info", ctypes.c_uint),
    )  # fmt: skip


def reserve_in(descriptor: int, action: int) -> bytes:
    """One PERSISTENT RESERVE IN. OSError where the path does not give a good answer; unit attentions are retried."""
    cdb = ctypes.create_string_buffer(struct.pack(">BB5xHB", PERSISTENT_RESERVE_IN, action, ANSWER_BYTES, 0), 10)
    for _ in range(4):
        data, sense = ctypes.create_string_buffer(ANSWER_BYTES), ctypes.create_string_buffer(32)
        header = SgHeader(
            interface_id=ord("S"), direction=SG_FROM_DEVICE, command_length=10, sense_length=32,
            data_length=ANSWER_BYTES, data=ctypes.addressof(data), command=ctypes.addressof(cdb),
            sense=ctypes.addressof(sense), timeout=COMMAND_TIMEOUT_MILLISECONDS,
        )  # fmt: skip
        fcntl.ioctl(descriptor, SG_IO, header)
        if header.status == 0 and header.host_status == 0:
            return data.raw
        if header.status != 2:  # CHECK CONDITION: most often a unit attention, which is told once
            break
    raise OSError(5, f"status {header.status:02x}h, host status {header.host_status:02x}h")


def parse_keys(answer: bytes) -> list[str]:
    """Registered keys, one per nexus (SPC-4 table 183)."""
    (length,) = struct.unpack_from(">I", answer, 4)
    count = min(length, len(answer) - 8) // 8
    return [f"0x{key:016x}" for key in struct.unpack_from(f">{count}Q", answer, 8)]


def parse_holder(answer: bytes) -> str | None:
    """Key of the reservation, None where there is none (SPC-4 table 185)."""
    (length,) = struct.unpack_from(">I", answer, 4)
    return f"0x{struct.unpack_from('>Q', answer, 8)[0]:016x}" if length >= 16 else None


class PathWatcher(threading.Thread):
    """Asks one path again and again; `answer` is what it said last, and when."""

    def __init__(self, device: str) -> None:
        super().__init__(daemon=True)
        self.device = device
        self.answer: tuple[float, list[str], str | None] | None = None
        self.error = "no answer yet"

    def run(self) -> None:
        while True:
            begin = time.monotonic()
            try:
                self.ask()
            except OSError as error:
                self.error = f"{self.device}: {error.strerror or error}"
            time.sleep(max(0.05, PERIOD_SECONDS - (time.monotonic() - begin)))

    def ask(self) -> None:
        descriptor = os.open(f"/dev/{self.device}", os.O_RDONLY | os.O_NONBLOCK)
        try:
            keys = parse_keys(reserve_in(descriptor, READ_KEYS))
            self.answer = (time.monotonic(), keys, parse_holder(reserve_in(descriptor, READ_RESERVATION)))
        finally:
            os.close(descriptor)

    def fresh(self) -> tuple[float, list[str], str | None] | None:
        """The answer with its time, None where it is too old."""
        if self.answer is None or time.monotonic() - self.answer[0] > STALE_SECONDS:
            return None
        return self.answer


class AgentWatcher(threading.Thread):
    """Asks the agent for its status; a hanging agent is an old answer, never a hanging observer."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.answer: tuple[float, dict[str, Any]] | None = None

    def run(self) -> None:
        while True:
            try:
                self.answer = (time.monotonic(), ask_agent())
            except (OSError, ValueError):
                self.answer = None
            time.sleep(2 * PERIOD_SECONDS)

    def fresh(self) -> dict[str, Any] | None:
        """By package, the words of AGENT_WORDS; None where no agent answered within STALE_SECONDS."""
        if self.answer is None or time.monotonic() - self.answer[0] > STALE_SECONDS:
            return None
        return {name: {key: package.get(key) for key in AGENT_WORDS} for name, package in self.answer[1].items()}


def ask_agent() -> dict[str, Any]:
    """Packages of the agent's status document (control socket: one request per connection, a line of JSON each)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(STALE_SECONDS)
        link.connect(CONTROL_SOCKET)
        link.sendall(b'{"verb": "status", "package": null, "target": null}\n')
        packages: dict[str, Any] = json.loads(link.makefile("rb").readline())["packages"]
        return packages


def read_text(path: str) -> str:
    """The file's text; empty where it cannot be read."""
    try:
        with open(path) as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def read_json(path: str) -> Any:
    """The file's document; an empty mapping where it cannot be read."""
    return json.loads(read_text(path) or "{}")


def disks_by_wwid() -> dict[str, list[str]]:
    """``naa.…`` of every SCSI disk from sysfs, as multipath writes it (``3`` and the digits)."""
    found: dict[str, list[str]] = {}
    for path in sorted(glob.glob("/sys/block/sd*/device/wwid")):  # noqa: PTH207
        wwid = read_text(path).strip().replace("naa.", "3")
        found.setdefault(wwid, []).append(path.split("/")[3])
    return found


def local_addresses() -> set[str]:
    """IPv4 addresses that this host answers for: ``host LOCAL`` entries of the routing trie."""
    found, last = set(), ""
    for line in read_text("/proc/net/fib_trie").splitlines():
        words = line.split()
        if words and words[0] in ("|--", "+--"):
            last = words[1]
        elif "host LOCAL" in line:
            found.add(last)
    return found


def mounted_paths() -> set[str]:
    """Mount points: field 5 of /proc/self/mountinfo (proc(5))."""
    return {line.split()[4] for line in read_text("/proc/self/mountinfo").splitlines()}


def listening_ports() -> set[int]:
    """TCP ports in state LISTEN (0A), both families."""
    lines = [*read_text("/proc/net/tcp").splitlines()[1:], *read_text("/proc/net/tcp6").splitlines()[1:]]
    return {int(words[1].rsplit(":", 1)[1], 16) for words in map(str.split, lines) if words[3] == "0A"}


class Observer:
    """The packages of this node and their paths; devices that appear later are picked up."""

    def __init__(self) -> None:
        self.node = read_json(NODE_FILE)
        self.boot_id = read_text("/proc/sys/kernel/random/boot_id").strip()
        self.watchers: dict[str, PathWatcher] = {}
        self.agent = AgentWatcher()
        self.agent.start()

    def packages(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted(glob.glob(f"{DEFINITIONS}/*.json"))]  # noqa: PTH207

    def sample(self) -> dict[str, Any]:
        """One line of `watch`: both clocks in seconds, node, boot_id, packages by name, and what the agent says."""
        disks, addresses, mounts, ports = disks_by_wwid(), local_addresses(), mounted_paths(), listening_ports()
        packages = {p["name"]: self._package(p, disks, addresses, mounts, ports) for p in self.packages()}
        return {"t_wall": time.time(), "t_mono": time.monotonic(), "node": self.node["node"],
                "boot_id": self.boot_id, "packages": packages,
                "agent": self.agent.fresh()}  # fmt: skip

    def _package(
        self, package: dict[str, Any], disks: dict[str, list[str]], addresses: set[str], mounts: set[str],
        ports: set[int],
    ) -> dict[str, Any]:  # fmt: skip
        storage = package["storage"]
        own = [entry["address"].split("/")[0] for entry in package["virtual_addresses"]]
        luns = [storage["lock_lun"], *storage["luns"]]
        return {
            "mounted": any(fs["path"] in mounts for fs in storage["filesystems"]),
            "addresses": [address for address in own if address in addresses],
            "database": any(r.get("port") in ports for r in package["resources"] if r.get("port")),
            "luns": {lun["name"]: self._lun(disks.get(lun["wwid"], [])) for lun in luns},
        }

    def _lun(self, devices: list[str]) -> dict[str, Any]:
        answers = []
        for device in devices:
            if device not in self.watchers or not self.watchers[device].is_alive():
                self.watchers[device] = PathWatcher(device)
                self.watchers[device].start()
            answer = self.watchers[device].fresh()
            if answer is not None:
                answers.append(answer)
        if not answers:
            errors = [self.watchers[d].error for d in devices] or ["no path on this node"]
            return {"keys": [], "holder": None, "paths": 0, "registered": 0, "error": errors[0]}
        asked, keys, holder = answers[0]
        own = sum((int(key, 16) >> 24) & 0xFF == self.node["node_id"] for key in keys)
        return {"keys": sorted(set(keys)), "holder": holder, "paths": len(answers), "registered": own, "error": "",
                "age": round(time.monotonic() - asked, 3)}  # fmt: skip


def repeat(take: Callable[[], dict[str, Any]], seconds: float) -> int:
    """A line per period until the end; a line that comes late is simply late, the hole in the record says so."""
    due = time.monotonic()
    end = due + seconds
    while time.monotonic() < end:
        print(json.dumps(take()), flush=True)
        due = max(due + PERIOD_SECONDS, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    return 0


def beat() -> dict[str, Any]:
    """That this host is alive, and since which start."""
    return {"t_wall": time.time(), "t_mono": time.monotonic(), "node": os.uname().nodename,
            "boot_id": read_text("/proc/sys/kernel/random/boot_id").strip(), "packages": {}, "agent": None}  # fmt: skip


def output_of(*argv: str) -> str:
    """What a command printed, whatever its exit code; empty where it cannot be run or takes too long."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def snapshot() -> dict[str, Any]:
    """State that a drill must leave as it found it. Keys are counted, not compared: every start takes a new one."""
    observer = Observer()
    observer.sample()
    time.sleep(2 * PERIOD_SECONDS)
    sample = observer.sample()
    packages = {}
    for name, seen in sample["packages"].items():
        luns = {lun: {"paths": v["paths"], "registered": v["registered"], "error": v["error"], "own_reservation":
                      bool(v["holder"]) and (int(v["holder"], 16) >> 24) & 0xFF == observer.node["node_id"]}
                for lun, v in seen["luns"].items()}  # fmt: skip
        packages[name] = {**seen, "luns": luns}
    return {"state": {"packages": packages, "leftovers": leftovers(), "failed_units": failed_units()},
            "node": sample["node"], "boot_id": observer.boot_id, "macs": macs(), "versions": versions()}  # fmt: skip


def leftovers() -> list[str]:
    """Things that only a drill puts on a node."""
    queues = output_of("tc", "qdisc", "show").splitlines()
    delays = [line.split("root")[0].strip() for line in queues if "netem" in line]
    devices = [line.split()[4] for line in queues if "clsact" in line]
    filters = [f"filter on {device} {side}" for device in devices for side in ("ingress", "egress") if has_drop(device, side)]
    units = names_of(output_of("systemctl", "list-units", "--all", "--plain", "--no-legend", "holdfast-fault-*"))
    return sorted([*delays, *filters, *units, *glob.glob("/run/holdfast-fault/*.json")])  # noqa: PTH207


def has_drop(device: str, side: str) -> bool:
    """Whether there is a filter with a preference of the faults (50000 and above)."""
    listed = json.loads(output_of("tc", "-json", "filter", "show", "dev", device, side) or "[]")
    return any(entry.get("pref", 0) >= 50000 for entry in listed)


def names_of(listing: str) -> list[str]:
    return [line.split()[0] for line in listing.splitlines() if line.split()]


def failed_units() -> list[str]:
    return sorted(names_of(output_of("systemctl", "list-units", "--failed", "--plain", "--no-legend")))


def macs() -> dict[str, str]:
    """Hardware address to interface, every interface of this host."""
    found = {}
    for path in glob.glob("/sys/class/net/*/address"):  # noqa: PTH207
        found[read_text(path).strip()] = path.split("/")[4]
    return {mac: name for mac, name in found.items() if mac not in ("", "00:00:00:00:00:00")}


def versions() -> dict[str, str]:
    """What runs here, by the package manager's word."""
    wanted = ["postgresql-17", "mariadb-server", "multipath-tools", "open-iscsi", "keepalived", "lvm2", "systemd"]
    lines = output_of("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *wanted).splitlines()
    found = dict(line.split(" ", 1) for line in lines if " " in line)
    return {"kernel": os.uname().release, **{name: version for name, version in found.items() if version}}


def main(argv: list[str]) -> int:
    if argv[1] == "snapshot":
        print(json.dumps(snapshot()))
        return 0
    take = Observer().sample if argv[1] == "watch" else beat
    try:
        return repeat(take, float(argv[2]))
    except BrokenPipeError:  # the driver is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
