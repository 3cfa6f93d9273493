"""A machine made of stand-ins, on which a copy of the launcher takes its first steps: no pip, no apt, no network."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from holdfast.suite.running import hear_interrupts

ROOT = Path(__file__).parents[3]
# What the launcher calls beside the stand-ins.
REAL_TOOLS = ("awk", "cat", "cksum", "cut", "dirname", "env", "flock", "grep", "mkdir", "readlink", "rm", "sh",
              "sleep", "tail", "tr")

# Answers as an interpreter of $VERSION (two digits) does, with or without the module venv; makes environments with itself inside.
PYTHON = """#!/bin/sh
echo "$0 $*" >>"{log}"
case "$1" in
--version) echo "Python {version}" ;;
-c) case "$2" in
    *ensurepip*) [ {has_venv} = yes ] && [ {minor} -ge 11 ] ;;
    *version_info*) [ {minor} -ge 11 ] ;;
    esac ;;
-m) case "$2" in
    venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    pip) {pip} ;;
    esac ;;
-P) shift 3; echo "holdfast ran: $*${{PYTHONPATH+ with PYTHONPATH}}${{PYTHONHOME+ with PYTHONHOME}}" ;;
esac
"""


@dataclass
class Machine:
    """`bin` is its whole PATH, `checkout` holds the launcher, `log` has one line for each call of a stand-in."""

    bin: Path
    checkout: Path
    log: Path
    settings: dict[str, str] = field(default_factory=dict)
    """Of its user's environment."""

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    def calls(self, word: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if word in line] if self.log.exists() else []

    def tool(self, name: str, script: str) -> None:
        (self.bin / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{script}\n')
        (self.bin / name).chmod(0o755)

    def python(self, version: str, *, name: str = "python3", has_venv: bool = True, pip: str = "true") -> None:
        text = PYTHON.format(log=self.log, version=version, minor=version.split(".")[1], pip=pip,
                             has_venv="yes" if has_venv else "no")
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def user(self, number: int) -> None:
        self.tool("id", f"echo {number}")

    def start(self, *words: str, launcher: Path | None = None, cwd: Path = Path("/")) -> subprocess.Popen[str]:
        return subprocess.Popen([str(launcher or self.checkout / "holdfast"), *words], cwd=cwd, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0,
                                preexec_fn=hear_interrupts,
                                env={"PATH": str(self.bin), "HOME": "/nonexistent", **self.settings})

    def run(self, *words: str, launcher: Path | None = None, cwd: Path = Path("/")) -> tuple[int, str, list[str]]:
        """Exit code, standard output, and what a person reads on standard error, line by line."""
        process = self.start(*words, launcher=launcher, cwd=cwd)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err.splitlines()


def make_machine(place: Path) -> Machine:
    """With the shell's usual tools, without any Python, for root."""
    machine = Machine(place / "bin", place / "a checkout", place / "calls")
    for folder in (machine.bin, machine.checkout / "src", machine.checkout / "agent"):
        folder.mkdir(parents=True)
    for tool in (*REAL_TOOLS, "cp"):
        (machine.bin / tool).symlink_to(str(shutil.which(tool)))
    machine.tool("df", "echo 'Filesystem 1024-blocks Used Available Capacity Mounted'; echo 'disk 9 9 9999999 9% /'")
    machine.user(0)
    shutil.copy2(ROOT / "holdfast", machine.checkout / "holdfast")
    (machine.checkout / "requirements.txt").write_text("ansible-core==1\n")
    return machine
