"""Programs on the hosts that watch and measure, and what they say right now.

Records of nodes arrive as a stream and are written here at once: a node that crashes takes nothing with it. The probe
keeps its own file on the client host, so that the connection to the driver cannot slow it down; it is fetched at the end.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from holdfast.drill.conditions import NodeSeen
from holdfast.drill.errors import DrillError, HostUnreachable
from holdfast.drill.hosts import AnsibleModules, SshShell
from holdfast.drill.journal import open_lines
from holdfast.drill.route import Route, choose_route
from holdfast.drill.view import ClusterView
from holdfast.probe import PROGRAMS, build_client_command, client_files

# A host that has not spoken for this long does not answer; it speaks four times a second.
SILENT_SECONDS = 2.0
RECONNECT_SECONDS = 0.5
# Programs on hosts end by themselves after this, whatever became of the controller.
LONGEST_DRILL_SECONDS, LONGEST_CAMPAIGN_SECONDS = 3600, 12 * 3600
PROBE_FOLDER = "/run/holdfast-drill"
PROBE_UNIT = "holdfast-drill-probe"
WRITERS, READERS = ("w1", "w2", "w3"), ("r1", "r2")
# An address that nobody has answers never: asked again soon, its return is seen soon.
TCP_TIMEOUT_SECONDS = 0.3
# Some fifteen transactions a second and worker: fine enough for a takeover, and no load that would change its length.
PAUSE_SECONDS = 0.05


class Stream(threading.Thread):
    """One observer on one host, started again whenever the connection breaks."""

    def __init__(self, shell: SshShell, host: str, program: str, words: Sequence[str], file: Path) -> None:
        super().__init__(name=f"observe {host}", daemon=True)
        self.shell, self.host, self.program, self.words = shell, host, program, words
        self.file = file
        self.latest: dict[str, Any] = {}
        self.latest_at = 0.0
        self.ahead_seconds: float | None = None
        self.stopped = threading.Event()
        self.process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        text = PROGRAMS[self.program].read_text()
        argv = ["python3", "-u", "-", *self.words, str(LONGEST_CAMPAIGN_SECONDS)]
        with open_lines(self.file) as record:
            while not self.stopped.is_set():
                self.process = self.shell.stream(self.host, argv, text)
                self._follow(record)
                self.stopped.wait(RECONNECT_SECONDS)

    def _follow(self, record: Any) -> None:
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                self.latest, self.latest_at = json.loads(line), time.monotonic()
                self._compare_clocks(self.latest["t_wall"] - time.time())
                record.write(line)
                record.flush()
        self.process.wait()

    def _compare_clocks(self, ahead: float) -> None:
        """A record cannot arrive before it was made: the fastest one shows by how much the host's clock is ahead."""
        self.ahead_seconds = ahead if self.ahead_seconds is None else max(ahead, self.ahead_seconds)

    def silent(self) -> bool:
        """Whether the host has not spoken for SILENT_SECONDS."""
        return time.monotonic() - self.latest_at > SILENT_SECONDS

    def stop(self) -> None:
        self.stopped.set()
        if self.process is not None:
            self.process.terminate()


class Observers:
    """All of them, and their common view."""

    def __init__(self, shell: SshShell, view: ClusterView, folder: Path) -> None:
        self.shell, self.view, self.folder = shell, view, folder
        self.streams: dict[str, Stream] = {}
        self.address: list[Stream] = []
        self.paths_expected: dict[tuple[str, str], int] = {}

    def start_nodes(self) -> None:
        """Watch the nodes and the array; works before there is a probe."""
        for host in (*self.view.nodes, *self.view.array):
            words = ["watch"] if host in self.view.nodes else ["beat"]
            kind = "node" if host in self.view.nodes else "host"
            self.streams[host] = Stream(self.shell, host, "node", words, self.folder / "samples" / f"{kind}-{host}.jsonl")
            self.streams[host].start()

    def start_address(self, client: str, interface: str) -> None:
        for address in self.view.addresses:
            words = [interface, address, client]
            file = self.folder / "samples" / f"address-{client}-{address}.jsonl"
            self.address.append(Stream(self.shell, client, "address", words, file))
            self.address[-1].start()

    def seen(self) -> dict[str, NodeSeen]:
        """Every host as its last word tells it."""
        return {host: self._seen(host, stream) for host, stream in self.streams.items()}

    def _seen(self, host: str, stream: Stream) -> NodeSeen:
        latest = stream.latest
        if stream.silent() or not latest:
            return NodeSeen(False)
        for package in latest["packages"].values():
            for lun, view in package["luns"].items():
                view["paths_expected"] = self.paths_expected.get((host, lun), 1)
        status = {"packages": latest["agent"]} if latest["agent"] is not None else None
        state = {"packages": latest["packages"]} if host in self.view.nodes else {}
        return NodeSeen(True, status, {"state": state}, has_agent=host in self.view.nodes)

    def learn_paths(self) -> None:
        """What counts as complete from now on: the paths that are there in the proven steady state."""
        for host, stream in self.streams.items():
            for lun, view in stream.latest.get("packages", {}).get(self.view.name, {}).get("luns", {}).items():
                self.paths_expected[host, lun] = max(1, view["paths"])

    def expect_paths(self, state: Mapping[str, Any], package: str) -> None:
        """The same from a recorded state, where the steady state is long gone."""
        for host, entry in state.items():
            for lun, view in entry.get("packages", {}).get(package, {}).get("luns", {}).items():
                self.paths_expected[host, lun] = max(1, view["paths"])

    def clocks(self) -> dict[str, dict[str, float]]:
        """By how much each host's clock is ahead of this one's, too late by the fastest record's journey."""
        streams = [*self.streams.values(), *self.address]
        return {s.host: {"offset_seconds": round(s.ahead_seconds, 3)} for s in streams if s.ahead_seconds is not None}

    def boot_ids(self) -> dict[str, str]:
        """Host to the kernel's id of its current start; empty before its first word."""
        return {host: stream.latest.get("boot_id", "") for host, stream in self.streams.items()}

    def stop(self) -> None:
        for stream in (*self.streams.values(), *self.address):
            stream.stop()


