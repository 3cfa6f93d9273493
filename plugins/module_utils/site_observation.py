# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""What a host can tell about itself for the validation of a site. Reads only; a LUN in use is never written to."""

from __future__ import annotations

import ipaddress
import json
import mmap
import os
import platform
import shutil
import socket
import time
from pathlib import Path

from .command import run, run_full
from .errors import HoldfastError
from .package_set import read_installed
from .scsi_paths import find_paths
from .scsi_reservation_device import read_reservation, show_reservation

#: IPv4 and ICMP headers, which ping's size does not count (RFC 791, RFC 792).
_PING_HEADER_BYTES = 28
_READS = 16
#: What role node_base puts on a node first, and takes away last.
CLUSTER_KEY = Path("/etc/holdfast/cluster.key")
_BLOCK_BYTES = 4096       # a direct read wants whole blocks of the disk, whatever their size


def observe_host(peers, luns, packages, units, names):
    """Everything in one document.

    I(peers): network -> addresses to reach; I(luns): name -> wwid; I(packages) and I(units) are names to look up;
    I(names) are host names that must resolve.
    """
    interfaces = read_interfaces()
    return {
        "built": CLUSTER_KEY.exists(),
        "interfaces": interfaces,
        "reachability": [_ping(network, address, interfaces) for network, found in peers.items() for address in found],
        "luns": {name: observe_lun(wwid) for name, wwid in luns.items()},
        "kernel": platform.release(),
        "packages": {name: version for name, version in read_installed().items() if name in packages},
        "clock": {"wall": time.time(), "synchronised": read_clock_state()},
        "watchdogs": sorted(path.name for path in Path("/sys/class/watchdog").glob("*")),
        "fstab": read_fstab(),
        "units": read_unit_states(units),
        "names": {name: _resolve(name) for name in names},
    }


def read_interfaces():
    """Interfaces with their MTU and addresses, without the loopback."""
    rows = json.loads(run(["ip", "-json", "address", "show"]))
    return {
        row["ifname"]: {
            "mtu": row["mtu"],
            "up": "UP" in row["flags"],
            "addresses": [f"{item['local']}/{item['prefixlen']}" for item in row["addr_info"] if item["scope"] == "global"],
        }
        for row in rows
        if row["ifname"] != "lo"
    }


def _ping(network, address, interfaces):
    """One packet of full size that may not be cut: what passes here passes for iSCSI and heartbeats.

    C(answers) is None where the node has no ping, as before it is built.
    """
    own = [item["mtu"] for item in interfaces.values() for text in item["addresses"] if _same_network(text, address)]
    size = (own[0] if own else 1500) - _PING_HEADER_BYTES
    argv = ["ping", "-n", "-q", "-c", "1", "-W", "2", "-M", "do", "-s", str(size), address]
    # 0 answered, 1 no answer, 2 other error such as a packet that is too long.
    answers = run_full(argv, expected=(0, 1, 2)).returncode == 0 if shutil.which("ping") else None
    return {"network": network, "address": address, "bytes": size + _PING_HEADER_BYTES, "answers": answers}


def _same_network(text, address):
    return ipaddress.ip_address(address) in ipaddress.ip_interface(text).network


def observe_lun(wwid):
    """Paths, size, read latency and reservation of a LUN; C(error) where it cannot be seen."""
    try:
        paths = find_paths(wwid)
        reservation = show_reservation(read_reservation(wwid))
        latencies = [measure_read(path.device) for path in paths]
    except (HoldfastError, OSError) as error:
        return {"error": str(error)}
    return {
        "error": "",
        "paths": [path.device for path in paths],
        "bytes": sorted({_size(path.device) for path in paths}),
        "read_milliseconds": round(max(latencies) * 1000, 2),
        "keys": reservation["keys"],
        "holder": reservation["holder"],
        "type": reservation["type"],
        "missing_capabilities": reservation["missing_capabilities"],
    }


def _size(device):
    """Bytes; sysfs counts in sectors of 512 (Documentation/ABI/stable/sysfs-block)."""
    return int(Path("/sys/class/block", Path(device).name, "size").read_text(encoding="ascii")) * 512


def measure_read(device):
    """Longest of a few small reads past the page cache, in seconds."""
    handle = os.open(device, os.O_RDONLY | os.O_DIRECT)
    buffer = mmap.mmap(-1, _BLOCK_BYTES)
    longest = 0.0
    try:
        for index in range(_READS):
            begin = time.monotonic()
            os.preadv(handle, [buffer], index * _BLOCK_BYTES)
            longest = max(longest, time.monotonic() - begin)
    finally:
        buffer.close()
        os.close(handle)
    return longest


def read_clock_state():
    """Whether somebody keeps the clock in time: systemd-timesyncd's and chrony's own marks; None where it is not told."""
    done = run_full(["timedatectl", "show", "--property=NTPSynchronized", "--value"], expected=(0, 1))
    return {"yes": True, "no": False}.get(done.stdout.strip())


def read_fstab(path="/etc/fstab"):
    """Mount points and sources that the system mounts by itself."""
    lines = Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []
    rows = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return [{"source": row[0], "path": row[1]} for row in rows if len(row) > 1]


def read_unit_states(names):
    """Whether each unit is enabled; 1 and 4 are the exit codes for disabled and unknown ones."""
    if not names:
        return {}
    done = run_full(["systemctl", "is-enabled", "--", *names], expected=(0, 1, 4))
    states = done.stdout.split("\n")
    return {name: (state.strip() or "not-found") for name, state in zip(names, states, strict=False)}


def _resolve(name):
    try:
        return sorted({row[4][0] for row in socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)})
    except OSError:
        return []
