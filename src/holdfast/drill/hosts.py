"""How hosts are reached: commands by SSH, faults by Ansible modules, both with the inventory's own variables."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_runner  # type: ignore[import-untyped]

from holdfast.drill.errors import DrillError, HostUnreachable
from holdfast.drill.waiting import still_missing
from holdfast.endings import endings_held
from holdfast.processes import list_processes

SSH_FAILED = 255  # ssh(1): "255 if an error occurred"
CONNECT_SECONDS = 4
# A master connection to a crashed host has to die before the host is back.
ALIVE = ("-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3")

RUN = "HOLDFAST_RUN"  # marks what one call of Ansible started
KILL_SECONDS = 10.0   # until killed processes are gone: only one in a call that cannot be interrupted takes as long


@dataclass(frozen=True)
class Completed:
    """How a command on a host ended."""

    code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        """Standard output as JSON; DrillError where it is none."""
        try:
            return json.loads(self.stdout)
        except ValueError as error:
            raise DrillError(f"not JSON: {self.stdout[:200]!r} {self.stderr[-200:]}") from error


def tool(name: str) -> str:
    """A program of the same environment as this one."""
    return str(Path(sys.executable).with_name(name))


def read_inventory(inventory: Path, project: Path) -> dict[str, Any]:
    """``ansible-inventory --list``; DrillError with Ansible's own words."""
    done = subprocess.run(
        [tool("ansible-inventory"), "-i", str(inventory), "--list"],
        capture_output=True, text=True, cwd=project, check=False, env={**os.environ, **settings_of(project)},
    )  # fmt: skip
    if done.returncode:
        raise DrillError(f"the inventory {inventory} cannot be read: {first_cause(done.stderr)}")
    found: dict[str, Any] = unwrap(json.loads(done.stdout))
    return found


def first_cause(said: str) -> str:
    """Why Ansible refused, from its standard error: it tries every format in turn, and the first is the right one."""
    causes = said.split("<<< caused by >>>", 1)[1:] or [said]
    lines = [line.removeprefix("[ERROR]: ").removeprefix("[WARNING]: ") for line in causes[0].splitlines() if line.strip()]
    return (lines or ["no message"])[0]


def unwrap(value: Any) -> Any:
    """ansible-inventory marks texts of plugins as ``{"__ansible_unsafe": text}``."""
    if isinstance(value, dict):
        if set(value) == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: unwrap(entry) for key, entry in value.items()}
    return [unwrap(entry) for entry in value] if isinstance(value, list) else value


def settings_of(project: Path) -> dict[str, str]:
    """The project's configuration, and the tools of this environment in the path."""
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    return {"ANSIBLE_CONFIG": str(project / "ansible.cfg"), "PATH": path, "ANSIBLE_NOCOLOR": "1"}


