"""The database's own tools look for damage in its data, where a runbook or the command line asks for it."""

from __future__ import annotations

from typing import Any

from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import SshShell
from holdfast.drill.view import ClusterView
from holdfast.probe import PROGRAMS

TOOLS = ("amcheck", "checksums")
# The program gives up by itself before this.
LONGEST_SECONDS = 7 * 3600


def build_words(view: ClusterView, tool: str) -> list[str]:
    """Arguments of the program. MariaDB has one tool for both questions: reading a page verifies its checksum."""
    database = view.database
    if database is None:
        raise DrillError(f"package {view.name} has no database to be checked")
    if database["type"] == "mariadb":
        return ["mariadb-check", f"/run/mysqld/holdfast-{view.name}-{database['name']}.sock"]
    return [tool, str(database["version"]), str(database["port"])]


def check_integrity(shell: SshShell, view: ClusterView, owner: str, tool: str) -> dict[str, Any]:
    """What the tool found on the owner: `good` is true, false or None; `words` and the whole `output`."""
    argv = ["python3", "-", *build_words(view, tool)]
    done = shell.run(owner, argv, stdin=PROGRAMS["integrity"].read_text(), timeout_seconds=LONGEST_SECONDS)
    if done.code:
        raise DrillError(f"{owner}: {tool} could not be run: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = done.json()
    return found
