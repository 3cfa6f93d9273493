"""Run a playbook and show its tasks as they begin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from holdfast.lab.command import environment
from holdfast.lab.errors import LabError

ROOT = Path(__file__).parents[3]


def run_playbook(name: str, lab: str, log: Path, report: Callable[[str], None]) -> None:
    """Run playbooks/NAME.yml on the lab; LabError with the failed task's own lines when it fails."""
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/lab", f"playbooks/{name}.yml"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment(HOLDFAST_LAB=lab, ANSIBLE_NOCOLOR="1")) as child, log.open("w") as handle:
        failure: list[str] = []
        try:
            for line in child.stdout or ():
                handle.write(line)
                if line.startswith("TASK ["):
                    report(f"{name}: {line[6:line.rindex(']')].removeprefix('holdfast.cluster.')}")
                elif line.startswith(("fatal:", "[ERROR]")):
                    failure.append(line.strip()[:300])
        except BaseException:
            child.terminate()         # an interrupt reaches it by itself only from a terminal
            raise
    if child.returncode != 0:
        raise LabError(f"the playbook {name}.yml failed: {failure[0] if failure else 'no message'} (all of it: {log})")
