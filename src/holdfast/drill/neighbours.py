"""The cluster's other packages: what happens to a node or to the array moves them as well, and they go home afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.drill.actions import COMMAND_SECONDS
from holdfast.drill.conditions import Seen, owners
from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import SshShell
from holdfast.drill.waiting import still_missing


def find_neighbours(drilled: str, seen: Seen) -> dict[str, str]:
    """Every other package with exactly one owner among these nodes, and that owner."""
    names = sorted({name for node in seen.nodes.values() if node.status for name in node.status.get("packages", {})} - {drilled})
    found = {name: owners(name, seen) for name in names}
    return {name: here[0] for name, here in found.items() if len(here) == 1}


def bring_home(shell: SshShell, homes: Mapping[str, str], look: Callable[[], Seen], limit_seconds: float) -> list[str]:
    """Move those back that are elsewhere; what is still not home, in words.

    `limit_seconds` is how long each may take until its home can own it again, and then until it does.
    """
    left = []
    for name, home in homes.items():
        try:
            words = _move_home(shell, name, home, look, limit_seconds)
        except DrillError as error:
            words = str(error)
        if words:
            left.append(f"{name}: {words}")
    return left


def _move_home(shell: SshShell, name: str, home: str, look: Callable[[], Seen], limit_seconds: float) -> str | None:
    def where() -> tuple[str, str | None]:
        node = look().nodes[home]
        return node.state(name), node.package(name).get("owner")

    def not_ready(_waited: float) -> str | None:
        state, owner = where()
        return None if owner and state in ("owner", "standby") else f"{state} on {home}, owned by {owner or 'nobody'}"

    def not_home(_waited: float) -> str | None:
        state, _ = where()
        return None if state == "owner" else f"{state} on {home}"

    if words := still_missing(not_ready, limit_seconds):
        return words
    _, owner = where()
    if owner and owner != home:
        done = shell.run(owner, ["holdfastctl", "move", name, home], timeout_seconds=COMMAND_SECONDS)
        if done.code:
            return (done.stderr or done.stdout).strip()[-300:]
    return still_missing(not_home, limit_seconds)
