"""What the driver does for each kind of step."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from holdfast.drill.conditions import NodeSeen, Seen, fulfilled, keepers, owners
from holdfast.drill.errors import DrillError
from holdfast.drill.plan import plan_faults
from holdfast.drill.runbook.model import (
    Action,
    CheckStep,
    CommandStep,
    FaultStep,
    HealStep,
    PlaybookStep,
    QuestionStep,
    WaitStep,
)
from holdfast.drill.waiting import still_missing

if TYPE_CHECKING:
    from holdfast.drill.run import Run

WRITE_MODULE = "holdfast.cluster.fault_write_info"
# A command to the agent ends when the package runs on the other side or the agent gives up.
COMMAND_SECONDS = 300.0
# A node that was told to go is given this long to be seen gone.
PROOF_SECONDS = 20.0
# Commands that leave a package without service or without a watcher, and what gives it back: a drill that is broken off
# between the two must not leave it so. In maintenance a database may have been stopped, and nobody may leave it dead.
GIVEN_BACK_BY = {"stop": ("start",), "detach": ("attach",), "maintenance-on": ("start", "maintenance-off")}
LEFT_IN = {"stop": {"stopping", "stopped"}, "detach": {"detached"}, "maintenance-on": {"maintenance"}}


class StepFailed(DrillError):
    """The cluster said no, or did not do it in time."""


class StepError(DrillError):
    """The driver could not find out."""


class Actions:
    """Carries out one step at a time. Raises StepFailed when the cluster is to blame, DrillError otherwise."""

    def __init__(self, drill: Run) -> None:
        self.drill = drill
        self.taken: dict[str, str] = {}
        """Commands of GIVEN_BACK_BY that were given and not taken back yet, with the host."""

    def do(self, action: Action) -> None:
        match action:
            case FaultStep():
                self.inject(action)
            case WaitStep():
                self.wait(action)
            case CheckStep():
                self.check(action)
            case CommandStep():
                self.command(action)
            case PlaybookStep():
                self.playbook(action)
            case QuestionStep():
                self.question(action)
            case HealStep():
                self.heal(action)

    def inject(self, action: FaultStep) -> None:
        """Inject it on every host of the target; a host that should be gone is waited for until it is."""
        drill = self.drill
        faults = plan_faults(action, drill.view, drill.roles)
        drill.faults.inject(faults, drill.observers.boot_ids())
        names = {fault.id for fault in faults}

        def unproven(_waited: float) -> str | None:
            left = names & set(drill.faults.prove_from_outside(drill.observers.seen(), drill.observers.boot_ids()))
            return "the host still answers, the fault did nothing" if left else None

        if words := still_missing(unproven, PROOF_SECONDS):
            raise DrillError(f"{action.kind} at {action.target}: {words}")

    def wait(self, step: WaitStep) -> None:
        """Ask again and again; the last answer is the message when the time is over."""
        targets = self.drill.roles.hosts(step.target) if step.target else ()

        def unfulfilled(waited: float) -> str | None:
            good, words = fulfilled(step, self.drill.view.name, targets, self.seen(waited, step))
            return None if good else words

        words = still_missing(unfulfilled, max(step.timeout_seconds, step.seconds + 1))
        if words is not None:
            raise StepFailed(f"not within {step.timeout_seconds:g} s: {words}")
        self._after_wait(step)

    def seen(self, waited: float, step: WaitStep | None = None) -> Seen:
        """Everything that is known at this moment; asks a node only for the state of a fault."""
        drill = self.drill
        nodes: dict[str, NodeSeen] = drill.observers.seen()
        active = None
        if step is not None and step.what == "fault_healed":
            active = any(drill.faults.still_active(name) for name in drill.faults.called(str(step.fault)))
        return Seen(nodes, drill.probe.status, drill.probe.calm_seconds, waited, active)

    def _after_wait(self, step: WaitStep) -> None:
        if step.what == "fault_healed":
            for name in self.drill.faults.called(str(step.fault)):
                self.drill.faults.healed_by_timer(name)

    def current_owner(self) -> str:
        """The one node that owns the package now; StepFailed where it is none or several."""
        found = owners(self.drill.view.name, self.seen(0.0))
        if len(found) != 1:
            raise StepFailed(f"the package has {len(found)} owners: {', '.join(found) or 'nobody'}")
        return found[0]

    def check(self, step: CheckStep) -> None:
        hosts = self.drill.roles.hosts(step.target) if step.target else self.drill.view.nodes
        if step.what in ("writes_refused", "paths_registered"):
            self.try_writes(dict.fromkeys(hosts, step.what == "writes_refused"))
        elif step.what == "released":
            self._check_released(hosts)
        elif step.what == "reason_given":
            self._check_reason()
        else:
            self._check_not_moved()

    def _check_not_moved(self) -> None:
        found = keepers(self.drill.view.name, self.seen(0.0))
        if found != [self.drill.roles.owner]:
            raise StepFailed(f"the package is on {', '.join(found) or 'no node'}")

    def try_writes(self, refused_on: Mapping[str, bool]) -> None:
        """Try all hosts at once, and put every answer into the journal before any of them is judged."""
        results = self.drill.modules.run(list(refused_on), WRITE_MODULE, {"package": self.drill.view.name})
        answers = [(host, refused, entry) for host, refused in refused_on.items()
                   for entry in results.get(host, {}).get("tries", [])]  # fmt: skip
        for host, refused, entry in answers:
            self.drill.journal.write("write_try", node=host, time=time.time(), expected_refused=refused,
                                     lun=entry["lun"], path=entry["path"], refused=entry["refused"],
                                     error=entry["error"])  # fmt: skip
        for host, refused, entry in answers:
            if entry["refused"] is (not refused):
                words = "accepted" if refused else "refused"
                raise StepFailed(f"{host}: a write to {entry['lun']} through {entry['path']} was {words}")
        silent = [host for host in refused_on if "tries" not in results.get(host, {})]
        unclear = [f"{h} {e['lun']} {e['path']}: {e['error']}" for h, _, e in answers if e["refused"] is None]
        if silent or unclear:
            words = unclear[0] if unclear else str(results.get(silent[0], {}).get("msg", "unreachable"))
            raise DrillError(f"not every write could be tried: {words}")

    def _check_released(self, hosts: tuple[str, ...]) -> None:
        for host in hosts:
            node = self.seen(0.0).nodes[host]
            state = (node.snapshot or {}).get("state", {}).get("packages", {}).get(self.drill.view.name)
            if not node.reachable or state is None:
                raise DrillError(f"{host} cannot be observed")
            held = [w for w, there in (("a mount", state["mounted"]), ("the address", state["addresses"]),
                                       ("the database", state["database"])) if there]  # fmt: skip
            if held:
                raise StepFailed(f"{host} still has {', '.join(held)}")

    def _check_reason(self) -> None:
        seen = self.seen(0.0)
        without = [n for n, node in seen.nodes.items()
                   if node.status and not node.package(self.drill.view.name).get("reason")]  # fmt: skip
        if without or not any(node.status for node in seen.nodes.values()):
            raise StepFailed(f"no reason is given by {', '.join(without) or 'any agent'}")

    def command(self, step: CommandStep) -> None:
        (host,) = self.drill.roles.hosts(step.target)
        argv = self._argv(step.verb, *(self.drill.roles.hosts(step.to) if step.to else ()))
        argv += ["--without-poolers"] if step.without_poolers else []
        if step.verb in GIVEN_BACK_BY:
            self.taken[step.verb] = host
            self.drill.journal.write("command", verb=step.verb, host=host, event="given")
        if step.background:
            threading.Thread(target=self._try_command, args=(host, argv), daemon=True).start()
            return
        done = self.drill.shell.run(host, argv, timeout_seconds=COMMAND_SECONDS)
        accepted = done.code == 0
        if accepted != (step.expect == "accepted"):
            words = (done.stderr or done.stdout).strip()[-300:]
            raise StepFailed(f"{' '.join(argv)} was {'accepted' if accepted else 'refused'}: {words}")
        if accepted:
            self._given_back(step.verb)

    def _argv(self, verb: str, *words: str) -> list[str]:
        verbs = verb.split("-") if verb.startswith("maintenance") else [verb]
        return ["holdfastctl", *verbs, self.drill.view.name, *words, "--json"]

    def _given_back(self, verb: str) -> None:
        for taken in [name for name in self.taken if GIVEN_BACK_BY[name][-1] == verb]:
            self.drill.journal.write("command", verb=taken, host=self.taken.pop(taken), event="given back")

    def give_back(self) -> None:
        """Undo what the runbook's own commands left when the act ended early."""
        for taken, host in list(self.taken.items()):
            for verb in GIVEN_BACK_BY[taken]:
                done = self.drill.shell.run(host, self._argv(verb), timeout_seconds=COMMAND_SECONDS)
                if done.code and verb == GIVEN_BACK_BY[taken][-1] and self._is_left(taken):
                    words = (done.stderr or done.stdout).strip()[-300:]
                    raise StepFailed(f"{host}: {verb} after {taken} was refused: {words}")
            self._given_back(GIVEN_BACK_BY[taken][-1])

    def _is_left(self, taken: str) -> bool:
        """Is the package still where this command brought it? A person may have given it back, as a runbook can ask."""
        nodes = [node for node in self.seen(0.0).nodes.values() if node.has_agent]
        states = {node.state(self.drill.view.name) for node in nodes}
        return bool(states & LEFT_IN[taken]) or not nodes

    def _try_command(self, host: str, argv: list[str]) -> None:
        try:
            done = self.drill.shell.run(host, argv, timeout_seconds=COMMAND_SECONDS)
            words = f"ended with {done.code}: {(done.stderr or done.stdout).strip()[-200:]}"
        except DrillError as error:
            words = str(error)
        self.drill.journal.write("note", text=f"{host}: {' '.join(argv)} {words}")

    def playbook(self, step: PlaybookStep) -> None:
        roles = self.drill.roles.as_mapping()
        try:
            variables = {k: v.format(**roles) if isinstance(v, str) else v for k, v in step.variables.items()}
        except KeyError as error:
            raise DrillError(f"{step.file}: this site has no host in the role {error.args[0]}") from error
        good, words = self.drill.modules.playbook(step.file, variables)
        if not good:
            raise StepFailed(f"{step.file}: {words}")

    def question(self, step: QuestionStep) -> None:
        answer = self.drill.ask(f"{step.text} [yes/no] ")
        self.drill.journal.write("answer", question=step.text, answer=answer)
        if answer is None:
            raise DrillError("there is nobody to ask")
        if answer != step.proceed_on:
            raise StepFailed(f"the answer was {answer}")

    def heal(self, step: HealStep) -> None:
        """Undo faults now. A host that does not answer may be in its reset by the watchdog: it is asked again."""
        faults = self.drill.faults
        for name in faults.called(step.fault):
            try:
                faults.heal(name)
            except DrillError:
                self.drill.wait_until_it_answers(faults.active[name].host)
                faults.heal(name)

    def interface_of(self, host: str) -> str:
        """The client's interface on the network of the virtual address."""
        address = self.drill.view.hosts[host].addresses[self.drill.view.client_network]
        links = self.drill.shell.run(host, ["ip", "-json", "-4", "address", "show"]).json()
        for link in links:
            if any(entry["local"] == address for entry in link["addr_info"]):
                return str(link["ifname"])
        raise DrillError(f"{host} has no interface with {address}")
