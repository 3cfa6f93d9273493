"""What happens to a node under each fault, and what survives: the physics that drills rely on."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import pytest

from holdfast.lab import ConnectionLost, Lab, Node
from holdfast.lab.wait import wait_for

pytestmark = pytest.mark.lab

TICKER = """
import json, pathlib, time
ticks = []
while not pathlib.Path("/run/enough").exists():
    ticks.append((time.monotonic(), time.time()))
    time.sleep(0.02)
print(json.dumps(ticks))
"""
WRITER = """
import os, pathlib, signal
disk = os.open("/dev/ubdc", os.O_RDWR)
os.pwrite(disk, b"lost", 4 * 524288)
pathlib.Path("/run/written").touch()
signal.pause()
"""
WATCHDOG = """
import os, pathlib, sys, time
watchdog = os.open("/dev/watchdog1", os.O_WRONLY)
os.write(watchdog, b"1")
pathlib.Path("/run/armed").touch()
while True:
    time.sleep(0.5)
    if sys.argv[1] == "feed":
        os.write(watchdog, b"1")
"""


def boots(node: Node) -> int:
    return int(node.status()["boots"])


def lose_connection(node: Node, command: str) -> None:
    """A command that takes its own connection away."""
    try:
        node.execute(command, timeout_seconds=10)
    except ConnectionLost:
        return


def ping(node: Node, address: str) -> bool:
    return node.execute(["ping", "-c", "2", "-i", "0.2", "-W", "1", address]).code == 0


def test_a_power_cut_loses_what_was_not_synced_and_keeps_what_was(lab: Lab) -> None:
    node = lab.node("san1")
    node.succeed(["sysctl", "-qw", "vm.dirty_writeback_centisecs=0"])    # nothing is written unless somebody asks
    node.succeed("printf kept >/root/synced && sync /root/synced && printf lost >/root/unsynced")
    node.succeed("printf kept | dd of=/dev/ubdc conv=notrunc,fsync status=none")
    # It must not be closed: udev re-reads the partition table of a disk that a writer has closed, and that flushes it.
    node.succeed(f"setsid python3 -c '{WRITER}' </dev/null >/dev/null 2>&1 & until test -e /run/written; do sleep 0.1; done")
    assert node.succeed("dd if=/dev/ubdc bs=4 skip=524288 count=1 status=none") == "lost", "in the cache it is there"
    node.power_off()
    node.power_on()
    node.wait_until_up()
    assert node.succeed(["cat", "/root/synced"]) == "kept"
    assert node.execute("cat /root/unsynced 2>/dev/null").stdout == ""
    assert node.succeed("head -c 4 /dev/ubdc") == "kept"
    assert node.succeed("dd if=/dev/ubdc bs=4 skip=524288 count=1 status=none") == "\0\0\0\0"


def test_freeze_stops_the_clock_of_that_node_only(lab: Lab) -> None:
    frozen, free = lab.node("node1"), lab.node("node2")
    for node in (frozen, free):
        node.succeed("cat >/run/ticker.py", stdin=TICKER)
        node.succeed("rm -f /run/enough; python3 /run/ticker.py >/run/ticks 2>&1 </dev/null & exit 0")
        node.succeed("sleep 0.5")
    started = time.monotonic()
    frozen.freeze()
    assert not frozen.answers()
    assert ping(free, "10.20.1.5"), "its neighbours go on"
    stopped = time.monotonic() - started
    frozen.thaw()
    gaps = {}
    for node in (frozen, free):
        ticks = json.loads(node.succeed("sleep 0.5; touch /run/enough; sleep 0.5; cat /run/ticks"))
        gaps[node.name] = max(later[0] - earlier[0] for earlier, later in pairwise(ticks))
        # The monotonic clock of a node is the host's: over a thaw it jumps by the frozen time, as the wall clock does.
        assert ticks[-1][0] - ticks[0][0] == pytest.approx(ticks[-1][1] - ticks[0][1], abs=0.25)
    assert gaps["node1"] > stopped, "no tick while it was frozen"
    assert gaps["node2"] < stopped / 2, "the other one ticked on"


def test_an_unplugged_cable_is_lost_traffic_on_that_network_alone(lab: Lab) -> None:
    node, other = lab.node("node1"), lab.node("node2")
    assert node.unplug("storage_a")
    assert not ping(node, "10.20.1.5")
    assert not ping(other, "10.20.1.11")
    assert ping(node, "10.20.2.5"), "the other path"
    assert ping(node, "10.20.3.12"), "the heartbeat"
    assert ping(other, "10.20.1.5"), "the others on the same network"
    assert node.status()["unplugged"] == ["storage_a"]
    assert node.plug("storage_a")
    wait_for("traffic comes back", lambda: ping(node, "10.20.1.5") or None, timeout_seconds=5)


def test_a_watchdog_resets_a_node_that_does_not_feed_it_and_one_that_was_frozen_for_too_long(lab: Lab) -> None:
    """softdog's soft_margin is 5 s. Both nodes at the same time: node1 feeds and is frozen for longer, node2 starves."""
    frozen, starving = lab.node("node1"), lab.node("node2")
    before = {node.name: boots(node) for node in (frozen, starving)}
    for node in (frozen, starving):
        node.succeed("modprobe softdog soft_margin=5 && test -c /dev/watchdog1 && cat >/run/watchdog.py", stdin=WATCHDOG)
        node.succeed("echo there >/root/disk-survives && sync")
    started = time.monotonic()
    starving.succeed("setsid python3 /run/watchdog.py starve </dev/null >/dev/null 2>&1 & exit 0")
    frozen.succeed("setsid python3 /run/watchdog.py feed </dev/null >/dev/null 2>&1 & "
                   "until test -e /run/armed; do sleep 0.1; done")
    frozen.freeze()
    frozen_at = time.monotonic()
    wait_for("the watchdog bites", lambda: boots(starving) > before["node2"] or None, timeout_seconds=20)
    took = time.monotonic() - started
    assert took > 4.5, f"soft_margin is 5 s, the reset came after {took:.1f} s"
    time.sleep(max(0.0, frozen_at + 8 - time.monotonic()))
    assert boots(frozen) == before["node1"], "the watchdog of a frozen node is frozen as well"
    frozen.thaw()
    wait_for("the watchdog bites at the thaw", lambda: boots(frozen) > before["node1"] or None, timeout_seconds=5)
    for node in (frozen, starving):
        node.wait_until_up()
        assert node.succeed(["cat", "/root/disk-survives"]) == "there\n"
        assert node.status()["last_exit"] == "reset"


