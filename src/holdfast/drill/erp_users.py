"""The ERP's users of a drill: they work beside the database's probe wherever the client host knows an ERP.

The role erp_tryton leaves a file on the client host that says where the ERP is and who may log in; without it a drill
has no such users. What they record stays on their host until the end, like the probe's record.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

from holdfast.drill.errors import DrillError, HostUnreachable
from holdfast.drill.hosts import SshShell
from holdfast.drill.observers import LONGEST_DRILL_SECONDS, PLACE_FILES, follow_status
from holdfast.probe import build_client_command, client_files

ACCOUNT_FILE = "/etc/holdfast/erp_probe.json"
FOLDER = "/run/holdfast-drill-erp"
UNIT = "holdfast-drill-erp"
# An application server that is there answers a connection at once; an order may wait for its database, as a person does.
CONNECT_TIMEOUT_SECONDS, CALL_TIMEOUT_SECONDS = 0.5, 10.0
PAUSE_SECONDS = 0.1
# A call may take this long without the user calling it an outage.
SERVED_WITHIN_SECONDS = 3.0


class NoErpUsers:
    """In place of users where there is no ERP."""

    settings: dict[str, Any] | None = None

    def start(self) -> None:
        """Nobody to start."""

    def served(self, seconds: float) -> tuple[bool, str]:
        return True, "there is no ERP"

    def final_read(self, label: str) -> dict[str, Any] | None:
        return None

    def stop(self) -> str | None:
        return None


class ErpUsers(NoErpUsers):
    """Users on the client host, one per application server."""

    def __init__(self, shell: SshShell, client: str, run_id: str, account: dict[str, Any]) -> None:
        self.shell, self.client, self.run_id = shell, client, run_id
        self.settings = {"servers": account["servers"], "connect_timeout_seconds": CONNECT_TIMEOUT_SECONDS,
                         "call_timeout_seconds": CALL_TIMEOUT_SECONDS}  # fmt: skip
        self.status: dict[str, Any] = {}
        self.errors = 0
        self.calm_since = time.monotonic()
        self._stop = threading.Event()

    def start(self) -> None:
        """Program and configuration on the client, then work until the end of the drill."""
        assert self.settings is not None
        config = {
            "client": self.client, "run": self.run_id, "account_file": ACCOUNT_FILE, **self.settings,
            "pause_seconds": PAUSE_SECONDS, "seconds": LONGEST_DRILL_SECONDS, "final_timeout_seconds": 60,
            "attempts": f"{FOLDER}/attempts.jsonl", "status": f"{FOLDER}/status.json",
        }  # fmt: skip
        files = {**client_files(), "erp.json": json.dumps(config)}
        self.shell.succeed(self.client, ["python3", "-c", PLACE_FILES, FOLDER], stdin=json.dumps(files))
        self.shell.succeed(self.client, ["systemd-run", "--quiet", "--collect", f"--unit={UNIT}", *self._call("run")])
        threading.Thread(target=self._follow, name="ERP users' status", daemon=True).start()

    def _call(self, verb: str, *words: str) -> list[str]:
        return build_client_command(FOLDER, "erp", verb, f"{FOLDER}/erp.json", *words)

    def _follow(self) -> None:
        follow_status(self.shell, self.client, FOLDER, self._stop, self._take)

    def _take(self, status: dict[str, Any]) -> None:
        errors = status["fail"] + status["indeterminate"]
        if errors != self.errors or not self.status:
            self.errors, self.calm_since = errors, time.monotonic()
        self.status = status

    def served(self, seconds: float) -> tuple[bool, str]:
        """Whether every user has been getting answers without an error for so long, and what there is instead."""
        waits = self.status.get("waits", {})
        calm = time.monotonic() - self.calm_since
        words = f"without error for {calm:.1f} s; last error: {self.status.get('last_error') or 'none'}"
        if self.status.get("broken"):
            return False, f"the ERP's probe is broken: {self.status['broken']}"
        assert self.settings is not None
        everybody = len(waits) == len(self.settings["servers"])
        return everybody and calm >= seconds and max(waits.values()) < SERVED_WITHIN_SECONDS, words

    def final_read(self, label: str) -> dict[str, Any] | None:
        """All orders of this run as the ERP shows them now."""
        done = self.shell.run(self.client, self._call("final", label), timeout_seconds=150)
        if done.code:
            raise DrillError(f"no final read of the ERP: {done.stderr.strip()[-200:]}")
        found: dict[str, Any] = done.json()
        return found

    def stop(self) -> str | None:
        """Stop the users, fetch their record and leave nothing behind; the orders stay in the ERP."""
        self._stop.set()
        self.shell.run(self.client, ["systemctl", "stop", UNIT], timeout_seconds=60)
        text = self.shell.succeed(self.client, ["cat", f"{FOLDER}/attempts.jsonl"], timeout_seconds=120)
        with contextlib.suppress(DrillError, HostUnreachable):
            self.shell.run(self.client, ["rm", "-rf", FOLDER])
        return text


def find_erp_users(shell: SshShell, client: str, run_id: str, package: str) -> NoErpUsers:
    """The users of the ERP that the client host knows and that works on this package; nobody where there is none."""
    done = shell.run(client, ["cat", ACCOUNT_FILE])
    if done.code or not done.stdout.strip():
        return NoErpUsers()
    account = json.loads(done.stdout)
    return ErpUsers(shell, client, run_id, account) if account["package"] == package else NoErpUsers()
