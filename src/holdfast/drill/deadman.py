"""Undoes what no node can undo by itself (power, freeze, cable) when the driver dies or forgets.

A process of its own, in a session of its own. The driver tells it on standard input what it is about to do and what it
has undone; when that pipe closes without a farewell, or a time-to-live is over, everything that is still open is undone.

    python -m holdfast.drill.deadman PROJECT INVENTORY FOLDER
"""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from holdfast.drill.errors import DrillError
from holdfast.drill.hosts import AnsibleModules, read_inventory
from holdfast.drill.power import Power, build_power


class Deadman:
    """The driver's end of the pipe."""

    def __init__(self, project: Path, inventory: Path, folder: Path) -> None:
        self._one_at_a_time = threading.Lock()  # faults on several hosts are injected at the same moment
        self._process = subprocess.Popen(
            [sys.executable, "-m", "holdfast.drill.deadman", str(project), str(inventory), str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
            start_new_session=True,
        )  # fmt: skip

    def promise(self, name: str, host: str, verb: str, network: str | None, ttl_seconds: float) -> None:
        """From now on `verb` is done to `host` unless `keep` is called within the time-to-live."""
        self._tell({"promise": name, "host": host, "verb": verb, "network": network, "ttl_seconds": ttl_seconds})

    def keep(self, name: str) -> None:
        self._tell({"keep": name})

    def farewell(self) -> None:
        """The drill is over and everything is undone."""
        self._tell({"farewell": True})
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait(timeout=30)

    def _tell(self, words: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            with self._one_at_a_time:
                self._process.stdin.write(json.dumps(words) + "\n")
                self._process.stdin.flush()
        except OSError as error:
            raise DrillError("the process that would undo power faults has ended; nothing is injected") from error


def guard(power: Power, lines: Any, clock: Any = time.monotonic) -> list[str]:
    """Follow the driver; returns the promises that had to be kept here."""
    open_promises: dict[str, dict[str, Any]] = {}
    kept: list[str] = []
    while True:
        due = [n for n, p in open_promises.items() if p["until"] <= clock()]
        for name in due:
            kept += _undo(power, name, open_promises.pop(name))
        wait = min((p["until"] - clock() for p in open_promises.values()), default=None)
        if not select.select([lines], [], [], None if wait is None else max(wait, 0))[0]:
            continue
        line = lines.readline()
        words = json.loads(line) if line.strip() else {}
        if "promise" in words:
            open_promises[words["promise"]] = {**words, "until": clock() + words["ttl_seconds"]}
        elif "keep" in words:
            open_promises.pop(words["keep"], None)
        elif "farewell" in words or not line:
            for name, promise in open_promises.items():
                kept += _undo(power, name, promise)
            return kept


def _undo(power: Power, name: str, promise: dict[str, Any]) -> list[str]:
    with contextlib.suppress(DrillError):
        power.do(promise["host"], promise["verb"], promise["network"])
    return [name]


def main(argv: list[str]) -> int:
    project, inventory, folder = (Path(word) for word in argv[1:4])
    variables = read_inventory(inventory, project).get("_meta", {}).get("hostvars", {})
    guard(build_power(variables, AnsibleModules(project, inventory, folder)), sys.stdin)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
