"""What nodes and gates say to each other: one question and one answer per connection, a line each.

The gate opens with a nonce; question and answer each carry a keyed checksum over the nonce and their own text, so that
a recorded one is worth nothing on another connection. Nothing said here is secret. The key belongs to one package on one
pooler host: whoever reads it there can pause this pooler and nothing else.
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import HoldfastError

MAXIMUM_LINE_BYTES = 4096
PAUSE, SERVE, STATUS = "pause", "serve", "status"
# The answer to an owner that only says again what it said before.
SERVING = "serving"
_QUESTION, _ANSWER = b"question", b"answer"


class GateMessageError(HoldfastError):
    """A line that does not come from the other side, or not on this connection."""


@dataclass(frozen=True)
class Question:
    """``term`` is the ownership that speaks: a later one has more right than an earlier one.

    ``at`` orders what one ownership says: the monotonic clock of its node, which lives as long as the ownership can.
    """

    verb: str
    term: int = 0
    at: float = 0.0
    pause_seconds: float = 0.0
    hold_seconds: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What became of it; ``paused`` is whether clients are held back now."""

    ok: bool
    reason: str
    paused: bool = False


def derive_key(cluster_secret: bytes, package: str, host: str) -> bytes:
    """The key of one package's gate on one host. The role on the controller derives the same one."""
    return hmac.digest(cluster_secret, f"holdfast gate {package} {host}".encode(), "sha256").hex().encode()


def new_nonce() -> bytes:
    """A nonce, as text."""
    return secrets.token_hex(16).encode()


def encode_question(question: Question, key: bytes, nonce: bytes) -> bytes:
    """Line of a question."""
    return _seal(asdict(question), key, nonce + _QUESTION)


def decode_question(line: bytes, key: bytes, nonce: bytes) -> Question:
    """The question of a line; raises GateMessageError."""
    data = _open(line, key, nonce + _QUESTION)
    try:
        seconds = float(data["at"]), float(data["pause_seconds"]), float(data["hold_seconds"])
        return Question(str(data["verb"]), int(data["term"]), *seconds)
    except (KeyError, TypeError, ValueError) as error:
        raise GateMessageError(f"not a question: {error}") from error


def encode_answer(answer: Answer, key: bytes, nonce: bytes) -> bytes:
    """Line of an answer."""
    return _seal(asdict(answer), key, nonce + _ANSWER)


def decode_answer(line: bytes, key: bytes, nonce: bytes) -> Answer:
    """The answer of a line; raises GateMessageError."""
    data = _open(line, key, nonce + _ANSWER)
    try:
        return Answer(bool(data["ok"]), str(data["reason"]), bool(data["paused"]))
    except (KeyError, TypeError) as error:
        raise GateMessageError(f"not an answer: {error}") from error


def _seal(data: dict[str, Any], key: bytes, salt: bytes) -> bytes:
    text = json.dumps(data, separators=(",", ":")).encode()
    return hmac.digest(key, salt + text, "sha256").hex().encode() + b" " + text + b"\n"


def _open(line: bytes, key: bytes, salt: bytes) -> dict[str, Any]:
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if not hmac.compare_digest(checksum, hmac.digest(key, salt + text, "sha256").hex().encode()):
        raise GateMessageError("wrong key, or not of this connection")
    data = json.loads(text)
    if not isinstance(data, dict):
        raise GateMessageError("not a message")
    return data
