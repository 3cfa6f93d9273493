"""The seed of a node: a tar archive on a small disk that its first boot step unpacks over the root directory.

It carries all that makes one node differ from the image: keys, host names, network addresses.
"""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from holdfast.lab.backend import Backend, Boot
from holdfast.lab.topology import Machine, Topology

ROUND_TO = 512                # block devices have whole sectors


def write_seed(path: Path, topology: Topology, boot: Boot, backend: Backend, keys: Path) -> None:
    """Write the seed of one machine. `keys` holds the lab's client key pair and the machine's host key pair."""
    machine = boot.machine
    files = {
        "etc/hostname": (f"{machine.name}\n", 0o644),
        "etc/holdfast-lab/hosts": (hosts_file(topology), 0o644),
        "etc/holdfast-lab/network": (network_batch(topology, machine, backend), 0o644),
        "root/.ssh/authorized_keys": ((keys / "id.pub").read_text(), 0o600),
        "etc/ssh/ssh_host_ed25519_key": ((keys / f"{machine.name}_host").read_text(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": ((keys / f"{machine.name}_host.pub").read_text(), 0o644),
    }
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        folder = tarfile.TarInfo("root/.ssh")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(folder)
        for name, (text, mode) in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), mode
            tar.addfile(entry, io.BytesIO(text.encode()))
    data = archive.getvalue()
    path.touch(mode=0o600)
    path.write_bytes(data + bytes(-len(data) % ROUND_TO))


def hosts_file(topology: Topology) -> str:
    """Every node by its plain name on the management network, and by NAME-NETWORK on each of its networks."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for machine in topology.machines:
        for network, address in topology.addresses(machine).items():
            plain = f" {machine.name}" if network == "mgmt" else ""
            lines.append(f"{address.ip} {machine.name}-{network.replace('_', '-')}{plain}")
    return "\n".join(lines) + "\n"


def network_batch(topology: Topology, machine: Machine, backend: Backend) -> str:
    """Commands for `ip -batch`: each interface gets the name of its network, its address, and is set up."""
    lines = ["link set lo up"]
    for i, (network, address) in enumerate(topology.addresses(machine).items()):
        lines += [f"link set dev {backend.interface(i)} name {network}", f"address replace {address} brd + dev {network}",
                  f"link set dev {network} up"]
        gateway = topology.network(network).gateway
        if gateway and network != "mgmt":
            lines.append(f"route replace default via {gateway.ip} dev {network}")
    return "\n".join(lines) + "\n"