class SshShell:
    """Commands on hosts, as root."""

    def __init__(self, variables: Mapping[str, Mapping[str, Any]]) -> None:
        self.variables = variables

    def command(self, host: str, argv: Sequence[str]) -> list[str]:
        """The ssh call that Ansible would make for this host."""
        v = self.variables[host]
        words = ["ssh", *shlex.split(str(v.get("ansible_ssh_common_args", "")))]
        words += ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-o", "ControlPath=none", *ALIVE]
        if "ansible_port" in v:
            words += ["-p", str(v["ansible_port"])]
        if "ansible_ssh_private_key_file" in v:
            words += ["-i", str(v["ansible_ssh_private_key_file"])]
        user = v.get("ansible_user")
        remote = [*(("sudo", "-n") if v.get("ansible_become") else ()), *argv]
        return [*words, f"{user}@{v.get('ansible_host', host)}" if user else str(v.get("ansible_host", host)),
                shlex.join(remote)]  # fmt: skip

    def run(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> Completed:
        """Run to its end. HostUnreachable where the host, not the command, is the problem."""
        try:
            done = subprocess.run(self.command(host, argv), input=stdin, capture_output=True, text=True,
                                  timeout=timeout_seconds, check=False)  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise HostUnreachable(f"{host}: no answer within {timeout_seconds:g} s") from error
        if done.returncode == SSH_FAILED:
            raise HostUnreachable(f"{host}: {done.stderr.strip()[-200:] or 'the connection broke'}")
        return Completed(done.returncode, done.stdout, done.stderr)

    def succeed(self, host: str, argv: Sequence[str], stdin: str = "", timeout_seconds: float = 30) -> str:
        """Run to its end, which must be good."""
        done = self.run(host, argv, stdin, timeout_seconds)
        if done.code:
            raise DrillError(f"{host}: {argv[0]} ended with {done.code}: {(done.stderr or done.stdout).strip()[-300:]}")
        return done.stdout

    def stream(self, host: str, argv: Sequence[str], stdin: str) -> subprocess.Popen[str]:
        """Start a program that is given on standard input and whose lines come back as they are written."""
        process = subprocess.Popen(self.command(host, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, bufsize=1)  # fmt: skip
        assert process.stdin is not None
        try:
            process.stdin.write(stdin)
            process.stdin.close()
        except BrokenPipeError:
            process.kill()
        return process


def kill_marked(mark: str) -> None:
    """Kill every process that was started with this setting (NAME=value) in its environment, and wait until it is gone.

    Ansible's workers have sessions of their own: ansible-runner, which kills a session, leaves them behind. One that is being
    made while the others are looked at is found when they are looked at again.
    """

    def kill_all(_waited: float) -> str | None:
        found = list(processes_with(mark))
        for number in found:
            with contextlib.suppress(ProcessLookupError):       # it has ended meanwhile
                os.kill(number, signal.SIGKILL)
        return "processes are left" if found else None

    still_missing(kill_all, KILL_SECONDS)


def processes_with(mark: str) -> Iterator[int]:
    """Those that were started with this setting (NAME=value) in their environment."""
    for process in list_processes():
        with contextlib.suppress(OSError):      # it has ended, or is somebody else's
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)


class AnsibleModules:
    """Modules and playbooks through ansible-runner; every run leaves its artifacts in the evidence folder."""

    def __init__(self, project: Path, inventory: Path, folder: Path) -> None:
        self.project, self.inventory, self.folder = project, inventory, folder

    def run(self, hosts: Sequence[str], module: str, arguments: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Result of the module per host. A host that could not be reached has ``{"unreachable": True}``."""
        results: dict[str, dict[str, Any]] = {}
        self._start(results, host_pattern=",".join(hosts), module=module, module_args=json.dumps(dict(arguments)))
        return results

    def playbook(self, file: str, variables: Mapping[str, Any]) -> tuple[bool, str]:
        """Whether the playbook succeeded, and the last thing that went wrong."""
        results: dict[str, dict[str, Any]] = {}
        good = self._start(results, playbook=str(self.project / file), extravars=dict(variables))
        wrong = [f"{h}: {r.get('msg')}" for h, r in results.items() if r.get("failed") or r.get("unreachable")]
        return good, "; ".join(wrong)

    def _start(self, results: dict[str, dict[str, Any]], **words: Any) -> bool:
        def keep(event: dict[str, Any]) -> None:
            data = event.get("event_data", {})
            if event.get("event") in ("runner_on_ok", "runner_on_failed", "runner_on_unreachable"):
                unreachable = event["event"] == "runner_on_unreachable"
                results[data["host"]] = {**data.get("res", {}), "unreachable": unreachable,
                                         "failed": event["event"] == "runner_on_failed"}  # fmt: skip

        # The directory holds ansible-runner's own files only; project and inventory are where they are. Left to itself it
        # takes the signals for good; and what it runs has to be over before an interrupted drill heals.
        run = str(uuid.uuid4())
        with endings_held() as held:
            runner = ansible_runner.run(
                private_data_dir=str(self.folder), project_dir=str(self.project), inventory=str(self.inventory),
                envvars={**settings_of(self.project), RUN: run}, quiet=True, suppress_env_files=True, event_handler=keep,
                cancel_callback=lambda: bool(held), **words,
            )  # fmt: skip
            if held:
                kill_marked(f"{RUN}={run}")
        # Its record of the command holds the whole environment of this process, which is nobody's business.
        for record in self.folder.glob("artifacts/*/command"):
            record.unlink(missing_ok=True)  # another run may be at it
        if runner.status == "error" or not results:
            text = runner.stdout.read()[-300:] if runner.stdout else ""
            raise DrillError(f"Ansible did not run: {runner.status} {text.strip()}")
        return bool(runner.status == "successful")
