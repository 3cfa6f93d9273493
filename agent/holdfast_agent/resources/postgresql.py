"""PostgreSQL as a resource: the server itself is started and signalled, without pg_ctl's polling.

The invariant that everything here rests on: this node owns the data directory (reservation, mount). So a lock file
left by another node's server may be removed, after it is proven that no process here works in the directory.
"""

from __future__ import annotations

import pwd
import signal
import time
from dataclasses import dataclass
from operator import not_
from pathlib import Path

from ..config import Resource
from ..errors import HoldfastError, ResourceError
from ..small_files import read_small
from ..waiting import wait_for
from .control_group import ControlGroup
from .postgresql_wire import Database, run_query
from .processes import process_is_alive, processes_in, signal_and_wait, wait_until_left
from .shared_memory import remove_segment
from .spawn import Server, log_path, log_tail, spawn_server
from .transaction import Transaction

# Where Debian installs a major version.
_BINARY = "/usr/lib/postgresql/{version}/bin/postgres"
# src/include/utils/pidfile.h: line numbers of postmaster.pid and the word of a server that accepts connections.
_PID_LINE, _PORT_LINE, _SOCKET_LINE, _SHARED_MEMORY_LINE, _STATUS_LINE = 0, 3, 4, 6, 7
_READY = "ready"
_POLL_SECONDS = 0.01
# A server that has not answered a trivial query for this long will not shut down in order either.
_ANSWER_SECONDS = 2.0
# A server that takes a connection and says nothing for this long hangs, however long a start may take.
_HANG_SECONDS = 10.0
# A checkpoint before the stop shortens the stop; it may cost this share of the time that the stop has.
_CHECKPOINT_SHARE = 0.5
# Time kept back from the fast stop for the immediate one, which only has to kill.
_IMMEDIATE_SECONDS = 2.0
_LONGEST = (
    "SELECT usename, pid, extract(epoch FROM clock_timestamp() - xact_start) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1"
)


@dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says; "" for lines that the server has not written yet.

    ``shared_memory`` is key and id of its System V segment.
    """

    pid: int
    port: str
    socket_directory: str
    shared_memory: str
    status: str


def start(resource: Resource, deadline: float) -> dict[str, int]:
    """Start the server and return its pid when it accepts connections, by its own word as pg_ctl waits for it.

    The first query of a database that was just started has to read its catalogs. Clients need not wait for the agent's:
    whoever watches the health asks within a second. A server that was here before may hang, so that one has to answer first.
    """
    directory = _data_directory(resource)
    present = read_pid_file(directory)
    if present is not None and process_is_alive(present.pid) and present.pid in processes_in(str(directory)):
        _wait_until_ready(resource, directory, present.pid, deadline)
        _wait_until_answered(resource, deadline)
        return {"pid": present.pid}
    group = ControlGroup(resource.package, resource.name)
    group.kill(deadline)
    _remove_stale_locks(directory, str(resource.settings["port"]), deadline)
    account = pwd.getpwuid(directory.stat().st_uid)
    command = [_binary(resource), "-D", str(directory), "-p", str(resource.settings["port"])]
    log = log_path(resource.package, resource.name)
    pid = spawn_server(Server(command, account.pw_name, group, log, directory))
    _wait_until_ready(resource, directory, pid, deadline)
    return {"pid": pid}


def stop(resource: Resource, fast: bool, deadline: float) -> None:
    """Stop the server: checkpoint, fast shutdown, at last immediate shutdown and kill.

    One that does not answer a query is not asked for an orderly end: it may be stopped or hang, and clients wait.
    """
    group = ControlGroup(resource.package, resource.name)
    directory = Path(resource.settings["data_directory"])
    present = read_pid_file(directory)
    if present is not None and process_is_alive(present.pid) and present.pid in processes_in(str(directory)):
        if _answers(resource, deadline):
            _try_checkpoint(resource, deadline)
            limit = deadline - _IMMEDIATE_SECONDS
            ended = signal_and_wait(present.pid, signal.SIGINT if fast else signal.SIGTERM, limit)
        else:
            ended = False
        if not ended:
            signal_and_wait(present.pid, signal.SIGQUIT, time.monotonic() + _IMMEDIATE_SECONDS / 2)
    group.kill(deadline)


def check(resource: Resource, deadline: float) -> None:
    """Ask the server something over a fresh connection; raises where it does not answer."""
    rows = run_query(_database(resource), "SELECT 1", deadline)
    if rows != [["1"]]:
        raise ResourceError(f"PostgreSQL answered {rows} to SELECT 1")


def checkpoint(resource: Resource, deadline: float) -> None:
    """Write out what is dirty while clients still work, so that the stop that follows has little left to write."""
    run_query(_database(resource), "CHECKPOINT", deadline)


def longest_transaction(resource: Resource, deadline: float) -> Transaction | None:
    """The client's transaction that has been open for the longest time; None where there is none."""
    rows = run_query(_database(resource), _LONGEST, deadline)
    return Transaction(str(rows[0][0]), f"pid {rows[0][1]}", float(rows[0][2] or 0)) if rows else None


