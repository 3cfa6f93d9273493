"""Power, freeze and cables of hosts: the lab's verbs, or a module of an existing collection named in the inventory.

holdfast_power:                       # host variable on real hardware
  module: community.general.ipmi_power
  "off": {name: bmc-node1, user: drill, password: "{{ vault_bmc }}", state: "off"}
  "on": {name: bmc-node1, user: drill, password: "{{ vault_bmc }}", state: "on"}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import AnsibleModules
from holdfast.lab import Lab, LabError

# Verb of a fault, verb that undoes it, and the ability that a site needs for it.
VERBS = {
    "power_cut": ("off", "on", "power"),
    "node_freeze": ("freeze", "thaw", "freeze"),
    "cable_pull": ("unplug", "plug", "cable"),
}


class Power(Protocol):
    """Does a verb to a host and says what is the case afterwards."""

    def abilities(self) -> frozenset[str]:
        """Those of VERBS that it has for every host."""

    def do(self, host: str, verb: str, network: str | None = None) -> str:
        """Do a verb of VERBS, with its network where it is about a cable; what is the case now, in words. DrillError."""

    def unplugged(self, host: str, network: str) -> bool | None:
        """Whether the cable is out; None where only the host itself can say so."""


class LabPower:
    """The lab's own verbs."""

    def __init__(self, name: str) -> None:
        self.lab = Lab.open(name)

    def abilities(self) -> frozenset[str]:
        return frozenset({"power", "freeze", "cable"})

    def do(self, host: str, verb: str, network: str | None = None) -> str:
        node = self.lab.node(host)
        try:
            if verb in ("unplug", "plug"):
                getattr(node, verb)(network)
            else:
                getattr(node, {"off": "power_off", "on": "power_on"}.get(verb, verb))()
            status = node.status()
        except LabError as error:
            raise DrillError(f"{host}: {verb}: {error}") from error
        cables = f", unplugged: {', '.join(status['unplugged'])}" if status["unplugged"] else ""
        return f"the lab reports {host} as {status['state']}{cables}"

    def unplugged(self, host: str, network: str) -> bool | None:
        return network in self.lab.node(host).status()["unplugged"]


class ModulePower:
    """A module of another collection, run on the controller, with the arguments that the inventory gives per verb."""

    def __init__(self, modules: AnsibleModules, settings: Mapping[str, Mapping[str, Any]]) -> None:
        self.modules, self.settings = modules, settings

    def abilities(self) -> frozenset[str]:
        found = set()
        for verb, _, ability in VERBS.values():
            if self.settings and all(verb in entry for entry in self.settings.values()):
                found.add(ability)
        return frozenset(found)

    def do(self, host: str, verb: str, network: str | None = None) -> str:
        entry = self.settings.get(host, {})
        if verb not in entry:
            raise DrillError(f"the inventory gives {host} no holdfast_power for {verb}")
        result = self.modules.run(["localhost"], entry["module"], entry[verb])["localhost"]
        if result.get("failed"):
            raise DrillError(f"{host}: {verb}: {result.get('msg')}")
        return str(result.get("msg") or f"{verb} was done")

    def unplugged(self, host: str, network: str) -> bool | None:
        return None


def build_power(variables: Mapping[str, Mapping[str, Any]], modules: AnsibleModules) -> Power:
    """The lab where the inventory is one, else what the host variables name."""
    labs = {str(v["lab_name"]) for v in variables.values() if "lab_name" in v}
    if labs:
        return LabPower(labs.pop())
    return ModulePower(modules, {h: v["holdfast_power"] for h, v in variables.items() if "holdfast_power" in v})
