"""The storage channel's commands against a made-up array: what is sent where, and what the outcomes mean."""

from __future__ import annotations

import errno
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from holdfast_agent.core.actions import Luns, Observe, PreemptAndAbort, Register, Reserve, Unregister
from holdfast_agent.core.events import Outcome, Problem
from holdfast_agent.core.judge import Finding, judge_round
from holdfast_agent.multipath.sysfs import MultipathMap, PathDevice
from holdfast_agent.scsi.note import NoteError
from holdfast_agent.scsi.sgio import Reply
from holdfast_agent.storage import changes, map_writes, node_view, observe
from holdfast_agent.storage.node_view import NodeView
from holdfast_agent.storage.targets import Lun, LunName, StorageTargets

OWN, OTHER, OLD = 0x8ABCDEF001000007, 0x8ABCDEF002000003, 0x8ABCDEF001000006
CONFLICT = Reply(0x18)
NAMES = {1: b"iqn.lab:node1", 2: b"iqn.lab:node2"}


class Array:
    """One LUN with as much of SPC-4 persistent reservations as ownership needs; a nexus is (node, port)."""

    def __init__(self, wwid: str) -> None:
        self.wwid = wwid
        self.keys: dict[tuple[int, int], int] = {}
        self.holder: tuple[int, int] | None = None
        # As LIO: registrations of sessions that are gone, and ports whose mark went with one of them.
        self.gone: dict[tuple[int, int], int] = {}
        self.unmarked: set[tuple[int, int]] = set()
        self.sectors = bytearray(4 * 1024 * 1024)
        self.lock = threading.Lock()

    def execute(self, nexus: tuple[int, int], cdb: bytes, send: bytes, receive_bytes: int) -> Reply:
        with self.lock:
            if cdb[0] == 0x12:
                return Reply(0, data=self._identification(nexus[1]))
            if cdb[0] == 0x88:
                start = struct.unpack_from(">Q", cdb, 2)[0] * 512
                return Reply(0, data=bytes(self.sectors[start : start + receive_bytes]))
            if cdb[0] == 0x5E:
                return Reply(0, data=self._full_status() if cdb[1] == 3 else self._reservation())
            return self._out(nexus, cdb[1], *struct.unpack_from(">QQ", send))

    def _identification(self, port: int) -> bytes:
        naa = bytes.fromhex(self.wwid[1:])
        body = bytes([1, 3, 0, 16]) + naa + bytes([1, 0x14, 0, 4, 0, 0, 0, port])
        return struct.pack(">BBH", 0, 0x83, len(body)) + body

    def _full_status(self) -> bytes:
        body = b""
        sessions = [(nexus, key, b"0") for nexus, key in self.keys.items()] + [(n, k, b"f") for n, k in self.gone.items()]
        for (node, port), key, digit in sessions:
            name = NAMES[node] + b",i,0x00023d0000" + digit + str(port).encode() + b"\0"
            transport = bytes([0x45, 0]) + struct.pack(">H", len(name)) + name
            body += struct.pack(">Q4xBB4xHI", key, (node, port) == self.holder, 5, port, len(transport)) + transport
        return struct.pack(">II", 1, len(body)) + body

    def _reservation(self) -> bytes:
        if self.holder is None:
            return struct.pack(">II", 1, 0)
        return struct.pack(">IIQ4xBBxx", 1, 16, self.keys[self.holder], 0, 5)

    def _out(self, nexus: tuple[int, int], action: int, own: int, new: int) -> Reply:
        if self.keys.get(nexus, 0) != own:
            return CONFLICT
        if action == 0 and new:
            self.unmarked -= {nexus} - self.keys.keys()
            self.keys[nexus] = new
        elif action == 0:
            self.keys.pop(nexus, None)
            self.holder = None if self.holder == nexus else self.holder
        elif action == 1:
            if self.holder not in (None, nexus):
                return CONFLICT
            self.holder = nexus
        elif action == 5:
            return self._preempt(nexus, new)
        return Reply(0)

    def _preempt(self, nexus: tuple[int, int], victim: int) -> Reply:
        victims = [other for other, key in self.keys.items() if key == victim]
        gone = {other for other, key in self.gone.items() if key == victim}
        if not victims and not gone:
            return CONFLICT
        self.gone = {other: key for other, key in self.gone.items() if other not in gone}
        self.unmarked |= gone
        if self.holder in victims:
            self.holder = nexus
        for other in victims:
            if other != nexus:
                del self.keys[other]
        return Reply(0)

    def takes_writes(self, nexus: tuple[int, int]) -> bool:
        return nexus == self.holder or (nexus in self.keys and nexus not in self.unmarked)


