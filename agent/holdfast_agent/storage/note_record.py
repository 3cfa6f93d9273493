"""Note and beat of the state machine as JSON on the lock LUN.

The machine counts the age of failures on its own clock; on disk they are wall-clock stamps, because that is the only
clock two nodes share. A stamp from the future (clock jump) counts as "just now".
"""

from __future__ import annotations

import time

from ..core.events import Beat, Flag, Note
from ..scsi.note import Body

# A reason can end with the last lines of a database's log, and a note has one sector. The event log has all of it.
_REASON_CHARACTERS = 300


def note_to_body(note: Note, wall: float | None = None) -> Body:
    """Body of a note sector."""
    now = time.time() if wall is None else wall
    return {
        "flag": note.flag.value,
        "key": f"{note.key:#018x}",
        "term": note.term,
        "target": note.target,
        "reason": note.reason[:_REASON_CHARACTERS],
        "failures": [round(now - age, 3) for age in note.failure_ages],
        "failed_nodes": list(note.failed_nodes),
        "previous": note.previous,
    }


def note_from_body(body: Body, wall: float | None = None) -> Note | None:
    """The note of a sector's body, None where the body is not a note of this version."""
    now = time.time() if wall is None else wall
    try:
        return Note(
            flag=Flag(body["flag"]),
            key=int(body["key"], 16),
            term=int(body["term"]),
            target=body["target"],
            reason=str(body["reason"]),
            failure_ages=tuple(max(0.0, now - float(stamp)) for stamp in body["failures"]),
            failed_nodes=tuple(body["failed_nodes"]),
            previous=body["previous"],
        )
    except (KeyError, TypeError, ValueError):
        return None


def beat_to_body(beat: Beat) -> Body:
    """Body of a beat sector."""
    return {"key": f"{beat.key:#018x}", "counter": beat.counter, "serving": beat.serving}


def beat_from_body(body: Body) -> Beat | None:
    """The beat of a sector's body, None where the body is not a beat."""
    try:
        return Beat(int(body["key"], 16), int(body["counter"]), bool(body["serving"]))
    except (KeyError, TypeError, ValueError):
        return None
