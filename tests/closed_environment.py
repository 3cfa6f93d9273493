"""A world in which no test starts a program by accident: calls are announced first, anything else fails the test."""

from __future__ import annotations

import os
import socket
import subprocess
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest

REAL_POPEN = subprocess.Popen


@dataclass(frozen=True)
class Announced:
    """One call that the code under test is going to make: the first words of its argv, and how it ends."""

    words: tuple[str, ...]
    stdout: str
    stderr: str
    code: int

    def matches(self, argv: list[str]) -> bool:
        return tuple(argv[: len(self.words)]) == self.words


class Tools:
    """The programs of this world. `calls` and `inputs` are what was asked of them, in order."""

    def __init__(self) -> None:
        self.announced: list[Announced] = []
        self.real: set[str] = set()
        self.calls: list[list[str]] = []
        self.inputs: list[str | None] = []
        self.unexpected: list[list[str]] = []

    def expect(self, *words: str, stdout: str = "", stderr: str = "", code: int = 0) -> None:
        """Announce one call by the first words of its argv."""
        self.announced.append(Announced(words, stdout, stderr, code))

    def let_run(self, program: str) -> None:
        """Calls of `program` are really made."""
        self.real.add(program)

    def start(self, argv: list[str], **options: Any) -> Any:
        self.calls.append(list(argv))
        if argv[0] in self.real:
            return REAL_POPEN(argv, **options)
        for entry in self.announced:
            if entry.matches(argv):
                self.announced.remove(entry)
                return FinishedProcess(self, argv, entry, text=bool(options.get("text")))
        self.unexpected.append(list(argv))
        raise AssertionError(f"unexpected external command: {argv}")

    def close(self) -> None:
        assert not self.unexpected, f"unexpected external commands: {self.unexpected}"
        assert not self.announced, f"announced and never called: {[entry.words for entry in self.announced]}"


class FinishedProcess:
    """As much of subprocess.Popen as its callers here use."""

    pid = 0

    def __init__(self, tools: Tools, argv: list[str], outcome: Announced, *, text: bool) -> None:
        self.tools, self.args, self.returncode = tools, argv, outcome.code
        self.streams = tuple(part if text else part.encode() for part in (outcome.stdout, outcome.stderr))
        self.stdout = StringIO(outcome.stdout)

    def __enter__(self) -> FinishedProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        return

    def communicate(self, input: str | None = None, timeout: float | None = None) -> tuple[str | bytes, ...]:
        self.tools.inputs.append(input)
        return self.streams

    def poll(self) -> int:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        return self.returncode

    def kill(self) -> None:
        return


def close_world(monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Every way in which Python starts a program goes through the returned object from now on; no TCP connection is made."""
    tools = Tools()

    def refuse(*words: object, **options: object) -> None:
        raise AssertionError(f"unexpected external command or connection: {words}")

    monkeypatch.setattr(subprocess, "Popen", tools.start)
    # From Python 3.13 on a real start goes through os.posix_spawn, which is closed below; this is its documented switch.
    monkeypatch.setattr(subprocess, "_USE_POSIX_SPAWN", False)
    monkeypatch.setattr(socket, "create_connection", refuse)
    for name in ("system", "posix_spawn", "posix_spawnp", "execv", "execve", "execvp", "execvpe"):
        monkeypatch.setattr(os, name, refuse)
    return tools
