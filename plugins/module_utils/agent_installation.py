# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""The agent's code on a node: one directory per version, and a link that is switched at once.

A running agent keeps the files it has loaded; it takes the new ones when it is restarted.
"""

from __future__ import annotations

import base64
import compileall
import io
import shutil
import sys
import tarfile
from pathlib import Path

from .command import run
from .file_set import sync_filesystem
from .resource import Action, Resource

_NAME_DIGITS = 16
#: A running agent may still load a module of the version before.
_OLDER_VERSIONS = 1


class AgentInstallation(Resource):
    """The link I(path) leads to a directory that holds exactly the given archive."""

    def __init__(self, path, archive, digest):
        self.link = Path(path)
        self.archive = archive
        self.directory = self.link.with_name(f"{self.link.name}-{digest[:_NAME_DIGITS]}")

    def read(self):
        """Where the link leads, and which other versions lie around."""
        versions = self.link.parent.glob(self.link.name + "-*") if self.link.parent.exists() else []
        newest_first = sorted(versions, key=lambda path: path.stat().st_mtime, reverse=True)
        return {
            "installed": str(self.link.readlink()) if self.link.is_symlink() else None,
            "intact": self._is_intact(),
            "versions": [str(path) for path in newest_first],
        }

    def _is_intact(self):
        """Whether every file is as packed. A disk that was full or a node that was reset may have left less."""
        try:
            return all((self.directory / name).read_bytes() == content for name, content in self._files())
        except OSError:
            return False

    def _files(self):
        """Name and content of every file of the archive."""
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(self.archive)), mode="r:gz") as archive:
            for member in archive:
                yield member.name, archive.extractfile(member).read()

    def plan(self, before):
        """Unpack, switch, and remove all but this version and the one before."""
        is_installed = before["installed"] == str(self.directory) and before["intact"]
        others = [path for path in before["versions"] if path != str(self.directory)]
        actions = [] if is_installed else [Action("install", str(self.directory))]
        return actions + [Action("remove", path) for path in others[_OLDER_VERSIONS:]]

    def apply(self, action):
        """Carry out one action."""
        if action.verb == "remove":
            shutil.rmtree(action.subject)
            return
        self._unpack()
        switch = self.link.with_name(self.link.name + ".new")
        switch.unlink(missing_ok=True)
        switch.symlink_to(self.directory)
        switch.replace(self.link)
        sync_filesystem(self.directory)

    def _unpack(self):
        """Compiled once here, so that a start of the agent does not pay for it."""
        staging = self.directory.with_name(".staging")
        # As a rule there is nothing to remove, here and below. What could not be removed makes mkdir and rename fail.
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for name, content in self._files():
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        self._check_loads(staging)
        compileall.compile_dir(str(staging), quiet=2, stripdir=str(staging), prependdir=str(self.link))
        shutil.rmtree(self.directory, ignore_errors=True)
        # On the disk before it gets its name: a node that is reset right after must not come back with empty files.
        sync_filesystem(staging)
        staging.rename(self.directory)

    @staticmethod
    def _check_loads(directory):
        """A version that this node's Python cannot even load never gets its name, and the old one stays in place."""
        run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(directory)!r}); import holdfast_agent.__main__"])

    def expect(self, before):
        """The new version in its place."""
        return {**before, "installed": str(self.directory), "intact": True}
