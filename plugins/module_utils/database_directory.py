# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""A database's directory on a package's file system: made once, configured by its owner.

Invariant: nothing is written unless the file system is mounted on this node, and a database is made only where nothing
is. The mount point itself is a directory of the local disk; a database made there by mistake would hide behind the mount.
"""

from __future__ import annotations

import os
import pwd
import signal
from abc import abstractmethod
from pathlib import Path

from .command import run
from .errors import RefusedError
from .file_set import replace_file, sync_filesystem
from .mounts import is_mounted
from .resource import Action, Resource

CERTIFICATE_DAYS = 3650


class DatabaseDirectory(Resource):
    """One data directory with its configuration, its certificate and its accounts.

    I(wanted) holds package, version, data_directory, mount_point, addresses, client_networks, settings and accounts.
    I(is_assumed_new) is for check mode, which does not mount what it would have to make.
    Subclasses say how the server is called, which files it wants, and how it is made and asked.
    """

    title = ""
    user = ""
    process = ""
    pid_file = ""

    def __init__(self, wanted):
        self.wanted = wanted
        self.directory = Path(wanted["data_directory"])
        self.is_assumed_new = False

    @abstractmethod
    def read_version(self):
        """Version of the data, None where there is no database."""

    @abstractmethod
    def build_files(self):
        """Content of the files that belong to this collection, by name."""

    @abstractmethod
    def make(self):
        """Make the database in I(directory), which is empty, with its files."""

    def read(self):
        """What is there; only I(mounted) where the file system is not on this node."""
        if not self.is_assumed_new and not is_mounted(self.wanted["mount_point"]):
            return {"mounted": False}
        version = None if self.is_assumed_new else self.read_version()
        if version is None:
            return {"mounted": True, "version": None, "files": {}, "accounts": {}, "running": False}
        running = self.find_server() is not None
        return {
            "mounted": True,
            "version": version,
            "files": {name: _content(self.directory / name) for name in self.build_files()},
            "certificate": (self.directory / "server.crt").exists(),
            "running": running,
            "accounts": self.accounts.read() if running else {},
        }

    def find_server(self):
        """Process id of the running server; its file outlives a crash, so the process is looked at as well."""
        try:
            pid = int((self.directory / self.pid_file).read_text(encoding="ascii").split("\n", 1)[0])
            command = Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
        except (FileNotFoundError, ValueError):
            return None
        return pid if command == self.process else None

    def plan(self, before):
        """Nothing where the file system is elsewhere; otherwise make, certificate, files, reload, accounts."""
        if not before["mounted"]:
            return []
        name = str(self.directory)
        if before["version"] is None:
            self._refuse_occupied()
            return [Action("initialise", name)]
        if before["version"] != self.wanted["version"]:
            raise RefusedError(
                f"{name} belongs to {self.title} {before['version']}, not {self.wanted['version']}; upgrade it first"
            )
        actions = [] if before["certificate"] else [Action("make certificate", name)]
        changed = [file for file, text in self.build_files().items() if before["files"][file] != text]
        actions += [Action("write", f"{name}/{file}") for file in changed]
        if actions and before["running"]:
            actions.append(Action("reload", name))
        return actions + (self.accounts.plan(before["accounts"]) if before["running"] else [])

    def _refuse_occupied(self):
        """Whatever is already in the directory is somebody's data."""
        if self.directory.exists() and any(self.directory.iterdir()):
            raise RefusedError(f"{self.directory} is not empty and not a database; move its content away first")

    def apply(self, action):
        """Carry out one action."""
        if action.verb == "initialise":
            self._make_whole()
        elif action.verb == "write":
            self.write_file(Path(action.subject).name)
        elif action.verb == "make certificate":
            self.make_certificate()
        elif action.verb == "reload":
            self.reload_server()
        else:
            self.accounts.apply(action)

    def _make_whole(self):
        """Made beside its place and moved there when everything is in it: a run that is cut off leaves no half."""
        final = self.directory
        staging = final.with_name(final.name + ".new")
        run(["rm", "-rf", "--", str(staging)])
        staging.mkdir(mode=0o700)
        owner = pwd.getpwnam(self.user)
        os.chown(staging, owner.pw_uid, owner.pw_gid)
        self.directory = staging
        try:
            self.make()
        finally:
            self.directory = final
        if final.exists():
            final.rmdir()
        staging.rename(final)
        sync_filesystem(final)

    def write_files(self):
        """All files of this collection."""
        for name in self.build_files():
            self.write_file(name)

    def write_file(self, name):
        """One file of this collection."""
        entry = {"content": self.build_files()[name], "mode": "0600", "owner": self.user, "group": self.user}
        replace_file(str(self.directory / name), entry)

    def make_certificate(self):
        """A self-signed certificate of the package's own, because clients know the package, not the node."""
        key, certificate = self.directory / "server.key", self.directory / "server.crt"
        name = self.wanted["package"]
        names = ",".join([f"DNS:{name}", *(f"IP:{address}" for address in self.wanted["addresses"])])
        self.run_as_owner(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", str(CERTIFICATE_DAYS), "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
             "-keyout", str(key), "-out", str(certificate)]
        )  # fmt: skip
        key.chmod(0o600)

    def reload_server(self):
        """Let the running server read its files again."""
        pid = self.find_server()
        if pid is not None:
            os.kill(pid, signal.SIGHUP)

    def run_as_owner(self, argv, stdin=None):
        """A command under the database's user."""
        return run(["runuser", "-u", self.user, "--", *argv], stdin=stdin)

    def expect(self, before):
        """The state after the plan, as far as it can be told beforehand."""
        return {**before, "version": self.wanted["version"], "files": self.build_files()} if before["mounted"] else before

    def public(self, state):
        """Without the verifiers of passwords."""
        return {**state, "accounts": sorted(state.get("accounts", {}))}


def _content(path):
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
