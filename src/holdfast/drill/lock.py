"""One drill at a time per cluster."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.drill.errors import Refused
from holdfast.drill.view import ClusterView


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
        file.write(json.dumps({"pid": os.getpid(), "drill": words, "since": time.strftime("%H:%M:%S")}))
        file.flush()
        yield
