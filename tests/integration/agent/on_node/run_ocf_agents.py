"""Runs agents of the distribution's resource-agents as resources, on a node, with data below a folder of its own.

Prints a line of JSON per agent: what became of start, monitor, stop and the monitor after it. Runs inside a unit of its
own with Delegate=yes, because a resource lives in a control group.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from holdfast_agent.config import Resource
from holdfast_agent.errors import HoldfastError
from holdfast_agent.resources import ocf

FOLDER = Path("/var/tmp/holdfast-ocf-test")
SECONDS = 120.0


def definitions() -> dict[str, dict[str, object]]:
    """Parameters by agent; databases get a fresh directory each."""
    return {
        "Dummy": {"state": f"{FOLDER}/dummy.state"},
        "Delay": {"startdelay": 1, "stopdelay": 1, "mondelay": 0},
        "pgsql": {
            "pgctl": "/usr/lib/postgresql/17/bin/pg_ctl", "psql": "/usr/lib/postgresql/17/bin/psql",
            "pgdata": f"{FOLDER}/pgdata", "pgport": 15432, "logfile": f"{FOLDER}/pgdata/log",
            # The first is for the server, the second for the agent's own client.
            "start_opt": f"-k {FOLDER}/run", "socketdir": f"{FOLDER}/run",
        },
        "mysql": mariadb_parameters(),
        "mariadb": {**mariadb_parameters(), "node_list": os.uname().nodename},
    }  # fmt: skip


def mariadb_parameters() -> dict[str, object]:
    return {
        "binary": "/usr/sbin/mariadbd", "client_binary": "/usr/bin/mariadb", "config": f"{FOLDER}/my.cnf",
        "datadir": f"{FOLDER}/mysql", "pid": f"{FOLDER}/mysql/pid", "socket": f"{FOLDER}/run/mysql.sock",
        "log": f"{FOLDER}/mysql/log", "test_user": "root", "additional_parameters": "--port=13306",
    }  # fmt: skip


def prepare() -> None:
    """Two empty databases, made by their own tools."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "run").mkdir(parents=True)
    (FOLDER / "run").chmod(0o777)
    (FOLDER / "my.cnf").write_text("[mariadbd]\n")
    for name, user in (("pgdata", "postgres"), ("mysql", "mysql")):
        (FOLDER / name).mkdir(mode=0o700)
        shutil.chown(FOLDER / name, user, user)
    run_as("postgres", "/usr/lib/postgresql/17/bin/initdb", "-D", f"{FOLDER}/pgdata", "--auth=trust")
    run_as("mysql", "mariadb-install-db", "--no-defaults", f"--datadir={FOLDER}/mysql", "--skip-test-db",
           "--auth-root-authentication-method=socket", "--auth-root-socket-user=root")  # fmt: skip


def run_as(user: str, *argv: str) -> None:
    subprocess.run(["runuser", "-u", user, "--", *argv], check=True, capture_output=True, cwd=FOLDER)


def exercise(agent: str, parameters: dict[str, object]) -> dict[str, object]:
    """Start, check, stop, check again; a wrong parameter is refused before anything starts."""
    resource = Resource("test", f"ocf-{agent}", "ocf", {"agent": f"heartbeat:{agent}", "parameters": parameters})
    answer: dict[str, object] = {"agent": agent}
    begun = time.monotonic()
    try:
        try:
            wrong = {"agent": f"heartbeat:{agent}", "parameters": {**parameters, "nonsense": 1}}
            ocf.program(Resource("test", "x", "ocf", wrong))
        except HoldfastError as error:
            answer["refused"] = str(error)
        answer["down_before"] = ocf.is_down(resource, begun + SECONDS)
        ocf.start(resource, begun + SECONDS)
        answer["started_seconds"] = round(time.monotonic() - begun, 1)
        ocf.check(resource, time.monotonic() + SECONDS)
        stopping = time.monotonic()
        ocf.stop(resource, True, stopping + SECONDS)
        answer["stopped_seconds"] = round(time.monotonic() - stopping, 1)
        answer["down_after"] = ocf.is_down(resource, time.monotonic() + SECONDS)
    except HoldfastError as error:
        answer["error"] = str(error)
    return answer


def main() -> int:
    prepare()
    try:
        for agent, parameters in definitions().items():
            print(json.dumps(exercise(agent, parameters)), flush=True)
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