class Device:
    """A path device of node 1."""

    def __init__(self, array: Array, port: int, fault: Callable[[], Reply | None]) -> None:
        self._array, self._port, self._fault = array, port, fault

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def execute(self, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float) -> Reply:
        return self._fault() or self._array.execute((1, self._port), cdb, send, receive_bytes)


class World:
    """Node 1 with two paths to a lock LUN and a data LUN; faults by path name."""

    def __init__(self) -> None:
        self.lock, self.data = Array("36001405" + "1" * 25), Array("36001405" + "2" * 25)
        self.faults: dict[str, Callable[[], Reply | None]] = {}
        self.states = {"sda": "running", "sdb": "running", "sdc": "running", "sdd": "running"}
        self.targets = StorageTargets("erp", 1, LunName("erp-lock", self.lock.wwid), (LunName("erp-data", self.data.wwid),))
        self.opened: list[str] = []
        self.read_map: Callable[[], object] = lambda: None
        self.node = NodeView(self._open)  # type: ignore[arg-type]

    def _open(self, device: str) -> Device:
        name = device.removeprefix("/dev/")
        self.opened.append(name)
        array, port = {"sda": (self.lock, 1), "sdb": (self.lock, 2), "sdc": (self.data, 1), "sdd": (self.data, 2)}[name]
        return Device(array, port, self.faults.get(name, lambda: None))

    def luns(self) -> tuple[Lun, Lun]:
        return self._lun("erp-lock", self.lock, ("sda", "sdb")), self._lun("erp-data", self.data, ("sdc", "sdd"))

    def _lun(self, name: str, array: Array, paths: tuple[str, ...]) -> Lun:
        devices = tuple(PathDevice(p, f"8:{i}", f"{i}:0:0:0", self.states[p]) for i, p in enumerate(paths))
        return Lun(name, array.wwid, MultipathMap(array.wwid, name, "dm-0"), devices)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(made.node.topology, "find", lambda names: made.luns()[: len(names)])
    for module in (observe, map_writes):
        monkeypatch.setattr(module, "block_bytes", lambda path: 512)
    monkeypatch.setattr(node_view, "own_initiators", lambda: frozenset({"iqn.lab:node1"}))
    monkeypatch.setattr(NodeView, "read_map", lambda self, device: made.read_map())
    monkeypatch.setattr(NodeView, "write_map_sector", lambda self, device, offset, sector: made.lock.sectors.__setitem__(
        slice(offset, offset + len(sector)), sector))  # fmt: skip
    return made


def deadline(seconds: float = 2.0) -> float:
    return time.monotonic() + seconds


def look(world: World, *, write: bool = False, data: bool = True, seconds: float = 2.0):  # type: ignore[no-untyped-def]
    return observe.observe(world.node, world.targets, OWN, Observe(1, deadline(seconds), write, 5, True, data))


def own_everything(world: World) -> None:
    for array in (world.lock, world.data):
        array.keys = {(1, 1): OWN, (1, 2): OWN}
        array.holder = (1, 1)


def register(world: World, lun: int, *, replaces: tuple[int, ...] = (), not_after: float = float("inf")) -> Outcome:
    command = Register(1, deadline(), not_after, Luns.DATA, OWN, replaces)
    return changes.register(world.node, (world.luns()[lun],), command)


def test_a_data_lun_that_hangs_behind_its_map_is_not_verified(world: World) -> None:
    """As under a suspended device: every path answers, and no read or write of the database ever ends."""
    own_everything(world)
    world.read_map = lambda: time.sleep(0.5)
    seen = look(world, write=True, seconds=0.2)
    assert seen.write is Outcome.OK and seen.lock.problem is Problem.NONE
    assert [view.problem for view in seen.data] == [Problem.TIMEOUT]
    assert judge_round(OWN, seen.lock, seen.data, seen.write).finding is Finding.UNVERIFIED


def test_a_data_lun_behind_a_broken_map_is_not_verified_and_lost_stays_lost(world: World) -> None:
    def fail() -> None:
        raise NoteError("/dev/dm-1: Input/output error", errno=errno.EIO)

    own_everything(world)
    world.read_map = fail
    seen = look(world, write=True)
    assert judge_round(OWN, seen.lock, seen.data, seen.write).finding is Finding.UNVERIFIED
    world.data.keys, world.data.holder = {(2, 1): OTHER, (2, 2): OTHER}, (2, 1)
    seen = look(world, write=True)
    assert judge_round(OWN, seen.lock, seen.data, seen.write).finding is Finding.LOST


