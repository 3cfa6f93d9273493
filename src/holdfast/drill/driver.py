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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.drill.actions import POLL_SECONDS, Actions, StepError, StepFailed
from holdfast.drill.collecting import Collector
from holdfast.drill.deadman import Deadman
from holdfast.drill.erp_users import NoErpUsers, find_erp_users
from holdfast.drill.errors import DrillError
from holdfast.drill.evidence import describe_run, write_json
from holdfast.drill.faulting import Faults
from holdfast.drill.hosts import AnsibleModules, SshShell
from holdfast.drill.journal import Journal
from holdfast.drill.mariadb_probe import probe_of
from holdfast.drill.observers import Observers, Probe
from holdfast.drill.plan import PHASES, Roles
from holdfast.drill.power import Power
from holdfast.drill.runbook.model import CheckStep, CommandStep, Runbook, Step, WaitStep
from holdfast.drill.verdict.judge import judge
from holdfast.drill.verdict.load import load_history
from holdfast.drill.verdict.result import Judgement
from holdfast.drill.verdict.write import write_verdict
from holdfast.drill.view import ClusterView
from holdfast.report.render import write_report

# Quiet time before the act: enough attempts to know the probe's resolution and the normal latency.
CALM_BEFORE_SECONDS = 3.0
BOOT_SECONDS = 240.0
ERP_SECONDS = 180.0
FAILBACK_SECONDS = 120.0


class Aborted(DrillError):
    """A person ended the drill."""


