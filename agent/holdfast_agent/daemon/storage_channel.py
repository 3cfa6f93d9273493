"""The storage channel of one package: hands commands to its child and brings the answers back."""

from __future__ import annotations

from ..children.messages import JobEnd
from ..children.pool import DEADLINE_KIND, JobHandle, Pool
from ..core.actions import Observe, StorageCommand
from ..core.events import Done, LunView, Observed, Outcome, Problem
from ..eventlog.writer import WARNING
from ..storage.perform import StorageAnswer, perform_storage
from ..storage.targets import StorageTargets
from .ports import Ports, Send

# The child answers by the command's own deadline; if it has not by then, it is the child itself that hangs.
_GRACE_SECONDS = 0.5
# A storage command that takes longer is worth a line in the log: the timers assume less.
_SLOW_SECONDS = 0.15


class StorageChannel:
    """One command at a time; a new one ends what an abandoned one might still send."""

    def __init__(self, ports: Ports, targets: StorageTargets, send: Send) -> None:
        self._ports, self._targets, self._send = ports, targets, send
        self._pool = Pool(ports.loop, ports.zygote, f"hf-s-{targets.package}", real_time=True)
        self._under_way: JobHandle | None = None
        # For status: by LUN and path the own keys, the last view of each LUN that could be read, and when that was. A node
        # at rest reads the lock LUN alone: what it knows of the data LUNs is as old as its last ownership or challenge.
        self.path_keys: dict[str, dict[str, tuple[int, ...]]] = {}
        self.views: dict[str, LunView] = {}
        self.read_at: dict[str, float] = {}

    def start(self, command: StorageCommand, own_key: int) -> None:
        """Start a command with the key that the machine uses now."""
        if self._under_way is not None:
            self._under_way.abandon()
        self._under_way = self._pool.submit(
            perform_storage,
            (self._targets, own_key, command),
            command.deadline + _GRACE_SECONDS,
            lambda end: self._finish(command, end),
        )

    def _finish(self, command: StorageCommand, end: JobEnd) -> None:
        self._under_way = None
        answer = end.value
        if not isinstance(answer, StorageAnswer):
            self._log("storage child failed", reason=f"{end.error_kind}: {end.error_text}", **end.error_details)
            self._send(failed_answer(command, self._targets, end))
            return
        for remark in answer.remarks:
            self._log("storage remark", reason=remark)
        if answer.seconds > _SLOW_SECONDS:
            self._log("slow storage command", command=type(command).__name__, seconds=round(answer.seconds, 3))
        if isinstance(answer.event, Observed):
            self.path_keys = answer.path_keys
            self._remember(answer.event, self._ports.loop.now - answer.seconds)
        self._send(answer.event)

    def _remember(self, event: Observed, asked_at: float) -> None:
        for view in (event.lock, *event.data):
            if view.problem is Problem.NONE:
                self.views[view.lun] = view
                self.read_at[view.lun] = asked_at

    def _log(self, event: str, **fields: object) -> None:
        self._ports.log.write(event, package=self._targets.package, level=WARNING, **fields)


def failed_answer(command: StorageCommand, targets: StorageTargets, end: JobEnd) -> Observed | Done:
    """The answer for a child that gave none: effect unknown where it hung, an error where it broke."""
    hung = end.error_kind == DEADLINE_KIND
    if isinstance(command, Observe):
        problem = Problem.TIMEOUT if hung else Problem.ERROR
        return Observed(command.id, LunView(targets.lock.name, problem, paths_registered=0))
    return Done(command.id, Outcome.TIMEOUT if hung else Outcome.ERROR, end.error_text)