@pytest.mark.parametrize("missing", [0, 1])
def test_a_node_without_its_maps_is_not_ready_to_own(world: World, monkeypatch: pytest.MonkeyPatch, missing: int) -> None:
    """As seconds after a boot: every path answers, and the first write or mount would fail."""
    luns = tuple(replace(lun, map=None) if i == missing else lun for i, lun in enumerate(world.luns()))
    monkeypatch.setattr(world.node.topology, "find", lambda names: luns[: len(names)])
    assert look(world, data=False).lock.problem is Problem.NO_PATHS
    assert look(world, write=True).lock.problem is Problem.NONE


def test_who_only_looks_reads_no_data(world: World) -> None:
    def fail() -> None:
        raise AssertionError

    world.read_map = fail
    assert [view.problem for view in look(world).data] == [Problem.NONE]


def test_an_owner_sees_its_keys_note_and_beat(world: World) -> None:
    own_everything(world)
    seen = look(world, write=True)
    seen = look(world, write=True)
    assert seen.write is Outcome.OK
    assert seen.beat is not None and (seen.beat.key, seen.beat.counter) == (OWN, 5)
    assert seen.note is None
    for view in (seen.lock, *seen.data):
        assert (view.problem, view.keys, view.holder, view.paths_up) == (Problem.NONE, (OWN, OWN), OWN, 2)
        assert view.paths_registered == 2
        assert view.registered_keys_here == (OWN, OWN)


def test_a_dead_first_path_does_not_hide_the_lun(world: World) -> None:
    own_everything(world)
    for name in ("sda", "sdc"):
        world.faults[name] = lambda: Reply(0, host_status=1)
    begun = time.monotonic()
    seen = look(world)
    assert seen.lock.problem is seen.data[0].problem is Problem.NONE
    assert time.monotonic() - begun < 1


def test_a_silent_first_path_costs_one_hedge(world: World) -> None:
    own_everything(world)
    release = threading.Event()
    for name in ("sda", "sdc"):
        world.faults[name] = lambda: release.wait(5) and None
    begun = time.monotonic()
    seen = look(world)
    took = time.monotonic() - begun
    release.set()
    assert seen.lock.problem is seen.data[0].problem is Problem.NONE
    assert took < 4 * node_view.HEDGE_SECONDS + 0.2


def test_no_path_a_hang_and_strange_sense_are_three_problems(world: World) -> None:
    for name in world.states:
        world.states[name] = "transport-offline"
    assert look(world).lock.problem is Problem.NO_PATHS
    for name in world.states:
        world.states[name] = "running"
        world.faults[name] = lambda: Reply(0x02, sense=bytes([0x72, 5, 0x24, 0, 0, 0, 0, 0]))
    assert look(world).data[0].problem is Problem.NO_PATHS
    release = threading.Event()
    for name in world.states:
        world.faults[name] = lambda: release.wait(5) and None
    assert look(world, seconds=0.2).lock.problem is Problem.TIMEOUT
    release.set()


def test_no_defend_write_through_a_path_without_registration(world: World) -> None:
    own_everything(world)
    look(world)
    del world.lock.keys[(1, 2)]
    seen = look(world, write=True)
    assert (seen.write, seen.lock.paths_registered, seen.lock.paths_up) == (None, 1, 2)


def test_register_takes_every_live_path(world: World) -> None:
    assert register(world, 1) is Outcome.OK
    assert world.data.keys == {(1, 1): OWN, (1, 2): OWN}
    assert register(world, 1) is Outcome.OK


def test_register_replaces_an_older_key_of_this_node_only(world: World) -> None:
    world.data.keys = {(1, 1): OLD, (1, 2): OTHER}
    assert register(world, 1, replaces=(OLD,)) is Outcome.CONFLICT
    assert world.data.keys == {(1, 1): OWN, (1, 2): OTHER}


def test_a_silent_path_does_not_hold_up_registration_and_is_not_registered_later(world: World) -> None:
    release = threading.Event()
    world.faults["sdd"] = lambda: release.wait(5) and None
    world.node.on_path(world.luns()[1], world.luns()[1].paths[1], lambda device: None, deadline())
    begun = time.monotonic()
    assert register(world, 1) is Outcome.OK
    assert time.monotonic() - begun < 1
    release.set()
    time.sleep(0.1)
    assert world.data.keys == {(1, 1): OWN}


def test_too_late_is_not_sent(world: World) -> None:
    assert register(world, 1, not_after=time.monotonic() - 1) is Outcome.EXPIRED
    assert world.data.keys == {}


def test_reserve_knows_its_own_holder_on_another_path(world: World) -> None:
    own_everything(world)
    world.data.holder = (1, 2)
    assert changes.reserve(world.node, (world.luns()[1],), Reserve(1, deadline(), deadline(), Luns.DATA, OWN)) is Outcome.OK
    world.data.keys[(2, 1)] = OTHER
    world.data.holder = (2, 1)
    command = Reserve(1, deadline(), deadline(), Luns.DATA, OWN)
    assert changes.reserve(world.node, (world.luns()[1],), command) is Outcome.CONFLICT


