"""Reservation commands: the bytes that leave, the bytes that come back, and how often a command is tried."""

from __future__ import annotations

import struct

import pytest
from holdfast_agent.errors import CheckConditionError, PathFailedError, ReservationConflictError
from holdfast_agent.scsi import command
from holdfast_agent.scsi.reservation import (
    FullStatus,
    Reservation,
    ReservationPath,
    parse_read_full_status,
    parse_read_reservation,
)
from holdfast_agent.scsi.sgio import Reply

OWN, OTHER = 0x8ABCDEF001000007, 0x8ABCDEF002000003
UNIT_ATTENTION = Reply(0x02, sense=bytes([0x70, 0, 6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x2A, 0x03, 0, 0, 0, 0]))


class Recorder:
    """A path that answers from a list and remembers what it was sent."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.sent: list[tuple[bytes, bytes]] = []

    def execute(self, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float) -> Reply:
        self.sent.append((cdb, send))
        return self.replies.pop(0)


def path(*replies: Reply) -> tuple[ReservationPath, Recorder]:
    recorder = Recorder(*replies)
    return ReservationPath(recorder, 1.0), recorder


def test_register_carries_both_keys_and_aptpl() -> None:
    reservation, recorder = path(Reply(0))
    reservation.register(0, OWN)
    cdb, parameters = recorder.sent[0]
    assert cdb == bytes([0x5F, 0x00, 0x05, 0, 0, 0, 0, 0, 24, 0])
    assert parameters == struct.pack(">QQ", 0, OWN) + bytes([0, 0, 0, 0, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("call", "service_action", "keys"),
    [
        (lambda p: p.reserve(OWN), 1, (OWN, 0)),
        (lambda p: p.release(OWN), 2, (OWN, 0)),
        (lambda p: p.preempt_and_abort(OWN, OTHER), 5, (OWN, OTHER)),
        (lambda p: p.unregister(OWN), 0, (OWN, 0)),
    ],
)
def test_service_actions_and_keys(call, service_action, keys) -> None:  # type: ignore[no-untyped-def]
    reservation, recorder = path(Reply(0))
    call(reservation)
    cdb, parameters = recorder.sent[0]
    assert (cdb[0], cdb[1], cdb[2]) == (0x5F, service_action, 5)
    assert struct.unpack_from(">QQ", parameters) == keys


def test_no_method_can_clear_or_register_without_the_right_key() -> None:
    assert not [name for name in dir(ReservationPath) if "clear" in name or "ignore" in name]


def test_unit_attentions_are_absorbed_and_bounded() -> None:
    reservation, recorder = path(*[UNIT_ATTENTION] * command.MAXIMUM_UNIT_ATTENTIONS, Reply(0))
    reservation.reserve(OWN)
    assert len(recorder.sent) == command.MAXIMUM_UNIT_ATTENTIONS + 1
    endless, _ = path(*[UNIT_ATTENTION] * (command.MAXIMUM_UNIT_ATTENTIONS + 1))
    with pytest.raises(CheckConditionError):
        endless.reserve(OWN)


def test_a_conflict_is_not_repeated() -> None:
    reservation, recorder = path(Reply(0x18))
    with pytest.raises(ReservationConflictError):
        reservation.preempt_and_abort(OWN, OTHER)
    assert len(recorder.sent) == 1


def test_busy_is_waited_out(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(command.time, "sleep", waits.append)
    reservation, _ = path(Reply(0x08), Reply(0x28), Reply(0))
    reservation.reserve(OWN)
    assert waits == [command.BUSY_WAIT_SECONDS] * 2


def test_transport_failure_and_dead_node_are_path_failures() -> None:
    reservation, _ = path(Reply(0, host_status=0x01))
    with pytest.raises(PathFailedError):
        reservation.read_full_status()

    class Gone:
        def execute(self, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float) -> Reply:
            raise OSError(6, "No such device or address")

    with pytest.raises(PathFailedError):
        ReservationPath(Gone(), 1.0).read_full_status()


def test_read_reservation() -> None:
    held = struct.pack(">IIQ4xBBxx", 4, 16, OTHER, 0, 0x05)
    assert parse_read_reservation(held) == Reservation(4, OTHER, 5)
    assert parse_read_reservation(struct.pack(">II", 4, 0)) == Reservation(4, None, None)


def descriptor(key: int, *, holder: bool, port: int, transport_id: bytes) -> bytes:
    return struct.pack(">Q4xBB4xHI", key, 1 if holder else 0, 5, port, len(transport_id)) + transport_id


def test_full_status_tells_ports_and_holder() -> None:
    name = b"iqn.2026-11.lab:node1,i,0x00023d000001\0"
    transport = bytes([0x45, 0]) + struct.pack(">H", len(name)) + name
    body = descriptor(OWN, holder=True, port=1, transport_id=transport) + descriptor(
        OTHER, holder=False, port=2, transport_id=transport
    )
    status = parse_read_full_status(struct.pack(">II", 12, len(body)) + body)
    assert status.keys == (OWN, OTHER)
    assert status.generation == 12
    assert status.holder is not None and (status.holder.key, status.holder.type, status.holder.target_port) == (OWN, 5, 1)
    assert parse_read_full_status(struct.pack(">II", 1, 0)) == FullStatus(1, ())


@pytest.mark.parametrize("parse", [parse_read_reservation, parse_read_full_status])
@pytest.mark.parametrize("reply", [b"", b"\0\0\0", struct.pack(">II", 1, 64) + bytes(8)])
def test_cut_replies_are_refused(parse, reply: bytes) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CheckConditionError):
        parse(reply)
