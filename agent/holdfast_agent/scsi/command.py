"""Carrying one command to its real ending: unit attentions absorbed, busy waited for, the rest raised by kind.

A unit attention is a message about the past (reservations preempted, reset, parameters changed) that a target
delivers once per nexus instead of executing the command: it is never counted as a conflict and never as a fault.
"""

from __future__ import annotations

import time

from ..errors import CheckConditionError, PathFailedError, ReservationConflictError
from .sense import Outcome, classify, parse_sense
from .sgio import Reply, Transport

# A target may queue several unit attentions on one nexus (LIO keeps a list per session and LUN): power on, reservations
# preempted, registrations preempted, capacity changed, INQUIRY changed. Eight covers all of them arriving together.
MAXIMUM_UNIT_ATTENTIONS = 8
# BUSY and TASK SET FULL say "come back soon"; 10 tries of 20 ms stay inside the shortest defend period.
MAXIMUM_BUSY_RETRIES = 10
BUSY_WAIT_SECONDS = 0.02


def run_command(
    transport: Transport, cdb: bytes, *, send: bytes = b"", receive_bytes: int = 0, timeout_seconds: float
) -> Reply:
    """Return the GOOD reply of ``cdb``.

    Raises ReservationConflictError, PathFailedError (timeout, transport, device node gone) or CheckConditionError.
    """
    attentions = busy = 0
    while True:
        try:
            reply = transport.execute(cdb, send=send, receive_bytes=receive_bytes, timeout_seconds=timeout_seconds)
        except OSError as error:
            raise PathFailedError(f"device node failed: {error.strerror}", errno=error.errno) from error
        outcome = classify(reply)
        if outcome is Outcome.GOOD:
            return reply
        if outcome is Outcome.UNIT_ATTENTION and attentions < MAXIMUM_UNIT_ATTENTIONS:
            attentions += 1
        elif outcome is Outcome.BUSY and busy < MAXIMUM_BUSY_RETRIES:
            busy += 1
            time.sleep(BUSY_WAIT_SECONDS)
        else:
            _raise_for(outcome, cdb, reply)


def _raise_for(outcome: Outcome, cdb: bytes, reply: Reply) -> None:
    details = {
        "opcode": f"{cdb[0]:#04x}",
        "status": reply.status,
        "host_status": reply.host_status,
        "sense": str(parse_sense(reply.sense)),
    }
    if outcome is Outcome.CONFLICT:
        raise ReservationConflictError("reservation conflict", **details)
    if outcome in (Outcome.TIMEOUT, Outcome.TRANSPORT):
        raise PathFailedError(f"path failed ({outcome.value})", **details)
    raise CheckConditionError(f"command refused ({outcome.value}, sense {details['sense']})", **details)
