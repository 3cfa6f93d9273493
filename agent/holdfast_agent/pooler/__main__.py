"""The gate: ``python3 -m holdfast_agent.pooler FILE``, on the pooler's host, as the user that PgBouncer runs as."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import HoldfastError
from .answering import wait_until_answers
from .console import Console
from .gate import Gate
from .hold import HoldFile
from .server import Caller, GateServer

SCHEMA = 1


def main(arguments: list[str]) -> int:
    """Run the gate that a file describes; returns the exit code."""
    try:
        build_server(load_file(Path(arguments[1]))).run()
    except (HoldfastError, OSError, KeyError, ValueError) as error:
        print(f"<3>holdfast-gate: {arguments[1:]}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def load_file(path: Path) -> dict[str, Any]:
    """The file that role pgbouncer writes; raises ValueError for one of another schema."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(f"schema {SCHEMA} expected")
    return data


def build_server(data: dict[str, Any]) -> GateServer:
    """Everything a gate is made of."""
    target = (data["target"]["address"], int(data["target"]["port"]))
    gate = Gate(
        Console(data["pooler"]["socket_directory"], int(data["pooler"]["port"])),
        HoldFile(Path(data["hold_file"])),
        partial(wait_until_answers, target),
        log,
    )
    caller = Caller(frozenset(data["nodes"]), data["key"].encode())
    return GateServer((data["listen"]["address"], int(data["listen"]["port"])), gate, caller, log)


def log(text: str) -> None:
    """One line to the journal."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