def follow_status(
    shell: SshShell, client: str, folder: str, stop: threading.Event, take: Callable[[dict[str, Any]], None]
) -> None:
    """Read the status file of a program on a client twice a second over one connection, until it is told to stop."""
    loop = f"while cat {folder}/status.json 2>/dev/null; echo; do sleep 0.5; done"
    while not stop.is_set():
        process = shell.stream(client, ["sh", "-c", loop], "")
        assert process.stdout is not None
        for line in process.stdout:
            if stop.is_set():
                break
            with contextlib.suppress(ValueError):
                take(json.loads(line))
        process.kill()
        stop.wait(RECONNECT_SECONDS)


class Probe:
    """The measuring client on its host. A run that goes on after a pause keeps its rows and counts on from `first_seq`."""

    driver_module, driver_package = "psycopg", "python3-psycopg"

    def __init__(self, shell: SshShell, view: ClusterView, client: str, run_id: str, through: str = "address") -> None:
        self.shell, self.view, self.client, self.run_id, self.through = shell, view, client, run_id, through
        self.writers: tuple[str, ...] = WRITERS
        self.readers: tuple[str, ...] = READERS
        self.place(PROBE_FOLDER, PROBE_UNIT)
        self.fetched_bytes = 0
        self.first_seq = 0
        self.clearing = FORGET_DRILLS
        self.longest_seconds = LONGEST_DRILL_SECONDS
        self.status: dict[str, Any] = {}
        self.errors = 0
        self.calm_since = time.monotonic()
        self._stop = threading.Event()

    def place(self, folder: str, unit: str) -> None:
        """Its folder and unit on the client; another one's where more than one measures there."""
        self.folder, self.unit, self.record = folder, unit, f"{folder}/attempts.jsonl"

    @property
    def route(self) -> Route:
        """Where this probe connects to."""
        return choose_route(self.view, self.client, self.through)

    def settings(self) -> dict[str, Any]:
        """The part of the configuration that the report names."""
        route = self.route
        return {"writers": len(self.writers), "readers": len(self.readers),
                "through": f"{route.through} {route.host}:{route.port}",
                "tcp_timeout_seconds": TCP_TIMEOUT_SECONDS, "connect_timeout_seconds": route.patience_seconds,
                "statement_timeout_seconds": route.patience_seconds}  # fmt: skip

    def install(self, modules: AnsibleModules) -> None:
        """The database driver of the distribution, where the client has none yet."""
        if self.shell.run(self.client, ["python3", "-c", f"import {self.driver_module}"]).code == 0:
            return
        result = modules.run([self.client], "ansible.builtin.package", {"name": self.driver_package, "state": "present"})
        if result.get(self.client, {}).get("failed", True):
            words = result.get(self.client, {}).get("msg", "unreachable")
            raise DrillError(f"{self.client} needs {self.driver_package}, and it cannot be installed: {words}")

    def prepare(self, owner: str) -> None:
        """An account and a database of the probe's own, its table, its program on the client."""
        database = self.view.database
        if database is None:
            raise DrillError(f"package {self.view.name} has no database to measure with")
        password = secrets.token_urlsafe(24)
        # runuser: the superuser logs in by its own account (peer); nothing of this is in a process list.
        self.shell.succeed(
            owner, ["runuser", "-u", "postgres", "--", "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-p", str(database["port"])],
            stdin=build_account_sql(password, self.clearing),
        )  # fmt: skip
        route = self.route
        passfile = f"{route.host}:{route.port}:holdfast_probe:holdfast_probe:{password}\n"
        files = {**client_files(), "probe.json": json.dumps(self._config(route)), "pgpass": passfile}
        self.shell.succeed(self.client, ["python3", "-c", PLACE_FILES, self.folder], stdin=json.dumps(files))
        self.shell.succeed(self.client, [*self._call("prepare")])

    def _call(self, verb: str, *words: str) -> list[str]:
        return build_client_command(self.folder, "client", verb, f"{self.folder}/probe.json", *words)

    def conninfo(self) -> str:
        """Where and as whom (libpq); the password is in a file that root alone can read."""
        route = self.route
        return (f"host={route.host} port={route.port} dbname=holdfast_probe user=holdfast_probe "
                f"passfile={self.folder}/pgpass sslmode=require gssencmode=disable")  # fmt: skip

    def _config(self, route: Route) -> dict[str, Any]:
        return {
            "client": self.client, "run": self.run_id, "conninfo": f"{self.conninfo()} application_name=holdfast_probe",
            "writers": list(self.writers),
            "readers": list(self.readers), "tcp_timeout_seconds": TCP_TIMEOUT_SECONDS,
            "connect_timeout_seconds": route.patience_seconds,
            "statement_timeout_seconds": route.patience_seconds, "pause_seconds": PAUSE_SECONDS,
            "seconds": self.longest_seconds, "final_timeout_seconds": 30,
            "first_seq": self.first_seq, "attempts": self.record, "status": f"{self.folder}/status.json",
        }  # fmt: skip

    def start(self) -> None:
        call = ["systemd-run", "--quiet", "--collect", f"--unit={self.unit}", *self._call("run")]
        self.shell.succeed(self.client, call)
        self.calm_since = time.monotonic()
        threading.Thread(target=self._follow, name="probe status", daemon=True).start()

    def _follow(self) -> None:
        follow_status(self.shell, self.client, self.folder, self._stop, self._take)

    def _take(self, status: dict[str, Any]) -> None:
        if not self.status:
            self.calm_since = time.monotonic()
        self.status = status
        errors = status["fail"] + status["indeterminate"]
        if errors != self.errors:
            self.errors, self.calm_since = errors, time.monotonic()

    @property
    def calm_seconds(self) -> float:
        """How long no attempt has failed; 0 before the first status."""
        return time.monotonic() - self.calm_since if self.status else 0.0

    def final_read(self, label: str) -> dict[str, Any]:
        """The rows that are there now, by worker as ``[first, last, rows]``. DrillError where the database does not answer."""
        done = self.shell.run(self.client, self._call("final", label), timeout_seconds=90)
        if done.code:
            raise DrillError(f"no final read: {done.stderr.strip()[-200:]}")
        found: dict[str, Any] = done.json()
        return found

    def fetch(self) -> str:
        """What was recorded since the last time, in whole lines."""
        argv = ["tail", "-c", f"+{self.fetched_bytes + 1}", self.record]
        text = self.shell.succeed(self.client, argv, timeout_seconds=120)
        text = text[: text.rfind("\n") + 1]
        self.fetched_bytes += len(text.encode())
        return text

    def stop(self) -> str:
        """Stop measuring and fetch the rest of the record."""
        self._stop.set()
        self.shell.run(self.client, ["systemctl", "stop", self.unit])
        return self.fetch()

    def remove(self) -> None:
        """Files of the probe; its database stays for the next drill."""
        with contextlib.suppress(DrillError, HostUnreachable):
            self.shell.run(self.client, ["rm", "-rf", self.folder, self.record])


