"""What a drill and a campaign share: the hosts, the observers, the faults, the journal, and the phases around the act.

The phases stand in `driver`; it and `campaign.driver` say in which order they use them.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdfast.drill.actions import Actions, StepError, StepFailed
from holdfast.drill.collecting import Collector
from holdfast.drill.deadman import Deadman
from holdfast.drill.errors import DrillError
from holdfast.drill.evidence import write_json
from holdfast.drill.faulting import Faults
from holdfast.drill.hosts import AnsibleModules, SshShell
from holdfast.drill.integrity import check_integrity
from holdfast.drill.journal import Journal
from holdfast.drill.load import Load
from holdfast.drill.mariadb_probe import probe_of
from holdfast.drill.neighbours import bring_home, find_neighbours
from holdfast.drill.observers import Observers, Probe
from holdfast.drill.plan import PHASES, Roles
from holdfast.drill.power import Power
from holdfast.drill.runbook.model import CommandStep, WaitStep
from holdfast.drill.view import ClusterView
from holdfast.drill.waiting import still_missing

# Quiet time before the act: enough attempts to know the probe's resolution and the normal latency.
CALM_BEFORE_SECONDS = 3.0
# Until a host is back, and until a package is whole again or at home: limits after which a step has failed.
BOOT_SECONDS = 240.0
FAILBACK_SECONDS = 120.0


class Aborted(DrillError):
    """A person ended the run."""


@dataclass
class Run:
    """The parts. `roles` are bound once by a drill and for every fault anew by a campaign."""

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
    run: dict[str, Any] = field(default_factory=dict, kw_only=True)
    integrity: tuple[str, ...] = field(default=(), kw_only=True)
    """Tools of `integrity` that look for damage at the end."""
    load: Load | None = field(default=None, kw_only=True)
    """Background load beside the probe, where somebody asked for it."""
    measures: bool = field(default=False, kw_only=True)
    """The probe on the client host is this run's own: only then may it be stopped and its record taken away."""

    def __post_init__(self) -> None:
        client = self.roles.client
        assert client is not None
        self.phase = "reset"
        self.probe: Probe = probe_of(self.view)(self.shell, self.view, client, self.folder.name, self.way())
        self.faults = Faults(self.modules, self.power, self.deadman, self.journal, self.view.name)
        self.collector = Collector(self.shell, self.journal, self.folder)
        self.actions = Actions(self)

    def way(self) -> str:
        """Which way the probe goes to the database: `address` or `pooler`."""
        return "address"

    def save(self) -> None:
        """run.json, as far as it is known."""
        write_json(self.folder / "run.json", self.run)

    def enter(self, name: str, body: Callable[[], None]) -> None:
        """One phase, with its begin and its end in the journal."""
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
        outcome, detail = "error", "the driver ended"
        try:
            yield
            outcome, detail = "ok", ""
        except StepFailed as error:
            outcome, detail = "failed", str(error)
            raise
        except (DrillError, KeyboardInterrupt, OSError) as error:
            outcome, detail = "error", str(error) or "interrupted by a person"
            raise StepError(detail) from error
        finally:
            self.journal.write("step", phase=self.phase, name=name, action=kind, event="end", started=started,
                               outcome=outcome, detail=detail)  # fmt: skip

    def not_run(self, name: str, why: str) -> None:
        """A step that was not reached; recorded, because it is never a pass."""
        self.journal.write("step", phase="act", name=name, action="", event="end", started=time.time(),
                           outcome="not_run", detail=why)  # fmt: skip

    def reset(self) -> None:
        """Leftovers are a reason to stop: somebody's drill was not undone, and nobody knows why."""
        with self.step("no fault of an earlier drill is left", "check"):
            found = self.collector.snapshots(self.view.nodes, "reset")
            left = [f"{host}: {item}" for host, entry in found.items() for item in entry["state"]["leftovers"]]
            if left:
                raise StepFailed("; ".join(left))
        with self.step("no probe of an earlier drill is left", "check"):
            self._expect_no_probe()

    def _expect_no_probe(self) -> None:
        """Its record is the evidence of a run whose controller died, and starting another probe would throw it away."""
        probe = self.probe
        if self.shell.run(probe.client, ["systemctl", "is-active", probe.unit]).stdout.strip() == "active":
            config = self.shell.run(probe.client, ["cat", f"{probe.folder}/probe.json"]).stdout
            raise StepFailed(f"{probe.client} still measures for {json.loads(config or '{}').get('run', 'a run unknown')}, whose "
                             "controller is gone: finish it with `holdfast drill resume` and its folder, or, where the folder "
                             f"is lost, say there: systemctl stop {probe.unit}")  # fmt: skip

    def prove_steady(self, criteria: tuple[str, ...]) -> None:
        self.observers.start_nodes()
        entrance = (("package_up", "package is up on its owner", "package_owned", "owner"),
                    ("standby_ready", "standby can take over", "node_standby", "standby"))  # fmt: skip
        for criterion, name, what, role in entrance:
            if criterion in criteria:
                with self.step(name, "wait"):
                    self.wait_for(what, role, 30)
        if "on_preferred_node" in criteria:
            with self.step("package is on its preferred node", "check"):
                self._expect_preferred_node()
        self.observers.learn_paths()
        if "paths_complete" in criteria:
            with self.step("all paths are there", "wait"):
                self.wait_for("paths_complete", "all_nodes", 30)

    def _expect_preferred_node(self) -> None:
        preferred, name = self.view.nodes[0], self.view.name
        if self.roles.owner != preferred:
            raise StepFailed(f"it is on {self.roles.owner}; first: holdfastctl failback {name} (on {self.roles.owner})")

    def record_state(self) -> None:
        """State, addresses and versions of all nodes before anything is touched."""
        with self.step("state of all nodes is recorded", "check"):
            found = self.collector.snapshots(self.view.nodes, "before")
            self.run["macs"] = {mac: host for host, entry in found.items() for mac in entry["macs"]}
            self.run["versions"] |= {host: entry["versions"] for host, entry in found.items()}
            self.run["neighbours"] = find_neighbours(self.view.name, self.actions.seen(0.0))
            self.save()

    def observe(self) -> None:
        client = self.probe.client
        self.measures = True
        with self.step("probe has its account and its table", "check"):
            self.probe.install(self.modules)
            self.probe.prepare(self.roles.owner)
        with self.step("probe runs, the address is watched", "check"):
            self.start_clients()
            self.observers.start_address(client, self.actions.interface_of(client))
        with self.step(f"clients are served for {CALM_BEFORE_SECONDS:g} s without an error", "wait"):
            self.actions.wait(WaitStep("clients_served", None, None, CALM_BEFORE_SECONDS, None, 60))
        self.run["clocks"] = self.observers.clocks()  # now: a fault may be about to move one of them
        self.save()

    def start_clients(self) -> None:
        self.probe.start()
        if self.load is not None:
            self.load.start(self.modules)

    def heal(self) -> None:
        """Undo every fault. What no node can undo by itself comes first: a frozen host heals nothing."""
        order = sorted(self.faults.active, key=lambda name: self.faults.active[name].layer != "power")
        for name in order:
            with contextlib.suppress(StepError), self.step(f"undo {name}", "heal"):
                self.faults.prove_from_outside(self.observers.seen(), self.observers.boot_ids())
                self.faults.heal(name)
        for name in list(self.faults.active):
            with contextlib.suppress(StepError), self.step(f"undo {name}, second try", "heal"):
                self.wait_until_it_answers(self.faults.active[name].host)
                self.faults.heal(name)

    def wait_until_it_answers(self, host: str) -> None:
        """A host that was unreachable may be on its way back; where it does not come, the next command to it says so."""

        def silent(_waited: float) -> str | None:
            seen = self.observers.seen().get(host)
            return None if seen is not None and seen.reachable else "no answer"

        still_missing(silent, BOOT_SECONDS)

    def restore_parts(self) -> list[tuple[str, Callable[[], None]]]:
        """What every run does after its act, in this order; a runbook's own restore goes before the way home."""
        given_back = [("what the drill had stopped is given back", self.actions.give_back)] if self.actions.taken else []
        return [
            ("all nodes are back", lambda: self.wait_for("node_up", "all_nodes", BOOT_SECONDS)),
            *given_back,
            ("package is up", lambda: self.wait_for("package_up", None, BOOT_SECONDS)),
            ("rows are read after the act", lambda: self.final_read("after_act")),
            ("all paths are there to be tried", lambda: self.wait_for("paths_complete", "all_nodes", FAILBACK_SECONDS)),
            ("who may write is tried on every path", self.try_writes),
        ]

    def home_parts(self) -> list[tuple[str, Callable[[], None]]]:
        """The way home and what must be true there."""
        neighbours = [("the other packages are back on theirs", self.bring_neighbours_home)] if self.run.get("neighbours") else []
        whole = [(f"the data is checked: {tool}", lambda tool=tool: self.check_data(tool)) for tool in self.integrity]
        return [
            ("the moves of this run are forgotten", self.forgive),
            ("package is back on its first owner", self.failback),
            *neighbours,
            ("rows are read after the restore", lambda: self.final_read("after_restore")),
            ("all paths are there again", lambda: self.wait_for("paths_complete", "all_nodes", FAILBACK_SECONDS)),
            *whole,
        ]

    def check_data(self, tool: str) -> None:
        """What the database's own tool finds is a fact of its own and no failed step: it is judged by its own check."""
        found = check_integrity(self.shell, self.view, self.actions.current_owner(), tool)
        (self.folder / "integrity").mkdir(exist_ok=True)
        (self.folder / "integrity" / f"{tool}.txt").write_text(found.pop("output"))
        self.journal.write("integrity", tool=tool, **found)

    def do_parts(self, parts: list[tuple[str, Callable[[], None]]]) -> None:
        """Each part by itself: what one of them finds out does not depend on the others."""
        for name, body in parts:
            with contextlib.suppress(StepError, StepFailed), self.step(name, "restore"):
                body()
        with contextlib.suppress(StepError, StepFailed), self.step("state of all nodes is recorded", "check"):
            self.collector.snapshots(self.view.nodes, "after")

    def wait_for(self, what: str, target: str | None, seconds: float) -> None:
        self.actions.wait(WaitStep(what, target, None, 0, None, seconds))

    def try_writes(self) -> None:
        owner = self.actions.current_owner()
        self.actions.try_writes({node: node != owner for node in self.view.nodes})

    def forgive(self) -> None:
        """What an operator does after an incident: the limit of unplanned moves starts anew, for all packages that it met."""
        for node in self.view.nodes:
            for name in (self.view.name, *self.run.get("neighbours", {})):
                with contextlib.suppress(DrillError):
                    self.shell.run(node, ["holdfastctl", "forget-failures", name])

    def failback(self) -> None:
        if self.actions.current_owner() != self.roles.owner:
            self.wait_for("node_standby", "owner", BOOT_SECONDS)
            self.actions.do(CommandStep("move", "standby", "owner", "accepted"))
        self.wait_for("package_owned", "owner", FAILBACK_SECONDS)
        self.wait_for("node_standby", "standby", FAILBACK_SECONDS)

    def bring_neighbours_home(self) -> None:
        left = bring_home(self.shell, self.run["neighbours"], lambda: self.actions.seen(0.0), FAILBACK_SECONDS)
        if left:
            raise StepFailed("; ".join(left))

    def final_read(self, label: str) -> None:
        write_json(self.folder / "probe" / f"final-{label}.json", self.probe.final_read(label))

    def log_scan(self) -> None:
        self.collector.logs(self.view.nodes, self.run["started"])

    def collect(self) -> None:
        """Stop everything that runs on hosts, and take the records home."""
        self.collector.events(self.view.nodes, self.run["started"])
        self.observers.stop()
        if self.measures:
            self.fetch_load()
            self.fetch_attempts(self.probe.stop)
            self.probe.remove()

    def fetch_load(self) -> None:
        """Stop the background load first: its tables are dropped with the probe's own login."""
        if self.load is None:
            return
        try:
            record = self.load.stop()
        except DrillError as error:
            self.journal.write("lost", what=f"the record of the background load: {error}")
            return
        (self.folder / "load").mkdir(exist_ok=True)
        with (self.folder / "load" / "pgbench.log").open("a", encoding="utf-8") as file:
            file.write(record)

    def fetch_attempts(self, fetch: Callable[[], str]) -> None:
        """Append what the probe has recorded since the last time."""
        try:
            text = fetch()
        except DrillError as error:
            self.journal.write("lost", what=f"the probe's record: {error}")
            return
        with (self.folder / "probe" / self.attempts_name()).open("a", encoding="utf-8") as file:
            file.write(text)

    def attempts_name(self) -> str:
        return f"attempts-{self.probe.client}.jsonl"
