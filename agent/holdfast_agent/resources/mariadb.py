"""MariaDB as a resource: the server itself is started and signalled, without mariadb-admin's polling."""

from __future__ import annotations

import os
import pwd
import signal
import time
from operator import not_
from pathlib import Path

from ..config import Resource
from ..errors import HoldfastError, ResourceError
from ..waiting import wait_for
from .control_group import ControlGroup
from .mariadb_wire import run_query
from .processes import process_is_alive, processes_in, signal_and_wait, wait_until_left
from .spawn import Server, log_path, log_tail, spawn_server
from .transaction import Transaction

_BINARY = "/usr/sbin/mariadbd"
_RUN_DIRECTORY = Path("/run/mysqld")
_POLL_SECONDS = 0.01
# A server that has not answered a trivial query for this long will not shut down in order either.
_ANSWER_SECONDS = 2.0
# A server that takes a connection and says nothing for this long hangs, however long a start may take.
_HANG_SECONDS = 10.0
# Time kept back for killing.
_KILL_SECONDS = 2.0
# A transaction without a connection is a prepared one (XA); it outlives a move and is nobody's to wait for.
_LONGEST = (
    "SELECT p.user, p.id, TIMESTAMPDIFF(SECOND, t.trx_started, NOW()) FROM information_schema.innodb_trx t "
    "JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.id <> CONNECTION_ID() "
    "ORDER BY t.trx_started LIMIT 1"
)


def start(resource: Resource, deadline: float) -> dict[str, int]:
    """Start the server and return its pid when it has answered a statement."""
    directory = _data_directory(resource)
    program(resource)
    group = ControlGroup(resource.package, resource.name)
    present = _server_pid(directory, group)
    if present is not None:
        return _wait_until_ready(resource, present, deadline)
    group.kill(deadline)
    wait_until_left(str(directory), deadline)
    account = pwd.getpwuid(directory.stat().st_uid)
    _make_run_directory(account)
    log = log_path(resource.package, resource.name)
    pid = spawn_server(Server(_command(resource, directory), account.pw_name, group, log, directory))
    return _wait_until_ready(resource, pid, deadline)


def stop(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop the server with SIGTERM, which is its fast shutdown; what does not answer or does not end is killed."""
    group = ControlGroup(resource.package, resource.name)
    pid = _server_pid(Path(resource.settings["data_directory"]), group)
    if pid is not None and _answers(resource, deadline):
        signal_and_wait(pid, signal.SIGTERM, deadline - _KILL_SECONDS)
    group.kill(deadline)


def _answers(resource: Resource, deadline: float) -> bool:
    try:
        check(resource, min(deadline, time.monotonic() + _ANSWER_SECONDS))
    except HoldfastError:
        return False
    return True


def check(resource: Resource, deadline: float) -> None:
    """Ask the server something over a fresh connection; raises where it does not answer."""
    rows = run_query(socket_path(resource), "SELECT 1", deadline)
    if rows != [["1"]]:
        raise ResourceError(f"MariaDB answered {rows} to SELECT 1")


def longest_transaction(resource: Resource, deadline: float) -> Transaction | None:
    """The client's transaction that has been open for the longest time; None where there is none."""
    rows = run_query(socket_path(resource), _LONGEST, deadline)
    return Transaction(str(rows[0][0]), f"connection {rows[0][1]}", float(rows[0][2] or 0)) if rows else None


def program(resource: Resource) -> Path:
    """The server's program; raises ResourceError where it is not installed."""
    if not Path(_BINARY).exists():
        raise ResourceError(f"{_BINARY} is not installed", resource=resource.name)
    return Path(_BINARY)


def socket_path(resource: Resource) -> str:
    """Unix socket of the server: one per resource, so that several can run on a node."""
    return str(_RUN_DIRECTORY / f"holdfast-{resource.package}-{resource.name}.sock")


def _command(resource: Resource, directory: Path) -> list[str]:
    """The command; settings that the database's role wrote beside the data come with it to every node."""
    settings = directory / "holdfast.cnf"
    return [
        _BINARY,
        *([f"--defaults-file={settings}"] if settings.exists() else []),
        f"--datadir={directory}",
        f"--port={resource.settings['port']}",
        f"--socket={socket_path(resource)}",
        f"--pid-file={_RUN_DIRECTORY}/holdfast-{resource.package}-{resource.name}.pid",
    ]


def _server_pid(directory: Path, group: ControlGroup) -> int | None:
    """The server that works on this data directory in the resource's own control group."""
    workers = set(processes_in(str(directory))) & set(group.processes())
    return min((pid for pid in workers if process_is_alive(pid)), default=None)


def _wait_until_ready(resource: Resource, pid: int, deadline: float) -> dict[str, int]:
    reason = wait_for(lambda: _why_not_ready(resource, pid, deadline), deadline, _POLL_SECONDS, not_)
    if reason:
        raise ResourceError(f"MariaDB did not get ready in time: {reason}", resource=resource.name)
    return {"pid": pid}


def _why_not_ready(resource: Resource, pid: int, deadline: float) -> str:
    """Empty where the server answers; raises where it has ended."""
    if not process_is_alive(pid):
        tail = log_tail(resource.package, resource.name)
        raise ResourceError(f"MariaDB ended while starting: {tail}", resource=resource.name)
    if not Path(socket_path(resource)).exists():
        return "it does not listen yet"
    try:
        check(resource, min(deadline, time.monotonic() + _HANG_SECONDS))
    except ResourceError as error:
        return str(error)
    return ""


def _make_run_directory(account: pwd.struct_passwd) -> None:
    """Make the run directory, which lies in memory and is gone after a boot; a socket of a dead server goes too."""
    _RUN_DIRECTORY.mkdir(exist_ok=True)
    os.chown(_RUN_DIRECTORY, account.pw_uid, account.pw_gid)


def _data_directory(resource: Resource) -> Path:
    directory = Path(resource.settings["data_directory"])
    if not (directory / "mysql").is_dir():
        raise ResourceError(f"{directory} holds no MariaDB system database", resource=resource.name)
    return directory
