"""The molecule scenarios, one call for those that share a lab and one for each other, with one line of counts at the end.

Run as `python -m holdfast.suite.molecule [SCENARIO…]`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from holdfast.lab.command import environment
from holdfast.suite.stages import ROOT

# Scenarios of one call share a lab.
CALLS = (("array", "node", "package"), ("debian12",), ("erp",))
LABS = {"debian12": "molecule12", "erp": "molecule-erp"}


def main(wanted: list[str]) -> int:
    """Exit code 0 when every scenario ran to its end."""
    passed = failed = 0
    for scenarios in CALLS:
        chosen = [name for name in scenarios if not wanted or name in wanted]
        if chosen:
            code, output = run_molecule(chosen)
            passed += count_passed(output)
            failed += count_failed(output) or int(code != 0)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def run_molecule(scenarios: list[str]) -> tuple[int, str]:
    """`molecule test` of these scenarios; its output is shown as it comes, and returned."""
    tools = Path(sys.executable).parent
    words = [word for name in scenarios for word in ("--scenario-name", name)]
    argv = [str(tools / "molecule"), "test", *words, "--destroy", "always"]
    setting = environment(PATH=f"{tools}:{os.environ.get('PATH', '')}", HOLDFAST_LAB=LABS.get(scenarios[0], "molecule"),
                          PY_COLORS="0", ANSIBLE_FORCE_COLOR="0", NO_COLOR="1")
    lines = []
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", env=setting) as child:
        for line in child.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    return child.returncode, "".join(lines)


def last_lines(output: str) -> list[str]:
    """Pytest's line at the end of each of its runs, without what molecule draws around it."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    return re.findall(r"^\W*(\d+ (?:passed|failed|skipped|error)\b.* in [0-9.]+s)", plain, re.MULTILINE)


def count_passed(output: str) -> int:
    """Tests that passed."""
    return sum(int(number) for line in last_lines(output) for number in re.findall(r"(\d+) passed", line))


def count_failed(output: str) -> int:
    """Tests that failed, were skipped or had an error: none of them proved anything."""
    return sum(int(number) for line in last_lines(output) for number in re.findall(r"(\d+) (?:failed|skipped|errors?)\b", line))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