@dataclass
class Drill:
    """One run. `confirm` is asked before each step when the user wants to go step by step."""

    runbook: Runbook
    view: ClusterView
    roles: Roles
    project: Path
    folder: Path
    shell: SshShell
    modules: AnsibleModules
    power: Power
    deadman: Deadman
    journal: Journal
    observers: Observers
    ask: Callable[[str], str | None]
    step_by_step: bool = False
    keep_running: Callable[[], bool] = lambda: True
    run: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.acted = False
        client = self.roles.client
        assert client is not None
        self.probe: Probe = probe_of(self.view)(self.shell, self.view, client, self.folder.name, self.runbook.measure_through)
        self.erp = NoErpUsers()
        self.faults = Faults(self.modules, self.power, self.deadman, self.journal, self.view.name)
        self.collector = Collector(self.shell, self.journal, self.folder)
        self.actions = Actions(self)
        self.hosts = [h for h in (*self.view.nodes, *self.view.array) if h in self.view.hosts]

    def execute(self) -> Judgement:
        """All phases; returns the judgement, never raises for what the cluster or a host did."""
        self.run = describe_run(self.runbook, self.view, self.roles, self.project, self.probe.settings())
        write_json(self.folder / "run.json", self.run)
        try:
            self._phase("reset", self.reset)
            self._phase("steady_before", self.steady_before)
            self._phase("observe", self.observe)
            self._phase("act", self.act)
        except (DrillError, KeyboardInterrupt) as error:
            self.journal.write("stopped", why=str(error) or type(error).__name__)
        # Where there was no act there is nothing to restore, and a cluster that is not understood is left alone.
        for name in ("heal", *(("steady_after",) if self.acted else ()), "log_scan", "collect"):
            with contextlib.suppress(DrillError, KeyboardInterrupt):
                self._phase(name, getattr(self, name))
        return self._judge()

    def _phase(self, name: str, body: Callable[[], None]) -> None:
        assert name in PHASES
        self.journal.write("phase", name=name, event="start")
        self.phase = name
        try:
            body()
        finally:
            self.journal.write("phase", name=name, event="end")

    @contextlib.contextmanager
    def step(self, name: str, kind: str) -> Iterator[None]:
        """A recorded step: ok, failed (the cluster said no) or error (the driver could not find out)."""
        started = time.time()
        self.journal.write("step", phase=self.phase, name=name, action=kind, event="start")
        outcome, detail = "ok", ""
        try:
            yield
        except StepFailed as error:
            outcome, detail = "failed", str(error)
            raise
        except (DrillError, KeyboardInterrupt, OSError) as error:
            outcome, detail = "error", str(error) or "interrupted by a person"
            raise StepError(detail) from error
        finally:
            self.journal.write("step", phase=self.phase, name=name, action=kind, event="end", started=started,
                               outcome=outcome, detail=detail)  # fmt: skip

    def reset(self) -> None:
        """Leftovers are a reason to stop: somebody's drill was not undone, and nobody knows why."""
        with self.step("no fault of an earlier drill is left", "check"):
            found = self.collector.snapshots(self.view.nodes, "reset")
            left = [f"{host}: {item}" for host, entry in found.items() for item in entry["state"]["leftovers"]]
            if left:
                raise StepFailed("; ".join(left))

    def steady_before(self) -> None:
        self.observers.start_nodes()
        self._entrance("package_up", "package is up on its owner", WaitStep("package_owned", "owner", None, 0, None, 30))
        self._entrance("standby_ready", "standby can take over", WaitStep("node_standby", "standby", None, 0, None, 30))
        self.observers.learn_paths()
        self._entrance("paths_complete", "all paths are there", WaitStep("paths_complete", "all_nodes", None, 0, None, 30))
        with self.step("state of all nodes is recorded", "check"):
            found = self.collector.snapshots(self.view.nodes, "before")
            self.run["macs"] = {mac: host for host, entry in found.items() for mac in entry["macs"]}
            self.run["versions"] |= {host: entry["versions"] for host, entry in found.items()}
            write_json(self.folder / "run.json", self.run)

    def _entrance(self, criterion: str, name: str, wait: WaitStep) -> None:
        if criterion in self.runbook.entrance:
            with self.step(name, "wait"):
                self.actions.wait(wait)

    def observe(self) -> None:
        client = self.probe.client
        with self.step("probe has its account and its table", "check"):
            self.probe.install(self.modules)
            self.probe.prepare(self.roles.owner)
        with self.step("probe runs, the address is watched", "check"):
            self.erp = find_erp_users(self.shell, client, self.folder.name, self.view.name)
            self.run["erp"] = self.erp.settings
            self.erp.start()
            self.probe.start()
            self.observers.start_address(client, self.actions.interface_of(client))
        with self.step(f"clients are served for {CALM_BEFORE_SECONDS:g} s without an error", "wait"):
            self.actions.wait(WaitStep("clients_served", None, None, CALM_BEFORE_SECONDS, None, 60))
        self._erp_serves()
        self.run["clocks"] = self.observers.clocks()  # now: a drill may be about to move one of them

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
                self.journal.write("step", phase="act", name=step.name, action="", event="end",
                                   started=time.time(), outcome="not_run", detail="the act ended before")  # fmt: skip

    def _erp_serves(self) -> None:
        """Wait for the ERP's users, where there are any: their server may need longer than its database."""
        if self.erp.settings is None or (self.acted and self.runbook.expect.owner == "nobody"):
            return
        with self.step(f"the ERP's users are served for {CALM_BEFORE_SECONDS:g} s without an error", "wait"):
            end = time.monotonic() + ERP_SECONDS
            while not (answer := self.erp.served(CALM_BEFORE_SECONDS))[0]:
                if time.monotonic() > end:
                    raise StepFailed(f"not within {ERP_SECONDS:g} s: {answer[1]}")
                time.sleep(POLL_SECONDS)

    def _confirm(self, step: Step) -> None:
        if self.step_by_step and self.ask(f"next: {step.name}. Go on? [yes/no] ") != "yes":
            self.journal.write("step", phase="act", name=step.name, action="", event="end", started=time.time(),
                               outcome="not_run", detail="a person said no")  # fmt: skip
            raise Aborted("a person ended the drill")

    def _do(self, step: Step) -> None:
        with self.step(step.name, type(step.action).__name__.removesuffix("Step").lower()):
            self.actions.do(step.action)

    def heal(self) -> None:
        for name in list(self.faults.active):
            with contextlib.suppress(StepError), self.step(f"undo {name}", "heal"):
                self.faults.prove_from_outside(self.observers.seen(), self.observers.boot_ids())
                self.faults.heal(name)
        for name in list(self.faults.active):  # a host that was unreachable may be back
            with contextlib.suppress(StepError), self.step(f"undo {name}, second try", "heal"):
                self.faults.heal(name)

    def steady_after(self) -> None:
        """Each part by itself: what one of them finds out does not depend on the others."""
        parts: list[tuple[str, Callable[[], None]]] = [
            ("all nodes are back", lambda: self._wait_for("node_up", "all_nodes", BOOT_SECONDS)),
            ("package is up", lambda: self._wait_for("package_up", None, BOOT_SECONDS)),
            ("rows are read after the act", lambda: self._final_read("after_act")),
            ("who may write is tried on every path", self._try_writes),
            *((step.name, lambda action=step.action: self.actions.do(action)) for step in self.runbook.restore),
            ("package is back on its first owner", self._failback),
            ("rows are read after the restore", lambda: self._final_read("after_restore")),
            ("all paths are there again", lambda: self._wait_for("paths_complete", "all_nodes", 120)),
        ]
        for name, body in parts:
            with contextlib.suppress(StepError, StepFailed), self.step(name, "restore"):
                body()
        with contextlib.suppress(StepError, StepFailed), self.step("state of all nodes is recorded", "check"):
            self.collector.snapshots(self.view.nodes, "after")

    def _wait_for(self, what: str, target: str | None, seconds: float) -> None:
        self.actions.wait(WaitStep(what, target, None, 0, None, seconds))

    def _try_writes(self) -> None:
        owner = self.actions.current_owner()
        self.actions.try_writes({node: node != owner for node in self.view.nodes})

    def _failback(self) -> None:
        if self.actions.current_owner() != self.roles.owner:
            self._wait_for("node_standby", "owner", BOOT_SECONDS)
            self.actions.do(CommandStep("move", "standby", "owner", "accepted"))
        self._wait_for("package_owned", "owner", FAILBACK_SECONDS)
        self._wait_for("node_standby", "standby", FAILBACK_SECONDS)

    def _final_read(self, label: str) -> None:
        write_json(self.folder / "probe" / f"final-{label}.json", self.probe.final_read(label))
        if orders := self.erp.final_read(label):
            write_json(self.folder / "erp" / f"final-{label}.json", orders)

    def log_scan(self) -> None:
        self.collector.logs(self.view.nodes, self.run["started"])

    def collect(self) -> None:
        """Stop everything that runs on hosts, and take the records home."""
        self.collector.events(self.view.nodes, self.run["started"])
        self.observers.stop()
        try:
            text = self.probe.stop()
            (self.folder / "probe" / f"attempts-{self.probe.client}.jsonl").write_text(text)
        except DrillError as error:
            self.journal.write("lost", what=f"the probe's record: {error}")
        self.probe.remove()
        try:
            if record := self.erp.stop():
                (self.folder / "erp" / f"attempts-{self.probe.client}.jsonl").write_text(record)
        except DrillError as error:
            self.journal.write("lost", what=f"the record of the ERP's users: {error}")

    def _judge(self) -> Judgement:
        self.journal.write("phase", name="verdict", event="start")
        self.journal.write("phase", name="verdict", event="end")
        self.run["ended"] = time.time()
        write_json(self.folder / "run.json", self.run)
        history = load_history(self.folder)
        judgement = judge(history)
        write_verdict(self.folder, history, judgement)
        write_report(self.folder, history, judgement)
        return judgement


def standing_checks_of(runbook: Runbook) -> list[str]:
    """Names of the checks that a runbook asks for in its steps, for `drill explain`."""
    return [step.action.what for step in runbook.steps if isinstance(step.action, CheckStep)]
