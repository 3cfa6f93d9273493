"""What the parts of the running agent share: loop, log, children. Handed in, never reached for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..children.zygote import Zygote
from ..core.events import Event
from ..eventlog.writer import EventLog
from .loop import Loop

Send = Callable[[Event], None]


@dataclass(frozen=True)
class Ports:
    """Everything that touches the outside."""

    loop: Loop
    log: EventLog
    zygote: Zygote
