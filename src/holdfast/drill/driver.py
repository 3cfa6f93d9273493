"""A drill, from reset to verdict. The phases, written down once (DESIGN.md, section 9):

    reset           nothing of an earlier drill is left on any node
    steady_before   the cluster is proven healthy; roles are bound; its state is recorded
    observe         probe and observers run and see a served client
    act             the runbook's steps, one after the other; the first one that fails ends the act
    heal            every fault is undone, always, whatever came before
    steady_after    who may write is tried on every path; the package goes home; the cluster is proven healthy again
    log_scan        the logs of all nodes are fetched
    collect         every record is brought into the evidence folder
    verdict         the records are judged, the report is written

The invariants are sampled from before the act until after steady_after. An error in a phase never keeps the phases
after it from running, except that there is no act without a steady state.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from holdfast.drill.errors import DrillError
from holdfast.drill.evidence import describe_run
from holdfast.drill.resuming import Remains, take_up
from holdfast.drill.run import Aborted, Run
from holdfast.drill.runbook.model import Runbook, Step
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.report.render import write_report


@dataclass(kw_only=True)
class Drill(Run):
    """One run. `ask` is asked before each step when the user wants to go step by step."""

    runbook: Runbook
    step_by_step: bool = False
    acted: bool = False

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

    def act(self) -> None:
        """The runbook's steps. What is not reached is recorded as not run, which is never a pass."""
        remaining = list(self.runbook.steps)
        self.acted = True
        try:
            while remaining:
                self._confirm(remaining[0])
                self._do(remaining[0])
                remaining.pop(0)
        finally:
            for step in remaining[1:]:
                self.not_run(step.name, "the act ended before")

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

    def _judge(self) -> Judgement:
        self.enter("verdict", lambda: None)
        self.run["ended"] = time.time()
        self.save()
        history = load_history(self.folder)
        judgement = judge(history)
        write_verdict(self.folder, history, judgement)
        write_report(self.folder, history, judgement)
        return judgement

