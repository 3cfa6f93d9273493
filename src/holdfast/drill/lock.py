"""One drill at a time per cluster: for this user by a lock of the kernel here, for everybody by one on the client host."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.drill.errors import DrillError, Refused
from holdfast.drill.hosts import SshShell
from holdfast.drill.view import ClusterView

# Between two signs of life of the controller; twelve that fail to come give the lock up.
BEAT_SECONDS = 5
# Runs on the client host, which no drill breaks. It holds the lock as long as the controller gives a sign of life: a
# connection that broke is an end of file, a controller whose power was cut is silence.
HOLDER = """
import fcntl, os, select, sys
path, words, silence = sys.argv[1], sys.argv[2], float(sys.argv[3])
file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("taken " + file.read(), flush=True)
    sys.exit(0)
file.truncate(0)
file.write(words)
file.flush()
print("held", flush=True)
while select.select([0], [], [], silence)[0] and os.read(0, 4096):
    pass
"""


@contextmanager
def cluster_lock(folder: Path, view: ClusterView, words: str) -> Iterator[None]:
    """Held as long as this process lives: the kernel gives it back when the process dies, so that none is left over."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{view.identity}.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise Refused(f"another drill runs on cluster {view.cluster}: {file.read().strip()}") from error
        file.truncate(0)
        file.write(describe_holder(words))
        file.flush()
        yield


def describe_holder(words: str) -> str:
    """Who holds the lock, for the one who is refused."""
    return json.dumps({"drill": words, "user": getpass.getuser(), "controller": os.uname().nodename, "pid": os.getpid(),
                       "since": time.strftime("%Y-%m-%d %H:%M:%S %z")})  # fmt: skip


@contextmanager
def host_lock(shell: SshShell, view: ClusterView, words: str) -> Iterator[None]:
    """The same for drills of other users and of other controllers, on the first client host."""
    if not view.clients:  # nothing to measure from: no drill runs here at all
        yield
        return
    host = view.clients[0]
    argv = ["python3", "-c", HOLDER, f"/run/lock/holdfast-drill-{view.identity}", describe_holder(words), str(12 * BEAT_SECONDS)]
    process = subprocess.Popen(shell.command(host, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    over = threading.Event()
    try:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline().strip()
        if said.startswith("taken"):
            raise Refused(f"another drill runs on cluster {view.cluster}: {said.removeprefix('taken ')}")
        if said != "held":
            raise DrillError(f"{host}: no lock: {process.stderr.read().strip()[-200:] or said}")
        threading.Thread(target=_beat, args=(process, over), name="lock", daemon=True).start()
        yield
    finally:
        over.set()
        process.terminate()
        process.wait()


def _beat(process: subprocess.Popen[str], over: threading.Event) -> None:
    assert process.stdin is not None
    while not over.wait(BEAT_SECONDS):
        try:
            process.stdin.write("\n")
            process.stdin.flush()
        except OSError:
            return
