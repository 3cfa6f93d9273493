"""Fetching what the hosts hold: agents' events, logs, states, reservation tables."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.drill.errors import DrillError, HostUnreachable
from holdfast.drill.hosts import SshShell
from holdfast.drill.journal import Journal
from holdfast.probe import PROGRAMS

EVENT_LOG = "/var/log/holdfast/events.jsonl"
# A busy node writes a few thousand lines in a drill; more than this is a fault of its own and is cut, and said so.
MAXIMUM_LOG_LINES = 20000
AGAIN_AFTER_SECONDS = 2.0


class Collector:
    """Brings records of hosts into the evidence folder; what cannot be brought is named as lost."""

    def __init__(self, shell: SshShell, journal: Journal, folder: Path) -> None:
        self.shell, self.journal, self.folder = shell, journal, folder
        self.read_until: dict[str, float] = {}

    def snapshots(self, hosts: Iterable[str], label: str) -> dict[str, Any]:
        """State of all nodes, written to state/LABEL.json and reservations/LABEL.json."""
        program = PROGRAMS["node"].read_text()

        def take(host: str) -> Any:
            return self.shell.run(host, ["python3", "-", "snapshot"], stdin=program, timeout_seconds=60).json()

        found: dict[str, Any] = self._from_all(hosts, take, f"state {label} of")
        state = {host: entry["state"] for host, entry in found.items()}
        (self.folder / "state" / f"{label}.json").write_text(json.dumps(state, indent=1) + "\n")
        tables = {h: {p: v["luns"] for p, v in s["packages"].items()} for h, s in state.items()}
        (self.folder / "reservations" / f"{label}.json").write_text(json.dumps(tables, indent=1) + "\n")
        return found

    def _from_all(self, hosts: Iterable[str], take: Callable[[str], Any], what: str) -> dict[str, Any]:
        """Ask all hosts at once; one that does not answer is named as lost and holds nobody up."""
        found: dict[str, Any] = {}

        def take_twice(host: str) -> Any:
            try:
                return take(host)
            except HostUnreachable:  # a connection that broke is no reason to lose what the host has
                time.sleep(AGAIN_AFTER_SECONDS)
                return take(host)

        with ThreadPoolExecutor() as pool:
            for host, answer in [(host, pool.submit(take_twice, host)) for host in hosts]:
                try:
                    found[host] = answer.result()
                except DrillError as error:
                    self.journal.write("lost", what=f"{what} {host}: {error}")
        return found

    def events(self, hosts: Iterable[str], since: float) -> None:
        """The agents' own event logs, from the start of the drill."""

        def take(host: str) -> None:
            text = self.shell.run(host, ["cat", EVENT_LOG], timeout_seconds=60).stdout
            lines = [line for line in text.splitlines() if _is_recent(line, since)]
            (self.folder / "events" / f"{host}.jsonl").write_text("".join(line + "\n" for line in lines))

        self._from_all(hosts, take, "event log of")

    def logs(self, hosts: Iterable[str], since: float) -> None:
        """The journals of the hosts since the start, or since the last time; all boots that there were."""
        self._from_all(hosts, lambda host: self.log(host, self.read_until.get(host, since)), "log of")

    def continue_logs(self, hosts: Iterable[str]) -> None:
        """Go on where an earlier controller stopped reading."""
        for host in hosts:
            with contextlib.suppress(OSError, ValueError, IndexError):
                lines = (self.folder / "logs" / f"{host}.jsonl").read_text().splitlines()
                self.read_until[host] = max(float(json.loads(line)["t_wall"]) for line in lines[-200:])

    def log(self, host: str, since: float) -> None:
        """Append what one host has logged after `since` (its own clock)."""
        argv = ["journalctl", "--no-pager", "--quiet", "-o", "json", f"--since=@{int(since)}",
                "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,__REALTIME_TIMESTAMP,__MONOTONIC_TIMESTAMP,_BOOT_ID",
                "-n", str(MAXIMUM_LOG_LINES)]  # fmt: skip
        text = self.shell.succeed(host, argv, timeout_seconds=120)
        entries = [entry for entry in parse_journal(host, text) if entry["t_wall"] > since]
        with (self.folder / "logs" / f"{host}.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(entry) + "\n" for entry in entries))
        if entries:
            self.read_until[host] = max(entry["t_wall"] for entry in entries)
        if len(entries) >= MAXIMUM_LOG_LINES:
            self.journal.write("lost", what=f"log of {host}: more than {MAXIMUM_LOG_LINES} lines")


def _is_recent(line: str, since: float) -> bool:
    try:
        wall = json.loads(line)["t_wall"]
        seconds = datetime.fromisoformat(wall).timestamp() if isinstance(wall, str) else float(wall)
    except (ValueError, KeyError, TypeError):
        return False
    return seconds >= since


def parse_journal(host: str, text: str) -> list[dict[str, Any]]:
    """journalctl's JSON as log lines of the evidence folder."""
    found = []
    for line in text.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        message = entry.get("MESSAGE", "")
        if isinstance(message, list):  # bytes that are not UTF-8 (systemd.journal-fields(7))
            message = bytes(message).decode(errors="replace")
        found.append({
            "node": host, "t_wall": int(entry["__REALTIME_TIMESTAMP"]) / 1e6,
            "t_mono": int(entry.get("__MONOTONIC_TIMESTAMP", 0)) / 1e6, "boot_id": entry.get("_BOOT_ID", ""),
            "source": entry.get("SYSLOG_IDENTIFIER", ""), "text": message or "",
        })  # fmt: skip
    return found
