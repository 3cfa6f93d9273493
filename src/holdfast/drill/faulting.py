"""Injecting, proving and healing the faults of one drill, whichever layer they belong to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from holdfast.drill.conditions import NodeSeen
from holdfast.drill.deadman import Deadman
from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import AnsibleModules
from holdfast.drill.journal import Journal
from holdfast.drill.plan import PlannedFault
from holdfast.drill.power import VERBS, Power

MODULE = "holdfast.cluster.fault"
# By then the module waits on every host, also on a busy machine: a call of it took up to 2.3 s there. The module waits no
# longer than 5 s.
TOGETHER_SECONDS = 3.0


@dataclass
class Faults:
    """All faults that were injected and not yet undone, in order."""

    modules: AnsibleModules
    power: Power
    deadman: Deadman
    journal: Journal
    package: str
    boots: Mapping[str, str] = field(default_factory=dict)
    active: dict[str, PlannedFault] = field(default_factory=dict)

    def inject(self, faults: list[PlannedFault], boots: Mapping[str, str]) -> None:
        """Inject all of them at the same moment; the journal has the time at which each host says that it was done."""
        self.boots = {**self.boots, **{f.host: boots.get(f.host, "") for f in faults}}
        for fault in faults:
            self.active[fault.id] = fault  # before the deed: what fails half-way has to be undone as well
            self.journal.write("intent", id=fault.id, step=fault.step.id, fault=fault.step.kind, role=fault.step.target,
                               host=fault.host, parameters=dict(fault.parameters),
                               ttl_seconds=fault.ttl_seconds, undone_by=list(fault.undone_by))  # fmt: skip
        together = len(faults) > 1 and all(fault.layer != "power" for fault in faults)
        at = time.time() + TOGETHER_SECONDS if together else None
        with ThreadPoolExecutor(max_workers=max(1, len(faults))) as pool:
            for done in [pool.submit(self._inject_one, fault, at) for fault in faults]:
                done.result()

    def _inject_one(self, fault: PlannedFault, at: float | None) -> None:
        if fault.layer == "power":
            self._inject_power(fault)
        else:
            self._inject_node(fault, at)

    def _inject_power(self, fault: PlannedFault) -> None:
        verb, undo, _ = VERBS[fault.step.kind]
        network = fault.parameters.get("network")
        self.deadman.promise(fault.id, fault.host, undo, network, fault.ttl_seconds)
        moment = time.time()
        said = self.power.do(fault.host, verb, network)
        if fault.step.kind == "cable_pull":
            self._record(fault, moment, *self._cable(fault, said))
        else:
            self._record(fault, moment, None, said)

    def _cable(self, fault: PlannedFault, said: str) -> tuple[bool | None, str]:
        """Whether it is out: by the word of the switch, else by that of the host, whose interface has no carrier then."""
        known = self.power.unplugged(fault.host, fault.parameters["network"])
        if known is not None:
            return known, said
        listed = {"argv": ["ip", "-json", "-4", "address", "show"]}
        result = self.modules.run([fault.host], "ansible.builtin.command", listed).get(fault.host, {})
        try:
            links = [link for link in json.loads(result["stdout"])
                     if fault.parameters["address"] in [entry["local"] for entry in link["addr_info"]]]  # fmt: skip
        except (KeyError, ValueError):
            return None, f"{said}; {fault.host} did not say whether its interface has a carrier"
        carried = [link["ifname"] for link in links if "NO-CARRIER" not in link["flags"]]
        if carried or not links:
            return False, f"{said}; {fault.host} still has a carrier on {', '.join(carried) or 'an interface unknown'}"
        return True, f"{said}; {links[0]['ifname']} has no carrier"

    def _inject_node(self, fault: PlannedFault, at: float | None) -> None:
        result = self._module(fault, "injected", at=at)
        if result.get("unreachable") and fault.takes_node_down:
            self._record(fault, time.time(), None, "the node went away while it was told to")
            return
        if result.get("unreachable"):
            raise DrillError(f"{fault.id}: {fault.host} cannot be reached, the fault is not injected")
        found = result["fault"]
        self._record(fault, found["injected"] or time.time(), found["active"], found["proof"])

    def _module(self, fault: PlannedFault, state: str, host: str | None = None, at: float | None = None) -> dict[str, Any]:
        host = host or fault.host
        arguments = {"kind": fault.step.kind, "id": fault.id, "state": state, "parameters": dict(fault.parameters),
                     "package": self.package, "ttl_seconds": fault.ttl_seconds}  # fmt: skip
        if at is not None:
            arguments["at"] = at
        result = self.modules.run([host], MODULE, arguments).get(host, {"unreachable": True})
        if result.get("failed"):
            raise DrillError(f"{fault.id} at {host}: {result.get('msg')}")
        return result

    def _record(self, fault: PlannedFault, moment: float, active: bool | None, proof: str) -> None:
        self.journal.write("fault", id=fault.id, fault=fault.step.kind, role=fault.step.target, host=fault.host,
                           injected=moment, active=active, proof=proof,
                           takes_node_down=fault.takes_node_down)  # fmt: skip

    def prove_from_outside(self, seen: Mapping[str, NodeSeen], boots: Mapping[str, str]) -> list[str]:
        """Look whether hosts that should be gone are; returns the faults that are still waiting for their proof."""
        waiting = []
        for fault in [f for f in self.active.values() if f.takes_node_down or f.step.kind == "node_freeze"]:
            host = seen.get(fault.host)
            before, now = self.boots.get(fault.host, ""), boots.get(fault.host, "")
            if before and now and now != before:
                self.journal.write("proof", id=fault.id, active=True, proof="it answers with a new boot id")
            elif host is not None and not host.reachable:
                self.journal.write("proof", id=fault.id, active=True, proof="it does not answer any more")
            else:
                waiting.append(fault.id)
        return waiting

    def called(self, name: str) -> list[str]:
        """Active faults that a runbook means by a name: one per host where the target was more than one; or all."""
        return [fault.id for fault in self.active.values() if name in ("all", fault.step.id)]

    def still_active(self, name: str) -> bool:
        """Ask the node whether the fault is still there (for those that its timer shall undo)."""
        fault = self.active[name]
        return bool(self._module(fault, "proven")["fault"]["active"])

    def healed_by_timer(self, name: str) -> None:
        self.active.pop(name)
        self.journal.write("heal", id=name, healed=time.time(), by="timer")

    def heal(self, name: str) -> None:
        """Undo one fault; may be called for one that is undone already."""
        fault = self.active.get(name)
        if fault is None:
            return
        by = "driver"
        if fault.layer == "power":
            _, undo, _ = VERBS[fault.step.kind]
            self.power.do(fault.host, undo, fault.parameters.get("network"))
            self.deadman.keep(name)
        elif fault.takes_node_down:
            by = "itself"
            if "power" in self.power.abilities():
                self.power.do(fault.host, "on")
        else:
            for host in fault.undone_by:
                self._module(fault, "healed", host)
            result = self._module(fault, "healed")
            if result.get("unreachable"):
                raise DrillError(f"{name}: {fault.host} cannot be reached; its own timer has to undo it")
            if effect := result.get("fault", {}).get("effect"):
                self.journal.write("proof", id=name, active=effect["seen"], proof=effect["words"])
        del self.active[name]
        self.journal.write("heal", id=name, healed=time.time(), by=by)
