"""The second backend, behind the same verbs: one node for real, with KVM where that works and TCG where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.lab import Lab
from holdfast.lab.topology import load_topology
from holdfast.lab.wait import wait_for

pytestmark = pytest.mark.lab

TOPOLOGY = """
networks:
  mgmt: {subnet: 10.20.9.0/24}
  client: {subnet: 10.20.0.0/24, gateway: 1}
nodes:
  node1: {role: node, host: 11, disks: [{name: spare, size_gib: 1}]}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    path = tmp_path_factory.mktemp("qemu") / "one.yml"
    path.write_text(TOPOLOGY)
    lab = Lab("qemutest")
    try:
        lab.up(load_topology(str(path)), backend="qemu", fresh=True)
        yield lab
    finally:
        lab.down(delete=True)


def command_lines(lab: Lab) -> list[str]:
    pid = lab.node("node1").status()["pid"]
    inside = Path("/proc").glob("[0-9]*/cmdline")
    assert pid
    return [text for path in inside if (text := read(path)) and "qemu-system" in text and "labs/qemutest/" in text]


def read(path: Path) -> str:
    try:
        return path.read_text().replace("\0", " ")
    except OSError:
        return ""


def test_the_node_is_a_qemu_machine_with_its_own_disk_and_networks(lab: Lab) -> None:
    node = lab.node("node1")
    assert command_lines(lab), "no QEMU process runs for this lab"
    assert node.succeed("cat /sys/class/dmi/id/sys_vendor").strip() == "QEMU"
    assert node.succeed("lsblk -bno SIZE /dev/vdc").strip() == str(1024**3)
    assert "10.20.0.11/24" in node.succeed("ip -br address show client")


def test_cable_and_freeze_work_as_with_the_other_backend(lab: Lab) -> None:
    node = lab.node("node1")
    node.unplug("client")
    assert node.execute("ping -c 1 -W 2 10.20.0.1").code == 1
    node.plug("client")
    assert node.execute("ping -c 1 -W 5 10.20.0.1").code == 0
    node.freeze()
    assert not node.answers()
    node.thaw()
    node.wait_until_up()


def test_a_power_cut_loses_what_was_not_synced_and_a_reboot_comes_back(lab: Lab) -> None:
    node = lab.node("node1")
    node.succeed("echo kept > /root/kept && sync && echo lost > /root/lost")
    node.power_cycle()
    node.wait_until_up()
    assert node.succeed("cat /root/kept").strip() == "kept"
    assert node.execute("test -s /root/lost").code == 1
    boots = node.status()["boots"]
    node.execute("systemctl reboot")
    node.wait_until_rebooted(boots, timeout_seconds=120)


def test_a_machine_that_powers_itself_off_stays_off(lab: Lab) -> None:
    node = lab.node("node1")
    node.execute("systemctl poweroff")
    wait_for("the node is off", lambda: node.status()["state"] == "off" or None, timeout_seconds=60)
    assert node.status()["last_exit"] == "powered off by itself"