def preempt(victims: tuple[int, ...] = (OTHER,)) -> PreemptAndAbort:
    return PreemptAndAbort(1, deadline(), deadline(), Luns.LOCK, OWN, victims)


def test_a_challenge_is_won_against_a_registered_key_only(world: World) -> None:
    world.lock.keys, world.lock.holder = {(1, 1): OWN, (1, 2): OWN, (2, 1): OTHER, (2, 2): OTHER}, (2, 1)
    assert changes.preempt_lock(world.node, world.luns()[0], preempt()) is Outcome.OK
    assert world.lock.keys == {(1, 1): OWN, (1, 2): OWN}
    assert world.lock.holder == (1, 1)
    assert changes.preempt_lock(world.node, world.luns()[0], preempt()) is Outcome.CONFLICT


@pytest.mark.parametrize("renew", [True, False])
def test_after_a_boot_with_sessions_in_another_order_every_path_takes_writes(world: World, renew: bool) -> None:
    """The old sessions' registrations go by preemption, and with them LIO's marks of the new ones."""
    for array in (world.lock, world.data):
        array.gone = {(1, 1): OLD, (1, 2): OLD}
        array.keys = {(1, 1): OWN, (1, 2): OWN}
    command = replace(preempt((OLD,)), renew=renew)
    assert changes.preempt_lock(world.node, world.luns()[0], command) is Outcome.OK
    assert changes.preempt_data(world.node, world.luns()[1:], command) is Outcome.OK
    world.lock.holder = world.data.holder = (1, 1)
    for array in (world.lock, world.data):
        assert array.keys == {(1, 1): OWN, (1, 2): OWN}
        assert array.takes_writes((1, 1))
        assert array.takes_writes((1, 2)) is renew


def test_the_path_that_holds_the_reservation_keeps_its_registration(world: World) -> None:
    world.lock.gone = {(1, 1): OLD}
    world.lock.keys, world.lock.holder = {(1, 1): OWN, (1, 2): OWN}, (1, 1)
    assert changes.preempt_lock(world.node, world.luns()[0], replace(preempt((OLD,)), renew=True)) is Outcome.OK
    assert world.lock.holder == (1, 1)


def test_a_lost_answer_of_a_challenge_is_unknown_and_not_repeated(world: World) -> None:
    world.lock.keys, world.lock.holder = {(1, 1): OWN, (1, 2): OWN, (2, 1): OTHER}, (2, 1)

    def lose_answer() -> Reply:
        world.lock.keys.pop((2, 1), None)
        return Reply(0, host_status=0x0E)

    world.faults["sda"] = lose_answer
    assert changes.preempt_lock(world.node, world.luns()[0], preempt()) is Outcome.TIMEOUT
    assert world.opened == ["sda"]


def test_on_data_absent_victims_are_done_and_another_path_may_repeat(world: World) -> None:
    world.data.keys, world.data.holder = {(1, 1): OWN, (1, 2): OWN, (2, 1): OTHER}, (2, 1)
    world.faults["sdc"] = lambda: Reply(0, host_status=1)
    assert changes.preempt_data(world.node, (world.luns()[1],), preempt((OTHER, OLD))) is Outcome.OK
    assert OTHER not in world.data.keys.values()
    assert changes.preempt_data(world.node, (world.luns()[1],), preempt()) is Outcome.OK


def test_unregister_is_done_where_the_key_is_not(world: World) -> None:
    world.data.keys = {(1, 1): OWN}
    command = Unregister(1, deadline(), Luns.DATA, OWN)
    assert changes.unregister(world.node, (world.luns()[1],), command) is Outcome.OK
    assert world.data.keys == {}


def test_a_registration_without_a_path_goes_with_the_key(world: World) -> None:
    world.data.keys, world.data.holder = {(1, 1): OWN, (1, 2): OWN, (1, 9): OWN}, (1, 9)
    command = Unregister(1, deadline(), Luns.DATA, OWN)
    assert changes.unregister(world.node, (world.luns()[1],), command) is Outcome.OK
    assert world.data.keys == {}


def test_a_device_that_is_another_lun_gets_no_command(world: World) -> None:
    lock, data = world.luns()
    swapped = Lun(data.name, data.wwid, None, lock.paths)
    outcome = changes.register(world.node, (swapped,), Register(1, deadline(), deadline(), Luns.DATA, OWN))
    assert outcome is Outcome.NO_PATHS
    assert world.lock.keys == {}

