# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Pack the agent on the controller and hand it to the module of the same name in one piece."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

_AGENT = Path(__file__).parents[2] / "agent"


class ActionModule(ActionBase):
    """Adds the archive and its digest to the module's arguments."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        archive = build_archive(_AGENT)
        arguments = {
            **self._task.args,
            "archive": base64.b64encode(archive).decode("ascii"),
            "digest": hashlib.sha256(archive).hexdigest(),
        }
        result.update(self._execute_module("holdfast.cluster.package_agent", arguments, task_vars=task_vars))
        return result


def build_archive(root: Path) -> bytes:
    """The agent's Python files as a compressed tar; the same files give the same bytes."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for path in sorted(root.rglob("*.py")):
            content = path.read_bytes()
            entry = tarfile.TarInfo(str(path.relative_to(root)))
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
