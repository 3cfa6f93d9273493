"""A systemd unit as a resource."""

from __future__ import annotations

from ..config import Resource
from ..errors import ResourceError
from ..units.bus import SystemdBus
from ..units.manager import CALL_TIMEOUT_SECONDS, kill_unit, read_unit_state, start_unit, stop_unit


def start(resource: Resource, deadline: float) -> dict[str, int]:
    """Start the unit and return when systemd calls it active."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        start_unit(bus, _unit(resource), deadline)
    return {}


def stop(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop the unit and return when nothing of it runs."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        stop_unit(bus, _unit(resource), deadline)


def kill(resource: Resource) -> None:
    """Kill every process of the unit."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        kill_unit(bus, _unit(resource))


def is_down(resource: Resource) -> bool:
    """Whether nothing of the unit runs."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        return read_unit_state(bus, _unit(resource)).is_down


def check(resource: Resource, deadline: float) -> None:
    """Raise ResourceError where the unit does not run."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        state = read_unit_state(bus, _unit(resource))
    if not state.is_running:
        raise ResourceError(f"unit {_unit(resource)} is {state.active} ({state.sub})")


def program(resource: Resource) -> None:
    """Nothing to read ahead, but the unit has to exist; raises UnitError."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        read_unit_state(bus, _unit(resource))


def _unit(resource: Resource) -> str:
    return str(resource.settings.get("unit", resource.name))
