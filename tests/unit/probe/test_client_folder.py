"""The folder on a client host, as it is really placed and called: what is in it is enough, and nothing else is used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.drill.observers import PLACE_FILES
from holdfast.probe import build_client_command, client_files

# In place of the distribution's driver: a server that says yes to everything and has one row.
DRIVER = """
class MySQLError(Exception):
    pass

class Raw:
    def cursor(self): return self
    def __enter__(self): return self
    def __exit__(self, *words): pass
    def execute(self, sql, values): self.answer = [("w1", 1, 1)] if "count(*)" in sql else []
    def fetchall(self): return self.answer

def connect(**words):
    return Raw()
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A client host's folder."""
    folder = tmp_path / "probe"
    files = {**client_files(), "pymysql.py": DRIVER}
    subprocess.run([sys.executable, "-c", PLACE_FILES, str(folder)], input=json.dumps(files), text=True, check=True)
    return folder


def call(folder: Path, program: str, verb: str, config: dict[str, Any], *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "config.json").write_text(json.dumps(config))
    # Of the checkout's own environment nothing but the way to a Python.
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    argv = build_client_command(str(folder), program, verb, str(folder / "config.json"), *words)
    return subprocess.run(argv, env=environment, cwd=folder.parent, capture_output=True, text=True, timeout=300, check=False)


def test_the_folder_is_for_root_alone(host: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in (host, *host.rglob("*"))} == {0}


def test_the_client_measures_with_what_is_in_its_folder(host: Path) -> None:
    config = {"client": "client1", "run": "r", "conninfo": {}, "database": "mariadb", "writers": ["w1", "w2"], "readers": ["r1"],
              "tcp_timeout_seconds": 1, "connect_timeout_seconds": 1, "statement_timeout_seconds": 1, "pause_seconds": 0.01,
              "seconds": 1, "final_timeout_seconds": 1, "first_seq": 7, "attempts": str(host / "attempts.jsonl"),
              "status": str(host / "status.json")}  # fmt: skip
    assert (call(host, "client", "prepare", config).returncode, call(host, "client", "run", config).returncode) == (0, 0)
    records = [json.loads(line) for line in (host / "attempts.jsonl").read_text().splitlines()]
    assert {(r["worker"], r["role"], r["rows"], r["outcome"]) for r in records} == {
        ("w1", "writer", 1, "ok"), ("w2", "writer", 5, "ok"), ("r1", "reader", 1, "ok")
    }  # fmt: skip
    assert min(r["seq"] for r in records) == 8
    assert json.loads((host / "status.json").read_text())["ok"] == len(records)
    final = json.loads(call(host, "client", "final", config, "after").stdout)
    assert (final["label"], final["rows"]) == ("after", {"w1": [[1, 1, 1]], "w2": []})


def test_the_erps_user_works_with_what_is_in_its_folder(host: Path) -> None:
    (host / "account.json").write_text(json.dumps({"database": "erp", "login": "seller", "password": "x"}))
    nobody = {"name": "inside", "address": "127.0.0.1", "port": 1}
    config = {"client": "client1", "run": "r", "account_file": str(host / "account.json"), "servers": [nobody],
              "connect_timeout_seconds": 0.2, "call_timeout_seconds": 0.2, "pause_seconds": 0.01, "seconds": 1,
              "final_timeout_seconds": 0.1, "attempts": str(host / "attempts.jsonl"),
              "status": str(host / "status.json")}  # fmt: skip
    assert call(host, "erp", "run", config).returncode == 0
    records = [json.loads(line) for line in (host / "attempts.jsonl").read_text().splitlines()]
    assert {(r["worker"], r["kind"], r["outcome"]) for r in records} == {("inside", "call", "fail"), ("inside", "order", "fail")}
    assert "Connection refused" in json.loads((host / "status.json").read_text())["last_error"]
    final = call(host, "erp", "final", config, "after")
    assert final.returncode == 1 and "no final read: no connection" in final.stderr
