"""What a new definition means for a package that runs: pure, from the deployed document and the new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .documents import package_document
from .resolve import Site

#: From the mildest to the worst; the worst of a package's reasons is its change.
CHANGES = ("same", "new", "stays", "reconnects", "restarts", "moves", "stops")
_QUIET_KEYS = ("failback", "auto_start", "objectives", "poolers")


@dataclass
class PackageChange:
    """What happens to one package, and why."""

    package: str
    change: str = "same"
    reasons: list[str] = field(default_factory=list)

    def add(self, change: str, reason: str) -> None:
        """One more reason; the worst change counts."""
        self.reasons.append(reason)
        self.change = max(self.change, change, key=CHANGES.index)


def plan_packages(site: Site, deployed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The change of every package that is defined or deployed.

    *deployed* is `packages` of the overview: document and owner by name.
    """
    defined = {package["name"]: package_document(package) for package in site["packages"]}
    changes = []
    for name in sorted({*defined, *deployed}):
        change = PackageChange(name)
        if name not in defined:
            change.add("stops", "is no longer defined")
        elif name not in deployed:
            change.add("new", "is not deployed yet")
        else:
            _compare(change, deployed[name]["document"], defined[name], deployed[name]["owner"])
        changes.append(asdict(change))
    return changes


def _compare(change: PackageChange, old: Mapping[str, Any], new: Mapping[str, Any], owner: str | None) -> None:
    for key in _QUIET_KEYS:
        if (old.get(key) or None) != (new[key] or None):
            change.add("stays", f"{key}: {old.get(key)} becomes {new[key]}")
    _compare_nodes(change, old["nodes"], new["nodes"], owner)
    if old["virtual_addresses"] != new["virtual_addresses"]:
        change.add("reconnects", "its virtual addresses change")
    if old["resources"] != new["resources"]:
        change.add("restarts", "its resources change")
    for key, value in new["storage"].items():
        if old["storage"].get(key) != value:
            change.add("stops", f"storage.{key} changes, which only a stopped package can follow")


def _compare_nodes(change: PackageChange, old: list[str], new: list[str], owner: str | None) -> None:
    if old == new:
        return
    if owner is not None and owner not in new:
        change.add("moves", f"its owner {owner} is no longer one of its nodes; move it first (switch_package.yml)")
    else:
        change.add("stays", f"nodes: {', '.join(old)} becomes {', '.join(new)}")


def find_refused(changes: list[dict[str, Any]], allowed: list[str]) -> list[str]:
    """One sentence for each package whose change goes beyond what was allowed.

    A run does not move a package: its definition cannot be taken from the node that serves it. That is refused in any case,
    here and not in the middle of the run.
    """
    worst_allowed = max((CHANGES.index(name) for name in allowed), default=0)
    return [
        f"{change['package']} {change['change']}: {'; '.join(change['reasons'])}"
        for change in changes
        if change["change"] == "moves" or CHANGES.index(change["change"]) > max(worst_allowed, CHANGES.index("new"))
    ]
