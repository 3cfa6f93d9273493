"""What a node boots from: its seed, its network commands, and the command lines of both backends."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from holdfast.lab.backend import Backend, Boot, Port, qemu
from holdfast.lab.backend.qemu import Qemu, emulator_version, kvm_works
from holdfast.lab.backend.registry import BACKENDS, backend_by_name
from holdfast.lab.backend.uml import UserModeLinux
from holdfast.lab.errors import HostError
from holdfast.lab.image.store import Image
from holdfast.lab.seed import hosts_file, network_batch, write_seed
from holdfast.lab.supervisor import network
from holdfast.lab.topology import Topology
from tests.closed_environment import Tools


@pytest.fixture
def boot(topology: Topology, image: Image, tmp_path: Path) -> Boot:
    machine = topology.machine("san1")
    return Boot(machine, image, tmp_path / "nodes" / "san1", network.ports(topology, machine, "tap"), "tap")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    directory = tmp_path / "keys"
    directory.mkdir()
    for name in ("id.pub", "san1_host", "san1_host.pub"):
        (directory / name).write_text(f"content of {name}\n")
    return directory


def test_seed_is_a_tar_of_whole_sectors_that_only_root_reads(boot: Boot, topology: Topology, keys: Path) -> None:
    boot.directory.mkdir(parents=True)
    write_seed(boot.seed, topology, boot, UserModeLinux(), keys)
    assert boot.seed.stat().st_mode & 0o777 == 0o600
    assert boot.seed.stat().st_size % 512 == 0
    with tarfile.open(boot.seed) as tar:
        modes = {entry.name: entry.mode for entry in tar.getmembers()}
        key = tar.extractfile("etc/ssh/ssh_host_ed25519_key")
        assert key is not None
        assert key.read() == b"content of san1_host\n"
    assert modes == {"root/.ssh": 0o700, "root/.ssh/authorized_keys": 0o600, "etc/hostname": 0o644,
                     "etc/holdfast-lab/hosts": 0o644, "etc/holdfast-lab/network": 0o644, "etc/ssh/ssh_host_ed25519_key": 0o600,
                     "etc/ssh/ssh_host_ed25519_key.pub": 0o644}


def test_hosts_file_names_every_address_once(topology: Topology) -> None:
    lines = hosts_file(topology).splitlines()
    assert "10.20.9.11 node1-mgmt node1" in lines
    assert "10.20.1.5 san1-storage-a" in lines
    assert len(lines) == 2 + sum(len(machine.networks) for machine in topology.machines)


@pytest.mark.parametrize(("backend", "first"), [(UserModeLinux(), "vec0"), (Qemu(), "eth0")])
def test_network_batch_renames_before_it_addresses(topology: Topology, backend: Backend, first: str) -> None:
    lines = network_batch(topology, topology.machine("client1"), backend).splitlines()
    assert lines[:4] == ["link set lo up", f"link set dev {first} name mgmt",
                         "address replace 10.20.9.101/24 brd + dev mgmt", "link set dev mgmt up"]
    assert lines[-1] == "route replace default via 10.20.0.1 dev client"


def test_management_network_never_carries_the_default_route(topology: Topology) -> None:
    assert "default" not in network_batch(topology, topology.machine("san1"), UserModeLinux())


def test_uml_command_line(boot: Boot) -> None:
    command = UserModeLinux().command(boot)
    assert command[:3] == ["chroot", str(boot.image.runtime), "/linux.uml"]
    assert [word for word in command if word.startswith("ubd")] == [
        "ubd0=/lab/nodes/san1/root.cow,/image/disk.img", "ubd1r=/image/pool.img", "ubd3r=/lab/nodes/san1/seed.tar",
        "ubd2=/lab/nodes/san1/luns.img"]
    assert "holdfast.seed=/dev/ubdd" in command
    assert "holdfast.pool=/dev/ubdb" in command
    assert {"mem=640M", "seccomp=on", "noreboot", "umid=san1", "root=/dev/ubda", "systemd.hostname=san1"} <= set(command)
    assert [word for word in command if word.startswith("vec")] == [
        f"vec{i}:transport=tap,ifname=b0n{i},mac=02:48:46:00:00:0{mac},gro=1" for i, mac in enumerate((0, 2, 3))]


def test_machine_id_stays_the_same_and_is_the_machines_own(boot: Boot, topology: Topology, tmp_path: Path) -> None:
    other = Boot(topology.machine("node1"), boot.image, tmp_path / "nodes" / "node1", (), "tap")
    assert len(boot.machine_id) == 32
    assert boot.machine_id == Boot(boot.machine, boot.image, boot.directory, (), "raw").machine_id
    assert boot.machine_id != other.machine_id


def test_qemu_command_line(boot: Boot, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "kvm_works", lambda kernel: False)
    tools.expect("qemu-img", "create")
    tools.expect("qemu-system-x86_64", "--version", stdout="QEMU emulator version 7.2.11 (Debian 1:7.2)\n")
    backend = Qemu()
    backend.prepare(boot)
    command = backend.command(boot)
    assert command[command.index("-accel") + 1] == "tcg"
    assert command[command.index("-cpu") + 1] == "max,-cx16"
    assert command[command.index("-m") + 1] == "640"
    drives = [word for word in command if word.startswith("file=")]
    assert [drive.split(",")[0].rpartition("/")[2] for drive in drives] == ["root.qcow2", "pool.img", "luns.img", "seed.tar"]
    assert [drive.rpartition("=")[2] for drive in drives] == ["off", "on", "off", "on"]
    assert sum(word.startswith("virtio-net-pci") for word in command) == len(boot.ports) == 3
    assert "-no-reboot" in command


@pytest.mark.parametrize(("text", "major"), [("QEMU emulator version 10.0.2 (Debian)", 10), ("strange", 0)])
def test_emulator_version(tools: Tools, text: str, major: int) -> None:
    tools.expect("qemu-system-x86_64", "--version", stdout=text)
    assert emulator_version() == major


def test_qemu_without_tun_says_what_to_do(topology: Topology, image: Image, tmp_path: Path) -> None:
    with pytest.raises(HostError, match="chmod 0666 /dev/net/tun"):
        Qemu().prepare(Boot(topology.machine("node1"), image, tmp_path, (), "raw"))


def test_kvm_is_believed_only_after_a_kernel_has_spoken(tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: str(path) == "/dev/kvm")
    tools.expect("qemu-system-x86_64", stdout="KVM internal error")
    assert not kvm_works(tmp_path)
    tools.expect("qemu-system-x86_64", stdout="[ 0.0] Linux version 6.12")
    assert kvm_works(tmp_path)


def test_no_kvm_device_no_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    assert not kvm_works(tmp_path)


def test_backends_know_their_names() -> None:
    assert {name: backend_by_name(name).name for name in BACKENDS} == {"uml": "uml", "qemu": "qemu"}


@pytest.mark.parametrize(("kind", "made", "ends"), [
    ("tap", "tuntap add dev b1n0 mode tap", "b1n0"), ("raw", "link add b1n0 type veth peer name p1n0", "p1n0")])
def test_network_is_made_in_one_call(topology: Topology, tools: Tools, kind: str, made: str, ends: str) -> None:
    tools.expect("ip", "-batch", "-")
    network.build_network(topology, kind)
    lines = str(tools.inputs[0]).splitlines()
    assert made in lines
    assert "address add 10.20.0.1/24 dev br1" in lines
    assert not [line for line in lines if line.startswith("address") and "br2" in line], "storage_a has no gateway"
    assert sum(" master " in line for line in lines) == 3 + 5 + 5 + 2
    assert network.ports(topology, topology.machine("node1"), kind)[0] == Port("mgmt", ends, "02:48:46:00:01:00")


def test_a_cable_is_a_bridge_port(topology: Topology, tools: Tools) -> None:
    tools.expect("ip", "link", "set", "b0n2", "nomaster")
    tools.expect("ip", "link", "set", "b0n2", "master", "br3")
    san1 = topology.machine("san1")
    network.set_cable(topology, san1, "storage_b", plugged=False)
    network.set_cable(topology, san1, "storage_b", plugged=True)
