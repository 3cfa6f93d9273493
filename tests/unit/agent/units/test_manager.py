"""Units through a made-up systemd that speaks the wire format over a real socket."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from holdfast_agent.errors import DeadlineError, UnitError
from holdfast_agent.units import manager
from holdfast_agent.units.bus import SystemdBus
from holdfast_agent.units.manager import UnitState, kill_unit, read_unit_state, start_unit, stop_unit
from holdfast_agent.units.wire import Reader, Writer


class Systemd:
    """One unit whose states are played from a list; the last one stays."""

    def __init__(self, path: Path, states: list[tuple[str, str, int]], load: str = "loaded") -> None:
        self.states, self.load = states, load
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.refuse: set[str] = set()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            greeting = b""
            while not greeting.endswith(b"BEGIN\r\n"):
                greeting += connection.recv(1)
            connection.sendall(b"OK 0123456789abcdef\r\n")
            while header := connection.recv(16, socket.MSG_WAITALL):
                self._answer(connection, header)

    def _answer(self, connection: socket.socket, header: bytes) -> None:
        _, _, _, _, body_bytes, serial, fields_bytes = struct.unpack("<4B3I", header)
        fields = connection.recv(fields_bytes + -fields_bytes % 8, socket.MSG_WAITALL)
        values = dict(Reader(struct.pack("<I", fields_bytes) + bytes(4) + fields).read("a(yv)"))
        body = connection.recv(body_bytes, socket.MSG_WAITALL) if body_bytes else b""
        arguments = tuple(Reader(body).read_all(values.get(8, "")))
        self.calls.append((values[3], arguments))
        connection.sendall(self._reply(serial, values[3], arguments))

    def _reply(self, serial: int, member: str, arguments: tuple[Any, ...]) -> bytes:
        if member in self.refuse:
            return encode(3, serial, "s", ("refused",))
        if member == "LoadUnit":
            return encode(2, serial, "o", ("/org/freedesktop/systemd1/unit/x",))
        if member == "Get":
            return encode(2, serial, "v", (self._property(arguments[1]),))
        return encode(2, serial, "", ())

    def _property(self, name: str) -> tuple[str, Any]:
        active, sub, job = self.states[0]
        if name == "Job":
            if len(self.states) > 1:
                self.states.pop(0)
            return "(uo)", (job, "/")
        return "s", {"ActiveState": active, "SubState": sub, "LoadState": self.load, "SystemState": active}[name]


def encode(kind: int, reply_to: int, signature: str, values: tuple[Any, ...]) -> bytes:
    body = Writer()
    body.write_all(signature, values)
    fields = [(5, ("u", reply_to)), *([(8, ("g", signature))] if signature else [])]
    header = Writer()
    header.write_all("yyyyuua(yv)", (ord("l"), kind, 0, 1, len(body.data), 77, fields))
    header.align(8)
    return bytes(header.data + body.data)


@contextmanager
def systemd(tmp_path: Path, *states: tuple[str, str, int], load: str = "loaded") -> Iterator[tuple[Systemd, SystemdBus]]:
    made = Systemd(tmp_path / "private", list(states), load)
    with SystemdBus(2.0, str(tmp_path / "private")) as bus:
        yield made, bus
    made.listener.close()


def members(made: Systemd) -> list[str]:
    return [member for member, _ in made.calls if member not in ("LoadUnit", "Get")]


def test_a_state(tmp_path: Path) -> None:
    with systemd(tmp_path, ("active", "running", 0)) as (_, bus):
        assert read_unit_state(bus, "erp-app.service") == UnitState("active", "running", 0)


def test_a_missing_unit_is_a_reason(tmp_path: Path) -> None:
    with systemd(tmp_path, ("inactive", "dead", 0), load="not-found") as (_, bus), pytest.raises(UnitError, match="not-found"):
        read_unit_state(bus, "nosuch.service")


def test_a_start_waits_until_the_unit_runs(tmp_path: Path) -> None:
    states = (("failed", "failed", 0), ("inactive", "dead", 5), ("activating", "start", 5), ("active", "running", 0))
    with systemd(tmp_path, *states) as (made, bus):
        start_unit(bus, "erp-app.service", time.monotonic() + 5)
    assert members(made) == ["ResetFailedUnit", "StartUnit"]


def test_a_failed_start_says_how_it_ended(tmp_path: Path) -> None:
    states = (("inactive", "dead", 0), ("activating", "start", 5), ("failed", "exit-code", 0))
    with systemd(tmp_path, *states) as (_, bus), pytest.raises(UnitError, match="failed"):
        start_unit(bus, "erp-app.service", time.monotonic() + 5)


def test_a_start_that_never_ends_is_a_deadline(tmp_path: Path) -> None:
    states = (("inactive", "dead", 0), ("activating", "start", 5))
    with systemd(tmp_path, *states) as (_, bus), pytest.raises(DeadlineError):
        start_unit(bus, "erp-app.service", time.monotonic() + 0.05)


def test_stop_and_kill(tmp_path: Path) -> None:
    with systemd(tmp_path, ("deactivating", "stop", 5), ("inactive", "dead", 0)) as (made, bus):
        stop_unit(bus, "erp-app.service", time.monotonic() + 5)
        made.refuse = {"KillUnit"}
        kill_unit(bus, "erp-app.service")
    assert members(made) == ["StopUnit", "StopUnit", "KillUnit"]


def test_a_kill_that_is_refused_while_the_unit_runs_is_told(tmp_path: Path) -> None:
    with systemd(tmp_path, ("active", "running", 0)) as (made, bus):
        made.refuse = {"KillUnit"}
        with pytest.raises(UnitError, match="refused"):
            kill_unit(bus, "erp-app.service")


def test_a_machine_that_goes_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with systemd(tmp_path, ("stopping", "", 0)) as (_, bus):
        monkeypatch.setattr(manager, "SystemdBus", lambda timeout: bus)
        assert manager.system_is_stopping()


def test_nobody_there_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match="does not answer"):
        SystemdBus(1.0, str(tmp_path / "nobody"))
