"""Debian's archive, read through an apt of its own that leaves the host's apt untouched."""

from __future__ import annotations

import os
import re
from pathlib import Path

from holdfast.lab.command import run
from holdfast.lab.errors import CommandError, HostError, LabError
from holdfast.lab.host import KEYRING

MIRROR_SETTING = "HOLDFAST_DEBIAN_MIRROR"
DEBIAN_CODENAMES = ("bullseye", "bookworm", "trixie", "forky", "sid")


def archive_address() -> str:
    """The archive's address: the setting HOLDFAST_DEBIAN_MIRROR, else what this machine's own apt uses for Debian."""
    if mirror := os.environ.get(MIRROR_SETTING):
        return mirror.rstrip("/")
    listing = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
                   "Created-By: Packages"])
    for line in listing.splitlines():
        address, codename, component = [*line.split(" "), "", ""][:3]
        if component == "main" and codename in DEBIAN_CODENAMES and "security" not in address:
            return address.rstrip("/")
    raise HostError("this machine's apt names no Debian archive (or 'apt-get update' was never run); run it, or set "
                    f"{MIRROR_SETTING} to the address of a Debian mirror")


class PrivateApt:
    """An apt with its own sources, lists and cache below `root`, for the suites given, verified by Debian's keyring."""

    def __init__(self, root: Path, mirror: str, suites: tuple[str, ...], log: Path) -> None:
        self.root, self.mirror, self.log = root, mirror, log
        for part in ("lists/partial", "archives/partial", "state"):
            (root / part).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        (root / "sources.list").write_text("".join(
            f"deb [signed-by={KEYRING}] {mirror} {suite} main\n" for suite in suites))

    def _options(self, status: Path | None = None) -> list[str]:
        settings = {
            "Dir::Etc::SourceList": self.root / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.root / "state", "Dir::State::Lists": self.root / "lists",
            "Dir::State::status": status or self.root / "status", "Dir::Cache": self.root,
            "Dir::Cache::archives": self.root / "archives", "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false", "Acquire::Languages": "none", "Acquire::Retries": "3",
        }
        return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]

    def _apt(self, tool: str, *words: str, status: Path | None = None, timeout_seconds: float = 600) -> str:
        return run([tool, *self._options(status), *words], timeout_seconds=timeout_seconds, log=self.log,
                   cwd=self.root / "archives")

    def update(self) -> None:
        # "error-mode=any": without it apt only warns when a list can't be fetched, and goes on with an old one.
        try:
            self._apt("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
        except CommandError as error:
            first = next((line for line in error.stderr.splitlines() if line.startswith("E:")), "it gave no reason")
            raise HostError(f"Debian's archive {self.mirror} could not be read: {first}; see to that (the network?) or set "
                            f"{MIRROR_SETTING} to another mirror, then run the same command again") from error

    def candidate(self, package: str) -> str:
        """The newest version on offer."""
        match = re.search(r"Candidate: (\S+)", self._apt("apt-cache", "policy", package))
        if match is None or match[1] == "(none)":
            raise LabError(f"the archive offers no package '{package}'")
        return match[1]

    def download(self, *packages: str) -> list[Path]:
        """The packages' files, newest version, without dependencies."""
        self._apt("apt-get", "download", *packages)
        return [max(self.root.glob(f"archives/{name}_*.deb"), key=lambda path: path.stat().st_mtime)
                for name in packages]

    def download_with_dependencies(self, packages: list[str], status: Path) -> list[Path]:
        """Everything an installation of `packages` would fetch on a system with that dpkg status file."""
        plan = re.findall(r"^Inst (\S+) .*?\((\S+)", self._apt("apt-get", "install", "--simulate", "--yes", *packages,
                                                              status=status), re.MULTILINE)
        self._apt("apt-get", "install", "--download-only", "--yes", *packages, status=status)
        # apt names files NAME_VERSION_ARCH.deb, with the epoch's colon quoted (apt-get(8), apt-archive naming).
        return [next((self.root / "archives").glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
                for name, version in plan]

    def record(self, package: Path) -> str:
        """The package's own control fields, as apt's index wants them."""
        return run(["dpkg-deb", "--field", str(package)]).rstrip("\n")
