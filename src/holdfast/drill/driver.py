"""A drill, from reset to verdict. The phases, written down once:

    reset           nothing of an earlier drill is left on any node
    steady_before   the cluster is proven healthy; roles are bound; its state is recorded
    observe         probe and observers run and see a served client
    act             the runbook's steps, one after the other; the first one that fails ends the act
    heal            every fault is undone, always, whatever came before
    steady_after    who may write is tried on every path; the moves are forgotten (the agent's limit starts anew); the
                    package goes home, and the other packages that went with it; the cluster is proven healthy again
    log_scan        the logs of all nodes are fetched
    collect         every record is brought into the evidence folder
    verdict         the records are judged, the report is written

The invariants are sampled from before the act until after steady_after. An error in a phase never keeps the phases
after it from running, except that there is no act without a steady state.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field

from holdfast.drill.actions import StepFailed
from holdfast.drill.erp_users import NoErpUsers, find_erp_users
from holdfast.drill.errors import DrillError
from holdfast.drill.evidence import describe_run, write_json
from holdfast.drill.resuming import Remains, take_up
from holdfast.drill.run import CALM_BEFORE_SECONDS, Aborted, Run
from holdfast.drill.runbook.model import Runbook, Step
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.drill.waiting import still_missing
from holdfast.report.render import write_report

# Until the ERP's users are served again: its server starts after its database.
ERP_SECONDS = 180.0


@dataclass(kw_only=True)
class Drill(Run):
    """One run. `ask` is asked before each step when the user wants to go step by step."""

    runbook: Runbook
    step_by_step: bool = False
    acted: bool = False
    erp: NoErpUsers = field(default_factory=NoErpUsers)

    def way(self) -> str:
        return self.runbook.measure_through

    def execute(self) -> Judgement:
        """All phases; returns the judgement, never raises for what the cluster or a host did."""
        self.run |= describe_run(self.runbook, self.view, self.roles, self.project, self.probe.settings())
        self.save()
        try:
            self.enter("reset", self.reset)
            self.enter("steady_before", self.steady_before)
            self.enter("observe", self.observe)
            self.enter("act", self.act)
        except (DrillError, KeyboardInterrupt) as error:
            self.journal.write("stopped", why=str(error) or type(error).__name__)
        except Exception as error:  # a bug of the driver leaves no fault behind either, and keeps its traceback
            self.journal.write("stopped", why=f"the driver broke: {type(error).__name__}: {error}")
            self.finish()
            raise
        return self.finish()

    def resume(self, remains: Remains) -> Judgement:
        """After the controller died: undo, restore, collect, judge. What was not seen stays unseen: never a pass."""
        take_up(self, remains)
        self.acted = remains.acted
        for name in remains.steps_open:
            self.not_run(name, "the controller went away before")
        return self.finish()

    def finish(self) -> Judgement:
        """The phases after the act. Without an act there is nothing to restore, and a cluster that is not understood
        is left alone."""
        for name in ("heal", *(("steady_after",) if self.acted else ()), "log_scan", "collect"):
            with contextlib.suppress(DrillError, KeyboardInterrupt):
                self.enter(name, getattr(self, name))
        return self._judge()

    def steady_before(self) -> None:
        self.prove_steady(self.runbook.entrance)
        self.record_state()

    def start_clients(self) -> None:
        self.erp = find_erp_users(self.shell, self.probe.client, self.folder.name, self.view.name)
        self.run["erp"] = self.erp.settings
        self.erp.start()
        super().start_clients()

    def observe(self) -> None:
        super().observe()
        self._erp_serves()

    def act(self) -> None:
        """The runbook's steps. What is not reached is recorded as not run, which is never a pass."""
        remaining = list(self.runbook.steps)
        self.acted = True
        try:
            while remaining:
                self._confirm(remaining[0])
                self._do(remaining[0])
                remaining.pop(0)
            self._erp_serves()
        finally:
            for step in remaining[1:]:
                self.not_run(step.name, "the act ended before")

    def _erp_serves(self) -> None:
        """Wait for the ERP's users, where there are any: their server may need longer than its database."""
        if self.erp.settings is None or (self.acted and self.runbook.expect.owner == "nobody"):
            return
        with self.step(f"the ERP's users are served for {CALM_BEFORE_SECONDS:g} s without an error", "wait"):
            words = still_missing(self._what_the_erp_lacks, ERP_SECONDS)
            if words is not None:
                raise StepFailed(f"not within {ERP_SECONDS:g} s: {words}")

    def _what_the_erp_lacks(self, _waited: float) -> str | None:
        served, words = self.erp.served(CALM_BEFORE_SECONDS)
        return None if served else words

    def _confirm(self, step: Step) -> None:
        if self.step_by_step and self.ask(f"next: {step.name}. Go on? [yes/no] ") != "yes":
            self.not_run(step.name, "a person said no")
            raise Aborted("a person ended the drill")

    def _do(self, step: Step) -> None:
        with self.step(step.name, type(step.action).__name__.removesuffix("Step").lower()):
            self.actions.do(step.action)

    def steady_after(self) -> None:
        own = [(step.name, lambda action=step.action: self.actions.do(action)) for step in self.runbook.restore]
        self.do_parts([*self.restore_parts(), *own, *self.home_parts()])

    def final_read(self, label: str) -> None:
        super().final_read(label)
        if orders := self.erp.final_read(label):
            write_json(self.folder / "erp" / f"final-{label}.json", orders)

    def collect(self) -> None:
        super().collect()
        try:
            if record := self.erp.stop():
                (self.folder / "erp" / self.attempts_name()).write_text(record)
        except DrillError as error:
            self.journal.write("lost", what=f"the record of the ERP's users: {error}")

    def _judge(self) -> Judgement:
        self.enter("verdict", lambda: None)
        self.run["ended"] = time.time()
        self.save()
        history = load_history(self.folder)
        judgement = judge(history)
        write_verdict(self.folder, history, judgement)
        write_report(self.folder, history, judgement)
        return judgement

