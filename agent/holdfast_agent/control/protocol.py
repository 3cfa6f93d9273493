"""Requests and answers on the control socket: one JSON object per line, one request per connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.events import Verb
from ..errors import HoldfastError

SOCKET_PATH = Path("/run/holdfast/control.sock")
STATUS = "status"


class RequestError(HoldfastError):
    """A request that is not understood."""


@dataclass(frozen=True)
class Request:
    """What is asked for: ``verb`` is "status" or one of the machine's verbs."""

    verb: str
    package: str | None = None
    target: str | None = None
    up_to: str | None = None
    """start: only up to this step."""
    preview: bool = False
    """move: only say what would happen."""
    without_poolers: bool = False
    """move, failback: do not pause the poolers first."""
    longest_transaction: float | None = None
    """move, failback: refuse while a transaction has been open for more seconds than this."""
    wait: float = 0.0
    """move, failback: wait this many seconds for such a transaction to end, and refuse only then."""


def encode(message: dict[str, Any]) -> bytes:
    """One line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode_request(line: bytes) -> Request:
    """Read a request; raises RequestError."""
    try:
        data = json.loads(line)
        preview, without_poolers = (bool(data.get(name)) for name in ("preview", "without_poolers"))
        limit, wait = data.get("longest_transaction"), float(data.get("wait") or 0)
        request = Request(
            str(data["verb"]), data.get("package"), data.get("target"), data.get("up_to"), preview, without_poolers,
            float(limit) if limit is not None else None, wait,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RequestError(f"not a request: {error}") from error
    if not all(isinstance(word, str | None) for word in (request.package, request.target, request.up_to)):
        raise RequestError("not a request: package, target and up_to are words")
    if request.verb != STATUS and request.verb not in set(Verb):
        raise RequestError(f"unknown verb {request.verb}")
    if request.verb != STATUS and not request.package:
        raise RequestError(f"{request.verb} needs a package")
    if request.preview and request.verb != Verb.MOVE:
        raise RequestError("only a move has a preview")
    return request
