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
        # For status: by LUN and path the own keys, and the last view of each LUN.
        self.path_keys: dict[str, dict[str, tuple[int, ...]]] = {}
        self.views: dict[str, LunView] = {}

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
            self.views.update({view.lun: view for view in (answer.event.lock, *answer.event.data)})
        self._send(answer.event)

    def _log(self, event: str, **fields: object) -> None:
        self._ports.log.write(event, package=self._targets.package, level=WARNING, **fields)


def failed_answer(command: StorageCommand, targets: StorageTargets, end: JobEnd) -> Observed | Done:
    """The answer for a child that gave none: effect unknown where it hung, an error where it broke."""
    hung = end.error_kind == DEADLINE_KIND
    if isinstance(command, Observe):
        problem = Problem.TIMEOUT if hung else Problem.ERROR
        return Observed(command.id, LunView(targets.lock.name, problem, paths_registered=0))
    return Done(command.id, Outcome.TIMEOUT if hung else Outcome.ERROR, end.error_text)
