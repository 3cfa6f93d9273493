"""What is done to multipath maps as a whole: suspend, resume, telling multipathd the key."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from ..core.events import Outcome
from ..errors import HoldfastError
from ..multipath.daemon_socket import MultipathDaemon
from ..multipath.reservation_key import clear_map_key, set_map_key
from ..volume.device_mapper import resume_mapped, send_mapped_message, suspend_mapped
from .lanes import wait_for
from .node_view import NodeView
from .outcomes import outcome_of, worst
from .targets import Lun

# One thread of its own for multipathd: it answers one client at a time and may be busy for seconds.
_DAEMON_LANE = "multipathd"


def suspend(node: NodeView, luns: tuple[Lun, ...], deadline: float) -> Outcome:
    """Hold back all I/O of the maps without flushing what they hold already."""
    return _on_every_map(node, luns, suspend_mapped, deadline, float("inf"))


def resume(node: NodeView, luns: tuple[Lun, ...], deadline: float, not_after: float) -> Outcome:
    """Let I/O flow again, and put usable paths that the kernel had given up back into use."""
    numbers = {lun.map.name: [path.number for path in lun.live_paths] for lun in luns if lun.map}
    return _on_every_map(node, luns, lambda name: _resume(name, numbers[name]), deadline, not_after)


def announce_key(node: NodeView, luns: tuple[Lun, ...], key: int, deadline: float) -> Future[None]:
    """Tell multipathd the key of the maps. Nothing waits for it: until it knows, the agent's own rounds repair."""
    return _tell(node, luns, lambda daemon, name: set_map_key(daemon, name, key), deadline)


def withdraw_key(node: NodeView, luns: tuple[Lun, ...], deadline: float) -> Future[None]:
    """Make multipathd stop registering paths of the maps."""
    return _tell(node, luns, clear_map_key, deadline)


def _tell(
    node: NodeView, luns: tuple[Lun, ...], change: Callable[[MultipathDaemon, str], None], deadline: float
) -> Future[None]:
    names = [lun.map.name for lun in luns if lun.map]

    def run() -> None:
        for name in names:
            change(MultipathDaemon(), name)

    return node.lanes.lane(_DAEMON_LANE).submit(run, deadline)


def _resume(name: str, path_numbers: list[str]) -> None:
    resume_mapped(name)
    for number in path_numbers:
        send_mapped_message(name, f"reinstate_path {number}")


def _on_every_map(
    node: NodeView, luns: tuple[Lun, ...], work: Callable[[str], None], deadline: float, not_after: float
) -> Outcome:
    """Do something with every map in threads of their own: a map that is held up by queued writes must not be waited
    for behind them."""
    futures = [
        node.lanes.lane(f"{lun.map.name} control").submit(partial(work, lun.map.name), deadline, not_after)
        for lun in luns
        if lun.map
    ]
    return worst([_outcome(future, deadline) for future in futures])


def _outcome(future: Future[None], deadline: float) -> Outcome:
    try:
        wait_for(future, deadline)
    except HoldfastError as error:
        return outcome_of(error)
    return Outcome.OK
