"""Background load: pgbench on the client host, beside the probe, where somebody asks for it.

The probe measures as always; the load is there so that the database has something to recover. It reconnects by being
started again, and its own figures (transactions per second, once a second) are evidence.
"""

from __future__ import annotations

import contextlib
import shlex
from typing import Any

from holdfast.drill.errors import DrillError, HostUnreachable, Refused
from holdfast.drill.hosts import AnsibleModules, SshShell
from holdfast.drill.observers import LONGEST_CAMPAIGN_SECONDS, Probe
from holdfast.drill.view import ClusterView

FOLDER, UNIT = "/run/holdfast-drill-load", "holdfast-drill-load"
# A server that went away without a word has to be noticed, or the load would wait for it until the drill is over.
IMPATIENT = "connect_timeout=2 tcp_user_timeout=2000 keepalives_idle=1 keepalives_interval=1 keepalives_count=2"
FIND = "ls -1 /usr/lib/postgresql/*/bin/pgbench 2>/dev/null | sort -V | tail -n 1"
INITIALISE_SECONDS = 900  # the most that making pgbench's tables may take
KEEP_EMPTY = "/etc/postgresql-common/createcluster.conf"


def expect_postgresql(view: ClusterView) -> None:
    """pgbench speaks to nothing else."""
    if view.database is None or view.database["type"] != "postgresql":
        raise Refused(f"the background load is pgbench, and the database of {view.name} is not PostgreSQL")


class Load:
    """`clients` connections of pgbench; `rate` transactions per second at most, 0 is as fast as the database answers."""

    def __init__(self, shell: SshShell, view: ClusterView, client: str, probe: Probe, clients: int, rate: float = 0.0) -> None:
        self.shell, self.view, self.client, self.probe = shell, view, client, probe
        self.clients, self.rate = clients, rate
        self.program = ""

    def settings(self) -> dict[str, Any]:
        """The part that run.json keeps and the report names."""
        return {"tool": "pgbench", "clients": self.clients, "rate": self.rate}

    def start(self, modules: AnsibleModules) -> None:
        """Tables of its own in the probe's database, then the load until the end of the run."""
        self.program = self._find() or self._install(modules)
        call = [self.program, "--initialize", "--quiet", f"--scale={max(1, self.clients)}", self._login()]
        self.shell.succeed(self.client, call, timeout_seconds=INITIALISE_SECONDS)
        self.shell.run(self.client, ["systemctl", "stop", UNIT])
        self.shell.succeed(self.client, ["install", "-d", "-m", "0700", FOLDER])
        self.shell.succeed(self.client, [
            "systemd-run", "--quiet", "--collect", f"--unit={UNIT}",
            # One open file for both: with one each, the summary of a pgbench that ended overwrites what was there.
            f"--property=StandardOutput=truncate:{FOLDER}/log", "--property=StandardError=inherit",
            "timeout", str(LONGEST_CAMPAIGN_SECONDS), "sh", "-c", self._loop(),
        ])  # fmt: skip

    def _login(self) -> str:
        return f"{self.probe.conninfo()} application_name=holdfast_load {IMPATIENT}"

    def _loop(self) -> str:
        """pgbench ends when its connections break."""
        words = [self.program, f"--client={self.clients}", "--no-vacuum", f"--time={LONGEST_CAMPAIGN_SECONDS}", "--progress=1",
                 "--progress-timestamp", *([f"--rate={self.rate:g}"] if self.rate else []), self._login()]  # fmt: skip
        return f"while :; do {shlex.join(words)}; sleep 1; done"

    def _find(self) -> str:
        return self.shell.run(self.client, ["sh", "-c", FIND]).stdout.strip()

    def _install(self, modules: AnsibleModules) -> str:
        """The distribution keeps pgbench with the server, which is kept from making a database here."""
        version = str((self.view.database or {})["version"])
        steps: list[tuple[str, dict[str, Any]]] = [
            ("site_files", {"directories": [{"path": KEEP_EMPTY.rpartition("/")[0]}],
                            "files": [{"path": KEEP_EMPTY, "content": "create_main_cluster = false\nstart_conf = manual\n"}]}),
            ("site_packages", {"names": [f"postgresql-{version}"], "services_stay_down": True}),
        ]  # fmt: skip
        for module, arguments in steps:
            result = modules.run([self.client], f"holdfast.cluster.{module}", arguments).get(self.client, {})
            if result.get("failed") or result.get("unreachable"):
                raise DrillError(f"{self.client} needs pgbench, and it cannot be installed: {result.get('msg', 'unreachable')}")
        if not (found := self._find()):
            raise DrillError(f"{self.client} has no pgbench, although postgresql-{version} is installed")
        return found

    def stop(self) -> str:
        """End it, take its tables away, and return its record."""
        self.shell.run(self.client, ["systemctl", "stop", UNIT], timeout_seconds=60)
        text = self.shell.succeed(self.client, ["cat", f"{FOLDER}/log"], timeout_seconds=120)
        with contextlib.suppress(DrillError, HostUnreachable):
            program = self.program or self._find()
            self.shell.run(self.client, [program, "--initialize", "--init-steps=d", "--quiet", self._login()], timeout_seconds=60)
            self.shell.run(self.client, ["rm", "-rf", FOLDER])
        return text
