"""The heartbeat datagram: JSON with a keyed checksum.

The key file keeps strangers and other clusters out; the session and the counter keep recorded datagrams out. A
session is one start of an agent; its number grows from start to start, so an older session is a replay.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from ..core.events import PeerView

_DIGEST_BYTES = 32
_SCHEMA = 1


@dataclass(frozen=True)
class Heartbeat:
    """What one agent says about itself; ``released`` is package to term, only in an announcement."""

    node: str
    session: int
    counter: int
    views: dict[str, PeerView] = field(default_factory=dict)
    released: dict[str, int] = field(default_factory=dict)


def encode_heartbeat(heartbeat: Heartbeat, secret: bytes, cluster: str) -> bytes:
    """Datagram of a heartbeat."""
    text = json.dumps(
        {
            "schema": _SCHEMA,
            "cluster": cluster,
            "node": heartbeat.node,
            "session": heartbeat.session,
            "counter": heartbeat.counter,
            "views": {name: asdict(view) for name, view in heartbeat.views.items()},
            "released": heartbeat.released,
        },
        separators=(",", ":"),
    ).encode()
    return hmac.digest(secret, text, "sha256") + text


def decode_heartbeat(datagram: bytes, secret: bytes, cluster: str) -> Heartbeat | None:
    """The heartbeat of a datagram, None where it is not from this cluster or not whole."""
    digest, text = datagram[:_DIGEST_BYTES], datagram[_DIGEST_BYTES:]
    if not hmac.compare_digest(digest, hmac.digest(secret, text, "sha256")):
        return None
    try:
        return _from_json(json.loads(text), cluster)
    except (ValueError, KeyError, TypeError):
        return None


def _from_json(data: dict[str, Any], cluster: str) -> Heartbeat | None:
    if data["schema"] != _SCHEMA or data["cluster"] != cluster:
        return None
    return Heartbeat(
        node=str(data["node"]),
        session=int(data["session"]),
        counter=int(data["counter"]),
        views={str(name): PeerView(**view) for name, view in data["views"].items()},
        released={str(name): int(term) for name, term in data["released"].items()},
    )


class ReplayGuard:
    """Lets each datagram of a peer through once per network and never an older one."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[int, int]] = {}

    def is_new(self, network: str, heartbeat: Heartbeat) -> bool:
        """Whether this datagram is younger than everything heard from the node on this network."""
        key, stamp = (network, heartbeat.node), (heartbeat.session, heartbeat.counter)
        if stamp <= self._last.get(key, (0, 0)):
            return False
        self._last[key] = stamp
        return True
