"""Run a playbook and show its tasks as they begin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from holdfast.lab.command import environment
from holdfast.lab.errors import LabError

ROOT = Path(__file__).parents[3]


def run_playbook(playbook: str | Path, lab: str, log: Path, report: Callable[[str], None], variables: Path | None = None) -> None:
    """Run playbooks/NAME.yml, or any file, on the lab; `variables` is a file whose values win over the inventory's.

    LabError with the failed task's own lines when it fails.
    """
    path = Path("playbooks") / f"{playbook}.yml" if isinstance(playbook, str) else playbook
    argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventories/lab", str(path)]
    if variables is not None:
        argv += ["-e", f"@{variables}"]
    # Named, because Ansible ignores settings that it finds in a folder that anybody may write, and the caller may have his own.
    settings = environment(HOLDFAST_LAB=lab, ANSIBLE_NOCOLOR="1", ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=settings) as child, log.open("w") as handle:
        failure: list[str] = []
        try:
            for line in child.stdout or ():
                handle.write(line)
                if line.startswith("TASK ["):
                    report(f"{path.stem}: {line[6:line.rindex(']')].removeprefix('holdfast.cluster.')}")
                elif line.startswith(("fatal:", "[ERROR]")):
                    failure.append(line.strip()[:300])
        except BaseException:
            child.terminate()         # an interrupt reaches it by itself only from a terminal
            raise
    if child.returncode != 0:
        raise LabError(f"the playbook {path.name} failed: {failure[0] if failure else 'no message'} (all of it: {log})")
