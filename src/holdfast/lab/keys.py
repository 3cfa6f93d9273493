"""The lab's SSH keys and client configuration: one client key, one host key per node, host keys checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from holdfast.lab.command import run
from holdfast.lab.topology import Topology


def make_keys(directory: Path, topology: Topology) -> None:
    """Make what is missing; keys that are there stay."""
    directory.mkdir(mode=0o700, exist_ok=True)
    for name in ["id", *(f"{machine.name}_host" for machine in topology.machines)]:
        path = directory / name
        if not path.exists():
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "holdfast-lab", "-f", str(path)])


def write_ssh_config(lab: Path, topology: Topology) -> None:
    """ssh_config and known_hosts of the lab.

    The proxy command asks the lab's supervisor for a connection made inside the lab's network namespace and hands its
    descriptor to ssh (ProxyUseFdpass, ssh_config(5)), so that nothing listens on the host and nothing copies bytes.
    """
    keys = lab / "keys"
    known = [f"{machine.name} {' '.join((keys / f'{machine.name}_host.pub').read_text().split()[:2])}\n"
             for machine in topology.machines]
    (lab / "known_hosts").write_text("".join(known))
    proxy = Path(__file__).with_name("proxy.py")
    config = f"""Host *
  User root
  IdentityFile "{keys / 'id'}"
  IdentitiesOnly yes
  UserKnownHostsFile "{lab / 'known_hosts'}"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  CheckHostIP no
  LogLevel ERROR
  ConnectTimeout 10
  ServerAliveInterval 5
  ServerAliveCountMax 3
  ProxyUseFdpass yes
  ProxyCommand "{sys.executable}" -I -S "{proxy}" "{lab / 'control.sock'}" %n %p
"""
    target = lab / "ssh_config"
    temporary = target.with_suffix(f".{os.getpid()}")
    temporary.write_text(config)
    temporary.rename(target)
