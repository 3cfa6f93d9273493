"""Real breaks of a real cluster, done behind the back of a running drill. Each undoes itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.drill.driver import Drill

# LIO's own switch: without emulation of persistent reservations the array checks none (drivers/target/target_core_spc.c).
EMULATION = "/sys/kernel/config/target/core/*/*/attrib/emulate_pr"
LOST = "DELETE FROM holdfast_probe.transaction WHERE worker = 'w1' AND seq = 5;"


def at_step(drill: Drill, words: str, deed: Callable[[], None], event: str = "start") -> None:
    """Do it once, when the step whose name contains `words` begins or ends."""
    done = threading.Event()

    def follow(entry: Mapping[str, Any]) -> None:
        if entry["kind"] == "step" and entry["event"] == event and words in entry["name"] and not done.is_set():
            done.set()
            deed()

    drill.journal.listeners.append(follow)


def fence_off(drill: Drill) -> None:
    """The array forgets to refuse, for as long as the writes are tried."""
    array = drill.view.array[0]
    try_writes = drill.actions.try_writes

    def switch(value: int) -> None:
        drill.shell.succeed(array, ["sh", "-c", f"for f in {EMULATION}; do echo {value} >$f; done"])

    def unfenced(refused_on: Mapping[str, bool]) -> None:
        switch(0)
        try:
            try_writes(refused_on)
        finally:
            switch(1)

    drill.actions.try_writes = unfenced  # type: ignore[method-assign]


def second_address(drill: Drill) -> None:
    """The node that lost the package puts the address up again, for five seconds."""
    host, address = drill.roles.owner, drill.view.addresses[0]
    link = drill.actions.interface_of(host)

    def deed() -> None:
        threading.Thread(target=put_up, daemon=True).start()

    def put_up() -> None:
        end = time.monotonic() + 5
        while time.monotonic() < end:  # the agent takes it down again: that is the point of it, and not of this test
            drill.shell.run(host, ["ip", "address", "replace", f"{address}/32", "dev", link])
        drill.shell.run(host, ["ip", "address", "del", f"{address}/32", "dev", link])

    at_step(drill, "clients served", deed)


def lost_row(drill: Drill) -> None:
    """A row that a client saw committed is deleted in the database, with the database's own means."""
    port = str((drill.view.database or {})["port"])

    def deed() -> None:
        drill.shell.succeed(drill.actions.current_owner(), [
            "runuser", "-u", "postgres", "--", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-p", port, "-d", "holdfast_probe",
        ], stdin=LOST)  # fmt: skip

    at_step(drill, "clients served", deed)


def unplugged_switch(drill: Drill) -> None:
    """The power switch says that it did what it was told, and is not connected to anything."""
    drill.power.do = lambda host, verb, network=None: f"{host} is {verb}"  # type: ignore[method-assign]