def test_nodes_come_back_by_themselves_or_stay_off_as_a_real_machine_would(lab: Lab) -> None:
    """One cause per node, all at the same time."""
    lab.node("node1").unplug("client")
    before = {node.name: boots(node) for node in lab.nodes}
    lose_connection(lab.node("san1"), "systemctl reboot")
    lose_connection(lab.node("node1"), "echo c >/proc/sysrq-trigger")
    lose_connection(lab.node("node2"), "echo b >/proc/sysrq-trigger")
    lose_connection(lab.node("client1"), "systemctl poweroff")
    for name in ("san1", "node1", "node2"):
        lab.node(name).wait_until_rebooted(before[name])
    assert {name: lab.node(name).status()["last_exit"] for name in ("san1", "node1", "node2")} == {
        "san1": "reset", "node1": "panic", "node2": "reset"}
    wait_for("client1 is off", lambda: lab.node("client1").status()["state"] == "off" or None, timeout_seconds=30)
    assert lab.node("client1").status()["last_exit"] == "powered off by itself"
    assert boots(lab.node("client1")) == before["client1"]
    assert "Kernel panic" in lab.node("node1").console_log.read_text(errors="replace")
    assert lab.node("node1").status()["unplugged"] == ["client"], "a cable stays out over a reboot"
    assert not ping(lab.node("node1"), "10.20.0.1")
    journal = lab.node("node1").succeed(["journalctl", "--list-boots", "--no-pager"])
    assert len(journal.strip().splitlines()) >= 2, "the journal of the boot that crashed is there"
