"""A client that writes while playbooks run on the cluster."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from holdfast.lab.node import Node
from tests.integration.conftest import Site

WRITER = (Path(__file__).parent / "on_client" / "write_rows.py").read_text()
STOP = "/run/stop_writing"
PLAYBOOKS = ("build_cluster", "deploy_packages")
# The LUNs after they have grown: they never shrink, so that whatever runs afterwards on the same cluster names these sizes too.
GROWN: dict[str, Any] = {"holdfast_luns": [{"name": "erp-lock", "size": "64 MiB"}, {"name": "erp-data", "size": "5 GiB"}]}


@dataclass
class Load:
    """A client that writes without a pause."""

    client: Node
    writer: subprocess.Popen[str]

    def end(self) -> dict[str, Any]:
        """How many rows were `acknowledged`, and which `errors` and `lost` rows there were."""
        self.client.succeed(f"touch {STOP}")
        told: dict[str, Any] = json.loads(self.writer.communicate(timeout=120)[0])
        return told


@contextmanager
def writing(site: Site) -> Iterator[Load]:
    """The client at work; its rows are read with `Load.end`."""
    client = site.lab.node("client1")
    client.succeed("DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install python3-psycopg >/dev/null",
                   timeout_seconds=300)
    client.succeed(f"rm -f {STOP}; cat >/root/write_rows.py", stdin=WRITER)
    secret = (site.lab.folder.path / "secrets" / "erp_password").read_text().strip()
    conninfo = f"host=10.20.0.50 dbname=erp user=erp password={secret} sslmode=require"
    with subprocess.Popen(client.ssh_command(f"python3 /root/write_rows.py '{conninfo}' {STOP}"), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as writer:
        time.sleep(3)
        yield Load(client, writer)
        client.succeed(f"touch {STOP}")


@pytest.fixture
def load(deployed: Site) -> Iterator[Load]:
    with writing(deployed) as load:
        yield load


def changed(output: str) -> list[str]:
    """The recap's lines of hosts on which something was changed."""
    return [line for line in output.splitlines() if re.search(r"changed=[1-9]", line)]
