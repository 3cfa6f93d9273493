# Copyright (c) Holdfast contributors
# SPDX-License-Identifier: Apache-2.0
"""Distribution packages that must be installed.

What is there is read from dpkg's own file, without a process and without a lock; apt runs only where something is missing.
Versions are left alone: an upgrade of a cluster node is a person's decision.

While services stay down, the maintainer scripts' systemctl talks to no manager (SYSTEMD_OFFLINE, systemd's
docs/ENVIRONMENT.md): each of their dozens of daemon-reloads would start every generator, and one at the end does the same.
"""

from __future__ import annotations

import os
from pathlib import Path

from .command import run
from .errors import CommandError
from .resource import Action, Resource

STATUS_FILE = "/var/lib/dpkg/status"
POLICY_FILE = "/usr/sbin/policy-rc.d"
#: A slow mirror and a slow disk; apt has no progress that could be waited for.
_INSTALL_SECONDS = 1800
#: policy-rc.d's answer that forbids a maintainer script to start its service (invoke-rc.d(8)).
_FORBIDDEN = "#!/bin/sh\nexit 101\n"


def parse_dpkg_status(text):
    """Installed packages with their versions."""
    versions = {}
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(" "))
        if fields.get("Status", "").endswith(" installed"):
            versions[fields["Package"]] = fields.get("Version", "")
    return versions


def read_installed(path=STATUS_FILE):
    """Installed packages of this node."""
    return parse_dpkg_status(Path(path).read_text(encoding="utf-8", errors="replace"))


def build_install_command(names):
    """apt-get without questions and without recommended packages; changed configuration files of ours stay."""
    options = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
    return ["apt-get", "--yes", "--quiet=2", "--no-install-recommends", *options, "install", *names]


class PackageSet(Resource):
    """Packages by name; with I(services_stay_down) none of their services is started by the installation.

    I(answers) are files that the installation reads, content by path.
    """

    def __init__(self, names, services_stay_down=False, answers=None):
        self.names = sorted(set(names))
        self.services_stay_down = services_stay_down
        self.answers = answers or {}

    def read(self):
        """Versions of those that are installed."""
        installed = read_installed()
        return {name: installed[name] for name in self.names if name in installed}

    def plan(self, before):
        """One installation of everything that is missing."""
        missing = [name for name in self.names if name not in before]
        return [Action("install", " ".join(missing))] if missing else []

    def apply(self, action):
        """Install; where the lists are too old to know a package, fetch them and try once more."""
        for path, content in self.answers.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(content, encoding="utf-8")
        command = build_install_command(action.subject.split(" "))
        os.environ["DEBIAN_FRONTEND"] = "noninteractive"
        with _ServicesDown(self.services_stay_down):
            try:
                run(command, timeout_seconds=_INSTALL_SECONDS)
            except CommandError:
                # A run that was cut off leaves unpacked packages behind, which apt refuses to build upon.
                run(["dpkg", "--force-confdef", "--force-confold", "--configure", "--pending"], timeout_seconds=_INSTALL_SECONDS)
                run(["apt-get", "--quiet=2", "update"], timeout_seconds=_INSTALL_SECONDS)
                run(command, timeout_seconds=_INSTALL_SECONDS)
        if self.services_stay_down:
            run(["systemctl", "daemon-reload"])

    def expect(self, before):
        """Everything is installed."""
        return {name: before.get(name, "to be installed") for name in self.names}


class _ServicesDown:
    """A policy file for the time of an installation; one that is already there is somebody's, and stays.

    One that says what ours says was left by a run that was cut off: it is used, and taken away at the end.
    """

    def __init__(self, wanted):
        policy = Path(POLICY_FILE)
        self._wanted = wanted
        self._is_ours = wanted and (not policy.exists() or policy.read_text(encoding="utf-8", errors="replace") == _FORBIDDEN)

    def __enter__(self):
        if self._wanted:
            os.environ["SYSTEMD_OFFLINE"] = "1"
        if self._is_ours:
            Path(POLICY_FILE).write_text(_FORBIDDEN, encoding="ascii")
            Path(POLICY_FILE).chmod(0o755)

    def __exit__(self, *_exception):
        if self._wanted:
            del os.environ["SYSTEMD_OFFLINE"]
        if self._is_ours:
            Path(POLICY_FILE).unlink()