# Writes the files that arrive as JSON on standard input, readable by root alone, into a folder that is made afresh.
PLACE_FILES = """
import json, os, shutil, sys
folder = sys.argv[1]
shutil.rmtree(folder, ignore_errors=True)
os.umask(0o077)
os.mkdir(folder)
for name, text in json.load(sys.stdin).items():
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    open(path, "w").write(text)
"""


def build_account_sql(password: str, clearing: str = "") -> str:
    """Role and database of the probe. The server gets a verifier, never the password: statements end up in logs."""
    verifier = build_scram_verifier(password, os.urandom(16))
    return ACCOUNT_SQL.format(verifier=verifier) + (CONNECT_SQL + clearing if clearing else "")


ACCOUNT_SQL = """
SELECT 'CREATE ROLE holdfast_probe LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'holdfast_probe')\\gexec
ALTER ROLE holdfast_probe PASSWORD '{verifier}';
SELECT 'CREATE DATABASE holdfast_probe OWNER holdfast_probe'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'holdfast_probe')\\gexec
"""
CONNECT_SQL = "\\connect holdfast_probe\n"
# Rows of earlier drills have been judged. Those of a campaign may belong to one that is paused: only a new one takes them.
FORGET_DRILLS = """
SELECT 'DELETE FROM holdfast_probe.transaction WHERE run NOT LIKE ''%-campaign-%'''
  WHERE to_regclass('holdfast_probe.transaction') IS NOT NULL\\gexec
"""
FORGET_ALL = "DROP SCHEMA IF EXISTS holdfast_probe CASCADE;\n"


def build_scram_verifier(password: str, salt: bytes, iterations: int = 4096) -> str:
    """SCRAM-SHA-256 verifier as PostgreSQL stores it (RFC 5802; PostgreSQL manual, pg_authid)."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server = _hmac(salted, b"Server Key")
    words = (base64.b64encode(part).decode() for part in (salt, client, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(iterations, *words)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")