def program(resource: Resource) -> Path:
    """The server's program."""
    return Path(_binary(resource))


def read_pid_file(directory: Path) -> PidFile | None:
    """postmaster.pid of a data directory, None where there is none or it is being written."""
    try:
        lines = read_small(f"{directory}/postmaster.pid").splitlines()
        pid = abs(int(lines[_PID_LINE]))
    except (OSError, ValueError, IndexError):
        return None
    lines += [""] * (_STATUS_LINE + 1 - len(lines))
    return PidFile(pid, lines[_PORT_LINE], lines[_SOCKET_LINE], lines[_SHARED_MEMORY_LINE], lines[_STATUS_LINE].strip())


def _wait_until_ready(resource: Resource, directory: Path, pid: int, deadline: float) -> None:
    def is_ready() -> bool:
        if not process_is_alive(pid):
            tail = log_tail(resource.package, resource.name)
            raise ResourceError(f"PostgreSQL ended while starting: {tail}", resource=resource.name)
        present = read_pid_file(directory)
        return present is not None and present.pid == pid and present.status == _READY

    if not wait_for(is_ready, deadline, _POLL_SECONDS):
        raise ResourceError("PostgreSQL did not get ready in time: it is still recovering", resource=resource.name)


def _wait_until_answered(resource: Resource, deadline: float) -> None:
    reason = wait_for(lambda: _why_no_answer(resource, deadline), deadline, _POLL_SECONDS, not_)
    if reason:
        raise ResourceError(f"PostgreSQL did not answer in time: {reason}", resource=resource.name)


def _why_no_answer(resource: Resource, deadline: float) -> str:
    """Empty where the server answers."""
    try:
        check(resource, min(deadline, time.monotonic() + _HANG_SECONDS))
    except ResourceError as error:
        return str(error)
    return ""


def _database(resource: Resource) -> Database:
    directory = Path(resource.settings["data_directory"])
    present = read_pid_file(directory)
    if present is None or not present.socket_directory:
        raise ResourceError("PostgreSQL does not run: no usable postmaster.pid")
    account = pwd.getpwuid(directory.stat().st_uid)
    return Database(present.socket_directory, int(present.port), account.pw_name, account.pw_uid)


def _remove_stale_locks(directory: Path, port: str, deadline: float) -> None:
    """Remove lock files of a server that is not here; a pid that another program has by now would block the start.

    So would a server that was killed and whose parent has not yet taken note: it is a zombie, but its pid is there. The
    lock of the socket is this server's own as well: a port belongs to one package. A killed server is waited for until it
    has left, and its shared memory goes with its locks.
    """
    wait_until_left(str(directory), deadline)
    present = read_pid_file(directory)
    if present is not None and present.socket_directory:
        (Path(present.socket_directory) / f".s.PGSQL.{port}.lock").unlink(missing_ok=True)
    if present is not None and not process_is_alive(present.pid):
        _, _, identity = present.shared_memory.strip().rpartition(" ")
        remove_segment(identity, present.pid)
    (directory / "postmaster.pid").unlink(missing_ok=True)


def _answers(resource: Resource, deadline: float) -> bool:
    try:
        check(resource, min(deadline, time.monotonic() + _ANSWER_SECONDS))
    except HoldfastError:
        return False
    return True


def _try_checkpoint(resource: Resource, deadline: float) -> None:
    limit = time.monotonic() + _CHECKPOINT_SHARE * max(0.0, deadline - time.monotonic())
    try:
        run_query(_database(resource), "CHECKPOINT", limit)
    except HoldfastError:
        # Only an acceleration: the shutdown does its own checkpoint, and one that cannot must not stop the stop.
        return


def _data_directory(resource: Resource) -> Path:
    directory = Path(resource.settings["data_directory"])
    version_file = directory / "PG_VERSION"
    if not version_file.exists():
        raise ResourceError(f"{directory} holds no PostgreSQL cluster", resource=resource.name)
    found, wanted = version_file.read_text().strip(), str(resource.settings["version"])
    if found != wanted:
        raise ResourceError(f"{directory} is of version {found}, the package wants {wanted}", resource=resource.name)
    return directory


def _binary(resource: Resource) -> str:
    path = _BINARY.format(version=resource.settings["version"])
    if not Path(path).exists():
        raise ResourceError(f"{path} is not installed", resource=resource.name)
    return path
