"""A campaign, in the phases of a drill. Its act is a list of rounds, and each round is:

    bind        roles to hosts, from who owns the package now
    inject      the faults of the round's draws, each with its proof
    hold        leave them alone for the drawn time
    undo        every fault, always
    forgive     what an operator does after an incident: forget-failures, so that the limit of moves starts anew
    in service  one owner, every other node ready, all paths, clients served; within the limit, else the campaign stops

Every few rounds a checkpoint reads the rows, tries writes on every path, brings the records home and judges all of it by
the rules of the end; a violated invariant stops the campaign. It stops with everything undone and all evidence kept.

Rounds go on until as many faults as asked for were proven to have been active. Probe and observers run all the time. A
pause (time is over) or a controller that died ends a leg; `drill resume` begins the next one with the next round.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from holdfast.drill.actions import StepError, StepFailed
from holdfast.drill.campaign.checks import BROKEN_BY
from holdfast.drill.campaign.describe import Settings, describe_campaign
from holdfast.drill.campaign.draw import Draw, Round
from holdfast.drill.campaign.judging import judge_folder, judge_records
from holdfast.drill.campaign.rounds import count_proven, prefix, read_rounds
from holdfast.drill.campaign.service import missing
from holdfast.drill.errors import DrillError
from holdfast.drill.observers import FORGET_ALL, LONGEST_CAMPAIGN_SECONDS
from holdfast.drill.plan import bind_roles
from holdfast.drill.resuming import Remains, roles_of, take_up
from holdfast.drill.run import Aborted, Run
from holdfast.drill.runbook.model import CommandStep, FaultStep, Runbook
from holdfast.drill.verdict.result import Judgement, Verdict
from holdfast.drill.waiting import still_missing

# The package has no owner for this long after the faults are gone: an operator would forget the failures by then.
FORGIVE_AFTER_SECONDS = 20.0
# Rows of each leg have their own numbers.
LEG_ROWS = 100_000_000
ENTRANCE = ("package_up", "standby_ready", "paths_complete")


@dataclass(kw_only=True)
class Campaign(Run):
    """One campaign; `rounds` never ends, the settings say when it is enough."""

    rounds: Iterator[Round]
    runbooks: Mapping[str, Runbook]
    settings: Settings
    step_by_step: bool = False
    leg: int = 1
    serial: int = 0
    paused: bool = False
    known: list[dict[str, Any]] = field(default_factory=list)
    begin: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.home = self.roles
        self.journal.listeners.append(self.known.append)

    @property
    def proven(self) -> int:
        return count_proven(self.known)

    def execute(self) -> Judgement:
        """All phases of the first leg."""
        self.run |= describe_campaign(self.settings, self.view, self.roles, self.project, self.probe.settings())
        self.save()
        acted = False
        try:
            self.enter("reset", self.reset)
            self.enter("steady_before", self._steady_before)
            acted = True
            self._watch_and_act()
        except (DrillError, KeyboardInterrupt) as error:
            self.journal.write("stopped", why=str(error) or type(error).__name__)
        return self._finish(acted)

    def resume(self, remains: Remains) -> Judgement:
        """The next leg: undo what is left, wait for service, go on after the last round that was finished."""
        self.known[:0] = remains.journal
        take_up(self, remains)
        self.collector.continue_logs(self.view.nodes)
        played = read_rounds(remains.journal)
        self.leg = max((e["number"] for e in remains.journal if e["kind"] == "leg"), default=0) + 1
        self.serial = max((entry.serial for entry in played), default=0)
        done = max((entry.number for entry in played if entry.ended is not None), default=0)
        self.rounds = (entry for entry in self.rounds if entry.number > done)
        self.home = roles_of(remains.run, self.view.nodes)
        try:
            self.enter("heal", self.heal)
            self._fetch_rest_of_last_leg()
            self._wait_for_service(with_clients=False)
            self._watch_and_act()
        except (DrillError, KeyboardInterrupt) as error:
            self.journal.write("stopped", why=str(error) or type(error).__name__)
        return self._finish(acted=True)

    def _fetch_rest_of_last_leg(self) -> None:
        """The probe may have gone on alone; its record is on the client's disk."""
        self.leg -= 1
        self._name_records()
        self.fetch_load()
        have = self.folder / "probe" / self.attempts_name()
        self.probe.fetched_bytes = have.stat().st_size if have.exists() else 0
        if self.shell.run(self.probe.client, ["test", "-e", self.probe.record]).code == 0:
            self.fetch_attempts(self.probe.stop)
            self.probe.remove()
        self.probe = type(self.probe)(self.shell, self.view, self.probe.client, self.folder.name, self.way())
        self.leg += 1

    def _steady_before(self) -> None:
        self.prove_steady(ENTRANCE)
        self.record_state()

    def _watch_and_act(self) -> None:
        self.roles = bind_roles(self.view, self.actions.current_owner())
        self._name_records()
        self.probe.longest_seconds = LONGEST_CAMPAIGN_SECONDS
        self.probe.first_seq = (self.leg - 1) * LEG_ROWS
        self.probe.clearing = FORGET_ALL if self.leg == 1 else ""
        self.enter("observe", self.observe)
        self.journal.write("leg", event="start", number=self.leg)
        try:
            self.enter("act", self._act)
        finally:
            self.journal.write("leg", event="end", number=self.leg)

    def _name_records(self) -> None:
        """The record of hours goes to the client's disk; /run is memory."""
        self.probe.record = f"/var/tmp/{self.folder.name}-leg{self.leg}.jsonl"

    def attempts_name(self) -> str:
        return f"attempts-{self.probe.client}-leg{self.leg}.jsonl"

    def _act(self) -> None:
        since_checkpoint = 0
        while self.proven < self.settings.faults and not self.paused:
            entry = next(self.rounds)
            self._confirm(entry)
            self._play(entry)
            since_checkpoint += 1
            self.paused = self.settings.minutes is not None and time.monotonic() - self.begin > self.settings.minutes * 60
            if self.paused and self.proven < self.settings.faults:
                self.journal.write("paused", why=f"the {self.settings.minutes:g} minutes are over")
                self._checkpoint(entry.number)
            elif since_checkpoint >= self.settings.checkpoint_every and self.proven < self.settings.faults:
                self._checkpoint(entry.number)
                since_checkpoint = 0

    def _confirm(self, entry: Round) -> None:
        if self.step_by_step and self.ask(f"next: {entry.name}. Go on? [yes/no] ") != "yes":
            raise Aborted("a person ended the campaign")

    def _play(self, entry: Round) -> None:
        """One round; StepFailed where the cluster does not come back."""
        self.serial += 1
        self.roles = bind_roles(self.view, self.actions.current_owner())
        self.journal.write("round", event="start", number=entry.number, serial=self.serial, name=entry.name,
                           hold_seconds=entry.hold_seconds, roles=self.roles.as_mapping(), faults=entry.faults,
                           proven=self.proven, wanted=self.settings.faults,
                           expect=[asdict(self.runbooks[d.runbook].expect) for d in entry.draws],
                           draws=[asdict(draw) for draw in entry.draws])  # fmt: skip
        outcome, detail, undone = "error", "", None
        try:
            with self.step(f"round {entry.number}: {entry.name}", "round"):
                try:
                    self._inject(entry)
                    time.sleep(entry.hold_seconds)
                finally:
                    self.heal()
                undone = time.monotonic()
                self._wait_for_service()
            outcome, detail = "ok", f"{time.monotonic() - undone:.1f} s after the faults were gone"
        except (StepFailed, StepError) as error:
            outcome, detail = "failed" if isinstance(error, StepFailed) else "error", str(error)
            raise
        finally:
            self.journal.write("round", event="end", serial=self.serial, outcome=outcome, detail=detail,
                               service_seconds=time.monotonic() - undone if undone else None)  # fmt: skip

    def _inject(self, entry: Round) -> None:
        """What cannot be injected, because the host is gone for another reason, is no fault: it is named, not counted."""
        begin = time.monotonic()
        for draw in entry.draws:
            time.sleep(max(0.0, begin + draw.delay_seconds - time.monotonic()))
            for action in self._actions_of(draw):
                try:
                    self.actions.do(action)
                except StepFailed as error:
                    self.journal.write("note", text=f"{draw.runbook}: {error}")
                except DrillError as error:
                    self.journal.write("not_injected", serial=self.serial, runbook=draw.runbook, why=str(error))

    def _actions_of(self, draw: Draw) -> Iterator[FaultStep | CommandStep]:
        """The faults under names of this round, and planned commands without waiting for their answer."""
        for step in self.runbooks[draw.runbook].steps:
            if isinstance(step.action, FaultStep):
                yield replace(step.action, id=f"{prefix(self.serial)}{draw.runbook}_{step.action.id}")
            elif isinstance(step.action, CommandStep):
                yield replace(step.action, background=True)

    def _wait_for_service(self, with_clients: bool = True) -> None:
        forgiven = False

        def not_in_service(waited: float) -> str | None:
            nonlocal forgiven
            seen = self.actions.seen(0.0)
            if not with_clients:
                seen = replace(seen, probe={"waits": {"none": 0.0}}, calm_seconds=60.0)
            words = missing(self.view, seen)
            if words and waited > FORGIVE_AFTER_SECONDS and not forgiven:
                forgiven = True
                self.forgive()
            return words or None

        if words := still_missing(not_in_service, self.settings.limit_seconds):
            raise StepFailed(f"not in service within {self.settings.limit_seconds:g} s: {words}")
        self.forgive()

    def _checkpoint(self, number: int) -> None:
        """Everything so far, by the rules of the end. A host that does not answer now is asked again later."""
        with self.step(f"checkpoint after round {number}", "check"):
            self.final_read(f"round-{number:03}")
            self.try_writes()
            self.fetch_attempts(self.probe.fetch)
            for node in self.view.nodes:
                with contextlib.suppress(DrillError):
                    self.collector.log(node, self.collector.read_until.get(node, self.run["started"]))
            self.collector.events(self.view.nodes, self.run["started"])
            judgement = judge_records(self.folder)
            broken = [c for c in judgement.checks if c.verdict is Verdict.FAIL and c.name in BROKEN_BY]
            if broken:
                raise StepFailed(f"{broken[0].title}: {broken[0].summary}")

    def _finish(self, acted: bool) -> Judgement:
        """Undo and restore; a pause leaves the package where it is, in service."""
        pausing = self.paused and self.proven < self.settings.faults and not self.faults.active
        restore = ("heal", "steady_after") if acted and not pausing else ("heal",)
        for name in (*restore, "log_scan", "collect"):
            with contextlib.suppress(DrillError, KeyboardInterrupt):
                self.enter(name, getattr(self, name))
        self.enter("verdict", lambda: None)
        self.run["ended"] = time.time()
        self.save()
        return judge_folder(self.folder)

    def steady_after(self) -> None:
        self.roles = self.home
        self.do_parts([*self.restore_parts(), *self.home_parts()])
