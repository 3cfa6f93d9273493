"""What the agent asks of systemd: start, stop, kill and watch units, and whether the machine is going down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import DeadlineError, UnitError
from ..waiting import wait_for
from .bus import SystemdBus

_MANAGER = "org.freedesktop.systemd1.Manager"
_ROOT = "/org/freedesktop/systemd1"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_UNIT = "org.freedesktop.systemd1.Unit"
# systemd answers a property read in well under a millisecond; 20 ms bounds what a start adds to a takeover.
_POLL_SECONDS = 0.02
CALL_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True)
class UnitState:
    """ActiveState and SubState as in systemctl show, and the number of a pending job (0: none)."""

    active: str
    sub: str
    job: int = 0

    @property
    def is_running(self) -> bool:
        """Whether the unit does its work; a reload does not interrupt that."""
        return self.active in ("active", "reloading")

    @property
    def is_down(self) -> bool:
        """Whether nothing of the unit runs."""
        return self.active in ("inactive", "failed")


def read_unit_state(bus: SystemdBus, unit: str) -> UnitState:
    """State of a unit; raises UnitError where there is no such unit."""
    (path,) = bus.call(_ROOT, _MANAGER, "LoadUnit", "s", (unit,))
    active, sub, loaded = (
        bus.call(path, _PROPERTIES, "Get", "ss", (_UNIT, name))[0] for name in ("ActiveState", "SubState", "LoadState")
    )
    if loaded != "loaded":
        raise UnitError(f"unit {unit} is {loaded}", unit=unit)
    job = bus.call(path, _PROPERTIES, "Get", "ss", (_UNIT, "Job"))[0][0]
    return UnitState(active, sub, job)


def start_unit(bus: SystemdBus, unit: str, deadline: float) -> None:
    """Start a unit and wait until it runs; raises UnitError where it fails, DeadlineError where it takes too long."""
    if read_unit_state(bus, unit).active == "failed":
        bus.call(_ROOT, _MANAGER, "ResetFailedUnit", "s", (unit,))
    bus.call(_ROOT, _MANAGER, "StartUnit", "ss", (unit, "replace"))
    state = _wait(bus, unit, deadline, lambda state: state.is_running or (state.is_down and not state.job))
    if not state.is_running:
        raise UnitError(f"unit {unit} ended {state.active} ({state.sub})", unit=unit)


def stop_unit(bus: SystemdBus, unit: str, deadline: float) -> None:
    """Stop a unit and wait until nothing of it runs."""
    bus.call(_ROOT, _MANAGER, "StopUnit", "ss", (unit, "replace"))
    _wait(bus, unit, deadline, lambda state: state.is_down)


def kill_unit(bus: SystemdBus, unit: str) -> None:
    """Kill every process of a unit at once; the stop job keeps systemd from starting it again."""
    bus.call(_ROOT, _MANAGER, "StopUnit", "ss", (unit, "replace"))
    try:
        bus.call(_ROOT, _MANAGER, "KillUnit", "ssi", (unit, "all", 9))
    except UnitError:
        # Nothing was left to kill: the unit is down, which is what was asked for.
        if not read_unit_state(bus, unit).is_down:
            raise


def system_is_stopping() -> bool:
    """Whether a shutdown or reboot is under way (systemd's SystemState is then "stopping")."""
    with SystemdBus(CALL_TIMEOUT_SECONDS) as bus:
        state = bus.call(_ROOT, _PROPERTIES, "Get", "ss", (_MANAGER, "SystemState"))[0]
    return bool(state == "stopping")


def _wait(bus: SystemdBus, unit: str, deadline: float, is_final: Callable[[UnitState], bool]) -> UnitState:
    state = wait_for(lambda: read_unit_state(bus, unit), deadline, _POLL_SECONDS, is_final)
    if not is_final(state):
        raise DeadlineError(f"unit {unit} is still {state.active} ({state.sub})", unit=unit)
    return state
