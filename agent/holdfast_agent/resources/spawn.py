"""Starting a server so that it survives the agent: own session, own control group, own user, ordinary priority."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..children.process import use_ordinary_time
from ..errors import ResourceError
from .control_group import ControlGroup

LOG_DIRECTORY = Path("/var/log/holdfast")
# As for the event log: the file and its predecessor.
MAXIMUM_LOG_BYTES = 32 * 1024 * 1024
# sysexits are not used: any number that no server uses tells "could not even be executed".
_EXEC_FAILED = 126
_LOG_TAIL_LINES = 5
_PID = struct.Struct("i")


@dataclass(frozen=True)
class Server:
    """What to execute and as whom."""

    command: Sequence[str]
    user: str
    group: ControlGroup
    log: Path
    directory: Path = Path("/")
    environment: Mapping[str, str] | None = None


def log_path(package: str, resource: str) -> Path:
    """Where a server's standard output goes."""
    return LOG_DIRECTORY / f"{package}-{resource}.log"


def bound_log(package: str, resource: str) -> None:
    """Keep a server's output bounded without a helper program: what is too much becomes the predecessor's.

    The server goes on writing to the same file, at its end; what it writes between the copy and the cut is lost.
    """
    path = log_path(package, resource)
    with suppress(OSError):  # a full disk, or no log yet: nothing that a takeover should wait for
        if path.stat().st_size > MAXIMUM_LOG_BYTES:
            shutil.copy(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)


def log_tail(package: str, resource: str) -> str:
    """The last lines of a server's output, for the reason of a failed start."""
    try:
        lines = log_path(package, resource).read_text(errors="replace").splitlines()
    except OSError as error:
        return f"no log: {error.strerror}"
    return " | ".join(lines[-_LOG_TAIL_LINES:])


def spawn_server(server: Server) -> int:
    """Start a server and return its pid.

    Forks twice: the server becomes a child of init, so that no zombie of it ever makes a dead server look alive.
    """
    account = pwd.getpwnam(server.user)
    server.group.create()
    server.log.parent.mkdir(parents=True, exist_ok=True)
    log = os.open(server.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    middle = os.fork()
    if middle == 0:
        _become_middle(server, account, log, writer)
    for descriptor in (log, writer):
        os.close(descriptor)
    os.waitpid(middle, 0)
    packet = os.read(reader, _PID.size)
    os.close(reader)
    if len(packet) != _PID.size:
        raise ResourceError(f"{server.command[0]} could not be forked")
    return int(_PID.unpack(packet)[0])


def _become_middle(server: Server, account: pwd.struct_passwd, log: int, writer: int) -> None:
    """The process in between: forks the server, tells its pid, ends; never returns."""
    try:
        os.setsid()
        pid = os.fork()
        if pid == 0:
            _become_server(server, account, log)
        os.write(writer, _PID.pack(pid))
    finally:
        os._exit(0)


def _become_server(server: Server, account: pwd.struct_passwd, log: int) -> None:
    """The server to be; never returns."""
    try:
        server.group.enter()
        use_ordinary_time()
        # The agent is spared by the out-of-memory killer; its servers are ordinary processes.
        Path("/proc/self/oom_score_adj").write_text("0")
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.chdir(server.directory)
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": account.pw_dir, "LANG": "C.UTF-8"}
        os.execve(server.command[0], list(server.command), {**environment, **(server.environment or {})})
    except OSError as error:
        os.write(2, f"holdfast: {server.command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(_EXEC_FAILED)
